"""An estimate of ARC or ARCA, where neither an exact value nor a useful enclosure was to be had. Never a proof.

The number of points is fixed beforehand, the seed is said, the distance of each is exact (or enclosed), and the
interval is Hoeffding's for a mean of numbers between 0 and a bound that is known.
"""

from __future__ import annotations

import time
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from verifier.engines.engine import Most
from verifier.engines.estimate import DOUBT, SEED, Sampler, hoeffding
from verifier.model.claim import Computation
from verifier.model.program import Data, PointValue
from verifier.model.roots import side_root
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import distance
from verifier.verdict.measures import min_distance
from verifier.verdict.measures.probability import POINTS, ZERO, X, measure
from verifier.verdict.verdict import Measurement

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

COUNT = 200
NAME = "random points"


def mean(decider: Decider, computation: Computation) -> Measurement | None:
    """An interval for the mean distance; None where distances have no bound, or not all were found in time."""
    most = bound(decider, computation)
    points = drawn(decider, computation)
    if not most or points is None:
        return None
    interpreter = decider.replay.interpreter
    f1, f2 = computation.classifier("f1"), computation.classifier("f2")
    if computation.word == "arca":
        points = tuple(p for p in points if interpreter.label(f1, p) == interpreter.label(f2, p))
    low, high = Fraction(0), Fraction(0)
    if points:
        data = Data(NAME, NAME, points, tuple(range(1, len(points) + 1)), None, NOWHERE)
        program = replace(decider.program, data={**decider.program.data, NAME: data})
        arguments = {**computation.arguments, "D": tree.Name(NOWHERE, NAME)}
        asked = replace(computation, arguments=arguments, choices={"agree": "false"})
        other = decider.at(program, decider.left())
        other.portfolio = decider.portfolio.uncertified()
        table = min_distance.compute(other, asked).table
        if table is None or any(row.distance == "infinity" for row in table.rows):
            return None
        ends = [min_distance.ends(row) for row in table.rows]
        low, high = (Fraction(sum(Fraction(end[side]) for end in ends)) for side in range(2))
    shares = low / COUNT / most, min(Fraction(1), high / COUNT / most)
    sides = most * hoeffding(shares[0], COUNT, DOUBT)[0], most * hoeffding(shares[1], COUNT, DOUBT)[1]
    note = (
        f"The mean over {COUNT} random points (seed {SEED}). With {100 * (1 - DOUBT)} % confidence it is in "
        f"[{float(sides[0]):.4g}, {float(sides[1]):.4g}], by Hoeffding's inequality for distances up to "
        f"{float(most):.4g}. An estimate proves nothing."
    )
    return Measurement(f"about {float(most * sum(shares) / 2):.4g}", how="estimated", enclosure=sides, notes=(note,))


def bound(decider: Decider, computation: Computation) -> Fraction | None:
    """No two points of X are further apart."""
    far, poser = distance(computation.classifier("f2"), *POINTS), decider.poser
    square = poser.square(far, POINTS)
    if square is not None or poser.curved(far, POINTS):
        _, high = poser.build.bounds(poser.number(far, POINTS) if square is None else square)
        return high if square is None or high is None else side_root(high, "above")
    posed = poser.pose(POINTS, [], numbers=[poser.number(far, POINTS)])
    found = decider.portfolio.uncertified().greatest(posed.question, decider.left() / 4)
    return found.value if isinstance(found, Most) else None


def drawn(decider: Decider, computation: Computation) -> tuple[PointValue, ...] | None:
    """Points of X as its distribution has them."""
    posed, density = decider.poser.pose((X,), [], numbers=[ZERO]), computation.over.steps
    sides = measure(posed, decider.left() / 4, density)
    if isinstance(sides, str):
        return None
    random, found = Random(SEED), list[PointValue]()
    sampler = Sampler(posed.question, sides, len(posed.layout), random)
    while len(found) < COUNT:
        if time.monotonic() > decider.end:
            return None
        point = sampler.draw()
        if point is not None and sampler.kept(point, density) and posed.question.solved_by(point):
            found.append(posed.read(point)[X])
    return tuple(found)
