"""The modulus w(delta) = sup { d1' : d2' <= delta } where l2 or mahalanobis measures d1' or d2' (THEORY section 3).

For a piecewise-linear d1' and a Euclidean d2' the engine knows nearest(v) = inf { d2'^2 : d1' >= v }, exactly: w >= v
if it is below delta^2, w <= v if above. So w is enclosed by bisection, below K * delta and sup d1'. It is exact where
one of these two is reached. A Euclidean d1' is treated by its shadows, as for K.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.engine import Least, Most, Unknown, Vector
from verifier.language.build import Form
from verifier.language.root import Root, below_root, rational, root
from verifier.query.piece import piece_of
from verifier.query.pose import Posed
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import Points, ReplayFailed
from verifier.verdict.measures.euclidean import CLOSE, Reach, Shadows, Steepness, above, squared
from verifier.verdict.measures.supremum import POINTS, member
from verifier.verdict.verdict import Measurement, interval

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

STEPS = 60
SIMPLE = 1000
"""The denominator up to which an exact value is guessed within an enclosure."""


class Nearest(Struct, frozen=True):
    """inf { d2'^2 : d1' >= v } (None: there is no such pair), and a pair that has it, if one does."""

    square: Fraction | None
    vector: Vector | None
    trusts: tuple[str, ...]


class Late(Exception):
    """An engine did not say."""


class Modulus:
    """w(delta) of one pair of classifiers."""

    def __init__(
        self, decider: Decider, names: tuple[str, str], far: tree.Expr, fine: tree.Expr, delta: Fraction
    ) -> None:
        self.decider, self.names, self.far, self.fine, self.delta = decider, names, far, fine, delta
        self.steepness = Steepness(decider, names, far, fine)
        self.near = tree.Chain(NOWHERE, (fine, tree.Number(NOWHERE, delta)), ("<=",))

    def compute(self) -> Measurement:
        """w, or bounds of it."""
        poser = self.decider.poser
        square = poser.square(self.far, POINTS)
        if square is None:
            found = self.reach(poser.number(self.far, POINTS))
        else:
            shadows = Shadows(self.decider, self.steepness.terms(square), self.reach)
            most = self.multiple()
            high = shadows.enclose(lambda: most is not None and shadows.low >= most)
            if isinstance(high, Measurement):
                return high
            high = high if most is None else min(high, most)
            found = Reach(shadows.low, high, shadows.points, tuple(shadows.trusts))
        return found if isinstance(found, Measurement) else self.measured(found)

    def multiple(self) -> Fraction | None:
        """The square of K * delta, or of a number above it."""
        steep = self.steepness.compute()
        match steep.amount:
            case Fraction() | Root() as constant:
                return squared(constant) * self.delta**2
        return None if steep.enclosure is None else (steep.enclosure[1] * self.delta) ** 2

    def measured(self, found: Reach) -> Measurement:
        low, pair = found.low, None
        if found.points is not None:
            self.decider.replay.demand(found.points, [self.near])
            far = squared(self.decider.replay.distance(self.far, found.points))
            low, pair = max(low, far), self.decider.replay.witness(found.points, self.names)
            if low > found.high:
                raise ReplayFailed("a pair is farther apart than the supremum")
            if far == found.high:
                return Measurement(root(far), True, pair, trusts=found.trusts)
        if low == found.high:
            return Measurement(root(low), None, pair, trusts=found.trusts)
        ends = below_root(low, CLOSE * low / (1 + low)) if low else Fraction(0), above(found.high)
        why = "w is no number that was found exactly"
        return Measurement(interval(*ends), None, pair, why, found.trusts, how="enclosed", enclosure=ends)

    def reach(self, rise: Form) -> Reach | Measurement:
        """w of a piecewise-linear number."""
        poser = self.decider.poser
        near = poser.pose(POINTS, [poser.truth(self.near, POINTS)], numbers=[rise], squares=True)
        if not near.question.squares:
            return self.flat(near)
        free = poser.pose(POINTS, [], numbers=[rise])
        most = self.decider.portfolio.greatest(free.question, self.decider.left())
        if not isinstance(most, Most):
            return Measurement(None, why=most.why if isinstance(most, Unknown) else "out of time")
        _, steep = self.steepness.shadow(rise)
        if not isinstance(steep, Most):
            return Measurement(None, why=steep.why if isinstance(steep, Unknown) else "out of time")
        trusts = tuple(dict.fromkeys((*most.trusts, *steep.trusts)))
        bounds = [] if most.value is None else [most.value**2]
        if steep.value is not None:
            bounds.append(steep.value * self.delta**2)
        if not bounds:
            return Measurement(None, why="d1' has no bound, and no multiple of d2' is one: nothing to bisect from")
        try:
            return self.bisected(rise, most.value, steep.value, min(bounds), trusts)
        except Late:
            return Measurement(None, why=f"out of time; w is at most {float(above(min(bounds))):.6g}")

    def flat(self, near: Posed) -> Reach | Measurement:
        """The ball is made of polyhedra."""
        match self.decider.portfolio.greatest(near.question, self.decider.left()):
            case Most(_, None, _, (z, place)):
                node, eps = near.question.numbers[0], self.decider.eps
                vector = member(z, place, lambda v: near.question.values(v)[node] * eps >= 1)
                points = near.read(vector)
                self.decider.replay.demand(points, [self.near])
                note = "Pairs within it are arbitrarily far apart: this is one of them."
                return Measurement("infinity", None, self.decider.replay.witness(points, self.names), notes=(note,))
            case Most(_, Fraction() as value, attained, vectors, trusts):
                points_ = near.read(vectors[0]) if attained else None
                return Reach(value**2, value**2, points_, trusts)
            case Unknown(why):
                return Measurement(None, why=why)
            case other:
                raise AssertionError(other)

    def bisected(
        self, rise: Form, most: Fraction | None, steep: Fraction | None, high2: Fraction, trusts: tuple[str, ...]
    ) -> Reach:
        goal, limit = above(high2), self.delta**2
        if high2 == 0:
            return Reach(Fraction(0), Fraction(0), None, trusts)
        at_most = self.nearest(rise, min(goal, most) if most is not None else goal)
        if most is not None and goal >= most and within(at_most, limit):
            return Reach(most**2, most**2, self.read(rise, at_most.vector) if fits(at_most, limit) else None, trusts)
        if steep is not None and steep * limit == high2 and at_most.vector is not None:
            exact = rational(high2)
            height = exact if exact is not None else below_root(high2, CLOSE * CLOSE * min(Fraction(1), high2))
            ray = self.ray(rise, at_most.vector, height)
            if ray is not None and at_most.square == goal * goal / steep:
                return Reach(high2, high2, ray, trusts)
        low, vector = Fraction(0), None
        high = goal
        for _ in range(STEPS):
            if high - low <= CLOSE * high or self.decider.left() <= 0:
                break
            middle = (low + high) / 2
            found = self.nearest(rise, middle)
            if within(found, limit):
                low, vector = middle, found.vector if fits(found, limit) else None
            else:
                high = middle
        guess = ((low + high) / 2).limit_denominator(SIMPLE)
        if low <= guess <= high:
            there, beyond = self.nearest(rise, guess), self.nearest(rise, guess, strict=True)
            if fits(there, limit) and not within(beyond, limit):
                return Reach(guess**2, guess**2, self.read(rise, there.vector), trusts)
        return Reach(low**2, min(high**2, high2), self.read(rise, vector) if vector is not None else None, trusts)

    def pose(self, rise: Form, least: Fraction | None, strict: bool = False) -> Posed:
        """The pairs with d1' >= least, the square of d2' and d1' as their numbers."""
        poser, build = self.decider.poser, self.decider.poser.build
        facts = []
        if least is not None:
            gap = build.subtract(rise, build.constant(least))
            facts = [build.above_zero(gap) if strict else build.at_least_zero(gap)]
        assert self.steepness.square is not None
        return poser.pose(POINTS, facts, numbers=[self.steepness.square, rise], squares=True)

    def nearest(self, rise: Form, least: Fraction, strict: bool = False) -> Nearest:
        posed = self.pose(rise, least, strict)
        if posed.impossible:
            return Nearest(None, None, ())
        match self.decider.portfolio.least(posed.question, self.decider.left()):
            case Least(_, value, attained, vectors, trusts):
                return Nearest(value, vectors[0] if attained else None, trusts)
            case _:
                raise Late

    def read(self, rise: Form, vector: Vector | None) -> Points:
        assert vector is not None
        return self.pose(rise, None).read(vector)

    def ray(self, rise: Form, vector: Vector, height: Fraction) -> Points | None:
        """The pair between a point of the diagonal and this pair at which d1' is `height`, if d1' and the forms of d2'
        are linear on all of the way: then they take every value between."""
        question = self.pose(rise, None).question
        (square,) = question.squares
        piece = piece_of(replace(question, numbers=(question.numbers[1], *(n for _, n in square.terms))), vector)
        rows = [r for r in (*piece.weak, *piece.strict) if not any(i == square.variable for i, _ in r.weights)]
        width = (len(vector) - 1) // 2
        for one in (vector[:width], vector[width : 2 * width]):
            start = (*one, *one, Fraction(0))
            same = all(a == b for v, a, b in zip(question.variables, start, vector, strict=True) if v.integer)
            if same and all(r.at(start) >= 0 for r in rows) and not any(r.at(start) for r in piece.numbers):
                share = height / piece.numbers[0].at(vector)
                return self.read(rise, tuple(a + share * (b - a) for a, b in zip(start, vector, strict=True)))
        return None


def fits(found: Nearest, limit: Fraction) -> bool:
    """The pair that is known lies in the closed ball."""
    return found.vector is not None and found.square is not None and found.square <= limit


def within(found: Nearest, limit: Fraction) -> bool:
    """Some pair lies in the closed ball."""
    return fits(found, limit) or (found.square is not None and found.square < limit)
