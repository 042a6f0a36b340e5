"""Steps of a proof, tried on the kernel's own ranges before they are written."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, frexp, lcm

from verifier.kernel.problem import Bound, Farkas, Rejected, Row
from verifier.kernel.ranges import Ranges, Scaled
from verifier.kernel.refute import bound, close

WORTH = 0.05
"""A bound counts that takes off so much of the range, or decides a relu."""
TIGHT = 1e-7
"""A slack smaller than this decides nothing in floats."""
FINEST = 40
"""Bounds are whole in units of 2^-40, or coarser ones."""


def truth_row(n: int, known: bool) -> Row:
    """What is known of a truth: the node is >= 0, or it is < 0."""
    return Row("low" if known else "high", n, 1)


def closes(scaled: Scaled, ranges: Ranges, end: Farkas) -> bool:
    """The kernel accepts this end of a branch."""
    try:
        close(scaled, ranges, end)
    except Rejected:
        return False
    return True


def crossed(ranges: Ranges) -> Farkas | None:
    """The end of a branch on which some range is empty: the first such, which the kernel will see as well, though it
    brings ranges up to date less often."""
    for n, (low, high) in enumerate(zip(ranges.low, ranges.high, strict=True)):
        if low is not None and high is not None and (low > high or (low == high and ranges.strict[n])):
            return Farkas((Row("low", n, 1), Row("high", n, 1)))
    return None


def keeps(scaled: Scaled, ranges: Ranges, step: Bound) -> bool:
    """The kernel accepts this bound, and `ranges` now know of it."""
    try:
        bound(scaled, ranges, step.node, step.value, step.above, step.end)
    except Rejected:
        return False
    return True


def rounded_up(value: float, unit: int = 1 << FINEST) -> Fraction:
    """A little more than `value`, in few digits; where a node's unit is coarse, in such units, as the kernel has it."""
    exponent = 26 - frexp(value)[1] if value else 26
    grid = Fraction(2) ** min(exponent, FINEST)
    up = Fraction(-((-Fraction(value) * grid) // 1) + 2) / grid
    return up if unit >> FINEST else Fraction(ceil(up * unit), unit)


def short(end: Farkas) -> Farkas:
    """The same with multipliers in small whole ratios, for contradictions that have no slack."""
    most = max((row.times for row in end.rows), default=1)
    ratios = [Fraction(row.times, most).limit_denominator(720) for row in end.rows]
    scale = lcm(*(r.denominator for r in ratios))
    rows = tuple(Row(row.kind, row.place, int(r * scale)) for row, r in zip(end.rows, ratios, strict=True) if r)
    return Farkas(rows, end.slopes)
