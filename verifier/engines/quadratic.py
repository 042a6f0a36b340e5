"""Questions with squares of l2 distances: z3 chooses the piece, an exact quadratic programme measures it.

A square Q = sum w_i f_i^2 is an input of its own to z3, which knows only tangents: Q >= sum w_i (2 d_i f_i - d_i^2)
holds everywhere, as Q is convex in the f_i. Each model of this relaxation lies in a piece. The least value m of the
square over the closure of the piece (integers fixed) is a rational, found exactly; the tangent at the minimiser says
Q >= m on all of the piece. So every round settles one piece, and there are finitely many. No float is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from fractions import Fraction
from functools import partial
from itertools import islice, product
from math import ceil, floor

import z3
from msgspec import Struct
from msgspec.structs import replace

from verifier.canonical.linalg import rank
from verifier.canonical.quadratic import Line, minimise
from verifier.engines.engine import Answer, Fails, Holds, Least, Unknown, Vector
from verifier.engines.leap import Leap
from verifier.engines.peak import Reached
from verifier.engines.polish import candidates, simplest_below
from verifier.engines.smt import (
    NAME,
    TRUSTS,
    Bool,
    Clock,
    Encoding,
    Term,
    exact,
    further,
    give_up,
    new_solver,
    number,
    row_term,
    thickest,
    total,
)
from verifier.query.piece import Piece, Row, piece_of
from verifier.query.question import Question

LONG = 200
"""Bits of a rational from which on tangents are taken at a rounded place."""
PATIENCE = 20.0
"""Seconds that z3's nonlinear solver has for a piece that is not bounded by one ball."""
NEAR = 256
"""Roundings of a point that are looked at."""


class Ball(Struct, frozen=True):
    """What a piece says about squares: the square number `which` is at most `most` (less, if `strict`)."""

    which: int
    most: Fraction
    strict: bool


