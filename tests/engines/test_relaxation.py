"""Which bounds linear programs are asked for."""

from __future__ import annotations

import numpy as np

from verifier.engines.relaxation import INF, Sides


def sides(low: list[float], high: list[float], worth: float = 0.1) -> Sides:
    return Sides([*range(len(low))], np.array(low), np.array(high), worth)


def test_the_next_side_is_the_one_that_the_last_point_is_nearest_to() -> None:
    """By shares of the ranges: 0.3 of 1 is less than 4 of 10."""
    asked = sides([0.0, -5.0], [1.0, 5.0])
    assert asked.next() == 0
    asked.seen(np.array([0.3, 1.0]))  # 0.3 from the lower side of the first, 0.4 from the upper one of the second
    assert asked.next() == 2
    asked.seen(np.array([0.5, 1.0]))
    assert asked.next() == 1
    asked.seen(np.array([0.5, -1.0]))
    assert asked.next() == 3
    assert asked.next() is None


def test_sides_that_a_point_came_near_to_are_not_asked_for_unless_they_might_decide_a_relu() -> None:
    asked = sides([1.0, -9.5], [11.0, 0.5])
    asked.seen(np.array([10.5, -0.2]))  # within a tenth of both upper sides; the second may be below 0
    assert [asked.next() for _ in range(4)] == [1, 3, 2, None]


def test_columns_that_are_fixed_or_know_no_side_are_left_out() -> None:
    asked = sides([2.0, -INF, 0.0], [2.0, INF, 1.0])
    assert {asked.next(), asked.next()} == {2, 5}
    assert asked.next() is None


def test_a_bound_is_better_when_it_takes_off_a_share_or_decides() -> None:
    asked = sides([-10.0], [0.5])
    assert asked.better(0, -0.6) and asked.better(0, -0.01)
    assert not asked.better(0, 0.2)
    assert not asked.better(1, 9.5) and asked.better(1, 8.0)
