"""What may be claimed and what a proof is made of: records without any behaviour. `proof.check` says what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from verifier.kernel.circuit import Affine, Circuit

GRAIN = 24
"""Slopes are whole multiples of 2^-24."""


class Rejected(Exception):
    """The proof does not prove the problem; the message says where it breaks."""


# problems


@dataclass(frozen=True, slots=True)
class Entails:
    """Wherever all nodes `zeros` are 0, all nodes `targets` are 0, whatever the real inputs are (Theorem 2)."""

    circuit: Circuit
    zeros: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """What one input may be: closed, None where it is unbounded; `integer`: whole values only."""

    low: Fraction | None = None
    high: Fraction | None = None
    integer: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """No point of the box (a side an input) makes every node of `facts` >= 0."""

    circuit: Circuit
    box: tuple[Side, ...]
    facts: tuple[int, ...]


Problem = Entails | Empty


# proofs


@dataclass(frozen=True, slots=True)
class Linear:
    """The factor matrix M of Theorem 2: target[i] = sum over j of weights[i][j] * zero[j], identically."""

    weights: tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """The word of someone else: accepted, and listed by this name wherever the verdict is shown."""

    name: str


@dataclass(frozen=True, slots=True)
class Split:
    """Two branches: `node` < value, then `node` >= value. On both sides a whole input stays whole."""

    node: int
    value: Fraction


@dataclass(frozen=True, slots=True)
class Row:
    """An inequality that is known to be >= 0 on a branch, and how often it is taken.

    `low`, `high`: the value of node `place` minus its least, its greatest minus the value. `rise`, `fall`: of the gap
    number `place`, the chord of relu(run) minus rise, and rise plus the chord of relu(-run)."""

    kind: Literal["low", "high", "rise", "fall"]
    place: int
    times: int


@dataclass(frozen=True, slots=True)
class Farkas:
    """The end of a branch: a sum of rows that is negative wherever the box lets it be. `slopes`: (relu, k) bounds the
    relu of v from below by k / 2^24 * v; without one it is 0 or v, whichever loses less. (choice, a, b) bounds another
    choice by lines through the range of its test, a and b of 2^24, and by one between its sides (`refute.lines`);
    without one by its range."""

    rows: tuple[Row, ...]
    slopes: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """A cut with only one branch left, `node` >= value if `above`, else `node` < value: `end` closes the other one."""

    node: int
    value: Fraction
    above: bool
    end: Farkas


@dataclass(frozen=True, slots=True)
class Zonotope:
    """The tests of all choices get the ranges that their affine forms have (`zonotope`)."""


@dataclass(frozen=True, slots=True)
class Descent:
    """What follows closes the branch by another question, of a point and a direction (`descent`): node `first` is a sum
    of inputs and relus, and `second` its opposite at the second point, but for a constant. `pairs`: inputs of the
    first point, and of the second."""

    first: int
    second: int
    pairs: tuple[tuple[int, int], ...]


Step = Split | Bound | Zonotope | Descent | Farkas | Hole


@dataclass(frozen=True, slots=True)
class Tree:
    """A proof of `Empty`, in the order of a reader: a cut, the branch below it, the branch above it. The steps may be
    an iterator, which gives them once.

    `definitions`: affine nodes behind the circuit that only name what is there. `gaps`: pairs (rise, run) of nodes with
    rise = relu(t) - relu(t') and run = t - t' for some t, t'; so rise lies between 0 and run. `twins`: (first, second,
    difference), two inputs or two relus near each other, of which the second is told by the first: difference is second
    minus first, or so of the tests of relus."""

    steps: Iterable[Step]
    definitions: tuple[Affine, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    twins: tuple[tuple[int, int, int], ...] = ()


Proof = Linear | Hole | Tree


@dataclass(frozen=True, slots=True)
class Checked:
    """The proof is right, provided that every name in `trusts` is (none: the kernel checked all of it)."""

    trusts: tuple[str, ...] = ()
