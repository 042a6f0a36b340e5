"""Work that is done elsewhere has the answers of work that is done here, whatever happens to the workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from verifier.api import Options, load, load_text
from verifier.verdict import sites
from verifier.verdict.crew import Answer, Site, Task, work
from verifier.verdict.many import Progress
from verifier.verdict.sites import Dask, Processes, Unreachable
from verifier.verdict.verdict import Computed, FileResult, Refuted, Undecided

TEXT = """domain X { age: int in [18, 41], income: real in [0, 60], sex: {f, m} }
labels { deny, grant }
oracle f2 { features all except sex  metric linf }
model f1 { features i = income, a = age, s = code(sex)  decide if i + 3*s >= a then grant else deny }
partition P of X by age every 2, income at [20]
assert A: forall part in P: factors(f1, f2) expect refuted
assert B: forall part in P: forall x in part: x.income >= 50 => f1(x) == grant
assert C: factors(f1, f2) expect refuted
assert E: not exists part in P: factors(f1, f1) expect refuted
assert G: contained(f1, f2) expect refuted
compute R: critical_radius(f1, f2)
"""
ROWS = """data D = csv("d.csv")
assert H: forall row in D: robust_at(f1, f2, row, radius: 2) expect refuted
"""
CSV = "age,income,sex\n" + "".join(f"{18 + i},{(17 * i) % 60},{'fm'[i % 2]}\n" for i in range(12))


@pytest.fixture(scope="module", autouse=True)
def quick_solvers() -> None:
    """None here: these are about real processes."""


def said(result: FileResult) -> list[Any]:
    """All that does not depend on the clock, or on which of the witnesses a solver finds."""
    found: list[Any] = [result.exit_code, result.internal_errors]
    for a in result.assertions:
        parts = [replace(p, seconds=0.0) for p in a.pieces.parts] if a.pieces is not None else None
        by = () if isinstance(a.verdict, Undecided) else (a.verdict.by, a.verdict.trusts, a.verdict.notes)
        found.append((a.name, a.word, a.met, a.vacuous, a.warnings, by, parts, a.table))
    return found + [(c.name, c.value, c.attained) for c in result.computed]


def check(text: str = TEXT, site: Site | None = None, **more: Any) -> FileResult:
    loaded = load_text(text)
    assert not loaded.diagnostics
    return loaded.check(Options(timeout=120), site=site, **more)


@cache
def alone(text: str = TEXT) -> FileResult:
    """The answers of this process."""
    return check(text)


@contextmanager
def closing(site: Site) -> Iterator[Site]:
    try:
        yield site
    finally:
        site.close()


def test_two_processes_have_the_answers_of_one(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(CSV)
    (tmp_path / "a.vf").write_text(TEXT + ROWS)
    here = load(tmp_path / "a.vf").check(Options(timeout=120))
    order: list[str] = []
    seen: list[tuple[str, Progress]] = []
    with closing(Processes(2)) as site:
        loaded = load(tmp_path / "a.vf")
        there = loaded.check(
            Options(timeout=120), lambda r: order.append(r.name), site, lambda n, p: seen.append((n, p))
        )
    assert said(there) == said(here) and here.exit_code == 0
    assert order == list(loaded.names)
    assert [p.done for n, p in seen if n == "B"] == list(range(1, 25))
    assert [p.certified for n, p in seen if n == "B"][-1] == 1
    assert there["A"].pair is not None and there["A"].pieces is not None
    assert isinstance(there["A"].verdict, Refuted) and there["A"].verdict.notes[0].startswith("This is part 1:")


def test_a_crew_that_was_not_asked_for_only_joins_where_it_pays() -> None:
    with closing(Processes(2, eager=False)) as site:
        assert said(check(TEXT, site)) == said(alone())
        assert site._pool is None  # type: ignore[attr-defined]


Work = Callable[[Task, bytes | None], Answer]


class AnySite:
    """Any executor, and what a worker does with a task."""

    eager = True

    def __init__(
        self, make: Callable[[], Executor], do: Callable[[Task, bytes | None], Answer], width: int = 2
    ) -> None:
        self.width, self.closed = width, False
        self.make, self.do, self.made = make, do, 0
        self.pool: Executor | None = None

    def submit(self, task: Task, cargo: bytes | None) -> tuple[Future[Answer], Executor]:
        if self.pool is None:
            self.pool, self.made = self.make(), self.made + 1
        return self.pool.submit(self.do, task, cargo), self.pool

    def renew(self, broken: Executor) -> None:
        if self.pool is broken:
            self.pool = None

    def close(self) -> None:
        self.closed = True
        if self.pool is not None:
            self.pool.shutdown()


def processes() -> Executor:
    return ProcessPoolExecutor(2, get_context("spawn"))


def once(task: Task, cargo: bytes | None) -> Answer:
    """A worker that is killed at part 5, the first time."""
    flag = Path(os.environ["ONCE"])
    if task.index == 4 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return work(task, cargo)


def deadly(task: Task, cargo: bytes | None) -> Answer:
    """A worker that is killed at part 5, every time."""
    if task.index == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return work(task, cargo)


def stillborn(task: Task, cargo: bytes | None) -> Answer:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


ONE = TEXT.partition("assert B")[0]


def test_a_worker_that_is_killed_takes_nothing_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCE", str(tmp_path / "once"))
    with closing(AnySite(processes, once)) as site:
        assert said(check(ONE, site)) == said(alone(ONE))
        assert site.made == 2 and (tmp_path / "once").exists()  # type: ignore[attr-defined]


def test_a_part_that_kills_its_workers_is_unknown_and_the_others_are_not() -> None:
    with closing(AnySite(processes, deadly)) as site:
        there, here = check(ONE, site)["A"].pieces, alone(ONE)["A"].pieces
    assert there is not None and here is not None
    assert [p.word for p in there.parts] == [p.word if p.number != 5 else "unknown" for p in here.parts]
    assert there.parts[4].why == "the worker that had it ended, 3 times in a row; it may have run out of memory"


def test_workers_that_never_live_leave_everything_unknown() -> None:
    with closing(AnySite(processes, stillborn, width=1)) as site:
        a = check(ONE, site)["A"]
    assert isinstance(a.verdict, Undecided) and "24 of 24 parts stayed open" in a.verdict.why
    assert a.pieces is not None and "its workers ended again and again" in a.pieces.parts[-1].why


def forgetful(task: Task, cargo: bytes | None) -> Answer:
    """A worker that has not got the program, unless it comes along."""
    return work(replace(task, program=f"{task.program} {task.index}"), cargo)


def test_the_program_is_sent_to_whom_it_is_missing() -> None:
    with closing(AnySite(lambda: ThreadPoolExecutor(1), forgetful)) as site:
        assert said(check(ONE, site)) == said(alone(ONE))


def older(task: Task, cargo: bytes | None) -> Answer:
    return work(replace(task, version="0.0.1"), cargo)


def test_workers_of_another_version_are_refused() -> None:
    with closing(AnySite(lambda: ThreadPoolExecutor(1), older)) as site:
        result = check(TEXT, site)
    assert result.exit_code == 4
    assert len(result.internal_errors) == 6 and "not 0.0.1" in result.internal_errors[0]


def test_a_crew_that_is_sent_home_leaves_what_it_has_done() -> None:
    site = Processes(2)

    def watch(name: str, progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with closing(site):
        result = check(ONE + "assert Z: factors(f1, f2)\n", site, watch=watch)
    assert result.interrupted and result.exit_code in (1, 3)
    (a,) = result.assertions
    assert a.pieces is not None and len(a.pieces.parts) == 24
    done = [p for p in a.pieces.parts if p.why != "interrupted"]
    assert 3 <= len(done) < 24


def descendants(of: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()[1:]]
    found, todo = [], [of]
    while todo:
        above = todo.pop()
        children = [pid for pid, parent in parents if parent == above]
        found, todo = [*found, *children], [*todo, *children]
    return found


def alive(pid: int) -> bool:
    """There is such a process, and it is not just waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_behind(tmp_path: Path, how: signal.Signals) -> None:
    text = TEXT.replace("age every 2, income at [20]", "age every 2, income every 1/4")
    (tmp_path / "a.vf").write_text(text.partition("assert B")[0])
    command = [sys.executable, "-m", "verifier", "check", "--json", "--jobs", "2", "--timeout", "500", "a.vf"]
    source = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    source += "from verifier.surfaces.cli import main\nimport sys\nif __name__ == '__main__': main()\n"
    (tmp_path / "run.py").write_text(source)
    command[1:3] = ["run.py"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    deadline = time.monotonic() + 60
    while len(descendants(process.pid)) < 6 and time.monotonic() < deadline:  # engine, tracker, 2 workers, 2 engines
        time.sleep(0.1)
    family = descendants(process.pid)
    assert len(family) >= 6
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while any(map(alive, family)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in family if alive(pid)] == []
    if how == signal.SIGINT:
        (document,) = json.loads(out)["files"]
        assert document["interrupted"] and document["assertions"][0]["parts_summary"]["parts"] == 12 * 240
        assert "Traceback" not in err


# Dask


needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers on this machine."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    begun: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        with (tmp_path / f"log{len(begun)}").open("wb") as log:
            full = [sys.executable, "-m", *command, "--no-dashboard"]
            begun.append(subprocess.Popen(full, cwd=tmp_path, stdout=log, stderr=log, env=environment))

    file = tmp_path / "scheduler.json"
    try:
        start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text().endswith("}")) and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        for _ in range(2):
            start("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")
        yield address, begun[1:]
    finally:
        for process in reversed(begun):
            process.kill()
            process.wait()


@needs_dask
def test_dask_workers_may_be_killed(cluster: tuple[str, list[subprocess.Popen[bytes]]]) -> None:
    address, workers = cluster

    def watch(name: str, progress: Progress) -> None:
        if name == "A" and progress.done == 4:
            workers[0].kill()

    site = Dask(address)
    deadline = time.monotonic() + 60
    while len(site._client.nthreads()) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    with closing(site):
        there = check(TEXT, site, watch=watch)
    assert workers[0].wait(10) == -signal.SIGKILL and workers[1].poll() is None
    assert said(there) == said(alone())
    assert all(isinstance(c, Computed) for c in there.computed) and there.exit_code == 0


@needs_dask
def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "CONNECT", 1.0)  # it is waited for in full
    with pytest.raises(Unreachable, match="There is no Dask scheduler at tcp"):
        Dask("tcp://127.0.0.1:1")
