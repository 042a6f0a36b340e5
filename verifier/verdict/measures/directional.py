"""The Lipschitz constant of continuous features over a box, as the largest of their directional derivatives (theory,
"Directional derivatives"): one point and a direction instead of two points.

On the way between two points each t of a relu is > 0, < 0 or constantly 0, but for finitely many places; so there the
relu changes as the choice "t'(d) if t >= 0 else 0" says. So K is at most the greatest length of the change of f1's
features among all points and all directions of length at most 1 for f2, whose features are coordinates. It is no less
where some pair has that quotient; at a kink alone, the choices may say too much.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct

from verifier.canonical.simplex import Inequality
from verifier.engines.ascent import Quotient
from verifier.engines.engine import Fails, Holds, Most, Vector
from verifier.engines.linear_program import corner
from verifier.language.build import ZERO, Choice, Form, Variable
from verifier.model.meaning import numbers
from verifier.model.program import Classifier
from verifier.query import closure
from verifier.query.convex import largest
from verifier.query.piece import piece_of
from verifier.query.pose import Poser, read
from verifier.query.question import Question
from verifier.verdict.certify import Points, backed, distance
from verifier.verdict.measures.supremum import POINTS
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

SOON = 0.1
"""Of the time, for what is found first."""
SUMS = 64
"""More are not asked about one by one."""
STEPS = 64
"""So often the second point of a pair is moved half the way to the first."""
Entries = list[tuple[str, Form]]
"""The entries of features, each with the name of its feature."""


def constant(decider: Decider, names: tuple[str, str], seconds: float) -> Measurement | None:
    """K with a pair that attains it; None where there is no box, no norm, a jump or another oracle, and where no pair
    is found."""
    questions = Change(decider.poser).questions(*(decider.program.classifiers[name] for name in names))
    best, held = steepest(decider, questions, time.monotonic() + seconds)
    if best is None or len(held) < len(questions):
        return None
    points = pair(decider, names, best)
    if points is None:
        return None
    value = Measurement(best.slope, True, decider.replay.witness(points, names))
    for question, answer in held:
        value = backed(value, answer, question, closure.greater)
    return value


class Steep(Struct, frozen=True):
    """A solution, and a direction in which the slope of its piece is largest."""

    slope: Fraction
    question: Question
    solution: Vector
    way: Vector


def steepest(
    decider: Decider, questions: Sequence[Question], end: float
) -> tuple[Steep | None, list[tuple[Question, Most]]]:
    """The steepest direction that is found, and of which questions it is known that none is steeper: of each, first
    what is found soon, so that little is proved of a slope that is none of the greatest."""
    best: Steep | None = None
    held: list[tuple[Question, Most]] = []
    open_ = list(questions)
    for patience in (SOON / max(1, len(questions)), 1.0):
        for question in open_.copy():
            while (left := end - time.monotonic()) > 0:
                slope = best.slope if best is not None else Fraction(0)
                (further,) = closure.greater(question, slope, attained=True)
                near = () if best is None else (best.solution, (*best.solution[: len(best.way)], *best.way))
                found = decider.portfolio.nearby(further, near, patience * left)
                if isinstance(found, Holds):
                    proofs = () if found.proof is None else (found.proof,)
                    held.append((question, Most(found.by, slope, True, (), found.trusts, proofs)))
                    open_.remove(question)
                if not isinstance(found, Fails):
                    break
                z = found.points[0][: len(question.variables)]
                top = Quotient(question, divided=False).top(z)
                if top is None or not top[1][-1]:
                    return None, []
                best = Steep(top[0], question, z, tuple(a / top[1][-1] for a in top[1][len(z) // 2 : -1]))
    return best, held


class Change:
    """How forms of a point change in a direction."""

    def __init__(self, poser: Poser) -> None:
        self.poser, self.build = poser, poser.build
        self.inputs = poser.inputs(POINTS[0])
        self.of: dict[int, Form] = {}

    def questions(self, model: Classifier, oracle: Classifier) -> list[Question]:
        """Of z, a point of the box, and d, a direction of length at most 1: the length of the change of the model's
        features. Where that is the largest of a few sums, each of them by itself, and of opposite ones only one, since
        -d is a direction, too."""
        domain, build = self.poser.program.domain, self.build
        if domain is None or not domain.is_box or not all(c.metric and c.metric.is_norm for c in (model, oracle)):
            return []
        coarse, fine = self.entries(model), self.entries(oracle)
        reach = self.reach(oracle, fine)
        if reach is None or not all(self.poser.continuous(form) for _, form in coarse):
            return []
        ways = [build.input(Variable(f"direction {k}", -r, r)) for k, r in enumerate(reach)]
        self.of = {form.terms[0][0]: way for form, way in zip(self.inputs, ways, strict=True)}
        for i in sorted(build.reach(form for _, form in coarse)):  # what is made of others comes after them
            atom = build.atoms[i]
            if isinstance(atom, Choice):  # a relu
                self.of[i] = build.select(atom.test, self.along(atom.test), ZERO)
        changes = [(name, self.along(form)) for name, form in coarse]
        sums = self.sums(model, changes) or [self.length(model, changes)]
        steps = [(name, self.along(form)) for name, form in fine]
        sides = self.sums(oracle, steps)
        if sides is None:
            rooms = [build.subtract(build.constant(1), self.length(oracle, steps))]
        else:  # what one coordinate alone says is known of its range
            several = (side for side in sides if len(side.terms) > 1)
            rooms = [build.subtract(build.constant(1), build.scale(sign, side)) for side in several for sign in (1, -1)]
        kept = [*self.inputs, *ways]
        facts = [build.at_least_zero(room) for room in rooms]
        variables = tuple(v for form in kept if isinstance(v := build.atoms[form.terms[0][0]], Variable))
        found = []
        for total in sums:
            if not total.is_constant:
                circuit, nodes = build.circuit([*facts, total], kept)
                found.append(Question(circuit, variables, nodes[:-1], nodes[-1:]))
        return found

    def sums(self, classifier: Classifier, entries: Entries) -> list[Form] | None:
        """The sums of the entries whose absolute values the norm is the largest of; None where these are not few."""
        build = self.build
        free = [build.input(Variable(f"change {k}", None, None)) for k in range(len(entries))]
        length = self.length(classifier, [(name, form) for (name, _), form in zip(entries, free, strict=True)])
        circuit, (node,) = build.circuit([length], free)
        forms = largest(circuit, node, len(free))
        if forms is None or forms.tests or len(forms.rows) > SUMS:
            return None
        kept = {row.weights for row in forms.rows if row.weights and row.weights[0][1] > 0}
        return [build.combine((w, entries[i][1]) for i, w in weights) for weights in sorted(kept)]

    def entries(self, classifier: Classifier) -> Entries:
        features = self.poser.symbolic.features(classifier, self.poser.point(POINTS[0]))
        return [(name, form) for name, value in features.items() for form in numbers(value)]

    def length(self, classifier: Classifier, entries: Entries) -> Form:
        """The norm of a change of features."""
        assert classifier.metric is not None
        return self.poser.symbolic.length(classifier.metric, entries)

    def reach(self, oracle: Classifier, fine: Entries) -> list[Fraction] | None:
        """How large a direction of length 1 can be in each coordinate; None where that is not known."""
        places = [form.terms[0][0] for form in self.inputs]
        if any(len(form.terms) > 1 or any(i not in places for i, _ in form.terms) for _, form in fine):
            return None
        sizes = []
        for i in places:
            alone = [(name, self.build.constant(dict(form.terms).get(i, Fraction(0)))) for name, form in fine]
            sizes.append(self.length(oracle, alone).constant)
        return [1 / size for size in sizes] if all(sizes) else None

    def along(self, form: Form) -> Form:
        """Its derivative."""
        return self.build.combine((w, self.of[i]) for i, w in form.terms)


def pair(decider: Decider, names: tuple[str, str], best: Steep) -> Points | None:
    """Two points in the direction, so near that nothing bends between them; as the reference interpreter sees it."""
    far, fine = (distance(name, *POINTS) for name in names)
    for z in starts(best):
        step = Fraction(1)
        for _ in range(STEPS):
            ends = read(decider.program, POINTS, [*z, *(a + step * d for a, d in zip(z, best.way, strict=True))])
            if all(decider.replay.interpreter.inside(point) for point in ends.values()):
                run = decider.replay.number(fine, ends)
                if run > 0 and decider.replay.number(far, ends) == best.slope * run:
                    return ends
            step /= 2
    return None


def starts(best: Steep) -> Iterator[Sequence[Fraction]]:
    """Where a pair may begin: as far within the piece of the solution as may be, or at it."""
    width = len(best.way)
    piece, rows = piece_of(best.question, best.solution), []
    for row in (*piece.weak, *piece.strict):
        terms = {i: w for i, w in row.weights if i < width}
        if terms:
            constant = row.constant + sum((w * best.way[i - width] for i, w in row.weights if i >= width), Fraction(0))
            rows.append(Inequality(terms | {width: -sum(map(abs, terms.values()), Fraction(0))}, constant))
    here = best.solution[:width]
    inside = corner(
        {width: Fraction(1)}, rows, [None] * (width + 1), [*(None for _ in here), Fraction(1)], (*here, Fraction(0))
    )
    if inside is not None:
        yield inside[:width]
    yield here
