"""What `descent` promises, for the checker as it is and for changed ones: where two points solve a question about them,
a point between them and a corner solve the one that is made of it."""

from __future__ import annotations

from fractions import Fraction as Q
from itertools import pairwise, product
from random import Random
from types import SimpleNamespace

from tests.kernel import forms
from verifier.kernel.circuit import Affine, Circuit, Input, Node, Select, evaluate
from verifier.kernel.problem import Descent, Empty, Side

Point = tuple[Q, ...]


def fallen(kernel: SimpleNamespace, seed: int) -> bool:
    """On a branch around two random points; whether the node falls from one to the other there."""
    rng = Random(seed)
    circuit, first, second, pairs = two(rng)
    inputs = len({node.index for node in circuit if isinstance(node, Input)})
    x = {i: Q(rng.randint(-90, 90), 100) for i in range(inputs)}
    x |= {j: x[i] + Q(rng.randint(-30, 30), 100) for i, j in pairs}
    point = tuple(x[i] for i in range(inputs))
    drop = evaluate(circuit, point)[first] - evaluate(circuit, moved(point, pairs))[first]
    if drop < 0:
        point = tuple(x[dict([*pairs, *((j, i) for i, j in pairs)]).get(i, i)] for i in range(inputs))
    scaled = kernel.ranges.Scaled(circuit, (Side(Q(-2), Q(2)),) * inputs)
    values, ranges = evaluate(circuit, point), kernel.ranges.root(scaled, ())
    for n, node in enumerate(circuit):
        affine = isinstance(node, Affine) and all(isinstance(circuit[j], Input) for j, _ in node.terms)
        for above in (False, True):
            if n in (first, second) or ((affine or isinstance(node, Input)) and rng.random() < 0.6):
                width = abs(drop) * Q(rng.randint(0, 6), 10) if n in (first, second) else Q(rng.randint(0, 20), 50)
                kernel.ranges.cut(scaled, ranges, n, values[n] + (-width if above else width + Q(1, 999)), above)
    try:
        asked = kernel.descent.question(scaled, ranges, Descent(first, second, pairs))
    except kernel.descent.Rejected:
        a, b = (Q(ranges.low[n], scaled.unit[n]) for n in (first, second))
        assert a + b <= values[second] + evaluate(circuit, moved(point, pairs))[first]
        return False
    above, below = (asked.circuit[f].constant for f in asked.facts[:2])  # type: ignore[union-attr]
    made_of = cone(circuit, first)
    order = [
        n for n in made_of if isinstance(circuit[n], Input) and not any(circuit[n] == circuit[m] for m in range(n))
    ]
    places = [node.index for n in order if isinstance(node := circuit[n], Input)]
    assert any(
        solved(asked, [z[i] for i in places]) for z in way(circuit, point, pairs, [(first, above), (first, -below)])
    )
    assert len(asked.box) == len(places) + sum(i in dict(pairs) for i in places)
    return True


def cone(circuit: Circuit, node: int) -> list[int]:
    """What a node is made of, and itself."""
    seen, todo = set[int](), [node]
    while todo:
        n = todo.pop()
        seen.add(n)
        match circuit[n]:
            case Affine(terms):
                todo += [j for j, w in terms if w]
            case Select(test, then, otherwise):
                todo += (test, then, otherwise)
    return sorted(seen)


def two(rng: Random) -> tuple[Circuit, int, int, tuple[tuple[int, int], ...]]:
    """Two copies of a network, of which the last inputs may be one; its output, and minus that of the second copy."""
    wide, shared = rng.randint(1, 3), rng.randint(0, 1)
    net = forms.net(rng, [wide + shared, rng.randint(1, 3), *([rng.randint(1, 2)] * rng.randint(0, 1))], 1)
    pairs = tuple((i, wide + shared + i) for i in range(wide))
    there = dict(pairs)
    made: list[Node] = [*net]
    at = {n: n for n in range(len(net)) if isinstance(net[n], Input)}
    for n, node in enumerate(net):
        match node:
            case Input(index) if index not in there:
                continue
            case Input(index):
                made.append(Input(there[index]))
            case Affine(terms, constant):
                made.append(Affine(tuple((at[j], w) for j, w in terms), constant))
            case Select(test, then, otherwise):
                made.append(Select(at[test], at[then], at[otherwise]))
        at[n] = len(made) - 1
    for i, j in pairs:  # what is said of how far apart the points are
        nodes = [n for n, node in enumerate(made) if node in (Input(i), Input(j))]
        times, shift = Q(rng.choice((-6, -1, 1, 4)), 2), Q(rng.randint(-1, 1), 3)
        made.append(Affine(((nodes[0], times), (nodes[1], -times)), shift))
    relus = [n for n, node in enumerate(net) if isinstance(node, Select)]
    weights = [(n, Q(rng.choice((-2, -1, 1, 2)))) for n in relus[-2:]]
    made.append(Affine(tuple(weights), Q(rng.randint(-2, 2), 3)))
    made.append(Affine(tuple((at[n], -w) for n, w in weights), Q(rng.randint(-2, 2), 3)))
    return tuple(made), len(made) - 2, len(made) - 1, pairs


def moved(point: Point, pairs: tuple[tuple[int, int], ...], share: Q = Q(1)) -> Point:
    """The inputs of the first point, so much of the way to the second."""
    found = [*point]
    for i, j in pairs:
        found[i] += share * (point[j] - point[i])
    return tuple(found)


def way(circuit: Circuit, point: Point, pairs: tuple[tuple[int, int], ...], levels: list[tuple[int, Q]]) -> list[Point]:
    """A point in every piece of the way from the first point to the second; where a node has a certain value, a piece
    ends, too."""
    tests = [(node.test, Q(0)) for node in circuit if isinstance(node, Select)]
    ends = [Q(0), Q(1)]
    for node, level in (*tests, *levels):  # affine between the ends so far
        there = [evaluate(circuit, moved(point, pairs, share))[node] - level for share in ends]
        for (a, b), (u, v) in zip(pairwise(ends.copy()), pairwise(there), strict=True):
            if u * v < 0:
                ends.append(a + (b - a) * u / (u - v))
        ends.sort()
    return [moved(point, pairs, (a + b) / 2) for a, b in pairwise(ends)]


def solved(asked: Empty, z: list[Q]) -> bool:
    """Some corner, together with the point, solves the question."""
    kinds = [side.integer for side in asked.box]
    for corner in product((Q(0), Q(1)), repeat=sum(kinds)):
        numbers, bits = iter(z), iter(corner)
        vector = tuple(next(bits if whole else numbers) for whole in kinds)
        values = evaluate(asked.circuit, vector)
        inside = (s.low <= v <= s.high for s, v in zip(asked.box, vector, strict=True))  # type: ignore[operator]
        if all(inside) and all(values[f] >= 0 for f in asked.facts):
            return True
    return False
