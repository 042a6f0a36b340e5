"""A process of its own for z3: a question goes in, an answer comes out, and it can be killed when it overstays its
time.

`python -m verifier.engines.worker` speaks length-prefixed pickles on its pipes with the process that started it, and
with nobody else.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from msgspec.structs import replace

from verifier.engines.engine import Answer, EngineFailed, Unknown, worked
from verifier.kernel.circuit import Circuit
from verifier.query.question import Question

GRACE = 2.0
START = 60.0
"""Seconds to start, or to load what is loaded late. They are not those of the question, to which a machine under load
would never come."""
HELLO, MORE = "hello", "more"
MEGABYTES = 4000
CERTIFYING = 4.0
"""Seconds at most, as estimated, that the box search may spend on writing a certificate."""
LATER = ("case_search", "glance", "box_search")
"""Tasks whose engines are loaded when they are first asked for."""


class Worker:
    """A z3 process, started when first needed (or ahead, by `warm`), replaced after a kill. One question at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._late = False
        self._circuit: Circuit | None = None  # the last one that the process has been sent
        self._ready: set[str] = set()

    def warm(self) -> None:
        """Start the process now, so that it loads z3 while other things happen."""
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-c", "from verifier.engines.worker import serve; serve()"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._circuit, self._ready = None, set()

    def ask(self, task: str, *arguments: Any, seconds: float) -> Any:
        """The result of the task of that name, called with `*arguments, seconds`; Unknown when the time is over.
        Raises EngineFailed when it broke."""
        if seconds <= 0:
            return Unknown("out of time")
        self.warm()
        self._late = False
        try:
            for needed in (HELLO, *((MORE,) if task in LATER else ())):
                if needed not in self._ready:
                    self._exchange((needed, False, (), START), START)
                    self._ready.add(needed)
            return self._exchange((task, *self._short(arguments), seconds), seconds + GRACE)
        except EngineFailed:
            raise
        except (OSError, EOFError) as error:
            self.close()
            if self._late:
                return Unknown("out of time")
            return Unknown(f"the solver process ended ({type(error).__name__}); it may have run out of memory")
        except BaseException:
            self.close()
            raise

    def _exchange(self, message: object, seconds: float) -> Any:
        """The answer to a message; the process is killed when it takes longer."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        alarm = threading.Timer(seconds, self._overdue)
        alarm.daemon = True
        alarm.start()
        try:
            send(process.stdin, message)
            ok, result = receive(process.stdout)
        finally:
            alarm.cancel()
        if not ok:
            raise EngineFailed(result)
        return result

    def _short(self, arguments: tuple[Any, ...]) -> tuple[bool, tuple[Any, ...]]:
        """The arguments; without the circuit of the first one, where the process has it (True)."""
        match arguments:
            case (Question() as question, *others):
                if question.circuit is self._circuit:
                    return True, (replace(question, circuit=()), *others)
                self._circuit = question.circuit
        return False, arguments

    def _overdue(self) -> None:
        self._late = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Lent(Worker):
    """Somebody else's worker: asked like one's own, and not ended."""

    def __init__(self, owner: Worker) -> None:
        super().__init__()
        self._owner = owner

    def warm(self) -> None:
        self._owner.warm()

    def ask(self, task: str, *arguments: Any, seconds: float) -> Any:
        return self._owner.ask(task, *arguments, seconds=seconds)

    def close(self) -> None:
        pass


def send(pipe: BinaryIO | Any, message: object) -> None:
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(struct.pack("!Q", len(data)) + data)
    pipe.flush()


def receive(pipe: BinaryIO | Any) -> Any:
    (size,) = struct.unpack("!Q", _exactly(pipe, 8))
    return pickle.loads(_exactly(pipe, size))


def _exactly(pipe: BinaryIO | Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = pipe.read(size - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data


def later() -> dict[str, Callable[..., object]]:
    from verifier.engines.case_search import Searcher

    searcher = Searcher()

    def boxes(question: Question, seconds: float) -> Answer:
        from verifier.engines.box_search import Stats, box_search

        took = Stats()
        return worked(box_search(question, seconds, took, CERTIFYING), boxes=took.boxes)

    return {"case_search": searcher.case_search, "glance": searcher.glance, "box_search": boxes}


def serve() -> None:
    """The loop of the worker process."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox, outbox = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints must not end up among the answers
    sys.stdout = sys.stderr
    import z3

    from verifier.engines import (
        quadratic,
        quadratic_curve,
        quadratic_suprema,
        roots,
        smt,
        smt_curve,
        smt_game,
        smt_measures,
        smt_region,
    )

    searches = (smt.find, smt.approach, smt.least, smt.substantial, smt.local)
    climbs = (smt_measures.greatest, smt_measures.defect, smt_measures.steepest, smt_measures.breadth)
    wholes = (smt_curve.curve, smt_region.torn, smt_game.play)
    squares = (quadratic.find_square, quadratic.least_square, quadratic.substantial_square)
    rounds = (*squares, quadratic_suprema.steepest_square, quadratic_curve.curve_square, roots.find_root)
    tasks: dict[str, Callable[..., object]] = {f.__name__: f for f in (*searches, *climbs, *wholes, *rounds)}
    tasks |= {HELLO: lambda seconds: None, MORE: lambda seconds: tasks.update(later())}
    z3.set_param("memory_max_size", MEGABYTES)
    circuit: Circuit = ()
    while True:
        try:
            task, same, arguments, seconds = receive(inbox)
        except EOFError:
            return
        match arguments:
            case (Question() as question, *others) if same:
                arguments = (replace(question, circuit=circuit), *others)
            case (Question() as question, *_):
                circuit = question.circuit
        try:
            reply = (True, tasks[task](*arguments, seconds))
        except z3.Z3Exception as error:
            text = str(error)
            reply = (
                (True, Unknown(f"z3 gave up: {text}"))
                if "memory" in text or "cancel" in text
                else (False, f"z3: {text}")
            )
        except OverflowError:
            reply = (True, Unknown("its numbers are too large for floats"))
        except Exception as error:
            reply = (False, f"{type(error).__name__}: {error}")
        try:
            send(outbox, reply)
        except BrokenPipeError:  # nobody waits for it any more
            os._exit(0)


if __name__ == "__main__":
    serve()
