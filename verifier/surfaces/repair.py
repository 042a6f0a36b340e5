"""`verifier repair`: the nearest classifier that sees no more than the oracle, written as a file of its own and proved.

The coordinates x that the model is fed are replaced by c + P (x - c), where P projects onto what the oracle's (affine)
features see
and c is the middle of the domain: the new feature map factors through the oracle's (Theorem 2, and PL maps of affine
ones).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from verifier.api import Loaded, Options, load, load_text
from verifier.canonical.affine import affine_rows
from verifier.canonical.project import projection
from verifier.model.meaning import numbers
from verifier.model.program import Classifier, Coordinate, Program
from verifier.query.pose import Poser
from verifier.report.terminal import diagnostic_text, file_text
from verifier.source import Source
from verifier.source.text import NOWHERE
from verifier.surfaces.exits import FINE, UNDECIDED, USAGE
from verifier.surfaces.terminal import Screen
from verifier.syntax import tree
from verifier.syntax.format import format_source, unparse


class CannotRepair(Exception):
    """Why there is no repair of this kind."""


def run(path: str, output: str | None, settings: Mapping[str, str], timeout: float, screen: Screen) -> int:
    options = Options(timeout=timeout)  # what is written must hold as it stands, without any --set
    loaded = load(path, replace(options, settings=settings))
    loaded.worker.close()
    for diagnostic in loaded.diagnostics:
        screen.say(diagnostic_text(diagnostic, loaded.lines, screen.paint_err))
    if any(d.severity == "error" for d in loaded.diagnostics):
        return USAGE
    try:
        text = repaired(loaded, options)
    except CannotRepair as why:
        screen.say(f"{path}: {why}")
        return UNDECIDED
    target = output or str(Path(path).with_suffix(".repaired.vf"))
    result = load_text(text, str(Path(path).with_name(Path(target).name)), options).check(options)
    if (
        any(d.severity == "error" for d in result.diagnostics)
        or not result.assertions
        or result["repaired"].word != "proved"
    ):
        for diagnostic in result.diagnostics:
            screen.say(diagnostic_text(diagnostic, result.lines, screen.paint_err))
        screen.say(f"{path}: the repair could not be proved; nothing is written.")
        return UNDECIDED
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        screen.say(f"{target} cannot be written: {error.strerror}. Choose another place with `-o FILE`.")
        return USAGE
    screen.result(file_text(result, screen.paint))
    screen.result(f"\nWritten to {target}.\n")
    return FINE


def repaired(loaded: Loaded, options: Options) -> str:
    """The text of the repaired file; `options` are those that it will be checked with. Raises CannotRepair."""
    source = loaded.sources[loaded.path]
    model, oracle = chosen(loaded)
    program = loaded.program
    declaration = next(
        (d for d in loaded.declarations if isinstance(d, tree.Model | tree.Imported) and d.name.id == model.name), None
    )
    if declaration is None or declaration.span.file != loaded.path:
        raise CannotRepair(f"`{model.name}` is declared in another file: repair that one.")
    mend = Mend(program, oracle)
    before = f"{model.name}_before"
    text = source.text
    for d in sorted(loaded.declarations, key=lambda d: -d.span.start):
        start, end = d.span.start, d.span.end
        if d.span.file != loaded.path:
            continue
        if d is declaration:
            named = d.name.span
            old = f"{source.text[start : named.start]}{before}{source.text[named.end : end]}"
            text = f"{text[:start]}{mend.model(d, model)}\n\n# before the repair\n{old}{text[end:]}"
        elif isinstance(d, tree.Assert | tree.Compute):
            notes = d.annotations if isinstance(d, tree.Assert) else ()
            text = text[: min([start, *(n.span.start for n in notes)])] + text[end:]
    text += f"\nassert repaired: contained({model.name}, {oracle.name})\n"
    unchanged = f"# what it cost\nassert unchanged: {before} == {model.name}"
    trial = load_text(f"{text}{unchanged}\n", loaded.path, options).check(
        replace(options, only=frozenset({"unchanged"}))
    )
    changed = bool(trial.assertions) and trial["unchanged"].word == "refuted"
    text += f"{unchanged} expect {'refuted' if changed else 'proved'}\n"
    for name in program.data:
        text += f"compute {name}_before: accuracy({before}, {name})\n"
        text += f"compute {name}_after: accuracy({model.name}, {name})\n"
    shaped = format_source(Source(loaded.path, text))
    return shaped if isinstance(shaped, str) else text


def chosen(loaded: Loaded) -> tuple[Classifier, Classifier]:
    """The model and the oracle of the first assertion about containment, or the only ones there are."""
    classifiers = loaded.program.classifiers
    for d, _ in loaded.items:
        if isinstance(d.body, tree.Apply) and isinstance(d.body.function, tree.Name):
            pair = [a.value.id for a in d.body.arguments if isinstance(a.value, tree.Name) and not a.label][:2]
            if len(pair) == 2 and all(p in classifiers for p in pair):
                return classifiers[pair[0]], classifiers[pair[1]]
    models = [c for c in classifiers.values() if c.kind == "model"]
    oracles = [c for c in classifiers.values() if c.kind == "oracle"]
    if len(models) != 1 or len(oracles) != 1:
        raise CannotRepair("It is not clear which model to repair: assert `contained(model, oracle)`.")
    return models[0], oracles[0]


@dataclass
class Mend:
    """Rewrites what a model is fed, so that it sees no more than the oracle."""

    program: Program
    oracle: Classifier

    def __post_init__(self) -> None:
        poser = Poser(self.program)
        values = poser.symbolic.features(self.oracle, poser.point("x"))
        seen = {f.name: f for f in self.oracle.features}
        forms = [n for name, v in values.items() if not seen[name].members for n in numbers(v)]
        inputs = [form.terms[0][0] for form in poser.inputs("x")]
        rows = affine_rows(poser.build, forms, inputs)
        if rows is None:
            raise CannotRepair(
                f"The features of `{self.oracle.name}` are not affine: there is no projection onto them."
            )
        assert self.program.domain is not None
        self.coordinates = self.program.domain.coordinates
        self.names = [tree_of(c, i) for c in self.coordinates for i in range(c.size or 1)]
        nominal = {unparse(f.value) for f in self.oracle.features if f.members}
        self.unseen = {c.name: c for c in self.coordinates if c.kind == "finite" and c.name not in nominal}
        self.finite = {i for i, c in enumerate(self._flat()) if c.kind == "finite"}
        matrix = [[Fraction(0) if j in self.finite else v for j, v in enumerate(row)] for row in rows[0]]
        self.matrix = projection(matrix, len(self.names))
        self.centre = [centre(c) for c in self._flat()]

    def _flat(self) -> list[Coordinate]:
        return [c for c in self.coordinates for _ in range(c.size or 1)]

    def coordinate(self, index: int) -> tree.Expr:
        """c_i + sum_j P_ij (x_j - c_j), as short as it gets."""
        row = self.matrix[index]
        constant = self.centre[index] - sum((w * c for w, c in zip(row, self.centre, strict=True)), Fraction(0))
        result: tree.Expr | None = tree.Number(NOWHERE, constant) if constant else None
        for weight, name in zip(row, self.names, strict=True):
            if weight:
                term: tree.Expr = name if weight == 1 else tree.Binary(NOWHERE, "*", tree.Number(NOWHERE, weight), name)
                result = term if result is None else tree.Binary(NOWHERE, "+", result, term)
        return result if result is not None else tree.Number(NOWHERE, Fraction(0))

    def expression(self, expr: tree.Expr) -> tree.Expr:
        """The expression with every coordinate replaced by its projection; an unseen finite one by its first member."""
        replacements: dict[str, tree.Expr] = {}
        index = 0
        for c in self.coordinates:
            width = c.size or 1
            if c.kind != "finite":
                parts = tuple(self.coordinate(i) for i in range(index, index + width))
                replacements[c.name] = parts[0] if c.size is None else tree.Vector(NOWHERE, parts)
            index += width
        return replaced(expr, replacements, self.unseen)

    def model(self, declaration: tree.Model | tree.Imported, classifier: Classifier) -> str:
        """The repaired declaration, as text."""
        if isinstance(declaration, tree.Imported):
            fed = classifier.inputs or tree.Vector(NOWHERE, tuple(self._whole(c) for c in self.coordinates))
            assert isinstance(declaration.call, tree.Apply)
            others = [a for a in declaration.call.arguments if a.label != "inputs"]
            inputs = tree.Argument(NOWHERE, "inputs", self.expression(fed))
            call = tree.Apply(NOWHERE, declaration.call.function, (*others, inputs))
            return f"model {classifier.name} = {unparse(call)}"
        features = []
        for f in classifier.features:
            if f.members and f.name in self.unseen:
                raise CannotRepair(f"`{f.name}` is a feature by itself, which the oracle does not see: leave it out.")
            features.append(f"{f.name} = {unparse(self.expression(f.value))}")
        text = f"{declaration.kind} {classifier.name} {{\n  features {', '.join(features)}\n"
        if declaration.metric is not None:
            m = declaration.metric
            own = f"{m.name.id}({', '.join(p.id for p in m.parameters)}) = " if m.name is not None else ""
            text += f"  metric {own}{unparse(m.value)}\n"
        assert declaration.decide is not None
        return text + f"  decide {unparse(declaration.decide)}\n}}"

    def _whole(self, c: Coordinate) -> tree.Expr:
        name = tree.Name(NOWHERE, c.name)
        if c.kind != "finite":
            return name
        return tree.Apply(NOWHERE, tree.Name(NOWHERE, "code"), (tree.Argument(NOWHERE, "", name),))


def tree_of(c: Coordinate, index: int) -> tree.Expr:
    name = tree.Name(NOWHERE, c.name)
    return name if c.size is None else tree.Index(NOWHERE, name, tree.Number(NOWHERE, Fraction(index)))


def centre(c: Coordinate) -> Fraction:
    """The middle of an interval (of a half-open one its finite side)."""
    if c.low is not None and c.high is not None:
        middle = (c.low + c.high) / 2
        return Fraction(middle.__floor__()) if c.kind == "int" else middle
    return c.low if c.low is not None else c.high if c.high is not None else Fraction(0)


def replaced(expr: tree.Expr, names: Mapping[str, tree.Expr], unseen: Mapping[str, Coordinate]) -> tree.Expr:
    """`expr` with names replaced; questions about unseen finite coordinates are answered for their first member."""

    def go(e: tree.Expr) -> tree.Expr:
        match e:
            case tree.Name(_, name):
                return names.get(name, e)
            case tree.Apply(
                span, tree.Name(_, "code" | "onehot" as what), (tree.Argument(_, "", tree.Name(_, name)),)
            ) if name in unseen:
                size = len(unseen[name].members)
                zero, one = tree.Number(span, Fraction(0)), tree.Number(span, Fraction(1))
                return zero if what == "code" else tree.Vector(span, (one, *(zero,) * (size - 1)))
            case tree.Apply(span, function, arguments):
                return tree.Apply(span, function, tuple(tree.Argument(a.span, a.label, go(a.value)) for a in arguments))
            case tree.Chain(span, (tree.Name(_, left), tree.Name(_, right)), ("==" | "!=" as op,)) if (
                left in unseen or right in unseen
            ):
                coordinate, member = (unseen[left], right) if left in unseen else (unseen[right], left)
                return tree.Name(span, "true" if (coordinate.members[0] == member) == (op == "==") else "false")
            case tree.Chain(span, operands, ops):
                return tree.Chain(span, tuple(go(o) for o in operands), ops)
            case tree.Binary(span, op2, left_, right_):
                return tree.Binary(span, op2, go(left_), go(right_))
            case tree.Unary(span, op3, operand):
                return tree.Unary(span, op3, go(operand))
            case tree.Index(span, value, index):
                return tree.Index(span, go(value), go(index))
            case tree.Vector(span, items):
                return tree.Vector(span, tuple(go(i) for i in items))
            case tree.If(span, test, then, otherwise):
                return tree.If(span, go(test), go(then), go(otherwise))
            case tree.Field() | tree.Number() | tree.Text() | tree.Record() | tree.Quantified():
                return e

    return go(expr)
