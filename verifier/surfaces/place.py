"""Where a command writes: what is there already stays, unless it is the tool's own or that is wanted (`--force`)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from msgspec import Struct

from verifier.report.text import printable

HEAD = 65536
"""The tool's own files say so within so many bytes."""


class CannotWrite(Exception):
    """Why nothing is written, and what to do."""


class Place(Struct, frozen=True):
    """One file to be written. `source`: the file that was read, which always stays; `mark`: what files of the tool's
    own say, so that they may be written over (empty: none may)."""

    path: str
    source: str
    force: bool = False
    mark: bytes = b""

    def check(self) -> None:
        """Raises CannotWrite where it can be seen beforehand."""
        place = Path(self.path)
        try:
            if not self.path:
                raise CannotWrite("`-o` names no file.")
            if place.is_symlink() and not place.exists():
                raise CannotWrite(f"`{self.said}` is a link to `{printable(os.readlink(place))}`, which is not there.")
            if place.is_dir():
                raise CannotWrite(f"`{self.said}` is a folder. Name a file with `-o FILE`.")
            if not place.parent.is_dir():
                raise CannotWrite(f"Cannot write `{self.said}`: there is no folder `{printable(str(place.parent))}`.")
            if place.exists() and Path(self.source).exists() and place.samefile(self.source):
                raise CannotWrite(
                    f"`{self.said}` is the file itself, which stays as it is. Choose another place with `-o FILE`."
                )
            if place.is_file() and not self.force and not self._own():
                raise CannotWrite(
                    f"`{self.said}` is there already, and stays as it is. Choose another place with `-o FILE`, or "
                    "write over it with `--force`."
                )
        except OSError as error:
            raise self._failed(error) from None

    def write(self, data: bytes) -> None:
        """All of it or nothing. Raises CannotWrite."""
        self.check()
        try:
            if Path(self.path).is_file():
                replaced(self.path, data)
            elif Path(self.path).exists():  # a device
                Path(self.path).write_bytes(data)
            else:
                created(self.path, data)
        except OSError as error:
            raise self._failed(error) from None

    @property
    def said(self) -> str:
        return printable(self.path)

    def _own(self) -> bool:
        with open(self.path, "rb") as file:
            return bool(self.mark) and self.mark in file.read(HEAD)

    def _failed(self, error: OSError) -> CannotWrite:
        return CannotWrite(f"Cannot write `{self.said}`: {error.strerror}. Choose another place with `-o FILE`.")


def created(path: str, data: bytes) -> None:
    """A new file; what somebody else has put there in the meantime stays."""
    with open(path, "xb") as file:
        try:
            file.write(data)
            file.flush()
        except BaseException:
            os.unlink(path)
            raise


def replaced(path: str, data: bytes) -> None:
    """Write beside the file, then take its place: a reader sees the old text or the new one. Links stay links."""
    target = Path(path).resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, target.stat().st_mode & 0o7777)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
