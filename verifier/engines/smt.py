"""z3's room: circuits as formulas of linear arithmetic, and the searches built on them. Runs in a worker process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import z3
from msgspec import Struct
from msgspec.structs import replace

from verifier.canonical.linalg import rref
from verifier.engines.engine import Answer, Fails, Holds, Least, Null, Unknown, Vector, in_words, so_far
from verifier.engines.leap import Leap
from verifier.engines.peak import Reached, bared, least_peak
from verifier.engines.polish import candidates, polish
from verifier.kernel.circuit import Affine, Input, Select
from verifier.query.convex import largest
from verifier.query.piece import Piece, Row, choices, piece_of, real_inputs, senses
from verifier.query.question import Question

NAME = f"z3 {z3.get_version_string()}"
TRUSTS = (NAME,)
EFFORT = 60_000
"""z3's units of work for one wish: about a tenth of a second."""
SMALL = 12
"""Up to so many piecewise choices z3 is asked to make a solution pleasant."""
WIDE = 32
"""Up to so many coordinates those of a nearest point are."""
Term: TypeAlias = Any  # z3 expressions: the bindings are untyped
Bool: TypeAlias = Any


def number(value: Fraction) -> Term:
    return z3.RealVal(str(value))  # z3.Q divides one by the other, which takes ten times as long


def total(terms: Iterable[tuple[Fraction, Term]], constant: Fraction) -> Term:
    parts = [t if w == 1 else number(w) * t for w, t in terms]
    if constant or not parts:
        parts.append(number(constant))
    return z3.Sum(parts) if len(parts) > 1 else parts[0]


class Encoding:
    """The circuit of a question over fresh z3 variables.

    With `like`, a shadow: every test has the outcome it has in `like`, and may hold weakly (the closure of the piece
    of `like`).
    """

    def __init__(self, question: Question, name: str, like: Encoding | None = None, shared: Sequence[int] = ()) -> None:
        self.question = question
        self.variables: list[Term] = []
        self.constraints: list[Bool] = []
        for i, v in enumerate(question.variables):
            if like is not None and (v.integer or i in shared):
                self.variables.append(like.variables[i])
                continue
            x = z3.Int(f"{name}{i}") if v.integer else z3.Real(f"{name}{i}")
            self.variables.append(x)
            if v.low is not None:
                self.constraints.append(x >= number(v.low) if not v.integer else x >= int(v.low))
            if v.high is not None:
                self.constraints.append(x <= number(v.high) if not v.integer else x <= int(v.high))
        self.reals: dict[int, Term] = {}
        self.truths: dict[int, Bool] = {}
        true, real = senses(question.circuit, question.facts, (*question.numbers, *question.large))
        for i, node in enumerate(question.circuit):
            if i not in true and i not in real:
                continue
            match node:
                case Input(index):
                    x = self.variables[index]
                    self.reals[i] = z3.ToReal(x) if question.variables[index].integer else x
                case Affine((), constant) if i in true:
                    self.reals[i] = number(constant)
                    self.truths[i] = z3.BoolVal(constant >= 0)
                case Affine(terms, constant):
                    self.reals[i] = total(((w, self.reals[j]) for j, w in terms), constant)
                case Select(test, then, otherwise):
                    if i in real:
                        self.reals[i] = z3.If(self.truths[test], self.reals[then], self.reals[otherwise])
                    if i in true and like is None:
                        self.truths[i] = choose(self.truths[test], self.truths[then], self.truths[otherwise])
            if i in true and i not in self.truths:
                if like is not None:
                    self.truths[i] = like.truths[i]
                    if not isinstance(node, Select):
                        value = self.reals[i]
                        self.constraints.append(z3.If(like.truths[i], value >= 0, value <= 0))
                else:
                    self.truths[i] = self.reals[i] >= 0
        if like is None:
            self.constraints += [self.truths[f] for f in question.facts]

    def point(self, model: z3.ModelRef) -> Vector:
        return tuple(exact(model.eval(x, model_completion=True)) for x in self.variables)


def choose(test: Bool, then: Bool, otherwise: Bool) -> Bool:
    if z3.is_true(then) and z3.is_false(otherwise):
        return test
    if z3.is_false(otherwise):
        return z3.And(test, then)
    if z3.is_true(then):
        return z3.Or(test, otherwise)
    if z3.is_false(then):
        return z3.And(z3.Not(test), otherwise)
    return z3.If(test, then, otherwise)


