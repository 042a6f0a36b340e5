"""lipschitz(f1, f2, bound): d1' <= bound * d2' for all pairs (THEORY section 3)."""

from verifier.language.properties.property import Always, Property

LIPSCHITZ = Property(
    "lipschitz",
    lambda choices: "the distance of any two points for {f1} is at most {bound} times that for {f2}",
    {"f1": "measured", "f2": "measured", "bound": "number"},
    lambda choices: Always(("x", "x'"), (), "distance(f1, x, x') <= bound * distance(f2, x, x')", distinct=("x", "x'")),
)
