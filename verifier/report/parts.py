"""A claim about the parts of X, part by part: what a page and a document say of it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from verifier.report.rows import WORDS, Json, amount_json
from verifier.report.text import number
from verifier.verdict.verdict import Part, Pieces

LISTED = 12
"""So many parts are shown; of more, the first of each verdict."""


def in_words(pieces: Pieces) -> str:
    """How many parts, and how much of X they are."""
    counts = ", ".join(f"{n} {w}" for w in WORDS if (n := pieces.count(w)))
    certified = pieces.share("proved")
    share = "" if certified is None else f": {percent(certified)} of X is certified"
    return f"Of {len(pieces.parts)} parts {counts}{share}."


def percent(share: Fraction) -> str:
    return f"{number(100 * share, 3, short=4)} %"


def listed(pieces: Pieces) -> tuple[list[list[str]], int]:
    """The parts that are shown, with a head; and how many are not."""
    parts = pieces.parts
    shown = parts
    if len(parts) > LISTED:
        each = LISTED // len(WORDS)
        first = [p for w in WORDS for p in [p for p in parts if p.word == w][:each]]
        shown = tuple(sorted(first, key=lambda p: p.number))
    rows = [[str(p.number), pieces.where(p.number - 1), p.word, f"{p.seconds:.2f} s"] for p in shown]
    return [["part", "", "", ""], *rows], len(parts) - len(shown)


def parts_json(pieces: Pieces | None) -> list[Mapping[str, Json]] | None:
    return None if pieces is None else [_part(pieces, p) for p in pieces.parts]


def _part(pieces: Pieces, p: Part) -> Mapping[str, Json]:
    return {
        "part": p.number,
        "where": dict(pieces.partition.where(p.number - 1)),
        "verdict": p.word,
        **amount_json("share", p.share),
        "seconds": round(p.seconds, 6),
        "reason": p.why or None,
    }


def summary_json(pieces: Pieces | None) -> Mapping[str, Json] | None:
    if pieces is None:
        return None
    shares: dict[str, Json] = {}
    for word in WORDS:
        shares |= amount_json(f"share_{word}", pieces.share(word))
    return {
        "partition": pieces.partition.name,
        "parts": len(pieces.parts),
        **{word: pieces.count(word) for word in WORDS},
        **shares,
    }
