"""`verifier fmt` and `verifier show`, as processes, on the real parser and formatter."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.surfaces.conftest import Run

ROUGH = "domain   X { size: real in [0, 1] }   # the only one\nlabels {small, big}\n"
NEAT = "domain X { size: real in [0, 1] }"


def test_fmt_rewrites_and_keeps_mode_and_links(verifier: Run, tmp_path: Path) -> None:
    real, link = tmp_path / "real.vf", tmp_path / "a.vf"
    real.write_text(ROUGH)
    real.chmod(0o640)
    link.symlink_to(real)
    ran = verifier("fmt", "a.vf")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "formatted a.vf\n")
    assert real.read_text().startswith(NEAT) and "# the only one" in real.read_text()
    assert link.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.vf", "real.vf"]
    assert verifier("fmt", "a.vf").stderr == ""


def test_fmt_check_changes_nothing(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text(ROUGH)
    ran = verifier("fmt", "--check", "a.vf")
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "would format a.vf\n")
    assert (tmp_path / "a.vf").read_text() == ROUGH
    verifier("fmt", ".")
    assert verifier("fmt", "--check", ".").returncode == 0


def test_fmt_diff_and_stdout_change_nothing(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text(ROUGH)
    ran = verifier("fmt", "--diff", "a.vf")
    assert ran.returncode == 0 and f"+{NEAT}" in ran.stdout and "-domain   X" in ran.stdout
    assert verifier("fmt", "--diff", "--check", "a.vf").returncode == 1
    ran = verifier("fmt", "--stdout", "a.vf")
    assert ran.returncode == 0 and ran.stdout.startswith(NEAT)
    assert (tmp_path / "a.vf").read_text() == ROUGH


def test_fmt_reads_stdin(verifier: Run, tmp_path: Path) -> None:
    ran = verifier("fmt", "-", stdin=ROUGH)
    assert ran.returncode == 0 and ran.stdout.startswith(NEAT) and ran.stderr == ""
    assert verifier("fmt", "--check", "-", stdin=ROUGH).returncode == 1
    assert verifier("fmt", "-", "a.vf").returncode == 2


def test_fmt_leaves_a_file_with_a_mistake_alone(verifier: Run, tmp_path: Path) -> None:
    text = "domain X { size: real in [0, 1]\n  labels { small, , big }\n"
    (tmp_path / "a.vf").write_text(text)
    (tmp_path / "b.vf").write_text(ROUGH)
    (tmp_path / "c.vf").write_bytes(b"# \xff\n")
    ran = verifier("fmt", ".")
    assert ran.returncode == 2 and "a.vf:" in ran.stderr and "error[V1" in ran.stderr and "^" in ran.stderr
    assert "c.vf:1:3: error[V102]" in ran.stderr and "Traceback" not in ran.stderr
    assert (tmp_path / "a.vf").read_text() == text
    assert (tmp_path / "b.vf").read_text().startswith(NEAT)
    assert verifier("fmt", "-", stdin=text).returncode == 2


def test_fmt_normalises_line_ends_and_marks(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_bytes(b"\xef\xbb\xbf" + NEAT.encode() + b"\r\n")
    assert verifier("fmt", "a.vf").returncode == 0
    assert (tmp_path / "a.vf").read_bytes() == NEAT.encode() + b"\n"


def test_show_lists_declarations(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text(ROUGH + 'use "b#.vf"\nassert A1: contained(f1, f2) expect refuted # why\n')
    ran = verifier("show", "a.vf")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [line.split(None, 2)[1] for line in ran.stdout.splitlines()] == ["domain", "labels", "use", "assert"]
    assert ran.stdout.splitlines()[3].split() == "4 assert A1 contained(f1, f2) expect refuted".split()
    listed = json.loads(verifier("show", "--json", "a.vf").stdout)["declarations"]
    assert [(d["kind"], d["name"], d["line"]) for d in listed] == [
        ("domain", "X", 1),
        ("labels", "", 2),
        ("use", "b#.vf", 3),
        ("assert", "A1", 4),
    ]


def test_show_reports_mistakes(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("labels { small, , big }\n")
    ran = verifier("show", "a.vf")
    assert ran.returncode == 2 and ran.stdout == "" and "a.vf:1:" in ran.stderr
    assert verifier("show", "missing.vf").returncode == 2
    assert verifier("show", ".").returncode == 2
