"""`verifier explain` on files whose reasons are known by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from verifier.surfaces.cli import cli

HALFSPACE = """
domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }
oracle f2 { features s = size  metric linf  decide if s >= 1/2 then big else small }
model f1 { features s = size, h = hue  decide if s + h/10 >= 1/2 then big else small }
assert A1: contained(f1, f2) expect refuted
assert A3: strongly_robust(f1, f2, radius: 1/10) expect refuted
"""

BOUNDARY = """
domain X { x: real in [0, 1] }
labels { no, yes }
oracle f2 { features x = x  metric linf }
model f1 { features x = x  decide if x >= 1/2 then yes else no }
assert A: strongly_robust(f1, f2, radius: 1/10) expect refuted
"""


def explained(tmp_path: Path, text: str, *names: str) -> str:
    path = tmp_path / "file.vf"
    path.write_text(text)
    result = CliRunner().invoke(cli, ["explain", str(path), *names], standalone_mode=False)
    assert result.return_value == 0, result.output
    return " ".join(result.stdout.split())


def test_an_unnecessary_feature_is_named_and_the_features_are_to_blame(tmp_path: Path) -> None:
    text = explained(tmp_path, HALFSPACE, "A1")
    assert "Case II" in text
    assert "Unnecessary features of f1: h." in text
    assert "The features of f1 are to blame" in text
    assert "A3" not in text


def test_the_least_margin_that_restores_robustness_is_exact(tmp_path: Path) -> None:
    # x' = (2/5, 1) is the first point that f1 calls big and f2 small; within 1/10 of it f1 is 3/10 + hue/10 at least,
    # whose margin is below 1/5 and comes as near as one likes: 1/5 is enough.
    assert "With `where: margin(f1) >= 1/5` it holds" in explained(tmp_path, HALFSPACE, "A3")


def test_a_boundary_inside_an_oracle_class_blames_the_decision(tmp_path: Path) -> None:
    text = explained(tmp_path, BOUNDARY)
    assert "The features of f1 are not to blame: contained is proved" in text
    assert "critical radius 0" in text
    assert "With `where: margin(f1) >= 1/10` it holds" in text


def test_an_unknown_assertion_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "file.vf"
    path.write_text(BOUNDARY)
    command = [sys.executable, "-m", "verifier", "explain", str(path), "AA"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    assert "No assertion is called `AA`. Did you mean `A`?" in result.stderr


def test_euclidean_balls_are_explained_without_a_margin(tmp_path: Path) -> None:
    """With one feature l2 is linf, and has one; with two it is a root."""
    round_ = BOUNDARY.replace("metric linf", "metric l2")
    assert "With `where: margin(f1) >= 1/10` it holds" in explained(tmp_path, round_)
    text = explained(tmp_path, round_.replace("features x = x  metric l2", "features x = x, y = x  metric l2"))
    assert "critical radius 0" in text
    assert "With `where:" not in text


def test_a_critical_radius_that_is_a_root_is_written_as_one(tmp_path: Path) -> None:
    corners = """
domain X { x: int in [0, 1], y: int in [0, 1] } where x == y
labels { no, yes }
oracle f2 { features x = x, y = y  metric l2 }
model f1 { features x = x  decide if x >= 1 then yes else no }
assert A: strongly_robust(f1, f2, radius: 3/2) expect refuted
"""
    assert "The critical radius is sqrt(2) ≈ 1.41421" in explained(tmp_path, corners)


UNIFORM = """
domain X { i: int in [0, 1], t: real in (0, 1] }
labels { zero, one }
oracle f2 { features t = t, it = if i == 1 then t else 0  metric linf }
model f1 { features i = i  decide if i == 1 then one else zero }
assert A: contained(f1, f2)
assert B: uniformly_contained(f1, f2) expect refuted
assert C: strongly_robust(f1, f2, radius: 1/10) expect refuted
"""


def test_features_that_are_contained_but_not_uniformly_are_not_acquitted(tmp_path: Path) -> None:
    text = explained(tmp_path, UNIFORM, "B")
    assert "for each point some oracle distance is small enough, but none is for all of them" in text
    assert "not to blame" not in text
    text = explained(tmp_path, UNIFORM, "C")
    assert "The features of f1 are not uniformly contained" in text
    assert "its boundary runs inside" not in text


def test_the_points_of_the_case_are_written_out(tmp_path: Path) -> None:
    text = explained(tmp_path, UNIFORM, "A")
    assert "only the former differ at {i: " in text


def test_a_claim_that_holds_blames_nobody(tmp_path: Path) -> None:
    needed = HALFSPACE + "assert N: unnecessary(f1, f2, s) expect refuted\n"
    margin = HALFSPACE + "assert M: strongly_robust(f1, f2, radius: 1/100, where: margin(f1) >= 1/5)\n"
    for text in (explained(tmp_path, needed, "N"), explained(tmp_path, margin, "M")):
        assert "contained is refuted, and the decision of f1 uses what f2 cannot see" in text
        assert "to blame" not in text


def test_a_point_without_a_name_is_written_out(tmp_path: Path) -> None:
    at = HALFSPACE + "assert P: contained_at(f1, f2, { size: 1/2, hue: 0 }) expect refuted\n"
    text = explained(tmp_path, at, "P")
    assert "for x = {size: 1/2, hue: 0} and every eps > 0" in text
    assert "Unnecessary features of f1: h." in text
