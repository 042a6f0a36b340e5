"""Where a network is steep, at random: many points at once, and for each the direction in which it changes most.

A question about a point and a direction (`verdict/measures/directional.py`) is linear in the direction, so along the
coordinates one by one it tells the change in all directions. To look for both at once finds little: of the directions,
one corner of a box in as many dimensions as there are inputs is the best.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from msgspec.structs import replace

from verifier.engines.engine import Vector
from verifier.engines.falsify import Chance, Cloud, Floats, Landscape, exact, sides
from verifier.query.question import Question

POINTS, KEPT = 128, 16
"""A round, and of all rounds."""
VAIN = 40
"""After so many rounds without a better one no more are tried."""


def steep(question: Question, near: Sequence[Vector], seconds: float) -> tuple[Vector, ...]:
    """Points, each with a direction, where the first number of the question is large, the largest first; also near
    those points. The second half of the inputs tell the direction, which is 0 in the middle of their box; the box holds
    for each of its entries alone."""
    end, width = time.monotonic() + seconds, len(question.variables) // 2
    whole = np.array([v.integer for v in question.variables[:width]])[:, None]
    low, high = sides(question)
    cloud = Cloud(low[:width], high[:width], whole, Chance())
    still, reach = (low[width:] + high[width:]) / 2, (high[width:] - low[width:]) / 2
    number = Landscape(replace(question, facts=question.numbers[:1], numbers=())).at
    alone = still + np.diag(reach[:, 0])

    def changes(points: Floats) -> Floats:
        """(inputs, n) -> (inputs, n): along each coordinate, as far as the direction may go there."""
        return everywhere(number, points, alone)

    def scores(found: Floats) -> Floats:
        sizes = np.abs(found)
        most: Floats = sizes.max(axis=0) if question.facts else sizes.sum(axis=0)
        return most

    points, best = np.empty((width, 0)), np.empty(0)
    fresh = np.hstack([np.array([[float(x)] for x in z[:width]]) for z in near] or [cloud.fresh(POINTS)])
    vain = 0
    while vain < VAIN and time.monotonic() < end:
        points, before = np.hstack([points, fresh]), best.max(initial=-np.inf)
        best = np.concatenate([best, scores(changes(fresh))])
        _, first = np.unique(-best, return_index=True)  # of each value one: where it is the same, so is the piece
        points, best = points[:, first[:KEPT]], best[first[:KEPT]]
        vain = 0 if best[0] > before else vain + 1
        fresh = cloud.fresh(POINTS)
        fresh[:, ::2] = cloud.moved(points[:, np.arange(POINTS // 2) % points.shape[1]])
    if not points.size:
        return ()
    found = changes(points)
    ways = np.sign(found) * reach
    if question.facts:  # which say more of directions than the box does
        ways = np.where(np.abs(found) == np.abs(found).max(axis=0), ways, 0.0)
    return tuple(exact(question, column) for column in np.vstack([points, still + ways]).T)


def everywhere(number: Callable[[Floats], Floats], points: Floats, ways: Floats) -> Floats:
    """(inputs, n), (others, m) -> (m, n): the number at each point on each way; ways are inputs that come last."""
    count, many = points.shape[1], ways.shape[1]
    both = np.vstack([np.repeat(points, many, axis=1), np.tile(ways, count)])
    return number(both).reshape(count, many).T
