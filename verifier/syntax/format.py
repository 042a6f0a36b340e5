"""Tree → text and text → canonical text. Both space their tokens by the same rule, `_gap`.

`format_source` works on tokens, so what it prints means what it read: it only chooses the white space, writes signs in
ASCII, and drops commas that end a list. A bracket stays open over several lines if the source opened it so, or if it
holds a comment or does not fit; everything else goes on one line, and a line too long breaks before an operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, assert_never

from msgspec import Struct

from verifier.source import Diagnostic, Source
from verifier.syntax import limits, tree
from verifier.syntax.lexer import lex, reserved
from verifier.syntax.parser import parse

if TYPE_CHECKING:
    from lark import Token

WIDTH = 100
ASCII = {
    "∀": "forall",
    "∃": "exists",
    "∈": "in",
    "∧": "and",
    "∨": "or",
    "¬": "not",
    "⇒": "=>",
    "⇔": "<=>",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
}

# Spacing -------------------------------------------------------------------------------------------------------------

_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


def _operand(text: str) -> bool:
    """Does this token end an operand, so that a sign after it is binary and a bracket after it belongs to it?"""
    return text in _CLOSE or text[:1] in ("_", '"') or (text[:1].isalnum() and text not in reserved())


def _signs(words: list[str]) -> list[bool]:
    """Which tokens are signs of what follows (`-x`), rather than operators between two operands (`a - x`)."""
    return [word in ("-", "+") and not (i and _operand(words[i - 1])) for i, word in enumerate(words)]


def _tight(words: list[str], loose: list[bool], at: int) -> bool:
    """`1/2`, `2*x`, `(a + b)/2`, but `[[1, 2]] * v` and `x * -y`: is the `*` or `/` here written without spaces?"""
    after = words[at + 1] if at + 1 < len(words) else ""
    return not loose[at - 1] and (after == "(" or (_operand(after) and after not in _CLOSE))


def _gaps(words: list[str]) -> list[str]:
    """The white space before each token when all of them stand on one line. Brackets inside have none."""
    signs, loose, gaps = _signs(words), [False] * len(words), [""] * len(words)
    opened: list[int] = []
    for at, word in enumerate(words):
        if word in _OPEN:
            opened.append(at)
        elif word in _CLOSE and opened:
            begin = opened.pop()
            loose[at] = words[begin] == "{" or (words[begin] == "[" and not (begin and _operand(words[begin - 1])))
        before = words[at - 1] if at else ""
        together = (
            at == 0
            or word in (",", ":", ".", "^")
            or word in _CLOSE
            or before in (".", "^", "@")
            or before in _OPEN
            or signs[at - 1]
            or (word in ("(", "[") and _operand(before))
            or (word in ("*", "/") and _tight(words, loose, at))
            or (before in ("*", "/") and gaps[at - 1] == "")
        )
        gaps[at] = "" if together else " "
    return gaps


# Trees to text -------------------------------------------------------------------------------------------------------

_LEVEL = {
    "<=>": 1,
    "=>": 2,
    "or": 3,
    "and": 4,
    "not": 5,
    "<": 6,
    "<=": 6,
    "==": 6,
    "!=": 6,
    ">=": 6,
    ">": 6,
    "+": 7,
    "-": 7,
    "*": 8,
    "/": 8,
    "sign": 9,
    "postfix": 10,
}


def unparse(expr: tree.Expr) -> str:
    """An expression as canonical text on one line, with no parentheses but those it needs.

    `parse` reads it back as the same tree, up to spans. A number that no decimal equals (1/3, after folding) becomes a
    quotient, and a negative one a sign and a number.
    """
    words = list(_words(expr, 0, True))
    return "".join(gap + word for gap, word in zip(_gaps(words), words, strict=True))


def _words(expr: tree.Expr, level: int, last: bool) -> Iterator[str]:
    """The tokens of an expression in a place that wants at least `level`. Only in a `last` place may it end in an `if`
    or a quantifier, which would swallow what follows."""
    own, words = _spell(expr, last)
    if own >= level or (own == 0 and last):
        yield from words
    else:
        yield "("
        yield from _spell(expr, True)[1]
        yield ")"


def _spell(expr: tree.Expr, last: bool) -> tuple[int, Iterator[str]]:
    """How tightly an expression binds (0: it ends in an `if` or a quantifier), and its tokens."""
    match expr:
        case tree.Number(value=value):
            words = list(_number(value))
            return _LEVEL["*" if "/" in words else "sign" if len(words) > 1 else "postfix"], iter(words)
        case tree.Text(value=value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
            return _LEVEL["postfix"], iter([f'"{escaped}"'])
        case tree.Name(id=name):
            return _LEVEL["postfix"], iter([name])
        case tree.Field(value=value, name=name):
            return _LEVEL["postfix"], _join(_words(value, 10, False), ".", name)
        case tree.Index(value=value, index=index):
            return _LEVEL["postfix"], _join(_words(value, 10, False), "[", _words(index, 0, True), "]")
        case tree.Apply(function=function, arguments=arguments):
            return _LEVEL["postfix"], _join(_words(function, 10, False), "(", _arguments(arguments), ")")
        case tree.Vector(items=items):
            return _LEVEL["postfix"], _join("[", _commas([_words(item, 0, True) for item in items]), "]")
        case tree.Record(entries=entries):
            return _LEVEL["postfix"], _join("{", _arguments(entries), "}")
        case tree.Unary(op=op, operand=operand):
            level = _LEVEL["not" if op == "not" else "sign"]
            return level, _join(op, _words(operand, level, last))
        case tree.Binary(op=op, left=left, right=right):
            level = _LEVEL[op]
            to_right = op == "=>"
            return level, _join(_words(left, level + to_right, False), op, _words(right, level + (not to_right), last))
        case tree.Chain(operands=operands, ops=ops):
            parts: list[str | Iterator[str]] = []
            for operand, sign in zip(operands[:-1], ops, strict=True):
                parts += [_words(operand, _LEVEL["+"], False), sign]
            return _LEVEL["<"], _join(*parts, _words(operands[-1], _LEVEL["+"], last))
        case tree.If(test=test, then=then, otherwise=otherwise):
            return 0, _join(
                "if", _words(test, 0, True), "then", _words(then, 0, True), "else", _words(otherwise, 0, True)
            )
        case tree.Quantified(kind=kind, names=names, over=over, body=body):
            return 0, _join(
                kind, _commas([iter([name.id]) for name in names]), "in", over.id, ":", _words(body, 0, True)
            )
        case _:
            assert_never(expr)


def _join(*parts: str | Iterator[str]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        else:
            yield from part


def _commas(items: list[Iterator[str]]) -> Iterator[str]:
    for index, item in enumerate(items):
        yield from [","] * (index > 0)
        yield from item


def _arguments(arguments: tuple[tree.Argument, ...]) -> Iterator[str]:
    return _commas([_join(*([a.label, ":"] if a.label else []), _words(a.value, 0, True)) for a in arguments])


def _number(value: Fraction) -> Iterator[str]:
    """The tokens of an exact number: a decimal where one exists, else a quotient."""
    if value < 0:
        yield "-"
    numerator, denominator = abs(value.numerator), value.denominator
    twos = (denominator & -denominator).bit_length() - 1
    fives, odd = 0, denominator >> twos
    while odd % 5 == 0:
        fives, odd = fives + 1, odd // 5
    if odd != 1:
        yield from (str(numerator), "/", str(denominator))
        return
    power = -max(twos, fives)
    digits = str(numerator * 10**-power // denominator)
    if power == 0 and len(digits) > 21:
        power = min(len(digits) - len(digits.rstrip("0")), limits.EXPONENT)
        digits = digits[: len(digits) - power]
    if power == 0:
        yield digits
    elif -21 <= power < 0:
        digits = digits.rjust(1 - power, "0")
        yield f"{digits[:power]}.{digits[power:]}"
    else:
        yield f"{digits}e{power}"


# Text to canonical text ----------------------------------------------------------------------------------------------


class _Break(Struct, frozen=True):
    """White space that may become a line break: `flat` on one line, else an indent of `offset` in its bracket. A
    `fill` breaks only where the words up to the next break as loose as itself (`level`) do not fit; the other breaks of
    a bracket come together."""

    flat: str
    offset: int
    fill: bool = False
    blank: bool = False
    level: int = 0


class _Comment(Struct, frozen=True):
    """`# ...`, on a line of its own or after a word; a line break follows."""

    text: str
    own: bool
    blank: bool


class _Pad(Struct, frozen=True):
    """One space on one line; so many as to align the parts of a model over several."""

    spaces: str


class _Group(Struct, frozen=True):
    """A bracket and what it holds: on one line if it fits and nothing keeps it `broken`."""

    parts: list[_Doc]
    broken: bool


_Doc: TypeAlias = "str | _Break | _Comment | _Pad | _Group"


def format_source(source: Source) -> str | tuple[Diagnostic, ...]:
    """A file in canonical form, or what is wrong with it. Formatting twice changes nothing more."""
    file, diagnostics = parse(source)
    if diagnostics:
        return diagnostics
    tokens, _ = lex(source)
    lines: list[str] = []
    remarks: dict[int, str] = {}  # the comments behind a declaration, by line
    end, index = 0, 0
    for declaration in file.declarations:
        begin = index
        while index < len(tokens) and (tokens[index].start_pos or 0) < declaration.span.end:
            index += 1
        _between(source, end, declaration.span.start, lines, remarks)
        lines += _render(_Layout(source, tokens[begin:index]).words_of(""))
        end = declaration.span.end
    _between(source, end, len(source.text), lines, remarks)
    _align(lines, remarks)
    return "".join(line + "\n" for line in lines).rstrip("\n") + "\n" * bool(lines)


def _comments(source: Source, start: int, end: int) -> Iterator[_Comment]:
    """The comments between two tokens."""
    text, at = source.text[start:end], 0
    for match in re.finditer("#[^\n]*", text):
        newlines = text.count("\n", at, match.start())
        yield _Comment(match[0].rstrip(), newlines > 0 or start == 0, newlines > 1)
        at = match.end()


def _between(source: Source, start: int, end: int, lines: list[str], remarks: dict[int, str]) -> None:
    """Comments and blank lines between two declarations."""
    for comment in _comments(source, start, end):
        if comment.own:
            lines += [""] * (comment.blank and bool(lines)) + [comment.text]
        else:
            remarks[len(lines) - 1] = comment.text
    if lines and source.text[start:end].rpartition("#")[2].count("\n") > 1:
        lines.append("")


def _align(lines: list[str], remarks: dict[int, str]) -> None:
    """Comments behind neighbouring lines begin in one column if they all fit there, else two spaces behind the code."""
    rows = sorted(remarks)
    while rows:
        run = [row for place, row in enumerate(rows) if row == rows[0] + place]
        column = max(len(lines[row]) for row in run)
        fits = all(column + 2 + len(remarks[row]) <= WIDTH for row in run)
        for row in run:
            lines[row] = (lines[row].ljust(column) if fits else lines[row]) + "  " + remarks[row]
        rows = rows[len(run) :]


_PARTS = ("features", "metric", "decide")
_ALIGN = 2 + len("features ")
"""Where the parts of a model begin, after the indent and the longest of their words."""
_BEFORE = frozenset(
    ["and", "or", "=>", "<=>", "then", "else", "+", "-", "*", "/", "<", "<=", "==", "!=", ">=", ">", "where", "expect"]
)
"""The words a line too long may break before."""


class _Layout:
    """One declaration as a document. Walks the tokens once, bracket by bracket."""

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self.source = source
        self.tokens = _without_last_commas(tokens)
        self.words = [ASCII.get(str(token), str(token)) for token in self.tokens]
        self.gaps = _gaps(self.words)
        self.at = 0

    def words_of(self, kind: str) -> list[_Doc]:
        """The words up to the end of the declaration or of the bracket we are in, with the breaks its `kind` allows."""
        parts: list[_Doc] = []
        fresh = True  # at the beginning of an item: comments and white space are already there
        binding = False  # among the names of a quantifier, whose commas are not the list's
        while self.at < len(self.words) and (word := self.words[self.at]) not in _CLOSE:
            comments = [] if fresh else self.comments()
            if word == ",":
                self.at += 1
                parts += [",", *comments, *self.comments(), self.after_comma(kind if not binding else "")]
            elif kind == "model" and word in _PARTS:
                parts += [*comments, *([] if fresh else [_Break("   ", 2, blank=self.blank())])]
                parts += [word, _Pad(" " * (_ALIGN - 2 - len(word)))]
                self.at += 1
                parts += self.comments()
            else:
                parts += [*comments, *([] if fresh else self.before(word, kind, bool(comments)))]
                parts.append(self.bracket() if word in _OPEN else word)
                self.at += word not in _OPEN
            fresh = word == "," or (kind == "model" and word in _PARTS)
            binding = (binding or word in ("forall", "exists")) and word != "in"
        return [*parts, *([] if fresh else self.comments())]

    def bracket(self) -> _Group:
        """A bracket and its items. It keeps its lines if the source breaks right after it opens."""
        opener, begin, standing = self.words[self.at], self.at, self.at <= 3
        block = self.words[0] if opener == "{" and begin <= 2 else ""
        matrix = self.words[begin + 1 : begin + 2] == ["["]
        kind = {"oracle": "model"}.get(block, block) or ("row" if opener == "[" and not matrix else "list")
        inner = " " if opener == "{" and standing else ""
        self.at += 1
        kept = "\n" in self.gap_text()
        first = self.comments()
        parts = self.words_of(kind)
        closer = self.words[self.at]
        self.at += 1
        if not parts and not first:
            return _Group([opener, closer], False)
        broken = kept or any(isinstance(p, _Comment) or (isinstance(p, _Group) and p.broken) for p in parts)
        return _Group([opener, *first, _Break(inner, 2), *parts, _Break(inner, 0), closer], broken)

    def before(self, word: str, kind: str, commented: bool) -> list[_Doc]:
        """The white space before a word inside an item."""
        if not kind and word in ("assert", "@"):
            return [_Break(" ", 0, fill=word == "@")]
        gap = self.gaps[self.at]
        if word == "where" and kind == "domain":
            return [_Break(" ", 2)]
        if commented or (gap and word in _BEFORE):
            return [_Break(gap, _ALIGN if kind == "model" else 4, fill=True, level=_LEVEL.get(word, 0))]
        return [gap]

    def after_comma(self, kind: str) -> _Doc:
        match kind:
            case "":
                return _Break(" ", 4, fill=True)
            case "model":
                return _Break(" ", _ALIGN, fill=True)
            case _:
                return _Break(" ", 2, fill=kind in ("labels", "row"), blank=self.blank())

    def gap_text(self) -> str:
        """What stands in the source between the word before and this one."""
        return self.source.text[self.tokens[self.at - 1].end_pos : self.tokens[self.at].start_pos]

    def comments(self) -> list[_Doc]:
        """The comments between the word before and this one; those around the declaration belong to the file."""
        if not 0 < self.at < len(self.tokens):
            return []
        return list(_comments(self.source, self.tokens[self.at - 1].end_pos or 0, self.tokens[self.at].start_pos or 0))

    def blank(self) -> bool:
        """Does the source leave a blank line right before this word?"""
        return self.at < len(self.tokens) and self.gap_text().rpartition("#")[2].count("\n") > 1


def _without_last_commas(tokens: list[Token]) -> list[Token]:
    """The tokens without the commas that end a list: before a closing bracket, or the next part of a declaration."""
    ends = [
        token in _CLOSE or (token in (*_PARTS, "where") and follower != ":")
        for token, follower in zip(tokens, [*tokens[1:], None], strict=True)
    ]
    return [token for token, ending in zip(tokens, [*ends[1:], False], strict=True) if not (token == "," and ending)]


def _render(parts: list[_Doc]) -> list[str]:
    """The lines of a document, at most WIDTH wide where that can be."""
    lines = [""]
    due = False  # a comment has ended the line
    stack: list[tuple[_Doc, bool, int]] = [(part, True, 0) for part in reversed(parts)]
    while stack:
        part, broken, base = stack.pop()
        match part:
            case str():
                if due:
                    lines.append(" " * (base + 4))
                lines[-1] += part
                due = False
            case _Pad():
                lines[-1] += part.spaces if broken else " "
            case _Comment():
                if part.own or due:
                    lines += [""] * part.blank + [" " * (base + 2) + part.text]
                else:
                    lines[-1] = f"{lines[-1].rstrip()}  {part.text}"
                due = True
            case _Break():
                if due or (broken and not (part.fill and _fits(part.flat, stack, WIDTH - len(lines[-1]), part.level))):
                    lines += [""] * part.blank + [" " * (base + part.offset)]
                else:
                    lines[-1] += part.flat
                due = False
            case _Group():
                inside = len(lines[-1]) - len(lines[-1].lstrip(" "))
                stay = part.broken or not _fits(part, stack, WIDTH - len(lines[-1]))
                stack += [(inner, stay, inside) for inner in reversed(part.parts)]
            case _:
                assert_never(part)
    return [line.rstrip() for line in lines]


def _fits(first: _Doc, rest: list[tuple[_Doc, bool, int]], room: int, level: int = 10) -> bool:
    """Does `first` fit on the line, with everything up to the next possible break at this `level` or a looser one?"""
    flat: list[_Doc] = [first]
    behind = len(rest)
    while room >= 0:
        if flat:
            part, broken = flat.pop(), False
        elif behind:
            behind -= 1
            part, broken, _ = rest[behind]
        else:
            return True
        match part:
            case str():
                room -= len(part)
            case _Pad():
                room -= len(part.spaces) if broken else 1
            case _Comment():
                return True
            case _Break():
                if broken and part.level <= level:
                    return True
                room -= len(part.flat)
            case _Group():
                if part.broken:
                    return room > 0
                flat += reversed(part.parts)
            case _:
                assert_never(part)
    return False
