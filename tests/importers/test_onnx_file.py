"""Each operator against onnxruntime, random graphs, and what must be refused."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.importers import ImportFailed, original, read
from verifier.importers.onnx_file import stored
from verifier.model.network import Dense, Network

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

RNG = np.random.default_rng(0)


def f32(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def i64(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def node(op: str, inputs: str, output: str, **attributes: Any) -> Any:
    """`inputs`: names separated by blanks, `_` for an optional one that is left out."""
    return helper.make_node(op, [n.strip("_") for n in inputs.split()], [output], name=f"the_{output}", **attributes)


def model(nodes: list[Any], weights: dict[str, np.ndarray], shape: list[Any], opset: int = 17, **kwargs: Any) -> Any:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", kwargs.get("type", TensorProto.FLOAT), shape)],
        [helper.make_tensor_value_info("y", kwargs.get("result", TensorProto.FLOAT), None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(folder: Path, nodes: list[Any], weights: dict[str, np.ndarray], shape: list[Any], **kwargs: Any) -> Path:
    path = folder / "model.onnx"
    onnx.save(model(nodes, weights, shape, **kwargs), str(path))
    return path


def agrees(path: Path, end: Any = None, points: int = 12) -> Network:
    """The network, once its exact scores are the runtime's on random points; `end` is what the importer dropped."""
    network = read("onnx", path)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    shape = [n if isinstance(n, int) else 1 for n in session.get_inputs()[0].shape]
    sample = RNG.normal(size=(points, network.inputs)).astype(np.float32)
    for x in sample:
        expected = session.run(None, {"x": x.reshape(shape)})[0].ravel().astype(np.float64)
        exact = network.values(tuple(Fraction(v) for v in x.astype(float).tolist()))
        scores = np.array([float(v) for v in exact[-1]])
        largest = 1 + max(abs(float(v)) for value in exact for v in value)
        np.testing.assert_allclose(expected if end is None else end(scores), expected, atol=3e-6, rtol=1e-6)
        np.testing.assert_allclose(scores if end is None else end(scores), expected, rtol=1e-6, atol=1e-6 * largest)
        np.testing.assert_allclose(network.floats(x[None].astype(float))[0], scores, rtol=1e-9, atol=1e-9 * largest)
    answer = original(network)
    assert answer is not None
    decided = [network.decide(network.values(tuple(map(Fraction, x.astype(float).tolist())))[-1]) for x in sample]
    assert answer(sample.astype(np.float64)) == decided
    return network


