"""The result as one JSON document, described in docs/reference/json.md: rationals are strings, with floats beside."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from math import isfinite
from platform import python_version

from verifier.language.surd import Surd
from verifier.model.program import PointValue, Value
from verifier.report import parts
from verifier.report.asked import asked_json
from verifier.report.figure import figure_json
from verifier.report.rows import rows_json, summary_json
from verifier.report.text import exact
from verifier.source import Diagnostic
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.verdict.verdict import (
    Certificate,
    Checked,
    Computed,
    FileResult,
    Limit,
    Root,
    Seen,
    Strategy,
    Undecided,
    Witness,
)

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

SCHEMA_VERSION = 1
TOOLS = {"verifier": "strong-robust", "z3": "z3-solver", "sympy": "sympy", "numpy": "numpy", "flint": "python-flint"}


def document(results: Iterable[FileResult], exit_code: int) -> str:
    """One document for all files, without a line break at its end."""
    body: Json = {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(),
        "exit_code": exit_code,
        "files": [file_json(r) for r in results],
    }
    return json.dumps(body, indent=2, allow_nan=False)


def tool() -> dict[str, Json]:
    return {**{name: version(distribution) for name, distribution in TOOLS.items()}, "python": python_version()}


def version(distribution: str) -> str | None:
    """What is installed, by the name of the folder that describes it; `importlib.metadata` knows, too, but it takes as
    long to load as a small question."""
    name = distribution.replace("-", "_")
    for folder in sys.path:
        with suppress(OSError):
            for at in os.listdir(folder or "."):
                if at.endswith(".dist-info") and at.lower().startswith(f"{name}-"):
                    return at.removesuffix(".dist-info")[len(name) + 1 :]
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def file_json(result: FileResult) -> Json:
    return {
        "path": result.path,
        "exit_code": result.exit_code,
        "interrupted": result.interrupted,
        "internal_errors": list(result.internal_errors),
        "diagnostics": [diagnostic_json(d) for d in result.diagnostics],
        "assertions": [assertion_json(a) for a in result.assertions],
        "computed": [computed_json(c) for c in result.computed],
    }


def diagnostic_json(diagnostic: Diagnostic) -> Json:
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "path": span.file,
        "line": span.line,
        "column": span.column,
        "start": span.start,
        "end": span.end,
        "message": diagnostic.message,
        "fix": diagnostic.fix,
    }


def assertion_json(checked: Checked) -> Json:
    verdict = checked.verdict
    return {
        "name": checked.name,
        "property": checked.of,
        "text": checked.text,
        "line": checked.span.line,
        "column": checked.span.column,
        "verdict": checked.word,
        "expected": checked.expected,
        "met": checked.met,
        "vacuous": bool(checked.vacuous),
        "by": None if isinstance(verdict, Undecided) else verdict.by,
        "trusts": [] if isinstance(verdict, Undecided) else list(verdict.trusts),
        "certificate": None if isinstance(verdict, Undecided) else certificate_json(verdict.certificates),
        "seconds": seconds(checked.seconds),
        "reason": verdict.why if isinstance(verdict, Undecided) else checked.vacuous or None,
        "later": isinstance(verdict, Undecided) and verdict.later,
        "notes": [] if isinstance(verdict, Undecided) else list(verdict.notes),
        "warnings": list(checked.warnings),
        "annotations": [
            {"name": a.name.id, "arguments": [annotation_argument(x.value) for x in a.arguments]}
            for a in checked.annotations
        ],
        "pair": witness_json(checked.pair),
        "rows": rows_json(checked.table),
        "rows_summary": summary_json(checked.table),
        "parts": parts.parts_json(checked.pieces),
        "parts_summary": parts.summary_json(checked.pieces),
        "strategy": strategy_json(checked.strategy),
        **asked_json(checked.asked),
    }


def certificate_json(certificates: Sequence[Certificate]) -> Json:
    """What the kernel accepted, and in how many seconds; null where it accepted nothing."""
    if not certificates:
        return None
    return {
        "questions": len(certificates),
        "steps": sum(c.steps for c in certificates),
        "seconds": seconds(sum(c.seconds for c in certificates)),
    }


def strategy_json(strategy: Strategy | None) -> Json:
    """The rules, each for the points `where` its formula holds, or (null) where it works; null where there is no
    strategy."""
    if strategy is None:
        return None
    return [{"where": "true" if r.where == "" else r.where, "choice": r.choice} for r in strategy.rules]


def annotation_argument(value: tree.Expr) -> str:
    return value.value if isinstance(value, tree.Text) else unparse(value)


def computed_json(computed: Computed) -> Json:
    value = computed.value
    close = value if isinstance(value, Fraction) else value.near if isinstance(value, Root) else None
    bounds = computed.result.enclosure
    return {
        "name": computed.name,
        "text": computed.text,
        "line": computed.span.line,
        "column": computed.span.column,
        "value": exact(value) if isinstance(value, Fraction) else None if value is None else str(value),
        "value_float": None if close is None else nearest(close),
        "how": computed.result.how,
        "enclosure": None if bounds is None else [exact(b) for b in bounds],
        "enclosure_float": None if bounds is None else [nearest(b) for b in bounds],
        "notes": list(computed.result.notes),
        "attained": computed.attained,
        "reason": computed.reason or None,
        "trusts": list(computed.trusts),
        "seconds": seconds(computed.seconds),
        "pair": witness_json(computed.pair),
        "rows": rows_json(computed.result.table),
        "rows_summary": summary_json(computed.result.table),
        "figure": figure_json(computed.result.figure),
        **asked_json(computed.asked),
    }


def witness_json(witness: Witness | None) -> Json:
    """`x` and `x'` are the first two points, whatever the file calls them; then `points` has all by their names."""
    if witness is None:
        return None
    points = list(witness.points.items())
    body: dict[str, Json] = {}
    for key, (_, point) in zip(("x", "x'"), points, strict=False):
        body |= {key: point_json(point), f"{key}_float": point_floats(point)}
    if [name for name, _ in points] not in (["x"], ["x", "x'"]):
        body["points"] = {name: point_json(point) for name, point in points}
        body["points_float"] = {name: point_floats(point) for name, point in points}
    for number, kind in (("1", "model"), ("2", "oracle")):
        seen = next((s for s in witness.seen if s.kind == kind), None)
        body |= rational_json(f"d{number}", seen.distance if seen else None)
        body[f"f{number}"] = labels_json(seen) if seen else None
    body["classifiers"] = [seen_json(s) for s in witness.seen]
    body["limit"] = limit_json(witness.limit)
    body["notes"] = list(witness.notes)
    return body


def seen_json(seen: Seen) -> Json:
    return {
        "name": seen.classifier,
        "kind": seen.kind,
        "labels": labels_json(seen),
        "features": [point_json(f) for f in seen.features],
        "features_float": [point_floats(f) for f in seen.features],
        **rational_json("distance", seen.distance),
    }


def labels_json(seen: Seen) -> Json:
    """null for a constant classifier."""
    return list(seen.labels) if any(seen.labels) else None


def limit_json(limit: Limit | None) -> Json:
    if limit is None:
        return None
    body: dict[str, Json] = {}
    for name, point in (("x", limit.x), ("x_end", limit.x_end), ("y", limit.y), ("z", limit.z)):
        body[name] = None if point is None else point_json(point)
        body[f"{name}_float"] = None if point is None else point_floats(point)
    return {
        **body,
        **(rational_json("start", limit.start) if limit.start is not None else {"start": None, "start_float": None}),
        **rational_json("eps", limit.eps),
    }


# Values --------------------------------------------------------------------------------------------------------------


def rational_json(name: str, value: Fraction | Root | Surd | None) -> dict[str, Json]:
    """A root is written `sqrt(p/q)`, a sum of roots `1/2 + 3*sqrt(2)`."""
    if isinstance(value, Root | Surd):
        return {name: str(value), f"{name}_float": nearest(value.near)}
    return {
        name: None if value is None else exact(value),
        f"{name}_float": None if value is None else nearest(value),
    }


def nearest(value: Fraction) -> float | None:
    """The float nearest to `value`; None beyond all floats."""
    try:
        return float(value)
    except OverflowError:
        return None


def seconds(value: float) -> float | None:
    return round(value, 6) if isfinite(value) else None


def point_json(point: PointValue) -> dict[str, Json]:
    return {name: value_json(value) for name, value in point.items()}


def point_floats(point: PointValue) -> dict[str, Json]:
    return {name: value_floats(value) for name, value in point.items()}


def value_json(value: Value) -> Json:
    match value:
        case Fraction():
            return exact(value)
        case str():
            return value
        case _:
            return [value_json(v) for v in value]


def value_floats(value: Value) -> Json:
    """As `value_json`, with floats in the place of rationals; a member of a finite sort stays its name."""
    match value:
        case Fraction():
            return nearest(value)
        case str():
            return value
        case _:
            return [value_floats(v) for v in value]
