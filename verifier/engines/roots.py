"""Questions with roots of sums of squares, by z3's nonlinear solver: the last resort. Runs in a worker process."""

from __future__ import annotations

import z3
from msgspec.structs import replace

from verifier.engines.engine import Answer, Fails, Holds, Unknown
from verifier.engines.quadratic import PATIENCE, rounded
from verifier.engines.smt import NAME, TRUSTS, Clock, Encoding, exact, number
from verifier.query.question import Question


def find_root(question: Question, seconds: float) -> Answer:
    """A solution with every root as it is, rounded where it is irrational; or none."""
    clock = Clock(min(PATIENCE, seconds))
    nodes = tuple(n for root in question.roots for _, n in root.terms)
    encoding = Encoding(replace(question, numbers=(*question.numbers, *nodes)), "v")
    solver = z3.Solver()
    solver.add(encoding.constraints)
    for root in question.roots:
        there = encoding.variables[root.variable]
        terms = [number(w) * encoding.reals[n] * encoding.reals[n] for w, n in root.terms]
        solver.add(there >= 0, there * there == z3.Sum(terms))
    match clock.check(solver):
        case "unsat":
            return Holds(NAME, TRUSTS)
        case "unknown":
            return Unknown("sums of roots are so nearly equal that neither tangents nor z3's nonlinear solver can tell")
    model = solver.model()
    values = [model.eval(x, model_completion=True) for x in encoding.variables]
    return Fails(NAME, (tuple(exact(v) if z3.is_int_value(v) else rounded(v, 30) for v in values),))