W, B, C = f32(4, 3), f32(3), f32(3) + 2
ONE = {
    "gemm": ([node("Gemm", "x w b", "y")], {"w": f32(4, 3), "b": f32(3)}),
    "gemm without bias": ([node("Gemm", "x w", "y")], {"w": f32(4, 3)}),
    "gemm scaled": ([node("Gemm", "x w b", "y", alpha=0.3, beta=-1.7, transB=1)], {"w": f32(3, 4), "b": f32(3)}),
    "gemm scalar bias": ([node("Gemm", "x w b", "y", beta=0.5)], {"w": f32(4, 3), "b": f32(1)}),
    "gemm of the transpose": ([node("Transpose", "x", "t"), node("Gemm", "t w", "y", transA=1)], {"w": f32(4, 3)}),
    "gemm constant left": (
        [node("Transpose", "x", "t"), node("Gemm", "w t", "g", alpha=0.7), node("Transpose", "g", "y")],
        {"w": f32(3, 4)},
    ),
    "gemm residual": ([node("Gemm", "x w x", "y", beta=0.1)], {"w": f32(4, 4)}),
    "matmul": ([node("MatMul", "x w", "y")], {"w": f32(4, 3)}),
    "matmul left": ([node("Squeeze", "x a", "v"), node("MatMul", "w v", "y")], {"w": f32(3, 4), "a": i64(0)}),
    "matmul vector": ([node("MatMul", "x v", "s"), node("Sub", "b s", "y")], {"v": f32(4), "b": f32(3)}),
    "matmul of constants": (
        [node("MatMul", "u v", "w"), node("MatMul", "x i", "h"), node("Add", "h w", "y")],
        {"u": f32(1, 2), "v": f32(2, 3), "i": f32(4, 3)},
    ),
    "matmul bigger left": ([node("Transpose", "x", "t"), node("MatMul", "w t", "y")], {"w": f32(3, 4)}),
    "add": ([node("Add", "b x", "y")], {"b": f32(4)}),
    "add scalar": ([node("Add", "x b", "y")], {"b": f32()}),
    "matmul add": ([node("MatMul", "x w", "m"), node("Add", "m b", "y")], {"w": f32(4, 3), "b": f32(3)}),
    "sub constant": ([node("Sub", "x b", "y")], {"b": f32(4)}),
    "constant sub": ([node("Sub", "b x", "y")], {"b": f32(4)}),
    "mul": ([node("Mul", "x b", "y")], {"b": f32(4)}),
    "mul scalar": ([node("Mul", "b x", "y")], {"b": f32()}),
    "div": ([node("Div", "x b", "y")], {"b": f32(4) + 3}),
    "normalise": (
        [node("Sub", "x b", "s"), node("Div", "s d", "n"), node("Div", "n d", "y")],
        {"b": f32(4), "d": f32(4) + 5},
    ),
    "neg": ([node("Neg", "x", "y")], {}),
    "relu": ([node("Relu", "x", "y")], {}),
    "leaky": ([node("LeakyRelu", "x", "y", alpha=0.2)], {}),
    "leaky default": ([node("LeakyRelu", "x", "y")], {}),
    "prelu": ([node("PRelu", "x a", "y")], {"a": f32(4)}),
    "abs": ([node("Abs", "x", "y")], {}),
    "max": ([node("Max", "x b", "y")], {"b": f32(4)}),
    "max of three": ([node("Neg", "x", "n"), node("Max", "x b n", "y")], {"b": f32(4)}),
    "min": ([node("Min", "b x", "y")], {"b": f32(4)}),
    "min of two": ([node("Neg", "x", "n"), node("Min", "x n", "y")], {}),
    "relu6": ([node("Clip", "x a b", "y")], {"a": np.float32(0), "b": np.float32(0.6)}),
    "clip": ([node("Clip", "x a b", "y")], {"a": np.float32(-0.1), "b": np.float32(0.3)}),
    "clip above": ([node("Clip", "x _ b", "y")], {"b": np.float32(0.3)}),
    "clip infinite": ([node("Clip", "x a b", "y")], {"a": np.float32(-np.inf), "b": np.float32(np.inf)}),
    "clip nothing": ([node("Clip", "x", "y")], {}),
    "sum": ([node("Neg", "b", "c"), node("Relu", "x", "r"), node("Sum", "x c r r", "y")], {"b": f32(4)}),
    "same twice": ([node("Add", "x x", "y")], {}),
    "gathered twice": (
        [node("Gather", "x i", "g", axis=1), node("MatMul", "g w", "y")],
        {"i": i64(0, 0, -1), "w": f32(3, 2)},
    ),
    "identity and dropout": ([node("Identity", "x", "i"), node("Dropout", "i", "y")], {}),
    "cast": (
        [
            node("Cast", "x", "d", to=TensorProto.DOUBLE),
            node("Mul", "d b", "m"),
            node("Cast", "m", "y", to=TensorProto.FLOAT),
        ],
        {"b": np.array([0.1, 0.2, 0.3, 0.4])},
    ),
    "constant": ([node("Constant", "", "b", value=numpy_helper.from_array(f32(4))), node("Add", "x b", "y")], {}),
    "constant floats": ([node("Constant", "", "b", value_floats=[1.0, 2.0, 3.0, 4.0]), node("Add", "x b", "y")], {}),
    "constants folded": (
        [
            node("Mul", "b c", "d"),
            node("Sub", "d b", "e"),
            node("Neg", "e", "f"),
            node("Div", "f c", "g"),
            node("Add", "x g", "y"),
        ],
        {"b": f32(4), "c": C[[0, 1, 2, 0]]},
    ),
    "constant of shape": (
        [
            node("ConstantOfShape", "s", "b", value=numpy_helper.from_array(np.array([2.5], dtype=np.float32))),
            node("Add", "x b", "y"),
        ],
        {"s": i64(1, 4)},
    ),
    "concat and slice": (
        [node("Relu", "x", "r"), node("Concat", "x r b", "c", axis=1), node("Slice", "c s e a t", "y")],
        {"b": f32(1, 2), "s": i64(-1), "e": i64(-20), "a": i64(1), "t": i64(-3)},
    ),
    "slice twice": ([node("Slice", "x s e a", "y")], {"s": i64(1), "e": i64(100), "a": i64(1)}),
    "gather": ([node("Gather", "x i", "y", axis=1)], {"i": i64(2, 0, 1)}),
    "shapes": (
        [
            node("Reshape", "x s", "r"),
            node("Transpose", "r", "t", perm=[0, 2, 1]),
            node("Flatten", "t", "f"),
            node("Unsqueeze", "f a", "u"),
            node("Squeeze", "u a", "y"),
        ],
        {"s": i64(0, 2, -1), "a": i64(1)},
    ),
    "dynamic reshape": (
        [
            node("Shape", "x", "s"),
            node("Gather", "s z", "n", axis=0),
            node("Concat", "n m", "t", axis=0),
            node("Reshape", "x t", "r"),
            node("MatMul", "r w", "y"),
        ],
        {"z": i64(0), "m": i64(-1), "w": f32(4, 2)},
    ),
    "batched matmul": (
        [node("Reshape", "x s", "r"), node("MatMul", "r w", "m"), node("Flatten", "m", "y")],
        {"s": i64(1, 2, 2), "w": f32(2, 3)},
    ),
    "expanded": (
        [node("Slice", "x s e a", "p"), node("Expand", "p t", "q"), node("Add", "q b", "y")],
        {"s": i64(0), "e": i64(1), "a": i64(1), "t": i64(1, 3), "b": f32(3)},
    ),
    "residual": (
        [node("Gemm", "x w b", "h"), node("Relu", "h", "r"), node("Gemm", "r v", "o"), node("Add", "o x", "y")],
        {"w": f32(4, 3), "b": f32(3), "v": f32(3, 4)},
    ),
}


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("batch", [1, "batch"])
def test_each_operator_is_what_the_runtime_computes(name: str, batch: Any, tmp_path: Path) -> None:
    nodes, weights = ONE[name]
    agrees(saved(tmp_path, nodes, weights, [batch, 4]))


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def test_a_last_softmax_is_dropped(tmp_path: Path) -> None:
    weights = {"w": f32(4, 3)}
    network = agrees(saved(tmp_path, [node("MatMul", "x w", "s"), node("Softmax", "s", "y")], weights, [1, 4]), softmax)
    assert (network.rule, network.labels) == ("argmax", 3)
    logs = [node("MatMul", "x w", "s"), node("LogSoftmax", "s", "t", axis=1), node("Identity", "t", "y")]
    agrees(saved(tmp_path, logs, weights, [1, 4]), lambda s: np.log(softmax(s)))
    old = [node("MatMul", "x w", "s"), node("Softmax", "s", "y", axis=1)]
    agrees(saved(tmp_path, old, weights, [1, 4], opset=8), softmax)


