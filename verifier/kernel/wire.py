"""Problems and proofs as JSON, read strictly: one text for one meaning.

Rationals are strings "p/q" in lowest terms (or "p"); there are no floats, no repeated or unknown keys, and caps on the
length of the text and of every number. A proof is a list of steps, the last of which is the proof; a step may only
refer to earlier ones.

    {"version": 1, "entails": {"circuit": [{"input": 0}, {"affine": [[[0, "1/2"]], "1"]}, {"select": [1, 0, 1]}],
                               "zeros": [1], "targets": [0]}}
    {"version": 1, "steps": [{"linear": [["1/2"]]}]}        {"version": 1, "steps": [{"hole": "z3 5.4.0"}]}
"""

from __future__ import annotations

import json
import re
from fractions import Fraction

from verifier.kernel.circuit import Affine, Input, Node, Select
from verifier.kernel.problem import Entails, Hole, Linear, Problem, Proof
from verifier.kernel.shape import well_formed

LONGEST_TEXT = 1 << 28  # characters
LONGEST_NUMBER = 4000  # digits of a numerator or a denominator
_RATIONAL = re.compile(rf"-?[0-9]{{1,{LONGEST_NUMBER}}}(/[1-9][0-9]{{0,{LONGEST_NUMBER - 1}}})?")


class Unreadable(Exception):
    """The text is not a problem or a proof in this format."""


def read_problem(text: str) -> Problem:
    """The problem that `text` states; `Unreadable` when it states none, `Rejected` when an index points ahead."""
    body = _record(_load(text), "entails")
    record = _fields(body, "circuit", "zeros", "targets")
    problem = Entails(
        tuple(_node(node) for node in _list(record["circuit"])),
        _indices(record["zeros"]),
        _indices(record["targets"]),
    )
    well_formed(problem)
    return problem


def read_proof(text: str) -> Proof:
    """The proof that `text` holds, not yet checked."""
    steps = [_step(step) for step in _list(_record(_load(text), "steps"))]
    if len(steps) != 1:  # no step rests on another one yet
        raise Unreadable("a proof is one step that rests on all others")
    return steps[-1]


def write_problem(problem: Problem) -> str:
    """Raises ValueError when a number is longer than a reader takes."""
    body = {
        "circuit": [_written(node) for node in problem.circuit],
        "zeros": list(problem.zeros),
        "targets": list(problem.targets),
    }
    return _dump({"version": 1, "entails": body})


def write_proof(proof: Proof) -> str:
    """Raises ValueError when a number is longer than a reader takes."""
    match proof:
        case Linear(weights):
            step: object = {"linear": [[_digits(w) for w in row] for row in weights]}
        case Hole(name):
            step = {"hole": name}
    return _dump({"version": 1, "steps": [step]})


# texts and trees


def _load(text: str) -> object:
    if len(text) > LONGEST_TEXT:
        raise Unreadable("the text is too long")
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
        )
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON at line {error.lineno}") from None
    except RecursionError:
        raise Unreadable("nested too deeply") from None


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


def _dump(document: object) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"


# the shapes


def _fields(value: object, *names: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unreadable(f"a record of {', '.join(names)} is missing")
    if set(value) != set(names):
        raise Unreadable(f"the keys here are {', '.join(names)}, no more and no less")
    return value


def _record(value: object, name: str) -> object:
    record = _fields(value, "version", name)
    if type(record["version"]) is not int or record["version"] != 1:
        raise Unreadable("this reader knows version 1")
    return record[name]


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
    if max(abs(number.numerator), number.denominator) >= 10**LONGEST_NUMBER:
        raise ValueError(f"a number has more than {LONGEST_NUMBER} digits")
    return str(number)


def _tagged(value: object) -> tuple[str, object]:
    if not isinstance(value, dict) or len(value) != 1:
        raise Unreadable("a record with one key is missing")
    return next(iter(value.items()))


def _node(value: object) -> Node:
    match _tagged(value):
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


def _step(value: object) -> Proof:
    match _tagged(value):
        case "linear", rows:
            return Linear(tuple(tuple(_rational(w) for w in _list(row)) for row in _list(rows)))
        case "hole", name:
            if not isinstance(name, str):
                raise Unreadable("the name of a hole is a string")
            return Hole(name)
        case kind, _:
            raise Unreadable(f"{kind[:40]!r} is no step of a proof")
