"""strongly_robust(f1, f2, radius): no adversarial pair within the radius (THEORY section 3); with `eta`, few (4)."""

from verifier.language.properties.property import Always, Choices, Likely, Pattern, Property, on, wheres


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
    )


STRONGLY_ROBUST = Property(
    "strongly_robust",
    "no two points that are near and alike for the oracle are told apart by f1",
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
