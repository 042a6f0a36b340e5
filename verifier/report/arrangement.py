"""A union of half-open polygons in a rectangle, exactly: its area, and which of its sides and corners belong to it.

All lines on which the answer may change cut each other into segments; on the inside of each, and just beside it, the
answer is constant, so that one rational point tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from msgspec import Struct

from verifier.query.piece import Row
from verifier.report.cells import Border, NoPlane, Polygon, Vertex, clip, outline

MOST = 120
"""More lines than this are no picture any more."""


class Edge(Struct, frozen=True):
    """A segment: whether its inside belongs to the union, and what is to its left and to its right."""

    start: Vertex
    end: Vertex
    on: bool
    left: bool
    right: bool


class Drawn(Struct, frozen=True):
    """The area of a union by its outline; the segments and points where there is something to say."""

    loops: tuple[Polygon, ...]
    closed: tuple[Edge, ...]
    """On the rim and belonging to it, or a line by itself."""
    open: tuple[Edge, ...]
    """On the rim and left out, or a cut through the area."""
    dots: tuple[Vertex, ...]
    """Points that belong to it, unlike a segment that ends there."""
    holes: tuple[Vertex, ...]
    """Points that do not, unlike a segment that ends there."""


def drawn(rows: Iterable[Row], box: Polygon, has: Callable[[Vertex], bool]) -> Drawn:
    """The union `has`, whose sides lie on `rows`."""
    found = list(edges(lines([*rows, *walls(box)]), box, has))
    told = [e for e in found if e.left != e.right or e.on != e.left]
    single = [v for v, near in ends(found, told).items() if any(e.on != has(v) for e in near)]
    return Drawn(
        tuple(outline([Border(e.start, e.end, e.left, e.right) for e in found], lambda inside: inside is True)),
        tuple(joined(e for e in told if e.on)),
        tuple(joined(e for e in told if not e.on)),
        tuple(sorted(v for v in single if has(v))),
        tuple(sorted(v for v in single if not has(v))),
    )


def ends(found: Sequence[Edge], told: Sequence[Edge]) -> dict[Vertex, list[Edge]]:
    """The ends of the segments, each with those it is compared with: those that are told of, if one ends there."""
    around: dict[Vertex, list[Edge]] = defaultdict(list)
    for e in told:
        around[e.start].append(e)
        around[e.end].append(e)
    rest: dict[Vertex, list[Edge]] = defaultdict(list)
    for e in found:
        for v in (e.start, e.end):
            if v not in around:
                rest[v].append(e)
    return {**around, **rest}


def walls(box: Polygon) -> list[Row]:
    (x0, y0), _, (x1, y1), _ = box
    one = Fraction(1)
    return [Row(((k, one),), -end) for k, ends in ((0, (x0, x1)), (1, (y0, y1))) for end in ends]


def lines(rows: Iterable[Row]) -> list[Row]:
    """Each line once, with first coefficient 1."""
    found: dict[Row, None] = {}
    for row in rows:
        if row.weights:
            first = row.weights[0][1]
            found[Row(tuple((i, w / first) for i, w in row.weights), row.constant / first)] = None
    if len(found) > MOST:
        raise NoPlane(f"The region has more than {MOST} sides in this plane: too many to draw. Draw a smaller slice.")
    return list(found)


def edges(rows: Sequence[Row], box: Polygon, has: Callable[[Vertex], bool]) -> Iterator[Edge]:
    """The segments of all lines in the box, from the lesser end to the greater one."""
    for row in rows:
        between = sorted(clip(clip(box, row), row.minus()))
        if len(between) < 2:
            continue
        others = [r for r in rows if r is not row]
        first, last = between[0], between[-1]
        cuts = {first, last}
        cuts |= {v for r in others if (v := crossing(row, r)) is not None and first < v < last}
        for a, b in pairwise(sorted(cuts)):
            middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
            to_the_left = (a[1] - b[1], b[0] - a[0])
            step = near(others, middle, to_the_left)
            left, right = ((middle[0] + s * to_the_left[0], middle[1] + s * to_the_left[1]) for s in (step, -step))
            yield Edge(a, b, has(middle), has(left), has(right))


def crossing(one: Row, other: Row) -> Vertex | None:
    """Where two lines meet in one point."""
    (a, b), (c, d) = ([dict(r.weights).get(k, Fraction(0)) for k in (0, 1)] for r in (one, other))
    det = a * d - b * c
    if not det:
        return None
    return (b * other.constant - d * one.constant) / det, (c * one.constant - a * other.constant) / det


def near(others: Sequence[Row], point: Vertex, direction: Vertex) -> Fraction:
    """So far one may go both ways without meeting another line."""
    step = Fraction(1)
    for row in others:
        speed = sum((w * direction[i] for i, w in row.weights), Fraction(0))
        if speed:
            step = min(step, abs(row.at(point) / speed) / 2)
    return step


def joined(found: Iterable[Edge]) -> list[Edge]:
    """Edges of one line that follow each other are one."""
    after: dict[Vertex, list[Edge]] = defaultdict(list)
    for e in sorted(found, key=lambda e: (e.start, e.end)):
        before = next((d for d in after[e.start] if straight(d, e)), None)
        if before is not None:
            after[e.start].remove(before)
            e = Edge(before.start, e.end, e.on, e.left, e.right)
        after[e.end].append(e)
    return [e for kept in after.values() for e in kept]


def straight(one: Edge, other: Edge) -> bool:
    (ax, ay), (bx, by), (cx, cy) = one.start, one.end, other.end
    same = (one.on, one.left, one.right) == (other.on, other.left, other.right)
    return same and (bx - ax) * (cy - by) == (by - ay) * (cx - bx)
