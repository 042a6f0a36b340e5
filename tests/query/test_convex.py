"""Numbers without choices, and facts without: the same values, the same solutions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.engines.questions import Vector, question
from tests.model.expressions import expressions, points
from tests.model.test_symbolic import flat
from tests.query.test_piece import asked, neighbours
from verifier.kernel.circuit import Select
from verifier.model.program import PointValue
from verifier.query import closure
from verifier.query.convex import largest
from verifier.query.piece import senses
from verifier.query.plain import plain
from verifier.query.question import Question

F = Fraction
CUBE = "domain X { v: real^3 in [-1, 1], w: real^3 in [-1, 1] }"


def numeric(q: Question) -> int:
    """Choices of numbers among the facts."""
    _, real = senses(q.circuit, q.facts, ())
    return sum(isinstance(q.circuit[n], Select) for n in real)


@given(st.lists(expressions(1)["truth"], max_size=2), expressions(1)["number"], points(), points(), st.integers())
@settings(max_examples=60, deadline=None)
def test_what_is_written_out_is_the_same_number_and_has_the_same_solutions(
    facts: list[str], number: str, u: PointValue, w: PointValue, seed: int
) -> None:
    q = asked(facts, number)
    flatter = plain(q)
    forms = largest(q.circuit, q.numbers[0], len(q.variables))
    z: Vector = tuple(flat(u) + flat(w))
    assume(len(z) == len(q.variables))  # inputs that a fact makes equal are one
    for point in (z, *neighbours(q, z, seed)):
        assert flatter.solved_by(point) is q.solved_by(point)
        value = q.values(point)[q.numbers[0]]
        assert forms is None or forms.at(point) == value
        if forms is None:
            continue
        for than in (value - 1, value, value + F(1, 3)):
            for strict in (False, True):
                below = closure.below(q, forms, than, strict)
                extra = tuple(max(row.at(point), F(0)) for row in forms.tests)
                is_below = value < than if strict else value <= than
                assert below.solved_by((*point, *extra)) is (q.solved_by(point) and is_below)


@pytest.mark.parametrize(
    ("number", "rows", "tests"),
    [
        ("norminf(u.v - u.w)", 6, 0),
        ("norm1(u.v - u.w)", 1, 3),
        ("norm1(u.v) + norminf(u.w)", 3, 6),
        ("max(norm1(u.v), 2 * norminf(u.w), u.v[0])", 8, 3),
        ("relu(u.v[0] + relu(u.v[1]) - 1)", 3, 0),
        ("u.v[0] - u.w[2] / 3", 1, 0),
    ],
)
def test_norms_are_the_largest_of_few_forms(number: str, rows: int, tests: int) -> None:
    q = question(CUBE, ["u"], [], [number])
    forms = largest(q.circuit, q.numbers[0], len(q.variables))
    assert forms is not None and (len(forms.rows), len(forms.tests)) == (rows, tests)
    (below,) = closure.smaller(q, F(1, 2), True)
    assert numeric(below) == 0


@pytest.mark.parametrize("number", ["-abs(u.v[0])", "relu(u.v[0]) - relu(u.v[1])", "if u.v[0] >= 0 then 1 else 0"])
def test_what_is_no_largest_form_is_not_taken_for_one(number: str) -> None:
    q = question(CUBE, ["u"], [], [number])
    assert largest(q.circuit, q.numbers[0], len(q.variables)) is None


def test_margins_of_linear_scores_become_formulas_and_networks_stay_as_they_are() -> None:
    scores = "domain X { v: real^3 in [-1, 1] } labels { a, b, c } model f { features v = v  decide argmax(v) }"
    q = question(scores, ["u"], ["2 * margin(f, u) >= 1"])
    assert numeric(q) > 0 == numeric(plain(q))
    net = " + ".join(f"relu(u.v[0] - {k}/20 + relu(u.v[1] + {k}/30))" for k in range(12))
    q = question(scores, ["u"], [f"{net} >= 1"])
    assert plain(q) is q
