"""The modulus as a function: curves derived by hand, the same numbers as `modulus`, and lies that are found out."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.verdict.curves import check, drawn, rows
from verifier.engines.engine import Answer, Curve, Knot, Unknown, Vector
from verifier.engines.portfolio import Portfolio
from verifier.query.question import Question

F = Fraction
CORPUS = Path(__file__).parent.parent / "corpus" / "proved"


def test_a_step_costs_nothing_but_a_positive_distance() -> None:
    assert rows("""
        domain X { a: real in [0, 1], b: real in [0, 1/4] }
        oracle f2 { features a = a  metric linf }
        model f1 { features c = a + step(a - 1/2), b = b  metric linf  decide if c >= 1 then yes else no }
    """) == [
        ("delta = 0", "1/4", "attained"),
        ("0 < delta <= 1", "1 + delta", "attained"),
        ("delta > 1", "2", "attained"),
    ]


def test_a_slope_that_flattens() -> None:
    """x costs 1/2 a unit, y 3, and y ends first."""
    assert rows("""
        domain X { x: real in [0, 10], y: real in [0, 10] }
        oracle f2 { features x = x, y = y  metric linf(scale: { x: 2, y: 1/3 }) }
        model f1 { features s = x + 3*y  metric linf  decide if s >= 1 then yes else no }
    """) == [
        ("0 <= delta <= 5", "3*delta", "attained"),
        ("5 < delta <= 30", "10 + delta", "attained"),
        ("delta > 30", "40", "attained"),
    ]


def test_an_end_that_only_the_closure_has() -> None:
    """0 and t > 0 are 1 + t apart: more than 1, so that the curve jumps after 1, not at it."""
    assert rows("""
        domain X { x: real in [0, 1] }
        oracle f2 {
          features x = x
          metric d(u, v) = abs(u.x - v.x) + (if (u.x > 0) == (v.x > 0) then 0 else 1)
        }
        model f1 { features h = if x > 0 then x else -5  metric linf  decide if h >= 0 then yes else no }
    """) == [
        ("0 <= delta < 1", "delta", "attained"),
        ("delta = 1", "1", "approached"),
        ("1 < delta <= 2", "4 + delta", "attained"),
        ("delta > 2", "6", "attained"),
    ]


def test_two_rays_run_apart() -> None:
    assert rows("""
        domain X { i: int in [0, 1], t: real in [0, infinity) }
        oracle f2 { features i = i, t = t  metric linf }
        model f1 { features i = i, s = if i == 1 then 2*t else t  metric linf  decide if s >= 1 then yes else no }
    """) == [("0 <= delta < 1", "2*delta", "attained"), ("delta >= 1", "infinity", "")]


def test_an_unbounded_line_has_no_end() -> None:
    assert rows("""
        domain X { t: real in (-infinity, infinity) }
        oracle f2 { features t = t  metric linf }
        model f1 { features s = abs(2*t)  metric linf  decide if s >= 1 then yes else no }
    """) == [("delta >= 0", "2*delta", "attained")]


def test_one_point_has_no_distances() -> None:
    assert rows("""
        domain X { t: real in [1, 1] }
        oracle f2 { features t = t  metric linf }
        model f1 { features s = 2*t  metric linf  decide if s >= 1 then yes else no }
    """) == [("delta >= 0", "0", "attained")]


def test_the_seam_is_approached_at_every_distance() -> None:
    said = rows("""
        domain X { t: real in [0, 4) }
        oracle f2 {
          features x = clamp(t, 0, 1) - clamp(t - 2, 0, 1), y = clamp(t - 1, 0, 1) - clamp(t - 3, 0, 1)
          metric linf
        }
        model f1 { features t = t  metric linf  decide if t >= 2 then yes else no }
    """)
    assert said == [("delta = 0", "0", "attained"), ("delta > 0", "4", "approached")]


# the same numbers as `modulus`

SMALL = [p for p in sorted(CORPUS.glob("modulus*.vf")) if "many" not in p.stem and "roots" not in p.stem]  # not of l2


@pytest.mark.parametrize("path", SMALL, ids=[p.stem for p in SMALL])
def test_the_curve_has_every_modulus(path: Path) -> None:
    """Value and attainment at distances of the file and at others."""
    text = path.read_text(encoding="utf-8")
    kept = "\n".join(line for line in text.splitlines() if not re.match("assert|compute", line))
    pairs = sorted(set(re.findall(r"modulus\((\w+), (\w+)", text)))
    rng = random.Random(path.stem)
    deltas = {F(0), F(1, 100), F(1)} | {F(rng.randint(0, 500), rng.choice([1, 2, 100])) for _ in range(3)}
    deltas |= {F(d) for d in re.findall(r"delta: ([\d/]+)", text)}
    for f1, f2 in pairs:
        asked = "\n".join(f"compute D{i}: modulus({f1}, {f2}, delta: {d})" for i, d in enumerate(sorted(deltas)))
        result = check(f"{kept}\ncompute W: modulus_curve({f1}, {f2})\n{asked}\n")
        assert result.internal_errors == ()
        said = {c.name: c for c in result.computed}
        curve = drawn(said["W"])
        for i, delta in enumerate(sorted(deltas)):
            line = curve.at(delta)
            value, one = line.at(delta), said[f"D{i}"]
            assert one.value == ("infinity" if value is None else value), delta
            assert one.attained == (None if value is None else line.attained), delta


# lies

LINE = """
domain X { i: int in [0, 1], t: real in (0, 1) }
labels { no, yes }
oracle f2 { features i = i, t = t  metric linf }
model f1 { features h = if i == 1 then 2 - t else 0  metric linf  decide if h >= 1 then yes else no }
compute W: modulus_curve(f1, f2)
"""
"""delta, attained, below 1; from 1 on 2, approached as t tends to 0."""

Lie = Callable[[Curve], Answer]


def knot(true: Curve, i: int, change: Callable[[Knot], Knot]) -> Curve:
    i %= len(true.knots)
    return replace(true, knots=(*true.knots[:i], change(true.knots[i]), *true.knots[i + 1 :]))


def moved(v: Vector | None) -> Vector | None:
    return None if v is None else tuple(a + 1 for a in v)


LIES: dict[str, Lie] = {
    "a larger value": lambda c: knot(c, -1, lambda k: replace(k, value=F(3))),
    "a jump without a pair": lambda c: knot(c, -1, lambda k: replace(k, here=None)),
    "a higher stretch": lambda c: knot(c, -1, lambda k: replace(k, after=replace(k.after, low=F(3)))),
    "a steeper stretch": lambda c: knot(c, 0, lambda k: replace(k, after=replace(k.after, slope=F(2)))),
    "an infinite stretch": lambda c: knot(c, -1, lambda k: replace(k, after=replace(k.after, low=None))),
    "a place outside": lambda c: knot(
        c, 0, lambda k: replace(k, after=replace(k.after, near=(*k.after.near[:-1], F(-1))))
    ),
    "no solution": lambda c: knot(
        c, -1, lambda k: replace(k, after=replace(k.after, z=tuple(F(9) for _ in k.after.z)))
    ),
    "attained": lambda c: knot(c, -1, lambda k: replace(k, attained_after=k.after.z)),
    "attained elsewhere": lambda c: knot(c, 0, lambda k: replace(k, attained=moved(k.attained))),
    "a gap": lambda c: replace(c, knots=c.knots[1:]),
    "an end too early": lambda c: knot(c, 0, lambda k: replace(k, after=replace(k.after, end=F(1, 2)))),
    "nothing": lambda c: replace(c, knots=()),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_curve_is_never_reported(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.curve

    def answer(self: Portfolio, question: Question, seconds: float) -> Answer:
        true = original(self, question, seconds)
        assert isinstance(true, Curve)
        return LIES[lie](true)

    monkeypatch.setattr(Portfolio, "curve", answer)
    result = check(LINE)
    assert len(result.internal_errors) == 1
    assert "ReplayFailed" in result.internal_errors[0]
    assert [c.value for c in result.computed] == [None]


def test_the_true_curve_passes() -> None:
    assert [c.value for c in check(LINE).computed] == ["2 lines, w(0+) = 0"]


def test_what_stays_open_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "curve", lambda *_: Unknown("out of time"))
    (said,) = check(LINE).computed
    assert (said.value, said.reason) == (None, "out of time")
