"""`partition P of X by age every 10, sex`: reads the declaration, and makes the program in which X is one part.

Every slice of a real coordinate but the last is half-open, `[a, b)`, so that each point of X lies in exactly one part:
the parts cover X, and their shares add up to 1. What is said of one point at a time is therefore true on X iff it is so
on every part. A question about a pair is restricted: both of its points lie in the same part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil, prod

from msgspec.structs import replace

from verifier.language.build import Build
from verifier.model.meaning import fail
from verifier.model.program import Coordinate, Domain, Partition, Program, Slices, measure
from verifier.model.symbolic import Symbolic
from verifier.source import Span
from verifier.source.closest import suggestion
from verifier.source.text import NOWHERE
from verifier.syntax import tree

MOST_PARTS = 1_000_000
CUTS = "Write `age every 10`, `age at [30, 60]`, or `sex`."


def read_partition(program: Program, d: tree.Partition) -> Partition:
    """The partition that a declaration describes. Raises Rejected."""
    domain = program.domain
    assert domain is not None
    if d.of.id != domain.name:
        fail("V201", d.of.span, f"There is no domain called `{d.of.id}`.", f"The domain is `{domain.name}`.")
    cuts: list[Slices] = []
    for cut in d.cuts:
        made = _slices(program, domain, cut)
        if any(made.name == other.name for other in cuts):
            fail("V204", cut.span, f"`{made.name}` is cut twice.", "Keep one of the two.")
        cuts.append(made)
    parts = prod(cut.count for cut in cuts)
    if parts > MOST_PARTS:
        fail("V404", d.span, f"These are {parts:,} parts, more than {MOST_PARTS:,}.", "Cut less finely.")
    return Partition(d.name.id, tuple(cuts), d.span)


def _slices(program: Program, domain: Domain, cut: tree.Cut) -> Slices:
    c = domain.coordinate(cut.name.id)
    if c is None:
        known = [k.name for k in domain.coordinates]
        message = f"There is no coordinate called `{cut.name.id}`."
        fail("V201", cut.name.span, message, suggestion(cut.name.id, known, "The coordinates are"))
    entry = _entry(program, c, cut)
    if c.kind == "finite":
        if cut.value is not None:
            fail("V302", cut.value.span, f"`{c.name}` is not a number: each member is a part.", f"Write `{c.name}`.")
        return Slices(c, None, len(c.members))
    match cut.how:
        case "each":
            if c.kind == "real":
                fail("V302", cut.span, f"`{c.name}` has infinitely many values.", f"Write `{c.name} every 1/10`, say.")
            return _every(c, entry, Fraction(1), cut.span)
        case "every":
            assert cut.value is not None
            width = Symbolic(program, Build()).exact(cut.value)
            if not isinstance(width, Fraction) or width <= 0:
                fail("V302", cut.value.span, "The width of a part is a positive number.", CUTS)
            if c.kind == "int" and width.denominator != 1:
                fail("V302", cut.value.span, f"`{c.name}` is whole, and so is the width of a part.", CUTS)
            return _every(c, entry, width, cut.span)
        case "at":
            assert cut.value is not None
            points = Symbolic(program, Build()).exact(cut.value)
            return _at(c, entry, points if isinstance(points, tuple) else (points,), cut.value.span)


def _entry(program: Program, c: Coordinate, cut: tree.Cut) -> int | None:
    """Which entry of a vector is cut."""
    if c.size is None:
        if cut.entry is not None:
            fail("V305", cut.span, f"`{c.name}` is a number and has no entries.", "Leave the index out.")
        return None
    if cut.entry is None:
        fail("V305", cut.span, f"`{c.name}` is a vector: say which entry is cut.", f"Write `{c.name}[0] every 1/10`.")
    i = Symbolic(program, Build()).exact(cut.entry)
    if not isinstance(i, Fraction) or i.denominator != 1 or not 0 <= i < c.size:
        fail("V306", cut.entry.span, f"This is no entry of `{c.name}`.", f"Indices run from 0 to {c.size - 1}.")
    return int(i)


def _every(c: Coordinate, entry: int | None, width: Fraction, span: Span) -> Slices:
    if c.low is None or c.high is None:
        message = f"`{c.name}` is unbounded: {c.interval} has no first or no last part."
        fail("V302", span, message, f"Bound it, or write `{c.name} at [0, 1]`.")
    count = (c.high - c.low + (c.kind == "int")) / width
    return Slices(c, entry, max(1, ceil(count)), start=c.low, width=width)


def _at(c: Coordinate, entry: int | None, points: Iterable[object], span: Span) -> Slices:
    given = tuple(points)
    if not given or not all(isinstance(p, Fraction) for p in given):
        fail("V302", span, "Numbers are needed here, at which the parts begin.", CUTS)
    found = tuple(p for p in given if isinstance(p, Fraction))
    ordered = tuple(sorted(set(found)))
    if found != ordered:
        fail("V302", span, "The points are not in ascending order.", f"Write [{', '.join(map(str, ordered))}].")
    for p in found:
        if not (c.low is None or p > c.low) or not (c.high is None or p < c.high or (c.kind == "int" and p == c.high)):
            fail("V310", span, f"{p} does not cut {c.interval} in two.", "Name points between its ends.")
    slices = Slices(c, entry, len(found) + 1, points=found)
    if c.kind == "int" and any(s.low > s.high for s in map(slices.__getitem__, range(slices.count))):  # type: ignore[operator]
        fail("V311", span, "There is no whole number in one of these parts.", "Cut less finely.")
    return slices


def at_part(program: Program, partition: Partition, index: int) -> Program:
    """The program in which X is one part of it.

    A number is bounded by its slice. An entry of a vector, and a member (whose code must stay), are bounded by `where`
    and, for who looks at bounds, by `tight`.
    """
    domain = program.domain
    assert domain is not None
    narrowed = {c.name: c for c in domain.coordinates}
    facts = [domain.where] if domain.where is not None else []
    tight = dict(domain.tight)
    for cut, k in partition.slices(index):
        c, part = cut.coordinate, cut[k]
        if c.kind == "finite":
            facts.append(_compare(_call("code", c.name), "==", Fraction(k)))
            tight[c.name, 0] = Fraction(k), Fraction(k)
        elif cut.entry is None:
            narrowed[c.name] = part
        else:
            entry = tree.Index(NOWHERE, tree.Name(NOWHERE, c.name), tree.Number(NOWHERE, Fraction(cut.entry)))
            if part.low is not None:
                facts.append(_compare(entry, ">" if part.low_open else ">=", part.low))
            if part.high is not None:
                facts.append(_compare(entry, "<" if part.high_open else "<=", part.high))
            tight[c.name, cut.entry] = part.low, part.high
    where: tree.Expr | None = None
    for fact in facts:
        where = fact if where is None else tree.Binary(NOWHERE, "and", where, fact)
    return replace(program, domain=replace(domain, coordinates=tuple(narrowed.values()), where=where, tight=tight))


def _compare(left: tree.Expr, op: tree.Comparison, right: Fraction) -> tree.Expr:
    return tree.Chain(NOWHERE, (left, tree.Number(NOWHERE, right)), (op,))


def _call(function: str, name: str) -> tree.Expr:
    return tree.Apply(NOWHERE, tree.Name(NOWHERE, function), (tree.Argument(NOWHERE, "", tree.Name(NOWHERE, name)),))


def shares(program: Program, partition: Partition) -> Callable[[int], Fraction | None]:
    """How much of X each part is: of its points where all coordinates are discrete, else of its volume. None where X
    has a `where` or is unbounded."""
    domain = program.domain
    if domain is None or domain.where is not None or any(measure(c) is None for c in domain.coordinates):
        return lambda index: None
    known: dict[tuple[str, int], Fraction] = {}

    def share(index: int) -> Fraction:
        product = Fraction(1)
        for cut, k in partition.slices(index):
            if (cut.name, k) not in known:
                known[cut.name, k] = cut.share(k) or Fraction(0)
            product *= known[cut.name, k]
        return product

    return share


def loses_nothing(program: Program, partition: Partition, oracle: str) -> bool:
    """Two points that the oracle cannot tell apart always lie in the same part: it sees what the parts are cut by."""
    classifier = program.classifiers[oracle]
    if classifier.network is not None or classifier.metric is None or not classifier.metric.separates:
        return False
    seen = {_seen(f.value) for f in classifier.features}
    return all({(cut.coordinate.name, None), (cut.coordinate.name, cut.entry)} & seen for cut in partition.cuts)


def _seen(value: tree.Expr) -> tuple[str, int | None] | None:
    """The coordinate, or its entry, that a feature is."""
    match value:
        case tree.Name(_, name):
            return name, None
        case tree.Index(_, tree.Name(_, name), tree.Number(_, i)) if i.denominator == 1:
            return name, int(i)
        case _:
            return None
