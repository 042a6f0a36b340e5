"""The reference meaning: what a file says at concrete points, in rationals, straight from the tree.

No witness counts unless it agrees, so nothing here is shared with the symbolic evaluation, and nothing is clever.
Values are numbers, truths, members of finite sorts (labels too), points, feature vectors, and vectors; a matrix is the
vector of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from verifier.language.metrics import METRICS, QUADRATIC
from verifier.language.ops import OPS
from verifier.language.root import Root, floor_root, root
from verifier.language.surd import Exact, Surd, surd
from verifier.model.program import Classifier, Coordinate, Domain, MetricUse, PointValue, Program, Value
from verifier.source import Span
from verifier.source.text import NOWHERE
from verifier.syntax import tree


class InterpretError(Exception):
    """An expression without a meaning. Elaboration excludes all of them: this one is our bug."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(f"{span.file}:{span.line}:{span.column}: {message}" if span.file else message)
        self.message, self.span = message, span


class Member(Struct, frozen=True):
    """One of the `members` of a finite sort, or of the labels."""

    name: str
    members: tuple[str, ...]


class Point(Struct, frozen=True):
    """A point of the domain by coordinate, in the order of the domain."""

    values: Mapping[str, Meaning]


class FeatureVector(Struct, frozen=True):
    """g(x) by feature, in the order of the classifier."""

    values: Mapping[str, Meaning]


class Image(Struct, frozen=True):
    """What a classifier computes at a point on the way to its label: g(x), and the scores of a network."""

    features: Mapping[str, Meaning]
    scores: tuple[Fraction, ...]


Meaning: TypeAlias = Fraction | Root | Surd | float | bool | Member | Point | FeatureVector | tuple["Meaning", ...]
Env: TypeAlias = Mapping[str, object]
T = TypeVar("T")

INFINITY = float("inf")
"""With its negative the only float here; both compare exactly with every Fraction."""

ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, "==": eq, "!=": ne, ">=": ge, ">": gt}

DEPTH = 100
CACHED = 256


