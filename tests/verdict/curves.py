"""Curves as their tables show them."""

from __future__ import annotations

from verifier.api import load_text
from verifier.report.figure import table
from verifier.verdict import figure
from verifier.verdict.verdict import Computed, FileResult


def check(text: str) -> FileResult:
    loaded = load_text(text)
    assert loaded.diagnostics == ()
    return loaded.check()


def drawn(said: Computed) -> figure.Curve:
    assert isinstance(said.result.figure, figure.Curve), said.reason
    return said.result.figure


def rows(declarations: str) -> list[tuple[str, ...]]:
    result = check(f"labels {{ no, yes }}\n{declarations}\ncompute W: modulus_curve(f1, f2)\n")
    assert result.internal_errors == ()
    return [tuple(cell.replace(", not attained", "") for cell in row) for row in table(drawn(result.computed[0]))[1:]]
