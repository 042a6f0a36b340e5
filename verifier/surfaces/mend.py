"""The candidates for a repair: classifiers that see no more than the oracle, in the order in which they are preferred.

What the oracle sees is asked, not guessed: a feature (of the oracle, of the model, a coordinate) counts as seen when it
alone is proved to be contained. Of the candidates that are proved as a whole the one that agrees with f1 on the largest
share of X wins, the first of equals.

For `factors` and `of: decision` only the labels count. The points of X that flip with another one at oracle distance
zero, under the same oracle label, make up whole classes of such points; outside of them f1 may stay what it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from fractions import Fraction
from functools import cached_property
from itertools import islice, product

from msgspec import Struct
from msgspec.structs import replace

from verifier.canonical.affine import affine_rows
from verifier.canonical.linalg import solve_left
from verifier.canonical.project import projection
from verifier.engines.eliminate import Half
from verifier.engines.engine import Fails, Torn
from verifier.engines.portfolio import Portfolio
from verifier.engines.worker import Worker
from verifier.model.assertion import claim_of, measure_of, template
from verifier.model.elaborate import names_in
from verifier.model.interpret import Interpreter
from verifier.model.meaning import Finite, NotYet, numbers
from verifier.model.program import Classifier, Coordinate, Feature, MetricUse, PointValue, Program, Value
from verifier.model.replace import Rule, rewritten
from verifier.query.pose import Poser
from verifier.source.text import NOWHERE
from verifier.surfaces.section import HALF, Section, Seen, TooMany, X, joined, linear, middle
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.verdict.decide import Decider
from verifier.verdict.region import formula
from verifier.verdict.verdict import Measurement, Proved

POINTS = 400
"""So many points at most are taken for a least-squares fit."""

DENOMINATOR = 64
"""The largest one in a fit. (Whatever the numbers are, what is written is proved.)"""

BESIDE = Fraction(9, 20)
WAYS = 8
"""Ways to fix finite coordinates that are tried."""

LANDMARKS = 4
SIDES = 24
"""A condition of more sides is not written."""
SEARCH = 20.0
"""Seconds at most for one question of the search."""

LINF = MetricUse(NOWHERE, "linf")

CONTAINED, UNIFORM = "contained({}, {})", "uniformly_contained({}, {})"
FACTORS, DECISION = "factors({}, {})", "contained({}, {}, of: decision)"
"""What may be asked for, of a model and an oracle."""


class Late(Exception):
    """No point of X was found in time."""


class Candidate(Struct, frozen=True):
    """A classifier with the name of the old one; `how` says in what it differs, one sentence each."""

    classifier: Classifier
    how: tuple[str, ...]


class Choice(Struct, frozen=True):
    """A candidate that is proved. `same`: no label changes (proved); `share`: how much of X keeps its label."""

    candidate: Candidate
    same: bool
    share: Measurement

    @property
    def least(self) -> Fraction:
        """A certain lower bound of the share; -1: none is known."""
        if isinstance(self.share.amount, Fraction):
            return self.share.amount
        return self.share.enclosure[0] if self.share.enclosure is not None else Fraction(-1)


class Mender:
    """Repairs `model` against `oracle`, so that `claim` holds of them: a text with holes for the two names. Features of
    the repaired model are contained (`uniform`: uniformly), but of a claim that is about the `labels` alone."""

    def __init__(self, program: Program, worker: Worker, model: str, oracle: str, claim: str, seconds: float) -> None:
        assert program.domain is not None
        self.program, self.portfolio = program, Portfolio(worker, certifying=False)
        self._first = Decider(program, self.portfolio)
        self.claim, self.labels = claim, claim in (FACTORS, DECISION)
        self.containment = UNIFORM if claim == UNIFORM else CONTAINED
        self.model, self.oracle = program.classifiers[model], program.classifiers[oracle]
        self.end, self.each = time.monotonic() + 2 * seconds, min(seconds, SEARCH)
        self.domain, self.coordinates = program.domain, program.domain.coordinates
        self.share = HALF
        """What is not seen is held so far along the box."""
        self._asked: dict[object, bool] = {}
        self.spare, self.other = fresh("candidate", taken(program)), fresh("known", taken(program))

    def left(self) -> float:
        return max(0.1, min(self.each, self.end - time.monotonic()))

    # asking

    def contained(self, classifier: Classifier, known: Sequence[Feature] | None = None) -> bool:
        """The classifier is proved to be contained in the oracle, or in the features `known`; uniformly, if that is
        asked."""
        key = (
            classifier.metric,
            spelled(classifier),
            None if known is None else tuple(unparse(f.value) for f in known),
        )
        if key not in self._asked:
            oracle = self.oracle.name if known is None else self.other
            extra = [] if known is None else [Classifier("oracle", oracle, NOWHERE, tuple(known), LINF, None)]
            decider = self._decider(replace(classifier, name=self.spare), *extra)
            claim = claim_of(decider.program, template(self.containment.format(self.spare, oracle)))
            self._asked[key] = isinstance(decider.decide(claim, self.left()).verdict, Proved)
        return self._asked[key]

    def alone(self, feature: Feature) -> bool:
        """The feature by itself is contained."""
        return self.contained(Classifier("model", self.spare, NOWHERE, (feature,), None, None))

    def _decider(self, *classifiers: Classifier) -> Decider:
        known = {**self.program.classifiers, **{c.name: c for c in classifiers}}
        return self._first.among(replace(self.program, classifiers=known))

    def sound(self, classifier: Classifier) -> bool:
        """What is asked for is proved of it."""
        if not self.labels:
            return self.contained(classifier)
        decider = self._decider(replace(classifier, name=self.spare))
        claim = claim_of(decider.program, template(self.claim.format(self.spare, self.oracle.name)))
        return isinstance(decider.decide(claim, self.left()).verdict, Proved)

    def judged(self, candidate: Candidate) -> Choice | None:
        """The candidate, if it is proved, with what it costs."""
        if not self.sound(candidate.classifier):
            return None
        if not decides(self.model):
            return Choice(candidate, True, Measurement(Fraction(1)))
        decider = self._decider(replace(candidate.classifier, name=self.spare))
        same = claim_of(decider.program, template(f"{self.spare} == {self.model.name}"))
        if isinstance(decider.decide(same, self.left()).verdict, Proved):
            return Choice(candidate, True, Measurement(Fraction(1)))
        share = measure_of(decider.program, template(f"accuracy({self.spare}, {self.model.name})"))
        return Choice(candidate, False, decider.compute(share, self.left()))

    def best(self) -> Choice | None:
        """The proved candidate with the largest share; a later one has to be certainly better. A network that can
        stay one does."""
        found: Choice | None = None
        for way in self.ways():
            for candidate in map(self.measured, self.timely(way(found))):
                choice = self.judged(candidate)
                if choice is not None and (found is None or choice.same or choice.least > found.least):
                    found = choice
                if found is not None and (found.same or time.monotonic() > self.end):
                    return found
            if found is not None and self.model.network is not None:
                return found
        return found

    def timely(self, candidates: Iterator[Candidate]) -> Iterator[Candidate]:
        """As many as can be written down in time."""
        with suppress(Late):
            yield from candidates

    # the candidates

    def ways(self) -> Iterator[Callable[[Choice | None], Iterator[Candidate]]]:
        """Another metric; features that are replaced; a list of tests of what the oracle sees; both beside the middle,
        which may be a tie; one label; f1 but where pairs flip. Each may use the best so far."""
        if self.torn and self.contained(replace(self.model, metric=None)):
            yield lambda _: iter([Candidate(self.model, ())])
        beside = self._beside()
        yield from (lambda _: self._replaced(), lambda _: self._listed())
        yield from (lambda _: beside._replaced(), lambda _: beside._listed(), lambda _: self._constant())
        if self.labels:
            yield self._flipped

    def _beside(self) -> Mender:
        """The same, with another middle; what was asked stays known."""
        other = copy(self)
        other.share = BESIDE
        for name in ("places", "somewhere"):
            other.__dict__.pop(name, None)
        return other

    @property
    def torn(self) -> bool:
        """The metric of the model may jump where its features do not."""
        return self.model.metric is not None and not self.model.metric.is_norm

    def measured(self, candidate: Candidate) -> Candidate:
        """The candidate; with linf where its own metric is what tears it."""
        metric = candidate.classifier.metric
        if self.labels or metric is None or not self.torn or self.contained(candidate.classifier):
            return candidate
        how = f"The metric of {self.model.name} is linf instead of {metric.text or 'its own'}."
        return Candidate(replace(candidate.classifier, metric=self._plain), (*candidate.how, how))

    @property
    def _plain(self) -> MetricUse | None:
        """linf; a model need not say so."""
        return None if self.model.kind == "model" else LINF

    def _replaced(self) -> Iterator[Candidate]:
        """Every coordinate that is not seen is replaced by the nearest affine function of what is (least squares), in
        those features only that are not contained; where even that is torn, the feature is held at a constant."""
        for way in self._ways():
            rule = self._rule(way)
            if self.model.network is not None:
                fed = self.model.inputs or tree.Vector(NOWHERE, tuple(map(whole, self.coordinates)))
                inputs = self._short(rewritten(fed, rule))
                how = f"{self.model.name} is fed {unparse(inputs)}."
                yield Candidate(replace(self.model, inputs=inputs), (how,))
                continue
            yield self._written(lambda f, rule=rule: self._mended(f, rule), self.model.decide, way)  # type: ignore[misc]

    def _listed(self) -> Iterator[Candidate]:
        """The oracle's features, and a list of tests of them that repeats f1 wherever it can."""
        poser = Poser(self.program)
        entries: list[Seen] = []
        for f in self.seen:
            name = tree.Name(NOWHERE, f.name)
            match poser.symbolic.value(f.value, poser.point(X).values):
                case Finite(members, _, code):
                    if code is None:
                        return
                    entries.append(Seen(call("code", name), code, members))
                case value if f.size is None:
                    entries += [Seen(name, n) for n in numbers(value)]
                case value:
                    parts = enumerate(numbers(value))
                    entries += [Seen(tree.Index(NOWHERE, name, number(Fraction(i))), n) for i, n in parts]
        if not entries or not decides(self.model):
            return
        try:
            decide = Section(poser, self.portfolio, self.model, entries, self.left, self.share).decide()
        except (TooMany, RecursionError):
            return
        names = ", ".join(f.name if unparse(f.value) == f.name else f"{f.name} = {unparse(f.value)}" for f in self.seen)
        how = f"{self.model.name} sees {names}, and its `decide` is read off these."
        yield Candidate(self._classifier(self.seen, self._plain, decide), (how,))

    def _constant(self) -> Iterator[Candidate]:
        """One label everywhere."""
        for label in self.program.labels if decides(self.model) else ():
            decide = tree.Name(NOWHERE, label)
            made = self._written(self._held, decide, {})
            yield replace(made, how=(*made.how, f"{self.model.name} is {label} everywhere."))

    def _flipped(self, found: Choice | None) -> Iterator[Candidate]:
        """f1 where no pair flips; elsewhere one label, the oracle's, or that of the best candidate so far."""
        parts = self._flips() if self.model.decide is not None else ()
        metric = self.model.metric
        if not all(parts) or not 0 < sum(map(len, parts)) <= SIDES or self.model.decide is None:
            return
        said = [formula(self.program, part) for part in parts]
        every = " or ".join(said)
        where = joined("or", [template(text) for text in said])
        used = names_in(where)
        sees = [itself(c) for c in self.coordinates if c.name in used]
        fillings: list[tuple[tuple[Feature, ...], tree.Expr, str]]
        fillings = [((), tree.Name(NOWHERE, label), f"is {label}") for label in self.program.labels]
        for other in (self.oracle, found.candidate.classifier if found is not None else None):
            if other is not None and other.decide is not None:
                what = "decides as {} does" if other is self.oracle else "decides by what {} sees"
                fillings.append((other.features, other.decide, what.format(self.oracle.name)))
        for features, decide, what in fillings:
            known, asked = self._among(self.model.features, sees, where)
            known, filled = self._among(known, features, decide)
            decision = tree.If(NOWHERE, asked, filled, self.model.decide)
            how = [f"Where pairs at oracle distance zero flip ({every}), {self.model.name} {what}."]
            kept = metric is None or known == self.model.features
            if metric is not None and not kept and metric.text != "linf":
                how.append(f"The metric of {self.model.name} is linf instead of {metric.text or 'its own'}.")
            yield Candidate(self._classifier(known, metric if kept else self._plain, decision), tuple(how))

    def _among(
        self, features: Sequence[Feature], more: Sequence[Feature], expr: tree.Expr
    ) -> tuple[tuple[Feature, ...], tree.Expr]:
        """An expression of other features, and these with what it needs besides."""
        known = {unparse(f.value): f.name for f in features}
        names = taken(self.program) | {f.name for f in features}
        images: dict[str, str] = {}
        new: list[Feature] = []
        for f in more:
            name = known.get(unparse(f.value))
            if name is None:
                name = f.name if all(f.name != g.name for g in (*features, *new)) else fresh(f.name, names, 1)
                names.add(name)
                new.append(replace(f, name=name))
            images[f.name] = name

        def rule(e: tree.Expr) -> tree.Expr | None:
            return tree.Name(e.span, images[e.id]) if isinstance(e, tree.Name) and e.id in images else None

        return (*features, *new), rewritten(expr, rule)

    def _flips(self) -> tuple[tuple[Half, ...], ...]:
        """The points of X that flip with another one at oracle distance zero, as parts; none: there are none, or it
        stayed open."""
        decider = self._decider()
        poser, ends = decider.poser, (X, f"{X}'")
        f1, f2 = self.model.name, self.oracle.name
        try:
            near = poser.shape(template(f"distance({f2}, x, x')"), ends)
            facts = [poser.build.at_least_zero(poser.build.scale(-1, near))]
            facts += [poser.truth(template(text), ends) for text in (f"{f2}(x) == {f2}(x')", f"{f1}(x) != {f1}(x')")]
            zero = [poser.build.constant(0)]
            posed, domain = poser.pose(ends, facts, numbers=zero), poser.pose(ends[:1], [], numbers=zero)
        except NotYet:
            return ()
        match self.portfolio.torn(posed.question, domain.question, self.left()):
            case Torn(parts=parts):
                return parts
            case _:
                return ()

    def _written(
        self, mended: Callable[[Feature], Feature], decide: tree.Expr | None, way: Mapping[str, str]
    ) -> Candidate:
        """The model with every feature replaced that is not contained by itself."""
        features = tuple(f if f.name in self.kept else mended(f) for f in self.model.features)
        pairs = [(f, old) for f, old in zip(features, self.model.features, strict=True) if f != old]
        was = {
            old.name: "" if self.model.network is not None else f" instead of {unparse(old.value)}" for _, old in pairs
        }
        how = tuple(f"The feature {f.name} is {unparse(f.value)}{was[f.name]}." for f, _ in pairs)
        fixed = {
            old.name: (old.members, way.get(old.value.id if isinstance(old.value, tree.Name) else "", old.members[0]))
            for _, old in pairs
            if old.members
        }
        if decide is not None and fixed:
            decide = chosen(rewritten(decide, held(fixed)))
        return Candidate(self._classifier(features, self.model.metric, decide), how)

    def _classifier(
        self, features: Sequence[Feature], metric: MetricUse | None, decide: tree.Expr | None
    ) -> Classifier:
        return Classifier(self.model.kind, self.model.name, self.model.span, tuple(features), metric, decide)

    def _mended(self, f: Feature, rule: Rule) -> Feature:
        """The feature of what is seen; held at a constant where that is still not contained."""
        if f.members:
            return self._held(f)
        made = replace(f, value=self._short(rewritten(f.value, rule)))
        return made if self.alone(made) else self._held(f)

    def _short(self, expr: tree.Expr) -> tree.Expr:
        """An affine expression of the coordinates, multiplied out; another one as it is."""
        poser = Poser(self.program)
        value = poser.symbolic.value(expr, poser.point(X).values)
        forms = numbers(value)
        rows = affine_rows(poser.build, forms, [form.terms[0][0] for form in poser.inputs(X)])
        if rows is None:
            return expr
        names = [entry(c, i) for c in self.coordinates for i in range(c.size or 1)]
        parts = tuple(linear(list(zip(row, names, strict=True)), constant) for row, constant in zip(*rows, strict=True))
        return tree.Vector(NOWHERE, parts) if isinstance(value, tuple) else parts[0]

    def _held(self, f: Feature) -> Feature:
        """The feature at one point of X."""
        if f.members or self.model.network is not None:
            return Feature(f.name, number(Fraction(0)))
        value = Interpreter(self.program).features(self.model.name, self.somewhere)[f.name]
        return Feature(f.name, written(value), f.size)

    # what is seen

    @cached_property
    def kept(self) -> frozenset[str]:
        """The features of the model that are contained by themselves."""
        if self.model.network is not None:
            return frozenset()
        return frozenset(f.name for f in self.model.features if self.alone(f))

    @cached_property
    def visible(self) -> frozenset[str]:
        """The coordinates that are seen as they are."""
        return frozenset(c.name for c in self.coordinates if self.alone(itself(c)))

    @cached_property
    def seen(self) -> tuple[Feature, ...]:
        """Features that are contained, and say as much as possible: those of the oracle where its metric separates
        them; of a singular matrix the rows that it measures; of a metric of one's own the features that are contained
        and the distances to some points, x -> d2'(x, p), which never change by more than d2' does."""
        metric, features = self.oracle.metric, self.oracle.features
        if self.oracle.network is not None:
            return tuple(itself(c) for c in self.coordinates if c.name in self.visible)
        if metric is None or metric.separates:
            return features
        names = taken(self.program) | {f.name for f in features}
        if metric.is_quadratic:
            parts = [e for f in features for e in entries(f)]
            scales = metric.scales or (Fraction(1),) * len(parts)
            sums = [[(w / s, e) for w, s, e in zip(row, scales, parts, strict=True)] for _, row in metric.squares]
            return tuple(Feature(fresh("seen", names, i), linear(terms, Fraction(0))) for i, terms in enumerate(sums))
        found = [f for f in features if self.alone(f)]
        if len(found) < len(features) and metric.body is not None:
            for point in islice(self._corners(), LANDMARKS):
                value = self._distance_to(metric, point)
                if value is None:
                    break
                f = Feature(fresh("far", names, len(found)), value)
                alone = Classifier("model", self.spare, NOWHERE, (f,), None, None)
                if self.alone(f) and not self.contained(alone, known=found):
                    found.append(f)
        return tuple(found)

    def _distance_to(self, metric: MetricUse, point: PointValue) -> tree.Expr | None:
        """d2(g2 x, g2 point) as an expression of x; None where the metric takes its vectors as a whole."""
        there = Interpreter(self.program).features(self.oracle.name, point)
        here = {f.name: f.value for f in self.oracle.features}
        flat = [e for f in self.oracle.features for e in entries(f)]
        far = [v for value in there.values() for v in (value if isinstance(value, tuple) else (value,))]

        def rule(e: tree.Expr) -> tree.Expr | None:
            match e:
                case tree.Field(_, tree.Name(_, name), feature) if name in metric.parameters:
                    return here[feature] if name == metric.parameters[0] else written(there[feature])
                case tree.Index(_, tree.Name(_, name), tree.Number(_, i)) if name in metric.parameters:
                    return flat[int(i)] if name == metric.parameters[0] else written(far[int(i)])
                case _:
                    return None

        assert metric.body is not None
        found = rewritten(metric.body, rule)
        return None if names_in(found) & (set(metric.parameters) - {c.name for c in self.coordinates}) else found

    def _corners(self) -> Iterator[PointValue]:
        """The lowest corner of the box, and that corner moved a quarter along each coordinate."""
        base = {c.name: at(c, Fraction(0)) for c in self.coordinates}
        yield base
        for c in self.coordinates:
            yield {**base, c.name: at(c, Fraction(1, 4))}

    # what stands for a coordinate that is not seen

    def _ways(self) -> Iterator[dict[str, str]]:
        """The finite coordinates that are not seen, each held at one of its members."""
        mended = [f for f in self.model.features if f.name not in self.kept]
        used = set().union(*(names_in(f.value) for f in mended))
        if self.model.network is not None:
            used = names_in(self.model.inputs) if self.model.inputs else {c.name for c in self.coordinates}
        free = [c for c in self.coordinates if c.members and c.name in used and c.name not in self.visible]
        for members in islice(product(*(c.members for c in free)), WAYS):
            yield dict(zip((c.name for c in free), members, strict=True))

    def _rule(self, way: Mapping[str, str]) -> Rule:
        images: dict[str, tree.Expr] = {}
        places = iter(self.places)
        for c in self.coordinates:
            parts = tuple(next(places) for _ in range(c.size or 1))
            if c.name not in self.visible and not c.members:
                images[c.name] = parts[0] if c.size is None else tree.Vector(NOWHERE, parts)
        fixed = held({c.name: (c.members, way[c.name]) for c in self.coordinates if c.name in way})

        def rule(e: tree.Expr) -> tree.Expr | None:
            return images.get(e.id) if isinstance(e, tree.Name) else fixed(e)

        return rule

    @cached_property
    def places(self) -> list[tree.Expr]:
        """For every entry of the coordinates the nearest affine function of what is seen. If that is affine itself,
        c + P (x - c) with the orthogonal projection P onto what is seen and the middle c of the box; otherwise a fit
        at the points of a grid."""
        poser = Poser(self.program)
        inputs = poser.inputs(X)
        flat = [(c, i) for c in self.coordinates for i in range(c.size or 1)]
        features = [f for f in self.seen if not f.members]
        values = [numbers(poser.symbolic.value(f.value, poser.point(X).values)) for f in features]
        rows = affine_rows(poser.build, [n for v in values for n in v], [form.terms[0][0] for form in inputs])
        if rows is None:
            return self._fit([e for f in features for e in entries(f)])
        onto = projection(rows[0], len(flat))
        centre = [middle(c.low, c.high, c.kind == "int", self.share) for c, _ in flat]
        names = [entry(c, i) for c, i in flat]
        return [
            linear(list(zip(row, names, strict=True)), c - dot(row, centre))
            for row, c in zip(onto, centre, strict=True)
        ]

    def _fit(self, parts: Sequence[tree.Expr]) -> list[tree.Expr]:
        """Least squares at the points of a grid, in short numbers."""
        features = tuple(f for f in self.seen if not f.members)
        known = self._decider(Classifier("model", self.spare, NOWHERE, features, None, None)).program
        interpreter = Interpreter(known)
        left, right = [], []
        for point in self.grid or [self.somewhere]:
            values = interpreter.features(self.spare, point).values()
            left.append((*(x for v in values for x in reals(v)), Fraction(1)))
            right.append(tuple(x for c in self.coordinates for x in reals(coded(c, point[c.name]))))
        columns, wanted = list(zip(*left, strict=True)), list(zip(*right, strict=True))
        gram = [[dot(a, b) for b in columns] for a in columns]
        weights = solve_left([[dot(a, b) for b in columns] for a in wanted], gram)
        assert weights is not None, "normal equations have a solution"
        short = [[w.limit_denominator(DENOMINATOR) for w in row] for row in weights]
        return [linear(list(zip(row, parts, strict=False)), row[-1]) for row in short]

    @cached_property
    def grid(self) -> list[PointValue]:
        """Midpoints of equal cells of the box that lie in X; an infinite side counts as 1."""
        steps = max(1, min(20, int(POINTS ** (1 / max(1, sum(c.size or 1 for c in self.coordinates))))))
        shares = [Fraction(2 * k + 1, 2 * steps) for k in range(steps)]
        axes = [sorted({at(c, s) for s in shares}, key=repr) for c in self.coordinates for _ in range(c.size or 1)]
        interpreter = Interpreter(self.program)
        found: list[PointValue] = []
        for flat in islice(product(*axes), POINTS):
            rest = iter(flat)
            point: dict[str, Value] = {}
            for c in self.coordinates:
                point[c.name] = next(rest) if c.size is None else tuple(next(rest) for _ in range(c.size))
            if interpreter.inside(point):
                found.append(point)
        return found

    @cached_property
    def somewhere(self) -> PointValue:
        """A point of X: the middle of the box if that lies in X."""
        centre = {
            c.name: at(c, self.share) if c.size is None else (at(c, self.share),) * c.size for c in self.coordinates
        }
        if Interpreter(self.program).inside(centre):
            return centre
        if self.grid:
            return self.grid[len(self.grid) // 2]
        poser = Poser(self.program)
        posed = poser.pose((X,), [], numbers=[poser.build.constant(0)])
        match self.portfolio.find(posed.question, self.left()):
            case Fails(_, (vector, *_)):
                return posed.read(vector)[X]
            case _:
                raise Late


# expressions


def held(fixed: Mapping[str, tuple[tuple[str, ...], str]]) -> Rule:
    """Questions about finite values (name -> members, and the one that it is) are answered."""

    def rule(e: tree.Expr) -> tree.Expr | None:
        match e:
            case tree.Apply(
                _, tree.Name(_, "code" | "onehot" as what), (tree.Argument(_, "", tree.Name(_, name)),)
            ) if name in fixed:
                members, member = fixed[name]
                if what == "code":
                    return number(Fraction(members.index(member)))
                return tree.Vector(NOWHERE, tuple(number(Fraction(m == member)) for m in members))
            case tree.Chain(_, (tree.Name(_, left), tree.Name(_, right)), ("==" | "!=" as op,)) if (
                left in fixed or right in fixed
            ):
                name, other = (left, right) if left in fixed else (right, left)
                return tree.Name(NOWHERE, "true" if (fixed[name][1] == other) == (op == "==") else "false")
            case _:
                return None

    return rule


def chosen(expr: tree.Expr) -> tree.Expr:
    """Without the conditions that are settled."""

    def rule(e: tree.Expr) -> tree.Expr | None:
        match e:
            case tree.Unary(_, "not", operand) if (truth := settled(chosen(operand))) is not None:
                return tree.Name(e.span, "false" if truth else "true")
            case tree.Binary(_, "and" | "or" as op, left, right):
                sides = [chosen(left), chosen(right)]
                decisive = next((s for s in sides if settled(s) is (op == "or")), None)
                kept = [s for s in sides if settled(s) is None]
                if decisive is not None or len(kept) < 2:
                    return decisive or (kept or sides)[0]
                return tree.Binary(e.span, op, *kept)
            case tree.If(span, test, then, otherwise):
                test = chosen(test)
                if (truth := settled(test)) is not None:
                    return chosen(then if truth else otherwise)
                return tree.If(span, test, chosen(then), chosen(otherwise))
            case _:
                return None

    return rewritten(expr, rule)


def settled(expr: tree.Expr) -> bool | None:
    match expr:
        case tree.Name(_, "true" | "false" as truth):
            return truth == "true"
        case _:
            return None


def number(value: Fraction) -> tree.Expr:
    return tree.Number(NOWHERE, value)


def written(value: Value) -> tree.Expr:
    match value:
        case str():
            return tree.Name(NOWHERE, value)
        case tuple():
            return tree.Vector(NOWHERE, tuple(map(written, value)))
        case _:
            return number(value)


def call(name: str, argument: tree.Expr) -> tree.Expr:
    return tree.Apply(NOWHERE, tree.Name(NOWHERE, name), (tree.Argument(NOWHERE, "", argument),))


def itself(c: Coordinate) -> Feature:
    """The coordinate as a feature."""
    return Feature(c.name, tree.Name(NOWHERE, c.name), c.size, c.members)


def spelled(classifier: Classifier) -> tuple[object, ...]:
    """What its features are; their names count where a metric may use them."""
    named = classifier.metric is not None
    features = tuple((f.name if named else "", unparse(f.value), f.members) for f in classifier.features)
    return (features, classifier.cut, unparse(classifier.inputs) if classifier.inputs is not None else "")


def whole(c: Coordinate) -> tree.Expr:
    """What a network is fed of a coordinate."""
    name = tree.Name(NOWHERE, c.name)
    return call("code", name) if c.members else name


def entry(c: Coordinate, index: int) -> tree.Expr:
    return whole(c) if c.size is None else tree.Index(NOWHERE, tree.Name(NOWHERE, c.name), number(Fraction(index)))


def entries(f: Feature) -> list[tree.Expr]:
    """The numbers of a feature."""
    if f.size is None:
        return [f.value]
    return [tree.Index(NOWHERE, f.value, number(Fraction(i))) for i in range(f.size)]


# values


def at(c: Coordinate, share: Fraction) -> Value:
    """A value so far along the interval of a coordinate (of one entry, for a vector)."""
    if c.members:
        return c.members[min(len(c.members) - 1, int(share * len(c.members)))]
    low = c.low if c.low is not None else c.high - 1 if c.high is not None else Fraction(0)
    high = c.high if c.high is not None else low + 1
    value = low + share * (high - low)
    return Fraction(round(value)) if c.kind == "int" else value


def coded(c: Coordinate, value: Value) -> Value:
    return Fraction(c.members.index(value)) if isinstance(value, str) else value


def reals(value: Value) -> tuple[Fraction, ...]:
    entries = value if isinstance(value, tuple) else (value,)
    return tuple(v for v in entries if isinstance(v, Fraction))


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def decides(classifier: Classifier) -> bool:
    return classifier.decide is not None or classifier.network is not None


# names


def taken(program: Program) -> set[str]:
    """Every name that the file gives to something."""
    asked = [*(a.name.id for a in program.assertions), *(c.name.id for c in program.computes)]
    domain = program.domain
    names = {*program.labels, *program.classifiers, *program.functions, *program.constants, *program.points, *asked}
    names |= {*program.data, *program.partitions, *program.later}
    if domain is not None:
        names |= {domain.name, *(n for c in domain.coordinates for n in (c.name, *c.members))}
    return names


def fresh(name: str, names: set[str], start: int = 0) -> str:
    """`name`, or with the first number from `start` on that makes it new."""
    candidate, k = name if not start else f"{name}{start + 1}", max(start, 1)
    while candidate in names:
        k += 1
        candidate = f"{name}{k}"
    return candidate
