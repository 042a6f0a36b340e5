"""The mean distance to a differently labelled point (THEORY section 4): E[rho], rho(x) = inf { d(x, x') : a flip }.

rho(x) <= t iff (x, t) lies in the shadow { (x, t) : d(x, x') <= t for some x' in C } of one of the cells C of the other
labels. So the integral of rho is the volume that the shadows, which are convex, leave of X x [0, top]: nothing is
farther than `top`.

- Where d is a convex function of x - x', a shadow is the sum of C and of the epigraph of that function: its corners are
  sums of corners.
- Cells may be without an inside: with the epigraph added they have one.
- Elsewhere the pairs that flip are split until d is affine on each part Q. The shadow of Q has the corners of Q, with
  t = d and with t = top.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import inf

from msgspec import Struct

from verifier.engines.volume import OutOfTime, Polytope, Row, box, whole
from verifier.engines.weigh import FAR, UNIFORM, Density, Exact, Region, Scale, Side, Split, chance, height, seam_of
from verifier.kernel.circuit import Input, Select
from verifier.query.convex import sums
from verifier.query.question import Question

ZERO = Fraction(0)


class Shadow:
    """A convex set of (x, t), by its corners; `least` is a t that none of it is below."""

    def __init__(self, corners: Callable[[], Sequence[Exact]], least: Fraction) -> None:
        self.corners, self.least = corners, least
        self._rows: list[Row] | None = None

    def rows(self, end: float) -> list[Row]:
        """Its half-spaces. May raise OutOfTime."""
        if self._rows is None:
            self._rows = hull(self.corners(), end)
        return self._rows


class Thin(Struct, frozen=True):
    """The closure of a convex set of points without an inside, by its corners: the real coordinates, in order, of which
    `real` are the places."""

    real: Sequence[int]
    fixed: Mapping[int, Fraction]
    corners: Sequence[Exact]

    def point(self, corner: Exact) -> Exact:
        """All coordinates."""
        found = {**self.fixed, **dict(zip(self.real, corner, strict=True))}
        return tuple(x for _, x in sorted(found.items()))


Cell = Region | Thin


def corners_of(cell: Cell) -> Sequence[Exact]:
    return cell.corners if isinstance(cell, Thin) else places(cell.polytope)


Shadows = Mapping[Exact, Sequence[Shadow]]
"""By the coordinates of x that are not real."""


class Ground(Struct):
    """Parts of X, and the shadows of all that flips there."""

    regions: Sequence[Region]
    shadows: Shadows


def parts(
    question: Question, sides: dict[int, Side], end: float, density: Density = UNIFORM
) -> Iterator[tuple[Region, list[Exact]]]:
    """The parts with an inside on which all facts hold, the numbers of the question are affine and the density constant
    and positive, or OutOfTime."""
    scale = Scale(question, None, 0.0, sides, 0, density)
    start = box([sides[i] for i in sorted(sides)])
    for _, _, fixed in scale.corners():
        yield from pieces_of(Region(question, scale.free, fixed, start), end, density)


def pieces_of(region: Region, end: float, density: Density = UNIFORM) -> Iterator[tuple[Region, list[Exact]]]:
    """Those of a region."""
    question, stack = region.question, [region]
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
    grounds: Sequence[Ground], top: Fraction, end: float, density: Density = UNIFORM, most: Fraction | None = None
) -> Side:
    """Bounds of the integral of rho times the density, equal on time. `most`: a bound of the mass of all parts. May
    raise OutOfTime."""
    total, done = ZERO, ZERO
    try:
        for ground in grounds:
            for region in ground.regions:
                left, highest = [prism(region.polytope, top)], top
                for shadow in sorted(ground.shadows.get(key(region), ()), key=lambda s: s.least):
                    if time.monotonic() > end:
                        raise OutOfTime
                    if shadow.least >= highest:
                        break
                    left = [rest for polytope in left for rest in without(polytope, shadow.rows(end))]
                    highest = max(
                        (Fraction(p[-2], p[-1]) for polytope in left for p, _ in polytope.vertices), default=ZERO
                    )
                weight = height(region, density) * chance(region.fixed, density)
                total += weight * sum((polytope.volume(end) for polytope in left), ZERO)
                done += weight * region.polytope.volume(end)
    except OutOfTime:
        if most is None or not done:
            raise
        return total, total + top * (most - done)
    return total, total


def of_pairs(flips: Question, sides: dict[int, Side], width: int, end: float) -> tuple[Fraction, Shadows]:
    """The top, and the shadows of the pairs of `flips`: its number is d, its first `width` inputs are x and the others
    x'. `sides`: what the real inputs range over. May raise OutOfTime."""
    both = {**sides, **{i + width: side for i, side in sides.items()}}
    found: dict[Exact, list[list[Exact]]] = {}
    for region, (row,) in parts(flips, both, end):
        corners = [(*c[: len(sides)], value(row, c)) for c in places(region.polytope)]
        found.setdefault(key(region, width), []).append(corners)
    top = 1 + max((c[-1] for several in found.values() for corners in several for c in corners), default=ZERO)

    def shadow(corners: list[Exact]) -> Shadow:
        return Shadow(lambda: [*corners, *((*c[:-1], top) for c in corners)], min(c[-1] for c in corners))

    return top, {at: list(map(shadow, several)) for at, several in found.items()}


