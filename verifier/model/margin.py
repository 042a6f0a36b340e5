"""Margins: how far the scores are from another decision (THEORY section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from verifier.language.build import NO, YES, Form
from verifier.language.ops import OPS
from verifier.model.meaning import (
    Env,
    Extended,
    Meaning,
    Point,
    numbers,
)
from verifier.model.program import Classifier
from verifier.syntax import tree

if TYPE_CHECKING:
    from verifier.model.symbolic import Symbolic


def margin(symbolic: Symbolic, classifier: Classifier, point: Point) -> Meaning:
    """The margin of f at `point`: |score|, winner minus best other, or the least slack of the tests on the path
    taken."""
    if classifier.network is not None:
        scores = symbolic.network(classifier, point)[-1]
        if classifier.network.rule == "positive":
            return OPS["abs"].expand(symbolic.build, scores)
        return _lead(symbolic, scores).form
    assert classifier.decide is not None
    margin = _margin(symbolic, classifier.decide, symbolic.features(classifier, point))
    return margin.form if margin.infinite == NO else margin


def compared(symbolic: Symbolic, classifier: Classifier, point: Point, op: str, bound: Form) -> Form | None:
    """`margin op bound`, where scores decide: some score is that far above all others. A formula, so that a search
    decides which; the number has a choice for each pair of scores. None for other margins and comparisons."""
    scores: Sequence[Form]
    if op not in ("<", "<=", ">", ">="):
        return None
    if classifier.network is not None:
        if classifier.network.rule == "positive":
            return None
        scores = symbolic.network(classifier, point)[-1]
    else:
        match classifier.decide:
            case tree.Apply(_, tree.Name(_, "argmax" | "argmin")) as call:
                scores = _scores(symbolic, call, symbolic.features(classifier, point))
            case _:
                return None
    if len(scores) < 2:
        return None
    build = symbolic.build
    far = build.at_least_zero if op in (">=", "<") else build.above_zero
    ahead = build.either(
        *(build.both(*(far(build.subtract(lead, bound)) for lead in leads)) for leads in _leads(symbolic, scores))
    )
    return ahead if op in (">=", ">") else build.negate(ahead)


def _margin(symbolic: Symbolic, expr: tree.Expr, env: Env) -> Extended:
    match expr:
        case tree.If(_, test, then, otherwise):
            holds = symbolic.truth(test, env)
            a, b = _margin(symbolic, then, env), _margin(symbolic, otherwise, env)
            taken = Extended(
                symbolic.build.when(holds, a.infinite, b.infinite), symbolic.build.select(holds, a.form, b.form)
            )
            up, down, slack = _slack(symbolic, test, env)
            size = OPS["abs"].expand(symbolic.build, [slack])
            return _least(symbolic, Extended(symbolic.build.either(up, down), size), taken)
        case tree.Apply(_, tree.Name(_, "argmax" | "argmin")):
            return _lead(symbolic, _scores(symbolic, expr, env))
        case tree.Apply(_, tree.Name(span, _)):
            function, inner = symbolic._call(expr, env)
            return symbolic._deeper(span, lambda: _margin(symbolic, function.body, inner))
        case _:
            return Extended(YES, symbolic.build.constant(0))


def _least(symbolic: Symbolic, a: Extended, b: Extended) -> Extended:
    low = OPS["min"].expand(symbolic.build, [a.form, b.form])
    form = symbolic.build.select(a.infinite, b.form, symbolic.build.select(b.infinite, a.form, low))
    return Extended(symbolic.build.both(a.infinite, b.infinite), form)


def _scores(symbolic: Symbolic, call: tree.Apply, env: Env) -> list[Form]:
    """The scores of an argmax, or those of an argmin with the other sign."""
    scores = symbolic.scores(call, env)[0].values()
    least = call.function == tree.Name(call.function.span, "argmin")
    return [symbolic.build.scale(-1, s) if least else s for s in scores]


def _lead(symbolic: Symbolic, scores: Sequence[Form]) -> Extended:
    if len(scores) < 2:
        return Extended(YES, symbolic.build.constant(0))
    least, most = OPS["min"].expand, OPS["max"].expand
    return Extended(NO, most(symbolic.build, [least(symbolic.build, leads) for leads in _leads(symbolic, scores)]))


def _leads(symbolic: Symbolic, scores: Sequence[Form]) -> list[list[Form]]:
    """What each score has above each other."""
    return [[symbolic.build.subtract(s, t) for j, t in enumerate(scores) if j != i] for i, s in enumerate(scores)]


def _slack(symbolic: Symbolic, expr: tree.Expr, env: Env) -> tuple[Form, Form, Form]:
    """The robustness of a formula: (is +infinity, is -infinity, its value otherwise); positive inside, negative
    outside."""
    build = symbolic.build
    least = OPS["min"].expand

    def join(parts: list[tuple[Form, Form, Form]]) -> tuple[Form, Form, Form]:
        up, down, form = parts[0]
        for u, d, f in parts[1:]:
            form = build.select(up, f, build.select(u, form, least(build, [form, f])))
            up, down = build.both(up, u), build.either(down, d)
        return up, down, form

    def flip(part: tuple[Form, Form, Form]) -> tuple[Form, Form, Form]:
        return part[1], part[0], build.scale(-1, part[2])

    def meet(*parts: tuple[Form, Form, Form]) -> tuple[Form, Form, Form]:
        return flip(join([flip(p) for p in parts]))

    match expr:
        case tree.Unary(_, "not", operand):
            return flip(_slack(symbolic, operand, env))
        case tree.Binary(_, "and", left, right):
            return join([_slack(symbolic, left, env), _slack(symbolic, right, env)])
        case tree.Binary(_, "or", left, right):
            return meet(_slack(symbolic, left, env), _slack(symbolic, right, env))
        case tree.Binary(_, "=>", left, right):
            return meet(flip(_slack(symbolic, left, env)), _slack(symbolic, right, env))
        case tree.Binary(_, "<=>", left, right):
            a, b = _slack(symbolic, left, env), _slack(symbolic, right, env)
            return join([meet(flip(a), b), meet(a, flip(b))])
        case tree.Chain(_, operands, ops):
            parts = []
            for (left, right), op in zip(pairwise(operands), ops, strict=True):
                values = symbolic._sides(left, right, op, env)
                gaps = [build.subtract(a, b) for a, b in zip(numbers(values[0]), numbers(values[1]), strict=False)]
                if all(isinstance(v, Form | tuple) for v in values) and gaps:
                    match op:
                        case "<" | "<=":
                            gap = build.scale(-1, gaps[0])
                        case "==":
                            gap = build.scale(-1, OPS["norminf"].expand(build, gaps))
                        case "!=":
                            gap = OPS["norminf"].expand(build, gaps)
                        case ">" | ">=":
                            gap = gaps[0]
                    parts.append((NO, NO, gap))
                else:
                    holds = symbolic._compare(expr.span, values[0], values[1], op)
                    parts.append((holds, build.negate(holds), build.constant(0)))
            return join(parts)
        case tree.If(_, test, then, otherwise):
            c, a, b = _slack(symbolic, test, env), _slack(symbolic, then, env), _slack(symbolic, otherwise, env)
            return meet(join([c, a]), join([flip(c), b]))
        case tree.Apply(_, tree.Name(span, name)) if name in symbolic.program.functions:
            function, inner = symbolic._call(expr, env)
            return symbolic._deeper(span, lambda: _slack(symbolic, function.body, inner))
        case _:
            holds = symbolic.truth(expr, env)
            return holds, build.negate(holds), build.constant(0)
