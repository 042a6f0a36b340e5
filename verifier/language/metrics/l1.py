"""l1: d(u, v) = sum |u_i - v_i|."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from verifier.language.build import Build, Form
from verifier.language.metrics.metric import Metric, below
from verifier.language.ops.norm1 import NORM1, total

FEW = 4
"""Up to this many entries a ball is its 2^n half-spaces; beyond, the relus of the distance are fewer."""


def distance(build: Build, differences: Sequence[Form]) -> Form:
    """Sum of |d_i|; 0 of nothing."""
    return total(build, differences)


def ball(build: Build, differences: Sequence[Form], radius: Form, closed: bool) -> Form:
    """The cross-polytope: s_1 d_1 + ... + s_n d_n <= r (or <) for every choice of signs."""
    if len(differences) > FEW:
        return below(build, distance(build, differences), radius, closed)
    sides = (
        build.add(*(build.scale(sign, d) for sign, d in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    )
    return build.both(*dict.fromkeys(below(build, side, radius, closed) for side in sides))


L1 = Metric("l1", distance, ball, NORM1.meaning, is_norm=True)
