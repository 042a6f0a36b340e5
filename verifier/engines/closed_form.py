"""Theorem 2: containment of affine maps under norms, by one matrix factorisation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random

from msgspec import Struct

from verifier.canonical.affine import affine_rows
from verifier.canonical.linalg import Row, Rows, null_space, solve_left
from verifier.engines.engine import Fails, Holds
from verifier.kernel.problem import Entails, Linear
from verifier.language.build import NO, Choice, Form, Variable
from verifier.model.claim import Contained
from verifier.model.meaning import Finite, numbers
from verifier.model.program import Classifier
from verifier.query.pose import Poser

NAME = "Theorem 2"
GUESSES = 30
HALF = Fraction(1, 2)


def contained(poser: Poser, claim: Contained) -> Holds | None:
    """A proof that g1 factors through g2 (A1 B = M A2 B), for the kernel; None where the theorem does not answer.

    Its side conditions: affine feature maps of numbers, norms on both sides. Any X will do, for the factor M bounds
    d1' by a
    multiple of d2'. That it is *not* contained is never concluded here: that takes a witness.
    """
    if (found := factor(poser, claim)) is None:
        return None
    proof = Linear(tuple(tuple(row) for row in found.weights))
    return Holds(NAME, (), (difference(poser, found.coarse, [*found.fine, *found.known]), proof))


class Factor(Struct, frozen=True):
    """A1 B = M A2 B: `weights` (M) has a row for each entry of `coarse` (g1), and a column for each of `fine` (g2) and
    of `known`, forms that are constant on X."""

    coarse: list[Form]
    fine: list[Form]
    known: list[Form]
    weights: Rows

    def images(self, poser: Poser) -> list[tuple[Row, Fraction]]:
        """Each entry of g1 as weights of those of g2, and a constant: what holds on X."""
        inputs = [form.terms[0][0] for form in poser.inputs("x")]
        given, rest = (affine_rows(poser.build, forms, inputs) for forms in ([*self.fine, *self.known], self.coarse))
        assert given is not None and rest is not None
        values = [Fraction(0)] * len(self.fine) + [constant_on(poser, form) for form in self.known]
        gaps = [v - c for v, c in zip(values, given[1], strict=True)]
        return [(row[: len(self.fine)], c + dot(row, gaps)) for row, c in zip(self.weights, rest[1], strict=True)]


def constant_on(poser: Poser, form: Form) -> Fraction:
    """What a form of `equations` is on X."""
    atom, weight = form.terms[0]
    match poser.build.atoms[atom]:
        case Variable(low=Fraction() as low, high=high) if low == high and len(form.terms) == 1:
            return weight * low + form.constant
        case _:
            return Fraction(0)


def factor(poser: Poser, claim: Contained) -> Factor | None:
    """The factorisation of Theorem 2, where its side conditions hold and there is one."""
    model, oracle = (poser.program.classifiers[n] for n in (claim.model, claim.oracle))
    coarse, fine = features(poser, model, "x", claim.named), features(poser, oracle, "x", "")
    if coarse is None or fine is None:
        return None
    inputs, known = [form.terms[0][0] for form in poser.inputs("x")], equations(poser)
    targets, given = affine_rows(poser.build, coarse, inputs), affine_rows(poser.build, [*fine, *known], inputs)
    if targets is None or given is None:
        return None
    weights = solve_left(targets[0], given[0]) if targets[0] else ()
    return None if weights is None else Factor(coarse, fine, known, weights)


def segments(poser: Poser, claim: Contained) -> Iterator[Fails]:
    """Guesses of a pair that the oracle cannot tell apart and the model can: x -+ s v with A2 v = 0 != A1 v, for some
    middles x of the box, as long as the box lets them be. None where the maps are not affine, or v moves an integer.

    They count only when they solve a question: `Fails.points[0]` is x followed by x', one number a coordinate.
    """
    model, oracle = (poser.program.classifiers[n] for n in (claim.model, claim.oracle))
    coarse, fine = features(poser, model, "x", claim.named), features(poser, oracle, "x", "")
    inputs = [form.terms[0][0] for form in poser.inputs("x")]
    targets = affine_rows(poser.build, coarse or (), inputs)
    given = affine_rows(poser.build, [*(fine or ()), *equations(poser)], inputs)
    if coarse is None or fine is None or targets is None or given is None:
        return
    variables = [v for v in (poser.build.atoms[i] for i in inputs) if isinstance(v, Variable)]
    blind = (v for v in null_space(given[0], len(inputs)) if any(dot(row, v) for row in targets[0]))
    way = next(blind, None)
    if way is None or any(v.integer and w for v, w in zip(variables, way, strict=True)):
        return
    box = [side(v) for v in variables]
    random = Random(0)
    for k in range(GUESSES):
        shares = [HALF if k == 0 else Fraction(random.randint(1, 15), 16) for _ in box]
        middle = [a + t * (b - a) for (a, b), t in zip(box, shares, strict=True)]
        middle = [Fraction(round(m)) if v.integer else m for m, v in zip(middle, variables, strict=True)]
        room = (min(m - a, b - m) / abs(w) for m, (a, b), w in zip(middle, box, way, strict=True) if w)
        step = min(room) / 2  # not up to a side, which may be open
        ends = [[m + sign * step * w for m, w in zip(middle, way, strict=True)] for sign in (-1, 1)]
        yield Fails(NAME, ((*ends[0], *ends[1]),))


def side(variable: Variable) -> tuple[Fraction, Fraction]:
    """A bounded part of the variable's interval."""
    low, high = variable.low, variable.high
    if low is None:
        low = Fraction(-1) if high is None else high - 2
    return low, low + 2 if high is None else high


