"""Every example of the language, read as it is meant."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import verifier
from tests.syntax.examples import EXAMPLES, SNIPPETS
from verifier.source import Source
from verifier.syntax import parse, tree
from verifier.syntax.lexer import grammar_text, tables


def one(text: str) -> tree.Declaration:
    file, diagnostics = parse(Source("x.vf", text))
    assert diagnostics == ()
    (declaration,) = file.declarations
    return declaration


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_of_the_language_parses(name: str) -> None:
    file, diagnostics = parse(Source(name, EXAMPLES[name]))
    assert diagnostics == ()
    assert len(file.declarations) == {"halfspace": 8, "relu": 9, "credit": 11, "grade": 4}[name]


@pytest.mark.parametrize("text", SNIPPETS)
def test_every_form_parses(text: str) -> None:
    one(text)


def test_the_grammar_has_no_conflict_and_no_two_terminals_that_match_the_same_text() -> None:
    pytest.importorskip("interegular")
    from lark import Lark

    Lark(grammar_text(), start="file", parser="lalr", lexer="basic", strict=True)


def test_the_tables_of_the_parser_are_kept_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "from verifier.syntax.lexer import grammar; print(grammar().parse('labels { a, b }').data)"

    def read() -> str:
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new" / "cache"))
    kept = tmp_path / "new" / "cache" / "verifier" / "grammar.tables"
    assert read() == "file\n"
    whole = kept.read_bytes()
    kept.write_bytes(broken := whole[: len(whole) // 2])
    assert read() == "file\n"
    mended = kept.read_bytes()
    assert mended != broken
    assert read() == "file\n"
    assert kept.read_bytes() == mended


def test_tables_that_others_could_have_written_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tables() == str(tmp_path / "verifier" / "grammar.tables")
    (tmp_path / "verifier").chmod(0o777)
    assert tables() is False
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(__file__)))
    assert tables() is False


def test_lark_waits_for_the_first_text() -> None:
    script = "import sys, verifier.syntax; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=Path(verifier.__file__).parents[1]).returncode == 0


def test_an_empty_file_is_a_file() -> None:
    for text in ("", "\n", "# nothing yet", "\ufeff", " \t\r\n"):
        assert parse(Source("x.vf", text)) == (tree.File("x.vf", ()), ())


@pytest.mark.parametrize(
    "unicode,ascii",
    [
        ("∀ u, v ∈ X: u ≤ v ⇒ ¬p ∧ q ∨ r", "forall u, v in X: u <= v => not p and q or r"),
        ("∃ u ∈ X: u ≥ 1 ⇔ u ≠ 2", "exists u in X: u >= 1 <=> u != 2"),
    ],
)
def test_unicode_reads_as_ascii(unicode: str, ascii: str) -> None:
    from tests.syntax.trees import bare

    assert bare(one(f"assert A: {unicode}")) == bare(one(f"assert A: {ascii}"))


@pytest.mark.parametrize(
    "written,value",
    [
        ("3", Fraction(3)),
        ("0.1", Fraction(1, 10)),
        ("1e-3", Fraction(1, 1000)),
        ("1.25E+2", Fraction(125)),
        ("007", Fraction(7)),
        ("0.10", Fraction(1, 10)),
        ("1e400", Fraction(10**400)),
    ],
)
def test_decimals_are_exact(written: str, value: Fraction) -> None:
    let = one(f"let a = {written}")
    assert isinstance(let, tree.Let) and isinstance(let.value, tree.Number)
    assert let.value.value == value


@pytest.mark.parametrize(
    "written,grouped",
    [
        ("a or b and c", "a or (b and c)"),
        ("a => b => c", "a => (b => c)"),
        ("a <=> b => c", "a <=> (b => c)"),
        ("a - b - c", "(a - b) - c"),
        ("not a == b", "not (a == b)"),
        ("-a * b", "(-a) * b"),
        ("a + b * c < d", "(a + (b * c)) < d"),
        ("a + if p then b else c + d", "a + (if p then b else (c + d))"),
        ("a and forall x in X: p or q", "a and (forall x in X: (p or q))"),
        ("not exists x in X: p => q", "not (exists x in X: (p => q))"),
        ("if p then if q then a else b else c", "if p then (if q then a else b) else c"),
        ("f2.x(u)[0].y", "((f2.x)(u))[0].y"),
    ],
)
def test_operators_bind_as_documented(written: str, grouped: str) -> None:
    from tests.syntax.trees import bare

    if grouped.startswith("((f2"):
        let = one(f"let a = {written}")
        assert isinstance(let, tree.Let) and isinstance(let.value, tree.Field)
        assert isinstance(let.value.value, tree.Index) and isinstance(let.value.value.value, tree.Apply)
    else:
        assert bare(one(f"let a = {written}")) == bare(one(f"let a = {grouped}"))


def test_chains_are_one_comparison() -> None:
    let = one("let a = 0 <= x < y != 3")
    assert isinstance(let, tree.Let) and isinstance(let.value, tree.Chain)
    assert let.value.ops == ("<=", "<", "!=") and len(let.value.operands) == 4


def test_spans_cover_exactly_what_was_written() -> None:
    text = "let W = 1\nlet a = (b + c) * f(x: 1)[2]  # why"
    file, _ = parse(Source("x.vf", text))
    let = file.declarations[1]
    assert isinstance(let, tree.Let) and isinstance(let.value, tree.Binary)

    def written(node: tree.Expr | tree.Argument | tree.Declaration) -> str:
        return text[node.span.start : node.span.end]

    assert written(let) == "let a = (b + c) * f(x: 1)[2]"
    assert written(let.value) == "(b + c) * f(x: 1)[2]"
    assert written(let.value.left) == "b + c"
    assert written(let.value.right) == "f(x: 1)[2]"
    assert (let.value.right.span.line, let.value.right.span.column) == (2, 19)


def test_intervals_know_their_open_ends() -> None:
    domain = one("domain X { a: real in (-infinity, 0], b: real in [0, inf), c: int in [1, 2], d: real }")
    assert isinstance(domain, tree.Domain)
    ends = [(c.interval.low_open, c.interval.high_open) for c in domain.coordinates if c.interval]
    assert ends == [(True, False), (False, True), (False, False)]
    assert domain.coordinates[3].interval is None


def test_where_may_stand_inside_or_behind_the_braces() -> None:
    behind = one("domain X { a: int in [0, 9] } where a <= 3")
    inside = one("domain X { a: int in [0, 9] where a <= 3 }")
    assert isinstance(behind, tree.Domain) and isinstance(inside, tree.Domain)
    assert isinstance(behind.where, tree.Chain) and isinstance(inside.where, tree.Chain)


def test_a_metric_of_ones_own_keeps_its_arguments() -> None:
    oracle = one("oracle f { metric d(u, v) = abs(u.s - v.s) }")
    assert isinstance(oracle, tree.Model) and oracle.metric is not None and oracle.metric.name is not None
    assert oracle.metric.name.id == "d" and [p.id for p in oracle.metric.parameters] == ["u", "v"]
    assert isinstance(oracle.metric.value, tree.Apply)


def test_reserved_words_label_arguments() -> None:
    compute = one("compute A: f(where: 1, features: 2, of: 3, in: 4, model: 5, data: 6, not: 7, if: 8)")
    assert isinstance(compute, tree.Compute) and isinstance(compute.body, tree.Apply)
    assert [a.label for a in compute.body.arguments] == ["where", "features", "of", "in", "model", "data", "not", "if"]


def test_annotations_belong_to_the_assertion_after_them() -> None:
    file, _ = parse(Source("x.vf", '@points(4)\n@hint("why?") @hidden assert A: p expect refuted\nassert B: q'))
    first, second = file.declarations
    assert isinstance(first, tree.Assert) and isinstance(second, tree.Assert)
    assert [a.name.id for a in first.annotations] == ["points", "hint", "hidden"]
    assert (first.expect, first.expect_written) == ("refuted", True)
    assert (second.annotations, second.expect, second.expect_written) == ((), "proved", False)
