"""Data sets from CSV files: strict, exact, and a mistake is named by its line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path

from verifier.importers.failure import ImportFailed, contents
from verifier.importers.numbers import MOST_CELLS, number, shown
from verifier.model.data import Cells, Column, Layout

MARK = b"\xef\xbb\xbf"
"""What some spreadsheets write in front of a text."""


def read_csv(path: Path, layout: Layout) -> Cells:
    """The columns of `layout`, row by row; numbers are exact (`1/3`, `0.25`, `-1e-3`), other columns are not looked at.

    A cell may stand in double quotes; blanks around it do not count; lines without any cell are skipped. ASCII, at most
    1 000 000 cells, 200 digits a number, exponents up to 400. ImportFailed names the line and the column, from 1.
    """
    path = Path(path)
    try:
        text = contents(path).removeprefix(MARK).decode("ascii")
    except UnicodeDecodeError as error:
        raise ImportFailed(f"{path.name} holds a character that is not ASCII, at byte {error.start}.") from None
    rows = _rows(path.name, text, layout.separator)
    first = next(rows, None)
    if first is None:
        raise ImportFailed(f"{path.name} holds no rows.")
    header = first[1] if layout.header else [str(i) for i in range(1, len(first[1]) + 1)]
    places = [_place(path.name, column, header) for column in layout.columns]
    lines: list[int] = []
    values: list[tuple[Fraction | str, ...]] = []
    for line, row in rows if layout.header else (first, *rows):
        if len(row) != len(header):
            raise ImportFailed(
                f"{path.name}, line {line}: {len(row)} cells, but the first line has {len(header)}.",
                "Give every row the same number of cells.",
            )
        lines.append(line)
        values.append(
            tuple(
                _value(row[i], column, f"{path.name}, line {line}, column {i + 1} (`{shown(header[i])}`)")
                for i, column in zip(places, layout.columns, strict=True)
            )
        )
    if not values:
        raise ImportFailed(f"{path.name} holds no rows below its header.", "Or does it have none? `header: false`.")
    return Cells(path.name, tuple(lines), tuple(values))


def _rows(name: str, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, stripped, and the line that the row begins in."""
    if "\0" in text:
        raise ImportFailed(f"{name} holds a null character: it is not a text.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    cells = 0
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportFailed(
                f"{name}, line {line}: {error}.", 'A cell with `"` in it is written `"a ""b"" c"`.'
            ) from None
        cells += len(row)
        if cells > MOST_CELLS:
            raise ImportFailed(f"{name} has more than {MOST_CELLS:,} cells.")
        stripped = [cell.strip(" \t") for cell in row]
        if any(stripped):
            yield line, stripped
        line = reader.line_num + 1


def _place(file: str, column: Column, header: list[str]) -> int:
    for name in column.names:
        if header.count(name) > 1:
            raise ImportFailed(f"{file} has {header.count(name)} columns called `{name}`.", "Rename one of the two.")
        if name in header:
            return header.index(name)
    close = get_close_matches(column.names[0], header, 1)
    known = ", ".join(f"`{shown(h)}`" for h in header[:8]) + (", ..." if len(header) > 8 else "")
    hint = f"Did you mean `{close[0]}`?" if close else f"Its columns are {known}."
    raise ImportFailed(
        f"{file} has no column `{column.names[0]}` for {column.of}.",
        f"{hint} " + ("Say so: `label: ...`." if column.of == "the label" else "Say so: `columns: { ... }`."),
    )


def _value(cell: str, column: Column, place: str) -> Fraction | str:
    if not cell:
        raise ImportFailed(f"{place}: the cell is empty.", "Give a value, or leave the row out.")
    if not column.coded:
        value = number(cell, place)
        if column.whole and value.denominator != 1:
            raise ImportFailed(f"{place}: {shown(cell)} is not a whole number.", "Make the coordinate `real`.")
        return value
    if cell in column.codes:
        return column.codes[cell]
    if column.numbers:
        with suppress(ImportFailed):
            value = number(cell, place)
            if value in column.numbers:
                return column.numbers[value]
    known = [*column.codes, *map(str, column.numbers)]
    close = get_close_matches(cell, known, 1)
    what = "label" if column.of == "the label" else "member"
    raise ImportFailed(
        f"{place}: `{shown(cell)}` is no {what}.",
        (f"Did you mean `{close[0]}`?" if close else f"Known: {', '.join(known[:8])}.")
        + f" Other spellings: `{what}s: {{ ... }}`.",
    )
