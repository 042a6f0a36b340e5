"""min_distance of a data set: that of each row, and the least."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.language.root import Root, below_root
from verifier.model.assertion import at_row, measure_of
from verifier.model.claim import Computation, Rows
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import ReplayFailed
from verifier.verdict.rows import Around
from verifier.verdict.verdict import Amount, Measurement, Row, Table, interval

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

GAP = Fraction(1, 10**9)
"""Roots are enclosed so closely."""

POINT = "row"
TIED = 20
"""So many rows at the same distance are asked whether they attain it."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The least over the rows, shown with its pair; the table has all of them."""
    axioms = decider.axioms(computation.shown)
    if axioms is not None:
        return Measurement(None, why=axioms)
    names = [computation.classifier(parameter) for parameter in ("f1", "f2", "D")]
    data = decider.program.data[names[2]]
    point = f"{POINT} of {data.name}"
    arguments = [tree.Argument(NOWHERE, "", tree.Name(NOWHERE, n)) for n in (*names[:2], point)]
    agree = computation.choices.get("agree", "true")
    arguments.append(tree.Argument(NOWHERE, "agree", tree.Name(NOWHERE, agree)))
    call = tree.Apply(NOWHERE, tree.Name(NOWHERE, "min_distance"), tuple(arguments))
    rows = Rows("forall", POINT, point, data, call)
    around = Around.checked(decider, names[0], names[1], agree == "true", None)
    trusts: list[str] = []

    @cache
    def alone(index: int) -> Measurement:
        sub = decider.at(at_row(decider.program, rows, index), decider.left())
        return sub._compute(measure_of(sub.program, call))

    found: list[Row] = []
    for i, row in enumerate(data.rows):
        if decider.left() <= 0:
            return Measurement(None, why=f"out of time after {i} of {len(data.rows)} rows")
        amount: Amount | None = around.distance(row) if around is not None else None
        if amount is None:
            one = alone(i)
            if one.amount is None:
                return Measurement(None, why=f"{data.row(i)}: {one.why}", later=one.later)
            amount, trusts = one.amount, [*trusts, *one.trusts]
            if one.enclosure is not None:
                found.append(Row(i + 1, data.lines[i], "", None, f"it is certainly in {amount}", one.enclosure))
                continue
        found.append(Row(i + 1, data.lines[i], "", amount))
    table = Table(data.name, data.file, tuple(found))
    first = min(range(len(found)), key=lambda i: ends(found[i])[0])
    least = alone(first)
    high = min(ends(row)[1] for row in found)
    lows = [row.enclosure[0] for row in found if row.enclosure is not None]
    open_ = isinstance(least.amount, Fraction | Root) and any(low < least.amount for low in lows)
    if (least.enclosure is not None or open_) and isinstance(high, Fraction):
        bounds = min(lows), high
        words, known, note = interval(*bounds), tuple(dict.fromkeys(trusts)), f"This is {data.row(first)}."
        return Measurement(
            words, None, least.pair, least.why, known, how="enclosed", enclosure=bounds, notes=(note,), table=table
        )
    if least.amount is None:
        return Measurement(found[first].distance, why=least.why, trusts=tuple(dict.fromkeys(trusts)), table=table)
    if least.amount != found[first].distance:
        raise ReplayFailed(f"the minimal distance of {data.row(first)} was computed twice, with different results")
    first, least = attaining(found, first, alone)
    trusts = [*trusts, *least.trusts]
    note = f"This is {data.row(first)}."
    return Measurement(
        least.amount, least.attained, least.pair, trusts=tuple(dict.fromkeys(trusts)), notes=(note,), table=table
    )


def attaining(rows: Sequence[Row], first: int, alone: Callable[[int], Measurement]) -> tuple[int, Measurement]:
    """Of the rows that are as near as the first, one that attains its distance; `attained` is None where that stayed
    open. Raises ReplayFailed."""
    least = alone(first)
    if least.attained is not False:
        return first, least
    tied = [i for i, row in enumerate(rows) if i != first and row.distance == least.amount]
    for i in tied[:TIED]:
        other = alone(i)
        if other.amount is None:
            return first, replace(least, attained=None)
        if other.amount != least.amount:
            raise ReplayFailed("the minimal distance of a row was computed twice, with different results")
        if other.attained:
            return i, other
    return first, least if len(tied) <= TIED else replace(least, attained=None)


def ends(row: Row) -> tuple[Fraction | float, Fraction | float]:
    """Bounds of the distance of a row."""
    if row.enclosure is not None:
        return row.enclosure
    match row.distance:
        case Fraction() as distance:
            return distance, distance
        case Root(square):
            low = below_root(square, GAP)
            return low, low + GAP
        case _:
            return float("inf"), float("inf")
