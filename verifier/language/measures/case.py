"""case(f1, f2): the paper's case I to IV, by containment both ways (THEORY section 2)."""

from verifier.language.properties.property import Measure

CASE = Measure(
    "case",
    "which of the two tells more apart: I neither, II f1, III they are equal, IV f2",
    {"f1": "classifier", "f2": "classifier"},
    None,
    compares=False,
)
