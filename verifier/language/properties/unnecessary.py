"""unnecessary(f1, f2, h): the map {h} alone is not contained (Theorem 2): the oracle does not need this feature."""

from verifier.language.properties.property import Contained, Opposite, Property

UNNECESSARY = Property(
    "unnecessary",
    lambda choices: "around some point, points as near as one likes for {f2} stay apart in the feature {h} of {f1}",
    {"f1": "classifier", "f2": "classifier", "h": "feature"},
    lambda choices: Opposite(Contained("distance(f1, x, x', only: h)", "distance(f2, x, x')")),
)
