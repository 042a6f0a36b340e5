"""accuracy: rows counted by exact evaluation; without a data set the volume of the points that agree."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.engines.weigh import weigh
from verifier.model.claim import Computation
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.measures.probability import DEEP, TRUSTS, ZERO, X, enclosure, measure
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

NAMED = 5
"""So many rows that are labelled otherwise are named."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The share of the rows with the right label, exactly; shown is the first of the others."""
    if "D" not in computation.arguments:
        try:
            return share(decider, computation)
        except RecursionError:
            return Measurement(None, why=DEEP)
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


def share(decider: Decider, computation: Computation) -> Measurement:
    """P( f1 x = f2 x ) for x uniform on X; shown is a point of the largest part where they differ."""
    names = computation.classifier("f1"), computation.classifier("f2")
    for name in names:
        classifier = decider.program.classifiers[name]
        if classifier.decide is None and classifier.network is None:
            return Measurement(None, why=f"`{name}` has no `decide` to agree with")
    poser = decider.poser
    sides = measure(poser.pose((X,), [], numbers=[ZERO]), decider.left() / 4)
    if isinstance(sides, str):
        return Measurement(None, why=sides)
    calls = (
        tree.Apply(NOWHERE, tree.Name(NOWHERE, n), (tree.Argument(NOWHERE, "", tree.Name(NOWHERE, X)),)) for n in names
    )
    differ = tree.Chain(NOWHERE, tuple(calls), ("!=",))
    posed = poser.pose((X,), [], numbers=[poser.truth(differ, (X,))])
    mass = weigh(posed.question, posed.question.numbers[0], decider.left(), sides)
    pair = None
    if mass.sample is not None:
        points = posed.read(mass.sample)
        decider.replay.demand(points, [differ])
        pair = decider.show(points, None, computation.shown)
    if mass.exact:
        return Measurement(1 - mass.both[0] / mass.given[0], pair=pair, trusts=TRUSTS)
    low, high = enclosure(mass)
    if high - low == 1:
        return Measurement(None, why="out of time")
    shown = f"[{float(low):.6g}, {float(high):.6g}]"
    return Measurement(shown, pair=pair, trusts=TRUSTS, how="enclosed", enclosure=(low, high))
