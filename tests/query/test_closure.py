"""Closures and extremes as plain questions: what the kernel is asked about is what the theorems speak of."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.engines.questions import Vector, posed, question
from tests.model.expressions import expressions, points
from tests.model.test_symbolic import flat
from tests.query.test_piece import asked, neighbours
from tests.rationals import fractions
from verifier.engines import smt
from verifier.engines.case_search import Searcher
from verifier.engines.engine import Fails, Holds
from verifier.kernel.circuit import Affine
from verifier.kernel.proof import check
from verifier.model.program import PointValue
from verifier.query import closure
from verifier.query.piece import Row, piece_of
from verifier.query.question import Question

F = Fraction
JUMP = "domain X { a: real in [0, 2], n: int in [0, 3] }"


def join(z: Vector, y: Vector, q: Question, shared: tuple[int, ...] = ()) -> Vector:
    """The point of the closure's question that z and y are."""
    return (*z, *(b for i, (b, v) in enumerate(zip(y, q.variables, strict=True)) if not v.integer and i not in shared))


def pair(q: Question, z: Vector, y: Vector) -> bool:
    return closure.closure(q).solved_by(join(z, y, q))


@given(st.lists(expressions(1)["truth"], max_size=2), expressions(1)["number"], points(), points(), st.integers())
@settings(max_examples=150, deadline=None)
def test_the_closure_holds_only_limits_of_a_piece_and_its_numbers_there(
    facts: list[str], number: str, u: PointValue, w: PointValue, seed: int
) -> None:
    q = asked(facts, number)
    z = tuple(flat(u) + flat(w))
    assume(len(z) == len(q.variables))  # inputs that a fact makes equal are one
    if not q.solved_by(z):
        return
    piece, both = piece_of(q, z), closure.closure(q)
    assert pair(q, z, z)
    for y in neighbours(q, z, seed):
        y = tuple(a if v.integer else b for a, b, v in zip(z, y, q.variables, strict=True))
        point = join(z, y, q)
        if both.solved_by(point):
            assert piece.closure_has(y)
            assert both.values(point)[both.numbers[0]] == piece.numbers[0].at(y)
            assert closure.apart(q, (), point) == (z, y)


@given(expressions(1)["number"], points(), points(), points(), points())
@settings(max_examples=80, deadline=None)
def test_the_closure_has_the_limits_that_z3_has(
    number: str, u: PointValue, w: PointValue, v: PointValue, t: PointValue
) -> None:
    import z3

    q = asked([], number)
    z, y = tuple(flat(u) + flat(w)), tuple(flat(v) + flat(t))
    y = tuple(a if x.integer else b for a, b, x in zip(z, y, q.variables, strict=True))
    actual = smt.Encoding(q, "z")
    shadow = smt.Encoding(q, "y", like=actual)
    solver = smt.new_solver([*actual.constraints, *shadow.constraints])
    for encoding, values in ((actual, z), (shadow, y)):
        for x, value in zip(encoding.variables, values, strict=True):
            solver.add(x == (int(value) if x.is_int() else smt.number(value)))
    assert (solver.check() == z3.sat) is (q.solved_by(z) and pair(q, z, y))


@pytest.mark.parametrize(
    ("number", "z", "y", "inside"),
    [
        ("if u.a < 1 then 0 else u.a", (F(1, 2), F(0)), (F(1), F(0)), True),
        ("if u.a < 1 then 0 else u.a", (F(1), F(0)), (F(1, 2), F(0)), False),
        ("if u.a < 1 then 0 else u.a", (F(1, 2), F(0)), (F(3, 2), F(0)), False),
        ("if u.n < 1 then 0 else u.a", (F(1), F(2)), (F(0), F(2)), True),
        ("relu(u.a - 1)", (F(2), F(0)), (F(1), F(0)), True),
        ("relu(u.a - 1)", (F(2), F(0)), (F(0), F(0)), False),
    ],
)
def test_a_strict_side_is_reached_and_another_piece_is_not(number: str, z: Vector, y: Vector, inside: bool) -> None:
    q = question(JUMP, ["u"], [], [number])
    assert pair(q, z, y) is inside


def test_only_real_inputs_that_are_not_shared_move() -> None:
    q = question(JUMP, ["u", "w"], [], ["abs(u.a - w.a)"])
    assert len(closure.closure(q).variables) == 6
    assert len(closure.closure(q, (0, 1)).variables) == 5
    z = (F(0), F(1), F(1), F(2))
    assert closure.apart(q, (0, 1), (*z, F(1, 2))) == (z, (F(0), F(1), F(1, 2), F(2)))


# what has no solution


def refuted(q: Question) -> bool:
    """The kernel accepts a certificate that there is no solution; or there is one."""
    answer = Searcher().case_search(q, 30)
    if isinstance(answer, Fails):
        assert q.solved_by(answer.points[0])
        return False
    assert isinstance(answer, Holds) and answer.proof is not None
    assert answer.proof[0] == q.empty
    assert check(*answer.proof).trusts == ()
    return True


