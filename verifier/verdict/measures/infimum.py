"""Infima: the critical radius and the minimal distance (THEORY section 3)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.engines.engine import Answer, Least, Unknown, Vector
from verifier.model.claim import Infimum
from verifier.query.piece import piece_of
from verifier.query.pose import Posed
from verifier.verdict.certify import CANONICAL, FOLDED, ReplayFailed, within
from verifier.verdict.verdict import Measurement, Witness

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider


def compute(decider: Decider, measure: Infimum) -> Measurement:
    """inf of the distance over the points with all of `given`, exactly; attained, or the pair that comes within eps."""
    axioms = decider.axioms(measure.shown)
    if axioms is not None:
        return Measurement(None, None, why=axioms)
    poser = decider.poser
    given = [poser.truth(g, measure.points) for g in measure.given]
    of = poser.number(measure.of, measure.points)
    posed = poser.pose(measure.points, given, numbers=[of])
    answer: Answer = (
        Least(FOLDED, None, False, (), CANONICAL)
        if posed.impossible
        else decider.portfolio.least(posed.question, decider.left())
    )
    match answer:
        case Least(_, None, _, _, trusts):
            return Measurement("infinity", None, None, trusts=trusts)
        case Least(_, value, True, (vector,), trusts):
            assert value is not None
            points = posed.read(vector)
            decider.replay.demand(points, measure.given)
            if decider.replay.number(measure.of, points) != value:
                raise ReplayFailed("the distance is not the one that was claimed")
            return Measurement(value, True, decider.show(points, measure.ends, measure.shown), trusts=trusts)
        case Least(_, value, False, (z, y), trusts):
            assert value is not None
            pair = near(decider, posed, z, y, value, measure)
            return Measurement(value, False, pair, trusts=trusts)
        case Unknown(why):
            return Measurement(None, None, why=why)
        case other:
            raise AssertionError(other)


def near(decider: Decider, posed: Posed, z: Vector, y: Vector, value: Fraction, measure: Infimum) -> Witness:
    """A pair close to an infimum that is only approached: on the segment from y to z, at most eps above it."""
    piece = piece_of(posed.question, z)
    if not piece.closure_has(y) or piece.numbers[0].at(y) != value:
        raise ReplayFailed("the infimum is not approached where it was claimed")
    step = within(decider.eps, piece.numbers[0].at(z) - value)
    points = posed.read(tuple(b + step * (a - b) for a, b in zip(z, y, strict=True)))
    decider.replay.demand(points, measure.given)
    if decider.replay.number(measure.of, points) != value + step * (piece.numbers[0].at(z) - value):
        raise ReplayFailed("the distance is not what the piece says")
    return decider.show(points, measure.ends, measure.shown)
