"""arc(f1, f2): the mean distance from x to a point that f1 labels otherwise (THEORY section 4)."""

from verifier.language.properties.property import Measure

ARC = Measure(
    "arc",
    "the mean distance from x to a point that f1 labels otherwise",
    {"f1": "classifier", "f2": "classifier"},
    None,
    options={"over": "distribution", "almost": "flag"},
)
