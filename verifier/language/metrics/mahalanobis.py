"""mahalanobis: d(u, v)^2 = (u - v)^T M (u - v) for a symmetric positive semidefinite M; a pseudometric where M is
singular."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.metrics.quadratic import Quadratic, Rows, Squares, form, sum_of_squares


def squares(size: int, matrix: Rows) -> Squares:
    """The non-null rows of L^T, weighted with the pivots (Theorem 2)."""
    return sum_of_squares(matrix)


def meaning(differences: Sequence[Fraction], matrix: Rows) -> Fraction:
    """d^T M d."""
    return form(matrix, differences)


MAHALANOBIS = Quadratic("mahalanobis", squares, meaning, takes_matrix=True)
