"""contained(f1, f2): the oracle's topology is finer (Theorem 1*); `of: decision` asks the decision (Theorem 3)."""

from verifier.language.properties.property import Choices, Contained, LocallyConstant, Pattern, Property


def pattern(choices: Choices) -> Pattern:
    if choices.get("of") == "decision":
        return LocallyConstant()
    return Contained("distance(f1, x, x')", "distance(f2, x, x')")


CONTAINED = Property(
    "contained",
    "whatever g1 tells apart, the oracle tells apart too",
    {"f1": "classifier", "f2": "classifier"},
    pattern,
    options={"of": "word"},
)
