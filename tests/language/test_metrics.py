"""Every metric says the same thing three times: distance, ball, meaning."""

from __future__ import annotations

import inspect
from fractions import Fraction
from importlib import import_module
from pkgutil import iter_modules

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.kernel.circuit import evaluate, holds
from verifier.language import metrics
from verifier.language.build import NO, YES, Build, Form, Variable
from verifier.language.metrics import LATER, METRICS, QUADRATIC, Metric

entries = fractions(-3, 3, 2)
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
either_ball = pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])


def within(distance: Fraction, radius: Fraction, closed: bool) -> bool:
    return distance <= radius if closed else distance < radius


@every_metric
@either_ball
@given(data=st.data())
def test_distance_ball_and_meaning_agree(metric: Metric, closed: bool, data: st.DataObject) -> None:
    differences = data.draw(st.lists(entries, max_size=6))
    distance = metric.meaning(differences)
    radius = data.draw(st.sampled_from([distance, distance / 2, Fraction(0), Fraction(-1)]) | entries, label="radius")
    build = Build()
    forms = [build.input(Variable(f"d{i}")) for i in range(len(differences))]
    free = build.input(Variable("r"))
    roots = [
        metric.distance(build, forms),
        metric.ball(build, forms, free, closed),
        metric.ball(build, forms, build.constant(radius), closed),
    ]
    circuit, places = build.circuit(roots, [*forms, free])
    values = evaluate(circuit, [*differences, radius])
    built, by_form, by_number = (values[i] for i in places)
    assert built == distance
    assert holds(by_form) == holds(by_number) == within(distance, radius, closed)


@every_metric
@given(data=st.data())
def test_it_is_a_pseudometric(metric: Metric, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 4))
    u, v, w = (data.draw(st.lists(entries, min_size=size, max_size=size)) for _ in range(3))

    def d(a: list[Fraction], b: list[Fraction]) -> Fraction:
        return metric.meaning([x - y for x, y in zip(a, b, strict=True)])

    assert d(u, u) == 0 <= d(u, v) == d(v, u)
    assert d(u, w) <= d(u, v) + d(v, w)
    assert (d(u, v) == 0) == (u == v)


@every_metric
@given(size=st.integers(0, 3), factor=st.fractions(min_value=Fraction(1, 9), max_value=9))
def test_it_is_a_norm_exactly_if_it_says_so(metric: Metric, size: int, factor: Fraction) -> None:
    build = Build()
    forms = [build.input(Variable(f"d{i}")) for i in range(size)]
    scaled = metric.distance(build, [build.scale(-factor, form) for form in forms])
    degree = factor if metric.is_norm else 1
    assert scaled == build.scale(degree, metric.distance(build, forms))


@every_metric
def test_the_open_ball_of_radius_zero_is_empty_and_a_negative_one_too(metric: Metric) -> None:
    build = Build()
    zero, one, minus = (build.constant(c) for c in (0, 1, -1))
    for differences in ([], [zero], [one, zero]):
        assert metric.ball(build, differences, zero, False) == NO
        assert metric.ball(build, differences, minus, False) == NO
        assert metric.ball(build, differences, minus, True) == NO
    assert metric.ball(build, [zero, zero], zero, True) == YES
    assert metric.ball(build, [one, zero], zero, True) == NO
    assert metric.ball(build, [], zero, True) == metric.ball(build, [], one, False) == YES


@pytest.mark.parametrize(("name", "expected"), [("linf", 3), ("l1", 4), ("l0", 2), ("discrete", 1)])
def test_a_distance_worked_by_hand(name: str, expected: int) -> None:
    assert METRICS[name].meaning([Fraction(1), Fraction(0), Fraction(-3)]) == expected


def test_balls_of_the_norms_are_half_spaces_without_relus() -> None:
    build = Build()
    forms = [build.input(Variable(n)) for n in "abcd"]
    for name in ("linf", "l1"):
        METRICS[name].ball(build, forms, build.constant(1), True)
    assert not [atom for atom in build.atoms if not isinstance(atom, Variable) and not atom.logic]


def test_a_discrete_ball_of_small_radius_is_equality() -> None:
    build = Build()
    x: Form = build.input(Variable("x"))
    ball = METRICS["discrete"].ball(build, [x], build.constant(Fraction(1, 2)), False)
    assert ball == build.is_zero(x) == METRICS["discrete"].ball(build, [build.scale(-3, x)], build.constant(1), False)


def test_every_metric_is_registered_once_under_its_own_name_and_documented() -> None:
    files = [m.name for m in iter_modules(metrics.__path__) if m.name not in ("metric", "quadratic")]
    assert sorted([*METRICS, *QUADRATIC]) == sorted(files)
    assert not LATER & (METRICS.keys() | QUADRATIC.keys()) and not METRICS.keys() & QUADRATIC.keys()
    for name, quadratic in QUADRATIC.items():
        module = import_module(f"verifier.language.metrics.{name}")
        assert quadratic.name == name and getattr(module, name.upper()) is quadratic
        assert module.__doc__ and all(inspect.getdoc(f) for f in (quadratic.squares, quadratic.meaning))
    for name, metric in METRICS.items():
        module = import_module(f"verifier.language.metrics.{name}")
        assert metric.name == name and getattr(module, name.upper()) is metric
        assert module.__doc__ and all(inspect.getdoc(f) for f in (metric.distance, metric.ball, metric.meaning))
