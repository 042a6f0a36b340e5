"""Suprema and means of distances with roots where X has few points: every pair is looked at, exactly. Elsewhere they
are bisected, or enclosed between polyhedral norms; a handful of points needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import ceil, floor, prod
from typing import TYPE_CHECKING

from msgspec import Struct

from verifier.language.root import Root, root
from verifier.language.surd import Exact, Surd, surd
from verifier.model.program import Coordinate, PointValue, Value
from verifier.syntax import tree
from verifier.verdict import figure
from verifier.verdict.certify import Points
from verifier.verdict.figure import Line
from verifier.verdict.measures.supremum import POINTS
from verifier.verdict.verdict import Measurement, interval

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

MOST = 48
"""Points of X: some thousand pairs."""
BITS = 64
TRUSTS = ("enumeration",)


class Pair(Struct, frozen=True):
    """d1', d2', and the points."""

    far: Exact
    fine: Exact
    points: Points


def pairs(decider: Decider, far: tree.Expr, fine: tree.Expr) -> tuple[Pair, ...]:
    """All pairs of points of X, in one order; none where there are many."""
    replay = decider.replay
    ends = (dict(zip(POINTS, both, strict=True)) for both in combinations_with_replacement(points(decider), 2))
    return tuple(Pair(surd(replay.distance(far, p)), surd(replay.distance(fine, p)), p) for p in ends)


def points(decider: Decider, most: int | None = None) -> list[PointValue]:
    """All points of X; none where there are more than `most`."""
    domain, replay = decider.program.domain, decider.replay
    assert domain is not None
    if any(c.kind == "real" for c in domain.coordinates):
        return []
    if prod(map(count, domain.coordinates)) > (MOST if most is None else most):
        return []
    names = [c.name for c in domain.coordinates]
    all_ = [dict(zip(names, place, strict=True)) for place in product(*map(values, domain.coordinates))]
    return [point for point in all_ if replay.interpreter.inside(point)]


def sides(c: Coordinate) -> tuple[int, int]:
    assert c.low is not None and c.high is not None
    return ceil(c.low), floor(c.high)


def count(c: Coordinate) -> int:
    """Also those that an open interval leaves out."""
    if c.kind == "finite":
        return len(c.members)
    low, high = sides(c)
    return high - low + 1


def values(c: Coordinate) -> Sequence[Value]:
    if c.kind == "finite":
        return c.members
    low, high = sides(c)
    return [Fraction(n) for n in range(low, high + 1)]


def modulus(decider: Decider, names: tuple[str, str], pairs: tuple[Pair, ...], delta: Fraction) -> Measurement:
    """w(delta), and its limit: the largest d1' at oracle distance zero."""
    best = max((p for p in pairs if p.fine <= delta), key=lambda p: p.far)
    left = max(p.far for p in pairs if p.fine == 0)
    how = "not uniformly contained" if left else "uniformly contained"
    note = f"As delta tends to 0 it tends to {left}: {names[0]} is {how} in {names[1]}."
    return told(decider, names, best, best.far, Fraction(1), note)


def curve(pairs: tuple[Pair, ...]) -> figure.Curve:
    """w as a function: it jumps where a pair is farther apart than all that are nearer."""
    steps: list[tuple[Exact, Exact]] = []
    for p in sorted(pairs, key=lambda p: (p.fine, -p.far)):
        if not steps or p.far > steps[-1][1]:
            steps.append((p.fine, p.far))
    ends = [*(start for start, _ in steps[1:]), None]
    zipped = zip(steps, ends, strict=True)
    return figure.Curve(tuple(Line(u, end, (True, False), far, Fraction(0), True) for (u, far), end in zipped))


def constant(decider: Decider, names: tuple[str, str], pairs: tuple[Pair, ...]) -> Measurement:
    """The Lipschitz constant."""
    best: Pair | None = None
    for p in pairs:
        if p.fine == 0 and p.far > 0:
            note = "At oracle distance 0 no constant will do."
            return Measurement("infinity", None, decider.replay.witness(p.points, names), notes=(note,))
        if p.fine > 0 and (best is None or p.far * best.fine > best.far * p.fine):
            best = p
    if best is None:
        note = "No two points have a distance, for either classifier: every constant will do."
        return Measurement(Fraction(0), None, trusts=TRUSTS, notes=(note,))
    return told(decider, names, best, best.far, best.fine)


def mean(decider: Decider, far: tree.Expr, f1: str, agree: str | None) -> Measurement | None:
    """E[rho] over X (THEORY section 4) where `agree`, if it is given, says what f1 says; None where X has many
    points."""
    replay = decider.replay
    labelled = [(point, replay.interpreter.label(f1, point)) for point in points(decider)]
    if not labelled:
        return None
    total = surd(Fraction(0))
    for point, label in labelled:
        if agree is not None and replay.interpreter.label(agree, point) != label:
            continue
        ends = [dict(zip(POINTS, (point, other), strict=True)) for other, its in labelled if its != label]
        if not ends:
            return Measurement("infinity", trusts=TRUSTS)
        total += min(surd(replay.distance(far, p)) for p in ends)
    if isinstance(total, Fraction):
        return Measurement(total / len(labelled), trusts=TRUSTS)
    low, high = (side / len(labelled) for side in total.within(BITS))
    why = "a sum of roots is shown as a decimal number"
    return Measurement(interval(low, high), why=why, trusts=TRUSTS, how="enclosed", enclosure=(low, high))


def told(decider: Decider, names: tuple[str, str], at: Pair, top: Exact, bottom: Exact, *notes: str) -> Measurement:
    """top / bottom, which this pair has."""
    decider.replay.demand(at.points, [])
    pair = decider.replay.witness(at.points, names)
    over, under = top * top, bottom * bottom
    if isinstance(over, Fraction) and isinstance(under, Fraction):
        return Measurement(root(over / under), True, pair, trusts=TRUSTS, notes=notes)
    (least, most), (low, high) = ends(top), ends(bottom)
    shares = least / high, most / low
    why = "a sum of roots is shown as a decimal number"
    return Measurement(interval(*shares), True, pair, why, TRUSTS, how="enclosed", enclosure=shares, notes=notes)


def height(square: Fraction) -> Exact:
    """The root of a rational, to be computed with."""
    return surd(Root(square))


def ends(number: Exact) -> tuple[Fraction, Fraction]:
    return number.within(BITS) if isinstance(number, Surd) else (number, number)
