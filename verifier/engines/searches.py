"""The searches as tasks of a worker."""

from __future__ import annotations

from collections.abc import Callable

from verifier.engines.case_search import Searcher
from verifier.engines.engine import Answer, worked
from verifier.query.question import Question

UNASKED, SHARE = 6.0, 0.25
"""Seconds, or the part of those of the search, for a certificate that nobody has asked for."""

searcher = Searcher()
boxes: list[Callable[[], int]] = []
"""How many the box search that runs has looked at."""
case_search, glance, brief, strike = searcher.case_search, searcher.glance, searcher.brief, searcher.strike


def box_search(question: Question, seconds: float) -> Answer:
    return _boxes(question, seconds, UNASKED, SHARE)


def box_proof(question: Question, seconds: float) -> Answer:
    """The same; a certificate may take all of the time."""
    return _boxes(question, seconds, seconds, 0.0)


def _boxes(question: Question, seconds: float, proof_seconds: float, share: float) -> Answer:
    from verifier.engines.box_search import Stats, box_search

    took = Stats()
    boxes.append(lambda: took.boxes)
    try:
        return worked(box_search(question, seconds, took, proof_seconds, share), boxes=took.boxes)
    finally:
        boxes.clear()


def nodes() -> int:
    """Branches or boxes of the search that runs, so far."""
    search = searcher.now
    return search.stats.branches if search is not None else sum(count() for count in boxes)
