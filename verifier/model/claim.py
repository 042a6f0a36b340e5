"""What is asked, as written: trees over named points, closed but for the names of the file."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from verifier.model.distribution import Distribution
from verifier.model.program import Data, Partition
from verifier.syntax.tree import Comparison, Expr, Name, Number

Ends = tuple[Expr, Expr]
Kind = Literal["forall", "exists"]


class Always(Struct, frozen=True):
    """For all `points` in X: all of `given` => `then`.

    `distinct`: the premise is vacuous unless it holds for some points at which these two differ (None: for any points
    at all).
    `almost`: counterexamples of measure zero do not count. `ends`: the two points whose distance a report shows;
    `shown`: the
    classifiers it shows there. `exchangeable`: all of it says the same with its two points swapped.
    """

    points: tuple[str, ...]
    given: tuple[Expr, ...]
    then: Expr
    distinct: Ends | None
    almost: bool = False
    ends: Ends | None = None
    shown: tuple[str, ...] = ()
    exchangeable: bool = False


class Block(Struct, frozen=True):
    """Quantifiers of one kind over points of X, one after the other."""

    kind: Kind
    points: tuple[str, ...]


class Prenex(Struct, frozen=True):
    """Quantifiers that alternate: at least two blocks, and the formula behind them. The claim is vacuous where `given`,
    that some points satisfy its premise, is refuted."""

    blocks: tuple[Block, ...]
    formula: Expr
    given: Claim | None = None
    shown: tuple[str, ...] = ()


class Contained(Struct, frozen=True):
    """d2' -> 0 forces d1' -> 0 (Theorem 1*, 1U): `coarse` and `fine` are distances of x and x'."""

    model: str
    oracle: str
    coarse: Expr
    fine: Expr
    uniform: bool
    named: str = ""
    """The one feature of the model that is meant, if only one is."""
    at: str = ""
    """The declared point that x is, if it is fixed."""


class LocallyConstant(Struct, frozen=True):
    """`contained(f1, f2, of: decision)` (Theorem 3)."""

    model: str
    oracle: str
    coarse: Expr
    fine: Expr


class Infimum(Struct, frozen=True):
    """inf of `of` over `points` in X with all of `given`. `exchangeable`: one of those, that two labels differ, where
    all says the same with the two points swapped."""

    points: tuple[str, ...]
    of: Expr
    given: tuple[Expr, ...]
    ends: Ends
    shown: tuple[str, ...] = ()
    exchangeable: Expr | None = None


class Computation(Struct, frozen=True):
    """A measure with a computation of its own. `arguments`: the parameters and number options by name; `choices`: flags
    and words;
    `formulas`: the formula options, at the point x; `over`: where points are drawn from."""

    word: str
    arguments: Mapping[str, Expr]
    choices: Mapping[str, str]
    formulas: Mapping[str, Expr]
    shown: tuple[str, ...] = ()
    over: Distribution = Distribution("uniform(X)")
    against: Fraction | None = None
    """The constant that it is compared with: an enclosure that tells them apart is tight enough."""

    def classifier(self, parameter: str) -> str:
        """The name of the classifier that was given for a parameter."""
        argument = self.arguments[parameter]
        assert isinstance(argument, Name)
        return argument.id

    def number(self, option: str) -> Fraction:
        """The value of a number option."""
        argument = self.arguments[option]
        assert isinstance(argument, Number)
        return argument.value


class Compare(Struct, frozen=True):
    """A measure against a constant (None: infinity)."""

    measure: Infimum | Computation
    op: Comparison
    value: Fraction | None


class Not(Struct, frozen=True):
    claim: Claim


class Join(Struct, frozen=True):
    """`all` or `any` of the parts; each part has words of its own (or none)."""

    kind: Literal["all", "any"]
    parts: tuple[tuple[str, Claim], ...]


class Rows(Struct, frozen=True):
    """`forall row in D: body`: the body, of each row. `name`: the row, as the file calls it; `point`: as the body here
    calls it, a name that no file can write."""

    kind: Kind
    name: str
    point: str
    data: Data
    body: Expr


class Parts(Struct, frozen=True):
    """`forall part in P: body`: the body, with each part in the place of X. `name`: the part, as the file calls it."""

    kind: Kind
    name: str
    partition: Partition
    body: Expr


class ByConstruction(Struct, frozen=True):
    """True of all that the language lets one write, for the reason `why`."""

    why: str


class Later(Struct, frozen=True):
    """Known to the language, not decided by this version."""

    what: str


Measured = Infimum | Computation | Later
Many = Rows | Parts
Claim = Always | Prenex | Contained | LocallyConstant | Compare | Not | Join | Rows | Parts | ByConstruction | Later
