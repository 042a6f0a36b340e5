"""The modulus w as a function where l2 or mahalanobis measures d2': pieces of roots of delta^2, with jumps, exactly.

The engine says how near pairs can be that are h apart for the model; w is that turned round. What it claims is checked:
along each arc the places are in the closure of their piece and have the distances that they should have, so that w is
nowhere below what is said. That it is nowhere above is what the solver is trusted for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.engine import Arc, Arcs, Jump, Least, Unknown, Vector
from verifier.language.build import Form
from verifier.language.root import rational
from verifier.language.surd import Exact, between, distance
from verifier.query.piece import piece_of
from verifier.query.question import Question
from verifier.verdict import figure
from verifier.verdict.certify import ReplayFailed
from verifier.verdict.figure import Line
from verifier.verdict.measures.supremum import POINTS, at

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

ZERO = Fraction(0)


class Late(Exception):
    """An engine did not say."""


class Stretch(Struct, frozen=True):
    """w for delta^2 strictly between two levels (None: beyond all bounds), or just at `start` where both are equal.

    It runs from one height to another, infinite where `low` is None; `arc`: along which, unless it is level."""

    start: Exact
    end: Exact | None
    low: Exact | None
    high: Exact | None
    attained: bool
    arc: Arc | None = None

    @property
    def single(self) -> bool:
        return self.start == self.end


class Turned:
    """w from the arcs of its inverse."""

    def __init__(self, decider: Decider, rise: Form, square: Form, found: Arcs) -> None:
        self.decider, self.rise, self.square, self.found = decider, rise, square, found
        self.jumps = {jump.level: jump for jump in found.jumps}

    def curve(self) -> figure.Curve:
        """May raise Late."""
        return figure.Curve(tuple(joined(self.stretches())))

    def nearest(self, h: Fraction) -> tuple[Fraction | None, bool]:
        """inf { d2'^2 : d1' >= h } (None: of nothing), and whether a pair has it."""
        poser, build = self.decider.poser, self.decider.poser.build
        fact = build.at_least_zero(build.subtract(self.rise, build.constant(h)))
        posed = poser.pose(POINTS, [fact], numbers=[self.square], squares=True)
        if posed.impossible:
            return None, False
        match self.decider.portfolio.least(posed.question, self.decider.left()):
            case Least(_, value, attained):
                return value, attained
            case Unknown():
                raise Late
            case other:
                raise AssertionError(other)

    def reached(self, h: Exact | None, level: Exact) -> bool | None:
        """Some pair is h apart and as near as that; None: not asked, as h is irrational."""
        if h is None or not isinstance(h, Fraction):
            return None
        if h == 0:
            return True
        square, attained = self.nearest(h)
        return square is not None and (square < level or (attained and square == level))

    def stretches(self) -> list[Stretch]:
        """Points and the open stretches between them, in turn."""
        done: list[Stretch] = []
        level: Exact = ZERO
        known: Fraction | None = None
        for arc in self.found.arcs:
            if arc.flat and arc.square[2] == known:
                continue
            if arc.at(arc.start) > level:
                done += self.level(arc.start, level, arc.at(arc.start), not done)
                level = arc.at(arc.start)
            if arc.flat:
                known = arc.square[2]
                value = self.jumps[known].value
                there = self.reached(value, level)
                before = value is not None and (not done or done[-1].attained)
                done.append(Stretch(level, level, value, value, before if there is None else there))
                continue
            inside, attained = between(arc.start, arc.end), arc.attained
            if self.reached(inside, arc.at(inside)) is not attained:
                raise ReplayFailed(f"whether pairs attain the curve at the height {inside} is not what was claimed")
            if not done or not done[-1].single:
                there = self.reached(arc.start, level)
                either = attained or not done or done[-1].attained
                done.append(Stretch(level, level, arc.start, arc.start, either if there is None else there))
            end = None if arc.end is None else arc.at(arc.end)
            done.append(Stretch(level, end, arc.start, arc.end, attained, arc))
            level = level if end is None else end
        last = self.found.arcs[-1] if self.found.arcs else None
        if last is None or last.end is not None:
            top = ZERO if last is None or last.end is None else last.end
            done += self.level(top, level, None, not done or not done[-1].single)
        elif last.flat:
            done.append(Stretch(level, None, None, None, False))
        return done

    def level(self, h: Exact, start: Exact, end: Exact | None, point: bool) -> Iterator[Stretch]:
        """w stays h: from a level to another; with its first `point`, if that is not there yet."""
        assert isinstance(h, Fraction), "w rests where a piece ends, at a rational"
        square, attained = (ZERO, True) if h == 0 else self.nearest(h)
        if point:
            there = square is not None and (square < start or (attained and square == start))
            yield Stretch(start, start, h, h, there)
        if square is not None and square > start and (end is None or square < end):
            yield Stretch(start, square, h, h, False)
            yield Stretch(square, square, h, h, attained)
            start = square
        yield Stretch(start, end, h, h, square is not None and square <= start)


def joined(stretches: Sequence[Stretch]) -> Iterator[Line]:
    """Lines, where the formula and what is attained stay the same."""
    last: tuple[Line, Stretch] | None = None
    for stretch in stretches:
        line = drawn(stretch)
        if last is None:
            last = line, stretch
            continue
        left, before = last
        point, single = stretch.single, left.start == left.end
        fits = left.attained is line.attained and before.high == stretch.low
        alike = (left.constant, left.slope, left.bend) == (line.constant, line.slope, line.bend)
        if fits and (point or single or alike):
            model = line if single else left
            line = replace(model, start=left.start, end=line.end, closed=(left.closed[0], line.closed[1]))
        else:
            yield left
        last = line, stretch
    assert last is not None
    yield last[0]


def drawn(stretch: Stretch) -> Line:
    """h = p + sqrt((delta^2 - r) / a) where delta^2 = a (h - p)^2 + r."""
    start = distance(stretch.start)
    end = None if stretch.end is None else distance(stretch.end)
    closed = (stretch.single, stretch.single)
    if stretch.arc is None:
        return Line(start, end, closed, stretch.low, ZERO, stretch.attained)
    a, b, c = stretch.arc.square
    turn = -b / (2 * a)
    rest = c - a * turn * turn
    slope = rational(1 / a)
    if rest == 0 and slope is not None:
        return Line(start, end, closed, turn, slope, stretch.attained)
    return Line(start, end, closed, turn, ZERO, stretch.attained, (1 / a, ZERO, -rest / a))


# the check


def check(question: Question, found: Arcs) -> None:
    """w reaches what is said, everywhere. Raises ReplayFailed."""
    height: Exact | None = ZERO
    for arc in found.arcs:
        if height is None or arc.start != height:
            raise ReplayFailed("the arcs do not cover all heights")
        height = arc.end
        near, far = Shown(question, arc.z, arc.near), Shown(question, arc.z, arc.far)
        if not sound(arc, near, far):
            raise ReplayFailed(f"the curve does not run where it was claimed above {arc.start}")
    for jump in found.jumps:
        if jump.here is not None and not leaps(question, jump):
            raise ReplayFailed(f"the curve does not reach its value where its square is {jump.level}")


class Shown:
    """A place of the homogenised piece of z: a number of the question there, and the forms of the square."""

    def __init__(self, question: Question, z: Vector, place: Vector, which: int = 0) -> None:
        z = question.completed(z)
        if not question.solved_by(z):
            raise ReplayFailed("the family does not begin at a solution")
        (self.square,) = question.squares
        nodes = (question.numbers[which], *(n for _, n in self.square.terms))
        piece = piece_of(replace(question, numbers=nodes), z)
        rows = [r for r in (*piece.weak, *piece.strict) if not any(i == self.square.variable for i, _ in r.weights)]
        if place[-1] not in (0, 1) or any(at(r, place) < 0 for r in rows):
            raise ReplayFailed("the family leaves its piece")
        whole = zip(question.variables, z, place[:-1], strict=True)
        if any(v.integer and u != a * place[-1] for v, a, u in whole):
            raise ReplayFailed("the family changes a discrete coordinate")
        self.own = z[self.square.variable]
        self.ray = not place[-1]
        self.height, *self.forms = (at(r, place) for r in piece.numbers)

    def level(self, forms: Sequence[Fraction]) -> Fraction:
        return sum((w * f * f for (w, _), f in zip(self.square.terms, forms, strict=True)), ZERO)


def sound(arc: Arc, near: Shown, far: Shown) -> bool:
    """Heights and squares along the way are those of the arc."""
    start, end = arc.ends
    if near.ray or near.height != start or near.level(near.forms) != arc.at(start):
        return False
    if arc.flat:
        return start >= arc.end if arc.end is not None else far.ray and far.height > 0 and not any(far.forms)
    if end is None:
        if not far.ray or far.height != 1 or arc.start < start:
            return False
        heights = [start + 1, start + 2]
        mixed = [[f + (h - start) * g for f, g in zip(near.forms, far.forms, strict=True)] for h in heights]
    else:
        if far.ray or far.height != end or arc.end is None or not start <= arc.start < arc.end <= end:
            return False
        heights = [(start + end) / 2, end]
        mixed = [[(f + g) / 2 for f, g in zip(near.forms, far.forms, strict=True)], far.forms]
    return all(near.level(forms) == arc.at(h) for h, forms in zip(heights, mixed, strict=True))


def leaps(question: Question, jump: Jump) -> bool:
    """A solution and a place of its piece, both so near, and the place so high."""
    assert jump.here is not None
    place = Shown(question, *jump.here)
    if place.own > jump.level:
        return False
    if jump.value is None:
        return place.ray and place.height > 0 and not any(place.forms)
    return not place.ray and place.level(place.forms) <= jump.level and place.height >= jump.value
