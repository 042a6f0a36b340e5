"""The Lipschitz constant of continuous features over a box, as the largest of their directional derivatives (theory,
"Directional derivatives"): one point and a direction instead of two points.

On the way between two points each t of a relu is > 0, < 0 or constantly 0, but for finitely many places; so there the
relu changes as the choice "t'(d) if t >= 0 else 0" says. So K is at most the greatest length of the change of f1's
features among all points and all directions of length at most 1 for f2, whose features are coordinates. It is no less
where some pair has that quotient; at a kink alone, the choices may say too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct

from verifier.engines.engine import Vector
from verifier.language.build import ZERO, Choice, Form, Variable
from verifier.model.meaning import numbers
from verifier.model.program import Classifier
from verifier.query.pose import Poser, read
from verifier.query.question import Question
from verifier.verdict.certify import Points, distance
from verifier.verdict.measures.sums import Greatest, greatest, sums
from verifier.verdict.measures.supremum import POINTS
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

BRIEF = 0.2
"""Seconds for points at random where the features are steep."""
STEPS = 64
"""So often the second point of a pair is moved half the way to the first."""
Entries = list[tuple[str, Form]]
"""The entries of features, each with the name of its feature."""


def constant(decider: Decider, names: tuple[str, str], seconds: float) -> Measurement | None:
    """K with a pair that attains it, or what is known of it; None where there is no box, no norm, a jump or another
    oracle, and where no pair is found."""
    found = steepest(decider, names, seconds)
    if found is None or (points := pair(decider, names, found)) is None:
        return None
    best = found.best
    return (
        best.least if best.open else best.backing(Measurement(best.value, True, decider.replay.witness(points, names)))
    )


def modulus(decider: Decider, names: tuple[str, str], delta: Fraction, seconds: float) -> Measurement | None:
    """w(delta) = K delta with a pair, where the steepest piece is so long that some pair at this distance lies in it;
    None elsewhere: what is found at random is looked at first."""
    if not delta or not (found := steepest(decider, names, seconds, delta)) or found.best.open:
        return None
    points, best = pair(decider, names, found, delta), found.best
    if points is None:
        return None
    return best.backing(Measurement(best.value * delta, True, decider.replay.witness(points, names)))


class Steepest(Struct, frozen=True):
    """The greatest directional derivative. `reach`: of the direction in each coordinate, where it may be any corner of
    that box."""

    best: Greatest
    reach: tuple[Fraction, ...]

    @property
    def way(self) -> Vector:
        return way(self.best.question, self.best.place, self.reach)


def way(question: Question, place: Vector, reach: Sequence[Fraction]) -> Vector:
    """The direction that a place has in its second half."""
    entries = zip(question.variables[len(reach) :], place[len(reach) :], reach, strict=True)
    return tuple(r * (2 * d - 1) if v.integer else d for v, d, r in entries)


def steepest(
    decider: Decider, names: tuple[str, str], seconds: float, length: Fraction = Fraction(0)
) -> Steepest | None:
    """The greatest directional derivative. None where that of features like these is not known, or where what is found
    first is no steep way of such a `length`."""
    if names in decider.steepest:
        return decider.steepest[names]
    portfolio = decider.portfolio
    change = Change(decider.poser)
    questions = change.questions(*(decider.program.classifiers[name] for name in names))
    first = {question: portfolio.steep(question, (), BRIEF) for question in questions}
    found = [(question, starts[0]) for question, starts in first.items() if starts]
    if length and found:
        question, start = max(found, key=lambda one: one[0].values(one[1])[one[0].numbers[0]])
        if portfolio.middle(question, start, way(question, start, change.reach), length, decider.left()) is None:
            return None

    def starts(question: Question, near: tuple[Vector, ...]) -> tuple[Vector, ...]:
        return portfolio.steep(question, near, BRIEF) if near else first[question]

    best = greatest(decider, questions, seconds, starts)
    if best is None:
        return None
    steep = Steepest(best, change.reach)
    if not best.open:
        decider.steepest[names] = steep
    return steep


class Change:
    """How forms of a point change in a direction."""

    def __init__(self, poser: Poser) -> None:
        self.poser, self.build = poser, poser.build
        self.inputs = poser.inputs(POINTS[0])
        self.of: dict[int, Form] = {}
        self.reach: tuple[Fraction, ...] = ()

    def questions(self, model: Classifier, oracle: Classifier) -> list[Question]:
        """Of z, a point of the box, and d, a direction of length at most 1: the length of the change of the model's
        features. Where that is the largest of a few sums, each of them by itself, and of opposite ones only one, since
        -d is a direction, too. That length is convex in d: of a box of directions the corners will do, and a step is
        told by two corners, 0 and 1."""
        domain, build = self.poser.program.domain, self.build
        if domain is None or not domain.is_box or not all(c.metric and c.metric.is_norm for c in (model, oracle)):
            return []
        coarse, fine = self.entries(model), self.entries(oracle)
        reach = self.alone(oracle, fine)
        if reach is None or not all(self.poser.continuous(form) for _, form in coarse):
            return []
        self.reach = reach
        ways = [build.input(Variable(f"direction {k}", -r, r)) for k, r in enumerate(reach)]
        self.goes(ways)
        steps = [(name, self.along(form)) for name, form in fine]
        sides = sums(self.poser, oracle, steps)
        if sides is None:
            rooms = [build.subtract(build.constant(1), self.length(oracle, steps))]
        else:  # what one coordinate alone says is known of its range
            several = (side for side in sides if len(side.terms) > 1)
            rooms = [build.subtract(build.constant(1), build.scale(sign, side)) for side in several for sign in (1, -1)]
        if not rooms:
            ways = [build.input(Variable(f"corner {k}", Fraction(0), Fraction(1), True)) for k in range(len(reach))]
            self.goes([build.combine([(2 * r, way)], -r) for way, r in zip(ways, reach, strict=True)])
        for i in sorted(build.reach(form for _, form in coarse)):  # what is made of others comes after them
            atom = build.atoms[i]
            if isinstance(atom, Choice):  # a relu
                self.of[i] = build.select(atom.test, self.along(atom.test), ZERO)
        changes = [(name, self.along(form)) for name, form in coarse]
        totals = sums(self.poser, model, changes) or [self.length(model, changes)]
        kept = [*self.inputs, *ways]
        facts = [build.at_least_zero(room) for room in rooms]
        variables = tuple(v for form in kept if isinstance(v := build.atoms[form.terms[0][0]], Variable))
        found = []
        for total in totals:
            if not total.is_constant:
                circuit, nodes = build.circuit([*facts, total], kept)
                found.append(Question(circuit, variables, nodes[:-1], nodes[-1:]))
        return found

    def entries(self, classifier: Classifier) -> Entries:
        features = self.poser.symbolic.features(classifier, self.poser.point(POINTS[0]))
        return [(name, form) for name, value in features.items() for form in numbers(value)]

    def length(self, classifier: Classifier, entries: Entries) -> Form:
        """The norm of a change of features."""
        assert classifier.metric is not None
        return self.poser.symbolic.length(classifier.metric, entries)

    def alone(self, oracle: Classifier, fine: Entries) -> tuple[Fraction, ...] | None:
        """How large a direction of length 1 can be in each coordinate; None where that is not known."""
        places = [form.terms[0][0] for form in self.inputs]
        if any(len(form.terms) > 1 or any(i not in places for i, _ in form.terms) for _, form in fine):
            return None
        sizes = []
        for i in places:
            alone = [(name, self.build.constant(dict(form.terms).get(i, Fraction(0)))) for name, form in fine]
            sizes.append(self.length(oracle, alone).constant)
        return tuple(1 / size for size in sizes) if all(sizes) else None

    def goes(self, steps: Sequence[Form]) -> None:
        """What the inputs change by."""
        self.of = {form.terms[0][0]: step for form, step in zip(self.inputs, steps, strict=True)}

    def along(self, form: Form) -> Form:
        """Its derivative."""
        return self.build.combine((w, self.of[i]) for i, w in form.terms)


def pair(decider: Decider, names: tuple[str, str], steep: Steepest, length: Fraction = Fraction(0)) -> Points | None:
    """Two points in the direction, so near that nothing bends between them, or at this distance; as the reference
    interpreter sees it."""
    far, fine = (distance(name, *POINTS) for name in names)
    best, way, width = steep.best, steep.way, len(steep.reach)
    middle = decider.portfolio.middle(best.question, best.solution, way, length, decider.left())
    begins = [middle] if length else [middle, best.solution[:width]]
    steps = [length] if length else [Fraction(1, 1 << k) for k in range(STEPS)]
    for z, step in product((z for z in begins if z is not None), steps):
        ends = read(decider.program, POINTS, [*z, *(a + step * d for a, d in zip(z, way, strict=True))])
        if all(decider.replay.interpreter.inside(point) for point in ends.values()):
            run = decider.replay.number(fine, ends)
            if run > 0 and run == (length or run) and decider.replay.number(far, ends) == best.value * run:
                return ends
    return None
