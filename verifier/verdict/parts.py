"""Claims about the parts of X: each part by itself, in the place of X."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.engines.engine import Certificate
from verifier.model.assertion import claim_of, leaves
from verifier.model.claim import Always, Parts
from verifier.model.elaborate import names_in
from verifier.model.partition import at_part, loses_nothing, shares
from verifier.model.program import Partition
from verifier.query.pose import Poser
from verifier.syntax import tree
from verifier.verdict.blocks import Common, common, wholesale
from verifier.verdict.many import FOR_A_WITNESS, OUT_OF_TIME, Progress, Settle, Settled, settle, timed
from verifier.verdict.trial import choices
from verifier.verdict.verdict import Part, Pieces, Proved, Refuted, Undecided, Verdict, word

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

FOR_SHARES = 10.0
"""Seconds for the shares of parts that are no boxes; at most a quarter of what is left."""


def alone(decider: Decider, claim: Parts, shared: Common | None) -> Settle:
    """Settles one part; `shared`: the question that it has in common with the others."""

    def one(index: int, seconds: float) -> Settled:
        if shared is not None:
            return Settled(shared.verdict(tuple(range(k, k + 1) for _, k in claim.partition.slices(index)), seconds))
        sub = decider.at(at_part(decider.program, claim.partition, index), seconds)
        sub.judges_vacuity = False
        return Settled(sub._decide(claim_of(sub.program, claim.body)).verdict)

    # a metric is judged on all of X, before any part: what it obeys there it obeys on the parts
    decider.axioms([n for n in decider.program.classifiers if n in names_in(claim.body)])
    return one


def decide(decider: Decider, claim: Parts) -> tuple[Verdict, str, tuple[str, ...], Pieces]:
    """All parts (or any): the verdict, why it is vacuous, warnings, and the parts one by one."""
    table = _Table(decider, claim)
    if claim.kind == "forall" and table.shared is not None:
        try:
            for index, verdict, seconds in wholesale(table.shared):
                table.put(index, Settled(verdict, seconds=seconds))
        except KeyboardInterrupt:
            decider.stop()
    left = [index for index, part in enumerate(table.parts) if part is None]
    settle(decider, claim, left, table.alone, table.put)
    again = sorted(table.again)
    if again and decider.left() > 0:
        settle(decider, claim, again, table.alone, table.put)
    table.tried()
    parts = weighed(decider, claim.partition, [p for p in table.parts if p is not None])
    pieces = Pieces(claim.partition, parts, tuple(table.kept.values()))
    return *_together(decider, claim, table, pieces), pieces


def weighed(decider: Decider, partition: Partition, parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts with their shares of an X that has a `where`: exact masses, which have to add up to that of X (they do
    not where a part is measured in another dimension). As they are, if that takes too long."""
    domain = decider.program.domain
    if domain is None or domain.where is None or decider.left() <= 0:
        return tuple(parts)
    end = time.monotonic() + min(FOR_SHARES, decider.left() / 4)
    whole = _mass(decider.poser, end)
    masses: list[Fraction] = []
    for part in parts if whole else ():
        mass = _mass(Poser(at_part(decider.program, partition, part.number - 1)), end)
        if mass is None:
            return tuple(parts)
        masses.append(mass)
    if not whole or sum(masses) != whole:
        return tuple(parts)
    return tuple(replace(p, share=mass / whole) for p, mass in zip(parts, masses, strict=True))


def _mass(poser: Poser, end: float) -> Fraction | None:
    """How much of the domain there is; None where that is not finite, or not known in time."""
    from verifier.engines.weigh import FAR, weigh

    posed = poser.pose(("x",), [])
    if posed.impossible:
        return Fraction(0)
    mass = weigh(posed.question, None, max(0.0, end - time.monotonic()))
    far = any(abs(side) >= FAR for pair in mass.sides.values() for side in pair)
    return mass.given[0] if mass.exact and not far else None


