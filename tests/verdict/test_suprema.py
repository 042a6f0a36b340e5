"""Suprema: engines that lie about them are found out; what the notes say; what the pairs show."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from msgspec.structs import replace

from verifier.api import load_text
from verifier.engines.engine import Answer, Fails, Most, Unknown, Vector
from verifier.engines.portfolio import Portfolio
from verifier.query.question import Question
from verifier.verdict.verdict import FileResult, Undecided

F = Fraction
LINE = """
domain X { i: int in [0, 1], t: real in (0, 1) }
labels { no, yes }
oracle f2 { features i = i, t = t  metric linf }
model f1 { features h = if i == 1 then 2 - t else 0  metric linf  decide if h >= 1 then yes else no }
"""
"""w(1) = K = 2, both approached as t tends to 0; w(1/2) = 1/2, attained."""

RAYS = """
domain X { i: int in [0, 1], t: real in [0, infinity) }
labels { no, yes }
oracle f2 { features i = i, t = t  metric linf }
model f1 { features i = i, s = if i == 1 then 2*t else t  metric linf  decide if s >= 1 then yes else no }
"""
"""w(1) and K are infinite."""

Lie = Callable[[Most], Answer]


def check(text: str) -> FileResult:
    loaded = load_text(text)
    assert loaded.diagnostics == ()
    return loaded.check()


def altered(monkeypatch: pytest.MonkeyPatch, method: str, lie: Lie) -> None:
    original = getattr(Portfolio, method)

    def answer(self: Portfolio, question: Question, *rest: object) -> Answer:
        true = original(self, question, *rest)
        assert isinstance(true, Most)
        return lie(true)

    monkeypatch.setattr(Portfolio, method, answer)


def place(true: Most, change: Callable[[Vector], Vector]) -> Most:
    return replace(true, points=(true.points[0], change(true.points[1])))


LIES: dict[str, Lie] = {
    "more": lambda m: replace(m, value=F(3) if m.value is None else m.value + 1),
    "less": lambda m: replace(m, value=F(1, 7)),
    "infinite": lambda m: replace(m, value=None),
    "attained": lambda m: replace(m, value=m.value or F(5), attained=True, points=m.points[:1]),
    "out of the cone": lambda m: place(m, lambda v: (*v[:-1], -v[-1] - 1)),
    "another place": lambda m: place(m, lambda v: tuple(a + 1 for a in v)),
    "nowhere": lambda m: place(m, lambda v: tuple(F(0) for _ in v)),
    "no solution": lambda m: replace(m, points=(tuple(F(9) for _ in m.points[0]), m.points[1])),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("greatest", LINE + "compute A: modulus(f1, f2, delta: 1)\n"),
        ("steepest", LINE + "compute A: lipschitz_constant(f1, f2)\n"),
        ("greatest", RAYS + "compute A: modulus(f1, f2, delta: 1)\n"),
        ("steepest", RAYS + "compute A: lipschitz_constant(f1, f2)\n"),
    ],
    ids=["modulus", "constant", "infinite modulus", "infinite constant"],
)
def test_a_wrong_supremum_is_never_reported(method: str, text: str, lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if lie == "infinite" and text.startswith(RAYS):
        lie = "attained"
    altered(monkeypatch, method, LIES[lie])
    result = check(text)
    assert len(result.internal_errors) == 1
    assert "ReplayFailed" in result.internal_errors[0]
    assert result.exit_code == 4
    assert [c.value for c in result.computed] == [None]


@pytest.mark.parametrize("lie", ["more", "less", "out of the cone", "no solution"])
def test_a_wrong_defect_is_never_reported(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    altered(monkeypatch, "defect", LIES[lie])
    result = check(LINE + "compute A: modulus(f1, f2, delta: 1/2)\n")
    assert "ReplayFailed" in result.internal_errors[0]


@pytest.mark.parametrize("method", ["greatest", "steepest"])
def test_what_stays_open_says_why(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    altered(monkeypatch, method, lambda m: Unknown("out of time; it is at least 1"))
    word = "modulus(f1, f2, delta: 1)" if method == "greatest" else "lipschitz_constant(f1, f2)"
    result = check(LINE + f"compute A: {word}\nassert B: {word} >= 1/2\n")
    assert result.internal_errors == ()
    assert result.computed[0].value is None
    assert result.computed[0].reason == "out of time; it is at least 1"
    assert isinstance(result["B"].verdict, Undecided)


def test_another_point_than_p_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.find

    def lie(self: Portfolio, question: Question, seconds: float, shown: bool = True) -> Answer:
        true = original(self, question, seconds)
        if not isinstance(true, Fails):
            return true
        return Fails("liar", (tuple(F(1, 4) if v.name.endswith(".s") else a for v, a in _named(question, true)),))

    monkeypatch.setattr(Portfolio, "find", lie)
    result = check("""
