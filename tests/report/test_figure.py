"""Functions and sets in words and as JSON."""

from __future__ import annotations

import json
from fractions import Fraction as Q
from math import isclose

import jsonschema
from msgspec.structs import replace

from tests.report.samples import HERE
from tests.report.test_json import SCHEMA
from verifier.language.root import Root
from verifier.language.surd import distance, surd
from verifier.report.figure import table
from verifier.report.json_report import document
from verifier.verdict.figure import Band, Curve, Figure, Line
from verifier.verdict.verdict import Computed, FileResult, Measurement

CURVE = Curve(
    (
        Line(Q(0), Q(0), (True, True), Q(1, 4), Q(0), True),
        Line(Q(0), Q(1, 3), (False, True), Q(1), Q(1), True),
        Line(Q(1, 3), Q(2), (False, False), Q(0), Q(2, 3), False),
        Line(Q(2), None, (True, False), None, Q(0), False),
    )
)


def said(figure: Figure) -> dict[str, object]:
    """The figure of a document, which fits the schema."""
    computed = Computed("W", "modulus_curve(f1, f2)", HERE, 0.5, Measurement("words", figure=figure))
    page = json.loads(document([FileResult("a.vf", computed=(computed,))], 0))
    jsonschema.validate(page, SCHEMA)
    (found,) = page["files"][0]["computed"]
    assert isinstance(found["figure"], dict)
    return found["figure"]


def test_a_curve_is_a_table_of_its_lines() -> None:
    assert table(CURVE) == [
        ["delta", "w(delta)", ""],
        ["delta = 0", "1/4", "attained"],
        ["0 < delta <= 1/3", "1 + delta", "attained"],
        ["1/3 < delta < 2", "2/3*delta", "approached, not attained"],
        ["delta >= 2", "infinity", ""],
    ]


def test_a_curve_is_found_by_its_place() -> None:
    assert [CURVE.lines.index(CURVE.at(d)) for d in (Q(0), Q(1, 6), Q(1, 3), Q(1), Q(2), Q(9))] == [0, 1, 1, 2, 3, 3]
    assert CURVE.limit == 1


def test_the_document_has_every_line() -> None:
    figure = said(CURVE)
    assert (figure["kind"], figure["limit"], figure["limit_float"]) == ("curve", "1", 1.0)
    lines = figure["lines"]
    assert isinstance(lines, list)
    assert (lines[1]["start"], lines[1]["end"], lines[1]["closed"]) == ("0", "1/3", [False, True])
    assert (lines[3]["end"], lines[3]["constant"], lines[3]["constant_float"]) == ("infinity", "infinity", None)


BENT = Curve(
    (
        Line(Q(0), Root(Q(1, 8)), (True, True), Q(0), Q(0), True, (Q(2), Q(0), Q(0))),
        Line(
            Root(Q(1, 8)), distance(2 + surd(Root(Q(3)))), (False, True), Q(1, 4), Q(0), True, (Q(1), Q(0), Q(-1, 16))
        ),
        Line(distance(2 + surd(Root(Q(3)))), None, (False, False), surd(Root(Q(3))) + 1, Q(0), False),
    )
)


def test_a_bent_curve_is_written_with_roots() -> None:
    assert table(BENT)[1:] == [
        ["0 <= delta <= sqrt(1/8)", "sqrt(2)*delta", "attained"],
        ["sqrt(1/8) < delta <= ≈ 1.93185", "1/4 + sqrt(delta^2 - 1/16)", "attained"],
        ["delta > ≈ 1.93185", "1 + sqrt(3)", "approached, not attained"],
    ]
    lines = said(BENT)["lines"]
    assert isinstance(lines, list)
    assert (lines[0]["end"], lines[0]["bend"], lines[2]["bend"]) == ("sqrt(1/8)", ["2", "0", "0"], None)
    assert (lines[1]["end"], lines[2]["constant"]) == ("sqrt(2 + sqrt(3))", "1 + sqrt(3)")
    assert [BENT.lines.index(BENT.at(d)) for d in (Q(0), Q(1, 3), Q(1), Q(193, 100), Q(2))] == [0, 0, 1, 1, 2]


def test_a_curve_may_bend_at_a_sum_of_roots_along_any_quadratic() -> None:
    end = surd(Root(Q(3))) - Q(1, 2)
    first = Line(Q(0), end, (True, True), Q(0), Q(0), True, (Q(3, 2), Q(-1), Q(2)))
    curve = Curve((first, replace(first, start=end, end=None, closed=(False, False), bend=(Q(1), Q(1), Q(0)))))
    assert table(curve)[1:] == [
        ["0 <= delta <= -1/2 + sqrt(3)", "sqrt(3/2*delta^2 - delta + 2)", "attained"],
        ["delta > -1/2 + sqrt(3)", "sqrt(delta^2 + delta)", "attained"],
    ]
    assert (curve.limit, curve.lines[1].at(Q(1))) == (Root(Q(2)), Root(Q(2)))
    assert isclose(curve.lines[1].near(end), 2.75**0.5)
    assert [curve.lines.index(curve.at(d)) for d in (Q(0), Q(123, 100), Q(124, 100))] == [0, 0, 1]


def test_a_band_has_a_table_of_bounds_rounded_outwards() -> None:
    low, high = (Curve((Line(Q(0), None, (True, False), Q(0), q, False),)) for q in (Q(4, 3), Q(5, 3)))
    band = Band(low, replace(high, lines=(replace(high.lines[0], end=Q(1)), replace(high.lines[0], start=Q(1)))))
    assert table(band) == [
        ["delta", "w(delta) >=", "w(delta) <="],
        ["0", "0", "0"],
        ["1", "1.33333", "1.66667"],
    ]
    assert said(band)["kind"] == "band"
