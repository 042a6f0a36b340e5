"""modulus(f1, f2, delta): the largest classifier distance within an oracle distance of delta (THEORY section 3)."""

from verifier.language.properties.property import Measure

MODULUS = Measure(
    "modulus",
    "the supremum of the classifier distances of pairs within the oracle distance delta",
    {"f1": "measured", "f2": "measured"},
    None,
    options={"delta": "number"},
    required=("delta",),
)
