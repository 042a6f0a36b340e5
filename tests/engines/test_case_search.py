"""Branch and bound: what it finds solves the question, what it proves the kernel accepts, and z3 says the same."""

from __future__ import annotations

from fractions import Fraction as Q
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engines.nets import another_wins, asked, box, layers, output
from tests.engines.nets import twins as near_twins
from tests.engines.questions import certified, holds, posed, question
from tests.model.expressions import expression, expressions, program
from verifier.api import Options, load_text
from verifier.engines import case_search, plan, searches, smt
from verifier.engines.branch import Branch, Slot
from verifier.engines.case_search import CaseSearch, Searcher
from verifier.engines.engine import Answer, Fails, Holds, Least, Unknown
from verifier.engines.forms import undecided
from verifier.engines.plan import Plan
from verifier.engines.relaxation import INF, chords
from verifier.engines.trial import WORTH
from verifier.kernel.circuit import Input
from verifier.kernel.problem import GRAIN, Bound, Farkas, Split, Tree
from verifier.kernel.proof import check
from verifier.kernel.ranges import chord, cut, root, settle
from verifier.language.build import Build, Variable
from verifier.query import closure
from verifier.query.pose import Poser
from verifier.query.question import Question

LINE = "domain X { a: real in [0, 1], b: real, n: int in [0, 5], c: {r, s, t} }"
PLANE = "domain X { x: real^2 in [-1, 1] }"


def search(q: Question, seconds: float = 20) -> Answer:
    return CaseSearch(q, seconds).run()


def proved(answer: Answer, q: Question) -> Tree:
    """The certificate, once the kernel has accepted it as one of this question."""
    assert isinstance(answer, Holds) and answer.proof is not None
    problem, proof = answer.proof
    assert problem == q.empty and check(problem, proof).trusts == ()
    assert isinstance(proof, Tree)
    return proof


def test_what_closes_a_branch_closes_all_of_those_around_it_that_it_can() -> None:
    """Six neurons that do not matter: 127 branches, if both sides of each were looked at."""
    slight = " + ".join(f"relu(u.c[{i}] - 1/2)" for i in range(6))
    facts = [f"u.a - u.b + ({slight}) / 100 >= 1/2", "u.a + u.d <= 1/2", "u.b + u.d >= 1/4"]
    sides = "a: real in [0, 1], b: real in [0, 1], c: real^6 in [0, 1], d: real in [0, 1]"
    q = question(f"domain X {{ {sides} }}", ["u"], facts)
    searching = CaseSearch(q, 20, exact=True)
    tree = proved(searching.run(), q)
    assert searching.stats.branches == 7 and len(tuple(tree.steps)) == 1


def eight_relus() -> Question:
    """Of one number; nothing solves it. Half is open after 20 branches of exact search, three quarters after 19."""
    sums = " + ".join(f"relu(u.x[0] - {k}/9)" for k in range(1, 9))
    return question(PLANE, ["u"], [f"{sums} > 8 * relu(u.x[0]) + relu(u.x[1])"])


def test_a_brief_search_gives_up_after_its_branches_and_loads_no_floats() -> None:
    q = eight_relus()
    few, many = (Searcher().brief(q, most, True, 20) for most in (2, 5000))
    assert isinstance(few, Unknown) and dict(few.work) == {"branches": 2}
    proved(many, q)
    assert dict(many.work).keys() == {"branches"}


def test_a_brief_search_goes_on_where_no_more_than_half_is_left() -> None:
    q = eight_relus()
    few, enough = (Searcher().brief(q, most, True, 20) for most in (19, 20))
    assert isinstance(few, Unknown) and dict(few.work) == {"branches": 19}
    proved(enough, q)
    assert dict(enough.work)["branches"] > 20


