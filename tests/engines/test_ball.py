"""Balls of l2: enclosures against pi, Monte Carlo, polygons inside and outside, and the exact case of one form."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import acos, pi, sqrt
from random import Random

import pytest

from tests.engines.test_weigh import exactly, probability, square
from verifier.api import load_text
from verifier.engines.ball import Square, polygons, trimmed
from verifier.engines.volume import box
from verifier.engines.weigh import Mass, Region, weigh
from verifier.query.pose import Poser
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import distance
from verifier.verdict.measures.probability import POINTS, same


def near(p: int, metric: str, radius: Fraction, rounds: int, decide: str = "x[0] >= 0") -> Mass:
    """The pairs of the cube [-1, 1]^p within the radius, and those that flip, after so many rounds."""
    poser = Poser(load_text(square(p, metric, decide, radius)).program)
    fact = tree.Chain(NOWHERE, (distance("f2", *POINTS), tree.Number(NOWHERE, radius)), ("<",))
    event = poser.truth(same("f1", "!="), POINTS)
    posed = poser.pose(POINTS, [poser.truth(fact, POINTS)], numbers=[event], squares=True)
    left = iter(range(rounds))
    return weigh(posed.question, posed.question.numbers[0], 500, None, p, enough=lambda _: next(left, None) is None)


@pytest.mark.parametrize("radius", [Fraction(1, 10), Fraction(1, 2), Fraction(1)])
def test_the_near_pairs_of_a_square_enclose_pi(radius: Fraction) -> None:
    """In a square of side a the pairs within r <= a measure pi r^2 a^2 - 8/3 a r^3 + r^4/2."""
    r = float(radius)
    truth = 4 * pi * r**2 - 16 / 3 * r**3 + r**4 / 2
    widths = []
    for rounds in range(4):
        low, high = near(2, "l2", radius, rounds).given
        assert low <= truth * (1 + 1e-12) and truth * (1 - 1e-12) <= high
        widths.append(high - low)
    assert all(3 * b < a for a, b in pairwise(widths)), "a quarter each round"


def test_the_near_pairs_of_a_cube_are_enclosed() -> None:
    """int over |v| < r of prod (a - |v_i|), a = 2: 4/3 pi r^3 a^3 - 3/2 pi r^4 a^2 + 8/5 r^5 a - r^6/6."""
    r = 0.5
    truth = 4 / 3 * pi * r**3 * 8 - 3 / 2 * pi * r**4 * 4 + 8 / 5 * r**5 * 2 - r**6 / 6
    low, high = near(3, "l2", Fraction(1, 2), 0).given
    assert low < truth < high < Fraction(5, 4) * low


@pytest.mark.parametrize("seed", range(6))
def test_balls_lie_between_polygons(seed: int) -> None:
    """Another algorithm: the octagon of half-spaces through the tangents, exactly weighed, and the one within."""
    random = Random(seed)
    radius = Fraction(random.randint(1, 8), 8)
    decide = f"{random.randint(1, 3)}*x[0] + ({random.randint(-2, 2)})*x[1] >= {random.randint(-1, 1)}/2"
    outer = "d(u, v) = max(max(abs(u[0]-v[0]), abs(u[1]-v[1])), 12/17 * (abs(u[0]-v[0]) + abs(u[1]-v[1])))"
    ball = near(2, "l2", radius, 3, decide)  # 12/17 < 1/sqrt(2): the octagon's norm is at most the length
    around = near(2, outer, radius, 0, decide)
    inner = near(2, outer, radius * Fraction(92, 100), 0, decide)  # 0.92 < cos(pi/8) = 0.9238..., whose corners it has
    assert around.exact and inner.exact
    for k in ("given", "both"):
        low, high = getattr(ball, k)
        assert getattr(inner, k)[0] <= high and low <= getattr(around, k)[0]


@pytest.mark.parametrize("seed", range(4))
def test_around_a_point_a_half_plane_cuts_a_segment_off_the_disc(seed: int) -> None:
    """The share beyond a line at distance t r from the centre is (acos t - t sqrt(1 - t^2)) / pi."""
    random = Random(seed)
    r, t = Fraction(random.randint(1, 4), 8), Fraction(random.randint(-7, 7), 8)
    found = probability(f"""
