"""The falsifier: many points at once in floats, the promising ones moved about. It only guesses; `solved_by` decides,
exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import copysign, inf, prod

import numpy as np
from numpy.typing import NDArray

from verifier.engines.engine import Answer, Fails, Grid, Unknown, Vector
from verifier.engines.evaluate import pleasant, tester
from verifier.kernel.circuit import Affine, Input, Select
from verifier.query.piece import senses
from verifier.query.question import Question

NAME = "search"
POINTS = 512
CHUNK, EACH, CLIMBS = 8192, 16, 8
"""Of many boxes: points at once, points of each, and how often they are moved."""
WIDE = 1e6
"""Stands for an infinite side of the box."""

Floats = NDArray[np.float64]


class Landscape:
    """How well points satisfy the facts, by the robustness of formulas: and = min, or = max, not = negation; >= 0 is
    true."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.true, self.real = senses(question.circuit, question.facts, ())
        self.affine = {
            i: (
                np.array([j for j, _ in node.terms], dtype=np.intp),
                np.array([float(w) for _, w in node.terms]),
                float(node.constant),
            )
            for i, node in enumerate(question.circuit)
            if isinstance(node, Affine) and (i in self.true or i in self.real)
        }

        self.plain = [
            (
                i,
                node.index if isinstance(node, Input) else None,
                [(j, float(w)) for j, w in node.terms] if isinstance(node, Affine) else [],
                float(node.constant) if isinstance(node, Affine) else 0.0,
                (node.test, node.then, node.otherwise) if isinstance(node, Select) else None,
            )
            for i, node in enumerate(question.circuit)
            if i in self.true or i in self.real
        ]

    def at(self, points: Floats) -> Floats:
        """(inputs, n) -> (n,): the least robustness of the facts at each point."""
        count = points.shape[1]
        values = np.zeros((len(self.question.circuit), count))
        robust: dict[int, Floats] = {}
        for i, node in enumerate(self.question.circuit):
            if i not in self.true and i not in self.real:
                continue
            match node:
                case Input(index):
                    values[i] = points[index]
                case Affine():
                    nodes, weights, constant = self.affine[i]
                    values[i] = weights @ values[nodes] + constant
                case Select(test, then, otherwise):
                    t = robust[test]
                    if i in self.real:
                        values[i] = np.where(t >= 0, values[then], values[otherwise])
                    if i in self.true:
                        robust[i] = np.maximum(np.minimum(t, robust[then]), np.minimum(-t, robust[otherwise]))
            if i in self.true and not isinstance(node, Select):
                constant_node = isinstance(node, Affine) and not node.terms
                robust[i] = np.where(values[i] >= 0, np.inf, -np.inf) if constant_node else values[i]
        if not self.question.facts:
            return np.full(count, np.inf)
        least: Floats = np.min(np.stack([robust[f] for f in self.question.facts]), axis=0)
        return least

    def of(self, point: Floats) -> float:
        """`at` a single point, some ten times as fast."""
        circuit = self.question.circuit
        values = [0.0] * len(circuit)
        robust = [0.0] * len(circuit)
        for i, index, terms, constant, select in self.plain:
            if select is None:
                value = constant if index is None else float(point[index])
                for j, w in terms:
                    value += w * values[j]
                values[i] = value
                robust[i] = value if terms or index is not None else copysign(inf, value)
            else:
                test, then, otherwise = select
                t = robust[test]
                values[i] = values[then if t >= 0 else otherwise]
                robust[i] = max(min(t, robust[then]), min(-t, robust[otherwise]))
        return min((robust[f] for f in self.question.facts), default=inf)


