"""A question as every contender gets it: a network, a box, one point or two, and a formula. Nothing here is shared with
the circuits that the verifier builds: an answer of anybody, the verifier included, is replayed with this file alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal, assert_never

from verifier.model.network import Dense, Network, Relu
from verifier.model.violation import All, Compare, Formula, Some, holds

Vector = tuple[Fraction, ...]
MOST_CLAUSES = 10_000


@dataclass(frozen=True)
class Layer:
    """v -> weights v + bias; after every layer but the last comes max(v, 0), entry by entry."""

    weights: tuple[Vector, ...]
    bias: Vector


@dataclass(frozen=True)
class Net:
    """Layers, one after the other."""

    layers: tuple[Layer, ...]

    @property
    def inputs(self) -> int:
        return len(self.layers[0].weights[0])

    @property
    def outputs(self) -> int:
        return len(self.layers[-1].bias)

    def at(self, point: Sequence[Fraction]) -> Vector:
        """The outputs, exactly."""
        values = tuple(point)
        for k, layer in enumerate(self.layers):
            rows = zip(layer.weights, layer.bias, strict=True)
            values = tuple(sum((w * v for w, v in zip(row, values, strict=True) if w), bias) for row, bias in rows)
            if k < len(self.layers) - 1:
                values = tuple(max(v, Fraction(0)) for v in values)
        return values


def chain(network: Network) -> Net:
    """The layers of an imported network. Raises ValueError when it is no chain of dense layers and ReLUs."""
    layers: list[Layer] = []
    value, rectified = 0, True
    for place, step in enumerate(network.steps, start=1):
        match step:
            case Dense((source,), (weights,), bias, None) if source == value:
                rows = tuple(tuple(Fraction(w) for w in row) for row in weights)
                layer = Layer(rows, tuple(Fraction(b) for b in bias))
                layers.append(layer if rectified else after(layer, layers.pop()))
                rectified = False
            case Relu(source) if source == value and not rectified:
                rectified = True
            case _:
                raise ValueError("the network is no chain of dense layers")
        value = place
    if rectified:
        raise ValueError("the network does not end with a dense layer")
    return Net(tuple(layers))


def after(second: Layer, first: Layer) -> Layer:
    """Both layers, without a ReLU between them, as one."""
    columns = list(zip(*first.weights, strict=True))
    rows = tuple(tuple(dot(row, column) for column in columns) for row in second.weights)
    return Layer(rows, tuple(dot(row, first.bias) + b for row, b in zip(second.weights, second.bias, strict=True)))


def dot(left: Vector, right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True) if a and b), Fraction(0))


@dataclass(frozen=True)
class Side:
    """The interval of one coordinate; `link`: what ties the second point to the first, None for nothing, 0 for the same
    value, r for |x - x'| <= r."""

    low: Fraction
    high: Fraction
    integer: bool = False
    link: Fraction | None = None


@dataclass(frozen=True)
class Claim:
    """Is there a point (`copies` 1) or a pair (2) of the box with the formula?

    The numbers of the formula are x, then x' if there is one, then the outputs at x, then those at x'. `least`: the
    pairs with the formula are there; asked for is the least max |x_i - x'_i|.
    """

    net: Net
    box: tuple[Side, ...]
    formula: Formula
    copies: Literal[1, 2] = 2
    least: bool = False

    @property
    def width(self) -> int:
        return len(self.box)

    def numbers(self, point: Sequence[Fraction]) -> Vector:
        """The numbers of the formula at a point."""
        parts = [tuple(point[c * self.width : (c + 1) * self.width]) for c in range(self.copies)]
        return (*point, *(y for part in parts for y in self.net.at(part)))

    def solved_by(self, point: Sequence[Fraction]) -> bool:
        """The point (or pair, one after the other) is one that is asked for."""
        if len(point) != self.copies * self.width:
            return False
        for i, side in enumerate(self.box):
            values = point[i :: self.width]
            if any(not side.low <= v <= side.high or (side.integer and v.denominator != 1) for v in values):
                return False
            if self.copies == 2 and side.link is not None and abs(values[0] - values[1]) > side.link:
                return False
        return holds(self.formula, self.numbers(point))

    def mended(self, point: Sequence[Fraction]) -> Vector:
        """The point with its rounding errors taken out: integers are whole, it lies in the box, and linked coordinates
        are as near as they have to be. Outputs are not looked at."""
        found: list[Fraction] = []
        for k, value in enumerate(point):
            side = self.box[k % self.width]
            low, high = side.low, side.high
            if k >= self.width and side.link is not None:
                low, high = max(low, found[k - self.width] - side.link), min(high, found[k - self.width] + side.link)
            value = Fraction(round(value)) if side.integer else value
            found.append(min(max(value, low), high))
        return tuple(found)

    def apart(self, point: Sequence[Fraction]) -> Fraction:
        """max |x_i - x'_i|."""
        return max(abs(a - b) for a, b in zip(point[: self.width], point[self.width :], strict=True))


def clauses(formula: Formula) -> Iterator[tuple[Compare, ...]]:
    """Conjunctions whose disjunction the formula is. Raises ValueError beyond MOST_CLAUSES."""
    match formula:
        case Compare():
            yield (formula,)
        case Some(parts):
            for part in parts:
                yield from clauses(part)
        case All(parts):
            every = [list(clauses(part)) for part in parts]
            count = 1
            for some in every:
                count *= len(some)
            if count > MOST_CLAUSES:
                raise ValueError("the formula has too many cases")
            for choice in product(*every):
                yield tuple(row for clause in choice for row in clause)
        case _:
            assert_never(formula)


def row(weights: dict[int, Fraction | int], constant: Fraction | int = 0, strict: bool = False) -> Compare:
    """constant + sum of weight * number >= 0 (> 0)."""
    terms = tuple(sorted((i, Fraction(w)) for i, w in weights.items() if w))
    return Compare(terms, Fraction(constant), strict)
