"""Probabilities and accuracies of linear classifiers, digit for digit, by Lasserre's formula for the volume of a
polytope (An analytical expression and an algorithm for the volume of a convex polyhedron in R^n, 1983).

Real coordinates beside a whole one, two or three labels with ties, X a union, histograms, a fixed point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from random import Random

import pytest
from flint import fmpq

from verifier.api import Options, load_text

pytestmark = pytest.mark.usefixtures("worker")

Row = tuple[list[fmpq], fmpq, bool]
"""a . x <= b, or < b."""
NONE = fmpq(0)


def number(value: Fraction | int) -> fmpq:
    value = Fraction(value)
    return fmpq(value.numerator, value.denominator)


def volume(rows: Sequence[Row], dimension: int) -> fmpq:
    """A face that is cut out twice would count twice, so equal rows are one."""
    least: dict[tuple[fmpq, ...], fmpq] = {}
    for weights, b, strict in rows:
        size = max(map(abs, weights), default=NONE)
        if not size:
            if b < 0 or (strict and b == 0):
                return NONE
            continue
        key = tuple(x / size for x in weights)
        least[key] = min(least.get(key, b / size), b / size)
    if any(least.get(tuple(-x for x in a), -b + 1) <= -b for a, b in least.items()):
        return NONE
    if not dimension:
        return fmpq(1)
    total = NONE
    for a, b in least.items():
        if b:
            k = max(range(dimension), key=lambda k: abs(a[k]))
            rest = [i for i in range(dimension) if i != k]
            face: list[Row] = [
                ([c[i] - c[k] / a[k] * a[i] for i in rest], d - c[k] / a[k] * b, False)
                for c, d in least.items()
                if c != a
            ]
            total += b / abs(a[k]) * volume(face, dimension - 1)
    return total / dimension


@dataclass(frozen=True)
class Linear:
    """weights . (reals, whole) + constant."""

    weights: tuple[Fraction, ...]
    constant: Fraction

    def written(self, names: Sequence[str]) -> str:
        return " + ".join([*(f"({w})*{n}" for w, n in zip(self.weights, names, strict=True)), f"({self.constant})"])

    def minus(self, other: Linear) -> Linear:
        weights = tuple(a - b for a, b in zip(self.weights, other.weights, strict=True))
        return Linear(weights, self.constant - other.constant)

    def positive(self, whole: int, strict: bool) -> Row:
        """Where it is >= 0 (or > 0), on the slice of the whole coordinate."""
        *reals, last = self.weights
        return [-number(w) for w in reals], number(self.constant + last * whole), strict


class Made:
    """A program on reals in [0, 1] and one whole coordinate in {0, 1}, and its volumes."""

    def __init__(self, rng: Random, reals: int) -> None:
        self.rng, self.reals = rng, reals
        self.names = [*"xyz"[:reals], "n"]
        self.labels = ["a", "b", "c"][: rng.choice([2, 3])]
        self.scores = [self.linear() for _ in self.labels]
        if rng.random() < 0.2:
            self.scores[-1] = self.scores[0]
        self.last = rng.random() < 0.3
        self.bounds: list[Linear] = []
        self.seen = [self.linear() if rng.random() < 0.3 else self.coordinate(k) for k in range(reals + 1)]
        self.scales = [Fraction(rng.choice([1, 1, 2, 3]), rng.choice([1, 2])) for _ in self.seen]
        self.metric = rng.choice(["linf", "l1"])
        self.edge = Fraction(rng.randint(0, 4), 4) if rng.random() < 0.5 else None
        self.ends = [Fraction(0), Fraction(rng.randint(1, 4), 5), Fraction(1)]
        self.weights = rng.choice([[Fraction(1, 4), Fraction(3, 4)], [Fraction(0), Fraction(1)], []])
        self.radius = Fraction(rng.randint(1, 6), 4)
        self.closed = rng.random() < 0.5
        some = [self.linear() for _ in range(rng.choice([0, 0, 1, 2]))]
        if any(volume([*self.box(), f.positive(n, False)], reals) for f in some for n in (0, 1)):
            self.bounds = some

    def linear(self) -> Linear:
        values = [Fraction(self.rng.choice([-2, -1, 0, 1, 1]), self.rng.choice([1, 2])) for _ in self.names]
        return Linear(tuple(values), Fraction(self.rng.randint(-3, 3), 3))

    def coordinate(self, k: int) -> Linear:
        return Linear(tuple(Fraction(i == k) for i in range(len(self.names))), Fraction(0))

    # each a list of parts that do not overlap, with a label or a weight

    def labelled(self, whole: int) -> Iterator[tuple[str, list[Row]]]:
        for i, one in enumerate(self.scores):
            others = ((j, other) for j, other in enumerate(self.scores) if j != i)
            yield self.labels[i], [one.minus(o).positive(whole, (j < i) != self.last) for j, o in others]

    def told(self, whole: int) -> Iterator[tuple[str, list[Row]]]:
        if self.edge is None:
            yield "", []
            return
        over = self.seen[0].minus(Linear((Fraction(0),) * len(self.names), self.edge))
        yield "a", [over.positive(whole, False)]
        yield "b", [Linear(tuple(-w for w in over.weights), -over.constant).positive(whole, True)]

    def inside(self, whole: int) -> Iterator[tuple[fmpq, list[Row]]]:
        """X, by half-planes one after another, and by bins."""
        out: list[Row] = []
        for f in self.bounds or [Linear((Fraction(0),) * len(self.names), Fraction(0))]:
            here = [*out, f.positive(whole, False), *self.box()]
            out.append(Linear(tuple(-w for w in f.weights), -f.constant).positive(whole, True))
            if not self.weights:
                yield fmpq(1), here
                continue
            for (low, high), weight in zip(pairwise(self.ends), self.weights, strict=True):
                first = [fmpq(1), *[NONE] * (self.reals - 1)]
                cut: list[Row] = [(first, number(high), False), ([-x for x in first], -number(low), False)]
                yield number(weight / (high - low)), [*here, *cut]

    def box(self) -> Iterator[Row]:
        for k in range(self.reals):
            unit = [fmpq(i == k) for i in range(self.reals)]
            yield unit, fmpq(1), False
            yield [-u for u in unit], NONE, False

    def parts(self, whole: int) -> list[tuple[fmpq, str, str, list[Row]]]:
        """With an inside: weight, label of f1, label of f2, rows."""
        return [
            (weight, one, two, [*a, *b, *c])
            for weight, a in self.inside(whole)
            for one, b in self.labelled(whole)
            for two, c in self.told(whole)
            if volume([*a, *b, *c], self.reals)
        ]

    def ball(self, m: int, n: int) -> list[Row]:
        """Over x and x'."""
        gaps: list[tuple[list[fmpq], fmpq]] = []
        for f, s in zip(self.seen, self.scales, strict=True):
            *reals, last = (number(w / s) for w in f.weights)
            gaps.append(([*reals, *(-w for w in reals)], last * (m - n)))
        signs = list(product((1, -1), repeat=len(gaps)))
        if self.metric == "linf":
            signs = [tuple(s * (i == k) for i in range(len(gaps))) for k in range(len(gaps)) for s in (1, -1)]
        return [
            (
                [sum((s * g[0][i] for s, g in zip(turn, gaps, strict=True)), NONE) for i in range(2 * self.reals)],
                number(self.radius) - sum((s * g[1] for s, g in zip(turn, gaps, strict=True)), NONE),
                not self.closed,
            )
            for turn in signs
        ]

    def probability(self) -> fmpq | None:
        near = same = NONE
        blank = [NONE] * self.reals
        for m, n in product((0, 1), repeat=2):
            ball = self.ball(m, n)
            for (v, one, told, a), (w, other, heard, b) in product(self.parts(m), self.parts(n)):
                if told == heard:
                    rows = [*((x + blank, y, s) for x, y, s in a), *((blank + x, y, s) for x, y, s in b), *ball]
                    weight = v * w * volume(rows, 2 * self.reals)
                    near += weight
                    same += weight if one == other else NONE
        return same / near if near else None

    def around(self, point: list[fmpq], m: int) -> fmpq | None:
        """The same with x fixed, whatever f2 says."""
        near = same = NONE
        here = next(
            one
            for one, rows in self.labelled(m)
            if all((t < b if strict else t <= b) for a, b, strict in rows for t in [dot(a, point)])
        )
        for n in (0, 1):
            ball = [(a[self.reals :], b - dot(a[: self.reals], point), s) for a, b, s in self.ball(m, n)]
            for w, one, _, rows in self.parts(n):
                weight = w * volume([*rows, *ball], self.reals)
                near += weight
                same += weight if one == here else NONE
        return same / near if near else None

    def accuracy(self) -> fmpq | None:
        sizes = [(one == two, volume(rows, self.reals)) for n in (0, 1) for _, one, two, rows in self.parts(n)]
        return sum((v for right, v in sizes if right), NONE) / whole if (whole := sum(v for _, v in sizes)) else None

    def written(self) -> str:
        where = " or ".join(f"{f.written(self.names)} >= 0" for f in self.bounds)
        reals = ", ".join(f"{name}: real in [0, 1]" for name in self.names[:-1])
        scores = ", ".join(f"s{i} = {f.written(self.names)}" for i, f in enumerate(self.scores))
        choice = ", ".join(f"{label}: s{i}" for i, label in enumerate(self.labels))
        seen = ", ".join(f"h{i} = {f.written(self.names)}" for i, f in enumerate(self.seen))
        told = "" if self.edge is None else f"  decide if h0 >= {self.edge} then a else b"
        return f"""domain X {{ {reals}, n: int in [0, 1] }}{" where " + where if where else ""}
labels {{ {", ".join(self.labels)} }}
model f1 {{ features {scores}  decide argmax({choice}{", ties: last" if self.last else ""}) }}
oracle f2 {{ features {seen}  metric {self.metric}(scale: [{", ".join(map(str, self.scales))}]){told} }}
"""


