"""abs(x) = |x|."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import Build, Form
from verifier.language.ops.op import Op


def absolute(build: Build, form: Form) -> Form:
    """|u| = u + 2 relu(-u); the same form as |-u|."""
    return build.add(form, build.scale(2, build.relu(build.scale(-1, form))))


def expand(build: Build, of: Sequence[Form]) -> Form:
    """u + 2 relu(-u)."""
    return absolute(build, of[0])


def meaning(of: Sequence[Fraction]) -> Fraction:
    """The distance of x from 0."""
    return abs(of[0])


ABS = Op("abs", "each", expand, meaning)
