"""What an engine may say. It only answers; verdicts are made elsewhere, after a check."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.eliminate import Half
from verifier.kernel.problem import Problem, Proof, Tree
from verifier.language.surd import Exact
from verifier.query.piece import Row

Vector = tuple[Fraction, ...]
Claimed = tuple[Problem, Proof]
"""What the kernel is asked to accept."""
MOST_FREE = 8
"""Inputs that are not fixed; with more, boxes of them are too many."""
Grid = tuple[tuple[tuple[int, ...], tuple[tuple[Fraction, Fraction], ...]], ...]
"""Boxes: all combinations of slices, the last cut varies fastest. A cut: the inputs that it is of, and the sides of its
slices."""
DIGITS = 12
"""Longer numbers are rounded to so many digits in words."""
Work = tuple[tuple[str, int], ...]
"""What a search took: so many of each (branches, boxes)."""


class Certificate(Struct, frozen=True):
    """A proof that the kernel has accepted, in so many seconds."""

    problem: Problem
    proof: Proof
    seconds: float

    @property
    def steps(self) -> int:
        return sum(1 for _ in self.proof.steps) if isinstance(self.proof, Tree) else 1


class Holds(Struct, frozen=True):
    """No solution exists. `trusts`: what has to be believed for that ("z3 5.4.1"), unless the kernel accepts the
    `proof`; empty: it has to. `checking`: in how many seconds it did."""

    by: str
    trusts: tuple[str, ...] = ()
    proof: Claimed | None = None
    checking: float = 0.0
    work: Work = ()

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        return () if self.proof is None else (Certificate(*self.proof, self.checking),)


class Null(Struct, frozen=True):
    """The solutions are null: each lies on one of `flats`, where all rows of it are 0. `inside`: a point of the domain,
    relatively interior to one of its thickest pieces. `proof`: that no solution lies off the flats."""

    by: str
    flats: tuple[tuple[Row, ...], ...]
    inside: Vector
    trusts: tuple[str, ...] = ()
    proof: Claimed | None = None


class Fails(Struct, frozen=True):
    """A solution: `points[0]` solves the question; a limit witness adds the closure point `points[1]` (Theorem 1*)."""

    by: str
    points: tuple[Vector, ...]
    work: Work = ()


class Least(Struct, frozen=True):
    """An infimum: `value` None when nothing is feasible; attained at `points[0]`, or approached from it towards
    `points[1]`. `proofs`: that there is nothing below it, if that is not trusted (`query.closure` has the
    questions)."""

    by: str
    value: Fraction | None
    attained: bool
    points: tuple[Vector, ...] = ()
    trusts: tuple[str, ...] = ()
    proofs: tuple[Claimed, ...] = ()
    work: Work = ()


class Most(Struct, frozen=True):
    """A supremum: `value` None when it is infinite. Attained at `points[0]`; or approached by the solutions
    (z + r u) / (1 + r t), r -> infinity, where z is `points[0]` and (u, t) is `points[1]`: t > 0 leads to u / t, in the
    closure of the piece of z, and t = 0 runs off in the direction u. No points: there was nothing to take it over."""

    by: str
    value: Fraction | None
    attained: bool
    points: tuple[Vector, ...] = ()
    trusts: tuple[str, ...] = ()
    proofs: tuple[Claimed, ...] = ()
    work: Work = ()


class Stretch(Struct, frozen=True):
    """For delta between `start` and `end` (None: beyond all bounds) w(delta) is `low` + `slope` * (delta - start), or
    infinite (`low` None): so far out reach the pairs on the way from the solution `z` to a place between `near` and
    `far`.

    Places are those of the homogenised piece of z, as of `Most`. `near` has an oracle distance of at most `start`,
    `far` of at most `end`. `far` may be a direction that is run along from `near`, or None: then `near` is enough for
    all of the stretch."""

    start: Fraction
    end: Fraction | None
    low: Fraction | None
    slope: Fraction
    z: Vector
    near: Vector
    far: Vector | None

    def at(self, delta: Fraction) -> Fraction | None:
        return None if self.low is None else self.low + self.slope * (delta - self.start)


class Knot(Struct, frozen=True):
    """A place where w may bend or jump: `value` is w there (None: infinite), `after` what follows up to the next knot.

    `here`: where w jumps up to `value`, the z and the place with at most this oracle distance that show it. `attained`:
    the pair at which `value` is the classifier distance, if any; `attained_after`: one in the middle of the stretch
    (one beyond its start, if it has no end), which stands for all of its inside."""

    value: Fraction | None
    here: tuple[Vector, Vector] | None
    after: Stretch
    attained: Vector | None = None
    attained_after: Vector | None = None


class Curve(Struct, frozen=True):
    """The function w from 0 on, by its knots in order; the first is at 0."""

    by: str
    knots: tuple[Knot, ...]
    trusts: tuple[str, ...] = ()


class Arc(Struct, frozen=True):
    """For `start` < h <= `end` (None: without bound) pairs with a classifier distance of at least h have oracle
    distances down to the root of a h^2 + b h + c, the `square` (a, b, c).

    Of the homogenised piece of the solution z (as of `Most`), the places on the way from `near` to `far`, which may be
    a direction, have these classifier distances and squares: from that of `near` on, `ends[0]`, to `ends[1]`.
    `attained`: pairs are as near as that, at every such h (of flat arcs this is not said)."""

    start: Exact
    end: Exact | None
    square: tuple[Fraction, Fraction, Fraction]
    z: Vector
    near: Vector
    far: Vector
    ends: tuple[Fraction, Fraction | None]
    attained: bool = False

    def at(self, h: Exact) -> Exact:
        a, b, c = self.square
        return (a * h + b) * h + c

    @property
    def flat(self) -> bool:
        return not any(self.square[:2])


class Jump(Struct, frozen=True):
    """At an oracle distance whose square is `level` w is `value` (None: infinite): `here` are a solution so near and a
    place so near of its piece that show it, unless w is no more than its limit from the left."""

    level: Fraction
    value: Exact | None
    here: tuple[Vector, Vector] | None


class Arcs(Struct, frozen=True):
    """The modulus turned round: its arcs by growing height, and what it is where it jumps (one for each flat arc)."""

    by: str
    arcs: tuple[Arc, ...]
    jumps: tuple[Jump, ...]
    trusts: tuple[str, ...] = ()


class Ridge(Struct, frozen=True):
    """For delta strictly between `start` and `end` (None: beyond all bounds), or just at `start` where both are equal,
    w(delta) is the root of a delta^2 + b delta + c, the `square` (a, b, c).

    Of the homogenised piece of the solution z (as of `Most`), the places on the way from `near` to `far` have oracle
    distances of at most delta, from `ends[0]` to `ends[1]` (None: `near` will do for all), and these squares. Where w
    jumps up at a single delta, z itself is so near. `attained`: by pairs, at every such delta; one of them is `pair`,
    which is at `start` or at the short number in between, if that is rational."""

    start: Exact
    end: Exact | None
    square: tuple[Fraction, Fraction, Fraction]
    z: Vector
    near: Vector
    far: Vector
    ends: tuple[Fraction, Fraction | None]
    attained: bool
    pair: Vector | None

    @property
    def single(self) -> bool:
        return self.start == self.end

    def at(self, delta: Exact) -> Exact:
        a, b, c = self.square
        return (a * delta + b) * delta + c


class Ridges(Struct, frozen=True):
    """The function w from 0 on: single distances, and what lies between them."""

    by: str
    ridges: tuple[Ridge, ...]
    trusts: tuple[str, ...] = ()


class Torn(Struct, frozen=True):
    """The x at which containment fails: within X the union of `parts`, and also that of `pieces`, one piece each, which
    do not need X besides. `points`: for each piece a solution z and a closure point y (Theorem 1*)."""

    by: str
    parts: tuple[tuple[Half, ...], ...]
    pieces: tuple[tuple[Half, ...], ...]
    points: tuple[tuple[Vector, Vector], ...]
    trusts: tuple[str, ...] = ()


class Reply(Struct, frozen=True):
    """A rule of a strategy: to every choice in `part`, one of them `at`, these images of it are an answer."""

    part: tuple[Half, ...]
    images: tuple[Row, ...]
    at: Vector


class Strategy(Struct, frozen=True):
    """To every choice one of the rules has an answer. It is a guess; nothing has been checked. `joint`: a rule works
    beyond its part, too, and the parts do not cover X."""

    by: str
    replies: tuple[Reply, ...]
    joint: bool = False


class Unknown(Struct, frozen=True):
    """`most`: at least the infimum that was asked for is no larger."""

    why: str
    work: Work = ()
    most: Fraction | None = None


Answer = Holds | Null | Fails | Least | Most | Curve | Arcs | Ridges | Torn | Strategy | Unknown


def so_far(why: str, best: Fraction | None, up: bool, what: str = "it") -> str:
    """Why an extreme stayed open, and on which side of the best value it lies; a long number is rounded away from
    that side."""
    return why if best is None else f"{why}; {what} is at {'least' if up else 'most'} {in_words(best, up)}"


def in_words(value: Fraction, up: bool | None = None) -> str:
    """A number; a long one in a few digits, rounded down where the true one lies `up`, up where it lies below."""
    if len(text := str(value)) <= DIGITS:
        return text
    rounding = {None: ROUND_HALF_EVEN, True: ROUND_FLOOR, False: ROUND_CEILING}[up]
    near = Context(prec=DIGITS, rounding=rounding).divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{near:g}" if up is not None else f"about {near:g}"


def work_of(answer: object) -> Work:
    """What a search took for its answer, as far as it says so."""
    work: Work = getattr(answer, "work", ())
    return work


def worked(answer: Answer, **work: int) -> Answer:
    """The answer of a search, with what it took."""
    if not isinstance(answer, Holds | Fails | Least | Most | Unknown):
        return answer
    return replace(answer, work=tuple((what, n) for what, n in work.items() if n))


class EngineFailed(Exception):
    """The engine itself broke: an internal error, never a verdict."""
