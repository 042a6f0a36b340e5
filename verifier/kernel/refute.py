"""That no point of a box makes all facts of a circuit true: a tree of cuts, every branch closed by a sum of rows.

The steps stand in the order in which a reader meets them: after a cut all of the branch below it, then that above.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from verifier.kernel.descent import question
from verifier.kernel.problem import GRAIN, Bound, Descent, Empty, Farkas, Hole, Rejected, Split, Tree, Zonotope
from verifier.kernel.ranges import Ranges, Scaled, chord, cut, interval, keep, root, settle
from verifier.kernel.shape import step_formed, well_defined
from verifier.kernel.zonotope import Plan, sharpen

MOST_OPEN = 10_000
"""Branches that may wait while the ones below them are closed; each takes memory, and a reasonable tree has few."""


@dataclass
class Ground:
    """What branches are branches of."""

    scaled: Scaled
    facts: tuple[int, ...]
    plan: Plan | None = None


def refute(problem: Empty, tree: Tree) -> set[str]:
    """Accept the tree as a proof of `problem`, and return the names of its holes; or raise `Rejected`."""
    well_defined(problem, tree)
    ground = Ground(Scaled((*problem.circuit, *tree.definitions), problem.box, tree.gaps, tree.twins), problem.facts)
    trusts: set[str] = set()
    open_ = [(ground, root(ground.scaled, problem.facts))]
    for step in tree.steps:
        if not open_:
            raise Rejected("steps go on after the last branch is closed")
        here, ranges = open_.pop()
        scaled = here.scaled
        step_formed(step, len(scaled.circuit), len(scaled.gaps))
        match step:
            case Split(node, value):
                if len(open_) >= MOST_OPEN:
                    raise Rejected(f"more than {MOST_OPEN} branches are open")
                below, above = ranges, ranges.copy()
                cut(scaled, below, node, value, above=False)
                cut(scaled, above, node, value, above=True)
                open_ += [(here, above), (here, below)]
            case Bound(node, value, above, end):
                bound(scaled, ranges, node, value, above, end)
                open_.append((here, ranges))
            case Zonotope():
                here.plan = here.plan or Plan(scaled, here.facts)
                sharpen(here.plan, ranges)
                open_.append((here, ranges))
            case Descent():
                asked = question(scaled, ranges, step)
                there = Ground(Scaled(asked.circuit, asked.box), asked.facts)
                open_.append((there, root(there.scaled, there.facts)))
            case Farkas():
                close(scaled, ranges, step)
            case Hole(name):
                trusts.add(name)
            case _:
                assert_never(step)
    if open_:
        raise Rejected(f"{len(open_)} branches stay open")
    return trusts


def bound(scaled: Scaled, ranges: Ranges, node: int, value: Fraction, above: bool, end: Farkas) -> None:
    """Keep one side of a cut, after the other one is closed; what that says of later nodes is not looked at."""
    seen = [row.place if row.kind in ("low", "high") else scaled.gaps[row.place][1] for row in end.rows]
    settle(scaled, ranges, 1 + max(node, *seen))
    before = ranges.at(node)
    keep(scaled, ranges, node, value, not above)  # for the time being, so nodes below must not hear of it
    try:
        close(scaled, ranges, end, node + 1)
    finally:
        ranges.put(node, before)
    cut(scaled, ranges, node, value, above)


def close(scaled: Scaled, ranges: Ranges, step: Farkas, reach: int | None = None) -> None:
    """The sum of the rows is negative wherever the box lets it be; or never positive, with a strict row in it. With
    `reach`, what earlier steps say of the nodes from there on is not looked at."""
    settle(scaled, ranges, reach)
    weight = [0] * len(scaled.circuit)
    constant, strict = 0, False
    depth = GRAIN * (1 + scaled.depth)  # every relu and gap on the way down takes off GRAIN bits
    for row in step.rows:
        if row.kind == "low" or row.kind == "high":
            side = 1 if row.kind == "low" else -1
            bound = ranges.low[row.place] if side > 0 else ranges.high[row.place]
            if bound is None:
                raise Rejected(f"node {row.place} has no bound on this side")
            factor = side * (row.times << depth) * (scaled.whole // scaled.unit[row.place])
            weight[row.place] += factor
            constant -= factor * bound
            strict = strict or (side < 0 and ranges.strict[row.place])
        else:
            rise, run = scaled.gaps[row.place]
            side = 1 if row.kind == "rise" else -1
            low, high = ranges.low[run], ranges.high[run]
            slope, shift = chord(low, high) if side > 0 else chord(_minus(high), _minus(low))
            weight[rise] -= side * (row.times << depth) * (scaled.whole // scaled.unit[rise])
            factor = (row.times << (depth - GRAIN)) * (scaled.whole // scaled.unit[run])
            weight[run] += side * factor * slope
            constant += factor * shift
    slopes = {n: shares for n, *shares in step.slopes}
    for n in scaled.order:
        if weight[n] and n in scaled.twins:
            constant += told(scaled, ranges, n, weight)
        k = weight[n]
        if not k:
            continue
        if n in scaled.affine:
            terms, shift = scaled.affine[n]
            constant += k * shift
            for j, a in terms:
                weight[j] += k * a
        elif n in scaled.select:
            test, then, p, otherwise, q = scaled.select[n]
            taken, shares = ranges.outcome(test), slopes.get(n, ())
            if taken is not None:
                weight[then if taken else otherwise] += k * (p if taken else q)
            elif n not in scaled.relus:
                constant += lines(scaled, ranges, n, weight, *shares) if len(shares) == 2 else k * _end(ranges, n, k)
            elif k > 0:  # a relu has the unit of its test
                slope, shift = chord(ranges.low[test], ranges.high[test])
                weight[test] += (k >> GRAIN) * slope
                constant += (k >> GRAIN) * shift
            else:
                (slope,) = shares if len(shares) == 1 else (steeper(ranges, test),)
                weight[test] += (k >> GRAIN) * slope
        else:
            constant += k * _end(ranges, n, k)
    if constant > 0 or (constant == 0 and not strict):
        raise Rejected("the sum of the inequalities of a branch is not negative")


def told(scaled: Scaled, ranges: Ranges, second: int, weight: list[int]) -> int:
    """A node is told by its twin: an input is that and the difference. Of two open relus, what they have of opposite
    weights goes over to the difference, which lies between 0 and that of the tests. What that adds to the constant.
    Nothing is told where nothing is known of the difference."""
    first, difference = scaled.twins[second]
    low, high = ranges.low[difference], ranges.high[difference]
    side = 1 if weight[second] > 0 else -1
    if second not in scaled.relus:
        k, end = weight[second], high if side > 0 else low
        if end is None:
            return 0
        weight[second] = 0
        weight[first] += k
        return k * end
    common = min(side * weight[second], -side * weight[first])
    test, other = scaled.select[second][0], scaled.select[first][0]
    if common <= 0 or (low is None and high is None):
        return 0
    if ranges.outcome(test) is not None or ranges.outcome(other) is not None:
        return 0
    weight[second] -= side * common
    weight[first] += side * common
    slope, shift = chord(low, high) if side > 0 else chord(_minus(high), _minus(low))
    weight[test] += side * (common >> GRAIN) * slope
    weight[other] -= side * (common >> GRAIN) * slope
    return (common >> GRAIN) * shift


def lines(scaled: Scaled, ranges: Ranges, n: int, weight: list[int], first: int, second: int) -> int:
    """A choice that is not decided, y = A where t >= 0, else B, goes over to A, B and t, whose range is [l, h]. With
    the difference A - B between d <= 0 <= e, y is at most

        B + e (1 - t / l),   A - d (1 - t / h),   and on the chord between them, where only d and e are known,

    so much of which are `first` and `second` of 2^24, and the rest; so is -y, with -A and -B, where the weight is
    negative. An end of t that is not known, or 0, is taken for infinite. What that adds to the constant. All stays a
    multiple of what relus below will take off."""
    test, then, p, otherwise, q = scaled.select[n]
    grain = GRAIN * scaled.level[n]
    side = 1 if weight[n] > 0 else -1
    whole = side * weight[n] >> grain
    above, beyond = whole * first >> GRAIN, whole * second >> GRAIN
    rest = whole - above - beyond
    d, e = interval((((then, side * p), (otherwise, -side * q)), 0), ranges.low, ranges.high)
    d, e = None if d is None else min(d, 0), None if e is None else max(e, 0)
    low, high = ranges.low[test], ranges.high[test]
    along, constant, slope = 0, 0, rest  # of t; of A in the chord
    if above:
        if e is None:
            raise Rejected(f"choice {n} has no first line")
        constant += above * e
        if low:
            along += above * e // -low
    if beyond:
        if d is None:
            raise Rejected(f"choice {n} has no second line")
        constant -= beyond * d
        if high:
            along -= beyond * -d // high
    if rest:
        if e is None:
            if d is None:
                raise Rejected(f"choice {n} has no chord")
            constant -= rest * d
        else:
            slope = rest * e // (e - d) if d else rest * (d is not None)
            constant += (rest - slope) * e
    weight[then] += side * (beyond + slope) * p << grain
    weight[otherwise] += side * (above + rest - slope) * q << grain
    weight[test] += along << grain
    return constant << grain


def steeper(ranges: Ranges, test: int) -> int:
    """The lower bound of a relu that loses the least area: 1 where more of the range is positive, else 0."""
    low, high = ranges.low[test], ranges.high[test]
    return (1 << GRAIN) * (low is not None and (high is None or high > -low))


def _end(ranges: Ranges, n: int, weight: int) -> int:
    """Where weight * X[n] is largest."""
    bound = ranges.high[n] if weight > 0 else ranges.low[n]
    if bound is None:
        raise Rejected(f"node {n} is unbounded on the side that the sum needs")
    return bound


def _minus(bound: int | None) -> int | None:
    return None if bound is None else -bound
