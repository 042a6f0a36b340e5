"""A certificate for what the box search has found to be empty: a tree of cuts, and sums that close its leaves.

On a leaf the kernel finds the ranges of all tests by affine arithmetic, by itself; what is written is which literals
have a negative sum there. The tree is found by a search of its own, with the bounds that the kernel will have
(`zonotopes`), in floats. Formulas are taken apart before the box is cut.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor, gcd, lcm

import numpy as np
from msgspec import Struct

from verifier.engines.formulas import Literal, contradiction
from verifier.engines.levels import Floats, Levels, Places
from verifier.engines.linear_bounds import Bounds, Boxes, Upper, joined
from verifier.engines.shrink import nearest
from verifier.engines.trial import crossed, keeps
from verifier.engines.zonotopes import Zonotopes
from verifier.kernel.circuit import FALSE, TRUE, Affine, Circuit, Select
from verifier.kernel.problem import Bound, Empty, Farkas, Rejected, Row, Split, Step, Tree, Zonotope
from verifier.kernel.ranges import Ranges, Scaled, cut, root, settle

BATCH = 64
"""Boxes at a time."""

PER_NODE, PER_TERM = 1e-5, 2e-7
"""Seconds that the kernel takes for a leaf, for each node of the circuit and each weight, about."""

BITS = 4
"""A cut is a multiple of about this many halvings of the side."""

SIDE, FINE = 0.1, 10
"""A side is moved where that takes off at least this part of it, to a multiple of about this many halvings."""

FAR = 20
"""How far two near points are apart is said in multiples of about this many halvings of the range of that."""

RIVAL = 0.3
"""Part of the blame from which on a second input is tried, too."""

MULTIPLE = 1 << 12
"""The largest multiplier of a sum."""


class Unproved(Exception):
    """Time is up, or floats do not find enough slack."""


def box_proof(problem: Empty, levels: Levels, bounds: Bounds, seconds: float, boxes: int = 0) -> Tree | None:
    """A tree for the kernel, or None when it cannot be written and checked in this time. It is not begun when so many
    `boxes` are known to be too many."""
    writer = Writer(problem, levels, bounds, time.monotonic() + seconds)
    if writer.late(boxes // 2):
        return None
    facts = [(fact, True) for fact in problem.facts]
    try:
        steps = tuple(writer.cases(root(writer.scaled, problem.facts), facts, ()))
        return Tree(steps, writer.definitions, twins=writer.twins)
    except Unproved:
        return None


def tells(problem: Empty, levels: Levels) -> bool:
    """Whether the kernel, too, can tell all second points by how much they exceed the first."""
    definitions, twins = differences(problem.circuit, levels)
    try:
        Scaled((*problem.circuit, *definitions), problem.box, twins=twins)
    except Rejected:
        return False
    near = (i for i, n in zip(levels.inputs, levels.nodes, strict=True) if n in levels.apart)
    return not any(problem.box[i].integer for i in near)


def differences(circuit: Circuit, levels: Levels) -> tuple[tuple[Affine, ...], tuple[tuple[int, int, int], ...]]:
    """Definitions of what inputs, and tests of relus, of the second of two near points exceed those of the first by;
    and the twins that they make."""
    found = [(apart.first, n, n, apart.first) for n, apart in levels.apart.items()]
    for level in levels.levels:
        for i, j in level.twins.tolist():
            found.append((level.relus[i], level.relus[j], level.tests[j], level.tests[i]))
    one = Fraction(1)
    definitions = tuple(Affine(((more, one), (less, -one)), Fraction(0)) for *_, more, less in found)
    return definitions, tuple((i, j, len(circuit) + k) for k, (i, j, *_) in enumerate(found))


class Found(Struct):
    """A branch of the tree: the sides that are moved, what is done about it, how many tests are negative there, and the
    number of the first of its two branches after a cut."""

    step: Split | Farkas | None = None
    sides: list[Bound] = []
    negative: int = 0
    halves: int = 0


class Writer:
    def __init__(self, problem: Empty, levels: Levels, bounds: Bounds, end: float) -> None:
        self.problem, self.levels, self.bounds, self.end = problem, levels, bounds, end
        self.literals: tuple[Literal, ...] = ()
        self.opposite: dict[int, dict[int, Fraction]] = {}  # sums of two of them, with how often each is in it
        self.definitions, self.twins = differences(problem.circuit, levels)
        apart = {second: by for _, second, by in self.twins}
        self.nodes = [apart.get(n, n) for n in levels.nodes]  # the inputs of boxes
        self.scaled = Scaled((*problem.circuit, *self.definitions), problem.box, twins=self.twins)
        self.whole = np.array([problem.box[i].integer for i in levels.inputs], dtype=bool)
        self.leaves = 0
        weights = sum(len(terms) for terms, _ in self.scaled.affine.values())
        self.leaf = PER_NODE * len(self.scaled.unit) + PER_TERM * weights

    def late(self, more: int = 0) -> bool:
        """Time is up, with what the kernel will take for all leaves and some `more`."""
        return time.monotonic() + (self.leaves + more) * self.leaf > self.end

    # formulas

    def cases(self, ranges: Ranges, todo: list[tuple[int, bool]], literals: tuple[Literal, ...]) -> Iterator[Step]:
        """The proof that a branch is empty on which the kernel knows the signs `todo` (node, node >= 0) and those of
        `literals`. A conjunction is drawn out, a disjunction is cut."""
        while todo:
            node, holds = todo.pop()
            at = self.problem.circuit[node]
            if not isinstance(at, Select) or self.is_literal(node):
                if (node, holds) in self.levels.known:
                    literals = *literals, self.levels.known[node, holds]
                continue
            no, yes = Affine((), FALSE if holds else TRUE), Affine((), TRUE if holds else FALSE)
            then, otherwise = self.problem.circuit[at.then], self.problem.circuit[at.otherwise]
            if then == no:
                yield from self.drawn(ranges, todo, node, holds, at.test, False)
                if otherwise != yes:
                    yield from self.drawn(ranges, todo, node, holds, at.otherwise, holds)
            elif otherwise == no:
                yield from self.drawn(ranges, todo, node, holds, at.test, True)
                if then != yes:
                    yield from self.drawn(ranges, todo, node, holds, at.then, holds)
            else:
                yield Split(at.test, Fraction(0))
                for above, part, value, other in (
                    (False, at.otherwise, otherwise, then),
                    (True, at.then, then, otherwise),
                ):
                    branch, more = ranges.copy(), [*todo]
                    if other != yes or self.is_literal(at.test):  # else not A is a case for each part of A
                        more.append((at.test, above))
                    cut(self.scaled, branch, at.test, Fraction(0), above)
                    settle(self.scaled, branch)
                    if end := crossed(branch):  # the test had the other sign already
                        yield end
                        continue
                    if value != yes:
                        yield from self.drawn(branch, more, node, holds, part, holds)
                    yield from self.cases(branch, more, literals)
                return
        signs = {(literal.node, literal.positive) for literal in literals}
        for node in {node for node, positive in signs if (node, not positive) in signs}:
            yield Farkas((Row("low", node, 1), Row("high", node, 1)))
            return
        self.literals = tuple(dict.fromkeys((*literals, *self.levels.sides)))
        rows = {literal.row for literal in self.literals}
        self.opposite = {row: of for row, of in self.levels.shares.items() if of.keys() <= rows}
        yield from self.boxes(ranges)

    def is_literal(self, node: int) -> bool:
        return node in self.scaled.relus or not isinstance(self.problem.circuit[node], Select)

    def drawn(
        self, ranges: Ranges, todo: list[tuple[int, bool]], node: int, holds: bool, part: int, sign: bool
    ) -> Iterator[Step]:
        """That `part` has this sign because `node` has its own; nothing where it is known."""
        settle(self.scaled, ranges)
        if ranges.outcome(part) is sign:
            todo.append((part, sign))
            return
        row = Row("low" if holds else "high", node, 1)
        for rows in ((row,), (row, Row("high" if sign else "low", part, 1))):
            step = self.bounded(ranges, part, Fraction(0), sign, rows)
            if step is not None:
                todo.append((part, sign))
                yield step
                return
        raise Unproved

    # boxes

    def boxes(self, ranges: Ranges) -> Iterator[Step]:
        """The proof for one branch: the tree that a search finds in which the kernel's own bounds close the boxes."""
        if not self.literals:
            raise Unproved
        opposed = contradiction(self.literals, self.levels.written)
        if opposed:
            yield Farkas(summed(opposed))
            return
        settle(self.scaled, ranges)
        box = self.bounds.root.copy()
        yield from self.near(ranges, box)
        self.zonotopes = Zonotopes(self.levels, self.bounds, ranges, self.scaled)
        tree = [Found()]
        waiting = [(np.zeros(1, dtype=np.intp), box)]
        while waiting:
            if self.late(sum(len(names) for names, _ in waiting)):
                raise Unproved
            names, boxes = waiting.pop()
            if len(names) > BATCH:
                waiting.append((names[:-BATCH], boxes.take(slice(None, -BATCH))))
                names, boxes = names[-BATCH:], boxes.take(slice(-BATCH, None))
            found = [tree[name] for name in names]
            self.sides(boxes, found)
            causes = self.zonotopes.tighten(boxes)
            upper = self.zonotopes.literals(boxes)
            times, excess = self.sums(upper, boxes)
            closed = excess < 0
            ties = self.zonotopes.ties(boxes)
            for at, negative in zip(found, self.zonotopes.negative(boxes).tolist(), strict=True):
                at.negative = negative
            for k in np.flatnonzero(closed):
                found[k].step = Farkas(self.rows(times[k]), ties[k])
            self.leaves += int(closed.sum())
            left = np.flatnonzero(~closed)
            if len(left):
                blame = self.zonotopes.blame(upper, causes, times, boxes)[left]
                which, values = self.cuts(blame, boxes.take(left))
                for k, i, value in zip(left, which, values.tolist(), strict=True):
                    found[k].step, found[k].halves = Split(self.nodes[i], Fraction(value)), len(tree)
                    tree += [Found(), Found()]
                first = np.array([found[k].halves for k in left], dtype=np.intp)
                waiting.append((np.concatenate([first, first + 1]), self.halved(boxes.take(left), which, values)))
        yield from self.written(tree)

    def near(self, ranges: Ranges, box: Boxes) -> Iterator[Step]:
        """How far the second of two near points is from the first: what literals say of that, rounded outwards."""
        for literal in self.literals:
            weights, constant = self.levels.written[literal.row]
            if len(weights) == 1 and (n := min(weights)) in self.levels.apart:
                i, above, end = self.levels.nodes.index(n), weights[n] > 0, -constant / weights[n]
                grain = Fraction(float(np.ldexp(1.0, np.frexp(box.high[0, i] - box.low[0, i])[1] - FAR)))
                value = (floor(end / grain) - 1) * grain if above else (ceil(end / grain) + 1) * grain
                step = self.bounded(ranges, self.nodes[i], value, above, summed([(literal, Fraction(1))]))
                if step is not None:
                    (box.low if above else box.high)[0, i] = float(value)
                    yield step

    def written(self, tree: list[Found]) -> Iterator[Step]:
        """The tree from its root, the first. The kernel computes nothing of tests that it knows to be negative: where
        that spares more below a cut than it costs, they are found out before."""
        tests = sum(len(level.tests) for level in self.levels.levels)
        leaves = [1] * len(tree)
        for name in reversed(range(len(tree))):
            if half := tree[name].halves:
                leaves[name] = leaves[half] + leaves[half + 1]
        todo = [(0, 0)]
        while todo:
            name, known = todo.pop()
            at = tree[name]
            assert at.step is not None
            yield from at.sides
            if not at.halves or (at.negative - known) * (leaves[name] - 1) > tests - known:
                known = at.negative
                yield Zonotope()
            if at.halves:
                todo += [(at.halves + 1, known), (at.halves, known)]
            yield at.step

    def sides(self, boxes: Boxes, found: list[Found]) -> None:
        """Move the sides of boxes to where a literal about the inputs themselves still lets the formula hold."""
        rows = dict(self.levels.literals.parts)
        for literal in self.literals:
            if 0 not in rows or any(part[literal.row].any() for k, part in rows.items() if k):
                continue
            line, end = rows[0][literal.row], Farkas((Row("low" if literal.positive else "high", literal.node, 1),))
            for i in np.flatnonzero(line):
                most = np.maximum(line * boxes.low, line * boxes.high)
                reach = -(most.sum(axis=1) - most[:, i] + self.levels.literals.bias[literal.row]) / line[i]
                above, width = bool(line[i] > 0), boxes.high[:, i] - boxes.low[:, i]
                side = boxes.low if above else boxes.high
                sign = 1 if above else -1
                grain = np.ldexp(1.0, np.frexp(width)[1] - FINE)
                value = sign * (np.floor(sign * reach / np.where(width > 0, grain, 1)) - 1) * grain
                gain = sign * (value - side[:, i])
                for k in np.flatnonzero((gain > SIDE * width) & (gain < width) & ~self.whole[i]):
                    found[k].sides.append(Bound(self.nodes[i], Fraction(float(value[k])), above, end))
                    side[k, i] = value[k]

    def sums(self, upper: Upper, boxes: Boxes) -> tuple[Floats, Floats]:
        """For each box multipliers of the literals, (B, R), and their sum there at most, doubts included, over the
        largest of them: where that is negative, the kernel closes the box."""
        rows = [*(literal.row for literal in self.literals), *self.opposite]
        several, alone = nearest(upper.weights[:, rows], upper.constant[:, rows], boxes)
        least = np.argmin(alone, axis=1)
        single = alone[np.arange(len(boxes)), least] < 0
        several = np.where(single[:, None], np.eye(len(rows))[least], several)
        several = np.round(several / several.max(axis=1, keepdims=True) * MULTIPLE)
        times = np.zeros((len(boxes), len(self.levels.units)))
        times[:, rows] = several
        return times, self.zonotopes.most(boxes, times) / times.max(axis=1)

    def rows(self, times: Floats) -> tuple[Row, ...]:
        """The sum of literals with these multipliers."""
        exact = {
            row: Fraction(int(t)) / unit for row, (t, unit) in enumerate(zip(times, self.levels.units, strict=True))
        }
        for row, of in self.opposite.items():
            for each, share in of.items():
                exact[each] += exact[row] * share
        return summed([(literal, exact[literal.row]) for literal in self.literals])

    def cuts(self, blame: Floats, boxes: Boxes) -> tuple[Places, Floats]:
        """The input to cut in each box, and where: near the middle, in few digits. Of two that are to blame, the one
        whose halves are nearer to being closed."""
        width = boxes.high - boxes.low
        middle = boxes.low + width / 2
        grain = np.ldexp(1.0, np.frexp(width)[1] - BITS)
        at = np.where(self.whole, np.floor(middle) + 1, np.floor(middle / grain + 0.5) * grain)
        divisible = (boxes.low < at) & np.where(self.whole, at <= boxes.high, at < boxes.high)
        if not divisible.any(axis=1).all():
            raise Unproved
        score = np.where(divisible, blame, -1.0)
        order = np.argsort(-score, axis=1)
        rows, which, other = np.arange(len(at)), order[:, 0], order[:, min(1, at.shape[1] - 1)]
        rivals = np.flatnonzero((which != other) & (score[rows, other] > RIVAL * score[rows, which]))
        if len(rivals):
            some = boxes.take(rivals)
            first, second = (self.excess(some, i, at[rivals, i]) for i in (which[rivals], other[rivals]))
            which[rivals] = np.where(second < first, other[rivals], which[rivals])
        return which, at[rows, which]

    def excess(self, boxes: Boxes, which: Places, values: Floats) -> Floats:
        """What the sums exceed 0 by in the halves of each box, together."""
        halves = self.halved(boxes, which, values)
        self.zonotopes.tighten(halves)
        _, excess = self.sums(self.zonotopes.literals(halves), halves)
        return np.asarray(np.maximum(excess, 0).reshape(2, -1).sum(axis=0))

    def halved(self, boxes: Boxes, which: Places, values: Floats) -> Boxes:
        """The parts below the cuts, then those above."""
        rows, below, above = np.arange(len(boxes)), boxes.copy(), boxes.copy()
        above.low[rows, which] = values
        below.high[rows, which] = values - self.whole[which]
        return joined([below, above])

    def bounded(self, ranges: Ranges, node: int, value: Fraction, above: bool, rows: tuple[Row, ...]) -> Bound | None:
        """The step that keeps one side of a cut, taken; None where the kernel does not accept it."""
        step = Bound(node, value, above, Farkas(rows))
        return step if keeps(self.scaled, ranges, step) else None


def summed(times: list[tuple[Literal, Fraction]]) -> tuple[Row, ...]:
    """A sum of literals in whole numbers."""
    taken = [(lit, t) for lit, t in times if t]
    scale = Fraction(lcm(*(t.denominator for _, t in taken)), gcd(*(t.numerator for _, t in taken)))
    return tuple(Row("low" if lit.positive else "high", lit.node, int(t * scale)) for lit, t in taken)