def dot(row: Row, vector: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(row, vector, strict=True)), Fraction(0))


def features(poser: Poser, classifier: Classifier, point: str, only: str) -> list[Form] | None:
    """The entries of g(point), or of one feature; of a singular mahalanobis the non-null rows of L^T g(point). None
    when the metric is no norm or a feature is nominal."""
    metric = classifier.metric
    rows = metric is not None and metric.is_quadratic and not metric.is_norm  # a singular mahalanobis
    if metric is not None and not metric.is_norm and not rows:
        return None
    values = poser.symbolic.features(classifier, poser.point(point))
    chosen = [v for name, v in values.items() if only in ("", name)]
    if any(isinstance(v, Finite) for v in chosen):
        return None
    entries = [n for v in chosen for n in numbers(v)]
    if metric is None or not rows or only:
        return entries
    scales = metric.scales or (Fraction(1),) * len(entries)
    scaled = [poser.build.scale(1 / s, e) for s, e in zip(scales, entries, strict=True)]
    return [poser.build.combine(zip(row, scaled, strict=True)) for _, row in metric.squares]


def equations(poser: Poser) -> list[Form]:
    """Forms that are constant on X: pinned coordinates, and the equations among the constraints of the domain."""
    build = poser.build
    found: list[Form] = []
    for form in poser.inputs("x"):
        variable = build.atoms[form.terms[0][0]]
        if isinstance(variable, Variable) and variable.low is not None and variable.low == variable.high:
            found.append(form)
    facts: set[Form] = set()
    todo = poser.inside(["x"])
    while todo:
        form = todo.pop()
        atom = build.atoms[form.terms[0][0]] if len(form.terms) == 1 and not form.constant else None
        if (
            isinstance(atom, Choice)
            and atom.logic
            and atom.otherwise == NO
            and atom.then != NO
            and form.terms[0][1] == 1
        ):
            todo += [atom.test, atom.then]
        elif not (isinstance(atom, Choice) and atom.logic):
            facts.add(form)
    return found + [
        f for f in sorted(facts, key=lambda f: f.terms) if f.terms and f.terms[0][1] > 0 and build.scale(-1, f) in facts
    ]


def difference(poser: Poser, coarse: list[Form], known: list[Form]) -> Entails:
    """In pair space: wherever all known forms agree at x and x', so do the features of the model."""
    left, right = poser.inputs("x"), poser.inputs("x'")
    images = {a.terms[0][0]: b for a, b in zip(left, right, strict=True)}
    forms = [*known, *coarse]
    there = poser.build.substitute(forms, images)
    gaps = [poser.build.subtract(a, b) for a, b in zip(forms, there, strict=True)]
    circuit, nodes = poser.build.circuit(gaps, [*left, *right])
    return Entails(circuit, nodes[: len(known)], nodes[len(known) :])
