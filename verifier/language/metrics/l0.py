"""l0: d(u, v) = the number of entries with u_i != v_i. Balls of radius at most 1 are null sets."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.build import ONE, ZERO, Build, Form
from verifier.language.metrics.metric import Metric, below, vanishes


def distance(build: Build, differences: Sequence[Form]) -> Form:
    """Sum of [d_i != 0]."""
    return build.add(*(build.select(vanishes(build, d), ZERO, ONE) for d in differences))


def ball(build: Build, differences: Sequence[Form], radius: Form, closed: bool) -> Form:
    """The count compared with the radius."""
    return below(build, distance(build, differences), radius, closed)


def meaning(differences: Sequence[Fraction]) -> Fraction:
    """How many differences are not 0."""
    return Fraction(sum(d != 0 for d in differences))


L0 = Metric("l0", distance, ball, meaning, is_norm=False)
