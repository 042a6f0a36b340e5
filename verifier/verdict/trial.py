"""Trials: what has been proved is evaluated, as the file says it, at some dozens of points.

A certificate is about a question. That the question says what the claim says is guarded by the replay where the answer
is a pair, and by this where it is that there is none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random

from msgspec import Struct, field

from verifier.model.program import Coordinate, Program
from verifier.query.pose import coordinates, read
from verifier.verdict.certify import Points, Replay, ReplayFailed

COUNT, DECLARED = 48, 8
"""Choices of points at most, and how many of them are as near as can be to a declared one."""
BRIEF = 0.005
"""CPU seconds for them; for one of many rows or parts only SHARE of what its proof took, and one choice at least."""
SHARE = 0.05
FINE = 12
"""Points lie on grids of up to 2^FINE steps, and are as near to each other as a step."""
APART = 0.15
"""The share of points that have nothing to do with those before."""


class Trial(Struct):
    """Points that were tried, and whether some of them satisfy the premise."""

    points: list[Points] = field(default_factory=list)
    met: bool = False


def choices(replay: Replay, names: Sequence[str], took: float = 0.0, *, one_of_many: bool = False) -> Iterator[Points]:
    """Choices of the points `names` of X, next to declared ones, then at random, after a proof that took so long; one
    is tried at least."""
    if replay.program.domain is None:
        return
    seconds = SHARE * took if one_of_many else max(BRIEF, SHARE * took)
    chance, end = Chance(replay.program), time.thread_time() + seconds
    declared = min(len(chance.declared), DECLARED)
    for k in range(COUNT):
        points = chance.next_to(k, names) if k < declared else chance.points(names)
        if replay.holds(points, ()):
            yield points
        if time.thread_time() > end:
            break


def broken(points: Points) -> ReplayFailed:
    """The points break what has been proved."""
    where = "; ".join(f"{name} = {dict(point)}" for name, point in points.items())
    return ReplayFailed(f"what has been proved fails at {where}")


class Chance:
    """Points at random, mostly near each other or near declared ones: there premises hold. Their coordinates are round
    numbers, so that ties and the ends of intervals are among them. The `where` of the domain is not looked at."""

    def __init__(self, program: Program) -> None:
        assert program.domain is not None
        self.program, self.random = program, Random(0)
        self.sides = [side for c in program.domain.coordinates for side in [span(c)] * (c.size or 1)]
        self.whole = [c.kind != "real" for c in program.domain.coordinates for _ in range(c.size or 1)]
        self.declared = [coordinates(program, point) for point in program.points.values()]

    def points(self, names: Sequence[str]) -> Points:
        made: list[list[Fraction]] = []
        for _ in names:
            near = made or self.declared
            apart = not near or self.random.random() < APART
            made.append(self._anywhere() if apart else self._beside(self.random.choice(near)))
        return read(self.program, names, [value for point in made for value in point])

    def next_to(self, k: int, names: Sequence[str]) -> Points:
        """All at the declared point number k, but the last: that is a step away in one coordinate."""
        point = self.declared[k]
        return read(self.program, names, [*point * (len(names) - 1), *self._moved(point, 1, 1 << FINE)])

    def _anywhere(self) -> list[Fraction]:
        steps = 1 << self.random.randint(0, FINE)
        return [self._drawn(low, high, steps, whole) for (low, high), whole in zip(self.sides, self.whole, strict=True)]

    def _beside(self, point: Sequence[Fraction]) -> list[Fraction]:
        """One coordinate, or some, or all are moved by at most a step."""
        count = self.random.choice((1, 1, 1 + len(point) // 2, len(point)))
        return self._moved(point, count, 1 << self.random.randint(0, FINE))

    def _moved(self, point: Sequence[Fraction], count: int, steps: int) -> list[Fraction]:
        moved = list(point)
        for i in self.random.sample(range(len(point)), count):
            low, high = self.sides[i]
            step = (high - low) / steps if not self.whole[i] else max(Fraction(1), (high - low) / steps)
            moved[i] = self._drawn(max(low, point[i] - step), min(high, point[i] + step), 8, self.whole[i])
        return moved

    def _drawn(self, low: Fraction, high: Fraction, steps: int, whole: bool) -> Fraction:
        value = low + (high - low) * Fraction(self.random.randint(0, steps), steps)
        return Fraction(round(value)) if whole else value


def span(c: Coordinate) -> tuple[Fraction, Fraction]:
    """The interval of a coordinate, or some of it where it has no end; of members, their numbers."""
    if c.kind == "finite":
        return Fraction(0), Fraction(len(c.members) - 1)
    if c.low is not None and c.high is not None:
        return c.low, c.high
    if c.low is not None:
        return c.low, c.low + 8
    return (Fraction(-8), Fraction(8)) if c.high is None else (c.high - 8, c.high)
