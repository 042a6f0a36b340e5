"""A proof is accepted iff it proves the problem, and every test in the checker is needed."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction as Q
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.cases import FORGED, ROW, Written, X, Y, problem, read, written
from tests.kernel.copies import SOURCES, guards, kernel
from verifier.kernel.circuit import Affine, Input, Node, Select, evaluate
from verifier.kernel.problem import Checked, Entails, Hole, Linear, Problem, Proof, Rejected
from verifier.kernel.proof import check
from verifier.kernel.wire import Unreadable


@pytest.mark.parametrize("case", written("accepted"), ids=lambda case: case.name)
def test_a_right_proof_is_accepted(case: Written) -> None:
    trusts = check(*read(case)).trusts
    assert case.outcome == "accepted" + (f", trusting {', '.join(trusts)}" if trusts else "") + "\n"


@pytest.mark.parametrize("case", written("rejected"), ids=lambda case: case.name)
def test_a_forged_proof_is_rejected_for_its_reason(case: Written) -> None:
    with pytest.raises((Rejected, Unreadable)) as caught:
        check(*read(case))
    kind = "rejected" if caught.type is Rejected else "unreadable"
    assert case.outcome == f"{kind}: {caught.value}\n"


@pytest.mark.parametrize(("claim", "forged"), [case[1:] for case in FORGED], ids=[case[0] for case in FORGED])
def test_a_forged_object_is_rejected(claim: Any, forged: Any) -> None:
    with pytest.raises(Rejected):
        check(claim, forged)


def test_what_the_forgeries_imitate_is_accepted() -> None:
    assert check(problem(), ROW) == Checked(trusts=())


def test_a_hole_is_listed() -> None:
    assert check(problem(), Hole("z3 5.4.0")).trusts == ("z3 5.4.0",)


def test_no_zeros_and_no_targets() -> None:
    assert check(Entails((X,), (0,), ()), Linear(())) == Checked()
    assert check(Entails((Affine((), Q(0)),), (), (0,)), Linear(((),))) == Checked()
    with pytest.raises(Rejected, match="depends on the inputs"):
        check(Entails((X,), (), (0,)), Linear(((),)))


def test_a_shared_choice_cancels_and_any_other_choice_stays() -> None:
    choice = Select(0, 0, 1)
    twice = Affine(((2, Q(2)), (0, Q(1))), Q(0))
    check(Entails((X, Y, choice, twice), (2, 0), (3,)), Linear(((Q(2), Q(1)),)))
    with pytest.raises(Rejected, match="keeps the choice at node 2"):
        check(Entails((X, Y, choice, twice), (2, 0), (3,)), Linear(((Q(1), Q(1)),)))


def test_huge_numbers_do_not_break_the_message() -> None:
    with pytest.raises(Rejected, match="long rational"):
        check(Entails((Affine((), Q(10**10_000)),), (), (0,)), Linear(((),)))


rationals = st.fractions(-3, 3, max_denominator=4)


@st.composite
def affine_problems(draw: st.DrawFn) -> tuple[Entails, Linear]:
    """A random affine circuit with random weights; targets are often built to be the combination."""
    nodes: list[Node] = [Input(draw(st.integers(0, 2))) for _ in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(0, 4))):
        pairs = st.tuples(st.integers(0, len(nodes) - 1), rationals)
        nodes.append(Affine(tuple(draw(st.lists(pairs, max_size=3))), draw(rationals)))
    zeros = tuple(draw(st.lists(st.integers(0, len(nodes) - 1), max_size=3)))
    weights = tuple(draw(st.lists(st.tuples(*(rationals for _ in zeros)), max_size=2)))
    targets = []
    for row in weights:
        if draw(st.booleans()):
            nodes.append(Affine(tuple(zip(zeros, row, strict=True)), Q(0)))
            targets.append(len(nodes) - 1)
        else:
            targets.append(draw(st.integers(0, len(nodes) - 1)))
    return Entails(tuple(nodes), zeros, tuple(targets)), Linear(weights)


@settings(deadline=None)
@given(affine_problems())
def test_linear_is_accepted_iff_the_identity_holds(case: tuple[Entails, Linear]) -> None:
    claim, step = case
    frame = [[Q(0)] * 3, *([Q(int(i == k)) for i in range(3)] for k in range(3))]  # affine forms agree iff here

    def identical() -> bool:
        for point in frame:
            values = evaluate(claim.circuit, point)
            for row, target in zip(step.weights, claim.targets, strict=True):
                if values[target] != sum((w * values[z] for w, z in zip(row, claim.zeros, strict=True)), Q(0)):
                    return False
        return True

    try:
        check(claim, step)
        accepted = True
    except Rejected:
        accepted = False
    assert accepted == identical()


# every test in the checker is needed


CHECKER = [
    pytest.param(name, program, id=f"{name} {line}")
    for name in ("shape", "ranges", "descent", "refute", "proof")
    for line, program in guards(SOURCES[name])
]


CLEAN = (
    "this is no step of a proof",
    "has only {inputs} sides",
    "an unbounded range has no upper bound",
    "is unbounded on the side",
    "has no first line",
    "has no second line",
    "has no chord",
    "has no bound on this side",
    "steps go on after the last branch",
    "without not isinstance(node, Affine)",
    "are not two inputs or two relus",
    "is not there at the second point",
    "falls is not known') without low is None",
    "falls is not known') without least is None",
    "has no bounds",
)
"""Guards that only say clearly what would break the checker anyway."""


@pytest.mark.parametrize(("module", "program"), CHECKER)
def test_every_guard_of_the_checker_alone_stops_a_forgery(
    module: str, program: str, request: pytest.FixtureRequest
) -> None:
    """Without it, some forgery is accepted: no exception of any kind."""
    mutant = kernel(**{module: program})

    def fate(claim: Any, forged: Any) -> str:
        try:
            mutant.proof.check(claim, forged)
        except Rejected:
            return "rejected"
        except Exception:
            return "broken"
        return "accepted"

    wanted = "broken" if any(words in request.node.name for words in CLEAN) else "accepted"
    assert any(fate(*pair) == wanted for pair in [*as_data(), *((claim, forged) for _, claim, forged in FORGED)])


@cache
def as_data() -> list[tuple[Problem, Proof]]:
    """What the rejected files say, whatever the reader thinks of their indices."""
    careless, found = kernel(), []
    careless.wire.well_formed = lambda problem: None
    for case in written("rejected"):
        try:
            found.append(read(case, careless.wire))
        except (Rejected, Unreadable):
            continue
    return found


@pytest.mark.parametrize("program", [pytest.param(p, id=i) for i, p in guards(SOURCES["wire"])])
def test_every_guard_of_the_reader_alone_stops_a_forgery(program: str) -> None:
    """Without it, some text is read, or breaks the reader, whatever the checker would say later."""
    mutant = kernel(wire=program).wire
    mutant.__dict__.update(
        LONGEST_TEXT=5_000, LONGEST_LINE=6_000, LONGEST_PROOF=10_000, well_formed=lambda problem: None
    )

    def stopped(case: Written) -> bool:
        try:
            own = "sha256:" if case.name == another else mutant.digest(mutant.read_problem(case.problem))
            read(replace(case, proof=re.sub('"sha256:[0-9a-f]*"', f'"{own}"', case.proof)), mutant)
        except (Rejected, Unreadable):
            return True
        except Exception:
            return False
        return False

    another = "proof-of-another-problem"
    cases = [c for c in written("rejected") if c.outcome.startswith("unreadable") or c.name == another]
    half = next(case for case in written("accepted") if case.name == "half")
    step = '["linear", [["1/2"]]]\n'
    cases += [
        Written("a long problem", half.problem + " " * 5_000, half.proof, ""),
        Written("two lines in a long one", half.problem, half.proof.replace(step, step[:-1].ljust(6_001)), ""),
        Written("a long proof", half.problem, half.proof.replace("\n", " " * 5_000 + "\n"), ""),
    ]
    assert not all(stopped(case) for case in cases)
