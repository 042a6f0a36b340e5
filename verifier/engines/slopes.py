"""One point and a direction instead of two points: where a sum of relus falls from one to the other, it falls no less
steeply at some point between them (theory, "Descents"). A search for that may be far shorter: each neuron is
there once, and the direction is a corner of a box.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from verifier.engines.branch import Branch
from verifier.engines.engine import Fails, Unknown
from verifier.kernel.circuit import Input
from verifier.kernel.descent import image, made_of, question, sums
from verifier.kernel.problem import Descent, Rejected
from verifier.kernel.ranges import Scaled
from verifier.language.build import Variable
from verifier.query.question import Question

if TYPE_CHECKING:
    from verifier.engines.case_search import CaseSearch
    from verifier.engines.crossing import Crossing
    from verifier.engines.falsify import Floats

PATIENCE = 500
"""Branches of two points before slopes are looked at."""
AHEAD, BEHIND = 8.0, 1.0
"""So many times as long as the search for pairs that for slopes may take, if more of its tree is closed, or less."""
LOOKS, BRIEF = 0.15, 0.05
"""Of the time, for pairs across steep places; and for how many seconds at least."""


def descents(scaled: Scaled, formulas: set[int], mirror: Sequence[int | None]) -> list[Descent]:
    """Formulas about relus at the first point, each with its opposite at the second, but for a constant."""
    pairs = tuple((first, index) for index, first in enumerate(mirror) if first is not None)
    if not pairs:
        return []
    found, relus, inputs = sums(scaled)
    moved = {inputs[i]: inputs[j] for i, j in pairs if i in inputs and j in inputs}
    there = {n: moved.get(n, n) for n in inputs.values() if n not in moved.values()}  # not of the second point
    for form, n in relus.items():
        if all(j in there for j, _ in form[0]) and (twin := relus.get(image(form, there))) is not None:
            there[n] = twin
    opposite = {tuple((j, -w) for j, w in found[n][0]): n for n in sorted(formulas)}
    steps = []
    for n in sorted(formulas):
        terms, _ = found[n]
        if any(j in scaled.relus for j, _ in terms) and all(j in there for j, _ in terms):
            second = opposite.get(image(found[n], there)[0])
            if second is not None:
                steps.append(Descent(n, second, pairs))
    return steps


class Slopes:
    """Of a branch and all that is part of it: what is steep there. A search for slopes takes turns with that for pairs,
    and so do looks for pairs across steep places. `begun`: at this branch, of so many."""

    def __init__(self, branch: Branch, step: Descent, branches: int) -> None:
        self.branch, self.step, self.first = branch, step, branches
        self.begun, self.took, self.looked, self.over = time.monotonic(), 0.0, 0.0, False
        self.question: Question | None = None
        self.search: CaseSearch | None = None
        self.crossing: Crossing | None = None
        self.places: list[int] = []  # of the inputs of its points

    def asked(self, scaled: Scaled) -> Question | None:
        """The question about one point and a direction; None where there is no margin, or no box."""
        if self.question is None and not self.over:
            try:
                asked = question(scaled, self.branch.ranges, self.step)
            except Rejected:
                self.over = True
                return None
            variables = tuple(Variable(f"slope {k}", s.low, s.high, s.integer) for k, s in enumerate(asked.box))
            self.question = Question(asked.circuit, variables, asked.facts)
        return self.question

    def left(self, branches: int, still: float) -> float:
        """Seconds that the search may take by now; `still` open is that part of the branch for pairs."""
        if self.over or branches - self.first < PATIENCE:
            return 0.0
        ahead = self.search is not None and self.search.still() < still
        return (AHEAD if ahead else BEHIND) * (time.monotonic() - self.begun - self.took) - self.took

    def go(self, scaled: Scaled, end: float) -> Fails | Unknown | None:
        """None when nothing is steep enough, and the branch is closed by that; or a steep point."""
        from verifier.engines.case_search import CaseSearch

        now = time.monotonic()
        if (asked := self.asked(scaled)) is None:
            return Unknown("nothing is known to fall")
        self.search = self.search or CaseSearch(asked, 0.0, shown=False)
        answer = self.search.resume(end)
        self.took += time.monotonic() - now
        self.over = not isinstance(answer, Unknown) or time.monotonic() < end
        if answer is None:
            self.branch.slot.step, self.branch.slot.after = self.step, (self.search.tree,)
        return answer

    def pairs(self, scaled: Scaled, end: float) -> Iterator[Floats]:
        """Two points across a steep place, again and again, for a share of the time."""
        import numpy as np

        from verifier.engines.crossing import Crossing

        now = time.monotonic()
        end = min(end, now + LOOKS * (now - self.begun) - self.looked)
        if end < now + BRIEF or (asked := self.asked(scaled)) is None:
            return
        there = dict(self.step.pairs)
        if self.crossing is None:
            found, _, _ = sums(scaled)
            nodes = (scaled.circuit[n] for n in made_of(scaled, found, self.step.first))
            self.places = [node.index for node in nodes if isinstance(node, Input)]
            self.crossing = Crossing(asked, [k for k, i in enumerate(self.places) if i in there])
        start = np.array([float(((side.low or 0) + (side.high or 0)) / 2) for side in scaled.box])
        while time.monotonic() < end:
            for first, second in self.crossing.next():
                start[self.places] = first
                start[[there.get(i, i) for i in self.places]] = second
                yield start.copy()
        self.looked += time.monotonic() - now
