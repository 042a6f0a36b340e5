"""How each measure is computed: a function `compute` in its own file, one line in the table."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from verifier.model.claim import Computation
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

MODULES = {
    "accuracy": "accuracy",
    "min_distance": "min_distance",
    "modulus": "modulus",
    "modulus_curve": "modulus_curve",
    "lipschitz_constant": "lipschitz_constant",
    "unnecessary_features": "unnecessary_features",
    "uncontained_region": "uncontained_region",
    "case": "case",
    "probability": "probability",
    "arc": "average",
    "arca": "average",
}
"""Loaded when first asked for."""


def compute(decider: Decider, measure: Computation) -> Measurement:
    """The value of a measure."""
    module = import_module(f"verifier.verdict.measures.{MODULES[measure.word]}")
    measurement: Measurement = module.compute(decider, measure)
    return measurement
