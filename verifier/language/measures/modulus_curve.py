"""modulus_curve(f1, f2): the modulus w as a function of delta, by its corners and jumps (THEORY section 3)."""

from verifier.language.properties.property import Measure

MODULUS_CURVE = Measure(
    "modulus_curve",
    "the supremum of the classifier distances of pairs within the oracle distance delta, for every delta",
    {"f1": "measured", "f2": "measured"},
    None,
    compares=False,
)
