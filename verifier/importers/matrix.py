"""Matrices from text: rows of exact rationals, separated by commas."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from verifier.importers.failure import ImportFailed, contents
from verifier.importers.numbers import MOST_CELLS, number


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
