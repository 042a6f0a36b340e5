"""The points at which containment fails (THEORY section 6): Theorem 1*, or 1 where that will do, projected onto x.

For every piece of the answer a pair or a limit witness is checked, and that its x lies in the region. That a whole
piece lies in it is the word of the projection; that nothing else does, the solver's.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.engines.engine import Torn, Unknown
from verifier.language.build import Form
from verifier.model.assertion import claim_of
from verifier.model.claim import Computation, Contained
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import ReplayFailed
from verifier.verdict.figure import Region
from verifier.verdict.measures.supremum import POINTS
from verifier.verdict.region import formula
from verifier.verdict.verdict import Measurement, Proved, Refuted

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

PROJECTION = "the projection"


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The region in the names of the file, and a pair at one of its points."""
    names = computation.classifier("f1"), computation.classifier("f2")
    if (axioms := decider.axioms(names)) is not None:
        return Measurement(None, why=axioms)
    arguments = tuple(tree.Argument(NOWHERE, "", tree.Name(NOWHERE, n)) for n in names)
    claim = claim_of(decider.program, tree.Apply(NOWHERE, tree.Name(NOWHERE, "contained"), arguments))
    assert isinstance(claim, Contained)
    verdict = decider.decide(claim, decider.left()).verdict
    if isinstance(verdict, Proved):
        region = Region((), (), ())
        return Measurement(region.words, trusts=verdict.trusts, figure=region)
    poser = decider.poser
    zero = tree.Number(NOWHERE, Fraction(0))
    apart = [tree.Chain(NOWHERE, (claim.fine, zero), ("<=",)), tree.Chain(NOWHERE, (claim.coarse, zero), (">",))]
    numbers = [poser.shape(e, POINTS) for e in (claim.fine, claim.coarse)]
    regular = poser.regular(numbers, POINTS)
    if regular:
        near, far = numbers
        facts = [poser.build.at_least_zero(poser.build.scale(-1, near)), poser.build.above_zero(far)]
        posed = poser.pose(POINTS, facts, numbers=[Form(Fraction(0))])
    else:
        posed = poser.pose(POINTS, [], numbers=numbers)
    domain = poser.pose(POINTS[:1], [], numbers=[Form(Fraction(0))])
    match decider.portfolio.torn(posed.question, domain.question, decider.left()):
        case Torn(_, parts, pieces, points, trusts):
            pass
        case Unknown(why):
            return Measurement(None, why=why)
        case other:
            raise AssertionError(other)
    if not parts and isinstance(verdict, Refuted):
        raise ReplayFailed("containment fails, yet at no point")
    region = Region(parts, pieces, tuple(formula(decider.program, part) for part in parts))
    for z, y in points:
        if regular:
            decider.replay.demand(posed.read(z), apart)
        else:
            decider.replay.approach(posed, (z, y), decider.eps, claim.fine, claim.coarse)
        if not region.has(z[: len(domain.question.variables)]):
            raise ReplayFailed("a point at which containment fails lies outside of the region")
    pair = verdict.pair if isinstance(verdict, Refuted) else None
    return Measurement(region.words, pair=pair, trusts=(*trusts, PROJECTION) if parts else trusts, figure=region)
