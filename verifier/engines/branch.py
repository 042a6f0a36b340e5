"""The branches of a case search: what is known on each, and its place in the proof."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from verifier.engines.forms import Forms
from verifier.kernel.problem import Step
from verifier.kernel.ranges import Ranges

if TYPE_CHECKING:
    from verifier.engines.slopes import Slopes


class Slot(Struct):
    """A place in the proof: no step yet, or a step and the places after it."""

    step: Step | None = None
    after: tuple[Slot, ...] = ()
    crowd: int = 1 << 62
    """That of the branch (below), where its steps end without closing it."""
    slack: float = -inf
    """Of the relaxation of the branch, where it is cut."""
    open: bool = False
    """Of a guide: not all that comes after it is closed."""

    def steps(self) -> Iterator[Step]:
        todo = [self]
        while todo:
            slot = todo.pop()
            assert slot.step is not None
            yield slot.step
            todo += reversed(slot.after)


class Branch(Struct):
    """`decided`: (node, node >= 0) for inputs and affine nodes: facts, and what was cut at 0 or implied."""

    ranges: Ranges
    decided: tuple[tuple[int, bool], ...]
    slot: Slot
    guide: Slot | None = None
    """Its place in the tree of an earlier search (`series`)."""
    parent: Branch | None = None
    waiting: int = 0
    """How many branches wait that are no part of this one."""
    forms: Forms = field(default_factory=Forms)
    slack: float = -inf
    """Of its relaxation."""
    crowd: int = 1 << 62
    """Its ranges are made better by linear programs when no more relus than these are open."""
    share: float = 1.0
    """Of the first branch, if every cut takes half."""
    pending: int = 1 << 62
    """So many choices that matter were open when exact arithmetic was last asked, of it or of a branch around it."""
    slopes: Slopes | None = None
    """Of the branch, or of one around it, since all formulas are decided."""
    basis: Any = None
    """Where its linear program, or that of the branch around it, came to an end."""


class Cut(Struct, frozen=True):
    """Where to cut a branch, and which side to look at first."""

    node: int
    value: Fraction = Fraction(0)
    above: bool = True


class Stats(Struct):
    branches: int = 0
    programs: int = 0
    exact: int = 0