class Room:
    """A question, its relaxation in z3, and what is known of its squares so far."""

    def __init__(self, question: Question, clock: Clock) -> None:
        self.original = question
        self.nodes = tuple(dict.fromkeys(n for s in question.squares for _, n in s.terms))
        self.first = len(question.numbers)
        self.question = replace(question, numbers=(*question.numbers, *self.nodes))
        self.clock = clock
        self.made = {s.variable for s in question.squares}
        self.places = [i for i, v in enumerate(question.variables) if not v.integer and i not in self.made]
        self.encoding = Encoding(self.question, "v")
        self.solver = new_solver(self.encoding.constraints)

    def further(self, fact: Bool) -> Vector | Unknown | None:
        """A point of the relaxation with this fact, in no piece that is blocked; None where there is none."""
        self.solver.push()
        self.solver.add(fact)
        answer = self.clock.check(self.solver)
        z = self.encoding.point(self.solver.model()) if answer == "sat" else None
        self.solver.pop()
        return Unknown(give_up(self.solver)) if answer == "unknown" else z

    def piece(self, z: Vector) -> Piece:
        return piece_of(self.question, z)

    def squares(self, piece: Piece, z: Vector, which: int) -> list[tuple[Fraction, Line]]:
        """A square on the piece, over the real coordinates."""
        forms = dict(zip(self.nodes, piece.numbers[self.first :], strict=True))
        return [(w, self.line(forms[n], z)) for w, n in self.question.squares[which].terms]

    def line(self, row: Row, z: Vector) -> Line:
        """A row over the real coordinates, the integers fixed."""
        slopes = dict(row.weights)
        fixed = sum((w * z[i] for i, w in row.weights if self.question.variables[i].integer), row.constant)
        return Line(tuple(slopes.get(i, Fraction(0)) for i in self.places), fixed)

    def plain(self, rows: Sequence[Row]) -> list[Row]:
        """The rows without squares."""
        return [r for r in rows if not any(i in self.made for i, _ in r.weights)]

    def ball(self, piece: Piece, z: Vector) -> Ball | str | None:
        """What the rows with squares amount to; None: nothing, words: more than one ball."""
        found: Ball | None = None
        for strict, rows in ((False, piece.weak), (True, piece.strict)):
            for row in rows:
                squares = [(i, w) for i, w in row.weights if i in self.made]
                if not squares:
                    continue
                line = self.line(row, z)
                if len(squares) > 1 or any(line.slope):
                    return "distances are compared with each other"
                ((i, weight),) = squares
                if weight > 0:
                    low = -line.constant / weight
                    least = self.question.variables[i].low
                    if low < 0 or (low == 0 and not strict) or (not strict and least is not None and low <= least):
                        continue  # so is every square
                    return "a distance is bounded below"
                which = next(k for k, s in enumerate(self.question.squares) if s.variable == i)
                most = line.constant / -weight
                high = self.question.variables[i].high
                if not strict and high is not None and most >= high:
                    continue
                if found is not None and found.which != which:
                    return "several balls meet"
                if found is None or (most, not strict) < (found.most, not found.strict):
                    found = Ball(which, most, strict)
        return found

    def lowest(self, piece: Piece, z: Vector, which: int) -> tuple[Fraction, Vector] | None:
        """The least value of a square over the closure of the piece with the integers of z, and a minimiser."""
        squares = self.squares(piece, z, which)
        rows = [self.line(r, z) for r in self.plain((*piece.weak, *piece.strict))]
        found = minimise(squares, rows, tuple(z[i] for i in self.places), self.clock.end)
        if found is None:
            return None
        point = self.put(z, found)
        return sum((w * f.at(found) ** 2 for w, f in squares), Fraction(0)), point

    def whole_near(self, piece: Piece, point: Vector) -> Vector | None:
        """A point of the piece that has whole numbers next to those of a point of its closure, if there soon is one."""
        weak, strict = self.plain(piece.weak), self.plain(piece.strict)
        sides = [
            [Fraction(round(a)), Fraction(floor(a) + ceil(a) - round(a))] if v.integer and a.denominator > 1 else [a]
            for a, v in zip(point, self.question.variables, strict=True)
        ]
        for z in islice(product(*sides), NEAR):
            if all(r.at(z) >= 0 for r in weak) and all(r.at(z) > 0 for r in strict):
                return z
        return None

    def put(self, z: Vector, reals: Sequence[Fraction]) -> Vector:
        """z with other real coordinates."""
        moved = list(z)
        for i, a in zip(self.places, reals, strict=True):
            moved[i] = a
        return tuple(moved)

    def touch(self, piece: Piece, point: Vector, which: int) -> bool:
        """Tell z3 the tangent at a point of the closure of a piece. False: one near it, as its numbers are long."""
        forms = dict(zip(self.nodes, piece.numbers[self.first :], strict=True))
        square = self.question.squares[which]
        short = True
        terms: list[tuple[Fraction, Term]] = []
        constant = Fraction(0)
        for w, n in square.terms:
            d = forms[n].at(point)
            if d.numerator.bit_length() + d.denominator.bit_length() > LONG:
                d, short = Fraction(round(d * 2**30), 2**30), False
            terms.append((2 * w * d, self.encoding.reals[n]))
            constant -= w * d * d
        self.solver.add(self.encoding.variables[square.variable] >= total([t for t in terms if t[0]], constant))
        return short

    def block(self, piece: Piece, z: Vector) -> None:
        """No more of this piece with these integers."""
        variables = self.encoding.variables
        rows: list[Bool] = [row_term(r, variables) >= 0 for r in piece.weak]
        rows += [row_term(r, variables) > 0 for r in piece.strict]
        measured = {i for r in piece.numbers[self.first :] for i, _ in r.weights}
        joint = {i for r in (*piece.weak, *piece.strict) for i, _ in r.weights if len(r.weights) > 1}
        fixed = [variables[i] == int(z[i]) for i in sorted(measured | joint) if self.question.variables[i].integer]
        self.solver.add(z3.Not(z3.And(rows + fixed)))

    def own(self, z: Vector) -> list[Term]:
        """Variables of a piece of its own: integers and squares are what they are at z."""
        return [
            z3.IntVal(int(a)) if v.integer else number(a) if i in self.made else z3.Real(f"o{i}")
            for i, (a, v) in enumerate(zip(z, self.question.variables, strict=True))
        ]

    def rows(self, piece: Piece, variables: Sequence[Term]) -> list[Bool]:
        weak, strict = self.plain(piece.weak), self.plain(piece.strict)
        return [row_term(r, variables) >= 0 for r in weak] + [row_term(r, variables) > 0 for r in strict]

    def level(self, piece: Piece, point: Vector, which: int) -> list[Row]:
        """Rows that say: every form of the square is what it is at `point`. Of a minimiser this gives all minimisers,
        as a sum of squares is strictly convex in its forms."""
        forms = dict(zip(self.nodes, piece.numbers[self.first :], strict=True))
        found = []
        for _, n in self.question.squares[which].terms:
            row = Row(forms[n].weights, forms[n].constant - forms[n].at(point))
            if row.weights:
                found += [row, row.minus()]
        return found

    def reached(self, piece: Piece, z: Vector, point: Vector, which: int) -> Vector | str | None:
        """A point of the piece itself at which the square is as small as on its closure."""
        variables = self.own(z)
        level = [row_term(r, variables) >= 0 for r in self.level(piece, point, which)]
        solver = new_solver([*self.rows(piece, variables), *level])
        match self.clock.check(solver):
            case "unsat":
                return None
            case "unknown":
                return give_up(solver)
        model = solver.model()
        return self.question.completed(
            self.put(z, [exact(model.eval(variables[i], model_completion=True)) for i in self.places])
        )

    def within(self, piece: Piece, z: Vector, point: Vector, ball: Ball) -> Vector:
        """A point of the piece in the open ball: from z towards a closure point that lies inside of it."""
        share = Fraction(1)
        square = self.question.squares[ball.which].variable
        while True:
            mixed = tuple(b + share * (a - b) for a, b in zip(z, point, strict=True))
            found = self.question.completed(mixed)
            if found[square] < ball.most:
                return found
            share /= 2

    def polish(self, point: Vector) -> Vector:
        """Shorter numbers, one coordinate after the other, as long as it stays a solution with large margins."""
        values = self.question.values(point)
        floors = [(n, simplest_below(values[n])) for n in self.question.large]
        for i in range(len(point)):
            if i in self.made:
                continue
            for candidate in candidates(self.question, i, point):
                if candidate == point[i]:
                    break
                tried = self.question.completed((*point[:i], candidate, *point[i + 1 :]))
                if self.original.solved_by(tried):
                    values = self.question.values(tried)
                    if all(values[n] >= floor for n, floor in floors):
                        point = tried
                        break
        return point

    def nonlinear(self, piece: Piece, z: Vector) -> Vector | str | None:
        """A point of a piece whose rows say more of squares than one ball: z3's nonlinear solver."""
        variables = self.own(z)
        forms = dict(zip(self.nodes, piece.numbers[self.first :], strict=True))
        for square in self.question.squares:
            terms = [(w, row_term(forms[n], variables)) for w, n in square.terms]
            variables[square.variable] = z3.Sum([number(w) * t * t for w, t in terms])
        solver = z3.SolverFor("QF_NRA")
        solver.add(
            [row_term(r, variables) >= 0 for r in piece.weak] + [row_term(r, variables) > 0 for r in piece.strict]
        )
        brief = Clock(min(PATIENCE, max(0.0, self.clock.end - time.monotonic())))
        match brief.check(solver):
            case "unsat":
                return None
            case "unknown":
                return "squares of distances meet in a way that z3's nonlinear solver did not settle"
        model = solver.model()
        for digits in (3, 10, 40):
            reals = [rounded(model.eval(variables[i], model_completion=True), digits) for i in self.places]
            found = self.question.completed(self.put(z, reals))
            if self.original.solved_by(found):
                return found
        return "there is a solution, but none with rational coordinates was found"


