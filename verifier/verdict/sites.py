"""Where a crew works: in processes of this machine, or on the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from verifier.engines.nursery import allow
from verifier.verdict.crew import Answer, Task, dismiss, version, work

if TYPE_CHECKING:  # most files need no other process
    from concurrent.futures import Executor, Future, ProcessPoolExecutor
    from multiprocessing.connection import Connection

CONNECT = 10
"""Seconds to find the scheduler, and a worker."""


class Unreachable(Exception):
    """There is no such site; the message says what to do."""


class Processes:
    """Processes of this machine, started when they are first needed. They end with this one, however it ends: each
    listens to a pipe of which only this process has the other end."""

    def __init__(self, width: int, eager: bool = True) -> None:
        self.width, self.eager, self.closed = width, eager, False
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._line: Connection | None = None

    def submit(self, task: Task, cargo: bytes | None) -> tuple[Future[Answer], Executor]:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        with self._lock, unheard():
            if self._pool is None:
                context = get_context("spawn")
                heard, self._line = context.Pipe(duplex=False)
                self._pool = ProcessPoolExecutor(self.width, context, enlist, (heard,))
            return self._pool.submit(work, task, cargo), self._pool

    def renew(self, broken: Executor) -> None:
        with self._lock:
            if self._pool is broken:
                self._end()

    def close(self) -> None:
        self.closed = True
        with self._lock:
            self._end()

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if self._line is not None:
            self._line.close()
        if pool is not None:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """While inside, Ctrl-C waits; processes that are started here never hear it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # when it is started later, it takes the mask away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def enlist(line: Connection) -> None:
    """The beginning of a worker process: it leaves Ctrl-C to the process that started it, and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    allow(now=True)  # the nursery ends with this process
    threading.Thread(target=_listen, args=(line,), daemon=True).start()


def _listen(line: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        line.recv_bytes()
    dismiss()
    os._exit(0)


class Dask:
    """The workers of a Dask scheduler, `tcp://host:8786`. Raises Unreachable when there is none, or no worker."""

    eager = True

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise Unreachable("This needs Dask: pip install 'strong-robust[dask]'.") from None
        import logging

        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is lost is reported as an answer
        self.closed = False
        try:
            self._client: Any = Client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise Unreachable(f"There is no Dask scheduler at {address}: {error}") from None
        try:
            self._client.wait_for_workers(1, timeout=CONNECT)
            there = self._client.submit(version, pure=False).result(timeout=CONNECT)
            self.width = sum(self._client.nthreads().values())
        except TimeoutError:
            self._client.close()
            raise Unreachable(f"No worker of {address} answers. Start one: dask worker {address}") from None
        except ImportError as error:
            there = f"none ({error})"
        if there != version():
            self._client.close()
            raise Unreachable(f"The workers of {address} have version {there}; install {version()} there.")
        self._executor: Executor = self._client.get_executor()

    def submit(self, task: Task, cargo: bytes | None) -> tuple[Future[Answer], Executor]:
        return self._executor.submit(work, task, cargo), self._executor

    def renew(self, broken: Executor) -> None:
        """Dask puts workers in the place of others by itself."""

    def close(self) -> None:
        self.closed = True
        self._client.close(timeout=CONNECT)
