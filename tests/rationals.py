"""Random fractions of small denominators: hypothesis' own take several times as long to draw."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import ceil, floor

from hypothesis import strategies as st


@cache
def fractions(low: Fraction | int, high: Fraction | int, most: int) -> st.SearchStrategy[Fraction]:
    """Those from `low` to `high` whose denominators are at most `most`: each as often as it can be written with one, so
    that whole numbers are many."""
    found = [Fraction(n, d) for d in range(1, most + 1) for n in range(ceil(low * d), floor(high * d) + 1)]
    return st.sampled_from(sorted(found, key=lambda q: (q.denominator, abs(q), q < 0)))
