"""The question that engines answer: is there a point of this circuit at which all facts hold?"""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from verifier.kernel.circuit import Circuit, evaluate
from verifier.kernel.problem import Empty, Side
from verifier.language.build import Variable


class Square(Struct, frozen=True):
    """The variable number `variable` is sum of weight * (value of node)^2, every weight positive."""

    variable: int
    terms: tuple[tuple[Fraction, int], ...]

    def at(self, values: list[Fraction]) -> Fraction:
        """What the variable must be, given the value of every node."""
        return sum((w * values[n] ** 2 for w, n in self.terms), Fraction(0))


class Question(Struct, frozen=True):
    """Inputs (with their closed box), a circuit over them, and the nodes that must all be true (>= 0) at a solution.

    `numbers`: nodes whose value is asked for besides (a distance). `large`: nodes that a pleasant solution makes large.
    `mirror[i]`: the input that a pleasant solution gives the same value as input i (the same coordinate of the first
    point).
    """

    circuit: Circuit
    variables: tuple[Variable, ...]
    facts: tuple[int, ...]
    numbers: tuple[int, ...] = ()
    large: tuple[int, ...] = ()
    mirror: tuple[int | None, ...] = ()
    squares: tuple[Square, ...] = ()
    """Variables that are not free: squares of l2 distances. Only the engine of quadratic questions knows them."""
    roots: tuple[Square, ...] = ()
    """Variables that are the root of such a sum. The facts enclose them; that is all that most engines know."""

    def values(self, point: tuple[Fraction, ...]) -> list[Fraction]:
        """Every node at a point."""
        return evaluate(self.circuit, point)

    def solved_by(self, point: tuple[Fraction, ...]) -> bool:
        """`point` lies in the box, its integers are whole, and every fact holds there, exactly."""
        for v, x in zip(self.variables, point, strict=True):
            if (
                (v.low is not None and x < v.low)
                or (v.high is not None and x > v.high)
                or (v.integer and x.denominator != 1)
            ):
                return False
        values = self.values(point)
        if any(s.at(values) != point[s.variable] for s in self.squares):
            return False
        return all(values[f] >= 0 for f in self.facts)

    @property
    def whole(self) -> bool:
        """Some input is whole."""
        return any(v.integer for v in self.variables)

    @property
    def empty(self) -> Empty:
        """What has to be proved if there is no solution; of squares only that they are variables."""
        return Empty(self.circuit, tuple(Side(v.low, v.high, v.integer) for v in self.variables), self.facts)

    def completed(self, point: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        """The same point with the squares that it has."""
        if not self.squares:
            return point
        values, found = self.values(point), list(point)
        for square in self.squares:
            found[square.variable] = square.at(values)
        return tuple(found)