class Interpreter:
    """Evaluates the expressions of one program, which must not change meanwhile."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._images: dict[tuple[str, object], Image] = {}
        self._depth = 0
        self.topological = False
        """Quadratic metrics are replaced by the norm of the same topology that Theorem 1* is asked about."""

    # points and classifiers

    def inside(self, point: PointValue) -> bool:
        """x in X: every coordinate is of its sort and in its interval, and `where` holds."""
        domain = self._domain()
        if set(point) != {c.name for c in domain.coordinates}:
            return False
        if not all(belongs(point[c.name], c) for c in domain.coordinates):
            return False
        return domain.where is None or self.truth(domain.where, self._point(point).values)

    def features(self, name: str, point: PointValue) -> dict[str, Value]:
        """g(x) by feature name."""
        return {k: plain(v) for k, v in self._image(self._classifier(name), self._point(point)).features.items()}

    def label(self, name: str, point: PointValue) -> str:
        """f(x); "" for the constant classifier."""
        return self._label(self._classifier(name), self._point(point)).name

    def fed(self, name: str, point: PointValue) -> tuple[Fraction, ...]:
        """The numbers that an imported classifier's network is given at x."""
        return self._fed(self._classifier(name), self._point(point))

    def distance(
        self, name: str, left: PointValue, right: PointValue, only: str | None = None
    ) -> Fraction | Root | Surd:
        """d(g x, g x'), in the classifier's metric (linf without one). `only` looks at one feature: by linf, or by the
        classifier's own metric if that counts differences (l0, discrete)."""
        return self._distance(self._classifier(name), self._point(left), self._point(right), only)

    def margin(self, name: str, point: PointValue) -> Fraction | None:
        """How far the scores at x are from another decision; None: infinitely far."""
        margin = self._margin(self._classifier(name), self._point(point))
        return margin if isinstance(margin, Fraction) else None

    def _domain(self) -> Domain:
        if self.program.domain is None:
            raise InterpretError("there is no domain", NOWHERE)
        return self.program.domain

    def _classifier(self, name: str, span: Span = NOWHERE) -> Classifier:
        if name not in self.program.classifiers:
            raise InterpretError(f"`{name}` is not a model or an oracle", span)
        return self.program.classifiers[name]

    def _point(self, point: PointValue) -> Point:
        domain = self._domain()
        if set(point) != {c.name for c in domain.coordinates}:
            raise InterpretError(f"this is not a point of {domain.name}: {', '.join(point)}", domain.span)
        return Point({c.name: lifted(point[c.name], c) for c in domain.coordinates})

    def _image(self, f: Classifier, point: Point) -> Image:
        key = (f.name, tuple(point.values.items()))
        if key not in self._images:
            if len(self._images) >= CACHED:
                self._images.clear()
            self._images[key] = self._compute(f, point)
        return self._images[key]

    def _compute(self, f: Classifier, point: Point) -> Image:
        if f.network is None:
            return Image({feature.name: self.value(feature.value, point.values) for feature in f.features}, ())
        values = f.network.values(self._fed(f, point))
        return Image({f.features[0].name: values[f.cut]}, values[-1])

    def _fed(self, f: Classifier, point: Point) -> tuple[Fraction, ...]:
        fed = tuple(point.values.values()) if f.inputs is None else self.value(f.inputs, point.values)
        return tuple(entries(fed, f.span))

    def _label(self, f: Classifier, point: Point) -> Member:
        image = self._image(f, point)
        if f.network is not None:
            return self._named(self.program.labels[f.network.decide(image.scores)])
        if f.decide is None:
            return Member("", ("",))
        return self._named(self._decision(f.decide, image.features))

    def _named(self, label: str) -> Member:
        return Member(label, self.program.labels)

    def _distance(self, f: Classifier, left: Point, right: Point, only: str | None) -> Fraction | Root | Surd:
        g, h = self._image(f, left).features, self._image(f, right).features
        metric = f.metric
        if metric is not None and metric.body is not None and only is None:
            env = dict(zip(metric.parameters, (FeatureVector(g), FeatureVector(h)), strict=True))
            return number(self.value(metric.body, env), metric.span)
        differences = [(name, d) for name in g for d in changes(g[name], h[name], f.span)]
        if metric is None or metric.body is not None:
            return METRICS["linf"].meaning([d for name, d in differences if only in (None, name)])
        return self._measured_by(metric, differences, only)

    def _measured_by(
        self, metric: MetricUse, differences: Sequence[tuple[str, Fraction]], only: str | None
    ) -> Fraction | Root | Surd:
        """The distance of two feature vectors with these differences, in a built-in metric."""
        if metric.join:
            parts = [surd(self._measured_by(p, differences, only)) for p in metric.parts]
            return metric.factor * (sum(parts, Fraction(0)) if metric.join == "sum" else max(parts))
        scales = metric.scales or (Fraction(1),) * len(differences)
        scaled = [d / s for (name, d), s in zip(differences, scales, strict=True) if only in (None, name)]
        if metric.builtin in METRICS or only is not None:
            counts = metric.builtin in METRICS and not METRICS[metric.builtin].is_norm
            kind = METRICS[metric.builtin if only is None or counts else "linf"]
            return metric.factor * kind.meaning(scaled)
        if self.topological:
            rows = [(w * metric.factor**2, dot(row, tuple(scaled), metric.span)) for w, row in metric.squares]
            return max((floor_root(w) * abs(d) for w, d in rows), default=Fraction(0))
        return root(metric.factor**2 * QUADRATIC[metric.builtin].meaning(scaled, metric.matrix))

    # decisions and their margins

    def _decision(self, expr: tree.Expr, env: Env) -> str:
        """The label that a `decide` gives."""
        match expr:
            case tree.If(_, test, then, otherwise):
                return self._decision(then if self.truth(test, env) else otherwise, env)
            case tree.Name(_, name) if name in self.program.labels:
                return name
            case tree.Apply(_, tree.Name(_, "argmax" | "argmin")):
                scores, last = self._scores(expr, env)
                best = max(scores.values())
                winners = [label for label, score in scores.items() if score == best]
                return winners[-1 if last else 0]
            case tree.Apply(_, tree.Name(_, name)) if name in self.program.functions:
                return self._called(expr, env, self._decision)
            case _:
                raise InterpretError("this is not a label", expr.span)

    def _scores(self, call: tree.Apply, env: Env) -> tuple[dict[str, Fraction], bool]:
        """The scores of an argmax (negated: of an argmin) in the order of the labels; does the last of equals win?"""
        labels, last = self.program.labels, False
        named: dict[str, Fraction] = {}
        listed: list[Fraction] = []
        for argument in call.arguments:
            if argument.label == "ties" and "ties" not in labels:
                if not isinstance(argument.value, tree.Name) or argument.value.id not in ("first", "last"):
                    raise InterpretError("`ties` is `first` or `last`", argument.span)
                last = argument.value.id == "last"
            elif argument.label:
                if argument.label not in labels or argument.label in named:
                    raise InterpretError(f"`{argument.label}` is not a label, or scored twice", argument.span)
                named[argument.label] = number(self.value(argument.value, env), argument.span)
            else:
                listed += entries(self.value(argument.value, env), argument.span)
        if listed:
            if named or len(listed) != len(labels):
                raise InterpretError("there must be one score for each label", call.span)
            named = dict(zip(labels, listed, strict=True))
        if not named:
            raise InterpretError("there is nothing to choose from", call.span)
        sign = -1 if isinstance(call.function, tree.Name) and call.function.id == "argmin" else 1
        return {label: sign * named[label] for label in labels if label in named}, last

    def _margin(self, f: Classifier, point: Point) -> Fraction | float:
        image = self._image(f, point)
        if f.network is not None:
            return abs(image.scores[0]) if f.network.rule == "positive" else lead(image.scores)
        return INFINITY if f.decide is None else self._clearance(f.decide, image.features)

    def _clearance(self, expr: tree.Expr, env: Env) -> Fraction | float:
        """The margin of a `decide`: the winner's lead, or the least |rho| of the tests on the path taken."""
        match expr:
            case tree.If(_, test, then, otherwise):
                taken = then if self.truth(test, env) else otherwise
                rho = self.robustness(test, env)
                return min(max(rho, -rho), self._clearance(taken, env))
            case tree.Apply(_, tree.Name(_, "argmax" | "argmin")):
                return lead(list(self._scores(expr, env)[0].values()))
            case tree.Apply():
                return self._called(expr, env, self._clearance)
            case _:
                return INFINITY

    def robustness(self, expr: tree.Expr, env: Env) -> Fraction | float:
        """rho: positive only where the formula holds, negative only where it fails; its size is how far the numbers
        compared are from a change. +-infinity for comparisons of members: they have no near miss."""
        rho = self.robustness
        match expr:
            case tree.Unary(_, "not", operand):
                return -rho(operand, env)
            case tree.Binary(_, "and", left, right):
                return min(rho(left, env), rho(right, env))
            case tree.Binary(_, "or", left, right):
                return max(rho(left, env), rho(right, env))
            case tree.Binary(_, "=>", left, right):
                return max(-rho(left, env), rho(right, env))
            case tree.Binary(_, "<=>", left, right):
                a, b = rho(left, env), rho(right, env)
                return min(max(-a, b), max(a, -b))
            case tree.Chain():
                return min(slack(op, a, b, span) for op, a, b, span in self._links(expr, env))
            case tree.If(_, test, then, otherwise):
                t = rho(test, env)
                return max(min(t, rho(then, env)), min(-t, rho(otherwise, env)))
            case tree.Apply(_, tree.Name(_, name)) if name in self.program.functions:
                return self._called(expr, env, rho)
            case _:
                return INFINITY if self.truth(expr, env) else -INFINITY

    # expressions

    def truth(self, expr: tree.Expr, env: Env) -> bool:
        """Whether a formula holds."""
        value = self.value(expr, env)
        if not isinstance(value, bool):
            raise InterpretError("a formula is needed here", expr.span)
        return value

    def value(self, expr: tree.Expr, env: Env) -> Meaning:
        """The value of an expression. `env` binds names to values; a mapping is a point."""
        match expr:
            case tree.Number(_, value):
                return value
            case tree.Name(span, name):
                return self._name(span, name, env)
            case tree.Field(span, value, name):
                holder = self.value(value, env)
                if not isinstance(holder, Point | FeatureVector) or name not in holder.values:
                    raise InterpretError(f"there is no `.{name}` here", span)
                return holder.values[name]
            case tree.Index(span, value, index):
                holder = self.value(value, env)
                items = tuple(entries(holder, span)) if isinstance(holder, Point | FeatureVector) else holder
                at = number(self.value(index, env), index.span)
                if not isinstance(items, tuple) or at.denominator != 1 or not 0 <= at < len(items):
                    raise InterpretError(f"there is no entry {at} here", span)
                return items[int(at)]
            case tree.Vector(_, items):
                values = tuple(self.value(item, env) for item in items)
                if all(isinstance(v, tuple) for v in values):
                    return values
                return tuple(e for v in values for e in (v if isinstance(v, tuple) else (v,)))
            case tree.Record():
                return self._record(expr, env)
            case tree.Unary(_, "not", operand):
                return not self.truth(operand, env)
            case tree.Unary(span, op, operand):
                of = self.value(operand, env)
                if isinstance(of, float):
                    return of if op == "+" else -of
                return each(lambda x: x if op == "+" else -x, of, span)
            case tree.Binary():
                return self._binary(expr, env)
            case tree.Chain():
                return all(compare(op, a, b, span) for op, a, b, span in self._links(expr, env))
            case tree.If(_, test, then, otherwise):
                return self.value(then if self.truth(test, env) else otherwise, env)
            case tree.Apply():
                return self._apply(expr, env)
            case tree.Text() | tree.Quantified():
                raise InterpretError("this has no value at a point", expr.span)

    def _name(self, span: Span, name: str, env: Env) -> Meaning:
        """Local binders first (points, parameters, coordinates or features), then constants, then declared points."""
        if name in env:
            bound = env[name]
            return self._point(bound) if isinstance(bound, Mapping) else meant(bound, span)
        if name in self.program.constants:
            return meant(self.program.constants[name], span)
        if name in self.program.points:
            return self._point(self.program.points[name])
        match name:
            case "true" | "false":
                return name == "true"
            case "infinity":
                return INFINITY
            case _:
                raise InterpretError(f"there is no `{name}` here", span)

    def _binary(self, expr: tree.Binary, env: Env) -> Meaning:
        match expr.op:
            case "and":
                return self.truth(expr.left, env) and self.truth(expr.right, env)
            case "or":
                return self.truth(expr.left, env) or self.truth(expr.right, env)
            case "=>":
                return not self.truth(expr.left, env) or self.truth(expr.right, env)
            case "<=>":
                return self.truth(expr.left, env) == self.truth(expr.right, env)
        left, right = self.value(expr.left, env), self.value(expr.right, env)
        match expr.op:
            case "+":
                return together(lambda a, b: a + b, left, right, expr.span)
            case "-":
                return together(lambda a, b: a - b, left, right, expr.span)
            case "*":
                return product(left, right, expr.span)
            case "/" if isinstance(left, Root) and isinstance(right, Fraction) and right > 0:
                return left.times(1 / right)
            case "/":
                if not isinstance(right, Fraction) or right == 0:
                    raise InterpretError("the divisor must be a number other than 0", expr.right.span)
                return each(lambda x: x / right, left, expr.span)

    def _links(self, chain: tree.Chain, env: Env) -> Iterator[tuple[tree.Comparison, Meaning, Meaning, Span]]:
        """The comparisons of a chain with the values of their sides."""
        for op, (left, right) in zip(chain.ops, pairwise(chain.operands), strict=True):
            yield op, *self._sides(op, left, right, env), left.span.to(right.span)

    def _sides(self, op: str, left: tree.Expr, right: tree.Expr, env: Env) -> tuple[Meaning, Meaning]:
        """Beside a value of a finite sort (or a label), a bare name of that sort is the member so called."""
        if op in ("==", "!="):
            if (member := self._beside(left, right, env)) is not None:
                return self.value(left, env), member
            if (member := self._beside(right, left, env)) is not None:
                return member, self.value(right, env)
        return self.value(left, env), self.value(right, env)

    def _beside(self, one: tree.Expr, other: tree.Expr, env: Env) -> Member | None:
        """The member that `other` is, if it is a bare name and the value of `one` is of a sort that has it."""
        if not isinstance(other, tree.Name) or (isinstance(one, tree.Name) and not self._bound(one.id, env)):
            return None
        value = self.value(one, env)
        return Member(other.id, value.members) if isinstance(value, Member) and other.id in value.members else None

    def _bound(self, name: str, env: Env) -> bool:
        return name in env or name in self.program.constants or name in self.program.points

    def _record(self, record: tree.Record, env: Env) -> Point:
        domain, values = self._domain(), dict[str, Meaning]()
        for entry in record.entries:
            coordinate = domain.coordinate(entry.label)
            if coordinate is None or entry.label in values:
                raise InterpretError(f"`{entry.label}` is not a coordinate, or given twice", entry.span)
            if isinstance(entry.value, tree.Name) and entry.value.id in coordinate.members:
                values[entry.label] = Member(entry.value.id, coordinate.members)
            else:
                values[entry.label] = self.value(entry.value, env)
        if len(values) != len(domain.coordinates):
            raise InterpretError("a point needs every coordinate", record.span)
        return Point({c.name: values[c.name] for c in domain.coordinates})

    # calls

    def _called(self, call: tree.Apply, env: Env, of: Callable[[tree.Expr, Env], T]) -> T:
        """`of` the body of a `def`, its parameters bound to the values of the arguments and nothing else in sight."""
        function = self.program.functions.get(call.function.id) if isinstance(call.function, tree.Name) else None
        if function is None or len(function.parameters) != len(call.arguments) or any(a.label for a in call.arguments):
            raise InterpretError("this is not a call of a function", call.span)
        if self._depth >= DEPTH:
            raise InterpretError("functions are nested too deep", call.span)
        arguments = [self.value(a.value, env) for a in call.arguments]
        self._depth += 1
        try:
            return of(function.body, dict(zip(function.parameters, arguments, strict=True)))
        finally:
            self._depth -= 1

    def _apply(self, call: tree.Apply, env: Env) -> Meaning:
        span, arguments = call.span, call.arguments
        match call.function:
            case tree.Field(_, tree.Name(_, owner), feature):
                (x,) = self._points(arguments, 1, span, env)
                features = self._image(self._classifier(owner, span), x).features
                if feature not in features:
                    raise InterpretError(f"`{owner}` has no feature `{feature}`", span)
                return features[feature]
            case tree.Name(_, name):
                pass
            case _:
                raise InterpretError("this cannot be applied", span)
        if name in self.program.functions:
            return self._called(call, env, self.value)
        if name in self.program.classifiers:
            return self._label(self._classifier(name), *self._points(arguments, 1, span, env))
        match name:
            case "argmax" | "argmin":
                return self._named(self._decision(call, env))
            case "distance":
                f, rest, only = self._measured(arguments, span)
                u, v = self._points(rest, 2, span, env)
                return self._distance(f, u, v, only)
            case "margin":
                f, rest, _ = self._measured(arguments, span)
                return self._margin(f, *self._points(rest, 1, span, env))
        if any(a.label for a in arguments):
            raise InterpretError(f"the arguments of `{name}` have no labels", span)
        values = [self.value(a.value, env) for a in arguments]
        match name, values:
            case "dot", [tuple() as left, tuple() as right]:
                return dot(left, right, span)
            case "code", [Member(member, members)]:
                return Fraction(members.index(member))
            case "onehot", [Member(member, members)]:
                return tuple(Fraction(m == member) for m in members)
        if name not in OPS:
            raise InterpretError(f"there is no function `{name}` of these arguments", span)
        op = OPS[name]
        if op.shape == "fold":
            return op.meaning([x for v in values for x in terms(v, span)])
        if len(values) != op.arguments:
            raise InterpretError(f"`{name}` takes {op.arguments} arguments", span)
        others: list[Any] = [numeric(v, span) for v in values[1:]]
        return each(lambda x: op.meaning([x, *others]), values[0], span)

    def _measured(
        self, arguments: Sequence[tree.Argument], span: Span
    ) -> tuple[Classifier, list[tree.Argument], str | None]:
        """The classifier, the points and the `only:` of `distance(f, u, v, only: h)` and `margin(f, u)`."""
        only, rest = None, []
        for argument in arguments:
            if argument.label == "only" and isinstance(argument.value, tree.Name):
                only = argument.value.id
            else:
                rest.append(argument)
        if not rest or not isinstance(rest[0].value, tree.Name):
            raise InterpretError("a model or an oracle is needed first", span)
        f = self._classifier(rest[0].value.id, span)
        if only is not None and f.feature(only) is None:
            raise InterpretError(f"`{f.name}` has no feature `{only}`", span)
        return f, rest[1:], only

    def _points(self, arguments: Sequence[tree.Argument], count: int, span: Span, env: Env) -> list[Point]:
        values = [self.value(a.value, env) for a in arguments if not a.label]
        points = [v for v in values if isinstance(v, Point)]
        if not len(points) == len(arguments) == count:
            raise InterpretError(f"{count} point(s) are needed here", span)
        return points


