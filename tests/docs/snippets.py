"""The fenced blocks of README.md and docs/, and how to run them.

A comment on a line of its own just before a block says more about it:

    <!-- exit 1 -->          what `verifier` exits with (0 without it)
    <!-- file: week3.vf -->  the block is a file of that name, there for all blocks of its page

`python tests/docs/snippets.py --write [PAGE...]` puts the real output into all console blocks without a line `...`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from pathlib import Path

from click.testing import CliRunner

from verifier.surfaces.cli import cli

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"docs/CHANGELOG.md", "docs/CONTRIBUTING.md", "docs/reference/json.md"}
"""Pages that other tests look after."""


@dataclass(frozen=True)
class Block:
    """One fenced block. `line` is that of its first content line, from 1."""

    page: str
    line: int
    language: str
    text: str
    exit: int = 0
    file: str = ""

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    found = ["README.md", *(p.relative_to(ROOT).as_posix() for p in sorted((ROOT / "docs").rglob("*.md")))]
    return [p for p in found if p not in ELSEWHERE]


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page with a language."""
    lines = (ROOT / page).read_text().splitlines()
    about: dict[str, str] = {}
    start, language = 0, ""
    for number, line in enumerate(lines, start=1):
        if start:
            if line == "```":
                text = "".join(f"{inner}\n" for inner in lines[start : number - 1])
                if language:
                    yield Block(page, start + 1, language, text, int(about.get("exit", 0)), about.get("file", ""))
                start, about = 0, {}
        elif line.startswith("```"):
            start, language = number, line[3:].strip()
        elif directive := re.fullmatch(r"<!-- (exit|file):? (\S+) -->", line):
            about[directive[1]] = directive[2]
        elif line:
            about = {}
    assert not start, f"{page}: the block in line {start} is never closed"


@cache
def all_blocks(*languages: str) -> list[Block]:
    return [b for page in pages() for b in blocks(page) if b.language in languages]


def prepare(folder: Path, page: str) -> None:
    """The files that the blocks of a page find: its own named blocks, and the examples."""
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    for block in blocks(page):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text)


def run(command: str) -> tuple[str, int]:
    """What `verifier ...` prints and exits with, in this process and the current folder."""
    words = shlex.split(command, comments=True)
    result = CliRunner(env={"NO_COLOR": "1"}).invoke(cli, words[1:], standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        shown = getattr(result.exception, "show", None)
        if shown is None:
            raise result.exception
        return f"{result.output}{result.exception}\n", 2
    return result.output, result.return_value if isinstance(result.return_value, int) else 0


@dataclass
class Command:
    """A line `$ verifier ...` of a console block, and the output below it."""

    command: str
    output: list[str] = field(default_factory=list)


def commands(block: Block) -> list[Command]:
    found: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif found:
            found[-1].output.append(line)
    return found


def comparable(line: str) -> str:
    """A line without what differs from run to run, or with the version of a solver: times, whom it trusts, the spacing,
    and (in the indented lines) the numbers of a witness."""
    if line.startswith("  "):
        line = re.sub(r"(≈ )?(?<![\w.])-?\d+([./]\d+)*(e-?\d+)?", "#", line)
    line = re.sub(r"\b\d+\.\d\d s$", "", line)
    line = re.sub(r"(, )?\btrusting [^)]*(?=\))", "", line).replace("()", "")
    return re.sub(r"\s+", " ", line).strip()


def agree(expected: list[str], printed: str) -> str:
    """The first difference, or "". A line `...` stands for any lines."""
    wanted = [comparable(line) for line in expected]
    given = [comparable(line) for line in printed.splitlines()]
    while wanted and not wanted[-1]:
        wanted.pop()
    while given and not given[-1]:
        given.pop()
    if "..." in wanted:
        return "" if fits(wanted, given) else "the output does not fit around `...`"
    for w, g in zip_longest(wanted, given):
        if w != g:
            return f"expected: {w}\n printed: {g}"
    return ""


def fits(wanted: list[str], given: list[str]) -> bool:
    """Whether the lines are those that are wanted, where `...` stands for any number of them."""
    reach = {0}  # how many given lines may have been read so far
    for line in wanted:
        if line == "...":
            reach = set(range(min(reach), len(given) + 1)) if reach else set()
        else:
            reach = {i + 1 for i in reach if i < len(given) and given[i] == line}
    return len(given) in reach


def write(page: str) -> None:
    """Put the real output into the console blocks of a page."""
    lines = (ROOT / page).read_text().splitlines()
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), page)
        with chdir(name):
            for block in reversed([b for b in blocks(page) if b.language == "console"]):
                if "\n...\n" in block.text:
                    continue
                new: list[str] = []
                for command in commands(block):
                    new.append(f"$ {command.command}")
                    ran = command.command.startswith("verifier ")
                    new += run(command.command)[0].rstrip("\n").splitlines() if ran else command.output
                old = len(block.text.splitlines())
                lines[block.line - 1 : block.line - 1 + old] = new
    (ROOT / page).write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    os.environ["NO_COLOR"] = "1"
    if sys.argv[1:2] != ["--write"]:
        sys.exit(__doc__)
    for chosen in sys.argv[2:] or pages():
        write(chosen)
