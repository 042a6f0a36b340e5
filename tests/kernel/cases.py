"""Proofs with their expected fate: the files of tests/proofs, and forgeries that only Python can express."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction as Q
from io import StringIO
from pathlib import Path
from typing import Any

from verifier.kernel import wire
from verifier.kernel.circuit import Affine, Input, Select
from verifier.kernel.problem import (
    Bound,
    Descent,
    Empty,
    Entails,
    Farkas,
    Hole,
    Linear,
    Problem,
    Proof,
    Row,
    Side,
    Split,
    Tree,
)

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

BOX = Empty((X, Affine(((0, Q(1)),), Q(-2))), (Side(Q(0), Q(1)),), (1,))
ROWS = (Row("low", 1, 1),)
END = Farkas(ROWS)


@dataclass(frozen=True)
class SlyAffine(Affine): ...


@dataclass(frozen=True)
class SlySide(Side): ...


@dataclass(frozen=True)
class SlyFarkas(Farkas): ...


@dataclass(frozen=True)
class SlyRow(Row): ...


def box(circuit: Any = BOX.circuit, sides: Any = BOX.box, facts: Any = BOX.facts) -> Empty:
    return Empty(circuit, sides, facts)


def tree(*steps: Any, definitions: Any = (), gaps: Any = ()) -> Tree:
    return Tree(steps, definitions, gaps)


def problem(circuit: Any = (X, HALF), zeros: Any = (0,), targets: Any = (1,)) -> Entails:
    return Entails(circuit, zeros, targets)


DESCENTING: list[tuple[tuple[tuple[int, Q], ...], Q]] = [
    (((0, Q(1)), (1, Q(-1))), Q(0)),
    (((3, Q(1)), (4, Q(-1))), Q(0)),
    (((6, Q(-1)),), Q(-1, 2)),
    (((5, Q(1)),), Q(-1, 4)),
]


def fallen(
    first: Any = Affine(((4, Q(1)),), Q(-1, 4)),
    second: Any = Affine(((5, Q(-1)),), Q(0)),
    relus: Any = (Select(0, 0, 2), Select(1, 1, 2)),
    sides: Any = (Side(Q(-1), Q(1)),) * 2,
    facts: Any = (6, 7, 8),
) -> Empty:
    """Of x and y, where x - y <= 1/8: relu(x) >= 1/4, and relu(y) <= 0."""
    near = Affine(((0, Q(-1)), (1, Q(1))), Q(1, 8))
    return Empty((X, Y, Affine((), Q(0)), Affine((), Q(1)), *relus, first, second, near), sides, facts)


DESCENT, SLOPE = Descent(6, 7, ((0, 1),)), Farkas((Row("low", 12, 1),))
STEEP = tree(DESCENT, SLOPE)
FAR = (Side(), Side())
HALVES = [(((2, Q(1)), (3, Q(1))), Q(0)), (((0, Q(-1)), (1, Q(1))), Q(1, 8))]
# up and down between x = 0 and y = 1, and up again from there: slopes at ends say nothing about what is between
HILL = Empty(
    (
        *(X, Y, Affine((), Q(0))),
        *(
            Affine(((0, Q(1)),), Q(-1, 2)),
            Select(3, 3, 2),
            Affine(((0, Q(1)),), Q(-1)),
            Select(5, 5, 2),
            Select(0, 0, 2),
        ),
        *(Affine(((1, Q(1)),), Q(-1, 2)), Select(8, 8, 2), Affine(((1, Q(1)),), Q(-1)), Select(10, 10, 2)),
        Select(1, 1, 2),
        Affine(((7, Q(1)), (4, Q(-2)), (6, Q(2))), Q(0)),
        Affine(((12, Q(-1)), (9, Q(2)), (11, Q(-2))), Q(0)),
    ),
    (Side(Q(0), Q(0)), Side(Q(1), Q(1))),
    (13, 14),
)

# name, problem, proof: each would pass if one test in the checker were missing
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
    # trees
    ("a box that can still change", box(sides=[Side(Q(0), Q(1))]), tree(END)),
    ("a side of another class", box(sides=(SlySide(Q(0), Q(1)),)), tree(END)),
    ("a side that is whole by a number", box(sides=(Side(Q(0), Q(1), 0),)), tree(END)),  # type: ignore[arg-type]
    ("a side that ends in a float", box(sides=(Side(Q(0), 1.0),)), tree(END)),  # type: ignore[arg-type]
    ("a side that begins with a whole number", box(sides=(Side(0, Q(1)),)), tree(END)),  # type: ignore[arg-type]
    ("facts that can still change", box(facts=[1]), tree(END)),
    ("a fact named by a bool", box(facts=(True,)), tree(END)),
    ("a definition of another class", BOX, tree(END, definitions=(SlyAffine((), Q(0)),))),
    ("a definition with a float", BOX, tree(END, definitions=(Affine((), 0.0),))),  # type: ignore[arg-type]
    ("definitions that can still change", BOX, tree(END, definitions=[])),
    ("gaps that can still change", BOX, tree(END, gaps=[])),
    ("a cut at a float", BOX, tree(Split(0, 0.5), END, END)),  # type: ignore[arg-type]
    ("a cut of a bool", BOX, tree(Split(False, Q(1, 2)), END, END)),
    ("a bound at a float", BOX, tree(Bound(0, 2.0, False, END), END)),  # type: ignore[arg-type]
    ("a bound of a bool", BOX, tree(Bound(False, Q(1, 2), False, END), END)),
    ("a bound whose side is a number", BOX, tree(Bound(0, Q(1, 2), 0, END), END)),  # type: ignore[arg-type]
    ("a bound whose end is of another class", BOX, tree(Bound(0, Q(1, 2), False, SlyFarkas(ROWS)), END)),
    (
        "a bound whose end takes a row by a bool",
        BOX,
        tree(Bound(0, Q(1, 2), False, Farkas((Row("low", 1, True),))), END),
    ),
    ("a gap of three nodes", BOX, tree(END, gaps=((0, 1, 1),))),
    ("rows that can still change", BOX, tree(Farkas([*ROWS]))),  # type: ignore[arg-type]
    ("a row of another class", BOX, tree(Farkas((SlyRow("low", 1, 1),)))),
    ("a row taken by a bool", BOX, tree(Farkas((Row("low", 1, True),)))),
    ("a row of a bool", BOX, tree(Farkas((Row("low", True, 1),)))),
    ("a row taken half", BOX, tree(Farkas((Row("low", 1, Q(1, 2)),)))),  # type: ignore[arg-type]
    ("a row taken zero times", BOX, tree(Farkas((*ROWS, Row("high", 0, 0))))),
    (
        "a row taken minus one time",
        box((X, Affine(((0, Q(1)), (0, Q(-1))), Q(0))), facts=(0,)),
        tree(Farkas((Row("low", 1, -1),))),
    ),
    ("slopes that can still change", BOX, tree(Farkas(ROWS, []))),  # type: ignore[arg-type]
    ("a slope of four", BOX, tree(Farkas(ROWS, ((0, 1, 2, 3),)))),
    ("a slope of one", BOX, tree(Farkas(ROWS, ((0,),)))),
    ("a slope that can still change", BOX, tree(Farkas(ROWS, ([0, 1],)))),  # type: ignore[arg-type]
    ("a slope with a part below 0", BOX, tree(Farkas(ROWS, ((0, -1, 5),)))),
    ("a slope that is a bool", BOX, tree(Farkas(ROWS, ((0, True),)))),
    ("a slope of a bool", BOX, tree(Farkas(ROWS, ((False, 1),)))),
    ("a hole with a string of another class in a tree", BOX, tree(Hole(Sneaky("z3")))),
    ("an object for a step", BOX, tree("trust me")),
    (
        "a row of a kind that is taken for another one",
        box(
            (X, Y, Affine((), Q(0)), Select(0, 0, 2), Select(1, 1, 2), *(Affine(d, c) for d, c in DESCENTING)),
            (Side(Q(-1), Q(1)),) * 2,
            (7, 8),
        ),
        tree(
            Split(5, Q(0)),
            Farkas((Row("low", 8, 1), Row("high", 5, 1))),
            Farkas((Row("low", 7, 1), Row("fail", 0, 1))),  # type: ignore[arg-type]
            gaps=((6, 5),),
        ),
    ),
    (
        "a descent of a bool",
        box(
            (X, Y, *[Affine(((1, Q(-1, 2)),), Q(0))] * 2, *(Affine(d, c) for d, c in HALVES)),
            (Side(Q(1, 4), Q(1)), Side(Q(-1), Q(1))),
            (4, 5),
        ),
        tree(Descent(False, 4, ((0, 1),)), Farkas((Row("low", 8, 1),))),
    ),
    ("pairs that can still change", fallen(), tree(Descent(6, 7, [(0, 1)]), SLOPE)),  # type: ignore[arg-type]
    ("a pair that can still change", fallen(), tree(Descent(6, 7, ([0, 1],)), SLOPE)),  # type: ignore[arg-type]
    ("a pair of three", fallen(), tree(Descent(6, 7, ((0, 1, 2),)), SLOPE)),  # type: ignore[arg-type]
    ("a second node that says less", fallen(second=Affine(((5, Q(-1)), (0, Q(1))), Q(0))), STEEP),
    (
        "a node that does not fall",
        fallen(second=Affine(((5, Q(-1)),), Q(1))),
        tree(DESCENT, Farkas((Row("low", 10, 1), Row("low", 11, 1)))),
    ),
    (
        "a node that ends where it began",
        HILL,
        tree(
            Descent(13, 14, ((0, 1),)),
            *(Split(4, Q(0)), Farkas((Row("low", 20, 1),))),
            *(Split(8, Q(0)), Farkas((Row("low", 18, 1), Row("high", 8, 1))), Farkas((Row("low", 20, 1),))),
        ),
    ),
    (
        "a step that is taken for a relu",
        fallen(
            Affine(((4, Q(1)), (0, Q(1, 100))), Q(-1, 4)),
            Affine(((5, Q(-1)), (1, Q(-1, 100))), Q(0)),
            (Select(0, 3, 2), Select(1, 1, 2)),
        ),
        STEEP,
    ),
    ("a relu that the second point has not", fallen(relus=(Select(0, 0, 2), Select(1, 3, 2))), STEEP),
    (
        "a first node without a least value",
        fallen(Affine(((4, Q(1)), (0, Q(1))), Q(0)), Affine(((5, Q(-1)), (1, Q(-1))), Q(0)), sides=FAR, facts=(7, 8)),
        STEEP,
    ),
    (
        "a second node without a least value",
        fallen(Affine(((4, Q(1)), (0, Q(1))), Q(0)), Affine(((5, Q(-1)), (1, Q(-1))), Q(0)), sides=FAR, facts=(6, 8)),
        STEEP,
    ),
    ("a point below which there is no end", fallen(sides=(Side(None, Q(1)), Side(Q(-1), Q(1)))), STEEP),
    ("a point above which there is no end", fallen(sides=(Side(Q(-1), None), Side(Q(-1), Q(1)))), STEEP),
    ("10 001 branches that wait", BOX, tree(*[Split(0, Q(1, 2))] * 10_001, *[END] * 10_002)),
    ("a tree for a problem of the other kind", FINE, tree(END)),
    ("a matrix for a problem of the other kind", BOX, Linear(())),
]