# values --------------------------------------------------------------------------------------------------------------


def belongs(value: Value, coordinate: Coordinate) -> bool:
    """Whether a value is of the coordinate's sort and in its interval."""
    if coordinate.kind == "finite":
        return isinstance(value, str) and value in coordinate.members
    if coordinate.size is not None:
        return isinstance(value, tuple) and len(value) == coordinate.size and all(within(v, coordinate) for v in value)
    return within(value, coordinate)


def within(value: Value, c: Coordinate) -> bool:
    """Whether a value is a number (for `int`, a whole one) of the interval."""
    if not isinstance(value, Fraction) or (c.kind == "int" and value.denominator != 1):
        return False
    above = c.low is None or (value > c.low if c.low_open else value >= c.low)
    below = c.high is None or (value < c.high if c.high_open else value <= c.high)
    return above and below


def lifted(value: Value, coordinate: Coordinate) -> Meaning:
    """A coordinate's value, a member together with its sort."""
    return Member(value, coordinate.members) if isinstance(value, str) else meant(value, coordinate.span)


def meant(value: object, span: Span) -> Meaning:
    """A value from outside, if it is one."""
    match value:
        case bool() | Fraction() | Member() | Point() | FeatureVector():
            return value
        case int():
            return Fraction(value)
        case tuple():
            return tuple(meant(v, span) for v in value)
        case _ if value in (INFINITY, -INFINITY):
            return INFINITY if value == INFINITY else -INFINITY
        case _:
            raise InterpretError(f"{value!r} is not a value", span)


