"""The Lipschitz constant where l2 or mahalanobis measures d1' or d2' (THEORY section 3).

For a piecewise-linear d1' the engine knows K^2. A Euclidean d1' is the largest of its shadows |a . f| / |a|, whose K
are known: so all quotients f / d2' lie between the planes a . f = -h(a) and h(a), where h(a) is the K of the shadow
|a . f|. The polytope of finitely many such planes bounds K from above, its largest shadow from below. The next plane
cuts off the vertex farthest out; where none is cut off the two bounds are one. Else one is proved to be the other, or K
is enclosed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct

from verifier.canonical.linalg import Rows, null_space, rref
from verifier.engines.engine import Answer, Fails, Holds, Most, Unknown, Vector
from verifier.engines.volume import Polytope, box, whole
from verifier.language.build import Form
from verifier.language.metrics import METRICS
from verifier.language.root import Root, below_root, rational, root
from verifier.language.surd import Surd
from verifier.query.piece import piece_of
from verifier.query.pose import Posed, coordinates
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import Points, ReplayFailed
from verifier.verdict.measures import grid, linear_quotient
from verifier.verdict.measures.supremum import POINTS
from verifier.verdict.verdict import Measurement, Witness, interval

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

MOST = 6
"""Features of a Euclidean d1': the polytope has twice as many planes at first."""
PLANES = 60
CLOSE = Fraction(1, 10**6)
"""Bounds of K^2 that are relatively nearer to each other are near enough."""
LONG = 64
"""Bits of a number from which on directions are rounded, and no exact value is looked for."""
BRIEF = 10.0
SIMPLE = 1000
"""The denominator up to which the square of a constant is guessed within an enclosure."""
SHARES = tuple(Fraction(1, n) for n in (1, 2, 16))
"""So much nearer to x is x' tried, if it has left X."""


