"""Numbers in reasons: short ones as they are, long ones rounded so that what is said stays true."""

from fractions import Fraction as F

import pytest

from verifier.engines.engine import in_words, so_far


@pytest.mark.parametrize(
    ("value", "up", "shown"),
    [
        (F(1, 3), True, "1/3"),
        (F(0), False, "0"),
        (F(10**15 + 1, 3 * 10**15), True, "0.333333333333"),
        (F(10**15 + 1, 3 * 10**15), False, "0.333333333334"),
        (F(10**15 + 1, 3 * 10**15), None, "about 0.333333333333"),
        (-F(10**15 + 1, 3 * 10**15), True, "-0.333333333334"),
        (F(10**40 + 1, 7), True, "1.42857142857e+39"),
        (F(7, 10**40 + 1), False, "7.00000000000e-40"),
    ],
)
def test_a_number(value: F, up: bool | None, shown: str) -> None:
    assert in_words(value, up) == shown


def test_what_is_known_so_far() -> None:
    assert so_far("out of time", None, up=True) == "out of time"
    assert so_far("out of time", F(5, 2), up=True) == "out of time; it is at least 5/2"
    assert so_far("tired", F(10**15 + 1, 3 * 10**15), up=False, what="its square") == (
        "tired; its square is at most 0.333333333334"
    )
