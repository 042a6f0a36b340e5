"""Small classifiers measured by elementary geometry: polygons cut by lines, and functions of one number by their knots.

Nothing here knows a circuit, a solver or a theorem; all numbers are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction as F
from itertools import pairwise, product
from random import Random

Point = tuple[F, F]
Polygon = tuple[Point, ...]
"""Corners in order, all around; with an inside."""
Line = tuple[F, F, F]
"""a x + b y + c."""


def at(line: Line, p: Point) -> F:
    return line[0] * p[0] + line[1] * p[1] + line[2]


def cut(polygon: Polygon, line: Line) -> Polygon | None:
    """Where the line is >= 0; None if that has no inside."""
    kept: list[Point] = []
    for p, q in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        a, b = at(line, p), at(line, q)
        if a >= 0:
            kept.append(p)
        if a * b < 0:
            kept.append((p[0] + (q[0] - p[0]) * a / (a - b), p[1] + (q[1] - p[1]) * a / (a - b)))
    corners = tuple(dict.fromkeys(kept))
    return corners if area(corners) else None


def area(polygon: Sequence[Point]) -> F:
    """By the shoelace formula."""
    around = zip(polygon, (*polygon[1:], *polygon[:1]), strict=True)
    return abs(sum((p[0] * q[1] - q[0] * p[1] for p, q in around), F(0))) / 2


def minus(line: Line) -> Line:
    return -line[0], -line[1], -line[2]


BOX: Polygon = ((F(-1), F(-1)), (F(1), F(-1)), (F(1), F(1)), (F(-1), F(1)))


@dataclass(frozen=True)
class Net:
    """yes iff sum of out * relu(a x + b y + c) + last >= 0; without neurons iff `first` >= 0."""

    neurons: tuple[Line, ...]
    out: tuple[F, ...]
    last: F
    first: Line | None = None

    def score(self, p: Point) -> F:
        if self.first is not None:
            return at(self.first, p)
        return sum((o * max(at(n, p), F(0)) for o, n in zip(self.out, self.neurons, strict=True)), self.last)

    def cells(self) -> list[tuple[Polygon, Line]]:
        """Polygons on each of which the score is one line."""
        if self.first is not None:
            return [(BOX, self.first)]
        found: list[tuple[Polygon, Line]] = [(BOX, (F(0), F(0), self.last))]
        for o, n in zip(self.out, self.neurons, strict=True):
            both = []
            for polygon, (a, b, c) in found:
                if (on := cut(polygon, n)) is not None:
                    both.append((on, (a + o * n[0], b + o * n[1], c + o * n[2])))
                if (off := cut(polygon, minus(n))) is not None:
                    both.append((off, (a, b, c)))
            found = both
        return found

    def regions(self, level: F = F(0)) -> tuple[list[Polygon], list[Polygon]]:
        """Where the score is at least `level`, and where it is at most -`level`."""
        parts: tuple[list[Polygon], list[Polygon]] = ([], [])
        for polygon, (a, b, c) in self.cells():
            for side, line in zip(parts, ((a, b, c - level), (-a, -b, -c - level)), strict=True):
                if not (a or b):
                    if line[2] >= 0:
                        side.append(polygon)
                elif (part := cut(polygon, line)) is not None:
                    side.append(part)
        return parts

    def flips_along(self, p: Point, axis: int) -> bool:
        """Some point that differs from p in one coordinate has the other label: the score is extreme at a bend."""
        places = {F(-1), F(1)}
        for n in self.neurons:
            if n[axis]:
                places.add(p[axis] - at(n, p) / n[axis])
        line = [self.score((x, p[1]) if axis == 0 else (p[0], x)) for x in places if abs(x) <= 1]
        return min(line) < 0 if self.score(p) >= 0 else max(line) >= 0

    def written(self, name: str = "x") -> str:
        """The score, in the language."""
        if self.first is not None:
            a, b, c = self.first
            return f"({a})*{name}[0] + ({b})*{name}[1] + ({c})"
        terms = (
            f"({o})*relu(({a})*{name}[0] + ({b})*{name}[1] + ({c}))"
            for o, (a, b, c) in zip(self.out, self.neurons, strict=True)
        )
        return " + ".join([*terms, f"({self.last})"])


def some_net(random: Random, neurons: int) -> Net:
    """Odd denominators keep it from the ties that other tests are about."""

    def number() -> F:
        return F(random.choice([-1, 1]) * random.randint(1, 40), random.choice([7, 9, 11, 13]))

    if not neurons:
        return Net((), (), F(0), (number(), number(), number() / 4))
    lines = tuple((number(), number(), number() / 2) for _ in range(neurons))
    return Net(lines, tuple(number() for _ in lines), number() / 2)


# norms of a pair of numbers: their square for l2, and what they are on a segment at the least


@dataclass(frozen=True)
class Norm:
    """`of` gives the norm, or where `squared` its square, of a difference. `dual` the same of a gradient."""

    name: str
    of: Callable[[F, F], F]
    dual: Callable[[F, F], F]
    squared: bool = False
    matrix: tuple[F, F, F] = (F(1), F(0), F(1))


def quadratic(name: str, a: int, b: int, c: int) -> Norm:
    """a u^2 + 2 b u v + c v^2, and the quadratic form of the inverse matrix."""
    matrix, size = (F(a), F(b), F(c)), F(a * c - b * b)
    return Norm(
        name,
        lambda u, v: a * u * u + 2 * b * u * v + c * v * v,
        lambda u, v: (c * u * u - 2 * b * u * v + a * v * v) / size,
        True,
        matrix,
    )


NORMS = (
    Norm("linf", lambda u, v: max(abs(u), abs(v)), lambda u, v: abs(u) + abs(v)),
    Norm("l1", lambda u, v: abs(u) + abs(v), lambda u, v: max(abs(u), abs(v))),
    quadratic("l2", 1, 0, 1),
    quadratic("mahalanobis([[2, 1], [1, 3]])", 2, 1, 3),
)


def to_segment(norm: Norm, p: Point, ends: tuple[Point, Point]) -> F:
    """From a point to a segment: the least is at an end, at a kink, or where the derivative of a square vanishes."""
    (a, b), (c, d) = ends
    u, v, s, t = a - p[0], b - p[1], c - a, d - b  # the differences are (u + k s, v + k t) for k in [0, 1]
    shares = [F(0), F(1)]
    if norm.squared:
        x, y, z = norm.matrix
        bottom = x * s * s + 2 * y * s * t + z * t * t
        shares.append(-(x * u * s + y * (u * t + v * s) + z * v * t) / bottom)
    else:
        for top, bottom in ((u, s), (v, t), (u - v, s - t), (u + v, s + t)):
            if bottom:
                shares.append(-top / bottom)
    return min(norm.of(u + k * s, v + k * t) for k in shares if 0 <= k <= 1)


def sides(polygon: Polygon) -> list[tuple[Point, Point]]:
    return list(zip(polygon, (*polygon[1:], polygon[0]), strict=True))


def to_polygons(norm: Norm, p: Point, polygons: Sequence[Polygon]) -> F | None:
    """From a point outside of them; None from no polygon."""
    return min((to_segment(norm, p, side) for polygon in polygons for side in sides(polygon)), default=None)


def meet(polygon: Polygon, other: Polygon) -> Polygon | None:
    """The common part of two convex polygons."""
    part: Polygon | None = polygon
    centre = (sum((p[0] for p in other), F(0)) / len(other), sum((p[1] for p in other), F(0)) / len(other))
    for (a, b), (c, d) in sides(other):
        line = (b - d, c - a, a * d - b * c)
        part = None if part is None else cut(part, line if at(line, centre) > 0 else minus(line))
    return part


def between(norm: Norm, left: Sequence[Polygon], right: Sequence[Polygon]) -> F | None:
    """Two convex polygons without a common point are as far apart as a corner of one is from a side of the other."""
    distances = [
        to_segment(norm, p, side)
        for one, other in product(left, right)
        for a, b in ((one, other), (other, one))
        for p in a
        for side in sides(b)
    ]
    return min(distances, default=None)


# one input


@dataclass(frozen=True)
class Knots:
    """A continuous function on [-1, 1], linear between its knots."""

    places: tuple[F, ...]
    values: tuple[F, ...]

    def at(self, x: F) -> F:
        for (a, b), (u, v) in zip(pairwise(self.places), pairwise(self.values), strict=True):
            if a <= x <= b:
                return u + (v - u) * (x - a) / (b - a)
        raise ValueError(x)

    def zeros(self) -> list[F]:
        """Where it changes its sign."""
        found = []
        for (a, b), (u, v) in zip(pairwise(self.places), pairwise(self.values), strict=True):
            if u * v < 0:
                found.append(a + (b - a) * u / (u - v))
        return found

    def modulus(self, delta: F) -> F:
        """The greatest |f(x) - f(y)| with |x - y| <= delta: x or y is a knot, or both are ends of it."""
        best = F(0)
        for x in self.places:
            for y in (x - delta, x + delta, *self.places):
                y = max(F(-1), min(F(1), y))
                if abs(x - y) <= delta:
                    best = max(best, abs(self.at(x) - self.at(y)))
        return best

    def steepest(self) -> F:
        slopes = (
            (v - u) / (b - a) for (a, b), (u, v) in zip(pairwise(self.places), pairwise(self.values), strict=True)
        )
        return max(map(abs, slopes))

    def written(self, name: str = "x") -> str:
        """In the language: a line, and a relu for each bend."""
        slopes = [
            (v - u) / (b - a) for (a, b), (u, v) in zip(pairwise(self.places), pairwise(self.values), strict=True)
        ]
        bends = "".join(
            f" + ({t - s})*relu({name} - ({p}))" for (s, t), p in zip(pairwise(slopes), self.places[1:], strict=False)
        )
        return f"({self.values[0]}) + ({slopes[0]})*({name} + 1){bends}"


def some_knots(random: Random, count: int) -> Knots:
    inner = sorted(random.sample(range(-20, 21), count))
    values = tuple(
        F(random.choice([-1, 1]) * random.randint(1, 30), random.choice([7, 9, 11])) for _ in range(count + 2)
    )
    return Knots((F(-1), *(F(k, 23) for k in inner), F(1)), values)


def mean_to_zeros(f: Knots, where: Callable[[F], bool] = lambda x: True, turns: Sequence[F] = ()) -> F | None:
    """The mean over [-1, 1] of the distance to the nearest change of sign, where `where` holds, which changes at zeros
    and `turns` only. None: there is no change of sign, and `where` is not nowhere."""
    zeros = f.zeros()
    ends = sorted({F(-1), F(1), *zeros, *turns, *((a + b) / 2 for a, b in pairwise(zeros))})
    parts = [(a, b) for a, b in pairwise(ends) if where((a + b) / 2)]
    if not zeros:
        return None if parts else F(0)
    return sum(((b - a) * min(abs((a + b) / 2 - z) for z in zeros) for a, b in parts), F(0)) / 2


def flips(f: Knots, radius: F) -> F:
    """The share of the pairs within the radius that have one sign: areas in the square of x and x'."""
    square: Polygon = ((F(-1), F(-1)), (F(1), F(-1)), (F(1), F(1)), (F(-1), F(1)))
    strip = cut(cut(square, (F(1), F(-1), radius)) or (), (F(-1), F(1), radius))
    assert strip is not None
    ends = [F(-1), *f.zeros(), F(1)]
    same = F(0)
    for (a, b), (c, d) in product(pairwise(ends), repeat=2):
        if (f.at((a + b) / 2) >= 0) == (f.at((c + d) / 2) >= 0):
            part: Polygon | None = strip
            for line in ((F(1), F(0), -a), (F(-1), F(0), b), (F(0), F(1), -c), (F(0), F(-1), d)):
                part = None if part is None else cut(part, line)
            same += area(part) if part is not None else 0
    return same / area(strip)
