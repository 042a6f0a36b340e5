"""Quantifiers that alternate: what is shown of a verdict, and searches that lie."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F

import pytest
from msgspec.structs import replace

from verifier.api import Options, load_text
from verifier.engines.eliminate import Half
from verifier.engines.engine import Answer, Fails, Reply, Strategy, Unknown
from verifier.engines.portfolio import Portfolio
from verifier.query.piece import Row
from verifier.query.question import Question
from verifier.verdict.strategy import SEARCH
from verifier.verdict.verdict import Checked, FileResult, Proved, Refuted, Undecided

BASE = """
domain X { a: real in [0, 1], n: int in [0, 3], c: {red, green} }
labels { low, high }
oracle f2 { features a = a  metric linf }
model f1 { features a = a  decide if a >= 1/2 then high else low }
"""
NEXT = "forall x in X: x.n < 3 => (exists y in X: y.n == x.n + 1 and y.c == x.c and y.a >= x.a / 2)"
NEVER = "forall x in X: exists y in X: y.a > x.a"
NEAR = "forall x in X: exists y in X: f1(x) != f1(y) and distance(f2, x, y) <= 3/5 and y.n == x.n"
THREE = "forall x in X: exists y in X: forall z in X: abs(y.a - z.a) <= 1/2 or y.n > x.n"


def check(claim: str, **options: float) -> FileResult:
    loaded = load_text(f"{BASE}assert A: {claim}\n")
    assert loaded.diagnostics == ()
    return loaded.check(Options(**options))  # type: ignore[arg-type]


def checked(claim: str) -> Checked:
    result = check(claim)
    assert result.internal_errors == ()
    return result["A"]


# what is shown


def test_a_proof_shows_what_to_choose_where() -> None:
    found = checked(NEXT)
    assert isinstance(found.verdict, Proved) and found.verdict.trusts == () and found.pair is None
    assert found.strategy is not None
    assert (found.strategy.of, found.strategy.answers) == (("x",), ("y",))
    assert {(rule.choice, rule.where) for rule in found.strategy.rules} == {("y = x, but n = x.n + 1", "")}


def test_a_refutation_shows_the_choice_without_an_answer() -> None:
    found = checked(NEVER)
    assert isinstance(found.verdict, Refuted) and found.verdict.trusts == () and found.pair is not None
    assert found.pair.points == {"x": {"a": F(1), "n": F(0), "c": "red"}}
    assert found.strategy is None


def test_what_answers_each_answer_is_shown_too() -> None:
    found = checked("exists x in X: forall y in X: exists z in X: z.a == (x.a + y.a) / 2 and z.n == y.n and z.c != y.c")
    assert isinstance(found.verdict, Proved) and found.pair is not None and found.strategy is not None
    assert (found.strategy.of, found.strategy.answers) == (("y",), ("z",))
    assert {rule.where for rule in found.strategy.rules} == {"y.c == red", "y.c == green"}


def test_a_refuted_exists_has_a_strategy_against_it() -> None:
    found = checked("exists x in X: forall y in X: y.n <= x.n and x.n < 3")
    assert isinstance(found.verdict, Refuted) and found.pair is None and found.strategy is not None
    assert found.strategy.answers == ("y",)
    negated = checked("not (exists x in X: forall y in X: y.n <= x.n and x.n < 3)")
    assert isinstance(negated.verdict, Proved) and negated.strategy == found.strategy


def test_a_premise_about_the_first_points_keeps_the_rules_to_it() -> None:
    found = checked("forall x in X: f1(x) == low => (exists y in X: f1(y) == high and distance(f2, x, y) <= 1/2)")
    assert found.strategy is not None
    assert [rule.where for rule in found.strategy.rules] == [""]
    found = checked("forall x in X: x.a > 1 => (exists y in X: y.a > x.a)")
    assert found.vacuous and found.strategy is not None and not found.strategy.rules


def test_an_implication_under_exists_is_doubted() -> None:
    (warning,) = checked("forall x in X: exists y in X: y.a > x.a => y.n == x.n").warnings
    assert warning == "`exists y: A => B` is true as soon as A is false for some y; `A and B` may be meant."
    assert checked("exists y, z in X: y.a > z.a => y.n == 0").warnings
    assert not checked("forall x in X: x.a > 0 => (exists y in X: y.a < x.a)").warnings


def test_a_verdict_without_time_is_unknown() -> None:
    verdict = check(NEXT, timeout=0.0)["A"].verdict
    assert isinstance(verdict, Undecided) and verdict.why == "out of time"


def test_what_there_is_no_time_to_check_is_trusted_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "find", lambda self, question, seconds, shown=True: Unknown("out of time"))
    monkeypatch.setattr(Portfolio, "certificate", lambda self, question, seconds: Unknown("out of time"))
    for claim, kind in ((NEAR, Proved), (NEAR.replace("3/5", "1/2"), Refuted)):
        verdict = checked(claim).verdict
        assert isinstance(verdict, kind)
        assert verdict.trusts[1:] == (SEARCH,) and verdict.trusts[0].startswith("z3")


@pytest.fixture
def joint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strategies say of no rule where it applies."""
    original = Portfolio.play

    def play(self: Portfolio, question: Question, widths: tuple[int, ...], width: int, seconds: float) -> Answer:
        true = original(self, question, widths, width, seconds)
        return replace(true, joint=True) if isinstance(true, Strategy) else true

    monkeypatch.setattr(Portfolio, "play", play)


