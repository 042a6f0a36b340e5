"""The searches built on z3, on cases whose answers are known by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.engines.questions import holds, posed, program, question
from verifier.engines import smt
from verifier.engines.engine import Answer, Fails, Holds, Null, Unknown
from verifier.query.piece import piece_of
from verifier.query.pose import Posed, Poser
from verifier.verdict.decide import chain_of

F = Fraction
LINE = "domain X { a: real in [0, 1], b: real, n: int in [0, 5], c: {r, s, t} }"


# find


@pytest.mark.parametrize(
    "facts",
    [
        ["u.a > 1/3", "u.b < u.a", "u.n == 3", "u.c != r"],
        ["relu(u.b - 1) > relu(u.a)", "u.c == t or u.n >= 5"],
        ["not (u.a >= 1/2 <=> u.b >= 0)"],
        ["1/3 < u.a < 1/3 + 1/1000000"],
        ["3 * u.n + 7 * u.a == 10", "u.n != 1"],
    ],
)
def test_a_solution_solves(facts: list[str]) -> None:
    p = posed(LINE, ["u"], facts)
    answer = smt.find(p.question, 20)
    assert isinstance(answer, Fails)
    (vector,) = answer.points
    assert p.question.solved_by(vector)
    assert all(holds(p, fact, vector) for fact in facts)


@pytest.mark.parametrize(
    "facts",
    [
        ["u.a > 1"],
        ["u.n > 2", "u.n < 3"],
        ["2 * u.n == 5"],
        ["u.c != r", "u.c != s", "u.c != t"],
        ["abs(u.b) < 0"],
        ["u.b > 1", "relu(u.b) <= 1"],
        ["step(u.b) == 1", "u.b < 0"],
    ],
)
def test_no_solution_is_invented(facts: list[str]) -> None:
    assert smt.find(question(LINE, ["u"], facts), 20) == Holds(smt.NAME, smt.TRUSTS)


def test_a_pleasant_pair_changes_little_and_has_short_numbers() -> None:
    text = "domain X { a: real in [0, 1], b: real in [0, 1], n: int in [0, 9] }"
    p = posed(text, ["u", "v"], ["v.a - u.a > 1/7", "u.a > 1/9"])
    answer = smt.find(p.question, 20)
    assert isinstance(answer, Fails)
    points = p.read(answer.points[0])
    assert (points["u"]["b"], points["u"]["n"]) == (points["v"]["b"], points["v"]["n"])
    assert all(isinstance(x, Fraction) and x.denominator <= 20 for x in (points["u"]["a"], points["v"]["a"]))


# substantial: solutions of positive measure

SQUARE = "domain X { a: real in [0, 1], b: real in [0, 1], n: int in [0, 3] }"
SEGMENT = "domain X { a: real in [0, 1], b: real in [0, 1] } where a == b"


@pytest.mark.parametrize(
    ("text", "facts", "thick"),
    [
        (SQUARE, ["u.a > 1/2"], True),
        (SQUARE, ["u.a == 1/2"], False),
        (SQUARE, ["u.a == u.b"], False),
        (SQUARE, ["u.a >= u.b", "u.b >= u.a"], False),
        (SQUARE, ["u.a >= 1"], False),
        (SQUARE, ["u.n == 2"], True),
        (SQUARE, ["u.a == 1/2 or u.b > 999/1000"], True),
        (SQUARE, ["relu(u.a - 1/2) == 0"], True),
        (SQUARE, ["relu(u.a - 1/2) + relu(1/2 - u.a) == 0"], False),
        (SQUARE, ["u.n == 1 and u.a == 0 or u.n == 2 and u.a > u.b"], True),
        (SEGMENT, ["u.a > 1/2"], True),
        (SEGMENT, ["u.a == 1/2"], False),
        (SQUARE, ["u.a > 2"], False),
    ],
)
def test_thin_sets_of_solutions_do_not_count(text: str, facts: list[str], thick: bool) -> None:
    domain, p = question(text, ["u"], []), posed(text, ["u"], facts)
    answer: Answer = Holds("", ()) if p.impossible else smt.substantial(domain, p.question, 1, 20)
    assert isinstance(answer, Fails if thick else Holds | Null)
    if isinstance(answer, Fails):
        assert p.question.solved_by(answer.points[0])


@pytest.mark.parametrize(("facts", "thick"), [(["u.a < v.a"], True), (["u.a == v.a"], False), (["u.n != v.n"], True)])
def test_pairs_are_thick_in_twice_the_dimension(facts: list[str], thick: bool) -> None:
    domain = question(SQUARE, ["u"], [])
    p = posed(SQUARE, ["u", "v"], facts, ["0"])  # with a number, equal coordinates stay two
    assert isinstance(smt.substantial(domain, p.question, 2, 20), Fails if thick else Null)


def test_a_substantial_solution_lies_inside_of_its_piece() -> None:
    p = posed(SQUARE, ["u"], ["u.a >= 1/2", "u.b <= u.a"])
    answer = smt.substantial(question(SQUARE, ["u"], []), p.question, 1, 20)
    assert isinstance(answer, Fails)
    point = p.read(answer.points[0])["u"]
    a, b = point["a"], point["b"]
    assert isinstance(a, Fraction)
    assert isinstance(b, Fraction)
    assert F(1, 2) < a < 1
    assert 0 < b < a


# approach: limit witnesses (Theorem 1*, 1U)

UP = "def up(v) = clamp(v, 0, 1)\n"
SEAM = (
    UP
    + """
