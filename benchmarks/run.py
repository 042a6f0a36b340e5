"""One run of a contender: a fresh process, and the CPU seconds of it and of all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GRACE = 10.0
"""Seconds beyond its own limit after which a process is killed, with its children."""


@dataclass(frozen=True)
class Ran:
    """What a process said and took. `cpu`: user + system seconds; of a process that was `killed` only what was counted
    by then."""

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
    extra: Mapping[str, str] | None = None,
) -> Ran:
    """Runs a command to its end, or to `seconds` + GRACE."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", **(extra or {})}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
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
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    cpu = usage.ru_utime + usage.ru_stime
    return Ran(texts[0], texts[1], process.returncode, cpu, wall, late.is_set())


PYTHON = sys.executable
