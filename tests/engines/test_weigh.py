"""Probabilities: against Lasserre's recursion over signs, Monte Carlo, counting, the unmirrored box, and the clock."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import sqrt
from random import Random

import pytest

from tests.engines.test_volume import lasserre
from verifier.api import Options, load_text
from verifier.engines.weigh import UNIFORM, Density, Mass, weigh
from verifier.language.build import Form
from verifier.query.pose import Poser
from verifier.verdict.measures.probability import enclosure
from verifier.verdict.verdict import Measurement

POINTS = ("x", "x'")


def probability(text: str, seconds: float = 60) -> Measurement:
    result = load_text(text).check(Options(timeout=seconds))
    assert not result.diagnostics and not result.internal_errors, (result.diagnostics, result.internal_errors)
    return result.computed[0].result


def exactly(text: str) -> Fraction:
    found = probability(text)
    assert found.how == "exact" and isinstance(found.amount, Fraction), found
    return found.amount


def square(p: int, metric: str, decide: str, radius: object, features: str = "x = x", more: str = "") -> str:
    return f"""
domain X {{ x: real^{p} in [-1, 1] }}
labels {{ no, yes }}
{more}
oracle f2 {{ features x = x  metric {metric} }}
model f1 {{ features {features}  decide if {decide} then yes else no }}
compute R: probability(f1, f2, radius: {radius})
"""


def network(random: Random, p: int, hidden: int) -> tuple[list[list[float]], list[float], list[float]]:
    weights = [[round(random.gauss(0, 1), 2) for _ in range(p)] for _ in range(hidden)]
    return (
        weights,
        [round(random.gauss(0, 0.5), 2) for _ in range(hidden)],
        [round(random.gauss(0, 1), 2) for _ in range(hidden)],
    )


def hidden_text(random: Random, p: int, hidden: int, radius: object) -> str:
    weights, bias, out = network(random, p, hidden)
    more = f"def hidden(v) = relu({weights} * v + {bias})"
    return square(p, "linf", f"dot({out}, h) >= 1/10", radius, "h = hidden(x)", more)


@pytest.mark.parametrize("seed", range(10))
def test_linear_classifiers_against_lasserre(seed: int) -> None:
    """Numerator and denominator as volumes of { |x - x'| < r, sides of the hyperplane } by another algorithm."""
    random = Random(seed)
    p = 1 if seed < 6 else 2
    metric = random.choice(["linf", "l1"])
    w, c = [random.randint(-3, 3) or 1 for _ in range(p)], Fraction(random.randint(-2, 2), 2)
    r = Fraction(random.randint(1, 5), random.randint(2, 5))
    n = 2 * p

    def row(x: list[int], y: list[int], constant: Fraction) -> tuple[Fraction, ...]:
        return (*map(Fraction, x), *map(Fraction, y), constant)

    zero = [0] * p
    units = [[s if k == i else 0 for k in range(p)] for i in range(p) for s in (1, -1)]
    cube = [row(u, zero, Fraction(1)) for u in units] + [row(zero, u, Fraction(1)) for u in units]
    signs = units if metric == "linf" else [list(s) for s in product((1, -1), repeat=p)]
    ball = [row([-a for a in s], s, r) for s in signs]
    flip = [row(w, zero, -c), row(zero, [-a for a in w], c)]
    near = lasserre(cube + ball, n)
    expected = 1 - 2 * lasserre(cube + ball + flip, n) / near
    side = " + ".join(f"({a})*x[{i}]" for i, a in enumerate(w))
    assert exactly(square(p, metric, f"{side} >= {c}", r)) == expected


@pytest.mark.parametrize("seed", range(6))
def test_networks_lie_in_a_monte_carlo_interval(seed: int) -> None:
    random = Random(seed)
    p, r = 2, random.choice([0.1, 0.5])
    text = hidden_text(Random(seed), p, 6, Fraction(str(r)))
    weights, bias, out = network(Random(seed), p, 6)

    def label(x: list[float]) -> bool:
        values = (
            max(0.0, sum(a * b for a, b in zip(w, x, strict=True)) + b) for w, b in zip(weights, bias, strict=True)
        )
        return sum(o * v for o, v in zip(out, values, strict=True)) >= 0.1

    count = agree = 0
    for _ in range(20_000):
        x = [random.uniform(-1, 1) for _ in range(p)]
        y = [a + random.uniform(-r, r) for a in x]
        if max(map(abs, y)) <= 1:
            count += 1
            agree += label(x) == label(y)
    exact = float(exactly(text))
    assert abs(agree / count - exact) <= 5 * sqrt(max(exact * (1 - exact), 1 / count) / count)


@pytest.mark.parametrize("seed", range(8))
def test_finite_domains_are_counted(seed: int) -> None:
    random = Random(seed)
    sizes = [random.randint(1, 3) for _ in range(2)]
    w, c, r = [random.randint(-2, 2) for _ in range(2)], random.randint(-1, 3), random.randint(1, 3)
    d = random.randint(-1, 2)
    text = f"""
domain X {{ i: int in [0, {sizes[0]}], j: int in [0, {sizes[1]}] }}
labels {{ no, yes }}
oracle f2 {{ features i = i, j = j  metric l1  decide if i >= {d} then yes else no }}
model f1 {{ features i = i, j = j  decide if {w[0]}*i + {w[1]}*j >= {c} then yes else no }}
compute R: probability(f1, f2, radius: {r})
"""
    points = list(product(range(sizes[0] + 1), range(sizes[1] + 1)))
    pairs = [
        (a, b) for a in points for b in points if abs(a[0] - b[0]) + abs(a[1] - b[1]) < r and (a[0] >= d) == (b[0] >= d)
    ]
    same = [1 for a, b in pairs if (w[0] * a[0] + w[1] * a[1] >= c) == (w[0] * b[0] + w[1] * b[1] >= c)]
    assert exactly(text) == Fraction(len(same), len(pairs))


def masses(text: str, seconds: float, mirror: bool, density: Density = UNIFORM) -> Mass:
    """What near pairs weigh, and near pairs that flip."""
    loaded = load_text(text)
    poser = Poser(loaded.program)
    (_, measure), *_ = loaded.items
    from verifier.syntax import tree
    from verifier.verdict.certify import distance
    from verifier.verdict.measures.probability import same

    radius = measure.arguments["radius"]  # type: ignore[union-attr]
    near = tree.Chain(radius.span, (distance("f2", *POINTS), radius), ("<",))
    facts = [poser.truth(near, POINTS)]
    event = poser.truth(same("f1", "!="), POINTS)
    posed = poser.pose(POINTS, facts, numbers=[event, Form(Fraction(0))])
    width = len(poser.inputs("x")) if mirror else 0
    return weigh(posed.question, posed.question.numbers[0], seconds, None, width, density)


@pytest.mark.parametrize("seed", range(4))
def test_half_of_the_box_is_enough(seed: int) -> None:
    text = hidden_text(Random(seed), 2, 4, "1/4")
    whole, half = masses(text, 60, False), masses(text, 60, True)
    assert whole.exact and half.exact
    assert (whole.given, whole.both) == (half.given, half.both)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.2, 0.6])
def test_on_time_the_truth_is_enclosed(seconds: float) -> None:
    text = hidden_text(Random(1), 2, 12, "1/4")
    full, part = masses(text, 60, True), masses(text, seconds, True)
    assert full.exact
    assert part.given[0] <= full.given[0] <= part.given[1]
    assert part.both[0] <= full.both[0] <= part.both[1]
    low, high = enclosure(part)
    assert 0 <= low <= 1 - full.both[0] / full.given[0] <= high <= 1


def test_too_many_dimensions_are_not_begun() -> None:
    found = probability(square(9, "linf", "x[0] >= 0", "1/10"))
    assert found.amount is None or found.how == "estimated"


@pytest.mark.parametrize("metric", ["linf", "l1", "linf(scale: {x: 1/2})"])
def test_the_pair_shown_flips(metric: str) -> None:
    found = probability(square(2, metric, "x[0] + 2*x[1] >= 1/3", "1/2"))
    assert found.pair is not None
    assert {s.labels for s in found.pair.seen if s.kind == "model"} <= {("no", "yes"), ("yes", "no")}
