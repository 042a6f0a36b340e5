"""Circuits that grow: every node means what was asked for, however it is written."""

from __future__ import annotations

from fractions import Fraction as Q

from hypothesis import given
from hypothesis import strategies as st

from verifier.kernel.circuit import Affine, Input, evaluate
from verifier.query.grown import Grown

INPUTS = tuple(Input(i) for i in range(3))
SMALL = st.sampled_from([Q(n, d) for n in (-6, -3, -2, -1, 0, 1, 2, 3, 4) for d in (1, 2, 3)])
SUMS = st.lists(st.tuples(st.lists(st.tuples(st.integers(0, 9), SMALL), max_size=4), SMALL, st.booleans()), max_size=12)


@given(SUMS, st.tuples(SMALL, SMALL, SMALL))
def test_sums_keep_their_values_whatever_they_are_made_of(
    wanted: list[tuple[list[tuple[int, Q]], Q, bool]], point: tuple[Q, Q, Q]
) -> None:
    grown = Grown(INPUTS)
    values = list(point)
    made = list(range(3))
    for terms, constant, bare in wanted:
        pairs = tuple((made[j % len(made)], w) for j, w in terms)
        n = grown.node(Affine(pairs, constant)) if bare else grown.affine(pairs, constant)
        made.append(n)
        known = evaluate(tuple(grown.nodes), point)
        values.append(sum((w * known[j] for j, w in pairs), constant))
        assert known[n] == values[-1]
    known = evaluate(tuple(grown.nodes), point)
    assert [known[n] for n in made] == values


def test_a_multiple_of_a_sum_is_written_as_one() -> None:
    grown = Grown(INPUTS)
    first = grown.affine([(0, Q(1)), (1, Q(-2))], Q(1))
    assert grown.affine([(1, Q(-2)), (0, Q(1))], Q(1)) == first
    again = grown.affine([(0, Q(-3)), (1, Q(6))], Q(5))
    assert grown.nodes[again] == Affine(((first, Q(-3)),), Q(8))
