"""Where containment fails: in words that mean what they say, and lies that are found out."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction as F

import pytest
from msgspec.structs import replace

from verifier.api import Loaded, load_text
from verifier.engines.eliminate import Half
from verifier.engines.engine import Answer, Torn, Unknown
from verifier.engines.portfolio import Portfolio
from verifier.model.assertion import template
from verifier.model.interpret import Interpreter
from verifier.query.piece import Row
from verifier.query.question import Question
from verifier.report.figure import table
from verifier.verdict.figure import Region
from verifier.verdict.verdict import FileResult

MIXED = """
domain X { a: real in [0, 1], b: real in [0, 1], n: int in [0, 9], c: {red, green, blue} }
labels { no, yes }
oracle f2 { features a = a, n = n, c = c  metric linf }
model f1 { features s = MODEL  decide if s >= 1/2 then yes else no }
compute R: uncontained_region(f1, f2)
"""


def computed(text: str) -> tuple[Loaded, FileResult]:
    loaded = load_text(text)
    assert loaded.diagnostics == ()
    return loaded, loaded.check()


def region(model: str) -> tuple[Loaded, Region, str]:
    loaded, result = computed(MIXED.replace("MODEL", model))
    assert result.internal_errors == ()
    (said,) = result.computed
    assert isinstance(said.result.figure, Region), said.reason
    assert isinstance(said.value, str)
    return loaded, said.result.figure, said.value


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("if c == red then b else 0", "c == red"),
        ("if c != red then b else 0", "c != red"),
        ("if c == red then b else if c == blue then 2*b else 3*b", "all of X"),
        ("if c == red and n >= 4 then b else 0", "c == red and n >= 4"),
        ("if n >= 3 and n <= 5 then b else 0", "3 <= n <= 5"),
        ("relu(b - a)", "a < 1"),
        ("step(a - 1/2)", "a == 1/2"),
        ("if a + n >= 2 and a + n < 3 then b else 0", "a + n >= 2 and n < 3"),  # a = 1 and n = 2: torn by what is near
        ("if a <= 1/4 or a >= 3/4 then b else 0", "a <= 1/4 or a >= 3/4"),
        ("a", "nowhere"),
    ],
)
def test_the_region_in_words(model: str, said: str) -> None:
    loaded, found, words = region(model)
    assert words == said
    interpreter = Interpreter(loaded.program)
    rng = random.Random(model)
    for _ in range(60):
        a, b = (F(rng.randint(0, 8), 8) for _ in "ab")
        n, c = F(rng.randint(0, 9)), rng.choice(["red", "green", "blue"])
        point = interpreter._point({"a": a, "b": b, "n": n, "c": c}).values
        place = (a, b, n, F(["red", "green", "blue"].index(c)))
        written = [f for f in found.formulas if f != "all of X"]
        here = any(interpreter.truth(template(f), point) for f in written) or "all of X" in found.formulas
        assert found.has(place) is here
        assert any(all(h.holds(place) for h in piece) for piece in found.pieces) is here


def test_a_long_region_is_a_list() -> None:
    cases = " or ".join(f"(a >= {2 * k}/9 and a <= {2 * k + 1}/9 and n <= {k + 2})" for k in range(4))
    _, found, words = region(f"if {cases} then b else 0")
    assert words == f"{len(found.parts)} parts" == "4 parts"
    assert [row[0] for row in table(found)] == ["where", "or", "or", "or"]
    assert table(found)[0][1] == "0 <= a <= 1/9 and n <= 2" or table(found)[0][1] == "a <= 1/9 and n <= 2"


NET = """
domain X { a: real in [-1, 1], b: real in [-1, 1], sex: {f, m} }
labels { no, yes }
def hidden(v) = relu(WEIGHTS * v + BIAS)
oracle f2 { features a = a, b = b  metric METRIC }
model f1 { features h = hidden([a, b, code(sex)])  decide if h[0] >= h[1] then yes else no }
compute R: uncontained_region(f1, f2)
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_network_that_is_told_too_much_fails_where_its_neurons_see_it(seed: int) -> None:
    """Of continuous distances on a closed X one piece of the answer is many pieces of the network."""
    chance = random.Random(seed)
    weights = [[F(chance.randint(-8, 8), 4) for _ in range(3)] for _ in range(3)]
    bias = [F(chance.randint(-8, 4), 4) for _ in range(3)]
    rows = ", ".join("[" + ", ".join(map(str, row)) + "]" for row in weights)
    text = NET.replace("WEIGHTS", f"[{rows}]").replace("BIAS", "[" + ", ".join(map(str, bias)) + "]")
    for metric in ("linf", "l2"):
        _, result = computed(text.replace("METRIC", metric))
        assert result.internal_errors == ()
        found = result.computed[0].result.figure
        assert isinstance(found, Region)
        assert len(found.pieces) <= 40

        def hidden(a: F, b: F, sex: F) -> list[F]:
            sums = [w[0] * a + w[1] * b + w[2] * sex + c for w, c in zip(weights, bias, strict=True)]
            return [max(s, F(0)) for s in sums]

        for _ in range(200):
            a, b, sex = F(chance.randint(-8, 8), 8), F(chance.randint(-8, 8), 8), F(chance.randint(0, 1))
            told = hidden(a, b, sex) != hidden(a, b, 1 - sex)
            assert found.has((a, b, sex)) == told
            assert any(all(h.holds((a, b, sex)) for h in piece) for piece in found.pieces) == told


# lies

STEP = """
domain X { a: real in [0, 1] }
labels { no, yes }
oracle f2 { features a = a  metric linf }
model f1 { features s = step(a - 1/2)  decide if s >= 1/2 then yes else no }
compute R: uncontained_region(f1, f2)
"""
SMOOTH = """
domain X { a: real in [0, 1], b: real in [0, 1] }
labels { no, yes }
oracle f2 { features a = a  metric linf }
model f1 { features s = relu(a + b - 3/2)  decide if s >= 1/4 then yes else no }
compute R: uncontained_region(f1, f2)
"""
"""Pairs at distance zero are enough: a > 1/2."""
REGULAR = ("another region", "no region", "a point that is no solution")
FAR = Half(Row(((0, F(1)),), F(-2)), False)

LIES: dict[str, Callable[[Torn], Answer]] = {
    "another region": lambda t: replace(t, parts=((FAR,),)),
    "no region": lambda t: replace(t, parts=(), pieces=(), points=()),
    "a point that is no solution": lambda t: replace(t, points=tuple((tuple(F(9) for _ in z), y) for z, y in t.points)),
    "a point outside of the closure": lambda t: replace(
        t, points=tuple((z, tuple(F(1) for _ in y)) for z, y in t.points)
    ),
    "no distance": lambda t: replace(t, points=tuple((z, z) for z, _ in t.points)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_region_is_never_reported(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.torn

    def answer(self: Portfolio, question: Question, domain: Question, seconds: float) -> Answer:
        true = original(self, question, domain, seconds)
        assert isinstance(true, Torn)
        return LIES[lie](true)

    monkeypatch.setattr(Portfolio, "torn", answer)
    for text in (STEP, SMOOTH) if lie in REGULAR else (STEP,):
        _, result = computed(text)
        assert len(result.internal_errors) == 1
        assert "ReplayFailed" in result.internal_errors[0]
        assert [c.value for c in result.computed] == [None]


def test_what_stays_open_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "torn", lambda *_: Unknown("out of time after 3 parts"))
    _, result = computed(STEP)
    assert [(c.value, c.reason) for c in result.computed] == [(None, "out of time after 3 parts")]
