"""The corners and edges of a polyhedron in a box, exactly, also of one without an inside."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from verifier.canonical.quadratic import Line

Place = tuple[Fraction, ...]


class Late(Exception):
    """The deadline passed."""


class Corners:
    """The corners of the part of a box where all rows are >= 0 (the double description method of T. S. Motzkin et al.,
    1953), and which of them an edge joins: those that share the rows of no third one."""

    def __init__(self, rows: Sequence[Line], box: Sequence[tuple[Fraction, Fraction]], end: float) -> None:
        self.size, self.end = len(box), end
        sides = [[(low, 1), (high, 2)] if low < high else [(low, 3)] for low, high in box]
        self.found: list[tuple[Place, int]] = []
        for choice in product(*sides):
            tight = sum(bit << 2 * i for i, (_, bit) in enumerate(choice))
            self.found.append((tuple(x for x, _ in choice), tight))
        for k, row in enumerate(dict.fromkeys(rows), 2 * self.size):
            self.cut(row, 1 << k)

    @property
    def places(self) -> list[Place]:
        return [p for p, _ in self.found]

    def cut(self, row: Line, bit: int) -> None:
        values = [row.at(p) for p, _ in self.found]
        if min(values) >= 0:
            return
        up = [k for k, v in enumerate(values) if v > 0]
        down = [k for k, v in enumerate(values) if v < 0]
        fresh = []
        for i in up:
            if time.monotonic() > self.end:
                raise Late
            for j in down:
                if self.joined(i, j):
                    share = values[i] / (values[i] - values[j])
                    (p, tight), (q, other) = self.found[i], self.found[j]
                    fresh.append((tuple(a + share * (b - a) for a, b in zip(p, q, strict=True)), tight & other | bit))
        flat = [(p, tight | bit) for (p, tight), v in zip(self.found, values, strict=True) if v == 0]
        self.found = [*(self.found[i] for i in up), *flat, *fresh]

    def joined(self, i: int, j: int) -> bool:
        common = self.found[i][1] & self.found[j][1]
        if common.bit_count() < self.size - 1:
            return False
        return not any(tight & common == common for k, (_, tight) in enumerate(self.found) if k not in (i, j))

    def edges(self) -> Iterator[tuple[int, int]]:
        for i in range(len(self.found)):
            if time.monotonic() > self.end:
                raise Late
            yield from ((i, j) for j in range(i) if self.joined(i, j))
