"""The steepest quotient of a piecewise-linear distance by an l2 distance, exactly: z3 chooses the piece, an exact
quadratic programme measures it.

On a piece the supremum of d1 : d2 is that over the homogenised closure of the piece, a cone (as for linear d2). Both
scale alike, so its square is 1 / min { d2^2 : d1 = 1 }, a rational; it is infinite where the minimum is 0. Every round
settles one piece. What z3 is told besides prunes: d2 is at least (a . f) / |a| for any direction a, and only quotients
that are not below the best one so far are looked for; above it, once a pair has it: others may have it as well, one of
each of many whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

import z3

from verifier.canonical.quadratic import Line, minimise
from verifier.engines.engine import Answer, Most, Unknown, Vector, so_far
from verifier.engines.quadratic import Room
from verifier.engines.smt import NAME, TRUSTS, Clock, exact, give_up, new_solver, number, row_term, total
from verifier.query.piece import Piece
from verifier.query.question import Question

GAP = Fraction(1, 2**20)
"""Directions are rounded so far, relatively: this only prunes less."""
BITS = 24
"""Roots are rounded to so many bits."""


def steepest_square(question: Question, seconds: float) -> Answer:
    """sup of numbers[0]^2 : Q over the solutions with numbers[0] > 0, where Q is the one square of the question; the
    value None if it is infinite. Attained at a solution, or approached by (z + r u) / (1 + r t) as of `Most`."""
    room = Room(question, Clock(seconds))
    rise, run = room.encoding.reals[question.numbers[0]], z3.Real("distance")
    room.solver.add(rise > 0, run >= 0)
    best: tuple[Fraction, Vector, Vector] | None = None
    reached: Vector | None = None
    while True:
        match room.clock.check(room.solver):
            case "unsat":
                break
            case "unknown":
                known = None if best is None else best[0]
                return Unknown(so_far(give_up(room.solver), known, up=True, what="its square"))
        z = room.encoding.point(room.solver.model())
        piece = room.piece(z)
        found = gentlest(room, piece, z)
        if found is None:
            known = None if best is None else best[0]
            return Unknown(so_far("out of time", known, up=True, what="its square"))
        least, place = found
        if not least:
            return Most(NAME, None, False, (z, place))
        if best is None or 1 / least > best[0]:
            best, reached = (1 / least, z, place), None
            room.solver.add(rise >= number(short_root(best[0])) * run)
        if reached is None and 1 / least == best[0]:
            touching = attaining(room, piece, z, place)
            if isinstance(touching, str):
                return Unknown(f"the supremum has the square {best[0]}, but whether it is attained stayed open")
            reached = touching
        if reached is not None and 1 / least == best[0]:
            exceed(room, piece, place, rise, best[0])
        prune(room, piece, place, run)
        room.block(piece, z)
    if best is None:
        return Most(NAME, Fraction(0), False, (), TRUSTS)
    value, z, place = best
    return Most(NAME, value, reached is not None, (z, place) if reached is None else (reached,), TRUSTS)


def gentlest(room: Room, piece: Piece, z: Vector) -> tuple[Fraction, Vector] | None:
    """The least square where d1 = 1 in the cone of the piece of z, and the place (u, t) that has it."""
    goal = room.line(piece.numbers[0], z)
    rows = [homogeneous(room.line(r, z)) for r in room.plain((*piece.weak, *piece.strict))]
    size = len(room.places) + 1
    up = homogeneous(goal)
    level = [Line(up.slope, Fraction(-1)), Line(tuple(-a for a in up.slope), Fraction(1))]
    positive = Line(tuple(Fraction(i == size - 1) for i in range(size)), Fraction(0))
    reals = [z[i] for i in room.places]
    height = goal.at(reals)
    squares = [(w, homogeneous(f)) for w, f in room.squares(piece, z, 0)]
    start = tuple(x / height for x in (*reals, Fraction(1)))
    found = minimise(squares, [*rows, positive, *level], start, room.clock.end)
    if found is None:
        return None
    t = found[-1]
    moved = [a * t if v.integer else Fraction(0) for a, v in zip(z, room.question.variables, strict=True)]
    for i, a in zip(room.places, found, strict=False):
        moved[i] = a
    return sum((w * f.at(found) ** 2 for w, f in squares), Fraction(0)), (*moved, t)


def homogeneous(line: Line) -> Line:
    """The form with its constant as the slope of one more coordinate."""
    return Line((*line.slope, line.constant), Fraction(0))


def forms(room: Room, piece: Piece, place: Vector) -> list[Fraction]:
    """The forms of the square at (u, t)."""
    rows = dict(zip(room.nodes, piece.numbers[room.first :], strict=True))
    terms = [rows[n] for _, n in room.question.squares[0].terms]
    return [sum((w * place[i] for i, w in r.weights), r.constant * place[-1]) for r in terms]


def prune(room: Room, piece: Piece, place: Vector, run: z3.ArithRef) -> None:
    """Tell z3 that d2 is at least its share along the direction of a place: by Cauchy and Schwarz."""
    terms = room.question.squares[0].terms
    values = forms(room, piece, place)
    longest = max(map(abs, values))
    direction = [Fraction(round(x / longest / GAP)) * GAP for x in values]
    length = sum((w * a * a for (w, _), a in zip(terms, direction, strict=True)), Fraction(0))
    share = short_root(1 / length)
    pairs = [(share * w * a, room.encoding.reals[n]) for (w, n), a in zip(terms, direction, strict=True) if a]
    room.solver.add(run >= total(pairs, Fraction(0)))


def exceed(room: Room, piece: Piece, place: Vector, rise: z3.ArithRef, best: Fraction) -> None:
    """Only quotients above the best one: with the forms f* of a place that has it, where d1 = 1 and d2^2 = 1 / best,
    sqrt(best) * d2 is at least best * (f* . f), without any root (by Cauchy and Schwarz)."""
    terms = room.question.squares[0].terms
    pairs = [(best * w * a, room.encoding.reals[n]) for (w, n), a in zip(terms, forms(room, piece, place), strict=True)]
    room.solver.add(rise > total([(w, form) for w, form in pairs if w], Fraction(0)))


def short_root(square: Fraction) -> Fraction:
    """A short rational not above the root, and near."""
    size = square.numerator.bit_length() - square.denominator.bit_length()
    places = max(0, BITS - size // 2)
    return Fraction(isqrt(int(square * 4**places)), 2**places)


def attaining(room: Room, piece: Piece, z: Vector, place: Vector) -> Vector | str | None:
    """A point of the piece itself with the quotient of its cone: the minimiser's forms are unique, so all forms there
    are theirs, times d1."""
    variables = room.own(z)
    rows = dict(zip(room.nodes, piece.numbers[room.first :], strict=True))
    goal = row_term(piece.numbers[0], variables)
    ratios = forms(room, piece, place)
    level: Sequence[z3.BoolRef] = [
        row_term(rows[n], variables) == number(a) * goal
        for (_, n), a in zip(room.question.squares[0].terms, ratios, strict=True)
    ]
    solver = new_solver([*room.rows(piece, variables), *level, goal > 0])
    match room.clock.check(solver):
        case "unsat":
            return None
        case "unknown":
            return give_up(solver)
    model = solver.model()
    reals = [exact(model.eval(variables[i], model_completion=True)) for i in room.places]
    return room.question.completed(room.put(z, reals))
