"""The root of a rational: what an L2 distance is. It is compared exactly, never rounded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import total_ordering
from math import isqrt
from typing import Any


@total_ordering
class Rooted:
    """The root of an exact number `square` >= 0: in the order of the squares."""

    __slots__ = ()
    square: Any

    def __eq__(self, other: object) -> bool:
        match other:
            case Rooted(square=square):
                return bool(self.square == square)
            case Fraction() | int():
                return other >= 0 and bool(self.square == other * other)
            case float():
                return False if other in (INFINITY, -INFINITY) else NotImplemented
            case _:
                return NotImplemented

    def __lt__(self, other: object) -> bool:
        match other:
            case Rooted(square=square):
                return bool(self.square < square)
            case Fraction() | int():
                return other > 0 and bool(self.square < other * other)
            case float() if other in (INFINITY, -INFINITY):
                return other > 0
            case _:
                return NotImplemented

    def __hash__(self) -> int:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Root(Rooted):
    """The square root of a rational `square` >= 0, which may be irrational."""

    square: Fraction

    def __str__(self) -> str:
        top, bottom = (format(Decimal(n), "f") for n in (self.square.numerator, self.square.denominator))
        return f"sqrt({top})" if bottom == "1" else f"sqrt({top}/{bottom})"  # Decimal: int -> str ends at 4300 digits

    @property
    def near(self) -> Fraction:
        """A rational within 2^-60, relatively."""
        scale = 1 << max(0, 120 - self.square.numerator.bit_length() + self.square.denominator.bit_length())
        scale = 1 << (scale.bit_length() // 2)
        return Fraction(isqrt(int(self.square * scale * scale)), scale)

    def __hash__(self) -> int:
        return hash(root(self.square)) if rational(self.square) is not None else hash(("root", self.square))

    def times(self, factor: Fraction) -> Root:
        """factor * root, for a factor >= 0."""
        assert factor >= 0
        return Root(self.square * factor * factor)


INFINITY = float("inf")


def rational(square: Fraction) -> Fraction | None:
    """The root, where it is rational."""
    top, bottom = isqrt(square.numerator), isqrt(square.denominator)
    exact = top * top == square.numerator and bottom * bottom == square.denominator
    return Fraction(top, bottom) if exact else None


def root(square: Fraction) -> Fraction | Root:
    """The root of a rational >= 0: a rational where it is one."""
    exact = rational(square)
    return Root(square) if exact is None else exact


def floor_root(square: Fraction) -> Fraction:
    """A short rational not above the root of a rational >= 0, positive where the root is, and at least half of it."""
    exact = rational(square)
    if exact is not None:
        return exact
    scale = 1
    while square * scale * scale < 64:
        scale *= 2
    return Fraction(isqrt(int(square * scale * scale)), scale)


def below_root(square: Fraction, gap: Fraction) -> Fraction:
    """A rational not above the root of a rational >= 0, and less than `gap` below it."""
    scale = int(1 / gap) + 1
    return Fraction(isqrt(int(square * scale * scale)), scale)
