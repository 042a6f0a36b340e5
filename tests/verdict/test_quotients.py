"""Lipschitz constants by eigenvalues, and suprema over whole numbers: by hand, by all pairs in rationals, and lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from random import Random

import pytest

from tests.verdict.curves import check, drawn
from verifier.language.root import Root
from verifier.language.surd import surd
from verifier.verdict.measures import linear_quotient
from verifier.verdict.measures.grid import Found, Grid
from verifier.verdict.verdict import Computed

F = Fraction
Point = tuple[F, ...]


def text(model: str, oracle: str, domain: str) -> str:
    return f"""
        domain X {{ {domain} }}
        labels {{ no, yes }}
        oracle f2 {{ features {oracle} }}
        model f1 {{ features {model}  decide yes }}
    """


def constant(model: str, oracle: str, domain: str) -> Computed:
    result = check(text(model, oracle, domain) + "compute K: lipschitz_constant(f1, f2)\n")
    assert result.internal_errors == ()
    return result.computed[0]


PLANE = "m = m, n = n  metric l2"


@pytest.mark.parametrize("kind", ["int", "real"])
@pytest.mark.parametrize(
    "model, oracle, square",
    [
        ("s = m + n  metric linf", PLANE, F(2)),
        ("s = m + n, t = m - n  metric l2", PLANE, F(2)),  # a rotation: every direction
        ("s = m + n, t = 2*m - 2*n  metric l2", PLANE, F(8)),
        ("s = m + n, t = 3*m - n  metric l1", PLANE, F(16)),  # |s| + |t| is 4m at most, or 2m - 2n
        ("s = m + n, t = 3*m - n  metric linf", PLANE, F(10)),
        ("s = m + n  metric linf", "m = m, n = n  metric mahalanobis([[2, 1], [1, 1]])", F(1)),  # 1 in n alone
        ("s = m + n  metric l2", "t = 2*m + 2*n, u = m + n  metric l2", F(1, 5)),
        ("s = relu(2*m + n - 700)  metric linf", PLANE, F(5)),
        ("s = relu(2*m + n - 700) + relu(n - 900), t = relu(m - 2*n)  metric l2", PLANE, F(8)),
        ("s = abs(m - 500) + abs(n - 2*m)  metric linf", PLANE, F(10)),  # m - 500 grows, n - 2 m falls: (3, -1)
    ],
)
def test_the_constant_is_an_eigenvalue_that_a_pair_has(model: str, oracle: str, square: F, kind: str) -> None:
    """Of relus only what is possible in the square: n > 900 and m > 2 n is not."""
    found = constant(model, oracle, f"m: {kind} in [0, 1000], n: {kind} in [0, 1000]")
    assert (surd(found.value) ** 2 if isinstance(found.value, F) else found.value.square) == square, found.value
    assert found.attained and found.result.trusts == linear_quotient.TRUSTS


def test_a_direction_that_the_domain_does_not_have_is_none() -> None:
    """All pairs have m = n, so that s does not change."""
    found = constant("s = m - n, t = m  metric l2", PLANE, "m: real in [0, 1], n: real in [0, 1] where m == n")
    assert found.value == Root(F(1, 2))
    assert found.result.trusts != linear_quotient.TRUSTS


def test_beyond_oracle_distance_zero_no_constant_will_do() -> None:
    found = constant("s = m - n  metric l2", "m = m  metric l2", "m: int in [0, 900], n: int in [0, 900]")
    assert found.value == "infinity"


def brute(f: Callable[[Point], Sequence[F]], g: Callable[[Point], Sequence[F]], points: Sequence[Point]) -> F:
    images = [(f(p), g(p)) for p in points]
    best = F(0)
    for (a, b), (c, d) in product(images, repeat=2):
        if below := sum((x - y) ** 2 for x, y in zip(b, d, strict=True)):
            best = max(best, sum(((x - y) ** 2 for x, y in zip(a, c, strict=True)), F(0)) / below)
    return best


def test_differences_of_whole_numbers_are_listed_where_the_eigenvalue_is_irrational() -> None:
    """The quotient depends on differences alone: those of [0, 40] x [0, 9] are those from two corners."""

    def model(p: Point) -> list[F]:
        return [p[0] + p[1] / 2, p[0] + p[1] / 3]

    high = 40, 9
    points = list(product(*(map(F, range(-h, h + 1)) for h in high)))
    truth = max(sum(x * x for x in model(p)) / sum(x * x for x in p) for p in points if any(p))
    found = constant(
        "s = m + n/2, t = m + n/3  metric l2", PLANE, f"m: int in [0, {high[0]}], n: int in [0, {high[1]}]"
    )
    assert isinstance(found.value, Root) and found.value.square == truth and found.attained


def test_many_whole_numbers_take_no_longer() -> None:
    """The eigenvector (1, (1 + sqrt 5) / 2) is best approached by Fibonacci's numbers."""
    found = constant("s = n, t = m + n  metric l2", PLANE, "m: int in [0, 1000], n: int in [0, 1000]")
    assert isinstance(found.value, Root) and found.attained
    assert found.value.square == F(987**2 + 1597**2, 610**2 + 987**2)


