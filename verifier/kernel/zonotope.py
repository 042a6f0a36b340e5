"""Affine arithmetic: on a branch every node is an affine form of symbols that lie in [-1, 1], up to a known error.

An input is a symbol, a relu whose sign is open brings a new one, and everything else is linear: what cancels, cancels.
A node that is told by its twin (`ranges`) is the twin's form plus the difference, or half of it and a new symbol: the
difference d of two relus is half of the difference r of their tests, give or take half of |r|.
Beside it an interval is carried along, which knows that no relu is negative. A form is one whole number. Its constant,
the middle of the interval, and the multiples of the symbols are its signed digits to the base 2^LANE, so a sum of
multiples of forms is a sum of products, however many symbols there are. The form of node n is one of X[n] / 2^grain[n]
(`ranges`); the grain only says how precise it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from operator import mul

from verifier.kernel.problem import GRAIN
from verifier.kernel.ranges import Ranges, Scaled, chord, root, settle

LANE = 120
"""Bits of a digit."""

DIGIT, FACTOR = 56, 44
"""Bits that the digits of a form have, and its multiples, about; what does not fit into LANE is given up."""

HALF, LAST = 1 << LANE - 1, (1 << LANE) - 1


@dataclass(frozen=True, slots=True)
class Sum:
    """An affine node, shortened: (constant + sum of weight * form) / 2^shift, over the nodes of terms[group]. The
    constant and the weights are less than 1 too small; `sizes` are their absolute values."""

    group: int
    weights: tuple[int, ...]
    sizes: tuple[int, ...]
    constant: int
    shift: int


class Plan:
    """What is the same on every branch. `order`: the nodes; differences of inputs, `apart`, stand before the second
    input, those of tests are met where they tell a relu. The values of `silent` tests matter to relus only. `measured`:
    whose ranges are tightened."""

    def __init__(self, scaled: Scaled, facts: Iterable[int]) -> None:
        self.scaled = scaled
        inputs = {n: difference for n, (_, difference) in scaled.twins.items() if n not in scaled.relus}
        self.apart = {*inputs.values()}
        differences = {difference for _, difference in scaled.twins.values()}
        rest = [n for n in range(len(scaled.circuit)) if n not in differences]
        self.order = [m for n in rest for m in ((inputs[n], n) if n in inputs else (n,))]
        tests = {test for test, *_ in scaled.select.values()}
        self.silent = {test for test in tests if scaled.relus.issuperset({*scaled.users[test]} - differences)}
        self.measured = tests.union(differences, inputs)
        self.grain: list[int] = []
        self.sums: dict[int, Sum] = {}
        self.terms: list[tuple[int, ...]] = []
        self.groups: dict[tuple[int, ...], int] = {}
        whole = root(scaled, facts)
        settle(scaled, whole)
        for n, (low, high) in enumerate(zip(whole.low, whole.high, strict=True)):
            if n in scaled.relus:
                self.grain.append(self.grain[scaled.select[n][0]])
            else:
                self.grain.append(max(abs(low or 0), abs(high or 0)).bit_length() - DIGIT)
        for n, (terms, constant) in scaled.affine.items():
            self.sums[n] = self.shortened(n, terms, constant)
        for n, (first, difference) in scaled.twins.items():
            half = n in scaled.relus
            self.sums[n] = self.shortened(n, ((first, 1 + half), (difference, 1)), 0, half)

    def shortened(self, n: int, terms: tuple[tuple[int, int], ...], constant: int, halvings: int = 0) -> Sum:
        """X[n] is so many times halved the sum of terms."""
        nodes = tuple(j for j, _ in terms)
        if nodes not in self.groups:
            self.groups[nodes] = len(self.terms)
            self.terms.append(nodes)
        largest = max((a.bit_length() + self.grain[j] for j, a in terms), default=0)
        shift = min(max(FACTOR + self.grain[n] - largest, 0), DIGIT)
        weights = tuple(shifted(a, shift + self.grain[j] - self.grain[n]) for j, a in terms)
        constant = shifted(constant, shift - self.grain[n])
        return Sum(self.groups[nodes], weights, tuple(map(abs, weights)), constant, shift + halvings)


@dataclass(frozen=True, slots=True)
class Form:
    """`number` as above. `loss` has three digits: how much the node differs from the form at most; the radius of the
    interval; and at least the sum of these two and of the absolute values of all digits of the number."""

    number: int
    loss: int


ZERO = Form(0, 0)


@dataclass(frozen=True, slots=True)
class Terms:
    """The forms of the same terms for many sums: which of them are not 0, those, and the sum of their sizes."""

    live: list[bool]
    numbers: list[int]
    losses: list[int]
    sizes: int


def sharpen(plan: Plan, ranges: Ranges) -> None:
    """Tighten the ranges of all tests; what that says of other nodes is not looked at."""
    forms = Forms(plan, ranges)
    for n in plan.order:
        forms.add(n)
    ranges.dirty = bytearray(len(ranges.dirty))


class Forms:
    """The forms of the nodes so far on one branch, None where there is none or nobody needs it."""

    def __init__(self, plan: Plan, ranges: Ranges) -> None:
        self.plan, self.scaled, self.ranges = plan, plan.scaled, ranges
        self.forms: list[Form | None] = [None] * len(plan.grain)
        self.terms: dict[int, Terms | None] = {}
        self.digits, self.ones = 2, 1 << LANE | 1
        """How many are in use, and the number that has so many, all 1."""

    def add(self, n: int) -> None:
        """The form of a node, after those that it is made of; and its range, if that is asked for."""
        form = None
        if n in self.scaled.relus:
            form = self.relu(n)
        elif n in self.plan.apart:
            form = self.symbol(n)
        elif n not in self.plan.silent or self.ranges.outcome(n) is not False:
            form = self.combined(n) or self.symbol(n)
        if form is not None and n in self.plan.measured:
            form = self.measured(n, form)
        self.forms[n] = form

    def combined(self, n: int) -> Form | None:
        """The form of an affine node, or of one that is told."""
        if n not in self.plan.sums:
            return None
        node = self.plan.sums[n]
        if node.group not in self.terms:
            self.terms[node.group] = self.gathered(node.group)
        terms = self.terms[node.group]
        if terms is None:
            return None
        number = sum(map(mul, compress(node.weights, terms.live), terms.numbers))
        lost = sum(map(mul, compress(node.sizes, terms.live), terms.losses))
        size = (lost >> 2 * LANE) + 2 * abs(node.constant)
        if size >= HALF:
            return None
        number = self.shifted(number + (node.constant << LANE) + node.constant, node.shift)
        error, radius = (part + terms.sizes + 1 >> node.shift for part in (lost & LAST, lost >> LANE & LAST))
        return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)

    def gathered(self, group: int) -> Terms | None:
        """None where a form is missing."""
        forms = [self.forms[j] for j in self.plan.terms[group]]
        left = [form for form in forms if form is not None and form != ZERO]
        if None in forms:
            return None
        losses = [form.loss for form in left]
        return Terms([form != ZERO for form in forms], [f.number for f in left], losses, sum(map(size, left)))

    def relu(self, n: int) -> Form | None:
        """That of its test, where it is positive; else by its twin or by itself."""
        test, *_ = self.scaled.select[n]
        taken = self.ranges.outcome(test)
        if taken is False:
            return ZERO
        form = self.forms[test]
        return form if form is None or taken else self.told(n, test) or self.open(n, test, form)

    def told(self, n: int, test: int) -> Form | None:
        """relu(v') - relu(v) lies between 0 and r = v' - v: it is r / 2, give or take half of |r|."""
        if n not in self.scaled.twins:
            return None
        first, run = self.scaled.twins[n]
        if self.ranges.outcome(self.scaled.select[first][0]) is not None:
            return None
        self.add(run)
        low, high, most, form = self.ranges.low[run], self.ranges.high[run], self.ranges.high[test], self.combined(n)
        if form is None:
            return None
        assert low is not None and high is not None and most is not None
        half = shifted(max(-low, high), -self.plan.grain[n] - 1) + 1
        middle, radius = self.interval(n, 0, most)
        number = form.number + (middle - self.middles(form.number)[1] << LANE)
        return form_of(number + self.new(half), form.loss & LAST, radius, size(form) + middle + half)

    def open(self, n: int, test: int, form: Form) -> Form | None:
        """2^GRAIN relu(v) lies between slope * v and slope * v + shift."""
        low, high = self.ranges.low[test], self.ranges.high[test]
        if size(form) << GRAIN >= HALF:
            return None
        assert low is not None and high is not None
        slope, shift = chord(low, high)
        half = shifted(shift, -self.plan.grain[n] - GRAIN - 1) + 1
        middle, radius = self.interval(n, 0, high)
        number = slope * (form.number - (self.interval(n, low, high)[0] << LANE))
        number = self.shifted(number, GRAIN) + half + (middle << LANE)
        error = (slope * (form.loss & LAST) >> GRAIN) + 1 + self.digits
        digits = (slope * size(form) >> GRAIN) + 1 + self.digits + 2 * half + middle
        return form_of(number + self.new(half), error, radius, digits)

    def symbol(self, n: int) -> Form | None:
        """All of the range of a node."""
        low, high, _ = self.ranges.at(n)
        if low is None or high is None:
            return None
        middle, radius = self.interval(n, low, high)
        return form_of((middle << LANE) + middle + self.new(radius), 0, radius, 2 * abs(middle) + radius)

    def measured(self, n: int, form: Form) -> Form | None:
        """Tighten the range of a node to that of its form, and then its interval to the range."""
        constant, middle = self.middles(form.number)
        error, radius, digits = form.loss & LAST, form.loss >> LANE & LAST, self.total(form.number)
        for centre, reach in (constant, digits - abs(constant) - abs(middle) + error), (middle, radius):
            self.ranges.at_least(n, shifted(centre - reach, self.plan.grain[n]))
            self.ranges.at_most(n, -shifted(-centre - reach, self.plan.grain[n]))
        low, high, _ = self.ranges.at(n)
        assert low is not None and high is not None
        inner, radius = self.interval(n, low, high)
        return form_of(form.number + (inner - middle << LANE), error, radius, digits + abs(inner))

    def interval(self, n: int, low: int, high: int) -> tuple[int, int]:
        """The middle and the radius of a range of X[n], in grains."""
        half = -self.plan.grain[n] - 1
        return shifted(low + high, half), shifted(high - low, half) + 2

    # digits

    def new(self, multiple: int) -> int:
        """A symbol more, so many times."""
        digit = self.digits * LANE
        self.digits += 1
        self.ones |= 1 << digit
        return multiple << digit

    def shifted(self, number: int, by: int) -> int:
        """Every digit divided by 2^by, rounded down."""
        ones = self.ones
        moved = number + (ones << LANE - 1)
        return (moved >> by & (ones << LANE - by) - ones) - (ones << LANE - 1 - by)

    def middles(self, number: int) -> tuple[int, int]:
        """The constant, and the middle of the interval."""
        constant = (number + HALF & LAST) - HALF
        return constant, ((number - constant >> LANE) + HALF & LAST) - HALF

    def total(self, number: int) -> int:
        """The sum of the absolute values of all digits: of digits that are >= 0, the rest modulo LAST is the sum."""
        moved = number + (self.ones << LANE - 1)
        signs = moved >> LANE - 1 & self.ones
        positive = moved & (signs << LANE - 1) - signs
        return (2 * positive - number) % LAST


def form_of(number: int, error: int, radius: int, digits: int) -> Form | None:
    """None where it does not fit. `digits`: at least the sum of their absolute values."""
    most = digits + error + radius
    return None if most >= HALF else Form(number, (most << 2 * LANE) + (radius << LANE) + error)


def size(form: Form) -> int:
    """At least all that the form says, and the value of the node."""
    return form.loss >> 2 * LANE


def shifted(value: int, by: int) -> int:
    """value * 2^by, rounded down."""
    return value << by if by >= 0 else value >> -by
