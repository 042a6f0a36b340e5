"""is_pseudometric(f): the metric of f obeys its four axioms on the features of X (THEORY section 5)."""

from verifier.language.properties.property import Always, Every, Property

IS_PSEUDOMETRIC = Property(
    "is_pseudometric",
    lambda choices: (
        "the distances of {f} are zero on the diagonal, never negative, symmetric, and obey the triangle inequality"
    ),
    {"f": "classifier"},
    lambda choices: Every(
        (
            ("zero diagonal", Always(("x",), (), "distance(f, x, x) == 0")),
            ("non-negative", Always(("x", "x'"), (), "distance(f, x, x') >= 0")),
            ("symmetric", Always(("x", "x'"), (), "distance(f, x, x') == distance(f, x', x)")),
            (
                "triangle inequality",
                Always(("x", "x'", "x''"), (), "distance(f, x, x'') <= distance(f, x, x') + distance(f, x', x'')"),
            ),
        )
    ),
)
