"""The linear relaxation of a question on one branch: what HiGHS sees, and what its dual values mean to the kernel.

HiGHS computes in floats: its answers guide the search and propose multipliers, which the kernel checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ldexp
from typing import Any, Literal, cast

import highspy
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from verifier.kernel.circuit import Affine, Input
from verifier.kernel.problem import GRAIN, Farkas, Row
from verifier.kernel.ranges import Ranges, Scaled

Floats = NDArray[np.float64]

TIMES = 1 << 30
"""The largest multiplier of a certificate."""
STEPS = 1 << 10
"""Slopes are rounded to so many steps: short, and any slope is sound."""
PLENTY = 1e4
"""More slack than this is not asked for."""
ORDINARY = 12
"""Weights between 2^-12 and 2^12 are left as they are."""
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


class Relaxed(Struct, frozen=True):
    """`slack`: by how much all decided truths can hold at once, at `values` (a value a column); negative where they
    cannot, None where nothing satisfies the rest. `rows`, `columns`: dual values, positive for upper sides."""

    slack: float | None
    values: Floats
    rows: Floats
    columns: Floats


class Relaxation:
    """One linear program, taken from branch to branch by changing its bounds.

    Columns: inputs, numeric choices, tests of relus, rises and runs of gaps, and last the slack s to be maximised.
    Rows: definitions of the affine columns; y >= t and y <= k t + b a relu; the same for rise and run of a gap, both
    ways; the two branches a jump; a row a decided truth, made when it is first decided."""

    def __init__(self, scaled: Scaled, numeric: set[int]) -> None:
        circuit = scaled.circuit
        self.scaled = scaled
        self.relus = [n for n in sorted(numeric) if n in scaled.relus]
        self.jumps = [n for n in sorted(numeric) if n in scaled.select and n not in scaled.relus]
        self.inputs = inputs = {n for n, node in enumerate(circuit) if isinstance(node, Input)}
        spans = {n for gap in scaled.gaps for n in gap}
        self.nodes = sorted(inputs | spans | {*self.relus, *self.jumps} | {scaled.select[n][0] for n in self.relus})
        self.column = {n: k for k, n in enumerate(self.nodes)}
        self.slack = len(self.nodes)
        self.defined = [n for n in self.nodes if n in scaled.affine]
        self.y, self.t, self.rise, self.run = (
            np.array([self.column[n] for n in group], dtype=np.int32)
            for group in (
                self.relus,
                [scaled.select[n][0] for n in self.relus],
                [rise for rise, _ in scaled.gaps],
                [run for _, run in scaled.gaps],
            )
        )
        self.exponent = self._exponents()
        self.scale = np.array([self.scale_of(n) for n in self.nodes])
        self.entries: list[tuple[int, int, float]] = []  # row, column, value
        self.sides: list[float] = []  # the constant of an equation
        for n in self.defined:
            terms, constant = self._form(n, self.exponent[n], inside=True)
            self._row({self.column[n]: 1.0} | {k: -w for k, w in terms.items()}, constant)
        self.floor = len(self.sides)
        for y, t in zip(self.y, self.t, strict=True):
            self._row({int(y): 1.0, int(t): -1.0})
        self.roof, self.first = len(self.sides), len(self.entries)
        for upper, of in ((self.y, self.t), (self.rise, self.run), (self.rise, self.run)):
            for y, t in zip(upper, of, strict=True):
                self._row({int(t): -0.5, int(y): 1.0})  # 0.5: the slope, which changes from branch to branch
        self.branch = len(self.sides)
        for n in self.jumps:
            for side in (scaled.select[n][1], scaled.select[n][3]):
                terms, constant = self._form(side, self.exponent[n])
                terms = {k: -w for k, w in terms.items()}
                terms[self.column[n]] = terms.get(self.column[n], 0.0) + 1.0
                self._row(terms, constant)
        self.literals: dict[tuple[int, bool], int] = {}
        self.literal_exponent: dict[int, int] = {}
        self.highs = self._load()

    def _exponents(self) -> dict[int, int]:
        """Columns are values over 2^exponent: forms whose integer weights have seventy digits stay readable."""
        scaled = self.scaled
        found = dict.fromkeys(self.nodes, 0)
        for n in self.defined:
            found[n] = magnitude(w for _, w in cast(Affine, scaled.circuit[n]).terms)
        for n in self.relus:
            found[n] = found[scaled.select[n][0]]
        for rise, run in scaled.gaps:
            found[rise] = found[run] = found[cast(Affine, scaled.circuit[rise]).terms[0][0]]
        return found

    def _form(self, n: int, exponent: int, inside: bool = False) -> tuple[dict[int, float], float]:
        """A node over 2^exponent, over the columns (`inside`: what its own column stands for)."""
        at = self.scaled.circuit[n]
        if not exponent and isinstance(at, Affine) and all(j in self.column for j, _ in at.terms):
            return {self.column[j]: float(w) * self.scale_of(j) for j, w in at.terms}, float(at.constant)
        total: dict[int, Fraction] = {}
        constant = Fraction(0)
        todo = [(n, Fraction(2) ** -exponent)]
        while todo:
            j, w = todo.pop()
            if j in self.column and not (inside and j == n):
                total[j] = total.get(j, Fraction(0)) + w
                continue
            node = self.scaled.circuit[j]
            assert isinstance(node, Affine)
            constant += w * node.constant
            todo += [(k, w * v) for k, v in node.terms]
        return {self.column[j]: float(w * Fraction(2) ** self.exponent[j]) for j, w in total.items()}, float(constant)

    def scale_of(self, n: int) -> float:
        return ldexp(1.0, self.exponent[n])

    def _row(self, terms: dict[int, float], constant: float = 0.0) -> None:
        self.entries += [(len(self.sides), k, w) for k, w in terms.items()]
        self.sides.append(constant)

    def _load(self) -> Any:
        highs: Any = highspy.Highs()
        for option, value in OPTIONS.items():
            highs.setOptionValue(option, value)
        self.at_row = np.array([r for r, _, _ in self.entries], dtype=np.int32)
        self.at_column = np.array([k for _, k, _ in self.entries], dtype=np.int32)
        self.value = np.array([w for _, _, w in self.entries])
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
        low = np.array([-INF if (b := ranges.low[n]) is None else b / unit[n] for n in self.nodes]) / self.scale
        high = np.array([INF if (b := ranges.high[n]) is None else b / unit[n] for n in self.nodes]) / self.scale
        rows = [(self._literal(n, above), n, above) for n, above in asserted]
        row_low, row_high = np.full(len(self.row_low), -INF), np.full(len(self.row_low), INF)
        row_low[: self.floor] = row_high[: self.floor] = self.sides[: self.floor]
        count, pairs = len(self.relus), len(self.rise)
        row_low[self.floor : self.roof] = np.where(high[self.t] <= 0, -INF, 0.0)
        row_high[self.floor : self.roof] = np.where(low[self.t] >= 0, 0.0, INF)
        tops, shifts = zip(
            chords(low[self.t], high[self.t]),
            chords(low[self.run], high[self.run]),
            chords(-high[self.run], -low[self.run]),
            strict=True,
        )
        self.tops, self.shifts = np.concatenate(tops), np.concatenate(shifts)
        row_high[self.roof : self.roof + count + pairs] = self.shifts[: count + pairs]
        row_low[self.roof + count + pairs : self.branch] = -self.shifts[count + pairs :]
        for k, n in enumerate(self.jumps):
            taken = ranges.outcome(self.scaled.select[n][0])
            if taken is not None:
                row = self.branch + 2 * k + (not taken)
                row_low[row] = row_high[row] = self.sides[row]
        for row, n, above in rows:
            bound = ranges.low[n] if above else ranges.high[n]
            if bound is not None:
                side = bound / unit[n] if bound else 0.0
                (row_low if above else row_high)[row] = ldexp(side, -self.literal_exponent[n]) - self.sides[row]
        self._slopes(self.tops)
        self._change(self.highs.changeColsBounds, (self.low[:-1], self.high[:-1]), (low, high))
        self._change(self.highs.changeRowsBounds, (self.row_low, self.row_high), (row_low, row_high))

    def _change(self, change: Any, old: tuple[Floats, Floats], new: tuple[Floats, Floats]) -> None:
        where = np.flatnonzero((old[0] != new[0]) | (old[1] != new[1])).astype(np.int32)
        if where.size:
            change(where.size, where, new[0][where], new[1][where])
            old[0][where], old[1][where] = new[0][where], new[1][where]

    def _slopes(self, slopes: Floats) -> None:
        places = self.first + 2 * np.arange(len(slopes))
        for k in np.flatnonzero(np.abs(slopes + self.value[places]) > 1e-12):
            place = places[k]
            self.value[place] = -slopes[k]
            self.highs.changeCoeff(int(self.at_row[place]), int(self.at_column[place]), -float(slopes[k]))

    def _literal(self, n: int, above: bool) -> int:
        """The row of a decided truth: form - s >= least, or form + s <= greatest, in the size of its weights. Without
        slack where only inputs occur: those rows are exact already."""
        if (n, above) not in self.literals:
            node = self.scaled.circuit[n]
            exponent = magnitude((w for _, w in node.terms) if isinstance(node, Affine) else ())
            self.literal_exponent[n] = exponent
            terms, constant = self._form(n, exponent)
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

    def solve(self, seconds: float, start: Any = None) -> Relaxed | None:
        """None where HiGHS comes to no clear answer in time. `start`: the basis to begin with."""
        if start is not None and len(start.row_status) == len(self.sides):
            self.highs.setBasis(start)
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + max(0.01, seconds))
        self.highs.run()
        status = self.highs.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            solution = self.highs.getSolution()
            rows, values = -np.array(solution.row_dual), np.array(solution.col_value)
            return Relaxed(float(values[self.slack]), values, rows, -np.array(solution.col_dual))
        if status == highspy.HighsModelStatus.kInfeasible:
            _, there, ray = self.highs.getDualRay()
            if not there:
                return Relaxed(None, np.empty(0), np.zeros(len(self.sides)), np.zeros(self.slack + 1))
            rows = np.array(ray, dtype=np.float64)
            parts = self.value * rows[self.at_row]
            columns: Floats = -np.bincount(self.at_column, parts, minlength=self.slack + 1).astype(np.float64)
            return Relaxed(None, np.empty(0), -rows, -columns)
        return None

    def basis(self) -> Any:
        """Where HiGHS came to an end."""
        return self.highs.getBasis()

    def worth(self, relaxed: Relaxed) -> Iterator[tuple[int, float]]:
        """How much of the slack is due to the relaxation of which relu."""
        roofs = relaxed.rows[self.roof : self.roof + len(self.relus)]
        for k in np.flatnonzero((roofs > 0) & self._open()):
            yield self.relus[k], float(roofs[k] * self.shifts[k])

    def end(self, relaxed: Relaxed) -> Farkas | None:
        """Dual values as rows of a certificate: a positive one stands for an upper side, a negative one for a lower."""
        rows, columns = relaxed.rows, relaxed.columns
        size = max(np.abs(rows).max(initial=0.0), np.abs(columns[:-1]).max(initial=0.0))
        if not size:
            return None
        rows, columns = rows / size * TIMES, columns / size * TIMES
        found: list[tuple[Literal["low", "high", "rise", "fall"], int, int, int]] = []

        def add(kind: Literal["low", "high", "rise", "fall"], place: int, weight: float, exponent: int) -> None:
            if weight > 0.5:
                found.append((kind, place, round(weight), exponent))

        for (n, above), row in self.literals.items():
            add("low" if above else "high", n, -rows[row] if above else rows[row], self.literal_exponent[n])
        for n in self.defined:
            if weight := columns[self.column[n]]:
                add("high" if weight > 0 else "low", n, abs(weight), self.exponent[n])
        count, pairs = len(self.relus), len(self.rise)
        roofs = rows[self.roof : self.branch]
        mixed = self.mixed()
        for n in (*self.relus, *self.jumps):
            weight = columns[self.column[n]]
            if weight > 0 or (weight and n not in mixed):
                add("high" if weight > 0 else "low", n, abs(weight), self.exponent[n])
        for g, (rise, _) in enumerate(self.scaled.gaps):
            add("rise", g, roofs[count + g], self.exponent[rise])
            add("fall", g, -roofs[count + pairs + g], self.exponent[rise])
        slopes: list[tuple[int, int]] = []
        roof, below = np.maximum(roofs[:count], 0.0), np.maximum(-rows[self.floor : self.roof], 0.0)
        flat = np.maximum(-columns[self.y], 0.0)
        for k in np.flatnonzero((roof > 0) | (below > 0) | (flat > 0)):
            n, test = self.relus[k], self.scaled.select[self.relus[k]][0]
            if n not in mixed:
                continue
            twice = min(roof[k], below[k])  # chord and line: together they say that the test is at most its greatest
            add("high", test, twice * (1 - self.tops[k]), self.exponent[n])
            lower, rest = below[k] - twice, roof[k] - twice
            twice = min(rest, flat[k])
            add("low", test, twice * self.tops[k], self.exponent[n])
            if (total := lower + flat[k] - twice) > 0:
                slopes.append((n, round(lower / total * STEPS) * (1 << GRAIN) // STEPS))
        largest = max((e for *_, e in found), default=0)
        parts = tuple(Row(kind, place, times << (largest - e)) for kind, place, times, e in found)
        return Farkas(parts, tuple(slopes))


def magnitude(weights: Iterable[Fraction]) -> int:
    """The exponent of the largest weight, 0 where it is ordinary."""
    largest = max((abs(w) for w in weights), default=Fraction(1))
    exponent = largest.numerator.bit_length() - largest.denominator.bit_length()
    return exponent if abs(exponent) > ORDINARY else 0


def chords(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """(k, b) with relu(v) <= k v + b for low <= v <= high; b is infinite where there is no such line."""
    slope, shift = np.zeros_like(low), np.full_like(low, INF)
    mixed = (low < 0) & (high > 0) & (low > -INF) & (high < INF)
    slope[mixed] = high[mixed] / (high[mixed] - low[mixed])
    shift[mixed] = -slope[mixed] * low[mixed]
    above = (low >= 0) | ((high == INF) & (low > -INF))
    slope[above], shift[above] = 1.0, -np.minimum(low[above], 0.0)
    below = (high <= 0) | ((low == -INF) & (high < INF))
    slope[below], shift[below] = 0.0, np.maximum(high[below], 0.0)
    return slope, shift
