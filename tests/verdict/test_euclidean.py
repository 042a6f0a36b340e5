"""Lipschitz constants of l2: against singular values, sampled pairs and their definition; lies are found out."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from random import Random

import pytest
from msgspec.structs import replace

from verifier.api import load_text
from verifier.engines.engine import Answer, Most
from verifier.engines.portfolio import Portfolio
from verifier.query.question import Question
from verifier.verdict.measures import linear_quotient
from verifier.verdict.verdict import Measurement, Root


def constant(text: str) -> Measurement:
    result = load_text(text).check()
    assert not result.diagnostics and not result.internal_errors, (result.diagnostics, result.internal_errors)
    return result.computed[0].result


def bounds(found: Measurement) -> tuple[float, float]:
    match found.amount:
        case Root(square):
            return sqrt(square), sqrt(square)
        case Fraction():
            return float(found.amount), float(found.amount)
    assert found.enclosure is not None, found
    return float(found.enclosure[0]), float(found.enclosure[1])


def text(features: str, metric: str, oracle: str = "x = x  metric l2") -> str:
    return f"""
domain X {{ x: real^2 in [0, 1] }}
labels {{ no, yes }}
oracle f2 {{ features {oracle} }}
model f1 {{ features {features}  metric {metric}  decide if x[0] >= 1/2 then yes else no }}
compute K: lipschitz_constant(f1, f2)
""".replace("decide if x[0] >= 1/2 then yes else no", "decide yes")


@pytest.mark.parametrize("seed", range(8))
def test_a_linear_map_has_its_largest_singular_value(seed: int) -> None:
    random = Random(seed)
    (a, b), (c, d) = [[random.randint(-3, 3) for _ in range(2)] for _ in range(2)]
    low, high = bounds(constant(text(f"p = {a}*x[0] + {b}*x[1], q = {c}*x[0] + {d}*x[1]", "l2")))
    trace, determinant = a * a + b * b + c * c + d * d, a * d - b * c
    truth = sqrt((trace + sqrt(max(0, trace**2 - 4 * determinant**2))) / 2)
    assert low <= truth * (1 + 1e-12) and truth * (1 - 1e-12) <= high <= low * (1 + 1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_a_root_of_a_rational_is_exact(seed: int) -> None:
    """The largest eigenvalue of A^T A seen from M, built to be a rational: A = B diag(r, s) R with R^T R = M."""
    random = Random(seed)
    a, b, c = random.randint(1, 3), random.randint(-2, 2), random.randint(1, 3)
    metric = f"mahalanobis([[{a * a}, {a * b}], [{a * b}, {b * b + c * c}]])"  # R = [[a, b], [0, c]]
    turn = random.choice([((3, 4), (-4, 3)), ((1, 0), (0, 1)), ((5, 12), (-12, 5))])
    r, s = random.randint(1, 4), random.randint(1, 4)
    rows = [(p * r * a, p * r * b + q * s * c) for p, q in turn]
    found = constant(
        text(
            f"p = {rows[0][0]}*x[0] + {rows[0][1]}*x[1], q = {rows[1][0]}*x[0] + {rows[1][1]}*x[1]",
            "l2",
            f"x = x  metric {metric}",
        )
    )
    assert found.how == "exact" and found.attained, found
    assert found.amount == max(r, s) * {9 + 16: 5, 1: 1, 169: 13}[turn[0][0] ** 2 + turn[0][1] ** 2]


def test_the_root_of_an_eigenvalue_that_is_no_square() -> None:
    """det([[10, 5], [5, 5]] - k [[2, 1], [1, 3]]) = 5 (k - 1) (k - 5)."""
    found = constant(text("p = x[0] + 2*x[1], q = 3*x[0] + x[1]", "l2", "x = x  metric mahalanobis([[2, 1], [1, 3]])"))
    assert found.amount == Root(Fraction(5)) and found.attained


@pytest.mark.parametrize("seed", range(8))
def test_no_pair_is_steeper_and_the_pair_shown_is_as_steep(seed: int) -> None:
    """Networks of two relus; the metrics of model and oracle are l2, linf and mahalanobis by turns."""
    random = Random(seed)
    w = [[Fraction(random.randint(-8, 8), 4) for _ in range(3)] for _ in range(2)]
    hidden = ", ".join(f"h{k} = relu({a}*x[0] + ({b})*x[1] + ({c}))" for k, (a, b, c) in enumerate(w))
    if all(a + b + c <= 0 and c <= 0 and a + c <= 0 and b + c <= 0 for a, b, c in w):
        return
    metrics = [("linf", "l2"), ("l1", "mahalanobis([[2, 1], [1, 1]])"), ("l2", "linf"), ("l2", "l2")][seed % 4]
    found = constant(text(hidden, metrics[0], f"x = x  metric {metrics[1]}"))
    low, high = bounds(found)
    assert high <= low * (1 + 1e-6)

    rows = [[float(a) for a in row] for row in w]

    def steepness(x: list[float], y: list[float]) -> float:
        def feature(q: list[float]) -> list[float]:
            return [max(0.0, a * q[0] + b * q[1] + c) for a, b, c in rows]

        u, v = (a - b for a, b in zip(feature(x), feature(y), strict=True))
        p, q = x[0] - y[0], x[1] - y[1]
        above = {"linf": max(abs(u), abs(v)), "l1": abs(u) + abs(v), "l2": sqrt(u * u + v * v)}[metrics[0]]
        square = {"l2": p * p + q * q, "linf": max(abs(p), abs(q)) ** 2}.get(metrics[1], 2 * p * p + 2 * p * q + q * q)
        return above / sqrt(square)

    most = 0.0
    for _ in range(20_000):
        x = [random.random(), random.random()]
        scale = 10 ** random.uniform(-3, 0)
        y = [min(1.0, max(0.0, a + random.uniform(-scale, scale))) for a in x]
        if x != y:
            most = max(most, steepness(x, y))
    assert 0.9 * low <= most <= high * (1 + 1e-9)
    if found.pair is not None:
        points = [[float(a) for a in p["x"]] for p in found.pair.points.values()]  # type: ignore[union-attr]
        assert steepness(*points) >= low - 0.0011


@pytest.mark.parametrize("lie", ["more", "less", "attained"])
def test_an_engine_that_lies_about_it_is_found_out(monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    original = Portfolio.steepest_square

    def answer(self: Portfolio, question: Question, seconds: float) -> Answer:
        true = original(self, question, seconds)
        assert isinstance(true, Most) and true.value is not None and true.attained
        if lie == "attained":
            (vector,) = true.points
            return replace(true, points=((*(a / 2 for a in vector[:2]), *vector[2:]),))
        return replace(true, value=true.value * (2 if lie == "more" else Fraction(1, 2)))

    monkeypatch.setattr(Portfolio, "steepest_square", answer)
    monkeypatch.setattr(linear_quotient, "steepest", lambda *_: None)
    result = load_text(text("s = x[0] + abs(x[1] - 1/2)", "linf")).check()
    assert result.internal_errors and result.computed[0].value is None


def test_a_line_without_end_is_infinitely_steep() -> None:
    """On two rays that spread, d1' grows and d2' stays 1."""
    found = constant("""
