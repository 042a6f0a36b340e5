"""Random programs, each with two meanings: its `.vf` text, and plain Python over rationals or z3 terms.

Nothing here knows the tool: the second meaning is written straight from the reference of the language.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any, TypeAlias

import z3

Num: TypeAlias = Any  # a Fraction, or a z3 real
Bool: TypeAlias = Any  # a bool, or a z3 formula
Env: TypeAlias = Mapping[str, Num]


class Spot(dict[str, Num]):
    """A point that remembers what was computed at it."""

    def __init__(self, values: Mapping[str, Num]) -> None:
        super().__init__(values)
        self.memo: dict[Any, Any] = {}


# rationals or z3 terms, whichever they are


def lift(value: Num) -> Num:
    return value if z3.is_expr(value) else term(value)


@cache
def term(value: Fraction) -> Num:
    """z3 reads a number as text and simplifies it; the same few come thousands of times."""
    return z3.Q(value.numerator, value.denominator)


def known(*values: Any) -> bool:
    return not any(z3.is_expr(v) for v in values)


def add(a: Num, b: Num) -> Num:
    return a + b if known(a, b) else lift(a) + lift(b)


def sub(a: Num, b: Num) -> Num:
    return a - b if known(a, b) else lift(a) - lift(b)


def scale(factor: Fraction, a: Num) -> Num:
    return factor * a if known(a) else lift(factor) * a


def compare(op: str, a: Num, b: Num) -> Bool:
    if not known(a, b):
        a, b = lift(a), lift(b)
    match op:
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case ">=":
            return a >= b
        case "==":
            return a == b
    return a != b


def ite(test: Bool, a: Num, b: Num) -> Num:
    if isinstance(test, bool):
        return a if test else b
    return z3.If(test, lift(a), lift(b))


def both(*parts: Bool) -> Bool:
    if any(p is False for p in parts):
        return False
    rest = [p for p in parts if p is not True]
    return True if not rest else rest[0] if len(rest) == 1 else z3.And(rest)


def either(*parts: Bool) -> Bool:
    if any(p is True for p in parts):
        return True
    rest = [p for p in parts if p is not False]
    return False if not rest else rest[0] if len(rest) == 1 else z3.Or(rest)


def no(part: Bool) -> Bool:
    return not part if isinstance(part, bool) else z3.Not(part)


def greatest(items: Sequence[Num]) -> Num:
    best = items[0]
    for item in items[1:]:
        best = ite(compare(">=", best, item), best, item)
    return best


def least(items: Sequence[Num]) -> Num:
    best = items[0]
    for item in items[1:]:
        best = ite(compare("<=", best, item), best, item)
    return best


def absolute(a: Num) -> Num:
    return ite(compare(">=", a, Fraction(0)), a, scale(Fraction(-1), a))


# expressions


@dataclass(frozen=True)
class Const:
    value: Fraction

    def ev(self, env: Env) -> Num:
        return self.value

    def vf(self) -> str:
        return str(self.value) if self.value >= 0 else f"({self.value})"


@dataclass(frozen=True)
class Var:
    name: str

    def ev(self, env: Env) -> Num:
        return env[self.name]

    def vf(self) -> str:
        return self.name


@dataclass(frozen=True)
class Lin:
    """constant + sum of weight * part."""

    parts: tuple[tuple[Fraction, NumExpr], ...]
    constant: Fraction = Fraction(0)

    def ev(self, env: Env) -> Num:
        total: Num = self.constant
        for w, e in self.parts:
            total = add(total, scale(w, e.ev(env)))
        return total

    def vf(self) -> str:
        texts = [e.vf() if w == 1 else f"({w})*{e.vf()}" for w, e in self.parts]
        if self.constant or not texts:
            texts.append(f"({self.constant})")
        return "(" + " + ".join(texts) + ")"


@dataclass(frozen=True)
class Fn:
    name: str
    args: tuple[NumExpr, ...]

    def ev(self, env: Env) -> Num:
        zero, one = Fraction(0), Fraction(1)
        a = [x.ev(env) for x in self.args]
        match self.name:
            case "relu":
                return ite(compare(">", a[0], zero), a[0], zero)
            case "abs":
                return absolute(a[0])
            case "max" | "norminf_":
                return greatest(a)
            case "min":
                return least(a)
            case "clamp":
                return least([greatest([a[0], a[1]]), a[2]])
            case "step":
                return ite(compare(">=", a[0], zero), one, zero)
            case "sign":
                return ite(compare(">", a[0], zero), one, ite(compare("<", a[0], zero), -one, zero))
            case "norm1":
                total: Num = zero
                for x in a:
                    total = add(total, absolute(x))
                return total
            case "norminf":
                return greatest([absolute(x) for x in a])
        raise AssertionError(self.name)

    def vf(self) -> str:
        return f"{self.name}({', '.join(a.vf() for a in self.args)})"


@dataclass(frozen=True)
class If:
    test: BoolExpr
    then: NumExpr
    otherwise: NumExpr

    def ev(self, env: Env) -> Num:
        return ite(self.test.ev(env), self.then.ev(env), self.otherwise.ev(env))

    def vf(self) -> str:
        return f"(if {self.test.vf()} then {self.then.vf()} else {self.otherwise.vf()})"


class Def:
    """`def name(parameters) = body`; the body sees its parameters and the file's constants."""

    def __init__(self, name: str, parameters: tuple[str, ...], body: Any) -> None:
        self.name, self.parameters, self.body = name, parameters, body

    def vf(self) -> str:
        return f"def {self.name}({', '.join(self.parameters)}) = {self.body.vf()}"


@dataclass(frozen=True)
class Call:
    """A number or a formula, by a definition."""

    of: Def
    args: tuple[NumExpr, ...]

    def ev(self, env: Env) -> Any:
        return self.of.body.ev(dict(zip(self.of.parameters, (a.ev(env) for a in self.args), strict=True)))

    def vf(self) -> str:
        return f"{self.of.name}({', '.join(a.vf() for a in self.args)})"


