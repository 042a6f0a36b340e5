"""SCIP on the mixed-integer encoding."""

from __future__ import annotations

from math import isinf

from pyscipopt import Model, quicksum

from benchmarks.claim import Claim
from benchmarks.contest import Said
from benchmarks.peers import milp


def solve(program: milp.Program, seconds: float) -> milp.Solved:
    model = Model()
    model.hideOutput()
    model.setParam("limits/time", max(seconds, 1e-3))
    sides = zip(program.lows, program.highs, program.integer, strict=True)
    columns = [model.addVar(lb=low, ub=high, vtype="I" if integer else "C") for low, high, integer in sides]
    for weights, low, high in program.rows:
        total = quicksum(w * columns[i] for i, w in weights.items())
        if not weights:
            if low > 0 or high < 0:
                return milp.Solved("infeasible", [])
            continue
        if not isinf(low):
            model.addCons(total >= low)
        if not isinf(high):
            model.addCons(total <= high)
    if program.least is not None:
        model.setObjective(columns[program.least], "minimize")
    model.optimize()
    match model.getStatus():
        case "infeasible":
            return milp.Solved("infeasible", [])
        case "optimal":
            return milp.Solved("solved", [model.getVal(c) for c in columns])
        case status:
            return milp.Solved("open", [], str(status))


def answer(claim: Claim, seconds: float) -> Said:
    return milp.answer(claim, seconds, solve)
