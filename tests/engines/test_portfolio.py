"""Who is asked next where one engine cannot answer."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engines.questions import question
from verifier.engines.engine import Answer, EngineFailed, Fails, Holds, Most, Unknown
from verifier.engines.portfolio import BRIEFLY, MANY_CHOICES, Portfolio
from verifier.engines.worker import Worker
from verifier.kernel.circuit import Input
from verifier.query.piece import choices

SPACE = "domain X { x: real^3 in [-1e300, 1e300] }"


def test_numbers_that_no_float_holds_are_left_to_z3() -> None:
    sums = " + ".join(f"relu({k + 2} * u.x[0] - 1e390 * u.x[{1 + k % 2}])" for k in range(MANY_CHOICES))
    q = question(SPACE, ["u"], [f"{sums} > 1e350"])
    assert choices(q) >= MANY_CHOICES
    with Worker() as worker:
        for engine in ("case_search", "box_search"):
            answer = worker.ask(engine, q, seconds=20)
            assert isinstance(answer, Unknown) and answer.why.endswith("too large for floats")
        found = Portfolio(worker).find(q, 60)
    assert isinstance(found, Fails) and q.solved_by(found.points[0])


STEPS = " + ".join(f"relu(u.a - {k}/30)" for k in range(30))
UNIT = "domain X { a: real in [0, 1] }"
QUESTIONS = {
    ("few", "solution"): question(UNIT, ["u"], ["relu(u.a - 1/3) > 1/2"]),
    ("few", "no solution"): question(UNIT, ["u"], ["relu(u.a - 1/3) > 2/3"]),
    ("many", "solution"): question(UNIT, ["u"], [f"{STEPS} > 15"]),
    ("many", "no solution"): question(UNIT, ["u"], [f"{STEPS} > 31/2 * u.a + 1/10"]),
}


class Liar(Worker):
    """Has these answers to some tasks, whatever the question."""

    def __init__(self, **answers: Answer) -> None:
        super().__init__()
        self.answers = answers

    def ask(self, task: str, *arguments: Any, seconds: float) -> Any:
        return self.answers.get(task) or super().ask(task, *arguments, seconds=seconds)


@pytest.mark.parametrize(("many", "outcome"), QUESTIONS)
def test_a_second_engine_confirms_an_answer(many: str, outcome: str) -> None:
    with Worker() as worker:
        portfolio = Portfolio(worker, doubting=True)
        portfolio.find(QUESTIONS[many, outcome], 30)
        said = portfolio.confirm(30)
        (asked,) = portfolio.taken()
    first, *_, last = asked.turns
    assert asked.order.startswith(many) and (asked.inputs, asked.choices >= MANY_CHOICES) == (1, many == "many")
    assert (first.engine, last.engine) == (("z3", "case search") if many == "few" else ("case search", "z3"))
    assert last.outcome == outcome and last.wanted and said == f"Confirmed by {last.by}."
    assert last.by.startswith(last.engine) and portfolio.asked == []


def test_what_a_search_took_comes_back_with_its_answer() -> None:
    with Worker() as worker:
        for task in ("box_search", "box_proof"):
            answer = worker.ask(task, QUESTIONS["many", "no solution"], seconds=20)
            assert isinstance(answer, Holds) and dict(answer.work)["boxes"] > 0 and answer.proof is not None
        answer = worker.ask("case_search", QUESTIONS["many", "no solution"], seconds=20)
        assert isinstance(answer, Holds) and dict(answer.work)["branches"] > 0


def test_nobody_is_asked_twice_without_the_wish() -> None:
    with Worker() as worker:
        portfolio = Portfolio(worker, recording=True)
        portfolio.find(QUESTIONS["few", "solution"], 30)
        assert portfolio.confirm(30) == ""
        (asked,) = portfolio.taken()
        assert [t.engine for t in asked.turns] == ["case search"] and asked.question is None
        quiet = Portfolio(worker)
        quiet.find(QUESTIONS["few", "solution"], 30)
        assert quiet.taken() == ()


NOWHERE = (Fraction(2),)


@pytest.mark.parametrize(
    ("many", "outcome", "lies", "says"),
    [
        (
            "many",
            "solution",
            {"find": Holds("z3 5")},
            "z3 5 says that there is no solution where case search finds one",
        ),
        (
            "few",
            "solution",
            {"case_search": Holds("case")},
            "case says that there is no solution where z3 .* finds one",
        ),
        (
            "many",
            "solution",
            {"case_search": Holds("case")},
            "z3 .* finds a solution where case search says that there is none",
        ),
        (
            "few",
            "solution",
            {
                "find": Holds("z3 5", ("z3 5",)),
                "brief": Unknown("out of time"),
                "case_search": Unknown("out of time"),
                "case_proof": Unknown("out of time"),
            },
            None,
        ),
        ("many", "no solution", {"find": Fails("z3 5", (NOWHERE,))}, "z3 5 gives a point that is no solution"),
    ],
)
def test_a_contradiction_is_a_failure_that_names_both(
    many: str, outcome: str, lies: dict[str, Answer], says: str | None
) -> None:
    with Liar(**lies) as worker:
        portfolio = Portfolio(worker, doubting=True)
        portfolio.find(QUESTIONS[many, outcome], 30)
        if says is None:
            assert portfolio.confirm(30) == "case search gave no second opinion: out of time."
        else:
            with pytest.raises(EngineFailed, match=says):
                portfolio.confirm(30)


def test_a_certificate_is_not_looked_for_where_a_solution_is_found() -> None:
    none, tired = Holds("z3 5", ("z3 5",)), Unknown("out of time")
    with Liar(find=none, brief=tired) as worker, pytest.raises(EngineFailed, match="where z3 5 says"):
        Portfolio(worker).find(QUESTIONS["few", "solution"], 30)


def test_what_exact_arithmetic_finds_on_few_branches_needs_no_z3() -> None:
    with Liar(find=Unknown("not wanted")) as worker:
        found = Portfolio(worker).find(QUESTIONS["few", "solution"], 30)
    assert isinstance(found, Fails) and QUESTIONS["few", "solution"].solved_by(found.points[0])


def test_what_nobody_sees_is_neither_made_pleasant_nor_proved_again() -> None:
    with Liar(find=Unknown("not wanted"), case_search=Unknown("not wanted")) as worker:
        portfolio = Portfolio(worker, recording=True)
        assert isinstance(portfolio.find(QUESTIONS["few", "solution"], 30, shown=False), Fails)
        assert [t.engine for a in portfolio.taken() for t in a.turns] == ["case search"]
    with Liar(find=Holds("z3 5", ("z3 5",)), brief=Unknown("many branches")) as worker:
        portfolio = Portfolio(worker, recording=True)
        assert isinstance(portfolio.find(QUESTIONS["few", "no solution"], 30, shown=False), Holds)
        assert [t.engine for a in portfolio.taken() for t in a.turns] == ["case search", "z3"]


@pytest.mark.parametrize(("branches", "again"), [(3, 0), (BRIEFLY, 1)])
def test_exact_arithmetic_that_was_slow_is_not_asked_again_for_a_certificate(branches: int, again: int) -> None:
    steps = " + ".join(f"relu(u.a - {k}/8)" for k in range(8))
    q = question(UNIT, ["u"], [f"{steps} > 5 * u.a + 1/10"])
    with Liar(find=Holds("z3 5", ("z3 5",)), brief=Unknown("slow", (("branches", branches),))) as worker:
        portfolio = Portfolio(worker, recording=True)
        found = portfolio.find(q, 30)
        (asked,) = portfolio.taken()
    assert isinstance(found, Holds) and found.trusts == ()
    assert [t.engine for t in asked.turns] == ["case search", "z3", *["case search"] * again, "case search"]


@pytest.mark.parametrize("outcome", ["solution", "no solution"])
def test_of_some_choices_z3_may_try_whether_it_is_easy(outcome: str) -> None:
    steps = " + ".join(f"relu(u.a - {k}/13)" for k in range(13))
    q = question(UNIT, ["u"], [f"{steps} > 6" if outcome == "solution" else f"{steps} > 7 * u.a + 1/10"])
    with Liar(brief=Unknown("many branches")) as worker:
        portfolio = Portfolio(worker, recording=True)
        portfolio.find(q, 30)
        (asked,) = portfolio.taken()
    assert asked.order.startswith("some") and [t.outcome for t in asked.turns[:2]] == ["unknown", outcome]
    assert asked.turns[1].engine == "z3" and asked.turns[-1].engine == (
        "z3" if outcome == "solution" else "case search"
    )


def test_without_time_there_is_no_second_opinion_and_this_is_said() -> None:
    with Worker() as worker:
        portfolio = Portfolio(worker, doubting=True)
        portfolio.find(QUESTIONS["many", "solution"], 30)
        assert portfolio.confirm(0) == "z3 gave no second opinion: out of time."


def test_opinions_are_counted_by_who_gave_them() -> None:
    with Worker() as worker:
        portfolio = Portfolio(worker, doubting=True)
        for q in QUESTIONS.values():
            portfolio.find(q, 30)
        said = portfolio.confirm(30)
    assert said.startswith("Answers confirmed: 2 by case search, 2 by z3 ")


def test_who_keeps_certificates_leaves_them_their_time() -> None:
    asked: list[str] = []

    class Silent(Worker):
        def ask(self, task: str, *arguments: Any, seconds: float) -> Any:
            asked.append(task)
            return Unknown("silence")

    for keeping in (False, True):
        Portfolio(Silent(), keeping=keeping).find(QUESTIONS["many", "no solution"], 10)
    assert [task for task in asked if task.startswith("box")] == ["box_search", "box_proof"]


def test_extremes_that_z3_does_not_find_are_found_by_cases_for_those_who_doubt_too() -> None:
    question = QUESTIONS["few", "solution"]
    place = next(n for n, node in enumerate(question.circuit) if isinstance(node, Input))
    with Liar(greatest=Unknown("z3 is tired")) as worker:
        portfolio = Portfolio(worker, doubting=True, recording=True)
        found = portfolio.greatest(replace(question, numbers=(place,)), 30)
        (asked,) = portfolio.taken()
    assert isinstance(found, Most) and found.value is not None
    assert [(t.engine, t.outcome) for t in asked.turns] == [("z3 greatest", "unknown"), ("case search", "found")]
