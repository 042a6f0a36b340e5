"""The Lipschitz constant of features that are affine but for a few relus, over an l2 or mahalanobis distance of affine
ones: a generalised eigenvalue.

Let g2 have the matrix A2, and let A1 run over the matrices of g1 for all choices of its relus. On the way from x to x'
= x + v the features of g1 change by a mean of A1 v, and those of g2 by A2 v: so d1'^2 <= c d2'^2 everywhere if
c A2^T W2 A2 - A1^T W1 A1 is positive semidefinite for every A1, which L D L^T decides in rationals. Floats guess the
least such c; where it is rational, the form of some A1 vanishes in a direction v, and a pair with such differences
attains it, if X has one. Over whole numbers of a box without one, affine features are looked at for all differences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import ceil, floor, lcm, prod
from typing import TYPE_CHECKING

from verifier.canonical.linalg import null_space, rank
from verifier.canonical.simplex import Inequality, Solution, solve
from verifier.engines.engine import Fails
from verifier.language.build import Choice, Form
from verifier.language.metrics.quadratic import NotSemidefinite, sum_of_squares
from verifier.query.pose import read
from verifier.verdict.certify import Points
from verifier.verdict.measures.grid import Found, forms, greatest
from verifier.verdict.measures.supremum import POINTS

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

TRUSTS = ("exact linear algebra",)
RELUS = 6
MATRICES = 128
"""Twice as many for each relu."""
INPUTS = 16
VECTORS = 4_000_000
"""So many differences are looked at."""
GUESSES = (100, 10_000, 100_000)
"""Denominators up to which c is guessed."""
BRIEF = 5.0
WHOLE = 2**50
"""Whole numbers below are exact as floats, also when a few are added."""

Row = tuple[Fraction, ...]
Rows = tuple[Row, ...]
Squares = list[tuple[Fraction, Form]]
"""Weights and features: d^2 is the sum of weight * difference^2."""


def steepest(decider: Decider, names: tuple[str, str]) -> Found | None:
    """The square of K, where it is found."""
    (above, below), there = ([squares(decider, name, point) for name in names] for point in POINTS)
    if not above or len(below) != 1:
        return None
    slopes = Slopes(decider, [form for part in (*above, *below) for _, form in part])
    if not slopes.affine([form for _, form in below[0]]) or not slopes.bent_by_relus or slopes.width > INPUTS:
        return None
    if len(above) << len(slopes.bends) > MATRICES:
        return None
    base = slopes.gram(below[0], {})
    tops = [(slopes.gram(part, on), k, on) for on in slopes.choices() for k, part in enumerate(above)]
    value = least_factor([top for top, _, _ in tops], base) if tops else None
    if value is not None:
        for top, k, on in tops:
            for v in null_space(less(base, value, top), len(base)):
                rows = [form for _, form in (*below[0], *above[k])]
                ends = [form for _, form in (*there[1][0], *there[0][k])]
                differences = [decider.poser.build.subtract(a, b) for a, b in zip(rows, ends, strict=True)]
                changes = [dot(slopes.gradient(form, on)[0], v) for form in rows]
                if any(changes[: len(below[0])]) and (pair := along(decider, differences, changes)) is not None:
                    return value, pair, TRUSTS
    return None if slopes.bends else listed(decider, [top for top, _, _ in tops], base)


def squares(decider: Decider, name: str, point: str) -> list[Squares]:
    """Sums of squares of features at a point, of which the greatest is that of the distance; none of other metrics."""
    classifier = decider.program.classifiers[name]
    features = decider.poser.symbolic.features(classifier, decider.poser.point(point)).values()
    entries = [n for value in features for n in (value if isinstance(value, tuple) else (value,))]
    plain = [n for n in entries if isinstance(n, Form)]
    if len(plain) < len(entries):
        return []
    combine = decider.poser.build.combine
    return [[(w, combine(zip(row, plain, strict=True))) for w, row in part] for part in forms(classifier, len(plain))]


class Slopes:
    """How features of x change with the inputs, for each choice of their relus."""

    def __init__(self, decider: Decider, forms: Sequence[Form]) -> None:
        self.build = decider.poser.build
        own = decider.poser.inputs(POINTS[0])
        self.inputs = {form.terms[0][0]: k for k, form in enumerate(own) if form.terms}
        self.width = len(own)
        bounds = [self.build.bounds(form) for form in own]
        self.lows, self.highs = [low for low, _ in bounds], [high for _, high in bounds]
        self.bends = sorted(self.build.reach(forms) - self.inputs.keys())

    @property
    def bent_by_relus(self) -> bool:
        atoms = [self.build.atoms[i] for i in self.bends]
        return len(atoms) <= RELUS and all(isinstance(a, Choice) and a.is_relu for a in atoms)

    def affine(self, forms: Sequence[Form]) -> bool:
        return self.build.reach(forms) <= self.inputs.keys()

    def choices(self) -> Iterator[dict[int, bool]]:
        """Those that are possible somewhere between the bounds of the inputs. A test that is not constant is not 0:
        what is only there on a set without an inside has the slopes of what is beside it."""
        for choice in product((False, True), repeat=len(self.bends)):
            on = dict(zip(self.bends, choice, strict=True))
            sides = []
            for i in self.bends:
                relu = self.build.atoms[i]
                assert isinstance(relu, Choice)
                row, constant = self.gradient(relu.test, on)
                sign = 1 if on[i] else -1
                terms = {k: sign * a for k, a in enumerate(row) if a}
                sides.append(Inequality(terms, sign * constant, strict=bool(terms)))
            if not self.bends or isinstance(solve(sides, self.lows, self.highs), Solution):
                yield on

    def gradient(self, form: Form, on: Mapping[int, bool]) -> tuple[Row, Fraction]:
        """The form in the inputs that are not fixed, and its constant."""
        total, constant = [Fraction(0)] * self.width, form.constant
        for i, weight in form.terms:
            if i in self.inputs:
                k = self.inputs[i]
                if (low := self.lows[k]) is not None and low == self.highs[k]:
                    constant += weight * low
                else:
                    total[k] += weight
            elif on[i]:
                relu = self.build.atoms[i]
                assert isinstance(relu, Choice)
                row, offset = self.gradient(relu.test, on)
                total, constant = [a + weight * b for a, b in zip(total, row, strict=True)], constant + weight * offset
        return tuple(total), constant

    def gram(self, part: Squares, on: Mapping[int, bool]) -> Rows:
        """The sum of weight * gradient^T gradient."""
        rows = [(w, self.gradient(form, on)[0]) for w, form in part]
        size = range(self.width)
        return tuple(tuple(sum((w * r[i] * r[j] for w, r in rows), Fraction(0)) for j in size) for i in size)


def least_factor(tops: Sequence[Rows], base: Rows) -> Fraction | None:
    """The least c with c * base - top positive semidefinite for all, if it is found to be a rational > 0."""
    guess = max(eigenvalue(top, base) for top in tops)
    for digits in GUESSES:
        if not 0 < guess < float("inf"):
            return None
        value = Fraction(guess).limit_denominator(digits)
        if value > 0 and all(semidefinite(less(base, value, top)) for top in tops):
            least = any(rank(less(base, value, top)) < rank(base) for top in tops)
            return value if least else None
    return None


def eigenvalue(top: Rows, base: Rows) -> float:
    """The greatest quotient of the two forms, about."""
    import numpy as np

    a, b = (np.array([[float(x) for x in row] for row in m]) for m in (top, base))
    sizes, axes = np.linalg.eigh(b)
    seen = sizes > 1e-12 * max(1e-300, float(sizes.max()))
    unseen = axes[:, ~seen]
    if np.abs(unseen.T @ a @ unseen).max(initial=0.0) > 1e-9 * (np.abs(a).max() or 1.0):
        return float("inf")
    scaled = axes[:, seen] / np.sqrt(sizes[seen])
    return float(np.linalg.eigvalsh(scaled.T @ a @ scaled).max(initial=0.0))


def less(base: Rows, factor: Fraction, top: Rows) -> Rows:
    """factor * base - top"""
    return tuple(tuple(factor * b - a for a, b in zip(r, s, strict=True)) for r, s in zip(top, base, strict=True))


def semidefinite(matrix: Rows) -> bool:
    try:
        sum_of_squares(matrix)
    except NotSemidefinite:
        return False
    return True


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def along(decider: Decider, differences: Sequence[Form], changes: Sequence[Fraction]) -> Points | None:
    """A pair of X of which the features differ in these proportions; the first change that is not 0 is d2's."""
    build = decider.poser.build
    which = next(k for k, c in enumerate(changes) if c)
    share = build.scale(1 / changes[which], differences[which])
    equal = [build.is_zero(build.subtract(d, build.scale(c, share))) for d, c in zip(differences, changes, strict=True)]
    posed = decider.poser.pose(POINTS, [build.above_zero(share), *equal])
    match decider.ask(posed, most=BRIEF):
        case Fails(_, (vector, *_)):
            return posed.read(vector)
        case _:
            return None


