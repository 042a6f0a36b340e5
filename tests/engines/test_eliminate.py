"""Shadows of polyhedra: by hand, and at random against a solver."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import pytest
import z3

from verifier.engines.eliminate import Empty, Half, half, shadow, tidy
from verifier.query.piece import Row

F = Fraction


def side(*numbers: int | Fraction, strict: bool = False) -> Half:
    """weights, then the constant."""
    weights = tuple((i, F(w)) for i, w in enumerate(numbers[:-1]) if w)
    return half(Row(weights, F(numbers[-1])), strict)


def everything(sides: Sequence[Half]) -> list[Half]:
    return list(sides)


def test_a_side_has_coprime_integers() -> None:
    assert side(F(1, 2), F(-3, 4), F(5, 4)).row == Row(((0, F(2)), (1, F(-3))), F(5))
    assert side(0, 0, F(-7, 3)).row == Row((), F(-1))


def test_of_parallel_sides_the_tightest_is_kept() -> None:
    assert tidy([side(1, 0), side(2, -1), side(3, -1, strict=True)]) == [side(2, -1)]
    assert tidy([side(2, -1), side(4, -2, strict=True)]) == [side(2, -1, strict=True)]
    assert tidy([side(4, -2, strict=True), side(2, -1)]) == [side(2, -1, strict=True)]
    assert tidy([side(1, 0), side(-1, 1)]) == [side(1, 0), side(-1, 1)]


def test_what_cannot_hold_is_found() -> None:
    for wrong in (side(0, -1), side(0, 0, strict=True)):
        with pytest.raises(Empty):
            tidy([wrong])
    assert tidy([side(0, 0), side(0, 1, strict=True)]) == []


def test_the_shadow_of_a_triangle() -> None:
    """0 <= y <= x, x + y < 2: the longest y is at x = 1, and x itself ends before 2."""
    triangle = [side(0, 1, 0), side(1, -1, 0), side(-1, -1, 2, strict=True)]
    assert set(shadow(triangle, {1}, everything)) == {side(1, 0), side(-1, 2, strict=True)}


def test_strict_against_weak_is_strict() -> None:
    """x < y <= 1 - x leaves no y at x = 1/2; x <= y <= 1 - x leaves one."""
    open_ = [side(-1, 1, 0, strict=True), side(-1, -1, 1)]
    assert shadow(open_, {1}, everything) == [side(-2, 1, strict=True)]
    assert shadow([side(-1, 1, 0), side(-1, -1, 1)], {1}, everything) == [side(-2, 1)]


def test_an_equation_is_put_in() -> None:
    """y = 2x and y <= 1, y > 0."""
    sides = [side(2, -1, 0), side(-2, 1, 0), side(0, -1, 1), side(0, 1, 0, strict=True)]
    assert set(shadow(sides, {1}, everything)) == {side(-2, 1), side(1, 0, strict=True)}


def test_without_a_bound_nothing_is_left() -> None:
    assert shadow([side(1, 1, 0)], {1}, everything) == []


def test_contradicting_sides_have_no_shadow() -> None:
    with pytest.raises(Empty):
        shadow([side(0, 1, -1), side(0, -1, 0)], {1}, everything)


@pytest.mark.parametrize("seed", range(40))
def test_a_point_is_in_the_shadow_iff_something_is_over_it(seed: int) -> None:
    rng = random.Random(seed)
    size, gone = rng.choice([(2, 1), (3, 1), (3, 2), (4, 2)])
    sides = [
        side(*(rng.randint(-2, 2) for _ in range(size + 1)), strict=rng.random() < 0.4)
        for _ in range(rng.randint(2, 7))
    ]
    try:
        found = shadow(sides, range(size - gone, size), everything)
    except Empty:
        found = [side(*[0] * size, -1)]
    assert all(i < size - gone for h in found for i, _ in h.row.weights)
    grid = [F(k, 2) for k in range(-4, 5)]
    for place in rng.sample(list(product(grid, repeat=size - gone)), k=min(9, len(grid) ** (size - gone))):
        over = [z3.RealVal(str(x)) for x in place] + [z3.Real(f"y{i}") for i in range(gone)]
        solver = z3.Solver()
        for h in sides:
            value = z3.Sum([z3.RealVal(str(w)) * over[i] for i, w in h.row.weights] + [z3.RealVal(str(h.row.constant))])
            solver.add(value > 0 if h.strict else value >= 0)
        assert all(h.holds(place) for h in found) == (solver.check() == z3.sat)
