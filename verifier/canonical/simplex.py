"""Exact linear arithmetic: a point that satisfies linear inequalities, or weights that show that there is none.

The general simplex method of B. Dutertre and L. de Moura (A fast linear-arithmetic solver for DPLL(T), CAV 2006), with
Bland's rule. A strict bound is a bound moved by an infinitesimal. All arithmetic is on whole numbers: a row has one
denominator, and so has a value; that is several times faster than rationals, and nothing has to be loaded for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from msgspec import Struct

PIVOTS = 100_000
"""Enough for anything but mischief."""
Number = tuple[int, int, int]
"""(q, d, n) for (q + d * epsilon) / n, in lowest terms with n > 0: equal numbers are equal tuples."""


class Inequality(Struct, frozen=True):
    """constant + sum of weight * x[i] >= 0, or > 0 where `strict`."""

    terms: Mapping[int, Fraction]
    constant: Fraction
    strict: bool = False


class Solution(Struct, frozen=True):
    point: tuple[Fraction, ...]


class Conflict(Struct, frozen=True):
    """The sum of weights[k] > 0 times inequality k is negative, or zero and strict, wherever the box lets it be."""

    weights: Mapping[int, Fraction]


class Stopped(Exception):
    """The caller's patience is over."""


def solve(
    inequalities: Sequence[Inequality],
    low: Sequence[Fraction | None],
    high: Sequence[Fraction | None],
    patience: int = PIVOTS,
) -> Solution | Conflict:
    """A point of the closed box low <= x <= high with all inequalities. Raises Stopped after `patience` pivots."""
    return Tableau(inequalities, low, high).solve(patience)


