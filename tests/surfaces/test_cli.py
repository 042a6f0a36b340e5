"""The command from end to end: text in, verdicts out."""

from __future__ import annotations

import json
from fractions import Fraction as Q
from pathlib import Path

import jsonschema

from tests.surfaces.conftest import Run

HALFSPACE = """\
param reach = 1/10 in (0, 1]
domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }
oracle f2 {
  features s = size
  metric   linf
  decide   if s >= 1/2 then big else small
}
model f1 {
  features s = size, h = hue
  decide   if s + h/10 >= 1/2 then big else small
}
assert A1: contained(f1, f2)               expect refuted
assert A2: unnecessary(f1, f2, h)
assert A3: strongly_robust(f1, f2, radius: reach) expect refuted
compute R: critical_radius(f1, f2)
"""
SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "result.schema.json"


def test_the_first_example_of_the_language(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "halfspace.vf").write_text(HALFSPACE)
    ran = verifier("check", "halfspace.vf")
    assert (ran.returncode, ran.stderr) == (0, "")
    heads = [line.split() for line in ran.stdout.splitlines() if not line.startswith(" ")]
    assert [(h[0], "refuted" in h, "proved" in h) for h in heads[:3]] == [
        ("A1", True, False),
        ("A2", False, True),
        ("A3", True, False),
    ]
    assert "The oracle cannot tell x from x'; f1 flips. Unnecessary feature: h." in ran.stdout


def test_its_json_is_exact_and_its_witness_can_be_recomputed(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "halfspace.vf").write_text(HALFSPACE)
    ran = verifier("check", "--json", "halfspace.vf")
    document = json.loads(ran.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert (ran.returncode, ran.stderr, document["exit_code"]) == (0, "", 0)
    (file,) = document["files"]
    pair = file["assertions"][0]["pair"]
    one, two = pair["x"], pair["x'"]
    assert one["size"] == two["size"] and pair["d2"] == "0" and Q(pair["d1"]) == abs(Q(one["hue"]) - Q(two["hue"]))
    labels = ["big" if Q(p["size"]) + Q(p["hue"]) / 10 >= Q(1, 2) else "small" for p in (one, two)]
    assert pair["f1"] == labels and len(set(labels)) == 2
    assert file["computed"][0]["value"] == "0"


def test_a_contradicted_expectation_is_exit_code_1(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "halfspace.vf").write_text(HALFSPACE.replace("expect refuted", ""))
    ran = verifier("check", "halfspace.vf", "--only", "A1")
    assert ran.returncode == 1 and "(expected proved)" in ran.stdout and "A3" not in ran.stdout


def test_a_parameter_can_be_set(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "halfspace.vf").write_text(HALFSPACE)
    assert verifier("check", "halfspace.vf", "--only", "A3", "--set", "reach=1/7").returncode == 0
    ran = verifier("check", "halfspace.vf", "--set", "reach=2")
    assert ran.returncode == 2 and "error[V" in ran.stderr
    ran = verifier("check", "halfspace.vf", "--set", "reech=1/7")
    assert ran.returncode == 2 and "reech" in ran.stderr


def test_a_mistake_is_exit_code_2_with_its_place(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "halfspace.vf").write_text(HALFSPACE.replace("contained(f1, f2)", "contained(f3, f2)"))
    ran = verifier("check", "halfspace.vf")
    assert ran.returncode == 2 and ran.stdout == ""
    assert ran.stderr.startswith("halfspace.vf:13:22: error[V") and "\n" + " " * 28 + "^^\n" in ran.stderr
    assert "f3" in ran.stderr and "fix:" in ran.stderr


def test_what_later_versions_do_is_unknown(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "halfspace.vf").write_text(HALFSPACE + 'model later = torch("a.pt")\nassert L: contained(later, f2)\n')
    assert verifier("check", "halfspace.vf", "--only", "L").returncode == 3


def test_any_bytes_are_answered_with_a_diagnostic(verifier: Run, tmp_path: Path) -> None:
    (tmp_path / "a.vf").write_bytes(bytes(range(256)))
    (tmp_path / "b.vf").write_text("assert " * 5000)
    (tmp_path / "c.vf").write_text("let a = " + "(" * 100000)
    ran = verifier("check", ".")
    assert ran.returncode == 2 and "Traceback" not in ran.stderr and "internal error" not in ran.stderr
    for name in "abc":
        assert f"{name}.vf:" in ran.stderr
