"""The JSON document: valid against the published schema, exact, and readable by a strict reader."""

from __future__ import annotations

import json
from fractions import Fraction as Q
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.report.samples import HALFSPACE, HERE, SAMPLES, checked, result
from verifier.report.json_report import TOOLS, document, version
from verifier.verdict.verdict import Computed, Measurement, Proved, Refuted, Seen, Witness

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
SCHEMA = json.loads((REFERENCE / "result.schema.json").read_text(encoding="utf-8"))


def read(text: str) -> Any:
    def never(token: str) -> None:
        raise AssertionError(f"{token} is not JSON")

    return json.loads(text, parse_constant=never)


def one(sample: str) -> Any:
    return read(document([SAMPLES[sample]], 0))["files"][0]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_of_result_fits_the_schema(name: str) -> None:
    jsonschema.validate(read(document([SAMPLES[name]], SAMPLES[name].exit_code)), SCHEMA)


def test_the_documented_example_fits_the_schema() -> None:
    page = (REFERENCE / "json.md").read_text(encoding="utf-8")
    jsonschema.validate(read(page.split("```json\n")[1].split("```")[0]), SCHEMA)


def test_a_pair_is_written_as_the_language_page_says() -> None:
    pair = one("refuted")["assertions"][0]["pair"]
    assert pair["x"] == {"size": "2/5", "hue": "0"} and pair["x'"] == {"size": "2/5", "hue": "1"}
    assert pair["x'_float"] == {"size": 0.4, "hue": 1.0}
    assert (pair["d1"], pair["d2"], pair["d1_float"], pair["d2_float"]) == ("1", "0", 1.0, 0.0)
    assert pair["f1"] == ["small", "big"] and pair["f2"] == ["small", "small"]
    assert pair["limit"] is None and "points" not in pair


def test_names_that_a_formula_quantifies_over_are_kept() -> None:
    pair = one("triple")["assertions"][0]["pair"]
    assert pair["points"] == {"u": {"a": "0"}, "v": {"a": "1"}, "w": {"a": "2"}}
    assert pair["x"] == {"a": "0"} and pair["x'"] == {"a": "1"}


def test_a_witness_of_one_point_has_no_second() -> None:
    pair = one("point")["assertions"][0]["pair"]
    assert "x'" not in pair
    assert pair["x"] == {"age": "30", "sex": "f", "x": ["9/10", "1/10"]}
    assert pair["x_float"] == {"age": 30.0, "sex": "f", "x": [0.9, 0.1]}
    assert [c["name"] for c in pair["classifiers"]] == ["f1", "f3"]


def test_a_limit_witness_has_its_ends() -> None:
    limit = one("limit")["assertions"][0]["pair"]["limit"]
    assert (limit["y"], limit["z"], limit["start"], limit["eps"]) == ({"t": "0"}, {"t": "1"}, "1", "1/1000")
    assert limit["x_end"] is None
    assert one("moving_limit")["assertions"][0]["pair"]["limit"]["x_end"] == {"i": "0", "t": "1"}


def test_a_constant_oracle_has_no_labels() -> None:
    assert one("limit")["assertions"][0]["pair"]["f2"] is None


def test_verdicts_reasons_and_trusts() -> None:
    proved, trusted, unknown, later, vacuous, *_ = one("verdicts")["assertions"]
    assert (proved["verdict"], proved["met"], proved["trusts"], proved["reason"]) == ("proved", True, [], None)
    assert trusted["trusts"] == ["z3 5.4.1"]
    assert (unknown["verdict"], unknown["met"], unknown["by"]) == ("unknown", None, None)
    assert unknown["reason"] == "60 s were not enough." and not unknown["later"] and later["later"]
    assert vacuous["vacuous"] and vacuous["met"] is False and vacuous["reason"].startswith("no pair")


def test_computed_values() -> None:
    radius, lipschitz, modulus, probability = one("verdicts")["computed"]
    assert (radius["value"], radius["value_float"], radius["attained"]) == ("0", 0.0, False)
    assert (lipschitz["value"], lipschitz["value_float"], lipschitz["attained"]) == ("infinity", None, None)
    assert Q(modulus["value"]) == Q(3602879701896397, 3 * 36028797018963968)
    assert (probability["value"], probability["reason"]) == (None, "60 s were not enough.")


def test_numbers_beyond_floats_and_beyond_python_s_digit_limit_are_exact() -> None:
    huge = Q(10**9000 + 1, 7)
    seen = Seen("f1", "model", ({}, {}), ("a", "b"), huge)
    witness = Witness({"x": {"v": (huge, -huge)}, "x'": {"v": (Q(0), 1 / huge)}}, (seen,))
    said = result(
        checked("A", "f()", Refuted("e", witness)), Computed("C", "c()", HERE, float("nan"), Measurement(huge, True))
    )
    text = document([said], 1)
    jsonschema.validate(read(text), SCHEMA)
    pair = read(text)["files"][0]["assertions"][0]["pair"]
    assert pair["d1_float"] is None and len(pair["d1"]) == 9003 and pair["d1"].endswith("1/7")
    assert pair["x_float"] == {"v": [None, None]} and pair["x'_float"] == {"v": [0.0, 0.0]}


def test_odd_paths_survive() -> None:
    text = document([result(path="a\udcff\u2028\x1b.vf")], 0)
    assert text.isascii() and read(text)["files"][0]["path"] == "a\udcff\u2028\x1b.vf"


def test_a_proved_existence_shows_its_witness() -> None:
    said = result(checked("A", "exists x in X: true", Proved("e", pair=HALFSPACE)))
    assert read(document([said], 0))["files"][0]["assertions"][0]["pair"]["x"] == {"size": "2/5", "hue": "0"}


def test_versions_are_those_that_are_installed() -> None:
    from importlib import metadata

    for distribution in TOOLS.values():
        assert version(distribution) == metadata.version(distribution)
    assert version("no-such-distribution") is None