@pytest.mark.parametrize(
    "facts",
    [
        ["u.a > 1/3", "u.b < u.a", "u.n == 3", "u.c != r"],
        ["relu(u.b - 1) > relu(u.a)", "u.c == t or u.n >= 5"],
        ["not (u.a >= 1/2 <=> u.b >= 0)"],
        ["1/3 < u.a < 1/3 + 1/1000000000000"],
        ["3 * u.n + 7 * u.a == 10", "u.n != 1"],
        ["5 * u.n + 7 * u.a == 22", "2 * relu(u.b) + u.a > 1", "abs(u.b) <= 1/2"],
    ],
)
def test_a_solution_solves(facts: list[str]) -> None:
    p = posed(LINE, ["u"], facts)
    answer = search(p.question)
    assert isinstance(answer, Fails)
    assert p.question.solved_by(answer.points[0])
    assert all(holds(p, fact, answer.points[0]) for fact in facts)


@pytest.mark.parametrize(
    "facts",
    [
        ["u.n > 2", "u.n < 3"],
        ["2 * u.n == 5"],
        ["3 * u.n + 9 * u.a == 10", "u.a * 2 == 1"],
        ["u.c != r", "u.c != s", "u.c != t"],
        ["u.c != u.c", "abs(u.a + u.b) + abs(u.a - u.b) + abs(u.a) + abs(u.b) + abs(u.b - 2 * u.a) > 0"],
        ["u.b > 1", "relu(u.b) <= 1"],
        ["step(u.b) == 1", "u.b < 0"],
        ["abs(u.b) < relu(u.b) or abs(u.b) < relu(-u.b)"],
        ["max(u.a, u.b) + min(u.a, u.b) != u.a + u.b"],
        ["u.b > 0", "u.b < u.a - 1"],
        ["u.b >= u.a", "u.b <= u.a", "u.a != u.b"],
        ["if u.b >= 0 then 3 * u.a < 0 else u.a > 1"],
    ],
)
def test_what_has_no_solution_has_a_certificate(facts: list[str]) -> None:
    q = question(LINE, ["u"], facts)
    proved(search(q), q)


def test_the_difference_of_two_copies_is_bounded_neuron_by_neuron() -> None:
    net = "relu(1/4 + " + " + ".join(f"relu(u.x[0] + u.x[1] - {k}/8)" for k in range(6)) + ")"
    facts = [f"{a}.x[{i}] - {b}.x[{i}] <= 1/100" for i in (0, 1) for a, b in ("uv", "vu")]
    far = [f"{net} - {net.replace('u.', 'v.')} > 1/8"]
    q = replace(question(PLANE, ["u", "v"], facts + far), mirror=(None, None, 0, 1))
    proof = proved(search(q), q)
    assert proof.gaps and proof.definitions
    plain = replace(q, mirror=(None,) * 4)
    without = proved(search(plain), plain)
    assert not without.gaps and len(without.steps) > len(proof.steps)


@pytest.mark.parametrize("seed", range(3))
def test_a_number_made_of_differences_is_bounded_by_them(seed: int) -> None:
    """Two copies of a network at points that are equal: nothing is cut, though the formula is about sums over both."""
    build = Build()
    inputs = box(build, 4)
    net = layers(Random(seed), [2, 4, 4, 2])
    x, y = inputs[:2], inputs[2:]
    apart = [build.subtract(a, b) for a, b in zip(output(build, net, x), output(build, net, y), strict=True)]
    equal = [
        build.at_least_zero(build.scale(s, build.subtract(a, b))) for a, b in zip(x, y, strict=True) for s in (1, -1)
    ]
    for wrong in (build.relu(apart[0]), build.relu(build.scale(-1, apart[0])), build.add(*map(build.relu, apart))):
        q = replace(asked(build, inputs, [*equal, build.above_zero(wrong)]), mirror=(None, None, 0, 1))
        assert not any(isinstance(step, Split) for step in proved(search(q), q).steps)


def test_huge_integer_weights_are_in_reach() -> None:
    big = 10**70
    q = question(PLANE, ["u"], [f"{big} * u.x[0] - {big + 1} * u.x[1] > 2 * {big} + 1"])
    proved(search(q), q)
    p = posed(PLANE, ["u"], [f"relu({big} * u.x[0] - {big} * u.x[1]) > {big}", "u.x[1] >= -1/4"])
    assert isinstance(search(p.question), Fails)


