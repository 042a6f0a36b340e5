"""How far beyond the best value so far the next solution is sought, by all searches for extremes."""

from __future__ import annotations

from fractions import Fraction

ZERO = Fraction(0)


class Leap:
    """`up`, or down. `share`: at first, so much of the value. `doubling`: after some small steps (corners of pieces
    with other whole numbers may lie one unit apart), twice the last gain. Once that is too much, half as much each
    time, and in the end no further than the best value: only then is there nothing beyond it."""

    PATIENCE = 4

    def __init__(self, up: bool, share: Fraction = ZERO, doubling: bool = True) -> None:
        self.up, self.share, self.doubling = up, share, doubling
        self.best: Fraction | None = None
        self.length, self.least, self.steps, self.falling = ZERO, ZERO, 0, False

    @property
    def target(self) -> Fraction:
        """What the next value has to be beyond, after a first one was reached."""
        assert self.best is not None
        return self.best + (self.length if self.up else -self.length)

    def reached(self, value: Fraction) -> None:
        """A solution was found that has this value, the best so far."""
        gain = ZERO if self.best is None else abs(value - self.best)
        self.best, self.steps = value, self.steps + 1
        self.least = min(self.least or gain, gain)
        if self.falling:
            self._halve()
        elif self.doubling and self.steps > self.PATIENCE:
            self.length = 2 * gain
        else:
            self.length = abs(value) * self.share

    def failed(self) -> None:
        """There is none so far beyond."""
        self.falling = True
        self._halve()

    def _halve(self) -> None:
        self.length = self.length / 2 if self.doubling and 0 < self.least < self.length else ZERO
        if not self.length:
            self.falling, self.steps, self.share = False, 0, ZERO
