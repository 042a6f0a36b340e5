"""The modulus as a function, for an l2 distance below: how near two points can be whose d1 is at least h, for every h.
Runs in a worker process.

On a piece P the least square q_P(h) = inf { d2^2 : d1 >= h } over the closure is the value of a convex quadratic
programme with h on its right-hand side: convex, and quadratic with rational coefficients between rational corners. An
optimal place and its multipliers move linearly as long as the same walls are touched and no multiplier changes its
sign; so far the conditions of Karush, Kuhn and Tucker hold, and on from there begins the next arc. The least of the
q_P, turned round, is the modulus: w(delta) = max { h : q_P(h) <= delta^2 for some P }, but for what is not attained at
a jump. Arcs of different pieces meet where a quadratic equation says, maybe at an irrational h.

z3 finds pieces that may lie below all arcs that are known: above tangents of Q, below chords of the arcs. Every round
settles one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import z3
from msgspec.structs import replace

from verifier.canonical.linalg import rref
from verifier.canonical.quadratic import Line, Minimum, combination, descent, dot, minimum, slope
from verifier.engines.engine import Answer, Arc, Arcs, Jump, Unknown, Vector
from verifier.engines.quadratic import Room
from verifier.engines.quadratic_suprema import GAP, forms, prune
from verifier.engines.smt import NAME, TRUSTS, Bool, Clock, Term, exact, new_solver, number, row_term, total
from verifier.engines.smt_measures import OutOfTime
from verifier.kernel.circuit import Input
from verifier.language.root import Root, below_root
from verifier.language.surd import Exact, between, floor, surd
from verifier.query.closure import limited
from verifier.query.closure import number as height
from verifier.query.piece import Piece, Row
from verifier.query.question import Question

ZERO, ONE = Fraction(0), Fraction(1)
Place = tuple[Fraction, ...]
Quadratic = tuple[Fraction, Fraction, Fraction]
"""(a, b, c) of a x^2 + b x + c."""
CHORDS = 8
"""So many chords lie above an arc."""
TRIES = 20


def curve_square(question: Question, seconds: float) -> Answer:
    """The arcs of w, for numbers[0] over the one square of the question, which is numbers[1]."""
    if question.circuit[question.numbers[1]] != Input(question.squares[0].variable):
        return Unknown("d2' is not the root of one square")
    room = Room(question, Clock(seconds))
    rise = room.encoding.reals[question.numbers[0]]
    square = room.encoding.variables[question.squares[0].variable]
    run = z3.Real("distance")
    room.solver.add(rise > 0, run >= 0)
    known: list[Arc] = []
    cones: dict[Vector, Bool] = {}
    try:
        while (z := room.further(below(known, cones, rise, run, square))) is not None:
            if isinstance(z, Unknown):
                return z
            foot = Foot(room, room.piece(z), z)
            found = list(foot.arcs())
            for arc in found:
                foot.tell(arc, run)
                if (cone := foot.cone(arc)) is not None:
                    cones[arc.far] = cone
            known = least(known, found)
            room.block(foot.piece, z)
            room.block(*swapped(foot.piece, z))
        known = [part for arc in known for part in settled(question, arc, room.clock)]
        levels = {arc.square[2]: arc for arc in reversed(known) if arc.flat}  # the first of each level
        jumps = tuple(jump(question, levels[level], room.clock) for level in sorted(levels))
        return Arcs(NAME, tuple(known), jumps, TRUSTS)
    except OutOfTime:
        return Unknown("out of time")


def swapped(piece: Piece, z: Vector) -> tuple[Piece, Vector]:
    """The same with x and x' exchanged: distances are symmetric."""
    width = (len(z) - 1) // 2
    order = [*range(width, 2 * width), *range(width), 2 * width]

    def turn(rows: Sequence[Row]) -> tuple[Row, ...]:
        return tuple(Row(tuple(sorted((order[i], w) for i, w in r.weights)), r.constant) for r in rows)

    return Piece(turn(piece.weak), turn(piece.strict), turn(piece.numbers)), tuple(z[i] for i in order)


