"""The least margin that restores robustness: sup { margin(f1, x) : x and some x' in the oracle's ball flip }.

To every pair that flips there is the same one turned round, so it is the supremum of the larger one of both margins,
over a symmetric relation. Where l2 measures the ball this is a modulus: of that number, below the oracle's distance,
over the pairs that flip. Its arcs say how near pairs are whose margin is at least h; where they cross the square of
the radius is the supremum, exactly. That margins come so near to it is checked; that none is above, the solver's word.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct

from verifier.engines.engine import Arc, Arcs, Most, Vector
from verifier.language.build import Form
from verifier.language.ops import OPS
from verifier.language.root import Root
from verifier.language.surd import Exact, surd
from verifier.model.claim import Always
from verifier.model.meaning import NotYet
from verifier.query.question import Question
from verifier.syntax import tree
from verifier.verdict.certify import ReplayFailed
from verifier.verdict.measures import euclidean_curve
from verifier.verdict.measures.supremum import at, leads

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider


class Supremum(Struct, frozen=True):
    """`value` None: infinite. `attained` None: that is not known."""

    value: Exact | None
    attained: bool | None
    trusts: tuple[str, ...] = ()


def supremum(decider: Decider, model: str, claim: Always, seconds: float) -> Supremum | None:
    """That of the margin of the model over the pairs that contradict the claim; None where it stayed open."""
    try:
        return plain(decider, model, claim, seconds)
    except NotYet:
        return euclidean(decider, model, claim, seconds)


def plain(decider: Decider, model: str, claim: Always, seconds: float) -> Supremum | None:
    """By linear programs. Raises NotYet where the square of a distance stands in the claim."""
    poser, points = decider.poser, claim.points
    margin = poser.symbolic.margin(decider.program.classifiers[model], poser.point(points[0]))
    if not isinstance(margin, Form):
        return None
    facts = [poser.truth(g, points) for g in claim.given]
    facts.append(poser.build.negate(poser.truth(claim.then, points)))
    posed = poser.pose(points, facts, numbers=[margin])
    match decider.portfolio.greatest(posed.question, seconds):
        case Most(_, value, attained, shown, trusts):
            reached(posed.question, value, attained, shown)
            return Supremum(value, attained, trusts)
        case _:
            return None


def reached(question: Question, value: Fraction | None, attained: bool, shown: Sequence[Vector]) -> None:
    """The first number comes as near to the value as one likes. Raises ReplayFailed."""
    if attained:
        sound = question.solved_by(shown[0]) and question.values(shown[0])[question.numbers[0]] == value
    elif shown:
        z, place = shown
        height = at(leads(question, z, place)[0], place)
        sound = height > 0 == place[-1] if value is None else place[-1] > 0 and height == value * place[-1]
    else:
        sound = True  # there was nothing to take it over, and nothing is claimed
    if not sound:
        raise ReplayFailed("the supremum of the margin is not approached where it was claimed")


def euclidean(decider: Decider, model: str, claim: Always, seconds: float) -> Supremum | None:
    """Where one fact is a ball of l2 or mahalanobis, and the rest is the same for x and x'."""
    poser, points = decider.poser, claim.points
    ball, *others = claim.given
    match ball:
        case tree.Chain(_, (distance, radius), ("<" | "<=" as op,)):
            square = poser.square(distance, points)
            level = squared(decider.replay.interpreter.value(radius, {}))
        case _:
            return None
    margins = [poser.symbolic.margin(decider.program.classifiers[model], poser.point(p)) for p in points]
    forms = [m for m in margins if isinstance(m, Form)]
    if square is None or level is None or len(forms) < 2:
        return None
    rise = OPS["max"].expand(poser.build, forms)
    facts = [poser.truth(g, points) for g in others]
    facts.append(poser.build.negate(poser.truth(claim.then, points)))
    try:
        posed = poser.pose(points, facts, numbers=[rise, square], squares=True)
    except NotYet:
        return None
    match decider.portfolio.curve(posed.question, seconds):
        case Arcs(_, arcs, jumps, trusts) as found:
            euclidean_curve.check(posed.question, found)
            at_level = [j for j in jumps if j.level == level and op == "<="]
            return Supremum(at_level[0].value if at_level else crossing(arcs, level), None, trusts)
        case _:
            return None


def squared(radius: object) -> Fraction | None:
    match radius:
        case Fraction():
            return radius * radius
        case Root(square):
            return square
        case _:
            return None


def crossing(arcs: tuple[Arc, ...], level: Fraction) -> Exact | None:
    """sup { h : q(h) < level } for the growing q that the arcs are; None: infinite."""
    height: Exact = Fraction(0)
    for arc in arcs:
        if arc.at(arc.start) >= level:
            break
        if arc.end is not None and (arc.flat or arc.at(arc.end) <= level):
            height = arc.end
            continue
        a, b, c = arc.square
        if arc.flat:
            return None
        if not a:
            return (level - c) / b
        return (-b + surd(Root(b * b - 4 * a * (c - level)))) / (2 * a)
    return height
