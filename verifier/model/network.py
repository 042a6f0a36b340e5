"""A trained model as data: a short straight-line program over vectors.

Weights are the float64 values they are (a float32 weight is a float64 exactly): the verified object is the
real-arithmetic function with those dyadic weights (THEORY section 7). Two kinds of step are enough for the
piecewise-linear operators (|x| = relu(x) + relu(-x), max(a, b) = a + relu(b - a)), a third holds decision trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import chain
from math import gcd, lcm
from operator import mul
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:  # a network of layers is read without numpy, which takes longer to load
    import numpy as np
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"
Ints: TypeAlias = "NDArray[np.int64]"
Vector: TypeAlias = Sequence[float]
Matrix: TypeAlias = Sequence[Vector]
"""Rows."""
Whole: TypeAlias = tuple[list[int], int]
"""(n, b) stands for n / b."""


def whole(numbers: Iterable[float]) -> tuple[list[int], int]:
    """(n, e) with numbers = n / 2^e, n integers and e >= 0: every finite float is a dyadic rational."""
    pairs = [value.as_integer_ratio() for value in numbers]
    exponent = max((bottom.bit_length() - 1 for _, bottom in pairs), default=0)
    return [top << (exponent + 1 - bottom.bit_length()) for top, bottom in pairs], exponent


class Dense(Struct, frozen=True, eq=False, dict=True):
    """value = (sum over sources of weights[k] @ value[sources[k]] + bias) / divisor.

    weights[k]: (out, width of source k); bias, divisor: (out,); divisor None means 1 (it is there because x / scale is
    not dyadic), otherwise no entry is 0. A source may occur more than once (x + x); without sources the value is the
    constant bias / divisor.
    """

    sources: tuple[int, ...]
    weights: tuple[Matrix, ...]
    bias: Vector
    divisor: Vector | None = None

    @cached_property
    def exact(self) -> tuple[list[list[int]], int]:
        """A row an entry of the value, over one power of two: all of its weights, one source after the other, and last
        its bias.

        (rows, e) stand for rows / 2^e.
        """
        rows = [[*chain(*parts), bias] for *parts, bias in zip(*self.weights, self.bias, strict=True)]
        numbers, exponent = whole(chain(*rows))
        width = len(rows[0]) if rows else 1
        return [numbers[i : i + width] for i in range(0, len(numbers), width)], exponent

    @cached_property
    def arrays(self) -> tuple[tuple[Floats, ...], Floats, Floats | None]:
        """Weights, bias and divisor for numpy."""
        import numpy as np

        divisor = None if self.divisor is None else np.array(self.divisor, dtype=np.float64)
        weights = tuple(np.array(part, dtype=np.float64) for part in self.weights)
        return weights, np.array(self.bias, dtype=np.float64), divisor


class Relu(Struct, frozen=True, eq=False):
    """value = max(value[source], 0), element by element."""

    source: int


class Tree(Struct, frozen=True, eq=False):
    """value = leaf[n] for the leaf n reached from node 0: left where x[feature[n]] <= threshold[n], else right.

    feature, left, right: (nodes,), left and right -1 at a leaf; threshold: (nodes,); leaf: (nodes, out). Children come
    after their parents.
    """

    source: int
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    leaf: Floats


Step = Dense | Relu | Tree
Rule = Literal["argmax", "positive"]


class Network(Struct, frozen=True, eq=False):
    """Value 0 is the vector of `inputs` numbers, value k+1 the result of steps[k]; the last value holds the scores.

    rule `argmax`: class = index of the largest score, lowest index on ties (numpy, scikit-learn, PyTorch).
    rule `positive`: one score s, class 1 iff s > 0 (logit of a sigmoid, binary scikit-learn), so a tie is class 0.
    `last_hidden`: the value that the last Dense step reads (for `features: last_hidden`), 0 without a hidden layer. The
    scores are a function of that value alone.
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
        """Every value at `point`, exactly. Raises ValueError on the wrong width.

        Inside, a vector is (numerators, a common denominator > 0), so that a layer is one product of integer matrices.
        """
        if len(point) != self.inputs:
            raise ValueError(f"the network takes {self.inputs} numbers, not {len(point)}")
        bottom = lcm(*(v.denominator for v in point))
        values: list[Whole] = [([v.numerator * (bottom // v.denominator) for v in point], bottom)]
        for step in self.steps:
            match step:
                case Dense(sources):
                    values.append(dense(step, [values[s] for s in sources]))
                case Relu(source):
                    top, bottom = values[source]
                    values.append(([max(v, 0) for v in top], bottom))
                case Tree(source, feature, threshold, left, right, leaf):
                    top, bottom = values[source]
                    node = 0
                    while left[node] >= 0:
                        goes_left = Fraction(top[feature[node]], bottom) <= Fraction(float(threshold[node]))
                        node = int(left[node] if goes_left else right[node])
                    numbers, exponent = whole(leaf[node].tolist())
                    values.append((numbers, 1 << exponent))
        return [tuple(Fraction(v, bottom) for v in top) for top, bottom in values]

    def decide(self, scores: tuple[Fraction, ...]) -> int:
        """The index of the class, by `rule`."""
        if self.rule == "positive":
            return int(scores[0] > 0)
        return max(range(len(scores)), key=lambda i: (scores[i], -i))

    def floats(self, points: Any) -> Any:
        """Scores for many points at once: (n, inputs) -> (n, scores). A guess, never a proof.

        float32 points are computed with in float32, as the runtimes of exported models do; all others in float64.
        """
        import numpy as np

        kind = np.float32 if points.dtype == np.float32 else np.float64
        values: list[Any] = [points.astype(kind, copy=False)]
        for step in self.steps:
            match step:
                case Dense(sources):
                    weights, bias, divisor = step.arrays
                    value = np.tile(bias.astype(kind), (len(points), 1))
                    for source, weight in zip(sources, weights, strict=True):
                        value = value + values[source] @ weight.T.astype(kind)
                    values.append(value if divisor is None else value / divisor.astype(kind))
                case Relu(source):
                    values.append(np.maximum(values[source], kind(0)))
                case Tree(source, feature, threshold, left, right, leaf):
                    node = np.zeros(len(points), dtype=np.int64)
                    rows = np.arange(len(points))
                    while (inner := left[node] >= 0).any():
                        goes_left = values[source][rows, feature[node]] <= threshold[node]
                        node = np.where(inner, np.where(goes_left, left[node], right[node]), node)
                    values.append(leaf[node].astype(kind))
        return values[-1]


def dense(step: Dense, sources: list[Whole]) -> Whole:
    """The value of a Dense step from its sources, each (numerators, denominator), in lowest common terms."""
    rows, exponent = step.exact
    bottom = lcm(*(b for _, b in sources))
    vector = [*chain(*([n * (bottom // b) for n in top] for top, b in sources)), bottom]
    numbers, bottom = [sum(map(mul, row, vector)) for row in rows], bottom << exponent
    if step.divisor is not None:
        ratios = [Fraction(t, bottom) / Fraction(d) for t, d in zip(numbers, step.divisor, strict=True)]
        bottom = lcm(*(r.denominator for r in ratios))
        numbers = [r.numerator * (bottom // r.denominator) for r in ratios]
    shared = gcd(bottom, *numbers)
    return [n // shared for n in numbers], bottom // shared