@pytest.mark.parametrize("exponent", [-150, -40, 20])
def test_weights_of_any_size_are_in_reach(exponent: int) -> None:
    """Training leaves dead neurons with weights of 1e-40: what is compared then has integer weights of fifty digits."""
    (weights, bias), *others = layers(Random(2), [3, 8, 8, 4], 64)
    dead = [Q(2) ** exponent * w for w in weights[0]]
    net = [([dead, *weights[1:]], [Q(0), *bias[1:]]), *others]
    seen = set()
    for lead in (Q(0), Q(1), Q(8)):
        for winner in range(4):
            q = another_wins(net, winner, lead)
            answer = search(q)
            seen.add(type(answer))
            if isinstance(answer, Fails):
                assert q.solved_by(answer.points[0])
            else:
                proved(answer, q)
    assert seen == {Holds, Fails}


def test_no_time_is_no_answer() -> None:
    q = question(PLANE, ["u"], ["relu(u.x[0]) + relu(u.x[1]) > 3"])
    assert isinstance(search(q, 0.0), Unknown)
    assert isinstance(CaseSearch(q, 20, most=0).run(), Unknown)


def test_one_plan_serves_many_boxes() -> None:
    q = question(
        "domain X { m: int in [0, 90], n: int in [0, 9] }", ["u"], ["relu(u.m - 40) + relu(u.n - 3) > 50", "u.n < 9"]
    )
    searcher, words = Searcher(), []
    for low, high in ((0, 40), (41, 80), (81, 90)):
        box = (replace(q.variables[0], low=Q(low), high=Q(high)), q.variables[1])
        part = replace(q, variables=box)
        answer = searcher.case_search(part, 20)
        if isinstance(answer, Holds):
            proved(answer, part)
        words.append(type(answer).__name__)
    assert words == ["Holds", "Holds", "Fails"]


def test_a_plan_fits_only_its_circuit_and_grain() -> None:
    q = question(PLANE, ["u"], ["relu(u.x[0]) + relu(u.x[1]) > 3"])
    plan = Plan(q)
    assert plan.fits(q) and plan.fits(replace(q, variables=(replace(q.variables[0], low=Q(0)), q.variables[1])))
    assert not plan.fits(replace(q, variables=(replace(q.variables[0], low=Q(1, 3)), q.variables[1])))
    assert not plan.fits(question(PLANE, ["u"], ["relu(u.x[0]) + relu(u.x[1]) > 3"]))


def test_a_deep_net_is_bounded_layer_by_layer() -> None:
    build = Build()
    inputs = box(build, 2)
    (y,) = output(build, layers(Random(0), [2, 5, 5, 5, 1]), inputs)
    q = asked(build, inputs, [build.subtract(y, build.constant(2))])
    assert any(isinstance(step, Bound) for step in proved(search(q), q).steps)


def test_deep_copies_that_differ_in_a_bit_are_told_apart_first() -> None:
    bits, words = 0, []
    for seed in range(8):
        net = layers(Random(seed), (3, 4, 4, 4, 4, 1))
        build = Build()
        first, second = (build.input(Variable(name, Q(0), Q(1), integer=True)) for name in "pq")
        common = [build.input(Variable(name, Q(-4), Q(4), integer=True)) for name in "ab"]
        (high,), (low,) = output(build, net, [first, *common]), output(build, net, [second, *common])
        level = Q(seed % 4, 8)
        facts = [build.at_least_zero(build.add(high, build.constant(-level))), build.negate(build.at_least_zero(low))]
        q = replace(asked(build, [first, second, *common], facts), mirror=(None, 0, None, None))
        points = product((0, 1), (0, 1), range(-4, 5), range(-4, 5))
        answer = search(q)
        if any(q.solved_by(tuple(map(Q, point))) for point in points):
            assert isinstance(answer, Fails) and q.solved_by(answer.points[0])
        else:
            steps = proved(answer, q).steps
            bits += any(isinstance(s, Split) and q.circuit[s.node] in (Input(0), Input(1)) for s in steps)
        words.append(type(answer).__name__)
    assert {"Holds", "Fails"} == set(words) and bits


