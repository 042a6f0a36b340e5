"""Solutions made pleasant, by z3 and by exact linear arithmetic in their piece."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engines.questions import posed
from tests.rationals import fractions
from verifier.engines import smt
from verifier.engines.case_search import Searcher
from verifier.engines.engine import Answer, Fails
from verifier.engines.polish import Neighbours, polish, simplest_below
from verifier.query.question import Question

Q = Fraction
PLANE = "domain X { a: real in [0, 1], b: real in [0, 1], n: int in [0, 9] }"


def brief(question: Question, seconds: float) -> Answer:
    return Searcher().brief(question, 200, True, seconds)


FINDERS = pytest.mark.parametrize("find", [smt.find, brief], ids=["z3", "cases"])


@FINDERS
@pytest.mark.parametrize(
    ("facts", "pleasant"),
    [
        (["3 * v.a == u.a", "u.a > 1/7"], {"u": ("1", "0", "0"), "v": ("1/3", "0", "0")}),  # two move together
        (["u.a + u.b == 1", "2/5 < u.a < 7/12", "v.b > u.b"], {"u": ("1/2", "1/2", "0"), "v": ("1/2", "1", "0")}),
        (["u.n + v.n == 7", "u.n >= 4", "v.n >= 3"], {"u": ("0", "0", "4"), "v": ("0", "0", "3")}),
        (["relu(u.a - 1/3) > 1/9", "relu(2/3 - v.a) > 1/9"], {"u": ("1", "0", "0"), "v": ("0", "0", "0")}),
    ],
)
def test_a_pleasant_pair_changes_little_and_has_short_numbers(
    find: Callable[[Question, float], Answer], facts: list[str], pleasant: dict[str, tuple[str, ...]]
) -> None:
    p = posed(PLANE, ["u", "v"], facts)
    answer = find(p.question, 20)
    assert isinstance(answer, Fails)
    points = p.read(answer.points[0])
    assert {name: tuple(str(points[name][c]) for c in "abn") for name in "uv"} == pleasant


@FINDERS
def test_a_pleasant_pair_has_large_margins(find: Callable[[Question, float], Answer]) -> None:
    p = posed(PLANE, ["u"], ["u.a > 1/7", "u.b == u.a"], ["relu(u.a - 1/7)"])
    question = replace(p.question, large=p.question.numbers, numbers=())
    answer = find(question, 20)
    assert isinstance(answer, Fails)
    assert answer.points[0][:2] == (Q(1), Q(1)) or question.values(answer.points[0])[question.large[0]] > Q(1, 2)


COMPARED = st.sampled_from(["u.a", "v.a", "u.b", "v.b", "relu(u.a - v.b)", "abs(u.b - v.a)", "u.n / 9", "v.n / 10"])
FACT = st.builds(
    lambda a, w, b, op, c: f"{a} + {w} * {b} {op} {c}",
    COMPARED,
    st.sampled_from(["1", "-1", "2", "-1/3"]),
    COMPARED,
    st.sampled_from([">", "<", "<=", "=="]),
    fractions(-1, 1, 7),
)


@settings(max_examples=150)
@given(st.lists(FACT, min_size=1, max_size=4), COMPARED)
def test_a_polished_solution_is_one_and_its_margin_is_no_smaller(facts: list[str], margin: str) -> None:
    p = posed(PLANE, ["u", "v"], facts, [margin])
    if p.impossible:
        return
    question = replace(p.question, large=p.question.numbers, numbers=())
    found = Searcher().brief(question, 60, False, 20)
    if not isinstance(found, Fails):
        return
    (point,) = found.points
    nicer = polish(question, point, Neighbours(question, point), question.solved_by)
    assert question.solved_by(nicer)
    for node in question.large:
        assert question.values(nicer)[node] >= simplest_below(question.values(point)[node])
