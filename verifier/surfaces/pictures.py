"""What `verifier plot` draws of answers: where containment fails, the modulus, the distances of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.api import Loaded
from verifier.model.assertion import measure_of, template
from verifier.model.claim import Computation, Infimum
from verifier.model.elaborate import names_in
from verifier.query.piece import Row
from verifier.report.arrangement import drawn
from verifier.report.cells import NoPlane, Plane, Vertex, borders, outline
from verifier.report.charts import Distances, Modulus, Torn
from verifier.report.plot import Marked
from verifier.report.rows import LISTED
from verifier.report.rows import distance as amount_text
from verifier.report.text import irrational
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.verdict.decide import Decider
from verifier.verdict.figure import Band, Curve, Region
from verifier.verdict.verdict import Measurement, Table, size


class NoAnswer(Exception):
    """Why there is nothing to draw: the computation stayed open."""


def measured(loaded: Loaded, text: str, timeout: float) -> Measurement:
    """The value of a measure written in the language."""
    decider = loaded.decider()
    found = decider.compute(measure_of(loaded.program, template(text)), timeout)
    if found.amount is None:
        raise NoAnswer(f"{text} stayed open: {found.why}")
    return found


# where containment fails


def torn(loaded: Loaded, plane: Plane, names: tuple[str, str], timeout: float) -> Torn:
    """The region in the plane, with its rim."""
    said = f"uncontained_region({', '.join(names)})"
    found = measured(loaded, said, timeout)
    region = found.figure
    assert isinstance(region, Region)
    pieces: list[list[tuple[Row, bool]]] = []
    for piece in region.pieces:
        sides = [(plane.restrict(h.row), h.strict) for h in piece]
        if all(r.weights or r.constant > 0 or (r.constant == 0 and not strict) for r, strict in sides):
            pieces.append([(r, strict) for r, strict in sides if r.weights])

    def has(v: Vertex) -> bool:
        return inside(v) and any(
            all((value := r.at(v)) > 0 or (value == 0 and not strict) for r, strict in piece) for piece in pieces
        )

    question = plane.question([])
    met = borders([(c.polygon, True) for c in plane.cells(question)])
    (x0, y0), _, (x1, y1), _ = plane.box

    def inside(v: Vertex) -> bool:
        return x0 <= v[0] <= x1 and y0 <= v[1] <= y1 and question.values(v)[question.facts[0]] >= 0

    domain = outline(met, lambda key: key is True)
    rows = [r for piece in pieces for r, _ in piece]
    marks = {n: plane.drop(p) for n, p in (found.pair.points.items() if found.pair is not None else ())}
    marked = Marked([(n, v) for n, v in marks.items() if v is not None])
    return Torn(said, region.words, plane.axes, domain, drawn(rows, plane.box, has), marked, names)


# the modulus


def modulus(loaded: Loaded, names: tuple[str, str], timeout: float) -> Modulus:
    said = f"modulus_curve({', '.join(names)})"
    curve = measured(loaded, said, timeout).figure
    if isinstance(curve, Band):
        return Modulus(f"{said}, enclosed", curve, names)
    assert isinstance(curve, Curve)
    limit = "infinity" if curve.limit is None else irrational(curve.limit)
    return Modulus(f"{said}: w(0+) = {limit}", curve, names)


# the distances of a data set


def distances(loaded: Loaded, name: str, timeout: float) -> Distances:
    """Of the assertion or compute of this name; without one, the first that has distances of rows."""
    decider = loaded.decider()
    for declaration, claim in loaded.items:
        if (name and declaration.name.id != name) or not about_rows(loaded, declaration.body):
            continue
        match claim:
            case Computation() | Infimum():
                computed = decider.compute(claim, timeout)
                if computed.amount is None and computed.table is None:
                    raise NoAnswer(f"{declaration.name.id} stayed open: {computed.why}")
                table = computed.table
            case _:
                table = decider.decide(claim, timeout).table
        if table is not None and table.nearest:
            return histogram(declaration, table, radius_of(decider, declaration.body))
    what = f"`{name}` gives no distances of the rows" if name else "Nothing in this file gives distances of the rows"
    raise NoPlane(f"{what} of a data set: add for example `compute N: min_distance(f1, f2, D)`.", usage=bool(name))


def about_rows(loaded: Loaded, body: tree.Expr) -> bool:
    """It mentions a data set."""
    return any(name in loaded.program.data for name in names_in(body))


def radius_of(decider: Decider, body: tree.Expr) -> Fraction | None:
    """The radius of `forall row in D: robust_at(..., radius: r)`."""
    inner = body.body if isinstance(body, tree.Quantified) else body
    if isinstance(inner, tree.Apply):
        for argument in inner.arguments:
            if argument.label == "radius":
                value = decider.poser.symbolic.exact(argument.value)
                return value if isinstance(value, Fraction) else None
    return None


def histogram(declaration: tree.Assert | tree.Compute, table: Table, radius: Fraction | None) -> Distances:
    rows: list[tuple[int, Fraction | None]] = []
    for row in table.nearest:
        square = size(row.distance)
        near = row.distance if isinstance(row.distance, Fraction) else None
        if near is None and isinstance(square, Fraction):
            near = Fraction(float(square) ** 0.5)
        rows.append((row.number, near))
    least: Sequence[str] = [
        f"row {row.number} (line {row.line}): {amount_text(row.distance)}" for row in table.nearest[:LISTED]
    ]
    said = f"{declaration.name.id}: {' '.join(unparse(declaration.body).split())}"
    what = f"minimal distance of a row of {table.data}"
    return Distances(said, what, rows, least, len(table.rows), radius)
