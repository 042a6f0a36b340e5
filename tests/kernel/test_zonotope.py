"""Forms contain the values of their nodes: with the symbols that a point stands for, up to the error they claim."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as Q

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.copies import kernel
from tests.kernel.forms import contained, digits
from tests.kernel.forms import ranges as ranges_of_forms
from verifier.kernel.circuit import Affine, Circuit, Input, Select
from verifier.kernel.problem import Side
from verifier.kernel.ranges import Scaled, root
from verifier.kernel.zonotope import HALF, Form, Forms, Plan, sharpen, size

KERNEL = kernel()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**9), st.sampled_from([0, 3, 40]), st.booleans())
def test_forms_contain_the_values(seed: int, spread: int, twins: bool) -> None:
    contained(KERNEL, seed, min(spread, 3) if twins else spread, twins)


@pytest.mark.parametrize("widths", [[2, 4, 1], [2, 8, 8, 1], [3, 6, 6, 6, 6, 1]])
def test_ranges_are_those_of_affine_arithmetic(widths: list[int]) -> None:
    ranges_of_forms(KERNEL, widths)


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
            assert form is None or sum(map(abs, digits(KERNEL, form.number))) <= size(form) < HALF
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
