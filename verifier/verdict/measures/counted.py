"""The same measures over the rows of a data set: counting, by exact evaluation.

x and x' are two independent draws, so a pair is ordered and a row may be paired with itself; `distinct(D)` leaves those
pairs out. Distances of built-in norms are compared as whole numbers over a common denominator, many at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import ceil, floor, lcm
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.model.claim import Computation
from verifier.model.program import Data, PointValue, Value
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.measures import min_distance
from verifier.verdict.verdict import Measurement, Witness, interval

if TYPE_CHECKING:
    import numpy as np

    from verifier.verdict.decide import Decider

BLOCK = 200
"""So many rows are compared with all others at once."""
SHORT = 2**62
"""Whole numbers below fit into 64 bits; longer ones are slower, and as exact."""


def probability(decider: Decider, computation: Computation) -> Measurement:
    """The share of the pairs of rows (or of the rows around p) that agree, exactly, and the first that does not."""
    counter = Counter(decider, computation)
    near = agree = 0
    flip: tuple[int, int] | None = None
    for i, others in counter.pairs():
        if decider.left() <= 0:
            return Measurement(None, why=f"out of time after {i} of {len(counter.rows)} rows")
        same = [j for j in others if counter.labels[j] == counter.label(i)]
        near, agree = near + len(others), agree + len(same)
        if flip is None and len(same) < len(others):
            flip = i, next(j for j in others if counter.labels[j] != counter.label(i))
    what = counter.kind
    if not near:
        return Measurement(None, why=f"no {what} of {counter.data.name} is near and alike for the oracle")
    drawn = f"Over the {len(counter.rows)} rows of {counter.data.name}"
    how = "" if counter.around else ", a row with itself " + ("left out" if computation.over.distinct else "included")
    note = f"{drawn}{how}: {near} {what}{'s' if near > 1 else ''} near and alike, {agree} of them agree."
    return Measurement(Fraction(agree, near), pair=counter.shown(flip), notes=(note,))


class Counter:
    """The rows, what is asked of them, and which of them are near each other."""

    def __init__(self, decider: Decider, computation: Computation) -> None:
        self.decider, self.computation = decider, computation
        self.data: Data = decider.program.data[computation.over.data]
        self.rows = self.data.rows
        self.f1, self.f2 = computation.classifier("f1"), computation.classifier("f2")
        given = computation.arguments.get("p")
        self.around = given.id if isinstance(given, tree.Name) else ""
        self.kind = "row" if self.around else "ordered pair"
        interpreter = decider.replay.interpreter
        self.labels = [interpreter.label(self.f1, row) for row in self.rows]
        self.closed = computation.choices.get("closed") == "true"
        self.radius = computation.number("radius")
        formulas = computation.formulas.items()
        held = {name: [interpreter.truth(f, {"x": row}) for row in self.rows] for name, f in formulas}
        both = held.get("where_both", [True] * len(self.rows))
        self.first = [a and b for a, b in zip(held.get("where", both), both, strict=True)]
        self.second = both

    def label(self, i: int) -> str:
        return self.labels[i] if not self.around else self.decider.replay.interpreter.label(self.f1, self.start)

    @property
    def start(self) -> PointValue:
        """The point that is fixed."""
        return self.decider.program.points[self.around]

    def pairs(self) -> Iterator[tuple[int, list[int]]]:
        """The places of the possible x, each with those of the x' that it is near to and alike for f2."""
        interpreter = self.decider.replay.interpreter
        if self.around:
            own = interpreter.label(self.f2, self.start) if self.computation.choices.get("agree") != "false" else None
            found = (j for j, row in enumerate(self.rows) if own in (None, interpreter.label(self.f2, row)))
            yield 0, [j for j in found if self.within(self.start, self.rows[j])]
            return
        groups: dict[str, list[int]] = {}
        for j, row in enumerate(self.rows):
            groups.setdefault(interpreter.label(self.f2, row), []).append(j)
        for group in groups.values():
            for i, near in self.neighbours(group):
                if self.first[i]:
                    yield i, [j for j in near if self.second[j] and not (i == j and self.computation.over.distinct)]

    def within(self, left: PointValue, right: PointValue) -> bool:
        distance = self.decider.replay.interpreter.distance(self.f2, left, right)
        return distance < self.radius or (self.closed and distance == self.radius)

    def neighbours(self, group: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Each row of a group with those of the group that lie in its ball."""
        columns = self.columns(group)
        if columns is None:
            for i in group:
                yield i, [j for j in group if self.within(self.rows[i], self.rows[j])]
            return
        kind, table, most = columns
        for start in range(0, len(group), BLOCK):
            part = table[start : start + BLOCK]
            total = abs(part[:, None, 0] - table[None, :, 0]) ** (2 if kind == "l2" else 1)
            for k in range(1, table.shape[1]):
                step = abs(part[:, None, k] - table[None, :, k])
                match kind:
                    case "linf":
                        total = total * (total >= step) + step * (step > total)
                    case "l1":
                        total = total + step
                    case _:
                        total = total + step**2
            for i, line in zip(group[start : start + BLOCK], total <= most, strict=True):
                yield i, [group[int(j)] for j in line.nonzero()[0]]

    def columns(self, group: Sequence[int]) -> tuple[str, np.ndarray, int] | None:
        """The features as whole numbers, and the greatest distance (its square, for l2) between neighbours; None for
        metrics and features of another kind."""
        import numpy as np

        classifier = self.decider.program.classifiers[self.f2]
        metric = classifier.metric
        if metric is None or metric.builtin not in ("linf", "l1", "l2") or self.radius < 0:
            return None
        interpreter = self.decider.replay.interpreter
        images = [flat(interpreter.features(self.f2, self.rows[i]).values()) for i in group]
        if not images[0] or any(image is None for image in images):
            return None
        scales = metric.scales or (Fraction(1),) * len(images[0] or ())
        scaled = [[x / s for x, s in zip(image or (), scales, strict=True)] for image in images]
        common = lcm(*(x.denominator for image in scaled for x in image))
        whole = [[int(x * common) for x in image] for image in scaled]
        most = self.radius / metric.factor * common
        most = most * most if metric.builtin == "l2" else most
        limit = floor(most) if self.closed else ceil(most) - 1
        reach = 2 * max(abs(x) for image in whole for x in image)
        bound = len(scales) * (reach * reach if metric.builtin == "l2" else reach)
        table = np.array(whole, dtype=np.int64 if max(bound, abs(limit)) < SHORT else object)
        return metric.builtin, table, limit

    def shown(self, flip: tuple[int, int] | None) -> Witness | None:
        """Two rows that are near, alike for the oracle and told apart."""
        if flip is None:
            return None
        i, j = flip
        if self.around:
            ends = tree.Name(NOWHERE, self.around), tree.Name(NOWHERE, "x'")
            return self.decider.show({"x'": self.rows[j]}, ends, self.computation.shown)
        return self.decider.show({"x": self.rows[i], "x'": self.rows[j]}, None, self.computation.shown)


def mean(decider: Decider, computation: Computation) -> Measurement:
    """ARC and ARCA over the rows: the mean of their minimal distances (those whose square is rational are enclosed)."""
    data = computation.over.data
    name = tree.Name(NOWHERE, data)
    inner = replace(computation, arguments={**computation.arguments, "D": name}, choices={"agree": "false"})
    found = min_distance.compute(decider, inner)
    if found.table is None:
        return found
    interpreter = decider.replay.interpreter
    f1, f2 = computation.classifier("f1"), computation.classifier("f2")
    rows = decider.program.data[data].rows
    right = [computation.word == "arc" or interpreter.label(f1, r) == interpreter.label(f2, r) for r in rows]
    counting = [r for r, counts in zip(found.table.rows, right, strict=True) if counts]
    amounts = [r.distance for r in counting]
    note = f"The mean over the {len(rows)} rows of {data}" + ("." if all(right) else f"; {len(amounts)} of them agree.")
    if "infinity" in amounts:
        return Measurement("infinity", trusts=found.trusts, notes=(note,), table=found.table)
    bounds = [min_distance.ends(r) for r in counting]
    low, high = (sum((known(b[i]) for b in bounds), Fraction(0)) for i in range(2))
    if low == high:
        return Measurement(low / len(rows), trusts=found.trusts, notes=(note,), table=found.table)
    ends = low / len(rows), high / len(rows)
    return Measurement(
        interval(*ends, digits=10),
        why="a mean of roots is only enclosed",
        trusts=found.trusts,
        how="enclosed",
        enclosure=ends,
        notes=(note,),
        table=found.table,
    )


def known(amount: Fraction | float) -> Fraction:
    assert isinstance(amount, Fraction)
    return amount


def flat(values: Iterable[Value]) -> list[Fraction] | None:
    """The entries of a feature vector; None where some are no numbers."""
    found: list[Fraction] = []
    for value in values:
        for entry in value if isinstance(value, tuple) else (value,):
            if not isinstance(entry, Fraction):
                return None
            found.append(entry)
    return found
