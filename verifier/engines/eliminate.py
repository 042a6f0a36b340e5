"""The shadow of a polyhedron on some of its coordinates, exactly: Gauss where there is an equation, Fourier and Motzkin
elsewhere.

{ x : some y has (x, y) in P } is a polyhedron again. A variable that an equation gives is put in; one without is
eliminated by adding every lower bound of it to every upper bound. The sum is strict iff one of the two is: between a
strict bound and a weak one there is room iff they are strictly apart. So the shadow is exact, strict sides included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm

from msgspec import Struct

from verifier.query.piece import Row

MANY = 12
"""With more sides than this, those that follow from the others are looked for after each variable."""


class Half(Struct, frozen=True):
    """row >= 0, or with `strict` row > 0; the row has coprime integers."""

    row: Row
    strict: bool

    def holds(self, point: Sequence[Fraction]) -> bool:
        value = self.row.at(tuple(point))
        return value > 0 or (value == 0 and not self.strict)


Prune = Callable[[Sequence[Half]], list[Half]]
"""The sides without those that follow from the others. To leave nothing out is always sound."""


class Empty(Exception):
    """The sides contradict each other."""


def half(row: Row, strict: bool) -> Half:
    """The same side with coprime integers."""
    numbers = [w for _, w in row.weights] + [row.constant]
    scale = Fraction(lcm(*(x.denominator for x in numbers)))
    divisor = gcd(*(int(x * scale) for x in numbers)) or 1
    return Half(scaled(row, scale / divisor), strict)


def scaled(row: Row, factor: Fraction) -> Row:
    return Row(tuple((i, w * factor) for i, w in row.weights), row.constant * factor)


def plus(a: Row, b: Row) -> Row:
    weights = dict(a.weights)
    for i, w in b.weights:
        weights[i] = weights.get(i, Fraction(0)) + w
    return Row(tuple(sorted((i, w) for i, w in weights.items() if w)), a.constant + b.constant)


def weight(row: Row, variable: int) -> Fraction:
    return next((w for i, w in row.weights if i == variable), Fraction(0))


def substituted(row: Row, variable: int, image: Row) -> Row:
    """The variable as a form of others."""
    w = weight(row, variable)
    if not w:
        return row
    rest = Row(tuple((i, v) for i, v in row.weights if i != variable), row.constant)
    return plus(rest, scaled(image, w))


def tidy(halves: Iterable[Half]) -> list[Half]:
    """Of parallel sides only the tightest; none that hold everywhere. Raises Empty."""
    best: dict[tuple[tuple[int, Fraction], ...], Half] = {}
    for given in halves:
        if not given.row.weights:
            if given.row.constant < 0 or (given.strict and not given.row.constant):
                raise Empty
            continue
        size = Fraction(gcd(*(int(w) for _, w in given.row.weights)))
        direction = tuple((i, w / size) for i, w in given.row.weights)
        other = best.get(direction)
        if other is not None:
            here, there = given.row.constant / size, other.row.constant / (other.row.weights[0][1] / direction[0][1])
            if there < here or (there == here and other.strict >= given.strict):
                continue
        best[direction] = given
    return list(best.values())


def equation(halves: Sequence[Half], variables: Collection[int]) -> tuple[int, Row] | None:
    """One of the variables and what two opposite weak sides say that it is."""
    weak = {h.row for h in halves if not h.strict}
    for row in sorted(weak, key=lambda r: (len(r.weights), r.weights)):
        if row.minus() in weak:
            for i, w in row.weights:
                if i in variables:
                    rest = Row(tuple((j, v) for j, v in row.weights if j != i), row.constant)
                    return i, scaled(rest, -1 / w)
    return None


def shadow(halves: Iterable[Half], variables: Collection[int], prune: Prune) -> list[Half]:
    """The sides of the shadow once the variables are gone, none of which follows from the others. Raises Empty."""
    left, sides = set(variables), tidy(halves)
    while left:
        if (given := equation(sides, left)) is not None:
            variable, image = given
            sides = tidy(half(substituted(h.row, variable, image), h.strict) for h in sides)
            left.discard(variable)
            continue
        counts = {}
        for i in left:
            signs = [weight(h.row, i) for h in sides]
            up, down = sum(s > 0 for s in signs), sum(s < 0 for s in signs)
            counts[i] = (up * down - up - down, i)
        variable = min(counts, key=lambda i: counts[i])
        left.discard(variable)
        lower = [h for h in sides if weight(h.row, variable) > 0]
        upper = [h for h in sides if weight(h.row, variable) < 0]
        sides = tidy(
            [h for h in sides if not weight(h.row, variable)]
            + [
                half(plus(scaled(a.row, -weight(b.row, variable)), scaled(b.row, weight(a.row, variable))), strict)
                for a in lower
                for b in upper
                for strict in [a.strict or b.strict]
            ]
        )
        if len(sides) > MANY:
            sides = prune(sides)
    return prune(sides)
