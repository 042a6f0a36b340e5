"""Many parts of X at once: what no points of a block of parts do, no points of one of its parts do.

A claim about the parts is posed once, for all of X; a part, or a block of parts, is the same question in a smaller box.
Blocks that the first bounds do not settle are halved, down to single parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.engine import Answer, Fails, Holds, Unknown
from verifier.language.build import Variable
from verifier.model.assertion import claim_of
from verifier.model.claim import Always, Parts
from verifier.model.elaborate import names_in
from verifier.model.meaning import NotYet
from verifier.model.program import Partition, PointValue, Slices
from verifier.query.pose import Posed
from verifier.query.question import Question
from verifier.verdict.certify import ReplayFailed, certified
from verifier.verdict.verdict import Proved, Refuted, Undecided, Verdict

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

Block = tuple[range, ...]
"""A range of slices of every cut."""
FOUND = "search"
"""Who finds the pair of a part when all are looked at."""
STRIKE = 0.5
"""The share of the time in which all parts are looked at, as long as that finds pairs."""
BRIEF = 5.0
"""Seconds at most for one look at a block."""


class Common(Struct, frozen=True):
    """The question that all parts have in common."""

    decider: Decider
    claim: Always
    partition: Partition
    posed: Posed

    def within(self, block: Block) -> Question:
        """The question in the box of a block."""
        question = self.posed.question
        variables = list(question.variables)
        for cut, slices in zip(self.partition.cuts, block, strict=True):
            low, high = sides(cut, slices)
            for name in self.posed.points:
                i = self.posed.share(name)[self.place(cut)]
                variables[i] = narrowed(variables[i], low, high)
        return replace(question, variables=tuple(variables))

    def place(self, cut: Slices) -> int:
        """Where the cut coordinate stands among those of a point."""
        domain = self.decider.program.domain
        assert domain is not None
        before = domain.coordinates[: [c.name for c in domain.coordinates].index(cut.coordinate.name)]
        return sum(c.size or 1 for c in before) + (cut.entry or 0)

    def verdict(self, block: Block, seconds: float) -> Verdict:
        """The claim on a block, which is a part or is taken as one."""
        question = self.within(block)
        return self.read(certified(self.decider.portfolio.find(question, seconds), question))

    def glance(self, block: Block, seconds: float) -> Verdict:
        question = self.within(block)
        return self.read(certified(self.decider.portfolio.glance(question, seconds), question))

    def strike(self, seconds: float) -> Iterator[tuple[int, Verdict]]:
        """Parts in which a look at all of them finds a pair, in their order; each pair is replayed, the first shown."""
        cuts = []
        for cut in self.partition.cuts:
            inputs = {self.posed.share(name)[self.place(cut)] for name in self.posed.points}
            ends = [sides(cut, range(k, k + 1)) for k in range(cut.count)]
            bounded = tuple((low, high) for low, high in ends if low is not None and high is not None)
            assert len(bounded) == cut.count  # no coordinate that is cut here is real
            cuts.append((tuple(inputs), bounded))
        found = self.decider.portfolio.strike(self.posed.question, tuple(cuts), seconds)
        for i, (part, vector) in enumerate(sorted(found.items())):
            if not self.lie_in(part, self.posed.read(vector)):
                raise ReplayFailed("a pair is of another part than was claimed")
            yield part, self.read(Fails(FOUND, (vector,)), shown=i == 0)

    def read(self, answer: Answer, shown: bool = True) -> Verdict:
        match answer:
            case Holds(by, trusts) as held:
                return Proved(by, trusts, certificates=held.certificates)
            case Fails(by, (vector, *_)):
                points = self.posed.read(vector)
                self.decider.replay.demand(points, self.claim.given, (self.claim.then,))
                return Refuted(by, self.decider.show(points, self.claim.ends, self.claim.shown) if shown else None)
            case Unknown(why):
                return Undecided(why)
            case other:
                raise AssertionError(other)

    def lie_in(self, part: int, points: Mapping[str, PointValue]) -> bool:
        return all(
            holds(cut, k, point[cut.coordinate.name])
            for cut, k in self.partition.slices(part)
            for point in points.values()
        )

    def part_of(self, points: Sequence[PointValue]) -> int | None:
        """The part in which all of the points lie."""
        chosen = []
        for cut in self.partition.cuts:
            values = {point[cut.coordinate.name] for point in points}
            slices = [k for k in range(cut.count) if all(holds(cut, k, value) for value in values)]
            if not slices:
                return None
            chosen.append(slices[0])
        return self.partition.number(chosen)


def common(decider: Decider, claim: Parts) -> Common | None:
    """None where the parts have to be posed one by one: claims that are not about all points, a metric of the user's,
    real coordinates (whose slices are half-open)."""
    inner = claim_of(decider.program, claim.body)
    if not isinstance(inner, Always) or inner.almost or not inner.points:
        return None
    if any(cut.coordinate.kind == "real" for cut in claim.partition.cuts):
        return None
    named = (c for n, c in decider.program.classifiers.items() if n in names_in(claim.body))
    if any(c.metric is not None and c.metric.body is not None for c in named):
        return None
    try:
        posed = decider.pose(inner)
    except NotYet:
        return None
    return None if posed.question.squares else Common(decider, inner, claim.partition, posed)


def wholesale(shared: Common) -> Iterator[tuple[int, Verdict, float]]:
    """Parts that are settled together with others, and the share of the seconds that each took."""
    decider, partition = shared.decider, shared.partition
    refuted = set[int]()
    before = decider.left()
    for part, verdict in shared.strike(STRIKE * before):
        refuted.add(part)
        yield part, verdict, before - decider.left()
        before = decider.left()
    todo: list[Block] = [tuple(range(cut.count) for cut in partition.cuts)]
    while todo and decider.left() > 0:
        block = todo.pop()
        count = prod(len(slices) for slices in block)
        if count == 1:
            continue
        if any(partition.number(part) in refuted for part in product(*block)):
            todo += halves(block)
            continue
        before = decider.left()
        verdict = shared.glance(block, min(BRIEF, before))
        if isinstance(verdict, Proved):
            spent = (before - decider.left()) / count
            yield from ((partition.number(part), verdict, spent) for part in product(*block))
            continue
        if isinstance(verdict, Refuted) and verdict.pair is not None:
            where = shared.part_of(list(verdict.pair.points.values()))
            if where is not None:
                refuted.add(where)
                yield where, verdict, before - decider.left()
        todo += halves(block)


def halves(block: Block) -> Iterator[Block]:
    widest = max(range(len(block)), key=lambda i: len(block[i]))
    middle = len(block[widest]) // 2
    for half in (block[widest][:middle], block[widest][middle:]):
        yield (*block[:widest], half, *block[widest + 1 :])


def sides(cut: Slices, slices: range) -> tuple[Fraction | None, Fraction | None]:
    """The values of a run of slices; of members, their numbers."""
    if cut.coordinate.kind == "finite":
        return Fraction(slices[0]), Fraction(slices[-1])
    return cut[slices[0]].low, cut[slices[-1]].high


def holds(cut: Slices, k: int, value: object) -> bool:
    """The slice has this value of the coordinate."""
    part = cut[k]
    if cut.coordinate.kind == "finite":
        return value in part.members
    entry = value[cut.entry] if cut.entry is not None and isinstance(value, tuple) else value
    assert isinstance(entry, Fraction) and part.low is not None and part.high is not None
    return part.low <= entry <= part.high


def narrowed(variable: Variable, low: Fraction | None, high: Fraction | None) -> Variable:
    lows = [b for b in (variable.low, low) if b is not None]
    highs = [b for b in (variable.high, high) if b is not None]
    return replace(variable, low=max(lows, default=None), high=min(highs, default=None))
