"""From claims to questions, and from solutions back to named points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from verifier.language.build import NO, YES, Build, Choice, Form, Variable
from verifier.model.claim import Ends
from verifier.model.meaning import Distance, Finite, Meaning, NotYet, Point
from verifier.model.program import PointValue, Program, Value
from verifier.model.roots import Norm, Rows, tangent
from verifier.model.symbolic import Symbolic
from verifier.query import minkowski
from verifier.query.question import Question, Square
from verifier.source.text import NOWHERE
from verifier.syntax import tree

FINEST = 12
"""Polyhedral norms are made no finer than that."""


class Posed(Struct, frozen=True):
    """A question, the names of the points that its inputs make up, and whether it is decided without any engine.

    `impossible`: the bounds of the domain alone contradict the facts. `layout`: the question's variable behind each
    coordinate of
    each point, in order (coordinates that the facts make equal are one variable).
    """

    question: Question
    points: tuple[str, ...]
    program: Program
    layout: tuple[int, ...]
    impossible: bool = False
    roots: tuple[int, ...] = ()
    """The inputs of the builder behind the roots of the question."""

    def read(self, vector: Sequence[Fraction]) -> dict[str, PointValue]:
        """The points of a solution, in the words of the file."""
        return read(self.program, self.points, [vector[i] for i in self.layout])

    def share(self, name: str) -> tuple[int, ...]:
        """The variables of one point."""
        width = len(self.layout) // max(1, len(self.points))
        start = self.points.index(name) * width
        return self.layout[start : start + width]


def read(program: Program, names: Sequence[str], vector: Sequence[Fraction]) -> dict[str, PointValue]:
    """Points by their coordinates, one point after the other."""
    domain, rest = program.domain, iter(vector)
    result: dict[str, PointValue] = {}
    for name in names:
        assert domain is not None
        values: dict[str, Value] = {}
        for c in domain.coordinates:
            if c.kind == "finite":
                values[c.name] = c.members[int(next(rest))]
            elif c.size is None:
                values[c.name] = next(rest)
            else:
                values[c.name] = tuple(next(rest) for _ in range(c.size))
        result[name] = values
    return result


def coordinates(program: Program, point: PointValue) -> list[Fraction]:
    """The inputs of a point, a member by its place."""
    assert program.domain is not None
    found: list[Fraction] = []
    for c in program.domain.coordinates:
        value = point[c.name]
        for entry in value if isinstance(value, tuple) else (value,):
            assert not isinstance(entry, tuple)
            found.append(Fraction(c.members.index(entry)) if isinstance(entry, str) else entry)
    return found


class Poser:
    """Builds the questions of one file: the same named point is the same inputs in all of them.

    Without `folding` a question says all that its facts say, also what the bounds of the domain settle."""

    def __init__(self, program: Program, folding: bool = True) -> None:
        self.program = program
        self.build = Build(folding=folding)
        self.symbolic = Symbolic(program, self.build)
        self._points: dict[str, tuple[Point, list[Form]]] = {}

    def point(self, name: str) -> Point:
        return self._point(name)[0]

    def _point(self, name: str) -> tuple[Point, list[Form]]:
        if name not in self._points:
            assert self.program.domain is not None
            self._points[name] = self.symbolic.point(self.program.domain, name)
        return self._points[name]

    def inputs(self, name: str) -> list[Form]:
        """The inputs that make up a point."""
        return self._point(name)[1]

    def env(self, names: Sequence[str]) -> Mapping[str, Meaning]:
        return {name: self.point(name) for name in names}

    def truth(self, expr: tree.Expr, names: Sequence[str]) -> Form:
        return self.symbolic.truth(expr, self.env(names))

    def in_order(self, compared: tree.Expr, names: Sequence[str]) -> Form:
        """The labels that `left == right`, or `left != right`, compares differ, and the left one comes first. That they
        differ is no more than this where the points of every solution may be swapped."""
        assert isinstance(compared, tree.Chain)
        left, right = (self.symbolic.value(side, self.env(names)) for side in compared.operands)
        assert isinstance(left, Finite) and isinstance(right, Finite)
        return self.symbolic.before(left, right)

    def number(self, expr: tree.Expr, names: Sequence[str]) -> Form:
        return self.symbolic.number(expr, self.env(names))

    def shape(self, expr: tree.Expr, names: Sequence[str]) -> Form:
        """A distance, or where its metric is quadratic a norm of the same topology (Theorems 1*, 1U, 3)."""
        self.symbolic.topological = True
        try:
            return self.number(expr, names)
        finally:
            self.symbolic.topological = False

    def refine(self, posed: Posed, vector: Sequence[Fraction]) -> bool:
        """Enclose the roots more tightly where they are not what they should be. False: they are, or it was of no
        use."""
        values, changed = posed.question.values(tuple(vector)), False
        for i, root in zip(posed.roots, posed.question.roots, strict=True):
            square, there = root.at(values), vector[root.variable]
            if there * there < square:
                forms = [values[n] for _, n in root.terms]
                touching = tangent([w for w, _ in root.terms], forms)
                share = sum((t * f for t, f in zip(touching, forms, strict=True)), Fraction(0))
                if share > there:
                    self.symbolic.tangents[i].append(touching)
                    changed = True
            elif there * there > square:
                fine = self.symbolic.ceilings.get(i, 0)
                if fine < FINEST:
                    self.symbolic.ceilings[i] = 2 * fine or 3
                    changed = True
        return changed

    @contextmanager
    def rooted(self) -> Iterator[None]:
        """Every distance that is a root is an input of its own, not its square."""
        self.symbolic.squared = False
        try:
            yield
        finally:
            self.symbolic.squared = True

    @contextmanager
    def rounded(self, side: Norm, fine: int) -> Iterator[None]:
        """Roots are polyhedral norms that are nowhere above them, or nowhere below."""
        self.symbolic.rounding, self.symbolic.fine = side, fine
        try:
            yield
        finally:
            self.symbolic.rounding = None

    def has_roots(self, forms: Iterable[Form]) -> bool:
        """There are roots in them."""
        return bool(self.build.reach(forms) & self.symbolic.roots.keys())

    def curved(self, expr: tree.Expr, names: Sequence[str]) -> bool:
        """A number with roots in it that is not itself one."""
        value = self.symbolic.value(expr, self.env(names))
        return isinstance(value, Form) and self.has_roots([value])

    def rows(self, expr: tree.Expr, names: Sequence[str]) -> Rows | None:
        """The weights and forms of a distance whose metric is quadratic; None for another number."""
        value = self.symbolic.value(expr, self.env(names))
        return value.rows if isinstance(value, Distance) else None

    def square(self, expr: tree.Expr, names: Sequence[str]) -> Form | None:
        """The square of a distance whose metric is quadratic; None for another number."""
        value = self.symbolic.value(expr, self.env(names))
        return value.square if isinstance(value, Distance) else None

    def differ(self, ends: Ends, names: Sequence[str]) -> Form:
        """The two points differ."""
        left, right = (self.symbolic.value(e, self.env(names)) for e in ends)
        assert isinstance(left, Point) and isinstance(right, Point)
        return self.symbolic.differ(left, right)

    def is_point(self, name: str, declared: str) -> Form:
        """The point is the declared one."""
        there = self.symbolic.value(tree.Name(NOWHERE, declared), {})
        assert isinstance(there, Point)
        return self.build.negate(self.symbolic.differ(self.point(name), there))

    def inside(self, names: Sequence[str]) -> list[Form]:
        return [self.symbolic.inside(self.point(name)) for name in names]

    def pose(
        self,
        names: Sequence[str],
        facts: Sequence[Form],
        numbers: Sequence[Form] = (),
        large: Sequence[Form] = (),
        squares: bool = False,
        roots: bool = False,
    ) -> Posed:
        """Is there a choice of the points (in X) with all `facts`? `squares`: the engine knows l2 distances.
        `roots`: whoever asks knows that roots are only enclosed."""
        inside = self.inside(names) if names and self.program.domain is not None else []
        return self.pose_only(names, [*inside, *facts], numbers, large, squares, roots)

    def pose_only(
        self,
        names: Sequence[str],
        facts: Sequence[Form],
        numbers: Sequence[Form] = (),
        large: Sequence[Form] = (),
        squares: bool = False,
        roots: bool = False,
    ) -> Posed:
        """The same, but only `facts` keep the points in X (besides the closed sides of their intervals)."""
        inputs = [form for name in names for form in self._point(name)[1]]
        wanted = [f for f in dict.fromkeys(facts) if f != YES]
        sums = {**self.symbolic.squares, **self.symbolic.roots}
        within = self.build.reach([*wanted, *numbers, *large])
        reached, rooted = (sorted(within & known.keys()) for known in (self.symbolic.squares, self.symbolic.roots))
        if (reached and not squares) or (rooted and not roots):
            raise NotYet("this use of a distance of the metric l2 or mahalanobis")
        wanted += [f for i in rooted for f in self.symbolic.enclosure(i) if f != YES]
        wanted += map(self.build.at_least_zero, minkowski.bounds({i: self.symbolic.roots[i] for i in rooted}))
        made = [*reached, *rooted]
        weights = [w for i in made for w, _ in sums[i]]
        rows = [form for i in made for _, form in sums[i]]
        images = self._merged(wanted) if self.build.folding else {}
        if images:
            merged = iter(self.build.substitute([*wanted, *numbers, *large, *rows], images))
            wanted, numbers, large, rows = (
                list(islice(merged, len(forms))) for forms in (wanted, numbers, large, rows)
            )
            wanted = [f for f in dict.fromkeys(wanted) if f != YES]
        impossible = NO in wanted
        kept = [form for form in inputs if form.terms[0][0] not in images]
        places = {form: i for i, form in enumerate(kept)}
        layout = tuple(places[images.get(form.terms[0][0], form)] for form in inputs)
        kept += [Form(Fraction(0), ((i, Fraction(1)),)) for i in made]
        circuit, nodes = self.build.circuit([*wanted, *numbers, *large, *rows], kept)
        variables = [self.build.atoms[form.terms[0][0]] for form in kept]
        width = len(inputs) // max(1, len(names))
        mirror: list[int | None] = [None] * len(kept)
        for i in range(width, len(inputs)):
            if layout[i] != layout[i % width]:
                mirror[layout[i]] = layout[i % width]
        n, m = len(wanted), len(wanted) + len(numbers)
        terms = iter(zip(weights, nodes[len(nodes) - len(rows) :], strict=True))
        totals = tuple(
            Square(len(kept) - len(made) + k, tuple(next(terms) for _ in sums[i])) for k, i in enumerate(made)
        )
        question = Question(
            circuit,
            tuple(v for v in variables if isinstance(v, Variable)),
            nodes[:n],
            nodes[n:m],
            nodes[m : len(nodes) - len(rows)],
            tuple(mirror),
            totals[: len(reached)],
            totals[len(reached) :],
        )
        return Posed(question, tuple(names), self.program, layout, impossible, tuple(rooted))

    def _merged(self, facts: Sequence[Form]) -> dict[int, Form]:
        """Inputs that the facts make equal to an earlier input of the same kind and bounds, and that one."""
        atoms: set[Form] = set()
        todo = list(facts)
        while todo:
            form = todo.pop()
            inner = self._logic(form)
            if inner is None:
                atoms.add(form)
            elif inner.otherwise == NO:
                todo += [inner.test, inner.then]
        images: dict[int, Form] = {}
        for form in sorted(atoms, key=lambda f: f.terms):
            if form.constant or [w for _, w in form.terms] != [1, -1] or self.build.scale(-1, form) not in atoms:
                continue
            i, j = (k for k, _ in form.terms)
            if {i, j} & (self.symbolic.squares.keys() | self.symbolic.roots.keys()):
                continue
            a, b = self.build.atoms[i], self.build.atoms[j]
            if isinstance(a, Variable) and isinstance(b, Variable) and replace(a, name=b.name) == b and i not in images:
                images.setdefault(j, Form(Fraction(0), ((i, Fraction(1)),)))
        return images

    def open(self, names: Sequence[str], facts: Sequence[Form]) -> Question:
        """The same coordinates whatever the facts say: these are not asked for together."""
        if self.build.reach(facts) & (self.symbolic.squares.keys() | self.symbolic.roots.keys()):
            raise NotYet("a distance of the metric l2 or mahalanobis where quantifiers alternate")
        inputs = [form for name in names for form in self.inputs(name)]
        circuit, nodes = self.build.circuit(facts, inputs)
        variables = (self.build.atoms[form.terms[0][0]] for form in inputs)
        return Question(circuit, tuple(v for v in variables if isinstance(v, Variable)), nodes)

    def placed(self, entries: Sequence[Form]) -> tuple[Point, Form]:
        """The point with these coordinates, whole where they have to be, and that it lies in X."""
        assert self.program.domain is not None
        return self.symbolic.placed(self.program.domain, entries)

    def margins(self, model: str, names: Sequence[str]) -> list[Form]:
        """The margins of a written decision at the points: a pleasant pair has large ones."""
        classifier = self.program.classifiers[model]
        if classifier.network is not None or classifier.decide is None:
            return []
        found = [self.symbolic.margin(classifier, self.point(name)) for name in names]
        return [m for m in found if isinstance(m, Form) and not m.is_constant]

    # the side conditions of Theorem 1

    def regular(self, distances: Sequence[Form], names: Sequence[str]) -> bool:
        """X is closed and the distances are continuous on every discrete slice, so that the zero-set test decides."""
        return all(self.closed(f) for f in self.inside(names)) and all(self.continuous(d) for d in distances)

    def closed(self, truth: Form) -> bool:
        """Built by `and` and `or` from weak comparisons of continuous forms; comparisons of integers are closed
        either way."""
        todo, seen = [truth], set[Form]()
        while todo:
            form = todo.pop()
            if form in seen or self._discrete([form]):
                continue
            seen.add(form)
            atom = self._logic(form)
            if atom is None:
                if not self.continuous(form):
                    return False
            elif atom.otherwise == NO:
                todo += [atom.test, atom.then]
            elif atom.then == YES:
                todo += [atom.test, atom.otherwise]
            else:
                return False
        return True

    def continuous(self, form: Form) -> bool:
        """Every choice behind the number is a relu, or is made by discrete coordinates alone."""
        todo, seen = [form], set[int]()
        while todo:
            for i, _ in todo.pop().terms:
                atom = self.build.atoms[i]
                if i in seen or not isinstance(atom, Choice):
                    continue
                seen.add(i)
                if atom.is_relu:
                    todo.append(atom.test)
                elif self._discrete([atom.test]):
                    todo += [atom.then, atom.otherwise]
                else:
                    return False
        return True

    def _discrete(self, forms: Sequence[Form]) -> bool:
        atoms = (self.build.atoms[i] for i in self.build.reach(forms))
        return all(atom.integer for atom in atoms if isinstance(atom, Variable))

    def _logic(self, form: Form) -> Choice | None:
        if form.constant == 0 and len(form.terms) == 1 and form.terms[0][1] == 1:
            atom = self.build.atoms[form.terms[0][0]]
            if isinstance(atom, Choice) and atom.logic:
                return atom
        return None
