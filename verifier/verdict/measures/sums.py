"""Distances that are the largest of a few sums, and so are their suprema: one question a sum, with fewer choices, and
of the sums that are not the largest it is only asked that they are no larger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.engine import Fails, Holds, Most, Vector, so_far
from verifier.engines.leap import Leap
from verifier.language.build import Form, Variable
from verifier.model.program import Classifier
from verifier.query import closure
from verifier.query.convex import largest
from verifier.query.piece import piece_of
from verifier.query.pose import Poser
from verifier.query.question import Question
from verifier.verdict.certify import ReplayFailed, backed
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

MOST = 64
"""More sums are not asked about one by one."""
LATE = 0.5
"""Seconds for a solution, after which more are looked for near it."""
Starts = Callable[[Question, tuple[Vector, ...]], tuple[Vector, ...]]
"""Points where the number of a question may be large, near others or anywhere."""
SOON = 0.1
"""Of the time, for what is found first."""


def sums(poser: Poser, classifier: Classifier, entries: Sequence[tuple[str, Form]]) -> list[Form] | None:
    """The sums of entries (of features, each with its name) whose absolute values the classifier's norm of them is the
    largest of; None where these are not few."""
    build, metric = poser.build, classifier.metric
    if metric is None or not metric.is_norm:
        return None
    free = [build.input(Variable(f"entry {k}", None, None)) for k in range(len(entries))]
    length = poser.symbolic.length(metric, [(name, form) for (name, _), form in zip(entries, free, strict=True)])
    circuit, (node,) = build.circuit([length], free)
    forms = largest(circuit, node, len(free))
    if forms is None or forms.tests or len(forms.rows) > 2 * MOST:
        return None
    kept = {row.weights for row in forms.rows if row.weights and row.weights[0][1] > 0}
    return [build.combine((w, entries[i][1]) for i, w in weights) for weights in sorted(kept)]


class Greatest(Struct, frozen=True):
    """The largest of the suprema of the numbers of some questions: of `question`, on the piece of its `solution`, at a
    `place` in the closure of that; and answers that no number is larger."""

    value: Fraction
    question: Question
    solution: Vector
    place: Vector
    held: tuple[tuple[Question, Most], ...] = ()
    open: int = 0
    """Of so many questions it is not known."""

    @property
    def least(self) -> Measurement:
        """What is known where some are open."""
        return Measurement(None, why=so_far("out of time", self.value, up=True))

    def backing(self, measurement: Measurement) -> Measurement:
        """The measurement, with what has to be trusted for it, or the certificates. Raises ReplayFailed."""
        for question, answer in self.held:
            if answer.value is None or answer.value > self.value:
                raise ReplayFailed("a larger number is only known not to be exceeded")
            measurement = backed(measurement, answer, question, closure.greater)
        return measurement


def greatest(
    decider: Decider, questions: Sequence[Question], seconds: float, starts: Starts | None = None
) -> Greatest | None:
    """The largest supremum that is found, above 0; None where nothing is. Of each question, first what is found soon:
    so little is proved of values that are not the largest. `starts`: where something near the largest is found."""
    end = time.monotonic() + seconds
    best: Greatest | None = None
    leap = Leap(up=True, doubling=starts is None and any(question.whole for question in questions))
    held: list[tuple[Question, Most]] = []
    open_ = list(questions)
    for patience in (SOON / max(1, len(questions)), 1.0):
        for question in open_.copy():
            given = () if starts is None else starts(question, ())
            while (left := end - time.monotonic()) > 0:
                value = Fraction(0) if best is None else leap.target
                near = given if best is None else (best.place, best.solution, *given)
                begun = time.monotonic()
                found = decider.portfolio.higher(question, value, near, patience * left)
                if isinstance(found, Fails):
                    solution, place = found.points
                    number = piece_of(question, solution).numbers[0].at(place)
                    if number <= value:
                        raise ReplayFailed("the number is no greater than it was")
                    best = Greatest(number, question, solution, place)
                    leap.reached(number)
                    if starts is not None and time.monotonic() - begun > LATE:
                        given = starts(question, (solution,))
                elif isinstance(found, Holds) and leap.length:
                    leap.failed()
                elif isinstance(found, Holds):
                    proofs = () if found.proof is None else (found.proof,)
                    held.append((question, Most(found.by, value, True, (), found.trusts, proofs)))
                    open_.remove(question)
                    break
                else:
                    break
    return None if best is None else replace(best, held=tuple(held), open=len(open_))
