"""norminf(x, ...) = the largest |x|."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import ZERO, Build, Form
from verifier.language.ops.abs import absolute
from verifier.language.ops.max import largest
from verifier.language.ops.op import Op


def peak(build: Build, forms: Sequence[Form]) -> Form:
    """max |x|; 0 of nothing."""
    return largest(build, [absolute(build, form) for form in forms]) if forms else ZERO


def expand(build: Build, of: Sequence[Form]) -> Form:
    """The largest |x|, folded as max is."""
    return peak(build, of)


def meaning(of: Sequence[Fraction]) -> Fraction:
    """max |x|; 0 of nothing."""
    return max((abs(x) for x in of), default=Fraction(0))


NORMINF = Op("norminf", "fold", expand, meaning)
