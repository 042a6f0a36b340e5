"""What an importer says when it cannot give a network, and the limits that it keeps."""

from __future__ import annotations

from pathlib import Path

MOST_BYTES = 50_000_000
MOST_WEIGHTS = 5_000_000
MOST_ENTRIES = 1_000_000
"""Entries of one vector (an input, a layer's output)."""
MOST_STEPS = 10_000


class ImportFailed(Exception):
    """The file does not give a network: `message` says why, `fix` what to do about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class NotYetAvailable(ImportFailed):
    """The kind of model is known, its importer is not written yet."""


def missing_extra(extra: str, library: str) -> ImportFailed:
    """The failure for a library that is not installed: it names the cure."""
    return ImportFailed(f"{library} is not installed.", f'pip install "strong-robust[{extra}]"')


def contents(path: Path) -> bytes:
    """The bytes of a file of at most 50 MB."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ImportFailed(f"{path.name} is larger than {MOST_BYTES // 10**6} MB.", "Use a smaller model.")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImportFailed(f"There is no file {path}.", "Paths are relative to the file that names them.") from None
    except (OSError, ValueError) as error:
        raise ImportFailed(f"{path} cannot be read: {error}.") from None
