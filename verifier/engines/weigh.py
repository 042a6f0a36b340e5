"""How much of a box satisfies the facts of a question, and how much of that an event besides (THEORY section 4).

The measure is counting on the integer inputs times the volume on the real ones, or has a density that is a product of
step functions of single inputs: then a part is cut where its density steps, once its facts are decided. The box is
split along the tests of the circuit until every part decides all of them; the largest parts come first. On time the
masses are exact; otherwise what is not decided yet counts for the upper bounds only, so the enclosure is certain at any
moment.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush
from itertools import count
from math import prod

from verifier.engines.engine import Vector
from verifier.engines.volume import OutOfTime, Polytope, Row, box, dot, whole
from verifier.kernel.circuit import Affine, Input, Select
from verifier.model.distribution import Steps
from verifier.query.question import Question

NAME = "exact volumes"

DIMENSIONS = 12
"""A box of more dimensions has too many corners to begin with."""

CORNERS = 100_000
"""Polytopes of more vertices are not split any further."""

FAR = Fraction(10**30)
"""Stands for an infinite side. What reaches so far is called unbounded."""

ROUNDING = (1, 2, 4, 5, 8, 10, 20, 100, 1000, 10**6)

Exact = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Mixed:
    """An affine form of the real inputs plus multiples of nodes whose tests are still open."""

    row: Exact
    loose: tuple[tuple[int, Fraction], ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """Where to cut."""

    row: Row


Side = tuple[Fraction, Fraction]

Density = Mapping[int, Steps]
"""By input; the others weigh 1 everywhere."""

UNIFORM: Density = {}


class Region:
    """A polytope of the real inputs, with the others fixed, and what is known of the circuit on its inside."""

    def __init__(
        self, question: Question, free: dict[int, int], fixed: dict[int, Fraction], polytope: Polytope
    ) -> None:
        self.question, self.free, self.fixed, self.polytope = question, free, fixed, polytope
        self._reals: dict[int, Mixed] = {}
        self._truths: dict[int, bool] = {}
        self._open: dict[int, Row] = {}

    def part(self, polytope: Polytope) -> Region:
        """A smaller polytope: whatever is decided stays so."""
        new = Region(self.question, self.free, self.fixed, polytope)
        new._reals = {i: m for i, m in self._reals.items() if not m.loose}
        new._truths = dict(self._truths)
        return new

    def truth(self, i: int) -> bool | Row:
        """Whether node i holds all over the inside (but for a null set), or a row that splits the region."""
        if i in self._truths:
            return self._truths[i]
        if i not in self._open:
            decided = self._truth(i)
            if isinstance(decided, bool):
                self._truths[i] = decided
                return decided
            self._open[i] = decided
        return self._open[i]

    def _truth(self, i: int) -> bool | Row:
        node = self.question.circuit[i]
        if not isinstance(node, Select):
            return self._sign(self._real(i))
        test = self.truth(node.test)
        if isinstance(test, bool):
            return self.truth(node.then if test else node.otherwise)
        then, otherwise = self.truth(node.then), self.truth(node.otherwise)
        return then if isinstance(then, bool) and then is otherwise else test

    def number(self, i: int) -> Exact | Split:
        """Node i as an affine form of the real inputs, or a row that helps to make it one."""
        form = self._real(i)
        return Split(self._opener(form.loose[0][0])) if form.loose else form.row

    def _sign(self, form: Mixed) -> bool | Row:
        """form >= 0, almost everywhere."""
        if not form.loose:
            if not any(form.row[:-1]):
                return form.row[-1] >= 0
            row = whole(form.row)
            below = above = False
            for point, _ in self.polytope.vertices:
                value = dot(row, point)
                below, above = below or value < 0, above or value > 0
                if below and above:
                    return row
            return above
        low, high = self._range(form)
        if low >= 0:
            return True
        if high < 0:
            return False
        widths = [(abs(w) * (b - a), j) for j, w in form.loose for a, b in [self._span(j)]]
        return self._opener(max(widths)[1])

    def _opener(self, i: int) -> Row:
        """A row that helps to decide the test of an open choice."""
        node = self.question.circuit[i]
        assert isinstance(node, Select)
        row = self.truth(node.test)
        assert not isinstance(row, bool)
        return row

    def _real(self, i: int) -> Mixed:
        if i not in self._reals:
            self._reals[i] = self._combine(i)
        return self._reals[i]

    def _combine(self, i: int) -> Mixed:
        size = len(self.free)
        match self.question.circuit[i]:
            case Input(index) if index in self.free:
                return Mixed(tuple(Fraction(k == self.free[index]) for k in range(size + 1)))
            case Input(index):
                return Mixed((*[Fraction(0)] * size, self.fixed[index]))
            case Affine(terms, constant):
                row = [*[Fraction(0)] * size, constant]
                loose: dict[int, Fraction] = {}
                for j, weight in terms:
                    inner = self._real(j)
                    for k, x in enumerate(inner.row):
                        if x:
                            row[k] += weight * x
                    for node, w in inner.loose:
                        loose[node] = loose.get(node, Fraction(0)) + weight * w
                return Mixed(tuple(row), tuple((node, w) for node, w in loose.items() if w))
            case Select(test, then, otherwise):
                decided = self.truth(test)
                if isinstance(decided, bool):
                    return self._real(then if decided else otherwise)
                return Mixed((Fraction(0),) * (size + 1), ((i, Fraction(1)),))

    def _range(self, form: Mixed) -> Side:
        low, high = self.polytope.range(whole_row := whole(form.row)) if any(form.row) else (Fraction(0), Fraction(0))
        if any(form.row):
            scale = next(x / r for x, r in zip(form.row, whole_row, strict=True) if r)
            low, high = scale * low, scale * high
        for node, weight in form.loose:
            a, b = self._span(node)
            low, high = low + min(weight * a, weight * b), high + max(weight * a, weight * b)
        return low, high

    def _span(self, i: int) -> Side:
        """Bounds of an open choice."""
        node = self.question.circuit[i]
        assert isinstance(node, Select)
        (a, b), (c, d) = self._range(self._real(node.then)), self._range(self._real(node.otherwise))
        if node.then == node.test:
            a = max(a, Fraction(0))
        if node.otherwise == node.test:
            d = min(d, Fraction(0))
        return min(a, c), max(b, d)

    def point(self, place: Exact) -> Vector:
        """All inputs, from the real ones."""
        inputs = range(len(self.question.variables))
        return tuple(place[self.free[i]] if i in self.free else self.fixed[i] for i in inputs)

    def sample(self) -> Vector:
        """A point inside, of short numbers if possible."""
        centre, rows = self.polytope.centre(), self.polytope.rows
        for denominator in ROUNDING:
            place = tuple(Fraction(round(x * denominator), denominator) for x in centre)
            if all(dot(row, whole([*place, Fraction(1)])) > 0 for row in rows):
                return self.point(place)
        return self.point(centre)


@dataclass
class Mass:
    """Certain bounds of what the facts weigh, and of what the facts and the event weigh together."""

    given: Side = (Fraction(0), Fraction(0))
    both: Side = (Fraction(0), Fraction(0))
    sides: dict[int, Side] = field(default_factory=dict)
    """What the real inputs range over where the facts hold."""
    sample: Vector | None = None
    """A point inside of the largest part where facts and event hold."""
    parts: int = 0

    @property
    def exact(self) -> bool:
        return self.given[0] == self.given[1] and self.both[0] == self.both[1]


def weigh(
    question: Question,
    event: int | None,
    seconds: float,
    sides: dict[int, Side] | None = None,
    mirror: int = 0,
    density: Density = UNIFORM,
) -> Mass:
    """The mass of the facts of the question, and of facts and `event` (a node).

    `sides`: the inputs that are real, and their intervals (from the box, if it is missing). `mirror`: if not 0,
    swapping the first so many inputs with the others changes nothing, and only half of the box is looked at.
    """
    return Scale(question, event, seconds, sides, mirror, density).weigh()


class Scale:
    """One weighing."""

    def __init__(
        self,
        question: Question,
        event: int | None,
        seconds: float,
        sides: dict[int, Side] | None,
        mirror: int,
        density: Density = UNIFORM,
    ) -> None:
        now = time.monotonic()
        self.end, self.last = now + 0.75 * seconds, now + 0.95 * seconds
        self.question, self.event, self.mirror, self.density = question, event, mirror, density
        self.sides = sides if sides is not None else own_sides(question, density)
        self.free = {index: k for k, index in enumerate(sorted(self.sides))}
        self.mass = Mass()
        self.heap: list[tuple[float, int, Fraction, Region, bool]] = []
        self.ticket = count()
        self.largest = Fraction(0)

    def weigh(self) -> Mass:
        intervals = [self.sides[i] for i in sorted(self.sides)]
        capacity = prod((b - a for i, (a, b) in self.sides.items() if i not in self.density), start=Fraction(1))
        rest = capacity * prod(len(values) for values in self._values(loose=True))
        if len(intervals) > DIMENSIONS:
            return Mass((Fraction(0), rest), (Fraction(0), rest))
        whole_box = box(intervals)
        half = self._half(whole_box)
        for weight, cut, fixed in self.corners():
            rest -= weight * capacity / (2 if cut else 1)
            region = Region(self.question, self.free, fixed, half if cut else whole_box)
            self._push(region, weight, False)
            while self.heap and time.monotonic() <= self.end:
                self._step()
            if self.heap:
                break
        for _, _, weight, region, inside in sorted(self.heap, key=lambda entry: entry[:2]):  # the largest first
            self._leftover(region, weight, inside)
        self._add(given=(Fraction(0), rest), both=(Fraction(0), rest))
        return self.mass

    def _values(self, loose: bool = False) -> list[range | tuple[Fraction]]:
        """What each input that is not real may be; `loose`: only of those without a density, whose values weigh 1."""
        values: list[range | tuple[Fraction]] = []
        for i, v in enumerate(self.question.variables):
            if i not in self.free and not (loose and i in self.density):
                assert v.low is not None and v.high is not None
                values.append(range(int(v.low), int(v.high) + 1) if v.integer else (v.low,))
        return values

    def corners(self) -> Iterator[tuple[Fraction, bool, dict[int, Fraction]]]:
        """The choices of the inputs that are not real: their weight, whether half of the box suffices, the choice."""
        others = [i for i in range(len(self.question.variables)) if i not in self.free]
        width = sum(i < self.mirror for i in others)
        for choice in every(self._values()):
            fixed = {i: Fraction(value) for i, value in zip(others, choice, strict=True)}
            weight = chance(fixed, self.density)
            if not weight:
                continue
            if not self.mirror:
                yield weight, False, fixed
                continue
            left, right = choice[:width], choice[width:]
            if left < right:
                yield 2 * weight, False, fixed
            elif left == right:
                yield (2 * weight, True, fixed) if self.free else (weight, False, fixed)

    def _half(self, whole_box: Polytope) -> Polytope:
        """The first real input of x is at most that of x'."""
        if not self.mirror or not self.free:
            return whole_box
        first = min(self.free)
        row = [0] * (len(self.free) + 1)
        row[self.free[first]], row[self.free[first + self.mirror]] = -1, 1
        part = whole_box.above(tuple(row))
        assert part is not None
        return part

    def _push(self, region: Region, weight: Fraction, inside: bool) -> None:
        columns = zip(*([x / p[-1] for x in p[:-1]] for p, _ in region.polytope.vertices), strict=True)
        size = prod(max(c) - min(c) for c in columns)
        heappush(self.heap, (-size, next(self.ticket), weight, region, inside))

    def _step(self) -> None:
        """Decide the largest part, or split it."""
        entry = heappop(self.heap)
        _, _, weight, region, inside = entry
        decided: bool | Row = True
        try:
            if not inside:
                for fact in self.question.facts:
                    decided = region.truth(fact)
                    if decided is not True:
                        break
                if decided is True and (seam := seam_of(region, self.density)) is not None:
                    decided = seam
                if decided is True:
                    weight *= height(region, self.density)
                    if not weight:
                        return
                    volume = weight * region.polytope.volume(self.last)
                    self.mass.parts += 1
                    self._add(given=(volume, volume))
                    self._cover(region)
                    if self.event is not None:
                        self._push(region, weight, True)
                    return
            else:
                assert self.event is not None
                decided = region.truth(self.event)
                if decided is True:
                    volume = weight * region.polytope.volume(self.last)
                    self.mass.parts += 1
                    self._add(both=(volume, volume))
                    if volume > self.largest:
                        self.largest, self.mass.sample = volume, region.sample()
                    return
            if decided is False:
                return
            if len(region.polytope.vertices) > CORNERS:
                raise OutOfTime
            for part in region.polytope.split(decided):
                if part is not None:
                    self._push(region.part(part), weight, inside)
        except OutOfTime:
            self._leftover(region, weight, inside)

    def _leftover(self, region: Region, weight: Fraction, inside: bool) -> None:
        """A part that time did not suffice for counts as the mass that it may have."""
        polytope = region.polytope
        try:
            if time.monotonic() > self.last:
                raise OutOfTime
            volume = polytope.volume(self.last)
        except OutOfTime:
            volume = prod((b - a for a, b in polytope.spans()), start=Fraction(1))
        most = (Fraction(0), weight * volume * (1 if inside else height(region, self.density)))
        self._add(given=(Fraction(0), Fraction(0)) if inside else most, both=most)

    def _add(self, given: Side = (Fraction(0), Fraction(0)), both: Side = (Fraction(0), Fraction(0))) -> None:
        mass = self.mass
        mass.given = (mass.given[0] + given[0], mass.given[1] + given[1])
        mass.both = (mass.both[0] + both[0], mass.both[1] + both[1])

    def _cover(self, region: Region) -> None:
        """Widen the intervals that the inputs are seen to range over."""
        if self.event is None:
            spans = region.polytope.spans()
            for i, k in self.free.items():
                low, high = self.mass.sides.get(i, spans[k])
                self.mass.sides[i] = (min(low, spans[k][0]), max(high, spans[k][1]))