def listed(decider: Decider, tops: Sequence[Rows], base: Rows) -> Found | None:
    """The same by all differences of whole numbers of a box; None where they are too many."""
    import numpy as np

    domain = decider.program.domain
    assert domain is not None
    sides = [(c.low, c.high) for c in domain.coordinates for _ in range(c.size or 1) if c.kind == "int"]
    bounds = [(ceil(low), floor(high)) for low, high in sides if low is not None and high is not None]
    if domain.where is not None or len(bounds) < len(base):
        return None
    reach = [high - low for low, high in bounds]
    if (reach[0] + 1) * prod(2 * r + 1 for r in reach[1:]) > VECTORS:
        return None
    whole = lcm(*(x.denominator for matrix in (*tops, base) for row in matrix for x in row))
    whole_forms = [[[int(x * whole) for x in row] for row in matrix] for matrix in (*tops, base)]
    if max(abs(x) for m in whole_forms for row in m for x in row) * (max(reach) * len(base)) ** 2 >= WHOLE:
        return None
    axes = [range(reach[0] + 1), *(range(-r, r + 1) for r in reach[1:])]
    vectors = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1).astype(np.int64)
    *highs, low = (np.einsum("ki,ij,kj->k", vectors, np.array(m, dtype=np.int64), vectors) for m in whole_forms)
    high = np.max(highs, axis=0)
    if (high[low == 0] > 0).any() or not (high > 0).any():
        return None
    value, place = greatest(high, low)
    v = [int(x) for x in vectors[place]]
    starts = [low + max(0, -step) for (low, _), step in zip(bounds, v, strict=True)]
    pair = read(decider.program, POINTS, [Fraction(x) for x in (*starts, *map(sum, zip(starts, v, strict=True)))])
    return (value, pair, ("enumeration",)) if decider.replay.holds(pair, []) else None