def below(known: Sequence[Arc], cones: Mapping[Vector, Bool], rise: Term, run: Term, square: Term) -> Bool:
    """(d1, Q) may lie below all arcs."""
    if not known:
        return z3.BoolVal(True)
    cases: list[Bool] = []
    for arc in known:
        start, end = floor(arc.start), None if arc.end is None else -floor(-arc.end)
        within = [rise >= number(start), *([] if end is None else [rise <= number(end)])]
        if (cone := cones.get(arc.far)) is not None:
            within.append(cone)
            within.append(run < number(over_root(arc.square[0])) * rise)
        if arc.flat:
            cases.append(z3.And(*within, square < number(arc.square[2]), run < number(over_root(arc.square[2]))))
        elif end is None:
            cases.append(z3.And(within))
        else:
            cases += [
                z3.And(*within, *inside, square < above, run < beyond)
                for inside, above, beyond in chords(arc, start, end, rise)
            ]
    if (last := known[-1].end) is not None:
        cases.append(rise > number(floor(last)))
    return z3.Or(cases)


def chords(arc: Arc, start: Fraction, end: Fraction, rise: Term) -> Iterator[tuple[list[Bool], Term, Term]]:
    """Where the height is, and chords above the arc and above its root there."""
    places = [start + (end - start) * k / CHORDS for k in range(CHORDS + 1)]
    for a, b in pairwise(places):
        low, high = arc.at(a), arc.at(b)
        assert isinstance(low, Fraction) and isinstance(high, Fraction)
        roots = over_root(low), over_root(high)
        yield [rise >= number(a), rise <= number(b)], chord(a, b, low, high, rise), chord(a, b, *roots, rise)


def chord(a: Fraction, b: Fraction, low: Fraction, high: Fraction, rise: Term) -> Term:
    """Above a convex function with these values at a and b; q_P and its root are convex."""
    return number(low) + number((high - low) / (b - a)) * (rise - number(a))


def over_root(square: Fraction) -> Fraction:
    """A rational above the root, and near."""
    return below_root(square, GAP) + GAP


def both(line: Line) -> list[Line]:
    """That it is 0."""
    return [line, line.times(-ONE)]