def test_a_last_sigmoid_leaves_the_logit(tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w b", "s"), node("Sigmoid", "s", "p"), node("Squeeze", "p", "y")]
    network = agrees(saved(tmp_path, nodes, {"w": f32(4, 1), "b": f32(1)}, [1, 4]), lambda s: 1 / (1 + np.exp(-s)))
    assert (network.rule, network.labels, network.last_hidden) == ("positive", 2, 0)


@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
def test_a_last_arg_extreme_is_the_rule(op: str, tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w", "h"), node("Relu", "h", "r"), node("Gemm", "r v", "s"), node(op, "s", "y", axis=1)]
    path = saved(tmp_path, nodes, {"w": f32(4, 6), "v": f32(6, 3)}, [1, 4], result=TensorProto.INT64)
    network = agrees(path, lambda s: np.array([s.argmax()]))
    assert (network.rule, network.last_hidden, len(network.steps)) == ("argmax", 2, 3)


def test_matmul_and_add_are_one_step(tmp_path: Path) -> None:
    nodes = [
        node("Sub", "x m", "s"), node("Div", "s d", "n"), node("MatMul", "n w", "h"), node("Add", "h b", "i"),
        node("Relu", "i", "r"), node("MatMul", "r v", "o"), node("Add", "c o", "y"),
    ]  # fmt: skip
    weights = {"m": f32(4), "d": f32(4) + 5, "w": f32(4, 5), "b": f32(5), "v": f32(5, 2), "c": f32(2)}
    network = agrees(saved(tmp_path, nodes, weights, [1, 4]))
    assert [network.width(i) for i in range(5)] == [4, 4, 5, 5, 2]
    assert network.last_hidden == 3


def test_the_scores_depend_on_the_last_hidden_value_alone(tmp_path: Path) -> None:
    nodes, weights = ONE["residual"]
    network = agrees(saved(tmp_path, nodes, weights, [1, 4]))
    last = network.steps[-1]
    assert isinstance(last, Dense)
    assert last.sources == (network.last_hidden,)
    assert network.width(network.last_hidden) == 8


def test_constants_never_round(tmp_path: Path) -> None:
    """0.1 * 0.1 has more than 53 bits, and so has 1 + 1e-30: the exact scores show the exact product and sum."""
    double = {"type": TensorProto.DOUBLE, "result": TensorProto.DOUBLE}
    tenth = np.array([0.1, float(np.float32(0.1))])
    product = saved(tmp_path, [node("Mul", "b b", "c"), node("Add", "x c", "y")], {"b": tenth}, [1, 2], **double)
    exact = read("onnx", product).values((Fraction(1), Fraction(0)))[-1]
    assert exact == (1 + Fraction(tenth[0]) ** 2, Fraction(tenth[1]) ** 2)
    weights = {"b": np.array([1.0, 1e300]), "c": np.array([1e-30, 1.0])}
    twice = saved(tmp_path, [node("Add", "x b", "d"), node("Add", "d c", "y")], weights, [1, 2], **double)
    exact = read("onnx", twice).values((Fraction(0), Fraction(0)))[-1]
    assert exact == (1 + Fraction(1e-30), Fraction(1e300) + 1)


def test_a_constant_output_is_a_constant_network(tmp_path: Path) -> None:
    for made in ([node("Relu", "b", "y")], [node("Identity", "b", "y")]):
        network = read("onnx", saved(tmp_path, made, {"b": np.array([1, 2], dtype=np.float32)}, [1, 4]))
        assert network.values((Fraction(5),) * 4)[-1] == (1, 2)
        assert network.floats(np.zeros((3, 4))).tolist() == [[1, 2]] * 3


REFUSED = {
    "Tanh": ([node("Tanh", "x", "y")], {}, "the_y.*Tanh"),
    "custom": ([helper.make_node("Mine", ["x"], ["y"], domain="my.own", name="the_y")], {}, "my.own.Mine"),
    "unknown": ([node("Conv", "x w", "y")], {"w": f32(4, 3)}, "Conv.*not supported"),
    "batch norm": ([node("BatchNormalization", "x b b b b", "y")], {"b": f32(4)}, "square root"),
    "inner sigmoid": (
        [node("Sigmoid", "x", "s"), node("Gemm", "s w", "y")],
        {"w": f32(4, 3)},
        "the_y.*Sigmoid must be the last",
    ),
    "inner softmax": ([node("Softmax", "x", "s"), node("Relu", "s", "y")], {}, "Softmax must be the last"),
    "product": ([node("Mul", "x x", "y")], {}, "not piecewise linear"),
    "matrix product": ([node("Transpose", "x", "t"), node("MatMul", "x t", "y")], {}, "not piecewise linear"),
    "division": ([node("Div", "b x", "y")], {"b": f32(4)}, "not piecewise linear"),
    "divide by zero": ([node("Div", "x b", "y")], {"b": np.zeros(4, dtype=np.float32)}, "divides by zero"),
    "nan": ([node("Add", "x b", "y")], {"b": np.array([np.nan] * 4, dtype=np.float32)}, "NaN or infinite"),
    "infinite": ([node("Gemm", "x w", "y")], {"w": np.full((4, 3), np.inf, dtype=np.float32)}, "NaN or infinite"),
    "wrong shape": ([node("MatMul", "x w", "y")], {"w": f32(5, 3)}, "do not fit"),
    "wrong broadcast": ([node("Add", "x w", "y")], {"w": f32(5)}, "do not fit"),
    "missing tensor": ([node("Add", "x nowhere", "y")], {}, "nowhere"),
    "no output": ([node("Add", "x x", "z")], {}, "No node computes"),
    "cast to integers": ([node("Cast", "x", "y", to=TensorProto.INT64)], {}, "rounds"),
    "constant cast": (
        [node("Cast", "b", "c", to=TensorProto.FLOAT16), node("Add", "c x", "y")],
        {"b": f32(4)},
        "rounds",
    ),
    "last index": ([node("ArgMax", "x", "y", axis=1, select_last_index=1)], {}, "last class"),
    "softmax over the batch": ([node("Softmax", "x", "y", axis=0)], {}, "over all scores"),
    "huge": ([node("Expand", "x s", "y")], {"s": i64(10**6, 4)}, "entries"),
    "huge product": ([node("Expand", "x s", "e"), node("Neg", "e", "y")], {"s": i64(20000, 4)}, "weights"),
    "integer overflow": ([node("Mul", "a a", "b"), node("Reshape", "x b", "y")], {"a": i64(2**62, 2)}, "overflow"),
    "two rows": ([node("Expand", "x s", "y")], {"s": i64(2, 4)}, "one row of scores"),
    "training": ([node("Dropout", "x r t", "y")], {"r": np.float32(0.5), "t": np.array(True)}, "training"),
    "subgraph": ([helper.make_node("If", ["x"], ["y"], name="the_y")], {}, "If.*not supported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named(name: str, tmp_path: Path) -> None:
    nodes, weights, message = REFUSED[name]
    with pytest.raises(ImportFailed, match=message):
        read("onnx", saved(tmp_path, nodes, weights, [1, 4]))


@pytest.mark.parametrize("shape", [None, [], ["n", "m"], [1, 0], [1, 10**12]])
def test_an_input_without_a_fixed_shape_is_refused(shape: Any, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed):
        read("onnx", saved(tmp_path, [node("Softmax", "x", "y")], {}, shape))


def test_a_missing_file_and_other_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="no file"):
        read("onnx", tmp_path / "nowhere.onnx")
    with pytest.raises(ImportFailed):
        read("onnx", tmp_path)
    for bytes_ in (b"", b"hello", b"\x80\x04\x95", b"\0" * 100):
        (tmp_path / "bad.onnx").write_bytes(bytes_)
        with pytest.raises(ImportFailed):
            read("onnx", tmp_path / "bad.onnx")


def external(folder: Path, location: str) -> Path:
    tensor = numpy_helper.from_array(f32(4), "b")
    data = tensor.raw_data
    (folder / "inside.bin").write_bytes(b"12345678" + data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "8"), ("length", str(len(data)))):
        tensor.external_data.add(key=key, value=value)
    built = model([node("Add", "x b", "y")], {}, [1, 4])
    built.graph.initializer.append(tensor)
    path = folder / "model.onnx"
    path.write_bytes(built.SerializeToString())
    return path


def test_external_data_stay_in_the_folder_of_the_model(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (tmp_path / "outside.bin").write_bytes(b"\0" * 100)
    agrees(external(folder, "inside.bin"))
    (folder / "link.bin").symlink_to(tmp_path / "outside.bin")
    for location in ("../outside.bin", str(tmp_path / "outside.bin"), "link.bin"):
        with pytest.raises(ImportFailed, match="outside the folder"):
            read("onnx", external(folder, location))
    for location in ("nothing.bin", "", "."):
        with pytest.raises(ImportFailed):
            read("onnx", external(folder, location))


def test_the_model_may_be_fed_by_another_name_of_its_weights(tmp_path: Path) -> None:
    """Old exporters list the initialisers among the inputs."""
    built = model([node("Add", "x b", "y")], {"b": f32(4)}, [1, 1, 1, 4], opset=8)
    built.graph.input.insert(0, helper.make_tensor_value_info("b", TensorProto.FLOAT, [4]))
    path = tmp_path / "old.onnx"
    onnx.save(built, str(path))
    agrees(path)


OPERATIONS = ["Gemm", "Add", "Sub", "Max", "Min", "Mul", "Div", "Bias", "Relu", "LeakyRelu", "Abs", "Neg", "Clip"]
OPERATIONS += ["Concat", "Gather"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Any], dict[str, np.ndarray]]:
    """A random piecewise-linear graph over rows: every node reads earlier ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    widths = {"x": 3}
    nodes: list[Any] = []
    weights: dict[str, np.ndarray] = {}

    def constant(*shape: int) -> str:
        weights[name := f"c{len(weights)}"] = rng.normal(size=shape).astype(np.float32)
        return name

    for i in range(draw(st.integers(1, 9))):
        name = f"n{i}"
        a = draw(st.sampled_from(sorted(widths)))
        n = widths[a]
        b = draw(st.sampled_from([w for w in sorted(widths) if widths[w] == n]))
        op = draw(st.sampled_from(OPERATIONS))
        out = n
        match op:
            case "Gemm":
                out = draw(st.integers(1, 4))
                made = node(op, f"{a} {constant(n, out)} {constant(out)}", name)
            case "Add" | "Sub" | "Max" | "Min":
                made = node(op, f"{a} {b}", name)
            case "Mul":
                made = node(op, f"{a} {constant(n)}", name)
            case "Div":
                weights[f"d{i}"] = rng.uniform(1, 3, n).astype(np.float32)
                made = node(op, f"{a} d{i}", name)
            case "Bias":
                made = node(draw(st.sampled_from(["Add", "Sub", "Max", "Min"])), f"{constant(1, n)} {a}", name)
            case "Clip":
                weights[f"l{i}"], weights[f"h{i}"] = np.float32(-0.4), np.float32(0.7)  # type: ignore[assignment]
                made = node(op, f"{a} l{i} h{i}", name)
            case "Concat":
                out = n + widths[b]
                made = node(op, f"{a} {b}", name, axis=1)
            case "Gather":
                out = draw(st.integers(1, 3))
                weights[f"i{i}"] = rng.integers(0, n, out)
                made = node(op, f"{a} i{i}", name, axis=1)
            case _:
                made = node(op, a, name)
        widths[name] = out
        nodes.append(made)
    nodes[-1].output[0] = "y"
    return nodes, weights


@given(graphs())
@settings(deadline=None, max_examples=40)
def test_random_graphs_are_what_the_runtime_computes(graph: tuple[list[Any], dict[str, np.ndarray]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = saved(Path(folder), *graph, [1, 3])
        network = read("onnx", path)
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        for x in RNG.normal(size=(4, 3)).astype(np.float32):
            expected = session.run(None, {"x": x[None]})[0].ravel()
            exact = network.values(tuple(Fraction(v) for v in x.astype(float).tolist()))
            largest = 1 + max(abs(float(v)) for value in exact for v in value)
            np.testing.assert_allclose([float(v) for v in exact[-1]], expected, rtol=1e-6, atol=1e-6 * largest)


NODES, WEIGHTS = ONE["shapes"]
WHOLE = model([*NODES[:-1], node("Squeeze", "u a", "z"), node("Gemm", "z w b", "h"), node("Clip", "h l", "y")],
              {**WEIGHTS, "w": f32(4, 3), "b": f32(3), "l": np.float32(0)}, ["n", 4]).SerializeToString()  # fmt: skip


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_damaged_bytes_give_a_network_or_a_failure(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.onnx"
        path.write_bytes(bytes(damaged[:end]))
        try:
            network = read("onnx", path)
        except ImportFailed:
            return
        network.floats(np.zeros((2, network.inputs)))


def test_float32_points_are_computed_as_the_runtime_computes_them(tmp_path: Path) -> None:
    """Six layers of fifty: float64 scores differ from the runtime's by its rounding, float32 scores do not."""
    import onnxruntime

    generator = np.random.default_rng(5)
    sizes = [5, 50, 50, 50, 50, 50, 50, 5]
    nodes, constants, value = [], [], "x"
    for k, (a, b) in enumerate(pairwise(sizes)):
        weight = (generator.standard_normal((a, b)) / np.sqrt(a / 2)).astype(np.float32)
        constants += [numpy_helper.from_array(weight, f"w{k}")]
        constants += [numpy_helper.from_array(generator.standard_normal(b).astype(np.float32), f"b{k}")]
        nodes.append(helper.make_node("MatMul", [value, f"w{k}"], [f"m{k}"]))
        nodes.append(helper.make_node("Add", [f"m{k}", f"b{k}"], [f"a{k}"]))
        value = f"a{k}"
        if k < len(sizes) - 2:
            nodes.append(helper.make_node("Relu", [value], [f"r{k}"]))
            value = f"r{k}"
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 5]) for n in ("x", value)]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:], constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    path = tmp_path / "deep.onnx"
    path.write_bytes(model.SerializeToString())
    points = generator.uniform(-1, 1, (200, 5)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path))
    theirs = np.array([session.run(None, {"x": p[None]})[0][0] for p in points])
    ours = read("onnx", path).floats(points)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() <= 1e-6 * np.abs(theirs).max()


