"""The least value of a sum of squares over a polyhedron, exactly: the active-set method in rationals.

The optimum of a convex quadratic programme with rational data is rational, and a sum of squares over a non-empty closed
polyhedron attains it. What is returned has passed the conditions of Karush, Kuhn and Tucker, which are sufficient.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct

from verifier.canonical.linalg import Row, null_space, rref

ZERO = Fraction(0)


class Line(Struct, frozen=True):
    """The affine form slope . x + constant."""

    slope: Row
    constant: Fraction

    def at(self, x: Sequence[Fraction]) -> Fraction:
        return dot(self.slope, x) + self.constant

    def plus(self, constant: Fraction) -> Line:
        return Line(self.slope, self.constant + constant)

    def times(self, factor: Fraction) -> Line:
        return Line(tuple(factor * a for a in self.slope), factor * self.constant)

    def less(self, factor: Fraction, other: Line) -> Line:
        """This minus a multiple of another."""
        slope = tuple(a - factor * b for a, b in zip(self.slope, other.slope, strict=True))
        return Line(slope, self.constant - factor * other.constant)


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True) if a and b), ZERO)


def value(squares: Sequence[tuple[Fraction, Line]], x: Sequence[Fraction]) -> Fraction:
    """sum of weight * form(x)^2."""
    return sum((w * f.at(x) ** 2 for w, f in squares), ZERO)


class Minimum(Struct, frozen=True):
    """A minimiser, and why it is one: the gradient is the sum of multiplier * slope over independent rows that are 0
    there. The multiplier of a row of which the opposite is among the rows, too, may be negative (`free`)."""

    place: Row
    walls: tuple[tuple[Line, Fraction], ...]
    free: frozenset[Line]


def minimise(
    squares: Sequence[tuple[Fraction, Line]], rows: Sequence[Line], start: Row, end: float, steps: int = 2000
) -> Row | None:
    """The place of the `minimum`."""
    found = minimum(squares, rows, start, end, steps)
    return None if found is None else found.place


def minimum(
    squares: Sequence[tuple[Fraction, Line]], rows: Sequence[Line], start: Row, end: float, steps: int = 2000
) -> Minimum | None:
    """A minimiser of sum weight * form^2 (weights > 0) where all `rows` are >= 0, from a point where they are.

    None when it took more steps, or ran past `end` (time.monotonic).
    """
    x, width = list(start), len(start)
    if not width:
        return Minimum(start, (), frozenset())
    known = set(rows)
    rows = [r for r in dict.fromkeys(rows) if any(r.slope)]
    opposite = {r for r in rows if Line(tuple(-a for a in r.slope), -r.constant) in known}
    active: list[int] = []
    for i, row in enumerate(rows):
        if row in opposite and independent([*(rows[k].slope for k in active), row.slope]):
            active.append(i)
    for _ in range(steps):
        if time.monotonic() > end:
            return None
        gradient = slope(squares, x)
        step = descent(squares, [rows[k].slope for k in active], x)
        if dot(gradient, step) == 0:
            multipliers = combination(gradient, [rows[k].slope for k in active])
            negative = [k for k, m in zip(active, multipliers, strict=True) if m < 0 and rows[k] not in opposite]
            if not negative:
                check(squares, rows, tuple(x), active, multipliers, opposite)
                walls = zip((rows[k] for k in active), multipliers, strict=True)
                return Minimum(tuple(x), tuple(walls), frozenset(opposite))
            active.remove(min(negative))
            continue
        length, wall = Fraction(1), -1
        for i, row in enumerate(rows):
            towards = dot(row.slope, step)
            if towards < 0 and i not in active:
                room = row.at(x) / -towards
                if room < length:
                    length, wall = room, i
        x = [a + length * b for a, b in zip(x, step, strict=True)]
        if wall >= 0:
            active = sorted([*active, wall])
    return None


def slope(squares: Sequence[tuple[Fraction, Line]], x: Sequence[Fraction]) -> list[Fraction]:
    """The gradient of the sum of squares."""
    total = [ZERO] * len(x)
    for w, form in squares:
        factor = 2 * w * form.at(x)
        if factor:
            total = [t + factor * a for t, a in zip(total, form.slope, strict=True)]
    return total


def descent(squares: Sequence[tuple[Fraction, Line]], active: Sequence[Row], x: Sequence[Fraction]) -> list[Fraction]:
    """A step p along the face (active . p = 0) to its minimiser: the normal equations in a basis of the face."""
    basis = (
        null_space(active, len(x))
        if active
        else [tuple(Fraction(i == j) for j in range(len(x))) for i in range(len(x))]
    )
    if not basis:
        return [ZERO] * len(x)
    images = [[dot(form.slope, b) for b in basis] for _, form in squares]
    now = [form.at(x) for _, form in squares]
    weights = [w for w, _ in squares]
    size = len(basis)
    system = [
        [
            *(
                sum((w * im[i] * im[j] for w, im in zip(weights, images, strict=True) if im[i]), ZERO)
                for j in range(size)
            ),
            -sum((w * im[i] * f for w, im, f in zip(weights, images, now, strict=True)), ZERO),
        ]
        for i in range(size)
    ]
    reduced, pivots = rref(system)
    assert size not in pivots, "normal equations have solutions"
    amount = [ZERO] * size
    for row, pivot in zip(reduced, pivots, strict=True):
        amount[pivot] = row[size]
    return [sum((a * b[i] for a, b in zip(amount, basis, strict=True) if a), ZERO) for i in range(len(x))]


def combination(target: Sequence[Fraction], rows: Sequence[Row]) -> list[Fraction]:
    """The factors that make `target` of independent rows."""
    if not rows:
        assert not any(target)
        return []
    reduced, pivots = rref([[*(r[i] for r in rows), target[i]] for i in range(len(target))])
    assert pivots == tuple(range(len(rows))), "a stationary point's gradient is a combination of its walls"
    return [row[len(rows)] for row in reduced]


def independent(rows: Sequence[Row]) -> bool:
    return len(rref(rows)[1]) == len(rows)


def check(
    squares: Sequence[tuple[Fraction, Line]],
    rows: Sequence[Line],
    x: Row,
    active: Sequence[int],
    multipliers: Sequence[Fraction],
    opposite: set[Line],
) -> None:
    """Karush, Kuhn, Tucker: x is feasible, and the gradient a non-negative combination of walls that x touches."""
    total = [ZERO] * len(x)
    for k, m in zip(active, multipliers, strict=True):
        assert rows[k].at(x) == 0 and (m >= 0 or rows[k] in opposite)
        total = [t + m * a for t, a in zip(total, rows[k].slope, strict=True)]
    assert total == slope(squares, x) and all(r.at(x) >= 0 for r in rows)
