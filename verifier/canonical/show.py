"""The printed canonical form of a map: numbered choices, then every output as an affine combination of them.

One map has one text, whatever the order and the scale in which its terms were written: choices are ordered by what they
say (first by depth, then by their forms over the choices before them), not by when they were made; a relu has a
primitive integer argument whose first coefficient is positive; conjunctions and disjunctions are flat and sorted.
(What interval arithmetic decides is folded before: relu(u) + relu(v) is seen to be >= 0, relu(-u) + u is not.)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from verifier.canonical.affine import affine_rows
from verifier.language.build import NO, ZERO, Build, Choice, Form, Variable, primitive

if TYPE_CHECKING:
    import sympy

Kind = Literal["input", "relu", "jump", "not", "and", "or"]
Outputs = Sequence[tuple[str, Form]]
Names = Mapping[int, str]


def text(build: Build, outputs: Outputs, names: Names, formulas: Outputs = ()) -> str:
    """The canonical form as text; `names` maps the input atoms, in the order of their columns, to what is printed.
    `formulas` are printed after the outputs, as what makes them true.

    A map without choices also shows its exact matrix A and vector b: outputs = A * (inputs) + b (Theorem 2).
    """
    shown = _normal(build, outputs, names, formulas)
    lines = [f"{name} {shown.sign(name)} {meaning}" for name, meaning in _lines(shown, _TEXT)]
    rows = affine_rows(shown.build, [form for _, form in shown.numbers], list(shown.names))
    if rows is not None:
        lines.append(f"A = {_brackets(_brackets(map(str, row)) for row in rows[0])}")
        lines.append(f"b = {_brackets(map(str, rows[1]))}")
    return "\n".join(lines) + "\n"


def latex(build: Build, outputs: Outputs, names: Names, formulas: Outputs = ()) -> str:
    r"""The same as a LaTeX `aligned` environment (amsmath), to be set inside `\[ ... \]`."""
    import sympy

    shown = _normal(build, outputs, names, formulas)
    tied = {_LATEX.name(title): r"\text{ if }" for title, _ in shown.outputs if shown.sign(title) == "if"}
    lines = [f"{name} &{tied.get(name, '=')} {meaning}" for name, meaning in _lines(shown, _LATEX)]
    rows = affine_rows(shown.build, [form for _, form in shown.numbers], list(shown.names))
    if rows is not None and rows[0] and rows[0][0]:
        for name, matrix in (("A", rows[0]), ("b", tuple((x,) for x in rows[1]))):
            entries = [[_rational(x) for x in row] for row in matrix]
            lines.append(f"{name} &= {sympy.latex(sympy.Matrix(entries))}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n"


def to_sympy(build: Build, form: Form, names: Names) -> sympy.Expr:
    """The number `form` as one exact expression of real symbols: Max for relus, Piecewise for jumps."""
    import sympy

    values: dict[int, sympy.Expr] = {i: sympy.Symbol(name, real=True) for i, name in names.items()}
    facts: dict[int | None, sympy.Basic] = {}

    def number(form: Form) -> sympy.Expr:
        return sympy.Add(_rational(form.constant), *(_rational(w) * values[i] for i, w in form.terms))

    def truth(form: Form) -> sympy.Basic:
        atom = _bare(form)
        return facts[atom] if atom in facts else sympy.Ge(number(form), 0)

    for i in sorted(build.reach([form])):
        match _parts(build, i):
            case "relu", (test,):
                values[i] = sympy.Max(0, number(test))
            case "jump", (test, then, otherwise):
                values[i] = sympy.Piecewise((number(then), truth(test)), (number(otherwise), True))
            case "not", (test,):
                facts[i] = sympy.Not(truth(test))
            case "and", tests:
                facts[i] = sympy.And(*map(truth, tests))
            case "or", tests:
                facts[i] = sympy.Or(*map(truth, tests))
    return number(form)


# the normal form


class _Shown(Struct, frozen=True):
    """Outputs over a builder whose atoms stand in canonical order, inputs first."""

    build: Build
    outputs: list[tuple[str, Form]]
    names: dict[int, str]
    count: int
    """How many of the outputs are numbers; the rest are formulas."""

    @property
    def numbers(self) -> list[tuple[str, Form]]:
        return self.outputs[: self.count]

    def sign(self, name: str) -> str:
        """How an output is tied to its meaning."""
        return "if" if any(name == title for title, _ in self.outputs[self.count :]) else "="


def _normal(build: Build, outputs: Outputs, names: Names, formulas: Outputs = ()) -> _Shown:
    """Rebuilt twice: what the first pass folds can change the depth of what stands on it."""
    forms = [form for _, form in (*outputs, *formulas)]
    inputs = list(names)
    for _ in range(2):
        build, forms = _rebuilt(build, forms, inputs)
        inputs = list(range(len(inputs)))
    titles = [name for name, _ in (*outputs, *formulas)]
    return _Shown(build, list(zip(titles, forms, strict=True)), dict(enumerate(names.values())), len(outputs))


def _rebuilt(old: Build, forms: Sequence[Form], inputs: Sequence[int]) -> tuple[Build, list[Form]]:
    """The same forms in a fresh builder, which meets the atoms in canonical order."""
    new = Build(cap=1 << 60)
    images: dict[int, Form] = {}
    for atom in inputs:
        variable = old.atoms[atom]
        assert isinstance(variable, Variable)
        images[atom] = new.input(variable)
    for atom in old.reach(forms) - images.keys():
        match old.atoms[atom]:
            case Variable(name=name):
                raise ValueError(f"an output depends on the input {name!r}, which is not among the names")

    def image(form: Form) -> Form:
        return new.combine(((w, images[i]) for i, w in form.terms), form.constant)

    def truth(form: Form) -> Form:
        return new.at_least_zero(image(form))

    for level in _levels(old, forms):
        made: list[tuple[tuple[object, ...], int, Callable[[], Form]]] = []
        for atom in level:
            match _parts(old, atom):
                case "relu", (test,):
                    u = image(test)
                    made.append((("0", _key(_upright(u))), atom, lambda u=u: new.relu(u)))  # type: ignore[misc]
                case "jump", (test, then, otherwise):
                    t, a, b = truth(test), image(then), image(otherwise)
                    key = ("1", _key(t), _key(a), _key(b))
                    made.append((key, atom, lambda t=t, a=a, b=b: new.select(t, a, b)))  # type: ignore[misc]
                case "not", (test,):
                    t = truth(test)
                    made.append((("2", _key(t)), atom, lambda t=t: new.negate(t)))  # type: ignore[misc]
                case ("and" | "or") as kind, tests:
                    ts = sorted({truth(test) for test in tests}, key=_key)
                    join = new.both if kind == "and" else new.either
                    made.append(((kind, *map(_key, ts)), atom, lambda j=join, ts=ts: j(*ts)))  # type: ignore[misc]
        for _, atom, make in sorted(made, key=lambda entry: entry[0]):
            images[atom] = make()
    return new, [image(form) for form in forms]


def _levels(build: Build, forms: Sequence[Form]) -> list[list[int]]:
    """The choices that `forms` depend on, by depth; a chain of `and` counts as one."""
    needed = set()
    todo = [i for form in forms for i, _ in form.terms]
    while todo:
        i = todo.pop()
        if i not in needed:
            needed.add(i)
            todo += [j for form in _parts(build, i)[1] for j, _ in form.terms]
    depth: dict[int, int] = {}
    levels: list[list[int]] = []
    for i in sorted(needed):
        kind, parts = _parts(build, i)
        depth[i] = 0 if kind == "input" else 1 + max((depth[j] for form in parts for j, _ in form.terms), default=0)
        while len(levels) < depth[i]:
            levels.append([])
        if kind != "input":
            levels[depth[i] - 1].append(i)
    return levels


def _parts(build: Build, atom: int) -> tuple[Kind, tuple[Form, ...]]:
    """What an atom is and which forms it stands on; the operands of nested `and`s (or `or`s) are listed flat."""
    match build.atoms[atom]:
        case Variable():
            return "input", ()
        case Choice(test, then, otherwise, logic) as choice:
            if choice.is_relu:
                return "relu", (test,)
            if not logic:
                return "jump", (test, then, otherwise)
            if choice.is_not:
                return "not", (test,)
            conjunction = otherwise == NO
            operands: dict[Form, None] = {}
            seen = set()
            todo = [Form(Fraction(0), ((atom, Fraction(1)),))]
            while todo:
                form = todo.pop()
                i = _bare(form)
                match None if i is None else build.atoms[i]:
                    case Choice(left, right, other, True) as c if not c.is_not and (other == NO) == conjunction:
                        if i not in seen:
                            seen.add(i)
                            todo += [left, right if conjunction else other]
                    case _:
                        operands[form] = None
            return ("and" if conjunction else "or"), tuple(operands)


def _bare(form: Form) -> int | None:
    """The atom that `form` is, if it is one and nothing else."""
    return form.terms[0][0] if not form.constant and len(form.terms) == 1 and form.terms[0][1] == 1 else None


def _upright(form: Form) -> Form:
    """Up to a factor of either sign: relu(-u) = relu(u) - u is the same choice."""
    if form.is_constant:
        return ZERO
    _, unit = primitive(form)
    flip = -1 if unit.terms[0][1] < 0 else 1
    return Form(flip * unit.constant, tuple((i, flip * w) for i, w in unit.terms))


def _key(form: Form) -> tuple[tuple[tuple[int, Fraction], ...], Fraction]:
    return form.terms, form.constant


# printing


class _Style(Struct, frozen=True):
    """How names, affine forms and choices look."""

    name: Callable[[str], str]
    affine: Callable[[Sequence[tuple[str, Fraction]], Fraction], str]
    relu: Callable[[str], str]
    jump: Callable[[str, str, str], str]
    signs: Mapping[str, str]
    both: str
    either: str
    negation: str


def _lines(shown: _Shown, style: _Style) -> Iterator[tuple[str, str]]:
    """(name, meaning) of every definition and output; a formula used once stands where it is used."""
    build = shown.build
    atoms = [atom for level in _levels(build, [form for _, form in shown.outputs]) for atom in level]
    uses = Counter(i for atom in atoms for form in _parts(build, atom)[1] for i, _ in form.terms)
    uses.update(i for _, form in shown.outputs for i, _ in form.terms)
    taken = {style.name(name) for name in (*shown.names.values(), *(name for name, _ in shown.outputs))}
    number = {"r": 0, "j": 0, "p": 0}
    values = {i: style.name(name) for i, name in shown.names.items()}
    facts: dict[int | None, str] = {}

    def fresh(letter: str) -> str:
        while True:
            number[letter] += 1
            if (name := style.name(f"{letter}{number[letter]}")) not in taken:
                return name

    def affine(form: Form) -> str:
        return style.affine([(values[i], w) for i, w in form.terms], form.constant)

    def compare(form: Form, sign: str) -> str:
        """form >= 0 with its first coefficient positive and its constant on the right."""
        if form.terms and form.terms[0][1] < 0:
            form, sign = _negative(form), {">=": "<=", "<": ">", "==": "=="}[sign]
        left = style.affine([(values[i], w) for i, w in form.terms], Fraction(0))
        return f"{left} {style.signs[sign]} {style.affine((), -form.constant)}"

    def truth(form: Form) -> str:
        atom = _bare(form)
        return facts[atom] if atom in facts else compare(form, ">=")

    def joined(kind: Kind, tests: Sequence[Form]) -> str:
        """u >= 0 and -u >= 0 is u == 0."""
        parts = []
        for form in sorted(tests, key=_key):
            if kind == "or" or _bare(form) in facts or (opposite := _negative(form)) not in tests:
                parts.append(truth(form))
            elif _key(opposite) < _key(form):
                parts.append(compare(form, "=="))
        return (style.both if kind == "and" else style.either).join(parts)

    for atom in atoms:
        match _parts(build, atom):
            case "relu", (test,):
                values[atom] = fresh("r")
                yield values[atom], style.relu(affine(test))
            case "jump", (test, then, otherwise):
                values[atom] = fresh("j")
                yield values[atom], style.jump(truth(test), affine(then), affine(otherwise))
            case "not", (test,):
                known = facts.get(_bare(test))
                facts[atom] = compare(test, "<") if known is None else style.negation + known
            case kind, tests if uses[atom] == 1:
                facts[atom] = f"({joined(kind, tests)})"
            case kind, tests:
                meaning = joined(kind, tests)
                facts[atom] = fresh("p")
                yield facts[atom], meaning
    for k, (name, form) in enumerate(shown.outputs):
        if k >= shown.count and form.is_constant:
            yield style.name(name), "true" if form.constant >= 0 else "false"
        else:
            yield style.name(name), truth(form) if k >= shown.count or _bare(form) in facts else affine(form)


def _negative(form: Form) -> Form:
    return Form(-form.constant, tuple((i, -w) for i, w in form.terms))


def _text_affine(terms: Sequence[tuple[str, Fraction]], constant: Fraction) -> str:
    written = ""
    for name, weight in [*terms, ("", constant)]:
        if name or weight or not written:
            sign = "-" if weight < 0 else "+"
            size = str(abs(weight)) if not name else "" if abs(weight) == 1 else f"{abs(weight)}*"
            written += (f" {sign} " if written else sign.strip("+")) + size + name
    return written


_TEXT = _Style(
    name=str,
    affine=_text_affine,
    relu=lambda u: f"relu({u})",
    jump=lambda test, then, otherwise: f"if {test} then {then} else {otherwise}",
    signs={sign: sign for sign in (">=", "<=", ">", "<", "==")},
    both=" and ",
    either=" or ",
    negation="not ",
)


def _latex_affine(terms: Sequence[tuple[str, Fraction]], constant: Fraction) -> str:
    """sympy writes the fractions and signs; the order stays ours."""
    import sympy

    symbols = {sympy.Dummy(): name for name, _ in terms}
    parts = [_rational(w) * symbol for symbol, (_, w) in zip(symbols, terms, strict=True)]
    if constant or not parts:
        parts.append(_rational(constant))
    written = sympy.latex(sympy.Add(*parts, evaluate=False), order="none", symbol_names=symbols)
    assert isinstance(written, str)
    return written


def _latex_name(name: str) -> str:
    """`x1` is x_{1}, `h[0]` is h_{0}, `size` is upright, `x'` keeps its prime; anything else is quoted as text."""
    if match := re.fullmatch(r"([^\W\d_]+)(\d*)((?:\[\d+\])*)('*)", name):
        letters, digits, places, primes = match.groups()
        base = letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
        below = ",".join(re.findall(r"\d+", digits + places))
        return base + primes + (f"_{{{below}}}" if below else "")
    return rf"\text{{{''.join(_TEX_ESCAPES.get(c, c) for c in name)}}}"


_TEX_ESCAPES = {
    **{c: "\\" + c for c in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}

_LATEX = _Style(
    name=_latex_name,
    affine=_latex_affine,
    relu=lambda u: rf"\operatorname{{relu}}\left({u}\right)",
    jump=lambda test, then, otherwise: (
        rf"\begin{{cases}} {then} & \text{{if }} {test} \\ {otherwise} & \text{{otherwise}} \end{{cases}}"
    ),
    signs={">=": r"\geq", "<=": r"\leq", ">": ">", "<": "<", "==": "="},
    both=r" \land ",
    either=r" \lor ",
    negation=r"\lnot ",
)


def _rational(value: Fraction) -> sympy.Expr:
    import sympy

    return sympy.Rational(value.numerator, value.denominator)


def _brackets(parts: Iterable[str]) -> str:
    return f"[{', '.join(parts)}]"
