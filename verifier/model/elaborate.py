"""From trees to a program: names, sorts, shapes, piecewise-linearity. Every mistake of the file is reported, each
once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from verifier.language import measures, metrics, properties
from verifier.language.build import Build, TooLarge
from verifier.language.metrics.quadratic import NotSemidefinite, Rows, sum_of_squares
from verifier.language.ops import OPS
from verifier.model.combine import combined
from verifier.model.data import Cells, Layout, read_data
from verifier.model.meaning import FeatureVector, Finite, NotYet, Point, Truth, describe, fail
from verifier.model.network import Network
from verifier.model.partition import read_partition
from verifier.model.program import (
    Classifier,
    Coordinate,
    Domain,
    Feature,
    Function,
    MetricUse,
    Program,
    Value,
)
from verifier.model.symbolic import DEPTH, Symbolic
from verifier.source import Diagnostic, Rejected, Span
from verifier.source.closest import suggestion
from verifier.syntax import tree

BUILTINS = frozenset(
    {
        "dot",
        "code",
        "onehot",
        "argmax",
        "argmin",
        "margin",
        "distance",
        "matrix",
        "csv",
        "true",
        "false",
        "infinity",
        "inf",
    }
) | frozenset(OPS)
MOST_COORDINATES = 4096
LATER_SOURCES = frozenset({"torch", "nnet", "table"})


class Readers(Protocol):
    """How files beside the `.vf` file are read; each raises Rejected with the span it is given."""

    def network(self, kind: str, path: str, span: Span) -> Network: ...

    def matrix(self, path: str, span: Span) -> tuple[tuple[Fraction, ...], ...]: ...

    def data(self, path: str, layout: Layout, span: Span) -> Cells: ...


class Elaborated(Struct):
    program: Program
    diagnostics: list[Diagnostic] = []
    echo: Callable[[Diagnostic], bool] = lambda d: False
    """Whether a diagnostic only repeats that a declaration is broken."""


Named = (
    tree.Domain
    | tree.Model
    | tree.Imported
    | tree.Def
    | tree.Let
    | tree.Param
    | tree.PointDecl
    | tree.Data
    | tree.Partition
)


def elaborate(
    path: str,
    declarations: Iterable[tree.Declaration],
    readers: Readers,
    settings: Mapping[str, tree.Expr] | None = None,
    lost: frozenset[str] = frozenset(),
) -> Elaborated:
    """The program of these declarations (`use` already replaced by what it brings) and what is wrong with it.

    `lost`: names whose declarations could not be read; that they are missing is not reported again. What is wrong is
    replaced by
    something harmless, so that the rest of the file can be checked too: a program with errors must not be run.
    """
    return Elaborator(path, tuple(declarations), readers, settings or {}, lost).run()


class Elaborator:
    def __init__(
        self,
        path: str,
        declarations: tuple[tree.Declaration, ...],
        readers: Readers,
        settings: Mapping[str, tree.Expr],
        lost: frozenset[str],
    ) -> None:
        self.lost = lost
        self.declarations = declarations
        self.readers = readers
        self.settings = settings
        self.program = Program(path)
        self.out = Elaborated(self.program, echo=self.echo)
        self.pending: dict[str, tree.Let | tree.Param] = {}
        self.busy: list[str] = []
        self.broken: set[str] = set(lost)

    def run(self) -> Elaborated:
        named = self._names()
        self.pending = {d.name.id: d for d in named if isinstance(d, tree.Let | tree.Param)}
        self._settings()
        for kind, step in (
            (tree.Labels, self._labels),
            (tree.Def, self._def),
        ):
            for d in self.declarations:
                if isinstance(d, kind):
                    self._try(lambda d=d, step=step: step(d), d)  # type: ignore[misc]
        self._recursion()
        for name, d in list(self.pending.items()):
            self._try(lambda name=name: self._constant(name), d)  # type: ignore[misc]
        domains = [d for d in named if isinstance(d, tree.Domain)]
        for domain in domains[1:]:
            self._say("V206", domain.name.span, "A file has one domain.", "Put all coordinates into one `domain`.")
        for domain in domains[:1]:
            self._try(lambda domain=domain: self._domain(domain), domain)  # type: ignore[misc]
        if self.program.domain is None and not domains:
            needs = next(
                (d for d in self.declarations if isinstance(d, tree.Model | tree.Imported | tree.PointDecl)), None
            )
            if needs is not None and not self.lost:
                self._say(
                    "V207", needs.name.span, "There is no domain.", "Declare one: `domain X { x: real in [0, 1] }`."
                )
                return self.out
        if self.program.domain is None:
            self.broken |= {d.name.id for d in named if not isinstance(d, tree.Def | tree.Let | tree.Param)}
            self._finish()
            return self.out
        for d in named:
            match d:
                case tree.Model():
                    self._try(lambda d=d: self._model(d), d)  # type: ignore[misc]
                case tree.Imported():
                    self._try(lambda d=d: self._imported(d), d)  # type: ignore[misc]
                case tree.PointDecl():
                    self._try(lambda d=d: self._point(d), d)  # type: ignore[misc]
                case tree.Data():
                    self._try(lambda d=d: self._data(d), d)  # type: ignore[misc]
                case tree.Partition():
                    self._try(lambda d=d: self._partition(d), d)  # type: ignore[misc]
                case _:
                    pass
        self._finish()
        return self.out

    def _finish(self) -> None:
        """Classifiers that are lost have no verdicts; what only misses a broken name is not said twice."""
        for name in self.broken - set(self.program.classifiers):
            self.program.later.setdefault(name, f"`{name}`, which has a mistake,")
        self._assertions()
        self.out.diagnostics = [d for d in self.out.diagnostics if not self.echo(d)]

    def echo(self, d: Diagnostic) -> bool:
        """The diagnostic only says that a name is unknown whose declaration has a mistake of its own."""
        return d.code == "V201" and any(f"`{name}`" in d.message for name in self.broken)

    # collecting

    def _say(self, code: str, span: Span, message: str, fix: str = "", warning: bool = False) -> None:
        diagnostic = Diagnostic(code, span, message, fix, "warning" if warning else "error")
        if diagnostic not in self.out.diagnostics:
            self.out.diagnostics.append(diagnostic)

    def _try(self, step: Callable[[], None], declaration: tree.Declaration | None) -> None:
        try:
            step()
        except Rejected as rejected:
            for d in rejected.diagnostics:
                self._say(d.code, d.span, d.message, d.fix)
            self._break(declaration)
        except TooLarge:
            span = declaration.span if declaration is not None else Span(self.program.path, 1, 1, 0, 1)
            message = "This definition is too large once written out."
            self._say("V404", span, message, "Split it, or import the model from a file.")
            self._break(declaration)

    def _break(self, declaration: tree.Declaration | None) -> None:
        if declaration is not None and not isinstance(declaration, tree.Labels | tree.Use):
            self.broken.add(declaration.name.id)

    def _names(self) -> list[Named]:
        """Declarations with a name, the first of each name; duplicates are reported."""
        seen: dict[str, Span] = {}
        result: list[Named] = []
        for d in self.declarations:
            if isinstance(d, tree.Labels | tree.Use | tree.Assert | tree.Compute):
                continue
            if d.name.id in seen:
                self._say(
                    "V204",
                    d.name.span,
                    f"`{d.name.id}` is already declared in {place(seen[d.name.id], d.name.span)}.",
                    "Rename one of the two.",
                )
                continue
            if d.name.id in BUILTINS or d.name.id in properties.PROPERTIES or d.name.id in measures.MEASURES:
                self._say("V204", d.name.span, f"`{d.name.id}` is a word of the language.", "Choose another name.")
                continue
            if d.name.id.rstrip("'") == "x" and d.name.id != "x":
                self._say("V204", d.name.span, f"`{d.name.id}` is the other point of a pair.", "Choose another name.")
                continue
            seen[d.name.id] = d.name.span
            result.append(d)
        checked: dict[str, Span] = {}
        for d in self.declarations:
            if isinstance(d, tree.Assert | tree.Compute):
                if d.name.id in checked:
                    where = place(checked[d.name.id], d.name.span)
                    self._say(
                        "V204",
                        d.name.span,
                        f"There is already an assertion or compute called `{d.name.id}`, in {where}.",
                        "Rename one of the two.",
                    )
                checked.setdefault(d.name.id, d.name.span)
        return result

    def _settings(self) -> None:
        for name, value in self.settings.items():
            declared = self.pending.get(name)
            if not isinstance(declared, tree.Param):
                params = [k for k, d in self.pending.items() if isinstance(d, tree.Param)]
                self._say(
                    "V208",
                    value.span,
                    f"There is no param called `{name}` to set.",
                    suggestion(name, params, "The params are"),
                )
            else:
                self.pending[name] = replace(declared, value=value)

    # parts

    def _labels(self, d: tree.Labels) -> None:
        if self.program.labels:
            fail("V206", d.span, "The labels are already declared.", "Keep one `labels { ... }`.")
        names = [n.id for n in d.names]
        self.program.labels = tuple(dict.fromkeys(names))
        for i, n in enumerate(d.names):
            if n.id in names[:i]:
                fail("V204", n.span, f"The label `{n.id}` is listed twice.", "Keep one of them.")
        if not names:
            fail("V309", d.span, "There are no labels.", "List at least one.")

    def _def(self, d: tree.Def) -> None:
        names = [p.id for p in d.parameters]
        for i, p in enumerate(d.parameters):
            if p.id in names[:i]:
                fail("V204", p.span, f"The parameter `{p.id}` is listed twice.", "Rename one of the two.")
        self.program.functions[d.name.id] = Function(d.name.id, tuple(names), d.value, d.span)

    def _recursion(self) -> None:
        """A `def` must not use itself: reported at the definition that closes the circle, and taken out."""
        functions = self.program.functions
        uses = {name: {n for n in names_in(f.body) if n in functions} for name, f in functions.items()}
        state: dict[str, int] = {}
        for root in functions:
            stack = [(root, iter(sorted(uses[root])))] if root not in state else []
            state.setdefault(root, 1)
            while stack:
                name, rest = stack[-1]
                inner = next(rest, None)
                if inner is None:
                    state[name] = 2
                    stack.pop()
                elif state.get(inner) == 1:
                    self._say(
                        "V403",
                        functions[name].span,
                        f"`{name}` is defined by itself.",
                        "A `def` must not be recursive.",
                    )
                    self.broken.add(name)
                elif inner not in state:
                    state[inner] = 1
                    stack.append((inner, iter(sorted(uses[inner]))))
        for name in self.broken & set(functions):
            del functions[name]

    def _symbolic(self) -> Symbolic:
        return Symbolic(self.program, Build())

    def _constant(self, name: str) -> None:
        """Evaluate a `let` or `param`, and first those that it mentions."""
        if name in self.program.constants or name in self.broken or name not in self.pending:
            return
        d = self.pending[name]
        if name in self.busy:
            self.broken.add(name)
            fail("V403", d.span, f"`{name}` is defined by itself.", "Break the circle.")
        if len(self.busy) > DEPTH:
            fail("V403", d.span, f"Constants are nested more than {DEPTH} deep.", "Declare what is used first.")
        self.busy.append(name)
        try:
            sides = (d.interval.low, d.interval.high) if isinstance(d, tree.Param) and d.interval is not None else ()
            for needed in (d.value, *sides):
                for other in self._mentions(needed):
                    self._constant(other)
            if isinstance(d, tree.Let) and (call := called(d.value, "matrix")) is not None:
                self.program.constants[name] = self.readers.matrix(self._text(call), call.span)
                return
            self.program.constants[name] = self._exact(d.value)
            if isinstance(d, tree.Param) and d.interval is not None:
                self._within(d.value.span, self.program.constants[name], d.interval, name)
        except Rejected:
            self.broken.add(name)
            if not isinstance(self.program.constants.get(name), Fraction):  # a number does no harm to what uses it
                self.program.constants.pop(name, None)
            raise
        finally:
            self.busy.pop()

    def _mentions(self, expr: tree.Expr) -> set[str]:
        """The constants that an expression needs, also through the functions that it calls."""
        found: set[str] = set()
        seen: set[str] = set()
        todo = [expr]
        while todo:
            for name in names_in(todo.pop()):
                if name in self.pending:
                    found.add(name)
                elif name in self.program.functions and name not in seen:
                    seen.add(name)
                    todo.append(self.program.functions[name].body)
        return found

    def _exact(self, expr: tree.Expr) -> Value:
        return self._symbolic().exact(expr)

    def _number(self, expr: tree.Expr) -> Fraction:
        value = self._exact(expr)
        if isinstance(value, Fraction):
            return value
        fail("V302", expr.span, "A number is needed here.", "Write one number.")

    def _within(self, span: Span, value: Value, interval: tree.Interval, name: str) -> None:
        low, high, low_open, high_open = self._interval(interval)
        if not isinstance(value, Fraction):
            fail("V302", span, f"`{name}` has an interval, so it is a number.", "Remove the interval.")
        below = low is not None and (value < low or (low_open and value == low))
        above = high is not None and (value > high or (high_open and value == high))
        if below or above:
            shown = Coordinate(name, "real", span, None, (), low, high, low_open, high_open).interval
            fail("V310", span, f"`{name}` = {value} lies outside of its interval.", f"Choose a value in {shown}.")

    def _interval(self, interval: tree.Interval) -> tuple[Fraction | None, Fraction | None, bool, bool]:
        low, high = (self._side(e, sign) for e, sign in ((interval.low, -1), (interval.high, 1)))
        if low is not None and high is not None and low > high:
            fail("V311", interval.span, f"This interval is empty: {low} > {high}.", f"Did you mean [{high}, {low}]?")
        if low is not None and low == high and (interval.low_open or interval.high_open):
            fail(
                "V311",
                interval.span,
                "This interval is empty: its sides are equal and open.",
                "Close it with `[` and `]`.",
            )
        return low, high, interval.low_open, interval.high_open

    def _side(self, expr: tree.Expr, sign: int) -> Fraction | None:
        match expr:
            case tree.Name(_, "infinity" | "inf"):
                infinite = 1
            case tree.Unary(_, "-", tree.Name(_, "infinity" | "inf")):
                infinite = -1
            case tree.Unary(_, "+", tree.Name(_, "infinity" | "inf")):
                infinite = 1
            case _:
                return self._number(expr)
        if infinite != sign:
            fail(
                "V311", expr.span, "This interval is empty.", "`-infinity` stands on the left, `infinity` on the right."
            )
        return None

    def _domain(self, d: tree.Domain) -> None:
        coordinates: list[Coordinate] = []
        problems: list[Diagnostic] = []
        for c in d.coordinates:
            try:
                if any(c.name.id == other.name for other in coordinates):
                    fail(
                        "V204",
                        c.name.span,
                        f"The coordinate `{c.name.id}` is declared twice.",
                        "Rename one of the two.",
                    )
                coordinates.append(self._coordinate(c, [other.name for other in coordinates]))
            except Rejected as rejected:
                problems += rejected.diagnostics
                if not any(c.name.id == other.name for other in coordinates):
                    coordinates.append(Coordinate(c.name.id, "real", c.span))
        if not d.coordinates:
            fail("V309", d.span, "The domain has no coordinates.", "Write `domain X { x: real in [0, 1] }`.")
        if sum(c.size or 1 for c in coordinates) > MOST_COORDINATES:
            fail("V404", d.span, f"The domain has more than {MOST_COORDINATES} coordinates.", "Use fewer.")
        self.program.domain = Domain(d.name.id, tuple(coordinates), None, d.span)
        if d.where is not None:
            symbolic = self._symbolic()
            try:
                symbolic.truth(d.where, symbolic.point(self.program.domain, "x")[0].values)
            except Rejected as rejected:
                problems += rejected.diagnostics
        self.program.domain = replace(self.program.domain, where=None if problems else d.where)
        if problems:
            raise Rejected(*problems)

    def _coordinate(self, c: tree.Coordinate, before: Sequence[str]) -> Coordinate:
        for side in (c.interval.low, c.interval.high) if c.interval else ():
            for name in sorted(names_in(side) & set(before) - set(self.program.constants)):
                fail(
                    "V202",
                    side.span,
                    f"The interval of `{c.name.id}` is constant: it cannot depend on the coordinate `{name}`.",
                    f"Add a constraint behind the domain: `where {c.name.id} <= {name}`, for example.",
                )
        low, high, low_open, high_open = self._interval(c.interval) if c.interval else (None, None, False, False)
        name, span = c.name.id, c.span
        match c.sort:
            case tree.FiniteSort(_, members):
                names = tuple(m.id for m in members)
                for i, m in enumerate(members):
                    if m.id in names[:i]:
                        fail("V204", m.span, f"The member `{m.id}` is listed twice.", "Keep one of them.")
                if c.interval is not None:
                    fail(
                        "V312",
                        c.interval.span,
                        "A finite sort has no interval.",
                        "Remove `in ...`; list the members you want.",
                    )
                if not names:
                    fail("V309", c.sort.span, "This sort has no members.", "List at least one: `{a, b}`.")
                return Coordinate(name, "finite", span, members=names)
            case tree.IntSort():
                if low is None or high is None:
                    fail(
                        "V312",
                        span,
                        f"The integer `{name}` needs a bounded interval.",
                        f"Write `{name}: int in [0, 10]`.",
                    )
                least = floor(low) + 1 if low_open else ceil(low)
                most = ceil(high) - 1 if high_open else floor(high)
                if least > most:
                    fail("V311", span, f"There is no whole number between {low} and {high}.", "Widen the interval.")
                return Coordinate(name, "int", span, low=Fraction(least), high=Fraction(most))
            case tree.RealSort(_, size):
                count = None
                if size is not None:
                    n = self._number(size)
                    if n.denominator != 1 or not 1 <= n <= MOST_COORDINATES:
                        fail(
                            "V313",
                            size.span,
                            f"The size of a vector is a whole number from 1 to {MOST_COORDINATES}.",
                            "Write `real^2`.",
                        )
                    count = int(n)
                return Coordinate(
                    name,
                    "real",
                    span,
                    size=count,
                    low=low,
                    high=high,
                    low_open=low_open and low is not None,
                    high_open=high_open and high is not None,
                )

    def _model(self, d: tree.Model) -> None:
        domain = self.program.domain
        assert domain is not None
        symbolic = self._symbolic()
        point = symbolic.point(domain, "x")[0]
        problems: list[Diagnostic] = []
        features: list[Feature] = []
        match d.features:
            case None:
                fail(
                    "V314",
                    d.name.span,
                    f"`{d.name.id}` has no features.",
                    "Say what it sees: `features s = size` or `features all`.",
                )
            case tree.AllFeatures(span, excluded):
                out = {n.id for n in excluded}
                for n in excluded:
                    if domain.coordinate(n.id) is None:
                        known = [c.name for c in domain.coordinates]
                        problems.append(
                            Diagnostic(
                                "V201",
                                n.span,
                                f"There is no coordinate called `{n.id}`.",
                                suggestion(n.id, known, "The coordinates are"),
                            )
                        )
                for c in domain.coordinates:
                    if c.name not in out:
                        features.append(Feature(c.name, tree.Name(span, c.name), c.size, c.members))
                if not features and not problems:
                    problems.append(Diagnostic("V314", span, "No feature is left.", "Exclude fewer coordinates."))
            case tree.NamedFeatures(_, given):
                for f in given:
                    try:
                        if any(f.name.id == other.name for other in features):
                            fail(
                                "V204",
                                f.name.span,
                                f"The feature `{f.name.id}` is declared twice.",
                                "Rename one of the two.",
                            )
                        features.append(self._feature(f, symbolic, point))
                    except Rejected as rejected:
                        problems += rejected.diagnostics
                        if all(f.name.id != other.name for other in features):
                            features.append(Feature(f.name.id, tree.Number(f.span, Fraction(0))))
        classifier = Classifier(d.kind, d.name.id, d.span, tuple(features), None, d.decide)
        if d.metric is not None:
            try:
                classifier = replace(classifier, metric=self._metric(d.metric, classifier, symbolic, point))
            except Rejected as rejected:
                problems += rejected.diagnostics
        elif d.kind == "oracle":
            problems.append(
                Diagnostic(
                    "V315",
                    d.name.span,
                    f"The oracle `{d.name.id}` has no metric.",
                    "Say how it measures distances: `metric linf`.",
                )
            )
        if d.decide is None and d.kind == "model":
            problems.append(
                Diagnostic(
                    "V316",
                    d.name.span,
                    f"The model `{d.name.id}` does not decide.",
                    "Add `decide if ... then ... else ...`.",
                )
            )
        if d.decide is not None:
            try:
                if not self.program.labels:
                    fail(
                        "V207",
                        d.decide.span,
                        "There are no labels to decide between.",
                        "Declare them: `labels { small, big }`.",
                    )
                symbolic.decision(d.decide, symbolic.features(classifier, point))
            except Rejected as rejected:
                problems += rejected.diagnostics
                classifier = replace(classifier, decide=tree.Name(d.decide.span, next(iter(self.program.labels), "")))
        self.program.classifiers[d.name.id] = classifier
        if problems:
            raise Rejected(*problems)

    def _feature(self, f: tree.NamedFeature, symbolic: Symbolic, point: Point) -> Feature:
        value = symbolic.value(f.value, point.values)
        match value:
            case Finite(members):
                return Feature(f.name.id, f.value, None, members)
            case Truth() | Point() | FeatureVector():
                fix = "Write `if ... then 1 else 0`." if isinstance(value, Truth) else "Name a coordinate."
                fail("V302", f.value.span, f"A feature is a number or a vector, not {describe(value)}.", fix)
            case tuple():
                if any(isinstance(v, tuple) for v in value):
                    fail(
                        "V303",
                        f.value.span,
                        f"A feature is a number or a vector, not {describe(value)}.",
                        "Multiply it by a vector.",
                    )
                return Feature(f.name.id, f.value, len(value))
            case _:
                return Feature(f.name.id, f.value)

    # metrics

    def _metric(self, m: tree.Metric, classifier: Classifier, symbolic: Symbolic, point: Point) -> MetricUse:
        if m.name is not None:
            names = [p.id for p in m.parameters]
            if len(names) != 2 or names[0] == names[1]:
                fail("V303", m.span, "A metric compares two feature vectors.", "Write `metric d(u, v) = ...`.")
            return self._user_metric(m.span, (names[0], names[1]), m.value, classifier, symbolic, point)
        named = m.value.function if isinstance(m.value, tree.Apply) else m.value
        if isinstance(named, tree.Name) and named.id in self.program.functions:
            function = self.program.functions[named.id]
            arguments = isinstance(m.value, tree.Apply) and bool(m.value.arguments)
            if len(function.parameters) != 2 or function.parameters[0] == function.parameters[1] or arguments:
                fail(
                    "V317",
                    named.span,
                    f"`{named.id}` does not compare two feature vectors.",
                    f"Define `def {named.id}(u, v) = ...`.",
                )
            left, right = function.parameters
            return self._user_metric(m.span, (left, right), function.body, classifier, symbolic, point)
        return self._builtin(m.value, m.span, classifier)

    def _builtin(self, expr: tree.Expr, whole: Span, classifier: Classifier) -> MetricUse:
        """A built-in metric with its options, or a positive combination of such."""
        arguments: tuple[tree.Argument, ...] = ()
        match expr:
            case tree.Binary(_, "+", left, right):
                return combined(whole, "sum", [self._builtin(side, whole, classifier) for side in (left, right)])
            case tree.Binary(_, "*", left, right):
                amount, of = (right, left) if self._is_metric(left) else (left, right)
                return self._times(amount, self._builtin(of, whole, classifier))
            case tree.Binary(_, "/", left, right):
                return self._times(right, self._builtin(left, whole, classifier), divide=True)
            case tree.Apply(_, tree.Name(_, "max"), given) if given and not any(a.label for a in given):
                return combined(whole, "max", [self._builtin(a.value, whole, classifier) for a in given])
            case tree.Name(span, name):
                pass
            case tree.Apply(_, tree.Name(span, name), arguments):
                pass
            case _:
                known = ", ".join((*metrics.METRICS, *metrics.QUADRATIC))
                fail(
                    "V317",
                    expr.span,
                    "This is not a metric.",
                    f"Write one of {known}, combine them with `+`, `max` or a factor, or define one: "
                    "`metric d(u, v) = abs(u.s - v.s)`.",
                )
        if name in metrics.LATER:
            return MetricUse(whole, builtin=name, scales=())
        if name not in metrics.METRICS and name not in metrics.QUADRATIC:
            known_names = [*metrics.METRICS, *metrics.QUADRATIC, *sorted(metrics.LATER), *self.program.functions]
            fail("V201", span, f"There is no metric called `{name}`.", suggestion(name, known_names, "The metrics are"))
        if name in metrics.METRICS:
            return MetricUse(whole, builtin=name, scales=self._scales(arguments, classifier))
        return self._quadratic(expr.span, whole, name, arguments, classifier)

    @staticmethod
    def _is_metric(expr: tree.Expr) -> bool:
        """An operand that names a metric (the other one is the factor)."""
        words = metrics.METRICS.keys() | metrics.QUADRATIC.keys()
        return bool(names_in(expr) & words)

    def _times(self, amount: tree.Expr, metric: MetricUse, divide: bool = False) -> MetricUse:
        factor = self._number(amount)
        if factor <= 0:
            fail("V318", amount.span, "The factor of a metric is a positive number.", "Write `2 * linf`, say.")
        return replace(metric, factor=metric.factor / factor if divide else metric.factor * factor)

    def _quadratic(
        self, span: Span, whole: Span, name: str, arguments: tuple[tree.Argument, ...], classifier: Classifier
    ) -> MetricUse:
        """l2 and mahalanobis, with a matrix that is symmetric and positive semidefinite."""
        kind = metrics.QUADRATIC[name]
        entries = sum(f.size or 1 for f in classifier.features)
        given = [a for a in arguments if kind.takes_matrix and a.label in ("", "matrix")]
        matrix: Rows = ()
        if kind.takes_matrix:
            if len(given) != 1:
                fail("V209", span, f"`{name}` needs one matrix.", "Write `mahalanobis([[2, 1], [1, 2]])`.")
            matrix = self._semidefinite(given[0].value, entries)
        scales = self._scales(tuple(a for a in arguments if a not in given), classifier)
        return MetricUse(whole, builtin=name, scales=scales, matrix=matrix, squares=kind.squares(entries, matrix))

    def _semidefinite(self, expr: tree.Expr, entries: int) -> Rows:
        """The matrix of mahalanobis, checked in rationals."""
        value = self._exact(expr)
        rows = tuple(row if isinstance(row, tuple) else (row,) for row in value) if isinstance(value, tuple) else ()
        square = f"The features have {entries} entr{'ies' if entries > 1 else 'y'}: a {entries} x {entries} matrix."
        if len(rows) != entries or any(len(row) != entries for row in rows):
            fail("V303", expr.span, f"This is no {entries} x {entries} matrix.", square)
        matrix = tuple(tuple(x if isinstance(x, Fraction) else Fraction(0) for x in row) for row in rows)
        for i in range(entries):
            for j in range(i):
                if matrix[i][j] != matrix[j][i]:
                    fail(
                        "V320",
                        expr.span,
                        f"The matrix is not symmetric: {matrix[i][j]} in row {i}, column {j}, "
                        f"but {matrix[j][i]} in row {j}, column {i}.",
                        f"Put {(matrix[i][j] + matrix[j][i]) / 2} in both places: that leaves v^T M v as it is.",
                    )
        try:
            sum_of_squares(matrix)
        except NotSemidefinite as found:
            v = "[" + ", ".join(map(str, found.vector)) + "]"
            fail(
                "V320",
                expr.span,
                f"The matrix M is not positive semidefinite: v = {v} has v^T M v = {found.value} < 0.",
                "A squared distance cannot be negative. Check the entries: covariance matrices and inverses pass.",
            )
        return matrix

    def _scales(self, arguments: tuple[tree.Argument, ...], classifier: Classifier) -> tuple[Fraction, ...]:
        factor = {f.name: [Fraction(1)] * (f.size or 1) for f in classifier.features}
        for a in arguments:
            if a.label not in ("scale", "weights"):
                fail(
                    "V205",
                    a.span,
                    f"A metric has no option `{a.label}`.",
                    "The options are `scale: {...}` (divides) and `weights: {...}` (multiplies).",
                )
            if isinstance(a.value, tree.Record):
                for e in a.value.entries:
                    if e.label not in factor:
                        fail(
                            "V201",
                            e.span,
                            f"There is no feature called `{e.label}` here.",
                            suggestion(e.label, factor, "The features are"),
                        )
                    self._scale(factor[e.label], self._exact(e.value), a.label, e.span)
                continue
            every = [Fraction(1)] * sum(map(len, factor.values()))
            self._scale(every, self._exact(a.value), "scale", a.span)
            rest = iter(every)
            for f in classifier.features:
                self._scale(factor[f.name], tuple(next(rest) for _ in factor[f.name]), a.label, a.span)
        return tuple(s for f in classifier.features for s in factor[f.name])

    def _scale(self, into: list[Fraction], value: Value, how: str, span: Span) -> None:
        each = value if isinstance(value, tuple) else (value,) * len(into)
        if len(each) != len(into):
            fail("V303", span, f"{len(into)} numbers are needed here, not {len(each)}.", "Give one for each entry.")
        for i, v in enumerate(each):
            if not isinstance(v, Fraction) or v <= 0:
                fail("V318", span, "A scale is a positive number.", "To ignore a feature, leave it out of `features`.")
            into[i] = into[i] * v if how == "scale" else into[i] / v

    def _user_metric(
        self,
        span: Span,
        names: tuple[str, str],
        body: tree.Expr,
        classifier: Classifier,
        symbolic: Symbolic,
        point: Point,
    ) -> MetricUse:
        other = symbolic.point(self._x, "x'")[0]
        g, h = (FeatureVector(symbolic.features(classifier, p)) for p in (point, other))
        symbolic.number(body, {names[0]: g, names[1]: h})
        return MetricUse(span, parameters=names, body=body)

    @property
    def _x(self) -> Domain:
        assert self.program.domain is not None
        return self.program.domain

    # imported models

    def _imported(self, d: tree.Imported) -> None:
        match d.call:
            case tree.Apply(_, tree.Name(kind_span, kind), arguments):
                pass
            case _:
                fail(
                    "V501",
                    d.call.span,
                    "A model is read from a file.",
                    'Write `onnx("model.onnx")`, or declare it with `{ ... }`.',
                )
        known = ("onnx", "sklearn", "keras", *sorted(LATER_SOURCES))
        if kind not in known:
            fail(
                "V201",
                kind_span,
                f"There is no importer called `{kind}`.",
                suggestion(kind, known, "The importers are"),
            )
        inputs: tree.Expr | None = None
        cut, metric = "last_hidden", None
        for a in arguments:
            match a.label:
                case "":
                    pass
                case "inputs":
                    inputs = a.value
                case "features":
                    if not isinstance(a.value, tree.Name) or a.value.id not in ("input", "last_hidden", "scores"):
                        fail(
                            "V501",
                            a.span,
                            "`features:` says where g ends.",
                            "Write `input`, `last_hidden` or `scores`.",
                        )
                    cut = a.value.id
                case "metric":
                    metric = a.value
                case _:
                    fail(
                        "V205",
                        a.span,
                        f"`{kind}` has no option `{a.label}`.",
                        "The options are inputs, features, metric.",
                    )
        try:
            network = self.readers.network(kind, self._text(d.call), d.call.span)
        except NotYet as later:
            self.program.later[d.name.id] = str(later)
            return
        labels = self.program.labels
        if len(labels) != network.labels:
            fail(
                "V303",
                d.name.span,
                f"The model has {network.labels} classes, but there are {len(labels)} labels.",
                "Declare one label a class, in the model's order"
                + (f" ({', '.join(network.classes)})." if network.classes else "."),
            )
        place = {"input": 0, "last_hidden": network.last_hidden, "scores": len(network.steps)}[cut]
        feature = Feature(cut, d.call, network.width(place))
        classifier = Classifier(d.kind, d.name.id, d.span, (feature,), None, None, network, inputs, place)
        symbolic = self._symbolic()
        point = symbolic.point(self._x, "x")[0]
        width = len(symbolic.feed(classifier, point))
        if width != network.inputs:
            place_ = inputs.span if inputs is not None else d.call.span
            fail(
                "V303",
                place_,
                f"The model takes {network.inputs} numbers, not {width}.",
                "List them: `inputs: [a, b, ...]`.",
            )
        if metric is not None:
            classifier = replace(
                classifier, metric=self._metric(tree.Metric(metric.span, metric, None, ()), classifier, symbolic, point)
            )
        self.program.classifiers[d.name.id] = classifier

    def _text(self, call: tree.Apply) -> str:
        plain = [a.value for a in call.arguments if not a.label]
        if len(plain) != 1 or not isinstance(plain[0], tree.Text):
            fail("V501", call.span, "The name of one file is needed here.", 'Write it in quotes: `("file")`.')
        return plain[0].value

    # points

    def _point(self, d: tree.PointDecl) -> None:
        self.program.points[d.name.id] = self._symbolic().record(d.value)

    def _data(self, d: tree.Data) -> None:
        data = read_data(self.program, d, self.readers)
        self.program.data[d.name.id] = data
        if data.skipped:
            rows = f"{data.skipped} rows of {data.file} lie" if data.skipped > 1 else f"1 row of {data.file} lies"
            message = f"{rows} outside of the domain and {'are' if data.skipped > 1 else 'is'} left out."
            self._say("V319", d.value.span, message, "Widen the domain to keep them.", warning=True)

    def _partition(self, d: tree.Partition) -> None:
        self.program.partitions[d.name.id] = read_partition(self.program, d)

    # assertions

    def _assertions(self) -> None:
        for d in self.declarations:
            match d:
                case tree.Assert():
                    self.program.assertions.append(d)
                case tree.Compute():
                    self.program.computes.append(d)
                case _:
                    pass


def place(span: Span, seen_from: Span) -> str:
    """The line, and the file if it is another one."""
    other = f" of {span.file.replace(chr(92), '/').rpartition('/')[2]}" if span.file != seen_from.file else ""
    return f"line {span.line}{other}"


def names_in(expr: tree.Expr) -> set[str]:
    """Every name that occurs in an expression, whatever it stands for."""
    found: set[str] = set()
    todo: list[tree.Expr] = [expr]
    while todo:
        match todo.pop():
            case tree.Name(_, name):
                found.add(name)
            case tree.Field(_, value, _) | tree.Unary(_, _, value):
                todo.append(value)
            case tree.Index(_, a, b) | tree.Binary(_, _, a, b):
                todo += (a, b)
            case tree.Apply(_, function, arguments):
                todo += (function, *(a.value for a in arguments))
            case tree.Record(_, arguments):
                todo += (a.value for a in arguments)
            case tree.Vector(_, items) | tree.Chain(_, items, _):
                todo += items
            case tree.If(_, a, b, c):
                todo += (a, b, c)
            case tree.Quantified(_, _, _, over, body):
                todo += (over, body)
            case tree.Number() | tree.Text():
                pass
    return found


def called(expr: tree.Expr, name: str) -> tree.Apply | None:
    """The call, if `expr` is `name(...)`."""
    if isinstance(expr, tree.Apply) and isinstance(expr.function, tree.Name) and expr.function.id == name:
        return expr
    return None
