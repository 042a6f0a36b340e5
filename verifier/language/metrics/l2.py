"""l2: d(u, v) = sqrt(sum (u_i - v_i)^2)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.language.metrics.quadratic import Quadratic, Rows, Squares


def squares(size: int, matrix: Rows) -> Squares:
    """One square an entry."""
    return tuple((Fraction(1), tuple(Fraction(i == j) for j in range(size))) for i in range(size))


def meaning(differences: Sequence[Fraction], matrix: Rows) -> Fraction:
    """sum of d_i^2."""
    return sum((d * d for d in differences), Fraction(0))


L2 = Quadratic("l2", squares, meaning, takes_matrix=False)
