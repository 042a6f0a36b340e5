"""Exact linear arithmetic: a point that satisfies linear inequalities, or weights that show that there is none.

The general simplex method of B. Dutertre and L. de Moura (A fast linear-arithmetic solver for DPLL(T), CAV 2006), with
Bland's rule. A strict bound is a bound moved by an infinitesimal: numbers are pairs (q, d), for q + d * epsilon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from msgspec import Struct

Rational = Any
"""A `Fraction`, or flint's, which is five times as fast; loading it takes as long as a few tiny problems."""
Number = tuple[Rational, Rational]
TINY = 16
"""Inequalities times numbers of a problem for which Python's rationals do."""


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
    patience: int = 100_000,
) -> Solution | Conflict:
    """A point of the closed box low <= x <= high with all inequalities. Raises Stopped after `patience` pivots."""
    rational: Callable[[int, int], Rational] = Fraction
    if len(inequalities) * len(low) > TINY:
        from flint import fmpq as rational
    return Tableau(inequalities, low, high, rational).solve(patience)


class Tableau:
    """Variables 0 .. n-1 are the x, n + k is the sum of inequality k. `rows[b]`: basic variable b as a combination of
    the others. `start`: where the x are at first, a point of the box."""

    def __init__(
        self,
        inequalities: Sequence[Inequality],
        low: Sequence[Fraction | None],
        high: Sequence[Fraction | None],
        rational: Callable[[int, int], Rational] = Fraction,
        start: Sequence[Fraction] | None = None,
    ) -> None:
        def number(x: Fraction) -> Rational:
            return rational(x.numerator, x.denominator)

        self.number, self.pivots = number, 0
        self.count = len(low)
        self.inequalities = inequalities
        self.zero, self.one = rational(0, 1), rational(1, 1)
        self.low: dict[int, Number] = {i: (number(b), self.zero) for i, b in enumerate(low) if b is not None}
        self.high: dict[int, Number] = {i: (number(b), self.zero) for i, b in enumerate(high) if b is not None}
        self.rows: dict[int, dict[int, Rational]] = {}
        self.value: dict[int, Number] = {
            i: self.low.get(i) or self.high.get(i) or (self.zero, self.zero) for i in range(self.count)
        }
        if start is not None:
            self.value = {i: (number(x), self.zero) for i, x in enumerate(start)}
        for k, row in enumerate(inequalities, self.count):
            self.rows[k] = {i: number(w) for i, w in row.terms.items() if w}
            self.low[k] = (-number(row.constant), self.one if row.strict else self.zero)
            self.value[k] = self._sum(k)

    def _sum(self, basic: int) -> Number:
        q = d = self.zero
        for j, a in self.rows[basic].items():
            q, d = q + a * self.value[j][0], d + a * self.value[j][1]
        return q, d

    def solve(self, patience: int) -> Solution | Conflict:
        for i, high in self.high.items():
            if i in self.low and self.low[i] > high:
                return Conflict({})
        while True:
            wrong = [b for b in self.rows if self._side(b)]
            if not wrong:
                return Solution(self._point())
            basic = min(wrong)
            up = self._side(basic)
            row = self.rows[basic]
            free = [j for j, a in row.items() if self._may_move(j, 1 if a * up > 0 else -1)]
            if not free:
                weights = {j: -a * up for j, a in row.items() if j >= self.count}
                if basic >= self.count:
                    weights[basic] = self.one
                return Conflict({j - self.count: _fraction(w) for j, w in weights.items()})
            if patience <= 0:
                raise Stopped
            patience -= 1
            self.pivots += 1
            self._pivot(basic, min(free), self.low[basic] if up > 0 else self.high[basic])

    def wish(self, i: int, low: Fraction, high: Fraction | None, patience: int, keep: bool = False) -> Solution | None:
        """A solution, after one was found, with closer bounds for the x or the sum with number i; these are forgotten
        unless they can be kept."""
        before = self.low.copy(), self.high.copy(), self.value.copy()
        below = (self.number(low), self.zero)
        self.low[i] = max(below, self.low.get(i, below))
        if high is not None:
            above = (self.number(high), self.zero)
            self.high[i] = min(above, self.high.get(i, above))
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
        self.low = {i: (q, self.zero) for i, (q, _) in self.low.items()}
        self.value = {i: (q, self.zero) for i, (q, _) in self.value.items()}
        while True:
            ways = {j: -1 if a > 0 else 1 for j, a in self.rows[goal].items()}
            entering = min((j for j, way in ways.items() if self._may_move(j, way)), default=None)
            if entering is None:
                return Solution(self._point())
            if patience <= 0:
                raise Stopped
            patience -= 1
            way = ways[entering]
            ends = [(entering, way, (self.high if way > 0 else self.low).get(entering))]
            for b, row in self.rows.items():
                if a := row.get(entering):
                    ends.append((b, a * way, (self.high if a * way > 0 else self.low).get(b)))
            steps = [((end[0] - self.value[i][0]) / a, i, end) for i, a, end in ends if end is not None]
            if not steps:
                return None
            _, leaving, end = min(steps)
            if leaving == entering:
                self._move(entering, end)
            else:
                self._pivot(leaving, entering, end)

    def _move(self, j: int, target: Number) -> None:
        """Another value for one that is not basic."""
        q, d = target[0] - self.value[j][0], target[1] - self.value[j][1]
        self.value[j] = target
        for b, row in self.rows.items():
            if (a := row.get(j)) is not None:
                self.value[b] = (self.value[b][0] + a * q, self.value[b][1] + a * d)

    def _side(self, b: int) -> int:
        """1 where it has to grow, -1 where it has to shrink, 0 where it is within its bounds."""
        if b in self.low and self.value[b] < self.low[b]:
            return 1
        return -1 if b in self.high and self.value[b] > self.high[b] else 0

    def _may_move(self, j: int, direction: int) -> bool:
        if direction > 0:
            return j not in self.high or self.value[j] < self.high[j]
        return j not in self.low or self.value[j] > self.low[j]

    def _pivot(self, basic: int, entering: int, target: Number) -> None:
        """`basic` takes the value `target`, and `entering` its place."""
        row = self.rows.pop(basic)
        a = row.pop(entering)
        move = tuple((t - v) / a for t, v in zip(target, self.value[basic], strict=True))
        self.value[basic] = target
        old = self.value[entering]
        self.value[entering] = (old[0] + move[0], old[1] + move[1])
        new = {j: -w / a for j, w in row.items()}
        new[basic] = 1 / a
        for b, other in self.rows.items():
            factor = other.pop(entering, None)
            if factor is None:
                continue
            was = self.value[b]
            self.value[b] = (was[0] + factor * move[0], was[1] + factor * move[1])
            for j, w in new.items():
                total = other.get(j, self.zero) + factor * w
                if total:
                    other[j] = total
                else:
                    other.pop(j, None)
        self.rows[entering] = new

    def _point(self) -> tuple[Fraction, ...]:
        """The values with an epsilon small enough for every bound."""
        epsilon = self.one
        for i, (q, d) in self.value.items():
            for sign, bounds in ((1, self.low), (-1, self.high)):
                if i in bounds:
                    gap, slope = sign * (q - bounds[i][0]), sign * (d - bounds[i][1])
                    if slope < 0:
                        epsilon = min(epsilon, gap / -slope)
        return tuple(_fraction(self.value[i][0] + epsilon * self.value[i][1]) for i in range(self.count))


def _fraction(value: Rational) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction(int(value.p), int(value.q))
