"""Exact linear arithmetic on a branch of a case search: where all that matters is decided, it has the last word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, lcm

from verifier.canonical.simplex import Conflict, Inequality, Solution, Stopped
from verifier.engines.branch import Branch, Cut
from verifier.engines.engine import Unknown, Vector
from verifier.engines.linear_program import settled, solve
from verifier.engines.plan import Plan
from verifier.engines.trial import truth_row
from verifier.kernel.circuit import evaluate
from verifier.kernel.problem import Farkas, Row
from verifier.kernel.ranges import Ranges, Scaled
from verifier.query.question import Question


class Arithmetic:
    """On the branches of one search. `solved_by`: a point solves its question. `patience`: pivots on a branch."""

    def __init__(
        self, question: Question, plan: Plan, scaled: Scaled, solved_by: Callable[[Vector], bool], patience: int
    ) -> None:
        self.question, self.plan, self.scaled = question, plan, scaled
        self.solved_by, self.patience = solved_by, patience

    def settle(
        self, branch: Branch, undecided: int | None, many: bool, slack: bool = False
    ) -> Cut | Farkas | Solution | Unknown:
        """The end of a branch, a solution of the question, or where to cut, by linear arithmetic on the decided nodes
        as affine forms of the inputs. `undecided`: what to cut where that settles nothing, or first what it depends
        on. Nodes that depend on a choice that is open are left out, and it is cut. `many`: floats may point at the
        answer. `slack`: there is no conflict as long as a choice is open."""
        ranges, scaled, forms = branch.ranges, self.scaled, branch.forms
        forms.renew(ranges)
        rows: list[Inequality] = []
        names: list[Row] = []
        sides = [self.side(i, ranges) for i in range(len(self.question.variables))]
        todo: Sequence[tuple[int, bool]] = branch.decided
        if undecided is not None and undecided not in scaled.select:
            choice = forms.expand(scaled, ranges, undecided)
            undecided = undecided if choice is None else choice
        while True:
            for node, above in todo:
                choice = forms.expand(scaled, ranges, node)
                if choice is None:
                    rows.append(self.inequality(branch, node, above))
                    names.append(truth_row(node, above))
                elif undecided is None:
                    undecided = choice
            low, high = [low for low, _ in sides], [high for _, high in sides]
            found: Solution | Conflict | None = None
            if many and undecided is not None:  # a cut is found sooner than pivots of long numbers
                found = None if slack else settled(rows, low, high)
                if found is None:
                    return Cut(undecided)
            try:
                found = found or solve(rows, low, high, many, self.patience)
            except Stopped:
                return Unknown("exact linear arithmetic took too long") if undecided is None else Cut(undecided)
            if isinstance(found, Conflict):
                weights = found.weights
                scale = lcm(*(w.denominator for w in weights.values()))
                return Farkas(tuple(Row(names[k].kind, names[k].place, int(w * scale)) for k, w in weights.items()))
            if self.solved_by(found.point):
                return found
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
        constant, terms = branch.forms.of[node]
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
