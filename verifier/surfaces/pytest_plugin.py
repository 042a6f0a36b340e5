"""pytest collects `.vf` files, one test an assertion: those named on its command line, and those it finds with
`--verifier`, or `verifier_files = true` in its ini file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # pytest loads this module in every project: nothing heavy until a `.vf` file is collected
    from _pytest._code.code import ExceptionInfo, TerminalRepr

    from verifier.api import Loaded


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("verifier")
    group.addoption("--verifier", action="store_true", help="collect .vf files: every assertion is a test")
    parser.addini("verifier_files", "collect .vf files: every assertion is a test", type="bool", default=False)
    parser.addini("verifier_timeout", "seconds for each assertion of a .vf file", default="60")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ClaimFile | None:
    if file_path.suffix != ".vf":
        return None
    config = parent.config
    if parent.session.isinitpath(file_path) or config.getoption("--verifier") or config.getini("verifier_files"):
        return ClaimFile.from_parent(parent, path=file_path)
    return None


class NotMet(Exception):
    """The report of an assertion that does not meet its `expect`."""


class ClaimFile(pytest.File):
    """A `.vf` file: one item for each assertion and compute, or an error that shows its diagnostics."""

    loaded: Loaded

    def collect(self) -> Iterator[ClaimItem]:
        from verifier.api import load
        from verifier.report.terminal import diagnostic_text

        self.loaded = load(self.path)
        errors = [d for d in self.loaded.diagnostics if d.severity == "error"]
        if errors:
            raise self.CollectError("\n".join(diagnostic_text(d, self.loaded.lines) for d in errors))
        for name in self.loaded.names:
            yield ClaimItem.from_parent(self, name=name)


class ClaimItem(pytest.Item):
    """One assertion."""

    parent: ClaimFile

    def runtest(self) -> None:
        from verifier.api import Options
        from verifier.report.terminal import file_text

        timeout = float(self.config.getini("verifier_timeout"))
        result = self.parent.loaded.check(Options(only=frozenset({self.name}), timeout=timeout))
        if result.interrupted:
            raise KeyboardInterrupt
        if result.exit_code != 0:
            raise NotMet(file_text(result).rstrip("\n"))

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: str | None = None) -> str | TerminalRepr:
        return str(excinfo.value) if isinstance(excinfo.value, NotMet) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"
