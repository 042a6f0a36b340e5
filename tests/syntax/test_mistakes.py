"""What is said about the mistakes that students make: one table, text → code, line, column and (part of) the fix."""

import pytest

from verifier.source import Source
from verifier.syntax import parse, tree

GOLDEN: list[tuple[str, str, int, int, str]] = [
    # brackets
    ("domain X { a: real in [0, 1]\nlabels { a }", "V121", 1, 10, "Add `}`"),
    ("assert A: f(x, g(y)\nassert B: p", "V121", 1, 12, "Add `)`"),
    ("let a = [1, 2", "V121", 1, 9, "Add `]` at the end"),
    ("let a = (1 + [2, 3)", "V121", 1, 14, "Add `]` before `)`"),
    ("model f { decide if (a then b else c }", "V121", 1, 21, "Add `)` before `then`"),
    ("let a = [1, 2)", "V122", 1, 14, "Write `]`"),
    ("let a = 1 }", "V122", 1, 11, "Delete"),
    ("let a = f(x))", "V122", 1, 13, "Delete"),
    ("} let a = 1", "V122", 1, 1, "Delete"),
    # signs
    ("assert A: x = 1", "V123", 1, 13, "Write `==`"),
    ("model f { decide if x = 1 then a else b }", "V123", 1, 23, "Write `==`"),
    ("let a == 3", "V124", 1, 7, "Write `=`"),
    ("let a: 3", "V124", 1, 6, "Write `=`"),
    ("assert A = f(x)", "V124", 1, 10, "Write `:`"),
    ("assert A: f(x, radius = 1)", "V125", 1, 16, "`radius: …`"),
    ("point p = {x = 1}", "V125", 1, 12, "`x: …`"),
    ("assert A: p && q", "V112", 1, 13, "`and`"),
    ("assert A: p || q", "V112", 1, 13, "`or`"),
    ("assert A: !p", "V112", 1, 11, "`not`"),
    ("assert A: p -> q", "V112", 1, 13, "`=>`"),
    ("assert A: p → q", "V112", 1, 13, "`=>`"),
    ("assert A: p === q", "V112", 1, 13, "`==`"),
    ("assert A: p <> q", "V112", 1, 13, "`!=`"),
    ("assert A: p =< q", "V112", 1, 13, "`<=`"),
    ("let a := 3", "V112", 1, 7, "`=`"),
    ("let a = x^2", "V112", 1, 10, "product"),
    ("let a = x**2", "V112", 1, 10, "product"),
    ("let a = 2 × 3", "V112", 1, 11, "`*`"),
    ("let a = 2 − 3", "V112", 1, 11, "`-`"),
    ("let a = |x|", "V112", 1, 9, "abs"),
    ("let a = p ? 1 : 2", "V112", 1, 11, "then"),
    ("param p = 1 in [0, ∞)", "V112", 1, 20, "infinity"),
    ("let a = 1;\nlet b = 2", "V113", 1, 10, "Delete"),
    # texts and letters
    ('use "week3.vf\nlet a = 1', "V115", 1, 5, 'missing `"`'),
    ("use 'week3.vf'", "V114", 1, 5, '"…"'),
    ("use “week3.vf”", "V114", 1, 5, '"…"'),
    ('use "C:\\data.vf"', "V116", 1, 8, "`/`"),
    ("let а = 1", "V111", 1, 5, "Write `a`"),
    ("let b = hue + hаt", "V111", 1, 16, "Write `hat`"),
    ("let b = věk", "V110", 1, 10, "Write `vek`"),
    ("let b = 年", "V110", 1, 9, "plain letters"),
    ("let b = $x", "V110", 1, 9, "Delete"),
    ("let a = 1\x00", "V103", 1, 10, "Delete"),
    ("let a = 1 # \u202e hidden", "V103", 1, 13, "Delete"),
    ("let a\u200b = 1", "V103", 1, 6, "Delete"),
    ("# one\rlet a = 1", "V103", 1, 6, "Delete"),
    # numbers
    ("let a = 2x", "V118", 1, 9, "`2*x`"),
    ("let a = 2 x", "V118", 1, 9, "`2*x`"),
    ("let a = 2(x + 1)", "V118", 1, 9, "`2*(…)`"),
    ("let a = (x + 1)(x - 1)", "V118", 1, 9, "*"),
    ("let a = 5cm", "V117", 1, 9, "`5`"),
    ("let a = 10%", "V117", 1, 11, "0.1"),
    ("let a = .5", "V119", 1, 9, "`0.5`"),
    ("let a = 5.", "V119", 1, 9, "`5`"),
    ("let a = 1_000", "V119", 1, 9, "`1000`"),
    # conditionals
    ("def f(x) = if x > 0 then 1", "V126", 1, 12, "else"),
    ("let a = 1 + (if p then 1)", "V126", 1, 14, "else"),
    ("def f(x) = if p then 1 elif q then 2 else 3", "V127", 1, 24, "`else if"),
    ("def f(x) = if p: 1 else 3", "V128", 1, 16, "then"),
    # declarations
    ("assert A contained(f1, f2)", "V129", 1, 10, "`assert A: contained"),
    ("compute R critical_radius(f1, f2)", "V129", 1, 11, "`compute R: "),
    ("assert contained(f1, f2)", "V130", 1, 1, "`assert A1: contained("),
    ("assert: contained(f1, f2)", "V130", 1, 1, "`assert A1:"),
    ("assert forall x in X: p", "V130", 1, 1, "`assert A1:"),
    ("assertion A: f(x)", "V131", 1, 1, "`assert`"),
    ("modle f1 { decide x }", "V131", 1, 1, "`model`"),
    ("let a = 1\nlabls { a }", "V131", 2, 1, "`labels`"),
    ("contained(f1, f2)", "V131", 1, 1, "`assert A1: contained"),
    ("forall x in X: p", "V131", 1, 1, "`assert A1: forall"),
    ("wibble", "V131", 1, 1, "Begin with one of domain"),
    ("Domain X { a: real }", "V132", 1, 1, "`domain`"),
    ("domain X { a: Real }", "V132", 1, 15, "`real`"),
    ("assert A: p Expect refuted", "V132", 1, 13, "`expect`"),
    ("assert A: p AND q", "V132", 1, 13, "`and`"),
    ("assert A: NOT p", "V132", 1, 11, "`not`"),
    ("let a = If p then 1 else 2", "V132", 1, 9, "`if`"),
    ("let data = 3", "V133", 1, 5, "`data_`"),
    ("domain X { model: real }", "V133", 1, 12, "`model_`"),
    ("labels { yes, in }", "V133", 1, 15, "`in_`"),
    ("assert A: p exepct refuted", "V136", 1, 13, "`expect`"),
    ("@points(4)\nlet a = 1", "V137", 1, 1, "assert"),
    ("@points(4)", "V137", 1, 1, "assert"),
    ("assert A: p expect prooved", "V138", 1, 20, "`proved`"),
    ("assert A: p expect sat", "V138", 1, 20, "expect refuted"),
    ("oracle f { metric linf metric l1 }", "V139", 1, 24, "one of the two"),
    ("oracle f { metric 2*d = abs(x) }", "V140", 1, 19, "`metric d(u, v) = …`"),
    ("model f { features s decide s }", "V141", 1, 20, "`s = s`"),
    # gaps
    ("let a = [1 2]", "V134", 1, 12, "before `2`"),
    ("domain X { a: real in [0, 1]\n  b: real }", "V134", 2, 3, "before `b`"),
    ("let a = 1 +\nlet b = 2", "V135", 1, 12, "delete `+`"),
    ("let b = * 2", "V135", 1, 9, "value"),
    ("let b = f(,)", "V135", 1, 11, "value"),
    ("oracle f { metric decide s }", "V135", 1, 19, "value"),
    # habits from elsewhere
    ("let a = 1 // trailing", "V143", 1, 11, "`#`"),
    ("// first\nlet a = 1", "V143", 1, 1, "`#`"),
    ("check A: p", "V131", 1, 1, "`assert`"),
    ('import "week3.vf"', "V131", 1, 1, "`use`"),
    ("domain X { a: float }", "V136", 1, 15, "`real`"),
    ("model f1 { return big }", "V136", 1, 12, "`decide`"),
    ("model f1 = { features all }", "V124", 1, 10, "Delete"),
    ("domain X = { a: real }", "V120", 1, 10, "Delete"),
    ("oracle f { features: s = size }", "V120", 1, 20, "Delete"),
    ("domain X { a: real [0, 1] }", "V134", 1, 20, "`in`"),
    ("domain X { a: real in ]0, 1] }", "V120", 1, 23, "`(0, 1)`"),
    ("domain X { a: bool }", "V120", 1, 15, "`{a, b}`"),
    ("assert A1-b: p", "V120", 1, 10, "`assert A1_b:"),
    ("assert A: p, q", "V120", 1, 12, "`and`"),
    ("assert A: x is 1", "V123", 1, 13, "`==`"),
    ("let x = 1,5", "V119", 1, 9, "`1.5`"),
    ("let a = 3 if x > 0 else 2", "V120", 1, 11, "in this order"),
    ("point p = (x: 1)", "V120", 1, 13, "`{x: …}`"),
    ("let a = max{1, 2}", "V120", 1, 12, "`max(…)`"),
    ("assert A: contained f1, f2", "V120", 1, 21, "`contained(…)`"),
    ("assert A: p expect", "V142", 1, 19, "proved"),
    ("assert A: forall (x in X): p", "V120", 1, 18, "`forall x in X"),
    ("use week3.vf", "V120", 1, 5, '`use "week3'),
    # and what is left
    ("let a", "V142", 1, 6, "`=`"),
    ("let = 3", "V120", 1, 5, "a name"),
    ("let f(x) = 3", "V120", 1, 6, "`def f"),
    ("def c = 3", "V120", 1, 7, "`let c"),
    ("labels a, b", "V120", 1, 8, "`{`"),
    ("assert A: forall x: p", "V120", 1, 19, "forall x in X"),
    ("param g = 2 in 0, 10", "V120", 1, 16, "`[0, 1]`"),
]


