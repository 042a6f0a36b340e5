"""l2 and mahalanobis: the factors say what the matrix says, and a matrix is refused with a vector that shows why."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.language.metrics import QUADRATIC
from verifier.language.metrics.quadratic import NotSemidefinite, Rows, Squares, form, sum_of_squares

entry = fractions(-3, 3, 3)


def symmetric(data: st.DataObject, size: int) -> Rows:
    upper = {(i, j): data.draw(entry) for i in range(size) for j in range(i, size)}
    return tuple(tuple(upper[min(i, j), max(i, j)] for j in range(size)) for i in range(size))


def gram(data: st.DataObject, size: int, height: int) -> Rows:
    rows = [[data.draw(entry) for _ in range(size)] for _ in range(height)]
    return tuple(tuple(sum((r[i] * r[j] for r in rows), Fraction(0)) for j in range(size)) for i in range(size))


def said(squares: Squares, vector: list[Fraction]) -> Fraction:
    parts = (w * sum((a * b for a, b in zip(row, vector, strict=True)), Fraction(0)) ** 2 for w, row in squares)
    return sum(parts, Fraction(0))


@given(data=st.data(), size=st.integers(1, 5), height=st.integers(0, 5))
def test_gram_matrices_are_factored(data: st.DataObject, size: int, height: int) -> None:
    matrix = gram(data, size, height)
    squares = sum_of_squares(matrix)
    assert all(w > 0 for w, _ in squares) and len(squares) <= min(size, height)
    vector = [data.draw(entry) for _ in range(size)]
    assert said(squares, vector) == form(matrix, vector) == QUADRATIC["mahalanobis"].meaning(vector, matrix) >= 0


@given(data=st.data(), size=st.integers(1, 4))
def test_any_symmetric_matrix_is_factored_or_refused_with_a_vector(data: st.DataObject, size: int) -> None:
    matrix = symmetric(data, size)
    vector = [data.draw(entry) for _ in range(size)]
    try:
        squares = sum_of_squares(matrix)
    except NotSemidefinite as found:
        assert found.value == form(matrix, found.vector) < 0
    else:
        assert said(squares, vector) == form(matrix, vector)


@given(data=st.data())
def test_an_indefinite_matrix_is_refused(data: st.DataObject) -> None:
    matrix = symmetric(data, 3)
    vector = [data.draw(entry) for _ in range(3)]
    assume(form(matrix, vector) < 0)
    with pytest.raises(NotSemidefinite):
        sum_of_squares(matrix)


@given(differences=st.lists(entry, max_size=4))
def test_l2(differences: list[Fraction]) -> None:
    squares = QUADRATIC["l2"].squares(len(differences), ())
    assert said(squares, differences) == sum(d * d for d in differences) == QUADRATIC["l2"].meaning(differences, ())
