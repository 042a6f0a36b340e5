"""Proofs with their expected fate: the files of tests/proofs, and forgeries that only Python can express."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction as Q
from io import StringIO
from pathlib import Path
from typing import Any

from verifier.kernel import wire
from verifier.kernel.circuit import Affine, Input
from verifier.kernel.problem import Entails, Hole, Linear, Problem, Proof, Tree

PROOFS = Path(__file__).parents[1] / "proofs"


@dataclass(frozen=True)
class Written:
    """A folder with problem.json, proof.json and the line that the checker prints."""

    name: str
    problem: str
    proof: str
    outcome: str


def read(case: Written, reader: Any = wire) -> tuple[Problem, Proof]:
    """The problem and the proof of a folder, all of it."""
    problem = reader.read_problem(case.problem)
    proof = reader.read_proof(StringIO(case.proof), problem)
    return problem, replace(proof, steps=tuple(proof.steps)) if isinstance(proof, Tree) else proof


def written(fate: str) -> list[Written]:
    return [
        Written(folder.name, *((folder / file).read_text() for file in ("problem.json", "proof.json", "outcome.txt")))
        for folder in sorted((PROOFS / fate).iterdir())
        if folder.is_dir()
    ]


class Sneaky(str):
    """A string that could override what it prints."""


class Lookalike:
    """Has the attributes of a problem and is none."""

    def __init__(self, problem: Entails) -> None:
        self.circuit, self.zeros, self.targets = problem.circuit, problem.zeros, problem.targets


X, Y, HALF = Input(0), Input(1), Affine(((0, Q(1, 2)),), Q(0))
FINE = Entails((X, HALF), (0,), (1,))
ROW = Linear(((Q(1, 2),),))


def problem(circuit: Any = (X, HALF), zeros: Any = (0,), targets: Any = (1,)) -> Entails:
    return Entails(circuit, zeros, targets)


# name, problem, proof: each would pass if one test in proof.py were missing
FORGED: list[tuple[str, Any, Any]] = [
    ("a hole with a string of another class", FINE, Hole(Sneaky("z3"))),
    ("a proof of no class", FINE, "trust me"),
    ("a problem of another class", Lookalike(FINE), ROW),
    ("an input numbered by a bool", problem((Input(False), HALF)), ROW),
    ("an input counted from the end", problem((Input(-1), HALF)), ROW),
    ("a node of no class", problem((X, HALF, "node")), ROW),
    ("a circuit that can still change", problem([X, HALF]), ROW),
    ("terms that can still change", problem((X, Affine([(0, Q(1, 2))], Q(0)))), ROW),  # type: ignore[arg-type]
    ("a term with a third entry", problem((X, HALF, Affine(((0, Q(1), 2),), Q(0)))), ROW),  # type: ignore[arg-type]
    ("a term of one entry too few", problem((X, HALF, Affine(((0,),), Q(0)))), ROW),  # type: ignore[arg-type]
    ("a float weight in the circuit", problem((X, Affine(((0, 0.5),), Q(0)))), ROW),  # type: ignore[arg-type]
    ("a float constant in the circuit", problem((X, Affine(((0, Q(1, 2)),), 0.0))), ROW),  # type: ignore[arg-type]
    ("a float weight in the proof", FINE, Linear(((0.5,),))),  # type: ignore[arg-type]
    ("not a number in the proof", FINE, Linear(((float("nan"),),))),  # type: ignore[arg-type]
    ("infinity in the proof", FINE, Linear(((float("inf"),),))),  # type: ignore[arg-type]
    ("an integer weight", problem(targets=(0,)), Linear(((1,),))),  # type: ignore[arg-type]
    ("a bool weight", problem(targets=(0,)), Linear(((True,),))),  # type: ignore[arg-type]
    ("weights that can still change", FINE, Linear([(Q(1, 2),)])),  # type: ignore[arg-type]
    ("a row that can still change", FINE, Linear(([Q(1, 2)],))),  # type: ignore[arg-type]
    ("a zero named by a bool", problem((X, X), (True,), (0,)), Linear(((Q(1),),))),
    ("a target named by a bool", problem((X, HALF), (0,), (True,)), ROW),
    ("a float index", problem((X, HALF), (0.0,), (1,)), ROW),
    ("a zero counted from the end", problem((X, X), (-1,), (0,)), Linear(((Q(1),),))),
    ("zeros that can still change", problem(zeros=[0]), ROW),
]
