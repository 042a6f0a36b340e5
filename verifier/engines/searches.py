"""The searches as tasks of a worker."""

from __future__ import annotations

from verifier.engines.case_search import Searcher
from verifier.engines.engine import Answer, worked
from verifier.query.question import Question

CERTIFYING = 4.0
"""Seconds at most, as estimated, that the box search may spend on writing a certificate."""

searcher = Searcher()
case_search, glance, brief, strike = searcher.case_search, searcher.glance, searcher.brief, searcher.strike


def box_search(question: Question, seconds: float) -> Answer:
    from verifier.engines import box_search as boxes

    took = boxes.Stats()
    return worked(boxes.box_search(question, seconds, took, CERTIFYING), boxes=took.boxes)
