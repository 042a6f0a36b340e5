"""Roots of rationals compare exactly with rationals, infinities and each other."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from operator import eq, ge, gt, le, lt, ne

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.language.root import Root, below_root, floor_root, rational, root

numbers = fractions(0, 50, 12)
gaps = st.fractions(min_value=Fraction(1, 10**6), max_value=1)


@pytest.mark.parametrize("compare", [lt, le, eq, ne, ge, gt])
@given(a=numbers, b=numbers, sign=st.sampled_from([1, -1]))
def test_as_the_numbers_that_they_are(compare: object, a: Fraction, b: Fraction, sign: int) -> None:
    assert callable(compare)
    value = sign * b
    expected = compare(a, value * value) if value >= 0 else compare(1, -1)
    assert compare(Root(a), value) is expected
    assert compare(value, Root(a)) is (compare(value * value, a) if value >= 0 else compare(-1, 1))
    assert compare(Root(a), Root(b)) is compare(a, b)


def test_infinity_is_larger_than_every_root() -> None:
    for infinite in (float("inf"), -float("inf")):
        assert (Root(Fraction(2)) < infinite) is (infinite > 0) and (infinite > Root(Fraction(2))) is (infinite > 0)
        assert Root(Fraction(2)) != infinite


@given(a=numbers)
def test_rational_roots_are_rationals(a: Fraction) -> None:
    assert root(a * a) == a and isinstance(root(a * a), Fraction) and hash(Root(a * a)) == hash(a)
    exact = rational(a)
    assert (exact is None) == isinstance(root(a), Root) and (exact is None or exact * exact == a)


@given(a=numbers, gap=gaps)
def test_lower_bounds(a: Fraction, gap: Fraction) -> None:
    low = below_root(a, gap)
    assert low >= 0 and low * low <= a < (low + gap) ** 2
    short = floor_root(a)
    assert short * short <= a <= 4 * short * short


@given(a=st.fractions(min_value=Fraction(1, 10**9), max_value=10**9))
def test_near_and_text(a: Fraction) -> None:
    with localcontext() as context:
        context.prec = 50
        true = (Decimal(a.numerator) / Decimal(a.denominator)).sqrt()
        near = Decimal(Root(a).near.numerator) / Decimal(Root(a).near.denominator)
        assert abs(near - true) <= true / 2**55
    assert str(Root(a)) == f"sqrt({a})"


def test_a_long_root_can_be_written() -> None:
    assert len(str(Root(Fraction(10**6000 + 1, 3)))) > 6000
