"""From the body of an assertion to its claim: properties are replaced by their definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from verifier.language import measures, properties
from verifier.language.build import Build, Form
from verifier.language.properties import property as pattern
from verifier.language.properties.property import Choices, Measure, Property
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
    Many,
    Measured,
    Not,
    Parts,
    Prenex,
    Rows,
)
from verifier.model.distribution import Distribution, distribution_of
from verifier.model.elaborate import names_in
from verifier.model.meaning import fail
from verifier.model.prenex import prenex
from verifier.model.program import Classifier, Program
from verifier.model.replace import literal, quantifiers, quantifies, renamed, rewritten
from verifier.model.symbolic import Symbolic
from verifier.source import Source
from verifier.source.closest import suggestion
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.syntax.parser import parse

POINTS = 6
"""So many may be quantified at once."""
MEASURE_WORDS = frozenset(measures.MEASURES) | measures.LATER
PROPERTY_WORDS = frozenset(properties.PROPERTIES) | properties.LATER


@lru_cache(maxsize=256)
def template(text: str) -> tree.Expr:
    """The tree of a definition written in the language."""
    file, diagnostics = parse(Source("definition", f"assert definition: {text}"))
    assert not diagnostics, (text, diagnostics)
    (declaration,) = file.declarations
    assert isinstance(declaration, tree.Assert)
    return declaration.body


def words_of(body: tree.Expr, begins: bool = True) -> str:
    """What an assertion says in words, with its arguments in place; "" for a formula. It `begins` a sentence, or
    not."""
    match body:
        case tree.Quantified(_, kind, names, over, inner):
            said = words_of(inner, False)
            start = ("For " if begins else "for ") + ("every" if kind == "forall" else "some")
            return said and f"{start} {', '.join(n.id for n in names)} in {over.id}, {said}"
        case tree.Apply(_, tree.Name(_, name), arguments) if name in properties.PROPERTIES:
            word = properties.PROPERTIES[name]
            plain = [a.value for a in arguments if not a.label or a.label in word.parameters]
            given = {a.label: unparse(a.value) for a in arguments if a.label}
            words = word.words(given)
            return (words[:1].upper() + words[1:] if begins else words).format(
                **given, **{k: unparse(v) for k, v in zip(word.parameters, plain, strict=False) if k not in given}
            )
        case _:
            return ""


class Call(Struct, frozen=True):
    """A property or measure applied: what its parameters and options stand for."""

    word: Property | Measure
    names: Mapping[str, tree.Expr]
    choices: Choices
    formulas: Mapping[str, tree.Expr]
    over: Distribution = Distribution("uniform(X)")

    def expand(self, text: str, program: Program) -> tree.Expr:
        """The definition with the arguments in place."""
        return rewrite(template(text), self.names, {f"{k}_at": (f, program) for k, f in self.formulas.items()})


def property_of(body: tree.Expr) -> str:
    """The name of the property that an assertion states, or "formula"."""
    match body:
        case tree.Apply(_, tree.Name(_, name)) if name in PROPERTY_WORDS:
            return name
        case tree.Quantified(_, _, _, _, inner):
            return property_of(inner)
        case _:
            return "formula"


def claim_of(program: Program, body: tree.Expr) -> Claim:
    """What an assertion claims. Raises Rejected with every place that makes no sense."""
    match body:
        case tree.Unary(_, "not", operand):
            return Not(claim_of(program, operand))
        case tree.Binary(_, "and"):
            return Join("all", tuple(("", claim_of(program, part)) for part in joined(body, "and")))
        case tree.Binary(_, "or"):
            return Join("any", tuple(("", claim_of(program, part)) for part in joined(body, "or")))
        case tree.Binary(_, "=>", left, right) if not _plain(body):
            return Join("any", (("", Not(claim_of(program, left))), ("", claim_of(program, right))))
        case tree.Binary(_, "<=>", left, right) if not _plain(body):
            a, b = claim_of(program, left), claim_of(program, right)
            return Join("all", (("", Join("any", (("", Not(a)), ("", b)))), ("", Join("any", (("", Not(b)), ("", a))))))
        case tree.Apply(_, tree.Name(span, name)) if name in PROPERTY_WORDS:
            if name in properties.LATER:
                return Later(f"`{name}`")
            return _property(program, body, properties.PROPERTIES[name])
        case tree.Quantified():
            return _quantified(program, body)
        case tree.Chain(span, operands, ops):
            if any(_measure_name(o) for o in operands):
                parts = [_comparison(program, a, op, b) for (a, b), op in zip(pairwise(operands), ops, strict=True)]
                return parts[0] if len(parts) == 1 else Join("all", tuple(("", p) for p in parts))
            classifiers = [o for o in operands if isinstance(o, tree.Name) and o.id in program.classifiers]
            if classifiers and len(classifiers) == len(operands) == 2 and ops[0] in ("==", "!="):
                arguments = tuple(tree.Argument(o.span, "", o) for o in operands)
                call = tree.Apply(span, tree.Name(span, "accurate"), arguments)
                same = _property(program, call, properties.PROPERTIES["accurate"])
                return same if ops[0] == "==" else Not(same)
            return _ground(body)
        case tree.Apply(_, tree.Name(span, name)) if name in MEASURE_WORDS:
            fail(
                "V304",
                body.span,
                f"`{name}` is a number, not a statement.",
                f"Compare it (`{name}(...) >= 1/10`), or print it with `compute`.",
            )
        case tree.Apply(_, tree.Name(span, name)) if not _callable(program, name):
            known = [*properties.PROPERTIES, *measures.MEASURES]
            fail("V201", span, f"There is no property called `{name}`.", suggestion(name, known, "The properties are"))
        case _:
            return _ground(body)


def measure_of(program: Program, body: tree.Expr) -> Measured:
    """What a `compute` asks for."""
    name = _measure_name(body)
    if not name:
        known = [*measures.MEASURES, *sorted(measures.LATER)]
        shown = body.function.id if isinstance(body, tree.Apply) and isinstance(body.function, tree.Name) else ""
        what = f"There is no measure called `{shown}`." if shown else "This is not a measure."
        if shown in PROPERTY_WORDS:
            fail("V304", body.span, f"`{shown}` is a statement, not a number.", f"Write `assert NAME: {shown}(...)`.")
        fail("V201", body.span, what, suggestion(shown, known, "The measures are", measures.MEASURES))
    if name in measures.LATER:
        return Later(f"`{name}`")
    assert isinstance(body, tree.Apply)
    measure = _meant(program, body, measures.MEASURES[name])
    call = _arguments(program, body, measure)
    pattern_of = measure.pattern
    if pattern_of is None:
        return _computation(program, name, call)
    shape = pattern_of(call.choices)
    return Infimum(
        shape.points,
        call.expand(shape.of, program),
        tuple(call.expand(g, program) for g in shape.given),
        _ends(call, shape.points),
        _shown(call),
        call.expand(shape.exchangeable, program) if shape.exchangeable and not _is_written(program, call) else None,
    )


def _meant(program: Program, body: tree.Apply, measure: Measure) -> Measure:
    """Of the measures with this word the one whose data sets stand where this call has some."""
    plain = [a.value for a in body.arguments if not a.label]
    given = [isinstance(p, tree.Name) and p.id in program.data for p in plain]
    for other in (measure, *measure.others):
        if [kind in ("data", "labelled") for kind in other.parameters.values()] == given:
            return other
    return measure


def joined(expr: tree.Expr, op: str) -> list[tree.Expr]:
    """What `op` joins: a, b and c in `a and b and c`."""
    if isinstance(expr, tree.Binary) and expr.op == op:
        return [*joined(expr.left, op), *joined(expr.right, op)]
    return [expr]


def _computation(program: Program, name: str, call: Call) -> Computation:
    formulas = {k: at(f, template("x"), program) for k, f in call.formulas.items()}
    return Computation(name, call.names, call.choices, formulas, _shown(call), call.over)


def _plain(body: tree.Expr) -> bool:
    """No property, measure or quantifier inside: a formula about declared points and constants."""
    return not (names_in(body) & (MEASURE_WORDS | PROPERTY_WORDS)) and not quantifies(body)


def _callable(program: Program, name: str) -> bool:
    return name in program.functions or name in program.classifiers


def _measure_name(expr: tree.Expr) -> str:
    match expr:
        case tree.Apply(_, tree.Name(_, name)) if name in MEASURE_WORDS:
            return name
        case _:
            return ""


def _ground(body: tree.Expr) -> Always:
    return Always((), (), body, None, shown=())


def _rows(program: Program, body: tree.Quantified) -> Rows:
    """Each row as a declared point; `forall u, v in D` is `forall u in D: forall v in D`."""
    first, *rest = body.names
    inner = body.body if not rest else tree.Quantified(body.span, body.kind, tuple(rest), body.over, body.body)
    if any(first.id == n.id for n in rest):
        fail("V204", body.span, f"`{first.id}` is bound twice.", "Rename one of the two.")
    point = f"{first.id} in {body.over.id}"
    return Rows(body.kind, first.id, point, program.data[body.over.id], renamed(inner, first.id, point))


def _parts(program: Program, body: tree.Quantified) -> Parts:
    """Each part as the domain; `x in part` is `x in X` there."""
    first, *rest = body.names
    if rest:
        fail("V401", rest[0].span, "One part at a time: both points of a pair lie in it.", f"Leave `{rest[0].id}` out.")
    assert program.domain is not None
    taken = {program.domain.name, *program.data, *program.partitions}
    if first.id in taken:
        fail("V204", first.span, f"`{first.id}` is already the name of a set.", "Write `forall part in ...`.")
    inner = _within(body.body, first.id, program.domain.name)
    sets = {*program.data, *program.partitions}
    if (again := next((q for q in quantifiers(inner) if q.over.id in sets), None)) is not None:
        message = f"Within a part, a quantifier over `{again.over.id}` has no meaning."
        fail("V401", again.span, message, f"Write `forall x in {first.id}: ...`, or an assertion of its own.")
    return Parts(body.kind, first.id, program.partitions[body.over.id], inner)


def _within(expr: tree.Expr, part: str, domain: str) -> tree.Expr:
    """`expr` with quantifiers over the part as quantifiers over the domain."""
    match expr:
        case tree.Quantified(span, kind, names, over, inner):
            there = tree.Name(over.span, domain) if over.id == part else over
            return tree.Quantified(span, kind, names, there, _within(inner, part, domain))
        case tree.Unary(span, sign, operand):
            return tree.Unary(span, sign, _within(operand, part, domain))
        case tree.Binary(span, op, left, right):
            return tree.Binary(span, op, _within(left, part, domain), _within(right, part, domain))
        case _:
            return expr


def scattered(claim: Claim) -> Iterator[Many]:
    """The claims about many rows or parts that a claim is made of, in the order of the text."""
    return (leaf for leaf in leaves(claim) if isinstance(leaf, Rows | Parts))


def leaves(claim: Claim) -> Iterator[Claim]:
    """The claims that `not`, `and` and `or` put together, in the order of the text."""
    match claim:
        case Not(inner):
            yield from leaves(inner)
        case Join(_, parts):
            for _, part in parts:
                yield from leaves(part)
        case _:
            yield claim


def at_row(program: Program, rows: Rows, index: int) -> Program:
    """The program in which the row is a declared point."""
    return replace(program, points={**program.points, rows.point: rows.data.rows[index]})


def _quantified(program: Program, body: tree.Quantified) -> Claim:
    if body.over.id in program.data:
        return _rows(program, body)
    if body.over.id in program.partitions:
        return _parts(program, body)
    blocks, inner = prenex(program, body)
    names = [name for block in blocks for name in block.points]
    assert program.domain is not None
    written = sum(len(q.names) for q in quantifiers(body) if q.over.id == program.domain.name)
    if written > POINTS:
        fail("V404", body.span, "At most six points can be quantified at once.", "Use fewer.")
    if len(names) > 2 * POINTS:  # of `<=>` both directions
        fail("V404", body.span, f"Written out, these quantifiers are about {len(names)} points.", "Use fewer.")
    used = names_in(inner)
    for words in (PROPERTY_WORDS, MEASURE_WORDS):
        for word in sorted(used & words)[:1]:
            fail("V401", inner.span, f"`{word}` already speaks about all points.", "Remove the quantifier.")
    shown = tuple(n for n in program.classifiers if n in used)
    if len(blocks) > 1:
        return Prenex(tuple(blocks), inner, _premise(program, body), shown)
    ends = (tree.Name(body.span, names[0]), tree.Name(body.span, names[1])) if len(names) == 2 else None
    if body.kind == "exists":
        return Not(Always(tuple(names), (), tree.Unary(inner.span, "not", inner), None, ends=ends, shown=shown))
    if isinstance(inner, tree.Binary) and inner.op == "=>":
        return Always(tuple(names), (inner.left,), inner.right, None, ends=ends, shown=shown)
    return Always(tuple(names), (), inner, None, ends=ends, shown=shown)


def _premise(program: Program, body: tree.Quantified) -> Claim | None:
    """Of `forall ...: A => B`, that some points satisfy A."""
    names, inner = list(body.names), body.body
    while isinstance(inner, tree.Quantified) and inner.over.id == body.over.id:
        names, inner = [*names, *inner.names], inner.body
    if body.kind == "exists" or not isinstance(inner, tree.Binary) or inner.op != "=>":
        return None
    return claim_of(program, tree.Quantified(body.span, "exists", tuple(names), body.over, inner.left))


def _is_written(program: Program, call: Call) -> bool:
    """One of the metrics is the user's own: symmetric if it is proved to be."""
    return any((m := program.classifiers[name].metric) is not None and m.is_written for name in _shown(call))


