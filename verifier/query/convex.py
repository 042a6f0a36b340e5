"""Numbers that are the largest of affine forms: distances of the usual norms, however many choices they are written
with. Whether such a number is smaller than another is a question without any choice."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from msgspec import Struct

from verifier.kernel.circuit import Affine, Circuit, Input, Select
from verifier.query.piece import Row, is_relu

MOST = 2000
"""More forms are not written out."""
Sum = tuple[Fraction, tuple[tuple[int, Fraction], ...]]
"""A constant and weights of nodes that are inputs or choices, in order."""


class Largest(Struct, frozen=True):
    """max of `rows`, over the inputs and then, for each of `tests` (over the inputs), its positive part; these have
    weights >= 0 only. So the number is below v iff all rows are, for some numbers that are at least `tests` and at
    least 0."""

    rows: tuple[Row, ...]
    tests: tuple[Row, ...] = ()

    def at(self, point: tuple[Fraction, ...]) -> Fraction:
        """The number there."""
        positive = tuple(max(row.at(point), Fraction(0)) for row in self.tests)
        return max(row.at((*point, *positive)) for row in self.rows)


@lru_cache(maxsize=2)
def largest(circuit: Circuit, node: int, inputs: int) -> Largest | None:
    """The node as the largest of affine forms; None where that is not seen.

    w relu(t), w > 0, is the larger of 0 and w t, so a sum with it is the larger of two sums without it. Where all relus
    that are left have weights > 0 and affine tests, they are left as they are: the l1 norm is one row."""
    found = sums(circuit[: node + 1])
    places = {n: at.index for n, at in enumerate(circuit) if isinstance(at, Input)}

    def plain(total: Sum) -> bool:
        return all(n in places for n, _ in total[1])

    rows: list[tuple[Sum, tuple[int, ...]]] = []
    seen = {found[node]}
    todo = [found[node]]
    while todo:
        total = todo.pop()
        tests: dict[int, int] = {}
        for n, _ in total[1]:
            at = circuit[n]
            if isinstance(at, Select):
                if not is_relu(circuit, at):
                    return None
                tests[n] = at.test
        deep = [n for n, test in tests.items() if not plain(found[test])]
        weights = dict(total[1])
        if len(tests) > 1 and not deep and all(weights[n] > 0 for n in tests):
            rows.append((total, tuple(tests)))
            continue
        if not tests:
            rows.append((total, ()))
            continue
        n = max(deep or tests)
        w = weights.pop(n)
        if w < 0 or len(seen) > MOST:
            return None
        without = total[0], tuple(sorted(weights.items()))
        for other in (without, plus(without, w, found[tests[n]])):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    kept = sorted({n for _, relus in rows for n in relus})
    extra = {n: inputs + k for k, n in enumerate(kept)}

    def row(total: Sum) -> Row:
        return Row(tuple(sorted((places[n] if n in places else extra[n], w) for n, w in total[1])), total[0])

    positive = (circuit[n] for n in kept)
    return Largest(
        tuple(row(total) for total, _ in rows), tuple(row(found[at.test]) for at in positive if isinstance(at, Select))
    )


def sums(circuit: Circuit) -> list[Sum]:
    """Every node over inputs and choices."""
    found: list[Sum] = []
    for n, node in enumerate(circuit):
        if not isinstance(node, Affine):
            found.append((Fraction(0), ((n, Fraction(1)),)))
            continue
        if not any(isinstance(circuit[j], Affine) for j, _ in node.terms):  # as the builder writes them
            found.append((node.constant, tuple(sorted(node.terms))))
            continue
        constant, total = node.constant, dict[int, Fraction]()
        for j, w in node.terms:
            constant += w * found[j][0]
            for k, v in found[j][1]:
                total[k] = total.get(k, Fraction(0)) + w * v
        found.append((constant, tuple(sorted((k, v) for k, v in total.items() if v))))
    return found


def plus(left: Sum, factor: Fraction, right: Sum) -> Sum:
    weights = dict(left[1])
    for n, w in right[1]:
        weights[n] = weights.get(n, Fraction(0)) + factor * w
    return left[0] + factor * right[0], tuple(sorted((n, w) for n, w in weights.items() if w))
