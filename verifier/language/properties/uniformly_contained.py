"""uniformly_contained(f1, f2): the modulus w(delta) tends to 0 with delta (Theorem 1U)."""

from verifier.language.properties.property import Contained, Property

UNIFORMLY_CONTAINED = Property(
    "uniformly_contained",
    lambda choices: (
        "any two points that are near enough for {f2} are as near as one likes for {f1}, and what is near enough does "
        "not depend on the points"
    ),
    {"f1": "classifier", "f2": "classifier"},
    lambda choices: Contained("distance(f1, x, x')", "distance(f2, x, x')", uniform=True),
)
