"""Exact evaluation of a question at many points, on whole numbers: some forty times as fast as on rationals; and points
that are pleasant to read."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
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


def pleasant(question: Question, point: Vector, end: float, solved_by: Callable[[Vector], bool]) -> Vector:
    """The same with shorter numbers and fewer differences, as far as exact evaluation (`solved_by`) lets it."""
    for i, v in enumerate(question.variables):
        options = [Fraction(0), Fraction(1), *(b for b in (v.low, v.high) if b is not None)]
        if question.mirror and (twin := question.mirror[i]) is not None:
            options.insert(0, point[twin])
        if not v.integer:
            options += [Fraction(round(point[i] * d), d) for d in (1, 2, 4, 10, 100, 1000, 10**6)]
        for option in options:
            if time.monotonic() > end or option == point[i]:
                break
            tried = (*point[:i], option, *point[i + 1 :])
            if solved_by(tried):
                point = tried
                break
    return point
