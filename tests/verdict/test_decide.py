"""Claims become verdicts: connectives, vacuity, warnings, and what is said beside a refuted containment."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest

from verifier.api import Loaded, load_text
from verifier.engines.engine import Answer, Holds, Unknown
from verifier.engines.portfolio import Portfolio
from verifier.engines.worker import Worker
from verifier.model.assertion import claim_of
from verifier.model.claim import Claim, Join, Later, Not
from verifier.query.question import Question
from verifier.verdict.decide import Decider, Outcome
from verifier.verdict.verdict import FileResult, Proved, Refuted, Undecided, word

BASE = """
domain X { s: real in [0, 1], h: real in [0, 1] }
labels { no, yes }
oracle f2 { features s = s  metric linf  decide if s >= 3/4 then yes else no }
oracle same { features s = s  metric linf }
model f1 { features s = s, h = h  decide if s >= 1/2 then yes else no }
model tilted { features s = s, h = h  decide if s + h / 10 >= 1/2 then yes else no }
model always { features s = s  decide if s >= -1 then yes else no }
point p = { s: 1/4, h: 0 }
"""


def check(claims: str) -> FileResult:
    loaded = load_text(BASE + claims)
    assert loaded.diagnostics == ()
    result = loaded.check()
    assert result.internal_errors == ()
    return result


def outcome(claim: str) -> Outcome:
    a = check(f"assert A: {claim}\n")["A"]
    return Outcome(a.verdict, a.vacuous, a.warnings)


# connectives


@pytest.fixture(scope="module")
def loaded() -> Iterator[Loaded]:
    found = load_text(BASE)
    yield found
    found.worker.close()


def part(loaded: Loaded, kind: str) -> Claim:
    truth = {"proved": "1 >= 0", "refuted": "1 < 0"}
    if kind == "unknown":
        return Later("this part")
    file = load_text(f"assert A: {truth[kind]}")
    (assertion,) = file.program.assertions
    file.worker.close()
    return claim_of(loaded.program, assertion.body)


ORDER = {"refuted": 0, "unknown": 1, "proved": 2}
WORDS = tuple(ORDER)


@pytest.mark.parametrize("kinds", [*product(WORDS, repeat=2), *product(WORDS, repeat=3)])
def test_all_is_the_least_of_its_parts_and_any_the_greatest(kinds: tuple[str, ...], loaded: Loaded) -> None:
    decider = Decider(loaded.program, Portfolio(Worker()))
    parts = tuple((f"part {i}", part(loaded, kind)) for i, kind in enumerate(kinds))
    every, some = (decider.decide(Join(which, parts), 5).verdict for which in ("all", "any"))
    assert word(every) == min(kinds, key=ORDER.__getitem__)
    assert word(some) == max(kinds, key=ORDER.__getitem__)


@pytest.mark.parametrize("kind", WORDS)
def test_not_swaps_proved_and_refuted_and_leaves_unknown(kind: str, loaded: Loaded) -> None:
    decider = Decider(loaded.program, Portfolio(Worker()))
    claim = part(loaded, kind)
    verdict = decider.decide(Not(claim), 5).verdict
    assert word(verdict) == {"proved": "refuted", "refuted": "proved", "unknown": "unknown"}[kind]
    assert decider.decide(Not(Not(claim)), 5) == decider.decide(claim, 5)


def test_the_part_that_settles_a_join_is_named() -> None:
    verdict = outcome("equivalent(f1, f2)").verdict
    assert isinstance(verdict, Refuted)
    assert verdict.notes[0] == "This part fails: the model sees nothing that the oracle misses."


def test_what_parts_trust_is_trusted_by_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(("first", "second", "first"))

    def answer(self: Portfolio, question: Question, seconds: float, shown: bool = True) -> Answer:
        name = next(names)
        return Holds(name, (name,))

    monkeypatch.setattr(Portfolio, "find", answer)
    verdict = outcome(
        "(forall u in X: u.s >= 1/4 or u.s <= 1/2) and (forall u in X: u.h >= 1/4 or u.h <= 1/2) and "
        "(forall u in X: u.s >= 1/4 or u.h <= 1/2 or u.s <= 1/2)"
    ).verdict
    assert verdict == Proved("first, second", ("first", "second"))


def test_a_witness_of_existence_is_shown_with_the_proof() -> None:
    verdict = outcome("exists u in X: u.s >= 3/4 and f1(u) == yes").verdict
    assert isinstance(verdict, Proved)
    assert verdict.pair is not None
    assert verdict.pair.points["u"]["s"] >= Fraction(3, 4)  # type: ignore[operator]
    assert verdict.trusts == ()


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("contained(f1, f2) => 1 < 0", "proved"),
        ("factors(f1, f2) => 1 < 0", "refuted"),
        ("factors(f1, f2) <=> not contained(f1, f2)", "proved"),
        ("factors(f1, f2) <=> contained(f1, f2)", "refuted"),
        ("not (factors(f1, f2) and contained(f1, f2))", "proved"),
        ("f1 == f1", "proved"),
        ("f1 != f2", "proved"),
        ("f1 == f2", "refuted"),
        ("1/10 <= critical_radius(f1, f2) < infinity", "refuted"),
        ("critical_radius(always, f2) == infinity", "proved"),
        ("f1(p) == no and f2(p) == no", "proved"),
        ("f1(p) == yes", "refuted"),
    ],
)
def test_connectives_between_properties_measures_and_formulas(claim: str, expected: str) -> None:
    assert word(outcome(claim).verdict) == expected


# vacuity and warnings


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("strongly_robust(f1, f2, radius: 0)", "No two different points satisfy the premise"),
        ("strongly_robust(f1, f2, radius: 1/8, where: s > 1)", "No two different points satisfy the premise"),
        ("factors(f1, f2, where: f1(x) == yes and s < 1/4)", "No two different points satisfy the premise"),
        ("strongly_robust(f1, f2, radius: 1/100, where: s == 1/4, almost: true)", "except on a set of measure zero"),
        ("forall u in X: u.s > 1 => f1(u) == no", "Nothing satisfies the premise"),
    ],
)
def test_a_premise_that_nothing_satisfies_is_vacuous_and_met_by_no_proof(claim: str, why: str) -> None:
    result = check(f"assert A: {claim}\n")
    assert result["A"].word == "proved"
    assert why in result["A"].vacuous
    assert result["A"].met is False
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "claim",
    [
        "strongly_robust(f1, f2, radius: 1/8, where: s <= 1/4)",
        "forall u in X: u.s >= 1 => f1(u) == yes",
        "forall u in X: u.s >= 0",
        "factors(f1, f2)",
        "contained(always, f2)",
    ],
)
def test_a_premise_that_something_satisfies_is_not_vacuous(claim: str) -> None:
    result = check(f"assert A: {claim}\n")
    assert (result["A"].word, result["A"].vacuous, result.exit_code) == ("proved", "", 0)


def test_a_model_that_never_changes_its_label_is_warned_of() -> None:
    constant, varied = (outcome(f"strongly_robust({f}, f2, radius: 1/8, where: s == 1/3)") for f in ("always", "f1"))
    assert constant.warnings == ("`always` gives the same label everywhere.",)
    assert varied.warnings == ()


def test_whether_a_premise_is_vacuous_may_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter((Holds("z", ("z",)), Unknown("tired")))
    monkeypatch.setattr(Portfolio, "find", lambda *_: next(answers))
    found = outcome("strongly_robust(f1, f2, radius: 1/8, where: s == 1/3)")
    assert word(found.verdict) == "proved"
    assert found.vacuous == ""
    assert found.warnings == ("Whether the premise is ever satisfied stayed open: tired.",)


# notes of containment


def test_a_torn_pair_that_flips_says_so() -> None:
    verdict = outcome("contained(tilted, f2)").verdict
    assert isinstance(verdict, Refuted)
    assert verdict.notes == ("The oracle cannot tell x from x'; tilted flips.", "Unnecessary feature: h.")
    assert verdict.pair is not None
    model = next(s for s in verdict.pair.seen if s.classifier == "tilted")
    assert model.labels[0] != model.labels[1]


def test_a_torn_pair_that_the_decision_ignores_says_so_and_that_this_is_proved() -> None:
    verdict = outcome("contained(f1, f2)").verdict
    assert isinstance(verdict, Refuted)
    first, second, third = verdict.notes
    assert first == "The oracle cannot tell x from x', the features of f1 can."
    assert second == "Unnecessary feature: h."
    assert third.startswith("The decision of f1 ignores it: at oracle distance zero f1 never flips where f2 agrees")
    assert third.endswith("agrees (proved).")


def test_a_limit_says_whose_distance_tends_to_zero_whichever_stands_first() -> None:
    """`equal` is not contained in f2: points come arbitrarily near for f2, and stay 1 apart for `equal`."""
    equal = "oracle equal { features s = s  metric discrete }\n"
    result = check(equal + "assert A: contained(equal, f2) expect refuted")
    verdict = result["A"].verdict
    assert isinstance(verdict, Refuted)
    said = "No single pair shows it: the distance of f2 only tends to 0, while that of equal stays away from 0."
    assert verdict.notes == (said,)


def test_a_containment_by_theorem_2_trusts_nobody() -> None:
    verdict = outcome("contained(f2, f1)").verdict
    assert isinstance(verdict, Proved)
    assert (verdict.by, verdict.trusts) == ("Theorem 2", ())


@pytest.mark.parametrize(
    ("domain", "word_"),
    [
        ("x: real^14 in [0, 1]", "refuted"),
        ("x: real^14 in (0, 1)", "refuted"),
        ("x: real^14", "refuted"),
        ("x: real^14 in [0, 1] where x[0] >= 9/10 or x[1] <= 1/10", "refuted"),
        ("x: int^14 in [0, 1]", "unknown"),
    ],
)
def test_a_wide_linear_map_is_torn_by_a_pair_of_theorem_2_without_any_solver(
    domain: str, word_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Portfolio, "find", lambda self, question, seconds, shown=True: Unknown("not asked"))
    inside, _, where = domain.partition(" where ")
    if inside.startswith("x: int"):
        inside = ", ".join(f"x{i}: int in [0, 1]" for i in range(14))
        vector = "[" + ", ".join(f"x{i}" for i in range(14)) + "]"
    else:
        vector = "x"
    loaded = load_text(
        f"domain X {{ {inside} }} {'where ' + where if where else ''}\nlabels {{ no, yes }}\n"
        f"oracle f2 {{ features s = sum({vector})  metric linf }}\n"
        f"model f1 {{ features v = {vector}  decide if sum(v) >= 7 then yes else no }}\n"
        "assert A: contained(f1, f2)\n"
    )
    result = loaded.check()
    assert result.internal_errors == ()
    assert result["A"].word == word_
    if word_ == "refuted":
        assert isinstance(result["A"].verdict, Refuted) and result["A"].verdict.by == "Theorem 2"


def test_a_metric_that_is_no_pseudometric_leaves_its_claims_open() -> None:
    text = (
        "oracle bad { features s = s  metric d(u, v) = u.s - v.s }\n"
        "assert A: contained(f1, bad)\nassert B: strongly_robust(f1, bad, radius: 1)\n"
        "assert C: critical_radius(f1, bad) >= 0\ncompute D: critical_radius(f1, bad)\nassert E: is_pseudometric(bad)\n"
    )
    result = check(text)
    for name in "ABC":
        verdict = result[name].verdict
        assert isinstance(verdict, Undecided)
        assert "the metric of `bad` is not a pseudometric" in verdict.why
        assert "non-negative" in verdict.why
    assert result.computed[0].value is None
    assert result["E"].word == "refuted"
    assert result.exit_code == 1


def test_a_declared_point_is_shown_as_x() -> None:
    verdict = outcome("robust_at(tilted, f2, p, radius: 3/10)").verdict
    assert isinstance(verdict, Refuted)
    assert verdict.pair is not None
    assert list(verdict.pair.points) == ["x", "x'"]
    assert verdict.pair.x == {"s": Fraction(1, 4), "h": Fraction(0)}


# points that may be swapped

THREE = """
domain X { a: real in [-1, 1], b: real in [-1, 1] }
labels { r, s, t }
oracle f2 { features a = a, b = b  metric linf }
oracle half { features a = a  metric linf }
model f1 { features h = relu(a - b), k = relu(b + 1/4), a = a  decide argmax(r: h, s: k - 1/8, t: a + 1/8) }
"""


@pytest.mark.parametrize("oracle", ["f2", "half"])
@pytest.mark.parametrize("margin", ["0", "1/20", "1/4"])
@pytest.mark.parametrize("radius", ["0", "1/50", "1/5"])
def test_swapping_the_points_changes_no_verdict(oracle: str, margin: str, radius: str) -> None:
    """The property asks for one order of the labels, its definition with quantifiers for both."""
    options = f"where_both: margin(f1) >= {margin}"
    same = f"distance({oracle}, u, v) <= {radius} and margin(f1, u) >= {margin} and {margin} <= margin(f1, v)"
    loaded = load_text(
        THREE
        + f"assert P: strongly_robust(f1, {oracle}, radius: {radius}, closed: true, {options})\n"
        + f"assert Q: forall u, v in X: {same} => f1(u) == f1(v)\n"
        + f"assert R: factors(f1, {oracle}, where_both: margin(f1) > {margin})\n"
        + f"assert S: forall u, v in X: distance({oracle}, u, v) <= 0 and not (margin(f1, u) <= {margin}) "
        + f"and {margin} < margin(f1, v) => f1(u) == f1(v)\n"
    )
    assert loaded.diagnostics == ()
    result = loaded.check()
    words = [word(result[name].verdict) for name in "PQRS"]
    assert words[0] == words[1] and words[2] == words[3] and "unknown" not in words


def test_a_premise_about_one_point_keeps_both_orders() -> None:
    """Only pairs whose second point has the first label: `no` comes before `yes`."""
    for premise in ("where: s >= 1/2", "where: s < 1/2"):
        found = outcome(f"strongly_robust(f1, same, radius: 1/10, {premise})").verdict
        assert isinstance(found, Refuted)


def test_a_metric_of_the_user_keeps_both_orders() -> None:
    """That it is symmetric is proved, not assumed: here it is not, and nothing is claimed about it."""
    text = (
        BASE
        + """
oracle own { features s = s  metric m(e, f) = relu(e.s - f.s) }
assert A: strongly_robust(f1, own, radius: 1/10)
"""
    )
    found = load_text(text).check()["A"].verdict
    assert isinstance(found, Undecided) and "not a pseudometric" in found.why
