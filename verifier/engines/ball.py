"""Where to cut a polytope that a ball meets: its parts are to lie inside, outside, or between a chord and a tangent.

The ball is { sum of w_i f_i^2 <= bound } in affine forms f of the polytope. Cones around the centre are halved until
they are narrower than `grain`. In a narrow cone the half-space beyond a tangent is outside, and a chord that meets the
cone's rays no farther out than the sphere leaves the inside; what is between shrinks with the square of the angle.
Of two forms, cones are not needed: the ball lies between the polygon of some of its points and that of its tangents
there. Floats only choose where to cut; whole numbers decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from math import acos, ceil, cos, floor, frexp, gcd, ldexp, log2, pi, sin, sqrt

from msgspec import Struct

from verifier.engines.volume import Point, Polytope, Row, dot, whole
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


class Disc(Struct, frozen=True):
    """The places where a square of two forms is at most `bound`."""

    square: Square
    bound: Fraction

    def within(self, polytope: Polytope, corners: int) -> Polytope | None:
        """The part within the polygon of so many points of the ball; None of one without an inside."""
        return self._cut(polytope, polygons(self.square.weights, self.bound, corners)[0])

    def around(self, polytope: Polytope, corners: int) -> Polytope | None:
        """The part within the polygon of as many tangents."""
        return self._cut(polytope, polygons(self.square.weights, self.bound, corners)[1])

    def beyond(self, polytope: Polytope, corners: int) -> Row | bool:
        """Whether the polytope lies beyond one of so many tangents; or one that cuts it."""
        sides = list(self._cutting(polytope, polygons(self.square.weights, self.bound, corners)[1]))
        return not all(some for _, some in sides) or next((self._row(side) for side, _ in sides), False)

    def _cut(self, polytope: Polytope, sides: Sequence[Row]) -> Polytope | None:
        part: Polytope | None = polytope
        for side, _ in self._cutting(polytope, sides):
            if part is None:
                return None
            part = part.above(self._row(side))
        return part

    def _cutting(self, polytope: Polytope, sides: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
        """The sides that a polytope is not all within, and whether some of it is."""
        images = self.square.images(polytope.vertices)
        for side in sides:
            values = [dot(side, image) for image in images]
            if min(values) < 0:
                yield side, max(values) > 0

    def _row(self, side: Row) -> Row:
        """A side of a polygon, in the coordinates of the polytope."""
        first, second = self.square.rows
        row = [side[0] * a + side[1] * b for a, b in zip(first, second, strict=True)]
        row[-1] += side[2]
        divisor = gcd(*row)
        return tuple(x // divisor for x in row)


@cache
def polygons(weights: tuple[Fraction, ...], bound: Fraction, corners: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The sides (a, b, c), a f_1 + b f_2 + c >= 0, of a polygon in the ball, and of one around it."""
    bits = 2 * corners.bit_length()
    grain = Fraction(1, 1 << bits)
    axes = [rational(bound / w) or trimmed(sqrt(bound / w), bits, up=False) for w in weights]

    def turned(share: float) -> list[Fraction]:
        """The unit vector at that share of the circle, rounded inwards."""
        angle = 2 * pi * share
        return [int(x / grain) * grain for x in (cos(angle), sin(angle))]

    points = []
    for k in range(corners):
        p = [x * axis for x, axis in zip(turned((k + 0.5) / corners), axes, strict=True)]
        while sum((w * x * x for w, x in zip(weights, p, strict=True)), Fraction(0)) > bound:
            p = [x * (1 - grain) for x in p]
        points.append(p)
    chords = []
    for p, q in zip(points, [*points[1:], points[0]], strict=True):
        a, b = p[1] - q[1], q[0] - p[0]
        chords.append(whole([a, b, -a * p[0] - b * p[1]]))
    tangents = []
    for k in range(corners):
        a, b = (x / axis for x, axis in zip(turned(k / corners), axes, strict=True))
        square = bound * (a * a / weights[0] + b * b / weights[1])
        level = rational(square) or trimmed(sqrt(square), bits, up=True)
        while level * level < square:
            level *= 1 + grain
        tangents.append(whole([-a, -b, level]))
    return tuple(chords), tuple(tangents)


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
