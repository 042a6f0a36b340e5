"""Parts that are settled together get the verdicts that they get one by one."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from verifier.api import Options, load_text
from verifier.engines.engine import Grid, Holds, Vector
from verifier.engines.portfolio import Portfolio
from verifier.model.claim import Parts
from verifier.query.question import Question
from verifier.verdict import parts
from verifier.verdict.blocks import common
from verifier.verdict.verdict import Checked, Refuted

FILE = """
domain X {{ m: int in [0, 59], n: int in [0, 9], sex: {{f, m, d}}, s: real in [0, 1] }}
labels {{ no, yes }}
oracle f2 {{ features all except sex  metric linf }}
model f1 {{
  features h = relu(m - 30) + relu(n - 5) + (if sex == d then 2 * relu(m - 41) else 0) + s
  decide   if h >= {threshold} then yes else no
}}
partition P of X by {cuts}
assert F: forall part in P: {claim}
"""


def words(threshold: str, cuts: str, claim: str, together: bool) -> tuple[str, list[str], int]:
    text = FILE.format(threshold=threshold, cuts=cuts, claim=claim)
    asked = 0
    settle = parts.settle

    def counted(decider, claim, indices, alone, put):  # type: ignore[no-untyped-def]
        nonlocal asked
        asked += len(indices)
        return settle(decider, claim, indices, alone, put)

    with patch.object(parts, "settle", counted):
        if together:
            result = load_text(text).check(Options(timeout=60))
        else:
            with patch.object(parts, "common", lambda decider, claim: None):
                result = load_text(text).check(Options(timeout=60))
    (checked,) = result.assertions
    assert isinstance(checked, Checked) and checked.pieces is not None
    return type(checked.verdict).__name__, [p.word for p in checked.pieces.parts], asked


@pytest.mark.parametrize(
    ("threshold", "cuts", "claim", "least"),
    [
        ("20", "m every 10, n every 5", "factors(f1, f2)", 6),
        ("100", "m every 5", "factors(f1, f2)", 8),
        ("20", "sex, m every 10", "forall x in X: m(x) >= 30 or f1(x) == no", 6),
        ("12", "n at [3, 5, 8]", "factors(f1, f2)", 0),
    ],
)
def test_together_is_as_one_by_one(threshold: str, cuts: str, claim: str, least: int) -> None:
    claim = claim.replace("m(x)", "x.m")
    verdict, parts_, asked = words(threshold, cuts, claim, together=True)
    assert (verdict, parts_) == words(threshold, cuts, claim, together=False)[:2]
    assert len(parts_) - asked >= least  # so many were settled with others


def test_parts_of_real_coordinates_are_posed_one_by_one() -> None:
    _, parts_, asked = words("20", "s every 1/2", "factors(f1, f2)", together=True)
    assert (len(parts_), asked) == (2, 2)


def test_pairs_of_all_parts_are_found_at_once_and_replayed() -> None:
    text = FILE.format(threshold="40", cuts="m every 5, n every 5", claim="factors(f1, f2)")
    loaded = load_text(text)
    claim = loaded.items[0][1]
    assert isinstance(claim, Parts)
    with loaded.worker:
        shared = common(loaded.decider(), claim)
        assert shared is not None
        found = dict(shared.strike(20.0))
    assert found and all(isinstance(v, Refuted) for v in found.values())
    assert [v.pair is not None for v in found.values()] == [True] + [False] * (len(found) - 1)
    verdict, parts_, _ = words("40", "m every 5, n every 5", "factors(f1, f2)", together=False)
    assert verdict == "Refuted" and found.keys() <= {i for i, word in enumerate(parts_) if word == "refuted"}


def test_a_pair_of_another_part_is_no_pair() -> None:
    loaded = load_text(FILE.format(threshold="40", cuts="m every 5, n every 5", claim="factors(f1, f2)"))

    def elsewhere(self: Portfolio, question: Question, grid: Grid, seconds: float) -> dict[int, Vector]:
        return {(part + 1) % 24: vector for part, vector in strike(self, question, grid, seconds).items()}

    strike = Portfolio.strike
    with patch.object(Portfolio, "strike", elsewhere):
        result = loaded.check(Options(timeout=60))
    assert result.exit_code == 4
    assert any("another part" in error for error in result.internal_errors)


@pytest.mark.parametrize("claim", ["forall x, y in X: x.s >= 1/2 => f1(x) == no", "forall x in X: f1(x) == no"])
def test_proofs_of_another_question_are_found_out(claim: str) -> None:
    """Every block is said to be proved."""
    text = FILE.format(threshold="20", cuts="m every 10, n every 5", claim=claim)
    with (
        patch.object(Portfolio, "strike", lambda *_: {}),
        patch.object(Portfolio, "glance", lambda *_: Holds("somebody", ("somebody 1.0",))),
    ):
        result = load_text(text).check(Options(timeout=60))
    assert result.exit_code == 4
    assert "what has been proved fails at" in result.internal_errors[0]