class Steepness:
    """K of one pair of classifiers."""

    def __init__(self, decider: Decider, names: tuple[str, str], far: tree.Expr, fine: tree.Expr) -> None:
        self.decider, self.names, self.far, self.fine = decider, names, far, fine
        self.square = decider.poser.square(fine, POINTS)

    def compute(self) -> Measurement:
        """K, or bounds of it."""
        poser = self.decider.poser
        found = linear_quotient.steepest(self.decider, self.names)
        if found is None and (all_pairs := grid.grid(self.decider, self.names)) is not None:
            found = all_pairs.steepest()
        if found is not None:
            value, points, trusts = found
            if self.quotient(points) != value:
                raise ReplayFailed("the quotient is not the one that was claimed")
            return Measurement(root(value), True, self.witness(points), trusts=trusts)
        facts = [poser.truth(e, POINTS) for e in (compared(self.fine, "<="), compared(self.far, ">"))]
        zero = poser.pose(POINTS, facts)
        match self.decider.ask(zero):
            case Fails(_, (vector, *_)):
                points = zero.read(vector)
                self.decider.replay.demand(points, [compared(self.fine, "<=")])
                if not self.decider.replay.distance(self.far, points) > 0:
                    raise ReplayFailed("the pair is not at oracle distance zero")
                note = "At oracle distance 0 no constant will do."
                return Measurement("infinity", None, self.witness(points), notes=(note,))
            case Unknown(why):
                return Measurement(None, why=why)
            case _:
                pass
        square = poser.square(self.far, POINTS)
        if square is None:
            return self.told(*self.shadow(poser.number(self.far, POINTS)))
        return self.round(square)

    def shadow(self, rise: Form) -> tuple[Posed, Answer]:
        """The square of the largest quotient of a piecewise-linear number by d2'."""
        poser, portfolio = self.decider.poser, self.decider.portfolio
        if self.square is None:
            posed = poser.pose(POINTS, [], numbers=[rise, poser.number(self.fine, POINTS)])
            answer = portfolio.steepest(posed.question, self.decider.left())
            if isinstance(answer, Most) and answer.value is not None:
                answer = Most(answer.by, answer.value**2, answer.attained, answer.points, answer.trusts)
            return posed, answer
        posed = poser.pose(POINTS, [], numbers=[rise, self.square], squares=True)
        if not posed.question.squares:
            return posed, Most("", Fraction(0), False, (), ())
        return posed, portfolio.steepest_square(posed.question, self.decider.left())

    def told(self, posed: Posed, answer: Answer) -> Measurement:
        """The measurement of an answer about d1' itself."""
        match answer:
            case Most(_, None, _, (z, place)):
                points = self.along(posed, z, place, lambda far, near: far * self.decider.eps**2 >= near)
                note = "d1' / d2' grows without bound along a line: this is one of its pairs."
                return Measurement("infinity", None, self.witness(points), notes=(note,))
            case Most(_, Fraction() as value, True, (vector,), trusts):
                points = posed.read(vector)
                if self.quotient(points) != value:
                    raise ReplayFailed("the quotient is not the one that was claimed")
                return Measurement(root(value), True, self.witness(points), trusts=trusts)
            case Most(_, Fraction() as value, False, (z, place), trusts):
                half = self.decider.eps / 2
                least = max(Fraction(0), below_root(value, half) - half) ** 2
                points = self.along(posed, z, place, lambda far, near: far >= least * near)
                return Measurement(root(value), False, self.witness(points), trusts=trusts)
            case Most(_, Fraction(), _, _, trusts):
                return self.nothing(trusts)
            case Unknown(why):
                return Measurement(None, why=why)
            case other:
                raise AssertionError(other)

    def round(self, square: Form) -> Measurement:
        """K of a Euclidean d1', by its shadows."""
        shadows = Shadows(self.decider, self.terms(square), self.reach)
        found = shadows.enclose(lambda: self.never_more(shadows, square, BRIEF / 4))
        if isinstance(found, Measurement):
            return found
        return self.between(shadows, found, square) if shadows.low else self.nothing(tuple(shadows.trusts))

    def reach(self, rise: Form) -> Reach | Measurement:
        """The K of a shadow; or a pair that shows it to be infinite, or why it is not known."""
        posed, answer = self.shadow(rise)
        if not isinstance(answer, Most) or answer.value is None:
            return self.told(posed, answer)
        points = posed.read(answer.points[0]) if answer.attained else None
        return Reach(answer.value, answer.value, points, answer.trusts)

    def terms(self, square: Form) -> list[tuple[Fraction, Form]]:
        """What a square is the sum of: weight * form^2."""
        return [term for i, _ in square.terms for term in self.decider.poser.symbolic.squares[i]]

    def between(self, shadows: Shadows, high: Fraction, square: Form) -> Measurement:
        """K, where the lower bound of its square is proved to be one above; else what encloses it."""
        pair = None
        if shadows.points is not None:
            shadows.low, pair = max(shadows.low, self.quotient(shadows.points)), self.witness(shadows.points)
        low = shadows.low
        if low == high or self.never_more(shadows, square, BRIEF):
            attained = True if shadows.points is not None and self.quotient(shadows.points) == low else None
            return Measurement(root(low), attained, pair, trusts=tuple(shadows.trusts))
        if (found := self.guessed(shadows, high, square)) is not None:
            return found
        ends = below_root(low, low * CLOSE / (1 + low)), above(high)
        why = "K is the root of no rational that was found"
        words, trusts = interval(*ends), tuple(shadows.trusts)
        return Measurement(words, None, pair, why, trusts, how="enclosed", enclosure=ends)

    def guessed(self, shadows: Shadows, high: Fraction, square: Form) -> Measurement | None:
        """K as the root of the short rational between the bounds, if some pair has it and none has more."""
        guess = ((shadows.low + high) / 2).limit_denominator(SIMPLE)
        if self.square is None or shadows.points is None or not shadows.low < guess <= high:
            return None
        points = self.aligned(square, guess, shadows.points)
        if points is None:
            return None
        shadows.low, shadows.points = guess, points
        if not self.never_more(shadows, square, BRIEF):
            return None
        return Measurement(root(guess), True, self.witness(points), trusts=tuple(shadows.trusts))

    def aligned(self, square: Form, value: Fraction, points: Points) -> Points | None:
        """A pair near to this one, in its piece, with d1'^2 = value * d2'^2. Where no pair has more, the difference of
        the two is a quadratic form without positive values, and vanishes just where its gradient does."""
        assert self.square is not None
        terms = [*self.terms(square), *((-value * w, form) for w, form in self.terms(self.square))]
        posed = self.decider.poser.pose(POINTS, [], numbers=[form for _, form in terms])
        here = [x for p in POINTS for x in coordinates(self.decider.program, points[p])]
        free = [i for i, v in enumerate(posed.question.variables) if not v.integer]
        rows = []
        for row in piece_of(posed.question, tuple(here)).numbers:
            weights = dict(row.weights)
            fixed = sum((w * here[i] for i, w in row.weights if i not in free), row.constant)
            rows.append([*(weights.get(i, Fraction(0)) for i in free), fixed])
        size = range(len(free) + 1)
        gradient = [
            [sum((w * r[j] * r[k] for (w, _), r in zip(terms, rows, strict=True)), Fraction(0)) for k in size]
            for j in size
        ]
        place = projected(null_space(gradient, len(size)), [*(here[i] for i in free), Fraction(1)])
        if place[-1] <= 0:
            return None
        for i, x in zip(free, place, strict=False):
            here[i] = x / place[-1]
        half = len(here) // 2
        for share in SHARES:
            nearer = (*here[:half], *(a + share * (b - a) for a, b in zip(here[:half], here[half:], strict=True)))
            if posed.question.solved_by(nearer):
                pair = posed.read(nearer)
                far, fine = (squared(self.decider.replay.distance(d, pair)) for d in (self.far, self.fine))
                if far == value * fine > 0:
                    return pair
        return None

    def never_more(self, shadows: Shadows, square: Form, seconds: float) -> bool:
        """No quotient is above the lower bound: d1'^2 <= low * d2'^2 everywhere, for two Euclidean distances."""
        build, poser, low = self.decider.poser.build, self.decider.poser, shadows.low
        if self.square is None or low.denominator.bit_length() >= LONG:
            return False
        more = build.above_zero(build.subtract(square, build.scale(low, self.square)))
        answer = self.decider.ask(poser.pose(POINTS, [more], squares=True), most=seconds)
        if isinstance(answer, Holds):
            shadows.trusts |= dict.fromkeys(answer.trusts)
        return isinstance(answer, Holds)

    def nothing(self, trusts: tuple[str, ...]) -> Measurement:
        note = f"{self.names[0]} tells no two points apart: every constant will do."
        return Measurement(Fraction(0), None, trusts=trusts, notes=(note,))

    # pairs, replayed

    def quotient(self, points: Points) -> Fraction:
        """The square of d1' / d2', evaluated as written."""
        self.decider.replay.demand(points, [])
        far, fine = (squared(self.decider.replay.distance(d, points)) for d in (self.far, self.fine))
        if fine <= 0:
            raise ReplayFailed("the pair is at oracle distance zero")
        return far / fine

    def along(self, posed: Posed, z: Vector, place: Vector, enough: Callable[[Fraction, Fraction], bool]) -> Points:
        """The first of the pairs (z + r u) / (1 + r t), r = 1, 10, 100, ..., whose squared distances are `enough`."""
        step = Fraction(1)
        for _ in range(400):
            vector = tuple((a + step * u) / (1 + step * place[-1]) for a, u in zip(z, place[:-1], strict=True))
            points = posed.read(vector)
            self.decider.replay.demand(points, [])
            far, fine = (squared(self.decider.replay.distance(d, points)) for d in (self.far, self.fine))
            if fine > 0 and enough(far, fine):
                return points
            step *= 10
        raise ReplayFailed("the pairs do not come near the supremum")

    def witness(self, points: Points) -> Witness:
        return self.decider.replay.witness(points, self.names)


