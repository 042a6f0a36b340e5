"""What a file declares, once its names are resolved: the objects of THEORY section 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, prod
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from verifier.language import metrics
from verifier.model.network import Network
from verifier.source import Span
from verifier.syntax import tree

Value = Fraction | tuple["Value", ...] | str
"""What a coordinate of a concrete point holds: a number, a vector of numbers, or the member of a finite sort."""

PointValue = Mapping[str, Value]
"""A concrete point of the domain: coordinate name -> value."""


class Coordinate(Struct, frozen=True):
    """One named coordinate of the domain.

    kind `real`: a number, or with `size` n a vector of n; `int`: a bounded integer; `finite`: one of `members`.
    low/high None: unbounded; `low_open` means that `low` itself is excluded. The interval holds for every entry of a
    vector.
    """

    name: str
    kind: Literal["real", "int", "finite"]
    span: Span
    size: int | None = None
    members: tuple[str, ...] = ()
    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def interval(self) -> str:
        """Its interval as it is written."""
        low = "-infinity" if self.low is None else self.low
        high = "infinity" if self.high is None else self.high
        left = "(" if self.low is None or self.low_open else "["
        return f"{left}{low}, {high}{')' if self.high is None or self.high_open else ']'}"

    def holds(self, value: Fraction) -> bool:
        """The number lies in the interval."""
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        return above and (self.high is None or value < self.high or (value == self.high and not self.high_open))


class Domain(Struct, frozen=True):
    """X: the coordinates in order, and the `where` formula over their names (None: no more constraints)."""

    name: str
    coordinates: tuple[Coordinate, ...]
    where: tree.Expr | None
    span: Span
    tight: Mapping[tuple[str, int], tuple[Fraction | None, Fraction | None]] = {}
    """Closed sides that `where` implies: of the entry of a vector, or (entry 0) of the code of a member."""

    @property
    def is_box(self) -> bool:
        """All real coordinates with two ends, and nothing else."""
        ends = all(c.kind == "real" and c.low is not None and c.high is not None for c in self.coordinates)
        return ends and self.where is None

    def coordinate(self, name: str) -> Coordinate | None:
        return next((c for c in self.coordinates if c.name == name), None)


class Feature(Struct, frozen=True):
    """A named feature: `value` over coordinates (for `features all`: the coordinate's own Name).

    size None: a number; n: a vector of n numbers; `members` non-empty: a finite coordinate taken as it is (nominal: it
    differs or not).
    """

    name: str
    value: tree.Expr
    size: int | None = None
    members: tuple[str, ...] = ()


class MetricUse(Struct, frozen=True):
    """The metric of a classifier on its feature vectors, resolved.

    `builtin`: a name in `language.metrics.METRICS` or `QUADRATIC`, with one positive `scale` (a difference is divided
    by it) per feature entry, in the order of the flattened features; or a user metric: `parameters` (two names bound to
    feature vectors) and `body`; or the sum or maximum (`join`) of `parts`. All but the user's are times `factor` > 0.
    A quadratic metric has its `squares` (d^2 = sum of weight * (row . scaled differences)^2), mahalanobis its `matrix`.
    """

    span: Span
    builtin: str = ""
    scales: tuple[Fraction, ...] = ()
    parameters: tuple[str, str] = ("u", "v")
    body: tree.Expr | None = None
    matrix: tuple[tuple[Fraction, ...], ...] = ()
    squares: tuple[tuple[Fraction, tuple[Fraction, ...]], ...] = ()
    join: Literal["", "sum", "max"] = ""
    parts: tuple[MetricUse, ...] = ()
    factor: Fraction = Fraction(1)

    @property
    def is_quadratic(self) -> bool:
        """Its square is a quadratic form: its distances are roots."""
        return self.builtin in metrics.QUADRATIC

    @property
    def is_norm(self) -> bool:
        """Its topology is certainly the one of the features: a built-in norm, or a combination that has one."""
        if self.join:
            return all(part.is_norm for part in self.parts)
        if self.is_quadratic:
            return not self.matrix or len(self.squares) == len(self.matrix)
        return self.builtin in metrics.METRICS and metrics.METRICS[self.builtin].is_norm

    @property
    def separates(self) -> bool:
        """It is 0 only where all features agree: built in, and not a singular mahalanobis."""
        if self.join:
            return any(part.separates for part in self.parts)
        return self.is_norm if self.is_quadratic else self.body is None

    @property
    def is_written(self) -> bool:
        """The user's own, or made of one."""
        return self.body is not None or any(part.is_written for part in self.parts)

    @property
    def text(self) -> str:
        """A built-in metric in words."""
        times = "" if self.factor == 1 else f"{self.factor} * "
        if self.join == "max":
            return f"{times}max({', '.join(p.text for p in self.parts)})"
        if self.join == "sum":
            inner = " + ".join(p.text for p in self.parts)
            return f"{times}({inner})" if times else inner
        of = ""
        if self.matrix:
            of = "([" + ", ".join("[" + ", ".join(map(str, row)) + "]" for row in self.matrix) + "])"
        divided = f", each entry divided by {', '.join(map(str, self.scales))}"
        scaled = divided if any(s != 1 for s in self.scales) else ""
        return times + self.builtin + of + scaled


class Classifier(Struct, frozen=True):
    """f = c . g, written out (`features` with expressions, `decide`) or imported (`network`).

    For a network: `inputs` is the expression of the vector it is fed (None: all coordinates in order, finite ones by
    their code), its one
    feature `g` is the network value number `cut` (see Network.values), its scores decide.
    `decide` None without a network: the constant classifier. `metric` None: linf, where only the topology matters.
    """

    kind: Literal["model", "oracle"]
    name: str
    span: Span
    features: tuple[Feature, ...]
    metric: MetricUse | None
    decide: tree.Expr | None
    network: Network | None = None
    inputs: tree.Expr | None = None
    cut: int = 0

    def feature(self, name: str) -> Feature | None:
        return next((f for f in self.features if f.name == name), None)


class Function(Struct, frozen=True):
    """`def f(v) = body`: an abbreviation; arguments are bound to values, the body sees them and the file's constants
    and functions."""

    name: str
    parameters: tuple[str, ...]
    body: tree.Expr
    span: Span


class Data(Struct, frozen=True):
    """A finite data set: points of the domain in the order of the file, the `lines` they stand in, and their `labels`
    (None: the file has none that was asked for). `skipped`: rows outside of the domain, left out on request."""

    name: str
    file: str
    rows: tuple[PointValue, ...]
    lines: tuple[int, ...]
    labels: tuple[str, ...] | None
    span: Span
    skipped: int = 0

    def row(self, index: int) -> str:
        """`row 3 (line 4 of iris.csv)`; rows count from 1."""
        return f"row {index + 1} (line {self.lines[index]} of {self.file})"


class Slices(Struct, frozen=True):
    """The slices of one coordinate (of one `entry` of a vector), in order: the members of a finite one; else between
    `start` + k * `width` for k = 0, 1, ..., or (width 0) between `points`."""

    coordinate: Coordinate
    entry: int | None
    count: int
    start: Fraction = Fraction(0)
    width: Fraction = Fraction(0)
    points: tuple[Fraction, ...] = ()

    @property
    def name(self) -> str:
        return self.coordinate.name if self.entry is None else f"{self.coordinate.name}[{self.entry}]"

    def __getitem__(self, k: int) -> Coordinate:
        """Slice k, as a coordinate that has only these values: half-open on the right but for the last one."""
        c = self.coordinate
        if c.kind == "finite":
            return replace(c, members=(c.members[k],))
        low, high = (self._cut(k) if k else c.low), (self._cut(k + 1) if k + 1 < self.count else c.high)
        if c.kind == "int":
            assert low is not None and high is not None
            most = high if k + 1 == self.count else Fraction(ceil(high) - 1)
            return replace(c, low=Fraction(ceil(low)), high=most)
        low_open, high_open = c.low_open and k == 0, c.high_open if k + 1 == self.count else True
        return replace(c, size=None, low=low, high=high, low_open=low_open, high_open=high_open)

    def _cut(self, k: int) -> Fraction:
        return self.start + k * self.width if self.width else self.points[k - 1]

    def share(self, k: int) -> Fraction | None:
        """How much of the coordinate slice k is; None where the coordinate is unbounded."""
        part, whole = measure(self[k]), measure(self.coordinate)
        if part is None or whole is None:
            return None
        return part / whole if whole else Fraction(1)


def measure(c: Coordinate) -> Fraction | None:
    """The number of values, or of a real coordinate the length of its interval; None: infinite."""
    if c.kind == "finite":
        return Fraction(len(c.members))
    if c.low is None or c.high is None:
        return None
    return c.high - c.low + (c.kind == "int")


class Partition(Struct, frozen=True):
    """X as the disjoint union of its parts, one for each choice of a slice of every cut coordinate; the last cut varies
    fastest. Parts are counted from 0 and never listed."""

    name: str
    cuts: tuple[Slices, ...]
    span: Span

    @property
    def count(self) -> int:
        return prod(cut.count for cut in self.cuts)

    def slices(self, index: int) -> tuple[tuple[Slices, int], ...]:
        """The slice that part `index` takes of each cut."""
        chosen = []
        for cut in reversed(self.cuts):
            index, k = divmod(index, cut.count)
            chosen.append((cut, k))
        return tuple(reversed(chosen))

    def number(self, slices: Sequence[int]) -> int:
        """The part that takes these slices."""
        index = 0
        for cut, k in zip(self.cuts, slices, strict=True):
            index = index * cut.count + k
        return index

    def where(self, index: int) -> tuple[tuple[str, str], ...]:
        """Part `index` in words: (coordinate, its interval or member), in order."""
        return tuple(
            (cut.name, cut[k].members[0] if cut.coordinate.kind == "finite" else cut[k].interval)
            for cut, k in self.slices(index)
        )


class Program(Struct):
    """Everything a file declares. `constants` holds the exact values of `let` and `param` (numbers, vectors,
    matrices)."""

    path: str
    domain: Domain | None = None
    labels: tuple[str, ...] = ()
    classifiers: dict[str, Classifier] = {}
    functions: dict[str, Function] = {}
    constants: dict[str, Value] = {}
    points: dict[str, PointValue] = {}
    data: dict[str, Data] = {}
    partitions: dict[str, Partition] = {}
    later: dict[str, str] = {}
    """Classifiers that cannot be read yet: name -> what is missing."""
    assertions: list[tree.Assert] = []
    computes: list[tree.Compute] = []
