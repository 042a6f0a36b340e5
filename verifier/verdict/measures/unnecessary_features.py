"""unnecessary_features: every feature of f1 is asked for by itself (THEORY, Theorem 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.canonical.affine import affine_rows
from verifier.canonical.linalg import rank
from verifier.engines import closed_form
from verifier.model.assertion import claim_of
from verifier.model.claim import Computation
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.verdict import Measurement, Proved, Undecided, Witness

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The names, in order of declaration; the pair shown is that of the first."""
    names = computation.classifier("f1"), computation.classifier("f2")
    found: list[str] = []
    trusts: list[str] = []
    pair: Witness | None = None
    for feature in decider.program.classifiers[names[0]].features:
        arguments = tuple(tree.Argument(NOWHERE, "", tree.Name(NOWHERE, n)) for n in (*names, feature.name))
        call = tree.Apply(NOWHERE, tree.Name(NOWHERE, "unnecessary"), arguments)
        verdict = decider.decide(claim_of(decider.program, call), decider.left()).verdict
        if isinstance(verdict, Undecided):
            return Measurement(None, why=f"whether {feature.name} is unnecessary stayed open: {verdict.why}")
        trusts += verdict.trusts
        if isinstance(verdict, Proved):
            found.append(feature.name)
            pair = pair or verdict.pair
    return Measurement(
        ", ".join(found) or "none",
        None,
        pair,
        trusts=tuple(dict.fromkeys(trusts)),
        notes=_directions(decider, *names) if found else (),
    )


def _directions(decider: Decider, model: str, oracle: str) -> tuple[str, ...]:
    """rank [A2; A1] - rank A2 on the span of X - X, where Theorem 2 says that it counts: affine maps, norms, and a
    convex piece of X that spans."""
    poser = decider.poser
    variables = [poser.build.atoms[form.terms[0][0]] for form in poser.inputs("x")]
    features = [closed_form.features(poser, decider.program.classifiers[n], "x", "") for n in (model, oracle)]
    coarse, fine = features
    if coarse is None or fine is None or any(getattr(v, "integer", True) for v in variables):
        return ()
    inputs = [form.terms[0][0] for form in poser.inputs("x")]
    equations = affine_rows(poser.build, closed_form.equations(poser), inputs)
    known, more = affine_rows(poser.build, fine, inputs), affine_rows(poser.build, coarse, inputs)
    if equations is None or known is None or more is None:
        return ()
    domain = poser.pose(("x",), []).question
    if decider.portfolio.breadth(domain, decider.left()) != len(inputs) - rank(equations[0]):
        return ()
    count = rank((*equations[0], *known[0], *more[0])) - rank((*equations[0], *known[0]))
    return (f"Independent unnecessary directions: {count}.",)
