"""Exit codes, and what an unexpected exception becomes."""

from __future__ import annotations

from collections.abc import Iterable

FINE, CONTRADICTED, USAGE, UNDECIDED, INTERNAL = range(5)
PLEASE = "This is a mistake in verifier, not in your file: please report it (--debug shows where it is)."


class ReaderLeft(Exception):
    """Nobody reads stdout any more. (click would take a BrokenPipeError for success.)"""


def overall(codes: Iterable[int]) -> int:
    """The code of a run over several files: when several apply, 4, 2, 1, 3."""
    present = set(codes)
    return next((code for code in (INTERNAL, USAGE, CONTRADICTED, UNDECIDED) if code in present), FINE)


def described(error: BaseException) -> str:
    """The type of an exception and what it says, in one line."""
    said = " ".join(str(error).split())[:300].rstrip(".")
    return f"{type(error).__name__}: {said}." if said else f"{type(error).__name__}."