def seam_of(region: Region, density: Density) -> Row | None:
    """A cut where the density changes inside of the region."""
    places = [(i, k) for i, k in region.free.items() if i in density]
    spans = region.polytope.spans() if places else []
    for i, k in places:
        if (end := density[i].seam(*spans[k])) is not None:
            return whole([*(Fraction(j == k) for j in range(len(region.free))), -end])
    return None


def height(region: Region, density: Density) -> Fraction:
    """The density of the real inputs on a region without seams; the greatest, if there are some."""
    places = [(i, k) for i, k in region.free.items() if i in density]
    spans = region.polytope.spans() if places else []
    return prod((density[i].most(*spans[k]) for i, k in places), start=Fraction(1))


def chance(fixed: Mapping[int, Fraction], density: Density) -> Fraction:
    """What values of inputs that are not real weigh."""
    return prod((density[i].at(x) for i, x in fixed.items() if i in density), start=Fraction(1))


def own_sides(question: Question, density: Density = UNIFORM) -> dict[int, Side]:
    """The real inputs with their intervals; an interval of length 0 makes an input fixed."""
    sides = {}
    for i, v in enumerate(question.variables):
        if not v.integer and (v.low is None or v.high is None or v.low < v.high):
            sides[i] = (-FAR if v.low is None else v.low, FAR if v.high is None else v.high)
            if i in density:
                sides[i] = (density[i].ends[0], density[i].ends[-1])
    return sides


def every(values: Sequence[Sequence[int | Fraction]]) -> Iterator[tuple[int | Fraction, ...]]:
    """All choices, the last one changing fastest. Unlike itertools.product it never lists a long range."""
    if not values:
        yield ()
        return
    for first in values[0]:
        for rest in every(values[1:]):
            yield (first, *rest)