def _property(program: Program, body: tree.Apply, word: Property) -> Claim:
    call = _arguments(program, body, word)
    if "over" in call.choices and "eta" not in call.choices:
        fail("V209", body.span, "`over` says where `eta` is a probability.", "Add `eta: 1/20`, or leave `over` out.")

    if word.name == "is_pseudometric" and (why := _quadratic(program, call)):
        return ByConstruction(why)

    if word.name == "lipschitz" and (bound := _by_constant(program, call)) is not None:
        return Compare(_computation(program, "lipschitz_constant", call), "<=", bound)

    def claim(shape: pattern.Pattern) -> Claim:
        match shape:
            case pattern.Always(points, given, then, distinct, almost, exchangeable):
                apart = (call.expand(distinct[0], program), call.expand(distinct[1], program)) if distinct else None
                return Always(
                    points,
                    tuple(call.expand(g, program) for g in given),
                    call.expand(then, program),
                    apart,
                    almost,
                    _ends(call, points) if len(points) == 2 or "p" in call.names else None,
                    _shown(call),
                    exchangeable and not _is_written(program, call),
                )
            case pattern.Contained(coarse, fine, uniform, at):
                model, oracle = _shown(call)[:2]
                if coarse.startswith("distance(f2"):
                    model, oracle = oracle, model
                h = call.names.get("h")
                named = h.id if isinstance(h, tree.Name) else ""
                p = call.names.get(at)
                point = p.id if isinstance(p, tree.Name) else ""
                return Contained(
                    model, oracle, call.expand(coarse, program), call.expand(fine, program), uniform, named, point
                )
            case pattern.LocallyConstant():
                model, oracle = _shown(call)[:2]
                return LocallyConstant(
                    model,
                    oracle,
                    call.expand("distance(f1, x, x')", program),
                    call.expand("distance(f2, x, x')", program),
                )
            case pattern.Every(parts):
                return Join("all", tuple((name, claim(part)) for name, part in parts))
            case pattern.Opposite(part):
                return Not(claim(part))
            case pattern.Likely(measure):
                eta = call.names["eta"]
                assert isinstance(eta, tree.Number)
                if not 0 < eta.value <= 1:
                    fail("V302", eta.span, f"`eta` is in (0, 1], not {eta.value}.", "Write `eta: 1/20`, say.")
                return Compare(_computation(program, measure, call), ">", 1 - eta.value)

    return claim(word.pattern(call.choices))


