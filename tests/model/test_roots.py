"""Polyhedral norms and tangents: on the right side of the root, and near."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.language.build import Build
from verifier.model.roots import first_tangents, polyhedral, slack, tangent, units

F = Fraction
numbers = fractions(-5, 5, 20)
weights = fractions(F(1, 9), 4, 9)
sums = st.lists(st.tuples(weights, numbers), min_size=1, max_size=5)


@settings(max_examples=40)
@given(sums, st.sampled_from([1, 2, 6, 12]))
def test_one_norm_is_below_and_one_above(parts: list[tuple[F, F]], fine: int) -> None:
    build = Build()
    rows = [(w, build.constant(x)) for w, x in parts]
    below, above = (polyhedral(build, rows, side, fine).constant for side in ("below", "above"))  # type: ignore[arg-type]
    square = sum((w * x * x for w, x in parts), F(0))
    assert below >= 0 and below**2 <= square <= above**2
    assert above <= below * slack(fine) ** 3 * (1 + F(1, 10**5))


@settings(max_examples=40)
@given(sums)
def test_no_tangent_is_above_and_its_own_touches(parts: list[tuple[F, F]]) -> None:
    ws, xs = [w for w, _ in parts], [x for _, x in parts]
    square = sum((w * x * x for w, x in parts), F(0))
    for ts in first_tangents(ws):
        assert sum(t * t / w for t, w in zip(ts, ws, strict=True)) <= 1
    if any(xs):
        ts = tangent(ws, xs)
        assert sum(t * t / w for t, w in zip(ts, ws, strict=True)) <= 1
        share = sum((t * x for t, x in zip(ts, xs, strict=True)), F(0))
        assert share**2 <= square <= (share * (1 + F(1, 10**6))) ** 2


@pytest.mark.parametrize("fine", [1, 2, 3, 6, 24])
def test_directions_are_on_the_circle_and_near_to_each_other(fine: int) -> None:
    assert all(c * c + s * s == 1 for c, s in units(fine))
    assert units(fine)[0] == (1, 0) and units(fine)[-1] == (0, 1)
    assert 1 < slack(fine) < 1 + F(1, 2 * fine * fine)
