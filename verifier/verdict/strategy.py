"""Quantifiers that alternate: a search proposes a first choice without an answer, or a strategy of answers; either is
checked by questions without alternation, for which engines have certificates.

That for all x some y has R(x, y): where the rules are "on the part P_i of X, y = s_i(x)", every x of X lies in some
P_i, and R(x, s_i(x)), with s_i(x) in X, for all x in P_i (Skolem functions, part by part). That it fails at x: not
R(x, y) for all y. What is left of R may alternate again, two blocks shorter, and is checked in the same way. So the
search need not be trusted, unless there is no time to check it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.eliminate import Half
from verifier.engines.engine import Certificate, Fails, Holds, Reply, Unknown, Vector
from verifier.engines.engine import Strategy as Proposed
from verifier.language.build import Form, TooLarge
from verifier.model.assertion import joined
from verifier.model.claim import Block, Prenex
from verifier.model.elaborate import names_in
from verifier.model.meaning import Meaning, NotYet
from verifier.model.prenex import balanced
from verifier.model.program import PointValue, Program
from verifier.model.roots import Norm
from verifier.query.piece import Row
from verifier.query.pose import Posed, Poser, read
from verifier.query.question import Question
from verifier.syntax.tree import Binary, Expr
from verifier.verdict.certify import ReplayFailed
from verifier.verdict.region import image, sides
from verifier.verdict.verdict import Proved, Refuted, Rule, Strategy, Undecided, Verdict

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

SEARCH = "the search for a strategy"
Game = tuple[Question, tuple[int, ...], int]
"""A question, and how many of its inputs make each block, and a point."""
SIDES: tuple[Norm, ...] = ("above", "below")
FINE = 6
"""Of the polyhedral norms: they are within some hundredths of the roots."""
SHARE = 0.8
"""Of the time, for the search; the rest is for checking what it says."""


class Position(Struct, frozen=True):
    """For all points `free` of X with all of `where` and `given`, and the `chosen` ones as images of these: the
    `blocks` and the formula, or (`holds` False) its negation. There are no blocks, or they begin with one in which an
    answer is chosen.

    Sides and images are over the coordinates of the free points, one point after the other."""

    free: tuple[str, ...]
    where: tuple[Expr, ...]
    given: tuple[Half, ...]
    chosen: tuple[tuple[str, tuple[Row, ...]], ...]
    blocks: tuple[Block, ...]
    formula: Expr
    holds: bool

    def facts(self, poser: Poser) -> tuple[list[Form], list[Form], Form]:
        """What is given, that the chosen points lie in X, and the formula or its negation."""
        inputs = [form for name in self.free for form in poser.inputs(name)]
        env: dict[str, Meaning] = dict(poser.env([*self.free, *(n for b in self.blocks for n in b.points)]))
        inside = []
        for name, rows in self.chosen:
            env[name], there = poser.placed([affine(poser, row, inputs) for row in rows])
            inside.append(there)
        truth = poser.symbolic.truth(self.formula, env)
        return self.premise(poser, inputs), inside, truth if self.holds else poser.build.negate(truth)

    def premise(self, poser: Poser, inputs: Sequence[Form]) -> list[Form]:
        """What is given of the free points."""
        return [*(poser.truth(e, self.free) for e in self.where), *(side(poser, h, inputs) for h in self.given)]

    def fails(self, poser: Poser) -> Posed:
        """Where there are no blocks: points at which it does not hold."""
        given, inside, truth = self.facts(poser)
        facts = [*given, poser.build.negate(poser.build.both(*inside, truth))]
        return poser.pose(self.free, facts, squares=True)

    def missed(self, replies: Sequence[Reply], poser: Poser) -> Posed:
        """Points of X to which no rule applies."""
        inputs = [form for name in self.free for form in poser.inputs(name)]
        build = poser.build
        parts = [build.both(*(side(poser, h, inputs) for h in reply.part)) for reply in replies]
        facts = [*self.premise(poser, inputs), *(build.negate(part) for part in parts)]
        return poser.pose(self.free, facts, squares=True)

    def unanswered(self, replies: Sequence[Reply], poser: Poser) -> Posed:
        """Where there is one block: points at which no rule works."""
        inputs = [form for name in self.free for form in poser.inputs(name)]
        works = []
        for reply in replies:
            _, inside, truth = self.after(reply).facts(poser)
            works.append(poser.build.both(*inside, truth))
        facts = [*self.premise(poser, inputs), *map(poser.build.negate, works)]
        return poser.pose(self.free, facts, squares=True)

    def game(self, poser: Poser) -> Game:
        """The question of the search; the number of coordinates of each block, and of a point."""
        given, inside, truth = self.facts(poser)
        blocks = [self.free, *(b.points for b in self.blocks)]
        there = [poser.build.both(*poser.inside(block)) for block in blocks]
        there[0] = poser.build.both(there[0], *given)
        width = len(poser.inputs(self.free[0]))
        question = poser.open([n for b in blocks for n in b], [*there, poser.build.both(*inside, truth)])
        return question, tuple(width * len(block) for block in blocks), width

    def after(self, reply: Reply) -> Position:
        """What is left to be shown once the first block has been chosen by a rule."""
        first, *rest = self.blocks
        width = len(reply.images) // len(first.points)
        answers = [(n, reply.images[k * width : (k + 1) * width]) for k, n in enumerate(first.points)]
        more = rest.pop(0).points if rest else ()
        given, chosen = (*self.given, *reply.part), (*self.chosen, *answers)
        return replace(self, free=(*self.free, *more), given=given, chosen=chosen, blocks=tuple(rest))

    def without_answer(self, x: Vector) -> Position:
        """The negation of what is left at this choice of the free points."""
        width = len(x) // len(self.free)
        known = [(n, tuple(constant(a) for a in x[k * width : (k + 1) * width])) for k, n in enumerate(self.free)]
        known += [(n, tuple(constant(row.at(x)) for row in rows)) for n, rows in self.chosen]
        first, *rest = self.blocks
        return Position(first.points, (), (), tuple(known), tuple(rest), self.formula, not self.holds)


class Shown(Struct, frozen=True):
    """The position holds, by the strategy where there are blocks; or fails at the points `x` of the free names, and the
    strategy is against every answer."""

    by: str
    trusts: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    x: dict[str, PointValue] | None = None
    strategy: Strategy | None = None


def decide(decider: Decider, claim: Prenex) -> tuple[Verdict, Strategy | None]:
    """The verdict, and the strategy behind it, if there is one. Raises ReplayFailed."""
    first, *rest = claim.blocks
    every = first.kind == "forall"
    where, formula = premise(claim)
    match Judge(decider).judge(Position(first.points, where, (), (), tuple(rest), formula, every)):
        case Unknown(why):
            return Undecided(why), None
        case Shown(by, trusts, held, x, strategy):
            pair = None if x is None else decider.replay.witness(x, claim.shown)
            if every is (x is None):
                return Proved(by, trusts, pair, (), held), strategy
            return Refuted(by, pair, trusts, (), held), strategy


def premise(claim: Prenex) -> tuple[tuple[Expr, ...], Expr]:
    """What the formula says of the first block alone, without which there is nothing to decide, and the rest."""
    first, *rest = claim.blocks
    others = {name for block in rest for name in block.points}
    match first.kind, claim.formula:
        case "forall", Binary(_, "=>", left, right):
            parts = joined(left, "and")
        case "exists", Binary(_, "and", left, right) as both:
            parts = joined(both, "and")
        case _:
            return (), claim.formula
    own = tuple(p for p in parts if not names_in(p) & others)
    more = [p for p in parts if p not in own]
    span, left = claim.formula.span, balanced(claim.formula.span, "and", more)
    return own, left if first.kind == "exists" else Binary(span, "=>", left, right) if more else right


class Judge:
    def __init__(self, decider: Decider) -> None:
        self.decider = decider

    def poser(self, folding: bool = True) -> Poser:
        """A new one for each question: rules are many, and nothing of them is needed twice."""
        return Poser(self.decider.program, folding)

    def judge(self, position: Position) -> Shown | Unknown:
        """Raises ReplayFailed."""
        if not position.blocks:
            return self.asked(position.fails)
        try:
            game = position.game(self.poser())
        except NotYet:
            return self.rounded(position)
        return self.played(position, game)

    def rounded(self, position: Position) -> Shown | Unknown:
        """Where distances are roots: polyhedral norms near them propose, and only what is then shown of the roots
        themselves counts."""
        for side in SIDES:
            poser = self.poser()
            with poser.rooted(), poser.rounded(side, FINE):
                game = position.game(poser)
            try:
                found = self.played(position, game)
            except ReplayFailed:  # it is so of the norm, and not of the root
                continue
            if isinstance(found, Shown) and SEARCH not in found.trusts:
                return found
        return Unknown("what holds of polyhedral norms above and below the distances was not found to hold of these")

    def played(self, position: Position, game: Game) -> Shown | Unknown:
        """What a search makes of the position, checked. Raises ReplayFailed."""
        decider, (question, widths, width) = self.decider, game
        match decider.portfolio.play(question, widths, width, SHARE * decider.left()):
            case Fails(by, (x,)):
                points = read(decider.program, position.free, x)
                decider.replay.demand(points, position.where)
                if not all(h.holds(x) for h in position.given):
                    raise ReplayFailed("a choice lies where none was asked for")
                against = self.judge(position.without_answer(x))
                return replace(checked(by, [against], "there is an answer"), x=points)
            case Proposed(by, replies, joint):
                for reply in replies:
                    self.sound(position, reply, question)
                if joint:
                    shown = [self.asked(partial(position.unanswered, replies))]
                else:
                    missed = self.asked(partial(position.missed, replies))
                    shown = [missed, *(self.judge(position.after(reply)) for reply in replies)]
                found = checked(by, shown, "its strategy fails")
                return replace(found, strategy=written(decider.program, position, replies, joint))
            case Unknown() as unknown:
                return unknown
            case other:
                raise AssertionError(other)

    def asked(self, pose: Callable[[Poser], Posed]) -> Shown | Unknown:
        """That a question has no solution."""
        try:
            posed = pose(self.poser())
        except TooLarge:
            return Unknown("this is too large once written out")
        except NotYet as later:
            return Unknown(f"{later} is not available yet")
        match self.decider.ask(posed, lambda _: pose(self.poser(folding=False))):
            case Holds() as held:
                return Shown(held.by, held.trusts, held.certificates)
            case Fails(by, (vector,)):
                return Shown(by, x=posed.read(vector))
            case Unknown() as unknown:
                return unknown
            case other:
                raise AssertionError(other)

    def sound(self, position: Position, reply: Reply, question: Question) -> None:
        """The images of whole coordinates are whole; at the choice that the rule comes from it gives points of X, which
        make the formula hold if nothing else is chosen later. Raises ReplayFailed."""
        integer, start = [v.integer for v in question.variables], len(reply.at)
        for i, row in enumerate(reply.images):
            whole = row.constant.denominator == 1 and all(w.denominator == 1 and integer[j] for j, w in row.weights)
            if integer[start + i] and not whole:
                raise ReplayFailed("a rule chooses a number that is not whole")
        if not all(h.holds(reply.at) for h in (*position.given, *reply.part)):
            raise ReplayFailed("a rule does not apply where it comes from")
        decider, after = self.decider, position.after(reply)
        points = read(decider.program, position.free, reply.at)
        for name, rows in after.chosen:
            points |= read(decider.program, (name,), [row.at(reply.at) for row in rows])
        done = [position.formula] if after.free == position.free else []
        truths, falsehoods = (done, []) if position.holds else ([], done)
        decider.replay.demand(points, [*position.where, *truths], falsehoods)


def checked(by: str, found: Sequence[Shown | Unknown], otherwise: str) -> Shown:
    """What a search says, once all of this is shown; it is trusted for what stayed open. Raises ReplayFailed."""
    trusts, certificates = dict[str, None](), list[Certificate]()
    for shown in found:
        match shown:
            case Unknown():
                trusts |= dict.fromkeys((by, SEARCH))
            case Shown(x=None):
                trusts |= dict.fromkeys(shown.trusts)
                certificates += shown.certificates
            case Shown(other):
                raise ReplayFailed(f"{by} is contradicted by {other}: {otherwise}")
    last = found[-1]
    return Shown(by, tuple(trusts), tuple(certificates), None, last.strategy if isinstance(last, Shown) else None)


def written(program: Program, position: Position, replies: Sequence[Reply], joint: bool) -> Strategy:
    """The strategy in the language."""
    names = position.blocks[0].points
    found: dict[str, list[str]] = {}
    for reply in sorted(replies, key=lambda r: len(r.part)):
        width = len(reply.images) // len(names)
        images = [reply.images[k * width : (k + 1) * width] for k in range(len(names))]
        choice = [image(program, n, rows, position.free, reply.part) for n, rows in zip(names, images, strict=True)]
        where = " and ".join(sides(program, reply.part, position.free))
        found.setdefault("; ".join(choice), []).append(where)
    rules = [Rule(None if joint else "" if "" in where else " or ".join(where), c) for c, where in found.items()]
    return Strategy(position.free, names, tuple(sorted(rules, key=lambda r: (len(r.where or ""), r.where, r.choice))))


def affine(poser: Poser, row: Row, inputs: Sequence[Form]) -> Form:
    return poser.build.combine(((w, inputs[i]) for i, w in row.weights), row.constant)


def side(poser: Poser, given: Half, inputs: Sequence[Form]) -> Form:
    form = affine(poser, given.row, inputs)
    return poser.build.above_zero(form) if given.strict else poser.build.at_least_zero(form)


def constant(value: Fraction) -> Row:
    return Row((), value)
