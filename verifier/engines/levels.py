"""A circuit of relus as arrays, level by level, and its facts as a positive formula over affine literals.

An atom is an input or a relu. A relu stands one level above the highest relu that its test mentions; the inputs are
level 0. Atoms are numbered level by level, so a test is a row over the atoms before its level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from verifier.kernel.circuit import FALSE, TRUE, Affine, Circuit, Input, Select
from verifier.query.piece import is_relu
from verifier.query.question import Question

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Truths = NDArray[np.bool_]

MOST_PARTS = 300
"""Formulas with more parts are declined; so recursion over them is shallow."""


class Declined(Exception):
    """The question is not of this kind; the message says why."""


class Literal(Struct, frozen=True):
    """Row number `row` is >= 0; it is the value of `node`, or minus it and then > 0."""

    row: int
    node: int
    positive: bool


class All(Struct, frozen=True):
    """Each part holds."""

    parts: tuple[Formula, ...]


class Some(Struct, frozen=True):
    """A part holds."""

    parts: tuple[Formula, ...]


Formula = Literal | All | Some
Row = tuple[dict[int, Fraction], Fraction]
"""Weights by node, and a constant."""


class Rows(Struct, frozen=True):
    """n affine rows over the atoms before some level: (n,) `bias` plus, for each pair (k, weights) of `parts`, the
    (n, width of level k) `weights` times the atoms of level k; parts that are 0 are left out.

    Every number is the float next to the exact one.
    """

    bias: Floats
    parts: tuple[tuple[int, Floats], ...]


class Level(Struct, frozen=True):
    """Relus that depend on earlier levels only: their nodes, the nodes of their tests, and the tests as rows. What the
    arrays say is in `units`, powers of two: the value of a test is its unit times its row."""

    relus: tuple[int, ...]
    tests: tuple[int, ...]
    units: tuple[Fraction, ...]
    rows: Rows


class Levels:
    """inputs: the numbers of the inputs that the facts depend on, level 0. levels[k]: level k + 1. literals: the rows
    of all literals, in their `units`. formula: what has to hold. Units make the largest number of a row about 1.

    Raises Declined where a number jumps, or the question is too large to be written like this.
    """

    def __init__(self, question: Question) -> None:
        if question.squares:
            raise Declined("a variable is a square")
        self.circuit: Circuit = question.circuit
        self._rows: list[Row] = []
        self.known: dict[tuple[int, bool], Literal] = {}  # by node, and whether it is >= 0
        self._parts = 0
        self.formula: Formula = All(tuple(self._formula(fact, True) for fact in question.facts))

        heights: dict[int, int] = {}
        for node in sorted(self._reach(node for row, _ in self._rows for node in row)):
            match self.circuit[node]:
                case Input():
                    heights[node] = 0
                case Select(test):
                    heights[node] = 1 + max((heights[j] for j in self._row(test)[0]), default=0)
        count = 1 + max(heights.values(), default=0)
        nodes = [[n for n, height in heights.items() if height == k] for k in range(count)]
        places = {n: (k, i) for k, level in enumerate(nodes) for i, n in enumerate(level)}
        self.inputs: tuple[int, ...] = tuple(_input(self.circuit, n) for n in nodes[0])
        self.nodes: tuple[int, ...] = tuple(nodes[0])
        widths = [len(level) for level in nodes]
        self.levels: list[Level] = []
        units = dict.fromkeys(nodes[0], Fraction(1))
        for k in range(1, count):
            tests = tuple(_test(self.circuit, n) for n in nodes[k])
            scaled = [_scaled(self._row(t), units) for t in tests]
            own = tuple(unit for unit, _ in scaled)
            units |= zip(nodes[k], own, strict=True)
            self.levels.append(Level(tuple(nodes[k]), tests, own, _arrays([r for _, r in scaled], places, widths[:k])))
        scaled = [_scaled(row, units) for row in self._rows]
        self.units: tuple[Fraction, ...] = tuple(unit for unit, _ in scaled)
        self.literals: Rows = _arrays([row for _, row in scaled], places, widths)

    def _reach(self, nodes: Iterable[int]) -> set[int]:
        """The inputs and relus that some node depends on."""
        seen: set[int] = set()
        todo = list(nodes)
        while todo:
            n = todo.pop()
            if n not in seen:
                seen.add(n)
                match self.circuit[n]:
                    case Select() as choice if is_relu(self.circuit, choice):
                        todo += self._row(choice.test)[0]
                    case Select():
                        raise Declined("a number jumps")
                    case _:
                        pass
        return seen

    def _row(self, node: int) -> Row:
        """A node as a row over inputs and choices."""
        weights: dict[int, Fraction] = {}
        constant, todo = Fraction(0), [(node, Fraction(1))]
        while todo:
            n, factor = todo.pop()
            match self.circuit[n]:
                case Affine(terms, shift):
                    constant += factor * shift
                    todo += [(j, factor * w) for j, w in terms]
                case _:
                    weights[n] = weights.get(n, Fraction(0)) + factor
        return {n: w for n, w in weights.items() if w}, constant

    def _formula(self, node: int, positive: bool) -> Formula:
        """`node` >= 0, or < 0, as a formula over literals."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Declined("the formula has too many parts")
        match self.circuit[node]:
            case Select(test, then, otherwise) if then != test:
                no, yes = (FALSE, TRUE) if positive else (TRUE, FALSE)
                if _is(self.circuit, then, FALSE) and _is(self.circuit, otherwise, TRUE):
                    return self._formula(test, not positive)
                if _is(self.circuit, otherwise, no):
                    return _all(self._formula(test, True), self._formula(then, positive))
                if _is(self.circuit, then, yes):
                    return _some(self._formula(test, True), self._formula(otherwise, positive))
                if _is(self.circuit, then, no):
                    return _all(self._formula(test, False), self._formula(otherwise, positive))
                if _is(self.circuit, otherwise, yes):
                    return _some(self._formula(test, False), self._formula(then, positive))
                return _some(
                    _all(self._formula(test, True), self._formula(then, positive)),
                    _all(self._formula(test, False), self._formula(otherwise, positive)),
                )
            case _:
                key = node, positive
                if key not in self.known:
                    weights, constant = self._row(node)
                    sign = 1 if positive else -1
                    self.known[key] = Literal(len(self._rows), node, positive)
                    self._rows.append(({n: sign * w for n, w in weights.items()}, sign * constant))
                return self.known[key]

    def forward(self, points: Floats) -> Floats:
        """(n, inputs) -> (n, literals): the value of every literal at each point, in floats."""
        values = [points]
        for level in self.levels:
            values.append(np.maximum(_at(level.rows, values), 0))
        return _at(self.literals, values)

    def score(self, values: Floats) -> Floats:
        """(n, literals) -> (n,): how well the formula holds; of `all` it is the least, of `some` the largest."""

        def of(formula: Formula) -> Floats:
            match formula:
                case Literal(row):
                    return values[:, row]
                case All(parts):
                    return reduce(np.minimum, map(of, parts), np.full(len(values), np.inf))
                case Some(parts):
                    return reduce(np.maximum, map(of, parts))

        return of(self.formula)


