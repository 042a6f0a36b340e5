"""P( f1 x = f1 x' | f2 x = f2 x', d2'(x, x') < radius ) for x, x' independent and uniform on X (THEORY section 4).

The measure is counting on the discrete coordinates times the volume on the real ones. The condition is joint: one
quotient of two masses of pairs. Both are sums of volumes of polytopes, hence rational.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.engines.estimate import DOUBT, SEED, estimate
from verifier.engines.weigh import FAR, NAME, Mass, Side, own_sides, weigh
from verifier.language.build import Form
from verifier.model.claim import Computation
from verifier.query.pose import Posed
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import distance
from verifier.verdict.verdict import Measurement, Witness

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

X, Y = POINTS = ("x", "x'")
TRUSTS = (NAME,)
ZERO = Form(Fraction(0))


DEEP = "the formulas are nested too deeply for volumes"

USEFUL = Fraction(1, 4)
"""A wider interval tells so little that an estimate is added to a `compute`."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The probability, exactly; out of time an interval that certainly holds it; for `compute`, if that is useless, an
    estimate."""
    if (axioms := decider.axioms(computation.shown)) is not None:
        return Measurement(None, why=axioms)
    domain = decider.poser.pose((X,), [], numbers=[ZERO])
    try:
        sides = measure(domain, decider.left() / 4)
        if isinstance(sides, str):
            return Measurement(None, why=sides)
        return Pairs(decider, computation).weigh(sides)
    except RecursionError:
        return Measurement(None, why=DEEP)


def measure(domain: Posed, seconds: float) -> dict[int, Side] | str:
    """What the real inputs range over where X has an inside; or why there is no uniform distribution on X."""
    own = own_sides(domain.question)
    if domain.impossible:
        return "X is empty"
    mass = weigh(domain.question, None, seconds)
    if not mass.exact:
        if FAR in (abs(side) for pair in own.values() for side in pair):
            return "whether X is bounded stayed open: give every real coordinate an interval"
        return own if mass.parts or len(own) > 1 else "out of time"
    if not mass.given[0]:
        return "X has no inside, so no volume to share out: drop the coordinates that follow from the others"
    if any(abs(side) >= FAR for pair in mass.sides.values() for side in pair):
        return "X is unbounded: there is no uniform distribution on it"
    return mass.sides


class Pairs:
    """The pairs that the premise speaks of, and those of them that flip."""

    def __init__(self, decider: Decider, computation: Computation) -> None:
        self.decider, self.computation = decider, computation
        f1, f2 = computation.classifier("f1"), computation.classifier("f2")
        closed = computation.choices.get("closed") == "true"
        self.radius = computation.number("radius")
        radius = tree.Number(NOWHERE, self.radius)
        self.near = tree.Chain(NOWHERE, (distance(f2, X, Y), radius), ("<=" if closed else "<",))
        self.alike, self.flip = same(f2, "=="), same(f1, "!=")
        poser = decider.poser
        given = [poser.truth(e, POINTS) for e in (self.near, self.alike)]
        there = {a.terms[0][0]: b for a, b in zip(poser.inputs(X), poser.inputs(Y), strict=True)}
        for name, formula in computation.formulas.items():
            here = poser.truth(formula, (X,))
            given += [here] if name == "where" else [here, *poser.build.substitute([here], there)]
        event = poser.truth(self.flip, POINTS)
        self.posed = poser.pose(POINTS, given, numbers=[event])
        self.width = len(poser.inputs(X))

    def weigh(self, sides: dict[int, Side]) -> Measurement:
        question = self.posed.question
        both = {**sides, **{i + self.width: side for i, side in sides.items()}}
        mirror = 0 if "where" in self.computation.formulas else self.width
        event = question.numbers[0]
        mass = (
            Mass()
            if self.posed.impossible
            else weigh(question, event, self.decider.left() * (0.7 if self.decider.guessing else 1), both, mirror)
        )
        if not mass.given[1]:
            return Measurement(
                None, why="the condition has probability 0: almost no two points are near and alike for the oracle"
            )
        pair = self.witness(mass)
        if mass.exact:
            return Measurement(1 - mass.both[0] / mass.given[0], pair=pair, trusts=TRUSTS)
        low, high = enclosure(mass)
        if self.decider.guessing and high - low > USEFUL:
            drawn = estimate(question, event, both, self.width, self.decider.left())
            if drawn is not None:
                low, high = (1 - end for end in reversed(drawn.interval))
                agree = drawn.count - drawn.hits
                notes = (
                    f"{agree} of {drawn.count} random pairs agree (seed {SEED}). With {100 * (1 - DOUBT)} % confidence "
                    f"the probability is in [{float(low):.4f}, {float(high):.4f}]. An estimate proves nothing.",
                )
                return Measurement(
                    f"about {agree / drawn.count:.4g}", how="estimated", enclosure=(low, high), notes=notes
                )
        if high - low == 1:
            return Measurement(None, why="out of time")
        shown = f"[{float(low):.6g}, {float(high):.6g}]"
        return Measurement(shown, pair=pair, trusts=TRUSTS, how="enclosed", enclosure=(low, high))

    def witness(self, mass: Mass) -> Witness | None:
        """A pair that flips, replayed; none if none was found."""
        if mass.sample is None:
            return None
        points = self.posed.read(mass.sample)
        self.decider.replay.demand(points, [self.near, self.alike, self.flip])
        for name, formula in self.computation.formulas.items():
            for point in (X,) if name == "where" else POINTS:
                self.decider.replay.demand({X: points[point]}, [formula])
        return self.decider.show(points, None, self.computation.shown)


def enclosure(mass: Mass) -> Side:
    """Bounds of 1 - both / given: what has been weighed for certain, and what may come on top."""
    (low, high), (flips, most) = mass.given, mass.both
    agrees = max(
        Fraction(0), low - max(flips, most - (high - low))
    )  # what may still turn out to be given may also flip
    least = agrees / (agrees + most) if agrees + most else Fraction(0)
    return least, 1 - flips / high if high else Fraction(1)


def same(name: str, op: tree.Comparison) -> tree.Expr:
    """`name(x) op name(x')`."""
    sides: Sequence[tree.Expr] = [
        tree.Apply(NOWHERE, tree.Name(NOWHERE, name), (tree.Argument(NOWHERE, "", tree.Name(NOWHERE, p)),))
        for p in POINTS
    ]
    return tree.Chain(NOWHERE, tuple(sides), (op,))
