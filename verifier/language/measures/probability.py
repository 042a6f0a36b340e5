"""probability(f1, f2, radius): how likely f1 agrees on two points that are near and alike for f2 (THEORY section 4);
probability(f1, f2, p, radius): the same where one of them is p."""

from verifier.language.properties.property import Measure

AROUND = Measure(
    "probability",
    "the probability that f1 does not change at a point that is near p and alike for the oracle",
    {"f1": "classifier", "f2": "classifier", "p": "point"},
    None,
    options={"radius": "number", "closed": "flag", "agree": "flag", "over": "distribution"},
    required=("radius",),
)

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
        "over": "pairs",
    },
    required=("radius",),
    others=(AROUND,),
)