def _all(*parts: Formula) -> Formula:
    return All(tuple(q for p in parts for q in (p.parts if isinstance(p, All) else (p,))))


def _some(*parts: Formula) -> Formula:
    return Some(tuple(q for p in parts for q in (p.parts if isinstance(p, Some) else (p,))))


def _is(circuit: Circuit, node: int, value: Fraction) -> bool:
    return circuit[node] == Affine((), value)


def _input(circuit: Circuit, node: int) -> int:
    at = circuit[node]
    assert isinstance(at, Input)
    return at.index


def _test(circuit: Circuit, node: int) -> int:
    at = circuit[node]
    assert isinstance(at, Select)
    return at.test


def _scaled(row: Row, units: Mapping[int, Fraction]) -> tuple[Fraction, Row]:
    """The row over atoms in these units, and its own unit: the power of two that makes its largest number about 1."""
    weights = {n: w * units[n] for n, w in row[0].items()}
    largest = max((abs(w) for w in (*weights.values(), row[1])), default=Fraction(0))
    if not largest:
        return Fraction(1), row
    shift = largest.numerator.bit_length() - largest.denominator.bit_length()
    unit = Fraction(1 << shift) if shift >= 0 else Fraction(1, 1 << -shift)
    return unit, ({n: w / unit for n, w in weights.items()}, row[1] / unit)


def _arrays(rows: list[Row], places: dict[int, tuple[int, int]], widths: list[int]) -> Rows:
    """Rows over nodes as arrays over levels."""
    bias = np.array([float(constant) for _, constant in rows])
    parts = [np.zeros((len(rows), width)) for width in widths]
    for r, (weights, _) in enumerate(rows):
        for n, w in weights.items():
            k, i = places[n]
            parts[k][r, i] = float(w)
    return Rows(bias, tuple((k, part) for k, part in enumerate(parts) if part.any()))


def _at(rows: Rows, values: list[Floats]) -> Floats:
    """(n, rows): the rows at the values of the levels."""
    total = np.tile(rows.bias, (len(values[0]), 1))
    for k, weights in rows.parts:
        total += values[k] @ weights.T
    return total
