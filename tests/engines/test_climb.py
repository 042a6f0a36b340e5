"""Linear programs that climb: what they follow is what the facts say, and they find what random points do not."""

from __future__ import annotations

import time
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from msgspec.structs import replace

from tests.engines.nets import asked, box, layers, output
from tests.engines.questions import posed, question
from verifier.engines.climb import Climb
from verifier.engines.engine import Unknown
from verifier.engines.falsify import Landscape, exact, falsify
from verifier.language.build import Build
from verifier.query.question import Question

BOX = "domain X { a: real in [0, 1], b: real in [-1, 1], n: int in [0, 9] }"
FACTS = [
    ["relu(u.a - 1/2) + abs(u.b) > 1/2", "u.b >= 0 or u.n == 7 or relu(u.b + u.a) <= 1/8"],
    ["if u.n >= 3 then u.a > u.b else not u.a < 1/4", "not (u.a >= 1/2 and u.b >= 0)"],
    ["(u.a > 1/4) <=> (u.b > 1/4)", "u.a < 3/4 => (u.n >= 2 and u.b <= 1/2)"],
]


@pytest.mark.parametrize("facts", FACTS)
def test_the_case_that_is_followed_holds_where_the_facts_do(facts: list[str]) -> None:
    q = question(BOX, ["u"], facts)
    climb = Climb(q, Landscape(q))
    points = np.random.default_rng(0).uniform((0, -1, 0), (1, 1, 9), (300, 3))
    held = [climb.local(point).merit >= 0 for point in points]
    assert held == (climb.landscape.at(points.T) >= 0).tolist()
    assert len(set(held)) == 2


@pytest.mark.parametrize("facts", FACTS)
def test_near_a_point_the_rows_are_linear(facts: list[str]) -> None:
    q = question(BOX, ["u"], facts)
    climb = Climb(q, Landscape(q))
    for point in np.random.default_rng(1).uniform((0, -1, 0), (1, 1, 9), (50, 3)):
        step = 1e-7 * np.array([1.0, -2.0, 3.0])
        here, there = climb.local(point), climb.local(point + step)
        assert there.values == pytest.approx(here.values + here.slopes @ step, abs=1e-12)
        assert set(np.abs(here.slopes).max(axis=1)) <= {0.0, 1.0}


def near_pairs(seed: int) -> Question:
    """Points of [-1, 1]^20 that are a thousandth apart, to which a network with three outputs gives different labels,
    each by a margin."""
    build = Build()
    both = box(build, 40)
    x, y = both[:20], both[20:]
    net = layers(Random(seed), [20, 8, 3], 64)
    apart = [build.scale(s, build.subtract(a, b)) for a, b in zip(x, y, strict=True) for s in (1, -1)]
    near = [build.add(form, build.constant(Fraction(1, 1000))) for form in apart]
    scores = output(build, net, x), output(build, net, y)
    first = build.both(*(build.above_zero(build.subtract(scores[0][0], s)) for s in scores[0][1:]))
    second = build.both(*(build.above_zero(build.subtract(scores[1][1], scores[1][k])) for k in (0, 2)))
    return asked(build, both, [*map(build.at_least_zero, near), first, second])


def test_it_finds_pairs_that_random_points_miss() -> None:
    found = 0
    for seed in range(6):
        q = near_pairs(seed)
        landscape = Landscape(q)
        assert isinstance(falsify(q, 0.1, landscape), Unknown)
        climb = Climb(q, landscape)
        for start in np.random.default_rng(seed).uniform(-1, 1, (5, 40)):
            merits, solved = [climb.local(start).merit], False
            for point in climb.from_point(start, time.monotonic() + 5):
                merits.append(climb.local(point).merit)
                solved |= q.solved_by(exact(q, point))
            assert merits == sorted(merits)
            if solved:
                found += 1
                break
    assert found >= 3


def test_the_first_step_goes_no_further_than_it_may() -> None:
    q = near_pairs(0)
    climb, start = Climb(q, Landscape(q)), np.full(40, 0.125)
    for reach in (1.0, 1e-3):
        first = next(climb.from_point(start, time.monotonic() + 5, reach))
        assert 0 < np.abs(first - start).max() <= 2 * reach * (1 + 1e-9)


def test_whole_inputs_stay_whole_and_time_is_kept() -> None:
    p = posed(BOX, ["u"], ["u.n + 9 * u.a >= 17", "u.b + u.n <= 9"])
    climb = Climb(p.question, Landscape(p.question))
    *_, last = climb.from_point(np.array([0.0, 0.0, 0.0]), time.monotonic() + 5)
    assert last[2] == round(last[2])
    assert p.question.solved_by(exact(p.question, last))
    assert not list(climb.from_point(np.zeros(3), time.monotonic() - 1))


def test_it_stays_in_the_box_of_its_question() -> None:
    """A search keeps the landscape of a circuit from box to box."""
    wide = question(BOX, ["u"], ["relu(u.a) + u.b >= 1/2"])
    narrow = replace(wide, variables=tuple(replace(v, high=v.low) if v.integer else v for v in wide.variables))
    narrow = replace(narrow, variables=(replace(narrow.variables[0], high=Fraction(1, 4)), *narrow.variables[1:]))
    *_, last = Climb(narrow, Landscape(wide)).from_point(np.array([0.0, -1.0, 0.0]), time.monotonic() + 5)
    assert narrow.solved_by(exact(narrow, last))
    assert last[0] <= 0.25 and last[2] == 0
