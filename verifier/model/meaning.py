"""The values that expressions have at points that are not yet known, and how to speak of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NoReturn

from msgspec import Struct

from verifier.language.build import Form
from verifier.source import Diagnostic, Rejected, Span


class Truth(Struct, frozen=True):
    """A formula."""

    form: Form


class Finite(Struct, frozen=True):
    """One of `members`; `cases[i]` is the formula that it is members[i], exactly one of which holds."""

    members: tuple[str, ...]
    cases: tuple[Form, ...]
    code: Form | None = None


class Extended(Struct, frozen=True):
    """A number that may be infinite: +infinity where `infinite` holds, else `form` (margins of decisions over finite
    sorts)."""

    infinite: Form
    form: Form


class Distance(Struct, frozen=True):
    """The root of `square` (an l2 distance), which is no piecewise-linear number; it can be compared without a number.

    `square` is the sum of weight * form^2 over `rows`, linear in inputs that stand for it (`Symbolic.squares`)."""

    square: Form
    rows: tuple[tuple[Fraction, Form], ...]

    @property
    def parts(self) -> tuple[Form, ...]:
        """It is 0 exactly where all of these are."""
        return tuple(form for _, form in self.rows)


class Point(Struct, frozen=True, eq=False):
    """A point of the domain by coordinate."""

    values: Mapping[str, Meaning]


class FeatureVector(Struct, frozen=True, eq=False):
    """The features of a point by name; `u.s` and `u[0]` (flat) read it."""

    values: Mapping[str, Meaning]


Meaning = Form | Truth | Finite | Extended | Distance | Point | FeatureVector | tuple["Meaning", ...]
Env = Mapping[str, Meaning]


class NotYet(Exception):
    """The file asks for something that this version knows but does not decide."""


def fail(code: str, span: Span, message: str, fix: str = "") -> NoReturn:
    raise Rejected(Diagnostic(code, span, message, fix))


def describe(value: Meaning) -> str:
    """The sort of a value in a student's words."""
    match value:
        case Form() | Extended() | Distance():
            return "a number"
        case Truth():
            return "a formula"
        case Finite(members):
            return f"one of {{{', '.join(members)}}}"
        case Point():
            return "a point"
        case FeatureVector():
            return "a feature vector"
        case tuple():
            if value and all(isinstance(v, tuple) for v in value):
                rows = [v for v in value if isinstance(v, tuple)]
                if len({len(r) for r in rows}) == 1:
                    return f"a {len(value)} x {len(rows[0])} matrix"
            return f"a vector of {len(value)}"


def numbers(value: Meaning) -> list[Form]:
    """The entries of a number, a vector or a matrix, in order; a finite value by its code."""
    match value:
        case Form():
            return [value]
        case Finite(code=Form() as code):
            return [code]
        case tuple():
            return [n for v in value for n in numbers(v)]
        case _:
            return []
