"""The reference meaning, rule by rule, against values worked by hand."""

from __future__ import annotations

from fractions import Fraction
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rationals import fractions
from verifier.model.interpret import DEPTH, INFINITY, Interpreter, InterpretError, Member
from verifier.model.network import Dense, Network, Relu
from verifier.model.program import (
    Classifier,
    Coordinate,
    Domain,
    Feature,
    Function,
    MetricUse,
    PointValue,
    Program,
    Value,
)
from verifier.source import Source
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.syntax.parser import parse

FILE = """
domain X { size: real in [0, 1), x: real^2 in [0, 1], age: int in (0, 9], race: {a, b, c} } where x[0] + size <= 3/2
labels { small, big }
let one = 1
let big = 7
let eye = [[1, 0], [0, 1]]
def hidden(v) = relu([[1, -1], [1, 1]] * v + [0, -1])
def far(s) = s >= 1/2
def grade(s) = if far(s) then big else small
def least(s) = 3 * one * s
def forever(s) = forever(s)
oracle f2 { features s = size, r = race  decide grade(s) }
model f1 { features h = hidden(x), s = size  decide argmax(big: h[0] + h[1], small: s) }
model listed { features s = size  decide argmax([s, 1/2]) }
model lasting { features s = size  decide argmax([s, 1/2], ties: last) }
model lowest { features s = size  decide argmin(small: s, big: 1/2) }
model lonely { features s = size  decide argmax(big: s) }
model fair { features r = race, s = size  decide if r == a or s > 3/4 then big else small }
model nested {
  features s = size, t = x[0]
  decide if s > 1/2 then argmax(small: t, big: 1/4) else if t == 0 then big else small
}
oracle constant { features s = size }
oracle whole { features all }
point p = { size: 1/2, x: [3/4, 1/4], age: 3, race: b }
point q = { size: 1/4, x: [1, 0], age: 4, race: c }
"""


def parsed(text: str) -> tree.File:
    file, diagnostics = parse(Source("test.vf", text))
    assert not diagnostics, diagnostics
    return file


def expression(text: str) -> tree.Expr:
    (declaration,) = parsed(f"compute it: {text}").declarations
    assert isinstance(declaration, tree.Compute)
    return declaration.body


def coordinate(declared: tree.Coordinate) -> Coordinate:
    def side(expr: tree.Expr | None) -> Fraction | None:
        return expr.value if isinstance(expr, tree.Number) else None

    i, name, span = declared.interval, declared.name.id, declared.span
    low, high = (side(i.low), side(i.high)) if i else (None, None)
    sides = (low, high, i is not None and i.low_open, i is not None and i.high_open)
    match declared.sort:
        case tree.FiniteSort(_, members):
            return Coordinate(name, "finite", span, members=tuple(m.id for m in members))
        case tree.IntSort():
            return Coordinate(name, "int", span, None, (), *sides)
        case tree.RealSort(_, size):
            number = side(size)
            return Coordinate(name, "real", span, None if number is None else int(number), (), *sides)


def declared(text: str) -> Program:
    """The program of a file without mistakes: just enough of an elaboration for these tests."""
    program = Program("test.vf")
    for d in parsed(text).declarations:
        match d:
            case tree.Domain():
                program.domain = Domain(d.name.id, tuple(map(coordinate, d.coordinates)), d.where, d.span)
            case tree.Labels():
                program.labels = tuple(n.id for n in d.names)
            case tree.Let():
                value = Interpreter(program).value(d.value, {})
                assert isinstance(value, Fraction | tuple)
                program.constants[d.name.id] = value  # type: ignore[assignment]
            case tree.Def():
                names = tuple(n.id for n in d.parameters)
                program.functions[d.name.id] = Function(d.name.id, names, d.value, d.span)
            case tree.Model():
                assert program.domain is not None
                if isinstance(d.features, tree.NamedFeatures):
                    features = tuple(Feature(e.name.id, e.value) for e in d.features.entries)
                else:
                    features = tuple(Feature(c.name, tree.Name(d.span, c.name)) for c in program.domain.coordinates)
                program.classifiers[d.name.id] = Classifier(d.kind, d.name.id, d.span, features, None, d.decide)
            case tree.PointDecl():
                assert isinstance(d.value, tree.Record)
                program.points[d.name.id] = {e.label: literal(program, e.value) for e in d.value.entries}
    return program


