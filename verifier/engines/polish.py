"""Solutions that a student can check by hand: large margins, few differences, short rationals.

Wishes are made one after the other, and what is granted is kept. Who grants them knows of other solutions: z3 of all
(`smt.Tries`), exact linear arithmetic of those in the same piece (`Neighbours`), which needs no z3.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Protocol

from msgspec.structs import replace

from verifier.canonical.simplex import Inequality, Tableau
from verifier.engines.engine import Vector
from verifier.engines.linear_program import polyhedron
from verifier.query.piece import piece_of
from verifier.query.question import Question

EFFORT = 100_000
"""Numbers that the pivots of all wishes may touch: some tenths of a second."""


class Wishes(Protocol):
    """Who knows of solutions that meet all wishes that are kept and one more, as far as they are quickly found. `keep`:
    the solution at hand, which meets it; it is kept from then on."""

    def least(self, node: int, value: Fraction, keep: Vector | None = None) -> Vector | None:
        """The node is at least so large."""

    def fixed(self, i: int, value: Fraction, keep: Vector | None = None) -> Vector | None:
        """Input i has this value."""


def polish(question: Question, point: Vector, wishes: Wishes, solved_by: Callable[[Vector], bool]) -> Vector:
    """A solution at least as pleasant as the solution `point`."""
    for node in question.large:
        for _ in range(6):
            now = question.values(point)[node]
            found = wishes.least(node, 2 * now if now > 0 else Fraction(1, 16))
            if found is None:
                break
            point = found
        wishes.least(node, simplest_below(question.values(point)[node]), point)
    known: Vector = ()
    for i in range(len(question.variables)):
        if point != known:
            known, values = point, question.values(point) if question.large else []
            floors = [(n, simplest_below(values[n])) for n in question.large]
        for candidate in candidates(question, i, point):
            if candidate == point[i]:
                break
            tried = (*point[:i], candidate, *point[i + 1 :])
            if solved_by(tried):
                there = question.values(tried) if floors else []
                if all(there[n] >= floor for n, floor in floors):
                    point = tried
                    break
            found = wishes.fixed(i, candidate)
            if found is not None:
                point = found
                break
        wishes.fixed(i, point[i], point)
    return point


class Neighbours:
    """The solutions in the piece of one (THEORY section 1), by exact linear arithmetic; where what is kept lies in
    another piece, those in that one."""

    def __init__(self, question: Question, point: Vector) -> None:
        self.question, self.effort = replace(question, numbers=question.large), EFFORT
        self.floors: dict[int, Fraction] = {}
        self.known: dict[int, Fraction] = {}
        self.settle(point)

    def settle(self, point: Vector) -> None:
        """In the piece of this solution."""
        piece = piece_of(self.question, point)
        rows, low, high = polyhedron(piece, len(point))
        for i, x in self.known.items():
            low[i] = high[i] = x
        forms = dict(zip(self.question.large, piece.numbers, strict=True))
        self.sums = {n: (k, form) for k, (n, form) in enumerate(forms.items(), len(point) + len(rows))}
        for n, form in forms.items():
            floor = self.floors.get(n, form.at(point))
            rows.append(Inequality(dict(form.weights), form.constant - floor))
        self.tableau = Tableau(rows, low, high, start=point)
        self.size = (len(rows) + 1) * max(1, len(point))

    def least(self, node: int, value: Fraction, keep: Vector | None = None) -> Vector | None:
        if keep is not None:
            self.floors[node] = value
        place, form = self.sums[node]
        return self.wish(place, value - form.constant, None, keep)

    def fixed(self, i: int, value: Fraction, keep: Vector | None = None) -> Vector | None:
        if keep is not None:
            self.known[i] = value
        return self.wish(i, value, value, keep)

    def wish(self, place: int, low: Fraction, high: Fraction | None, keep: Vector | None) -> Vector | None:
        if self.effort < self.size:
            return keep
        before = self.tableau.pivots
        found = self.tableau.wish(place, low, high, self.effort // self.size, keep is not None)
        self.effort -= (self.tableau.pivots - before) * self.size
        if keep is not None:
            if found is None:
                self.settle(keep)
            return keep
        if found is None or any(
            v.integer and x.denominator > 1 for v, x in zip(self.question.variables, found.point, strict=True)
        ):
            return None
        return found.point


def simplest_below(value: Fraction) -> Fraction:
    """A short rational a little below a positive value (at least nine tenths of it)."""
    if value <= 0:
        return value
    for denominator in (1, 2, 4, 5, 10, 20, 100, 1000):
        floor = Fraction(int(value * denominator), denominator)
        if floor > 0 and floor * 10 >= value * 9:
            return floor
    return value * Fraction(9, 10)


def candidates(question: Question, i: int, point: Vector) -> list[Fraction]:
    """Simple values for input i, the most pleasant first; ends with the value it has."""
    v, now = question.variables[i], point[i]
    options: list[Fraction] = []
    if question.mirror and (twin := question.mirror[i]) is not None:
        options.append(point[twin])
    options += [Fraction(0), Fraction(1)]
    options += [b for b in (v.low, v.high) if b is not None]
    if not v.integer:
        options += [Fraction(1, 2)]
        for denominator in (1, 2, 4, 5, 8, 10, 16, 20, 100, 1000, 10**6):
            options += [Fraction(round(now * denominator), denominator)]
            if denominator < 1000:
                options += [
                    Fraction(int(now * denominator // 1), denominator),
                    Fraction(-int(-now * denominator // 1), denominator),
                ]
    legal = [
        c
        for c in options
        if (v.low is None or c >= v.low) and (v.high is None or c <= v.high) and (not v.integer or c.denominator == 1)
    ]
    unique = list(dict.fromkeys(legal))
    return [*(c for c in unique if c != now), now] if now not in unique else unique[: unique.index(now) + 1]
