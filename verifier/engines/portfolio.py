"""Which engine gets which question."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from fractions import Fraction
from math import inf
from typing import Any, cast

from msgspec.structs import replace

from verifier.engines.asked import CERTIFICATE, SECOND, Asked, second_opinions, turn
from verifier.engines.engine import (
    MOST_FREE,
    Answer,
    Claimed,
    EngineFailed,
    Fails,
    Grid,
    Holds,
    Least,
    Most,
    Null,
    Unknown,
    Vector,
    work_of,
)
from verifier.engines.worker import Worker
from verifier.kernel.circuit import Input
from verifier.query import closure
from verifier.query.closure import Beyond
from verifier.query.piece import choices
from verifier.query.question import Question

MANY_CHOICES = 12
"""From this many piecewise-linear choices on, the case search is asked before z3."""

SOME_CHOICES = 24
"""Up to so many choices of few inputs, z3 may try first whether it is easy."""

MODEST = 40
"""Up to so many choices, the case search is asked before the box search."""

EASY = 0.25
"""Seconds of that try."""

SOON = 0.5
"""Seconds in which the case search may find that two points are too near to each other."""

PATIENCE = 1.5
"""A proof of what z3 has refuted may take so many seconds more, or so many times as long as z3 took."""
GOING = 3
"""So many times as long, if less and less is left."""
LONG = 5
"""So many times the patience with proofs that are kept, and of extremes and limits where everything is to have a second
opinion."""

EXACT = 6
"""Up to so many choices, the case search is exact by itself."""

MOSTLY = 0.7
"""Of the time for a least value, what searches of cases have; the rest is z3's."""

BRIEFLY, SHORTER, LONGER = 256, 128, 1024
"""Branches of the exact search before z3 is loaded (as long as that takes), and when a certificate is wanted (some 300
ms): of a least distance fewer, as linear programs then have a slack to go by."""
QUICK = 1.0
"""Seconds of that look; where half of them do not suffice for so few branches, floats are faster."""

FEW = "few: a few cases, z3, cases"
SOME = "some, of few inputs: a few cases, z3, cases, boxes"
MANY = "many: cases, z3"
NARROW = "many, of few inputs: cases, boxes, z3"
VERY_MANY = "very many, of few inputs: bounds, boxes, cases, z3"
PAIRS = "very many, of two points of few inputs: cases, boxes, cases, z3"
PLANS = {
    FEW: (("find", 0.5, inf), ("case_search", 1.0, inf)),
    SOME: (("find", 1.0, EASY), ("case_search", 0.7, inf), ("box_search", 0.6, inf), ("find", 1.0, inf)),
    MANY: (("case_search", 0.9, inf), ("find", 1.0, inf)),
    NARROW: (("case_search", 0.7, inf), ("box_search", 0.6, inf), ("find", 1.0, inf)),
    VERY_MANY: (("glance", 1.0, inf), ("box_search", 0.6, inf), ("case_search", 0.7, inf), ("find", 1.0, inf)),
    PAIRS: (("case_search", 0.5, SOON), ("box_search", 0.6, inf), ("case_search", 0.7, inf), ("find", 1.0, inf)),
}
"""Why this order -> the engines, what each has of the time that is left, and at most. Cases have a certificate, where
boxes may be too many for one."""


