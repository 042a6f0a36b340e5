"""From claims to questions and back: layout, merged variables, and the side conditions of Theorem 1."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.questions import posed, program
from tests.model.expressions import expression, expressions, points
from tests.model.expressions import program as mixed
from tests.model.test_symbolic import flat
from verifier.model.interpret import Interpreter
from verifier.model.program import PointValue
from verifier.query.pose import Poser
from verifier.source import Rejected

F = Fraction
MIXED = mixed()
INTERPRETER = Interpreter(MIXED)


# reading back


@given(st.lists(expressions(1)["truth"], max_size=3), points(), points())
@settings(max_examples=200, deadline=None)
def test_a_solution_is_read_back_as_the_points_it_is_made_of(facts: list[str], u: PointValue, w: PointValue) -> None:
    poser = Poser(MIXED)
    names = ["u", "w"]
    p = poser.pose(names, [poser.truth(expression(f), names) for f in facts])
    whole = flat(u) + flat(w)
    vector: list[Fraction | None] = [None] * len(p.question.variables)
    for value, place in zip(whole, p.layout, strict=True):
        vector[place] = value if vector[place] in (None, value) else None
    meant = {"u": u, "w": w}
    true = all(INTERPRETER.inside(x) for x in meant.values()) and all(
        INTERPRETER.truth(expression(f), meant) for f in facts
    )
    if p.impossible or None in vector:
        assert not true
    else:
        solution = tuple(x for x in vector if x is not None)
        assert p.read(solution) == meant
        assert p.question.solved_by(solution) == true


PLANE = "domain X { a: real in [0, 1], b: real in [0, 1], c: real in [0, 2], n: int in [0, 1], k: {r, s} }"


@pytest.mark.parametrize(
    ("facts", "variables"),
    [
        ([], 10),
        (["u.a == v.a"], 9),
        (["u.a == v.a", "u.b == v.b", "u.n == v.n"], 7),
        (["u.a >= v.a", "v.a >= u.a"], 9),
        (["u.a == v.b"], 9),
        (["u.k == v.k"], 10),
        (["u.a == v.c"], 10),  # different intervals
        (["u.a == v.n"], 10),  # different kinds
        (["u.a == v.a or u.b == v.b"], 10),
        (["u.a <= v.a"], 10),
        (["2 * u.a == 2 * v.a"], 9),
        (["u.a == v.a + 1/2"], 10),
        (["not (u.a != v.a)"], 9),
    ],
)
def test_coordinates_that_must_be_equal_are_one_variable(facts: list[str], variables: int) -> None:
    p = posed(PLANE, ["u", "v"], facts)
    assert len(p.question.variables) == variables
    assert len(p.layout) == 10
    vector = tuple(F(i) if not v.name.endswith((".n", ".k")) else F(i % 2) for i, v in enumerate(p.question.variables))
    found = p.read(vector)
    if variables < 10:
        assert all(Interpreter(p.program).truth(expression(f), found) for f in facts)


@pytest.mark.parametrize(
    "facts", [["u.a == v.a", "u.b == v.a"], ["u.a == u.b", "u.b == v.a", "v.a == v.b"], ["u.a == v.b", "u.b == v.a"]]
)
def test_chains_of_equal_coordinates_stay_facts_where_they_are_not_merged(facts: list[str]) -> None:
    p = posed(PLANE, ["u", "v"], facts)
    assert 7 <= len(p.question.variables) < 10
    interpreter = Interpreter(p.program)
    for k in range(2 ** len(p.question.variables)):
        vector = tuple(F(k >> i & 1) for i in range(len(p.question.variables)))
        true = all(interpreter.truth(expression(f), p.read(vector)) for f in facts)
        assert p.question.solved_by(vector) == true


def test_numbers_speak_of_merged_variables() -> None:
    p = posed(PLANE, ["u", "v"], ["u.a == v.a"], ["u.a - v.b"])
    assert len(p.question.variables) == 9
    vector = tuple(F(k, 16) for k in range(9))
    points = p.read(vector)
    (number,) = p.question.numbers
    assert p.question.values(vector)[number] == points["u"]["a"] - points["v"]["b"]
    assert points["u"]["a"] == points["v"]["a"] != points["v"]["b"]


METRICS = [
    *("linf", "l1", "l0", "discrete", "l2", "linf(scale: [2, 1/3])", "mahalanobis([[1, 1], [1, 1]])"),
    *("2 * l1 + l2", "max(l0, l1 / 2)", "max(linf, 3 * mahalanobis([[1, 0], [0, 0]]))"),
]


@pytest.mark.parametrize("metric", METRICS)
def test_points_at_distance_0_are_those_that_the_metric_does_not_tell_apart(metric: str) -> None:
    declared = program(
        "domain X { a: int in [0, 2], b: int in [0, 2] }\nlabels { yes }\n"
        f"oracle f2 {{ features f = [a + b, a - b]  metric {metric}  decide yes }}"
    )
    poser, interpreter, fact = Poser(declared), Interpreter(declared), expression("distance(f2, u, v) <= 0")
    p = poser.pose(["u", "v"], [poser.truth(fact, ["u", "v"])])
    grid = [{"a": F(a), "b": F(b)} for a in range(3) for b in range(3)]
    for u, v in product(grid, grid):
        vector: list[Fraction | None] = [None] * len(p.question.variables)
        for value, place in zip([*u.values(), *v.values()], p.layout, strict=True):
            vector[place] = value if vector[place] in (None, value) else F(-1)  # not in X
        solves = F(-1) not in vector and p.question.solved_by(tuple(x for x in vector if x is not None))
        assert solves == (interpreter.distance("f2", u, v) == 0)


def test_the_variables_of_a_point_are_its_share() -> None:
    p = posed(PLANE, ["u", "v"], ["u.a == v.a"])
    u, v = p.share("u"), p.share("v")
    assert len(u) == len(v) == 5
    assert set(u) & set(v) == {u[0]}
    assert [p.question.variables[i].name for i in u] == ["u.a", "u.b", "u.c", "u.n", "u.k"]


def test_a_mirror_is_the_same_coordinate_of_the_first_point() -> None:
    p = posed(PLANE, ["u", "v"], [])
    names = [v.name for v in p.question.variables]
    assert [names[i] if i is not None else None for i in p.question.mirror] == [None] * 5 + names[:5]


def test_members_and_vectors_are_read_in_the_words_of_the_file() -> None:
    p = posed("domain X { v: real^2, k: {r, s}, n: int in [0, 3] }", ["u"], [])
    assert p.read((F(1), F(2), F(1), F(3))) == {"u": {"v": (F(1), F(2)), "k": "s", "n": F(3)}}


@pytest.mark.parametrize("fact", ["u.a > 1", "u.n >= 2", "false", "u.a + u.b < 0", "u.a >= 0 and u.c < 0"])
def test_what_the_intervals_contradict_needs_no_engine(fact: str) -> None:
    assert posed(PLANE, ["u"], [fact]).impossible


@pytest.mark.parametrize("fact", ["u.a >= 1", "true", "u.a > u.b", "u.k != r"])
def test_what_the_intervals_allow_is_asked(fact: str) -> None:
    assert not posed(PLANE, ["u"], [fact]).impossible


def test_the_open_sides_and_the_constraint_of_the_domain_are_asked() -> None:
    p = posed("domain X { a: real in (0, 1], b: real } where b >= a", ["u"], [])
    assert p.question.solved_by((F(1, 2), F(1, 2)))
    assert not p.question.solved_by((F(0), F(1)))
    assert not p.question.solved_by((F(1, 2), F(0)))


# the side conditions of Theorem 1

DOMAIN = "domain X { a: real in [0, 1], b: real in [0, 1], n: int in [0, 9], k: {r, s} }"


def poser(text: str = DOMAIN) -> Poser:
    return Poser(program(text))


@pytest.mark.parametrize(
    ("formula", "closed"),
    [
        ("u.a >= 1/2", True),
        ("u.a > 1/2", False),
        ("u.a == 1/2", True),
        ("u.a != 1/2", False),
        ("u.a >= 1/2 and u.b <= 1/3", True),
        ("u.a >= 1/2 or u.b <= 1/3", True),
        ("u.a > 1/2 or u.b <= 1/3", False),
        ("not (u.a >= 1/2)", False),
        ("not (u.a > 1/2)", True),
        ("not (u.a > 1/2 and u.b > 1/2)", False),  # it is, but nobody looks so closely: Theorem 1* is asked
        ("not (u.a >= 1/2 or u.b > 1/2)", False),
        ("u.n > 3", True),  # a jump between integers is no boundary
        ("not (u.n == 3)", True),
        ("u.n > 3 and u.a >= 1/2", True),
        ("u.k == r", True),
        ("u.k != r", True),
        ("u.k == r => u.a <= 1/2", True),
        ("u.k == r => u.a < 1/2", False),
        ("relu(u.a - 1/2) <= 0", True),
        ("relu(u.a - 1/2) > 0", False),
        ("abs(u.a - u.b) <= 1/4", True),
        ("(if u.a >= 1/2 then u.b else 1 - u.b) >= 1/3", False),  # the number jumps
        ("step(u.a - 1/2) >= 1", False),
        ("(if u.n >= 5 then u.b else 1 - u.b) >= 1/3", True),
    ],
)
def test_a_formula_is_closed_when_nothing_in_it_is_open(formula: str, closed: bool) -> None:
    p = poser()
    assert p.closed(p.truth(expression(formula), ["u"])) == closed


@pytest.mark.parametrize(
    ("number", "continuous"),
    [
        ("u.a", True),
        ("relu(u.a - u.b)", True),
        ("max(u.a, u.b, 1/3) - norm1(u.a, u.b)", True),
        ("relu(relu(u.a) - relu(u.b))", True),
        ("if u.a >= 1/2 then u.a else 1/2", True),  # a relu in disguise
        ("if u.a > 1/2 then 1 else 0", False),
        ("step(u.a - 1/2)", False),
        ("sign(u.a - 1/2)", False),
        ("step(u.n - 5)", True),
        ("if u.k == r then u.a else u.b", True),
        ("if u.k == r then step(u.a - 1/2) else u.b", False),
        ("if u.n >= 5 then relu(u.a - 1/2) else 3", True),
        ("step(u.a + u.n - 1/2)", False),
        ("relu(step(u.a - 1/2) - 1/2)", False),
    ],
)
def test_a_number_is_continuous_when_its_real_choices_are_relus(number: str, continuous: bool) -> None:
    p = poser()
    assert p.continuous(p.number(expression(number), ["u"])) == continuous


@pytest.mark.parametrize(
    ("text", "regular"),
    [
        (DOMAIN, True),
        (DOMAIN + " where a + b <= 1 or n > 3", True),
        (DOMAIN + " where a + b < 1", False),
        (DOMAIN.replace("a: real in [0, 1]", "a: real in [0, 1)"), False),
        (DOMAIN.replace("n: int in [0, 9]", "n: int in (0, 9)"), True),
        (DOMAIN.replace("a: real in [0, 1]", "a: real"), True),
        (DOMAIN.replace("a: real in [0, 1]", "a: real in (-infinity, 1]"), True),
    ],
)
def test_theorem_1_needs_a_closed_domain(text: str, regular: bool) -> None:
    p = poser(text)
    assert p.regular([p.number(expression("abs(x.a - y.a)"), ["x", "y"])], ["x", "y"]) == regular
    assert not p.regular([p.number(expression("step(x.a - 1/2)"), ["x", "y"])], ["x", "y"])


# the sort check


@pytest.mark.parametrize("body", ["forall u in X: u.a", "forall u in X: u.z >= 0", "forall u in X: v.a >= 0"])
def test_a_claim_that_makes_no_sense_is_rejected_before_anything_is_asked(body: str) -> None:
    from verifier.model.assertion import claim_of
    from verifier.query.static import check_claim

    found = program(DOMAIN)
    with pytest.raises(Rejected):
        check_claim(claim_of(found, expression(body)), Poser(found))
