"""`verifier explain`: what an assertion says, what was decided, and why it came out as it did.

The reasons are in `reasons`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import assert_never

from verifier.language.measures import MEASURES
from verifier.model.assertion import words_of
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
from verifier.model.meaning import numbers
from verifier.model.network import Network
from verifier.model.program import Classifier, Program
from verifier.model.replace import renamed
from verifier.query.pose import Poser
from verifier.report.reasons import Asker, Known
from verifier.report.terminal import RULES, applies
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.verdict.decide import Decider, written
from verifier.verdict.verdict import Checked, Proved, Refuted, Undecided

FOR_ALL = frozenset({"contained", "uniformly_contained", "factors", "strongly_robust"})
PAIRED = FOR_ALL | {"contained_at", "robust_at", "unnecessary", "equivalent"}
"""The properties of a model against an oracle that have reasons: those of all points, and the others."""

ALMOST = ", except on a set of measure zero"

LISTED = 8
"""So many entries of a vector are said one by one."""

Section = tuple[str, list[str]]


def explain(
    decider: Decider, declaration: tree.Assert, claim: Claim, checked: Checked, seconds: float, known: Known
) -> list[Section]:
    """The sections of an explanation; each has a title and sentences. `known`: what was decided for others before."""
    body = declaration.body
    sections: list[Section] = []
    if said := words_of(body):
        sections.append(("In words", [f"{said}."]))
    sections.append(("Formula", list(formula(claim, decider.program))))
    used = [c for name, c in decider.program.classifiers.items() if name in names_in(body)]
    sections.append(("Where", [where(c, decider.poser) for c in used]))
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
    accurate = checked.of == "accurate" and isinstance(claim, Always) and not claim.almost
    if accurate and isinstance(claim, Always) and isinstance(checked.verdict, Refuted):
        sections.append(("Why", list(Asker(decider, seconds, checked.pair, known).labels(*claim.shown[:2]))))
    needless = checked.of == "contained_at" and not isinstance(checked.verdict, Refuted)
    if checked.of in PAIRED and not needless and isinstance(body, tree.Apply):
        pair = [a.value.id for a in body.arguments if not a.label and isinstance(a.value, tree.Name)][:2]
        if len(pair) == 2 and all(name in decider.program.classifiers for name in pair):
            asker = Asker(decider, seconds, checked.pair, known)
            fails = isinstance(checked.verdict, Refuted) and checked.of in FOR_ALL
            blamed = fails and all(a.label in ("", "of", "radius", "closed") for a in body.arguments)
            sections.append(("Why", list(asker.why(pair[0], pair[1], checked, blamed))))
            if checked.of == "robust_at" and isinstance(claim, Always) and not claim.almost:
                sections.append(("Radius", list(asker.nearest(pair[0], pair[1], body))))
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
            yield head + core + ALMOST * almost
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
                f"delta > 0 such that for all x' in {domain}: {unparse(fine)} < delta and {oracle}(x) == {oracle}(x') "
                f"=> {model}(x) == {model}(x')"
            )
        case Infimum(points, of, given):
            facts = " and ".join(unparse(g) for g in given)
            yield f"inf of {unparse(of)} over {', '.join(points)} in {domain} with {facts}"
        case Compare(measure, op, value):
            first, *rest = formula(measure, program)
            left = f"({first})" if isinstance(measure, Infimum) else first
            yield f"{left} {op} {'infinity' if value is None else value}"
            yield from rest
        case Not(Always(points, given, then, _, False)) if points:
            facts = " and ".join([*(unparse(g) for g in given), unparse(negated(then))])
            yield f"there {'is' if len(points) == 1 else 'are'} {', '.join(points)} in {domain} such that {facts}"
        case Not(Contained(_, _, coarse, fine, False, _, "")):
            yield (
                f"there are x in {domain} and eps > 0 such that for every delta > 0 there is x' in {domain} with "
                f"{unparse(fine)} < delta and {unparse(coarse)} >= eps"
            )
        case Not(inner_claim):
            for line in formula(inner_claim, program):
                yield f"not: {line}"
        case Join(kind, parts):
            yield f"{kind} of these:"
            for name, part in parts:
                for line in formula(part, program):
                    yield f"- {f'{name}: ' if name else ''}{line}"
        case Computation():
            yield from computed(claim)
        case Rows(kind, name, point, data, body):
            each = "for every" if kind == "forall" else "for some"
            yield f"{each} {name} of the {len(data.rows)} rows of {data.file}: {unparse(renamed(body, point, name))}"
        case Parts(kind, name, partition, body):
            each = "for every" if kind == "forall" else "for some"
            yield f"{each} {name} of the {partition.count} parts of {partition.name} as {domain}: {unparse(body)}"
        case ByConstruction(why):
            yield why
        case Later(what):
            yield f"{what}, which is not available yet"


def negated(formula: tree.Expr) -> tree.Expr:
    match formula:
        case tree.Unary(_, "not", operand):
            return operand
        case _:
            return tree.Unary(NOWHERE, "not", formula)


def computed(claim: Computation) -> Iterator[str]:
    """A measure as it is called, and what it is."""
    word = MEASURES[claim.word]
    fitting = [m for m in (word, *word.others) if set(m.parameters) <= set(claim.arguments)]
    meant = max(fitting, key=lambda m: len(m.parameters))
    plain = [unparse(claim.arguments[p]) for p in meant.parameters]
    given = {**claim.arguments, **claim.formulas}
    options = [f"{k}: {unparse(e)}" for k, e in given.items() if k in meant.options]
    flags = [f"{k}: {text}" for k, text in claim.choices.items() if text]
    flags += [f"over: {claim.over.text}"] if "over" in claim.choices else []
    yield f"{claim.word}({', '.join([*plain, *options, *flags])})"
    names = {p: unparse(claim.arguments[p]) for p in meant.parameters}
    said = re.sub(r"\b(" + "|".join(names) + r")\b", lambda found: names[found[0]], meant.words)
    yield f"Here {claim.word} is {said}."


def where(classifier: Classifier, poser: Poser) -> str:
    """What a classifier sees, and how it measures."""
    sees = ", ".join(
        f.name if unparse(f.value) == f.name else f"{f.name} = {unparse(f.value)}" for f in classifier.features
    )
    if classifier.network is not None:
        sees = sees_within(classifier, classifier.network, poser)
    metric = classifier.metric
    if metric is None:
        measured = "linf, as no metric is declared"
    elif metric.body is not None:
        measured = f"{unparse(metric.body)} for the features {metric.parameters[0]}, {metric.parameters[1]}"
    else:
        measured = metric.text
    labels = "; it gives no labels" if classifier.decide is None and classifier.network is None else ""
    return f"{classifier.kind} {classifier.name} sees {sees}; its distance is {measured}{labels}."


def sees_within(classifier: Classifier, network: Network, poser: Poser) -> str:
    """The vector that a network is read at, and what its entries are in the words of the file."""
    (feature,) = classifier.features
    name, size = feature.name, feature.size or 1
    if classifier.cut == 0:  # without a hidden layer `last_hidden` is the input as well
        entries = fed(classifier, poser)
        what = "what it is fed" if name == "input" else "what it is fed, as it has no hidden layer"
        said = [f"{name}[{i}] = {entry}" for i, entry in enumerate(entries)]
    elif name == "scores" and network.rule == "positive":
        return f"{name}[0], its one score: {poser.program.labels[1]} where that is > 0, else {poser.program.labels[0]}"
    elif name == "scores":
        what = "a score for each label"
        said = [f"{name}[{i}] of {label}" for i, label in enumerate(poser.program.labels)]
    else:
        return f"{name}, the {size} number{'s' if size > 1 else ''} that its last layer reads ({numbered(name, size)})"
    return f"{name}, {what} ({', '.join(said) if size <= LISTED else numbered(name, size)})"


def fed(classifier: Classifier, poser: Poser) -> list[str]:
    """Each number that a network is fed, as an expression of the coordinates."""
    assert poser.program.domain is not None
    point = poser.point("x")
    if classifier.inputs is None:
        return [
            f"code({c.name})" if c.members else c.name if c.size is None else f"{c.name}[{i}]"
            for c in poser.program.domain.coordinates
            for i in range(c.size or 1)
        ]
    match classifier.inputs:
        case tree.Vector(_, items):
            parts = [(unparse(e), len(numbers(poser.symbolic.value(e, point.values)))) for e in items]
        case whole:
            parts = [(unparse(whole), len(poser.symbolic.feed(classifier, point)))]
    return [text if size == 1 else f"{text}[{i}]" for text, size in parts for i in range(size)]


def numbered(name: str, size: int) -> str:
    return f"{name}[0]" if size == 1 else f"{name}[0] to {name}[{size - 1}]"
