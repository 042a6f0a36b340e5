"""Work that is done elsewhere: by processes of this machine, or by the workers of a cluster.

What travels is the name of an assertion and the number of a row or part. The program itself travels to a worker once:
one that has not got it says `Missing`, and gets it with the next try. So any `concurrent.futures.Executor` will do, and
workers may come and go. A worker that dies takes nothing with it: what it had is done again.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache, cached_property
from itertools import chain
from math import inf
from typing import TYPE_CHECKING, Protocol, assert_never

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.asked import Asked
from verifier.engines.engine import EngineFailed
from verifier.engines.portfolio import Portfolio
from verifier.engines.worker import Worker
from verifier.model.assertion import claim_of, measure_of, scattered
from verifier.model.claim import ByConstruction, Claim, Computation, Infimum, Later, Many, Measured, Parts, Rows
from verifier.model.program import Program
from verifier.syntax import tree
from verifier.verdict import parts, rows
from verifier.verdict.blocks import common
from verifier.verdict.decide import Decider, Outcome
from verifier.verdict.many import LEAST, OUT_OF_TIME, Settle, Settled, own_time, timed
from verifier.verdict.verdict import Measurement, Undecided

if TYPE_CHECKING:  # most files need no other process
    from concurrent.futures import Executor, Future

AHEAD = 2
"""So many tasks a worker are under way, so that none waits for the next one."""
MOST_TRIES = 3
"""A row or part with which so many workers died is unknown."""
MOST_LOSSES = 6
"""After so many losses without an answer in between, nobody is left."""
LATE = 10.0
"""Seconds after the end within which what is under way may still come in."""
PATIENCE, WORTH = 2.0, 5.0
"""Without having been asked, a crew joins after so many seconds if about so many more are to come."""
KEPT = 4
"""So many programs a worker remembers."""


# Elsewhere -----------------------------------------------------------------------------------------------------------


class Task(Struct, frozen=True):
    """The assertion or compute `name` of a program; or of its claims about rows or parts, in the order of the text, the
    `place`-th, of this the row or part `index`."""

    version: str
    program: str
    name: str
    place: int | None
    index: int
    seconds: float = 0.0


class Missing(Struct, frozen=True):
    """This worker has not got the program."""


class Broke(Struct, frozen=True):
    """The tool itself is at fault."""

    what: str


class Did(Struct, frozen=True):
    """`result`: of a whole assertion or compute also why there is none."""

    result: Settled | Outcome | Measurement | Undecided | Broke
    seconds: float = 0.0
    asked: tuple[Asked, ...] = ()
    nodes: int = 0

    def found(self, number: bool) -> Outcome | Measurement:
        """The answer of a whole assertion, or (`number`) compute. Raises EngineFailed."""
        match self.result:
            case Broke(what):
                raise EngineFailed(what)
            case Undecided(why):
                return Measurement(None, why=why) if number else Outcome(self.result)
            case Settled():
                raise AssertionError("a row or part is no whole assertion")
            case answer:
                return answer


Answer = Did | Missing | Broke


@cache
def version() -> str:
    """Of this package, as it is installed."""
    from importlib import metadata  # it loads much

    try:
        return metadata.version("strong-robust")
    except metadata.PackageNotFoundError:
        return "unknown"


class Station:
    """One thread of a worker, with a program and an engine process of its own."""

    def __init__(self, program: Program, eps: Fraction, doubting: bool, recording: bool, keeping: bool) -> None:
        self.program = program
        self.engine = Worker()
        self.portfolio = Portfolio(self.engine, True, doubting, recording, keeping)
        self.decider = Decider(program, self.portfolio, eps)
        self.known: dict[tuple[str, int], Settle] = {}

    def do(self, task: Task) -> Settled | Outcome | Measurement:
        named: list[tree.Assert | tree.Compute] = [*self.program.assertions, *self.program.computes]
        declared = next(d for d in named if d.name.id == task.name)
        if isinstance(declared, tree.Compute):
            return self.decider.compute(measure_of(self.program, declared.body), task.seconds)
        if task.place is None:
            return self.decider.decide(claim_of(self.program, declared.body), task.seconds)
        self.decider.end = time.monotonic() + task.seconds
        key = task.name, task.place
        if key not in self.known:
            self.known[key] = self._settle(list(scattered(claim_of(self.program, declared.body)))[task.place])
        settled = timed(self.known[key], task.index, task.seconds)
        if not isinstance(settled.verdict, Undecided):
            self.portfolio.confirm(min(self.decider.left(), max(LEAST, settled.seconds)))  # others wait, too
            if not self.portfolio.keeping:  # the proofs are long, and the kernel has read them here
                settled.verdict = replace(settled.verdict, certificates=())
        return settled

    def _settle(self, claim: Many) -> Settle:
        match claim:
            case Rows():
                return rows.alone(self.decider, claim)
            case Parts():
                return parts.alone(self.decider, claim, common(self.decider, claim))
            case _:
                assert_never(claim)


stations: dict[tuple[int, str], Station] = {}
"""What this worker process remembers, thread by thread: (thread, digest of the program)."""


def work(task: Task, cargo: bytes | None) -> Answer:
    """Do a task; runs in a worker."""
    if task.version != version():
        return Broke(f"a worker runs version {version()}, not {task.version}")
    begun = time.monotonic()
    try:
        key = threading.get_ident(), task.program
        if key not in stations:
            if cargo is None:
                return Missing()
            for old in [k for k in stations if k[0] == key[0]][: 1 - KEPT]:
                stations.pop(old).engine.close()
            stations[key] = Station(*pickle.loads(cargo))
        station = stations[key]
        station.portfolio.taken()
        station.portfolio.nodes = 0
        result = station.do(task)
        return Did(result, time.monotonic() - begun, station.portfolio.taken(), station.portfolio.nodes)
    except Exception as error:
        return Broke(f"{type(error).__name__}: {error}")


def dismiss() -> None:
    """End the engines of this worker."""
    for station in list(stations.values()):
        station.engine.close()


# Here ----------------------------------------------------------------------------------------------------------------


class Site(Protocol):
    """Where a crew works. `eager`: it was asked for, so that it works from the start."""

    width: int
    eager: bool
    closed: bool

    def submit(self, task: Task, cargo: bytes | None) -> tuple[Future[Answer], Executor]: ...

    def renew(self, broken: Executor) -> None:
        """Put another in the place of an executor that broke, unless that has been done."""
        ...

    def close(self) -> None:
        """Send everybody home at once."""
        ...


class Job(Struct):
    """A task on its way. `number`: what its answer is called; `alone`: nothing else is under way with it."""

    number: int
    task: Task
    cargo: bool = False
    alone: bool = False
    tries: int = 0


class Crew:
    """The crew of one program at a site."""

    def __init__(self, site: Site, program: Program, eps: Fraction, home: Portfolio) -> None:
        self.site, self.program, self.eps, self.home = site, program, eps, home
        self.given = 0

    @cached_property
    def cargo(self) -> bytes:
        habits = self.home.doubting, self.home.recording, self.home.keeping
        return pickle.dumps((self.program, self.eps, *habits), protocol=pickle.HIGHEST_PROTOCOL)

    @cached_property
    def digest(self) -> str:
        from hashlib import sha256

        return sha256(self.cargo).hexdigest()

    def task(self, name: str, place: int | None = None, index: int = 0) -> Task:
        return Task(version(), self.digest, name, place, index)

    def about(self, name: str, claim: Claim) -> Shift:
        """The crew, at the rows and parts of this assertion."""
        return Shift(self, name, tuple(scattered(claim)))

    def whole(self, names: Sequence[str], seconds: float) -> Iterator[Did]:
        """These assertions and computes, with so many seconds each, in this order."""
        jobs = (Job(i, self.task(name)) for i, name in enumerate(names))
        waiting: dict[int, Did] = {}
        wanted = 0
        for number, did in Errand(self, jobs, len(names), inf, seconds):
            waiting[number] = did
            while wanted in waiting:
                yield waiting.pop(wanted)
                wanted += 1

    def send(self, job: Job, seconds: float) -> tuple[Future[Answer], Executor]:
        """Hand a job in. The first ones have the program with them."""
        self.given += 1
        with_it = job.cargo or self.given <= AHEAD * self.site.width
        return self.site.submit(replace(job.task, seconds=seconds), self.cargo if with_it else None)


class Shift(Struct, frozen=True):
    """A crew at the rows and parts of one assertion."""

    crew: Crew
    name: str
    claims: tuple[Many, ...]

    def joins(self, seconds: float, done: int, left: int) -> bool:
        return self.crew.site.eager or (seconds > PATIENCE and seconds * left > WORTH * done)

    def settle(self, claim: Many, indices: Sequence[int], end: float) -> Iterator[tuple[int, Settled]]:
        place = next((i for i, c in enumerate(self.claims) if c is claim), None)
        assert place is not None
        jobs = (Job(index, self.crew.task(self.name, place, index)) for index in indices)
        for index, did in Errand(self.crew, jobs, len(indices), end):
            assert isinstance(did.result, Settled)
            self.crew.home.asked += did.asked
            self.crew.home.nodes += did.nodes
            yield index, did.result


class Errand:
    """Jobs, each of which is answered, in whatever order: (number, answer). Each has its share of the time until `end`,
    or `seconds`."""

    def __init__(self, crew: Crew, jobs: Iterator[Job], left: int, end: float, seconds: float | None = None) -> None:
        self.crew, self.site = crew, crew.site
        self.fresh, self.left, self.end, self.seconds = jobs, left, end, seconds
        self.again, self.suspects = deque[Job](), deque[Job]()
        self.flying: dict[Future[Answer], tuple[Job, Executor]] = {}
        self.losses, self.lost = 0, ""

    def __iter__(self) -> Iterator[tuple[int, Did]]:
        from concurrent.futures import FIRST_COMPLETED, wait

        while self.losses < MOST_LOSSES and self._send() is not None:
            limit = None if self.end == inf else max(0.0, self.end + LATE - time.monotonic())
            finished = wait(self.flying, limit, FIRST_COMPLETED).done
            if not finished:
                break
            for future in finished:
                yield from self._answer(future)
        why = self.lost if self.losses >= MOST_LOSSES else OUT_OF_TIME
        for job in chain((job for job, _ in self.flying.values()), self.suspects, self.again, self.fresh):
            yield job.number, nothing(job, why, final=why != OUT_OF_TIME)

    def _send(self) -> int | None:
        """Hand in what there is room for; how much is under way, None when nothing is left to do. A suspect flies
        alone."""
        while time.monotonic() < self.end and self.losses < MOST_LOSSES:
            if len(self.flying) >= (1 if self.suspects else AHEAD * self.site.width) or self._one_alone():
                break
            job = self._next()
            if job is None:
                break
            share = self.seconds or own_time(self.end - time.monotonic(), self.left, self.site.width)
            try:
                future, executor = self.crew.send(job, share)
                self.flying[future] = job, executor
            except Exception as error:
                self._lose(error)
                self.again.append(job)
        return len(self.flying) or None

    def _one_alone(self) -> bool:
        return any(job.alone for job, _ in self.flying.values())

    def _next(self) -> Job | None:
        for queue in (self.suspects, self.again):
            if queue:
                return queue.popleft()
        return next(self.fresh, None)

    def _lose(self, error: Exception) -> None:
        if self.site.closed:
            raise KeyboardInterrupt
        self.losses += 1
        said = str(error).strip()
        self.lost = f"its workers ended again and again ({type(error).__name__}{': ' if said else ''}{said})"

    def _answer(self, future: Future[Answer]) -> Iterator[tuple[int, Did]]:
        from concurrent.futures import BrokenExecutor

        job, executor = self.flying.pop(future)
        try:
            answer = future.result()
        except Exception as error:
            self._lose(error)
            yield from self._retry(job, executor, isinstance(error, BrokenExecutor))
            return
        self.losses = 0
        match answer:
            case Missing():
                job.cargo = True
                self.again.appendleft(job)
            case Broke(what):
                if job.task.place is not None:
                    raise EngineFailed(what)
                yield job.number, Did(answer)
            case Did():
                self.left -= 1
                yield job.number, answer

    def _retry(self, job: Job, executor: Executor, shared: bool) -> Iterator[tuple[int, Did]]:
        """Of a `shared` end, which took all with it that was under way, the guilty job is found when each is alone."""
        if shared:
            self.site.renew(executor)
        job.tries += job.alone or not shared
        if job.tries >= MOST_TRIES:
            self.left -= 1
            why = f"the worker that had it ended, {job.tries} times in a row; it may have run out of memory"
            yield job.number, nothing(job, why, final=True)
        elif shared:
            job.alone = True
            self.suspects.append(job)
        else:
            self.again.append(job)


def nothing(job: Job, why: str, final: bool) -> Did:
    """The answer to a job that got none."""
    return Did(Settled(Undecided(why), final=final) if job.task.place is not None else Undecided(why))


def undivided(claim: Claim | Measured) -> bool:
    """It is worth a journey, and not about many rows or parts."""
    match claim:
        case Infimum() | Computation():
            return True
        case Later() | ByConstruction():
            return False
        case _:
            return next(scattered(claim), None) is None
