"""A process of its own for the engines: a question goes in, an answer comes out, and it can be killed when it overstays
its time. It speaks length-prefixed pickles on its pipes with the process that started it, and with nobody else.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO

from msgspec.structs import replace

from verifier.engines.engine import EngineFailed, Unknown
from verifier.engines.nursery import Child, begin, soon
from verifier.kernel.circuit import Circuit
from verifier.query.question import Question

GRACE = 2.0
START = 60.0
"""Seconds to start, or to load what is loaded late. They are not those of the question, to which a machine under load
would never come."""
BEAT = 0.5
"""Seconds between two words on how far a search is."""
LOAD = "load"
MEGABYTES = 4000
"""What z3 may have."""
TINY, NARROW = 128, 12
"""Nodes and inputs up to which a question is looked at before a process is begun for it."""
MODULES = {
    "smt": ("find", "approach", "least", "substantial", "local"),
    "smt_measures": ("greatest", "defect", "steepest", "breadth"),
    "smt_curve": ("curve",),
    "smt_region": ("torn",),
    "smt_game": ("play",),
    "quadratic": ("find_square", "least_square", "substantial_square"),
    "quadratic_suprema": ("steepest_square",),
    "quadratic_curve": ("curve_square",),
    "corner_curve": ("curve_corners",),
    "roots": ("find_root",),
    "searches": (
        "case_search",
        "case_proof",
        "higher",
        "middle",
        "brief",
        "glance",
        "strike",
        "box_search",
        "box_proof",
        "steep",
        "least_cases",
        "greatest_cases",
        "steepest_cases",
    ),
}
"""Module -> its tasks. It is loaded when one of them is first asked for."""
HOME = {task: module for module, tasks in MODULES.items() for task in tasks}


class Worker:
    """An engine process, started when first needed (or ahead, by `warm`), replaced after a kill. One question at a
    time. What a few cases settle needs none."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | Child | None = None
        self._late = False
        self._circuit: Circuit | None = None  # the last one that the process has been sent
        self._ready: set[str] = set()
        self.heard: Callable[[int], None] = lambda nodes: None
        """Told now and then how many branches or boxes a long search has looked at."""

    def warm(self) -> None:
        """Start the process now, so that it loads z3 while other things happen; but one that begins at once anyway
        begins as late as it can, when more is loaded."""
        if not soon():
            self._begin()

    def _begin(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self._process = begin("verifier.engines.worker:serve") or self._new_interpreter()
            self._circuit, self._ready = None, set()

    @staticmethod
    def _new_interpreter() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from verifier.engines.worker import serve; serve('smt')"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, task: str, *arguments: Any, seconds: float) -> Any:
        """The result of the task of that name, called with `*arguments, seconds`; Unknown when the time is over.
        Raises EngineFailed when it broke."""
        if seconds <= 0:
            return Unknown("out of time")
        if task == "brief" and self._process is None:
            question, most, shown = arguments
            if (found := at_once(question, most, shown, seconds)) is not None:
                return found
        self._begin()
        self._late = False
        try:
            if (home := HOME[task]) not in self._ready:
                self._exchange((LOAD, False, (home,), START), START)
                self._ready.add(home)
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
            while True:
                ok, result = receive(process.stdout)
                if ok is not None:
                    break
                self.heard(result)
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


def at_once(question: Question, most: int, shown: bool, seconds: float) -> Any:
    """What a few cases say of a tiny question; None where they do not settle it. For most questions of a course no
    process need be begun."""
    if len(question.circuit) > TINY or len(question.variables) > NARROW:
        return None
    from verifier.engines.case_search import Searcher

    try:
        found = Searcher().first(question, most, shown, seconds)
    except OverflowError:  # numbers that are too large for floats
        return None
    return None if isinstance(found, Unknown) else found


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


def load(module: str, seconds: float = START) -> None:
    """Load a module of tasks."""
    import_module(f"verifier.engines.{module}")
    if (z3 := sys.modules.get("z3")) is not None:
        z3.set_param("memory_max_size", MEGABYTES)


def perform(task: str, arguments: tuple[Any, ...], seconds: float) -> Any:
    if task == LOAD:
        return load(*arguments)
    try:
        return getattr(sys.modules[f"verifier.engines.{HOME[task]}"], task)(*arguments, seconds)
    finally:
        if (z3 := sys.modules.get("z3")) is not None:
            z3.z3._main_ctx = None  # what z3 finds depends on all that its context has seen


def failed(error: Exception) -> tuple[bool, Unknown | str]:
    """What is answered instead; False: the engine itself is at fault."""
    z3 = sys.modules.get("z3")
    if z3 is None or not isinstance(error, z3.Z3Exception):
        return False, f"{type(error).__name__}: {error}"
    text = str(error)
    return (True, Unknown(f"z3 gave up: {text}")) if "memory" in text or "cancel" in text else (False, f"z3: {text}")


class Pulse:
    """Says now and then how far a search is, from a thread of its own: the search does nothing for it."""

    def __init__(self, outbox: BinaryIO) -> None:
        self._outbox, self._lock = outbox, threading.Lock()
        self._busy = self._beating = False

    def begin(self) -> None:
        self._busy = True
        if not self._beating:
            self._beating = True
            threading.Thread(target=self._beat, daemon=True).start()

    def end(self, reply: object) -> None:
        with self._lock:
            self._busy = False
            send(self._outbox, reply)

    def _beat(self) -> None:
        said = 0
        while True:
            time.sleep(BEAT)
            searches = sys.modules.get("verifier.engines.searches")
            with self._lock:
                count = searches.nodes() if searches is not None and self._busy else 0
                if count not in (0, said):
                    try:
                        send(self._outbox, (None, count))
                    except OSError:  # nobody is there any more
                        return
                    said = count


def serve(*ahead: str) -> None:
    """The loop of the worker process. `ahead`: modules to load before anybody asks."""
    import signal

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a second thread costs ten times what it gains
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints must not end up among the answers
    sys.stdout = sys.stderr
    for module in ahead:
        load(module)
    circuit: Circuit = ()
    pulse = Pulse(outbox)
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
        pulse.begin()
        try:
            reply = (True, perform(task, arguments, seconds))
        except OverflowError:
            reply = (True, Unknown("its numbers are too large for floats"))
        except Exception as error:
            reply = failed(error)
        try:
            pulse.end(reply)
        except BrokenPipeError:  # nobody waits for it any more
            os._exit(0)
