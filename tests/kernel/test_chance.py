"""What the checker accepts is true: at every point of a grid, for right, bent and loosened certificates alike."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as Q
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.chance import (
    Point,
    bent,
    descents,
    loosened,
    pairs,
    points,
    problem,
    proved,
    question,
    solution,
    solves,
)
from verifier.engines.case_search import CaseSearch
from verifier.engines.engine import Fails, Unknown
from verifier.kernel.circuit import Input, Select, evaluate
from verifier.kernel.problem import GRAIN, Bound, Empty, Farkas, Rejected, Row, Split, Step, Tree, Zonotope
from verifier.kernel.proof import check
from verifier.kernel.ranges import Scaled, cut, root, settle
from verifier.kernel.zonotope import Plan, sharpen

seeds = st.integers(0, 10**9)


def accepts(claim: Empty, tree: Tree) -> bool:
    try:
        return check(claim, tree).trusts == ()
    except Rejected:
        return False


def solved(claim: Empty, rng: Random) -> Point | None:
    return solution(claim, points(claim.box, rng, 60))


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_what_is_accepted_is_true(seed: int) -> None:
    rng = Random(seed)
    claim = problem(rng)
    tree = proved(claim)
    if tree is None:
        return
    assert accepts(claim, tree)
    assert solved(claim, rng) is None
    for _ in range(6):
        other = loosened(rng, claim, Q(rng.choice((1, 2, 5)), rng.choice((1, 4, 20)))) if rng.random() < 0.7 else claim
        changed = bent(rng, other, tree) if rng.random() < 0.6 else tree
        if accepts(other, changed):
            assert solved(other, rng) is None


def test_what_is_accepted_of_pairs_is_true() -> None:
    """Of certificates by differences and by slopes, loosened until there are solutions, bent, and with fewer twins."""
    fates, open_, rng = {True: 0, False: 0}, 0, Random(0)
    for claim, tree in (*pairs(24), *descents(12)):
        assert accepts(claim, tree)
        for _ in range(8):
            other = loosened(rng, claim, Q(1, rng.choice((2, 5, 20)))) if rng.random() < 0.8 else claim
            changed = bent(rng, other, tree) if rng.random() < 0.4 else tree
            if changed.twins and rng.random() < 0.3:
                changed = replace(changed, twins=tuple(rng.sample(changed.twins, rng.randrange(len(changed.twins)))))
            accepted, found = accepts(other, changed), nearby(other, rng)
            fates[accepted] += 1
            open_ += found
            assert not (accepted and found)
    assert min(fates.values()) >= 30 and open_ >= 30


def nearby(claim: Empty, rng: Random) -> bool:
    """Some of many pairs solves it: of the second point, most coordinates are next to those of the first."""
    half, tried = len(claim.box) // 2, list[Point]()
    for _ in range(300):
        first = [Q(rng.randint(-60, 60), 60) for _ in range(half)]
        second = [min(max(x + Q(rng.randint(-8, 8), rng.choice((30, 60, 160))), Q(-1)), Q(1)) for x in first]
        tried.append((*first, *second))
    return solution(claim, tried) is not None


def test_random_certificates_are_accepted_often_enough_to_mean_something() -> None:
    """Of sixty, bent and loosened: some are accepted, some rejected, and some of the problems have solutions."""
    fates = {True: 0, False: 0}
    open_ = 0
    for seed in range(60):
        rng = Random(seed)
        claim = problem(rng)
        if (tree := proved(claim)) is not None:
            other = loosened(rng, claim, Q(1, rng.choice((2, 10, 100))))
            fates[accepts(other, bent(rng, other, tree))] += 1
            open_ += solved(other, rng) is not None
    assert min(fates.values()) >= 10 and open_ >= 5


@settings(deadline=None, max_examples=150)
@given(seeds)
def test_no_certificate_refutes_a_solution(seed: int) -> None:
    """A problem made around a point, and certificates from thin air: cuts and rows of all kinds."""
    rng = Random(seed)
    claim = problem(rng)
    here = next(points(claim.box, rng, 1), None)
    if here is None:
        return
    values = evaluate(claim.circuit, here)
    facts = tuple(n for n, v in enumerate(values) if v >= 0 and not isinstance(claim.circuit[n], Input))
    claim = replace(claim, facts=tuple(rng.sample(facts, min(3, len(facts)))))
    assert not accepts(claim, random_tree(rng, claim))


def random_tree(rng: Random, claim: Empty) -> Tree:
    count = len(claim.circuit)
    relus = [n for n, at in enumerate(claim.circuit) if isinstance(at, Select) and at.test == at.then]

    def end() -> Farkas:
        places = rng.choices([*range(count), *claim.facts * 3], k=rng.randint(1, 3))
        rows = tuple(Row(rng.choice(("low", "high")), n, rng.randint(1, 4)) for n in places)
        return Farkas(rows, tuple((n, rng.randint(0, 1 << GRAIN)) for n in relus if rng.random() < 0.5))

    steps: list[Step] = []
    waiting = 1
    while waiting:
        kind = rng.random() if len(steps) < 12 else 1.0
        if kind < 0.15:
            steps.append(Zonotope())
        elif kind < 0.35:
            steps.append(Split(rng.randrange(count), Q(rng.randint(-6, 6), rng.choice((1, 2, 3)))))
            waiting += 1
        elif kind < 0.45:
            steps.append(Bound(rng.randrange(count), Q(rng.randint(-3, 3)), rng.random() < 0.5, end()))
        else:
            steps.append(end())
            waiting -= 1
    return Tree(tuple(steps))


@settings(deadline=None, max_examples=100)
@given(seeds)
def test_ranges_contain_what_is_there(seed: int) -> None:
    """On every branch of random cuts, the values at its points."""
    rng = Random(seed)
    claim = problem(rng)
    scaled = Scaled(claim.circuit, claim.box)
    plan = Plan(scaled, claim.facts[:-1])
    here = root(scaled, claim.facts[:-1])
    inside = [
        v
        for v in (evaluate(claim.circuit, p) for p in points(claim.box, rng, 30))
        if all(v[f] >= 0 for f in claim.facts[:-1])
    ]
    for _ in range(5):
        if rng.random() < 0.7:
            settle(scaled, here, rng.choice((None, rng.randrange(len(claim.circuit)))))
        if rng.random() < 0.5:
            sharpen(plan, here)
        for values in inside:
            for n, value in enumerate(values):
                low, high, strict = here.at(n)
                assert low is None or low <= value * scaled.unit[n]
                assert high is None or value * scaled.unit[n] <= high
                assert not strict or value * scaled.unit[n] < high  # type: ignore[operator]
        node = rng.randrange(len(claim.circuit))
        value = rng.choice(inside)[node] if inside and rng.random() < 0.5 else Q(rng.randint(-4, 4), 3)
        above = rng.random() < 0.5
        cut(scaled, here, node, value, above)
        inside = [v for v in inside if (v[node] >= value) is above]


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_a_looser_problem_is_not_easier(seed: int) -> None:
    """With all slopes given: what is rejected stays so when a fact asks for less."""
    rng = Random(seed)
    claim = problem(rng)
    tree = proved(claim)
    if tree is None or any(not isinstance(s, Farkas) for s in tree.steps):
        return
    relus = [n for n, at in enumerate(claim.circuit) if isinstance(at, Select) and at.test == at.then]
    slopes = tuple((n, rng.randint(0, 1 << GRAIN)) for n in relus)
    tree = Tree(
        tuple(replace(s, slopes=slopes) for s in tree.steps if isinstance(s, Farkas)), tree.definitions, tree.gaps
    )
    looser = loosened(rng, claim, Q(1, rng.choice((1, 8, 64))))
    assert accepts(claim, tree) or not accepts(looser, tree)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_the_search_never_proves_what_a_point_refutes(seed: int) -> None:
    rng = Random(seed)
    claim = problem(rng)
    found = CaseSearch(question(claim), 2.0).run()
    if isinstance(found, Fails):
        assert solves(claim, found.points[0])
    elif not isinstance(found, Unknown):
        assert solved(claim, rng) is None


@pytest.mark.parametrize("depth", [3000])
def test_a_long_chain_of_cuts_needs_no_recursion(depth: int) -> None:
    """Left and right: no step is deeper than the interpreter's stack."""
    claim = Empty((Input(0),), problem(Random(1)).box[:1], ())
    with pytest.raises(Rejected, match="not negative"):
        check(claim, Tree((*(Split(0, Q(k)) for k in range(depth)), Farkas((Row("low", 0, 1),)))))
