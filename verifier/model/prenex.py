"""The prenex form of a formula: its quantifiers, in blocks that alternate, and the rest behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NoReturn

from verifier.model.claim import Block, Kind
from verifier.model.elaborate import names_in
from verifier.model.meaning import fail
from verifier.model.program import PointValue, Program
from verifier.model.replace import literal, quantifiers, quantifies, renamed, replaced
from verifier.source import Span
from verifier.source.closest import suggestion
from verifier.syntax import tree

OTHER: dict[Kind, Kind] = {"forall": "exists", "exists": "forall"}
Form = tuple[list[Block], tree.Expr]
"""Blocks of different kinds in turn, and a formula without quantifiers that terms are not in the way of."""


def prenex(program: Program, body: tree.Quantified) -> Form:
    """That of a formula which begins with a quantifier. Raises Rejected."""
    return _Prenex(program, body).quantified(body, ())


class _Prenex:
    """X is never empty, so quantifiers may pass `and`, `or` and `=>`; what they pass decides nothing. `not` and the
    left of `=>` turn them over. Names are told apart on the way."""

    def __init__(self, program: Program, body: tree.Expr) -> None:
        self.program, self.body = program, body
        self.known = names_in(body)
        self.taken: set[str] = set()

    def form(self, expr: tree.Expr, first: Kind, bound: tuple[str, ...]) -> Form:
        """`first`: the kind of the block before it. `bound`: the names of the file that quantifiers around it have."""
        match expr:
            case tree.Quantified():
                return self.quantified(expr, bound)
            case tree.Unary(span, "not", operand):
                blocks, inner = self.form(operand, OTHER[first], bound)
                return turned(blocks), tree.Unary(span, "not", inner)
            case tree.Binary(span, "and" | "or" as op, left, right) if quantifies(expr):
                (before, a), (after, b) = self.form(left, first, bound), self.form(right, first, bound)
                return merged(first, before, after), tree.Binary(span, op, a, b)
            case tree.Binary(span, "=>", left, right) if quantifies(expr):
                (before, a), (after, b) = self.form(left, OTHER[first], bound), self.form(right, first, bound)
                return merged(first, turned(before), after), tree.Binary(span, "=>", a, b)
            case tree.Binary(span, "<=>", left, right) if quantifies(expr):
                ways = tree.Binary(span, "=>", left, right), tree.Binary(span, "=>", right, left)
                return self.form(tree.Binary(span, "and", *ways), first, bound)
            case _:
                return [], expr

    def quantified(self, expr: tree.Quantified, bound: tuple[str, ...]) -> Form:
        program, over = self.program, expr.over.id
        names = tuple(n.id for n in expr.names)
        for i, name in enumerate(expr.names):
            if name.id in (*bound, *names[:i]):
                fail("V204", name.span, f"`{name.id}` is bound twice.", "Rename one of the two.")
        if over in program.data:
            return self.form(self.over_rows(expr), expr.kind, bound)
        if over in program.partitions:
            fail("V401", expr.span, "A quantifier over parts stands before all others.", "Move it to the front.")
        if program.domain is None or over != program.domain.name:
            unknown_set(program, expr.over)
        inner = expr.body
        points = [self.fresh(name) for name in names]
        for old, new in zip(names, points, strict=True):
            inner = renamed(inner, old, new) if new != old else inner
        blocks, inner = self.form(inner, expr.kind, (*bound, *names))
        if blocks and blocks[0].kind == expr.kind:
            points, blocks = [*points, *blocks[0].points], blocks[1:]
        return [Block(expr.kind, tuple(points)), *blocks], inner

    def fresh(self, name: str) -> str:
        """The name, or one like it that nothing else in the formula has."""
        found, number = name, 1
        free = renamed(self.body, name, "") != self.body
        if free and name not in {*self.program.points, *self.program.constants}:
            return f"another {name}"  # outside of its quantifier it means nothing
        while found in self.taken or (free if found == name else found in self.known):
            number += 1
            found = f"{name}{number}"
        self.taken.add(found)
        return found

    def over_rows(self, expr: tree.Quantified) -> tree.Expr:
        """Row after row; or, if quantifiers over X follow, over the points of X that are rows."""
        assert self.program.domain is not None
        first, *rest = expr.names
        inner = expr.body if not rest else tree.Quantified(expr.span, expr.kind, tuple(rest), expr.over, expr.body)
        rows = [record(expr.over.span, row) for row in self.program.data[expr.over.id].rows]
        every = expr.kind == "forall"
        if all(q.over.id in self.program.data for q in quantifiers(inner)):
            return balanced(expr.span, "and" if every else "or", [replaced(inner, first.id, row) for row in rows])
        row = balanced(expr.span, "or", [tree.Chain(first.span, (first, row), ("==",)) for row in rows])
        body = tree.Binary(expr.span, "=>" if every else "and", row, inner)
        return tree.Quantified(
            expr.span, expr.kind, (first,), tree.Name(expr.over.span, self.program.domain.name), body
        )


def turned(blocks: Sequence[Block]) -> list[Block]:
    """Those of the negation."""
    return [Block(OTHER[b.kind], b.points) for b in blocks]


def merged(first: Kind, *prefixes: Sequence[Block]) -> list[Block]:
    """One prefix for formulas that stand side by side; fewest blocks behind one of the kind `first`."""
    left, found, kind = [list(p) for p in prefixes], list[Block](), first
    while any(left):
        points = [name for p in left if p and p[0].kind == kind for name in p.pop(0).points]
        found += [Block(kind, tuple(points))] if points else []
        kind = OTHER[kind]
    return found


def balanced(span: Span, op: Literal["and", "or"], parts: Sequence[tree.Expr]) -> tree.Expr:
    """All of them joined, no deeper than need be."""
    if len(parts) < 2:
        return parts[0] if parts else tree.Name(span, "true" if op == "and" else "false")
    half = len(parts) // 2
    return tree.Binary(span, op, balanced(span, op, parts[:half]), balanced(span, op, parts[half:]))


def record(span: Span, point: PointValue) -> tree.Record:
    """A point as it is written."""
    return tree.Record(span, tuple(tree.Argument(span, name, literal(span, v)) for name, v in point.items()))


def unknown_set(program: Program, name: tree.Name) -> NoReturn:
    """Nothing of this name can be quantified over. Raises Rejected."""
    known = [*program.data, *program.partitions, *([program.domain.name] if program.domain else [])]
    fail(
        "V201",
        name.span,
        f"There is no domain called `{name.id}`.",
        suggestion(name.id, known, "Known are") if known else "Declare one: `domain X { x: real in [0, 1] }`.",
    )