def _quadratic(program: Program, call: Call) -> str:
    """Why the metric of f, which has a quadratic form in it, obeys the axioms; empty where it has none."""
    name = call.names["f"]
    assert isinstance(name, tree.Name)
    metric = program.classifiers[name.id].metric
    if metric is None or not any(part.is_quadratic for part in (metric, *metric.parts)):
        return ""
    why = "The square of the distance is a positive semidefinite quadratic form (its factors were found in rationals)"
    norm = f"{why}, so that the distance is the Euclidean norm of a linear image of the differences."
    return f"{norm} Sums, maxima and positive multiples of pseudometrics are pseudometrics." if metric.join else norm


def _by_constant(program: Program, call: Call) -> Fraction | None:
    """The bound of a Lipschitz condition that the least constant decides: between a root and a piecewise-linear
    distance, which are not compared pair by pair, and of a network over a box, where one point and a direction are
    less than a pair. None for others."""
    model, oracle = (program.classifiers[n.id] for k in ("f1", "f2") if isinstance(n := call.names[k], tree.Name))
    roots = sum(c.metric is not None and c.metric.is_quadratic for c in (model, oracle))
    bound = call.names["bound"]
    assert isinstance(bound, tree.Number)
    return bound.value if roots == 1 or (not roots and _sloped(program, model, oracle)) else None


