"""VNN-LIB files: what they mean, and what is said about damaged ones (tests/golden/vnnlib)."""

from __future__ import annotations

import gzip
import os
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.importers.failure import MOST_BYTES
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


# version 2

SECOND = """(vnnlib-version <2.0>)
(declare-network N (declare-input X Real [2]) (declare-output Y Real []))
"""
TWICE = """; two points
(vnnlib-version <2.0>)
(declare-network N (declare-input A float32 [1, 2]) (declare-output B float32 [1 ,1]))
(declare-network M (equal-to N) (declare-input C float32[2,1]) (declare-output D float64 [1]))
"""


def second(text: str, declared: str = SECOND) -> Reading:
    return understand(Source("p.vnnlib", declared + text), 2, 1)


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("(assert (<= X[0] 0.1))", ("1/10", 0, 0), True),
        ("(assert (>= X [ 1 ] 2))(assert (< Y 0))", (0, 2, -1), True),
        ("(assert (>= X[1] 2))(assert (< Y 0))", (0, 2, 0), False),
        ("(assert (== Y (+ X[0] X[1])))", (1, 2, 3), True),
        ("(assert (= Y (- X[0] X[1] 1)))", (1, 2, -2), True),
        ("(assert (!= Y (* -1.0 X[0])))", (1, 2, -1), False),
        ("(assert (!= Y (* -1.0 X[0])))", (1, 2, 1), True),
        ("(assert (or (and (<= X[0] Y) (<= X[0] X[1])) (> (- Y) 7)))", (0, 1, 0), True),
    ],
)
def test_what_a_file_of_version_2_says(text: str, at: tuple[int | str, ...], expected: bool) -> None:
    found = second(text)
    assert found.violation is not None, found.diagnostics
    assert holds(found.violation.formula, [Fraction(n) for n in at]) is expected
    assert [found.violation.name(i) for i in range(3)] == ["X[0]", "X[1]", "Y"]


def test_one_network_at_two_points() -> None:
    found = second("(assert (> C[1,0] A[0,1]))(assert (< D[0] B[0,0]))", TWICE).violation
    assert found is not None and (found.inputs, found.outputs, found.copies) == (4, 2, 2)
    assert found.names == ("A[0,0]", "A[0,1]", "C[0,0]", "C[1,0]", "B[0,0]", "D[0]")
    assert holds(found.formula, [Fraction(n) for n in (0, 1, 0, 2, 5, 4)])
    assert not holds(found.formula, [Fraction(n) for n in (2, 1, 0, 1, 5, 4)])


def test_tensors_are_laid_out_row_by_row() -> None:
    text = "(vnnlib-version <2.1>)(declare-network n (declare-input t Real [2,1,3]) (declare-output s Real [1]))"
    found = understand(Source("p", text + "(assert (>= t[1,0,2] 1))(assert (<= t[0,0,1] 0))"), 6, 1).violation
    assert found is not None
    assert [
        holds(found.formula, [Fraction(n) for n in (0, y, 0, 0, 0, z, 0)]) for y, z in ((0, 1), (1, 1), (0, 0))
    ] == [
        True,
        False,
        False,
    ]