def test_a_deep_net_takes_fewer_branches_than_by_trials_of_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """New ranges on every branch, and the first layers first."""
    took = []
    for deep in (plan.DEEP, 99):
        monkeypatch.setattr("verifier.engines.plan.DEEP", deep)
        took.append(0)
        for seed in (0, 1):
            q = near_twins(layers(Random(seed), (3, 5, 5, 5, 5, 2)), Q(1, 2), Q(1, 10))
            searching = CaseSearch(q, 20)
            proved(searching.run(), q)
            took[-1] += searching.stats.branches
    assert took[0] < took[1]


PROGRAM = program()


@given(st.lists(expressions(1)["truth"], min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_it_agrees_with_z3(facts: list[str]) -> None:
    poser = Poser(PROGRAM)
    q = poser.pose(["u", "w"], [poser.truth(expression(f), ["u", "w"]) for f in facts]).question
    answer, other = search(q, 10), smt.find(q, 10)
    if isinstance(answer, Fails):
        assert q.solved_by(answer.points[0])
    if isinstance(answer, Holds):
        proved(answer, q)
    assert {type(answer), type(other)} != {Fails, Holds}
    assert not isinstance(answer, Unknown)


@pytest.mark.parametrize("widths", [(3, 4, 4, 2), (2, 5, 3, 3, 2)])
def test_the_kernel_accepts_bounds_by_linear_programs(widths: tuple[int, ...]) -> None:
    """Nearly all: one that was kept in the same layer may have moved a chord that a formula's weight relies on."""
    found, kept = 0, 0
    for seed in range(12):
        q = near_twins(layers(Random(seed), widths), Q(1, 10), Q(1, 100))
        searching = CaseSearch(q, 20)
        branch = Branch(root(searching.scaled, q.facts), (), Slot())
        if searching.follows.propagate(branch) or searching.follows.tighten(branch, WORTH):
            continue
        searching.outset = branch.ranges.copy()
        for layer in searching.plan.layers:
            searching.relaxation.move(branch.ranges, searching.truths(branch))
            nodes = [n for n in layer if n in searching.relaxation.column]
            for step in searching.relaxation.bounds(nodes, WORTH, 20):
                before = branch.ranges.at(step.node)
                found += 1
                kept += searching.follows.keep(branch, step) and branch.ranges.at(step.node) != before
            settle(searching.scaled, branch.ranges)
    assert found > 50 and kept > 0.95 * found


def test_chords_are_those_of_the_kernel() -> None:
    sides = [
        (a, b) for a in (None, -2, -1, 0, 1, 2) for b in (None, -2, -1, 0, 1, 2) if a is None or b is None or a <= b
    ]
    sides.remove((None, None))
    low = np.array([-INF if a is None else float(a) for a, _ in sides])
    high = np.array([INF if b is None else float(b) for _, b in sides])
    slope, shift = chords(low, high)
    for k, (a, b) in enumerate(sides):
        exact_slope, exact_shift = chord(a, b)
        assert slope[k] == pytest.approx(exact_slope / (1 << GRAIN), abs=1e-7)
        assert shift[k] == pytest.approx(exact_shift / (1 << GRAIN), abs=1e-6)


def test_of_a_linear_classifier_there_is_a_leaf_a_pair_of_classes_and_little_more() -> None:
    """A label is decided as soon as one comparison denies it, whatever the others say."""
    random = Random(5)
    rows = [[random.randrange(-9, 10) for _ in range(6)] for _ in range(4)]
    found = load_text(f"""domain X {{ x: real^6 in [-1, 1] }}
labels {{ a, b, c, d }}
model f {{ features s = {rows} * [x[0], x[1], x[2], x[3], x[4], x[5]]  decide argmax(s) }}
oracle g {{ features x = x  metric linf }}
compute R: critical_radius(f, g, where_both: margin(f) >= 1)""").check(Options())
    (computed,) = found.computed
    assert computed.trusts == ()
    (certificate,) = computed.result.certificates
    assert isinstance(certificate.proof, Tree)
    assert sum(isinstance(step, Farkas | Split) for step in certificate.proof.steps) <= 4 * 4 * 2


@pytest.mark.parametrize(
    ("side", "known", "tests"),
    [
        ("[0, 1]", None, 3),
        ("[1/4, 1]", None, 2),
        ("[0, 1/8]", None, 2),
        ("[0, 1]", (0, True), 2),
        ("[0, 1]", (1, False), 2),
    ],
)
def test_choices_matter_that_what_is_decided_depends_on(side: str, known: tuple[int, bool] | None, tests: int) -> None:
    """Nothing is open about b where it is known to be above 1/4, or below."""
    sides = f"a: real in [0, 1], b: real in {side}, c: real in [0, 1]"
    fact = "relu(u.a - 1/2) + relu(u.b - 1/4) + relu(u.c - 3/4) <= 1/8"
    q = question(f"domain X {{ {sides} }}", ["u"], [fact])
    searching = CaseSearch(q, 20)
    scaled = searching.scaled
    ranges = root(scaled, q.facts)
    settle(scaled, ranges)
    relus = sorted(scaled.relus)
    if known is not None:
        cut(scaled, ranges, scaled.select[relus[known[0]]][0], Q(0), known[1])
        settle(scaled, ranges)
    found = undecided(scaled, ranges, q.facts)
    assert len(found) == tests and found <= {scaled.select[n][0] for n in relus}
    assert undecided(scaled, ranges, ()) == set()


@pytest.mark.parametrize(("above", "tests"), [(None, 2), (True, 1), (False, 0)])
def test_a_choice_within_one_matters_only_where_that_is_taken(above: bool | None, tests: int) -> None:
    sides = "a: real in [0, 1], b: real in [0, 1], c: real in [0, 1]"
    q = question(f"domain X {{ {sides} }}", ["u"], ["relu(u.b / 4 - relu(u.a - 1/2)) + u.c <= 1/8"])
    scaled = CaseSearch(q, 20).scaled
    ranges = root(scaled, q.facts)
    settle(scaled, ranges)
    if above is not None:
        cut(scaled, ranges, scaled.select[max(scaled.relus)][0], Q(0), above)
        settle(scaled, ranges)
    assert len(undecided(scaled, ranges, q.facts)) == tests


def test_without_slack_exact_arithmetic_is_asked_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is nearer than the nearest pair: the relaxation has no slack there."""
    asked = dict.fromkeys((2.0, case_search.HALF), 0)
    exact = CaseSearch.exact
    for seed, half in product((8, 11), asked):
        random = Random(seed)
        rows = [[random.randint(-8, 8) for _ in range(5)] for _ in range(10)]
        scores = {
            p: " + ".join(f"{w}/4 * relu(dot([{a}/4, {b}/4, {c}/4], {p}.x) + {d}/4)" for w, a, b, c, d in rows)
            for p in "uv"
        }
        facts = [f"{scores['u']} >= 1/4", f"{scores['v']} <= -1/4"]
        p = posed("domain X { x: real^3 in [-1, 1] }", ["u", "v"], facts, ["max(abs(u.x - v.x))"])

        def counted(self: CaseSearch, *given: Any, half: float = half) -> Any:
            asked[half] += 1
            return exact(self, *given)

        monkeypatch.setattr(CaseSearch, "exact", counted)
        monkeypatch.setattr(case_search, "HALF", half)
        answer = searches.least_cases(p.question, 1000, 20)
        assert isinstance(answer, Least) and answer.value == {8: Q(8, 261), 11: Q(1, 41)}[seed]
        certified(p.question, answer, closure.smaller)
    assert 0 < asked[case_search.HALF] < asked[2.0]
