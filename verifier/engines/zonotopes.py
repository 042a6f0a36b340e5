"""What the kernel's affine arithmetic says of many boxes at once, in floats: which boxes it will close.

Rounding is not paid for here; `doubt` says how much of a sum may be due to it.
"""

from __future__ import annotations

import numpy as np

from verifier.engines.levels import Floats, Levels, Places, Rows
from verifier.engines.linear_bounds import Bounds, Boxes, Cause, Relaxed, Upper, middles, relaxed
from verifier.kernel.problem import GRAIN
from verifier.kernel.ranges import Ranges, Scaled

DOUBT = 2.0**-20
"""The part of the terms of a sum that rounding may be, generously: the kernel takes slopes in multiples of 2^-24."""

TIE = 2.0**-12
"""Part of a range up to which its ends count as equally far from 0."""


class Zonotopes(Bounds):
    """The ranges of all tests by zonotopes, within those that the kernel knows: as `Bounds`, otherwise."""

    def __init__(self, levels: Levels, bounds: Bounds, ranges: Ranges, scaled: Scaled) -> None:
        self.levels, self.gamma, self.sizes, self.reach = levels, bounds.gamma, bounds.sizes, bounds.reach
        self.gaps = []
        self.grid = [
            np.array([float(1 / (scaled.unit[t] * u)) for t, u in zip(level.tests, level.units, strict=True)])
            for level in levels.levels
        ]  # to which the kernel rounds ranges

        def known(side: list[int | None], otherwise: float) -> list[Floats]:
            return [
                np.array(
                    [
                        otherwise if (bound := side[t]) is None else float(bound / (scaled.unit[t] * u))
                        for t, u in zip(level.tests, level.units, strict=True)
                    ]
                )
                for level in levels.levels
            ]

        self.known_low, self.known_high = known(ranges.low, -np.inf), known(ranges.high, np.inf)

    def tighten(self, boxes: Boxes) -> list[Cause]:
        """The form of each atom: (B, width) a middle, (B, width, S) its multiples of the symbols so far. An open relu
        is its test, `rise` times, plus what is up to `shift`: one more symbol."""
        middle, radius = middles(boxes)
        count, inputs = radius.shape
        forms = [(middle, radius[:, :, None] * np.eye(inputs))]
        atoms = [(boxes.low, boxes.high)]
        found: list[Cause] = []
        relus: list[Relaxed] = []
        for k, level in enumerate(self.levels.levels):
            symbols = forms[-1][1].shape[2]
            constant = np.tile(level.rows.bias, (count, 1))
            number = np.zeros((count, len(level.relus), symbols))
            for j, weights in level.rows.parts:
                constant += forms[j][0] @ weights.T
                number[:, :, : forms[j][1].shape[2]] += weights @ forms[j][1]
            reach = np.abs(number).sum(axis=2)
            least, most = self.interval(level.rows, atoms, self.sizes[k])
            below, above = np.fmax(constant - reach, least), np.fmin(constant + reach, most)
            below, above = below - self.grid[k], above + self.grid[k]
            below, above = np.maximum(below, self.known_low[k]), np.minimum(above, self.known_high[k])
            boxes.below[k], boxes.above[k] = below, above
            open_ = (below < 0) & (above > 0)
            which = np.argsort(~open_, axis=1, kind="stable")[:, : int(open_.sum(axis=1).max(initial=0))]
            rows = np.arange(count)[:, None]
            found.append((which, np.abs(number[rows, which, :inputs]) / np.maximum(radius, 1e-300)[:, None]))
            relus.append(relaxed(below, above))
            atoms.append((np.maximum(below, 0), np.maximum(above, 0)))
            half = relus[-1].shift / 2
            after = np.zeros((count, len(level.relus), symbols + which.shape[1]))
            np.multiply(relus[-1].rise[:, :, None], number, out=after[:, :, :symbols])
            after[rows, which, symbols + np.arange(which.shape[1])] = half[rows, which]
            forms.append((relus[-1].rise * constant + half, after))
        self.relus = relus
        return found

    def negative(self, boxes: Boxes) -> Places:
        """(B,) How many tests are negative, after `tighten`."""
        return sum(((above <= 0).sum(axis=1) for above in boxes.above), np.zeros(len(boxes), dtype=np.intp))

    def ties(self, boxes: Boxes) -> list[tuple[tuple[int, int], ...]]:
        """For each box the open relus with nearly equal ends, where rounding might choose another slope than the one
        here, with this one in the kernel's units; after `tighten`."""
        found: list[tuple[tuple[int, int], ...]] = [()] * len(boxes)
        for level, relu, below, above in zip(self.levels.levels, self.relus, boxes.below, boxes.above, strict=True):
            near = (relu.shift > 0) & (np.abs(above + below) <= TIE * (above - below))
            for k, i in zip(*np.nonzero(near), strict=True):
                found[k] = *found[k], (level.relus[i], int(relu.slope[k, i]) << GRAIN)
        return found

    def most(self, boxes: Boxes, times: Floats) -> Floats:
        """(B,) The largest value of the literals taken `times` (B, literals), summed before they are bounded, as the
        kernel does it; with what rounding may add. After `tighten`."""
        literals, ones = self.levels.literals, np.ones((len(boxes), 1))
        rows = Rows(times @ literals.bias, tuple((k, times @ part) for k, part in literals.parts))
        which = np.arange(len(boxes))[:, None]
        upper = self.upper(boxes, self.relus, rows, np.abs(times) @ self.sizes[-1], which, both=False)
        return np.asarray(upper.greatest[:, 0] + self.doubt(boxes, upper, ones))

    def doubt(self, boxes: Boxes, upper: Upper, times: Floats) -> Floats:
        """(B,) How much of the sum of the rows taken `times` (B, R) may be rounding, after `tighten`."""
        size = np.maximum(np.abs(boxes.low), np.abs(boxes.high))
        terms = (times * np.abs(upper.constant)).sum(axis=1)
        terms += ((times[:, None] @ np.abs(upper.weights))[:, 0] * size).sum(axis=1)
        for k, pull in upper.pull.items():
            wide = np.where(self.relus[k].shift > 0, boxes.above[k] - boxes.below[k], 0)
            terms += (np.abs((times[:, None] @ pull)[:, 0]) * wide).sum(axis=1)
        return np.asarray(DOUBT * terms)
