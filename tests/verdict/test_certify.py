"""No answer of an engine becomes a verdict before it survives exact evaluation: engines that lie are found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from verifier.api import load_text
from verifier.engines import case_search, closed_form
from verifier.engines.engine import Answer, Fails, Holds, Least, Null, Unknown, Vector
from verifier.engines.portfolio import Portfolio
from verifier.kernel.circuit import Select
from verifier.kernel.problem import Empty, Tree
from verifier.language.build import NO, Form
from verifier.query.piece import Row
from verifier.query.pose import Posed, Poser
from verifier.query.question import Question
from verifier.verdict import decide, trial
from verifier.verdict.verdict import FileResult, Limit, Proved, Refuted, Undecided

F = Fraction


def check(text: str) -> FileResult:
    loaded = load_text(text)
    assert loaded.diagnostics == ()
    return loaded.check()


def honest(text: str) -> FileResult:
    result = check(text)
    assert result.internal_errors == ()
    return result


def caught(text: str, words: str) -> FileResult:
    """The lie is an internal error of its assertion, and never a verdict."""
    result = check(text)
    assert len(result.internal_errors) == 1
    assert "ReplayFailed" in result.internal_errors[0]
    assert words in result.internal_errors[0]
    assert result.exit_code == 4
    for a in result.assertions:
        assert isinstance(a.verdict, Undecided)
        assert a.pair is None
    for c in result.computed:
        assert (c.value, c.attained, c.pair) == (None, None, None)
    return result


def altered(monkeypatch: pytest.MonkeyPatch, method: str, lie: Callable[..., Answer]) -> None:
    """`lie` replaces the answers of a method of the portfolio; it is given the true answer and the question."""
    original = getattr(Portfolio, method)

    def answer(self: Portfolio, question: Question, *rest: object) -> Answer:
        return lie(original(self, question, *rest), question)

    monkeypatch.setattr(Portfolio, method, answer)


def moved(point: Vector, i: int, by: Fraction) -> Vector:
    return (*point[:i], point[i] + by, *point[i + 1 :])


# points

PAIR = """
domain X { s: real in [0, 1], h: int in [0, 3], c: {r, t} } where s + h <= 3
labels { no, yes }
oracle f2 { features s = s  metric linf  decide if s >= 3/4 then yes else no }
model f1 { features s = s, h = h  decide if s >= 1/2 and h >= 1 then yes else no }
"""
ROBUST = PAIR + "assert A: strongly_robust(f1, f2, radius: 1/8)\n"


def test_an_honest_engine_is_believed() -> None:
    result = honest(ROBUST)
    assert isinstance(result["A"].verdict, Refuted)
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0, 0, 0, 0, 0), "should be false at the witness"),  # equal labels
        ((0, 0, 0, 1, 1), "should be true at the witness"),  # too far apart
        ((1, 0, 0, F(3, 4), 1), "should be true at the witness"),  # the radius and the oracle's label
        ((-1, 0, 0, F(-1), 1), "outside of the domain"),  # out of the interval
        ((1, 3, 0, 1, 0), "outside of the domain"),  # out of the constraint
        ((F(1, 2), F(1, 2), 0, F(1, 2), 1), "outside of the domain"),  # not whole
    ],
)
def test_a_wrong_pair_is_never_a_refutation(
    values: tuple[Fraction, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s, h, c, s_, h_ = map(F, values)

    def lie(self: Portfolio, question: Question, seconds: float, shown: bool = True) -> Answer:
        by_name = {"x.s": s, "x.h": h, "x.c": c, "x'.s": s_, "x'.h": h_, "x'.c": c}
        return Fails("liar", (tuple(by_name[v.name] for v in question.variables),))

    monkeypatch.setattr(Portfolio, "find", lie)
    caught(ROBUST, words)


def test_a_member_that_does_not_exist_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(self: Portfolio, question: Question, seconds: float, shown: bool = True) -> Answer:
        return Fails("liar", (tuple(F(7) if v.name.endswith(".c") else F(0) for v in question.variables),))

    monkeypatch.setattr(Portfolio, "find", lie)
    result = check(ROBUST)
    assert result.exit_code == 4
    assert isinstance(result["A"].verdict, Undecided)


@pytest.mark.parametrize(
    "claim",
    [
        "contained(f1, f2)",
        "factors(f1, f2)",
        "forall u, v in X: u.h == v.h",
        "exists u in X: u.s >= 1/2 and u.h == 3 and u.s + u.h <= 3",
        "robust_at(f1, f2, { s: 5/8, h: 0, c: r }, radius: 1/8)",
        "strongly_robust(f1, f2, radius: 1/8, where: h >= 1)",
        "accurate(f1, f2)",
        "unnecessary(f1, f2, h)",
        "equivalent(f1, f2)",
    ],
)
@pytest.mark.parametrize("by", [F(10), F(-10)])
def test_no_solution_outside_of_the_domain_counts(claim: str, by: Fraction, monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(true: Answer, question: Question) -> Answer:
        wide = [i for i, v in enumerate(question.variables) if v.name.endswith(".s")]
        start = true.points[0] if isinstance(true, Fails) else tuple(F(0) for _ in question.variables)
        return Fails("liar", (moved(start, wide[0], by),))

    altered(monkeypatch, "find", lie)
    caught(PAIR + f"assert A: {claim}\n", "outside of the domain")


def test_a_solution_of_measure_zero_that_is_none_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(self: Portfolio, domain: Question, question: Question, copies: int, seconds: float) -> Answer:
        return Fails("liar", (tuple(F(0) for _ in question.variables),))

    monkeypatch.setattr(Portfolio, "substantial", lie)
    caught(PAIR + "assert A: strongly_robust(f1, f2, radius: 1/8, almost: true)\n", "should be false at the witness")


# limit witnesses (Theorem 1*)

SEAM = """
domain X { t: real in [0, 4), n: int in [0, 1], c: {r, s} }
labels { no, yes }
def up(v) = clamp(v, 0, 1)
oracle f2 { features a = up(t) - up(t - 2), b = up(t - 1) - up(t - 3)  metric linf }
model f1 { features t = t  decide if t >= 2 then yes else no }
"""
WALK = SEAM + "assert A: contained(f1, f2)\n"


def test_the_seam_is_refuted_by_a_limit_only() -> None:
    result = honest(WALK)
    verdict = result["A"].verdict
    assert isinstance(verdict, Refuted)
    assert verdict.pair is not None
    limit = verdict.pair.limit
    assert isinstance(limit, Limit)
    assert (limit.x["t"], limit.y["t"], limit.x_end) == (0, 4, None)
    assert limit.start == 4
    assert verdict.pair.seen[0].distance is not None
    assert 0 < verdict.pair.seen[0].distance <= limit.eps


def limits(monkeypatch: pytest.MonkeyPatch, lie: Callable[[Vector, Vector, Question], tuple[Vector, Vector]]) -> None:
    def answer(true: Answer, question: Question) -> Answer:
        assert isinstance(true, Fails)
        return Fails("liar", lie(true.points[0], true.points[1], question))

    altered(monkeypatch, "approach", answer)


def place(question: Question, name: str) -> int:
    return next(i for i, v in enumerate(question.variables) if v.name == name)


def test_a_limit_outside_of_the_closure_of_its_piece_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    limits(monkeypatch, lambda z, y, q: (z, moved(y, place(q, "x'.t"), F(1))))
    caught(WALK, "outside of the closure of its piece")


def test_a_limit_in_another_piece_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    limits(monkeypatch, lambda z, y, q: (z, tuple(F(0) for _ in y)))
    caught(WALK, "outside of the closure of its piece")


@pytest.mark.parametrize("name", ["x'.n", "x'.c", "x.n"])
def test_a_limit_that_changes_a_discrete_coordinate_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(z: Vector, y: Vector, q: Question) -> tuple[Vector, Vector]:
        i = place(q, name)
        return z, moved(y, i, 1 - 2 * y[i])

    limits(monkeypatch, lie)
    caught(WALK, "changes a discrete coordinate")


def test_a_limit_at_which_the_oracle_distance_stays_positive_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    limits(monkeypatch, lambda z, y, q: (z, z))
    caught(WALK, "the oracle distance does not tend to zero")


def test_a_limit_at_which_the_classifier_distance_vanishes_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(z: Vector, y: Vector, q: Question) -> tuple[Vector, Vector]:
        same = tuple(F(1, 2) if v.name.endswith("t") else F(0) for v in q.variables)
        return same, same

    limits(monkeypatch, lie)
    caught(WALK, "the classifier distance tends to zero")


def test_a_family_outside_of_the_domain_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(z: Vector, y: Vector, q: Question) -> tuple[Vector, Vector]:
        return y, y  # the limit itself: t = 4 is no point of X

    limits(monkeypatch, lie)
    caught(WALK, "")


TWO_SHEETS = """
domain X { i: int in [0, 1], t: real in (0, 1] }
labels { no, yes }
oracle f2 { features t = t, it = if i == 1 then t else 0  metric linf }
model f1 { features i = i  decide if i >= 1 then yes else no }
"""


def test_a_family_whose_first_point_moves_refutes_uniform_containment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    uniform = honest(TWO_SHEETS + "assert A: uniformly_contained(f1, f2)\n")["A"].verdict
    assert isinstance(uniform, Refuted)
    assert uniform.pair is not None
    assert uniform.pair.limit is not None
    assert uniform.pair.limit.x_end is not None
    original = Portfolio.approach
    monkeypatch.setattr(Portfolio, "approach", lambda self, q, shared, seconds: original(self, q, (), seconds))
    caught(TWO_SHEETS + "assert A: contained(f1, f2)\n", "moves")


def test_a_family_whose_first_point_moves_refutes_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    text = TWO_SHEETS + "assert A: contained(f1, f2, of: decision)\n"
    assert honest(text).exit_code == 0

    def lie(self: Portfolio, bad: Question, own: Question, shared: tuple[int, ...], *rest: object) -> Answer:
        values = {"x.i": F(0), "x.t": F(1), "x'.i": F(1), "x'.t": F(1)}
        z = tuple(values[v.name] for v in bad.variables)
        return Fails("liar", (z, tuple(v if v_.integer else F(0) for v, v_ in zip(z, bad.variables, strict=True))))

    monkeypatch.setattr(Portfolio, "local", lie)
    caught(text, "moves")


def test_a_boundary_witness_that_does_not_flip_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(self: Portfolio, bad: Question, own: Question, shared: tuple[int, ...], *rest: object) -> Answer:
        same = tuple(F(1) for _ in bad.variables)
        return Fails("liar", (same, same))

    monkeypatch.setattr(Portfolio, "local", lie)
    caught(SEAM + "assert A: contained(f1, f2, of: decision)\n", "should be true at the witness")


# infima

GAP = """
domain X { s: real in [0, 1] }
labels { no, yes, far }
oracle f2 { features s = s  metric linf }
model f1 { features s = s  decide if s <= 1/4 then no else if s < 1/2 then far else yes }
"""
RADIUS = GAP + "assert A: critical_radius(f1, f2) >= 0\n"
POINT = GAP + "point p = { s: 0 }\ncompute R: min_distance(f1, f2, p)\n"


def infima(monkeypatch: pytest.MonkeyPatch, lie: Callable[[Least], Answer]) -> None:
    def answer(true: Answer, question: Question) -> Answer:
        assert isinstance(true, Least)
        return lie(true)

    altered(monkeypatch, "least", answer)


def test_an_honest_infimum_is_believed() -> None:
    result = honest(POINT)
    assert (result.computed[0].value, result.computed[0].attained) == (F(1, 4), False)


@pytest.mark.parametrize("value", [F(0), F(1, 5), F(1, 3), F(1)])
@pytest.mark.parametrize("text", [RADIUS, POINT])
def test_a_wrong_infimum_that_is_approached_is_caught(
    text: str, value: Fraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    infima(monkeypatch, lambda true: replace(true, value=value + F(1, 1000)))
    caught(text, "the infimum is not approached where it was claimed")


def test_a_wrong_infimum_that_is_attained_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    infima(monkeypatch, lambda true: Least("liar", F(1, 4), True, ((F(1, 2),),)))
    caught(POINT, "the distance is not the one that was claimed")


def test_an_infimum_attained_at_a_pair_that_is_not_adversarial_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    infima(monkeypatch, lambda true: Least("liar", F(1, 8), True, ((F(1, 8),),)))
    caught(POINT, "should be true at the witness")


def test_an_infimum_attained_outside_of_the_domain_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    infima(monkeypatch, lambda true: Least("liar", F(2), True, ((F(2),),)))
    caught(POINT, "outside of the domain")


def test_an_infimum_approached_from_a_pair_that_is_not_adversarial_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    infima(monkeypatch, lambda true: replace(true, value=F(1, 8), points=((F(1, 4),), (F(1, 8),))))
    caught(POINT, "should be true at the witness")


# certificates of extremes, limits and null sets


def test_an_extreme_with_the_proof_of_another_question_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(true: Least) -> Answer:
        ((problem, proof),) = true.proofs
        assert isinstance(problem, Empty)
        return replace(true, proofs=((Empty(problem.circuit, problem.box, (*problem.facts, 0)), proof),))

    infima(monkeypatch, lie)
    caught(POINT, "about other questions")


def test_an_infimum_without_a_proof_is_trusted_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    infima(monkeypatch, lambda true: replace(true, proofs=()))
    (computed,) = honest(POINT).computed
    assert computed.trusts == (case_search.NAME,)
    assert computed.result.certificates == ()


def test_an_infimum_with_a_proof_trusts_nobody() -> None:
    (computed,) = honest(POINT).computed
    assert computed.trusts == ()
    assert len(computed.result.certificates) == 1


def test_a_proof_with_a_step_too_few_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(true: Least) -> Answer:
        ((problem, _),) = true.proofs
        return replace(true, proofs=((problem, Tree(())),))

    infima(monkeypatch, lie)
    caught(POINT, "the kernel rejects the proof")


THIN = """
domain X { s: real in [0, 1], n: int in [0, 2] }
labels { no, yes }
oracle f2 { features s = s  metric linf  decide if s >= 1/2 then yes else no }
model f1 { features s = s  decide if s > 1/2 then yes else no }
assert A: accurate(f1, f2, almost: true)
"""


def test_a_null_set_has_a_proof() -> None:
    verdict = honest(THIN)["A"].verdict
    assert isinstance(verdict, Proved)
    assert verdict.trusts == ()
    assert len(verdict.certificates) == 1


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda true: replace(true, flats=((),)), "a flat is not null"),
        (lambda true: replace(true, flats=((Row(((1, F(1)),), F(0)),),)), "a flat is not null"),
        (lambda true: replace(true, flats=()), "another question"),
        (lambda true: replace(true, inside=(F(1), F(7))), "the domain is not where it was claimed"),
        (lambda true: replace(true, inside=(F(1), F(0))), "a flat is not null"),
    ],
)
def test_a_null_set_that_is_none_is_caught(
    lie: Callable[[Null], Null], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(true: Answer, question: Question) -> Answer:
        assert isinstance(true, Null)
        return lie(true)

    altered(monkeypatch, "substantial", answer)
    caught(THIN, words)


OFF = """
domain X { s: real in [0, 1], h: real in [0, 1] }
labels { no, yes }
oracle f2 { features s = s  metric linf }
model f1 { features h = h  metric linf  decide if h >= 1/2 then yes else no }
assert A: contained(f1, f2, of: decision)
"""


def test_that_a_witness_is_off_the_boundary_is_proved() -> None:
    verdict = honest(OFF)["A"].verdict
    assert isinstance(verdict, Refuted)
    assert verdict.trusts == ()
    assert len(verdict.certificates) == 1


def test_a_witness_on_the_boundary_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    z, y = (F(0), F(1, 2), F(0), F(0)), (F(0), F(1, 2), F(0), F(0))
    monkeypatch.setattr(Portfolio, "local", lambda *_: Fails("liar", (z, y)))
    caught(OFF, "x lies on the boundary")


def test_what_the_bounds_settle_is_proved_by_the_question_without_folding() -> None:
    verdict = honest("domain X { s: real in [0, 1] }\nassert A: forall u in X: relu(u.s + 1) >= 1\n")["A"].verdict
    assert isinstance(verdict, Proved)
    assert verdict.trusts == ()
    (certificate,) = verdict.certificates
    assert isinstance(certificate.problem, Empty)
    assert any(isinstance(node, Select) for node in certificate.problem.circuit)


def test_bounds_that_exclude_a_solution_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "certificate", lambda *_: Fails("honest", ((F(0),),)))
    caught("domain X { s: real in [0, 1] }\nassert A: forall u in X: u.s <= 2\n", "within the bounds that exclude it")


# engines that break, and what is not re-derived


def test_a_lie_in_one_assertion_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "approach", lambda *_: Fails("liar", ((F(0),) * 6, (F(0),) * 6)))
    text = SEAM + "assert B: forall u in X: u.t < 4\nassert A: contained(f1, f2)\nassert C: exists u in X: u.t > 3\n"
    result = check(text)
    assert [a.word for a in result.assertions] == ["proved", "unknown", "proved"]
    assert result.exit_code == 4


def test_an_answer_of_no_kind_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "find", lambda *_: Least("liar", F(0), True))
    result = check(ROBUST)
    assert (result.exit_code, result["A"].word) == (4, "unknown")


def test_what_an_engine_does_not_know_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "find", lambda *_: Unknown("tired"))
    result = honest(ROBUST)
    assert result["A"].verdict == Undecided("tired")
    assert result.exit_code == 3


def test_whoever_says_that_nothing_exists_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "find", lambda *_: Holds("somebody", ("somebody 1.0",)))
    bent = "model f3 { features m = max(s, h / 2)  decide if m >= 1/2 then yes else no }\nassert A: contained(f3, f3)\n"
    verdict = honest(PAIR.replace(" where s + h <= 3", "") + bent)["A"].verdict
    assert not isinstance(verdict, Undecided)
    assert verdict.trusts == ("somebody 1.0",)


# questions that do not say what the claim says: their proofs are in order, so only trials tell

ORDERED = """
domain X { s: real in [0, 1], n: int in [0, 3] }
labels { no, yes }
oracle f2 { features s = s  metric linf  decide if s >= 1/2 then yes else no }
model f1 { features s = s, n = n  metric linf  decide if s + n >= 2 then yes else no }
"""


@pytest.mark.parametrize(
    "claim",
    [
        "forall u in X: u.n < 3",
        "forall u in X: u.s != u.s",
        "not (exists u in X: f1(u) == yes)",
        "forall u, v in X: u.s == v.s => f1(u) == f1(v)",
        "strongly_robust(f1, f2, radius: 1/8)",
        "strongly_robust(f1, f2, radius: 1/8, where_both: s >= 1/4)",
        "factors(f1, f2)",
        "contained(f1, f2)",
        "contained_at(f1, f2, {s: 1, n: 1})",
        "lipschitz(f1, f2, bound: 1)",
        "critical_radius(f1, f2) > 1/100",
        "min_distance(f1, f2, {s: 1/2, n: 2}) > 1",
    ],
)
def test_a_poser_that_asks_for_nothing_is_caught(monkeypatch: pytest.MonkeyPatch, claim: str) -> None:
    """The proof of what was posed is right. With more points than usual, for it should not depend on luck."""
    monkeypatch.setattr(trial, "COUNT", 1000)
    monkeypatch.setattr(trial, "BRIEF", 60.0)
    honest(f"{ORDERED}assert A: {claim}\n")
    original = Poser.pose_only

    def forgetful(self: Poser, names: Sequence[str], facts: Sequence[Form], *rest: Any, **more: Any) -> Posed:
        return original(self, names, [*facts, NO], *rest, **more)

    monkeypatch.setattr(Poser, "pose_only", forgetful)
    monkeypatch.setattr(closed_form, "contained", lambda *_: None)
    caught(f"{ORDERED}assert A: {claim}\n", "what has been proved fails at")


def test_a_conclusion_is_evaluated_where_the_premise_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points at random would hardly satisfy it."""
    claim = "forall u, v in X: u.s == 12345/54321 and v.s == 54321/123456 and u.n < v.n => u.s > v.s"
    assert honest(f"{ORDERED}assert A: {claim}\n")["A"].word == "refuted"
    monkeypatch.setattr(decide, "_fails", lambda *_: NO)
    caught(f"{ORDERED}assert A: {claim}\n", "u = {'s': Fraction(4115, 18107)")
