"""What people install: the wheel is complete and says what it is."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import verifier

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_carries_the_grammar_and_its_types(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert wheel.read("verifier/grammar/verifier.lark") == (ROOT / "grammar" / "verifier.lark").read_bytes()
    assert "verifier/py.typed" in names
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "verifier").rglob("*.py")}
    assert modules <= set(names)
    assert {name.partition("/")[0] for name in names} == {"verifier", f"strong_robust-{verifier.__version__}.dist-info"}


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    info = f"strong_robust-{verifier.__version__}.dist-info"
    metadata = Parser().parsestr(wheel.read(f"{info}/METADATA").decode())
    assert metadata["Name"] == "strong-robust" and metadata["Version"] == verifier.__version__
    assert metadata["License-Expression"] == "MIT" and f"{info}/licenses/LICENSE" in wheel.namelist()
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    assert "verifier = verifier.surfaces.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
