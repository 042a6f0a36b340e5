"""The exact quadratic programme: known minima, and random ones against enumeration of faces."""

from __future__ import annotations

import itertools
import time
from fractions import Fraction
from random import Random

import pytest

from verifier.canonical.linalg import null_space, rref
from verifier.canonical.quadratic import Line, dot, minimise, value

F = Fraction


def line(constant: int | Fraction, *slope: int | Fraction) -> Line:
    return Line(tuple(F(s) for s in slope), F(constant))


def least(squares: list[tuple[Fraction, Line]], rows: list[Line], *start: int | Fraction) -> Fraction:
    found = minimise(squares, rows, tuple(F(s) for s in start), time.monotonic() + 60)
    assert found is not None and all(r.at(found) >= 0 for r in rows)
    return value(squares, found)


NORM = [(F(1), line(0, 1, 0)), (F(1), line(0, 0, 1))]


def test_by_hand() -> None:
    assert least(NORM, [line(-1, 1, 1)], 5, 5) == F(1, 2)
    assert least(NORM, [line(-3, 1, 0), line(-4, 0, 1)], 9, 7) == 25
    assert least(NORM, [], 9, 7) == 0
    assert least(NORM, [line(-1, 1, 1), line(1, -1, -1)], 1, 0) == F(1, 2)
    assert least([(F(2), line(0, 1, 1))], [line(-3, 1, 0)], 9, 7) == 0
    assert least([], [line(-3, 1, 0)], 9, 7) == 0
    assert minimise([(F(1), line(2))], [], (), 0.0) == ()


def test_degenerate_corners_and_repeated_rows() -> None:
    rows = [
        line(-3, 1, 0),
        line(-4, 0, 1),
        line(-7, 1, 1),
        line(-10, 2, 1),
        line(-6, 2, 0),
        line(-3, 1, 0),
        line(-11, 1, 2),
    ]
    assert least(NORM, rows, 3, 4) == least(NORM, rows, 30, 4) == 25


def test_out_of_time_is_none() -> None:
    assert minimise(NORM, [line(-1, 1, 1)], (F(5), F(5)), time.monotonic() - 1) is None


def by_faces(squares: list[tuple[Fraction, Line]], rows: list[Line], width: int) -> Fraction:
    """The least value over all faces of those stationary points that are feasible."""
    best: Fraction | None = None
    for size in range(width + 1):
        for chosen in itertools.combinations(rows, size):
            if chosen and len(rref([r.slope for r in chosen])[1]) < size:
                continue
            # stationarity on the face: unknowns x and multipliers
            system = []
            for i in range(width):
                left = [sum((2 * w * f.slope[i] * f.slope[j] for w, f in squares), F(0)) for j in range(width)]
                right = -sum((2 * w * f.slope[i] * f.constant for w, f in squares), F(0))
                system.append([*left, *(-r.slope[i] for r in chosen), right])
            system += [[*r.slope, *[F(0)] * size, -r.constant] for r in chosen]
            reduced, pivots = rref(system)
            if width + size in pivots:
                continue
            point = [F(0)] * (width + size)
            for row, pivot in zip(reduced, pivots, strict=True):
                point[pivot] = row[-1]
            x = point[:width]
            if all(r.at(x) >= 0 for r in rows):
                now = value(squares, x)
                best = now if best is None else min(best, now)
    assert best is not None
    return best


@pytest.mark.parametrize("seed", range(60))
def test_random_boxes_with_cuts(seed: int) -> None:
    rng = Random(seed)
    width = rng.randint(1, 3)
    start = [F(rng.randint(-3, 3)) for _ in range(width)]
    rows = [line(4, *(int(i == j) * s for j in range(width))) for i in range(width) for s in (1, -1)]
    for _ in range(rng.randint(0, 4)):
        slope = [F(rng.randint(-2, 2)) for _ in range(width)]
        rows.append(Line(tuple(slope), -dot(slope, start) + rng.choice([0, 0, 1, 2])))
    squares = [
        (F(rng.randint(1, 3)), line(rng.randint(-6, 6), *(rng.randint(-2, 2) for _ in range(width))))
        for _ in range(width + rng.randint(0, 1))
    ]
    rows = [r for r in rows if any(r.slope)]
    found = least(squares, rows, *start)
    if not null_space([f.slope for _, f in squares], width):  # else a stationary point may be chosen infeasible
        assert found == by_faces(squares, rows, width)
    for _ in range(20):
        x = [F(rng.randint(-8, 8), 2) for _ in range(width)]
        assert value(squares, x) >= found or any(r.at(x) < 0 for r in rows)
