"""Measures of small random classifiers against elementary geometry (`plane`), digit for digit."""

from __future__ import annotations

from fractions import Fraction as F
from random import Random

import pytest

from tests.differential.plane import (
    NORMS,
    Norm,
    Point,
    between,
    flips,
    mean_to_zeros,
    meet,
    some_knots,
    some_net,
    to_polygons,
)
from verifier.api import Options, load_text
from verifier.language.root import root
from verifier.verdict.verdict import Amount

PLANE = "domain X { x: real^2 in [-1, 1] }\nlabels { no, yes }\n"
LINE = "domain X { x: real in [-1, 1] }\nlabels { no, yes }\n"


def compared(text: str, expected: dict[str, Amount]) -> None:
    loaded = load_text(text)
    assert loaded.diagnostics == (), loaded.diagnostics
    result = loaded.check(Options(timeout=60, certifying=False))
    assert result.internal_errors == ()
    found = {c.name: (c.value, c.result.how) for c in result.computed}
    assert found == {name: (value, "exact") for name, value in expected.items()}, text


def amount(norm: Norm, value: F | None) -> Amount:
    """What the tool should say."""
    if value is None:
        return "infinity"
    return root(value) if norm.squared else value


def place(p: Point) -> str:
    return f"{{x: [{p[0]}, {p[1]}]}}"


@pytest.mark.parametrize("seed", range(8))
def test_distances_radii_and_constants_in_the_plane(seed: int) -> None:
    random = Random(seed)
    net, other = some_net(random, random.choice([0, 1, 2, 3])), some_net(random, random.choice([0, 1, 2]))
    p = (F(random.randint(-15, 15), 16), F(random.randint(-15, 15), 16))
    level = F(random.randint(1, 9), 8)
    high, low = net.regions(level)
    apart = f"({net.written()}) >= {level} or ({net.written()}) <= -{level}"
    text = f"{PLANE}model f1 {{ features s = {net.written()}  metric linf  decide if s >= 0 then yes else no }}\n"
    expected: dict[str, Amount] = {}
    others, known = net.regions()[net.score(p) >= 0], other.regions()[other.score(p) < 0]
    alike = [part for a in others for b in known if (part := meet(a, b)) is not None]
    steps = min((1 for axis in (0, 1) if net.flips_along(p, axis)), default=2 if others else None)
    text += "oracle l { features x = x  metric l0 }\noracle d { features x = x  metric discrete }\n"
    for name, value in (("l", steps), ("d", min(steps, 1) if steps else None)):
        text += f"compute {name.upper()}: min_distance(f1, {name}, {place(p)})\n"
        expected[name.upper()] = "infinity" if value is None else F(value)
    for k, norm in enumerate(NORMS):
        text += f"oracle o{k} {{ features x = x  metric {norm.name} }}\n"
        text += f"compute D{k}: min_distance(f1, o{k}, {place(p)})\n"
        expected[f"D{k}"] = amount(norm, to_polygons(norm, p, others))
        text += f"oracle q{k} {{ features x = x  metric {norm.name}"
        text += f"  decide if {other.written()} >= 0 then yes else no }}\n"
        text += f"compute E{k}: min_distance(f1, q{k}, {place(p)})\n"
        expected[f"E{k}"] = amount(norm, to_polygons(norm, p, alike))
        text += f"compute K{k}: lipschitz_constant(f1, o{k})\n"
        expected[f"K{k}"] = amount(norm, max(norm.dual(a, b) for _, (a, b, _) in net.cells()))
        text += f"compute R{k}: critical_radius(f1, o{k}, where_both: {apart.replace('x[', 'x.x[')})\n"
        expected[f"R{k}"] = amount(norm, between(norm, high, low))
    compared(text, expected)


@pytest.mark.parametrize("seed", range(8))
def test_functions_of_one_number(seed: int) -> None:
    random = Random(seed)
    f, g = some_knots(random, random.randint(1, 3)), some_knots(random, random.randint(1, 2))
    radius, delta = F(random.randint(1, 20), 13), F(random.randint(1, 30), 17)
    text = f"""{LINE}
model f1 {{ features s = {f.written()}  metric linf  decide if s >= 0 then yes else no }}
oracle o {{ features x = x  metric {random.choice(["linf", "l1", "l2"])} }}
oracle q {{ features x = x, t = {g.written()}  metric d(u, v) = abs(u.x - v.x)  decide if t >= 0 then yes else no }}
compute W: modulus(f1, o, delta: {delta})
compute K: lipschitz_constant(f1, o)
compute P: probability(f1, o, radius: {radius})
compute A: arc(f1, o)
compute B: arca(f1, q)
"""
    share = mean_to_zeros(f, lambda x: (f.at(x) >= 0) == (g.at(x) >= 0), g.zeros())
    expected: dict[str, Amount] = {"W": f.modulus(delta), "K": f.steepest(), "P": flips(f, radius)}
    compared(text, expected | {"A": mean_to_zeros(f) or "infinity", "B": "infinity" if share is None else share})


def rank(rows: list[list[F]]) -> int:
    """By elimination."""
    rows, found = [list(row) for row in rows], 0
    for k in range(len(rows[0]) if rows else 0):
        pivot = next((row for row in rows if row[k]), None)
        if pivot is not None:
            found += 1
            rest = [row for row in rows if row is not pivot]
            rows = [[x - pivot[j] * row[k] / pivot[k] for j, x in enumerate(row)] for row in rest]
    return found


@pytest.mark.parametrize("seed", range(8))
def test_linear_features_see_what_their_rows_span(seed: int) -> None:
    """Theorem 2 by counting: for norms on a box, features are contained iff they add nothing to the rank."""
    random = Random(seed)

    def matrix(count: int) -> list[list[F]]:
        rows = [[F(random.randint(-2, 2)) for _ in range(3)] for _ in range(count)]
        if random.random() < 0.5:  # one that depends on the others
            rows[-1] = [sum((random.choice([-1, 1]) * row[k] for row in rows[:1]), F(0)) for k in range(3)]
        return rows

    one, two = matrix(random.randint(1, 3)), matrix(random.randint(1, 3))
    features = [
        ", ".join(f"{name}{i} = ({a})*x[0] + ({b})*x[1] + ({c})*x[2]" for i, (a, b, c) in enumerate(rows))
        for name, rows in (("g", one), ("h", two))
    ]
    metric = random.choice(["linf", "l1", "l2"])
    text = f"""domain X {{ x: real^3 in [0, 1] }}
labels {{ no, yes }}
oracle f2 {{ features {features[1]}  metric {metric} }}
model f1 {{ features {features[0]}  metric {metric}  decide if g0 >= 1 then yes else no }}
compute C: case(f1, f2)
compute U: unnecessary_features(f1, f2)
"""
    inside, outside = rank([*one, *two]) == rank(two), rank([*one, *two]) == rank(one)
    case = {(False, False): "I", (False, True): "II", (True, True): "III", (True, False): "IV"}[inside, outside]
    needless = [f"g{i}" for i, row in enumerate(one) if rank([row, *two]) > rank(two)]
    compared(text, {"C": case, "U": ", ".join(needless) or "none"})
