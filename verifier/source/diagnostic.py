"""Diagnostics are values: a code, a place, what is wrong, and how to mend it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from verifier.source.text import Span

Severity = Literal["error", "warning"]


class Diagnostic(Struct, frozen=True):
    """One thing to tell the writer of a file.

    `code` is stable (V1xx text and syntax, V2xx names, V3xx sorts and shapes, V4xx meaning, V5xx files and models).
    """

    code: str
    span: Span
    message: str
    fix: str = ""
    severity: Severity = "error"


class Rejected(Exception):
    """Carries diagnostics from deep inside one declaration to the place that collects them.

    Never leaves the package: every stage catches it at a declaration's border and goes on.
    """

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics
