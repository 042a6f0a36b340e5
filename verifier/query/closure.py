"""Questions made of a question: about the closures of its pieces, and about its numbers. They are plain questions, so
that "there is no such pair", "no distance is smaller" are sentences that the kernel can check.

For Theorems 1* and 1U X×X is cut by the signs of all affine forms that the circuit tests, those of branches not taken
included. Inductively every form is affine where the signs of the earlier ones are fixed: a finite partition into convex
polyhedra on which the distances are affine, as the theorems ask for. The piece of z has the signs that z has; y lies in
its closure iff every form, with the choices of z in it, has the same sign weakly at y (the piece is not empty: z).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor, gcd, lcm

from msgspec.structs import replace

from verifier.kernel.circuit import TRUE, Affine, Input, Select
from verifier.language.build import Variable
from verifier.query.convex import Largest, largest
from verifier.query.grown import Grown
from verifier.query.piece import Row, is_relu, senses
from verifier.query.plain import plain
from verifier.query.question import Question

ONE = Fraction(1)
Point = tuple[Fraction, ...]
Beyond = Callable[[Question, Fraction | None, bool], tuple[Question, ...]]
"""From a question, the value of an extreme, and whether a solution attains it: what then has no solution."""


def limited(
    question: Question, zero: Sequence[Row] = (), above: Sequence[Row] = (), weak: Sequence[Row] = ()
) -> Question:
    """The solutions at which the rows `zero`, over the numbers of the question, are 0, `above` > 0 and `weak` >= 0."""
    grown, numbers = Grown(question.circuit), question.numbers
    facts = [
        *(grown.row(row, numbers, sign) for row in zero for sign in (1, -1)),
        *(grown.negation(grown.row(row, numbers, -1)) for row in above),
        *(grown.row(row, numbers) for row in weak),
    ]
    return replace(question, circuit=tuple(grown.nodes), facts=(*question.facts, *facts))


def off(question: Question, flats: Sequence[Sequence[Row]]) -> Question:
    """The solutions on none of the flats; on a flat all of its rows, over the inputs, are 0."""
    grown = Grown(question.circuit)
    inputs = [grown.node(Input(i)) for i in range(len(question.variables))]
    facts = []
    for rows in flats:
        inside = grown.node(Affine((), TRUE))
        for row in rows:
            for sign in (1, -1):
                inside = grown.both(grown.row(row, inputs, sign), inside)
        facts.append(grown.negation(inside))
    return replace(question, circuit=tuple(grown.nodes), facts=(*question.facts, *facts))


def fixed(question: Question, values: Mapping[int, Fraction]) -> Question:
    """The same with these inputs given."""
    variables = tuple(
        replace(v, low=values[i], high=values[i]) if i in values else v for i, v in enumerate(question.variables)
    )
    return replace(question, variables=variables)


def closure(question: Question, shared: Collection[int] = ()) -> Question:
    """A solution z, and a point y of the closure of its piece; the numbers are those of the piece, at y.

    The inputs are those of z, then those of y: only real ones that are not `shared`, for in all others y equals z.
    """
    grown = Grown(question.circuit)
    moving = [i for i, v in enumerate(question.variables) if not v.integer and i not in shared]
    place = {i: len(question.variables) + k for k, i in enumerate(moving)}
    true, real = senses(question.circuit, question.facts, question.numbers)
    known = set(question.facts)
    at: dict[int, int] = {}  # what a node, with the choices of z in it, is at y
    signs: list[int] = []
    for n, node in enumerate(question.circuit):
        match node:
            case Input(index) if n in true or n in real:
                at[n] = grown.node(Input(place.get(index, index)))
            case Affine(terms, constant) if n in true or n in real:
                at[n] = grown.affine(((at[j], w) for j, w in terms), constant)
            case Select(test, then, otherwise) if n in real:
                own = at[test] if is_relu(question.circuit, node) else test  # of a relu equal: both weak
                at[n] = grown.node(Select(own, at[then], at[otherwise]))
                continue
            case _:
                continue
        if n in true and at[n] != n:
            minus = grown.affine(((at[n], -ONE),))
            signs.append(at[n] if n in known else grown.node(Select(n, at[n], minus)))
    variables = tuple(replace(question.variables[i], name=f"{question.variables[i].name} at y") for i in moving)
    return Question(
        tuple(grown.nodes),
        (*question.variables, *variables),
        (*question.facts, *dict.fromkeys(signs)),
        tuple(at[n] for n in question.numbers),
    )


def apart(question: Question, shared: Collection[int], point: Point) -> tuple[Point, Point]:
    """z and y of a solution of the closure."""
    z = point[: len(question.variables)]
    rest = iter(point[len(z) :])
    kept = (v.integer or i in shared for i, v in enumerate(question.variables))
    return z, tuple(a if keep else next(rest) for a, keep in zip(z, kept, strict=True))


# what has no solution where an engine is right


def number(i: int = 0, minus: Fraction = Fraction(0), sign: int = 1) -> Row:
    """numbers[i] - minus, times the sign."""
    return Row(((i, Fraction(sign)),), -sign * minus)


def torn(question: Question, shared: Collection[int]) -> Question:
    """A limit witness of Theorem 1* (`shared` are the inputs of x) or 1U: numbers[0] = 0 < numbers[1] at y."""
    return limited(closure(question, shared), zero=[number(0)], above=[number(1)])


def bordering(own: Question, shared: Collection[int], x: Point) -> Question:
    """Theorem 3, OWN: numbers[0] = 0 at y, for the x that the `shared` inputs have in the point given."""
    return limited(closure(fixed(own, {i: x[i] for i in shared}), shared), zero=[number(0)])


def smaller(question: Question, value: Fraction | None, attained: bool) -> tuple[Question, ...]:
    """numbers[0] < value, or <= where that is not attained; any solution, where there is no value."""
    if value is None:
        return (question,)
    if (forms := largest(question.circuit, question.numbers[0], len(question.variables))) is not None:
        return (below(plain(question), forms, value, strict=attained),)
    gap = number(0, value, -1)
    return (limited(question, above=[gap]) if attained else limited(question, weak=[gap]),)


def below(question: Question, forms: Largest, value: Fraction, strict: bool) -> Question:
    """The solutions of a plain question at which the largest of `forms` is <= value, or <. There are no choices left of
    the number."""
    grown = Grown(())
    tests = (Variable(f"positive part {k + 1}", Fraction(0)) for k in range(len(forms.tests)))
    variables = (*question.variables, *tests)
    inputs = [grown.node(Input(i)) for i in range(len(variables))]
    places: dict[int, int] = {}
    true, real = senses(question.circuit, question.facts, ())
    for n in sorted(true | real):
        match question.circuit[n]:
            case Input(index):
                places[n] = inputs[index]
            case Affine(terms, constant):
                places[n] = grown.affine(((places[j], w) for j, w in terms), constant)
            case Select(test, then, otherwise):
                places[n] = grown.node(Select(places[test], places[then], places[otherwise]))
    facts = [places[f] for f in question.facts]
    for k, row in enumerate(forms.tests, start=len(question.variables)):
        facts.append(grown.row(Row((*row.minus().weights, (k, ONE)), -row.constant), inputs))
    for row in forms.rows:
        most = step(question, row, value, strict)
        if strict and most is None:
            facts.append(grown.negation(grown.row(Row(row.weights, row.constant - value), inputs)))
        else:
            most = value if most is None else most
            facts.append(grown.row(Row(row.minus().weights, most - row.constant), inputs))
    mirror = (*question.mirror, *(None for _ in forms.tests)) if question.mirror else ()
    return Question(tuple(grown.nodes), variables, tuple(dict.fromkeys(facts)), mirror=mirror)


def step(question: Question, row: Row, value: Fraction, strict: bool) -> Fraction | None:
    """The greatest value <= `value`, or <, that a row over whole inputs may have; None for others."""
    count = len(question.variables)
    if not row.weights or not all(i < count and question.variables[i].integer for i, _ in row.weights):
        return None
    grid = Fraction(gcd(*(w.numerator for _, w in row.weights)), lcm(*(w.denominator for _, w in row.weights)))
    steps = (value - row.constant) / grid
    return row.constant + grid * (ceil(steps) - 1 if strict else floor(steps))


def greater(question: Question, value: Fraction | None, attained: bool) -> tuple[Question, ...]:
    """numbers[0] > value, or >= where that is not attained; nothing is greater than infinity."""
    if value is None:
        return ()
    gap = number(0, value)
    return (limited(question, above=[gap]) if attained else limited(question, weak=[gap]),)


def left_over(question: Question, value: Fraction | None, attained: bool) -> tuple[Question, ...]:
    """A point y of a closure with numbers[0] > value and numbers[1] = 0."""
    if value is None:
        return ()
    return (limited(closure(question), zero=[number(1)], above=[number(0, value)]),)


def steeper(question: Question, value: Fraction | None, attained: bool) -> tuple[Question, ...]:
    """numbers[0] > value * numbers[1]; and equality with numbers[1] > 0, where the value is not attained."""
    if value is None:
        return ()
    slope = Row(((0, ONE), (1, -value)), Fraction(0))
    above = limited(question, above=[slope])
    return (above,) if attained else (above, limited(question, zero=[slope], above=[number(1)]))
