"""Problems and proofs as JSON, read strictly: one text for one meaning.

Rationals are strings "p/q" in lowest terms (or "p"); there are no floats, no repeated or unknown keys, and caps on the
length of the text, of every line and of every number. A problem is one document; a proof is a document a line, so that
one of a million steps is checked as it is read. It names its problem by a digest, and its last line says that nothing
was cut off.

    {"version": 1, "entails": {"circuit": [{"input": 0}, {"affine": [[[0, "1/2"]], "1"]}, {"select": [1, 0, 1]}],
                               "zeros": [1], "targets": [0]}}
    {"version": 1, "empty": {"circuit": [{"input": 0}], "box": [["-1", "1/2", false], [null, null, true]],
                             "facts": [0]}}

    {"version": 1, "problem": "sha256:..."}
    ["linear", [["1/2"]]]                                   or ["hole", "z3 5.4.0"]
    ["qed"]

    {"version": 1, "problem": "sha256:...", "definitions": [{"affine": [[[1, "1"], [2, "-1"]], "0"]}], "gaps": [[4, 3]],
     "twins": [[1, 2, 3]]}
    ["bound", 1, "-3", true, [["high", 1, "1"]], []]
    ["cut", 0, "1/2"]
    ["zonotope"]
    ["descent", 7, 8, [[0, 1]]]
    ["end", [["low", 4, "1"], ["rise", 0, "12"]], [[2, 8388608], [3, 4096, 0]]]
    ["hole", "z3 5.4.0"]
    ["qed"]
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from hashlib import sha256
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from verifier.kernel.circuit import Affine, Input, Node, Select
from verifier.kernel.problem import (
    Bound,
    Descent,
    Empty,
    Entails,
    Farkas,
    Hole,
    Linear,
    Problem,
    Proof,
    Rejected,
    Row,
    Side,
    Split,
    Step,
    Tree,
    Zonotope,
)
from verifier.kernel.shape import well_formed

LONGEST_TEXT = 1 << 28  # characters of a problem
LONGEST_LINE = 1 << 24  # characters of a line of a proof
LONGEST_PROOF = 1 << 32  # characters of a proof, unpacked
LONGEST_NUMBER = 4000  # digits of a numerator or a denominator
_TOO_LONG = 10**LONGEST_NUMBER
_RATIONAL = re.compile(rf"-?[0-9]{{1,{LONGEST_NUMBER}}}(/[1-9][0-9]{{0,{LONGEST_NUMBER - 1}}})?")
_TIMES = re.compile(rf"[1-9][0-9]{{0,{LONGEST_NUMBER - 1}}}")
_QED = ["qed"]


class Unreadable(Exception):
    """The text is not a problem or a proof in this format."""


BROKEN = (OSError, EOFError, zlib.error, UnicodeDecodeError, Unreadable)
"""What reading a file may end in."""


@contextmanager
def opened(path: str | Path) -> Iterator[TextIO]:
    """The text of a file, unpacked as it is read where it is a gzip."""
    with Path(path).open("rb") as raw:
        packed = raw.peek(2)[:2] == b"\x1f\x8b"
        with TextIOWrapper(gzip.GzipFile(fileobj=raw) if packed else raw, encoding="utf-8", newline="\n") as text:
            yield text


def read_problem(text: str) -> Problem:
    """The problem that `text` states; `Unreadable` when it states none, `Rejected` when an index points ahead."""
    if len(text) > LONGEST_TEXT:
        raise Unreadable("the text is too long")
    document = _load(text)
    kind = "empty" if isinstance(document, dict) and "empty" in document else "entails"
    record = _fields(document, "version", kind)
    _version(record)
    problem: Problem
    if kind == "empty":
        body = _fields(record[kind], "circuit", "box", "facts")
        box = tuple(_side(side) for side in _list(body["box"]))
        problem = Empty(_circuit(body["circuit"]), box, _indices(body["facts"]))
    else:
        body = _fields(record[kind], "circuit", "zeros", "targets")
        problem = Entails(_circuit(body["circuit"]), _indices(body["zeros"]), _indices(body["targets"]))
    well_formed(problem)
    return problem


def read_proof(file: TextIO, problem: Problem) -> Proof:
    """The proof of `problem` that `file` holds, not yet checked. The steps of a tree are read when they are asked for,
    once; `Rejected` when it proves another problem."""
    lines = _lines(file)
    header = _header(next(lines, None))
    if header["problem"] != digest(problem):
        raise Rejected("this is a proof of another problem")
    if "gaps" in header:
        definitions = tuple(_definition(node) for node in _list(header["definitions"]))
        gaps = tuple((_index(rise), _index(run)) for rise, run in (_list(g, 2) for g in _list(header["gaps"])))
        triples = (_list(t, 3) for t in _list(header.get("twins", [])))
        twins = tuple((_index(first), _index(second), _index(by)) for first, second, by in triples)
        return Tree(_steps(lines), definitions, gaps, twins)
    match _tagged(next(lines, None)):
        case "linear", rows:
            proof: Proof = Linear(tuple(tuple(_rational(w) for w in _list(row)) for row in _list(_list(rows, 1)[0])))
        case "hole", name:
            proof = _hole(name)
        case kind, _:
            raise Unreadable(f"{kind[:40]!r} is no proof in one step")
    if any(True for _ in _steps(lines)):
        raise Unreadable("a proof in one step goes on")
    return proof


def write_problem(problem: Problem) -> str:
    """Raises ValueError when a number is longer than a reader takes."""
    circuit = [_written(node) for node in problem.circuit]
    match problem:
        case Entails(_, zeros, targets):
            return _dump({"version": 1, "entails": {"circuit": circuit, "zeros": zeros, "targets": targets}})
        case Empty(_, sides, facts):
            box = [[*(None if b is None else _digits(b) for b in (s.low, s.high)), s.integer] for s in sides]
            return _dump({"version": 1, "empty": {"circuit": circuit, "box": box, "facts": facts}})


def digest(problem: Problem) -> str:
    """What a proof calls its problem: the SHA-256 of the text that `write_problem` gives it."""
    return "sha256:" + sha256(write_problem(problem).encode()).hexdigest()


def claimed(file: TextIO) -> object:
    """What the proof in `file` calls its problem; nothing of it is checked."""
    return _header(next(_lines(file), None))["problem"]


def write_proof(problem: Problem, proof: Proof) -> Iterator[str]:
    """Line by line. Raises ValueError when a number is longer than a reader takes."""
    header: dict[str, object] = {"version": 1, "problem": digest(problem)}
    match proof:
        case Linear(weights):
            yield _dump(header)
            yield _dump(["linear", [[_digits(w) for w in row] for row in weights]])
        case Hole(name):
            yield _dump(header)
            yield _dump(["hole", name])
        case Tree(steps, definitions, gaps, twins):
            header |= {"definitions": [_written(node) for node in definitions], "gaps": gaps}
            yield _dump(header | {"twins": twins} if twins else header)
            yield from (_dump(_step_written(step)) for step in steps)
    yield _dump(_QED)


# texts and trees


def _lines(file: TextIO) -> Iterator[object]:
    total = 0
    while line := file.readline(LONGEST_LINE + 1):
        total += len(line)
        if len(line) > LONGEST_LINE:
            raise Unreadable("a line is too long")
        if total > LONGEST_PROOF:
            raise Unreadable("the proof is too long")
        yield _load(line)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise Unreadable("a key stands twice in one record")
    return record


def _integer(text: str) -> int:
    if len(text) > 10:
        raise Unreadable("an index is too long")
    return int(text)


def _no_float(text: str) -> object:
    raise Unreadable(f"{text[:20]}: write rationals as strings")


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float)


def _load(text: str) -> object:
    try:
        return _JSON.decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON at character {error.pos}") from None
    except RecursionError:
        raise Unreadable("nested too deeply") from None


def _dump(document: object) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"


# the shapes


def _fields(value: object, *names: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unreadable(f"a record of {', '.join(names)} is missing")
    if set(value) != set(names):
        raise Unreadable(f"the keys here are {', '.join(names)}, no more and no less")
    return value


def _version(record: dict[str, object]) -> None:
    if type(record["version"]) is not int or record["version"] != 1:
        raise Unreadable("this reader knows version 1")


def _list(value: object, length: int | None = None) -> list[object]:
    if not isinstance(value, list):
        raise Unreadable("a list is missing")
    if length is not None and len(value) != length:
        raise Unreadable(f"a list has {len(value)} entries instead of {length}")
    return value


def _index(value: object) -> int:
    if type(value) is not int:
        raise Unreadable("an index is a whole number")
    return value


def _indices(value: object) -> tuple[int, ...]:
    return tuple(_index(i) for i in _list(value))


def _rational(value: object) -> Fraction:
    if not isinstance(value, str) or not _RATIONAL.fullmatch(value):
        raise Unreadable('a rational is a string like "-3/4"')
    numerator, _, denominator = value.partition("/")
    number = Fraction(int(numerator), int(denominator or "1"))
    if str(number) != value:
        raise Unreadable(f"{value[:40]}: not in lowest terms")
    return number


def _digits(number: Fraction) -> str:
    if max(abs(number.numerator), number.denominator) >= _TOO_LONG:
        raise ValueError(f"a number has more than {LONGEST_NUMBER} digits")
    return str(number)


# problems


def _circuit(value: object) -> tuple[Node, ...]:
    return tuple(_node(node) for node in _list(value))


def _node(value: object) -> Node:
    if not isinstance(value, dict) or len(value) != 1:
        raise Unreadable("a node is a record with one key")
    match next(iter(value.items())):
        case "input", index:
            return Input(_index(index))
        case "affine", body:
            terms, constant = _list(body, 2)
            pairs = [_list(term, 2) for term in _list(terms)]
            return Affine(tuple((_index(i), _rational(w)) for i, w in pairs), _rational(constant))
        case "select", body:
            test, then, otherwise = (_index(i) for i in _list(body, 3))
            return Select(test, then, otherwise)
        case kind, _:
            raise Unreadable(f"{kind[:40]!r} is no kind of node")


def _written(node: Node) -> dict[str, object]:
    match node:
        case Input(index):
            return {"input": index}
        case Affine(terms, constant):
            return {"affine": [[[i, _digits(w)] for i, w in terms], _digits(constant)]}
        case Select(test, then, otherwise):
            return {"select": [test, then, otherwise]}


def _definition(value: object) -> Affine:
    node = _node(value)
    if not isinstance(node, Affine):
        raise Unreadable("a definition is an affine form")
    return node


def _side(value: object) -> Side:
    low, high, integer = _list(value, 3)
    if type(integer) is not bool:
        raise Unreadable("whether an input is whole is true or false")
    return Side(None if low is None else _rational(low), None if high is None else _rational(high), integer)


# steps


def _header(document: object) -> dict[str, object]:
    keys = document if isinstance(document, dict) else {}
    twins = ("twins",) if "twins" in keys else ()
    extra = ("definitions", "gaps", *twins) if "gaps" in keys else ()
    header = _fields(document, "version", "problem", *extra)
    _version(header)
    return header


def _tagged(value: object) -> tuple[str, list[object]]:
    """The first word of a step, and the rest."""
    match value:
        case [str(kind), *rest]:
            return kind, rest
        case None:
            raise Unreadable("the proof breaks off")
        case _:
            raise Unreadable("a step is a list that begins with a word")


def _steps(lines: Iterator[object]) -> Iterator[Step]:
    """The steps up to the end mark, behind which nothing stands."""
    for line in lines:
        if line == _QED:
            if any(True for _ in lines):
                raise Unreadable("the text goes on after its end")
            return
        yield _step(line)
    raise Unreadable("the proof breaks off")


def _step(value: object) -> Step:
    match _tagged(value):
        case "cut", body:
            node, at = _list(body, 2)
            return Split(_index(node), _rational(at))
        case "bound", body:
            node, at, above, *end = _list(body, 5)
            if type(above) is not bool:
                raise Unreadable("whether a bound is one from below is true or false")
            return Bound(_index(node), _rational(at), above, _end(end))
        case "zonotope", body:
            _list(body, 0)
            return Zonotope()
        case "descent", body:
            first, second, pairs = _list(body, 3)
            there = (_list(pair, 2) for pair in _list(pairs))
            return Descent(_index(first), _index(second), tuple((_index(i), _index(j)) for i, j in there))
        case "end", body:
            return _end(body)
        case "hole", body:
            return _hole(body)
        case kind, _:
            raise Unreadable(f"{kind[:40]!r} is no step of a proof")


def _end(body: list[object]) -> Farkas:
    rows, slopes = (_list(part) for part in _list(body, 2))
    return Farkas(tuple(_row(row) for row in rows), tuple(_indices(slope) for slope in slopes))


def _row(value: object) -> Row:
    kind, place, times = _list(value, 3)
    if not isinstance(times, str) or not _TIMES.fullmatch(times):
        raise Unreadable('how often a row is taken is a string like "12"')
    match kind:
        case "low" | "high" | "rise" | "fall":
            return Row(kind, _index(place), int(times))
        case _:
            raise Unreadable("a row is low, high, rise or fall")


def _hole(body: list[object]) -> Hole:
    (name,) = _list(body, 1)
    if not isinstance(name, str):
        raise Unreadable("the name of a hole is a string")
    return Hole(name)


def _step_written(step: Step) -> list[object]:
    match step:
        case Split(node, value):
            return ["cut", node, _digits(value)]
        case Bound(node, value, above, end):
            return ["bound", node, _digits(value), above, *_step_written(end)[1:]]
        case Zonotope():
            return ["zonotope"]
        case Descent(first, second, pairs):
            return ["descent", first, second, pairs]
        case Farkas(rows, slopes):
            return ["end", [[row.kind, row.place, _digits(Fraction(row.times))] for row in rows], slopes]
        case Hole(name):
            return ["hole", name]
