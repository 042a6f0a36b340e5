"""A certificate for what the box search has found to be empty.

The search is run once more, box by box, and what it uses is written down as steps that the kernel re-checks: tighter
ranges of the tests and sides of the box, each with its reason, cuts of the box, and at the end the sum of literals that
is negative. The kernel carries ranges along by itself, so a range is only written where it matters: at the end, unless
all that is left out loses less than half of the slack; before, where it narrows an important relaxation by much.
Every step is tried on the kernel's own ranges before it is written; floats only choose.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from math import floor, frexp, ldexp

import numpy as np
from msgspec import Struct

from verifier.engines.levels import Floats, Levels, Literal
from verifier.engines.linear_bounds import Bounds, Boxes, Relaxed, Upper, relaxed
from verifier.engines.shrink import nearest
from verifier.engines.trial import closes, keeps
from verifier.kernel.circuit import FALSE, TRUE, Affine, Select
from verifier.kernel.problem import Bound, Empty, Farkas, Row, Split, Step, Tree
from verifier.kernel.ranges import Ranges, Scaled, cut, root

LEAF, INNER = 1 / 16, 1 / 2
"""A range is written where that takes off at least this part of the one that the kernel has: where a branch is to end,
and before."""

SIDE = 0.1
"""A side of a box is moved where that takes off at least this part of it."""

MULTIPLE = 1 << 30


class Unproved(Exception):
    """Time is up, or a step that floats believe is not accepted."""


class News(Struct, frozen=True):
    """The test of a relu is >= value if `above`, else < value."""

    level: int
    relu: int
    above: bool
    value: float


class Place(Struct):
    """An open branch: the kernel's ranges, and the same in floats for one box."""

    ranges: Ranges
    known: Boxes


def box_proof(problem: Empty, levels: Levels, bounds: Bounds, end: float) -> Tree | None:
    """A tree that the kernel accepts, or None when there is no time for it."""
    writer = Writer(problem, levels, bounds, end)
    facts = [(fact, True) for fact in problem.facts]
    try:
        return Tree(tuple(writer.cases(root(writer.scaled, problem.facts), facts, ())))
    except Unproved:
        return None


