"""One run of a contender: a fresh process, and the CPU seconds of it and of all that it started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GRACE = 10.0
"""Seconds beyond its own limit after which a process is killed, with its children."""
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""


@dataclass(frozen=True)
class Ran:
    """What a process said and took. `cpu`: user + system seconds of it and of all its descendants."""

    output: str
    errors: str
    code: int
    cpu: float
    wall: float
    killed: bool


def run(
    command: Sequence[str],
    seconds: float,
    stdin: bytes = b"",
    folder: Path = ROOT,
) -> Ran:
    """Runs a command to its end, or to `seconds` + GRACE."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        adopt()
        started = time.monotonic()
        process = subprocess.Popen(
            command, stdin=given, stdout=out, stderr=err, cwd=folder, env=environment, start_new_session=True
        )
        late = threading.Event()

        def stop() -> None:
            late.set()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        alarm = threading.Timer(seconds + GRACE, stop)
        alarm.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            stop()
            raise
        finally:
            alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - started
        cpu = usage.ru_utime + usage.ru_stime + left_behind(process.pid)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    return Ran(texts[0], texts[1], process.returncode, cpu, wall, late.is_set())


def adopt() -> None:
    """From now on what a finished process leaves behind becomes a child of this one (Linux), and can be counted."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def left_behind(group: int) -> float:
    """Ends what is left of a group of processes; its CPU seconds, as far as it was adopted."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    seconds = 0.0
    while True:
        try:
            _, _, usage = os.wait4(-group, 0)
        except ChildProcessError:
            return seconds
        seconds += usage.ru_utime + usage.ru_stime


PYTHON = sys.executable