domain X {{ x: real^2 in [-1, 1] }}
labels {{ no, yes }}
oracle f2 {{ features x = x  metric l2 }}
model f1 {{ features x = x  decide if 3*x[0] + 4*x[1] >= {5 * t * r} then yes else no }}
compute R: probability(f1, f2, {{x: [0, 0]}}, radius: {r})
""")
    assert found.how == "enclosed" and found.enclosure is not None
    low, high = found.enclosure
    beyond = (acos(float(t)) - float(t) * sqrt(1 - float(t) ** 2)) / pi
    truth = 1 - beyond if t > 0 else beyond
    assert low <= truth <= high and high - low <= Fraction(1, 1000)


@pytest.mark.parametrize("seed", range(2))
def test_mahalanobis_of_network_features_lies_in_a_monte_carlo_interval(seed: int) -> None:
    random = Random(seed)
    w = [[Fraction(random.randint(-8, 8), 8) for _ in range(2)] for _ in range(2)]
    found = probability(
        f"""
domain X {{ x: real^2 in [-1, 1] }}
labels {{ no, yes }}
oracle f2 {{ features h = relu([{", ".join("[" + ", ".join(map(str, row)) + "]" for row in w)}] * x)
  metric mahalanobis([[2, 1], [1, 2]]) }}
model f1 {{ features x = x  decide if x[0] >= x[1] / 2 then yes else no }}
compute R: probability(f1, f2, radius: 1/2)
""",
        seconds=10,
    )  # it is cut until then, ten times as finely as Monte Carlo can see
    assert found.enclosure is not None
    assert found.enclosure[1] - found.enclosure[0] < Fraction(1, 40)

    rows = [[float(a) for a in row] for row in w]

    def features(x: list[float]) -> list[float]:
        return [max(0.0, a * x[0] + b * x[1]) for a, b in rows]

    count = agree = 0
    while count < 10_000:
        x, y = ([random.uniform(-1, 1) for _ in range(2)] for _ in range(2))
        u, v = (a - b for a, b in zip(features(x), features(y), strict=True))
        if 2 * u * u + 2 * u * v + 2 * v * v < 0.25:
            count += 1
            agree += (x[0] >= x[1] / 2) == (y[0] >= y[1] / 2)
    low, high = (float(end) for end in found.enclosure)
    assert low - 5 * sqrt(0.25 / count) <= agree / count <= high + 5 * sqrt(0.25 / count)


@pytest.mark.parametrize("weight", [1, 4])
def test_of_one_form_the_ball_is_an_interval(weight: int) -> None:
    assert exactly(square(1, f"mahalanobis([[{weight}]])", "x[0] >= 0", "1/5")) == exactly(
        square(1, "linf", "x[0] >= 0", Fraction(1, 5) / (1 if weight == 1 else 2))
    )


def test_an_irrational_interval_is_enclosed_tightly() -> None:
    found = probability(square(1, "mahalanobis([[2]])", "x[0] >= 0", "1/5"))
    assert found.how == "enclosed" and found.enclosure is not None
    low, high = found.enclosure
    r = 0.2 / sqrt(2)
    truth = 1 - r * r / (4 * r - r * r)
    assert low <= truth + 1e-15 and truth - 1e-15 <= high and high - low < Fraction(1, 10**9)


def test_inside_and_outside_are_decided_exactly_at_the_sphere() -> None:
    """The square [3/5, 1] x [4/5, 1] touches the unit circle at (3/5, 4/5), from outside; shifted it does not."""
    square = Square((Fraction(1), Fraction(1)), ((1, 0, 0), (0, 1, 0)))
    far = square.images(box([(Fraction(3, 5), Fraction(1)), (Fraction(4, 5), Fraction(1))]).vertices)
    close = square.images(box([(Fraction(0), Fraction(3, 5)), (Fraction(0), Fraction(4, 5))]).vertices)
    assert square.outside(far, Fraction(1), (3, 4)) and not square.outside(far, 1 + Fraction(1, 10**30), (3, 4))
    assert square.inside(close, Fraction(1)) and not square.inside(close, 1 - Fraction(1, 10**30))
    assert not square.outside(far, Fraction(1), (1, 1)), "another direction does not show it"
    assert trimmed(0.1, 20, up=False) < Fraction(1, 10) < trimmed(0.1, 20, up=True)


@pytest.mark.parametrize("seed", range(6))
def test_polygons_lie_within_and_around(seed: int) -> None:
    """The corners of the one lie in the ball; a side of the other touches no more than the sphere (Cauchy, Schwarz)."""
    random = Random(seed)
    weights = tuple(Fraction(random.randint(1, 10**6), random.randint(1, 10**6)) for _ in range(2))
    bound = Fraction(random.randint(1, 10**6), random.randint(1, 10**9))
    corners = 8 << seed % 4
    chords, tangents = polygons(weights, bound, corners)
    assert len(chords) == len(tangents) == corners
    inner = outer = box([(-b, b) for b in (Fraction(10**6),) * 2])
    for chord, tangent in zip(chords, tangents, strict=True):
        inside, around = inner.above(chord), outer.above(tangent)
        assert inside is not None and around is not None
        inner, outer = inside, around
        assert Fraction(tangent[2]) ** 2 >= bound * (tangent[0] ** 2 / weights[0] + tangent[1] ** 2 / weights[1])
    for (x, y, d), _ in inner.vertices:
        assert weights[0] * x * x + weights[1] * y * y <= bound * d * d
    assert 1 < outer.volume() / inner.volume() < 1 + 20 / Fraction(corners) ** 2


@pytest.mark.parametrize("seed", range(6))
def test_discs_and_cones_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cones are how balls of more forms are cut; without discs they cut those of two as well."""
    random = Random(seed)
    metric = random.choice(["l2", "mahalanobis([[2, 1], [1, 3]])"])
    radius = Fraction(random.randint(1, 12), 8)
    decide = f"abs(x[0]) + {random.randint(-2, 2)}*x[1] >= {random.randint(-1, 2)}/2"
    discs = near(2, metric, radius, 2, decide)
    monkeypatch.setattr(Region, "round", lambda self, i, holds=True: None)
    cones = near(2, metric, radius, 2, decide)
    for k in ("given", "both"):
        low, high = getattr(discs, k)
        least, most = getattr(cones, k)
        assert low <= most and least <= high
        assert high - low < Fraction(1, 50) * high or not high
    assert discs.sample is None or discs.both[0] > 0


