"""`verifier repair`: what it writes is proved, and what it cannot repair it leaves alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier import load
from verifier.canonical.project import projection
from verifier.surfaces.cli import cli

CORPUS = Path(__file__).parents[1] / "corpus" / "refuted"


def repair(path: Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["repair", str(path)], standalone_mode=False)
    assert result.exception is None, result.output
    return result.return_value, result.output


def test_an_unnecessary_feature_is_held_at_the_middle_of_its_interval(tmp_path: Path) -> None:
    path = tmp_path / "half.vf"
    path.write_text(
        "domain X { size: real in [0, 1], hue: real in [0, 1] }\nlabels { small, big }\n"
        "oracle f2 { features s = size  metric linf  decide if s >= 1/2 then big else small }\n"
        "model f1 { features s = size, h = hue  decide if s + h/10 >= 1/2 then big else small }\n"
        "assert A: contained(f1, f2) expect refuted\n"
    )
    code, output = repair(path)
    assert code == 0, output
    text = (tmp_path / "half.repaired.vf").read_text()
    assert "features s = size, h = 0.5" in text
    assert load(tmp_path / "half.repaired.vf").check()["repaired"].word == "proved"


def test_an_oblique_oracle_gets_an_oblique_projection(tmp_path: Path) -> None:
    # g2 sees x + y; x is replaced by its projection (x + y)/2, whose deviation from the middle is the same for x and y
    path = tmp_path / "oblique.vf"
    path.write_text(
        "domain X { x: real in [0, 1], y: real in [0, 1] }\nlabels { a, b }\n"
        "oracle f2 { features s = x + y  metric linf }\n"
        "model f1 { features r = relu(x - 1/4)  decide if r >= 1/4 then a else b }\n"
        "assert A: contained(f1, f2) expect refuted\n"
    )
    code, output = repair(path)
    assert code == 0, output
    result = load(tmp_path / "oblique.repaired.vf").check()
    assert result["repaired"].word == "proved"
    assert result["unchanged"].word == "refuted"


def test_only_the_declaration_itself_is_replaced_and_no_word_of_the_file_is_special(tmp_path: Path) -> None:
    model = "model f1 { features s = size, h = hue  decide if s + h/10 >= 1/2 then unchanged else small }"
    path = tmp_path / "quoted.vf"
    path.write_text(
        f"# {model}\ndomain X {{ size: real in [0, 1], hue: real in [0, 1], k: {{unchanged}} }}\n"
        "labels { small, unchanged }\noracle f2 { features s = size  metric linf }\n"
        f"{model}\nassert A: contained(f1, f2) expect refuted\n"
    )
    code, output = repair(path)
    assert code == 0, output
    text = (tmp_path / "quoted.repaired.vf").read_text()
    assert text.startswith(f"# {model}\n")
    assert "k: {unchanged}" in text


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "half.vf"
    path.write_text(
        "domain X { a: real in [0, 1], b: real in [0, 1] }\nlabels { no, yes }\n"
        "oracle f2 { features a = a  metric linf }\n"
        "model f1 { features b = b  decide if b >= 1/2 then yes else no }\nassert A: contained(f1, f2) expect refuted\n"
    )
    command = [sys.executable, "-m", "verifier", "repair", str(path), "-o", str(tmp_path / "none" / "out.vf")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_non_affine_oracle_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bent.vf"
    path.write_text(
        "domain X { x: real in [-1, 1] }\nlabels { a, b }\noracle f2 { features s = abs(x)  metric linf }\n"
        "model f1 { features x = x  decide if x >= 0 then a else b }\nassert A: contained(f1, f2) expect refuted\n"
    )
    code, output = repair(path)
    assert code == 3
    assert "not affine" in output
    assert not (tmp_path / "bent.repaired.vf").exists()


@pytest.mark.parametrize("name", sorted(p.name for p in CORPUS.glob("contained_*.vf")))
def test_what_is_written_for_a_refuted_containment_is_proved(name: str, tmp_path: Path) -> None:
    for helper in CORPUS.glob("*.*"):
        shutil.copy(helper, tmp_path)
    path = tmp_path / name
    code, output = repair(path)
    written = path.with_suffix(".repaired.vf")
    if code == 0:
        assert load(written).check()["repaired"].word == "proved"
    else:
        assert code == 3, output
        assert not written.exists()


small = st.integers(-3, 3).map(Fraction)


@given(st.lists(st.lists(small, min_size=4, max_size=4), max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_projection_keeps_what_is_seen_and_forgets_the_rest(rows: list[list[Fraction]]) -> None:
    p = projection(rows, 4)

    def times(a: object, b: object) -> list[list[Fraction]]:
        return [[sum((x * y for x, y in zip(r, c, strict=True)), Fraction(0)) for c in zip(*b, strict=True)] for r in a]  # type: ignore[attr-defined, call-overload]

    assert times(p, p) == [list(r) for r in p]
    assert [list(c) for c in zip(*p, strict=True)] == [list(r) for r in p]
    assert times(rows, p) == rows
