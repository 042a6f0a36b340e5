"""A circuit in whole numbers, and the range of every node: what is known of it on one branch of a proof.

Node n stands for X[n] = unit[n] * value, where unit[n] is a whole number that makes every weight below whole too. So
all arithmetic is on integers, exact, and of a size that grows with the depth of the circuit only.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil, floor, gcd, lcm

from verifier.kernel.circuit import Affine, Circuit, Input, Select
from verifier.kernel.problem import GRAIN, Rejected, Side

FINE = 1 << 32
"""Inputs are cut on a grid this much finer than the sides of their box; a cut off the grid counts a little less."""

Low = int | None
High = int | None
Form = tuple[tuple[tuple[int, int], ...], int]
"""Terms (j, a) and a constant c: the form c + sum of a * X[j]."""


class Scaled:
    """The circuit, node by node. `affine[n]` is (terms (j, a), constant c): X[n] = c + sum of a * X[j]; `select[n]` is
    (test, then, p, otherwise, q): X[n] = p * X[then] or q * X[otherwise]; `spans[rise]` is the `run` of a gap;
    `twins[second]` is (first, difference). `lattice[n]` is (step, offset): X[n] is the offset and a whole multiple of
    the step, where that is known: of whole inputs, constants, and what is made of them. `level[n]`: relus on the way
    down. `order`: nodes before those that they are made of, and relus of one level behind all that is made of them."""

    def __init__(
        self,
        circuit: Circuit,
        box: Sequence[Side],
        gaps: Sequence[tuple[int, int]] = (),
        twins: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        self.circuit, self.box, self.gaps = circuit, box, gaps
        self.unit: list[int] = []
        self.affine: dict[int, Form] = {}
        self.select: dict[int, tuple[int, int, int, int, int]] = {}
        self.relus: set[int] = set()
        self.lattice: dict[int, tuple[int, int]] = {}
        self.level: list[int] = []
        self.users: list[list[int]] = []
        for n, node in enumerate(circuit):
            self.users.append([])
            match node:
                case Input(index):
                    self.unit.append(grain(box[index]))
                    if box[index].integer:
                        self.lattice[n] = self.unit[n], 0
                    self.level.append(0)
                case Affine(terms, constant):
                    pairs = [(j, w, gcd(w.numerator, self.unit[j])) for j, w in terms]
                    unit = lcm(constant.denominator, *(w.denominator * (self.unit[j] // g) for j, w, g in pairs))
                    self.unit.append(unit)
                    whole = [
                        (j, (w.numerator // g) * (unit // (w.denominator * (self.unit[j] // g)))) for j, w, g in pairs
                    ]
                    self.affine[n] = (tuple(whole), constant.numerator * (unit // constant.denominator))
                    self.meet(n, self.affine[n])
                    self.level.append(max((self.level[j] for j, _ in terms), default=0))
                    for j, _ in terms:
                        self.users[j].append(n)
                case Select(test, then, otherwise):
                    unit = lcm(self.unit[then], self.unit[otherwise])
                    self.unit.append(unit)
                    p, q = unit // self.unit[then], unit // self.unit[otherwise]
                    self.select[n] = (test, then, p, otherwise, q)
                    self.meet(n, (((then, p),), 0), (((otherwise, q),), 0))
                    if then == test and circuit[otherwise] == Affine((), Fraction(0)):
                        self.relus.add(n)
                    self.level.append(max(self.level[j] for j in (test, then, otherwise)) + (n in self.relus))
                    for j in {test, then, otherwise}:
                        self.users[j].append(n)
        self.whole = lcm(*self.unit)
        self.spans: dict[int, int] = {}
        for rise, run in gaps:
            is_gap(self, rise, run)
            self.spans[rise] = run
            self.users[run].append(rise)
        self.depth = max(self.level, default=0)
        self.order = sorted(range(len(circuit)), key=lambda n: (self.level[n], n not in self.relus, n), reverse=True)
        self.twins: dict[int, tuple[int, int]] = {}
        for first, second, difference in twins:
            is_twin(self, first, second, difference)
            self.twins[second] = first, difference

    def meet(self, n: int, *forms: Form) -> None:
        """X[n] is the value of one of the forms."""
        if not all(j in self.lattice for terms, _ in forms for j, _ in terms):
            return
        offset, *others = (c + sum(a * self.lattice[j][1] for j, a in terms) for terms, c in forms)
        steps = (a * self.lattice[j][0] for terms, _ in forms for j, a in terms)
        self.lattice[n] = gcd(*steps, *(other - offset for other in others)), offset


def grain(side: Side) -> int:
    """The unit of an input."""
    ends = [b for b in (side.low, side.high) if b is not None]
    return lcm(*(b.denominator for b in ends)) * (1 if side.integer else FINE)


class Ranges:
    """low[n] <= X[n] <= high[n] (None: nothing known), and X[n] < high[n] where `strict[n]`.

    `dirty` marks nodes whose range has yet to hear of what changed below them; it is right all the same, only wider.
    """

    __slots__ = ("dirty", "high", "low", "strict")

    def __init__(self, low: list[Low], high: list[High], strict: list[bool], dirty: bytearray) -> None:
        self.low, self.high, self.strict, self.dirty = low, high, strict, dirty

    def copy(self) -> Ranges:
        return Ranges(self.low.copy(), self.high.copy(), self.strict.copy(), self.dirty.copy())

    def at(self, n: int) -> tuple[Low, High, bool]:
        return self.low[n], self.high[n], self.strict[n]

    def put(self, n: int, known: tuple[Low, High, bool]) -> None:
        self.low[n], self.high[n], self.strict[n] = known

    def outcome(self, test: int) -> bool | None:
        """Whether node `test` is >= 0, where that is known."""
        low, high = self.low[test], self.high[test]
        if low is not None and low >= 0:
            return True
        return False if high is not None and (high < 0 or (high == 0 and self.strict[test])) else None

    def at_least(self, n: int, bound: int) -> None:
        low = self.low[n]
        self.low[n] = bound if low is None else max(low, bound)

    def at_most(self, n: int, bound: int, strict: bool = False) -> None:
        high = self.high[n]
        if high is None or bound < high or (bound == high and strict):
            self.high[n], self.strict[n] = bound, strict


def root(scaled: Scaled, facts: Iterable[int]) -> Ranges:
    """What the box and the facts (X[f] >= 0) say."""
    count = len(scaled.circuit)
    ranges = Ranges([None] * count, [None] * count, [False] * count, bytearray(b"\1" * count))
    for n, node in enumerate(scaled.circuit):
        if isinstance(node, Input):
            side, unit = scaled.box[node.index], scaled.unit[n]
            if side.low is not None:
                ranges.low[n] = ceil(side.low) * unit if side.integer else int(side.low * unit)
            if side.high is not None:
                ranges.high[n] = floor(side.high) * unit if side.integer else int(side.high * unit)
    for fact in facts:
        ranges.at_least(fact, 0)
        hand_down(scaled, ranges, fact)
    return ranges


def cut(scaled: Scaled, ranges: Ranges, node: int, value: Fraction, above: bool) -> None:
    """Keep only where `node` is >= value (`above`), or < value."""
    keep(scaled, ranges, node, value, above)
    hand_down(scaled, ranges, node)


def keep(scaled: Scaled, ranges: Ranges, node: int, value: Fraction, above: bool) -> None:
    """The same, of this node and those above it."""
    exact = value * scaled.unit[node]
    if above:
        ranges.at_least(node, ceil(exact) if node in scaled.lattice else floor(exact))
    else:
        ranges.at_most(node, ceil(exact), strict=True)
    align(scaled, ranges, node)
    for user in scaled.users[node]:
        ranges.dirty[user] = 1


def align(scaled: Scaled, ranges: Ranges, node: int) -> None:
    """The ends of a range lie on the lattice of the node."""
    lattice = scaled.lattice.get(node)
    if lattice is None or lattice[0] == 0:
        return
    step, offset = lattice
    low, high = ranges.low[node], ranges.high[node]
    if low is not None:
        ranges.low[node] = low + (offset - low) % step
    if high is not None:
        over = (high - offset) % step
        ranges.high[node] = high - (over or step * ranges.strict[node])
        ranges.strict[node] = False


def hand_down(scaled: Scaled, ranges: Ranges, node: int) -> None:
    """A node tells those that it is made of what is known of itself. A choice that is >= 0, or < 0, and has a side that
    is a constant and not so, takes its other side; and so on."""
    todo, seen = [node], {node}
    while todo:
        n = todo.pop()
        hand_on(scaled, ranges, n)
        known = ranges.outcome(n)
        if known is None or n not in scaled.select:
            continue
        test, then, _, otherwise, _ = scaled.select[n]
        for above, taken, other in ((True, then, otherwise), (False, otherwise, then)):
            form = scaled.affine.get(other)
            if form and not form[0] and (form[1] >= 0) is not known:
                keep(scaled, ranges, test, Fraction(0), above)
                keep(scaled, ranges, taken, Fraction(0), known)
                todo += {test, taken} - seen
                seen |= {test, taken}


def hand_on(scaled: Scaled, ranges: Ranges, node: int) -> None:
    """A node that is a multiple of one other, and a constant, tells that one what is known of itself; and so on."""
    sides = [(ranges.low[node], False), (ranges.high[node], ranges.strict[node])]  # a bound, and whether it is strict
    k, c, j = 1, 0, node
    while j in scaled.affine and len(scaled.affine[j][0]) == 1:
        ((j, a),), shift = scaled.affine[j]
        if not a:
            return
        k, c = k * a, c + k * shift  # the node is k times node j, and c
        (low, _), (high, under) = sides if k > 0 else sides[::-1]
        if low is not None:
            rest = low - c
            ranges.at_least(j, -(-rest // k) if j in scaled.lattice else rest // k)
        if high is not None:
            rest = high - c
            ranges.at_most(j, -(-rest // k), strict=under or rest % k != 0)
        align(scaled, ranges, j)
        for user in scaled.users[j]:
            ranges.dirty[user] = 1


def settle(scaled: Scaled, ranges: Ranges, reach: int | None = None) -> None:
    """Carry what is known to the nodes before `reach` (all of them), by interval arithmetic."""
    low, high, dirty = ranges.low, ranges.high, ranges.dirty
    end = len(dirty) if reach is None else reach
    n = dirty.find(1, 0, end)
    while n >= 0:
        dirty[n] = 0
        before = ranges.at(n)
        if n in scaled.affine:
            below, above = interval(scaled.affine[n], low, high)
        elif n in scaled.select:
            below, above = chosen(scaled, ranges, n)
        else:
            below, above = low[n], high[n]
        if n in scaled.spans:
            below, above = between(scaled, ranges, n, below, above)
        if below is not None:
            ranges.at_least(n, below)
        if above is not None:
            ranges.at_most(n, above)
        align(scaled, ranges, n)
        if before != ranges.at(n):
            for user in scaled.users[n]:
                dirty[user] = 1
        n = dirty.find(1, n + 1, end)


def interval(form: Form, low: list[Low], high: list[High]) -> tuple[Low, High]:
    """The range of an affine form over ranges."""
    below: Low = form[1]
    above: High = form[1]
    for j, a in form[0]:
        least, most = (low[j], high[j]) if a > 0 else (high[j], low[j])
        below = None if below is None or least is None else below + a * least
        above = None if above is None or most is None else above + a * most
    return below, above


def chosen(scaled: Scaled, ranges: Ranges, n: int) -> tuple[Low, High]:
    """The range of a choice: that of the branch taken, or of both."""
    test, then, p, otherwise, q = scaled.select[n]
    first = tuple(None if b is None else p * b for b in (ranges.low[then], ranges.high[then]))
    second = tuple(None if b is None else q * b for b in (ranges.low[otherwise], ranges.high[otherwise]))
    taken = ranges.outcome(test)
    if taken is not None:
        return first if taken else second  # type: ignore[return-value]
    if n in scaled.relus:
        return 0, None if first[1] is None else max(first[1], 0)
    below = None if first[0] is None or second[0] is None else min(first[0], second[0])
    above = None if first[1] is None or second[1] is None else max(first[1], second[1])
    return below, above


def chord(low: int | None, high: int | None) -> tuple[int, int]:
    """(k, b): 2^24 relu(v) <= k v + b for low <= v <= high, k a whole number of at most 2^24."""
    one = 1 << GRAIN
    if low is not None and low >= 0:
        return one, 0
    if high is not None and high <= 0:
        return 0, 0
    if low is None and high is None:
        raise Rejected("a relu over an unbounded range has no upper bound")
    if high is None:
        assert low is not None
        return one, -one * low
    if low is None:
        return 0, one * high
    slope = one * high // (high - low)
    return slope, max(-slope * low, (one - slope) * high)


def between(scaled: Scaled, ranges: Ranges, rise: int, below: Low, above: High) -> tuple[Low, High]:
    """relu(t) - relu(t') lies between 0 and t - t'."""
    run = scaled.spans[rise]
    low, high, unit, of = ranges.low[run], ranges.high[run], scaled.unit[rise], scaled.unit[run]
    if low is not None:
        least = min(0, low) * unit // of
        below = least if below is None else max(below, least)
    if high is not None:
        most = -(-max(0, high) * unit // of)
        above = most if above is None else min(above, most)
    return below, above


def is_gap(scaled: Scaled, rise: int, run: int) -> None:
    """`rise` is the difference of two relus, and `run` that of what they are the relus of, identically."""
    node = scaled.circuit[rise]
    if run >= rise:
        raise Rejected(f"node {run} has to stand before node {rise}")
    if not isinstance(node, Affine) or node.constant or [w for _, w in node.terms] != [1, -1]:
        raise Rejected(f"node {rise} is not the difference of two nodes")
    form = {run: scaled.whole // scaled.unit[run]}
    for relu, sign in node.terms:
        if relu not in scaled.relus:
            raise Rejected(f"node {rise} is not the difference of two relus")
        test = scaled.select[relu][0]
        form[test] = form.get(test, 0) - int(sign) * (scaled.whole // scaled.unit[test])
    constant = 0
    todo = sorted(form)
    while todo:
        n = todo.pop()
        if n in scaled.affine and (weight := form.pop(n, 0)):
            terms, shift = scaled.affine[n]
            constant += weight * shift
            for j, a in terms:
                if j not in form and j in scaled.affine:
                    insort(todo, j)
                form[j] = form.get(j, 0) + weight * a
    if constant or any(form.values()):
        raise Rejected(f"node {run} is not the difference of what the relus of node {rise} are the relus of")


def is_twin(scaled: Scaled, first: int, second: int, difference: int) -> None:
    """Both are inputs, or both are relus, of one level and unit; `difference` is the second minus the first, or that of
    their tests."""
    relus = {first, second} <= scaled.relus
    if not relus and not all(isinstance(scaled.circuit[n], Input) for n in (first, second)):
        raise Rejected(f"nodes {first} and {second} are not two inputs or two relus")
    level, unit = scaled.level, scaled.unit
    if first >= second or level[first] != level[second] or unit[first] != unit[second]:
        raise Rejected(f"node {second} cannot be told by node {first}")
    of = [scaled.select[n][0] if relus else n for n in (second, first)]
    if scaled.circuit[difference] != Affine(((of[0], Fraction(1)), (of[1], Fraction(-1))), Fraction(0)):
        raise Rejected(f"node {difference} is not the difference that tells node {second}")
