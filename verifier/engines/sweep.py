"""Backward linear bounds of many nodes at once, in floats: what the kernel's sum would say of each.

A node is replaced by what it is made of, down to the inputs; a relu that is not decided by its chord or by a line below
it, whichever its sign asks for (CROWN: Zhang et al., NeurIPS 2018; DeepPoly: Singh et al., POPL 2019). The kernel makes
the same choices, so a bound needs no more than its node as a certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from verifier.engines.relaxation import INF, TIMES, chords
from verifier.engines.trial import rounded_up
from verifier.kernel.circuit import Affine, Input
from verifier.kernel.problem import Farkas, Row
from verifier.kernel.ranges import Ranges, Scaled

Floats = NDArray[np.float64]


class Found(Struct, frozen=True):
    """`node` < value, or >= value where `above`; `end` closes the other side."""

    node: int
    value: Fraction
    above: bool
    end: Farkas


class Sweep:
    def __init__(self, scaled: Scaled, apart: Iterable[int] = ()) -> None:
        """`apart`: nodes that name the difference of two inputs."""
        self.scaled, self.apart = scaled, frozenset(apart)
        self.affine = {
            n: (np.array([j for j, _ in node.terms], dtype=np.intp), np.array([float(w) for _, w in node.terms]))
            for n, node in enumerate(scaled.circuit)
            if isinstance(node, Affine)
        }
        self.constant = {n: float(node.constant) for n, node in enumerate(scaled.circuit) if isinstance(node, Affine)}
        self.gap = {rise: (g, run) for g, (rise, run) in enumerate(scaled.gaps)}

    def bounds(self, ranges: Ranges, nodes: Sequence[int], differences: bool, worth: float) -> list[Found]:
        """Better bounds of `nodes` than `ranges` has: they decide a relu, or take off this share of the range.
        `differences`: the nodes are runs of gaps, to be followed from gap to gap."""
        scaled = self.scaled
        low = np.array([-INF if b is None else b / u for b, u in zip(ranges.low, scaled.unit, strict=True)])
        high = np.array([INF if b is None else b / u for b, u in zip(ranges.high, scaled.unit, strict=True)])
        slopes, shifts = chords(low, high)
        under, beneath = chords(-high, -low)  # of relu(-v)
        count = len(nodes)
        weight = np.zeros((2 * count, len(low)))
        weight[np.arange(count), nodes] = 1.0
        weight[np.arange(count, 2 * count), nodes] = -1.0
        total = np.zeros(2 * count)
        used: dict[int, Floats] = {}
        ends: dict[int, Floats] = {}
        with np.errstate(invalid="ignore"):
            for n in range(max(nodes), -1, -1):
                k = weight[:, n]
                if not k.any():
                    continue
                k = k.copy()
                up, down = np.maximum(k, 0.0), np.minimum(k, 0.0)
                if differences and n in self.gap:
                    g, run = self.gap[n]
                    used[g] = k
                    weight[:, run] += up * slopes[run] + down * under[run]
                    total += scaled_by(up, shifts[run]) - scaled_by(down, beneath[run])
                elif differences and n in self.apart:
                    ends[n] = k
                    total += scaled_by(up, high[n]) + scaled_by(down, low[n])
                elif n in self.affine:
                    terms, weights = self.affine[n]
                    weight[:, terms] += k[:, None] * weights
                    total += k * self.constant[n]
                elif n in scaled.select:
                    test, then, _, otherwise, _ = scaled.select[n]
                    taken = ranges.outcome(test)
                    if taken is not None:
                        weight[:, then if taken else otherwise] += k
                    elif n in scaled.relus:
                        weight[:, test] += up * slopes[test] + down * float(high[test] > -low[test])
                        total += scaled_by(up, shifts[test])
                    else:
                        total += scaled_by(up, high[n]) + scaled_by(down, low[n])
                else:
                    assert isinstance(scaled.circuit[n], Input)
                    total += scaled_by(up, high[n]) + scaled_by(down, low[n])
        found: list[Found] = []
        for row, node in enumerate((*nodes, *nodes)):
            above = row >= count
            old, new = (-low[node], total[row]) if above else (high[node], total[row])
            width = high[node] - low[node]
            if not np.isfinite(new) or not (new < old - worth * width or (new < 0 <= old) or old == INF):
                continue
            value = rounded_up(float(new))
            rows = [Row("high" if above else "low", node, TIMES)]
            for g, weights in used.items():
                times = round(abs(float(weights[row])) * TIMES)
                if times:
                    rows.append(Row("rise" if weights[row] > 0 else "fall", g, times))
            for n, weights in ends.items():
                times = round(abs(float(weights[row])) * TIMES)
                if times:
                    rows.append(Row("high" if weights[row] > 0 else "low", n, times))
            found.append(Found(node, -value if above else value, above, Farkas(tuple(rows))))
        return found


def scaled_by(weights: Floats, bound: float) -> Floats:
    """weights * bound, where 0 times an infinite bound is 0."""
    return np.where(weights == 0.0, 0.0, weights * bound)
