"""contained_at(f1, f2, p): near the point p the oracle's topology is finer (Theorem 1* with x fixed)."""

from verifier.language.properties.property import Contained, Property

CONTAINED_AT = Property(
    "contained_at",
    lambda choices: "around {p}, what is near enough for {f2} is as near as one likes for {f1}",
    {"f1": "classifier", "f2": "classifier", "p": "point"},
    lambda choices: Contained("distance(f1, x, x')", "distance(f2, x, x')", at="p"),
)
