"""Properties: each in its own file, each one line in the table."""

from __future__ import annotations

from verifier.language.properties.accurate import ACCURATE
from verifier.language.properties.contained import CONTAINED
from verifier.language.properties.contained_at import CONTAINED_AT
from verifier.language.properties.equivalent import EQUIVALENT
from verifier.language.properties.factors import FACTORS
from verifier.language.properties.is_pseudometric import IS_PSEUDOMETRIC
from verifier.language.properties.lipschitz import LIPSCHITZ
from verifier.language.properties.property import Property
from verifier.language.properties.robust_at import ROBUST_AT
from verifier.language.properties.strongly_robust import STRONGLY_ROBUST
from verifier.language.properties.uniformly_contained import UNIFORMLY_CONTAINED
from verifier.language.properties.unnecessary import UNNECESSARY

__all__ = ["LATER", "PROPERTIES", "Property"]

PROPERTIES: dict[str, Property] = {
    "contained": CONTAINED,
    "contained_at": CONTAINED_AT,
    "uniformly_contained": UNIFORMLY_CONTAINED,
    "factors": FACTORS,
    "equivalent": EQUIVALENT,
    "unnecessary": UNNECESSARY,
    "strongly_robust": STRONGLY_ROBUST,
    "robust_at": ROBUST_AT,
    "lipschitz": LIPSCHITZ,
    "accurate": ACCURATE,
    "is_pseudometric": IS_PSEUDOMETRIC,
}

LATER: frozenset[str] = frozenset()
"""Names that are known but not decided yet."""