def _sloped(program: Program, model: Classifier, oracle: Classifier) -> bool:
    """A network over a box of real coordinates, which are the features of the oracle; both have norms."""
    domain = program.domain
    if domain is None or not domain.is_box or model.network is None or oracle.network is not None:
        return False
    seen = [f.value.id for f in oracle.features if isinstance(f.value, tree.Name)]
    whole = sorted(seen) == sorted(c.name for c in domain.coordinates) and len(seen) == len(oracle.features)
    return whole and all(c.metric is not None and c.metric.is_norm for c in (model, oracle))


def _shown(call: Call) -> tuple[str, ...]:
    """The classifiers among the arguments, f1 before f2."""
    kinds = call.word.parameters
    return tuple(
        n.id
        for k, n in call.names.items()
        if kinds.get(k) in ("classifier", "measured", "model", "oracle") and isinstance(n, tree.Name)
    )


def _ends(call: Call, points: tuple[str, ...]) -> tuple[tree.Expr, tree.Expr]:
    first = call.names.get("p") or template("x")
    return first, template("x'")


def _arguments(program: Program, body: tree.Apply, word: Property | Measure) -> Call:
    """Match the arguments of a call with the parameters and options of its word."""
    names: dict[str, tree.Expr] = {}
    choices: dict[str, str] = {}
    formulas: dict[str, tree.Expr] = {}
    over = Distribution(f"uniform({program.domain.name if program.domain is not None else 'X'})")
    numbers = [k for k, kind in word.parameters.items() if kind == "number"]  # these may be written `bound: 2`
    plain = [a for a in body.arguments if not a.label or a.label in numbers]
    usage = f"Write `{word.name}({', '.join([*word.parameters, *(f'{r}: ...' for r in word.required)])})`."
    if len(plain) != len(word.parameters):
        fail("V303", body.span, f"`{word.name}` takes {len(word.parameters)} arguments, not {len(plain)}.", usage)
    for (parameter, kind), a in zip(word.parameters.items(), plain, strict=True):
        if a.label not in ("", parameter):
            fail("V303", a.span, f"`{a.label}` stands in the place of `{parameter}`.", usage)
        names[parameter] = _argument(program, word.name, parameter, kind, a.value, names)
    for a in body.arguments:
        if not a.label or a.label in numbers:
            continue
        if a.label not in word.options:
            fix = suggestion(a.label, word.options, "The options are") if word.options else "Leave it out."
            fail("V205", a.span, f"`{word.name}` has no option `{a.label}`.", fix)
        if a.label in choices:
            fail("V204", a.span, f"The option `{a.label}` is given twice.", "Keep one of them.")
        choices[a.label] = ""
        match word.options[a.label]:
            case "number":
                names[a.label] = _constant(program, a.label, a.value)
            case "formula":
                formulas[a.label] = a.value
            case "flag" | "word":
                choices[a.label] = _word(word, a)
            case "distribution" | "pairs" as drawn:
                over = distribution_of(program, a.value, drawn == "pairs")
    for required in word.required:
        if required not in choices:
            fail("V209", body.span, f"`{word.name}` needs `{required}`.", usage)
    return Call(word, names, choices, formulas, over)


