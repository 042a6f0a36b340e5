"""Maps without choices, as matrices: the g = A x + b of Theorem 2."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.canonical.linalg import Row, Rows
from verifier.language.build import Build, Form, Variable


def affine_rows(build: Build, forms: Sequence[Form], inputs: Sequence[int]) -> tuple[Rows, Row] | None:
    """(A, b) with forms = A x + b, a column of A for each of the input atoms `inputs`; None when a form has a choice.

    An input outside `inputs` is a mistake of the caller (ValueError): its column would be lost.
    """
    column = {atom: j for j, atom in enumerate(inputs)}
    rows: list[Row] = []
    for form in forms:
        row = [Fraction(0)] * len(column)
        for atom, weight in form.terms:
            match build.atoms[atom]:
                case Variable(name=name):
                    if atom not in column:
                        raise ValueError(f"the input {name} has no column")
                    row[column[atom]] = weight
                case _:
                    return None
        rows.append(tuple(row))
    return tuple(rows), tuple(form.constant for form in forms)
