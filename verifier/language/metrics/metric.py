"""The record that a metric is, and the comparison that every ball ends in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from msgspec import Struct

from verifier.language.build import Build, Form


class Metric(Struct, frozen=True):
    """`distance` builds it, `meaning` evaluates it, `ball` builds the formula d <= radius (closed) or d < radius more
    sharply than comparing `distance` would. `is_norm`: the topology is the one of the features (Theorems 1 and 2)."""

    name: str
    distance: Callable[[Build, Sequence[Form]], Form]
    ball: Callable[[Build, Sequence[Form], Form, bool], Form]
    meaning: Callable[[Sequence[Fraction]], Fraction]
    is_norm: bool


def below(build: Build, form: Form, radius: Form, closed: bool) -> Form:
    """The formula form <= radius (closed) or form < radius."""
    gap = build.subtract(radius, form)
    return build.at_least_zero(gap) if closed else build.above_zero(gap)


def vanishes(build: Build, form: Form) -> Form:
    """The formula form = 0, the same for form and -form."""
    negative = form.terms and form.terms[0][1] < 0
    return build.is_zero(build.scale(-1, form) if negative else form)
