"""Data sets are read exactly, or refused with a line and a column."""

from __future__ import annotations

import tempfile
from fractions import Fraction as Q
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.importers import ImportFailed
from verifier.importers.csv_file import read_csv
from verifier.model.data import Cells, Column, Layout

A = Column("the coordinate `a`", ("a",))
N = Column("the coordinate `n`", ("n",), whole=True)
S = Column("the coordinate `s`", ("s",), {"f": "f", "m": "m"})
CODED = Column("the label", ("y",), {"none": "no"}, {Q(0): "no", Q(1): "yes"})


def cells(folder: Path, text: str | bytes, *columns: Column, separator: str = ",", header: bool = True) -> Cells:
    path = folder / "d.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_csv(path, Layout(columns or (A,), separator, header))


def test_numbers_members_and_labels_are_exact(tmp_path: Path) -> None:
    text = "n,s,extra,a,y\n3,f,?,1/3,1\n\n -2 ,m,,1e-3,0.0\n4,f,,.5,none\n"
    read = cells(tmp_path, text, A, N, S, CODED)
    assert read.rows == (
        (Q(1, 3), Q(3), "f", "yes"),
        (Q(1, 1000), Q(-2), "m", "no"),
        (Q(1, 2), Q(4), "f", "no"),
    )
    assert read.lines == (2, 4, 5)


@pytest.mark.parametrize(
    ("text", "separator", "header"),
    [
        ('"a","b"\n"1.5","x, y"\n', ",", True),
        ('b;"a"\r\n"a ""b""\nc";1.5\r\n', ";", True),
        ("a\tb\n1.5\t2\n", "\t", True),
        (b"\xef\xbb\xbfa,b\n1.5,2\n", ",", True),
        ("a| b\n 1.5 |2", "|", True),
    ],
)
def test_cells_may_be_quoted_and_separated_otherwise(
    text: str | bytes, separator: str, header: bool, tmp_path: Path
) -> None:
    assert cells(tmp_path, text, separator=separator, header=header).rows == ((Q(3, 2),),)


def test_a_quoted_line_break_does_not_shift_the_lines(tmp_path: Path) -> None:
    assert cells(tmp_path, 'a,b\n1,"x\ny"\n2,z\n').lines == (2, 4)


def test_without_a_header_columns_have_numbers(tmp_path: Path) -> None:
    second = Column("the coordinate `a`", ("2",))
    assert cells(tmp_path, "1,2\n3,4\n", second, header=False).rows == ((Q(2),), (Q(4),))


def test_the_first_header_that_is_there_counts(tmp_path: Path) -> None:
    entry = Column("the coordinate `x[0]`", ("x[0]", "x0"))
    assert cells(tmp_path, "x0,x[0]\n1,2\n", entry).rows == ((Q(2),),)
    assert cells(tmp_path, "x0\n1\n", entry).rows == ((Q(1),),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("\n \n", "no rows"),
        ("a\n", "no rows below its header"),
        ("a,b\n1\n", "line 2: 1 cells, but the first line has 2"),
        ("a,b\n1,2,3\n", "line 2: 3 cells"),
        ("b,c\n1,2\n", "no column `a` for the coordinate `a`"),
        ("a,a\n1,2\n", "2 columns called `a`"),
        ("a,b\n,2\n", r"line 2, column 1 \(`a`\): the cell is empty"),
        ("b,a\n1,2\n3,x\n", r"line 3, column 2 \(`a`\): `x` is not a number"),
        ("a\nnan\n", "not a number"),
        ("a\n1_0\n", "not a number"),
        ("a\n1/0\n", "denominator"),
        ("a\n1e401\n", "exponent"),
        ("a\n" + "1" * 201 + "\n", "digits"),
        ("a\n½\n", "ASCII"),
        (b"a\n\x00\n", "null character"),
        ('a\n"1\n', "line 2"),
        ('a\n"1"2\n', "line 2"),
        ("a\n" + "1" * 200_000 + "\n", "field larger"),
        ("a" + ",b" * 1_000_000 + "\n1", "cells"),
    ],
)
def test_what_is_no_data_set_is_refused(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match=message):
        cells(tmp_path, text)


def test_a_fix_names_the_nearest_header_and_spelling(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed) as failed:
        cells(tmp_path, "ages,b\n1,2\n", Column("the coordinate `age`", ("age",)))
    assert "Did you mean `ages`?" in failed.value.fix
    with pytest.raises(ImportFailed, match=r"line 2, column 1 \(`s`\): `F` is no member"):
        cells(tmp_path, "s\nF\n", S)
    with pytest.raises(ImportFailed, match="`2` is no label") as failed:
        cells(tmp_path, "y\n2\n", CODED)
    assert "none, 0, 1" in failed.value.fix


def test_whole_numbers_are_whole(tmp_path: Path) -> None:
    assert cells(tmp_path, "n\n4.0\n", N).rows == ((Q(4),),)
    with pytest.raises(ImportFailed, match="not a whole number"):
        cells(tmp_path, "n\n4.5\n", N)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="no file"):
        read_csv(tmp_path / "nowhere.csv", Layout((A,)))


@settings(deadline=None)
@given(st.lists(st.tuples(st.fractions(), st.integers(), st.sampled_from("fm")), min_size=1, max_size=5))
def test_what_is_written_is_read(rows: list[tuple[Q, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = "a,n,s\n" + "".join(f"{a},{n},{s}\n" for a, n, s in rows)
        assert cells(Path(folder), text, A, N, S).rows == tuple(rows)


@settings(deadline=None)
@given(st.binary() | st.text('0123456789/.,;"eE+- a\n\r\t\x0b\x1c', max_size=30).map(lambda t: f"a\n{t}".encode()))
def test_any_bytes_give_rows_or_a_failure(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            read = cells(Path(folder), text)
        except ImportFailed:
            return
        assert len(read.rows) == len(read.lines) >= 1
