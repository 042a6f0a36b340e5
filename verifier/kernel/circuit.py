"""The one language every claim is lowered to: inputs, affine forms, and a choice by the sign of a value.

A formula is a value too: it is true iff the value is >= 0. So `not a` is `Select(a, -1, 0)`, `a and b` is `Select(a,
b, -1)`,
`a or b` is `Select(a, 0, b)`, and `u > 0` is `not (-u >= 0)`. Three nodes are enough for every operator, metric and
property.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

TRUE, FALSE = Fraction(0), Fraction(-1)


@dataclass(frozen=True, slots=True)
class Input:
    """The coordinate number `index` of the point."""

    index: int


@dataclass(frozen=True, slots=True)
class Affine:
    """constant + sum of weight * node over `terms`; every node stands earlier in the circuit."""

    terms: tuple[tuple[int, Fraction], ...]
    constant: Fraction


@dataclass(frozen=True, slots=True)
class Select:
    """`then` where node `test` is >= 0, else `otherwise`; all three stand earlier in the circuit."""

    test: int
    then: int
    otherwise: int


Node = Input | Affine | Select
Circuit = tuple[Node, ...]


def evaluate(circuit: Circuit, point: Sequence[Fraction]) -> list[Fraction]:
    """The exact value of every node at `point` (one rational an input)."""
    values: list[Fraction] = []
    for node in circuit:
        match node:
            case Input(index):
                values.append(point[index])
            case Affine(terms, constant):
                values.append(sum((weight * values[i] for i, weight in terms), constant))
            case Select(test, then, otherwise):
                values.append(values[then] if values[test] >= 0 else values[otherwise])
    return values


def holds(value: Fraction) -> bool:
    """A formula is true iff its value is >= 0."""
    return value >= 0
