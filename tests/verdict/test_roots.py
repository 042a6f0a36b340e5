"""Sums of roots: against numbers derived by hand, samples and brute force; what is enclosed is inside."""

from __future__ import annotations

from fractions import Fraction
from math import hypot, log, sqrt
from pathlib import Path
from random import Random

import pytest

from verifier.api import Options, load, load_text
from verifier.language.surd import Surd
from verifier.verdict import figure
from verifier.verdict.verdict import FileResult, Measurement

F = Fraction
QUICK = Options(certifying=False)
HEAD = """
domain X { x: real in [-2, 2], y: real in [-2, 2] }
labels { near, far }
oracle s { features x = x, y = y  metric l2 + linf }
oracle m { features x = x, y = y  metric max(l2, l1 / 2) }
oracle t { features x = x, y = y  metric l2 / 2 + l2(scale: {x: 2, y: 1}) }
oracle q { features x = x, y = y  metric l2 }
oracle e { features x = x, y = y  metric linf }
model f1 { features s = x + y  metric linf  decide if s >= 1 then far else near }
model g1 { features x = x, y = y  metric l2 + l1  decide if 3*x + 4*y >= 5 then far else near }
model h1 { features s = relu(x), y = y  metric l2  decide if s >= 1 then far else near }
point o = { x: 0, y: 0 }
"""


def check(text: str) -> FileResult:
    result = load_text(HEAD + text).check(QUICK)
    assert not result.diagnostics and not result.internal_errors, (result.diagnostics, result.internal_errors)
    return result


def measured(text: str) -> Measurement:
    return check(f"compute V: {text}\n").computed[0].result


def encloses(text: str, truth: float, width: float) -> Measurement:
    """The interval holds the truth, and is relatively no wider than that."""
    found = measured(text)
    assert found.how == "enclosed" and found.enclosure is not None, found
    low, high = map(float, found.enclosure)
    assert low <= truth + 1e-12 and truth <= high + 1e-4 and high - low <= width * truth, (low, truth, high)
    return found


STATEMENTS = {
    "robust_at(f1, m, o, radius: 7/10)": "proved",  # sqrt(1/2) > 7/10
    "robust_at(f1, m, o, radius: 3/4)": "refuted",
    "robust_at(f1, s, o, radius: 6/5)": "proved",  # 1/2 + sqrt(1/2) = 1.2071
    "robust_at(f1, s, o, radius: 121/100, closed: true)": "refuted",
    "contained(f1, s)": "proved",
    "contained(s, f1)": "refuted",
    "uniformly_contained(g1, t)": "proved",
    "strongly_robust(f1, t, radius: 1/10, where: x + y >= 2)": "proved",
    "strongly_robust(f1, s, radius: 1/10)": "refuted",
    "is_pseudometric(t)": "proved",
    "lipschitz(f1, s, 83/100)": "proved",  # 2 / (1 + sqrt 2) = 0.8284
    "lipschitz(f1, s, 82/100)": "refuted",
    "probability(f1, s, o, radius: 3/2) >= 1/2": "proved",
    # arithmetic in formulas
    "forall u, v in X: distance(q, u, v) + 1 <= 7": "proved",  # 4 sqrt 2 + 1 = 6.66
    "forall u, v in X: distance(q, u, v) + 1 <= 6": "refuted",
    "forall u, v in X: distance(q, u, v) <= distance(s, u, v)": "proved",
    "forall u in X: distance(q, u, o) <= 2*u.x + 3": "refuted",
    "forall u, v in X: distance(s, u, v) >= 3 => distance(q, u, v) >= 3/2": "proved",
    "exists u in X: max(distance(q, u, o), 1) + u.y == 0": "proved",
    "distance(s, o, {x: 3/5, y: 4/5}) == 9/5": "proved",
    "distance(s, o, {x: 1, y: 1}) - 1 == distance(q, o, {x: 1, y: 1})": "proved",
}


