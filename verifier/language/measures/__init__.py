"""Measures: each in its own file, each one line in the table."""

from __future__ import annotations

from verifier.language.measures.accuracy import ACCURACY
from verifier.language.measures.arc import ARC
from verifier.language.measures.arca import ARCA
from verifier.language.measures.case import CASE
from verifier.language.measures.critical_radius import CRITICAL_RADIUS
from verifier.language.measures.lipschitz_constant import LIPSCHITZ_CONSTANT
from verifier.language.measures.min_distance import MIN_DISTANCE
from verifier.language.measures.modulus import MODULUS
from verifier.language.measures.modulus_curve import MODULUS_CURVE
from verifier.language.measures.probability import PROBABILITY
from verifier.language.measures.uncontained_region import UNCONTAINED_REGION
from verifier.language.measures.unnecessary_features import UNNECESSARY_FEATURES
from verifier.language.properties.property import Measure

__all__ = ["LATER", "MEASURES", "Measure"]

MEASURES: dict[str, Measure] = {
    "accuracy": ACCURACY,
    "critical_radius": CRITICAL_RADIUS,
    "min_distance": MIN_DISTANCE,
    "modulus": MODULUS,
    "modulus_curve": MODULUS_CURVE,
    "lipschitz_constant": LIPSCHITZ_CONSTANT,
    "unnecessary_features": UNNECESSARY_FEATURES,
    "uncontained_region": UNCONTAINED_REGION,
    "case": CASE,
    "probability": PROBABILITY,
    "arc": ARC,
    "arca": ARCA,
}

LATER: frozenset[str] = frozenset()
"""Names that are known but not computed yet."""