class Portfolio:
    """Which engine is asked first; all in a process of their own. Not for two threads at once. `certifying`: what z3
    has refuted is proved once more, with a certificate. `doubting`: what only one engine has answered is asked again,
    when `confirm` is called. `recording`, or doubting: what is asked is kept in `asked`. `keeping`: certificates are
    kept, those of parts, too, and may take their time."""

    def __init__(
        self,
        worker: Worker,
        certifying: bool = True,
        doubting: bool = False,
        recording: bool = False,
        keeping: bool = False,
    ) -> None:
        self.worker, self.certifying, self.keeping = worker, certifying, keeping
        self.doubting, self.recording = doubting, recording
        self.asked: list[Asked] = []
        self._now: tuple[Question, Asked] | None = None
        self.nodes = 0
        """Branches and boxes that searches have looked at."""
        self._patience = LONG if doubting else 1

    def uncertified(self) -> Portfolio:
        """The same, with the same record, without certificates."""
        other = copy(self)
        other.certifying = False
        return other

    def find(self, question: Question, seconds: float, shown: bool = True) -> Answer:
        """A solution, or none: with a certificate, where the case search comes to an end in time. `shown`: somebody
        sees it; else any solution will do, and no certificate is looked for."""
        if question.squares:
            return self._ask("find_square", question, seconds=seconds)
        started = time.monotonic()

        def left() -> float:
            return seconds - (time.monotonic() - started)

        why, exact = order(question), LONGER
        if why in (FEW, SOME) and self.certifying and not self.doubting:  # who doubts asks two engines anyway
            first = self._ask("brief", question, BRIEFLY, shown, seconds=min(QUICK, left()), order=why)
            if not isinstance(first, Unknown):
                return first
            exact = LONGER if dict(first.work).get("branches", 0) >= BRIEFLY else 0
        for task, share, most in PLANS[why]:
            asked = "box_proof" if task == "box_search" and self.keeping else task
            found = self._ask(asked, question, seconds=min(most, left() * share), order=why)
            if not isinstance(found, Unknown):
                break
        if isinstance(found, Holds) and shown and why in (FEW, SOME) and task == "find":
            return self._proved(found, question, started, left(), exact=exact)
        return found

    def higher(self, question: Question, value: Fraction, starts: Sequence[Vector], seconds: float) -> Answer:
        """A solution where the question's first number is greater than the value, looked for near `starts` first, and a
        point of the closure of its piece where the number is greatest; or that there is none."""
        (further,) = closure.greater(question, value, attained=True)
        return self._ask("higher", question, value, starts, seconds=seconds, about=further)

    def steep(self, question: Question, near: Sequence[Vector], seconds: float) -> tuple[Vector, ...]:
        """Points, each with a direction, where the question's number is large, the largest first; also near those."""
        found: object = self.worker.ask("steep", question, near, seconds=seconds)
        return found if isinstance(found, tuple) else ()

    def middle(
        self, question: Question, solution: Vector, way: Vector, length: Fraction, seconds: float
    ) -> Vector | None:
        """A point from which one can go so far in the direction `way`, which the last inputs are, in the piece of the
        solution, as far within as may be; None where there is none."""
        found: object = self.worker.ask("middle", question, solution, way, length, seconds=seconds)
        return found if isinstance(found, tuple) else None

    def find_root(self, question: Question, seconds: float) -> Answer:
        """A solution with the question's roots as they are."""
        return self._ask("find_root", question, seconds=seconds)

    def glance(self, question: Question, seconds: float) -> Answer:
        """The same, if the first bounds show it."""
        return self._ask("glance", question, seconds=seconds)

    def strike(self, question: Question, grid: Grid, seconds: float) -> dict[int, Vector]:
        """Solutions in boxes of a grid (`falsify.strike`): what a look at all of them finds."""
        found: object = self._ask("strike", question, grid, seconds=seconds)
        return found if isinstance(found, dict) else {}

    def _ask(
        self,
        task: str,
        *arguments: Any,
        seconds: float,
        about: Question | None = None,
        wanted: str = "",
        order: str = "",
    ) -> Answer:
        """The worker's answer, on the record: as one to the question `about`, or the first argument."""
        begun = time.monotonic()
        answer = self.worker.ask(task, *arguments, seconds=seconds)
        took = time.monotonic() - begun
        self.nodes += sum(n for what, n in work_of(answer) if what in ("branches", "boxes"))
        if self.recording or self.doubting:
            question = about or arguments[0]
            if self._now is None or self._now[0] is not question:
                kept = question if self.doubting else None
                self._now = question, Asked(free(question), choices(question), order, question=kept)
                self.asked.append(self._now[1])
            self._now[1].turns.append(turn(task, answer, took, wanted))
        return cast(Answer, answer)

    def confirm(self, seconds: float) -> str:
        """Ask again what only one engine has settled, and say who agrees; nothing without `doubting`. Raises
        EngineFailed where two disagree."""
        if not self.doubting:
            return ""
        end = time.monotonic() + seconds
        doubtful = [a for a in self.asked if a.doubtful is not None and a.question is not None]
        for i, a in enumerate(doubtful):
            first, question = a.doubtful, a.question
            assert first is not None and question is not None
            task = "case_search" if first.engine == "z3" else "find"
            begun = time.monotonic()
            second = self.worker.ask(task, question, seconds=(end - begun) / (len(doubtful) - i))
            a.turns.append(turn(task, second, time.monotonic() - begun, SECOND))
            if isinstance(second, Fails) and not question.solved_by(second.points[0]):
                raise EngineFailed(f"{second.by} gives a point that is no solution")
            agree(first.by, first.outcome, second)
        return second_opinions(self.asked)

    def taken(self) -> tuple[Asked, ...]:
        """The record, which begins anew."""
        taken, self.asked, self._now = tuple(replace(a, question=None) for a in self.asked), [], None
        return taken

    def certificate(self, question: Question, seconds: float) -> Answer:
        """A certificate that there is no solution, or a solution, if one of them is found soon."""
        if not self.certifying:
            return Unknown("no certificate is asked for")
        return self._searched(question, PATIENCE * (LONG if self.keeping else 1), seconds)

    def _searched(self, question: Question, patience: float, left: float, exact: int = LONGER) -> Answer:
        """A certificate that there is no solution, or a solution; first on so many branches in exact arithmetic."""
        begun = time.monotonic()
        if exact and EXACT < choices(question) < MODEST:
            found = self._ask("brief", question, exact, False, seconds=min(left, patience), wanted=CERTIFICATE)
            if not isinstance(found, Unknown):
                return found
        took = time.monotonic() - begun
        patience = max(patience - took, patience / 2)
        seconds = min(left - took, GOING * patience)
        return self._ask("case_proof", question, patience, seconds=seconds, wanted=CERTIFICATE)

    def _proved(
        self, first: Holds, question: Question, started: float, left: float, times: int = 1, exact: int = LONGER
    ) -> Holds:
        """What z3 says since `started`; with a certificate that `question` has no solution, where one is found by so
        many `times` the patience."""
        if not first.trusts or not self.certifying:
            return first
        patience = max(times, LONG if self.keeping else 1) * PATIENCE * max(1.0, time.monotonic() - started)
        second = self._searched(question, patience, left, exact)
        agree(first.by, "no solution", second)
        return second if isinstance(second, Holds) else first

    def _cased(self, task: str, question: Question, beyond: Beyond, seconds: float, exact: int = LONGER) -> Answer:
        """What a search of cases finds, with its certificates; or else z3. Who doubts asks z3 first."""
        begun = time.monotonic()
        first: Answer | None = None
        if self.certifying and self.doubting:
            found = self._extreme(task, question, beyond, MOSTLY * seconds, exact)
            left = seconds - (time.monotonic() - begun)
            return self._ask(f"{task}_cases", question, BRIEFLY, seconds=left) if isinstance(found, Unknown) else found
        if self.certifying:
            first = self._ask(f"{task}_cases", question, BRIEFLY, seconds=MOSTLY * seconds)
            if not isinstance(first, Unknown):
                return first
        found = self._extreme(task, question, beyond, seconds - (time.monotonic() - begun), exact)
        match first, found:
            case Unknown(most=bound), Unknown(most=known) if bound is not None and (known is None or bound < known):
                return first
        return found

    def _extreme(self, task: str, question: Question, beyond: Beyond, seconds: float, exact: int = LONGER) -> Answer:
        """What z3 finds; with certificates, where all are found, that nothing lies `beyond` it."""
        started = time.monotonic()
        found = self._ask(task, question, seconds=seconds)
        if not isinstance(found, Least | Most) or (isinstance(found, Most) and found.value is None):
            return found
        if not self.certifying:
            return found
        proofs: list[Claimed] = []
        for further in beyond(question, found.value, found.attained):
            left = seconds - (time.monotonic() - started)
            held = self._proved(Holds(found.by, found.trusts), further, started, left, self._patience, exact)
            if held.proof is None:
                return found
            proofs.append(held.proof)
        return replace(found, proofs=tuple(proofs))

    def approach(self, question: Question, shared: tuple[int, ...], seconds: float) -> Answer:
        """A limit witness (Theorem 1*: `shared` are the inputs of x; 1U: nothing is shared)."""
        started = time.monotonic()
        first = self._ask("approach", question, shared, seconds=seconds / 2)
        if isinstance(first, Fails):
            return first
        both, left = closure.torn(question, shared), seconds - (time.monotonic() - started)
        if isinstance(first, Holds):
            return self._proved(first, both, started, left, self._patience)
        second = self._ask("case_search", both, seconds=left)
        if isinstance(second, Fails):
            return replace(second, points=closure.apart(question, shared, second.points[0]))
        return second

    def least(self, question: Question, seconds: float) -> Answer:
        """The infimum of the question's first number."""
        if question.squares:
            return self._ask("least_square", question, seconds=seconds)
        return self._cased("least", question, closure.smaller, seconds, SHORTER)

    def greatest(self, question: Question, seconds: float) -> Answer:
        """The supremum of the question's first number."""
        return self._cased("greatest", question, closure.greater, seconds)

    def defect(self, question: Question, seconds: float) -> Answer:
        """The supremum of the first number over the closures of the pieces where the second is zero."""
        return self._extreme("defect", question, closure.left_over, seconds)

    def steepest(self, question: Question, seconds: float) -> Answer:
        """The supremum of the first number divided by the second."""
        return self._cased("steepest", question, closure.steeper, seconds)

    def steepest_square(self, question: Question, seconds: float) -> Answer:
        """The supremum of the square of the first number divided by the question's square of a distance."""
        return self._ask("steepest_square", question, seconds=seconds)

    def curve(self, question: Question, seconds: float) -> Answer:
        """The supremum of the first number where the second is at most delta, for every delta. One of them may be the
        square of an l2 distance: the root of the supremum of the first, or the second is at most delta^2."""
        above = question.circuit[question.numbers[0]] in [Input(s.variable) for s in question.squares]
        task = "curve_corners" if above else "curve_square" if question.squares else "curve"
        return self._ask(task, question, seconds=seconds)

    def torn(self, question: Question, domain: Question, seconds: float) -> Answer:
        """All x for which the piece of some solution has a closure point with first number 0 < second number."""
        return self._ask("torn", question, domain, seconds=seconds)

    def play(self, question: Question, widths: tuple[int, ...], width: int, seconds: float) -> Answer:
        """A strategy for the second block of points, or a first block to which there is no answer."""
        return self._ask("play", question, widths, width, seconds=seconds)

    def breadth(self, question: Question, seconds: float) -> int | None:
        """The largest dimension of a piece of the solutions; None when it stayed open."""
        found = cast(object, self._ask("breadth", question, seconds=seconds))
        return found if isinstance(found, int) else None

    def substantial(self, domain: Question, question: Question, copies: int, seconds: float) -> Answer:
        """A solution in a piece of positive measure."""
        started = time.monotonic()
        task = "substantial_square" if question.squares else "substantial"
        found = self._ask(task, domain, question, copies, seconds=seconds, about=question)
        if not isinstance(found, Null):
            return found
        left = seconds - (time.monotonic() - started)
        off = closure.off(question, found.flats)
        held = self._proved(Holds(found.by, found.trusts), off, started, left, self._patience)
        return replace(found, trusts=held.trusts, proof=held.proof)

    def local(self, bad: Question, own: Question, shared: tuple[int, ...], seconds: float) -> Answer:
        """An x with BAD and not OWN (Theorem 3)."""
        return self._ask("local", bad, own, shared, seconds=seconds)


def agree(by: str, outcome: str, second: Answer) -> None:
    """Raises EngineFailed where `by` came to another outcome than a second engine."""
    match second:
        case Fails(other) if outcome == "no solution":
            raise EngineFailed(f"{other} finds a solution where {by} says that there is none")
        case Holds(other) if outcome == "solution":
            raise EngineFailed(f"{other} says that there is no solution where {by} finds one")
        case _:
            pass


def narrow(question: Question) -> bool:
    """So few inputs that boxes of them are a way."""
    return free(question) <= MOST_FREE


def free(question: Question) -> int:
    """How many inputs are not fixed."""
    return sum(v.low is None or v.low != v.high for v in question.variables)


def order(question: Question) -> str:
    """Which of the PLANS is for this question."""
    many = choices(question)
    if many < MANY_CHOICES:
        return FEW
    if not narrow(question):
        return MANY
    if many <= MODEST:
        return SOME if many <= SOME_CHOICES else NARROW
    return PAIRS if any(twin is not None for twin in question.mirror) else VERY_MANY