class Writer:
    def __init__(self, problem: Empty, levels: Levels, bounds: Bounds, end: float) -> None:
        self.problem, self.levels, self.bounds, self.end = problem, levels, bounds, end
        self.literals: tuple[Literal, ...] = ()
        self.scaled = Scaled(problem.circuit, problem.box)
        self.whole = [problem.box[i].integer for i in levels.inputs]

    # formulas

    def cases(self, ranges: Ranges, todo: list[tuple[int, bool]], literals: tuple[Literal, ...]) -> Iterator[Step]:
        """The proof that a branch is empty on which the kernel knows the signs `todo` (node, node >= 0) and those of
        `literals`. A conjunction is drawn out, a disjunction is cut."""
        while todo:
            node, holds = todo.pop()
            at = self.problem.circuit[node]
            if not isinstance(at, Select) or node in self.scaled.relus:
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
                for above, part, value in ((False, at.otherwise, otherwise), (True, at.then, then)):
                    branch, more = ranges.copy(), [*todo, (at.test, above)]
                    cut(self.scaled, branch, at.test, Fraction(0), above)
                    apart = Farkas((Row("low", at.test, 1), Row("high", at.test, 1)))
                    if closes(self.scaled, branch, apart):  # the test had the other sign already
                        yield apart
                        continue
                    if value != yes:
                        yield from self.drawn(branch, more, node, holds, part, holds)
                    yield from self.cases(branch, more, literals)
                return
        self.literals = literals
        yield from self.boxes(ranges)

    def drawn(
        self, ranges: Ranges, todo: list[tuple[int, bool]], node: int, holds: bool, part: int, sign: bool
    ) -> Iterator[Step]:
        """That `part` has this sign because `node` has its own."""
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
        """The proof for one branch, by boxes."""
        if not self.literals:
            raise Unproved
        wide = [np.full((1, len(level.relus)), np.inf) for level in self.levels.levels]
        start = Boxes(self.bounds.root.low.copy(), self.bounds.root.high.copy(), [-w for w in wide], wide)
        waiting = [Place(ranges, start)]
        while waiting:
            if time.monotonic() > self.end:
                raise Unproved
            written, halves = self.box(waiting.pop())
            yield from written
            waiting += reversed(halves)

    def box(self, place: Place) -> tuple[list[Step], list[Place]]:
        """The steps about one branch, and the branches after them."""
        bounds, known, ranges = self.bounds, place.known, place.ranges
        tight = known.copy()
        causes = bounds.tighten(tight)
        upper = bounds.literals(tight)
        times, value = self.sum(upper, known)
        ranking = self.ranking(known, bounds.relus, upper, times)
        steps: list[Step] = []
        if value < 0:
            news = self.fewest(known, ranking)
            if news is not None:
                steps += self.write(place, news)
                times, _ = self.sum(self.literals_of(known), known)
                ended = Farkas(self.rows(times))
                if closes(self.scaled, ranges, ended):
                    return [*steps, ended], []  # else it was rounding, and smaller boxes have more slack
        else:
            steps += self.write(place, self.news(known, ranking, INNER)[0])
        steps += self.sides(place, self.literals_of(known))
        radius = (known.high - known.low)[0]
        blame = bounds.blame(upper, causes, times[None], known)[0]
        i = int(np.argmax(np.where(radius > 0, blame, -1)))
        middle = known.low[0, i] + radius[i] / 2
        at = float(np.floor(middle)) + 1 if self.whole[i] else shortened(middle, radius[i], 4)
        if not known.low[0, i] < at <= known.high[0, i]:
            raise Unproved
        node, halves = self.levels.nodes[i], []
        steps.append(Split(node, Fraction(at)))
        for above in (False, True):
            part = ranges.copy() if not above else ranges
            cut(self.scaled, part, node, Fraction(at), above)
            box = known.copy()
            if above:
                box.low[0, i] = at
            else:
                box.high[0, i] = at - self.whole[i]
            halves.append(Place(part, box))
        return steps, halves

    def sum(self, upper: Upper, box: Boxes) -> tuple[Floats, float]:
        """Multipliers of the literals whose sum is small, and its maximum over the box."""
        rows = [literal.row for literal in self.literals]
        times = np.zeros(len(self.levels.units))
        single = rows[int(np.argmin(upper.greatest[0, rows]))]
        if upper.greatest[0, single] < 0 or len(rows) == 1:
            times[single] = 1.0
            return times, float(upper.greatest[0, single])
        found, _ = nearest(upper.weights[:, rows], upper.constant[:, rows], box)
        times[rows] = found[0]
        line, constant = times @ upper.weights[0], float(times @ upper.constant[0])
        return times, float(np.maximum(line * box.low[0], line * box.high[0]).sum() + constant)

    def rows(self, times: Floats) -> tuple[Row, ...]:
        """The rows of the kernel for multipliers of literals."""
        exact = {lit: Fraction(float(times[lit.row])) / self.levels.units[lit.row] for lit in self.literals}
        scale = MULTIPLE / max(exact.values())
        return tuple(
            Row("low" if lit.positive else "high", lit.node, round(t * scale))
            for lit, t in exact.items()
            if round(t * scale) > 0
        )

    # ranges of tests

    def ranking(self, known: Boxes, relus: list[Relaxed], upper: Upper, times: Floats) -> list[tuple[int, int]]:
        """The (level, relu) whose range gains something in the final sum if it is written, best first."""
        found: list[tuple[float, float, int, int]] = []
        for k, (before, after) in enumerate(zip(self.carried(known), relus, strict=True)):
            narrower = (before.gap - after.gap)[0]
            gain = np.abs(times @ upper.pull[k][0]) * narrower if k in upper.pull else np.zeros_like(narrower)
            found += [(float(gain[i]), float(narrower[i]), k, int(i)) for i in np.flatnonzero(narrower > 0)]
        return [(k, i) for _, _, k, i in sorted(found, reverse=True)]

    def fewest(self, known: Boxes, ranking: list[tuple[int, int]]) -> list[News] | None:
        """What to write for the final sum to be negative, about as little as possible; None where nothing helps."""
        news, value = self.news(known, [])
        if value < 0:
            return news
        few, many = 0, len(ranking)
        best, value = self.news(known, ranking)
        if value >= 0:
            return None
        while many - few > 1 + many // 16:
            middle = (few + many) // 2
            news, value = self.news(known, ranking[:middle])
            if value < 0:
                best, many = news, middle
            else:
                few = middle
        return best

    def news(self, known: Boxes, wanted: list[tuple[int, int]], worth: float = LEAF) -> tuple[list[News], float]:
        """The ranges of the wanted tests as they follow from each other, and what the final sum is with them."""
        known = known.copy()
        found: list[News] = []
        done: list[Relaxed] = []
        for k, level in enumerate(self.levels.levels):
            self.carry(known, k)
            below, above = known.below[k][0], known.above[k][0]
            which = np.array([i for j, i in wanted if j == k and below[i] < 0 < above[i]], dtype=np.intp)
            if k and len(which):
                upper = self.bounds.upper(known, done, level.rows, self.bounds.sizes[k], which[None], both=True)
                highs, lows = np.split(upper.greatest[0], 2)
                for i, high, low in zip(which.tolist(), highs.tolist(), (-lows).tolist(), strict=True):
                    width = above[i] - below[i]
                    if high < 0 or low > 0:
                        found.append(News(k, i, low > 0, 0.0))
                        (below if low > 0 else above)[i] = 0.0
                        continue
                    high, low = shortened(high, width, 10, 2), -shortened(-low, width, 10, 2)
                    if high < above[i] - width * worth:
                        found.append(News(k, i, False, high))
                        above[i] = high
                    if low > below[i] + width * worth:
                        found.append(News(k, i, True, low))
                        below[i] = low
            done.append(relaxed(known.below[k], known.above[k]))
        which = np.arange(len(self.levels.units))[None]
        upper = self.bounds.upper(known, done, self.levels.literals, self.bounds.sizes[-1], which, both=False)
        return found, self.sum(upper, known)[1]

    def write(self, place: Place, news: list[News]) -> Iterator[Step]:
        """Those that the kernel accepts."""
        for new in news:
            level = self.levels.levels[new.level]
            test = level.tests[new.relu]
            self.carry(place.known, new.level)
            row = Row("high" if new.above else "low", test, 1)
            step = self.bounded(place.ranges, test, Fraction(new.value) * level.units[new.relu], new.above, (row,))
            if step is not None:
                (place.known.below if new.above else place.known.above)[new.level][0, new.relu] = new.value
                yield step

    def carried(self, known: Boxes) -> list[Relaxed]:
        """The relaxations that the kernel's ranges give, in floats."""
        for k in range(len(self.levels.levels)):
            self.carry(known, k)
        return [relaxed(b, a) for b, a in zip(known.below, known.above, strict=True)]

    def carry(self, known: Boxes, k: int) -> None:
        """Interval arithmetic for the tests of one level."""
        atoms = [(known.low, known.high)]
        atoms += [(np.maximum(b, 0), np.maximum(a, 0)) for b, a in zip(known.below[:k], known.above[:k], strict=True)]
        least, most = self.bounds.interval(self.levels.levels[k].rows, atoms, self.bounds.sizes[k])
        np.fmax(known.below[k], least, out=known.below[k])
        np.fmin(known.above[k], most, out=known.above[k])

    def literals_of(self, known: Boxes) -> Upper:
        """Upper bounds of the literals by the kernel's ranges."""
        which = np.arange(len(self.levels.units))[None]
        relus = self.carried(known)
        return self.bounds.upper(known, relus, self.levels.literals, self.bounds.sizes[-1], which, both=False)

    # sides of the box

    def sides(self, place: Place, upper: Upper) -> Iterator[Step]:
        """Move the sides of the box to where a literal, or their sum, still lets the formula hold."""
        known = place.known
        times, _ = self.sum(upper, known)
        taken = [times, *(np.eye(len(times))[literal.row] for literal in self.literals)]
        for several in taken if len(self.literals) > 1 else taken[:1]:
            line, constant = several @ upper.weights[0], float(several @ upper.constant[0])
            for i, node in enumerate(self.levels.nodes):
                low, high = known.low[0], known.high[0]
                most = float(np.maximum(line * low, line * high).sum()) + constant
                width = high[i] - low[i]
                if self.whole[i] or most < 0 or most >= (1 - SIDE) * width * abs(line[i]):
                    continue
                above = bool(line[i] > 0)
                reach = most / abs(line[i])
                value = -shortened(reach - high[i], width, 10, 2) if above else shortened(low[i] + reach, width, 10, 2)
                step = self.bounded(place.ranges, node, Fraction(value), above, self.rows(several))
                if step is not None:
                    yield step
                    (known.low if above else known.high)[0, i] = value

    def bounded(self, ranges: Ranges, node: int, value: Fraction, above: bool, rows: tuple[Row, ...]) -> Bound | None:
        """The step that keeps one side of a cut, taken; None where the kernel does not accept it."""
        step = Bound(node, value, above, Farkas(rows))
        return step if keeps(self.scaled, ranges, step) else None


def shortened(value: float, width: float, bits: int, more: int = 0) -> float:
    """The value rounded down to a multiple of about width / 2^bits, plus so many multiples."""
    grain = ldexp(1.0, frexp(width)[1] - bits)
    return (floor(value / grain) + more) * grain
