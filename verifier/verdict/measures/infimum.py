"""Infima: the critical radius and the minimal distance (THEORY section 3)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.engines.engine import Answer, Least, Unknown, Vector
from verifier.language.build import Form
from verifier.language.root import below_root, root
from verifier.language.surd import surd
from verifier.model.claim import Infimum
from verifier.query import closure
from verifier.query.piece import piece_of
from verifier.query.pose import Posed, Poser
from verifier.verdict import roots
from verifier.verdict.certify import Points, ReplayFailed, backed, within
from verifier.verdict.trial import broken, choices
from verifier.verdict.verdict import Amount, Measurement, Witness

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

TINY = Fraction(1, 2**2000)


def compute(decider: Decider, measure: Infimum) -> Measurement:
    """inf of the distance over the points with all of `given`, exactly; attained, or the pair that comes within eps.
    No points at random are nearer."""
    value = _compute(decider, measure)
    if value.amount is not None:
        least = value.enclosure[0] if value.enclosure else value.amount
        for points in choices(decider.replay, measure.points):
            if _nearer(decider, measure, least, points):
                raise broken(points)
    return value


def _compute(decider: Decider, measure: Infimum) -> Measurement:
    axioms = decider.axioms(measure.shown)
    if axioms is not None:
        return Measurement(None, None, why=axioms)
    poser = decider.poser
    given = _given(poser, measure)
    square = poser.square(measure.of, measure.points)
    of = square if square is not None else poser.number(measure.of, measure.points)
    posed = poser.pose(measure.points, given, numbers=[of], squares=True, roots=True)
    if posed.roots or len(posed.question.squares) > (square is not None):
        return roots.least(decider, measure)
    if posed.impossible:
        return _nowhere(decider, measure)
    answer = decider.portfolio.least(posed.question, decider.left())
    return backed(_shown(decider, posed, square is not None, measure, answer), answer, posed.question, closure.smaller)


def _nearer(decider: Decider, measure: Infimum, least: Amount, points: Points) -> bool:
    """The points belong to the infimum, and are nearer than it."""
    if not decider.replay.holds(points, measure.given):
        return False
    return isinstance(least, str) or surd(decider.replay.distance(measure.of, points)) < surd(least)


def _given(poser: Poser, measure: Infimum) -> list[Form]:
    return [
        poser.in_order(g, measure.points) if g == measure.exchangeable else poser.truth(g, measure.points)
        for g in measure.given
    ]


def _nowhere(decider: Decider, measure: Infimum) -> Measurement:
    """The bounds of the domain leave no point."""
    held = decider.folded(lambda p: p.pose(measure.points, _given(p, measure), squares=True))
    return Measurement("infinity", trusts=held.trusts, certificates=held.certificates)


def _shown(decider: Decider, posed: Posed, squared: bool, measure: Infimum, answer: Answer) -> Measurement:
    """The infimum with its pair, replayed."""
    match answer:
        case Least(_, None):
            return Measurement("infinity", None, None)
        case Least(_, value, True, (vector,)):
            assert value is not None
            points = posed.read(vector)
            decider.replay.demand(points, measure.given)
            amount = root(value) if squared else value
            if decider.replay.distance(measure.of, points) != amount:
                raise ReplayFailed("the distance is not the one that was claimed")
            pair = decider.show(points, measure.ends, measure.shown)
            return Measurement(amount, True, pair)
        case Least(_, value, False, (z, y)):
            assert value is not None
            if squared:
                pair = near_root(decider, posed, z, y, value, measure)
                return Measurement(root(value), False, pair)
            pair = near(decider, posed, z, y, value, measure)
            return Measurement(value, False, pair)
        case Unknown(why):
            return Measurement(None, None, why=why)
        case other:
            raise AssertionError(other)


def near_root(decider: Decider, posed: Posed, z: Vector, y: Vector, value: Fraction, measure: Infimum) -> Witness:
    """The same where the infimum is the root of `value`."""
    question = posed.question
    (square,) = question.squares
    piece = piece_of(replace(question, numbers=(question.numbers[0], *(n for _, n in square.terms))), z)
    goal, *forms = piece.numbers
    reached = sum((w * row.at(y) ** 2 for (w, _), row in zip(square.terms, forms, strict=True)), Fraction(0))
    end = tuple(reached if i == square.variable else a for i, a in enumerate(y))
    plain = [r for r in (*piece.weak, *piece.strict) if not any(i == square.variable for i, _ in r.weights)]
    moved = any(v.integer and a != b for v, a, b in zip(question.variables, z, y, strict=True))
    if moved or goal.at(end) != value or any(r.at(y) < 0 for r in plain):
        raise ReplayFailed("the infimum is not approached where it was claimed")
    most = below_root(value, decider.eps / 2) + decider.eps
    step = Fraction(1)
    while True:
        points = posed.read(tuple(b + step * (a - b) for a, b in zip(z, y, strict=True)))
        if decider.replay.distance(measure.of, points) <= most:
            break
        step /= 2
        if step < TINY:
            raise ReplayFailed("the pairs do not come near the infimum")
    decider.replay.demand(points, measure.given)
    return decider.show(points, measure.ends, measure.shown)


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
