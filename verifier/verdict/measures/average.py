"""ARC = E[rho(x)] and ARCA = E[rho(x) 1(f1 x = f2 x)], rho(x) = inf { d2'(x, x') : f1 x' != f1 x } (THEORY section 4).

inf of nothing is infinite, and infinity times 0 is 0. The integral sees only parts of X with an inside. The infimum
sees every point: so z3 is asked whether each label is given only in the closure of its parts with an inside, where the
continuous d2' has the same infimum; if not, the closure of the piece of such a point counts, too. With `almost: true`
it is the essential infimum, which flips on null sets do not lower: for almost every x a set of x' with an inside is the
slice of a set of pairs with an inside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from verifier.canonical.linalg import rank
from verifier.canonical.quadratic import Line
from verifier.canonical.vertices import Corners, Late
from verifier.engines.engine import Fails, Holds, Unknown, Vector
from verifier.engines.mean_distance import Cell, Ground, Thin, integral, of_cells, of_pairs, parts
from verifier.engines.volume import OutOfTime, Point, bits, content
from verifier.engines.weigh import Density, Exact, Region, Side, chance, height, weigh
from verifier.language.build import NO, Form
from verifier.model.claim import Computation
from verifier.model.program import PointValue
from verifier.query.piece import piece_of
from verifier.query.pose import Posed, coordinates
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import distance
from verifier.verdict.measures import counted, enumerated, sampled
from verifier.verdict.measures.probability import (
    DEEP,
    POINTS,
    TRUSTS,
    UNBOUNDED,
    USEFUL,
    ZERO,
    X,
    Y,
    call,
    measure,
    same,
)
from verifier.verdict.verdict import Measurement, interval

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

LADDER = (1, 2, 4, 8)
"""Directions in a quarter of the plane, of the norms that enclose a root; with 8 of them a factor of 1.008."""
CLOSE = Fraction(1, 100)
"""Bounds that are relatively nearer to each other are near enough."""
GROWTH = 8
"""Norms twice as fine take so many times as long, at least: they are not begun without that time."""
NEAR = Fraction(1, 10_000)
"""The same, where it is had by paving."""
PAVED = "the mean of a root is only enclosed"
NORMS = "roots lie between two polyhedral norms, and so does the mean"
FOR_A_GUESS = 0.5
"""This share of the time is kept for an estimate."""
FARTHER = "X is unbounded, and the nearest x' of another label may be anywhere: give every real coordinate an interval"
MOST = 4
"""Real coordinates: the parts live in twice as many dimensions."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The mean, exactly, or enclosed; for `compute`, if neither tells enough, an estimate."""
    if (axioms := decider.axioms(computation.shown)) is not None:
        return Measurement(None, why=axioms)
    f1, f2 = computation.classifier("f1"), computation.classifier("f2")
    if computation.word == "arca" and not all(decides(decider, name) for name in (f1, f2)):
        return Measurement(None, why=f"`{f1}` and `{f2}` can only agree where both have a `decide`")
    essential = computation.choices.get("almost") == "true"
    if computation.over.data and essential:
        return Measurement(None, why="over the rows of a data set `almost` is not computed")
    if computation.over.data:
        return counted.mean(decider, computation)
    if essential or not decider.guessing:
        return certain(decider, computation)
    end = decider.end
    decider.end -= FOR_A_GUESS * decider.left()
    found = certain(decider, computation)
    decider.end = end
    vague = found.enclosure is not None and found.enclosure[1] - found.enclosure[0] > USEFUL * found.enclosure[1]
    return (sampled.mean(decider, computation) if vague or found.amount is None else None) or found


def certain(decider: Decider, computation: Computation) -> Measurement:
    """The mean, exactly, or enclosed."""
    far = distance(computation.classifier("f2"), X, Y)
    if decider.poser.square(far, POINTS) is not None or decider.poser.curved(far, POINTS):
        return few(decider, computation, far) or paved(decider, computation, far) or enclosed(decider, computation, far)
    return mean(decider, computation, decider.poser.number(far, POINTS))


