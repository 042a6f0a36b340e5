"""Exact evaluation of a question at many points, on whole numbers: some forty times as fast as on rationals."""

from __future__ import annotations

from collections.abc import Callable
from math import lcm

from verifier.engines.engine import Vector
from verifier.kernel.circuit import Input
from verifier.kernel.ranges import Scaled
from verifier.query.question import Question


def tester(question: Question, scaled: Scaled | None = None) -> Callable[[Vector], bool]:
    """`question.solved_by`, for a question that is asked often. `scaled`: its circuit, where the caller has it."""
    scaled = scaled or Scaled(question.circuit, question.empty.box)
    plan = [
        (n, node.index if isinstance(node, Input) else None, scaled.affine.get(n), scaled.select.get(n))
        for n, node in enumerate(question.circuit)
    ]
    unit = scaled.unit

    def solved_by(point: Vector) -> bool:
        for v, x in zip(question.variables, point, strict=True):
            if (v.low is not None and x < v.low) or (v.high is not None and x > v.high):
                return False
            if v.integer and x.denominator != 1:
                return False
        if question.squares:
            return question.solved_by(point)
        common = lcm(*(x.denominator for x in point))
        values: list[int] = []  # node n is values[n] / (unit[n] * common)
        for n, index, affine, select in plan:
            if index is not None:
                x = point[index]
                values.append(x.numerator * (common // x.denominator) * unit[n])
            elif affine is not None:
                terms, constant = affine
                total = constant * common
                for j, a in terms:
                    total += a * values[j]
                values.append(total)
            elif select is not None:
                test, then, p, otherwise, q = select
                values.append(p * values[then] if values[test] >= 0 else q * values[otherwise])
        return all(values[f] >= 0 for f in question.facts)

    return solved_by
