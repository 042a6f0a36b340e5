"""`over:`: where the points of a probability are drawn from (THEORY section 4).

`uniform(X)`; `product(size: histogram([0, 1/2, 1], [3/4, 1/4]), kind: {plain: 2/3, fancy: 1/3})`, independent
coordinates, restricted to X; or a data set, whose rows are drawn one as likely as the other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil

from msgspec import Struct

from verifier.language.build import Build, Form
from verifier.model.meaning import fail, numbers
from verifier.model.program import Coordinate, Domain, Program
from verifier.model.symbolic import Symbolic
from verifier.source import Span
from verifier.source.closest import suggestion
from verifier.syntax import tree


class Steps(Struct, frozen=True):
    """The density of one input: `heights[k]` from `ends[k]` to `ends[k + 1]`, 0 elsewhere. Of a whole number (or the
    code of a member) it is the probability; each bin holds its left end, the last one also its right."""

    ends: tuple[Fraction, ...]
    heights: tuple[Fraction, ...]

    def at(self, value: Fraction | int) -> Fraction:
        """The height at a value."""
        if not self.ends[0] <= value <= self.ends[-1]:
            return Fraction(0)
        return self.heights[min(bisect_right(self.ends, value), len(self.heights)) - 1]

    def most(self, low: Fraction, high: Fraction) -> Fraction:
        """The greatest height on an interval of positive length."""
        bins = zip(pairwise(self.ends), self.heights, strict=True)
        return max((h for (a, b), h in bins if a < high and low < b), default=Fraction(0))

    def seam(self, low: Fraction, high: Fraction) -> Fraction | None:
        """An end strictly inside of an interval at which the height changes."""
        around = zip(self.ends, (Fraction(0), *self.heights), (*self.heights, Fraction(0)), strict=True)
        return next((e for e, left, right in around if low < e < high and left != right), None)


class Distribution(Struct, frozen=True):
    """`steps`: the density of the inputs that have one, by their place among the inputs of a point; the others are
    uniform. `data`: the rows of that data set instead, counted; `distinct`: no row is paired with itself."""

    text: str
    steps: Mapping[int, Steps] = {}
    data: str = ""
    distinct: bool = False


def distribution_of(program: Program, value: tree.Expr, pairs: bool) -> Distribution:
    """What an option `over:` says; `pairs`: two points are drawn."""
    domain = program.domain
    assert domain is not None
    match value:
        case tree.Name(_, name) if name in program.data:
            return Distribution(name, data=name)
        case tree.Apply(_, tree.Name(_, "uniform"), (tree.Argument(_, "", tree.Name(span, name)),)):
            if name != domain.name:
                fail("V201", span, f"There is no domain called `{name}`.", f"Write `uniform({domain.name})`.")
            return Distribution(f"uniform({domain.name})")
        case tree.Apply(span, tree.Name(_, "distinct"), (tree.Argument(_, "", tree.Name(_, name)),)) if (
            name in program.data
        ):
            if not pairs:
                fail("V302", span, "`distinct` speaks of pairs, and one point is drawn here.", f"Write `over: {name}`.")
            return Distribution(f"distinct({name})", data=name, distinct=True)
        case tree.Apply(span, tree.Name(_, "product"), arguments):
            return _product(program, domain, tuple(arguments), span)
        case tree.Apply(_, tree.Name(span, "uniform" | "distinct" as name)):
            what = domain.name if name == "uniform" else next(iter(program.data), "D")
            of = "the domain" if name == "uniform" else "a data set"
            fail("V302", span, f"`{name}` takes the name of {of}.", f"Write `{name}({what})`.")
        case tree.Apply(_, tree.Name(span, name)) | tree.Name(span, name):
            known = ["uniform", "product", *(["distinct"] if program.data else []), *program.data]
            fail(
                "V201",
                span,
                f"There is no distribution called `{name}`.",
                suggestion(name, known, "There are", ("uniform", "product", *program.data)),
            )
        case _:
            fail("V302", value.span, "A distribution is needed here.", f"Write `over: uniform({domain.name})`.")


def _product(program: Program, domain: Domain, arguments: Sequence[tree.Argument], span: Span) -> Distribution:
    places = accumulate((c.size or 1 for c in domain.coordinates), initial=0)
    first = {c.name: place for c, place in zip(domain.coordinates, places, strict=False)}
    steps: dict[int, Steps] = {}
    given: dict[str, str] = {}
    for a in arguments:
        c = domain.coordinate(a.label)
        if c is None:
            if not a.label:
                fail("V205", a.span, "Which coordinate is this?", f"Write `{domain.coordinates[0].name}: ...`.")
            hint = suggestion(a.label, first, "The coordinates are")
            fail("V201", a.span, f"There is no coordinate called `{a.label}`.", hint)
        if c.name in given:
            fail("V204", a.span, f"`{c.name}` is given twice.", "Keep one of them.")
        for i, each in enumerate(_marginals(program, c, a.value)):
            steps[first[c.name] + i] = each
        given[c.name] = ""
    if not given:
        fail("V303", span, "The product of nothing is no distribution.", f"Write `uniform({domain.name})`.")
    return Distribution(f"product({', '.join(given)})", steps)


def _marginals(program: Program, c: Coordinate, value: tree.Expr) -> list[Steps]:
    """One for each entry of a coordinate: a vector has one for all, or a list."""
    if c.kind == "finite":
        return [_members(program, c, value)]
    if isinstance(value, tree.Vector):
        if c.size is None or len(value.items) != c.size:
            shape = f"a vector of {c.size}" if c.size is not None else "a number"
            fail("V303", value.span, f"`{c.name}` is {shape}.", "Give one histogram, or one for each entry.")
        return [_histogram(program, c, item) for item in value.items]
    return [_histogram(program, c, value)] * (c.size or 1)


def _members(program: Program, c: Coordinate, value: tree.Expr) -> Steps:
    example = "{" + ", ".join(f"{m}: 1/{len(c.members)}" for m in c.members) + "}"
    if not isinstance(value, tree.Record):
        fail("V302", value.span, f"`{c.name}` is one of its members.", f"Write `{c.name}: {example}`.")
    found: dict[str, Fraction] = {}
    for e in value.entries:
        if e.label not in c.members:
            hint = suggestion(e.label, c.members, "The members are")
            fail("V203", e.span, f"There is no member called `{e.label}`.", hint)
        if e.label in found:
            fail("V204", e.span, f"`{e.label}` is given twice.", "Keep one of them.")
        weight = _constants(program, e.value)
        if len(weight) != 1:
            fail("V303", e.span, f"The weight of `{e.label}` is one number.", f"Write `{e.label}: 1/2`, say.")
        found[e.label] = weight[0]
    missing = [m for m in c.members if m not in found]
    if missing:
        fail("V209", value.span, f"`{missing[0]}` has no weight.", f"Write `{missing[0]}: 0`, or more.")
    weights = tuple(found[m] for m in c.members)
    _sum_to_one(weights, value)
    return Steps(tuple(Fraction(k) for k in range(len(weights) + 1)), weights)


def _histogram(program: Program, c: Coordinate, value: tree.Expr) -> Steps:
    match value:
        case tree.Apply(_, tree.Name(_, "histogram"), (tree.Argument(_, "", left), tree.Argument(_, "", right))):
            ends, weights = _constants(program, left), _constants(program, right)
        case _:
            fail(
                "V302",
                value.span,
                f"`{c.name}` needs the ends of bins and their weights.",
                f"Write `{c.name}: histogram([0, 1/2, 1], [3/4, 1/4])`, say.",
            )
    if len(weights) != len(ends) - 1 or not weights:
        message = f"{len(ends)} ends make {max(0, len(ends) - 1)} bins, and there are {len(weights)} weights."
        fail("V303", value.span, message, "Write one end more than weights: `histogram([0, 1/2, 1], [3/4, 1/4])`.")
    for a, b in pairwise(ends):
        if a >= b:
            fail("V311", left.span, f"The bin from {a} to {b} is empty.", "The ends ascend.")
    for end in (ends[0], ends[-1]):
        if (c.low is not None and end < c.low) or (c.high is not None and end > c.high):
            fail("V319", left.span, f"{end} lies outside of `{c.name}`, which is in {c.interval}.", "Move the end.")
    _sum_to_one(weights, right)
    heights = []
    for k, weight in enumerate(weights):
        a, b = ends[k], ends[k + 1]
        last = k == len(weights) - 1
        room = (
            b - a if c.kind == "real" else Fraction((int(b) + 1 if last and b.denominator == 1 else ceil(b)) - ceil(a))
        )
        if weight and not room:
            fail("V321", right.span, f"No whole number lies between {a} and {b}.", "Give this bin the weight 0.")
        heights.append(weight / room if weight else Fraction(0))
    return Steps(ends, tuple(heights))


def _sum_to_one(weights: Sequence[Fraction], value: tree.Expr) -> None:
    least = min(weights)
    if least < 0:
        fail("V321", value.span, f"{least} is negative, and no probability.", "Weights are 0 or more.")
    if (total := sum(weights, Fraction(0))) != 1:
        fix = f"Divide by their sum: `{_plain(weights)} / {total}`." if total else "Give some of them a weight."
        fail("V321", value.span, f"The weights sum to {total}, not to 1.", fix)


def _plain(weights: Sequence[Fraction]) -> str:
    return "[" + ", ".join(map(str, weights)) + "]"


def _constants(program: Program, value: tree.Expr) -> tuple[Fraction, ...]:
    meaning = Symbolic(program, Build()).value(value, {})
    forms = numbers(meaning)
    if not forms or not all(isinstance(f, Form) and f.is_constant for f in forms):
        fail("V302", value.span, "Constant numbers are needed here.", "Write numbers, or the name of a `let`.")
    return tuple(f.constant for f in forms)
