"""Random problems that are nearly impossible, with proofs that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction as Q
from functools import cache
from itertools import product
from math import ceil, floor
from random import Random
from typing import Any

import numpy as np
from msgspec.structs import replace as replaced

from tests.engines.nets import Layers, asked, box, layers, output
from verifier.engines.box_search import box_search
from verifier.engines.case_search import CaseSearch
from verifier.engines.engine import Fails, Holds
from verifier.engines.plan import Plan
from verifier.kernel import descent
from verifier.kernel.circuit import Affine, Circuit, Input, Node, Select, evaluate
from verifier.kernel.problem import GRAIN, Bound, Descent, Empty, Farkas, Row, Side, Split, Step, Tree, Zonotope
from verifier.kernel.ranges import cut, root
from verifier.language.build import Build, Variable
from verifier.query.question import Question

Point = tuple[Q, ...]
WEIGHTS = [Q(w) for w in ("1", "-1", "2", "-2", "1/2", "-1/3", "3/2")]


def side(rng: Random) -> Side:
    low = Q(rng.randint(-6, 2), rng.choice((1, 2, 3)))
    return Side(low, low + Q(rng.randint(0, 8), rng.choice((1, 2))), rng.random() < 0.3)


def affine(rng: Random, count: int) -> Affine:
    chosen = rng.sample(range(count), min(count, rng.randint(1, 3)))
    return Affine(tuple((j, rng.choice(WEIGHTS)) for j in chosen), Q(rng.randint(-4, 4), rng.choice((1, 2, 3))))


def nodes(rng: Random, inputs: int) -> list[Node]:
    """Inputs, the constants 0 and -1, and affine nodes, relus and jumps over them; often two copies of one network."""
    made: list[Node] = [*(Input(i) for i in range(inputs)), Affine((), Q(0)), Affine((), Q(-1))]
    zero = inputs
    if inputs > 1 and rng.random() < 0.4:  # as of x and x': relu(w x + c) - relu(w x' + c)
        weight, constant = rng.choice(WEIGHTS), Q(rng.randint(-2, 2), 2)
        for i in (0, 1):
            made.append(Affine(((i, weight),), constant))
            made.append(Select(len(made) - 1, len(made) - 1, zero))
        made.append(Affine(((0, weight), (1, -weight)), Q(0)))
        made.append(Affine(((zero + 3, Q(1)), (zero + 5, Q(-1))), Q(0)))
    for _ in range(rng.randint(2, 4)):
        made.append(affine(rng, len(made)))
        if rng.random() < 0.7:
            made.append(Select(len(made) - 1, len(made) - 1, zero))
        elif rng.random() < 0.5:
            made.append(Select(len(made) - 1, rng.randrange(len(made)), rng.randrange(len(made))))
    return made


def points(box: tuple[Side, ...], rng: Random, count: int) -> Iterator[Point]:
    """Points of the box: a grid with all corners where it is small, and `count` others. None where it is empty."""
    axes: list[list[Q]] = []
    for s in box:
        assert s.low is not None and s.high is not None
        if s.integer:
            axes.append([Q(k) for k in range(ceil(s.low), floor(s.high) + 1)])
        else:
            axes.append([s.low + (s.high - s.low) * Q(k, 4) for k in range(5)])
    if not all(axes):
        return
    yield from product(*axes)
    for _ in range(count):
        yield tuple(
            rng.choice(axis) if s.integer else axis[0] + (axis[-1] - axis[0]) * Q(rng.randint(0, 60), 60)
            for s, axis in zip(box, axes, strict=True)
        )


def solves(problem: Empty, point: Point) -> bool:
    values = evaluate(problem.circuit, point)
    return all(values[f] >= 0 for f in problem.facts)


def solution(problem: Empty, tried: Iterable[Point]) -> Point | None:
    """The first of these points that solves it; floats leave out those at which a fact is clearly false."""
    some = list(tried)
    there = np.array(some, dtype=float).reshape(len(some), len(problem.box)).T
    values: list[Any] = []
    for node in problem.circuit:
        match node:
            case Input(i):
                values.append(there[i])
            case Affine(terms, constant):
                values.append(sum((float(w) * values[j] for j, w in terms), np.full(len(some), float(constant))))
            case Select(test, then, otherwise):
                values.append(np.where(values[test] >= 0, values[then], values[otherwise]))
    jumps = [n.test for n in problem.circuit if isinstance(n, Select) and n.test != n.then]  # rounding may matter there
    near = np.any([np.abs(values[t]) < 1e-9 for t in jumps], axis=0) if jumps else False
    likely = near | np.all([values[f] >= -1e-9 for f in problem.facts], axis=0)
    return next(
        (p for p, may in zip(some, np.broadcast_to(likely, len(some)), strict=True) if may and solves(problem, p)), None
    )


def problem(rng: Random) -> Empty:
    """The last node is a fact, moved so that it holds almost nowhere, or just not, where the other facts do."""
    inputs = rng.randint(1, 3)
    box = tuple(side(rng) for _ in range(inputs))
    circuit: Circuit = tuple(nodes(rng, inputs))
    places = range(inputs, len(circuit))
    first = [Affine(((rng.choice(places), Q(1)),), Q(rng.randint(-2, 4), 2)) for _ in range(rng.randint(0, 2))]
    chosen = [n for n in places if isinstance(circuit[n], Select)] + [rng.choice(places), rng.choice(range(inputs))]
    last = Affine(tuple((n, rng.choice(WEIGHTS)) for n in dict.fromkeys(chosen)), Q(0))
    facts = tuple(range(len(circuit), len(circuit) + len(first) + 1))
    open_ = Empty((*circuit, *first, last), box, facts[:-1])
    most = max((evaluate(open_.circuit, p)[-1] for p in points(box, rng, 40) if solves(open_, p)), default=Q(0))
    slack = rng.choice([Q(0), Q(1, 100), Q(1, 20), Q(1, 4), Q(1, 2), Q(-1, 4)])
    return Empty((*circuit, *first, replace(last, constant=last.constant - most - slack)), box, facts)


def question(problem: Empty) -> Question:
    variables = tuple(Variable(f"x{i}", s.low, s.high, s.integer) for i, s in enumerate(problem.box))
    return Question(problem.circuit, variables, problem.facts)


def proved(problem: Empty, seconds: float = 2.0) -> Tree | None:
    """A proof as the engine finds it, not checked here; None where there is a solution, or no time."""
    match CaseSearch(question(problem), seconds).run():
        case Holds(proof=(_, Tree() as tree)):
            return tree
        case Fails():
            return None
        case _:
            return None


def bent(rng: Random, problem: Empty, tree: Tree) -> Tree:
    """The proof with one step changed a little, or one more."""
    steps = list(tree.steps)
    k = rng.randrange(len(steps))
    if rng.random() < 0.2:
        return replace(tree, steps=(*steps[:k], Zonotope(), *steps[k:]))
    step = steps[k]
    match step:
        case Farkas():
            steps[k] = bent_end(rng, problem, step)
        case Bound(node, value, above, end):
            changed: list[Step] = [
                Bound(node, value, not above, end),
                Bound(node, value + rng.choice(WEIGHTS), above, end),
                Bound(node, value, above, bent_end(rng, problem, end)),
            ]
            steps[k] = rng.choice(changed)
        case Split(node, value):
            steps[k] = Split(node, value + rng.choice(WEIGHTS))
        case Descent(first, second, pairs):
            swapped = tuple((j, i) for i, j in pairs)
            steps[k] = rng.choice(
                (Descent(second, first, swapped), Descent(first, first, pairs), Descent(first, second, pairs[1:]))
            )
    return replace(tree, steps=tuple(steps))


def bent_end(rng: Random, problem: Empty, end: Farkas) -> Farkas:
    rows = list(end.rows)
    slopes = end.slopes
    match rng.randrange(4):
        case 0 if len(rows) > 1:
            rows.pop(rng.randrange(len(rows)))
        case 1 if rows:
            i = rng.randrange(len(rows))
            rows[i] = replace(rows[i], times=max(1, rows[i].times * rng.randint(1, 4) // 2))
        case 2:
            rows.append(Row(rng.choice(("low", "high")), rng.randrange(len(problem.circuit)), rng.randint(1, 5)))
        case _:
            relus = [n for n, at in enumerate(problem.circuit) if isinstance(at, Select) and at.test == at.then]
            slopes = (*slopes, *((n, rng.randint(0, 1 << GRAIN)) for n in relus))
    return Farkas(tuple(rows), slopes)


def loosened(rng: Random, problem: Empty, by: Q) -> Empty:
    """Some fact asks for less, or some side reaches further."""
    if rng.random() < 0.6:
        fact = rng.choice(problem.facts)
        at = problem.circuit[fact]
        assert isinstance(at, Affine)
        circuit = list(problem.circuit)
        circuit[fact] = replace(at, constant=at.constant + by)
        return replace(problem, circuit=tuple(circuit))
    i = rng.randrange(len(problem.box))
    s = problem.box[i]
    assert s.low is not None and s.high is not None
    wider = replace(s, low=s.low - by) if rng.random() < 0.5 else replace(s, high=s.high + by)
    return replace(problem, box=(*problem.box[:i], wider, *problem.box[i + 1 :]))


@cache
def pairs(count: int) -> tuple[tuple[Empty, Tree], ...]:
    """Two near points of a small network, which differ about half as much as asked, with proofs by differences."""
    found: list[tuple[Empty, Tree]] = []
    for seed in range(9999):
        if len(found) == count:
            break
        rng = Random(seed)
        wide, net = rng.randint(1, 2), layers(rng, [2, rng.randint(2, 3), rng.randint(2, 3), 1])
        net = [([row[:wide] for row in net[0][0]], net[0][1]), *net[1:]]
        at, far = [Q(rng.randint(-9, 9), 10) for _ in range(2 * wide)], Q(1, rng.choice((8, 20)))
        for apart in (far / 4, far / 2, far, 2 * far, 4 * far):
            match box_search(crossing(net, at, apart, far), 10):
                case Holds(proof=(problem, Tree() as tree)):
                    if 3 < len(tuple(tree.steps)) < 40 and len(tree.twins) > wide:
                        found.append((problem, tree))
                    break
    return tuple(found)


@cache
def descents(count: int) -> tuple[tuple[Empty, Tree], ...]:
    """The same with proofs by one point and a direction; of some, after a cut of the first input."""
    found: list[tuple[Empty, Tree]] = []
    for seed in range(9999):
        if len(found) == count:
            break
        rng = Random(seed)
        wide = rng.randint(1, 2)
        net = layers(rng, [wide, rng.randint(2, 3), *([rng.randint(2, 3)] * rng.randint(0, 1)), 1])
        at, far = [Q(rng.randint(-9, 9), 10) for _ in range(2 * wide)], Q(1, rng.choice((8, 20)))
        for apart in (far / 4, far / 2, far, 2 * far, 4 * far):
            if tree := descending(crossing(net, at, apart, far), rng.random() < 0.4):
                if 3 < len(tuple(tree.steps)) < 40:
                    found.append((crossing(net, at, apart, far).empty, tree))
                break
    return tuple(found)


def descending(posed: Question, halved: bool) -> Tree | None:
    """A tree that is one descent, or two behind a cut; None where one has a solution."""
    plan = Plan(posed)
    scaled, steps = plan.within(posed), list[Step]()
    cuts = [Split(plan.inputs[0], Q(0))] if halved else []
    for above in (False, True)[: 1 + halved]:
        ranges = root(scaled, posed.facts)
        for each in cuts:
            cut(scaled, ranges, each.node, each.value, above)
        for step in plan.descents[:1]:
            if (inner := proved(descent.question(scaled, ranges, step))) is None:
                return None
            steps += step, *inner.steps
    return Tree((*cuts, *steps), plan.twins.definitions, plan.twins.gaps) if steps else None


def crossing(net: Layers, at: list[Q], apart: Q, far: Q) -> Question:
    """Two points of [-1, 1]^n that differ by at most `far`: with the only output of the network `apart` above what it
    is at some point, and as far below."""
    build, wide = Build(), len(net[0][0][0])
    inputs = box(build, 2 * wide)
    (y,), (z,) = (output(build, net, side) for side in (inputs[:wide], inputs[wide:]))
    level = asked(build, inputs, [y]).values(tuple(at))[-1]
    differences = [build.subtract(u, v) for u, v in zip(inputs[:wide], inputs[wide:], strict=True)]
    facts = [build.subtract(build.constant(far), f) for d in differences for f in (d, build.scale(-1, d))]
    facts += [build.subtract(y, build.constant(level + apart)), build.subtract(build.constant(level - apart), z)]
    return replaced(asked(build, inputs, facts), mirror=(*[None] * wide, *range(wide)))


@cache
def examples(count: int, start: int = 0) -> tuple[tuple[Empty, Tree], ...]:
    """Problems without a solution, with their proofs."""
    found = []
    seed = start
    while len(found) < count:
        posed = problem(Random(seed))
        seed += 1
        if (tree := proved(posed)) is not None:
            found.append((posed, tree))
    return tuple(found)
