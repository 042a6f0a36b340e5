"""HiGHS guesses, rationals decide: points satisfy, weights refute, and the simplex method says the same."""

from __future__ import annotations

from fractions import Fraction as Q
from random import Random

import pytest
from hypothesis import given, settings

from tests.canonical.test_simplex import Side, possible, problems
from verifier.canonical import simplex
from verifier.canonical.simplex import Conflict, Inequality, Solution
from verifier.engines import linear_program
from verifier.engines.linear_program import Optimum, settled, solve


def checked(found: Solution | Conflict, rows: list[Inequality], low: list[Side], high: list[Side]) -> bool:
    """What is found holds; whether it is a solution."""
    match found:
        case Solution(point):
            values = [sum((w * point[i] for i, w in row.terms.items()), row.constant) for row in rows]
            assert all(v > 0 or (v == 0 and not row.strict) for v, row in zip(values, rows, strict=True))
            assert all(a is None or a <= x for a, x in zip(low, point, strict=True))
            assert all(b is None or x <= b for b, x in zip(high, point, strict=True))
            return True
        case Conflict(weights):
            assert weights and all(w > 0 for w in weights.values())
            most = sum((w * rows[k].constant for k, w in weights.items()), Q(0))
            for i, (a, b) in enumerate(zip(low, high, strict=True)):
                slope = sum((w * rows[k].terms.get(i, Q(0)) for k, w in weights.items()), Q(0))
                side = b if slope > 0 else a
                assert not slope or side is not None
                most += slope * (side or Q(0))
            assert most < 0 or (most == 0 and any(rows[k].strict for k in weights))
            return False


@settings(deadline=None, max_examples=60)
@given(problems())
def test_what_floats_guess_and_rationals_confirm_is_right(
    problem: tuple[list[Inequality], list[Side], list[Side]],
) -> None:
    rows, low, high = problem
    if not rows or any(a is not None and b is not None and a > b for a, b in zip(low, high, strict=True)):
        return
    found = settled(rows, low, high)
    assert found is None or checked(found, rows, low, high) is possible(rows, low, high)


def tight(seed: int, strict: bool, gap: Q = Q(0)) -> tuple[list[Inequality], list[Side], list[Side]]:
    """40 inequalities of 30 numbers that all are 0 at one point; one more says that a sum of them is at most `gap`."""
    random = Random(seed)
    point = [Q(random.randint(-9, 9), 10) for _ in range(30)]
    rows = []
    for _ in range(40):
        terms = {i: Q(random.randint(-16, 16), 7) for i in range(30)}
        rows.append(Inequality(terms, -sum((w * point[i] for i, w in terms.items()), Q(0))))
    weights = [Q(random.randint(1, 9), random.randint(1, 9)) for _ in rows]
    terms = {i: -sum((w * row.terms[i] for w, row in zip(weights, rows, strict=True)), Q(0)) for i in range(30)}
    constant = -sum((w * row.constant for w, row in zip(weights, rows, strict=True)), Q(0))
    return [*rows, Inequality(terms, constant + gap, strict)], [Q(-1)] * 30, [Q(1)] * 30


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("strict", "gap", "right"),
    [(True, Q(0), False), (False, Q(-1, 10**12), False), (True, Q(1, 10**12), True), (False, Q(1), True)],
)
def test_contradictions_without_slack_are_found_among_many(seed: int, strict: bool, gap: Q, right: bool) -> None:
    rows, low, high = tight(seed, strict, gap)
    assert len(rows) * len(low) >= linear_program.LARGE
    assert checked(solve(rows, low, high), rows, low, high) is right


def test_an_optimum_is_a_point_and_weights_that_meet() -> None:
    rows = [Inequality({0: Q(-1), 1: Q(-2)}, Q(2)), Inequality({0: Q(-3), 1: Q(-1)}, Q(3))]
    best = Optimum({0: Q(1), 1: Q(1)}, rows, [Q(0), Q(0)], [None, None])
    assert best.attained and best.point == (Q(4, 5), Q(3, 5)) and best.bound == (Q(7, 5), {0: Q(2, 5), 1: Q(1, 5)})


def test_a_wrong_guess_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Inequality({0: Q(-1), 1: Q(-2)}, Q(2)), Inequality({0: Q(-3), 1: Q(-1)}, Q(3))]
    for sides, active in (
        ([None, None], [0]),  # not a corner
        ([None, Q(0)], [0]),  # (2, 0) is outside
        ([None, Q(0)], [1]),  # (1, 0) is a corner, and another one is better
        ([None, Q(7)], [0]),  # beyond
        ([Q(0), Q(0)], []),
    ):
        monkeypatch.setattr(linear_program, "basis", lambda *_, found=(sides, active): found)
        best = Optimum({0: Q(1), 1: Q(1)}, rows, [Q(0), Q(0)], [None, None])
        assert not best.attained
        if best.bound is not None:
            assert best.bound[0] >= Q(7, 5)


@pytest.mark.parametrize("size", [Q(10**18), Q(1, 10**18)])
def test_weights_that_floats_refuse_are_scaled(size: Q) -> None:
    rows, low, high = tight(0, True)
    large = [Inequality({i: size * w for i, w in r.terms.items()}, size * r.constant, r.strict) for r in rows]
    found = settled(large, low, high)
    assert found is not None and checked(found, large, low, high) is False


def test_without_a_guess_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_program, "basis", lambda *_: None)
    rows, low, high = tight(0, True)
    assert settled(rows, low, high) is None
    assert checked(solve(rows, low, high), rows, low, high) is False


def test_small_problems_are_left_to_the_simplex_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_program, "settled", lambda *_: pytest.fail("floats are not worth it"))
    rows = [Inequality({0: Q(1)}, Q(-1, 3), True)]
    assert solve(rows, [Q(0)], [Q(1)]) == simplex.solve(rows, [Q(0)], [Q(1)])
