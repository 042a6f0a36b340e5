"""Where containment fails (THEORY section 6): Theorem 1* projected onto x, as a union of polyhedra. Runs in a worker
process.

Where X is closed and the distances are continuous Theorem 1 asks for no limit: the x are those of the pairs with
d2 = 0 < d1. Else, for one piece P, Theorem 1* asks for some z with (x, z) in P and some y with (x, y) in the closure of
P, d2 = 0 < d1. For a given x the two have nothing to do with each other, so the x of P are an intersection of two
shadows. Each is a polyhedron (`eliminate`). A search asks for an x that no known piece explains, until there is none.
Then the union is made readable: a part takes every side that holds all over it, and drops one after the other as long
as it stays in the union; parts that others cover go.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import z3
from msgspec.structs import replace

from verifier.engines.eliminate import Half, equation, half, shadow, substituted, tidy
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
    """All x with a solution (x, z) and a closure point (x, y) of its piece at which numbers[0] = 0 < numbers[1]; of a
    question with one number, all x with a solution (x, y).

    The first inputs of `question` are those of `domain`, the coordinates of x; as many more are those of x'."""
    width = len(domain.variables)
    clock, whole = Clock(SHARE * seconds), Clock(seconds)
    actual = shadow_ = Encoding(question, "z")
    constraints = actual.constraints
    if limits := len(question.numbers) == 2:
        shadow_ = Encoding(question, "y", like=actual, shared=tuple(range(width)))
        fine, coarse = (shadow_.reals[n] for n in question.numbers)
        constraints = [*constraints, *shadow_.constraints, fine == 0, coarse > 0]
    solver = new_solver(constraints)
    found: list[Part] = []
    witnesses: list[tuple[Vector, Vector]] = []
    try:
        while (answer := clock.check(solver)) == "sat":
            model = solver.model()
            z, y = actual.point(model), shadow_.point(model)
            part = explained(question, z, width, clock) if limits else answered(question, domain, z, clock)
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
    """The x for which the piece of z shows that containment fails in the limit."""
    piece = piece_of(question, z)
    there = [half(r, False) for r in piece.weak] + [half(r, True) for r in piece.strict]
    fine, coarse = piece.numbers
    near = [half(h.row, False) for h in there] + [half(fine, False), half(fine.minus(), False), half(coarse, True)]
    sides = Sides([z3.Real(f"e{i}") for i in range(2 * width)], (), clock)
    for i, image in whole(question, z, width, near, sides).items():
        there, near = ([half(substituted(h.row, i, image), h.strict) for h in given] for given in (there, near))
    reals = {i for i, v in enumerate(question.variables) if i >= width and not v.integer}
    both = [*shadow(there, reals, sides.needed), *shadow(near, reals, sides.needed)]
    return tuple(shadow(both, (), sides.needed))


def whole(question: Question, z: Vector, width: int, near: Sequence[Half], sides: Sides) -> dict[int, Row]:
    """The integers of x': one that oracle distance 0 ties to that of x is that one, whatever it is; another keeps its
    value."""
    images = {}
    for i, v in enumerate(question.variables):
        if i >= width and v.integer:
            ties = [Row(((i - width, s), (i, -s)), Fraction(0)) for s in (Fraction(1), Fraction(-1))]
            tied = all(sides.imply(near, half(row, False)) == "unsat" for row in ties)
            images[i] = Row(((i - width, Fraction(1)),), Fraction(0)) if tied else Row((), z[i])
    return images


def answered(question: Question, domain: Question, z: Vector, clock: Clock) -> Part:
    """The x for which the piece of z has an x'. Where that is one affine image of x, all of its sides go without which
    the image is still a solution."""
    width = len(domain.variables)
    piece = piece_of(question, z)
    left = [half(r, False) for r in piece.weak] + [half(r, True) for r in piece.strict]
    sides = Sides([z3.Real(f"e{i}") for i in range(2 * width)], (), clock)
    images = whole(question, z, width, left, sides)
    for i, image in images.items():
        left = [half(substituted(h.row, i, image), h.strict) for h in left]
    reals = {i for i, v in enumerate(question.variables) if i >= width and not v.integer}
    left = tidy(left)
    while (given := equation(left, reals - images.keys())) is not None:
        variable, image = given
        left = tidy(half(substituted(h.row, variable, image), h.strict) for h in left)
        images = {i: substituted(row, variable, image) for i, row in images.items()} | {variable: image}
    part = tuple(shadow(left, reals - images.keys(), sides.needed))
    if reals - images.keys():
        return part
    x, both = Encoding(domain, "x"), Encoding(question, "b")
    values = [*x.variables, *(row_term(images[i], x.variables) for i in range(width, 2 * width))]
    same = [there == here for there, here in zip(both.variables, values, strict=True)]
    fails = Sides(x.variables, [*same, z3.Not(z3.And(both.constraints))], clock)
    own = piece_of(domain, z[:width])  # the part lies in this piece of X, whose sides it may need when others go
    part = tuple(dict.fromkeys([*part, *(half(r, False) for r in own.weak), *(half(r, True) for r in own.strict)]))
    for side_ in part:
        others = tuple(h for h in part if h is not side_)
        if fails.exclude(others) == "unsat":
            part = others
    return part


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
