"""`verifier repair`: the nearest classifier that sees no more than the oracle, written as a file of its own and proved.

`mend` proposes classifiers and proves them; here one is put into the file, which is then checked as it stands. Only
what has to change is changed, by place: the model, the `expect` of assertions that come out otherwise, and params that
were set.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from verifier.api import Loaded, Options, load, load_text
from verifier.engines.worker import Lent
from verifier.model.assertion import claim_of, template
from verifier.model.elaborate import names_in
from verifier.model.interpret import Interpreter
from verifier.model.program import Classifier, PointValue, Program
from verifier.report.reasons import believing
from verifier.report.terminal import diagnostic_text
from verifier.source import Source
from verifier.source.text import NOWHERE
from verifier.surfaces.exits import FINE, UNDECIDED, USAGE
from verifier.surfaces.mend import (
    CONTAINED,
    DECISION,
    FACTORS,
    LINF,
    UNIFORM,
    Choice,
    Late,
    Mender,
    decides,
    fresh,
    taken,
)
from verifier.surfaces.naming import no_assertion
from verifier.surfaces.place import CannotWrite, Place
from verifier.surfaces.terminal import Screen
from verifier.syntax import tree
from verifier.syntax.format import format_source, unparse
from verifier.syntax.lexer import lex
from verifier.verdict.verdict import Checked, FileResult, Measurement, Proved, Refuted, Undecided

WORDS = ("contained", "contained_at", "uniformly_contained", "factors")
"""What can be repaired: features that are contained have all of these (the third, if it is asked for)."""

WIDTH = 85
SHORT, LONG = 25, 60


class CannotRepair(Exception):
    """Why nothing is written. `code`: what the command answers."""

    def __init__(self, why: str, code: int = UNDECIDED) -> None:
        super().__init__(why)
        self.code = code


class Target(Struct, frozen=True):
    """What is to become true. `declaration` None: no assertion of the file says it, so one is added."""

    declaration: tree.Assert | None
    model: str
    oracle: str
    claim: str = CONTAINED


def run(
    path: str, name: str, output: str | None, settings: Mapping[str, str], timeout: float, force: bool, screen: Screen
) -> int:
    place = Place(output if output is not None else str(Path(path).with_suffix(".repaired.vf")), path, force)
    try:
        place.check()
    except CannotWrite as why:
        screen.say(f"{why}")
        return USAGE
    options = Options(timeout=timeout)  # what is written must hold as it stands, without any --set
    loaded = load(path, replace(options, settings=settings))
    for diagnostic in loaded.diagnostics:
        screen.say(diagnostic_text(diagnostic, loaded.lines, screen.paint_err))
    if any(d.severity == "error" for d in loaded.diagnostics):
        return USAGE
    try:
        with loaded.worker:
            beside(loaded, place.path, options)
            repair = Repair(loaded, chosen(loaded, name, timeout), options, place.path)
            repair.set(settings)
            repair.mend()
            told = repair.told(repair.proved())
        place.write(repair.text.encode("utf-8-sig" if repair.source.marked else "utf-8"))
    except CannotRepair as why:
        screen.say(f"{path}: {why}")
        return why.code
    except CannotWrite as why:
        screen.say(f"{why}")
        return USAGE
    head, *rest = told
    screen.result(f"{head}\n")
    for sentence in rest:
        screen.result("".join(f"   {line}\n" for line in textwrap.wrap(sentence, WIDTH, break_long_words=False)))
    screen.result(f"Written to {place.said}.\n")
    return FINE


def beside(loaded: Loaded, target: str, options: Options) -> None:
    """Raises CannotRepair if files that the file names are not found from the folder of the target."""
    if Path(target).parent.resolve() == Path(loaded.path).parent.resolve():
        return
    text = loaded.sources[loaded.path].text
    there = load_text(text, target, options, worker=Lent(loaded.worker))
    if wrong := [d for d in there.diagnostics if d.severity == "error"]:
        raise CannotRepair(
            f"the files that it names would be looked for beside {target}: {wrong[0].message} Choose a place in the "
            "same folder.",
            USAGE,
        )


def chosen(loaded: Loaded, name: str, timeout: float) -> Target:
    """The assertion called `name`, or the first that is refuted and can be repaired, containment before `factors`."""
    classifiers = loaded.program.classifiers
    decider = loaded.decider()
    pairs: list[tuple[str, str]] = []
    found: list[tuple[tree.Assert, str, tuple[str, str]]] = []
    for d, _ in loaded.items:
        match d.body:
            case tree.Apply(_, tree.Name(_, word), arguments):
                plain = [a.value.id for a in arguments if isinstance(a.value, tree.Name) and not a.label][:2]
                if len(plain) == 2 and all(p in classifiers for p in plain):
                    pairs.append((plain[0], plain[1]))
                    if isinstance(d, tree.Assert) and word in WORDS:
                        found.append((d, word, pairs[-1]))
    if name:
        found = [entry for entry in found if entry[0].name.id == name]
        if not found:
            known = [d.name.id for d, _ in loaded.items if isinstance(d, tree.Assert)]
            if name in known:
                raise CannotRepair(f"{name} cannot be repaired. Name one that says {', '.join(WORDS)}.", USAGE)
            raise CannotRepair(no_assertion(loaded, name), USAGE)
    open_ = ""
    for d, _, (model, oracle) in sorted(found, key=lambda entry: entry[1] == "factors"):
        match decider.decide(claim_of(loaded.program, d.body), timeout).verdict:
            case Refuted():
                return Target(d, model, oracle, asked_for(d.body))
            case Undecided(why):
                open_ = f"{d.name.id} stayed undecided: {why}."
            case Proved() if name:
                raise CannotRepair(f"{name} is proved: there is nothing to repair.")
            case Proved():
                pass
    models = [c.name for c in classifiers.values() if c.kind == "model"]
    oracles = [c.name for c in classifiers.values() if c.kind == "oracle"]
    if not pairs and len(models) == len(oracles) == 1:
        pairs.append((models[0], oracles[0]))
    if found or not pairs:
        nothing = "What it says of features is proved: there is nothing to repair."
        raise CannotRepair(
            open_ or (nothing if found else "Which model is to be repaired? Assert `contained(model, oracle)`.")
        )
    model, oracle = pairs[0]
    if isinstance(
        decider.decide(claim_of(loaded.program, template(f"contained({model}, {oracle})")), timeout).verdict, Proved
    ):
        raise CannotRepair(f"`{model}` is contained in `{oracle}`: there is nothing to repair.")
    return Target(None, model, oracle)


def asked_for(body: tree.Expr) -> str:
    """What the repaired model has to be (that it is enough, the file as it stands shows)."""
    match body:
        case tree.Apply(_, tree.Name(_, "factors")):
            return FACTORS
        case tree.Apply(_, tree.Name(_, "uniformly_contained")):
            return UNIFORM
        case tree.Apply(_, _, arguments) if any(a.label == "of" and unparse(a.value) == "decision" for a in arguments):
            return DECISION
        case _:
            return CONTAINED


class Cost(Struct, frozen=True):
    """Measures (name, body) at the end of the file: one says how far old and new agree, two how accurate they are."""

    over: str
    against: str
    computes: tuple[tuple[str, str], ...]


class Repair:
    """The file with one classifier exchanged."""

    def __init__(self, loaded: Loaded, target: Target, options: Options, path: str) -> None:
        self.loaded, self.target, self.options, self.path = loaded, target, options, path
        self.edits: dict[tuple[int, int], str] = {}
        """Places of the old text, and what stands there now."""
        self.added: list[str] = []
        self.renamed: dict[str, str] = {}
        """What speaks of the old model now, as the new one has not got what it says; and why."""
        program = loaded.program
        self.source = self.loaded.sources[self.loaded.path]
        self.model, self.oracle = program.classifiers[target.model], program.classifiers[target.oracle]
        self.names = taken(program)
        declared = (d for d in self.loaded.declarations if isinstance(d, tree.Model | tree.Imported))
        self.declaration = next(d for d in declared if d.name.id == target.model)
        self.here = self.declaration.span.file == self.loaded.path
        self.old = self._fresh(f"{target.model}_before") if self.here else target.model
        self.new = target.model if self.here else self._fresh(f"{target.model}_repaired")
        self.asked = target.declaration.name.id if target.declaration is not None else self._fresh("repaired")
        self.unchanged = self._fresh("unchanged")
        self.choice: Choice
        self.domain = ""
        self.costs: tuple[Cost, ...] = ()
        self.places: tuple[PointValue, ...] = ()
        self.notes: list[str] = []

    def _fresh(self, name: str) -> str:
        name = fresh(name, self.names)
        self.names.add(name)
        return name

    # the parts that change

    def set(self, settings: Mapping[str, str]) -> None:
        """What `--set` chose becomes what the file says."""
        for d in self.loaded.declarations:
            if isinstance(d, tree.Param) and d.name.id in settings:
                if d.span.file != self.loaded.path:
                    raise CannotRepair(
                        f"`{d.name.id}` is a param of {d.span.file}, which is not rewritten: set it there.", USAGE
                    )
                self.edits[d.value.span.start, d.value.span.end] = settings[d.name.id]

    def mend(self) -> None:
        """Find the classifier, and put it in."""
        target, loaded = self.target, self.loaded
        seconds = self.options.timeout
        mender = Mender(loaded.program, loaded.worker, target.model, target.oracle, target.claim, seconds)
        choice = mender.best()
        if choice is None:
            raise CannotRepair(f"No classifier near `{target.model}` was proved to see no more than `{target.oracle}`.")
        self.choice = choice
        text = self._declared(replace(choice.candidate.classifier, name=self.new))
        span, name = self.declaration.span, self.declaration.name.span
        if self.here:
            self.edits[span.start, span.start] = f"{text}\n\n# before the repair of {self.asked}\n"
            self.edits[name.start, name.end] = self.old
        elif target.declaration is None:
            self.added.append(text)
        else:
            start = min([target.declaration.span.start, *(a.span.start for a in target.declaration.annotations)])
            self.edits[start, start] = f"{text}\n\n"
            self._rename(target.declaration, self.new)
        if target.declaration is None:
            self.added.append(f"assert {self.asked}: contained({self.new}, {target.oracle})")
        if decides(self.model):
            expected = "" if choice.same else " expect refuted"
            self.added.append(f"# what the repair of {self.asked} cost")
            self.added.append(f"assert {self.unchanged}: {self.old} == {self.new}{expected}")
        self.domain = mender.domain.name
        self.costs = tuple(self._costs(loaded.program, self.domain))
        self.added += [f"compute {name}: {body}" for cost in self.costs for name, body in cost.computes]
        with suppress(Late):
            self.places = (mender.somewhere, *mender.grid)

    def _costs(self, program: Program, where: str) -> Iterator[Cost]:
        """The measures that say what it cost, where they can be computed."""
        if not decides(self.model):
            return
        sides = (("before", self.old), ("after", self.new))
        if self.choice.share.amount is not None:
            if not self.choice.same:
                yield Cost(where, "", ((self._fresh("agreement"), f"accuracy({self.new}, {self.old})"),))
            if decides(self.oracle):
                against = self.oracle.name
                pair = ((self._fresh(f"accuracy_{when}"), f"accuracy({f}, {against})") for when, f in sides)
                yield Cost(where, f" against {against}", tuple(pair))
        for name, data in program.data.items():
            over = f"the rows of {name}"
            if data.labels is not None:
                pair = ((self._fresh(f"{name}_{when}"), f"accuracy({f}, {name})") for when, f in sides)
                yield Cost(over, "", tuple(pair))
            else:
                yield Cost(over, "", ((self._fresh(f"{name}_agreement"), f"accuracy({self.new}, {self.old}, {name})"),))

    def _declared(self, classifier: Classifier) -> str:
        """The classifier as text."""
        d = self.declaration
        kept = classifier.metric == self.model.metric
        if classifier.network is not None:
            assert isinstance(d, tree.Imported) and isinstance(d.call, tree.Apply)
            new = [] if classifier.inputs is None else [tree.Argument(NOWHERE, "inputs", classifier.inputs)]
            gone = {"inputs", *(() if kept else ("metric",))}
            if not kept and classifier.metric is not None:
                new.append(tree.Argument(NOWHERE, "metric", tree.Name(NOWHERE, "linf")))
            arguments = (*(a for a in d.call.arguments if a.label not in gone), *new)
            text = f"{d.kind} {classifier.name} = {unparse(tree.Apply(NOWHERE, d.call.function, arguments))}"
        else:
            features = ", ".join(f"{f.name} = {unparse(f.value)}" for f in classifier.features)
            text = f"{d.kind} {classifier.name} {{\nfeatures {features}"
            if kept and isinstance(d, tree.Model) and d.metric is not None:
                m = d.metric
                own = f"{m.name.id}({', '.join(p.id for p in m.parameters)}) = " if m.name is not None else ""
                text += f"\nmetric {own}{unparse(m.value)}"
            elif classifier.metric == LINF:
                text += "\nmetric linf"
            text += f"\ndecide {unparse(classifier.decide)}\n}}" if classifier.decide is not None else "\n}"
        shaped = format_source(Source(self.path, text))
        return shaped.rstrip("\n") if isinstance(shaped, str) else text

    # the text

    @property
    def text(self) -> str:
        """With the line ends that the file has."""
        text, ended = self.source.text, self.source.ended
        for (start, end), instead in sorted(self.edits.items(), reverse=True):
            text = text[:start] + ended(instead) + text[end:]
        return text.rstrip("\r\n") + ended("\n\n" + "\n".join(self.added) + "\n")

    def _rename(self, d: tree.Declaration, name: str) -> None:
        """The declaration speaks of another classifier than of the model."""
        tokens, _ = lex(self.source)
        before = ""
        for token in tokens:
            start = token.start_pos or 0
            if d.span.start <= start < d.span.end and str(token) == self.target.model and before != ".":
                self.edits[start, start + len(self.target.model)] = name
            before = str(token)

    def _expect(self, d: tree.Assert, word: str) -> None:
        """The assertion expects this verdict."""
        start, end = d.body.span.end, d.span.end
        tail = self.source.text[start:end]
        if d.expect_written:
            changed = re.sub(r"\bexpect\s+(proved|refuted)\b", f"expect {word}", tail)
            if word == "proved" and "#" not in tail:
                changed = re.sub(r"\s*\bexpect\s+(proved|refuted)\b", "", tail)
            self.edits[start, end] = changed
        elif word == "refuted":
            self.edits[end, end] = " expect refuted"

    # the proof

    def proved(self) -> FileResult:
        """The file as it stands, checked. Raises CannotRepair unless what was asked for is proved in it."""
        result = self._checked()
        for a in result.assertions:
            d = self._asserted(a.name)
            word = "proved" if a.name == self.asked else a.word  # it has another look below
            if word != "unknown" and word != a.expected:
                if d is not None:
                    self._expect(d, word)
                elif a.name == self.unchanged:
                    self.added = [line.removesuffix(" expect refuted") for line in self.added]
        final = self._load().check(replace(self.options, only=frozenset({self.asked}), certifying=False))
        if not final.assertions or final[self.asked].word != "proved" or final.exit_code != FINE:
            raise CannotRepair("the repair could not be proved; nothing is written.")
        asked = final[self.asked]
        if result[self.asked].word == "proved":  # of the same claim, with a certificate where one was found
            asked = replace(asked, verdict=result[self.asked].verdict)
        return replace(result, assertions=tuple(asked if a.name == self.asked else a for a in result.assertions))

    def _load(self) -> Loaded:
        return load_text(self.text, self.path, self.options, worker=Lent(self.loaded.worker))

    def _asserted(self, name: str) -> tree.Assert | None:
        return next((d for d, _ in self.loaded.items if isinstance(d, tree.Assert) and d.name.id == name), None)

    def _checked(self) -> FileResult:
        """Everything that speaks of the model, checked in the new text. What it cannot say of the new one it says of
        the old one."""
        while True:
            loaded = self._load()
            wrong = [d for d in loaded.diagnostics if d.severity == "error"]
            if not wrong:
                break
            broken = {
                d.name.id
                for d in loaded.declarations
                if isinstance(d, tree.Assert | tree.Compute | tree.Def)
                and any(d.span.file == w.span.file and d.span.start <= w.span.start < d.span.end for w in wrong)
            }
            old = [d for d in self.loaded.declarations if not isinstance(d, tree.Labels | tree.Use)]
            mend = [d for d in old if d.name.id in broken - self.renamed.keys() and d.span.file == self.loaded.path]
            if not mend or not self.here:
                raise CannotRepair(f"the repaired file has a mistake, so nothing is written: {wrong[0].message}")
            for d in mend:
                self.renamed[d.name.id] = wrong[0].message
                self._rename(d, self.old)
        self.notes = list(self._plain(loaded))
        wanted = {name for name in loaded.names if self._concerned(loaded, name)}
        return loaded.check(replace(self.options, only=frozenset(wanted)))

    def _concerned(self, loaded: Loaded, name: str) -> bool:
        """The assertion or compute speaks of the model, old or new."""
        body = next(d.body for d, _ in loaded.items if d.name.id == name)
        todo, seen = names_in(body), set[str]()
        while todo:
            used = todo.pop()
            if used in (self.old, self.new):
                return True
            if used not in seen and used in loaded.program.functions:
                todo |= names_in(loaded.program.functions[used].body)
            seen.add(used)
        return name == self.asked

    # the report

    def told(self, result: FileResult) -> list[str]:
        """What was proved, and what it cost: a head and sentences."""
        asked = result[self.asked]
        assert isinstance(asked.verdict, Proved)
        head = f"{asked.name} {asked.text}: proved, {asked.verdict.by}{believing(asked.verdict.trusts)}."
        how = [h for h in self.choice.candidate.how if not any(n.startswith(h[:-1]) for n in self.notes)]
        return [head, *how, *self._cost(result), *self.notes, *self._others(result.assertions)]

    def _cost(self, result: FileResult) -> Iterator[str]:
        """What became of the labels."""
        if not decides(self.model):
            return
        values = {c.name: c.result for c in result.computed}
        verdict = next(a.verdict for a in result.assertions if a.name == self.unchanged)
        if isinstance(verdict, Proved):
            yield f"No label changes: {self.new} is {self.old} everywhere{believing(verdict.trusts)}."
        elif isinstance(verdict, Refuted):
            yield "Some labels change."
        for cost in self.costs:
            results = [values[name] for name, _ in cost.computes]
            told, trusts = (
                [said(r) for r in results],
                believing(tuple(dict.fromkeys(t for r in results for t in r.trusts))),
            )
            if len(told) == 1:
                null = ": the volume of the rest is 0" if self._null(cost, results[0]) else ""
                yield f"{self.new} and {self.old} agree on {told[0]} of {cost.over}{null}{trusts}."
            else:
                yield f"Accuracy on {cost.over}{cost.against}: {told[0]} before, {told[1]} after{trusts}."
        if self.choice.share.amount is None:
            yield f"No share of the domain can be given: {self.choice.share.why}."

    def _null(self, cost: Cost, share: Measurement) -> bool:
        """The two differ only where nothing is counted."""
        return share.amount == 1 and not self.choice.same and cost.over == self.domain

    def _plain(self, loaded: Loaded) -> Iterator[str]:
        """Whether the new model is constant, and whether it has to be."""
        decider = loaded.decider()
        domain = loaded.program.domain
        assert domain is not None

        def holds(formula: str) -> Proved | None:
            verdict = decider.decide(claim_of(loaded.program, template(formula)), self.options.timeout).verdict
            return verdict if isinstance(verdict, Proved) else None

        if not decides(self.model):
            return
        interpreter = Interpreter(loaded.program)
        labels = {interpreter.label(self.new, point) for point in self.places}
        if len(labels) != 1:
            return
        (label,) = labels
        found = holds(f"forall x in {domain.name}: {self.new}(x) == {label}")
        if found is None:
            return
        yield f"{self.new} is {label} everywhere{believing(found.trusts)}."
        found = holds(f"forall x, x' in {domain.name}: distance({self.oracle.name}, x, x') <= 0")
        if found is not None:
            yield (
                f"{self.oracle.name} sees nothing at all: any two points are at distance 0{believing(found.trusts)}, "
                "so that no feature that is contained in it tells two points apart."
            )

    def _others(self, checked: Sequence[Checked]) -> Iterator[str]:
        """What else comes out otherwise than before."""
        for name in self.renamed:
            yield f"{name} speaks of {self.old}: it says what cannot be said of {self.new}."
        for a in checked:
            if a.name in (self.asked, self.unchanged) or a.met:
                continue
            if isinstance(a.verdict, Undecided):
                yield f"{a.name} {a.text} stayed undecided: {a.verdict.why}."
            elif a.vacuous:
                yield f"{a.name} {a.text} is {a.word}, but {a.vacuous[:1].lower()}{a.vacuous[1:]}"
            else:
                yield f"{a.name} {a.text} is {a.word} of the repaired model, which the file now expects."


def said(value: Measurement) -> str:
    """A share, exactly or as far as it is known."""
    match value.amount:
        case Fraction() as share:
            text, near = str(share), f"{float(share):.6g}"
            if len(text) <= SHORT:
                return text
            near = f"≈ {near}" if near != "1" else f"≈ 1 - {float(1 - share):.2g}"
            return f"{text} {near}" if len(text) <= LONG else near
        case None:
            return f"what stayed open ({value.why})"
        case words:
            return f"what is certainly in {words}"