def falsify(
    question: Question,
    seconds: float,
    landscape: Landscape | None = None,
    solved_by: Callable[[Vector], bool] | None = None,
    starts: Sequence[Floats] = (),
) -> Answer:
    """A solution found by sampling and climbing, or Unknown. `landscape`, `solved_by` (of `tester`): of the question,
    where the caller has them; `starts`: points to begin with."""
    end = time.monotonic() + seconds
    generator = np.random.default_rng(0)
    variables = question.variables
    low, high = sides(question)
    whole = np.array([v.integer for v in variables])[:, None]
    landscape, solved_by = landscape or Landscape(question), solved_by or tester(question)

    def tidy(points: Floats) -> Floats:
        inside: Floats = np.clip(points, low, high)
        return np.where(whole, np.round(inside), inside)

    def fresh(count: int) -> Floats:
        spread = generator.random((len(variables), count))
        spread = np.where(generator.random((1, count)) < 0.3, np.round(spread), spread)  # some of them corners
        return tidy(low + spread * (high - low))

    points = fresh(POINTS)
    if starts:
        points[:, : len(starts)] = tidy(np.stack(list(starts)[:POINTS], axis=1))
    scores = landscape.at(points)
    stale = 0
    while True:
        best = np.argsort(-scores)[: POINTS // 8]
        for k in best[:4]:
            if scores[k] >= 0:
                candidate = exact(question, points[:, k])
                if solved_by(candidate):
                    return Fails(NAME, (pleasant(question, candidate, end, solved_by),))
        if time.monotonic() > end:
            return Unknown("the search found nothing")
        if stale > 30:
            points, stale = fresh(POINTS), 0
            scores = landscape.at(points)
            continue
        parents = points[:, np.tile(best, 8)]
        size = (high - low) * 10.0 ** generator.uniform(-4, 0, (1, parents.shape[1]))
        moved = generator.random(parents.shape) < generator.choice([1.5, 3.0, 8.0], (1, parents.shape[1])) / len(
            variables
        )
        step = generator.standard_normal(parents.shape) * size
        step = np.where(whole & (np.abs(step) < 1), np.sign(step), step)
        children = tidy(parents + np.where(moved, step, 0.0))
        children_scores = landscape.at(children)
        top = scores.max()
        points, scores = np.hstack([points[:, best], children]), np.concatenate([scores[best], children_scores])
        stale = 0 if scores.max() > top else stale + 1


def strike(
    question: Question,
    grid: Grid,
    seconds: float,
    landscape: Landscape,
    solved_by: Callable[[Vector], bool],
) -> dict[int, Vector]:
    """Solutions in many boxes at once, found by sampling and climbing: box -> solution, where one was found."""
    end = time.monotonic() + seconds
    generator = np.random.default_rng(0)
    whole = np.array([v.integer for v in question.variables])[:, None]
    low, high = boxes(question, grid)
    found: dict[int, Vector] = {}
    for first in range(0, low.shape[1], CHUNK // EACH):
        open_ = np.arange(first, min(first + CHUNK // EACH, low.shape[1]))
        best = low[:, open_]  # a point of each, and its score
        score = np.full(len(open_), -np.inf)
        for climb in range(CLIMBS):
            if not open_.size:
                break
            if time.monotonic() > end:
                return found
            bottom, top = (np.repeat(sides[:, open_], EACH, axis=1) for sides in (low, high))
            size = bottom.shape
            spread = generator.random(size)
            spread = np.where(generator.random((1, size[1])) < 0.3, np.round(spread), spread)  # some of them corners
            points = bottom + spread * (top - bottom)
            if climb:
                step = (top - bottom) * 10.0 ** generator.uniform(-3, 0, (1, size[1])) * generator.standard_normal(size)
                step = np.where(whole & (np.abs(step) < 1), np.sign(step), step)
                moved = generator.random(size) < generator.choice([1.5, 3.0, 8.0], (1, size[1])) / size[0]
                points = np.repeat(best, EACH, axis=1) + np.where(moved, step, 0.0)
            points = np.clip(points, bottom, top)
            points = np.where(whole, np.round(points), points)
            scores = landscape.at(points).reshape(len(open_), EACH)
            winner = scores.argmax(axis=1)
            rows = np.arange(len(open_))
            better = scores[rows, winner] > score
            best = np.where(better, points[:, rows * EACH + winner], best)
            score = np.where(better, scores[rows, winner], score)
            for k in np.flatnonzero(score >= 0):
                candidate = exact(question, best[:, k])
                if solved_by(candidate):
                    found[int(open_[k])] = candidate
            kept = np.array([int(k) not in found for k in open_])
            open_, best, score = open_[kept], best[:, kept], score[kept]
    return found


def boxes(question: Question, grid: Grid) -> tuple[Floats, Floats]:
    """The sides of all boxes, (inputs, boxes) each."""
    count = prod(len(slices) for _, slices in grid)
    chosen = np.unravel_index(np.arange(count), [len(slices) for _, slices in grid])
    low, high = (np.repeat(side, count, axis=1) for side in sides(question))
    for (inputs, slices), which in zip(grid, chosen, strict=True):
        bottom, top = (np.array([float(s[end]) for s in slices])[which] for end in (0, 1))
        for i in inputs:
            low[i], high[i] = np.maximum(low[i], bottom), np.minimum(high[i], top)
    return low, high


def sides(question: Question) -> tuple[Floats, Floats]:
    """The sides of the box, (inputs, 1) each."""
    low = np.array([-WIDE if v.low is None else float(v.low) for v in question.variables])[:, None]
    return low, np.array([WIDE if v.high is None else float(v.high) for v in question.variables])[:, None]


def exact(question: Question, point: Floats) -> Vector:
    return tuple(
        Fraction(round(x)) if v.integer else Fraction(float(x)) for x, v in zip(point, question.variables, strict=True)
    )
