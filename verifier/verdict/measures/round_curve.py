"""The modulus w as a function where l2 or mahalanobis measures d1', and something piecewise linear d2': roots of
quadratics in delta, with jumps, exactly.

The engine says along which places of the closure of which pieces w runs. They are checked to lie there and to have the
distances that they should have, so that w is nowhere below what is said. That it is nowhere above is what the solver is
trusted for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.engines.engine import Ridge
from verifier.language.root import Root, rational
from verifier.language.surd import between, surd
from verifier.query.pose import Posed
from verifier.query.question import Question
from verifier.syntax import tree
from verifier.verdict.certify import ReplayFailed
from verifier.verdict.figure import Line
from verifier.verdict.measures.euclidean_curve import Shown

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

ZERO = Fraction(0)


def check(decider: Decider, posed: Posed, ridges: Sequence[Ridge], far: tree.Expr, fine: tree.Expr) -> None:
    """w reaches what is said, everywhere, and pairs attain what they should. Raises ReplayFailed."""
    before: Ridge | None = None
    for ridge in ridges:
        begins = ridge.start == 0 and ridge.single if before is None else follows(before, ridge)
        if not begins or not runs(posed.question, ridge):
            raise ReplayFailed(f"the curve does not run where it was claimed from {ridge.start} on")
        left = before.at(ridge.start) if before is not None else None
        if ridge.single and left != ridge.at(ridge.start) and not reaches(posed.question, ridge):
            raise ReplayFailed(f"the curve does not reach its value at {ridge.start}")
        if ridge.pair is not None:
            delta = ridge.start if ridge.single else between(ridge.start, ridge.end)
            points = posed.read(ridge.pair)
            decider.replay.demand(points, [])
            height, run = surd(decider.replay.distance(far, points)), surd(decider.replay.distance(fine, points))
            if run > delta or height * height != ridge.at(delta):
                raise ReplayFailed(f"the curve is not attained at {delta}")
        before = ridge
    if before is None or before.single or before.end is not None:
        raise ReplayFailed("the curve does not cover all distances")


def follows(before: Ridge, ridge: Ridge) -> bool:
    """Single distances and what lies between them take turns."""
    if ridge.single:
        return not before.single and before.end == ridge.start
    return before.single and before.end == ridge.start and (ridge.end is None or ridge.start < ridge.end)


def runs(question: Question, ridge: Ridge) -> bool:
    """Distances along the way are those of the ridge, so that w is no less: beyond its beginning the piece has pairs
    with less than delta, and pairs near to each place."""
    near, far = (Shown(question, ridge.z, place, 1) for place in (ridge.near, ridge.far))
    start, end = ridge.ends
    last = ridge.start if ridge.single else ridge.end
    if near.ray or near.height > start or ridge.start < start or near.level(near.forms) != ridge.at(start):
        return False
    if end is None:
        return not any(ridge.square[:2])
    if far.ray or far.height > end or last is None or last > end or not start < end:
        return False
    mixed = [(f + g) / 2 for f, g in zip(near.forms, far.forms, strict=True)]
    return far.level(far.forms) == ridge.at(end) and near.level(mixed) == ridge.at((start + end) / 2)


def reaches(question: Question, ridge: Ridge) -> bool:
    """A pair of the piece is so near."""
    values = question.values(question.completed(ridge.z))
    return values[question.numbers[1]] <= ridge.start


def lines(ridges: Sequence[Ridge]) -> Iterator[Line]:
    """Lines, where the formula and what is attained stay the same."""
    last: tuple[Line, Ridge] | None = None
    for ridge in ridges:
        line = drawn(ridge)
        if last is not None:
            left, before = last
            fits = left.attained is line.attained and before.at(ridge.start) == ridge.at(ridge.start)
            if fits and (ridge.single or before.single or before.square == ridge.square):
                model = left if ridge.single or not before.single else line
                line = replace(model, start=left.start, end=line.end, closed=(left.closed[0], line.closed[1]))
                ridge = before if ridge.single else ridge
            else:
                yield left
        last = line, ridge
    assert last is not None
    yield last[0]


def drawn(ridge: Ridge) -> Line:
    """The root of the quadratic; a line where it is a square."""
    a, b, c = ridge.square
    line = Line(ridge.start, ridge.end, (ridge.single, ridge.single), ZERO, ZERO, ridge.attained)
    if ridge.single and isinstance(value := ridge.at(ridge.start), Fraction):
        return replace(line, constant=surd(Root(value)))
    if not a:
        return replace(line, constant=surd(Root(c)))
    if b * b != 4 * a * c:
        return replace(line, bend=ridge.square)
    steep, shift = rational(a), b / (2 * a)
    line = replace(line, constant=surd(Root(a)) * shift)
    return replace(line, bend=(a, ZERO, ZERO)) if steep is None else replace(line, slope=steep)
