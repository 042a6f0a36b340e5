"""Suprema over all pairs of a few thousand points, for distances of which the squares are rationals: in whole numbers,
many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import floor, lcm
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from verifier.language.surd import distance
from verifier.model.program import Classifier, MetricUse, PointValue
from verifier.verdict.certify import Points
from verifier.verdict.figure import Curve, Line
from verifier.verdict.measures import enumerated
from verifier.verdict.measures.supremum import POINTS

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

MOST = 4000
WORK = 2 * 10**8
"""Terms of all distances."""
SUMS = 8
"""Features of an l1 distance: it is the greatest of half as many sums as they have signs."""
LARGE = 2**62
BLOCK = 1 << 20
"""So many pairs at a time."""
NEAR = 1e-12
"""Quotients in floats are that exact, and more."""

Rows = list[tuple[Fraction, tuple[Fraction, ...]]]
"""sum of weight * (row . differences)^2"""


def forms(classifier: Classifier, size: int) -> list[Rows]:
    """Quadratic forms of the differences of `size` features, of which the greatest is d^2; none of other metrics."""
    metric = classifier.metric or MetricUse(classifier.span, "linf")
    if metric.join or metric.body is not None or not (metric.is_norm or metric.is_quadratic):
        return []
    scales = [metric.factor / s for s in metric.scales or (Fraction(1),) * size]

    def scaled(row: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        return tuple(a * s for a, s in zip(row, scales, strict=True))

    if metric.is_quadratic:
        return [[(w, scaled(row)) for w, row in metric.squares]]
    if metric.builtin == "linf":
        return [[(Fraction(1), scaled(tuple(Fraction(i == k) for i in range(size))))] for k in range(size)]
    signs = product((Fraction(1), Fraction(-1)), repeat=size - 1) if size <= SUMS else ()
    return [[(Fraction(1), scaled((Fraction(1), *some)))] for some in signs]


Found = tuple[Fraction, Points, tuple[str, ...]]
"""A square, a pair that has it, and whom to trust that no pair has more."""


class Side(Struct, frozen=True):
    """d^2 is `unit` times the greatest sum of weight * (difference of values)^2. An entry of `parts`: weights, and a
    row of values for each point; all whole numbers."""

    unit: Fraction
    parts: list[tuple[Any, Any]]

    @property
    def terms(self) -> int:
        return sum(len(weights) for weights, _ in self.parts)

    def block(self, start: int, end: int) -> Any:
        """Whole numbers for the pairs of some points with all."""
        import numpy as np

        return np.max(
            [
                sum(w * (v[start:end, None] - v[None, :]) ** 2 for w, v in zip(weights, values.T, strict=True))
                for weights, values in self.parts
            ],
            axis=0,
        )


class Grid(Struct, frozen=True):
    points: list[PointValue]
    far: Side
    fine: Side

    def blocks(self) -> Iterator[tuple[int, Any, Any]]:
        """The first of some points, and for their pairs with all points how far and how fine they are."""
        size = len(self.points)
        step = max(1, BLOCK // size)
        for start in range(0, size, step):
            yield start, *(side.block(start, min(size, start + step)) for side in (self.far, self.fine))

    def pair(self, i: int, j: int) -> Points:
        return dict(zip(POINTS, (self.points[i], self.points[j]), strict=True))

    def steepest(self) -> Found | None:
        """The greatest d1'^2 : d2'^2, if that is finite and not 0, and a pair that has it."""
        best: Found | None = None
        for start, far, fine in self.blocks():
            if far[fine == 0].any():
                return None
            value, place = greatest(far.ravel(), fine.ravel())
            value *= self.far.unit / self.fine.unit
            if value > (0 if best is None else best[0]):
                pair = self.pair(start + place // len(self.points), place % len(self.points))
                best = value, pair, enumerated.TRUSTS
        return best

    def farthest(self, delta: Fraction) -> tuple[Fraction, Points]:
        """The greatest d1'^2 where d2' is at most delta, and a pair that has it."""
        import numpy as np

        best, pair = -1, (0, 0)
        for start, far, fine in self.blocks():
            near = np.where(fine <= min(LARGE, floor(delta**2 / self.fine.unit)), far, -1)
            i, j = np.unravel_index(int(near.argmax()), near.shape)
            if near[i, j] > best:
                best, pair = int(near[i, j]), (start + int(i), int(j))
        return best * self.far.unit, self.pair(*pair)

    def curve(self) -> Curve:
        """w as a function: it jumps where a pair is farther apart than all that are nearer."""
        import numpy as np

        fine, far = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        for _, block, near in self.blocks():
            fine, far = np.append(fine, near.ravel()), np.append(far, block.ravel())
            order = np.lexsort((-far, fine))
            fine, far = fine[order], far[order]
            rises = np.append(True, far[1:] > np.maximum.accumulate(far)[:-1])
            fine, far = fine[rises], far[rises]
        starts = [distance(int(n) * self.fine.unit) for n in fine]
        heights = [enumerated.height(int(n) * self.far.unit) for n in far]
        zipped = zip(starts, [*starts[1:], None], heights, strict=True)
        return Curve(tuple(Line(u, end, (True, False), v, Fraction(0), True) for u, end, v in zipped))


def greatest(tops: Any, bottoms: Any) -> tuple[Fraction, int]:
    """The greatest quotient of whole numbers, and a place that has it; a bottom is 0 only where the top is, and then
    does not count."""
    import numpy as np

    quotients = tops / np.maximum(bottoms, 1)
    best = np.flatnonzero((quotients >= quotients.max() * (1 - NEAR)) & (bottoms > 0))
    if not len(best):
        return Fraction(0), 0
    divisors = np.gcd(tops[best], bottoms[best])
    pairs, first = np.unique([tops[best] // divisors, bottoms[best] // divisors], axis=1, return_index=True)
    value, k = max((Fraction(int(a), int(b)), -k) for k, (a, b) in enumerate(pairs.T))
    return value, int(best[first[-k]])


def grid(decider: Decider, names: tuple[str, str]) -> Grid | None:
    """All points of X; None where there are many, or their distances are of other kinds."""
    classifiers = [decider.program.classifiers[name] for name in names]
    if any(f.metric is not None and (f.metric.join or f.metric.body is not None) for f in classifiers):
        return None
    points = enumerated.points(decider, MOST)
    found = [side(decider, f, points) for f in classifiers] if points else []
    far, fine = found or (None, None)
    if far is None or fine is None or len(points) ** 2 * (far.terms + fine.terms) > WORK:
        return None
    return Grid(points, far, fine)


def side(decider: Decider, classifier: Classifier, points: list[PointValue]) -> Side | None:
    import numpy as np

    values: list[list[Fraction]] = []
    for point in points:
        features = decider.replay.interpreter.features(classifier.name, point).values()
        entries = [x for value in features for x in (value if isinstance(value, tuple) else (value,))]
        values.append([x for x in entries if isinstance(x, Fraction)])
        if len(values[-1]) < len(entries):
            return None
    parts = [(rows, [[dot(row, v) for _, row in rows] for v in values]) for rows in forms(classifier, len(values[0]))]
    if not parts or not all(rows for rows, _ in parts):
        return None
    whole = lcm(*(x.denominator for _, images in parts for image in images for x in image))
    common = lcm(*(w.denominator for rows, _ in parts for w, _ in rows))
    numbers = [
        ([int(w * common) for w, _ in rows], [[int(x * whole) for x in image] for image in images])
        for rows, images in parts
    ]
    if any(most(weights, images) >= LARGE for weights, images in numbers):
        return None
    arrays = [(np.array(ws, dtype=np.int64), np.array(vs, dtype=np.int64)) for ws, vs in numbers]
    return Side(Fraction(1, whole * whole * common), arrays)


def most(weights: list[int], images: list[list[int]]) -> int:
    """A bound of the numbers of a block."""
    return sum(
        w * (2 * max(map(abs, column))) ** 2 for w, column in zip(weights, zip(*images, strict=True), strict=True)
    )


def dot(row: tuple[Fraction, ...], values: list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(row, values, strict=True) if a), Fraction(0))
