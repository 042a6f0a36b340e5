"""What a property in the field's exchange format asks of a network: are there numbers x with a formula of x and of the
outputs y? The formula is the *violation*, so a property holds iff there are none."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

if TYPE_CHECKING:
    from verifier.model.network import Network


class Compare(Struct, frozen=True):
    """constant + sum of weight * number i >= 0, or > 0 when `strict`. The terms are in order, no weight is 0.

    The numbers are the inputs, followed by the outputs.
    """

    terms: tuple[tuple[int, Fraction], ...]
    constant: Fraction
    strict: bool = False


class All(Struct, frozen=True):
    """Every part holds; true without parts."""

    parts: tuple[Formula, ...]


class Some(Struct, frozen=True):
    """At least one part holds; false without parts."""

    parts: tuple[Formula, ...]


Formula = Compare | All | Some


class Violation(Struct, frozen=True):
    """The formula, over `inputs` numbers and after them `outputs` ones: X_0, X_1, ... and Y_0, Y_1, ..., unless they
    have `names` of their own. With more `copies` of the network than one, the inputs are those of the first, then those
    of the second, and so are the outputs."""

    inputs: int
    outputs: int
    formula: Formula
    copies: int = 1
    names: tuple[str, ...] = ()

    def name(self, number: int) -> str:
        """What the format calls a number."""
        if self.names:
            return self.names[number]
        return f"X_{number}" if number < self.inputs else f"Y_{number - self.inputs}"

    def numbers(self, network: Network, point: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """The inputs and what the network makes of them."""
        width = self.inputs // self.copies
        shares = [tuple(point[k * width : (k + 1) * width]) for k in range(self.copies)]
        return (*point, *(y for share in shares for y in network.values(share)[-1]))


def holds(formula: Formula, numbers: Sequence[Fraction]) -> bool:
    """The formula at concrete inputs and outputs, exactly."""
    match formula:
        case Compare(terms, constant, strict):
            value = sum((w * numbers[i] for i, w in terms), constant)
            return value > 0 if strict else value >= 0
        case All(parts):
            return all(holds(p, numbers) for p in parts)
        case Some(parts):
            return any(holds(p, numbers) for p in parts)
        case _:
            assert_never(formula)


def negated(formula: Formula) -> Formula:
    """The formula that holds exactly where this one does not."""
    match formula:
        case Compare(terms, constant, strict):
            return Compare(tuple((i, -w) for i, w in terms), -constant, not strict)
        case All(parts):
            return Some(tuple(negated(p) for p in parts))
        case Some(parts):
            return All(tuple(negated(p) for p in parts))
        case _:
            assert_never(formula)