def of_cells(
    pairs: Question, cells: Sequence[tuple[Sequence[Region], Sequence[Cell]]], sides: dict[int, Side], end: float
) -> tuple[Fraction, list[Shadows]] | None:
    """The top, and for each of `cells`, which are parts of X and all that flips there, the shadows of the latter; None
    if d, the number of `pairs`, is not a convex function of x - x'. May raise OutOfTime."""
    width = len(pairs.variables) // 2
    seen, shifting = differences(pairs, width)
    if not seen & sides.keys() <= shifting:
        return None

    def apart(x: Region, y: Cell) -> Exact:
        """All that d sees of their coordinates that are not real."""
        fixed = [(x.fixed[i], y.fixed[i], i in shifting) for i in sorted(x.fixed.keys() & seen)]
        return tuple(v for a, b, shifts in fixed for v in ((a - b,) if shifts else (a, b)))

    thin = [corner for _, others in cells for y in others if isinstance(y, Thin) for corner in y.corners]
    there = [
        (min([a, *column]), max([b, *column]))
        for (_, (a, b)), *column in zip(sorted(sides.items()), *thin, strict=True)
    ]
    reach = [(a - d, b - c) for (_, (a, b)), (c, d) in zip(sorted(sides.items()), there, strict=True)]
    heights: dict[Exact, list[Exact]] = {}
    top = ZERO
    chosen = [({key(r): r for r in regions}, others) for regions, others in cells]
    for x, y in {apart(x, y): (x, y) for own, others in chosen for x in own.values() for y in others}.values():
        fixed = {**x.fixed, **{i + width: v for i, v in y.fixed.items()}, **{i + width: ZERO for i in sides}}
        start = Region(pairs, x.free, fixed, box(reach))
        pieces = [(places(region.polytope), row) for region, (row,) in pieces_of(start, end)]
        rows = [row for _, row in pieces]
        if any(value(row, c) < value(other, c) for corners, row in pieces for c in corners for other in rows):
            return None
        top = max(top, *(value(row, c) for corners, row in pieces for c in corners))
        heights[apart(x, y)] = rows
    top += 1
    over = {at: places(epigraph(rows, reach, top)) for at, rows in heights.items()}

    def shadow(x: Region, cell: Cell) -> Shadow:
        above = over[apart(x, cell)]
        return Shadow(lambda: [plus(c, z) for c in corners_of(cell) for z in above], min(z[-1] for z in above))

    return top, [{at: [shadow(x, cell) for cell in others] for at, x in own.items()} for own, others in chosen]


def differences(pairs: Question, width: int) -> tuple[set[int], set[int]]:
    """The inputs that the number of `pairs` sees, and those of which it sees only the difference between x and x'; by
    their place in a point."""
    forms = sums(pairs.circuit)
    seen, tied, known, stack = set[int](), set[int](), set[int](), list(pairs.numbers)
    while stack:
        i = stack.pop()
        if i in known:
            continue
        known.add(i)
        weights: dict[int, Fraction] = {}
        for n, w in forms[i][1]:
            match pairs.circuit[n]:
                case Input(index):
                    weights[index] = w
                case Select(test, then, otherwise):
                    stack += [test, then, otherwise]
        seen |= {k % width for k in weights}
        tied |= {k % width for k, w in weights.items() if w + weights.get((k + width) % (2 * width), ZERO)}
    return seen, seen - tied


def epigraph(rows: Sequence[Exact], reach: Sequence[Side], top: Fraction) -> Polytope:
    """The (z, t) with t at most `top` and at least each of the forms of z; in `reach` only, where that is unbounded."""
    for sides in ([(-FAR, FAR)] * len(reach), reach):
        polytope = box([*sides, (Fraction(-1), top)])
        for row in rows:
            part = polytope.above(whole([*(-a for a in row[:-1]), Fraction(1), -row[-1]]))
            assert part is not None
            polytope = part
        if not any(tight & (1 << 2 * len(reach)) - 1 for _, tight in polytope.vertices):
            break
    return polytope


def places(polytope: Polytope) -> list[Exact]:
    """The corners."""
    return list(dict.fromkeys(tuple(Fraction(x, p[-1]) for x in p[:-1]) for p, _ in polytope.vertices))


def plus(corner: Exact, over: Exact) -> Exact:
    """(corner, 0) + over."""
    return (*(a + b for a, b in zip(corner, over, strict=False)), over[-1])


def key(region: Region, width: int | None = None) -> Exact:
    """The coordinates of the point (of x alone, if it is `width` wide) that are not real."""
    return tuple(v for i, v in sorted(region.fixed.items()) if width is None or i < width)


def value(row: Exact, place: Exact) -> Fraction:
    return sum((a * x for a, x in zip(row[:-1], place, strict=True)), row[-1])


def prism(polytope: Polytope, top: Fraction) -> Polytope:
    """The product with [0, top]."""
    lifted = box([*polytope.spans(), (ZERO, top)])
    for row in polytope.rows:
        part = lifted.above((*row[:-1], 0, row[-1]))
        assert part is not None
        lifted = part
    return lifted


def hull(points: Sequence[Exact], end: float = inf) -> list[Row]:
    """The half-spaces of the convex hull, which has an inside: the corners of the polar seen from the mean. May raise
    OutOfTime."""
    points = list(dict.fromkeys(points))
    size = len(points[0])
    mean = tuple(sum((p[k] for p in points), ZERO) / len(points) for k in range(size))
    polar = box([(-FAR, FAR)] * size)
    for p in points:
        if time.monotonic() > end:
            raise OutOfTime
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
