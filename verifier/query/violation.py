"""From a violation to questions about boxes: an `or` between input boxes is taken apart, so that each question has the
bounds of its own box; any other `or` stays a formula."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from msgspec import Struct

from verifier.language.build import NO, YES, Bound, Build, Form, Variable
from verifier.model.network import Network
from verifier.model.unroll import unroll
from verifier.model.violation import All, Compare, Formula, Some, Violation
from verifier.query.question import Question

MOST_BOXES = 1000
"""With more boxes, those that are left stay together in one question."""

Box = tuple[tuple[Bound, Bound], ...]


class Case(Struct, frozen=True):
    """One box, and what has to hold of inputs and outputs in it."""

    box: Box
    fact: Formula

    def pose(self, violation: Violation, network: Network, folding: bool = True) -> tuple[Question, bool]:
        """The question whether the box holds a violation, and whether its bounds alone rule it out.

        Raises TooLarge.
        """
        build = Build(folding=folding)
        inputs = [build.input(Variable(violation.name(i), low, high)) for i, (low, high) in enumerate(self.box)]
        width = violation.inputs // violation.copies
        copies = [tuple(inputs[k * width : (k + 1) * width]) for k in range(violation.copies)]
        numbers = [*inputs, *(y for copy in copies for y in unroll(build, network, copy)[-1])]
        parts = self.fact.parts if isinstance(self.fact, All) else (self.fact,)
        facts = [f for f in dict.fromkeys(truth(build, part, numbers) for part in parts) if f != YES]
        circuit, nodes = build.circuit(facts, inputs)
        variables = [build.atoms[form.terms[0][0]] for form in inputs]
        mirror = tuple(None if i < width else i % width for i in range(violation.inputs)) if len(copies) > 1 else ()
        question = Question(circuit, tuple(v for v in variables if isinstance(v, Variable)), nodes, mirror=mirror)
        return question, NO in facts

    def unfolded(self, violation: Violation, network: Network) -> Question:
        """The same question, with all that the bounds of the box settle left to a proof. Raises TooLarge."""
        return self.pose(violation, network, folding=False)[0]


def truth(build: Build, formula: Formula, numbers: Sequence[Form]) -> Form:
    """The formula as a form that is >= 0 where it holds."""
    match formula:
        case Compare(terms, constant, strict):
            form = build.combine(((w, numbers[i]) for i, w in terms), constant)
            return build.above_zero(form) if strict else build.at_least_zero(form)
        case All(parts):
            return build.both(*(truth(build, p, numbers) for p in parts))
        case Some(parts):
            return build.either(*(truth(build, p, numbers) for p in parts))
        case _:
            assert_never(formula)


def cases(violation: Violation) -> list[Case]:
    """The boxes that are not empty; a violation is one in one of them."""
    found: dict[Box, list[Formula]] = {}
    for parts in alternatives(violation):
        box, facts = boxed(parts, violation.inputs)
        if all(low is None or high is None or low <= high for low, high in box):
            found.setdefault(box, []).append(All(tuple(facts)))
    return [Case(box, facts[0] if len(facts) == 1 else Some(tuple(facts))) for box, facts in found.items()]


def alternatives(violation: Violation) -> Iterator[list[Formula]]:
    """Conjunctions whose disjunction the violation is: every `or` with a bound of an input in it is taken apart."""
    todo: list[list[Formula]] = [[violation.formula]]
    given = 0
    while todo:
        parts = [p for part in todo.pop() for p in conjuncts(part)]
        for i, part in enumerate(parts):
            if (
                isinstance(part, Some)
                and given + len(todo) + len(part.parts) <= MOST_BOXES
                and any(bounds_input(q, violation.inputs) for p in part.parts for q in conjuncts(p))
            ):
                todo += [[*parts[:i], choice, *parts[i + 1 :]] for choice in reversed(part.parts)]
                break
        else:
            given += 1
            yield parts


def conjuncts(formula: Formula) -> Iterator[Formula]:
    """The parts that have to hold, each no conjunction."""
    if isinstance(formula, All):
        for part in formula.parts:
            yield from conjuncts(part)
    else:
        yield formula


def bounds_input(formula: Formula, inputs: int) -> bool:
    return isinstance(formula, Compare) and len(formula.terms) == 1 and formula.terms[0][0] < inputs


def boxed(parts: Sequence[Formula], inputs: int) -> tuple[Box, list[Formula]]:
    """The closed box that the bounds among `parts` say, and the other parts (a strict bound is among them, too)."""
    lows: list[Bound] = [None] * inputs
    highs: list[Bound] = [None] * inputs
    rest: list[Formula] = []
    for part in parts:
        if not (isinstance(part, Compare) and bounds_input(part, inputs)):
            rest.append(part)
            continue
        ((i, w),) = part.terms
        bound = -part.constant / w
        low, high = lows[i], highs[i]
        if w > 0:
            lows[i] = bound if low is None else max(low, bound)
        else:
            highs[i] = bound if high is None else min(high, bound)
        if part.strict:
            rest.append(part)
    return tuple(zip(lows, highs, strict=True)), rest
