"""How far floats may be from exact scores: nearer than that they are, and the runtime's class is then the exact one."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verifier.importers import original, read, rounding, settled
from verifier.importers.rounding import LARGE, OPERATIONS, errors
from verifier.model.network import Dense, Network, Relu, Tree

F = Fraction
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def saved(path: Path, seed: int, widths: tuple[int, ...], spread: int = 0, tail: str = "") -> Network:
    """A random network, each of its tables up to 10^spread times as large or small."""
    generator = np.random.default_rng(seed)
    nodes, stored, value = [], [], "x"
    for k, (a, b) in enumerate(pairwise(widths)):
        for name, array in ((f"w{k}", generator.normal(size=(a, b))), (f"b{k}", generator.normal(size=b))):
            stored.append(
                numpy_helper.from_array(
                    (array * 10.0 ** generator.integers(-spread, spread + 1)).astype(np.float32), name
                )
            )
        nodes.append(helper.make_node("Gemm", [value, f"w{k}", f"b{k}"], [f"v{k}"]))
        value = f"v{k}"
        if k < len(widths) - 2:
            nodes.append(helper.make_node("Relu", [value], [f"r{k}"]))
            value = f"r{k}"
    if tail:
        nodes.append(helper.make_node(tail, [value], ["end"]))
        value = "end"
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [1, widths[0]]), (value, None))]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], stored)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return read("onnx", path)


def scores32(path: Path, point: np.ndarray) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": point.astype(np.float32)[None]})[0].ravel().astype(float)


@pytest.mark.parametrize("widths", [(3, 4, 2), (2, 1), (8, 32, 32, 3), (300, 20, 1)])
@pytest.mark.parametrize("seed", range(5))
def test_scores_of_the_runtime_are_no_further_off(tmp_path: Path, seed: int, widths: tuple[int, ...]) -> None:
    network = saved(tmp_path / "net.onnx", seed, widths, 3)
    for point in np.random.default_rng(seed).normal(size=(5, widths[0])):
        exact = tuple(map(F, point.tolist()))
        off, there = errors(network, network.values(exact)), scores32(tmp_path / "net.onnx", point)
        assert off is not None
        for score, error, seen in zip(network.values(exact)[-1], off, there, strict=True):
            assert abs(score - F(seen)) <= F(error)


@pytest.mark.parametrize("widths", [(4, 8, 3), (4, 8, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_where_it_is_settled_the_runtime_has_the_exact_class(
    tmp_path: Path, seed: int, widths: tuple[int, ...]
) -> None:
    """Of points as near to a tie as halving finds them some are settled, not all, and those agree."""
    network = saved(tmp_path / "net.onnx", seed, widths)
    runtime = original(network)
    assert runtime is not None
    generator, found, tried = np.random.default_rng(seed), 0, 0
    for _ in range(300):
        low, high = generator.normal(size=(2, widths[0])) * 3
        label = lambda p: network.decide(network.values(tuple(map(F, p.tolist())))[-1])  # noqa: E731
        if label(low) == label(high):
            continue
        for _ in range(int(generator.integers(5, 30))):
            middle = (low + high) / 2
            low, high = (middle, high) if label(middle) == label(low) else (low, middle)
        tried += 1
        if settled(network, [tuple(map(F, low.tolist()))]):
            found += 1
            assert runtime(low[None]) == [label(low)]
        if tried == 20:
            break
    assert 0 < found < tried


def test_a_tie_is_not_settled() -> None:
    even = Network(1, (Dense((0,), ([[1.0], [1.0]],), [0.0, 0.0]),), "argmax", 0)
    zero = Network(1, (Dense((0,), ([[1.0]],), [0.0]),), "positive", 0)
    assert not rounding.settled(even, [(F(1),)]) and not rounding.settled(zero, [(F(0),)])
    assert rounding.settled(zero, [(F(1),)]) and not rounding.settled(zero, [(F(1),), (F(0),)])


def test_only_plain_layers_of_a_file_are_settled(tmp_path: Path) -> None:
    """In others several steps of the file may have become one."""
    point = (F(1), F(0))
    plain, other = saved(tmp_path / "a.onnx", 1, (2, 3, 2)), saved(tmp_path / "b.onnx", 1, (2, 3, 2), tail="Neg")
    assert settled(plain, [point])
    assert not settled(other, [point])
    assert not settled(Network(2, plain.steps, "argmax", 2), [point])
    (tmp_path / "a.onnx").unlink()
    assert not settled(plain, [point])


def test_of_what_the_bound_does_not_cover_nothing_is_said() -> None:
    def bound(steps: tuple[Any, ...], *point: Any) -> list[float] | None:
        network = Network(len(point), steps, "positive", 0)
        return errors(network, network.values(tuple(map(F, point))))

    layer = Dense((0,), ([[1.0]],), [0.0])
    ints = np.array([-1])
    assert bound((layer,), 1) is not None
    assert bound((layer, Relu(1), Dense((2,), ([[1e20]],), [0.0])), 10**15) is None
    assert bound((layer,), F(LARGE) * 2) is None
    assert bound((layer,), F(10) ** 400) is None
    assert bound((Dense((0,), ([[1.0]],), [0.0], [3.0]),), 1) is None
    assert bound((Dense((0, 0), ([[1.0]], [[1.0]]), [0.0]),), 1) is None
    assert bound((Tree(0, ints, ints.astype(float), ints, ints, np.ones((1, 1))),), 1) is None
    wide = Dense((0,), ([[1.0] * OPERATIONS],), [0.0])
    assert bound((wide,), *[1] * OPERATIONS) is None
