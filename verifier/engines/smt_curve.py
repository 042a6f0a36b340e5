"""The modulus as a function: w(delta) = sup of numbers[0] over the solutions with numbers[1] <= delta, for every delta
(THEORY section 3). Runs in a worker process.

A piece P with v = numbers[0] and u = numbers[1] >= 0 affine on it has a concave w_P: it begins at u0 = min u over the
closure, at u0 itself iff P attains u0, and is from there on the upper hull of the points (u, v) of the closure, made
monotone. (On a non-empty convex set a supremum is that over its closure; see `measures/modulus.py`.) Its corners are
linear programs: the maximum of v - slope * u for the slope of a chord is a corner above the chord, or the chord is an
edge. w is the greatest of finitely many w_P: a search asks for a pair above all pieces that are known, until there is
none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import z3
from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.engine import Answer, Curve, Knot, Stretch, Unknown, Vector
from verifier.engines.smt import NAME, TRUSTS, Bool, Clock, Encoding, Term, exact, give_up, new_solver, number, row_term
from verifier.engines.smt_measures import CONSTANT, Cone, OutOfTime, at
from verifier.query.piece import Row
from verifier.query.question import Question

ZERO = Fraction(0)
INFINITY = float("inf")


def curve(question: Question, seconds: float) -> Answer:
    """w, by its knots; it is never below 0, which a pair (x, x) shows. The inputs are those of x, then those of x'."""
    clock = Clock(seconds)
    encoding = Encoding(question, "w")
    rise, run = (encoding.reals[n] for n in question.numbers)
    solver = new_solver(encoding.constraints)
    knots: list[Knot] = []
    try:
        while (answer := clock.check(solver)) == "sat":
            z = encoding.point(solver.model())
            if not knots:
                knots = flat(z[: len(z) // 2])
                solver.add(rise > 0)
                continue
            piece = Hull(question, z, clock).knots()
            knots = greatest(knots, piece)
            v, u = (question.values(z)[n] for n in question.numbers)
            if worth(knots, u) < v:
                return Unknown("z3 found no maximum of a linear program")
            solver.add(beyond(piece, rise, run))
        if answer == "unknown":
            return Unknown(give_up(solver))
        return Curve(NAME, tuple(attained(encoding, knots, clock)), TRUSTS)
    except OutOfTime:
        return Unknown("out of time")


def flat(x: Vector) -> list[Knot]:
    """The constant 0."""
    z = (*x, *x)
    start = (*z, Fraction(1))
    return [Knot(ZERO, (z, start), Stretch(ZERO, None, ZERO, ZERO, z, start, None))]


def beyond(knots: Sequence[Knot], rise: Term, run: Term) -> Bool:
    """A pair above w_P, which is concave from its first knot on."""
    start = number(knots[0].after.start)
    lines = [
        rise > number(s.low) + number(s.slope) * (run - number(s.start))
        for s in (knot.after for knot in knots)
        if s.low is not None
    ]
    return z3.Implies(run >= start if knots[0].here is not None else run > start, z3.Or(lines))


def attained(encoding: Encoding, knots: Sequence[Knot], clock: Clock) -> Iterator[Knot]:
    """The knots with the pairs that attain w at them and between them; more knots, where that changes."""
    rise, run = (encoding.reals[n] for n in encoding.question.numbers)
    solver = new_solver(encoding.constraints)

    def pair(delta: Fraction, value: Fraction | None) -> Vector | None:
        if value is None:
            return None
        return solution(encoding, solver, clock, [run <= number(delta), rise == number(value)])

    for knot in knots:
        for stretch, some in settled(encoding, solver, knot.after, clock):
            start, inside = stretch.start, middle(stretch.start, stretch.end)
            first = knot if start == knot.after.start else replace(knot, value=stretch.low, here=None)
            between = pair(inside, stretch.at(inside)) if some else None
            yield replace(first, after=stretch, attained=pair(start, first.value), attained_after=between)


def settled(encoding: Encoding, solver: z3.Solver, stretch: Stretch, clock: Clock) -> Iterator[tuple[Stretch, bool]]:
    """Parts of a stretch, and whether pairs attain w all over their inside, or nowhere in it.

    The pairs of one piece that attain w there, with their delta, are a polyhedron without some of its faces: all of the
    relative interior of its shadow, the deltas, is attained."""
    if stretch.low is None:
        yield stretch, False
        return
    rise, run = (encoding.reals[n] for n in encoding.question.numbers)
    delta, start, end = z3.Real("delta"), stretch.start, stretch.end
    height = number(stretch.low) + number(stretch.slope) * (delta - number(start))
    facts = [delta > number(start), *([] if end is None else [delta < number(end)]), run <= delta, rise == height]
    z = solution(encoding, solver, clock, facts)
    if z is None:
        yield stretch, False
        return
    low, high = shadow(encoding.question, z, stretch, clock)
    if low > start:
        yield from settled(encoding, solver, part(stretch, start, low), clock)
    if high is None or high > low:
        yield part(stretch, low, high), True
    if high is not None and high != end:
        yield from settled(encoding, solver, part(stretch, high, end), clock)


def solution(encoding: Encoding, solver: z3.Solver, clock: Clock, facts: Sequence[Bool]) -> Vector | None:
    """A pair with these facts."""
    solver.push()
    solver.add(*facts)
    answer = clock.check(solver)
    if answer == "unknown":
        raise OutOfTime
    found = encoding.point(solver.model()) if answer == "sat" else None
    solver.pop()
    return found


def shadow(question: Question, z: Vector, stretch: Stretch, clock: Clock) -> tuple[Fraction, Fraction | None]:
    """The least and the greatest delta of the stretch at which the closure of the piece of z attains w."""
    cone, start, end = Cone(question, z, clock), stretch.start, stretch.end
    rise, run = (cone.form(row) for row in cone.piece.numbers)
    assert stretch.low is not None
    delta = z3.Real("delta")
    height = number(stretch.low - stretch.slope * start) * cone.t + number(stretch.slope) * delta
    rows = [*cone.rows, run <= delta, rise == height, delta >= number(start) * cone.t]
    if end is not None:
        rows.append(delta <= number(end) * cone.t)
    elif clock.check(new_solver([*rows, cone.t == 0, delta == 1])) == "sat":
        return least(rows, cone, delta, clock), None
    return least(rows, cone, delta, clock), -least(rows, cone, -delta, clock)


def least(rows: Sequence[Bool], cone: Cone, goal: Term, clock: Clock) -> Fraction:
    optimizer = z3.Optimize()
    optimizer.add(*rows, cone.t == 1)
    optimizer.minimize(goal)
    if clock.check(optimizer) != "sat":
        raise OutOfTime
    return exact(optimizer.model().eval(goal, model_completion=True))


class Corner(Struct, frozen=True):
    """A point (u, v) of the upper hull, and the place of the cone that it is the image of."""

    u: Fraction
    v: Fraction
    place: Vector


class Hull:
    """w_P for the piece P of a solution."""

    def __init__(self, question: Question, z: Vector, clock: Clock) -> None:
        self.question, self.z, self.clock = question, z, clock
        self.cone = Cone(question, z, clock)
        self.rise, self.run = self.cone.piece.numbers

    def knots(self) -> list[Knot]:
        """The first one has `here` iff w_P is defined there."""
        first = self.top(self.run.minus())
        here = self.pair(first.u)
        infinite = self.cone.escape(self.rise, CONSTANT, (self.run,))
        if infinite is not None:
            evidence = None if here is None else (here, infinite)
            z = self.z if here is None else here
            return [Knot(None, evidence, Stretch(first.u, None, None, ZERO, z, first.place, infinite))]
        start = self.top(self.rise, (plus(self.run, -first.u),))
        if self.cone.escape(self.rise, CONSTANT, ()) is None:
            highest = self.top(self.rise)
            end = self.top(self.run.minus(), (plus(self.rise, -highest.v),))
            slope, ray = ZERO, None
        else:
            ray = self.cone.top(self.rise, self.run, (CONSTANT,))
            if ray is None:
                raise OutOfTime
            slope = at(self.rise, ray)
            end = self.top(tilted(self.rise, self.run, slope))
        corners = [start, *self.between(start, end), end] if end.u > start.u else [start]
        found = []
        for a, b in pairwise(corners):
            steep = (b.v - a.v) / (b.u - a.u)
            found.append(Knot(a.v, None, Stretch(a.u, b.u, a.v, steep, self.z, a.place, b.place)))
        last = corners[-1]
        found.append(Knot(last.v, None, Stretch(last.u, None, last.v, slope, self.z, last.place, ray)))
        if here is not None:
            found[0] = replace(found[0], here=(here, start.place))
        return found

    def top(self, goal: Row, zero: Sequence[Row] = ()) -> Corner:
        place = self.cone.top(goal, CONSTANT, zero)
        if place is None:
            raise OutOfTime
        return Corner(at(self.run, place), at(self.rise, place), place)

    def between(self, a: Corner, b: Corner) -> Iterator[Corner]:
        """The corners of the upper hull strictly between two of its points."""
        slope = (b.v - a.v) / (b.u - a.u)
        c = self.top(tilted(self.rise, self.run, slope))
        if c.v - slope * c.u > a.v - slope * a.u:
            yield from self.between(a, c)
            yield c
            yield from self.between(c, b)

    def pair(self, u: Fraction) -> Vector | None:
        """A point of the piece itself with this oracle distance."""
        question, z, piece = self.question, self.z, self.cone.piece
        variables = [
            z3.IntVal(int(a)) if v.integer else z3.Real(f"p{i}")
            for i, (a, v) in enumerate(zip(z, question.variables, strict=True))
        ]
        solver = new_solver([row_term(r, variables) >= 0 for r in piece.weak])
        solver.add(*(row_term(r, variables) > 0 for r in piece.strict), row_term(self.run, variables) == number(u))
        match self.clock.check(solver):
            case "sat":
                model = solver.model()
                return tuple(exact(model.eval(x, model_completion=True)) for x in variables)
            case "unsat":
                return None
        raise OutOfTime


def plus(row: Row, constant: Fraction) -> Row:
    return Row(row.weights, row.constant + constant)


def tilted(rise: Row, run: Row, slope: Fraction) -> Row:
    """rise - slope * run."""
    weights = dict(rise.weights)
    for i, w in run.weights:
        weights[i] = weights.get(i, ZERO) - slope * w
    return Row(tuple(sorted(weights.items())), rise.constant - slope * run.constant)


# the greatest of two


def greatest(known: Sequence[Knot], piece: Sequence[Knot]) -> list[Knot]:
    """The pointwise maximum of w so far, which is defined from 0 on, and w_P.

    A knot stays where both are equal, though w may run straight on there."""
    found: list[Knot] = []
    last: Stretch | None = None
    ends = cuts(known, piece)
    for start, end in zip(ends, [*ends[1:], None], strict=True):
        old, new = over(known, start), over(piece, start)
        assert old is not None
        left, right = worth(known, start), worth(piece, start)
        highest = old if new is None or not above(new, old, start, end) else new
        if highest is last and left != right:
            found[-1] = replace(found[-1], after=part(last, found[-1].after.start, end))
            continue
        owner = piece if right > left else known
        here = next((k.here for k in owner if k.after.start == start), None)
        value = max(left, right)
        found.append(Knot(value if isinstance(value, Fraction) else None, here, part(highest, start, end)))
        last = highest
    return found


def cuts(known: Sequence[Knot], piece: Sequence[Knot]) -> list[Fraction]:
    """The knots of both, and where they cross in between."""
    ends = sorted({k.after.start for k in (*known, *piece)})
    crossings = []
    for start, end in zip(ends, [*ends[1:], None], strict=True):
        old, new = over(known, start), over(piece, start)
        if old is None or new is None or old.slope == new.slope:
            continue
        a, b = old.at(start), new.at(start)
        if a is not None and b is not None:
            where = start - (a - b) / (old.slope - new.slope)
            if where > start and (end is None or where < end):
                crossings.append(where)
    return sorted([*ends, *crossings])


def over(knots: Sequence[Knot], delta: Fraction) -> Stretch | None:
    """The stretch that begins at delta or goes on there."""
    return next((k.after for k in reversed(knots) if k.after.start <= delta), None)


def worth(knots: Sequence[Knot], delta: Fraction) -> Fraction | float:
    """The value at delta; - infinity where there is none."""
    for knot in knots:
        if knot.after.start == delta:
            if knot is knots[0] and knot.here is None:
                return -INFINITY
            return INFINITY if knot.value is None else knot.value
    stretch = over(knots, delta)
    if stretch is None:
        return -INFINITY
    value = stretch.at(delta)
    return INFINITY if value is None else value


def above(new: Stretch, old: Stretch, start: Fraction, end: Fraction | None) -> bool:
    """The first is the higher one between start and end, where they do not cross."""
    inside = middle(start, end)
    a, b = new.at(inside), old.at(inside)
    return b is not None and (a is None or a > b)


def middle(start: Fraction, end: Fraction | None) -> Fraction:
    """A number in between."""
    return start + 1 if end is None else (start + end) / 2


def part(stretch: Stretch, start: Fraction, end: Fraction | None) -> Stretch:
    """What lies between."""
    far = stretch.far if end is None or stretch.far is None or not stretch.far[-1] else along(stretch, end)
    return replace(stretch, start=start, end=end, low=stretch.at(start), near=along(stretch, start), far=far)


def along(stretch: Stretch, delta: Fraction) -> Vector:
    """The place that shows w at delta."""
    near, far = stretch.near, stretch.far
    if far is None or stretch.low is None:
        return near
    if not far[-1]:
        return tuple(a + (delta - stretch.start) * u for a, u in zip(near, far, strict=True))
    assert stretch.end is not None
    share = (delta - stretch.start) / (stretch.end - stretch.start)
    return tuple(a + share * (b - a) for a, b in zip(near, far, strict=True))
