"""Small files whose answers were derived by hand, run through the whole tool.

Each file says in words why its answer is what it is. What it expects stands in the file: `expect`, and header comments
`# vacuous: A2`, `# limit: A1`, `# value: R = 3/10 attained`, `# error at LINE:COLUMN: words, of, the, message`.
A file whose name begins with `_` is read by others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.differential.run import warm_worker
from verifier.surfaces.cli import cli

CORPUS = Path(__file__).parent / "corpus"

WITHOUT_A_PAIR = {"unnecessary", "equivalent", "critical_radius", "min_distance"}
"""A refutation of these may say that something does not exist, or which number is right."""


LONG = "time"
"""The reason of a hole that a faster machine may not have."""


def holes() -> dict[str, dict[str, str]]:
    """By file: the assertions that trust somebody, and why."""
    found: dict[str, dict[str, str]] = {}
    for line in (CORPUS / "holes.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            names, why = line.split(": ")
            file, *assertions = names.split()
            found.setdefault(file, {}).update(dict.fromkeys(assertions, why))
    return found


HOLES = holes()


def files(*kinds: str) -> list[Any]:
    paths = [p for kind in kinds for p in sorted((CORPUS / kind).glob("*.vf")) if not p.name.startswith("_")]
    return [pytest.param(p, id=f"{p.parent.name}/{p.stem}") for p in paths]


@dataclass
class Header:
    """What the comments of a file promise."""

    vacuous: set[str] = field(default_factory=set)
    limit: set[str] = field(default_factory=set)
    values: dict[str, tuple[str, bool | None]] = field(default_factory=dict)
    error: tuple[int, int, list[str]] | None = None


def header(path: Path) -> Header:
    found = Header()
    for line in path.read_text(encoding="utf-8").splitlines():
        if m := re.fullmatch(r"# (vacuous|limit): (.+)", line):
            (found.vacuous if m[1] == "vacuous" else found.limit).update(n.strip() for n in m[2].split(","))
        elif m := re.fullmatch(r"# value: (\w+) = (.+?)(?: (attained|approached))?", line):
            found.values[m[1]] = (m[2], None if m[3] is None else m[3] == "attained")
        elif m := re.fullmatch(r"# error at (\d+):(\d+): (.+)", line):
            found.error = (int(m[1]), int(m[2]), [w.strip() for w in m[3].split(",")])
    return found


@pytest.fixture(scope="module", autouse=True)
def one_worker() -> Iterator[None]:
    """Starting a solver for every file takes as long as the questions of a file."""
    with warm_worker():
        yield


def run(path: Path) -> tuple[int, dict[str, Any]]:
    """The exit code and what `verifier check --json` says about one file."""
    result = CliRunner().invoke(cli, ["check", "--json", str(path)], standalone_mode=False, catch_exceptions=False)
    (document,) = json.loads(result.stdout)["files"]
    return result.return_value, document


@pytest.mark.parametrize("path", files("proved", "refuted"))
def test_the_answer_is_the_one_derived_by_hand(path: Path) -> None:
    promised = header(path)
    code, said = run(path)
    assert [d for d in said["diagnostics"] if d["severity"] == "error"] == []
    assertions, computed = said["assertions"], said["computed"]
    verdicts = {a["name"]: (a["verdict"], bool(a["vacuous"])) for a in assertions}
    reasons = {a["name"]: a["reason"] for a in assertions if a["reason"]}
    assert verdicts == {a["name"]: (a["expected"], a["name"] in promised.vacuous) for a in assertions}, reasons
    assert {c["name"]: (c["value"], c["attained"]) for c in computed} == promised.values
    assert all(a["met"] is not (a["name"] in promised.vacuous) for a in assertions)
    assert code == (1 if promised.vacuous else 0)
    for a in assertions:
        check_witness(a, promised)
    known = HOLES.get(f"{path.parent.name}/{path.stem}", {})
    trusting = {a["name"] for a in assertions if a["trusts"]}
    assert trusting <= known.keys(), "every hole has its reason in holes.txt"
    assert {name for name, why in known.items() if why != LONG} <= trusting, "what is closed is no longer in holes.txt"


def check_witness(assertion: dict[str, Any], promised: Header) -> None:
    """A refutation carries a witness, and a limit only where nothing less shows it."""
    pair = assertion["pair"]
    if (
        assertion["verdict"] != "refuted"
        or assertion["property"] in WITHOUT_A_PAIR
        or assertion["text"].startswith("exists")
    ):
        return
    assert pair is not None, f"{assertion['name']} is refuted without a witness"
    if assertion["name"] in promised.limit:
        assert pair["limit"] is not None, f"{assertion['name']}: no pair at oracle distance 0 exists"
    elif assertion["property"] in {"contained", "uniformly_contained"} and "of: decision" not in assertion["text"]:
        assert pair["limit"] is None, f"{assertion['name']}: a pair at oracle distance 0 exists"


@pytest.mark.parametrize("path", files("proved", "refuted"))
def test_a_file_lies_where_its_first_assertion_belongs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = next(line for line in text.splitlines() if line.startswith("assert"))
    assert first.endswith("expect refuted") == (path.parent.name == "refuted")
    assert text.startswith("# ")


@pytest.mark.parametrize("path", files("unknown"))
def test_what_is_not_decided_yet_is_called_unknown(path: Path) -> None:
    code, said = run(path)
    assert code == 3
    assert [d for d in said["diagnostics"] if d["severity"] == "error"] == []
    undecided = [a["reason"] for a in said["assertions"] if a["verdict"] == "unknown"]
    undecided += [c["reason"] for c in said["computed"] if c["value"] is None]
    assert undecided
    assert all(undecided), "an unknown says why"


@pytest.mark.parametrize("path", files("malformed"))
def test_a_mistake_is_found_where_it_is(path: Path) -> None:
    promised = header(path).error
    assert promised is not None
    line, column, words = promised
    code, said = run(path)
    assert code == 2
    errors = [d for d in said["diagnostics"] if d["severity"] == "error"]
    assert (line, column) in [(d["line"], d["column"]) for d in errors], errors
    here = " ".join(
        f"{d['message']} {d.get('fix') or ''}" for d in errors if (d["line"], d["column"]) == (line, column)
    )
    assert [w for w in words if w not in here] == [], here
