"""arca(f1, f2): the same mean, counted only where f1 and f2 agree (THEORY section 4)."""

from verifier.language.properties.property import Measure

ARCA = Measure(
    "arca",
    "the mean distance from x to a point that f1 labels otherwise, counted where f1 and f2 agree",
    {"f1": "classifier", "f2": "classifier"},
    None,
    options={"over": "distribution", "almost": "flag"},
)
