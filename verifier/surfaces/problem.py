"""The language from Python: each method writes one declaration, and the text it makes is an ordinary `.vf` file.

problem = Problem()
problem.domain("X", size=real(0, 1), hue=real(0, 1))
problem.labels("small", "big")
problem.oracle("f2", features={"s": "size"}, metric="linf", decide="if s >= 1/2 then big else small")
problem.model("f1", features={"s": "size", "h": "hue"}, decide="if s + h/10 >= 1/2 then big else small")
problem.claim("A1", "contained(f1, f2)", expect="refuted")
problem.check()["A1"].pair.x["size"]        # a Fraction
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Any

from verifier.api import Loaded, Options, load_text
from verifier.model.network import Network
from verifier.verdict.verdict import FileResult

Exact = int | Fraction | Decimal | str
"""A number without rounding; a string is an expression of the language ("0.1", "1/3", "gap")."""


class Invalid(Exception):
    """The problem has mistakes; the message lists them with their lines in `Problem.text`."""


def exact(value: object) -> str:
    """A number (or vector, or matrix) in the language. A float is refused: 0.1 is not 1/10.

    Raises TypeError with a hint."""
    match value:
        case bool() | bytes():
            raise TypeError(f"a number is needed here, not {type(value).__name__}")
        case float() | Decimal() if not isfinite(value):
            raise TypeError(f"a number is needed here, not {value}; leave a side of an interval out with None")
        case int() | Fraction():
            return f"{value}" if Fraction(value).denominator == 1 else f"({value})"
        case Decimal():
            return exact(Fraction(value))
        case str():
            return value
        case float():
            raise TypeError(
                f'{value!r} is a float, which is {Fraction(value)} and perhaps not what you mean: write "{value!r}", '
                f'Fraction("{value!r}"), or Fraction({value!r}) if you do mean the float.'
            )
        case Sequence():
            return f"[{', '.join(exact(v) for v in value)}]"
        case _:
            raise TypeError(f"a number is needed here, not {type(value).__name__}")


def interval(low: Exact | None, high: Exact | None, open_low: bool = False, open_high: bool = False) -> str:
    left = "(-infinity" if low is None else f"{'(' if open_low else '['}{exact(low)}"
    right = "infinity)" if high is None else f"{exact(high)}{')' if open_high else ']'}"
    return f"{left}, {right}"


def real(
    low: Exact | None = None,
    high: Exact | None = None,
    *,
    size: int | None = None,
    open_low: bool = False,
    open_high: bool = False,
) -> str:
    """A real coordinate, or a vector of `size` of them, between `low` and `high` (None: unbounded)."""
    sort = "real" if size is None else f"real^{size}"
    bounded = low is not None or high is not None
    return f"{sort} in {interval(low, high, open_low, open_high)}" if bounded else sort


def integer(low: Exact, high: Exact) -> str:
    """A whole number between `low` and `high`."""
    return f"int in {interval(low, high)}"


def finite(*members: str) -> str:
    """One of `members`."""
    return f"{{{', '.join(members)}}}"


class Problem:
    """A file in the making. `folder`: where the files that it names are looked for."""

    def __init__(self, folder: str | Path = ".") -> None:
        self._lines: list[str] = []
        self._live: dict[str, Network] = {}
        self._path = str(Path(folder) / "problem.vf")

    @property
    def text(self) -> str:
        """The `.vf` file so far."""
        return "\n".join(self._lines) + "\n"

    def add(self, declarations: str) -> Problem:
        """Any declarations, as text."""
        self._lines.append(declarations)
        return self

    def domain(self, name: str, where: str | None = None, **coordinates: str) -> Problem:
        """`domain("X", size=real(0, 1), sex=finite("f", "m"), where="size <= 1/2")`."""
        inside = ", ".join(f"{k}: {v}" for k, v in coordinates.items())
        return self.add(f"domain {name} {{ {inside} }}" + (f" where {where}" if where else ""))

    def labels(self, *names: str) -> Problem:
        return self.add(f"labels {{ {', '.join(names)} }}")

    def oracle(
        self, name: str, features: Mapping[str, Exact] | str = "all", metric: str = "linf", decide: str | None = None
    ) -> Problem:
        """`features`: name -> expression over the coordinates, or "all", or "all except a, b"."""
        return self.add(_classifier("oracle", name, features, metric, decide))

    def model(
        self,
        name: str,
        estimator: Any = None,
        *,
        features: Mapping[str, Exact] | str | None = None,
        decide: str | None = None,
        metric: str | None = None,
        inputs: Sequence[Exact] | None = None,
    ) -> Problem:
        """A model written out (`features`, `decide`), or a fitted scikit-learn `estimator` (or a `Network`), whose
        inputs are `inputs`
        (default: all coordinates in order) and whose `features` are "input", "last_hidden" or "scores".

        Raises ImportFailed for an estimator that cannot be read exactly."""
        if estimator is None:
            return self.add(_classifier("model", name, "all" if features is None else features, metric, decide))
        if not isinstance(estimator, Network):
            from verifier.importers import from_estimator

            estimator = from_estimator(estimator)
        self._live[f"{name} in Python"] = estimator
        options = [f'"{name} in Python"']
        options += [f"inputs: {exact(list(inputs))}"] if inputs is not None else []
        options += [f"features: {features}"] if features is not None else []
        options += [f"metric: {metric}"] if metric is not None else []
        return self.add(f"model {name} = sklearn({', '.join(options)})")

    def define(self, name: str, value: Exact | Sequence[Any]) -> Problem:
        """`let name = value`: a number, a vector or a matrix."""
        return self.add(f"let {name} = {exact(value)}")

    def point(self, name: str, **coordinates: Exact | Sequence[Exact]) -> Problem:
        inside = ", ".join(f"{k}: {exact(v)}" for k, v in coordinates.items())
        return self.add(f"point {name} = {{ {inside} }}")

    def claim(self, name: str, statement: str, expect: str | None = None) -> Problem:
        """`assert name: statement expect ...`."""
        return self.add(f"assert {name}: {statement}" + (f" expect {expect}" if expect else ""))

    def compute(self, name: str, measure: str) -> Problem:
        return self.add(f"compute {name}: {measure}")

    def load(self, options: Options = Options()) -> Loaded:
        return load_text(self.text, self._path, options, self._live)

    def check(self, options: Options = Options()) -> FileResult:
        """Decide everything. Raises Invalid when the problem has mistakes."""
        loaded = self.load(options)
        errors = [d for d in loaded.diagnostics if d.severity == "error"]
        if errors:
            raise Invalid("\n".join(f"line {d.span.line}: {d.message} {d.fix}".rstrip() for d in errors))
        return loaded.check(options)


def _classifier(
    kind: str, name: str, features: Mapping[str, Exact] | str, metric: str | None, decide: str | None
) -> str:
    listed = features if isinstance(features, str) else ", ".join(f"{k} = {exact(v)}" for k, v in features.items())
    parts = [f"  features {listed}"]
    parts += [f"  metric {metric}"] if metric else []
    parts += [f"  decide {decide}"] if decide else []
    return f"{kind} {name} {{\n" + "\n".join(parts) + "\n}"
