"""Trees without spans, and random ones."""

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.syntax.lexer import reserved


def bare(node: Any) -> Any:
    """A tree as nested tuples, spans left out."""
    if isinstance(node, Struct):
        return type(node).__name__, *(bare(getattr(node, name)) for name in node.__struct_fields__ if name != "span")
    if isinstance(node, tuple):
        return tuple(map(bare, node))
    return node


words = st.one_of(
    st.sampled_from(["x", "y'", "f1", "size", "X", "infinity", "_a", "u''", "then_", "e5"]),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}'{0,2}", fullmatch=True),
).filter(lambda word: word not in reserved())
names = words.map(lambda word: tree.Name(NOWHERE, word))
numbers = st.builds(
    lambda m, k: tree.Number(NOWHERE, Fraction(m) * Fraction(10) ** k), st.integers(0, 10**30), st.integers(-30, 10)
)
texts = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="\ufeff"), max_size=8).map(
    lambda value: tree.Text(NOWHERE, value)
)


def _larger(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Expr]:
    def several(low: int) -> st.SearchStrategy[tuple[tree.Expr, ...]]:
        return st.lists(inner, min_size=low, max_size=3).map(tuple)

    def arguments(labels: st.SearchStrategy[str], low: int) -> st.SearchStrategy[tuple[tree.Argument, ...]]:
        one = st.builds(lambda label, value: tree.Argument(NOWHERE, label, value), labels, inner)
        return st.lists(one, min_size=low, max_size=3).map(tuple)

    any_label = st.one_of(st.just(""), words, st.sampled_from(sorted(reserved())))
    callee = st.one_of(names, st.builds(lambda v, n: tree.Field(NOWHERE, v, n), inner, words))
    signs = st.sampled_from(["<", "<=", "==", "!=", ">=", ">"])
    chain = st.lists(st.tuples(signs, inner), min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda v, n: tree.Field(NOWHERE, v, n), inner, words),
        st.builds(lambda v, i: tree.Index(NOWHERE, v, i), inner, inner),
        st.builds(lambda f, a: tree.Apply(NOWHERE, f, a), callee, arguments(any_label, 0)),
        several(0).map(lambda items: tree.Vector(NOWHERE, items)),
        arguments(words, 1).map(lambda entries: tree.Record(NOWHERE, entries)),
        st.builds(lambda op, e: tree.Unary(NOWHERE, op, e), st.sampled_from(["-", "+", "not"]), inner),
        st.builds(
            lambda op, a, b: tree.Binary(NOWHERE, op, a, b),
            st.sampled_from(["+", "-", "*", "/", "and", "or", "=>", "<=>"]),
            inner,
            inner,
        ),
        st.builds(
            lambda e, rest: tree.Chain(NOWHERE, (e, *(r[1] for r in rest)), tuple(r[0] for r in rest)), inner, chain
        ),
        st.builds(lambda a, b, c: tree.If(NOWHERE, a, b, c), inner, inner, inner),
        st.builds(
            lambda kind, ns, over, body: tree.Quantified(NOWHERE, kind, tuple(ns), over, body),
            st.sampled_from(["forall", "exists"]),
            st.lists(names, min_size=1, max_size=2),
            names,
            inner,
        ),
    )


expressions: st.SearchStrategy[tree.Expr] = st.recursive(st.one_of(names, numbers, texts), _larger, max_leaves=12)
