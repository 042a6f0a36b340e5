"""Text → tokens. Every token of the grammar comes from lark; what lark cannot read is named, and mended where it can
be, so that one slip does not hide the next. A stretch beyond mending becomes a `DAMAGE` token."""

from __future__ import annotations

import os
import re
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from verifier.source import Diagnostic, Source
from verifier.syntax import limits

if TYPE_CHECKING:
    from lark import Lark, Token

DAMAGE = "DAMAGE"


def grammar_text() -> str:
    """The grammar: `verifier/grammar` in an installed package, `grammar` beside the package in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "grammar" / "verifier.lark"
    return (installed if installed.is_file() else package.parent / "grammar" / "verifier.lark").read_text("utf-8")


@cache
def grammar() -> Lark:
    """The LALR parser, read from `tables()`; built (about 0.3 s) where they are not there yet."""
    from lark import Lark

    return Lark(
        grammar_text(),
        start="file",
        parser="lalr",
        lexer="basic",
        propagate_positions=True,
        ordered_sets=False,
        cache=tables(),
    )


def tables() -> str | Literal[False]:
    """The file in which lark keeps the tables of the parser, a pickle: in a folder that only the user can write. False
    where there is no such folder."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "verifier"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        at = folder.stat()
    except (OSError, RuntimeError):
        return False
    if hasattr(os, "getuid") and (at.st_uid != os.getuid() or at.st_mode & 0o022):
        return False
    return str(folder / "grammar.tables")


@cache
def spelling() -> dict[str, str]:
    """How a terminal is written: `IF` → `if`, `NAME` → `NAME`, `$END` → `$END`."""
    from lark.lexer import PatternStr

    fixed = {t.name: t.pattern.value for t in grammar().terminals if isinstance(t.pattern, PatternStr)}
    return {name: fixed.get(name, name) for name in ["$END", *(t.name for t in grammar().terminals)]}


@cache
def terminal() -> dict[str, str]:
    """The terminal that is written so: `if` → `IF`."""
    return {text: name for name, text in spelling().items()}


@cache
def reserved() -> frozenset[str]:
    """The words that cannot be names."""
    return frozenset(text for text in terminal() if text.isalpha() and text.islower() and text.isascii())