@dataclass(frozen=True)
class Named:
    """A constant of the file."""

    name: str
    value: Fraction

    def ev(self, env: Env) -> Num:
        return self.value

    def vf(self) -> str:
        return self.name


@dataclass(frozen=True)
class Code:
    """The position of a member in its sort: `code(k)`, or [k == member] as an entry of `onehot(k)`."""

    name: str
    index: int | None = None

    def ev(self, env: Env) -> Num:
        if self.index is None:
            return env[self.name]
        return ite(compare("==", env[self.name], Fraction(self.index)), Fraction(1), Fraction(0))

    def vf(self) -> str:
        return f"code({self.name})" if self.index is None else f"onehot({self.name})[{self.index}]"


@dataclass(frozen=True)
class Dot:
    """weights . entries, in one of the ways to write it."""

    weights: tuple[Fraction, ...]
    entries: tuple[NumExpr, ...]
    way: str

    def ev(self, env: Env) -> Num:
        return Lin(tuple(zip(self.weights, self.entries, strict=True))).ev(env)

    def vf(self) -> str:
        row, column = ", ".join(map(str, self.weights)), ", ".join(e.vf() for e in self.entries)
        match self.way:
            case "dot":
                return f"dot([{row}], [{column}])"
            case "matrix":
                return f"([[{', '.join('7' for _ in self.weights)}], [{row}]] * [{column}])[1]"
        parts = ", ".join(f"({w}) * {e.vf()}" for w, e in zip(self.weights, self.entries, strict=True))
        return f"sum([{parts}])"


NumExpr: TypeAlias = Const | Var | Lin | Fn | If | Call | Named | Code | Dot


@dataclass(frozen=True)
class Chain:
    """a op b op c."""

    operands: tuple[NumExpr, ...]
    ops: tuple[str, ...]

    def ev(self, env: Env) -> Bool:
        values = [e.ev(env) for e in self.operands]
        return both(*(compare(op, a, b) for op, a, b in zip(self.ops, values, values[1:], strict=False)))

    def vf(self) -> str:
        text = self.operands[0].vf()
        for op, e in zip(self.ops, self.operands[1:], strict=True):
            text += f" {op} {e.vf()}"
        return f"({text})"


@dataclass(frozen=True)
class Is:
    """A member of a finite sort (or a label) by its number: `name == member`."""

    name: str
    member: str
    index: int
    op: str = "=="

    def ev(self, env: Env) -> Bool:
        return compare(self.op, env[self.name], Fraction(self.index))

    def vf(self) -> str:
        return f"({self.name} {self.op} {self.member})"


@dataclass(frozen=True)
class Same:
    """Two labels or members: `left op right`."""

    left: str
    right: str
    op: str

    def ev(self, env: Env) -> Bool:
        a, b = env[self.left], env[self.right]
        if isinstance(a, tuple):  # whole points, or vectors
            same = both(*(compare("==", x, y) for x, y in zip(a, b, strict=True)))
            return same if self.op == "==" else no(same)
        return compare(self.op, a, b)

    def vf(self) -> str:
        return f"({self.left} {self.op} {self.right})"


@dataclass(frozen=True)
class Logic:
    op: str  # and, or, =>, <=>
    left: BoolExpr
    right: BoolExpr

    def ev(self, env: Env) -> Bool:
        a, b = self.left.ev(env), self.right.ev(env)
        match self.op:
            case "and":
                return both(a, b)
            case "or":
                return either(a, b)
            case "=>":
                return either(no(a), b)
        return either(both(a, b), both(no(a), no(b)))

    def vf(self) -> str:
        return f"({self.left.vf()} {self.op} {self.right.vf()})"


@dataclass(frozen=True)
class Not:
    inner: BoolExpr

    def ev(self, env: Env) -> Bool:
        return no(self.inner.ev(env))

    def vf(self) -> str:
        return f"(not {self.inner.vf()})"


@dataclass(frozen=True)
class Margin:
    """`margin(f1) >= amount` inside of `where:`; its value stands in the environment."""

    amount: Fraction
    op: str

    def ev(self, env: Env) -> Bool:
        return compare(self.op, env["margin(f1)"], self.amount)

    def vf(self) -> str:
        return f"(margin(f1) {self.op} {self.amount})"


@dataclass(frozen=True)
class Case:
    """if test then formula else formula."""

    test: BoolExpr
    then: BoolExpr
    otherwise: BoolExpr

    def ev(self, env: Env) -> Bool:
        t = self.test.ev(env)
        return either(both(t, self.then.ev(env)), both(no(t), self.otherwise.ev(env)))

    def vf(self) -> str:
        return f"(if {self.test.vf()} then {self.then.vf()} else {self.otherwise.vf()})"


BoolExpr: TypeAlias = Chain | Is | Same | Logic | Not | Margin | Call | Case


# decisions


@dataclass(frozen=True)
class Label:
    index: int

    def ev(self, env: Env) -> Num:
        return Fraction(self.index)

    def vf(self, labels: Sequence[str]) -> str:
        return labels[self.index]

    def margin(self, env: Env) -> Num | None:
        return None


@dataclass(frozen=True)
class Branch:
    test: BoolExpr
    then: Decision
    otherwise: Decision

    def ev(self, env: Env) -> Num:
        return ite(self.test.ev(env), self.then.ev(env), self.otherwise.ev(env))

    def vf(self, labels: Sequence[str]) -> str:
        return f"if {self.test.vf()} then {self.then.vf(labels)} else {self.otherwise.vf(labels)}"

    def margin(self, env: Env) -> Num | None:
        """The least |slack| of the tests on the path taken."""
        size = absolute(slack(self.test, env))
        a, b = self.then.margin(env), self.otherwise.margin(env)
        parts = [size if m is None else least([size, m]) for m in (a, b)]
        return ite(self.test.ev(env), parts[0], parts[1])