def few(decider: Decider, computation: Computation, far: tree.Expr) -> Measurement | None:
    """The mean over a handful of points, all alike."""
    if computation.over.steps:
        return None
    f1, f2 = computation.classifier("f1"), computation.classifier("f2")
    return enumerated.mean(decider, far, f1, f2 if computation.word == "arca" else None)


def enclosed(decider: Decider, computation: Computation, far: tree.Expr) -> Measurement:
    """The mean where roots are in the distance: between the means of two polyhedral norms, which are made finer until
    the bounds are near to each other, or time would not suffice."""
    end, best = decider.end, Measurement(None, why=LATE)
    low, high = Fraction(0), None
    for fine in LADDER:
        begun = time.monotonic()
        below, above = norms(decider, far, fine)
        factor = ratio(below, above)
        found = [mean(decider, computation, d) for d in ((below, above) if factor is None else (below,))]
        if any(value.amount is None for value in found):
            break
        if any(value.amount == "infinity" for value in found):
            return found[0]
        sides = [bounds(value) for value in found]
        low, top = max(low, sides[0][0]), (factor or 1) * sides[-1][1]
        high = top if high is None else min(high, top)
        trusts = tuple(dict.fromkeys(t for value in found for t in value.trusts))
        if low == high:
            return Measurement(low, trusts=trusts)
        best = Measurement(interval(low, high), why=NORMS, trusts=trusts, how="enclosed", enclosure=(low, high))
        told = computation.against is not None and not low <= computation.against <= high
        if told or high - low <= CLOSE * high or GROWTH * (time.monotonic() - begun) > end - time.monotonic():
            break
    return best


def norms(decider: Decider, far: tree.Expr, fine: int) -> tuple[Form, Form]:
    """Numbers that the distance is between."""
    with decider.poser.rounded("below", fine):
        below = decider.poser.number(far, POINTS)
    with decider.poser.rounded("above", fine):
        return below, decider.poser.number(far, POINTS)


def ratio(below: Form, above: Form) -> Fraction | None:
    """How many times the one the other is, if it is a multiple."""
    if len(below.terms) != 1 or len(above.terms) != 1 or below.terms[0][0] != above.terms[0][0]:
        return None
    return above.terms[0][1] / below.terms[0][1] if not below.constant and not above.constant else None


def bounds(value: Measurement) -> Side:
    if value.enclosure is not None:
        return value.enclosure
    assert isinstance(value.amount, Fraction)
    return value.amount, value.amount


class Space(Struct):
    """X, its real coordinates and where they have a density, and its mass. Coordinates that are `idle` have no share in
    labels, distances and the shape of X: they are fixed, as the mean is the same wherever they are."""

    everywhere: Posed
    sides: dict[int, Side]
    support: dict[int, Side]
    density: Density
    idle: frozenset[int]

    def mass(self, seconds: float) -> Side:
        return weigh(self.everywhere.question, None, seconds, self.support, density=self.density).given

    def fixed(self, posed: Posed) -> Posed:
        """The question where idle coordinates are what they are fixed to."""
        return fixed(posed, self.idle, len(self.everywhere.question.variables))


def fixed(posed: Posed, idle: frozenset[int], width: int) -> Posed:
    variables = [replace(v, high=v.low) if k % width in idle else v for k, v in enumerate(posed.question.variables)]
    return replace(posed, question=replace(posed.question, variables=tuple(variables)))


def space(decider: Decider, computation: Computation, distance: Sequence[Form]) -> Space | str:
    """What the mean is taken over; or why there is none. `distance`: the forms that it is made of."""
    poser = decider.poser
    labels = poser.symbolic.label(decider.program.classifiers[computation.classifier("f1")], poser.point(X))
    shape = [*labels.cases, *counted_facts(decider, computation), *poser.inside((X,)), *distance]
    used = poser.build.reach(shape)
    everywhere = poser.pose((X,), [], numbers=[ZERO])
    both = list(zip(*(poser.inputs(name) for name in POINTS), everywhere.question.variables, strict=True))
    idle = frozenset(
        k
        for k, (x, y, v) in enumerate(both)
        if v.low is not None and v.high is not None and not used & {i for form in (x, y) for i, _ in form.terms}
    )
    everywhere = fixed(everywhere, idle, len(both))
    density = {k: step for k, step in computation.over.steps.items() if k not in idle}
    try:
        sides = measure(everywhere, decider.left() / 4)
        support = measure(everywhere, decider.left() / 4, density) if density else sides
    except RecursionError:
        return DEEP
    if isinstance(support, str):
        return support
    if isinstance(sides, str):
        return FARTHER if sides == UNBOUNDED else sides
    if len(sides) > MOST:
        return f"the mean distance is computed for at most {MOST} real coordinates"
    return Space(everywhere, sides, support, density, idle)


