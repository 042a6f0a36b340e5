"""A dense ReLU network as an ONNX file, written by hand: one Gemm a layer, Relu between them, scores at the end."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.neural_network import MLPClassifier


def export(model: MLPClassifier, path: Path, inputs: str) -> None:
    """Write the fitted `model` (activation relu) with float32 weights. One output: class 1 iff it is > 0."""
    layers: Sequence[tuple[np.ndarray, np.ndarray]] = list(zip(model.coefs_, model.intercepts_, strict=True))
    nodes, weights, value = [], [], inputs
    for i, (weight, bias) in enumerate(layers, start=1):
        last = i == len(layers)
        weights += [
            numpy_helper.from_array(weight.astype(np.float32), f"W{i}"),
            numpy_helper.from_array(bias.astype(np.float32), f"b{i}"),
        ]
        out = "scores" if last else f"sum{i}"
        nodes.append(helper.make_node("Gemm", [value, f"W{i}", f"b{i}"], [out], name=f"dense{i}"))
        if not last:
            nodes.append(helper.make_node("Relu", [out], [f"hidden{i}"], name=f"relu{i}"))
        value = f"hidden{i}"
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(inputs, TensorProto.FLOAT, [1, layers[0][0].shape[0]])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, layers[-1][0].shape[1]])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def quantise(model: MLPClassifier, steps: int) -> None:
    """Round every weight to a multiple of 1/steps: short numbers make short witnesses, and faster proofs."""
    model.coefs_ = [np.round(w * steps) / steps for w in model.coefs_]
    model.intercepts_ = [np.round(b * steps) / steps for b in model.intercepts_]
