"""Results and diagnostics as text: the same characters on a terminal (with colours) and in a file (without)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from textwrap import wrap
from typing import assert_never

from verifier.model.program import Value
from verifier.report import parts
from verifier.report.asked import asked_lines
from verifier.report.figure import table
from verifier.report.rows import in_words, least
from verifier.report.text import (
    ABOUT,
    cells,
    counted,
    distance_text,
    entries,
    number,
    pad,
    point_text,
    printable,
    spelled,
    told_apart,
)
from verifier.source import Diagnostic
from verifier.syntax import tree
from verifier.verdict.verdict import (
    Checked,
    Computed,
    FileResult,
    Limit,
    Pieces,
    Proved,
    Refuted,
    Root,
    Rule,
    Seen,
    Strategy,
    Table,
    Undecided,
    Witness,
)

Paint = Callable[[str, str], str]
"""(text, style) -> text; styles: `good`, `bad`, `open`, `quiet`, `strong`."""

WIDTH = 87
HEAD = 44
"""A longer assertion has its verdict on the next line."""
FOLD = 8
"""With more rows than this, those on which the points agree become one line."""
ROWS = 12
LONG = 300
"""Of a longer choice of a strategy the beginning is shown."""
RULES = 4
"""Of a strategy with more rules these are shown."""
MARGIN = "   "


def plain(text: str, style: str) -> str:
    return text


def ansi(text: str, style: str) -> str:
    code = {"good": "32", "bad": "1;31", "open": "33", "quiet": "2", "strong": "1"}[style]
    return f"\x1b[{code}m{text}\x1b[0m" if text else text


# One file ------------------------------------------------------------------------------------------------------------


def file_text(result: FileResult, paint: Paint = plain, title: bool = False, quiet: bool = False) -> str:
    """All assertions and computes of one file, in its order; `quiet` leaves out what is as expected."""
    said: list[Checked | Computed] = [*result.assertions, *result.computed]
    said.sort(key=lambda r: r.span.start)
    if quiet:
        said = [r for r in said if (r.met is not True if isinstance(r, Checked) else r.value is None)]
    names = max((cells(r.name) for r in said), default=0)
    heads = [f"{pad(r.name, names)} {printable(r.text)}" for r in said]
    column = max((cells(h) for h in heads if cells(h) <= HEAD), default=20) + 4
    blocks = [[*block(r, head, column, paint), *stats(r, paint)] for r, head in zip(said, heads, strict=True)]
    if any(ABOUT in line for b in blocks for line in b):
        blocks.append([paint(f"{MARGIN}{ABOUT} marks a rounded number; --json has the exact one.", "quiet")])
    if result.interrupted:
        blocks.append([paint("Interrupted: the rest was not checked.", "open")])
    lines = [line.rstrip() for b in blocks for line in b]
    if title and lines:
        lines.insert(0, paint(printable(result.path), "strong"))
    return "".join(line + "\n" for line in lines)


LONGEST = 30
"""A root of more characters is rounded."""


def block(result: Checked | Computed, head: str, column: int, paint: Paint) -> list[str]:
    """The line of one result, and what explains it."""
    match result:
        case Checked():
            style = {True: "good", False: "bad", None: "open"}[result.met]
            return [*headline(head, result.word, remark(result), result.seconds, column, style, paint), *why(result)]
        case Computed(value=value):
            if value is None:
                lines = headline(head, "unknown", "", result.seconds, column, "open", paint)
                return [*lines, *sentences(f"Unknown: {result.reason}" if result.reason else "")]
            match value:
                case Fraction():
                    shown = number(value, 12, short=25)
                case Root():
                    exact = str(value)
                    shown = exact if len(exact) <= LONGEST else number(value.near, 12, short=0)
                case _:
                    shown = value
            word = shown if shown.startswith(ABOUT) else f"= {shown}"
            attained = {True: "attained", False: "approached, not attained", None: ""}[result.attained]
            how = "" if result.result.how == "exact" else result.result.how
            notes = remarks(how, attained, *trusting(result.trusts))
            lines = headline(head, word, notes, result.seconds, column, "strong", paint)
            lines += sentences(result.reason) + (witness_lines(result.pair) if result.pair else [])
            lines += [line for note in result.result.notes for line in sentences(note)]
            if result.result.figure is not None:
                lines += [MARGIN + line for line in columns(table(result.result.figure), 3)]
            return lines + (table_lines(result.result.table) if result.result.table is not None else [])
        case _:
            assert_never(result)


def stats(result: Checked | Computed, paint: Paint) -> list[str]:
    """What the engines were asked, where it is wanted."""
    if result.asked is None:
        return []
    told = result.result if isinstance(result, Computed) else result.verdict
    certificates = () if isinstance(told, Undecided) else told.certificates
    return [paint(line, "quiet") for line in asked_lines(result.asked, certificates, WIDTH, MARGIN)]


def headline(head: str, word: str, note: str, seconds: float, column: int, style: str, paint: Paint) -> list[str]:
    """`A1 contained(f1, f2)    refuted  (as expected)      0.01 s`."""
    first = [] if cells(head) <= column - 4 else [head]
    left = pad("" if first else head, column)
    middle = pad(word, 7) + (f"  {note}" if note else "")
    time = f"{seconds:.2f} s"
    gap = " " * max(2, WIDTH - cells(left + middle) - len(time))
    return [*first, left + paint(word, style) + middle[len(word) :] + gap + paint(time, "quiet")]


def remark(result: Checked) -> str:
    if result.met is True and not result.vacuous:
        expectation = "as expected" if result.expected == "refuted" else ""
    else:
        expectation = "" if result.word == result.expected else f"expected {result.expected}"
    trusts = () if isinstance(result.verdict, Undecided) else result.verdict.trusts
    return remarks("vacuous" if result.vacuous else "", expectation, *trusting(trusts))


def remarks(*parts: str) -> str:
    text = ", ".join(printable(p) for p in parts if p)
    return f"({text})" if text else ""


def trusting(trusts: Sequence[str]) -> list[str]:
    return ["trusting " + " and ".join(trusts)] if trusts else []


def why(result: Checked) -> list[str]:
    """What stands below the line of an assertion: reason, witness, notes, warnings."""
    lines = sentences(f"Vacuous: {result.vacuous}" if result.vacuous else "")
    match result.verdict:
        case Undecided(why=reason, later=later):
            lines += sentences(f"{'Not in this version yet' if later else 'Unknown'}: {reason}")
        case Proved(pair=pair, notes=notes) | Refuted(pair=pair, notes=notes):
            if pair is not None:
                lines += witness_lines(pair)
            lines += sentences(" ".join(notes))
        case _:
            assert_never(result.verdict)
    if result.table is not None:
        lines += table_lines(result.table)
    if result.pieces is not None:
        lines += pieces_lines(result.pieces)
    if result.strategy is not None and result.strategy.rules:
        lines += strategy_lines(result.strategy)
    for warning in result.warnings:
        lines += sentences(f"Warning: {warning}")
    for hint in hints(result) if result.met is False else ():
        lines += sentences(f"Hint: {hint}")
    return lines


def table_lines(table: Table) -> list[str]:
    """The rows of a data set: a summary, and the least robust ones."""
    lines = [line for said in in_words(table) for line in sentences(said)]
    worst = least(table)
    return lines + ([MARGIN + line for line in columns(worst, 3)] if worst else [])


def strategy_lines(strategy: Strategy) -> list[str]:
    """What is chosen when, the first rules of it."""
    lines = sentences(f"To every {', '.join(strategy.of)} an answer {', '.join(strategy.answers)}:")
    listed = strategy.rules[:RULES]
    choices = [r.choice if len(r.choice) <= LONG else f"{r.choice[:LONG].rpartition(',')[0]}, ..." for r in listed]
    table = columns([[choice, applies(rule)] for choice, rule in zip(choices, listed, strict=True)], 3)
    if all(cells(line) <= WIDTH for line in table):
        lines += [MARGIN + line for line in table]
    else:
        lines += [line for c, rule in zip(choices, listed, strict=True) for line in sentences(f"{c} {applies(rule)}")]
    more = len(strategy.rules) - len(listed)
    return lines + (sentences(f"{counted(more, 'more rule')}: --json has all of them.") if more else [])


def applies(rule: Rule) -> str:
    """Where a rule of a strategy does."""
    return "wherever that is one" if rule.where is None else f"where {rule.where}" if rule.where else ""


def pieces_lines(pieces: Pieces) -> list[str]:
    """The parts of a partition: a summary, and the first of them."""
    shown, more = parts.listed(pieces)
    lines = [*sentences(parts.in_words(pieces)), *(MARGIN + line for line in columns(shown, 3))]
    return lines + (sentences(f"{counted(more, 'more part')}: --json has all of them.") if more else [])


def hints(result: Checked) -> list[str]:
    """The texts of the assertion's `@hint`s."""
    return [
        a.value.value
        for annotation in result.annotations
        if annotation.name.id == "hint"
        for a in annotation.arguments
        if isinstance(a.value, tree.Text)
    ]