def literal(program: Program, expr: tree.Expr) -> Value:
    if isinstance(expr, tree.Name):
        return expr.id
    value = Interpreter(program).value(expr, {})
    assert isinstance(value, Fraction | tuple)
    return value  # type: ignore[return-value]


PROGRAM = declared(FILE)
MEANING = Interpreter(PROGRAM)
P, Q = PROGRAM.points["p"], PROGRAM.points["q"]


def changed(point: PointValue = P, **coordinates: Value) -> PointValue:
    return {**point, **coordinates}


# expressions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1 + 1/5", F(3, 10)),
        ("-2 * 3 - +1", F(-7)),
        ("7 / 2", F(7, 2)),
        ("2 * [1, 2] - [1, 1]", (F(1), F(3))),
        ("[1, 2] * 2", (F(2), F(4))),
        ("-[1, 2] / 2", (F(-1, 2), F(-1))),
        ("2 * [[1, 2]]", ((F(2), F(4)),)),
        ("[[1, 2], [3, 4]] * [1, -1]", (F(-1), F(-1))),
        ("[[1, 2], [3, 4]] * [[0, 1], [1, 0]]", ((F(2), F(1)), (F(4), F(3)))),
        ("eye * [5, 6]", (F(5), F(6))),
        ("[[1, 2], [3, 4]][1][0]", F(3)),
        ("[1, [2, 3], 4]", (F(1), F(2), F(3), F(4))),
        ("if 1 < 2 then [1, 2] else [3, 4]", (F(1), F(2))),
        ("if 2 < 1 then 1 else 5", F(5)),
        ("relu([-1, 2])", (F(0), F(2))),
        ("abs(-3)", F(3)),
        ("sign([-2, 0, 2])", (F(-1), F(0), F(1))),
        ("step([-2, 0, 2])", (F(0), F(1), F(1))),
        ("clamp([-1, 1/2, 3], 0, 1)", (F(0), F(1, 2), F(1))),
        ("max(1, 3, 2)", F(3)),
        ("max([1, 3, 2])", F(3)),
        ("min([1, 3], -2)", F(-2)),
        ("sum([1, 2, 3])", F(6)),
        ("norm1([1, -2])", F(3)),
        ("norminf([1, -2])", F(2)),
        ("dot([1, 2], [3, 4])", F(11)),
        ("infinity", INFINITY),
        ("-infinity", -INFINITY),
        ("least(2)", F(6)),
        ("hidden([3/4, 1/2])", (F(1, 4), F(1, 4))),
        ("p.size", F(1, 2)),
        ("p.x", (F(3, 4), F(1, 4))),
        ("p.x[1]", F(1, 4)),
        ("p[2]", F(1, 4)),
        ("p[4]", F(1)),
        ("p.race", Member("b", ("a", "b", "c"))),
        ("code(p.race)", F(1)),
        ("onehot(p.race)", (F(0), F(1), F(0))),
        ("f1.h(p)", (F(1, 2), F(0))),
        ("f1.h(p)[0]", F(1, 2)),
        ("f2.r(p)", Member("b", ("a", "b", "c"))),
        ("whole.x(q)", (F(1), F(0))),
        ("f1(p)", Member("small", ("small", "big"))),
        ("f1(q)", Member("big", ("small", "big"))),
        ("constant(p)", Member("", ("",))),
        ("argmax(big: 1, small: 1)", Member("small", ("small", "big"))),
        ("f1.s({size: 1/3, x: [0, 0], age: 1, race: a})", F(1, 3)),
        ("distance(f2, p, q)", F(1)),
        ("distance(f2, p, q, only: s)", F(1, 4)),
        ("margin(listed, q)", F(1, 4)),
        ("margin(constant, p)", INFINITY),
    ],
)
def test_value(text: str, expected: object) -> None:
    value = MEANING.value(expression(text), {})
    assert value == expected and type(value) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "not false",
        "1 < 2 <= 2 < 3",
        "not 1 < 2 < 2",
        "3 >= 3 > 2 != 1 == 1",
        "[1, 2] == [1, 2]",
        "[1, 2] != [1, 3]",
        "not [1, 2] != [1, 2]",
        "true and (false or true)",
        "false => false",
        "not (true => false)",
        "false <=> false",
        "not (true <=> false)",
        "(1 < 2) == (3 < 4)",
        "1 < infinity and -infinity < -1 and infinity == infinity",
        "margin(constant, p) >= 1/20",
        "if 1 < 2 then true else false",
        "far(1/2) and not far(1/4)",
        "p != q and p == p",
        "p == {size: 1/2, x: [3/4, 1/4], age: 3, race: b}",
        "p.race == b and b == p.race and p.race != c and p.race != q.race",
        "a != p.race == b",
        "f1(q) == big and small == f1(p) == small",
        "f1(p) != f1(q)",
        "f2(p) == argmax(1, 2)",
        "constant(p) == constant(q)",
        "big == 7",
    ],
)
def test_truth(text: str) -> None:
    assert MEANING.truth(expression(text), {}) is True