def _word(word: Property | Measure, a: tree.Argument) -> str:
    allowed = ("true", "false") if word.options[a.label] == "flag" else ("decision",)
    if not isinstance(a.value, tree.Name) or a.value.id not in allowed:
        fix = f"Write `{a.label}: {allowed[-1]}`, or leave it out."
        fail("V302", a.value.span, f"`{a.label}` is {' or '.join(allowed)}.", fix)
    return a.value.id


def _constant(program: Program, name: str, value: tree.Expr) -> tree.Expr:
    number = Symbolic(program, Build()).number(value, {})
    if not number.is_constant:
        fail("V302", value.span, f"`{name}` is a constant number.", "Write a number or the name of a param.")
    return tree.Number(value.span, number.constant)


def _argument(
    program: Program, word: str, parameter: str, kind: pattern.Kind, value: tree.Expr, before: Mapping[str, tree.Expr]
) -> tree.Expr:
    match kind:
        case "model" | "oracle" | "classifier" | "measured":
            classifier = Symbolic(program, Build()).classifier(value)
            if kind == "measured" and classifier.metric is None:
                written = "metric linf" if classifier.network is None else "metric: linf"
                fail(
                    "V209",
                    value.span,
                    f"`{classifier.name}` has no metric, and the answer to `{word}` depends on it.",
                    f"Say how its features are compared: `{written}`.",
                )
            return value
        case "number":
            return _constant(program, parameter, value)
        case "data" | "labelled":
            if not isinstance(value, tree.Name) or value.id not in program.data:
                name = value.id if isinstance(value, tree.Name) else ""
                fail(
                    "V201",
                    value.span,
                    f"There is no data set called `{name}`." if name else "The name of a data set is needed here.",
                    suggestion(name, program.data, "The data sets are")
                    if program.data
                    else 'Declare one: `data D = csv("file.csv")`.',
                )
            if kind == "labelled" and program.data[value.id].labels is None:
                fail("V209", value.span, f"`{value.id}` has no labels.", "Say which column holds them: `label: NAME`.")
            return value
        case "feature":
            f1 = before["f1"]
            assert isinstance(f1, tree.Name)
            known = [f.name for f in program.classifiers[f1.id].features]
            name = value.name if isinstance(value, tree.Field) else value.id if isinstance(value, tree.Name) else ""
            if name not in known:
                fail(
                    "V201",
                    value.span,
                    f"`{f1.id}` has no feature called `{name}`.",
                    suggestion(name, known, "The features are"),
                )
            return tree.Name(value.span, name)
        case "point":
            if isinstance(value, tree.Record):
                name = f"point in line {value.span.line}, column {value.span.column}"
                program.points[name] = Symbolic(program, Build()).record(value)
                return tree.Name(value.span, name)
            if not isinstance(value, tree.Name) or value.id not in program.points:
                name = value.id if isinstance(value, tree.Name) else ""
                fail(
                    "V201",
                    value.span,
                    f"There is no point called `{name}`." if name else "The name of a point is needed here.",
                    suggestion(name, program.points, "The points are")
                    if program.points
                    else "Declare one: `point p = { ... }`.",
                )
            return value


