"""Where a case search cuts a branch: at what the linear relaxation gets wrong, and loses most by."""

from __future__ import annotations

import time
from fractions import Fraction
from math import ceil, inf
from typing import TYPE_CHECKING

from verifier.engines.branch import Branch, Cut, Stats
from verifier.engines.plan import Plan
from verifier.engines.trial import TIGHT
from verifier.kernel.ranges import Ranges
from verifier.query.question import Question

SMALL = 1e-6
"""A cut loses no less: so that the other side counts, too."""
LOOKING = 2
"""After so many branches, a cut is tried before it is made."""
VAIN = 8
"""After so many relus whose cuts were no better, no more are tried."""

if TYPE_CHECKING:
    from verifier.engines.relaxation import Relaxation, Relaxed


class Cuts:
    """Those of one search, that is over at `end`."""

    def __init__(self, question: Question, plan: Plan, stats: Stats, end: float) -> None:
        self.question, self.plan, self.stats, self.end = question, plan, stats, end
        self.gains: dict[int, float] = {}  # test -> which share of the slack its cuts took, both sides multiplied

    def choose(self, branch: Branch, relaxation: Relaxation, relaxed: Relaxed) -> Cut | None:
        """The choice that the relaxation loses most by; None where it is right about all of them."""
        ranges, select = branch.ranges, relaxation.scaled.select
        if (corner := self.corner(branch, relaxation, relaxed)) is not None:
            return corner
        jumps = () if self.plan.twins.gaps else relaxation.ties.jumps  # of two points, where nothing else is wrong
        choices = ((n, select[n][0]) for n in (*relaxation.relus, *jumps))
        tests = {n: test for n, test in choices if ranges.outcome(test) is None}
        best, most = None, 0.0
        for n, worth in relaxation.worth(relaxed):
            if worth > 1e-9 and n in tests and (share := worth * self.plan.preference[tests[n]]) > most:
                best, most = tests[n], share
        values = relaxed.values
        wrong = wrongly_told(relaxation, relaxed, tests) if values.size else {}
        if best is None and values.size:
            solves = self.plan.landscape.of(self.plan.point(relaxation.column, values)) >= 0  # but for whole inputs
            if solves and (between := self.between(branch, relaxation, relaxed)) is not None:
                return between
            best = max(wrong, key=lambda test: wrong[test], default=None)
            if best is None and not solves and (jump := self.jump(branch, relaxation, relaxed)) is not None:
                return jump
        if best is not None:
            if values.size and self.stats.branches > LOOKING:
                best = self.ahead(branch, relaxation, relaxed, wrong) or best
            return Cut(best, above=bool(values.size) and values[relaxation.column[best]] >= 0)
        if not values.size:
            return next((Cut(test) for test in tests.values()), None)
        if (between := self.between(branch, relaxation, relaxed)) is not None:
            return between
        return next((Cut(t) for n in relaxation.jumps if ranges.outcome(t := select[n][0]) is None), None)

    def surest(self, relaxation: Relaxation, relaxed: Relaxed, tests: set[int]) -> Cut | None:
        """Of tests that the relaxation is right about, the one that is furthest from 0, by its range: most likely one
        side is closed."""
        best, most, (lows, highs) = None, -1.0, relaxation.base
        for test in tests & relaxation.column.keys() if relaxed.values.size else ():
            k = relaxation.column[test]
            value = float(relaxed.values[k])
            sure = abs(value) / max(float(highs[k] if value >= 0 else -lows[k]), SMALL)
            if sure > most:
                best, most = Cut(test, above=value >= 0), sure
        return best

    def corner(self, branch: Branch, relaxation: Relaxation, relaxed: Relaxed) -> Cut | None:
        """Of inputs of two values that are only weights, the one that the relaxation is least sure about."""
        ranges, found = branch.ranges, dict[Cut, float]()
        for n in self.plan.corners:
            if (cut := halved(ranges, relaxation.scaled.unit[n], n)) is not None:
                below = float(cut.value) - relaxed.values[relaxation.column[n]] if relaxed.values.size else 1.0
                found[cut] = abs(below - 0.5)
        return min(found, key=lambda cut: found[cut], default=None)

    def jump(self, branch: Branch, relaxation: Relaxation, relaxed: Relaxed) -> Cut | None:
        """The choice that is no relu whose value the relaxation gets wrong most."""
        select = relaxation.scaled.select
        open_ = [n for n in relaxation.jumps if branch.ranges.outcome(select[n][0]) is None]
        if not open_:
            return None
        point = self.plan.point(relaxation.column, relaxed.values)
        there = self.question.values(tuple(map(Fraction, point.tolist())))
        errors = {n: abs(relaxed.values[relaxation.column[n]] - float(there[n])) for n in open_}
        worst = max(errors, key=lambda n: errors[n])
        test = select[worst][0]
        return Cut(test, above=there[test] >= 0) if errors[worst] > SMALL else None

    def ahead(self, branch: Branch, relaxation: Relaxation, relaxed: Relaxed, wrong: dict[int, float]) -> int | None:
        """The test whose cut takes most slack from both branches, by the relaxation of each ("strong branching"). A cut
        that closes one of them is made at once; so those that did well so far are tried first. In deep networks, where
        ranges are new on every branch, no other is."""
        assert relaxed.slack is not None
        known = [self.gains[test] for test in wrong if test in self.gains]
        usual = sum(known) / max(len(known), 1)
        best, most, vain = None, 0.0, 0
        for test in sorted(wrong, key=lambda test: (self.gains.get(test, usual), wrong[test]), reverse=True):
            if time.monotonic() > self.end or vain == VAIN:
                break
            vain += 1
            here = bool(relaxed.values[relaxation.column[test]] >= 0)
            gain = 1.0
            for above in (not here, here):
                loss = self.loss(branch, relaxation, relaxed, test, above)
                if loss is None:
                    self.gains[test] = (self.gains.get(test, 0.0) + 1) / 2
                    return test
                gain *= loss / max(relaxed.slack, SMALL)
            self.gains[test] = (self.gains.get(test, gain) + gain) / 2
            if gain > most:
                best, most, vain = test, gain, 0
        return None if self.plan.deep else best

    def loss(self, branch: Branch, relaxation: Relaxation, relaxed: Relaxed, test: int, above: bool) -> float | None:
        """How much slack one side of a cut loses; None where the relaxation closes it."""
        assert relaxed.slack is not None
        self.stats.programs += 1
        slack = relaxation.ahead(test, above, self.end - time.monotonic(), branch.basis)
        if slack is None:
            return SMALL
        return None if slack < -TIGHT else max(relaxed.slack - slack, SMALL)

    def between(self, branch: Branch, relaxation: Relaxation, relaxed: Relaxed) -> Cut | None:
        """A cut between the whole numbers around an input that should be whole: one with the fewest values left, since
        of many most are as good as the next, and of those the one that is furthest from both."""
        found = dict[Cut, tuple[float, float]]()
        for i, n in self.plan.inputs.items():
            x = float(relaxed.values[relaxation.column[n]])
            if self.question.variables[i].integer and (off := abs(x - round(x))) > SMALL:
                low, high = branch.ranges.low[n], branch.ranges.high[n]
                found[Cut(n, Fraction(ceil(x)))] = inf if low is None or high is None else high - low, -off
        return min(found, key=lambda cut: found[cut], default=None)


def halved(ranges: Ranges, unit: int, node: int) -> Cut | None:
    """Between the two values that a whole input may have; None where it may have others."""
    low, high = ranges.low[node], ranges.high[node]
    return Cut(node, Fraction(high, unit)) if low is not None and high is not None and high - low == unit else None


def wrongly_told(relaxation: Relaxation, relaxed: Relaxed, tests: dict[int, int]) -> dict[int, float]:
    """By how much the relaxation is wrong about the choices of which test, where there is one."""
    wrong: dict[int, float] = {}
    for n, error in relaxation.errors(relaxed).items():
        if n in tests and error > 1e-9:
            wrong[tests[n]] = max(wrong.get(tests[n], 0.0), error)
    return wrong
