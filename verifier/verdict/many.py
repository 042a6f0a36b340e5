"""Claims about many rows or parts: each is settled by itself, here or elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

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
FOR_A_WITNESS = 2.0
"""Seconds to find here the witness that is shown, whatever was found elsewhere."""
OUT_OF_TIME = "out of time"
INTERRUPTED = "interrupted"


class Settled(Struct):
    """What became of a row or a part so far. `final`: what is unknown stays so, whoever is asked."""

    verdict: Verdict
    distance: Amount | None = None
    seconds: float = 0.0
    final: bool = False

    @property
    def worth_more(self) -> bool:
        """More time might decide it."""
        return isinstance(self.verdict, Undecided) and not self.verdict.later and not self.final


class Progress(Struct, frozen=True):
    """How far a claim is: of many rows or parts (`count`), so many are `done`. `certified`: the share of X whose parts
    are proved. `nodes`: branches and boxes that searches have looked at."""

    done: int = 0
    count: int = 0
    certified: Fraction | None = None
    nodes: int = 0


Settle = Callable[[int, float], Settled]
"""Settles the row or part of this number, within these seconds."""


class Elsewhere(Protocol):
    """Settles rows or parts elsewhere, several at a time."""

    def joins(self, seconds: float, done: int, left: int) -> bool:
        """Is it worth it, with so many settled here in these seconds?"""
        ...

    def settle(self, claim: Many, indices: Sequence[int], end: float) -> Iterator[tuple[int, Settled]]:
        """Each of them, as it comes."""
        ...


def settle(
    decider: Decider, claim: Many, indices: Sequence[int], alone: Settle, put: Callable[[int, Settled], None]
) -> None:
    """Puts each of these rows or parts, as it comes: settled here (`alone`), or elsewhere.

    KeyboardInterrupt stops the decider; what is not settled by then is unknown."""
    missing = set(indices)
    try:
        for index, settled in () if decider.stopped else _each(decider, claim, indices, alone):
            missing.discard(index)
            put(index, settled)
    except KeyboardInterrupt:
        decider.stop()
    for index in sorted(missing):
        put(index, Settled(Undecided(INTERRUPTED)))


def _each(decider: Decider, claim: Many, indices: Sequence[int], alone: Settle) -> Iterator[tuple[int, Settled]]:
    begun = time.monotonic()
    for done, index in enumerate(indices):
        left = len(indices) - done
        if decider.elsewhere is not None and decider.elsewhere.joins(time.monotonic() - begun, done, left):
            yield from decider.elsewhere.settle(claim, indices[done:], decider.end)
            return
        late = decider.left() <= 0
        yield index, Settled(Undecided(OUT_OF_TIME)) if late else timed(alone, index, own_time(decider.left(), left))


def own_time(seconds: float, left: int, width: int = 1) -> float:
    """What one of `left` rows or parts has at first of the time that is left for all, `width` at a time."""
    return min(seconds, max(LEAST, OWN_SHARE * width * seconds / left))


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
