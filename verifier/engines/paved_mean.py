"""The mean Euclidean distance to the nearest of some simplices, enclosed by paving (THEORY section 4).

The points x lie in simplices as well, and the distance is that of two affine images, so it is convex in x for each
single target. On a small simplex S with centre c, let q_j be the place of target j that is nearest to c:

- above: dist(x, target) is convex, so its mean over S is at most the mean over the corners of S, for any one target;
- below: dist(x, target j) >= u_j . x - max of u_j over the target's corners, for u_j the unit vector from q_j to c. The
  least of these affine forms is concave, so its mean over S is at least the mean over the corners.

Where one target is the nearest all over S the two differ by the square of its size. The simplices whose bounds differ
most are halved. Floats do all of it: `SLACK` times the greatest coordinate is more than what a thousand roundings of
numbers of that size may move a distance by.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import fsum

import numpy as np
from msgspec import Struct

from verifier.engines.volume import OutOfTime
from verifier.engines.weigh import Exact, Side

SLACK = 2.0**-40
SHARE = 0.7
"""The simplices halved in a round have that share of all that is open between the bounds."""
MOST = 50_000
"""So many simplices are enough."""
GROWTH = 2
"""A round takes at most so many times as long as the one before: it is not begun without that time."""
PAIRS = 1 << 20
KEPT = 32
"""So many pairs of a simplex and a target are looked at closely in a round; so many targets of a simplex at least."""
BLOCK = 1 << 16
"""Pairs of a simplex and a target that are looked at together."""
FAR = 2.0**200
"""Squares of numbers below, and of their inverses, are in the range of floats."""

Numbers = np.ndarray


class Ground(Struct):
    """Simplices that the mean is taken over: (mass, images of the corners); and the images of the targets' corners."""

    simplices: Sequence[tuple[Fraction, Sequence[Exact]]]
    targets: Sequence[Sequence[Exact]]


def enclose(grounds: Sequence[Ground], weights: Sequence[Fraction], enough: Callable[[Side], bool], end: float) -> Side:
    """Bounds of the sum of the masses times the mean distances, where the images are weighed by `weights`: the distance
    is the root of sum weight * difference^2. They are tightened until they are `enough`, or it is late. May raise
    OutOfTime."""
    scale = np.sqrt([float(w) for w in weights])
    pavings = [Paving(ground, scale) for ground in grounds]
    if not all(1 / FAR < p.most < FAR for p in pavings):
        raise OutOfTime
    mass = float(sum((m for ground in grounds for m, _ in ground.simplices), Fraction(0)))
    low, high = 0.0, float("inf")
    while True:
        begun = time.monotonic()
        for paving in pavings:
            paving.bound(end)
        ends = [fsum(x for p in pavings for x in p.mass * p.bounds[side]) for side in range(2)]
        slack = SLACK * (mass * max(p.most for p in pavings) + ends[1])
        low, high = max(low, ends[0] - slack), min(high, ends[1] + slack)
        sides = Fraction(low), Fraction(high)
        now, count = time.monotonic(), sum(len(p.mass) for p in pavings)
        if enough(sides) or count > MOST or now + GROWTH * (now - begun) > end or high - low <= 4 * slack:
            return sides
        gaps = np.sort(np.concatenate([p.gap for p in pavings]))[::-1]
        level = gaps[np.searchsorted(np.cumsum(gaps), SHARE * fsum(gaps))]
        for paving in pavings:
            paving.halve(level)


