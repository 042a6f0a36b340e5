"""A point satisfies all inequalities, weights show that none does; z3 agrees."""

from __future__ import annotations

from fractions import Fraction as Q

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.canonical import simplex
from verifier.canonical.simplex import Conflict, Inequality, Solution, Stopped, solve

small = fractions(-3, 3, 4)
Side = Q | None


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Inequality], list[Side], list[Side]]:
    n = draw(st.integers(1, 4))
    row = st.builds(
        lambda weights, constant, strict: Inequality(dict(enumerate(weights)), constant, strict),
        st.lists(small, min_size=n, max_size=n),
        small,
        st.booleans(),
    )
    sides = st.lists(st.one_of(st.none(), small), min_size=n, max_size=n)
    return draw(st.lists(row, max_size=6)), draw(sides), draw(sides)


def possible(rows: list[Inequality], low: list[Side], high: list[Side]) -> bool:
    x = [z3.Real(f"x{i}") for i in range(len(low))]
    solver = z3.Solver()
    for row in rows:
        total = z3.Sum([z3.RealVal(str(w)) * x[i] for i, w in row.terms.items()])
        total += z3.RealVal(str(row.constant))
        solver.add(total > 0 if row.strict else total >= 0)
    for i, (least, most) in enumerate(zip(low, high, strict=True)):
        solver.add(*([x[i] >= z3.RealVal(str(least))] if least is not None else []))
        solver.add(*([x[i] <= z3.RealVal(str(most))] if most is not None else []))
    return bool(solver.check() == z3.sat)


@settings(deadline=None, max_examples=200)
@given(problems())
def test_points_satisfy_and_weights_refute(problem: tuple[list[Inequality], list[Side], list[Side]]) -> None:
    rows, low, high = problem
    match solve(rows, low, high):
        case Solution(point):
            for row in rows:
                value = sum((w * point[i] for i, w in row.terms.items()), row.constant)
                assert value > 0 or (value == 0 and not row.strict)
            assert all(a is None or a <= x for a, x in zip(low, point, strict=True))
            assert all(b is None or x <= b for b, x in zip(high, point, strict=True))
        case Conflict(weights):
            assert not possible(rows, low, high)
            if any(a is not None and b is not None and a > b for a, b in zip(low, high, strict=True)):
                return  # the box itself is empty
            assert all(w > 0 for w in weights.values())
            total = [sum((w * rows[k].terms.get(i, Q(0)) for k, w in weights.items()), Q(0)) for i in range(len(low))]
            most = sum((w * rows[k].constant for k, w in weights.items()), Q(0))
            for i, weight in enumerate(total):
                if weight:
                    end = high[i] if weight > 0 else low[i]
                    assert end is not None
                    most += weight * end
            assert most < 0 or (most == 0 and any(rows[k].strict for k in weights))


def test_a_strict_inequality_is_met_strictly() -> None:
    rows = [Inequality({0: Q(1)}, Q(0), strict=True), Inequality({0: Q(-1)}, Q(1, 10**30), strict=True)]
    found = solve(rows, [None], [None])
    assert isinstance(found, Solution) and 0 < found.point[0] < Q(1, 10**30)


def test_patience_ends() -> None:
    rows = [Inequality({i: Q(1), (i + 1) % 4: Q(2)}, Q(-1)) for i in range(4)]
    with pytest.raises(Stopped):
        solve(rows, [Q(0)] * 4, [None] * 4, patience=0)


@settings(deadline=None, max_examples=200)
@given(problems(), st.lists(st.tuples(st.integers(0, 9), small, st.booleans(), st.booleans()), max_size=5))
def test_a_wish_is_granted_where_there_is_a_solution_and_only_kept_ones_count_later(
    problem: tuple[list[Inequality], list[Side], list[Side]], wishes: list[tuple[int, Q, bool, bool]]
) -> None:
    rows, low, high = problem
    tableau = simplex.Tableau(rows, low, high)
    first = tableau.solve(1000)
    if isinstance(first, Conflict):
        return
    tableau, places = simplex.Tableau(rows, low, high, start=first.point), len(low) + len(rows)
    for place, value, above, keep in wishes:
        place %= places
        terms = {place: Q(1)} if place < len(low) else rows[place - len(low)].terms
        row = Inequality(terms, -value)
        more = [row] if above else [row, Inequality({i: -w for i, w in terms.items()}, value)]
        found = tableau.wish(place, value, None if above else value, 1000, keep)
        assert (found is not None) == possible([*rows, *more], low, high)
        if found is None:
            continue
        for wanted in (*rows, *more):
            total = sum((w * found.point[i] for i, w in wanted.terms.items()), wanted.constant)
            assert total > 0 or (total == 0 and not wanted.strict)
        rows = [*rows, *more] if keep else rows


@settings(deadline=None, max_examples=200)
@given(problems(), st.lists(small, min_size=4, max_size=4))
def test_what_is_least_is_so_over_the_closure(
    problem: tuple[list[Inequality], list[Side], list[Side]], weights: list[Q]
) -> None:
    rows, low, high = problem
    first = simplex.Tableau(rows, low, high).solve(1000)
    if isinstance(first, Conflict):
        return
    goal = dict(enumerate(weights[: len(low)]))
    tableau = simplex.Tableau([*rows, Inequality(goal, Q(0))], low, high, start=first.point)
    found = tableau.descend(len(low) + len(rows), 1000)
    weak = [Inequality(row.terms, row.constant) for row in rows]
    if found is None:
        for bound in (-(10**3), -(10**9)):
            assert possible([*weak, Inequality({i: -w for i, w in goal.items()}, Q(bound))], low, high)
        return
    value = sum((w * found.point[i] for i, w in goal.items()), Q(0))
    for row in weak:
        assert sum((w * found.point[i] for i, w in row.terms.items()), row.constant) >= 0
    assert all(a is None or a <= x for a, x in zip(low, found.point, strict=True))
    assert all(b is None or x <= b for b, x in zip(high, found.point, strict=True))
    assert not possible([*weak, Inequality({i: -w for i, w in goal.items()}, value, strict=True)], low, high)
