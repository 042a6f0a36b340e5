"""The game of alternating quantifiers: what it asks of itself, and what it says when time is over."""

from __future__ import annotations

import random
from fractions import Fraction as F

import pytest

from tests.engines.questions import program
from tests.model.expressions import expression
from verifier.engines import smt_game
from verifier.engines.engine import Answer, Fails, Holds, Strategy, Unknown, Vector
from verifier.engines.smt import Clock
from verifier.engines.smt_game import Game, play
from verifier.kernel.circuit import evaluate
from verifier.model.assertion import claim_of
from verifier.model.claim import Prenex
from verifier.query.piece import Row
from verifier.query.pose import Poser
from verifier.query.question import Question
from verifier.verdict.strategy import Position

WEIGHTS = [[1, -2], [2, 1], [-1, 1], [1, 1], [-2, -1], [2, -1], [1, 2]]
NET = program(f"""
domain X {{ a: real in [0, 1], b: real in [0, 1], n: int in [-1, 2] }}
labels {{ low, high }}
def h(a, b) = relu({WEIGHTS} * [a, b] + [0, -1, 1/2, -1/2, 1, 0, -2])
model f1 {{ features h = h(a, b)  decide if sum(h) >= 3/2 then high else low }}
""")


def game(text: str) -> tuple[Question, tuple[int, ...], int]:
    claim = claim_of(NET, expression(text))
    assert isinstance(claim, Prenex)
    first, *rest = claim.blocks
    return Position(first.points, (), (), (), tuple(rest), claim.formula, first.kind == "forall").game(Poser(NET))


NEAR = "abs(x.a - y.a) <= 1/4 and abs(x.b - y.b) <= 1/4"
STAY = f"forall x in X: exists y in X: f1(x) == f1(y) and {NEAR} and y.n == x.n"
THEN = f"forall x in X: exists y in X: forall z in X: {NEAR} and (z.a == y.a and z.b == y.b => f1(z) == f1(x))"


def test_of_a_network_one_rule_that_holds_everywhere_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smt_game, "TRY", 0.9)
    found = play(*game(THEN), 20.0)
    assert isinstance(found, Strategy)
    (rule,) = found.replies
    assert rule.part == ()
    assert [dict(row.weights).get(i) for i, row in enumerate(rule.images)][:2] == [1, 1]


@pytest.mark.parametrize("text", [STAY, THEN])
def test_the_question_where_a_rule_fails_is_about_its_images(text: str) -> None:
    """At random points it says of them what the circuit of the game says, and whether they lie in X."""
    question, widths, width = game(text)
    images = (Row(((0, F(1)),), F(1, 4)), Row(((1, F(1)),), F(0)), Row(((2, F(1)),), F(0)))
    asked = Game(question, widths, width, Clock(10.0)).without([images])
    rng, held = random.Random(text), set()
    for _ in range(200):
        x = (F(rng.randint(0, 8), 8), F(rng.randint(0, 8), 8), F(rng.randint(-1, 2)))
        z = (F(rng.randint(0, 8), 8), F(rng.randint(0, 8), 8), F(0)) if len(widths) > 2 else ()
        y = tuple(row.at(x) for row in images)
        values = evaluate(question.circuit, (*x, *y, *z))
        inside = 0 <= y[0] <= 1 and 0 <= y[1] <= 1 and -1 <= y[2] <= 2
        wins = inside and values[question.facts[1]] >= 0 and values[question.facts[-1]] >= 0
        assert asked.solved_by((*x, F(0), F(0), F(0), *z)) is not wins
        held.add(wins)
    assert held == {True, False}


def test_where_several_rules_fail_all_of_them_do() -> None:
    question, widths, width = game(STAY)
    rules = [
        (Row(((0, F(1)),), shift), Row(((1, F(1)),), F(0)), Row(((2, F(1)),), F(0))) for shift in (F(1, 4), F(-1, 4))
    ]
    made = Game(question, widths, width, Clock(10.0))
    both, alone = made.without(rules), [made.without([images]) for images in rules]
    rng, held = random.Random(0), set()
    for _ in range(200):
        point = (F(rng.randint(0, 8), 8), F(rng.randint(0, 8), 8), F(rng.randint(-1, 2)), F(0), F(0), F(0))
        failing = tuple(asked.solved_by(point) for asked in alone)
        assert both.solved_by(point) is all(failing)
        held.add(failing)
    assert held == {(True, True), (True, False), (False, True), (False, False)}


@pytest.mark.parametrize("text", [STAY, f"exists x in X: forall y in X: {NEAR} => f1(y) == low"])
def test_the_case_search_takes_over_where_z3_takes_long(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def searched(question: Question, seconds: float) -> Answer:
        asked.append(question)
        return original(question, seconds)

    expected = play(*game(text), 20.0)
    original = smt_game.searched
    monkeypatch.setattr(smt_game, "searched", searched)
    monkeypatch.setattr(smt_game, "SOON", 0.0)
    monkeypatch.setattr(smt_game, "MANY", 1000)
    found = play(*game(text), 20.0)
    assert type(found) is type(expected) and isinstance(found, Fails | Strategy)
    assert asked


def test_what_is_known_when_time_is_over_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert play(*game(STAY), 0.0) == Unknown(
        "out of time; no rule of a strategy is known, and no choice without an answer"
    )
    question, widths, width = game("forall x in X: exists y in X: f1(x) != f1(y) and abs(x.a - y.a) <= 9/10")
    monkeypatch.setattr(smt_game, "MOST", 1)
    found = play(question, widths, width, 20.0)
    assert isinstance(found, Fails) or found == Unknown("a strategy has more than 1 rules")


def test_a_first_choice_without_an_answer_has_short_numbers() -> None:
    question, widths, width = game(
        "forall x in X: exists y in X: y.a == x.a + 1/7 and y.b <= x.b / 3 and y.n == x.n + 1"
    )
    found = play(question, widths, width, 10.0)
    assert isinstance(found, Fails)
    (x,) = found.points
    assert short(x)
    assert isinstance(smt_game.searched(Game(question, widths, width, Clock(10.0)).ending(x), 10.0), Holds)


def short(x: Vector) -> bool:
    return all(value in (0, F(1, 2), 1, -1, 2) for value in x)
