"""Which engine gets which question."""

from __future__ import annotations

import time
from typing import cast

from verifier.engines.engine import Answer, Fails, Holds, Unknown
from verifier.engines.worker import Worker
from verifier.query.piece import choices
from verifier.query.question import Question

MANY_CHOICES = 12
"""From this many piecewise-linear choices on, a search in floats may be faster than z3."""

FIRST_TRY = 1.0
"""Seconds that z3 has before the search gets its turn."""


class Portfolio:
    """z3, and where the question is large the falsifier in between; in a process of their own. Not for two threads at
    once."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    def find(self, question: Question, seconds: float) -> Answer:
        """A solution, or none."""
        if question.squares:
            return cast(Answer, self.worker.ask("find_square", question, seconds=seconds))
        if choices(question) >= MANY_CHOICES:
            started = time.monotonic()
            first = self.worker.ask("find", question, seconds=min(FIRST_TRY, seconds))
            if not isinstance(first, Unknown):
                return cast(Answer, first)
            guess = self.worker.ask("falsify", question, seconds=min(10.0, seconds / 6))
            if isinstance(guess, Fails):
                return guess
            seconds -= time.monotonic() - started
        return cast(Answer, self.worker.ask("find", question, seconds=seconds))

    def approach(self, question: Question, shared: tuple[int, ...], seconds: float) -> Answer:
        """A limit witness (Theorem 1*: `shared` are the inputs of x; 1U: nothing is shared)."""
        return cast(Answer, self.worker.ask("approach", question, shared, seconds=seconds))

    def least(self, question: Question, seconds: float) -> Answer:
        """The infimum of the question's first number."""
        task = "least_square" if question.squares else "least"
        return cast(Answer, self.worker.ask(task, question, seconds=seconds))

    def greatest(self, question: Question, seconds: float) -> Answer:
        """The supremum of the question's first number."""
        return cast(Answer, self.worker.ask("greatest", question, seconds=seconds))

    def defect(self, question: Question, seconds: float) -> Answer:
        """The supremum of the first number over the closures of the pieces where the second is zero."""
        return cast(Answer, self.worker.ask("defect", question, seconds=seconds))

    def steepest(self, question: Question, seconds: float) -> Answer:
        """The supremum of the first number divided by the second."""
        return cast(Answer, self.worker.ask("steepest", question, seconds=seconds))

    def curve(self, question: Question, seconds: float) -> Answer:
        """The supremum of the first number where the second is at most delta, for every delta."""
        return cast(Answer, self.worker.ask("curve", question, seconds=seconds))

    def torn(self, question: Question, domain: Question, seconds: float) -> Answer:
        """All x for which the piece of some solution has a closure point with first number 0 < second number."""
        return cast(Answer, self.worker.ask("torn", question, domain, seconds=seconds))

    def breadth(self, question: Question, seconds: float) -> int | None:
        """The largest dimension of a piece of the solutions; None when it stayed open."""
        found = self.worker.ask("breadth", question, seconds=seconds)
        return found if isinstance(found, int) else None

    def substantial(self, domain: Question, question: Question, copies: int, seconds: float) -> Answer:
        """A solution in a piece of positive measure."""
        task = "substantial_square" if question.squares else "substantial"
        return cast(Answer, self.worker.ask(task, domain, question, copies, seconds=seconds))

    def local(self, bad: Question, own: Question, shared: tuple[int, ...], seconds: float, impossible: bool) -> Answer:
        """An x with BAD and not OWN (Theorem 3)."""
        if impossible:
            return Holds("the bounds of the domain", ("the canonical form",))
        return cast(Answer, self.worker.ask("local", bad, own, shared, seconds=seconds))