# all pairs


def distances(seed: int) -> tuple[str, list[tuple[F, F]]]:
    """A problem of some sixty points, and the squares of the distances of all pairs."""
    random = Random(seed)

    def feature() -> tuple[str, Callable[[Point], F]]:
        a, b, c = (F(random.randint(-4, 4), random.choice([1, 2, 3])) for _ in range(3))
        said = f"({a})*m + ({b})*n + ({c})"
        kind = random.choice(["", "relu", "step"])
        if kind == "step":
            return f"step({said})", lambda p: F(a * p[0] + b * p[1] + c >= 0)
        if kind:
            return f"relu({said})", lambda p: max(F(0), a * p[0] + b * p[1] + c)
        return said, lambda p: a * p[0] + b * p[1] + c

    squares: dict[str, Callable[[Sequence[F]], F]] = {
        "l2(scale: 2)": lambda v: sum((x * x / 4 for x in v), F(0)),
        "linf": lambda v: max(map(abs, v)) ** 2,
        "1/3 * mahalanobis([[2, 1], [1, 1]])": lambda v: (2 * v[0] ** 2 + 2 * v[0] * v[1] + v[1] ** 2) / 9,
        "l1(scale: [1, 1/2])": lambda v: (abs(v[0]) + 2 * abs(v[1])) ** 2,
    }
    above, below = (list(squares)[(seed + k) % 4] for k in range(2))
    model, oracle = ([feature() for _ in range(2)] for _ in range(2))
    said = [", ".join(f"s{i} = {t}" for i, (t, _) in enumerate(fs)) for fs in (model, oracle)]
    where = "where m + n >= 3" if seed % 2 else ""
    domain = f"m: int in [0, 7], n: int in (-1, 8], z: {{u, v}} {where}"
    points = [(F(m), F(n)) for m in range(8) for n in range(9) if m + n >= 3 or not seed % 2]

    def differences(fs: Sequence[tuple[str, Callable[[Point], F]]], p: Point, q: Point) -> list[F]:
        return [f(p) - f(q) for _, f in fs]

    pairs = [
        (squares[below](differences(oracle, p, q)), squares[above](differences(model, p, q)))
        for p, q in product(points, repeat=2)
    ]
    return text(f"{said[0]}  metric {above}", f"{said[1]}  metric {below}", domain), sorted(set(pairs))


@pytest.mark.parametrize("seed", range(8))
def test_all_pairs_of_some_dozen_points_are_looked_at(seed: int) -> None:
    problem, pairs = distances(seed)
    result = check(
        f"{problem}\ncompute W: modulus_curve(f1, f2)\ncompute M: modulus(f1, f2, delta: 3/2)\n"
        "compute K: lipschitz_constant(f1, f2)\n"
    )
    assert result.internal_errors == ()
    curve, modulus, slope = result.computed
    steps: dict[F, F] = {}
    for near, far in pairs:
        if far > max(steps.values(), default=F(-1)):
            steps[near] = far
    lines = drawn(curve).lines
    assert [(surd(line.start) * surd(line.start), line.constant * line.constant) for line in lines] == list(
        steps.items()
    )
    assert all(line.attained and line.closed == (True, False) for line in lines)
    assert surd(modulus.value) == surd(Root(max(far for near, far in pairs if near <= F(9, 4))))
    if any(far and not near for near, far in pairs):
        assert slope.value == "infinity"
    else:
        assert surd(slope.value) * surd(slope.value) == max((far / near for near, far in pairs if near), default=0)


def test_numbers_that_are_too_large_are_left_to_others() -> None:
    """10^12 squared is no machine number."""
    found = constant(
        "s = step(m - 5) * 1e12 + relu(n)  metric l2",
        "m = 1e12*m, n = 1e12*n  metric l2",
        "m: int in [0, 8], n: int in [0, 8]",
    )
    assert found.value in (1, None) or found.result.enclosure is not None


def test_a_quotient_that_is_not_the_pairs_is_never_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Grid.steepest

    def larger(self: Grid) -> Found | None:
        true = original(self)
        assert true is not None
        return (true[0] * 2, *true[1:])

    monkeypatch.setattr(Grid, "steepest", larger)
    result = check(
        text("s = step(m + n - 3)  metric l2", PLANE, "m: int in [0, 8], n: int in [0, 8]")
        + "compute K: lipschitz_constant(f1, f2)\n"
    )
    assert len(result.internal_errors) == 1 and "ReplayFailed" in result.internal_errors[0]
