"""Densities: against the uniform distribution seen through a change of coordinates, counting, and Monte Carlo."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import sqrt
from pathlib import Path
from random import Random

import pytest

from tests.engines.test_weigh import exactly, masses
from verifier.api import load, load_text
from verifier.engines.estimate import estimate
from verifier.model.distribution import Steps

HEAD = "labels { no, yes }\n"


def histogram(random: Random) -> tuple[list[Fraction], list[Fraction]]:
    count = random.randint(1, 3)
    inner = sorted(random.sample(range(1, 8), count - 1))
    ends = [Fraction(0), *(Fraction(k, 8) for k in inner), Fraction(1)]
    parts = [random.randint(1, 4) for _ in range(count)]
    return ends, [Fraction(p, sum(parts)) for p in parts]


def listed(numbers: list[Fraction]) -> str:
    return "[" + ", ".join(map(str, numbers)) + "]"


def quantile(name: str, ends: list[Fraction], weights: list[Fraction]) -> str:
    """The inverse of the distribution function, written in the language: x is distributed as it is of a uniform u."""
    low, text = Fraction(0), ""
    for k, ((a, b), w) in enumerate(zip(pairwise(ends), weights, strict=True)):
        piece = f"{a} + ({name} - {low}) * {(b - a) / w}"
        low += w
        text += piece if k == len(weights) - 1 else f"if {name} <= {low} then {piece} else "
    return text


@pytest.mark.parametrize("seed", range(8))
def test_a_product_is_the_uniform_distribution_seen_through_its_quantiles(seed: int) -> None:
    random = Random(seed)
    p, metric, radius = (1 if seed < 4 else 2), random.choice(["linf", "l1"]), Fraction(random.randint(1, 4), 8)
    marginals = [histogram(random) for _ in range(p)]
    names = ["s", "t"][:p]
    side = " + ".join(f"({random.choice([-2, -1, 1, 2])})*{n}" for n in names)
    decide = f"decide if {side} >= {Fraction(random.randint(-1, 3), 4)} then yes else no"
    plain = ", ".join(f"{n} = {n}" for n in names)
    bent = ", ".join(f"{n} = {quantile(n, *m)}" for n, m in zip(names, marginals, strict=True))
    domain = ", ".join(f"{n}: real in [0, 1]" for n in names)
    over = ", ".join(f"{n}: histogram({listed(e)}, {listed(w)})" for n, (e, w) in zip(names, marginals, strict=True))

    def text(features: str, option: str) -> str:
        return f"""domain X {{ {domain} }}\n{HEAD}
oracle f2 {{ features {features}  metric {metric} }}
model f1 {{ features {features}  {decide} }}
compute R: probability(f1, f2, radius: {radius}{option})
"""

    assert exactly(text(plain, f", over: product({over})")) == exactly(text(bent, ""))


@pytest.mark.parametrize("seed", range(7))
def test_weighted_whole_numbers_and_members_are_summed(seed: int) -> None:
    random = Random(seed)
    parts = [random.randint(0, 4) or 1 for _ in range(4)]
    weights = [Fraction(k, sum(parts)) for k in parts]
    u = Fraction(random.randint(0, 5), 5)
    w, c, r = random.randint(-2, 2), random.randint(0, 3), random.randint(1, 4)
    found = exactly(f"""
domain X {{ i: int in [0, 4], c: {{u, v}} }}
{HEAD}
oracle f2 {{ features i = i, c = c  metric l1 }}
model f1 {{ features i = i, c = c  decide if i + (if c == u then {w} else 0) >= {c} then yes else no }}
compute R: probability(f1, f2, radius: {r},
  over: product(i: histogram([0, 1, 2, 3, 7/2], {listed(weights)}), c: {{u: {u}, v: {1 - u}}}))
""")
    points = list(product(range(4), "uv"))
    mass = {(i, s): weights[i] * (u if s == "u" else 1 - u) for i, s in points}
    label = {(i, s): i + (w if s == "u" else 0) >= c for i, s in points}
    near = [(a, b) for a in points for b in points if abs(a[0] - b[0]) + (a[1] != b[1]) < r]
    total = sum(mass[a] * mass[b] for a, b in near)
    assert found == sum(mass[a] * mass[b] for a, b in near if label[a] == label[b]) / total


@pytest.mark.parametrize("metric", ["linf", "l1", "l2", "linf(scale: {x: 3, y: 1/2})", "mahalanobis([[2, 1], [1, 2]])"])
@pytest.mark.parametrize("wide", [1, 10**25])
def test_rows_are_counted_as_the_interpreter_measures_them(tmp_path: Path, metric: str, wide: int) -> None:
    random = Random(metric)
    rows = [(Fraction(random.randint(0, 9), 10), Fraction(random.randint(0, 9 * wide), 10 * wide)) for _ in range(30)]
    (tmp_path / "rows.csv").write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in rows))
    (tmp_path / "rows.vf").write_text(f"""
