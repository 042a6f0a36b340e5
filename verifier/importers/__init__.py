"""Trained models from files: each importer reads one kind and answers with a Network or an ImportFailed.

Reading never runs code from the file. Libraries are imported when a file of their kind is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifier.importers.failure import ImportFailed, NotYetAvailable

if TYPE_CHECKING:
    from verifier.model.network import Floats, Network

    Importer = Callable[[Path], Network]

__all__ = ["IMPORTERS", "ImportFailed", "NotYetAvailable", "from_estimator", "original", "read", "read_onnx", "settled"]


def read_onnx(path: Path) -> tuple[Network, str]:
    """The network of an ONNX file, and the operator at its end that was dropped ("" without one). ImportFailed, or
    what else a damaged file may raise."""
    from verifier.importers import plain_onnx

    if (network := plain_onnx.read(path)) is not None:
        return network, ""
    from verifier.importers import onnx_file

    return onnx_file.parse(path)


def _onnx(path: Path) -> Network:
    return read_onnx(path)[0]


def _sklearn(path: Path) -> Network:
    from verifier.importers import sklearn_file

    return sklearn_file.read(path)


def _keras(path: Path) -> Network:
    from verifier.importers import keras_file

    return keras_file.read(path)


def _not_yet(path: Path) -> Network:
    raise NotYetAvailable("This kind of model cannot be read yet.", "Export the model to ONNX.")


IMPORTERS: dict[str, Importer] = {
    "onnx": _onnx,
    "sklearn": _sklearn,
    "keras": _keras,
    "torch": _not_yet,
    "nnet": _not_yet,
    "table": _not_yet,
}


def read(kind: str, path: Path) -> Network:
    """The network in the file at `path`.

    `kind` is a key of IMPORTERS. ImportFailed is all that it raises, whatever the file holds.
    """
    if kind not in IMPORTERS:
        close = get_close_matches(kind, IMPORTERS, 1)
        known = ", ".join(IMPORTERS)
        raise ImportFailed(
            f"There is no importer called `{kind}`.", f"Did you mean `{close[0]}`?" if close else f"Known: {known}."
        )
    try:
        return IMPORTERS[kind](Path(path))
    except ImportFailed:
        raise
    except Exception as error:  # a file may be damaged in more ways than an importer can name
        raise ImportFailed(
            f"{Path(path).name} could not be understood ({type(error).__name__}: {error}).", "Export it again."
        ) from error


def settled(network: Network, points: Sequence[tuple[Fraction, ...]]) -> bool:
    """Whether `original` need not be asked: no rounding of a network of plain layers changes a class at the points."""
    from verifier.importers import plain_onnx, rounding

    try:
        plain = network.format == "onnx" and plain_onnx.read(Path(network.path)) is not None
    except ImportFailed:
        return False
    return plain and rounding.settled(network, points)


def original(network: Network) -> Callable[[Floats], list[int]] | None:
    """The answer of the library the model comes from: points (n, inputs) -> a class index each.

    None when that library is not installed, for Keras, and for a network that was not read from a file. The file is
    read again: ImportFailed when it is no longer there.
    """
    path = Path(network.path)
    match network.format:
        case "onnx":
            from verifier.importers import onnx_file

            return onnx_file.original(path)
        case "sklearn" if network.path:
            from verifier.importers import sklearn_file

            return sklearn_file.original(path)
        case _:
            return None


def from_estimator(estimator: Any) -> Network:
    """The network of a fitted scikit-learn classifier, also behind scalers in a Pipeline; else ImportFailed."""
    from verifier.importers import sklearn_file

    return sklearn_file.from_estimator(estimator)
