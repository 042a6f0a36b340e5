"""Where containment fails (THEORY section 6): Theorem 1* projected onto x, as a union of polyhedra. Runs in a worker
process.

For one piece P the theorem asks for some z with (x, z) in P and some y with (x, y) in the closure of P, d2 = 0 < d1.
For a given x the two have nothing to do with each other, so the x of P are an intersection of two shadows, and each is
a polyhedron (`eliminate`). A search asks for an x that no known piece explains, until there is none. Then the union is
made readable: a part takes every side that holds all over it, and drops one after the other as long as it stays in the
union; parts that others cover go.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import z3
from msgspec.structs import replace

from verifier.engines.eliminate import Half, half, shadow, substituted
from verifier.engines.engine import Answer, Torn, Unknown, Vector
from verifier.engines.smt import NAME, TRUSTS, Bool, Clock, Encoding, Term, give_up, new_solver, row_term
from verifier.query.piece import Row, piece_of
from verifier.query.question import Question

MOST = 400
"""More pieces than this are no answer that anybody reads."""
SHARE = 0.7
"""Of the time, for finding the pieces; the rest makes the union short."""

Part = tuple[Half, ...]


def torn(question: Question, domain: Question, seconds: float) -> Answer:
    """All x with a solution (x, z) and a closure point (x, y) of its piece at which numbers[0] = 0 < numbers[1].

    The first inputs of `question` are those of `domain`, the coordinates of x; as many more are those of x'."""
    width = len(domain.variables)
    clock, whole = Clock(SHARE * seconds), Clock(seconds)
    actual = Encoding(question, "z")
    shared = tuple(range(width))
    shadow_ = Encoding(question, "y", like=actual, shared=shared)
    fine, coarse = (shadow_.reals[n] for n in question.numbers)
    solver = new_solver([*actual.constraints, *shadow_.constraints, fine == 0, coarse > 0])
    found: list[Part] = []
    witnesses: list[tuple[Vector, Vector]] = []
    try:
        while (answer := clock.check(solver)) == "sat":
            model = solver.model()
            z, y = actual.point(model), shadow_.point(model)
            part = explained(question, z, width, clock)
            if len(found) == MOST:
                return Unknown(f"there are more than {MOST} parts")
            found.append(part)
            witnesses.append((z, y))
            solver.add(z3.Not(inside(part, actual.variables)))
    except OutOfTime:
        answer = "unknown"
    if answer == "unknown":
        so_far = f" after {len(found)} parts" if found else ""
        return Unknown(give_up(solver) + so_far)
    return Torn(NAME, tuple(Union(domain, found, whole).short()), tuple(found), tuple(witnesses), TRUSTS)


class OutOfTime(Exception):
    pass


def inside(part: Sequence[Half], variables: Sequence[Term]) -> Bool:
    return z3.And([side(h, variables) for h in part])


def side(given: Half, variables: Sequence[Term]) -> Bool:
    value = row_term(given.row, variables)
    return value > 0 if given.strict else value >= 0


class Sides:
    """Which sides follow from others, by one solver that keeps what it has learnt: each side has a name for it."""

    def __init__(self, variables: Sequence[Term], constraints: Sequence[Bool], clock: Clock) -> None:
        self.variables, self.clock = variables, clock
        self.solver = new_solver(constraints)
        self.names: dict[tuple[Half, bool], Bool] = {}

    def name(self, given: Half, holds: bool = True) -> Bool:
        if (given, holds) not in self.names:
            fact = side(given, self.variables)
            self.names[given, holds] = z3.Bool(f"s{len(self.names)}")
            self.solver.add(z3.Implies(self.names[given, holds], fact if holds else z3.Not(fact)))
        return self.names[given, holds]

    def exclude(self, others: Sequence[Half]) -> str:
        """unsat: no point has all of them."""
        return self.clock.check(self.solver, *map(self.name, others))

    def imply(self, others: Sequence[Half], given: Half) -> str:
        """unsat: every point that has the others has this one, too."""
        return self.clock.check(self.solver, *map(self.name, others), self.name(given, False))

    def needed(self, sides: Sequence[Half]) -> list[Half]:
        """Without the sides that follow from the others. Raises OutOfTime."""
        kept = list(sides)
        for given in sorted(sides, key=lambda h: -len(h.row.weights)):
            others = [h for h in kept if h is not given]
            match self.imply(others, given):
                case "unsat":
                    kept = others
                case "unknown":
                    raise OutOfTime
        return kept


