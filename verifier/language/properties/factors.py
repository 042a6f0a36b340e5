"""factors(f1, f2): no adversarial pair at oracle distance zero (Theorem 3). The question of individual fairness."""

from verifier.language.properties.property import Always, Property, conditions, wheres

FACTORS = Property(
    "factors",
    lambda choices: (
        "any two points x, x' at distance 0 for {f2} and labelled alike by it get one label from {f1}"
        + conditions(choices)
    ),
    {"f1": "classifier", "f2": "classifier"},
    lambda choices: Always(
        ("x", "x'"),
        ("distance(f2, x, x') <= 0", "f2(x) == f2(x')", *wheres(choices)),
        "f1(x) == f1(x')",
        distinct=("x", "x'"),
        exchangeable="where" not in choices,
    ),
    options={"where": "formula", "where_both": "formula"},
)
