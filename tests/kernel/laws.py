"""What single functions of the checker promise, for the checker as it is and for changed ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as Q
from itertools import product
from random import Random
from types import SimpleNamespace
from typing import Any

from tests.kernel import descents, forms
from verifier.kernel.circuit import Affine, Input, Select, evaluate
from verifier.kernel.problem import GRAIN, Farkas, Row, Side

ONE = 1 << GRAIN
FAR = 10**6
ENDS = (*range(-5, 6), None)


def relu(v: int) -> int:
    return max(v, 0)


def chords(kernel: SimpleNamespace) -> None:
    """Above the relu on the range; at its ends not more than the rounding of the slope; where relu is affine, exact."""
    for low, high in product(ENDS, ENDS):
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            continue
        slope, shift = kernel.ranges.chord(low, high)
        for v in range(
            -FAR if low is None else low, (FAR if high is None else high) + 1, 1 if None not in (low, high) else 997
        ):
            assert slope * v + shift >= ONE * relu(v)
        affine = (low is not None and low >= 0) or (high is not None and high <= 0)
        loss = 0 if affine or low is None or high is None else high - low
        for end in (low, high):
            if end is not None:
                assert slope * end + shift - ONE * relu(end) <= loss
        assert low is not None or slope == 0
        assert high is not None or slope == ONE


def steeper(kernel: SimpleNamespace) -> None:
    """The slope 1 where the positive part of the range is longer, else 0."""
    for low, high in product(ENDS, ENDS):
        ranges = kernel.ranges.Ranges([low], [high], [False], bytearray(1))
        longer = low is not None and (high is None or high + low > 0)
        assert kernel.refute.steeper(ranges, 0) == (ONE if longer else 0)


def lines(kernel: SimpleNamespace) -> None:
    """What takes the place of a choice is nowhere less, and is the two lines and the chord in their shares; where an
    end that they need is unknown, they are refused. Relus below find multiples of what they take off."""
    tests, sides = ((-3, 2), (-1, 0), (None, 2), (-2, None)), ((-2, 1), (0, 3), (4, 5), (-1, None), (None, 2))
    shares = ((ONE, 0), (0, ONE), (0, 0), (ONE // 4, ONE // 2))
    relu = Affine(((1, Q(1, 2)),), Q(0)), Affine((), Q(0)), Select(3, 3, 4)
    circuit = (Input(0), Input(1), Input(2), *relu, Affine(((2, Q(1, 3)),), Q(0)), Select(0, 3, 6), Select(0, 5, 6))
    both = [
        *product(product(tests, sides[:3], sides[1:]), shares, (7,)),
        *product(product(tests, sides, sides[1:2]), shares, (8,)),
    ]
    for ends, first, second in both:
        box = [Side(*(None if b is None else Q(b) for b in pair), integer=True) for pair in ends]
        scaled = kernel.ranges.Scaled(circuit, box)
        ranges = kernel.ranges.root(scaled, ())
        kernel.ranges.settle(scaled, ranges)
        for side in (1, -1):
            one_line(kernel, scaled, ranges, second, side, *first)


def one_line(kernel: SimpleNamespace, scaled: Any, ranges: Any, n: int, side: int, first: int, second: int) -> None:
    """The same of one choice."""
    _, then, p, otherwise, q = scaled.select[n]
    (left_end, right_end), (a, b), (c, d) = (ranges.at(j)[:2] for j in (0, then, otherwise))
    times = 7 << 60 + GRAIN * scaled.level[n]

    def gap(left: int | None, right: int | None) -> int | None:
        """Of the sides, as they are turned round for a negative weight."""
        return None if left is None or right is None else side * (p * left - q * right)

    top, bottom = (gap(b, c), gap(a, d))[::side]
    e, low = None if top is None else max(top, 0), None if bottom is None else min(bottom, 0)
    chord = first + second < ONE
    missing = (first and e is None) or (second and low is None) or (chord and e is None and low is None)
    weight = [0] * n + [side * times, 0][: len(scaled.circuit) - n]
    try:
        added = kernel.refute.lines(scaled, ranges, n, weight, first, second)
    except kernel.refute.Rejected:
        assert missing
        return
    assert not missing and weight[n] == side * times
    weight[n] = 0
    assert not any(w % (times // (7 << 60)) for w in (added, *weight))
    assert bool(weight[0]) == bool((first and e and left_end) or (second and low and right_end))
    if not first + second and (e is None or low is None):
        assert weight[otherwise if e is None else then] == 0
    for t, x, z in product(
        (-FAR if left_end is None else left_end, 0, FAR if right_end is None else right_end),
        *((-FAR if u is None else u, FAR if v is None else v) for u, v in ((a, b), (c, d))),
    ):
        left, right, parts = side * p * x, side * q * z, Q(0)
        if first:
            parts += first * (right + e * (1 - (Q(t, left_end) if left_end else 0)))
        if second:
            parts += second * (left - low * (1 - (Q(t, right_end) if right_end else 0)))
        if chord:
            slope = Q(1) if e is None or low == 0 else Q(0) if low is None else Q(e, e - low)
            shift = -low if e is None else (1 - slope) * e
            parts += (ONE - first - second) * (slope * left + (1 - slope) * right + shift)
        total = weight[0] * t + weight[then] * x + weight[otherwise] * z + added
        assert abs(Q(total, times) - parts / ONE) <= Q(4 * (abs(t) + abs(x) + abs(z) + 1), 1 << 60)
        assert all(total >= times * v for v, possible in ((left, t >= 0), (right, t <= 0)) if possible)


def inputs(kernel: SimpleNamespace) -> None:
    """An input has the range of its side; a whole one that of the whole numbers in it."""
    for low, high, integer in product((Q(-7, 3), Q(-1), None), (Q(5, 2), Q(2), None), (False, True)):
        scaled = kernel.ranges.Scaled((Input(0),), (Side(low, high, integer),))
        ranges = kernel.ranges.root(scaled, ())
        inside = [
            None if b is None else b.__ceil__() if b < 0 and integer else b.__floor__() if integer else b
            for b in (low, high)
        ]
        assert [None if b is None else Q(b, scaled.unit[0]) for b in (ranges.low[0], ranges.high[0])] == inside


def bounds(kernel: SimpleNamespace) -> None:
    """What is known of later nodes on the side that is closed is not known on the other."""
    for place in range(3):
        nodes = [Affine(((0, Q(1)), (0, Q(0))), Q(0))] * 3
        scaled = kernel.ranges.Scaled((Input(0), *nodes), (Side(Q(-3), Q(3)),))
        ranges = kernel.ranges.root(scaled, (3,))
        end = Farkas((Row("low", 3, 1), Row("high", place, 1)))
        kernel.refute.bound(scaled, ranges, place, Q(0), True, end)
        kernel.ranges.settle(scaled, ranges)
        assert ranges.low[place] == 0 and ranges.high == [3 * unit for unit in scaled.unit]


def cuts(kernel: SimpleNamespace) -> None:
    """Below a cut and above it: together all, and no more than the grid allows in common."""
    half = Affine(((0, Q(1, 2)), (0, Q(0))), Q(0))
    for integer, node, value in product((False, True), (0, 1), (Q(1), Q(1, 2), Q(-1, 3), Q(1, 7))):
        scaled = kernel.ranges.Scaled((Input(0), half), (Side(Q(-3), Q(3), integer),))
        unit = scaled.unit[node]
        assert scaled.unit[1] == 2 * scaled.unit[0]
        for above in (False, True):
            ranges = kernel.ranges.root(scaled, ())
            kernel.ranges.settle(scaled, ranges)
            kernel.ranges.cut(scaled, ranges, node, value, above)
            kernel.ranges.settle(scaled, ranges)
            low, high, strict = ranges.at(node)
            if integer:
                step = Q(1, 1 + node)
                steps = (value / step).__ceil__() if above else (value / step).__ceil__() - 1
                assert (Q(low, unit) if above else Q(high, unit)) == steps * step
                assert not strict
            elif above:
                assert value - Q(1, unit) < Q(low, unit) <= value and not strict
            else:
                assert value <= Q(high, unit) < value + Q(1, unit) and strict
            if node == 0:  # what stands above hears of it
                assert ranges.at(1)[:2] == tuple(Q(b, 2) * scaled.unit[1] / unit for b in (low, high))


def multiples(kernel: SimpleNamespace) -> None:
    """A multiple of one node tells that one what is known of itself, as far as whole numbers allow, and no more: while
    the other side of a bound is closed, nothing is told."""
    for integer, weight, shift in product((False, True), (Q(3), Q(1, 2), Q(-2, 3), Q(-5)), (Q(0), Q(3, 4), Q(-2))):
        nodes = Affine(((0, weight),), shift), Affine(((1, Q(-2)),), Q(1, 3))
        scaled = kernel.ranges.Scaled((Input(0), *nodes), (Side(Q(-9), Q(9), integer),))
        for node, a, b in ((1, weight, shift), (2, -2 * weight, Q(1, 3) - 2 * shift)):
            for value, above in product((Q(0), Q(1, 7 << 40)), (False, True)):
                ranges = kernel.ranges.root(scaled, ())
                kernel.ranges.cut(scaled, ranges, node, value, above)
                low, high, strict = ranges.at(0)
                lower, edge = above == (a > 0), (value - b) / a  # x is at least, or at most, there
                assert (high if lower else low) == (9 if lower else -9) * scaled.unit[0]
                loose = Q(low if lower else high, scaled.unit[0])
                if integer:
                    exact = edge.__ceil__() if lower else edge.__floor__()
                    exact += (exact == edge and not above) * (1 if lower else -1)
                    slack = Q(0)
                    assert not strict
                else:
                    exact, slack = edge, Q(2, scaled.unit[0]) + (Q(1, scaled.unit[node]) / abs(a) if value else 0)
                    assert strict == (not lower and (not above or loose > edge)) or (value and above and not lower)
                assert exact - slack <= loose <= exact if lower else exact <= loose <= exact + slack
                kernel.ranges.settle(scaled, ranges)
                assert (low, high, strict) == ranges.at(0)
            ranges, known = kernel.ranges.root(scaled, (node,)), kernel.ranges.root(scaled, ())
            kernel.ranges.cut(scaled, known, node, Q(0), True)
            assert ranges.at(0) == known.at(0)
    none = kernel.ranges.Scaled((Input(0), Affine(((0, Q(0)),), Q(2))), (Side(Q(-9), Q(9)),))
    ranges = kernel.ranges.root(none, (1,))
    kernel.ranges.cut(none, ranges, 1, Q(3), False)
    assert ranges.at(0) == (-9 * none.unit[0], 9 * none.unit[0], False)
    circuit = (Input(0), Affine(((0, Q(1)), (0, Q(0))), Q(-1)), Affine(((0, Q(3)),), Q(0)), Affine(((0, Q(2)),), Q(0)))
    scaled = kernel.ranges.Scaled(circuit, (Side(Q(-9), Q(9)),))
    ranges = kernel.ranges.root(scaled, (1,))
    kernel.refute.bound(scaled, ranges, 3, Q(0), True, Farkas((Row("high", 3, 1), Row("low", 1, 2))))
    kernel.ranges.settle(scaled, ranges)
    assert [ranges.at(n) for n in (0, 2, 3)] == [(0, k * scaled.unit[n], False) for n, k in ((0, 9), (2, 27), (3, 18))]


def lattices(kernel: SimpleNamespace) -> None:
    """What is made of whole inputs and constants lies on a lattice, the coarsest that holds all of its values; what is
    made of anything else lies on none. The ends of a range are moved onto it, and no further."""
    circuit = (
        *(Input(0), Input(1), Input(2)),
        Affine(((0, Q(3)), (1, Q(-9, 2))), Q(1, 4)),
        Affine(((0, Q(1)), (2, Q(1))), Q(0)),
        Affine((), Q(-2, 3)),
        *(Affine(((0, Q(4)),), Q(1)), Affine(((1, Q(6)),), Q(0))),
        *(Select(2, 6, 7), Select(2, 5, 5), Select(2, 6, 4), Select(2, 4, 6), Select(0, 3, 6)),
        Affine(((8, Q(2)), (3, Q(4))), Q(1, 2)),
    )
    whole = kernel.ranges.Scaled(circuit, (Side(Q(0), Q(5, 2), True), Side(None, None, True), Side(Q(0), Q(1, 2))))
    expected = {0: (1, 0), 1: (1, 0), 3: (Q(3, 2), Q(1, 4)), 5: (0, Q(-2, 3)), 6: (4, 1), 7: (6, 0), 8: (1, 0)}
    expected |= {9: (0, Q(-2, 3)), 12: (Q(1, 4), 0), 13: (2, Q(3, 2))}
    assert whole.lattice.keys() == expected.keys()
    for n, (step, offset) in whole.lattice.items():
        unit = whole.unit[n]
        assert Q(step, unit) == expected[n][0]
        away = Q(offset, unit) - expected[n][1]
        assert (away / Q(step, unit)).denominator == 1 if step else not away
    for weight, shift, low, high, strict in product((1, 2, 3), (-4, 0, 1), ENDS, ENDS, (False, True)):
        scaled = kernel.ranges.Scaled((Input(0), Affine(((0, Q(weight)),), Q(shift))), (Side(None, None, True),))
        ranges = kernel.ranges.root(scaled, ())
        ranges.put(1, (low, high, strict and high is not None))
        kernel.ranges.align(scaled, ranges, 1)
        on = [scaled.unit[1] * v for v in range(-12, 13) if (v - shift) % weight == 0]
        least = None if low is None else min(v for v in on if v >= low)
        most = None if high is None else max(v for v in on if v < high or (v == high and not strict))
        assert ranges.at(1) == (least, most, False)
    scaled = kernel.ranges.Scaled((Input(0), Affine((), Q(7))), (Side(),))
    ranges = kernel.ranges.root(scaled, ())
    for n, known in ((0, (-3, 4, True)), (1, (7, 7, False)), (1, (6, 8, True))):
        ranges.put(n, known)
        kernel.ranges.align(scaled, ranges, n)
        assert ranges.at(n) == known
    circuit = (Input(0), Input(1), Affine(((0, Q(2)), (1, Q(-2))), Q(0)), Affine(((2, Q(1, 2)), (1, Q(0))), Q(0)))
    scaled = kernel.ranges.Scaled(circuit, [Side(Q(-9), Q(9), True)] * 2)
    ranges = kernel.ranges.root(scaled, ())
    ranges.at_least(2, -scaled.unit[2])
    ranges.at_most(2, 3 * scaled.unit[2])
    ranges.dirty[2] = 1
    kernel.ranges.settle(scaled, ranges)
    assert [ranges.at(n) for n in (2, 3)] == [(0, 2 * scaled.unit[2], False), (0, scaled.unit[3], False)]


def followed(kernel: SimpleNamespace, random: Random) -> None:
    """Cuts around a point never lose it, and facts that hold there do not either."""

    def number() -> Q:
        return Q(random.randint(-6, 6), random.choice((1, 2, 3)))

    kinds = [random.random() < 0.5 for _ in range(2)]
    point = [Q(random.randint(-3, 3)) if integer else Q(random.randint(-12, 12), 4) for integer in kinds]
    circuit: list[Input | Affine | Select] = [Input(0), Input(1), Affine((), Q(0))]
    for _ in range(10):
        some = random.sample(range(len(circuit)), random.choice((1, 1, 2, 3)))
        circuit.append(Affine(tuple((n, number()) for n in some), number()))
        if random.random() < 0.4:
            test = random.randrange(len(circuit))
            circuit.append(Select(test, test, 2) if random.random() < 0.5 else Select(test, *some[:1], 2))
    values = evaluate(tuple(circuit), point)
    scaled = kernel.ranges.Scaled(tuple(circuit), [Side(Q(-3), Q(3), integer) for integer in kinds])
    ranges = kernel.ranges.root(scaled, [n for n in range(3, len(circuit)) if values[n] >= 0 and random.random() < 0.3])
    for _ in range(12):
        if random.random() < 0.5:
            kernel.ranges.settle(scaled, ranges)
        for n, value in enumerate(values):
            low, high, strict = ranges.at(n)
            exact = value * scaled.unit[n]
            assert low is None or low <= exact
            assert high is None or exact < high or (exact == high and not strict)
        node = random.randrange(len(circuit))
        value = values[node] if random.random() < 0.3 else number()
        kernel.ranges.cut(scaled, ranges, node, value, values[node] >= value)


def choices(kernel: SimpleNamespace) -> None:
    """A choice ranges over the branch taken, or over both; a test is decided where its range is on one side of 0."""
    circuit = (
        Input(0),
        Affine((), Q(3, 2)),
        Affine((), Q(-1, 3)),
        Select(0, 1, 2),
        Affine((), Q(0)),
        Select(0, 0, 4),
        Select(0, 2, 1),
        Select(0, 0, 2),
        Select(0, 2, 0),
    )
    three, third = Q(3, 2), Q(-1, 3)
    for low, high, strict, taken in (
        (-1, 1, False, None),
        (-1, 0, False, None),
        (-1, 0, True, False),
        (-2, -1, False, False),
        (0, 1, False, True),
        (None, 1, False, None),
        (-1, None, False, None),
        (None, None, False, None),
        (0, None, False, True),
        (None, -1, False, False),
    ):
        scaled = kernel.ranges.Scaled(circuit, (Side(),))
        ranges = kernel.ranges.root(scaled, ())
        ranges.put(0, (low, high, strict))
        kernel.ranges.settle(scaled, ranges)
        assert ranges.outcome(0) is taken

        def of(n: int, known: object = ranges, scaled: object = scaled) -> tuple[Q | None, Q | None]:
            low, high, _ = known.at(n)  # type: ignore[attr-defined]
            unit = scaled.unit[n]  # type: ignore[attr-defined]
            return None if low is None else Q(low, unit), None if high is None else Q(high, unit)

        assert of(3) == {None: (third, three), True: (three, three), False: (third, third)}[taken]
        assert of(6) == {None: (third, three), True: (third, third), False: (three, three)}[taken]
        unit = scaled.unit[0]
        upper = None if high is None else Q(max(high, 0), unit)
        own = of(0)
        lowest = None if low is None else min(Q(low, unit), third)
        highest = None if high is None else max(Q(high, unit), third)
        assert of(7) == {None: (lowest, highest), True: own, False: (third, third)}[taken]
        assert of(8) == {None: (lowest, highest), True: (third, third), False: own}[taken]
        assert of(5) == {None: (Q(0), upper), True: (Q(0), upper), False: (Q(0), Q(0))}[taken]


def decisions(kernel: SimpleNamespace) -> None:
    """A choice with a constant side that is not as the choice is takes the other side, and what that is made of hears
    of it; with no such side nothing is told. A constant of 0 is >= 0."""
    yes, no = Affine((), Q(0)), Affine((), Q(-1, 3))
    first, second = Affine(((0, Q(2)),), Q(-1)), Affine(((1, Q(-1)),), Q(1, 2))
    circuit = (
        *(Input(0), Input(1), yes, no, first, second),
        *(Select(4, 5, 3), Select(4, 2, 5), Select(4, 3, 2), Select(4, 5, 2), Select(4, 5, 4)),
        *(Select(6, 9, 3), Select(8, 2, 5), Select(4, 3, 5), Select(2, 5, 3)),
        Select(4, 2, 3),
    )
    undecided = {4: None, 5: None}
    for node, known, expected in (
        (6, True, {4: True, 5: True}),  # both
        (6, False, undecided),
        (7, True, undecided),  # one
        (7, False, {4: False, 5: False}),
        (8, True, {4: False}),  # not
        (8, False, {4: True}),
        (9, True, undecided),  # if ... then
        (9, False, {4: True, 5: False}),
        (10, True, undecided),
        (10, False, undecided),
        (11, True, {4: True, 5: True}),  # both, and if ... then
        (12, False, {4: True, 5: False}),  # implies
        (13, True, {4: False, 5: True}),
        (14, True, {5: True}),
    ):
        scaled = kernel.ranges.Scaled(circuit, (Side(Q(-9), Q(9)),) * 2)
        ranges = kernel.ranges.root(scaled, ())
        kernel.ranges.settle(scaled, ranges)
        kernel.ranges.cut(scaled, ranges, node, Q(0), known)
        assert {n: ranges.outcome(n) for n in expected} == expected
        for n, at, edge, over in ((4, 0, Q(1, 2), True), (5, 1, Q(1, 2), False)):  # x >= 1/2, y <= 1/2
            if (truth := expected.get(n)) is not None:
                low, high, strict = ranges.at(at)
                assert (low if truth is over else high) == edge * scaled.unit[at]
                assert (high if truth is over else low) == (9 if truth is over else -9) * scaled.unit[at]
                assert strict is (not truth and over)
        kernel.ranges.settle(scaled, ranges)
        assert ranges.outcome(node) is known and ranges.outcome(15) is expected.get(4)
        if expected is not undecided and node != 14:
            facts = kernel.ranges.root(scaled, (node,))
            assert not known or facts.outcome(4) is expected[4]
    often = (Input(0), no, Select(0, 0, 1), *(Select(n, n, 1) for n in range(2, 90)))  # each is met once
    scaled = kernel.ranges.Scaled(often, (Side(Q(-9), Q(9)),))
    assert kernel.ranges.root(scaled, (len(often) - 1,)).low[0] == 0


def gaps(kernel: SimpleNamespace) -> None:
    """rise lies between 0 and run, rounded outwards by less than one step."""
    weight = Q(2, 3)
    circuit = (
        Input(0),
        Input(1),
        Affine((), Q(0)),
        Affine(((0, weight),), Q(1, 7)),
        Affine(((1, weight),), Q(1, 7)),
        Select(3, 3, 2),
        Select(4, 4, 2),
        Affine(((0, weight), (1, -weight)), Q(0)),
        Affine(((5, Q(1)), (6, Q(-1))), Q(0)),
    )
    wide = Side(Q(-9), Q(9))
    for low, high, side in (
        *((*ends, Side()) for ends in ((-3, 2), (-3, None), (None, 2), (None, None), (1, 2), (-3, -1))),
        *((*ends, wide) for ends in ((-3, 2), (1, 2), (-3, -1))),
    ):
        scaled = kernel.ranges.Scaled(circuit, (side, side), ((8, 7),))
        ranges = kernel.ranges.root(scaled, ())
        ranges.put(7, (low, high, False))
        kernel.ranges.settle(scaled, ranges)
        unit, of = scaled.unit[8], scaled.unit[7]
        assert unit != of
        for bound, found, sign in ((low, ranges.low[8], -1), (high, ranges.high[8], 1)):
            if bound is None:
                assert found is None
            else:
                most = Q(max(0, sign * bound), of)
                assert most <= Q(sign * found, unit) < most + Q(1, unit)
        kernel.ranges.cut(scaled, ranges, 7, Q(1, 2), False)  # what is said of the one is known of the other
        kernel.ranges.settle(scaled, ranges)
        assert ranges.high[8] <= Q(unit, 2) + 1


def told(kernel: SimpleNamespace, rng: Random) -> int:
    """What differences take over never makes a sum smaller at a point of a branch, nor larger than the ranges say; of
    opposite weights of two open relus one is left, and none of an input. How many relus were told."""
    count, widths = 0, [rng.randint(1, 2), rng.randint(2, 4), 2]
    circuit, twins = forms.twice(forms.net(rng, widths, 1), widths[0])
    point = tuple(Q(rng.randint(-99, 99), 100) for _ in range(widths[0]))
    point += tuple(x + Q(rng.randint(-9, 9), 1000) for x in point)
    scaled = kernel.ranges.Scaled(circuit, (Side(Q(-2), Q(2)),) * len(point), (), twins)
    values, ranges = evaluate(circuit, point), kernel.ranges.root(scaled, ())
    inputs = [n for n, at in enumerate(circuit) if isinstance(at, Input)]
    for n in (*inputs, *(by for *_, by in twins)):
        for above in (False, True):
            width = Q(rng.randint(0, 9), 10 if n in inputs else 100)
            kernel.ranges.cut(scaled, ranges, n, values[n] + (-width if above else width + Q(1, 999)), above)
    kernel.ranges.settle(scaled, ranges)
    weight = [rng.randint(-4, 4) << 4 * GRAIN for _ in circuit]

    def total() -> Q:
        return sum((w * v * scaled.unit[n] for n, (w, v) in enumerate(zip(weight, values, strict=True))), Q(0))

    place = {n: k for k, n in enumerate(scaled.order)}
    for n, (terms, _) in scaled.affine.items():
        assert all(place[j] > place[n] for j, _ in terms)
    assert all(place[first] > place[second] for second, (first, _) in scaled.twins.items())
    for second in sorted(scaled.twins, key=place.__getitem__):
        first, by = scaled.twins[second]
        low, high, _ = ranges.at(by)
        low, high = rng.choice(((low, high), (low, high), (low, None), (None, high), (None, None)))
        ranges.put(by, (low, high, False))
        before, weights = total(), (weight[first], weight[second])
        added = kernel.refute.told(scaled, ranges, second, weight)
        moved = abs(weights[1] - weight[second])
        assert total() + added >= before and weight[first] + weight[second] == sum(weights)
        if moved == 0:
            assert added == 0
        elif None not in (low, high):
            assert total() + added - before <= 2 * moved * (high - low + 2)
        tests = [scaled.select[n][0] for n in (first, second) if n in scaled.select]
        if not tests:
            assert weight[second] == 0 or (high if weight[second] > 0 else low) is None
        elif [ranges.outcome(t) for t in tests] == [None, None] and (low, high) != (None, None):
            assert weight[first] * weight[second] >= 0 and (moved == 0) == (weights[0] * weights[1] >= 0)
            count += moved > 0
        else:
            assert moved == 0
    return count


def news(kernel: SimpleNamespace) -> None:
    """A node hears of what changed below it, whichever way; facts are known from the start."""
    circuit = (
        Input(0),
        Affine(((0, Q(-2)),), Q(1)),
        Affine(((1, Q(3)), (0, Q(0))), Q(0)),
        Select(0, 1, 2),
        Affine(((3, Q(1)),), Q(0)),
    )
    box = (Side(Q(-1), Q(1)),)
    scaled = kernel.ranges.Scaled(circuit, box)
    ranges = kernel.ranges.root(scaled, (2,))
    assert ranges.low[2] == 0
    kernel.ranges.settle(scaled, ranges, 1)
    assert ranges.at(4) == (None, None, False)
    kernel.ranges.settle(scaled, ranges)
    unit = scaled.unit
    assert (ranges.low[1], ranges.high[1]) == (-unit[1], 3 * unit[1])
    assert (ranges.low[2], ranges.high[2]) == (0, 9 * unit[2])
    kernel.ranges.cut(scaled, ranges, 0, Q(0), True)
    kernel.ranges.settle(scaled, ranges)
    assert ranges.high[1] == unit[1] and ranges.high[4] == unit[4] and ranges.high[2] == 3 * unit[2]


def differences(kernel: SimpleNamespace) -> None:
    """The second input less the first lies where their ranges say, and no further than any multiple of it says that is
    known, of either sign and with a constant."""
    for times, constant in product((1, -2, 3), (0, 1)):
        circuit = (Input(0), Input(1), Affine(((0, Q(-times)), (1, Q(times))), Q(constant)))
        scaled = kernel.ranges.Scaled(circuit, (Side(Q(-9), Q(9)),) * 2)
        for low, high in product((None, -1, -20), (None, 2, 20)):
            ends = [None if end is None else (times * end + constant) * scaled.unit[2] for end in (low, high)]
            ranges = kernel.ranges.root(scaled, ())
            ranges.put(2, (*(ends if times > 0 else ends[::-1]), False))
            found = kernel.descent.apart(scaled, ranges, kernel.descent.sums(scaled)[0], 0, 1)
            assert found == (max(-18, -18 if low is None else low), min(18, 18 if high is None else high))


Law = Callable[[SimpleNamespace], object]


def often(law: Callable[[SimpleNamespace, int], int | None], count: int, least: int = 0) -> Law:
    """It holds for so many seeds, and what it counts there is no rare thing."""

    def holds(kernel: SimpleNamespace) -> None:
        assert sum(law(kernel, seed) or 0 for seed in range(count)) >= least

    return holds


LAWS: tuple[Law, ...] = (
    *(chords, steeper, lines, inputs, cuts, bounds, multiples, lattices, choices, decisions, gaps, news, differences),
    often(lambda kernel, seed: followed(kernel, Random(seed)), 80),
    often(lambda kernel, seed: told(kernel, Random(seed)), 40, 8),
    often(lambda kernel, seed: forms.contained(kernel, seed, (0, 3, 40)[seed % 3]), 60),
    often(lambda kernel, seed: forms.contained(kernel, seed, (0, 3)[seed % 2], twins=True), 20),
    often(descents.fallen, 60, 20),
    lambda kernel: forms.ranges(kernel, [2, 8, 8, 1]),
    forms.large,
)
"""Each raises AssertionError where it does not hold."""
