"""linf: d(u, v) = max |u_i - v_i|."""

from __future__ import annotations

from collections.abc import Sequence

from verifier.language.build import ZERO, Build, Form
from verifier.language.metrics.metric import Metric, below
from verifier.language.ops.norminf import NORMINF, peak


def distance(build: Build, differences: Sequence[Form]) -> Form:
    """max |d_i|; 0 of nothing."""
    return peak(build, differences)


def ball(build: Build, differences: Sequence[Form], radius: Form, closed: bool) -> Form:
    """Two half-spaces an entry, d_i <= r and -d_i <= r (or <): no relu. They imply r >= 0 (or r > 0) by themselves."""
    sides = [side for d in differences for side in (d, build.scale(-1, d))] or [ZERO]
    return build.both(*dict.fromkeys(below(build, side, radius, closed) for side in sides))


LINF = Metric("linf", distance, ball, NORMINF.meaning, is_norm=True)
