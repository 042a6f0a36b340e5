"""A decision on what the oracle sees that repeats f1 wherever that is possible.

phi: X -> R^m is what the oracle sees. X is cut into sheets, pieces on which phi is affine: y = A x + b. On each of them
s(y) = c + G (y - phi(c)), where G A is the orthogonal projection onto what A (and the equations of the sheet) see, and
c lies in the middle of the sheet. The new decision is x -> f1(s(phi(x))): a list of affine tests of y, one sheet after
the other, the first that fits decides. Where the fibres of phi are points, s(phi(x)) = x and it is f1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import prod

from msgspec import Struct
from msgspec.structs import replace

from verifier.canonical.linalg import Rows, solve_left
from verifier.canonical.project import projection
from verifier.engines.engine import Fails, Holds, Least, Vector
from verifier.engines.portfolio import Portfolio
from verifier.language.build import YES, Form, Variable, primitive
from verifier.model.program import Classifier
from verifier.query.piece import Piece, Row, piece_of
from verifier.query.pose import Poser
from verifier.query.question import Question
from verifier.source.text import NOWHERE
from verifier.syntax import tree

MOST = 48
"""Sheets, and entries of the list: more is no decision that one reads."""

WHOLE = 64
"""So many values of the integer and finite coordinates are taken one by one."""

X = "x"
HALF = Fraction(1, 2)


class TooMany(Exception):
    """The decision would be too long a list, or time ran out."""


class Test(Struct, frozen=True):
    """row > 0 (strict), or row >= 0; the row is affine in what the oracle sees."""

    row: Row
    strict: bool


class Entry(Struct, frozen=True):
    """All tests hold: the label."""

    tests: tuple[Test, ...]
    label: str


class Seen(Struct, frozen=True):
    """One number that the oracle sees: how a `decide` calls it, what it is at x, and the members that it counts if it
    is the code of a finite feature."""

    shown: tree.Expr
    form: Form
    members: tuple[str, ...] = ()


class Sheet(Struct, frozen=True):
    """A piece of X on which phi is affine, and a point of it."""

    piece: Piece
    inner: Vector


class Section:
    """Builds the list. Every question is about x in X, so a test is left out when X never needs it."""

    def __init__(
        self,
        poser: Poser,
        portfolio: Portfolio,
        model: Classifier,
        seen: Sequence[Seen],
        left: Callable[[], float],
        share: Fraction = HALF,
    ) -> None:
        """`share`: how far along the box the middle lies."""
        self.poser, self.portfolio, self.seen, self.left, self.share = poser, portfolio, seen, left, share
        self.build = poser.build
        self.labels = poser.symbolic.label(model, poser.point(X))
        self.phi = [s.form for s in seen]
        self.question = poser.pose((X,), [], numbers=self.phi).question
        self.inputs = poser.inputs(X)
        self.ys = [self.build.input(Variable(f"y{k}", *self.build.bounds(form))) for k, form in enumerate(self.phi)]
        self.covered: list[Form] = []

    def decide(self) -> tree.Expr:
        """The decision. Raises TooMany."""
        entries: list[Entry] = []
        for sheet in list(self._sheets()):
            for entry in self._entries(sheet):
                entries.append(entry)
                if len(entries) > MOST:
                    raise TooMany
        return self._written(entries)

    # the sheets

    def _sheets(self) -> Iterator[Sheet]:
        """The pieces of X on which phi is affine; the first ones are where the solver looked first."""
        blocked: list[Form] = []
        while (vector := self._find(blocked)) is not None:
            if len(blocked) >= MOST:
                raise TooMany
            piece = self._fixed(piece_of(self.question, vector), vector)
            blocked.append(self.build.negate(self._at(piece, self.inputs)))
            yield Sheet(piece, vector)

    def _find(self, facts: Sequence[Form]) -> Vector | None:
        posed = self.poser.pose((X,), facts, numbers=self.phi)
        if posed.impossible:
            return None
        match self.portfolio.find(posed.question, self.left()):
            case Fails(_, (vector, *_)):
                return vector
            case Holds():
                return None
            case _:
                raise TooMany

    def _fixed(self, piece: Piece, vector: Vector) -> Piece:
        """With the integers as they are at the vector, if there are few of them."""
        variables = [(i, v) for i, v in enumerate(self.question.variables) if v.integer]
        if prod(int(v.high - v.low) + 1 for _, v in variables if v.low is not None and v.high is not None) > WHOLE:
            return piece
        rows = [Row(((i, Fraction(sign)),), -sign * vector[i]) for i, _ in variables for sign in (1, -1)]
        return replace(piece, weak=tuple(dict.fromkeys((*piece.weak, *rows))))

    def _at(self, piece: Piece, place: Sequence[Form]) -> Form:
        """The place (its coordinates, as forms) lies in the piece."""
        weak = (self.build.at_least_zero(self._form(r, place)) for r in piece.weak)
        strict = (self.build.above_zero(self._form(r, place)) for r in piece.strict)
        return self.build.both(*weak, *strict)

    def _form(self, row: Row, place: Sequence[Form]) -> Form:
        return self.build.combine(((w, place[i]) for i, w in row.weights), row.constant)

    # what a sheet says about y

    def _place(self, sheet: Sheet) -> list[Form]:
        """s(y) on this sheet."""
        size = len(self.inputs)
        equal = [r for r in sheet.piece.weak if r.minus() in sheet.piece.weak]
        matrix = [dense(r, size) for r in (*sheet.piece.numbers, *equal)]
        onto = projection(matrix, size)
        gain = solve_left(onto, matrix) if matrix else ((),) * size
        assert gain is not None
        centre = self._centre(sheet, onto)
        changes = [
            self.build.subtract(y, self.build.constant(r.at(centre)))
            for y, r in zip(self.ys, sheet.piece.numbers, strict=True)
        ]
        return [self.build.combine(zip(row, changes, strict=False), c) for row, c in zip(gain, centre, strict=True)]

    def _centre(self, sheet: Sheet, onto: Rows) -> Vector:
        """The middle of the box if it lies in the sheet, else the mean of the extreme points along the coordinates.
        Where the fibres are points, any point will do."""
        if all(onto[i][i] == 1 for i in range(len(self.inputs))):
            return sheet.inner
        box = tuple(middle(v.low, v.high, v.integer, self.share) for v in self.question.variables)
        if sheet.piece.closure_has(box):
            return box
        found: list[Vector] = []
        for form in self.inputs:
            for sign in (1, -1):
                posed = self.poser.pose(
                    (X,), [self._at(sheet.piece, self.inputs)], numbers=[self.build.scale(sign, form)]
                )
                match self.portfolio.least(posed.question, self.left()):
                    case Least(_, Fraction(), _, points) if points:
                        found.append(points[-1])
                    case _:
                        pass
        found = found or [sheet.inner]
        return tuple(sum(column, Fraction(0)) / len(found) for column in zip(*found, strict=True))

    def _entries(self, sheet: Sheet) -> Iterator[Entry]:
        """Entries until nothing of the sheet is left."""
        place = self._place(sheet)
        build = self.build
        consistent = [
            build.is_zero(build.subtract(self._form(r, place), y))
            for r, y in zip(sheet.piece.numbers, self.ys, strict=True)
        ]
        images = {x.terms[0][0]: there for x, there in zip(self.inputs, place, strict=True)}
        cases = build.substitute(self.labels.cases, images)
        flags = [build.select(case, build.constant(1), build.constant(0)) for case in cases]
        whole = self._about(build.both(self._at(sheet.piece, place), *consistent), flags)
        loose = self._about(YES, flags)
        here = self._at(sheet.piece, self.inputs)
        while (vector := self._find([here, *map(build.negate, self.covered)])) is not None:
            values = self.question.values(vector)
            y = tuple(values[n] for n in self.question.numbers)
            question = whole if whole.solved_by(y) else loose
            piece, answers = piece_of(question, y), question.values(y)
            chosen = [answers[n] == 1 for n in question.numbers]
            index = chosen.index(True) if True in chosen else 0
            tests = [*(Test(r, False) for r in piece.weak), *(Test(r, True) for r in piece.strict)]
            entry = Entry(tuple(self._short(tests, index)), self.labels.members[index])
            self.covered.append(self._holds(entry.tests))
            yield entry

    def _about(self, fact: Form, numbers: Sequence[Form]) -> Question:
        """A question about y."""
        circuit, nodes = self.build.circuit([fact, *numbers], self.ys)
        free = tuple(Variable(f"y{k}") for k in range(len(self.ys)))
        return Question(circuit, free, nodes[:1], nodes[1:])

    def _holds(self, tests: Sequence[Test]) -> Form:
        """The tests hold of phi(x)."""
        build = self.build
        forms = [(self._form(t.row, self.phi), t.strict) for t in tests]
        return build.both(*(build.above_zero(f) if strict else build.at_least_zero(f) for f, strict in forms))

    def _short(self, tests: list[Test], index: int) -> list[Test]:
        """Without the tests that nobody needs: all x of X that come in besides, if any, have this label anyway."""
        other = self.build.negate(self.labels.cases[index])
        fresh = [self.build.negate(c) for c in self.covered]
        for test in list(tests):
            rest = [t for t in tests if t is not test]
            if self._find([*fresh, self._holds(rest), self.build.negate(self._holds([test])), other]) is None:
                tests = rest
        return tests

    # writing it down

    def _written(self, entries: Sequence[Entry]) -> tree.Expr:
        """The list as an `if`; the last label needs no test."""
        if not entries:
            raise TooMany
        *rest, last = entries
        result: tree.Expr = tree.Name(NOWHERE, last.label)
        groups: list[tuple[list[tree.Expr], str]] = []
        for entry in rest:
            if groups and groups[-1][1] == entry.label:
                groups[-1][0].append(self._condition(entry.tests))
            else:
                groups.append(([self._condition(entry.tests)], entry.label))
        if groups and groups[-1][1] == last.label:
            groups.pop()
        for tests, label in reversed(groups):
            result = tree.If(NOWHERE, joined("or", tests), tree.Name(NOWHERE, label), result)
        return result

    def _condition(self, tests: Sequence[Test]) -> tree.Expr:
        """The conjunction, with the tests of one form in one chain."""
        sides: dict[tuple[tuple[int, Fraction], ...], dict[str, tuple[Fraction, bool]]] = {}
        for test in tests:
            _, unit = primitive(Form(Fraction(0), test.row.weights))
            factor = unit.terms[0][1] / test.row.weights[0][1]
            flip = unit.terms[0][1] < 0
            weights = tuple((i, -w if flip else w) for i, w in unit.terms)
            end, value = ("high", test.row.constant * factor) if flip else ("low", -test.row.constant * factor)
            ends, tight = sides.setdefault(weights, {}), (value, test.strict)
            known = ends.get(end, tight)
            closer = value < known[0] if flip else value > known[0]
            ends[end] = tight if closer or (value == known[0] and test.strict) else known
        return joined("and", [self._chain(weights, ends) for weights, ends in sides.items()])

    def _chain(self, weights: Sequence[tuple[int, Fraction]], ends: dict[str, tuple[Fraction, bool]]) -> tree.Expr:
        form = linear([(w, self.seen[i].shown) for i, w in weights], Fraction(0))
        low, high = ends.get("low"), ends.get("high")
        if low is not None and high is not None and low[0] == high[0]:
            members = self.seen[weights[0][0]].members if len(weights) == 1 else ()
            if members and low[0].denominator == 1 and isinstance(form, tree.Apply):
                return tree.Chain(NOWHERE, (form.arguments[0].value, tree.Name(NOWHERE, members[int(low[0])])), ("==",))
            return tree.Chain(NOWHERE, (form, tree.Number(NOWHERE, low[0])), ("==",))
        if low is None:
            assert high is not None
            return tree.Chain(NOWHERE, (form, tree.Number(NOWHERE, high[0])), ("<" if high[1] else "<=",))
        if high is None:
            return tree.Chain(NOWHERE, (form, tree.Number(NOWHERE, low[0])), (">" if low[1] else ">=",))
        left, right = tree.Number(NOWHERE, low[0]), tree.Number(NOWHERE, high[0])
        return tree.Chain(NOWHERE, (left, form, right), ("<" if low[1] else "<=", "<" if high[1] else "<="))


def dense(row: Row, size: int) -> tuple[Fraction, ...]:
    weights = dict(row.weights)
    return tuple(weights.get(i, Fraction(0)) for i in range(size))


def middle(low: Fraction | None, high: Fraction | None, whole: bool, share: Fraction = HALF) -> Fraction:
    """The middle of an interval, or so far along it (of a half-open one its finite side)."""
    if low is not None and high is not None:
        place = low + share * (high - low)
        return Fraction(place.__floor__()) if whole else place
    return low if low is not None else high if high is not None else Fraction(0)


def joined(op: str, parts: Sequence[tree.Expr]) -> tree.Expr:
    """`a and b and c`; of nothing it is true."""
    if not parts:
        return tree.Name(NOWHERE, "true")
    result, *rest = parts
    for part in rest:
        result = tree.Binary(NOWHERE, "and" if op == "and" else "or", result, part)
    return result


def linear(terms: Sequence[tuple[Fraction, tree.Expr]], constant: Fraction) -> tree.Expr:
    """sum of weight * expression + constant, as short as it gets."""
    result: tree.Expr | None = None
    one = tree.Number(NOWHERE, Fraction(1))
    for weight, expr in [*terms, (constant, one)]:
        if not weight:
            continue
        less = weight < 0 and result is not None
        size = -weight if less else weight
        if expr is one:
            term: tree.Expr = tree.Number(NOWHERE, size)
        else:
            term = expr if size == 1 else tree.Binary(NOWHERE, "*", tree.Number(NOWHERE, size), expr)
        result = term if result is None else tree.Binary(NOWHERE, "-" if less else "+", result, term)
    return result if result is not None else tree.Number(NOWHERE, Fraction(0))
