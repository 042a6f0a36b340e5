"""VNN-LIB files, the exchange format of the field: declared numbers X_i and Y_i, and assertions that are, together, the
violation of a property. This is version 1; `vnnlib2_file.py` reads what begins with `(vnnlib-version <2.0>)`.

`(declare-const X_0 Real)` or `(declare-fun X_0 () Real)`; `(assert F)`, where F is made of `and or not =>`, comparisons
`<= >= < > =`, and terms `+ - * /` that are linear. Decimals are exact. Commands are read one by one, so that memory
holds one at a time, and every mistake is named by its line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import NoReturn

from msgspec import Struct

from verifier.importers.failure import ImportFailed, contents
from verifier.importers.numbers import number, shown
from verifier.model.violation import All, Compare, Formula, Some, Violation, negated
from verifier.source import Diagnostic, Rejected, Source
from verifier.source.closest import suggestion

MOST_TOKENS = 5_000_000
MOST_DEPTH = 100
MOST_BITS = 10_000
MOST_DIAGNOSTICS = 50
MOST_GUESSES = 1000

TOKEN = re.compile(r"\s+|;[^\n]*|[()]|[^\s();]+")
BEGINNING = re.compile(r"(\s|;[^\n]*\n)*\(\s*vnnlib-version(?=[\s<)])")
"""Of a file in version 2."""
NUMERAL = re.compile(r"[+-]?\.?[0-9]")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
NAME = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
TERMS = ("+", "-", "*", "/")
COMPARISONS = ("<=", ">=", "<", ">", "=")
CONNECTIVES = ("and", "or", "not", "=>")


class Word(Struct, frozen=True):
    """A stretch without blanks and brackets."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class List(Struct, frozen=True):
    """What stands between two brackets."""

    parts: tuple[Node, ...]
    start: int
    end: int

    @property
    def head(self) -> str:
        """The word it begins with, or ""."""
        return self.parts[0].text if self.parts and isinstance(self.parts[0], Word) else ""


Node = Word | List
Sum = tuple[dict[int, Fraction], Fraction]
"""A linear term: number -> weight (never 0), and a constant."""


class Reading(Struct, frozen=True):
    """What a file says: the violation, or None and what is wrong."""

    source: Source
    violation: Violation | None
    diagnostics: tuple[Diagnostic, ...] = ()


def read(path: Path, inputs: int, outputs: int) -> Reading:
    """The violation in a file, about a network of so many inputs and outputs; whatever the file holds, a Reading."""
    empty = Source(str(path), "")
    try:
        text = contents(path).decode("utf-8-sig")
    except ImportFailed as failed:
        return Reading(empty, None, (Diagnostic("V601", empty.span(0, 0), failed.message, failed.fix),))
    except UnicodeDecodeError as error:
        why = f"The byte number {error.start + 1} is not UTF-8 text."
        return Reading(empty, None, (Diagnostic("V601", empty.span(0, 0), why, "Save the file as UTF-8."),))
    return understand(Source(str(path), text), inputs, outputs)


def understand(source: Source, inputs: int, outputs: int) -> Reading:
    """The same for a text."""
    from verifier.importers.vnnlib2_file import TOKEN2, Reader2

    second = BEGINNING.match(source.text) is not None
    reader = (Reader2 if second else Reader)(source, inputs, outputs)
    wrong: list[Diagnostic] = []
    facts: list[Formula] = []
    try:
        for command in commands(source, TOKEN2 if second else TOKEN):
            try:
                facts += reader.command(command)
            except Rejected as rejected:
                wrong += rejected.diagnostics
                if len(wrong) >= MOST_DIAGNOSTICS:
                    break
        else:
            wrong += reader.undeclared(wrong)
    except Rejected as rejected:
        wrong += rejected.diagnostics
    wrong.sort(key=lambda d: d.span.start)
    return Reading(source, None if wrong else reader.violation(All(tuple(facts))), tuple(wrong))


# Brackets ------------------------------------------------------------------------------------------------------------


def commands(source: Source, tokens: re.Pattern[str]) -> Iterator[List]:
    """What stands between outermost brackets, one after the other. Raises Rejected where the brackets end to make
    sense."""

    def reject(code: str, start: int, message: str, fix: str) -> NoReturn:
        raise Rejected(Diagnostic(code, source.span(start, start + 1), message, fix))

    stack: list[tuple[int, list[Node]]] = []
    for count, token in enumerate(tokens.finditer(source.text)):
        text, start = token.group(), token.start()
        if text[0] == ";" or text.isspace():
            continue
        if count > MOST_TOKENS:
            reject("V606", start, f"The file has more than {MOST_TOKENS:,} words.", "Use a smaller property.")
        if text == "(":
            if len(stack) == MOST_DEPTH:
                reject("V606", start, f"Brackets are nested more than {MOST_DEPTH} deep.", "Flatten `and` and `or`.")
            stack.append((start, []))
        elif text != ")":
            if not stack:
                why = f"`{shown(text)}` stands outside of all brackets."
                reject("V602", start, why, "Write a command, as `(assert (<= X_0 1))`; comments begin with `;`.")
            stack[-1][1].append(Word(text, start))
        elif not stack:
            reject("V602", start, "This `)` closes nothing.", "Delete it.")
        else:
            begin, parts = stack.pop()
            node = List(tuple(parts), begin, start + 1)
            if stack:
                stack[-1][1].append(node)
            else:
                yield node
    if stack:
        reject("V602", stack[-1][0], "This `(` is never closed.", "Add `)`.")


