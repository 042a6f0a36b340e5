"""Where a network is steep, at random: what it finds, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import pytest

from tests.engines.questions import program
from verifier.engines.steep import steep
from verifier.query.pose import Poser
from verifier.query.question import Question
from verifier.verdict.measures.directional import Change

F = Fraction


def slopes(seed: int, oracle: str) -> Question:
    """How a random 2-6-1 network changes at z in the direction d, of length 1 at most; or in that of a corner."""
    random = Random(seed)

    def row(terms: Sequence[str]) -> str:
        return " + ".join(f"({random.randint(-16, 16)}/16) * {term}" for term in [*terms, "1"])

    declared = program(f"""domain X {{ x: real in [-1, 1], y: real in [-1, 1] }}
labels {{ a, b }}
model f1 {{ features s = {row([f"relu({row('xy')})" for _ in range(6)])}  metric linf  decide a }}
oracle f2 {{ features all  metric {oracle} }}""")
    (question,) = Change(Poser(declared)).questions(declared.classifiers["f1"], declared.classifiers["f2"])
    return question


def change(question: Question, vector: tuple[Fraction, ...]) -> Fraction:
    return question.values(vector)[question.numbers[0]]


@pytest.mark.parametrize("oracle", ["linf", "l1"])
@pytest.mark.parametrize("seed", range(4))
def test_no_point_of_a_grid_is_steeper(seed: int, oracle: str) -> None:
    question = slopes(seed, oracle)
    found = steep(question, (), 5)
    assert all(question.solved_by(vector) for vector in found)
    values = [change(question, vector) for vector in found]
    assert values == sorted(values, reverse=True) and len(set(values)) == len(values) > 1
    if oracle == "l1":
        ways = [(F(0), F(s)) for s in (1, -1)] + [(F(s), F(0)) for s in (1, -1)]
    else:  # the corners of the square, by their numbers
        ways = [(F(r), F(s)) for r in (0, 1) for s in (0, 1)]
    grid = [F(k, 16) for k in range(-16, 17)]
    assert values[0] >= max(change(question, (a, b, *way)) for a in grid[::2] for b in grid[::2] for way in ways)


def test_points_that_are_given_are_among_them() -> None:
    question = slopes(1, "linf")
    best, *_ = steep(question, (), 5)
    assert change(question, steep(question, (best,), 0.01)[0]) >= change(question, best)
    assert steep(question, (best,), 0) == ()
