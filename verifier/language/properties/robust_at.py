"""robust_at(f1, f2, p, radius): no adversarial pair (p, x') within the radius; `agree: false` drops the oracle's
label; with `eta`, few points x' (THEORY section 4)."""

from verifier.language.properties.property import (
    Always,
    Choices,
    Likely,
    Pattern,
    Property,
    conditions,
    on,
    within,
)


def pattern(choices: Choices) -> Pattern:
    if "eta" in choices:
        return Likely("probability")
    near = "distance(f2, p, x') <= radius" if on(choices, "closed") else "distance(f2, p, x') < radius"
    agree = () if choices.get("agree") == "false" else ("f2(p) == f2(x')",)
    return Always(("x'",), (near, *agree), "f1(p) == f1(x')", distinct=("p", "x'"), almost=on(choices, "almost"))


def words(choices: Choices) -> str:
    alike = "" if choices.get("agree") == "false" else " and labelled like {p} by it"
    who = f"point x' {within(choices)} away from {{p}} for {{f2}}{alike}"
    if "eta" in choices:
        drawn = "drawn from {over}" if "over" in choices else "drawn from uniform(X)"
        return f"a {who}, {drawn}, gets the label of {{p}} from {{f1}} with a probability of more than 1 - {{eta}}"
    return f"every {who} gets the label of {{p}} from {{f1}}{conditions(choices)}"


ROBUST_AT = Property(
    "robust_at",
    words,
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
