"""Arithmetic, comparison and choice of meanings, with their sort checks."""

from __future__ import annotations

from collections.abc import Callable

from verifier.language import metrics
from verifier.language.build import NO, YES, Build, Form
from verifier.model.meaning import (
    Distance,
    Extended,
    FeatureVector,
    Finite,
    Meaning,
    Point,
    Truth,
    describe,
    fail,
    numbers,
)
from verifier.source import Span
from verifier.syntax import tree
from verifier.syntax.format import unparse


class Algebra:
    """What can be done with meanings over one builder."""

    def __init__(self, build: Build) -> None:
        self.build = build

    def differ(self, left: Point, right: Point) -> Form:
        """Some coordinate differs."""
        pairs = zip(self._flat(left), self._flat(right), strict=True)
        return self.build.either(*(self.build.negate(self.build.is_zero(self.build.subtract(a, b))) for a, b in pairs))

    def before(self, left: Finite, right: Finite) -> Form:
        """The value of the left is a member that comes before that of the right."""
        both, either = self.build.both, self.build.either
        return either(*(both(case, either(*right.cases[i + 1 :])) for i, case in enumerate(left.cases)))

    def _flat(self, point: Point) -> list[Form]:
        return [n for v in point.values.values() for n in numbers(v)]

    def _linear(self, value: Form | Distance) -> Form:
        """A number to be computed with."""
        raise NotImplementedError

    def _each(self, span: Span, value: Meaning, of: Callable[[Form], Form]) -> Meaning:
        match value:
            case Form():
                return of(value)
            case Distance():
                return of(self._linear(value))
            case tuple():
                return tuple(self._each(span, v, of) for v in value)
            case _:
                fail(
                    "V302",
                    span,
                    f"A number or a vector is needed here, not {describe(value)}.",
                    self._number_fix(value),
                )

    def _zip(self, span: Span, left: Meaning, right: Meaning, of: Callable[[Form, Form], Form]) -> Meaning:
        match left, right:
            case Form(), Form():
                return of(left, right)
            case tuple(), tuple() if len(left) == len(right):
                return tuple(self._zip(span, a, b, of) for a, b in zip(left, right, strict=True))
            case _:
                fail(
                    "V303",
                    span,
                    f"The shapes do not fit: {describe(left)} and {describe(right)}.",
                    "Both sides need the same shape.",
                )

    def _times(self, expr: tree.Binary, left: Meaning, right: Meaning) -> Meaning:
        match left, right:
            case Form(), Form():
                return self._product(expr, left, right)
            case Form(), tuple():
                return self._each(expr.span, right, lambda f: self._product(expr, left, f))
            case tuple(), Form():
                return self._each(expr.span, left, lambda f: self._product(expr, f, right))
            case tuple(), tuple() if left and all(isinstance(row, tuple) for row in left):
                rows = [row for row in left if isinstance(row, tuple)]
                if right and all(isinstance(r, tuple) for r in right):  # matrix * matrix
                    columns = list(zip(*(r for r in right if isinstance(r, tuple)), strict=True))
                    return tuple(tuple(self.dot(expr, row, column) for column in columns) for row in rows)
                return tuple(self.dot(expr, row, right) for row in rows)
            case _:
                fail(
                    "V303",
                    expr.span,
                    f"Cannot multiply {describe(left)} by {describe(right)}.",
                    "`*` takes number * vector or matrix * vector; use `dot(u, v)` for the scalar product.",
                )

    def dot(self, expr: tree.Expr, left: tuple[Meaning, ...], right: tuple[Meaning, ...]) -> Form:
        if len(left) != len(right):
            fail(
                "V303",
                expr.span,
                f"The shapes do not fit: {len(left)} columns meet {len(right)} entries.",
                "A matrix needs as many columns as the vector has entries.",
            )
        products = []
        for a, b in zip(left, right, strict=True):
            if not isinstance(a, Form) or not isinstance(b, Form):
                fail("V303", expr.span, "A scalar product needs two vectors of numbers.", "Check the shapes.")
            products.append(self._product(expr, a, b))
        return self.build.add(*products)

    def _product(self, expr: tree.Expr, left: Form, right: Form) -> Form:
        if left.is_constant:
            return self.build.scale(left.constant, right)
        if right.is_constant:
            return self.build.scale(right.constant, left)
        written = unparse(expr)
        what = f"The product `{written}` of two" if len(written) <= 60 else "This product of two"
        fail(
            "V307",
            expr.span,
            f"{what} varying quantities is not piecewise linear.",
            "One side of `*` must be constant. (A square like x*x can be bounded by pieces: abs, max.)",
        )

    def _stretched(self, op: str, left: Meaning, right: Meaning) -> Distance | None:
        """A distance that is a root, times or divided by a constant >= 0; None of other arithmetic."""
        match op, left, right:
            case "*", Form(factor, ()), Distance() as far if factor >= 0:
                pass
            case "*", Distance() as far, Form(factor, ()) if factor >= 0:
                pass
            case "/", Distance() as far, Form(divisor, ()) if divisor > 0:
                factor = 1 / divisor
            case _:
                return None
        return Distance(
            self.build.scale(factor**2, far.square), tuple((w * factor**2, f) for w, f in far.rows if factor)
        )

    def _compare(self, span: Span, left: Meaning, right: Meaning, op: str) -> Form:
        build = self.build
        match left, right:
            case ((Form() | Extended() | Distance()), (Form() | Extended() | Distance())):
                return self._order(span, left, right, op)
            case Finite(), Finite():
                if op not in ("==", "!="):
                    fail("V304", span, f"`{op}` does not order labels or members.", "Use `==`, `!=`, or `code(...)`.")
                if left.members != right.members:
                    if "" in (left.members[0], right.members[0]):
                        fail(
                            "V402",
                            span,
                            "A classifier without `decide` has no labels to compare.",
                            "Give it a `decide`.",
                        )
                    fail(
                        "V303",
                        span,
                        f"Cannot compare {describe(left)} with {describe(right)}.",
                        "Compare values of one sort.",
                    )
                same = build.either(*(build.both(a, b) for a, b in zip(left.cases, right.cases, strict=True)))
                return same if op == "==" else build.negate(same)
            case Point(), Point():
                differ = self.differ(left, right)
            case Truth(a), Truth(b) if op in ("==", "!="):
                differ = build.negate(build.same(a, b))
            case FeatureVector(g), FeatureVector(h):
                differ = build.either(*(self._compare(span, g[k], h[k], "!=") for k in g))
            case tuple(), tuple() if len(left) == len(right):
                differ = build.either(*(self._compare(span, a, b, "!=") for a, b in zip(left, right, strict=True)))
            case _:
                fail(
                    "V303",
                    span,
                    f"Cannot compare {describe(left)} with {describe(right)}.",
                    "Both sides need the same sort and shape.",
                )
        if op not in ("==", "!="):
            fail(
                "V304",
                span,
                f"`{op}` compares numbers, not {describe(left)}.",
                "Use `==` or `!=`, or compare entry by entry.",
            )
        return differ if op == "!=" else build.negate(differ)

    def _order(self, span: Span, left: Form | Extended | Distance, right: Form | Extended | Distance, op: str) -> Form:
        build = self.build
        if isinstance(left, Distance) or isinstance(right, Distance):
            return self._order_roots(span, left, right, op)
        if isinstance(right, Extended):
            if isinstance(left, Extended):
                fail(
                    "V402", span, "Two margins that may be infinite cannot be compared.", "Compare each with a number."
                )
            mirror = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
            return self._order(span, right, left, mirror.get(op, op))
        if isinstance(left, Extended):
            finite = self._order(span, left.form, right, op)
            if op in (">", ">=", "!="):
                return build.either(left.infinite, finite)
            return build.both(build.negate(left.infinite), finite)
        gap = build.subtract(left, right)
        match op:
            case ">=":
                return build.at_least_zero(gap)
            case ">":
                return build.above_zero(gap)
            case "<=":
                return build.at_least_zero(build.scale(-1, gap))
            case "<":
                return build.above_zero(build.scale(-1, gap))
            case "==":
                return build.is_zero(gap)
            case _:
                return build.negate(build.is_zero(gap))

    def _order_roots(
        self, span: Span, left: Form | Extended | Distance, right: Form | Extended | Distance, op: str
    ) -> Form:
        """Distances that are roots, by their squares; to be 0 is to have the same place in all rows."""
        match left, right:
            case Distance(), Distance():
                return self._order(span, left.square, right.square, op)
            case Distance(square) as far, Form(radius, ()):
                if radius > 0:
                    return self._order(span, square, self.build.constant(radius**2), op)
                if radius < 0:
                    return YES if op in (">", ">=", "!=") else NO
                if op in ("<", ">="):
                    return YES if op == ">=" else NO
                equal = self.build.both(*dict.fromkeys(metrics.vanishes(self.build, p) for p in far.parts))
                return equal if op in ("<=", "==") else self.build.negate(equal)
            case Form(_, ()), Distance():
                mirror = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
                return self._order_roots(span, right, left, mirror.get(op, op))
            case ((Form() | Distance()), (Form() | Distance())):
                return self._order(span, self._linear(left), self._linear(right), op)
            case Extended(), Distance():
                return self._order(span, left, self._linear(right), op)
            case Distance(), Extended():
                return self._order(span, self._linear(left), right, op)
            case _:
                raise AssertionError((left, right))

    def _if(self, span: Span, test: Form, then: Meaning, otherwise: Meaning) -> Meaning:
        then, otherwise = (self._linear(v) if isinstance(v, Distance) else v for v in (then, otherwise))
        match then, otherwise:
            case Form(), Form():
                return self.build.select(test, then, otherwise)
            case Truth(a), Truth(b):
                return Truth(self.build.when(test, a, b))
            case Finite(), Finite() if then.members == otherwise.members:
                cases = zip(then.cases, otherwise.cases, strict=True)
                return Finite(then.members, tuple(self.build.when(test, a, b) for a, b in cases))
            case tuple(), tuple() if len(then) == len(otherwise):
                return tuple(self._if(span, test, a, b) for a, b in zip(then, otherwise, strict=True))
            case _:
                fail(
                    "V303",
                    span,
                    f"The branches differ: {describe(then)} and {describe(otherwise)}.",
                    "Both branches need the same sort and shape.",
                )

    @staticmethod
    def _number_fix(value: Meaning) -> str:
        match value:
            case tuple():
                return "Pick one entry, for example `v[0]`."
            case Finite():
                return "Use `code(...)` for the position of a member, or compare it with `==`."
            case Truth():
                return "Write `if ... then 1 else 0` to turn a formula into a number."
            case _:
                return "Name one coordinate or feature, for example `u.size`."
