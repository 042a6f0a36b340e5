"""Questions one after the other: each is answered as if it were the first, and sooner."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from msgspec.structs import replace

from tests.engines.nets import asked, box, layers, output
from verifier.engines.branch import Cut, Slot
from verifier.engines.case_search import CaseSearch, Searcher
from verifier.engines.engine import Answer, Fails, Holds, Unknown, work_of
from verifier.engines.plan import Plan
from verifier.engines.series import Lately, way
from verifier.kernel.problem import Farkas, Split
from verifier.kernel.proof import check
from verifier.language.build import Build
from verifier.query.closure import greater
from verifier.query.question import Question

SECONDS = 60.0


def peak(seed: int, widths: tuple[int, ...] = (4, 8, 8, 1), integers: int = 0) -> Question:
    """The output of a network over a box, as a number >= 0."""
    build = Build()
    inputs = box(build, widths[0] - integers, integers)
    (out,) = output(build, layers(Random(seed), widths), inputs)
    q = asked(build, inputs, [build.relu(out)])
    return replace(q, facts=(), numbers=q.facts)


def above(q: Question, value: Fraction) -> Question:
    (further,) = greater(q, value, attained=True)
    return further


def programs(answer: Answer) -> int:
    return dict(work_of(answer)).get("linear_programs", 0)


def climb(q: Question) -> tuple[Fraction, Holds, Searcher]:
    """A value that is reached, and a proof that none is greater by a thousandth; the searcher that was asked."""
    searcher, value, near = Searcher(), Fraction(0), ()
    while True:
        found = searcher.nearby(above(q, value), near, SECONDS)
        if isinstance(found, Holds):
            return value, found, searcher
        assert isinstance(found, Fails)
        (near,) = (found.points,)
        reached = q.values(near[0])[q.numbers[0]]
        assert reached > value
        value = reached + Fraction(1, 1000)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("integers", [0, 2])
def test_a_series_ends_with_a_proof_of_its_last_question(seed: int, integers: int) -> None:
    q = peak(seed, integers=integers)
    value, held, _ = climb(q)
    assert held.proof is not None
    problem, proof = held.proof
    assert problem == above(q, value).empty and check(problem, proof).trusts == ()
    assert isinstance(CaseSearch(above(q, value), SECONDS).run(), Holds)
    reached = CaseSearch(above(q, value - Fraction(1, 500)), SECONDS).run()
    assert isinstance(reached, Fails) and above(q, value - Fraction(1, 500)).solved_by(reached.points[0])


@pytest.mark.parametrize("seed", range(2))
def test_what_is_known_of_a_smaller_value_closes_most_of_a_greater_one(seed: int) -> None:
    q = peak(seed, (4, 10, 10, 1))
    value, held, searcher = climb(q)
    alone = Searcher().nearby(above(q, value + Fraction(1, 100)), (), SECONDS)
    guided = searcher.nearby(above(q, value + Fraction(1, 100)), (), SECONDS)
    assert isinstance(alone, Holds) and isinstance(guided, Holds)
    assert programs(held) and 2 * programs(guided) < programs(alone)


@pytest.mark.parametrize("seed", range(2))
def test_a_proof_about_a_greater_value_is_no_answer_to_a_smaller_one(seed: int) -> None:
    q = peak(seed)
    value, _, searcher = climb(q)
    found = searcher.nearby(above(q, value - Fraction(1, 500)), (), SECONDS)
    assert isinstance(found, Fails)
    assert above(q, value - Fraction(1, 500)).solved_by(found.points[0])


def test_a_search_that_was_stopped_goes_on_where_it_was() -> None:
    q = peak(0, (6, 14, 14, 1))
    q = above(q, climb(q)[0])
    plan = Plan(q)
    whole = CaseSearch(q, SECONDS, plan, 10**6, shown=False)
    assert isinstance(whole.run(), Holds)
    series, parts = Lately().of(plan, q), list[int]()
    for most, end in ((whole.stats.branches // 2, Unknown), (10**6, Holds)):
        part = CaseSearch(q, SECONDS, plan, most, shown=False, series=series)
        assert isinstance(part.run(), end)
        series.asked(part.tree, 0.0, 0.0)
        parts.append(part.stats.programs)
    assert all(parts) and sum(parts) < 1.5 * whole.stats.programs


def tree(*ends: object) -> Slot:
    """A cut of input 0 with these ends, which are open where they are None."""
    return Slot(Split(0, Fraction(0)), tuple(Slot(end) for end in ends))  # type: ignore[arg-type]


def test_what_is_open_is_looked_at_first() -> None:
    q = above(peak(0), Fraction(1))
    series = Lately().of(Plan(q), q)
    series.asked(root := tree(Farkas(()), None), 0.0, 1.0)
    assert [slot.open for slot in (root, *root.after)] == [True, False, True]
    series.asked(root := tree(Farkas(()), Farkas(())), 0.0, 1.0)
    assert not root.open and series.took == 2.0
    for ends, above_first in (((Farkas(()), None), True), ((None, Farkas(())), False), ((None, None), True)):
        series.asked(root := tree(*ends), 0.0, 0.0)
        assert way(root) == Cut(0, Fraction(0), above_first)


def test_only_constants_differ_in_a_series() -> None:
    q = peak(0)
    lately = Lately()

    def of(question: Question) -> object:
        return lately.of(Plan(question), question)

    first = of(above(q, Fraction(1)))
    assert of(above(q, Fraction(2))) is first
    side, *others = q.variables
    narrower = replace(q, variables=(replace(side, high=Fraction(1, 2)), *others))
    assert of(above(narrower, Fraction(1))) is not first
    assert of(above(peak(1), Fraction(1))) is not first
    assert of(above(q, Fraction(3))) is first


def test_a_step_that_the_kernel_does_not_accept_is_left_out() -> None:
    """A tree whose branches end with nothing: all of them are searched."""
    q = above(peak(0), Fraction(50))
    plan = Plan(q)
    series = Lately().of(plan, q)
    series.asked(tree(Farkas(()), Farkas(())), 0.0, 0.0)
    found = CaseSearch(q, SECONDS, plan, series=series).run()
    assert isinstance(found, Holds) and found.proof is not None
    assert check(*found.proof).trusts == ()
