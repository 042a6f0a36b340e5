"""Text written from a tree is read back as that tree."""

from fractions import Fraction

import pytest
from hypothesis import given, settings

from tests.syntax.trees import bare, expressions
from verifier.source import Source
from verifier.source.text import NOWHERE
from verifier.syntax import parse, tree, unparse


def read_back(text: str) -> tree.Expr:
    file, diagnostics = parse(Source("x.vf", f"let it = {text}"))
    assert diagnostics == ()
    (let,) = file.declarations
    assert isinstance(let, tree.Let)
    return let.value


@settings(max_examples=400, deadline=None)
@given(expressions)
def test_what_is_written_is_read_back(expr: tree.Expr) -> None:
    assert bare(read_back(unparse(expr))) == bare(expr)


@pytest.mark.parametrize(
    "text",
    [
        "a + b - c",
        "a - (b - c)",
        "(a + b)/2",
        "2*x + y/3",
        "-x * -y",
        "-(x + y)",
        "not (a and b)",
        "not a and b",
        "a => b => c",
        "(a => b) => c",
        "a and (b or c)",
        "a + (if p then b else c) + d",
        "a + if p then b else c",
        "(forall x in X: p) and q",
        "q and forall x in X: p",
        "if (if p then q else r) then a else b",
        "0 <= x < 1",
        "(a < b) == c",
        "[[1, 2], [3, 4]] * v",
        "W*v + b",
        "f2.x(u)[0].y",
        "f(a, where: b >= 1/20, scale: {age: 2})",
        "x[0]/2",
        "[1, 2][0]*2",
        "0.1",
        "-3",
        "[]",
        "f()",
        '"a \\"b\\" \\\\ c\\n"',
        "(-x)[0]",
        "(a + b).c",
    ],
)
def test_canonical_text_is_its_own_canonical_text(text: str) -> None:
    if text == "if (if p then q else r) then a else b":
        assert unparse(read_back(text)) == "if if p then q else r then a else b"
    else:
        assert unparse(read_back(text)) == text


@pytest.mark.parametrize(
    "value,text",
    [
        (Fraction(1, 3), "1/3"),
        (Fraction(-1, 3), "-1/3"),
        (Fraction(-5), "-5"),
        (Fraction(1, 10), "0.1"),
        (Fraction(1, 8), "0.125"),
        (Fraction(10**30), "1e30"),
        (Fraction(1, 10**30), "1e-30"),
        (Fraction(0), "0"),
    ],
)
def test_numbers_are_exact(value: Fraction, text: str) -> None:
    assert unparse(tree.Number(NOWHERE, value)) == text


def test_a_quotient_is_bracketed_where_it_would_be_torn() -> None:
    third = tree.Number(NOWHERE, Fraction(1, 3))
    two = tree.Number(NOWHERE, Fraction(2))
    minus = tree.Number(NOWHERE, Fraction(-1, 3))
    assert unparse(tree.Binary(NOWHERE, "*", two, third)) == "2*(1/3)"
    assert unparse(tree.Index(NOWHERE, third, two)) == "(1/3)[2]"
    assert unparse(tree.Unary(NOWHERE, "-", minus)) == "-(-1/3)"
