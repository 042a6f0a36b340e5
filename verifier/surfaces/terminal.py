"""The streams of a command: results to stdout, the rest to stderr; colours and progress only on a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from msgspec import Struct

from verifier.surfaces.exits import ReaderLeft

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from verifier.report.terminal import Paint
    from verifier.verdict.many import Progress


class Screen(Struct):
    """Where a command writes. `lively`: stderr is a terminal that can redraw a line."""

    out: TextIO
    err: TextIO
    out_color: bool
    err_color: bool
    lively: bool
    _line: Line | None = None
    _live: Live | None = None

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
        """While inside, `doing` and `measure` show what is being done, in one line that comes and goes."""
        if not (self.lively and wanted):
            yield
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self.err, no_color=not self.err_color, highlight=False)
        self._line = Line()
        self._live = Live(console=console, get_renderable=self._line.picture, transient=True, refresh_per_second=8)
        try:
            with self._live:
                yield
        finally:
            self._live = self._line = None

    def doing(self, text: str) -> None:
        if self._line is not None:
            self._line.text, self._line.progress = text, None

    def measure(self, text: str, progress: Progress) -> None:
        """How far it is."""
        if self._line is not None:
            self._line.text, self._line.progress = text, progress

    @contextmanager
    def _aside(self) -> Iterator[None]:
        live = self._live
        if live is None:
            yield
            return
        live.stop()
        yield
        live.start()


class Line:
    """What is being done: a sign that moves, words, and where something is counted a bar, the certified share of X, and
    the time."""

    def __init__(self) -> None:
        from rich.spinner import Spinner

        self.text = "reading"
        self.progress: Progress | None = None
        self.begun = time.monotonic()
        self._spinner = Spinner("dots")

    def picture(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        row: list[RenderableType] = [self._spinner, Text(self.text, overflow="ellipsis", no_wrap=True)]
        if self.progress is not None:
            if self.progress.count:
                row.append(ProgressBar(self.progress.count, self.progress.done, width=24))
            row.append(Text(self._counts(self.progress)))
        grid = Table.grid(padding=(0, 1))
        grid.add_row(*row)
        return grid

    def _counts(self, progress: Progress) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.begun), 60)
        said = [
            f"{progress.done} of {progress.count}" if progress.count else "",
            "" if progress.certified is None else f"{float(100 * progress.certified):.1f} % of X certified",
            f"{progress.nodes:,} {'node' if progress.nodes == 1 else 'nodes'}" if progress.nodes else "",
            f"{minutes}:{seconds:02}",
        ]
        return ", ".join(filter(None, said))


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
