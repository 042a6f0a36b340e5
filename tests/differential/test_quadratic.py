"""Random programs with l2 and mahalanobis against enumeration, linf and l1, and z3's nonlinear solver."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import pytest
import z3

from verifier.api import load_text
from verifier.language.root import Root
from verifier.verdict.verdict import FileResult, Undecided

pytestmark = pytest.mark.usefixtures("worker")

Operand = Any  # a Fraction, or a term of z3: the same lambdas serve both


@dataclass
class Made:
    """A random program: its text without claims, and what it means over any numbers."""

    text: str
    flips: Callable[[Operand, Operand], Operand]
    """f1 says `yes` at (x, y)."""
    square: Callable[[tuple[Operand, Operand], tuple[Operand, Operand]], Operand]
    metric: str
    inside: Callable[[Operand, Operand], list[Operand]]


def relu(v: Operand) -> Operand:
    return z3.If(v >= 0, v, z3.RealVal(0)) if z3.is_expr(v) else max(v, Fraction(0))


def every(parts: list[Operand]) -> Operand:
    return z3.And(parts) if any(z3.is_expr(p) for p in parts) else all(parts)


def some(parts: list[Operand]) -> Operand:
    return z3.Or(parts) if any(z3.is_expr(p) for p in parts) else any(parts)


def make(rng: random.Random, sort: str, metric: str | None = None) -> Made:
    def whole(low: int, high: int) -> int:
        return rng.randint(low, high)

    def atom() -> tuple[str, Callable[[Operand, Operand], Operand]]:
        a, b, c, d, e = whole(-2, 2), whole(-2, 2), whole(-1, 1), whole(-2, 2), whole(-3, 3)
        strict = rng.random() < 0.5
        text = f"{a}*x + {b}*y + {c}*relu(x + {d}*y) {'>' if strict else '>='} {e}"

        def holds(x: Operand, y: Operand) -> Operand:
            left = a * x + b * y + c * relu(x + d * y) - e
            return left > 0 if strict else left >= 0

        return text, holds

    atoms = [atom() for _ in range(whole(1, 3))]
    joint = rng.random() < 0.6
    test = (" and " if joint else " or ").join(f"({t})" for t, _ in atoms)

    def flips(x: Operand, y: Operand) -> Operand:
        return (every if joint else some)([h(x, y) for _, h in atoms])

    p, q = rng.choice([((1, 0), (0, 1)), ((1, 1), (1, -1)), ((1, 2), (0, 1)), ((1, 0), (2, 0))])
    fold = rng.random() < 0.3
    first = f"relu({p[0]}*x + {p[1]}*y)" if fold else f"{p[0]}*x + {p[1]}*y"

    def features(x: Operand, y: Operand) -> tuple[Operand, Operand]:
        u = p[0] * x + p[1] * y
        return (relu(u) if fold else u), q[0] * x + q[1] * y

    s, t = Fraction(whole(1, 3), whole(1, 2)), Fraction(whole(1, 3))
    kind = metric or rng.choice(["l2", "l2(scale: [S, T])", "mahalanobis(M)", "mahalanobis(M, scale: [S, T])"])
    a = [[whole(-2, 2), whole(-2, 2)] for _ in range(whole(1, 2))]
    m = [[sum(r[i] * r[j] for r in a) for j in range(2)] for i in range(2)]
    scaled = "scale" in kind
    kind = kind.replace("M", str(m)).replace("S", str(s)).replace("T", str(t))

    def square(left: tuple[Operand, Operand], right: tuple[Operand, Operand]) -> Operand:
        d = [u - v for u, v in zip(features(*left), features(*right), strict=True)]
        if scaled:
            d = [d[0] / s, d[1] / t] if not z3.is_expr(d[0] + d[1]) else [d[0] * q3(1 / s), d[1] * q3(1 / t)]
        if "mahalanobis" in kind:
            return sum(m[i][j] * d[i] * d[j] for i in range(2) for j in range(2))
        return d[0] * d[0] + d[1] * d[1]

    opening = rng.choice("[(")
    high = 3

    def inside(x: Operand, y: Operand) -> list[Operand]:
        return [x >= -3, x <= high, y > -3 if opening == "(" else y >= -3, y <= high]

    text = (
        f"domain X {{ x: {sort} in [-3, {high}], y: {sort} in {opening}-3, {high}] }}\nlabels {{ no, yes }}\n"
        f"oracle f2 {{ features u = {first}, v = {q[0]}*x + {q[1]}*y  metric {kind} }}\n"
        f"model f1 {{ features x = x, y = y  decide if {test} then yes else no }}\n"
    )
    return Made(text, flips, square, kind, inside)


def q3(value: Fraction) -> Any:
    return z3.Q(value.numerator, value.denominator)


def check(text: str) -> FileResult:
    loaded = load_text(text)
    assert not [d for d in loaded.diagnostics if d.severity == "error"], (text, loaded.diagnostics)
    result = loaded.check()
    assert not result.internal_errors, (text, result.internal_errors)
    return result


def squared(amount: object) -> Fraction | None:
    """The square of a distance; None: infinite."""
    match amount:
        case Root(square):
            return square
        case Fraction():
            return amount * amount
        case "infinity":
            return None
    raise AssertionError(amount)


def radii(rng: random.Random) -> Iterator[Fraction]:
    yield from (Fraction(rng.randint(1, 8), rng.choice([1, 2, 3])) for _ in range(2))


@pytest.mark.seeds(9)
def test_integer_grids_by_enumeration(seed: int) -> None:
    rng = random.Random(f"grid {seed}")
    made = make(rng, "int")
    grid = [(Fraction(x), Fraction(y)) for x, y in itertools.product(range(-3, 4), repeat=2)]
    grid = [p for p in grid if all(made.inside(*p))]
    x0, y0 = rng.choice(grid)
    label = {p: made.flips(*p) for p in grid}
    near = [made.square((x0, y0), p) for p in grid if label[p] != label[x0, y0]]
    pairs = [made.square(p, q) for p, q in itertools.combinations(grid, 2) if label[p] != label[q]]
    text = made.text + f"point p = {{ x: {x0}, y: {y0} }}\ncompute R: min_distance(f1, f2, p)\n"
    text += "compute S: critical_radius(f1, f2)\n"
    expected: dict[str, bool] = {}
    roots = [Fraction(isqrt(int(n))) for n in (*near, *pairs) if n == int(n) and isqrt(int(n)) ** 2 == n and n > 0]
    for i, r in enumerate([*radii(rng), *(rng.sample(roots, 1) if roots else [])]):
        text += f"assert A{i}: robust_at(f1, f2, p, radius: {r})\n"
        text += f"assert B{i}: robust_at(f1, f2, p, radius: {r}, closed: true)\n"
        text += f"assert C{i}: strongly_robust(f1, f2, radius: {r})\n"
        text += f"assert D{i}: forall u in X: distance(f2, p, u) < {r} => f1(u) == f1(p)\n"
        text += f"assert E{i}: forall u in X: distance(f2, p, u) >= {r} => f1(u) == f1(p)\n"
        expected[f"A{i}"] = expected[f"D{i}"] = all(n >= r * r for n in near)
        expected[f"B{i}"] = all(n > r * r for n in near)
        expected[f"C{i}"] = all(n >= r * r for n in pairs)
        expected[f"E{i}"] = all(n < r * r for n in near)
    result = check(text)
    values = {c.name: c for c in result.computed}
    assert squared(values["R"].value) == (min(near) if near else None), text
    assert squared(values["S"].value) == (min(pairs) if pairs else None), text
    assert values["R"].attained is (True if near else None), text
    assert {a.name: a.word for a in result} == {k: "proved" if v else "refuted" for k, v in expected.items()}, text


@pytest.mark.seeds(5)
def test_lipschitz_constants_on_integer_grids_by_enumeration(seed: int) -> None:
    """Many pairs have the same quotient: one of each of the slices."""
    rng = random.Random(f"steep {seed}")
    a, b, c, d, e = (rng.randint(-3, 3) for _ in range(5))
    p, q, r = rng.choice([(1, 0, 1), (2, 1, 2), (1, -1, 3), (1, 2, 4)])
    metric = "l2" if (p, q, r) == (1, 0, 1) else f"mahalanobis([[{p}, {q}], [{q}, {r}]])"
    text = f"""domain X {{ x: int in [0, 7], y: int in [0, 6] }}
