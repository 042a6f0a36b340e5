"""What a program that computes a network in floats may make of a point: how far its scores are from the exact ones.

Layer by layer, the a priori bound of a sum of n products in any order: |error| <= n u sum |w| |v|, where u is the unit
roundoff (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from operator import mul

from verifier.model.network import Dense, Network, Relu

UNIT, LEAST = 2.0**-24, 2.0**-149
"""Of float32: unit roundoff, and the least positive number."""
SPARE = 1.001
"""For what is rounded here, and for terms of the second order."""
OPERATIONS, LARGE = 1000, 1e30
"""The bound is for sums of not more products, and of not larger numbers."""


def errors(network: Network, values: Sequence[Sequence[Fraction]]) -> list[float] | None:
    """How far each score can be, in float32 or better, where these are all exact values (`Network.values`); None where
    nothing is said."""
    try:
        exact = [[abs(float(v)) for v in value] for value in values]
    except OverflowError:
        return None
    off = [[UNIT * x + LEAST for x in exact[0]]]
    for step in network.steps:
        match step:
            case Relu(source):
                off.append(off[source])
            case Dense((source,), (weights,), bias, None) if len(exact[source]) + 2 <= OPERATIONS:
                count = len(exact[source]) + 2  # products, the offset, and one more: products may be rounded first
                sizes = [x + e for x, e in zip(exact[source], off[source], strict=True)]
                rows = [[abs(w) for w in row] for row in weights]
                rounded = [sum(map(mul, row, sizes)) + abs(b) for row, b in zip(rows, bias, strict=True)]
                passed = [sum(map(mul, row, off[source])) for row in rows]
                off.append([SPARE * (p + count * (UNIT * r + LEAST)) for p, r in zip(passed, rounded, strict=True)])
            case _:
                return None
    sizes = [x + e for value, error in zip(exact, off, strict=True) for x, e in zip(value, error, strict=True)]
    return off[-1] if all(size <= LARGE for size in sizes) else None


def settled(network: Network, points: Sequence[tuple[Fraction, ...]]) -> bool:
    """Whether such a program has the class of exact arithmetic at all points."""
    return all(_settled(network, network.values(point)) for point in points)


def _settled(network: Network, values: Sequence[tuple[Fraction, ...]]) -> bool:
    if (off := errors(network, values)) is None:
        return False
    scores = values[-1]
    if network.rule == "positive":
        return abs(scores[0]) > off[0]
    best = network.decide(scores)
    others = (i for i in range(len(scores)) if i != best)
    return all(float(scores[best] - scores[i]) > SPARE * (off[best] + off[i]) for i in others)
