"""robust_at(f1, f2, p, radius): no adversarial pair (p, x') within the radius; `agree: false` drops the oracle's
label; with `eta`, few points x' (THEORY section 4)."""

from verifier.language.properties.property import Always, Choices, Likely, Pattern, Property, on


def pattern(choices: Choices) -> Pattern:
    if "eta" in choices:
        return Likely("probability")
    near = "distance(f2, p, x') <= radius" if on(choices, "closed") else "distance(f2, p, x') < radius"
    agree = () if choices.get("agree") == "false" else ("f2(p) == f2(x')",)
    return Always(("x'",), (near, *agree), "f1(p) == f1(x')", distinct=("p", "x'"), almost=on(choices, "almost"))


ROBUST_AT = Property(
    "robust_at",
    "around the point p, f1 does not change where the oracle does not",
    {"f1": "classifier", "f2": "classifier", "p": "point"},
    pattern,
    options={
        "radius": "number",
        "closed": "flag",
        "agree": "flag",
        "almost": "flag",
        "eta": "number",
        "over": "distribution",
    },
    required=("radius",),
)
