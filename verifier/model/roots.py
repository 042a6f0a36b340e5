"""Euclidean norms between polyhedral ones: what stands for a root where only linear arithmetic is known.

The norm of a pair of numbers >= 0 is at least its share in any direction, and at most so many times the greatest share
in directions that are not far from each other. Norms of more numbers are norms of norms of pairs (A. Ben-Tal and
A. Nemirovski, On polyhedral approximations of the second-order cone, 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Literal

from verifier.language.build import Build, Form
from verifier.language.metrics import METRICS
from verifier.language.ops import OPS
from verifier.language.root import below_root, rational

Norm = Literal["below", "above"]
"""On which side of the root a polyhedral norm is."""
Rows = Sequence[tuple[Fraction, Form]]
"""Weights and forms: what the root of sum weight * form^2 is taken of."""
SHORT = Fraction(1, 2**24)


def polyhedral(build: Build, rows: Rows, side: Norm, fine: int) -> Form:
    """A number that is nowhere above the root, or nowhere below, and near to it: within `slack` for each halving."""
    sides = [absolute(build, build.scale(side_root(w, side), form)) for w, form in rows]
    factor = Fraction(1)
    while len(sides) > 1:
        pairs = [sides[i : i + 2] for i in range(0, len(sides), 2)]
        sides = [planar(build, p[0], p[1], fine) if len(p) == 2 else p[0] for p in pairs]
        factor *= slack(fine)
    if not sides:
        return build.constant(0)
    return build.scale(factor, sides[0]) if side == "above" else sides[0]


def absolute(build: Build, form: Form) -> Form:
    return METRICS["linf"].distance(build, [form])


def planar(build: Build, x: Form, y: Form, fine: int) -> Form:
    """The greatest share of (x, y) in a direction, for x, y >= 0."""
    return OPS["max"].expand(build, [build.combine([(c, x), (s, y)]) for c, s in units(fine)])


@cache
def units(fine: int) -> tuple[tuple[Fraction, Fraction], ...]:
    """Rational points of the quarter circle, from (1, 0) to (0, 1): some 90 / fine degrees from each other."""
    halves = [Fraction(k, fine) for k in range(fine + 1)]
    return tuple(((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)) for t in halves)


@cache
def slack(fine: int) -> Fraction:
    """So many times the greatest share is at least the norm: 1 / cos of half the greatest angle."""
    squares = [2 / (1 + a * c + b * d) for (a, b), (c, d) in pairwise(units(fine))]
    return side_root(max(squares), "above")


def side_root(square: Fraction, side: Norm) -> Fraction:
    """The root of a rational, rounded to that side where it is irrational."""
    exact = rational(square)
    if exact is not None:
        return exact
    gap = SHORT * min(Fraction(1), square)
    return below_root(square, gap) + (gap if side == "above" else 0)


# tangents

Tangent = tuple[Fraction, ...]
"""Factors t of the forms of a root: the root is nowhere less than the sum of t * form, if sum t^2 / weight <= 1."""
SLOPES = (Fraction(0), Fraction(1, 5), Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(1))
"""Tangents of half the angle to the first of two forms, of which both sine and cosine are short."""
DIGITS = 20


def first_tangents(weights: Sequence[Fraction]) -> list[Tangent]:
    """Along the axes; of two forms also between them."""
    sides = [side_root(w, "below") for w in weights]
    if len(sides) == 2:
        turns = [((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)) for t in SLOPES]
        return list(dict.fromkeys((c * sides[0], sign * s * sides[1]) for c, s in turns for sign in (1, -1)))
    return [tuple(side if i == j else Fraction(0) for j in range(len(sides))) for i, side in enumerate(sides)]


def tangent(weights: Sequence[Fraction], forms: Sequence[Fraction]) -> Tangent:
    """The one that touches the norm where the forms have these values, or near; they are not all 0."""
    most = max(map(abs, forms))
    short = [x / most for x in forms]
    if any(x.denominator.bit_length() > DIGITS for x in short):
        short = [Fraction(round(x * (1 << DIGITS)), 1 << DIGITS) for x in short]
    length = sum((w * x * x for w, x in zip(weights, short, strict=True)), Fraction(0))
    share = side_root(1 / length, "below")
    return tuple(w * x * share for w, x in zip(weights, short, strict=True))
