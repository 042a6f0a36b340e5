"""The mean distance to a differently labelled point (THEORY section 4): E[rho], rho(x) = inf { d(x, x') : a flip }.

The pairs that flip are split until d is affine on each part Q. Then rho(x) <= t iff (x, t) lies in the projection of
some { (x, x', t) : (x, x') in Q, d(x, x') <= t <= T }, whose corners are those of Q with t = d or t = T, a common upper
bound. So the integral of rho is the volume that these projections leave of X x [0, T].
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction

from verifier.engines.volume import OutOfTime, Polytope, Row, box, whole
from verifier.engines.weigh import FAR, UNIFORM, Density, Exact, Region, Scale, Side, Split, chance, height, seam_of
from verifier.query.question import Question


def parts(
    question: Question, sides: dict[int, Side], end: float, density: Density = UNIFORM
) -> Iterator[tuple[Region, list[Exact]]]:
    """The parts with an inside on which all facts hold, the numbers of the question are affine and the density constant
    and positive, or OutOfTime."""
    scale = Scale(question, None, 0.0, sides, 0, density)
    start = box([sides[i] for i in sorted(sides)])
    for _, _, fixed in scale.corners():
        stack = [Region(question, scale.free, fixed, start)]
        while stack:
            if time.monotonic() > end:
                raise OutOfTime
            region = stack.pop()
            split = next((t for t in map(region.truth, question.facts) if t is not True), True)
            rows: list[Exact] = []
            if split is True:
                for number in question.numbers:
                    found = region.number(number)
                    if isinstance(found, Split):
                        split = found.row
                        break
                    rows.append(found)
            if split is True and (seam := seam_of(region, density)) is not None:
                split = seam
            if split is True:
                if height(region, density):
                    yield region, rows
            elif split is not False:
                stack += [region.part(p) for p in region.polytope.split(split) if p is not None]


def integral(
    domain: Question,
    flips: Question,
    sides: dict[int, Side],
    width: int,
    end: float,
    density: Density = UNIFORM,
    support: dict[int, Side] | None = None,
    most: Fraction | None = None,
) -> Side | None:
    """Bounds of the integral of rho times the density over the facts of `domain`, equal on time; None when no pair
    flips. The first number of `flips` is d; its first `width` inputs are x, the others x'. `sides`: what the real
    inputs range over; `support`: where they have a density; `most`: a bound of the mass of `domain`. May raise
    OutOfTime."""
    both = {**sides, **{i + width: side for i, side in sides.items()}}
    places = range(len(sides))
    shadows: dict[Exact, list[list[Exact]]] = {}
    top = Fraction(0)
    for region, (row,) in parts(flips, both, end):
        corners = [tuple(Fraction(x, p[-1]) for x in p[:-1]) for p, _ in region.polytope.vertices]
        found = [(*(c[k] for k in places), value(row, c)) for c in corners]
        top = max(top, *(c[-1] for c in found))
        shadows.setdefault(key(region, width), []).append(found)
    if not shadows:
        return None
    top += 1  # so that every projection has an inside
    hulls = {
        at: [hull([*found, *((*c[:-1], top) for c in found)]) for found in several] for at, several in shadows.items()
    }
    total, done = Fraction(0), Fraction(0)
    try:
        for region, _ in parts(domain, support or sides, end, density):
            left = [prism(region.polytope, top)]
            for rows in hulls.get(key(region, width), []):
                if time.monotonic() > end:
                    raise OutOfTime
                left = [rest for polytope in left for rest in without(polytope, rows)]
            weight = height(region, density) * chance(region.fixed, density)
            total += weight * sum((polytope.volume(end) for polytope in left), Fraction(0))
            done += weight * region.polytope.volume(end)
    except OutOfTime:
        if most is None or not done:
            raise
        return total, total + top * (most - done)
    return total, total


def key(region: Region, width: int) -> Exact:
    """The coordinates of x that are not real."""
    return tuple(v for i, v in sorted(region.fixed.items()) if i < width)


def value(row: Exact, place: Exact) -> Fraction:
    return sum((a * x for a, x in zip(row[:-1], place, strict=True)), row[-1])


def prism(polytope: Polytope, top: Fraction) -> Polytope:
    """The product with [0, top]."""
    lifted = box([*polytope.spans(), (Fraction(0), top)])
    for row in polytope.rows:
        part = lifted.above((*row[:-1], 0, row[-1]))
        assert part is not None
        lifted = part
    return lifted


def hull(points: Sequence[Exact]) -> list[Row]:
    """The half-spaces of the convex hull, which has an inside: the corners of the polar seen from the mean."""
    points = list(dict.fromkeys(points))
    size = len(points[0])
    mean = tuple(sum((p[k] for p in points), Fraction(0)) / len(points) for k in range(size))
    polar = box([(-FAR, FAR)] * size)
    for p in points:
        part = polar.above(whole([*(m - x for m, x in zip(mean, p, strict=True)), Fraction(1)]))
        assert part is not None
        polar = part
    rows: dict[Row, None] = {}
    for corner, tight in polar.vertices:
        assert tight >> 2 * size << 2 * size == tight, "the polar of a set with an inside is bounded"
        y = [Fraction(x, corner[-1]) for x in corner[:-1]]
        offset = sum((a * m for a, m in zip(y, mean, strict=True)), Fraction(1))
        rows[whole([*(-a for a in y), offset])] = None
    return list(rows)


def without(polytope: Polytope, rows: Sequence[Row]) -> list[Polytope]:
    """The polytope minus the intersection of half-spaces, in parts without common inside."""
    outside: list[Polytope] = []
    inside: Polytope | None = polytope
    for row in rows:
        assert inside is not None
        inside, beyond = inside.split(row)
        if beyond is not None:
            outside.append(beyond)
        if inside is None:
            return [polytope]
    return outside