def counted_facts(decider: Decider, computation: Computation) -> list[Form]:
    """Where distance counts: everywhere, or where f1 and f2 agree."""
    names = (computation.classifier("f1"), computation.classifier("f2"))
    agree = tree.Chain(NOWHERE, tuple(call(name) for name in names), ("==",))
    return [decider.poser.truth(agree, (X,))] if computation.word == "arca" else []


def mean(decider: Decider, computation: Computation, d: Form) -> Measurement:
    """The mean of a piecewise-linear distance, exactly."""
    f1, poser = computation.classifier("f1"), decider.poser
    if not poser.continuous(d):
        return Measurement(None, why="the mean distance is computed for metrics that do not jump")
    ground = space(decider, computation, [d])
    if isinstance(ground, str):
        return Measurement(None, why=ground)
    end = time.monotonic() + decider.left()
    try:
        known = flipping(decider, computation, ground, end)
        if isinstance(known, Measurement):
            return known
        trusts, size, grounds = known
        pairs = ground.fixed(poser.pose_only(POINTS, [], numbers=[d])).question
        shadows = of_cells(pairs, grounds, ground.sides, end)
        if shadows is None and any(isinstance(cell, Thin) for _, others in grounds for cell in others):
            return Measurement(None, why=UNSEEN.format(f1))
        if shadows is None:
            flips = ground.fixed(poser.pose(POINTS, [poser.truth(same(f1, "!="), POINTS)], numbers=[d])).question
            top, shared = of_pairs(flips, ground.sides, len(poser.inputs(X)), end)
            shadows = top, [shared] * len(grounds)
        over = [Ground(regions, own) for (regions, _), own in zip(grounds, shadows[1], strict=True)]
        total = integral(over, shadows[0], end, ground.density, size[1])
    except OutOfTime:
        return Measurement(None, why=LATE)
    except RecursionError:
        return Measurement(None, why=DEEP)
    if total[0] == total[1] and size[0] == size[1]:
        return Measurement(total[0] / size[0], trusts=trusts)
    return between(total, size, LATE, trusts)


Grounds = list[tuple[list[Region], list[Cell]]]
"""For each label, the parts of X where it is given and distance counts, and the cells of the other labels."""


def flipping(
    decider: Decider, computation: Computation, ground: Space, end: float
) -> Measurement | tuple[tuple[str, ...], Side, Grounds]:
    """Whom to trust, the mass of X, and what flips where; or the mean, where no distance is needed for it. May raise
    OutOfTime and RecursionError."""
    poser, facts = decider.poser, counted_facts(decider, computation)
    found = cells(decider, computation.classifier("f1"), ground, end)
    seen = unseen(decider, computation, ground, found, end)
    if isinstance(seen, str):
        return Measurement(None, why=seen)
    trusts, thin = seen
    size = ground.mass(decider.left())
    grounds: Grounds = []
    for name, (case, _) in found.items():
        own = ground.fixed(poser.pose((X,), [case, *facts], numbers=[ZERO]))
        if own.impossible:
            continue
        if regions := [r for r, _ in parts(own.question, ground.support, end, ground.density)]:
            beside = [other for other in found if other != name]
            others = [cell for other in beside for cell in (*found[other][1], *thin.get(other, ()))]
            grounds.append((regions, others))
    if not grounds:
        return Measurement(Fraction(0), trusts=trusts)
    if not all(others for _, others in grounds):
        return Measurement("infinity", trusts=trusts)
    return trusts, size, grounds


