"""`verifier check`: several files in parallel, or what is in one file; results in order."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, TypeVar

import click
from msgspec import Struct, field
from msgspec.structs import replace

from verifier.api import Loaded, Options, load
from verifier.engines.nursery import allowed
from verifier.report.terminal import diagnostic_text, file_text, summary
from verifier.report.text import printable
from verifier.source import Diagnostic
from verifier.source.closest import closest
from verifier.surfaces.exits import PLEASE, UNDECIDED, described, overall
from verifier.surfaces.terminal import Screen
from verifier.syntax import tree
from verifier.syntax.lexer import read
from verifier.syntax.parser import parse
from verifier.verdict.crew import Site
from verifier.verdict.many import Progress
from verifier.verdict.sites import Dask, Processes, Unreachable
from verifier.verdict.verdict import Checked, Computed, FileResult

A = TypeVar("A")
B = TypeVar("B")

GRACE = 2.0
"""Seconds a running check has to stop after Ctrl-C before it is left behind."""


class Job(Struct):
    """One file on its way to a result."""

    path: str
    only: frozenset[str] = frozenset()
    loaded: Loaded | None = None
    said: list[Checked | Computed] = []
    result: FileResult | None = None

    @property
    def running(self) -> bool:
        return self.loaded is not None and self.result is None

    def so_far(self) -> FileResult:
        """The result, or what an interrupted check has said."""
        if self.result is not None:
            return self.result
        return FileResult(
            self.path,
            self.loaded.diagnostics if self.loaded else (),
            assertions=tuple(s for s in self.said if isinstance(s, Checked)),
            computed=tuple(s for s in self.said if isinstance(s, Computed)),
            interrupted=True,
            lines=self.loaded.lines if self.loaded else {},
        )


class Session(Struct):
    """One run of the command."""

    options: Options
    screen: Screen
    debug: bool = False
    site: Site | None = None
    stop: Event = field(default_factory=Event)

    def check(self, job: Job) -> Job:
        """Read and check one file; whatever happens, the job has a result."""
        options = replace(self.options, only=job.only)

        def done(said: Checked | Computed) -> None:
            if self.stop.is_set():
                raise KeyboardInterrupt
            job.said.append(said)
            self.screen.doing(f"{job.path}: {said.name} is done, {len(job.said)} of {total}")

        def watch(name: str, progress: Progress) -> None:
            if self.stop.is_set():
                raise KeyboardInterrupt
            self.screen.measure(f"{job.path}: {name}", progress)

        self.screen.doing(job.path)
        try:
            job.loaded = load(job.path, options)
            total = len(job.only or job.loaded.names)
            result = job.loaded.check(options, done, self.site, watch)
            job.result = job.so_far() if result.interrupted else result
        except KeyboardInterrupt:
            job.result = job.so_far()
        except Exception as error:
            so_far = job.so_far()
            if not self.stop.is_set():
                so_far = replace(so_far, internal_errors=(described(error),), interrupted=False)
                if self.debug:
                    import traceback

                    traceback.print_exception(error)
            job.result = so_far
        return job

    def interrupt(self, jobs: Sequence[Job]) -> None:
        """End the running checks; they have GRACE seconds, or until the next Ctrl-C, to say so."""
        self.stop.set()
        deadline = time.monotonic() + GRACE
        try:
            if self.site is not None:
                self.site.close()
            for job in jobs:
                if job.loaded is not None and job.running:
                    job.loaded.worker.close()
            while any(job.running for job in jobs) and time.monotonic() < deadline:
                time.sleep(0.02)
        except KeyboardInterrupt:
            return


def selected(paths: Sequence[str], only: frozenset[str]) -> list[Job]:
    """The files that declare something `--only` names, and those with a mistake; all of them without it."""
    if not only:
        return [Job(path) for path in paths]
    names = {path: declared(path) for path in paths}
    known = {name for found in names.values() for name in found or ()}
    missing = sorted(only - known)
    if missing and None not in names.values():
        near = closest(missing[0], known)
        hint = f"Did you mean `{near}`?" if near else f"There are: {', '.join(sorted(known)) or 'none at all'}."
        raise click.UsageError(f"No assertion or compute is called `{printable(missing[0])}`. {hint}")
    return [Job(path, only & (found or only)) for path, found in names.items() if found is None or only & found]


def declared(path: str) -> frozenset[str] | None:
    """The names of the assertions and computes of a file; None when it has a mistake."""
    source = read(path)
    if isinstance(source, Diagnostic):
        return None
    file, mistakes = parse(source)
    return (
        None
        if mistakes
        else frozenset(d.name.id for d in file.declarations if isinstance(d, tree.Assert | tree.Compute))
    )


class Hands(Struct, frozen=True):
    """Who works: so many processes, or the workers of a scheduler. No number: processors, where it pays."""

    jobs: int | None = None
    scheduler: str | None = None

    @property
    def count(self) -> int:
        return self.jobs or os.cpu_count() or 1

    @contextmanager
    def site(self, files: int) -> Iterator[Site | None]:
        """Where the crew works: of one file what is in it is spread; of several, with processes, only the files."""
        site: Site | None = None
        if self.scheduler is not None:
            try:
                site = Dask(self.scheduler)
            except Unreachable as error:
                raise click.UsageError(str(error)) from None
        elif files == 1 and self.count > 1:
            site = Processes(self.count, eager=self.jobs is not None)
        try:
            yield site
        finally:
            if site is not None:
                site.close()


def run(
    paths: Sequence[str],
    options: Mapping[str, Any],
    screen: Screen,
    *,
    as_json: bool,
    hands: Hands,
    quiet: bool,
    show: bool,
    debug: bool,
    certificate: str | None = None,
) -> int:
    """Check `paths`, print what comes out; the exit code."""
    session = Session(Options(**options), screen, debug)
    files = selected(paths, session.options.only)
    session.options = replace(session.options, strict=len(files) == 1)
    page = Page(screen, several=len(files) > 1, quiet=quiet, silent=as_json)
    interrupted = False
    shown = 0
    threads = len(files) > 1 or (screen.lively and show)
    with allowed(now=threads), hands.site(len(files)) as session.site, screen.working(wanted=show):
        try:
            for job in in_order(session.check, files, hands.count):
                if job.so_far().interrupted:
                    raise KeyboardInterrupt
                page.show(job.so_far())
                shown += 1
        except KeyboardInterrupt:
            interrupted = True
            session.interrupt(files)
            for job in files[shown:]:
                page.show(job.so_far())
    results = [job.so_far() for job in files]
    for result in results if certificate is not None else ():
        from verifier.surfaces.certificates import save

        for line in save(result, str(certificate)):
            screen.say(line)
    code = overall([*(r.exit_code for r in results), *([UNDECIDED] if interrupted else [])])
    if as_json:
        from verifier.report.json_report import document

        screen.result(document(results, code) + "\n")
        return code
    if len(results) > 1:
        screen.result(f"\n{summary(results)}\n")
    if interrupted:
        rest = sum(r.interrupted for r in results)
        screen.say(f"Interrupted: {rest} of {len(results)} files not checked to the end.")
    return code


class Page(Struct):
    """Prints results one below the other."""

    screen: Screen
    several: bool
    quiet: bool
    silent: bool
    empty: bool = True

    def show(self, result: FileResult) -> None:
        if self.silent:
            return
        for diagnostic in result.diagnostics:
            if diagnostic.severity == "error" or not self.quiet:
                self.screen.say(diagnostic_text(diagnostic, result.lines, self.screen.paint_err))
        text = file_text(result, self.screen.paint, title=self.several, quiet=self.quiet)
        if text:
            self.screen.result(text if self.empty else "\n" + text)
            self.empty = False
        for error in result.internal_errors:
            self.screen.say(f"{printable(result.path)}: internal error: {printable(error)} {PLEASE}")


def in_order(function: Callable[[A], B], items: Sequence[A], jobs: int) -> Iterator[B]:
    """`map` by `jobs` threads. They are daemons, so that Ctrl-C never waits for one; with one job there is no thread,
    and Ctrl-C reaches the function itself."""
    if jobs == 1 or len(items) < 2:
        yield from map(function, items)
        return
    from concurrent.futures import Future

    waiting = deque((item, Future[B]()) for item in items)
    futures = [future for _, future in waiting]

    def work() -> None:
        while waiting:
            try:
                item, future = waiting.popleft()
            except IndexError:
                return
            try:
                future.set_result(function(item))
            except BaseException as error:
                future.set_exception(error)

    for _ in range(min(jobs, len(items))):
        Thread(target=work, daemon=True).start()
    try:
        for future in futures:
            yield future.result()
    finally:
        waiting.clear()
