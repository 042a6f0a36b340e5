"""Mean distances: hulls and differences of polytopes, and the mean against sampled distances."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import sqrt
from random import Random
from unittest.mock import patch

import pytest

from verifier.api import Options, load_text
from verifier.engines.mean_distance import hull, prism, without
from verifier.engines.volume import box, dot, whole
from verifier.verdict.measures import average

UNIT = (Fraction(0), Fraction(1))


@pytest.mark.parametrize("seed", range(8))
def test_a_hull_is_the_polytope_of_its_corners(seed: int) -> None:
    random = Random(seed)
    n = random.randint(1, 3)
    polytope = box([UNIT] * n)
    for _ in range(4):
        row = tuple(random.randint(-4, 4) for _ in range(n + 1))
        polytope = next(p for p in polytope.split(row) if p is not None)
    corners = [tuple(Fraction(x, p[-1]) for x in p[:-1]) for p, _ in polytope.vertices]
    rows = hull([*corners, polytope.centre()])
    again = box([(Fraction(-2), Fraction(2))] * n)
    for row in rows:
        part = again.above(row)
        assert part is not None
        again = part
    assert again.volume() == polytope.volume()
    assert all(dot(row, whole([*c, Fraction(1)])) >= 0 for row in rows for c in corners)


@pytest.mark.parametrize("seed", range(8))
def test_a_difference_has_the_rest_of_the_volume(seed: int) -> None:
    random = Random(seed)
    n = random.randint(1, 3)
    start = box([UNIT] * n)
    rows = [(*(random.randint(-4, 4) for _ in range(n)), random.randint(1, 4)) for _ in range(3)]
    both = start
    for row in rows:
        part = both.above(row)
        assert part is not None
        both = part
    rest = without(start, rows)
    assert sum((p.volume() for p in rest), Fraction(0)) + both.volume() == 1
    assert prism(both, Fraction(3)).volume() == 3 * both.volume()


def mean(text: str) -> Fraction:
    (found,) = load_text(text).check().computed
    assert isinstance(found.value, Fraction), found.reason
    return found.value


@pytest.mark.parametrize("seed", range(8))
def test_linear_classifiers_against_sampled_distances(seed: int) -> None:
    """In the cube and linf, a half-space is reached at t iff its form, which the ball and the cube bound coordinate by
    coordinate, gets there."""
    random = Random(seed)
    p = random.randint(1, 3)
    w, c = [random.choice([-3, -2, -1, 1, 2, 3]) for _ in range(p)], Fraction(random.randint(-2, 3), 2)
    corners = [sum(a * b for a, b in zip(w, z, strict=True)) for z in product((0, 1), repeat=p)]
    if not min(corners) < c < max(corners):
        return
    side = " + ".join(f"({a})*x[{i}]" for i, a in enumerate(w))
    exact = mean(f"""
domain X {{ x: real^{p} in [0, 1] }}
labels {{ no, yes }}
oracle f2 {{ features x = x  metric linf }}
model f1 {{ features x = x  decide if {side} >= {c} then yes else no }}
compute R: arc(f1, f2)
""")

    def rho(x: list[float]) -> float:
        sign = -1 if sum(a * b for a, b in zip(w, x, strict=True)) >= c else 1
        low, high = 0.0, 1.0
        for _ in range(30):
            t = (low + high) / 2
            ends = [(max(0.0, b - t), min(1.0, b + t)) for b in x]
            best = sum(max(sign * a * u, sign * a * v) for a, (u, v) in zip(w, ends, strict=True))
            low, high = (low, t) if best >= sign * float(c) else (t, high)
        return high

    samples = [rho([random.random() for _ in range(p)]) for _ in range(4000)]
    average = sum(samples) / len(samples)
    deviation = sqrt(sum((s - average) ** 2 for s in samples) / len(samples))
    assert abs(average - float(exact)) <= 5 * deviation / sqrt(len(samples))


@pytest.mark.parametrize("seed", range(3))
def test_networks_against_the_nearest_flip_of_a_grid(seed: int) -> None:
    random = Random(seed)
    weights = [[round(random.gauss(0, 1), 2) for _ in range(2)] for _ in range(3)]
    bias = [round(random.gauss(0, 0.3), 2) for _ in range(3)]
    out = [1, -1, 1]
    exact = mean(f"""
