"""Exact polygons: a plane through the domain, cut into the convex cells on which every number is affine and every label
constant. All coordinates are rationals; nothing is sampled."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from msgspec import Struct

from verifier.language.build import NO, Form, Variable
from verifier.model.meaning import numbers
from verifier.model.program import PointValue, Program, Value
from verifier.query.piece import Row, piece_of
from verifier.query.pose import Poser
from verifier.query.question import Question
from verifier.source.closest import suggestion
from verifier.syntax import tree
from verifier.syntax.format import unparse

MOST = 20_000
"""More cells than this are no picture any more."""

Vertex = tuple[Fraction, Fraction]
Polygon = tuple[Vertex, ...]
"""Vertices, counter-clockwise. Two are a segment, one is a point, none is nothing."""

K = TypeVar("K")


class NoPlane(Exception):
    """Why there is no plane to draw; `usage`: the command is to blame, not the file."""

    def __init__(self, why: str, usage: bool = False) -> None:
        super().__init__(why)
        self.usage = usage


# polygons


def clip(polygon: Polygon, row: Row) -> Polygon:
    """The part of a convex polygon (or segment, or point) with row >= 0."""
    values = [row.at(v) for v in polygon]
    kept: list[Vertex] = []
    for i, (a, va) in enumerate(zip(polygon, values, strict=True)):
        b, vb = polygon[(i + 1) % len(polygon)], values[(i + 1) % len(polygon)]
        if va >= 0:
            kept.append(a)
        if va * vb < 0:
            s = va / (va - vb)
            kept.append((a[0] + s * (b[0] - a[0]), a[1] + s * (b[1] - a[1])))
    return tuple(v for i, v in enumerate(kept) if v not in kept[:i])


def area(polygon: Polygon) -> Fraction:
    pairs = zip(polygon, (*polygon[1:], *polygon[:1]), strict=True)
    return sum(((a[0] * b[1] - a[1] * b[0]) / 2 for a, b in pairs), Fraction(0))


def centre(polygon: Polygon) -> Vertex:
    """The mean of the vertices: a point of the (relative) interior."""
    n = len(polygon)
    return sum((v[0] for v in polygon), Fraction(0)) / n, sum((v[1] for v in polygon), Fraction(0)) / n


# cells


class Cell(Struct, frozen=True):
    """A convex polygon of positive area; in its interior the facts of the question are `truths` and its numbers the
    affine `rows`. (On its border the neighbours may have the say.)"""

    polygon: Polygon
    truths: tuple[bool, ...]
    rows: tuple[Row, ...]


def cells(question: Question, box: Polygon) -> list[Cell]:
    """The box, split by the tests on the way of an interior point until one way is left everywhere."""
    found: list[Cell] = []
    todo = [box] if area(box) > 0 else []
    while todo:
        polygon = todo.pop()
        inner = centre(polygon)
        piece = piece_of(question, inner)
        for row in (*piece.weak, *piece.strict):
            signs = [row.at(v) for v in polygon]
            if min(signs) < 0 < max(signs):
                todo += [clip(polygon, row), clip(polygon, row.minus())]
                break
        else:
            values = question.values(inner)
            found.append(Cell(polygon, tuple(values[f] >= 0 for f in question.facts), piece.numbers))
        if len(found) + len(todo) > MOST:
            raise NoPlane(f"There are more than {MOST} pieces: too many to draw. Draw a smaller slice or model.")
    return found


def fibre(question: Question, cell: Cell, fixed: Mapping[int, Fraction]) -> Polygon:
    """The part of a cell where the numbers of these indices have these values; what belongs to a neighbour (at a jump)
    is left to it."""
    polygon = cell.polygon
    for i, value in fixed.items():
        row = Row(cell.rows[i].weights, cell.rows[i].constant - value)
        polygon = clip(clip(polygon, row), row.minus())
        if not polygon:
            return ()
    inner = centre(polygon)
    values = question.values(inner)
    mine = all(values[n] == row.at(inner) for n, row in zip(question.numbers, cell.rows, strict=True))
    return polygon if mine else ()


def maximal(pieces: Sequence[Polygon]) -> list[Polygon]:
    """The pieces without the single points that lie on another one."""
    wide = [p for p in pieces if len(p) > 1]
    points = {p[0] for p in pieces if len(p) == 1}
    return [*wide, *((p,) for p in sorted(points) if not any(on(p, w) for w in wide))]


def on(point: Vertex, polygon: Polygon) -> bool:
    """The point lies on the side of a polygon."""
    for a, b in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
        u, v = (b[0] - a[0], b[1] - a[1]), (point[0] - a[0], point[1] - a[1])
        if u[0] * v[1] == u[1] * v[0] and 0 <= u[0] * v[0] + u[1] * v[1] <= u[0] * u[0] + u[1] * u[1]:
            return True
    return False


def image(polygon: Polygon, rows: Sequence[Row]) -> tuple[tuple[Fraction, ...], ...]:
    """The vertices of the image under an affine map, each once."""
    return tuple(dict.fromkeys(tuple(row.at(v) for row in rows) for v in polygon))


# borders


class Border(Struct, frozen=True):
    """A segment with what lies to its left and to its right (None: nothing)."""

    start: Vertex
    end: Vertex
    left: object
    right: object


def borders(regions: Iterable[tuple[Polygon, object]]) -> list[Border]:
    """Where two polygons of a partition with different keys meet, or one ends."""
    lines: dict[tuple[Fraction, Fraction, Fraction], list[tuple[Vertex, Vertex, object]]] = defaultdict(list)
    for polygon, key in regions:
        for a, b in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
            dx, dy = b[0] - a[0], b[1] - a[1]
            dx, dy = (Fraction(1), dy / dx) if dx else (Fraction(0), Fraction(1))
            lines[dx, dy, a[1] * dx - a[0] * dy].append((a, b, key))
    found: list[Border] = []
    for edges in lines.values():
        ends = sorted({v for a, b, _ in edges for v in (a, b)})
        left: list[object] = [None] * len(ends)
        right: list[object] = [None] * len(ends)
        for a, b, key in edges:
            side = left if a < b else right
            for i in range(bisect_left(ends, min(a, b)), bisect_left(ends, max(a, b))):
                side[i] = key
        start = 0
        for i in range(len(ends) - 1):
            if i + 2 < len(ends) and (left[i + 1], right[i + 1]) == (left[i], right[i]):
                continue
            if left[i] != right[i]:
                found.append(Border(ends[start], ends[i + 1], left[i], right[i]))
            start = i + 1
    return found


def outline(found: Iterable[Border], wanted: Callable[[object], bool]) -> list[Polygon]:
    """The closed lines around the union of the wanted regions, which lies to their left."""
    after: dict[Vertex, list[Vertex]] = defaultdict(list)
    for border in found:
        inside, outside = (key is not None and wanted(key) for key in (border.left, border.right))
        if inside and not outside:
            after[border.start].append(border.end)
        elif outside and not inside:
            after[border.end].append(border.start)
    loops: list[Polygon] = []
    while after:
        start = here = next(iter(after))
        loop: list[Vertex] = []
        while True:
            loop.append(here)
            following = after[here].pop()
            if not after[here]:
                del after[here]
            here = following
            if here == start:
                break
        loops.append(straight(loop))
    return loops


def straight(loop: Sequence[Vertex]) -> Polygon:
    """The loop without vertices in the middle of a side."""
    kept = []
    for i, v in enumerate(loop):
        a, b = loop[i - 1], loop[(i + 1) % len(loop)]
        if (v[0] - a[0]) * (b[1] - v[1]) != (v[1] - a[1]) * (b[0] - v[0]):
            kept.append(v)
    return tuple(kept)


# the plane


class Plane:
    """Two real coordinates of a domain; the others are fixed, or are affine in these two.

    `fixed`: coordinate (`a`, `x[0]`) -> expression.
    """

    def __init__(self, program: Program, fixed: Mapping[str, tree.Expr]) -> None:
        if program.domain is None:
            raise NoPlane("A picture needs a domain, a model and an oracle.")
        self.program = program
        self.poser = Poser(program)
        self.point = self.poser.point("x")
        self.build = self.poser.build
        self.domain = program.domain
        self._inputs = self.poser.inputs("x")
        self._flat = [
            (c, c.name if c.size is None else f"{c.name}[{i}]")
            for c in program.domain.coordinates
            for i in range(c.size or 1)
        ]
        self._images = self._resolved({self._index(name): self._image(name, e) for name, e in fixed.items()})
        free = [i for i, form in enumerate(self._inputs) if form.terms[0][0] not in self._images]
        self._demand_two(free)
        self.free = [self._inputs[i] for i in free]
        self.axes = tuple(self._flat[i][1] for i in free)
        self.box = self._box(free)
        self.facts = [f for i, form in enumerate(self._inputs) if i not in free for f in self._within(i, form)]
        if NO in self.facts:
            raise NoPlane(f"The slice does not meet {self.domain.name}.", usage=True)

    def _index(self, name: str) -> int:
        names = [flat for _, flat in self._flat]
        if name not in names:
            raise NoPlane(f"There is no coordinate `{name}`. {suggestion(name, names, 'There are:')}", usage=True)
        return names.index(name)

    def _image(self, name: str, expr: tree.Expr) -> Form:
        coordinate = self._flat[self._index(name)][0]
        if coordinate.kind == "finite":
            if not isinstance(expr, tree.Name) or expr.id not in coordinate.members:
                members = ", ".join(coordinate.members)
                raise NoPlane(f"`{name}` is one of {members}: fix it with `--slice {name}=...`.", usage=True)
            return self.build.constant(coordinate.members.index(expr.id))
        form = self.poser.symbolic.number(expr, self.point.values)
        if any(not isinstance(self.build.atoms[i], Variable) for i, _ in form.terms):
            raise NoPlane(f"A slice is flat: `{unparse(expr)}` has a bend.", usage=True)
        if coordinate.kind == "int" and (form.terms or form.constant.denominator != 1):
            raise NoPlane(f"`{name}` is an integer: fix it with `--slice {name}=0`, say.", usage=True)
        return form

    def _resolved(self, images: Mapping[int, Form]) -> dict[int, Form]:
        """The images in terms of the free inputs."""
        atoms = {self._inputs[i].terms[0][0]: form for i, form in images.items()}
        for _ in atoms:
            atoms = {i: self.build.substitute([form], atoms)[0] for i, form in atoms.items()}
        if any(j in atoms for form in atoms.values() for j, _ in form.terms):
            raise NoPlane("The slice defines coordinates by each other in a circle.", usage=True)
        return atoms

    def _demand_two(self, free: Sequence[int]) -> None:
        names = [self._flat[i][1] for i in free]
        other = [n for i, n in zip(free, names, strict=True) if self._flat[i][0].kind != "real"]
        if other:
            raise NoPlane(f"Only real coordinates can be drawn; fix the others: {example(self, other)}.")
        if len(free) > 2:
            surplus = len(free) - 2
            say = f"fix {surplus} of them, for example {example(self, names[2:])}"
            raise NoPlane(f"A picture has two dimensions, and {len(free)} are free ({', '.join(names)}): {say}.")
        if len(free) < 2:
            raise NoPlane(
                f"A picture needs two free real coordinates; here there {'is one' if free else 'are none'}"
                f"{f' ({names[0]})' if free else ''}."
            )

    def _box(self, free: Sequence[int]) -> Polygon:
        sides = []
        for i in free:
            c = self._flat[i][0]
            if c.low is None or c.high is None:
                raise NoPlane(f"`{self._flat[i][1]}` is unbounded: a picture needs an interval on both sides.")
            sides.append((c.low, c.high))
        (a, b), (c_, d) = sides
        return ((a, c_), (b, c_), (b, d), (a, d))

    def _within(self, index: int, form: Form) -> list[Form]:
        c, there = self._flat[index][0], self._images[form.terms[0][0]]
        if c.kind == "finite":
            return []
        facts = []
        if c.low is not None:
            facts.append(self.build.at_least_zero(self.build.subtract(there, self.build.constant(c.low))))
        if c.high is not None:
            facts.append(self.build.at_least_zero(self.build.subtract(self.build.constant(c.high), there)))
        return facts

    def question(self, facts: Sequence[Form], numbers: Sequence[Form] = ()) -> Question:
        """Facts and numbers about the point, over the two free coordinates. The first fact is: the point lies in X."""
        inside = self.build.substitute([self.poser.symbolic.inside(self.point)], self._images)[0]
        roots = [self.build.both(*self.facts, inside), *self.build.substitute([*facts, *numbers], self._images)]
        circuit, nodes = self.build.circuit(roots, self.free)
        variables = [self.build.atoms[form.terms[0][0]] for form in self.free]
        n = 1 + len(facts)
        return Question(circuit, tuple(v for v in variables if isinstance(v, Variable)), nodes[:n], nodes[n:])

    def restrict(self, row: Row) -> Row:
        """A form of all coordinates, entry by entry, as one of the two free ones."""
        terms = ((w, self._images.get(self._inputs[i].terms[0][0], self._inputs[i])) for i, w in row.weights)
        form = self.build.combine(terms, row.constant)
        places = {f.terms[0][0]: k for k, f in enumerate(self.free)}
        return Row(tuple(sorted((places[i], w) for i, w in form.terms)), form.constant)

    def cells(self, question: Question) -> list[Cell]:
        """The cells inside of X."""
        found = [c for c in cells(question, self.box) if c.truths[0]]
        if not found:
            raise NoPlane(f"The slice meets {self.domain.name} in no area.", usage=True)
        return found

    def labels(self, name: str) -> tuple[tuple[str, ...], tuple[Form, ...]]:
        """The labels of a classifier, and when it gives each."""
        label = self.poser.symbolic.label(self.program.classifiers[name], self.point)
        return label.members, label.cases

    def features(self, name: str) -> list[tuple[str, Form]]:
        """The entries of a classifier's features, with their names."""
        values = self.poser.symbolic.features(self.program.classifiers[name], self.point)
        found = []
        for feature, value in values.items():
            entries = numbers(value)
            found += [(feature if len(entries) == 1 else f"{feature}[{i}]", e) for i, e in enumerate(entries)]
        return found

    def ball(self, name: str, point: PointValue, radius: Fraction, closed: bool) -> Form | None:
        """d(g point, g .) < radius, or <=; None for a round ball."""
        symbolic = self.poser.symbolic
        there = symbolic.concrete(self.domain, point)
        classifier = self.program.classifiers[name]
        form = symbolic.ball(classifier, there, self.point, None, self.build.constant(radius), closed)
        return None if self.build.reach([form]) & (symbolic.squares.keys() | symbolic.roots.keys()) else form

    def lift(self, vertex: Vertex) -> PointValue:
        """The point of X over a point of the plane."""
        atoms = {form.terms[0][0]: v for form, v in zip(self.free, vertex, strict=True)}
        flat = []
        for form in self._inputs:
            there = self._images.get(form.terms[0][0], form)
            flat.append(sum((w * atoms[i] for i, w in there.terms), there.constant))
        values: dict[str, Value] = {}
        rest = iter(flat)
        for c in self.domain.coordinates:
            if c.kind == "finite":
                values[c.name] = c.members[int(next(rest))]
            else:
                values[c.name] = next(rest) if c.size is None else tuple(next(rest) for _ in range(c.size))
        return values

    def drop(self, point: PointValue) -> Vertex | None:
        """The point of the plane under a point of X; None when it lies off the plane."""
        flat: dict[str, Fraction] = {}
        for c in self.domain.coordinates:
            value = point[c.name]
            if isinstance(value, tuple):
                flat |= {f"{c.name}[{i}]": v for i, v in enumerate(value) if isinstance(v, Fraction)}
            elif isinstance(value, Fraction):
                flat[c.name] = value
        vertex = (flat[self.axes[0]], flat[self.axes[1]])
        return vertex if self.lift(vertex) == point else None


def example(plane: Plane, names: Sequence[str]) -> str:
    """`--slice` options that fix these coordinates."""
    parts = []
    for name in names:
        c = plane._flat[plane._index(name)][0]
        value = c.members[0] if c.kind == "finite" else str(c.low if c.low is not None else c.high or 0)
        parts.append(f"{name}={value}")
    return f'--slice "{",".join(parts)}"'
