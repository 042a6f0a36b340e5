"""probability(f1, f2, radius): how likely f1 agrees on two points that are near and alike for f2 (THEORY section 4)."""

from verifier.language.properties.property import Measure

PROBABILITY = Measure(
    "probability",
    "the probability that f1 agrees on two points that are near and alike for the oracle",
    {"f1": "classifier", "f2": "classifier"},
    None,
    options={
        "radius": "number",
        "where": "formula",
        "where_both": "formula",
        "closed": "flag",
        "over": "distribution",
    },
    required=("radius",),
)
