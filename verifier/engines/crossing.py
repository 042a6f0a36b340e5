"""Pairs across steep places: points where a number that has to fall from one point to another is half way, and falls
most in some direction (`kernel.descent`). Many at once, in floats: its changes along the inputs, one by one, tell the
best direction, and how far it is to where the number is half way.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from verifier.engines.falsify import Chance, Cloud, Floats, Landscape, sides
from verifier.engines.steep import everywhere
from verifier.kernel.circuit import Affine
from verifier.query.question import Question

POINTS, KEPT = 256, 64
"""A round, and of all rounds."""
ROUNDS, TRIED = 4, 2
"""So many rounds, and so many points are looked at more closely."""
STEPS = 3
"""To where the number is half way."""
OUT = 1e3
"""What it costs to be further off than the two points are."""


class Crossing:
    """Of a question about a point and a corner, whose inputs begin with the point; `moving`: those of them that have a
    corner, in their order."""

    def __init__(self, question: Question, moving: list[int]) -> None:
        level, floor, fall = question.facts
        self.level, self.fall = (Landscape(replace(question, facts=(fact,))).at for fact in (level, fall))
        top, bottom = (question.circuit[fact] for fact in (level, floor))
        assert isinstance(top, Affine) and isinstance(bottom, Affine)
        self.half, self.moving = float(top.constant + bottom.constant) / 2, moving
        width = len(question.variables) - len(moving)
        steps = [node for node in question.circuit if isinstance(node, Affine) and len(node.terms) == 1][: len(moving)]
        self.low = np.array([[float(step.constant)] for step in steps])  # of what the corners make of their 0 and 1
        self.wide = np.array([[float(step.terms[0][1])] for step in steps])
        low, high = (side[:width] for side in sides(question))
        self.cloud = Cloud(low, high, np.zeros((width, 1), dtype=bool), Chance())
        self.points, self.worth = np.empty((width, 0)), np.empty(0)
        self.tried = set[float]()

    def changes(self, points: Floats) -> tuple[Floats, Floats]:
        """(inputs, n) -> by how much the number falls too far in the middle of all directions, (n,), and what half of
        the range of each adds to that, (moving, n)."""
        corners = len(self.moving)
        found = everywhere(self.fall, points, 0.5 + 0.5 * np.eye(corners, corners + 1))
        return found[-1], found[:-1] - found[-1]

    def round(self) -> None:
        """More points."""
        count = self.points.shape[1]
        fresh = self.cloud.fresh(POINTS)
        if count:
            fresh[:, ::2] = self.cloud.moved(self.points[:, np.arange(POINTS // 2) % count])
        middle = np.full((len(self.moving), POINTS), 0.5)
        for step in range(STEPS + 1):
            off = self.level(np.vstack([fresh, middle])) - self.half
            still, added = self.changes(fresh)
            if step < STEPS:
                slope = -2 * added / np.where(self.wide > 0, self.wide, 1.0)
                square = (slope**2).sum(axis=0) + 1e-12
                fresh[self.moving] += slope * off / square
                fresh = self.cloud.tidy(fresh)
        worth = still + np.abs(added).sum(axis=0) - OUT * np.maximum(0.0, np.abs(off) - self.half)
        points, worth = np.hstack([self.points, fresh]), np.concatenate([self.worth, worth])
        _, first = np.unique(np.round(-worth, 9), return_index=True)  # of each value one: it is the same piece
        self.points, self.worth = points[:, first[:KEPT]], worth[first[:KEPT]]

    def next(self) -> Iterator[tuple[Floats, Floats]]:
        """Points half a step before and behind the best ones that are new, after some rounds."""
        for _ in range(ROUNDS):
            self.round()
        new = [k for k, worth in enumerate(self.worth.tolist()) if worth not in self.tried][:TRIED]
        self.tried |= {*self.worth[new].tolist()}
        _, added = self.changes(self.points[:, new])
        ways = self.low + self.wide * (added > 0)
        for k, way in zip(new, ways.T, strict=True):
            first, second = self.points[:, k].copy(), self.points[:, k].copy()
            first[self.moving] -= way / 2
            second[self.moving] += way / 2
            yield first, second
