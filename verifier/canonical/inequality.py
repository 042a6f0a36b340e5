"""Affine inequalities as one writes them by hand: `a >= 1/2`, `a + 1 > 2*b`, `1/4 <= a < 1/2`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from msgspec import Struct

Names = Mapping[int, str]


class Bound(Struct, frozen=True):
    """terms + constant >= 0, or with `strict` > 0."""

    terms: tuple[tuple[int, Fraction], ...]
    constant: Fraction
    strict: bool


def conjunction(bounds: Sequence[Bound], names: Names) -> list[str]:
    """One formula a bound, in their order; two bounds of the same form from two sides are one."""
    found, rest = [], list(bounds)
    while rest:
        first, *rest = rest
        direction, _ = primitive(first)
        other = next((b for b in rest if primitive(b)[0] == tuple((i, -w) for i, w in direction)), None)
        rest = [b for b in rest if b is not other]
        found.append(written(first, names) if other is None else between(first, other, names))
    return found


def primitive(bound: Bound) -> tuple[tuple[tuple[int, Fraction], ...], Fraction]:
    """Terms with coprime integers, and the constant that goes with them."""
    common = lcm(*(w.denominator for _, w in bound.terms))
    scale = Fraction(common, gcd(*(int(w * common) for _, w in bound.terms)))
    return tuple((i, w * scale) for i, w in bound.terms), bound.constant * scale


def between(one: Bound, other: Bound, names: Names) -> str:
    """The same form with two ends, which may be one."""
    low, high = (one, other) if one.terms[0][1] > 0 else (other, one)
    terms, constant = primitive(low)
    _, top = primitive(high)
    if -constant == top:
        return sides(terms, constant, "==", names)
    left, right = ("<" if b.strict else "<=" for b in (low, high))
    return f"{-constant} {left} {total(terms, names)} {right} {top}"


def written(bound: Bound, names: Names) -> str:
    """A number by itself stands on the right; otherwise what would be negative stands on the other side."""
    terms, constant = primitive(bound)
    sign = ">" if bound.strict else ">="
    if all(w < 0 for _, w in terms):
        return sides(tuple((i, -w) for i, w in terms), -constant, sign.replace(">", "<"), names)
    return sides(terms, constant, sign, names)


def sides(terms: tuple[tuple[int, Fraction], ...], constant: Fraction, sign: str, names: Names) -> str:
    """terms + constant `sign` 0."""
    common = constant.denominator if len(terms) > 1 else 1  # halves of one coordinate are plainer than its double
    terms, constant = tuple((i, w * common) for i, w in terms), constant * common
    left = [product(w, names[i]) for i, w in terms if w > 0]
    right = [product(-w, names[i]) for i, w in terms if w < 0]
    if not right:
        right = [str(-constant)]
    elif constant:
        (left if constant > 0 else right).append(str(abs(constant)))
    return f"{' + '.join(left)} {sign} {' + '.join(right)}"


def total(terms: tuple[tuple[int, Fraction], ...], names: Names) -> str:
    """`a - 2*b`."""
    text = ""
    for i, w in sorted(terms, key=lambda t: t[1] < 0):
        sign = " - " if w < 0 else " + "
        text += (sign if text else sign.strip(" +")) + product(abs(w), names[i])
    return text


def number(terms: tuple[tuple[int, Fraction], ...], constant: Fraction, names: Names) -> str:
    """`a - 2*b + 1/2`."""
    if not terms or not constant:
        return total(terms, names) or str(constant)
    return f"{total(terms, names)} {'-' if constant < 0 else '+'} {abs(constant)}"


def product(weight: Fraction, name: str) -> str:
    return name if weight == 1 else f"{weight}*{name}"
