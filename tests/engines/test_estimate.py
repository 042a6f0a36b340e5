"""The interval of Clopper and Pearson, exactly; an estimate stays out of assertions and near the truth."""

from __future__ import annotations

from fractions import Fraction

import pytest

from verifier.api import Options, load_text
from verifier.engines.estimate import GRID, clopper_pearson, hoeffding, tail
from verifier.verdict.measures import sampled

DOUBT = Fraction(1, 100)


def test_the_tail_is_a_sum_of_binomials() -> None:
    assert tail(2, 3, Fraction(1, 3)) == Fraction(7, 27)
    assert tail(0, 5, Fraction(1, 7)) == 1
    assert tail(5, 5, Fraction(1, 2)) == Fraction(1, 32)


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (1, 10), (5, 10), (10, 10), (13, 100), (499, 500)])
def test_the_interval_keeps_its_promise(hits: int, count: int) -> None:
    """At its ends the chance of what was seen or more (or less) is at most half the doubt; a step inside, not."""
    low, high = clopper_pearson(hits, count, DOUBT)
    step = Fraction(1, GRID)
    assert low <= Fraction(hits, count) <= high
    if hits:
        assert 2 * tail(hits, count, low) <= DOUBT < 2 * tail(hits, count, low + step)
    if hits < count:
        assert 2 * (1 - tail(hits + 1, count, high)) <= DOUBT < 2 * (1 - tail(hits + 1, count, high - step))


@pytest.mark.parametrize("metric", ["linf", "linf(scale: {x: 1/2})"])
def test_many_coordinates_are_estimated_by_compute_and_never_asserted(metric: str) -> None:
    """The other coordinates split off: 18/19, or 1 - (1/400)/(39/400) with half of the radius."""
    exact = 18 / 19 if metric == "linf" else 38 / 39
    text = f"""
domain X {{ x: real^9 in [0, 1] }}
labels {{ no, yes }}
oracle f2 {{ features x = x  metric {metric} }}
model f1 {{ features x = x  decide if x[3] >= 1/2 then yes else no }}
compute R: probability(f1, f2, radius: 1/10)
assert A: strongly_robust(f1, f2, radius: 1/10, eta: 1/2)
"""
    result = load_text(text).check(Options(timeout=60))
    found = result.computed[0].result
    assert found.how == "estimated" and found.enclosure is not None and not found.trusts
    low, high = found.enclosure
    assert low <= exact <= high and high - low < Fraction(1, 10)
    assert "seed" in found.notes[0]
    assert result["A"].word == "unknown"


def test_the_same_file_gets_the_same_estimate() -> None:
    text = """
domain X { x: real^7 in [0, 1], c: {u, v} }
labels { no, yes }
oracle f2 { features x = x  metric linf }
model f1 { features x = x, c = c  decide if x[0] >= 1/2 and c == u then yes else no }
compute R: probability(f1, f2, radius: 1)
compute S: probability(f1, f2, radius: 1)
"""
    first, second = load_text(text).check().computed
    assert first.result == second.result
    assert first.result.enclosure is not None
    low, high = first.result.enclosure
    assert low <= Fraction(10, 16) <= high  # 1/4 yes: 1/16 + 9/16


@pytest.mark.parametrize(("mean", "count"), [(0, 10), (1, 10), (0.5, 40), (0.02, 200), (0.98, 200)])
def test_hoeffdings_interval_holds_that_of_the_binomial_and_mirrors(mean: float, count: int) -> None:
    """Of coins his bound is the tail of Clopper and Pearson, and more."""
    share = Fraction(round(mean * count), count)
    low, high = hoeffding(share, count, DOUBT)
    sharp = clopper_pearson(int(share * count), count, DOUBT)
    assert low <= sharp[0] + Fraction(1, GRID) and sharp[1] - Fraction(1, GRID) <= high
    assert high - low <= 2 * (sharp[1] - sharp[0]) and 0 <= low <= share <= high <= 1
    again = hoeffding(1 - share, count, DOUBT)
    assert abs(1 - again[1] - low) < 1e-6 and abs(1 - again[0] - high) < 1e-6


def test_hoeffdings_interval_by_hand() -> None:
    """Of zeros alone k(0, p) = -ln(1 - p): the end is 1 - (1/200)^(1/10)."""
    low, high = hoeffding(Fraction(0), 10, DOUBT)
    assert low == 0 and 0 <= high - (1 - (1 / 200) ** 0.1) < 1e-6


MANY = """
domain X { x: real^5 in [0, 1] }
labels { no, yes }
oracle f2 { features x = x  metric linf  decide if x[0] >= 1/4 then yes else no }
oracle o2 { features x = x  metric l2 }
oracle o0 { features x = x  metric l0 }
model f1 { features x = x  decide if x[0] >= 1/2 then yes else no }
"""


@pytest.mark.parametrize(
    ("asked", "exact"),
    [
        ("arc(f1, f2)", 1 / 4),  # |x0 - 1/2|
        ("arca(f1, f2)", 1 / 4 - 1 / 32),  # but for [1/4, 1/2)
        ("arc(f1, o2)", 1 / 4),
        ("arc(f1, o0)", 1.0),
        (
            "arc(f1, f2, over: product(x: [histogram([1/2, 1], [1]), "
            + ", ".join(["histogram([0, 1], [1])"] * 4)
            + "]))",
            1 / 4,
        ),
    ],
)
def test_means_in_many_coordinates_are_estimated_by_compute_and_never_asserted(
    asked: str, exact: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "(f1, o" in asked:  # z3 takes long for each point
        monkeypatch.setattr(sampled, "COUNT", 40)
    text = f"{MANY}compute R: {asked}\nassert A: {asked} < 6"
    result = load_text(text).check(Options(timeout=60))
    found = result.computed[0].result
    assert found.how == "estimated" and found.enclosure is not None and not found.trusts
    low, high = found.enclosure
    assert low <= exact <= high and "Hoeffding" in found.notes[0] and "seed" in found.notes[0]
    assert result["A"].word == "unknown"


def test_a_constant_classifier_has_no_mean_to_estimate() -> None:
    text = MANY.replace("x[0] >= 1/2", "x[0] >= 2") + "compute R: arc(f1, f2)"
    (found,) = load_text(text).check(Options(timeout=20)).computed
    assert found.value is None
