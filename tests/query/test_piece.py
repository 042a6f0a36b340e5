"""The piece of a point: the affine world that it lives in."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.engines.questions import Vector, question
from tests.model.expressions import expression, expressions, points, program
from tests.model.test_symbolic import flat
from verifier.model.program import PointValue
from verifier.query.piece import Piece, Row, piece_of, senses
from verifier.query.pose import Poser
from verifier.query.question import Question

F = Fraction
PROGRAM = program()


def asked(facts: Sequence[str], number: str) -> Question:
    poser = Poser(PROGRAM)
    names = ["u", "w"]
    truths = [poser.truth(expression(f), names) for f in facts]
    return poser.pose_only(names, truths, [poser.number(expression(number), names)]).question


def has(piece: Piece, point: Vector) -> bool:
    return all(r.at(point) >= 0 for r in piece.weak) and all(r.at(point) > 0 for r in piece.strict)


def neighbours(question: Question, point: Vector, seed: int) -> list[Vector]:
    """Points near and far, whole where they must be."""
    random = Random(seed)
    found = []
    for reach in (F(1, 1000), F(1, 16), F(1, 2), F(2)):
        for _ in range(6):
            found.append(
                tuple(
                    x + random.choice([-1, 0, 0, 1])
                    if v.integer
                    else x + reach * random.choice([0, F(random.randint(-8, 8), 8)])
                    for x, v in zip(point, question.variables, strict=True)
                )
            )
    return found


@given(st.lists(expressions(1)["truth"], max_size=2), expressions(1)["number"], points(), points(), st.integers())
@settings(max_examples=200, deadline=None)
def test_on_its_piece_a_point_sees_affine_numbers_and_the_same_truths(
    facts: list[str], number: str, u: PointValue, w: PointValue, seed: int
) -> None:
    q = asked(facts, number)
    z = tuple(flat(u) + flat(w))
    assume(len(z) == len(q.variables))  # inputs that a fact makes equal are one
    piece = piece_of(q, z)
    assert has(piece, z)
    assert piece.closure_has(z)
    assert piece.numbers[0].at(z) == q.values(z)[q.numbers[0]]
    truths = [q.values(z)[f] >= 0 for f in q.facts]
    for other in neighbours(q, z, seed):
        if has(piece, other):
            assert piece.numbers[0].at(other) == q.values(other)[q.numbers[0]]
            assert [q.values(other)[f] >= 0 for f in q.facts] == truths


@given(expressions(1)["number"], points(), points(), st.integers())
@settings(max_examples=200, deadline=None)
def test_a_point_of_the_closure_is_reached_through_the_piece(
    number: str, u: PointValue, w: PointValue, seed: int
) -> None:
    q = asked([], number)
    z = tuple(flat(u) + flat(w))
    piece = piece_of(q, z)
    limits = [y for y in neighbours(q, z, seed) if piece.closure_has(y)]
    assume(limits)
    for y in limits:
        for s in (F(1), F(1, 3), F(1, 1000)):
            assert has(piece, tuple(b + s * (a - b) for a, b in zip(z, y, strict=True)))


def test_a_strict_side_belongs_to_the_closure_only() -> None:
    q = question("domain X { a: real in [0, 2] }", ["u"], ["u.a < 1"], ["u.a"])
    piece = piece_of(q, (F(1, 2),))
    assert len(piece.strict) == 1
    assert not has(piece, (F(1),))
    assert piece.closure_has((F(1),))
    assert not piece.closure_has((F(3, 2),))


def test_the_box_is_part_of_every_piece() -> None:
    piece = piece_of(question("domain X { a: real in [0, 2], b: real }", ["u"], [], ["u.b"]), (F(1), F(9)))
    assert piece.closure_has((F(2), F(-100)))
    assert not piece.closure_has((F(-1), F(0)))
    assert not piece.closure_has((F(3), F(0)))


def test_tests_off_the_way_do_not_cut_the_piece() -> None:
    number = "if u.a >= 0 then u.a else (if u.b >= 0 then 1 else 2)"
    q = question("domain X { a: real, b: real }", ["u"], [], [number])
    right, left = piece_of(q, (F(1), F(1))), piece_of(q, (F(-1), F(1)))
    assert right.closure_has((F(1), F(-5)))
    assert not left.closure_has((F(-1), F(-5)))


@pytest.mark.parametrize(("a", "expected"), [(F(1), (F(2), F(0))), (F(-1), (F(0), F(0))), (F(0), (F(2), F(0)))])
def test_a_relu_has_two_pieces_and_zero_belongs_to_the_upper_one(a: Fraction, expected: tuple[Fraction, ...]) -> None:
    q = question("domain X { a: real }", ["u"], [], ["2 * relu(u.a)"])
    (row,) = piece_of(q, (a,)).numbers
    assert (sum((w for _, w in row.weights), F(0)), row.constant) == expected


def test_rows_are_affine_forms() -> None:
    row = Row(((0, F(2)), (2, F(-1))), F(3))
    assert row.at((F(1), F(100), F(4))) == 1
    assert row.minus().at((F(1), F(100), F(4))) == -1
    assert row.minus().minus() == row


def test_senses_tell_formulas_from_numbers() -> None:
    q = question("domain X { a: real, b: real }", ["u"], ["relu(u.a) >= 1 or u.b < 0"], ["abs(u.b)"])
    true, real = senses(q.circuit, q.facts, q.numbers)
    assert set(q.facts) <= true
    assert set(q.numbers) <= real
    assert true | real == set(range(len(q.circuit)))
    only, numbers = senses(q.circuit, (), q.numbers)
    assert set(q.facts).isdisjoint(only | numbers)
    assert senses(q.circuit, (), ()) == (set(), set())
