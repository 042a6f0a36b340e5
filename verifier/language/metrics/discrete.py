"""discrete: d(u, v) = 0 where u = v, else 1."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import ONE, ZERO, Build, Form
from verifier.language.metrics.metric import Metric, below, vanishes


def distance(build: Build, differences: Sequence[Form]) -> Form:
    """1 unless every d_i = 0."""
    return build.select(_equal(build, differences), ZERO, ONE)


def ball(build: Build, differences: Sequence[Form], radius: Form, closed: bool) -> Form:
    """Everything where 1 is within the radius, the equal points where only 0 is, else nothing."""
    equal = build.both(below(build, ZERO, radius, closed), _equal(build, differences))
    return build.either(below(build, ONE, radius, closed), equal)


def meaning(differences: Sequence[Fraction]) -> Fraction:
    """[some d_i != 0]."""
    return Fraction(any(d != 0 for d in differences))


def _equal(build: Build, differences: Sequence[Form]) -> Form:
    return build.both(*dict.fromkeys(vanishes(build, d) for d in differences))


DISCRETE = Metric("discrete", distance, ball, meaning, is_norm=False)
