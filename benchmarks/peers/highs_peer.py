"""HiGHS on the mixed-integer encoding."""

from __future__ import annotations

import highspy
import numpy as np

from benchmarks.claim import Claim
from benchmarks.contest import Said
from benchmarks.peers import milp


def loaded(program: milp.Program, seconds: float) -> highspy.Highs:
    """The program, ready to be solved."""
    highs = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("time_limit", seconds)):
        highs.setOptionValue(option, value)
    none = np.array([], dtype=np.int32)
    count = len(program.lows)
    highs.addVars(count, np.array(program.lows), np.array(program.highs))
    for i, integer in enumerate(program.integer):
        if integer:
            highs.changeColIntegrality(i, highspy.HighsVarType.kInteger)
    for weights, low, high in program.rows:
        places = np.array(list(weights), dtype=np.int32) if weights else none
        highs.addRow(low, high, len(weights), places, np.array(list(weights.values()), dtype=np.float64))
    if program.least is not None:
        highs.changeColCost(program.least, 1.0)
    return highs


def solve(program: milp.Program, seconds: float) -> milp.Solved:
    highs = loaded(program, seconds)
    highs.run()
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return milp.Solved("infeasible", [])
    if status == highspy.HighsModelStatus.kOptimal:
        return milp.Solved("solved", list(highs.getSolution().col_value))
    return milp.Solved("open", [], highs.modelStatusToString(status))


def best(program: milp.Program, seconds: float) -> tuple[list[float], float]:
    """The best columns in time, and a lower bound of what is minimised."""
    highs = loaded(program, seconds)
    highs.run()
    return list(highs.getSolution().col_value), highs.getInfo().mip_dual_bound


def answer(claim: Claim, seconds: float) -> Said:
    return milp.answer(claim, seconds, solve)
