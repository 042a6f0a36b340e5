"""The orthogonal projection onto what a linear map sees."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.canonical.linalg import Rows, rref, solve_left


def projection(rows: Sequence[Sequence[Fraction]], columns: int) -> Rows:
    """P (columns x columns), the orthogonal projection onto the row space of `rows`.

    rows @ P = rows, and rows @ v = 0 gives P @ v = 0. So g(c + P (x - c)) depends on rows @ x alone; for an affine g
    it is the nearest such map (least squares).
    """
    basis, _ = rref(rows)
    if not basis:
        return tuple((Fraction(0),) * columns for _ in range(columns))
    gram = [[sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0)) for v in basis] for u in basis]
    weights = solve_left(list(zip(*basis, strict=True)), gram)  # basis^T gram^-1
    assert weights is not None
    return tuple(
        tuple(sum((w * b[j] for w, b in zip(row, basis, strict=True)), Fraction(0)) for j in range(columns))
        for row in weights
    )
