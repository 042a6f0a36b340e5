"""The solver's process: it may be killed, it may crash, and the next question is answered all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tests.engines.questions import EASY, NONE, hard
from tests.nursery import ROOT, Started, nursed
from verifier.engines import case_search
from verifier.engines import worker as module
from verifier.engines.engine import EngineFailed, Fails, Holds, Unknown
from verifier.engines.worker import GRACE, Worker

POSIX = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="forks only there")


@pytest.fixture(scope="module", autouse=True)
def quick_solvers() -> None:
    """None here: how a process begins is part of what is tested."""


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    found = Started()
    yield found
    found.close()


@pytest.fixture(params=[pytest.param("forked", marks=POSIX), "new interpreter"])
def worker(request: pytest.FixtureRequest, started: Started) -> Iterator[Worker]:
    with nursed(started if request.param == "forked" else None), Worker() as found:
        yield found


def answers(worker: Worker) -> None:
    """It still works."""
    assert isinstance(worker.ask("find", EASY, seconds=60), Fails)
    assert isinstance(worker.ask("find", NONE, seconds=60), Holds)


def pid(worker: Worker) -> int:
    assert worker._process is not None
    return worker._process.pid


def test_a_question_gets_its_answer_from_the_same_process(worker: Worker) -> None:
    answers(worker)
    first = pid(worker)
    answers(worker)
    assert pid(worker) == first


def test_a_hard_question_ends_in_time_and_the_next_one_is_answered(worker: Worker) -> None:
    answers(worker)
    started = time.monotonic()
    assert worker.ask("find", hard(), seconds=1) == Unknown("out of time")
    assert time.monotonic() - started < 1 + 3
    answers(worker)


def test_a_long_search_says_now_and_then_how_far_it_is(worker: Worker) -> None:
    heard: list[int] = []
    worker.heard = heard.append
    answers(worker)
    assert heard == []
    answer = worker.ask("case_search", hard(), seconds=2.5)
    assert isinstance(answer, Unknown) and len(heard) >= 2
    assert 0 < heard[0] < heard[-1] <= dict(answer.work)["branches"] and heard == sorted(heard)
    answers(worker)


@POSIX
def test_who_hears_of_it_may_end_it(worker: Worker) -> None:
    def enough(nodes: int) -> None:
        raise KeyboardInterrupt

    worker.heard = enough
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        worker.ask("case_search", hard(), seconds=60)
    assert time.monotonic() - started < 30
    worker.heard = lambda nodes: None
    answers(worker)


@POSIX
def test_a_process_that_overstays_is_killed_and_replaced(worker: Worker) -> None:
    answers(worker)
    stuck = pid(worker)
    os.kill(stuck, signal.SIGSTOP)  # it will not even look at its clock
    started = time.monotonic()
    assert worker.ask("find", EASY, seconds=0.5) == Unknown("out of time")
    assert 0.5 + GRACE - 0.1 <= time.monotonic() - started < 0.5 + 3
    with pytest.raises(ProcessLookupError):
        os.kill(stuck, 0)
    answers(worker)
    assert pid(worker) != stuck


@POSIX
def test_a_slow_start_is_not_the_time_of_the_question(worker: Worker) -> None:
    worker._begin()
    os.kill(pid(worker), signal.SIGSTOP)
    threading.Timer(0.5 + GRACE + 1, os.kill, (pid(worker), signal.SIGCONT)).start()
    assert isinstance(worker.ask("find", EASY, seconds=0.5), Fails)


@POSIX
def test_a_crash_in_the_middle_of_a_question_is_an_unknown_that_says_so(worker: Worker) -> None:
    answers(worker)
    threading.Timer(0.5, os.kill, (pid(worker), signal.SIGKILL)).start()
    answer = worker.ask("find", hard(), seconds=60)
    assert isinstance(answer, Unknown)
    assert answer.why.startswith("the solver process ended")
    answers(worker)


@POSIX
def test_a_process_that_died_between_two_questions_is_replaced(worker: Worker) -> None:
    answers(worker)
    assert worker._process is not None
    os.kill(pid(worker), signal.SIGKILL)
    worker._process.wait()
    answers(worker)


def test_a_task_that_breaks_is_an_internal_error_and_the_process_lives_on(worker: Worker) -> None:
    answers(worker)
    first = pid(worker)
    with pytest.raises(EngineFailed, match="AttributeError"):
        worker.ask("find", "no question", seconds=10)
    answers(worker)
    assert pid(worker) == first


def test_no_time_is_no_answer_and_needs_no_process(worker: Worker) -> None:
    assert worker.ask("find", EASY, seconds=0) == Unknown("out of time")
    assert worker._process is None


def test_a_few_cases_need_no_process(worker: Worker) -> None:
    for question, kind in ((EASY, Fails), (NONE, Holds)):
        assert isinstance(worker.ask("brief", question, 256, True, seconds=60), kind)
    assert worker._process is None
    answers(worker)
    first = pid(worker)
    assert isinstance(worker.ask("brief", EASY, 256, True, seconds=60), Fails)
    assert pid(worker) == first


@pytest.mark.parametrize(("what", "most"), [("FIRST", 0), ("PATIENCE", 0)])
def test_what_takes_longer_has_a_process(worker: Worker, monkeypatch: pytest.MonkeyPatch, what: str, most: int) -> None:
    monkeypatch.setattr(case_search, what, most)
    assert isinstance(worker.ask("brief", EASY, 256, True, seconds=60), Fails)
    assert worker._process is not None


def test_what_is_large_has_a_process(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    for what, least in (("TINY", len(EASY.circuit)), ("NARROW", len(EASY.variables))):
        monkeypatch.setattr(module, what, least)
        assert module.at_once(EASY, 256, True, 60) is not None
        monkeypatch.setattr(module, what, least - 1)
        assert module.at_once(EASY, 256, True, 60) is None
        monkeypatch.undo()


def test_an_interrupt_ends_the_process(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(worker)
    process = worker._process
    assert process is not None

    def interrupted(pipe: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("verifier.engines.worker.receive", interrupted)
        worker.ask("find", hard(), seconds=60)
    assert process.poll() is not None
    answers(worker)


def test_after_the_end_there_is_no_process() -> None:
    with Worker() as worker:
        answers(worker)
        process = worker._process
    assert process is not None
    assert process.poll() is not None
    worker.close()


# the nursery


def run(script: str) -> str:
    """What a Python process prints that has one thread."""
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout


SETTING = """
import os, signal, sys, threading, time
from tests.engines.questions import EASY
from verifier.engines import nursery
from verifier.engines.worker import Worker