def exact(value: z3.ExprRef) -> Fraction:
    if z3.is_int_value(value):
        return Fraction(value.as_long())
    return Fraction(value.numerator_as_long(), value.denominator_as_long())


def row_term(row: Row, variables: Sequence[Term]) -> Term:
    return total(
        ((w, z3.ToReal(v) if v.is_int() else v) for w, v in ((w, variables[i]) for i, w in row.weights)), row.constant
    )


class Clock:
    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self.end - time.monotonic())

    def check(self, solver: z3.Solver | z3.Optimize, *assumptions: Bool) -> str:
        """sat, unsat or unknown (under `assumptions`), within what is left of the time."""
        if (left := self.left) <= 0.001:
            return "unknown"
        solver.set("timeout", max(1, int(left * 1000)))
        return str(solver.check(*assumptions))


class Tries:
    """Wishes that are granted while they are cheap: z3's own count of work bounds each, so that what comes out does not
    depend
    on how busy the machine is. After three that were too dear there are no more."""

    def __init__(self, solver: z3.Solver, clock: Clock) -> None:
        self.solver, self.clock, self.patience = solver, clock, 3

    def model(self, wish: Bool) -> z3.ModelRef | None:
        """A model of what the solver holds and of `wish`, which is then forgotten."""
        if not self.patience:
            return None
        self.solver.push()
        self.solver.add(wish)
        self.solver.set("rlimit", EFFORT)
        result = self.clock.check(self.solver)
        model = self.solver.model() if result == "sat" else None
        self.patience -= result == "unknown"
        self.solver.set("rlimit", 0)
        self.solver.pop()
        return model


class Wishes(Tries):
    """What `polish` wishes of the solutions of a question."""

    def __init__(self, encoding: Encoding, solver: z3.Solver, clock: Clock) -> None:
        super().__init__(solver, clock)
        self.encoding = encoding

    def least(self, node: int, value: Fraction, keep: Vector | None = None) -> Vector | None:
        return self.wish(self.encoding.reals[node] >= number(value), keep)

    def fixed(self, i: int, value: Fraction, keep: Vector | None = None) -> Vector | None:
        x = self.encoding.variables[i]
        return self.wish(x == (int(value) if x.is_int() else number(value)), keep)

    def wish(self, wish: Bool, keep: Vector | None) -> Vector | None:
        if keep is not None:
            self.solver.add(wish)
            return keep
        model = self.model(wish)
        return None if model is None else self.encoding.point(model)


def new_solver(constraints: Iterable[Bool]) -> z3.Solver:
    solver = z3.Solver()
    solver.add(*constraints)
    return solver


# searches


def find(question: Question, seconds: float) -> Answer:
    """A solution, made pleasant; or none."""

    def pleasant(encoding: Encoding, solver: z3.Solver, clock: Clock) -> Vector:
        wishes = Wishes(encoding, solver, clock)
        if choices(question) > SMALL:
            wishes.patience = 0
        return polish(question, encoding.point(solver.model()), wishes, question.solved_by)

    return solution(question, seconds, pleasant)


def solution(
    question: Question,
    seconds: float,
    taken: Callable[[Encoding, z3.Solver, Clock], Vector] = lambda encoding, solver, _: encoding.point(solver.model()),
) -> Answer:
    """A solution, `taken` from what z3 found, or none."""
    clock = Clock(seconds)
    encoding = Encoding(question, "v")
    solver = new_solver(encoding.constraints)
    match clock.check(solver):
        case "unsat":
            return Holds(NAME, TRUSTS)
        case "unknown":
            return Unknown(give_up(solver))
    return Fails(NAME, (taken(encoding, solver, clock),))


def further(solver: z3.Solver, clock: Clock, leap: Leap, beyond: Callable[[Fraction], Bool]) -> z3.ModelRef | str:
    """A model, if there is one beyond the target of the leap; the solver knows that it has to be beyond the best value.
    Or why there is none: "" where the solver knows that."""
    while leap.length:
        solver.push()
        solver.add(beyond(leap.target))
        model = solver.model() if clock.check(solver) == "sat" else None
        solver.pop()
        if model is not None:
            return model
        leap.failed()
    answer = clock.check(solver)
    return solver.model() if answer == "sat" else "" if answer == "unsat" else give_up(solver)