def plain(value: Meaning) -> Value:
    """A feature's value as others see it: a member by its name."""
    match value:
        case Member(name):
            return name
        case tuple():
            return tuple(plain(v) for v in value)
        case _:
            return number(value, NOWHERE)


def number(value: Meaning, span: Span) -> Fraction:
    """A rational; a vector of one number is that number."""
    match value:
        case Fraction():
            return value
        case (Fraction() as only,):
            return only
        case _:
            raise InterpretError("a number is needed here", span)


def numeric(value: Meaning, span: Span) -> Exact:
    """A number, maybe irrational."""
    return surd(value) if isinstance(value, Root | Surd) else number(value, span)


def entries(value: Meaning, span: Span) -> list[Fraction]:
    """The numbers of a value in order; a member counts by its position in its sort."""
    match value:
        case Member(name, members):
            return [Fraction(members.index(name))]
        case tuple():
            return [x for v in value for x in entries(v, span)]
        case Point(values) | FeatureVector(values):
            return [x for v in values.values() for x in entries(v, span)]
        case _:
            return [number(value, span)]


def terms(value: Meaning, span: Span) -> list[Any]:
    """The same, where some may be irrational."""
    if isinstance(value, Root | Surd):
        return [surd(value)]
    if isinstance(value, tuple):
        return [x for v in value for x in terms(v, span)]
    return entries(value, span)


