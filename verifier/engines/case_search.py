"""Branch and bound on the choices of a circuit; every branch that is closed is closed by rows that the kernel accepts.

A branch is the kernel's own view of it (`Ranges`). On each: what the decided formulas imply (unit propagation), then
the linear relaxation; where it does not settle the branch, a cut. Where every choice that matters is decided, exact
linear arithmetic has the last word, so the search ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, cast

from verifier.canonical.simplex import PIVOTS, Solution
from verifier.engines.arithmetic import Arithmetic
from verifier.engines.branch import Branch, Cut, Slot, Stats
from verifier.engines.cuts import Cuts, halved
from verifier.engines.engine import Answer, Fails, Grid, Holds, Unknown, Vector, worked
from verifier.engines.evaluate import pleasant, tester
from verifier.engines.forms import undecided
from verifier.engines.guesses import BRIEF, LATE, Guesses
from verifier.engines.plan import Plan
from verifier.engines.polish import Neighbours, polish
from verifier.engines.propagation import Propagation
from verifier.engines.series import Lately, Series, graft, way
from verifier.engines.slopes import Slopes
from verifier.engines.trial import TIGHT, WORTH, closes, short
from verifier.kernel.circuit import Input
from verifier.kernel.problem import Farkas, Tree
from verifier.kernel.ranges import root, settle
from verifier.query.question import Question

NAME = "case search"
COARSE = 0.3
"""What a bound has to take off to be worth it (`trial.WORTH`) on other branches than the first."""
RATE = 0.05
"""Bounds by linear programs are worth it where so many relus are decided a program."""
FEWER = 0.97
"""Where they were not, they are tried again when this share of the relus is still open."""
SHARE = 0.2
"""Of the time left for the bounds of a branch."""
HALF = 0.5
"""Where the relaxation is right about all choices that are open, exact arithmetic is asked when so many are left of
those that were open when it was asked last."""
FEW = 6
"""Up to so many open choices of numbers, and so many whole inputs, exact arithmetic settles a question before numpy and
HiGHS are loaded."""
STEEP = 0.05
"""So far, of the sides of the box, a solution is looked for from a pair across a steep place."""
TWICE = 2.0
"""The slack of a branch may have become less by so much more than that of the first one."""
LESS = 0.5
"""A search that gives up soon goes on as long again where no more is open than this share of what was."""
FIRST, PATIENCE = 0.2, 300
"""Seconds of a first look, and pivots on each branch."""

if TYPE_CHECKING:
    from verifier.engines.relaxation import Relaxation, Relaxed


class CaseSearch:
    """One question. `most`: give up after so many branches. `longer`: seconds that it may take beyond its own where it
    is going to end soon; twice as many branches are none too many then. `exact`: with exact arithmetic alone, however
    many the choices. `shown`: somebody sees the solution. `starts`: where to look for one first. `patience`: pivots of
    exact arithmetic on a branch. `series`: of questions that were asked before."""

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
        series: Series | None = None,
        longer: float = 0.0,
    ) -> None:
        self.tree, self.guide = Slot(), None if series is None else series.tree
        self.begun, self.most, self.plain, self.shown = time.monotonic(), most, exact, shown
        self.end = self.begun + seconds
        self.last, self.before = self.end + longer, 1.0
        self.question, self.problem = question, question.empty
        self.plan = plan or Plan(question)
        self.scaled = self.plan.within(question)
        self.solved_by, self.stats = tester(question, self.scaled), Stats()
        self.follows = Propagation(self.plan, self.scaled)
        self.arithmetic = Arithmetic(question, self.plan, self.scaled, self.solved_by, patience)
        self.cuts = Cuts(question, self.plan, self.stats, self.end)
        self.guesses = Guesses(question, self.plan, self.solved_by, self.stats, self.end, starts, series)
        self.many = False
        known = tuple((f, True) for f in question.facts if f not in self.scaled.select)
        crowd = -1 if most else 1 << 62
        self.todo = [Branch(root(self.scaled, question.facts), known, self.tree, self.guide, crowd=crowd)]
        self.sloped: list[Slopes] = []
        self.lost = inf  # slack of relaxations, since the last question of a series

    def run(self) -> Answer:
        """Holds with a certificate, Fails with a solution, or Unknown when the time is over."""
        answer = self.close()
        graft(self.todo)
        if answer is not None:
            return answer
        proof = Tree(tuple(self.tree.steps()), self.plan.twins.definitions, self.plan.twins.gaps)
        return Holds(NAME, (), (self.problem, proof))

    def resume(self, end: float) -> Fails | Unknown | None:
        """Go on until then; None when all is closed."""
        self.till(end)
        return self.close()

    def till(self, end: float) -> None:
        self.end = self.cuts.end = self.guesses.end = end

    def close(self) -> Fails | Unknown | None:
        """Close the branches, or say what keeps one from being closed; that and all others are left."""
        todo = self.todo
        while todo:
            if (time.monotonic() > self.end or self.stats.branches == self.most) and not self.longer():
                return Unknown("out of time")
            branch = todo.pop()
            match self.look(branch):
                case Cut(node, value, above):
                    branch.waiting = len(todo)
                    todo += self.follows.cut(branch, node, value, above)
                case Branch() as closed:
                    if closed is not branch:
                        del todo[closed.waiting :]
                case None:
                    self.lift(branch, todo)
                case Fails() | Unknown() as answer:
                    todo.append(branch)
                    return answer
        return None

    def longer(self) -> bool:
        """Whether it goes on, since so much was closed since it was asked last."""
        now, still = time.monotonic(), self.still()
        if now >= self.last or still > LESS * self.before:
            return False
        self.before, self.most = still, self.most and 2 * self.most
        self.till(min(self.last, max(self.end, now + (now - self.begun))))
        return True

    def still(self, waiting: int = 0) -> float:
        """How much is open, but for the first branches that wait."""
        return sum(branch.share for branch in self.todo[waiting:])

    @property
    def branches(self) -> int:
        """Those of slopes, too."""
        return self.stats.branches + sum(s.search.branches for s in self.sloped if s.search)

    @property
    def programs(self) -> int:
        return self.stats.programs + sum(s.search.programs for s in self.sloped if s.search)

    def look(self, branch: Branch) -> Cut | Branch | Fails | Unknown | None:
        """Where to cut a branch, or the answer; None when it is closed, and a branch around it that was closed."""
        self.stats.branches += 1
        first = self.stats.branches == 1
        if self.follows.follow(branch) or self.follows.propagate(branch):
            return None
        if first:
            wide = max(self.open_choices(branch), sum(v.integer for v in self.question.variables)) > FEW
            self.many = wide and not self.plain
            if self.many and self.most is None and (guess := self.guesses.find()) is not None:
                return self.fails(guess)
        anew = self.many and branch.guide is None and (first or self.plan.deep)
        if anew and self.follows.tighten(branch, WORTH if first else COARSE):
            return None
        if first and self.many:
            self.outset = branch.ranges.copy()
        if self.many and self.guesses.due() and (guess := self.guesses.find()) is not None:
            return self.fails(guess)
        if self.stats.branches == LATE and not self.many and (guess := self.guesses.simple()) is not None:
            return self.fails(guess)
        return self.decide(branch) if branch.guide is None else self.guided(branch, branch.guide)

    def steep(self, branch: Branch) -> Branch | Fails | None:
        """The branch that is closed since nothing is steep enough there; or a solution across a steep place."""
        if branch.slopes is None:
            true = branch.ranges.outcome
            step = next((d for d in self.plan.descents if true(d.first) and true(d.second)), None)
            if step is None:
                return None
            branch.slopes = Slopes(branch, step, self.stats.branches)
            self.sloped.append(branch.slopes)
        slopes = branch.slopes
        for start in slopes.pairs(self.scaled, self.end):
            if (guess := self.guesses.uphill(start, self.end, STEEP)) is not None:
                return self.fails(guess)
        still = branch.share + (self.still(slopes.branch.waiting) if slopes.branch is not branch else 0.0)
        left = slopes.left(self.stats.branches, still / slopes.branch.share)
        closed = left > 0 and slopes.go(self.scaled, min(self.end, time.monotonic() + left)) is None
        return slopes.branch if closed else None

    def guided(self, branch: Branch, guide: Slot) -> Cut | Fails | None:
        """Where the guide cuts; nowhere where the relaxation closes the branch, now that a constant has moved. It is
        only asked where it had so little slack that it may: the first branch says how much may be lost."""
        if self.many and guide.slack <= self.lost:
            relaxed = self.relaxed(branch, self.open_formula(branch))
            if relaxed is None or isinstance(relaxed, Fails):
                return relaxed
            if self.stats.branches == 1:
                self.lost = TWICE * (guide.slack - branch.slack)
        return way(guide)

    @cached_property
    def relaxation(self) -> Relaxation:
        from verifier.engines.relaxation import Relaxation

        return Relaxation(self.scaled, self.plan.real, self.outset, primal=bool(self.plan.corners))

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
                kept = [(step.node, self.follows.keep(branch, step)) for step in steps]
                settle(self.scaled, ranges)
                some = any(accepted for _, accepted in kept)
                # refused: the kernel has heard of others since, or rounds more
                nodes = [*dict.fromkeys(n for n, accepted in kept if not accepted)] if close or some else []
                close = some
            if closed := self.follows.crossed(branch):
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
        return self.follows.propagate(branch)

    # one branch

    def decide(self, branch: Branch) -> Cut | Branch | Fails | Unknown | None:
        """Where to cut a branch, or the answer; None when it is closed, and a branch around it that was closed."""
        formula = self.open_formula(branch)
        if not self.many:
            return self.exact(branch, formula)
        while True:
            relaxed = self.relaxed(branch, formula)
            if relaxed is None or isinstance(relaxed, Fails):
                return relaxed
            if isinstance(relaxed, Unknown):
                break
            if not relaxed.values.size or self.opens(branch) > branch.crowd:
                break
            first = self.stats.programs == 1 and self.most is None
            if first and (guess := self.guesses.climbed(time.monotonic() + BRIEF)) is not None:
                return self.fails(guess)
            if self.squeeze(branch, formula is None):
                return None
        if self.plan.deep and (cut := self.told_apart(branch)) is not None:
            return cut
        if formula is not None:
            return Cut(formula)
        if self.plan.descents and self.most is None and (closed := self.steep(branch)) is not None:
            return closed
        if isinstance(relaxed, Unknown):
            return self.exact(branch, None, branch.slack > TIGHT)
        return self.cuts.choose(branch, self.relaxation, relaxed) or self.tied(branch, relaxed)

    def tied(self, branch: Branch, relaxed: Relaxed) -> Cut | Fails | Unknown | None:
        """Where to cut a branch of which the relaxation gets nothing wrong, or the answer; None when it is closed."""
        tests = undecided(self.scaled, branch.ranges, (n for n, _ in branch.decided))
        sure = self.cuts.surest(self.relaxation, relaxed, tests)
        if sure is not None and len(tests) > HALF * branch.pending:
            return sure
        branch.pending = len(tests)
        said = self.exact(branch, None, branch.slack > TIGHT)
        return sure or said if isinstance(said, Cut) else said

    def relaxed(self, branch: Branch, formula: int | None) -> Relaxed | Fails | Unknown | None:
        """The linear relaxation of a branch, or a solution, or Unknown where that took too long; None where it closes
        the branch."""
        self.relaxation.move(branch.ranges, self.truths(branch))
        relaxed = self.relaxation.solve(self.end - time.monotonic(), branch.basis)
        self.stats.programs += 1
        branch.slack = -inf
        if relaxed is None:
            return Unknown("a linear program took too long")
        branch.basis = self.relaxation.basis()
        if relaxed.slack is not None:
            branch.slack = relaxed.slack
        if branch.slack < TIGHT and any(self.follows.closes(branch, end) for end in self.ends(relaxed)):
            return None
        if branch.slack < -TIGHT and self.exact(branch, formula) is None:
            return None  # where no rounding of the dual values would do
        if branch.slack > -TIGHT and (found := self.candidate(relaxed)) is not None:
            return found
        return relaxed

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
            whole = self.question.variables[cast(Input, self.scaled.circuit[n]).index].integer
            if whole and (cut := halved(branch.ranges, self.scaled.unit[n], n)) is not None:
                return cut
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

    def candidate(self, relaxed: Relaxed) -> Fails | None:
        """The point of the relaxation, rounded, if it solves the question."""
        import numpy as np

        from verifier.engines.falsify import exact

        whole = np.array([v.integer for v in self.question.variables])
        point = self.plan.point(self.relaxation.column, relaxed.values)
        point = np.where(whole, np.round(point), point)
        self.guesses.points.append(point)
        if self.plan.landscape.of(point) < -TIGHT:
            return None
        if self.solved_by(vector := exact(self.question, point)):
            return self.fails(vector)
        if relaxed.slack is None or relaxed.slack <= TIGHT:
            return None
        guess = self.guesses.near(point)
        return None if guess is None else self.fails(guess)

    def fails(self, vector: Vector) -> Fails:
        if not self.shown:
            return Fails(NAME, (vector,))
        if self.many:
            nicer = pleasant(self.question, vector, min(self.end, time.monotonic() + 1.0), self.solved_by)
        else:
            nicer = polish(self.question, vector, Neighbours(self.question, vector), self.solved_by)
        return Fails(NAME, (nicer,))

    def truths(self, branch: Branch) -> list[tuple[int, bool]]:
        """What is decided about formulas."""
        return [(n, truth) for n, truth in branch.decided if n in self.plan.formulas]

    def exact(self, branch: Branch, undecided: int | None, slack: bool = False) -> Cut | Fails | Unknown | None:
        """What exact linear arithmetic says; where it settles nothing, `undecided` is cut. `slack`: a relaxation has
        some, so what is decided is no conflict."""
        self.stats.exact += 1
        match self.arithmetic.settle(branch, undecided, self.many, slack):
            case Farkas() as end if self.follows.closes(branch, end):
                return None
            case Farkas():
                return Unknown("a conflict that the kernel does not accept")
            case Solution() as solution:
                return self.fails(solution.point)
            case Cut() | Unknown() as other:
                return other


class Searcher:
    """Answers questions, and remembers what it made of the last circuit."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._series = Lately()
        self.now: CaseSearch | None = None

    def case_search(self, question: Question, seconds: float) -> Answer:
        """A solution, or a certificate that there is none."""
        return self._search(question, seconds, None)

    def case_proof(self, question: Question, patience: float, seconds: float) -> Answer:
        """The same, for no longer than one's patience, unless it is going to end soon."""
        return self._search(question, min(patience, seconds), None, longer=seconds - patience)

    def glance(self, question: Question, seconds: float) -> Answer:
        """The same, if that is seen at once."""
        return self._search(question, seconds, 1)

    def brief(self, question: Question, most: int, shown: bool, seconds: float) -> Answer:
        """The same, if exact arithmetic sees it on so many branches in half of the time, or is about to; the solution
        made pleasant where it is `shown`."""
        return self._search(question, seconds / 2, most, exact=True, shown=shown, longer=seconds / 2)

    def first(self, question: Question, most: int, shown: bool, seconds: float) -> Answer:
        """The same for a moment, no branch of which may take long: nobody could end it."""
        return self._search(question, min(seconds, FIRST), most, exact=True, shown=shown, patience=PATIENCE)

    def nearby(self, question: Question, starts: Sequence[Vector], seconds: float) -> Answer:
        """Any solution, looked for near `starts` first, or a certificate: a question of a series."""
        plan = self._planned(question)
        series = self._series.of(plan, question)
        search = CaseSearch(question, seconds, plan, shown=False, starts=starts, series=series)
        answer = self._run(search)
        series.asked(search.tree, search.guesses.took, time.monotonic() - search.begun)
        return answer

    def strike(self, question: Question, grid: Grid, seconds: float) -> dict[int, Vector]:
        """Solutions in many boxes at once (`falsify.strike`)."""
        from verifier.engines.falsify import strike

        plan = self._planned(question)
        return strike(question, grid, seconds, plan.landscape, tester(question, plan.within(question)))

    def _planned(self, question: Question) -> Plan:
        if self._plan is None or not self._plan.fits(question):
            self._plan = Plan(question)
        return self._plan

    def _search(self, question: Question, seconds: float, most: int | None, **options: Any) -> Answer:
        return self._run(CaseSearch(question, seconds, self._planned(question), most, **options))

    def _run(self, search: CaseSearch) -> Answer:
        self.now = search
        try:
            answer = search.run()
        finally:
            self.now = None
        return worked(answer, branches=search.branches, linear_programs=search.programs)
