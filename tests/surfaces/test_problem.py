"""The language from Python."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from msgspec.structs import replace

from verifier.api import Options, load, load_text
from verifier.surfaces.problem import Invalid, Problem, exact, finite, integer, interval, real
from verifier.verdict.verdict import Checked, FileResult


def halfspace() -> Problem:
    problem = Problem()
    problem.domain("X", size=real(0, 1), hue=real(0, 1), n=integer(0, 3), c=finite("r", "s"), where="size <= 9/10")
    problem.labels("small", "big")
    problem.define("tilt", Fraction(1, 10))
    problem.oracle("f2", {"s": "size"}, metric="linf", decide="if s >= 1/2 then big else small")
    problem.model("f1", features={"s": "size", "h": "hue"}, decide="if s + tilt * h >= 1/2 then big else small")
    problem.point("p", size=Decimal("0.25"), hue=0, n=3, c="r")
    problem.claim("A", "contained(f1, f2)", expect="refuted")
    problem.claim("B", "robust_at(f1, f2, p, radius: 1/10)")
    return problem.compute("R", "critical_radius(f1, f2)")


def untimed(checked: Checked) -> object:
    """The verdict; how long the kernel took for its certificates is left out."""
    held = getattr(checked.verdict, "certificates", None)
    return checked.verdict if held is None else replace(checked.verdict, certificates=[c.proof for c in held])


def answers(result: FileResult) -> list[object]:
    return [*((a.name, untimed(a)) for a in result), *((c.name, c.value, c.attained, c.pair) for c in result.computed)]


def test_a_problem_is_checked() -> None:
    result = halfspace().check()
    assert result.exit_code == 0
    pair = result["A"].pair
    assert pair is not None
    assert isinstance(pair.x["size"], Fraction)


def test_the_text_of_a_problem_is_a_file_with_the_same_answers(tmp_path: Path) -> None:
    problem = halfspace()
    (tmp_path / "problem.vf").write_text(problem.text)
    loaded = load(tmp_path / "problem.vf")
    assert loaded.diagnostics == ()
    assert answers(loaded.check()) == answers(problem.check()) == answers(load_text(problem.text).check())


def test_options_reach_a_problem() -> None:
    assert [a.name for a in halfspace().check(Options(only=frozenset({"B"})))] == ["B"]


def test_mistakes_are_raised_with_their_lines_and_fixes() -> None:
    problem = halfspace().claim("C", "containd(f1, f2)").claim("D", "factors(f1, f3)")
    with pytest.raises(Invalid) as raised:
        problem.check()
    first, second = str(raised.value).splitlines()
    lines = problem.text.splitlines()
    line = lines.index("assert C: containd(f1, f2)") + 1
    assert first == f"line {line}: There is no property called `containd`. Did you mean `contained`?"
    assert second.startswith(f"line {lines.index('assert D: factors(f1, f3)') + 1}: `f3` is not a model or an oracle.")


# numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (-3, "-3"),
        (Fraction(1, 3), "(1/3)"),
        (Fraction(4, 2), "2"),
        (Fraction(-1, 3), "(-1/3)"),
        (Decimal("0.1"), "(1/10)"),
        ("gap + 1", "gap + 1"),
        ([1, "0.5"], "[1, 0.5]"),
        (((1, 2), (3, Fraction(1, 4))), "[[1, 2], [3, (1/4)]]"),
    ],
)
def test_exact_numbers_are_written_exactly(value: object, text: str) -> None:
    assert exact(value) == text


@pytest.mark.parametrize(("value", "hint"), [(0.1, 'write "0.1", Fraction("0.1")'), (-2.5, 'Fraction("-2.5")')])
def test_a_float_is_refused_with_a_hint(value: float, hint: str) -> None:
    with pytest.raises(TypeError) as raised:
        exact([1, value])
    assert hint in str(raised.value)
    assert str(Fraction(value)) in str(raised.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, None, {1: 2}, object(), Decimal("NaN"), b"1"])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="a number is needed here"):
        exact(value)


def test_floats_are_refused_wherever_numbers_go() -> None:
    for call in (
        lambda p: p.define("z", 0.5),
        lambda p: p.point("q", size=0.5),
        lambda p: p.domain("Y", a=real(0.5, 1)),
        lambda p: p.oracle("g", {"s": 0.5}),
        lambda p: p.model("g", features={"s": 0.5}, decide="big"),
    ):
        with pytest.raises(TypeError, match="is a float"):
            call(Problem())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (real(), "real"),
        (real(0, 1), "real in [0, 1]"),
        (real(size=2), "real^2"),
        (real(Fraction(1, 2), None, open_low=True), "real in ((1/2), infinity)"),
        (real(None, 1, open_high=True), "real in (-infinity, 1)"),
        (integer(0, 9), "int in [0, 9]"),
        (finite("a", "b"), "{a, b}"),
        (interval(None, None), "(-infinity, infinity)"),
    ],
)
def test_sorts_are_written_in_the_language(text: str, expected: str) -> None:
    assert text == expected
    if not text.startswith("("):
        assert Problem().domain("X", a=text).load().diagnostics == ()


# live estimators


def test_a_fitted_estimator_is_verified_where_it_is() -> None:
    pytest.importorskip("sklearn")
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    points = np.array([[0.0, 0.0], [0.25, 1.0], [0.75, 0.0], [1.0, 1.0]])
    estimator = LogisticRegression().fit(points, np.array([0, 0, 1, 1]))
    problem = Problem()
    problem.domain("X", a=real(0, 1), b=real(0, 1)).labels("no", "yes")
    problem.oracle("f2", {"a": "a"}, decide="if a >= 1/2 then yes else no")
    problem.model("f1", estimator, inputs=["a", "b"])
    problem.claim("A", "contained(f1, f2)", expect="refuted")
    problem.claim("B", "f1({ a: 1, b: 0 }) == yes and f1({ a: 0, b: 1 }) == no")
    result = problem.check()
    assert result.exit_code == 0
    pair = result["A"].pair
    assert pair is not None
    for name in ("x", "x'"):
        a, b = (float(pair.points[name][k]) for k in ("a", "b"))  # type: ignore[arg-type]
        (exactly,) = [s.labels[list(pair.points).index(name)] for s in pair.seen if s.classifier == "f1"]
        assert ("no", "yes")[int(estimator.predict(np.array([[a, b]]))[0])] == exactly


def test_an_estimator_that_cannot_be_read_exactly_is_refused() -> None:
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression

    from verifier.importers import ImportFailed

    with pytest.raises(ImportFailed):
        Problem().model("f1", LogisticRegression())  # not fitted
