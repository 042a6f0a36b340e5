"""max(x, ...) = the largest."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cmp_to_key, reduce
from itertools import zip_longest

from verifier.language.build import Build, Form
from verifier.language.ops.op import Op


def largest(build: Build, forms: Sequence[Form]) -> Form:
    """max(a, b) = a + relu(b - a), folded in an order that depends neither on the places of the forms in the call, nor
    on a common positive factor, nor on a common summand: maxima equal up to these are equal forms. Needs one form."""
    ordered = sorted(dict.fromkeys(forms), key=cmp_to_key(_compare))
    return reduce(lambda a, b: build.add(a, build.relu(build.subtract(b, a))), ordered)


def _compare(left: Form, right: Form) -> int:
    """The sign of the first non-zero coefficient of left - right, its constant last: a linear order of the forms that
    keeps to positive multiples and to sums."""
    for a, b in zip_longest(left.terms, right.terms):
        if a != b:
            i = min(t[0] for t in (a, b) if t is not None)
            difference = sum(sign * t[1] for sign, t in ((1, a), (-1, b)) if t is not None and t[0] == i)
            return 1 if difference > 0 else -1
    return (left.constant > right.constant) - (left.constant < right.constant)


def expand(build: Build, of: Sequence[Form]) -> Form:
    """Pairwise a + relu(b - a), in a fixed order."""
    return largest(build, of)


def meaning(of: Sequence[Fraction]) -> Fraction:
    """The largest of at least one number."""
    return max(of)


MAX = Op("max", "fold", expand, meaning)
