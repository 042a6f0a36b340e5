"""What makes a proof right; nothing here searches, and nothing outside is believed.

A problem is a sentence about a circuit. `check` returns what had to be trusted for it, or raises `Rejected`. Each test
below that raises owns a forged certificate in tests/ that no other test rejects.
"""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from verifier.kernel.circuit import Affine, Input, Select
from verifier.kernel.problem import Checked, Empty, Entails, Hole, Linear, Problem, Proof, Rejected, Tree
from verifier.kernel.refute import refute
from verifier.kernel.shape import named, rational, tuple_, well_formed


def check(problem: Problem, proof: Proof) -> Checked:
    """Accept `proof` as a proof of `problem`, or raise `Rejected`."""
    well_formed(problem)
    match problem, proof:
        case Entails(), Linear(weights):
            _linear(problem, weights)
            return Checked()
        case Empty(), Tree():
            return Checked(tuple(sorted(refute(problem, proof))))
        case _, Hole(name):
            named(name)
            return Checked(trusts=(name,))
        case _:
            raise Rejected("this is no proof of such a problem")


def _linear(problem: Entails, weights: tuple[tuple[Fraction, ...], ...]) -> None:
    """Each target minus its combination of zeros is 0 as a form; a choice is an unknown number, so it must cancel."""
    tuple_(weights, "the weights", len(problem.targets))
    for row, target in zip(weights, problem.targets, strict=True):
        tuple_(row, f"the weights of node {target}", len(problem.zeros))
        rest = [Fraction(0)] * len(problem.circuit)  # the difference, as a combination of nodes
        rest[target] += 1
        for zero, weight in zip(problem.zeros, row, strict=True):
            rational(weight, f"the weights of node {target}")
            rest[zero] -= weight
        constant = Fraction(0)
        inputs: dict[int, Fraction] = {}
        for place in reversed(range(len(rest))):  # a node only mentions earlier ones: replace it by its meaning
            factor = rest[place]
            if factor:
                match problem.circuit[place]:
                    case Input(index):
                        inputs[index] = inputs.get(index, Fraction(0)) + factor
                    case Affine(terms, shift):
                        constant += factor * shift
                        for i, weight in terms:
                            rest[i] += factor * weight
                    case Select():
                        raise Rejected(f"node {target} minus its combination of zeros keeps the choice at node {place}")
                    case node:
                        assert_never(node)
        if constant:
            raise Rejected(f"node {target} minus its combination of zeros keeps the constant {_short(constant)}")
        if any(inputs.values()):
            raise Rejected(f"node {target} minus its combination of zeros still depends on the inputs")


def _short(value: Fraction) -> str:
    return str(value) if value.numerator.bit_length() + value.denominator.bit_length() < 200 else "(a long rational)"
