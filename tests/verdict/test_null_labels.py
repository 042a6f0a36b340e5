"""Labels that are given on null sets count for the distance to them: by hand, and by numbers on a grid."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from tests.verdict.curves import check
from verifier.verdict.verdict import Computed, Undecided

F = Fraction


def mean(decide: str, metric: str = "linf", more: str = "", word: str = "arc", **changes: str) -> Computed:
    domain = changes.get("domain", "x: real in [0, 4], y: real in [0, 1]")
    features = changes.get("features", "x = x, y = y")
    result = check(f"""
        domain X {{ {domain} }}
        labels {{ a, b }}
        oracle f2 {{ features {features}  metric {metric}  decide if x >= 2 then b else a }}
        model f1 {{ features {changes.get("seen", "x = x, y = y")}  decide {decide} }}
        compute R: {word}(f1, f2{more})
    """)
    assert result.internal_errors == ()
    return result.computed[0]


@pytest.mark.parametrize(
    "decide, expected",
    [
        ("if x == 3 then b else a", F(5, 4)),  # (9/2 + 1/2) / 4
        ("if x == 0 or x == 4 then b else a", F(1)),
        ("if x != 3 then b else a", F(5, 4)),
        ("if x >= 2 then b else if x == 1 and y <= 1/2 then b else a", F(67, 96)),
        ("if x == 1 then b else if x == 3 then b else a", F(3, 4) - F(1, 4)),
        ("if abs(x - 2) == 1 then b else a", F(1, 2)),
    ],
)
def test_a_line_and_a_point_are_targets(decide: str, expected: Fraction) -> None:
    found = mean(decide)
    assert found.value == expected, found.reason


def test_a_single_point_is_a_target_for_all() -> None:
    """The mean of max(|x|, |y|) over [-1, 1]^2 is 2/3, of |x| + |y| it is 1."""
    square = "x: real in [-1, 1], y: real in [-1, 1]"
    assert mean("if x == 0 and y == 0 then b else a", domain=square).value == F(2, 3)
    assert mean("if x == 0 and y == 0 then b else a", "l1", domain=square).value == 1
    round_ = mean("if x == 0 and y == 0 then b else a", "l2", domain=square).result
    assert round_.enclosure is not None
    low, high = map(float, round_.enclosure)
    truth = (2**0.5 + np.log(1 + 2**0.5)) / 3
    assert low <= truth <= high and high - low < 1e-3


def test_only_almost_everywhere_it_is_no_target() -> None:
    assert mean("if x == 3 then b else a", more=", almost: true").value == "infinity"
    assert mean("if x >= 2 then b else if x == 1 then b else a", more=", almost: true").value == 1


def test_distance_counts_where_both_agree() -> None:
    """f2 says a below 2: there the distance to 3 has the mean 2 on half of X."""
    assert mean("if x == 3 then b else a", word="arca").value == 1


def test_of_some_members_and_whole_numbers_only() -> None:
    """With z = v, at n = 1: x = 3 is b. Other z are 1 apart, other n as much as they say."""
    domain = "x: real in [0, 4], n: int in [0, 1], z: {u, v}"
    found = mean(
        "if x == 3 and n == 1 and z == v then b else a",
        "linf",
        domain=domain,
        features="x = x, n = 3*n",
        seen="x = x, n = n, z = z",
    )
    assert found.value == (F(5, 4) + F(3)) / 2  # max(|x - 3|, 3) is 3


def test_beyond_the_rest_of_the_domain() -> None:
    """x = 5 lies in X, beside [0, 1]: nothing else is b."""
    found = mean("if x >= 2 then b else a", domain="x: real in [0, 5], y: real in [0, 1] where x <= 1 or x == 5")
    assert found.value == F(9, 2)


def test_where_distances_are_no_functions_of_differences_it_is_said() -> None:
    result = check("""
        domain X { x: real in [0, 4], y: real in [0, 1] }
        labels { a, b }
        oracle f2 { features r = relu(x - 1)  metric linf }
        model f1 { features x = x  decide if x == 3 then b else a }
        assert A: arc(f1, f2) >= 1
    """)
    (said,) = result.assertions
    assert isinstance(said.verdict, Undecided) and "without an inside" in said.verdict.why


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("metric", ["linf", "l1", "l2"])
def test_points_and_segments(seed: int, metric: str) -> None:
    """The mean of the distance to the nearest one, on a grid."""
    random = Random(seed)

    def side(high: int, thin: bool) -> tuple[Fraction, Fraction]:
        a, b = sorted(F(random.randint(0, 4 * high), 4) for _ in range(2))
        return (a, a) if thin else (a, b)

    kinds = [random.choice([(True, True), (True, False), (False, True)]) for _ in range(random.randint(1, 3))]
    boxes = [(side(4, thin), side(1, flat)) for thin, flat in kinds]
    said = " or ".join(f"({a} <= x <= {b} and {c} <= y <= {d})" for (a, b), (c, d) in boxes)
    found = mean(f"if {said} then b else a", metric)
    steps = 400
    x, y = np.meshgrid((np.arange(4 * steps) + 0.5) / steps, (np.arange(steps) + 0.5) / steps, indexing="ij")
    least = np.full(x.shape, np.inf)
    for (a, b), (c, d) in boxes:
        dx = np.maximum(0, np.maximum(float(a) - x, x - float(b)))
        dy = np.maximum(0, np.maximum(float(c) - y, y - float(d)))
        least = np.minimum(least, {"linf": np.maximum(dx, dy), "l1": dx + dy, "l2": np.hypot(dx, dy)}[metric])
    ends = found.result.enclosure or (found.value, found.value)
    low, high = (float(end) for end in ends if isinstance(end, Fraction))
    assert low - 1e-4 <= least.mean() <= high + 1e-4, (boxes, found.value)
    assert high - low <= (1e-3 if metric == "l2" else 0)
