"""Linear bounds of the relus and literals of a circuit over many boxes at once, rounded outwards (CROWN, batched).

A row over relus is bounded from above by a row over the inputs, level by level downwards: relu(t) is at most the chord
of its range where its coefficient is positive, and at least 0 or t where it is negative. Only relus whose sign is open
get rows.

Rounding. Coefficients that a step computes are taken as they come; what they miss is charged to the constant. A sum of
n products differs from its exact value by at most gamma = n u / (1 - n u) times the sum of their absolute values,
whatever the order, u = 2^-53 (Higham, Accuracy and Stability, section 3.1). So one step down misses, in value, at most
gamma * sum |a_j| s_j, where s_j >= |bias_j| + sum |w_jk| max |z_k| over the whole domain is computed once: a matrix
times a vector a level is all that rigour costs. `TINY` pays for underflow.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from verifier.engines.levels import Declined, Floats, Levels, Places, Rows, Truths

Cause = tuple[Places, Floats]
"""For one level: (B, R) relus, and (B, R, inputs) how their tests depend on the inputs, in absolute value."""

TINY = 2.0**-900

LARGE = 2.0**100
"""Circuits whose values may be larger are declined."""


class Boxes(Struct):
    """B boxes: `low`, `high` (B, inputs); `below[k]`, `above[k]` (B, width) bound the tests of level k + 1 there."""

    low: Floats
    high: Floats
    below: list[Floats]
    above: list[Floats]

    def __len__(self) -> int:
        return len(self.low)

    def copy(self) -> Boxes:
        """The same, to be changed on its own."""
        return Boxes(self.low.copy(), self.high.copy(), [b.copy() for b in self.below], [a.copy() for a in self.above])

    def take(self, which: Places | Truths | slice) -> Boxes:
        """Some of them, in this order."""
        return Boxes(self.low[which], self.high[which], [b[which] for b in self.below], [a[which] for a in self.above])


def joined(several: list[Boxes]) -> Boxes:
    """All boxes in one."""
    return Boxes(
        np.concatenate([b.low for b in several]),
        np.concatenate([b.high for b in several]),
        [np.concatenate(parts) for parts in zip(*(b.below for b in several), strict=True)],
        [np.concatenate(parts) for parts in zip(*(b.above for b in several), strict=True)],
    )


class Relaxed(Struct, frozen=True):
    """relu(t) <= rise * t + shift, and relu(t) >= slope * t, wherever the bounds of one level hold: each (B, width).
    `gap` is how much the two may differ at most, up to rounding."""

    rise: Floats
    shift: Floats
    slope: Floats
    gap: Floats


class Gaps(Struct, frozen=True):
    """For pairs (P, 2) of relus y, y' of tests t, t' of one level: y - y' <= up.rise * (t - t') + up.shift, and
    y' - y <= down.rise * (t' - t) + down.shift, each (B, P), where `usable` (B, P): where that loses less than the two
    relus by themselves."""

    twins: Places
    up: Relaxed
    down: Relaxed
    usable: Truths


class Upper(Struct, frozen=True):
    """Rows that are at most `weights` . x + `constant` on their box: (B, R, inputs) and (B, R); `greatest` is the
    largest value of that there, rounded up. `pull[k]`: (B, R, width), the coefficients that the relus of level k + 1
    had on the way down, where they had any."""

    weights: Floats
    constant: Floats
    greatest: Floats
    pull: dict[int, Floats]


def relaxed(below: Floats, above: Floats) -> Relaxed:
    """Chord and lower slope of relus over [below, above]."""
    open_ = ~((below >= 0) | (above <= 0))  # what is no number counts as open, and then closes no box
    active = (below >= 0).astype(float)
    width = np.where(open_, above - below, 1.0)
    rise = np.where(open_, np.minimum(above / width, 1.0), active)
    shift = np.where(open_, np.maximum(-rise * below, (1 - rise) * above) * (1 + 2.0**-50) + TINY, 0.0)
    slope = np.where(open_, (above > -below).astype(float), active)
    return Relaxed(rise, shift, slope, np.where(open_, np.minimum(above, -below), 0.0) + shift)


class Bounds:
    """Bounds for one circuit. `root` is the whole domain, with the ranges of its tests."""

    def __init__(self, levels: Levels, low: Floats, high: Floats) -> None:
        self.levels = levels
        atoms = len(low) + sum(len(level.relus) for level in levels.levels)
        terms = 2 * atoms + 4 * len(levels.levels) + 64
        self.gamma = 4 * terms * 2.0**-53  # twice over for the exact one, twice for the roundings of the charge itself
        self.gaps: list[Gaps | None] = []
        self.magnitudes(low, high, [np.full(len(level.relus), np.inf) for level in levels.levels])
        wide = [np.full((1, len(level.relus)), np.inf) for level in levels.levels]
        self.root = Boxes(low[None].copy(), high[None].copy(), [-w for w in wide], wide)
        self.tighten(self.root)
        self.magnitudes(low, high, [np.maximum(above[0], 0) for above in self.root.above])

    def magnitudes(self, low: Floats, high: Floats, above: list[Floats]) -> None:
        """sizes[k] >= |bias| + sum |weight| max |atom| for the tests of level k + 1, and at the end for the literals,
        if `above` bounds the tests."""
        most = [np.maximum(np.abs(low), np.abs(high))]
        self.sizes: list[Floats] = []
        for k, rows in enumerate([*(level.rows for level in self.levels.levels), self.levels.literals]):
            size = np.abs(rows.bias)
            for j, weights in rows.parts:
                size = size + np.abs(weights) @ most[j]
            self.sizes.append(size * (1 + self.gamma) + TINY)
            if k < len(above):
                most.append(np.minimum(self.sizes[-1], above[k]))
        if not all((size < LARGE).all() for size in self.sizes):
            raise Declined("values may be too large for floats")
        self.reach = most[0]

    def tighten(self, boxes: Boxes) -> list[Cause]:
        """Tighten the bounds of all tests, in place. Returns for each level which of its relus are open, (B, R) with
        repetitions of closed ones where a box has fewer, and how their tests depend on the inputs, (B, R, inputs)."""
        found: list[Cause] = []
        atoms = [(boxes.low, boxes.high)]
        relus: list[Relaxed] = []
        self.relus, self.gaps = relus, []
        for k, level in enumerate(self.levels.levels):
            below, above = boxes.below[k], boxes.above[k]
            least, most = self.interval(level.rows, atoms, self.sizes[k])
            np.fmax(below, least, out=below)
            np.fmin(above, most, out=above)
            open_ = ~((below >= 0) | (above <= 0))
            count = int(open_.sum(axis=1).max(initial=0))
            which = np.argsort(~open_, axis=1, kind="stable")[:, :count]
            if k == 0:
                weights = dict(level.rows.parts).get(0, np.zeros((len(level.relus), boxes.low.shape[1])))[which]
            elif count:
                upper = self.narrow(boxes, relus, level.rows, self.sizes[k], which, below, above)
                weights = (np.abs(upper.weights[:, :count]) + np.abs(upper.weights[:, count:])) / 2
            else:
                weights = np.zeros((len(boxes), 0, boxes.low.shape[1]))
            found.append((which, np.abs(weights)))
            atoms.append((np.maximum(below, 0), np.maximum(above, 0)))
            relus.append(relaxed(below, above))
            self.gaps.append(self.gap(boxes, atoms, k) if len(level.twins) else None)
        return found

    def narrow(
        self, boxes: Boxes, relus: list[Relaxed], rows: Rows, size: Floats, which: Places, low: Floats, high: Floats
    ) -> Upper:
        """Tighten, in place, the ranges of the rows number `which`, by bounds of them and of their negatives."""
        upper, count = self.upper(boxes, relus, rows, size, which, both=True), which.shape[1]
        each = np.arange(len(boxes))[:, None]
        high[each, which] = np.fmin(high[each, which], upper.greatest[:, :count])
        low[each, which] = np.fmax(low[each, which], -upper.greatest[:, count:])
        return upper

    def gap(self, boxes: Boxes, atoms: list[tuple[Floats, Floats]], k: int) -> Gaps | None:
        """What relus of level k + 1 have in common, after they are relaxed themselves; None where it is of no use.

        A relu is monotone and no steeper than 1: y - y' lies between 0 and t - t'."""
        level, relus = self.levels.levels[k], self.relus
        first, second = level.twins[:, 0], level.twins[:, 1]
        losses = relus[k].gap[:, first], relus[k].gap[:, second]
        open_ = (losses[0] > 0) & (losses[1] > 0)
        count = int(open_.sum(axis=1).max(initial=0))
        if not count:
            return None
        size = self.sizes[k][first] + self.sizes[k][second]
        low, high = (side.copy() for side in self.interval(level.runs, atoms[: k + 1], size))
        if k:
            which = np.argsort(~open_, axis=1, kind="stable")[:, :count]
            self.narrow(boxes, relus[:k], level.runs, size, which, low, high)
        up, down = relaxed(low, high), relaxed(-high, -low)
        return Gaps(level.twins, up, down, open_ & (np.maximum(up.shift, down.shift) < losses[0] + losses[1]))

    def literals(self, boxes: Boxes) -> Upper:
        """Upper bounds of all literals, after `tighten`."""
        which = np.tile(np.arange(len(self.levels.literals.bias)), (len(boxes), 1))
        return self.upper(boxes, self.relus, self.levels.literals, self.sizes[-1], which, both=False)

    def loss(self, upper: Upper) -> Floats:
        """How much relaxation there is in each row, after `tighten`: (B, R), up to rounding."""
        total = np.zeros_like(upper.constant)
        for k, pull in upper.pull.items():
            total += (np.abs(pull) @ self.relus[k].gap[:, :, None])[:, :, 0]
        return total

    def blame(self, upper: Upper, causes: list[Cause], times: Floats, boxes: Boxes) -> Floats:
        """How much relaxation each coordinate causes in the rows taken `times` (B, R), after `tighten`: (B, inputs).
        Where there is none, how much the rows change along it."""
        radius = boxes.high - boxes.low
        taken = times[:, None]
        score = 1e-9 * (taken @ np.abs(upper.weights))[:, 0] * radius + 1e-12 * radius
        for k, pull in upper.pull.items():
            relus, slopes = causes[k]
            weight = (taken @ np.abs(pull))[:, 0] * self.relus[k].gap
            share = slopes * radius[:, None, :]
            span = np.take_along_axis(boxes.above[k] - boxes.below[k], relus, axis=1)[:, :, None]
            total = np.maximum(share.sum(axis=2, keepdims=True), span)  # the rest is caused by other relus
            shares = share / np.where(total > 0, total, 1)
            score += (np.take_along_axis(weight, relus, axis=1)[:, None, :] @ shares)[:, 0]
        return score

    def interval(self, rows: Rows, atoms: list[tuple[Floats, Floats]], size: Floats) -> tuple[Floats, Floats]:
        """The ranges of rows over the ranges of the atoms, each (B, rows)."""
        least, most = rows.bias, rows.bias
        for j, weights in rows.parts:
            low, high = atoms[j]
            positive = np.maximum(weights, 0).T
            negative = weights.T - positive
            least = least + (low @ positive + high @ negative)
            most = most + (high @ positive + low @ negative)
        slack = self.gamma * size
        shape = (len(atoms[0][0]), len(rows.bias))
        return np.broadcast_to(least - slack, shape), np.broadcast_to(most + slack, shape)

    def upper(self, boxes: Boxes, relus: list[Relaxed], rows: Rows, size: Floats, which: Places, both: bool) -> Upper:
        """Upper bounds of the rows number `which` (B, R), and if `both` of their negatives after them (B, 2R)."""
        sign = (1.0, -1.0) if both else (1.0,)

        def start(weights: Floats) -> Floats:
            chosen = weights[which]
            return np.concatenate([s * chosen for s in sign], axis=1) if both else chosen

        weights = {j: start(part) for j, part in rows.parts}
        constant = start(rows.bias)
        charge = np.abs(start(size))
        pull: dict[int, Floats] = {}
        for k in reversed(range(len(relus))):
            if k + 1 not in weights:
                continue
            pull[k] = at = weights.pop(k + 1)
            relu = relus[k]
            level = self.levels.levels[k].rows
            shared = self.shared(at, k, relu) if k < len(self.gaps) else None
            if shared is not None:
                at, pull[k], along, lost, size = shared
                constant += lost
                charge += lost + size
            positive = np.maximum(at, 0)
            shift = (positive @ relu.shift[:, :, None])[:, :, 0]
            down = np.where(at > 0, relu.rise[:, None, :], relu.slope[:, None, :])
            down *= at
            ends = np.abs(down) @ self.sizes[k]
            if shared is not None:
                down += along
                ends += np.abs(along) @ self.sizes[k]
            constant += shift + down @ level.bias
            charge += shift + ends
            for j, part in level.parts:
                step = down @ part
                if j in weights:
                    weights[j] += step
                else:
                    weights[j] = step
        over = weights.get(0)
        if over is None:
            over = np.zeros((*constant.shape, boxes.low.shape[1]))
        charge += np.abs(over) @ self.reach
        constant += self.gamma * charge + TINY
        middle, radius = middles(boxes)
        greatest = (over @ middle[:, :, None])[:, :, 0] + (np.abs(over) @ radius[:, :, None])[:, :, 0] + constant
        return Upper(over, constant, greatest, pull)

    def shared(self, at: Floats, k: int, relu: Relaxed) -> tuple[Floats, Floats, Floats, Floats, Floats] | None:
        """Coefficients `at` (B, R, width) of relus of level k + 1, where two that are the same of two points are taken
        as their difference as far as they have opposite signs. What is left of them; that with what the differences
        lose, as if relus lost it (`pull`); the coefficients of the tests that they become; what is added to the
        constant; and how large the terms are."""
        gaps = self.gaps[k]
        if gaps is None:
            return None
        first, second = gaps.twins[:, 0], gaps.twins[:, 1]
        a, b = at[:, :, first], at[:, :, second]
        up, down = np.minimum(a, -b), np.minimum(-a, b)
        usable = gaps.usable[:, None, :]
        up, down = np.where(usable, np.maximum(up, 0), 0), np.where(usable, np.maximum(down, 0), 0)
        moved = up - down
        left, along = at.copy(), np.zeros_like(at)
        left[:, :, first] -= moved
        left[:, :, second] += moved
        slope = up * gaps.up.rise[:, None, :] - down * gaps.down.rise[:, None, :]
        along[:, :, first] = slope
        along[:, :, second] = -slope
        loss = up * gaps.up.shift[:, None, :] + down * gaps.down.shift[:, None, :]
        pull = np.abs(left)
        pull[:, :, first] += loss / np.where(relu.gap[:, first] > 0, relu.gap[:, first], 1.0)[:, None, :]
        sizes = np.abs(a) @ self.sizes[k][first] + np.abs(b) @ self.sizes[k][second]
        return left, pull, along, loss.sum(axis=2), sizes


def middles(boxes: Boxes) -> tuple[Floats, Floats]:
    """Centres c and radii r, (B, inputs) each, with [c - r, c + r] containing the box."""
    middle = boxes.low + (boxes.high - boxes.low) / 2
    radius = np.maximum(boxes.high - middle, middle - boxes.low)
    return middle, np.nextafter(radius, np.inf)
