"""Questions whose facts are made of comparisons of affine forms: for linear classifiers, trees and their margins, the
choices of numbers become connectives of formulas, which a search can decide one by one."""

from __future__ import annotations

from msgspec.structs import replace

from verifier.kernel.circuit import FALSE, TRUE, Affine, Select
from verifier.query.convex import Sum, plus, sums
from verifier.query.grown import Grown
from verifier.query.piece import is_relu, senses
from verifier.query.question import Question

GROWTH = 4
"""Formulas may grow to so many times as many nodes, and a few more: networks are left as they are."""
FEW = 200
DEEP = 300
"""Formulas are nested no deeper."""


def plain(question: Question) -> Question:
    """The same solutions and numbers; the facts without choices of numbers, or as they were where that would be much.

    A sum with w relu(u) is >= 0 where it is so without it or (w > 0), and (w < 0), with w u in its place; a sum with a
    jump where it is so with what the jump takes."""
    circuit = question.circuit
    true, _ = senses(circuit, question.facts, ())
    found = sums(circuit)
    numeric = {n for n in true if not isinstance(circuit[n], Select)}
    if not any(isinstance(circuit[j], Select) for n in numeric for j, _ in found[n][1]):
        return question
    grown = Grown(circuit)
    relus = {n for n, at in enumerate(circuit) if isinstance(at, Select) and is_relu(circuit, at)}
    most = GROWTH * len(circuit) + FEW
    no, yes = grown.node(Affine((), FALSE)), grown.node(Affine((), TRUE))
    formulas: dict[Sum | int, int] = {}

    def formula(of: Sum | int, depth: int) -> int:
        """The node that says that a sum is >= 0, or what a node says, of affine forms alone. Raises Many."""
        if of in formulas:
            return formulas[of]
        if len(grown.nodes) > most or depth > DEEP:
            raise Many
        deeper = depth + 1
        if isinstance(of, int):
            at = circuit[of]
            if isinstance(at, Select):
                made = select(*(formula(n, deeper) for n in (at.test, at.then, at.otherwise)))
            else:
                made = formula(found[of], deeper)
        else:
            chosen = [n for n, _ in of[1] if isinstance(circuit[n], Select)]
            if not chosen:
                made = grown.affine(of[1], of[0])
            else:
                if 1 << sum(n in relus for n in chosen) > most:  # a sum for each subset of them
                    raise Many
                n = max(chosen)
                at = circuit[n]
                assert isinstance(at, Select)
                w = dict(of[1])[n]
                rest = of[0], tuple((j, v) for j, v in of[1] if j != n)
                first, second = (formula(plus(rest, w, found[j]), deeper) for j in (at.then, at.otherwise))
                if n in relus:
                    made = select(first, yes, second) if w > 0 else select(first, second, no)
                else:
                    made = select(formula(at.test, deeper), first, second)
        formulas[of] = made
        return made

    def select(test: int, then: int, otherwise: int) -> int:
        known = grown.nodes[test]
        if isinstance(known, Affine) and not known.terms:
            return then if known.constant >= 0 else otherwise
        if then == otherwise:
            return then
        return test if (then, otherwise) == (yes, no) else grown.node(Select(test, then, otherwise))

    try:
        facts = tuple(formula(f, 0) for f in question.facts)
    except Many:
        return question
    return replace(question, circuit=tuple(grown.nodes), facts=facts)


class Many(Exception):
    """There are too many formulas."""
