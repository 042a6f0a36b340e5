"""The streams of a command: results to stdout, the rest to stderr; colours and progress only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from verifier.surfaces.exits import ReaderLeft

if TYPE_CHECKING:
    from rich.status import Status

    from verifier.report.terminal import Paint


@dataclass
class Screen:
    """Where a command writes. `lively`: stderr is a terminal that can redraw a line."""

    out: TextIO
    err: TextIO
    out_color: bool
    err_color: bool
    lively: bool
    _status: Status | None = None

    @classmethod
    def of_process(cls, no_color: bool) -> Screen:
        dumb = os.environ.get("TERM") == "dumb"
        color = not (no_color or os.environ.get("NO_COLOR") or dumb)
        out, err = sys.stdout.isatty(), sys.stderr.isatty()
        return cls(sys.stdout, sys.stderr, color and out, color and err, err and not dumb)

    @property
    def paint(self) -> Paint:
        return paint(self.out_color)

    @property
    def paint_err(self) -> Paint:
        return paint(self.err_color)

    def result(self, text: str) -> None:
        """Write a result to stdout."""
        with self._aside():
            write(self.out, text)

    def say(self, text: str) -> None:
        """Write a line to stderr."""
        with self._aside():
            self.out.flush()
            write(self.err, text + "\n")

    @contextmanager
    def working(self, wanted: bool) -> Iterator[None]:
        """While inside, `doing` shows what is being done, in one line that comes and goes."""
        if not (self.lively and wanted):
            yield
            return
        from rich.console import Console
        from rich.status import Status
        from rich.text import Text

        console = Console(file=self.err, no_color=not self.err_color, highlight=False)
        self._status = Status(Text("reading"), console=console)
        try:
            with self._status:
                yield
        finally:
            self._status = None

    def doing(self, text: str) -> None:
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(text, overflow="ellipsis", no_wrap=True))

    @contextmanager
    def _aside(self) -> Iterator[None]:
        status = self._status
        if status is None:
            yield
            return
        status.stop()
        yield
        status.start()


def paint(color: bool) -> Paint:
    from verifier.report.terminal import ansi, plain

    return ansi if color else plain


def write(stream: TextIO, text: str) -> None:
    try:
        "≈".encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        text = text.replace("≈", "~").replace("…", "...")
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderLeft from error