def order(given: Half) -> tuple[object, ...]:
    """Sides of the same coordinates together, the lower bound first."""
    weights = given.row.weights
    return tuple(i for i, _ in weights), tuple(-w for _, w in weights), given.row.constant, given.strict


# one piece


def explained(question: Question, z: Vector, width: int, clock: Clock) -> Part:
    """The x for which the piece of z shows that containment fails."""
    piece = piece_of(question, z)
    fine, coarse = piece.numbers
    there = [half(r, False) for r in piece.weak] + [half(r, True) for r in piece.strict]
    near = [half(h.row, False) for h in there] + [half(fine, False), half(fine.minus(), False), half(coarse, True)]
    sides = Sides([z3.Real(f"e{i}") for i in range(2 * width)], (), clock)
    for i, v in enumerate(question.variables):
        if i < width or not v.integer:
            continue
        # an integer that oracle distance 0 ties to that of x is that one, whatever it is; another keeps its value
        ties = [Row(((i - width, s), (i, -s)), Fraction(0)) for s in (Fraction(1), Fraction(-1))]
        tied = all(sides.imply(near, half(row, False)) == "unsat" for row in ties)
        image = Row(((i - width, Fraction(1)),), Fraction(0)) if tied else Row((), z[i])
        there, near = ([half(substituted(h.row, i, image), h.strict) for h in given] for given in (there, near))
    reals = {i for i, v in enumerate(question.variables) if i >= width and not v.integer}
    both = [*shadow(there, reals, sides.needed), *shadow(near, reals, sides.needed)]
    return tuple(shadow(both, (), sides.needed))


# the union


class Union:
    """The parts within the domain, to be made few and short. What time does not suffice for stays as it is."""

    def __init__(self, domain: Question, parts: Sequence[Part], clock: Clock) -> None:
        encoding = Encoding(domain, "x")
        self.variables, self.parts = encoding.variables, parts
        self.within = Sides(self.variables, encoding.constraints, clock)
        rest = [z3.Not(inside(part, self.variables)) for part in parts]
        self.outside = Sides(self.variables, [*encoding.constraints, *rest], clock)

    def short(self) -> list[Part]:
        """Parts of which no side can be dropped, and none of which the others cover."""
        pool = list(dict.fromkeys(h for part in self.parts for h in part))
        pool = list(dict.fromkeys([*pool, *(replace(h, strict=False) for h in pool)]))
        wide = list(dict.fromkeys(self.grown(part, pool) for part in self.parts))
        solver = self.within.solver
        for part in sorted(wide, key=len, reverse=True):
            others = [p for p in wide if p is not part]
            solver.push()
            solver.add(inside(part, self.variables), *(z3.Not(inside(p, self.variables)) for p in others))
            if others and self.within.clock.check(solver) == "unsat":
                wide = others
            solver.pop()
        return sorted(wide, key=lambda part: [(h.row.weights, h.row.constant) for h in part])

    def grown(self, part: Part, pool: Sequence[Half]) -> Part:
        """A larger part of the union, with fewer sides: first its own sides go, as far as others then bound it."""
        more = [h for h in pool if h not in part and self.within.imply(part, h) == "unsat"]
        kept = [*part, *more]
        for given in (*part, *more):
            others = [h for h in kept if h is not given]
            if self.outside.exclude(others) == "unsat":
                kept = others
        ends = [half(h.row.minus(), False) for h in kept if not h.strict]
        kept += [h for h in ends if h not in kept and self.within.imply(kept, h) == "unsat"]  # an equation, in X
        return tuple(sorted(kept, key=order))
