"""Results made by hand, one for every shape that a report has to print."""

from __future__ import annotations

from fractions import Fraction as Q

from verifier.source import Diagnostic, Source
from verifier.verdict.verdict import (
    Checked,
    Computed,
    FileResult,
    Limit,
    Measurement,
    Proved,
    Refuted,
    Rule,
    Seen,
    Strategy,
    Undecided,
    Verdict,
    Witness,
)

TEXT = """# halfspace.vf
domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }
assert A1: contained(f1, f3)               expect refuted
\tassert\tA2: unnecessary(f1, f2, h)
"""
SOURCE = Source("halfspace.vf", TEXT)
HERE = SOURCE.span(0, 1)


def at(text: str, source: Source = SOURCE, code: str = "V201", message: str = "No.", fix: str = "") -> Diagnostic:
    start = source.text.index(text)
    return Diagnostic(code, source.span(start, start + len(text)), message, fix)


def checked(name: str, text: str, verdict: Verdict, expected: str = "proved", **more: object) -> Checked:
    of = text.partition("(")[0]
    return Checked(name, of, text, HERE, verdict, expected, 0.014, **more)  # type: ignore[arg-type]


HALFSPACE = Witness(
    points={"x": {"size": Q(2, 5), "hue": Q(0)}, "x'": {"size": Q(2, 5), "hue": Q(1)}},
    seen=(
        Seen("f2", "oracle", ({"s": Q(2, 5)}, {"s": Q(2, 5)}), ("small", "small"), Q(0)),
        Seen(
            "f1",
            "model",
            ({"s": Q(2, 5), "h": Q(0)}, {"s": Q(2, 5), "h": Q(1)}),
            ("small", "big"),
            Q(1),
        ),
    ),
    notes=("The oracle cannot tell x from x'; f1 flips.", "Unnecessary feature: h."),
)

LIMIT = Witness(
    points={"x": {"t": Q(0)}, "x'": {"t": Q(1, 1000)}},
    seen=(
        Seen("f2", "oracle", ({"s": Q(0)}, {"s": Q(1, 1000)}), ("", ""), Q(1, 1000)),
        Seen("f1", "model", ({"h": Q(0)}, {"h": Q(1)}), ("no", "yes"), Q(1)),
    ),
    limit=Limit(x={"t": Q(0)}, y={"t": Q(0)}, z={"t": Q(1)}, start=Q(1), eps=Q(1, 1000)),
)

MOVING = Witness(
    points={"u": {"i": Q(1), "t": Q(1, 2)}, "v": {"i": Q(1), "t": Q(1)}},
    limit=Limit(
        x={"i": Q(0), "t": Q(0)},
        y={"i": Q(1), "t": Q(0)},
        z={"i": Q(1), "t": Q(1)},
        start=Q(1),
        eps=Q(1, 7),
        x_end={"i": Q(0), "t": Q(1)},
    ),
)

LONG = Q(3602879701896397, 36028797018963968)  # the double nearest to 0.1
WIDE = Witness(
    points={
        "x": {f"a{i}": Q(i) for i in range(20)} | {"pixel": (Q(0), LONG, Q(1), Q(1), Q(0))},
        "x'": {f"a{i}": Q(i) + (i == 7) for i in range(20)} | {"pixel": (Q(0), Q(1, 10), Q(1), Q(1), Q(0))},
    },
    seen=(Seen("f1", "model", ({"g": (Q(1), Q(2))}, {"g": (Q(1), LONG)}), ("cat", "dog"), LONG),),
)

MANY = Witness(points={"x": {"v": tuple(Q(i, 3) for i in range(30))}, "x'": {"v": tuple(Q(i, 7) for i in range(30))}})
POINT = Witness(
    points={"p": {"age": Q(30), "sex": "f", "x": (Q(9, 10), Q(1, 10))}},
    seen=(Seen("f1", "model", ({"h": Q(4, 5)},), ("cat",), None), Seen("f3", "model", ({"h": Q(1)},), ("dog",), None)),
)
TRIPLE = Witness(points={"u": {"a": Q(0)}, "v": {"a": Q(1)}, "w": {"a": Q(2)}})


