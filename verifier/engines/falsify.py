"""The falsifier: many points at once in floats, the promising ones moved about. It only guesses; `solved_by` decides,
exactly."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import copysign, inf, pi, prod
from random import Random

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from verifier.engines.engine import Answer, Fails, Grid, Unknown, Vector
from verifier.engines.evaluate import tester
from verifier.kernel.circuit import Affine, Input, Select
from verifier.query.piece import senses
from verifier.query.question import Question

NAME = "search"
POINTS = 512
CHUNK, EACH = 8192, 64
"""Of many boxes: points at once, and points of each."""
VAIN = 0.2
"""Of the time, for rounds of `strike` that find nothing."""
IDLE = 4
"""After so many climbs in a row without a solution nothing more is looked for among them."""
WIDE = 1e6
"""Stands for an infinite side of the box."""

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


Place = slice | Ints
"""Rows of a matrix; of neighbours a slice, which is not copied."""


class Layer(Struct, frozen=True, eq=False):
    """Nodes of a circuit that need only those of layers before: affine ones, relus, and other choices of numbers and of
    formulas (node, test, then, otherwise). `held`: of the affine ones, those whose sign is asked for by formulas."""

    affine: Place
    sources: Place
    weights: Floats
    constant: Floats
    held: Place
    relus: tuple[Place, Place]
    numbers: tuple[Place, ...]
    truths: tuple[Place, ...]


class Landscape:
    """How well points satisfy the facts, by the robustness of formulas: and = min, or = max, not = negation; >= 0 is
    true."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.true, self.real = senses(question.circuit, question.facts, ())
        self.room = np.empty((2, 0, 0))  # for the values of the nodes, from one call to the next
        self.nodes = {
            i: (
                node.index if isinstance(node, Input) else None,
                [(j, float(w)) for j, w in node.terms] if isinstance(node, Affine) else [],
                float(node.constant) if isinstance(node, Affine) else 0.0,
                (node.test, node.then, node.otherwise) if isinstance(node, Select) else None,
            )
            for i, node in enumerate(question.circuit)
            if i in self.true or i in self.real
        }

    @cached_property
    def depth(self) -> dict[int, int]:
        """Of each node; 0: inputs and constants."""
        found: dict[int, int] = {}
        for i, (_, terms, _, select) in self.nodes.items():
            found[i] = max((found[j] + 1 for j in select or [j for j, _ in terms]), default=0)
        return found

    @cached_property
    def row(self) -> dict[int, int]:
        """Where the values of each node stand: layer by layer, of a layer affine nodes first."""
        order = sorted(self.nodes, key=lambda i: (self.depth[i], self.nodes[i][3] is not None, i))
        return {i: row for row, i in enumerate(order)}

    @cached_property
    def layers(self) -> list[Layer]:
        by_depth = defaultdict[int, list[int]](list)
        for i in self.row:
            by_depth[self.depth[i]].append(i)
        asked = {*self.question.facts}
        for i, (*_, select) in self.nodes.items():
            if select is not None:
                asked |= {*select} if i in self.true else set() if self.is_relu(*select) else {select[0]}
        layers = []
        for level in sorted(by_depth.keys() - {0}):
            nodes = {i: self.nodes[i] for i in by_depth[level]}
            affine = [i for i in nodes if nodes[i][3] is None]
            sources = sorted({self.row[j] for i in affine for j, _ in nodes[i][1]})
            column = {row: k for k, row in enumerate(sources)}
            weights = np.zeros((len(affine), len(sources)))
            for row, i in enumerate(affine):
                for j, w in nodes[i][1]:
                    weights[row, column[self.row[j]]] = w
            selects = [(i, *select) for i, (*_, select) in nodes.items() if select is not None]
            numbers = [s for s in selects if s[0] in self.real]
            relus = [s for s in numbers if self.is_relu(*s[1:])]
            layers.append(
                Layer(
                    self.places(affine),
                    place(sources),
                    weights,
                    np.array([nodes[i][2] for i in affine])[:, None],
                    self.places(i for i in affine if i in asked),
                    (self.places(s[0] for s in relus), self.places(s[1] for s in relus)),
                    self.columns(s for s in numbers if s not in relus),
                    self.columns(s for s in selects if s[0] in self.true),
                )
            )
        return layers

    def is_relu(self, test: int, then: int, otherwise: int) -> bool:
        return then == test and self.nodes[otherwise] == (None, [], 0.0, None) and self.nodes[test][3] is None

    def places(self, nodes: Iterable[int]) -> Place:
        return place([self.row[i] for i in nodes])

    def columns(self, selects: Iterable[tuple[int, int, int, int]]) -> tuple[Place, ...]:
        found = list(selects)
        return tuple(self.places(s[k] for s in found) for k in range(4))

    def at(self, points: Floats) -> Floats:
        """(inputs, n) -> (n,): the least robustness of the facts at each point."""
        if not self.question.facts:
            return np.full(points.shape[1], np.inf)
        if self.room.shape[2] != points.shape[1]:
            self.room = np.empty((2, len(self.nodes), points.shape[1]))
        values, robust = self.room
        for i, (index, _, constant, _) in self.nodes.items():
            if self.depth[i] == 0:
                row = self.row[i]
                values[row] = constant if index is None else points[index]
                robust[row] = copysign(inf, constant) if index is None else points[index]
        for layer in self.layers:
            values[layer.affine] = layer.weights @ values[layer.sources] + layer.constant
            robust[layer.held] = values[layer.held]
            relu, argument = layer.relus
            values[relu] = np.maximum(values[argument], 0.0)
            node, test, then, otherwise = layer.numbers
            values[node] = np.where(robust[test] >= 0, values[then], values[otherwise])
            node, test, then, otherwise = layer.truths
            t = robust[test]
            robust[node] = np.maximum(np.minimum(t, robust[then]), np.minimum(-t, robust[otherwise]))
        least: Floats = robust[self.places(self.question.facts)].min(axis=0)
        return least

    def linear(self, point: Floats) -> tuple[Floats, Floats, Floats]:
        """Values, robustness and slopes (by input) of all nodes at a point, each in the order of `row`."""
        self.at(point[:, None])
        values, robust = self.room[:, :, 0].copy()
        slopes = np.zeros((len(self.nodes), len(point)))
        for i, (index, *_) in self.nodes.items():
            if index is not None:
                slopes[self.row[i], index] = 1.0
        for layer in self.layers:
            slopes[layer.affine] = layer.weights @ slopes[layer.sources]
            relu, argument = layer.relus
            slopes[relu] = np.where(values[argument, None] > 0, slopes[argument], 0.0)
            node, test, then, otherwise = layer.numbers
            slopes[node] = np.where(robust[test, None] >= 0, slopes[then], slopes[otherwise])
        return values, robust, slopes

    def of(self, point: Floats) -> float:
        """`at` a single point, some ten times as fast."""
        circuit = self.question.circuit
        values = [0.0] * len(circuit)
        robust = [0.0] * len(circuit)
        for i, (index, terms, constant, select) in self.nodes.items():
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


