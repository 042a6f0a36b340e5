"""Suprema by cases: against z3's, with their proofs, and on networks that are too much for z3."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.questions import certified, posed
from tests.model.expressions import expression, expressions, program
from verifier.engines import searches, smt_measures
from verifier.engines.engine import Answer, Most, Unknown
from verifier.query import closure
from verifier.query.closure import Beyond
from verifier.query.piece import piece_of
from verifier.query.pose import Poser
from verifier.query.question import Question
from verifier.verdict.measures.supremum import at

F = Fraction
LINE = "domain X { a: real in [0, 1], b: real, n: int in [0, 5], c: {r, s, t} }"
Find = Callable[[Question, float], Answer]


def greatest(question: Question, seconds: float) -> Answer:
    return searches.greatest_cases(question, 1000, seconds)


def steepest(question: Question, seconds: float) -> Answer:
    return searches.steepest_cases(question, 1000, seconds)


@pytest.mark.parametrize(
    ("facts", "of", "value", "attained"),
    [
        (["u.a <= 3/4"], "u.a", F(3, 4), True),
        (["u.a < 3/4"], "u.a", F(3, 4), False),
        (["u.a < 3/4", "u.n <= 2"], "u.a + u.n", F(11, 4), False),
        (["u.b < 1", "u.b > -2"], "abs(u.b)", F(2), False),
        (["u.b < 1", "u.b >= -2"], "abs(u.b)", F(2), True),
        (["u.n < 3"], "u.n", F(2), True),
        (["u.a < 1"], "if u.a >= 1/2 then 0 else u.a", F(1, 2), False),
        (["u.c != t"], "code(u.c)", F(1), True),
        (["u.a <= 0"], "u.a", F(0), True),
        (["u.b >= 1"], "abs(u.b)", None, None),
        (["u.a > 1"], "u.a", None, None),
    ],
)
def test_a_supremum_is_exact_and_it_is_known_whether_it_is_attained(
    facts: list[str], of: str, value: Fraction | None, attained: bool | None
) -> None:
    p = posed(LINE, ["u"], facts, [of])
    found = greatest(p.question, 20)
    if value is None:  # it has no end, or there is nothing: z3 says so
        assert isinstance(found, Unknown)
        return
    assert isinstance(found, Most) and (found.value, found.attained) == (value, attained)
    certified(p.question, found, closure.greater)


PROGRAM = program()


def compared(q: Question, found: Answer, other: Answer, beyond: Beyond) -> None:
    if not isinstance(found, Most):
        return
    certified(q, found, beyond)
    assert isinstance(other, Unknown) or (found.value, found.attained) == (other.value, other.attained)  # type: ignore[union-attr]
    z, *places = found.points
    assert q.solved_by(z)
    values = [q.values(z)[n] for n in q.numbers]
    run = values[1] if len(values) > 1 else F(1)
    assert found.value is not None
    assert (values[0] == found.value * run and run > 0) is found.attained
    for place in places:
        piece = piece_of(q, z)
        ends = [at(row, place) for row in (*piece.weak, *piece.strict)]
        assert min(ends, default=F(0)) >= 0 and place[-1] >= 0
        below = at(piece.numbers[1], place) if len(values) > 1 else place[-1]
        assert below > 0 and at(piece.numbers[0], place) == found.value * below


@settings(max_examples=60, deadline=None)
@given(st.lists(expressions(1)["truth"], min_size=1, max_size=2), expressions(1)["number"])
def test_cases_and_z3_find_the_same_supremum(facts: list[str], number: str) -> None:
    poser = Poser(PROGRAM)
    truths = [poser.truth(expression(f), ["u", "w"]) for f in facts]
    size = poser.number(expression(f"abs({number})"), ["u", "w"])
    q = poser.pose(["u", "w"], truths, [size]).question
    compared(q, greatest(q, 20), smt_measures.greatest(q, 20), closure.greater)


@settings(max_examples=60, deadline=None)
@given(st.lists(expressions(1)["truth"], max_size=1), expressions(1)["number"], expressions(1)["number"])
def test_cases_and_z3_find_the_same_quotient(facts: list[str], rise: str, run: str) -> None:
    poser = Poser(PROGRAM)
    truths = [poser.truth(expression(f), ["u", "w"]) for f in facts]
    sizes = [poser.number(expression(f"abs({n})"), ["u", "w"]) for n in (rise, run)]
    q = poser.pose(["u", "w"], truths, sizes).question
    compared(q, steepest(q, 20), smt_measures.steepest(q, 20), closure.steeper)


@pytest.mark.parametrize("seed", range(4))
def test_the_modulus_of_a_network_is_found_by_cases_and_certified(seed: int) -> None:
    """Sixteen relus, which take z3 many seconds. No pair among many is farther apart."""
    random = Random(seed)

    def weighted(terms: list[str]) -> str:
        return " + ".join(f"({random.randint(-8, 8)}/4) * {term}" for term in [*terms, "1"])

    hidden = [f"relu({weighted(['u.x[0]', 'u.x[1]'])})" for _ in range(4)]
    score = weighted([f"relu({weighted(hidden)})" for _ in range(4)])
    near = [f"abs(u.x[{i}] - v.x[{i}]) <= 1/8" for i in (0, 1)]
    p = posed("domain X { x: real^2 in [-1, 1] }", ["u", "v"], near, [f"abs({score} - ({score.replace('u.', 'v.')}))"])
    found = greatest(p.question, 20)
    assert isinstance(found, Most) and found.value is not None
    certified(p.question, found, closure.greater)
    assert p.question.values(found.points[0])[p.question.numbers[0]] == found.value
    generator = np.random.default_rng(seed)
    first = generator.integers(-48, 49, (2000, 2))
    for pair in np.hstack([first, first + generator.choice([-8, 8], (2000, 2))]).tolist():
        assert p.question.values(tuple(F(x, 64) for x in pair))[p.question.numbers[0]] <= found.value
