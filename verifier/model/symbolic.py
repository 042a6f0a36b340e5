"""What an expression means at points that are not yet known: a value built from forms and choices.

The same tree has a second, independent meaning on concrete points (`interpret.py`); no witness counts unless that one
agrees.
Sorts and shapes are checked on the way: evaluating a declaration once is its sort check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from verifier.language import measures, properties
from verifier.language.build import NO, YES, Build, Form, TooLarge, Variable
from verifier.language.ops import OPS
from verifier.model.distances import Distances
from verifier.model.margin import compared, margin
from verifier.model.meaning import (
    Distance,
    Env,
    FeatureVector,
    Finite,
    Meaning,
    NotYet,
    Point,
    Truth,
    describe,
    fail,
    numbers,
)
from verifier.model.program import Classifier, Domain, Feature, Function, MetricUse, PointValue, Program, Value
from verifier.model.unroll import unroll
from verifier.source import Span
from verifier.source.closest import closest, suggestion
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.syntax.format import unparse

T = TypeVar("T")

DEPTH = 60
STEPS = 500_000
ENTRIES = 100_000
"""Caps on one file: definitions nested in each other, expressions evaluated, entries of a vector."""


LINF = MetricUse(NOWHERE, "linf")


class Symbolic(Distances):
    """Evaluates the trees of one program over one builder."""

    def __init__(self, program: Program, build: Build) -> None:
        self.program = program
        super().__init__(build)
        self._features: dict[tuple[str, int], Mapping[str, Meaning]] = {}
        self._networks: dict[tuple[str, int], list[tuple[Form, ...]]] = {}
        self._points: dict[str, Point] = {}
        self._kept: list[Point] = []
        self._depth = 0
        self._steps = 0

    # points

    def point(self, domain: Domain, prefix: str) -> tuple[Point, list[Form]]:
        """A point whose coordinates are fresh inputs, and these inputs in order. Closed sides bound the inputs."""
        inputs: list[Form] = []

        def fresh(name: str, low: Fraction | None, high: Fraction | None, integer: bool) -> Form:
            inputs.append(self.build.input(Variable(name, low, high, integer)))
            return inputs[-1]

        values: dict[str, Meaning] = {}
        for c in domain.coordinates:
            label = f"{prefix}.{c.name}"
            if c.kind == "finite":
                low, high = domain.tight.get((c.name, 0), (Fraction(0), Fraction(len(c.members) - 1)))
                values[c.name] = self.finite(c.members, fresh(label, low, high, True))
            elif c.size is None:
                values[c.name] = fresh(label, c.low, c.high, c.kind == "int")
            else:
                sides = [domain.tight.get((c.name, i), (c.low, c.high)) for i in range(c.size)]
                values[c.name] = tuple(fresh(f"{label}[{i}]", *side, False) for i, side in enumerate(sides))
        return self._keep(Point(values)), inputs

    def placed(self, domain: Domain, entries: Sequence[Form]) -> tuple[Point, Form]:
        """A point with these coordinates, in order, and that it lies in the domain; whole ones are whole by
        themselves."""
        rest = iter(entries)
        values: dict[str, Meaning] = {}
        members: list[Form] = []
        for c in domain.coordinates:
            if c.kind == "finite":
                value = self.finite(c.members, next(rest))
                members.append(self.build.either(*value.cases))
                values[c.name] = value
            else:
                values[c.name] = next(rest) if c.size is None else tuple(next(rest) for _ in range(c.size))
        point = self._keep(Point(values))
        return point, self.build.both(self.inside(point), *members)

    def finite(self, members: tuple[str, ...], code: Form) -> Finite:
        cases = tuple(
            self.build.is_zero(self.build.subtract(code, self.build.constant(i))) for i in range(len(members))
        )
        return Finite(members, cases, code)

    def concrete(self, domain: Domain, value: PointValue) -> Point:
        """A point that is known."""

        def lift(v: Value, members: tuple[str, ...]) -> Meaning:
            match v:
                case str():
                    return self.finite(members, self.build.constant(members.index(v)))
                case tuple():
                    return tuple(lift(w, members) for w in v)
                case _:
                    return self.build.constant(v)

        return self._keep(Point({c.name: lift(value[c.name], c.members) for c in domain.coordinates}))

    def inside(self, point: Point) -> Form:
        """The point lies in the domain: intervals (also their open sides) and the `where`."""
        domain = self.program.domain
        assert domain is not None
        facts: list[Form] = []
        for c in domain.coordinates:
            if c.kind == "finite":
                continue
            for entry in numbers(point.values[c.name]):
                if c.low is not None:
                    above = self.build.subtract(entry, self.build.constant(c.low))
                    facts.append(self.build.above_zero(above) if c.low_open else self.build.at_least_zero(above))
                if c.high is not None:
                    below = self.build.subtract(self.build.constant(c.high), entry)
                    facts.append(self.build.above_zero(below) if c.high_open else self.build.at_least_zero(below))
        if domain.where is not None:
            facts.append(self.truth(domain.where, point.values))
        return self.build.both(*facts)

    # classifiers

    def features(self, classifier: Classifier, point: Point) -> Mapping[str, Meaning]:
        """g(point) by feature name."""
        key = (classifier.name, id(point))
        if key not in self._features:
            if classifier.network is not None:
                values = self.network(classifier, point)
                self._features[key] = {classifier.features[0].name: values[classifier.cut]}
            else:
                self._features[key] = {f.name: self.value(f.value, point.values) for f in classifier.features}
        return self._features[key]

    def network(self, classifier: Classifier, point: Point) -> list[tuple[Form, ...]]:
        """Every value of the classifier's network at `point` (Network.values, symbolically)."""
        key = (classifier.name, id(point))
        if key not in self._networks:
            network = classifier.network
            assert network is not None
            self._networks[key] = unroll(self.build, network, tuple(self.feed(classifier, point)))
        return self._networks[key]

    def feed(self, classifier: Classifier, point: Point) -> list[Form]:
        """The numbers that a network is given."""
        if classifier.inputs is None:
            return self._flat(point)
        return numbers(self.value(classifier.inputs, point.values))

    def label(self, classifier: Classifier, point: Point) -> Finite:
        """f(point); the constant classifier has the one label ''."""
        if classifier.network is not None:
            scores = self.network(classifier, point)[-1]
            if classifier.network.rule == "positive":
                positive = self.build.above_zero(scores[0])
                return Finite(self.program.labels, (self.build.negate(positive), positive))
            return self.best(dict(zip(self.program.labels, scores, strict=True)), "first")
        if classifier.decide is None:
            return Finite(("",), (YES,))
        return self.decision(classifier.decide, self.features(classifier, point))

    def distance(self, classifier: Classifier, left: Point, right: Point, only: str | None = None) -> Form:
        """d(g left, g right), where that is piecewise linear."""
        return self._linear(self.apart(classifier, left, right, only))

    def apart(self, classifier: Classifier, left: Point, right: Point, only: str | None = None) -> Form | Distance:
        """d(g left, g right)."""
        user = self._user(classifier, left, right, only)
        if user is not None:
            return user
        return self._far(classifier.metric or LINF, self.differences(classifier, left, right), only)

    def length(self, metric: MetricUse, differences: Sequence[tuple[str, Form]]) -> Form:
        """The distance of features with these differences."""
        return self._linear(self._far(metric, differences, None))

    def ball(
        self, classifier: Classifier, left: Point, right: Point, only: str | None, radius: Form, closed: bool
    ) -> Form:
        """d(g left, g right) <= radius (closed), or < radius."""
        user = self._user(classifier, left, right, only)
        if user is None:
            differences = self.differences(classifier, left, right)
            return self._near(classifier.metric or LINF, differences, only, radius, closed)
        room = self.build.subtract(radius, user)
        return self.build.at_least_zero(room) if closed else self.build.above_zero(room)

    def _user(self, classifier: Classifier, left: Point, right: Point, only: str | None) -> Form | None:
        """The distance in a metric that the file defines."""
        metric = classifier.metric
        if metric is None or metric.body is None or only is not None:
            return None
        g, h = self.features(classifier, left), self.features(classifier, right)
        env = dict(zip(metric.parameters, (FeatureVector(g), FeatureVector(h)), strict=True))
        return self.number(metric.body, env)

    def differences(self, classifier: Classifier, left: Point, right: Point) -> list[tuple[str, Form]]:
        """The entries of g left - g right, each with the name of its feature."""
        g, h = self.features(classifier, left), self.features(classifier, right)
        return [(name, entry) for name, value in g.items() for entry in self._changes(value, h[name])]

    def _changes(self, left: Meaning, right: Meaning) -> list[Form]:
        if isinstance(left, Finite) and isinstance(right, Finite):
            same = self.build.either(*(self.build.both(a, b) for a, b in zip(left.cases, right.cases, strict=True)))
            return [self.build.select(same, self.build.constant(0), self.build.constant(1))]
        return [self.build.subtract(a, b) for a, b in zip(numbers(left), numbers(right), strict=True)]

    # decisions

    def decision(self, expr: tree.Expr, env: Env) -> Finite:
        """The label that a `decide` gives."""
        labels = self.program.labels
        match expr:
            case tree.If(_, test, then, otherwise):
                t = self.truth(test, env)
                a, b = self.decision(then, env), self.decision(otherwise, env)
                return Finite(labels, tuple(self.build.when(t, p, q) for p, q in zip(a.cases, b.cases, strict=True)))
            case tree.Name(span, name):
                if name in labels:
                    return Finite(labels, tuple(YES if name == label else NO for label in labels))
                what = (
                    f"`{name}` is {describe(env[name])}, not a label." if name in env else f"`{name}` is not a label."
                )
                fail("V203", span, what, suggestion(name, labels, "The labels are"))
            case tree.Apply(span, tree.Name(_, "argmax" | "argmin" as which)):
                sign = 1 if which == "argmax" else -1
                scores, ties = self.scores(expr, env)
                return self.best({k: self.build.scale(sign, s) for k, s in scores.items()}, ties)
            case tree.Apply(_, tree.Name(span, name)) if name in self.program.functions:
                function, inner = self._call(expr, env)
                return self._deeper(span, lambda: self.decision(function.body, inner))
            case _:
                fail(
                    "V301",
                    expr.span,
                    "A `decide` must end in a label.",
                    f"Write a label ({', '.join(labels) or 'declare them with `labels { ... }`'}), `if ... "
                    "then ... else ...`, or `argmax(...)`.",
                )

    def scores(self, call: tree.Apply, env: Env) -> tuple[dict[str, Form], str]:
        """The score of each label in an argmax or argmin, in the order of the labels, and who wins ties."""
        labels, ties = self.program.labels, "first"
        scores: dict[str, Form] = {}
        listed: list[Form] = []
        for argument in call.arguments:
            if argument.label == "ties" and "ties" not in labels:
                if not isinstance(argument.value, tree.Name) or argument.value.id not in ("first", "last"):
                    fail("V302", argument.span, "`ties` is `first` or `last`.", "Write `ties: first`.")
                ties = argument.value.id
            elif argument.label:
                if argument.label not in labels:
                    fail(
                        "V203",
                        argument.span,
                        f"`{argument.label}` is not a label.",
                        suggestion(argument.label, labels, "The labels are"),
                    )
                if argument.label in scores:
                    fail("V204", argument.span, f"The label `{argument.label}` has two scores.", "Keep one of them.")
                scores[argument.label] = self.number(argument.value, env)
            else:
                value = self.value(argument.value, env)
                if not isinstance(value, Form | tuple):
                    fail(
                        "V302",
                        argument.span,
                        f"A score is a number, not {describe(value)}.",
                        "Give one number a label.",
                    )
                listed += numbers(value)
        if listed and scores:
            fail("V302", call.span, "Some scores name their label and some do not.", "Write `label: score` for each.")
        if listed:
            if len(listed) != len(labels):
                fail(
                    "V303",
                    call.span,
                    f"There are {len(labels)} labels but {len(listed)} score{'s' if len(listed) != 1 else ''}.",
                    f"Give one score for each of {', '.join(labels)}, in this order.",
                )
            scores = dict(zip(labels, listed, strict=True))
        if not scores:
            fail("V302", call.span, "There is nothing to choose from.", "Write `argmax(label: score, ...)`.")
        return {k: scores[k] for k in labels if k in scores}, ties

    def best(self, scores: Mapping[str, Form], ties: str) -> Finite:
        """The label with the largest score; the first of equals wins, or the last."""
        order = list(scores)
        cases = dict.fromkeys(self.program.labels, NO)
        for i, name in enumerate(order):
            wins = []
            for j, other in enumerate(order):
                if i != j:
                    lead = self.build.subtract(scores[name], scores[other])
                    weakly = (i < j) == (ties == "first")
                    wins.append(self.build.at_least_zero(lead) if weakly else self.build.above_zero(lead))
            cases[name] = self.build.both(*wins)
        return Finite(self.program.labels, tuple(cases[k] for k in self.program.labels))

    # margins: how far the scores are from another decision (THEORY section 3)

    def margin(self, classifier: Classifier, point: Point) -> Meaning:
        """The margin of f at `point`."""
        return margin(self, classifier, point)

    # expressions

    def number(self, expr: tree.Expr, env: Env) -> Form:
        return self.as_number(expr, self.value(expr, env))

    def as_number(self, expr: tree.Expr, value: Meaning) -> Form:
        """The value of an expression, which is to be a number."""
        if isinstance(value, Form | Distance):
            return self._linear(value)
        if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], Form):
            return value[0]
        fail("V302", expr.span, f"A number is needed here, not {describe(value)}.", self._number_fix(value))

    def truth(self, expr: tree.Expr, env: Env) -> Form:
        value = self.value(expr, env)
        if isinstance(value, Truth):
            return value.form
        fail(
            "V304",
            expr.span,
            f"A formula is needed here, not {describe(value)}.",
            "Compare it with something: `... >= 0`.",
        )

    def value(self, expr: tree.Expr, env: Env) -> Meaning:
        self._steps += 1
        if self._steps > STEPS:
            raise TooLarge
        match expr:
            case tree.Number(_, value):
                return self.build.constant(value)
            case tree.Text(span):
                fail("V301", span, "A text has no meaning here.", "Texts are used for file names only.")
            case tree.Name(span, name):
                return self._name(span, name, env)
            case tree.Field(span, value, name):
                return self._field(span, value, name, env)
            case tree.Index(span, value, index):
                return self._index(span, self.value(value, env), index, env)
            case tree.Apply():
                return self._apply(expr, env)
            case tree.Vector(span, items):
                values = (self.value(item, env) for item in items)
                entries = tuple(self._linear(v) if isinstance(v, Distance) else v for v in values)
                for item, entry in zip(items, entries, strict=True):
                    if not isinstance(entry, Form | tuple):
                        fail(
                            "V302",
                            item.span,
                            f"A vector holds numbers, not {describe(entry)}.",
                            "Use `code(...)` or `onehot(...)`.",
                        )
                if any(isinstance(e, tuple) and any(isinstance(row, tuple) for row in e) for e in entries):
                    fail(
                        "V303",
                        span,
                        "A matrix has rows of numbers, not of matrices.",
                        "Leave one pair of brackets out.",
                    )
                if sum(len(e) for e in entries if isinstance(e, tuple)) > ENTRIES:
                    raise TooLarge
                if any(isinstance(e, tuple) for e in entries) and any(isinstance(e, Form) for e in entries):
                    return tuple(n for e in entries for n in (e if isinstance(e, tuple) else (e,)))
                if (
                    entries
                    and all(isinstance(e, tuple) for e in entries)
                    and len({len(numbers(e)) for e in entries}) > 1
                ):
                    fail(
                        "V303",
                        span,
                        "The rows of this matrix have different lengths.",
                        "Give every row the same number of entries.",
                    )
                return entries
            case tree.Record():
                assert self.program.domain is not None
                return self.concrete(self.program.domain, self.record(expr, env))
            case tree.Unary(span, "not", operand):
                return Truth(self.build.negate(self.truth(operand, env)))
            case tree.Unary(span, sign, operand):
                return self._each(
                    span, self.value(operand, env), lambda f: self.build.scale(-1 if sign == "-" else 1, f)
                )
            case tree.Binary():
                return self._binary(expr, env)
            case tree.Chain(span, operands, ops):
                parts = []
                for (left, right), op in zip(pairwise(operands), ops, strict=True):
                    part = self._sharper(left, right, op, env)
                    if part is None:
                        part = self._compare(left.span.to(right.span), *self._sides(left, right, op, env), op)
                    parts.append(part)
                return Truth(self.build.both(*parts))
            case tree.If(span, test, then, otherwise):
                holds = self.truth(test, env)
                return self._if(span, holds, self.value(then, env), self.value(otherwise, env))
            case tree.Quantified(span):
                fix = "It may stand at the top of an assertion, and there under not, and, or, => and <=>."
                fail("V401", span, "A quantifier is not allowed here.", fix)

    def _name(self, span: Span, name: str, env: Env) -> Meaning:
        if name in env:
            return env[name]
        if name in self.program.constants:
            return self._constant(self.program.constants[name])
        if name in self.program.points:
            return self.declared(name)
        if name in ("true", "false"):
            return Truth(YES if name == "true" else NO)
        if name in ("infinity", "inf"):
            fail(
                "V301",
                span,
                "`infinity` has no meaning here.",
                "It is a side of an interval, or compared with a measure.",
            )
        visible = [*env, *self.program.constants, *self.program.points]
        known = [*visible, *self.program.functions, *self.program.classifiers, *OPS]
        domain = self.program.domain
        point = next((k for k, v in env.items() if isinstance(v, Point)), None)
        if domain is not None and domain.coordinate(name) is not None:
            fix = f"A `decide` sees only the features ({', '.join(env)}): add `{name} = {name}` to them."
            if not env:
                fix = "Write a constant; a formula over points says `u." + name + "`."
            elif point is not None:
                fix = f"Say of which point: `{point}.{name}`."
            fail("V202", span, f"`{name}` is a coordinate of {domain.name}; it is not visible here.", fix)
        if name in self.program.labels:
            fail(
                "V301",
                span,
                f"The label `{name}` cannot stand here.",
                "A label is compared with `f(x) == ...` or chosen by `decide`.",
            )
        if name in self.program.classifiers or name in self.program.functions or name in OPS:
            fail("V301", span, f"`{name}` must be applied: `{name}(...)`.", f"Write `{name}(...)`.")
        fix = suggestion(name, known, "Known here:", visible)
        if domain is not None and point is not None and not fix.startswith("Did"):
            near = closest(name, [c.name for c in domain.coordinates])
            fix = f"Did you mean `{near if point == 'x' else f'{point}.{near}'}`?" if near else fix
        fail("V201", span, f"There is nothing called `{name}` here.", fix)

    def declared(self, name: str) -> Point:
        """The point that the file declares under `name`."""
        if name not in self._points:
            assert self.program.domain is not None
            self._points[name] = self.concrete(self.program.domain, self.program.points[name])
        return self._points[name]

    def _constant(self, value: Value) -> Meaning:
        if isinstance(value, tuple):
            return tuple(self._constant(v) for v in value)
        assert isinstance(value, Fraction)
        return self.build.constant(value)

    def _field(self, span: Span, value: tree.Expr, name: str, env: Env) -> Meaning:
        if isinstance(value, tree.Name) and value.id not in env and value.id in self.program.classifiers:
            fail("V301", span, f"`{value.id}.{name}` is a function of a point.", f"Write `{value.id}.{name}(u)`.")
        holder = self.value(value, env)
        if not isinstance(holder, Point | FeatureVector):
            fail(
                "V305",
                span,
                f"`.{name}` needs a point or a feature vector, not {describe(holder)}.",
                "Use `[i]` for vectors.",
            )
        if name not in holder.values:
            kind = "coordinate" if isinstance(holder, Point) else "feature"
            fail(
                "V201",
                span,
                f"There is no {kind} called `{name}`.",
                suggestion(name, holder.values, f"The {kind}s are"),
            )
        return holder.values[name]

    def _index(self, span: Span, holder: Meaning, index: tree.Expr, env: Env) -> Meaning:
        at = self.number(index, env)
        if not at.is_constant or at.constant.denominator != 1:
            fail("V306", index.span, "An index is a constant whole number.", "Write `v[0]`, `v[1]`, ...")
        if isinstance(holder, FeatureVector | Point):
            holder = tuple(n for v in holder.values.values() for n in numbers(v))
        if not isinstance(holder, tuple):
            fail("V305", span, f"`[...]` needs a vector, not {describe(holder)}.", "Leave the index out.")
        i = int(at.constant)
        if not 0 <= i < len(holder):
            fail(
                "V306",
                index.span,
                f"The index {i} is outside of {describe(holder)}.",
                f"Indices run from 0 to {len(holder) - 1}.",
            )
        return holder[i]

    def _binary(self, expr: tree.Binary, env: Env) -> Meaning:
        build = self.build
        match expr.op:
            case "and":
                return Truth(build.both(self.truth(expr.left, env), self.truth(expr.right, env)))
            case "or":
                return Truth(build.either(self.truth(expr.left, env), self.truth(expr.right, env)))
            case "=>":
                return Truth(build.implies(self.truth(expr.left, env), self.truth(expr.right, env)))
            case "<=>":
                return Truth(build.same(self.truth(expr.left, env), self.truth(expr.right, env)))
        left, right = self.value(expr.left, env), self.value(expr.right, env)
        if isinstance(left, Distance) or isinstance(right, Distance):
            if (stretched := self._stretched(expr.op, left, right)) is not None:
                return stretched
            left, right = (self._linear(v) if isinstance(v, Distance) else v for v in (left, right))
        for side, value in ((expr.left, left), (expr.right, right)):
            if not isinstance(value, Form | tuple):
                fail("V302", side.span, f"`{expr.op}` needs numbers, not {describe(value)}.", self._number_fix(value))
        match expr.op:
            case "+":
                return self._zip(expr.span, left, right, build.add)
            case "-":
                return self._zip(expr.span, left, right, build.subtract)
            case "*":
                return self._times(expr, left, right)
            case "/":
                if not isinstance(right, Form):
                    fail(
                        "V303", expr.right.span, f"Cannot divide by {describe(right)}.", "Divide by a constant number."
                    )
                if not right.is_constant:
                    fail(
                        "V307",
                        expr.right.span,
                        "Division by something that varies is not piecewise linear.",
                        "Only constants may stand below `/`: multiply both sides of the comparison by it instead.",
                    )
                if right.constant == 0:
                    fail("V308", expr.right.span, "Division by zero.", "Use a constant other than 0.")
                return self._each(expr.span, left, lambda f: build.scale(1 / right.constant, f))
        raise AssertionError(expr.op)

    def _sides(self, left: tree.Expr, right: tree.Expr, op: str, env: Env) -> tuple[Meaning, Meaning]:
        """Both sides of a comparison; a bare name beside a label or a finite value is one of its members."""
        if op in ("==", "!="):
            for here, there, swapped in ((left, right, False), (right, left, True)):
                if isinstance(there, tree.Name) and not (isinstance(here, tree.Name) and not self._known(here.id, env)):
                    value = self.value(here, env)
                    if isinstance(value, Finite) and not (there.id not in value.members and self._known(there.id, env)):
                        if there.id not in value.members:
                            fail(
                                "V203",
                                there.span,
                                f"`{there.id}` is not one of {{{', '.join(value.members)}}}.",
                                suggestion(there.id, value.members, "The members are"),
                            )
                        other = env.get(there.id)
                        if isinstance(other, Finite) and other.members == value.members:
                            fail(
                                "V204",
                                there.span,
                                f"`{there.id}` is a member of {{{', '.join(value.members)}}}, and also a name here.",
                                "Rename one of the two.",
                            )
                        member = Finite(value.members, tuple(YES if m == there.id else NO for m in value.members))
                        return (member, value) if swapped else (value, member)
        for here, there in ((left, right), (right, left)):
            if isinstance(there, tree.Name) and not self._known(there.id, env) and not isinstance(here, tree.Name):
                value = self.value(here, env)
                if isinstance(value, Finite) and there.id in value.members:
                    return value, value  # `_compare` says that members have no order
        return self.value(left, env), self.value(right, env)

    def _known(self, name: str, env: Env) -> bool:
        return name in env or name in self.program.constants or name in self.program.points

    def _sharper(self, left: tree.Expr, right: tree.Expr, op: str, env: Env) -> Form | None:
        """`distance(f, u, v) < r`, `margin(f, u) >= m` and the like, where there is a better way to say them than by a
        number."""
        match left, op, right:
            case tree.Apply(_, tree.Name(_, "distance")), "<" | "<=", _:
                classifier, a, b, only = self._distance_arguments(left, env)
                radius = self.value(right, env)
                if not isinstance(radius, Distance):
                    return self.ball(classifier, a, b, only, self.as_number(right, radius), closed=op == "<=")
            case tree.Apply(_, tree.Name(_, "margin")), _, _:
                bound = self.value(right, env)
                if isinstance(bound, Form):
                    return compared(self, *self._margin_arguments(left, env), op, bound)
            case _, "<" | "<=" | ">" | ">=", tree.Apply(_, tree.Name(_, "margin")):
                return self._sharper(right, left, {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op], env)
        return None

    def _margin_arguments(self, call: tree.Apply, env: Env) -> tuple[Classifier, Point]:
        if not call.arguments:
            fail("V302", call.span, "`margin` takes a classifier.", "Write `margin(f1)`.")
        classifier = self.classifier(call.arguments[0].value)
        if len(call.arguments) == 1:
            fail(
                "V302",
                call.span,
                "The margin at which point?",
                f"Write `margin({classifier.name}, u)`; only `where:` may leave it out.",
            )
        (point,) = self._points_of(call, call.arguments[1:], 1, env)
        if classifier.network is None and classifier.decide is None:
            fail(
                "V402",
                call.span,
                f"`{classifier.name}` has no `decide`, so it has no margin.",
                "Use the margin of the model.",
            )
        return classifier, point

    def exact(self, expr: tree.Expr, env: Env | None = None) -> Value:
        """The constant that an expression stands for."""

        def lower(value: Meaning) -> Value:
            match value:
                case tuple():
                    return tuple(lower(v) for v in value)
                case Form(constant, ()):
                    return constant
                case Form():
                    fail("V302", expr.span, "A constant is needed here, not something that varies.", "Write numbers.")
                case _:
                    fail(
                        "V302",
                        expr.span,
                        f"A constant is a number, a vector or a matrix, not {describe(value)}.",
                        "Write numbers.",
                    )

        return lower(self.value(expr, env or {}))

    def record(self, expr: tree.Expr, env: Env | None = None) -> PointValue:
        """The exact point that a record describes; it must lie in the domain."""
        domain = self.program.domain
        assert domain is not None
        if not isinstance(expr, tree.Record):
            fail("V302", expr.span, "A point is a record.", "Write `{ x: 1/2, y: 0 }`.")
        given: dict[str, Value] = {}
        for e in expr.entries:
            c = domain.coordinate(e.label)
            if c is None:
                known = [c.name for c in domain.coordinates]
                fail(
                    "V201",
                    e.span,
                    f"There is no coordinate called `{e.label}`.",
                    suggestion(e.label, known, "The coordinates are"),
                )
            if c.name in given:
                fail("V204", e.span, f"The coordinate `{c.name}` is given twice.", "Keep one of them.")
            if c.kind == "finite":
                if not isinstance(e.value, tree.Name) or e.value.id not in c.members:
                    name = e.value.id if isinstance(e.value, tree.Name) else ""
                    fail(
                        "V203",
                        e.value.span,
                        f"`{c.name}` is one of {{{', '.join(c.members)}}}.",
                        suggestion(name, c.members, "The members are"),
                    )
                given[c.name] = e.value.id
                continue
            value = self.exact(e.value, env)
            width = len(value) if isinstance(value, tuple) else None
            if width != c.size and not (width == 1 and c.size is None):
                shape = "a number" if c.size is None else f"a vector of {c.size}"
                fix = "Write one number." if c.size is None else f"List {c.size} numbers: `[...]`."
                fail("V303", e.value.span, f"`{c.name}` is {shape}.", fix)
            if isinstance(value, tuple) and c.size is None:
                value = value[0]
            if c.kind == "int" and (not isinstance(value, Fraction) or value.denominator != 1):
                fail("V303", e.value.span, f"`{c.name}` is a whole number.", "Round it.")
            given[c.name] = value
        missing = [c.name for c in domain.coordinates if c.name not in given]
        if missing:
            fail("V209", expr.span, f"The point leaves out {', '.join(missing)}.", "Give every coordinate.")
        if self.inside(self.concrete(domain, given)) != YES:
            fail("V319", expr.span, *outside(domain, given))
        return given

    # calls

    def _apply(self, call: tree.Apply, env: Env) -> Meaning:
        match call.function:
            case tree.Field(span, tree.Name(_, owner), feature) if (
                owner in self.program.classifiers and owner not in env
            ):
                classifier = self.program.classifiers[owner]
                (point,) = self._points_of(call, call.arguments, 1, env)
                if classifier.feature(feature) is None:
                    known = [f.name for f in classifier.features]
                    fail(
                        "V201",
                        span,
                        f"`{owner}` has no feature called `{feature}`.",
                        suggestion(feature, known, "The features are"),
                    )
                return self.features(classifier, point)[feature]
            case tree.Name(span, name):
                pass
            case _:
                fail(
                    "V301",
                    call.function.span,
                    "This cannot be applied.",
                    "Only names of functions and classifiers are applied.",
                )
        if name in self.program.functions:
            function, inner = self._call(call, env)
            return self._deeper(span, lambda: self.value(function.body, inner))
        if name in self.program.classifiers:
            (point,) = self._points_of(call, call.arguments, 1, env)
            return self.label(self.program.classifiers[name], point)
        if name in OPS:
            return self._op(call, name, env)
        match name:
            case "dot":
                left, right = self._plain(call, "dot(u, v)", 2, env)
                if not isinstance(left, tuple) or not isinstance(right, tuple):
                    fail(
                        "V303",
                        call.span,
                        f"`dot` takes two vectors, not {describe(left)} and {describe(right)}.",
                        "Write `dot([1, 2], x)`.",
                    )
                return self.dot(call, left, right)
            case "code" | "onehot":
                (value,) = self._plain(call, f"{name}(u.race)", 1, env)
                if not isinstance(value, Finite) or value.code is None:
                    fail(
                        "V302",
                        call.span,
                        f"`{name}` takes a finite coordinate, not {describe(value)}.",
                        "Declare it as `{a, b}`.",
                    )
                if name == "code":
                    return value.code
                return tuple(self.build.select(c, self.build.constant(1), self.build.constant(0)) for c in value.cases)
            case "distance":
                classifier, a, b, only = self._distance_arguments(call, env)
                return self.apart(classifier, a, b, only)
            case "margin":
                return self.margin(*self._margin_arguments(call, env))
            case "argmax" | "argmin":
                fail(
                    "V301",
                    span,
                    f"`{name}` gives a label: it belongs into a `decide`.",
                    "For numbers use `max` or `min`.",
                )
        known = [
            *self.program.functions,
            *self.program.classifiers,
            *OPS,
            "dot",
            "code",
            "onehot",
            "distance",
            "margin",
            "argmax",
            "argmin",
        ]
        if self._known(name, env):
            fail("V301", span, f"`{name}` is not a function.", "Write `*` for a product.")
        if name in measures.MEASURES or name in measures.LATER:
            fail(
                "V401",
                call.span,
                f"The measure `{name}` cannot stand inside of a formula.",
                f"Compare it alone with a constant, as in `{name}(...) >= 1/10`.",
            )
        if name in properties.PROPERTIES or name in properties.LATER:
            fail(
                "V401",
                call.span,
                f"The property `{name}` speaks about all points; it cannot stand here.",
                "State it by itself; properties are joined by `and`, `or`, `not`, `=>`.",
            )
        fail("V201", span, f"There is no function called `{name}`.", suggestion(name, known, "Known functions:"))

    def _plain(self, call: tree.Apply, usage: str, count: int, env: Env) -> list[Meaning]:
        self._count(call, usage, count)
        return [self.value(a.value, env) for a in call.arguments]

    def _count(self, call: tree.Apply, usage: str, count: int) -> None:
        name = f"`{call.function.id}`" if isinstance(call.function, tree.Name) else "This"
        for a in call.arguments:
            if a.label:
                fail("V205", a.span, f"There is no argument called `{a.label}` here.", "Leave the label out.")
        if len(call.arguments) != count:
            fail(
                "V303",
                call.span,
                f"{name} takes {count} argument{'s' * (count != 1)}, not {len(call.arguments)}.",
                f"Write `{usage}`.",
            )

    def _op(self, call: tree.Apply, name: str, env: Env) -> Meaning:
        op = OPS[name]
        if op.shape == "each":
            usage = f"{name}({', '.join(['v', 'low', 'high'][: op.arguments])})"
            first, *rest = self._plain(call, usage, op.arguments, env)
            others = [self.number(a.value, env) for a in call.arguments[1:]] if rest else []
            return self._each(call.arguments[0].span, first, lambda f: op.expand(self.build, [f, *others]))
        entries: list[Form] = []
        for a in call.arguments:
            if a.label:
                fail("V205", a.span, f"There is no argument called `{a.label}` here.", "Leave the label out.")
            value = self.value(a.value, env)
            if isinstance(value, Distance):
                value = self._linear(value)
            if not isinstance(value, Form | tuple):
                fail("V302", a.span, f"`{name}` takes numbers, not {describe(value)}.", self._number_fix(value))
            entries += numbers(value)
        if not entries:
            fail("V303", call.span, f"`{name}` needs at least one number.", f"Write `{name}(a, b)`.")
        return op.expand(self.build, entries)

    def _call(self, call: tree.Expr, env: Env) -> tuple[Function, Env]:
        assert isinstance(call, tree.Apply) and isinstance(call.function, tree.Name)
        function = self.program.functions.get(call.function.id)
        if function is None:
            known = [*self.program.functions, "argmax", "argmin"]
            fail(
                "V201",
                call.function.span,
                f"There is no function called `{call.function.id}`.",
                suggestion(call.function.id, known, "Known functions:"),
            )
        self._count(call, f"{function.name}({', '.join(function.parameters)})", len(function.parameters))
        return function, dict(zip(function.parameters, (self.value(a.value, env) for a in call.arguments), strict=True))

    def _deeper(self, span: Span, of: Callable[[], T]) -> T:
        if self._depth >= DEPTH:
            fail("V403", span, f"Definitions are nested more than {DEPTH} deep.", "A `def` must not use itself.")
        self._depth += 1
        try:
            return of()
        finally:
            self._depth -= 1

    def classifier(self, expr: tree.Expr) -> Classifier:
        """The classifier that a bare name stands for."""
        known = self.program.classifiers
        if isinstance(expr, tree.Name) and expr.id in known:
            return known[expr.id]
        if isinstance(expr, tree.Name) and expr.id in self.program.later:
            raise NotYet(self.program.later[expr.id])
        shown = f"`{expr.id}`" if isinstance(expr, tree.Name) else "This"
        name = expr.id if isinstance(expr, tree.Name) else ""
        fail("V201", expr.span, f"{shown} is not a model or an oracle.", suggestion(name, known, "Declared are"))

    def _distance_arguments(self, call: tree.Apply, env: Env) -> tuple[Classifier, Point, Point, str | None]:
        only = None
        rest = []
        for a in call.arguments:
            if a.label == "only" and isinstance(a.value, tree.Name):
                only = a.value.id
            else:
                rest.append(a)
        if not rest:
            fail("V302", call.span, "`distance` takes a classifier and two points.", "Write `distance(f2, u, v)`.")
        classifier = self.classifier(rest[0].value)
        if only is not None and classifier.feature(only) is None:
            known = [f.name for f in classifier.features]
            fail(
                "V201",
                call.span,
                f"`{classifier.name}` has no feature called `{only}`.",
                suggestion(only, known, "The features are"),
            )
        left, right = self._points_of(call, tuple(rest[1:]), 2, env)
        return classifier, left, right, only

    def _points_of(self, call: tree.Apply, arguments: Sequence[tree.Argument], count: int, env: Env) -> list[Point]:
        points = []
        for a in arguments:
            if a.label:
                fail("V205", a.span, f"There is no argument called `{a.label}` here.", "Leave the label out.")
            value = self.value(a.value, env)
            if not isinstance(value, Point):
                fail(
                    "V302",
                    a.span,
                    f"A point is needed here, not {describe(value)}.",
                    "Use a quantified variable or a declared point.",
                )
            points.append(value)
        if len(points) != count:
            fail(
                "V303",
                call.span,
                f"{count} point{'s are' if count != 1 else ' is'} needed here, not {len(points)}.",
                "Check the arguments.",
            )
        return points

    def _keep(self, point: Point) -> Point:
        self._kept.append(point)  # memo keys use id(point): a point must live as long as the memo
        return point


def outside(domain: Domain, point: PointValue) -> tuple[str, str]:
    """Why a point of the right sorts is not in the domain, and what to do."""
    for c in domain.coordinates:
        value = point[c.name]
        for entry in value if isinstance(value, tuple) else (value,):
            if isinstance(entry, Fraction) and not c.holds(entry):
                return (
                    f"The point lies outside of {domain.name}: {c.name} is in {c.interval}, not {entry}.",
                    f"Choose another {c.name}.",
                )
    formula = unparse(domain.where) if domain.where is not None else ""
    return f"The point lies outside of {domain.name}: it violates `{formula}`.", "Choose a point inside the domain."


def entries(features: Iterable[Feature]) -> list[str]:
    """A name for each entry of the flattened features."""
    return [f.name if f.size is None else f"{f.name}[{i}]" for f in features for i in range(f.size or 1)]
