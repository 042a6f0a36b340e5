"""Exact volumes of bounded rational polytopes, which are made by cutting a box.

A polytope is kept by its vertices. Row number k is perturbed by e_k, e_1 >> e_2 >> ... > 0 infinitesimal, so every
vertex is simple: it is the one point of its n tight rows, and the two ends of an edge share n - 1 of them. A cut then
costs a table look-up an edge, redundant rows never show up, and no linear program is ever solved: a side of a cut has
an inside iff some vertex lies strictly on it. The perturbation is symbolic: points and volumes are those of the limit.

The volume is Lawrence's sum over the vertices v, with c . x not constant on any edge (J. Lawrence, *Polytope volume
computation*, Math. Comp. 57, 1991):

    vol { x : A x >= b } = (-1)^n / n! * sum_v (c . v)^n / (|det A_v| * prod_i gamma_i),   A_v^T gamma = c.

Its terms depend continuously on b, so the limit of the perturbed sum is the volume however degenerate the polytope is.
The sum cancels massively: it needs exact arithmetic, and has it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import factorial, gcd, lcm, prod
from operator import mul
from random import Random
from typing import Any

from msgspec import Struct

Row = tuple[int, ...]
"""a_1, ..., a_n, b of the half-space a . x + b >= 0."""

Point = tuple[int, ...]
"""x_1, ..., x_n, d of the point x / d; d > 0."""


class OutOfTime(Exception):
    """The deadline passed."""


def whole(numbers: Sequence[Fraction]) -> Row:
    """The coprime integers in the same ratio."""
    common = lcm(*(x.denominator for x in numbers))
    integers = [int(x * common) for x in numbers]
    divisor = gcd(*integers) or 1
    return tuple(x // divisor for x in integers)


def dot(row: Sequence[int], point: Sequence[int]) -> int:
    """The value of the row at the point, times the point's (positive) denominator."""
    return sum(map(mul, row, point))


