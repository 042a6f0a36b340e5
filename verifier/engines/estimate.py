"""An estimate of a probability where neither an exact value nor a useful enclosure was to be had. Never a proof.

The number of pairs is fixed beforehand, the seed is said, and the interval is Clopper and Pearson's with the binomial
tails computed in integers. Pairs are drawn by rejection: proposed from the box, with the differences that the facts
allow coordinate by coordinate, and kept iff the facts hold, exactly. The coordinates lie on a grid of 2^32 midpoints.
"""

from __future__ import annotations

import time
from fractions import Fraction
from math import comb, lcm, log
from random import Random

from msgspec import Struct

from verifier.engines.engine import Vector
from verifier.engines.weigh import UNIFORM, Density, Side, inputs
from verifier.kernel.circuit import FALSE, TRUE, Affine, Input, Select
from verifier.query.question import Question

PAIRS = 1000
SEED = 0
DOUBT = Fraction(1, 100)
"""One minus the confidence."""

FINE = 1 << 32
ROUNDING = 1e-6
"""More than what floats get wrong of the logarithm of a chance."""
GRID = 1 << 10
"""The ends of the interval are rounded outwards to multiples of 1/GRID."""


class Estimate(Struct, frozen=True):
    hits: int
    count: int
    interval: Side


def estimate(
    question: Question,
    event: int,
    sides: dict[int, Side],
    width: int,
    seconds: float,
    density: Density = UNIFORM,
    count: int = PAIRS,
) -> Estimate | None:
    """How many of `count` pairs with all facts have the event too; None when time did not suffice to draw them.

    `sides`: the intervals of the real inputs; the first `width` inputs are x, the others, if there are any, x'.
    """
    end = time.monotonic() + seconds
    random = Random(SEED)
    sampler = Sampler(question, sides, width, random)
    hits = 0
    for _ in range(count):
        while True:
            if time.monotonic() > end:
                return None
            point = sampler.draw()
            if point is not None and sampler.kept(point, density):
                values = question.values(question.completed((*point, *(Fraction(0) for _ in question.squares))))
                if all(values[fact] >= 0 for fact in question.facts):
                    break
        hits += values[event] >= 0
    return Estimate(hits, count, clopper_pearson(hits, count, DOUBT))


