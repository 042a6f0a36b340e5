"""Measures of small finite domains by enumeration, straight from the definitions, with numbers of sixty digits.

The random programs are those of `programs`; metrics with roots, data sets and distributions are added here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from tests.differential.programs import Classifier, Coord, Env, Maker, Metric, Taste
from tests.differential.run import check
from verifier.language.root import Root
from verifier.verdict.verdict import Computed

pytestmark = pytest.mark.usefixtures("worker")

Far = Callable[[Env, Env], Decimal]
Number = Decimal | str | None
"""A measure: a number, infinity, or none at all."""
NOTHING = Decimal(10) ** -45
NEVER = "infinity"
TASTE = Taste(reals=(0, 0), discrete=(1, 3), user_metric=0, combined=0.3)


def digits(value: Fraction | int) -> Decimal:
    value = Fraction(value)
    return Decimal(value.numerator) / Decimal(value.denominator)


def euclidean(f: Classifier, x: Env, y: Env) -> Decimal:
    g, h = f.g(x), f.g(y)
    gaps = [Fraction(g[k] != h[k]) if p.nominal else g[k] - h[k] for p in f.features for k in p.accessors()]
    return digits(sum((d * d for d in gaps), Fraction(0))).sqrt()


ROOTED: dict[str, Callable[[Decimal, Decimal, Decimal], Decimal]] = {
    "l2": lambda two, most, count: two,
    "2 * l2": lambda two, most, count: 2 * two,
    "l2 + linf": lambda two, most, count: two + most,
    "max(l2, l0)": lambda two, most, count: max(two, count),
    "l2 / 2 + l0": lambda two, most, count: two / 2 + count,
}
"""By the euclidean distance, the greatest difference, and the number of differences."""


def measured(f: Classifier, name: str | None) -> tuple[Classifier, Far]:
    """The classifier with one of these metrics, or as it is, and how far points are for it."""
    if name is None:
        return f, lambda x, y: digits(f.distance(x, y))
    most, count = (replace(f, metric=Metric(n)) for n in ("linf", "l0"))
    return replace(f, metric=Metric(name)), lambda x, y: ROOTED[name](
        euclidean(f, x, y), digits(most.distance(x, y)), digits(count.distance(x, y))
    )


def least(numbers: Iterable[Decimal]) -> Number:
    return min(numbers, default=NEVER)


@dataclass(frozen=True)
class Way:
    """How points are drawn: `over: name`, the probability of each place, and of each two of them."""

    name: str
    one: dict[int, Fraction]
    two: dict[tuple[int, int], Fraction]


def independent(name: str, one: dict[int, Fraction]) -> Way:
    return Way(name, one, {(i, j): p * q for i, p in one.items() for j, q in one.items()})


def uniform(points: Sequence[Env]) -> Way:
    return independent("uniform(X)", {i: Fraction(1, len(points)) for i in range(len(points))})


def rows(places: Sequence[int]) -> Iterator[Way]:
    count = len(places)
    one = {i: Fraction(places.count(i), count) for i in places}
    yield independent("D", one)
    apart = {(i, j): p * (places.count(j) - (i == j)) / (count - 1) for i, p in one.items() for j in one}
    yield Way("distinct(D)", one, apart)


def weighted(rng: Random, coords: Sequence[Coord], points: Sequence[Env]) -> Way:
    """A product: of whole numbers each has a bin, but for the last two, which share one."""
    parts, one = [], {i: Fraction(1) for i in range(len(points))}
    for c in coords:
        values = c.choices()
        shares = [Fraction(rng.randint(1, 4)) for _ in values]
        if c.kind == "int" and len(values) > 1:
            shares[-2:] = [sum(shares[-2:], Fraction(0)) / 2] * 2
        shares = [s / sum(shares) for s in shares]
        if c.kind == "finite":
            parts.append(f"{c.name}: {{{', '.join(f'{m}: {s}' for m, s in zip(c.members, shares, strict=True))}}}")
        elif len(values) > 1:
            bins = [*shares[:-2], 2 * shares[-1]]
            parts.append(f"{c.name}: histogram([{', '.join(map(str, values))}], [{', '.join(map(str, bins))}])")
        one = {i: p * shares[values.index(points[i][c.name])] for i, p in one.items()}
    whole = sum(one.values(), Fraction(0))
    return independent(f"product({', '.join(parts)})", {i: p / whole for i, p in one.items()})


class Enumerated:
    """A program on a finite domain, its distances, and all that is asked of it: query and answer by name."""

    def __init__(self, rng: Random, folder: Path) -> None:
        names = rng.choice(
            [(None, None), ("l2", None), ("2 * l2", "l2"), (rng.choice(list(ROOTED)), rng.choice(list(ROOTED)))]
        )
        while True:
            p = Maker(rng, TASTE).program()
            self.points = [x for x in p.slices() if p.inside(x)]
            if 2 <= len(self.points) <= 40:
                break
        if p.f1.metric is None:
            p = replace(p, f1=replace(p.f1, metric=Metric("linf")))
        f2, self.d2 = measured(p.f2, names[0])
        f1, self.d1 = measured(p.f1, names[1])
        self.p = replace(p, f1=f1, f2=f2, asserts=())
        self.said = [f1.label(x) for x in self.points]
        self.told = [f2.label(x) for x in self.points]
        self.all = range(len(self.points))
        self.far = [[self.d2(x, y) for y in self.points] for x in self.points]
        self.places = [rng.choice(self.all) for _ in range(rng.randint(2, 6))]
        self.answers: dict[str, tuple[str, Number]] = {}
        labels = [rng.randrange(len(p.labels)) for _ in self.places]
        self.write(folder, labels)
        self.distances(rng)
        self.shares(labels)
        for way in (uniform(self.points), *rows(self.places), weighted(rng, p.coords, self.points)):
            self.chances(rng, way)
        self.suprema(rng)

    def text(self) -> str:
        asked = "".join(f"compute {name}: {query}\n" for name, (query, _) in self.answers.items())
        return f'{self.p.vf()}data D = csv("rows.csv", label: said)\n{asked}'

    def write(self, folder: Path, labels: Sequence[int]) -> None:
        lines = [",".join([*(c.name for c in self.p.coords), "said"])]
        for i, label in zip(self.places, labels, strict=True):
            values = (self.points[i][c.name] for c in self.p.coords)
            cells = (c.members[int(v)] if c.members else str(v) for c, v in zip(self.p.coords, values, strict=True))
            lines.append(",".join([*cells, self.p.labels[label]]))
        (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def ask(self, query: str, answer: Number) -> None:
        self.answers[f"Q{len(self.answers)}"] = query, answer

    def near(self, i: int, agree: bool = True) -> Number:
        """rho, or the minimal distance."""
        alike = (j for j in self.all if not agree or self.told[i] == self.told[j])
        return least(self.far[i][j] for j in alike if self.said[i] != self.said[j])

    def distances(self, rng: Random) -> None:
        assert self.p.point is not None
        here = self.points.index({**self.p.point})
        self.ask("critical_radius(f1, f2)", least(d for d in map(self.near, self.all) if isinstance(d, Decimal)))
        self.ask("min_distance(f1, f2, p)", self.near(here))
        self.ask("min_distance(f1, f2, p, agree: false)", self.near(here, False))
        self.ask("min_distance(f1, f2, D)", least(d for d in map(self.near, self.places) if isinstance(d, Decimal)))
        radius, pairs = Fraction(rng.randint(1, 6), 2), {(here, j): Fraction(1) for j in self.all}
        self.ask(f"probability(f1, f2, p, radius: {radius})", self.agreeing(pairs, radius, False))

    def shares(self, labels: Sequence[int]) -> None:
        right = sum(self.said[i] == label for i, label in zip(self.places, labels, strict=True))
        self.ask("accuracy(f1, D)", digits(Fraction(right, len(labels))))
        if self.p.f2.decide is not None:
            alike = [self.said[i] == self.told[i] for i in self.all]
            self.ask("accuracy(f1, f2)", digits(Fraction(sum(alike), len(alike))))
            self.ask("accuracy(f1, f2, D)", digits(Fraction(sum(alike[i] for i in self.places), len(self.places))))

    def agreeing(self, pairs: dict[tuple[int, int], Fraction], radius: Fraction, closed: bool) -> Number:
        """Of the pairs that are near and alike for the oracle."""
        edge = digits(radius) + (NOTHING if closed else -NOTHING)
        known = {(i, j): w for (i, j), w in pairs.items() if self.told[i] == self.told[j] and self.far[i][j] < edge}
        whole = sum(known.values(), Fraction(0))
        agree = sum((w for (i, j), w in known.items() if self.said[i] == self.said[j]), Fraction(0))
        return digits(agree / whole) if whole else None

    def chances(self, rng: Random, way: Way) -> None:
        radius, closed = Fraction(rng.randint(1, 6), 2), rng.random() < 0.5
        option = ", closed: true" if closed else ""
        query = f"probability(f1, f2, radius: {radius}{option}, over: {way.name})"
        self.ask(query, self.agreeing(way.two, radius, closed))
        if way.name.startswith("distinct"):
            return
        means: list[tuple[str, Callable[[int], bool]]] = [("arc", lambda i: True)]
        if self.p.f2.decide is not None:
            means.append(("arca", lambda i: self.said[i] == self.told[i]))
        for name, counts in means:
            met = {i: self.near(i, False) for i in way.one if counts(i)}
            reached = [digits(way.one[i]) * d for i, d in met.items() if isinstance(d, Decimal)]
            mean: Number = sum(reached, Decimal(0)) if len(reached) == len(met) else NEVER
            self.ask(f"{name}(f1, f2, over: {way.name})", mean)

    def suprema(self, rng: Random) -> None:
        pairs = [(self.d1(x, y), self.d2(x, y)) for x in self.points for y in self.points]
        delta = Fraction(rng.randint(0, 6), 2)
        rise = max(far for far, run in pairs if run < digits(delta) + NOTHING)
        self.ask(f"modulus(f1, f2, delta: {delta})", rise)
        torn = any(far and not run for far, run in pairs)
        ratios = (far / run for far, run in pairs if run)
        self.ask("lipschitz_constant(f1, f2)", NEVER if torn else max(ratios, default=Decimal(0)))


def wrong(said: Computed, answer: Number) -> bool:
    value, ends = said.value, said.result.enclosure
    if not isinstance(answer, Decimal):
        return value != answer
    if said.result.how != "exact":
        return ends is None or not digits(ends[0]) - NOTHING <= answer <= digits(ends[1]) + NOTHING
    if isinstance(value, Root):
        return abs(digits(value.square).sqrt() - answer) > NOTHING
    return not isinstance(value, Fraction) or abs(digits(value) - answer) > NOTHING


@pytest.mark.seeds(8)
def test_measures_by_enumeration(seed: int, tmp_path: Path) -> None:
    with localcontext(prec=60):
        made = Enumerated(Random(f"finite {seed}"), tmp_path)
        result = check(made.text(), tmp_path)
        assert not result.internal_errors and not any(d.severity == "error" for d in result.diagnostics), made.text()
        problems = [
            f"{query} is {said.value} ({said.result.how}), not {answer}"
            for said, (query, answer) in zip(result.computed, made.answers.values(), strict=True)
            if not said.reason.startswith("out of time") and wrong(said, answer)
        ]
        assert not problems, "\n".join([*problems, made.text()])
