"""How each measure is computed: a function in its own file, one line in the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from verifier.model.claim import Computation
from verifier.verdict.measures import (
    accuracy,
    average,
    case,
    lipschitz_constant,
    min_distance,
    modulus,
    modulus_curve,
    probability,
    uncontained_region,
    unnecessary_features,
)
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

COMPUTATIONS: dict[str, Callable[[Decider, Computation], Measurement]] = {
    "accuracy": accuracy.compute,
    "min_distance": min_distance.compute,
    "modulus": modulus.compute,
    "modulus_curve": modulus_curve.compute,
    "lipschitz_constant": lipschitz_constant.compute,
    "unnecessary_features": unnecessary_features.compute,
    "uncontained_region": uncontained_region.compute,
    "case": case.compute,
    "probability": probability.compute,
    "arc": average.compute,
    "arca": average.compute,
}