class Sampler:
    """Proposes pairs, uniformly on a set that contains all that the facts allow."""

    def __init__(self, question: Question, sides: dict[int, Side], width: int, random: Random) -> None:
        self.width, self.random = width, random
        self.whole = [v.integer for v in inputs(question)]
        self.sides: list[Side] = []
        for i, v in enumerate(inputs(question)):
            low, high = sides.get(i, (v.low, v.high))
            assert low is not None and high is not None
            self.sides.append((low, high))
        self.steps = [(low - high, high - low) for low, high in self.sides[:width]]
        for row, constant in halfspaces(question):
            places = sorted(row)
            if len(places) == 2 and places[1] == places[0] + width and row[places[0]] == -row[places[1]]:
                i, weight = places[0], row[places[1]]
                least, most = self.steps[i]
                bound = -constant / weight
                self.steps[i] = (max(least, bound), most) if weight > 0 else (least, min(most, bound))
            elif len(places) == 1:
                (i,) = places
                least, most = self.sides[i]
                bound = -constant / row[i]
                self.sides[i] = (max(least, bound), most) if row[i] > 0 else (least, min(most, bound))
        self.scaled = [self._scaled(i) for i in range(width)]

    def _scaled(self, i: int) -> tuple[tuple[int, int], tuple[int, int], int, bool]:
        """The interval of a coordinate and that of its difference in whole numbers of 1/unit, and the unit: most draws
        are thrown away, and with integers they are cheap. Of a real coordinate all midpoints are such numbers."""
        (low, high), (least, most) = self.sides[i], self.steps[i]
        unit = lcm(*(end.denominator for end in (low, high, least, most))) * (1 if self.whole[i] else 2 * FINE)
        return (int(low * unit), int(high * unit)), (int(least * unit), int(most * unit)), unit, self.whole[i]

    def draw(self) -> Vector | None:
        """A pair; None where the second point left the box. Or a point, if there are no pairs."""
        first, second = [], []
        alone = len(self.whole) == self.width
        for place, step, unit, whole in self.scaled:
            x = self._between(place, unit, whole)
            h = 0 if alone else self._between(step, unit, whole)
            if x is None or h is None or not place[0] <= x + h <= place[1]:
                return None
            first.append((x, unit))
            second.append((x + h, unit))
        return tuple(Fraction(n, unit) for n, unit in (*first, *second)[: len(self.whole)])

    def kept(self, point: Vector, density: Density) -> bool:
        """Yes, in proportion to the density: by chance, unless that is the greatest."""
        share = Fraction(1)
        for i, steps in density.items():
            share *= steps.at(point[i]) / max(steps.heights)
        return share == 1 or self.random.randrange(FINE) < share * FINE

    def _between(self, ends: tuple[int, int], unit: int, whole: bool) -> int | None:
        low, high = ends
        if whole:
            first, last = -(-low // unit), high // unit
            return unit * self.random.randint(first, last) if first <= last else None
        return low + (high - low) // (2 * FINE) * (2 * self.random.randrange(FINE) + 1)


def halfspaces(question: Question) -> list[tuple[dict[int, Fraction], Fraction]]:
    """Affine rows (by input, and a constant) that are >= 0 wherever all facts hold."""
    circuit = question.circuit

    def affine(i: int) -> tuple[dict[int, Fraction], Fraction] | None:
        match circuit[i]:
            case Input(index):
                return {index: Fraction(1)}, Fraction(0)
            case Affine(terms, constant):
                row: dict[int, Fraction] = {}
                for j, weight in terms:
                    inner = affine(j)
                    if inner is None:
                        return None
                    constant += weight * inner[1]
                    for k, w in inner[0].items():
                        row[k] = row.get(k, Fraction(0)) + weight * w
                return {k: w for k, w in row.items() if w}, constant
        return None

    def is_constant(i: int, value: Fraction) -> bool:
        return circuit[i] == Affine((), value)

    found = []
    todo = [(fact, True) for fact in question.facts]
    while todo:
        i, holds = todo.pop()
        match circuit[i]:
            case Select(test, then, otherwise) if is_constant(then, FALSE) and is_constant(otherwise, TRUE):
                todo.append((test, not holds))
            case Select(test, then, otherwise) if holds and is_constant(otherwise, FALSE):
                todo += [(test, True), (then, True)]
            case Select():
                pass
            case _:
                form = affine(i)
                if form is not None:
                    sign = 1 if holds else -1
                    found.append(({k: sign * w for k, w in form[0].items()}, sign * form[1]))
    return found


def clopper_pearson(hits: int, count: int, doubt: Fraction) -> Side:
    """An interval that holds the true probability with confidence 1 - doubt, whatever that is."""
    low, high = Fraction(0), Fraction(1)
    if hits > 0:
        low = _end(hits, count, doubt)
    if hits < count:
        high = 1 - _end(count - hits, count, doubt)
    return low, high


def _end(hits: int, count: int, doubt: Fraction) -> Fraction:
    """The largest multiple of 1/GRID at which the chance of `hits` or more is at most doubt / 2 (it grows with p)."""
    below, above = 0, GRID
    while above - below > 1:
        middle = (below + above) // 2
        if 2 * tail(hits, count, Fraction(middle, GRID)) <= doubt:
            below = middle
        else:
            above = middle
    return Fraction(below, GRID)


def tail(hits: int, count: int, p: Fraction) -> Fraction:
    """The chance of `hits` or more of `count`, each with probability p, exactly."""
    a, b, total = p.numerator, p.denominator - p.numerator, 0
    for i in range(hits, count + 1):
        total += comb(count, i) * a**i * b ** (count - i)
    return Fraction(total, p.denominator**count)


def hoeffding(mean: Fraction, count: int, doubt: Fraction) -> Side:
    """An interval for the expectation of numbers in [0, 1], from the mean of `count` independent ones, with confidence
    1 - doubt: the chance of a mean of at least q (at most, for q below p) is no more than exp(-count * k(q, p)) for
    k(q, p) = q ln(q/p) + (1-q) ln((1-q)/(1-p)) (W. Hoeffding, 1963, theorem 1). Rounded outwards."""

    def above(q: float) -> Fraction:
        """The least multiple of 1/FINE that is so unlikely to have so small a mean."""
        below, high = int(q * FINE), FINE
        while high - below > 1:
            middle = (below + high) // 2
            below, high = (below, middle) if unlikely(q, middle / FINE) else (middle, high)
        return Fraction(high, FINE)

    def unlikely(q: float, p: float) -> bool:
        near = (q * log(q / p) if q else 0.0) + ((1 - q) * log((1 - q) / (1 - p)) if q < 1 else 0.0)
        return count * near >= log(2 / doubt) + ROUNDING

    q = float(mean)
    return 1 - above(1 - q), above(q)
