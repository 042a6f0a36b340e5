"""The typed tree of a `.vf` file. Frozen, with spans; nothing here knows what a word means."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from verifier.source import Span

# Expressions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """An exact rational literal: `3`, `0.1` (= 1/10), `1e-3`."""

    span: Span
    value: Fraction


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal, escapes resolved."""

    span: Span
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """`size`, `x'`, `true`, `false`, `infinity`."""

    span: Span
    id: str


@dataclass(frozen=True, slots=True)
class Field:
    """`value.name`: a feature of a model (`f2.x`), a coordinate of a point (`u.size`)."""

    span: Span
    value: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`value[index]`, from 0."""

    span: Span
    value: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call; `label` is empty for a positional one."""

    span: Span
    label: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Apply:
    """`function(arguments)`."""

    span: Span
    function: Expr
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Vector:
    """`[a, b]`; a matrix is a vector of vectors."""

    span: Span
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """`{x: [1, 2], sex: f}`."""

    span: Span
    entries: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """`[a, b]`, `(a, b]`, `[a, infinity)` after `in`; `low_open` means `a` itself is excluded."""

    span: Span
    low: Expr
    high: Expr
    low_open: bool
    high_open: bool


@dataclass(frozen=True, slots=True)
class Unary:
    span: Span
    op: Literal["-", "+", "not"]
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    span: Span
    op: Literal["+", "-", "*", "/", "and", "or", "=>", "<=>"]
    left: Expr
    right: Expr


Comparison = Literal["<", "<=", "==", "!=", ">=", ">"]


@dataclass(frozen=True, slots=True)
class Chain:
    """`a <= b < c`: operands one more than ops."""

    span: Span
    operands: tuple[Expr, ...]
    ops: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class If:
    span: Span
    test: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Quantified:
    """`forall u, v in X: body`; `over` names a domain, a data set or a partition."""

    span: Span
    kind: Literal["forall", "exists"]
    names: tuple[Name, ...]
    over: Name
    body: Expr


Expr = Number | Text | Name | Field | Index | Apply | Vector | Record | Unary | Binary | Chain | If | Quantified

# Declarations --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RealSort:
    """`real` (size None) or `real^n`."""

    span: Span
    size: Expr | None


@dataclass(frozen=True, slots=True)
class IntSort:
    span: Span


@dataclass(frozen=True, slots=True)
class FiniteSort:
    """`{f, m}`."""

    span: Span
    members: tuple[Name, ...]


Sort = RealSort | IntSort | FiniteSort


@dataclass(frozen=True, slots=True)
class Coordinate:
    """`size: real in [0, 1]`."""

    span: Span
    name: Name
    sort: Sort
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Domain:
    span: Span
    name: Name
    coordinates: tuple[Coordinate, ...]
    where: Expr | None


@dataclass(frozen=True, slots=True)
class Labels:
    span: Span
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class NamedFeature:
    """`s = size`."""

    span: Span
    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class NamedFeatures:
    """`features s = size, h = hue`."""

    span: Span
    entries: tuple[NamedFeature, ...]


@dataclass(frozen=True, slots=True)
class AllFeatures:
    """`features all`, `features all except sex, race`."""

    span: Span
    excluded: tuple[Name, ...]


Features = NamedFeatures | AllFeatures


@dataclass(frozen=True, slots=True)
class Metric:
    """`metric linf(scale: {age: 2})`, `metric dist` (a `def` of two feature vectors), or, with `parameters`,
    `metric d(u, v) = abs(u.s - v.s)`, whose `value` is the expression after `=`."""

    span: Span
    value: Expr
    name: Name | None
    parameters: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """`model f1 { ... }` or `oracle f2 { ... }`. Missing parts are None; elaboration says which are needed."""

    span: Span
    kind: Literal["model", "oracle"]
    name: Name
    features: Features | None
    metric: Metric | None
    decide: Expr | None


@dataclass(frozen=True, slots=True)
class Imported:
    """`model f1 = onnx("net.onnx", inputs: [...])`; `call` is checked to be an Apply by elaboration."""

    span: Span
    kind: Literal["model", "oracle"]
    name: Name
    call: Expr


@dataclass(frozen=True, slots=True)
class Def:
    span: Span
    name: Name
    parameters: tuple[Name, ...]
    value: Expr


@dataclass(frozen=True, slots=True)
class Let:
    span: Span
    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class Param:
    span: Span
    name: Name
    value: Expr
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class PointDecl:
    """`point p = { x: [0.9, 0.1] }`."""

    span: Span
    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class Data:
    span: Span
    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class Cut:
    """`age every 10` (parts of this width), `v[0] at [1/2, 2]` (cut at these points), `sex` (each value)."""

    span: Span
    name: Name
    entry: Expr | None
    how: Literal["every", "at", "each"]
    value: Expr | None


@dataclass(frozen=True, slots=True)
class Partition:
    """`partition P of X by age every 10, sex`."""

    span: Span
    name: Name
    of: Name
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """`@points(4)`."""

    span: Span
    name: Name
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Assert:
    """`assert A1: body expect refuted`; `body` may be a Quantified over data (`forall row in D: ...`)."""

    span: Span
    name: Name
    body: Expr
    expect: Literal["proved", "refuted"]
    expect_written: bool
    annotations: tuple[Annotation, ...]


@dataclass(frozen=True, slots=True)
class Compute:
    span: Span
    name: Name
    body: Expr


@dataclass(frozen=True, slots=True)
class Use:
    """`use "week3.vf"` (names None: everything but assertions), `use (f1) from "submission.vf"`."""

    span: Span
    names: tuple[Name, ...] | None
    path: Text


Declaration = (
    Domain | Labels | Model | Imported | Def | Let | Param | PointDecl | Data | Partition | Assert | Compute | Use
)


@dataclass(frozen=True, slots=True)
class File:
    """A whole file: its declarations in order. Comments live in the token stream, for the formatter."""

    path: str
    declarations: tuple[Declaration, ...]
