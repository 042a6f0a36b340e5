"""Questions about one point that bounds and half-spaces settle, without any solver: near one row of a data set a model
is often linear, and a ball of linf is a box.

The facts are cut into a box and a union of conjunctions. A conjunction with at most one half-space over more than one
coordinate is feasible iff its greatest value over the box is, and the distance to it is the root of a concave function
of one number. Everything else is left to the other engines: None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.engine import Vector
from verifier.language.build import NO, YES, Build, Choice, Form, Variable

NAME = "half-spaces"
TRUSTS = ("the canonical form",)
MOST_PARTS = 64
"""A union of more conjunctions is not written out."""
MOST_STEPS = 40


class Side(Struct, frozen=True):
    """form >= 0, or with `strict` form > 0."""

    form: Form
    strict: bool


class Range(Struct, frozen=True):
    """Where an input may lie; None: unbounded. A strict end is left out."""

    low: Fraction | None
    high: Fraction | None
    integer: bool
    low_strict: bool = False
    high_strict: bool = False

    @property
    def empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_strict or self.high_strict))

    def cut(self, side: Side) -> Range:
        """The part in which `weight * x + constant >= 0`."""
        ((_, weight),) = side.form.terms
        end = -side.form.constant / weight
        if self.integer:
            if weight > 0:
                end = Fraction(floor(end) + 1 if side.strict else ceil(end))
            else:
                end = Fraction(ceil(end) - 1 if side.strict else floor(end))
        strict = side.strict and not self.integer
        if weight > 0:
            if self.low is None or end > self.low or (end == self.low and strict):
                return replace(self, low=end, low_strict=strict)
        elif self.high is None or end < self.high or (end == self.high and strict):
            return replace(self, high=end, high_strict=strict)
        return self

    def inner(self) -> Fraction:
        """A number well inside."""
        if self.low is None and self.high is None:
            return Fraction(0)
        if self.low is None:
            assert self.high is not None
            return self.high - 1
        if self.high is None:
            return self.low + 1
        middle = (self.low + self.high) / 2
        return Fraction(floor(middle)) if self.integer else middle


Box = dict[int, Range]


class Part(Struct, frozen=True):
    """A conjunction: a box, and at most one half-space besides."""

    box: Box
    side: Side | None

    @property
    def empty(self) -> bool:
        return any(r.empty for r in self.box.values())


NOTHING = Part({-1: Range(Fraction(1), Fraction(0), False)}, None)


def parts(
    build: Build, inputs: Sequence[Form], facts: Sequence[Form], within: Sequence[Side] = ()
) -> list[Part] | None:
    """The points with all `facts` and `within` (sides of a box), as a union; None where they are more than that."""
    box: Box = {}
    for form in inputs:
        atom = build.atoms[form.terms[0][0]]
        assert isinstance(atom, Variable)
        box[form.terms[0][0]] = Range(atom.low, atom.high, atom.integer)
    for edge in within:
        box[edge.form.terms[0][0]] = box[edge.form.terms[0][0]].cut(edge)
    rest: list[Form] = []
    todo = list(facts)
    while todo:
        form = todo.pop()
        choice = logic(build, form)
        if choice is not None and choice.otherwise == NO:
            todo += [choice.test, choice.then]
            continue
        side = leaf(build, form)
        if side is not None and len(side.form.terms) == 1 and side.form.terms[0][0] in box:
            at = side.form.terms[0][0]
            box[at] = box[at].cut(side)
        elif form != YES:
            rest.append(form)
    if any(r.empty for r in box.values()):
        return []
    images: dict[int, Form] = {}  # the same inputs with narrower bounds: what these decide is folded away
    back: dict[int, int] = {}
    for at, r in box.items():
        if r.low is not None and r.low == r.high:
            images[at] = build.constant(r.low)
        else:
            old = build.atoms[at]
            assert isinstance(old, Variable)
            images[at] = build.input(Variable(old.name, r.low, r.high, r.integer))
            back[images[at].terms[0][0]] = at
    folded = [f for f in build.substitute(rest, images) if f != YES]
    unions = [union(build, f, True) for f in folded]
    total = 1
    for each in unions:
        total *= MOST_PARTS + 1 if each is None else len(each)
    if NO in folded or total == 0:
        return []
    if total > MOST_PARTS:
        return None
    joined: list[list[Side]] = [[]]
    for each in unions:
        assert each is not None
        joined = [[*a, *b] for a in joined for b in each]
    found: list[Part] = []
    for conjunction in joined:
        part = narrowed(build, dict(box), back, conjunction)
        if part is None:
            return None
        if not part.empty:
            found.append(part)
    return found


def logic(build: Build, form: Form) -> Choice | None:
    if form.constant == 0 and len(form.terms) == 1 and form.terms[0][1] == 1:
        atom = build.atoms[form.terms[0][0]]
        if isinstance(atom, Choice) and atom.logic:
            return atom
    return None


def leaf(build: Build, form: Form) -> Side | None:
    """The comparison that a formula is, if it is one."""
    choice = logic(build, form)
    if choice is None:
        return Side(form, False)
    if choice.is_not and logic(build, choice.test) is None:
        return Side(build.scale(-1, choice.test), True)
    return None


def union(build: Build, form: Form, holds: bool) -> list[list[Side]] | None:
    """Where the formula holds (or fails), as a union of conjunctions; None where these are too many."""
    if not form.terms:
        return [[]] if (form.constant >= 0) == holds else []
    choice = logic(build, form)
    if choice is None:
        return [[Side(form if holds else build.scale(-1, form), not holds)]]
    if choice.is_not:
        return union(build, choice.test, not holds)
    if choice.otherwise == NO:
        left, right = union(build, choice.test, holds), union(build, choice.then, holds)
        both = holds
    elif choice.then == YES:
        left, right = union(build, choice.test, holds), union(build, choice.otherwise, holds)
        both = not holds
    else:
        return None
    if left is None or right is None:
        return None
    if not both:
        return left + right if len(left) + len(right) <= MOST_PARTS else None
    return [[*a, *b] for a in left for b in right] if len(left) * len(right) <= MOST_PARTS else None


def narrowed(build: Build, box: Box, back: Mapping[int, int], conjunction: Sequence[Side]) -> Part | None:
    """The conjunction within the box, in terms of the first inputs; None with two half-spaces, or none at all."""
    left: list[Side] = []
    for side in conjunction:
        if not all(i in back for i, _ in side.form.terms):  # piecewise: only its bounds are known
            _, high = build.bounds(side.form)
            if high is not None and (high < 0 or (side.strict and high == 0)):
                return NOTHING
            return None
        form = Form(side.form.constant, tuple((back[i], w) for i, w in side.form.terms))
        if len(form.terms) == 1:
            box[form.terms[0][0]] = box[form.terms[0][0]].cut(Side(form, side.strict))
        else:
            left.append(Side(form, side.strict))
    if any(r.empty for r in box.values()):
        return NOTHING
    kept = []
    for side in dict.fromkeys(left):
        part = Part(box, side)
        if not possible(part):
            return NOTHING
        if not certain(part):
            kept.append(side)
    if len(kept) > 1:
        return None
    return Part(box, kept[0] if kept else None)


def corner(part: Part, sign: int) -> tuple[Fraction | None, bool]:
    """The greatest value of the half-space's form over the closed box (least: sign -1; None: no bound), and whether the
    end of a side that is left out takes part."""
    assert part.side is not None
    total, open_ = part.side.form.constant, False
    for i, w in part.side.form.terms:
        r = part.box[i]
        up = (w > 0) == (sign > 0)
        end = r.high if up else r.low
        if end is None:
            return None, False
        open_ = open_ or (r.high_strict if up else r.low_strict)
        total += w * end
    return total, open_


def possible(part: Part) -> bool:
    """The box meets the half-space."""
    assert part.side is not None
    most, open_ = corner(part, 1)
    return most is None or most > 0 or (most == 0 and not part.side.strict and not open_)


def certain(part: Part) -> bool:
    """The box lies in the half-space."""
    assert part.side is not None
    least, open_ = corner(part, -1)
    return least is not None and (least > 0 or (least == 0 and (open_ or not part.side.strict)))


def some(part: Part, inputs: Sequence[Form]) -> Vector | None:
    """A point of the part: between its middle and the corner where the half-space is deepest."""
    order = [form.terms[0][0] for form in inputs]
    middle = {i: part.box[i].inner() for i in order}
    if part.side is None:
        return tuple(middle[i] for i in order)
    deep = dict(middle)
    for i, w in part.side.form.terms:
        r = part.box[i]
        end = r.high if w > 0 else r.low
        if end is None:
            return None
        deep[i] = end
    for k in range(MOST_STEPS):
        step = Fraction(1, 2**k)
        point = {i: deep[i] if part.box[i].integer else deep[i] + step * (middle[i] - deep[i]) for i in order}
        value = part.side.form.constant + sum(w * point[i] for i, w in part.side.form.terms)
        if value > 0:
            return tuple(point[i] for i in order)
    return tuple(deep[i] for i in order)


def inside(part: Part, within: Sequence[Side]) -> Part:
    """The part in a box; perhaps empty."""
    box = dict(part.box)
    for side in within:
        box[side.form.terms[0][0]] = box[side.form.terms[0][0]].cut(side)
    found = replace(part, box=box)
    return NOTHING if found.empty or (found.side is not None and not possible(found)) else found


def ball(centre: Mapping[int, Fraction], rates: Mapping[int, Fraction], radius: Fraction, closed: bool) -> list[Side]:
    """max |x_i - centre_i| / rate_i < radius, or <=."""
    found = []
    for i, rate in rates.items():
        reach = radius * rate
        found.append(Side(Form(reach - centre[i], ((i, Fraction(1)),)), not closed))
        found.append(Side(Form(reach + centre[i], ((i, Fraction(-1)),)), not closed))
    return found


def nearest(part: Part, centre: Mapping[int, Fraction], rates: Mapping[int, Fraction]) -> Fraction | None:
    """The infimum of max |x_i - centre_i| / rate_i over the part; inputs without a rate move freely. None: not here.

    The part is not empty, and convex once the free integers stand where the form is greatest: the infimum is the least
    t for which the box around the centre meets the closure.
    """
    least = Fraction(0)
    for i, rate in rates.items():
        r = part.box[i]
        if r.integer and r.low != r.high:
            return None
        if r.low is not None and centre[i] < r.low:
            least = max(least, (r.low - centre[i]) / rate)
        if r.high is not None and centre[i] > r.high:
            least = max(least, (centre[i] - r.high) / rate)
    if part.side is None:
        return least
    most, _ = corner(part, 1)
    if most is not None and most <= 0:
        return None  # it only touches
    fixed = part.side.form.constant
    slope = Fraction(0)
    stops: list[tuple[Fraction, Fraction]] = []  # from this t on, the form grows more slowly by so much
    for i, w in part.side.form.terms:
        r = part.box[i]
        end = r.high if w > 0 else r.low
        if i not in rates:
            if end is None:
                return least
            fixed += w * end
            continue
        far = None if end is None else (end - centre[i]) / rates[i] * (1 if w > 0 else -1)
        if far is not None and far <= least:
            assert end is not None
            fixed += w * end
            continue
        fixed += w * centre[i]
        slope += abs(w) * rates[i]
        if far is not None:
            stops.append((far, abs(w) * rates[i]))
    now, value = least, fixed + slope * least
    for stop, less in sorted(stops):
        if value >= 0:
            return now
        ahead = value + slope * (stop - now)
        if ahead >= 0:
            break
        now, value, slope = stop, ahead, slope - less
    return now if value >= 0 else now - value / slope