@dataclass(frozen=True)
class Arg:
    """argmax or argmin over (label, score)."""

    scores: tuple[tuple[int, NumExpr], ...]
    last: bool
    lowest: bool

    def ev(self, env: Env) -> Num:
        ordered = sorted(self.scores, key=lambda s: s[0], reverse=self.last)
        values = [(i, scale(Fraction(-1 if self.lowest else 1), e.ev(env))) for i, e in ordered]
        label, best = Fraction(values[0][0]), values[0][1]
        for i, v in values[1:]:
            better = compare(">", v, best)
            label, best = ite(better, Fraction(i), label), ite(better, v, best)
        return label

    def vf(self, labels: Sequence[str]) -> str:
        parts = [f"{labels[i]}: {e.vf()}" for i, e in self.scores]
        if self.last:
            parts.append("ties: last")
        return f"arg{'min' if self.lowest else 'max'}({', '.join(parts)})"

    def margin(self, env: Env) -> Num | None:
        """The winner minus the best other."""
        values = [scale(Fraction(-1 if self.lowest else 1), e.ev(env)) for _, e in self.scores]
        leads = [least([sub(v, w) for j, w in enumerate(values) if j != i]) for i, v in enumerate(values)]
        return greatest(leads)


Decision: TypeAlias = Label | Branch | Arg


def slack(test: BoolExpr, env: Env) -> Num:
    """How far a formula over numbers is from a change: positive only inside, negative only outside."""
    minus = Fraction(-1)
    match test:
        case Not(inner):
            return scale(minus, slack(inner, env))
        case Logic(op, left, right):
            a, b = slack(left, env), slack(right, env)
            match op:
                case "and":
                    return least([a, b])
                case "or":
                    return greatest([a, b])
                case "=>":
                    return greatest([scale(minus, a), b])
            return least([greatest([scale(minus, a), b]), greatest([a, scale(minus, b)])])
        case Chain(operands, ops):
            values = [e.ev(env) for e in operands]
            parts = []
            for op, a, b in zip(ops, values, values[1:], strict=False):
                gap = sub(b, a) if op[0] == "<" else sub(a, b)
                parts.append(gap if op[0] in "<>" else scale(minus if op == "==" else Fraction(1), absolute(gap)))
            return least(parts)
    raise AssertionError(test)


def plain(test: BoolExpr) -> bool:
    """Comparisons of numbers only: its slack is finite."""
    match test:
        case Chain():
            return True
        case Not(inner):
            return plain(inner)
        case Logic(_, left, right):
            return plain(left) and plain(right)
    return False


def has_margin_of(p: Program) -> bool:
    return p.f1.decide is not None and has_margin(p.f1.decide)


def has_margin(decision: Decision) -> bool:
    match decision:
        case Label():
            return False
        case Arg(scores):
            return len(scores) > 1
        case Branch(test, then, otherwise):
            return plain(test) and all(isinstance(d, Label) or has_margin(d) for d in (then, otherwise))


# programs


@dataclass(frozen=True)
class Coord:
    name: str
    kind: str  # real, int, finite
    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False
    members: tuple[str, ...] = ()
    size: int = 0  # of a vector

    def accessors(self) -> list[str]:
        return [f"{self.name}[{i}]" for i in range(self.size)] if self.size else [self.name]

    def vf(self) -> str:
        if self.kind == "finite":
            return f"{self.name}: {{{', '.join(self.members)}}}"
        sort = "int" if self.kind == "int" else f"real^{self.size}" if self.size else "real"
        if self.low is None and self.high is None:
            return f"{self.name}: {sort}"
        left = "(" if self.low_open or self.low is None else "["
        right = ")" if self.high_open or self.high is None else "]"
        low = "-infinity" if self.low is None else str(self.low)
        high = "infinity" if self.high is None else str(self.high)
        return f"{self.name}: {sort} in {left}{low}, {high}{right}"

    def choices(self) -> list[Fraction]:
        """All values of a discrete coordinate."""
        if self.kind == "finite":
            return [Fraction(i) for i in range(len(self.members))]
        assert self.low is not None and self.high is not None
        low, high = int(self.low), int(self.high)
        return [Fraction(i) for i in range(low + self.low_open, high + 1 - self.high_open)]

    def holds(self, env: Env) -> Bool:
        facts: list[Bool] = []
        for key in self.accessors():
            if self.low is not None:
                facts.append(compare(">" if self.low_open else ">=", env[key], self.low))
            if self.high is not None:
                facts.append(compare("<" if self.high_open else "<=", env[key], self.high))
        return both(*facts)


@dataclass(frozen=True)
class Feature:
    """One number, several (a vector), or a finite coordinate as it is (nominal)."""

    name: str
    entries: tuple[NumExpr, ...]
    vector: bool = False
    nominal: str = ""
    whole: str = ""
    """How a vector is written, if not entry by entry."""

    def accessors(self) -> list[str]:
        return [f"{self.name}[{i}]" for i in range(len(self.entries))] if self.vector else [self.name]

    def vf(self) -> str:
        if self.nominal:
            return f"{self.name} = {self.nominal}"
        if self.whole:
            return f"{self.name} = {self.whole}"
        texts = [e.vf() for e in self.entries]
        return f"{self.name} = [{', '.join(texts)}]" if self.vector else f"{self.name} = {texts[0]}"


COMBINED: Mapping[str, tuple[tuple[Fraction, str], tuple[Fraction, str]]] = {
    "linf + l0": ((Fraction(1), "linf"), (Fraction(1), "l0")),
    "l1 + discrete / 2": ((Fraction(1), "l1"), (Fraction(1, 2), "discrete")),
    "linf + 2 * l1": ((Fraction(1), "linf"), (Fraction(2), "l1")),
    "max(linf, discrete)": ((Fraction(1), "linf"), (Fraction(1), "discrete")),
    "max(2 * linf, l1)": ((Fraction(2), "linf"), (Fraction(1), "l1")),
    "max(l0, l1 / 2)": ((Fraction(1), "l0"), (Fraction(1, 2), "l1")),
}