domain X { i: int in [0, 1], t: real in [0, infinity) }
labels { no, yes }
oracle f2 { features i = i, t = t  metric l2 }
model f1 { features i = i, s = if i == 1 then 2*t else t  metric linf  decide yes }
compute K: lipschitz_constant(f1, f2)
""")
    assert found.amount == "infinity" and found.pair is not None


def modulus(features: str, metric: str, oracle: str, delta: Fraction) -> Measurement:
    asked = text(features, metric, oracle).replace("lipschitz_constant(f1, f2)", f"modulus(f1, f2, delta: {delta})")
    return constant(asked)


@pytest.mark.parametrize("seed", range(6))
def test_no_pair_within_delta_is_farther_apart_than_the_modulus(seed: int) -> None:
    random = Random(seed)
    w = [[Fraction(random.randint(-8, 8), 4) for _ in range(3)] for _ in range(2)]
    hidden = ", ".join(f"h{k} = relu({a}*x[0] + ({b})*x[1] + ({c}))" for k, (a, b, c) in enumerate(w))
    above, below = [("linf", "l2"), ("l1", "mahalanobis([[2, 1], [1, 1]])"), ("l2", "linf")][seed % 3]
    delta = Fraction(random.randint(1, 8), 8)
    found = modulus(hidden, above, f"x = x  metric {below}", delta)
    low, high = bounds(found)
    assert high - low <= 1e-5 * max(1.0, high)

    rows = [[float(a) for a in row] for row in w]

    def feature(q: list[float]) -> list[float]:
        return [max(0.0, a * q[0] + b * q[1] + c) for a, b, c in rows]

    most = 0.0
    for _ in range(40_000):
        x = [random.random(), random.random()]
        y = [random.random(), random.random()]
        p, q = x[0] - y[0], x[1] - y[1]
        length = {"l2": sqrt(p * p + q * q), "linf": max(abs(p), abs(q))}.get(
            below, sqrt(2 * p * p + 2 * p * q + q * q)
        )
        share = min(1.0, float(delta) / length)
        y = [a - share * d for a, d in zip(x, (p, q), strict=True)]
        u, v = (a - b for a, b in zip(feature(x), feature(y), strict=True))
        most = max(most, {"linf": max(abs(u), abs(v)), "l1": abs(u) + abs(v), "l2": sqrt(u * u + v * v)}[above])
    assert 0.9 * low <= most <= high * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_a_segment_of_the_disc_bounds_the_modulus(seed: int) -> None:
    """p a + q b within delta, where b moves by at most c: q c + p sqrt(delta^2 - c^2) if the steepest way is longer."""
    random = Random(seed)
    p, q, c = random.randint(1, 3), random.randint(4, 8), Fraction(1, random.randint(5, 9))
    delta = Fraction(random.randint(4, 8), 8)
    if q * q * delta**2 <= c * c * (p * p + q * q):
        return
    result = load_text(f"""
domain X {{ a: real in [0, 2], b: real in [0, {c}] }}
labels {{ no, yes }}
oracle f2 {{ features a = a, b = b  metric l2 }}
model f1 {{ features s = {p}*a + {q}*b  metric linf  decide yes }}
compute W: modulus(f1, f2, delta: {delta})
""").check()
    low, high = bounds(result.computed[0].result)
    truth = q * float(c) + p * sqrt(delta**2 - c**2)
    assert low <= truth * (1 + 1e-12) and truth * (1 - 1e-12) <= high <= low * (1 + 1e-5)