domain X {{ x: real in [0, 1], y: real in [0, 1] }}
{HEAD}
oracle f2 {{ features x = x, y = y  metric {metric} }}
model f1 {{ features x = x, y = y  decide if x + y >= 1 then yes else no }}
data D = csv("rows.csv")
compute R: probability(f1, f2, radius: 1/2, over: D)
compute S: probability(f1, f2, radius: 1/2, over: distinct(D), closed: true)
""")
    loaded = load(tmp_path / "rows.vf")
    found = [c.value for c in loaded.check().computed]
    from verifier.model.interpret import Interpreter

    meant, points = Interpreter(loaded.program), loaded.program.data["D"].rows
    half, n = Fraction(1, 2), range(30)
    labels = [meant.label("f1", q) for q in points]
    d = [[meant.distance("f2", a, b) for b in points] for a in points]
    ball = [(i, j) for i in n for j in n if d[i][j] < half]
    closed = [(i, j) for i in n for j in n if d[i][j] <= half and i != j]
    assert found == [Fraction(sum(labels[i] == labels[j] for i, j in s), len(s)) for s in (ball, closed)]


@pytest.mark.parametrize("seed", range(4))
def test_around_a_point_the_share_lies_in_a_monte_carlo_interval(seed: int) -> None:
    random = Random(seed)
    w = [random.randint(-4, 4) or 1 for _ in range(3)]
    p, r = [Fraction(random.randint(0, 8), 8) for _ in range(3)], Fraction(random.randint(2, 6), 8)
    level = sum((a * b for a, b in zip(w, p, strict=True)), Fraction(1, 8))
    side = " + ".join(f"({a})*x[{i}]" for i, a in enumerate(w))
    exact = float(
        exactly(f"""
domain X {{ x: real^3 in [0, 1] }}
{HEAD}
oracle f2 {{ features x = x  metric l1 }}
model f1 {{ features x = x  decide if {side} >= {level} then yes else no }}
point p = {{ x: {listed(p)} }}
compute R: probability(f1, f2, p, radius: {r})
""")
    )
    count = agree = 0
    while count < 20_000:
        x = [random.random() for _ in range(3)]
        if sum(abs(a - float(b)) for a, b in zip(x, p, strict=True)) < r:
            count += 1
            agree += sum(a * b for a, b in zip(w, x, strict=True)) < level
    assert abs(agree / count - exact) <= 5 * sqrt(max(exact * (1 - exact), 1 / count) / count)


def test_steps_end_where_their_bins_do() -> None:
    steps = Steps((Fraction(0), Fraction(1), Fraction(3)), (Fraction(1, 2), Fraction(1, 4)))
    assert [steps.at(k) for k in (-1, 0, 1, 2, 3, 4)] == [0, Fraction(1, 2), *[Fraction(1, 4)] * 3, 0]
    assert steps.seam(Fraction(0), Fraction(3)) == 1 and steps.seam(Fraction(1), Fraction(3)) is None
    assert steps.seam(Fraction(-1), Fraction(1)) == 0 and steps.most(Fraction(1), Fraction(2)) == Fraction(1, 4)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.3])
def test_on_time_a_density_is_enclosed_too(seconds: float) -> None:
    text = """
domain X { x: real^2 in [0, 1] }
labels { no, yes }
oracle f2 { features x = x  metric l1 }
model f1 { features x = x  decide if max(x[0], relu(x[1] - 1/3) + relu(x[0] - 1/2)) >= 1/2 then yes else no }
compute R: probability(f1, f2, radius: 1/2)
"""
    steps = Steps((Fraction(0), Fraction(1, 3), Fraction(1)), (Fraction(9, 4), Fraction(3, 8)))
    density = dict.fromkeys(range(4), steps)
    full, part = masses(text, 60, True, density), masses(text, seconds, True, density)
    assert full.exact and masses(text, 60, False, density).given == full.given
    assert part.given[0] <= full.given[0] <= part.given[1]
    assert part.both[0] <= full.both[0] <= part.both[1]


def test_samples_follow_the_density() -> None:
    """9 of 10 points lie in the left half: two of them are on the same side with probability 82/100."""
    text = """
domain X { x: real in [0, 1] }
labels { no, yes }
oracle f2 { features x = x  metric linf }
model f1 { features x = x  decide if x >= 1/2 then yes else no }
compute R: probability(f1, f2, radius: 2)
"""
    from verifier.query.pose import Poser
    from verifier.verdict.measures.probability import POINTS, same

    poser = Poser(load_text(text).program)
    posed = poser.pose(POINTS, [], numbers=[poser.truth(same("f1", "!="), POINTS)])
    steps = Steps((Fraction(0), Fraction(1, 2), Fraction(1)), (Fraction(9, 5), Fraction(1, 5)))
    unit = (Fraction(0), Fraction(1))
    drawn = estimate(
        posed.question, posed.question.numbers[0], dict.fromkeys((0, 1), unit), 1, 60, {0: steps, 1: steps}
    )
    assert drawn is not None
    low, high = drawn.interval
    assert low <= Fraction(18, 100) <= high < Fraction(1, 4)
