"""What the forms of `zonotope` promise, for the checker as it is and for changed ones."""

from __future__ import annotations

from fractions import Fraction as Q
from random import Random
from types import SimpleNamespace
from typing import Any

from verifier.kernel.circuit import Affine, Circuit, Input, Node, Select, evaluate
from verifier.kernel.problem import GRAIN, Side

Point = tuple[Q, ...]


def net(rng: Random, widths: list[int], spread: int) -> Circuit:
    """Layers of relus, with weights of sizes from 2^-spread to 2^spread."""

    def weight() -> Q:
        return Q(rng.randint(-99, 99), 100) * Q(2) ** rng.randint(-spread, spread)

    made: list[Node] = [*(Input(i) for i in range(widths[0])), Affine((), Q(0))]
    zero, layer = widths[0], list(range(widths[0]))
    for width in widths[1:]:
        after = []
        for _ in range(width):
            made.append(Affine(tuple((j, weight()) for j in layer), weight()))
            made.append(Select(len(made) - 1, len(made) - 1, zero))
            after.append(len(made) - 1)
        layer = after
    return tuple(made)


def twice(circuit: Circuit, inputs: int) -> tuple[Circuit, list[tuple[int, int, int]]]:
    """Two copies of a network, the differences of their inputs and tests, and the twins."""
    count = len(circuit)
    second: list[Node] = []
    for node in circuit:
        match node:
            case Input(index):
                second.append(Input(index + inputs))
            case Affine(terms, constant):
                second.append(Affine(tuple((j + count, w) for j, w in terms), constant))
            case Select(test, then, otherwise):
                second.append(Select(test + count, then + count, otherwise + count))
    made: list[Node] = [*circuit, *second]
    twins = []
    for n, node in enumerate(circuit):
        if isinstance(node, Input | Select):
            of = node.test if isinstance(node, Select) else n
            twins.append((n, n + count, len(made)))
            made.append(Affine(((of + count, Q(1)), (of, Q(-1))), Q(0)))
    return tuple(made), twins


def branch(kernel: SimpleNamespace, rng: Random, scaled: Any, point: Point) -> Any:
    """Ranges of a box around the point."""
    here = kernel.ranges.root(scaled, ())
    kernel.ranges.settle(scaled, here)
    for n, node in enumerate(scaled.circuit):
        if isinstance(node, Input):
            x, width = point[node.index], rng.choice((Q(0), Q(1, 1000), Q(1, 10), Q(1)))
            kernel.ranges.cut(scaled, here, n, x - width, True)
            kernel.ranges.cut(scaled, here, n, x + width + Q(1, 2**20), False)
    return here


def digits(kernel: SimpleNamespace, number: int) -> list[int]:
    """The signed digits of a form, the constant first."""
    lane = kernel.zonotope.LANE
    half, found = 1 << lane - 1, []
    while number:
        found.append((number + half & (1 << lane) - 1) - half)
        number = number - found[-1] >> lane
    return found


def parts(kernel: SimpleNamespace, form: Any) -> tuple[list[int], int, int, int]:
    """Digits (at least two), error, radius, size."""
    lane = kernel.zonotope.LANE
    own = digits(kernel, form.number)
    last = (1 << lane) - 1
    return own + [0] * (2 - len(own)), form.loss & last, form.loss >> lane & last, form.loss >> 2 * lane


