"""How far beyond the best value so far the next solution is sought, by all searches for extremes."""

from __future__ import annotations

from fractions import Fraction

ZERO = Fraction(0)


class Leap:
    """`share`: at first, so much of the value. `doubling`: after some small steps (corners of pieces with other whole
    numbers may lie one unit apart), twice the last gain. Once that is too much, half as much each time, and in the end
    no further than the best value: only then is there nothing beyond it."""

    PATIENCE = 4

    def __init__(self, share: Fraction = ZERO, doubling: bool = True) -> None:
        self.share, self.doubling = share, doubling
        self.length, self.least, self.steps, self.falling = ZERO, ZERO, 0, False

    def gained(self, gain: Fraction, value: Fraction) -> None:
        """A solution was found that has `value`, and is better by `gain` than the last one; 0 if it is the first."""
        self.steps += 1
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