class Foot:
    """q_P for the piece P of a solution z."""

    def __init__(self, room: Room, piece: Piece, z: Vector) -> None:
        self.room, self.piece, self.z, self.clock = room, piece, z, room.clock
        self.goal = room.line(piece.numbers[0], z)
        self.rows = [room.line(r, z) for r in room.plain((*piece.weak, *piece.strict))]
        self.squares = room.squares(piece, z, 0)
        self.still = [(w, Line(f.slope, ZERO)) for w, f in self.squares]
        self.reals = tuple(z[i] for i in room.places)

    def arcs(self) -> Iterator[Arc]:
        lowest = self.minimum(self.rows, self.reals)
        least = sum((w * f.at(lowest.place) ** 2 for w, f in self.squares), ZERO)
        flat, ray = self.highest([*self.rows, *self.level(lowest.place)], lowest.place)
        h = self.goal.at(flat)
        if ray is not None:
            yield self.arc(ZERO, None, (ZERO, ZERO, least), flat, ray, (h, None))
            return
        if h > 0:
            yield self.arc(ZERO, h, (ZERO, ZERO, least), flat, flat, (h, h))
        top, ray = self.highest(self.rows, flat)
        end = None if ray is not None else self.goal.at(top)
        toward = ray if ray is not None else tuple(b - a for a, b in zip(flat, top, strict=True))
        if end is None or end > h:
            yield from self.climb(max(h, ZERO), end, flat, toward)

    def tell(self, arc: Arc, run: z3.ArithRef) -> None:
        """Tell z3 the tangents at both ends of an arc."""
        for place in (arc.near, arc.far):
            if place[-1]:
                self.room.touch(self.piece, place[:-1], 0)
            if any(forms(self.room, self.piece, place)):
                prune(self.room, self.piece, place, run)

    def attains(self, arc: Arc, h: Fraction) -> bool:
        """Some pair of the piece itself is h apart, and as near as the arc says: it has the same forms."""
        room, piece = self.room, self.piece
        near, far = (forms(room, piece, place) for place in (arc.near, arc.far))
        start, end = arc.ends
        share = h - start if end is None else (h - start) / (end - start)
        values = [a + share * (b if end is None else b - a) for a, b in zip(near, far, strict=True)]
        variables = room.own(self.z)
        rows = dict(zip(room.nodes, piece.numbers[room.first :], strict=True))
        level = [
            row_term(rows[n], variables) == number(v)
            for (_, n), v in zip(room.question.squares[0].terms, values, strict=True)
        ]
        solver = new_solver([*room.rows(piece, variables), *level, row_term(piece.numbers[0], variables) >= number(h)])
        answer = self.clock.check(solver)
        if answer == "unknown":
            raise OutOfTime
        return bool(answer == "sat")

    def level(self, place: Place) -> list[Line]:
        """The forms of Q are what they are there."""
        return [r for _, f in self.squares for r in both(f.plus(-f.at(place)))]

    def climb(self, start: Fraction, end: Fraction | None, flat: Place, toward: Place) -> Iterator[Arc]:
        """The arcs between two heights; `flat` is a place, from which `toward` leads on to all greater heights."""
        reach = ONE
        todo: list[tuple[Fraction, Fraction | None]] = [(start, end)]
        while todo:
            low, high = todo.pop()
            for k in range(1, TRIES):
                if high is None:
                    h, reach = low + reach, 2 * reach
                else:
                    h = low + (high - low) * (Fraction(1, 2) if k == 1 else Fraction(k, TRIES))
                if (found := self.around(h, low, high, flat, toward)) is not None:
                    break
            else:
                raise OutOfTime
            yield found
            a, b = found.ends
            todo += [(low, a)] if a > low else []
            todo += [(b, high)] if b is not None and b != high else []

    def around(self, h: Fraction, low: Fraction, high: Fraction | None, flat: Place, toward: Place) -> Arc | None:
        """The arc that holds a height, between two others; None if it is a corner that no walls lead on from."""
        share = (h - self.goal.at(flat)) / dot(self.goal.slope, toward)
        start = tuple(a + share * b for a, b in zip(flat, toward, strict=True))
        floor = Line(self.goal.slope, self.goal.constant - h)
        found = self.minimum([*self.rows, floor], start)
        walls = [wall for wall, _ in found.walls]
        if floor not in walls:
            return None
        step, x = self.step(walls, floor), found.place
        speeds = [dot(f.slope, step) for _, f in self.squares]
        change = combination(slope(self.still, step), [r.slope for r in walls])
        least, most = low, high
        for (wall, factor), speed in zip(found.walls, change, strict=True):
            if wall in found.free or not speed:
                continue
            end = h - factor / speed
            least = max(least, end) if speed > 0 else least
            most = end if speed < 0 and (most is None or end < most) else most
        rows = [*self.rows, self.goal.plus(-least), *([] if most is None else [self.goal.times(-ONE).plus(most)])]
        for (_, form), speed in zip(self.squares, speeds, strict=True):
            rows += both(form.plus(-form.at(x)).less(speed, floor))
        rows += [r for wall in walls if wall != floor for r in both(wall)]
        far, ray = self.highest(rows, x)
        near, _ = self.highest(rows, x, self.goal.times(-ONE))
        a, b = self.goal.at(near), None if ray is not None else self.goal.at(far)
        if a == b:
            return None
        pairs = [(w, speed, f.at(x) - h * speed) for (w, f), speed in zip(self.squares, speeds, strict=True)]
        square = (
            sum((w * up * up for w, up, _ in pairs), ZERO),
            sum((2 * w * up * base for w, up, base in pairs), ZERO),
            sum((w * base * base for w, _, base in pairs), ZERO),
        )
        return self.arc(a, b, square, near, far if ray is None else ray, (a, b))

    def step(self, walls: Sequence[Line], floor: Line) -> Place:
        """How the minimiser on these walls moves when the height grows by 1."""
        rows = [[*r.slope, ONE if r == floor else ZERO] for r in walls]
        reduced, pivots = rref(rows)
        width = len(self.reals)
        start = [ZERO] * width
        for row, pivot in zip(reduced, pivots, strict=True):
            start[pivot] = row[width]
        down = descent(self.still, [r.slope for r in walls], start)
        return tuple(a + b for a, b in zip(start, down, strict=True))

    def cone(self, arc: Arc) -> Bool | None:
        """What Q < a h^2 implies, for an arc of this shape with the forms d at the height g: d . f < a g h, by Cauchy
        and Schwarz."""
        a, *rest = arc.square
        if not a or any(rest):
            return None
        reals, (square,) = self.room.encoding.reals, self.room.question.squares
        values = forms(self.room, self.piece, arc.far)
        share = total([(w * d, reals[n]) for (w, n), d in zip(square.terms, values, strict=True)], ZERO)
        return share < number(a * (arc.ends[1] or ONE)) * reals[self.room.question.numbers[0]]

    def minimum(self, rows: Sequence[Line], start: Place) -> Minimum:
        found = minimum(self.squares, rows, start, self.clock.end)
        if found is None:
            raise OutOfTime
        return found

    def highest(self, rows: Sequence[Line], start: Place, goal: Line | None = None) -> tuple[Place, Place | None]:
        """A place where d1 (or `goal`) is greatest; or `start` and a direction in which it grows by 1, forever."""
        goal = goal or self.goal
        places = [z3.Real(f"h{i}") for i in range(len(self.reals))]

        def form(line: Line, constant: Fraction) -> z3.ArithRef:
            return z3.Sum([number(a) * x for a, x in zip(line.slope, places, strict=True) if a] + [number(constant)])

        away = new_solver([form(r, ZERO) >= 0 for r in rows] + [form(goal, ZERO) == 1])
        answer = self.clock.check(away)
        if answer == "unknown":
            raise OutOfTime
        if answer == "sat":
            model = away.model()
            return start, tuple(exact(model.eval(x, model_completion=True)) for x in places)
        optimizer = z3.Optimize()
        optimizer.add(*(form(r, r.constant) >= 0 for r in rows))
        optimizer.maximize(form(goal, ZERO))
        if self.clock.check(optimizer) != "sat":
            raise OutOfTime
        model = optimizer.model()
        return tuple(exact(model.eval(x, model_completion=True)) for x in places), None

    def arc(
        self,
        start: Fraction,
        end: Fraction | None,
        square: tuple[Fraction, Fraction, Fraction],
        near: Place,
        far: Place,
        ends: tuple[Fraction, Fraction | None],
    ) -> Arc:
        first = (*self.room.put(self.z, near), ONE)
        last = (*self.room.put(self.z, far), ONE)
        if end is None:
            moved = [ZERO] * len(self.z)
            for i, a in zip(self.room.places, far, strict=True):
                moved[i] = a
            last = (*moved, ZERO)
        return Arc(start, end, square, self.z, first, last, ends)


