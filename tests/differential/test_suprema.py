"""Moduli, Lipschitz constants, unnecessary features, cases, containment at a point: against their definitions.

By enumeration, or by formulas: no pair lies above a supremum, some pair comes near it, and one reaches it iff
it is said to be attained.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import z3
from msgspec import structs

from tests.differential.programs import (
    Bool,
    Classifier,
    Env,
    Maker,
    Metric,
    Program,
    add,
    both,
    compare,
    no,
    scale,
)
from tests.differential.programs import Taste as T
from tests.differential.run import EPS, check, env_of, inside, report
from tests.differential.truth import Skip, World, term
from verifier.verdict.verdict import Computed, Measurement, Proved, Undecided

pytestmark = pytest.mark.usefixtures("worker")

ZERO = Fraction(0)
TINY = Fraction(1, 10**9)
HUGE = Fraction(10**9)


def equal(f: Classifier, x: Env, y: Env) -> Bool:
    """g x = g y."""
    g, h = f.g(x), f.g(y)
    return both(*(compare("==", g[k], h[k]) for k in g))


class Truth:
    """The definitions, for one program."""

    def __init__(self, p: Program) -> None:
        self.p, self.world = p, World(p)
        self.metrics = self.world.metrics(p.f1, p.f2)

    def pair(self, *facts: tuple[str, Fraction, str, Fraction]) -> bool:
        """Is there a pair with `a * d1 + b * d2 op c` for every (a, b, op, c)?"""

        def what(x: Env, y: Env) -> Bool:
            d1, d2 = self.p.f1.distance(x, y), self.p.f2.distance(x, y)
            return both(*(compare(op, add(scale(a, d1), scale(b, d2)), c) for a, b, op, c in facts))

        return self.world.some(2, what)

    def modulus(self, delta: Fraction, said: Computed) -> Iterator[str]:
        near = (ZERO, Fraction(1), "<=", delta)
        one = Fraction(1)
        if said.value == "infinity":
            if not self.pair(near, (one, ZERO, ">", HUGE)):
                yield "no pair is that far apart"
            return
        value = said.value
        assert isinstance(value, Fraction)
        if self.pair(near, (one, ZERO, ">", value)):
            yield "a pair is farther apart"
        if not self.pair(near, (one, ZERO, ">", value - TINY)):
            yield "no pair is nearly so far apart"
        if self.pair(near, (one, ZERO, "==", value)) != said.attained:
            yield "attained is wrong"
        limit = next((Fraction(m[1]) for n in said.result.notes if (m := re.search(r"it tends to (\S+):", n))), None)
        if limit is not None:
            close, slack = (ZERO, one, "<=", TINY / 1000), Fraction(1, 10**4)
            if self.pair(close, (one, ZERO, ">", limit + slack)):
                yield f"the defect is more than {limit}"
            if not self.pair(close, (one, ZERO, ">", limit - slack)):
                yield f"the defect is less than {limit}"

    def constant(self, said: Computed) -> Iterator[str]:
        one = Fraction(1)
        if said.value == "infinity":
            if not self.pair((one, -HUGE, ">", ZERO)):
                yield "some constant will do"
            return
        value = said.value
        assert isinstance(value, Fraction)
        if self.pair((one, -value, ">", ZERO)):
            yield "the constant is too small"
        if value > 0 and not self.pair((one, TINY - value, ">", ZERO)):
            yield "the constant is too large"
        if self.pair((one, -value, "==", ZERO), (ZERO, one, ">", ZERO)) != bool(said.attained):
            yield "attained is wrong"

    def contained_at(self) -> bool:
        f1, f2, p = self.p.f1, self.p.f2, self.p.point
        assert p is not None
        if not self.p.reals():
            return not self.world.some(
                1, lambda y: both(compare("<=", f2.distance(p, y), ZERO), compare(">", f1.distance(p, y), ZERO))
            )
        eps, delta = self.world.positive("eps"), self.world.positive("delta")
        near = self.world.any_point(
            1, lambda y: both(compare("<", f2.distance(p, y), delta), compare(">=", f1.distance(p, y), eps))
        )
        return not self.world.sat(both(eps > 0, z3.ForAll([delta], z3.Implies(delta > 0, term(near)))))


def shown(p: Program, said: Computed, delta: Fraction | None) -> Iterator[str]:
    """The pair of a supremum."""
    if said.result.pair is None:
        return
    points = {n: env_of(p, v) for n, v in said.result.pair.points.items()}
    if not all(inside(p, x) for x in points.values()):
        yield "the pair lies outside of X"
    yield from report(p, said.result.pair, points)
    x, y = points.values()
    d1, d2 = p.f1.distance(x, y), p.f2.distance(x, y)
    if delta is not None and d2 > delta:
        yield f"the pair is {d2} apart for the oracle"
    top = d1 if delta is not None else d1 / d2 if d2 else None
    if isinstance(said.value, Fraction):
        if top is None or not (top == said.value if said.attained else said.value - EPS <= top < said.value):
            yield f"the pair has {top}"
    elif top is not None and top * EPS < 1:
        yield f"the pair has only {top}"


def examine(seed: str, taste: T, folder: Path) -> tuple[list[str], str]:
    rng = random.Random(seed)
    p = Maker(rng, taste).program()
    if p.f1.metric is None:
        p = replace(p, f1=replace(p.f1, metric=Metric(rng.choice(["linf", "linf", "l1", "l0", "discrete"]))))
    p = replace(p, asserts=())
    deltas = rng.sample([ZERO, Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(3, 2), Fraction(5)], 2)
    bound = rng.choice([Fraction(1, 2), Fraction(1), Fraction(2), Fraction(3)])
    lines = [f"compute M{i}: modulus(f1, f2, delta: {d})" for i, d in enumerate(deltas)]
    lines += ["compute K: lipschitz_constant(f1, f2)", "compute U: unnecessary_features(f1, f2)"]
    lines += [
        "compute W: modulus_curve(f1, f2)",
        "compute C: case(f1, f2)",
        "assert AT: contained_at(f1, f2, p)",
        f"assert L: lipschitz(f1, f2, {bound})",
    ]
    text = p.vf() + "\n".join(lines) + "\n"
    result = check(text, folder)
    errors = [d for d in result.diagnostics if d.severity == "error"]
    if errors:
        return ([] if all(d.code == "V308" for d in errors) else [d.message for d in errors]), text
    problems = [*result.internal_errors]
    computed = {c.name: c for c in result.computed}
    truth = Truth(p)
    if not truth.metrics:
        wrong = [c.name for c in result.computed if c.value is not None and c.name != "U"]
        wrong += [a.name for a in result.assertions if not isinstance(a.verdict, Undecided)]
        return problems + [f"{n} is answered, though a metric is none" for n in wrong], text
    for name, compare_ in (
        *((f"M{i}", lambda said, d=d: [*truth.modulus(d, said), *shown(p, said, d)]) for i, d in enumerate(deltas)),
        ("W", lambda said: (w for d in deltas for w in curve(truth, said, d))),
        ("K", lambda said: [*truth.constant(said), *shown(p, said, None)]),
        ("U", lambda said: features(truth, said)),
        ("C", lambda said: case(truth, said)),
    ):
        said = computed[name]
        if said.value is None:
            if "out of time" not in said.reason and "stayed open" not in said.reason:
                problems.append(f"{name} is unknown: {said.reason}")
            continue
        with suppress(Skip):
            problems += [f"{name} = {said.value} {said.attained}: {w}" for w in compare_(said)]
    for name, true in (
        ("AT", truth.contained_at),
        ("L", lambda: not truth.pair((Fraction(1), -bound, ">", ZERO))),
    ):
        verdict = result[name].verdict
        with suppress(Skip):
            if not isinstance(verdict, Undecided) and isinstance(verdict, Proved) != true():
                problems.append(f"{name} is {result[name].word}")
    return problems, text


def curve(truth: Truth, said: Computed, delta: Fraction) -> Iterator[str]:
    """At delta the curve is the modulus."""
    assert said.result.figure is not None
    line = said.result.figure.at(delta)
    value = line.at(delta)
    there = Measurement("infinity" if value is None else value, None if value is None else line.attained)
    yield from truth.modulus(delta, structs.replace(said, result=there))


def features(truth: Truth, said: Computed) -> Iterator[str]:
    p = truth.p
    names = [f.name for f in p.f1.features if not truth.world.contained(p.f1, p.f2, False, f.name)]
    if said.value != (", ".join(names) or "none"):
        yield f"it is {names}"


def case(truth: Truth, said: Computed) -> Iterator[str]:
    p, world = truth.p, truth.world
    there, back = world.contained(p.f1, p.f2, False), world.contained(p.f2, p.f1, False)
    right = {(False, False): "I", (False, True): "II", (True, True): "III", (True, False): "IV"}[there, back]
    if said.value != right:
        yield f"it is {right}"
    torn = world.some(2, lambda x, y: both(equal(p.f1, x, y), compare("!=", p.f2.label(x), p.f2.label(y))))
    apart = world.some(2, lambda x, y: both(equal(p.f1, x, y), no(equal(p.f2, x, y))))
    _, accurate, defeat = said.result.notes
    if torn != accurate.startswith("No decision"):
        yield f"perfect accuracy: {accurate}"
    if apart != defeat.startswith("Some decision"):
        yield f"defeat: {defeat}"


def sound(name: str, taste: T, seed: int, folder: Path) -> None:
    problems, text = examine(f"suprema {name} {seed}", taste, folder)
    assert not problems, "\n".join([*problems, text])


@pytest.mark.seeds(4)
def test_discrete_domains(seed: int, tmp_path: Path) -> None:
    sound("discrete", T(reals=(0, 0), discrete=(1, 3)), seed, tmp_path)


@pytest.mark.seeds(4)
def test_one_real_coordinate_and_jumps(seed: int, tmp_path: Path) -> None:
    sound("jumps", T(reals=(1, 1), jumps=0.4), seed, tmp_path)


@pytest.mark.seeds(4)
def test_integers_beside_reals(seed: int, tmp_path: Path) -> None:
    sound("mixed", T(reals=(1, 1), discrete=(1, 1), jumps=0.5, thin=0), seed, tmp_path)


@pytest.mark.seeds(4)
def test_continuous_maps(seed: int, tmp_path: Path) -> None:
    sound("continuous", T(reals=(1, 2), jumps=0.0), seed, tmp_path)


@pytest.mark.seeds(4)
def test_walks_that_meet_themselves(seed: int, tmp_path: Path) -> None:
    sound("walks", T(reals=(1, 1), curves=True, depth=1, thin=0.2), seed, tmp_path)


@pytest.mark.seeds(4)
def test_copies_that_run_together(seed: int, tmp_path: Path) -> None:
    sound("shrinking", T(shrinking=True, depth=1, user_metric=0), seed, tmp_path)


@pytest.mark.seeds(4)
def test_sums_and_maxima_of_metrics(seed: int, tmp_path: Path) -> None:
    sound("combined", T(reals=(1, 1), discrete=(0, 1), depth=1, combined=0.9, user_metric=0), seed, tmp_path)
