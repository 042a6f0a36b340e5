"""critical_radius(f1, f2): the least oracle distance of an adversarial pair (THEORY section 3)."""

from verifier.language.properties.property import Infimum, Measure, wheres

DIFFER = "f1(x) != f1(x')"

CRITICAL_RADIUS = Measure(
    "critical_radius",
    "the infimum of the oracle distances of adversarial pairs",
    {"f1": "classifier", "f2": "classifier"},
    lambda choices: Infimum(
        ("x", "x'"),
        "distance(f2, x, x')",
        ("f2(x) == f2(x')", DIFFER, *wheres(choices)),
        exchangeable="" if "where" in choices else DIFFER,
    ),
    options={"where": "formula", "where_both": "formula"},
)