@pytest.mark.parametrize("text,code,line,column,fix", GOLDEN)
def test_a_mistake_is_named_placed_and_mended(text: str, code: str, line: int, column: int, fix: str) -> None:
    _, diagnostics = parse(Source("x.vf", text))
    first = diagnostics[0]
    assert (first.code, first.span.line, first.span.column) == (code, line, column), first
    assert fix in first.fix, first
    assert all(d.fix for d in diagnostics)
    assert first.message.endswith(".") and first.message[0] != " "
    assert all(d.severity == "error" for d in diagnostics)


@pytest.mark.parametrize("text", sorted({row[0] for row in GOLDEN} - {"let a = |x|"}))
def test_one_mistake_is_told_once(text: str) -> None:
    assert len(parse(Source("x.vf", text))[1]) == 1


def test_one_run_reports_every_mistake() -> None:
    text = (
        "domain X { size: real in [0, 1]\n"  # never closed
        "labels { small big }\n"  # no comma
        "model f1 { decide small }\n"
        "  modle f2 { decide if size = 1 then small else big }\n"  # misspelt, and `=`
        "assert A1: contained(f1, f2)\n"
        "assert contained(f1, f2) && true\n"  # no name, and `&&`
        "compute R: critical_radius(f1, f2))\n"  # one bracket too many
    )
    file, diagnostics = parse(Source("x.vf", text))
    assert [(d.code, d.span.line, d.span.column) for d in diagnostics] == [
        ("V121", 1, 10),
        ("V134", 2, 16),
        ("V131", 4, 3),
        ("V123", 4, 29),
        ("V130", 6, 1),
        ("V112", 6, 26),
        ("V122", 7, 35),
    ]
    assert [type(d).__name__ for d in file.declarations] == ["Model", "Assert"]


def test_a_broken_declaration_costs_only_itself() -> None:
    text = "let a = (1\nlet b = 2\n\nlet c = ]\nlet d = 4\n"
    file, diagnostics = parse(Source("x.vf", text))
    assert [(d.span.line, d.span.column) for d in diagnostics] == [(1, 9), (4, 9)]
    assert [d.name.id for d in file.declarations if isinstance(d, tree.Let)] == ["b", "d"]


def test_a_mended_slip_hides_no_later_one() -> None:
    _, diagnostics = parse(Source("x.vf", "assert A: p && f(x"))
    assert [d.code for d in diagnostics] == ["V112", "V121"]


def test_labels_that_are_reserved_words_do_not_cut() -> None:
    text = "let a = f(x,\n  model: 1,\n  data: 2)\nlet b = 2"
    file, diagnostics = parse(Source("x.vf", text))
    assert diagnostics == () and len(file.declarations) == 2


def test_columns_count_characters_also_behind_tabs_and_carriage_returns() -> None:
    _, diagnostics = parse(Source("x.vf", "let a = 1\r\n\tlet b == 2\r\n"))
    assert [(d.span.line, d.span.column) for d in diagnostics] == [(2, 8)]
