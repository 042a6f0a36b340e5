"""Suprema, exactly: the modulus, its defect, and the Lipschitz constant (THEORY section 3). Runs in a worker process.

Each search climbs: z3 finds a solution above the best value so far, exact linear programming takes that value to the
supremum over the solution's piece, and so on until there is none above. There are finitely many pieces. The program is
solved on the homogenised closure of the piece, { (u, t) : t >= 0, w.u + c t >= 0 for every row w.x + c }: it holds the
closure (t = 1) and its directions of recession (t = 0), so that unbounded pieces need no case of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import z3

from verifier.engines.engine import Answer, Most, Unknown, Vector, in_words, so_far
from verifier.engines.leap import Leap
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
    polish_at,
    thickest,
    total,
)
from verifier.query.piece import Piece, Row, piece_of
from verifier.query.question import Question

CONSTANT = Row((), Fraction(1))
"""The form 1, which is t once homogenised."""


class OutOfTime(Exception):
    pass


class Cone:
    """The homogenised closure of the piece of z; an integer coordinate is that of z, times t."""

    def __init__(self, question: Question, z: Vector, clock: Clock) -> None:
        self.piece: Piece = piece_of(question, z)
        self.clock = clock
        self.t = z3.Real("t")
        self.point: list[Term] = [
            number(a) * self.t if v.integer else z3.Real(f"u{i}")
            for i, (a, v) in enumerate(zip(z, question.variables, strict=True))
        ]
        self.rows: list[Bool] = [self.form(r) >= 0 for r in (*self.piece.weak, *self.piece.strict)] + [self.t >= 0]

    def form(self, row: Row) -> Term:
        """The row, homogenised."""
        terms = [(w, self.point[i]) for i, w in row.weights]
        return total([*terms, (row.constant, self.t)] if row.constant else terms, Fraction(0))

    def read(self, model: z3.ModelRef) -> Vector:
        return tuple(exact(model.eval(x, model_completion=True)) for x in (*self.point, self.t))

    def escape(self, goal: Row, base: Row, zero: Sequence[Row]) -> Vector | None:
        """A place with goal > 0 = base, where the quotient of the two is infinite."""
        solver = new_solver([*self.rows, *(self.form(r) == 0 for r in (base, *zero)), self.form(goal) == 1])
        match self.clock.check(solver):
            case "sat":
                return self.read(solver.model())
            case "unsat":
                return None
        raise OutOfTime

    def top(self, goal: Row, base: Row, zero: Sequence[Row]) -> Vector | None:
        """The place with base = 1 and the largest goal, which is bounded; None when z3 does not say."""
        optimizer = z3.Optimize()
        optimizer.add(*self.rows, *(self.form(r) == 0 for r in zero), self.form(base) == 1)
        optimizer.maximize(self.form(goal))
        return self.read(optimizer.model()) if self.clock.check(optimizer) == "sat" else None


def at(row: Row, place: Vector) -> Fraction:
    """The homogenised row at (u, t)."""
    return sum((w * place[i] for i, w in row.weights), row.constant * place[-1])


Best = tuple[Fraction, Vector, Vector]
"""A value, a solution, and the place of its cone where the value is reached."""


def climb(
    solver: z3.Solver,
    clock: Clock,
    above: Callable[[Fraction], Bool],
    look: Callable[[z3.ModelRef], tuple[Cone, Vector, Vector]],
    rows: Callable[[Piece], tuple[Row, Row, Sequence[Row]]],
) -> Best | Most | Unknown | None:
    """The largest quotient goal : base over the cones of all solutions; None where the solver finds nothing at all.

    `above`: a solution with more than this value; `look`: the cone of a solution, the solution, a place to start from;
    `rows` of a piece: goal, base, and the forms that must vanish.
    """
    best: Best | None = None
    leap = Leap(up=True)
    while True:
        model = further(solver, clock, leap, above)
        if isinstance(model, str):
            return best if not model else Unknown(so_far(model, None if best is None else best[0], up=True))
        try:
            cone, z, place = look(model)
            goal, base, zero = rows(cone.piece)
            if (away := cone.escape(goal, base, zero)) is not None:
                return Most(NAME, None, False, (z, away))
            higher = cone.top(goal, base, zero)
        except OutOfTime:
            return Unknown(so_far("out of time", None if best is None else best[0], up=True))
        if higher is not None and at(goal, higher) * at(base, place) >= at(goal, place) * at(base, higher):
            place = higher
        best = at(goal, place) / at(base, place), z, place
        leap.reached(best[0])
        solver.add(above(best[0]))


def greatest(question: Question, seconds: float) -> Answer:
    """sup of numbers[0] over the solutions."""
    clock = Clock(seconds)
    encoding = Encoding(question, "g")
    objective = encoding.reals[question.numbers[0]]

    def look(model: z3.ModelRef) -> tuple[Cone, Vector, Vector]:
        z = encoding.point(model)
        return Cone(question, z, clock), z, (*z, Fraction(1))

    found = climb(
        new_solver(encoding.constraints),
        clock,
        lambda value: objective > number(value),
        look,
        lambda piece: (piece.numbers[0], CONSTANT, ()),
    )
    if not isinstance(found, tuple):
        return found or Most(NAME, Fraction(0), False, (), TRUSTS)
    value, z, place = found
    return _reached(question, encoding, [objective == number(value)], value, (z, place), clock)


def defect(question: Question, seconds: float) -> Answer:
    """sup of numbers[0] over the closures of the pieces, where numbers[1] = 0 there."""
    clock = Clock(seconds)
    actual = Encoding(question, "z")
    shadow = Encoding(question, "y", like=actual)
    objective, zero = (shadow.reals[n] for n in question.numbers)

    def look(model: z3.ModelRef) -> tuple[Cone, Vector, Vector]:
        z = actual.point(model)
        return Cone(question, z, clock), z, (*shadow.point(model), Fraction(1))

    found = climb(
        new_solver([*actual.constraints, *shadow.constraints, zero == 0]),
        clock,
        lambda value: objective > number(value),
        look,
        lambda piece: (piece.numbers[0], CONSTANT, (piece.numbers[1],)),
    )
    if not isinstance(found, tuple):
        return found or Most(NAME, Fraction(0), False, (), TRUSTS)
    value, z, place = found
    return Most(NAME, value, False, (z, place), TRUSTS)


def steepest(question: Question, seconds: float) -> Answer:
    """sup of numbers[0] : numbers[1] over the solutions where one of the two is not 0 (both are >= 0)."""
    clock = Clock(seconds)
    encoding = Encoding(question, "s")
    rise, run = (encoding.reals[n] for n in question.numbers)

    def look(model: z3.ModelRef) -> tuple[Cone, Vector, Vector]:
        z = encoding.point(model)
        return Cone(question, z, clock), z, (*z, Fraction(1))

    found = climb(
        new_solver([*encoding.constraints, rise > 0]),
        clock,
        lambda value: rise > number(value) * run,
        look,
        lambda piece: (piece.numbers[0], piece.numbers[1], ()),
    )
    if isinstance(found, Most | Unknown):
        return found
    value, points = (Fraction(0), ()) if found is None else (found[0], (found[1], found[2]))
    return _reached(question, encoding, [rise == number(value) * run, run > 0], value, points, clock)


def _reached(
    question: Question,
    encoding: Encoding,
    facts: Sequence[Bool],
    value: Fraction,
    points: tuple[Vector, ...],
    clock: Clock,
) -> Answer:
    """The supremum with a solution that attains it, if there is one."""
    solver = new_solver([*encoding.constraints, *facts])
    match clock.check(solver):
        case "sat":
            point = polish_at(question, encoding, solver, encoding.point(solver.model()), value)
            return Most(NAME, value, True, (point,), TRUSTS)
        case "unsat":
            return Most(NAME, value, False, points, TRUSTS)
    return Unknown(f"the supremum is {in_words(value)}, but whether it is attained stayed open: {give_up(solver)}")


def breadth(question: Question, seconds: float) -> int | None:
    """The largest dimension of a piece of the solutions; None when the time is over."""
    return thickest(question, Clock(seconds))
