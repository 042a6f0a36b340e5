"""Suprema of distances that are the largest of a few sums: sum by sum as at once, and lies that are found out."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F
from functools import cache
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from verifier.api import Options, load_text
from verifier.engines.engine import Answer, Fails, Holds, Unknown
from verifier.engines.portfolio import Portfolio
from verifier.query.pose import Poser
from verifier.verdict.measures import directional, modulus, sums
from verifier.verdict.verdict import Amount, Computed, FileResult, Measurement

PLANE = "domain X { x: real in [-1, 1], y: real in [-1, 1] }\nlabels { a, b }\n"


def check(text: str, timeout: float = 30) -> FileResult:
    return load_text(text).check(Options(timeout=timeout))


def network(random: Random, metric: str, oracle: str, domain: str = PLANE) -> str:
    """Three scores of three relus of two."""

    def row(terms: list[str]) -> str:
        return " + ".join(f"({random.randint(-4, 4)}/2) * {term}" for term in [*terms, "1"])

    first = [f"relu({row(['x', 'y'])})" for _ in range(2)]
    second = [f"relu({row([*first, 'x'])})" for _ in range(3)]
    scores = ", ".join(row(second) for _ in range(3))
    return f"""{domain}model f1 {{ features s = [{scores}]  metric {metric}  decide a }}
oracle f2 {{ features all  metric {oracle} }}
"""


def one(text: str) -> Computed:
    result = check(text)
    assert not result.diagnostics and not result.internal_errors
    (found,) = result.computed
    return found


@cache
def true(measure: str) -> Amount | None:
    """What it is of the network of those who are lied to."""
    return one(network(Random(1), "linf", "linf") + f"compute A: {measure}").result.amount


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("linf", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ("linf(scale: [1, 2, 4])", [[1, 0, 0], [0, F(1, 2), 0], [0, 0, F(1, 4)]]),
        ("2 * linf", [[2, 0, 0], [0, 2, 0], [0, 0, 2]]),
        ("l1", None),
        ("l0", None),
    ],
)
def test_the_sums_of_a_norm(metric: str, expected: list[list[F]] | None) -> None:
    text = f"""domain X {{ x: real in [0, 1], y: real in [0, 1], z: real in [0, 1] }}
labels {{ a, b }}
model f1 {{ features v = [x, y, z]  metric {metric}  decide a }}
"""
    program = load_text(text).program
    assert program is not None
    poser = Poser(program)
    inputs = poser.inputs("x")
    found = sums.sums(poser, program.classifiers["f1"], [("v", form) for form in inputs])
    places = [form.terms[0][0] for form in inputs]
    if expected is None:
        assert found is None
    else:
        assert found is not None
        rows = [[dict(form.terms).get(i, F(0)) for i in places] for form in found]
        assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 7])
def test_sum_by_sum_as_at_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    domain = PLANE if seed % 4 else PLANE.replace("y: real in [-1, 1]", "y: int in [-2, 3]")
    text = network(random, random.choice(["linf", "linf(scale: 3)"]), random.choice(["linf", "l1"]), domain)
    asked = text + random.choice(["compute A: modulus(f1, f2, delta: 1/4)", "compute A: modulus(f1, f2, delta: 3/2)"])
    monkeypatch.setattr(directional, "modulus", lambda *_: None)
    found = one(asked)
    assert found.result.certificates and found.trusts == ()
    monkeypatch.setattr(modulus, "sums", lambda *_: None)
    whole = one(asked)
    assert found.result.amount == whole.result.amount is not None
    assert found.result.attained == whole.result.attained
    if seed % 4:
        constant = text + "compute A: lipschitz_constant(f1, f2)"
        found = one(constant)
        monkeypatch.setattr(directional, "sums", lambda *_: None)
        assert found.result.amount == one(constant).result.amount is not None


def test_a_short_modulus_is_a_multiple_of_the_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a pair that far apart lies in a steepest piece; elsewhere as before."""
    original, took = directional.modulus, list[bool]()

    def seen(*asked: Any) -> Measurement | None:
        found = original(*asked)
        took.append(found is not None)
        return found

    for seed in range(4):
        random = Random(seed)
        text = network(random, random.choice(["linf", "l1"]), random.choice(["linf", "l1", "linf(scale: [1, 3])"]))
        for delta in ("1/32", "3/2"):
            monkeypatch.setattr(directional, "modulus", seen)
            found = one(f"{text}compute A: modulus(f1, f2, delta: {delta})")
            monkeypatch.setattr(directional, "modulus", lambda *_: None)
            other = one(f"{text}compute A: modulus(f1, f2, delta: {delta})")
            assert found.result.amount == other.result.amount is not None
            assert found.result.attained and not found.trusts
    assert sum(took) >= 3 and not all(took)


LIES: dict[str, Callable[[Answer], Answer]] = {
    "a higher place": lambda a: (
        replace(a, points=(a.points[0], tuple(x + 1 for x in a.points[1]))) if isinstance(a, Fails) else a
    ),
    "a place lower down": lambda a: replace(a, points=(a.points[0], a.points[0])) if isinstance(a, Fails) else a,
    "another solution": lambda a: replace(a, points=(a.points[1], a.points[0])) if isinstance(a, Fails) else a,
    "nothing higher": lambda a: Holds("liar", (), a.proof) if isinstance(a, Holds) else a,
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("measure", ["modulus(f1, f2, delta: 1/4)", "lipschitz_constant(f1, f2)"])
def test_a_lie_changes_nothing(lie: str, measure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, amount = network(Random(1), "linf", "linf") + f"compute A: {measure}", true(measure)
    original = Portfolio.higher
    monkeypatch.setattr(Portfolio, "higher", lambda *asked: LIES[lie](original(*asked)))
    result = check(text)
    if result.internal_errors:
        assert "ReplayFailed" in result.internal_errors[0]
    else:
        assert result.computed[0].result.amount == amount


def test_the_proof_of_another_question_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    original, seen = Portfolio.higher, list[Holds]()

    def lie(*asked: object) -> Answer:
        answer = original(*asked)  # type: ignore[arg-type]
        if isinstance(answer, Holds):
            seen.append(answer)
            return seen[0]
        return answer

    monkeypatch.setattr(Portfolio, "higher", lie)
    result = check(network(Random(1), "linf", "linf") + "compute A: modulus(f1, f2, delta: 1/4)")
    assert len(seen) > 1
    assert "about other questions" in result.internal_errors[0]


@pytest.mark.parametrize("measure", ["modulus(f1, f2, delta: 1/4)", "lipschitz_constant(f1, f2)"])
def test_what_was_found_is_said_where_the_rest_stays_open(measure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, amount = network(Random(1), "linf", "linf") + f"compute A: {measure}", true(measure)
    assert isinstance(amount, F)
    original = Portfolio.higher

    def tired(*asked: object) -> Answer:
        found = original(*asked)  # type: ignore[arg-type]
        return Unknown("out of time") if isinstance(found, Holds) else found

    for name, method in (
        ("higher", tired),
        *((n, lambda *_, **__: Unknown("tired")) for n in ("greatest", "steepest")),
    ):
        monkeypatch.setattr(Portfolio, name, method)
    result = check(text)
    assert result.internal_errors == ()
    (found,) = result.computed
    assert found.value is None
    words, _, least = str(found.reason).rpartition(" ")
    assert words == "out of time; it is at least"
    assert F(least) <= amount <= F(least) + F(1, 10**9)