# what is attained


def settled(question: Question, arc: Arc, clock: Clock) -> list[Arc]:
    """Parts of an arc, all over the inside of which pairs attain it, or nowhere in it.

    Where one piece has the same arc, it attains all of the inside, or nothing: its pairs that do, with their heights,
    are a polyhedron without some of its faces."""
    if arc.flat:
        return [arc]
    room = Room(question, clock)
    if Foot(room, room.piece(arc.z), arc.z).attains(arc, between(arc.start, arc.end)):
        return [replace(arc, attained=True)]
    rise, square = room.encoding.reals[question.numbers[0]], room.encoding.variables[question.squares[0].variable]
    run = z3.Real("distance")
    start, end = floor(arc.start), None if arc.end is None else -floor(-arc.end)
    room.solver.add(run >= 0, rise >= number(start))
    if end is not None:
        room.solver.add(
            z3.Or([
                z3.And(*inside, square <= above, run <= beyond)
                for inside, above, beyond in chords(arc, start, end, rise)
            ])
        )  # fmt: skip
    marks: list[Exact | None] = [arc.start, arc.end]
    shares: list[tuple[Exact, Exact | None]] = []
    while (answer := room.clock.check(room.solver)) == "sat":
        z = room.encoding.point(room.solver.model())
        foot = Foot(room, room.piece(z), z)
        for other in foot.arcs():
            foot.tell(other, run)
            low, high = max(arc.start, other.start), earlier(arc.end, other.end)
            if high is not None and low >= high:
                continue
            if other.square != arc.square:
                touch = crossings(other.square, arc.square)
                marks += [h for h in touch if low <= h and (high is None or h <= high)]
            elif foot.attains(other, between(low, high)):
                shares.append((low, high))
                marks += [low, high]
        room.block(foot.piece, z)
        room.block(*swapped(foot.piece, z))
    if answer == "unknown":
        raise OutOfTime
    ends = sorted({h for h in marks if h is not None})
    found = []
    for a, b in zip(ends, [*ends[1:], None] if arc.end is None else ends[1:], strict=False):
        some = any(low <= a and (high is None or (b is not None and b <= high)) for low, high in shares)
        found.append(replace(arc, start=a, end=b, attained=some))
    return found