@given(st.sampled_from([1, 2, 3, 6, 7, 9, 10, 11, 13, 16]), st.booleans(), st.lists(st.integers(-9, 9), max_size=6))
@settings(deadline=None)
def test_numbers_are_stored_as_onnx_reads_them(kind: int, raw: bool, numbers: list[int]) -> None:
    values = np.abs(numbers) if kind in (2, 9, 13) else np.array(numbers)
    array = values.astype(helper.tensor_dtype_to_np_dtype(kind))
    tensor = helper.make_tensor("t", kind, [len(numbers), 1], array.tobytes() if raw else array, raw=raw)
    expected = numpy_helper.to_array(tensor)
    assert stored(tensor).dtype == expected.dtype and (stored(tensor) == expected).all()


def test_a_model_is_read_by_the_messages_of_onnx_alone(tmp_path: Path) -> None:
    """And the package can be loaded afterwards, with the same messages."""
    path = tmp_path / "model.onnx"
    path.write_bytes(WHOLE)
    script = f"""
import sys
from verifier.importers import onnx_file, read
read("onnx", {str(path)!r})
assert "onnx" not in sys.modules
import onnx
assert onnx.TensorProto is onnx_file.messages().TensorProto
assert onnx.load({str(path)!r}).graph.node
"""
    subprocess.run([sys.executable, "-c", script], check=True)
