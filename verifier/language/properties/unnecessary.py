"""unnecessary(f1, f2, h): the map {h} alone is not contained (Theorem 2): the oracle does not need this feature."""

from verifier.language.properties.property import Contained, Opposite, Property

UNNECESSARY = Property(
    "unnecessary",
    "the feature tells apart what the oracle does not",
    {"f1": "classifier", "f2": "classifier", "h": "feature"},
    lambda choices: Opposite(Contained("distance(f1, x, x', only: h)", "distance(f2, x, x')")),
)
