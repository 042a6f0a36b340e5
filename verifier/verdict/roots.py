"""Questions about sums of roots (`l2 + linf`, a distance plus 1): enclosed, looked at exactly, enclosed more tightly.

A root is an input to the engines, of which the facts say that it lies between a polyhedral norm and tangents. What
has no solution then has none. A solution is evaluated as written, with roots as they are; if it is none, the tangents
at it are added. Each is a plain question with a plain certificate. Where that does not come to an end, at a radius that
is just right, z3's nonlinear solver is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.engines.engine import Answer, Fails, Holds, Least, Unknown, Vector
from verifier.language.root import rational
from verifier.language.surd import Exact, floor, surd
from verifier.model.claim import Always, Infimum
from verifier.model.meaning import NotYet
from verifier.model.roots import Norm
from verifier.query import closure
from verifier.query.piece import piece_of
from verifier.query.pose import Posed, Poser
from verifier.syntax import tree
from verifier.verdict.certify import Points, ReplayFailed, backed
from verifier.verdict.verdict import Measurement, interval

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

ROUNDS = 40
CLOSE = Fraction(1, 10**6)
"""Bounds that are relatively nearer to each other are near enough."""
IDLE = 4
"""Rounds that do not raise the bound below, one after another: each tightens one of the roots at one place, and the
least value may lie at several."""
INNER = (8, 2)
FINER = (3, 12)
"""Directions in a quarter of the plane, of the norms that a ball is between where null sets do not count."""
SIDES: tuple[tuple[Norm, type[Holds | Fails]], ...] = (("below", Holds), ("above", Fails))
ELSEWHERE = "`almost: true` with sums of roots elsewhere than in a ball"
NEAR = Fraction(1, 2**30)


def alike(poser: Poser, pose: Callable[[], Posed]) -> Posed:
    """A question in which all distances that are roots are inputs, if one of them has to be."""
    posed = pose()
    if not posed.roots or not posed.question.squares:
        return posed
    with poser.rooted():
        return pose()


def balls(poser: Poser, claim: Always) -> bool:
    """Sums of roots are what the balls of the premise are made of. Raises NotYet where they are elsewhere, too."""
    found = [g for g in claim.given if poser.has_roots([poser.truth(g, claim.points)])]
    for given in found:
        match given:
            case tree.Chain(_, (tree.Apply(_, tree.Name(_, "distance")), radius), ("<" | "<=",)) if not poser.has_roots(
                [poser.number(radius, claim.points)]
            ):
                pass
            case _:
                raise NotYet(ELSEWHERE)
    if poser.has_roots([poser.truth(claim.then, claim.points)]):
        raise NotYet(ELSEWHERE)
    return bool(found)


def search(
    decider: Decider,
    posed: Posed,
    again: Callable[[Poser], Posed],
    holds: Callable[[Points], bool],
) -> Answer:
    """A solution that holds with roots as they are, or none. `again` poses the same question."""
    for _ in range(ROUNDS):
        answer = decider.ask(posed)
        if not isinstance(answer, Fails) or holds(posed.read(answer.points[0])):
            return answer
        if not decider.poser.refine(posed, answer.points[0]):
            break
        posed = again(decider.poser)
    answer = decider.portfolio.find_root(posed.question, decider.left())
    if isinstance(answer, Fails) and not holds(posed.read(answer.points[0])):
        return Unknown("there is a solution, but none with rational coordinates was found")
    return answer


def least(decider: Decider, measure: Infimum) -> Measurement:
    """inf of a number with roots, or where distances that are roots stand among the conditions: enclosed, exact where
    the bounds meet."""
    bounds, idle = Bounds(decider, measure), 0
    for _ in range(ROUNDS):
        posed = bounds.pose(decider.poser)
        if posed.impossible:
            held = decider.folded(bounds.pose)
            return Measurement("infinity", trusts=held.trusts, certificates=held.certificates)
        answer = decider.portfolio.least(posed.question, decider.left())
        if isinstance(answer, Least) and answer.value is None:
            return backed(Measurement("infinity"), answer, posed.question, closure.smaller)
        if not isinstance(answer, Least):
            break
        assert answer.value is not None
        before, bounds.low = bounds.low, max(bounds.low, answer.value)
        bounds.known = partial(backed, answer=answer, question=posed.question, beyond=closure.smaller)
        vector = answer.points[0] if answer.attained else mixed(answer.points[0], answer.points[1])
        bounds.look(posed, vector)
        if bounds.high is not None and bounds.high == bounds.low:
            return bounds.told(bounds.low, True)
        if not answer.attained and bounds.plain and limit(posed, *answer.points):
            bounds.approach(posed, *answer.points)
            return bounds.told(bounds.low, False)
        near = bounds.high is not None and bounds.high - bounds.low <= CLOSE * bounds.high
        idle = idle + 1 if 0 < bounds.low <= before * (1 + CLOSE) else 0
        if near or idle == IDLE:
            break
        if not decider.poser.refine(posed, vector):
            break
    bounds.inner()
    return bounds.enclosed()


class Bounds:
    """What is known of an infimum so far."""

    def __init__(self, decider: Decider, measure: Infimum) -> None:
        self.decider, self.measure = decider, measure
        self.low = Fraction(0)
        self.high: Exact | None = None
        self.points: Points | None = None
        self.plain = True
        """No roots stand among the conditions."""
        self.known: Callable[[Measurement], Measurement] = lambda value: value

    def pose(self, poser: Poser) -> Posed:
        with poser.rooted():
            names = self.measure.points
            given = [poser.truth(g, names) for g in self.measure.given]
            self.plain = not poser.has_roots(given)
            return poser.pose(names, given, numbers=[poser.number(self.measure.of, names)], roots=True)

    def look(self, posed: Posed, vector: Vector) -> None:
        """A solution of the enclosure: if it is one indeed, the infimum is not above its number."""
        points = posed.read(vector)
        if self.decider.replay.holds(points, self.measure.given):
            value = surd(self.decider.replay.distance(self.measure.of, points))
            if value < self.low:
                raise ReplayFailed("a distance is less than the infimum")
            if self.high is None or value < self.high:
                self.high, self.points = value, points

    def approach(self, posed: Posed, z: Vector, y: Vector) -> None:
        """A pair that is at most eps above the infimum, but no nearer than it has to be."""
        for k in range(60):
            points = posed.read(mixed(z, y, Fraction(1, 2**k)))
            value = surd(self.decider.replay.distance(self.measure.of, points))
            if value <= self.low + self.decider.eps and self.decider.replay.holds(points, self.measure.given):
                self.points = points
                return

    def inner(self) -> None:
        """Where no pair was found, ask for one under conditions that imply those that are written."""
        names, poser = self.measure.points, self.decider.poser
        for fine in INNER:
            if self.points is not None:
                return
            with poser.rooted(), poser.rounded("above", fine):
                given = [poser.truth(g, names) for g in self.measure.given]
                posed = poser.pose(names, given, numbers=[poser.number(self.measure.of, names)])
            found = self.decider.portfolio.least(posed.question, self.decider.left())
            if isinstance(found, Least) and found.value is not None:
                self.look(posed, found.points[0] if found.attained else mixed(found.points[0], found.points[1]))

    def told(self, value: Fraction, attained: bool) -> Measurement:
        if self.points is None:
            return Measurement(None, why="no pair was found")
        pair = self.decider.show(self.points, self.measure.ends, self.measure.shown)
        return self.known(Measurement(value, attained, pair))

    def enclosed(self) -> Measurement:
        if self.high is None or self.points is None:
            return Measurement(None, why="no pair was found with roots as they are")
        pair = self.decider.show(self.points, self.measure.ends, self.measure.shown)
        ends = self.low, -floor(-self.high)
        why = "the infimum is no number that was found exactly"
        return self.known(Measurement(interval(*ends), None, pair, why, how="enclosed", enclosure=ends))


def mixed(z: Vector, y: Vector, share: Fraction = NEAR) -> Vector:
    """A solution near a place y of the closure of its piece."""
    return tuple(b + share * (a - b) for a, b in zip(z, y, strict=True))


def limit(posed: Posed, z: Vector, y: Vector) -> bool:
    """Roots are exact where the infimum is approached."""
    question = posed.question
    nodes = tuple(n for root in question.roots for _, n in root.terms)
    piece = piece_of(replace(question, numbers=nodes), z)
    values = dict(zip(nodes, piece.numbers, strict=True))
    squares = [sum((w * values[n].at(y) ** 2 for w, n in root.terms), Fraction(0)) for root in question.roots]
    return all(rational(q) == y[root.variable] for q, root in zip(squares, question.roots, strict=True))


def written(
    decider: Decider, truths: Sequence[tree.Expr], falsehoods: Sequence[tree.Expr] = ()
) -> Callable[[Points], bool]:
    """Whether these hold at points and those do not, evaluated as written."""
    return lambda points: decider.replay.holds(points, truths, falsehoods)
