"""The falsifier guesses in floats; what it returns solves the question exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.questions import holds, posed, question
from tests.model.expressions import expression, expressions, program
from verifier.engines.engine import Fails, Unknown
from verifier.engines.falsify import Landscape, exact, falsify
from verifier.query.pose import Poser

BOX = "domain X { a: real in [0, 1], b: real in [-1, 1], n: int in [0, 9] }"


@pytest.mark.parametrize(
    ("names", "facts"),
    [
        (["u"], ["u.a + u.b > 3/2"]),
        (["u"], ["u.a >= 1", "u.n == 7"]),
        (["u", "v"], ["abs(u.a - v.a) < 1/100", "u.a >= 1/2", "v.a < 1/2"]),
        (["u", "v"], ["relu(u.a - 1/2) + relu(u.b) > 1", "v.n - u.n >= 5"]),
    ],
)
def test_a_known_pair_is_found(names: list[str], facts: list[str]) -> None:
    p = posed(BOX, names, facts)
    answer = falsify(p.question, 20)
    assert isinstance(answer, Fails)
    assert all(holds(p, fact, answer.points[0]) for fact in facts)


@pytest.mark.parametrize(
    "facts", [["u.a > 1/2", "u.b > u.a", "u.b < u.a"], ["abs(u.b) + u.a < u.a"], ["2 * u.n == 5 + 2 * relu(-u.a)"]]
)
def test_what_has_no_solution_is_not_solved(facts: list[str]) -> None:
    assert isinstance(falsify(question(BOX, ["u"], facts), 0.3), Unknown)


def test_one_point_has_the_robustness_that_it_has_among_many() -> None:
    facts = ["relu(u.a - 1/2) + abs(u.b) > 1", "u.b >= 0 or u.n == 7", "if u.n >= 3 then u.a > u.b else not u.a < 1/4"]
    landscape = Landscape(question(BOX, ["u"], facts))
    points = np.random.default_rng(0).uniform(-1, 9, (3, 200))
    among_many = landscape.at(points)
    assert [landscape.of(point) for point in points.T] == pytest.approx(among_many)
    assert len(set(among_many.tolist())) > 100


PROGRAM = program()


@given(st.lists(expressions(1)["truth"], min_size=1, max_size=3), st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_many_points_have_the_robustness_of_each(facts: list[str], seed: int) -> None:
    poser = Poser(PROGRAM)
    posed = poser.pose(["u", "w"], [poser.truth(expression(f), ["u", "w"]) for f in facts])
    landscape = Landscape(posed.question)
    points = np.random.default_rng(seed).integers(-8, 9, (len(posed.question.variables), 12)) / 4  # exact in floats
    for some in (points[:, :5], points, points[:, 5:]):
        assert landscape.at(some).tolist() == [landscape.of(point) for point in some.T]


def test_a_tie_that_floats_miss_is_no_solution() -> None:
    third = question(BOX, ["u"], ["3 * u.a == 1"])  # 1/3 is no float
    answer = falsify(third, 0.5)
    assert isinstance(answer, Unknown) or third.solved_by(answer.points[0])  # type: ignore[union-attr]
    nearly = question(BOX, ["u"], ["u.a > 1/3", "u.a < 1/3 + 1/1000000000000000000000"])
    assert isinstance(falsify(nearly, 0.5), Unknown)


@given(st.lists(expressions(1)["truth"], min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_no_solution_is_ever_wrong(facts: list[str]) -> None:
    poser = Poser(PROGRAM)
    p = poser.pose(["u", "w"], [poser.truth(expression(f), ["u", "w"]) for f in facts])
    answer = falsify(p.question, 0.05)
    assert isinstance(answer, Fails | Unknown)
    if isinstance(answer, Fails):
        assert p.question.solved_by(answer.points[0])
        assert all(holds(p, fact, answer.points[0]) for fact in facts)


@given(st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_the_landscape_is_high_only_where_the_facts_nearly_hold(points: list[tuple[int, int]]) -> None:
    import numpy as np

    p = question(
        "domain X { a: real in [-2, 2], b: real in [-2, 2] }",
        ["u"],
        ["u.a >= 1/4 or relu(u.b) < 1/2", "if u.a > u.b then u.a <= 1 else not (u.b == 1/4)"],
    )
    floats = np.array([[a / 4 for a, _ in points], [b / 4 for _, b in points]])
    scores = Landscape(p).at(floats)
    for k in range(len(points)):
        solved = p.solved_by(exact(p, floats[:, k]))  # quarters are exact in floats
        assert solved or scores[k] <= 0
        assert not solved or scores[k] >= 0