labels {{ no, yes }}
oracle f2 {{ features x = x, y = y  metric {metric} }}
model f1 {{ features s = {a}*x + {b}*y + {c}*relu(x + {d}*y - {e})  metric linf  decide if s >= 0 then yes else no }}
compute K: lipschitz_constant(f1, f2)
"""
    pairs = []
    for (x, y), (u, v) in itertools.combinations(itertools.product(range(8), range(7)), 2):
        rise = a * (x - u) + b * (y - v) + c * (max(x + d * y - e, 0) - max(u + d * v - e, 0))
        pairs.append((rise * rise, p * (x - u) ** 2 + 2 * q * (x - u) * (y - v) + r * (y - v) ** 2))
    torn = any(rise and not run for rise, run in pairs)
    most = None if torn else max(Fraction(rise, run) for rise, run in pairs if run)
    (said,) = check(text).computed
    assert squared(said.value) == most, text
    assert said.attained or not most


@pytest.mark.seeds(9)
def test_reals_by_the_nonlinear_solver(seed: int) -> None:
    rng = random.Random(f"nlsat {seed}")
    made = make(rng, "real")
    p = (Fraction(rng.randint(-5, 6), 2), Fraction(rng.randint(-5, 6), 2))
    text = made.text + f"point p = {{ x: {p[0]}, y: {p[1]} }}\ncompute R: min_distance(f1, f2, p)\n"
    chosen = list(radii(rng))
    for i, r in enumerate(chosen):
        text += f"assert A{i}: robust_at(f1, f2, p, radius: {r})\n"
        text += f"assert B{i}: robust_at(f1, f2, p, radius: {r}, closed: true)\n"
        text += f"assert C{i}: forall u in X: distance(f2, u, p) > {r} => f1(u) == f1(p)\n"
    result = check(text)
    here = made.flips(*p)
    x, y = z3.Reals("x y")
    flipped = z3.Not(made.flips(x, y)) if here else made.flips(x, y)
    base = [*made.inside(x, y), flipped]
    square = made.square((q3(p[0]), q3(p[1])), (x, y))

    def exists(fact: Any) -> bool:
        solver = z3.SolverFor("QF_NRA")
        solver.set("timeout", 20000)
        solver.add(*base, fact)
        answer = solver.check()
        if answer == z3.unknown:
            pytest.skip("the nonlinear solver gave up")
        return bool(answer == z3.sat)

    for i, r in enumerate(chosen):
        for name, fact in (
            (f"A{i}", square < q3(r * r)),
            (f"B{i}", square <= q3(r * r)),
            (f"C{i}", square > q3(r * r)),
        ):
            verdict = result[name]
            if isinstance(verdict.verdict, Undecided):
                assert name.startswith("C"), text
                continue
            assert (verdict.word == "refuted") == exists(fact), (name, text)
    (value,) = result.computed
    least = squared(value.value)
    if least is None:
        assert not exists(z3.BoolVal(True)), text
    else:
        assert not exists(square < q3(least)), text
        assert exists(square < q3(least + Fraction(1, 10**6))), text
        assert exists(square == q3(least)) == value.attained, text


@pytest.mark.seeds(5)
def test_between_linf_and_l1(seed: int) -> None:
    found: dict[str, Fraction | None] = {}
    for metric in ("linf", "l2", "l1"):
        made = make(random.Random(f"between {seed}"), "real", metric)
        result = check(made.text + "point p = { x: 0, y: 0 }\ncompute R: min_distance(f1, f2, p)\n")
        found[metric] = squared(result.computed[0].value)
    low, mid, high = found["linf"], found["l2"], found["l1"]
    if low is None or mid is None or high is None:
        assert low == mid == high
    else:
        assert low <= mid <= min(high, 2 * low)


@pytest.mark.usefixtures("impatient")
@pytest.mark.seeds(5)
def test_topological_questions_are_those_of_linf(seed: int) -> None:
    words: list[list[str]] = []
    claims = (
        "assert A: contained(f1, f2)\nassert B: uniformly_contained(f1, f2)\nassert C: contained(f2, f1)\n"
        "assert D: factors(f1, f2)\nassert E: contained(f1, f2, of: decision)\nassert F: unnecessary(f1, f2, x)\n"
    )
    for metric in ("linf", "l2", "mahalanobis([[2, 1], [1, 2]])"):
        made = make(random.Random(f"topology {seed}"), "real", metric)
        words.append([a.word for a in check(made.text + claims)])
    assert words[0] == words[1] == words[2]


@pytest.mark.seeds(5)
def test_null_sets(seed: int) -> None:
    """No flip in the closed ball: robust almost everywhere. A small square of flips well inside of the ball and of X:
    not. What lies between is not judged here."""
    rng = random.Random(f"almost {seed}")
    made = make(rng, "real")
    p = (Fraction(rng.randint(-5, 6), 2), Fraction(rng.randint(-5, 6), 2))
    text = made.text + f"point p = {{ x: {p[0]}, y: {p[1]} }}\n"
    chosen = list(radii(rng))
    for i, r in enumerate(chosen):
        text += f"assert A{i}: robust_at(f1, f2, p, radius: {r}, almost: true)\n"
        text += f"assert B{i}: robust_at(f1, f2, p, radius: {r}, closed: true, almost: true)\n"
    result = check(text)
    here = made.flips(*p)
    x, y = z3.Reals("x y")
    square = made.square((q3(p[0]), q3(p[1])), (x, y))

    def flipped(a: Operand, b: Operand) -> Operand:
        return z3.Not(made.flips(a, b)) if here else made.flips(a, b)

    def asked(*facts: Operand) -> Any:
        solver = z3.SolverFor("QF_NRA")
        solver.set("timeout", 10000)
        solver.add(*made.inside(x, y), *facts)
        return solver.check()

    step = z3.Q(1, 1000)
    around = [flipped(x + a * step, y + b * step) for a, b in itertools.product((-1, 0, 1), repeat=2)]
    well_inside = [x > z3.Q(-299, 100), x < z3.Q(299, 100), y > z3.Q(-299, 100), y < z3.Q(299, 100)]
    for i, r in enumerate(chosen):
        if asked(flipped(x, y), square <= q3(r * r)) == z3.unsat:
            assert result[f"A{i}"].word == result[f"B{i}"].word == "proved", text
        elif asked(*around, *well_inside, square < q3(r * r * Fraction(999, 1000))) == z3.sat:
            assert result[f"A{i}"].word == result[f"B{i}"].word == "refuted", text