@pytest.mark.parametrize(
    ("value", "attained", "right"), [(F(1), True, True), (F(1), False, False), (F(3, 2), True, False)]
)
def test_nothing_is_smaller_than_an_infimum(value: Fraction, attained: bool, right: bool) -> None:
    q = question(JUMP, ["u"], ["u.a >= 1"], ["u.a"])
    (below,) = closure.smaller(q, value, attained)
    assert refuted(below) is right


def test_an_infimum_that_is_not_attained_is_no_value() -> None:
    q = question(JUMP, ["u"], ["u.a > 1"], ["u.a"])
    assert [refuted(b) for value in (F(1), F(5, 4)) for b in closure.smaller(q, value, False)] == [True, False]
    assert closure.smaller(q, None, False) == (q,)


def test_nothing_is_greater_than_a_supremum() -> None:
    q = question(JUMP, ["u"], ["u.a < 1"], ["u.a"])
    (least,), (most,) = closure.greater(q, F(1), False), closure.greater(q, F(3, 4), True)
    assert (refuted(least), refuted(most)) == (True, False)
    assert closure.greater(q, None, False) == ()


def test_what_is_left_over_is_found_in_the_closure() -> None:
    q = question(JUMP, ["u", "w"], ["u.a == 0"], ["if w.a > 0 then w.a + 1 else 0", "abs(u.a - w.a)"])
    assert [refuted(b) for v in (F(1), F(1, 2)) for b in closure.left_over(q, v, False)] == [True, False]


def test_a_slope_is_not_passed() -> None:
    q = question(JUMP, ["u", "w"], [], ["2 * abs(u.a - w.a)", "abs(u.a - w.a)"])
    assert [refuted(b) for b in closure.steeper(q, F(2), True)] == [True]
    assert [refuted(b) for b in closure.steeper(q, F(2), False)] == [True, False]
    assert [refuted(b) for b in closure.steeper(q, F(1), True)] == [False]


def test_a_jump_is_torn_only_where_the_first_point_may_move() -> None:
    text = "domain X { a: real in (0, 1] }"
    numbers = ["abs(u.a - w.a)", "abs(step(u.a - 1/2) - step(w.a - 1/2))"]
    q = question(text, ["u", "w"], [], numbers)
    assert not refuted(closure.torn(q, (0,)))
    q = question(text, ["u", "w"], ["u.a != 1/2", "w.a != 1/2"], numbers)
    assert refuted(closure.torn(q, (0,)))
    assert not refuted(closure.torn(q, ()))


def test_off_the_flats_there_is_nothing() -> None:
    q = question(JUMP, ["u"], ["u.a == 1 or u.a == u.n"])
    first, second = Row(((0, F(1)),), F(-1)), Row(((0, F(1)), (1, F(-1))), F(0))
    assert refuted(closure.off(q, [(first,), (second,)]))
    assert not refuted(closure.off(q, [(first,)]))
    assert not refuted(closure.off(q, [(first, second)]))
    assert refuted(closure.off(q, [()]))


def test_given_inputs_are_given() -> None:
    q = closure.fixed(question(JUMP, ["u"], ["u.a > 1"]), {0: F(1)})
    assert not q.solved_by((F(3, 2), F(0)))
    assert refuted(q)


@given(
    st.lists(fractions(-3, 3, 6).filter(bool), min_size=1, max_size=3),
    fractions(-3, 3, 6),
    fractions(-4, 4, 12),
    st.booleans(),
)
def test_a_sum_of_whole_numbers_is_below_a_bound_by_a_step(
    weights: list[Fraction], constant: Fraction, bound: Fraction, strict: bool
) -> None:
    sides = ", ".join(f"n{i}: int in [-40, 40]" for i in range(len(weights)))
    q = question(f"domain X {{ {sides}, a: real in [0, 1] }}", ["u"], [])
    row = Row(tuple(enumerate(weights)), constant)
    found = closure.step(q, row, bound, strict)
    assert found is not None and (found < bound or (found == bound and not strict))
    for numbers in product(range(-6, 7), repeat=len(weights)):
        value = row.at(tuple(map(Fraction, numbers)))
        assert value <= found or not (value < bound or (value == bound and not strict))
    real = Row((*row.weights, (len(weights), Fraction(1))), constant)
    assert closure.step(q, real, bound, strict) is None


def test_the_radius_over_whole_numbers_is_proved_by_equal_points() -> None:
    """Nothing but equal points is nearer than 1."""
    score = "relu(u.n - 2 * u.m) - relu(u.m - 3) + relu(u.n + u.m - 7) - 2"
    facts = [f"{score} >= 1/2", f"{score.replace('u.', 'v.')} <= -1/2"]
    number = ["max(abs(u.n - v.n), abs(u.m - v.m))"]
    q = posed("domain X { n: int in [0, 20], m: int in [0, 20] }", ["u", "v"], facts, number).question
    (nearer,) = closure.smaller(q, Fraction(1), True)
    found = Searcher().case_search(nearer, 20)
    assert isinstance(found, Holds) and found.proof is not None and check(*found.proof).trusts == ()
    equal = [nearer.circuit[n] for n in nearer.facts if isinstance(nearer.circuit[n], Affine)]
    assert all(not node.constant for node in equal if len(node.terms) == 1)
