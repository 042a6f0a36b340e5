"""The verdict on a network and a violation: proved when no point violates, refuted with one that does.

A point counts only after the network itself, not the circuit that the engine saw, was evaluated exactly at it, and the
formula as it was read at the result.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from verifier.engines.engine import Answer, Certificate, Fails, Holds, Unknown, Vector
from verifier.engines.portfolio import Portfolio
from verifier.model.network import Network
from verifier.model.violation import Violation, holds
from verifier.query.violation import Case, cases
from verifier.verdict.certify import CANONICAL, FOLDED, ReplayFailed, certified, settled
from verifier.verdict.decide import Outcome
from verifier.verdict.verdict import Proved, Refuted, Undecided, Witness

MOST_WARNINGS = 4


def decide(violation: Violation, network: Network, portfolio: Portfolio, seconds: float) -> Outcome:
    """Whether no point violates, within the time. Raises ReplayFailed, EngineFailed, TooLarge.

    A witness is one point of all inputs and outputs, by their names in the format.
    """
    end = time.monotonic() + seconds
    found = cases(violation)
    if not found:
        return Outcome(Proved(FOLDED, CANONICAL), vacuous="no input satisfies the bounds.")
    warnings = unbounded(violation, found)
    by: dict[str, None] = {}
    trusts: dict[str, None] = {}
    certificates: list[Certificate] = []
    open_because = ""
    for k, case in enumerate(found):
        question, impossible = case.pose(violation, network)
        share = (end - time.monotonic()) / (len(found) - k)
        answer: Answer
        if impossible:
            answer = settled(partial(case.unfolded, violation, network), portfolio, share)
        else:
            answer = certified(portfolio.find(question, share), question)
        match answer:
            case Fails(name, (point, *_)):
                return Outcome(Refuted(name, witness(violation, network, point)), warnings=warnings)
            case Holds(name, because) as held:
                certificates += held.certificates
                by[name] = None
                trusts |= dict.fromkeys(because)
            case Unknown(why):
                open_because = why
            case other:
                raise AssertionError(f"no answer to this question: {other}")
    if open_because:
        return Outcome(Undecided(open_because), warnings=warnings)
    return Outcome(Proved(" and ".join(by), tuple(trusts), certificates=tuple(certificates)), warnings=warnings)


def witness(violation: Violation, network: Network, point: Vector) -> Witness:
    """The point with the outputs of the network at it, once it is a violation. Raises ReplayFailed."""
    numbers = violation.numbers(network, point)
    if not holds(violation.formula, numbers):
        raise ReplayFailed("the point of an engine is no violation")
    return Witness({"x": {violation.name(i): value for i, value in enumerate(numbers)}})


def unbounded(violation: Violation, found: Sequence[Case]) -> tuple[str, ...]:
    """The inputs that may be arbitrarily large or small: most likely forgotten."""
    sides = {"lower": 0, "upper": 1}
    missing = [
        f"{violation.name(i)} has no {side} bound."
        for i in range(violation.inputs)
        for side, k in sides.items()
        if any(case.box[i][k] is None for case in found)
    ]
    return (
        *missing[:MOST_WARNINGS],
        *([f"{len(missing)} bounds are missing."] if len(missing) > MOST_WARNINGS else []),
    )
