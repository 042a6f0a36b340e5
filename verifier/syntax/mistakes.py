"""What to say where the parser is stuck. `explain` tries the slips that students make, then says what it expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from verifier.source import Diagnostic, Source, Span
from verifier.source.closest import closest
from verifier.syntax.lexer import printable, reserved

if TYPE_CHECKING:
    from lark import Token

STARTS = tuple("domain labels model oracle def let param point data partition assert compute use".split())
"""The words that begin a declaration."""
BEGINNINGS = frozenset(STARTS)
SYNONYMS = {
    "check": "assert",
    "prove": "assert",
    "verify": "assert",
    "property": "assert",
    "theorem": "assert",
    "lemma": "assert",
    "import": "use",
    "include": "use",
    "function": "def",
    "fun": "def",
    "const": "let",
    "var": "let",
    "val": "let",
    "classes": "labels",
    "class": "labels",
    "input": "domain",
    "inputs": "domain",
    "classifier": "model",
    "network": "model",
    "dataset": "data",
    "parameter": "param",
    "print": "compute",
    "return": "decide",
    "float": "real",
    "number": "real",
    "integer": "int",
    "distance": "metric",
    "such": "where",
}
"""What the same thing is called elsewhere."""

BRACKETS = {"(": ")", "[": "]", "{": "}"}
OPERATORS = frozenset(["+", "-", "*", "/", "<", "<=", "==", "!=", ">=", ">", "and", "or", "=>", "<=>"])
INFIX = OPERATORS - {"+", "-"}
BETWEEN = frozenset(["then", "else", "in", "expect", "where", "metric", "decide", "features", "from", "except"])
"""Reserved words that stand after an expression rather than in the place of one."""


class Stuck(Struct, frozen=True):
    """The parser took `tokens[:at]` and wanted one of `expected` (as written; NAME, NUMBER, STRING, $END by class)."""

    source: Source
    tokens: list[Token]
    at: int
    expected: frozenset[str]

    @property
    def found(self) -> str:
        return self.written(0)

    @property
    def before(self) -> str:
        return self.written(-1)

    def written(self, offset: int) -> str:
        """The token `offset` places from the one that does not fit; empty outside the declaration."""
        index = self.at + offset
        return str(self.tokens[index]) if 0 <= index < len(self.tokens) else ""

    def kind(self, offset: int) -> str:
        index = self.at + offset
        return self.tokens[index].type if 0 <= index < len(self.tokens) else "$END"

    def touches(self, offset: int) -> bool:
        """Do the tokens at `offset` - 1 and `offset` stand side by side, without a space?"""
        index = self.at + offset
        return 0 < index < len(self.tokens) and self.tokens[index - 1].end_pos == self.tokens[index].start_pos

    def place(self, first: int, last: int | None = None) -> Span:
        """The span of tokens `first` to `last`, counted from the one that does not fit; past the end, an empty one."""
        if self.at + first >= len(self.tokens):
            end = self.tokens[-1].end_pos or 0
            return self.source.span(end, end)
        begin = self.tokens[self.at + first]
        end_token = self.tokens[min(self.at + (first if last is None else last), len(self.tokens) - 1)]
        return self.source.span(begin.start_pos or 0, end_token.end_pos or 0)

    def open_brackets(self) -> list[int]:
        """Where the brackets that are open before the place of the mistake were opened, outermost first."""
        opened: list[int] = []
        for index, token in enumerate(self.tokens[: self.at]):
            if token in BRACKETS:
                opened.append(index)
            elif token in BRACKETS.values() and opened:
                opened.pop()
        return opened


def explain(stuck: Stuck) -> Diagnostic:
    """The most helpful thing to say about the first token that does not fit."""
    for rules in (_words, _signs, _brackets, _assertions, _conditionals, _names, _gaps):
        for diagnostic in rules(stuck):
            return diagnostic
    return _expected(stuck)


def unknown_declaration(source: Source, tokens: list[Token]) -> tuple[Diagnostic, str | None]:
    """What to say of tokens that begin no declaration, and the word the first of them was probably meant to be."""
    token, follower = tokens[0], tokens[1] if len(tokens) > 1 else ""
    place = source.span(token.start_pos or 0, token.end_pos or 0)
    every = ", ".join(STARTS)
    if token in BRACKETS.values():
        return Diagnostic("V122", place, f"This `{token}` closes nothing.", fix="Delete it."), None
    if not token.isidentifier():
        return Diagnostic(
            "V131", place, f"A declaration cannot begin with {_shown(token)}.", fix=f"Begin with one of {every}."
        ), None
    if token.lower() in reserved() and token not in reserved():
        meant = token.lower()
        return Diagnostic(
            "V132",
            place,
            f"Reserved words are written in lower case, and this is `{printable(token)}`.",
            fix=f"Write `{meant}`.",
        ), meant if meant in STARTS else None
    if token in ("forall", "exists", "not", "if") or (token.type == "NAME" and follower in ("(", ".")):
        return Diagnostic(
            "V131",
            place,
            f"A formula cannot stand alone, and `{printable(token)}` begins one.",
            fix=f"Write `assert A1: {printable(token)}…`.",
        ), None
    if token in reserved():
        return Diagnostic(
            "V131", place, f"`{token}` cannot begin a declaration.", fix=f"Begin with one of {every}."
        ), None
    near = SYNONYMS.get(token.lower()) or closest(token, [*STARTS, "expect", "where", "features", "metric", "decide"])
    fix = f"Did you mean `{near}`?" if near else f"Begin with one of {every}."
    return Diagnostic("V131", place, f"`{printable(token)}` begins no declaration that I know.", fix=fix), (
        near if near in STARTS else None
    )


# The slips, from the surest to the vaguest. Each generator yields nothing when it has nothing to say. ----------------


def _words(s: Stuck) -> Iterator[Diagnostic]:
    """`If`, `AND`, `elif`, `expct`."""
    for offset in (0, -1):
        word = s.written(offset)
        if s.kind(offset) == "NAME" and word.lower() in reserved():
            yield Diagnostic(
                "V132",
                s.place(offset),
                f"Reserved words are written in lower case, and this is `{word}`.",
                fix=f"Write `{word.lower()}`.",
            )
    if s.found in ("elif", "elsif", "elseif"):
        yield Diagnostic("V127", s.place(0), f"There is no `{s.found}`.", fix="Write `else if … then …`.")
    words = [w for w in s.expected if w in reserved() and w not in STARTS]
    same = SYNONYMS.get(s.found.lower(), "")
    near = same if same in words else closest(s.found, words)
    if s.kind(0) == "NAME" and "NAME" not in s.expected and near:
        yield Diagnostic("V136", s.place(0), f"`{s.found}` does not fit here.", fix=f"Did you mean `{near}`?")


def _signs(s: Stuck) -> Iterator[Diagnostic]:
    """`=` for `==`, `==` for `=`, `=` for `:`, `^`, `.5`."""
    opened = s.open_brackets()
    if s.found == "=" and ":" in s.expected and s.kind(-1) != "$END":
        if s.written(-2) in ("assert", "compute"):
            yield Diagnostic(
                "V124", s.place(0), f"The name after `{s.written(-2)}` is followed by `:`.", fix="Write `:`."
            )
        elif opened and s.written(-2) in ("(", ",", "{"):
            also = "" if "==" not in s.expected else " (To compare two values, write `==`.)"
            yield Diagnostic(
                "V125",
                s.place(-1, 0),
                f"`=` gives a name to a declaration; `{s.before}` needs `:`.",
                fix=f"Write `{s.before}: …`.{also}",
            )
    if s.found == "is" and "==" in s.expected:
        yield Diagnostic("V123", s.place(0), "Two values are not compared with `is`.", fix="Write `==`.")
    if s.found == "=" and "==" in s.expected:
        yield Diagnostic("V123", s.place(0), "`=` gives a name; to compare two values, double it.", fix="Write `==`.")
    if s.found in ("==", ":") and "=" in s.expected and "==" not in s.expected:
        yield Diagnostic("V124", s.place(0), f"`{s.found}` does not give a name; `=` does.", fix="Write `=`.")
    if s.found == "^":
        yield Diagnostic(
            "V112",
            s.place(0),
            "There are no powers: everything is piecewise linear.",
            fix="`^` stands only in the sort `real^n`; write a product of constants out.",
        )
    if s.found == "." and s.kind(1) == "NUMBER" and "NUMBER" in s.expected:
        yield Diagnostic("V119", s.place(0, 1), "A number begins with a digit.", fix=f"Write `0.{s.written(1)}`.")
    if s.found == "," and s.kind(-1) == s.kind(1) == "NUMBER" and s.touches(0) and s.touches(1):
        yield Diagnostic(
            "V119", s.place(-1, 1), "Decimals have a point, not a comma.", fix=f"Write `{s.before}.{s.written(1)}`."
        )
    if s.before == "." and s.kind(-2) == "NUMBER" and s.touches(-1):
        yield Diagnostic("V119", s.place(-2, -1), "A number ends with a digit.", fix=f"Write `{s.written(-2)}`.")


def _brackets(s: Stuck) -> Iterator[Diagnostic]:
    """One missing, one too many, one of the wrong kind."""
    opened = s.open_brackets()
    if s.found in BRACKETS.values():
        if not opened:
            yield Diagnostic("V122", s.place(0), f"This `{s.found}` closes nothing.", fix="Delete it.")
            return
        opener = str(s.tokens[opened[-1]])
        wanted = BRACKETS[opener]
        if wanted in s.expected and s.found != wanted:
            if any(BRACKETS[s.tokens[index]] == s.found for index in opened[:-1]):
                yield _unclosed(s, opened[-1])
            else:
                yield Diagnostic(
                    "V122",
                    s.place(0),
                    f"This `{s.found}` cannot close the `{opener}` on line {s.place(opened[-1] - s.at).line}.",
                    fix=f"Write `{wanted}`.",
                )
        return
    ended = s.found == "" or s.kind(0) in map(str.upper, BETWEEN | set(STARTS))
    if opened and ended and s.before not in (",", *BRACKETS) and BRACKETS[s.tokens[opened[-1]]] in s.expected:
        yield _unclosed(s, opened[-1])


def _unclosed(s: Stuck, opener: int) -> Diagnostic:
    sign = str(s.tokens[opener])
    where = f"before {_shown(s.found)}" if s.found else "at the end"
    return Diagnostic(
        "V121", s.place(opener - s.at), f"This `{sign}` is never closed.", fix=f"Add `{BRACKETS[sign]}` {where}."
    )


def _assertions(s: Stuck) -> Iterator[Diagnostic]:
    """`assert contained(f1, f2)`, `assert A contained(f1, f2)`, an annotation without its assertion."""
    words = [i for i in (1, 2) if s.written(-i) in ("assert", "compute") and s.kind(-i) != "NAME"]
    if words:
        word = s.written(-words[0])
        if words[0] == 1 and (
            s.found in (":", "(", "not", "if", "forall", "exists", "¬", "∀", "∃", "-", "[")
            or s.kind(0) in ("NUMBER", "STRING")
        ):
            yield Diagnostic(
                "V130",
                s.place(-1),
                f"This `{word}` has no name, so no report could speak of it.",
                fix=f"Write `{word} A1: …`.",
            )
        elif words[0] == 2 and s.found in ("-", ".", "/") and s.written(2) == ":":
            yield Diagnostic(
                "V120",
                s.place(0),
                f"A name is made of letters, digits and `_`; `{s.found}` cannot be in one.",
                fix=f"Write `{word} {s.before}_{s.written(1)}: …`.",
            )
        elif words[0] == 2 and s.found != "=":
            if s.kind(0) in ("NAME", "NUMBER") or s.found in ("forall", "exists", "not", "if", "∀", "∃", "¬"):
                yield Diagnostic(
                    "V129",
                    s.place(0),
                    f"A colon is missing after the name `{s.before}`.",
                    fix=f"Write `{word} {s.before}: {s.found} …`.",
                )
            else:
                yield Diagnostic(
                    "V130",
                    s.place(-2),
                    f"This `{word}` has no name, so no report could speak of it.",
                    fix=f"Write `{word} A1: {s.before}{s.found} …`.",
                )
    elif s.written(-s.at) == "@" and s.expected >= {"assert", "@"}:
        yield Diagnostic(
            "V137",
            s.place(-s.at),
            "An annotation belongs to the `assert` right after it, and there is none.",
            fix="Put it right before an `assert`.",
        )


def _conditionals(s: Stuck) -> Iterator[Diagnostic]:
    """An `if` without `then` or without `else`."""
    for word, code in (("then", "V128"), ("else", "V126")):
        if word in s.expected and not s.expected & {"NAME"} and s.found not in ("=", ","):
            depth, waiting = 0, 0
            for index in range(s.at - 1, -1, -1):
                token = str(s.tokens[index])
                depth += (token in BRACKETS.values()) - (token in BRACKETS)
                waiting += token == word
                if token == "if" and depth == 0:
                    if waiting == 0:
                        break
                    waiting -= 1
            else:
                return
            later = any(token == word for token in s.tokens[s.at :])
            if later and s.found != ":":
                return
            fix = "Write `then` here." if word == "then" else "Add `else …`: a value is needed in either case."
            yield Diagnostic(
                code,
                s.place(0) if word == "then" else s.place(index - s.at),
                f"This `if` has no `{word}`." if word == "else" else "A condition is followed by `then`.",
                fix=fix,
            )


def _names(s: Stuck) -> Iterator[Diagnostic]:
    """A reserved word where a name belongs; a feature without its `=`."""
    if s.found in ("features", "metric", "decide") and s.before == "{" and s.written(-2) == "=":
        yield Diagnostic("V124", s.place(-2), "A model that is written out has no `=`.", fix="Delete the `=`.")
    between = "NUMBER" in s.expected and s.found in BETWEEN | OPERATORS
    if s.found in reserved() and "NAME" in s.expected and not between:
        yield Diagnostic(
            "V133",
            s.place(0),
            f"`{s.found}` is a reserved word and cannot be a name.",
            fix=f"Choose another, such as `{s.found}_` or `my_{s.found}`.",
        )
    if s.expected == {"="} and any(token == "features" for token in s.tokens[: s.at]):
        yield Diagnostic(
            "V141",
            s.place(-1),
            f"The feature `{s.before}` has no value.",
            fix=f"Write `{s.before} = {s.before}`, or `features all` for all coordinates.",
        )


def _gaps(s: Stuck) -> Iterator[Diagnostic]:
    """A missing comma, a missing `*`, a missing operand."""
    operand = s.kind(0) in ("NAME", "NUMBER", "STRING") or s.found in ("(", "[", "{", "if", "not", "forall", "exists")
    if operand and "*" in s.expected and s.kind(-1) == "NUMBER" and s.kind(0) == "NAME":
        yield Diagnostic("V118", s.place(-1, 0), "A product needs its sign.", fix=f"Write `{s.before}*{s.found}`.")
    if s.found in ("(", "[") and "in" in s.expected:
        yield Diagnostic("V134", s.place(0), "The word `in` is missing before this interval.", fix="Write `in` here.")
    if operand and "," in s.expected and s.found != "if" and s.before != "in":
        yield Diagnostic(
            "V134",
            s.place(0),
            f"A comma is missing between {_shown(s.before)} and {_shown(s.found)}.",
            fix=f"Write `,` before {_shown(s.found)}.",
        )
    if "NUMBER" in s.expected and (s.found in INFIX | BETWEEN or s.found in BRACKETS.values() or s.found in (",", "")):
        after = f" after {_shown(s.before)}" if s.before else ""
        delete = f", or delete {_shown(s.before)}" if s.before in OPERATORS | {","} else ""
        yield Diagnostic(
            "V135",
            s.place(0),
            f"An expression is missing{after}: {_shown(s.found)} cannot begin one.",
            fix=f"Write a value there{delete}.",
        )


def _expected(s: Stuck) -> Diagnostic:
    """Nothing special: say what was found and what could stand there."""
    wanted = _wanted(s.expected)
    fix = _hint(s) or f"Write {wanted if ' or ' not in wanted else 'one of them'} here."
    if s.found == "":
        return Diagnostic("V142", s.place(0), f"The declaration ends too early: I expected {wanted}.", fix=fix)
    return Diagnostic("V120", s.place(0), f"{_shown(s.found)} does not fit here: I expected {wanted}.", fix=fix)


def _hint(s: Stuck) -> str:
    """How to mend the commoner of the mistakes that have no message of their own."""
    opened = s.open_brackets()
    hints = (
        (s.expected == {"in", "∈", ","}, "Write `forall x in X: …`: the domain or the data set after `in`."),
        (s.before in ("forall", "exists"), f"Write `{s.before} x in X: …`."),
        (
            s.before == "in" and s.expected == {"(", "["},
            "Write an interval: `[0, 1]` with its ends, `(0, 1)` without them, `[0, infinity)`.",
        ),
        (s.expected == {"int", "real", "{"}, "Write `real`, `real^n`, `int`, or the values themselves: `{a, b}`."),
        (s.expected == {"(", "STRING"}, f'Write `use "{s.found}….vf"`.'),
        (s.before == "expect", "Write `expect proved` or `expect refuted`."),
        (s.found == "(" and s.expected == {"="}, f"Write `def {s.before}(…) = …` for a function."),
        (s.found == "=" and s.expected == {"("}, f"Write `let {s.before} = …` for a constant."),
        (s.found in ("=", ":") and s.expected == {"{"}, f"Delete the `{s.found}`."),
        (s.found == ":" and s.before in reserved(), "Delete the `:`."),
        (s.found == ":" and bool(opened) and s.tokens[opened[-1]] == "(", "Write a record in braces: `{x: …}`."),
        (s.found == "," and not opened and "and" in s.expected, "Write `and` between two conditions."),
        (s.found == "if" and "*" in s.expected, "Write `if … then … else …`, in this order."),
        (s.found == "{" and "(" in s.expected and s.kind(-1) == "NAME", f"Write `{s.before}(…)`."),
        ("*" in s.expected and s.found in INFIX | BETWEEN | {":", "=", "."}, f"Delete {_shown(s.found)}."),
        (s.kind(0) == "NAME" and "(" in s.expected and s.kind(-1) == "NAME", f"Write `{s.before}(…)` for a call."),
    )
    return next((hint for fits, hint in hints if fits), "")


def _wanted(expected: frozenset[str]) -> str:
    """`{`, `=`, or an expression; operators count as one thing."""
    words = []
    rest = set(expected)
    if {"NUMBER", "NAME", "("} <= rest:
        words.append("an expression")
        rest -= {"NUMBER", "NAME", "STRING", "(", "[", "{", "+", "-", "if", "not", "forall", "exists", "∀", "∃", "¬"}
    if {"+", "*"} <= rest:
        words.append("an operator")
        rest -= OPERATORS | {"(", "[", ".", "≤", "≥", "≠", "∧", "∨", "⇒", "⇔"}
    if rest >= set(STARTS):
        words.append("the next declaration" if "$END" in rest else "a declaration")
        rest -= {*STARTS, "$END", "@"}
    if {"where", "all"} <= rest:
        rest -= reserved()
    rest -= {"∈", "$END"}
    named = {"NAME": "a name", "NUMBER": "a number", "STRING": "a text in quotes"}
    words += [named.get(word, f"`{word}`") for word in sorted(rest)]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1] if words else "nothing more"


def _shown(text: str) -> str:
    if text == "":
        return "the end"
    return f"`{printable(text if len(text) <= 30 else text[:29] + '…')}`"
