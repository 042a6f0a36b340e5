"""VNN-LIB files: what they mean, and what is said about damaged ones (tests/golden/vnnlib)."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.importers.vnnlib_file import MOST_DEPTH, Reading, read, understand
from verifier.model.violation import holds, negated
from verifier.query.violation import MOST_BOXES, cases
from verifier.report.terminal import diagnostic_text
from verifier.source import Source

GOLDEN = Path(__file__).parents[1] / "golden" / "vnnlib" / "mistakes.txt"
DECLARED = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)\n"


def reading(text: str) -> Reading:
    """A file about a network of two inputs and one output, all of them declared."""
    return understand(Source("p.vnnlib", DECLARED + text), 2, 1)


def meaning(text: str, *numbers: int | str) -> bool:
    """The file at X_0, X_1, Y_0."""
    found = reading(text)
    assert found.violation is not None, found.diagnostics
    return holds(found.violation.formula, [Fraction(n) for n in numbers])


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("(assert (<= X_0 0.1))", ("1/10", 0, 0), True),
        ("(assert (<= X_0 0.1))", (0.1, 0, 0), False),  # the float 0.1 is larger than 1/10
        ("(assert (< X_0 0.1))", ("1/10", 0, 0), False),
        ("(assert (>= X_0 -1.5e-3))", ("-3/2000", 0, 0), True),
        ("(assert (> (- X_0) (- 2)))", (2, 0, 0), False),
        ("(assert (<= X_0 (/ 1 3)))", ("1/3", 0, 0), True),
        ("(assert (= (+ X_0 (* 2 X_1) -1) Y_0))", (1, 2, 4), True),
        ("(assert (= (- X_0 X_1 1) Y_0))", (1, 2, -1), False),
        ("(assert (<= 0 X_0 X_1 1))", ("1/2", "1/3", 0), False),
        ("(assert (or (<= X_0 0) (and (>= X_0 1) (<= Y_0 0))))", (1, 0, 0), True),
        ("(assert (or (<= X_0 0) (and (>= X_0 1) (<= Y_0 0))))", (1, 0, 1), False),
        ("(assert (=> (<= X_0 0) (<= Y_0 0)))", (0, 0, 1), False),
        ("(assert (=> (<= X_0 0) (<= Y_0 0)))", (1, 0, 1), True),
        ("(assert (not (or (<= X_0 0) (= X_1 0))))", (1, 1, 0), True),
        ("(assert (not (or (<= X_0 0) (= X_1 0))))", (1, 0, 0), False),
        ("(assert (and))", (0, 0, 0), True),
        ("(assert (or))", (0, 0, 0), False),
        ("(assert (<= X_0 1)) ; (assert (<= X_0 0))\n", (1, 0, 0), True),
        ("(assert (<= X_0 1))(assert(>= X_0 1))", (0, 0, 0), False),
        ("(assert (<= (* 0 X_0) 0))", (7, 0, 0), True),
        ("(assert (<= (- X_0 X_0) -1))", (7, 0, 0), False),
    ],
)
def test_what_a_file_says(text: str, at: tuple[int | str, ...], expected: bool) -> None:
    assert meaning(text, *at) is expected


def test_both_ways_to_declare_and_any_layout() -> None:
    text = "\ufeff(declare-fun\r\n X_0 ( ) Real );é\n(declare-const\tY_0 Real)(assert\n(<=\nX_0 Y_0))"
    found = understand(Source("p", text.removeprefix("\ufeff")), 1, 1)
    assert found.violation is not None and holds(found.violation.formula, [Fraction(0), Fraction(1)])


MISTAKES = """(assert (<= X_0 1)
(assert (<= X_0 1)))
)
X_0
(assert)
(assert X_0)
(assert (<= X_0 1) (<= X_1 1))
(declare-const X_2 Real)
(declare-const Y_1 Real)
(declare-const X_00 Real)
(declare-const X_99999999999999999999 Real)
(declare-const X_0 Real)
(declare-const Z Real)
(declare-const (X_0) Real)
(declare-const X_0)
(declare-fun X_0 (Real) Real)
(declare-fun X_0 Real)
(declare-const X_0 Int)
(check-sat)
(asert (<= X_0 1))
()
(())
((assert))
(vnnlib-version <2.0>)
(assert (<= X_9 1))
(assert (<= x_0 1))
(assert (<= X_0 1/3))
(assert (<= X_0 1.2.3))
(assert (<= X_0 0x10))
(assert (<= X_0 1_000))
(assert (<= X_0 nan))
(assert (<= X_0 +inf))
(assert (<= X_0 1e999))
(assert (<= X_0 1e99999999999999999999))
(assert (<= X_0 LONG))
(assert (<= (* X_0 X_1) 1))
(assert (<= (/ 1 X_0) 1))
(assert (<= (/ X_0 (- 1 1.0)) 1))
(assert (<= (/ X_0) 1))
(assert (<= (+) 1))
(assert (<= X_0))
(assert (not (<= X_0 1) (<= X_1 1)))
(assert (+ X_0 1))
(assert (<= (<= X_0 1) 1))
(assert (<= (max X_0 X_1) 1))
(assert (ite (<= X_0 1) (<= X_0 1) (<= X_1 1)))
(assert ((<= X_0 1)))
(assert (<= ("X_0") 1))
(assert (<= X\x1b[2J 1))
(assert DEEP)
(assert (<= POWER 1))"""


def test_what_is_said_about_mistakes_is_written_down() -> None:
    deep = "(not " * 300 + "(<= X_0 1)" + ")" * 300
    power = "(* " + "1e400 " * 50 + ")"
    said = []
    for line in MISTAKES.splitlines():
        text = line.replace("LONG", "1" * 300).replace("DEEP", deep).replace("POWER", power)
        found = reading(text)
        assert found.violation is None and found.diagnostics, line
        lines = {"p.vnnlib": found.source.text.splitlines()}
        said.append("\n".join([f"=== {line}", *(diagnostic_text(d, lines) for d in found.diagnostics)]))
    text = "\n".join(said).replace("\x1b", "\\x1b") + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_every_mistake_of_a_file_is_named_and_only_so_many() -> None:
    two = reading("(assert (<= X_7 1))\n(assert (<= X_0 1))\n(assert (<= X_1))\n")
    assert [(d.span.line, d.code) for d in two.diagnostics] == [(2, "V603"), (4, "V604")]
    assert len(reading("(assert X_0)\n" * 1000).diagnostics) == 50


def test_a_network_of_another_size_is_noticed() -> None:
    (missing,) = understand(Source("p", DECLARED), 300, 2).diagnostics
    assert "takes 300 and gives 2 numbers; not declared: X_2, X_3, X_4, X_5, X_6 and 294 more" in missing.message
    (surplus,) = understand(Source("p", DECLARED), 1, 1).diagnostics
    assert surplus.message == "There is no X_1: the network takes 1 number."


def test_brackets_may_be_nested_up_to_the_cap() -> None:
    assert meaning("(assert " + "(and " * (MOST_DEPTH - 2) + "(<= X_0 1)" + ")" * (MOST_DEPTH - 2) + ")", 1, 0, 0)


def test_files_that_cannot_be_read_are_diagnostics(tmp_path: Path) -> None:
    assert read(tmp_path / "nothing", 1, 1).diagnostics[0].code == "V601"
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    assert "byte number 1" in read(tmp_path / "binary", 1, 1).diagnostics[0].message


@settings(max_examples=300, deadline=None)
@given(st.text("()<=>+-*/ XY_019.e;\nandort", max_size=60))
def test_any_text_is_answered(text: str) -> None:
    found = reading(text)
    assert (found.violation is None) == bool(found.diagnostics)
    for d in found.diagnostics:
        assert d.span.start <= d.span.end <= len(found.source.text)


FORMULAS = st.recursive(
    st.builds("({} {} {})".format, st.sampled_from("<= >= < > =".split()), st.just("X_0"), st.integers(0, 2))
    | st.builds("({} {} {})".format, st.sampled_from("<= >= < > =".split()), st.just("X_1"), st.integers(0, 2))
    | st.builds("({} {} {})".format, st.sampled_from("<= >= < > =".split()), st.just("(+ X_0 Y_0)"), st.integers(0, 2)),
    lambda inner: (
        st.builds(
            lambda op, parts: f"({op} {' '.join(parts)})", st.sampled_from(["and", "or"]), st.lists(inner, max_size=3)
        )
        | st.builds("(not {})".format, inner)
        | st.builds("(=> {} {})".format, inner, inner)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(FORMULAS, st.tuples(*[st.integers(-1, 3)] * 3))
def test_boxes_take_a_violation_apart_and_lose_nothing(text: str, at: tuple[int, int, int]) -> None:
    violation = reading(f"(assert {text})").violation
    assert violation is not None
    numbers = [Fraction(n) for n in at]
    inside = [
        holds(c.fact, numbers)
        and all((a is None or a <= x) and (b is None or x <= b) for x, (a, b) in zip(at, c.box, strict=False))
        for c in cases(violation)
    ]
    assert any(inside) == holds(violation.formula, numbers) != holds(negated(violation.formula), numbers)


def test_an_or_of_boxes_becomes_boxes_and_an_or_of_outputs_does_not() -> None:
    boxes = (
        "(or (and (>= X_0 0) (<= X_0 1) (>= Y_0 1)) (and (>= X_0 2) (<= X_0 3) (>= Y_0 2)) (and (<= X_0 1) (>= X_0 0)))"
    )
    violation = reading(f"(assert {boxes}) (assert (>= X_1 0)) (assert (<= X_1 1)) (assert (or (<= Y_0 5) (>= Y_0 7)))")
    assert violation.violation is not None
    assert [c.box for c in cases(violation.violation)] == [((0, 1), (0, 1)), ((2, 3), (0, 1))]


def test_many_boxes_stay_together() -> None:
    text = "".join(f"(assert (or (<= X_0 {k}) (>= X_1 {k})))" for k in range(40))
    found = reading(text).violation
    assert found is not None
    assert len(cases(found)) <= MOST_BOXES + 1
