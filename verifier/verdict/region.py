"""Polyhedra and affine images of points, in the language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from verifier.canonical.inequality import Bound, conjunction, number
from verifier.engines.eliminate import Half
from verifier.model.program import Coordinate, Program
from verifier.query.piece import Row

EVERYWHERE = "all of X"


def formula(program: Program, part: Sequence[Half], points: Sequence[str] = ()) -> str:
    """The sides of a part, joined; of a finite coordinate the members that they leave. Without names of points it is
    about the coordinates of one."""
    return " and ".join(sides(program, part, points)) or EVERYWHERE


def entries(program: Program, points: Sequence[str]) -> list[tuple[str, Coordinate]]:
    """How each coordinate of the points is written, an entry of a vector like one."""
    assert program.domain is not None
    return [
        (f"{point}{c.name}" if c.size is None else f"{point}{c.name}[{k}]", c)
        for point in ([f"{p}." for p in points] or [""])
        for c in program.domain.coordinates
        for k in range(c.size or 1)
    ]


def sides(program: Program, part: Sequence[Half], points: Sequence[str]) -> Iterator[str]:
    listed = entries(program, points)
    for i, (name, c) in enumerate(listed):
        own = [h for h in part if {j for j, _ in h.row.weights} == {i}]
        if own and c.kind == "finite":
            at = {m: (*[Fraction(0)] * i, Fraction(k)) for k, m in enumerate(c.members)}
            yield among(name, c.members, [m for m in c.members if all(h.holds(at[m]) for h in own)])
            part = [h for h in part if h not in own]
    yield from conjunction([Bound(h.row.weights, h.row.constant, h.strict) for h in part], codes(listed))


def codes(listed: Sequence[tuple[str, Coordinate]]) -> dict[int, str]:
    """The names of numbers; of a member of a finite sort, its place."""
    return {i: f"code({name})" if c.kind == "finite" else name for i, (name, c) in enumerate(listed)}


def among(name: str, members: Sequence[str], left: Sequence[str]) -> str:
    """The coordinate is one of the members that are left."""
    gone = [m for m in members if m not in left]
    if len(left) > len(gone):
        return " and ".join(f"{name} != {m}" for m in gone)
    equal = [f"{name} == {m}" for m in left]
    return equal[0] if len(equal) == 1 else f"({' or '.join(equal)})"


def image(program: Program, name: str, rows: Sequence[Row], points: Sequence[str], part: Sequence[Half]) -> str:
    """`name`, whose coordinates are these forms of those of the others in this part: `y = x, but age = 30`."""
    listed, own = entries(program, points), entries(program, ())
    written = [f"{n} = {value(row, c, listed)}" for row, (n, c) in zip(rows, own, strict=True)]

    def differing(point: int) -> list[str]:
        start = point * len(own)
        return [text for i, text in enumerate(written) if not same(rows[i], start + i, own[i][1], part)]

    changes, nearest = min(((differing(k), p) for k, p in enumerate(points)), key=lambda pair: len(pair[0]))
    if len(changes) == len(own):
        return f"{name} = {{{', '.join(changes)}}}"
    return f"{name} = {nearest}, but {', '.join(changes)}" if changes else f"{name} = {nearest}"


def same(row: Row, i: int, coordinate: Coordinate, part: Sequence[Half]) -> bool:
    """The form is coordinate i, or the one member of it that the part leaves."""
    if row.weights or coordinate.kind != "finite":
        return row == Row(((i, Fraction(1)),), Fraction(0))
    own = [h for h in part if [j for j, _ in h.row.weights] == [i]]
    left = [k for k in range(len(coordinate.members)) if all(h.holds((*[Fraction(0)] * i, Fraction(k))) for h in own)]
    return left == [row.constant]


def value(row: Row, coordinate: Coordinate, listed: Sequence[tuple[str, Coordinate]]) -> str:
    """A coordinate as a form of others."""
    if coordinate.kind == "finite" and not row.weights:
        return coordinate.members[int(row.constant)]
    match row.weights, row.constant:
        case ((i, Fraction(numerator=1, denominator=1)),), Fraction(numerator=0):
            return listed[i][0]
    return number(row.weights, row.constant, codes(listed))
