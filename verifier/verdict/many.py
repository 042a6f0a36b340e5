"""Claims about many rows or parts: each is settled by itself, here or by a crew elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from verifier.language.build import TooLarge
from verifier.model.claim import Many
from verifier.model.meaning import NotYet
from verifier.source import Rejected
from verifier.verdict.verdict import Amount, Undecided, Verdict

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

OWN_SHARE = 4
"""A row or part has this many times its share of the time at first; what stays open gets what is left in the end."""
LEAST = 1.0
OUT_OF_TIME = "out of time"


@dataclass
class Settled:
    """What became of a row or a part so far. Small once its witness is dropped: there may be a million of them."""

    verdict: Verdict
    distance: Amount | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a claim about many rows or parts is. `certified`: the share of X whose parts are proved."""

    done: int
    count: int
    certified: Fraction | None = None


Settle = Callable[[int, float], Settled]
"""Settles the row or part of this number, within these seconds."""


class Crew(Protocol):
    """Settles rows or parts elsewhere, several at a time."""

    width: int

    def joins(self, seconds: float, done: int, left: int) -> bool:
        """Is it worth it, with so many settled here in these seconds?"""
        ...

    def settle(self, claim: Many, indices: Sequence[int], end: float) -> Iterator[tuple[int, Settled]]:
        """Each of them, as it comes. Raises KeyboardInterrupt when the crew was sent home."""
        ...


def settle(decider: Decider, claim: Many, indices: Sequence[int], alone: Settle) -> Iterator[tuple[int, Settled]]:
    """Each of these rows or parts, as it comes: here (`alone`), or by the decider's crew."""
    begun = time.monotonic()
    for done, index in enumerate(indices):
        left = len(indices) - done
        if decider.crew is not None and decider.crew.joins(time.monotonic() - begun, done, left):
            yield from decider.crew.settle(claim, indices[done:], decider.end)
            return
        yield index, timed(alone, index, own_time(decider.left(), left)) if decider.left() > 0 else late()


def own_time(seconds: float, left: int, width: int = 1) -> float:
    """What one of `left` rows or parts has at first of the time that is left for all, `width` at a time."""
    return min(max(seconds, 0.0), max(LEAST, OWN_SHARE * width * seconds / left))


def timed(alone: Settle, index: int, seconds: float) -> Settled:
    begun = time.monotonic()
    try:
        settled = alone(index, seconds)
    except Rejected as rejected:
        settled = Settled(Undecided(rejected.diagnostics[0].message))
    except NotYet as later:
        settled = Settled(Undecided(f"{later} is not available yet", later=True))
    except TooLarge:
        settled = Settled(Undecided("this is too large once written out"))
    settled.seconds = time.monotonic() - begun
    return settled


def late() -> Settled:
    return Settled(Undecided(OUT_OF_TIME))
