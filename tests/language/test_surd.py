"""Sums of roots: against decimals of many digits, and equalities that decimals cannot see."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.language.root import Root
from verifier.language.surd import Exact, Nested, Surd, between, distance, floor, near, surd

F = Fraction
rationals = fractions(-3, 3, 12)
sums = st.lists(st.tuples(rationals, fractions(0, 60, 9)), max_size=4)


def total(parts: list[tuple[Fraction, Fraction]]) -> Exact:
    found: Exact = F(0)
    for q, n in parts:
        found = found + q * surd(Root(n))
    return found


def decimal(parts: list[tuple[Fraction, Fraction]]) -> Decimal:
    def of(q: Fraction) -> Decimal:
        return Decimal(q.numerator) / Decimal(q.denominator)

    return sum((of(q) * of(n).sqrt() for q, n in parts), Decimal(0))


@given(sums, sums)
def test_order_and_arithmetic_are_those_of_decimals(left: list[tuple[F, F]], right: list[tuple[F, F]]) -> None:
    with localcontext() as context:
        context.prec = 80
        a, b, x, y = total(left), total(right), decimal(left), decimal(right)
        if abs(x - y) > Decimal(10) ** -60:
            assert (a < b) is (x < y) and (a > b) is (x > y) and a != b
        else:
            assert a == b and a <= b <= a
        for exact, about in ((a + b, x + y), (a - b, x - y), (a * b, x * y), (abs(a), abs(x)), (a / 7, x / 7)):
            close = near(exact)
            error = Decimal(close.numerator) / Decimal(close.denominator) - about
            assert abs(error) <= Decimal(10) ** -15 * (1 + abs(about))


def test_roots_that_are_multiples_of_each_other_are_one() -> None:
    assert surd(Root(F(8))) - 2 * surd(Root(F(2))) == 0
    assert surd(Root(F(578))) == 17 * surd(Root(F(2)))
    assert surd(Root(F(3))) * surd(Root(F(12))) == 6
    assert isinstance(surd(Root(F(2))) + surd(Root(F(3))), Surd)
    # (sqrt 2 + sqrt 3)^2 = 5 + 2 sqrt 6
    assert (surd(Root(F(2))) + surd(Root(F(3)))) * (surd(Root(F(2))) + surd(Root(F(3)))) == 5 + surd(Root(F(24)))


def test_a_sum_is_written_as_it_is_read() -> None:
    assert str(F(1, 2) - surd(Root(F(3, 4)))) == "1/2 - 1/2*sqrt(3)"
    assert str(surd(Root(F(2))) + surd(Root(F(3)))) == "sqrt(2) + sqrt(3)"
    assert str(-surd(Root(F(2)))) == "-sqrt(2)"


def test_a_surd_is_compared_with_roots_and_rationals() -> None:
    half = surd(Root(F(1, 2)))
    assert F(7, 10) < half < F(71, 100) and half > Root(F(49, 100)) and Root(F(51, 100)) > half
    assert half == Root(F(1, 2)) and half != F(1, 2) and half < float("inf")


def test_a_nested_root_is_ordered_by_its_square() -> None:
    nested = distance(2 + surd(Root(F(3))))  # 1.93...
    assert isinstance(nested, Nested) and F(193, 100) < nested < F(194, 100)
    assert Root(F(3)) < nested < Root(F(4)) and nested == Nested(3 - (1 - surd(Root(F(3)))))  # type: ignore[arg-type]
    assert distance(F(4)) == 2 and distance(F(2)) == Root(F(2))
    assert abs(float(near(nested)) - (2 + 3**0.5) ** 0.5) < 1e-12


def test_a_rational_is_found_between_any_two() -> None:
    a, b = surd(Root(F(2))), surd(Root(F(2))) + F(1, 10**30)
    assert a < between(a, b) < b and between(F(0), F(1)) == F(1, 2) and between(a, None) > a
    assert floor(a) <= a < floor(a) + F(1, 2**60)
