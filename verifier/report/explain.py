"""`verifier explain`: what an assertion says, what was decided, and why it came out as it did.

Every sentence under "Why" and "Way out" states the verdict of a claim that was decided for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import assert_never

from verifier.engines.engine import Most
from verifier.language.build import Form
from verifier.language.measures import MEASURES
from verifier.language.properties import PROPERTIES
from verifier.model.assertion import claim_of, measure_of, template
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
from verifier.model.elaborate import names_in
from verifier.model.program import Classifier, Program
from verifier.model.replace import renamed
from verifier.report.terminal import RULES, applies
from verifier.report.text import distance_text
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.verdict.decide import Decider, Outcome, written
from verifier.verdict.verdict import Checked, Measurement, Proved, Refuted, Root, Undecided

FOR_ALL = frozenset({"contained", "uniformly_contained", "factors", "strongly_robust"})
PAIRED = FOR_ALL | {"contained_at", "robust_at", "unnecessary"}
"""The properties of a model against an oracle that have reasons: those of all points, and the others."""

Section = tuple[str, list[str]]


def explain(
    decider: Decider, declaration: tree.Assert, claim: Claim, checked: Checked, seconds: float
) -> list[Section]:
    """The sections of an explanation; each has a title and sentences."""
    body = declaration.body
    sections: list[Section] = []
    if checked.of in PROPERTIES:
        sections.append(
            ("In words", [f"{PROPERTIES[checked.of].words[:1].upper()}{PROPERTIES[checked.of].words[1:]}."])
        )
    sections.append(("Formula", list(formula(claim, decider.program))))
    used = [c for name, c in decider.program.classifiers.items() if name in names_in(body)]
    sections.append(("Where", [where(c) for c in used]))
    match checked.verdict:
        case Proved(by, trusts) | Refuted(by, _, trusts):
            how = f"Decided by {by}" + (f"; trusting {' and '.join(trusts)}." if trusts else ", and checked exactly.")
            sections.append(("Decided", [how]))
        case Undecided(why):
            sections.append(("Decided", [f"Not decided: {why}."]))
        case _:
            assert_never(checked.verdict)
    if checked.strategy is not None and len(checked.strategy.rules) > RULES:
        sections.append(("Rules", [f"{r.choice} {applies(r)}" for r in checked.strategy.rules]))
    needless = checked.of == "contained_at" and not isinstance(checked.verdict, Refuted)
    if checked.of in PAIRED and not needless and isinstance(body, tree.Apply):
        pair = [a.value.id for a in body.arguments if not a.label and isinstance(a.value, tree.Name)][:2]
        if len(pair) == 2 and all(name in decider.program.classifiers for name in pair):
            asker = Asker(decider, seconds)
            fails = isinstance(checked.verdict, Refuted) and checked.of in FOR_ALL
            blamed = fails and all(a.label in ("", "of", "radius", "closed") for a in body.arguments)
            sections.append(("Why", list(asker.why(pair[0], pair[1], checked, blamed))))
            if checked.of == "strongly_robust" and isinstance(checked.verdict, Refuted) and isinstance(claim, Always):
                sections.append(("Way out", list(asker.way_out(pair[0], body, claim))))
    return [(title, lines) for title, lines in sections if lines]


# what is asked


def formula(claim: Claim | Measured, program: Program) -> Iterator[str]:
    """The claim in symbols."""
    domain = program.domain.name if program.domain is not None else "X"
    match claim:
        case Always(points, given, then, _, almost):
            premise = " and ".join(unparse(g) for g in given)
            core = f"{premise} => {unparse(then)}" if premise else unparse(then)
            head = f"for all {', '.join(points)} in {domain}: " if points else ""
            yield head + core + (", except on a set of measure zero" if almost else "")
        case Prenex(blocks, body):
            words = {"forall": "for all {} in {}", "exists": "there is {} in {} such that"}
            heads = [words[b.kind].format(", ".join(b.points), domain) for b in blocks]
            yield f"{' '.join(heads)}: {unparse(body)}".replace("such that: ", "such that ")
        case Contained(_, _, coarse, fine, uniform, _, at):
            small, far = f"{unparse(fine)} < delta", f"{unparse(coarse)} < eps"
            if uniform:
                yield f"for every eps > 0 there is delta > 0 such that for all x, x' in {domain}: {small} => {far}"
            else:
                there = at if at.isidentifier() else written(program.points[at]) if at in program.points else at
                which = f"x = {there}" if at else f"every x in {domain}"
                start = f"for {which} and {'every ' if at else ''}eps > 0 there is delta > 0"
                yield f"{start} such that for all x' in {domain}: {small} => {far}"
        case LocallyConstant(model, oracle, coarse, fine):
            yield (
                f"for every x in {domain} off the boundary of {model} (in {unparse(coarse)}) there is "
                "delta > 0 such that "
                f"for all x': {unparse(fine)} < delta and {oracle}(x) == {oracle}(x') => {model}(x) == {model}(x')"
            )
        case Infimum(points, of, given):
            facts = " and ".join(unparse(g) for g in given)
            yield f"inf of {unparse(of)} over {', '.join(points)} in {domain} with {facts}"
        case Compare(measure, op, value):
            (inner,) = formula(measure, program)
            yield f"({inner}) {op} {'infinity' if value is None else value}"
        case Not(inner_claim):
            for line in formula(inner_claim, program):
                yield f"not: {line}"
        case Join(kind, parts):
            yield f"{kind} of these:"
            for name, part in parts:
                for line in formula(part, program):
                    yield f"- {f'{name}: ' if name else ''}{line}"
        case Computation(word):
            yield f"{word}, {MEASURES[word].words}"
        case Rows(kind, name, point, data, body):
            each = "for all" if kind == "forall" else "for some"
            yield f"{each} {name} of the {len(data.rows)} rows of {data.file}: {unparse(renamed(body, point, name))}"
        case Parts(kind, name, partition, body):
            each = "for all" if kind == "forall" else "for some"
            yield f"{each} {name} of the {partition.count} parts of {partition.name} as {domain}: {unparse(body)}"
        case ByConstruction(why):
            yield why
        case Later(what):
            yield f"{what}, which is not available yet"


def where(classifier: Classifier) -> str:
    """What a classifier sees, and how it measures."""
    if classifier.network is not None:
        sees = f"its {classifier.features[0].name}"
    else:
        sees = ", ".join(
            f.name if unparse(f.value) == f.name else f"{f.name} = {unparse(f.value)}" for f in classifier.features
        )
    metric = classifier.metric
    if metric is None:
        measured = "linf, as no metric is declared"
    elif metric.body is not None:
        measured = f"{unparse(metric.body)} for the features {metric.parameters[0]}, {metric.parameters[1]}"
    else:
        measured = metric.text
    labels = "; it gives no labels" if classifier.decide is None and classifier.network is None else ""
    return f"{classifier.kind} {classifier.name} sees {sees}; its distance is {measured}{labels}."


# why


class Asker:
    """Decides the claims behind an explanation, within a time for all of them."""

    def __init__(self, decider: Decider, seconds: float) -> None:
        self.decider = decider
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.1, self.end - time.monotonic())

    def ask(self, text: str) -> Outcome:
        """The outcome of an assertion written in the language."""
        return self.decider.decide(claim_of(self.decider.program, template(text)), self.left())

    def measure(self, text: str) -> Measurement:
        return self.decider.compute(measure_of(self.decider.program, template(text)), self.left())

    def why(self, model: str, oracle: str, checked: Checked, blamed: bool) -> Iterator[str]:
        """The paper's case, the unnecessary features, and (if the claim is about all of X, and fails) which part is to
        blame."""
        case = self.measure(f"case({model}, {oracle})")
        if case.amount is not None:
            notes = " ".join(case.notes)
            if case.pair is not None and len(case.pair.points) == 2:  # of the measure, which is not shown here
                notes = notes.replace("at x and x'.", f"at {' and '.join(map(written, case.pair.points.values()))}.")
            yield f"Case {case.amount}{believing(case.trusts)}. {notes}"
        unnecessary = self.measure(f"unnecessary_features({model}, {oracle})")
        if unnecessary.amount is not None and unnecessary.amount != "none":
            yield f"Unnecessary features of {model}: {unnecessary.amount}{believing(unnecessary.trusts)}."
            yield from unnecessary.notes
        if isinstance(checked.verdict, Undecided):
            return
        contained = self.ask(f"contained({model}, {oracle})").verdict
        factors = self.ask(f"factors({model}, {oracle})").verdict
        match contained, factors:
            case Refuted(), Refuted():
                start = f"The features of {model} are to blame: contained" if blamed else "contained"
                yield (
                    f"{start} is refuted, and the decision of {model} uses what {oracle} cannot see: some pair at "
                    "oracle distance zero flips, so no radius works for all points."
                )
            case Refuted(), Proved(_, trusts):
                yield (
                    f"contained is refuted, but {model} never flips between points at oracle distance zero that "
                    f"{oracle} labels alike: factors is proved{believing(trusts)}."
                )
            case Proved(_, trusts), _ if checked.of == "uniformly_contained" and isinstance(checked.verdict, Refuted):
                yield (
                    f"contained is proved{believing(trusts)}: for each point some oracle distance is small enough, "
                    "but none is for all of them."
                )
            case Proved(_, trusts), _:
                start = f"The features of {model} are not to blame: contained" if blamed else "contained"
                yield f"{start} is proved{believing(trusts)}."
            case _:
                pass
        if checked.of in ("strongly_robust", "robust_at") and isinstance(contained, Proved):
            yield from self._boundary(model, oracle, blamed)

    def _boundary(self, model: str, oracle: str, blamed: bool) -> Iterator[str]:
        """What the decision has to do with it (Theorem 3): where the features are uniformly contained, flipped pairs
        that come near for the oracle come near for the model, too."""
        radius = self.measure(f"critical_radius({model}, {oracle})")
        match radius.amount:
            case "infinity":
                yield f"No two points that {oracle} labels alike get different labels from {model}: every radius works."
            case Fraction() as value if value == 0:
                near = f"flipped pairs come arbitrarily near (critical radius 0{believing(radius.trusts)})"
                none = "no radius works for all points"
                uniform = self.ask(f"uniformly_contained({model}, {oracle})").verdict
                if isinstance(uniform, Proved):
                    start = f"The decision of {model} is to blame: its" if blamed else f"The decision of {model}: its"
                    yield f"{start} boundary runs inside of a class of {oracle}, so {near} and {none}."
                elif isinstance(uniform, Refuted):
                    yield f"The features of {model} are not uniformly contained, and {near}: {none}."
                else:
                    yield f"{near[0].upper()}{near[1:]}: {none}."
            case Fraction() | Root() as value:
                reached = "a pair at this distance flips" if radius.attained else "no pair at this distance flips"
                yield (
                    f"The critical radius is {distance_text(value)}{believing(radius.trusts)}: every open ball up "
                    "to it works, "
                    f"no larger one does ({reached})."
                )
            case _:
                pass

    def way_out(self, model: str, body: tree.Apply, claim: Always) -> Iterator[str]:
        """The least margin that restores robustness: the supremum of the margin of x over the flipped pairs."""
        decider, points = self.decider, claim.points
        poser = decider.poser
        classifier = decider.program.classifiers[model]
        margin = poser.symbolic.margin(classifier, poser.point("x"))
        if (
            claim.almost
            or not isinstance(margin, Form)
            or any(a.label in ("where", "where_both") for a in body.arguments)
        ):
            return
        facts = [poser.truth(g, points) for g in claim.given]
        facts.append(poser.build.negate(poser.truth(claim.then, points)))
        posed = poser.pose(points, facts, numbers=[margin], squares=True)
        if posed.question.squares:  # no supremum over a ball of l2 is computed
            return
        match decider.portfolio.greatest(posed.question, self.left()):
            case Most(_, Fraction() as value, attained):
                relation = ">" if attained else ">="
                option = f"where: margin({model}) {relation} {value}"
                written = unparse(body)
                verdict = self.ask(f"{written[:-1]}, {option})")
                if isinstance(verdict.verdict, Proved):
                    vacuous = " (vacuously: no point has it)" if verdict.vacuous else ""
                    trusts = believing(verdict.verdict.trusts)
                    yield f"With `{option}` it holds{vacuous}{trusts}; with a smaller margin it does not."
            case Most(_, None):
                yield f"No margin of {model} restores it: flipped pairs have arbitrarily large ones."
            case _:
                pass


def believing(trusts: Sequence[str]) -> str:
    return f" (trusting {' and '.join(trusts)})" if trusts else ""
