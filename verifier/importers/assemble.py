"""Building a Network: tensors are arrays of wires, so that every reordering of entries costs nothing.

A wire is an integer that names one entry of one value: entry e of value v is wire starts[v] + e. Reshape, transpose,
slice, gather and concatenate are then plain numpy on integer arrays; only arithmetic makes steps. Every weight is kept
as it is: where a product or a sum of two constants would round, it becomes one more step instead.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from verifier.importers.failure import MOST_ENTRIES, MOST_STEPS, MOST_WEIGHTS, ImportFailed
from verifier.model.network import Dense, Floats, Ints, Network, Relu, Rule, Step, Tree

Term = tuple[Ints, Floats]
"""(wires, weights): weights (out, n) applied to n wires, or (n,) for one factor a wire."""


class Layer(Struct, frozen=True, eq=False):
    """A Dense step under construction."""

    sources: tuple[int, ...]
    weights: tuple[Floats, ...]
    bias: Floats
    divisor: Floats | None = None


def finite(array: Any) -> Floats:
    """`array` as float64, exactly.

    ImportFailed for NaN, infinities, what is not a real number, and integers beyond 2^53.
    """
    given = np.asarray(array)
    if given.dtype.kind not in "fiub" or given.dtype.itemsize > 8:
        raise ImportFailed(f"A weight has the type {given.dtype}, which is not a real number of at most 64 bits.")
    with np.errstate(invalid="ignore"):  # a signalling NaN
        floats = given.astype(np.float64)
    if not np.isfinite(floats).all():
        raise ImportFailed(
            "A weight is NaN or infinite.", "The training diverged: train again, with a smaller learning rate."
        )
    if given.dtype.kind in "iu" and (np.abs(floats) > 2.0**53).any():
        raise ImportFailed("An integer weight is larger than 2^53.", "Store the weights as floats.")
    return floats


def rounded(exact: list[Fraction]) -> Floats | None:
    """The floats equal to these rationals, or None when one of them is no float64."""
    try:
        floats = [float(value) for value in exact]
    except OverflowError:
        return None
    return (
        np.array(floats, dtype=np.float64)
        if all(Fraction(f) == e for f, e in zip(floats, exact, strict=True))
        else None
    )


def fractions(array: Floats) -> list[Fraction]:
    return [Fraction(value) for value in array.ravel().tolist()]


def exact_sum(left: Floats, right: Floats) -> Floats | None:
    """left + right entry by entry, (n,) each, or None where that rounds."""
    if not left.any():
        return right + 0.0
    return rounded([a + b for a, b in zip(fractions(left), fractions(right), strict=True)])


class Assembly(Struct):
    """A network under construction: `inputs` wires, then the results of `steps`. Wires are one-dimensional here."""

    inputs: int
    steps: list[Layer | Relu | Tree] = []
    starts: list[int] = field(default_factory=lambda: [0])
    total: int = 0
    spent: int = 0

    def __post_init__(self) -> None:
        limit(self.inputs)
        if self.inputs < 1:
            raise ImportFailed("The model has no inputs.")
        self.total = self.inputs

    def value(self, number: int) -> Ints:
        """All wires of value `number`."""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else self.total
        return np.arange(self.starts[number], end, dtype=np.int64)

    def owners(self, wires: Ints) -> Ints:
        """The value that each wire belongs to."""
        return np.searchsorted(np.array(self.starts), wires, side="right").astype(np.int64) - 1

    def _push(self, step: Layer | Relu | Tree, width: int) -> Ints:
        limit(width)
        if len(self.steps) >= MOST_STEPS:
            raise ImportFailed(f"The model needs more than {MOST_STEPS} steps.", "Use a smaller model.")
        self.steps.append(step)
        self.starts.append(self.total)
        self.total += width
        return self.value(len(self.steps))

    def _spend(self, weights: int) -> None:
        self.spent += weights
        if self.spent > MOST_WEIGHTS:
            raise ImportFailed(f"The model needs more than {MOST_WEIGHTS:,} weights.", "Use a smaller model.")

    def affine(self, terms: list[Term], bias: Floats) -> Ints:
        """sum of weights @ wires over the terms, + bias (out,): a new value."""
        out = len(bias)
        sources: list[int] = []
        matrices: list[Floats] = []
        for wires, given in terms:
            weights = finite(given)
            owners = self.owners(wires)
            for owner in sorted(set(owners.tolist())):  # np.unique loads numpy.ma, 10 ms
                columns = np.flatnonzero(owners == owner)
                own = self.value(owner)
                while len(
                    columns
                ):  # an entry that occurs twice goes to a second matrix: adding its weights might round
                    _, first = np.unique(wires[columns], return_index=True)
                    chosen = columns[np.sort(first)]
                    self._spend(out * len(own))
                    matrix = np.zeros((out, len(own)))
                    entries = wires[chosen] - own[0]
                    if weights.ndim == 1:
                        matrix[chosen, entries] = weights[chosen]
                    else:
                        matrix[:, entries] = weights[:, chosen]
                    sources.append(owner)
                    matrices.append(matrix)
                    columns = np.delete(columns, first)
        return self._push(Layer(tuple(sources), tuple(matrices), finite(bias)), out)

    def constant(self, numbers: Floats) -> Ints:
        """A value that does not depend on the input."""
        return self.affine([], numbers)

    def combine(self, *terms: tuple[Ints, float]) -> Ints:
        """sum of factor * wires, entry by entry."""
        width = len(terms[0][0])
        return self.affine([(wires, np.full(width, factor)) for wires, factor in terms], np.zeros(width))

    def _dense(self, wires: Ints) -> Layer | None:
        """The layer whose value is exactly these wires, as a step of its own to change.

        None when they are none or another's.
        """
        owners = self.owners(wires)
        if not len(wires) or owners[0] == 0 or (owners != owners[0]).any():
            return None
        step = self.steps[int(owners[0]) - 1]
        if not isinstance(step, Layer):
            return None
        own = self.value(int(owners[0]))
        if len(wires) == len(own) and (wires == own).all():
            return step
        rows = wires - own[0]
        self._spend(sum(len(rows) * weight.shape[1] for weight in step.weights))
        divisor = None if step.divisor is None else step.divisor[rows]
        return Layer(step.sources, tuple(weight[rows] for weight in step.weights), step.bias[rows], divisor)

    def add(self, wires: Ints, numbers: Floats) -> Ints:
        """wires + numbers (n,), within the layer that made them where that is exact."""
        step = self._dense(wires)
        if step is not None and step.divisor is None:
            bias = exact_sum(step.bias, finite(numbers))
            if bias is not None:
                return self._push(replace(step, bias=bias), len(wires))
        return self.affine([(wires, np.ones(len(wires)))], numbers)

    def negate(self, wires: Ints) -> Ints:
        """-wires, within the layer that made them."""
        step = self._dense(wires)
        if step is None:
            return self.combine((wires, -1.0))
        self._spend(sum(weight.size for weight in step.weights))
        return self._push(replace(step, weights=tuple(-weight for weight in step.weights), bias=-step.bias), len(wires))

    def scale(self, wires: Ints, factors: Floats) -> Ints:
        """factors * wires."""
        return wires if (factors == 1).all() else self.affine([(wires, factors)], np.zeros(len(wires)))

    def divide(self, wires: Ints, divisor: Floats) -> Ints:
        """wires / divisor (n,), within the layer that made them where it divides by nothing yet."""
        divisor = finite(divisor)
        if (divisor == 0).any():
            raise ImportFailed("The model divides by zero.")
        if (divisor == 1).all():
            return wires
        step = self._dense(wires)
        if step is None or step.divisor is not None:
            step = self._dense(self.combine((wires, 1.0)))
        assert step is not None
        return self._push(replace(step, divisor=divisor), len(wires))

    def relu(self, wires: Ints) -> Ints:
        """max(wires, 0)."""
        owners = self.owners(wires)
        result = wires.copy()
        for owner in sorted(set(owners.tolist())):
            own = self.value(owner)
            positive = self._push(Relu(owner), len(own))
            result[owners == owner] = wires[owners == owner] - own[0] + positive[0]
        return result

    def leaky(self, wires: Ints, slope: Floats) -> Ints:
        """wires where >= 0, slope * wires elsewhere: relu(x) - slope relu(-x), with slope (n,)."""
        ones = np.ones(len(wires))
        return self.affine([(self.relu(wires), ones), (self.relu(self.negate(wires)), -slope)], np.zeros(len(wires)))

    def absolute(self, wires: Ints) -> Ints:
        """|x| = relu(x) + relu(-x)."""
        return self.combine((self.relu(wires), 1.0), (self.relu(self.negate(wires)), 1.0))

    def maximum(self, left: Ints, right: Ints) -> Ints:
        """max(a, b) = a + relu(b - a)."""
        return self.combine((left, 1.0), (self.relu(self.combine((right, 1.0), (left, -1.0))), 1.0))

    def minimum(self, left: Ints, right: Ints) -> Ints:
        """min(a, b) = a - relu(a - b)."""
        return self.combine((left, 1.0), (self.relu(self.combine((left, 1.0), (right, -1.0))), -1.0))

    def at_least(self, wires: Ints, low: Floats) -> Ints:
        """max(x, low) = low + relu(x - low), low (n,)."""
        if not low.any():
            return self.relu(wires)
        return self.affine([(self.relu(self.add(wires, -finite(low))), np.ones(len(wires)))], low)

    def at_most(self, wires: Ints, high: Floats) -> Ints:
        """min(x, high) = high - relu(high - x), high (n,)."""
        room = self.add(self.negate(wires), high)
        return self.affine([(self.relu(room), -np.ones(len(wires)))], high)

    def tree(self, wires: Ints, feature: Ints, threshold: Floats, left: Ints, right: Ints, leaf: Floats) -> Ints:
        """The leaf (out,) that a decision tree reaches; nodes as in `Tree`, children after their parents."""
        nodes = len(feature)
        inner = left >= 0
        places = np.arange(nodes)[inner]
        if not nodes or any(len(part) != nodes for part in (threshold, left, right, leaf)):
            raise ImportFailed("The tree has no nodes, or its tables differ in length.")
        if (left < -1).any():
            raise ImportFailed("The tree has a child that is no node.")
        for child in (left, right):
            if ((child[inner] <= places) | (child[inner] >= nodes)).any():
                raise ImportFailed("The tree has a child that does not come after its parent.")
        if ((feature[inner] < 0) | (feature[inner] >= len(wires))).any():
            raise ImportFailed("The tree reads a feature that does not exist.")
        self._spend(leaf.size)
        source = self._whole(wires)
        step = Tree(
            source, np.where(inner, feature, 0), finite(np.where(inner, threshold, 0)), left, right, finite(leaf)
        )
        return self._push(step, leaf.shape[1])

    def _whole(self, wires: Ints) -> int:
        """The number of a value that consists of exactly these wires, in order; made when there is none."""
        owner = int(self.owners(wires[:1])[0])
        own = self.value(owner)
        if len(own) == len(wires) and (own == wires).all():
            return owner
        self.combine((wires, 1.0))
        return len(self.steps)

    def finish(self, scores: Ints, rule: Rule, format: str, path: str, classes: tuple[str, ...] = ()) -> Network:
        """The network with these scores; steps that do not reach them are dropped."""
        if len(scores) == 0 or (rule == "argmax" and len(scores) < 2) or (rule == "positive" and len(scores) != 1):
            raise ImportFailed(
                f"The model has {len(scores)} scores: a classifier has one logit, or a score for each class."
            )
        last, hidden = self._through_one_value(self._whole(scores))
        kept = self._ancestors(last)
        numbers = (
            {old: new for new, old in enumerate(kept)}
            if 0 in kept
            else {0: 0} | {old: n for n, old in enumerate(kept, 1)}
        )
        steps = tuple(finished(self.steps[old - 1], numbers) for old in kept if old)
        return Network(self.inputs, steps, rule, numbers[hidden], format, path, classes)

    def _step_sources(self, value: int) -> tuple[int, ...]:
        step = self.steps[value - 1]
        return step.sources if isinstance(step, Layer) else (step.source,)

    def _ancestors(self, last: int) -> list[int]:
        """`last` and every value that it is computed from, in order."""
        wanted = {last}
        for value in range(last, 0, -1):
            if value in wanted:
                wanted.update(self._step_sources(value))
        return sorted(wanted)

    def _through_one_value(self, last: int) -> tuple[int, int]:
        """(scores, last hidden value).

        The last layer is made to read one value, and the scores depend on that value alone.
        """
        after: list[Relu | Tree] = []
        value = last
        while value:
            step = self.steps[value - 1]
            if isinstance(step, Layer):
                break
            after.append(step)
            value = step.source
        else:
            return last, 0
        if len(set(step.sources)) <= 1:
            return last, step.sources[0] if step.sources else 0
        self.combine((np.concatenate([self.value(source) for source in step.sources]), 1.0))
        hidden = len(self.steps)
        self._push(Layer((hidden,), (np.hstack(step.weights),), step.bias, step.divisor), len(step.bias))
        for follower in reversed(after):
            self._push(replace(follower, source=len(self.steps)), self._width(follower))
        return len(self.steps), hidden

    def _width(self, step: Relu | Tree) -> int:
        return step.leaf.shape[1] if isinstance(step, Tree) else len(self.value(step.source))


def finished(step: Layer | Relu | Tree, numbers: dict[int, int]) -> Step:
    """The step of a network, with its sources renamed."""
    match step:
        case Layer(sources, weights, bias, divisor):
            sources, rows = tuple(numbers[s] for s in sources), tuple(part.tolist() for part in weights)
            return Dense(sources, rows, bias.tolist(), None if divisor is None else divisor.tolist())
        case Relu(source) | Tree(source=source):
            return replace(step, source=numbers[source])


def limit(entries: int) -> None:
    """ImportFailed when a tensor has more entries than this tool takes."""
    if entries > MOST_ENTRIES:
        raise ImportFailed(f"The model has a tensor of {entries:,} entries.", f"At most {MOST_ENTRIES:,} are possible.")