def dot(a: Sequence[fmpq], b: Sequence[fmpq]) -> fmpq:
    return sum((x * y for x, y in zip(a, b, strict=True)), NONE)


@pytest.mark.seeds(10)
def test_probabilities_by_volumes(seed: int) -> None:
    rng = Random(f"volumes {seed}")
    made = Made(rng, 1 + (seed % 4 == 0))
    options = f"radius: {made.radius}{', closed: true' if made.closed else ''}"
    if made.weights:
        options += (
            f", over: product(x: histogram([{', '.join(map(str, made.ends))}], [{', '.join(map(str, made.weights))}]))"
        )
    text = made.written() + f"compute P: probability(f1, f2, {options})\n"
    expected = {"P": made.probability()}
    point, m = [Fraction(rng.randint(0, 4), 4) for _ in range(made.reals)], rng.randint(0, 1)
    if not made.bounds:
        at = ", ".join(f"{name}: {v}" for name, v in zip(made.names, [*point, m], strict=True))
        text += f"compute Q: probability(f1, f2, {{{at}}}, agree: false, {options})\n"
        expected["Q"] = made.around(list(map(number, point)), m)
    if made.edge is not None and not made.weights:
        text += "compute A: accuracy(f1, f2)\n"
        expected["A"] = made.accuracy()
    result = load_text(text).check(Options(timeout=60, certifying=False))
    assert not result.internal_errors
    found = {c.name: number(c.value) if isinstance(c.value, Fraction) else c.value for c in result.computed}
    assert found == expected, text
