"""The Lipschitz constant K = sup d1' / d2' (THEORY section 3), where 0/0 does not count and d1' > 0 = d2' is infinite.

For a non-empty piece P and any K: d1' <= K d2' on P iff it holds on the cone of all (r x, r) with x in P and r > 0, for
both sides are affine; iff it holds on the closure of that cone, which is the homogenised closure of P. So the supremum
over P is that of the linear D1 : D2 over a polyhedral cone: infinite iff D2 = 0 < D1 somewhere in it, and otherwise the
maximum of D1 where D2 = 1 (none if D2 vanishes: then so does D1). Bounded or not, P needs no other treatment.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from verifier.engines.engine import Answer, Fails, Most, Unknown, Vector
from verifier.model.claim import Computation
from verifier.query import closure
from verifier.query.piece import Row
from verifier.query.pose import Posed
from verifier.syntax import tree
from verifier.verdict.certify import Points, ReplayFailed, backed, distance
from verifier.verdict.measures import directional, enumerated, polyhedral
from verifier.verdict.measures.euclidean import Steepness
from verifier.verdict.measures.supremum import POINTS, at, leads, member
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

SHARE = 0.8
"""Of the time, for the constant; the rest is for a pair at oracle distance zero."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """K, attained by a pair or approached by a family."""
    names = computation.classifier("f1"), computation.classifier("f2")
    if (axioms := decider.axioms(names)) is not None:
        return Measurement(None, why=axioms)
    poser, replay = decider.poser, decider.replay
    far, fine = (distance(name, *POINTS) for name in names)
    rooted = polyhedral.needed(decider, far, fine)
    euclidean = any(poser.square(d, POINTS) is not None for d in (far, fine))
    if (rooted or euclidean) and (few := enumerated.pairs(decider, far, fine)):
        return enumerated.constant(decider, names, few)
    if rooted:
        return polyhedral.best(decider, partial(polyhedral.constant, decider, names, far, fine))
    if euclidean:
        return Steepness(decider, names, far, fine).compute()
    slope = directional.constant(decider, names, SHARE * decider.left())
    if slope is not None and slope.amount is not None:
        return slope
    coarse, close = (poser.number(d, POINTS) for d in (far, fine))
    posed = poser.pose(POINTS, [], numbers=[coarse, close])
    answer = decider.portfolio.steepest(posed.question, SHARE * decider.left())
    if isinstance(answer, Unknown) or (isinstance(answer, Most) and answer.value is None):
        build = poser.build  # a finite constant says that there is no such pair
        zero = poser.pose(
            POINTS, [build.at_least_zero(build.scale(-1, close)), build.above_zero(coarse)], large=[coarse]
        )
        apart = decider.ask(zero)
        if isinstance(apart, Fails):
            points = _inside(decider, zero.read(apart.points[0]))
            if replay.number(fine, points) > 0 or replay.number(far, points) <= 0:
                raise ReplayFailed("the pair is not at oracle distance zero")
            note = "At oracle distance 0 no constant will do."
            return Measurement("infinity", None, replay.witness(points, names), notes=(note,))
    value = _shown(decider, posed, names, far, fine, answer)
    if value.amount is None and slope is not None:
        return slope
    return backed(value, answer, posed.question, closure.steeper)


def _shown(
    decider: Decider, posed: Posed, names: tuple[str, str], far: tree.Expr, fine: tree.Expr, answer: Answer
) -> Measurement:
    """The constant with its pair, replayed."""
    replay = decider.replay
    match answer:
        case Most(_, None, _, (z, place)):
            rise, run = leads(posed.question, z, place)
            if at(run, place) != 0 or at(rise, place) <= 0:
                raise ReplayFailed("the quotient does not grow without bound")
            vector = member(z, place, lambda v: rise.at(v) * decider.eps >= run.at(v))
            points = _same(decider, posed, vector, {far: rise, fine: run})
            start = at(rise, place) / place[-1] if place[-1] else None
            note = (
                f"d1' / d2' grows without bound along a line: d1' as well, while d2' stays {run.at(z)}."
                if start is None
                else f"d1' / d2' grows without bound along a line: d2' tends to 0, and d1' to {start}."
            )
            return Measurement("infinity", None, replay.witness(points, names), notes=(note,))
        case Most(_, Fraction() as value, True, (vector,)):
            points = _inside(decider, posed.read(vector))
            run_here = replay.number(fine, points)
            if run_here <= 0 or replay.number(far, points) != value * run_here:
                raise ReplayFailed("the quotient is not the one that was claimed")
            return Measurement(value, True, replay.witness(points, names))
        case Most(_, Fraction() as value, False, (z, place)):
            rise, run = leads(posed.question, z, place)
            if at(run, place) <= 0 or at(rise, place) != value * at(run, place):
                raise ReplayFailed("the supremum is not approached where it was claimed")
            vector = member(z, place, lambda v: run.at(v) > 0 and rise.at(v) >= (value - decider.eps) * run.at(v))
            points = _same(decider, posed, vector, {far: rise, fine: run})
            return Measurement(value, False, replay.witness(points, names))
        case Most(_, Fraction() as value, False, ()):
            note = "No two points have a distance, for either classifier: every constant will do."
            return Measurement(value, None, notes=(note,))
        case Unknown(why):
            return Measurement(None, why=why)
        case other:
            raise AssertionError(other)


def _inside(decider: Decider, points: Points) -> Points:
    decider.replay.demand(points, [])
    return points


def _same(decider: Decider, posed: Posed, vector: Vector, rows: Mapping[tree.Expr, Row]) -> Points:
    """The points of a member of a family; the distances, evaluated as written, are those of its piece."""
    points = _inside(decider, posed.read(vector))
    if any(decider.replay.number(written, points) != row.at(vector) for written, row in rows.items()):
        raise ReplayFailed("a distance is not what the piece says")
    return points