def rounded(value: z3.ExprRef, digits: int) -> Fraction:
    return exact(value.approx(digits)) if z3.is_algebraic_value(value) else exact(value)


def seek(room: Room, ball: Ball | None) -> Answer:
    """A solution, in `ball` besides where there is one."""
    while True:
        match room.clock.check(room.solver):
            case "unsat":
                return Holds(NAME, TRUSTS)
            case "unknown":
                return Unknown(give_up(room.solver))
        z = room.encoding.point(room.solver.model())
        found = room.question.completed(z)
        if room.original.solved_by(found) and (ball is None or inside(room, found, ball)):
            return Fails(NAME, (found,))
        piece = room.piece(z)
        bound = room.ball(piece, z)
        if ball is not None and bound is not None:
            return Unknown("a distance of the metric l2 or mahalanobis stands among the conditions")
        bound = ball if bound is None else bound
        if not isinstance(bound, Ball):
            settled = room.nonlinear(piece, z)
            if isinstance(settled, str):
                return Unknown(settled)
            if settled is not None:
                return Fails(NAME, (settled,))
            room.block(piece, z)
            continue
        least = room.lowest(piece, z, bound.which)
        if least is None:
            return Unknown("out of time")
        value, point = least
        if value < bound.most:
            return Fails(NAME, (room.within(piece, z, point, bound),))
        if value == bound.most and not bound.strict:
            touching = room.reached(piece, z, point, bound.which)
            if isinstance(touching, str):
                return Unknown(touching)
            if touching is not None:
                return Fails(NAME, (touching,))
        if not room.touch(piece, point, bound.which) or (value == bound.most and not bound.strict):
            room.block(piece, z)


