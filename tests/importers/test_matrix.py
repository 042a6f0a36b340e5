"""Matrices are read exactly, or refused with a row and a column."""

import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.importers import ImportFailed
from verifier.importers.matrix import read_matrix


def matrix(folder: Path, text: str | bytes) -> tuple[tuple[Fraction, ...], ...]:
    path = folder / "w.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_matrix(path)


def test_numbers_are_exact(tmp_path: Path) -> None:
    read = matrix(tmp_path, "1/3, 0.25,-1e-3\r\n\n +2 ,\t.5,3.E2\n")
    assert read == ((Fraction(1, 3), Fraction(1, 4), Fraction(-1, 1000)), (Fraction(2), Fraction(1, 2), Fraction(300)))
    assert matrix(tmp_path, "1e400") == ((Fraction(10**400),),)
    assert matrix(tmp_path, "1" * 200) == ((Fraction("1" * 200),),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,x", "row 2, column 2: `x`"),
        ("1,2\n\n3", "row 3: 1 numbers, but the first row has 2"),
        ("1,,2", "column 2"),
        ("1/0", "denominator"),
        ("1/00", "denominator"),
        ("1/-2", "not a number"),
        ("1.5/2", "not a number"),
        ("nan", "not a number"),
        ("inf", "not a number"),
        ("1_000", "not a number"),
        ("0x1", "not a number"),
        (".", "not a number"),
        ("e5", "not a number"),
        ("-", "not a number"),
        ("1 2", "not a number"),
        ("1e401", "exponent"),
        ("1e-" + "9" * 5000, "exponent"),
        ("1" * 201, "digits"),
        ("1/" + "3" * 200, "digits"),
        ("", "no numbers"),
        ("\n\n", "no numbers"),
        ("١", "ASCII"),
        ("½", "ASCII"),
        (b"\xff\xfe1", "ASCII"),
        ("0," * 1_000_000 + "0", "cells"),
    ],
)
def test_what_is_no_matrix_is_refused(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match=message):
        matrix(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="no file"):
        read_matrix(tmp_path / "nowhere.csv")


@settings(deadline=None)
@given(st.lists(st.lists(st.fractions(), min_size=2, max_size=2), min_size=1, max_size=4))
def test_what_is_written_is_read(rows: list[list[Fraction]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert matrix(Path(folder), "\n".join(",".join(map(str, row)) for row in rows)) == tuple(map(tuple, rows))


@settings(deadline=None)
@given(st.binary() | st.text("0123456789/.,eE+- \n\r\t\x0b", max_size=30).map(str.encode))
def test_any_bytes_give_a_matrix_or_a_failure(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            rows = matrix(Path(folder), text)
        except ImportFailed:
            return
        assert len({len(row) for row in rows}) == 1