FAR = "distance(o, x, {x: 0, y: 0}) >= 1/4"
BESIDES: dict[str, Callable[[bool, float, float], bool]] = {
    FAR: lambda far, x, y: far,
    f"not ({FAR})": lambda far, x, y: not far,
    f"{FAR} or x.x >= 1/2": lambda far, x, y: far or x >= 0.5,
    "x.x + x.y >= 0": lambda far, x, y: x + y >= 0,
}


@pytest.mark.parametrize("where", BESIDES)
def test_what_is_asked_besides_a_disc_counts(where: str) -> None:
    """In or out of another ball, a disc is not all that is open; Monte Carlo knows nothing of that."""
    text = f"""
domain X {{ x: real in [-1, 1], y: real in [-1, 1] }}
labels {{ no, yes }}
oracle o {{ features x = x, y = y  metric l2 }}
model f1 {{ features x = x, y = y  decide if x >= 1/8 then yes else no }}
compute R: probability(f1, o, radius: 1/2, where: {where})
"""
    found = probability(text, seconds=1.5)
    assert found.enclosure is not None
    random, count, agree = Random(3), 0, 0
    while count < 20_000:
        x, y, u, v = (random.uniform(-1, 1) for _ in range(4))
        if (x - u) ** 2 + (y - v) ** 2 < 0.25 and BESIDES[where](x * x + y * y >= 1 / 16, x, y):
            count, agree = count + 1, agree + ((x >= 0.125) == (u >= 0.125))
    low, high = map(float, found.enclosure)
    assert low - 0.01 <= agree / count <= high + 0.01 and low > 0 and high < 1


def test_nothing_that_flips_is_certain() -> None:
    """The volume of the ball is not needed for that."""
    found = probability(square(2, "l2", "x[0] >= 2", Fraction(1, 3)))
    assert found.how == "exact" and found.amount == 1
