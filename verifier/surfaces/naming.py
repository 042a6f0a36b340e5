"""What is said when a command names an assertion that there is not."""

from __future__ import annotations

from verifier.api import Loaded
from verifier.report.text import printable
from verifier.source.closest import suggestion
from verifier.syntax import tree


def no_assertion(loaded: Loaded, name: str) -> str:
    """Why there is none of this name, and which there are."""
    known = [d.name.id for d, _ in loaded.items if isinstance(d, tree.Assert)]
    if name in (d.name.id for d, _ in loaded.items):
        return f"`{name}` is a `compute`, and an assertion is needed here. {suggestion('', known, 'There are:')}"
    return f"No assertion is called `{printable(name)}`. {suggestion(name, known, 'There are:')}"
