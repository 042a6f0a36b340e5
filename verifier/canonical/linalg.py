"""Exact linear algebra over the rationals: what Theorem 2 asks of A1 and A2.

A matrix is a tuple of rows. Everything reads the reduced row echelon form, which flint computes without rounding. It is
the library under sympy's DomainMatrix, taken directly: it loads in a sixth of the time and reduces ten times faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

Row = tuple[Fraction, ...]
Rows = tuple[Row, ...]


def rref(rows: Sequence[Sequence[Fraction]]) -> tuple[Rows, tuple[int, ...]]:
    """The non-zero rows of the reduced row echelon form, and the column of the leading 1 in each."""
    import flint

    height, width = len(rows), len(rows[0]) if rows else 0
    if not width:
        return (), ()
    entries = [flint.fmpq(x.numerator, x.denominator) for row in rows for x in row]
    matrix, rank = flint.fmpq_mat(height, width, entries).rref()
    reduced = tuple(
        tuple(Fraction(int(x.p), int(x.q)) for x in (matrix[i, j] for j in range(width))) for i in range(rank)
    )
    return reduced, tuple(next(j for j, x in enumerate(row) if x) for row in reduced)


def rank(rows: Sequence[Sequence[Fraction]]) -> int:
    """The number of independent rows."""
    return len(rref(rows)[1])


def null_space(rows: Sequence[Sequence[Fraction]], columns: int) -> Rows:
    """A basis of {v in Q^columns : row . v = 0 for every row}: coprime integers, the first non-zero one positive."""
    reduced, pivots = rref(rows)
    basis = []
    for free in sorted(set(range(columns)) - set(pivots)):
        vector = [Fraction(0)] * columns
        vector[free] = Fraction(1)
        for row, pivot in zip(reduced, pivots, strict=True):
            vector[pivot] = -row[free]
        basis.append(_primitive(vector))
    return tuple(basis)


def solve_left(target: Sequence[Sequence[Fraction]], given: Sequence[Sequence[Fraction]]) -> Rows | None:
    """Some M with M . given = target, or None when a target row is no combination of the given rows.

    M has one row for each of `target` and one column for each of `given`. It is the certificate of Theorem 2:
    A1 B = M (A2 B).
    """
    width = len((given or target or ((),))[0])
    columns = [tuple(row[j] for row in given) + tuple(row[j] for row in target) for j in range(width)]
    reduced, pivots = rref(columns)
    if any(pivot >= len(given) for pivot in pivots):
        return None
    factor = [[Fraction(0)] * len(given) for _ in target]
    for row, pivot in zip(reduced, pivots, strict=True):
        for i in range(len(target)):
            factor[i][pivot] = row[len(given) + i]
    return tuple(tuple(row) for row in factor)


def row_space_contains(rows: Sequence[Sequence[Fraction]], vector: Sequence[Fraction]) -> bool:
    """Whether `vector` is a combination of `rows`."""
    return solve_left((vector,), rows) is not None


def _primitive(vector: Sequence[Fraction]) -> Row:
    """The coprime integers in the same ratio, the first non-zero one positive; the vector is not zero."""
    divisor = Fraction(gcd(*(x.numerator for x in vector)), lcm(*(x.denominator for x in vector)))
    if next(x for x in vector if x) < 0:
        divisor = -divisor
    return tuple(x / divisor for x in vector)
