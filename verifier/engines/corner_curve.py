"""The modulus as a function, for an l2 distance above and a polyhedral one below: how far apart pairs can be whose d2
is at most delta, for every delta. Runs in a worker process.

On the closure of a piece P, a bounded polyhedron, d1^2 is a convex quadratic form Q and d2 = u is affine. The greatest
Q where u <= delta is had at a corner of that part: a corner of P, or the place where an edge of P crosses u = delta,
which moves linearly with delta. So it is the greatest of finitely many quadratics in delta, each on an interval with
rational ends. The greatest of these over all pieces is w^2: quadratic between ends that are rational, or where two
quadratics cross.

Where Q is greatest it has finitely many values of its forms, as it is strictly convex in them. So whether a pair
attains w is asked of these values, piece by piece; on the inside of an interval the answer is the same everywhere.

z3 finds pieces that may reach w: above tangents of what is known, with d1 below a polyhedral norm. Every round settles
one piece.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import z3
from msgspec import Struct
from msgspec.structs import replace

from verifier.canonical.quadratic import Line
from verifier.canonical.vertices import Corners, Late
from verifier.engines.engine import Answer, Ridge, Ridges, Unknown, Vector
from verifier.engines.quadratic import Room
from verifier.engines.quadratic_curve import Place, Quadratic, crossings, over_root, swapped
from verifier.engines.quadratic_suprema import short_root
from verifier.engines.smt import NAME, TRUSTS, Bool, Clock, Term, exact, new_solver, number, row_term, total
from verifier.engines.smt_measures import OutOfTime
from verifier.language.surd import Exact, between, floor
from verifier.model.roots import slack, units
from verifier.query.piece import Piece
from verifier.query.question import Question

ZERO, ONE = Fraction(0), Fraction(1)
Interval = tuple[Fraction, Fraction]
MOST = 8
"""Real coordinates of a pair: so many dimensions have the polyhedra of which the corners are found."""
FINE = 3
"""Directions in a quarter of the plane, of the norm above d1."""


def curve_corners(question: Question, seconds: float) -> Answer:
    """The ridges of w, for d1^2 = numbers[0], which is the one square of the question, over d2 = numbers[1]."""
    room = Room(question, Clock(seconds))
    sides = [(question.variables[i].low, question.variables[i].high) for i in room.places]
    if len(sides) > MOST:
        return Unknown(f"corners are found for at most {MOST} real coordinates of a pair")
    if any(low is None or high is None for low, high in sides):
        return Unknown("corners are found where every coordinate has an interval")
    room.solver.add(ceiling(room))
    known: list[Span] = []
    try:
        while (z := room.further(reaching(room, known))) is not None:
            if isinstance(z, Unknown):
                return z
            if not known:
                known = still(room, z)
                continue
            piece = room.piece(z)
            known = greatest(known, Part(room, piece, z).spans(known))
            room.block(piece, z)
            room.block(*swapped(piece, z))
        return Ridges(NAME, tuple(told(known, room.clock)), TRUSTS)
    except (OutOfTime, Late):
        return Unknown("out of time")


# what z3 is told


def far() -> Term:
    """The classifier distance."""
    return z3.Real("far")


def ceiling(room: Room) -> list[Bool]:
    """`far()` is at most a polyhedral norm above d1."""
    (square,) = room.question.squares
    facts: list[Bool] = [far() >= 0]
    sides: list[Term] = []
    for k, (weight, node) in enumerate(square.terms):
        side = z3.Real(f"side{k}")
        form = number(over_root(weight)) * room.encoding.reals[node]
        facts += [side >= 0, z3.Or(side == form, side == -form)]
        sides.append(side)
    while len(sides) > 1:
        pairs, sides = [sides[i : i + 2] for i in range(0, len(sides), 2)], []
        for pair in pairs:
            norm = pair[0]
            if len(pair) == 2:
                norm = z3.Real(f"norm{len(facts)}")
                shares = [total([(slack(FINE) * c, pair[0]), (slack(FINE) * s, pair[1])], ZERO) for c, s in units(FINE)]
                facts.append(z3.Or([norm <= share for share in shares]))
            sides.append(norm)
    return [*facts, *(side >= far() for side in sides)]


def reaching(room: Room, known: Sequence[Span]) -> Bool:
    """(`far()`, d2) may be as high as what is known. At single distances that counts only below a jump."""
    if not known:
        return z3.BoolVal(True)
    run = room.encoding.reals[room.question.numbers[1]]
    cases: list[Bool] = []
    for before, span in zip([None, *known], known, strict=False):
        start, end = floor(span.start), None if span.end is None else -floor(-span.end)
        if span.single:
            if before is None or before.at(span.start) != span.at(span.start):
                cases.append(z3.And(run == number(start), number(short_root(floor(span.at(span.start)))) <= far()))
            continue
        within = [run >= number(start), *([] if end is None else [run <= number(end)])]
        cases.append(z3.And(*within, *(low <= far() for low in span.tangents(run))))
    return z3.Or(cases)


# functions of delta


class Way(Struct, frozen=True):
    """From `ends[0]` on, up to `ends[1]` (None: however far) places on the way from `near` to `far`, in the closure of
    the piece of z, have d2 = delta at most, and as d1^2 the `square`."""

    part: Part
    near: Place
    far: Place
    ends: tuple[Fraction, Fraction | None]
    square: Quadratic

    def at(self, delta: Fraction) -> Place:
        """The place for delta, along the same line also beyond the ends."""
        start, end = self.ends
        if end is None:
            return self.near
        share = (delta - start) / (end - start)
        return tuple(a + share * (b - a) for a, b in zip(self.near, self.far, strict=True))

    @property
    def inside(self) -> Fraction:
        return between(*self.ends)


class Span(Struct, frozen=True):
    """w^2 strictly between two distances, or just at `start` where both are equal: along all of the `ways` at once."""

    start: Exact
    end: Exact | None
    ways: tuple[Way, ...]

    @property
    def single(self) -> bool:
        return self.start == self.end

    @property
    def square(self) -> Quadratic:
        return self.ways[0].square

    def at(self, delta: Exact) -> Exact:
        return at(self.square, delta)

    def tangents(self, run: Term) -> Iterator[Term]:
        """Numbers of which none is above w on the span: its shares along directions that it has (Cauchy, Schwarz)."""
        way = self.ways[0]
        if way.ends[1] is None:
            yield number(short_root(way.square[2]))
            return
        room, start = way.part, way.ends[0]
        first, last = room.forms(way.at(start)), room.forms(way.at(start + 1))
        for delta in (floor(self.start), between(self.start, self.end), -floor(-(self.end or ZERO))):
            values = [a + (delta - start) * (b - a) for a, b in zip(first, last, strict=True)]
            if not (size := weighed(room.weights, values, values)):
                continue
            share = short_root(1 / size)
            height, rate = (share * weighed(room.weights, values, v) for v in (first, last))
            yield number(height) + number(rate - height) * (run - number(start))


def at(square: Quadratic, delta: Exact) -> Exact:
    a, b, c = square
    return (a * delta + b) * delta + c


def weighed(weights: Sequence[Fraction], left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((w * a * b for w, a, b in zip(weights, left, right, strict=True)), ZERO)


def still(room: Room, z: Vector) -> list[Span]:
    """The constant 0: a point, and the same point."""
    width = (len(z) - 1) // 2
    z = (*z[:width], *z[:width], ZERO)
    part = Part(room, room.piece(z), z)
    way = Way(part, part.reals, part.reals, (ZERO, None), (ZERO, ZERO, ZERO))
    return [Span(ZERO, ZERO, (way,)), Span(ZERO, None, (way,))]


def greatest(known: Sequence[Span], part: Sequence[Span]) -> list[Span]:
    """The pointwise maximum of two functions; the second one need not begin at 0. Where both are equal it has the ways
    of both."""
    found: list[Span] = []
    for span in cuts(known, part):
        old, new = over(known, span), over(part, span)
        ways = old.ways if old is not None else ()
        if new is not None:
            inside = span.start if span.single else between(span.start, span.end)
            gap = new.at(inside) - old.at(inside) if old is not None else ONE
            ways = new.ways if gap > 0 else ways if gap < 0 else (*ways, *new.ways)
        if ways:
            found.append(replace(span, ways=ways))
            whole = len(found) > 2 and not span.single and found[-3].ways == found[-2].ways == ways
            if whole and found[-3].end == found[-2].start == span.start:
                found[-3:] = [replace(found[-3], end=span.end)]
    return found


def before(known: Sequence[Span]) -> Callable[[Fraction], Exact]:
    """Numbers not above the limits of a function from the left, and near to them."""
    starts = [floor(span.start) for span in known if not span.single]
    squares = [span.square for span in known if not span.single]

    def level(delta: Fraction) -> Exact:
        k = bisect_left(starts, delta) - 1
        return at(squares[k], delta) if k >= 0 else ZERO

    return level


def cuts(known: Sequence[Span], part: Sequence[Span]) -> Iterator[Span]:
    """Single distances and what lies between them, so that neither function changes within, nor do they cross."""
    ends: list[Exact] = []
    for end in sorted(x for s in (*known, *part) for x in (s.start, s.end) if x is not None):
        if not ends or ends[-1] != end:
            ends.append(end)
    for low, high in zip(ends, [*ends[1:], None], strict=True):
        yield Span(low, low, ())
        whole = Span(low, high, ())
        old, new = over(known, whole), over(part, whole)
        inner: list[Exact] = []
        if old is not None and new is not None and old.square != new.square:
            inner = sorted(h for h in crossings(old.square, new.square) if h > low and (high is None or h < high))
            inner = [h for k, h in enumerate(inner) if not k or h != inner[k - 1]]
        marks: list[Exact | None] = [low, *inner, high]
        for a, b in pairwise(marks):
            assert a is not None
            if a != low:
                yield Span(a, a, ())
            yield Span(a, b, ())


def over(spans: Sequence[Span], piece: Span) -> Span | None:
    """The span that holds a single distance, or what comes after it."""
    for span in reversed(spans):
        if span.start < piece.start:
            return span if span.end is None or piece.start < span.end else None
        if span.start == piece.start and span.single == piece.single:
            return span
    return None


# one piece


class Part:
    """w^2 for the piece P of a solution z."""

    def __init__(self, room: Room, piece: Piece, z: Vector) -> None:
        self.room, self.piece, self.z = room, piece, z
        self.reals = tuple(z[i] for i in room.places)
        self.run = room.line(piece.numbers[1], z)
        squares = room.squares(piece, z, 0)
        self.weights, self.lines = [w for w, _ in squares], [f for _, f in squares]
        sides = [(room.question.variables[i].low, room.question.variables[i].high) for i in room.places]
        self.box = [(low, high) for low, high in sides if low is not None and high is not None]

    def forms(self, place: Place) -> list[Fraction]:
        return [f.at(place) for f in self.lines]

    def spans(self, known: Sequence[Span]) -> list[Span]:
        """The function, where it may reach what is known: from the least d2 on; at that itself iff P attains it."""
        corners = Corners(*self.polyhedron(), self.room.clock.end)
        places = [self.lifted(p) for p in corners.places]
        images = [(self.run.at(p), tuple(self.forms(p))) for p in places]
        values = [weighed(self.weights, f, f) for _, f in images]
        level = before(known)
        low = [level(u) for u, _ in images]
        found: list[Span] = []
        seen: set[object] = set()
        for k in sorted(range(len(images)), key=lambda k: (images[k][0], -values[k])):
            (u, form), value = images[k], values[k]
            if form in seen or value < low[k] or (found and value < found[-1].at(u)):
                continue
            seen.add(form)
            way = Way(self, places[k], places[k], (u, None), (ZERO, ZERO, value))
            found = greatest(found, [Span(u, u, (way,)), Span(u, None, (way,))])
        for i, j in corners.edges():
            i, j = (i, j) if images[i][0] < images[j][0] else (j, i)
            (u, form), (v, other) = images[i], images[j]
            if u == v or form == other or values[j] < low[i] or (images[i], images[j]) in seen:
                continue
            seen.add((images[i], images[j]))
            after = over(found, Span(u, None, ()))
            if after is not None and values[j] <= after.at(u):
                continue
            speed = [(b - a) / (v - u) for a, b in zip(form, other, strict=True)]
            base = [a - u * s for a, s in zip(form, speed, strict=True)]
            w = self.weights
            square = weighed(w, speed, speed), 2 * weighed(w, speed, base), weighed(w, base, base)
            way = Way(self, places[i], places[j], (u, v), square)
            found = greatest(found, [Span(u, u, (way,)), Span(u, v, (way,)), Span(v, v, (way,))])
        least = min(u for u, _ in images)
        missing = found and found[0].start == least and self.solution(least) is None
        return found[1:] if missing else found

    def polyhedron(self) -> tuple[list[Line], list[Interval]]:
        """The closure of P in a box; coordinates of which only the difference matters are one."""
        box = self.box
        plain = self.room.plain((*self.piece.weak, *self.piece.strict))
        rows = [r for r in (self.room.line(r, self.z) for r in plain) if cuts_box(r, box)]
        seen = [self.run, *self.lines, *rows]
        places = {i: k for k, i in enumerate(self.room.places)}
        width = len(self.z) // 2
        twins = [(places[i], places[i + width]) for i in places if i < width and i + width in places]
        self.pairs = [(i, j) for i, j in twins if not any(r.slope[i] + r.slope[j] for r in seen)]
        alone = [k for k in range(len(box)) if not any(k in pair for pair in self.pairs)]
        kept = [*alone, *(i for i, _ in self.pairs)]
        spans = [(box[i][0] - box[j][1], box[i][1] - box[j][0]) for i, j in self.pairs]
        self.alone = alone
        return [Line(tuple(r.slope[k] for k in kept), r.constant) for r in rows], [*(box[k] for k in alone), *spans]

    def lifted(self, place: Place) -> Place:
        """A point of the closure of P."""
        found = dict(zip(self.alone, place, strict=False))
        for (i, j), apart in zip(self.pairs, place[len(self.alone) :], strict=True):
            (low, _), (least, _) = self.box[i], self.box[j]
            found[j] = max(least, low - apart)
            found[i] = found[j] + apart
        return tuple(x for _, x in sorted(found.items()))

    def solution(self, most: Fraction, forms: Sequence[Fraction] | None = None) -> Vector | None:
        """A point of P itself with d2 <= most, and with these values of the forms of Q."""
        room, piece = self.room, self.piece
        variables = room.own(self.z)
        rows = dict(zip(room.nodes, piece.numbers[room.first :], strict=True))
        facts: list[Bool] = [row_term(piece.numbers[1], variables) <= number(most)]
        if forms is not None:
            nodes = (n for _, n in room.question.squares[0].terms)
            facts += [row_term(rows[n], variables) == number(f) for n, f in zip(nodes, forms, strict=True)]
        solver = new_solver([*room.rows(piece, variables), *facts])
        match room.clock.check(solver):
            case "unsat":
                return None
            case "unknown":
                raise OutOfTime
        model = solver.model()
        reals = [exact(model.eval(variables[i], model_completion=True)) for i in room.places]
        return room.question.completed(room.put(self.z, reals))


def cuts_box(row: Line, box: Sequence[Interval]) -> bool:
    """It is negative somewhere in the box."""
    least = [min(a * low, a * high) for a, (low, high) in zip(row.slope, box, strict=True)]
    return sum(least, row.constant) < 0


# what is told


def told(spans: Sequence[Span], clock: Clock) -> Iterator[Ridge]:
    """The spans, each along the way that a pair attains, if there is one."""
    before: Span | None = None
    for span in spans:
        way, pair, attained = span.ways[0], None, False
        for one in span.ways:
            irrational = span.single and not isinstance(span.start, Fraction)
            delta = span.start if span.single else between(span.start, span.end)
            delta = delta if isinstance(delta, Fraction) else one.inside
            found = one.part.solution(delta, one.part.forms(one.at(delta)))
            if found is not None:
                way, pair, attained = one, None if irrational else found, True
                break
        z = way.part.z
        jumps = span.single and (before is None or before.at(span.start) != span.at(span.start))
        if jumps:
            assert isinstance(span.start, Fraction), "quadratics cross where both are"
            here = way.part.solution(span.start)
            assert here is not None
            z = here
        room = way.part.room
        near, far = ((*room.put(way.part.z, p), ONE) for p in (way.near, way.far))
        yield Ridge(span.start, span.end, way.square, z, near, far, way.ends, attained, pair)
        before = span
