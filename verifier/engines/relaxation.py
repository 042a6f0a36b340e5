"""The linear relaxation of a question on one branch: what HiGHS sees, and what its dual values mean to the kernel.

HiGHS computes in floats: its answers guide the search and propose multipliers, which the kernel checks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Literal, cast

import highspy
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from verifier.engines.ties import Ties, chords
from verifier.engines.trial import rounded_up
from verifier.kernel.circuit import Affine, Input, Select
from verifier.kernel.problem import GRAIN, Bound, Farkas, Row
from verifier.kernel.ranges import Ranges, Scaled

Floats = NDArray[np.float64]

TIMES, FINE = 1 << 30, 1 << 50
"""The largest multiplier of a certificate; of one with little slack."""
STEPS, SLOPES = 1 << 10, 1 << 20
"""Slopes are rounded to so many steps, short, and any slope is sound; to so many in bounds and where there is little
slack."""
PLENTY = 1e4
"""More slack than this is not asked for."""
ORDINARY = 12
"""Weights between 2^-12 and 2^12 are left as they are."""
READABLE = 500
"""Floats hold numbers between 2^-500 and 2^500, and products of two of them."""
PIVOTS = 2
"""Times columns and rows: after so many steps the primal simplex algorithm goes round in circles."""
LOOSE, CLOSE = 1e-5, 1e-7
"""A bound is this share of its range worse than floats say; one that is tried before."""
DUAL, PRIMAL, NEVER = 1, 4, 2**31 - 1
"""Simplex algorithms of HiGHS."""
INF: float = highspy.kHighsInf
OPTIONS = {
    "output_flag": False,
    "presolve": "off",
    "solver": "simplex",
    "simplex_dual_edge_weight_strategy": 1,  # Devex: steepest edges begin anew with every basis
    "threads": 1,
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
}


Parts = tuple[Fraction, Sequence[tuple[int, Fraction]]]
"""A constant and the terms of a sum of nodes."""
Form = tuple[dict[int, Any], Any]
"""Column -> weight, and a constant."""


class Relaxed(Struct, frozen=True):
    """`slack`: by how much all decided truths can hold at once, at `values` (a value a column); negative where they
    cannot, None where nothing satisfies the rest. `rows`, `columns`: dual values, positive for upper sides."""

    slack: float | None
    values: Floats
    rows: Floats
    columns: Floats


class Sides:
    """The upper sides of some columns, then the lower ones, in the order in which linear programs look for better ones:
    next, what the last point came nearest to, a share of the range (Gleixner, Berthold, Mueller, Weltge, JOGO 2017):
    from there it is not far. Sides that some point came near to are not looked at."""

    def __init__(self, columns: Sequence[int], low: Floats, high: Floats, worth: float) -> None:
        self.column, self.sign, self.worth = np.tile(columns, 2), np.repeat((1.0, -1.0), len(columns)), worth
        width = (high - low)[self.column]
        self.open = (width > 0.0) & (width < INF)
        self.width = np.where(self.open, width, 1.0)
        self.last = self.old = np.where(self.open, np.concatenate((high[columns], -low[columns])), 0.0)
        self.near = np.full(len(width), -INF)

    def next(self) -> int | None:
        """The place of a side, which is then done."""
        self.open &= better(self.near, self.old, self.width, self.worth)
        if not self.open.any():
            return None
        place = int(np.argmin(np.where(self.open, (self.old - self.last) / self.width, INF)))
        self.open[place] = False
        return place

    def seen(self, values: Floats) -> None:
        """A point of the relaxation."""
        self.last = self.sign * values[self.column]
        self.near = np.maximum(self.near, self.last)

    def better(self, place: int, bound: float) -> bool:
        """The bound of this side is worth having."""
        return bool(better(np.float64(bound), self.old[place], self.width[place], self.worth))


class Relaxation:
    """One linear program, taken from branch to branch by changing its bounds. It is made for a branch, and right on all
    of its parts: a relu that is decided there is replaced by what it is made of.

    Columns: inputs, the numeric choices that are open, tests of relus, tests and sides of jumps, runs of gaps that have
    an open relu, and last the slack s to be maximised. Rows: definitions of the affine columns; y >= t and y <= k t + b
    for a relu; the same for rise and run of a gap, both ways; the two branches of a jump; its six lines (`ties`); a row
    for a decided truth, made when it is first decided. `primal`: the algorithm to begin with, which takes half as long
    where most rows are those of jumps."""

    def __init__(self, scaled: Scaled, numeric: set[int], ranges: Ranges, primal: bool = False) -> None:
        self.scaled, self.programs, self.primal = scaled, 0, primal
        self.taken = {n: ranges.outcome(test) for n, (test, *_) in scaled.select.items()}
        open_ = [n for n in sorted(numeric) if self.taken.get(n, True) is None]
        self.relus = [n for n in open_ if n in scaled.relus]
        self.jumps = [n for n in open_ if n not in scaled.relus]
        self.ties = Ties(scaled, self.jumps)
        self.gaps = [g for g, (rise, _) in enumerate(scaled.gaps) if not {*self.pair(rise)}.isdisjoint(self.relus)]
        self.runs = [scaled.gaps[g][1] for g in self.gaps]
        self.rise = {run: scaled.gaps[g][0] for g, run in zip(self.gaps, self.runs, strict=True)}
        self.inputs = {n for n, node in enumerate(scaled.circuit) if isinstance(node, Input)}
        tests = [scaled.select[n][0] for n in self.relus]
        self.nodes = sorted({*self.inputs, *open_, *tests, *self.ties.nodes, *self.runs})
        self.column = {n: k for k, n in enumerate(self.nodes)}
        self.slack = len(self.nodes)
        self.defined = [n for n in self.nodes if n not in self.inputs and n not in open_]
        self.y, self.t, self.run = (
            np.array([self.column[n] for n in group], dtype=np.int32) for group in (self.relus, tests, self.runs)
        )
        self.twin = self._twins()
        self.exponent = self._exponents()
        exact = any(self.exponent[n] for n in self.nodes) or max(map(abs, self.exponent)) > READABLE
        self.number: Any = Fraction if exact else float
        self.forms: dict[int, Form] = {
            n: ({k: self.number(2) ** self.exponent[n]}, self.number(0)) for n, k in self.column.items()
        }
        self.entries: list[tuple[int, int, float]] = []  # row, column, value
        self.sides: list[float] = []  # the constant of an equation
        for n in self.defined:
            terms, constant = self._over(self._parts(n), self.exponent[n])
            self._row({self.column[n]: 1.0} | {k: -w for k, w in terms.items()}, constant)
        self.floor = len(self.sides)
        for y, t in zip(self.y, self.t, strict=True):
            self._row({int(y): 1.0, int(t): -1.0})
        self.roof = len(self.sides)
        self.at_slope: list[int] = []  # entries that a slope is taken off, another one on each branch
        for y, t in zip(self.y, self.t, strict=True):
            self._slope(int(t), {int(y): 1.0}, 0.0)
        for run in 2 * self.runs:
            self._slope(self.column[run], *self._over(self._parts(self.rise[run]), self.exponent[run]))
        self.branch = len(self.sides)
        for n in self.jumps:
            for side in (scaled.select[n][1], scaled.select[n][3]):
                terms, constant = self._over(alone(side), self.exponent[n])
                terms = {k: -w for k, w in terms.items()}
                terms[self.column[n]] = terms.get(self.column[n], 0.0) + 1.0
                self._row(terms, constant)
        self.tie = len(self.sides)
        self.ties.place(self.column, lambda n, jump: self._over(alone(n), self.exponent[jump]))
        for terms, sloping in self.ties.rows():
            places = {k: len(self.entries) + i for i, k in enumerate(terms)}
            self.at_slope += [places[k] for k in sloping]
            self._row(terms)
        self.end_of_ties, tied = len(self.sides), {*self.ties.jumps}
        firsts = np.array([self.branch + 2 * k for k, n in enumerate(self.jumps) if n in tied], dtype=np.int32)
        self.tie_branch = np.stack((firsts, firsts + 1))  # their rows where they are decided: test >= 0, test < 0
        self.literals: dict[tuple[int, bool], int] = {}
        self.highs = self._load()

    def pair(self, rise: int) -> tuple[int, int]:
        """The two relus of a gap."""
        (first, _), (second, _) = cast(Affine, self.scaled.circuit[rise]).terms
        return first, second

    def _twins(self) -> dict[int, tuple[int, int, int]]:
        """Columns of a test -> of its twin, of their difference, and its sign, where all three have one."""
        select, found = self.scaled.select, {}
        for run in self.runs:
            tests = [select[n][0] for n in self.pair(self.rise[run])]
            if all(t in self.column for t in tests):
                first, second = (self.column[t] for t in tests)
                found[first] = (second, self.column[run], 1)
                found[second] = (first, self.column[run], -1)
        return found

    def _exponents(self) -> list[int]:
        """Of each node, the exponent of the largest weight of what stands below it, down to the next columns; 0 if it
        is ordinary. Columns and rows are values over 2^exponent: forms whose integer weights have seventy digits stay
        readable, and what is said of such forms, too."""
        circuit, found = self.scaled.circuit, list[int]()
        for n, node in enumerate(circuit):
            match node:
                case Affine(terms):
                    most = max((magnitude(w) + found[j] for j, w in terms), default=0)
                case Select(_, then, otherwise):
                    sides = {True: (then,), False: (otherwise,), None: (then, otherwise)}[self.taken[n]]
                    most = max(found[j] for j in sides)
                case _:
                    most = 0
            found.append(most if n not in self.column else plain(most))
        return [plain(e) for e in found]

    # what columns stand for

    def _parts(self, n: int) -> Parts:
        """What a node is made of, on the branch that the program is made for; a run of the two tests."""
        if n in self.rise:
            first, second = (self.scaled.select[relu][0] for relu in self.pair(self.rise[n]))
            return Fraction(0), ((first, Fraction(1)), (second, Fraction(-1)))
        node = self.scaled.circuit[n]
        if isinstance(node, Affine):
            return node.constant, node.terms
        _, then, _, otherwise, _ = self.scaled.select[n]
        return alone(then if self.taken[n] else otherwise)

    def _over(self, parts: Parts, exponent: int) -> tuple[dict[int, float], float]:
        """A sum of nodes over 2^exponent, as a form of the columns."""
        self._expand([n for n, _ in parts[1]])
        total, constant = self._sum(parts)
        scale = self.number(2) ** -exponent
        return {k: float(w * scale) for k, w in total.items()}, float(constant * scale)

    def _expand(self, nodes: Sequence[int]) -> None:
        """Make the nodes forms of the columns."""
        todo = [*nodes]
        while todo:
            n = todo[-1]
            if n in self.forms:
                todo.pop()
                continue
            parts = self._parts(n)
            ahead = [j for j, _ in parts[1] if j not in self.forms]
            if ahead:
                todo += ahead
            else:
                self.forms[n] = self._sum(parts)

    def _sum(self, parts: Parts) -> Form:
        total: dict[int, Any] = {}
        constant = self.number(parts[0])
        for n, weight in parts[1]:
            w = self.number(weight)
            terms, more = self.forms[n]
            constant += w * more
            for k, v in terms.items():
                total[k] = total.get(k, 0) + w * v
        return total, constant

    def _row(self, terms: dict[int, float], constant: float = 0.0) -> None:
        self.entries += [(len(self.sides), k, w) for k, w in terms.items()]
        self.sides.append(constant)

    def _slope(self, t: int, terms: dict[int, float], constant: float) -> None:
        """A row whose entry at t is a slope."""
        self.at_slope.append(len(self.entries))
        self._row({t: 0.0} | terms, constant)

    def _load(self) -> Any:
        highs: Any = highspy.Highs()
        for option, value in OPTIONS.items():
            highs.setOptionValue(option, value)
        self.sloping, self.slope_of = np.unique(np.array(self.at_slope, dtype=np.int32), return_inverse=True)
        self.constants = np.array(self.sides[self.roof : self.branch])
        self.at_row = np.array([r for r, _, _ in self.entries], dtype=np.int32)
        self.at_column = np.array([k for _, k, _ in self.entries], dtype=np.int32)
        self.value = np.array([w for _, _, w in self.entries])
        self.steady = self.value[self.sloping]
        self.value[self.sloping] -= 0.5  # HiGHS keeps no entries that are 0
        self.low, self.high = np.full(self.slack + 1, -INF), np.full(self.slack + 1, INF)
        self.high[self.slack] = PLENTY
        self.row_low, self.row_high = np.full(len(self.sides), -INF), np.full(len(self.sides), INF)
        self.row_low[: self.floor] = self.row_high[: self.floor] = self.sides[: self.floor]
        self.row_low[self.floor : self.roof] = 0.0
        lp: Any = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.slack + 1, len(self.sides)
        lp.col_cost_ = np.append(np.zeros(self.slack), -1.0)
        lp.col_lower_, lp.col_upper_ = self.low.copy(), self.high.copy()
        lp.row_lower_, lp.row_upper_ = self.row_low.copy(), self.row_high.copy()
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.searchsorted(self.at_row, np.arange(len(self.sides) + 1)).astype(np.int32)
        lp.a_matrix_.index_, lp.a_matrix_.value_ = self.at_column, self.value
        highs.passModel(lp)
        return highs

    # to a branch

    def move(self, ranges: Ranges, asserted: Iterable[tuple[int, bool]]) -> None:
        """`ranges` are those of the branch, none of them empty; `asserted` its decided truths: (node, node >= 0)."""
        unit = self.scaled.unit
        low, high = floats(ranges, unit, self.nodes, self.exponent)
        rows = [(self._literal(n, above), n, above) for n, above in asserted]
        row_low, row_high = self.row_low.copy(), self.row_high.copy()
        row_low[self.branch :], row_high[self.branch :] = -INF, INF
        for k, n in enumerate(self.jumps):
            taken = ranges.outcome(self.scaled.select[n][0])
            if taken is not None:
                row = self.branch + 2 * k + (not taken)
                row_low[row] = row_high[row] = self.sides[row]
        for row, n, above in rows:
            bound = ranges.low[n] if above else ranges.high[n]
            if bound is not None:
                (row_low if above else row_high)[row] = ratio(bound, unit[n], self.exponent[n]) - self.sides[row]
        self.base = low, high
        self._set(low, high, row_low, row_high)

    def _set(self, low: Floats, high: Floats, row_low: Floats, row_high: Floats) -> None:
        """Ranges of the columns, and what follows for the rows of relus and gaps."""
        count, pairs = len(self.relus), len(self.gaps)
        row_low[self.floor : self.roof] = np.where(high[self.t] <= 0, -INF, 0.0)
        row_high[self.floor : self.roof] = np.where(low[self.t] >= 0, 0.0, INF)
        self.tops, self.shifts = chords(
            np.concatenate((low[self.t], low[self.run], -high[self.run])),
            np.concatenate((high[self.t], high[self.run], -low[self.run])),
        )
        row_low[self.roof : self.branch], row_high[self.roof : self.branch] = -INF, INF
        row_high[self.roof : self.roof + count + pairs] = self.shifts[: count + pairs]
        row_low[self.roof + count + pairs : self.branch] = -self.shifts[count + pairs :]
        row_high[self.roof : self.branch] -= self.constants
        row_low[self.roof : self.branch] -= self.constants
        slopes = self.tops
        if self.ties.jumps:
            open_ = ~(row_low[self.tie_branch] == row_high[self.tie_branch]).any(axis=0)
            ties = slice(self.tie, self.end_of_ties)
            lines, row_low[ties], row_high[ties] = self.ties.lines(low, high, open_)
            slopes = np.concatenate((slopes, lines))
        self._slopes(slopes)
        self._change(self.highs.changeColsBounds, (self.low[:-1], self.high[:-1]), (low, high))
        self._change(self.highs.changeRowsBounds, (self.row_low, self.row_high), (row_low, row_high))

    def _change(self, change: Any, old: tuple[Floats, Floats], new: tuple[Floats, Floats]) -> None:
        where = np.flatnonzero((old[0] != new[0]) | (old[1] != new[1])).astype(np.int32)
        if where.size:
            change(where.size, where, new[0][where], new[1][where])
            old[0][where], old[1][where] = new[0][where], new[1][where]

    def _slopes(self, slopes: Floats) -> None:
        values = self.steady - np.bincount(self.slope_of, slopes, minlength=len(self.sloping))
        for k in np.flatnonzero(np.abs(values - self.value[self.sloping]) > 1e-12):
            place = self.sloping[k]
            self.value[place] = values[k]
            self.highs.changeCoeff(int(self.at_row[place]), int(self.at_column[place]), float(values[k]))

    def _literal(self, n: int, above: bool) -> int:
        """The row of a decided truth: form - s >= least, or form + s <= greatest, in the size of its weights. Without
        slack where only inputs occur: those rows are exact already."""
        if (n, above) not in self.literals:
            terms, constant = self._over(alone(n), self.exponent[n])
            if not {self.nodes[k] for k in terms} <= self.inputs:
                terms[self.slack] = -1.0 if above else 1.0
            row = self.literals[n, above] = len(self.sides)
            self._row(terms, constant)
            index, value = np.array([*terms], dtype=np.int32), np.array([*terms.values()])
            self.highs.addRow(-INF, INF, len(index), index, value)
            self.row_low, self.row_high = np.append(self.row_low, -INF), np.append(self.row_high, INF)
            self.at_row = np.append(self.at_row, np.full(len(index), row, dtype=np.int32))
            self.at_column, self.value = np.append(self.at_column, index), np.append(self.value, value)
        return self.literals[n, above]

    def mixed(self) -> set[int]:
        """The relus that are not decided on the branch."""
        return {n for n, undecided in zip(self.relus, self._open(), strict=True) if undecided}

    def _open(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (self.low[self.t] < 0) & (self.high[self.t] > 0)
        return found

    # solving

    def _run(self, seconds: float, start: Any, primal: bool) -> Any:
        """What HiGHS comes to, by the primal simplex algorithm or the dual one; by that, too, where the other one goes
        round in circles."""
        self.programs += 1
        if start is not None and len(start.row_status) == len(self.sides):
            self.highs.setBasis(start)
        end = self.highs.getRunTime() + max(0.01, seconds)
        for strategy in (PRIMAL, DUAL) if primal else (DUAL,):
            self.highs.setOptionValue("simplex_strategy", strategy)
            steps = PIVOTS * (self.slack + len(self.sides)) if strategy == PRIMAL else NEVER
            self.highs.setOptionValue("simplex_iteration_limit", steps)
            self.highs.setOptionValue("time_limit", end)
            self.highs.run()
            status = self.highs.getModelStatus()
            if status != highspy.HighsModelStatus.kIterationLimit:
                break
            self.highs.clearSolver()
        return status

    def solve(self, seconds: float, start: Any = None) -> Relaxed | None:
        """None where HiGHS comes to no clear answer in time. `start`: the basis to begin with."""
        status = self._run(seconds, start, self.primal)
        if status == highspy.HighsModelStatus.kOptimal:
            return self._optimal()
        if status == highspy.HighsModelStatus.kInfeasible:
            _, there, ray = self.highs.getDualRay()
            if not there:
                return Relaxed(None, np.empty(0), np.zeros(len(self.sides)), np.zeros(self.slack + 1))
            rows = np.array(ray, dtype=np.float64)
            parts = self.value * rows[self.at_row]
            columns: Floats = -np.bincount(self.at_column, parts, minlength=self.slack + 1).astype(np.float64)
            return Relaxed(None, np.empty(0), -rows, -columns)
        return None

    def ahead(self, test: int, above: bool, seconds: float, start: Any) -> float | None:
        """The slack where a test is >= 0, or <= 0, on the branch that `move` went to last: -inf where nothing is left.
        Of what follows for other nodes, only that for its twin is looked at."""
        t = self.column[test]
        low, high = self.base[0].copy(), self.base[1].copy()
        (low if above else high)[t] = 0.0
        if t in self.twin:
            other, run, sign = self.twin[t]  # sign * run = t - other
            near, far = (low[run], high[run]) if sign > 0 else (-high[run], -low[run])
            low[other] = max(low[other], low[t] - far)
            high[other] = min(high[other], high[t] - near)
            if low[other] > high[other]:
                return -INF
        high[self.y] = np.minimum(high[self.y], np.maximum(high[self.t], 0.0))
        low[self.y] = np.maximum(low[self.y], low[self.t])
        row_low, row_high = self.row_low.copy(), self.row_high.copy()
        taken = self.tie_branch[int(not above), self.ties.t == t]
        row_low[taken] = row_high[taken] = np.array(self.sides)[taken]
        self._set(low, high, row_low, row_high)
        status = self._run(seconds, start, self.primal)
        if status == highspy.HighsModelStatus.kOptimal:
            return -float(self.highs.getObjectiveValue())
        return -INF if status == highspy.HighsModelStatus.kInfeasible else None

    def bounds(self, nodes: Sequence[int], worth: float, seconds: float, close: bool = False) -> Iterator[Bound]:
        """Better bounds of some columns than the branch has, that `move` went to last: they decide a relu, or take off
        this share of the range. Sides that a point of the relaxation came near to are not asked for. `close`: nearly as
        good as floats say."""
        end, loose = time.monotonic() + seconds, CLOSE if close else LOOSE
        sides = Sides([self.column[n] for n in nodes], *self.base, worth)
        self.highs.changeColCost(self.slack, 0.0)
        self.highs.changeColBounds(self.slack, 0.0, PLENTY)
        try:
            while (place := sides.next()) is not None:
                if time.monotonic() > end:
                    return
                k, sign = int(sides.column[place]), float(sides.sign[place])
                self.highs.changeColCost(k, -sign)
                status = self._run(end - time.monotonic(), None, primal=True)
                self.highs.changeColCost(k, 0.0)
                if status == highspy.HighsModelStatus.kInfeasible:
                    return
                if status != highspy.HighsModelStatus.kOptimal:
                    continue
                found = self._optimal()
                sides.seen(found.values)
                n, above = self.nodes[k], sign < 0
                bound = float(sign * found.values[k] + loose * sides.width[place])
                if not sides.better(place, bound):
                    continue
                value = rounded_up(bound) * Fraction(2) ** self.exponent[n]
                if (step := self.end(found, (n, sign * bound, above))) is not None:
                    yield Bound(n, -value if above else value, above, step)
        finally:
            self.highs.changeColCost(self.slack, -1.0)
            self.highs.changeColBounds(self.slack, -INF, PLENTY)

    def _optimal(self) -> Relaxed:
        solution = self.highs.getSolution()
        rows, values = -np.array(solution.row_dual), np.array(solution.col_value)
        return Relaxed(float(values[self.slack]), values, rows, -np.array(solution.col_dual))

    def basis(self) -> Any:
        """Where HiGHS came to an end."""
        return self.highs.getBasis()

    def worth(self, relaxed: Relaxed) -> Iterator[tuple[int, float]]:
        """How much of the slack is due to the relaxation of which relu."""
        roofs = relaxed.rows[self.roof : self.roof + len(self.relus)]
        for k in np.flatnonzero((roofs > 0) & self._open()):
            yield self.relus[k], float(roofs[k] * self.shifts[k])

    def errors(self, relaxed: Relaxed) -> dict[int, float]:
        """By how much the relaxation is wrong about relus and jumps."""
        values = relaxed.values
        relus = np.abs(values[self.y] - np.maximum(values[self.t], 0.0))
        jumps = zip(self.ties.jumps, self.ties.errors(values).tolist(), strict=True)
        return dict([*zip(self.relus, relus.tolist(), strict=True), *jumps])

    def end(self, relaxed: Relaxed, bound: tuple[int, float, bool] | None = None, fine: bool = False) -> Farkas | None:
        """Dual values as rows of a certificate: a positive one stands for an upper side, a negative one for a lower.
        `bound`: the relaxation was solved for the largest value of a node, or the least (`above`); what is closed is
        where it lies beyond. `fine`: with longer numbers, as those of bounds are."""
        rows, columns = relaxed.rows, relaxed.columns
        node, beyond, above = bound or (-1, 0.0, False)
        least = 0.0 if bound is None else 1.0
        times, steps = (TIMES, STEPS) if bound is None and not fine else (FINE, SLOPES)
        size = max(np.abs(rows).max(initial=least), np.abs(columns[:-1]).max(initial=0.0))
        if not size:
            return None
        rows, columns = rows / size * times, columns / size * times
        found: list[tuple[Literal["low", "high", "rise", "fall"], int, int, int]] = []

        def add(kind: Literal["low", "high", "rise", "fall"], place: int, weight: float, exponent: int) -> None:
            if weight > 0.5:
                found.append((kind, place, round(weight), exponent))

        if bound is not None:
            add("high" if above else "low", node, times / size, self.exponent[node])
        for (n, truth), row in self.literals.items():
            add("low" if truth else "high", n, -rows[row] if truth else rows[row], self.exponent[n])
        for n in self.defined:
            if weight := columns[self.column[n]]:
                add("high" if weight > 0 else "low", n, abs(weight), self.exponent[n])
        count, pairs = len(self.relus), len(self.gaps)
        roofs = rows[self.roof : self.branch]
        mixed = self.mixed()
        for n in (*self.relus, *self.jumps):
            weight = columns[self.column[n]]
            if weight > 0 or (weight and n not in mixed):
                add("high" if weight > 0 else "low", n, abs(weight), self.exponent[n])
        for k, (g, run) in enumerate(zip(self.gaps, self.runs, strict=True)):
            add("rise", g, roofs[count + k], self.exponent[run])
            add("fall", g, -roofs[count + pairs + k], self.exponent[run])
        slopes: list[tuple[int, ...]] = [*self.ties.shares(rows[self.tie : self.end_of_ties])]
        roof, below = np.maximum(roofs[:count], 0.0), np.maximum(-rows[self.floor : self.roof], 0.0)
        flat = np.maximum(-columns[self.y], 0.0)
        for k in np.flatnonzero((roof > 0) | (below > 0) | (flat > 0)).tolist():
            n, test = self.relus[k], self.scaled.select[self.relus[k]][0]
            if n not in mixed:
                continue
            chord = self.tops[k]
            if test == node:
                low, high = (self.low[self.t[k]], beyond) if above else (beyond, self.high[self.t[k]])
                if low >= 0:
                    add("high", test, roof[k] * (1 - chord), self.exponent[n])
                    add("low", test, flat[k], self.exponent[n])
                    continue
                if high <= 0:
                    add("low", test, roof[k] * chord, self.exponent[n])
                    add("high", test, below[k], self.exponent[n])
                    continue
                steeper = high / (high - low) - chord  # the chord of what is left
                rest = max(0.0, roof[k] - below[k] - flat[k])
                add("low" if above else "high", test, rest * abs(steeper), self.exponent[n])
            twice = min(roof[k], below[k])  # chord and line: together they say that the test is at most its greatest
            add("high", test, twice * (1 - chord), self.exponent[n])
            lower, rest = below[k] - twice, roof[k] - twice
            twice = min(rest, flat[k])
            add("low", test, twice * chord, self.exponent[n])
            if (total := lower + flat[k] - twice) > 0:
                slopes.append((n, round(lower / total * steps) * (1 << GRAIN) // steps))
        largest = max((e for *_, e in found), default=0)
        parts = tuple(Row(kind, place, times << (largest - e)) for kind, place, times, e in found)
        return Farkas(parts, tuple(slopes))


def alone(n: int) -> Parts:
    return Fraction(0), ((n, Fraction(1)),)


def plain(exponent: int) -> int:
    """0 for what is ordinary."""
    return exponent if abs(exponent) > ORDINARY else 0


def magnitude(number: Fraction) -> int:
    """The size of a number, as a power of two."""
    return number.numerator.bit_length() - number.denominator.bit_length()


def floats(
    ranges: Ranges, unit: Sequence[int], nodes: Sequence[int], exponent: Sequence[int] | None = None
) -> tuple[Floats, Floats]:
    """The ranges of some nodes over 2^exponent, infinite where nothing is known."""
    sizes = exponent or [0] * len(unit)
    low = np.array([-INF if (b := ranges.low[n]) is None else ratio(b, unit[n], sizes[n]) for n in nodes])
    return low, np.array([INF if (b := ranges.high[n]) is None else ratio(b, unit[n], sizes[n]) for n in nodes])


def better(new: Any, old: Any, width: Any, worth: float) -> Any:
    """Upper bounds that take this share off a range, or decide a relu."""
    return (new + worth * width < old) | ((new < 0.0) & (old >= 0.0))


def ratio(bound: int, unit: int, exponent: int) -> float:
    """bound / unit / 2^exponent, where only the last of these may be one that floats hold."""
    return bound / (unit << exponent) if exponent >= 0 else (bound << -exponent) / unit
