"""Backward linear bounds of many nodes at once, in floats: what the kernel's sum would say of each.

A node is replaced by what it is made of, down to the inputs; a relu that is not decided by its chord or by a line below
it, whichever its sign asks for (CROWN: Zhang et al., NeurIPS 2018; DeepPoly: Singh et al., POPL 2019). The kernel makes
the same choices, so a bound needs no more than its node as a certificate. Nodes of the same depth are replaced at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from verifier.engines.relaxation import INF, TIMES, better, floats
from verifier.engines.ties import chords
from verifier.engines.trial import rounded_up
from verifier.kernel.circuit import Affine
from verifier.kernel.problem import GRAIN, Bound, Farkas, Row
from verifier.kernel.ranges import Ranges, Scaled

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Kind = Literal["end", "form", "jump", "relu", "rise"]


class Forms(Struct, frozen=True):
    """The places `at` are affine nodes: weights.T @ places `over` + constants. weights: (len(over), len(at))."""

    at: slice
    over: Places
    weights: Floats
    constants: Floats


class Bends(Struct, frozen=True):
    """The places `at` are relus of the places `over`; or rises, and those are their runs."""

    at: slice
    over: Places
    rises: bool


class Jump(Struct, frozen=True):
    """The place `at` is another choice: `then` or `otherwise`, by the sign of the node `test`."""

    at: slice
    test: int
    then: int
    otherwise: int


class Sweep:
    """For bounds of `nodes`. `differences`: those are runs, to be followed from gap to gap; down to `apart`, nodes that
    name the difference of two inputs. Whatever can occur has a place, behind those of what it is made of."""

    def __init__(
        self, scaled: Scaled, nodes: Collection[int], differences: bool = False, apart: Iterable[int] = ()
    ) -> None:
        self.scaled = scaled
        self.spans, self.apart = (scaled.spans, frozenset(apart)) if differences else ({}, frozenset())
        made: dict[int, tuple[Kind, tuple[int, ...]]] = {}
        todo = [*nodes]
        while todo:
            if (n := todo.pop()) not in made:
                made[n] = self._made_of(n)
                todo += made[n][1]
        stage = stages(made)
        self.order = sorted(made, key=lambda n: (stage[n], n))
        self.place = {n: k for k, n in enumerate(self.order)}
        self.steps: list[Forms | Bends | Jump] = []
        for (_, kind, _), group in groupby(self.order, stage.__getitem__):
            alike = [*group]
            at = slice(self.place[alike[0]], self.place[alike[-1]] + 1)
            if kind == "form":
                self.steps.append(self._forms(at))
            elif kind in ("relu", "rise"):
                self.steps.append(Bends(at, self._places(made[n][1][0] for n in alike), kind == "rise"))
            elif kind == "jump":
                for k, n in enumerate(alike, at.start):
                    then, otherwise = (self.place[j] for j in made[n][1])
                    self.steps.append(Jump(slice(k, k + 1), scaled.select[n][0], then, otherwise))
        self.steps.reverse()
        self.ends = self._places(n for n in self.order if made[n][0] in ("end", "jump"))
        bends = (step.over for step in self.steps if isinstance(step, Bends))
        self.ranged = np.array(
            sorted({*np.concatenate((self._places(nodes), self.ends, *bends)).tolist()}), dtype=np.intp
        )
        self.named: list[tuple[int, Literal["rise", "high"], Literal["fall", "low"], int]] = [
            *((self.place[n], "high", "low", n) for n in sorted(self.apart & made.keys())),
            *((self.place[n], "rise", "fall", g) for g, (n, _) in enumerate(scaled.gaps) if differences and n in made),
        ]

    def _made_of(self, n: int) -> tuple[Kind, tuple[int, ...]]:
        scaled = self.scaled
        if n in self.spans:
            return "rise", (self.spans[n],)
        if n in scaled.select:
            test, then, _, otherwise, _ = scaled.select[n]
            return ("relu", (test,)) if n in scaled.relus else ("jump", (then, otherwise))
        if n in scaled.affine and n not in self.apart:
            return "form", tuple(j for j, _ in scaled.affine[n][0])
        return "end", ()

    def _forms(self, at: slice) -> Forms:
        weights, constants = np.zeros((len(self.order), at.stop - at.start)), np.zeros(at.stop - at.start)
        for k, n in enumerate(self.order[at]):
            node = self.scaled.circuit[n]
            assert isinstance(node, Affine)
            constants[k] = float(node.constant)
            for j, w in node.terms:
                weights[self.place[j], k] += float(w)
        over = np.flatnonzero(weights.any(axis=1))
        return Forms(at, over, weights[over], constants)

    def _places(self, nodes: Iterable[int]) -> Places:
        return np.array([self.place[n] for n in nodes], dtype=np.intp)

    def bounds(self, ranges: Ranges, nodes: Sequence[int], worth: float) -> list[Bound]:
        """Better bounds of `nodes` than `ranges` has: they decide a relu, or take off this share of the range."""
        asked, count = self._places(nodes), len(nodes)
        low, high = self._floats(ranges)
        weight = np.zeros((len(self.order), 2 * count))
        weight[asked, np.arange(count)], weight[asked, np.arange(count, 2 * count)] = 1.0, -1.0
        total = self._backward(ranges, low, high, weight, asked.max(initial=0))
        old, width = np.concatenate((high[asked], -low[asked])), np.tile(high[asked] - low[asked], 2)
        found = []
        for k in map(int, np.flatnonzero((better(total, old, width, worth) | (old == INF)) & np.isfinite(total))):
            node, above = nodes[k % count], k >= count
            value = rounded_up(float(total[k]), self.scaled.unit[node])
            rows = (Row("high" if above else "low", node, TIMES), *self._rows(weight[:, k]))
            found.append(Bound(node, -value if above else value, above, Farkas(rows)))
        return found

    def _floats(self, ranges: Ranges) -> tuple[Floats, Floats]:
        """The ranges of all places where they matter."""
        low, high = np.full((2, len(self.order)), np.nan)
        low[self.ranged], high[self.ranged] = floats(ranges, self.scaled.unit, [self.order[k] for k in self.ranged])
        return low, high

    def _backward(self, ranges: Ranges, low: Floats, high: Floats, weight: Floats, last: np.intp) -> Floats:
        """What the sums of weight * place are at most, the `last` place with a weight being given. `weight` (places,
        sums) is left as each place had it when it was replaced."""
        total = np.zeros(weight.shape[1])
        for step in self.steps:
            if step.at.start > last:
                continue
            k = weight[step.at]
            match step:
                case Forms(_, over, weights, constants):
                    weight[over] += weights @ k
                    total += constants @ k
                case Bends(_, over, rises):
                    least, most, up, down = low[over], high[over], np.maximum(k, 0.0), np.maximum(-k, 0.0)
                    slope, shift = rounded(least, most)
                    total += times(shift, up)
                    if rises:  # at least -relu(-run)
                        under, beneath = rounded(-most, -least)
                        total += times(beneath, down)
                    else:
                        under = np.where((least >= 0) | (most > -least), 1.0, 0.0)
                    weight[over] += slope[:, None] * up - under[:, None] * down
                case Jump(at, test, then, otherwise):
                    taken = ranges.outcome(test)
                    if taken is not None:
                        weight[then if taken else otherwise] += k[0]
                        weight[at] = 0.0
        k = weight[self.ends]
        return total + times(high[self.ends], np.maximum(k, 0.0)) + times(-low[self.ends], np.maximum(-k, 0.0))

    def _rows(self, weight: Floats) -> Iterator[Row]:
        for place, up, down, named in self.named:
            if many := round(abs(float(weight[place])) * TIMES):
                yield Row(up if weight[place] > 0 else down, named, many)


def stages(made: dict[int, tuple[Kind, tuple[int, ...]]]) -> dict[int, tuple[int, Kind, int]]:
    """What is replaced at once: nodes of a kind and of a depth (the longest path down), but no two relus of a node."""
    found: dict[int, tuple[int, Kind, int]] = {}
    seen: Counter[tuple[Kind, tuple[int, ...]]] = Counter()
    for n in sorted(made):
        kind, below = made[n]
        found[n] = 1 + max((found[j][0] for j in below), default=-1), kind, 0 if kind == "form" else seen[kind, below]
        seen[kind, below] += 1
    return found


def rounded(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Chords with slopes of GRAIN bits, as the kernel has them: finer ones promise more than its sum says."""
    slope, shift = chords(low, high)
    short = np.ldexp(np.floor(np.ldexp(slope, GRAIN)), -GRAIN)
    return short, shift + (slope - short) * np.where(np.isinf(high), 0.0, high)


def times(bounds: Floats, weights: Floats) -> Floats:
    """bounds @ weights for weights >= 0, where 0 times an infinite bound is 0."""
    endless = np.isinf(bounds)
    total: Floats = np.where(endless, 0.0, bounds) @ weights
    total[weights[endless].any(axis=0)] = INF
    return total
