"""Branch and bound over the box of the inputs, many boxes at once: for questions with few inputs.

Every box gets linear bounds of all literals (`linear_bounds`). They shrink the box to where the formula may hold; what
is empty is closed, the rest is halved. The coordinate to halve is the one that causes most of the relaxation: the gap
of every open relu, times its coefficient in the bound of the literal that is nearest to closing the box, is shared
among the coordinates in proportion to |dt/dx_i| * radius_i.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import numpy as np
from msgspec import Struct

from verifier.engines.box_proof import box_proof, tells
from verifier.engines.engine import MOST_FREE, Answer, Fails, Holds, Unknown, Vector
from verifier.engines.levels import Apart, Declined, Floats, Levels, Truths
from verifier.engines.linear_bounds import Bounds, Boxes, Cause, Upper, joined, middles
from verifier.engines.shrink import Shrink
from verifier.kernel.problem import Farkas, Row, Tree
from verifier.language.build import Variable
from verifier.query.question import Question

NAME = "box search"
TRUSTS = "rigorous floats of the box search"

BATCH = 64
"""Boxes at a time; more of them leave the cache."""

MOST_OPEN = 50_000
"""Boxes that may wait."""

NEAR = Fraction(1, 8)
"""An input of the second point is told by how much it exceeds that of the first where that has at most this part of its
range as a difference of two such inputs has."""

HARDER = 4
"""A certificate that does not tell second points by the first has so many times the boxes, about, for each of their
inputs."""

TOLD = 6
"""One that does so has so many times the boxes, about: it does not move sides of boxes by what literals say."""

PROOF_SECONDS = 20.0
"""For a certificate, at most."""


class Stats(Struct):
    """What a search took."""

    boxes: int = 0
    seconds: float = 0.0


def accepts(question: Question) -> bool:
    """Few free inputs, each with two ends, and numbers that do not jump."""
    try:
        return any(free(question, lowered(question)))
    except Declined:
        return False


def lowered(question: Question) -> Levels:
    """The arrays of a question that this search takes. Raises Declined for another one."""
    if question.squares or any(v.low is None or v.high is None for v in question.variables):
        raise Declined("an input has no end, or is a square")
    levels = Levels(question)
    if sum(free(question, levels)) > MOST_FREE:
        raise Declined(f"more than {MOST_FREE} inputs are free")
    near = apart(question, levels)
    return Levels(question, near) if near else levels


def apart(question: Question, levels: Levels) -> dict[int, Apart]:
    """Inputs of the second point that have to be near those of the first."""
    nodes = dict(zip(levels.inputs, levels.nodes, strict=True))
    firsts = {nodes[i]: nodes[j] for i, j in enumerate(question.mirror) if j is not None and {i, j} <= nodes.keys()}
    low: dict[int, Fraction] = {}
    high: dict[int, Fraction] = {}
    for weights, constant in levels.certain() if firsts else ():
        for n, w in weights.items():
            if len(weights) == 2 and n in firsts and weights.get(firsts[n]) == -w:
                end = -constant / w
                if w > 0:
                    low[n] = max(low.get(n, end), end)
                else:
                    high[n] = min(high.get(n, end), end)
    sides = {n: question.variables[i] for i, n in nodes.items()}
    found = {n: Apart(firsts[n], low[n], high[n]) for n in firsts if n in low and n in high}
    return {n: a for n, a in found.items() if a.high - a.low < NEAR * (width(sides[n]) + width(sides[a.first]))}


def width(variable: Variable) -> Fraction:
    """Of the interval of an input."""
    assert variable.low is not None and variable.high is not None
    return variable.high - variable.low


def free(question: Question, levels: Levels) -> list[bool]:
    """Whether each input that the facts depend on has more than one value."""
    return [question.variables[i].low != question.variables[i].high for i in levels.inputs]


def box_search(
    question: Question,
    seconds: float,
    stats: Stats | None = None,
    proof_seconds: float = PROOF_SECONDS,
    share: float = 0.0,
) -> Answer:
    """A solution, or that there is none, within the time. That there is none trusts the floats here; it comes with a
    certificate, where one can be written and checked in `proof_seconds`, or this `share` of the time of the search.
    Unknown where the search does not take it."""
    stats = Stats() if stats is None else stats
    started = time.monotonic()
    try:
        return Search(question, lowered(question), stats, proof_seconds, share).run(started + seconds)
    except Declined as why:
        return Unknown(f"the box search does not take this: {why}")
    finally:
        stats.seconds = time.monotonic() - started


class Search:
    """One search."""

    def __init__(self, question: Question, levels: Levels, stats: Stats, proof_seconds: float, share: float) -> None:
        self.question, self.levels, self.stats = question, levels, stats
        self.proof_seconds, self.share, self.started = proof_seconds, share, time.monotonic()
        variables = [question.variables[i] for i in levels.inputs]
        sides = [levels.apart.get(n, v) for n, v in zip(levels.nodes, variables, strict=True)]
        self.whole = np.array([v.integer for v in variables], dtype=bool)
        self.low, self.high = ends(sides, self.whole)

    def run(self, end: float) -> Answer:
        """Until every box is closed, or a point solves the question, or time is up."""
        if (self.low > self.high).any():
            n = self.levels.nodes[int(np.argmax(self.low > self.high))]
            if n in self.levels.apart:
                return Holds(NAME, (TRUSTS,))
            return Holds(NAME, (TRUSTS,), (self.question.empty, Tree((Farkas((Row("low", n, 1), Row("high", n, 1))),))))
        bounds = Bounds(self.levels, self.low, self.high)
        waiting = [bounds.root.copy()]
        while waiting:
            if time.monotonic() > end:
                return Unknown(f"the box search looked at {self.stats.boxes} boxes and has not finished")
            if sum(map(len, waiting)) > MOST_OPEN:
                return Unknown("the box search has too many open boxes")
            boxes = waiting.pop()
            while waiting and len(boxes) < BATCH:
                boxes = joined([waiting.pop(), boxes])
            if len(boxes) > BATCH:
                waiting.append(boxes.take(slice(None, -BATCH)))
                boxes = boxes.take(slice(-BATCH, None))
            self.stats.boxes += len(boxes)
            causes = bounds.tighten(boxes)
            upper = bounds.literals(boxes)
            shrink = Shrink(upper, bounds.loss(upper), self.whole, self.levels.sums)
            open_ = shrink.to(self.levels.formula, boxes, np.ones(len(boxes), dtype=bool))
            found = self.solution(boxes, upper, open_)
            if found is not None:
                return Fails(NAME, (found,))
            if open_.any():
                halves = self.halve(bounds, boxes, upper, causes, shrink.times, open_)
                if halves is None:
                    return Unknown("the box search came to a single point that floats do not decide")
                waiting.append(halves)
        return self.proved(bounds, end)

    def proved(self, bounds: Bounds, end: float) -> Holds:
        """That every box is closed; with a certificate, if there is time."""
        now = time.monotonic()
        seconds = min(end - now, max(self.proof_seconds, self.share * (now - self.started)))
        problem, levels, boxes = self.question.empty, self.levels, self.stats.boxes
        if self.levels.apart and tells(problem, levels):
            boxes *= TOLD
        elif self.levels.apart:
            levels, boxes = Levels(self.question), HARDER ** len(levels.apart) * boxes
            variables = [self.question.variables[i] for i in levels.inputs]
            bounds = Bounds(levels, *ends(variables, np.array([v.integer for v in variables], dtype=bool)))
        tree = box_proof(problem, levels, bounds, seconds, boxes)
        return Holds(NAME, (TRUSTS,), None if tree is None else (problem, tree))

    def halve(
        self, bounds: Bounds, boxes: Boxes, upper: Upper, causes: list[Cause], times: Floats, open_: Truths
    ) -> Boxes | None:
        """Both halves of every open box, the promising ones last; None if one of them cannot be halved."""
        promise = self.levels.score(upper.greatest)
        which = np.flatnonzero(open_)
        which = which[np.argsort(promise[which])]
        radius = (boxes.high - boxes.low)[which]
        score = bounds.blame(upper, causes, times, boxes)[which]
        middle = boxes.low[which] + (boxes.high[which] - boxes.low[which]) / 2
        middle = np.where(self.whole, np.floor(middle), middle)
        divisible = np.where(self.whole, radius >= 1, (middle > boxes.low[which]) & (middle < boxes.high[which]))
        if not divisible.any(axis=1).all():
            return None
        chosen = np.argmax(np.where(divisible, score, -1.0), axis=1)
        rows = np.arange(len(which))
        lower, higher = boxes.take(which), boxes.take(which)
        lower.high[rows, chosen] = middle[rows, chosen]
        higher.low[rows, chosen] = middle[rows, chosen] + self.whole[chosen]
        return joined([lower, higher]).take(np.concatenate([rows, rows]).argsort(kind="stable"))

    # solutions

    def solution(self, boxes: Boxes, upper: Upper, open_: Truths) -> Vector | None:
        """A solution among the centres of open boxes and the corners that the linear bounds point to."""
        if not open_.any():
            return None
        middle, radius = middles(boxes)
        middle, radius, slopes = middle[open_], radius[open_], upper.weights[open_]
        corners = middle[:, None] + np.sign(slopes) * radius[:, None]
        nearest = np.sign(slopes.sum(axis=1)) * radius + middle
        points = np.concatenate([middle, nearest, *corners.swapaxes(0, 1)])
        points = np.clip(np.where(self.whole, np.round(points), points), self.low, self.high)
        scores = self.levels.score(self.levels.forward(points))
        for k in np.argsort(-scores)[:2]:
            if scores[k] > -1e-12:
                point = self.exact(points[k])
                if self.question.solved_by(point):
                    return point
        return None

    def exact(self, point: Floats) -> Vector:
        """The point in the box of the question, next to floats; inputs on which nothing depends lie at an end."""
        at = dict(zip(self.levels.nodes, map(Fraction, point.tolist()), strict=True))
        at |= {n: at[n] + at[a.first] for n, a in self.levels.apart.items()}
        values = dict(zip(self.levels.inputs, at.values(), strict=True))
        found = []
        for i, v in enumerate(self.question.variables):
            assert v.low is not None and v.high is not None
            low, high = (Fraction(ceil(v.low)), Fraction(floor(v.high))) if v.integer else (v.low, v.high)
            found.append(min(max(values[i], low), high) if i in values else low)
        return tuple(found)


def ends(sides: Sequence[Variable | Apart], whole: Truths) -> tuple[Floats, Floats]:
    """Both ends of intervals, as floats."""
    low = [below(side.low, integer) for side, integer in zip(sides, whole.tolist(), strict=True)]
    high = [
        -below(None if side.high is None else -side.high, integer)
        for side, integer in zip(sides, whole.tolist(), strict=True)
    ]
    return np.array(low), np.array(high)


def below(value: Fraction | None, integer: bool) -> float:
    """The largest float that is at most `value`, or about that; for an integer the next whole number above it."""
    assert value is not None
    if integer:
        value = Fraction(ceil(value))
    near = float(value)
    return near if Fraction(near) <= value else float(np.nextafter(near, -np.inf))