def test_statements_about_sums_of_roots() -> None:
    result = check("".join(f"assert A{i}: {text}\n" for i, text in enumerate(STATEMENTS)))
    said = {a.text.strip(): a.word for a in result.assertions}
    assert [a.word for a in result.assertions] == list(STATEMENTS.values()), said


def test_a_refutation_shows_exact_sums() -> None:
    (said,) = check("assert A: robust_at(g1, s, o, radius: 9/5)\n").assertions
    assert said.word == "refuted" and said.pair is not None
    oracle = said.pair.seen[0].distance
    assert isinstance(oracle, Fraction | Surd) and oracle < F(9, 5)


def test_minimal_distances_are_enclosed_and_exact_where_bounds_meet() -> None:
    encloses("min_distance(f1, s, o)", 0.5 + sqrt(0.5), 1e-5)
    least = min(hypot(x, (5 - 3 * x) / 4) + max(x, (5 - 3 * x) / 4) for x in (k / 10**4 for k in range(10**4)))
    encloses("min_distance(g1, s, o)", least, 1e-4)
    found = measured("min_distance(h1, s, o)")  # straight to x = 1
    assert (found.amount, found.attained) == (2, True)
    found = measured("critical_radius(f1, s)")
    assert (found.amount, found.attained) == (0, False)


def test_tangents_are_added_until_no_place_is_as_near() -> None:
    """Of eight points only (1, yes, 0) is nearest: 3 + 3/4 * sqrt(41). A round may tighten the root at another one, and
    then the bound below stays where it is."""
    text = """
domain X { m: int in [0, 1], k: {no, yes}, n: int in [0, 1] }
labels { far, near }
oracle f2 {
  features u = m/2 - 2*code(k), v = m/2 - 2*code(k), w = code(k) + n - m/2
  metric   l2(weights: [1/2, 3, 3]) + l0
}
model f1 { features k = k  decide if k == yes then far else near }
compute V: min_distance(f1, f2, {m: 0, k: no, n: 1})
"""
    (value,) = load_text(text).check(QUICK).computed
    assert value.result.enclosure is not None
    low, high = map(float, value.result.enclosure)
    assert low <= 3 + 0.75 * sqrt(41) <= high <= low + 1e-5


def test_a_ball_among_the_conditions_of_a_measure() -> None:
    """From the ball of radius 1/2 to the line at distance sqrt(1/2)."""
    encloses("critical_radius(f1, q, where: distance(q, x, o) <= 1/2)", sqrt(0.5) - 0.5, 0.05)


def test_suprema_lie_between_two_polyhedral_norms() -> None:
    found = encloses("modulus(f1, s, delta: 1)", 2 / (1 + sqrt(2)), 0.015)
    assert found.pair is not None
    assert measured("lipschitz_constant(g1, f1)").amount == "infinity"


GRID = """
domain X { i: int in (-1, 2), j: int in [0, 3/2], c: {red, green} } where i + j <= 2
labels { near, far }
oracle f2 { features i = i, j = j  metric l2 }
oracle f3 { features i = i  metric l2 + l0 }
model f1 { features i = i, j = j  metric l2 + linf  decide if i >= 1 then far else near }
model f4 { features c = 2*code(c)  metric l2  decide if c >= 1 then far else near }
"""


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("modulus(f1, f2, delta: 0)", F(0)),
        ("modulus(f1, f2, delta: 1)", F(2)),
        ("modulus(f1, f2, delta: 3/2)", 1 + sqrt(2)),
        ("modulus(f1, f3, delta: 0)", F(2)),  # j changes alone
        ("modulus(f4, f2, delta: 0)", F(2)),
        ("lipschitz_constant(f1, f2)", F(2)),  # one step beats the diagonal, 1 + sqrt(1/2)
        ("lipschitz_constant(f2, f1)", 2 - sqrt(2)),  # there the diagonal is best
        ("lipschitz_constant(f1, f3)", "infinity"),
        ("lipschitz_constant(f4, f4)", F(1)),
    ],
)
def test_suprema_of_few_points_are_looked_for_among_all_pairs(measure: str, value: F | float | str) -> None:
    (said,) = load_text(GRID + f"compute V: {measure}\n").check(QUICK).computed
    if isinstance(value, float):
        assert said.result.enclosure is not None and said.attained
        low, high = map(float, said.result.enclosure)
        assert low <= value + 1e-15 and value - 1e-15 <= high and high - low < 1e-15 + 1e-9
    else:
        assert said.value == value and (said.attained or value == "infinity")


