"""The replay: a witness counts only after exact evaluation of the claim as written, by the reference interpreter; a
proof only after the kernel has accepted it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from verifier.engines.engine import Answer, Holds, Vector
from verifier.kernel.problem import Rejected
from verifier.kernel.proof import check
from verifier.language.root import Root
from verifier.model.interpret import Interpreter
from verifier.model.program import PointValue, Program
from verifier.query.piece import piece_of
from verifier.query.pose import Posed
from verifier.query.question import Question
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.verdict import Limit, Seen, Witness

FOLDED = "the bounds of the domain"
CANONICAL = ("the canonical form",)
"""What has to be believed where interval bounds alone decide: the normal form that folded the claim."""

Points = Mapping[str, PointValue]


class ReplayFailed(Exception):
    """An engine's answer did not survive exact evaluation: an internal error, never a verdict."""


def certified(answer: Answer, question: Question) -> Answer:
    """The answer; where it holds by a proof, one of this question that the kernel accepts. Raises ReplayFailed."""
    if not isinstance(answer, Holds) or answer.proof is None:
        return answer
    if answer.proof[0] != question.empty:
        raise ReplayFailed(f"the proof of {answer.by} is about another question")
    return accepted(answer)


def accepted(holds: Holds) -> Holds:
    """The same, trusting what the kernel says that its proof trusts. Raises ReplayFailed."""
    assert holds.proof is not None
    begun = time.monotonic()
    try:
        checked = check(*holds.proof)
    except Rejected as why:
        raise ReplayFailed(f"the kernel rejects the proof of {holds.by}: {why}") from None
    return replace(holds, trusts=checked.trusts, checking=time.monotonic() - begun)


class Replay:
    """Exact evaluation of claims at concrete points."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.interpreter = Interpreter(program)

    def demand(self, points: Points, truths: Sequence[tree.Expr], falsehoods: Sequence[tree.Expr] = ()) -> None:
        """All points lie in X, every formula of `truths` holds there and none of `falsehoods`. Raises ReplayFailed."""
        for name, point in points.items():
            if not self.interpreter.inside(point):
                raise ReplayFailed(f"{name} lies outside of the domain")
        env = self.env(points)
        for expr, expected in [(e, True) for e in truths] + [(e, False) for e in falsehoods]:
            if self.interpreter.truth(expr, env) is not expected:
                raise ReplayFailed(
                    f"a formula should be {str(expected).lower()} at the witness (line {expr.span.line})"
                )

    def number(self, expr: tree.Expr, points: Points) -> Fraction:
        value = self.distance(expr, points)
        if not isinstance(value, Fraction):
            raise ReplayFailed("a distance is not a rational number")
        return value

    def distance(self, expr: tree.Expr, points: Points) -> Fraction | Root:
        """A number that may be a root."""
        value = self.interpreter.value(expr, self.env(points))
        if not isinstance(value, Fraction | Root):
            raise ReplayFailed("a distance is not a number")
        return value

    def shape(self, expr: tree.Expr, points: Points) -> Fraction:
        """A distance, or where its metric is quadratic that of the norm which takes its place in topological
        questions."""
        self.interpreter.topological = True
        try:
            return self.number(expr, points)
        finally:
            self.interpreter.topological = False

    def env(self, points: Points) -> dict[str, object]:
        return dict(points)

    def seen(self, shown: Sequence[str], points: Points, distances: Mapping[str, tree.Expr]) -> tuple[Seen, ...]:
        """What the classifiers make of the points; the oracle first."""
        ordered = sorted(dict.fromkeys(shown), key=lambda n: self.program.classifiers[n].kind != "oracle")
        result = []
        for name in ordered:
            classifier = self.program.classifiers[name]
            result.append(
                Seen(
                    name,
                    classifier.kind,
                    tuple(self.interpreter.features(name, p) for p in points.values()),
                    tuple(self.interpreter.label(name, p) for p in points.values()),
                    self.distance(distances[name], points) if name in distances else None,
                )
            )
        return tuple(result)

    def witness(
        self, points: Points, shown: Sequence[str], notes: tuple[str, ...] = (), limit: Limit | None = None
    ) -> Witness:
        """A witness with all that a report shows of it."""
        distances: dict[str, tree.Expr] = {}
        names = list(points)
        if len(names) == 2:
            for name in shown:
                distances[name] = distance(name, names[0], names[1])
        return Witness(points, self.seen(shown, points, distances), limit, notes)

    def approach(
        self,
        posed: Posed,
        points: tuple[Vector, ...],
        eps: Fraction,
        fine: tree.Expr,
        coarse: tree.Expr | None,
        truths: Sequence[tree.Expr] = (),
        falsehoods: Sequence[tree.Expr] = (),
        uniform: bool = False,
    ) -> tuple[Points, Limit]:
        """The member of a limit witness's family with oracle distance <= eps, every claim about it re-checked
        (Theorem 1*; `uniform`: Theorem 1U, where the first point may move too)."""
        z, y = points
        piece = piece_of(posed.question, z)
        if not piece.closure_has(y):
            raise ReplayFailed("the limit point lies outside of the closure of its piece")
        for v, a, b in zip(posed.question.variables, z, y, strict=True):
            if v.integer and a != b:
                raise ReplayFailed("the limit point changes a discrete coordinate")
        if piece.numbers[0].at(y) != 0:
            raise ReplayFailed("the oracle distance does not tend to zero")
        start = piece.numbers[1].at(y) if coarse is not None else None
        if start is not None and start <= 0:
            raise ReplayFailed("the classifier distance tends to zero")
        step = within(eps, piece.numbers[0].at(z))
        for _ in range(400):
            member = posed.read(tuple(b + step * (a - b) for a, b in zip(z, y, strict=True)))
            near = self.shape(fine, member)
            far = self.shape(coarse, member) if coarse is not None else Fraction(0)
            if near <= eps >= self.distance(fine, member) and (start is None or 2 * far >= start):
                break
            step /= 10
        else:
            raise ReplayFailed("the family does not come near")
        self.demand(member, truths, falsehoods)
        if near != step * piece.numbers[0].at(z):
            raise ReplayFailed("the oracle distance is not what the piece says")
        if start is not None and far != start + step * (piece.numbers[1].at(z) - start):
            raise ReplayFailed("the classifier distance is not what the piece says")
        if coarse is not None and self.distance(coarse, member) < far:
            raise ReplayFailed("the classifier distance lies below the norm that bounds it")
        at_z, at_y = posed.read(z), posed.read(y)
        first, second = posed.points
        moving = at_z[first] if at_z[first] != at_y[first] else None
        if moving is not None and not uniform:
            raise ReplayFailed(f"{first} moves along the family")
        return member, Limit(at_y[first], at_y[second], at_z[second], start, eps, moving)


def distance(name: str, left: str, right: str) -> tree.Expr:
    """The tree of `distance(name, left, right)`."""
    span = NOWHERE
    arguments = tuple(tree.Argument(span, "", tree.Name(span, n)) for n in (name, left, right))
    return tree.Apply(span, tree.Name(span, "distance"), arguments)


def within(eps: Fraction, distance: Fraction) -> Fraction:
    """The largest step in (0, 1] that shrinks `distance` to at most `eps`."""
    return min(Fraction(1), eps / distance) if distance > 0 else Fraction(1)
