"""min_distance(f1, f2, p): the least oracle distance from p to an adversarial point (THEORY section 3)."""

from verifier.language.properties.property import Infimum, Measure

OF_ROWS = Measure(
    "min_distance",
    "the least of the minimal distances of the rows of a data set",
    {"f1": "classifier", "f2": "classifier", "D": "data"},
    None,
    options={"agree": "flag"},
)

MIN_DISTANCE = Measure(
    "min_distance",
    "the infimum of the oracle distances from p to the points that f1 labels otherwise",
    {"f1": "classifier", "f2": "classifier", "p": "point"},
    lambda choices: Infimum(
        ("x'",),
        "distance(f2, p, x')",
        ("f1(p) != f1(x')", *(() if choices.get("agree") == "false" else ("f2(p) == f2(x')",))),
    ),
    options={"agree": "flag"},
    others=(OF_ROWS,),
)