domain X { t: real in [0, 4) }
oracle g { features a = up(t) - up(t - 2), b = up(t - 1) - up(t - 3)  metric linf }
oracle f { features t = t  metric linf }
"""
)
SHEETS = """
domain X { i: int in [0, 1], t: real in (0, 1] }
oracle g { features t = t, it = if i == 1 then t else 0  metric linf }
oracle f { features i = i  metric linf }
"""
CUT = SEAM.replace("[0, 4)", "[0, 7/2]")


def approached(text: str, uniform: bool) -> tuple[Posed, Answer]:
    p = posed(text, ["x", "x'"], [], ["distance(g, x, x')", "distance(f, x, x')"])
    return p, smt.approach(p.question, () if uniform else p.share("x"), 30)


@pytest.mark.parametrize(("text", "uniform"), [(SEAM, False), (SEAM, True), (SHEETS, True)])
def test_a_limit_witness_comes_near_for_the_oracle_alone(text: str, uniform: bool) -> None:
    p, answer = approached(text, uniform)
    assert isinstance(answer, Fails)
    z, y = answer.points
    piece = piece_of(p.question, z)
    fine, coarse = piece.numbers
    assert p.question.solved_by(z)
    assert piece.closure_has(y)
    assert fine.at(y) == 0 < coarse.at(y)
    for s in (F(1), F(1, 2), F(1, 10**9)):
        between = tuple(b + s * (a - b) for a, b in zip(z, y, strict=True))
        assert p.question.solved_by(between)
        assert p.question.values(between)[p.question.numbers[0]] == s * fine.at(z)
    assert uniform or all(z[i] == y[i] for i in p.share("x"))


@pytest.mark.parametrize(("text", "uniform"), [(CUT, False), (CUT, True), (SHEETS, False)])
def test_no_limit_witness_is_invented(text: str, uniform: bool) -> None:
    assert isinstance(approached(text, uniform)[1], Holds)


# local: Theorem 3

FIGURES = {
    "a fat boundary": (
        """
domain X { x: real in [0, 2] }
labels { no, yes }
oracle f2 { features g = relu(x - 1)  metric linf }
model f1 { features g = relu(x - 1)  decide if g > 0 then yes else no }
""",
        True,
    ),
    "a line inside of a plane": (
        """
domain X { s: real in [0, 1], h: real in [0, 1] }
labels { no, yes }
oracle f2 { features s = s  metric linf }
model f1 { features s = s, h = h  decide if s == 1/2 and h >= 1/2 then yes else no }
""",
        False,
    ),
    "the same line, cut off at its end": (
        """
domain X { s: real in [0, 1], h: real in [1/2, 1] }
labels { no, yes }
oracle f2 { features s = s  metric linf }
model f1 { features s = s, h = h  decide if s == 1/2 and h >= 1/2 then yes else no }
""",
        True,
    ),
    "the seam": (
        UP
        + """
domain X { t: real in [0, 4) }
labels { no, yes }
oracle f2 { features a = up(t) - up(t - 2), b = up(t - 1) - up(t - 3)  metric linf }
model f1 { features t = t  decide if t >= 2 then yes else no }
""",
        False,
    ),
    "the seam with one label on both sides": (
        UP
        + """
domain X { t: real in [0, 4) }
labels { no, yes }
oracle f2 { features a = up(t) - up(t - 2), b = up(t - 1) - up(t - 3)  metric linf }
model f1 { features t = t  decide if 1 <= t and t < 3 then yes else no }
""",
        True,
    ),
    "an unnecessary feature": (
        """
domain X { s: real in [0, 1], h: real in [0, 1] }
labels { no, yes }
oracle f2 { features s = s  metric linf }
model f1 { features s = s, h = h  decide if h >= 1/2 then yes else no }
""",
        False,
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_decision_is_local_where_the_theory_says_so(name: str) -> None:
    text, local = FIGURES[name]
    poser, points = Poser(program(text)), ("x", "x'")
    flips, same = (poser.truth(chain_of(f, op), points) for f, op in (("f1", "!="), ("f2", "==")))
    x, x_ = poser.point("x"), poser.point("x'")
    fine, coarse = (poser.symbolic.distance(poser.program.classifiers[f], x, x_) for f in ("f2", "f1"))
    bad = poser.pose(points, [flips, same], numbers=[fine])
    own = poser.pose(points, [flips], numbers=[coarse])
    answer = smt.local(bad.question, own.question, bad.share("x"), 60)
    assert isinstance(answer, Holds if local else Fails)
    if isinstance(answer, Fails):
        z, y = answer.points
        assert bad.question.solved_by(z)
        assert piece_of(bad.question, z).closure_has(y)
        assert piece_of(bad.question, z).numbers[0].at(y) == 0


@pytest.mark.parametrize("search", [smt.find, smt.least])
def test_no_time_is_no_answer(search: object) -> None:
    p = question(LINE, ["u"], ["u.a > u.b"], ["u.a"])
    answer = search(p, 0.0)  # type: ignore[operator]
    assert isinstance(answer, Unknown)
