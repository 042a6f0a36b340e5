"""The modulus as a function where l2 is above: curves derived by hand, the same numbers as `modulus`, and lies."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from random import Random

import pytest
from msgspec.structs import replace

from tests.verdict.curves import check, drawn, rows
from verifier.canonical.quadratic import Line
from verifier.canonical.vertices import Corners
from verifier.engines.engine import Answer, Ridge, Ridges, Unknown
from verifier.engines.portfolio import Portfolio
from verifier.language.root import Root
from verifier.language.surd import near, surd
from verifier.query.question import Question
from verifier.verdict import figure
from verifier.verdict.measures import enumerated

F = Fraction


@pytest.mark.parametrize(
    "model, oracle, expected",
    [
        (
            "a = a, b = b",
            "linf",
            [
                ("0 <= delta <= 1/4", "sqrt(2)*delta", "attained"),
                ("1/4 < delta <= 1", "sqrt(delta^2 + 1/16)", "attained"),
                ("delta > 1", "1/4*sqrt(17)", "attained"),
            ],
        ),
        (  # (delta - 1)^2 + 1: first all goes into a, then what is left into b
            "a = a, b = b",
            "l1",
            [
                ("0 <= delta <= 1", "delta", "attained"),
                ("1 < delta <= 5/4", "sqrt(delta^2 - 2*delta + 2)", "attained"),
                ("delta > 5/4", "1/4*sqrt(17)", "attained"),
            ],
        ),
        (  # (1 + delta)^2 + (2 delta)^2, then (1 + delta)^2 + 1/4
            "a = a + step(a - 1/2), b = 2*b",
            "linf",
            [
                ("delta = 0", "0", "attained"),
                ("0 < delta <= 1/4", "sqrt(5*delta^2 + 2*delta + 1)", "attained"),
                ("1/4 < delta <= 1", "sqrt(delta^2 + 2*delta + 5/4)", "attained"),
                ("delta > 1", "1/2*sqrt(17)", "attained"),
            ],
        ),
        (  # equal features: a square of a line
            "a = a + step(a - 1/2), b = a + step(a - 1/2)",
            "linf",
            [
                ("delta = 0", "0", "attained"),
                ("0 < delta <= 1", "sqrt(2) + sqrt(2)*delta", "attained"),
                ("delta > 1", "2*sqrt(2)", "attained"),
            ],
        ),
        (
            "a = a",
            "d(u, v) = if u.a == v.a then 0 else 1 + min(abs(u.a - v.a), 1/2)",
            [
                ("0 <= delta <= 1", "0", "attained"),
                ("1 < delta < 3/2", "-sqrt(2) + sqrt(2)*delta", "attained"),
                ("delta >= 3/2", "sqrt(2)", "attained"),
            ],
        ),
    ],
)
def test_corners_move_linearly(model: str, oracle: str, expected: list[tuple[str, ...]]) -> None:
    metric = "l2" if model != "a = a" else "mahalanobis([[2]])"
    assert (
        rows(f"""
        domain X {{ a: real in [0, 1], b: real in [0, 1/4] }}
        oracle f2 {{ features a = a, b = b  metric {oracle} }}
        model f1 {{ features {model}  metric {metric}  decide yes }}
    """)
        == expected
    )


def test_quadratics_cross_at_irrational_distances() -> None:
    """With k = 0: 3 delta, then 9 + 4 (delta - 1)^2; with k = 1: 5/2 delta. They meet at (2 sqrt(181) - 16) / 9. From 4
    on k may differ: (0, 1) against (delta - 4, 1), which is 25/4 (delta - 3)^2 + 4."""
    assert rows("""
        domain X { x: real in [0, 1], y: real in [0, 1], k: int in [0, 1] }
        oracle f2 { features x = x, y = y, k = 4*k  metric l1 }
        model f1 {
          features s = if k == 0 then 3*x else 5/2*(x + y), t = if k == 0 then 2*y else 0
          metric l2
          decide yes
        }
    """) == [
        ("0 <= delta <= 1", "3*delta", "attained"),
        ("1 < delta <= -16/9 + 2/9*sqrt(181)", "sqrt(4*delta^2 - 8*delta + 13)", "attained"),
        ("-16/9 + 2/9*sqrt(181) < delta <= 2", "5/2*delta", "attained"),
        ("2 < delta <= 3 + 2/5*sqrt(21)", "5", "attained"),
        ("3 + 2/5*sqrt(21) < delta <= 5", "sqrt(25/4*delta^2 - 75/2*delta + 241/4)", "attained"),
        ("delta > 5", "sqrt(29)", "attained"),
    ]


@pytest.mark.parametrize("first", [0, 1])
def test_pairs_of_some_other_piece_attain_a_part(first: int) -> None:
    """Where i is `first`, y is never 1, and w only approached; elsewhere y may be, but x changes by 1/4 at most."""
    assert rows(f"""
        domain X {{
          x: real in [0, 1], y: real in [0, 1], i: int in [0, 1]
          where (i == {first} and y < 1) or (i == {1 - first} and x >= 1/4 and x <= 1/2)
        }}
        oracle f2 {{ features x = x, i = 10*i  metric linf }}
        model f1 {{ features x = x, y = y  metric l2  decide yes }}
    """) == [
        ("0 <= delta <= 1/4", "sqrt(delta^2 + 1)", "attained"),
        ("1/4 < delta <= 1", "sqrt(delta^2 + 1)", "approached"),
        ("delta > 1", "sqrt(2)", "approached"),
    ]


def test_pieces_without_an_inside_count() -> None:
    """On the line x = 1/2 the model sees y twice as large; beside it not at all."""
    assert rows("""
        domain X { x: real in [0, 1], y: real in [0, 1] }
        oracle f2 { features x = x, y = y  metric linf }
        model f1 { features x = x, y = if x == 1/2 then 2*y else 0  metric l2  decide yes }
    """) == [
        ("delta = 0", "0", "attained"),
        ("0 < delta <= 1/2", "sqrt(delta^2 + 4)", "attained"),
        ("delta > 1/2", "1/2*sqrt(17)", "attained"),
    ]


def distances(seed: int) -> tuple[str, list[tuple[F, object]]]:
    """A problem with few points, and what all pairs have."""
    random = Random(seed)
    names, high = ["x", "y"], 2

    def feature() -> tuple[str, Callable[[tuple[F, ...]], F]]:
        a, b, c = (F(random.randint(-4, 4), 2) for _ in range(3))
        said = f"({a})*x + ({b})*y + ({c})"
        if random.random() < 0.5:
            return said, lambda p: a * p[0] + b * p[1] + c
        return f"relu({said})", lambda p: max(F(0), a * p[0] + b * p[1] + c)

    above, below = [feature() for _ in range(2)], [feature() for _ in range(2)]
    text = f"""
        domain X {{ {", ".join(f"{n}: int in [0, {high}]" for n in names)} }}
        labels {{ no, yes }}
        oracle f2 {{ features {", ".join(f"h{i} = {t}" for i, (t, _) in enumerate(below))}  metric l1 }}
        model f1 {{ features {", ".join(f"s{i} = {t}" for i, (t, _) in enumerate(above))}  metric METRIC  decide yes }}
        compute W: modulus_curve(f1, f2)
    """
    points = [tuple(map(F, p)) for p in product(range(high + 1), repeat=2)]

    def pair(p: tuple[F, ...], q: tuple[F, ...]) -> tuple[F, tuple[F, ...]]:
        return sum((abs(f(p) - f(q)) for _, f in below), F(0)), tuple(f(p) - f(q) for _, f in above)

    return text, [pair(p, q) for p in points for q in points]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("most, metric", [(0, "l2"), (48, "l2"), (48, "l2 + 2*l1")])
def test_over_few_points_it_is_a_staircase(seed: int, most: int, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without looking at all pairs."""
    monkeypatch.setattr(enumerated, "MOST", most)
    text, found = distances(seed)
    curve = drawn(check(text.replace("METRIC", metric)).computed[0])
    share = 0 if metric == "l2" else 2
    pairs = [(u, surd(Root(sum(x * x for x in f))) + share * sum(map(abs, f))) for u, f in found]
    steps = sorted({u for u, _ in pairs})
    for delta in [*steps, *((a + b) / 2 for a, b in pairwise(steps)), steps[-1] + 1]:
        line = curve.at(delta)
        assert line.at(delta) == max(far for u, far in pairs if u <= delta) and line.attained
    assert len(curve.lines) == len({max(far for u, far in pairs if u <= step) for step in steps})


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_has_every_modulus(seed: int) -> None:
    random = Random(seed)

    def affine() -> str:
        a, b, c = (F(random.randint(-8, 8), 4) for _ in range(3))
        return f"({a})*x + ({b})*y + ({c})"

    text = f"""
        domain X {{ x: real in [0, 1), y: real in [0, 2] {"where x + y > 1/3" if seed % 2 else ""} }}
        labels {{ no, yes }}
        oracle f2 {{ features x = x, y = relu({affine()})  metric {["l1", "linf"][seed % 2]} }}
        model f1 {{ features h = {affine()}, k = {F(random.randint(-4, 4), 2)}*step({affine()}) + {affine()}
                   metric l2  decide yes }}
    """
    (said,) = check(f"{text}\ncompute W: modulus_curve(f1, f2)\n").computed
    curve = drawn(said)
    ends = [near(line.start) for line in curve.lines]
    deltas = sorted({F(0), *(e.limit_denominator(30) for e in ends), ends[-1].limit_denominator(30) + 1})[-3:]
    asked = "\n".join(f"compute D{i}: modulus(f1, f2, delta: {d})" for i, d in enumerate(deltas))
    for delta, one in zip(deltas, check(f"{text}\n{asked}\n").computed, strict=True):
        value = curve.at(delta).at(delta)
        assert value is not None
        if one.result.enclosure is not None:
            assert one.result.enclosure[0] <= value <= one.result.enclosure[1], delta
        else:
            assert isinstance(one.value, Fraction | Root) and surd(one.value) == value, delta
            assert one.attained in (None, curve.at(delta).attained), delta


