"""The modulus w as a function (THEORY section 3): piecewise linear, with jumps, by exact corners.

The engine says where w runs and gives for each stretch a solution z and places of the closure of its piece: those are
checked here, so that w is nowhere below what is said. That it is nowhere above is what the solver is trusted for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from verifier.engines.engine import Arcs, Curve, Knot, Ridges, Stretch, Unknown, Vector
from verifier.model.claim import Computation
from verifier.query.question import Question
from verifier.syntax import tree
from verifier.verdict import figure
from verifier.verdict.certify import ReplayFailed, distance
from verifier.verdict.figure import Line
from verifier.verdict.measures import enumerated, euclidean_curve, grid, polyhedral, round_curve
from verifier.verdict.measures.supremum import POINTS, at, leads
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.query.pose import Posed
    from verifier.verdict.decide import Decider

SHARE = 0.25
"""Of the time, for the exact curve of an l2 distance; else it is enclosed."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """Every corner and jump, and which values some pair attains."""
    names = computation.classifier("f1"), computation.classifier("f2")
    if (axioms := decider.axioms(names)) is not None:
        return Measurement(None, why=axioms)
    far, fine = (distance(name, *POINTS) for name in names)
    poser = decider.poser
    rise, run = (poser.square(d, POINTS) for d in (far, fine))
    rooted = polyhedral.needed(decider, far, fine)
    if (rooted or rise is not None or run is not None) and (few := enumerated.pairs(decider, far, fine)):
        return told(names, enumerated.curve(few), enumerated.TRUSTS)
    if not rooted and (rise is not None or run is not None) and (all_pairs := grid.grid(decider, names)) is not None:
        return told(names, all_pairs.curve(), enumerated.TRUSTS)
    if rooted or (rise is not None and run is not None):
        return polyhedral.best(decider, partial(polyhedral.curve, decider, far, fine))
    share = 1.0 if rise is None else SHARE
    rise, run = rise or poser.number(far, POINTS), run or poser.number(fine, POINTS)
    posed = poser.pose(POINTS, [], numbers=[rise, run], squares=True)
    match decider.portfolio.curve(posed.question, share * decider.left()):
        case Curve(_, knots, trusts):
            check(decider, posed, knots, far, fine)
            drawn = figure.Curve(tuple(lines(knots)))
        case Arcs(trusts=trusts) as found:
            euclidean_curve.check(posed.question, found)
            try:
                drawn = euclidean_curve.Turned(decider, rise, run, found).curve()
            except euclidean_curve.Late:
                return Measurement(None, why="out of time")
        case Ridges(_, ridges, trusts):
            round_curve.check(decider, posed, ridges, far, fine)
            drawn = figure.Curve(tuple(round_curve.lines(ridges)))
        case Unknown(why):
            if share < 1:
                return polyhedral.best(decider, partial(polyhedral.curve, decider, far, fine))
            return Measurement(None, why=why)
        case other:
            raise AssertionError(other)
    return told(names, drawn, trusts)


def told(names: tuple[str, str], drawn: figure.Curve, trusts: tuple[str, ...]) -> Measurement:
    """The curve, and whether it begins at 0."""
    limit = "infinity" if drawn.limit is None else str(drawn.limit)
    how = "uniformly contained" if drawn.limit == 0 else "not uniformly contained"
    note = f"As delta tends to 0 it tends to {limit}: {names[0]} is {how} in {names[1]}."
    said = f"{len(drawn.lines)} line{'s' if len(drawn.lines) > 1 else ''}, w(0+) = {limit}"
    return Measurement(said, trusts=trusts, notes=(note,), figure=drawn)


# the check


def check(decider: Decider, posed: Posed, knots: Sequence[Knot], far: tree.Expr, fine: tree.Expr) -> None:
    """w reaches what is said, everywhere. Raises ReplayFailed."""
    question = posed.question
    stretches = [knot.after for knot in knots]
    ends = [*(s.start for s in stretches[1:]), None]
    if not knots or stretches[0].start != 0 or [s.end for s in stretches] != ends:
        raise ReplayFailed("the stretches do not cover all distances")
    before: Fraction | None = Fraction(-1)
    for knot in knots:
        start = knot.after.start
        jumps = knot.value != before
        if jumps and (knot.here is None or not reaches(question, *knot.here, start, knot.value, closed=True)):
            raise ReplayFailed(f"the curve does not reach its value at {start}")
        runs(question, knot.after)
        before = None if knot.after.end is None else knot.after.at(knot.after.end)
        inside = start + 1 if knot.after.end is None else (start + knot.after.end) / 2
        for pair, delta, value in (
            (knot.attained, start, knot.value),
            (knot.attained_after, inside, knot.after.at(inside)),
        ):
            if pair is not None:
                points = posed.read(pair)
                decider.replay.demand(points, [])
                if decider.replay.number(far, points) != value or decider.replay.number(fine, points) > delta:
                    raise ReplayFailed(f"the curve is not attained at {delta}")


def reaches(
    question: Question, z: Vector, place: Vector, delta: Fraction, value: Fraction | None, closed: bool = False
) -> bool:
    """The place of the piece of z shows that w is at least `value` beyond delta; `closed`: at delta itself."""
    rise, run = leads(question, z, place)
    if closed and run.at(z) > delta:
        return False
    if value is None:
        return place[-1] == 0 == at(run, place) and at(rise, place) > 0
    return place[-1] == 1 and at(run, place) <= delta and at(rise, place) >= value


def runs(question: Question, stretch: Stretch) -> None:
    """The places of a stretch are what it takes for its line."""
    start, end, z, near, away = stretch.start, stretch.end, stretch.z, stretch.near, stretch.far
    if stretch.low is None:
        rise, run = leads(question, z, near)
        sound = (
            away is not None and near[-1] == 1 and at(run, near) <= start and reaches(question, z, away, start, None)
        )
    else:
        sound = reaches(question, z, near, start, stretch.low)
        if away is None:
            sound = sound and stretch.slope == 0
        elif away[-1] == 0:
            rise, run = leads(question, z, away)
            sound = sound and at(run, away) <= 1 and at(rise, away) >= stretch.slope >= 0
        else:
            sound = sound and end is not None and reaches(question, z, away, end, stretch.at(end))
    if not sound:
        raise ReplayFailed(f"the curve does not run where it was claimed after {start}")


# the lines


def lines(knots: Sequence[Knot]) -> Iterator[Line]:
    """Knots and stretches, joined where the formula and what is attained are the same."""
    last: Line | None = None
    for knot in knots:
        after = knot.after
        constant = None if after.low is None else after.low - after.slope * after.start
        beyond = Line(after.start, after.end, (False, False), constant, after.slope, knot.attained_after is not None)
        here = Line(after.start, after.start, (True, True), knot.value, Fraction(0), knot.attained is not None)
        for line in (here, beyond):
            joined = None if last is None else join(last, line)
            if joined is None and last is not None:
                yield last
            last = joined or line
    assert last is not None
    yield last


def join(left: Line, right: Line) -> Line | None:
    """One line for two that follow each other, if there is one."""
    assert isinstance(right.start, Fraction)
    if left.attained is not right.attained or left.at(right.start) != right.at(right.start):
        return None
    single, point = left.start == left.end, right.start == right.end
    model = right if single else left
    if not single and not point and left.slope != right.slope:
        return None
    return Line(left.start, right.end, (left.closed[0], right.closed[1]), model.constant, model.slope, left.attained)
