"""A circuit of relus as arrays, level by level, and its facts as a positive formula over affine literals.

An atom is an input or a relu. A relu stands one level above the highest relu that its test mentions; the inputs are
level 0. Atoms are numbered level by level, so a test is a row over the atoms before its level.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import reduce

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from verifier.engines.formulas import (
    All,
    Formula,
    Literal,
    Row,
    Some,
    all_of,
    certain,
    directed,
    paired,
    settled,
    some_of,
)
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


class Rows(Struct, frozen=True):
    """n affine rows over the atoms before some level: (n,) `bias` plus, for each pair (k, weights) of `parts`, the
    (n, width of level k) `weights` times the atoms of level k; parts that are 0 are left out.

    Every number is the float next to the exact one.
    """

    bias: Floats
    parts: tuple[tuple[int, Floats], ...]


class Level(Struct, frozen=True):
    """Relus that depend on earlier levels only: their nodes, the nodes of their tests, and the tests as rows. What the
    arrays say is in `units`, powers of two: the value of a test is its unit times its row. `twins`: (P, 2), which relus
    are the same of the first point and of the second; `runs`: the test of the former minus that of the latter."""

    relus: tuple[int, ...]
    tests: tuple[int, ...]
    units: tuple[Fraction, ...]
    rows: Rows
    twins: Places
    runs: Rows


class Apart(Struct, frozen=True):
    """An input of the second point, by node: that of the first point, and the range of the former minus the latter."""

    first: int
    low: Fraction
    high: Fraction


class Levels:
    """inputs: the numbers of the inputs that the facts depend on, level 0. levels[k]: level k + 1. literals: the rows
    of all literals, in their `units`. formula: what has to hold. Units make the largest number of a row about 1.
    sides: what keeps the second point in its box. sums: two rows that are opposite at the two points, and the row that
    is their sum; shares: by that, how often each is in it.

    `apart`: inputs in whose place stands by how much they exceed those of the first point. What is common to two
    points near each other then cancels.

    Raises Declined where a number jumps, or the question is too large to be written like this.
    """

    def __init__(self, question: Question, apart: Mapping[int, Apart] | None = None) -> None:
        if question.squares:
            raise Declined("a variable is a square")
        self.circuit: Circuit = question.circuit
        self.apart = apart or {}
        self.written: list[Row] = []
        self.known: dict[tuple[int, bool], Literal] = {}  # by node, and whether it is >= 0
        self._parts = 0
        formulas = [self._formula(fact, True) for fact in question.facts]
        self.sides = tuple(self._sides(question))
        self.formula: Formula = all_of(*formulas, *self.sides)
        heights: dict[int, int] = {}
        for node in sorted(self._reach(node for row, _ in self.written for node in row)):
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
        firsts = self._twins(n for level in nodes[1:] for n in level)
        self.shares = dict(self._opposite(firsts))
        self.sums = {frozenset(of): row for row, of in self.shares.items()}
        if self.sums:
            self.formula = paired(settled(self.formula, self.written), self.sums)
        self.levels: list[Level] = []
        units = dict.fromkeys(nodes[0], Fraction(1))
        for k in range(1, count):
            tests = tuple(_test(self.circuit, n) for n in nodes[k])
            scaled = [_scaled(self._row(t), units) for t in tests]
            own = tuple(unit for unit, _ in scaled)
            units |= zip(nodes[k], own, strict=True)
            rows = _arrays([r for _, r in scaled], places, widths[:k])
            at = {n: i for i, n in enumerate(nodes[k])}
            pairs = [(at[firsts[n]], i) for n, i in at.items() if n in firsts and own[at[firsts[n]]] == own[i]]
            twins = np.array(pairs, dtype=np.intp).reshape(-1, 2)
            self.levels.append(Level(tuple(nodes[k]), tests, own, rows, twins, _differences(rows, twins)))
        scaled = [_scaled(row, units) for row in self.written]
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
        for n, twin in self.apart.items():
            if n in weights:
                weights[twin.first] = weights.get(twin.first, Fraction(0)) + weights[n]
        return {n: w for n, w in weights.items() if w}, constant

    def _sides(self, question: Question) -> Iterator[Literal]:
        """The second point lies in the box, too."""
        for n, twin in self.apart.items():
            v = question.variables[_input(self.circuit, n)]
            for sign, end in ((1, v.low), (-1, v.high)):
                assert end is not None
                self.written.append(({n: Fraction(sign), twin.first: Fraction(sign)}, -sign * end))
                yield Literal(len(self.written) - 1, n, sign > 0)

    def _twins(self, relus: Iterable[int]) -> dict[int, int]:
        """Relus of the second point, and the same of the first: those that they are where nothing is apart."""
        known: dict[tuple[frozenset[tuple[int, Fraction]], Fraction], int] = {}
        firsts: dict[int, int] = {}
        for n in relus if self.apart else ():
            row, constant = self._row(_test(self.circuit, n))
            image = {firsts.get(j, j): w for j, w in row.items() if j not in self.apart}
            if image == row:
                known[frozenset(row.items()), constant] = n
            elif len(image) + sum(j in self.apart for j in row) == len(row):
                first = known.pop((frozenset(image.items()), constant), None)  # nobody else's
                if first is not None:
                    firsts[n] = first
        return firsts

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
                    return all_of(self._formula(test, True), self._formula(then, positive))
                if _is(self.circuit, then, yes):
                    return some_of(self._formula(test, True), self._formula(otherwise, positive))
                if _is(self.circuit, then, no):
                    return all_of(self._formula(test, False), self._formula(otherwise, positive))
                if _is(self.circuit, otherwise, yes):
                    return some_of(self._formula(test, False), self._formula(then, positive))
                return some_of(
                    all_of(self._formula(test, True), self._formula(then, positive)),
                    all_of(self._formula(test, False), self._formula(otherwise, positive)),
                )
            case _:
                key = node, positive
                if key not in self.known:
                    weights, constant = self._row(node)
                    sign = 1 if positive else -1
                    self.known[key] = Literal(len(self.written), node, positive)
                    self.written.append(({n: sign * w for n, w in weights.items()}, sign * constant))
                return self.known[key]

    def _opposite(self, firsts: Mapping[int, int]) -> Iterator[tuple[int, dict[int, Fraction]]]:
        """Sums of two literals, a row of the first point and minus the same of the second: rows of their own, and how
        often each is taken."""
        rows = [directed(*row) for row in self.written]
        for r, (weights, constant) in enumerate([*self.written]):
            image = {firsts.get(j, j): -w for j, w in weights.items() if j not in self.apart}
            mixed = len(image) + sum(j in self.apart for j in weights) < len(weights)
            if mixed or not (firsts.keys() | self.apart.keys()) & weights.keys() or not image:
                continue
            image, shift, unit = directed(image, constant)
            for other, (others, rest, other_unit) in enumerate(rows):
                if others == image:
                    both = {n: weights.get(n, 0) / unit + others.get(n, 0) for n in (*weights, *others)}
                    self.written.append(({n: w for n, w in both.items() if w}, shift + rest))
                    yield len(self.written) - 1, {r: 1 / unit, other: 1 / other_unit}

    def certain(self) -> Iterator[Row]:
        """Rows over nodes that have to be >= 0."""
        return certain(self.formula, self.written)

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


def _differences(rows: Rows, twins: Places) -> Rows:
    """Rows of the first of two minus those of the second; what they have in common cancels."""
    first, second = twins[:, 0], twins[:, 1]
    parts = ((k, part[first] - part[second]) for k, part in rows.parts)
    return Rows(rows.bias[first] - rows.bias[second], tuple((k, part) for k, part in parts if part.any()))


def _at(rows: Rows, values: list[Floats]) -> Floats:
    """(n, rows): the rows at the values of the levels."""
    total = np.tile(rows.bias, (len(values[0]), 1))
    for k, weights in rows.parts:
        total += values[k] @ weights.T
    return total
