"""Keras files in the layouts that Keras 2 and Keras 3 write, made here with h5py."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nursery import Started, nursed
from verifier.importers import ImportFailed, original, read

h5py = pytest.importorskip("h5py")
RNG = np.random.default_rng(0)
Weights = dict[str, list[np.ndarray]]
X = RNG.normal(size=(20, 4))


def f32(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def dense(name: str, units: int, activation: Any = "relu", **more: Any) -> dict[str, Any]:
    config = {"name": name, "units": units, "activation": activation, "use_bias": True, **more}
    return {"class_name": "Dense", "config": config}


def layer(kind: str, name: str = "", **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name or kind.lower(), **config}}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    first = {**layers[0], "config": {"batch_input_shape": [None, 4], **layers[0]["config"]}}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *layers[1:]]}}


def h5(config: Any, weights: Weights, prefix: str = "") -> bytes:
    """`.h5`: attributes `model_config` and `weight_names`, one group a layer."""
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = list(weights)
        for name, arrays in weights.items():
            inner = group.create_group(name)
            names = [f"{prefix}{name}/{part}" for part in ("kernel:0", "bias:0")[: len(arrays)]]
            inner.attrs["weight_names"] = names
            for place, array in zip(names, arrays, strict=True):
                inner.create_dataset(place, data=array)
    return out.getvalue()


def zipped(config: Any, weights: Weights) -> bytes:
    """`.keras`: config.json and model.weights.h5 with layers/dense, layers/dense_1, ..."""
    inner, out = io.BytesIO(), io.BytesIO()
    with h5py.File(inner, "w") as file:
        for index, arrays in enumerate(weights.values()):
            for i, array in enumerate(arrays):
                file[f"layers/dense{f'_{index}' if index else ''}/vars/{i}"] = array
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", inner.getvalue())
    return out.getvalue()


LAYOUTS: list[Callable[[Any, Weights], bytes]] = [h5, zipped, lambda c, w: h5(c, w, "sequential/")]
A: Weights = {"a": [f32(4, 5), f32(5)], "b": [f32(5, 3), f32(3)], "c": [f32(3, 1), f32(1)]}


def scores_of(path: Path, data: bytes) -> np.ndarray:
    path.write_bytes(data)
    network = read("keras", path)
    assert original(network) is None
    return network.floats(X)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def times(x: np.ndarray, name: str, weights: Weights = A) -> np.ndarray:
    kernel, *bias = weights[name]
    return x @ kernel.astype(float) + (bias[0] if bias else 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sequential_model_ends_in_its_logit(layout: Callable[[Any, Weights], bytes], tmp_path: Path) -> None:
    config = sequential(dense("a", 5), layer("Dropout", rate=0.5), dense("b", 3), dense("c", 1, "sigmoid"))
    found = scores_of(tmp_path / "m", layout(config, A))
    np.testing.assert_allclose(found, times(relu(times(relu(times(X, "a")), "b")), "c"), rtol=1e-12, atol=1e-12)
    network = read("keras", tmp_path / "m")
    assert (network.rule, network.labels, network.last_hidden, network.format) == ("positive", 2, 4, "keras")


def test_activation_layers_and_their_numbers(tmp_path: Path) -> None:
    config = sequential(
        layer("InputLayer", "input"),
        dense("a", 5, "linear"),
        layer("LeakyReLU", "l", alpha=0.3),
        dense("b", 3, None),
        layer("ReLU", "r", max_value=1.5, negative_slope=[0.0][0], threshold=0.0),
        layer("Activation", "softmax_", activation="softmax"),
    )
    hidden = times(X, "a")
    hidden = np.where(hidden > 0, hidden, float(np.float32(0.3)) * hidden)
    found = scores_of(tmp_path / "m", h5(config, {k: A[k] for k in "ab"}))
    np.testing.assert_allclose(found, np.minimum(relu(times(hidden, "b")), 1.5), rtol=1e-12, atol=1e-12)


def test_flatten_and_a_layer_without_bias(tmp_path: Path) -> None:
    config = sequential(
        layer("Flatten", batch_input_shape=[None, 2, 2]), dense("a", 5, use_bias=False), layer("Softmax")
    )
    weights = {"a": [A["a"][0]]}
    np.testing.assert_allclose(scores_of(tmp_path / "m", zipped(config, weights)), relu(times(X, "a", weights)))


def functional(keras: int) -> dict[str, Any]:
    """x -> a, b -> a - b -> [a - b, x] -> c."""

    def reads(*names: str) -> list[Any]:
        if keras == 2:
            return [[[name, 0, 0, {}] for name in names]]
        tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}} for name in names]
        return [{"args": [tensors if len(names) > 1 else tensors[0]], "kwargs": {}}]

    layers = [
        {**layer("InputLayer", "x", batch_shape=[None, 4]), "name": "x", "inbound_nodes": []},
        {**dense("a", 3), "name": "a", "inbound_nodes": reads("x")},
        {**dense("b", 3, "linear"), "name": "b", "inbound_nodes": reads("x")},
        {**layer("Subtract", "minus"), "name": "minus", "inbound_nodes": reads("a", "b")},
        {**layer("Concatenate", "join", axis=-1), "name": "join", "inbound_nodes": reads("minus", "x")},
        {**dense("c", 2, "softmax"), "name": "c", "inbound_nodes": reads("join")},
    ]
    outputs = [["c", 0, 0]] if keras == 2 else ["c", 0, 0]
    config = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


@pytest.mark.parametrize("keras", [2, 3])
@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_a_functional_model_is_its_graph(keras: int, layout: Callable[[Any, Weights], bytes], tmp_path: Path) -> None:
    weights = {"a": [f32(4, 3), f32(3)], "b": [f32(4, 3), f32(3)], "c": [f32(7, 2), f32(2)]}
    joined = np.hstack([relu(times(X, "a", weights)) - times(X, "b", weights), X])
    found = scores_of(tmp_path / "m", layout(functional(keras), weights))
    np.testing.assert_allclose(found, times(joined, "c", weights), rtol=1e-12, atol=1e-12)


REFUSED = [
    (sequential(dense("a", 5, "tanh")), "`a`.*'tanh'"),
    (sequential(dense("a", 5, "sigmoid"), dense("b", 3)), "`b`.*sigmoid must be the last"),
    (sequential(dense("a", 5), layer("BatchNormalization"), dense("b", 3)), "BatchNormalization"),
    (sequential(dense("a", 5), layer("Conv2D")), "Conv2D"),
    (sequential(dense("a", 5, use_bias=False)), "bias"),
    (sequential(dense("a", 5, batch_input_shape=[None, None])), "not fixed"),
    (sequential(dense("a", 5, batch_input_shape=[None, 10**12])), "entries"),
    (sequential(dense("a", 5, {"class_name": "evil"})), "not supported"),
    (sequential(dense("a", 5), layer("ReLU", threshold=1.0)), "threshold"),
    (sequential(dense("a", 5), layer("Lambda", function=["code"])), "Lambda"),
    ({"class_name": "Sequential", "config": {"layers": []}}, "."),
    ({"class_name": "Mine", "config": {"layers": []}}, "Mine"),
    ([], "."),
    (None, "."),
]


@pytest.mark.parametrize(("config", "message"), REFUSED)
@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_what_is_refused_is_named(
    config: Any, message: str, layout: Callable[[Any, Weights], bytes], tmp_path: Path
) -> None:
    (tmp_path / "m").write_bytes(layout(config, A))
    with pytest.raises(ImportFailed, match=message):
        read("keras", tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "message"), [("b", "kernel has the shape"), ("z", "no weights"), ("a/../b", "no weights")]
)
def test_weights_are_found_by_the_name_of_their_layer(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(h5(sequential(dense(name, 3)), A))
    with pytest.raises(ImportFailed, match=message):
        read("keras", tmp_path / "m")


def test_weights_alone_nan_and_links_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    config = sequential(dense("a", 5))

    def refused(message: str) -> None:
        with pytest.raises(ImportFailed, match=message):
            read("keras", path)

    with h5py.File(path, "w") as file:
        file["a"] = f32(3)
    refused("whole model")
    path.write_bytes(h5(config, {"a": [np.full((4, 5), np.nan), f32(5)]}))
    refused("NaN")
    (tmp_path / "other.h5").write_bytes(h5(config, A))
    place = "model_weights/a/a/kernel:0"
    for link in (h5py.ExternalLink(str(tmp_path / "other.h5"), place), h5py.SoftLink(place)):
        path.write_bytes(h5(config, A))
        with h5py.File(path, "a") as file:
            del file[place]
            file[place] = link
        refused("no weights")
    (tmp_path / "raw.bin").write_bytes(b"\0" * 1000)
    path.write_bytes(h5(config, A))
    with h5py.File(path, "a") as file:
        del file[place]
        file["model_weights/a/a"].create_dataset(
            "kernel:0", (4, 5), "f4", external=[(str(tmp_path / "raw.bin"), 0, 80)]
        )
    refused("not numbers of this file")


def test_a_crash_or_a_hang_of_the_hdf5_library_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both happen on damaged files; which ones depends on the version of the library."""
    (tmp_path / "m").write_bytes(h5(sequential(dense("a", 5)), A))

    def crash(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(command, -11, b"", b"")

    def hang(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        raise subprocess.TimeoutExpired(command, 30)

    read("keras", tmp_path / "m")
    forked = SimpleNamespace(communicate=lambda data, seconds: (-11, b""))
    slow = SimpleNamespace(communicate=lambda data, seconds: hang([]))
    for run, begun, message in (
        (crash, None, "crashes"),
        (hang, None, "does not get through"),
        (None, forked, "crashes"),
        (None, slow, "does not get through"),
    ):
        monkeypatch.setattr(subprocess, "run", run)
        monkeypatch.setattr("verifier.importers.keras_file.begin", lambda work, begun=begun: begun)
        with pytest.raises(ImportFailed, match=message):
            read("keras", tmp_path / "m")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_forked_process_reads_the_same(tmp_path: Path, layout: Any, nursery: Started) -> None:
    (tmp_path / "m").write_bytes(layout(sequential(dense("a", 5)), {"a": A["a"]}))
    with nursed(nursery):
        forked = read("keras", tmp_path / "m")
    with nursed(None):
        other = read("keras", tmp_path / "m")
    assert pickle.dumps(forked) == pickle.dumps(other)


WHOLE = [layout(sequential(dense("a", 5), dense("b", 3, "softmax")), {k: A[k] for k in "ab"}) for layout in LAYOUTS]


@given(st.data())
@settings(deadline=None, max_examples=30)
def test_damaged_bytes_give_a_network_or_a_failure(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.h5"
        path.write_bytes(bytes(damaged[:end]))
        try:
            network = read("keras", path)
        except ImportFailed:
            return
        network.floats(np.zeros((2, network.inputs)))
