"""One map has one printed form, and what is printed is the map."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from fractions import Fraction as Q

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.canonical.show import latex, text, to_sympy
from verifier.kernel.circuit import evaluate
from verifier.language.build import ZERO, Build, Form, Variable

Sum = tuple[tuple[tuple[str, Q], ...], Q]  # weights of names, and a constant
Test = tuple[Sum, bool, bool]  # u >= 0, strict?, negated?


@dataclass(frozen=True)
class Relu:
    of: Sum


@dataclass(frozen=True)
class Jump:
    conjunction: bool
    tests: tuple[Test, ...]
    then: Sum
    otherwise: Sum


@dataclass(frozen=True)
class Script:
    """A map: `steps[k]` has the name `s{k}`, and inputs x0, x1, ... of its own that no bound decides."""

    steps: tuple[Relu | Jump, ...]
    outputs: tuple[Sum, ...]
    inputs: int


weights = st.sampled_from([Q(1), Q(-1), Q(2), Q(-3), Q(1, 2), Q(-2, 3)])


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    inputs = 0
    known: list[str] = []

    def total(own: bool = False) -> Sum:
        nonlocal inputs
        terms = draw(st.dictionaries(st.sampled_from(known), weights, max_size=3)) if known else {}
        if own:
            terms[f"x{inputs}"] = draw(weights)
            inputs += 1
        return tuple(terms.items()), draw(st.sampled_from([Q(0), Q(1), Q(-1, 2)]))

    steps: list[Relu | Jump] = []
    for k in range(draw(st.integers(0, 5))):
        first = inputs
        if draw(st.booleans()):
            steps.append(Relu(total(own=True)))
        else:
            tests = [
                (total(own=True), draw(st.booleans()), draw(st.booleans())) for _ in range(draw(st.integers(1, 3)))
            ]
            steps.append(Jump(draw(st.booleans()), tuple(tests), total(), total()))
        known += [f"s{k}", *(f"x{i}" for i in range(first, inputs))]
    inputs += 1
    known.append(f"x{inputs - 1}")
    return Script(tuple(steps), tuple(total() for _ in range(draw(st.integers(1, 3)))), inputs)


def built(script: Script, rng: random.Random | None) -> tuple[Build, list[tuple[str, Form]], list[Form]]:
    """The map as it stands, or written differently: other order, other scale, the other relu, other names."""
    build = Build()
    inputs = [build.input(Variable(f"x{k}" if rng is None else f"feature{k}")) for k in range(script.inputs)]
    values = {f"x{k}": form for k, form in enumerate(inputs)}

    def positive() -> Q:
        return rng.choice([Q(1), Q(3), Q(1, 7)]) if rng else Q(1)

    def shuffled(parts: list[Form]) -> list[Form]:
        return rng.sample(parts, len(parts)) if rng else parts

    def total(terms: Sum) -> Form:
        parts = [build.scale(w, values[name]) for name, w in terms[0]] + [build.constant(terms[1])]
        return build.add(*shuffled(parts))

    def fact(test: Test) -> Form:
        terms, strict, negated = test
        form = build.scale(positive(), total(terms))
        truth = build.above_zero(form) if strict else build.at_least_zero(form)
        return build.negate(truth) if negated else truth

    def value(step: Relu | Jump) -> Form:
        match step:
            case Relu(of):
                form, factor = total(of), positive()
                if rng and rng.random() < 0.5:
                    return build.add(build.relu(build.scale(-1, form)), form)
                return build.scale(factor, build.relu(build.scale(1 / factor, form)))
            case Jump(conjunction, tests, then, otherwise):
                join = build.both if conjunction else build.either
                facts = shuffled([fact(test) for test in tests])
                cut = rng.randrange(len(facts)) if rng else 0
                test = join(join(*facts[:cut]), *facts[cut:])
                return build.select(test, total(then), total(otherwise))

    todo = list(range(len(script.steps)))
    while todo:
        ready = [k for k in todo if not any(f"s{j}" in str(script.steps[k]) for j in todo)]
        k = rng.choice(ready) if rng else ready[0]
        values[f"s{k}"] = value(script.steps[k])
        todo.remove(k)
    return build, [(f"f{k}", total(terms)) for k, terms in enumerate(script.outputs)], inputs


def names(script: Script, letter: str = "x") -> dict[int, str]:
    return {k: f"{letter}{k}" for k in range(script.inputs)}


relaxed = settings(deadline=None, max_examples=80)


@relaxed
@given(scripts(), st.randoms(use_true_random=False))
def test_the_text_does_not_depend_on_how_the_map_was_written(script: Script, rng: random.Random) -> None:
    plain, other = built(script, None), built(script, rng)
    expected = text(plain[0], plain[1], names(script))
    assert text(other[0], other[1], names(script)) == expected
    assert re.sub(r"\bfeature", "x", text(other[0], other[1], names(script, "feature"))) == expected


@settings(deadline=None, max_examples=30)
@given(scripts(), st.randoms(use_true_random=False))
def test_the_latex_does_not_depend_on_how_the_map_was_written(script: Script, rng: random.Random) -> None:
    plain, other = built(script, None), built(script, rng)
    expected = latex(plain[0], plain[1], names(script))
    assert latex(other[0], other[1], names(script)) == expected
    balanced(expected)


coordinates = st.sampled_from([Q(0), Q(1), Q(-1), Q(1, 2), Q(2, 3), Q(-2)])


def exact(script: Script, point: list[Q]) -> list[Q]:
    build, outputs, inputs = built(script, None)
    circuit, places = build.circuit([form for _, form in outputs], inputs)
    values = evaluate(circuit, point)
    return [values[place] for place in places]


@relaxed
@given(scripts(), st.data())
def test_the_text_computes_the_map(script: Script, data: st.DataObject) -> None:
    build, outputs, _ = built(script, None)
    point = [data.draw(coordinates) for _ in range(script.inputs)]
    scope: dict[str, object] = {f"x{k}": v for k, v in enumerate(point)}
    scope |= {"Q": Q, "relu": lambda v: max(v, 0)}
    for line in text(build, outputs, names(script)).splitlines():
        name, meaning = line.split(" = ", 1)
        if match := re.fullmatch(r"if (.*) then (.*) else (.*)", meaning):
            meaning = f"({match[2]}) if ({match[1]}) else ({match[3]})"
        scope[name] = eval(re.sub(r"(?<!\w)\d+", r"Q(\g<0>)", meaning), scope)
    assert [scope[name] for name, _ in outputs] == exact(script, point)


@settings(deadline=None, max_examples=25)
@given(scripts(), st.data())
def test_the_sympy_expression_computes_the_map(script: Script, data: st.DataObject) -> None:
    import sympy

    build, outputs, _ = built(script, None)
    point = [data.draw(coordinates) for _ in range(script.inputs)]
    where = {sympy.Symbol(f"x{k}", real=True): sympy.Rational(str(v)) for k, v in enumerate(point)}
    values = [to_sympy(build, form, names(script)).subs(where) for _, form in outputs]
    assert values == [sympy.Rational(str(v)) for v in exact(script, point)]


def balanced(written: str) -> None:
    depth = 0
    for token in re.findall(r"\\.|[{}]", written):
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0
    assert depth == 0
    assert written.count(r"\left(") + written.count(r"\left[") == written.count(r"\right")
    environments = re.findall(r"\\(begin|end)\{(\w+)\}", written)
    stack: list[str] = []
    for kind, name in environments:
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack


# single pages


def example() -> tuple[Build, list[tuple[str, Form]], dict[int, str]]:
    build = Build()
    x, y = build.input(Variable("x")), build.input(Variable("y"))
    r = build.relu(build.scale(2, build.subtract(y, x)))
    both = build.both(build.at_least_zero(x), build.above_zero(build.add(y, build.constant(-1))))
    jump = build.select(both, build.add(r, x), build.constant(3))
    tie = build.is_zero(build.subtract(x, y))
    once = build.select(build.either(tie, build.negate(both)), build.constant(1), ZERO)
    outputs = [("h[0]", build.combine([(Q(1, 2), r), (Q(-1), x)])), ("h[1]", jump), ("t", build.add(once, jump))]
    return build, [*outputs, ("tie", tie), ("zero", ZERO)], {0: "x", 1: "y"}


def test_a_page_of_text() -> None:
    assert text(*example()) == (
        "r1 = relu(x - y)\n"
        "p1 = x - y == 0\n"
        "p2 = x >= 0 and y > 1\n"
        "j1 = if p2 then -x + 2*y + 2*r1 else 3\n"
        "j2 = if (p1 or not p2) then 1 else 0\n"
        "h[0] = -2*x + y + r1\n"
        "h[1] = j1\n"
        "t = j1 + j2\n"
        "tie = p1\n"
        "zero = 0\n"
    )


def test_a_page_of_latex() -> None:
    assert latex(*example()).splitlines() == [
        r"\begin{aligned}",
        r"r_{1} &= \operatorname{relu}\left(x - y\right) \\",
        r"p_{1} &= x - y = 0 \\",
        r"p_{2} &= x \geq 0 \land y > 1 \\",
        r"j_{1} &= \begin{cases} - x + 2 y + 2 r_{1} & \text{if } p_{2} \\ 3 & \text{otherwise} \end{cases} \\",
        r"j_{2} &= \begin{cases} 1 & \text{if } (p_{1} \lor \lnot p_{2}) \\ 0 & \text{otherwise} \end{cases} \\",
        r"h_{0} &= - 2 x + y + r_{1} \\",
        r"h_{1} &= j_{1} \\",
        r"t &= j_{1} + j_{2} \\",
        r"\mathrm{tie} &= p_{1} \\",
        r"\mathrm{zero} &= 0",
        r"\end{aligned}",
    ]


def test_a_map_without_choices_shows_its_matrix() -> None:
    build = Build()
    size, hue = build.input(Variable("size")), build.input(Variable("hue"))
    outputs = [("s", size), ("h", build.combine([(Q(-1, 10), hue)], Q(2)))]
    assert text(build, outputs, {0: "size", 1: "hue"}) == (
        "s = size\nh = -1/10*hue + 2\nA = [[1, 0], [0, -1/10]]\nb = [0, 2]\n"
    )
    assert text(build, outputs, {1: "hue", 0: "size"}).splitlines()[2] == "A = [[0, 1], [-1/10, 0]]"
    assert latex(build, outputs, {0: "size", 1: "hue"}).splitlines()[3:5] == [
        r"A &= \left[\begin{matrix}1 & 0\\0 & - \frac{1}{10}\end{matrix}\right] \\",
        r"b &= \left[\begin{matrix}0\\2\end{matrix}\right]",
    ]
    assert text(build, [], {}) == "A = []\nb = []\n"


def test_definitions_avoid_the_names_in_use() -> None:
    build = Build()
    r1 = build.input(Variable("r1"))
    assert text(build, [("r2", build.relu(r1))], {0: "r1"}) == "r3 = relu(r1)\nr2 = r3\n"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("x", "x"),
        ("x'", "x'"),
        ("x12", "x_{12}"),
        ("h[0]", "h_{0}"),
        ("hidden[3]'", r"\mathrm{hidden}'_{3}"),
        ("age_in_years", r"\text{age\_in\_years}"),
        ("50% & $#{}\\^~", r"\text{50\% \& \$\#\{\}\textbackslash{}\textasciicircum{}\textasciitilde{}}"),
    ],
)
def test_names_are_escaped(name: str, written: str) -> None:
    build = Build()
    page = latex(build, [("f", build.input(Variable("v")))], {0: name})
    assert page.splitlines()[1] == rf"f &= {written} \\"
    balanced(page)


def test_relus_of_trained_weights_are_normalised_too() -> None:
    """What folds away in the first pass does not leave its mark on the order."""
    build = Build()
    x, y = build.input(Variable("x")), build.input(Variable("y"))
    a, b = build.relu(build.scale(-2, x), scaled=False), build.relu(build.scale(-1, x), scaled=False)
    deep = build.relu(build.combine([(Q(1), a), (Q(-2), b), (Q(1), y)]), scaled=False)
    assert text(build, [("f", build.subtract(deep, a))], {0: "x", 1: "y"}) == (
        "r1 = relu(x)\nr2 = relu(y)\nf = 2*x - 2*r1 + r2\n"
    )


def test_a_missing_name_is_a_mistake() -> None:
    build = Build()
    x, y = build.input(Variable("x")), build.input(Variable("y"))
    with pytest.raises(ValueError, match="'y'"):
        text(build, [("f", build.add(x, build.relu(y)))], {0: "x"})