@pytest.mark.usefixtures("joint")
@pytest.mark.parametrize(
    "claim", [NEAR, NEXT, "forall x in X: exists y in X: y.n != x.n and y.a == x.a and y.c != x.c"]
)
def test_rules_may_be_checked_together(claim: str) -> None:
    found = checked(claim)
    assert isinstance(found.verdict, Proved) and found.verdict.trusts == () and found.strategy is not None
    assert found.strategy.rules and all(rule.where is None for rule in found.strategy.rules)


# lies


def over(index: int, weight: int | F = 1, constant: F = F(0)) -> Row:
    return Row(((index, F(weight)),), constant)


def same(reply: Reply, *images: tuple[int, Row]) -> Reply:
    return replace(reply, images=tuple(dict(images).get(i, row) for i, row in enumerate(reply.images)))


def each(lie: Callable[[Reply], Reply]) -> Callable[[Strategy], Answer]:
    return lambda true: replace(true, replies=tuple(lie(r) for r in true.replies))


FAR = Half(over(0, 1, F(-3, 4)), False)
A, N, C = range(3)
"""The coordinates of x."""
LIES: dict[str, Callable[[Strategy], Answer]] = {
    "no rule": lambda true: replace(true, replies=()),
    "a rule for a part only": each(lambda r: replace(r, part=(FAR,), at=(F(1), *r.at[1:]))),
    "a rule that does not apply where it comes from": each(lambda r: replace(r, part=(FAR,), at=(F(0), *r.at[1:]))),
    "a rule from outside": each(lambda r: replace(r, at=(F(2), *r.at[1:]))),
    "another number": each(lambda r: same(r, (N, over(N)))),
    "outside of X": each(lambda r: same(r, (A, over(A, 1, F(1))))),
    "outside of X somewhere": each(lambda r: same(r, (A, over(A, 1, F(1, 8))))),
    "a half": each(lambda r: same(r, (N, Row((), F(1, 2))))),
    "whole by chance": each(lambda r: same(r, (N, over(A)))),
    "no member": each(lambda r: same(r, (C, over(C, 1, F(1))))),
    "a choice that has answers": lambda true: Fails(true.by, ((F(0), F(0), F(0)),)),
    "a choice outside of X": lambda true: Fails(true.by, ((F(2), F(0), F(0)),)),
    "a choice outside of the premise": lambda true: Fails(true.by, ((F(0), F(3), F(0)),)),
}


