"""Matrices from text: rows of exact rationals, separated by commas."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from verifier.importers.failure import ImportFailed, contents

MOST_CELLS = 1_000_000
MOST_DIGITS = 200
MOST_EXPONENT = 400

NUMBER = re.compile(r"[+-]?(?:([0-9]+)/([0-9]+)|([0-9]*)(?:\.([0-9]*))?(?:[eE][+-]?([0-9]+))?)")


def read_matrix(path: Path) -> tuple[tuple[Fraction, ...], ...]:
    """The matrix in a file of comma-separated numbers (`1/3`, `0.25`, `-1e-3`), exactly; one row a line, no header.

    Rows have one length; empty lines are skipped. At most 1 000 000 cells, 200 digits a number, exponents up to 400.
    ImportFailed names the row and the column, both counted from 1.
    """
    path = Path(path)
    try:
        text = contents(path).decode("ascii")
    except UnicodeDecodeError as error:
        raise ImportFailed(f"{path.name} holds a character that is not ASCII, at byte {error.start}.") from None
    rows: list[tuple[Fraction, ...]] = []
    cells = 0
    for line_number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not line.strip(" \t"):
            continue
        cells += line.count(",") + 1
        if cells > MOST_CELLS:
            raise ImportFailed(f"{path.name} has more than {MOST_CELLS:,} cells.")
        row = tuple(
            number(cell.strip(" \t"), f"{path.name}, row {line_number}, column {column}")
            for column, cell in enumerate(line.split(","), 1)
        )
        if rows and len(row) != len(rows[0]):
            raise ImportFailed(
                f"{path.name}, row {line_number}: {len(row)} numbers, but the first row has {len(rows[0])}.",
                "Give every row the same number of entries.",
            )
        rows.append(row)
    if not rows:
        raise ImportFailed(f"{path.name} holds no numbers.")
    return tuple(rows)


def number(text: str, place: str) -> Fraction:
    """The rational that `text` writes."""
    match = NUMBER.fullmatch(text)
    if match is None or not any(match.group(1, 3, 4)):
        shown = text if len(text) <= 40 else text[:40] + "..."
        raise ImportFailed(f"{place}: `{shown}` is not a number.", "Write for example `1/3`, `0.25` or `1e-3`.")
    if sum(len(digits or "") for digits in match.groups()[:4]) > MOST_DIGITS:
        raise ImportFailed(f"{place}: the number has more than {MOST_DIGITS} digits.")
    exponent = (match[5] or "").lstrip("0")
    if len(exponent) > 3 or int(exponent or 0) > MOST_EXPONENT:
        raise ImportFailed(f"{place}: the exponent is larger than {MOST_EXPONENT}.")
    if match[2] is not None and not match[2].strip("0"):
        raise ImportFailed(f"{place}: the denominator is 0.")
    return Fraction(text)
