"""`verifier check` as a process: exit codes, order, streams. The pipeline is a puppet (fake.py)."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from tests.surfaces.conftest import FAKE, Run, clean_environment

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "result.schema.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 0),
        ("proved A", 0),
        ("refuted A expected", 0),
        ("refuted A", 1),
        ("proved A expected", 1),
        ("vacuous A", 1),
        ("vacuous A expected", 1),
        ("unknown A", 3),
        ("unknown A\nrefuted B", 1),
        ("refuted A\nmistake", 2),
        ("warning\nproved A", 0),
        ("crash A", 4),
        ("crash-reading", 4),
    ],
)
def test_exit_codes(puppet: Run, tmp_path: Path, text: str, code: int) -> None:
    (tmp_path / "a.vf").write_text(text)
    ran = puppet("check", "--json", "a.vf")
    document = json.loads(ran.stdout)
    jsonschema.validate(document, SCHEMA)
    assert (ran.returncode, document["exit_code"], document["files"][0]["exit_code"], ran.stderr) == (
        code,
        code,
        code,
        "",
    )


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["proved A", "unknown B"], 3),
        (["refuted A", "unknown B"], 1),
        (["refuted A", "mistake", "unknown B"], 2),
        (["refuted A", "mistake", "crash B"], 4),
    ],
)
def test_exit_codes_of_several_files(puppet: Run, tmp_path: Path, texts: list[str], code: int) -> None:
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.vf").write_text(text)
    assert puppet("check", ".").returncode == code


def test_results_stand_in_the_order_of_the_names_whatever_takes_longer(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a.vf").write_text("slow A 0.5")
    (tmp_path / "b" / "c.vf").write_text("refuted C expected")
    (tmp_path / "b" / "notes.txt").write_text("crash X")
    (tmp_path / ".hidden" / "d.vf").write_text("crash D")
    ran = puppet("check", ".", "a.vf", "./a.vf", "--jobs", "3")
    titles = [line for line in ran.stdout.splitlines() if line.endswith(".vf")]
    assert titles == ["a.vf", "b/c.vf"]
    assert ran.stdout.splitlines()[-1] == "2 assertions: 1 proved, 1 refuted; 2 as expected"
    assert ran.stderr == ""
    assert ran.stdout == puppet("check", ".", "a.vf", "--jobs", "1").stdout


def test_diagnostics_go_to_stderr_with_the_place_underlined(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("proved A\nmistake\n")
    ran = puppet("check", "a.vf")
    assert ran.stdout == ""
    assert ran.stderr.splitlines() == [
        "a.vf:2:1: error[V201]: No.",
        "   2 | mistake",
        "       ^^^^^^^",
        "     fix: Yes.",
    ]


def test_an_internal_error_is_one_line_and_costs_only_its_file(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("crash A")
    (tmp_path / "b.vf").write_text("proved B")
    ran = puppet("check", ".")
    assert ran.returncode == 4 and "B p()    proved" in ran.stdout
    assert len(ran.stderr.splitlines()) == 1 and "Traceback" not in ran.stderr
    assert "ZeroDivisionError: seven of nine." in ran.stderr and "report" in ran.stderr
    assert "Traceback" in puppet("check", "--debug", "a.vf").stderr


def test_only_checks_what_it_names(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("proved A\ncrash B")
    (tmp_path / "b.vf").write_text("crash C")
    ran = puppet("check", ".", "--only", "A")
    assert ran.returncode == 0 and "A p()" in ran.stdout and ran.stderr == ""
    ran = puppet("check", ".", "--only", "a", "--only", "A")
    assert ran.returncode == 2 and "No assertion or compute is called `a`. Did you mean `A`?" in ran.stderr
    assert "There are: A, B, C." in puppet("check", ".", "--only", "zebra").stderr


def test_quiet_says_only_what_is_not_as_expected(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("warning\nproved A")
    ran = puppet("check", "--quiet", "a.vf")
    assert (ran.stdout, ran.stderr) == ("", "")


def test_the_timeout_reaches_the_pipeline(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("unknown A")
    assert "Unknown: 2.5 s were not enough." in puppet("check", "a.vf", "--timeout", "2.5").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Missing argument 'PATHS...'"),
        (["a.vf", "--timeout", "abc"], "`abc` is not a positive number of seconds. Write for example `--timeout 30`."),
        (["a.vf", "--timeout", "nan"], "`nan` is not a positive number of seconds"),
        (["a.vf", "--timeout", "0"], "`0` is not a positive number of seconds"),
        (["a.vf", "--set", "gap"], "`gap` does not set a parameter. Write for example `--set gap=3`."),
        (["a.vf", "--set", "=3"], "`=3` does not set a parameter."),
        (["a.vf", "--eps", "-1"], "`-1` is not a positive number."),
        (["a.vf", "--eps", "0.0"], "`0.0` is not a positive number."),
        (["a.vf", "--eps", "1/0"], "`1/0` is not a positive number."),
        (["a.vf", "--eps", "1e999999999"], "`1e999999999` is not a positive number."),
        (["a.vf", "--jobs", "0"], "--jobs"),
        (["a.vf", "--executor", "localhost"], "`localhost` is no address of a scheduler. Write for example `tcp://10"),
        (["a.v"], "There is no file or folder `a.v`. Did you mean `a.vf`?"),
        (["link.vf"], "`link.vf` is a link to `gone.vf`, which is not there."),
        (["empty"], "There is no .vf file in the folder `empty`."),
        (["a.vf", "--quick"], "No such option"),
    ],
)
def test_bad_usage_says_how_to_mend_it(verifier: Run, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "a.vf").write_text("proved A")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.vf").symlink_to("gone.vf")
    ran = verifier("check", *arguments)
    assert ran.returncode == 2 and ran.stdout == ""
    assert says in ran.stderr


def test_an_encoding_without_the_sign_gets_another(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "é.vf").write_text("mistake")
    ran = puppet("check", "é.vf", PYTHONIOENCODING="ascii")
    assert ran.returncode == 2 and ran.stderr.startswith("\\xe9.vf:1:1: error[V201]")


# Terminals


def on_a_terminal(cwd: Path, *arguments: str, **environment: str) -> str:
    """What appears on a terminal to which both streams go."""
    lead, follow = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(FAKE), *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=follow,
        stderr=follow,
        env=clean_environment() | {"TERM": "xterm"} | environment,
    )
    os.close(follow)
    seen = b""
    try:
        while part := os.read(lead, 65536):
            seen += part
    except OSError:  # Linux: the last writer has gone
        pass
    os.close(lead)
    process.wait(60)
    return seen.decode()


def test_colours_only_on_a_terminal_that_wants_them(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("refuted A\nwarning")
    assert "\x1b[" not in puppet("check", "a.vf").stdout
    assert "\x1b[1;31mrefuted\x1b[0m" in on_a_terminal(tmp_path, "check", "a.vf")
    assert "\x1b[1;31m" not in on_a_terminal(tmp_path, "check", "a.vf", "--no-color")
    assert "\x1b[1;31m" not in on_a_terminal(tmp_path, "check", "a.vf", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(tmp_path, "check", "a.vf", TERM="dumb")


def test_progress_only_on_a_terminal(puppet: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("proved [red]\nslow B 0.5")
    assert "is done, 1 of 2" not in puppet("check", "a.vf").stderr
    seen = on_a_terminal(tmp_path, "check", "a.vf")
    assert "[red] is done, 1 of 2" in seen and "B     p()    " in seen


def test_a_bar_says_how_far_many_parts_are(tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_text("many A")
    seen = on_a_terminal(tmp_path, "check", "a.vf", COLUMNS="120")
    assert re.search(r"a\.vf: A .*━.* [1-9] of 10, \d+\.\d % of X certified, 0:0\d", seen)
    for quiet in (["--no-progress"], ["--quiet"], ["--json"]):
        assert "of X certified" not in on_a_terminal(tmp_path, "check", "a.vf", *quiet)


# Leaving early


def start(cwd: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(FAKE), *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=clean_environment(),
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("form", ["--json", "--no-color"])
def test_an_interrupt_prints_what_there_is(tmp_path: Path, jobs: str, form: str) -> None:
    (tmp_path / "a.vf").write_text("proved A")
    (tmp_path / "b.vf").write_text("refuted B expected\nlate C begun")
    (tmp_path / "c.vf").write_text("late D begun-as-well")
    process = start(tmp_path, "check", ".", "--jobs", jobs, form)
    deadline = time.monotonic() + 30
    awaited = {"begun"} if jobs == "1" else {"begun", "begun-as-well"}  # then a.vf is done
    while not awaited <= set(os.listdir(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.02)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - begun < 10
    assert process.returncode == 3 and "Traceback" not in err
    if form == "--json":
        document = json.loads(out)
        jsonschema.validate(document, SCHEMA)
        assert [f["interrupted"] for f in document["files"]] == [False, True, True]
        assert [a["name"] for f in document["files"] for a in f["assertions"]] == ["A", "B"]
        assert err == ""
    else:
        assert "A p()" in out and "B p()" in out and "Interrupted: the rest was not checked." in out
        assert "Interrupted: 2 of 3 files not checked to the end." in err


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    for k in range(20):
        (tmp_path / f"{k}.vf").write_text("\n".join(f"proved A{i}" for i in range(1000)))
    process = start(tmp_path, "check", ".")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 3
