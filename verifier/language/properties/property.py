"""A property is its definition, written in the language itself.

The text is what `explain` prints, what the engines are asked, and what a witness is replayed against. In it `f1`,
`f2`, `h`, `p` stand
for the arguments and `radius` and the like for the options; `where_at(x)` for the formula of `where:` at x.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

Kind = Literal["model", "oracle", "classifier", "measured", "feature", "point", "number", "data", "labelled"]
"""What an argument is. `measured`: a classifier whose metric must be written, for the number depends on it.
`data`: a data set; `labelled`: one with labels."""
OptionKind = Literal["number", "formula", "flag", "word", "distribution", "pairs"]
"""`distribution`: where a point is drawn from; `pairs`: where two are."""
Choices = Mapping[str, str]
"""The options that were given: a word or flag by its text, the others by ""."""


class Always(Struct, frozen=True):
    """For all `points` in X: all of `given` => `then`.

    `distinct`: two points (or arguments) that must differ for the premise to say anything; empty: any point will do.
    `exchangeable`: where distances are symmetric, all of it says the same with its two points swapped.
    """

    points: tuple[str, ...]
    given: tuple[str, ...]
    then: str
    distinct: tuple[str, ...] = ()
    almost: bool = False
    exchangeable: bool = False


class Contained(Struct, frozen=True):
    """The topology of `coarse` is contained in that of `fine`: Theorem 1*, or `uniform`ly: Theorem 1U.

    `at`: the argument that x is fixed to, if it is."""

    coarse: str
    fine: str
    uniform: bool = False
    at: str = ""


class LocallyConstant(Struct, frozen=True):
    """Off its t1-boundary, f1 is locally constant for the oracle (Theorem 3)."""


class Every(Struct, frozen=True):
    """All parts hold; each has a name for the reader."""

    parts: tuple[tuple[str, Pattern], ...]


class Opposite(Struct, frozen=True):
    """The part does not hold."""

    part: Pattern


class Likely(Struct, frozen=True):
    """The measure of this name, a probability with the same arguments, is more than 1 - eta."""

    measure: str


Pattern = Always | Contained | LocallyConstant | Every | Opposite | Likely


class Infimum(Struct, frozen=True):
    """inf of the distance `of` over all `points` in X with all of `given`; infinite when there are none.

    `exchangeable`: one of `given`, that two labels differ, where all says the same with the two points swapped.
    """

    points: tuple[str, ...]
    of: str
    given: tuple[str, ...]
    exchangeable: str = ""


class Property(Struct, frozen=True):
    """`parameters`: name -> kind, in order. `options`: name -> kind; `required` must be given.

    `words`: the definition as a sentence without its full stop, by the options as written; `{f1}`, `{radius}` and so on
    stand for arguments and options.
    """

    name: str
    words: Callable[[Choices], str]
    parameters: Mapping[str, Kind]
    pattern: Callable[[Choices], Pattern]
    options: Mapping[str, OptionKind] = {}
    required: tuple[str, ...] = ()


class Measure(Struct, frozen=True):
    """A number to compute; otherwise like a property. `pattern` None: it has a computation of its own. `others`: the
    same word with other parameters, data sets among them."""

    name: str
    words: str
    parameters: Mapping[str, Kind]
    pattern: Callable[[Choices], Infimum] | None
    options: Mapping[str, OptionKind] = {}
    required: tuple[str, ...] = ()
    others: tuple[Measure, ...] = ()
    compares: bool = True
    """Its answer is a number; otherwise words, a curve or a region."""


def wheres(choices: Choices) -> tuple[str, ...]:
    """The premises that `where` (binds x) and `where_both` (binds x and x') add."""
    one = ("where_at(x)",) if "where" in choices else ()
    return one + (("where_both_at(x)", "where_both_at(x')") if "where_both" in choices else ())


def conditions(choices: Choices) -> str:
    """`where`, `where_both` and `almost`, as the end of a sentence about x (and x')."""
    one = ", if {where} at x" if "where" in choices else ""
    both = ", if {where_both} at both" if "where_both" in choices else ""
    return one + both + (", except on a set of measure zero" if on(choices, "almost") else "")


def within(choices: Choices) -> str:
    """How far the points of the ball are."""
    return "at most {radius}" if on(choices, "closed") else "less than {radius}"


def on(choices: Choices, flag: str) -> bool:
    """A flag was given as `true`."""
    return choices.get(flag) == "true"