@dataclass(frozen=True)
class Metric:
    name: str  # linf, l1, l0, discrete, one of COMBINED, or "" with a body
    scales: tuple[tuple[str, Fraction], ...] = ()  # feature -> divisor
    body: NumExpr | None = None

    def vf(self) -> str:
        if self.body is not None:
            return f"metric d(u, v) = {self.body.vf()}"
        if self.scales:
            return f"metric {self.name}(scale: {{{', '.join(f'{k}: {v}' for k, v in self.scales)}}})"
        return f"metric {self.name}"


@dataclass(frozen=True)
class Classifier:
    kind: str
    name: str
    features: tuple[Feature, ...]
    metric: Metric | None
    decide: Decision | None

    def vf(self, labels: Sequence[str]) -> str:
        lines = [f"{self.kind} {self.name} {{", "  features " + ", ".join(f.vf() for f in self.features)]
        if self.metric is not None:
            lines.append("  " + self.metric.vf())
        if self.decide is not None:
            lines.append("  decide " + self.decide.vf(labels))
        return "\n".join([*lines, "}"])

    def g(self, env: Env) -> dict[str, Num]:
        if isinstance(env, Spot):
            if self.name not in env.memo:
                env.memo[self.name] = self.g(dict(env))
            return env.memo[self.name]  # type: ignore[no-any-return]
        result: dict[str, Num] = {}
        for f in self.features:
            for key, e in zip(f.accessors(), f.entries, strict=True):
                result[key] = e.ev(env)
        return result

    def label(self, env: Env) -> Num:
        if isinstance(env, Spot):
            if (self.name, "label") not in env.memo:
                env.memo[self.name, "label"] = self.label(dict(env))
            return env.memo[self.name, "label"]
        return Fraction(-1) if self.decide is None else self.decide.ev(self.g(env))

    def margin(self, env: Env) -> Num:
        assert self.decide is not None
        return self.decide.margin(self.g(env))

    def distance(self, left: Env, right: Env, only: str = "") -> Num:
        if isinstance(left, Spot):
            key = (self.name, only, id(right))
            if key not in left.memo:
                left.memo[key] = self._distance(left, right, only)
            return left.memo[key]
        return self._distance(left, right, only)

    def _distance(self, left: Env, right: Env, only: str) -> Num:
        g, h = self.g(left), self.g(right)
        metric = self.metric or Metric("linf")
        if metric.body is not None and not only:
            env = {f"u.{k}": v for k, v in g.items()} | {f"v.{k}": v for k, v in h.items()}
            return metric.body.ev(env)
        if metric.name in COMBINED:
            a, b = (
                scale(w, replace(self, metric=Metric(part))._distance(left, right, only))
                for w, part in COMBINED[metric.name]
            )
            return greatest([a, b]) if metric.name.startswith("max") else add(a, b)
        zero, one = Fraction(0), Fraction(1)
        divisors = dict(metric.scales)
        gaps: list[Num] = []
        for f in self.features:
            if only in ("", f.name):
                for key in f.accessors():
                    gap = ite(compare("==", g[key], h[key]), zero, one) if f.nominal else absolute(sub(g[key], h[key]))
                    gaps.append(scale(1 / divisors.get(f.name, one), gap))
        name = metric.name or "linf"
        if only and name in ("l1", "linf"):
            name = "linf"
        match name:
            case "linf":
                return greatest([zero, *gaps])
            case "l1":
                total: Num = zero
                for gap in gaps:
                    total = add(total, gap)
                return total
            case "l0":
                total = zero
                for gap in gaps:
                    total = add(total, ite(compare("==", gap, zero), zero, one))
                return total
        return ite(both(*(compare("==", gap, zero) for gap in gaps)), zero, one)


@dataclass(frozen=True)
class Program:
    coords: tuple[Coord, ...]
    where: BoolExpr | None
    labels: tuple[str, ...]
    f1: Classifier
    f2: Classifier
    point: Mapping[str, Fraction] | None = None
    asserts: tuple[Claim, ...] = ()
    extras: tuple[str, ...] = ()
    """Definitions and constants."""

    def vf(self) -> str:
        lines = list(self.extras)
        lines.append(f"domain X {{ {', '.join(c.vf() for c in self.coords)} }}")
        if self.where is not None:
            lines[-1] += f" where {self.where.vf()}"
        lines.append(f"labels {{ {', '.join(self.labels)} }}")
        lines += [self.f2.vf(self.labels), self.f1.vf(self.labels)]
        if self.point is not None:
            lines.append(f"point p = {{ {', '.join(self.shown(c) for c in self.coords)} }}")
        for i, claim in enumerate(self.asserts):
            word = "compute" if claim.kind in COMPUTED else "assert"
            lines.append(f"{word} A{i}: {claim.vf()}")
        return "\n".join(lines) + "\n"

    def shown(self, c: Coord) -> str:
        assert self.point is not None
        if c.kind == "finite":
            return f"{c.name}: {c.members[int(self.point[c.name])]}"
        values = [str(self.point[k]) for k in c.accessors()]
        return f"{c.name}: [{', '.join(values)}]" if c.size else f"{c.name}: {values[0]}"

    def inside(self, env: Env) -> Bool:
        return both(*(c.holds(env) for c in self.coords), True if self.where is None else self.where.ev(env))

    def discrete(self) -> list[Coord]:
        return [c for c in self.coords if c.kind != "real"]

    def reals(self) -> list[str]:
        return [k for c in self.coords if c.kind == "real" for k in c.accessors()]

    def slices(self) -> Iterator[dict[str, Fraction]]:
        """The values of the discrete coordinates, all of them."""
        names = [c.name for c in self.discrete()]
        for values in product(*(c.choices() for c in self.discrete())):
            yield dict(zip(names, values, strict=True))

    def at(self, env: Env) -> dict[str, Num]:
        """The environment of a `where:` formula at a point."""
        result = dict(env)
        if self.f1.decide is not None and has_margin(self.f1.decide):
            result["margin(f1)"] = self.f1.margin(env)
        return result


