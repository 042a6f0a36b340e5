"""What `check --certificate` writes, `replay` accepts: for the file as it stands, by the kernel, and nothing else."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.surfaces.conftest import Run, run
from verifier.engines.engine import Unknown
from verifier.surfaces.certificates import Shelf

LINEAR = """
domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }
oracle f2 { features s = size
            metric linf
            decide if s >= 1/2 then big else small }
model f1 { features s = 3*size
           metric linf
           decide if s >= 3/2 then big else small }
assert same: contained(f1, f2)
assert both: equivalent(f1, f2)
assert more: not contained(f2, f1)  expect refuted
assert far: forall x in X: x.size <= 1/2  expect refuted
"""


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with LINEAR and its certificates."""
    path = tmp_path_factory.mktemp("linear")
    (path / "linear.vf").write_text(LINEAR)
    done = run(path, "check", "linear.vf", "--certificate", "proofs")
    assert (done.returncode, done.stderr) == (0, "")
    return path


@pytest.fixture
def folder(linear: Path, tmp_path: Path) -> Path:
    """The certificates of LINEAR, beside the file; a copy, which may be damaged."""
    shutil.copytree(linear, tmp_path, dirs_exist_ok=True)
    return tmp_path / "proofs"


def test_one_pair_of_files_for_every_question(folder: Path) -> None:
    names = {p.name.removesuffix(".problem.json").removesuffix(".proof.json.gz") for p in folder.iterdir()}
    assert names == {"same", "both.1", "both.2", "more"}
    assert len(list(folder.iterdir())) == 8


def test_a_folder_and_a_file_are_replayed(folder: Path, verifier: Run) -> None:
    done = verifier("replay", "proofs")
    assert (done.returncode, done.stdout) == (0, "both.1: accepted\nboth.2: accepted\nmore: accepted\nsame: accepted\n")
    done = verifier("replay", "linear.vf", "proofs")
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "same: proved by 1 certificate",
            "both: proved by 2 certificates",
            "more: refuted by 1 certificate",
            "far: not replayed: a refutation has a witness, which `verifier check` evaluates",
        ],
    )


def test_the_same_proof_gives_the_same_bytes(folder: Path, verifier: Run) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    verifier("check", "linear.vf", "--certificate", "proofs")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_certificate_of_another_file_is_none(folder: Path, verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "linear.vf").write_text(LINEAR.replace("s = 3*size", "s = 4*size"))
    done = verifier("replay", "linear.vf", "proofs")
    assert done.returncode == 3
    assert "same: not replayed: no certificate of this question\n" in done.stdout


@pytest.mark.parametrize(
    ("damage", "code", "says"),
    [
        (lambda data: gzip.compress(gzip.decompress(data).replace(b'"3"', b'"5"')), 1, "rejected"),
        (lambda data: gzip.compress(gzip.decompress(data).rpartition(b"[")[0]), 2, "breaks off"),
        (lambda data: data[:-9], 2, "unreadable"),
        (lambda data: data[:40] + b"\0" * 9 + data[49:], 2, "unreadable"),
        (lambda data: gzip.compress(gzip.decompress(data).replace(b"sha256:", b"sha256:0")), 1, "another problem"),
    ],
)
def test_a_damaged_certificate_is_not_accepted(
    folder: Path, verifier: Run, damage: Callable[[bytes], bytes], code: int, says: str
) -> None:
    path = folder / "same.proof.json.gz"
    path.write_bytes(damage(path.read_bytes()))
    done = verifier("replay", "proofs")
    assert done.returncode == code
    assert says in done.stdout and "same: accepted" not in done.stdout
    for other in folder.glob("[bm]o*"):  # the others answer the same question
        other.unlink()
    done = verifier("replay", "linear.vf", "proofs")
    assert done.returncode in (1, 3)
    assert "same: not replayed" in done.stdout


