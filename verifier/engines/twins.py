"""The two copies of a network in a question about pairs, neuron by neuron: how far apart can they be?

Bounds of the *difference* of the copies are far tighter than the difference of their bounds: for y = relu(t) and
y' = relu(t'), y - y' lies between 0 and t - t', and t - t' is a combination of the differences one layer below.
"""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from verifier.kernel.circuit import Affine, Input, Select
from verifier.query.convex import Sum, sums
from verifier.query.piece import is_relu
from verifier.query.question import Question

MOST = 4000
"""Pairs of neurons; beyond that the two copies are not told apart."""


class Twins(Struct, frozen=True):
    """Affine nodes to put behind the circuit, and which of them are gaps: (rise, run), as in `kernel.problem.Tree`.
    `outputs`: (formula, its twin, their difference as a combination of rises); `inputs`: the same of inputs.
    `mixed`: (affine node in which relus are subtracted from their twins, its negative, the same number made
    of rises)."""

    definitions: tuple[Affine, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    outputs: tuple[tuple[int, int, int], ...] = ()
    inputs: tuple[tuple[int, int, int], ...] = ()
    mixed: tuple[tuple[int, int, int], ...] = ()


def twins(question: Question, numeric: set[int], formulas: set[int]) -> Twins:
    """The difference of every relu among `numeric`, and of every affine node among `formulas`, and its twin: what
    results when the second point is put for the first."""
    circuit, mirror = question.circuit, question.mirror
    if not any(twin is not None for twin in mirror):
        return Twins()
    forms = sums(circuit)
    inputs = {node.index: n for n, node in enumerate(circuit) if isinstance(node, Input)}
    twin: dict[int, int] = {}  # node of the first point -> its twin (itself, where they share it)
    for index, n in inputs.items():
        if mirror[index] is None:
            twin[n] = n
    for index, first in enumerate(mirror):
        if first is not None and index in inputs and first in inputs:
            twin[inputs[first]] = inputs[index]
    relus: dict[Sum, int] = {}
    for n, node in enumerate(circuit):
        if n in numeric and isinstance(node, Select) and is_relu(circuit, node):
            relus[forms[node.test]] = n
    definitions: list[Affine] = []
    gaps: list[tuple[int, int]] = []
    names: dict[int, int] = {}  # node of the first point -> the node that names its difference

    def define(terms: tuple[tuple[int, Fraction], ...], constant: Fraction = Fraction(0)) -> int:
        definitions.append(Affine(terms, constant))
        return len(circuit) + len(definitions) - 1

    told: dict[tuple[int, int], tuple[int, Fraction, Fraction]] = {}  # what formulas say of the same difference tells
    for n in sorted(formulas):
        constant, terms = forms[n]
        if len(terms) == 2 and not terms[0][1] + terms[1][1]:
            told.setdefault((terms[0][0], terms[1][0]), (n, constant, terms[0][1]))
    for n, other in list(twin.items()):
        if n == other:
            continue
        if (n, other) in told or (other, n) in told:
            at, constant, weight = told.get((n, other)) or told[other, n]
            share = 1 / (weight if (n, other) in told else -weight)
            names[n] = define(((at, share),), -share * constant)
        else:
            names[n] = define(((n, Fraction(1)), (other, Fraction(-1))))
    apart = tuple((n, twin[n], name) for n, name in names.items())
    for (constant, terms), n in relus.items():
        if any(j not in twin for j, _ in terms) or len(gaps) >= MOST:
            continue
        image = (constant, tuple(sorted((twin[j], w) for j, w in terms)))
        other_relu = relus.get(image)
        if other_relu is None:
            continue
        twin[n] = other_relu
        if other_relu != n:
            run = define(tuple((names[j], w) for j, w in terms if j in names))
            names[n] = define(((n, Fraction(1)), (other_relu, Fraction(-1))))
            gaps.append((names[n], run))
    if not gaps:
        return Twins()
    outputs = []
    there = {forms[n]: n for n in sorted(formulas)}
    for (constant, terms), n in there.items():
        if all(j in twin for j, _ in terms):
            second = there.get((constant, tuple(sorted((twin[j], w) for j, w in terms))))
            if second is not None and second != n:
                outputs.append((n, second, define(tuple((names[j], w) for j, w in terms if j in names))))
    mixed = []
    tests = {node.test for n, node in enumerate(circuit) if n in numeric and isinstance(node, Select)}
    for n in sorted(formulas | {n for n in tests if isinstance(circuit[n], Affine)}):
        constant, terms = forms[n]
        weights = dict(terms)
        paired = {j: w for j, w in terms if j in names and weights.get(twin[j]) == -w}
        if any(isinstance(circuit[j], Select) for j in paired):
            within = {*paired, *(twin[j] for j in paired)}
            left = tuple((j, w) for j, w in terms if j not in within)
            same = define((*left, *((names[j], w) for j, w in paired.items())), constant)
            mixed.append((n, define(((n, Fraction(-1)),)), same))
    return Twins(tuple(definitions), tuple(gaps), tuple(outputs), apart, tuple(mixed))
