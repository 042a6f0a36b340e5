"""Keras files without TensorFlow: dense networks in `.h5` (model_config, model_weights) and `.keras` (a zip of both).

Weights are read as they are stored; numbers of a layer's configuration (the slope of a LeakyReLU) are rounded to
float32, as Keras itself does.
"""

from __future__ import annotations

import importlib.util
import io
import json
import math
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from verifier.engines.nursery import begin
from verifier.importers.assemble import Assembly, finite
from verifier.importers.failure import MOST_BYTES, MOST_WEIGHTS, ImportFailed, contents, missing_extra
from verifier.model.network import Floats, Ints, Network

SECONDS = 30
"""For reading the HDF5 part of a file."""

Weights = Callable[[str], list[Floats]]
"""The stored weights of a layer, by its name."""


class Layer(Struct, frozen=True):
    """One layer of the configuration; `inbound`: the layers that it reads (empty: the one before it)."""

    kind: str
    name: str
    config: dict[str, Any]
    inbound: tuple[str, ...]

    def failed(self, why: str, fix: str = "") -> ImportFailed:
        return ImportFailed(f"Layer `{self.name}` ({self.kind}): {why}", fix)


class Flow(Struct, frozen=True):
    """The output of a layer. `end`: the activation that was dropped, after which only the output may come."""

    wires: Ints
    end: str = ""


def read(path: Path) -> Network:
    """The network of a Sequential model, or of a functional one with one input and one output.

    A last sigmoid (class 1 iff the logit is > 0) or softmax (argmax) is dropped.
    """
    if importlib.util.find_spec("h5py") is None:
        raise missing_extra("keras", "h5py")
    data = contents(path)
    try:
        if data.startswith(b"PK"):
            config, data = unpacked(data)
            layers, output = layers_of(config)
            return build(layers, output, numbered(stored(data)[1], layers), str(path))
        whole, weights = stored(data)
        if whole is None:
            raise ImportFailed(f"{path.name} holds no whole model.", "Save it with `model.save(path)`.")
        layers, output = layers_of(whole)
        return build(layers, output, named(weights), str(path))
    except ImportFailed:
        raise
    except Exception as error:  # a damaged configuration may be any JSON
        raise ImportFailed(f"{path.name} is no Keras model, or damaged: {error!r}.", "Save the model again.") from None


def unpacked(data: bytes) -> tuple[str, bytes]:
    """The configuration and the HDF5 bytes of a `.keras` file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
            raise ImportFailed(f"The file unpacks to more than {MOST_BYTES // 10**6} MB.", "Use a smaller model.")
        return archive.read("config.json").decode(), archive.read("model.weights.h5")


def stored(data: bytes) -> tuple[str | None, dict[str, list[Floats]]]:
    """The configuration and the weights by layer in HDF5 bytes, read by a process that may crash (see `hdf5_child`)."""
    code, answer = told(data)
    line, _, rest = answer.partition(b"\n")
    if code or not line:
        raise ImportFailed("The file is damaged: the HDF5 library crashes on it.", "Save the model again.")
    header = json.loads(line)
    if "error" in header:
        raise ImportFailed(header["error"], "Save the model again.")
    numbers, weights, start = np.frombuffer(rest, dtype="<f8"), defaultdict[str, list[Floats]](list), 0
    for layer, shape in header["arrays"]:
        end = start + math.prod(shape)
        weights[layer].append(finite(numbers[start:end].reshape(shape)))
        start = end
    return header["config"], dict(weights)


def told(data: bytes) -> tuple[int, bytes]:
    """The exit code and the answer of `hdf5_child`."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("hdf5_child.py")), str(MOST_WEIGHTS)]
    try:
        if (forked := begin("verifier.importers.keras_file:child")) is not None:
            return forked.communicate(data, SECONDS)
        run = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise ImportFailed(
            f"The HDF5 library does not get through the file: {error}.", "Save the model again."
        ) from None
    return run.returncode, run.stdout


def child() -> None:
    from verifier.importers import hdf5_child

    hdf5_child.main(MOST_WEIGHTS)


# Configuration