def earlier(left: Exact | None, right: Exact | None) -> Exact | None:
    """The least of two ends, of which None is beyond all bounds."""
    return right if left is None else left if right is None else min(left, right)


# the least of all


def least(known: Sequence[Arc], piece: Sequence[Arc]) -> list[Arc]:
    """The pointwise minimum of two functions of the height; each is defined from 0 up to some height."""
    ends: list[Exact] = sorted({*(a.start for a in known), *(a.start for a in piece)} | {
        a.end for a in (*known, *piece) if a.end is not None
    })  # fmt: skip
    found: list[Arc] = []
    for low, high in zip(ends, [*ends[1:], None], strict=True):
        old, new = over(known, low), over(piece, low)
        if old is None and new is None:
            continue
        cuts: list[Exact | None] = [low, high]
        if old is not None and new is not None:
            inner = [h for h in crossings(old.square, new.square) if h > low and (high is None or h < high)]
            cuts = [low, *sorted(inner), high]
        for a, b in pairwise(cuts):
            assert a is not None
            owner = old if new is None else new
            if old is not None and new is not None:
                inside = between(a, b)
                owner = new if new.at(inside) < old.at(inside) else old
            assert owner is not None
            if found and found[-1].end == a and same(found[-1], owner):
                found[-1] = replace(found[-1], end=b)
            else:
                found.append(replace(owner, start=a, end=b))
    return found


def same(left: Arc, right: Arc) -> bool:
    """Two parts of one arc."""
    return replace(left, start=ZERO, end=None) == replace(right, start=ZERO, end=None)


def over(arcs: Sequence[Arc], h: Exact) -> Arc | None:
    """The arc that holds what comes just after h."""
    return next((a for a in arcs if a.start <= h and (a.end is None or h < a.end)), None)


def crossings(left: Quadratic, right: Quadratic) -> list[Exact]:
    """Where two quadratics are equal, if that is at single places."""
    a, b, c = (x - y for x, y in zip(left, right, strict=True))
    if not a:
        return [-c / b] if b else []
    under = b * b - 4 * a * c
    if under < 0:
        return []
    root = surd(Root(under))
    return [(-b - root) / (2 * a), (-b + root) / (2 * a)]


# jumps


def jump(question: Question, arc: Arc, clock: Clock) -> Jump:
    """What w is just where it jumps: at the level of a flat arc. Only pieces count that begin at this level and attain
    it: in others, what is so near is not higher than where the arc starts."""
    level = arc.square[2]
    value: Exact = arc.start
    best: tuple[Vector, Vector] | None = None
    room = Room(limited(question, above=[height(0, floor(arc.start))]), clock)
    room.solver.add(room.encoding.variables[question.squares[0].variable] <= number(level))
    while (answer := room.clock.check(room.solver)) == "sat":
        z = room.encoding.point(room.solver.model())
        foot = Foot(room, room.piece(z), z)
        least = room.lowest(foot.piece, z, 0)
        if least is None:
            raise OutOfTime
        touching = room.reached(foot.piece, z, least[1], 0) if least[0] == level else None
        if isinstance(touching, str):
            raise OutOfTime
        if touching is not None:
            reals = tuple(touching[i] for i in room.places)
            place, ray = foot.highest([*foot.rows, *foot.level(reals)], reals)
            if ray is not None:
                return Jump(level, None, (touching, foot.arc(ZERO, None, arc.square, place, ray, (ZERO, None)).far))
            if foot.goal.at(place) > value:
                value, best = foot.goal.at(place), (touching, (*room.put(z, place), ONE))
                room.solver.add(room.encoding.reals[question.numbers[0]] > number(foot.goal.at(place)))
        room.touch(foot.piece, least[1], 0)
        room.block(foot.piece, z)
    if answer == "unknown":
        raise OutOfTime
    return Jump(level, value, best)
