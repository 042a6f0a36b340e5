"""Sums of square roots of rationals: what arithmetic on l2 distances gives. They are ordered exactly.

Square roots of whole numbers no two of which have a square as their product are linearly independent over the rationals
(A. Besicovitch, On the linear independence of fractional powers of integers, 1940). So roots that are multiples of each
other are put together, and what is left is zero iff it has no terms; if it is not, enclosures tell its sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering
from math import isqrt

from verifier.language.root import Root, Rooted, root

Number = Fraction | int
SMALL = (2, 3, 5, 7, 11, 13)
"""Squares of these are taken out of roots, so that they are short."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Surd:
    """The sum of factor * sqrt(whole number), at least one of them irrational; see `surd`."""

    terms: tuple[tuple[int, Fraction], ...]

    def __add__(self, other: Number | Root | Surd) -> Exact:
        return collect([*self.terms, *parts(other)])

    __radd__ = __add__

    def __neg__(self) -> Surd:
        return Surd(tuple((n, -q) for n, q in self.terms))

    def __sub__(self, other: Number | Root | Surd) -> Exact:
        return collect([*self.terms, *((n, -q) for n, q in parts(other))])

    def __rsub__(self, other: Number | Root | Surd) -> Exact:
        return collect([*parts(other), *((n, -q) for n, q in self.terms)])

    def __mul__(self, other: Number | Root | Surd) -> Exact:
        return collect([(n * m, p * q) for n, p in self.terms for m, q in parts(other)])

    __rmul__ = __mul__

    def __truediv__(self, other: Number) -> Exact:
        return self * (1 / Fraction(other))

    def __abs__(self) -> Exact:
        return self if self.sign > 0 else -self

    @property
    def sign(self) -> int:
        """1 or -1: a surd is not zero."""
        bits = 64
        while True:
            low, high = self.within(bits)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            bits *= 2

    def within(self, bits: int) -> tuple[Fraction, Fraction]:
        """An enclosure, from that many bits behind the point of each root."""
        low = high = Fraction(0)
        for n, q in self.terms:
            below = isqrt(n << 2 * bits)
            ends = sorted((q * below, q * (below + (below * below != n << 2 * bits))))
            low, high = low + ends[0] / (1 << bits), high + ends[1] / (1 << bits)
        return low, high

    @property
    def near(self) -> Fraction:
        """A rational within about 2^-60, relatively."""
        bits = 64
        while True:
            low, high = self.within(bits)
            if high - low <= abs(low) / (1 << 60):
                return low
            bits *= 2

    def __float__(self) -> float:
        return float(self.near)

    def __eq__(self, other: object) -> bool:
        match other:
            case Surd() | Fraction() | int() | Root():
                gap = self - other
                return not isinstance(gap, Surd) and gap == 0
            case _:
                return NotImplemented

    def __hash__(self) -> int:
        return hash(Surd)  # equal ones may be written with other roots

    def __lt__(self, other: object) -> bool:
        match other:
            case Surd() | Fraction() | int() | Root():
                gap = self - other
                return gap.sign < 0 if isinstance(gap, Surd) else gap < 0
            case float() if other in (float("inf"), -float("inf")):
                return other > 0
            case _:
                return NotImplemented

    def __str__(self) -> str:
        said = ""
        for n, q in self.terms:
            size = abs(q) if said else q
            shown = str(size) if n == 1 else f"{'-' if size < 0 else ''}{times(abs(size))}sqrt({n})"
            said += f" {'-' if q < 0 else '+'} {shown}" if said else shown
        return said


Exact = Fraction | Surd
"""A number that arithmetic with roots has given; rational where it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Nested(Rooted):
    """The square root of a positive surd."""

    square: Surd

    def __hash__(self) -> int:
        return hash(Nested)

    @property
    def near(self) -> Fraction:
        return Root(self.square.near).near

    def __str__(self) -> str:
        return f"sqrt({self.square})"


Distance = Fraction | Root | Nested


def distance(square: Exact) -> Distance:
    """The root of a number >= 0."""
    return root(square) if isinstance(square, Fraction) else Nested(square)


def near(number: Exact | Distance) -> Fraction:
    """A rational within about 2^-60, relatively."""
    return number if isinstance(number, Fraction) else number.near


def floor(number: Exact, bits: int = 64) -> Fraction:
    """A rational not above it, from that many bits of each root."""
    return number if isinstance(number, Fraction) else number.within(bits)[0]


def between(low: Exact, high: Exact | None) -> Fraction:
    """A short rational in between (None: above)."""
    bits = 4
    while True:
        middle = floor(low, 2 * bits) + 1 if high is None else floor((low + high) / 2, 2 * bits)
        rounded = Fraction(round(middle * (1 << bits)), 1 << bits)
        if low < rounded and (high is None or rounded < high):
            return rounded
        bits *= 2


def times(factor: Fraction) -> str:
    return "" if factor == 1 else f"{factor}*"


def parts(number: Number | Root | Surd) -> list[tuple[int, Fraction]]:
    """What it is the sum of."""
    match number:
        case Surd(terms):
            return list(terms)
        case Root(square):
            return [(square.numerator * square.denominator, Fraction(1, square.denominator))]
        case _:
            return [(1, Fraction(number))]


def surd(number: Number | Root | Surd) -> Exact:
    """The same number, to be computed with."""
    return collect(parts(number))


def collect(terms: list[tuple[int, Fraction]]) -> Exact:
    """The sum of factor * sqrt(n), n >= 0, with as few roots as there can be."""
    found: dict[int, Fraction] = {}
    for n, q in terms:
        if not n or not q:
            continue
        n, q = shortened(n, q)
        for m in found:
            both = isqrt(n * m)
            if both * both == n * m:  # sqrt(n) = both / m * sqrt(m)
                found[m] += q * Fraction(both, m)
                break
        else:
            found[n] = q
    left = {n: q for n, q in sorted(found.items()) if q}
    return left.get(1, Fraction(0)) if set(left) <= {1} else Surd(tuple(left.items()))


def shortened(n: int, q: Fraction) -> tuple[int, Fraction]:
    """The same term with small squares taken out of its root; a perfect square is a rational."""
    whole = isqrt(n)
    if whole * whole == n:
        return 1, q * whole
    for p in SMALL:
        while n % (p * p) == 0:
            n, q = n // (p * p), q * p
    return n, q
