"""The table of importers, and what they share."""

import subprocess
import sys
from pathlib import Path

import pytest

from verifier.importers import IMPORTERS, ImportFailed, NotYetAvailable, original, read
from verifier.importers.failure import MOST_BYTES
from verifier.model.network import Network


def test_importing_the_table_loads_no_library() -> None:
    heavy = "numpy onnx onnxruntime sklearn skops h5py safetensors scipy pandas google".split()
    code = f"import sys, verifier.importers; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("kind", ["torch", "nnet", "table"])
def test_planned_kinds_say_so(kind: str, tmp_path: Path) -> None:
    with pytest.raises(NotYetAvailable, match="cannot be read yet"):
        read(kind, tmp_path)


def test_an_unknown_kind_is_answered_with_the_closest() -> None:
    with pytest.raises(ImportFailed) as caught:
        read("onx", Path("model.onnx"))
    assert caught.value.fix == "Did you mean `onnx`?"


@pytest.mark.parametrize(
    ("kind", "library", "extra"),
    [("onnx", "onnx", "onnx"), ("sklearn", "skops", "sklearn"), ("keras", "h5py", "keras")],
)
def test_a_missing_library_is_answered_with_its_cure(
    kind: str, library: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    path = tmp_path / "model"
    path.write_bytes(b"PK")
    with pytest.raises(ImportFailed) as caught:
        read(kind, path)
    assert caught.value.fix == f'pip install "strong-robust[{extra}]"'


@pytest.mark.parametrize("kind", sorted(IMPORTERS))
def test_every_importer_refuses_what_is_too_large_or_no_path(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    for given in (path, tmp_path, tmp_path / "no", Path("\0"), Path("x" * 5000)):
        with pytest.raises(ImportFailed):
            read(kind, given)


def test_a_network_from_nowhere_has_no_original() -> None:
    assert original(Network(1, (), "positive", 0)) is None
