"""The record that an operator is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from verifier.language.build import Build, Form


class Op(Struct, frozen=True):
    """`each`: the first argument is a number or a vector (then element by element), the other `arguments` - 1 are
    numbers. `fold`: any number of numbers, or one vector, to one number."""

    name: str
    shape: Literal["each", "fold"]
    expand: Callable[[Build, Sequence[Form]], Form]
    meaning: Callable[[Sequence[Fraction]], Fraction]
    arguments: int = 1