class Polytope(Struct, frozen=True):
    """A bounded polytope with an inside. `vertices`: each with the set of its tight rows, as the bits of an integer."""

    size: int
    rows: tuple[Row, ...]
    vertices: tuple[tuple[Point, int], ...]

    def split(self, row: Row) -> tuple[Polytope | None, Polytope | None]:
        """The parts where the row is >= 0 and <= 0; None for a part without an inside."""
        values = [dot(row, point) for point, _ in self.vertices]
        if min(values) >= 0:
            return self, None
        if max(values) <= 0:
            return None, self
        here: list[tuple[Point, int, int]] = []
        there: list[tuple[Point, int, int]] = []
        for (point, tight), value in zip(self.vertices, values, strict=True):
            above = value > 0 if value else self._leans(row, tight)
            (here if above else there).append((point, tight, value))
        few, many = (here, there) if len(here) <= len(there) else (there, here)
        ends = {edge: (point, value) for point, tight, value in few for edge in edges(tight)}
        fresh: list[tuple[Point, int]] = []
        bit = 1 << len(self.rows)
        for point, tight, value in many:
            for edge in edges(tight):
                if edge in ends:
                    other, height = ends[edge]
                    if not height:  # the edge crosses at its end (in the limit)
                        cut = other
                    elif not value:
                        cut = point
                    else:
                        a, b = abs(value), abs(height)
                        cut = tuple(a * p + b * q for p, q in zip(other, point, strict=True))
                        divisor = gcd(*cut)
                        cut = tuple(x // divisor for x in cut)
                    fresh.append((cut, edge | bit))
        return (
            Polytope(self.size, (*self.rows, row), (*((p, t) for p, t, _ in here), *fresh)),
            Polytope(self.size, (*self.rows, tuple(-x for x in row)), (*((p, t) for p, t, _ in there), *fresh)),
        )

    def above(self, row: Row) -> Polytope | None:
        """The part where the row is >= 0."""
        return self.split(row)[0]

    def _leans(self, row: Row, tight: int) -> bool:
        """The row vanishes at a vertex: whether its perturbed value there is positive.

        The vertex x of the rows A moves to x - A^-1 e, and the value of the row by -y . e with A^T y = row.
        """
        import flint

        tights = [self.rows[k] for k in bits(tight)]
        n = self.size
        transposed = flint.fmpz_mat(n, n, [r[j] for j in range(n) for r in tights])
        solved = transposed.solve(flint.fmpz_mat(n, 1, list(row[:n])))
        first = next(solved[i, 0] for i in range(n) if solved[i, 0] != 0)
        return bool(first < 0)

    def range(self, row: Row) -> tuple[Fraction, Fraction]:
        """The least and the greatest value of the row."""
        values = [Fraction(dot(row, point), point[-1]) for point, _ in self.vertices]
        return min(values), max(values)

    def spans(self) -> list[tuple[Fraction, Fraction]]:
        """The interval that each coordinate ranges over."""
        columns = zip(*([Fraction(x, p[-1]) for x in p[:-1]] for p, _ in self.vertices), strict=True)
        return [(min(c), max(c)) for c in columns]

    def centre(self) -> tuple[Fraction, ...]:
        """A point inside: the mean of the vertices."""
        count = len(self.vertices)
        return tuple(
            sum((Fraction(p[i], p[-1]) for p, _ in self.vertices), Fraction(0)) / count for i in range(self.size)
        )

    def simplices(self) -> Iterator[tuple[Point, ...]]:
        """A triangulation, each simplex by its vertices: the faces without the first vertex are pulled to it."""
        import flint

        for corners in pulled(self.vertices, 0):
            if self.size == 0 or flint.fmpz_mat([list(c) for c in corners]).det() != 0:
                yield corners

    def volume(self, end: float | None = None) -> Fraction:
        """The volume, exactly. Raises OutOfTime when the clock (time.monotonic) passes `end`."""
        n = self.size
        if n == 0:
            return Fraction(1)
        random = Random(n)
        for wide in range(10):
            reach = 10 * 4**wide
            direction = [random.choice((-1, 1)) * random.randint(1, reach) for _ in range(n)]
            total = self._lawrence(direction, end)
            if total is not None:
                return Fraction((-1) ** n * int(total.p), int(total.q) * factorial(n))
        raise AssertionError("every direction is orthogonal to an edge")

    def _lawrence(self, direction: list[int], end: float | None) -> Any:
        """Lawrence's sum; None when the direction is orthogonal to an edge."""
        import flint

        n = self.size
        right = flint.fmpz_mat(n, 1, direction)
        origin = self.vertices[0][0]
        base = Fraction(sum(map(mul, direction, origin)), origin[-1])
        terms: list[Any] = []
        for number, (point, tight) in enumerate(self.vertices):
            if end is not None and number % 32 == 0 and time.monotonic() > end:
                raise OutOfTime
            tights = [self.rows[k] for k in bits(tight)]
            transposed = flint.fmpz_mat(n, n, [r[j] for j in range(n) for r in tights])
            gammas = transposed.solve(right).entries()
            bottom = abs(transposed.det())
            for gamma in gammas:
                if gamma == 0:
                    return None
                bottom = bottom * gamma
            top = sum(map(mul, direction, point)) * base.denominator - base.numerator * point[-1]
            terms.append(flint.fmpq(top**n, (point[-1] * base.denominator) ** n) / bottom)
        while len(terms) > 1:  # in pairs: the numbers stay short for as long as possible
            if end is not None and time.monotonic() > end:
                raise OutOfTime
            terms = [sum(terms[i + 1 : i + 2], terms[i]) for i in range(0, len(terms), 2)]
        return terms[0]


def box(sides: Sequence[tuple[Fraction, Fraction]]) -> Polytope:
    """The product of intervals of positive length. It has 2^n vertices."""
    n = len(sides)
    rows: list[Row] = []
    for i, (low, high) in enumerate(sides):
        for sign, bound in ((1, low), (-1, high)):
            unit = [Fraction(0)] * (n + 1)
            unit[i], unit[n] = Fraction(sign), -sign * bound
            rows.append(whole(unit))
    vertices: list[tuple[Point, int]] = []
    for choice in product((0, 1), repeat=n):
        corner = [sides[i][side] for i, side in enumerate(choice)]
        common = lcm(*(x.denominator for x in corner))
        point = (*(int(x * common) for x in corner), common)
        vertices.append((point, sum(1 << (2 * i + side) for i, side in enumerate(choice))))
    return Polytope(n, tuple(rows), tuple(vertices))


def pulled(vertices: Sequence[tuple[Point, int]], face: int) -> Iterator[tuple[Point, ...]]:
    """Simplices that make up a face, which is where the rows `face` are tight. Some may be flat: the perturbed ones are
    not."""
    first, own = vertices[0]
    if len(vertices) == 1:
        yield (first,)
        return
    others = 0
    for _, tight in vertices:
        others |= tight
    for k in bits(others & ~own & ~face):
        part = [(point, tight) for point, tight in vertices if tight >> k & 1]
        for simplex in pulled(part, face | 1 << k):
            yield (first, *simplex)


def content(simplex: Sequence[Point]) -> Fraction:
    """The volume of a simplex: the determinant of its vertices over n!."""
    import flint

    n = len(simplex) - 1
    bottom = prod(point[-1] for point in simplex)
    return Fraction(abs(int(flint.fmpz_mat([list(point) for point in simplex]).det())), bottom * factorial(n))


def bits(mask: int) -> list[int]:
    """The positions of the ones, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def edges(tight: int) -> list[int]:
    """The edges at a vertex: all of its rows but one."""
    found = []
    rest = tight
    while rest:
        low = rest & -rest
        found.append(tight ^ low)
        rest ^= low
    return found
