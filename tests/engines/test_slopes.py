"""One point and a direction instead of two points: what that closes is closed, and the direction is decided first."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from msgspec.structs import replace

from benchmarks.suites.twins import network
from tests.engines.nets import layers, twins
from verifier.engines import slopes
from verifier.engines.case_search import STEEP, CaseSearch
from verifier.engines.crossing import Crossing
from verifier.engines.engine import Answer, Fails, Holds, Unknown
from verifier.engines.plan import Plan
from verifier.kernel.problem import Descent, Split, Tree
from verifier.kernel.proof import check
from verifier.query.question import Question

F = Fraction
NEAR = F(1, 50)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slopes are looked at on the first branch, for as long as that takes."""
    monkeypatch.setattr(slopes, "PATIENCE", 0)
    monkeypatch.setattr(slopes, "BEHIND", 1e9)


def two_labels(seed: int, margin: Fraction) -> Question:
    """Four inputs and two layers of eight relus."""
    net = [([[*row] for row in layer.weights], [*layer.bias]) for layer in network(4, 8, seed).layers]
    return twins(net, NEAR, margin, mirrored=True)


def three_labels(seed: int, margin: Fraction) -> Question:
    return twins(layers(Random(seed), [3, 5, 5, 3], 64), NEAR, margin, mirrored=True)


def descents(answer: Answer, of: Question) -> int:
    """How often its certificate, which the kernel accepts, goes over to slopes."""
    assert isinstance(answer, Holds) and answer.proof is not None
    problem, tree = answer.proof
    assert isinstance(tree, Tree) and problem == of.empty and check(problem, tree).trusts == ()
    return sum(isinstance(step, Descent) for step in tree.steps)


@pytest.mark.parametrize("margin", [F(3, 100), F(10, 100)])
@pytest.mark.parametrize("seed", range(3))
def test_of_two_labels_slopes_say_what_pairs_say(seed: int, margin: Fraction, at_once: None) -> None:
    q = two_labels(seed, margin)
    search = CaseSearch(q, 20)
    answer, other = search.run(), pairs_alone(q)
    assert type(answer) is type(other) is (Fails if margin < F(5, 100) else Holds)
    if isinstance(answer, Holds):
        assert descents(answer, q) == 1 and descents(other, q) == 0
        assert search.branches > search.stats.branches == 1 and search.programs > search.stats.programs
    else:
        assert isinstance(answer, Fails) and q.solved_by(answer.points[0])


@pytest.mark.parametrize(("seed", "margin"), [(1, 4), (1, 16), (4, 8), (4, 16), (5, 8), (10, 8), (11, 8), (11, 16)])
def test_of_three_labels_each_case_is_closed_by_itself(seed: int, margin: int, at_once: None) -> None:
    q = three_labels(seed, F(margin, 400))
    answer, other = CaseSearch(q, 20).run(), pairs_alone(q)
    assert type(answer) is type(other)
    if isinstance(answer, Holds):
        assert descents(answer, q) >= 2 and descents(other, q) == 0


def pairs_alone(q: Question) -> Answer:
    search = CaseSearch(q, 20)
    search.plan.descents = []
    return search.run()


def test_without_a_margin_nothing_falls(at_once: None) -> None:
    """As for points between which a score may stay what it is."""
    search = CaseSearch(two_labels(0, F(0)), 20)
    found = slopes.Slopes(search.todo[0], search.plan.descents[0], 0)
    assert isinstance(found.go(search.scaled, 1e12), Unknown) and not [*found.pairs(search.scaled, 1e12)]
    assert found.over and isinstance(search.run(), Fails)


def test_slopes_have_their_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take turns with pairs, and go on where they were."""
    spent, looked, original = list[tuple[float, float]](), list[int](), slopes.Slopes.go

    class EnoughError(Exception):
        pass

    def go(self: slopes.Slopes, *arguments: object) -> object:
        spent.append((self.took, slopes.time.monotonic() - self.begun))
        answer = original(self, *arguments)  # type: ignore[arg-type]
        assert self.search is not None
        looked.append(self.search.branches)
        if len(looked) > 2 and looked[0] < looked[-1]:
            raise EnoughError
        return answer

    monkeypatch.setattr(slopes.Slopes, "go", go)
    monkeypatch.setattr(slopes, "PATIENCE", 2)
    monkeypatch.setattr(slopes, "AHEAD", 1.0)
    net = [([[*row] for row in layer.weights], [*layer.bias]) for layer in network(8, 16, 0).layers]
    with pytest.raises(EnoughError):
        CaseSearch(twins(net, F(1, 100), F(1, 25), mirrored=True), 600).run()
    assert looked == sorted(looked)
    assert all(took <= slopes.AHEAD / (1 + slopes.AHEAD) * since for took, since in spent)


def test_the_direction_is_decided_before_any_neuron() -> None:
    """Of the four corners' sides the tree decides all on every way down before it cuts anything else."""
    q = two_labels(1, F(8, 100))
    plan = Plan(q)
    asked = slopes.Slopes(CaseSearch(q, 1).todo[0], plan.descents[0], 0).asked(plan.scaled)
    assert asked is not None
    search = CaseSearch(asked, 20)
    corners = set(search.plan.corners)
    assert isinstance(search.run(), Holds) and len(corners) == 4
    todo, neurons = [(search.tree, 0)], 0
    while todo:
        slot, decided = todo.pop()
        if isinstance(slot.step, Split):
            assert slot.step.node in corners or decided == 4
            neurons += slot.step.node not in corners
            decided += slot.step.node in corners
        todo += [(after, decided) for after in slot.after]
    assert neurons and Plan(q).corners == []


def test_points_without_a_twin_have_no_descents() -> None:
    assert len(Plan(two_labels(0, NEAR)).descents) == 1
    assert Plan(replace(two_labels(0, NEAR), mirror=())).descents == []


def test_points_are_half_way_and_as_steep_as_is_said() -> None:
    q, plan = two_labels(2, F(6, 100)), Plan(two_labels(2, F(6, 100)))
    found = slopes.Slopes(CaseSearch(q, 1).todo[0], plan.descents[0], 0)
    asked = found.asked(plan.scaled)
    assert asked is not None
    crossing = Crossing(asked, [0, 1, 2, 3])
    for _ in range(6):
        crossing.round()
    _, added = crossing.changes(crossing.points)
    level = 0
    for k in range(8):
        corner = (added[:, k] > 0).astype(int).tolist()
        values = asked.values(tuple(map(F, [*crossing.points[:, k].tolist(), *corner])))
        above, below, fall = (float(values[f]) for f in asked.facts)
        if above >= 0 and below >= 0:
            level += 1
            assert abs(above - below) <= above + below
            assert fall == pytest.approx(float(crossing.worth[k]), rel=1e-6)
    assert level >= 4 and list(crossing.worth) == sorted(crossing.worth, reverse=True)


@pytest.mark.parametrize("seed", [1, 4])
def test_across_a_steep_place_there_is_a_pair(seed: int) -> None:
    """Below the margin from which on there is none; each start has its place in both points."""
    q = two_labels(seed, F(5, 100))
    search = CaseSearch(q, 20)
    found = slopes.Slopes(search.todo[0], search.plan.descents[0], 0)
    found.begun -= 50
    for start in found.pairs(search.scaled, 1e12):
        assert abs(start[:4] - start[4:]).max() <= float(NEAR) + 1e-9
        if (point := search.guesses.uphill(start, 1e12, STEEP)) is not None:
            assert q.solved_by(point)
            return
    raise AssertionError("no pair was found")
