"""Exact volumes: known ones, a second algorithm, a Monte Carlo interval, and invariance."""

from __future__ import annotations

import time
from fractions import Fraction
from math import factorial, sqrt
from random import Random

import pytest

from verifier.engines.volume import OutOfTime, Polytope, Row, box, content, dot, whole

UNIT = (Fraction(0), Fraction(1))


def cut(polytope: Polytope, *rows: Row) -> Polytope:
    for row in rows:
        part = polytope.above(row)
        assert part is not None
        polytope = part
    return polytope


def lasserre(rows: list[tuple[Fraction, ...]], n: int) -> Fraction:
    """The volume of { a . x + b >= 0 } by Lasserre's recursion over facets: another algorithm, from the rows alone."""
    tightest: dict[tuple[Fraction, ...], Fraction] = {}
    for *a, b in rows:
        if not any(a):
            if b < 0:
                return Fraction(0)
            continue
        scale = next(abs(x) for x in a if x)
        key = tuple(x / scale for x in a)
        tightest[key] = min(b / scale, tightest.get(key, b / scale))
    kept = [(*key, b) for key, b in tightest.items()]
    if n == 1:
        low, high = max(-b / a for a, b in kept if a > 0), min(-b / a for a, b in kept if a < 0)
        return max(Fraction(0), high - low)
    total = Fraction(0)
    for i, row in enumerate(kept):
        j = next(k for k in range(n) if row[k])
        facet = []
        for other in kept[:i] + kept[i + 1 :]:
            factor = other[j] / row[j]
            moved = [x - factor * y for x, y in zip(other, row, strict=True)]
            facet.append((*moved[:j], *moved[j + 1 :]))
        if row[n]:
            total += row[n] / abs(row[j]) * lasserre(facet, n - 1)
    return total / n


def exact(polytope: Polytope) -> list[tuple[Fraction, ...]]:
    return [tuple(map(Fraction, row)) for row in polytope.rows]


@pytest.mark.parametrize("n", range(1, 7))
def test_simplices_and_cross_sections_of_the_cube(n: int) -> None:
    assert box([UNIT] * n).volume() == 1
    assert cut(box([UNIT] * n), (*[-1] * n, 1)).volume() == Fraction(1, factorial(n))
    ordered = [tuple(-1 if i == k else 1 if i == k + 1 else 0 for i in range(n + 1)) for k in range(n - 1)]
    assert cut(box([UNIT] * n), *ordered).volume() == Fraction(1, factorial(n))
    assert cut(box([(Fraction(-1), Fraction(1))] * n), *((*r[:-1], 0) for r in ordered)).volume() == Fraction(
        2**n, factorial(n)
    )


def test_a_point_has_volume_one() -> None:
    assert box([]).volume() == 1


@pytest.mark.parametrize("n", range(1, 5))
def test_cross_polytopes_are_very_degenerate(n: int) -> None:
    rows = [(*((1 if i >> k & 1 else -1) for k in range(n)), 1) for i in range(2**n)]
    assert cut(box([(Fraction(-1), Fraction(1))] * n), *rows).volume() == Fraction(2**n, factorial(n))


@pytest.mark.parametrize("seed", range(60))
def test_against_lasserre(seed: int) -> None:
    random = Random(seed)
    n = random.randint(1, 4)
    polytope = box([(Fraction(random.randint(-3, 0)), Fraction(random.randint(1, 3), random.randint(1, 2)))] * n)
    small = random.random() < 0.5  # small coefficients make degenerate vertices
    for _ in range(random.randint(1, 5 if n < 4 else 3)):
        reach = 1 if small else 9
        row = tuple(random.randint(-reach, reach) for _ in range(n + 1))
        parts = [p for p in polytope.split(row) if p is not None]
        volumes = [p.volume() for p in parts]
        assert sum(volumes) == polytope.volume()
        assert min(volumes) > 0
        for part, volume in zip(parts, volumes, strict=True):
            assert lasserre(exact(part), n) == volume
            assert all(dot(r, p) >= 0 for r in part.rows for p, _ in part.vertices)
            assert all(dot(r, (*whole([*part.centre(), Fraction(1)]),)) > 0 for r in part.rows)
        polytope = parts[0]


@pytest.mark.parametrize("seed", range(10))
def test_inside_a_monte_carlo_interval(seed: int) -> None:
    random = Random(seed)
    n = random.randint(2, 6)
    polytope = box([UNIT] * n)
    for _ in range(4):
        row = tuple(random.randint(-5, 5) for _ in range(n + 1))
        polytope = next(p for p in polytope.split(row) if p is not None)
    count = 20_000
    rows = polytope.rows
    hits = 0
    for _ in range(count):
        point = (*(random.random() for _ in range(n)), 1)
        hits += all(sum(a * x for a, x in zip(row, point, strict=True)) >= 0 for row in rows)
    volume = float(polytope.volume())
    assert abs(hits / count - volume) <= 5 * sqrt(max(volume * (1 - volume), 1 / count) / count)


@pytest.mark.parametrize("seed", range(10))
def test_a_linear_image_has_the_determinant_times_the_volume(seed: int) -> None:
    """Shears and swaps keep the volume, the order of the cuts does not matter."""
    random = Random(seed)
    n = random.randint(2, 4)
    rows = [(*(random.randint(-3, 3) for _ in range(n)), random.randint(4, 9)) for _ in range(4)]
    wide = box([(Fraction(-9), Fraction(9))] * n)
    i, j = random.sample(range(n), 2)

    def shear(row: Row) -> Row:
        return tuple(a + 2 * row[j] if k == i else a for k, a in enumerate(row))

    sides = list(wide.rows)
    huge = box([(Fraction(-90), Fraction(90))] * n)
    here = cut(huge, *sides, *rows)
    there = cut(huge, *map(shear, sides), *map(shear, rows))
    random.shuffle(rows)
    assert here.volume() == there.volume() == cut(huge, *rows, *sides).volume()


def test_a_cut_that_only_touches_leaves_nothing() -> None:
    square = box([UNIT, UNIT])
    assert square.split((1, 1, 0)) == (square, None)
    assert square.split((-1, 0, 0)) == (None, square)
    assert square.above((1, 1, -2)) is None


def test_the_deadline_is_kept() -> None:
    with pytest.raises(OutOfTime):
        box([UNIT] * 8).volume(time.monotonic() - 1)


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_near_pairs_of_the_cube(p: int) -> None:
    """{|x_i - x'_i| <= r} in the cube: (2r - r^2)^p; half of them flip the order of two coordinates with their own."""
    r = Fraction(1, 10)
    pairs = box([UNIT] * (2 * p))
    for i in range(p):
        for sign in (1, -1):
            row = [Fraction(0)] * (2 * p) + [r]
            row[i], row[p + i] = Fraction(sign), Fraction(-sign)
            pairs = cut(pairs, whole(row))
    assert pairs.volume() == (2 * r - r * r) ** p


@pytest.mark.parametrize("seed", range(20))
def test_a_triangulation_has_the_volume(seed: int) -> None:
    """Cuts through corners make it degenerate: the simplices that are left still have all of the volume."""
    random = Random(seed)
    n = random.randint(0, 4)
    polytope = box([UNIT] * n)
    for _ in range(random.randint(0, 4)):
        row = (*(random.randint(-1, 1) for _ in range(n)), random.choice((0, 0, 1)))
        polytope = next(p for p in polytope.split(row) if p is not None)
    assert sum(map(content, polytope.simplices()), Fraction(0)) == polytope.volume()
