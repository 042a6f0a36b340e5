"""Run in a process of its own by `keras_file`: HDF5 bytes on stdin, the weights on stdout.

The HDF5 library may crash or hang on damaged bytes; here that costs one small process, not the verifier. It imports
nothing of the package. The answer is one line of JSON, {"config": text or null, "arrays": [[layer, shape], ...]} or
{"error": message}, then the numbers of the arrays as float64, little endian.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

Named = tuple[str, Any]


class Refused(Exception):
    """The file is read no further."""


def inside(file: Any, path: str) -> Any:
    """The group or dataset at `path`; links, which might lead to other files, are refused."""
    here = file
    for part in path.strip("/").split("/"):
        if not isinstance(here, h5py.Group) or not isinstance(here.get(part, getlink=True), h5py.HardLink):
            raise Refused(f"There are no weights at {path} in the file.")
        here = here[part]
    return here


def dataset(file: Any, path: str, most: int) -> Any:
    """The numbers at `path`, which must lie in this file."""
    found = inside(file, path)
    if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual or found.dtype.kind not in "fiu":
        raise Refused(f"The weights at {path} are not numbers of this file.")
    if found.dtype.itemsize > 8 or found.size is None or found.size > most:
        raise Refused(f"The weights at {path} are too large: at most {most:,} numbers of 64 bits are possible.")
    return found[()].astype("<f8")


def text(given: Any) -> str:
    return given.decode() if isinstance(given, bytes) else str(given)


def legacy(file: Any, most: int) -> Iterator[Named]:
    """`.h5`: model_weights/<layer> lists the names of its weights in `weight_names`."""
    for layer in inside(file, "model_weights"):
        group = inside(file, f"model_weights/{layer}")
        for name in group.attrs.get("weight_names", ()):
            yield layer, dataset(file, f"model_weights/{layer}/{text(name)}", most)


def current(file: Any, most: int) -> Iterator[Named]:
    """`.keras`: layers/dense, layers/dense_1, ..., each with vars/0, vars/1."""
    for layer in inside(file, "layers") if "layers" in file else ():
        if re.fullmatch("dense(_[0-9]+)?", layer):
            for i in range(len(inside(file, f"layers/{layer}/vars"))):
                yield layer, dataset(file, f"layers/{layer}/vars/{i}", most)


def answer(data: bytes, most: int) -> tuple[dict[str, Any], list[Any]]:
    """The line of JSON and the arrays; at most `most` numbers."""
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            config = text(file.attrs["model_config"]) if "model_config" in file.attrs else None
            found = []
            for layer, array in (legacy if "model_weights" in file else current)(file, most):
                most -= array.size
                found.append((layer, array))
    except Refused as refusal:
        return {"error": str(refusal)}, []
    except Exception as error:  # HDF5 raises many types on damaged files
        return {"error": f"The file is damaged: {error}."}, []
    return {"config": config, "arrays": [[layer, array.shape] for layer, array in found]}, [a for _, a in found]


def main(most: int) -> None:
    with open(0, "rb", closefd=False) as inbox, open(1, "wb", closefd=False) as outbox:
        header, arrays = answer(inbox.read(), most)
        outbox.write(json.dumps(header).encode() + b"\n")
        for array in arrays:
            outbox.write(np.ascontiguousarray(array).tobytes())


if __name__ == "__main__":
    main(int(sys.argv[1]))
