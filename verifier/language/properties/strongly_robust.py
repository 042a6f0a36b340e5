"""strongly_robust(f1, f2, radius): no adversarial pair within the radius (THEORY section 3); with `eta`, few (4)."""

from verifier.language.properties.property import (
    Always,
    Choices,
    Likely,
    Pattern,
    Property,
    conditions,
    on,
    wheres,
    within,
)


def pattern(choices: Choices) -> Pattern:
    if "eta" in choices:
        return Likely("probability")
    near = "distance(f2, x, x') <= radius" if on(choices, "closed") else "distance(f2, x, x') < radius"
    return Always(
        ("x", "x'"),
        (near, "f2(x) == f2(x')", *wheres(choices)),
        "f1(x) == f1(x')",
        distinct=("x", "x'"),
        almost=on(choices, "almost"),
        exchangeable="where" not in choices,
    )


def words(choices: Choices) -> str:
    who = f"two points x, x' {within(choices)} apart for {{f2}} and labelled alike by it"
    if "eta" in choices:
        drawn = "{over}" if "over" in choices else "uniform(X)"
        return (
            f"{who}, drawn independently from {drawn}, get one label from {{f1}} with a probability of more than "
            f"1 - {{eta}}{conditions(choices)}"
        )
    return f"any {who} get one label from {{f1}}{conditions(choices)}"


STRONGLY_ROBUST = Property(
    "strongly_robust",
    words,
    {"f1": "classifier", "f2": "classifier"},
    pattern,
    options={
        "radius": "number",
        "where": "formula",
        "where_both": "formula",
        "closed": "flag",
        "almost": "flag",
        "eta": "number",
        "over": "pairs",
    },
    required=("radius",),
)