MANY_RULES = Strategy(("x",), ("y",), tuple(Rule(f"x.n == {k}", f"y = x, but n = {k}") for k in range(7)))
LONG_CHOICE = f"y = {{{', '.join(f'x[{k}] = 0' for k in range(60))}}}"
NO_RULE = Strategy(("x",), ("y",), ())


def result(*said: Checked | Computed, path: str = "halfspace.vf", **more: object) -> FileResult:
    return FileResult(
        path,
        assertions=tuple(r for r in said if isinstance(r, Checked)),
        computed=tuple(r for r in said if isinstance(r, Computed)),
        lines={SOURCE.path: tuple(TEXT.splitlines())},
        **more,  # type: ignore[arg-type]
    )


SAMPLES: dict[str, FileResult] = {
    "refuted": result(checked("A1", "contained(f1, f2)", Refuted("closed_form", HALFSPACE), "refuted")),
    "verdicts": result(
        checked("A1", "contained(f1, f2)", Proved("closed_form")),
        checked("A2", "unnecessary(f1, f2, h)", Proved("exact_smt", trusts=("z3 5.4.1",))),
        checked(
            "Long", "forall u, v in X: f2.x(u) == f2.x(v) => f1.h(u) == f1.h(v)", Undecided("60 s were not enough.")
        ),
        checked("A4", "arca(f1, f2) >= 1/2", Undecided("`arca` in an assertion.", later=True), "refuted"),
        checked("A5", "factors(f1, f2)", Proved("closed_form"), vacuous="no pair of different points is at radius 0."),
        checked("A6", "factors(f1, f2)", Proved("closed_form"), "refuted", warnings=("`eta` has no effect here.",)),
        checked(
            "A7", "exists x in X: f1(x) == big", Refuted("exact_smt", None, trusts=("z3 5.4.1", "the float bounds"))
        ),
        Computed("R", "critical_radius(f1, f2)", HERE, 0.2, Measurement(Q(0), False, HALFSPACE)),
        Computed("K", "lipschitz_constant(f1, f2)", HERE, 1.0, Measurement("infinity", trusts=("z3 5.4.1",))),
        Computed("W", "modulus(f1, f2, radius: 1)", HERE, 12.345, Measurement(LONG / 3, True)),
        Computed("P", "probability(f1, f2)", HERE, 60.0, Measurement(None, why="60 s were not enough.")),
    ),
    "limit": result(checked("C", "contained(f1, f2)", Refuted("closed_form", LIMIT))),
    "moving_limit": result(checked("U", "uniformly_contained(f1, f2)", Refuted("closed_form", MOVING))),
    "wide": result(checked("W", "contained(f1, f2)", Refuted("exact_smt", WIDE))),
    "many": result(checked("M", "contained(f1, f2)", Refuted("exact_smt", MANY))),
    "point": result(checked("E", "exists x in X: f1(x) != f3(x)", Proved("exact_smt", pair=POINT))),
    "triple": result(checked("T", "forall u, v, w in X: u.a == v.a", Refuted("exact_smt", TRIPLE)), interrupted=True),
    "strategies": result(
        checked(
            "S1",
            "forall x in X: exists y in X: y.n > x.n",
            Proved("z3 5.4.1"),
            strategy=Strategy(("x",), ("y",), (Rule("x.n < 3", "y = x, but n = x.n + 1"), Rule("x.n >= 3", "y = x"))),
        ),
        checked(
            "S2", "exists x in X: forall y in X: y == x", Refuted("z3 5.4.1", None), "refuted", strategy=MANY_RULES
        ),
        checked(
            "S3",
            "forall x in X: exists y, z in X: y != z",
            Proved("z3 5.4.1"),
            strategy=Strategy(("x",), ("y", "z"), (Rule(None, "y = x; z = x, but a = 0"), Rule("", LONG_CHOICE))),
        ),
        checked("S4", "forall x in X: x.a > 9 => (exists y in X: y == x)", Proved("z3 5.4.1"), strategy=NO_RULE),
    ),
    "empty": result(),
    "diagnostics": result(diagnostics=(at("f3", message="There is no model called `f3`.", fix="Did you mean `f1`?"),)),
}