def give_up(solver: z3.Solver) -> str:
    reason = solver.reason_unknown()
    return "out of time" if reason in ("timeout", "canceled", "unknown") else f"z3 gave up: {reason}"


def approach(question: Question, shared: tuple[int, ...], seconds: float) -> Answer:
    """Theorem 1* and 1U: a solution and a point of the closure of its piece at which numbers[0] = 0 < numbers[1].

    `shared`: the inputs that both have in common (those of x for Theorem 1*, none for 1U).
    """
    clock = Clock(seconds)
    actual = Encoding(question, "z")
    shadow = Encoding(question, "y", like=actual, shared=shared)
    fine, coarse = (shadow.reals[n] for n in question.numbers)
    solver = new_solver([*actual.constraints, *shadow.constraints, fine == 0, coarse > 0])
    match clock.check(solver):
        case "unsat":
            return Holds(NAME, TRUSTS)
        case "unknown":
            return Unknown(give_up(solver))
    best = solver.model()
    tries = Tries(solver, clock)
    for x in dict.fromkeys((*shadow.variables, *actual.variables)):  # short numbers, where z3 finds them at once
        now = exact(best.eval(x, model_completion=True))
        for candidate in (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(round(now)), Fraction(round(now * 4), 4)):
            value = int(candidate) if x.is_int() else number(candidate)
            if x.is_int() and candidate.denominator != 1:
                continue
            if (model := tries.model(x == value)) is not None:
                best = model
                solver.add(x == value)
                break
    return Fails(NAME, (actual.point(best), shadow.point(best)))


def least(question: Question, seconds: float) -> Answer:
    """inf of numbers[0] over the solutions: the minimum over the closures of all non-empty pieces."""
    clock = Clock(seconds)
    forms = largest(question.circuit, question.numbers[0], len(question.variables))
    if forms is not None:
        return least_peak(question, bared(question), forms, lambda asked, left, _: solution(asked, left), seconds)
    actual = Encoding(question, "z")
    shadow = Encoding(question, "y", like=actual)
    objective = shadow.reals[question.numbers[0]]

    def lower(model: z3.ModelRef) -> Reached:
        z, y = actual.point(model), shadow.point(model)
        value, y = lowest(question, z, y, clock)
        return value, z, y

    found = descended([*actual.constraints, *shadow.constraints], objective, lower, clock)
    if not isinstance(found, tuple):
        return found
    value, z, y = found
    reached = Encoding(question, "a")
    exactly = new_solver([*reached.constraints, reached.reals[question.numbers[0]] == number(value)])
    match clock.check(exactly):
        case "sat":
            point = reached.point(exactly.model())
            at = replace(question, large=())
            point = polish_at(at, reached, exactly, point, value)
            return Least(NAME, value, True, (point,), TRUSTS)
        case "unsat":
            return Least(NAME, value, False, (z, y), TRUSTS)
    return Unknown(f"the infimum is {in_words(value)}, but whether it is attained stayed open: {give_up(exactly)}")


def descended(
    constraints: Sequence[Bool], objective: Term, lower: Callable[[z3.ModelRef], Reached], clock: Clock
) -> Reached | Least | Unknown:
    """The least of what `lower` makes of models: again and again for one with less, until there is none. Least where
    there is not even a first."""
    solver, leap = new_solver(constraints), Leap(up=False)
    best: Reached | None = None
    while True:
        model = further(solver, clock, leap, lambda value: objective < number(value))
        if isinstance(model, str):
            if model:
                return Unknown(so_far(model, None if best is None else best[0], up=False))
            return best or Least(NAME, None, False, (), TRUSTS)
        best = lower(model)
        leap.reached(best[0])
        solver.add(objective < number(best[0]))


def polish_at(question: Question, encoding: Encoding, solver: z3.Solver, point: Vector, value: Fraction) -> Vector:
    """Short numbers for a point at which the infimum is attained, unless it has very many coordinates."""
    if len(point) > WIDE:
        return point
    wishes = Wishes(encoding, solver, Clock(10.0))
    for i in range(len(point)):
        for candidate in candidates(question, i, point):
            if (found := wishes.fixed(i, candidate)) is not None:
                point = found
                break
        wishes.fixed(i, point[i], point)
    return point


