"""Leaps end at the extreme, whatever the steps are, and after few questions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.engines.leap import Leap

F = Fraction


def climbed(values: list[Fraction], leap: Leap) -> tuple[Fraction, int]:
    """The last value that a search finds, which finds the least value that is beyond what it is asked for; and how
    often it is asked."""
    best: Fraction | None = None
    for asked in range(10**5):
        wanted = None if best is None else leap.target
        found = next((v for v in values if wanted is None or v > wanted), None)
        if found is not None:
            leap.reached(found)
            best = found
        elif leap.length:
            leap.failed()
        else:
            assert best is not None
            return best, asked
    raise AssertionError("it does not end")


VALUES = st.lists(st.fractions(-100, 100, max_denominator=8), min_size=1, max_size=40, unique=True).map(sorted)


@given(VALUES, st.sampled_from([F(0), F(1, 16), F(1, 2)]), st.booleans())
def test_nothing_lies_beyond_where_it_ends(values: list[Fraction], share: Fraction, doubling: bool) -> None:
    assert climbed(values, Leap(True, share, doubling))[0] == values[-1]


@pytest.mark.parametrize("share", [F(0), F(1, 16)])
@pytest.mark.parametrize("first", [0, 200_000])
def test_a_long_way_in_small_steps_takes_few_questions(share: Fraction, first: int) -> None:
    values = [*(F(k) for k in range(first, first + 20_000)), F(first + 50_000), F(first + 50_001)]
    last, asked = climbed(values, Leap(True, share))
    assert last == values[-1] and asked < 100