def test_local_names_come_first_then_constants() -> None:
    assert MEANING.value(expression("one + p"), {"p": F(5)}) == 6
    assert MEANING.value(expression("one"), {"one": 3}) == F(3)
    assert MEANING.truth(expression("u.size < v.size and u.x[0] == 1"), {"u": Q, "v": P})
    assert MEANING.truth(expression("f1(u) == small and u == p"), {"u": P})


def test_a_function_sees_its_parameters_and_nothing_of_its_caller() -> None:
    program = declared("let k = 2 def inner(v) = v + k def outer(v, k) = inner(k * v) def leak(v) = hidden")
    meaning = Interpreter(program)
    assert meaning.value(expression("outer(3, 10)"), {"v": F(0)}) == 32
    with pytest.raises(InterpretError, match="hidden"):
        meaning.value(expression("leak(1)"), {"hidden": F(1)})


def test_members_shadow_other_names_only_beside_their_own_sort() -> None:
    program = declared("domain X { a: real, race: {a, b} } labels { b, c } let c = 5")
    meaning = Interpreter(program)
    env = {"a": F(1), "race": Member("a", ("a", "b"))}
    assert meaning.truth(expression("race == a and a == race"), env)
    assert meaning.truth(expression("a == 1 and c == 5 and 5 == c"), env)
    for wrong in ("race == c", "race == 1", "a == b", "race < a"):
        with pytest.raises(InterpretError):
            meaning.truth(expression(wrong), env)


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "1 / 0",
        "1 / [1, 2]",
        "[1, 2] * [3, 4]",
        "[1, 2] + 1",
        "[1, 2] + [1]",
        "[[1, 2], [3, 4]] * [1]",
        "dot([1], [1, 2])",
        "dot([[1]], [[1]])",
        "[1, 2][2]",
        "[1, 2][1/2]",
        "[1, 2][-1]",
        "1[0]",
        "1 + true",
        "not 1",
        "true and 1",
        "[1] < [2]",
        "p < q",
        "p == 1",
        "infinity + 1",
        "relu(1, 2)",
        "relu(true)",
        "clamp(1, 2)",
        "sum(x: 1)",
        "code(1)",
        "unknown(1)",
        "f1(1)",
        "f1(p, q)",
        "f1.t(p)",
        "f9.t(p)",
        "f1.s",
        "p.colour",
        "distance(f2, p)",
        "distance(p, p, q)",
        "distance(f2, p, q, only: h)",
        "margin()",
        "argmax()",
        "argmax(big: 1, 2)",
        "argmax(1, 2, 3)",
        "argmax(huge: 1)",
        "argmax(big: 1, big: 2)",
        "argmax(1, 2, ties: big)",
        "grade(1/4)",
        "far(1, 2)",
        "far(s: 1)",
        "forever(1)",
        "{size: 1/2}",
        "{colour: 1}",
        '"text"',
        "forall u in X: true",
    ],
)
def test_an_expression_without_a_meaning_is_an_error(text: str) -> None:
    with pytest.raises(InterpretError) as caught:
        MEANING.value(expression(text), {})
    assert caught.value.message
    assert MEANING._depth == 0 < DEPTH


