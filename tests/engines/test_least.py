"""Least values, by z3 and by cases, on questions whose answers are known by hand, and each against the other."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.questions import certified, holds, posed
from tests.model.expressions import expression, expressions, program
from verifier.engines import searches, smt
from verifier.engines.engine import Answer, Least, Unknown
from verifier.engines.peak import bared, least_peak
from verifier.query import closure
from verifier.query.convex import largest
from verifier.query.piece import piece_of
from verifier.query.pose import Poser
from verifier.query.question import Question

F = Fraction
LINE = "domain X { a: real in [0, 1], b: real, n: int in [0, 5], c: {r, s, t} }"


def cases(question: Question, seconds: float) -> Answer:
    return searches.least_cases(question, 1000, seconds)


def leaps(question: Question, seconds: float) -> Answer:
    """By halves, as long as there are solutions."""
    forms = largest(question.circuit, question.numbers[0], len(question.variables))
    if forms is None:
        return Unknown("the number is not convex")

    def search(asked: Question, left: float, _: object) -> Answer:
        return searches.searcher.brief(asked, 1000, False, left)

    return least_peak(question, bared(question), forms, search, seconds, F(1, 2))


LEASTS = pytest.mark.parametrize("find", [smt.least, cases, leaps], ids=["z3", "cases", "leaps"])


@pytest.mark.parametrize(
    ("facts", "of", "value", "attained"),
    [
        (["u.a >= 1/4"], "u.a", F(1, 4), True),
        (["u.a > 1/4"], "u.a", F(1, 4), False),
        (["u.a > 1/4", "u.n >= 1"], "u.a + u.n", F(5, 4), False),
        (["u.b > 0"], "abs(u.b - 1) + u.a", F(0), True),
        (["u.b < -1 or u.b > 2"], "abs(u.b)", F(1), False),
        (["u.b <= -3/2 or u.b > 1"], "abs(u.b)", F(1), False),
        (["u.b <= -1 or u.b > 1"], "abs(u.b)", F(1), True),
        (["u.n > 2"], "u.n", F(3), True),
        (["u.a > 0"], "if u.a >= 1/2 then 0 else u.a", F(0), True),
        (["u.a > 0", "u.a < 1/2"], "if u.a >= 1/2 then -1 else u.a", F(0), False),
        (["u.c != r"], "code(u.c)", F(1), True),
        (["u.a + u.b > 3", "u.b <= 2"], "u.a", F(1), None),
        (["u.a > 1"], "u.a", None, None),
    ],
)
@LEASTS
def test_an_infimum_is_exact_and_it_is_known_whether_it_is_attained(
    find: Callable[[Question, float], Answer], facts: list[str], of: str, value: Fraction | None, attained: bool | None
) -> None:
    p = posed(LINE, ["u"], facts, [of])
    if p.impossible:
        assert value is None
        return
    answer = find(p.question, 20)
    if find is not smt.least and "if" in of:
        assert isinstance(answer, Unknown)  # no largest of affine forms
        return
    assert isinstance(answer, Least)
    if find is not smt.least:
        certified(p.question, answer, closure.smaller)
    else:
        assert not answer.proofs
    if attained is None:
        assert (answer.value, answer.points) == (None, ())
        return
    assert (answer.value, answer.attained) == (value, attained)
    z, *limit = answer.points
    number = p.question.numbers[0]
    assert p.question.solved_by(z)
    assert all(holds(p, fact, z) for fact in facts)
    if attained:
        assert p.question.values(z)[number] == value
    else:
        piece = piece_of(p.question, z)
        assert piece.closure_has(limit[0])
        assert piece.numbers[0].at(limit[0]) == value
        assert p.question.values(z)[number] > F(value or 0)


def test_nothing_is_the_infimum_of_nothing() -> None:
    p = posed(LINE, ["u"], ["u.b > u.a", "u.a >= u.b"], ["u.a"])
    assert smt.least(p.question, 20) == Least(smt.NAME, None, False, (), smt.TRUSTS)
    found = cases(p.question, 20)
    assert isinstance(found, Least) and found.value is None
    certified(p.question, found, closure.smaller)


PROGRAM = program()


@settings(max_examples=60, deadline=None)
@given(st.lists(expressions(1)["truth"], min_size=1, max_size=2), expressions(1)["number"])
def test_cases_and_z3_find_the_same_infimum(facts: list[str], number: str) -> None:
    poser = Poser(PROGRAM)
    truths = [poser.truth(expression(f), ["u", "w"]) for f in facts]
    p = poser.pose(["u", "w"], truths, [poser.number(expression(number), ["u", "w"])])
    found = cases(p.question, 20)
    if not isinstance(found, Least):
        return
    certified(p.question, found, closure.smaller)
    other = smt.least(p.question, 20)
    assert isinstance(other, Unknown) or (found.value, found.attained) == (other.value, other.attained)
    if found.value is None:
        return
    z, *limit = found.points
    assert p.question.solved_by(z)
    assert (p.question.values(z)[p.question.numbers[0]] == found.value) is found.attained
    if limit:
        piece = piece_of(p.question, z)
        assert piece.closure_has(limit[0]) and piece.numbers[0].at(limit[0]) == found.value


@pytest.mark.parametrize("seed", [1, 2, 3, 5, 6, 11])
def test_the_radius_of_a_network_is_found_by_cases_and_certified(seed: int) -> None:
    """Sixteen relus, which would take z3 seconds. No pair among many is nearer."""
    random = Random(seed)

    def weighted(terms: list[str]) -> str:
        return " + ".join(f"({random.randint(-8, 8)}/4) * {term}" for term in [*terms, "1"])

    hidden = [f"relu({weighted(['u.x[0]', 'u.x[1]'])})" for _ in range(4)]
    deep = [f"relu({weighted(hidden)})" for _ in range(4)]
    score = weighted(deep)
    apart = "max(abs(u.x[0] - v.x[0]), abs(u.x[1] - v.x[1]))"
    facts = [f"{score} >= 1/4", f"{score.replace('u.', 'v.')} <= -1/4"]
    p = posed("domain X { x: real^2 in [-1, 1] }", ["u", "v"], facts, [apart])
    found = cases(p.question, 20)
    assert isinstance(found, Least) and dict(found.work)["branches"] > 1
    certified(p.question, found, closure.smaller)
    points = np.random.default_rng(seed).integers(-64, 65, (3000, 4)) / 64
    for point in points:
        exact = tuple(map(F, point.tolist()))
        if found.value is None or max(abs(exact[0] - exact[2]), abs(exact[1] - exact[3])) < found.value:
            assert not p.question.solved_by(exact)
