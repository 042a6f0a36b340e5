"""sum(x, ...) = the total; 0 of nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import Build, Form
from verifier.language.ops.op import Op


def expand(build: Build, of: Sequence[Form]) -> Form:
    """The affine sum."""
    return build.add(*of)


def meaning(of: Sequence[Fraction]) -> Fraction:
    """x1 + ... + xn."""
    return sum(of, Fraction(0))


SUM = Op("sum", "fold", expand, meaning)