def test_the_command_says_what_it_needs(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text(LINEAR)
    (tmp_path / "b.vf").write_text(LINEAR)
    (tmp_path / "empty").mkdir()
    for arguments, says in [
        (("check", "a.vf", "b.vf", "--certificate", "proofs"), "takes one file"),
        (("check", "a.vf", "--certificate", "b.vf/proofs"), "Cannot write"),
        (("replay", "a.vf"), "no folder of certificates"),
        (("replay", "empty"), "There is no certificate"),
        (("replay", "a.vf", "b.vf", "empty"), "one .vf file and one folder"),
    ]:
        done = verifier(*arguments)
        assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_a_tree_is_carried_from_the_engine_to_the_file_and_back(verifier: Run, tmp_path: Path) -> None:
    text = "domain X { u: real in [0, 1] }\nassert below: forall x in X: relu(3*x.u - 1) <= 2*x.u\n"
    (tmp_path / "relu.vf").write_text(text)
    verifier("check", "relu.vf", "--certificate", "proofs")
    assert verifier("replay", "proofs").stdout == "below: accepted\n"
    done = verifier("replay", "relu.vf", "proofs")
    assert (done.returncode, done.stdout) == (0, "below: proved by 1 certificate\n")
    (tmp_path / "relu.vf").write_text(text.replace("<= 2", "<= 1"))
    done = verifier("replay", "relu.vf", "proofs")
    assert (done.returncode, done.stdout) == (3, "below: not replayed: no certificate of this question\n")


PARTS = """
domain X {{ m: int in [0, 59], sex: {{f, m, d}} }}
labels {{ no, yes }}
oracle f2 {{ features all except sex  metric linf }}
model f1 {{
  features h = relu(m - 30) + (if sex == d then 2 * relu(m - 41) else 0)
  decide   if h >= {threshold} then yes else no
}}
partition P of X by m every 5
assert F: forall part in P: factors(f1, f2){expect}
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_parts_keep_their_certificates(verifier: Run, tmp_path: Path, jobs: str) -> None:
    (tmp_path / "parts.vf").write_text(PARTS.format(threshold=100, expect=""))
    verifier("check", "parts.vf", "--certificate", "proofs", "--jobs", jobs)
    names = sorted(p.name.removesuffix(".problem.json") for p in (tmp_path / "proofs").glob("*.problem.json"))
    assert 1 <= len(names) < 12
    assert all(line.endswith(": accepted") for line in verifier("replay", "proofs").stdout.splitlines())
    done = verifier("replay", "parts.vf", "proofs")
    count = f"{len(names)} certificate{'s' * (len(names) > 1)}"
    assert (done.returncode, done.stdout) == (0, f"F: proved by {count}\n")
    for path in (tmp_path / "proofs").glob(f"{names[-1]}.*"):
        path.unlink()
    done = verifier("replay", "parts.vf", "proofs")
    assert (done.returncode, "no certificate of this question" in done.stdout) == (3, True), done.stdout


def test_parts_that_are_proved_keep_theirs_where_others_are_refuted(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "parts.vf").write_text(PARTS.format(threshold=20, expect="  expect refuted"))
    done = verifier("check", "parts.vf", "--certificate", "proofs")
    assert "Of 12 parts 10 proved, 2 refuted" in done.stdout
    accepted = verifier("replay", "proofs").stdout.splitlines()
    assert accepted and all(line.endswith(": accepted") for line in accepted)
    assert verifier("replay", "parts.vf", "proofs").returncode == 0


def test_a_shelf_answers_only_whether_there_is_a_solution(tmp_path: Path) -> None:
    assert Shelf(tmp_path).ask("least", seconds=1.0) == Unknown("no certificate of this question")


def test_the_certificates_of_a_strategy_are_checked_though_it_is_not_found_again(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "next.vf").write_text(
        "domain X { a: real in [0, 1] }\nlabels { only }\n"
        "assert down: forall x in X: exists y in X: 2*y.a == relu(x.a - 1/3)\n"
        "assert up: forall x in X: exists y in X: y.a == relu(2*x.a - 1/2) expect refuted\n"
    )
    done = verifier("check", "next.vf", "--certificate", "proofs")
    assert (done.returncode, done.stderr) == (0, "")
    done = verifier("replay", "proofs")
    assert done.returncode == 0 and done.stdout.count(": accepted\n") == len(done.stdout.splitlines()) >= 2
    done = verifier("replay", "next.vf", "proofs")
    assert done.returncode == 3
    assert done.stdout.splitlines() == [
        "down: not replayed: a strategy is not found again; without FILE its certificates are checked",
        "up: not replayed: a refutation has a witness, which `verifier check` evaluates",
    ]
