"""Multiples of one metric are put together, whatever the words."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from tests.verdict.curves import check
from verifier.api import load_text
from verifier.language.surd import surd
from verifier.model.interpret import Interpreter

F = Fraction
TWO = "mahalanobis([[2, 1], [1, 2]])"
FLAT = "mahalanobis([[1, 1], [1, 1]])"


def text(metric: str) -> str:
    return f"""
        domain X {{ x: real in [-9, 9], y: real in [-9, 9] }}
        labels {{ no, yes }}
        oracle f2 {{ features x = x, y = y  metric {metric} }}
        model f1 {{ features x = x, y = 2*y  metric l2  decide yes }}
    """


@pytest.mark.parametrize(
    "written, meant",
    [
        ("l2 + l2", "2 * l2"),
        ("l2 + 2 * l2 + l2 / 2", "7/2 * l2"),
        ("max(l2, l2)", "l2"),
        ("max(l2, 3 * l2, l2)", "3 * l2"),
        ("2 * (l2 + 3 * (l2 + l2)) / 7", "2 * l2"),
        ("max(l2, 2 * max(l2, l2 / 3))", "2 * l2"),
        ("l2(scale: 2) + l2", "3 * l2, each entry divided by 2, 2"),
        (f"{TWO} + {TWO}", "2 * mahalanobis([[2, 1], [1, 2]])"),
        (f"max({FLAT}, {FLAT} / 2)", "mahalanobis([[1, 1], [1, 1]])"),
        ("linf + linf", "2 * linf"),
        ("l0 + l0", "2 * l0"),
        ("l2 + linf + l2", "2 * l2 + linf"),
        ("2 * (l2 + linf) + l2", "3 * l2 + 2 * linf"),
        ("max(l2 + linf, l2 + linf)", "max(l2 + linf, l2 + linf)"),
        ("max(l2 + l2, linf)", "max(2 * l2, linf)"),
        (f"{TWO} + {FLAT}", f"{TWO} + {FLAT}"),
        ("l2(scale: [1, 2]) + l2", "l2, each entry divided by 1, 2 + l2"),
        ("l0(scale: 2) + l0", "l0, each entry divided by 2, 2 + l0"),
    ],
)
def test_multiples_of_one_metric_are_one(written: str, meant: str) -> None:
    loaded = load_text(text(written))
    assert loaded.diagnostics == () and loaded.program is not None
    metric = loaded.program.classifiers["f2"].metric
    assert metric is not None
    assert metric.text == meant


@pytest.mark.parametrize("join", ["+", "max"])
def test_a_combination_is_what_its_parts_say(join: str) -> None:
    random = Random(join)
    kinds = [
        "l2",
        "linf",
        "l1",
        "l0",
        "l2(scale: [2, 4])",
        "l2(scale: [1, 2])",
        TWO,
        FLAT,
        "linf(scale: 3)",
        "discrete",
    ]
    for _ in range(60):
        parts = [f"{random.choice(['', '2 * ', '1/3 * '])}{random.choice(kinds)}" for _ in range(3)]
        nested = f"{parts[0]} + ({parts[1]} + {parts[2]})" if join == "+" else f"max({', '.join(parts)})"
        program = load_text(text(nested)).program
        alone = [load_text(text(part)).program for part in parts]
        points = [{"x": F(random.randint(-9, 9)), "y": F(random.randint(-9, 9))} for _ in range(2)]

        for only in (None, "x"):
            whole, *found = (surd(Interpreter(one).distance("f2", *points, only)) for one in (program, *alone))
            assert whole == (sum(found, F(0)) if join == "+" else max(found)), (nested, points)


def test_what_is_exact_for_one_root_is_exact_for_its_multiples() -> None:
    result = check(f"""{text("l2 + max(l2, l2 / 2)")}
        point o = {{ x: 0, y: 0 }}
        compute K: lipschitz_constant(f1, f2)
        compute M: modulus(f1, f2, delta: 4)
    """)
    assert [(c.value, c.result.how) for c in result.computed] == [(1, "exact"), (4, "exact")]
