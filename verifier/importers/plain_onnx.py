"""Small ONNX files of dense layers one after the other, read without numpy and protobuf: to load those takes longer
than to answer most questions about such a network.

What is unusual about a file is left to `onnx_file`, which also says what is wrong with it. Where this reader gives a
network, that one gives the same (or finds a damaged part that this one has no need to read).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import isfinite, prod
from pathlib import Path
from typing import Any

from msgspec import Struct

from verifier.importers.failure import contents
from verifier.model.network import Dense, Matrix, Network, Relu, Rule, Vector

SMALL, FEW = 1 << 18, 500
"""Bytes of a file, and nodes of its graph, above which numpy is the faster one."""
KINDS = {1: ("f", 4), 11: ("d", 10)}
"""TensorProto types: float, double -> the code of `struct`, and the field of their numbers if not as raw bytes."""
FACTORS = {"alpha": (1,), "beta": (1,), "transA": (0,), "transB": (0, 1)}
"""Attributes of a Gemm that says A B + C, B perhaps transposed."""


class Unusual(Exception):
    """The file is for `onnx_file`."""


def expect(usual: bool) -> None:
    if not usual:
        raise Unusual


def read(path: Path) -> Network | None:
    """The network, or None where something about the file is unusual. ImportFailed when it cannot be read."""
    data = contents(path)
    try:
        expect(len(data) <= SMALL)
        return network(message(data), str(path))
    except (Unusual, UnicodeDecodeError):
        return None


def network(model: Message, path: str) -> Network:
    """The network of a ModelProto."""
    graph = message(one(model, 7))
    nodes, stored = parts(graph, 1), dict(table(message(part)) for part in parts(graph, 5))
    expect(len(nodes) <= FEW and len(stored) == len(parts(graph, 5)) and "" not in stored)  # "": what is left out
    free = [info for info in map(message, parts(graph, 11)) if text(info, 1) not in stored]
    expect(len(free) == 1)
    value, inputs = vector(free[0])
    steps: list[Dense | Relu] = []
    for node in map(message, nodes):
        read, made, operator = names(node, 1), names(node, 2), text(node, 4)
        if operator == "Add" and read[1:] == [value]:
            read.reverse()
        expect({field for field, _ in node} <= {1, 2, 3, 4, 5, 6} and len(made) == 1 and made[0] not in stored)
        expect(bool(value) and read[:1] == [value] and stored.keys() >= {*read[1:]})
        append(steps, operator, [stored[name] for name in read[1:]], attributes(node), inputs)
        (value,) = made
    dense = [step for step in steps if isinstance(step, Dense)]
    expect(bool(dense) and [text(message(part), 1) for part in parts(graph, 12)] == [value])
    rule: Rule = "positive" if len(dense[-1].bias) == 1 else "argmax"
    return Network(inputs, tuple(steps), rule, dense[-1].sources[0], "onnx", path)


def append(
    steps: list[Dense | Relu], operator: str, given: list[Table], factors: dict[str, float], inputs: int
) -> None:
    """What an operator makes of the last value and of the tables `given`. An offset becomes part of a product."""
    width = next((len(step.bias) for step in reversed(steps) if isinstance(step, Dense)), inputs)
    match operator, given, steps[-1:]:
        case "Identity", [], _ if not factors:
            pass
        case "Relu", [], _ if not factors:
            steps.append(Relu(len(steps)))
        case "MatMul", [matrix], _ if not factors:
            steps.append(layer(len(steps), matrix.columns(), width))
        case "Add", [offset], [Dense((source,), (rows,), bias)] if not factors and not any(bias):
            steps[-1] = layer(source, rows, len(rows[0]), offset)
        case "Gemm", [matrix, *offset], _ if len(offset) < 2:
            expect(all(value in FACTORS.get(name, ()) for name, value in factors.items()))
            rows = matrix.rows() if factors.get("transB") else matrix.columns()
            steps.append(layer(len(steps), rows, width, *offset))
        case _:
            raise Unusual


def layer(source: int, rows: Matrix, width: int, offset: Table | None = None) -> Dense:
    """rows @ a value of this width + offset."""
    expect(all(len(row) == width for row in rows))
    return Dense((source,), (rows,), [0.0] * len(rows) if offset is None else offset.row(len(rows)))


# Messages of ONNX (onnx.proto)


class Table(Struct, frozen=True):
    """A stored tensor, its numbers row by row; none of its lengths is 0."""

    shape: tuple[int, ...]
    numbers: Vector

    def rows(self) -> Matrix:
        """Of a matrix."""
        expect(len(self.shape) == 2)
        width = self.shape[1]
        return [self.numbers[i : i + width] for i in range(0, len(self.numbers), width)]

    def columns(self) -> Matrix:
        return [*zip(*self.rows(), strict=True)]

    def row(self, width: int) -> Vector:
        """A vector of this width, or a matrix of one such row; zeros have no sign."""
        expect(self.shape in ((width,), (1, width)))
        return [v + 0.0 for v in self.numbers]


def table(tensor: Message) -> tuple[str, Table]:
    """Name and numbers of a TensorProto."""
    kind = number(tensor, 2)
    expect(kind in KINDS)
    code, field = KINDS[kind]
    expect({f for f, _ in tensor} <= {1, 2, field, 8, 9, 12})
    packed, plain = parts(tensor, 1), tensor.get((1, VARINT), [])
    shape = tuple(n for part in packed for n in varints(part)) if packed else tuple(plain)
    raw = one(tensor, 9) if parts(tensor, 9) else b"".join(parts(tensor, field))
    expect(0 < len(raw) == prod(shape) * struct.calcsize(code) and not (packed and plain))
    numbers = struct.unpack(f"<{prod(shape)}{code}", raw)
    expect(all(map(isfinite, numbers)))
    return text(tensor, 8), Table(shape, numbers)


def vector(info: Message) -> tuple[str, int]:
    """Name and width of a ValueInfoProto: floats of the shape (1 or not fixed, width)."""
    kind = message(one(info, 2))
    tensor = message(one(kind, 1))
    sides = [message(part) for part in parts(message(one(tensor, 2)), 1)]
    expect(all(len(of) < 2 for of in (kind, *sides)))  # one of several: the last one counts
    lengths = [number(side, 1) for side in sides]
    expect(number(tensor, 1) in KINDS and len(lengths) == 2 and lengths[0] <= 1 <= lengths[1])
    return text(info, 1), lengths[1]


def attributes(node: Message) -> dict[str, float]:
    """Those of a NodeProto, one number each."""
    found: dict[str, float] = {}
    for given in map(message, parts(node, 5)):
        kind = number(given, 20)
        expect(kind in (1, 2) and {field for field, _ in given} <= {1, 2, 3, 20})
        (real,) = struct.unpack("<f", one(given, 2, FOUR, bytes(4)))
        found[text(given, 1)] = real if kind == 1 else number(given, 3)
    return found


# Messages of protobuf

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
"""How a value is written."""
Message = dict[tuple[int, int], list[Any]]
"""(number of a field, how it is written) -> its values: integers of a VARINT, else bytes."""


def message(data: bytes) -> Message:
    """The fields of a message."""
    found: Message = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        expect(7 < key < 1 << 32)
        if kind == VARINT:
            value, at = varint(data, at)
            found.setdefault((key >> 3, kind), []).append(value)
            continue
        expect(kind in (EIGHT, BYTES, FOUR))
        size, at = varint(data, at) if kind == BYTES else (8 if kind == EIGHT else 4, at)
        expect(at + size <= len(data))
        found.setdefault((key >> 3, kind), []).append(data[at : at + size])
        at += size
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number that is not negative, and where it ends."""
    value = 0
    for shift in range(0, 63, 7):
        expect(at < len(data))
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
    raise Unusual


def varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def parts(given: Message, field: int) -> list[bytes]:
    return given.get((field, BYTES), [])


def one(given: Message, field: int, kind: int = BYTES, default: bytes | None = None) -> bytes:
    """The value of a field that is there once; where it is not, the default."""
    found = given.get((field, kind), [] if default is None else [default])
    expect(len(found) == 1)
    return bytes(found[0])


def text(given: Message, field: int) -> str:
    return one(given, field, default=b"").decode()


def names(given: Message, field: int) -> list[str]:
    return [part.decode() for part in parts(given, field)]


def number(given: Message, field: int) -> int:
    """An integer; 0 where it is not there."""
    found = given.get((field, VARINT), [0])
    expect(len(found) == 1)
    return int(found[0])
