"""`verifier` with a puppet for a pipeline, run as a process: each line of a file says what becomes of one assertion.

proved A | refuted A [expected] | unknown A | vacuous A | compute R | mistake | warning | crash A | crash-reading
many A (ten parts) | slow A SECONDS | late A (waits until Ctrl-C has been pressed, or for ever)
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from verifier import api
from verifier.engines.worker import Worker
from verifier.source import Diagnostic, Source
from verifier.surfaces.cli import main
from verifier.verdict.many import Progress
from verifier.verdict.verdict import (
    Checked,
    Computed,
    FileResult,
    Measurement,
    Proved,
    Refuted,
    Undecided,
    Verdict,
    Witness,
)

POINT = Witness({"x": {"size": Fraction(1, 3)}})


@dataclass(frozen=True)
class Puppet:
    """What the surfaces use of `api.Loaded`."""

    path: str
    diagnostics: tuple[Diagnostic, ...]
    names: tuple[str, ...]
    lines: Mapping[str, tuple[str, ...]]
    worker: Worker = Worker()

    def check(
        self,
        options: api.Options = api.Options(),
        done: Callable[[Checked | Computed], None] = lambda result: None,
        site: object = None,
        watch: Callable[[str, Progress], None] = lambda name, progress: None,
    ) -> FileResult:
        if any(d.severity == "error" for d in self.diagnostics):
            return FileResult(self.path, self.diagnostics, lines=self.lines)
        said: list[Checked | Computed] = []
        interrupted = False
        try:
            for line in self.lines[self.path]:
                word, name, *rest = [*line.split(), ""]
                if word == "many":
                    for i in range(10):
                        watch(name, Progress(i, 10, Fraction(i, 20)))
                        time.sleep(0.05)
                if name in (options.only or self.names):
                    said.append(play(word, name, rest, options))
                    done(said[-1])
        except KeyboardInterrupt:
            interrupted = True
        return FileResult(
            self.path,
            self.diagnostics,
            tuple(s for s in said if isinstance(s, Checked)),
            tuple(s for s in said if isinstance(s, Computed)),
            interrupted=interrupted,
            lines=self.lines,
        )


def play(word: str, name: str, rest: list[str], options: api.Options) -> Checked | Computed:
    span = Source("", "").span(0, 0)
    verdict: Verdict = Proved("puppet")
    match word:
        case "compute":
            return Computed(name, "c()", span, 0.0, Measurement(Fraction(1, 10), True))
        case "refuted":
            verdict = Refuted("puppet", POINT)
        case "unknown":
            verdict = Undecided(f"{options.timeout:g} s were not enough.")
        case "crash":
            raise ZeroDivisionError("seven\nof nine")
        case "slow":
            time.sleep(float(rest[0]))
        case "late":
            Path(rest[0]).touch()
            time.sleep(600)
    return Checked(name, "p", "p()", span, verdict, "refuted" if "expected" in rest else "proved", 0.0,
                   vacuous="nothing to say." if word == "vacuous" else "")  # fmt: skip


def load(path: str | Path, options: api.Options = api.Options()) -> Puppet:
    source = Source(str(path), Path(path).read_text(encoding="utf-8"))
    lines = tuple(source.text.splitlines())
    if "crash-reading" in source.text:
        raise RecursionError
    found = [
        Diagnostic("V201", source.span(source.text.index(word), source.text.index(word) + 7), "No.", "Yes.", severity)
        for word, severity in (("mistake", "error"), ("warning", "warning"))
        if word in source.text
    ]
    names = tuple(line.split()[1] for line in lines if len(line.split()) > 1)
    return Puppet(source.path, tuple(found), names, {source.path: lines})


def declared(path: str) -> frozenset[str] | None:
    puppet = load(path)
    return None if any(d.severity == "error" for d in puppet.diagnostics) else frozenset(puppet.names)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it for what they start in the background
    api.load = load  # type: ignore[assignment]
    from verifier.surfaces import check

    check.declared = declared
    sys.argv[0] = "verifier"
    main()
