"""accuracy(f1, D), accuracy(f1, f2, D): the share of the rows of a data set that f1 labels as the file (or f2) does.

accuracy(f1, f2): the share of X, by volume, on which the two agree.
"""

from verifier.language.properties.property import Measure

AGAINST_AN_ORACLE = Measure(
    "accuracy",
    "the share of the rows on which the two classifiers agree",
    {"f1": "classifier", "f2": "classifier", "D": "data"},
    None,
)

OVER_THE_DOMAIN = Measure(
    "accuracy",
    "the share of X, by volume, on which the two classifiers agree",
    {"f1": "classifier", "f2": "classifier"},
    None,
)

ACCURACY = Measure(
    "accuracy",
    "the share of the rows whose label f1 gives",
    {"f1": "classifier", "D": "labelled"},
    None,
    others=(AGAINST_AN_ORACLE, OVER_THE_DOMAIN),
)
