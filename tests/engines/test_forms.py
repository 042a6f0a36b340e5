"""Nodes of a circuit as affine forms of the inputs on a branch."""

from __future__ import annotations

from fractions import Fraction as Q

from verifier.engines.forms import Forms
from verifier.kernel.circuit import Affine, Circuit, Input, Select
from verifier.kernel.problem import Side
from verifier.kernel.ranges import Ranges, Scaled, cut, root, settle

NONE = Affine((), Q(0))
CIRCUIT: Circuit = (
    *(Input(0), NONE, Affine(((0, Q(1)),), Q(-1)), Select(2, 2, 1)),  # 3: relu(x - 1)
    *(Affine(((0, Q(-1)), (3, Q(2))), Q(1)), Select(4, 4, 1)),  # 5: relu(1 - x + 2 relu(x - 1))
    Affine(((0, Q(1)), (5, Q(3))), Q(0)),
)


def begun(low: Q, high: Q) -> tuple[Scaled, Ranges]:
    scaled = Scaled(CIRCUIT, (Side(low, high),))
    ranges = root(scaled, ())
    settle(scaled, ranges)
    return scaled, ranges


def decided(scaled: Scaled, ranges: Ranges, node: int, above: bool) -> None:
    cut(scaled, ranges, node, Q(0), above)
    settle(scaled, ranges)


def test_the_choice_to_decide_first_is_one_whose_test_is_a_form() -> None:
    """The test of the outer relu depends on the inner one: to decide it first would say nothing of x."""
    scaled, ranges = begun(Q(-5), Q(5))
    forms = Forms()
    assert forms.expand(scaled, ranges, 6) == 2
    decided(scaled, ranges, 2, True)
    assert forms.expand(scaled, ranges, 6) == 4
    decided(scaled, ranges, 4, True)
    assert forms.expand(scaled, ranges, 6) is None
    assert forms.of[6] == (Q(-3), {0: Q(4)})
    assert forms.zero == set()


def test_a_relu_of_what_is_at_most_0_is_0_and_its_test_may_be_decided_later() -> None:
    scaled, ranges = begun(Q(-5), Q(1))  # x - 1 may be 0
    assert ranges.outcome(2) is None
    forms = Forms()
    assert forms.expand(scaled, ranges, 3) is None
    assert (forms.of[3], forms.zero) == ((Q(0), {}), {2})
    forms.renew(ranges)
    assert 3 in forms.of
    part = forms.copy()
    decided(scaled, ranges, 2, True)
    part.renew(ranges)  # the kernel takes it for x - 1 now
    assert (part.of, part.zero) == ({}, set()) and 3 in forms.of
    assert part.expand(scaled, ranges, 3) is None
    assert part.of[3] == (Q(-1), {0: Q(1)})