class Reach(Struct, frozen=True):
    """The square of how far something reaches is in [low, high]; a pair that reaches low, if one does."""

    low: Fraction
    high: Fraction
    points: Points | None
    trusts: tuple[str, ...]


class Shadows:
    """What is known of a set of vectors f, symmetric about 0, from how far the |a . f| reach: a lower bound of the
    square of how far the length of f does, with a pair that has it, and an upper one."""

    def __init__(
        self,
        decider: Decider,
        terms: Sequence[tuple[Fraction, Form]],
        measure: Callable[[Form], Reach | Measurement],
    ) -> None:
        self.decider, self.measure = decider, measure
        self.forms, self.weights = [form for _, form in terms], [w for w, _ in terms]
        self.low = Fraction(0)
        self.points: Points | None = None
        self.trusts: dict[str, None] = {}

    def enclose(self, early: Callable[[], bool] = lambda: False) -> Fraction | Measurement:
        """The upper bound; or what the measure says instead. `early`: the lower bound is an upper one."""
        if len(self.forms) > MOST:
            return Measurement(None, why=f"d1' is the root of more than {MOST} squares")
        ends: list[Fraction] = []
        for k in range(len(self.forms)):
            found = self.height([Fraction(j == k) for j in range(len(self.forms))])
            if isinstance(found, Measurement):
                return found
            ends.append(above(found))
        kept = [k for k, end in enumerate(ends) if end]
        self.forms, self.weights = [self.forms[k] for k in kept], [self.weights[k] for k in kept]
        if not kept or early():
            return self.low
        polytope = box([(-ends[k], ends[k]) for k in kept])
        high, corner = farthest(polytope, self.weights)
        for _ in range(PLANES):
            if high <= self.low * (1 + CLOSE) or self.decider.left() <= 0:
                break
            direction = [short(w * x) for w, x in zip(self.weights, corner, strict=True)]
            found = self.height(direction)
            if isinstance(found, Measurement):
                break
            level = above(found)
            for sign in (1, -1):
                part = polytope.above(whole([*(-sign * x for x in direction), level]))
                if part is None:  # flat: so far is known
                    return high
                polytope = part
            high, corner = farthest(polytope, self.weights)
        return high

    def height(self, direction: Sequence[Fraction]) -> Fraction | Measurement:
        """A bound of the square of how far |a . f| reaches."""
        form = self.decider.poser.build.combine(zip(direction, self.forms, strict=True))
        found = self.measure(METRICS["linf"].distance(self.decider.poser.build, [form]))
        if isinstance(found, Measurement):
            return found
        self.trusts |= dict.fromkeys(found.trusts)
        length = sum((a * a / w for a, w in zip(direction, self.weights, strict=True)), Fraction(0))
        if found.low / length > self.low:  # by Cauchy and Schwarz
            self.low, self.points = found.low / length, found.points
        return found.high