def changes(left: Meaning, right: Meaning, span: Span) -> list[Fraction]:
    """left - right, entry by entry; members differ by 1 or 0."""
    if isinstance(left, Member) and isinstance(right, Member):
        return [Fraction(left.name != right.name)]
    return [a - b for a, b in zip(entries(left, span), entries(right, span), strict=True)]


def each(function: Callable[[Any], Exact], value: Meaning, span: Span) -> Meaning:
    """The function of a number, or of every number in a vector or a matrix."""
    if isinstance(value, tuple):
        return tuple(each(function, v, span) for v in value)
    if not isinstance(value, Fraction | Root | Surd):
        raise InterpretError("a number or a vector is needed here", span)
    return function(numeric(value, span))


def together(function: Callable[[Any, Any], Exact], left: Meaning, right: Meaning, span: Span) -> Meaning:
    """The function of two numbers, or of two vectors or matrices of the same shape entry by entry."""
    match left, right:
        case ((Fraction() | Root() | Surd()), (Fraction() | Root() | Surd())):
            return function(numeric(left, span), numeric(right, span))
        case tuple(), tuple() if len(left) == len(right):
            return tuple(together(function, a, b, span) for a, b in zip(left, right, strict=True))
        case _:
            raise InterpretError("the shapes do not fit", span)


