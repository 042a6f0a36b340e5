"""The suites: each gives instances, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contest import Instance


@dataclass(frozen=True)
class Options:
    """`models`: a folder of models; `partitions`: ask of every part of a domain besides."""

    models: Path | None = None
    partitions: bool = False


Suite = Callable[[Options], Iterator[Instance]]


class Missing(Exception):
    """What a suite needs to run, in words."""


def folder(options: Options, what: str) -> Path:
    if options.models is None or not options.models.is_dir():
        raise Missing(f"--models must name a folder with {what}.")
    return options.models
