"""VNN-LIB files of version 2: networks are declared, with the tensors that they take and give, and numbers are entries
of these: `X[0,1]`.

Read is what one network allows: one `declare-network`, with one input and one output; and further ones that say
`(equal-to N)`, which are the same network at other points. Tensors are laid out row by row, as ONNX does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from math import prod

from msgspec import Struct

from verifier.importers.numbers import shown
from verifier.importers.vnnlib_file import (
    List,
    Node,
    Reader,
    Sum,
    Word,
    counted,
)
from verifier.model.violation import Formula, Some, Violation
from verifier.source import Diagnostic, Source
from verifier.source.closest import suggestion

TOKEN2 = re.compile(r'\s+|;[^\n]*|[()]|"(?:[^"\\\n]|\\.)*"|\[[^\[\]();\n]*\]|[^\s();"\[\]]+|.')
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
ENTRY = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)\s*(?:\[(.*)\])?", re.DOTALL)
SIZE = re.compile(r"\s*(0|[1-9][0-9]{0,8})\s*")
VERSION = re.compile(r"<(0|[1-9][0-9]{0,3})\.[0-9]{1,4}>")
REALS = ("Real", "bfloat16", "double", "float", "float16", "float32", "float64")
MOST_COPIES = 100
EXAMPLE = "(declare-network N (declare-input X Real [5]) (declare-output Y Real [2]))"
ROLES = {"declare-input": "takes", "declare-output": "gives"}


class Tensor(Struct, frozen=True):
    """What a network takes (`given` False) or gives, of which copy."""

    shape: tuple[int, ...]
    given: bool
    copy: int


class Reader2(Reader):
    """Gives commands their meaning, one after the other."""

    def __init__(self, source: Source, inputs: int, outputs: int) -> None:
        super().__init__(source, inputs, outputs)
        self.versions = self.asserted = 0
        self.networks: dict[str, bool] = {}  # its name -> it is a copy
        self.tensors: dict[str, Tensor] = {}

    def violation(self, formula: Formula) -> Violation:
        copies = len(self.networks)
        entries = sorted((t.given, t.copy, name, t.shape) for name, t in self.tensors.items())
        names = tuple(label(name, at) for _, _, name, shape in entries for at in product(*map(range, shape)))
        return Violation(copies * self.size["X"], copies * self.size["Y"], formula, copies, names)

    def command(self, command: List) -> tuple[Formula, ...]:
        match command.head, tuple(self.joined(command))[1:]:
            case "vnnlib-version", (Word(text, _),) if (found := VERSION.fullmatch(text)) and not self.versions:
                self.versions += 1
                if found.group(1) != "2":
                    why = f"This is VNN-LIB {text[1:-1]}; versions 1 and 2 are read."
                    self.reject("V602", command, why, "Write `(vnnlib-version <2.0>)`, if it is no more than that.")
            case "vnnlib-version", _:
                why = "The version is said twice." if self.versions else "This is no version."
                self.reject("V602", command, why, "Write `(vnnlib-version <2.0>)`, once.")
            case "declare-network", (Word() as name, *parts):
                self.network(command, name, parts)
            case "declare-network", _:
                self.reject("V602", command, "This network has no name.", f"Write `{EXAMPLE}`.")
            case "assert", (formula,):
                self.asserted += 1
                return (self.formula(formula),)
            case "assert", _:
                self.reject("V602", command, "This is not the form of `assert`.", "Write `(assert (<= X[0] 1))`.")
            case (("declare-const" | "declare-fun"), _):
                why = "In version 2 the numbers of a network are declared with it."
                self.reject("V602", command, why, f"Write `{EXAMPLE}`.")
            case (("declare-input" | "declare-output" | "declare-hidden"), _):
                self.reject("V602", command, "This stands outside of any network.", f"Write `{EXAMPLE}`.")
            case "", _:
                self.reject("V602", command, "This does not begin with a word.", "Write `(assert (<= X[0] 1))`.")
            case head, _:
                fix = suggestion(head, ("declare-network", "assert"), "There are:") + " Or delete it."
                self.reject("V602", command, f"`{shown(head)}` is no command that a property needs.", fix)
        return ()

    # networks

    def network(self, command: List, name: Word, parts: list[Node]) -> None:
        """One declaration; nothing of it is kept where it is wrong."""
        if self.asserted:
            why = "A network is declared after an assertion."
            self.reject("V602", command, why, "Networks come first.")
        self.fresh(name)
        copy, original = len(self.networks), ""
        tensors: dict[str, Tensor] = {}
        for part in parts:
            head = part.head if isinstance(part, List) else ""
            match head, tuple(self.joined(part))[1:] if isinstance(part, List) else ():
                case "equal-to", (Word(text, _),):
                    original = self.original(part, text, original)
                case "isomorphic-to", _:
                    why = "This is another network of the same form; `verifier vnnlib` is given one."
                    self.reject(
                        "V602", part, why, "Write `(equal-to N)`, if it is the same network N at another point."
                    )
                case "declare-hidden", _:
                    why = "What is inside of a network is not read."
                    self.reject("V602", part, why, "Assert about outputs, or export the network up to there.")
                case (("declare-input" | "declare-output"), (Word() as own, Word() as kind)):
                    if own.text in tensors or own.text == name.text:
                        self.reject("V603", own, f"`{shown(own.text)}` is declared twice.", "Give it another name.")
                    tensors[own.text] = self.tensor(part, own, kind, head, copy, tensors)
                case (("declare-input" | "declare-output"), (Word(), Word(), Word("initialized", _))):
                    why = "This input has a value in the network."
                    self.reject("V602", part, why, "Assert that it has this value, or export the network without it.")
                case (("declare-input" | "declare-output" | "equal-to"), _):
                    form = "(equal-to N)" if head == "equal-to" else f"({head} X Real [1,5])"
                    self.reject("V602", part, f"This is not the form of `{head}`.", f"Write `{form}`.")
                case _:
                    known = ("equal-to", *ROLES)
                    fix = suggestion(head, known, "There are:") if head else f"Write `{EXAMPLE}`."
                    self.reject("V602", part, "This is no part of a network.", fix)
        for head, role in ROLES.items():
            if not any(t.given is (role == "gives") for t in tensors.values()):
                why = f"What the network {role} is not declared."
                self.reject("V602", command, why, f"Add `({head} {'X' if role == 'takes' else 'Y'} Real [...])`.")
        if copy and not original:
            first = next(iter(self.networks))
            why = "This is a second network; `verifier vnnlib` is given one."
            self.reject("V602", command, why, f"Write `(equal-to {first})` in it, if it is the same.")
        if copy == MOST_COPIES:
            self.reject("V606", command, f"There are more than {MOST_COPIES} networks.", "Use a smaller property.")
        self.networks[name.text] = bool(original)
        self.tensors |= tensors

    def original(self, part: Node, text: str, before: str) -> str:
        if before:
            self.reject("V602", part, "This network is equal to two.", "Delete one.")
        if text not in self.networks:
            fix = suggestion(text, self.networks, "There are:") if self.networks else "Declare that one first."
            self.reject("V603", part, f"There is no network called `{shown(text)}` before this one.", fix)
        if self.networks[text]:
            why = f"`{text}` is itself equal to another network."
            self.reject("V602", part, why, f"Write `(equal-to {next(iter(self.networks))})`.")
        return text

    def tensor(self, part: Node, name: Word, kind: Word, head: str, copy: int, known: dict[str, Tensor]) -> Tensor:
        self.fresh(name)
        role = ROLES[head]
        given, size = role == "gives", self.size["Y" if role == "gives" else "X"]
        if any(t.given is given for t in known.values()):
            why = f"The network {role} one tensor; this is another."
            self.reject("V602", part, why, "Export it with one input and one output.")
        sort, bracket, _ = kind.text.partition("[")
        if sort.strip() not in REALS:
            why = f"The numbers of `{name.text}` must be real."
            self.reject("V603", kind, why, f"Write one of {', '.join(REALS)}; all are read as exact numbers.")
        if not bracket:
            self.reject("V603", kind, "The shape is missing.", f"Write `{sort.strip()} [{size}]`.")
        shape = self.counts(kind, "size")
        if 0 in shape or prod(shape) != size:
            why = f"`{name.text}` has {counted(prod(shape), 'number')}, and the network {role} {size}."
            self.reject("V603", kind, why, "Is it the right network?")
        return Tensor(shape, given, copy)

    def fresh(self, name: Word) -> None:
        if not NAME.fullmatch(name.text):
            why = f"`{shown(name.text)}` is no name."
            self.reject("V603", name, why, "Names begin with a letter, and have letters, digits, `_` and `-`.")
        if name.text in self.networks or name.text in self.tensors:
            self.reject("V603", name, f"`{name.text}` is declared twice.", "Give it another name.")

    # entries

    def joined(self, node: List) -> list[Node]:
        """The parts of a list, with indices beside the name that they belong to."""
        found: list[Node] = []
        for part in node.parts:
            before = found[-1] if found else None
            if (
                isinstance(part, Word)
                and part.text[0] == "["
                and isinstance(before, Word)
                and NAME.fullmatch(before.text)
            ):
                found[-1] = Word(self.source.text[before.start : part.end], before.start)
            else:
                found.append(part)
        return found

    def formula(self, node: Node) -> Formula:
        if isinstance(node, List):
            node = List(tuple(self.joined(node)), node.start, node.end)
        match node:
            case List(parts=(Word("==", start), *rest)):
                return super().formula(List((Word("=", start), *rest), node.start, node.end))
            case List(parts=(Word("!=", _), first, second)):
                left, right = self.sum(first), self.sum(second)
                return Some((self.compare(">", left, right, node), self.compare("<", left, right, node)))
            case List(parts=(Word("!=", _), *rest)):
                self.reject("V604", node, f"`!=` has {counted(len(rest), 'argument')}.", "Give it two.")
        return super().formula(node)

    def sum(self, node: Node) -> Sum:
        return super().sum(List(tuple(self.joined(node)), node.start, node.end) if isinstance(node, List) else node)

    def place(self, word: Word) -> int:
        if word.text.count("[") != word.text.count("]"):
            self.reject("V602", word, "The brackets of an index do not fit.", "Write `X[0,1]`.")
        found = ENTRY.fullmatch(word.text)
        if found is None or found.group(1) not in self.tensors:
            text = found.group(1) if found else word.text
            fix = suggestion(text, self.tensors, "There are:") if self.tensors else f"Write `{EXAMPLE}`."
            self.reject("V603", word, f"There is no tensor called `{shown(text)}`.", fix)
        name = found.group(1)
        tensor = self.tensors[name]
        at = self.counts(word, "index") if found.group(2) is not None else ()
        last = label(name, tuple(n - 1 for n in tensor.shape))
        if len(at) != len(tensor.shape):
            shape = ",".join(map(str, tensor.shape))
            indices = "one index" if len(tensor.shape) == 1 else f"{len(tensor.shape)} indices"
            why = (
                f"`{name}` has the shape [{shape}]: {indices}."
                if shape
                else f"`{name}` is one number, without indices."
            )
            self.reject(
                "V603", word, why, f"Write `{last}` for the last number of it." if shape else f"Write `{name}`."
            )
        flat = 0
        for i, n in zip(at, tensor.shape, strict=True):
            if i >= n:
                self.reject(
                    "V603", word, f"There is no {label(name, at)}.", f"The last one is {last}; indices begin at 0."
                )
            flat = flat * n + i
        width = self.size["Y" if tensor.given else "X"]
        return (len(self.networks) * self.size["X"] if tensor.given else 0) + tensor.copy * width + flat

    def counts(self, word: Word, what: str) -> tuple[int, ...]:
        """The whole numbers between the brackets at the end of a word."""
        inside = word.text.partition("[")[2].removesuffix("]").strip()
        found = []
        for text in inside.split(",") if inside else ():
            if not SIZE.fullmatch(text):
                self.reject("V603", word, f"`{shown(text.strip())}` is no {what}.", "Write whole numbers: `[0,4]`.")
            found.append(int(text))
        return tuple(found)

    def undeclared(self, wrong: Sequence[Diagnostic]) -> list[Diagnostic]:
        if self.networks or wrong:
            return []
        return [Diagnostic("V603", self.source.span(0, 0), "No network is declared.", f"Write `{EXAMPLE}`.")]


def label(name: str, at: tuple[int, ...]) -> str:
    return f"{name}[{','.join(map(str, at))}]" if at else name