def between(total: Side, size: Side, why: str, trusts: tuple[str, ...]) -> Measurement:
    """The quotient of an integral and a mass."""
    low, high = total[0] / size[1], total[1] / size[0]
    return Measurement(interval(low, high), why=why, trusts=trusts, how="enclosed", enclosure=(low, high))


def paved(decider: Decider, computation: Computation, far: tree.Expr) -> Measurement | None:
    """The mean of the root of a sum of squares of forms that are affine in x and x'; None of another distance, and when
    time does not suffice for the parts of X."""
    from verifier.engines.paved_mean import Ground as Paved
    from verifier.engines.paved_mean import enclose

    poser = decider.poser
    rows = poser.rows(far, POINTS)
    here, there = ([form.terms[0][0] for form in poser.inputs(name)] for name in POINTS)
    if rows is None or len(rows) < 2 or not all({i for i, _ in form.terms} <= {*here, *there} for _, form in rows):
        return None
    ground = space(decider, computation, [form for _, form in rows])
    if isinstance(ground, str):
        return Measurement(None, why=ground)
    end = time.monotonic() + decider.left()
    start = image([form for _, form in rows], here, -1)
    goal = image([replace(form, constant=Fraction(0)) for _, form in rows], there)
    try:
        known = flipping(decider, computation, ground, end)
        if isinstance(known, Measurement):
            return known
        trusts, size, several = known
        grounds = []
        for regions, others in several:
            weights = [height(region, ground.density) * chance(region.fixed, ground.density) for region in regions]
            simplices = [
                (weight * content(simplex), corners)
                for weight, region in zip(weights, regions, strict=True)
                for simplex, corners in triangles(region, start)
            ]
            grounds.append(Paved(simplices, [corners for cell in others for corners in spread(cell, goal)]))

        def enough(total: Side) -> bool:
            low, high = total[0] / size[1], total[1] / size[0]
            told = computation.against is not None and not low <= computation.against <= high
            return told or high - low <= NEAR * high

        return between(enclose(grounds, [w for w, _ in rows], enough, end), size, PAVED, trusts)
    except OutOfTime:
        return None
    except RecursionError:
        return Measurement(None, why=DEEP)


def image(forms: Sequence[Form], inputs: Sequence[int], sign: int = 1) -> Callable[[Vector], Exact]:
    """The values of forms, as far as these inputs have a share in them."""
    places = {i: k for k, i in enumerate(inputs)}
    rows = [([(places[i], w) for i, w in form.terms if i in places], form.constant) for form in forms]
    return lambda point: tuple(sign * sum((w * point[k] for k, w in terms), constant) for terms, constant in rows)


def triangles(region: Region, at: Callable[[Vector], Exact]) -> Iterator[tuple[tuple[Point, ...], list[Exact]]]:
    """Simplices that make up a region, and the images of their corners."""
    for simplex in region.polytope.simplices():
        yield simplex, [at(region.point(tuple(Fraction(x, p[-1]) for x in p[:-1]))) for p in simplex]


def spread(cell: Cell, at: Callable[[Vector], Exact]) -> Iterator[list[Exact]]:
    """The images of the corners of simplices that a cell is the union of; flat ones have a corner several times."""
    if isinstance(cell, Region):
        yield from (corners for _, corners in triangles(cell, at))
        return
    first, *others = cell.corners
    size = 1 + rank([[a - b for a, b in zip(corner, first, strict=True)] for corner in others])
    for several in combinations(cell.corners, size):
        images = [at(cell.point(corner)) for corner in several]
        yield [*images, *images[-1:] * (len(cell.real) + 1 - size)]


LATE = "out of time"
UNSEEN = "{} gives a label also on a set without an inside, apart from the rest: for such a distance it is not seen"


def cells(decider: Decider, f1: str, ground: Space, end: float) -> dict[str, tuple[Form, list[Region]]]:
    """By label, where f1 gives it, and the parts of that with an inside."""
    poser = decider.poser
    labels, found = poser.symbolic.label(decider.program.classifiers[f1], poser.point(X)), {}
    for name, case in zip(labels.members, labels.cases, strict=True):
        posed = ground.fixed(poser.pose((X,), [case], numbers=[ZERO]))
        if not posed.impossible and case != NO:
            found[name] = case, [region for region, _ in parts(posed.question, ground.sides, end)]
    return found


