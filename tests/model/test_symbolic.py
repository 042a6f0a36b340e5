"""The symbolic meaning agrees with the reference meaning: two evaluations that share nothing but the tree."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.expressions import expression, expressions, points, program
from verifier.kernel.circuit import evaluate
from verifier.language.build import NO, YES, Build, Form
from verifier.model import interpret
from verifier.model.interpret import Interpreter
from verifier.model.meaning import Extended, Finite, Truth, numbers
from verifier.model.program import PointValue
from verifier.model.symbolic import Symbolic
from verifier.query.pose import Poser

PROGRAM = program()
INTERPRETER = Interpreter(PROGRAM)
ANY = st.sampled_from(["number", "truth", "vector", "label", "member"]).flatmap(lambda sort: expressions(2)[sort])


def folded(value: Any) -> Any:
    """A symbolic value over known points, as the interpreter writes it."""
    match value:
        case Form():
            assert value.is_constant, value
            return value.constant
        case Truth(form):
            assert form in (YES, NO), form
            return form == YES
        case Finite(members, cases):
            assert sorted(c == YES for c in cases) == [False] * (len(members) - 1) + [True]
            assert all(c in (YES, NO) for c in cases)
            return next(m for m, c in zip(members, cases, strict=True) if c == YES)
        case Extended(infinite, form):
            assert infinite in (YES, NO)
            return float("inf") if infinite == YES else form.constant
        case tuple():
            return tuple(folded(v) for v in value)
    raise AssertionError(value)


def meant(value: Any) -> Any:
    match value:
        case interpret.Member(name, _):
            return name
        case tuple():
            return tuple(meant(v) for v in value)
    return value


@given(ANY, points(), points())
@settings(max_examples=400)
def test_at_known_points_the_symbolic_value_folds_to_the_meaning(text: str, u: PointValue, w: PointValue) -> None:
    expr = expression(text)
    symbolic = Symbolic(PROGRAM, Build())
    assert PROGRAM.domain is not None
    env = {name: symbolic.concrete(PROGRAM.domain, value) for name, value in (("u", u), ("w", w))}
    assert folded(symbolic.value(expr, env)) == meant(INTERPRETER.value(expr, {"u": u, "w": w})), text


def flat(point: PointValue) -> list[Fraction]:
    assert PROGRAM.domain is not None
    found: list[Fraction] = []
    for c in PROGRAM.domain.coordinates:
        match point[c.name]:
            case str() as member:
                found.append(Fraction(c.members.index(member)))
            case tuple() as entries:
                found += [e for e in entries if isinstance(e, Fraction)]
            case Fraction() as number:
                found.append(number)
    return found


def roots(value: Any) -> list[Form]:
    match value:
        case Truth(form):
            return [form]
        case Finite(_, cases):
            return list(cases)
        case _:
            return numbers(value)


def read(value: Any, at: list[Fraction]) -> Any:
    """The value at a point, from the values of its roots there."""
    match value:
        case Truth():
            return at.pop(0) >= 0
        case Finite(members):
            holds = [at.pop(0) >= 0 for _ in members]
            assert sum(holds) == 1, "exactly one case holds"
            return members[holds.index(True)]
        case tuple():
            return tuple(read(v, at) for v in value)
        case _:
            return at.pop(0)


@given(ANY, st.lists(st.tuples(points(), points()), min_size=1, max_size=4))
@settings(max_examples=300)
def test_the_circuit_of_an_expression_takes_the_values_of_its_meaning(
    text: str, pairs: list[tuple[PointValue, PointValue]]
) -> None:
    expr = expression(text)
    poser = Poser(PROGRAM)
    value = poser.symbolic.value(expr, poser.env(["u", "w"]))
    circuit, nodes = poser.build.circuit(roots(value), [*poser.inputs("u"), *poser.inputs("w")])
    for u, w in pairs:
        values = evaluate(circuit, tuple(flat(u) + flat(w)))
        expected = meant(INTERPRETER.value(expr, {"u": u, "w": w}))
        assert read(value, [values[n] for n in nodes]) == expected, text


@given(points(), st.sampled_from(["a", "v", "n"]), st.integers(-9, 9))
@settings(max_examples=200)
def test_both_meanings_agree_on_what_lies_in_the_domain(point: PointValue, name: str, quarters: int) -> None:
    value = Fraction(quarters, 4) if name != "n" else Fraction(quarters)
    moved = {**point, name: (value, Fraction(1)) if name == "v" else value}
    symbolic = Symbolic(PROGRAM, Build())
    assert PROGRAM.domain is not None
    assert (symbolic.inside(symbolic.concrete(PROGRAM.domain, moved)) == YES) == INTERPRETER.inside(moved)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("{ a: 2, v: [1, 1], n: 0, c: r, d: r }", False),  # the constraint is strict
        ("{ a: 2, v: [0.99, 1], n: 0, c: r, d: r }", True),
        ("{ a: 0, v: [-1, 1], n: 0, c: r, d: r }", False),  # an open side
        ("{ a: -2, v: [-0.99, 1], n: -3, c: t, d: s }", True),
    ],
)
def test_a_record_is_a_point_of_the_domain_or_refused(text: str, inside: bool) -> None:
    from verifier.source import Rejected

    symbolic = Symbolic(PROGRAM, Build())
    if inside:
        assert INTERPRETER.inside(symbolic.record(expression(text)))
    else:
        with pytest.raises(Rejected, match="lies outside of X"):
            symbolic.record(expression(text))
