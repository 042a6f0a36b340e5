"""Whatever the builder folds, shares or decides: its circuit has the values of the expression that was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction as Q

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.kernel.circuit import evaluate
from verifier.language.build import NO, ONE, YES, ZERO, Build, Choice, Form, TooLarge, Variable, primitive

Point = tuple[Q, ...]
Number = tuple[Form, Callable[[Point], Q]]
Truth = tuple[Form, Callable[[Point], bool]]

small = st.sampled_from([Q(0), Q(1), Q(-1), Q(1, 2), Q(-1, 2), Q(2), Q(-2), Q(3), Q(1, 3)])


@dataclass
class Script:
    """A builder with everything that was built, each with its meaning told a second time in plain Python."""

    build: Build = field(default_factory=Build)
    variables: list[Variable] = field(default_factory=list)
    inputs: list[Form] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)

    def values(self, roots: list[Form], point: Point) -> list[Q]:
        circuit, places = self.build.circuit(roots, self.inputs)
        values = evaluate(circuit, point)
        return [values[place] for place in places]


def variable(draw: st.DrawFn, name: str) -> Variable:
    integer = draw(st.booleans())
    ends = st.none() | (st.integers(-2, 2).map(Q) if integer else small)
    low, high = draw(ends), draw(ends)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return Variable(name, low, high, integer)


def coordinate(draw: st.DrawFn, variable: Variable) -> Q:
    """A value of the variable; often one of its ends, or where many terms tie."""
    low = variable.low if variable.low is not None else Q(-3) if variable.high is None else variable.high - 4
    high = variable.high if variable.high is not None else max(Q(3), low + 4)
    if variable.integer:
        return Q(draw(st.integers(int(low), int(high))))
    return draw(st.sampled_from([low, high]) | small.filter(lambda v: low <= v <= high) | fractions(low, high, 4))


def number(draw: st.DrawFn, script: Script) -> Number:
    build, some, fact = script.build, st.sampled_from(script.numbers), st.sampled_from(script.truths)
    (f, a), (g, b) = draw(some), draw(some)
    c, d, e = draw(small), draw(small), draw(small)
    match draw(st.integers(0, 7)):
        case 0 | 1:
            return build.combine([(c, f), (d, g)], e), lambda p: c * a(p) + d * b(p) + e
        case 2 | 3:
            return build.relu(f), lambda p: max(a(p), Q(0))
        case 4:
            t, h = draw(some)
            return build.select(t, f, g), lambda p: a(p) if h(p) >= 0 else b(p)
        case 5:
            s, holds = draw(fact)
            return build.select(s, f, g), lambda p: a(p) if holds(p) else b(p)
        case 6:
            s, holds = draw(fact)
            return build.select(s, ZERO, build.constant(-1)), lambda p: Q(0) if holds(p) else Q(-1)
        case _:  # continuous on purpose
            jump = build.add(g, build.scale(c, f))
            return build.select(f, jump, g), lambda p: b(p) + (c * a(p) if a(p) >= 0 else 0)


def truth(draw: st.DrawFn, script: Script) -> Truth:
    build, fact = script.build, st.sampled_from(script.truths)
    (f, a), (s, p1), (t, p2), (u, p3) = draw(st.sampled_from(script.numbers)), draw(fact), draw(fact), draw(fact)
    match draw(st.integers(0, 10)):
        case 0:
            return build.at_least_zero(f), lambda p: a(p) >= 0
        case 1:
            return build.above_zero(f), lambda p: a(p) > 0
        case 2:
            return build.is_zero(f), lambda p: a(p) == 0
        case 3:
            return f, lambda p: a(p) >= 0
        case 4 | 5:
            return build.negate(s), lambda p: not p1(p)
        case 6:
            return build.both(s, t, u), lambda p: p1(p) and p2(p) and p3(p)
        case 7:
            return build.either(s, t, u), lambda p: p1(p) or p2(p) or p3(p)
        case 8:
            return build.implies(s, t), lambda p: not p1(p) or p2(p)
        case 9:
            return build.same(s, t), lambda p: p1(p) == p2(p)
        case _:
            return build.when(s, t, u), lambda p: p2(p) if p1(p) else p3(p)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    script = Script()
    for k in range(draw(st.integers(1, 3))):
        script.variables.append(variable(draw, f"x{k}"))
        script.inputs.append(script.build.input(script.variables[k]))
        script.numbers.append((script.inputs[k], lambda p, k=k: p[k]))  # type: ignore[misc]
    script.numbers += [(ZERO, lambda p: Q(0)), (ONE, lambda p: Q(1)), (NO, lambda p: Q(-1))]
    script.truths += [(YES, lambda p: True), (NO, lambda p: False), (ONE, lambda p: True)]
    for _ in range(draw(st.integers(1, 14))):
        if draw(st.booleans()):
            script.numbers.append(number(draw, script))
        else:
            script.truths.append(truth(draw, script))
    return script


@st.composite
def points(draw: st.DrawFn, script: Script, count: int = 4) -> list[Point]:
    return [tuple(coordinate(draw, v) for v in script.variables) for _ in range(count)]


thorough = settings(deadline=None, max_examples=150)


@thorough
@given(scripts(), st.data())
def test_the_circuit_has_the_values_of_the_expression(script: Script, data: st.DataObject) -> None:
    for point in data.draw(points(script)):
        values = script.values([f for f, _ in script.numbers] + [f for f, _ in script.truths], point)
        assert values[: len(script.numbers)] == [meaning(point) for _, meaning in script.numbers]
        assert [v >= 0 for v in values[len(script.numbers) :]] == [meaning(point) for _, meaning in script.truths]


@thorough
@given(scripts(), st.data())
def test_bounds_and_decisions_are_right_inside_the_bounds(script: Script, data: st.DataObject) -> None:
    build = script.build
    atoms = [Form(Q(0), ((i, Q(1)),)) for i in range(len(build.atoms))]
    forms = atoms + [f for f, _ in script.numbers] + [f for f, _ in script.truths]
    for point in data.draw(points(script)):
        for form, value in zip(forms, script.values(forms, point), strict=True):
            low, high = build.bounds(form)
            assert low is None or low <= value
            assert high is None or value <= high
            assert build.decide(form) in (None, value >= 0)


@thorough
@given(scripts(), st.data())
def test_substituting_commutes_with_evaluating(script: Script, data: st.DataObject) -> None:
    build, draw = script.build, data.draw
    images: dict[int, Form] = {}
    for k, v in enumerate(script.variables):
        if draw(st.booleans()):  # clamped to the bounds, outside of which nothing was promised
            image, _ = draw(st.sampled_from(script.numbers))
            if v.low is not None:
                image = build.add(build.relu(build.subtract(image, Form(v.low))), Form(v.low))
            if v.high is not None:
                image = build.subtract(Form(v.high), build.relu(build.subtract(Form(v.high), image)))
            images[script.inputs[k].terms[0][0]] = image
    roots = [f for f, _ in script.numbers] + [f for f, _ in script.truths]
    after = build.substitute(roots, images)
    replaced = [images.get(form.terms[0][0], form) for form in script.inputs]
    for point in draw(points(script)):
        there = tuple(script.values(replaced, point))
        values = script.values(after, point)
        assert values[: len(script.numbers)] == [meaning(there) for _, meaning in script.numbers]
        assert [v >= 0 for v in values[len(script.numbers) :]] == [meaning(there) for _, meaning in script.truths]


@thorough
@given(scripts())
def test_every_atom_is_normal(script: Script) -> None:
    build = script.build
    for i, atom in enumerate(build.atoms):
        match atom:
            case Choice(test, then, otherwise) as choice:
                assert all(j < i for form in (test, then, otherwise) for j, _ in form.terms)
                assert choice.is_relu or then != otherwise
                assert build.decide(test) is None
                if choice.is_relu:
                    assert primitive(test) == (Q(1), test)
                    assert test.terms[0][1] > 0
    choices = [atom for atom in build.atoms if isinstance(atom, Choice)]
    assert len(set(choices)) == len(choices)


@settings(deadline=None)
@given(scripts())
def test_substituting_nothing_changes_nothing(script: Script) -> None:
    roots = [f for f, _ in script.numbers] + [f for f, _ in script.truths]
    assert script.build.substitute(roots, {}) == roots


# single facts


def line() -> tuple[Build, Form]:
    build = Build()
    return build, build.input(Variable("x"))


whole = st.integers(-(2**70), 2**70) | st.integers(-2, 2)


@given(st.data())
def test_a_dense_layer_is_a_combination_of_its_inputs(data: st.DataObject) -> None:
    build = Build()
    inputs = [build.input(Variable(f"x{i}", Q(-1), Q(1))) for i in range(3)]
    shares = st.lists(fractions(-3, 3, 50), min_size=3, max_size=3)
    forms = [
        build.combine(zip(row, inputs, strict=True), constant)
        for row, constant in data.draw(st.lists(st.tuples(shares, small), max_size=4))
    ]
    rows = data.draw(st.lists(st.lists(whole, min_size=len(forms) + 1, max_size=len(forms) + 1), max_size=3))
    below = 1 << data.draw(st.integers(0, 80))
    plain = [
        build.combine(((Q(w, below), f) for w, f in zip(row, forms, strict=True)), Q(c, below)) for *row, c in rows
    ]
    assert build.dense(rows, below, forms) == plain


def test_relus_of_multiples_are_one_atom() -> None:
    build = Build()
    x, y = build.input(Variable("x")), build.input(Variable("y"))
    difference = build.subtract(x, y)
    r = build.relu(difference)
    assert build.relu(build.scale(2, difference)) == build.scale(2, r)
    assert build.relu(build.scale(Q(-1, 3), difference)) == build.scale(Q(1, 3), build.subtract(r, difference))
    assert build.select(difference, difference, build.constant(0)) == r
    assert len(build.atoms) == 3


def test_a_formula_and_a_number_with_the_same_branches_are_two_atoms() -> None:
    build, x = line()
    opposite = build.negate(x)
    number = build.select(x, NO, YES)
    assert opposite != number
    assert build.negate(opposite) == x
    assert build.negate(number) != x  # a number -1 or 0, whose sign is no longer known to be a negation


def test_a_strict_test_makes_a_relu_too() -> None:
    build, x = line()
    assert build.select(build.above_zero(x), x, ZERO) == build.relu(x)
    assert build.select(build.negate(x), ZERO, x) == build.relu(x)


def test_decided_guards_vanish() -> None:
    build = Build()
    x = build.input(Variable("x", Q(0), Q(1)))
    assert build.relu(x) == x
    assert build.relu(build.scale(-1, x)) == ZERO
    assert build.at_least_zero(x) == YES
    assert build.above_zero(build.subtract(x, ONE)) == NO
    assert build.decide(build.subtract(x, ONE)) is None
    assert len(build.atoms) == 1


def test_constants_fold() -> None:
    build, _ = line()
    assert build.relu(Form(Q(-3))) == ZERO
    assert build.select(Form(Q(-1, 9)), YES, ONE) == ONE
    assert build.both() == YES
    assert build.either() == NO
    assert primitive(ZERO) == (Q(1), ZERO)
    assert primitive(Form(Q(-3, 2))) == (Q(3, 2), Form(Q(-1)))


def test_a_builder_stops_at_its_cap() -> None:
    build = Build(cap=1)
    x = build.input(Variable("x"))
    with pytest.raises(TooLarge):
        for k in range(100):
            x = build.relu(build.combine([(Q(1), x)], Q(-k)))
