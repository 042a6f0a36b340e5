"""Questions to engines, from the language."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from tests.model.expressions import expression
from verifier.api import load_text
from verifier.engines.engine import Least, Most
from verifier.kernel.proof import check
from verifier.model.interpret import Interpreter
from verifier.model.program import PointValue, Program
from verifier.query.closure import Beyond
from verifier.query.pose import Posed, Poser
from verifier.query.question import Question

Vector = tuple[Fraction, ...]


def program(text: str) -> Program:
    loaded = load_text(text)
    assert loaded.diagnostics == ()
    return loaded.program


def posed(text: str, names: Sequence[str], facts: Sequence[str], numbers: Sequence[str] = ()) -> Posed:
    """Is there a choice of the points in X with all `facts`, and what are `numbers` there?"""
    poser = Poser(program(text))
    truths = [poser.truth(expression(f), names) for f in facts]
    return poser.pose(names, truths, [poser.number(expression(n), names) for n in numbers])


def question(text: str, names: Sequence[str], facts: Sequence[str], numbers: Sequence[str] = ()) -> Question:
    return posed(text, names, facts, numbers).question


def holds(p: Posed, fact: str, vector: Vector) -> bool:
    """The reference meaning of a fact at a solution, in X."""
    interpreter = Interpreter(p.program)
    points: dict[str, PointValue] = p.read(vector)
    return all(interpreter.inside(x) for x in points.values()) and interpreter.truth(expression(fact), points)


def certified(question: Question, found: Least | Most, beyond: Beyond) -> None:
    """The kernel accepts what an extreme claims: that nothing is beyond it, and that it is not attained where that is
    said."""
    further = beyond(question, found.value, found.attained)
    assert found.proofs
    for q, (problem, proof) in zip(further, found.proofs, strict=True):
        assert problem == q.empty
        assert check(problem, proof).trusts == ()


def hard() -> Question:
    """A knapsack that z3 does not pack within minutes."""
    random = Random(1)
    weights = [random.randrange(10**14, 10**15) for _ in range(40)]
    coordinates = ", ".join(f"b{i}: int in [0, 1]" for i in range(40))
    total = " + ".join(f"{w} * u.b{i}" for i, w in enumerate(weights))
    return question(f"domain X {{ {coordinates} }}", ["u"], [f"{total} == {sum(weights) // 2 + 1}"])


EASY = question("domain X { a: real in [0, 1] }", ["u"], ["u.a > 1/3"])
NONE = question("domain X { a: real in [0, 1], b: real }", ["u"], ["u.a > u.b", "u.b >= u.a"])
