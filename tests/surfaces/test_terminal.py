"""The line that says what is being done."""

from __future__ import annotations

from fractions import Fraction
from io import StringIO

import pytest
from rich.console import Console

from verifier.surfaces.terminal import Line
from verifier.verdict.many import Progress


@pytest.mark.parametrize(
    ("progress", "shown"),
    [
        (None, ""),
        (Progress(3, 10), "3 of 10, 1:05"),
        (Progress(3, 10, Fraction(1, 3), 1234), "3 of 10, 33.3 % of X certified, 1,234 nodes, 1:05"),
        (Progress(nodes=1), "1 node, 1:05"),
        (Progress(), "1:05"),
    ],
)
def test_the_line_has_what_is_known(progress: Progress | None, shown: str) -> None:
    line, out = Line(), StringIO()
    line.text, line.progress, line.begun = "a.vf: T", progress, line.begun - 65.5
    Console(file=out, width=120, force_terminal=False).print(line.picture())
    said = out.getvalue()
    assert "a.vf: T" in said and said.strip().endswith(shown or "a.vf: T")
    assert ("\u2501" in said or "-" in said) is bool(progress and progress.count)
