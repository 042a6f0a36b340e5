"""The modulus w(delta) (THEORY section 3): the largest classifier distance within an oracle distance.

On a piece P the supremum of the affine d1' over the non-empty set of pairs of P with d2' <= delta is its supremum over
the closure of that set: P is a convex polyhedron, so the closure only relaxes its strict sides. That closure is the one
of P with d2 <= delta added as a weak side, provided that the set is not empty; a piece whose closure alone touches
delta does not count. So w(delta) is the `greatest` d1' over the solutions of `d2' <= delta`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.engines.ascent import Quotient
from verifier.engines.engine import Answer, Most, Unknown
from verifier.engines.peak import pleasant
from verifier.language.build import Form
from verifier.language.root import Root, root
from verifier.model.claim import Computation
from verifier.query import closure
from verifier.query.closure import Beyond
from verifier.query.piece import choices
from verifier.query.pose import Posed
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import Points, ReplayFailed, backed, distance
from verifier.verdict.measures import directional, enumerated, grid, polyhedral
from verifier.verdict.measures.euclidean_modulus import Modulus
from verifier.verdict.measures.grid import Grid
from verifier.verdict.measures.sums import greatest, sums
from verifier.verdict.measures.supremum import POINTS, at, leads, member
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider


FEW = 6
"""Up to so many choices the distance is asked for as a whole."""
STEEP = 0.4
"""Of the time, for the Lipschitz constant, of which it may be a multiple."""
SHARE = 0.8
"""Of the time, for its sums one by one."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """w(delta), attained or approached, and in a note its limit w(0+)."""
    names = computation.classifier("f1"), computation.classifier("f2")
    delta = computation.number("delta")
    if delta < 0:
        return Measurement(None, why="no two points have a negative distance: delta is at least 0")
    if (axioms := decider.axioms(names)) is not None:
        return Measurement(None, why=axioms)
    poser = decider.poser
    far, fine = (distance(name, *POINTS) for name in names)
    rooted = polyhedral.needed(decider, far, fine)
    euclidean = any(poser.square(d, POINTS) is not None for d in (far, fine))
    if (rooted or euclidean) and (few := enumerated.pairs(decider, far, fine)):
        return enumerated.modulus(decider, names, few, delta)
    if rooted:
        return polyhedral.best(decider, partial(polyhedral.modulus, decider, names, far, fine, delta))
    if euclidean and (all_pairs := grid.grid(decider, names)) is not None:
        return _looked_at(decider, names, delta, all_pairs)
    if euclidean:
        found = Modulus(decider, names, far, fine, delta).compute()
        if found.amount is None or poser.square(far, POINTS) is not None:
            return found
        return _with_limit(decider, fine, poser.number(far, POINTS), names, found)
    near = within(fine, delta)
    coarse = poser.number(far, POINTS)
    posed = poser.pose(POINTS, [poser.truth(near, POINTS)], numbers=[coarse])
    value: Measurement | None = None
    if choices(posed.question) > FEW:
        value = directional.modulus(decider, names, delta, STEEP * decider.left())
        value = value or _by_sums(decider, names, far, near)
    if value is None or value.amount is None:
        answer = decider.portfolio.greatest(posed.question, decider.left())
        whole = backed(_shown(decider, posed, names, delta, answer), answer, posed.question, closure.greater)
        value = value if value is not None and whole.amount is None else whole
    return value if value.amount in (None, "infinity") else _with_limit(decider, fine, coarse, names, value)


def _by_sums(decider: Decider, names: tuple[str, str], far: tree.Expr, near: tree.Expr) -> Measurement | None:
    """w(delta) as the largest supremum of some sums, where it is attained, or what is known of it. Points may be
    exchanged, so of opposite sums one will do."""
    poser, model = decider.poser, decider.program.classifiers[names[0]]
    totals = sums(poser, model, poser.symbolic.differences(model, *map(poser.point, POINTS)))
    if totals is None:
        return None
    fact = poser.truth(near, POINTS)
    posed = [poser.pose(POINTS, [fact], numbers=[total]) for total in totals if not total.is_constant]
    best = greatest(decider, [each.question for each in posed], SHARE * decider.left())
    if best is not None and best.open:
        return best.least
    if best is None:
        return None
    level = Quotient(best.question, divided=False).level(best.value)
    if not level.solved_by(best.place):  # it is of the closure of a piece: the value may jump there
        return None
    points = posed[0].read(pleasant(level, best.place, level.solved_by))
    _replayed(decider, points, far, near, best.value)
    return best.backing(Measurement(best.value, True, decider.replay.witness(points, names)))


def _looked_at(decider: Decider, names: tuple[str, str], delta: Fraction, pairs: Grid) -> Measurement:
    """w(delta) and its limit, by all pairs."""
    far, fine = (distance(name, *POINTS) for name in names)
    value, points = pairs.farthest(delta)
    decider.replay.demand(points, [within(fine, delta)])
    if decider.replay.distance(far, points) != root(value):
        raise ReplayFailed("the distance is not the one that was claimed")
    note = limit(root(pairs.farthest(Fraction(0))[0]), names)
    return Measurement(
        root(value), True, decider.replay.witness(points, names), trusts=enumerated.TRUSTS, notes=(note,)
    )


def limit(left: Fraction | Root, names: tuple[str, str]) -> str:
    """What w(0+) means."""
    how = "not uniformly contained" if left else "uniformly contained"
    return f"As delta tends to 0 it tends to {left}: {names[0]} is {how} in {names[1]}."


def within(fine: tree.Expr, delta: Fraction) -> tree.Expr:
    """`fine <= delta`."""
    return tree.Chain(NOWHERE, (fine, tree.Number(NOWHERE, delta)), ("<=",))


def _shown(decider: Decider, posed: Posed, names: tuple[str, str], delta: Fraction, answer: Answer) -> Measurement:
    """w(delta) with its pair, replayed."""
    replay = decider.replay
    far, fine = (distance(name, *POINTS) for name in names)
    near = within(fine, delta)
    match answer:
        case Most(_, None, _, (z, place)):
            (row,) = leads(posed.question, z, place)
            if place[-1] != 0 or at(row, place) <= 0:
                raise ReplayFailed("the distance does not grow without bound")
            points = posed.read(member(z, place, lambda v: row.at(v) * decider.eps >= 1))
            replay.demand(points, [near])
            if replay.number(far, points) * decider.eps < 1:
                raise ReplayFailed("the distance is not what the piece says")
            note = f"Pairs within {delta} for {names[1]} are arbitrarily far apart for {names[0]}: this is one of them."
            return Measurement("infinity", None, replay.witness(points, names), notes=(note,))
        case Most(_, Fraction() as value, True, (vector,)):
            points = posed.read(vector)
            _replayed(decider, points, far, near, value)
            return Measurement(value, True, replay.witness(points, names))
        case Most(_, Fraction() as value, False, (z, place)):
            (row,) = leads(posed.question, z, place)
            if place[-1] <= 0 or at(row, place) != value * place[-1]:
                raise ReplayFailed("the supremum is not approached where it was claimed")
            vector = member(z, place, lambda v: row.at(v) >= value - decider.eps)
            points = posed.read(vector)
            replay.demand(points, [near])
            if replay.number(far, points) != row.at(vector):
                raise ReplayFailed("the distance is not what the piece says")
            return Measurement(value, False, replay.witness(points, names))
        case Unknown(why):
            return Measurement(None, why=why)
        case other:
            raise AssertionError(other)


def _replayed(decider: Decider, points: Points, far: tree.Expr, near: tree.Expr, value: Fraction) -> None:
    """The points are `near` for the oracle, and so far apart for the model. Raises ReplayFailed."""
    decider.replay.demand(points, [near])
    if decider.replay.number(far, points) != value:
        raise ReplayFailed("the distance is not the one that was claimed")


def _with_limit(
    decider: Decider, fine: tree.Expr, coarse: Form, names: tuple[str, str], value: Measurement
) -> Measurement:
    """With a note of the defect w(0+): the largest d1' that is left when d2' tends to 0."""
    known = decider.defects.get(names) or _at_zero(decider, fine, coarse) or _defect(decider, fine, coarse)
    posed, answer, beyond = known
    match answer:
        case Most(_, Fraction() as left, True, (vector,)):
            far_apart = distance(names[0], *POINTS)
            _replayed(decider, posed.read(vector), far_apart, within(fine, Fraction(0)), left)
        case Most(_, Fraction() as left, _, (z, place)):
            far, near = leads(posed.question, z, place)
            if place[-1] <= 0 or at(near, place) != 0 or at(far, place) != left * place[-1]:
                raise ReplayFailed("the defect is not approached where it was claimed")
        case _:
            return value
    decider.defects[names] = known
    return backed(replace(value, notes=(*value.notes, limit(left, names))), answer, posed.question, beyond)


def _at_zero(decider: Decider, fine: tree.Expr, coarse: Form) -> tuple[Posed, Answer, Beyond] | None:
    """w(0), which is w(0+) where X is compact and the distances are continuous; None elsewhere, or where it is not
    found."""
    poser, zero = decider.poser, within(fine, Fraction(0))
    posed = poser.pose(POINTS, [poser.truth(zero, POINTS)], numbers=[coarse])
    bounded = all(v.low is not None and v.high is not None for v in posed.question.variables)
    if not bounded or not poser.regular([coarse, poser.shape(fine, POINTS)], POINTS):
        return None
    answer = decider.portfolio.greatest(posed.question, decider.left() / 2)
    return (posed, answer, closure.greater) if isinstance(answer, Most) and answer.attained else None


def _defect(decider: Decider, fine: tree.Expr, coarse: Form) -> tuple[Posed, Answer, Beyond]:
    posed = decider.poser.pose(POINTS, [], numbers=[coarse, decider.poser.shape(fine, POINTS)])
    return posed, decider.portfolio.defect(posed.question, decider.left()), closure.left_over
