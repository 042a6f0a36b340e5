"""The usual mixed-integer encoding: interval bounds settle stable ReLUs, the others get a binary and big-M rows.

In floats; strict rows are given SLACK, weak ones as well, so that a point which the solver believes to solve them has a
chance to do so exactly. One program a clause of the formula.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import Literal

from benchmarks.claim import Claim, clauses
from benchmarks.contest import Said
from verifier.model.violation import Compare

SLACK = 1e-6

Linear = tuple[dict[int, float], float]
"""column -> weight, and a constant."""


@dataclass
class Program:
    """Columns with bounds, and rows: low <= sum of weight * column <= high. `least`: the column to be minimised."""

    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    """The columns of x, then of x'."""
    least: int | None = None

    def column(self, low: float, high: float, integer: bool = False) -> int:
        self.lows.append(low)
        self.highs.append(high)
        self.integer.append(integer)
        return len(self.lows) - 1

    def at_most(self, linear: Linear, bound: float) -> None:
        self.rows.append((linear[0], -inf, bound - linear[1]))

    def at_least(self, linear: Linear, bound: float) -> None:
        self.rows.append((linear[0], bound - linear[1], inf))


@dataclass(frozen=True)
class Solved:
    """What a solver says: its status, and the columns of a solution."""

    status: Literal["solved", "infeasible", "open"]
    columns: list[float]
    note: str = ""


def plus(*parts: tuple[float, Linear]) -> Linear:
    total: dict[int, float] = {}
    constant = 0.0
    for factor, (weights, more) in parts:
        constant += factor * more
        for i, w in weights.items():
            total[i] = total.get(i, 0.0) + factor * w
    return total, constant


def base(claim: Claim) -> tuple[Program, list[Linear]]:
    """The points and the networks at them; the numbers of the formula."""
    program = Program()
    numbers: list[Linear] = []
    outputs: list[Linear] = []
    for copy in range(claim.copies):
        values: list[tuple[Linear, float, float]] = []
        for i, side in enumerate(claim.box):
            low, high = float(side.low), float(side.high)
            shared = copy == 1 and side.link == 0
            column = program.points[i] if shared else program.column(low, high, side.integer)
            if copy == 1 and side.link is not None and side.link > 0:
                apart: Linear = ({program.points[i]: 1.0, column: -1.0}, 0.0)
                program.at_most(apart, float(side.link))
                program.at_least(apart, -float(side.link))
            program.points.append(column)
            values.append((({column: 1.0}, 0.0), low, high))
        numbers += [linear for linear, _, _ in values]
        for k, layer in enumerate(claim.net.layers):
            sums: list[tuple[Linear, float, float]] = []
            for weights, bias in zip(layer.weights, layer.bias, strict=True):
                floats = [float(w) for w in weights]
                linear = plus(
                    (1.0, ({}, float(bias))), *((w, v) for w, (v, _, _) in zip(floats, values, strict=True) if w)
                )
                spread = list(zip(floats, values, strict=True))
                low = float(bias) + sum(min(w * a, w * b) for w, (_, a, b) in spread)
                high = float(bias) + sum(max(w * a, w * b) for w, (_, a, b) in spread)
                sums.append((linear, low, high))
            last = k == len(claim.net.layers) - 1
            values = sums if last else [rectified(program, *s) for s in sums]
        outputs += [linear for linear, _, _ in values]
    return program, [*numbers, *outputs]


def rectified(program: Program, linear: Linear, low: float, high: float) -> tuple[Linear, float, float]:
    """max(linear, 0) as a new column, and its bounds."""
    if high <= 0:
        return ({}, 0.0), 0.0, 0.0
    value = program.column(max(low, 0.0), high)
    out: Linear = ({value: 1.0}, 0.0)
    gap = plus((1.0, out), (-1.0, linear))
    program.at_least(gap, 0.0)
    if low >= 0:
        program.at_most(gap, 0.0)
    else:
        on: Linear = ({program.column(0.0, 1.0, True): 1.0}, 0.0)
        program.at_most(plus((1.0, gap), (-low, on)), -low)  # value <= linear - low (1 - on)
        program.at_most(plus((1.0, out), (-high, on)), 0.0)
    return out, max(low, 0.0), high


def programs(claim: Claim) -> Iterator[Program]:
    """One program a clause of the formula."""
    for clause in clauses(claim.formula):
        program, numbers = base(claim)
        equal = {opposite(c) for c in clause} & set(clause)
        for compare in clause:
            demand(program, compare, numbers, slack=compare not in equal)
        if claim.least:
            span = max(float(s.high - s.low) for s in claim.box)
            program.least = program.column(0.0, span)
            for i in range(claim.width):
                apart = plus((1.0, numbers[i]), (-1.0, numbers[claim.width + i]))
                far: Linear = ({program.least: 1.0}, 0.0)
                program.at_least(plus((1.0, far), (-1.0, apart)), 0.0)
                program.at_least(plus((1.0, far), (1.0, apart)), 0.0)
        yield program


def opposite(compare: Compare) -> Compare:
    """The other half of an equation."""
    return Compare(tuple((i, -w) for i, w in compare.terms), -compare.constant, compare.strict)


def demand(program: Program, compare: Compare, numbers: list[Linear], slack: bool) -> None:
    """The row, with slack unless it is half of an equation or a bound of inputs."""
    linear = plus((1.0, ({}, float(compare.constant))), *((float(w), numbers[i]) for i, w in compare.terms))
    inputs = all(i < len(program.points) for i, _ in compare.terms)
    program.at_least(linear, SLACK if compare.strict or (slack and not inputs) else 0.0)


def answer(claim: Claim, seconds: float, solve: Callable[[Program, float], Solved]) -> Said:
    """Some clause has a solution, none has one, or it stayed open; the nearest pair where a least distance is asked."""
    end = time.monotonic() + seconds
    todo = list(programs(claim))
    best: tuple[Fraction, Said] | None = None
    note = ""
    for k, program in enumerate(todo):
        solved = solve(program, max(0.0, (end - time.monotonic()) / (len(todo) - k)))
        match solved.status:
            case "open":
                note = solved.note or "out of time"
            case "infeasible":
                pass
            case "solved":
                said = Said("refuted", tuple(Fraction(solved.columns[c]) for c in program.points))
                if not claim.least:
                    return said
                assert said.point is not None
                far = claim.apart(said.point)
                best = (far, said) if best is None or far < best[0] else best
    if note:
        return Said("none", note=note)
    return Said("proved") if best is None else best[1]
