"""What follows on a branch of a case search, each step accepted by the kernel before it is written: unit propagation on
decided formulas, bounds between the two copies of a network, backward bounds."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from verifier.engines.branch import Branch, Slot
from verifier.engines.plan import Plan
from verifier.engines.trial import TIGHT, WORTH, closes, crossed, keeps, rounded_up, truth_row
from verifier.kernel.problem import Bound, Farkas, Row, Split
from verifier.kernel.ranges import Scaled, cut, settle


class Propagation:
    """On the branches of one search."""

    def __init__(self, plan: Plan, scaled: Scaled) -> None:
        self.plan, self.scaled = plan, scaled

    def cut(self, branch: Branch, node: int, value: Fraction, above_first: bool) -> list[Branch]:
        """The two branches, the one to look at first at the end."""
        branches = []
        for above in (False, True):
            ranges = branch.ranges.copy()
            cut(self.scaled, ranges, node, value, above)
            decided = self.decided(branch, node, above, value)
            branches.append(
                Branch(
                    ranges,
                    decided,
                    Slot(),
                    branch.guide and branch.guide.after[above],
                    branch,
                    forms=branch.forms.copy(),
                    basis=branch.basis,
                    crowd=branch.crowd,
                    share=branch.share / 2,
                    pending=branch.pending,
                    slopes=branch.slopes,
                )
            )
        branch.slot.step, branch.slot.after = Split(node, value), (branches[0].slot, branches[1].slot)
        branch.slot.crowd, branch.slot.slack = branch.crowd, branch.slack
        return branches if above_first else branches[::-1]

    def follow(self, branch: Branch) -> bool:
        """The steps that the guide has for a branch, up to where it cuts, if it does; True when they close it."""
        guide = branch.guide
        while guide is not None and isinstance(guide.step, Bound):
            self.keep(branch, guide.step)
            (guide,) = guide.after
        if guide is None:
            return False
        branch.crowd, branch.slack = min(branch.crowd, guide.crowd), guide.slack
        branch.guide = guide if isinstance(guide.step, Split) else None
        return isinstance(guide.step, Farkas) and self.closes(branch, guide.step)

    def decided(self, branch: Branch, node: int, above: bool, value: Fraction) -> tuple[tuple[int, bool], ...]:
        if value or node in self.scaled.select or (node, above) in branch.decided:
            return branch.decided
        return (*branch.decided, (node, above))

    def imply(self, branch: Branch, node: int, above: bool, end: Farkas) -> bool:
        """`node` >= 0, or < 0, since `end` closes the other side; False where the kernel does not see it."""
        settle(self.scaled, branch.ranges, node + 1)
        if branch.ranges.outcome(node) is not None:
            return True  # by what was implied just before
        return self.keep(branch, Bound(node, Fraction(0), above, end))

    def keep(self, branch: Branch, step: Bound) -> bool:
        """Write a bound, if the kernel accepts it."""
        if not keeps(self.scaled, branch.ranges, step):
            return False
        branch.decided = self.decided(branch, step.node, step.above, step.value)
        follow = Slot()
        branch.slot.step, branch.slot.after = step, (follow,)
        branch.slot = follow
        return True

    def tighten(self, branch: Branch, worth: float) -> bool:
        """Better ranges for the tests that are open, layer by layer; True when the branch is closed by that."""
        for sweep, nodes in self.plan.sweeps:
            open_ = [n for n in nodes if branch.ranges.outcome(n) is None]
            for step in sweep.bounds(branch.ranges, open_, worth) if open_ else ():
                self.keep(branch, step)
            settle(self.scaled, branch.ranges)
        return self.crossed(branch)

    def propagate(self, branch: Branch) -> bool:
        """What the decided formulas imply about the undecided ones; True when the branch is closed by that."""
        ranges = branch.ranges
        again = True
        while again:
            settle(self.scaled, ranges)
            again = self.mirrored(branch) | self.mixed(branch)
            if self.crossed(branch):
                return True
            heard: list[tuple[int, bool]] = []
            for n in self.plan.logic:
                known = ranges.outcome(n)
                if known is None:
                    continue
                test, then, _, otherwise, _ = self.scaled.select[n]
                for side, value, other in ((True, then, otherwise), (False, otherwise, then)):
                    taken, there = ranges.outcome(test), ranges.outcome(value)
                    if taken is side and there is known and ranges.outcome(other) is (not known):  # the kernel saw it
                        heard += (test, side), (value, known)
                    if taken is (not side) or there is known or (taken is None and there is None):
                        continue
                    end = Farkas((truth_row(n, known), truth_row(value, not known)))
                    if there is None:
                        again |= self.imply(branch, value, known, end)
                    elif taken is None:
                        again |= self.imply(branch, test, not side, end)
                    elif self.closes(branch, end):
                        return True
            numbers = ((n, truth) for n, truth in heard if n not in self.scaled.select)
            branch.decided = tuple(dict.fromkeys((*branch.decided, *numbers)))
        return False

    def mirrored(self, branch: Branch) -> bool:
        """What is known of a test and of the run between the two copies bounds the test of the other copy."""
        ranges, unit, found = branch.ranges, self.scaled.unit, False
        if not self.plan.tests:
            return False
        for first, second, run in self.plan.tests:
            for known, other, sign in ((first, second, -1), (second, first, 1)):  # other = known + sign * run
                if ranges.outcome(other) is not None:
                    continue
                for above in (True, False):
                    side: Literal["low", "high"] = "low" if above else "high"
                    across: Literal["low", "high"] = "low" if above == (sign > 0) else "high"
                    a, b, old = getattr(ranges, side)[known], getattr(ranges, across)[run], getattr(ranges, side)[other]
                    if a is None or b is None:
                        continue
                    near = a / unit[known] + sign * (b / unit[run])
                    if old is not None:
                        low, high = ranges.low[other], ranges.high[other]
                        gain = (near - old / unit[other]) * (1 if above else -1)
                        if low is None or high is None or gain <= WORTH * ((high - low) / unit[other]):
                            continue
                    value = -rounded_up(-near) if above else rounded_up(near)
                    row = Row("high" if above else "low", other, 1)
                    end = Farkas((Row(side, known, 1), Row(across, run, 1), row))
                    before = ranges.at(other)
                    if self.keep(branch, Bound(other, value, above, end)) and ranges.at(other) != before:
                        settle(self.scaled, ranges)
                        found = True
        return found

    def mixed(self, branch: Branch) -> bool:
        """What is known of differences bounds a number that is made of them: from below, or its negative, since a bound
        from above is strict."""
        ranges, unit, found = branch.ranges, self.scaled.unit, False
        for positive, negative, same in self.plan.twins.mixed:
            least, most = ranges.low[same], ranges.high[same]
            sides: tuple[tuple[int, int | None, Literal["low", "high"]], ...]
            sides = (positive, least, "low"), (negative, None if most is None else -most, "high")
            for node, known, side in sides:
                if known is None:
                    continue
                value = known * unit[node] // unit[same]
                low, high = ranges.low[node], ranges.high[node]
                if low is not None and (high is None or value - low <= WORTH * (high - low)):
                    continue
                end = Farkas((Row(side, same, 1), Row("high", node, 1)))
                found |= self.keep(branch, Bound(node, Fraction(value, unit[node]), True, end))
        if found:
            settle(self.scaled, ranges)
        return found

    def crossed(self, branch: Branch) -> bool:
        """Close a branch on which some range is empty, or two outputs are further apart than they can be."""
        ranges = branch.ranges
        if end := crossed(ranges):
            branch.slot.step = end
            return True
        for first, second, difference in self.plan.twins.outputs:
            for top, bottom in ((first, second), (second, first)):  # top >= bottom + what their difference may be
                side: Literal["low", "high"] = "high" if top == first else "low"
                least, most, apart = ranges.low[top], ranges.high[bottom], getattr(ranges, side)[difference]
                if least is None or most is None or apart is None:
                    continue
                unit = self.scaled.unit
                greatest = (apart if side == "high" else -apart) / unit[difference]
                if least / unit[top] - most / unit[bottom] < greatest - TIGHT:
                    continue
                end = Farkas((Row("low", top, 1), Row("high", bottom, 1), Row(side, difference, 1)))
                if self.closes(branch, end):
                    return True
        return False

    def closes(self, branch: Branch, end: Farkas) -> bool:
        """Write the end of a branch, if the kernel accepts it."""
        if not closes(self.scaled, branch.ranges, end):
            return False
        branch.slot.step = end
        return True