# Meaning -------------------------------------------------------------------------------------------------------------


class Reader:
    """Gives commands their meaning, one after the other."""

    def __init__(self, source: Source, inputs: int, outputs: int) -> None:
        self.source = source
        self.size = {"X": inputs, "Y": outputs}
        self.declared: dict[str, int] = {}

    def reject(self, code: str, node: Node, message: str, fix: str) -> NoReturn:
        raise Rejected(Diagnostic(code, self.source.span(node.start, node.end), message, fix))

    def command(self, command: List) -> tuple[Formula, ...]:
        """The formulas that a command asserts: one or none."""
        match command.head, command.parts[1:]:
            case "declare-const", (name, sort):
                self.declare(name, sort)
            case "declare-fun", (name, List(parts=()), sort):
                self.declare(name, sort)
            case "assert", (formula,):
                return (self.formula(formula),)
            case ("declare-const" | "declare-fun" | "assert") as head, _:
                form = {
                    "declare-const": "(declare-const X_0 Real)",
                    "declare-fun": "(declare-fun X_0 () Real)",
                    "assert": "(assert (<= X_0 1))",
                }[head]
                self.reject("V602", command, f"This is not the form of `{head}`.", f"Write `{form}`.")
            case "vnnlib-version" | "declare-network", _:
                why = "This is a command of VNN-LIB 2."
                self.reject("V602", command, why, "Such a file begins with `(vnnlib-version <2.0>)`.")
            case "", _:
                self.reject("V602", command, "This does not begin with a word.", "Write `(assert (<= X_0 1))`.")
            case head, _:
                known = ("declare-const", "declare-fun", "assert")
                fix = suggestion(head, known, "There are:") + " Or delete it."
                self.reject("V602", command, f"`{shown(head)}` is no command that a property needs.", fix)
        return ()

    def violation(self, formula: Formula) -> Violation:
        return Violation(self.size["X"], self.size["Y"], formula)

    def declare(self, name: Node, sort: Node) -> None:
        found = NAME.fullmatch(name.text) if isinstance(name, Word) else None
        if found is None:
            self.reject("V603", name, "This is no name of a number.", "Inputs are X_0, X_1, ..., outputs Y_0, Y_1, ...")
        if not isinstance(sort, Word) or sort.text != "Real":
            self.reject("V603", sort, f"The sort of {found.group()} must be `Real`.", "Write `Real`.")
        if found.group() in self.declared:
            self.reject("V603", name, f"{found.group()} is declared twice.", "Delete one.")
        kind, index = found.group(1), int(found.group(2))
        if index >= self.size[kind]:
            role = "takes" if kind == "X" else "gives"
            why = f"There is no {found.group()}: the network {role} {counted(self.size[kind], 'number')}."
            self.reject("V603", name, why, f"The last one is {kind}_{self.size[kind] - 1}. Is it the right network?")
        self.declared[found.group()] = index if kind == "X" else self.size["X"] + index

    def undeclared(self, wrong: Sequence[Diagnostic]) -> list[Diagnostic]:
        """The numbers of the network that the file does not know, as one mistake; none where others explain it."""
        names = (f"{kind}_{i}" for kind, size in self.size.items() for i in range(size))
        missing = [n for n in names if n not in self.declared]
        if not missing or any(d.code in ("V602", "V603") for d in wrong):
            return []
        first = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        span = self.source.span(0, 0)
        why = (
            f"The network takes {self.size['X']} and gives {counted(self.size['Y'], 'number')}; not declared: {first}."
        )
        return [Diagnostic("V603", span, why, "Declare all of them. Is it the right network?")]

    # formulas

    def formula(self, node: Node) -> Formula:
        if isinstance(node, Word):
            why = f"`{shown(node.text)}` is not a formula."
            self.reject("V604", node, why, "Compare it: `(<= X_0 1)`.")
        head, parts = node.head, node.parts[1:]
        match head, parts:
            case "and", _:
                return All(tuple(self.formula(p) for p in parts))
            case "or", _:
                return Some(tuple(self.formula(p) for p in parts))
            case "not", (part,):
                return negated(self.formula(part))
            case "=>", (premise, conclusion):
                return Some((negated(self.formula(premise)), self.formula(conclusion)))
            case (("<=" | ">=" | "<" | ">" | "="), (_, _, *_)):
                sums = [self.sum(p) for p in parts]
                compared = [self.compare(head, left, right, node) for left, right in pairwise(sums)]
                return compared[0] if len(compared) == 1 else All(tuple(compared))
            case (("not" | "=>" | "<=" | ">=" | "<" | ">" | "="), _):
                self.reject(
                    "V604", node, f"`{head}` has {counted(len(parts), 'argument')}.", "Give it the right number."
                )
            case (("+" | "-" | "*" | "/"), _):
                self.reject("V604", node, "This is a number where a formula is needed.", "Compare it: `(<= ... 0)`.")
            case _:
                self.unknown(node, (*CONNECTIVES, *COMPARISONS))

    def compare(self, sign: str, left: Sum, right: Sum, node: Node) -> Formula:
        match sign:
            case "<=" | "<":
                return self.difference(right, left, sign == "<", node)
            case ">=" | ">":
                return self.difference(left, right, sign == ">", node)
            case _:
                return All((self.difference(left, right, False, node), self.difference(right, left, False, node)))

    def difference(self, left: Sum, right: Sum, strict: bool, node: Node) -> Compare:
        """left - right >= 0, or > 0."""
        weights, constant = self.plus((dict(left[0]), left[1]), Fraction(-1), right, node)
        return Compare(tuple(sorted(weights.items())), constant, strict)

    # terms

    def sum(self, node: Node) -> Sum:
        """The linear term that a node writes; a fresh dictionary."""
        if isinstance(node, Word):
            return self.word(node)
        head, parts = node.head, node.parts[1:]
        match head, parts:
            case (("+" | "-" | "*" | "/"), ()):
                self.reject("V604", node, f"`{head}` has no arguments.", "Give it some.")
            case "-", (part,):
                return self.scaled(Fraction(-1), self.sum(part), node)
            case (("+" | "-"), (first, *rest)):
                total = self.sum(first)
                for part in rest:
                    total = self.plus(total, Fraction(1 if head == "+" else -1), self.sum(part), node)
                return total
            case "*", (first, *rest):
                total = self.sum(first)
                for part in rest:
                    factor = self.sum(part)
                    if total[0] and factor[0]:
                        self.reject(
                            "V605", node, "This is not linear: a product of two numbers that vary.", "One is constant."
                        )
                    constant, other = (factor[1], total) if total[0] else (total[1], factor)
                    total = self.scaled(constant, other, node)
                return total
            case "/", (first, *rest) if rest:
                total = self.sum(first)
                for part in rest:
                    weights, divisor = self.sum(part)
                    if weights:
                        self.reject("V605", part, "This is not linear: a divisor that varies.", "Divide by a constant.")
                    if not divisor:
                        self.reject("V605", part, "This divisor is 0.", "Divide by another constant.")
                    total = self.scaled(1 / divisor, total, node)
                return total
            case "/", _:
                self.reject("V604", node, "`/` has one argument.", "Give it two.")
            case _ if head in CONNECTIVES or head in COMPARISONS:
                self.reject("V604", node, "This is a formula where a number is needed.", "Write a term of numbers.")
            case _:
                self.unknown(node, TERMS)

    def word(self, word: Word) -> Sum:
        text = word.text
        if NUMERAL.match(text):
            if not DECIMAL.fullmatch(text):
                self.reject("V605", word, f"`{shown(text)}` is not a number.", "Write `0.25`, `1e-3` or `(/ 1 3)`.")
            try:
                return {}, number(text, "Here")
            except ImportFailed as failed:
                self.reject("V606", word, failed.message.removeprefix("Here: ").capitalize(), "Write a shorter number.")
        return {self.place(word): Fraction(1)}, Fraction(0)

    def place(self, word: Word) -> int:
        """Which number this is."""
        text = word.text
        if text not in self.declared:
            known = suggestion(text, islice(self.declared, MOST_GUESSES), "There are:")
            self.reject("V603", word, f"There is no number called `{shown(text)}`.", known)
        return self.declared[text]

    def plus(self, total: Sum, factor: Fraction, other: Sum, node: Node) -> Sum:
        """total + factor * other, in the dictionary of `total`."""
        weights, constant = total
        for i, w in other[0].items():
            weights[i] = self.fit(weights.get(i, Fraction(0)) + factor * w, node)
            if not weights[i]:
                del weights[i]
        return weights, self.fit(constant + factor * other[1], node)

    def scaled(self, factor: Fraction, term: Sum, node: Node) -> Sum:
        weights = {i: self.fit(factor * w, node) for i, w in term[0].items()} if factor else {}
        return weights, self.fit(factor * term[1], node)

    def fit(self, value: Fraction, node: Node) -> Fraction:
        if value.numerator.bit_length() + value.denominator.bit_length() > MOST_BITS:
            self.reject("V606", node, f"Numbers of more than {MOST_BITS:,} bits come up here.", "Use shorter numbers.")
        return value

    def unknown(self, node: List, known: Sequence[str]) -> NoReturn:
        if not node.head:
            self.reject("V604", node, "This does not begin with a word.", f"There are: {', '.join(known)}.")
        near = suggestion(node.head, known, "There are:")
        self.reject("V604", node.parts[0], f"`{shown(node.head)}` means nothing here.", near)


def counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
