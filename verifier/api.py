"""The whole pipeline on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from verifier.source import Diagnostic
from verifier.verdict.verdict import Checked, Computed, FileResult


@dataclass(frozen=True)
class Options:
    """`settings`: param name -> text of its value (`--set gap=3`); `only`: names of assertions and computes (empty: all);
    `timeout`: seconds for each assertion; `eps`: the oracle distance at which a limit witness is shown ("1/1000")."""

    settings: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    timeout: float = 60.0
    eps: str = "1/1000"


@dataclass(frozen=True)
class Loaded:
    """A file, read and elaborated. `diagnostics` says what is wrong with it; `names` lists its assertions and computes in order."""

    path: str
    diagnostics: tuple[Diagnostic, ...]
    names: tuple[str, ...]
    lines: Mapping[str, tuple[str, ...]]

    def check(
        self, options: Options = Options(), done: Callable[[Checked | Computed], None] = lambda result: None
    ) -> FileResult:
        """Decide every assertion and compute; `done` sees each result as it comes. With errors in the file, nothing runs.

        KeyboardInterrupt ends it with what there is (`interrupted`)."""
        raise NotImplementedError


def load(path: str | Path, options: Options = Options()) -> Loaded:
    """Read `path`; never raises on its content: problems are diagnostics."""
    raise NotImplementedError
