"""Where a network is steep, at random: what it finds, and in which order."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from tests.engines.nets import layers, output
from verifier.engines.steep import steep
from verifier.language.build import ZERO, Build, Choice, Form, Variable
from verifier.query.question import Question

F = Fraction


def slopes(seed: int, together: bool) -> Question:
    """How a random 2-6-1 network changes at z in the direction d, of length 1 at most in linf, or l1 (`together`)."""
    build = Build()
    points = [build.input(Variable(f"z{i}", F(-1), F(1))) for i in range(2)]
    ways = [build.input(Variable(f"d{i}", F(-1), F(1))) for i in range(2)]
    (y,) = output(build, layers(Random(seed), [2, 6, 1], 16), points)
    along: dict[int, Form] = {form.terms[0][0]: way for form, way in zip(points, ways, strict=True)}
    for i in sorted(build.reach([y])):
        if isinstance(atom := build.atoms[i], Choice):
            along[i] = build.select(atom.test, build.combine((w, along[j]) for j, w in atom.test.terms), ZERO)
    change = build.combine((w, along[i]) for i, w in y.terms)
    sums = [build.add(*(build.scale(s, d) for s, d in zip(signs, ways, strict=True))) for signs in ((1, 1), (1, -1))]
    rooms = [build.subtract(build.constant(1), build.scale(s, each)) for each in sums for s in (1, -1)]
    kept = [*points, *ways]
    circuit, nodes = build.circuit([*(map(build.at_least_zero, rooms) if together else ()), change], kept)
    variables = tuple(v for form in kept if isinstance(v := build.atoms[form.terms[0][0]], Variable))
    return Question(circuit, variables, nodes[:-1], nodes[-1:])


def change(question: Question, vector: tuple[Fraction, ...]) -> Fraction:
    return question.values(vector)[question.numbers[0]]


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_no_point_of_a_grid_is_steeper(seed: int, together: bool) -> None:
    question = slopes(seed, together)
    found = steep(question, (), 5)
    assert all(question.solved_by(vector) for vector in found)
    values = [change(question, vector) for vector in found]
    assert values == sorted(values, reverse=True) and len(set(values)) == len(values) > 1
    ways = [(F(0), F(s)) for s in (1, -1)] + [(F(s), F(0)) for s in (1, -1)]
    ways += [] if together else [(F(r), F(s)) for r in (1, -1) for s in (1, -1)]
    grid = [F(k, 16) for k in range(-16, 17)]
    assert values[0] >= max(change(question, (a, b, *way)) for a in grid[::2] for b in grid[::2] for way in ways)


def test_points_that_are_given_are_among_them() -> None:
    question = slopes(1, False)
    best, *_ = steep(question, (), 5)
    assert change(question, steep(question, (best,), 0.01)[0]) >= change(question, best)
    assert steep(question, (best,), 0) == ()