class Paving:
    """Simplices over which the nearest of the same targets is looked for."""

    def __init__(self, ground: Ground, scale: Numbers) -> None:
        self.mass = np.array([float(m) for m, _ in ground.simplices])
        self.corners = images([c for _, c in ground.simplices], scale)
        self.targets = images(ground.targets, scale)
        self.middles = self.targets.mean(axis=1)
        self.radii = np.sqrt(((self.targets - self.middles[:, None]) ** 2).sum(axis=-1)).max(axis=1)
        self.most = max(float(abs(a).max(initial=0.0)) for a in (self.corners, self.targets))
        self.faces = [Face(self.targets[:, list(f)]) for f in subsets(self.targets.shape[1], len(scale) + 1)]
        self.bounds: Numbers = np.zeros((2, 0))
        """Of the mean over each of the first simplices; the others are new."""

    @property
    def gap(self) -> Numbers:
        """What is open, for each simplex."""
        found: Numbers = self.mass * (self.bounds[1] - self.bounds[0])
        return found

    def bound(self, end: float) -> None:
        """Bounds for the new simplices."""
        start = self.bounds.shape[1]
        kept = max(KEPT, PAIRS // max(1, len(self.mass) - start))
        block = max(1, BLOCK // min(kept, len(self.targets)))
        found = [self.bounds]
        for k in range(start, len(self.mass), block):
            if time.monotonic() > end and not start:
                raise OutOfTime
            found.append(self._bounds(self.corners[k : k + block], kept))
        self.bounds = np.concatenate(found, axis=1)

    def _bounds(self, corners: Numbers, kept: int) -> Numbers:
        centre = corners.mean(axis=1)
        radius = np.sqrt(((corners - centre[:, None]) ** 2).sum(axis=-1)).max(axis=1)
        chosen, rest = self._nearby(centre, radius, kept)
        feet, far = self._nearest(centre[:, None, :], [face.of(chosen) for face in self.faces])
        best = np.take_along_axis(chosen, far.argmin(axis=1)[:, None], axis=1)
        above = self._nearest(corners, [face.of(best) for face in self.faces])[1].mean(axis=1)
        away = centre[:, None, :] - feet
        away *= (far > SLACK * self.most)[:, :, None] / np.maximum(far, SLACK * self.most)[:, :, None]
        reach = np.einsum("njm,njcm->njc", away, self.targets[chosen]).max(axis=2)
        below = (np.einsum("njm,ncm->njc", away, corners) - reach[:, :, None]).min(axis=1)
        return np.stack([np.maximum(np.minimum(below, rest[:, None]).mean(axis=1), 0.0), above])

    def _nearby(self, centre: Numbers, radius: Numbers, kept: int) -> tuple[Numbers, Numbers]:
        """For each simplex the targets that may be nearest, and a lower bound of its distance to all others: from the
        balls around them."""
        gaps = np.sqrt(((centre[:, None] - self.middles[None]) ** 2).sum(axis=-1)) - self.radii[None]
        if gaps.shape[1] <= kept:
            return np.broadcast_to(np.arange(gaps.shape[1]), gaps.shape), np.full(len(centre), np.inf)
        order = np.argpartition(gaps, kept, axis=1)[:, : kept + 1]
        return order[:, :kept], gaps[np.arange(len(centre)), order[:, kept]] - radius

    def _nearest(self, points: Numbers, faces: Sequence[Plane]) -> tuple[Numbers, Numbers]:
        """The nearest places, and the distances."""
        feet, least = None, None
        for face in faces:
            place, there = face.feet(points)
            far = np.sqrt(((points - place) ** 2).sum(axis=-1))
            far = np.where(there, far, np.inf)
            if feet is None or least is None:
                feet, least = place, far
            else:
                nearer = far < least
                feet, least = np.where(nearer[..., None], place, feet), np.where(nearer, far, least)
        assert feet is not None and least is not None
        return feet, least

    def halve(self, level: float) -> None:
        """Cut the simplices with so large a gap, across their longest edges."""
        chosen = self.gap >= level
        old = self.corners[chosen]
        if not len(old):
            return
        size = old.shape[1]
        pairs = np.array(list(combinations(range(size), 2)), dtype=int).reshape(-1, 2)
        if not len(pairs):
            return
        lengths = ((old[:, pairs[:, 0]] - old[:, pairs[:, 1]]) ** 2).sum(axis=-1)
        ends = pairs[lengths.argmax(axis=1)]
        rows = np.arange(len(old))
        middle = (old[rows, ends[:, 0]] + old[rows, ends[:, 1]]) / 2
        parts = []
        for side in range(2):
            part = old.copy()
            part[rows, ends[:, side]] = middle
            parts.append(part)
        half = self.mass[chosen] / 2
        self.bounds = self.bounds[:, ~chosen]
        self.corners = np.concatenate([self.corners[~chosen], *parts])
        self.mass = np.concatenate([self.mass[~chosen], half, half])


class Plane(Struct):
    """The hull of some corners: a place is base + sum of share * edge, and `inverse` finds the shares."""

    base: Numbers
    edges: Numbers
    inverse: Numbers
    flat: Numbers
    """The edges depend on each other: another face has what is nearest."""

    def feet(self, points: Numbers) -> tuple[Numbers, Numbers]:
        """The places nearest to points in the plane, and whether they lie in the hull."""
        shares = ((points - self.base)[..., None, :] * self.inverse).sum(axis=-1)
        there = (shares >= 0).all(axis=-1) & (shares.sum(axis=-1) <= 1) & ~self.flat
        return self.base + (shares[..., None] * self.edges).sum(axis=-2), there


class Face:
    """A face of each target."""

    def __init__(self, corners: Numbers) -> None:
        base, edges = corners[:, 0], corners[:, 1:] - corners[:, :1]
        inverse = np.linalg.pinv(edges).swapaxes(-1, -2) if edges.shape[1] else edges
        gram = edges @ edges.swapaxes(-1, -2)
        lengths = np.prod(np.diagonal(gram, axis1=-2, axis2=-1), axis=-1)
        flat = np.linalg.det(gram) <= 1e-12 * lengths if edges.shape[1] else np.zeros(len(base), dtype=bool)
        self.every = Plane(base, edges, inverse, flat)

    def of(self, which: Numbers) -> Plane:
        """That of some targets for each point."""
        every = self.every
        return Plane(*(part[which] for part in (every.base, every.edges, every.inverse, every.flat)))


def images(corners: Sequence[Sequence[Exact]], scale: Numbers) -> Numbers:
    """Shape (simplices, corners, forms)."""
    table: Numbers = np.array([[[float(x) for x in image] for image in several] for several in corners])
    table *= scale
    return table


def subsets(size: int, most: int) -> list[tuple[int, ...]]:
    return [s for k in range(1, min(size, most) + 1) for s in combinations(range(size), k)]
