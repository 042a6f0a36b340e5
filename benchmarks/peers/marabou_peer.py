"""Marabou, on both copies of the network as one query over reals: it knows no integers, so of integer questions its
`refuted` often does not replay, while its `proved` is one."""

from __future__ import annotations

import os
import sys
import time
from fractions import Fraction

from maraboupy import MarabouCore

from benchmarks.claim import Claim, Net, clauses
from benchmarks.contest import Said
from benchmarks.peers import milp
from verifier.model.violation import Compare


def query(claim: Claim, clause: tuple[Compare, ...]) -> tuple[MarabouCore.InputQuery, list[int]]:
    """The query of a clause, and the variables of its points."""
    asked = MarabouCore.InputQuery()
    made = 0

    def fresh() -> int:
        nonlocal made
        made += 1
        asked.setNumberOfVariables(made)
        return made - 1

    def equation(kind: MarabouCore.EquationType, weights: list[tuple[float, int]], scalar: float) -> None:
        row = MarabouCore.Equation(kind)
        for weight, variable in weights:
            row.addAddend(weight, variable)
        row.setScalar(scalar)
        asked.addEquation(row)

    def network(net: Net, values: list[int]) -> list[int]:
        for k, layer in enumerate(net.layers):
            sums = []
            for weights, bias in zip(layer.weights, layer.bias, strict=True):
                total = fresh()
                terms = [(float(w), v) for w, v in zip(weights, values, strict=True) if w]
                equation(MarabouCore.Equation.EQ, [*terms, (-1.0, total)], -float(bias))
                sums.append(total)
            if k == len(net.layers) - 1:
                return sums
            values = []
            for total in sums:
                out = fresh()
                asked.setLowerBound(out, 0.0)
                MarabouCore.addReluConstraint(asked, total, out)
                values.append(out)
        raise AssertionError("a network has layers")

    points: list[int] = []
    outputs: list[int] = []
    for copy in range(claim.copies):
        x = []
        for i, side in enumerate(claim.box):
            if copy == 1 and side.link == 0:
                x.append(points[i])
                continue
            v = fresh()
            asked.setLowerBound(v, float(side.low))
            asked.setUpperBound(v, float(side.high))
            if copy == 1 and side.link is not None:
                for sign in (1.0, -1.0):
                    equation(MarabouCore.Equation.LE, [(sign, points[i]), (-sign, v)], float(side.link))
            x.append(v)
        points += x
        outputs += network(claim.net, x)
    numbers = [*points, *outputs]
    equal = {milp.opposite(c) for c in clause} & set(clause)
    for compare in clause:
        weights: dict[int, float] = {}
        for i, w in compare.terms:
            weights[numbers[i]] = weights.get(numbers[i], 0.0) + float(w)
        bound = compare in equal or all(i < len(points) for i, _ in compare.terms)
        slack = milp.SLACK if compare.strict or not bound else 0.0
        equation(MarabouCore.Equation.GE, [(w, v) for v, w in weights.items()], slack - float(compare.constant))
    for k, v in enumerate(dict.fromkeys(points)):
        asked.markInputVariable(v, k)
    return asked, points


def answer(claim: Claim, seconds: float) -> Said:
    if claim.least:
        return Said("none", note="least distances are not asked of it")
    end = time.monotonic() + seconds
    todo = list(clauses(claim.formula))
    note = ""
    for k, clause in enumerate(todo):
        share = max(1, int((end - time.monotonic()) / (len(todo) - k)))
        options = MarabouCore.Options()
        options._verbosity = 0
        options._timeoutInSeconds = share
        asked, points = query(claim, clause)
        sys.stdout.flush()
        kept = os.dup(1)
        os.dup2(2, 1)  # it prints as it likes
        try:
            word, values, _ = MarabouCore.solve(asked, options, "")
        finally:
            os.dup2(kept, 1)
            os.close(kept)
        if word == "sat":
            return Said("refuted", tuple(Fraction(values[v]) for v in points))
        if word != "unsat":
            note = word.lower()
    return Said("none", note=note) if note else Said("proved")
