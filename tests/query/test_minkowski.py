"""What roots know of each other is true, and all of a triangle is found."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from random import Random

import pytest

from verifier.language.build import Form
from verifier.query.minkowski import bounds

W = [Fraction(1), Fraction(3, 2)]


def form(random: Random, atoms: int) -> Form:
    weights = [(i, Fraction(random.randint(-3, 3))) for i in range(atoms)]
    return Form(Fraction(random.randint(-2, 2)), tuple((i, w) for i, w in weights if w))


def plus(f: Form, g: Form, times: Fraction) -> Form:
    terms = dict(f.terms)
    for i, w in g.terms:
        terms[i] = terms.get(i, Fraction(0)) + times * w
    return Form(f.constant + times * g.constant, tuple(sorted((i, w) for i, w in terms.items() if w)))


@pytest.mark.parametrize("seed", range(40))
def test_no_bound_is_ever_negative(seed: int) -> None:
    random = Random(seed)
    first, second, alone = ([(w, form(random, 4)) for w in W] for _ in range(3))
    share = Fraction(random.choice([-2, -1, 1, 3]), 2)
    third = [(w, plus(f, g, share)) for (w, f), (_, g) in zip(first, second, strict=True)]
    roots = {10: first, 11: second, 12: third, 13: alone, 14: [(2 * w, f) for w, f in third]}
    found = list(bounds(roots))
    sides = {frozenset(i for i, _ in bound.terms) for bound in found}
    if all(any(f.terms for _, f in rows) for rows in (first, second, third)):
        assert any({i for i, _ in bound.terms} <= {10, 11, 12} for bound in found), sides
    assert not any(14 in side for side in sides), "other weights"
    for _ in range(20):
        point = [random.uniform(-1, 1) for _ in range(4)]
        values = {
            root: sqrt(
                sum(float(w) * (float(f.constant) + sum(float(a) * point[i] for i, a in f.terms)) ** 2 for w, f in rows)
            )
            for root, rows in roots.items()
        }
        assert all(sum(float(a) * values[i] for i, a in bound.terms) >= -1e-9 for bound in found)