def projected(basis: Rows, point: Sequence[Fraction]) -> Sequence[Fraction]:
    """The nearest place that the independent rows span."""
    if not basis:
        return [Fraction(0)] * len(point)
    products = [[dot(a, b) for b in basis] + [dot(a, point)] for a in basis]
    shares = [row[-1] for row in rref(products)[0]]
    return [dot(shares, column) for column in zip(*basis, strict=True)]


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def farthest(polytope: Polytope, weights: Sequence[Fraction]) -> tuple[Fraction, list[Fraction]]:
    """The greatest sum of weight * x^2 on the polytope, and the vertex that has it."""
    corners = [[Fraction(x, p[-1]) for x in p[:-1]] for p, _ in polytope.vertices]
    sizes = [sum((w * x * x for w, x in zip(weights, c, strict=True)), Fraction(0)) for c in corners]
    k = max(range(len(corners)), key=sizes.__getitem__)
    return sizes[k], corners[k]


def above(square: Fraction) -> Fraction:
    """The root of a rational, or a rational just above it."""
    exact = rational(square)
    gap = CLOSE * CLOSE * min(Fraction(1), square)
    return exact if exact is not None else below_root(square, gap) + gap


def short(number: Fraction) -> Fraction:
    return number if number.denominator.bit_length() < LONG else number.limit_denominator(10**6)


def squared(distance: Fraction | Root | Surd) -> Fraction:
    """The square of a distance that is a rational or its root."""
    square = distance.square if isinstance(distance, Root) else distance * distance
    assert isinstance(square, Fraction)
    return square


def compared(distance: tree.Expr, op: tree.Comparison) -> tree.Expr:
    """`distance op 0`."""
    return tree.Chain(NOWHERE, (distance, tree.Number(NOWHERE, Fraction(0))), (op,))
