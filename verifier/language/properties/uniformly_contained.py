"""uniformly_contained(f1, f2): the modulus w(delta) tends to 0 with delta (Theorem 1U)."""

from verifier.language.properties.property import Contained, Property

UNIFORMLY_CONTAINED = Property(
    "uniformly_contained",
    "small oracle distances force small classifier distances, uniformly over X",
    {"f1": "classifier", "f2": "classifier"},
    lambda choices: Contained("distance(f1, x, x')", "distance(f2, x, x')", uniform=True),
)