@dataclass(frozen=True)
class Claim:
    """One assertion or computation: its text, and what the truth needs to know of it."""

    kind: str
    radius: Fraction = Fraction(0)
    closed: bool = False
    almost: bool = False
    agree: bool = True
    where: BoolExpr | None = None
    where_both: BoolExpr | None = None
    feature: str = ""
    names: tuple[str, ...] = ()
    formula: BoolExpr | None = None
    which: str = ""
    negated: bool = False
    swapped: bool = False
    as_robust: bool = False
    """`factors` said as robustness at radius zero."""

    def vf(self) -> str:
        sign = "not " if self.negated else ""
        pair = ["f2", "f1"] if self.swapped else ["f1", "f2"]
        options = [f"radius: {self.radius}"] if self.kind in ("robust", "robust_at") else []
        options += ["closed: true"] if self.closed else []
        options += ["almost: true"] if self.almost else []
        options += [] if self.agree else ["agree: false"]
        options += [f"where: {self.where.vf()}"] if self.where else []
        options += [f"where_both: {self.where_both.vf()}"] if self.where_both else []
        match self.kind:
            case "decision":
                word, arguments = "contained", [*pair, "of: decision"]
            case "factors" if self.as_robust:
                word, arguments = "strongly_robust", [*pair, "radius: 0", "closed: true"]
            case "unnecessary":
                word, arguments = "unnecessary", [*pair, self.feature]
            case "contained_at":
                word, arguments = "contained_at", [*pair, "p"]
            case "lipschitz":
                word, arguments = "lipschitz", [*pair, str(self.radius)]
            case "modulus":
                word, arguments = "modulus", [*pair, f"delta: {self.radius}"]
            case "is_pseudometric":
                word, arguments = "is_pseudometric", [self.which]
            case "robust":
                word, arguments = "strongly_robust", [*pair, *options]
            case "robust_at" | "min_distance":
                word, arguments = self.kind, [*pair, "p", *options]
            case "forall" | "exists":
                assert self.formula is not None
                return f"{self.kind} {', '.join(self.names)} in X: {self.formula.vf()}"
            case _:
                word, arguments = self.kind, [*pair, *options]
        return f"{sign}{word}({', '.join(arguments)})"


# random ones

VALUES = [Fraction(v) for v in ("0", "1", "-1", "1/2", "-1/2", "2", "1/3", "3/2")]


@dataclass
class Taste:
    """What a random program is made of."""

    jumps: float = 0.3
    reals: tuple[int, int] = (1, 2)
    discrete: tuple[int, int] = (0, 1)
    depth: int = 2
    choices: int = 3
    user_metric: float = 0.15
    combined: float = 0.0
    """How often a metric of the tool is a sum or a maximum of two."""
    kinds: tuple[str, ...] = ()
    claims: int = 4
    curves: bool = False
    """One coordinate that walks along a broken line, which meets itself and jumps."""
    shrinking: bool = False
    """Copies of one line, which the oracle lets run together at an end that need not belong to them."""
    almost: float = 0.3
    thin: float = 0.1
    """How often a comparison is an equation."""


