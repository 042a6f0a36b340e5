"""What is written is read back, each meaning has one text, and the command says what became of the proof."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction as Q
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.cases import BOX, END, FINE, PROOFS, ROW
from verifier.kernel.circuit import Affine, Input, Node, Select
from verifier.kernel.problem import (
    Bound,
    Descent,
    Entails,
    Farkas,
    Hole,
    Linear,
    Problem,
    Proof,
    Rejected,
    Row,
    Split,
    Tree,
)
from verifier.kernel.proof import check
from verifier.kernel.wire import Unreadable, read_problem, read_proof, write_problem, write_proof


def read_back(problem: Problem, proof: Proof) -> Proof:
    """What the text of a proof says, all of it."""
    read = read_proof(StringIO("".join(write_proof(problem, proof))), problem)
    return replace(read, steps=tuple(read.steps)) if isinstance(read, Tree) else read


@st.composite
def problems(draw: st.DrawFn) -> Entails:
    nodes: list[Node] = [Input(draw(st.integers(0, 9)))]
    for _ in range(draw(st.integers(0, 5))):
        earlier = st.integers(0, len(nodes) - 1)
        affine = st.builds(Affine, st.lists(st.tuples(earlier, st.fractions()), max_size=3).map(tuple), st.fractions())
        nodes.append(draw(st.builds(Input, st.integers(0, 9)) | affine | st.builds(Select, earlier, earlier, earlier)))
    some = st.lists(st.integers(0, len(nodes) - 1), max_size=3).map(tuple)
    return Entails(tuple(nodes), draw(some), draw(some))


@settings(deadline=None)
@given(problems())
def test_a_problem_is_read_back(problem: Entails) -> None:
    text = write_problem(problem)
    assert read_problem(text) == problem
    assert write_problem(read_problem(text)) == text


@settings(deadline=None)
@given(st.lists(st.lists(st.fractions(), max_size=3).map(tuple), max_size=3).map(tuple))
def test_a_proof_is_read_back(weights: tuple[tuple[Q, ...], ...]) -> None:
    assert read_back(FINE, Linear(weights)) == Linear(weights)


def test_a_hole_is_read_back() -> None:
    assert read_back(FINE, Hole("z3 5.4.0 ✓")) == Hole("z3 5.4.0 ✓")


@settings(deadline=None)
@given(st.text(max_size=30) | st.recursive(st.none() | st.booleans() | st.integers(), st.lists).map(str))
def test_any_other_text_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        read_proof(StringIO(text), FINE)
    with pytest.raises((Unreadable, Rejected)):
        read_problem(text)


def test_deep_nesting_does_not_break_the_reader() -> None:
    with pytest.raises(Unreadable):
        read_proof(StringIO("[" * 200_000 + "]" * 200_000), FINE)


def test_the_longest_number_is_read_and_a_longer_one_not_written() -> None:
    longest = Linear(((Q(10**4000 - 1, 10**3999), Q(-(10**4000 - 1))),))
    assert read_back(FINE, longest) == longest
    with pytest.raises(ValueError, match="4000 digits"):
        list(write_proof(FINE, Linear(((Q(10**4000),),))))
    with pytest.raises(ValueError, match="4000 digits"):
        list(write_proof(FINE, Linear(((Q(1, 10**4000),),))))


def run(*arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "verifier.kernel", *map(str, arguments)], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_accepts_a_proof(tmp_path: Path) -> None:
    (tmp_path / "problem.json").write_text(write_problem(FINE))
    (tmp_path / "proof.json").write_text("".join(write_proof(FINE, ROW)))
    assert run(tmp_path / "problem.json", tmp_path / "proof.json") == (0, "accepted\n", "")


def test_the_command_names_what_it_trusts() -> None:
    folder = PROOFS / "accepted" / "hole"
    assert run(folder / "problem.json", folder / "proof.json") == (0, "accepted, trusting z3 5.4.0\n", "")


def test_the_command_rejects_a_forgery() -> None:
    folder = PROOFS / "rejected" / "wrong-weight"
    status, out, _ = run(folder / "problem.json", folder / "proof.json")
    assert (status, out) == (1, (folder / "outcome.txt").read_text())


def test_the_command_says_which_file_it_cannot_read(tmp_path: Path) -> None:
    problem = PROOFS / "accepted" / "half" / "problem.json"
    (tmp_path / "latin.json").write_bytes(b'{"version": "\xe9"}')
    for proof in (PROOFS / "rejected" / "key-twice" / "proof.json", tmp_path / "latin.json", tmp_path / "none.json"):
        status, out, err = run(problem, proof)
        assert (status, out) == (2, "")
        assert str(proof) in err
    assert run(problem)[0] == 2
    assert run()[0] == 2


def test_a_tree_is_read_back() -> None:
    steps = (
        Bound(0, Q(-1), True, END),
        Split(0, Q(1, 3)),
        END,
        Descent(1, 0, ((0, 1),)),
        Farkas((Row("fall", 0, 10**30),), ((0, 5),)),
        Hole("z3"),
    )
    whole = Tree(steps, (Affine(((0, Q(2)),), Q(1)),), ((1, 0),))
    assert read_back(BOX, whole) == whole


def test_steps_are_read_when_they_are_asked_for() -> None:
    """Of a proof without end, the first wrong step is enough; what waits is what was read."""

    def lines() -> Iterator[str]:
        yield from list(write_proof(BOX, Tree(())))[:1]
        while True:
            yield '["hole","z3"]\n'

    class Endless(StringIO):
        source = lines()

        def readline(self, size: int = -1, /) -> str:
            return next(self.source)

    with pytest.raises(Rejected, match="go on after the last branch"):
        check(BOX, read_proof(Endless(), BOX))


def test_gzip_is_unpacked_as_it_is_read(tmp_path: Path) -> None:
    problem, proof, bomb = (tmp_path / name for name in ("problem.json", "proof.json.gz", "bomb.gz"))
    problem.write_bytes(gzip.compress(write_problem(BOX).encode()))
    text = "".join(write_proof(BOX, Tree((END,)))).encode()
    proof.write_bytes(gzip.compress(text))
    assert run(problem, proof) == (0, "accepted\n", "")
    bomb.write_bytes(gzip.compress(text[:-8]) + gzip.compress(b" " * (1 << 25)))
    assert run(problem, bomb)[0::2] == (2, f"{bomb}: a line is too long\n")
    proof.write_bytes(gzip.compress(text)[:-12])
    assert run(problem, proof)[0] == 2
