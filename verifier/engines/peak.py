"""The least value of a number that is the largest of affine forms (`query.convex`): a solution, the corner of its piece
where the number is least, a solution at which it is less, and so on. That there is no other is a question without
choices of the number; where the search has proofs, the answer has one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from msgspec.structs import replace

from verifier.canonical.simplex import Inequality
from verifier.engines.engine import Answer, Claimed, Fails, Holds, Least, Unknown, Vector, in_words, so_far
from verifier.engines.evaluate import tester
from verifier.engines.leap import Leap
from verifier.engines.linear_program import corner, polyhedron
from verifier.engines.polish import Neighbours, polish
from verifier.query.closure import below
from verifier.query.convex import Largest
from verifier.query.piece import piece_of
from verifier.query.plain import plain
from verifier.query.question import Question

HALVINGS = 1000
"""Of the way to a point that is approached."""
NEAR = Fraction(1, 1000)
"""How much more than an infimum the value of a solution may be that is shown for it."""
WIDE = 32
"""Up to so many coordinates those of a nearest point are made pleasant."""
ZERO, ONE = Fraction(0), Fraction(1)
Reached = tuple[Fraction, Vector, Vector]
"""A value, a solution, and where it is taken in the closure of the solution's piece."""
Search = Callable[[Question, float, tuple[Vector, ...]], Answer]
"""(question, seconds, points near which there may be a solution) -> a solution, or that there is none."""


def least_peak(
    question: Question, bare: Question, forms: Largest, search: Search, seconds: float, share: Fraction = ZERO
) -> Answer:
    """inf of numbers[0], which is the largest of `forms`, over the solutions; Unknown where `search` comes to no end.
    The number is continuous, so a linear program has its minimum over the closure of a piece of the facts alone.
    `bare`: `bared(question)`. `share`: of `Leap`."""
    end, count = time.monotonic() + seconds, len(question.variables)
    further = replace(question, numbers=(), large=())
    best: Reached | None = None
    near: tuple[Vector, ...] = ()
    leap = Leap(up=False, share=share, doubling=question.whole)
    while True:
        found = search(further, end - time.monotonic(), near)
        if isinstance(found, Fails):
            z = found.points[0][:count]
            value, y = bottom(bare, forms, z)
            leap.reached(value)
            best, near = (value, z, y), (lifted(forms, y), lifted(forms, z))
        elif leap.length and isinstance(found, Holds):
            leap.failed()
        else:
            break
        further = below(bare, forms, leap.target, strict=True)
    if not isinstance(found, Holds):
        why = found.why if isinstance(found, Unknown) else "another answer than a solution or none"
        return Unknown(why) if best is None else Unknown(so_far(why, best[0], up=False), most=best[0])
    if best is None:
        return Least(found.by, None, False, (), trusted(found), proofs(found))
    value, z, y = best
    within = below(bare, forms, value, strict=False)
    if not bare.solved_by(y):
        last = search(within, end - time.monotonic(), near)
        if isinstance(last, Holds):
            return approached(question, bare, forms, best, last)
        if not isinstance(last, Fails):
            return Unknown(f"the infimum is {in_words(value)}, but whether it is attained stayed open")
        y = last.points[0][:count]
    return Least(
        found.by,
        value,
        True,
        (pleasant(within, lifted(forms, y), tester(within))[:count],),
        found.trusts,
        proofs(found),
    )


def bared(question: Question) -> Question:
    """Without its numbers, and plain."""
    return plain(replace(question, numbers=(), large=()))


def approached(question: Question, bare: Question, forms: Largest, best: Reached, held: Holds) -> Answer:
    """An infimum that is not attained, as `held` says: it is approached towards y from a solution near it, in the piece
    of the number that is nearest to y."""
    value, z, y = best
    near = below(bare, forms, value + (abs(value) or 1) * NEAR, strict=False)
    for _ in range(HALVINGS):
        if near.solved_by(lifted(forms, z)) and piece_of(question, z).closure_has(y):
            nicer = pleasant(near, lifted(forms, z), lambda _: False)[: len(z)]  # in the piece, which is convex
            z = nicer if piece_of(question, nicer).closure_has(y) else z
            return Least(held.by, value, False, (z, y), trusted(held), proofs(held))
        z = tuple((a + b) / 2 for a, b in zip(z, y, strict=True))
    return Unknown(f"the infimum is {in_words(value)}, but nothing that comes near it was found")


def pleasant(question: Question, point: Vector, solved_by: Callable[[Vector], bool]) -> Vector:
    return point if len(point) > WIDE else polish(question, point, Neighbours(question, point), solved_by)


def trusted(held: Holds) -> tuple[str, ...]:
    """Whom to trust where its proof is not looked at."""
    return held.trusts or (held.by,)


def proofs(held: Holds) -> tuple[Claimed, ...]:
    return () if held.proof is None else (held.proof,)


def lifted(forms: Largest, point: Vector) -> Vector:
    """The point with the positive parts that the forms speak of."""
    return (*point, *(max(row.at(point), ZERO) for row in forms.tests))


def bottom(question: Question, forms: Largest, z: Vector) -> tuple[Fraction, Vector]:
    """The minimum of the largest form over the closure of the piece of z, with the integers of z; at worst at z."""
    count, peak = len(z), len(z) + len(forms.tests)
    rows, low, high = polyhedron(piece_of(question, z), count)
    for i, v in enumerate(question.variables):
        if v.integer:
            low[i] = high[i] = z[i]
    low += [*(ZERO for _ in forms.tests), None]
    high += [None] * (len(forms.tests) + 1)
    for k, row in (*enumerate(forms.tests, count), *((peak, row) for row in forms.rows)):
        rows.append(Inequality({**dict(row.minus().weights), k: ONE}, -row.constant))
    now = forms.at(z)
    found = corner({peak: -ONE}, rows, low, high, (*lifted(forms, z), now))
    return (now, z) if found is None else (found[peak], found[:count])
