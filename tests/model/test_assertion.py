"""From the body of an assertion to its claim."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.engines.questions import program
from tests.model.expressions import expression
from verifier.model.assertion import at, claim_of, joined, measure_of, property_of, rewrite, template
from verifier.model.claim import Always, Block, Claim, Compare, Contained, Infimum, Join, LocallyConstant, Not, Prenex
from verifier.model.elaborate import names_in
from verifier.source import Rejected
from verifier.syntax import tree
from verifier.syntax.format import unparse

TEXT = """
domain X { a: real in [0, 1], x: real^2 in [0, 1], c: {a, r}, d: {r, a} }
labels { no, yes }
let k = 1/2
oracle f2 { features a = a  metric linf  decide if a >= k then yes else no }
model f1 { features a = a, h = x  metric l1  decide if a >= k then yes else no }
point p = { a: 1/2, x: [0, 1], c: r, d: r }
"""
PROGRAM = program(TEXT)


def claim(text: str) -> Claim:
    return claim_of(PROGRAM, expression(text))


def written(expr: tree.Expr) -> str:
    return unparse(expr)


# connectives and quantifiers


def test_an_existence_is_a_refuted_universal() -> None:
    found = claim("exists u in X: u.a >= 1")
    assert isinstance(found, Not)
    assert isinstance(found.claim, Always)
    assert (found.claim.points, written(found.claim.then)) == (("u",), "not u.a >= 1")


def test_the_left_side_of_an_implication_is_the_premise() -> None:
    found = claim("forall u, v in X: u.a >= v.a => f1(u) == f1(v)")
    assert isinstance(found, Always)
    assert [written(g) for g in found.given] == ["u.a >= v.a"]
    assert written(found.then) == "f1(u) == f1(v)"
    assert found.shown == ("f1",)
    assert found.ends is not None
    assert [written(e) for e in found.ends] == ["u", "v"]


def blocks(text: str) -> tuple[str, str]:
    """`A x y, E z`, and the formula behind them."""
    found = claim(text)
    assert isinstance(found, Prenex)
    return ", ".join(f"{b.kind[0].upper()} {' '.join(b.points)}" for b in found.blocks), written(found.formula)


@pytest.mark.parametrize(
    ("text", "prefix", "formula"),
    [
        ("forall x in X: exists y in X: y.a >= x.a", "F x, E y", "y.a >= x.a"),
        ("exists x in X: forall y in X: exists z in X: z.a >= y.a", "E x, F y, E z", "z.a >= y.a"),
        ("forall x in X: exists y in X: exists z in X: z.a >= y.a", "F x, E y z", "z.a >= y.a"),
        ("forall x in X: x.a > 0 => (exists y in X: y.a < x.a)", "F x, E y", "x.a > 0 => y.a < x.a"),
        ("forall x in X: (forall y in X: y.a >= x.a) => x.a == 0", "F x, E y", "y.a >= x.a => x.a == 0"),
        ("forall x in X: not (forall y in X: y.a > x.a)", "F x, E y", "not y.a > x.a"),
        ("exists x in X: not (exists y in X: y.a > x.a)", "E x, F y", "not y.a > x.a"),
        # side by side: as few blocks as may be, and names apart
        (
            "forall x in X: (exists y in X: y.a > x.a) or (exists y in X: y.a < x.a)",
            "F x, E y y2",
            "y.a > x.a or y2.a < x.a",
        ),
        (
            "forall x in X: (exists y in X: y.a > x.a) and (forall z in X: z.a >= 0)",
            "F x z, E y",
            "y.a > x.a and z.a >= 0",
        ),
        (
            "forall x in X: (exists y in X: y.a > x.a) <=> x.a < 1",
            "F x y, E y2",
            "(y.a > x.a => x.a < 1) and (x.a < 1 => y2.a > x.a)",
        ),
        # a declared point is another one than the bound one
        ("forall x in X: (exists p in X: p.a > x.a) or x.a >= p.a", "F x, E p2", "p2.a > x.a or x.a >= p.a"),
        ("forall x in X: exists p in X: p.a >= x.a", "F x, E p", "p.a >= x.a"),
        # a member of a finite sort is no point, whatever it is called
        (
            "forall r in X: exists y in X: y == {a: r.a, x: r.x, c: r, d: a}",
            "F r, E y",
            "y == {a: r.a, x: r.x, c: r, d: a}",
        ),
    ],
)
def test_quantifiers_come_to_the_front(text: str, prefix: str, formula: str) -> None:
    assert blocks(text) == (prefix, formula)


def test_quantifiers_that_do_not_alternate_need_no_blocks() -> None:
    found = claim("forall x in X: x.a > 0 => (forall y in X: f1(y) == f1(x))")
    assert isinstance(found, Always)
    assert (found.points, [written(g) for g in found.given]) == (("x", "y"), ["x.a > 0"])
    found = claim("forall x in X: (exists y in X: y.a > x.a) => x.a < 1")
    assert isinstance(found, Always) and found.points == ("x", "y")


def test_both_directions_of_an_equivalence_count_once() -> None:
    found = claim("forall x in X: x.a > 0 <=> (exists y in X: forall z in X: exists w in X: w.a + z.a > y.a)")
    assert isinstance(found, Prenex)
    assert sum(len(b.points) for b in found.blocks) == 7


def test_the_premise_of_the_outer_quantifiers_is_asked_about() -> None:
    found = claim("forall x in X: exists y in X: x.a > y.a => f1(y) == yes")
    assert isinstance(found, Prenex)
    assert found.blocks == (Block("forall", ("x",)), Block("exists", ("y",)))
    assert isinstance(found.given, Not) and isinstance(found.given.claim, Always)
    assert (found.given.claim.points, written(found.given.claim.then)) == (("x", "y"), "not x.a > y.a")
    assert found.shown == ("f1",)
    found = claim("exists x in X: forall y in X: x.a > y.a => f1(y) == yes")
    assert isinstance(found, Prenex) and found.given is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("forall x in X: exists x in X: x.a > 0", "`x` is bound twice."),
        ("forall x in X: (exists y in X: exists x in X: x.a > 0)", "`x` is bound twice."),
        ("forall x in X: exists y, y in X: y.a > 0", "`y` is bound twice."),
        ("forall x in X: exists y in Y: y.a > 0", "There is no domain called `Y`."),
        (
            "forall x1, x2, x3, x4 in X: exists y1, y2, y3 in X: y1.a > 0",
            "At most six points can be quantified at once.",
        ),
        (
            "forall x in X: (exists u, v in X: u.a > v.a)"
            " <=> ((exists y in X: y.a > x.a) <=> (exists z in X: z.a > x.a))",
            "Written out, these quantifiers are about 13 points.",
        ),
        ("forall x in X: exists y in X: contained(f1, f2)", "`contained` already speaks about all points."),
    ],
)
def test_what_cannot_be_quantified_is_said(text: str, message: str) -> None:
    with pytest.raises(Rejected) as said:
        claim(text)
    assert said.value.diagnostics[0].message == message


def test_quantifiers_of_one_kind_are_one() -> None:
    found = claim("forall u in X: forall v, w in X: u.a <= v.a + w.a")
    assert isinstance(found, Always)
    assert (found.points, found.ends) == (("u", "v", "w"), None)


def test_connectives_between_claims_are_joins() -> None:
    found = claim("contained(f1, f2) and factors(f1, f2) and f1(p) == yes or not accurate(f1, f2)")
    assert isinstance(found, Join)
    assert found.kind == "any"
    every, other = (part for _, part in found.parts)
    assert isinstance(every, Join)
    assert (every.kind, len(every.parts)) == ("all", 3)
    assert isinstance(other, Not)


def test_joined_operands_are_in_order_and_others_stay_whole() -> None:
    parts = joined(expression("1 > 0 and (2 > 0 and 3 > 0) and (4 > 0 or 5 > 0)"), "and")
    assert [written(p) for p in parts] == ["1 > 0", "2 > 0", "3 > 0", "4 > 0 or 5 > 0"]


def test_an_implication_between_properties_is_a_join_and_a_plain_one_a_formula() -> None:
    found = claim("contained(f1, f2) => factors(f1, f2)")
    assert isinstance(found, Join)
    assert isinstance(found.parts[0][1], Not)
    plain = claim("f1(p) == yes => p.a >= 1/2")
    assert isinstance(plain, Always)
    assert plain.points == ()


@pytest.mark.parametrize(("text", "negated"), [("f1 == f2", False), ("f2 != f1", True)])
def test_equal_classifiers_agree_everywhere(text: str, negated: bool) -> None:
    found = claim(text)
    assert isinstance(found, Not) == negated
    inner = found.claim if isinstance(found, Not) else found
    assert isinstance(inner, Always)
    assert (inner.points, len(inner.given)) == (("x",), 0)


# measures


@pytest.mark.parametrize(
    ("text", "op", "value"),
    [
        ("critical_radius(f1, f2) >= 1/10", ">=", Fraction(1, 10)),
        ("1/10 <= critical_radius(f1, f2)", ">=", Fraction(1, 10)),
        ("k > critical_radius(f1, f2)", "<", Fraction(1, 2)),
        ("critical_radius(f1, f2) == 2 * k", "==", Fraction(1)),
        ("0 != critical_radius(f1, f2)", "!=", Fraction(0)),
        ("critical_radius(f1, f2) == infinity", "==", None),
        ("critical_radius(f1, f2) < inf", "<", None),
    ],
)
def test_a_measure_is_compared_from_either_side(text: str, op: str, value: Fraction | None) -> None:
    found = claim(text)
    assert isinstance(found, Compare)
    assert (found.op, found.value) == (op, value)


def test_a_chain_of_comparisons_is_all_of_them() -> None:
    found = claim("0 < critical_radius(f1, f2) <= 1 < 2")
    assert isinstance(found, Join)
    first, second, third = (part for _, part in found.parts)
    assert isinstance(first, Compare)
    assert isinstance(second, Compare)
    assert (first.op, first.value, second.op, second.value) == (">", 0, "<=", 1)
    assert isinstance(third, Always)


def test_a_measure_is_the_infimum_of_its_definition() -> None:
    found = measure_of(PROGRAM, expression("min_distance(f1, f2, p)"))
    assert isinstance(found, Infimum)
    assert written(found.of) == "distance(f2, p, x')"
    assert [written(g) for g in found.given] == ["f1(p) != f1(x')", "f2(p) == f2(x')"]
    assert [written(e) for e in found.ends] == ["p", "x'"]
    assert found.shown == ("f1", "f2")


# properties


def test_arguments_take_the_place_of_parameters() -> None:
    found = claim("strongly_robust(f2, f1, radius: k / 5, where: a >= k, closed: true)")
    assert isinstance(found, Always)
    given = [written(g) for g in found.given]
    assert given == ["distance(f1, x, x') <= 0.1", "f1(x) == f1(x')", "x.a >= 0.5"]
    assert written(found.then) == "f2(x) == f2(x')"
    assert found.distinct is not None
    assert [written(e) for e in found.distinct] == ["x", "x'"]


def test_a_feature_is_named_with_or_without_its_model() -> None:
    for text in ("unnecessary(f1, f2, h)", "unnecessary(f1, f2, f1.h)"):
        found = claim(text)
        assert isinstance(found, Not)
        assert isinstance(found.claim, Contained)
        assert found.claim.named == "h"
        assert written(found.claim.coarse) == "distance(f1, x, x', only: h)"


def test_equivalence_is_containment_both_ways() -> None:
    found = claim("equivalent(f1, f2)")
    assert isinstance(found, Join)
    there, back = (part for _, part in found.parts)
    assert isinstance(there, Contained)
    assert isinstance(back, Contained)
    assert (there.model, there.oracle, back.model, back.oracle) == ("f1", "f2", "f2", "f1")
    assert (there.coarse, there.fine) == (back.fine, back.coarse)


def test_containment_of_the_decision_is_another_claim() -> None:
    assert isinstance(claim("contained(f1, f2, of: decision)"), LocallyConstant)
    assert isinstance(claim("contained(f1, f2)"), Contained)


def test_a_point_may_be_written_where_it_is_used() -> None:
    found = claim_of(program(TEXT), expression("robust_at(f1, f2, { a: 1, x: [0, 0], c: r, d: a }, radius: 1)"))
    assert isinstance(found, Always)
    assert found.distinct is not None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("contained(f1, f2)", "contained"),
        ("forall u in X: u.a >= 0", "formula"),
        ("not contained(f1, f2)", "formula"),
        ("critical_radius(f1, f2) >= 0", "formula"),
        ("f1 == f2", "formula"),
    ],
)
def test_the_property_of_an_assertion_has_a_name(text: str, name: str) -> None:
    assert property_of(expression(text)) == name


# where: a formula at a point


@pytest.mark.parametrize(
    ("formula", "there"),
    [
        ("a >= k", "x'.a >= 0.5"),
        ("x[0] <= a", "x'.x[0] <= x'.a"),
        ("margin(f1) >= k", "margin(f1, x') >= 0.5"),
        ("f1(x) == yes", "f1(x') == yes"),
        ("f1.h(x)[0] > 0", "f1.h(x')[0] > 0"),
        ("c == a", "x'.c == a"),  # beside a finite coordinate, a member's name is the member
        ("a == c", "a == x'.c"),
        ("c == d", "x'.c == x'.d"),
        ("a == 1", "x'.a == 1"),
        ("not (c != r) and a < 1 => max(a, x[1]) > 0", "not (x'.c != r) and x'.a < 1 => max(x'.a, x'.x[1]) > 0"),
        ("if a > 0 then c == r else d == r", "if x'.a > 0 then x'.c == r else x'.d == r"),
        ("distance(f2, x, p) <= 1", "distance(f2, x', p) <= 1"),
        ("sum([a, x[0]]) > -a", "sum([x'.a, x'.x[0]]) > -x'.a"),
    ],
)
def test_a_premise_is_read_at_the_point_it_is_about(formula: str, there: str) -> None:
    found = at(expression(formula), tree.Name(expression("x'").span, "x'"), PROGRAM)
    assert written(found) == written(expression(there))


def test_a_premise_never_sees_the_other_point_of_the_pair() -> None:
    found = claim("strongly_robust(f1, f2, radius: 1, where: a > 0)")
    assert isinstance(found, Always)
    assert names_in(found.given[2]) == {"x"}


def test_rewriting_replaces_names_and_nothing_else() -> None:
    found = rewrite(template("distance(f2, x, x') < radius"), {"f2": tree.Name(expression("g").span, "g")}, {})
    assert written(found) == "distance(g, x, x') < radius"


@pytest.mark.parametrize("text", ["contained(f1, p)", "robust_at(f1, f2, f1, radius: 1)", "unnecessary(f1, f2, c)"])
def test_an_argument_of_the_wrong_kind_is_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        claim(text)
