"""What was asked of whom, in which order, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from verifier.engines.engine import Fails, Holds, Least, Most, Unknown, Work
from verifier.query.question import Question

CERTIFICATE, SECOND = "a certificate", "a second opinion"
SETTLED = ("solution", "no solution")
SHORT = {
    "glance": "bounds",
    "brief": "case search",
    "higher": "case search",
    "least_cases": "case search",
    "greatest_cases": "case search",
    "steepest_cases": "case search",
    "box_search": "box search",
    "box_proof": "box search",
    "case_search": "case search",
    "case_proof": "case search",
    "find": "z3",
}
"""Who answers whether there is a solution, task by task; everything else is a task of z3."""


class Turn(Struct, frozen=True):
    """What one engine, `by` with its version, made of a question. `wanted`: what it was asked for after another had
    answered; `reason`: why its answer is unknown."""

    engine: str
    outcome: Literal["solution", "no solution", "found", "unknown"]
    seconds: float
    by: str
    work: Work = ()
    wanted: str = ""
    reason: str = ""


class Asked(Struct):
    """A question and its engines, in their order. `inputs` that are free, `choices`: numbers that are piecewise;
    `order`: why they were asked in this order. `question`: while a second opinion may be wanted."""

    inputs: int
    choices: int
    order: str = ""
    turns: list[Turn] = []
    question: Question | None = None

    @property
    def doubtful(self) -> Turn | None:
        """The only turn that has settled it, if there is one."""
        settled = [t for t in self.turns if t.outcome in SETTLED and t.engine in SHORT.values()]
        return settled[0] if len(settled) == 1 and not settled[0].wanted else None


def turn(task: str, answer: object, seconds: float, wanted: str) -> Turn:
    """The turn of an engine that gave this answer to this task."""
    engine = "search" if task == "strike" else SHORT.get(task, f"z3 {task.replace('_', ' ')}")
    by = str(getattr(answer, "by", engine)) if engine.startswith("z3") else engine
    match answer:
        case Unknown(why, work):
            reason = "" if task in ("glance", "brief") else why  # they give up soon, not when time is up
            return Turn(engine, "unknown", seconds, by, work, wanted, reason)
        case Holds():
            return Turn(engine, "no solution", seconds, by, answer.work, wanted)
        case Fails():
            return Turn(engine, "solution", seconds, by, answer.work, wanted)
        case dict():
            return Turn(engine, "found", seconds, by, (("pairs", len(answer)),), wanted)
        case Least() | Most():
            return Turn(engine, "found", seconds, by, answer.work, wanted)
        case _:
            return Turn(engine, "unknown" if answer is None else "found", seconds, by, (), wanted)


def second_opinions(asked: Iterable[Asked]) -> str:
    """Who has confirmed how many answers, in words; empty where nobody was asked."""
    last = [wanted[-1] for a in asked if (wanted := [t for t in a.turns if t.wanted])]
    agreed = Counter(t.by for t in last if t.outcome in SETTLED)
    silent = Counter((t.by, t.reason) for t in last if t.outcome not in SETTLED)
    one = len(last) == 1
    said = []
    if agreed:
        many = ", ".join(f"{n} by {by}" for by, n in agreed.items())
        said.append(f"Confirmed by {last[0].by}." if one else f"Answers confirmed: {many}.")
    for (by, reason), n in silent.items():
        said.append(f"{by} gave no second opinion{'' if one else f' on {n}'}: {reason}.")
    return " ".join(said)
