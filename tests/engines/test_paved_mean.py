"""Mean Euclidean distances by paving: closed forms, sampled distances, and polyhedral norms, which share nothing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import log, sqrt
from random import Random

import numpy as np
import pytest

from verifier.api import Options, load_text
from verifier.engines import paved_mean
from verifier.engines.paved_mean import Ground, enclose
from verifier.engines.volume import OutOfTime

F = Fraction
HEAD = "labels { no, yes }\noracle f2 { features x = x  metric l2 }\n"


def enclosed(text: str, seconds: float = 30) -> tuple[float, float]:
    (found,) = load_text(text).check(Options(timeout=seconds, certifying=False)).computed
    assert found.result.enclosure is not None and found.result.how == "enclosed", found
    low, high = map(float, found.result.enclosure)
    return low, high


TO_A_CORNER = (sqrt(2) + log(1 + sqrt(2))) / 6
"""The integral over [0, 1/2]^2 of the distance to its corner, times 4."""
CUBE = 0.960591956455052943 / 2
"""From [0, 1/2]^3 to its corner: half the mean distance from the unit cube to one (OEIS A130590)."""

CLOSED = {
    "a diagonal": ("real^2 in [0, 1]", "x[0] + x[1] >= 1", "arc", 1 / (3 * sqrt(2))),
    "a corner": ("real^2 in [0, 1]", "x[0] >= 1/2 and x[1] >= 1/2", "arc", (TO_A_CORNER + 1 / 4 + 1 / 4 + 1 / 6) / 4),
    "a corner of space": (
        "real^3 in [0, 1]",
        "x[0] >= 1/2 and x[1] >= 1/2 and x[2] >= 1/2",
        "arc",
        (CUBE + 3 * TO_A_CORNER + 3 / 4 + 1 / 8) / 8,
    ),
    "a thin class that is far": ("real^2 in [0, 1]", "x[0] >= 0.999", "arc", 0.998001 / 2 + 5e-7),
}


@pytest.mark.parametrize("name", CLOSED)
def test_means_with_a_closed_form(name: str) -> None:
    domain, formula, word, truth = CLOSED[name]
    model = f"model f1 {{ features x = x  decide if {formula} then yes else no }}"
    low, high = enclosed(f"domain X {{ x: {domain} }}\n{HEAD}{model}\ncompute R: {word}(f1, f2)")
    assert low <= truth + 1e-12 and truth <= high + 1e-12 and high - low <= (2e-3 if "^3" in domain else 2e-4) * truth


def test_agreement_densities_scales_and_choices() -> None:
    """The distance is 2 |x0 - 1/2|, as a step to another n is of no use. It counts where x0 >= 1/4 or >= 1/2 alike:
    everywhere but in [1/4, 1/2), and the left half has three times the weight of the right one."""
    text = """
domain X { x: real^2 in [0, 1], n: int in [0, 1] }
labels { no, yes }
oracle f2 { features a = 2*x[0], b = x[1], c = 3*n  metric l2  decide if a >= 1/2 then yes else no }
model f1 { features x = x  decide if x[0] >= 1/2 then yes else no }
compute R: arca(f1, f2, over: product(x: [histogram([0, 1/2, 1], [3/4, 1/4]), histogram([0, 1], [1])]))
"""
    low, high = enclosed(text)
    truth = 3 / 4 * 1 / 2 * 3 / 4 + 1 / 4 * 1 / 2
    assert low <= truth + 1e-12 and truth <= high + 1e-12 and high - low <= 2e-4


def net(seed: int) -> tuple[str, Callable[[float, float], bool]]:
    random = Random(seed)
    weights = [[round(random.gauss(0, 1), 2) for _ in range(2)] for _ in range(4)]
    bias = [round(random.gauss(0, 0.3), 2) for _ in range(4)]
    out = [1, -1, 1, -1]
    text = f"""
