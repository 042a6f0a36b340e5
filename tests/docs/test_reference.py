"""Every word is documented once: properties with a proved and a refuted example, codes and options in their tables."""

from __future__ import annotations

import re
from collections import Counter

import click
import pytest

from tests.docs.snippets import ROOT, blocks
from verifier.language import measures, metrics, properties
from verifier.language.measures import MEASURES
from verifier.language.metrics import METRICS
from verifier.language.ops import OPS
from verifier.language.properties import PROPERTIES
from verifier.model.elaborate import BUILTINS
from verifier.surfaces.cli import cli
from verifier.syntax.lexer import reserved

REFERENCE = ROOT / "docs" / "reference"
PAGE = {
    **dict.fromkeys(OPS, "expressions.md"),
    **dict.fromkeys([*METRICS, *getattr(metrics, "QUADRATIC", ())], "metrics.md"),
    **dict.fromkeys(PROPERTIES, "properties.md"),
    **dict.fromkeys(MEASURES, "measures.md"),
}
STARTS = "domain labels model oracle def let param point data partition use assert compute".split()
LATER = measures.LATER | metrics.LATER | properties.LATER
NO_FUNCTIONS = {"true", "false", "infinity", "inf", "csv"}


def entries() -> Counter[str]:
    """The words that have a heading of their own, and how many."""
    return Counter(
        word for page in REFERENCE.glob("*.md") for word in re.findall(r"^### `(\w+)`$", page.read_text(), re.MULTILINE)
    )


@pytest.mark.parametrize("word", sorted(PAGE))
def test_every_registered_word_is_documented_once(word: str) -> None:
    assert entries()[word] == 1
    assert f"### `{word}`\n" in (REFERENCE / PAGE[word]).read_text()


def test_no_other_word_is_documented() -> None:
    assert set(entries()) - set(PAGE) - BUILTINS - set(STARTS) == set()


@pytest.mark.parametrize("word", sorted({*STARTS, *(BUILTINS - set(OPS) - NO_FUNCTIONS)}))
def test_declarations_and_functions_are_documented_once(word: str) -> None:
    assert entries()[word] == 1


@pytest.mark.parametrize("word", sorted(LATER))
def test_a_word_of_a_later_version_is_listed_as_such(word: str) -> None:
    assert f"`{word}`" in (REFERENCE / "not-yet.md").read_text()
    assert entries()[word] == 0


def shown(word: str) -> str:
    """The files in a word's entry."""
    page = f"docs/reference/{PAGE[word]}"
    lines = (ROOT / page).read_text().splitlines()
    first = lines.index(f"### `{word}`")
    last = next((i for i in range(first + 1, len(lines)) if re.match("#{2,3} ", lines[i])), len(lines))
    return "".join(b.text for b in blocks(page) if b.language == "vf" and first < b.line <= last)


@pytest.mark.parametrize("word", sorted(PROPERTIES))
def test_a_property_shows_what_is_proved_and_what_is_refuted(word: str) -> None:
    said = [s for s in re.findall(r"^assert .*", shown(word), re.MULTILINE) if f"{word}(" in s or word == "accurate"]
    assert any("expect refuted" in s for s in said)
    assert any("expect refuted" not in s for s in said)


def test_every_measure_is_computed() -> None:
    text = (REFERENCE / "measures.md").read_text()
    assert [word for word in MEASURES if not re.search(rf"^compute \w+: {word}\(", text, re.MULTILINE)] == []


def test_every_diagnostic_has_its_row_and_every_row_its_diagnostic() -> None:
    used = {code for p in (ROOT / "verifier").rglob("*.py") for code in re.findall(r'"(V\d{3})"', p.read_text())}
    listed = re.findall(r"^\| (V\d{3}) \|", (REFERENCE / "diagnostics.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(used)


def test_every_command_and_option_is_documented() -> None:
    text = (REFERENCE / "cli.md").read_text()
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert f"## `verifier {name}" in text
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(o in text for o in parameter.opts), f"{name} {parameter.opts}"


def test_every_reserved_word_of_a_declaration_is_documented() -> None:
    text = (REFERENCE / "declarations.md").read_text()
    missing = [w for w in STARTS if w in reserved() and f"### `{w}`" not in text]
    assert not missing


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert [p.name for p in (ROOT / "docs" / "decisions").glob("0*.md") if f"({p.name})" not in listed] == []
