"""What the suprema share (the modulus, the Lipschitz constant): how a limit is shown, and checked."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from verifier.engines.engine import Vector
from verifier.query.piece import Row, piece_of
from verifier.query.question import Question
from verifier.verdict.certify import ReplayFailed

POINTS = ("x", "x'")


def at(row: Row, place: Vector) -> Fraction:
    """The homogenised row at (u, t)."""
    return sum((w * place[i] for i, w in row.weights), row.constant * place[-1])


def leads(question: Question, z: Vector, place: Vector) -> tuple[Row, ...]:
    """The numbers of the question on the piece of z, after a check that (z + r u) / (1 + r t) stays in it for all r."""
    if not question.solved_by(z):
        raise ReplayFailed("the family does not begin at a solution")
    piece = piece_of(question, z)
    if place[-1] < 0 or any(at(r, place) < 0 for r in (*piece.weak, *piece.strict)):
        raise ReplayFailed("the family leaves its piece")
    if any(v.integer and u != a * place[-1] for v, a, u in zip(question.variables, z, place[:-1], strict=True)):
        raise ReplayFailed("the family changes a discrete coordinate")
    return piece.numbers


def member(z: Vector, place: Vector, enough: Callable[[Vector], bool]) -> Vector:
    """The first member of the family, of those with r = 1, 10, 100, ..., that is far enough along."""
    step = Fraction(1)
    for _ in range(400):
        point = tuple((a + step * u) / (1 + step * place[-1]) for a, u in zip(z, place[:-1], strict=True))
        if enough(point):
            return point
        step *= 10
    raise ReplayFailed("the family does not come near")
