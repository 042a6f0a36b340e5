"""What the tool says. Only `certify` makes verdicts; everything to the right of this room prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from math import ceil
from typing import Literal

from msgspec import Struct

from verifier.engines.asked import Asked as Asked
from verifier.engines.engine import Certificate as Certificate
from verifier.language.root import Root as Root
from verifier.language.surd import Surd
from verifier.model.program import Partition, PointValue, Value
from verifier.source import Diagnostic, Span
from verifier.syntax.tree import Annotation
from verifier.verdict.figure import Figure


class Seen(Struct, frozen=True):
    """What one classifier makes of a witness: its features and labels at each point, and the distance of the first two
    points.

    `features`: one mapping (feature name -> value) a point; `labels`: one a point ("" for a constant oracle);
    `distance` None when there is only one point or no metric is asked for.
    """

    classifier: str
    kind: Literal["model", "oracle"]
    features: tuple[Mapping[str, Value], ...]
    labels: tuple[str, ...]
    distance: Fraction | Root | Surd | None


class Limit(Struct, frozen=True):
    """A limit witness (Theorem 1*): the points x and y + s(z - y), s in (0, 1], have oracle distance `slope2` * s -> 0
    and classifier distance `start` + s * `slope1` -> `start` > 0. The pair shown is the member for the chosen eps.

    `start` is None where it is the decision that stays apart. For uniform containment the first point moves too, from
    `x` towards `x_end`.
    """

    x: PointValue
    y: PointValue
    z: PointValue
    start: Fraction | None
    eps: Fraction
    x_end: PointValue | None = None


class Witness(Struct, frozen=True):
    """A concrete, replayed witness: points by name (`x`, `x'`, or the names a formula quantifies over)."""

    points: Mapping[str, PointValue]
    seen: tuple[Seen, ...] = ()
    limit: Limit | None = None
    notes: tuple[str, ...] = ()

    @property
    def x(self) -> PointValue:
        """The first point."""
        return next(iter(self.points.values()))

    @property
    def x_prime(self) -> PointValue:
        """The second point; KeyError when the witness is a single point."""
        if len(self.points) < 2:
            raise KeyError("this witness is a single point")
        return list(self.points.values())[1]


class Proved(Struct, frozen=True):
    """`trusts`: what was not re-checked by the kernel ("z3 5.4.1"); empty means that the kernel checked all of it.
    `pair`: the witness, where the claim asserts that one exists. `certificates`: what the kernel accepted for it, one a
    question."""

    by: str
    trusts: tuple[str, ...] = ()
    pair: Witness | None = None
    notes: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()


class Refuted(Struct, frozen=True):
    """`pair` None only where the claim asserted that a witness exists, and there is none (then `trusts` may be non-
    empty)."""

    by: str
    pair: Witness | None
    trusts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()


class Undecided(Struct, frozen=True):
    """`later`: the file asks for something this version does not do yet."""

    why: str
    later: bool = False


Verdict = Proved | Refuted | Undecided


def word(verdict: Verdict) -> Literal["proved", "refuted", "unknown"]:
    match verdict:
        case Proved():
            return "proved"
        case Refuted():
            return "refuted"
        case Undecided():
            return "unknown"


class Checked(Struct, frozen=True):
    """The outcome of one assertion. `text`: its body as written, normalised; `of`: the name of the property, or
    "formula".

    `vacuous`: why the assertion says nothing (empty: it does say something). `met`: True, False, or None while unknown.
    `asked`: what the engines were asked for it; None where nobody wants to know.
    """

    name: str
    of: str
    text: str
    span: Span
    verdict: Verdict
    expected: Literal["proved", "refuted"]
    seconds: float
    vacuous: str = ""
    warnings: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    table: Table | None = None
    pieces: Pieces | None = None
    strategy: Strategy | None = None
    asked: tuple[Asked, ...] | None = None

    @property
    def word(self) -> Literal["proved", "refuted", "unknown"]:
        return word(self.verdict)

    @property
    def met(self) -> bool | None:
        if isinstance(self.verdict, Undecided):
            return None
        return self.word == self.expected and not (self.vacuous and self.expected == "proved")

    @property
    def pair(self) -> Witness | None:
        return None if isinstance(self.verdict, Undecided) else self.verdict.pair


Amount = Fraction | Root | str
"""What a measure amounts to: a rational, the root of one, or words ("infinity", the case "III", names of features)."""


class Measurement(Struct, frozen=True):
    """What became of a measure. `amount` None: not computed, `why` says so; `later`: not in this version.

    `attained` None where the word has no meaning. `how`: exact, enclosed (certainly in `enclosure`), or estimated (in
    it with
    the stated confidence; never a proof).
    """

    amount: Amount | None
    attained: bool | None = None
    pair: Witness | None = None
    why: str = ""
    trusts: tuple[str, ...] = ()
    later: bool = False
    how: Literal["exact", "enclosed", "estimated"] = "exact"
    enclosure: tuple[Fraction, Fraction] | None = None
    notes: tuple[str, ...] = ()
    table: Table | None = None
    figure: Figure | None = None
    certificates: tuple[Certificate, ...] = ()


class Row(Struct, frozen=True):
    """What became of one row of a data set. `number` counts from 1, `line` is that of the file; `distance`: the exact
    minimal distance, where one was asked for and computed; `enclosure`: what certainly holds it, where it is not;
    `word` is "" where there is only a distance."""

    number: int
    line: int
    word: Literal["proved", "refuted", "unknown", ""]
    distance: Amount | None = None
    why: str = ""
    enclosure: tuple[Fraction, Fraction] | None = None


class Table(Struct, frozen=True):
    """A claim, row by row."""

    data: str
    file: str
    rows: tuple[Row, ...]

    def count(self, word: str) -> int:
        return sum(r.word == word for r in self.rows)

    @property
    def nearest(self) -> tuple[Row, ...]:
        """The rows with a distance, the least robust first."""
        return tuple(sorted((r for r in self.rows if r.distance is not None), key=lambda r: size(r.distance)))

    def quantile(self, share: Fraction) -> Amount | None:
        """The least distance that at least this share of the rows with a distance does not exceed."""
        ordered = self.nearest
        return ordered[max(0, ceil(share * len(ordered)) - 1)].distance if ordered else None


class Part(Struct, frozen=True):
    """What became of one part of X. `number` counts from 1; `share`: how much of X it is, exactly (None: no number
    says it)."""

    number: int
    word: Literal["proved", "refuted", "unknown"]
    seconds: float
    share: Fraction | None
    why: str = ""


class Pieces(Struct, frozen=True):
    """A claim, part by part."""

    partition: Partition
    parts: tuple[Part, ...]
    certificates: tuple[Certificate, ...] = ()
    """Of parts and of blocks of them, if they were to be kept."""

    def count(self, word: str) -> int:
        return sum(p.word == word for p in self.parts)

    def share(self, word: str) -> Fraction | None:
        """How much of X the parts with this verdict are."""
        shares = [p.share for p in self.parts if p.word == word]
        return None if None in shares else sum((s for s in shares if s is not None), Fraction(0))

    def where(self, index: int) -> str:
        """`age in [10, 19], sex = f`."""
        return ", ".join(f"{n} {'in' if w[0] in '[(' else '='} {w}" for n, w in self.partition.where(index))


class Rule(Struct, frozen=True):
    """Of a strategy: what is chosen, `y = x, but age = 30`, `where` a formula holds (empty: everywhere), or (None)
    wherever that is an answer."""

    where: str | None
    choice: str


class Strategy(Struct, frozen=True):
    """How the points `answers` are chosen once the points `of` are known; in every case some rule applies."""

    of: tuple[str, ...]
    answers: tuple[str, ...]
    rules: tuple[Rule, ...]


def size(amount: Amount | None) -> Fraction | float:
    """What distances are ordered by: the square; infinity is last."""
    match amount:
        case Fraction():
            return amount * amount
        case Root(square):
            return square
        case _:
            return float("inf")


def interval(low: Fraction, high: Fraction, digits: int = 6) -> str:
    """`[0.123456, 0.123789]`, rounded outwards."""
    ends = []
    for end, way in ((low, ROUND_FLOOR), (high, ROUND_CEILING)):
        rounded = Context(digits, way).divide(Decimal(end.numerator), Decimal(end.denominator))
        ends.append(format(rounded.normalize(), "f"))
    return f"[{ends[0]}, {ends[1]}]"


class Computed(Struct, frozen=True):
    """The outcome of one `compute`; `asked` as above."""

    name: str
    text: str
    span: Span
    seconds: float
    result: Measurement
    asked: tuple[Asked, ...] | None = None

    @property
    def value(self) -> Amount | None:
        return self.result.amount

    @property
    def attained(self) -> bool | None:
        return self.result.attained

    @property
    def pair(self) -> Witness | None:
        return self.result.pair

    @property
    def reason(self) -> str:
        return self.result.why

    @property
    def trusts(self) -> tuple[str, ...]:
        return self.result.trusts


class FileResult(Struct, frozen=True):
    """Everything said about one file. `internal_errors`: a failed replay, say (exit code 4)."""

    path: str
    diagnostics: tuple[Diagnostic, ...] = ()
    assertions: tuple[Checked, ...] = ()
    computed: tuple[Computed, ...] = ()
    internal_errors: tuple[str, ...] = ()
    interrupted: bool = False
    lines: Mapping[str, tuple[str, ...]] = {}
    """path -> its lines, for the caret under a diagnostic (a `use` may bring in other files)."""

    @property
    def exit_code(self) -> int:
        """0 all met, 1 contradiction, 2 mistake in the file, 3 undecided, 4 internal error; when several apply: 4, 2,
        1, 3."""
        if self.internal_errors:
            return 4
        if any(d.severity == "error" for d in self.diagnostics):
            return 2
        if any(a.met is False for a in self.assertions):
            return 1
        if (
            self.interrupted
            or any(a.met is None for a in self.assertions)
            or any(c.value is None for c in self.computed)
        ):
            return 3
        return 0

    def __getitem__(self, name: str) -> Checked:
        """The assertion called `name`; KeyError when there is none."""
        for a in self.assertions:
            if a.name == name:
                return a
        raise KeyError(name)

    def __iter__(self) -> Iterator[Checked]:
        return iter(self.assertions)
