"""Random formulas with quantifiers that alternate, against z3's own procedure for them, which shares nothing with the
tool but the solver of what is free of quantifiers (qsat; where X is finite this is enumeration)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import z3

from tests.differential.run import check
from verifier.verdict.verdict import Undecided

pytestmark = pytest.mark.usefixtures("worker")

Point = dict[str, Any]
Env = dict[str, Point]
Formula = tuple[str, Callable[[Env], Any]]
"""Its text, and what z3 makes of it."""
MEMBERS = ("red", "green", "blue")


@dataclass(frozen=True)
class Coordinate:
    """One of X; `sort` and `sides` as the file has them, `within` as z3 has them."""

    name: str
    sort: str
    sides: str
    within: Callable[[Any], list[Any]]


A = Coordinate("a", "real", " in [0, 1]", lambda v: [v >= 0, v <= 1])
B = Coordinate("b", "real", " in [-1, 2)", lambda v: [v >= -1, v < 2])
OPEN = Coordinate("a", "real", " in (0, 1)", lambda v: [v > 0, v < 1])
LINE = Coordinate("a", "real", "", lambda v: [])
HALF = Coordinate("b", "real", " in [0, infinity)", lambda v: [v >= 0])
N = Coordinate("n", "int", " in [0, 3]", lambda v: [v >= 0, v <= 3])
M = Coordinate("m", "int", " in [-2, 2]", lambda v: [v >= -2, v <= 2])
C = Coordinate("c", "{red, green, blue}", "", lambda v: [v >= 0, v <= 2])
DOMAINS = {
    "a square": (A, B),
    "an open interval": (OPEN,),
    "unbounded": (LINE, HALF),
    "whole": (N, M),
    "whole beside real": (A, N),
    "all sorts": (A, N, C),
}
PREFIXES = ("ae", "ea", "aea", "eae", "aeae")


class Maker:
    def __init__(self, rng: random.Random, coordinates: Sequence[Coordinate]) -> None:
        self.rng, self.coordinates, self.made = rng, coordinates, 0
        self.where = self.formula(("",), 1) if rng.random() < 0.3 else ("true", lambda env: z3.BoolVal(True))

    def affine(self, points: Sequence[str]) -> Formula:
        known = [(p, c) for p, c in product(points, self.coordinates) if c is not C]
        picked = self.rng.sample(known, min(len(known), self.rng.randint(1, 3)))
        terms = [(self.rng.choice([1, -1, 2, -2]), p, c) for p, c in picked]
        constant = Fraction(self.rng.randint(-4, 4), self.rng.choice([1, 2]))
        text = " + ".join([*(f"{w}*{dot(p)}{c.name}" for w, p, c in terms), f"({constant})"])

        def term(env: Env) -> Any:
            parts = [w * (z3.ToReal(env[p][c.name]) if c.sort == "int" else env[p][c.name]) for w, p, c in terms]
            return z3.Sum([*parts, z3.Q(constant.numerator, constant.denominator)])

        return text, term

    def number(self, points: Sequence[str]) -> Formula:
        (text, u), (other, v) = self.affine(points), self.affine(points)
        match self.rng.randrange(8):
            case 0:
                return f"relu({text})", lambda e: z3.If(u(e) >= 0, u(e), 0)
            case 1:
                return f"abs({text})", lambda e: z3.If(u(e) >= 0, u(e), -u(e))
            case 2:
                return f"(if {text} >= 0 then {other} else 1)", lambda e: z3.If(u(e) >= 0, v(e), z3.RealVal(1))
            case _:
                return text, u

    def atom(self, points: Sequence[str]) -> Formula:
        if C in self.coordinates and self.rng.random() < 0.35:
            p, q, k = self.rng.choice(points), self.rng.choice(points), self.rng.randrange(6)
            if k < 3:
                return f"{dot(p)}c == {MEMBERS[k]}", lambda e: e[p]["c"] == k
            return f"{dot(p)}c != {dot(q)}c", lambda e: e[p]["c"] != e[q]["c"]
        text, u = self.number(points)
        match op := self.rng.choice(["<", "<=", "==", "!=", "<", "<="]):
            case "<":
                return f"{text} < 0", lambda e: u(e) < 0
            case "<=":
                return f"{text} <= 0", lambda e: u(e) <= 0
            case "==":
                return f"{text} == 0", lambda e: u(e) == 0
            case _:
                return f"{text} {op} 0", lambda e: u(e) != 0

    def formula(self, points: Sequence[str], depth: int) -> Formula:
        if not depth or self.rng.random() < 0.25:
            return self.atom(points)
        return self.joined(self.formula(points, depth - 1), self.formula(points, depth - 1))

    def joined(self, left: Formula, right: Formula) -> Formula:
        """The right one stands last: it may begin with a quantifier."""
        (a, u), (b, v) = left, right
        match op := self.rng.choice(["and", "or", "and", "or", "=>", "<=>", "not"]):
            case "and":
                return f"(({a}) and ({b}))", lambda e: z3.And(u(e), v(e))
            case "or":
                return f"(({a}) or ({b}))", lambda e: z3.Or(u(e), v(e))
            case "=>":
                return f"(({a}) => ({b}))", lambda e: z3.Implies(u(e), v(e))
            case "<=>":
                return f"(({a}) <=> ({b}))", lambda e: u(e) == v(e)
            case _:
                return f"({op} ({b}))", lambda e: z3.Not(v(e))

    def quantified(self, points: tuple[str, ...], prefix: str, depth: int) -> Formula:
        names = tuple(f"p{len(points) + k}" for k in range(2 if len(points) + len(prefix) < 5 and depth == 3 else 1))
        inner = (*points, *names)
        if prefix[1:]:
            body = self.quantified(inner, prefix[1:], depth)
            text, u = self.joined(self.formula(inner, 1), body) if self.rng.random() < 0.4 else body
        else:
            text, u = self.formula(inner, depth)

        def term(env: Env) -> Any:
            self.made += 1
            chosen = {n: {c.name: self.fresh(n, c) for c in self.coordinates} for n in names}
            bound = [v for n in names for v in chosen[n].values()]
            sides = [s for n in names for c in self.coordinates for s in c.within(chosen[n][c.name])]
            there = z3.And(*sides, *(self.where[1]({"": chosen[n]}) for n in names))
            value = u(env | chosen)
            return z3.ForAll(bound, z3.Implies(there, value)) if prefix[0] == "a" else z3.Exists(bound, there & value)

        return f"{'forall' if prefix[0] == 'a' else 'exists'} {', '.join(names)} in X: {text}", term

    def fresh(self, point: str, c: Coordinate) -> Any:
        return (z3.Real if c.sort == "real" else z3.Int)(f"{point} {c.name} {self.made}")


def dot(point: str) -> str:
    return f"{point}." if point else ""


def truth(term: Any) -> str:
    solver = z3.Then("simplify", "qsat").solver()
    solver.set("timeout", 4000)
    solver.add(term)
    return {"sat": "proved", "unsat": "refuted"}.get(str(solver.check()), "unknown")


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.seeds(4)
def test_z3_agrees_and_the_kernel_has_checked_all_of_it(name: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"alternation {name} {seed}")
    maker = Maker(rng, DOMAINS[name])
    said, term = maker.quantified((), rng.choice(PREFIXES), rng.randint(1, 3))
    sorts = ", ".join(f"{c.name}: {c.sort}{c.sides}" for c in maker.coordinates)
    where = "" if maker.where[0] == "true" else f" where {maker.where[0]}"
    text = f"domain X {{ {sorts} }}{where}\nlabels {{ u, v }}\nassert A: {said}\n"
    result = check(text, tmp_path)
    errors = [d for d in result.diagnostics if d.severity == "error"]
    if errors:
        assert [d.code for d in errors] == ["V311"], text  # a domain without points
        return
    assert not result.internal_errors, text
    verdict = result["A"].verdict
    assert not isinstance(verdict, Undecided), text
    assert truth(term({})) in (result["A"].word, "unknown"), text
    assert verdict.trusts == (), text
