"""Circuits that grow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from verifier.kernel.circuit import FALSE, TRUE, Affine, Circuit, Node, Select
from verifier.query.piece import Row

ONE = Fraction(1)


class Grown:
    """The nodes of a circuit and more on top of them; equal nodes are one."""

    def __init__(self, circuit: Circuit) -> None:
        self.nodes: list[Node] = list(circuit)
        self.places = {node: n for n, node in reversed(list(enumerate(circuit)))}

    def node(self, node: Node) -> int:
        if node not in self.places:
            self.places[node] = len(self.nodes)
            self.nodes.append(node)
        return self.places[node]

    def affine(self, terms: Iterable[tuple[int, Fraction]], constant: Fraction = Fraction(0)) -> int:
        total: dict[int, Fraction] = {}
        for n, w in terms:
            total[n] = total.get(n, Fraction(0)) + w
        kept = tuple((n, w) for n, w in total.items() if w)
        return kept[0][0] if not constant and [w for _, w in kept] == [ONE] else self.node(Affine(kept, constant))

    def row(self, row: Row, nodes: Sequence[int], factor: int = 1) -> int:
        """The value of a row over these nodes, times `factor`."""
        return self.affine(((nodes[i], factor * w) for i, w in row.weights), factor * row.constant)

    def negation(self, truth: int) -> int:
        """`truth` is < 0."""
        return self.node(Select(truth, self.node(Affine((), FALSE)), self.node(Affine((), TRUE))))

    def both(self, left: int, right: int) -> int:
        return self.node(Select(left, right, self.node(Affine((), FALSE))))