def lowest(question: Question, z: Vector, y: Vector, clock: Clock) -> tuple[Fraction, Vector]:
    """The minimum of numbers[0] over the closure of the piece of z, with the integers of z; at worst its value at y."""
    piece = piece_of(question, z)
    variables = [
        z3.IntVal(int(a)) if v.integer else z3.Real(f"o{i}")
        for i, (a, v) in enumerate(zip(z, question.variables, strict=True))
    ]
    optimizer = z3.Optimize()
    for row in (*piece.weak, *piece.strict):
        optimizer.add(row_term(row, variables) >= 0)
    goal = piece.numbers[0]
    optimizer.minimize(row_term(goal, variables))
    if clock.check(optimizer) == "sat":
        model = optimizer.model()
        point = tuple(exact(model.eval(x, model_completion=True)) for x in variables)
        if goal.at(point) <= goal.at(y):
            return goal.at(point), point
    return goal.at(y), y


# measure (THEORY section 3, almost everywhere)


class Extent(Struct, frozen=True):
    """The dimension of a piece among the real coordinates (integers fixed), a relatively interior point, and
    independent rows that are 0 all over the piece."""

    dimension: int
    centre: Vector
    flat: tuple[Row, ...]


def extent(question: Question, z: Vector, clock: Clock) -> Extent | None:
    """That of the piece of z; None when the time is over."""
    piece = piece_of(question, z)
    variables = [
        z3.IntVal(int(a)) if v.integer else z3.Real(f"d{i}")
        for i, (a, v) in enumerate(zip(z, question.variables, strict=True))
    ]
    real = [i for i, v in enumerate(question.variables) if not v.integer]
    base = [row_term(r, variables) >= 0 for r in piece.weak] + [row_term(r, variables) > 0 for r in piece.strict]
    slack = {i: row_term(r, variables) for i, r in enumerate(piece.weak) if any(j in real for j, _ in r.weights)}
    inner: list[Vector] = [z]
    solver = new_solver(base)
    while slack:
        solver.push()
        solver.add(z3.Or([t > 0 for t in slack.values()]))
        result = clock.check(solver)
        if result == "unknown":
            return None
        if result == "unsat":
            solver.pop()
            break
        point = tuple(exact(solver.model().eval(x, model_completion=True)) for x in variables)
        solver.pop()
        inner.append(point)
        slack = {i: t for i, t in slack.items() if piece.weak[i].at(point) <= 0}
    flat = independent([piece.weak[i] for i in slack], real)
    centre = tuple(sum(column, Fraction(0)) / len(inner) for column in zip(*inner, strict=True))
    return Extent(len(real) - len(flat), centre, flat)


def independent(rows: Sequence[Row], real: Sequence[int]) -> tuple[Row, ...]:
    """The first rows that are linearly independent in the real coordinates."""
    if not rows:
        return ()
    columns = [[dict(row.weights).get(j, Fraction(0)) for row in rows] for j in real]
    return tuple(rows[i] for i in rref(columns)[1])


def thickest(question: Question, clock: Clock) -> int | None:
    """The largest dimension of a piece of the solutions."""
    found = _search(question, clock, None)
    return None if found is None else max((e.dimension for e in found), default=-1)


def substantial(domain: Question, question: Question, copies: int, seconds: float) -> Answer:
    """A solution in a piece of positive measure: of dimension `copies` times that of the domain."""
    clock = Clock(seconds)
    pieces = _search(domain, clock, None)
    if pieces is None:
        return Unknown("out of time")
    whole = max(pieces, key=lambda e: e.dimension)
    found = _search(question, clock, whole.dimension * copies)
    if found is None:
        return Unknown("out of time")
    if found and found[-1].dimension == whole.dimension * copies:
        return Fails(NAME, (found[-1].centre,))
    few = real_inputs(question) - whole.dimension * copies + 1
    return Null(NAME, tuple(dict.fromkeys(e.flat[: max(0, few)] for e in found)), whole.centre, TRUSTS)


def _search(question: Question, clock: Clock, enough: int | None) -> list[Extent] | None:
    """Piece after piece, up to the first of the dimension `enough` (all real inputs, if None); None when the time is
    over."""
    encoding = Encoding(question, "m")
    solver = new_solver(encoding.constraints)
    enough = real_inputs(question) if enough is None else enough
    pieces: list[Extent] = []
    while True:
        match clock.check(solver):
            case "unsat":
                return pieces
            case "unknown":
                return None
        z = encoding.point(solver.model())
        found = extent(question, z, clock)
        if found is None:
            return None
        pieces.append(found)
        if found.dimension == enough:
            return pieces
        solver.add(z3.Not(membership(question, piece_of(question, z), z, encoding.variables)))