def is_matrix(value: tuple[Meaning, ...]) -> bool:
    """A non-empty vector of vectors."""
    return bool(value) and all(isinstance(row, tuple) for row in value)


def product(left: Meaning, right: Meaning, span: Span) -> Meaning:
    """number * anything, anything * number, matrix * vector, matrix * matrix."""
    match left, right:
        case (Fraction() as factor, Root() as far) | (Root() as far, Fraction() as factor) if factor >= 0:
            return far.times(factor)
        case Fraction(), _:
            return each(lambda x: left * x, right, span)
        case _, Fraction():
            return each(lambda x: x * right, left, span)
        case tuple(), tuple() if is_matrix(left) and is_matrix(right):
            columns = tuple(zip(*(row for row in right if isinstance(row, tuple)), strict=True))
            return tuple(tuple(dot(row, column, span) for column in columns) for row in left)
        case tuple(), tuple() if is_matrix(left):
            return tuple(dot(row, right, span) for row in left)
        case _:
            raise InterpretError("these cannot be multiplied", span)


def dot(left: Meaning, right: Meaning, span: Span) -> Fraction:
    """sum of left_i right_i."""
    if not isinstance(left, tuple) or not isinstance(right, tuple) or len(left) != len(right):
        raise InterpretError("a scalar product needs two vectors of the same length", span)
    total = Fraction(0)
    for a, b in zip(left, right, strict=True):
        if not isinstance(a, Fraction) or not isinstance(b, Fraction):
            raise InterpretError("a scalar product needs two vectors of numbers", span)
        total += a * b
    return total


