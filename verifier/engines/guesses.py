"""Guesses of a case search: points at random, moved about, and linear programs uphill from promising ones. They
are made in floats and take a share of the time; what is found solves the question exactly."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import count
from math import ceil, floor, inf
from random import Random
from typing import TYPE_CHECKING

from verifier.engines.branch import Stats
from verifier.engines.engine import Fails, Vector
from verifier.engines.plan import Plan
from verifier.query.question import Question

if TYPE_CHECKING:
    from verifier.engines.climb import Climb
    from verifier.engines.relaxation import Floats
    from verifier.engines.series import Series

GLANCE = 3
"""The branch at which guesses are made again, and then whenever the work has doubled."""
BRIEF = 0.05
"""Seconds that they have at least, of each kind."""
SHARE, OFTEN = 0.1, 0.2
"""Of the time of a search, and of a series: there a better value ends a whole search."""
ROUNDS = 24
"""Rounds of moving points about, where programs may see at once that there is none, or see more."""
STARTS = 64
"""The last points of relaxations, from which a search at random begins."""
LATE, SIMPLE, GRID, HALF, FAR = 8, 64, 16, 0.5, Fraction(8)
"""Where exact arithmetic searches: at which branch points of a grid are tried, how many, of so many steps a side, with
so many coordinates shared; and how far the sides are where there are none."""
NEAR = 1e-3
"""So far, of the sides of the box, a solution is looked for from a point that misses by what floats round."""
DRAWN, BEST = 64, 8
"""Of so many fresh points at a time, so many are climbed from."""


class Guesses:
    """Of one search. `points`: where relaxations have led."""

    def __init__(
        self,
        question: Question,
        plan: Plan,
        solved_by: Callable[[Vector], bool],
        stats: Stats,
        end: float,
        starts: Sequence[Vector],
        series: Series | None,
    ) -> None:
        self.question, self.plan, self.solved_by, self.stats = question, plan, solved_by, stats
        self.begun, self.end, self.series = time.monotonic(), end, series
        self.took = 0.0
        self.next = 0
        self.points: deque[Vector | Floats] = deque(starts, maxlen=STARTS)
        self.fresh = self.drawn()

    def due(self) -> bool:
        """It is time for them."""
        work = self.stats.branches + self.stats.programs
        if self.stats.branches < GLANCE or work < self.next:
            return False
        self.next = max(16, 2 * work)
        return True

    @property
    def seconds(self) -> float:
        """What is left of their share of the time."""
        now, series = time.monotonic(), self.series
        since = now - self.begun
        share = SHARE * since if series is None else OFTEN * (series.took + since) - series.guessed
        return min(BRIEF + share - self.took, self.end - now)

    def near(self, point: Floats) -> Vector | None:
        """A solution near a point that misses by what floats round."""
        now, seconds = time.monotonic(), self.seconds
        if seconds <= 0:
            return None
        found = self.uphill(point, now + seconds, NEAR)
        self.took += time.monotonic() - now
        return found

    def find(self) -> Vector | None:
        """A solution, looked for for a share of the time."""
        from verifier.engines.falsify import falsify

        now, seconds, series = time.monotonic(), self.seconds, self.series
        rounds = inf if self.stats.programs and series is None else ROUNDS
        found = falsify(self.question, seconds, self.plan.landscape, self.solved_by, self.points, rounds)
        guess = found.points[0] if isinstance(found, Fails) else None
        if guess is None and (self.stats.programs or (series is not None and series.tree is not None)):
            guess = self.climbed(seconds + (time.monotonic() if series is None else now), anywhere=True)
        self.took += time.monotonic() - now
        return guess

    def simple(self) -> Vector | None:
        """A solution among some points of a coarse grid; of two points, the second has some coordinates of the first.
        In exact arithmetic alone: numpy is not loaded for that."""
        chance, variables = Random(0), self.question.variables
        mirror = self.question.mirror or (None,) * len(variables)
        for _ in range(SIMPLE):
            point: list[Fraction] = []
            for v, first in zip(variables, mirror, strict=True):
                high = FAR if v.high is None else v.high
                low = min(-FAR, high - FAR) if v.low is None else v.low
                high = max(high, low + FAR) if v.high is None else high
                if v.integer:
                    drawn = Fraction(chance.randint(ceil(low), floor(high)))
                else:
                    drawn = low + (high - low) * Fraction(chance.randint(0, GRID), GRID)
                point.append(point[first] if first is not None and chance.random() < HALF else drawn)
            if self.solved_by(vector := tuple(point)):
                return vector
        return None

    def climbed(self, end: float, anywhere: bool = False) -> Vector | None:
        """A solution uphill from the points of the last relaxations, and, `anywhere`, from points at random."""
        found = None
        while found is None and (self.points or anywhere) and time.monotonic() < end:
            found = self.uphill(self.points.pop() if self.points else next(self.fresh), end)
        return found

    def uphill(self, start: Vector | Floats, end: float, reach: float = 1.0) -> Vector | None:
        """A solution uphill from a point, that far away (`Climb`)."""
        import numpy as np

        from verifier.engines.falsify import exact

        for point in self.climb.from_point(np.array(start, dtype=float), end, reach):
            vector = exact(self.question, point)
            if self.solved_by(vector):
                return vector
        return None

    @cached_property
    def climb(self) -> Climb:
        from verifier.engines.climb import Climb

        return Climb(self.question, self.plan.landscape)

    def drawn(self) -> Iterator[Floats]:
        """Points at random, some of the better ones."""
        from verifier.engines.falsify import Chance, Cloud

        for k in count(self.series.drawn if self.series else 0):
            cloud = Cloud.over(self.question, Chance(k + 1))
            points, scores = cloud.first(DRAWN, self.plan.landscape.at)
            if self.series:
                self.series.drawn = k + 1
            yield from points.T[scores.argsort()[::-1][:BEST]]