def membership(question: Question, piece: Piece, z: Vector, variables: Sequence[Term]) -> Bool:
    """The formula of a piece, with the integers of z that its rows mention."""
    rows = [row_term(r, variables) >= 0 for r in piece.weak] + [row_term(r, variables) > 0 for r in piece.strict]
    used = {i for r in (*piece.weak, *piece.strict) for i, _ in r.weights if len(r.weights) > 1}
    fixed = [variables[i] == int(z[i]) for i in sorted(used) if question.variables[i].integer]
    return z3.And(rows + fixed)


# the decision (Theorem 3)


def local(bad: Question, own: Question, shared: tuple[int, ...], seconds: float) -> Answer:
    """An x with BAD(x) and not OWN(x): `bad` and `own` have the same inputs, `shared` are those of x.

    BAD and OWN each ask for a solution (x, z) and a closure point y of its piece with numbers[0] = 0. Every x that is
    on the
    t1-boundary for the reason of one piece of `own` is excluded by projecting that piece onto x.
    """
    clock = Clock(seconds)
    actual = Encoding(bad, "z")
    shadow = Encoding(bad, "y", like=actual, shared=shared)
    solver = new_solver([*actual.constraints, *shadow.constraints, shadow.reals[bad.numbers[0]] == 0])
    own_actual = Encoding(own, "q")
    own_shadow = Encoding(own, "p", like=own_actual, shared=shared)
    boundary = new_solver([*own_actual.constraints, *own_shadow.constraints, own_shadow.reals[own.numbers[0]] == 0])
    nearest = [actual.reals[bad.numbers[0]] == 0]  # a pair at distance zero is the plainer witness
    while True:
        match clock.check(solver, *nearest):
            case "unsat" if nearest:
                nearest = []
                continue
            case "unsat":
                return Holds(NAME, TRUSTS)
            case "unknown":
                return Unknown(give_up(solver))
        model = solver.model()
        z, y = actual.point(model), shadow.point(model)
        boundary.push()
        boundary.add(
            *(own_actual.variables[i] == (int(z[i]) if bad.variables[i].integer else number(z[i])) for i in shared)
        )
        match clock.check(boundary):
            case "unsat":
                return Fails(NAME, (z, y))
            case "unknown":
                return Unknown(give_up(boundary))
        other = own_actual.point(boundary.model())
        boundary.pop()
        excluded = projection(own, other, shared, actual.variables, clock)
        if excluded is None:
            return Unknown("the boundary of f1 could not be projected in time")
        solver.add(z3.Not(excluded))


def projection(own: Question, z: Vector, shared: tuple[int, ...], onto: Sequence[Term], clock: Clock) -> Bool | None:
    """The x for which the piece of z holds some z' and its closure some y with numbers[0] = 0, as a formula over
    `onto`."""
    piece = piece_of(own, z)
    fixed = {i: int(z[i]) for i, v in enumerate(own.variables) if v.integer}

    def variables(name: str) -> list[Term]:
        return [
            z3.IntVal(fixed[i]) if i in fixed else onto[i] if i in shared else z3.Real(f"{name}{i}")
            for i in range(len(z))
        ]

    zs, ys = variables("ez"), variables("ey")
    rows = [row_term(r, zs) >= 0 for r in piece.weak] + [row_term(r, zs) > 0 for r in piece.strict]
    rows += [row_term(r, ys) >= 0 for r in (*piece.weak, *piece.strict)] + [row_term(piece.numbers[0], ys) == 0]
    bound = [v for vs in (zs, ys) for i, v in enumerate(vs) if i not in fixed and i not in shared]
    body = z3.And(rows)
    left = clock.end - time.monotonic()
    if left <= 0:
        return None
    if bound:
        try:
            body = z3.TryFor(z3.Tactic("qe"), max(1, int(left * 1000)))(z3.Exists(bound, body)).as_expr()
        except z3.Z3Exception:
            return None
    return z3.And(body, *(onto[i] == fixed[i] for i in shared if i in fixed))
