"""What an importer says when it cannot give a network, and the limits that it keeps."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO
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
    """The bytes of a file of at most 50 MB; of one that is called .gz, what is packed in it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise too_large(path)
        data = path.read_bytes()
        return unpacked(path, data) if path.suffix == ".gz" else data
    except FileNotFoundError:
        raise ImportFailed(f"There is no file {path}.", "Paths are relative to the file that names them.") from None
    except (OSError, ValueError) as error:
        raise ImportFailed(f"{path} cannot be read: {error}.") from None


def unpacked(path: Path, data: bytes) -> bytes:
    """What gzip packed."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            found = file.read(MOST_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        why = "it ends too early" if isinstance(error, EOFError) else str(error).lower()
        raise ImportFailed(f"{path.name} is no sound gzip file: {why}.", "Pack it again, or unpack it.") from None
    if len(found) > MOST_BYTES:
        raise too_large(path)
    return found


def too_large(path: Path) -> ImportFailed:
    return ImportFailed(f"{path.name} is larger than {MOST_BYTES // 10**6} MB.", "Use a smaller model.")
