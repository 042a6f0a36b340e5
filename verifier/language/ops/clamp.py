"""clamp(x, low, high) = min(max(x, low), high)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import Build, Form
from verifier.language.ops.max import largest
from verifier.language.ops.min import smallest
from verifier.language.ops.op import Op


def expand(build: Build, of: Sequence[Form]) -> Form:
    """low + relu(x - low) - relu(x - high) where low <= high is known; nested, as in the definition, otherwise."""
    x, low, high = of
    if build.decide(build.subtract(high, low)):
        above_low, above_high = build.relu(build.subtract(x, low)), build.relu(build.subtract(x, high))
        return build.subtract(build.add(low, above_low), above_high)
    return smallest(build, [largest(build, [x, low]), high])


def meaning(of: Sequence[Fraction]) -> Fraction:
    """The number of [low, high] nearest to x; `high` when the interval is empty."""
    x, low, high = of
    return min(max(x, low), high)


CLAMP = Op("clamp", "each", expand, meaning, arguments=3)
