"""Source files and spans. Lines and columns count from 1, offsets from 0; columns count characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from msgspec import Struct


class Span(Struct, frozen=True):
    """A half-open stretch of one file: characters `start` to `end` (offsets, end excluded)."""

    file: str
    line: int
    column: int
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """From the beginning of this span to the end of `other`."""
        return Span(self.file, self.line, self.column, self.start, max(self.end, other.end))


NOWHERE = Span("", 1, 1, 0, 0)


class Source(Struct, frozen=True, dict=True):
    """The text of one file and where its lines begin. `marked`: a byte order mark stands before it."""

    path: str
    text: str
    marked: bool = False

    @cached_property
    def _starts(self) -> list[int]:
        return [0] + [i + 1 for i, c in enumerate(self.text) if c == "\n"]

    def span(self, start: int, end: int) -> Span:
        line = bisect_right(self._starts, start)
        return Span(self.path, line, start - self._starts[line - 1] + 1, start, end)

    def line(self, number: int) -> str:
        """The text of line `number`, without its line break; empty past the end."""
        if not 1 <= number <= len(self._starts):
            return ""
        begin = self._starts[number - 1]
        end = self.text.find("\n", begin)
        return self.text[begin : len(self.text) if end < 0 else end].rstrip("\r")

    def ended(self, text: str) -> str:
        """A text with the line ends of this file; of a mixed one, the first."""
        crlf = self.text[: self.text.find("\n")].endswith("\r")
        return re.sub(r"(?<!\r)\n", "\r\n", text) if crlf else text
