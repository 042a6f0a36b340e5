"""What the roots of a question know of each other: the triangle inequality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations

from verifier.canonical.linalg import solve_left
from verifier.language.build import Form
from verifier.model.roots import Rows

MOST = 8
"""Roots that are compared with each other."""
SIDES = 3
"""So many of them against one."""


def bounds(roots: Mapping[int, Rows]) -> Iterator[Form]:
    """Numbers that are nowhere negative, of inputs that stand for roots of sums of weight * form^2: where the forms of
    one are a, b, ... times those of others added up, and the weights the same, it is at most |a|, |b|, ... times their
    roots (Minkowski)."""
    if len(roots) > MOST:
        return
    for root, rows in roots.items():
        weights = [w for w, _ in rows]
        alike = [r for r, other in roots.items() if r != root and [w for w, _ in other] == weights]
        for others in (some for k in range(1, SIDES + 1) for some in combinations(alike, k)):
            first, *rest = columns([rows, *(roots[r] for r in others)])
            shares = solve_left([first], rest)
            if shares is not None and all(shares[0]):
                terms = [(root, Fraction(-1)), *zip(others, map(abs, shares[0]), strict=True)]
                yield Form(Fraction(0), tuple(sorted(terms)))


def columns(several: Sequence[Rows]) -> list[list[Fraction]]:
    """For each root its forms as one vector, over the same atoms."""
    tables = [
        {(k, i): w for k, (_, form) in enumerate(rows) for i, w in (*form.terms, (None, form.constant))}
        for rows in several
    ]
    places = list(dict.fromkeys(at for table in tables for at in table))
    return [[table.get(at, Fraction(0)) for at in places] for table in tables]