def contained(kernel: SimpleNamespace, seed: int, spread: int, twins: bool = False) -> None:
    """At a point of a branch: all values lie in their ranges, and differ from their forms, with the symbols that the
    point stands for, by the errors at most. What a form loses by rounding is covered by its error, term by term, and
    that is not much more. `twins`: two copies of a network, at two points near each other."""
    rng = Random(seed)
    widths = [rng.randint(1, 3), *(rng.randint(1, 6) for _ in range(rng.randint(1, 4)))]
    circuit, pairs = net(rng, widths, spread), []
    point = tuple(Q(rng.randint(-99, 99), 100) for _ in range(widths[0]))
    if twins:
        circuit, pairs = twice(circuit, widths[0])
        point += tuple(x + Q(rng.randint(-9, 9), rng.choice((100, 1000))) for x in point)
    box = (Side(Q(-2), Q(2)),) * len(point)
    scaled = kernel.ranges.Scaled(circuit, box, (), pairs)
    plan = kernel.zonotope.Plan(scaled, ())
    values = evaluate(circuit, point)
    ranges = branch(kernel, rng, scaled, point)
    for _, second, by in pairs:
        if isinstance(circuit[second], Input):
            kernel.ranges.cut(scaled, ranges, by, values[by] - Q(rng.randint(0, 9), 1000), True)
            kernel.ranges.cut(scaled, ranges, by, values[by] + Q(rng.randint(1, 9), 1000), False)
    forms, symbols = kernel.zonotope.Forms(plan, ranges), [Q(1), Q(0)]
    grain = [Q(2) ** g for g in plan.grain]

    def holds(n: int, count: int) -> None:
        """Of a node that `count` symbols were there before."""
        low, high, _ = ranges.at(n)
        exact = values[n] * scaled.unit[n]
        assert (low is None or low <= exact) and (high is None or exact <= high)
        form = forms.forms[n]
        if form is None:
            assert forms.digits == count
            return
        own, error, radius, size = parts(kernel, form)
        assert (
            forms.ones == sum(1 << kernel.zonotope.LANE * i for i in range(forms.digits)) and len(own) <= forms.digits
        )
        rest = exact / grain[n] - sum((d * s for d, s in zip(own, symbols, strict=False)), Q(0))
        if forms.digits > count:  # what the new symbol stands for
            last = own[count] if len(own) > count else 0
            symbols.append(max(Q(-1), min(Q(1), rest / last)) if last else Q(0))
            rest -= symbols[-1] * last
        assert abs(rest) <= error and abs(exact / grain[n] - own[1]) <= radius
        most = sum(map(abs, own)) + error + radius
        assert most <= size < 1 << kernel.zonotope.LANE - 1 and abs(exact / grain[n]) <= size

    for n in plan.order:
        count = forms.digits
        forms.add(n)
        first, by = scaled.twins.get(n, (None, None))
        told = first is not None and forms.forms[by] is not None
        if told and n in scaled.relus:
            assert forms.digits == count + 1
            forms.digits, ones, forms.ones = count, forms.ones, forms.ones >> kernel.zonotope.LANE
            holds(by, count)
            forms.digits, forms.ones = count + 1, ones
        holds(n, count)
        if forms.forms[n] is None:
            continue
        if n in scaled.affine and forms.digits == count:
            lost(kernel, scaled, plan, forms, n)
        elif told and n in scaled.relus:
            shared(kernel, scaled, plan, forms, n)
        elif n in scaled.relus and forms.digits > count:
            chord(kernel, scaled, plan, forms, n)


def shared(kernel: SimpleNamespace, scaled: Any, plan: Any, forms: Any, n: int) -> None:
    """A relu that is told by its twin: that and half of the difference of the tests, give or take half of its size."""
    first, run = scaled.twins[n]
    own, error, radius, _ = parts(kernel, forms.forms[n])
    low, high = (Q(b) / Q(2) ** plan.grain[n] for b in forms.ranges.at(run)[:2])
    half = max(-low, high) / 2
    assert half <= own[forms.digits - 1] <= half + 2
    units = [Q(2) ** (plan.grain[j] - plan.grain[n]) / (1 + (j == run)) for j in (first, run)]
    terms = [parts(kernel, forms.forms[j]) for j in (first, run)]
    lost = Q(0)
    for i in range(forms.digits - 1):
        exact = sum((w * (term[i] if i < len(term) else 0) for (term, *_), w in zip(terms, units, strict=True)), Q(0))
        lost += abs(own[i] - exact) if i != 1 and i < len(own) else 0
    errors = sum((w * e for (_, e, *_), w in zip(terms, units, strict=True)), Q(0))
    assert lost + errors <= error
    assert error <= errors + 2 * sum(size for *_, size in terms) / Q(2) ** plan.sums[n].shift + forms.digits + 4
    top = Q(forms.ranges.at(scaled.select[n][0])[1]) / Q(2) ** plan.grain[n]
    assert own[1] - radius <= 0 and top <= own[1] + radius <= top + 8


