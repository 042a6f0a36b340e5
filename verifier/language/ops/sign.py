"""sign(x) = -1, 0 or 1 as x is negative, zero or positive."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import Build, Form
from verifier.language.ops.op import Op
from verifier.language.ops.step import unit_step


def expand(build: Build, of: Sequence[Form]) -> Form:
    """step(x) - step(-x), so that sign(-x) = -sign(x) as forms."""
    return build.subtract(unit_step(build, of[0]), unit_step(build, build.scale(-1, of[0])))


def meaning(of: Sequence[Fraction]) -> Fraction:
    """[x > 0] - [x < 0]."""
    return Fraction((of[0] > 0) - (of[0] < 0))


SIGN = Op("sign", "each", expand, meaning)
