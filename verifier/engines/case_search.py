"""Branch and bound on the choices of a circuit; every branch that is closed is closed by rows that the kernel accepts.

A branch is the kernel's own view of it (`Ranges`). On each: what the decided formulas imply (unit propagation), then
the linear relaxation; where it does not settle the branch, a cut. Where every choice that matters is decided, exact
linear arithmetic has the last word, so the search ends.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from copy import copy
from fractions import Fraction
from functools import cached_property
from math import ceil, inf, lcm
from typing import TYPE_CHECKING, Any, Literal, cast

from msgspec import Struct

from verifier.canonical.simplex import PIVOTS, Conflict, Inequality, Solution, Stopped
from verifier.engines.engine import Answer, Fails, Grid, Holds, Unknown, Vector, worked
from verifier.engines.evaluate import pleasant, tester
from verifier.engines.forms import Forms, expand
from verifier.engines.linear_program import settled, solve
from verifier.engines.polish import Neighbours, polish
from verifier.engines.trial import WORTH, closes, crossed, keeps, rounded_up, short
from verifier.engines.twins import twins
from verifier.kernel.circuit import Affine, Input, Select, evaluate
from verifier.kernel.problem import Bound, Farkas, Row, Split, Step, Tree
from verifier.kernel.ranges import Ranges, Scaled, cut, grain, root, settle
from verifier.query.piece import senses
from verifier.query.question import Question

NAME = "case search"
GLANCE = 3
"""The branch at which random points are tried again, and then whenever the work has doubled."""
BRIEF = 0.05
"""Seconds that they have at least."""
STARTS = 64
"""The last points of relaxations, from which a search at random begins."""
TIGHT = 1e-7
"""A relaxation whose slack is smaller than this decides nothing in floats."""
SMALL = 1e-6
"""A cut loses no less: so that the other side counts, too."""
LOOKING = 2
"""After so many branches, a cut is tried before it is made."""
DEEP = 4
"""Of so many layers, a network has new bounds on every branch: what intervals lose grows from layer to layer. A trial
of a cut tells there only whether it closes a side."""
LATER = 0.25
"""There a cut counts so much less from layer to layer: after one of the first layers, all others have new ranges."""
SEVERAL = 2
"""So many layers of jumps are several."""
COARSE = 0.3
"""What a bound has to take off to be worth it (`trial.WORTH`) on other branches than the first."""
VAIN = 8
"""After so many relus whose cuts were no better, no more are tried."""
RATE = 0.05
"""Bounds by linear programs are worth it where so many relus are decided a program."""
FEWER = 0.97
"""Where they were not, they are tried again when this share of the relus is still open."""
SHARE = 0.2
"""Of the time left for the bounds of a branch."""
MANIFOLD = 2
"""More formulas a relu are many."""
FEW = 6
"""Up to so many open choices of numbers, and so many whole inputs, exact arithmetic settles a question before numpy and
HiGHS are loaded."""
FIRST, PATIENCE = 32, 300
"""Branches of a first look, and pivots on each."""

if TYPE_CHECKING:
    from verifier.engines.falsify import Landscape
    from verifier.engines.relaxation import Floats, Relaxation, Relaxed
    from verifier.engines.sweep import Sweep


class Slot(Struct):
    """A place in the proof: no step yet, or a step and the places after it."""

    step: Step | None = None
    after: tuple[Slot, ...] = ()

    def steps(self) -> Iterator[Step]:
        todo = [self]
        while todo:
            slot = todo.pop()
            assert slot.step is not None
            yield slot.step
            todo += reversed(slot.after)


class Branch(Struct):
    """`decided`: (node, node >= 0) for inputs and affine nodes: facts, and what was cut at 0 or implied."""

    ranges: Ranges
    decided: tuple[tuple[int, bool], ...]
    slot: Slot
    parent: Branch | None = None
    waiting: int = 0
    """How many branches wait that are no part of this one."""
    forms: Forms = {}
    """Nodes that are affine on it, and so on all of its parts."""
    crowd: int = 1 << 62
    """Its ranges are made better by linear programs when no more relus than these are open."""
    basis: Any = None
    """Where its linear program, or that of the branch around it, came to an end."""


class Cut(Struct, frozen=True):
    """Where to cut a branch, and which side to look at first."""

    node: int
    value: Fraction = Fraction(0)
    above: bool = True


class Stats(Struct):
    branches: int = 0
    programs: int = 0
    exact: int = 0


class Plan:
    """What the search makes of a circuit and its facts, whatever the box: kept from one question to the next."""

    def __init__(self, question: Question) -> None:
        self.question = question
        true, self.real = senses(question.circuit, question.facts, ())
        self.formulas = {n for n in true if isinstance(question.circuit[n], Affine)}
        self.twins = twins(question, self.real, self.formulas)
        self.scaled = Scaled((*question.circuit, *self.twins.definitions), question.empty.box, self.twins.gaps)
        self.logic = sorted((n for n in true if n in self.scaled.select), reverse=True)
        self.inputs = {
            node.index: n for n, node in reversed(list(enumerate(question.circuit))) if isinstance(node, Input)
        }

    @cached_property
    def tests(self) -> list[tuple[int, int, int]]:
        """For every gap what its two relus are the relus of, and their difference."""
        ends = [(self.scaled.circuit[rise], run) for rise, run in self.twins.gaps]
        select = self.scaled.select
        return [
            (select[rise.terms[0][0]][0], select[rise.terms[1][0]][0], run)
            for rise, run in ends
            if isinstance(rise, Affine)
        ]

    @cached_property
    def layers(self) -> list[list[int]]:
        """Inputs, and the tests of relus layer by layer."""
        scaled = self.scaled
        tests = {scaled.select[n][0] for n in scaled.relus & self.real}
        inputs = set(self.inputs.values())
        levels = sorted({scaled.level[n] for n in tests})
        return [sorted(inputs), *([n for n in sorted(tests - inputs) if scaled.level[n] == level] for level in levels)]

    @cached_property
    def bounded(self) -> list[list[int]]:
        """What linear programs find ranges for: inputs, and the tests of relus layer by layer. Where jumps make up
        several layers, their tests and sides as well."""
        scaled, depth, ends = self.scaled, list[int](), set[int]()
        for n, node in enumerate(scaled.circuit):
            if isinstance(node, Affine):
                depth.append(max((depth[j] for j, _ in node.terms), default=0))
            elif isinstance(node, Select):
                below = (node.test, node.then, node.otherwise)
                depth.append(max(depth[j] for j in below) + (n in self.real))
                if n in self.real - scaled.relus and node.test not in scaled.select:
                    ends |= {j for j in below if depth[j] and j in scaled.affine}
            else:
                depth.append(0)
        inputs, *layers = self.layers
        if max((depth[n] for n in ends), default=0) < SEVERAL:
            return [inputs, *layers]
        wanted = {n for layer in layers for n in layer} | ends
        return [inputs, *(sorted(n for n in wanted if depth[n] == k) for k in sorted({depth[n] for n in wanted}))]

    @cached_property
    def hubs(self) -> list[int]:
        """The tests of relus, the most frequent first, where formulas mention them time and again: to know them tells
        most about the formulas. (Of a point that lies in none of many cells, say.)"""
        select, circuit = self.scaled.select, self.scaled.circuit
        times = {select[n][0]: 0 for n in self.scaled.relus & self.real}
        for part in (p for n in self.logic for p in {*select[n][:2], select[n][3]} & self.formulas):
            node = circuit[part]
            assert isinstance(node, Affine)
            test = node.terms[0][0] if len(node.terms) == 1 and not node.constant else part  # or of the other sign
            if test in times:
                times[test] += 1
        often = sum(times.values()) > MANIFOLD * len(times)
        return sorted(times, key=lambda test: -times[test]) if often else []

    @cached_property
    def deep(self) -> bool:
        """The relus lie in so many layers."""
        _, *layers = self.layers
        return len(layers) >= DEEP

    @cached_property
    def shares(self) -> dict[int, float]:
        """What a cut of the test of a relu counts."""
        later = LATER if self.deep else 1.0
        return {test: later**k for k, layer in enumerate(self.layers) for test in layer}

    @cached_property
    def sweeps(self) -> list[tuple[Sweep, list[int]]]:
        """The tests, and the runs of gaps, layer by layer from the second: in the first, intervals are exact."""
        from verifier.engines.sweep import Sweep

        scaled, apart = self.scaled, [node for _, _, node in self.twins.inputs]
        tests = {n for layer in self.layers[1:] for n in layer} & scaled.affine.keys()
        layers = []
        for nodes, differences in ((tests, False), ({*scaled.spans.values()}, True)):
            sweep = Sweep(scaled, nodes, differences, apart)
            for level in {scaled.level[n] for n in nodes} - {0}:
                layers.append((level, differences, sweep, sorted(n for n in nodes if scaled.level[n] == level)))
        return [(sweep, nodes) for _, _, sweep, nodes in sorted(layers, key=lambda layer: layer[:2])]

    @cached_property
    def landscape(self) -> Landscape:
        from verifier.engines.falsify import Landscape

        return Landscape(self.question)

    def fits(self, question: Question) -> bool:
        """It is a plan for this question, but for the box; and that has sides of the same grain."""
        if question.circuit is not self.question.circuit or question.facts != self.question.facts:
            return False
        sides = question.empty.box
        return all(grain(sides[i]) == self.scaled.unit[n] for i, n in self.inputs.items())

    def within(self, question: Question) -> Scaled:
        """The circuit over the box of the question."""
        scaled = copy(self.scaled)
        scaled.box = question.empty.box
        return scaled


class CaseSearch:
    """One question. `most`: give up after so many branches. `exact`: with exact arithmetic alone, however many the
    choices. `shown`: somebody sees the solution. `starts`: where to look for one first. `patience`: pivots of exact
    arithmetic on a branch."""

    def __init__(
        self,
        question: Question,
        seconds: float,
        plan: Plan | None = None,
        most: int | None = None,
        exact: bool = False,
        shown: bool = True,
        starts: Sequence[Vector] = (),
        patience: int = PIVOTS,
    ) -> None:
        self.begun, self.most, self.plain, self.shown = time.monotonic(), most, exact, shown
        self.end, self.patience = self.begun + seconds, patience
        self.question, self.problem = question, question.empty
        self.plan = plan or Plan(question)
        self.scaled = self.plan.within(question)
        self.solved_by = tester(question, self.scaled)
        self.stats = Stats()
        self.many = False
        self.next = 0  # how much work is done when points are tried at random again
        self.guessed = 0.0  # seconds
        self.points: deque[Vector | Floats] = deque(starts, maxlen=STARTS)
        self.gains: dict[int, float] = {}  # test -> which share of the slack its cuts took, both sides multiplied

    def run(self) -> Answer:
        """Holds with a certificate, Fails with a solution, or Unknown when the time is over."""
        start = Slot()
        crowd = -1 if self.most else 1 << 62
        plain = (f for f in self.question.facts if f not in self.scaled.select)
        todo = [Branch(root(self.scaled, self.question.facts), tuple((f, True) for f in plain), start, crowd=crowd)]
        while todo:
            if time.monotonic() > self.end or self.stats.branches == self.most:
                return Unknown("out of time")
            branch = todo.pop()
            self.stats.branches += 1
            if self.propagate(branch):
                self.lift(branch, todo)
                continue
            if self.stats.branches == 1:
                wide = max(self.open_choices(branch), sum(v.integer for v in self.question.variables)) > FEW
                self.many = wide and not self.plain
                if self.many and self.most is None and (guess := self.guess()) is not None:
                    return guess
                if self.many:
                    if self.tighten(branch, WORTH):
                        continue
                    self.outset = branch.ranges.copy()
            elif self.many and self.plan.deep and self.tighten(branch, COARSE):
                continue
            if self.many and self.due() and (guess := self.guess()) is not None:
                return guess
            match self.decide(branch):
                case Cut(node, value, above):
                    branch.waiting = len(todo)
                    todo += self.cut(branch, node, value, above)
                case None:
                    self.lift(branch, todo)
                case Fails() | Unknown() as answer:
                    return answer
        proof = Tree(tuple(start.steps()), self.plan.twins.definitions, self.plan.twins.gaps)
        return Holds(NAME, (), (self.problem, proof))

    @cached_property
    def relaxation(self) -> Relaxation:
        from verifier.engines.relaxation import Relaxation

        return Relaxation(self.scaled, self.plan.real, self.outset)

    def lift(self, branch: Branch, todo: list[Branch]) -> None:
        """What closes a branch may close a larger one: then its other parts need not be looked at."""
        end = branch.slot.step
        assert isinstance(end, Farkas)
        above = branch.parent
        while above is not None and closes(self.scaled, above.ranges, end):
            above.slot.step, above.slot.after = end, ()
            del todo[above.waiting :]
            above = above.parent

    def opens(self, branch: Branch) -> int:
        """How many tests of relus are not decided."""
        return sum(branch.ranges.outcome(test) is None for layer in self.plan.layers[1:] for test in layer)

    def open_choices(self, branch: Branch) -> int:
        """How many choices of numbers are not decided."""
        tests = {self.scaled.select[n][0] for n in self.plan.real if n in self.scaled.select}
        return sum(branch.ranges.outcome(test) is None for test in tests)

    def due(self) -> bool:
        """It is time for points at random."""
        work = self.stats.branches + self.stats.programs
        if self.stats.branches < GLANCE or work < self.next:
            return False
        self.next = max(16, 2 * work)
        return True

    def guess(self) -> Fails | None:
        """A point at random, looked for for a tenth of the time."""
        from verifier.engines.falsify import falsify

        now = time.monotonic()
        seconds = min(BRIEF + 0.1 * (now - self.begun) - self.guessed, self.end - now)
        found = falsify(self.question, seconds, self.plan.landscape, self.solved_by, self.points)
        guess = found if isinstance(found, Fails) else None
        if guess is None and self.stats.programs:
            guess = self.climbed(time.monotonic() + seconds)
        self.guessed += time.monotonic() - now
        return guess

    def climbed(self, end: float) -> Fails | None:
        """A solution uphill from the points of the last relaxations."""
        import numpy as np

        from verifier.engines.climb import Climb
        from verifier.engines.falsify import exact

        climb = Climb(self.question, self.plan.landscape)
        for start in reversed(self.points):
            for point in climb.from_point(np.array(start, dtype=float), end):
                vector = exact(self.question, point)
                if self.solved_by(vector):
                    return self.fails(vector)
            if time.monotonic() > end:
                break
        return None

    # cuts

    def cut(self, branch: Branch, node: int, value: Fraction, above_first: bool) -> list[Branch]:
        """The two branches, the one to look at first at the end."""
        branches = []
        for above in (False, True):
            ranges = branch.ranges.copy()
            cut(self.scaled, ranges, node, value, above)
            decided = self.decided(branch, node, above, value)
            branches.append(
                Branch(
                    ranges, decided, Slot(), branch, forms=branch.forms.copy(), basis=branch.basis, crowd=branch.crowd
                )
            )
        branch.slot.step, branch.slot.after = Split(node, value), (branches[0].slot, branches[1].slot)
        return branches if above_first else branches[::-1]

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

    def squeeze(self, branch: Branch, settled: bool) -> bool:
        """Better ranges for inputs and for the tests that are open, by linear programs, layer by layer; True when the
        branch is closed by that. (Bound tightening: Tjeng, Xiao, Tedrake, ICLR 2019.) Where formulas are not `settled`,
        which may do as well, for no longer than the search has taken so far."""
        relaxation, ranges = self.relaxation, branch.ranges
        before, programs = self.opens(branch), relaxation.programs
        now = time.monotonic()
        end = now + min(SHARE * (self.end - now), inf if settled else now - self.begun)
        inputs, *layers = self.plan.bounded
        for layer in (inputs, *layers):
            open_ = [n for n in layer if ranges.outcome(n) is None and n in relaxation.column]
            nodes = layer if layer is inputs else open_
            close = True
            while nodes:
                relaxation.move(ranges, self.truths(branch))
                steps = relaxation.bounds(nodes, WORTH, end - time.monotonic(), close)
                kept = [(step.node, self.keep(branch, step)) for step in steps]
                settle(self.scaled, ranges)
                some = any(accepted for _, accepted in kept)
                # refused: the kernel has heard of others since, or rounds more
                nodes = [*dict.fromkeys(n for n, accepted in kept if not accepted)] if close or some else []
                close = some
            if closed := self.crossed(branch):
                break
        after, programs = self.opens(branch), relaxation.programs - programs
        self.stats.programs += programs
        if closed:
            return True
        if self.stats.branches == 1:
            self.outset, branch.basis = ranges.copy(), None
            del self.relaxation
        if before - after > RATE * programs:
            branch.crowd = after
        else:
            branch.crowd = min(int(FEWER * after), after - 1) if self.plan.deep else -1
        return self.propagate(branch)

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
                    end = Farkas((self.truth_row(n, known), self.truth_row(value, not known)))
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

    @staticmethod
    def truth_row(n: int, known: bool, times: int = 1) -> Row:
        return Row("low" if known else "high", n, times)

    # one branch

    def decide(self, branch: Branch) -> Cut | Fails | Unknown | None:
        """Where to cut a branch, or the answer; None when it is closed."""
        formula = self.open_formula(branch)
        if not self.many:
            return self.exact(branch, formula)
        while True:
            self.relaxation.move(branch.ranges, self.truths(branch))
            relaxed = self.relaxation.solve(self.end - time.monotonic(), branch.basis)
            self.stats.programs += 1
            if relaxed is None:
                break
            branch.basis = self.relaxation.basis()
            slack = -inf if relaxed.slack is None else relaxed.slack
            if slack < TIGHT and any(self.closes(branch, end) for end in self.ends(relaxed)):
                return None
            if slack < -TIGHT and self.exact(branch, formula) is None:
                return None  # where no rounding of the dual values would do
            if slack > -TIGHT and (found := self.candidate(relaxed)) is not None:
                return found
            if not relaxed.values.size or self.opens(branch) > branch.crowd:
                break
            first = self.stats.programs == 1 and self.most is None
            if first and (found := self.climbed(time.monotonic() + BRIEF)) is not None:
                return found
            if self.squeeze(branch, formula is None):
                return None
        if self.plan.deep and (cut := self.told_apart(branch)) is not None:
            return cut
        if formula is not None:
            return Cut(formula)
        cut = None if relaxed is None else self.choose(branch, relaxed)
        return cut or self.exact(branch, None)

    def ends(self, relaxed: Relaxed) -> Iterator[Farkas]:
        """The dual values in short numbers, in small ratios, and in long numbers."""
        if (end := self.relaxation.end(relaxed)) is not None:
            yield end
            yield short(end)
        if (end := self.relaxation.end(relaxed, fine=True)) is not None:
            yield end

    def told_apart(self, branch: Branch) -> Cut | None:
        """A whole input of two values in which the points may differ: what follows from it is then known, too."""
        for n in (n for first, second, _ in self.plan.twins.inputs for n in (first, second)):
            low, high, unit = branch.ranges.low[n], branch.ranges.high[n], self.scaled.unit[n]
            whole = self.question.variables[cast(Input, self.scaled.circuit[n]).index].integer
            if whole and low is not None and high is not None and high - low == unit:
                return Cut(n, Fraction(high, unit))
        return None

    def open_formula(self, branch: Branch) -> int | None:
        """The test of a decided formula that is itself not decided; or a hub before it."""
        outcome = branch.ranges.outcome
        for n in self.plan.logic:
            test, then, _, otherwise, _ = self.scaled.select[n]
            known = outcome(n)
            if known is not None and outcome(test) is None and not (outcome(then) is outcome(otherwise) is known):
                return next((t for t in self.plan.hubs if outcome(t) is None), test)
        return None

    def closes(self, branch: Branch, end: Farkas) -> bool:
        """Write the end of a branch, if the kernel accepts it."""
        if not closes(self.scaled, branch.ranges, end):
            return False
        branch.slot.step = end
        return True

    def point(self, relaxed: Relaxed) -> Floats:
        """The inputs at the point of the relaxation."""
        import numpy as np

        column, inputs = self.relaxation.column, self.plan.inputs
        return np.array(
            [
                relaxed.values[column[inputs[i]]] if i in inputs else float(v.low or v.high or 0)
                for i, v in enumerate(self.question.variables)
            ]
        )

    def candidate(self, relaxed: Relaxed) -> Fails | None:
        """The point of the relaxation, rounded, if it solves the question."""
        import numpy as np

        from verifier.engines.falsify import exact

        whole = np.array([v.integer for v in self.question.variables])
        point = self.point(relaxed)
        point = np.where(whole, np.round(point), point)
        self.points.append(point)
        if self.plan.landscape.of(point) < -TIGHT:
            return None
        vector = exact(self.question, point)
        return self.fails(vector) if self.solved_by(vector) else None

    def fails(self, vector: Vector) -> Fails:
        if not self.shown:
            return Fails(NAME, (vector,))
        if self.many:
            nicer = pleasant(self.question, vector, min(self.end, time.monotonic() + 1.0), self.solved_by)
        else:
            nicer = polish(self.question, vector, Neighbours(self.question, vector), self.solved_by)
        return Fails(NAME, (nicer,))

    def choose(self, branch: Branch, relaxed: Relaxed) -> Cut | None:
        """The choice that the relaxation loses most by; None where it is right about all of them."""
        relaxation, ranges, scaled = self.relaxation, branch.ranges, self.scaled
        jumps = () if self.plan.twins.gaps else relaxation.ties.jumps  # of two points, where nothing else is wrong
        choices = ((n, scaled.select[n][0]) for n in (*relaxation.relus, *jumps))
        tests = {n: test for n, test in choices if ranges.outcome(test) is None}
        best, most = None, 0.0
        for n, worth in relaxation.worth(relaxed):
            if worth > 1e-9 and n in tests and (share := worth * self.plan.shares[tests[n]]) > most:
                best, most = tests[n], share
        values = relaxed.values
        wrong = self.wrong(relaxed, tests) if values.size else {}
        if best is None and values.size:
            solves = self.plan.landscape.of(self.point(relaxed)) >= 0  # but for whole inputs
            if solves and (between := self.between(relaxed)) is not None:
                return between
            best = max(wrong, key=lambda test: wrong[test], default=None)
            if best is None and not solves and (jump := self.jump(branch, relaxed)) is not None:
                return jump
        if best is not None:
            if values.size and self.stats.branches > LOOKING:
                best = self.ahead(branch, relaxed, wrong) or best
            return Cut(best, above=bool(values.size) and values[relaxation.column[best]] >= 0)
        if not values.size:
            return next((Cut(test) for test in tests.values()), None)
        if (between := self.between(relaxed)) is not None:
            return between
        return next((Cut(t) for n in relaxation.jumps if ranges.outcome(t := scaled.select[n][0]) is None), None)

    def jump(self, branch: Branch, relaxed: Relaxed) -> Cut | None:
        """The choice that is no relu whose value the relaxation gets wrong most."""
        scaled, relaxation = self.scaled, self.relaxation
        open_ = [n for n in relaxation.jumps if branch.ranges.outcome(scaled.select[n][0]) is None]
        if not open_:
            return None
        there = self.question.values(tuple(map(Fraction, self.point(relaxed).tolist())))
        errors = {n: abs(relaxed.values[relaxation.column[n]] - float(there[n])) for n in open_}
        worst = max(errors, key=lambda n: errors[n])
        test = scaled.select[worst][0]
        return Cut(test, above=there[test] >= 0) if errors[worst] > SMALL else None

    def wrong(self, relaxed: Relaxed, tests: dict[int, int]) -> dict[int, float]:
        """By how much the relaxation is wrong about the choices of which test, where there is one."""
        wrong: dict[int, float] = {}
        for n, error in self.relaxation.errors(relaxed).items():
            if n in tests and error > 1e-9:
                wrong[tests[n]] = max(wrong.get(tests[n], 0.0), error)
        return wrong

    def ahead(self, branch: Branch, relaxed: Relaxed, wrong: dict[int, float]) -> int | None:
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
            here = bool(relaxed.values[self.relaxation.column[test]] >= 0)
            gain = 1.0
            for above in (not here, here):
                loss = self.loss(branch, relaxed, test, above)
                if loss is None:
                    self.gains[test] = (self.gains.get(test, 0.0) + 1) / 2
                    return test
                gain *= loss / max(relaxed.slack, SMALL)
            self.gains[test] = (self.gains.get(test, gain) + gain) / 2
            if gain > most:
                best, most, vain = test, gain, 0
        return None if self.plan.deep else best

    def loss(self, branch: Branch, relaxed: Relaxed, test: int, above: bool) -> float | None:
        """How much slack one side of a cut loses; None where the relaxation closes it."""
        assert relaxed.slack is not None
        self.stats.programs += 1
        slack = self.relaxation.ahead(test, above, self.end - time.monotonic(), branch.basis)
        if slack is None:
            return SMALL
        return None if slack < -TIGHT else max(relaxed.slack - slack, SMALL)

    def truths(self, branch: Branch) -> list[tuple[int, bool]]:
        """What is decided about formulas."""
        return [(n, truth) for n, truth in branch.decided if n in self.plan.formulas]

    def between(self, relaxed: Relaxed) -> Cut | None:
        """A cut between the whole numbers around an input that should be whole: the one that is furthest from both."""
        found, most = None, 1e-6
        for i, n in self.plan.inputs.items():
            x = float(relaxed.values[self.relaxation.column[n]])
            if self.question.variables[i].integer and abs(x - round(x)) > most:
                found, most = Cut(n, Fraction(ceil(x))), abs(x - round(x))
        return found

    # exact

    def exact(self, branch: Branch, undecided: int | None) -> Cut | Fails | Unknown | None:
        """Linear arithmetic on the decided nodes, as affine forms of the inputs. `undecided`: what to cut where that
        does not settle the branch. Nodes that depend on a choice that is open are left out, and it is cut."""
        self.stats.exact += 1
        ranges, scaled = branch.ranges, self.scaled
        rows: list[Inequality] = []
        names: list[Row] = []
        sides = [self.side(i, ranges) for i in range(len(self.question.variables))]
        todo: Sequence[tuple[int, bool]] = branch.decided
        while True:
            for node, above in todo:
                choice = expand(scaled, ranges, node, branch.forms)
                if choice is None:
                    rows.append(self.inequality(branch, node, above))
                    names.append(self.truth_row(node, above))
                elif undecided is None:
                    undecided = choice
            low, high = [low for low, _ in sides], [high for _, high in sides]
            found: Solution | Conflict | None = None
            if self.many and undecided is not None:  # a cut is found sooner than pivots of long numbers
                found = settled(rows, low, high)
                if found is None:
                    return Cut(undecided)
            try:
                found = found or solve(rows, low, high, self.many, self.patience)
            except Stopped:
                return Unknown("exact linear arithmetic took too long") if undecided is None else Cut(undecided)
            if isinstance(found, Conflict):
                weights = found.weights
                scale = lcm(*(w.denominator for w in weights.values()))
                end = Farkas(tuple(Row(names[k].kind, names[k].place, int(w * scale)) for k, w in weights.items()))
                return None if self.closes(branch, end) else Unknown("a conflict that the kernel does not accept")
            if self.solved_by(found.point):
                return self.fails(found.point)
            if undecided is not None:
                return Cut(undecided)
            for i, v in enumerate(self.question.variables):
                if v.integer and found.point[i].denominator != 1:
                    return Cut(self.plan.inputs[i], Fraction(ceil(found.point[i])))
            todo = self.missed(branch, found.point)
            if not todo:
                return Unknown("a solution of all decided formulas does not solve the question")

    def inequality(self, branch: Branch, node: int, above: bool) -> Inequality:
        """A side of the range of a node, which is a form of the inputs."""
        constant, terms = branch.forms[node]
        bound = branch.ranges.low[node] if above else branch.ranges.high[node]
        assert bound is not None
        side = Fraction(bound, self.scaled.unit[node])
        if above:
            return Inequality(terms, constant - side)
        return Inequality({i: -w for i, w in terms.items()}, side - constant, branch.ranges.strict[node])

    def missed(self, branch: Branch, point: Vector) -> list[tuple[int, bool]]:
        """The affine nodes whose value at the point does not lie in their range, though all that is decided is true
        there: that they lie on a lattice has moved a side. (node, it is below)"""
        found = []
        values = evaluate(self.scaled.circuit, point)
        for n in self.scaled.affine.keys() & self.scaled.lattice.keys():
            value, low, high = values[n] * self.scaled.unit[n], branch.ranges.low[n], branch.ranges.high[n]
            if low is not None and value < low:
                found.append((n, True))
            elif high is not None and value > high:
                found.append((n, False))
        return sorted(found)

    def side(self, i: int, ranges: Ranges) -> tuple[Fraction | None, Fraction | None]:
        if i not in self.plan.inputs:
            return self.question.variables[i].low, self.question.variables[i].high
        n = self.plan.inputs[i]
        low, high = (None if b is None else Fraction(b, self.scaled.unit[n]) for b in (ranges.low[n], ranges.high[n]))
        return low, high


class Searcher:
    """Answers questions, and remembers what it made of the last circuit."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self.now: CaseSearch | None = None

    def case_search(self, question: Question, seconds: float) -> Answer:
        """A solution, or a certificate that there is none."""
        return self._search(question, seconds, None)

    def glance(self, question: Question, seconds: float) -> Answer:
        """The same, if that is seen at once."""
        return self._search(question, seconds, 1)

    def brief(self, question: Question, most: int, shown: bool, seconds: float) -> Answer:
        """The same, if exact arithmetic sees it on so many branches; the solution made pleasant where it is `shown`."""
        return self._search(question, seconds, most, exact=True, shown=shown)

    def first(self, question: Question, most: int, shown: bool, seconds: float) -> Answer:
        """The same on a few branches, none of which may take long: nobody could end it."""
        return self._search(question, seconds, min(most, FIRST), exact=True, shown=shown, patience=PATIENCE)

    def nearby(self, question: Question, starts: Sequence[Vector], seconds: float) -> Answer:
        """Any solution, looked for near `starts` first, or a certificate."""
        return self._search(question, seconds, None, shown=False, starts=starts)

    def strike(self, question: Question, grid: Grid, seconds: float) -> dict[int, Vector]:
        """Solutions in many boxes at once (`falsify.strike`)."""
        from verifier.engines.falsify import strike

        plan = self._planned(question)
        return strike(question, grid, seconds, plan.landscape, tester(question, plan.within(question)))

    def _planned(self, question: Question) -> Plan:
        if self._plan is None or not self._plan.fits(question):
            self._plan = Plan(question)
        return self._plan

    def _search(
        self,
        question: Question,
        seconds: float,
        most: int | None,
        exact: bool = False,
        shown: bool = True,
        starts: Sequence[Vector] = (),
        patience: int = PIVOTS,
    ) -> Answer:
        search = CaseSearch(question, seconds, self._planned(question), most, exact, shown, starts, patience)
        self.now = search
        try:
            answer, took = search.run(), search.stats
        finally:
            self.now = None
        return worked(answer, branches=took.branches, linear_programs=took.programs)
