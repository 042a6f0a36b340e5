"""equivalent(f1, f2): g1 and g2 induce the same topology (containment both ways; the paper's case III)."""

from verifier.language.properties.property import Contained, Every, Property

EQUIVALENT = Property(
    "equivalent",
    lambda choices: "around every point, the same is near for {f1} and for {f2}",
    {"f1": "classifier", "f2": "classifier"},
    lambda choices: Every(
        (
            ("the model sees nothing that the oracle misses", Contained("distance(f1, x, x')", "distance(f2, x, x')")),
            ("the oracle sees nothing that the model misses", Contained("distance(f2, x, x')", "distance(f1, x, x')")),
        )
    ),
)
