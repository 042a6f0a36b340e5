"""Linear programs, exactly. HiGHS finds in floats which sides an optimum lies on; flint solves for the point and the
weights in rationals; both are checked. Where floats are wrong about it there is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from verifier.canonical import simplex
from verifier.canonical.simplex import Conflict, Inequality, Solution
from verifier.query.piece import Piece

LARGE = 900
"""Inequalities times inputs from which floats are worth their loading."""
PIVOTS = 2000
"""Of a descent."""
ZERO, ONE = Fraction(0), Fraction(1)
Bounds = Sequence[Fraction | None]
Goal = Mapping[int, Fraction]


class Optimum:
    """The largest sum of goal[i] * x[i] where low <= x <= high and all inequalities hold, weakly."""

    def __init__(self, goal: Goal, inequalities: Sequence[Inequality], low: Bounds, high: Bounds) -> None:
        self.goal, self.inequalities, self.low, self.high = goal, inequalities, low, high
        guess = basis(goal, inequalities, low, high)
        self.guessed = guess is not None
        self.sides, self.active = guess or ([], [])
        self.basic = [i for i, side in enumerate(self.sides) if side is None]

    @cached_property
    def point(self) -> tuple[Fraction, ...] | None:
        """The corner that floats found, if it is a corner of these inequalities."""
        if not self.guessed:
            return None
        point = [ZERO if side is None else side for side in self.sides]
        matrix = [[self.inequalities[k].terms.get(i, ZERO) for i in self.basic] for k in self.active]
        found = solved(matrix, [-at(self.inequalities[k], point) for k in self.active])
        if found is None:
            return None
        for i, x in zip(self.basic, found, strict=True):
            point[i] = x
        within = zip(point, self.low, self.high, strict=True)
        if any((lo is not None and x < lo) or (hi is not None and x > hi) for x, lo, hi in within):
            return None
        return None if any(at(row, point) < 0 for row in self.inequalities) else tuple(point)

    @cached_property
    def bound(self) -> tuple[Fraction, Mapping[int, Fraction]] | None:
        """A number that the goal is nowhere above, and weights > 0 of inequalities that show it: goal + sum of weight *
        inequality is nowhere in the box above the number."""
        if not self.guessed:
            return None
        matrix = [[self.inequalities[k].terms.get(i, ZERO) for k in self.active] for i in self.basic]
        found = solved(matrix, [-self.goal.get(i, ZERO) for i in self.basic])
        if found is None or any(w < 0 for w in found):
            return None
        weights = {k: w for k, w in zip(self.active, found, strict=True) if w}
        slopes, total = dict(self.goal), ZERO
        for k, w in weights.items():
            total += w * self.inequalities[k].constant
            for i, a in self.inequalities[k].terms.items():
                slopes[i] = slopes.get(i, ZERO) + w * a
        for i, slope in slopes.items():
            if slope:
                side = (self.high if slope > 0 else self.low)[i]
                if side is None:
                    return None
                total += slope * side
        return total, weights

    @property
    def attained(self) -> bool:
        """The bound is attained at the point: both are optimal."""
        if self.point is None or self.bound is None:
            return False
        return sum((w * self.point[i] for i, w in self.goal.items()), ZERO) == self.bound[0]


def corner(
    goal: Goal, inequalities: Sequence[Inequality], low: Bounds, high: Bounds, start: Sequence[Fraction]
) -> tuple[Fraction, ...] | None:
    """Where goal is largest, as if strict inequalities were weak; `start`, where it holds, if that takes too long. None
    where there is no end to it."""
    if len(inequalities) * len(low) >= LARGE:
        best = Optimum(goal, inequalities, low, high)
        if best.attained and best.point is not None:
            return best.point
    minus = Inequality({i: -w for i, w in goal.items()}, ZERO)
    tableau = simplex.Tableau([*inequalities, minus], low, high, start=start)
    try:
        found = tableau.descend(len(low) + len(inequalities), PIVOTS)
    except simplex.Stopped:
        return tuple(start)
    return None if found is None else found.point


def polyhedron(piece: Piece, count: int) -> tuple[list[Inequality], list[Fraction | None], list[Fraction | None]]:
    """The rows of a piece, and the sides of its box: what is weakly said of one input."""
    rows = [Inequality(dict(row.weights), row.constant, strict=True) for row in piece.strict]
    low: list[Fraction | None] = [None] * count
    high = low.copy()
    for row in piece.weak:
        if len(row.weights) > 1:
            rows.append(Inequality(dict(row.weights), row.constant))
            continue
        ((i, w),) = row.weights
        side, bound = -row.constant / w, low if w > 0 else high
        known = bound[i]
        bound[i] = side if known is None else max(known, side) if w > 0 else min(known, side)
    return rows, low, high


def solve(
    inequalities: Sequence[Inequality], low: Bounds, high: Bounds, floats: bool = False, patience: int = simplex.PIVOTS
) -> Solution | Conflict:
    """As `simplex.solve`, and faster where there is much, or `floats` are loaded. Raises Stopped."""
    if (floats or len(inequalities) * len(low) >= LARGE) and (found := settled(inequalities, low, high)) is not None:
        return found
    return simplex.solve(inequalities, low, high, patience)


def settled(inequalities: Sequence[Inequality], low: Bounds, high: Bounds) -> Solution | Conflict | None:
    """By how much all of them can hold at once; where that is 0, by how much the strict ones can."""
    slack = len(low)
    sizes = [size(row) for row in inequalities]  # else nothing would be seen of the slack beside large numbers
    units = [
        replace(row, terms={i: w / n for i, w in row.terms.items()}, constant=row.constant / n)
        for row, n in zip(inequalities, sizes, strict=True)
    ]
    for hard in (False, True):
        rows = [row if hard and not row.strict else replace(row, terms={**row.terms, slack: -ONE}) for row in units]
        best = Optimum({slack: ONE}, rows, [*low, None], [*high, ONE])
        if best.bound is not None:
            most, weights = best.bound
            if most < 0 or (most == 0 and any(inequalities[k].strict for k in weights)):
                return Conflict({k: w / sizes[k] for k, w in weights.items()})
        if best.point is None:
            return None
        point = best.point[:slack]
        if all(x > 0 or (x == 0 and not row.strict) for row in inequalities for x in (at(row, point),)):
            return Solution(point)
    return None


def size(row: Inequality) -> Fraction:
    """Its greatest weight."""
    return max(map(abs, row.terms.values()), default=ZERO) or ONE


def at(row: Inequality, point: Sequence[Fraction]) -> Fraction:
    return sum((w * point[i] for i, w in row.terms.items() if point[i]), row.constant)


def solved(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction] | None:
    """The only x with matrix x = right; None where there is no such thing."""
    import flint

    n = len(right)
    if len(matrix) != n or any(len(row) != n for row in matrix):
        return None
    if not n:
        return []

    def numbers(of: Sequence[Fraction]) -> list[flint.fmpq]:
        return [flint.fmpq(x.numerator, x.denominator) for x in of]

    try:
        found = flint.fmpq_mat(n, n, numbers([x for row in matrix for x in row])).solve(
            flint.fmpq_mat(n, 1, numbers(right))
        )
    except ZeroDivisionError:
        return None
    return [Fraction(int(found[i, 0].p), int(found[i, 0].q)) for i in range(n)]


def basis(
    goal: Goal, inequalities: Sequence[Inequality], low: Bounds, high: Bounds
) -> tuple[list[Fraction | None], list[int]] | None:
    """In floats: the side on which each input lies (None: between them), and the inequalities that are equations. None
    where floats do not get so far."""
    import highspy
    import numpy as np

    highs: Any = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    lp: Any = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(low), len(inequalities)
    lp.col_cost_ = np.array([-float(goal.get(i, ZERO)) for i in range(len(low))])
    lp.col_lower_ = np.array([-highspy.kHighsInf if b is None else float(b) for b in low])
    lp.col_upper_ = np.array([highspy.kHighsInf if b is None else float(b) for b in high])
    sizes = [size(row) for row in inequalities]  # HiGHS refuses large numbers
    lp.row_lower_ = np.array([-float(row.constant / n) for row, n in zip(inequalities, sizes, strict=True)])
    lp.row_upper_ = np.full(len(inequalities), highspy.kHighsInf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(row.terms) for row in inequalities)]).astype(np.int32)
    lp.a_matrix_.index_ = np.array([i for row in inequalities for i in row.terms], dtype=np.int32)
    lp.a_matrix_.value_ = np.array(
        [float(w / n) for row, n in zip(inequalities, sizes, strict=True) for w in row.terms.values()]
    )
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        return None
    highs.run()
    found, status = highs.getBasis(), highspy.HighsBasisStatus
    if not found.valid:
        return None
    sides: list[Fraction | None] = []
    for place, least, most in zip(found.col_status, low, high, strict=True):
        if place == status.kBasic:
            sides.append(None)
        else:
            sides.append((most if place == status.kUpper else least) or ZERO)
    return sides, [k for k, place in enumerate(found.row_status) if place != status.kBasic]
