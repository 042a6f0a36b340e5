"""Parse trees of lark → the typed tree, with exact spans."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from lark import Token, Tree
from msgspec import Struct

from verifier.source import Diagnostic, Rejected, Source, Span
from verifier.source.closest import closest
from verifier.syntax import limits, tree
from verifier.syntax.lexer import power_of_ten

Node: TypeAlias = Any
"""A `Tree`, a `Token`, or None for an optional part that is not there; the grammar says which."""


def build(source: Source, node: Node) -> tree.Declaration:
    """One declaration; raises Rejected for what the grammar lets through and the language does not."""
    builder = _Builder(source)
    builder.refuse_deep(node)
    return builder.declaration(node)


class _Builder(Struct, frozen=True):
    source: Source

    def span(self, node: Node) -> Span:
        place = node if isinstance(node, Token) else node.meta
        return self.source.span(place.start_pos or 0, place.end_pos or 0)

    def refuse_deep(self, node: Node) -> None:
        """Reject what recursion could not walk. Level by level, hence without recursion."""
        level: list[Node] = [node]
        for _ in range(limits.DEPTH):
            level = [child for parent in level for child in getattr(parent, "children", ()) if child is not None]
            if not level:
                return
        raise Rejected(
            Diagnostic(
                "V104",
                self.span(level[0]),
                f"This is nested more than {limits.DEPTH} levels deep; every operator of a long sum counts as one.",
                fix="Name parts with `let` or `def`, or use vectors: `dot(w, v)`, `sum(v)`.",
            )
        )

    # Declarations

    def declaration(self, node: Node) -> tree.Declaration:
        span = self.span(node)
        match _shape(node):
            case "domain", [name, *coordinates, where]:
                if isinstance(where, Tree) and where.data == "coordinate":
                    coordinates, where = [*coordinates, where], None
                return tree.Domain(span, self.name(name), tuple(map(self.coordinate, coordinates)), self.maybe(where))
            case "labels", names:
                return tree.Labels(span, self.names(names))
            case "model", [kind, name, *parts]:
                return self.model(span, kind, name, parts)
            case "imported", [kind, name, call]:
                return tree.Imported(span, self.kind(kind), self.name(name), self.expr(call))
            case "def", [name, *parameters, value]:
                return tree.Def(span, self.name(name), self.names(parameters), self.expr(value))
            case "let", [name, value]:
                return tree.Let(span, self.name(name), self.expr(value))
            case "param", [name, value, interval]:
                return tree.Param(span, self.name(name), self.expr(value), self.interval(interval))
            case "point", [name, value]:
                return tree.PointDecl(span, self.name(name), self.expr(value))
            case "data", [name, value]:
                return tree.Data(span, self.name(name), self.expr(value))
            case "partition", [name, of, domain, by, *cuts]:
                for word, wanted in ((of, "of"), (by, "by")):
                    self.small_word(word, (wanted,), "Write `partition P of X by age every 10`.")
                return tree.Partition(span, self.name(name), self.name(domain), tuple(map(self.cut, cuts)))
            case "use", [names, path]:
                return tree.Use(span, None if names is None else self.names(names.children), self.text(path))
            case "assert", [*annotations, name, body, expect]:
                return tree.Assert(
                    span,
                    self.name(name),
                    self.expr(body),
                    self.expectation(expect),
                    expect is not None,
                    tuple(map(self.annotation, annotations)),
                )
            case "compute", [name, body]:
                return tree.Compute(span, self.name(name), self.expr(body))
            case _:
                raise AssertionError(f"the grammar has a declaration the builder does not know: {node.data}")

    def cut(self, node: Node) -> tree.Cut:
        name, entry, how, value = node.children
        span, at = self.span(node), self.maybe(entry)
        if how is None:
            return tree.Cut(span, self.name(name), at, "each", None)
        self.small_word(how, ("every", "at"), "Write `every 10`, `at [10, 50]`, or nothing for each value.")
        return tree.Cut(span, self.name(name), at, "every" if how == "every" else "at", self.expr(value))

    def small_word(self, word: Token, wanted: tuple[str, ...], fix: str) -> None:
        """Reject another word than these, which are reserved only here."""
        if word not in wanted:
            near = closest(word, wanted)
            fix = f"Did you mean `{near}`?" if near else fix
            raise Rejected(Diagnostic("V136", self.span(word), f"`{word}` does not fit here.", fix=fix))

    def coordinate(self, node: Node) -> tree.Coordinate:
        name, sort, interval = node.children
        return tree.Coordinate(self.span(node), self.name(name), self.sort(sort), self.interval(interval))

    def sort(self, node: Node) -> tree.Sort:
        span = self.span(node)
        match node.data:
            case "real":
                return tree.RealSort(span, self.maybe(node.children[0]))
            case "int":
                return tree.IntSort(span)
            case _:
                return tree.FiniteSort(span, self.names(node.children))

    def interval(self, node: Node) -> tree.Interval | None:
        if node is None:
            return None
        opener, low, high, closer = node.children
        return tree.Interval(self.span(node), self.expr(low), self.expr(high), opener == "(", closer == ")")

    def model(self, span: Span, kind: Token, name: Token, parts: list[Node]) -> tree.Model:
        role = {"named_features": "features", "all_features": "features"}
        by_role: dict[str, Node] = {}
        for part in parts:
            word = role.get(part.data, str(part.data))
            if word in by_role:
                raise Rejected(
                    Diagnostic(
                        "V139",
                        self.source.span(part.meta.start_pos, part.meta.start_pos + len(word)),
                        f"`{word}` is written twice in `{name}`; it is already on line "
                        f"{self.span(by_role[word]).line}.",
                        fix="Keep one of the two.",
                    )
                )
            by_role[word] = part
        decide = by_role.get("decide")
        return tree.Model(
            span,
            self.kind(kind),
            self.name(name),
            self.features(by_role.get("features")),
            self.metric(by_role.get("metric")),
            None if decide is None else self.expr(decide.children[0]),
        )

    def kind(self, word: Token) -> Literal["model", "oracle"]:
        return "model" if word == "model" else "oracle"

    def features(self, node: Node) -> tree.Features | None:
        if node is None:
            return None
        if node.data == "all_features":
            return tree.AllFeatures(self.span(node), self.names([n for n in node.children if n is not None]))
        return tree.NamedFeatures(
            self.span(node),
            tuple(
                tree.NamedFeature(self.span(entry), self.name(entry.children[0]), self.expr(entry.children[1]))
                for entry in node.children
            ),
        )

    def metric(self, node: Node) -> tree.Metric | None:
        if node is None:
            return None
        span = self.span(node)
        match node.children:
            case [value, None]:
                return tree.Metric(span, self.expr(value), None, ())
            case [Tree("apply", [Token("NAME") as name, *parameters]), value] if all(
                isinstance(p, Token) and p.type == "NAME" for p in parameters
            ):
                return tree.Metric(span, self.expr(value), self.name(name), self.names(parameters))
            case [head, _]:
                raise Rejected(
                    Diagnostic(
                        "V140",
                        self.span(head),
                        "A metric of your own names its two arguments.",
                        fix="Write `metric d(u, v) = …`, or `metric linf` without `=`.",
                    )
                )
            case _:
                raise AssertionError("metric")

    def expectation(self, word: Token | None) -> Literal["proved", "refuted"]:
        if word is None or word == "proved":
            return "proved"
        if word == "refuted":
            return "refuted"
        near = closest(word, ["proved", "refuted"])
        fix = f"Did you mean `{near}`?" if near else "Write `expect proved` or `expect refuted`."
        raise Rejected(Diagnostic("V138", self.span(word), f"Expect `proved` or `refuted`, not `{word}`.", fix=fix))

    def annotation(self, node: Node) -> tree.Annotation:
        name, *arguments = node.children
        return tree.Annotation(self.span(node), self.name(name), self.arguments(arguments))

    # Expressions

    def maybe(self, node: Node) -> tree.Expr | None:
        return None if node is None else self.expr(node)

    def name(self, token: Token) -> tree.Name:
        return tree.Name(self.span(token), str(token))

    def names(self, tokens: list[Node]) -> tuple[tree.Name, ...]:
        return tuple(map(self.name, tokens))

    def text(self, token: Token) -> tree.Text:
        value = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), token[1:-1])
        return tree.Text(self.span(token), value)

    def arguments(self, nodes: list[Node]) -> tuple[tree.Argument, ...]:
        return tuple(map(self.argument, filter(None, nodes)))

    def argument(self, node: Node) -> tree.Argument:
        match _shape(node):
            case "labelled", [label, value]:
                word = label.children[0] if isinstance(label, Tree) else label
                return tree.Argument(self.span(node), str(word), self.expr(value))
            case _:
                return tree.Argument(self.span(node), "", self.expr(node))

    def expr(self, node: Node) -> tree.Expr:
        span = self.span(node)
        match _shape(node):
            case "NUMBER", [digits]:
                return tree.Number(span, rational(digits))
            case "STRING", _:
                return self.text(node)
            case "NAME", _:
                return self.name(node)
            case "group", [inner]:
                return self.expr(inner)
            case "vector", items:
                return tree.Vector(span, tuple(map(self.expr, filter(None, items))))
            case "record", entries:
                return tree.Record(span, self.arguments(entries))
            case "apply", [Token("NUMBER") | Tree("group") as factor, *_]:
                fix = f"Write `{factor}*(…)`." if isinstance(factor, Token) else "Write `(…)*(…)`."
                raise Rejected(Diagnostic("V118", span, "A product needs its sign.", fix=fix))
            case "apply", [function, *arguments]:
                return tree.Apply(span, self.expr(function), self.arguments(arguments))
            case "index", [value, index]:
                return tree.Index(span, self.expr(value), self.expr(index))
            case "field", [value, name]:
                return tree.Field(span, self.expr(value), str(name))
            case "sign", [op, operand]:
                return tree.Unary(span, "-" if op == "-" else "+", self.expr(operand))
            case "negation", [operand]:
                return tree.Unary(span, "not", self.expr(operand))
            case (("sum" | "product"), [left, op, right]):
                return tree.Binary(span, _ARITHMETIC[op], self.expr(left), self.expr(right))
            case (("conjunction" | "disjunction" | "implication" | "equivalence" as level), [left, right]):
                return tree.Binary(span, _CONNECTIVE[level], self.expr(left), self.expr(right))
            case "comparison", parts:
                ops = tuple(_COMPARISON[op] for op in parts[1::2])
                return tree.Chain(span, tuple(map(self.expr, parts[::2])), ops)
            case "if", [test, then, otherwise]:
                return tree.If(span, self.expr(test), self.expr(then), self.expr(otherwise))
            case (("forall" | "exists" as kind), [*names, over, body]):
                return tree.Quantified(span, kind, self.names(names), self.name(over), self.expr(body))
            case _:
                raise AssertionError(f"the grammar has an expression the builder does not know: {node!r:.80}")


def _shape(node: Node) -> tuple[str, Any]:
    """What a node is, and its parts: a rule and its children, or a terminal and the token itself."""
    return (node.type, [node]) if isinstance(node, Token) else (node.data, node.children)


_CONNECTIVE: dict[str, Literal["and", "or", "=>", "<=>"]] = {
    "conjunction": "and",
    "disjunction": "or",
    "implication": "=>",
    "equivalence": "<=>",
}
_ARITHMETIC: dict[str, Literal["+", "-", "*", "/"]] = {"+": "+", "-": "-", "*": "*", "/": "/"}
_COMPARISON: dict[str, tree.Comparison] = {
    "<": "<",
    "<=": "<=",
    "≤": "<=",
    "==": "==",
    "!=": "!=",
    "≠": "!=",
    ">=": ">=",
    "≥": ">=",
    ">": ">",
}


def rational(digits: str) -> Fraction:
    """The exact value of a decimal literal: `0.1` is 1/10, `1e-3` is 1/1000. The lexer has bounded both parts."""
    mantissa = int(re.split("[eE]", digits)[0].replace(".", ""))
    power = power_of_ten(digits)
    return Fraction(mantissa * 10**power) if power >= 0 else Fraction(mantissa, 10**-power)
