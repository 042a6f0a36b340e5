"""Measures: each in its own file, each one line in the table."""

from __future__ import annotations

from verifier.language.measures.critical_radius import CRITICAL_RADIUS
from verifier.language.measures.min_distance import MIN_DISTANCE
from verifier.language.properties.property import Measure

__all__ = ["LATER", "MEASURES", "Measure"]

MEASURES: dict[str, Measure] = {"critical_radius": CRITICAL_RADIUS, "min_distance": MIN_DISTANCE}

LATER: frozenset[str] = frozenset(
    {"modulus", "lipschitz_constant", "probability", "arc", "arca", "accuracy", "unnecessary_features", "case"}
)
"""Names that are known but not computed yet."""
