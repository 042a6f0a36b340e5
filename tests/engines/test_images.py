"""Coordinates as affine images of others: where the sides that are left hold, all sides hold of the images."""

from __future__ import annotations

import random
from fractions import Fraction as F

import pytest

from verifier.engines.eliminate import Half, half, substituted, tidy
from verifier.engines.images import Images, boxed, put
from verifier.language.build import Variable
from verifier.query.piece import Row

VARIABLES = (
    Variable("x", F(0), F(4)),
    Variable("m", F(-2), F(2), True),
    Variable("y", F(0), F(4)),
    Variable("n", F(-2), F(2), True),
)
POINT, WHOLE = range(2), (1, 3)


def polyhedron(rng: random.Random) -> tuple[list[Half], tuple[F, ...]]:
    """Sides of few coordinates, all of which hold at the point; some are equations."""
    point = tuple(F(rng.randint(-2, 2)) if i in WHOLE else F(rng.randint(0, 16), 4) for i in range(4))
    sides = []
    for _ in range(rng.randint(1, 6)):
        weights = tuple((i, F(rng.choice([1, -1, 2]))) for i in sorted(rng.sample(range(4), rng.randint(1, 3))))
        slack = F(rng.choice([0, 0, 1, 2]), 2)
        row = Row(weights, slack - Row(weights, F(0)).at(point))
        sides.append(half(row, slack > 0 and rng.random() < 0.5))
        if not slack and rng.random() < 0.4:
            sides.append(half(row.minus(), False))
    return sides, point


@pytest.mark.parametrize("seed", range(40))
def test_where_the_rest_holds_the_images_are_a_choice(seed: int) -> None:
    rng = random.Random(seed)
    sides, point = polyhedron(rng)
    images, rest = Images(VARIABLES, 2, 2).of(range(2, 4), sides, point)
    assert all(h.holds(point) for h in rest)
    assert all(i in POINT for row in images for i, _ in row.weights)
    assert all(h in rest for h in put(sides, 2, images)) and set(rest) == set(put(sides, 2, images))
    for _ in range(30):
        x = (F(rng.randint(0, 16), 4), F(rng.randint(-2, 2)))
        chosen = (*x, *(row.at(x) for row in images))
        assert chosen[3].denominator == 1
        assert all(h.holds(x) for h in rest) is all(h.holds(chosen) for h in sides)


def test_the_same_coordinate_of_the_point_before_is_chosen_if_it_may_be() -> None:
    same = [Row(((0, F(1)),), F(0)), Row(((1, F(1)),), F(0))]
    below = Half(Row(((2, F(1)), (3, F(1))), F(9)), False)
    assert Images(VARIABLES, 2, 2).of(range(2, 4), [below], (F(1), F(2), F(0), F(1)))[0] == same
    above = Half(Row(((0, F(-1)), (2, F(1))), F(-1)), True)  # y > x + 1
    images, rest = Images(VARIABLES, 2, 2).of(range(2, 4), [above], (F(1), F(2), F(3), F(1)))
    assert images == [Row(((0, F(1)),), F(2)), same[1]] and rest == []


def test_images_are_put_in_all_at_once() -> None:
    rng = random.Random(0)
    for _ in range(50):
        sides, _ = polyhedron(rng)
        images = [Row(((0, F(rng.randint(-2, 2))), (1, F(1))), F(rng.randint(-2, 2))) for _ in range(2)]
        images = [Row(tuple((i, w) for i, w in row.weights if w), row.constant) for row in images]
        one_by_one = [half(substituted(substituted(h.row, 2, images[0]), 3, images[1]), h.strict) for h in sides]
        if all(h.row.weights for h in one_by_one):
            assert put(sides, 2, images) == tidy(one_by_one)


def test_what_the_box_says_is_no_news() -> None:
    assert boxed(Half(Row(((0, F(1)), (1, F(1))), F(2)), False), VARIABLES)
    assert not boxed(Half(Row(((0, F(1)), (1, F(1))), F(2)), True), VARIABLES)
    assert boxed(Half(Row(((0, F(-1)),), F(5)), True), VARIABLES)
    assert not boxed(Half(Row(((0, F(-1)),), F(3)), False), VARIABLES)
    assert not boxed(Half(Row(((0, F(1)),), F(9)), False), (Variable("free"),))
