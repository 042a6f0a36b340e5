"""Which engine gets which question."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import cast

from verifier.engines.engine import Answer, Claimed, EngineFailed, Fails, Holds, Least, Most, Null, Unknown
from verifier.engines.worker import Worker
from verifier.query import closure
from verifier.query.closure import Beyond
from verifier.query.piece import choices
from verifier.query.question import Question

MANY_CHOICES = 12
"""From this many piecewise-linear choices on, the case search is asked before z3."""

MODEST = 40
"""Up to so many choices, the case search is asked before the box search."""

MOST_FREE = 8
"""Inputs that are not fixed, for a search by boxes."""

PATIENCE = 2.0
"""A proof of what z3 has refuted may take so many seconds more, or so many times as long as z3 took."""


class Portfolio:
    """Which engine is asked first; all in a process of their own. Not for two threads at once. `certifying`: what z3
    has refuted is proved once more, with a certificate."""

    def __init__(self, worker: Worker, certifying: bool = True) -> None:
        self.worker, self.certifying = worker, certifying

    def find(self, question: Question, seconds: float) -> Answer:
        """A solution, or none: with a certificate, where the case search comes to an end in time."""
        if question.squares:
            return self._ask("find_square", question, seconds)
        started = time.monotonic()

        def left() -> float:
            return seconds - (time.monotonic() - started)

        if choices(question) < MANY_CHOICES:  # z3 finds pairs that are pleasant to read
            first = self._ask("find", question, seconds / 2)
            if isinstance(first, Holds):
                return self._proved(first, question, started, left())
            return first if isinstance(first, Fails) else self._ask("case_search", question, left())
        boxes = [("glance", 1.0), ("box_search", 0.6)] if narrow(question) else []
        cases = [("case_search", 0.7)]
        modest = choices(question) <= MODEST  # cases have a certificate, where boxes may be too many for one
        for task, share in [*(cases + boxes if modest else boxes + cases), ("find", 1.0)]:
            found = self._ask(task, question, left() * share)
            if not isinstance(found, Unknown):
                break
        return found

    def glance(self, question: Question, seconds: float) -> Answer:
        """The same, if the first bounds show it."""
        return self._ask("glance", question, seconds)

    def _ask(self, task: str, question: Question, seconds: float) -> Answer:
        return cast(Answer, self.worker.ask(task, question, seconds=seconds))

    def certificate(self, question: Question, seconds: float) -> Answer:
        """A certificate that there is no solution, or a solution, if one of them is found soon."""
        if not self.certifying:
            return Unknown("no certificate is asked for")
        return self._ask("case_search", question, min(seconds, PATIENCE))

    def _proved(self, first: Holds, question: Question, started: float, left: float) -> Holds:
        """What z3 says since `started`; with a certificate that `question` has no solution, where one is found."""
        if not first.trusts or not self.certifying:
            return first
        patience = PATIENCE * max(1.0, time.monotonic() - started)
        second = self._ask("case_search", question, min(left, patience))
        if isinstance(second, Fails):
            raise EngineFailed(f"{second.by} finds a solution where {first.by} says that there is none")
        return second if isinstance(second, Holds) else first

    def _extreme(self, task: str, question: Question, beyond: Beyond, seconds: float) -> Answer:
        """What z3 finds; with certificates, where all are found, that nothing lies `beyond` it."""
        started = time.monotonic()
        found = self._ask(task, question, seconds)
        if not isinstance(found, Least | Most) or (isinstance(found, Most) and found.value is None):
            return found
        if not self.certifying:
            return found
        proofs: list[Claimed] = []
        for further in beyond(question, found.value, found.attained):
            left = seconds - (time.monotonic() - started)
            held = self._proved(Holds(found.by, found.trusts), further, started, left)
            if held.proof is None:
                return found
            proofs.append(held.proof)
        return replace(found, proofs=tuple(proofs))

    def approach(self, question: Question, shared: tuple[int, ...], seconds: float) -> Answer:
        """A limit witness (Theorem 1*: `shared` are the inputs of x; 1U: nothing is shared)."""
        started = time.monotonic()
        first = cast(Answer, self.worker.ask("approach", question, shared, seconds=seconds / 2))
        if isinstance(first, Fails):
            return first
        both, left = closure.torn(question, shared), seconds - (time.monotonic() - started)
        if isinstance(first, Holds):
            return self._proved(first, both, started, left)
        second = self._ask("case_search", both, left)
        if isinstance(second, Fails):
            return replace(second, points=closure.apart(question, shared, second.points[0]))
        return second

    def least(self, question: Question, seconds: float) -> Answer:
        """The infimum of the question's first number."""
        if question.squares:
            return self._ask("least_square", question, seconds)
        return self._extreme("least", question, closure.smaller, seconds)

    def greatest(self, question: Question, seconds: float) -> Answer:
        """The supremum of the question's first number."""
        return self._extreme("greatest", question, closure.greater, seconds)

    def defect(self, question: Question, seconds: float) -> Answer:
        """The supremum of the first number over the closures of the pieces where the second is zero."""
        return self._extreme("defect", question, closure.left_over, seconds)

    def steepest(self, question: Question, seconds: float) -> Answer:
        """The supremum of the first number divided by the second."""
        return self._extreme("steepest", question, closure.steeper, seconds)

    def steepest_square(self, question: Question, seconds: float) -> Answer:
        """The supremum of the square of the first number divided by the question's square of a distance."""
        return cast(Answer, self.worker.ask("steepest_square", question, seconds=seconds))

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
        started = time.monotonic()
        task = "substantial_square" if question.squares else "substantial"
        found = cast(Answer, self.worker.ask(task, domain, question, copies, seconds=seconds))
        if not isinstance(found, Null):
            return found
        left = seconds - (time.monotonic() - started)
        held = self._proved(Holds(found.by, found.trusts), closure.off(question, found.flats), started, left)
        return replace(found, trusts=held.trusts, proof=held.proof)

    def local(self, bad: Question, own: Question, shared: tuple[int, ...], seconds: float) -> Answer:
        """An x with BAD and not OWN (Theorem 3)."""
        return cast(Answer, self.worker.ask("local", bad, own, shared, seconds=seconds))


def narrow(question: Question) -> bool:
    """So few inputs that boxes of them are a way."""
    return sum(v.low is None or v.low != v.high for v in question.variables) <= MOST_FREE
