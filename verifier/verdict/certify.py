"""The replay: a witness counts only after exact evaluation of the claim as written, by the reference interpreter; a
proof only after the kernel has accepted it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from msgspec.structs import replace

from verifier.canonical.linalg import rank
from verifier.engines.engine import Answer, Certificate, Claimed, Fails, Holds, Least, Most, Null, Vector
from verifier.engines.portfolio import Portfolio
from verifier.kernel.problem import Rejected
from verifier.kernel.proof import check
from verifier.language.build import TooLarge
from verifier.language.root import Root
from verifier.language.surd import Surd
from verifier.model.interpret import Interpreter
from verifier.model.program import PointValue, Program
from verifier.query import closure
from verifier.query.closure import Beyond
from verifier.query.piece import Row, piece_of, real_inputs
from verifier.query.pose import Posed
from verifier.query.question import Question
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.verdict import Limit, Measurement, Seen, Witness

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


def null(answer: Null, domain: Question, question: Question, copies: int) -> Answer:
    """That the solutions are null, for `copies` points of the domain. Raises ReplayFailed.

    Around `inside` the domain is as wide as the rows of its piece leave it that are 0 there: the measure has at least
    this dimension for each copy. A flat has fewer, as its rows are independent in the real coordinates, whatever the
    whole ones are; and there are finitely many flats."""
    if not domain.solved_by(answer.inside):
        raise ReplayFailed("the domain is not where it was claimed")
    bare = [row for row in piece_of(domain, answer.inside).weak if row.at(answer.inside) == 0]
    width = real_inputs(domain) - independence(domain, bare)
    for flat in answer.flats:
        if real_inputs(question) - independence(question, flat) >= copies * width:
            raise ReplayFailed("a flat is not null")
    return certified(Holds(answer.by, answer.trusts, answer.proof), closure.off(question, answer.flats))


def independence(question: Question, rows: Sequence[Row]) -> int:
    """The rank of rows in the real inputs."""
    real = [i for i, v in enumerate(question.variables) if not v.integer]
    return rank([[dict(row.weights).get(i, Fraction(0)) for i in real] for row in rows])


def settled(again: Callable[[], Question] | None, portfolio: Portfolio, seconds: float) -> Holds:
    """What bounds settle: with a certificate, where `again` poses the question without folding and one is found; else
    the canonical form is to be trusted. Raises ReplayFailed."""
    held = Holds(FOLDED, CANONICAL)
    if again is None:
        return held
    try:
        question = again()
    except TooLarge:
        return held
    match certified(portfolio.certificate(question, seconds), question):
        case Holds() as proved:
            return replace(proved, by=FOLDED)
        case Fails():
            raise ReplayFailed("a solution lies within the bounds that exclude it")
        case _:
            return held


def accepted(holds: Holds) -> Holds:
    """The same, trusting what the kernel says that its proof trusts. Without a proof where the kernel rejects one that
    comes on top of what the answer trusts; else raises ReplayFailed."""
    assert holds.proof is not None
    try:
        trusts, certificate = kernel(holds.proof, holds.by)
    except ReplayFailed:
        if holds.trusts:
            return replace(holds, proof=None)
        raise
    return replace(holds, trusts=trusts, checking=certificate.seconds)


def backed(value: Measurement, answer: Answer, question: Question, beyond: Beyond) -> Measurement:
    """The value, with what has to be trusted for it, or the certificates that nothing lies `beyond` it. Raises
    ReplayFailed."""
    if not isinstance(answer, Least | Most):
        return value
    if not answer.proofs:
        return replace(value, trusts=tuple(dict.fromkeys((*value.trusts, *answer.trusts))))
    asked = [q.empty for q in beyond(question, answer.value, answer.attained)]
    if [problem for problem, _ in answer.proofs] != asked:
        raise ReplayFailed(f"the proofs of {answer.by} are about other questions")
    checked = [kernel(proof, answer.by) for proof in answer.proofs]
    trusts = dict.fromkeys((*value.trusts, *(name for names, _ in checked for name in names)))
    certificates = (*value.certificates, *(certificate for _, certificate in checked))
    return replace(value, trusts=tuple(trusts), certificates=certificates)


def kernel(proof: Claimed, by: str) -> tuple[tuple[str, ...], Certificate]:
    """What the kernel says that the proof trusts, once it has accepted it. Raises ReplayFailed."""
    begun = time.monotonic()
    try:
        checked = check(*proof)
    except Rejected as why:
        raise ReplayFailed(f"the kernel rejects the proof of {by}: {why}") from None
    return checked.trusts, Certificate(*proof, time.monotonic() - begun)


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

    def holds(self, points: Points, truths: Sequence[tree.Expr], falsehoods: Sequence[tree.Expr] = ()) -> bool:
        """The same as a question."""
        try:
            self.demand(points, truths, falsehoods)
        except ReplayFailed:
            return False
        return True

    def number(self, expr: tree.Expr, points: Points) -> Fraction:
        value = self.distance(expr, points)
        if not isinstance(value, Fraction):
            raise ReplayFailed("a distance is not a rational number")
        return value

    def distance(self, expr: tree.Expr, points: Points) -> Fraction | Root | Surd:
        """A number that may be a root."""
        value = self.interpreter.value(expr, self.env(points))
        if not isinstance(value, Fraction | Root | Surd):
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