# points


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        (P, True),
        (changed(size=F(0)), True),
        (changed(size=F(1)), False),
        (changed(size=F(-1, 9)), False),
        (changed(x=(F(1), F(1)), size=F(1, 2)), True),
        (changed(x=(F(1), F(1)), size=F(51, 100)), False),
        (changed(x=(F(1), F(11, 10))), False),
        (changed(x=(F(1),)), False),
        (changed(x=F(1)), False),
        (changed(age=F(0)), False),
        (changed(age=F(1, 2)), False),
        (changed(age=F(9)), True),
        (changed(age=F(10)), False),
        (changed(race="c"), True),
        (changed(race="d"), False),
        (changed(race=F(0)), False),
        (changed(size="a"), False),
        (changed(colour=F(0)), False),
        ({"size": F(0)}, False),
    ],
)
def test_a_point_is_inside_iff_sorts_intervals_and_where_hold(point: PointValue, expected: bool) -> None:
    assert MEANING.inside(point) is expected


# classifiers


def test_features_by_name_with_members_as_text() -> None:
    assert MEANING.features("f2", P) == {"s": F(1, 2), "r": "b"}
    assert MEANING.features("f1", P) == {"h": (F(1, 2), F(0)), "s": F(1, 2)}
    assert MEANING.features("whole", Q) == dict(Q)


@pytest.mark.parametrize(
    ("name", "point", "label", "margin"),
    [
        ("f2", P, "big", F(0)),
        ("f2", Q, "small", F(1, 4)),
        ("f1", P, "small", F(0)),
        ("f1", Q, "big", F(3, 4)),
        ("listed", changed(size=F(3, 4)), "small", F(1, 4)),
        ("listed", P, "small", F(0)),
        ("lasting", P, "big", F(0)),
        ("lowest", Q, "small", F(1, 4)),
        ("lowest", changed(size=F(3, 4)), "big", F(1, 4)),
        ("lonely", P, "big", None),
        ("constant", P, "", None),
        ("fair", P, "small", F(1, 4)),
        ("fair", changed(race="a"), "big", None),
        ("nested", changed(size=F(9, 10)), "small", F(2, 5)),
        ("nested", changed(size=F(9, 10), x=(F(1, 2), F(0))), "small", F(1, 4)),
        ("nested", changed(size=F(1, 4), x=(F(0), F(0))), "big", F(0)),
        ("nested", changed(size=F(1, 4), x=(F(1, 8), F(0))), "small", F(1, 8)),
    ],
)
def test_label_and_margin(name: str, point: PointValue, label: str, margin: Fraction | None) -> None:
    assert MEANING.label(name, point) == label
    assert MEANING.margin(name, point) == margin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s >= 1", F(2)),
        ("s > 5", F(-2)),
        ("s <= 1", F(-2)),
        ("s < 5", F(2)),
        ("s == 1", F(-2)),
        ("s == 3", F(0)),
        ("s != 1", F(2)),
        ("1 <= s <= 4", F(1)),
        ("s > 1 and s > 2", F(1)),
        ("s > 1 or s > 2", F(2)),
        ("not s > 1", F(-2)),
        ("s > 1 => s > 4", F(-1)),
        ("s > 4 => s > 1", F(2)),
        ("s > 1 <=> s > 4", F(-1)),
        ("s > 1 <=> s > 2", F(1)),
        ("v == [1, 2]", F(-1)),
        ("v != [1, 2]", F(1)),
        ("v == [1, 3]", F(0)),
        ("r == a", INFINITY),
        ("r != a", -INFINITY),
        ("r == a and s > 1", F(2)),
        ("r == b or s > 1", F(2)),
        ("r == b and s > 1", -INFINITY),
        ("s < infinity", INFINITY),
        ("true", INFINITY),
        ("above(s)", F(2)),
        ("if s > 1 then s > 2 else s > 0", F(1)),
        ("if s > 4 then s > 2 else s > 0", F(1)),
    ],
)
def test_robustness(text: str, expected: object) -> None:
    meaning = Interpreter(declared("def above(t) = t > 1"))
    env = {"s": F(3), "v": (F(1), F(3)), "r": Member("a", ("a", "b"))}
    assert meaning.robustness(expression(text), env) == expected


