"""From linear upper bounds of literals to smaller boxes: where a formula may still hold. Rounded outwards."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from verifier.engines.formulas import All, Formula, Literal, Some
from verifier.engines.levels import Floats, Truths
from verifier.engines.linear_bounds import TINY, Boxes, Upper, middles

STEPS = 40
"""Of the search for a sum of literals that is negative."""

AIM = 1e-3
"""The sum that these steps hope for is minus this, of literals scaled to be at most 1."""


class Shrink:
    """Boxes with upper bounds of all literals on them. `loss` (B, literals): how much relaxation there is in each;
    `whole` (inputs,): which inputs are integers; `sums`: of two rows the one that is their sum; `times` (B, literals):
    the literals that a further cut should help."""

    def __init__(self, upper: Upper, loss: Floats, whole: Truths, sums: Mapping[frozenset[int], int]) -> None:
        self.upper, self.loss, self.whole, self.sums = upper, loss, whole, sums
        self.times = np.zeros_like(upper.constant)

    def to(self, formula: Formula, boxes: Boxes, open_: Truths, given: tuple[int, ...] = ()) -> Truths:
        """Shrink boxes, in place, to where the formula and the literals of the rows `given` may hold; which of them
        are left."""
        match formula:
            case Literal() | All():
                parts = formula.parts if isinstance(formula, All) else (formula,)
                for part in parts:
                    if isinstance(part, Literal):
                        pairs = (frozenset((part.row, row)) for row in given) if self.sums else ()
                        rows = part.row, *(self.sums[pair] for pair in pairs if pair in self.sums)
                        given = *given, *rows
                        for row in rows:
                            weights, constant = self.upper.weights[:, row], self.upper.constant[:, row]
                            open_ = open_ & self.clip(weights, constant, boxes)
                deeper = [part for part in parts if not isinstance(part, Literal)]
                for part in deeper:
                    open_ = self.to(part, boxes, open_, given)
                return open_ if deeper else self.together(list(given), boxes, open_)
            case Some(parts):
                low, high = np.full_like(boxes.low, np.inf), np.full_like(boxes.high, -np.inf)
                some = np.zeros_like(open_)
                for part in parts:
                    each = Boxes(boxes.low.copy(), boxes.high.copy(), [], [])
                    left = self.to(part, each, open_, given)
                    some |= left
                    low[left] = np.minimum(low[left], each.low[left])
                    high[left] = np.maximum(high[left], each.high[left])
                boxes.low[some], boxes.high[some] = low[some], high[some]
                return some

    def together(self, rows: list[int], boxes: Boxes, open_: Truths) -> Truths:
        """Shrink boxes, in place, by that sum of the literals `rows`, which all have to hold, that is nearest to being
        negative everywhere; which boxes are left."""
        which = np.flatnonzero(open_)
        if not rows or not len(which):
            return open_
        some = boxes.take(which)
        weights, constant = self.upper.weights[which][:, rows], self.upper.constant[which][:, rows]
        times, alone = nearest(weights, constant, some)
        size = np.maximum(np.abs(some.low), np.abs(some.high))
        charge = (times * np.abs(constant)).sum(axis=1)
        charge += ((times[:, None] @ np.abs(weights))[:, 0] * size).sum(axis=1)
        total, shift = (times[:, None] @ weights)[:, 0], (times * constant).sum(axis=1)
        shift += (4 * len(rows) + 16) * 2.0**-52 * charge + TINY
        left = np.asarray(self.clip(total, shift, some))
        boxes.low[which], boxes.high[which] = some.low, some.high
        alone = np.where(self.loss[which][:, rows] > 0, alone, np.inf)  # a cut helps one that is relaxed
        relaxed = (alone < np.inf).any(axis=1, keepdims=True)
        helped = np.where(relaxed, np.eye(len(rows))[np.argmin(alone, axis=1)], times)
        still = which[left]
        self.times[still[:, None], rows] += helped[left]
        open_ = np.zeros_like(open_)
        open_[still] = True
        return open_

    def clip(self, weights: Floats, constant: Floats, boxes: Boxes) -> Truths:
        """Shrink boxes, in place, to where weights . x + constant >= 0 may hold, coordinate by coordinate; which of
        them are left."""
        low, high = boxes.low, boxes.high
        most = np.maximum(weights * low, weights * high)
        size = np.abs(weights) * np.maximum(np.abs(low), np.abs(high))
        slack = (np.abs(constant) + size.sum(axis=1)) * (2 * low.shape[1] + 8) * 2.0**-52 + TINY
        greatest = most.sum(axis=1) + constant + slack
        rest = greatest[:, None] - most  # weight * x >= -rest
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            end = -rest / weights
        up, down = np.nextafter(end, np.inf), np.nextafter(end, -np.inf)
        if self.whole.any():
            up, down = np.where(self.whole, np.floor(up), up), np.where(self.whole, np.ceil(down), down)
        np.copyto(low, down, where=(weights > 0) & (down > low))
        np.copyto(high, up, where=(weights < 0) & (up < high))
        left: Truths = ~((greatest < 0) | (low > high).any(axis=1))
        return left


def nearest(weights: Floats, constant: Floats, boxes: Boxes) -> tuple[Floats, Floats]:
    """For R rows a box, (B, R, inputs) and (B, R): the multipliers of a sum with a small maximum over the box, and the
    maximum of each row alone, scaled to be at most 1. By subgradient steps of Polyak's length."""
    middle, radius = middles(boxes)
    centre = constant + (weights @ middle[:, :, None])[:, :, 0]
    sides = weights * radius[:, None]
    scale = 1 / (np.abs(centre) + np.abs(sides).sum(axis=2) + TINY)
    centre, sides = centre * scale, sides * scale[:, :, None]
    times = np.full_like(centre, 1 / centre.shape[1])
    best, least = times, np.full(len(centre), np.inf)
    for _ in range(STEPS if centre.shape[1] > 1 else 1):
        pull = (times[:, None] @ sides)[:, 0]
        slope = centre + (sides @ np.sign(pull)[:, :, None])[:, :, 0]
        value = (times * slope).sum(axis=1)
        best, least = np.where((value < least)[:, None], times, best), np.minimum(value, least)
        if (least < 0).all():
            break
        step = (value + AIM) / np.maximum((slope * slope).sum(axis=1), TINY)
        times = np.maximum(times - step[:, None] * slope, 0)
        total = times.sum(axis=1, keepdims=True)
        times = np.where(total > 0, times / np.maximum(total, TINY), 1 / times.shape[1])
    return best * scale, centre + np.abs(sides).sum(axis=2)