def test_where_corners_are_not_found_it_is_enclosed() -> None:
    (said,) = check("""
        domain X { x: real in (-infinity, infinity), y: real in [0, 1] }
        labels { no, yes }
        oracle f2 { features x = x, y = y  metric linf }
        model f1 { features x = x, y = y  metric l2  decide yes }
        compute W: modulus_curve(f1, f2)
    """).computed
    assert said.result.how == "enclosed" and isinstance(said.result.figure, figure.Band)


def test_corners_of_a_flat_polyhedron() -> None:
    """The triangle x + y + z = 1 in the unit cube: three corners, each joined with each."""
    one = F(1)
    plane = Line((one, one, one), -one)
    found = Corners([plane, plane.times(-one)], [(F(0), one)] * 3, float("inf"))
    assert sorted(found.places) == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    assert sorted(found.edges()) == [(1, 0), (2, 0), (2, 1)]


# lies

JUMP = """
domain X { a: real in [0, 1], b: real in [0, 1/4] }
labels { no, yes }
oracle f2 { features a = a, b = b  metric linf }
model f1 { features a = a + step(a - 1/2), b = 2*b  metric l2  decide yes }
compute W: modulus_curve(f1, f2)
"""


def ridge(true: Ridges, i: int, change: Callable[[Ridge], Ridge]) -> Ridges:
    return replace(true, ridges=(*true.ridges[:i], change(true.ridges[i]), *true.ridges[i + 1 :]))