domain X { s: real in [0, 1], h: real in [0, 1] }
labels { no, yes }
oracle f2 { features s = s  metric linf }
model f1 { features s = s, h = h  decide if h >= 1/2 then yes else no }
assert A: contained_at(f1, f2, { s: 1/2, h: 0 })
""")
    assert "ReplayFailed" in result.internal_errors[0] and "x is not" in result.internal_errors[0]


def _named(question: Question, answer: Fails) -> list[tuple[object, Fraction]]:
    return list(zip(question.variables, answer.points[0], strict=True))


# what is said besides


def notes(text: str, name: str) -> str:
    result = check(text)
    assert result.internal_errors == ()
    return " ".join(next(c for c in result.computed if c.name == name).result.notes)


def test_the_modulus_says_where_it_tends() -> None:
    jump = LINE.replace("if i == 1 then 2 - t else 0", "if t >= 1/2 then 5 else 1/2")
    assert "it tends to 0: f1 is uniformly contained" in notes(LINE + "compute A: modulus(f1, f2, delta: 1)", "A")
    assert "it tends to 9/2: f1 is not uniformly" in notes(jump + "compute A: modulus(f1, f2, delta: 1)", "A")


def test_where_it_tends_is_asked_once_for_all_deltas(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Question] = []
    original = Portfolio.defect

    def defect(self: Portfolio, question: Question, seconds: float) -> Answer:
        asked.append(question)
        return original(self, question, seconds)

    monkeypatch.setattr(Portfolio, "defect", defect)
    more = LINE + "model f3 { features t = t  metric linf  decide yes }\n"
    deltas = "".join(
        f"compute A{d}: modulus(f1, f2, delta: {d})\ncompute B{d}: modulus(f3, f2, delta: {d})\n" for d in "12"
    )
    result = check(more + deltas)
    assert len(asked) == 2 and result.internal_errors == ()
    assert {c.name: c.value for c in result.computed} == {"A1": 2, "B1": 1, "A2": 2, "B2": 1}
    assert all(any("it tends to 0" in note for note in c.result.notes) for c in result.computed)


def test_no_negative_delta() -> None:
    (computed,) = check(LINE + "compute A: modulus(f1, f2, delta: -1)").computed
    assert computed.value is None and "delta is at least 0" in computed.reason


SEAM = """
domain X { t: real in [0, 4) }
labels { early, late }
oracle f2 { features t = t  metric linf  decide if t >= 2 then late else early }
model f1 {
  features x = clamp(t, 0, 1) - clamp(t - 2, 0, 1), y = clamp(t - 1, 0, 1) - clamp(t - 3, 0, 1)
  decide   if x + y >= 1 then early else late
}
compute C: case(f1, f2)
"""


def test_case_4_by_a_limit_admits_perfect_accuracy_for_every_oracle_decision() -> None:
    """The walk is one-to-one: what the oracle decides of times can be decided of places, though not continuously."""
    said = notes(SEAM, "C")
    assert "Some decision on the features of f1 gives f2 everywhere." in said
    assert "For every decision on the features of f2 there is a decision on those of f1" in said


PLANE = """
domain X { a: real in [0, 1], b: real in [0, 1], c: real in [0, 1] }
labels { no, yes }
oracle f2 { features a = a, b = b  metric l1  decide if a >= 1/2 then yes else no }
model f1 { features p = a + c, q = b + 2*c, r = c - a, s = a  decide if p >= 1 then yes else no }
model h1 { features a = a  decide if a >= 1/2 then yes else no }
"""


def test_the_facts_of_the_file_at_hand_are_not_those_of_the_case() -> None:
    """IV, and some oracle would defeat every decision on a alone; but this one only decides on a."""
    said = notes(PLANE + "compute C: case(h1, f2)", "C")
    assert "Some decision on the features of h1 gives f2 everywhere." in said
    assert "Some decision on the features of f2 defeats every decision on those of h1" in said
    torn = PLANE.replace("if a >= 1/2 then yes else no }\nmodel f1", "if b >= 1/2 then yes else no }\nmodel f1")
    assert "No decision on the features of h1 gives f2 everywhere" in notes(torn + "compute C: case(h1, f2)", "C")


def test_a_constant_oracle_is_called_so() -> None:
    text = PLANE.replace("  decide if a >= 1/2 then yes else no }\nmodel f1", " }\nmodel f1")
    assert "for f2 is constant" in notes(text + "compute C: case(h1, f2)", "C")


def test_three_unnecessary_features_in_one_direction() -> None:
    assert notes(PLANE + "compute U: unnecessary_features(f1, f2)", "U") == "Independent unnecessary directions: 1."


@pytest.mark.parametrize(
    "domain",
    [
        "a: int in [0, 1], b: real in [0, 1], c: real in [0, 1] }",
        "a: real in [0, 1], b: real in [0, 1], c: real in [0, 1] } where a == 0 or c == 0",
    ],
)
def test_directions_are_counted_only_where_ranks_count(domain: str) -> None:
    text = PLANE.replace("a: real in [0, 1], b: real in [0, 1], c: real in [0, 1] }", domain)
    assert notes(text + "compute U: unnecessary_features(f1, f2)", "U") == ""


def test_an_equation_of_the_domain_takes_a_direction_away() -> None:
    text = PLANE.replace("c: real in [0, 1] }", "c: real in [0, 1], d: real in [0, 1] } where d == a")
    text = text.replace("s = a  decide", "s = d + c, v = d  decide")
    assert notes(text + "compute U: unnecessary_features(f1, f2)", "U") == "Independent unnecessary directions: 1."