domain X {{ x: real^2 in [-1, 1] }}
labels {{ no, yes }}
def hidden(v) = relu({weights} * v + {bias})
oracle f2 {{ features x = x  metric linf }}
model f1 {{ features h = hidden(x)  decide if dot({out}, h) >= 1/10 then yes else no }}
compute R: arc(f1, f2)
""")
    steps = 40
    grid = [(-1 + (2 * i + 1) / steps, -1 + (2 * j + 1) / steps) for i in range(steps) for j in range(steps)]

    def label(x: tuple[float, float]) -> bool:
        values = (max(0.0, w[0] * x[0] + w[1] * x[1] + b) for w, b in zip(weights, bias, strict=True))
        return sum(o * v for o, v in zip(out, values, strict=True)) >= 0.1

    labels = {x: label(x) for x in grid}
    sides = {side: [x for x in grid if labels[x] is side] for side in (True, False)}
    distances = [min(max(abs(x[0] - y[0]), abs(x[1] - y[1])) for y in sides[not labels[x]]) for x in grid]
    assert abs(sum(distances) / len(grid) - float(exact)) <= 2 / steps


HIDDEN = """
domain X { x: real^2 in [-1, 1] }
labels { no, yes }
def hidden(v) = relu([[1, 2], [-2, 1], [1, -1], [0.3, 1]] * v + [0.2, -0.1, 0, 0.3])
oracle f2 { features x = x  metric linf }
model f1 { features h = hidden(x)  decide if dot([1, -1, 1, -1], h) >= 1/10 then yes else no }
compute R: arc(f1, f2, almost: true)
"""


@pytest.fixture(scope="module")
def exact() -> Fraction:
    """The mean of HIDDEN."""
    return mean(HIDDEN)


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.0, 2.0])
def test_out_of_time_the_mean_is_enclosed_or_unknown(seconds: float, exact: Fraction) -> None:
    (found,) = load_text(HIDDEN).check(Options(timeout=seconds)).computed
    if found.result.how == "enclosed":
        assert found.result.enclosure is not None
        low, high = found.result.enclosure
        assert low <= exact <= high
    else:
        assert found.value in (None, exact)


METRICS = ("linf", "l1", "linf(scale: 3)", "2*l1 + linf", "max(l1, 3*linf)")


@pytest.mark.parametrize("seed", range(10))
def test_sums_of_corners_against_pairs(seed: int) -> None:
    """Both ways to find the shadows, with distances between products of real, yes/no and whole coordinates, and a
    pseudometric that sees one of them."""
    random = Random(seed)

    def number() -> Fraction:
        return Fraction(random.choice([-1, 1]) * random.randint(1, 30), random.choice([4, 7]))

    def neuron() -> str:
        return f"({number()})*relu(({number()})*x + ({number()})*y + ({number() / 4}))"

    score = " + ".join(neuron() for _ in range(random.randint(1, 4)))
    more, weight, seen = random.choice(
        [
            ("", "", ""),
            (", n: int in [0, 2]", " + n", ", n = n/2"),
            (", c: {u, v}", " + (if c == u then 1 else 0)", ", c = c"),
        ]
    )
    where = random.choice(["x + y <= 3/2", "x + y >= 1/4", "y >= 1/2 or x >= 1/3"])  # x' = 0 is not always in X
    features = random.choice(["h = x", "h = x, y = y", "h = x - 2*y"]) + random.choice([seen, ""])
    text = f"""
domain X {{ x: real in [-1, 1], y: real in [0, 1]{more} where {where} }}
labels {{ no, yes }}
oracle f2 {{ features {features}  metric {random.choice(METRICS)}  decide if h >= 1/4 then yes else no }}
model f1 {{ features s = {score}{weight}  decide if s >= {number() / 4} then yes else no }}
compute R: {random.choice(["arc", "arca"])}(f1, f2)
"""
    (sums,) = load_text(text).check().computed
    with patch.object(average, "of_cells", lambda *arguments: None):
        (pairs,) = load_text(text).check().computed
    assert sums.value is not None, sums.reason  # infinity where one label is all there is
    assert sums.value == pairs.value
