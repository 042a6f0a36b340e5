"""The area, the rim and the odd points of a union, exactly."""

from __future__ import annotations

import random
from fractions import Fraction as F

import pytest

from verifier.query.piece import Row
from verifier.report import arrangement
from verifier.report.arrangement import Edge, drawn, edges
from verifier.report.cells import NoPlane, Vertex, area

UNIT = ((F(0), F(0)), (F(1), F(0)), (F(1), F(1)), (F(0), F(1)))


def row(a: int, b: int, c: F | int) -> Row:
    return Row(tuple((i, F(w)) for i, w in enumerate((a, b)) if w), F(c))


def ends(found: tuple[Edge, ...]) -> set[tuple[Vertex, Vertex]]:
    return {(e.start, e.end) for e in found}


def inside(v: Vertex) -> bool:
    return 0 <= v[0] <= 1 and 0 <= v[1] <= 1


def test_sides_belong_or_not() -> None:
    """a >= 1/2 and b < 1/2."""
    half = F(1, 2)
    found = drawn([row(1, 0, -half), row(0, 1, -half)], UNIT, lambda v: inside(v) and v[0] >= half > v[1])
    assert [area(loop) for loop in found.loops] == [F(1, 4)]
    assert ends(found.closed) == {
        ((half, F(0)), (half, half)),
        ((half, F(0)), (F(1), F(0))),
        ((F(1), F(0)), (F(1), half)),
    }
    assert ends(found.open) == {((half, half), (F(1), half))}
    assert found.dots == ()
    assert found.holes == ((half, half), (F(1), half))


def test_a_cut_a_line_and_a_point() -> None:
    """Below 1/2 all but the line 1/4; a line above, and a point."""
    quarter, half, most = F(1, 4), F(1, 2), F(3, 4)

    def has(v: Vertex) -> bool:
        low = v[1] <= half and v[1] != quarter
        return inside(v) and (low or v[1] == most or v == (half, F(7, 8)))

    rows = [row(0, 8, -k) for k in (2, 4, 6, 7)] + [row(2, 0, -1)]
    found = drawn(rows, UNIT, has)
    assert sum(area(loop) for loop in found.loops) == half
    assert ends(found.open) == {((F(0), quarter), (F(1), quarter))}
    assert ((F(0), most), (F(1), most)) in ends(found.closed)
    assert found.dots == ((half, F(7, 8)),)
    assert set(found.holes) == {(F(0), quarter), (F(1), quarter)}


@pytest.mark.parametrize("seed", range(8))
def test_random_unions(seed: int) -> None:
    """The area is that of a fine count; every segment says what its inside is."""
    rng = random.Random(seed)
    parts = [
        [(row(rng.randint(-2, 2), rng.randint(-2, 2), F(rng.randint(-4, 4), 4)), rng.random() < 0.5) for _ in range(3)]
        for _ in range(2)
    ]

    def has(v: Vertex) -> bool:
        return inside(v) and any(all(r.at(v) > 0 or (r.at(v) == 0 and not s) for r, s in part) for part in parts)

    rows = [r for part in parts for r, _ in part if r.weights]
    found = drawn(rows, UNIT, has)
    size = sum((area(loop) for loop in found.loops), F(0))
    grid = [F(2 * k + 1, 80) for k in range(40)]
    share = sum(has((x, y)) for x in grid for y in grid) / 1600
    assert abs(float(size) - share) < 0.05
    for e in (*found.closed, *found.open):
        for t in (F(1, 7), F(5, 9)):
            at = (e.start[0] + t * (e.end[0] - e.start[0]), e.start[1] + t * (e.end[1] - e.start[1]))
            assert has(at) is e.on or at in {*found.dots, *found.holes}
    assert all(has(v) for v in found.dots)
    assert not any(has(v) for v in found.holes)


def test_the_sides_of_a_segment_are_looked_at_where_nothing_lies_between() -> None:
    """A line very near another one."""
    tiny = F(1, 10**9)
    rows = [row(1, 0, F(-1, 2)), Row(((0, F(1)),), -F(1, 2) - tiny)]
    found = list(edges(rows, UNIT, lambda v: F(1, 2) < v[0] < F(1, 2) + tiny))
    assert sorted((e.left, e.right) for e in found) == [(False, True), (True, False)]


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrangement, "MOST", 5)
    with pytest.raises(NoPlane, match="more than 5 sides"):
        drawn([row(1, 0, F(-k, 9)) for k in range(1, 4)], UNIT, inside)
