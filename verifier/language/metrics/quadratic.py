"""The record of a metric whose square is a quadratic form, and how such a form becomes a sum of squares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from msgspec import Struct

Row = tuple[Fraction, ...]
Rows = tuple[Row, ...]
Squares = tuple[tuple[Fraction, Row], ...]
"""d^2 = sum of weight * (row . differences)^2, every weight positive."""


class Quadratic(Struct, frozen=True):
    """`squares` writes d^2 as a sum of squares, given the number of differences and the matrix; `meaning` evaluates d^2
    from the matrix itself. `takes_matrix`: the metric is given by one."""

    name: str
    squares: Callable[[int, Rows], Squares]
    meaning: Callable[[Sequence[Fraction], Rows], Fraction]
    takes_matrix: bool


class NotSemidefinite(Exception):
    """`vector` has v^T M v = `value` < 0."""

    def __init__(self, vector: Row, value: Fraction) -> None:
        super().__init__(f"v^T M v = {value}")
        self.vector, self.value = vector, value


def form(matrix: Rows, vector: Sequence[Fraction]) -> Fraction:
    """v^T M v."""
    zero = Fraction(0)
    products = (a * sum((m * b for m, b in zip(row, vector, strict=True)), zero)
                for a, row in zip(vector, matrix, strict=True))  # fmt: skip
    return sum(products, zero)


def sum_of_squares(matrix: Rows) -> Squares:
    """M = L D L^T of a symmetric M in rationals: the positive pivots with their rows of L^T; zero pivots are dropped.
    Raises NotSemidefinite with a vector that shows it."""
    n = len(matrix)
    rest = [list(row) for row in matrix]
    # rest[i][j] = v_i^T M v_j for the vectors below, i and j not yet eliminated
    vectors = [[Fraction(i == j) for j in range(n)] for i in range(n)]
    found: list[tuple[Fraction, Row]] = []

    def refuse(vector: Sequence[Fraction]) -> NotSemidefinite:
        return NotSemidefinite(tuple(vector), form(matrix, vector))

    for k in range(n):
        pivot = rest[k][k]
        if pivot < 0:
            raise refuse(vectors[k])
        if pivot == 0:
            for j in range(k + 1, n):
                if rest[k][j] != 0:
                    t = -(rest[j][j] + 1) / (2 * rest[k][j])
                    raise refuse([t * a + b for a, b in zip(vectors[k], vectors[j], strict=True)])
            continue
        row = [rest[k][j] / pivot for j in range(n)]
        found.append((pivot, tuple(Fraction(0) if j < k else row[j] for j in range(n))))
        for j in range(k + 1, n):
            if row[j] != 0:
                vectors[j] = [b - row[j] * a for a, b in zip(vectors[k], vectors[j], strict=True)]
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                rest[i][j] -= row[i] * row[j] * pivot
    return tuple(found)
