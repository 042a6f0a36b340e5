"""Forms without choices become a matrix and a vector."""

from __future__ import annotations

from fractions import Fraction as Q

import pytest

from verifier.canonical.affine import affine_rows
from verifier.language.build import Build, Variable


def test_an_affine_map_is_its_matrix() -> None:
    build = Build()
    x, y = build.input(Variable("x")), build.input(Variable("y"))
    first = build.combine([(Q(2), x), (Q(-1, 2), y)], Q(3))
    second = build.relu(build.scale(-1, build.constant(1)))
    assert affine_rows(build, [first, second], [1, 0]) == (((Q(-1, 2), Q(2)), (Q(0), Q(0))), (Q(3), Q(0)))
    assert affine_rows(build, [], [0, 1]) == ((), ())


def test_a_choice_has_no_matrix() -> None:
    build = Build()
    x = build.input(Variable("x"))
    assert affine_rows(build, [x, build.relu(x)], [0]) is None


def test_an_input_without_a_column_is_a_mistake() -> None:
    build = Build()
    x, y = build.input(Variable("x")), build.input(Variable("y"))
    with pytest.raises(ValueError, match="y has no column"):
        affine_rows(build, [build.add(x, y)], [0])
