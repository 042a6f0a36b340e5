"""Questions about the same facts with other constants, one after the other: "is there a value above v?" is asked of
greater and greater v. What closes a branch closes it for greater ones, too, so what a search has proved guides the next
one; the kernel looks at each step again, and what it does not accept is searched anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from verifier.engines.branch import Branch, Cut, Slot
from verifier.engines.plan import Plan
from verifier.kernel.circuit import Affine, Node
from verifier.kernel.problem import Split
from verifier.kernel.ranges import Scaled
from verifier.query.question import Question

MOST = 16
"""Series that are kept: so many questions are asked in turn."""


class Series(Struct):
    """`scaled`, `question`, `tree`: of the last search. `took`: seconds of all so far, `guessed`: of their guesses; so
    many times points at random have been `drawn`."""

    scaled: Scaled
    question: Question
    tree: Slot | None = None
    took: float = 0.0
    guessed: float = 0.0
    drawn: int = 0

    def asked(self, tree: Slot, guessed: float, took: float) -> None:
        """Of another question, with what came of it."""
        self.tree, self.guessed, self.took = tree, self.guessed + guessed, self.took + took
        slots = [tree]
        for slot in slots:
            slots += slot.after
        for slot in reversed(slots):
            slot.open = slot.step is None or any(after.open for after in slot.after)

    def goes_on(self, scaled: Scaled, question: Question) -> bool:
        """The question is the last one but for constants."""
        last = self.question
        if (last.facts, last.variables, self.scaled.gaps) != (question.facts, question.variables, scaled.gaps):
            return False
        first, second = self.scaled.circuit, scaled.circuit
        return first is second or (len(first) == len(second) and all(map(same, first, second)))


class Lately:
    """The series of the last questions."""

    def __init__(self) -> None:
        self._kept: deque[Series] = deque(maxlen=MOST)

    def of(self, plan: Plan, question: Question) -> Series:
        """The series that the question is the next of."""
        for series in self._kept:
            if series.goes_on(plan.scaled, question):
                series.scaled, series.question = plan.scaled, question
                return series
        self._kept.append(Series(plan.scaled, question))
        return self._kept[-1]


def same(first: Node, second: Node) -> bool:
    """Nodes, but for a constant beside other terms."""
    if isinstance(first, Affine) and isinstance(second, Affine) and first.terms:
        return first.terms == second.terms
    return first == second


def graft(branches: Iterable[Branch]) -> None:
    """A tree that is left open on these branches has there what their guides have."""
    for branch in branches:
        slot, guide = branch.slot, branch.guide
        slot.crowd = branch.crowd
        if guide is not None:
            slot.step, slot.after, slot.slack = guide.step, guide.after, guide.slack
            slot.crowd = min(slot.crowd, guide.crowd)


def way(guide: Slot) -> Cut:
    """Where a guide cuts; what it has not closed is looked at first."""
    assert isinstance(guide.step, Split)
    below, above = guide.after
    return Cut(guide.step.node, guide.step.value, above.open or not below.open)