def compare(op: tree.Comparison, left: Meaning, right: Meaning, span: Span) -> bool:
    """Numbers by any comparison; everything else of one sort and shape by == and !=."""
    if not comparable(left, right) or (op not in ("==", "!=") and not isinstance(left, Fraction | Root | Surd | float)):
        raise InterpretError(f"`{op}` does not compare these", span)
    return ORDER[op](left, right)


def comparable(left: Meaning, right: Meaning) -> bool:
    """Both numbers (or infinite), or of one sort and shape."""
    match left, right:
        case ((Fraction() | Root() | Surd() | float()), (Fraction() | Root() | Surd() | float())):
            return True
        case Member(), Member():
            return left.members == right.members
        case tuple(), tuple():
            return len(left) == len(right) and all(comparable(a, b) for a, b in zip(left, right, strict=True))
        case (Point(values=a), Point(values=b)) | (FeatureVector(values=a), FeatureVector(values=b)):
            return a.keys() == b.keys()
        case _:
            return isinstance(left, bool) and isinstance(right, bool)


def slack(op: tree.Comparison, left: Meaning, right: Meaning, span: Span) -> Fraction | float:
    """The robustness of one comparison. Vectors are equal where all entries are: the least slack of these."""
    match left, right:
        case Fraction(), Fraction():
            match op:
                case "<" | "<=":
                    return right - left
                case ">" | ">=":
                    return left - right
                case "==":
                    return -abs(left - right)
                case "!=":
                    return abs(left - right)
        case tuple(), tuple() if op in ("==", "!=") and len(left) == len(right):
            least = min((slack("==", a, b, span) for a, b in zip(left, right, strict=True)), default=INFINITY)
            return least if op == "==" else -least
        case _:
            return INFINITY if compare(op, left, right, span) else -INFINITY


def lead(scores: Sequence[Fraction]) -> Fraction | float:
    """The winner minus the best other; infinite if there is no other."""
    best, *others = sorted(scores, reverse=True)
    return best - others[0] if others else INFINITY
