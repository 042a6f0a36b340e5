"""Functions and sets, as a page and a document say them."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import assert_never

from verifier.engines.eliminate import Half
from verifier.language.surd import Exact, floor
from verifier.report.rows import Json, amount_json
from verifier.report.text import exact, irrational, number
from verifier.verdict.figure import Band, Curve, Figure, Line, Region

PLACES = 12
"""Of two curves so many places are shown."""


def table(figure: Figure) -> list[list[str]]:
    """Rows of cells; of a curve the first one is a head."""
    match figure:
        case Curve(lines):
            rows = [["delta", "w(delta)", ""]]
            for line in lines:
                how = "attained" if line.attained else "approached, not attained"
                rows.append([span(line), value(line), "" if line.constant is None else how])
            return rows
        case Band(lower, upper):
            starts = (line.start for curve in (lower, upper) for line in curve.lines)
            ends = sorted({x for x in starts if isinstance(x, Fraction)})
            shown = ends[:: -(-len(ends) // PLACES)] if len(ends) > PLACES else ends
            rows = [["delta", "w(delta) >=", "w(delta) <="]]
            for delta in dict.fromkeys((*shown, *ends[-1:])):
                low, high = figure.at(delta)
                rows.append([number(delta), bound(low, ROUND_FLOOR), bound(high, ROUND_CEILING)])
            return rows
        case Region(formulas=formulas, words=words):
            told = not formulas or words == " or ".join(formulas)
            return [] if told else [["or" if i else "where", said] for i, said in enumerate(formulas)]
        case _:
            assert_never(figure)


def bound(value: Exact | None, way: str) -> str:
    """Six digits, rounded so that it stays a bound."""
    if value is None:
        return "infinity"
    end = floor(value) if way == ROUND_FLOOR else -floor(-value)
    return format(Context(6, way).divide(Decimal(end.numerator), Decimal(end.denominator)).normalize(), "f")


def span(line: Line) -> str:
    """`0 <= delta < 1/2`."""
    if line.start == line.end:
        return f"delta = {irrational(line.start)}"
    left, right = ("<=" if closed else "<" for closed in line.closed)
    if line.end is None:
        return f"delta {left.replace('<', '>')} {irrational(line.start)}"
    return f"{irrational(line.start)} {left} delta {right} {irrational(line.end)}"


def value(line: Line) -> str:
    """`1/10 + 2*delta`, `sqrt(2)*delta`, `1/4 + sqrt(delta^2 - 1/16)`."""
    if line.constant is None:
        return "infinity"
    if line.bend is not None:
        varying = bent(*line.bend)
    elif line.slope:
        varying = times(line.slope, "delta")
    else:
        return irrational(line.constant)
    return f"{irrational(line.constant)} + {varying}" if line.constant else varying


def bent(steep: Fraction, tilt: Fraction, offset: Fraction) -> str:
    """The root of steep * delta^2 + tilt * delta + offset, with steep > 0."""
    if not tilt and not offset:
        return f"sqrt({number(steep)})*delta"
    said = times(steep, "delta^2")
    for weight, what in ((tilt, "delta"), (offset, "")):
        if weight:
            said += f" {'-' if weight < 0 else '+'} {times(abs(weight), what)}"
    return f"sqrt({said})"


def times(weight: Fraction, what: str) -> str:
    """`3/2*delta`"""
    return number(weight) if not what else what if weight == 1 else f"{number(weight)}*{what}"


def figure_json(figure: Figure | None) -> Json:
    match figure:
        case None:
            return None
        case Curve() as curve:
            return curve_json(curve)
        case Band(lower, upper):
            return {"kind": "band", "lower": curve_json(lower), "upper": curve_json(upper)}
        case Region(parts, formulas=formulas):
            shown = zip(formulas, parts, strict=True)
            return {
                "kind": "region",
                "parts": [{"formula": said, "sides": [side_json(h) for h in part]} for said, part in shown],
            }
        case _:
            assert_never(figure)


def curve_json(curve: Curve) -> dict[str, Json]:
    return {
        "kind": "curve",
        "lines": [line_json(line) for line in curve.lines],
        **amount_json("limit", "infinity" if curve.limit is None else curve.limit),
    }


def line_json(line: Line) -> Json:
    return {
        **amount_json("start", line.start),
        **amount_json("end", "infinity" if line.end is None else line.end),
        "closed": list(line.closed),
        **amount_json("constant", "infinity" if line.constant is None else line.constant),
        **amount_json("slope", line.slope),
        "bend": None if line.bend is None else [exact(x) for x in line.bend],
        "attained": line.attained,
    }


def side_json(half: Half) -> Json:
    """The sum of weight * coordinate, plus the constant, is > 0, or >= 0."""
    weights: list[Json] = [{"coordinate": i, "weight": exact(w)} for i, w in half.row.weights]
    return {"weights": weights, "constant": exact(half.row.constant), "strict": half.strict}