def test_a_long_interval_of_whole_numbers_is_not_listed() -> None:
    """Nor is its length a machine number."""
    text = """
domain X { n: int in [0, 1e40] }
labels { near, far }
oracle f2 { features n = n, s = n  metric l2 }
model f1 { features n = n  metric linf  decide if n >= 1 then far else near }
compute V: modulus(f1, f2, delta: 0)
"""
    assert load_text(text).check(Options(timeout=5, certifying=False)).computed[0].value in (F(0), None)


def test_the_curve_of_a_sum_of_roots_is_a_band() -> None:
    found = measured("modulus_curve(s, e)")
    assert isinstance(found.figure, figure.Band) and found.how == "enclosed"
    for delta in (F(0), F(1, 3), F(1), F(2), F(3), F(4), F(9)):
        low, high = found.figure.at(delta)
        truth = (1 + sqrt(2)) * min(float(delta), 4)
        assert low is not None and high is not None
        assert float(low) <= truth + 1e-12 and truth <= float(high) + 1e-12 and high <= low * F(102, 100)


def test_mean_distances_are_enclosed() -> None:
    """To the diagonal of a square, 1 / (3 sqrt 2); to a corner, by quarters of the square."""
    square = "domain X { x: real in [0, 1], y: real in [0, 1] }"
    corner = "model k1 { features x = x, y = y  decide if x >= 1/2 and y >= 1/2 then far else near }"
    text = HEAD.replace("domain X { x: real in [-2, 2], y: real in [-2, 2] }", square) + corner
    asked = "compute A: arc(f1, q)\ncompute B: arc(k1, q)\n"
    result = load_text(f"{text}\n{asked}").check(Options(timeout=4, certifying=False))
    quadrant = (sqrt(2) + log(1 + sqrt(2))) / 6  # from [0, 1/2]^2 to its corner
    truths = [1 / (3 * sqrt(2)), (quadrant + 1 / 4 + 1 / 4 + 1 / 6) / 4]
    for computed, truth in zip(result.computed, truths, strict=True):
        assert computed.result.enclosure is not None, computed.reason
        low, high = map(float, computed.result.enclosure)
        assert low <= truth + 1e-12 and truth <= high + 1e-12 and high - low <= 0.45 * truth


def test_a_probability_is_enclosed_between_two_balls() -> None:
    found = measured("probability(f1, s, o, radius: 2)")
    assert found.enclosure is not None
    random, hits, flips = Random(1), 0, 0
    while hits < 40_000:
        x, y = random.uniform(-2, 2), random.uniform(-2, 2)
        if hypot(x, y) + max(abs(x), abs(y)) < 2:
            hits, flips = hits + 1, flips + (x + y >= 1)
    low, high = map(float, found.enclosure)
    assert low - 0.01 <= 1 - flips / hits <= high + 0.01 and high - low < 0.06


