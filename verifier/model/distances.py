"""Distances of the metrics of the tool, as numbers: piecewise linear ones, and roots, for which an input stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from verifier.language import metrics
from verifier.language.build import ZERO, Build, Form, Variable
from verifier.language.ops import OPS
from verifier.language.root import floor_root, rational
from verifier.model.algebra import Algebra
from verifier.model.meaning import Distance
from verifier.model.program import MetricUse
from verifier.model.roots import Norm, Tangent, first_tangents, polyhedral, side_root


class Distances(Algebra):
    """What stands for a distance over one builder."""

    def __init__(self, build: Build) -> None:
        super().__init__(build)
        self.topological = False
        """Quadratic metrics are replaced by a norm of the same topology (linf of the rows of L^T, never above them)."""
        self.squares: dict[int, tuple[tuple[Fraction, Form], ...]] = {}
        """The inputs that stand for a quadratic form: sum of weight * form^2."""
        self._squares: dict[tuple[tuple[Form, Fraction], ...], Form] = {}
        self.roots: dict[int, tuple[tuple[Fraction, Form], ...]] = {}
        """The inputs that stand for the root of a sum of weight * form^2."""
        self._roots: dict[Form, Form] = {}
        self.tangents: dict[int, list[Tangent]] = {}
        self.ceilings: dict[int, int] = {}
        """How fine the polyhedral norm is that is known to be above a root."""
        self.squared = True
        """Distances that are roots are compared by their squares, where that will do; else each is an input."""
        self.rounding: Norm | None = None
        """Such roots are replaced by a polyhedral norm on this side of them, as fine as `fine` says."""
        self.fine = 6

    def _linear(self, value: Form | Distance) -> Form:
        """A distance as a number: where it is a root, an input that stands for it, or a number beside it."""
        if isinstance(value, Form):
            return value
        if self.rounding is not None:
            return polyhedral(self.build, value.rows, self.rounding, self.fine)
        return self._root(value)

    def _root(self, far: Distance) -> Form:
        """The root of a square: an input of its own."""
        build = self.build
        if not far.rows:
            return build.constant(0)
        if far.square not in self._roots:
            low, high = build.bounds(far.square)
            least = Fraction(0) if low is None or low <= 0 else side_root(low, "below")
            made = build.input(Variable("a distance", least, None if high is None else side_root(high, "above")))
            self.roots[made.terms[0][0]] = far.rows
            self.tangents[made.terms[0][0]] = first_tangents([w for w, _ in far.rows])
            self._roots[far.square] = made
        return self._roots[far.square]

    def enclosure(self, root: int) -> list[Form]:
        """What is known of the input that stands for a root: tangents, and a polyhedral norm above."""
        build, rows = self.build, self.roots[root]
        far = Form(Fraction(0), ((root, Fraction(1)),))
        shares = [build.combine((t, form) for t, (_, form) in zip(ts, rows, strict=True)) for ts in self.tangents[root]]
        sides = [build.scale(sign, share) for share in shares for sign in (1, -1)]
        facts = [build.at_least_zero(build.subtract(far, side)) for side in sides]
        if fine := self.ceilings.get(root):
            facts.append(build.at_least_zero(build.subtract(polyhedral(build, rows, "above", fine), far)))
        return facts

    def _scaled(self, metric: MetricUse, differences: Sequence[tuple[str, Form]], only: str | None) -> list[Form]:
        scales = metric.scales or (Fraction(1),) * len(differences)
        pairs = zip(differences, scales, strict=True)
        return [self.build.scale(1 / scale, d) for (name, d), scale in pairs if only in (None, name)]

    def _flat_kind(self, metric: MetricUse, only: str | None) -> metrics.Metric:
        """The piecewise-linear metric that is meant: of one feature alone, a norm is linf."""
        alone = only is not None and (metric.is_norm or metric.is_quadratic)
        return metrics.METRICS[metric.builtin if metric.builtin and not alone else "linf"]

    def _far(self, metric: MetricUse, differences: Sequence[tuple[str, Form]], only: str | None) -> Form | Distance:
        build = self.build
        if metric.join:
            parts = [self._linear(self._far(part, differences, only)) for part in metric.parts]
            joined = build.add(*parts) if metric.join == "sum" else OPS["max"].expand(build, parts)
            return build.scale(metric.factor, joined)
        scaled = self._scaled(metric, differences, only)
        if not metric.is_quadratic or only is not None:
            return build.scale(metric.factor, self._flat_kind(metric, only).distance(build, scaled))
        rows = [(w * metric.factor**2, build.combine(zip(row, scaled, strict=True))) for w, row in metric.squares]
        if self.topological:
            sides = [build.scale(floor_root(w), form) for w, form in rows]
            return metrics.METRICS["linf"].distance(build, sides)
        if len(rows) == 1 and rational(rows[0][0]) is not None:
            return polyhedral(build, rows, "below", 1)
        far = Distance(self._square(rows), tuple(rows))
        return far if self.squared else self._linear(far)

    def _near(
        self, metric: MetricUse, differences: Sequence[tuple[str, Form]], only: str | None, radius: Form, closed: bool
    ) -> Form:
        build = self.build
        if closed and radius == ZERO:
            return build.both(
                *dict.fromkeys(metrics.vanishes(build, d) for d in self._zeros(metric, differences, only))
            )
        if metric.join == "max":
            inner = build.scale(1 / metric.factor, radius)
            return build.both(*(self._near(p, differences, only, inner, closed) for p in metric.parts))
        if metric.join or (metric.is_quadratic and only is None):
            return self._order(metric.span, self._far(metric, differences, only), radius, "<=" if closed else "<")
        kind = self._flat_kind(metric, only)
        inner = build.scale(1 / metric.factor, radius)
        return kind.ball(build, self._scaled(metric, differences, only), inner, closed)

    def _zeros(self, metric: MetricUse, differences: Sequence[tuple[str, Form]], only: str | None) -> list[Form]:
        """They are all 0 just where the distance is."""
        if metric.join:
            return [form for part in metric.parts for form in self._zeros(part, differences, only)]
        scaled = self._scaled(metric, differences, only)
        if not metric.is_quadratic or only is not None:
            return scaled
        return [self.build.combine(zip(row, scaled, strict=True)) for _, row in metric.squares]

    def _square(self, rows: Iterable[tuple[Fraction, Form]]) -> Form:
        """sum of weight * form^2: an input of its own, bounded by intervals; equal sums are one input."""
        build, constant = self.build, Fraction(0)
        weights: dict[Form, Fraction] = {}
        for weight, form in rows:
            if form.is_constant:
                constant += weight * form.constant**2
            else:
                form = build.scale(-1, form) if form.terms[0][1] < 0 else form
                weights[form] = weights.get(form, Fraction(0)) + weight
        if not weights:
            return build.constant(constant)
        key = tuple(sorted(weights.items(), key=lambda item: (item[0].terms, item[0].constant)))
        if key not in self._squares:
            low, high = Fraction(0), Fraction(0)
            bounded = True
            for form, weight in key:
                least, most = build.bounds(form)
                if least is None or most is None:
                    bounded = False
                else:
                    high += weight * max(least**2, most**2)
                if (least is not None and least > 0) or (most is not None and most < 0):
                    near = least if least is not None and least > 0 else most
                    assert near is not None
                    low += weight * near**2
            made = build.input(Variable("square of a distance", low, high if bounded else None))
            self.squares[made.terms[0][0]] = tuple((weight, form) for form, weight in key)
            self._squares[key] = made
        return build.add(self._squares[key], build.constant(constant))
