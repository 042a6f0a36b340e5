"""Exact linear algebra against its definitions, and against sympy."""

from __future__ import annotations

from fractions import Fraction as Q

from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.canonical.linalg import Rows, null_space, rank, row_space_contains, rref, solve_left

entries = st.sampled_from([Q(0), Q(0), Q(1), Q(-1), Q(2), Q(1, 3), Q(-7, 2), Q(1, 2**60)])


def matrices(columns: int, most: int = 4) -> st.SearchStrategy[Rows]:
    return st.lists(st.tuples(*(entries for _ in range(columns))), max_size=most).map(tuple)


def product(left: Rows, right: Rows, columns: int) -> Rows:
    return tuple(
        tuple(sum((a * row[j] for a, row in zip(line, right, strict=True)), Q(0)) for j in range(columns))
        for line in left
    )


some = st.integers(0, 4).flatmap(lambda n: matrices(n).map(lambda rows: (rows, n)))
pairs = st.integers(0, 4).flatmap(lambda n: st.tuples(matrices(n), matrices(n), st.just(n)))


@settings(deadline=None)
@given(some)
def test_reduced_rows_span_the_same_space_in_echelon_form(case: tuple[Rows, int]) -> None:
    rows, columns = case
    reduced, pivots = rref(rows)
    assert list(pivots) == sorted(set(pivots))
    for i, (row, pivot) in enumerate(zip(reduced, pivots, strict=True)):
        assert not any(row[:pivot])
        assert [other[pivot] for other in reduced] == [Q(int(i == k)) for k in range(len(reduced))]
    there, back = solve_left(rows, reduced), solve_left(reduced, rows)
    assert there is not None
    assert product(there, reduced, columns) == rows
    assert back is not None
    assert product(back, rows, columns) == reduced


@settings(deadline=None)
@given(some)
def test_the_null_space_is_all_that_the_rows_send_to_zero(case: tuple[Rows, int]) -> None:
    rows, columns = case
    basis = null_space(rows, columns)
    assert all(sum((a * b for a, b in zip(row, v, strict=True)), Q(0)) == 0 for row in rows for v in basis)
    assert rank(rows) + len(basis) == columns
    assert rank(basis) == len(basis)
    assert all(x.denominator == 1 for v in basis for x in v)
    assert all(next(x for x in v if x) > 0 for v in basis)


@settings(deadline=None)
@given(pairs)
def test_a_factor_is_found_iff_the_rank_does_not_grow(case: tuple[Rows, Rows, int]) -> None:
    target, given_rows, columns = case
    factor = solve_left(target, given_rows)
    assert (factor is not None) == (rank(given_rows + target) == rank(given_rows))
    if factor is not None:
        assert len(factor) == len(target)
        assert product(factor, given_rows, columns) == target


@settings(deadline=None)
@given(pairs, st.data())
def test_every_multiple_of_the_given_rows_has_a_factor(case: tuple[Rows, Rows, int], data: st.DataObject) -> None:
    _, given_rows, columns = case
    chosen = data.draw(matrices(len(given_rows)))
    target = product(chosen, given_rows, columns)
    assert solve_left(target, given_rows) is not None
    assert all(row_space_contains(given_rows, row) for row in target)


@settings(deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*(entries for _ in range(n))), min_size=1, max_size=4)))
def test_sympy_agrees(rows: list[tuple[Q, ...]]) -> None:
    from sympy import Matrix, Rational

    theirs, pivots = Matrix([[Rational(x.numerator, x.denominator) for x in row] for row in rows]).rref()
    reduced, mine = rref(rows)
    assert mine == tuple(pivots)
    assert [[Q(int(x.p), int(x.q)) for x in theirs.row(i)] for i in range(len(mine))] == [list(row) for row in reduced]


def q(*rows: tuple[int, ...]) -> Rows:
    return tuple(tuple(map(Q, row)) for row in rows)


def test_empty_matrices_have_rank_zero() -> None:
    assert rank(()) == rank(((),)) == rank(((), ())) == 0
    assert rref(((), ())) == ((), ())
    assert null_space((), 2) == q((1, 0), (0, 1))
    assert null_space(((),), 0) == ()


def test_empty_systems_are_solved_when_the_target_is_zero() -> None:
    assert solve_left((), ()) == ()
    assert solve_left(q((0,), (0,)), ()) == ((), ())
    assert solve_left(q((1,)), ()) is None
    assert solve_left(((), ()), ((), (), ())) == q((0, 0, 0), (0, 0, 0))
    assert solve_left((), q((1,))) == ()


def test_theorem_2_finds_the_factor_matrix() -> None:
    oracle = q((1, 0, 1), (0, 1, -1))
    assert solve_left(q((1, 2, -1)), oracle) == q((1, 2))
    assert solve_left(q((0, 0, 1)), oracle) is None
    assert null_space(oracle, 3) == q((1, -1, -1))
