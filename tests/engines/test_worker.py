"""The solver's process: it may be killed, it may crash, and the next question is answered all the same."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from tests.engines.questions import EASY, NONE, hard
from verifier.engines.engine import EngineFailed, Fails, Holds, Unknown
from verifier.engines.worker import GRACE, Worker

POSIX = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals")


@pytest.fixture(scope="module", autouse=True)
def quick_solvers() -> None:
    """None here: how a process begins is part of what is tested."""


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker() as found:
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
    worker.warm()
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
    with pytest.raises(EngineFailed, match="KeyError"):
        worker.ask("no task", seconds=10)
    answers(worker)
    assert pid(worker) == first


def test_no_time_is_no_answer_and_needs_no_process(worker: Worker) -> None:
    assert worker.ask("find", EASY, seconds=0) == Unknown("out of time")
    assert worker._process is None


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