domain X {{ x: real^2 in [-1, 1] }}
{HEAD}
def hidden(v) = relu({weights} * v + {bias})
model f1 {{ features h = hidden(x)  decide if dot({out}, h) >= 1/10 then yes else no }}
compute R: arc(f1, f2)
"""

    def label(x: float, y: float) -> bool:
        values = (max(0.0, w[0] * x + w[1] * y + b) for w, b in zip(weights, bias, strict=True))
        return sum(o * v for o, v in zip(out, values, strict=True)) >= 0.1

    return text, label


@pytest.mark.parametrize("seed", range(4))
def test_networks_against_the_nearest_flip_of_a_grid(seed: int) -> None:
    text, label = net(seed)
    steps = 80
    axis = (np.arange(steps) + 0.5) * 2 / steps - 1
    grid = np.array([(x, y) for x in axis for y in axis])
    labels = np.array([label(x, y) for x, y in grid])
    total = sum(
        np.linalg.norm(x - grid[labels != side], axis=1).min() for side in (True, False) for x in grid[labels == side]
    )
    low, high = enclosed(text)
    assert low - 1 / steps <= total / len(grid) <= high + 2 / steps and high - low <= 2e-4 * high


@pytest.mark.parametrize("seed", range(20))
def test_random_simplices_against_sampled_distances(seed: int) -> None:
    """Of any dimensions, the images flat or not; the bounds hold at every stage."""
    random = Random(seed)
    p, q, m = (random.randint(0, 3) for _ in range(3))

    def corners(count: int) -> list[tuple[Fraction, ...]]:
        return [tuple(F(random.randint(-8, 8), 4) for _ in range(m + 1)) for _ in range(count)]

    simplices = [(F(random.randint(1, 5)), corners(p + 1)) for _ in range(2)]
    targets = [corners(q + 1) for _ in range(3)]
    weights = [F(random.randint(1, 4)) for _ in range(m + 1)]
    stages: list[tuple[Fraction, Fraction]] = []

    def enough(sides: tuple[Fraction, Fraction]) -> bool:
        stages.append(sides)
        return sides[1] - sides[0] <= sides[1] / 50

    low, high = map(float, enclose([Ground(simplices, targets)], weights, enough, float("inf")))
    generator = np.random.default_rng(seed)
    scale = np.sqrt([float(w) for w in weights])
    goals = np.concatenate(
        [generator.dirichlet(np.full(q + 1, 0.5), 400) @ (np.array(t, dtype=float) * scale) for t in targets]
    )
    total = 0.0
    for mass, images in simplices:
        points = generator.dirichlet(np.ones(p + 1), 400) @ (np.array(images, dtype=float) * scale)
        total += float(mass) * np.linalg.norm(points[:, None] - goals[None], axis=2).min(axis=1).mean()
    mass = float(sum(m for m, _ in simplices))
    assert low <= total + 0.6 * mass and total <= high + mass  # 400 places of a target are not all of it
    assert all(b[0] >= a[0] and b[1] <= a[1] for a, b in pairwise(stages))


@pytest.mark.parametrize("seed", range(6))
def test_targets_that_are_not_looked_at_closely_are_bounded(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With four targets of twelve kept, the bounds still hold those with all of them."""
    random = Random(seed)

    def corners() -> list[tuple[Fraction, ...]]:
        return [tuple(F(random.randint(-8, 8), 4) for _ in range(2)) for _ in range(3)]

    ground = Ground([(F(1), corners()) for _ in range(3)], [corners() for _ in range(12)])

    def after(rounds: int) -> Callable[[tuple[Fraction, Fraction]], bool]:
        left = iter(range(rounds))
        return lambda sides: next(left, None) is None

    whole = enclose([ground], [F(1), F(2)], after(12), float("inf"))
    monkeypatch.setattr(paved_mean, "KEPT", 4)
    monkeypatch.setattr(paved_mean, "PAIRS", 1)
    kept = [enclose([ground], [F(1), F(2)], after(rounds), float("inf")) for rounds in (0, 4, 12)]
    assert all(low <= whole[1] and whole[0] <= high for low, high in kept)
    assert kept[0][1] - kept[0][0] > kept[2][1] - kept[2][0]


def test_numbers_beyond_the_range_of_floats_are_refused() -> None:
    for far in (F(10) ** 100, F(1, 10**100)):
        ground = Ground([(F(1), [(F(0),), (far,)])], [[(far,), (far,)]])
        with pytest.raises(OutOfTime):
            enclose([ground], [F(1)], lambda sides: True, float("inf"))


@pytest.mark.parametrize("seed", range(3))
def test_polyhedral_norms_agree(seed: int) -> None:
    """A maximum with a small part of it is the same distance, and not paved."""
    random = Random(seed)
    a, b = (random.choice([-3, -2, -1, 1, 2, 3]) for _ in range(2))
    model = f"model f1 {{ features x = x  decide if {a}*x[0] + {b}*x[1] >= 1/3 then yes else no }}"
    text = f"domain X {{ x: real^2 in [-1, 1] }}\n{HEAD}{model}\ncompute R: arc(f1, f2)"
    low, high = enclosed(text)
    below, above = enclosed(text.replace("metric l2", "metric max(l2, 1/2 * l2)"), 1.5)
    assert below <= high and low <= above
