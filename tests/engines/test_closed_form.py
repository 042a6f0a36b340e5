"""Theorem 2: the certificate is the factor matrix; the kernel accepts it and no other."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.questions import program
from verifier.engines.closed_form import contained, segments
from verifier.engines.engine import Holds
from verifier.kernel.proof import Entails, Linear, Rejected, check
from verifier.model.assertion import claim_of
from verifier.model.claim import Contained, Not
from verifier.query.pose import Poser

F = Fraction
SPACE = "domain X { a: real, b: real in [0, 1], c: real in [2, 2], n: int in [0, 3] }\nlabels { no, yes }\n"


def asked(domain: str, fine: str, coarse: str, claim: str = "contained(f1, f2)", metric: str = "") -> Holds | None:
    return contained(*stated(domain, fine, coarse, claim, metric))


def stated(
    domain: str, fine: str, coarse: str, claim: str = "contained(f1, f2)", metric: str = ""
) -> tuple[Poser, Contained]:
    found = program(
        f"{domain}oracle f2 {{ features {fine}  metric linf }}\n"
        f"model f1 {{ features {coarse}  {metric} decide yes }}\nassert A: {claim}\n"
    )
    body = claim_of(found, found.assertions[0].body)
    inner = body.claim if isinstance(body, Not) else body
    assert isinstance(inner, Contained)
    return Poser(found), inner


@pytest.mark.parametrize(
    ("fine", "coarse", "answers"),
    [
        ("a = a, b = b", "s = a + b, d = a - b", True),
        ("s = a + b, d = a - b", "a = a, b = b", True),
        ("s = a + b", "t = 3*a + 3*b - 7", True),
        ("s = a + b", "a = a", False),
        ("s = a", "z = 5", True),
        ("s = a", "z = c + a", True),
        ("s = a", "n = n", False),
        ("s = 1/3*a + 1/7*b", "t = 7*a + 3*b", True),
        ("s = 1/3*a + 1/7*b", "t = 7*a + 3000001/1000000*b", False),
        ("s = relu(a)", "t = relu(a)", False),
        ("s = a", "t = abs(a)", False),
        ("a = a, b = b, n = n", "s = a + 2*b - n", True),
    ],
)
def test_a_linear_image_is_contained_and_nothing_else_is_concluded(fine: str, coarse: str, answers: bool) -> None:
    found = asked(SPACE, fine, coarse)
    assert (found is not None) == answers
    if found is not None:
        assert found.trusts == ()
        assert isinstance(found.proof, tuple)
        assert check(*found.proof).trusts == ()


@pytest.mark.parametrize(
    ("domain", "coarse", "answers"),
    [
        ("domain X { a: real, b: real } where a + b == 1\nlabels { no, yes }\n", "b = b", True),
        ("domain X { a: real, b: real } where 2*a <= 1 - b and 1 - b <= 2*a\nlabels { no, yes }\n", "b = b", True),
        ("domain X { a: real, b: real } where a + b >= 1\nlabels { no, yes }\n", "b = b", False),
        ("domain X { a: real, b: real } where a + b == 1 or a == b\nlabels { no, yes }\n", "b = b", False),
        ("domain X { a: real, b: real } where not (a + b != 1)\nlabels { no, yes }\n", "b = b", True),
    ],
)
def test_the_equations_of_the_domain_count(domain: str, coarse: str, answers: bool) -> None:
    assert (asked(domain, "a = a", coarse) is not None) == answers


@pytest.mark.parametrize("metric", ["metric discrete", "metric l0", "metric d(u, v) = abs(u.s - v.s)"])
def test_only_norms_are_answered(metric: str) -> None:
    assert asked(SPACE, "a = a", "s = a", metric="metric l1") is not None
    assert asked(SPACE, "a = a", "s = a", metric=metric) is None


def test_one_feature_is_asked_alone() -> None:
    for h, answers in (("s", True), ("t", False)):
        assert (asked(SPACE, "a = a", "s = 2*a, t = b", f"unnecessary(f1, f2, {h})") is not None) == answers


def forgeries(proof: Linear) -> list[Linear]:
    rows = proof.weights
    bumped = [
        tuple(
            tuple(w + F(1, 10**9) if (i, j) == (k, m) else w for j, w in enumerate(row)) for i, row in enumerate(rows)
        )
        for k, row in enumerate(rows)
        for m in range(len(row))
    ]
    return [
        *(Linear(b) for b in bumped),
        Linear(rows[:-1]),
        Linear((*rows, rows[0])),
        Linear(tuple(row[:-1] for row in rows)),
        Linear(tuple((*row, F(0)) for row in rows)),
        Linear(tuple(reversed(rows))),
    ]


def test_an_altered_certificate_is_rejected() -> None:
    found = asked(SPACE, "s = a + b, d = a - b", "a = a, b = 2*b")
    assert found is not None
    assert isinstance(found.proof, tuple)
    problem, proof = found.proof
    assert isinstance(problem, Entails)
    assert isinstance(proof, Linear)
    assert check(problem, proof).trusts == ()
    for forged in forgeries(proof):
        with pytest.raises(Rejected):
            check(problem, forged)
    with pytest.raises(Rejected):
        check(replace(problem, zeros=problem.zeros[:1]), proof)


MATRIX = st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=2, max_size=2)


@given(MATRIX, st.lists(st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=1, max_size=2))
@settings(max_examples=40, deadline=None)
def test_every_linear_image_has_a_certificate(fine: list[list[int]], factor: list[list[int]]) -> None:
    coarse = [[sum(f * row[j] for f, row in zip(m, fine, strict=True)) for j in range(3)] for m in factor]

    def features(rows: list[list[int]]) -> str:
        return ", ".join(f"h{i} = ({p})*a + ({q})*b + ({r})*d + {i}" for i, (p, q, r) in enumerate(rows))

    space = "domain X { a: real, b: real in [0, 1], d: real in [0, 9] }\nlabels { no, yes }\n"
    found = asked(space, features(fine), features(coarse))
    assert found is not None
    assert isinstance(found.proof, tuple)
    assert check(*found.proof).trusts == ()


@pytest.mark.parametrize(
    ("fine", "coarse", "guesses"),
    [
        ("s = a + b", "a = a", True),
        ("s = a", "b = b, z = 5", True),
        ("s = a + b + n", "b = b", True),
        ("a = a, b = b, n = n", "s = a + 2*b - n", False),  # contained
        ("s = a", "n = n", False),  # only an integer moves
        ("s = relu(a)", "b = b", False),  # not affine
    ],
)
def test_guesses_of_a_pair_lie_in_the_box_and_the_oracle_cannot_tell_them_apart(
    fine: str, coarse: str, guesses: bool
) -> None:
    poser, claim = stated(SPACE, fine, coarse)
    found = list(segments(poser, claim))
    assert bool(found) == guesses
    for guess in found:
        a, b, c, n, a_, b_, c_, n_ = guess.points[0]
        assert 0 < b < 1 and 0 < b_ < 1 and (c, c_) == (2, 2) and n == n_ in range(4)
        values = {"s = a + b": (a + b, a_ + b_), "s = a": (a, a_), "s = a + b + n": (a + b + n, a_ + b_ + n_)}[fine]
        assert values[0] == values[1] and (a, b) != (a_, b_)
