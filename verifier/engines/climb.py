"""Linear programs that climb: from a point, to where its linear piece says that the facts hold best, and so on.

It only guesses, in floats: a network is linear on the piece around a point, and nearly so for a while beyond it.
(Sequential linear programming with a trust region.) Of a formula, the case is followed that fails least at the point.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import inf
from typing import Any

import highspy
import numpy as np
from msgspec import Struct

from verifier.engines.falsify import Floats, Landscape, sides
from verifier.query.question import Question

STEPS = 12
"""Programs from one point on, at most."""
CLOSER = 0.25
"""What is left of the trust region after a step that led down."""
NARROW = 1e-4
"""A smaller part of the first trust region is not looked at."""
INSIDE = 1e-7
"""By so much what is said of inputs alone holds at least: a point on a side may be out of it, exactly."""
LITTLE = 1e-9
"""Where a step promises no more than that, shorter ones do not either."""
PLENTY = 1e3
OPTIONS = {
    "output_flag": False,
    "presolve": "off",
    "solver": "simplex",
    "threads": 1,
    "primal_feasibility_tolerance": 1e-9,
}


class Local(Struct, frozen=True, eq=False):
    """What the facts ask for around a point: rows that have to be >= 0, by their `values` there and their `slopes` by
    input, divided by the largest slope. `fixed`: those of inputs alone, which are linear everywhere. `merit`: the least
    value of the others; -infinity where fixed ones do not hold, and any step to where they do is a good one."""

    values: Floats
    slopes: Floats
    fixed: Floats
    merit: float


class Climb:
    """For one question; the `landscape` is its own, or that of the same question about another box."""

    def __init__(self, question: Question, landscape: Landscape) -> None:
        self.landscape = landscape
        self.low, self.high = (side[:, 0] for side in sides(question))
        self.whole = np.array([v.integer for v in question.variables])
        self.width = self.high - self.low

    def from_point(self, point: Floats, end: float, reach: float = 1.0) -> Iterator[Floats]:
        """Better and better points. `reach`: how far the first may be, of the sides of the box."""
        here, trust = self.local(point), reach
        for _ in range(STEPS):
            if time.monotonic() > end or trust < NARROW * reach:
                return
            tried, hope = self.step(point, here, trust)
            if hope <= here.merit + LITTLE:
                return
            there = self.local(tried)
            if there.merit <= here.merit:
                trust *= CLOSER
                continue
            point, here, trust = tried, there, min(1.0, 2 * trust)
            yield point

    def step(self, point: Floats, here: Local, trust: float) -> tuple[Floats, float]:
        """Where the least of the rows that are not fixed is largest, not far from the point, and how large that is, if
        all stays linear; -infinity where the fixed ones do not hold so near."""
        rows, inputs = here.slopes.shape
        lp: Any = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = inputs + 1, rows
        lp.col_cost_ = np.append(np.zeros(inputs), -1.0)
        reach = trust * self.width
        lp.col_lower_ = np.append(np.maximum(self.low, point - reach), -inf)
        lp.col_upper_ = np.append(np.minimum(self.high, point + reach), PLENTY)
        matrix = np.hstack([here.slopes, np.where(here.fixed, 0.0, -1.0)[:, None]])
        lp.row_lower_ = here.slopes @ point - here.values + np.where(here.fixed, INSIDE, 0.0)
        lp.row_upper_ = np.full(rows, inf)
        at_row, at_column = np.nonzero(matrix)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.searchsorted(at_row, np.arange(rows + 1)).astype(np.int32)
        lp.a_matrix_.index_, lp.a_matrix_.value_ = at_column.astype(np.int32), matrix[at_row, at_column]
        highs: Any = highspy.Highs()
        for option, value in OPTIONS.items():
            highs.setOptionValue(option, value)
        highs.passModel(lp)
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return point, -inf
        *found, hope = highs.getSolution().col_value
        return np.clip(np.where(self.whole, np.round(found), found), self.low, self.high), hope

    def local(self, point: Floats) -> Local:
        """The case that fails least at a point, linear."""
        landscape = self.landscape
        values, robust, slopes = landscape.linear(point)
        wanted = self.case(robust)
        rows = [landscape.row[n] for n, _ in wanted]
        signs = np.array([1.0 if positive else -1.0 for _, positive in wanted])
        chosen = signs[:, None] * slopes[rows]
        size = np.abs(chosen).max(axis=1, initial=0.0)
        size[size == 0] = 1.0
        held = signs * values[rows] / size
        fixed = np.array([landscape.depth[n] <= 1 for n, _ in wanted], dtype=bool)
        out = bool((held[fixed] < -INSIDE).any())
        merit = -inf if out else float(held[~fixed].min(initial=inf))
        return Local(held, chosen / size[:, None], fixed, merit)

    def case(self, robust: Floats) -> list[tuple[int, bool]]:
        """Literals of the case that fails least: (node, node >= 0)."""
        landscape, found = self.landscape, dict[tuple[int, bool], None]()

        def of(node: int, positive: bool) -> float:
            value = float(robust[landscape.row[node]])
            return value if positive else -value

        todo = [(fact, True) for fact in landscape.question.facts]
        while todo:
            node, positive = todo.pop()
            index, terms, _, select = landscape.nodes[node]
            if select is None or node in landscape.real:
                if terms or index is not None:
                    found[node, positive] = None
                continue
            test, then, otherwise = select
            sides = [(then, True), (otherwise, False)]
            for (part, sign), (other, _) in (sides, sides[::-1]):
                if of(part, positive) == inf:  # `test` or `other`: that `test` fails is no part of the second case
                    todo.append(max((test, sign), (other, positive), key=lambda case: of(*case)))
                    break
            else:
                part, sign = max(sides, key=lambda side: min(of(test, side[1]), of(side[0], positive)))
                todo += [(test, sign), (part, positive)]
        return [*found]
