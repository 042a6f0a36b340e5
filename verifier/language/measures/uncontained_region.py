"""uncontained_region(f1, f2): the points of X at which f1 is not contained in f2 (Theorem 1*, THEORY section 6)."""

from verifier.language.properties.property import Measure

UNCONTAINED_REGION = Measure(
    "uncontained_region",
    "the points of X at which the model tells apart what the oracle does not",
    {"f1": "classifier", "f2": "classifier"},
    None,
    compares=False,
)
