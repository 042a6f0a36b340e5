from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

FAKE = Path(__file__).with_name("fake.py")
Run = Callable[..., subprocess.CompletedProcess[str]]


def clean_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")} | {"PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def puppet(tmp_path: Path) -> Run:
    """Runs `verifier` with the puppet pipeline in an empty folder."""

    def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(FAKE), *arguments],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            env=clean_environment() | environment,
        )

    return run


def run(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The real `verifier`, in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "verifier", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env=clean_environment(),
    )


@pytest.fixture
def verifier(tmp_path: Path) -> Run:
    """Runs the real `verifier` in an empty folder."""
    return partial(run, tmp_path)