def place(rows: Sequence[int]) -> Place:
    if rows and all(b == a + 1 for a, b in pairwise(rows)):
        return slice(rows[0], rows[-1] + 1)
    return np.array(rows, np.intp)


class Chance:
    """Numbers at random, always the same. Python's generator: to load numpy's takes longer than many a search."""

    def __init__(self, seed: int = 0) -> None:
        self.random = Random(seed)

    def uniform(self, *shape: int) -> Floats:
        """Between 0 and 1, never one of them."""
        drawn = np.frombuffer(self.random.randbytes(4 * prod(shape)), "<u4").reshape(shape)
        return np.asarray((drawn + 0.5) * 2.0**-32)

    def steps(self, count: int) -> Floats:
        """Of the logistic distribution with standard deviation 1: now and then a long one."""
        share = self.uniform(count)
        return np.asarray(np.log(share / (1 - share)) * (3**0.5 / pi))


class Cloud(Struct, frozen=True, eq=False):
    """Points at random in a box, or in a box each: the sides are (inputs, 1) or (inputs, points)."""

    low: Floats
    high: Floats
    whole: NDArray[np.bool_]
    chance: Chance
    twins: Ints = np.empty((2, 0), np.intp)
    """Inputs of a second point, and those of the first."""

    @staticmethod
    def over(question: Question, chance: Chance) -> Cloud:
        """In the box of a question."""
        whole = np.array([v.integer for v in question.variables])[:, None]
        return Cloud(*sides(question), whole, chance, pairs(question))

    def tidy(self, points: Floats) -> Floats:
        """Inside, and whole where that is wanted."""
        inside: Floats = np.clip(points, self.low, self.high)
        return np.where(self.whole, np.round(inside), inside)

    def fresh(self, count: int) -> Floats:
        spread = self.chance.uniform(len(self.low), count)
        spread = np.where(self.chance.uniform(1, count) < 0.3, np.round(spread), spread)  # some of them corners
        points = self.low + spread * (self.high - self.low)
        if self.twins.size:  # some of them near to each other
            second, first = self.twins
            size = (self.high - self.low)[second] * 10.0 ** (-5 * self.chance.uniform(1, count))
            near = points[first] + size * (2 * self.chance.uniform(len(second), count) - 1)
            points[second] = np.where(self.chance.uniform(1, count) < 0.5, near, points[second])
        return self.tidy(points)

    def first(self, count: int, at: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
        """Fresh points and what they are worth; of two points, the one first for which that is more."""
        points = self.fresh(count)
        scores = at(points)
        if self.twins.size:
            second, first = self.twins
            swapped = points.copy()
            swapped[second], swapped[first] = points[first], points[second]
            other = at(swapped)
            points, scores = np.where(other > scores, swapped, points), np.maximum(scores, other)
        return points, scores

    def moved(self, points: Floats) -> Floats:
        """Each of them, a few of its coordinates changed by more or less."""
        inputs, count = points.shape
        size = (self.high - self.low) * 10.0 ** (-4 * self.chance.uniform(1, count))
        few = np.array([1.5, 3.0, 8.0])[(3 * self.chance.uniform(count)).astype(np.intp)]
        chosen = self.chance.uniform(inputs, count) < few / inputs
        step = np.zeros(points.shape)
        step[chosen] = self.chance.steps(int(chosen.sum()))
        step *= size
        return self.tidy(points + np.where(self.whole & (np.abs(step) < 1), np.sign(step), step))


def falsify(
    question: Question,
    seconds: float,
    landscape: Landscape | None = None,
    solved_by: Callable[[Vector], bool] | None = None,
    starts: Sequence[Vector | Floats] = (),
    rounds: float = inf,
) -> Answer:
    """A solution found by sampling and climbing, or Unknown. `landscape`, `solved_by` (of `tester`): of the question,
    where the caller has them; `starts`: points to begin with; `rounds`: how often points are moved about at most."""
    end = time.monotonic() + seconds
    landscape, solved_by = landscape or Landscape(question), solved_by or tester(question)

    cloud = Cloud.over(question, Chance())
    points, scores = cloud.first(POINTS, landscape.at)
    if starts:
        given = cloud.tidy(np.array(list(starts)[:POINTS], dtype=float).T)
        points[:, : len(starts)], scores[: len(starts)] = given, landscape.at(given)
    stale = 0
    while True:
        best = np.argsort(-scores)[: POINTS // 8]
        for k in best[:4]:
            if scores[k] >= 0:
                candidate = exact(question, points[:, k])
                if solved_by(candidate):
                    return Fails(NAME, (candidate,))
        if time.monotonic() > end or rounds <= 0:
            return Unknown("the search found nothing")
        rounds -= 1
        if stale > 30:
            points, scores = cloud.first(POINTS, landscape.at)
            stale = 0
            continue
        children = cloud.moved(points[:, np.tile(best, 8)])
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
    """Solutions in many boxes at once, found by sampling and climbing: box -> solution, where one was found.
    Rounds that find nothing get a fifth of the time."""
    now = time.monotonic()
    end, patience = now + seconds, VAIN * seconds
    chance = Chance()
    whole = np.array([v.integer for v in question.variables])[:, None]
    low, high = boxes(question, grid)
    both = pairs(question)
    found: dict[int, Vector] = {}
    for first in range(0, low.shape[1], CHUNK // EACH):
        open_ = np.arange(first, min(first + CHUNK // EACH, low.shape[1]))
        best = low[:, open_]  # a point of each, and its score
        score = np.full(len(open_), -np.inf)
        climb, idle = False, 0
        while open_.size and idle < IDLE and patience > 0 and now < end:
            idle += 1
            bottom, top = (np.repeat(sides[:, open_], EACH, axis=1) for sides in (low, high))
            cloud = Cloud(bottom, top, whole, chance, both)
            if climb:
                points = cloud.moved(np.repeat(best, EACH, axis=1))
                scores = landscape.at(points)
            else:
                points, scores = cloud.first(bottom.shape[1], landscape.at)
            scores = scores.reshape(len(open_), EACH)
            winner = scores.argmax(axis=1)
            rows = np.arange(len(open_))
            better = scores[rows, winner] > score
            best = np.where(better, points[:, rows * EACH + winner], best)
            score = np.where(better, scores[rows, winner], score)
            for k in np.flatnonzero(score >= 0):
                candidate = exact(question, best[:, k])
                if solved_by(candidate):
                    found[int(open_[k])] = candidate
                    idle = 0
            kept = np.array([int(k) not in found for k in open_])
            open_, best, score, climb = open_[kept], best[:, kept], score[kept], True
            before, now = now, time.monotonic()
            patience -= (now - before) * bool(idle)
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


def pairs(question: Question) -> Ints:
    """(2, k): the inputs of the second point that are its own, and the same of the first."""
    found = [(i, first) for i, first in enumerate(question.mirror) if first is not None]
    return np.array(found, np.intp).reshape(-1, 2).T


def exact(question: Question, point: Floats) -> Vector:
    """The point in rationals, in the box: its sides are no floats."""
    found = []
    for x, v in zip(point, question.variables, strict=True):
        value = Fraction(round(x)) if v.integer else Fraction(float(x))
        value = value if v.low is None else max(value, v.low)
        found.append(value if v.high is None else min(value, v.high))
    return tuple(found)
