"""Positive formulas over affine literals: what has to hold, without its denials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct

MOST_PAIRS = 16
"""So many pairs of alternatives about two points are taken together."""

Row = tuple[dict[int, Fraction], Fraction]
"""Weights by node, and a constant."""

Direction = frozenset[tuple[int, Fraction]]


class Literal(Struct, frozen=True):
    """Row number `row` is >= 0; it is the value of `node`, or minus it and then > 0."""

    row: int
    node: int
    positive: bool


class All(Struct, frozen=True):
    """Each part holds."""

    parts: tuple[Formula, ...]


class Some(Struct, frozen=True):
    """A part holds."""

    parts: tuple[Formula, ...]


Formula = Literal | All | Some


def all_of(*parts: Formula) -> All:
    return All(tuple(q for p in parts for q in (p.parts if isinstance(p, All) else (p,))))


def some_of(*parts: Formula) -> Formula:
    """The only part, if there is one."""
    flat = tuple(q for p in parts for q in (p.parts if isinstance(p, Some) else (p,)))
    return flat[0] if len(flat) == 1 else Some(flat)


def literals(formula: Formula) -> Iterator[Literal]:
    """All in a formula."""
    if isinstance(formula, Literal):
        yield formula
    else:
        for part in formula.parts:
            yield from literals(part)


def certain(formula: Formula, rows: Sequence[Row]) -> Iterator[Row]:
    """Those of the `rows` that have to be >= 0 whatever else holds."""
    todo = [formula]
    while todo:
        match todo.pop():
            case Literal(row):
                yield rows[row]
            case All(parts):
                todo += parts
            case Some():
                pass


def directed(weights: Mapping[int, Fraction], constant: Fraction) -> tuple[dict[int, Fraction], Fraction, Fraction]:
    """The row over a positive number, so that its first weight is 1 or -1, and that number."""
    unit = abs(weights[min(weights)]) if weights else Fraction(1)
    return {n: w / unit for n, w in weights.items()}, constant / unit, unit


def direction(weights: Mapping[int, Fraction], sign: int = 1) -> Direction:
    """Rows of one direction differ in their constants only."""
    return frozenset((n, sign * w) for n, w in weights.items())


def settled(formula: Formula, rows: Sequence[Row]) -> Formula:
    """Without parts of alternatives that contradict what is certain."""
    while True:
        least: dict[Direction, Fraction] = {}
        for weights, constant, _ in (directed(*row) for row in certain(formula, rows)):
            key = direction(weights)
            least[key] = max(-constant, least.get(key, -constant))

        def possible(part: Formula, least: Mapping[Direction, Fraction] = least) -> bool:
            for weights, constant, _ in (directed(*row) for row in certain(part, rows)):
                other = least.get(direction(weights, -1))
                if other is not None and constant < other:
                    return False
            return True

        parts = formula.parts if isinstance(formula, All) else (formula,)
        left = [some_of(*filter(possible, p.parts)) if isinstance(p, Some) else p for p in parts]
        before, formula = formula, all_of(*left)
        if formula == before:
            return formula


def paired(formula: Formula, sums: Mapping[frozenset[int], int]) -> Formula:
    """Alternatives about one point and about another, whose literals have `sums`, are taken together."""
    parts = list(formula.parts) if isinstance(formula, All) else [formula]
    several = [part for part in parts if isinstance(part, Some)]
    for k, one in enumerate(several):
        for other in several[k + 1 :]:
            count = len(one.parts) * len(other.parts)
            rows, others = ({literal.row for literal in literals(f)} for f in (one, other))
            if count <= MOST_PAIRS and any(frozenset((r, q)) in sums for r in rows for q in others):
                both = some_of(*(all_of(p, q) for p in one.parts for q in other.parts))
                return all_of(*(part for part in parts if part not in (one, other)), both)
    return formula


def contradiction(several: Iterable[Literal], rows: Sequence[Row]) -> list[tuple[Literal, Fraction]] | None:
    """Two literals, and how often they are taken in a sum that is a constant, by which they cannot both hold."""
    seen: dict[Direction, tuple[Fraction, Fraction, Literal]] = {}
    for literal in several:
        weights, constant, unit = directed(*rows[literal.row])
        if (against := direction(weights, -1)) in seen:
            rest, other_unit, other = seen[against]
            if constant + rest < 0 or (constant + rest == 0 and not (literal.positive and other.positive)):
                return [(literal, 1 / unit), (other, 1 / other_unit)]
        key = direction(weights)
        if key not in seen or constant < seen[key][0]:
            seen[key] = constant, unit, literal
    return None
