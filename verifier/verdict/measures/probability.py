"""P( f1 x = f1 x' | f2 x = f2 x', d2'(x, x') < radius ) for x, x' independent and uniform on X (THEORY section 4), or
with the density of a product of histograms; or for x fixed.

The measure is counting on the discrete coordinates times the volume on the real ones. The condition is joint: one
quotient of two masses of pairs. Both are sums of volumes of polytopes, hence rational.
"""

from __future__ import annotations

from contextlib import nullcontext
from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.engines.estimate import DOUBT, SEED, estimate
from verifier.engines.weigh import FAR, NAME, UNIFORM, Density, Mass, Side, own_sides, weigh
from verifier.language.build import Form
from verifier.model.claim import Computation
from verifier.model.roots import Norm
from verifier.query.pose import Posed
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import distance
from verifier.verdict.measures import counted
from verifier.verdict.verdict import Measurement, Witness, interval

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

X, Y = POINTS = ("x", "x'")
TRUSTS = (NAME,)
ZERO = Form(Fraction(0))


DEEP = "the formulas are nested too deeply for volumes"

CLOSE = Fraction(1, 1000)
"""Balls of l2 are cut until an enclosure is as narrow as this, or tells."""
CLOSE_DISC = Fraction(1, 2000)
"""The same of two forms."""

UNBOUNDED = "X is unbounded: there is no uniform distribution on it"
VAST = "an interval of X reaches beyond 1e30: volumes of that size are not computed"
NULL = "the condition has probability 0: almost {} near and alike for the oracle"
FINE = 4
"""Directions in a quarter of the plane, of the norms that enclose roots in a sum: a factor of 1.03 for two forms."""
NORMS = "balls of sums of roots lie between two polyhedra, and so does this"

USEFUL = Fraction(1, 4)
"""A wider interval tells so little that an estimate is added to a `compute`."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The probability, exactly; out of time an interval that certainly holds it; for `compute`, if that is useless, an
    estimate."""
    if (axioms := decider.axioms(computation.shown)) is not None:
        return Measurement(None, why=axioms)
    if computation.over.data:
        return counted.probability(decider, computation)
    domain = decider.poser.pose((X,), [], numbers=[ZERO])
    try:
        sides = measure(domain, decider.left() / 4, computation.over.steps)
        if isinstance(sides, str):
            return Measurement(None, why=sides)
        pairs = between(decider, computation, sides) if rooted(decider, computation) else Pairs(decider, computation)
        return pairs if isinstance(pairs, Measurement) else pairs.weigh(sides)
    except RecursionError:
        return Measurement(None, why=DEEP)


def measure(domain: Posed, seconds: float, density: Density = UNIFORM) -> dict[int, Side] | str:
    """What the real inputs range over where X has an inside; or why there is no such distribution on X."""
    own = own_sides(domain.question, density)
    if domain.impossible:
        return "X is empty"
    mass = weigh(domain.question, None, seconds, density=density)
    if not mass.exact:
        if FAR in (abs(side) for pair in own.values() for side in pair):
            return "whether X is bounded stayed open: give every real coordinate an interval"
        return own if mass.parts or len(own) > 1 else "out of time"
    if not mass.given[0] and density:
        return "X has probability 0 under this product"
    if not mass.given[0]:
        return "X has no inside, so no volume to share out: drop the coordinates that follow from the others"
    far = [i for i, pair in mass.sides.items() if any(abs(side) >= FAR for side in pair)]
    if far:
        open_ = any(None in (domain.question.variables[i].low, domain.question.variables[i].high) for i in far)
        return UNBOUNDED if open_ else VAST
    return mass.sides


def rooted(decider: Decider, computation: Computation) -> bool:
    """The oracle's metric is a sum or a maximum with roots in it."""
    return decider.poser.curved(distance(computation.classifier("f2"), X, Y), POINTS)


ORDER: tuple[Norm, ...] = ("above", "below")


def between(decider: Decider, computation: Computation, sides: dict[int, Side]) -> Measurement:
    """Balls of sums of roots lie between two polyhedral ones: what is in the smaller one is near for certain, what is
    not in the larger one is not."""
    inner, outer = (Pairs(decider, computation, side) for side in ORDER)
    small, large = inner.mass(sides, 0.5), outer.mass(sides)
    mass = Mass((small.given[0], large.given[1]), (small.both[0], large.both[1]), sample=small.sample)
    low, high = enclosure(mass)
    if not small.given[0] or high - low == 1:
        return Measurement(None, why="out of time" if large.given[1] else NULL.format("no two points are"))
    pair = inner.witness(mass)
    if low == high:
        return Measurement(low, pair=pair, trusts=TRUSTS)
    return Measurement(interval(low, high), None, pair, NORMS, TRUSTS, how="enclosed", enclosure=(low, high))


