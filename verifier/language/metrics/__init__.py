"""Metrics on feature vectors: each in its own file, each one line in the table.

A metric sees the scaled differences of the entries, (left - right) / scale; a nominal entry differs by 1 or 0.
"""

from __future__ import annotations

from verifier.language.metrics.discrete import DISCRETE
from verifier.language.metrics.l0 import L0
from verifier.language.metrics.l1 import L1
from verifier.language.metrics.l2 import L2
from verifier.language.metrics.linf import LINF
from verifier.language.metrics.mahalanobis import MAHALANOBIS
from verifier.language.metrics.metric import Metric, vanishes
from verifier.language.metrics.quadratic import Quadratic

__all__ = ["LATER", "METRICS", "QUADRATIC", "Metric", "Quadratic", "vanishes"]

METRICS: dict[str, Metric] = {
    "linf": LINF,
    "l1": L1,
    "l0": L0,
    "discrete": DISCRETE,
}

QUADRATIC: dict[str, Quadratic] = {"l2": L2, "mahalanobis": MAHALANOBIS}
"""Metrics whose square is a positive semidefinite quadratic form: their balls are no polyhedra."""

LATER: frozenset[str] = frozenset()
"""Names that are known but not decided yet."""