def sentences(text: str) -> list[str]:
    """`text` in lines below a result; `a = 1` is never broken."""
    glued = re.sub(r" (=|->|≈) ", "\0\\1\0", printable(text)).replace(f"{ABOUT} ", f"{ABOUT}\0")
    lines = wrap(
        glued, WIDTH, initial_indent=MARGIN, subsequent_indent=MARGIN, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\0", " ") for line in lines]


# Witnesses -----------------------------------------------------------------------------------------------------------


def witness_lines(witness: Witness) -> list[str]:
    """The points as a table, one row a coordinate; beside it what each classifier makes of them."""
    left, below = point_table(witness)
    right = seen_table(witness.seen)
    width = max((cells(line) for line in left), default=0)
    if right and width + 5 + max(map(cells, right)) <= 120:
        beside = zip_longest(left, ["", *right] if left else right, fillvalue="")
        lines = [f"{pad(a, width)}     {b}" for a, b in beside]
    else:
        lines = [*left, *(MARGIN + r for r in right)]
    lines += sentences(below)
    if witness.limit is not None:
        lines += limit_lines(witness.limit, witness)
    return [*lines, *sentences(" ".join(witness.notes))]


def point_table(witness: Witness) -> tuple[list[str], str]:
    """The rows that matter, and a sentence about the others."""
    points = [entries(p) for p in witness.points.values()]
    if not points:
        return [], ""
    rows = {name: [p[name] for p in points] for name in points[0]}
    agree: dict[str, Value] = {}
    if len(points) > 1 and len(rows) > FOLD:
        agree = {name: values[0] for name, values in rows.items() if len(set(values)) == 1}
        if len(agree) < 2:
            agree = {}
    shown = [name for name in rows if name not in agree]
    left_out = shown[ROWS:]
    table = [["", *witness.points], *([name, *told_apart(rows[name])] for name in shown[:ROWS])]
    below = []
    if left_out:
        below.append(f"{len(left_out)} more coordinates{' differ' if len(points) > 1 else ''}: --json has all of them.")
    if agree:
        the = "The" if len(agree) == len(rows) else "The other"
        below.append(f"{the} {len(agree)} coordinates agree: {point_text(agree)}.")
    return [MARGIN + line for line in columns(table, 3)], " ".join(below)


def columns(table: Sequence[Sequence[str]], gap: int) -> list[str]:
    texts = [[printable(cell) for cell in row] for row in table]
    widths = [max(map(cells, column)) for column in zip(*texts, strict=True)]
    return [(" " * gap).join(pad(c, w) for c, w in zip(row, widths, strict=True)).rstrip() for row in texts]


def distance_name(seen: Seen, several: bool) -> str:
    """d1' is the distance of the model, d2' of the oracle."""
    name = "d1'" if seen.kind == "model" else "d2'"
    return f"{name}({seen.classifier})" if several else name


def seen_table(seen: Sequence[Seen]) -> list[str]:
    """`oracle   s = 2/5 | 2/5      d2' = 0     f2 = small | small`, one line a feature."""
    several = len({s.kind for s in seen}) < len(seen)
    ordered = sorted(seen, key=lambda s: s.kind == "model")
    listed = [feature_rows(s.features) for s in ordered]
    names = max((cells(name) for rows in listed for name, _ in rows), default=0)
    firsts = max((cells(texts[0]) for rows in listed for _, texts in rows if len(texts) > 1), default=0)
    table: list[list[str]] = []
    for s, rows in zip(ordered, listed, strict=True):
        cells_of = [
            f"{pad(name, names)} = {' | '.join([pad(texts[0], firsts), *texts[1:]])}" if texts else name
            for name, texts in rows
        ]
        kind = f"{s.kind} {s.classifier}" if several else s.kind
        distance = "" if s.distance is None else f"{distance_name(s, several)} = {distance_text(s.distance)}"
        labels = f"{s.classifier} = {' | '.join(s.labels)}" if any(s.labels) else f"{s.classifier} is constant"
        table.append([kind, cells_of[0] if cells_of else "", distance, labels])
        table += [["", more, "", ""] for more in cells_of[1:]]
    if not table:
        return []
    kinds, features, distances, labels_ = (list(c) for c in zip(*table, strict=True))
    gaps = [(kinds, 3), (features, 6), (distances, 5), (labels_, 0)]
    widths = [(max(cells(printable(c)) for c in column), gap) for column, gap in gaps]
    lines = []
    for row in table:
        parts = [pad(printable(c), w + gap) if w else "" for c, (w, gap) in zip(row, widths, strict=True)]
        lines.append("".join(parts).rstrip())
    return lines


def feature_rows(features: Sequence[Mapping[str, Value]]) -> list[tuple[str, list[str]]]:
    """The features on which the points differ; all of them when they do not, or when there is one point."""
    points = [entries(f) for f in features]
    if not points:
        return []
    rows = {name: [p[name] for p in points] for name in points[0]}
    shown = {n: v for n, v in rows.items() if len(set(v)) > 1} or rows
    listed = [(name, told_apart(values)) for name, values in list(shown.items())[:WIDE_FEATURES]]
    more = len(shown) - len(listed)
    return [*listed, (f"and {more} more", [])] if more else listed


WIDE_FEATURES = 6


def limit_lines(limit: Limit, witness: Witness) -> list[str]:
    """Theorem 1*: what is approached, along which segment, and which member is shown."""
    x, other, *_ = [*witness.points, "x", "x'"] if len(witness.points) > 1 else ["x", "x'"]
    path, verb = f"{other} = y + s*(z - y)", "gives"
    ends = [("y", limit.y), ("z", limit.z)]
    if limit.x_end is not None:
        path, verb = f"{x} = a + s*(b - a) and {path}", "give"
        ends = [("a", limit.x), ("b", limit.x_end), *ends]
    far = next((s.distance for s in witness.seen if s.kind == "oracle"), None)
    near = next((s.distance for s in witness.seen if s.kind == "model"), None)
    swapped = far is not None and near is not None and near <= limit.eps < far  # containment the other way round
    falls, rises = ("d1'", "d2'") if swapped else ("d2'", "d1'")
    stays = "the labels stay apart" if limit.start is None else f"{rises} -> {number(limit.start)}"
    lines = sentences(f"Approached, not attained: as s -> 0, {path} {verb} {falls} -> 0 while {stays}.")
    for name, point in ends:
        lines += [MARGIN + line for line in sentences(f"{name}: {point_text(point)}")]
    distances = {s.kind: s.distance for s in witness.seen if s.distance is not None}
    both = ", ".join(
        f"{name} = {distance_text(distances[kind])}"
        for kind, name in (("oracle", "d2'"), ("model", "d1'"))
        if kind in distances
    )
    return [*lines, *sentences(f"The pair shown is the one for eps = {number(limit.eps)}{': ' if both else ''}{both}.")]


# Diagnostics ---------------------------------------------------------------------------------------------------------


def diagnostic_text(diagnostic: Diagnostic, lines: Mapping[str, Sequence[str]], paint: Paint = plain) -> str:
    """`path:line:column: error[V201]: message`, the line with the place underlined, and `fix: ...`."""
    span = diagnostic.span
    style = "bad" if diagnostic.severity == "error" else "open"
    place = f"{printable(span.file)}:{span.line}:{span.column}: " if span.file else ""
    kind = paint(f"{diagnostic.severity}[{diagnostic.code}]", style)
    text = [f"{place}{kind}: {printable(diagnostic.message)}"]
    source = lines.get(span.file, ())
    if 1 <= span.line <= len(source):
        quoted, before, under = excerpt(source[span.line - 1], span.column - 1, span.end - span.start)
        gutter = f"{span.line:>4} | "
        text += [gutter + quoted, " " * (len(gutter) + before) + paint("^" * under, style)]
    if diagnostic.fix:
        text.append(f"     fix: {printable(diagnostic.fix)}")
    return "\n".join(text)


VIEW = 100


def excerpt(line: str, start: int, length: int) -> tuple[str, int, int]:
    """The part of `line` around the place, safe to show; columns before the caret; columns under it."""
    start = min(start, len(line))
    end = min(start + max(length, 1), len(line))
    shown: list[str] = []
    at = 0
    for c in line:
        shown.append(" " * (4 - at % 4) if c == "\t" else c if c.isprintable() else spelled(c))
        at += cells(shown[-1])
    low, high = 0, len(shown)
    if cells("".join(shown)) > VIEW:  # a window: the place, with at most VIEW columns around it
        low = high = start
        width = 0
        while width < VIEW - 8 and (low > 0 or high < len(shown)):
            ahead = high < len(shown) and (low == 0 or high - start <= 2 * (start - low) or high < end)
            width += cells(shown[high] if ahead else shown[low - 1])
            low, high = (low, high + 1) if ahead else (low - 1, high)
    head, tail = "… " if low else "", " …" if high < len(shown) else ""
    before = cells(head + "".join(shown[low:start]))
    under = max(1, cells("".join(shown[start : min(end, high)])))
    return head + "".join(shown[low:high]) + tail, before, under


# All files -----------------------------------------------------------------------------------------------------------


def summary(results: Iterable[FileResult]) -> str:
    """`14 assertions: 10 proved, 3 refuted, 1 unknown; 13 as expected`."""
    results = list(results)
    checked = [a for r in results for a in r.assertions]
    parts = [f"{n} {w}" for w in ("proved", "refuted", "unknown") if (n := sum(a.word == w for a in checked))]
    vacuous = sum(bool(a.vacuous) for a in checked)
    broken = sum(any(d.severity == "error" for d in r.diagnostics) for r in results)
    text = counted(len(checked), "assertion")
    if checked:
        text += f": {', '.join(parts)}; {sum(a.met is True for a in checked)} as expected"
    if vacuous:
        text += f"; {vacuous} vacuous"
    if broken:
        text += f"; {counted(broken, 'file')} with errors"
    return text