def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False

worker = Worker()
def asked():
    return type(worker.ask("find", EASY, seconds=60)).__name__, type(worker._process).__name__
"""


@LINUX
def test_a_process_with_one_thread_forks_and_leaves_nobody_behind() -> None:
    script = """
print("words that are still in the buffer of stdout", end=" ")
with nursery.allowed(now=False):
    print(*asked(), end=" ")
    worker.close()
    parent, left = nursery.nursery()._pid, worker.ask("find", EASY, seconds=60) and worker._process.pid
    print(alive(parent), alive(left), end=" ")
end = time.monotonic() + 10
while alive(left) and time.monotonic() < end:
    time.sleep(0.01)
print(alive(parent), alive(left), nursery.nursery())
"""
    said = "words that are still in the buffer of stdout Fails Child True True False False None\n"
    assert run(SETTING + script) == said


@LINUX
def test_a_nursery_that_ends_is_done_without() -> None:
    script = """
with nursery.allowed(now=True):
    print(*asked(), end=" ")
    os.kill(nursery.nursery()._pid, signal.SIGKILL)
    print(*asked())
    worker.close()
"""
    assert run(SETTING + script) == "Fails Child Fails Popen\n"


def test_a_process_with_threads_does_not_fork() -> None:
    script = """
threading.Thread(target=threading.Event().wait, daemon=True).start()
with nursery.allowed(now=True):
    print(*asked(), nursery.nursery())
    worker.close()
"""
    assert run(SETTING + script) == "Fails Popen None\n"


@LINUX
def test_a_child_answers_or_crashes_or_hangs(started: Started) -> None:
    assert started.start("tests.engines.echo:shout").communicate(b"abc" * 100_000, 60) == (0, b"ABC" * 100_000)
    assert started.start("os:no_such_function").communicate(b"", 60) == (1, b"")
    assert started.start("os:abort").communicate(b"x" * 1_000_000, 60) == (-signal.SIGABRT, b"")
    with pytest.raises(TimeoutError, match=r"0\.2 seconds are over"):
        started.start("signal:pause").communicate(b"", 0.2)


@LINUX
def test_who_has_ended_is_not_killed_again(started: Started) -> None:
    child = started.start("os:getpid")
    assert child.wait() == 0
    child.returncode = None  # as if the alarm rang before it was known
    child.kill()
    assert started.start("os:getpid").wait() == 0
