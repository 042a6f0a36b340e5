"""The examples: as expected, quick, and in the usual layout. `make demo` shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.snippets import ROOT, run
from verifier.api import load
from verifier.report.terminal import diagnostic_text, file_text

FILES = sorted((ROOT / "examples").rglob("*.vf"))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_an_example_is_as_expected(path: Path) -> None:
    result = load(path).check()
    said = [diagnostic_text(d, result.lines) for d in result.diagnostics]
    assert result.exit_code == 0, "\n".join([*said, file_text(result, quiet=True)])


def test_the_examples_are_formatted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    printed, code = run("verifier fmt --check examples")
    assert code == 0, printed


def test_every_example_is_listed_in_the_documentation() -> None:
    listed = (ROOT / "docs" / "README.md").read_text()
    missing = [p.name for p in FILES if f"(../examples/{p.relative_to(ROOT / 'examples').as_posix()})" not in listed]
    assert not missing