def inside(room: Room, point: Vector, ball: Ball) -> bool:
    value = point[room.question.squares[ball.which].variable]
    return value < ball.most or (value == ball.most and not ball.strict)


def find_square(question: Question, seconds: float) -> Answer:
    """A solution of a question with squares, or none."""
    room = Room(question, Clock(seconds))
    answer = seek(room, None)
    match answer:
        case Fails(by, (point,)):
            return Fails(by, (room.polish(point),))
        case _:
            return answer


def least_square(question: Question, seconds: float) -> Answer:
    """inf of numbers[0], a square of a distance, over the solutions; attained, or approached from z towards y."""
    room, leap = Room(question, Clock(seconds)), Leap(up=False, doubling=question.whole)
    loose = relaxed(room) if question.whole else None
    best: Reached | None = None
    which, factor, offset = 0, Fraction(1), Fraction(0)
    while True:
        square = room.encoding.variables[question.squares[which].variable]
        model = further(room.solver, room.clock, leap, partial(below, square))
        if isinstance(model, str):
            if not model:
                break
            return Unknown(model + ("" if best is None else f"; its square is at most {offset + factor * best[0]}"))
        z = room.encoding.point(model)
        piece = room.piece(z)
        if room.ball(piece, z) is not None:
            return Unknown("a distance of the metric l2 or mahalanobis stands among the conditions")
        goal = piece.numbers[0]
        if len(goal.weights) != 1 or goal.weights[0][0] not in room.made or goal.weights[0][1] <= 0:
            return Unknown("what is minimised is no distance")
        (variable, factor), offset = goal.weights[0], goal.constant
        which = next(k for k, s in enumerate(question.squares) if s.variable == variable)
        starts = [z]
        if loose is not None and (lower := loose.lowest(piece, z, which)) is not None:
            room.touch(piece, lower[1], which)
            near = room.whole_near(piece, lower[1])
            starts += [] if near is None or room.ball(piece, near) is not None else [near]
        for start in starts:
            found = room.lowest(piece, start, which)
            if found is None:
                return Unknown("out of time")
            value, point = found
            if best is None or value < best[0]:
                best = value, start, point
                room.solver.add(room.encoding.variables[variable] < number(value))
                leap.reached(value)
            if not room.touch(piece, point, which):
                room.block(piece, start)
    if best is None:
        return Least(NAME, None, False, (), TRUSTS)
    value, z, point = best
    again = Room(question, room.clock)
    ball = Ball(which, value, strict=False)
    again.solver.add(again.encoding.variables[question.squares[which].variable] <= number(value))
    again.touch(again.piece(z), point, which)
    match seek(again, ball):
        case Fails(_, (solution,)):
            return Least(NAME, offset + factor * value, True, (same_square(again, solution, ball),), TRUSTS)
        case Holds():
            return Least(NAME, offset + factor * value, False, (z, point), TRUSTS)
        case Unknown(why):
            return Unknown(f"the infimum has the square {value}, but whether it is attained stayed open: {why}")
        case other:
            raise AssertionError(other)


