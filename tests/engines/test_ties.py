"""The lines of jumps in the linear program: right at every point of a branch, and as good as they should be."""

from __future__ import annotations

from fractions import Fraction as Q
from random import Random

import numpy as np
import pytest

from tests.kernel.chance import WEIGHTS
from verifier.engines.plan import Plan
from verifier.engines.relaxation import Relaxation
from verifier.kernel.circuit import Affine, Input, Node, Select, evaluate
from verifier.kernel.ranges import cut, root, settle
from verifier.language.build import Variable
from verifier.query.question import Question


def jumps(random: Random) -> Question:
    """Sums, jumps between them and constants, relus of them, and jumps once more; the last sum is a fact."""
    nodes: list[Node] = [Input(0), Input(1), Input(2), Affine((), Q(0)), Affine((), Q(3, 2))]
    for _ in range(random.randint(3, 6)):
        some = random.sample(range(len(nodes)), 2)
        nodes.append(Affine(tuple((n, random.choice(WEIGHTS)) for n in some), Q(random.randint(-3, 3), 2)))
        test = len(nodes) - 1
        sides = test, 3
        if random.random() < 0.7:
            sides = random.choice([(random.randrange(test), random.randrange(test)), (test, random.randrange(test))])
        nodes.append(Select(test, *sides))
    nodes.append(Affine(tuple((n, Q(1)) for n, at in enumerate(nodes) if isinstance(at, Select)), Q(0)))
    variables = tuple(Variable(f"x{i}", Q(-1), Q(random.randint(1, 3)), i == 2) for i in range(3))
    return Question(tuple(nodes), variables, (len(nodes) - 1,))


@pytest.mark.parametrize("seed", range(60))
def test_every_point_of_a_branch_satisfies_the_rows(seed: int) -> None:
    random = Random(seed)
    question = jumps(random)
    plan, tied = Plan(question), 0
    scaled = plan.within(question)
    ranges = root(scaled, question.facts)
    settle(scaled, ranges)
    relaxation = Relaxation(scaled, plan.real, ranges)
    points = [[Q(random.randint(-20, 60), 20) for _ in range(2)] + [Q(random.randint(-1, 3))] for _ in range(60)]
    inside = [p for p in points if all(v.low <= x <= v.high for v, x in zip(question.variables, p, strict=True))]  # type: ignore[operator]
    known = [(p, evaluate(scaled.circuit, p)) for p in inside]
    tests = sorted({test for test, _, _ in relaxation.ties.ends})
    for _ in range(4):
        relaxation.move(ranges, [])
        for point, values in known:
            sides = zip(values, scaled.unit, ranges.low, ranges.high, ranges.strict, strict=True)
            if any(
                (low is not None and x * unit < low) or (high is not None and x * unit > high - strict)
                for x, unit, low, high, strict in sides
            ):
                continue
            columns = np.array([float(values[n]) / 2.0 ** relaxation.exponent[n] for n in relaxation.nodes] + [0.0])
            parts = relaxation.value * columns[relaxation.at_column]
            rows = np.bincount(relaxation.at_row, parts, minlength=len(relaxation.sides))
            assert (rows >= relaxation.row_low - 1e-6).all(), point
            assert (rows <= relaxation.row_high + 1e-6).all(), point
            tied += len(tests)
        if tests:
            node = random.choice(tests)
            cut(scaled, ranges, node, Q(0), random.random() < 0.5)
            settle(scaled, ranges)
            if any(a is not None and b is not None and a > b for a, b in zip(ranges.low, ranges.high, strict=True)):
                break
    assert tied or not tests or not any(question.solved_by(tuple(p)) for p in inside)


def test_the_lines_meet_where_the_test_ends() -> None:
    """y = 2 where t >= 0, else 0, on [-1, 3]: at t = -1 it is at most 0, at t = 3 at least 2."""
    circuit = (Input(0), Affine((), Q(2)), Affine((), Q(0)), Select(0, 1, 2), Affine(((3, Q(1)),), Q(0)))
    question = Question(circuit, (Variable("t", Q(-1), Q(3)),), (4,))
    plan = Plan(question)
    ranges = root(plan.scaled, ())
    settle(plan.scaled, ranges)
    relaxation = Relaxation(plan.scaled, plan.real, ranges)
    relaxation.move(ranges, [])
    place = relaxation.column[3]
    for t, least, most in ((-1.0, 0.0, 0.0), (0.0, 0.0, 2.0), (1.0, 2 / 3, 2.0), (3.0, 2.0, 2.0)):
        relaxation.highs.changeColBounds(relaxation.column[0], t, t)
        for sign, value in ((1.0, least), (-1.0, most)):
            relaxation.highs.changeColCost(relaxation.slack, 0.0)
            relaxation.highs.changeColCost(place, sign)
            found = relaxation.solve(1.0)
            assert found is not None and found.values[place] == pytest.approx(value)
