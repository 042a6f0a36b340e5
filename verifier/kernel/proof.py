"""What a proof may claim and what makes it right; nothing here searches, and nothing outside is believed.

A problem is a sentence about a circuit, a proof is a step. `check` returns what had to be trusted, or raises
`Rejected`. Each test below that raises owns a forged certificate in tests/ that no other test rejects.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from verifier.kernel.circuit import Affine, Circuit, Input, Select


class Rejected(Exception):
    """The proof does not prove the problem; the message says where it breaks."""


@dataclass(frozen=True, slots=True)
class Entails:
    """Wherever all nodes `zeros` are 0, all nodes `targets` are 0, whatever the real inputs are (Theorem 2)."""

    circuit: Circuit
    zeros: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Linear:
    """The factor matrix M of Theorem 2: target[i] = sum over j of weights[i][j] * zero[j], identically."""

    weights: tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """The word of someone else: accepted, and listed by this name wherever the verdict is shown."""

    name: str


Problem = Entails
Proof = Linear | Hole


@dataclass(frozen=True, slots=True)
class Checked:
    """The proof is right, provided that every name in `trusts` is (none: the kernel checked all of it)."""

    trusts: tuple[str, ...] = ()


def check(problem: Problem, proof: Proof) -> Checked:
    """Accept `proof` as a proof of `problem`, or raise `Rejected`."""
    well_formed(problem)
    match proof:
        case Linear(weights):
            _linear(problem, weights)
            return Checked()
        case Hole(name):
            if type(name) is not str or len(name) == 0 or len(name) > 200 or not name.isprintable():
                raise Rejected("a hole needs a printable name of at most 200 characters")
            return Checked(trusts=(name,))
        case _:
            raise Rejected("this is no step of a proof")


def well_formed(problem: Problem) -> None:
    """Every index points to an earlier node and every number is a rational: the circuit means what `evaluate` says."""
    if type(problem) is not Entails:
        raise Rejected("this is no problem")
    _tuple(problem.circuit, "the circuit")
    for place, node in enumerate(problem.circuit):
        match node:
            case Input(index):
                if type(index) is not int or index < 0:
                    raise Rejected(f"node {place}: an input is numbered 0, 1, ...")
            case Affine(terms, constant):
                _tuple(terms, f"node {place}: terms")
                for term in terms:
                    _tuple(term, f"node {place}: a term", 2)
                    _index(term[0], place, f"node {place}")
                    _rational(term[1], f"node {place}")
                _rational(constant, f"node {place}")
            case Select(test, then, otherwise):
                for i in (test, then, otherwise):
                    _index(i, place, f"node {place}")
            case _:
                raise Rejected(f"node {place}: neither an input, an affine form nor a choice")
    for name, nodes in (("zeros", problem.zeros), ("targets", problem.targets)):
        _tuple(nodes, name)
        for i in nodes:
            _index(i, len(problem.circuit), name)


def _linear(problem: Entails, weights: tuple[tuple[Fraction, ...], ...]) -> None:
    """Each target minus its combination of zeros is 0 as a form; a choice is an unknown number, so it must cancel."""
    _tuple(weights, "the weights", len(problem.targets))
    for row, target in zip(weights, problem.targets, strict=True):
        _tuple(row, f"the weights of node {target}", len(problem.zeros))
        rest = [Fraction(0)] * len(problem.circuit)  # the difference, as a combination of nodes
        rest[target] += 1
        for zero, weight in zip(problem.zeros, row, strict=True):
            _rational(weight, f"the weights of node {target}")
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


def _tuple(value: object, what: str, length: int | None = None) -> None:
    if type(value) is not tuple:
        raise Rejected(f"{what}: not a tuple")
    if length is not None and len(value) != length:
        raise Rejected(f"{what}: {len(value)} instead of {length}")


def _index(value: object, bound: int, what: str) -> None:
    if type(value) is not int or value < 0 or value >= bound:
        raise Rejected(f"{what}: does not point to one of the {bound} nodes before it")


def _rational(value: object, what: str) -> None:
    if type(value) is not Fraction:
        raise Rejected(f"{what}: a number that is not rational")


def _short(value: Fraction) -> str:
    return str(value) if value.numerator.bit_length() + value.denominator.bit_length() < 200 else "(a long rational)"
