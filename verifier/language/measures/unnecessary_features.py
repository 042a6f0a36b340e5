"""unnecessary_features(f1, f2): the features of f1 that, alone, are not contained in f2 (Theorem 2)."""

from verifier.language.properties.property import Measure

UNNECESSARY_FEATURES = Measure(
    "unnecessary_features",
    "the features that tell apart what the oracle does not",
    {"f1": "classifier", "f2": "classifier"},
    None,
    compares=False,
)
