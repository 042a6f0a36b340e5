"""Any text at all is normal input: read in seconds, refused with a diagnostic, never an exception."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.syntax.examples import EXAMPLES
from verifier.source import Diagnostic, Source
from verifier.syntax import decode, format_source, limits, parse, read
from verifier.syntax.lexer import lex

MANY = 20_000
CAPS = {
    "size": "#" * (limits.FILE_BYTES + 1),
    "tokens": "let a = [" + "1," * limits.TOKENS + "1]",
    "round brackets": "let a = " + "(" * 300 + "1" + ")" * 300,
    "square brackets": "let a = " + "[" * 300 + "1" + "]" * 300,
    "records": "let a = " + "{x: " * 300 + "1" + "}" * 300,
    "calls": "let a = " + "f(" * 300 + "1" + ")" * 300,
    "nots": "let a = " + "not " * 300 + "p",
    "minus": "let a = " + "- " * 300 + "1",
    "ifs": "let a = " + "if p then 1 else " * 300 + "1",
    "tests": "let a = " + "if " * 300 + "p" + " then 1 else 2" * 300,
    "arrows": "let a = " + "p => " * 300 + "p",
    "sums": "let a = " + "1 + " * 300 + "1",
    "quantifiers": "assert A: " + "forall x in X: " * 300 + "p",
    "fields": "let a = x" + ".y" * 300,
    "indices": "let a = x" + "[0]" * 300,
    "digits": "let a = " + "1" * (limits.DIGITS + 1),
    "exponent": "let a = 1e401",
    "tiny": "let a = 1e-401",
    "absurd exponent": "let a = 1e99999999999999999999",
    "name": "let " + "a" * (limits.NAME_LENGTH + 1) + " = 1",
    "text": 'let a = "' + "a" * limits.STRING_LENGTH + '"',
}


@pytest.mark.parametrize("cap", CAPS)
def test_every_cap_is_a_diagnostic(cap: str) -> None:
    _, diagnostics = parse(Source("x.vf", CAPS[cap]))
    assert [d.code for d in diagnostics][:1] == ["V104"]
    assert len(diagnostics) <= 2


def test_just_below_the_caps_all_is_well() -> None:
    deep = limits.DEPTH - 5
    for text in (
        "1" * limits.DIGITS,
        "1e400",
        "1e-400",
        "1 + " * deep + "1",
        "(" * deep + "1" + ")" * deep,
        "not " * deep + "p",
        "p => " * deep + "p",
        "[1" + ",1" * 9999 + "]",
    ):
        file, diagnostics = parse(Source("x.vf", f"let a = {text}"))
        assert diagnostics == () and len(file.declarations) == 1
        assert isinstance(format_source(Source("x.vf", f"let a = {text}")), str)


FLOODS = [
    "(",
    ")",
    "[",
    "{",
    "}",
    "(]",
    "- ",
    "not ",
    "1+",
    "1",
    "a",
    "a ",
    "a\n",
    '"',
    "'",
    "#",
    "\n",
    "@",
    "@a ",
    "if ",
    "let ",
    "let a = ",
    "let a = 1\n",
    "lett a = 1\n",
    "assert ",
    "é",
    "а",
    "\x00",
    "\u202e",
    "&",
    "=",
    "==",
    ":=",
    "1x",
    "2e",
    "\\",
    "“",
    "let a = (\n",
    "domain X {\n",
    "model f { metric d\n",
    "forall ",
    "x.",
    "0.",
    "\ufeff",
    "\r",
    "{a:",
]


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_answered_in_seconds(flood: str) -> None:
    for before in ("", "let a = "):
        text = before + flood * (MANY // len(flood))
        begun = time.perf_counter()
        _, diagnostics = parse(Source("x.vf", text))
        assert time.perf_counter() - begun < 4
        assert len(diagnostics) <= limits.DIAGNOSTICS + 1
        assert all(len(d.message) < 500 and len(d.fix) < 500 for d in diagnostics)


def test_a_large_file_is_read_in_seconds() -> None:
    line = "assert A: strongly_robust(f1, f2, radius: 1/10, where: margin(f1) >= 1/20)\n"
    text = "# why not\n" * 30_000 + line * 3_000
    begun = time.perf_counter()
    file, diagnostics = parse(Source("x.vf", text))
    assert time.perf_counter() - begun < 20
    assert diagnostics == () and len(file.declarations) == 3_000


def test_the_mistakes_that_are_not_shown_are_mentioned() -> None:
    _, diagnostics = parse(Source("x.vf", "let a == 1\n" * 100))
    assert len(diagnostics) == limits.DIAGNOSTICS + 1
    assert diagnostics[-1].code == "V105"


def whole(diagnostics: tuple[Diagnostic, ...], text: str) -> None:
    for d in diagnostics:
        assert 0 <= d.span.start <= d.span.end <= len(text) and d.span.line >= 1 and d.span.column >= 1
        assert (d.message + d.fix).isprintable(), d


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    for prefix in ("", "let a = ", "model f { "):
        _, diagnostics = parse(Source("x.vf", prefix + text))
        whole(diagnostics, prefix + text)
        format_source(Source("x.vf", prefix + text))


words = [str(token) for text in EXAMPLES.values() for token in lex(Source("x.vf", text))[0]]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([*sorted(set(words)), "\n", "2x", "'", "&&", "é", "->", "=", "not"]), max_size=25))
def test_no_salad_of_words_raises(salad: list[str]) -> None:
    text = " ".join(salad)
    _, diagnostics = parse(Source("x.vf", text))
    whole(diagnostics, text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_no_torn_example_raises(name: str, data: st.DataObject) -> None:
    text = EXAMPLES[name]
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 12)))
    instead = data.draw(st.sampled_from(["", "(", "}", "=", '"', " if ", "\x00", "let", "@", ","]))
    torn = text[:begin] + instead + text[end:]
    _, diagnostics = parse(Source("x.vf", torn))
    whole(diagnostics, torn)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_no_bytes_raise(data: bytes) -> None:
    source = decode("x.vf", data)
    if isinstance(source, Source):
        parse(source)
    else:
        assert source.code == "V102"


def test_files_that_cannot_be_read_are_diagnostics(tmp_path: Path) -> None:
    def code(name: str, data: bytes | None = None) -> str:
        if data is not None:
            (tmp_path / name).write_bytes(data)
        result = read(tmp_path / name)
        return result.code if isinstance(result, Diagnostic) else result.text

    (tmp_path / "folder").mkdir()
    assert code("missing.vf") == "V101"
    assert code("folder") == "V101"
    assert code("nul\0name") == "V101"
    assert code("latin.vf", b"let a = 1\nlet b = \xe9") == "V102"
    assert code("large.vf", b"#" * (limits.FILE_BYTES + 1)) == "V104"
    assert code("bom.vf", b"\xef\xbb\xbflet a = 1") == "let a = 1"


def test_the_first_byte_that_is_not_utf8_is_placed() -> None:
    result = decode("x.vf", "let a = 1\nlet č = ".encode() + b"\xe9")
    assert isinstance(result, Diagnostic)
    assert (result.span.line, result.span.column) == (2, 9)