def test_the_rows_of_a_data_set(tmp_path: Path) -> None:
    """Half a step from (1/2, 1/4), a whole one from 0 and (1, 1): sums of a half and its root's share."""
    (tmp_path / "d.csv").write_text("x,y\n0,0\n1/2,1/4\n1,1\n")
    file = tmp_path / "rows.vf"
    asked = "compute N: min_distance(f1, s, D)\ncompute R: arc(f1, s, over: D)\n"
    file.write_text(
        f'{HEAD}data D = csv("d.csv")\nassert A: forall row in D: robust_at(f1, s, row, radius: 3/10)\n{asked}'
    )
    result = load(str(file)).check(QUICK)
    assert not result.internal_errors and [a.word for a in result.assertions] == ["proved"]
    one = 0.5 + sqrt(0.5)
    for computed, truth in zip(result.computed, (one / 4, (one + one / 4 + one) / 3), strict=True):
        assert computed.result.enclosure is not None, computed.reason
        low, high = map(float, computed.result.enclosure)
        assert low <= truth + 1e-9 and truth <= high + 1e-9 and high - low <= 1e-4


@pytest.mark.parametrize("seed", range(2))
def test_no_claim_about_a_random_network_is_wrong(seed: int) -> None:
    """robust_at with a sum of roots, near the radius at which a grid flips."""
    random = Random(seed)
    a = [[random.randint(-4, 4) for _ in range(3)] for _ in range(2)]
    hidden = [f"relu({p}*x + ({q})*y + ({r}))" for p, q, r in a]
    metric = ["l2 + linf", "max(2 * l2, l1 + l2(scale: 3))"][seed]

    def far(x: float, y: float) -> float:
        return [
            hypot(x, y) + max(abs(x), abs(y)),
            max(2 * hypot(x, y), abs(x) + abs(y) + hypot(x, y) / 3),
        ][seed]

    def label(x: float, y: float) -> bool:
        return sum(max(0.0, p * x + q * y + r) for p, q, r in a) >= 3

    at = label(0, 0)
    places = [(i / 50, j / 50) for i in range(-100, 101) for j in range(-100, 101)]
    flips = [far(x, y) for x, y in places if label(x, y) != at]
    least = min(flips, default=9.0)
    radii = [max(F(1, 100), F(round(least * 100) + d, 100)) for d in (-12, 2)]
    text = f"""
        domain X {{ x: real in [-2, 2], y: real in [-2, 2] }}
        labels {{ near, far }}
        oracle f2 {{ features x = x, y = y  metric {metric} }}
        model f1 {{ features h = {hidden[0]} + {hidden[1]}  decide if h >= 3 then far else near }}
        point o = {{ x: 0, y: 0 }}
        assert A: robust_at(f1, f2, o, radius: {radii[0]})
        assert B: robust_at(f1, f2, o, radius: {radii[1]})
        compute D: min_distance(f1, f2, o)
    """
    result = load_text(text).check(QUICK)
    assert not result.diagnostics and not result.internal_errors
    a_, b_ = result.assertions
    assert b_.word == ("refuted" if flips else "proved")
    found = result.computed[0].result
    if not flips:
        assert found.amount == "infinity"
        return
    low, high = found.enclosure or (found.amount, found.amount)
    assert isinstance(low, Fraction) and isinstance(high, Fraction)
    assert float(low) <= least + 1e-9 and least <= float(high) + 0.15
    assert a_.word == ("proved" if low >= radii[0] else "refuted")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("distance(s, x, {x: 0, y: 0}) >= 1", "unknown"),
        ("distance(s, x, {x: 0, y: 0}) < 1 or x.x > 1", "unknown"),
        ("distance(s, x, {x: 1, y: 1}) < 2", "refuted"),
        ("distance(s, x, {x: -1, y: -1}) < 1", "proved"),
    ],
)
def test_almost_everywhere_sums_of_roots_are_known_in_balls_alone(where: str, said: str) -> None:
    """A norm below the root is no bound of what lies beyond it."""
    text = f"{HEAD}\nassert A: strongly_robust(f1, s, radius: 1, almost: true, where: {where})"
    (checked,) = load_text(text).check(Options(timeout=30)).assertions
    assert checked.word == said
    assert (said == "unknown") == ("elsewhere than in a ball" in str(checked.verdict))
