"""`data D = csv("file.csv", label: approved)`: which column of a file is which coordinate, and the points it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from msgspec import Struct

from verifier.model.interpret import Interpreter
from verifier.model.meaning import fail
from verifier.model.program import Coordinate, Data, PointValue, Program, Value
from verifier.source import Span
from verifier.source.closest import suggestion
from verifier.syntax import tree

OPTIONS = ("label", "columns", "labels", "members", "separator", "header", "outside")
SEPARATORS = (",", ";", "\t", "|", " ")
NAMED = 3
"""So many rows outside of the domain are named."""


class Column(Struct, frozen=True):
    """A column that is read. `of`: what it is for; `names`: what its header may say, the first that there is counts.

    Its cells are numbers, or (`codes` or `numbers` not empty) stand for one of some names: a cell is looked up as it
    is written in `codes`, then as a number in `numbers`.
    """

    of: str
    names: tuple[str, ...]
    codes: Mapping[str, str] = {}
    numbers: Mapping[Fraction, str] = {}
    whole: bool = False

    @property
    def coded(self) -> bool:
        return bool(self.codes or self.numbers)


class Layout(Struct, frozen=True):
    """The columns to read. Without `header` the columns are called `1`, `2`, ... ."""

    columns: tuple[Column, ...]
    separator: str = ","
    header: bool = True


class Cells(Struct, frozen=True):
    """What a file holds in the columns of a layout, row by row, and the line of each row."""

    file: str
    lines: tuple[int, ...]
    rows: tuple[tuple[Fraction | str, ...], ...]


class DataReader(Protocol):
    """Raises Rejected with the span it is given."""

    def data(self, path: str, layout: Layout, span: Span) -> Cells: ...


def read_data(program: Program, d: tree.Data, reader: DataReader) -> Data:
    """The data set that a declaration names. Every row is a point of the domain."""
    match d.value:
        case tree.Apply(span, tree.Name(_, "csv"), arguments):
            pass
        case _:
            fail("V501", d.value.span, "A data set is read from a file.", 'Write `csv("file.csv")`.')
    plain = [a.value for a in arguments if not a.label]
    if len(plain) != 1 or not isinstance(plain[0], tree.Text):
        fail("V501", span, "The name of one file is needed here.", 'Write it in quotes: `("file.csv")`.')
    given: dict[str, tree.Argument] = {}
    for a in arguments:
        if not a.label:
            continue
        if a.label not in OPTIONS:
            fail("V205", a.span, f"`csv` has no option `{a.label}`.", suggestion(a.label, OPTIONS, "The options are"))
        if a.label in given:
            fail("V204", a.span, f"The option `{a.label}` is given twice.", "Keep one of them.")
        given[a.label] = a
    wanted = _Wanted(program, given)
    skips = wanted.skips
    cells = reader.data(plain[0].value, wanted.layout(), span)
    return _points(program, d, cells, wanted.labelled, skips)


class _Wanted(Struct):
    """The options of one `csv`."""

    program: Program
    given: Mapping[str, tree.Argument]

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        assert self.program.domain is not None
        return self.program.domain.coordinates

    @property
    def labelled(self) -> bool:
        return "label" in self.given

    @property
    def skips(self) -> bool:
        return "outside" in self.given and self._word("outside", ("error", "skip")) == "skip"

    def layout(self) -> Layout:
        header = "header" not in self.given or self._word("header", ("true", "false")) == "true"
        names = self._columns()
        codes = self._members()
        columns: list[Column] = []
        for c in self.coordinates:
            for i, headers in enumerate(names.get(c.name) or _headers(c)):
                entry = c.name if c.size is None else f"{c.name}[{i}]"
                headers = headers if header or c.name in names else (str(len(columns) + 1),)
                columns.append(Column(f"the coordinate `{entry}`", headers, *codes[c.name], c.kind == "int"))
        if self.labelled:
            label = self.given["label"].value
            if not self.program.labels:
                fail("V207", label.span, "There are no labels.", "Declare them: `labels { small, big }`.")
            columns.append(Column("the label", (_text(label, "a column"),), *self._labels()))
        elif "labels" in self.given:
            span = self.given["labels"].span
            fail("V209", span, "Which column holds the labels?", "Add `label: NAME`, the name of the column.")
        return Layout(tuple(columns), self._separator(), header)

    def _word(self, option: str, allowed: tuple[str, ...]) -> str:
        value = self.given[option].value
        if not isinstance(value, tree.Name) or value.id not in allowed:
            fail("V302", value.span, f"`{option}` is {' or '.join(allowed)}.", f"Write `{option}: {allowed[-1]}`.")
        return value.id

    def _separator(self) -> str:
        if "separator" not in self.given:
            return ","
        value = self.given["separator"].value
        if not isinstance(value, tree.Text) or value.value not in SEPARATORS:
            fail("V302", value.span, "Cells are separated by `,`, `;`, `|`, a tab or a space.", 'Write `";"`, say.')
        return value.value

    def _record(self, option: str) -> tuple[tree.Argument, ...]:
        if option not in self.given:
            return ()
        value = self.given[option].value
        if not isinstance(value, tree.Record):
            fail("V302", value.span, f"`{option}` is a record.", f"Write `{option}: {{ name: ... }}`.")
        seen: set[str] = set()
        for e in value.entries:
            if e.label in seen:
                fail("V204", e.span, f"`{e.label}` is given twice.", "Keep one of them.")
            seen.add(e.label)
        return value.entries

    def _coordinate(self, e: tree.Argument) -> Coordinate:
        for c in self.coordinates:
            if c.name == e.label:
                return c
        known = [c.name for c in self.coordinates]
        fail(
            "V201",
            e.span,
            f"There is no coordinate called `{e.label}`.",
            suggestion(e.label, known, "The coordinates are"),
        )

    def _columns(self) -> dict[str, list[tuple[str, ...]]]:
        """The headers that each entry of a coordinate may have, where `columns:` says so."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for e in self._record("columns"):
            c = self._coordinate(e)
            if isinstance(e.value, tree.Vector):
                if len(e.value.items) != (c.size or 1):
                    shape = f"{c.size or 1} column" + ("s" if (c.size or 1) > 1 else "")
                    fail("V303", e.value.span, f"`{c.name}` has {shape}.", "List one name for each entry.")
                found[c.name] = [(_text(item, "a column"),) for item in e.value.items]
            else:
                found[c.name] = _headers(c, _text(e.value, "a column"))
        return found

    def _members(self) -> dict[str, tuple[dict[str, str], dict[Fraction, str]]]:
        """How each member of a finite coordinate is written in the file."""
        found: dict[str, tuple[dict[str, str], dict[Fraction, str]]] = {
            c.name: ({m: m for m in c.members}, {}) for c in self.coordinates
        }
        for e in self._record("members"):
            c = self._coordinate(e)
            if not c.members:
                fail("V302", e.span, f"`{c.name}` is a number, it has no members.", "Leave it out.")
            if not isinstance(e.value, tree.Record):
                fail("V302", e.value.span, "This is a record.", f'Write `{{ {c.members[0]}: "1" }}`.')
            found[c.name] = _codes(e.value.entries, c.members, "member")
        return found

    def _labels(self) -> tuple[dict[str, str], dict[Fraction, str]]:
        if "labels" not in self.given:
            return {name: name for name in self.program.labels}, {}
        return _codes(self._record("labels"), self.program.labels, "label")