def layers_of(config: str) -> tuple[list[Layer], str]:
    """The layers in order, and the name of the output layer."""
    model = json.loads(config)
    kind, inside = model.get("class_name"), model.get("config")
    given = inside if isinstance(inside, list) else inside["layers"]
    if kind == "Sequential":
        layers = [layer_of(entry, ()) for entry in given]
        return layers, layers[-1].name
    if kind not in ("Functional", "Model"):
        raise ImportFailed(f"A Keras model of the class {kind} is not supported.", "Supported: Sequential, Functional.")
    layers = [layer_of(entry, inbound(entry)) for entry in given]
    outputs = inside["output_layers"]
    single = outputs if outputs and isinstance(outputs[0], str) else outputs[0] if len(outputs) == 1 else None
    if single is None or sum(layer.kind == "InputLayer" for layer in layers) != 1:
        raise ImportFailed("The model has several inputs or outputs.", "Save a model with one of each.")
    return layers, str(single[0])


def layer_of(entry: dict[str, Any], reads: tuple[str, ...]) -> Layer:
    config = entry["config"]
    return Layer(str(entry["class_name"]), str(config.get("name", entry.get("name", ""))), config, reads)


def inbound(entry: dict[str, Any]) -> tuple[str, ...]:
    """The layers that a functional layer reads: [name, node, tensor, ...] in Keras 2, a keras_history in Keras 3."""
    found: list[str] = []

    def search(item: Any) -> None:
        match item:
            case {"keras_history": [str(name), *_]} | [str(name), int(), int(), *_]:
                found.append(name)
            case dict():
                for value in item.values():
                    search(value)
            case list():
                for value in item:
                    search(value)

    nodes = entry.get("inbound_nodes", [])
    if len(nodes) > 1:
        raise ImportFailed(f"Layer `{entry.get('name')}` is used more than once.", "Give every use a layer of its own.")
    search(nodes)
    return tuple(found)


def inputs_of(layers: list[Layer]) -> int:
    """The number of inputs, from the first layer that says it."""
    for layer in layers:
        shape = layer.config.get("batch_shape", layer.config.get("batch_input_shape"))
        if shape is not None:
            break
    else:
        raise ImportFailed(
            "The model does not say how many inputs it has.", "Build it with an Input layer, and save it again."
        )
    if not all(isinstance(n, int) and n > 0 for n in shape[1:]) or len(shape) < 2:
        raise ImportFailed(f"The input shape {shape} is not fixed.")
    entries = 1
    for n in shape[1:]:
        entries *= n
    if len(shape) > 2 and next((layer.kind for layer in layers if layer.kind != "InputLayer"), "") != "Flatten":
        raise ImportFailed(
            f"The input has the shape {shape[1:]}.", "Only vectors, or a Flatten layer first, are supported."
        )
    return entries


# Weights


def named(weights: dict[str, list[Floats]]) -> Weights:
    """`.h5`: by the name of the layer."""

    def of(layer: str) -> list[Floats]:
        if layer not in weights:
            raise ImportFailed(f"There are no weights of the layer `{layer}` in the file.", "Save the model again.")
        return weights[layer]

    return of


def numbered(weights: dict[str, list[Floats]], layers: list[Layer]) -> Weights:
    """`.keras`: the Dense layers in order are dense, dense_1, ..."""
    dense = [layer.name for layer in layers if layer.kind == "Dense"]
    keys = {name: f"dense_{i}" if i else "dense" for i, name in enumerate(dense)}
    return named({name: weights[key] for name, key in keys.items() if key in weights})


# Layers


def build(layers: list[Layer], output: str, weights: Weights, path: str) -> Network:
    if not layers:
        raise ImportFailed("The model has no layers.")
    net = Assembly(inputs_of(layers))
    flows: dict[str, Flow] = {}
    latest = Flow(net.value(0))
    for layer in layers:
        if layer.kind == "InputLayer" or (not flows and not layer.inbound):
            sources = [Flow(net.value(0))]
        elif layer.inbound:
            if not set(layer.inbound) <= set(flows):
                raise layer.failed("it reads a layer that comes later.")
            sources = [flows[name] for name in layer.inbound]
        else:
            sources = [latest]
        latest = apply(layer, sources, net, weights)
        flows[layer.name] = latest
    if output not in flows:
        raise ImportFailed(f"There is no layer `{output}` for the output.")
    scores = flows[output].wires
    return net.finish(scores, "positive" if len(scores) == 1 else "argmax", "keras", path)


INERT = {
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "InputLayer",
}
"""Layers that hand on their input when the model predicts."""

LAYERS = ["Activation", "Add", "Concatenate", "Dense", "LeakyReLU", "ReLU", "Softmax", "Subtract", *INERT]


