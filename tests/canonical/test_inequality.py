"""Inequalities as one writes them by hand."""

from __future__ import annotations

from fractions import Fraction as F

import pytest

from verifier.canonical.inequality import Bound, conjunction

NAMES = {0: "a", 1: "b", 2: "c"}


def bound(constant: str, strict: bool = False, **weights: str) -> Bound:
    terms = tuple((i, F(weights[n])) for i, n in NAMES.items() if n in weights)
    return Bound(terms, F(constant), strict)


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ([bound("-1/2", a="1")], "a >= 1/2"),
        ([bound("1/2", a="-1", strict=True)], "a < 1/2"),
        ([bound("-1", a="2")], "a >= 1/2"),
        ([bound("-5", a="10", b="1")], "10*a + b >= 5"),
        ([bound("3", a="-1", b="-2")], "a + 2*b <= 3"),
        ([bound("0", a="1", b="-1", strict=True)], "a > b"),
        ([bound("1/2", a="1", b="-2")], "2*a + 1 >= 4*b"),
        ([bound("-1/2", a="1", b="-2")], "2*a >= 4*b + 1"),
        ([bound("-1/4", a="1"), bound("1/2", a="-1", strict=True)], "1/4 <= a < 1/2"),
        ([bound("1/2", a="-1"), bound("-1/2", a="1")], "a == 1/2"),
        ([bound("0", a="-1", b="1"), bound("0", a="1", b="-1")], "a == b"),
        ([bound("1", a="-2", b="2"), bound("0", a="1", b="-1", strict=True)], "0 < a - b <= 1/2"),
        ([bound("0", a="1"), bound("1", b="-1"), bound("1", a="-1")], "0 <= a <= 1 and b <= 1"),
    ],
)
def test_bounds_in_words(bounds: list[Bound], said: str) -> None:
    assert " and ".join(conjunction(bounds, NAMES)) == said
