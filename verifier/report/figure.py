"""Functions and sets, as a page and a document say them."""

from __future__ import annotations

from verifier.report.rows import Json, amount_json
from verifier.report.text import number
from verifier.verdict.figure import Figure, Line


def table(figure: Figure) -> list[list[str]]:
    """Rows of cells, the first one a head."""
    rows = [["delta", "w(delta)", ""]]
    for line in figure.lines:
        how = "attained" if line.attained else "approached, not attained"
        rows.append([span(line), value(line), "" if line.constant is None else how])
    return rows


def span(line: Line) -> str:
    """`0 <= delta < 1/2`."""
    if line.start == line.end:
        return f"delta = {number(line.start)}"
    left, right = ("<=" if closed else "<" for closed in line.closed)
    if line.end is None:
        return f"delta {left.replace('<', '>')} {number(line.start)}"
    return f"{number(line.start)} {left} delta {right} {number(line.end)}"


def value(line: Line) -> str:
    """`1/10 + 2*delta`."""
    if line.constant is None:
        return "infinity"
    if not line.slope:
        return number(line.constant)
    slope = "delta" if line.slope == 1 else f"{number(line.slope)}*delta"
    return f"{number(line.constant)} + {slope}" if line.constant else slope


def figure_json(figure: Figure | None) -> Json:
    if figure is None:
        return None
    return {
        "kind": "curve",
        "lines": [
            {
                **amount_json("start", line.start),
                **amount_json("end", "infinity" if line.end is None else line.end),
                "closed": list(line.closed),
                **amount_json("constant", "infinity" if line.constant is None else line.constant),
                **amount_json("slope", line.slope),
                "attained": line.attained,
            }
            for line in figure.lines
        ],
        **amount_json("limit", "infinity" if figure.limit is None else figure.limit),
    }