def apply(layer: Layer, sources: list[Flow], net: Assembly, weights: Weights) -> Flow:
    """The output of one layer."""
    if layer.kind not in LAYERS:
        fix = f"Supported: {', '.join(sorted(LAYERS))}."
        if layer.kind == "BatchNormalization":
            fix = "It divides by a square root, which is no rational number: fold it into the Dense layer before."
        raise layer.failed("this layer is not supported.", fix)
    if layer.kind in INERT:
        return one(layer, sources)
    for source in sources:
        if source.end:
            raise layer.failed(f"{source.end} must be the last activation.", "Use relu inside of the network.")
    match layer.kind:
        case "Dense":
            return activate(
                layer, layer.config.get("activation"), dense(layer, one(layer, sources).wires, net, weights), net
            )
        case "Activation":
            return activate(layer, layer.config.get("activation"), one(layer, sources).wires, net)
        case "Softmax":
            return activate(layer, "softmax", one(layer, sources).wires, net)
        case "LeakyReLU":
            slope = layer.config.get("negative_slope", layer.config.get("alpha"))
            return Flow(leaky(layer, slope, one(layer, sources).wires, net))
        case "ReLU":
            return Flow(rectify(layer, one(layer, sources).wires, net))
        case "Concatenate":
            return Flow(np.concatenate([source.wires for source in sources]))
    if len(sources) < 2 or len({len(source.wires) for source in sources}) > 1:
        raise layer.failed("its inputs differ in length.")
    factors = [1.0] + [-1.0 if layer.kind == "Subtract" else 1.0] * (len(sources) - 1)
    return Flow(net.combine(*((source.wires, factor) for source, factor in zip(sources, factors, strict=True))))


def one(layer: Layer, sources: list[Flow]) -> Flow:
    if len(sources) != 1:
        raise layer.failed(f"it has {len(sources)} inputs, not one.")
    return sources[0]


def dense(layer: Layer, wires: Ints, net: Assembly, weights: Weights) -> Ints:
    """kernel^T x + bias; kernel (n, units), bias (units,)."""
    kernel, *rest = weights(layer.name) or [np.zeros(0)]
    if kernel.ndim != 2 or kernel.shape[0] != len(wires) or kernel.shape[1] < 1:
        raise layer.failed(f"its kernel has the shape {list(kernel.shape)} for {len(wires)} inputs.")
    if len(rest) != bool(layer.config.get("use_bias", True)) or any(bias.shape != kernel.shape[1:] for bias in rest):
        raise layer.failed("its bias is missing, or does not fit.")
    return net.affine([(wires, kernel.T)], rest[0] if rest else np.zeros(kernel.shape[1]))


def activate(layer: Layer, activation: Any, wires: Ints, net: Assembly) -> Flow:
    match activation:
        case None | "linear":
            return Flow(wires)
        case "relu":
            return Flow(net.relu(wires))
        case "sigmoid":
            return Flow(wires, "sigmoid")
        case "softmax" | "log_softmax":
            if len(wires) < 2:
                raise layer.failed("softmax of one number is always 1.", "Use sigmoid.")
            return Flow(wires, activation)
        case _:
            raise layer.failed(
                f"the activation {activation!r} is not supported.",
                "Use relu inside; sigmoid or softmax only as the last.",
            )


def number(layer: Layer, given: Any) -> float:
    """A number of the configuration, in float32."""
    if isinstance(given, dict):  # a numpy array in JSON
        given = given.get("value", given.get("config", {}).get("value"))
    if not isinstance(given, int | float):
        raise layer.failed(f"{given!r} is not a number.")
    with np.errstate(over="ignore"):
        return float(np.float32(given))


def leaky(layer: Layer, slope: Any, wires: Ints, net: Assembly) -> Ints:
    return net.leaky(wires, np.full(len(wires), number(layer, slope)))


def rectify(layer: Layer, wires: Ints, net: Assembly) -> Ints:
    """min(x, max_value) where x >= 0, negative_slope * x elsewhere."""
    threshold, slope, most = (layer.config.get(key) for key in ("threshold", "negative_slope", "max_value"))
    if threshold and number(layer, threshold):
        raise layer.failed("a threshold makes it jump.", "Use threshold=0.")
    result = leaky(layer, slope, wires, net) if slope else net.relu(wires)
    return result if most is None else net.at_most(result, np.full(len(wires), number(layer, most)))
