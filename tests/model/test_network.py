"""The exact meaning of a network, against plain rational arithmetic and against floats."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.model.network import Dense, Network, Relu, Tree, whole

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32).filter(lambda x: abs(x) < 1e6)
RATIONALS = st.fractions(min_value=-100, max_value=100, max_denominator=1000)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Random straight-line programs with shared, repeated and missing sources."""
    widths = [draw(st.integers(1, 3))]
    steps: list[Dense | Relu] = []

    def numbers(n: int) -> list[float]:
        return draw(st.lists(NUMBERS, min_size=n, max_size=n))

    for _ in range(draw(st.integers(1, 5))):
        if draw(st.booleans()):
            source = draw(st.integers(0, len(widths) - 1))
            steps.append(Relu(source))
            widths.append(widths[source])
        else:
            sources = tuple(draw(st.lists(st.integers(0, len(widths) - 1), max_size=3)))
            out = draw(st.integers(1, 3))
            divisor = [d or 3.0 for d in numbers(out)] if draw(st.booleans()) else None
            matrices = tuple([numbers(widths[s]) for _ in range(out)] for s in sources)
            steps.append(Dense(sources, matrices, numbers(out), divisor))
            widths.append(out)
    return Network(widths[0], tuple(steps), "positive" if widths[-1] == 1 else "argmax", 0)


def by_the_definition(network: Network, point: tuple[Fraction, ...]) -> list[tuple[Fraction, ...]]:
    values = [point]
    for step in network.steps:
        if isinstance(step, Relu):
            values.append(tuple(max(v, Fraction(0)) for v in values[step.source]))
        else:
            assert isinstance(step, Dense)
            rows = [Fraction(b) for b in step.bias]
            for source, weights in zip(step.sources, step.weights, strict=True):
                for r, row in enumerate(weights):
                    rows[r] += sum(Fraction(w) * v for w, v in zip(row, values[source], strict=True))
            divisors = [1.0] * len(rows) if step.divisor is None else step.divisor
            values.append(tuple(r / Fraction(d) for r, d in zip(rows, divisors, strict=True)))
    return values


@given(networks(), st.data())
def test_values_are_the_definition_in_rationals(network: Network, data: st.DataObject) -> None:
    point = tuple(data.draw(st.lists(RATIONALS, min_size=network.inputs, max_size=network.inputs)))
    assert network.values(point) == by_the_definition(network, point)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5))
def test_whole_numbers_over_a_power_of_two_are_the_floats(numbers: list[float]) -> None:
    integers, exponent = whole(numbers)
    assert [Fraction(n, 1 << exponent) for n in integers] == [Fraction(x) for x in numbers]


def test_values_and_floats_agree() -> None:
    rng = np.random.default_rng(0)
    random: Any = lambda *shape: rng.normal(size=shape).tolist()  # noqa: E731
    steps = (
        Dense((0,), (random(8, 3),), random(8), rng.uniform(1, 2, 8).tolist()),
        Relu(1),
        Dense((2, 0), (random(4, 8), random(4, 3)), random(4)),
    )
    network = Network(3, steps, "argmax", 2)
    points = rng.normal(size=(20, 3))
    exact = [[float(v) for v in network.values(tuple(map(Fraction, p.tolist())))[-1]] for p in points]
    np.testing.assert_allclose(network.floats(points), exact, rtol=1e-12, atol=1e-12)
    assert [network.width(i) for i in range(4)] == [3, 8, 8, 4]


def test_a_tree_goes_left_at_its_threshold() -> None:
    ints = lambda *values: np.array(values, dtype=np.int64)  # noqa: E731
    tree = Tree(0, ints(0, 0, 0), np.array([0.5, 0, 0]), ints(1, -1, -1), ints(2, -1, -1), np.eye(3, 2)[[0, 0, 1]])
    network = Network(1, (tree,), "argmax", 0)
    for x, label in ((Fraction(1, 2), 0), (Fraction(1, 2) + Fraction(1, 10**30), 1), (Fraction(-7), 0)):
        assert network.decide(network.values((x,))[-1]) == label
    assert network.floats(np.array([[0.5], [0.6]])).argmax(1).tolist() == [0, 1]
    assert network.labels == 2


def test_ties_go_to_the_lowest_class_and_zero_is_class_zero() -> None:
    identity = Network(2, (), "argmax", 0)
    assert identity.decide((Fraction(1), Fraction(1))) == 0
    positive = Network(1, (), "positive", 0)
    assert [positive.decide((Fraction(s),)) for s in (-1, 0, 1)] == [0, 0, 1]
    assert positive.labels == 2


def test_a_point_of_the_wrong_width_is_refused() -> None:
    with pytest.raises(ValueError, match="takes 2 numbers, not 1"):
        Network(2, (), "argmax", 0).values((Fraction(1),))