def printable(text: str) -> str:
    """`text` safe to show: control and invisible characters are spelled out."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def token_of(text: str, start: int, end: int) -> Token:
    """A token that stands for characters `start` to `end`: a sign or word of the grammar, else a NAME or DAMAGE."""
    from lark import Token

    kind = terminal().get(text) or (DAMAGE if text == DAMAGE else "STRING" if text[:1] == '"' else "NAME")
    return Token(kind, text, start_pos=start, end_pos=end)


# Reading -------------------------------------------------------------------------------------------------------------


def read(path: str | Path) -> Source | Diagnostic:
    """The source in a file, or why there is none (V101 unreadable, V102 not UTF-8, V104 too large)."""
    place = Source(str(path), "").span(0, 0)
    try:
        with open(path, "rb") as file:
            data = file.read(limits.FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Diagnostic(
            "V101",
            place,
            f"Cannot read `{printable(str(path))}`: {printable(why).lower()}.",
            fix="Check the path; it must name a text file that you may read.",
        )
    return decode(str(path), data)


def decode(path: str, data: bytes) -> Source | Diagnostic:
    """The source that `data` spells in UTF-8. A byte order mark is no part of the text."""
    if len(data) > limits.FILE_BYTES:
        return too_large(Source(path, ""))
    try:
        return Source(path, data.decode("utf-8-sig"), data.startswith(BOM_UTF8))
    except UnicodeDecodeError as error:
        before = Source(path, data[: error.start].decode("utf-8", "replace").removeprefix("\ufeff"))
        end = len(before.text)
        return Diagnostic(
            "V102",
            before.span(end, end),
            f"The byte {data[error.start]:#04x} is not UTF-8 text.",
            fix="Save the file as UTF-8.",
        )


def too_large(source: Source) -> Diagnostic:
    return Diagnostic(
        "V104",
        source.span(0, 0),
        f"The file is larger than {limits.FILE_BYTES:,} bytes.",
        fix='Split it with `use`, or keep long matrices in a file of their own: `matrix("w.csv")`.',
    )


# Mistakes below the level of tokens ----------------------------------------------------------------------------------

# Invisible on the screen, or able to make it show another text than the one that is checked.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]|\r(?!\n)"
)
NAMED = {"\0": "NUL", "\r": "a carriage return without a line feed", "\ufeff": "a byte order mark inside the text"}

LOOKALIKE = dict(
    zip("аеорсухіјѕАВЕКМНОРСТХІЈЅοαρνΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijsABEKMHOPCTXIJSoapvABEZHIKMNOPTYX", strict=True)
)


class Slip(Struct, frozen=True):
    """Text the grammar has no token for: how to know it, what it stands for (None: beyond mending), what to say."""

    pattern: re.Pattern[str]
    instead: str | None
    code: str
    message: str
    fix: str


def _slip(pattern: str, instead: str | None, code: str, message: str, fix: str) -> Slip:
    return Slip(re.compile(pattern), instead, code, message, fix)


SLIPS = (
    _slip("&&?", "and", "V112", "`{}` is not used here; conjunction is a word.", "Write `and`."),
    _slip(r"\|\|", "or", "V112", "`{}` is not used here; disjunction is a word.", "Write `or`."),
    _slip(r"\|", None, "V112", "`{}` is not used here.", "Write `abs(x)` for |x|, or `or` between conditions."),
    _slip("!", "not", "V112", "`{}` is not used here; negation is a word.", "Write `not`."),
    _slip("[→⟶⟹]", "=>", "V112", "Implication is not written `{}`.", "Write `=>`."),
    _slip("[↔⟷⟺]", "<=>", "V112", "Equivalence is not written `{}`.", "Write `<=>`."),
    _slip("[×·⋅∙∗]", "*", "V112", "Multiplication is not written `{}`.", "Write `*`."),
    _slip("[÷∕⁄]", "/", "V112", "Division is not written `{}`.", "Write `/`."),
    _slip("[−–—‐‑]", "-", "V112", "This is not a minus sign but `{}`, which only looks like one.", "Write `-`."),
    _slip("∞", "infinity", "V112", "Infinity is not written `{}`.", "Write `infinity`."),
    _slip(r"\?", None, "V112", "`{}` is not used here.", "Write `if … then … else …`."),
    _slip("%", "", "V117", "Numbers carry no percent sign.", "Write a fraction: `10/100` or `0.1`."),
    _slip(
        ";+", "", "V113", "A declaration needs no `;`: the next reserved word begins the next one.", "Delete the `;`."
    ),
    _slip("'[^'\"\n]*'", "STRING", "V114", "Text stands in double quotes.", 'Write `"…"`.'),
    _slip(
        '[“”„‟«»][^“”„‟«»"\n]*[“”„‟«»"]',
        "STRING",
        "V114",
        "These are typographic quotation marks.",
        'Write straight ones: `"…"`.',
    ),
    _slip(
        "[“”„‟«»‘’‚`'′]",
        None,
        "V114",
        "`{}` is not a quotation mark or a prime that I know.",
        'Write text as `"…"`, and a prime as `x\'`.',
    ),
    _slip('"[^"\n]*', "STRING", "V115", "This text is never closed on its line.", 'Add the missing `"`.'),
)

STRAY = _slip("(?s).", None, "V110", "`{}` has no meaning here.", "Delete it.")

# Signs that lark reads as two tokens though no sentence has them side by side.
JOINED = {
    "===": ("==", "Equality is written `==`."),
    "!==": ("!=", "Inequality is written `!=`."),
    "<>": ("!=", "Inequality is written `!=`."),
    "=<": ("<=", "At most is written `<=`."),
    "->": ("=>", "Implication is written `=>`."),
    "==>": ("=>", "Implication is written `=>`."),
    "<==>": ("<=>", "Equivalence is written `<=>`."),
    ":=": ("=", "A name is given with `=`."),
    "**": (DAMAGE, "There are no powers: everything is piecewise linear."),
}

UNITS = frozenset("mm cm dm km mg kg ms min px pt eur EUR usd USD czk CZK deg rad pct percent".split())


def lex(source: Source) -> tuple[list[Token], list[Diagnostic]]:
    """The tokens of a source (comments and white space left out), and what is wrong with its characters."""
    found: list[Diagnostic] = []
    if len(source.text) > limits.FILE_BYTES:
        return [], [too_large(source)]
    text = "".join(_visible(source, found))
    tokens = list(_mended(source, _capped(source, _scan(source, text, found), found), found))
    return tokens, found


def _visible(source: Source, found: list[Diagnostic]) -> Iterator[str]:
    """The text with a space for every invisible character; a byte order mark at the very beginning is welcome."""
    end = 0
    for match in INVISIBLE.finditer(source.text):
        yield source.text[end : match.start()] + " "
        end = match.end()
        if match.span() == (0, 1) and match[0] == "\ufeff":
            continue
        if len(found) <= limits.DIAGNOSTICS:
            name = NAMED.get(match[0]) or unicodedata.name(match[0], "a control character").lower()
            found.append(
                Diagnostic(
                    "V103",
                    source.span(*match.span()),
                    f"An invisible character stands here: U+{ord(match[0]):04X}, {name}.",
                    fix="Delete it.",
                )
            )
    yield source.text[end:]


def _scan(source: Source, text: str, found: list[Diagnostic]) -> Iterator[Token]:
    from lark.exceptions import UnexpectedCharacters
    from lark.utils import TextSlice

    last: Token | None = None
    start = 0
    while start < len(text) and len(found) <= limits.DIAGNOSTICS:
        try:
            reader: Any = grammar().parse_interactive(TextSlice(text, start, len(text)))
            for token in reader.lexer_thread.lex(reader.parser_state):
                if last is not None:
                    yield last
                last = token
            break
        except UnexpectedCharacters as error:
            start = int(error.pos_in_stream or 0)
        if text[start].isalpha() or text[start].isdecimal():
            token = _foreign_word(source, text, start, last, found)
            if last is not None and last.start_pos != token.start_pos:
                yield last
            last = token
            start = token.end_pos or len(text)
            continue
        slip, match = next(
            ((slip, match) for slip in SLIPS if (match := slip.pattern.match(text, start))),
            (STRAY, STRAY.pattern.match(text, start)),
        )
        assert match is not None
        found.append(
            Diagnostic(slip.code, source.span(*match.span()), slip.message.format(printable(match[0])), fix=slip.fix)
        )
        start = match.end()
        if slip.instead != "":
            if last is not None:
                yield last
            word = f'"{match[0][1:-1]}"' if slip.instead == "STRING" else slip.instead
            last = token_of(DAMAGE if word is None else word, *match.span())
    if last is not None:
        yield last


def _foreign_word(source: Source, text: str, at: int, last: Token | None, found: list[Diagnostic]) -> Token:
    """A name with letters outside a to z, read as the name it resembles: `věk` as `vek`, Cyrillic `а` as `a`."""
    match = re.compile(r"[\w']+").match(text, at)
    assert match is not None
    glued = last is not None and last.end_pos == at and last.isidentifier()
    start = last.start_pos or 0 if glued and last is not None else at
    word = text[start : match.end()]
    plain = "".join(
        c
        for c in unicodedata.normalize("NFKD", "".join(LOOKALIKE.get(c, c) for c in word))
        if not unicodedata.combining(c)
    )
    usable = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*'*", plain, re.ASCII) is not None
    letter = text[at]
    name = unicodedata.name(letter, "unnamed").lower()
    alike = f", which only looks like `{LOOKALIKE[letter]}`" if letter in LOOKALIKE else ""
    found.append(
        Diagnostic(
            "V111" if alike else "V110",
            source.span(at, at + 1),
            f"Names are made of the letters a to z, digits and `_`; `{printable(letter)}` is "
            f"U+{ord(letter):04X}, {name}"
            f"{alike}.",
            fix=f"Write `{plain[: limits.NAME_LENGTH]}`." if usable else "Choose a name of plain letters.",
        )
    )
    return token_of(plain if usable else DAMAGE, start, match.end())


def _mended(source: Source, tokens: Iterator[Token], found: list[Diagnostic]) -> Iterator[Token]:
    """Two tokens that touch and never may, read as the one (or the product) they were meant to be."""
    last: Token | None = None
    skipped = 0
    for token in tokens:
        if len(found) > limits.DIAGNOSTICS:
            return
        if (token.start_pos or 0) < skipped:
            continue
        if last is None or last.end_pos != token.start_pos:
            pass
        elif last + token in ("//", "/*"):
            start = last.start_pos or 0
            line_end = source.text.find("\n", start)
            skipped = line_end if line_end >= 0 else len(source.text)
            found.append(
                Diagnostic(
                    "V143",
                    source.span(start, start + 2),
                    "A comment does not begin so.",
                    fix="Begin every line of a comment with `#`.",
                )
            )
            last = None
            continue
        elif joined := JOINED.get(last + token):
            instead, why = joined
            start, end = last.start_pos or 0, token.end_pos or 0
            found.append(
                Diagnostic(
                    "V112",
                    source.span(start, end),
                    f"`{last + token}` is not a sign here. {why}",
                    fix="Write a product out." if instead == DAMAGE else f"Write `{instead}`.",
                )
            )
            last = token_of(instead, start, end)
            continue
        elif last.type == "NUMBER" and token.type == "NAME":
            start, end = last.start_pos or 0, token.end_pos or 0
            if token in UNITS:
                code, why, fix = "V117", f"Numbers carry no unit, and this one has `{token}`.", f"Write `{last}`."
            elif token[0] == "_" and token[1:].isdecimal():
                code, why, fix = "V119", "Digits are not grouped.", f"Write `{last}{token.replace('_', '')}`."
            else:
                code, why, fix = "V118", "A product needs its sign.", f"Write `{last}*{token}`."
            found.append(Diagnostic(code, source.span(start, end), why, fix=fix))
            if code != "V118":
                continue
            yield last
            last = token_of("*", token.start_pos or 0, token.start_pos or 0)
        if last is not None:
            yield last
        last = token
    if last is not None:
        yield last


def _capped(source: Source, tokens: Iterator[Token], found: list[Diagnostic]) -> Iterator[Token]:
    """The tokens within the caps of `limits`: one that is too long is DAMAGE, one too many ends the file."""
    for count, token in enumerate(tokens):
        start, end = token.start_pos or 0, token.end_pos or 0
        if count == limits.TOKENS:
            found.append(
                Diagnostic(
                    "V104",
                    source.span(start, end),
                    f"The file has more than {limits.TOKENS:,} words and signs; I stop reading here.",
                    fix='Split it with `use`, or keep long matrices in a file: `matrix("w.csv")`.',
                )
            )
            yield token_of(DAMAGE, start, end)
        if len(found) > limits.DIAGNOSTICS or count == limits.TOKENS:
            return
        match token.type:
            case "NAME" if len(token) > limits.NAME_LENGTH:
                problem = f"A name of {len(token):,} characters is too long.", f"Use at most {limits.NAME_LENGTH}."
            case "STRING" if len(token) > limits.STRING_LENGTH:
                problem = f"A text of {len(token):,} characters is too long.", f"Use at most {limits.STRING_LENGTH:,}."
            case "NUMBER" if sum(c.isdigit() for c in token) > limits.DIGITS:
                problem = f"A number of {len(token):,} characters is too long.", f"Use at most {limits.DIGITS} digits."
            case "NUMBER" if abs(power_of_ten(token)) > limits.EXPONENT:
                problem = (
                    "This number is too large or too close to zero.",
                    f"Keep the power of ten between -{limits.EXPONENT} and {limits.EXPONENT}.",
                )
            case "STRING" if strange := re.search(r'\\[^"\\nt]', re.sub(r"\\\\", "  ", token)):
                where = start + strange.start()
                found.append(
                    Diagnostic(
                        "V116",
                        source.span(where, where + 2),
                        f"`{printable(strange[0])}` means nothing in a text.",
                        fix="Write `\\\\` for a backslash, and `/` between the folders of a path.",
                    )
                )
                yield token
                continue
            case _:
                yield token
                continue
        found.append(Diagnostic("V104", source.span(start, end), problem[0], fix=problem[1]))
        yield token_of(DAMAGE, start, end)


def power_of_ten(number: str) -> int:
    """k in the number m * 10^k with m whole: -2 for `1.25`, 3 for `1e3`. At most `limits.DIGITS` digits, please."""
    mantissa, _, exponent = number.lower().partition("e")
    return int(exponent or 0) - len(mantissa.partition(".")[2])
