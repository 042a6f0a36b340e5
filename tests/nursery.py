"""Solver processes for the tests: each is a new one, but forked from a process that has loaded z3 and the rest already.

Starting hundreds of them as the tool does would take longer than most of the questions that the tests ask.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).parents[1]
START, KILL, POLL = b"s", b"k", b"p"
REQUEST, REPLY = struct.Struct("!cI"), struct.Struct("!q")
RUNNING = -1 << 40


class Child:
    """What the tool uses of `subprocess.Popen`."""

    def __init__(self, nursery: Nursery, pid: int, stdin: int, stdout: int) -> None:
        self.nursery, self.pid = nursery, pid
        self.stdin, self.stdout = os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            said = self.nursery.request(POLL, self.pid)
            self.returncode = None if said == RUNNING else said
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            self.nursery.request(KILL, self.pid)

    def wait(self) -> int:
        while (code := self.poll()) is None:
            time.sleep(0.001)
        return code


class Nursery:
    """Begins children, and buries them, whose parent it is."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._line: socket.socket | None = None  # until somebody asks

    def _begin(self) -> socket.socket:
        here, there = socket.socketpair()
        command = [sys.executable, "-c", f"from tests.nursery import serve; serve({there.fileno()})"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[there.fileno()])
        there.close()
        return here

    def request(self, what: bytes, pid: int = 0, fds: tuple[int, ...] = ()) -> int:
        with self._lock:  # the alarm of a worker rings in a thread of its own
            line = self._line = self._line or self._begin()
            socket.send_fds(line, [REQUEST.pack(what, pid)], fds)
            (said,) = REPLY.unpack(line.recv(REPLY.size, socket.MSG_WAITALL))
        return int(said)

    def start(self, command: object, **_: object) -> Child:
        """A solver process, whatever the command says."""
        inbox, stdin = os.pipe()
        stdout, outbox = os.pipe()
        try:
            return Child(self, self.request(START, 0, (inbox, outbox, 2)), stdin, stdout)
        finally:
            os.close(inbox)
            os.close(outbox)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._process.wait()


def serve(fd: int) -> None:
    """The loop of the process that forks."""
    from verifier.engines import (
        box_search,
        quadratic,
        quadratic_suprema,
        smt_curve,
        smt_game,
        smt_measures,
        smt_region,
        worker,
    )

    del box_search, quadratic, quadratic_suprema, smt_curve, smt_game, smt_measures, smt_region
    worker.later()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests; they close the line
    line = socket.socket(fileno=fd)
    while True:
        data, fds, _, _ = socket.recv_fds(line, REQUEST.size, 3)
        if not data:
            return
        what, pid = REQUEST.unpack(data)
        reply = 0
        if what == START:
            reply = os.fork()
            if reply == 0:
                line.close()
                for place, end in enumerate(fds):
                    os.dup2(end, place)
                    os.close(end)
                worker.serve()
                os._exit(0)
            for end in fds:
                os.close(end)
        elif what == KILL:
            os.kill(pid, signal.SIGKILL)
        else:
            gone, status = os.waitpid(pid, os.WNOHANG)
            reply = os.waitstatus_to_exitcode(status) if gone else RUNNING
        line.sendall(REPLY.pack(reply))


@contextmanager
def nursed(nursery: Nursery) -> Iterator[None]:
    """Solver processes come from there."""
    there: Any = SimpleNamespace(Popen=nursery.start, PIPE=subprocess.PIPE)
    with patch("verifier.engines.worker.subprocess", there):
        yield
