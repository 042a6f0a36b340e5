"""Where to cut a polytope that a ball meets: its parts are to lie inside, outside, or between a chord and a tangent.

The ball is { sum of w_i f_i^2 <= bound } in affine forms f of the polytope. Cones around the centre are halved until
they are narrower than `grain`. In a narrow cone the half-space beyond a tangent is outside, and a chord that meets the
cone's rays no farther out than the sphere leaves the inside; what is between shrinks with the square of the angle.
Floats only choose where to cut; `inside` and `outside` decide, in whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import acos, ceil, floor, frexp, ldexp, log2, sqrt

from msgspec import Struct

from verifier.engines.volume import Point, Row, dot, whole
from verifier.language.root import rational

Cut = tuple[tuple[int, ...], Fraction]
"""a and b: cut where a . f = b."""

SHORT = 24
"""Directions are rounded to whole numbers of this size, divided by the angle: short numbers make volumes fast."""
DIGITS = 10
"""So many bits has the level of a cut, and two more for each halving of the angle; an irrational end has LONG."""
LONG = 40
NARROW = 1e-6
"""What is nearer to the centre, or to a cut, than this share of the radius counts as there."""


class Square(Struct, frozen=True):
    """sum of weight * (row . point)^2, every weight positive."""

    weights: tuple[Fraction, ...]
    rows: tuple[Row, ...]

    def images(self, vertices: Sequence[tuple[Point, int]]) -> list[Point]:
        """The forms at the vertices, and their common denominator last."""
        return [(*(dot(row, p) for row in self.rows), p[-1]) for p, _ in vertices]

    def at(self, image: Point) -> Fraction:
        """The value at an image."""
        return sum((w * x * x for w, x in zip(self.weights, image[:-1], strict=True)), Fraction(0)) / image[-1] ** 2

    def inside(self, images: Sequence[Point], bound: Fraction) -> bool:
        """At most `bound` all over the polytope: the square is convex, so a vertex has the greatest value."""
        weights = whole([*self.weights, bound])
        return all(dot(weights[:-1], [x * x for x in p[:-1]]) <= weights[-1] * p[-1] ** 2 for p in images)

    def outside(self, images: Sequence[Point], bound: Fraction, direction: tuple[int, ...]) -> bool:
        """At least `bound` all over the polytope, as a direction shows: (a . f)^2 <= square * sum a_i^2 / w_i, by
        Cauchy and Schwarz."""
        least = bound * self.length(direction)
        for p in images:
            low = dot(direction, p[:-1])
            if low <= 0 or low * low * least.denominator < least.numerator * p[-1] ** 2:
                return False
        return True

    def length(self, direction: Sequence[int]) -> Fraction:
        """sum a_i^2 / w_i."""
        return sum((Fraction(c * c) / w for c, w in zip(direction, self.weights, strict=True)), Fraction(0))

    def cut(self, images: Sequence[Point], bound: Fraction, grain: float) -> Cut | None:
        """Where to cut; None where everything is cut that is as wide as `grain` (an angle)."""
        import numpy as np

        if len(self.weights) == 1:
            return along(self.weights[0], [Fraction(x, d) for x, d in images], bound)
        radius, roots = sqrt(bound), np.sqrt([float(w) for w in self.weights])
        seen = np.array([[x / p[-1] for x in p[:-1]] for p in images]) * roots / radius
        norms = np.sqrt((seen * seen).sum(axis=1))
        rays = seen[norms > NARROW] / norms[norms > NARROW, None]
        if len(rays) < 2:
            return None
        cosines = rays @ rays.T
        a, b = divmod(int(cosines.argmin()), len(rays))
        size = ceil(SHORT / grain)
        if acos(max(-1.0, min(1.0, float(cosines[a, b])))) > grain:
            bisector = short(roots * (rays[a] - rays[b]), size)
            return None if bisector is None else (bisector, Fraction(0))
        row = short(roots * rays.sum(axis=0), size)
        if row is None:
            return None
        scale = sqrt(self.length(row))
        axis = np.array(row) / roots / scale
        digits = DIGITS + 2 * ceil(-log2(grain))
        heights = seen @ axis
        tangent = trimmed(radius * scale, digits, up=True)
        if heights.max() > tangent / (radius * scale) + NARROW:
            return row, tangent
        chord = trimmed(radius * scale * float((rays @ axis).min()), digits, up=False)
        return (row, chord) if heights.min() < chord / (radius * scale) - NARROW else None


def along(weight: Fraction, images: Sequence[Fraction], bound: Fraction) -> Cut | None:
    """Of one form, the ball is an interval; an irrational end lies between two rational cuts."""
    end = rational(bound / weight)
    ends = [end] if end is not None else [trimmed(sqrt(bound / weight), LONG, up) for up in (False, True)]
    cuts = [((1,), s * e) for e in ends for s in (1, -1)]
    return next((c for c in cuts if min(images) < c[1] < max(images)), None)


def towards(square: Square, images: Sequence[Point]) -> tuple[int, ...] | None:
    """The direction of the middle of the polytope."""
    columns = zip(*([x / p[-1] for x in p[:-1]] for p in images), strict=True)
    return short([float(w) * sum(column) for w, column in zip(square.weights, columns, strict=True)], SHORT**2)


def short(direction: Sequence[float], size: int) -> tuple[int, ...] | None:
    """Whole numbers up to `size` in about the same ratio; None of nothing."""
    most = max(map(abs, direction))
    return tuple(round(float(x) / most * size) for x in direction) if most > 0 else None


def trimmed(number: float, digits: int, up: bool) -> Fraction:
    """A number of so many bits near another: not below it (up) or not above it, but for the rounding of floats."""
    part, exponent = frexp(number)
    cut = ceil(ldexp(part, digits)) if up else floor(ldexp(part, digits))
    return Fraction(cut) * Fraction(2) ** (exponent - digits)