def _headers(c: Coordinate, name: str = "") -> list[tuple[str, ...]]:
    """What the headers of a coordinate's columns may be: `x`; for a vector `x[0]` or `x0`, and so on."""
    name = name or c.name
    return [(name,)] if c.size is None else [(f"{name}[{i}]", f"{name}{i}") for i in range(c.size)]


def _text(expr: tree.Expr, what: str) -> str:
    match expr:
        case tree.Text(_, value) if value:
            return value
        case tree.Name(_, name):
            return name
        case tree.Number(_, value) if value.denominator == 1:
            return str(value)
        case _:
            fail("V302", expr.span, f"The name of {what} is needed here.", 'Write it in quotes: `"Age (years)"`.')


def _codes(
    entries: Sequence[tree.Argument], names: Sequence[str], kind: str
) -> tuple[dict[str, str], dict[Fraction, str]]:
    """`{yes: "1", no: [0, "none"]}`: what stands in the file for each name. Names that are left out never occur."""
    codes: dict[str, str] = {}
    numbers: dict[Fraction, str] = {}
    for e in entries:
        if e.label not in names:
            fail(
                "V203",
                e.span,
                f"There is no {kind} called `{e.label}`.",
                suggestion(e.label, names, f"The {kind}s are"),
            )
        for item in e.value.items if isinstance(e.value, tree.Vector) else (e.value,):
            if isinstance(item, tree.Unary) and item.op == "-" and isinstance(item.operand, tree.Number):
                item = tree.Number(item.span, -item.operand.value)
            if isinstance(item, tree.Number):
                twice = numbers.setdefault(item.value, e.label) != e.label
            else:
                twice = codes.setdefault(_text(item, f"this {kind} in the file"), e.label) != e.label
            if twice:
                fail("V204", item.span, f"This stands for two {kind}s.", "Keep one of them.")
    return codes, numbers


def _points(program: Program, d: tree.Data, cells: Cells, labelled: bool, skips: bool) -> Data:
    domain = program.domain
    assert domain is not None
    interpreter = Interpreter(program)
    rows: list[PointValue] = []
    lines: list[int] = []
    labels: list[str] = []
    out: list[str] = []
    for line, row in zip(cells.lines, cells.rows, strict=True):
        rest = iter(row)
        point: dict[str, Value] = {}
        for c in domain.coordinates:
            point[c.name] = next(rest) if c.size is None else tuple(next(rest) for _ in range(c.size))
        if not interpreter.inside(point):
            out.append(f"line {line} ({_why(domain.coordinates, point)})")
            continue
        rows.append(point)
        lines.append(line)
        labels += [str(label) for label in rest]
    if out and not skips:
        shown = ", ".join(out[:NAMED]) + (f" and {len(out) - NAMED} more" if len(out) > NAMED else "")
        fail(
            "V319",
            d.value.span,
            f"{len(out)} of {len(cells.rows)} rows of {cells.file} lie outside of {domain.name}: {shown}.",
            "Widen the domain, or leave these rows out: `outside: skip`.",
        )
    if not rows:
        fail("V309", d.value.span, f"No row of {cells.file} lies in {domain.name}.", "Widen the domain.")
    found = tuple(labels) if labelled else None
    return Data(d.name.id, cells.file, tuple(rows), tuple(lines), found, d.span, len(out))


def _why(coordinates: Sequence[Coordinate], point: PointValue) -> str:
    for c in coordinates:
        value = point[c.name]
        for i, entry in enumerate(value if isinstance(value, tuple) else (value,)):
            if isinstance(entry, Fraction) and not c.holds(entry):
                name = c.name if c.size is None else f"{c.name}[{i}]"
                return f"{name} = {entry} is not in {c.interval}"
    return "its `where` does not hold"
