"""Forms contain the values of their nodes: with the symbols that a point stands for, up to the error they claim."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as Q
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.chance import Point
from verifier.kernel.circuit import Affine, Circuit, Input, Node, Select, evaluate
from verifier.kernel.problem import Side
from verifier.kernel.ranges import Ranges, Scaled, cut, root, settle
from verifier.kernel.zonotope import HALF, LANE, LAST, Form, Forms, Plan, sharpen, size


def digits(number: int) -> list[int]:
    """The signed digits of a form, the constant first."""
    found = []
    while number:
        found.append((number + HALF & LAST) - HALF)
        number = number - found[-1] >> LANE
    return found


def net(rng: Random, widths: list[int], spread: int) -> Circuit:
    """Layers of relus, with weights of sizes from 2^-spread to 2^spread."""

    def weight() -> Q:
        return Q(rng.randint(-99, 99), 100) * Q(2) ** rng.randint(-spread, spread)

    made: list[Node] = [*(Input(i) for i in range(widths[0])), Affine((), Q(0))]
    zero, layer = widths[0], list(range(widths[0]))
    for width in widths[1:]:
        after = []
        for _ in range(width):
            made.append(Affine(tuple((j, weight()) for j in layer), weight()))
            made.append(Select(len(made) - 1, len(made) - 1, zero))
            after.append(len(made) - 1)
        layer = after
    return tuple(made)


def branch(rng: Random, scaled: Scaled, point: Point) -> Ranges:
    """Ranges of a box around the point."""
    here = root(scaled, ())
    settle(scaled, here)
    for i, x in enumerate(point):
        width = rng.choice((Q(0), Q(1, 1000), Q(1, 10), Q(1)))
        cut(scaled, here, i, x - width, True)
        cut(scaled, here, i, x + width + Q(1, 2**20), False)
    return here


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**9), st.sampled_from([0, 3, 40]))
def test_forms_contain_the_values(seed: int, spread: int) -> None:
    rng = Random(seed)
    widths = [rng.randint(1, 3), *(rng.randint(1, 6) for _ in range(rng.randint(1, 4)))]
    circuit, box = net(rng, widths, spread), (Side(Q(-1), Q(1)),) * widths[0]
    scaled = Scaled(circuit, box)
    plan = Plan(scaled, ())
    point = tuple(Q(rng.randint(-99, 99), 100) for _ in box)
    ranges, values = branch(rng, scaled, point), evaluate(circuit, point)
    forms, symbols = Forms(plan, ranges), [Q(1), Q(0)]
    for n, value in enumerate(values):
        count = forms.digits
        forms.add(n)
        low, high, _ = ranges.at(n)
        exact = value * scaled.unit[n]
        assert (low is None or low <= exact) and (high is None or exact <= high)
        form = forms.forms[n]
        if form is None:
            assert forms.digits == count
            continue
        own, in_grains = digits(form.number), exact / Q(2) ** plan.grain[n]
        error, radius = form.loss & LAST, form.loss >> LANE & LAST
        rest = in_grains - sum((d * s for d, s in zip(own, symbols, strict=False)), Q(0))
        if forms.digits > count:  # what the new symbol stands for
            symbols.append(max(Q(-1), min(Q(1), rest / own[count])) if len(own) > count else Q(0))
            rest -= symbols[-1] * (own[count] if len(own) > count else 0)
        assert abs(rest) <= error
        assert abs(in_grains - (own[1] if len(own) > 1 else 0)) <= radius
        assert sum(map(abs, own)) + error + radius <= size(form) < HALF
        assert abs(in_grains) <= size(form)


@pytest.mark.parametrize("widths", [[2, 4, 1], [2, 8, 8, 1], [3, 6, 6, 6, 6, 1]])
def test_ranges_are_those_of_affine_arithmetic(widths: list[int]) -> None:
    """And of interval arithmetic over its ranges, whichever is narrower, up to rounding."""
    open_ = decided = 0
    for seed in range(6):
        rng = Random(seed)
        circuit, box = net(rng, widths, 1), (Side(Q(-1), Q(1)),) * widths[0]
        scaled = Scaled(circuit, box)
        ranges = branch(rng, scaled, tuple(Q(rng.randint(-99, 99), 100) for _ in box))
        before = [exact(scaled, ranges, n) for n in range(len(circuit))]
        tests = [n for n, node in enumerate(circuit) if isinstance(node, Affine) and ranges.outcome(n) is not False]
        sharpen(Plan(scaled, ()), ranges)
        known = reference(circuit, before)
        for n in tests:
            (low, high), (below, above) = known[n], exact(scaled, ranges, n)
            slack = (1 + high - low) / 2**20
            assert abs(below - low) <= slack and abs(above - high) <= slack  # slopes are rounded
            open_ += low < 0 < high
            decided += low > 0 or high < 0
    assert open_ >= 5 and decided >= 5


def exact(scaled: Scaled, ranges: Ranges, n: int) -> tuple[Q, Q]:
    low, high, _ = ranges.at(n)
    assert low is not None and high is not None
    return Q(low, scaled.unit[n]), Q(high, scaled.unit[n])


def reference(circuit: Circuit, known: list[tuple[Q, Q]]) -> list[tuple[Q, Q]]:
    """The ranges of all nodes, exactly. The symbol of node n is number n + 1 of a form."""
    forms: list[list[Q]] = []
    for n, node in enumerate(circuit):
        low, high = known[n]
        form = [Q(0)] * (len(circuit) + 1)
        match node:
            case Input():
                form[0], form[n + 1] = (low + high) / 2, (high - low) / 2
            case Affine(terms, constant):
                form[0] = constant
                for j, w in terms:
                    form = [a + w * b for a, b in zip(form, forms[j], strict=True)]
                ends = [sorted((w * known[j][0], w * known[j][1])) for j, w in terms]
                reach = sum(map(abs, form[1:]), Q(0))
                low = max(low, form[0] - reach, constant + sum((a for a, _ in ends), Q(0)))
                high = min(high, form[0] + reach, constant + sum((b for _, b in ends), Q(0)))
            case Select(test):
                low, high = known[test]
                slope = high / (high - low) if low < 0 < high else Q(low >= 0)
                form = [slope * a for a in forms[test]]
                form[n + 1] = -slope * low / 2 if low < 0 < high else Q(0)
                form[0] += form[n + 1]
                low, high = max(low, Q(0)), max(high, Q(0))
        forms.append(form)
        known[n] = low, high
    return known


def test_what_does_not_fit_is_given_up() -> None:
    """Sums that are far larger than the ranges of their nodes, as a fact bounds them: no digit overflows."""
    terms = tuple((i, Q(1)) for i in range(4))
    circuit: Circuit = (*(Input(i) for i in range(4)), Affine(terms, Q(0)), Affine((), Q(0)), Select(4, 4, 5))
    for large in (Q(2) ** k for k in (8, 40, 47, 60, 400)):
        scaled = Scaled(circuit, (Side(-large, large),) * 4)
        facts = (4,)
        plan, ranges = Plan(scaled, facts), root(scaled, facts)
        narrow = scaled.unit[4]
        ranges.at_most(4, narrow)
        plan.grain[4] = plan.grain[6] = narrow.bit_length() - 56
        plan = replace_sum(plan, scaled)
        forms = Forms(plan, ranges)
        for n in range(len(circuit)):
            forms.add(n)
            form = forms.forms[n]
            assert form is None or sum(map(abs, digits(form.number))) <= size(form) < HALF
        assert ranges.at(4)[:2] == (0, narrow)


def replace_sum(plan: Plan, scaled: Scaled) -> Plan:
    """The plan with the weights of node 4 for its own grain."""
    terms, _ = scaled.affine[4]
    weights = tuple(a << max(plan.grain[j] - plan.grain[4], 0) for j, a in terms)
    plan.sums[4] = replace(plan.sums[4], weights=weights, sizes=weights, shift=0)
    return plan


def test_what_is_not_bounded_has_no_form() -> None:
    circuit: Circuit = (
        Input(0),
        Affine(((0, Q(1)),), Q(1)),
        Affine((), Q(0)),
        Select(1, 1, 2),
        Input(1),
        Select(4, 2, 1),
    )
    scaled = Scaled(circuit, (Side(Q(0)), Side(Q(-1), Q(1))))
    ranges = root(scaled, ())
    forms = Forms(Plan(scaled, ()), ranges)
    for n in range(len(circuit)):
        forms.add(n)
    assert [form is None for form in forms.forms] == [True, True, False, True, False, True]
    assert ranges.at(1)[:2] == (None, None)


def test_a_negative_test_has_no_form_and_its_relu_is_zero() -> None:
    circuit: Circuit = (Input(0), Affine((), Q(0)), Affine(((0, Q(1)),), Q(-2)), Select(2, 2, 1))
    scaled = Scaled(circuit, (Side(Q(-1), Q(1)),))
    ranges = root(scaled, ())
    plan = Plan(scaled, ())
    sharpen(plan, ranges)
    assert ranges.outcome(2) is False and not any(ranges.dirty)
    forms = Forms(plan, ranges)
    for n in range(4):
        forms.add(n)
    assert forms.forms[2:] == [None, Form(0, 0)]


def test_a_relu_of_a_relu_is_that_relu() -> None:
    circuit: Circuit = (
        Input(0),
        Affine((), Q(0)),
        Select(0, 0, 1),
        Select(2, 2, 1),
        Affine(((3, Q(1)), (2, Q(-1))), Q(0)),
    )
    circuit = (*circuit, Select(4, 4, 1))
    scaled = Scaled(circuit, (Side(Q(-1), Q(1)),))
    ranges = root(scaled, ())
    sharpen(Plan(scaled, ()), ranges)
    assert all(abs(Q(bound or 0, scaled.unit[4])) < Q(1, 2**20) for bound in ranges.at(4)[:2])