MISTAKES2 = """(vnnlib-version <2.0>)
!(vnnlib-version <3.0>)
!(vnnlib-version 2)
!(vnnlib-version <2.0>)
!(vnnlib-version <2.0>)(assert (<= X[0] 1))
!(vnnlib-version <2.0>)(declare-const X_0 Real)
!(vnnlib-version <2.0>)(declare-input X Real [2])
!(vnnlib-version <2.0>)(declare-network)
!(vnnlib-version <2.0>)(declare-network N)
!(vnnlib-version <2.0>)(declare-network 7 (declare-input X Real [2]) (declare-output Y Real [1]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [2]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [3]) (declare-output Y Real [1]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [2]) (declare-output Y Real [2,5]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real) (declare-output Y Real [1]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X [2]) (declare-output Y Real [1]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [n]) (declare-output Y Real [1]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [0,2]) (declare-output Y Real [1]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X int32 [2]) (declare-output Y Real [1]))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [2]) (declare-input Z Real [1]) (declare-output Y Real))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [2] initialized) (declare-output Y Real []))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [2]) (declare-hidden H Real [9] "a (b"))
!(vnnlib-version <2.0>)(declare-network N (declare-input X Real [2]) (declare-output X Real []))
!(vnnlib-version <2.0>)(declare-network N (declare-imput X Real [2]) (declare-output Y Real []))
!(vnnlib-version <2.0>)(declare-network N X)
(declare-network N (declare-input A Real [2]) (declare-output B Real []))
(declare-network M (declare-input A Real [2]) (declare-output B Real []))
(declare-network M (isomorphic-to N) (declare-input A Real [2]) (declare-output B Real []))
(declare-network M (equal-to O) (declare-input A Real [2]) (declare-output B Real []))
(declare-network M (equal-to N) (equal-to N) (declare-input A Real [2]) (declare-output B Real []))
(declare-network M (equal-to N) (declare-input X Real [2]) (declare-output B Real []))
(assert (<= X[0] 1)) (declare-network M (equal-to N) (declare-input A Real [2]) (declare-output B Real []))
(assert)
(asert (<= X[0] 1))
(check-sat)
()
(assert (<= X 1))
(assert (<= X[2] 1))
(assert (<= X[0,0] 1))
(assert (<= Y[0] 1))
(assert (<= X[] 1))
(assert (<= X[-1] 1))
(assert (<= X[1.0] 1))
(assert (<= X[0 1))
(assert (<= X[0]] 1))
(assert (<= x[0] 1))
(assert (<= X_0 1))
(assert (<= [0] 1))
(assert (!= X[0] 1 2))
(assert (<= (* X[0] X[1]) 1))
(assert (ite (<= X[0] 1) (<= X[0] 1) (<= X[1] 1)))"""


def test_what_is_said_about_mistakes_in_version_2_is_written_down() -> None:
    golden = GOLDEN.with_name("mistakes2.txt")
    said = []
    for line in MISTAKES2.splitlines():
        found = second(line.removeprefix("!"), "" if line[0] == "!" else SECOND)
        assert found.violation is None and found.diagnostics, line
        lines = {"p.vnnlib": found.source.text.splitlines()}
        said.append("\n".join([f"=== {line}", *(diagnostic_text(d, lines) for d in found.diagnostics)]))
    text = "\n".join(said) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"()[],0 1", "X", "Y", "<= ", "assert ", "and ", "!= ", '"', "(equal-to N)"]), max_size=30
    )
)
def test_any_text_of_version_2_is_answered(parts: list[str]) -> None:
    for declared in (SECOND, TWICE, "(vnnlib-version <2.0>)"):
        found = second("".join(parts), declared)
        assert (found.violation is None) == bool(found.diagnostics)


# packed files


def test_packed_files_are_read_and_damaged_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "p.vnnlib.gz"
    packed = gzip.compress((DECLARED + "(assert (<= X_0 1))").encode())
    path.write_bytes(packed)
    assert read(path, 2, 1).violation is not None
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 0xFF
    for data, why in (
        (packed[:-9], "it ends too early"),
        (b"(assert)", "not a gzipped file"),
        (bytes(damaged), ""),
        (b"", ""),
    ):
        path.write_bytes(data)
        found = read(path, 2, 1)
        assert found.violation is None
        (wrong,) = found.diagnostics
        if data:
            assert wrong.code == "V601" and wrong.message.startswith("p.vnnlib.gz is no sound gzip file: ")
        assert why in wrong.message and wrong.fix


def test_a_small_file_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.vnnlib.gz"
    path.write_bytes(gzip.compress(b" " * (MOST_BYTES + 1)))
    (wrong,) = read(path, 2, 1).diagnostics
    assert "larger than" in wrong.message