class Pairs:
    """The pairs that the premise speaks of, and those of them that flip; x may be a declared point."""

    def __init__(self, decider: Decider, computation: Computation, norm: Norm | None = None) -> None:
        """`norm`: the side of the polyhedral norms that stand for roots."""
        self.decider, self.computation = decider, computation
        f1 = computation.classifier("f1")
        p = computation.arguments.get("p")
        x = p.id if isinstance(p, tree.Name) else X
        self.points = POINTS if p is None else (Y,)
        self.facts = premise(computation, x)
        self.flip = same(f1, "!=", x)
        self.ends = None if p is None else (p, tree.Name(NOWHERE, Y))
        poser = decider.poser
        with poser.rounded(norm, FINE) if norm else nullcontext():
            given = [poser.truth(e, self.points) for e in self.facts]
        event = poser.truth(self.flip, self.points)
        self.width = len(poser.inputs(Y))
        if p is None:
            there = {a.terms[0][0]: b for a, b in zip(poser.inputs(X), poser.inputs(Y), strict=True)}
            for name, formula in computation.formulas.items():
                here = poser.truth(formula, (X,))
                given += [here] if name == "where" else [here, *poser.build.substitute([here], there)]
        self.posed = poser.pose(self.points, given, numbers=[event], squares=True)
        flat = all(len(square.terms) <= 2 for square in self.posed.question.squares)
        self.close = CLOSE_DISC if flat else CLOSE

    def space(self, sides: dict[int, Side]) -> tuple[dict[int, Side], Density]:
        """What the inputs range over, and with which density."""
        density = self.computation.over.steps
        if len(self.points) == 1:
            return sides, density
        both = {**sides, **{i + self.width: side for i, side in sides.items()}}
        return both, {**density, **{i + self.width: steps for i, steps in density.items()}}

    def mass(self, sides: dict[int, Side], share: float = 1.0) -> Mass:
        """The masses of the premise, and of the flips in it, within that share of the time."""
        if self.posed.impossible:
            return Mass()
        both, density = self.space(sides)
        mirror = 0 if len(self.points) == 1 or "where" in self.computation.formulas else self.width
        question, seconds = self.posed.question, self.decider.left() * share
        return weigh(question, question.numbers[0], seconds, both, mirror, density, self.settles)

    def weigh(self, sides: dict[int, Side]) -> Measurement:
        mass = self.mass(sides, 0.7 if self.decider.guessing else 1.0)
        if not mass.given[1]:
            who = "no two points are" if len(self.points) == 2 else "no point is"
            return Measurement(None, why=NULL.format(who))
        pair = self.witness(mass)
        low, high = enclosure(mass)
        if low == high:
            return Measurement(low, pair=pair, trusts=TRUSTS)
        if self.decider.guessing and high - low > USEFUL:
            both, density = self.space(sides)
            question = self.posed.question
            drawn = estimate(question, question.numbers[0], both, self.width, self.decider.left(), density)
            if drawn is not None:
                low, high = (1 - end for end in reversed(drawn.interval))
                agree = drawn.count - drawn.hits
                kind = "pairs" if len(self.points) == 2 else "points"
                notes = (
                    f"{agree} of {drawn.count} random {kind} agree (seed {SEED}). With {100 * (1 - DOUBT)} % "
                    f"confidence the probability is in [{float(low):.4f}, {float(high):.4f}]. "
                    "An estimate proves nothing.",
                )
                return Measurement(
                    f"about {agree / drawn.count:.4g}", how="estimated", enclosure=(low, high), notes=notes
                )
        if high - low == 1:
            return Measurement(None, why="out of time")
        return Measurement(interval(low, high), pair=pair, trusts=TRUSTS, how="enclosed", enclosure=(low, high))

    def settles(self, mass: Mass) -> bool:
        """The enclosure tells the probability from the constant that it is compared with; or it is narrow."""
        low, high = enclosure(mass)
        against = self.computation.against
        return high - low <= self.close if against is None else not low <= against <= high

    def witness(self, mass: Mass) -> Witness | None:
        """A pair that flips, replayed; none if none was found."""
        if mass.sample is None:
            return None
        points = self.posed.read(mass.sample)
        self.decider.replay.demand(points, [*self.facts, self.flip])
        for name, formula in self.computation.formulas.items():
            for point in (X,) if name == "where" else POINTS:
                self.decider.replay.demand({X: points[point]}, [formula])
        return self.decider.show(points, self.ends, self.computation.shown)


def enclosure(mass: Mass) -> Side:
    """Bounds of 1 - both / given: what has been weighed for certain, and what may come on top."""
    (low, high), (flips, most) = mass.given, mass.both
    agrees = max(
        Fraction(0), low - max(flips, most - (high - low))
    )  # what may still turn out to be given may also flip
    least = agrees / (agrees + most) if agrees + most else Fraction(0)
    return least, 1 - flips / high if high else Fraction(1)


def premise(computation: Computation, x: str) -> list[tree.Expr]:
    """x and x' are near and, unless `agree: false`, alike for f2."""
    f2, choices = computation.classifier("f2"), computation.choices
    radius = tree.Number(NOWHERE, computation.number("radius"))
    op: tree.Comparison = "<=" if choices.get("closed") == "true" else "<"
    near = tree.Chain(NOWHERE, (distance(f2, x, Y), radius), (op,))
    return [near] if choices.get("agree") == "false" else [near, same(f2, "==", x)]


def same(name: str, op: tree.Comparison, x: str = X) -> tree.Expr:
    """`name(x) op name(x')`."""
    return tree.Chain(NOWHERE, (call(name, x), call(name, Y)), (op,))


def call(name: str, x: str = X) -> tree.Expr:
    """`name(x)`."""
    return tree.Apply(NOWHERE, tree.Name(NOWHERE, name), (tree.Argument(NOWHERE, "", tree.Name(NOWHERE, x)),))