def lost(kernel: SimpleNamespace, scaled: Any, plan: Any, forms: Any, n: int) -> None:
    """The exact sum of the forms of the terms differs from the form of node n by its error at most, whatever symbols
    and errors are."""
    terms, constant = scaled.affine[n]
    own, error, radius, _ = parts(kernel, forms.forms[n])
    unit = Q(2) ** plan.grain[n]
    exact = [Q(0)] * forms.digits
    exact[0] = constant / unit
    errors = sizes = Q(0)
    middle, wide = constant / unit, Q(0)
    for j, a in terms:
        weight = a * Q(2) ** plan.grain[j] / unit
        term, e, r, s = parts(kernel, forms.forms[j])
        for i, d in enumerate(term):
            exact[i] += weight * d if i != 1 else 0
        middle += weight * term[1]
        errors += abs(weight) * e
        wide += abs(weight) * r
        sizes += s
    rounded = sum((abs(a - b) for i, (a, b) in enumerate(zip(exact, [*own, *[0] * 999], strict=False)) if i != 1), Q(0))
    assert rounded + errors <= error
    shift = Q(2) ** plan.sums[n].shift
    assert error <= errors + 2 * sizes / shift + forms.digits + 4
    if n not in plan.measured:
        assert abs(middle - own[1]) + wide <= radius <= wide + 2 * sizes / shift + 6


def chord(kernel: SimpleNamespace, scaled: Any, plan: Any, forms: Any, n: int) -> None:
    """An open relu lies between the two lines that its form stands for, at both ends of the range of its test and at 0,
    and these are not further apart than the chord and its parallel."""
    test, *_ = scaled.select[n]
    own, error, radius, _ = parts(kernel, forms.forms[n])
    below, test_error, _, _ = parts(kernel, forms.forms[test])
    low, high = (Q(b) / Q(2) ** plan.grain[n] for b in forms.ranges.at(test)[:2])
    slope = Q(high, high - low)
    half = own[-1]
    times, shift = kernel.ranges.chord(*forms.ranges.at(test)[:2])
    exact_half = shift / Q(2) ** (plan.grain[test] + GRAIN + 1)
    assert exact_half <= half <= exact_half + 1
    for v in (low, Q(0), high):
        line = Q(times, 1 << GRAIN) * v + half
        assert line - half <= max(v, 0) <= line + half
    for i, d in enumerate(below):
        if i != 1:
            assert abs(own[i] - (half if i == 0 else 0) - slope * d) <= 1 + abs(d) / Q(1 << GRAIN - 1)
    assert slope * test_error - test_error / Q(1 << GRAIN - 1) <= error <= slope * test_error + forms.digits + 4
    assert own[1] - radius <= 0 and high <= own[1] + radius <= high + 8


def ranges(kernel: SimpleNamespace, widths: list[int]) -> None:
    """Those of affine arithmetic, and of interval arithmetic over its ranges, whichever is narrower, up to rounding."""
    open_ = decided = 0
    for seed in range(6):
        rng = Random(seed)
        circuit, box = net(rng, widths, 1), (Side(Q(-1), Q(1)),) * widths[0]
        scaled = kernel.ranges.Scaled(circuit, box)
        here = branch(kernel, rng, scaled, tuple(Q(rng.randint(-99, 99), 100) for _ in box))
        before = [exact(scaled, here, n) for n in range(len(circuit))]
        tests = [n for n, node in enumerate(circuit) if isinstance(node, Affine) and here.outcome(n) is not False]
        kernel.zonotope.sharpen(kernel.zonotope.Plan(scaled, ()), here)
        assert not any(here.dirty) and len(here.dirty) == len(circuit)
        known = reference(circuit, before)
        for n in tests:
            (low, high), (below, above) = known[n], exact(scaled, here, n)
            slack = (1 + high - low) / 2**21
            assert abs(below - low) <= slack and abs(above - high) <= slack  # slopes are rounded
            open_ += low < 0 < high
            decided += low > 0 or high < 0
    assert open_ >= 5 and decided >= 5


