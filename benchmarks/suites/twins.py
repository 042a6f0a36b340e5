"""Pairs in random networks in-h-h-2: X = [-1, 1]^in, |x - x'| <= 1/100, opposite classes with a margin of 1/20 on both
sides. The last layer is scaled so that the question is near its threshold.

With g = score 0 - score 1 of the unscaled network and t = max min(g(x), -g(x')) over all pairs, the question with scale
s is refuted iff s t >= 1/20. A search in floats finds a pair with nearly the largest t; s is that of the pair times
9/10 (`u`: as good as certainly proved) or 11/10 (`s`: refuted).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.claim import Claim, Layer, Net, Side, row
from benchmarks.contest import Instance
from benchmarks.suites import Options
from verifier.model.violation import All

SHAPES = ((2, 4), (8, 4), (2, 8), (8, 8), (2, 16), (8, 16), (2, 32))
RADIUS, MARGIN = Fraction(1, 100), Fraction(1, 20)
SCALES = {"u": 0.9, "s": 1.1}
GRAIN = 1024
"""Weights are whole multiples of 1 / GRAIN."""
Floats = NDArray[np.float64]


def instances(options: Options) -> Iterator[Instance]:
    for inputs, hidden in SHAPES:
        yield from pair(inputs, hidden, seed=0)


def pair(inputs: int, hidden: int, seed: int) -> tuple[Instance, Instance]:
    """The two questions about one network."""
    net, scale = generated(inputs, hidden, seed)
    made = []
    for kind, factor in SCALES.items():
        final = Fraction(round(scale * factor * GRAIN), GRAIN)
        scaled = Net((*net.layers[:-1], times(final, net.layers[-1])))
        name = f"{inputs}-{hidden}-{hidden}-2{kind}"
        about = {"seed": str(seed), "scale": str(final), "scale_of_the_pair": f"{scale:.6g}"}
        files: dict[str, str | bytes] = {"q.vf": text(inputs), "net.onnx": onnx_file(scaled)}
        made.append(Instance(name, (claim(scaled),), files, ("check", "q.vf"), about=about))
    return made[0], made[1]


def generated(inputs: int, hidden: int, seed: int) -> tuple[Net, float]:
    """A random network, and the scale of its last layer at which the best pair that was found is just a pair."""
    generator = np.random.default_rng([seed, inputs, hidden])
    sizes = (inputs, hidden, hidden, 2)
    while True:
        arrays = []
        for wide, out in pairwise(sizes):
            weights = generator.normal(0.0, (2.0 / wide) ** 0.5, (out, wide))
            arrays.append((grained(weights), grained(generator.normal(0.0, 0.3, out))))
        best = search(arrays, generator)
        if best > 0:  # else it has hardly a boundary: take the next one
            break
    layers = tuple(Layer(tuple(map(exact, w)), exact(b)) for w, b in arrays)
    return Net(layers), float(MARGIN) / best


def grained(array: Floats) -> Floats:
    return np.round(array * GRAIN) / GRAIN


def exact(numbers: Floats) -> tuple[Fraction, ...]:
    return tuple(Fraction(v) for v in numbers.tolist())


def times(factor: Fraction, layer: Layer) -> Layer:
    return Layer(tuple(tuple(factor * w for w in r) for r in layer.weights), tuple(factor * b for b in layer.bias))


def search(arrays: list[tuple[Floats, Floats]], generator: np.random.Generator) -> float:
    """The largest min(g(x), -g(x')) over pairs that many climbers find."""

    def g(points: Floats) -> Floats:
        values = points
        for weights, bias in arrays[:-1]:
            values = np.maximum(values @ weights.T + bias, 0.0)
        scores = values @ arrays[-1][0].T + arrays[-1][1]
        difference: Floats = scores[:, 0] - scores[:, 1]
        return difference

    count, width = 4000, arrays[0][0].shape[1]
    radius = float(RADIUS)
    x = generator.uniform(-1, 1, (count, width))
    y = np.clip(x + generator.choice([-radius, radius], (count, width)), -1, 1)

    def worth(x: Floats, y: Floats) -> Floats:
        least: Floats = np.minimum(g(x), -g(y))
        return least

    scores = worth(x, y)
    for step in range(600):
        if step % 50 == 49:  # the better half goes on twice
            order = np.argsort(-scores)[: count // 2]
            x, y, scores = (np.concatenate([a[order], a[order]]) for a in (x, y, scores))
        size = 10.0 ** generator.uniform(-5, -0.3, (count, 1))
        moved = np.clip(x + size * generator.standard_normal((count, width)), -1, 1)
        apart = y - x
        flipped = np.where(generator.random((count, width)) < 1 / width, -apart, apart)
        corner = np.where(generator.random((count, 1)) < 0.5, radius * np.sign(flipped), flipped)
        other = np.clip(moved + np.clip(corner, -radius, radius), -1, 1)
        tried = worth(moved, other)
        better = tried > scores
        x, y, scores = (
            np.where(better[:, None], moved, x),
            np.where(better[:, None], other, y),
            np.maximum(tried, scores),
        )
    return float(scores.max())


def claim(net: Net) -> Claim:
    """Score 0 leads by 1/20 at x, score 1 at x'."""
    n = net.inputs
    first = row({2 * n: 1, 2 * n + 1: -1}, -MARGIN)
    second = row({2 * n + 2: -1, 2 * n + 3: 1}, -MARGIN)
    return Claim(net, tuple(Side(Fraction(-1), Fraction(1), link=RADIUS) for _ in range(n)), All((first, second)))


def text(inputs: int) -> str:
    """The same in the verifier's language: neither order of the classes is left out, since pairs can be swapped."""
    return (
        f"domain X {{ x: real^{inputs} in [-1, 1] }}\nlabels {{ a, b }}\n"
        'model f1 = onnx("net.onnx")\noracle f2 { features all  metric linf }\n'
        f"assert T: strongly_robust(f1, f2, radius: {RADIUS}, closed: true, where_both: margin(f1) >= {MARGIN})\n"
    )


def onnx_file(net: Net) -> bytes:
    """The network as an ONNX file of doubles, exactly."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights, value = [], [], "x"
    for k, layer in enumerate(net.layers):
        last = k == len(net.layers) - 1
        for name, numbers in ((f"w{k}", layer.weights), (f"b{k}", layer.bias)):
            weights.append(numpy_helper.from_array(np.array(numbers, dtype=np.float64), name))
        nodes.append(helper.make_node("Gemm", [value, f"w{k}", f"b{k}"], ["y" if last else f"s{k}"], transB=1))
        value = f"h{k}"
        if not last:
            nodes.append(helper.make_node("Relu", [f"s{k}"], [value]))
    graph = helper.make_graph(
        nodes,
        "twins",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [1, net.inputs])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)],
        weights,
    )
    content: bytes = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()
    return content
