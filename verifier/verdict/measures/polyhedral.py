"""Suprema of and below sums of roots (`l2 + linf`), and of l2 where nothing sharper is known: between two polyhedral
norms.

Each root is between a polyhedral norm and a multiple of it (`model/roots.py`). With the larger one for d1' and the
smaller one for d2' a supremum is not less than it is, the other way round it is not more. Both are piecewise linear,
hence exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.engines.engine import Curve, Fails, Most, Unknown
from verifier.language.build import Form
from verifier.language.surd import floor, surd
from verifier.model.roots import Norm
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict import figure
from verifier.verdict.certify import Points, ReplayFailed
from verifier.verdict.measures.supremum import POINTS
from verifier.verdict.verdict import Measurement, interval

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

LADDER = ((6, 0.5), (2, 0.7), (1, 1.0))
"""Directions in a quarter of the plane, and the share of the time that is left: factors of 1.014, 1.11 and 1.42 for
two forms."""
WHY = "roots lie between two polyhedral norms, and so does this"


def needed(decider: Decider, *distances: tree.Expr) -> bool:
    """Roots are part of a sum or a maximum."""
    return any(decider.poser.curved(d, POINTS) for d in distances)


def best(decider: Decider, attempt: Callable[[int], Measurement]) -> Measurement:
    """With norms as fine as time allows."""
    end = decider.end
    for grain, share in LADDER:
        decider.end = end - (1 - share) * decider.left()
        value = attempt(grain)
        decider.end = end
        if value.amount is not None:
            break
    return value


def sides(decider: Decider, far: tree.Expr, fine: tree.Expr, grain: int) -> Iterator[tuple[Form, Form]]:
    """d1' and d2' so that the supremum is not more than it is, then so that it is not less."""
    poser = decider.poser
    orders: tuple[tuple[Norm, Norm], ...] = (("below", "above"), ("above", "below"))
    for upper, lower in orders:
        with poser.rounded(upper, grain):
            rise = poser.number(far, POINTS)
        with poser.rounded(lower, grain):
            run = poser.number(fine, POINTS)
        yield rise, run


def modulus(
    decider: Decider, names: tuple[str, str], far: tree.Expr, fine: tree.Expr, delta: Fraction, grain: int
) -> Measurement:
    """w(delta), enclosed."""
    poser, build = decider.poser, decider.poser.build
    found: list[Most] = []
    low, pair = Fraction(0), None
    for rise, run in sides(decider, far, fine, grain):
        near = build.at_least_zero(build.subtract(build.constant(delta), run))
        posed = poser.pose(POINTS, [near], numbers=[rise])
        answer = decider.portfolio.greatest(posed.question, decider.left())
        if not isinstance(answer, Most):
            return Measurement(None, why=answer.why if isinstance(answer, Unknown) else "out of time")
        if not found and answer.value is not None:
            low = answer.value
            if answer.attained:
                points = posed.read(answer.points[0])
                decider.replay.demand(points, [within(fine, delta)])
                low = max(low, floor(surd(decider.replay.distance(far, points))))
                pair = decider.replay.witness(points, names)
        found.append(answer)
    trusts = tuple(dict.fromkeys(t for answer in found for t in answer.trusts))
    return replace(told(low, found, trusts), pair=pair)


def constant(decider: Decider, names: tuple[str, str], far: tree.Expr, fine: tree.Expr, grain: int) -> Measurement:
    """The Lipschitz constant, enclosed."""
    poser, build = decider.poser, decider.poser.build
    found: list[Most] = []
    for rise, run in sides(decider, far, fine, grain):
        zero = poser.pose(POINTS, [build.at_least_zero(build.scale(-1, run)), build.above_zero(rise)])
        apart = decider.ask(zero)
        if isinstance(apart, Fails):
            return infinite(decider, names, far, fine, zero.read(apart.points[0]))
        posed = poser.pose(POINTS, [], numbers=[rise, run])
        answer = decider.portfolio.steepest(posed.question, decider.left())
        if not isinstance(answer, Most):
            return Measurement(None, why=answer.why if isinstance(answer, Unknown) else "out of time")
        found.append(answer)
    trusts = tuple(dict.fromkeys(t for answer in found for t in answer.trusts))
    return told(found[0].value or Fraction(0), found, trusts)


def infinite(decider: Decider, names: tuple[str, str], far: tree.Expr, fine: tree.Expr, points: Points) -> Measurement:
    """The pair at oracle distance zero."""
    decider.replay.demand(points, [within(fine, Fraction(0))])
    if not decider.replay.distance(far, points) > 0:
        raise ReplayFailed("the pair is not at oracle distance zero")
    note = "At oracle distance 0 no constant will do."
    return Measurement("infinity", None, decider.replay.witness(points, names), notes=(note,))


def told(low: Fraction, found: list[Most], trusts: tuple[str, ...]) -> Measurement:
    """What lies between two suprema, of which the first is replaced by a better bound."""
    if any(answer.value is None for answer in found):
        return Measurement("infinity", trusts=trusts)
    high = found[1].value
    assert high is not None
    if low == high:
        return Measurement(high, trusts=trusts)
    return Measurement(interval(low, high), None, None, WHY, trusts, how="enclosed", enclosure=(low, high))


def curve(decider: Decider, far: tree.Expr, fine: tree.Expr, grain: int) -> Measurement:
    """w as a function, between two."""
    from verifier.verdict.measures import modulus_curve

    curves: list[figure.Curve] = []
    trusts: tuple[str, ...] = ()
    for rise, run in sides(decider, far, fine, grain):
        posed = decider.poser.pose(POINTS, [], numbers=[rise, run])
        answer = decider.portfolio.curve(posed.question, decider.left())
        if not isinstance(answer, Curve):
            return Measurement(None, why=answer.why if isinstance(answer, Unknown) else "out of time")
        knots = [replace(knot, attained=None, attained_after=None) for knot in answer.knots]
        modulus_curve.check(decider, posed, knots, far, fine)
        curves.append(figure.Curve(tuple(modulus_curve.lines(knots))))
        trusts = tuple(dict.fromkeys((*trusts, *answer.trusts)))
    band = figure.Band(*curves)
    limit = "0" if band.upper.limit == 0 else "infinity" if band.lower.limit is None else "not 0"
    said = f"between two curves, w(0+) = {limit}" if limit != "not 0" else "between two curves, w(0+) > 0"
    return Measurement(said, trusts=trusts, how="enclosed", why=WHY, figure=band)


def within(fine: tree.Expr, delta: Fraction) -> tree.Expr:
    """`fine <= delta`."""
    return tree.Chain(NOWHERE, (fine, tree.Number(NOWHERE, delta)), ("<=",))
