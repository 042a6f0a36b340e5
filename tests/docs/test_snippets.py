"""Everything that README.md and docs/ show is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT, Block, agree, all_blocks, commands, pages, prepare, run
from verifier.api import load
from verifier.report.terminal import diagnostic_text, file_text

RUN = re.compile(r"^\$ verifier", re.MULTILINE)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", all_blocks("vf"), ids=lambda b: b.id)
def test_a_file_in_the_documentation_means_what_its_page_says(block: Block, here: Path) -> None:
    prepare(here, block.page)
    path = here / (block.file or "snippet.vf")
    path.write_text(block.text)
    loaded = load(path)
    result = loaded.check()
    said = [diagnostic_text(d, result.lines) for d in result.diagnostics]
    assert result.exit_code == block.exit, "\n".join([*said, file_text(result)])


@pytest.mark.parametrize("block", [b for b in all_blocks("console") if RUN.search(b.text)], ids=lambda b: b.id)
def test_a_command_in_the_documentation_prints_what_its_page_shows(block: Block, here: Path) -> None:
    prepare(here, block.page)
    code = 0
    for command in commands(block):
        if command.command.startswith("verifier "):
            printed, code = run(command.command)
            difference = agree(command.output, printed)
            assert not difference, f"{difference}\n\n{printed}\n(python tests/docs/snippets.py --write {block.page})"
    assert code == block.exit


@pytest.mark.parametrize("page", [p for p in pages() if any(b.page == p for b in all_blocks("python"))])
def test_the_python_of_a_page_runs(page: str, here: Path) -> None:
    prepare(here, page)
    names: dict[str, object] = {"__name__": "snippet"}
    for block in all_blocks("python"):
        if block.page == page:
            exec(compile("\n" * (block.line - 1) + block.text, str(ROOT / page), "exec"), names)


def slugs(page: Path) -> set[str]:
    """The anchors of the headings of a page, as forges make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert there.exists(), f"{target} does not exist"
        assert there.is_relative_to(ROOT), f"{target} leaves the project"
        if anchor:
            assert anchor in slugs(there), f"{target} names no heading"
