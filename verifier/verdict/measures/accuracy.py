"""accuracy: rows counted by exact evaluation."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.model.claim import Computation
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

NAMED = 5
"""So many rows that are labelled otherwise are named."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The share of the rows with the right label, exactly; shown is the first of the others."""
    data = decider.program.data[computation.classifier("D")]
    interpreter = decider.replay.interpreter
    name = computation.classifier("f1")
    wrong: list[int] = []
    for i, row in enumerate(data.rows):
        if decider.left() <= 0:
            return Measurement(None, why="out of time")
        if "f2" in computation.arguments:
            right = interpreter.label(computation.classifier("f2"), row)
        else:
            assert data.labels is not None
            right = data.labels[i]
        if interpreter.label(name, row) != right:
            wrong.append(i)
    count = len(data.rows)
    named = ", ".join(str(i + 1) for i in wrong[:NAMED]) + (f" and {len(wrong) - NAMED} more" if wrong[NAMED:] else "")
    otherwise = f": not in row{'s' if len(wrong) > 1 else ''} {named}" if wrong else ""
    note = f"{count - len(wrong)} of {count} rows agree{otherwise}."
    pair = decider.replay.witness({"row": data.rows[wrong[0]]}, computation.shown) if wrong else None
    return Measurement(Fraction(count - len(wrong), count), pair=pair, notes=(note,))
