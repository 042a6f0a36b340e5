"""Circuits that grow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from verifier.kernel.circuit import FALSE, TRUE, Affine, Circuit, Node, Select
from verifier.query.piece import Row

ONE = Fraction(1)
Terms = tuple[tuple[int, Fraction], ...]


class Grown:
    """The nodes of a circuit and more on top of them; equal nodes are one. A sum that is a multiple of an earlier one
    and a constant is written so: what decides the one tells of the other."""

    def __init__(self, circuit: Circuit) -> None:
        self.nodes: list[Node] = []
        self.places: dict[Node, int] = {}
        self.directions: dict[Terms, int] = {}
        for node in circuit:
            self.put(node)

    def put(self, node: Node) -> int:
        n = len(self.nodes)
        self.nodes.append(node)
        self.places.setdefault(node, n)
        if isinstance(node, Affine) and len({j for j, w in node.terms if w}) == len(node.terms) > 1:
            self.directions.setdefault(direction(node.terms), n)
        return n

    def node(self, node: Node) -> int:
        return self.places[node] if node in self.places else self.put(node)

    def affine(self, terms: Iterable[tuple[int, Fraction]], constant: Fraction = Fraction(0)) -> int:
        total: dict[int, Fraction] = {}
        for n, w in terms:
            total[n] = total.get(n, Fraction(0)) + w
        kept = tuple((n, w) for n, w in total.items() if w)
        if len(kept) > 1 and (other := self.directions.get(direction(kept))) is not None:
            first = self.nodes[other]
            assert isinstance(first, Affine)
            times = total[first.terms[0][0]] / first.terms[0][1]
            kept, constant = ((other, times),), constant - times * first.constant
        return kept[0][0] if not constant and [w for _, w in kept] == [ONE] else self.node(Affine(kept, constant))

    def row(self, row: Row, nodes: Sequence[int], factor: int = 1) -> int:
        """The value of a row over these nodes, times `factor`."""
        return self.affine(((nodes[i], factor * w) for i, w in row.weights), factor * row.constant)

    def negation(self, truth: int) -> int:
        """`truth` is < 0."""
        return self.node(Select(truth, self.node(Affine((), FALSE)), self.node(Affine((), TRUE))))

    def both(self, left: int, right: int) -> int:
        return self.node(Select(left, right, self.node(Affine((), FALSE))))


def direction(terms: Terms) -> Terms:
    """In order, and over the weight of the first."""
    ordered = sorted(terms)
    return tuple((n, w / ordered[0][1]) for n, w in ordered)
