"""`verifier check --stats` and `--cross-check`: what the engines did, and what a second one says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from tests.engines.test_portfolio import NOWHERE, Liar
from verifier.api import Options, load_text
from verifier.engines.engine import Answer, Fails, Holds
from verifier.report.asked import asked_lines
from verifier.report.terminal import file_text
from verifier.surfaces.cli import cli
from verifier.verdict.verdict import Asked

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "result.schema.json").read_text(encoding="utf-8")
)
SUM = " + ".join(f"relu(x.a - {k}/30)" for k in range(30))
FILE = f"""domain X {{ a: real in [0, 1], n: int in [1, 30] }}
partition P of X by n every 3
assert ground: 1 < 2
assert few: forall x in X: relu(x.a - 1/3) <= 1/2 expect refuted
assert few_hold: forall x in X: relu(x.a - 1/3) <= x.a
assert many: forall x in X: {SUM} <= 15 expect refuted
assert many_hold: forall x in X: {SUM} <= 31/2 * x.a + 1/10
assert parts: forall part in P: forall x in part: x.n <= 24 + x.a expect refuted
"""


def masked(text: str) -> list[str]:
    """The lines about engines, unfolded, without what differs from run to run."""
    text = re.sub(r"\n {6}", " ", text)
    text = re.sub(r"[\d.]+ s\b", "# s", re.sub(r"\d+ (branch|step)(es|s)?", r"# \1", text))
    return [line.strip() for line in text.splitlines() if re.match("   (asked|kernel)", line)]


GOLDEN = """\
asked  nothing
asked  2 inputs, 1 choice (few: a few cases, z3, cases): case search # s solution, # branch
asked  2 inputs, 1 choice (few: a few cases, z3, cases): case search # s no solution, # branch
kernel  1 proof, # step, # s
"""


def test_below_an_assertion_stands_who_was_asked_and_why_in_this_order() -> None:
    names = frozenset({"ground", "few", "few_hold", "many"})
    *first, last = masked(file_text(load_text(FILE).check(Options(stats=True, only=names))))
    assert first == GOLDEN.splitlines()
    assert last.startswith("asked  2 inputs, 29 choices (many, of few inputs: cases, boxes, z3): case search # s ")


def document(folder: Path, *options: str) -> Any:
    (folder / "a.vf").write_text(FILE)
    ran = CliRunner().invoke(cli, ["check", "--json", str(folder / "a.vf"), *options], standalone_mode=False)
    found = json.loads(ran.stdout)
    jsonschema.validate(found, SCHEMA)
    return {a["name"]: a for a in found["files"][0]["assertions"]}


def test_the_document_has_it_only_when_it_is_wanted(tmp_path: Path) -> None:
    assert not any("asked" in a for a in document(tmp_path, "--only", "few").values())
    found = document(tmp_path, "--stats")
    assert found["ground"]["asked"] == []
    (many,) = found["many"]["asked"]
    assert many["choices"] >= 12 and many["order"] == "many, of few inputs: cases, boxes, z3"
    assert [t["outcome"] for t in many["turns"]][-1] == "solution"
    assert {t["wanted"] for a in found.values() for q in a["asked"] for t in q["turns"]} == {None}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_parts_are_put_together_wherever_they_are_settled(tmp_path: Path, jobs: str) -> None:
    parts = document(tmp_path, "--only", "parts", "--stats", "--cross-check", "--jobs", jobs)["parts"]
    assert len(parts["asked"]) > 2
    assert parts["asked"][0]["turns"][0]["engine"] == "search"
    assert parts["asked"][0]["turns"][0]["work"] == {"pairs": 2}
    assert all(any(t["wanted"] for t in q["turns"]) for q in parts["asked"] if q["order"])
    assert any(note.startswith("Answers confirmed: ") for note in parts["notes"])


def test_equal_questions_become_one_line() -> None:
    result = load_text(FILE).check(Options(stats=True, only=frozenset({"parts"})))
    asked = result["parts"].asked
    assert asked is not None
    text = "\n".join(asked_lines(asked, (), 400, "   "))
    assert sum(int(n) for n in re.findall(r"asked  (\d+) times", text)) + text.count("asked  2 inputs") == len(asked)
    different = [Asked(i, 0, turns=asked[0].turns) for i in range(9)]
    assert asked_lines(different, (), 400, "")[-1] == "asked  3 more: --json has all of them"


def test_a_second_engine_has_the_last_word(tmp_path: Path) -> None:
    result = load_text(FILE).check(Options(cross_check=True))
    assert result.exit_code == 0
    notes = {a.name: " ".join(getattr(a.verdict, "notes", ())) for a in result}
    assert notes["few"] == notes["few_hold"] == "Confirmed by case search."
    assert re.fullmatch(r"Confirmed by z3 [\d.]+\.", notes["many"]) and notes["many_hold"] == notes["many"]
    assert notes["ground"] == ""
    assert result["few"].asked is None


@pytest.mark.parametrize(
    ("name", "lie", "both"),
    [
        ("many", Holds("z3 5", ("z3 5",)), ("z3 5", "bounds|box search|case search")),
        ("many_hold", Fails("z3 5", (NOWHERE,)), ("z3 5",)),
    ],
)
def test_a_contradiction_is_an_internal_error(name: str, lie: Answer, both: tuple[str, ...]) -> None:
    result = load_text(FILE, worker=Liar(find=lie)).check(Options(cross_check=True, only=frozenset({name})))
    assert result.exit_code == 4 and result[name].met is None
    (error,) = result.internal_errors
    assert error.startswith(f"{name}: EngineFailed: ") and all(re.search(engine, error) for engine in both)
