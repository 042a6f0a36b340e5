"""lipschitz_constant(f1, f2): the least K with d1' <= K d2' (THEORY section 3)."""

from verifier.language.properties.property import Measure

LIPSCHITZ_CONSTANT = Measure(
    "lipschitz_constant",
    "the supremum of the quotients of classifier distance and oracle distance",
    {"f1": "measured", "f2": "measured"},
    None,
)
