"""Answers that are more than a number: a function of one number, a set of points."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Line:
    """From `start` to `end` (None: beyond all bounds) w(delta) = `constant` + `slope` * delta, or infinite (`constant`
    None). `closed`: whether the two ends belong to it. `attained`: by a pair, at every delta of it."""

    start: Fraction
    end: Fraction | None
    closed: tuple[bool, bool]
    constant: Fraction | None
    slope: Fraction
    attained: bool

    def at(self, delta: Fraction) -> Fraction | None:
        """w(delta), or its limit there; None: infinite."""
        return None if self.constant is None else self.constant + self.slope * delta


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of delta >= 0, line by line; it never falls."""

    lines: tuple[Line, ...]

    def at(self, delta: Fraction) -> Line:
        """The line that holds delta >= 0."""
        return next(
            line
            for line in self.lines
            if (line.end is None or delta < line.end or (delta == line.end and line.closed[1]))
        )

    @property
    def limit(self) -> Fraction | None:
        """w(0+): what is left as delta tends to 0."""
        line = next(line for line in self.lines if line.end != 0)
        return line.at(Fraction(0))


Figure = Curve
