"""accurate(f1, f2), also written `f1 == f2`: the two agree on every point of X."""

from verifier.language.properties.property import Always, Property, conditions, on

ACCURATE = Property(
    "accurate",
    lambda choices: "{f1} and {f2} give every point the same label" + conditions(choices),
    {"f1": "classifier", "f2": "classifier"},
    lambda choices: Always(("x",), (), "f1(x) == f2(x)", almost=on(choices, "almost")),
    options={"almost": "flag"},
)