class Tableau:
    """Variables 0 .. n-1 are the x, n + k is the sum of inequality k. Basic variable b is the combination `rows[b]` of
    the others, divided by `units[b]` > 0. `start`: where the x are at first, a point of the box."""

    def __init__(
        self,
        inequalities: Sequence[Inequality],
        low: Sequence[Fraction | None],
        high: Sequence[Fraction | None],
        start: Sequence[Fraction] | None = None,
    ) -> None:
        self.count, self.pivots = len(low), 0
        self.low: dict[int, Number] = {i: number(b) for i, b in enumerate(low) if b is not None}
        self.high: dict[int, Number] = {i: number(b) for i, b in enumerate(high) if b is not None}
        self.rows: dict[int, dict[int, int]] = {}
        self.units: dict[int, int] = {}
        self.value: dict[int, Number] = {i: self.low.get(i) or self.high.get(i) or (0, 0, 1) for i in range(self.count)}
        if start is not None:
            self.value = {i: number(x) for i, x in enumerate(start)}
        for k, row in enumerate(inequalities, self.count):
            unit = lcm(*(w.denominator for w in row.terms.values()))
            self.rows[k] = {i: w.numerator * (unit // w.denominator) for i, w in row.terms.items() if w}
            self.units[k] = unit
            self.low[k] = number(-row.constant, row.strict)
            self.value[k] = self._sum(k)

    def _sum(self, basic: int) -> Number:
        q = d = 0
        n = lcm(*(self.value[j][2] for j in self.rows[basic]))
        for j, a in self.rows[basic].items():
            there = self.value[j]
            factor = a * (n // there[2])
            q, d = q + factor * there[0], d + factor * there[1]
        return lowest(q, d, n * self.units[basic])

    def solve(self, patience: int) -> Solution | Conflict:
        for i, high in self.high.items():
            if i in self.low and less(high, self.low[i]):
                return Conflict({})
        while True:
            basic = min((b for b in self.rows if self._side(b)), default=None)
            if basic is None:
                return Solution(self._point())
            up = self._side(basic)
            row = self.rows[basic]
            entering = min((j for j, a in row.items() if self._may_move(j, 1 if a * up > 0 else -1)), default=None)
            if entering is None:
                unit = self.units[basic]
                weights = {j - self.count: Fraction(-a * up, unit) for j, a in row.items() if j >= self.count}
                if basic >= self.count:
                    weights[basic - self.count] = Fraction(1)
                return Conflict(weights)
            if patience <= 0:
                raise Stopped
            patience -= 1
            self.pivots += 1
            self._pivot(basic, entering, self.low[basic] if up > 0 else self.high[basic])

    def wish(self, i: int, low: Fraction, high: Fraction | None, patience: int, keep: bool = False) -> Solution | None:
        """A solution, after one was found, with closer bounds for the x or the sum with number i; these are forgotten
        unless they can be kept."""
        before = self.low.copy(), self.high.copy(), self.value.copy()
        below = number(low)
        if i not in self.low or less(self.low[i], below):
            self.low[i] = below
        if high is not None:
            above = number(high)
            if i not in self.high or less(above, self.high[i]):
                self.high[i] = above
        if i not in self.rows and (side := self._side(i)):
            self._move(i, (self.low if side > 0 else self.high)[i])
        try:
            found = self.solve(patience)
        except Stopped:
            found = Conflict({})
        if isinstance(found, Conflict) or not keep:
            self.low, self.high, self.value = before
        return found if isinstance(found, Solution) else None

    def descend(self, goal: int, patience: int) -> Solution | None:
        """From the start, a solution: where the sum with number `goal`, without its own bound, is least, as if strict
        inequalities were weak. None where there is no end to that. Raises Stopped."""
        self.low.pop(goal, None)
        self.low = {i: lowest(q, 0, n) for i, (q, _, n) in self.low.items()}
        self.value = {i: lowest(q, 0, n) for i, (q, _, n) in self.value.items()}
        while True:
            ways = {j: -1 if a > 0 else 1 for j, a in self.rows[goal].items()}
            entering = min((j for j, way in ways.items() if self._may_move(j, way)), default=None)
            if entering is None:
                return Solution(self._point())
            if patience <= 0:
                raise Stopped
            patience -= 1
            way = ways[entering]
            ends = [(entering, way, 1, (self.high if way > 0 else self.low).get(entering))]
            for b, row in self.rows.items():
                if a := row.get(entering):
                    ends.append((b, a * way, self.units[b], (self.high if a * way > 0 else self.low).get(b)))
            steps = [(self._step(i, a, unit, end), i, end) for i, a, unit, end in ends if end is not None]
            if not steps:
                return None
            _, leaving, end = min(steps)
            if leaving == entering:
                self._move(entering, end)
            else:
                self._pivot(leaving, entering, end)

    def _step(self, i: int, a: int, unit: int, end: Number) -> Fraction:
        """How far another may go until variable i, which goes a / unit times as far, is at its end."""
        q, _, n = minus(end, self.value[i])
        return Fraction(q * unit, n * a)

    def _move(self, j: int, target: Number) -> None:
        """Another value for one that is not basic."""
        move = minus(target, self.value[j])
        self.value[j] = target
        for b, row in self.rows.items():
            if (a := row.get(j)) is not None:
                self.value[b] = plus(self.value[b], a, self.units[b], move)

    def _side(self, b: int) -> int:
        """1 where it has to grow, -1 where it has to shrink, 0 where it is within its bounds."""
        value = self.value[b]
        if b in self.low and less(value, self.low[b]):
            return 1
        return -1 if b in self.high and less(self.high[b], value) else 0

    def _may_move(self, j: int, direction: int) -> bool:
        if direction > 0:
            return j not in self.high or less(self.value[j], self.high[j])
        return j not in self.low or less(self.low[j], self.value[j])

    def _pivot(self, basic: int, entering: int, target: Number) -> None:
        """`basic` takes the value `target`, and `entering` its place."""
        row, unit = self.rows.pop(basic), self.units.pop(basic)
        a = row.pop(entering)
        q, d, n = minus(target, self.value[basic])
        move = lowest(q * unit, d * unit, n * a)
        self.value[basic] = target
        self.value[entering] = plus(self.value[entering], 1, 1, move)
        new = {j: -w for j, w in row.items()} if a > 0 else row
        new[basic], pace = (unit, a) if a > 0 else (-unit, -a)
        new, pace = reduced(new, pace)
        for b, other in self.rows.items():
            factor = other.pop(entering, None)
            if factor is None:
                continue
            unit = self.units[b]
            self.value[b] = plus(self.value[b], factor, unit, move)
            common = gcd(factor, pace)
            factor //= common
            if (times := pace // common) != 1:
                other, unit = {j: w * times for j, w in other.items()}, unit * times
            for j, w in new.items():
                total = other.get(j, 0) + factor * w
                if total:
                    other[j] = total
                else:
                    del other[j]
            self.rows[b], self.units[b] = reduced(other, unit)
        self.rows[entering], self.units[entering] = new, pace

    def _point(self) -> tuple[Fraction, ...]:
        """The values with an epsilon small enough for every bound."""
        epsilon = Fraction(1)
        for i, value in self.value.items():
            for sign, bounds in ((1, self.low), (-1, self.high)):
                if i in bounds:
                    gap, slope, _ = minus(value, bounds[i])
                    if sign * slope < 0:
                        epsilon = min(epsilon, Fraction(gap, -slope))
        p, r = epsilon.numerator, epsilon.denominator
        return tuple(Fraction(q * r + d * p, n * r) for q, d, n in (self.value[i] for i in range(self.count)))


def number(x: Fraction, above: bool = False) -> Number:
    """The rational, or just above it."""
    return x.numerator, x.denominator if above else 0, x.denominator


def lowest(q: int, d: int, n: int) -> Number:
    common = gcd(q, d, n) if n > 0 else -gcd(q, d, n)
    return (q // common, d // common, n // common) if common != 1 else (q, d, n)


def less(left: Number, right: Number) -> bool:
    a, b = left[0] * right[2], right[0] * left[2]
    return a < b or (a == b and left[1] * right[2] < right[1] * left[2])


def minus(left: Number, right: Number) -> Number:
    n, m = left[2], right[2]
    return left[0] * m - right[0] * n, left[1] * m - right[1] * n, n * m


def plus(there: Number, a: int, unit: int, move: Number) -> Number:
    """there + a / unit * move."""
    n, m = there[2], unit * move[2]
    return lowest(there[0] * m + a * move[0] * n, there[1] * m + a * move[1] * n, n * m)


def reduced(row: dict[int, int], unit: int) -> tuple[dict[int, int], int]:
    """The same row in lowest terms."""
    if unit == 1 or (common := gcd(unit, *row.values())) == 1:
        return row, unit
    return {j: w // common for j, w in row.items()}, unit // common
