"""Every operator says the same thing twice: what it builds is what it means."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from fractions import Fraction
from importlib import import_module
from pkgutil import iter_modules

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.kernel.circuit import evaluate
from verifier.language import ops
from verifier.language.build import Build, Form, Variable
from verifier.language.ops import OPS, Op

numbers = fractions(-3, 3, 3)
slack = st.none() | fractions(0, 2, 2)


@st.composite
def inputs(draw: st.DrawFn, least: int, most: int) -> tuple[list[Variable], list[Fraction]]:
    """Variables with random bounds (or none), and a point within them; ties are frequent."""
    point = draw(st.lists(numbers, min_size=least, max_size=most))
    variables = []
    for i, value in enumerate(point):
        below, above = draw(slack), draw(slack)
        low, high = None if below is None else value - below, None if above is None else value + above
        variables.append(Variable(f"x{i}", low, high))
    return variables, point


def value(build: Build, root: Form, variables: Sequence[Form], point: Sequence[Fraction]) -> Fraction:
    circuit, places = build.circuit([root], variables)
    return evaluate(circuit, point)[places[0]]


@pytest.mark.parametrize("op", OPS.values(), ids=list(OPS))
@given(data=st.data())
def test_what_an_operator_builds_is_what_it_means(op: Op, data: st.DataObject) -> None:
    least, most = (op.arguments, op.arguments) if op.shape == "each" else (1, 5)
    variables, point = data.draw(inputs(least, most))
    build = Build()
    forms = [build.input(v) for v in variables]
    root = op.expand(build, forms)
    assert value(build, root, forms, point) == op.meaning(point)
    low, high = build.bounds(root)
    assert (low is None or low <= op.meaning(point)) and (high is None or op.meaning(point) <= high)


@pytest.mark.parametrize(
    ("name", "of", "expected"),
    [
        ("relu", (-1,), 0),
        ("relu", (2,), 2),
        ("abs", (-2,), 2),
        ("sign", (-5,), -1),
        ("sign", (0,), 0),
        ("sign", (5,), 1),
        ("step", (0,), 1),
        ("step", (-1,), 0),
        ("clamp", (5, 0, 1), 1),
        ("clamp", (-5, 0, 1), 0),
        ("clamp", (5, 1, 0), 0),
        ("max", (1, 3, 2), 3),
        ("min", (1, 3, 2), 1),
        ("sum", (1, 3, 2), 6),
        ("sum", (), 0),
        ("norm1", (1, -3), 4),
        ("norm1", (), 0),
        ("norminf", (1, -3), 3),
        ("norminf", (), 0),
    ],
)
def test_a_value_worked_by_hand(name: str, of: tuple[int, ...], expected: int) -> None:
    build = Build()
    assert OPS[name].meaning([Fraction(x) for x in of]) == expected
    assert OPS[name].expand(build, [build.constant(x) for x in of]) == build.constant(expected)


@given(st.permutations(range(4)), st.fractions(min_value=Fraction(1, 9), max_value=9), numbers)
def test_reordered_rescaled_and_shifted_maxima_are_equal_forms(
    order: list[int], factor: Fraction, shift: Fraction
) -> None:
    build = Build()
    x, y, z = (build.input(Variable(n)) for n in "xyz")
    forms = [x, build.add(y, build.scale(-2, x)), build.constant(1), build.subtract(z, y)]
    common = build.add(build.constant(shift), z)
    moved = [build.add(build.scale(factor, forms[i]), common) for i in order]
    for name in ("max", "min"):
        expand = OPS[name].expand
        assert expand(build, moved) == build.add(build.scale(factor, expand(build, forms)), common)
    negated = [build.scale(-1, form) for form in forms]
    assert OPS["min"].expand(build, negated) == build.scale(-1, OPS["max"].expand(build, forms))


@given(st.fractions(min_value=Fraction(1, 9), max_value=9))
def test_absolute_values_and_signs_of_multiples_are_equal_forms(factor: Fraction) -> None:
    build = Build()
    x, y = build.input(Variable("x")), build.input(Variable("y"))
    u = build.subtract(build.scale(3, y), x)
    for sign in (1, -1):
        v = build.scale(sign * factor, u)
        for name in ("abs", "norm1", "norminf"):
            assert OPS[name].expand(build, [v]) == build.scale(factor, OPS[name].expand(build, [u]))
        assert OPS["sign"].expand(build, [v]) == build.scale(sign, OPS["sign"].expand(build, [u]))
    assert OPS["step"].expand(build, [build.scale(factor, u)]) == OPS["step"].expand(build, [u])


def test_max_of_a_form_and_its_negative_is_its_absolute_value() -> None:
    build = Build()
    x = build.input(Variable("x"))
    minus = build.scale(-1, x)
    assert (
        OPS["max"].expand(build, [x, minus]) == OPS["max"].expand(build, [minus, x, x]) == OPS["abs"].expand(build, [x])
    )
    assert OPS["max"].expand(build, [x, build.constant(0)]) == OPS["relu"].expand(build, [x])


def test_bounds_that_decide_leave_no_choice() -> None:
    build = Build()
    x = build.input(Variable("x", Fraction(0), Fraction(1)))
    two = build.constant(2)
    assert OPS["abs"].expand(build, [build.subtract(x, two)]) == build.subtract(two, x)
    assert OPS["max"].expand(build, [x, two]) == two
    assert OPS["clamp"].expand(build, [x, build.constant(-1), two]) == x
    assert OPS["step"].expand(build, [x]) == build.constant(1)
    assert len(build.atoms) == 1


def test_every_operator_is_registered_once_under_its_own_name_and_documented() -> None:
    files = [m.name for m in iter_modules(ops.__path__) if m.name != "op"]
    assert sorted(OPS) == sorted(files)
    for name, op in OPS.items():
        module = import_module(f"verifier.language.ops.{name}")
        assert op.name == name and getattr(module, name.upper()) is op
        assert module.__doc__ and inspect.getdoc(op.expand) and inspect.getdoc(op.meaning)