def relaxed(room: Room) -> Room:
    """The same room, but whole inputs are measured as if they were not."""
    loose, variables = copy(room), room.question.variables
    loose.question = replace(room.question, variables=tuple(replace(v, integer=False) for v in variables))
    loose.places = [i for i in range(len(variables)) if i not in room.made]
    return loose


def below(square: Term, most: Fraction) -> Bool:
    return square < number(most)


def same_square(room: Room, point: Vector, ball: Ball) -> Vector:
    """Short numbers at which the infimum is attained."""
    for i in range(len(point)):
        if i not in room.made:
            for candidate in candidates(room.question, i, point):
                if candidate == point[i]:
                    break
                tried = room.question.completed((*point[:i], candidate, *point[i + 1 :]))
                if room.original.solved_by(tried) and inside(room, tried, ball):
                    point = tried
                    break
    return point


def substantial_square(domain: Question, question: Question, copies: int, seconds: float) -> Answer:
    """A solution in a piece of positive measure: of dimension `copies` times that of the domain."""
    clock = Clock(seconds)
    thickness = thickest(domain, clock)
    if thickness is None:
        return Unknown("out of time")
    room = Room(question, clock)
    while True:
        match clock.check(room.solver):
            case "unsat":
                return Holds(NAME, TRUSTS)
            case "unknown":
                return Unknown(give_up(room.solver))
        z = room.encoding.point(room.solver.model())
        piece = room.piece(z)
        ball = room.ball(piece, z)
        if isinstance(ball, str):
            return Unknown(f"{ball}: the measure of what is left was not found")
        least = room.lowest(piece, z, ball.which) if ball is not None else (Fraction(0), z)
        if least is None:
            return Unknown("out of time")
        value, point = least
        start: Vector | None = z
        level: list[Row] = []
        if ball is not None and value >= ball.most:
            touching = None if ball.strict or value > ball.most else room.reached(piece, z, point, ball.which)
            if isinstance(touching, str):
                return Unknown(touching)
            start, level = touching, room.level(piece, point, ball.which)
        if start is not None:
            found = dimension(room, piece, level, start)
            if found is None:
                return Unknown("out of time")
            size, centre = found
            if size == thickness * copies:
                open_ball = ball is not None and value < ball.most
                assert ball is not None or not open_ball
                solution = (
                    room.within(piece, centre, point, ball)
                    if ball is not None and open_ball
                    else room.question.completed(centre)
                )
                return Fails(NAME, (solution,))
        if ball is not None and value > ball.most:
            room.touch(piece, point, ball.which)
        room.block(piece, z)


def dimension(room: Room, piece: Piece, level: Sequence[Row], start: Vector) -> tuple[int, Vector] | None:
    """The dimension of a piece (where it is level) among the real coordinates, and a relatively interior point."""
    variables = room.own(start)
    weak = [r for r in (*room.plain(piece.weak), *level) if any(room.line(r, start).slope)]
    base = [*room.rows(piece, variables), *(row_term(r, variables) >= 0 for r in level)]
    slack = {i: row_term(r, variables) for i, r in enumerate(weak)}
    inner: list[Vector] = [start]
    solver = new_solver(base)
    while slack:
        solver.push()
        solver.add(z3.Or([t > 0 for t in slack.values()]))
        result = room.clock.check(solver)
        if result == "unknown":
            return None
        if result == "unsat":
            solver.pop()
            break
        model = solver.model()
        point = room.put(start, [exact(model.eval(variables[i], model_completion=True)) for i in room.places])
        solver.pop()
        inner.append(point)
        slack = {i: t for i, t in slack.items() if weak[i].at(point) <= 0}
    flat = [room.line(weak[i], start).slope for i in slack]
    centre = tuple(sum(column, Fraction(0)) / len(inner) for column in zip(*inner, strict=True))
    return len(room.places) - (rank(flat) if flat else 0), centre
