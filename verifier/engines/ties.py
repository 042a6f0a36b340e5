"""The lines between which a choice lies that is no relu (a jump) and is not decided, y = A where t >= 0, else B, as
rows of a linear program: what `kernel.refute.lines` knows of it.

With t in [l, h], A - B between d <= 0 <= e, and the chord of relu(A - B) with the slope k,

    y <= B + e (1 - t / l)    y <= A - d (1 - t / h)    y <= k A + (1 - k) B - k d
    y >= B + d (1 - t / l)    y >= A - e (1 - t / h)    y >= (1 - k) A + k B + (1 - k) d (since -y has k turned round)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from verifier.kernel.problem import GRAIN
from verifier.kernel.ranges import Scaled

Floats = NDArray[np.float64]
STEEP = 1e6
"""Steeper lines are left out."""
ABOVE = np.array([[1], [1], [1], [-1], [-1], [-1]])
"""The lines above a jump, and those below it."""
Form = tuple[Mapping[int, float], float]
"""Column -> weight, and a constant."""


class Ties:
    """Of `jumps`, those whose test is a number. All first lines above them stand first, then all second ones, then the
    chords; and in the same order those below."""

    def __init__(self, scaled: Scaled, jumps: Sequence[int]) -> None:
        self.jumps = [n for n in jumps if scaled.select[n][0] not in scaled.select]
        self.ends = [(test, then, otherwise) for test, then, _, otherwise, _ in (scaled.select[n] for n in self.jumps)]
        self.nodes = {n for ends in self.ends for n in ends if n not in scaled.affine or scaled.affine[n][0]}
        """What has to have a column: all but constants."""

    def place(self, column: Mapping[int, int], over: Callable[[int, int], Form]) -> None:
        """Where the nodes have their columns; `over`(node, jump) is the node in the size of the jump, over columns."""
        self.y = np.array([column[n] for n in self.jumps], dtype=np.int32)
        self.t = np.array([column[test] for test, _, _ in self.ends], dtype=np.int32)
        self.sides: list[tuple[NDArray[np.int32], Floats, Floats]] = []  # column, weight and constant, a side
        for side in (1, 2):
            found = []
            for jump, ends in zip(self.jumps, self.ends, strict=True):
                terms, constant = over(ends[side], jump)
                found.append((*next(iter(terms.items()), (column[ends[0]], 0.0)), constant))
            at, weights, constants = zip(*found, strict=True) if found else ((), (), ())
            self.sides.append((np.array(at, dtype=np.int32), np.array(weights, float), np.array(constants, float)))

    def rows(self) -> Iterator[tuple[dict[int, float], list[int]]]:
        """Every row: column -> weight, and from the entries of which columns a slope is still to be taken off."""
        first, second = self.sides
        for side in (second, first, None, second, first, None):
            for k, (y, t) in enumerate(zip(self.y.tolist(), self.t.tolist(), strict=True)):
                if side is None:
                    sloping = [int(first[0][k]), int(second[0][k])]
                    terms = dict.fromkeys(sloping, 0.0)
                else:
                    sloping = [t]
                    terms = {t: 0.0, int(side[0][k]): -float(side[1][k])}
                terms[y] = terms.get(y, 0.0) + 1.0
                yield terms, sloping

    def lines(self, low: Floats, high: Floats, open_: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
        """The slopes of the rows, and their lower and upper sides, where the columns have these ranges and some jumps
        are open."""
        count, (first, a, at_first), (second, b, at_second) = len(self.jumps), *self.sides
        with np.errstate(invalid="ignore"):
            d = np.fmin(a * low[first] + at_first - b * high[second] - at_second, 0.0)
            e = np.fmax(a * high[first] + at_first - b * low[second] - at_second, 0.0)
        sign, up = np.array([[1.0], [-1.0]]), np.stack((e, -d))
        down = up[::-1]
        ahead, back, (slope, shift) = steps(up, -low[self.t]), steps(down, high[self.t]), chords(-down, up)
        mixed = np.stack((slope * a, (1 - slope) * b), axis=2).reshape(2, -1)
        slopes = np.concatenate((sign * ahead, -sign * back, mixed), axis=1).ravel()
        up, down = np.where(np.isfinite(ahead), up, np.inf), np.where(np.isfinite(back), down, np.inf)
        chord = sign * shift + slope * at_first + (1 - slope) * at_second
        sides = np.concatenate((sign * up + at_second, sign * down + at_first, chord), axis=1).ravel()
        known = np.isfinite(sides) & np.tile(open_, 6)
        lower, upper = np.full_like(sides, -np.inf), np.full_like(sides, np.inf)
        upper[: 3 * count] = np.where(known, sides, np.inf)[: 3 * count]
        lower[3 * count :] = np.where(known, sides, -np.inf)[3 * count :]
        return np.where(np.isfinite(slopes), slopes, 0.0), lower, upper

    def shares(self, duals: Floats) -> Iterator[tuple[int, int, int]]:
        """Dual values of the rows as shares of 2^24 of a jump's first line and its second, above it or below: for the
        kernel."""
        above, below = np.split(np.maximum(duals.reshape(6, -1) * ABOVE, 0.0), 2)
        lines = np.where(above.sum(axis=0) > below.sum(axis=0), above, below)
        for k in np.flatnonzero(lines.sum(axis=0)):
            first, second, _ = (lines[:, k] / lines[:, k].sum() * (1 << GRAIN)).astype(int).tolist()
            yield self.jumps[k], first, second

    def errors(self, values: Floats) -> Floats:
        """By how much the values of the columns are wrong about each jump."""
        sides = [weight * values[at] + constant for at, weight, constant in self.sides]
        errors: Floats = np.abs(values[self.y] - np.where(values[self.t] >= 0, *sides))
        return errors


def steps(rise: Floats, run: Floats) -> Floats:
    """rise / run, or 0 where the run has no end, or is 0; infinite where that is too steep, or the rise has no end."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(run > 0, rise / run, 0.0)
    return np.where((found <= STEEP) & (rise < np.inf), found, np.inf)


def chords(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """(k, b) with relu(v) <= k v + b for low <= v <= high; b is infinite where there is no such line."""
    slope, shift = np.zeros_like(low), np.full_like(low, np.inf)
    mixed = (low < 0) & (high > 0) & (low > -np.inf) & (high < np.inf)
    slope[mixed] = high[mixed] / (high[mixed] - low[mixed])
    shift[mixed] = -slope[mixed] * low[mixed]
    above = (low >= 0) | ((high == np.inf) & (low > -np.inf))
    slope[above], shift[above] = 1.0, -np.minimum(low[above], 0.0)
    below = ~above & ((high <= 0) | ((low == -np.inf) & (high < np.inf)))
    slope[below], shift[below] = 0.0, np.maximum(high[below], 0.0)
    return slope, shift
