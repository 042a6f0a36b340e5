"""A nursery for the tests: it has loaded z3 and the rest, and is not forked from this process, which has threads.

Starting hundreds of solver processes as the tool does where it cannot fork would take longer than most of the questions
that the tests ask.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from verifier.engines import nursery, worker

ROOT = Path(__file__).parents[1]
LATE = (
    "flint",
    "h5py",
    "highspy",
    "numpy.random",
    "verifier.engines.ball",
    "verifier.engines.box_search",
    "verifier.engines.climb",
    "verifier.engines.relaxation",
    "verifier.engines.steep",
    "verifier.engines.volume",
)
"""What engines load when they first need it: each process anew, else, and for longer than most questions take."""
KEPT = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 30))
"""What a context of z3 took is kept for the next one: the system would have to clear it for each."""


class Started(nursery.Nursery):
    """It begins when it is first asked for something."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def request(self, what: bytes, pid: int = 0, work: str = "", fds: tuple[int, ...] = ()) -> int:
        with self._lock:
            if self._process is None:
                self._line, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                command = [sys.executable, "-c", f"from tests.nursery import serve; serve({there.fileno()})"]
                self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[there.fileno()], env=os.environ | KEPT)
                there.close()
        return super().request(what, pid, work, fds)

    def close(self) -> None:
        if self._process is not None:
            self._line.close()
            self._process.wait()


def serve(fd: int) -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # what forks has one thread
    for module in worker.MODULES:
        worker.load(module)
    for module in LATE:
        with suppress(ImportError):  # h5py is there for those who read files of Keras
            import_module(module)
    sys.modules["z3"].main_ctx()  # the first one that a process makes takes as long as ten others
    nursery.serve(socket.socket(fileno=fd))


@contextmanager
def nursed(there: nursery.Nursery | None) -> Iterator[None]:
    """Solver processes come from there."""
    with patch.object(nursery, "_nursery", there):
        yield
