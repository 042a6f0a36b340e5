"""Suprema by a search for solutions: a solution, the corner of its piece where the number is greatest, a solution at
which it is greater, and so on (THEORY section 3). That there is no other is a plain question, so where the search has
proofs, the answer has one. What has no end, or no solution at all, is left to `smt_measures`.

As there, the corner is looked for in the homogenised closure of the piece, { (u, t) : t >= 0, w.u + c t >= 0 for every
row w.x + c }, where the quotient of two numbers is a number: the divisor is 1.
"""

from __future__ import annotations

import time
from fractions import Fraction

from msgspec import Struct

from verifier.canonical.simplex import Inequality
from verifier.engines.engine import Answer, Fails, Holds, Most, Unknown, Vector, in_words, so_far
from verifier.engines.leap import Leap
from verifier.engines.linear_program import corner
from verifier.engines.peak import Search, pleasant, proofs, trusted
from verifier.query import closure
from verifier.query.piece import Row, piece_of
from verifier.query.question import Question

ZERO, ONE = Fraction(0), Fraction(1)
CONSTANT = Row((), ONE)


class Quotient(Struct, frozen=True):
    """numbers[0] of a question, or `divided` by numbers[1]; both are >= 0."""

    question: Question
    divided: bool

    def at(self, point: Vector) -> Fraction | None:
        """The value at a solution; None where it is none, or the divisor is 0."""
        if not self.question.solved_by(point):
            return None
        values = self.question.values(point)
        rise, run = values[self.question.numbers[0]], values[self.question.numbers[1]] if self.divided else ONE
        return rise / run if run else None

    def beyond(self, value: Fraction, attained: bool) -> tuple[Question, ...]:
        """What has no solution where that is the supremum: the first, since nothing is greater; the last, of those that
        have the value, where it is not attained."""
        return (closure.steeper if self.divided else closure.greater)(self.question, value, attained)

    def level(self, value: Fraction) -> Question:
        """The solutions where it has this value, which none exceeds."""
        return self.beyond(value, attained=False)[-1]

    def top(self, z: Vector) -> tuple[Fraction, Vector] | None:
        """The supremum over the piece of z, with the integers of z, and the place (u, t) where it is; None where there
        is none, or it is not found."""
        count, piece = len(z), piece_of(self.question, z)
        goal, base = piece.numbers[0], piece.numbers[1] if self.divided else CONSTANT
        size = base.at(z)
        if not size:
            return None

        def whole(row: Row, sign: int = 1, constant: Fraction = ZERO) -> Inequality:
            terms = {i: sign * w for i, w in row.weights}
            return Inequality({**terms, count: sign * row.constant} if row.constant else terms, constant)

        rows = [whole(row) for row in (*piece.weak, *piece.strict)]
        rows += [whole(base, 1, -ONE), whole(base, -1, ONE)]
        for i, variable in enumerate(self.question.variables):
            if variable.integer:
                rows += [whole(Row(((i, ONE),), -z[i]), sign) for sign in (1, -1)]
        low: list[Fraction | None] = [*(None for _ in z), ZERO]
        high: list[Fraction | None] = [None] * (count + 1)
        target = whole(goal).terms
        found = corner(target, rows, low, high, (*(a / size for a in z), 1 / size))
        return None if found is None else (sum((w * found[i] for i, w in target.items()), ZERO), found)


def ascent(quotient: Quotient, search: Search, seconds: float) -> Answer:
    """Its supremum over the solutions; Unknown where `search` comes to no end, or there is no corner."""
    end = time.monotonic() + seconds
    best: tuple[Fraction, Vector, Vector] | None = None
    further = quotient.beyond(ZERO, attained=True)[0]
    near: tuple[Vector, ...] = ()
    leap = Leap(up=True, doubling=quotient.question.whole)
    while True:
        found = search(further, end - time.monotonic(), near)
        if isinstance(found, Fails):
            z = found.points[0]
            top = quotient.top(z)
            if top is None:
                return Unknown("the number has no greatest value on some piece")
            value, place = top
            leap.reached(value)
            best = value, z, place
            near = z, *((tuple(a / place[-1] for a in place[:-1]),) if place[-1] else ())
        elif leap.length and isinstance(found, Holds):
            leap.failed()
        else:
            break
        further = quotient.beyond(leap.target, attained=True)[0]
    if not isinstance(found, Holds):
        why = found.why if isinstance(found, Unknown) else "another answer than a solution or none"
        return Unknown(so_far(why, None if best is None else best[0], up=True))
    if best is None:
        flat = search(quotient.level(ZERO), end - time.monotonic(), ())
        if not isinstance(flat, Fails):
            return Unknown("there is nothing to take a supremum over")
        return reached(quotient, ZERO, flat.points[0], found)
    value, z, place = best
    y = next((point for point in near[::-1] if quotient.at(point) == value), None)
    if y is None:
        last = search(quotient.level(value), end - time.monotonic(), near)
        if isinstance(last, Holds):
            held = (*proofs(found), *proofs(last)) if quotient.divided else proofs(last)
            return Most(found.by, value, False, (z, place), trusted(last), held)
        if not isinstance(last, Fails):
            return Unknown(f"the supremum is {in_words(value)}, but whether it is attained stayed open")
        y = last.points[0]
    return reached(quotient, value, y, found)


def reached(quotient: Quotient, value: Fraction, y: Vector, held: Holds) -> Most:
    """A supremum that the solution y attains, and nothing exceeds, as `held` says."""
    level = quotient.level(value)
    return Most(held.by, value, True, (pleasant(level, y, level.solved_by),), trusted(held), proofs(held))
