"""What an engine may say. It only answers; verdicts are made elsewhere, after a check."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

Vector = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Holds:
    """No solution exists. `trusts`: what has to be believed for that ("z3 5.4.1"); empty: there is a certificate."""

    by: str
    trusts: tuple[str, ...] = ()
    proof: object = None


@dataclass(frozen=True, slots=True)
class Fails:
    """A solution: `points[0]` solves the question; a limit witness adds the closure point `points[1]` (Theorem 1*)."""

    by: str
    points: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class Least:
    """An infimum: `value` None when nothing is feasible; attained at `points[0]`, or approached from it towards
    `points[1]`."""

    by: str
    value: Fraction | None
    attained: bool
    points: tuple[Vector, ...] = ()
    trusts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Most:
    """A supremum: `value` None when it is infinite. Attained at `points[0]`; or approached by the solutions
    (z + r u) / (1 + r t), r -> infinity, where z is `points[0]` and (u, t) is `points[1]`: t > 0 leads to u / t, in the
    closure of the piece of z, and t = 0 runs off in the direction u. No points: there was nothing to take it over."""

    by: str
    value: Fraction | None
    attained: bool
    points: tuple[Vector, ...] = ()
    trusts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    why: str


Answer = Holds | Fails | Least | Most | Unknown


class EngineFailed(Exception):
    """The engine itself broke: an internal error, never a verdict."""
