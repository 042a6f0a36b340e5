"""z3, raw: every ReLU is an if, every number exact, no bounds but those of the box."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, assert_never

import z3

from benchmarks.claim import Claim
from benchmarks.contest import Said
from verifier.model.violation import All, Compare, Formula, Some


def exact(value: Fraction) -> Any:
    return z3.Q(value.numerator, value.denominator)


def encoded(claim: Claim, solver: Any) -> list[Any]:
    """Adds the claim to a solver; the terms of its points."""
    points: list[Any] = []
    outputs: list[Any] = []
    for copy in range(claim.copies):
        x = [z3.Int(f"x{copy}_{i}") if s.integer else z3.Real(f"x{copy}_{i}") for i, s in enumerate(claim.box)]
        for i, (v, s) in enumerate(zip(x, claim.box, strict=True)):
            if copy == 1 and s.link == 0:
                x[i] = points[i]
                continue
            solver.add(v >= exact(s.low), v <= exact(s.high))
            if copy == 1 and s.link is not None:
                solver.add(points[i] - v <= exact(s.link), v - points[i] <= exact(s.link))
        points += x
        values = [z3.ToReal(v) if v.is_int() else v for v in x]
        for k, layer in enumerate(claim.net.layers):
            sums = []
            for j, (weights, bias) in enumerate(zip(layer.weights, layer.bias, strict=True)):
                total = z3.Real(f"s{copy}_{k}_{j}")
                solver.add(
                    total == z3.Sum([*(exact(w) * v for w, v in zip(weights, values, strict=True) if w), exact(bias)])
                )
                sums.append(total)
            last = k == len(claim.net.layers) - 1
            values = sums if last else [z3.If(s >= 0, s, z3.RealVal(0)) for s in sums]
        outputs += values
    solver.add(formula(claim.formula, [*points, *outputs]))
    return points


def formula(of: Formula, numbers: list[Any]) -> Any:
    match of:
        case Compare(terms, constant, strict):
            total = z3.Sum([*(exact(w) * numbers[i] for i, w in terms), exact(constant)])
            return total > 0 if strict else total >= 0
        case All(parts):
            return z3.And([formula(p, numbers) for p in parts])
        case Some(parts):
            return z3.Or([formula(p, numbers) for p in parts])
        case _:
            assert_never(of)


def answer(claim: Claim, seconds: float) -> Said:
    """sat with an exact point, unsat, or nothing in time."""
    solver: Any = z3.Optimize() if claim.least else z3.Solver()
    solver.set("timeout", max(1, int(1000 * seconds)))
    points = encoded(claim, solver)
    if claim.least:
        apart = z3.Real("apart")
        for i in range(claim.width):
            solver.add(points[i] - points[claim.width + i] <= apart, points[claim.width + i] - points[i] <= apart)
        solver.minimize(apart)
    found = solver.check()
    if found == z3.unsat:
        return Said("proved")
    if found != z3.sat:
        return Said("none", note=str(solver.reason_unknown()))
    model = solver.model()
    values = [model.eval(p, model_completion=True) for p in points]
    return Said("refuted", tuple(Fraction(v.as_long()) if z3.is_int_value(v) else v.as_fraction() for v in values))
