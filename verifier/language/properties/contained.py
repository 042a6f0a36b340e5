"""contained(f1, f2): the oracle's topology is finer (Theorem 1*); `of: decision` asks the decision (Theorem 3)."""

from verifier.language.properties.property import Choices, Contained, LocallyConstant, Pattern, Property


def pattern(choices: Choices) -> Pattern:
    if choices.get("of") == "decision":
        return LocallyConstant()
    return Contained("distance(f1, x, x')", "distance(f2, x, x')")


def words(choices: Choices) -> str:
    if choices.get("of") == "decision":
        return (
            "off its own boundary, {f1} keeps its label at all points that are near enough for {f2} and labelled alike "
            "by it"
        )
    return "around every point, what is near enough for {f2} is as near as one likes for {f1}"


CONTAINED = Property(
    "contained",
    words,
    {"f1": "classifier", "f2": "classifier"},
    pattern,
    options={"of": "word"},
)
