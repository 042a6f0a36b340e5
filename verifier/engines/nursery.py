"""Processes that begin at once: forked from one that has loaded the tool already.

A new interpreter would load all of it once more, which takes longer than most questions of a small file. The process
that forks was itself forked, from a process with one thread (a lock that another thread holds would stay locked for
ever), and does nothing else: it has one thread for good. Where that cannot be had, `nursery()` is None.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

START, KILL, POLL = b"s", b"k", b"p"
REQUEST, REPLY = struct.Struct("!cI"), struct.Struct("!q")
MOST = 1000
"""Bytes of a request: what, of whom, and the name of a function."""
RUNNING, LOST = -1 << 40, -1 << 41
"""In the place of an exit code. Lost: the nursery itself has ended."""


class Child:
    """A process: what the tool uses of `subprocess.Popen`."""

    def __init__(self, nursery: Nursery, pid: int, stdin: int, stdout: int) -> None:
        self.nursery, self.pid = nursery, pid
        self.stdin, self.stdout = os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            try:
                said = self.nursery.request(POLL, self.pid)
            except OSError:
                said = LOST
            self.returncode = None if said == RUNNING else said
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            with suppress(OSError):
                self.nursery.request(KILL, self.pid)

    def wait(self) -> int:
        while (code := self.poll()) is None:
            time.sleep(0.001)
        return code

    def communicate(self, data: bytes, seconds: float) -> tuple[int, bytes]:
        """The exit code and the answer of a process that reads to the end before it writes. Raises TimeoutError when it
        takes longer; then it is killed."""
        alarm = threading.Timer(seconds, self.kill)
        alarm.start()
        try:
            with self.stdout:
                with suppress(BrokenPipeError), self.stdin:
                    self.stdin.write(data)
                answer = self.stdout.read()
            code = self.wait()
            if alarm.finished.is_set():
                raise TimeoutError(f"{seconds} seconds are over")
            return code, answer
        finally:
            alarm.cancel()


class Nursery:
    """Begins children, and buries them, whose parent it is. It and they end when `close` is called, or when this
    process ends, however it ends: its end of the line is closed then."""

    def __init__(self) -> None:
        """Raises OSError when the system has no process to give."""
        self._lock = threading.Lock()
        self._line, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._pid = os.fork()
            if self._pid == 0:
                self._line.close()
                try:
                    serve(there)
                finally:
                    os._exit(0)
        finally:
            there.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def request(self, what: bytes, pid: int = 0, work: str = "", fds: tuple[int, ...] = ()) -> int:
        """Raises OSError when nobody answers."""
        with self._lock:  # the alarm of a worker rings in a thread of its own
            socket.send_fds(self._line, [REQUEST.pack(what, pid) + work.encode()], fds)
            said = self._line.recv(REPLY.size)
        if len(said) < REPLY.size:
            raise OSError("the nursery has ended")
        return int(REPLY.unpack(said)[0])

    def start(self, work: str) -> Child:
        """A process that calls the function `work` (module:name)."""
        inbox, stdin = os.pipe()
        stdout, outbox = os.pipe()
        try:
            return Child(self, self.request(START, 0, work, (inbox, outbox, 2)), stdin, stdout)
        finally:
            os.close(inbox)
            os.close(outbox)

    def close(self) -> None:
        self._line.close()
        os.waitpid(self._pid, 0)


_nursery: Nursery | None = None
_allowed = False


def nursery() -> Nursery | None:
    """The one that is open. It is opened now, if it may be and can be; it knows what is loaded now."""
    global _nursery
    if _nursery is None and _allowed and possible():
        with suppress(OSError):  # no process can be had: a new interpreter may say why
            _nursery = Nursery()
    return _nursery


def begin(work: str) -> Child | None:
    """A new process that calls `work` (module:name), if there is a nursery."""
    found = nursery()
    if found is None:
        return None
    try:
        return found.start(work)
    except OSError:
        close()
        return None


def possible() -> bool:
    """Forking is safe here. Elsewhere the system's own libraries may have threads."""
    return sys.platform == "linux" and threading.active_count() == 1


def soon() -> bool:
    """There is one, or will be."""
    return _nursery is not None or (_allowed and possible())


def allow(now: bool) -> None:
    """From here on processes come from a nursery, if there can be one. `now`: there will be threads."""
    global _allowed
    _allowed = True
    if now:
        nursery()


@contextmanager
def allowed(now: bool) -> Iterator[None]:
    """`allow`, while inside."""
    if _nursery is not None:
        yield
        return
    try:
        allow(now)
        yield
    finally:
        close()


def close() -> None:
    """The end of the nursery, and of all that it began."""
    global _nursery, _allowed
    found, _nursery, _allowed = _nursery, None, False
    if found is not None:
        found.close()


def serve(line: socket.socket) -> None:
    """What the process does that forks, until nobody is there any more; then its children end, too."""
    alive: set[int] = set()
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for those who ask; they close the line
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        nothing = os.open(os.devnull, os.O_RDWR)
        for place in (0, 1):  # who reads what the tool prints must not wait for this process to end
            os.dup2(nothing, place)
        os.close(nothing)
        while (request := socket.recv_fds(line, MOST, 3))[0]:
            line.sendall(REPLY.pack(_done(*request[:2], alive, line)))
    finally:
        for pid in alive:
            os.kill(pid, signal.SIGKILL)
        for pid in alive:  # else whoever adopts them has to bury them
            os.waitpid(pid, 0)


def _done(request: bytes, fds: list[int], alive: set[int], line: socket.socket) -> int:
    """The reply to a request."""
    what, pid = REQUEST.unpack_from(request)
    if what == KILL:
        if pid in alive:
            os.kill(pid, signal.SIGKILL)
        return 0
    if what == POLL:
        gone, status = os.waitpid(pid, os.WNOHANG)
        alive -= {gone}
        return os.waitstatus_to_exitcode(status) if gone else RUNNING
    begun = os.fork()
    if begun == 0:
        code = 1
        try:
            line.close()
            for place, end in enumerate(fds):
                os.dup2(end, place)
                os.close(end)
            module, _, name = request[REQUEST.size :].decode().partition(":")
            getattr(import_module(module), name)()
            code = 0
        finally:
            os._exit(code)
    for end in fds:
        os.close(end)
    alive.add(begun)
    return begun
