"""A sum of relus that falls from one point to another falls on the way, no less steeply, towards some corner of a box.
That makes a question about two points one about a point and a corner (theory, "Descents").
"""

from __future__ import annotations

from fractions import Fraction

from verifier.kernel.circuit import Affine, Input, Node, Select
from verifier.kernel.problem import Descent, Empty, Rejected, Side
from verifier.kernel.ranges import Ranges, Scaled, settle

ZERO, ONE = Fraction(0), Fraction(1)
Sum = tuple[tuple[tuple[int, Fraction], ...], Fraction]
"""Weights of inputs and choices, in order, and a constant."""
Interval = tuple[Fraction, Fraction]


def question(scaled: Scaled, ranges: Ranges, step: Descent) -> Empty:
    """What has a solution if the branch has one. If G(x) >= a and G(x') <= b < a there, then b <= G(z) <= a for some z
    between x and x', and G'(z; v) <= b - a for some corner v of the box that x' - x lies in."""
    settle(scaled, ranges)
    found, relus, inputs = sums(scaled)
    moved = {inputs[i]: inputs[j] for i, j in step.pairs if i in inputs and j in inputs}
    needed, there = made_of(scaled, found, step.first), dict[int, int]()
    for n in needed:
        if n not in scaled.select:
            there[n] = moved.get(n, n)
        else:
            if n not in scaled.relus:
                raise Rejected(f"node {n} is not a relu: how it changes is not known")
            test = found[scaled.select[n][0]]
            if image(test, there) not in relus:
                raise Rejected(f"node {n} is not there at the second point")
            there[n] = relus[image(test, there)]
    terms, constant = total([(found[step.second], ONE), (image(found[step.first], there), ONE)])
    low, least = (at(scaled, n, ranges.low[n]) for n in (step.first, step.second))
    if terms or low is None or least is None or low + least <= constant:
        raise Rejected(f"that node {step.first} falls is not known")
    return steep(scaled, ranges, found, needed, there, found[step.first], (constant - least, low))


def steep(
    scaled: Scaled,
    ranges: Ranges,
    found: list[Sum],
    needed: list[int],
    there: dict[int, int],
    falls: Sum,
    ends: Interval,
) -> Empty:
    """The sum `falls`, for which nodes are `needed` in this order, lies between the `ends`; and is as steep as they are
    apart."""
    nodes: list[Node] = []
    box: list[Side] = []
    place: dict[int, int] = {}
    change: dict[int, int] = {}

    def put(node: Node) -> int:
        nodes.append(node)
        return len(nodes) - 1

    def side(low: Fraction, high: Fraction, whole: bool = False) -> int:
        box.append(Side(low, high, whole))
        return put(Input(len(box) - 1))

    def over(form: Sum, names: dict[int, int], constant: Fraction) -> int:
        return put(Affine(tuple((names[n], w) for n, w in form[0] if n in names), constant))

    zero = put(Affine((), ZERO))
    inputs, relus = ([n for n in needed if (n in scaled.select) is kind] for kind in (False, True))
    for n in inputs:
        first, second = (known(scaled, ranges, m) for m in (n, there[n]))
        place[n] = side(min(first[0], second[0]), max(first[1], second[1]))
    for n in inputs:
        if n != there[n]:
            low, high = apart(scaled, ranges, found, n, there[n])
            change[n] = put(Affine(((side(ZERO, ONE, True), high - low),), low))
    for n in relus:
        form = found[scaled.select[n][0]]
        test = over(form, place, form[1])
        place[n] = put(Select(test, test, zero))
        change[n] = put(Select(test, over(form, change, ZERO), zero))
    value, slope, (low, high) = over(falls, place, falls[1]), over(falls, change, ZERO), ends
    facts = Affine(((value, -ONE),), high), Affine(((value, ONE),), -low), Affine(((slope, -ONE),), low - high)
    return Empty(tuple(nodes) + facts, tuple(box), tuple(range(len(nodes), len(nodes) + 3)))


def sums(scaled: Scaled) -> tuple[list[Sum], dict[Sum, int], dict[int, int]]:
    """Each node as a sum of inputs and choices, of equal ones the first; relus by what they are the relus of; inputs by
    their numbers."""
    found: list[Sum] = []
    relus: dict[Sum, int] = {}
    inputs: dict[int, int] = {}
    for n, node in enumerate(scaled.circuit):
        match node:
            case Input(index):
                found.append((((inputs.setdefault(index, n), ONE),), ZERO))
            case Affine(terms, constant):
                found.append(total([(found[j], w) for j, w in terms], constant))
            case Select(test):
                found.append((((relus.setdefault(found[test], n) if n in scaled.relus else n, ONE),), ZERO))
    return found, relus, inputs


def total(parts: list[tuple[Sum, Fraction]], constant: Fraction = ZERO) -> Sum:
    weights: dict[int, Fraction] = {}
    for (terms, shift), times in parts:
        constant += times * shift
        for n, w in terms:
            weights[n] = weights.get(n, ZERO) + times * w
    return tuple(sorted((n, w) for n, w in weights.items() if w)), constant


def image(form: Sum, there: dict[int, int]) -> Sum:
    """The same of the second point."""
    return total([((((there[n], w),), ZERO), ONE) for n, w in form[0]], form[1])


def made_of(scaled: Scaled, found: list[Sum], node: int) -> list[int]:
    """The inputs and choices that a node is made of, in order."""
    seen: set[int] = set()
    todo = [n for n, _ in found[node][0]]
    while todo:
        n = todo.pop()
        if n not in seen:
            seen.add(n)
            if n in scaled.relus:
                todo += [j for j, _ in found[scaled.select[n][0]][0]]
    return sorted(seen)


def at(scaled: Scaled, n: int, bound: int | None) -> Fraction | None:
    return None if bound is None else Fraction(bound, scaled.unit[n])


def known(scaled: Scaled, ranges: Ranges, n: int) -> Interval:
    low, high = at(scaled, n, ranges.low[n]), at(scaled, n, ranges.high[n])
    if low is None or high is None:
        raise Rejected(f"node {n} has no bounds")
    return low, high


def apart(scaled: Scaled, ranges: Ranges, found: list[Sum], first: int, second: int) -> Interval:
    """The second input minus the first: by their ranges, and by those of its multiples, with a constant."""
    (a, b), (c, d) = known(scaled, ranges, first), known(scaled, ranges, second)
    low, high = c - b, d - a
    for n, (terms, constant) in enumerate(found):
        weights = dict(terms)
        times = weights.get(second, ZERO)
        if times and weights == {first: -times, second: times}:
            for bound, below in ((ranges.low[n], times > 0), (ranges.high[n], times < 0)):
                if bound is not None:
                    end = (Fraction(bound, scaled.unit[n]) - constant) / times
                    low, high = (max(low, end), high) if below else (low, min(high, end))
    return low, high
