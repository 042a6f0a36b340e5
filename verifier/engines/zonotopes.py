"""What the kernel's affine arithmetic says of many boxes at once, in floats: which boxes it will close.

Rounding is not paid for here; `doubts` says how much of a sum may be due to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from verifier.engines.levels import Floats, Levels, Places, Rows, Truths
from verifier.engines.linear_bounds import Bounds, Boxes, Cause, Gaps, Relaxed, Upper, middles, relaxed
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
        self.grid = [
            np.array([float(1 / (scaled.unit[t] * u)) for t, u in zip(level.tests, level.units, strict=True)])
            for level in levels.levels
        ]  # to which the kernel rounds ranges

        def known(side: list[int | None], otherwise: float, nodes: Sequence[int], units: Sequence[Fraction]) -> Floats:
            ends = [(side[n], scaled.unit[n] * unit) for n, unit in zip(nodes, units, strict=True)]
            return np.array([otherwise if end is None else float(end / unit) for end, unit in ends])

        self.known_low = [known(ranges.low, -np.inf, level.tests, level.units) for level in levels.levels]
        self.known_high = [known(ranges.high, np.inf, level.tests, level.units) for level in levels.levels]
        near, one = list(levels.apart.items()), (Fraction(1),) * len(levels.apart)
        self.firsts = [levels.nodes.index(apart.first) for _, apart in near]
        self.seconds = [levels.nodes.index(n) for n, _ in near]
        self.least = known(ranges.low, -np.inf, list(levels.apart), one)
        self.greatest = known(ranges.high, np.inf, list(levels.apart), one)
        self.plain = [self.undone(level.rows) for level in levels.levels]

    def undone(self, rows: Rows) -> Rows:
        """Rows over the second of two near points itself, instead of how much it exceeds the first."""
        parts = dict(rows.parts)
        if 0 in parts:
            parts[0] = parts[0].copy()
            parts[0][:, self.firsts] -= parts[0][:, self.seconds]
        return Rows(rows.bias, tuple(parts.items()))

    def inputs(self, boxes: Boxes) -> tuple[Floats, Floats]:
        """The ranges of the inputs, of the second of two near points itself: within its own range."""
        low, high = boxes.low.copy(), boxes.high.copy()
        low[:, self.seconds] = np.maximum(low[:, self.seconds] + low[:, self.firsts], self.least)
        high[:, self.seconds] = np.minimum(high[:, self.seconds] + high[:, self.firsts], self.greatest)
        return low, high

    def tighten(self, boxes: Boxes) -> list[Cause]:
        """The form of each atom: (B, width) a middle, (B, width, S) its multiples of the symbols so far. An open relu
        is its test, `rise` times, plus what is up to `shift`, one more symbol; or it is told by its twin."""
        middle, radius = middles(boxes)
        count, inputs = radius.shape
        forms = [(middle, radius[:, :, None] * np.eye(inputs))]
        atoms = [self.inputs(boxes)]
        found: list[Cause] = []
        relus: list[Relaxed] = []
        self.relus, self.gaps = relus, []
        for k, level in enumerate(self.levels.levels):
            symbols = forms[-1][1].shape[2]
            constant = np.tile(level.rows.bias, (count, 1))
            number = np.zeros((count, len(level.relus), symbols))
            for j, weights in level.rows.parts:
                constant += forms[j][0] @ weights.T
                number[:, :, : forms[j][1].shape[2]] += weights @ forms[j][1]
            reach = np.abs(number).sum(axis=2)
            least, most = self.interval(self.plain[k], atoms, self.sizes[k])
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
            self.gaps.append(self.told(k, constant, number, forms[-1], open_) if len(level.twins) else None)
        return found

    def told(self, k: int, constant: Floats, number: Floats, forms: tuple[Floats, Floats], open_: Truths) -> Gaps:
        """Where both of two twins are open, the second becomes, in place: the first, less half of the difference of
        their tests (`constant`, `number`), give or take half of that at most, in the place of its own symbol."""
        twins, symbols = self.levels.levels[k].twins, number.shape[2]
        first, second = twins[:, 0], twins[:, 1]
        middle, run = constant[:, first] - constant[:, second], number[:, first] - number[:, second]
        reach = np.abs(run).sum(axis=2)
        low, high = middle - reach, middle + reach
        both = open_[:, first] & open_[:, second]
        box, pair = np.nonzero(both)
        of, one = second[pair], forms[1][box, first[pair]]
        one[:, :symbols] -= run[box, pair] / 2
        own = symbols + np.cumsum(open_, axis=1)[box, of] - 1
        one[np.arange(len(box)), own] = np.maximum(-low, high)[box, pair] / 2
        forms[0][box, of] = forms[0][box, first[pair]] - middle[box, pair] / 2
        forms[1][box, of] = one
        return Gaps(twins, relaxed(low, high), relaxed(-high, -low), both)

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
        literals = self.levels.literals
        rows = Rows(times @ literals.bias, tuple((k, times @ part) for k, part in literals.parts))
        which = np.arange(len(boxes))[:, None]
        upper = self.upper(boxes, self.relus, rows, np.abs(times) @ self.sizes[-1], which, both=False)
        return np.asarray(upper.greatest[:, 0] + self.doubts(boxes, upper)[:, 0])

    def doubts(self, boxes: Boxes, upper: Upper) -> Floats:
        """(B, R) How much of each row may be rounding, after `tighten`."""
        size = np.maximum(np.abs(boxes.low), np.abs(boxes.high))
        terms = np.abs(upper.constant) + (np.abs(upper.weights) @ size[:, :, None])[:, :, 0]
        for k, pull in upper.pull.items():
            wide = np.where(self.relus[k].shift > 0, boxes.above[k] - boxes.below[k], 0)
            terms += (np.abs(pull) @ wide[:, :, None])[:, :, 0]
        return np.asarray(DOUBT * terms)
