"""relu(x) = max(x, 0)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import Build, Form
from verifier.language.ops.op import Op


def expand(build: Build, of: Sequence[Form]) -> Form:
    """max(x, 0), the one continuous choice that the builder knows."""
    return build.relu(of[0])


def meaning(of: Sequence[Fraction]) -> Fraction:
    """max(x, 0)."""
    return max(of[0], Fraction(0))


RELU = Op("relu", "each", expand, meaning)
