"""Small files of layers are read without numpy and protobuf, as the general reader reads them."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.importers import onnx_file, plain_onnx
from verifier.model.network import Dense, Network

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

WIDTH = 3


def said(network: Network) -> Any:
    """All that there is to a network."""

    def rows(matrix: Any) -> Any:
        return [[float.hex(float(v)) for v in row] for row in matrix]

    steps = [(s.sources, [*map(rows, s.weights)], rows([s.bias]), s.divisor) if isinstance(s, Dense) else s.source
             for s in network.steps]  # type: ignore[union-attr]  # fmt: skip
    return network.inputs, steps, network.rule, network.last_hidden, network.format, network.path, network.classes


def node(op: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    return helper.make_node(op, inputs, [output], **attributes)


@st.composite
def chains(draw: st.DrawFn) -> Any:
    """A model of layers, as exporters write them."""
    numbers = st.floats(-8, 8, width=32)
    kind = draw(st.sampled_from([TensorProto.FLOAT, TensorProto.DOUBLE]))
    raw = draw(st.booleans())
    stored: list[Any] = []

    def table(*shape: int) -> str:
        size = int(np.prod(shape))
        values = np.array(draw(st.lists(numbers, min_size=size, max_size=size)))
        values = values.astype(helper.tensor_dtype_to_np_dtype(kind))
        name = f"c{len(stored)}"
        stored.append(helper.make_tensor(name, kind, shape, values.tobytes() if raw else values, raw=raw))
        return name

    def row(n: int) -> str:
        return table(n) if draw(st.booleans()) else table(1, n)

    nodes, value, width = [], "x", WIDTH
    for k in range(draw(st.integers(1, 4))):
        out, name = draw(st.integers(1, 3)), f"v{k}"
        match draw(st.integers(0, 3)):
            case 0:
                turned = draw(st.booleans())
                weights = table(out, width) if turned else table(width, out)
                offset = [row(out)] if draw(st.booleans()) else []
                usual = {"alpha": 1.0, "beta": 1.0, "transA": 0} if draw(st.booleans()) else {}
                nodes.append(node("Gemm", [value, weights, *offset], name, transB=int(turned), **usual))
            case 1:
                nodes.append(node("MatMul", [value, table(width, out)], f"m{k}"))
                operands = [f"m{k}", row(out)]
                nodes.append(node("Add", draw(st.sampled_from([operands, operands[::-1]])), name))
            case 2:
                nodes.append(node("MatMul", [value, table(width, out)], name))
            case _:
                nodes.append(node("Gemm", [value, table(width, out)], f"i{k}"))
                nodes.append(node("Identity", [f"i{k}"], name))
        if draw(st.booleans()):
            nodes.append(node("Relu", [name], f"r{k}"))
            name = f"r{k}"
        value, width = name, out
    batch = draw(st.sampled_from([1, "batch", None]))
    ends = [
        helper.make_tensor_value_info("x", kind, [batch, WIDTH]),
        helper.make_tensor_value_info(value, kind, [batch, width]),
    ]
    listed = [helper.make_tensor_value_info(t.name, kind, t.dims) for t in stored] if draw(st.booleans()) else []
    graph = helper.make_graph(nodes, "g", [*listed, ends[0]], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def with_file(data: bytes, look: Callable[[Path], Any], name: str = "model.onnx") -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return look(path)


def both(path: Path) -> tuple[Network | None, Network | str]:
    plain = plain_onnx.read(path)
    try:
        return plain, onnx_file.parse(path)[0]
    except Exception as failed:  # of any type: `importers.read` makes it an ImportFailed
        return plain, str(failed)


@given(chains(), st.booleans())
@settings(deadline=None, max_examples=60)
def test_layers_are_read_as_by_the_general_reader(model: Any, packed: bool) -> None:
    data = model.SerializeToString()
    name = "model.onnx.gz" if packed else "model.onnx"
    plain, general = with_file(gzip.compress(data) if packed else data, both, name)
    assert plain is not None and isinstance(general, Network)
    assert said(plain) == said(general)


@given(chains(), st.data())
@settings(deadline=None, max_examples=150)
def test_no_damaged_file_is_read_otherwise(model: Any, draws: st.DataObject) -> None:
    data = bytearray(model.SerializeToString())
    for _ in range(draws.draw(st.integers(0, 3))):
        data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))
    end = draws.draw(st.integers(0, len(data)) | st.just(len(data)))
    plain, general = with_file(bytes(data[:end]), both)
    if plain is not None:
        assert said(plain) == said(general) if isinstance(general, Network) else "is not an ONNX file" in general


def model(nodes: list[Any], shape: list[Any] | None = None, **tables: Any) -> Any:
    stored = [numpy_helper.from_array(np.array(t, dtype=np.float32), name) for name, t in tables.items()]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", shape or [1, 2]), ("y", None))]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


SQUARE, OFFSET = [[1.0, 2.0], [3.0, 4.0]], [0.5, -0.5]
GEMM = node("Gemm", ["x", "w", "b"], "y")
"""What the plain reader reads; each of the others differs from it in one thing."""
OTHERS = {
    "not finite": model([GEMM], w=[[1.0, np.nan], [3.0, 4.0]], b=OFFSET),
    "a factor": model([node("Gemm", ["x", "w", "b"], "y", alpha=2.0)], w=SQUARE, b=OFFSET),
    "a turned input": model([node("Gemm", ["x", "w", "b"], "y", transA=1)], w=SQUARE, b=OFFSET),
    "another attribute": model([node("Gemm", ["x", "w", "b"], "y", gamma=1)], w=SQUARE, b=OFFSET),
    "an attribute of a relu": model([node("Gemm", ["x", "w"], "m"), node("Relu", ["m"], "y", alpha=1.0)], w=SQUARE),
    "a scalar offset": model([GEMM], w=SQUARE, b=1.0),
    "an offset of another width": model([GEMM], w=SQUARE, b=[1.0]),
    "an offset of a relu": model(
        [node("Gemm", ["x", "w"], "m"), node("Relu", ["m"], "r"), node("Add", ["r", "b"], "y")], w=SQUARE, b=OFFSET
    ),
    "two offsets": model([node("Gemm", ["x", "w", "b"], "m"), node("Add", ["m", "b"], "y")], w=SQUARE, b=OFFSET),
    "the wrong side": model([node("MatMul", ["w", "x"], "y")], [2, 2], w=SQUARE),
    "a matrix of another width": model([GEMM], [1, 3], w=SQUARE, b=OFFSET),
    "two rows": model([GEMM], [2, 2], w=SQUARE, b=OFFSET),
    "no rows": model([GEMM], [2], w=SQUARE, b=OFFSET),
    "no fixed width": model([GEMM], [1, "n"], w=SQUARE, b=OFFSET),
    "another operator": model([node("Gemm", ["x", "w", "b"], "m"), node("Softmax", ["m"], "y")], w=SQUARE, b=OFFSET),
    "another domain": model([helper.make_node("Gemm", ["x", "w", "b"], ["y"], domain="mine")], w=SQUARE, b=OFFSET),
    "two results": model([helper.make_node("Gemm", ["x", "w", "b"], ["y", "z"])], w=SQUARE, b=OFFSET),
    "a value read again": model(
        [node("Gemm", ["x", "w", "b"], "m"), node("Relu", ["m"], "r"), node("Gemm", ["m", "w", "b"], "y")],
        w=SQUARE, b=OFFSET,
    ),
    "a value added to itself": model([node("Gemm", ["x", "w"], "m"), node("Add", ["m", "m"], "y")], w=SQUARE),
    "a name used twice": model([node("Gemm", ["x", "w", "b"], "b"), node("Relu", ["b"], "y")], w=SQUARE, b=OFFSET),
    "another value asked for": model([node("Gemm", ["x", "w"], "y"), node("Relu", ["y"], "z")], w=SQUARE),
    "no layer": model([node("Relu", ["x"], "y")]),
    "nothing that is there": model([GEMM], w=SQUARE),
    "an offset left out": model([node("Gemm", ["x", "w", ""], "y")], w=SQUARE),
}  # fmt: skip


def edited(change: Callable[[Any], None]) -> Any:
    made = model([GEMM], w=SQUARE, b=OFFSET)
    change(made)
    return made


def whole_numbers(made: Any) -> None:
    made.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.array([[1, 2], [3, 4]]), "w"))


def stored_twice(made: Any) -> None:
    made.graph.initializer.append(made.graph.initializer[0])


def elsewhere(made: Any) -> None:
    made.graph.initializer[0].data_location = TensorProto.EXTERNAL


def left_out(made: Any) -> None:
    """An input without a name is none, whatever is stored without one."""
    made.graph.initializer[1].name = made.graph.node[0].input[2] = ""


def two_inputs(made: Any) -> None:
    made.graph.input.append(helper.make_tensor_value_info("x2", TensorProto.FLOAT, [1, 2]))


def two_outputs(made: Any) -> None:
    made.graph.output.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2]))


def short_numbers(made: Any) -> None:
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16


CHANGES = [whole_numbers, stored_twice, elsewhere, left_out, two_inputs, two_outputs, short_numbers]
OTHERS |= {change.__name__: edited(change) for change in CHANGES}


def test_the_plain_file_is_read() -> None:
    plain, general = with_file(model([GEMM], w=SQUARE, b=OFFSET).SerializeToString(), both)
    assert plain is not None and isinstance(general, Network) and said(plain) == said(general)


@pytest.mark.parametrize("what", OTHERS)
def test_all_else_is_for_the_general_reader(what: str) -> None:
    assert with_file(OTHERS[what].SerializeToString(), plain_onnx.read) is None


LONG = [plain_onnx.FEW, plain_onnx.FEW + 1]


@pytest.mark.parametrize("nodes", LONG)
def test_long_files_are_for_numpy(nodes: int) -> None:
    relus = [node("Relu", [f"v{k}"], f"v{k + 1}") for k in range(nodes - 1)]
    relus[-1].output[0] = "y"
    made = model([node("Gemm", ["x", "w"], "v0"), *relus], w=SQUARE)
    assert (with_file(made.SerializeToString(), plain_onnx.read) is None) == (nodes > plain_onnx.FEW)


def test_large_files_are_for_numpy() -> None:
    data = model([GEMM], w=np.ones((2, 40_000)), b=np.ones(40_000)).SerializeToString()
    assert len(data) > plain_onnx.SMALL and with_file(data, plain_onnx.read) is None


@pytest.mark.parametrize(
    "data",
    [b"\x00\x01", b"\x3a", b"\x3a\x05ab", b"\x38" + b"\xff" * 10, b"\x3b\x01", b"\x3a\x00", b"\x3a\x00\x3a\x00", b""],
)
def test_no_message_is_no_network(data: bytes) -> None:
    """A field of number 0; no length; one beyond the end; a number without end; a group; an empty graph, and two."""
    assert with_file(data, plain_onnx.read) is None


@pytest.mark.parametrize("side", [False, True])
def test_of_one_of_several_the_last_one_counts(side: bool) -> None:
    """A tensor that is a sequence after all, and a width that is a name after all."""

    def within(field: int, data: bytes) -> bytes:
        return bytes([field << 3 | 2, len(data)]) + data

    def written(sequence: bytes, name: bytes) -> bytes:
        made = model([GEMM], w=SQUARE, b=OFFSET)
        shape = within(1, b"\x08\x01") + within(1, b"\x08\x02" + name)
        kind = within(1, b"\x08\x01" + within(2, shape)) + sequence
        del made.graph.input[:]
        graph = made.graph.SerializeToString() + within(11, within(1, b"x") + within(2, kind))
        made.ClearField("graph")
        return made.SerializeToString() + b"\x3a" + bytes([len(graph) & 127 | 128, len(graph) >> 7]) + graph

    plain, general = with_file(written(b"", b""), both)
    assert plain is not None and said(plain) == said(general)
    plain, general = with_file(written(b"", within(2, b"n")) if side else written(within(4, b""), b""), both)
    assert plain is None and isinstance(general, str)


def test_neither_numpy_nor_protobuf_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(model([GEMM], w=SQUARE, b=OFFSET).SerializeToString())
    (tmp_path / "q.vf").write_text(
        """domain X { a: real in [-1, 1], b: real in [-1, 1] }
labels { no, yes }
model f1 = onnx("net.onnx")
oracle f2 { features all  metric linf }
assert C: strongly_robust(f1, f2, radius: 1/10, where_both: margin(f1) >= 1)
"""
    )
    script = """
import sys
from verifier.surfaces.cli import main
sys.argv = ["verifier", "check", "q.vf"]
try:
    main()
except SystemExit as ended:
    assert ended.code == 0
assert not {"numpy", "google.protobuf", "onnx"} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "proved" in done.stdout
