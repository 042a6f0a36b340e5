"""An instance, the answers of all contenders, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median
from typing import Literal

from benchmarks.claim import Claim, Vector

Word = Literal["proved", "refuted", "none", "bad"]
"""`bad`: a pair that does not replay. `none`: no answer in time, or none at all."""

CLOSE = Fraction(1, 10**6)
"""How much farther than the nearest known pair a least distance in floats may be."""


@dataclass(frozen=True)
class Said:
    """One answer as it came: `point` is evidence for `refuted`, and is as near as possible where a least distance is
    asked. `own`: the verifier has replayed the pair of a part itself, and does not print it."""

    word: Literal["proved", "refuted", "none"]
    point: Vector | None = None
    note: str = ""
    own: bool = False


@dataclass(frozen=True)
class Certificate:
    """The proofs that the verifier's kernel accepted for a verdict: their steps, and the seconds it took."""

    steps: int
    seconds: float


@dataclass(frozen=True)
class Run:
    """One contender on one instance: an answer a claim, and CPU seconds for all of them."""

    said: tuple[Said, ...]
    cpu: float
    wall: float
    note: str = ""
    certificate: Certificate | None = None


@dataclass(frozen=True)
class Instance:
    """A question, or the parts of one (`claims`). `files`: what the verifier reads, name -> content; `arguments`: how
    it is called in the folder of these files."""

    name: str
    claims: tuple[Claim, ...]
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    """How it was made (a seed, a scale): kept in the results."""


@dataclass(frozen=True)
class Judged:
    """The answers of one contender after the replay; `cpu`: the median of its runs."""

    words: tuple[Word, ...]
    values: tuple[Fraction | None, ...]
    cpu: float
    runs: tuple[float, ...]
    note: str = ""
    certificate: Certificate | None = None

    @property
    def decided(self) -> bool:
        return all(w in ("proved", "refuted") for w in self.words)

    @property
    def text(self) -> str:
        """`proved`, `= 11/40`, or for parts how many are refuted / proved / open."""
        if len(self.words) != 1:
            open_ = sum(w in ("none", "bad") for w in self.words)
            return f"{self.words.count('refuted')}/{self.words.count('proved')}/{open_}"
        if self.words[0] == "bad":
            return "does not replay"
        value = self.values[0]
        return self.words[0] if value is None else f"= {value}" if len(str(value)) < 14 else f"= {float(value):.8g}"


def judge(instance: Instance, runs: Sequence[Run]) -> Judged:
    """What the answers of a contender are worth: a point counts only after exact evaluation. Of several runs the last
    answers and the median time are taken."""
    last = runs[-1]
    words: list[Word] = []
    values: list[Fraction | None] = []
    for claim, said in zip(instance.claims, last.said, strict=True):
        word, value = replayed(claim, said)
        words.append(word)
        values.append(value)
    times = tuple(r.cpu for r in runs)
    notes = dict.fromkeys(n for n in (last.note, *(s.note for s in last.said)) if n)
    return Judged(tuple(words), tuple(values), median(times), times, "; ".join(notes), last.certificate)


def replayed(claim: Claim, said: Said) -> tuple[Word, Fraction | None]:
    """The word and the least distance that an answer has earned."""
    if said.word != "refuted" or said.own:
        return said.word, None
    if said.point is None:
        return "bad", None
    half = claim.width * (claim.copies - 1)
    for order in (said.point, (*said.point[half:], *said.point[:half])):  # a pair may come as (x', x)
        point = claim.mended(order)
        if claim.solved_by(point):
            return "refuted", claim.apart(point) if claim.least else None
    return "bad", None


def contradictions(judged: dict[str, Judged]) -> list[str]:
    """What cannot be: a proof where a pair replays, a least distance where a pair is nearer (by more than rounding)."""
    found = []
    for name, mine in judged.items():
        for k, word in enumerate(mine.words):
            part = f" (part {k + 1})" if len(mine.words) > 1 else ""
            others = [other for other in judged.values() if other.words[k] == "refuted"]
            if word == "proved" and others:
                found.append(f"{name} says proved{part}, and there is a pair that replays")
            value = mine.values[k]
            nearest = min((v for o in others if (v := o.values[k]) is not None), default=None)
            if value is not None and nearest is not None and value > nearest * (1 + CLOSE):
                found.append(f"{name} says {float(value):.8g}{part}, and there is a pair at {float(nearest):.8g}")
    return found
