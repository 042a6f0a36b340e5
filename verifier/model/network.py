"""A trained model as data: a short straight-line program over vectors.

Weights are the float64 values they are (a float32 weight is a float64 exactly): the verified object is the real-arithmetic
function with those dyadic weights (THEORY section 7). Two kinds of step are enough for the piecewise-linear operators
(|x| = relu(x) + relu(-x), max(a, b) = a + relu(b - a)), a third holds decision trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dense:
    """value = (sum over sources of weights[k] @ value[sources[k]] + bias) / divisor.

    weights[k]: (out, width of source k); bias, divisor: (out,); divisor None means 1 (it is there because x / scale is not dyadic).
    """

    sources: tuple[int, ...]
    weights: tuple[Floats, ...]
    bias: Floats
    divisor: Floats | None = None


@dataclass(frozen=True, eq=False)
class Relu:
    """value = max(value[source], 0), element by element."""

    source: int


@dataclass(frozen=True, eq=False)
class Tree:
    """value = leaf[n] for the leaf n reached from node 0: left where x[feature[n]] <= threshold[n], else right; -1 marks a leaf.

    feature, left, right: (nodes,); threshold: (nodes,); leaf: (nodes, out).
    """

    source: int
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    leaf: Floats


Step = Dense | Relu | Tree
Rule = Literal["argmax", "positive"]


@dataclass(frozen=True, eq=False)
class Network:
    """`inputs` numbers in; value 0 is the input vector, value k+1 the result of steps[k]; the last value holds the scores.

    rule `argmax`: class = index of the largest score, lowest index on ties (numpy, scikit-learn, PyTorch).
    rule `positive`: one score s, class 1 iff s > 0 (logit of a sigmoid, binary scikit-learn), so a tie is class 0.
    `last_hidden`: the value that the last Dense step reads (for `features: last_hidden`), 0 when there is no hidden layer.
    `classes`: the model's own names of its classes, in order, or empty. `format`, `path`: where it was read.
    """

    inputs: int
    steps: tuple[Step, ...]
    rule: Rule
    last_hidden: int
    format: str = ""
    path: str = ""
    classes: tuple[str, ...] = ()

    def width(self, value: int) -> int:
        """The number of entries of value number `value`."""
        if value == 0:
            return self.inputs
        match self.steps[value - 1]:
            case Dense(bias=bias):
                return len(bias)
            case Relu(source):
                return self.width(source)
            case Tree(leaf=leaf):
                return int(leaf.shape[1])

    @property
    def labels(self) -> int:
        """How many classes there are."""
        return 2 if self.rule == "positive" else self.width(len(self.steps))

    def values(self, point: tuple[Fraction, ...]) -> list[tuple[Fraction, ...]]:
        """Every value at `point`, exactly. Raises ValueError on the wrong width."""
        if len(point) != self.inputs:
            raise ValueError(f"the network takes {self.inputs} numbers, not {len(point)}")
        values: list[tuple[Fraction, ...]] = [point]
        for step in self.steps:
            match step:
                case Dense(sources, weights, bias, divisor):
                    rows = [Fraction(float(b)) for b in bias]
                    for source, weight in zip(sources, weights, strict=True):
                        for r, row in enumerate(weight):
                            rows[r] += sum(
                                (Fraction(float(w)) * v for w, v in zip(row, values[source], strict=True) if w), Fraction(0)
                            )
                    if divisor is not None:
                        rows = [r / Fraction(float(d)) for r, d in zip(rows, divisor, strict=True)]
                    values.append(tuple(rows))
                case Relu(source):
                    values.append(tuple(max(v, Fraction(0)) for v in values[source]))
                case Tree(source, feature, threshold, left, right, leaf):
                    node = 0
                    while left[node] >= 0:
                        goes_left = values[source][feature[node]] <= Fraction(float(threshold[node]))
                        node = int(left[node] if goes_left else right[node])
                    values.append(tuple(Fraction(float(v)) for v in leaf[node]))
        return values

    def decide(self, scores: tuple[Fraction, ...]) -> int:
        """The index of the class, by `rule`."""
        if self.rule == "positive":
            return int(scores[0] > 0)
        return max(range(len(scores)), key=lambda i: (scores[i], -i))

    def floats(self, points: Floats) -> Floats:
        """Scores in float64 for many points at once: (n, inputs) -> (n, scores). A guess, never a proof."""
        values: list[Floats] = [points]
        for step in self.steps:
            match step:
                case Dense(sources, weights, bias, divisor):
                    value = sum((values[s] @ w.T for s, w in zip(sources, weights, strict=True)), np.tile(bias, (len(points), 1)))
                    values.append(value if divisor is None else value / divisor)
                case Relu(source):
                    values.append(np.maximum(values[source], 0.0))
                case Tree(source, feature, threshold, left, right, leaf):
                    node = np.zeros(len(points), dtype=np.int64)
                    rows = np.arange(len(points))
                    while (inner := left[node] >= 0).any():
                        goes_left = values[source][rows, feature[node]] <= threshold[node]
                        node = np.where(inner, np.where(goes_left, left[node], right[node]), node)
                    values.append(leaf[node])
        return values[-1]
