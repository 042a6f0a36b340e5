"""The least margin that restores robustness within a ball of l2: exact, or refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.api import Loaded, load_text
from verifier.engines.engine import Arc, Vector
from verifier.language.root import Root
from verifier.language.surd import Exact, surd
from verifier.model.claim import Always
from verifier.query.pose import Posed
from verifier.verdict.certify import ReplayFailed
from verifier.verdict.measures.restoring_margin import Supremum, crossing, reached, supremum

pytestmark = pytest.mark.usefixtures("impatient")

FILE = """
domain X {{ x: real in [-9, 9], y: real in [-9, 9] }}
labels {{ no, yes }}
oracle f2 {{ features x = x, y = y  metric {metric}  {decide} }}
model f1 {{ features x = x, y = y  decide if {test} then yes else no }}
assert A: strongly_robust(f1, f2, radius: {radius})
"""


def claim_of(loaded: Loaded) -> Always:
    claim = loaded.items[0][1]
    assert isinstance(claim, Always)
    return claim


def found(test: str, radius: str = "1/2", metric: str = "l2", decide: str = "") -> Supremum | None:
    loaded = load_text(FILE.format(test=test, radius=radius, metric=metric, decide=decide))
    assert not loaded.diagnostics
    with loaded.worker:
        return supremum(loaded.decider(), "f1", claim_of(loaded), 60.0)


weight = st.integers(-4, 4)


@given(weight, weight, weight, st.fractions(Fraction(1, 8), 2, max_denominator=8))
@settings(max_examples=12, deadline=None)
def test_of_an_affine_score_it_is_the_radius_times_the_norm(a: int, b: int, c: int, radius: Fraction) -> None:
    """sup of |a x + b y + c| over the pairs less than r apart on both sides of 0."""
    least = found(f"({a})*x + ({b})*y >= ({c})", str(radius))
    norm = (a * a + b * b) * radius * radius
    assert least is not None and least.value == surd(Root(Fraction(norm)))


@pytest.mark.parametrize(
    ("test", "metric", "radius", "square"),
    [
        # the boundary has a corner in the first quadrant: along the diagonal the least slack grows by 1 a unit of x
        ("x >= 0 and y >= 0", "l2", "1/2", Fraction(1, 4)),
        # outside of the square |x| + |y| <= 1 one steps across a side: r * |(1, 1)|
        ("abs(x) + abs(y) <= 1", "l2", "1/2", Fraction(1, 2)),
        # (1, 1) in the norm dual to d^2 = 2 x^2 + 2 x y + 2 y^2: 2/3
        ("x + y >= 1", "mahalanobis([[2, 1], [1, 2]])", "1/2", Fraction(1, 6)),
        # x scaled by 1/2: a step of 1/2 there is 1/4
        ("x >= 1", "l2(scale: {x: 1/2, y: 1})", "1/2", Fraction(1, 16)),
        ("x >= 1", "2 * l2", "1/2", Fraction(1, 16)),
    ],
)
def test_of_other_models_and_balls_it_is_what_one_finds_by_hand(
    test: str, metric: str, radius: str, square: Fraction
) -> None:
    least = found(test, radius, metric)
    assert least is not None and least.value == surd(Root(square))


def test_the_labels_of_the_oracle_count() -> None:
    """Only pairs on one side of x = 0 are flips: from the boundary y = 1 of f1, 1/2 up or down, as on all of X."""
    least = found("if x >= 0 then y >= 1 else y >= 1", decide="decide if x >= 0 then yes else no")
    assert least is not None and least.value == Fraction(1, 2)


def test_a_margin_without_bound_is_infinite_and_one_of_nothing_is_zero() -> None:
    flat = FILE.replace("x: real in [-9, 9]", "x: real").replace("y: real in [-9, 9]", "y: real")
    for oracle, test, value in (("y = y", "x >= 0", None), ("x = x, y = y", "x - x >= 1", Fraction(0))):
        text = flat.format(test=test, radius="1/2", metric="l2", decide="").replace(
            "oracle f2 { features x = x, y = y", f"oracle f2 {{ features {oracle}, z = y"
        )
        loaded = load_text(text)
        with loaded.worker:
            least = supremum(loaded.decider(), "f1", claim_of(loaded), 60.0)
        assert least is not None and least.value == value, text


def arc(start: Exact, end: Exact | None, a: int, b: int, c: int) -> Arc:
    return Arc(start, end, (Fraction(a), Fraction(b), Fraction(c)), (), (), (), (Fraction(0), None))


@pytest.mark.parametrize(
    ("arcs", "level", "height"),
    [
        ([], Fraction(1), Fraction(0)),
        ([arc(Fraction(0), Fraction(1), 0, 0, 0), arc(Fraction(1), None, 2, 0, 0)], Fraction(2), Fraction(1)),
        (
            [arc(Fraction(0), Fraction(1), 0, 0, 0), arc(Fraction(1), None, 2, 0, 0)],
            Fraction(4),
            surd(Root(Fraction(2))),
        ),
        ([arc(Fraction(0), Fraction(1), 0, 0, 3), arc(Fraction(1), None, 0, 0, 5)], Fraction(3), Fraction(0)),
        ([arc(Fraction(0), Fraction(1), 0, 0, 3), arc(Fraction(1), None, 0, 0, 5)], Fraction(4), Fraction(1)),
        ([arc(Fraction(0), Fraction(1), 0, 0, 3), arc(Fraction(1), None, 0, 0, 5)], Fraction(6), None),
        ([arc(Fraction(0), Fraction(2), 1, 0, 0)], Fraction(9), Fraction(2)),
    ],
)
def test_where_the_arcs_cross_a_level(arcs: list[Arc], level: Fraction, height: Exact | None) -> None:
    assert crossing(tuple(arcs), level) == height


def posed_of(loaded: Loaded) -> Posed:
    poser, claim = loaded.decider().poser, claim_of(loaded)
    margin = poser.symbolic.margin(loaded.program.classifiers["f1"], poser.point("x"))
    facts = [*(poser.truth(g, claim.points) for g in claim.given)]
    facts.append(poser.build.negate(poser.truth(claim.then, claim.points)))
    return poser.pose(claim.points, facts, numbers=[margin])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("value", "attained", "shown"),
    [
        (Fraction(1), True, ((1, 0, 0, 0),)),  # flips, with a margin of 1, but 1 apart
        (Fraction(1, 3), True, ((Fraction(1, 4), 0, Fraction(-1, 4), 0),)),  # its margin is 1/4
        (
            Fraction(1),
            False,
            ((Fraction(1, 4), 0, Fraction(-1, 8), 0), (1, 0, Fraction(-1, 8), 0, 1)),
        ),  # leaves the ball
        (None, False, ((Fraction(1, 4), 0, Fraction(-1, 8), 0), (0, 1, 0, 1, 0))),  # along y the margin stays
    ],
)
def test_a_supremum_that_is_not_approached_is_not_believed(
    value: Fraction | None, attained: bool, shown: tuple[tuple[int | Fraction, ...], ...]
) -> None:
    loaded = load_text(FILE.format(test="x >= 0", radius="1/2", metric="linf", decide=""))
    loaded.worker.close()
    vectors: list[Vector] = [tuple(map(Fraction, v)) for v in shown]
    question = posed_of(loaded).question
    with pytest.raises(ReplayFailed):
        reached(question, value, attained, vectors)
    near = tuple(map(Fraction, (Fraction(1, 4), 0, Fraction(-1, 8), 0)))
    reached(question, Fraction(1, 2), False, (near, tuple(map(Fraction, (Fraction(1, 2), 0, 0, 0, 1)))))
