"""step(x) = 1 where x >= 0, else 0."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import ONE, ZERO, Build, Form
from verifier.language.ops.op import Op


def unit_step(build: Build, form: Form) -> Form:
    """1 where form >= 0, else 0: it jumps, so it stays a choice."""
    return build.select(form, ONE, ZERO)


def expand(build: Build, of: Sequence[Form]) -> Form:
    """A choice between 1 and 0 by x >= 0."""
    return unit_step(build, of[0])


def meaning(of: Sequence[Fraction]) -> Fraction:
    """1 at 0 and above, 0 below."""
    return Fraction(of[0] >= 0)


STEP = Op("step", "each", expand, meaning)
