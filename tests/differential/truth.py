"""What is true of a program, by enumeration or by quantified formulas from the definitions. No theorem is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import z3

from tests.differential.programs import (
    Bool,
    Claim,
    Classifier,
    Env,
    Logic,
    Num,
    Program,
    Spot,
    add,
    both,
    compare,
    either,
    has_margin_of,
    no,
    scale,
)

ZERO = Fraction(0)


class Skip(Exception):
    """Not known in time."""


def formula_env(p: Program, points: Mapping[str, Env]) -> dict[str, Num]:
    """What the names of a raw formula stand for."""
    env: dict[str, Num] = {}
    for n, point in points.items():
        env[n] = tuple(point.values())
        if has_margin_of(p):
            env[f"margin(f1, {n})"] = p.f1.margin(point)
        for key, value in point.items():
            env[f"{n}.{key}"] = value
        for f in (p.f1, p.f2):
            env[f"{f.name}({n})"] = f.label(point)
            g = f.g(point)
            for feature in f.features:
                for key in feature.accessors():
                    env[f"{f.name}.{feature.name}({n}){key[len(feature.name) :]}"] = g[key]
                if feature.vector:
                    env[f"{f.name}.{feature.name}({n})"] = tuple(g[key] for key in feature.accessors())
    for a, b in product(points, repeat=2):
        for f in (p.f1, p.f2):
            env[f"distance({f.name}, {a}, {b})"] = f.distance(points[a], points[b])
            for feature in f.features:
                only = f.distance(points[a], points[b], feature.name)
                env[f"distance({f.name}, {a}, {b}, only: {feature.name})"] = only
    return env


def roles(p: Program, c: Claim) -> tuple[Classifier, Classifier]:
    return (p.f2, p.f1) if c.swapped else (p.f1, p.f2)


def premise(p: Program, c: Claim, x: Env, y: Env) -> Bool:
    """The premise of a robustness claim at the pair."""
    near = compare("<=" if c.closed else "<", p.f2.distance(x, y), c.radius)
    return both(near, *conditions(p, c, x, y))


def conditions(p: Program, c: Claim, x: Env, y: Env) -> list[Bool]:
    parts: list[Bool] = [compare("==", p.f2.label(x), p.f2.label(y))] if c.agree else []
    if c.where is not None:
        parts.append(c.where.ev(p.at(x)))
    if c.where_both is not None:
        parts += [c.where_both.ev(p.at(x)), c.where_both.ev(p.at(y))]
    return parts


def flips(p: Program, x: Env, y: Env) -> Bool:
    return compare("!=", p.f1.label(x), p.f1.label(y))


def apart(x: Env, y: Env) -> Bool:
    return either(*(compare("!=", x[k], y[k]) for k in x))


# the world of a program: how to say "there is a point of X", in Python or in z3


class World:
    def __init__(self, program: Program, seconds: float = 3.0) -> None:
        self.p = program
        self.seconds = seconds
        self.count = 0
        self._axioms: dict[str, bool] = {}
        self.spots = [x for x in map(Spot, program.slices()) if program.inside(x)] if not program.reals() else []

    def points(self, count: int) -> list[tuple[list[dict[str, Num]], list[Any]]]:
        """All ways to choose the discrete coordinates of `count` points, with fresh reals; and these reals."""
        if not self.p.reals():
            return [(list(points), []) for points in product(self.spots, repeat=count)]
        ways = []
        self.count += 1
        for slices in product(list(self.p.slices()), repeat=count):
            points: list[dict[str, Num]] = []
            reals: list[Any] = []
            for i, discrete in enumerate(slices):
                point: dict[str, Num] = dict(discrete)
                for key in self.p.reals():
                    point[key] = z3.Real(f"v{self.count}_{i}_{key}")
                    reals.append(point[key])
                points.append({k: point[k] for c in self.p.coords for k in c.accessors()})
            ways.append((points, reals))
        return ways

    def sat(self, formula: Bool) -> bool:
        if isinstance(formula, bool):
            return formula
        formula = z3.simplify(formula)
        if z3.is_true(formula) or z3.is_false(formula):
            return bool(z3.is_true(formula))
        solver = z3.Tactic("qsat").solver() if quantified(formula) else z3.Solver()
        solver.set("timeout", int(self.seconds * 1000))
        solver.add(formula)
        answer = str(solver.check())
        if answer == "unknown":
            raise Skip
        return answer == "sat"

    def some(self, count: int, what: Callable[..., Bool]) -> bool:
        """Are there `count` points of X with `what`?"""
        if not self.p.reals():
            return any(what(*points) for points in product(self.spots, repeat=count))
        return any(self.sat(both(*map(self.p.inside, points), what(*points))) for points, _ in self.points(count))

    def any_point(self, count: int, what: Callable[..., Bool]) -> Bool:
        """The same as a formula."""
        parts = []
        for points, reals in self.points(count):
            body = both(*map(self.p.inside, points), what(*points))
            parts.append(body if isinstance(body, bool) or not reals else z3.Exists(reals, body))
        return either(*parts)

    def every_point(self, what: Callable[..., Bool]) -> Bool:
        return no(self.any_point(1, lambda x: no(what(x))))

    def positive(self, name: str) -> Any:
        self.count += 1
        return z3.Real(f"{name}{self.count}")

    # measure

    def dimension_at_least(self, count: int, what: Callable[..., Bool], wanted: int) -> bool:
        """Has the set of these `count` points dimension >= wanted? A semilinear set has, iff some projection onto
        `wanted` coordinates contains a box."""
        for points, reals in self.points(count):
            body = both(*map(self.p.inside, points), what(*points))
            if body is False:
                continue
            for chosen in combinations(reals, wanted):
                if not wanted:
                    if self.sat(body):
                        return True
                    continue
                if isinstance(body, bool):
                    return True
                self.count += 1
                centre = [z3.Real(f"c{self.count}_{i}") for i in range(wanted)]
                r = z3.Real(f"r{self.count}")
                near = z3.And([z3.And(c - r < v, v < c + r) for c, v in zip(centre, chosen, strict=True)])
                rest = [v for v in reals if not any(v is w for w in chosen)]
                inner = z3.Exists(rest, body) if rest else body
                if self.sat(z3.And(r > 0, z3.ForAll(list(chosen), z3.Implies(near, inner)))):
                    return True
        return False

    def dimension(self) -> int:
        for k in range(len(self.p.reals()), -1, -1):
            if self.dimension_at_least(1, lambda x: True, k):
                return k
        raise AssertionError("an empty domain")

    def happens(self, count: int, what: Callable[..., Bool], almost: bool) -> bool:
        """Some points (almost: of positive measure) have `what`."""
        if not almost or not self.p.reals():
            return self.some(count, what)
        if not self.some(count, what):
            return False
        return self.dimension_at_least(count, what, count * self.dimension())

    # the definitions

    def is_pseudometric(self, f: Classifier) -> bool:
        if f.name not in self._axioms:
            d = f.distance
            self._axioms[f.name] = not (
                f.metric is not None
                and f.metric.body is not None
                and (
                    self.some(1, lambda x: compare("!=", d(x, x), ZERO))
                    or self.some(2, lambda x, y: compare("<", d(x, y), ZERO))
                    or self.some(2, lambda x, y: compare("!=", d(x, y), d(y, x)))
                    or self.some(3, lambda x, y, z: compare(">", d(x, z), add(d(x, y), d(y, z))))
                )
            )
        return self._axioms[f.name]

    def metrics(self, *classifiers: Classifier) -> bool:
        """All of them are pseudometrics: otherwise the tool must not answer."""
        return all(self.is_pseudometric(f) for f in classifiers)

    def contained(self, f1: Classifier, f2: Classifier, uniform: bool, only: str = "", at: Env | None = None) -> bool:
        def d1(x: Env, y: Env) -> Num:
            return f1.distance(x, y, only)

        if at is not None and not self.p.reals():
            here = at
            return not self.some(1, lambda y: both(f2.distance(here, y) <= ZERO, d1(here, y) > ZERO))
        if not self.p.reals():  # finitely many distances: the small ones are zero
            return not self.some(
                2, lambda x, y: both(compare("<=", f2.distance(x, y), ZERO), compare(">", d1(x, y), ZERO))
            )
        eps, delta = self.positive("eps"), self.positive("delta")

        def bad(x: Env, y: Env) -> Bool:
            return both(compare("<", f2.distance(x, y), delta), compare(">=", d1(x, y), eps))

        if uniform:
            inner = self.any_point(2, bad)
            return not self.sat(both(eps > 0, z3.ForAll([delta], z3.Implies(delta > 0, term(inner)))))
        for x in [points[0] for points, _ in self.points(1)] if at is None else [at]:
            inner = self.any_point(1, lambda y, x=x: bad(x, y))
            at_x = both(self.p.inside(x), eps > 0, z3.ForAll([delta], z3.Implies(delta > 0, term(inner))))
            if self.sat(at_x):
                return False
        return True

    def locally_constant(self) -> bool:
        f1, f2 = self.p.f1, self.p.f2

        def bad(x: Env, y: Env) -> Bool:
            return both(compare("!=", f1.label(x), f1.label(y)), compare("==", f2.label(x), f2.label(y)))

        if not self.p.reals():
            points = [x for (x,), _ in self.points(1) if self.p.inside(x)]
            return not any(
                all(f1.distance(x, y) > 0 or f1.label(x) == f1.label(y) for y in points)
                and any(f2.distance(x, y) <= 0 and bad(x, y) for y in points)
                for x in points
            )
        r, delta = self.positive("r"), self.positive("delta")
        for (x,), _ in self.points(1):
            off = self.every_point(
                lambda y, x=x: either(compare(">=", f1.distance(x, y), r), compare("==", f1.label(x), f1.label(y)))
            )
            near = self.any_point(1, lambda y, x=x: both(compare("<", f2.distance(x, y), delta), bad(x, y)))
            if self.sat(both(self.p.inside(x), r > 0, off, z3.ForAll([delta], z3.Implies(delta > 0, term(near))))):
                return False
        return True

    def pairs(self, c: Claim) -> tuple[int, Callable[..., tuple[Env, Env]]]:
        """The points of a robustness claim: x and x', or p and x'."""
        if c.kind in ("robust_at", "min_distance"):
            point = self.p.point
            assert point is not None
            return 1, lambda y: (point, y)
        return 2, lambda x, y: (x, y)

    def verdict(self, c: Claim) -> str:
        """proved, refuted, or unknown where the metric is no pseudometric; Skip when z3 gives up."""
        p = self.p
        f1, f2 = roles(p, c)
        needs: tuple[Classifier, ...] = (f1, f2)
        match c.kind:
            case "contained" | "uniformly_contained":
                truth = self.metrics(*needs) and self.contained(f1, f2, c.kind != "contained")
            case "contained_at":
                truth = self.metrics(*needs) and self.contained(f1, f2, False, at=p.point)
            case "lipschitz":

                def steep(x: Env, y: Env) -> Bool:
                    return compare(">", f1.distance(x, y), scale(c.radius, f2.distance(x, y)))

                truth = self.metrics(*needs) and not self.some(2, steep)
            case "decision":
                truth = self.metrics(*needs) and self.locally_constant()
            case "equivalent":
                truth = self.metrics(*needs) and self.contained(f1, f2, False) and self.contained(f2, f1, False)
            case "unnecessary":
                truth = self.metrics(*needs) and not self.contained(f1, f2, False, c.feature)
            case "factors":
                zero = Claim("robust", ZERO, closed=True)
                truth = self.metrics(*needs) and not self.some(
                    2, lambda x, y: both(premise(p, zero, x, y), flips(p, x, y))
                )
            case "robust" | "robust_at":
                count, pair = self.pairs(c)
                truth = self.metrics(*needs) and not self.happens(
                    count, lambda *xs: both(premise(p, c, *pair(*xs)), flips(p, *pair(*xs))), c.almost
                )
            case "accurate":
                needs = ()
                truth = not self.happens(1, lambda x: compare("!=", f1.label(x), f2.label(x)), c.almost)
            case "is_pseudometric":
                needs = ()
                truth = self.is_pseudometric(p.f1 if c.which == "f1" else p.f2)
            case "forall" | "exists":
                needs = ()
                formula, names = c.formula, c.names
                assert formula is not None and p.point is not None

                def said(*xs: Env) -> Bool:
                    return formula.ev(formula_env(p, {**dict(zip(names, xs, strict=True)), "p": p.point or {}}))

                truth = (
                    self.some(len(names), said)
                    if c.kind == "exists"
                    else not self.some(len(names), lambda *xs: no(said(*xs)))
                )
            case _:
                raise AssertionError(c.kind)
        if not self.metrics(*needs):
            return "unknown"
        return "proved" if truth != c.negated else "refuted"

    def vacuous(self, c: Claim) -> bool:
        """No two different points satisfy the premise of a proved claim."""
        if c.negated:
            return False
        match c.kind:
            case "factors":
                zero = Claim("robust", ZERO, closed=True)
                return not self.some(2, lambda x, y: both(premise(self.p, zero, x, y), apart(x, y)))
            case "robust" | "robust_at":
                count, pair = self.pairs(c)
                return not self.happens(
                    count, lambda *xs: both(premise(self.p, c, *pair(*xs)), apart(*pair(*xs))), c.almost
                )
            case "forall":
                formula, names, p = c.formula, c.names, self.p.point
                if isinstance(formula, Logic) and formula.op == "=>":
                    given = formula.left

                    def said(*xs: Env) -> Bool:
                        return given.ev(formula_env(self.p, {**dict(zip(names, xs, strict=True)), "p": p or {}}))

                    return not self.some(len(names), said)
        return False

    def supremum_is(self, c: Claim, value: Fraction | str | None, attained: bool | None) -> str:
        """What is wrong with a modulus or a Lipschitz constant; "" if nothing."""
        f1, f2 = roles(self.p, c)
        tiny, huge = Fraction(1, 10**9), Fraction(10**7)

        def above(op: str, bound: Fraction) -> bool:
            """Is there a pair with d1 op bound, or d1 op bound * d2?"""

            def what(x: Env, y: Env) -> Bool:
                far, near = f1.distance(x, y), f2.distance(x, y)
                if c.kind == "modulus":
                    return both(compare("<=", near, c.radius), compare(op, far, bound))
                some = compare(">", far if op == ">" else near, ZERO)  # 0/0 does not count
                return both(some, compare(op, far, scale(bound, near)))

            return self.some(2, what)

        if not self.metrics(f1, f2):
            return "" if value is None else "the metric is no pseudometric"
        if value is None:
            return ""
        if isinstance(value, str):
            return "" if above(">", huge) else "it is not infinite"
        if above(">", value):
            return "there is a larger one"
        if value and not above(">", value - tiny):
            return "there is none so large"
        if attained is None:
            return "it is attained" if above("==", value) else ""
        return "" if above("==", value) == attained else "attained is wrong"

    def words(self, c: Claim) -> str:
        """The value of a measure that is not a number."""
        f1, f2 = roles(self.p, c)
        if c.kind == "case":
            names = {(False, False): "I", (False, True): "II", (True, True): "III", (True, False): "IV"}
            return names[self.contained(f1, f2, False), self.contained(f2, f1, False)]
        return ", ".join(f.name for f in f1.features if not self.contained(f1, f2, False, f.name)) or "none"

    def infimum_is(self, c: Claim, value: Fraction | str | None, attained: bool | None) -> str:
        """What is wrong with a computed infimum; "" if nothing."""
        p = self.p
        count, pair = self.pairs(c)

        def adversarial(op: str, bound: Fraction) -> bool:
            def what(*xs: Env) -> Bool:
                x, y = pair(*xs)
                return both(compare(op, p.f2.distance(x, y), bound), flips(p, x, y), *conditions(p, c, x, y))

            return self.some(count, what)

        if not self.metrics(p.f1, p.f2):
            return "" if value is None else "the metric is no pseudometric"
        if value is None:
            return ""
        if isinstance(value, str):
            return "there is an adversarial pair" if adversarial(">=", ZERO) else ""
        if adversarial("<", value):
            return "there is a nearer pair"
        if not adversarial("<", value + Fraction(1, 10**9)):
            return "there is no pair so near"
        if adversarial("==", value) != attained:
            return "attained is wrong"
        return ""


def term(formula: Bool) -> Any:
    return z3.BoolVal(formula) if isinstance(formula, bool) else formula


def quantified(formula: Any) -> bool:
    seen: set[int] = set()
    todo = [formula]
    while todo:
        e = todo.pop()
        if z3.is_quantifier(e):
            return True
        if e.get_id() not in seen:
            seen.add(e.get_id())
            todo += e.children()
    return False
