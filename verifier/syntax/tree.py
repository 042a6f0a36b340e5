"""The typed tree of a `.vf` file. Frozen, with spans; nothing here knows what a word means."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from msgspec import Struct

from verifier.source import Span

# Expressions ---------------------------------------------------------------------------------------------------------


class Number(Struct, frozen=True):
    """An exact rational literal: `3`, `0.1` (= 1/10), `1e-3`."""

    span: Span
    value: Fraction


class Text(Struct, frozen=True):
    """A string literal, escapes resolved."""

    span: Span
    value: str


class Name(Struct, frozen=True):
    """`size`, `x'`, `true`, `false`, `infinity`."""

    span: Span
    id: str


class Field(Struct, frozen=True):
    """`value.name`: a feature of a model (`f2.x`), a coordinate of a point (`u.size`)."""

    span: Span
    value: Expr
    name: str


class Index(Struct, frozen=True):
    """`value[index]`, from 0."""

    span: Span
    value: Expr
    index: Expr


class Argument(Struct, frozen=True):
    """One argument of a call; `label` is empty for a positional one."""

    span: Span
    label: str
    value: Expr


class Apply(Struct, frozen=True):
    """`function(arguments)`."""

    span: Span
    function: Expr
    arguments: tuple[Argument, ...]


class Vector(Struct, frozen=True):
    """`[a, b]`; a matrix is a vector of vectors."""

    span: Span
    items: tuple[Expr, ...]


class Record(Struct, frozen=True):
    """`{x: [1, 2], sex: f}`."""

    span: Span
    entries: tuple[Argument, ...]


class Interval(Struct, frozen=True):
    """`[a, b]`, `(a, b]`, `[a, infinity)` after `in`; `low_open` means `a` itself is excluded."""

    span: Span
    low: Expr
    high: Expr
    low_open: bool
    high_open: bool


class Unary(Struct, frozen=True):
    span: Span
    op: Literal["-", "+", "not"]
    operand: Expr


class Binary(Struct, frozen=True):
    span: Span
    op: Literal["+", "-", "*", "/", "and", "or", "=>", "<=>"]
    left: Expr
    right: Expr


Comparison = Literal["<", "<=", "==", "!=", ">=", ">"]


class Chain(Struct, frozen=True):
    """`a <= b < c`: operands one more than ops."""

    span: Span
    operands: tuple[Expr, ...]
    ops: tuple[Comparison, ...]


class If(Struct, frozen=True):
    span: Span
    test: Expr
    then: Expr
    otherwise: Expr


class Quantified(Struct, frozen=True):
    """`forall u, v in X: body`; `over` names a domain, a data set or a partition."""

    span: Span
    kind: Literal["forall", "exists"]
    names: tuple[Name, ...]
    over: Name
    body: Expr


Expr = Number | Text | Name | Field | Index | Apply | Vector | Record | Unary | Binary | Chain | If | Quantified

# Declarations --------------------------------------------------------------------------------------------------------


class RealSort(Struct, frozen=True):
    """`real` (size None) or `real^n`."""

    span: Span
    size: Expr | None


class IntSort(Struct, frozen=True):
    span: Span


class FiniteSort(Struct, frozen=True):
    """`{f, m}`."""

    span: Span
    members: tuple[Name, ...]


Sort = RealSort | IntSort | FiniteSort


class Coordinate(Struct, frozen=True):
    """`size: real in [0, 1]`."""

    span: Span
    name: Name
    sort: Sort
    interval: Interval | None


class Domain(Struct, frozen=True):
    span: Span
    name: Name
    coordinates: tuple[Coordinate, ...]
    where: Expr | None


class Labels(Struct, frozen=True):
    span: Span
    names: tuple[Name, ...]


class NamedFeature(Struct, frozen=True):
    """`s = size`."""

    span: Span
    name: Name
    value: Expr


class NamedFeatures(Struct, frozen=True):
    """`features s = size, h = hue`."""

    span: Span
    entries: tuple[NamedFeature, ...]


class AllFeatures(Struct, frozen=True):
    """`features all`, `features all except sex, race`."""

    span: Span
    excluded: tuple[Name, ...]


Features = NamedFeatures | AllFeatures


class Metric(Struct, frozen=True):
    """`metric linf(scale: {age: 2})`, `metric dist` (a `def` of two feature vectors), or, with `parameters`,
    `metric d(u, v) = abs(u.s - v.s)`, whose `value` is the expression after `=`."""

    span: Span
    value: Expr
    name: Name | None
    parameters: tuple[Name, ...]


class Model(Struct, frozen=True):
    """`model f1 { ... }` or `oracle f2 { ... }`. Missing parts are None; elaboration says which are needed."""

    span: Span
    kind: Literal["model", "oracle"]
    name: Name
    features: Features | None
    metric: Metric | None
    decide: Expr | None


class Imported(Struct, frozen=True):
    """`model f1 = onnx("net.onnx", inputs: [...])`; `call` is checked to be an Apply by elaboration."""

    span: Span
    kind: Literal["model", "oracle"]
    name: Name
    call: Expr


class Def(Struct, frozen=True):
    span: Span
    name: Name
    parameters: tuple[Name, ...]
    value: Expr


class Let(Struct, frozen=True):
    span: Span
    name: Name
    value: Expr


class Param(Struct, frozen=True):
    span: Span
    name: Name
    value: Expr
    interval: Interval | None


class PointDecl(Struct, frozen=True):
    """`point p = { x: [0.9, 0.1] }`."""

    span: Span
    name: Name
    value: Expr


class Data(Struct, frozen=True):
    span: Span
    name: Name
    value: Expr


class Cut(Struct, frozen=True):
    """`age every 10` (parts of this width), `v[0] at [1/2, 2]` (cut at these points), `sex` (each value)."""

    span: Span
    name: Name
    entry: Expr | None
    how: Literal["every", "at", "each"]
    value: Expr | None


class Partition(Struct, frozen=True):
    """`partition P of X by age every 10, sex`."""

    span: Span
    name: Name
    of: Name
    cuts: tuple[Cut, ...]


class Annotation(Struct, frozen=True):
    """`@points(4)`."""

    span: Span
    name: Name
    arguments: tuple[Argument, ...]


class Assert(Struct, frozen=True):
    """`assert A1: body expect refuted`; `body` may be a Quantified over data (`forall row in D: ...`)."""

    span: Span
    name: Name
    body: Expr
    expect: Literal["proved", "refuted"]
    expect_written: bool
    annotations: tuple[Annotation, ...]


class Compute(Struct, frozen=True):
    span: Span
    name: Name
    body: Expr


class Use(Struct, frozen=True):
    """`use "week3.vf"` (names None: everything but assertions), `use (f1) from "submission.vf"`."""

    span: Span
    names: tuple[Name, ...] | None
    path: Text


Declaration = (
    Domain | Labels | Model | Imported | Def | Let | Param | PointDecl | Data | Partition | Assert | Compute | Use
)


class File(Struct, frozen=True):
    """A whole file: its declarations in order. Comments live in the token stream, for the formatter."""

    path: str
    declarations: tuple[Declaration, ...]
