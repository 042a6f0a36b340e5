"""How much of a box satisfies the facts of a question, and how much of that an event besides (THEORY section 4).

The measure is counting on the integer inputs times the volume on the real ones, or has a density that is a product of
step functions of single inputs: then a part is cut where its density steps, once its facts are decided. The box is
split along the tests of the circuit until every part decides all of them; the largest parts come first. On time the
masses are exact; otherwise what is not decided yet counts for the upper bounds only, so the enclosure is certain at any
moment. Where l2 distances are compared with constants, parts are cut by chords and tangents of the balls; what lies
between them stays open, is counted likewise, and cut more finely until the enclosure is tight enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from heapq import heappop, heappush
from itertools import count
from math import prod

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines import ball
from verifier.engines.engine import Vector
from verifier.engines.volume import OutOfTime, Polytope, Row, box, dot, whole
from verifier.kernel.circuit import Affine, Input, Select
from verifier.language.build import Variable
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


COARSE = 0.8
"""The angle of the cones that a ball is cut into at first; it is halved from round to round."""
UNCUT = 4.0
"""No angle: discs are not cut into cones, but bounded by polygons, where they are all that is open."""
FIRST_TANGENTS = 8
"""What lies beyond one of so many tangents of a disc is cut off; from round to round discs get twice as many."""
GROWTH = 2
"""A round takes so many times as long as the one before, at least: it is not begun without that time."""

THIN: Row = ()
"""Not decided, and as finely cut as is wanted for now."""


class Mixed(Struct, frozen=True):
    """An affine form of the real inputs plus multiples of nodes whose tests are still open."""

    row: Exact
    loose: tuple[tuple[int, Fraction], ...] = ()


class Split(Struct, frozen=True):
    """Where to cut."""

    row: Row


Side = tuple[Fraction, Fraction]
NOTHING: Side = (Fraction(0), Fraction(0))

Density = Mapping[int, Steps]
"""By input; the others weigh 1 everywhere."""

UNIFORM: Density = {}


class Region:
    """A polytope of the real inputs, with the others fixed, and what is known of the circuit on its inside."""

    def __init__(
        self,
        question: Question,
        free: dict[int, int],
        fixed: dict[int, Fraction],
        polytope: Polytope,
        grain: float = UNCUT,
    ) -> None:
        self.question, self.free, self.fixed, self.polytope, self.grain = question, free, fixed, polytope, grain
        self.discs: tuple[ball.Disc, ...] = ()
        """What of the region is meant, where all else is decided."""
        self._squares: dict[int, ball.Square] = {}
        self._tangents: dict[int, tuple[int, ...]] = {}
        self._reals: dict[int, Mixed] = {}
        self._truths: dict[int, bool] = {}
        self._open: dict[int, Row] = {}

    def part(self, polytope: Polytope) -> Region:
        """A smaller polytope: whatever is decided stays so."""
        new = Region(self.question, self.free, self.fixed, polytope, self.grain)
        new.discs = self.discs
        new._squares, new._tangents = dict(self._squares), dict(self._tangents)
        new._reals = {i: m for i, m in self._reals.items() if not m.loose}
        new._truths = dict(self._truths)
        return new

    def finer(self) -> Region:
        """The same, to be cut more finely."""
        new = self.part(self.polytope)
        new.grain = self.angle / 2
        return new

    @property
    def angle(self) -> float:
        """Of the cones."""
        return min(self.grain, COARSE)

    def truth(self, i: int) -> bool | Row:
        """Whether node i holds all over the inside (but for a null set), or a row that splits the region (or THIN)."""
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
        if len(form.loose) == 1 and not any(form.row[:-1]):
            ((only, _),) = form.loose
            square = self._square(only)
            if square is not None:
                return self._round(only, square, form)
        low, high = self._range(form)
        if low >= 0:
            return True
        if high < 0:
            return False
        widths = [(abs(w) * (b - a), j) for j, w in form.loose for a, b in [self._span(j)]]
        return self._opener(max(widths)[1])

    def _opener(self, i: int) -> Row:
        """A row that helps to decide the test of an open choice, or to narrow a square."""
        node = self.question.circuit[i]
        if isinstance(node, Input):
            return self._halved(node)
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
            case Input(index) if index in self.fixed:
                return Mixed((*[Fraction(0)] * size, self.fixed[index]))
            case Input():
                return Mixed((Fraction(0),) * (size + 1), ((i, Fraction(1)),))
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
        """Bounds of an open choice, or of a square."""
        node = self.question.circuit[i]
        if isinstance(node, Input):
            ends = [(w, *self._range(self._real(n))) for w, n in self._terms(node)]
            high = sum((w * max(a * a, b * b) for w, a, b in ends), Fraction(0))
            return sum((w * min(a * a, b * b) for w, a, b in ends if a > 0 or b < 0), Fraction(0)), high
        assert isinstance(node, Select)
        (a, b), (c, d) = self._range(self._real(node.then)), self._range(self._real(node.otherwise))
        if node.then == node.test:
            a = max(a, Fraction(0))
        if node.otherwise == node.test:
            d = min(d, Fraction(0))
        return min(a, c), max(b, d)

    def _square(self, i: int) -> ball.Square | None:
        """The square that node i stands for; None of another node, and where its forms are not affine yet."""
        if i in self._squares:
            return self._squares[i]
        node = self.question.circuit[i]
        if not isinstance(node, Input):
            return None
        forms = [(w, self._real(n)) for w, n in self._terms(node)]
        if any(form.loose for _, form in forms):
            return None
        rows = [(w, form.row, whole(form.row)) for w, form in forms if any(form.row)]
        scales = [next(x / r for x, r in zip(row, short, strict=True) if r) for _, row, short in rows]
        weights = tuple(w * scale * scale for (w, _, _), scale in zip(rows, scales, strict=True))
        self._squares[i] = ball.Square(weights, tuple(short for _, _, short in rows))
        return self._squares[i]

    def _terms(self, node: Input) -> tuple[tuple[Fraction, int], ...]:
        return next(s.terms for s in self.question.squares if s.variable == node.index)

    def _round(self, i: int, square: ball.Square, form: Mixed) -> bool | Row:
        """The sign of a square against a constant, or a chord or a tangent of that ball, or THIN."""
        ((_, weight),) = form.loose
        bound = form.row[-1] / -weight
        images = square.images(self.polytope.vertices)
        if not any(any(row[:-1]) for row in square.rows):
            return form.row[-1] + weight * square.at(images[0]) >= 0
        if bound <= 0:
            return weight > 0
        if square.inside(images, bound):
            return weight < 0
        if len(square.rows) == 2 and self.grain == UNCUT:
            beyond = ball.Disc(square, bound).beyond(self.polytope, FIRST_TANGENTS)
            return weight > 0 if beyond is True else beyond or THIN
        directions = [ball.towards(square, images), self._tangents.get(i)]
        if any(square.outside(images, bound, a) for a in directions if a is not None):
            return weight > 0
        found = square.cut(images, bound, self.angle)
        if found is None:
            return THIN
        direction, level = found
        self._tangents[i] = direction
        columns = [
            sum(c * x for c, x in zip(direction, column, strict=True)) for column in zip(*square.rows, strict=True)
        ]
        return whole([*map(Fraction, columns[:-1]), columns[-1] - level])

    def round(self, i: int, holds: bool = True) -> ball.Disc | None:
        """The disc in which node i holds, if it is one."""
        node = self.question.circuit[i]
        if isinstance(node, Select):
            test = self.truth(node.test)
            if isinstance(test, bool):
                return self.round(node.then if test else node.otherwise, holds)
            then, otherwise = self.truth(node.then), self.truth(node.otherwise)
            both = isinstance(then, bool) and isinstance(otherwise, bool) and then is not otherwise
            return self.round(node.test, holds is then) if both else None
        form = self._real(i)
        if len(form.loose) != 1 or any(form.row[:-1]):
            return None
        ((only, weight),) = form.loose
        square = self._square(only)
        if square is None or len(square.rows) != 2 or holds is (weight > 0):
            return None
        return ball.Disc(square, form.row[-1] / -weight)

    def _halved(self, node: Input) -> Row:
        """A row that makes the forms of a square affine, or halves the one that varies most; THIN of a constant one."""
        forms = [self._real(n) for _, n in self._terms(node)]
        for form in forms:
            if form.loose:
                return self._opener(form.loose[0][0])
        spans = [self._range(form) for form in forms]
        k = max(range(len(spans)), key=lambda j: spans[j][1] - spans[j][0])
        low, high = spans[k]
        if high - low <= Fraction(self.angle) * max(abs(low), abs(high)):
            return THIN
        return whole([*forms[k].row[:-1], forms[k].row[-1] - (low + high) / 2])

    def point(self, place: Exact) -> Vector:
        """All inputs, from the real ones."""
        inputs = range(len(self.question.variables) - len(self.question.squares))
        point = tuple(place[self.free[i]] if i in self.free else self.fixed[i] for i in inputs)
        return self.question.completed((*point, *(Fraction(0) for _ in self.question.squares)))

    def sample(self) -> Vector:
        """A point inside, of short numbers if possible."""
        centre, rows = self.polytope.centre(), self.polytope.rows
        for denominator in ROUNDING:
            place = tuple(Fraction(round(x * denominator), denominator) for x in centre)
            if all(dot(row, whole([*place, Fraction(1)])) > 0 for row in rows):
                return self.point(place)
        return self.point(centre)


class Mass(Struct):
    """Certain bounds of what the facts weigh, and of what the facts and the event weigh together."""

    given: Side = (Fraction(0), Fraction(0))
    both: Side = (Fraction(0), Fraction(0))
    sides: dict[int, Side] = {}
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
    enough: Callable[[Mass], bool] = lambda mass: False,
) -> Mass:
    """The mass of the facts of the question, and of facts and `event` (a node).

    `sides`: the inputs that are real, and their intervals (from the box, if it is missing). `mirror`: if not 0,
    swapping the first so many inputs with the others changes nothing, and only half of the box is looked at. `enough`:
    an enclosure that balls need not be cut more finely for.
    """
    return Scale(question, event, seconds, sides, mirror, density).weigh(enough)


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
        self.thin: list[tuple[Fraction, Region]] = []
        self.near: list[tuple[Fraction, Region]] = []
        """Of these the facts hold within discs,"""
        self.flips: list[tuple[Fraction, Region]] = []
        """of these the event, too."""
        self.tangents = 2 * FIRST_TANGENTS
        self.ticket = count()
        self.largest = Fraction(0)

    def weigh(self, enough: Callable[[Mass], bool]) -> Mass:
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
            self._work()
            if self.heap:
                break
        best, took = self._total(rest), 0.0
        while (self.thin or self.near) and not self.heap and not enough(best):
            begun = time.monotonic()
            if begun + GROWTH * took > self.end:
                break
            self.tangents *= 2
            parts, self.thin = self.thin, []
            spare = self.event if self._spare(best) else None
            for weight, region in parts:
                if spare is not None and region.truth(spare) is False:
                    self.thin.append((weight, region))
                else:
                    self._push(region.finer(), weight, False)
            self._work()
            best = tighter(best, self._total(rest))
            took = time.monotonic() - begun
        return best

    def _spare(self, best: Mass) -> bool:
        """What is open and has the event keeps the quotient both / given more open than all that is open does."""
        (low, high), (least, most) = best.given, best.both
        return bool(low) and (high - low) * most < (most - least) * low

    def _work(self) -> None:
        while self.heap and time.monotonic() <= self.end:
            self._step()

    def _total(self, rest: Fraction) -> Mass:
        """What is decided, and what may come on top."""
        done, self.mass = self.mass, replace(self.mass)
        for _, _, weight, region, inside in sorted(self.heap, key=lambda entry: entry[:2]):  # the largest first
            self._leftover(region, weight, inside)
        for weight, region in self.thin:
            self._leftover(region, weight, False)
        for weight, region in self.near:
            self._add(given=self._within(region, weight, False))
        for weight, region in self.flips:
            self._add(both=self._within(region, weight, True))
        self._add(given=(Fraction(0), rest), both=(Fraction(0), rest))
        total, self.mass = self.mass, done
        return total

    def _within(self, region: Region, weight: Fraction, event: bool) -> Side:
        """Bounds of what a part weighs within its discs."""
        try:
            inner: Polytope | None = region.polytope
            outer: Polytope | None = region.polytope
            for disc in region.discs:
                inner = None if inner is None else disc.within(inner, self.tangents)
                outer = None if outer is None else disc.around(outer, self.tangents)
            least = Fraction(0) if inner is None else weight * inner.volume(self.last)
            most = Fraction(0) if outer is None else weight * outer.volume(self.last)
            if event and inner is not None and least > self.largest:
                self.largest, self.mass.sample = least, region.part(inner).sample()
            return least, most
        except OutOfTime:
            return Fraction(0), weight * prod((b - a for a, b in region.polytope.spans()), start=Fraction(1))

    def _values(self, loose: bool = False) -> list[range | tuple[Fraction]]:
        """What each input that is not real may be; `loose`: only of those without a density, whose values weigh 1."""
        values: list[range | tuple[Fraction]] = []
        for i, v in enumerate(inputs(self.question)):
            if i not in self.free and not (loose and i in self.density):
                assert v.low is not None and v.high is not None
                values.append(range(int(v.low), int(v.high) + 1) if v.integer else (v.low,))
        return values

    def corners(self) -> Iterator[tuple[Fraction, bool, dict[int, Fraction]]]:
        """The choices of the inputs that are not real: their weight, whether half of the box suffices, the choice."""
        others = [i for i in range(len(inputs(self.question))) if i not in self.free]
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
                    now = region.truth(fact)
                    if now is not True and (decided is True or decided == THIN or now is False):
                        decided = now
                    if decided is not True and decided != THIN:
                        break
                if decided == THIN and (discs := self._discs(region)):
                    decided = seam_of(region, self.density) or True
                    region.discs = discs
                elif decided == THIN and self.event is not None:
                    decided = region.truth(self.event)
                    decided = THIN if isinstance(decided, bool) else decided
                if decided == THIN:
                    self.thin.append((weight, region))
                    return
                if decided is True and (seam := seam_of(region, self.density)) is not None:
                    decided = seam
                if decided is True:
                    weight *= height(region, self.density)
                    if not weight:
                        return
                    self.mass.parts += 1
                    if not region.discs:
                        volume = weight * region.polytope.volume(self.last)
                        self._add(given=(volume, volume))
                    else:
                        self.near.append((weight, region))
                    self._cover(region)
                    if self.event is not None:
                        self._push(region, weight, True)
                    return
            else:
                assert self.event is not None
                decided = region.truth(self.event)
                if decided is True and region.discs:
                    self.flips.append((weight, region))
                    return
                if decided is True:
                    volume = weight * region.polytope.volume(self.last)
                    self.mass.parts += 1
                    self._add(both=(volume, volume))
                    if volume > self.largest:
                        self.largest, self.mass.sample = volume, region.sample()
                    return
            if decided is False:
                return
            if decided == THIN:
                self._add(both=(Fraction(0), weight * region.polytope.volume(self.last)))
                return
            if len(region.polytope.vertices) > CORNERS:
                raise OutOfTime
            parts = [part for part in region.polytope.split(decided) if part is not None]
            if len(parts) < 2 and inside:  # a cut that floats chose too near to a side
                self._leftover(region, weight, True)
            elif len(parts) < 2:
                self.thin.append((weight, region))
            else:
                for part in parts:
                    self._push(region.part(part), weight, inside)
        except OutOfTime:
            self._leftover(region, weight, inside)

    def _discs(self, region: Region) -> tuple[ball.Disc, ...]:
        """The discs that a part is to be cut by, where they are all that is open."""
        found = [region.round(fact) for fact in self.question.facts if region.truth(fact) is not True]
        discs = tuple(disc for disc in found if disc is not None)
        return discs if len(discs) == len(found) else ()

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
        never = self.event is not None and time.monotonic() < self.last and region.truth(self.event) is False
        self._add(given=NOTHING if inside else most, both=NOTHING if never else most)

    def _add(self, given: Side = NOTHING, both: Side = NOTHING) -> None:
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


def tighter(left: Mass, right: Mass) -> Mass:
    """What both enclosures say; otherwise the second."""
    pairs = ((left.given, right.given), (left.both, right.both))
    given, both = ((max(a[0], b[0]), min(a[1], b[1])) for a, b in pairs)
    return replace(right, given=given, both=both)


def inputs(question: Question) -> Sequence[Variable]:
    """The variables that are no squares of others."""
    return question.variables[: len(question.variables) - len(question.squares)]


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
    for i, v in enumerate(inputs(question)):
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
