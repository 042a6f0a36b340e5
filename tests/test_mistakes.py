"""What the tool says about mistakes, word by word: tests/golden/mistakes.

A case is `### title`, a small file, `--`, and what is said about it: place and code, the message, and the fix below it.
UPDATE_GOLDEN=1 writes what is said now; read it as a student would before keeping it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.suites.twins import network, onnx_file
from verifier import api
from verifier.api import Options, load, load_text
from verifier.engines.worker import Worker
from verifier.source import Diagnostic
from verifier.surfaces.cli import cli

GOLDEN = Path(__file__).parent / "golden" / "mistakes"
CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Case:
    topic: str
    title: str
    source: str
    said: str


def cases(path: Path) -> list[Case]:
    found = []
    for text in re.split(r"^### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = text.partition("\n")
        source, _, said = rest.partition("\n--\n")
        found.append(Case(path.stem, title, source.rstrip("\n") + "\n", said.strip("\n")))
    return found


CASES = [case for path in sorted(GOLDEN.glob("*.txt")) for case in cases(path)]


def folder(here: Path) -> Path:
    """The files that the cases name."""
    inner = here / "inner"
    (inner / "sub").mkdir(parents=True)
    shutil.copy(GOLDEN / "_base.vf", inner)
    (here / "week3.vf").write_text("let secret = 1\n")
    (inner / "leaving.vf").symlink_to(here / "week3.vf")
    (inner / "circle_a.vf").write_text('use "circle_b.vf"\n')
    (inner / "circle_b.vf").write_text('use "circle_a.vf"\n')
    (inner / "broken.vf").write_text("let a = b\n")
    (inner / "broken.onnx").write_bytes(b"no model")
    (inner / "net.onnx").write_bytes(onnx_file(network(2, 2, 1)))
    (inner / "broken.csv").write_text("1,2\n3\n")
    return inner


def diagnose(path: Path, options: Options = Options()) -> tuple[Diagnostic, ...]:
    loaded = load(path, options)
    loaded.worker.close()
    return loaded.diagnostics


def written(diagnostics: tuple[Diagnostic, ...], here: Path) -> str:
    """Place, code and message, the fix below; places in other files with their names, the folder itself nowhere."""
    lines = []
    for d in diagnostics:
        name = Path(d.span.file).name
        place = f"{d.span.line}:{d.span.column}" if name == "case.vf" else f"{name}:{d.span.line}:{d.span.column}"
        lines += [f"{place} {d.code} {d.message}", f"    {d.fix}"]
    return "\n".join(lines).replace(f"{here}{os.sep}", "")


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.topic}: {c.title}")
def test_a_mistake_is_explained_as_in_its_golden_text(case: Case, tmp_path: Path) -> None:
    here = folder(tmp_path)
    (here / "case.vf").write_text(case.source)
    said = written(diagnose(here / "case.vf"), here)
    if os.environ.get("UPDATE_GOLDEN"):
        golden = GOLDEN / f"{case.topic}.txt"
        text = golden.read_text(encoding="utf-8")
        old = re.search(rf"^### {re.escape(case.title)}\n.*?(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
        assert old is not None
        new = f"### {case.title}\n{case.source}--\n{said}\n\n"
        golden.write_text(text[: old.start()] + new + text[old.end() :], encoding="utf-8")
    else:
        assert said == case.said


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.topic}: {c.title}")
def test_every_mistake_has_a_code_a_place_a_cause_and_a_fix(case: Case) -> None:
    said = case.said.split("\n")
    assert len(said) >= 2
    assert len(said) % 2 == 0
    for what, fix in zip(said[::2], said[1::2], strict=True):
        place = re.match(r"(?:[a-z_]+\.vf:)?(\d+):(\d+) V\d{3} ([A-Z`\d].*|\w+\.csv, .*)$", what)
        assert place is not None, what
        assert re.search(r"[.?]$", what), what
        assert len(fix.strip()) > 4, fix
        assert re.search(r"[.?)]$", fix), fix
        if not what[0].isalpha() and not what.startswith("_"):
            line = case.source.splitlines()[int(place[1]) - 1]
            assert 1 <= int(place[2]) <= len(line) + 1


@pytest.mark.parametrize("body", ["1 + gap", "gap >= 1/4", "f1(p)", "nothing(f1)"])
def test_what_is_no_measure_cannot_be_computed(body: str, tmp_path: Path) -> None:
    here = folder(tmp_path)
    (here / "case.vf").write_text(f'use "_base.vf"\ncompute R: {body}\n')
    (said,) = diagnose(here / "case.vf")
    assert (said.code, said.span.line, said.span.column) == ("V201", 2, 12)
    assert "measure" in said.message
    assert said.fix.startswith(("The measures are", "Did you mean"))


def test_the_titles_of_mistakes_are_unique() -> None:
    assert len({(c.topic, c.title) for c in CASES}) == len(CASES) >= 200


def test_what_the_cases_build_on_has_no_mistake() -> None:
    assert diagnose(GOLDEN / "_base.vf") == ()


EIGHT = """
domain X { size: real in [0, 1], age: int }
labels { small, big, small }
let z = 1 / 0
param gap = 2 in [0, 1]
oracle f2 { features s = sise  metric linf  decide small }
model f1 { features s = size  decide if hue >= 1/2 then big else small }
point p = { size: 2, age: 3 }
assert A: contains(f1, f2)
"""


def test_one_run_reports_all_eight_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "case.vf"
    path.write_text(EIGHT)
    assert [d.span.line for d in diagnose(path)] == [2, 3, 4, 5, 6, 7, 8, 9]


def test_what_depends_on_a_mistake_is_not_reported_again(tmp_path: Path) -> None:
    path = tmp_path / "case.vf"
    path.write_text(EIGHT + "let y = z + 1\nassert B: robust_at(f1, f2, p, radius: z)\nassert C: contained(f1, f2)\n")
    assert [d.span.line for d in diagnose(path)] == [2, 3, 4, 5, 6, 7, 8, 9]


def test_a_model_file_that_is_broken_says_which_and_what_to_do(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    here = folder(tmp_path)
    (here / "case.vf").write_text('use "_base.vf"\nmodel f3 = onnx("broken.onnx")\n')
    (said,) = diagnose(here / "case.vf")
    assert (said.code, said.span.line, said.span.column) == ("V504", 2, 12)
    assert said.message.startswith("broken.onnx is not an ONNX file")
    assert said.fix == "Export the model again."


@pytest.mark.parametrize(
    ("name", "text", "code", "words"),
    [
        ("gapp", "1", "V208", "Did you mean `gap`?"),
        ("w", "1", "V208", "There is no param called `w` to set."),
        ("gap", "2", "V310", "Choose a value in (0, 1]."),
        ("gap", "0", "V310", "`gap` = 0 lies outside"),
        ("gap", "half", "V201", "There is nothing called `half` here."),
        ("gap", "1 >= 0", "V302", "not a formula"),
        ("gap", "[1, 2]", "V302", "it is a number"),
        ("gap", "size", "V201", "There is nothing called `size` here."),
        ("gap", "gap", "V403", "`gap` is defined by itself."),
        ("gap", "", "V208", "Write a number: `--set gap=1/2`."),
        ("gap", "1 2", "V208", "`gap` cannot be set to this."),
        ("gap", "1 let b = 2", "V208", "`gap` cannot be set to this."),
        ("gap", "1\nassert A: 1 >= 0", "V208", "`gap` cannot be set to this."),
        ("gap", "(", "V208", "`gap` cannot be set to this."),
        ("gap", "\x1b[2J", "V208", "`gap` cannot be set to this."),
        ("gap", "1/0", "V308", "Division by zero."),
    ],
)
def test_a_setting_that_makes_no_sense_is_a_mistake(name: str, text: str, code: str, words: str) -> None:
    (said,) = diagnose(GOLDEN / "_base.vf", Options(settings={name: text}))
    assert said.code == code
    assert words in f"{said.message} {said.fix}"


def test_a_setting_in_the_interval_is_taken() -> None:
    loaded = load(GOLDEN / "_base.vf", Options(settings={"gap": "3/4"}))
    assert loaded.diagnostics == ()
    assert loaded.program.constants["gap"] == Fraction(3, 4)


HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202e\u200b\x00"


@pytest.mark.parametrize(
    "source",
    [
        f"let a = {HOSTILE}",
        f'use "{HOSTILE}.vf"',
        f"# {HOSTILE}\nlet a = b",
        f"let a = b {HOSTILE} + 1",
        f'use "_base.vf"\nmodel f3 = onnx("{HOSTILE}")',
        f'use "_base.vf"\nassert A: contained({HOSTILE}, f2)',
    ],
)
@pytest.mark.parametrize("how", [[], ["--json"]])
def test_no_control_character_of_a_file_reaches_the_terminal(source: str, how: list[str], tmp_path: Path) -> None:
    here = folder(tmp_path)
    (here / "case.vf").write_text(source)
    result = CliRunner().invoke(cli, ["check", *how, str(here / "case.vf")], standalone_mode=False)
    assert result.return_value == 2
    assert [c for c in result.output if not c.isprintable() and c != "\n"] == []


@pytest.mark.parametrize("setting", [f"gap={HOSTILE}".replace("\x00", ""), "\x1b[31m=1"])
def test_no_control_character_of_a_setting_reaches_the_terminal(setting: str) -> None:
    result = CliRunner().invoke(cli, ["check", "--set", setting, str(GOLDEN / "_base.vf")], standalone_mode=False)
    assert result.return_value == 2
    assert [c for c in result.output if not c.isprintable() and c != "\n"] == []


# valid files with a few tokens deleted, doubled, swapped or taken from elsewhere


def tokens(path: Path) -> list[str]:
    text = re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8"))
    return re.findall(r'"[^"\n]*"|[A-Za-z_][A-Za-z0-9_]*\'*|[0-9.]+|<=>|[<>=!]=|=>|\n|[^\s\w]', text)


VALID = sorted(p for kind in ("proved", "refuted") for p in (CORPUS / kind).glob("*.vf"))
WORDS = sorted({t for p in VALID for t in tokens(p)})


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Path, str]:
    path = draw(st.sampled_from(VALID))
    words = tokens(path)
    for _ in range(draw(st.integers(1, 4))):
        i, j = draw(st.integers(0, len(words) - 1)), draw(st.integers(0, len(words) - 1))
        match draw(st.sampled_from(["delete", "double", "swap", "copy", "replace"])):
            case "delete" if len(words) > 1:
                del words[i]
            case "double":
                words.insert(i, words[i])
            case "swap":
                words[i], words[j] = words[j], words[i]
            case "copy":
                words.insert(i, words[j])
            case _:
                words[i] = draw(st.sampled_from(WORDS))
    return path, " ".join(words)


class Tireless(Worker):
    """One process for many files."""

    def close(self) -> None:
        if self._late:
            super().close()


@pytest.fixture(scope="module")
def tireless() -> Iterator[Worker]:
    worker = Tireless()
    yield worker
    Worker.close(worker)


@given(mutated())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_change_of_a_few_tokens_makes_the_tool_fail(tireless: Worker, mutation: tuple[Path, str]) -> None:
    path, text = mutation
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "Worker", lambda: tireless)
        loaded = load_text(text, str(path), Options(timeout=1))
        for d in loaded.diagnostics:
            assert d.message
            assert d.fix or d.severity == "warning"
            assert d.span.file == str(path) or Path(d.span.file).parent == path.parent
        result = loaded.check(Options(timeout=1))
    assert result.internal_errors == ()
    assert result.exit_code in (0, 1, 2, 3)
    assert (result.exit_code == 2) == any(d.severity == "error" for d in loaded.diagnostics)
