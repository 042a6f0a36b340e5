"""Trees with names replaced, and the quantifiers in a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from msgspec.structs import replace

from verifier.model.program import Value
from verifier.source import Span
from verifier.syntax import tree

Rule = Callable[[tree.Expr], tree.Expr | None]
"""What an expression is replaced by; None: look inside."""


def rewritten(expr: tree.Expr, rule: Rule) -> tree.Expr:
    """`expr` with the rule applied to every part that it knows, from the outside in."""

    def go(e: tree.Expr) -> tree.Expr:
        made = rule(e)
        if made is not None:
            return made
        match e:
            case tree.Apply(span, function, arguments):
                return tree.Apply(span, function, tuple(tree.Argument(a.span, a.label, go(a.value)) for a in arguments))
            case tree.Chain(span, operands, ops):
                return tree.Chain(span, tuple(go(o) for o in operands), ops)
            case tree.Binary(span, op, left, right):
                return tree.Binary(span, op, go(left), go(right))
            case tree.Unary(span, sign, operand):
                return tree.Unary(span, sign, go(operand))
            case tree.Index(span, value, index):
                return tree.Index(span, go(value), go(index))
            case tree.Field(span, value, name):
                return tree.Field(span, go(value), name)
            case tree.Vector(span, items):
                return tree.Vector(span, tuple(go(i) for i in items))
            case tree.If(span, test, then, otherwise):
                return tree.If(span, go(test), go(then), go(otherwise))
            case tree.Name() | tree.Number() | tree.Text() | tree.Record() | tree.Quantified():
                return e

    return go(expr)


def renamed(expr: tree.Expr, old: str, new: str) -> tree.Expr:
    """`expr` with the free name `old` replaced by another, wherever a value may stand."""
    return replaced(expr, old, tree.Name(expr.span, new))


def replaced(expr: tree.Expr, old: str, new: tree.Expr) -> tree.Expr:
    """`expr` with the free name `old` replaced, wherever a value may stand. No name in `new` is bound in `expr`."""

    def rule(e: tree.Expr) -> tree.Expr | None:
        match e:
            case tree.Name(span, name):
                return (replace(new, span=span) if isinstance(new, tree.Name) else new) if name == old else e
            case tree.Record(span, entries):  # a name by itself is a member of a finite sort
                return tree.Record(
                    span,
                    tuple(
                        a if isinstance(a.value, tree.Name) else replace(a, value=rewritten(a.value, rule))
                        for a in entries
                    ),
                )
            case tree.Quantified(span, kind, names, over, inner):
                bound = any(n.id == old for n in names)
                return e if bound else tree.Quantified(span, kind, names, over, rewritten(inner, rule))
            case _:
                return None

    return rewritten(expr, rule)


def quantifies(body: tree.Expr) -> bool:
    """Whether there is a quantifier in it."""
    return next(quantifiers(body), None) is not None


def quantifiers(expr: tree.Expr) -> Iterator[tree.Quantified]:
    """Those that no term is in the way of, from the outside in."""
    match expr:
        case tree.Quantified(_, _, _, _, inner):
            yield expr
            yield from quantifiers(inner)
        case tree.Unary(_, _, operand):
            yield from quantifiers(operand)
        case tree.Binary(_, _, left, right):
            yield from quantifiers(left)
            yield from quantifiers(right)
        case _:
            pass


def literal(span: Span, value: Value) -> tree.Expr:
    """A constant as a tree."""
    match value:
        case tuple():
            return tree.Vector(span, tuple(literal(span, v) for v in value))
        case Fraction():
            return tree.Number(span, value)
        case str():
            return tree.Name(span, value)