comparisons = st.builds(
    "{} {} {}".format,
    st.sampled_from("xyz"),
    st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]),
    st.sampled_from(["x", "y", "0", "1/2"]),
)
formulas = st.recursive(
    comparisons,
    lambda inner: (
        st.builds("not ({})".format, inner)
        | st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or", "=>", "<=>"]), inner)
        | st.builds("if {} then {} else {}".format, comparisons, comparisons, comparisons)
    ),
    max_leaves=5,
)
halves = fractions(-1, 1, 2)


@given(formulas, st.tuples(halves, halves, halves))
def test_the_sign_of_the_robustness_is_the_truth(formula: str, at: tuple[Fraction, Fraction, Fraction]) -> None:
    expr, env = expression(formula), dict(zip("xyz", at, strict=True))
    meaning = Interpreter(Program("test.vf"))
    rho = meaning.robustness(expr, env)
    if rho:
        assert meaning.truth(expr, env) == (rho > 0)


# metrics


def measured(builtin: str = "", scales: tuple[Fraction, ...] = (), body: str = "") -> Interpreter:
    program = declared(FILE)
    metric = MetricUse(NOWHERE, builtin, scales, ("u", "v"), expression(body) if body else None)
    f = program.classifiers["whole"]
    program.classifiers["whole"] = Classifier(f.kind, f.name, f.span, f.features, metric, f.decide)
    return Interpreter(program)


SCALES = (F(1, 4), F(1), F(1), F(2), F(4))


@pytest.mark.parametrize(
    ("meaning", "only", "expected"),
    [
        (MEANING, None, F(1)),
        (MEANING, "x", F(1, 4)),
        (measured("linf"), None, F(1)),
        (measured("l1"), None, F(1, 4) + F(1, 4) + F(1, 4) + 1 + 1),
        (measured("l0"), None, F(5)),
        (measured("discrete"), None, F(1)),
        (measured("l1", SCALES), None, 1 + F(1, 4) + F(1, 4) + F(1, 2) + F(1, 4)),
        (measured("l1", SCALES), "x", F(1, 4)),
        (measured("l1", SCALES), "age", F(1, 2)),
        (measured("l0", SCALES), "x", F(2)),
        (measured("discrete"), "x", F(1)),
        (measured(body="abs(u.size - v.size) + 2 * abs(u[1] - v.x[0])"), None, F(3, 4)),
        (measured(body="if u.race == v.race then 0 else 3"), None, F(3)),
        (measured(body="[u[0]]"), None, F(1, 2)),
        (measured(body="2 * abs(u.size - v.size)"), "age", F(1)),
    ],
)
def test_distance(meaning: Interpreter, only: str | None, expected: Fraction) -> None:
    assert meaning.distance("whole", P, Q, only) == expected


