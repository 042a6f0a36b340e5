"""Answers that are more than a number: a function of one number, a set of points."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt

from msgspec import Struct

from verifier.engines.eliminate import Half
from verifier.language.root import Root
from verifier.language.surd import Distance, Exact, Surd, near, surd

Place = Distance | Surd
"""A distance at which a curve bends or jumps."""
LONG = 60
"""A longer formula is printed part by part."""


class Line(Struct, frozen=True):
    """From `start` to `end` (None: beyond all bounds) w(delta) = `constant` + `slope` * delta, or infinite (`constant`
    None). Where l2 measures a distance, `bend` (a, b, c) adds the root of a * delta^2 + b * delta + c, and ends may be
    irrational. `closed`: whether the two ends belong to it. `attained`: by a pair, at every delta of it."""

    start: Place
    end: Place | None
    closed: tuple[bool, bool]
    constant: Exact | None
    slope: Fraction
    attained: bool
    bend: tuple[Fraction, Fraction, Fraction] | None = None

    def at(self, delta: Fraction | Root | Surd) -> Exact | None:
        """w(delta), or its limit there; None: infinite. Where a bent line has a sum of roots, see `near`."""
        if self.constant is None:
            return None
        far = surd(delta)
        straight = self.constant + self.slope * far
        if self.bend is None:
            return straight
        square = (self.bend[0] * far + self.bend[1]) * far + self.bend[2]
        assert isinstance(square, Fraction)
        return straight + surd(Root(square))

    def near(self, delta: Place) -> float:
        """About w(delta); nan where it is infinite."""
        if self.constant is None:
            return float("nan")
        x = float(near(delta))
        a, b, c = map(float, self.bend or (0, 0, 0))
        return float(near(self.constant)) + float(self.slope) * x + sqrt(max(0.0, (a * x + b) * x + c))


class Curve(Struct, frozen=True):
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
    def limit(self) -> Exact | None:
        """w(0+): what is left as delta tends to 0."""
        line = next(line for line in self.lines if line.end != 0)
        return line.at(Fraction(0))


class Band(Struct, frozen=True):
    """A function of delta that is nowhere below one curve and nowhere above another."""

    lower: Curve
    upper: Curve

    def at(self, delta: Fraction) -> tuple[Exact | None, Exact | None]:
        """Bounds of it; None: infinite."""
        low, high = (curve.at(delta) for curve in (self.lower, self.upper))
        return low.at(delta), high.at(delta)


class Region(Struct, frozen=True):
    """The x of X in one of the `parts`. `pieces` have the same union without any need of X. Both say what must hold of
    the coordinates of x in order (an entry of a vector is one, a member of a finite sort its place in it).

    `formulas`: the parts in the language; a part of which nothing is asked is all of X."""

    parts: tuple[tuple[Half, ...], ...]
    pieces: tuple[tuple[Half, ...], ...]
    formulas: tuple[str, ...]

    @property
    def words(self) -> str:
        """The region as one formula, if that is short."""
        text = " or ".join(self.formulas) or "nowhere"
        return text if len(text) <= LONG else f"{len(self.parts)} part{'s' if len(self.parts) > 1 else ''}"

    def has(self, place: Sequence[Fraction]) -> bool:
        """Whether a point of X lies in it."""
        return any(all(h.holds(place) for h in part) for part in self.parts)


Figure = Curve | Band | Region
