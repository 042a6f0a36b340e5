"""Claims about the rows of a data set: each row by itself, with whatever settles it fastest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.engines import halfspaces
from verifier.language.build import Form, TooLarge
from verifier.model.assertion import at_row, claim_of, measure_of
from verifier.model.claim import Always, Claim, Rows
from verifier.model.elaborate import names_in
from verifier.model.meaning import NotYet
from verifier.model.program import MetricUse, PointValue, Program
from verifier.query.pose import Poser, coordinates
from verifier.syntax import tree
from verifier.verdict.certify import ReplayFailed
from verifier.verdict.many import FOR_A_WITNESS, OUT_OF_TIME, Progress, Settle, Settled, settle
from verifier.verdict.verdict import (
    Amount,
    Proved,
    Refuted,
    Row,
    Table,
    Undecided,
    Verdict,
    Witness,
    word,
)

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

FOR_DISTANCES = 10.0
"""Seconds for minimal distances that are only part of a table; at most half of what is left."""
OTHER = "x'"
MOST_BALLS = 8
"""So many balls are tried in search of the nearest adversarial point."""
BALLS_A_CIRCUIT = 200
"""A circuit grows with every ball: after so many a new one is begun."""


def alone(decider: Decider, claim: Rows) -> Settle:
    """Settles one row; what all rows have in common is built once."""
    around = Around.of(decider, claim)
    return lambda index, seconds: _row(decider, claim, index, seconds, around)


def decide(decider: Decider, claim: Rows) -> tuple[Verdict, str, tuple[str, ...], Table]:
    """All rows (or any): the verdict, why it is vacuous, warnings, and the rows one by one."""
    count = len(claim.data.rows)
    settled: dict[int, Settled] = {}
    one = alone(decider, claim)

    def put(index: int, row: Settled) -> None:
        settled[index] = row
        decider.tell(Progress(len(settled), count))

    settle(decider, claim, range(count), one, put)
    again = [i for i in range(count) if settled[i].worth_more]
    if again and decider.left() > 0:
        settle(decider, claim, again, one, put)
    ordered = [settled[i] for i in range(count)]
    _distances(decider, claim, ordered)
    found = tuple(
        Row(
            i + 1,
            claim.data.lines[i],
            word(s.verdict),
            s.distance,
            s.verdict.why if isinstance(s.verdict, Undecided) else "",
        )
        for i, s in enumerate(ordered)
    )
    table = Table(claim.data.name, claim.data.file, found)
    decisive = Refuted if claim.kind == "forall" else Proved
    first = next((i for i, s in enumerate(ordered) if isinstance(s.verdict, decisive)), None)
    if first is not None:
        return *_witnessed(decider, claim, ordered, first), table
    open_ = [i for i, s in enumerate(ordered) if isinstance(s.verdict, Undecided)]
    if open_:
        whys = [s.verdict for s in ordered if isinstance(s.verdict, Undecided)]
        if whys[0].later:
            return whys[0], "", (), table
        text = f"{len(open_)} of {count} rows stayed open, the first is {claim.data.row(open_[0])}: {whys[0].why}"
        return Undecided(text), "", (), table
    by, trusts = _basis([s.verdict for s in ordered])
    if claim.kind == "exists":
        return Refuted(by, None, trusts, ("No row has the property.",)), "", (), table
    vacuous, warnings = _vacuity(decider, claim, range(count))
    return Proved(by, trusts), vacuous, warnings, table


def _basis(verdicts: Sequence[Verdict]) -> tuple[str, tuple[str, ...]]:
    """By whom these rows were decided, and what has to be trusted for it."""
    known = [v for v in verdicts if not isinstance(v, Undecided)]
    return ", ".join(dict.fromkeys(v.by for v in known)), tuple(dict.fromkeys(t for v in known for t in v.trusts))


def _witnessed(
    decider: Decider, claim: Rows, settled: Sequence[Settled], first: int
) -> tuple[Verdict, str, tuple[str, ...]]:
    """The row that settles the claim, with its witness."""
    verdict = settled[first].verdict
    assert not isinstance(verdict, Undecided)
    known = verdict.by != halfspaces.NAME and decider.elsewhere is None
    if isinstance(verdict, Refuted) and not known:  # a more pleasant witness, if that is quick, and one found here
        sub = decider.at(at_row(decider.program, claim, first), FOR_A_WITNESS)
        sub.judges_vacuity = False
        inner = claim_of(sub.program, claim.body)
        nicer = sub._decide(inner).verdict
        if not isinstance(nicer, Refuted):
            nicer = _quick(sub, inner) or verdict
        verdict = nicer if isinstance(nicer, Refuted) else verdict
    pair = _with_row(decider, claim, first, verdict.pair)
    story = f"This is {claim.data.row(first)}."
    notes = (story, *(n for n in verdict.notes if n != "The formula is false."))
    if claim.kind == "forall":
        return replace(verdict, pair=pair, notes=notes), "", ()
    proved = [i for i, s in enumerate(settled) if isinstance(s.verdict, Proved)]
    vacuous, warnings = _vacuity(decider, claim, proved)
    return replace(verdict, pair=pair, notes=notes), vacuous, warnings


def _with_row(decider: Decider, claim: Rows, index: int, pair: Witness | None) -> Witness:
    """The witness together with the row; the row alone is one where there is no other."""
    row = claim.data.rows[index]
    points = pair.points if pair is not None else {}
    if pair is not None and (pair.limit is not None or row in points.values() or claim.name in points):
        return pair
    used = names_in(claim.body)
    shown = tuple(n for n in decider.program.classifiers if n in used)
    return decider.replay.witness({claim.name: row, **points}, shown)


def _vacuity(decider: Decider, claim: Rows, rows: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """A claim about rows says something if it does so at one of them."""
    why = ""
    for index in rows:
        if decider.left() <= 0:
            return "", (f"Whether the premise is ever satisfied stayed open: {OUT_OF_TIME}.",)
        sub = decider.at(at_row(decider.program, claim, index), decider.left())
        outcome = sub._decide(claim_of(sub.program, claim.body))
        if not outcome.vacuous:
            return "", outcome.warnings
        why = outcome.vacuous
    return f"At every row: {why}" if why else "", ()


# one row


def _row(decider: Decider, claim: Rows, index: int, seconds: float, around: Around | None) -> Settled:
    if around is not None and (known := around.settle(claim.data.rows[index])) is not None:
        return known
    sub = decider.at(at_row(decider.program, claim, index), seconds)
    sub.judges_vacuity = False
    inner = claim_of(sub.program, claim.body)
    return Settled(_quick(sub, inner) or sub._decide(inner).verdict)


def _quick(sub: Decider, claim: Claim) -> Verdict | None:
    """Bounds and half-spaces, where they settle the claim."""
    if not isinstance(claim, Always) or len(claim.points) != 1 or claim.almost:
        return None
    if sub.axioms(claim.shown if claim.distinct else ()) is not None:
        return None
    try:
        poser = sub.poser
        given = [poser.truth(g, claim.points) for g in claim.given]
        then = poser.truth(claim.then, claim.points)
        facts = [*poser.inside(claim.points), *given, poser.build.negate(then)]
        inputs = poser.inputs(claim.points[0])
        found = halfspaces.parts(poser.build, inputs, facts)
    except NotYet:
        return None
    if found is None:
        return None
    if not found:
        return Proved(halfspaces.NAME, halfspaces.TRUSTS)
    for part in found:
        vector = halfspaces.some(part, inputs)
        if vector is None:
            continue
        points = {claim.points[0]: _read(sub.program, vector)}
        try:
            sub.replay.demand(points, claim.given, (claim.then,))
        except ReplayFailed:
            continue  # it lies on a side that is left out: the others decide
        return Refuted(halfspaces.NAME, sub.show(points, claim.ends, claim.shown))
    return None


def _read(program: Program, vector: Sequence[Fraction]) -> PointValue:
    assert program.domain is not None
    rest = iter(vector)
    return {
        c.name: c.members[int(next(rest))]
        if c.kind == "finite"
        else next(rest)
        if c.size is None
        else tuple(next(rest) for _ in range(c.size))
        for c in program.domain.coordinates
    }


class Around:
    """`robust_at` at many rows: what does not depend on the row is built once. For an oracle that sees coordinates one
    by one, by linf, so that its balls are boxes."""

    def __init__(self, decider: Decider, f1: str, f2: str, agree: bool, ball: tuple[Fraction, bool] | None) -> None:
        self.decider, self.f1, self.f2, self.agree, self.ball = decider, f1, f2, agree, ball
        self.radius, self.closed = ball if ball is not None else (Fraction(0), False)
        self._fresh()

    def _fresh(self) -> None:
        self.poser = Poser(self.decider.program)
        self.point = self.poser.point(OTHER)
        self.inputs = self.poser.inputs(OTHER)
        self.rates = _rates(self.poser, self.f2, OTHER)
        self.inside = self.poser.inside((OTHER,))
        self.everywhere: dict[tuple[str, str], list[halfspaces.Part] | None] = {}
        self.used = 0

    @classmethod
    def of(cls, decider: Decider, claim: Rows) -> Around | None:
        """None for claims of another shape."""
        match claim.body:
            case tree.Apply(_, tree.Name(_, "robust_at"), arguments):
                pass
            case _:
                return None
        plain = [a.value for a in arguments if not a.label]
        options = {a.label: a.value for a in arguments if a.label}
        if not all(isinstance(p, tree.Name) for p in plain) or len(plain) != 3 or plain[2] != _named(plain[2], claim):
            return None
        if options.keys() - {"radius", "closed", "agree"}:
            return None
        radius = decider.replay.interpreter.value(options["radius"], {})
        if not isinstance(radius, Fraction):
            return None
        f1, f2 = (p.id for p in plain[:2] if isinstance(p, tree.Name))
        return cls.checked(
            decider, f1, f2, not _is(options, "agree", "false"), (radius, _is(options, "closed", "true"))
        )

    @classmethod
    def checked(
        cls, decider: Decider, f1: str, f2: str, agree: bool, ball: tuple[Fraction, bool] | None
    ) -> Around | None:
        """None where balls are no boxes."""
        try:
            around = cls(decider, f1, f2, agree, ball)
        except (NotYet, TooLarge):
            return None
        return None if around.rates is None else around

    def _facts(self, labels: tuple[str, str]) -> list[Form]:
        build, symbolic, classifiers = self.poser.build, self.poser.symbolic, self.decider.program.classifiers
        own = symbolic.label(classifiers[self.f1], self.point)
        facts = [*self.inside, build.negate(own.cases[own.members.index(labels[0])])]
        if self.agree:
            other = symbolic.label(classifiers[self.f2], self.point)
            facts.append(other.cases[other.members.index(labels[1])])
        return facts

    def _labels(self, row: PointValue) -> tuple[str, str]:
        interpreter = self.decider.replay.interpreter
        return interpreter.label(self.f1, row), interpreter.label(self.f2, row)

    def _parts(self, labels: tuple[str, str]) -> list[halfspaces.Part] | None:
        """The adversarial points of the whole domain; None where that is no union of half-spaces."""
        if labels not in self.everywhere:
            self.everywhere[labels] = halfspaces.parts(self.poser.build, self.inputs, self._facts(labels))
        return self.everywhere[labels]

    def _centre(self, row: PointValue) -> dict[int, Fraction]:
        return dict(zip((f.terms[0][0] for f in self.inputs), coordinates(self.decider.program, row), strict=True))

    def distance(self, row: PointValue) -> Amount | None:
        """The minimal distance, where half-spaces give it: those of the whole domain, or those of a ball around the row
        that holds an adversarial point, for then it holds the nearest."""
        if self.rates is None:
            return None
        labels = self._labels(row)
        found = self._parts(labels)
        if found is not None:
            return self._least(found, row)
        empty, wide = Fraction(0), None
        radius = self.radius or Fraction(1)
        for _ in range(MOST_BALLS):
            found = self._near(row, labels, radius, closed=True)
            if found:
                return self._least(found, row)
            if found is None:
                wide = radius
            else:
                empty = radius
            radius = 2 * radius if wide is None else (empty + wide) / 2
        return None

    def _near(
        self, row: PointValue, labels: tuple[str, str], radius: Fraction, closed: bool
    ) -> list[halfspaces.Part] | None:
        """The adversarial points within the radius."""
        assert self.rates is not None
        self.used += 1
        if self.used > BALLS_A_CIRCUIT:
            self._fresh()
        ball = halfspaces.ball(self._centre(row), self.rates, radius, closed)
        return halfspaces.parts(self.poser.build, self.inputs, self._facts(labels), ball)

    def _least(self, found: Sequence[halfspaces.Part], row: PointValue) -> Amount | None:
        assert self.rates is not None
        centre = self._centre(row)
        distances = [halfspaces.nearest(part, centre, self.rates) for part in found]
        known = [d for d in distances if d is not None]
        if len(known) < len(distances):
            return None
        return min(known) if known else "infinity"

    def settle(self, row: PointValue) -> Settled | None:
        """The verdict at the radius, and the distance where the model is linear on the whole domain."""
        if self.rates is None:
            return None
        try:
            labels = self._labels(row)
            everywhere = self._parts(labels)
            if everywhere is None:
                found = self._near(row, labels, self.radius, self.closed)
            else:
                ball = halfspaces.ball(self._centre(row), self.rates, self.radius, self.closed)
                found = [p for p in (halfspaces.inside(part, ball) for part in everywhere) if not p.empty]
            if found is None:
                return None
            distance = self.distance(row)
        except (NotYet, TooLarge):
            return None
        if not found:
            return self._agreed(Settled(Proved(halfspaces.NAME, halfspaces.TRUSTS), distance))
        for part in found:
            vector = halfspaces.some(part, self.inputs)
            if vector is not None and self._adversarial(row, _read(self.decider.program, vector), labels):
                return self._agreed(Settled(Refuted(halfspaces.NAME, None), distance))
        return None

    def _adversarial(self, row: PointValue, other: PointValue, labels: tuple[str, str]) -> bool:
        """By the reference meaning: (row, other) is an adversarial pair within the radius."""
        interpreter = self.decider.replay.interpreter
        if not interpreter.inside(other) or interpreter.label(self.f1, other) == labels[0]:
            return False
        if self.agree and interpreter.label(self.f2, other) != labels[1]:
            return False
        far = interpreter.distance(self.f2, row, other)
        return far < self.radius or (self.closed and far == self.radius)

    def _agreed(self, row: Settled) -> Settled:
        consistent(row, self.radius)
        return row


def _named(expr: tree.Expr, claim: Rows) -> tree.Expr:
    return tree.Name(expr.span, claim.point)


def _is(options: Mapping[str, tree.Expr], option: str, value: str) -> bool:
    given = options.get(option)
    return isinstance(given, tree.Name) and given.id == value


# distances


def distance_call(body: tree.Expr) -> tree.Apply | None:
    """`min_distance(f1, f2, row)` for `robust_at(f1, f2, row, radius: r)`."""
    match body:
        case tree.Apply(span, tree.Name(_, "robust_at"), arguments):
            kept = tuple(a for a in arguments if not a.label or a.label == "agree")
            return tree.Apply(span, tree.Name(span, "min_distance"), kept)
        case _:
            return None


def _distances(decider: Decider, claim: Rows, settled: Sequence[Settled]) -> None:
    """The minimal distances that are still missing, while there is time."""
    call = distance_call(claim.body)
    if call is None:
        return
    end = time.monotonic() + min(FOR_DISTANCES, decider.left() / 2)
    for index, row in enumerate(settled):
        left = end - time.monotonic()
        if left <= 0:
            return
        if row.distance is None and not isinstance(row.verdict, Undecided):
            sub = decider.at(at_row(decider.program, claim, index), left)
            found = sub._compute(measure_of(sub.program, call))
            row.distance = found.amount if found.how == "exact" else None
            if isinstance(claim.body, tree.Apply):
                options = {a.label: a.value for a in claim.body.arguments}
                radius = sub.replay.interpreter.value(options["radius"], {})
                if isinstance(radius, Fraction) and not options.keys() & {"almost", "eta"}:
                    consistent(row, radius)


def consistent(row: Settled, radius: Fraction) -> None:
    """Two computations that have to agree: the verdict at the radius, and the minimal distance."""
    if not isinstance(row.distance, Fraction) or isinstance(row.verdict, Undecided):
        return
    refuted = isinstance(row.verdict, Refuted)
    if row.distance > radius if refuted else row.distance < radius:
        raise ReplayFailed(f"{word(row.verdict)} at radius {radius}, but the minimal distance is {row.distance}")


def _rates(poser: Poser, name: str, point: str) -> dict[int, Fraction] | None:
    """How fast each input may move while the distance grows by 1."""
    classifier = poser.program.classifiers[name]
    metric = classifier.metric
    if classifier.network is not None or metric is None:
        return None
    if metric != MetricUse(metric.span, builtin="linf", scales=metric.scales):
        return None
    entries: list[Form] = []
    for value in poser.symbolic.features(classifier, poser.point(point)).values():
        for entry in value if isinstance(value, tuple) else (value,):
            if not isinstance(entry, Form):
                return None
            entries.append(entry)
    scales = metric.scales or (Fraction(1),) * len(entries)
    inputs = {f.terms[0][0] for f in poser.inputs(point)}
    rates: dict[int, Fraction] = {}
    for entry, scale in zip(entries, scales, strict=True):
        if entry.is_constant:
            continue
        if len(entry.terms) > 1 or entry.terms[0][0] not in inputs:
            return None
        ((at, weight),) = entry.terms
        rate = scale / abs(weight)
        rates[at] = min(rate, rates.get(at, rate))
    return rates
