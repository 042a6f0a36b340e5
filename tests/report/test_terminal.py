"""The text of a result is part of the tool: compared with tests/golden/terminal, character by character."""

from __future__ import annotations

import os
import re
from fractions import Fraction as Q
from pathlib import Path

import pytest

from tests.report.samples import SAMPLES, SOURCE, at, checked, result
from verifier.report.terminal import ansi, diagnostic_text, excerpt, file_text, summary
from verifier.report.text import cells, decimal, exact, number, printable, told_apart
from verifier.source import Diagnostic, Source
from verifier.verdict.verdict import Proved, Refuted, Witness

GOLDEN = Path(__file__).parents[1] / "golden" / "terminal"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_result_reads_as_its_golden_text(name: str) -> None:
    text = file_text(SAMPLES[name])
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_the_example_of_the_language_page_is_printed_as_there() -> None:
    assert file_text(SAMPLES["refuted"]).splitlines() == [
        "A1 contained(f1, f2)    refuted  (as expected)                                   0.01 s",
        "          x     x'",
        "   size   2/5   2/5     oracle   s = 2/5 | 2/5      d2' = 0     f2 = small | small",
        "   hue    0     1       model    h = 0   | 1        d1' = 1     f1 = small | big",
        "   The oracle cannot tell x from x'; f1 flips. Unnecessary feature: h.",
    ]


def test_colours_change_no_character() -> None:
    for sample in SAMPLES.values():
        coloured = file_text(sample, ansi)
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == file_text(sample)


def test_quiet_shows_only_what_is_not_as_expected() -> None:
    text = file_text(SAMPLES["verdicts"], quiet=True)
    assert "A1" not in text and "A2" not in text and "critical_radius" not in text
    assert "A5" in text and "A6" in text and "probability" in text
    assert file_text(SAMPLES["refuted"], quiet=True, title=True) == ""


def test_the_title_names_the_file() -> None:
    assert file_text(SAMPLES["refuted"], title=True).startswith("halfspace.vf\nA1 ")


def test_names_of_a_file_cannot_paint_the_terminal() -> None:
    hostile = checked("A", "f(x)\x1b[31m\u202e", Refuted("e", Witness({"x": {"s": "\x07bell[red]"}})))
    text = file_text(result(hostile))
    assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text
    assert "\\x1b[31m\\u202e" in text and "\\x07bell[red]" in text


# Numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Q(0), "0"),
        (Q(-3), "-3"),
        (Q(11, 40), "11/40"),
        (Q(200000), "200000"),
        (Q(3602879701896397, 36028797018963968), "≈ 0.1"),
        (Q(10**40), "≈ 1e40"),
        (Q(-(10**40) - 1, 3), "≈ -3.33333e39"),
        (Q(1, 10**40), "≈ 1e-40"),
        (Q(10**20 + 1, 10**18), "≈ 100"),
    ],
)
def test_a_number_is_exact_when_short_and_marked_when_rounded(value: Q, text: str) -> None:
    assert number(value) == text


def test_numbers_may_be_longer_than_python_likes() -> None:
    huge = Q(10**10000 + 1, 3)
    assert len(exact(huge)) == 10001 + 2
    assert decimal(huge, 3) == "3.33e9999"
    assert number(Q(1, 10**10000)) == "≈ 1e-10000"


def test_different_values_look_different() -> None:
    a, b = told_apart([Q(1, 3) + Q(1, 10**20), Q(1, 3) + Q(2, 10**20)])
    assert a != b and a.startswith("≈ 0.333333")


# Diagnostics

LINES = {SOURCE.path: tuple(SOURCE.text.splitlines())}


def test_a_diagnostic_underlines_its_place() -> None:
    found = at("f3", message="There is no model called `f3`.", fix="Did you mean `f1`?")
    assert diagnostic_text(found, LINES).splitlines() == [
        "halfspace.vf:4:26: error[V201]: There is no model called `f3`.",
        "   4 | assert A1: contained(f1, f3)               expect refuted",
        "       " + " " * 25 + "^^",
        "     fix: Did you mean `f1`?",
    ]


def test_tabs_keep_the_caret_under_its_place() -> None:
    _, quoted, caret = diagnostic_text(at("A2"), LINES).splitlines()
    assert quoted[caret.index("^") :][: caret.count("^")] == "A2"


def test_control_characters_are_spelled_out_and_the_caret_stays() -> None:
    quoted, before, under = excerpt("a\x1b[2J\u202eb = c\x00d", 10, 1)
    assert "\x1b" not in quoted and "\u202e" not in quoted
    assert quoted[before : before + under] == "c"


def test_wide_characters_keep_the_caret_under_its_place() -> None:
    _, before, under = excerpt('x = "日本" + y', 11, 1)
    assert (before, under) == (cells('x = "日本" + '), 1)


@pytest.mark.parametrize("start", [0, 5, 500, 994, 999, 1000, 2000])
def test_long_lines_are_cut_around_the_caret(start: int) -> None:
    line = "".join(chr(97 + i % 26) for i in range(1000))
    quoted, before, under = excerpt(line, start, 5)
    assert len(quoted) <= 104 and before + under <= len(quoted) + 1
    assert quoted[before : before + under].strip(" …") == line[start : start + 5]


def test_a_place_over_several_lines_is_underlined_on_its_first() -> None:
    source = Source("a.vf", "model f1 {\n  x\n}\n")
    found = Diagnostic("V1", source.span(0, 15), "m")
    assert diagnostic_text(found, {"a.vf": ("model f1 {", "  x", "}")}).splitlines()[2] == "       " + "^" * 10


def test_a_diagnostic_without_its_file_is_still_one_line() -> None:
    assert diagnostic_text(at("f3"), {}) == "halfspace.vf:4:26: error[V201]: No."


def test_printable_spells_out_what_cannot_be_seen() -> None:
    assert printable("a\tb\x00\u200b\U000e0041é") == "a\\x09b\\x00\\u200b\\U000e0041é"


# Summary


def test_the_summary_counts_verdicts_and_expectations() -> None:
    proved = checked("A", "contained(f1, f2)", Proved("e"))
    assert summary([SAMPLES["refuted"], result(proved), SAMPLES["verdicts"], SAMPLES["diagnostics"]]) == (
        "9 assertions: 5 proved, 2 refuted, 2 unknown; 4 as expected; 1 vacuous; 1 file with errors"
    )
    assert summary([result(proved)]) == "1 assertion: 1 proved; 1 as expected"
    assert summary([]) == "0 assertions"