@pytest.mark.parametrize("lie", ["another number", "outside of X somewhere", "whole by chance", "no member"])
def test_a_lie_about_all_rules_together_makes_no_verdict(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.play

    def play(self: Portfolio, question: Question, widths: tuple[int, ...], width: int, seconds: float) -> Answer:
        true = original(self, question, widths, width, seconds)
        assert isinstance(true, Strategy)
        lied = LIES[lie](true)
        assert isinstance(lied, Strategy)
        return replace(lied, joint=True)

    monkeypatch.setattr(Portfolio, "play", play)
    assert len(check(NEXT).internal_errors) == 1


@pytest.mark.parametrize("lie", LIES)
def test_a_search_that_lies_makes_no_verdict(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.play

    def play(self: Portfolio, question: Question, widths: tuple[int, ...], width: int, seconds: float) -> Answer:
        true = original(self, question, widths, width, seconds)
        assert isinstance(true, Strategy)
        return LIES[lie](true)

    monkeypatch.setattr(Portfolio, "play", play)
    result = check(NEXT)
    assert len(result.internal_errors) == 1, result["A"].verdict
    assert isinstance(result["A"].verdict, Undecided)


@pytest.mark.parametrize("claim", [NEVER, THREE, "exists x in X: forall y in X: y.n <= x.n and x.n < 3"])
def test_the_opposite_of_what_a_search_found_makes_no_verdict(claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Portfolio.play
    first = True

    def play(self: Portfolio, question: Question, widths: tuple[int, ...], width: int, seconds: float) -> Answer:
        nonlocal first
        true = original(self, question, widths, width, seconds)
        if not first:
            return true
        first = False
        x = tuple(F(1, 2) if not v.integer else F(0) for v in question.variables)
        if isinstance(true, Strategy):
            return Fails(true.by, (x[: widths[0]],))
        images = tuple(Row((), value) for value in x[widths[0] : widths[0] + widths[1]])
        return Strategy("a liar", (Reply((), images, x[: widths[0]]),))

    monkeypatch.setattr(Portfolio, "play", play)
    result = check(claim)
    assert len(result.internal_errors) == 1, result["A"].verdict


def test_coordinates_that_a_formula_makes_equal_are_still_chosen_one_after_the_other() -> None:
    assert isinstance(checked("forall x in X: exists y in X: y.n == x.n and y.c == x.c and y.a == x.a").verdict, Proved)
    assert isinstance(checked("exists x in X: forall y in X: y.n == x.n").verdict, Refuted)


START = (F(0), F(0), F(0))
ONLY_ONE_GUARD = {
    "half of a number is whole": (
        "forall x in X: exists y in X: 2*y.n == x.n",
        (over(A), over(N, F(1, 2)), over(C)),
    ),
    "a whole coordinate is a real one": ("forall x in X: exists y in X: y.n == x.a", (over(A), over(A), over(C))),
    "there is a third member": (
        "forall x in X: exists y in X: y.c != x.c and y.n == x.n",
        (over(A), over(N), over(C, 1, F(1))),
    ),
    "more than the most": ("forall x in X: exists y in X: y.a > x.a", (over(A, 1, F(1, 8)), over(N), over(C))),
    "one more than the most": ("forall x in X: exists y in X: y.n > x.n", (over(A), over(N, 1, F(1)), over(C))),
}


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("lie", ONLY_ONE_GUARD)
def test_a_rule_that_is_right_but_for_one_guard_makes_no_verdict(
    lie: str, joint: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it comes from all is well, and elsewhere the formula holds, of a point that X does not have."""
    claim, images = ONLY_ONE_GUARD[lie]
    rule = Reply((), images, START)
    monkeypatch.setattr(Portfolio, "play", lambda self, *asked, seconds=0: Strategy("a liar", (rule,), joint))
    assert len(check(claim).internal_errors) == 1


# roots

ROUND = "forall x in X: exists y in X: distance(disc, x, y) <= 9/10 and y.b >= x.b + 1/2 or y.b <= x.b - 1/2"


def round_check(claim: str) -> FileResult:
    text = """
domain X { a: real in [0, 1], b: real in [0, 1] }
labels { only }
oracle disc { features a = a, b = b  metric l2 }
assert A: """
    return load_text(f"{text}{claim}\n").check()


def test_a_polyhedral_norm_proposes_what_is_then_shown_of_the_root() -> None:
    found = round_check(ROUND)["A"]
    assert isinstance(found.verdict, Proved) and found.strategy is not None and SEARCH not in found.verdict.trusts


@pytest.mark.parametrize(
    "answer", [(over(0), over(1)), (Row((), F(1)), Row((), F(1))), (Row((), F(0)), over(1, -1, F(1)))]
)
def test_what_holds_of_a_norm_only_is_unknown(answer: tuple[Row, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Reply((), answer, (F(0), F(0)))
    monkeypatch.setattr(Portfolio, "play", lambda self, *asked, seconds=0: Strategy("a liar", (rule,)))
    result = round_check(ROUND)
    assert result.internal_errors == () and isinstance(result["A"].verdict, Undecided)


def test_of_a_root_nothing_is_trusted_that_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Portfolio, "find", lambda self, question, seconds, shown=True: Unknown("out of time"))
    monkeypatch.setattr(Portfolio, "certificate", lambda self, question, seconds: Unknown("out of time"))
    for radius in ("9/10", "1/10"):
        assert isinstance(round_check(ROUND.replace("9/10", radius).replace("y.b <=", "y.b <"))["A"].verdict, Undecided)


def test_a_strategy_does_not_depend_on_what_was_asked_before() -> None:
    """z3 finds another one for the same question in a context that has seen other questions."""
    head = """domain X { a: real in [0, 1], b: real in [0, 1] }
labels { no, yes }
oracle f2 { features a = a, b = b  metric l2 }
model f1 { features s = a + b  decide if s >= 1 then yes else no }
"""
    claims = {
        "A": "distance(f2, x, y) <= 3/4 and f1(x) != f1(y)",
        "B": "distance(f2, x, y) == 1/2",
        "C": "distance(f2, x, y) >= 1/4 and f1(x) == f1(y)",
    }
    told = []
    for order in ("ABC", "CBA", "BCA"):
        loaded = load_text(head + "\n".join(f"assert {k}: forall x in X: exists y in X: {claims[k]}" for k in order))
        with loaded.worker:
            verdicts = {a.name: a.verdict for a in loaded.check(Options(timeout=20)).assertions}
        assert all(isinstance(v, Proved) for v in verdicts.values())
        told.append({name: [c.problem for c in v.certificates] for name, v in verdicts.items()})
    assert told[0] == told[1] == told[2]
