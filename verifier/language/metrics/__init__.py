"""Metrics on feature vectors: each in its own file, each one line in the table.

A metric sees the scaled differences of the entries, (left - right) / scale; a nominal entry differs by 1 or 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from verifier.language.build import Build, Form


@dataclass(frozen=True, slots=True)
class Metric:
    """`distance` builds it, `meaning` evaluates it, `ball` builds the formula d <= radius (closed) or d < radius more sharply than
    comparing `distance` would. `is_norm`: the topology is the one of the features (Theorems 1 and 2 apply)."""

    name: str
    distance: Callable[[Build, Sequence[Form]], Form]
    ball: Callable[[Build, Sequence[Form], Form, bool], Form]
    meaning: Callable[[Sequence[Fraction]], Fraction]
    is_norm: bool
