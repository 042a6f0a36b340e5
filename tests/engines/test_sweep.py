"""Backward bounds: every point of the box obeys them, and the kernel accepts what it is given for each."""

from __future__ import annotations

from fractions import Fraction as Q
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engines.questions import question
from verifier.engines import evaluate as exactly
from verifier.engines.sweep import Sweep
from verifier.engines.trial import WORTH, keeps, rounded_up
from verifier.engines.twins import twins
from verifier.kernel.circuit import Affine, Input, Node, Select, evaluate
from verifier.kernel.problem import Bound, Farkas, Row, Side
from verifier.kernel.ranges import Scaled, cut, root, settle
from verifier.kernel.refute import bound
from verifier.query.piece import senses

PLANE = "domain X { x: real^2 in [-1, 1], n: int in [0, 3] }"
NET = "relu(relu(u.x[0] + u.x[1] - u.n / 4) - relu(u.x[0] - 2 * u.x[1]) + u.n / 8)"
PLAIN = "relu(relu(u.x[0] + u.x[1]) - relu(u.x[0] - 2 * u.x[1]))"


def setting(second: bool) -> tuple[Scaled, Sweep, list[int], list[int]]:
    """A circuit, its tests or (`second`) the runs of its gaps, and the differences of the inputs."""
    net = PLAIN if second else NET
    other = net.replace("u.", "v.")
    q = question(PLANE, ["u", "v"], [f"{net} - {other} > 1/20", "abs(u.x[0] - v.x[0]) <= 1/8"])
    q = replace(q, mirror=(None, None, None, 0, 1, 2))
    true, real = senses(q.circuit, q.facts, ())
    pairs = twins(q, real, true)
    scaled = Scaled((*q.circuit, *pairs.definitions), q.empty.box, pairs.gaps)
    nodes = [run for _, run in pairs.gaps] if second else [scaled.select[n][0] for n in scaled.relus]
    return (
        scaled,
        Sweep(scaled, nodes, second, [n for _, _, n in pairs.inputs]),
        sorted(n for n in nodes if scaled.level[n]),
        [n for _, _, n in pairs.inputs],
    )


@pytest.mark.parametrize("differences", [False, True])
def test_bounds_hold_at_random_points_and_the_kernel_accepts_them(differences: bool) -> None:
    scaled, sweep, nodes, apart = setting(differences)
    ranges = root(scaled, ())
    for node in apart:
        cut(scaled, ranges, node, Q(-1, 8), above=True)
        cut(scaled, ranges, node, Q(1, 8), above=False)
    settle(scaled, ranges)
    found = sweep.bounds(ranges, nodes, WORTH)
    assert found
    generator = np.random.default_rng(1)
    for _ in range(300):
        first = [*generator.uniform(-0.88, 0.88, 2), generator.integers(0, 4)]
        second = [*(first[:2] + generator.uniform(-0.12, 0.12, 2)), first[2]]
        values = evaluate(scaled.circuit, [Q(float(x)) for x in (*first, *second)])
        for step in found:
            assert (values[step.node] >= step.value) is step.above
    for step in found:
        bound(scaled, ranges, step.node, step.value, step.above, step.end)


def tangle(random: Random) -> Scaled:
    """Forms of forms, relus with two names, other choices, and sides without a bound, in any order."""
    circuit: list[Node] = [*map(Input, range(3)), *(Affine((), Q(c)) for c in (0, 0, 1))]
    for _ in range(random.randrange(5, 40)):
        n = len(circuit)
        match random.randrange(5):
            case 0 | 1:
                terms = tuple((j, Q(random.choice((-3, -1, 1, 2)), 2)) for j in sorted(random.sample(range(n), 3)))
                circuit.append(Affine(terms, Q(random.randrange(-2, 3), 2)))
            case 2 | 3:
                test = random.choice((0, 1, 2, n - 2, n - 1, n - 1))
                circuit += (Select(test, test, 3), Select(test, test, 4))[: random.randrange(1, 3)]
            case _:
                circuit.append(Select(*(random.randrange(n) for _ in range(3))))
    box = [
        Side(Q(-1), random.choice((Q(2), None)), False),
        Side(None, Q(1), False),
        Side(Q(-1), Q(1), random.random() < 0.5),
    ]
    return Scaled(tuple(circuit), box)


@given(st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_a_bound_is_what_the_sum_of_the_kernel_says_and_none_is_missed(random: Random) -> None:
    scaled = tangle(random)
    ranges = root(scaled, ())
    settle(scaled, ranges)
    for n in random.sample(range(3, len(scaled.circuit)), 3):
        side = ranges.copy()
        cut(scaled, side, n, Q(0), above=random.random() < 0.5)
        settle(scaled, side)
        if all(low is None or high is None or low < high for low, high in zip(side.low, side.high, strict=True)):
            ranges = side
    nodes = [n for n in scaled.affine if ranges.outcome(n) is None]
    found = {(f.node, f.above): f for f in Sweep(scaled, nodes).bounds(ranges, nodes, WORTH)} if nodes else {}

    def accepts(node: int, value: Q, above: bool) -> bool:
        row = Row("high" if above else "low", node, 1)
        return keeps(scaled, ranges.copy(), Bound(node, -value if above else value, above, Farkas((row,))))

    for n in nodes:
        low, high = (None if b is None else Q(b, scaled.unit[n]) for b in (ranges.low[n], ranges.high[n]))
        for above, old in ((False, high), (True, None if low is None else -low)):
            width = None if low is None or high is None else high - low
            slight = Q(1, 10**5) * (1 + (width or 0)) + Q(scaled.lattice.get(n, (0,))[0], scaled.unit[n])
            if (n, above) in found:
                value = found[n, above].value * (-1 if above else 1)
                assert accepts(n, value, above)
                assert not accepts(n, value - slight, above)
            elif old is None:
                assert not accepts(n, Q(10**6), above)
            else:
                least = Q(0) if width is None else max(Q(0), old - Q(WORTH) * width)
                assert not accepts(n, least - slight, above)


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 1e-12, -3.25e7, 0.1, 1e300])
def test_rounding_goes_up_a_little(value: float) -> None:
    up = rounded_up(value)
    assert value < up <= Q(value) + max(abs(Q(value)), Q(1, 2**4)) / 2**20
    assert up <= rounded_up(value, 6) < up + Q(1, 6)
    assert (6 * rounded_up(value, 6)).denominator == 1


def test_evaluation_on_whole_numbers_is_exact_evaluation() -> None:
    q = question(PLANE, ["u"], [f"{NET} >= 1/3", "step(u.x[0]) == 1 or u.n == 2", "u.x[1] < 1/7"])
    solved_by, generator, seen = exactly.tester(q), np.random.default_rng(2), set()
    for _ in range(400):
        point = (
            Q(int(generator.integers(-9, 10)), 7),
            Q(int(generator.integers(-9, 10)), 9),
            Q(int(generator.integers(0, 5))),
        )
        assert solved_by(point) == q.solved_by(point)
        seen.add(solved_by(point))
    assert seen == {True, False}
    assert not solved_by((Q(1), Q(0), Q(1, 2)))
