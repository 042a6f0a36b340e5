"""norm1(x, ...) = |x1| + ... + |xn|."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import Build, Form
from verifier.language.ops.abs import absolute
from verifier.language.ops.op import Op


def total(build: Build, forms: Sequence[Form]) -> Form:
    """Sum of |x|; 0 of nothing."""
    return build.add(*(absolute(build, form) for form in forms))


def expand(build: Build, of: Sequence[Form]) -> Form:
    """The sum of the |x|."""
    return total(build, of)


def meaning(of: Sequence[Fraction]) -> Fraction:
    """Sum of |x|; 0 of nothing."""
    return sum((abs(x) for x in of), Fraction(0))


NORM1 = Op("norm1", "fold", expand, meaning)
