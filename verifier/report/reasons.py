"""Why an assertion about a model and an oracle came out as it did.

Every sentence states the verdict of a claim that was decided for it, with the factorisation or the points that show it.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from msgspec.structs import replace

from verifier.canonical.affine import affine_rows
from verifier.canonical.linalg import null_space, rank
from verifier.engines import closed_form
from verifier.language.build import Form
from verifier.language.surd import Surd
from verifier.model.assertion import claim_of, measure_of, template
from verifier.model.claim import Always, Contained, Infimum
from verifier.model.meaning import numbers
from verifier.model.program import PointValue, Value
from verifier.report.text import ABOUT, decimal, distance_text, number, printable
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.verdict.decide import Decider, Outcome
from verifier.verdict.measures.case import accurate
from verifier.verdict.measures.restoring_margin import supremum
from verifier.verdict.verdict import Checked, Limit, Measurement, Proved, Refuted, Root, Undecided, Witness

DIRECTIONS = 3
"""So many independent directions are written out."""
LONG = 30
"""A rational of more characters is rounded."""
WIDE = 16
"""Of a vector with more entries those are written that are not the usual one."""
TERMS = 12
"""An image of more terms is not written out."""
SHARE = 0.6
"""Of the time, for the exact margin; else it is enclosed."""
STEPS = 18
"""So many margins are tried for an enclosure."""

Known = dict[str, Outcome | Measurement]


class Asker:
    """Decides the claims behind an explanation, within a time for all of them."""

    def __init__(self, decider: Decider, seconds: float, shown: Witness | None, known: Known) -> None:
        self.decider = decider
        self.end = time.monotonic() + seconds
        self.shown = shown
        """The points that the reader sees above the reasons."""
        self.known = known
        """What was decided before, by its text."""

    def left(self) -> float:
        return max(0.1, self.end - time.monotonic())

    def ask(self, text: str) -> Outcome:
        """The outcome of an assertion written in the language."""
        if isinstance(before := self.known.get(text), Outcome):
            return before
        outcome = self.decider.decide(claim_of(self.decider.program, template(text)), self.left())
        if not isinstance(outcome.verdict, Undecided):
            self.known[text] = outcome
        return outcome

    def measure(self, text: str) -> Measurement:
        """The value of a measure written in the language."""
        if isinstance(before := self.known.get(text), Measurement):
            return before
        value = self.decider.compute(measure_of(self.decider.program, template(text)), self.left())
        if value.amount is not None:
            self.known[text] = value
        return value

    def why(self, model: str, oracle: str, checked: Checked, blamed: bool) -> Iterator[str]:
        """The paper's case, containment both ways, the unnecessary features, and (if the claim is about all of X, and
        fails) which part is to blame."""
        case = self.measure(f"case({model}, {oracle})")
        if case.amount is not None:
            notes = " ".join(case.notes)
            if case.pair is not None and len(case.pair.points) == 2:  # of the measure, which is not shown here
                notes = naming(notes, self.points(case.pair))
            yield f"Case {case.amount}{believing(case.trusts)}. {notes}"
        else:
            yield f"Which case it is stayed open: {case.why}."
        plain = checked.of == "contained" and "of:" not in checked.text and not isinstance(checked.verdict, Undecided)
        contained = checked.verdict if plain else self.ask(f"contained({model}, {oracle})").verdict
        back = self.ask(f"contained({oracle}, {model})").verdict
        yield self.containment(model, oracle, contained)
        yield self.containment(oracle, model, back)
        unnecessary = self.measure(f"unnecessary_features({model}, {oracle})")
        if unnecessary.amount is not None and unnecessary.amount != "none":
            held = isinstance(contained, Proved)
            alone = f", each taken as a plain number (the metric of {model} makes up for that)" if held else ""
            yield f"Unnecessary features of {model}{alone}: {unnecessary.amount}{believing(unnecessary.trusts)}."
            yield from unnecessary.notes
            if unnecessary.notes:
                yield from self.directions(model, oracle)
        elif unnecessary.amount is None:
            yield f"Which features of {model} are unnecessary stayed open: {unnecessary.why}."
        yield from self.own_labels(oracle)
        if isinstance(checked.verdict, Undecided) or checked.of == "equivalent":
            return
        factors = self.ask(f"factors({model}, {oracle})").verdict
        features = f"The features of {model} are to blame: contained is refuted" if blamed else "contained is refuted"
        match contained, factors:
            case Refuted(_, first), Refuted(_, second):
                pair = next((p for p in (first, second) if p is not None and flips(p, model, oracle)), None)
                which = f"{self.points(pair)}, at" if pair is not None else "two points at"
                yield (
                    f"{features}, and the decision of {model} uses what {oracle} cannot see: {which} oracle distance "
                    "zero, flip, so no radius works for all points."
                )
            case Refuted(), Proved(_, trusts):
                start = features if checked.of in ("contained", "uniformly_contained") else "contained is refuted"
                yield (
                    f"{start}, but {model} never flips between points at oracle distance zero that "
                    f"{oracle} labels alike: factors is proved{believing(trusts)}."
                )
            case Proved(), Refuted(_, Witness() as pair):  # contained: so the distance for the model is 0, too
                start = f"The decision of {model} is to blame: it" if blamed else f"The decision of {model}"
                why = f"{self.points(pair)}, at distance zero for both, flip, so no radius works for all points"
                yield f"{start} uses what its own distance ignores: {why}."
            case Proved(_, trusts), _ if checked.of == "uniformly_contained" and isinstance(checked.verdict, Refuted):
                yield (
                    f"contained is proved{believing(trusts)}: for each point some oracle distance is small enough, "
                    "but none is for all of them."
                )
            case Proved(_, trusts), _ if blamed:
                yield f"The features of {model} are not to blame: contained is proved{believing(trusts)}."
            case _:
                pass
        known = not isinstance(contained, Undecided) and not isinstance(factors, Refuted)
        if checked.of in ("strongly_robust", "robust_at") and known:
            yield from self.boundary(model, oracle, blamed)

    def points(self, pair: Witness) -> str:
        """Two points, written out unless the reader sees them."""
        if self.shown is not None and self.shown.points == pair.points:
            return " and ".join(f"{n}" for n in pair.points) + " above"
        return " and ".join(map(point, pair.points.values()))

    # containment, one way

    def containment(self, model: str, oracle: str, verdict: Proved | Refuted | Undecided) -> str:
        """The verdict with what shows it: a factorisation, a pair at distance 0, or a limit."""
        name = f"contained({model}, {oracle})"
        match verdict:
            case Proved(by, trusts):
                images = ", ".join(self.images(model, oracle)) if by == closed_form.NAME else ""
                return f"{name} is proved" + (f": on X, {images}." if images else f" by {by}{believing(trusts)}.")
            case Refuted(_, Witness() as pair) if pair.limit is None:
                far = next((s.distance for s in pair.seen if s.classifier == model), None)
                apart = f" and {distance_text(far)} for {model}" if far is not None else ""
                if changed := different(pair, model):
                    apart += f", whose {changed} change{'s' if ' ' not in changed else ''}"
                return f"{name} is refuted: {self.points(pair)} have distance 0 for {oracle}{apart}."
            case Refuted(_, Witness(limit=Limit(x, y, z, limit)) as pair):
                if self.shown is not None and self.shown.points == pair.points:
                    return f"{name} is refuted by the limit above."
                metric = self.decider.program.classifiers[model].metric
                start = None if metric is not None and metric.is_quadratic else limit
                tends = f"tends to {exactly(start)}" if start is not None else "does not tend to 0"
                return (
                    f"{name} is refuted: from x = {point(x)} to x' = y + s*(z - y) with y = {point(y)} and z = "
                    f"{point(z)} the distance for {oracle} tends to 0 as s -> 0, and that for {model} {tends}."
                )
            case Undecided(why):
                return f"Whether {name} stayed open: {why}."
            case _:
                return f"{name} is refuted."

    def images(self, model: str, oracle: str) -> Iterator[str]:
        """`f1.h = 2*f2.a + 1`: the factorisation of Theorem 2, where it can be written in features."""
        claim = claim_of(self.decider.program, template(f"contained({model}, {oracle})"))
        assert isinstance(claim, Contained)
        classifiers = self.decider.program.classifiers
        metrics = (classifiers[n].metric for n in (model, oracle))
        plain = all(m is None or m.is_norm for m in metrics)  # else the rows are not those of features
        found = closed_form.factor(self.decider.poser, claim)
        if found is None or not plain:
            return
        targets, given = self.entries(model), self.entries(oracle)
        images = found.images(self.decider.poser)
        if sum(sum(map(bool, row)) for row, _ in images) <= TERMS:
            for target, (row, constant) in zip(targets, images, strict=True):
                yield equation(target, list(zip(row, given, strict=True)), constant)

    def entries(self, name: str) -> list[str]:
        """The features as the language writes them, entry by entry."""
        poser = self.decider.poser
        values = poser.symbolic.features(self.decider.program.classifiers[name], poser.point("x"))
        found = []
        for feature, value in values.items():
            size = len(numbers(value))
            single = isinstance(value, Form)
            found += [f"{name}.{feature}"] if single else [f"{name}.{feature}[{i}]" for i in range(size)]
        return found

    def directions(self, model: str, oracle: str) -> Iterator[str]:
        """A basis of the directions in which the features of the oracle stay the same, and those of the model do not:
        null space of A2, up to that of A1."""
        poser = self.decider.poser
        program = self.decider.program
        inputs = [form.terms[0][0] for form in poser.inputs("x")]
        coarse, fine = (closed_form.features(poser, program.classifiers[n], "x", "") for n in (model, oracle))
        targets = affine_rows(poser.build, coarse or (), inputs)
        given = affine_rows(poser.build, [*(fine or ()), *closed_form.equations(poser)], inputs)
        metric = program.classifiers[model].metric
        if targets is None or given is None or (metric is not None and not metric.is_norm):
            return
        assert program.domain is not None
        axes = [
            c.name if c.size is None else f"{c.name}[{i}]"
            for c in program.domain.coordinates
            for i in range(c.size or 1)
        ]
        moves: list[tuple[Fraction, ...]] = []
        for way in null_space(given[0], len(inputs)):
            move = tuple(closed_form.dot(row, way) for row in targets[0])
            if rank([*moves, move]) > len(moves) and len(moves) < DIRECTIONS:
                moves.append(move)
                yield (
                    f"Along {changes(way, axes)} no feature of {oracle} changes, and {model} changes by "
                    f"{changes(move, self.entries(model))}."
                )

    # the oracle's labels

    def own_labels(self, oracle: str) -> Iterator[str]:
        """Whether they are read off what its distance ignores: then they are to blame, whatever the model does."""
        classifier, domain = self.decider.program.classifiers[oracle], self.decider.program.domain
        assert domain is not None
        metric = classifier.metric
        if classifier.decide is None or metric is None or metric.separates:  # else equal features, and equal labels
            return
        text = f"forall u, v in {domain.name}: distance({oracle}, u, v) == 0 => {oracle}(u) == {oracle}(v)"
        match self.ask(text).verdict:
            case Refuted(_, Witness() as pair):
                labels = " and ".join(self.decider.replay.interpreter.label(oracle, p) for p in pair.points.values())
                where = f"{self.points(pair)} have distance 0 for it, and are labelled {labels}"
                none = "no classifier that keeps its label at oracle distance zero is accurate"
                yield f"The labels of {oracle} are read off what its distance ignores: {where}. So {none}."
            case _:
                pass

    # the decision

    def boundary(self, model: str, oracle: str, blamed: bool) -> Iterator[str]:
        """What the decision has to do with it (Theorem 3): do flipped pairs that come near for the oracle come near for
        the model, too?"""
        radius = self.measure(f"critical_radius({model}, {oracle})")
        match radius.amount:
            case "infinity":
                yield f"No two points that {oracle} labels alike get different labels from {model}: every radius works."
            case Fraction() as value if value == 0:
                believed = f", trusting {' and '.join(radius.trusts)}" if radius.trusts else ""
                none = "no radius works for all points"
                near = f"Pairs that flip come arbitrarily near for {oracle} (critical radius 0{believed})"
                start = f"The decision of {model} is to blame: it" if blamed else f"The decision of {model}"
                constant = self.decider.program.classifiers[oracle]
                labels = "" if constant.decide is not None or constant.network is not None else ", all of X,"
                match self.together(model, oracle):
                    case Fraction() as both if both == 0:
                        yield (
                            f"{start} cuts a class of {oracle}{labels} without a gap: pairs that flip come arbitrarily "
                            f"near for both (critical radius 0{believed}), and {none}."
                        )
                    case Fraction() as both:
                        yield (
                            f"{near}, but the sum of both distances is never below {exactly(both)}: {none}, and the "
                            f"features of {model} are {'to blame: they are ' if blamed else ''}not uniformly contained."
                        )
                    case _:
                        yield f"{near}: {none}."
            case Fraction() | Root() as value:
                reached = "a pair at this distance flips" if radius.attained else "no pair at this distance flips"
                yield (
                    f"The critical radius is {distance_text(value)}{believing(radius.trusts)}: every open ball up "
                    "to it works, "
                    f"no larger one does ({reached})."
                )
            case _:
                pass

    def nearest(self, model: str, oracle: str, body: tree.Apply) -> Iterator[str]:
        """The largest radius that works at a point."""
        where = next((unparse(a.value) for a in body.arguments[2:] if not a.label), "")
        free = any(a.label == "agree" and unparse(a.value) == "false" for a in body.arguments)
        least = self.measure(f"min_distance({model}, {oracle}, {where}{', agree: false' if free else ''})")
        who = "point" if free else f"point that {oracle} labels alike"
        match least.amount:
            case "infinity":
                yield f"At {where} every radius works: no {who} flips."
            case Fraction() as value if value == 0:
                near = "even at distance 0" if least.attained else "as near as one likes"
                points = "points" if free else f"points that {oracle} labels alike"
                yield f"At {where} no radius works{believing(least.trusts)}: {points} flip {near}."
            case Fraction() | Root() as value:
                reached = f"{'a' if least.attained else 'no'} {who} at this distance flips"
                amount = f"{distance_text(value)}{believing(least.trusts)}"
                yield f"At {where} every open ball up to the radius {amount} works, no larger one does ({reached})."
            case _:
                pass

    def together(self, model: str, oracle: str) -> Fraction | None:
        """inf { d1' + d2' } over the pairs that flip, where those come arbitrarily near for the oracle: 0 iff they do
        so for the model, too; None if that is not known. Of l2 only where containment is uniform, which forces it."""
        metrics = [self.decider.program.classifiers[n].metric for n in (model, oracle)]
        if any(m is not None and m.is_quadratic for m in metrics):
            uniform = self.ask(f"uniformly_contained({model}, {oracle})").verdict
            return Fraction(0) if isinstance(uniform, Proved) else None
        near = measure_of(self.decider.program, template(f"critical_radius({model}, {oracle})"))
        assert isinstance(near, Infimum)
        both = replace(near, of=template(f"distance({model}, x, x') + distance({oracle}, x, x')"))
        value = self.decider.compute(both, self.left())
        return value.amount if value.how == "exact" and isinstance(value.amount, Fraction) else None

    def labels(self, model: str, oracle: str) -> Iterator[str]:
        """Why a model is not accurate: its features miss what the oracle decides by, or its decision does."""
        note, points, trusts = accurate(self.decider, model, oracle, None)
        if points is not None:
            said = naming(note, " and ".join(map(point, points.values())))
            yield f"The features of {model} are to blame. {said}"
        elif note.startswith("Some"):
            yield f"The decision of {model} is to blame. {note[:-1]}{believing(trusts)}."
        else:
            yield note
        yield from self.own_labels(oracle)

    def way_out(self, model: str, body: tree.Apply, claim: Always) -> Iterator[str]:
        """The least margin that restores robustness: the supremum of the margin of x over the flipped pairs."""
        margin = self.decider.poser.symbolic.margin(
            self.decider.program.classifiers[model], self.decider.poser.point(claim.points[0])
        )
        if (
            claim.almost
            or not isinstance(margin, Form)
            or any(a.label in ("where", "where_both") for a in body.arguments)
        ):
            return
        least = supremum(self.decider, model, claim, SHARE * self.left())
        if least is not None and least.value is None:
            yield f"No margin of {model} restores it: flipped pairs have arbitrarily large ones."
            return
        if least is not None and isinstance(least.value, Fraction) and len(str(least.value)) <= LONG:
            for relation in (">", ">=") if least.attained else (">=", ">"):
                option = f"margin({model}) {relation} {least.value}"
                if (held := self.restored(body, option)) is not None:
                    yield f"With `where: {option}` it holds{held}; with a smaller margin it does not."
                    return
        elif least is not None:
            assert least.value is not None
            option = f"margin({model}) >= {plain(above(least.value))}"
            if (held := self.restored(body, option)) is not None:
                amount = f"{distance_text(least.value)}{believing(least.trusts)}"
                yield (
                    f"Margins of flipped pairs go up to {amount}: with `where: {option}` it holds{held}, with a margin "
                    "below those it does not."
                )
                return
        yield from self.enclosed(model, body)

    def restored(self, body: tree.Apply, option: str) -> str | None:
        """With this option it is proved: what there is to remark."""
        found = self.ask(f"{unparse(body)[:-1]}, where: {option})")
        if not isinstance(found.verdict, Proved):
            return None
        return (" (vacuously: no point has it)" if found.vacuous else "") + believing(found.verdict.trusts)

    def enclosed(self, model: str, body: tree.Apply) -> Iterator[str]:
        """A margin with which it holds, and one near it with which it does not: both are decided."""
        held: dict[Fraction, str] = {}

        def holds(margin: Fraction) -> bool | None:
            found = self.ask(f"{unparse(body)[:-1]}, where: margin({model}) >= {margin})")
            match found.verdict:
                case Proved(_, trusts):
                    held[margin] = (" (vacuously: no point has it)" if found.vacuous else "") + believing(trusts)
                    return True
                case Refuted(_, _, trusts):
                    held[margin] = believing(trusts)
                    return False
                case _:
                    return None

        ends = bracket(holds, lambda: self.end > time.monotonic())
        if ends is None:
            yield "The least margin that would restore it was not found in time."
            return
        low, high = ends
        less = f", with `where: margin({model}) >= {plain(low)}` it does not{held[low]}" if low is not None else ""
        yield f"With `where: margin({model}) >= {plain(high)}` it holds{held[high]}{less}."


def bracket(
    holds: Callable[[Fraction], bool | None], goes_on: Callable[[], bool]
) -> tuple[Fraction | None, Fraction] | None:
    """Two short decimals, with the lower of which it does not hold, with the upper one it does, as near as three digits
    and the time allow; None: no upper one was found."""
    low: Fraction | None = None
    high: Fraction | None = None
    tried = Fraction(1)
    for _ in range(STEPS):
        match holds(tried) if goes_on() else None:
            case None:
                break
            case True:
                high = tried
            case False:
                low = tried
        if high is None:
            tried *= 10
        elif low is None:
            tried /= 10
        else:
            unit = Fraction(10) ** (len(str(int(high * 10**STEPS))) - STEPS - 3)
            tried = (low + high) / 2 // unit * unit
            if tried <= low:
                break
    return None if high is None else (low, high)


def plain(number: Fraction) -> str:
    """A short decimal as the language reads it."""
    return decimal(number, LONG)


def above(value: Fraction | Surd) -> Fraction:
    """A decimal of six digits just above a positive number."""
    close = value if isinstance(value, Fraction) else value.near
    unit = Fraction(10) ** (Decimal(decimal(close, 6)).adjusted() - 5)
    return (close // unit + 1) * unit


def naming(note: str, points: str) -> str:
    """A note of a measure with the points in the place of `x and x'`, which are not shown."""
    return re.sub(r"\bat x and x'(?=[.,])", lambda _: f"at {points}", note)


def flips(pair: Witness, model: str, oracle: str) -> bool:
    """At oracle distance zero the model changes its label, and the oracle does not."""
    seen = {s.classifier: s for s in pair.seen}
    if model not in seen or oracle not in seen or len(pair.points) != 2:
        return False
    return seen[oracle].distance == 0 and len(set(seen[model].labels)) == 2 and len(set(seen[oracle].labels)) == 1


def different(pair: Witness, name: str) -> str:
    """The entries of vectors of features on which the points differ, unless those are all of them: at oracle distance
    zero none of these is contained."""
    seen = next((s for s in pair.seen if s.classifier == name), None)
    if seen is None or len(seen.features) != 2:
        return ""
    first, second = seen.features
    found = []
    for feature, value in first.items():
        other = second[feature]
        if isinstance(value, tuple) and isinstance(other, tuple):
            entries = [i for i, (a, b) in enumerate(zip(value, other, strict=True)) if a != b]
            found += [f"{feature}[{i}]" for i in entries] if len(entries) < len(value) else []
    return listed(found) if len(found) <= TERMS else ""


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), *words[-1:]])


def equation(target: str, terms: Sequence[tuple[Fraction, str]], constant: Fraction) -> str:
    """`f1.h = 2*f2.a + 1`; with numbers that nobody reads it is rounded."""
    if all(len(str(abs(w))) <= LONG for w in (constant, *(w for w, _ in terms))):
        return f"{target} = {combination(terms, constant, str)}"
    return f"{target} {ABOUT} {combination(terms, constant, lambda w: decimal(w, 6))}"


def combination(terms: Iterable[tuple[Fraction, str]], constant: Fraction, said: Callable[[Fraction], str]) -> str:
    """`2*a - b + 1/2`."""
    parts = [(w, name) for w, name in terms if w] + ([(constant, "")] if constant else [])
    text = ""
    for weight, name in parts:
        size = abs(weight)
        term = said(size) if not name else name if size == 1 else f"{said(size)}*{name}"
        sign = ("-" if weight < 0 else "") if not text else " - " if weight < 0 else " + "
        text += sign + term
    return text or "0"


def changes(vector: Sequence[Fraction], names: Sequence[str]) -> str:
    """`{a: 1, b: -1}`: the entries that are not 0."""
    return "{" + ", ".join(f"{n}: {number(v)}" for n, v in zip(names, vector, strict=True) if v) + "}"


def point(values: PointValue) -> str:
    """`{a: 1/2, sex: f}`, in exact numbers as long as they can be read."""
    return "{" + ", ".join(f"{name}: {exactly(value)}" for name, value in values.items()) + "}"


def exactly(value: Value) -> str:
    match value:
        case Fraction():
            return number(value, short=LONG)
        case str():
            return printable(value)
        case _ if len(value) > WIDE:
            ((usual, _),) = Counter(value).most_common(1)
            others = [f"[{i}]: {exactly(v)}" for i, v in enumerate(value) if v != usual]
            more = f" and {len(others) - WIDE} more" if len(others) > WIDE else ""
            return f"all {exactly(usual)}" + (f" but {', '.join(others[:WIDE])}{more}" if others else "")
        case _:
            return "[" + ", ".join(map(exactly, value)) + "]"


def believing(trusts: Sequence[str]) -> str:
    return f" (trusting {' and '.join(trusts)})" if trusts else ""
