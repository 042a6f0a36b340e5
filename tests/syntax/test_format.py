"""`verifier fmt`: one shape, the same meaning, every comment."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.syntax.examples import EXAMPLES, SNIPPETS
from tests.syntax.trees import bare, expressions
from verifier.source import Source
from verifier.syntax import format_source, parse, tree, unparse
from verifier.syntax.format import WIDTH
from verifier.syntax.lexer import lex


def formatted(text: str) -> str:
    result = format_source(Source("x.vf", text))
    assert isinstance(result, str), result
    return result


def meaning(text: str) -> object:
    file, diagnostics = parse(Source("x.vf", text))
    assert diagnostics == ()
    return bare(file)


def remarks(text: str) -> list[str]:
    source = Source("x.vf", text)
    for token in reversed(lex(source)[0]):
        text = text[: token.start_pos] + " " + text[token.end_pos :]
    return [remark.rstrip() for remark in re.findall("#[^\n]*", text)]


@pytest.mark.parametrize("text", [*EXAMPLES.values(), *SNIPPETS])
def test_meaning_comments_and_the_second_time(text: str) -> None:
    once = formatted(text)
    assert meaning(once) == meaning(text)
    assert remarks(once) == remarks(text)
    assert formatted(once) == once


EXPECTED = {
    "spacing": ("let a=-x*-y+(a+b)*c/2-[1,2]*v", "let a = -x * -y + (a + b)*c/2 - [1, 2] * v\n"),
    "unicode": ("assert A:∀u,v∈X:¬p∧u≤v⇒q", "assert A: forall u, v in X: not p and u <= v => q\n"),
    "blank lines": (
        "\n\nlet a = 1\n\n\n\nlet b = 2\nlet c = 3 let d = 4\n\n",
        "let a = 1\n\nlet b = 2\nlet c = 3\nlet d = 4\n",
    ),
    "carriage returns": ("let a = 1 # one\r\n\r\nlet b = 2\r\n", "let a = 1  # one\n\nlet b = 2\n"),
    "last commas": ("labels {a,b,}\nlet a=f(x,metric:1,)", "labels { a, b }\nlet a = f(x, metric: 1)\n"),
    "records": (
        "point p={x:[1,2],s:f}\nlet s=linf(scale:{a:1})",
        "point p = { x: [1, 2], s: f }\nlet s = linf(scale: {a: 1})\n",
    ),
    "a model on one line": (
        "oracle f2 {features x=x metric linf decide big}",
        "oracle f2 { features x = x   metric linf   decide big }\n",
    ),
    "a model on several": (
        "oracle f2 {\n features x=x metric linf decide big}",
        "oracle f2 {\n  features x = x\n  metric   linf\n  decide   big\n}\n",
    ),
    "a domain on several lines": (
        "domain X {\n a: int in [0,9], b: real\n\n, c: {f,m} } where a<=b",
        "domain X {\n  a: int in [0, 9],\n  b: real,\n  c: {f, m}\n} where a <= b\n",
    ),
    "annotations": ("@points(4)@hidden assert A:p", "@points(4) @hidden\nassert A: p\n"),
    "comments": (
        "# top\n\n\n#one\nlet a = [ # two\n  1, # three\n\n # four\n 2 # five\n] # six\n# end",
        "# top\n\n#one\nlet a = [  # two\n  1,  # three\n\n  # four\n  2  # five\n]  # six\n# end\n",
    ),
    "remarks in a column": ("let a = 1 # x\nlet long = 2 # y\n", "let a = 1     # x\nlet long = 2  # y\n"),
    "nothing": ("", ""),
    "only a comment": ("\n\n# hm \n\n", "# hm\n"),
}


@pytest.mark.parametrize("case", EXPECTED)
def test_shapes(case: str) -> None:
    text, shape = EXPECTED[case]
    assert formatted(text) == shape
    assert formatted(shape) == shape


def test_long_lines_break_before_the_loosest_operator() -> None:
    left, right = (" and ".join(f"f1.h(u) <= f1.h(v) + {i}" for i in range(n)) for n in (3, 2))
    assert formatted(f"assert A: {left} => {right} expect refuted") == (
        f"assert A: {left}\n    => {right} expect refuted\n"
    )


def test_long_vectors_are_filled_and_long_calls_are_listed() -> None:
    text = formatted(f"let v = [{', '.join(['12345'] * 40)}]\nlet w = f({', '.join(['abcdefghij'] * 12)})")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.count("\n") < 22 and text.count("  abcdefghij") == 12


def test_mistakes_are_told_rather_than_formatted() -> None:
    diagnostics = format_source(Source("x.vf", "let a == 1"))
    assert not isinstance(diagnostics, str)
    assert [d.code for d in diagnostics] == ["V124"]


WHITE = (" ", "  ", "\n", "\t", "\r\n", "\n\n\n", " # a remark\n", "\n# alone\n", "\n\n  # apart \n\n", "#\n")


@st.composite
def declarations(draw: st.DrawFn) -> str:
    text = unparse(draw(expressions))
    return draw(
        st.sampled_from(
            [
                *SNIPPETS,
                *EXAMPLES.values(),
                f"assert A: {text}",
                f"model f {{ features x = {text}, y = 1 decide {text} }}",
                f"domain X {{ a: real, b: int where {text} }}",
            ]
        )
    )


@settings(max_examples=200, deadline=None)
@given(declarations(), st.lists(st.sampled_from(WHITE), min_size=1, max_size=20))
@example("assert A: f(assert: x)", ["\n"])  # a label at the beginning of a line
def test_any_white_space_gives_one_shape_with_the_same_meaning(declaration: str, white: list[str]) -> None:
    tokens, _ = lex(Source("x.vf", declaration))
    text = "".join(white[i % len(white)] + str(token) for i, token in enumerate(tokens)) + white[0]
    once = formatted(text)
    assert meaning(once) == meaning(text)
    assert remarks(once) == remarks(text)
    assert formatted(once) == once
    assert not re.search("\n\n\n|[ \t]\n", once)


@settings(max_examples=100, deadline=None)
@given(expressions)
def test_unparse_and_format_agree(expr: tree.Expr) -> None:
    text = f"let a = {unparse(expr)}"
    if len(text) <= WIDTH and not isinstance(expr, tree.Record) and "{" not in text:
        assert formatted(text) == text + "\n"