def _comparison(program: Program, left: tree.Expr, op: tree.Comparison, right: tree.Expr) -> Claim:
    if _measure_name(right):
        if _measure_name(left):
            fail("V401", left.span, "Two measures cannot be compared.", "Compare each with a number.")
        mirror: dict[tree.Comparison, tree.Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
        left, right, op = right, left, mirror.get(op, op)
    if not _measure_name(left):
        return _ground(tree.Chain(left.span.to(right.span), (left, right), (op,)))
    measure = measure_of(program, left)
    if isinstance(measure, Later):
        return measure
    word = _measure_name(left)
    if not measures.MEASURES[word].compares:
        fix = f"Write `compute R: {unparse(left)}`."
        fail("V302", left.span, f"The answer of `{word}` is no number, so it cannot be compared.", fix)
    if isinstance(right, tree.Name) and right.id in ("infinity", "inf"):
        return Compare(measure, op, None)
    value = Symbolic(program, Build()).number(right, {})
    if not isinstance(value, Form) or not value.is_constant:
        fail("V302", right.span, "A measure is compared with a constant.", "Write a number.")
    return Compare(measure, op, value.constant)


# rewriting


def rewrite(
    expr: tree.Expr, names: Mapping[str, tree.Expr], predicates: Mapping[str, tuple[tree.Expr, Program]]
) -> tree.Expr:
    """`expr` with names replaced, and each call `predicate(point)` by the predicate's formula at that point."""

    def go(e: tree.Expr) -> tree.Expr:
        match e:
            case tree.Name(_, name):
                return names.get(name, e)
            case tree.Apply(_, tree.Name(_, name), (tree.Argument(_, "", point),)) if name in predicates:
                formula, program = predicates[name]
                return at(formula, go(point), program)
            case tree.Apply(span, function, arguments):
                return tree.Apply(
                    span, go(function), tuple(tree.Argument(a.span, a.label, go(a.value)) for a in arguments)
                )
            case tree.Chain(span, operands, ops):
                return tree.Chain(span, tuple(go(o) for o in operands), ops)
            case tree.Binary(span, op, left, right):
                return tree.Binary(span, op, go(left), go(right))
            case _:
                return e

    return go(expr)


def at(formula: tree.Expr, point: tree.Expr, program: Program) -> tree.Expr:
    """A `where:` formula at a point: coordinates become its fields, `margin(f)` the margin there, constants their
    values."""
    domain = program.domain
    assert domain is not None

    def holder(e: tree.Expr) -> tree.Expr | None:
        return point if isinstance(e, tree.Name) and e.id == "x" else None

    def member(value: tree.Expr, name: tree.Expr) -> bool:
        if isinstance(value, tree.Field) and holder(value.value) is not None:
            value = tree.Name(value.span, value.name)
        coordinate = domain.coordinate(value.id) if isinstance(value, tree.Name) else None
        if coordinate is None or not isinstance(name, tree.Name) or name.id not in coordinate.members:
            return False
        twin = domain.coordinate(name.id)
        if twin is not None and twin.members == coordinate.members:
            listed = ", ".join(twin.members)
            fail(
                "V204",
                name.span,
                f"`{name.id}` is a member of {{{listed}}}, and also a name here.",
                "Write `x.` before the name that you mean.",
            )
        return True

    def go(e: tree.Expr) -> tree.Expr:
        return rewritten(e, rule)

    def rule(e: tree.Expr) -> tree.Expr | None:
        match e:
            case tree.Name(span, name):
                if domain.coordinate(name) is not None:
                    return tree.Field(span, point, name)
                if name in program.constants:
                    return literal(span, program.constants[name])
                return point if name == "x" else e
            case tree.Field(span, value, name):
                return tree.Field(span, holder(value) or go(value), name)
            case tree.Apply(span, tree.Name(_, "margin") as margin, (only,)):
                return tree.Apply(span, margin, (only, tree.Argument(only.span, "", point)))
            case tree.Apply(span, tree.Name(_, f) as name, arguments) if f in program.classifiers or f in (
                "margin",
                "distance",
            ):
                return tree.Apply(
                    span,
                    name,
                    tuple(
                        tree.Argument(a.span, a.label, holder(a.value) or _classifier(a.value, program) or go(a.value))
                        for a in arguments
                    ),
                )
            case tree.Apply(span, tree.Field() as feature, arguments):
                return tree.Apply(
                    span,
                    feature,
                    tuple(tree.Argument(a.span, a.label, holder(a.value) or go(a.value)) for a in arguments),
                )
            case tree.Chain(span, operands, ops):
                kept: set[int] = set()  # beside a finite coordinate, the name of one of its members is that member
                for i, sign in enumerate(ops):
                    if sign in ("==", "!="):
                        if i not in kept and member(operands[i], operands[i + 1]):
                            kept.add(i + 1)
                        elif i + 1 not in kept and member(operands[i + 1], operands[i]):
                            kept.add(i)
                return tree.Chain(span, tuple(o if i in kept else go(o) for i, o in enumerate(operands)), ops)
            case _:
                return None

    return go(formula)


def _classifier(e: tree.Expr, program: Program) -> tree.Expr | None:
    return e if isinstance(e, tree.Name) and e.id in program.classifiers else None
