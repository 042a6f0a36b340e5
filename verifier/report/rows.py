"""A claim about a data set, row by row: what a page and a document say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from verifier.language.surd import Nested, Surd
from verifier.report.text import exact, number
from verifier.verdict.verdict import Amount, Root, Table, size

Json = None | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

LISTED = 5
"""So many rows are shown."""
QUANTILES = {
    "least": Fraction(0),
    "quarter": Fraction(1, 4),
    "median": Fraction(1, 2),
    "three_quarters": Fraction(3, 4),
    "largest": Fraction(1),
}
WORDS = ("proved", "refuted", "unknown")


def in_words(table: Table) -> list[str]:
    """How many rows, which ones not, and how the minimal distances are spread."""
    said: list[str] = []
    count = len(table.rows)
    if any(r.word for r in table.rows):
        counts = ", ".join(f"{n} {w}" for w in WORDS if (n := table.count(w)))
        share = 100 * Fraction(table.count("proved"), count)
        of = "robust" if table.nearest else "true"
        said.append(f"Of {count} rows {counts}: {number(share, 3, short=4)} % are {of}.")
        for word in ("refuted", "unknown"):
            rows = [str(r.number) for r in table.rows if r.word == word]
            if rows and not table.nearest:
                more = f" and {len(rows) - LISTED} more" if len(rows) > LISTED else ""
                said.append(f"{word.capitalize()}: row{'s' if len(rows) > 1 else ''} {', '.join(rows[:LISTED])}{more}.")
    if table.nearest:
        known = len(table.nearest)
        of = "" if known == count else f" of {known} rows"
        spread = ", ".join(f"{k.replace('_', ' ')} {distance(table.quantile(q))}" for k, q in QUANTILES.items())
        said.append(f"Minimal distances{of}: {spread}.")
    return said


def least(table: Table) -> list[list[str]]:
    """The least robust rows, with a head; nothing where no distance is known."""
    if len(table.rows) < 2 or not table.nearest:
        return []
    shown = [[str(r.number), str(r.line), distance(r.distance), r.word] for r in table.nearest[:LISTED]]
    return [["row", "line", "distance", ""], *shown]


def distance(amount: Amount | None) -> str:
    return number(amount) if isinstance(amount, Fraction) else str(amount)


def rows_json(table: Table | None) -> list[Mapping[str, Json]] | None:
    if table is None:
        return None
    return [
        {
            "row": r.number,
            "line": r.line,
            "verdict": r.word or None,
            **amount_json("distance", r.distance),
            "reason": r.why or None,
        }
        for r in table.rows
    ]


def summary_json(table: Table | None) -> Mapping[str, Json] | None:
    if table is None:
        return None
    decided = any(r.word for r in table.rows)
    share = Fraction(table.count("proved"), len(table.rows)) if decided else None
    quantiles: dict[str, Json] = {}
    for name, q in QUANTILES.items():
        quantiles |= amount_json(name, table.quantile(q))
    return {
        "data": table.data,
        "file": table.file,
        "rows": len(table.rows),
        **{word: table.count(word) for word in WORDS},
        **amount_json("share", share),
        "least": [r.number for r in table.nearest[:LISTED]],
        "distances": quantiles if table.nearest else None,
    }


def amount_json(name: str, amount: Amount | Surd | Nested | None) -> dict[str, Json]:
    """A number as it is written elsewhere in the document: exactly, and the float nearest to it."""
    match amount:
        case Fraction():
            close, text = amount, exact(amount)
        case Root():
            return {name: str(amount), f"{name}_float": float(size(amount)) ** 0.5}
        case Surd() | Nested():
            return {name: str(amount), f"{name}_float": float(amount.near)}
        case None:
            return {name: None, f"{name}_float": None}
        case words:
            return {name: words, f"{name}_float": None}
    try:
        return {name: text, f"{name}_float": float(close)}
    except OverflowError:
        return {name: text, f"{name}_float": None}