def unseen(
    decider: Decider, computation: Computation, ground: Space, found: dict[str, tuple[Form, list[Region]]], end: float
) -> str | tuple[tuple[str, ...], dict[str, list[Thin]]]:
    """What the infimum sees and volumes do not: where a label is given outside of the closure of its parts with an
    inside; and whom to trust that this is all. Or why it is not known. An essential infimum sees no more than volumes.
    May raise OutOfTime."""
    trusts, thin = dict.fromkeys(TRUSTS), dict[str, list[Thin]]()
    if computation.choices.get("almost") == "true":
        return TRUSTS, thin
    for name, (case, regions) in found.items():
        beyond = [outside(decider, ground, cell) for cell in regions]
        while True:
            posed = decider.poser.pose((X,), [case, *beyond])
            match decider.ask(posed):
                case Holds(_, believed):
                    trusts |= dict.fromkeys(believed)
                    break
                case Fails(_, (vector, *_)):
                    piece = flat(decider, ground, case, posed.read(vector)[X], end)
                    if piece is None:
                        return UNSEEN.format(computation.classifier("f1"))
                    thin.setdefault(name, []).append(piece[0])
                    beyond.append(piece[1])
                case Unknown(why):
                    return why
                case other:
                    raise AssertionError(other)
    return tuple(trusts), thin


def flat(decider: Decider, ground: Space, case: Form, point: PointValue, end: float) -> tuple[Thin, Form] | None:
    """The closure of the piece of a point, and that x lies outside of it; None if it may be unbounded."""
    build, inputs = decider.poser.build, decider.poser.inputs(X)
    question = ground.fixed(decider.poser.pose((X,), [case], numbers=[ZERO])).question
    found = coordinates(decider.program, point)
    here = tuple(
        v.low or Fraction(0) if i in ground.idle else x
        for i, (v, x) in enumerate(zip(question.variables, found, strict=True))
    )
    real = sorted(ground.sides)
    piece = piece_of(question, here)
    box = [(question.variables[i].low, question.variables[i].high) for i in real]
    bounded = [(low, high) for low, high in box if low is not None and high is not None]
    if len(bounded) < len(box):
        return None
    rows = []
    for row in (*piece.weak, *piece.strict):
        weights = dict(row.weights)
        constant = sum((w * here[i] for i, w in row.weights if i not in ground.sides), row.constant)
        rows.append(Line(tuple(weights.get(i, Fraction(0)) for i in real), constant))
    try:
        corners = Corners(rows, bounded, end).places
    except Late:
        raise OutOfTime from None
    others = {i: x for i, x in enumerate(here) if i not in ground.sides}
    facts = [
        build.is_zero(build.subtract(inputs[i], build.constant(x)))
        for i, x in others.items()
        if not inputs[i].is_constant and i not in ground.idle
    ]
    facts += [
        build.at_least_zero(build.combine(zip(row.slope, (inputs[i] for i in real), strict=True), row.constant))
        for row in rows
    ]
    return Thin(real, others, list(dict.fromkeys(corners))), build.negate(build.both(*facts))


def outside(decider: Decider, ground: Space, cell: Region) -> Form:
    """x lies outside of the closed polytope, or has other discrete coordinates."""
    build, inputs = decider.poser.build, decider.poser.inputs(X)
    facts = [
        build.is_zero(build.subtract(inputs[i], build.constant(v)))
        for i, v in cell.fixed.items()
        if not inputs[i].is_constant and i not in ground.idle
    ]
    tight = 0
    for _, mask in cell.polytope.vertices:
        tight |= mask
    for k in bits(tight):
        row = cell.polytope.rows[k]
        terms = ((Fraction(row[place]), inputs[i]) for i, place in cell.free.items())
        facts.append(build.at_least_zero(build.combine(terms, Fraction(row[-1]))))
    return build.negate(build.both(*facts))


def decides(decider: Decider, name: str) -> bool:
    classifier = decider.program.classifiers[name]
    return classifier.decide is not None or classifier.network is not None
