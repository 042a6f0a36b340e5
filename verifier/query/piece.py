"""The piece of a point: the convex polyhedron of all points that take the same way through the circuit (THEORY
section 1)."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from verifier.kernel.circuit import Affine, Circuit, Input, Select
from verifier.query.question import Question


class Row(Struct, frozen=True):
    """The affine form constant + sum of weights[i] * input i."""

    weights: tuple[tuple[int, Fraction], ...]
    constant: Fraction

    def at(self, point: tuple[Fraction, ...]) -> Fraction:
        return sum((w * point[i] for i, w in self.weights), self.constant)

    def minus(self) -> Row:
        return Row(tuple((i, -w) for i, w in self.weights), -self.constant)


class Piece(Struct, frozen=True):
    """All points with `weak` >= 0 and `strict` > 0; on it the numbers of the question are the affine `numbers`."""

    weak: tuple[Row, ...]
    strict: tuple[Row, ...]
    numbers: tuple[Row, ...]

    def closure_has(self, point: tuple[Fraction, ...]) -> bool:
        """The point lies in the closure (the piece is not empty)."""
        return all(r.at(point) >= 0 for r in (*self.weak, *self.strict))


def senses(circuit: Circuit, truths: tuple[int, ...], numbers: tuple[int, ...]) -> tuple[set[int], set[int]]:
    """Which nodes are needed as formulas, and which as numbers."""
    true, real = set(truths), set(numbers)
    for i in reversed(range(len(circuit))):
        match circuit[i]:
            case Select(test, then, otherwise):
                if i in true:
                    true |= {test, then, otherwise}
                if i in real:
                    true.add(test)
                    real |= {then, otherwise}
            case Affine(terms):
                if i in true or i in real:
                    real |= {j for j, _ in terms}
            case Input():
                pass
    return true, real


def piece_of(question: Question, point: tuple[Fraction, ...]) -> Piece:
    """The piece that `point` lies in: only the tests on its way through the circuit count, and the box."""
    circuit, values = question.circuit, question.values(point)
    true, real = set(question.facts), set(question.numbers)
    for i in reversed(range(len(circuit))):
        match circuit[i]:
            case Select(test, then, otherwise) if i in true or i in real:
                taken = then if values[test] >= 0 else otherwise
                true.add(test)
                if i in true:
                    true.add(taken)
                if i in real:
                    real.add(taken)
            case Affine(terms) if i in true or i in real:
                real |= {j for j, _ in terms}
            case _:
                pass
    rows: dict[int, Row] = {}
    weak: dict[Row, None] = {}
    strict: dict[Row, None] = {}
    for i, node in enumerate(circuit):
        if i not in true and i not in real:
            continue
        match node:
            case Input(index):
                rows[i] = Row(((index, Fraction(1)),), Fraction(0))
            case Affine(terms, constant):
                total: dict[int, Fraction] = {}
                for j, w in terms:
                    constant += w * rows[j].constant
                    for k, v in rows[j].weights:
                        total[k] = total.get(k, Fraction(0)) + w * v
                rows[i] = Row(tuple(sorted((k, v) for k, v in total.items() if v)), constant)
            case Select(test, then, otherwise):
                if i in real:
                    rows[i] = rows[then if values[test] >= 0 else otherwise]
                continue
        if i in true and rows[i].weights:
            if values[i] >= 0:
                weak[rows[i]] = None
            else:
                strict[rows[i].minus()] = None
    for k, variable in enumerate(question.variables):
        if variable.low is not None:
            weak[Row(((k, Fraction(1)),), -variable.low)] = None
        if variable.high is not None:
            weak[Row(((k, Fraction(-1)),), variable.high)] = None
    return Piece(tuple(weak), tuple(strict), tuple(rows[n] for n in question.numbers))


def is_relu(circuit: Circuit, node: Select) -> bool:
    """max(v, 0): the test itself where it is >= 0, else the constant 0."""
    return node.then == node.test and circuit[node.otherwise] == Affine((), Fraction(0))


def choices(question: Question) -> int:
    """How many numbers of the question are piecewise: what makes it hard."""
    _, real = senses(question.circuit, question.facts, question.numbers)
    return sum(isinstance(question.circuit[i], Select) for i in real)


def real_inputs(question: Question) -> int:
    """How many inputs are not whole."""
    return sum(not v.integer for v in question.variables)