def exact(scaled: Any, here: Any, n: int) -> tuple[Q, Q]:
    low, high, _ = here.at(n)
    return Q(low, scaled.unit[n]), Q(high, scaled.unit[n])


def reference(circuit: Circuit, known: list[tuple[Q, Q]]) -> list[tuple[Q, Q]]:
    """The ranges of all nodes, exactly. The symbol of node n is number n + 1 of a form."""
    forms: list[list[Q]] = []
    for n, node in enumerate(circuit):
        low, high = known[n]
        form = [Q(0)] * (len(circuit) + 1)
        match node:
            case Input():
                form[0], form[n + 1] = (low + high) / 2, (high - low) / 2
            case Affine(terms, constant):
                form[0] = constant
                for j, w in terms:
                    form = [a + w * b for a, b in zip(form, forms[j], strict=True)]
                ends = [sorted((w * known[j][0], w * known[j][1])) for j, w in terms]
                reach = sum(map(abs, form[1:]), Q(0))
                low = max(low, form[0] - reach, constant + sum((a for a, _ in ends), Q(0)))
                high = min(high, form[0] + reach, constant + sum((b for _, b in ends), Q(0)))
            case Select(test):
                low, high = known[test]
                slope = high / (high - low) if low < 0 < high else Q(low >= 0)
                form = [slope * a for a in forms[test]]
                form[n + 1] = -slope * low / 2 if low < 0 < high else Q(0)
                form[0] += form[n + 1]
                low, high = max(low, Q(0)), max(high, Q(0))
        forms.append(form)
        known[n] = low, high
    return known


def large(kernel: SimpleNamespace) -> None:
    """Sums that are far larger than the range of their node, as a fact bounds it, and relus of them: what does not fit
    is given up, and no digit overflows."""
    given = 0
    circuit: Circuit = (
        *(Input(i) for i in range(4)),
        Affine(tuple((i, Q(1)) for i in range(4)), Q(0)),
        Affine((), Q(0)),
        Select(4, 4, 5),
        Affine(((6, Q(1)), (0, Q(-1))), Q(0)),
    )
    for exponent in range(8, 120, 2):
        side = Side(-(Q(2) ** exponent), Q(2) ** exponent)
        scaled = kernel.ranges.Scaled(circuit, (side,) * 4)
        plan, here = kernel.zonotope.Plan(scaled, ()), kernel.ranges.root(scaled, ())
        for n in (4, 6):
            plan.grain[n] = scaled.unit[n].bit_length() - kernel.zonotope.DIGIT
        for n in (4, 7):  # the weights for these grains
            terms, _ = scaled.affine[n]
            weights = tuple(a * 2 ** (plan.grain[j] - plan.grain[n]) for j, a in terms)
            whole = tuple(int(w) for w in weights)
            plan.sums[n] = kernel.zonotope.Sum(plan.sums[n].group, whole, tuple(map(abs, whole)), 0, 0)
        forms = kernel.zonotope.Forms(plan, here)
        for n in range(len(circuit)):
            forms.add(n)
            form = forms.forms[n]
            given += form is None
            if form is not None:
                own, error, radius, size = parts(kernel, form)
                assert sum(map(abs, own)) + error + radius <= size < 1 << kernel.zonotope.LANE - 1
                ends = [sign * sum(map(abs, own[2:])) for sign in (-1, 1)]
                for x in (side.low, side.high):
                    assert x is not None
                    value = evaluate(circuit, (x,) * 4)[n] * scaled.unit[n] / Q(2) ** plan.grain[n]
                    assert own[0] + ends[0] - error <= value <= own[0] + ends[1] + error
    assert given