class _Table:
    """The parts so far. Of the witnesses only that of the first decisive part is kept."""

    def __init__(self, decider: Decider, claim: Parts) -> None:
        self.decider, self.claim = decider, claim
        self.shared = common(decider, claim)
        self.alone = alone(decider, claim, self.shared)
        self.share = shares(decider.program, claim.partition)
        self.parts: list[Part | None] = [None] * claim.partition.count
        self.open: dict[int, Undecided] = {}
        self.again: set[int] = set()
        self.first: tuple[int, Proved | Refuted] | None = None
        self.by: dict[str, None] = {}
        self.trusts: dict[str, None] = {}
        self.kept: dict[int, Certificate] = {}
        self.done = 0
        self.certified: Fraction | None = Fraction(0)

    def put(self, index: int, settled: Settled) -> None:
        verdict, before = settled.verdict, self.parts[index]
        of = self.share(index)
        seconds = settled.seconds + (before.seconds if before is not None else 0.0)
        why = verdict.why if isinstance(verdict, Undecided) else ""
        self.parts[index] = Part(index + 1, word(verdict), seconds, of, why)
        self.open.pop(index, None)
        self.again.discard(index)
        if settled.worth_more:
            self.again.add(index)
        if isinstance(verdict, Undecided):
            self.open[index] = verdict
        else:
            self.by.setdefault(verdict.by)
            self.trusts.update(dict.fromkeys(verdict.trusts))
            if self.decider.portfolio.keeping:
                self.kept |= {id(c.proof): c for c in verdict.certificates}
            decisive = Refuted if self.claim.kind == "forall" else Proved
            if isinstance(verdict, decisive) and (self.first is None or index < self.first[0]):
                self.first = index, verdict
        if isinstance(verdict, Proved) and self.certified is not None:
            self.certified = None if of is None else self.certified + of
        self.done += before is None
        self.decider.tell(Progress(self.done, len(self.parts), self.certified))

    def tried(self) -> None:
        """No points at random break the claim in a part in which it is proved. Raises ReplayFailed."""
        if (shared := self.shared) is None:
            return
        for points in choices(self.decider.replay, shared.claim.points):
            part = shared.part_of(list(points.values()))
            proved = part is not None and (known := self.parts[part]) is not None and known.word == "proved"
            if proved:
                self.decider.upheld(shared.claim, points)


def _together(decider: Decider, claim: Parts, table: _Table, pieces: Pieces) -> tuple[Verdict, str, tuple[str, ...]]:
    """The verdict on all parts, why it is vacuous, and warnings."""
    partition = claim.partition
    if table.first is not None:
        index, verdict = table.first
        if decider.elsewhere is not None:  # which witness a solver finds depends on what it was asked before
            here = timed(table.alone, index, FOR_A_WITNESS).verdict
            verdict = here if isinstance(here, Proved | Refuted) and word(here) == word(verdict) else verdict
        story = f"This is part {index + 1}: {pieces.where(index)}."
        verdict = replace(verdict, notes=(story, *verdict.notes))
        if claim.kind == "forall":
            return verdict, "", ()
        return verdict, *_vacuity(decider, claim, [p.number - 1 for p in pieces.parts if p.word == "proved"])
    if table.open:
        index = min(table.open)
        if table.open[index].later:
            return table.open[index], "", ()
        text = f"{len(table.open)} of {partition.count} parts stayed open, the first is part {index + 1} "
        return Undecided(f"{text}({pieces.where(index)}): {table.open[index].why}"), "", ()
    by, trusts = ", ".join(table.by), tuple(table.trusts)
    if claim.kind == "exists":
        return Refuted(by, None, trusts, ("No part has the property.",)), "", ()
    vacuous, warnings = _vacuity(decider, claim, range(partition.count))
    return Proved(by, trusts, notes=_scope(decider, claim)), vacuous, warnings


def _scope(decider: Decider, claim: Parts) -> tuple[str, ...]:
    """What a proof on every part says of X."""
    inner = claim_of(decider.program, claim.body)
    if all(isinstance(c, Always) and len(c.points) <= 1 for c in leaves(inner)):
        return ("Hence it holds on X.",) if isinstance(inner, Always) else ()
    match claim.body:
        case tree.Apply(_, tree.Name(_, "factors"), (_, tree.Argument(_, "", tree.Name(_, oracle)), *_)) if (
            loses_nothing(decider.program, claim.partition, oracle)
        ):
            return (f"Hence it holds on X: two points that {oracle} cannot tell apart lie in the same part.",)
        case _:
            return ("This is about points of the same part: a pair across two parts was not asked about.",)


def _vacuity(decider: Decider, claim: Parts, indices: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """A claim about parts says something if it does so at one of them."""
    why = ""
    for index in indices:
        if decider.left() <= 0:
            return "", (f"Whether the premise is ever satisfied stayed open: {OUT_OF_TIME}.",)
        sub = decider.at(at_part(decider.program, claim.partition, index), decider.left())
        outcome = sub._decide(claim_of(sub.program, claim.body))
        if not outcome.vacuous:
            return "", outcome.warnings
        why = outcome.vacuous
    return f"On every part: {why}" if why else "", ()