def test_equal_points_have_distance_zero() -> None:
    for builtin in ("linf", "l1", "l0", "discrete"):
        assert measured(builtin, SCALES).distance("whole", P, P) == 0


# networks


def network(rule: str = "argmax") -> Network:
    """Scores (relu(size - age), 1) or the one score relu(size - age) - 1/2."""
    first = Dense((0,), ([[1.0, 0, 0, -1.0, 0]],), [0.0])
    if rule == "argmax":
        return Network(5, (first, Relu(1), Dense((2,), ([[1.0], [0.0]],), [0.0, 1.0])), "argmax", 2)
    return Network(5, (first, Relu(1), Dense((2,), ([[1.0]],), [-0.5])), "positive", 2)


def trained(rule: str, inputs: str | None = None) -> Interpreter:
    program = declared(FILE)
    feed = None if inputs is None else expression(inputs)
    features = (Feature("g", tree.Name(NOWHERE, "g"), 1),)
    program.classifiers["net"] = Classifier("model", "net", NOWHERE, features, None, None, network(rule), feed, cut=2)
    return Interpreter(program)


@pytest.mark.parametrize(
    ("rule", "size", "label", "margin"),
    [
        ("argmax", F(3), "small", F(1)),
        ("argmax", F(2), "small", F(0)),
        ("argmax", F(1), "big", F(1)),
        ("positive", F(2), "big", F(1, 2)),
        ("positive", F(3, 2), "small", F(0)),
        ("positive", F(1), "small", F(1, 2)),
    ],
)
def test_network_labels_and_margins(rule: str, size: Fraction, label: str, margin: Fraction) -> None:
    meaning = trained(rule)
    point = changed(size=size, age=F(1))
    assert meaning.label("net", point) == label
    assert meaning.margin("net", point) == margin
    assert meaning.features("net", point) == {"g": (max(size - 1, F(0)),)}
    assert meaning.truth(expression("net.g(u)[0] >= 0 and net.g(u) == [u.size - 1]"), {"u": point})
    assert meaning.distance("net", point, changed(point, size=size + 1)) == 1


def test_network_inputs_are_flattened_with_members_by_their_code() -> None:
    meaning = trained("argmax", "[size / 2, onehot(race), code(race) + 1 - 1]")
    # size/2, [race = a], [race = b], [race = c] and the code: the network reads the first and the fourth
    assert meaning.features("net", changed(size=F(4), race="c")) == {"g": (F(1),)}
    assert meaning.features("net", changed(size=F(4), race="a")) == {"g": (F(2),)}
    plain = trained("argmax", "[size, x, age, race]")
    assert plain.features("net", P) == trained("argmax").features("net", P)
    with pytest.raises(ValueError, match="takes 5 numbers"):
        trained("argmax", "[size]").label("net", P)


def test_the_label_of_a_point_does_not_depend_on_what_was_asked_before() -> None:
    meaning = trained("argmax")
    sizes = [F(n, 100) for n in range(400)]  # more points than are remembered
    for size in [*sizes, *reversed(sizes)]:
        assert meaning.label("net", changed(size=size, age=F(1))) == ("small" if size >= 2 else "big")


def test_asking_about_what_is_not_declared_is_an_error() -> None:
    with pytest.raises(InterpretError, match="`f9`"):
        MEANING.label("f9", P)
    with pytest.raises(InterpretError, match="not a point"):
        MEANING.label("f1", {"size": F(1)})
    with pytest.raises(InterpretError, match="no domain"):
        Interpreter(Program("test.vf")).inside(P)
    with pytest.raises(InterpretError, match="not a value"):
        MEANING.value(expression("u"), {"u": 0.5})