LIES: dict[str, Callable[[Ridges], Answer]] = {
    "farther pairs": lambda a: ridge(a, 1, lambda r: replace(r, square=(F(6), F(2), F(1)))),
    "a higher rest": lambda a: ridge(a, -1, lambda r: replace(r, square=(F(0), F(0), F(5)))),
    "a longer ridge": lambda a: ridge(a, 1, lambda r: replace(r, ends=(r.ends[0], F(1, 2)))),
    "nearer pairs": lambda a: ridge(a, 1, lambda r: replace(r, ends=(F(-1), r.ends[1]))),
    "a gap": lambda a: replace(a, ridges=a.ridges[2:]),
    "no end": lambda a: replace(a, ridges=a.ridges[:-1]),
    "two points": lambda a: replace(a, ridges=(a.ridges[0], *a.ridges)),
    "a place outside": lambda a: ridge(a, 1, lambda r: replace(r, far=(F(9), *r.far[1:]))),
    "a direction": lambda a: ridge(a, 1, lambda r: replace(r, far=(*r.far[:-1], F(0)))),
    "no solution": lambda a: ridge(a, 1, lambda r: replace(r, z=tuple(F(9) for _ in r.z))),
    "a jump too early": lambda a: ridge(a, 0, lambda r: replace(a.ridges[1], start=F(0), end=F(0), pair=None)),
    "a pair too far": lambda a: ridge(a, 0, lambda r: replace(r, pair=a.ridges[1].pair)),
    "a pair too near": lambda a: ridge(a, 1, lambda r: replace(r, pair=a.ridges[0].pair)),
    "another piece's places": lambda a: ridge(a, 1, lambda r: replace(r, z=a.ridges[0].z)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_curve_is_never_reported(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.curve

    def answer(self: Portfolio, question: Question, seconds: float) -> Answer:
        true = original(self, question, seconds)
        assert isinstance(true, Ridges)
        return LIES[lie](true)

    monkeypatch.setattr(Portfolio, "curve", answer)
    result = check(JUMP)
    assert len(result.internal_errors) == 1 and "ReplayFailed" in result.internal_errors[0]
    assert [c.value for c in result.computed] == [None]


def test_out_of_time_it_is_enclosed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.curve

    def answer(self: Portfolio, question: Question, seconds: float) -> Answer:
        return Unknown("out of time") if question.squares else original(self, question, seconds)

    monkeypatch.setattr(Portfolio, "curve", answer)
    (said,) = check(JUMP).computed
    assert said.result.how == "enclosed" and isinstance(said.result.figure, figure.Band)