@dataclass
class Maker:
    rng: random.Random
    taste: Taste = field(default_factory=Taste)
    numeric: list[Def] = field(default_factory=list)
    logical: list[Def] = field(default_factory=list)
    constants: list[Named] = field(default_factory=list)

    def extras(self) -> tuple[str, ...]:
        lets = [f"let {c.name} = {c.value}" for c in self.constants]
        return (*lets, *(d.vf() for d in (*self.numeric, *self.logical)))

    def definitions(self) -> None:
        """A few, with parameters that have names of other things too."""
        self.numeric, self.logical, self.constants = [], [], []
        for name in ("c", "r"):
            if self.chance(0.4):
                self.constants.append(Named(name, self.value()))
        for i in range(self.pick([0, 0, 1, 2])):
            taken = {c.name for c in self.constants} if self.chance(0.7) else set()
            if not taken:
                hidden, self.constants = self.constants, []  # a parameter may have the name of a constant
            names = [n for n in ("s", "t", "x", "u", "a1", "b1", "p", "k", "yes", "c", "a", "h") if n not in taken]
            parameters = tuple(self.rng.sample(names, self.pick([1, 2])))
            if self.chance(0.6):
                self.numeric.append(Def(f"num{i}", parameters, self.num(parameters, 2)))
            else:
                self.logical.append(Def(f"log{i}", parameters, self.truth(parameters, 1)))
            if not taken:
                self.constants = hidden

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def value(self) -> Fraction:
        return self.rng.choice(VALUES)

    def pick(self, items: Sequence[Any]) -> Any:
        return self.rng.choice(items)

    # expressions over the given numeric accessors

    def num(self, names: Sequence[str], depth: int) -> NumExpr:
        if depth <= 0 or not names or self.chance(0.25):
            return Var(self.pick(names)) if names and self.chance(0.85) else Const(self.value())
        if self.constants and self.chance(0.08):
            return self.pick(self.constants)  # type: ignore[no-any-return]
        if self.numeric and self.chance(0.15):
            of = self.pick(self.numeric)
            return Call(of, tuple(self.num(names, depth - 1) for _ in of.parameters))
        if self.chance(0.05):
            entries = tuple(self.num(names, depth - 1) for _ in range(2))
            return Dot((self.value(), self.value()), entries, self.pick(["dot", "matrix", "sum"]))
        kind = self.rng.random()
        if kind < 0.4:
            count = self.pick([1, 2, 2])
            parts = tuple((self.pick([w for w in VALUES if w]), self.num(names, depth - 1)) for _ in range(count))
            return Lin(parts, self.value() if self.chance(0.4) else Fraction(0))
        if kind < 0.4 + 0.6 * self.taste.jumps:
            name = self.pick(["step", "sign", "if", "if", "if"])
            if name == "if":
                return If(self.truth(names, depth - 1), self.num(names, depth - 1), self.num(names, depth - 1))
            return Fn(name, (self.num(names, depth - 1),))
        name = self.pick(["relu", "relu", "abs", "max", "min", "clamp", "norm1", "norminf", "relu_if"])
        a = self.num(names, depth - 1)
        if name == "relu_if":
            zero = Const(Fraction(0))
            return If(Chain((a, zero), (self.pick([">", ">="]),)), a, zero)
        if name in ("max", "min", "norm1", "norminf"):
            return Fn(name, (a, self.num(names, depth - 1)))
        if name == "clamp":
            low, high = sorted((self.value(), self.value()))
            return Fn("clamp", (a, Const(low), Const(high)))
        return Fn(name, (a,))

    def truth(self, names: Sequence[str], depth: int, members: Mapping[str, Sequence[str]] = {}) -> BoolExpr:
        if depth > 0 and self.chance(0.4):
            op = self.pick(["and", "or", "not", "=>", "<=>", "and", "or", "if"])
            if op == "if":
                return Case(*(self.truth(names, depth - 1, members) for _ in range(3)))
            if op == "not":
                return Not(self.truth(names, depth - 1, members))
            return Logic(op, self.truth(names, depth - 1, members), self.truth(names, depth - 1, members))
        if self.logical and names and self.chance(0.15):
            of = self.pick(self.logical)
            return Call(of, tuple(self.num(names, depth - 1) for _ in of.parameters))
        if members and (not names or self.chance(0.3)):
            name = self.pick(list(members))
            i = self.rng.randrange(len(members[name]))
            return Is(name, members[name][i], i, self.pick(["==", "==", "!="]))
        ops = ["==", "==", "!="] if self.chance(self.taste.thin) else ["<", "<=", ">", ">="]
        a, b = self.num(names, depth), Const(self.value()) if self.chance(0.7) else self.num(names, depth - 1)
        if self.chance(0.1):
            return Chain((Const(self.value()), a, b), (self.pick(["<", "<="]), self.pick(["<", "<="])))
        return Chain((a, b), (self.pick(ops),))

    # declarations

    def coords(self) -> tuple[Coord, ...]:
        taste = self.taste
        made: list[Coord] = []
        if taste.shrinking:
            line = Coord("t", "real", Fraction(0), self.pick([Fraction(1), Fraction(1), None]), self.chance(0.7))
            other = (
                Coord("k", "finite", members=("a", "b")) if self.chance(0.6) else Coord("s", "real", *self.interval())
            )
            return (line, other)
        if taste.curves:
            end = Fraction(self.pick([2, 3, 3]))
            walk = Coord("t", "real", Fraction(0), end, self.chance(0.3), self.chance(0.5))
            return (walk, *([Coord("k", "finite", members=("a", "b"))] if self.chance(0.2) else []))
        n = self.rng.randint(*taste.reals)
        if n == 2 and self.chance(0.25):
            low, high, a, b = self.interval()
            made.append(Coord("x", "real", low, high, a, b, size=2))
        else:
            for i in range(n):
                made.append(Coord(("s", "t", "w")[i], "real", *self.interval()))
        for i in range(self.rng.randint(*taste.discrete)):
            if self.chance(0.5):
                k = self.rng.randint(2, taste.choices)
                made.append(Coord(("k", "m", "q")[i], "finite", members=(("a", "b", "c", "d")[:k])))
            else:
                low = self.pick([-1, 0, 0])
                high = low + self.rng.randint(1, taste.choices - 1)
                wide = self.chance(0.2)
                made.append(Coord(("k", "m", "q")[i], "int", Fraction(low - wide), Fraction(high), low_open=wide))
        self.rng.shuffle(made)
        return tuple(made)

    def interval(self) -> tuple[Fraction | None, Fraction | None, bool, bool]:
        kind = self.rng.random()
        low, high = sorted(self.rng.sample([Fraction(v) for v in (-1, 0, 0, 0, 1, 2)], 2))
        if low == high:
            high = low + 1
        if kind < 0.45:
            return low, high, False, False
        if kind < 0.65:
            return low, high, self.chance(0.5), self.chance(0.7)
        if kind < 0.75:
            return None, None, False, False
        if kind < 0.85:
            return low, None, self.chance(0.4), False
        if kind < 0.9:
            return None, high, False, self.chance(0.4)
        return low, high, True, True

    def scope(self, coords: Sequence[Coord], prefix: str = "") -> tuple[list[str], dict[str, Sequence[str]]]:
        numbers = [prefix + k for c in coords if c.kind != "finite" for k in c.accessors()]
        members: dict[str, Sequence[str]] = {prefix + c.name: c.members for c in coords if c.kind == "finite"}
        return numbers, members

    def shrinking(self, coords: Sequence[Coord]) -> NumExpr:
        """t, or something of the other coordinate that t bounds."""
        t, zero, other = Var("t"), Const(Fraction(0)), coords[1]
        if other.kind == "finite":
            test: BoolExpr = Is("k", "a", 0)
            flag: NumExpr = Code("k")
        else:
            test = Chain((Var("s"), Const(self.value())), (self.pick([">", ">="]),))
            flag = self.pick([Var("s"), If(test, Const(Fraction(1)), zero)])
        return self.pick(  # type: ignore[no-any-return]
            [t, t, flag, If(test, t, zero), If(test, Fn("min", (t, flag)), flag), Fn("min", (t, Fn("abs", (flag,))))]
        )

    def curve(self) -> NumExpr:
        """A broken line over [0, 3] through small whole numbers, now and then with a jump."""
        t = Var("t")
        places = [self.pick([0, 0, 1, 1, 2]) for _ in range(4)]
        if self.chance(0.7):
            places[3] = places[0]
        if self.chance(0.5):
            parts = []
            for i in range(3):
                along = Fn("clamp", (Lin(((Fraction(1), t),), Fraction(-i)), Const(Fraction(0)), Const(Fraction(1))))
                parts.append((Fraction(places[i + 1] - places[i]), along))
            return Lin(tuple(p for p in parts if p[0]), Fraction(places[0]))
        result: NumExpr | None = None
        for i in (2, 1, 0):
            start = places[i] if self.chance(0.8) else self.pick([0, 1, 2])
            slope = Fraction(places[i + 1] - start)
            piece = Lin(((slope, t),), start - slope * i) if slope else Const(Fraction(start))
            if result is None:
                result = piece
            else:
                result = If(Chain((t, Const(Fraction(i + 1))), (self.pick(["<", "<="]),)), piece, result)
            if self.chance(0.05):
                result = If(Chain((t, Const(Fraction(i))), ("==",)), Const(Fraction(self.pick([0, 1, 2]))), result)
        assert result is not None
        return result

    def features(self, coords: Sequence[Coord], names: Sequence[str]) -> tuple[Feature, ...]:
        numbers, members = self.scope(coords)
        made: list[Feature] = []
        if self.taste.shrinking:
            made = [Feature(n, (self.shrinking(coords),)) for n in names[: self.pick([1, 2, 2])]]
            return tuple(made)
        if self.taste.curves and (names[0] == "b1" or self.chance(0.4)):
            return tuple(Feature(n, (self.curve(),)) for n in names[: self.pick([1, 2, 2])])
        for name in names[: self.pick([1, 1, 2])]:
            kind = self.rng.random()
            vectors = [c for c in coords if c.size]
            if members and (not numbers or kind < 0.2):
                c = self.pick(list(members))
                made.append(Feature(name, (Var(c),), nominal=c))
            elif vectors and kind < 0.4:
                c = self.pick(vectors)
                made.append(Feature(name, tuple(Var(k) for k in c.accessors()), True, whole=c.name))
            elif kind < 0.5:
                made.append(Feature(name, (self.num(numbers, 1), self.num(numbers, 1)), True))
            elif members and kind < 0.65:
                c = self.pick(list(members))
                i = self.rng.randrange(len(members[c]))
                if self.chance(0.4):
                    made.append(Feature(name, (Code(c, self.pick([None, i])),)))
                    continue
                test = Is(c, members[c][i], i)
                made.append(Feature(name, (If(test, self.num(numbers, 1), self.num(numbers, 1)),)))
            else:
                made.append(Feature(name, (self.num(numbers, self.rng.randint(0, self.taste.depth)),)))
        return tuple(made)

    def metric(self, features: Sequence[Feature], needed: bool) -> Metric | None:
        if not needed and self.chance(0.6):
            return None
        if self.chance(self.taste.user_metric):
            return self.user_metric(features)
        if self.taste.combined and self.chance(self.taste.combined):
            return Metric(self.pick(list(COMBINED)))
        name = self.pick(["linf", "linf", "l1", "l1", "l0", "discrete"])
        if self.chance(0.2):
            return Metric(name, tuple((f.name, self.pick([Fraction(2), Fraction(1, 2)])) for f in features))
        return Metric(name)

    def user_metric(self, features: Sequence[Feature]) -> Metric:
        """Often a pseudometric, sometimes not."""
        keys = [k for f in features if not f.nominal for k in f.accessors()]
        parts: list[NumExpr] = []
        for key in keys:
            gap = Lin(((Fraction(1), Var(f"u.{key}")), (Fraction(-1), Var(f"v.{key}"))))
            if self.chance(0.3):
                continue
            kind = self.rng.random()
            a, b = Var(f"u.{key}"), Var(f"v.{key}")
            if kind < 0.4:
                parts.append(Fn("abs", (gap,)))
            elif kind < 0.55:
                parts.append(Fn("min", (Fn("abs", (gap,)), Const(Fraction(1)))))
            elif kind < 0.7:
                edge = Const(self.value())
                sides = [If(Chain((x, edge), (">=",)), Const(Fraction(1)), Const(Fraction(0))) for x in (a, b)]
                parts.append(Fn("abs", (Lin(((Fraction(1), sides[0]), (Fraction(-1), sides[1]))),)))
            elif kind < 0.8:
                parts.append(If(Chain((a, b), ("==",)), Const(Fraction(0)), Fn("max", (a, b))))
            elif kind < 0.9:
                parts.append(Fn("relu", (gap,)))
            else:
                parts.append(Fn("relu", (Lin(((Fraction(1), Fn("abs", (gap,))),), Fraction(-1, 2)),)))
        body: NumExpr = (
            Lin(tuple((self.pick([Fraction(1), Fraction(1, 2)]), p) for p in parts)) if parts else Const(Fraction(0))
        )
        return Metric("", (), body)

    def decision(
        self, features: Sequence[Feature], members: Mapping[str, Sequence[str]], labels: int, depth: int
    ) -> Decision:
        names = [k for f in features if not f.nominal for k in f.accessors()]
        nominal = {f.name: members[f.nominal] for f in features if f.nominal}
        if names and self.chance(0.3):
            chosen = sorted(self.rng.sample(range(labels), self.rng.randint(2, labels)))
            self.rng.shuffle(chosen)
            return Arg(tuple((i, self.num(names, 1)) for i in chosen), self.chance(0.3), self.chance(0.2))
        test = self.truth(names, 1, nominal)
        rest = self.decision(features, members, labels, depth - 1) if depth > 1 and self.chance(0.4) else None
        other = Label(self.rng.randrange(labels))
        then = Label((other.index + 1) % labels)
        return Branch(test, then, rest or other)

    def program(self) -> Program:
        while True:
            self.definitions()
            coords = self.coords()
            numbers, members = self.scope(coords)
            where = None
            if self.chance(0.45):
                where = self.truth(numbers, self.pick([0, 1, 1]), members)
            labels = ("no", "yes", "maybe")[: self.pick([2, 2, 3])]
            seen = self.features(coords, ("a1", "a2"))
            if self.chance(0.25):
                oracle = tuple(Feature(f.name.replace("a", "b"), f.entries, f.vector, f.nominal, f.whole) for f in seen)
            else:
                oracle = self.features(coords, ("b1", "b2"))
            f1 = Classifier("model", "f1", seen, self.metric(seen, False), self.decision(seen, members, len(labels), 2))
            decide = self.decision(oracle, members, len(labels), 2) if self.chance(0.4) else None
            f2 = Classifier("oracle", "f2", oracle, self.metric(oracle, True), decide)
            program = Program(coords, where, labels, f1, f2, extras=self.extras())
            point = self.inhabitant(program)
            if point is None:
                continue
            program = replace(program, point=point)
            kinds = self.taste.kinds or KINDS
            return replace(
                program, asserts=tuple(self.claim(program, self.pick(kinds)) for _ in range(self.taste.claims))
            )

    def inhabitant(self, program: Program) -> dict[str, Fraction] | None:
        """Some point of X, often on an edge of something."""
        for _ in range(30):
            env: dict[str, Fraction] = {}
            for c in program.coords:
                for key in c.accessors():
                    env[key] = self.pick(c.choices()) if c.kind != "real" else self.pick([*VALUES, Fraction(1, 4)])
            if program.inside(env) is True:
                return env
        return None

    # claims

    def claim(self, p: Program, kind: str) -> Claim:
        radius = self.pick([Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(3, 2)])
        negated = kind in ("contained", "uniformly_contained", "decision", "factors", "robust") and self.chance(0.15)
        numbers, members = self.scope(p.coords)

        def where() -> BoolExpr:
            if p.f1.decide is not None and has_margin(p.f1.decide) and self.chance(0.4):
                return Margin(
                    self.pick([Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(1)]), self.pick([">=", ">"])
                )
            return self.truth(numbers, self.pick([0, 1]), members)

        match kind:
            case "contained" | "uniformly_contained":
                return Claim(kind, negated=negated, swapped=self.chance(0.2))
            case "factors":
                return Claim(kind, negated=negated, as_robust=p.f2.decide is None and self.chance(0.3))
            case "decision":
                return Claim(kind, negated=negated)
            case "equivalent" | "unnecessary_features" | "case":
                return Claim(kind)
            case "contained_at":
                return Claim(kind, swapped=self.chance(0.2))
            case "modulus" | "lipschitz_constant" | "lipschitz":
                if p.f1.metric is None:
                    return self.claim(p, self.pick(["contained_at", "unnecessary_features", "case"]))
                return Claim(kind, radius, swapped=self.chance(0.2))
            case "unnecessary":
                return Claim(kind, feature=self.pick(p.f1.features).name)
            case "is_pseudometric":
                return Claim(kind, which=self.pick(["f1", "f2"]))
            case "accurate":
                return (
                    Claim(kind, almost=self.chance(self.taste.almost))
                    if p.f2.decide is not None
                    else self.claim(p, "robust")
                )
            case "robust":
                closed, almost = self.chance(0.4), self.chance(self.taste.almost)
                one = where() if self.chance(0.35) else None
                two = where() if self.chance(0.25) else None
                return Claim(kind, radius, closed, almost, where=one, where_both=two, negated=negated)
            case "robust_at":
                return Claim(kind, radius, self.chance(0.4), self.chance(self.taste.almost), self.chance(0.7))
            case "critical_radius":
                one = where() if self.chance(0.3) else None
                two = where() if self.chance(0.2) else None
                return Claim(kind, where=one, where_both=two)
            case "min_distance":
                return Claim(kind, agree=self.chance(0.7))
            case "forall" | "exists":
                names = ("u", "v")[: self.pick([1, 2])]
                return Claim(kind, names=names, formula=self.formula(p, names, 2))
        raise AssertionError(kind)

    def formula(self, p: Program, names: Sequence[str], depth: int) -> BoolExpr:
        """A formula over points, features, distances and labels."""
        if depth > 0 and self.chance(0.6):
            op = self.pick(["and", "or", "=>", "=>", "<=>"])
            return Logic(op, self.formula(p, names, depth - 1), self.formula(p, names, depth - 1))
        numbers: list[str] = []
        members: dict[str, Sequence[str]] = {}
        for n in (*names, "p"):
            more, also = self.scope(p.coords, n + ".")
            numbers += more
            members |= also
        for n in names:
            for f in (p.f1, p.f2):
                for feature in f.features:
                    if not feature.nominal:
                        numbers += [
                            f"{f.name}.{feature.name}({n}){k[len(feature.name) :]}" for k in feature.accessors()
                        ]
        kind = self.rng.random()
        u, v = self.pick(names), self.pick([*names, "p"])
        if kind < 0.3:
            f = self.pick([p.f1, p.f2])
            only = self.pick(f.features).name if self.chance(0.2) else ""
            gap = Var(f"distance({f.name}, {u}, {v}{', only: ' if only else ''}{only})")
            return Chain((gap, Const(self.pick(VALUES))), (self.pick(["<", "<=", "<=", "==", ">="]),))
        if kind < 0.6:
            i = self.rng.randrange(len(p.labels))
            options: list[BoolExpr] = [Is(f"f1({u})", p.labels[i], i, self.pick(["==", "!="]))]
            options.append(Same(f"f1({u})", f"f1({v})", self.pick(["==", "!="])))
            if p.f2.decide is not None:
                options.append(Same(f"f1({u})", f"f2({v})", self.pick(["==", "!="])))
            if has_margin_of(p) and self.chance(0.3):
                return Chain((Var(f"margin(f1, {u})"), Const(self.pick(VALUES))), (self.pick([">", ">=", "<"]),))
            if self.chance(0.2):
                feature = self.pick(p.f1.features)
                options = [Same(f"f1.{feature.name}({u})", f"f1.{feature.name}({v})", self.pick(["==", "!="]))]
                options.append(Same(u, v, self.pick(["==", "!="])))
            return self.pick(options)  # type: ignore[no-any-return]
        return self.truth(numbers, 1, members)


COMPUTED = ("critical_radius", "min_distance", "modulus", "lipschitz_constant", "unnecessary_features", "case")

MEASURES = ("modulus", "modulus", "lipschitz_constant", "lipschitz_constant", "lipschitz", "contained_at", "case")

KINDS = (
    *("contained", "contained", "contained", "uniformly_contained", "uniformly_contained", "decision", "decision"),
    *("factors", "equivalent", "unnecessary", "robust", "robust", "robust", "robust_at", "accurate", "is_pseudometric"),
    *("contained_at", "unnecessary_features"),
    *("forall", "exists", "critical_radius", "critical_radius", "min_distance"),
)
