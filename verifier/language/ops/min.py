"""min(x, ...) = the smallest."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import Build, Form
from verifier.language.ops.max import largest
from verifier.language.ops.op import Op


def smallest(build: Build, forms: Sequence[Form]) -> Form:
    """-max(-x, ...), so that min and max share their relus. At least one form."""
    return build.scale(-1, largest(build, [build.scale(-1, form) for form in forms]))


def expand(build: Build, of: Sequence[Form]) -> Form:
    """-max(-x, ...)."""
    return smallest(build, of)


def meaning(of: Sequence[Fraction]) -> Fraction:
    """The smallest of at least one number."""
    return min(of)


MIN = Op("min", "fold", expand, meaning)
