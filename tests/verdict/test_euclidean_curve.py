"""The modulus as a function where l2 is below: curves derived by hand, the same numbers as `modulus`, and lies."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import pytest
from msgspec.structs import replace

from tests.verdict.curves import check, drawn, rows
from verifier.engines.engine import Answer, Arc, Arcs, Unknown
from verifier.engines.portfolio import Portfolio
from verifier.language.surd import near, surd
from verifier.query.question import Question
from verifier.verdict.verdict import Root

F = Fraction


def test_a_direction_that_ends() -> None:
    """a + b grows best by equal steps, until b has made its 1/4 and a goes on alone."""
    assert rows("""
        domain X { a: real in [0, 1], b: real in [0, 1/4] }
        oracle f2 { features a = a, b = b  metric l2 }
        model f1 { features s = a + b  metric linf  decide yes }
    """) == [
        ("0 <= delta <= sqrt(1/8)", "sqrt(2)*delta", "attained"),
        ("sqrt(1/8) < delta <= sqrt(17/16)", "1/4 + sqrt(delta^2 - 1/16)", "attained"),
        ("delta > sqrt(17/16)", "5/4", "attained"),
    ]


def test_two_arcs_meet_at_an_irrational_height() -> None:
    """With i = 1 on both sides, 4 delta. From 1 on also i = 1 against 0: 4x - 3x' - 1 = 5 + 3 (x - x') at x = 6, where
    (x - x')^2 = delta^2 - 1. They meet where 7 delta^2 - 40 delta + 34 = 0, at (20 + 9 sqrt(2)) / 7."""
    assert rows("""
        domain X { x: real in [0, 6], i: int in [0, 1] }
        oracle f2 { features x = x, i = i  metric l2 }
        model f1 { features s = if i == 1 then 4*x else 3*x + 1  metric linf  decide yes }
    """) == [
        ("0 <= delta < 1", "4*delta", "attained"),
        ("1 <= delta <= ≈ 4.67542", "5 + sqrt(9*delta^2 - 9)", "attained"),
        ("≈ 4.67542 < delta <= 6", "4*delta", "attained"),
        ("delta > 6", "24", "attained"),
    ]


def test_an_end_that_only_the_closure_has() -> None:
    """Beyond 1/4 the next interval begins, without its end; what is free at distance 0 is free."""
    assert rows("""
        domain X { a: real in [0, 1], b: real in [0, 1/2) where a <= 1/2 or a > 3/4 }
        oracle f2 { features a = a  metric l2(scale: 1/2) }
        model f1 { features s = step(a - 3/5), b = b  metric linf  decide yes }
    """) == [("0 <= delta <= 1/2", "1/2", "approached"), ("delta > 1/2", "1", "attained")]


def test_a_line_without_an_end_and_one_that_is_infinite() -> None:
    domain = "domain X { x: real in (-infinity, infinity), y: real in [0, 1] }"
    assert rows(f"""
        {domain}
        oracle f2 {{ features x = x, y = y  metric mahalanobis([[2, 1], [1, 1]]) }}
        model f1 {{ features s = relu(x)  metric linf  decide yes }}
    """) == [
        ("0 <= delta <= 1", "delta", "attained"),
        ("delta > 1", "1/2 + sqrt(1/2*delta^2 - 1/4)", "attained"),
    ]
    assert rows(f"""
        {domain}
        oracle f2 {{ features y = y, z = step(x)  metric l2 }}
        model f1 {{ features s = relu(x), y = y  metric l1  decide yes }}
    """) == [("delta >= 0", "infinity", "")]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("metric", ["linf", "l2"])
def test_pairs_of_some_other_piece_attain_a_part(first: int, metric: str) -> None:
    """Where i is `first`, y tends to 0 and 1 only; elsewhere it is there, but x changes by 1/4 at most."""
    assert rows(f"""
        domain X {{
          x: real in [0, 1], y: real in [0, 1], i: int in [0, 1]
          where (i == {first} and y > 0 and y < 1) or (i == {1 - first} and x <= 1/4 and (y == 0 or y == 1))
        }}
        oracle f2 {{ features x = x, i = 10*i  metric {metric} }}
        model f1 {{ features s = x + y  metric linf  decide yes }}
    """) == [
        ("0 <= delta <= 1/4", "1 + delta", "attained"),
        ("1/4 < delta <= 1", "1 + delta", "approached"),
        ("delta > 1", "2", "approached"),
    ]


@pytest.mark.parametrize("other", range(3))
@pytest.mark.parametrize("metric", ["linf", "l2"])
def test_pairs_of_several_pieces_attain_parts_and_single_places(other: int, metric: str) -> None:
    """One world has x <= 1/3 without 0, one x = 0 and x = 3/4 only, and one no pair that attains anything."""
    open_, short, two = ((k + other) % 3 for k in range(3))
    assert rows(f"""
        domain X {{
          x: real in [0, 1], y: real in [0, 1], i: int in [0, 2]
          where (i == {open_} and y > 0 and y < 1) or (i == {short} and x > 0 and x <= 1/3 and (y == 0 or y == 1))
            or (i == {two} and (x == 0 or x == 3/4) and (y == 0 or y == 1))
        }}
        oracle f2 {{ features x = x, i = 10*i  metric {metric} }}
        model f1 {{ features s = x + y  metric linf  decide yes }}
    """) == [
        ("0 <= delta < 1/3", "1 + delta", "attained"),
        ("1/3 <= delta < 3/4", "1 + delta", "approached"),
        ("delta = 3/4", "7/4", "attained"),
        ("3/4 < delta <= 1", "1 + delta", "approached"),
        ("delta > 1", "2", "approached"),
    ]


def test_an_oracle_without_distances_has_one_jump() -> None:
    """The squares of l2 vanish with its features: the question is one without squares."""
    assert rows("""
        domain X { x: real in [0, 1] }
        oracle f2 { features c = 1  metric l2 }
        model f1 { features x = x  metric linf  decide yes }
    """) == [("delta >= 0", "1", "attained")]


@pytest.mark.parametrize("seed", [1])
def test_the_curve_has_every_modulus(seed: int) -> None:
    random = Random(seed)

    def affine() -> str:
        a, b, c = (F(random.randint(-8, 8), 4) for _ in range(3))
        return f"({a})*x + ({b})*y + ({c})"

    features = f"h = relu({affine()}), k = {F(random.randint(-4, 4), 2)}*step({affine()}) + {affine()}"
    text = f"""
        domain X {{ x: real in [0, 1), y: real in [0, 2] {"where x + y > 1/3" if seed % 2 else ""} }}
        labels {{ no, yes }}
        oracle f2 {{ features x = x, y = y  metric {["l2", "mahalanobis([[2, 1], [1, 1]])"][seed]} }}
        model f1 {{ features {features}  metric linf  decide yes }}
    """
    (said,) = check(f"{text}\ncompute W: modulus_curve(f1, f2)\n").computed
    curve = drawn(said)
    ends = [near(line.start) for line in curve.lines]
    deltas = sorted({F(0), *(e.limit_denominator(30) for e in ends), ends[-1].limit_denominator(30) + 1})[-2:]
    asked = "\n".join(f"compute D{i}: modulus(f1, f2, delta: {d})" for i, d in enumerate(deltas))
    for delta, one in zip(deltas, check(f"{text}\n{asked}\n").computed, strict=True):
        line = curve.at(delta)
        value = line.at(delta)
        assert value is not None
        if one.result.enclosure is not None:
            assert one.result.enclosure[0] <= value <= one.result.enclosure[1], delta
        else:
            assert isinstance(one.value, Fraction | Root) and surd(one.value) == value, delta
            assert one.attained in (None, line.attained), delta


# lies

JUMP = """
domain X { x: real in [0, 6], i: int in [0, 1] }
labels { no, yes }
oracle f2 { features x = x, i = i  metric l2 }
model f1 { features s = if i == 1 then 4*x else 3*x + 1  metric linf  decide yes }
compute W: modulus_curve(f1, f2)
"""


def arc(true: Arcs, i: int, change: Callable[[Arc], Arc]) -> Arcs:
    i %= len(true.arcs)
    return replace(true, arcs=(*true.arcs[:i], change(true.arcs[i]), *true.arcs[i + 1 :]))


LIES: dict[str, Callable[[Arcs], Answer]] = {
    "nearer pairs": lambda a: arc(a, 0, lambda p: replace(p, square=(F(1, 25), F(0), F(0)))),
    "a longer arc": lambda a: arc(a, -1, lambda p: replace(p, end=F(25))),
    "a gap": lambda a: replace(a, arcs=a.arcs[1:]),
    "a place outside": lambda a: arc(a, -1, lambda p: replace(p, far=(F(9), *p.far[1:]))),
    "no solution": lambda a: arc(a, 0, lambda p: replace(p, z=tuple(F(9) for _ in p.z))),
    "a flat arc without a pair": lambda a: arc(a, 1, lambda p: replace(p, square=(F(0), F(0), F(1, 2)))),
    "no end": lambda a: arc(a, -1, lambda p: replace(p, end=None)),
    "a higher jump": lambda a: replace(a, jumps=tuple(replace(j, value=F(9)) for j in a.jumps)),
    "a jump too early": lambda a: replace(a, jumps=tuple(replace(j, level=F(1, 2)) for j in a.jumps)),
    "pairs that attain nothing": lambda a: arc(a, -1, lambda p: replace(p, attained=not p.attained)),
    "another piece's places": lambda a: arc(a, -1, lambda p: replace(p, z=a.arcs[1].z)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_curve_is_never_reported(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.curve

    def answer(self: Portfolio, question: Question, seconds: float) -> Answer:
        true = original(self, question, seconds)
        assert isinstance(true, Arcs)
        return LIES[lie](true)

    monkeypatch.setattr(Portfolio, "curve", answer)
    result = check(JUMP)
    assert len(result.internal_errors) == 1 and "ReplayFailed" in result.internal_errors[0]
    assert [c.value for c in result.computed] == [None]


def test_what_stays_open_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "curve", lambda *_: Unknown("out of time"))
    (said,) = check(JUMP).computed
    assert (said.value, said.reason) == (None, "out of time")
