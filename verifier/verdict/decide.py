"""From claims to verdicts: poses the questions, asks the engines, and lets nothing through that does not replay."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, partial
from operator import eq, ge, gt, le, lt, ne

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines import closed_form
from verifier.engines.engine import Answer, Fails, Holds, Null, Unknown
from verifier.engines.portfolio import Portfolio
from verifier.language.build import NO, YES, Form
from verifier.model.assertion import claim_of
from verifier.model.claim import (
    Always,
    ByConstruction,
    Claim,
    Compare,
    Computation,
    Contained,
    Infimum,
    Join,
    Later,
    LocallyConstant,
    Measured,
    Not,
    Parts,
    Prenex,
    Rows,
)
from verifier.model.meaning import NotYet
from verifier.model.program import Classifier, PointValue, Program
from verifier.query import closure
from verifier.query.closure import Beyond
from verifier.query.pose import Posed, Poser
from verifier.query.question import Question
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict import parts, roots, rows, strategy
from verifier.verdict.certify import Points, Replay, ReplayFailed, accepted, certified, null, settled
from verifier.verdict.many import INTERRUPTED, Elsewhere, Progress
from verifier.verdict.measures import compute, infimum
from verifier.verdict.measures.directional import Steepest
from verifier.verdict.trial import Trial, broken, choices
from verifier.verdict.verdict import (
    Measurement,
    Pieces,
    Proved,
    Refuted,
    Root,
    Strategy,
    Table,
    Undecided,
    Verdict,
    Witness,
)

FEW = 12
"""Up to so many coordinates a solver finds a pleasant pair at once; with more, Theorem 2 guesses one first."""
SOON = 5.0
"""Seconds for a better story where a pair is known already."""
EXACT = "exact evaluation"
CERTIFIED = "a witness and the kernel"
SHORT = 25
LONG = 60
"""A rational of more characters than SHORT is rounded besides; of more than LONG it is left out of the sentence."""
Again = Callable[[Poser], Posed]
ORDERS = {"<": lt, "<=": le, "==": eq, "!=": ne, ">=": ge, ">": gt}


class Outcome(Struct, frozen=True):
    verdict: Verdict
    vacuous: str = ""
    warnings: tuple[str, ...] = ()
    table: Table | None = None
    pieces: Pieces | None = None
    strategy: Strategy | None = None


class Decider:
    """Decides the claims of one program, one after the other."""

    def __init__(self, program: Program, portfolio: Portfolio, eps: Fraction = Fraction(1, 1000)) -> None:
        self.program = program
        self.poser = Poser(program)
        self.portfolio = portfolio
        self.replay = Replay(program)
        self.eps = eps
        self.end = 0.0
        self.guessing = False
        self.judges_vacuity = True
        self.elsewhere: Elsewhere | None = None
        self.stopped = False
        self.watch: Callable[[Progress], None] = lambda progress: None
        self.progress = Progress()
        self._metrics: dict[str, tuple[Classifier, Outcome]] = {}
        """By name: whose metric was asked to be a pseudometric, and what was found."""
        self.steepest: dict[tuple[str, str], Steepest] = {}
        """The greatest directional derivative for two classifiers, once it is known."""
        self.defects: dict[tuple[str, str], tuple[Posed, Answer, Beyond]] = {}
        """What w(0+) of two classifiers is, once it is known: it is the same for every delta."""

    def at(self, program: Program, seconds: float) -> Decider:
        """The same for a program with more points."""
        other = self.among(program)
        other.end = min(self.end, time.monotonic() + seconds)
        return other

    def among(self, program: Program) -> Decider:
        """The same for a program with other classifiers besides; what is known of metrics stays known."""
        other = Decider(program, self.portfolio, self.eps)
        other._metrics = self._metrics
        return other

    def decide(self, claim: Claim, seconds: float) -> Outcome:
        """The verdict on a claim, within the time. Raises ReplayFailed or EngineFailed when the tool itself is at
        fault."""
        self.end = time.monotonic() + seconds
        return self.confirmed(self._decide(claim))

    def compute(self, measure: Measured, seconds: float) -> Measurement:
        """The exact value of a measure; an estimate only here, never in an assertion."""
        self.end, self.guessing = time.monotonic() + seconds, True
        try:
            value = self._compute(measure)
        finally:
            self.guessing = False
        said = "" if value.amount is None else self.portfolio.confirm(self.left())
        return replace(value, notes=(*value.notes, said)) if said else value

    def confirmed(self, outcome: Outcome) -> Outcome:
        """The same, with a sentence on second opinions where they are wanted; they have the time that is left. Raises
        EngineFailed."""
        verdict = outcome.verdict
        if isinstance(verdict, Undecided) or not (said := self.portfolio.confirm(self.left())):
            return outcome
        return replace(outcome, verdict=replace(verdict, notes=(*verdict.notes, said)))

    def _compute(self, measure: Measured) -> Measurement:
        try:
            match measure:
                case Later(what):
                    return Measurement(None, why=f"{what} is not available yet", later=True)
                case Infimum():
                    return infimum.compute(self, measure)
                case Computation():
                    return compute(self, measure)
        except NotYet as later:
            return Measurement(None, why=f"{later} is not available yet", later=True)

    def tell(self, progress: Progress) -> None:
        """How far this is."""
        self.progress = progress
        self.heard(0)

    def heard(self, nodes: int) -> None:
        """The search that runs has looked at so many branches or boxes."""
        self.watch(replace(self.progress, nodes=self.portfolio.nodes + nodes))

    def left(self) -> float:
        return self.end - time.monotonic()

    def stop(self) -> None:
        """From now on everything is out of time, and says so at once."""
        self.end, self.stopped = 0.0, True

    def _decide(self, claim: Claim) -> Outcome:
        if self.stopped:
            return Outcome(Undecided(INTERRUPTED))
        try:
            match claim:
                case Always():
                    return self._checked(claim.shown if claim.distinct else (), lambda: self._always(claim))
                case Prenex():
                    return self._prenex(claim)
                case Contained():
                    return self._checked((claim.model, claim.oracle), lambda: self._tried(claim))
                case LocallyConstant():
                    return self._checked((claim.model, claim.oracle), lambda: self._local(claim))
                case Compare():
                    return self._compare(claim)
                case Not(inner):
                    return self._not(self._decide(inner))
                case Join():
                    return self._join(claim)
                case Rows():
                    return Outcome(*rows.decide(self, claim))
                case Parts():
                    verdict, vacuous, warnings, pieces = parts.decide(self, claim)
                    return Outcome(verdict, vacuous, warnings, pieces=pieces)
                case ByConstruction(why):
                    return Outcome(Proved("its construction", notes=(why,)))
                case Later(what):
                    return Outcome(Undecided(f"{what} is not available yet", later=True))
        except NotYet as later:
            return Outcome(Undecided(f"{later} is not available yet", later=True))

    # connectives

    def _not(self, inner: Outcome) -> Outcome:
        match inner.verdict:
            case Proved(by, trusts, pair, notes, held):
                return replace(inner, verdict=Refuted(by, pair, trusts, notes, held), vacuous="")
            case Refuted(by, pair, trusts, notes, held):
                return replace(inner, verdict=Proved(by, trusts, pair, notes, held), vacuous="")
            case Undecided():
                return inner

    def _join(self, claim: Join) -> Outcome:
        """All parts, or any: the first part that settles it gives the witness."""
        settled = []
        open_: Outcome | None = None
        for name, part in claim.parts:
            outcome = self._decide(part)
            verdict = outcome.verdict
            if isinstance(verdict, Undecided):
                open_ = open_ or outcome
            elif isinstance(verdict, Refuted) == (claim.kind == "all"):
                where = f"This part fails: {name}." if claim.kind == "all" else f"This part holds: {name}."
                notes = (where, *verdict.notes) if name else verdict.notes
                return replace(outcome, verdict=replace(verdict, notes=notes))
            else:
                settled.append(outcome)
        if open_ is not None:
            return open_
        trusts = tuple(
            dict.fromkeys(t for o in settled if not isinstance(o.verdict, Undecided) for t in o.verdict.trusts)
        )
        by = ", ".join(dict.fromkeys(o.verdict.by for o in settled if not isinstance(o.verdict, Undecided)))
        vacuous = next((o.vacuous for o in settled if o.vacuous), "")
        warnings = tuple(dict.fromkeys(w for o in settled for w in o.warnings))
        held = tuple(c for o in settled if not isinstance(o.verdict, Undecided) for c in o.verdict.certificates)
        if claim.kind == "all":
            return Outcome(Proved(by, trusts, certificates=held), vacuous, warnings)
        pair = next((o.verdict.pair for o in settled if isinstance(o.verdict, Refuted)), None)
        return Outcome(Refuted(by, pair, trusts, certificates=held), "", warnings)

    # for all points

    def _always(self, claim: Always) -> Outcome:
        if not claim.points:
            return self._ground(claim)
        again, begun = partial(self._counterexample, claim), time.monotonic()
        if claim.almost:
            posed, answer = self._thick(claim, again)
        else:
            posed, holds = self.pose(claim), roots.written(self, claim.given, (claim.then,))
            answer = self.ask(posed, again, holds=holds)
        match answer:
            case Fails(by, (vector, *_)):
                points = posed.read(vector)
                self.replay.demand(points, claim.given, (claim.then,))
                return Outcome(Refuted(by, self.show(points, claim.ends, claim.shown)))
            case Holds(by, trusts) as held:
                tried = self._trial(claim, time.monotonic() - begun)
                vacuous, warnings = self._vacuity(claim, tried)
                return Outcome(Proved(by, trusts, certificates=held.certificates), vacuous, warnings)
            case Unknown(why):
                return Outcome(Undecided(why))
            case other:
                raise AssertionError(other)

    def _trial(self, claim: Always, took: float) -> Trial:
        """What has been proved, in so many seconds, is evaluated at points at random. Raises ReplayFailed."""
        if claim.almost:  # they may well be of a null set
            return Trial()
        trial = Trial()
        differ = () if claim.distinct is None else (tree.Chain(NOWHERE, claim.distinct, ("!=",)),)
        for points in choices(self.replay, claim.points, took, one_of_many=not self.judges_vacuity):
            given = self.replay.holds(points, claim.given)
            if given and self.replay.holds(points, (), (claim.then,)):
                raise broken(points)
            trial.points.append(points)
            trial.met = trial.met or (given and self.replay.holds(points, differ))
        return trial

    def upheld(self, claim: Always, points: Points) -> None:
        """The points are no counterexample. Raises ReplayFailed."""
        if self.replay.holds(points, claim.given, (claim.then,)):
            raise broken(points)

    def pose(self, claim: Always) -> Posed:
        """What no points may do."""
        return self._counterexample(claim, self.poser)

    def _counterexample(self, claim: Always, poser: Poser) -> Posed:
        def pose() -> Posed:
            facts = [*_given(poser, claim), _fails(poser, claim)]
            large = self._large(poser, claim)
            return poser.pose(claim.points, facts, large=large, squares=True, roots=not claim.almost)

        return roots.alike(poser, pose)

    def _ground(self, claim: Always) -> Outcome:
        """No points to choose: exact evaluation decides."""
        if self.replay.interpreter.truth(claim.then, {}):
            return Outcome(Proved(EXACT))
        return Outcome(Refuted(EXACT, None, notes=("The formula is false.",)))

    def _large(self, poser: Poser, claim: Always) -> list[Form]:
        """A pleasant counterexample has large margins."""
        if claim.distinct is None or not claim.shown:
            return []
        models = [n for n in claim.shown if self.program.classifiers[n].kind == "model"]
        return [m for n in models for m in poser.margins(n, claim.points)]

    def _vacuity(self, claim: Always, trial: Trial) -> tuple[str, tuple[str, ...]]:
        """Why the premise says nothing, if it does; and warnings. Points that satisfy it are tried, in either order."""
        if not claim.given or not self.judges_vacuity:
            return "", ()
        if trial.met:
            return "", self._constant(claim, trial)

        def premise(poser: Poser) -> Posed:
            def pose() -> Posed:
                facts = _given(poser, claim)
                if claim.distinct is not None:
                    facts.append(poser.differ(claim.distinct, claim.points))
                return poser.pose(claim.points, facts, squares=True, roots=not claim.almost)

            return roots.alike(poser, pose)

        if claim.almost:
            posed, answer = self._thick(claim, premise)
        else:
            posed = premise(self.poser)
            answer = self.ask(posed, premise, holds=roots.written(self, claim.given), shown=False)
        match answer:
            case Holds():
                who = "No two different points satisfy" if claim.distinct is not None else "Nothing satisfies"
                null = " except on a set of measure zero" if claim.almost else ""
                return f"{who} the premise{null}: the claim says nothing.", ()
            case Unknown(why):
                return "", (f"Whether the premise is ever satisfied stayed open: {why}.",)
            case Fails(_, (vector, *_)) if not claim.almost:
                points = posed.read(vector)
                self.upheld(claim, points)
                self.upheld(claim, dict(zip(points, reversed(list(points.values())), strict=True)))
                return "", self._constant(claim, trial)
            case _:
                return "", self._constant(claim, trial)

    def _constant(self, claim: Always, trial: Trial) -> tuple[str, ...]:
        """A classifier that never changes its label passes for the wrong reason."""
        if claim.distinct is None:
            return ()
        warnings = []
        for name in claim.shown:
            classifier = self.program.classifiers[name]
            if classifier.kind == "model" and classifier.decide is not None and not self._changes(name, trial):
                labels = self.poser.symbolic.label(classifier, self.poser.point("x")).cases
                possible = sum(not self._never(label) for label in labels)
                if possible < 2:
                    warnings.append(f"`{name}` gives the same label everywhere.")
        return tuple(warnings)

    def _changes(self, name: str, trial: Trial) -> bool:
        """Points of the trial have different labels."""
        points = (point for chosen in trial.points for point in chosen.values())
        first = next(points, None)
        label = self.replay.interpreter.label
        return first is not None and any(label(name, point) != label(name, first) for point in points)

    def _never(self, label: Form) -> bool:
        if label in (YES, NO):
            return label == NO
        return isinstance(self.ask(self.poser.pose(("x",), [label]), most=1.0, shown=False), Holds)

    def _prenex(self, claim: Prenex) -> Outcome:
        """A strategy, or a choice without an answer; and whether the premise says anything."""
        verdict, rules = strategy.decide(self, claim)
        outcome = Outcome(verdict, strategy=rules)
        if not isinstance(verdict, Proved) or claim.given is None or not self.judges_vacuity:
            return outcome
        match self._decide(claim.given).verdict:
            case Refuted():
                return replace(outcome, vacuous="Nothing satisfies the premise: the claim says nothing.")
            case Undecided(why):
                return replace(outcome, warnings=(f"Whether the premise is ever satisfied stayed open: {why}.",))
            case Proved():
                return outcome

    # containment

    def _tried(self, claim: Contained) -> Outcome:
        """The outcome; where it is a proof, one that no points at random break. Raises ReplayFailed."""
        begun = time.monotonic()
        outcome = self._contained(claim)
        if isinstance(outcome.verdict, Proved):
            torn = [chain(claim.fine, "<="), chain(claim.coarse, ">")]
            at = {"x": self.program.points[claim.at]} if claim.at else {}
            names = [n for n in ("x", "x'") if n not in at]
            for points in choices(self.replay, names, time.monotonic() - begun):
                if self.replay.holds({**at, **points}, torn):
                    raise broken(points)
        return outcome

    def _contained(self, claim: Contained) -> Outcome:
        """Theorem 2 where it answers, then pairs at oracle distance zero (Theorem 1), then limit witnesses (Theorem
        1*, 1U)."""
        poser, points = self.poser, ("x", "x'")
        fine, coarse = (poser.shape(e, points) for e in (claim.fine, claim.coarse))
        if (linear := closed_form.contained(poser, claim)) is not None:
            held, why = accepted(linear), "The features of the model are an affine image of the oracle's."
            return Outcome(Proved(held.by, held.trusts, notes=(why,), certificates=held.certificates))
        zero = chain(claim.fine, "<=")

        def near(poser: Poser) -> Form:
            return poser.build.both(poser.truth(zero, points), *self._here(poser, claim))

        def torn(poser: Poser) -> list[Form]:
            return [near(poser), poser.build.above_zero(poser.shape(claim.coarse, points))]

        def flips(poser: Poser) -> Form:
            return poser.build.both(*(poser.truth(t, points) for t in trees))

        facts, here = torn(poser), self._here(poser, claim)
        differs = [chain(claim.coarse, ">")]
        wide = len(poser.inputs("x")) > FEW and not claim.at
        guesses = list(closed_form.segments(poser, claim)) if wide else []
        ignored: Answer | None = None
        whole = poser.pose(points, facts, large=[coarse])
        if (trees := self._flip(claim)) and not whole.impossible:
            posed = poser.pose(points, [*facts, flips(poser)], large=[*poser.margins(claim.model, points), coarse])
            ignored = self._guessed(posed, guesses) or self.ask(
                posed, lambda p: p.pose(points, [*torn(p), flips(p)]), most=SOON if guesses else None
            )
            if isinstance(ignored, Fails):
                return self._torn(claim, posed, ignored, [zero, *differs, *trees], flips=True, ignored=None)
            if isinstance(ignored, Holds) and not self._separates(claim):  # a flip need not show in `coarse`
                ignored = self.ask(
                    poser.pose(points, [near(poser), flips(poser)]), lambda p: p.pose(points, [near(p), flips(p)])
                )
        answer = self._guessed(whole, guesses) or self.ask(whole, lambda p: p.pose(points, torn(p)))
        match answer:
            case Fails():
                return self._torn(claim, whole, answer, [zero, *differs], flips=False, ignored=ignored)
            case Unknown(why):
                return Outcome(Undecided(why))
            case _:
                assert isinstance(answer, Holds)
        if poser.regular([fine, coarse], points):
            return Outcome(Proved(f"Theorem 1, {answer.by}", answer.trusts, certificates=answer.certificates))
        posed = poser.pose(points, here, numbers=[fine, coarse])
        shared = () if claim.uniform else posed.share("x")
        answer = self.portfolio.approach(posed.question, shared, self.left())
        match certified(answer, closure.torn(posed.question, shared)):
            case Fails(by, vectors):
                member, limit = self.replay.approach(
                    posed, (vectors[0], vectors[1]), self.eps, claim.fine, claim.coarse, uniform=claim.uniform
                )
                self._fixed(claim, member)
                who = f"the feature {claim.named}" if claim.named else claim.model
                story = (
                    f"No single pair shows it: the distance of {claim.oracle} only tends to 0, "
                    f"while that of {who} stays away from 0."
                )
                metric = self.program.classifiers[claim.model].metric
                quadratic = metric is not None and metric.is_quadratic and not claim.named
                known = ("The limit given is that of linf of the rows of d1', which d1' is never below.",)
                witness = self.replay.witness(member, (claim.model, claim.oracle), limit=limit)
                return Outcome(
                    Refuted(
                        f"Theorem {'1U' if claim.uniform else '1*'}, {by}",
                        witness,
                        notes=(story, *(known if quadratic else ())),
                    )
                )
            case Holds(by, trusts) as held:
                return Outcome(
                    Proved(f"Theorem {'1U' if claim.uniform else '1*'}, {by}", trusts, certificates=held.certificates)
                )
            case Unknown(why):
                return Outcome(Undecided(why))
            case other:
                raise AssertionError(other)

    def _here(self, poser: Poser, claim: Contained) -> list[Form]:
        """x is the point that is asked about, if one is."""
        return [poser.is_point("x", claim.at)] if claim.at else []

    def _flip(self, claim: Contained) -> list[tree.Expr]:
        """f1 differs while f2 agrees, as written. Nothing for a classifier that decides nothing."""
        model = self.program.classifiers[claim.model]
        if model.decide is None and model.network is None:
            return []
        return [chain_of(claim.model, "!="), chain_of(claim.oracle, "==")]

    def _separates(self, claim: Contained) -> bool:
        """d1 = 0 only where all features agree, hence the labels too: a built-in metric of all of them."""
        metric = self.program.classifiers[claim.model].metric
        return not claim.named and (metric is None or metric.separates)

    def _torn(
        self,
        claim: Contained,
        posed: Posed,
        answer: Fails,
        truths: list[tree.Expr],
        flips: bool,
        ignored: Answer | None,
    ) -> Outcome:
        """A pair at oracle distance zero that the model tells apart."""
        points = posed.read(answer.points[0])
        self.replay.demand(points, truths)
        self._fixed(claim, points)
        witness = self.replay.witness(points, (claim.model, claim.oracle))
        by_name = {s.classifier: s for s in witness.seen}
        left, right = by_name[claim.model].features
        torn = [name for name in left if left[name] != right[name]]
        kinds = {n: self.program.classifiers[n].kind for n in (claim.model, claim.oracle)}
        blind = "The oracle" if kinds[claim.oracle] == "oracle" else claim.oracle
        seeing = f"the features of {claim.model} can"
        notes = [f"{blind} cannot tell x from x'" + (f"; {claim.model} flips." if flips else f", {seeing}.")]
        if torn and kinds[claim.model] == "model":
            notes.append(f"Unnecessary feature{'s' if len(torn) > 1 else ''}: {', '.join(torn)}.")
        if isinstance(ignored, Holds):
            away = f" from {claim.at}" if claim.at else ""
            believed = f", trusting {', '.join(ignored.trusts)}" if ignored.trusts else ""
            notes.append(
                f"The decision of {claim.model} ignores it: at oracle distance zero{away} {claim.model} never flips "
                f"where {claim.oracle} agrees (proved{believed})."
            )
        return Outcome(Refuted(answer.by, witness, notes=tuple(notes)))

    def _guessed(self, posed: Posed, guesses: Sequence[Fails]) -> Fails | None:
        """The first guess that solves the question, as its solution."""
        for guess in guesses:
            values = dict(zip(posed.layout, guess.points[0], strict=True))
            point = tuple(values.get(i, Fraction(0)) for i in range(len(posed.question.variables)))
            if not posed.impossible and posed.question.solved_by(point):
                return Fails(guess.by, (point,))
        return None

    def _fixed(self, claim: Contained, points: Points) -> None:
        if claim.at and points["x"] != self.program.points[claim.at]:
            raise ReplayFailed(f"x is not {claim.at}")

    def _local(self, claim: LocallyConstant) -> Outcome:
        """Theorem 3: some x off the t1-boundary has adversarial points at any oracle distance."""
        poser, points = self.poser, ("x", "x'")
        differ, agree = chain_of(claim.model, "!="), chain_of(claim.oracle, "==")
        fine, coarse = (poser.shape(e, points) for e in (claim.fine, claim.coarse))
        flips, same = (poser.truth(e, points) for e in (differ, agree))
        bad = poser.pose(points, [flips, same], numbers=[fine])
        own = poser.pose(points, [flips], numbers=[coarse])
        answer: Answer = (
            self.folded(lambda p: p.pose(points, [p.truth(e, points) for e in (differ, agree)]))
            if bad.impossible
            else self.portfolio.local(bad.question, own.question, bad.share("x"), self.left())
        )
        match answer:
            case Fails(by, (z, y)):
                member, limit = self.replay.approach(bad, (z, y), self.eps, claim.fine, None, [differ, agree])
                zero = limit.y == limit.z or self.replay.distance(claim.fine, {"x": limit.x, "x'": limit.z}) == 0
                if zero:
                    member = {"x": limit.x, "x'": limit.z}
                    self.replay.demand(member, [differ, agree, chain(claim.fine, "<=")])
                witness = self.replay.witness(member, (claim.model, claim.oracle), limit=None if zero else limit)
                where = "at distance 0" if zero else "arbitrarily near"
                story = f"x is not on {claim.model}'s own boundary, yet the oracle sees flipped points {where}."
                off = self._certificate(closure.bordering(own.question, bad.share("x"), z))
                if isinstance(off, Fails):
                    raise ReplayFailed("x lies on the boundary")
                trusts, proofs = (off.trusts, off.certificates) if isinstance(off, Holds) else ((by,), ())
                return Outcome(Refuted(f"Theorem 3, {by}", witness, trusts, (story,), proofs))
            case Holds(by, trusts) as held:
                if trusts:  # every x with BAD has OWN: at the same z and y, if that is so
                    both = poser.pose(points, [flips, same], numbers=[fine, coarse])
                    found = self.portfolio.approach(both.question, both.share("x"), self.left())
                    found = certified(found, closure.torn(both.question, both.share("x")))
                    held = replace(found, by=by) if isinstance(found, Holds) else held
                return Outcome(Proved(f"Theorem 3, {by}", held.trusts, certificates=held.certificates))
            case Unknown(why):
                return Outcome(Undecided(why))
            case other:
                raise AssertionError(other)

    # measures

    def _compare(self, claim: Compare) -> Outcome:
        measure = claim.measure
        value = self._compute(replace(measure, against=claim.value) if isinstance(measure, Computation) else measure)
        likely = isinstance(claim.measure, Computation) and claim.measure.word == "probability"
        if likely or value.how == "enclosed":
            return self._enclosed(claim, value, "probability of agreement" if likely else "value")
        order = ORDERS[claim.op]
        right: Fraction | float = float("inf") if claim.value is None else claim.value
        left: Fraction | float
        match value.amount:
            case None:
                return Outcome(Undecided(value.why, value.later))
            case Fraction() as left:
                pass
            case Root(square):
                left, right = square, right * right if right >= 0 else -right * right
            case "infinity":
                left = float("inf")
            case words:
                return Outcome(Undecided(f"{words} is not a number"))
        if value.how != "exact":
            return Outcome(Undecided(f"the value is only {value.how}"))
        shown = str(value.amount)
        if isinstance(value.amount, Root) and len(shown) > SHORT:
            shown = f"≈ {float(value.amount.near):.6g}"
        how = "" if value.attained is None else ", attained" if value.attained else ", approached but not attained"
        notes = (f"The value is {shown}{how}.",)
        held = value.certificates
        by = value.trusts[0] if value.trusts else CERTIFIED if held else EXACT
        if order(left, right):
            return Outcome(Proved(by, value.trusts, value.pair, notes, held))
        return Outcome(Refuted(by, value.pair, value.trusts, notes, held))

    def _enclosed(self, claim: Compare, value: Measurement, what: str) -> Outcome:
        """A probability, say, against a constant: exact, or all of an enclosure on one side of it; never estimated."""
        order, right = ORDERS[claim.op], float("inf") if claim.value is None else claim.value
        if value.how == "exact" and isinstance(value.amount, Fraction):
            low = high = value.amount
            written, about = str(low), f"≈ {float(low):.6g}"
            exactly = written if len(written) <= SHORT else f"{written} {about}" if len(written) <= LONG else about
            said = f"The {what} is {exactly}."
        elif value.how == "enclosed" and value.enclosure is not None:
            low, high = value.enclosure
            said = f"The {what} is certainly in {value.amount}."
        else:
            return Outcome(Undecided(value.why or f"the value is only {value.how}", value.later))
        equation = claim.op in ("==", "!=")
        if low < high and (low <= right <= high if equation else order(low, right) is not order(high, right)):
            return Outcome(Undecided(f"{value.why or 'out of time'}. {said}"))
        by, notes = value.trusts[0] if value.trusts else EXACT, (said, *value.notes)
        if order(low, right):
            return Outcome(Proved(by, value.trusts, notes=notes))
        return Outcome(Refuted(by, value.pair, value.trusts, notes))

    # user metrics must be pseudometrics before any theorem about them applies (THEORY section 5)

    def _checked(self, names: Sequence[str], then: Callable[[], Outcome]) -> Outcome:
        axioms = self.axioms(names)
        if axioms is not None:
            return Outcome(Undecided(axioms))
        outcome = then()
        known = [found.verdict for n in dict.fromkeys(names) if (found := self._found(n)) is not None]
        match outcome.verdict:
            case Proved(_, trusts, _, _, held) as verdict:
                for axiom in known:
                    assert isinstance(axiom, Proved)
                    trusts, held = (*trusts, *axiom.trusts), (*held, *axiom.certificates)
                proved = replace(verdict, trusts=tuple(dict.fromkeys(trusts)), certificates=held)
                return replace(outcome, verdict=proved)
            case _:
                return outcome

    def _found(self, name: str) -> Outcome | None:
        """What is known of the metric of a classifier of this program."""
        classifier, outcome = self._metrics.get(name, (None, None))
        return outcome if classifier is self.program.classifiers[name] else None

    def axioms(self, names: Sequence[str]) -> str | None:
        """Why the metrics of these classifiers are no pseudometrics, or None when they are."""
        for name in names:
            classifier = self.program.classifiers[name]
            metric = classifier.metric
            if metric is None or metric.body is None:
                continue
            known = self._found(name)
            if known is None:
                call = tree.Apply(metric.span, tree.Name(metric.span, "is_pseudometric"), (argument(name),))
                known = self._decide(claim_of(self.program, call))
                self._metrics[name] = (classifier, known)
            match known.verdict:
                case Refuted(_, pair, _, notes):
                    where = ""
                    if pair is not None:
                        where = " at " + "; ".join(f"{k} = {written(v)}" for k, v in pair.points.items())
                    return f"the metric of `{name}` is not a pseudometric. {' '.join(notes)}{where}"
                case Undecided(why):
                    return f"whether the metric of `{name}` is a pseudometric stayed open: {why}"
                case Proved():
                    pass
        return None

    # asking

    def ask(
        self,
        posed: Posed,
        again: Again | None = None,
        most: float | None = None,
        holds: Callable[[Points], bool] | None = None,
        shown: bool = True,
    ) -> Answer:
        """`again` poses the same question, without folding, so that what the bounds settle is proved; or, for sums of
        roots, with tighter bounds, until a solution `holds` exactly. `shown` as of `Portfolio.find`."""
        if posed.impossible:
            return self.folded(again if shown else None)
        if posed.roots and again is not None and holds is not None:
            return roots.search(self, posed, again, holds)
        left = self.left() if most is None else min(most, self.left())
        return certified(self.portfolio.find(posed.question, left, shown), posed.question)

    def _thick(self, claim: Always, again: Again) -> tuple[Posed, Answer]:
        """Whether what is posed holds on more than a null set. A ball of a sum of roots lies between two polyhedral
        ones: it is null if the larger one is, and not if the smaller one is not."""
        if not roots.balls(self.poser, claim):
            posed = again(self.poser)
            return posed, self._ask_measure(posed, claim, again)
        for fine in roots.FINER:
            for side, wanted in roots.SIDES:
                with self.poser.rounded(side, fine):
                    posed = again(self.poser)
                answer = self._ask_measure(posed, claim)
                if isinstance(answer, wanted | Unknown):
                    return posed, answer
        return posed, Unknown("what is in the ball for certain is null, and what may be in it is not")

    def _ask_measure(self, posed: Posed, claim: Always, again: Again | None = None) -> Answer:
        if posed.impossible:
            return self.folded(again)
        domain = self.poser.pose(claim.points[:1], [])
        copies = len(claim.points)
        answer = self.portfolio.substantial(domain.question, posed.question, copies, self.left())
        return null(answer, domain.question, posed.question, copies) if isinstance(answer, Null) else answer

    def _certificate(self, question: Question) -> Answer:
        return certified(self.portfolio.certificate(question, self.left()), question)

    def folded(self, again: Again | None) -> Holds:
        """What the bounds of the domain settle: with a certificate, where the question is posed `again` and one is
        found; else the canonical form is to be trusted."""
        return settled(None if again is None else lambda: again(self.plain).question, self.portfolio, self.left())

    @cached_property
    def plain(self) -> Poser:
        """Poses without folding."""
        return Poser(self.program, folding=False)

    # showing

    def show(self, points: Points, ends: tuple[tree.Expr, tree.Expr] | None, shown: Sequence[str]) -> Witness:
        """The witness; a declared point that takes part is shown as x."""
        if (
            ends is not None
            and len(points) == 1
            and isinstance(ends[0], tree.Name)
            and ends[0].id in self.program.points
        ):
            points = {"x": self.program.points[ends[0].id], **points}
        return self.replay.witness(points, shown)


def _given(poser: Poser, claim: Always) -> list[Form]:
    return [poser.truth(g, claim.points) for g in claim.given]


def _fails(poser: Poser, claim: Always) -> Form:
    """The conclusion does not hold; if the points may be swapped, in one order of them."""
    if claim.exchangeable:
        return poser.in_order(claim.then, claim.points)
    return poser.build.negate(poser.truth(claim.then, claim.points))


def chain(distance: tree.Expr, op: tree.Comparison) -> tree.Expr:
    """`distance op 0`."""
    return tree.Chain(distance.span, (distance, tree.Number(distance.span, Fraction(0))), (op,))


def chain_of(name: str, op: tree.Comparison) -> tree.Expr:
    """`name(x) op name(x')`."""
    sides = tuple(tree.Apply(NOWHERE, tree.Name(NOWHERE, name), (argument(p),)) for p in ("x", "x'"))
    return tree.Chain(NOWHERE, sides, (op,))


def argument(name: str) -> tree.Argument:
    return tree.Argument(NOWHERE, "", tree.Name(NOWHERE, name))


def written(point: PointValue | Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{k}: {plain(v)}" for k, v in point.items()) + "}"


def plain(value: object) -> str:
    return "[" + ", ".join(plain(v) for v in value) + "]" if isinstance(value, tuple) else str(value)
