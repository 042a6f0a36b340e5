"""From trees to a program: what the names of a file stand for. What is said about mistakes: tests/test_mistakes.py."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.engines.questions import program
from verifier.api import Options, load_text
from verifier.model.interpret import Interpreter
from verifier.model.program import MetricUse, Program
from verifier.syntax import tree

F = Fraction


def constants(text: str) -> object:
    return program(text).constants


# constants


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/3 + 0.25", F(7, 12)),
        ("[1, [2, 3], 4]", (F(1), F(2), F(3), F(4))),
        ("[[1, 2], [3, 4]] * [1, 1]", (F(3), F(7))),
        ("relu([1, -1])", (F(1), F(0))),
        ("if 1 > 2 then 3 else 4", F(4)),
        ("max(1, [5, 2])", F(5)),
        ("1e-3", F(1, 1000)),
    ],
)
def test_a_constant_is_exact(text: str, value: object) -> None:
    assert constants(f"let z = {text}") == {"z": value}


def test_the_order_of_declarations_does_not_matter() -> None:
    lines = [
        "let a = f(b) + 1",
        "let b = 2 * c",
        "param c = 3 in [low, 4]",
        "let low = 1",
        "def f(v) = v / d",
        "let d = 5",
    ]
    expected = {"a": F(11, 5), "b": F(6), "c": F(3), "low": F(1), "d": F(5)}
    assert constants("\n".join(lines)) == expected
    assert constants("\n".join(reversed(lines))) == expected


def test_setting_a_param_changes_what_depends_on_it() -> None:
    loaded = load_text("let a = b + 1\nparam b = 2", options=Options(settings={"b": "1/2"}))
    assert loaded.diagnostics == ()
    assert loaded.program.constants == {"a": F(3, 2), "b": F(1, 2)}


def test_a_setting_may_use_the_constants_of_the_file() -> None:
    loaded = load_text("let a = 3\nparam b = 2", options=Options(settings={"b": "a * 2"}))
    assert loaded.program.constants["b"] == F(6)


# domains


def test_coordinates_have_their_sorts_and_bounds() -> None:
    found = program(
        "let n = 2\ndomain X { a: real, b: real in (0, n], v: real^n in [-1, 1), i: int in (0, 5/2), c: {r, s} }"
    )
    assert found.domain is not None
    a, b, v, i, c = found.domain.coordinates
    assert (a.kind, a.size, a.low, a.high) == ("real", None, None, None)
    assert (b.low, b.high, b.low_open, b.high_open) == (0, 2, True, False)
    assert (v.size, v.low, v.high, v.high_open) == (2, -1, 1, True)
    assert (i.kind, i.low, i.high, i.low_open, i.high_open) == ("int", 1, 2, False, False)
    assert (c.kind, c.members) == ("finite", ("r", "s"))


@pytest.mark.parametrize(
    ("text", "shown", "inside", "outside"),
    [
        ("real in [0, 1]", "[0, 1]", [0, F(1, 2), 1], [F(-1, 9), 2]),
        ("real in (0, 1]", "(0, 1]", [1], [0]),
        ("real in [0, 1)", "[0, 1)", [0], [1]),
        ("real in (-infinity, 1)", "(-infinity, 1)", [-99], [1]),
        ("real", "(-infinity, infinity)", [-99, 99], []),
        ("int in (0, 5/2)", "[1, 2]", [1, 2], [0, 3]),
    ],
)
def test_an_interval_holds_what_it_shows(text: str, shown: str, inside: list[int], outside: list[int]) -> None:
    found = program(f"domain X {{ a: {text} }}")
    assert found.domain is not None
    (a,) = found.domain.coordinates
    assert a.interval == shown
    assert all(a.holds(F(x)) for x in inside)
    assert not any(a.holds(F(x)) for x in outside)
    assert [Interpreter(found).inside({"a": F(x)}) for x in [*inside, *outside]] == [
        a.holds(F(x)) for x in [*inside, *outside]
    ]


# classifiers

SPACE = "domain X { a: real, v: real^2, c: {r, s} }\nlabels { no, yes }\n"


def features(text: str) -> list[tuple[str, int | None, tuple[str, ...]]]:
    found = program(f"{SPACE}oracle f {{ features {text}  metric linf }}").classifiers["f"]
    return [(f.name, f.size, f.members) for f in found.features]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", [("a", None, ()), ("v", 2, ()), ("c", None, ("r", "s"))]),
        ("all except v, c", [("a", None, ())]),
        ("h = a + v[0]", [("h", None, ())]),
        ("h = [a, v]", [("h", 3, ())]),
        ("h = c, w = onehot(c)", [("h", None, ("r", "s")), ("w", 2, ())]),
    ],
)
def test_features_have_the_shapes_of_their_values(text: str, expected: object) -> None:
    assert features(text) == expected


@pytest.mark.parametrize(
    ("metric", "scales"),
    [
        ("linf", (1, 1, 1, 1)),
        ("linf(scale: {a: 2})", (2, 1, 1, 1)),
        ("l1(weights: {v: 4})", (1, F(1, 4), F(1, 4), 1)),
        ("l1(scale: {v: [2, 3], c: 5})", (1, 2, 3, 5)),
        ("linf(scale: [2, 3, 4, 5])", (2, 3, 4, 5)),
        ("linf(weights: [2, 3, 4, 5])", (F(1, 2), F(1, 3), F(1, 4), F(1, 5))),
        ("linf(scale: 7)", (7, 7, 7, 7)),
        ("linf(scale: {a: 2}, weights: {a: 8})", (F(1, 4), 1, 1, 1)),
    ],
)
def test_a_scale_divides_and_a_weight_multiplies(metric: str, scales: tuple[Fraction, ...]) -> None:
    found = program(f"{SPACE}oracle f {{ features all  metric {metric} }}").classifiers["f"]
    assert isinstance(found.metric, MetricUse)
    assert found.metric.scales == scales


def test_a_metric_may_be_a_function_of_the_file() -> None:
    found = program(f"{SPACE}def d(u, w) = abs(u.a - w.a)\noracle f {{ features all  metric d }}").classifiers["f"]
    assert found.metric is not None
    assert (found.metric.parameters, found.metric.builtin) == (("u", "w"), "")


def test_an_oracle_may_have_no_decision() -> None:
    found = program(f"{SPACE}oracle f {{ features a = a  metric linf }}")
    assert found.classifiers["f"].decide is None
    assert Interpreter(found).label("f", {"a": F(0), "v": (F(0), F(0)), "c": "r"}) == ""


def test_a_point_is_exact_and_complete() -> None:
    found = program(f"{SPACE}let k = 1/3\npoint p = {{ c: s, v: [k, 2 * k], a: k - 1 }}")
    assert found.points["p"] == {"c": "s", "v": (F(1, 3), F(2, 3)), "a": F(-2, 3)}


# with mistakes


def broken(text: str) -> tuple[Program, list[str]]:
    loaded = load_text(text)
    loaded.worker.close()
    return loaded.program, [d.code for d in loaded.diagnostics]


def test_what_is_wrong_is_replaced_by_something_harmless() -> None:
    found, codes = broken(
        f"{SPACE}oracle f {{ features h = nonsense, a = a  metric nowhere  decide if h >= 0 then maybe else no }}\n"
        "model g { features a = a  decide if a >= 0 then yes else no }\nassert A: contained(g, f)\n"
    )
    assert codes == ["V201", "V201", "V203"]
    assert [f.name for f in found.classifiers["f"].features] == ["h", "a"]
    assert found.classifiers["f"].metric is None
    assert isinstance(found.classifiers["f"].decide, tree.Name)


@pytest.mark.parametrize(
    "text",
    [
        "let a = 1/0\nlet b = a\nlet c = b + a",
        "def f(v) = f(v)\nlet a = f(1)\ndef g(v) = f(v)\nlet b = g(2)",
        "domain X { a: real in [1, 0] }\nlabels { no, yes }\nmodel f { features a = a  decide yes }",
        "param a = 5 in [0, 1]\nlet b = a\nlet c = 1 / a",
        "domain X { a: real }\nlabels { no, yes }\npoint p = { a: b }\nmodel f { features a = a  decide yes }\n"
        "oracle g { features a = a  metric linf }\nassert A: robust_at(f, g, p, radius: 1)\nassert B: f(p) == yes",
    ],
)
def test_one_mistake_is_said_once_however_many_declarations_need_it(text: str) -> None:
    assert len(broken(text)[1]) == 1
