"""The searches as tasks of a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from msgspec.structs import replace

from verifier.canonical.simplex import Inequality
from verifier.engines.ascent import Quotient, ascent
from verifier.engines.case_search import Searcher
from verifier.engines.engine import Answer, Fails, Unknown, Vector, work_of, worked
from verifier.engines.linear_program import corner
from verifier.engines.peak import Search, bared, least_peak
from verifier.query import closure
from verifier.query.convex import largest
from verifier.query.piece import choices, piece_of
from verifier.query.question import Question

UNASKED, SHARE = 10.0, 0.25
"""Seconds, or the part of those of the search, for a certificate that nobody has asked for."""

CHOICES = 6
"""Up to so many, exact arithmetic looks for a least or greatest value."""

LEAP = Fraction(1, 16)
"""Where they are more, what is sought first is so much less than what was found: fewer searches, each with slack."""

searcher = Searcher()
boxes: list[Callable[[], int]] = []
"""How many the box search that runs has looked at."""
case_search, case_proof, strike = searcher.case_search, searcher.case_proof, searcher.strike
glance, brief = searcher.glance, searcher.brief


def least_cases(question: Question, most: int, seconds: float) -> Answer:
    """inf of numbers[0], where that is a convex number. Where the facts have few choices, exact arithmetic finds each
    solution, and that there is no other, on so many branches."""
    forms = largest(question.circuit, question.numbers[0], len(question.variables))
    if forms is None:
        return Unknown("the number is not convex")
    bare = bared(question)
    few = choices(bare) <= CHOICES
    share = Fraction(0) if few else LEAP
    return _extreme(few, most, lambda search: least_peak(question, bare, forms, search, seconds, share))


def greatest_cases(question: Question, most: int, seconds: float) -> Answer:
    """sup of numbers[0]."""
    quotient = Quotient(question, divided=False)
    return _extreme(choices(question) <= CHOICES, most, lambda search: ascent(quotient, search, seconds))


def steepest_cases(question: Question, most: int, seconds: float) -> Answer:
    """sup of numbers[0] : numbers[1]."""
    quotient = Quotient(question, divided=True)
    return _extreme(choices(question) <= CHOICES, most, lambda search: ascent(quotient, search, seconds))


def higher(question: Question, value: Fraction, starts: Sequence[Vector], seconds: float) -> Answer:
    """A solution where numbers[0] is greater than the value, looked for near `starts` first, and the point of the
    closure of its piece where it is greatest; or a certificate that there is none."""
    (further,) = closure.greater(question, value, attained=True)
    found = searcher.nearby(further, starts, seconds)
    if not isinstance(found, Fails):
        return found
    solution = found.points[0][: len(question.variables)]
    top = Quotient(question, divided=False).top(solution)
    if top is None or not top[1][-1]:
        return Unknown("the number has no greatest value on some piece")
    return replace(found, points=(solution, tuple(x / top[1][-1] for x in top[1][:-1])))


def steep(question: Question, near: Sequence[Vector], seconds: float) -> tuple[Vector, ...]:
    """Points, each with a direction, where the number is large (`engines/steep.py`)."""
    from verifier.engines.steep import steep

    return steep(question, near, seconds)


def middle(question: Question, solution: Vector, way: Vector, length: Fraction, seconds: float) -> Vector | None:
    """Where to begin in the piece of the solution, as far within as may be, to go so far in the direction `way`, which
    the last inputs are, without leaving its closure; None where it is too short for that."""
    width = len(solution) - len(way)
    piece, rows, least = piece_of(question, solution), [], Fraction(0)
    for row in (*piece.weak, *piece.strict):
        terms = {i: w for i, w in row.weights if i < width}
        if terms:
            constant = row.constant + sum((w * way[i - width] for i, w in row.weights if i >= width), Fraction(0))
            constant += min(Fraction(0), length * sum((w * way[i] for i, w in terms.items()), Fraction(0)))
            size = sum(map(abs, terms.values()), Fraction(0))
            least = min(least, (constant + sum(w * solution[i] for i, w in terms.items())) / size)
            rows.append(Inequality({**terms, width: -size}, constant))
    low, high = [None] * (width + 1), [*(None for _ in range(width)), Fraction(1)]
    found = corner({width: Fraction(1)}, rows, low, high, (*solution[:width], least))
    return None if found is None or found[width] < 0 else found[:width]


def _extreme(few: bool, most: int, find: Callable[[Search], Answer]) -> Answer:
    """What `find` finds with the search for the number of choices."""
    if few:
        return find(lambda asked, left, _: searcher.brief(asked, most, False, left))
    took = Counter[str]()

    def search(asked: Question, left: float, near: tuple[Vector, ...]) -> Answer:
        found = searcher.nearby(asked, near, left)
        took.update(dict(work_of(found)))
        return found

    return worked(find(search), **took)


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
    return search.branches if search is not None else sum(count() for count in boxes)
