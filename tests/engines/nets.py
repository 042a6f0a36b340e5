"""Questions about small random relu nets, built without the language."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from random import Random

from msgspec.structs import replace

from verifier.language.build import Build, Form, Variable
from verifier.query.question import Question

Layers = list[tuple[list[list[Fraction]], list[Fraction]]]


def layers(random: Random, widths: Sequence[int], grain: int = 8) -> Layers:
    """Random weights and biases in [-1, 1], multiples of 1 / grain, for each pair of neighbouring widths."""

    def number() -> Fraction:
        return Fraction(random.randint(-grain, grain), grain)

    return [
        ([[number() for _ in range(a)] for _ in range(b)], [number() for _ in range(b)]) for a, b in pairwise(widths)
    ]


def output(build: Build, net: Layers, values: Sequence[Form]) -> list[Form]:
    """The outputs of the net; a relu after every layer but the last."""
    for k, (weights, bias) in enumerate(net):
        values = [
            build.combine(((w, v) for w, v in zip(row, values, strict=True)), constant)
            for row, constant in zip(weights, bias, strict=True)
        ]
        if k + 1 < len(net):
            values = [build.relu(v) for v in values]
    return list(values)


def asked(build: Build, inputs: Sequence[Form], facts: Sequence[Form]) -> Question:
    """Whether all facts can hold."""
    circuit, nodes = build.circuit(facts, inputs)
    variables = tuple(v for form in inputs if isinstance(v := build.atoms[form.terms[0][0]], Variable))
    return Question(circuit, variables, nodes)


def box(build: Build, count: int, integers: int = 0) -> list[Form]:
    """Inputs in [-1, 1], and then whole ones in [-3, 3]."""
    reals = [build.input(Variable(f"x{i}", Fraction(-1), Fraction(1))) for i in range(count)]
    whole = [build.input(Variable(f"n{i}", Fraction(-3), Fraction(3), integer=True)) for i in range(integers)]
    return [*reals, *whole]


def twins(net: Layers, near: Fraction, margin: Fraction, mirrored: bool = False, integers: int = 0) -> Question:
    """Two points of [-1, 1]^n (and of [-3, 3] in the last `integers` coordinates) that differ by at most `near` in each
    coordinate, each with the net's first output ahead of the second, or behind it, by `margin`. Of more outputs: with
    any one ahead of all others at the first, and any other at the second. `mirrored`: the question says so."""
    build = Build()
    count = len(net[0][0][0])
    sides = [box(build, count - integers, integers) for _ in "xy"]
    (x, y), shift = sides, build.constant(near)
    outputs = [output(build, net, side) for side in sides]
    facts = [
        build.at_least_zero(build.subtract(shift, form))
        for u, v in zip(x, y, strict=True)
        for form in (build.subtract(u, v), build.subtract(v, u))
    ]

    def ahead(scores: Sequence[Form], k: int) -> Form:
        others = (form for j, form in enumerate(scores) if j != k)
        leads = (build.add(scores[k], build.scale(-1, form), build.constant(-margin)) for form in others)
        return build.both(*map(build.at_least_zero, leads))

    a, b = outputs
    if len(a) == 2:
        facts += [ahead(a, 0), ahead(b, 1)]
    else:
        facts += [
            build.either(*(ahead(a, k) for k in range(len(a)))),
            build.either(*(ahead(b, k) for k in range(len(b)))),
            *(build.negate(build.both(ahead(a, k), ahead(b, k))) for k in range(len(a))),
        ]
    q = asked(build, [*x, *y], facts)
    return replace(q, mirror=(*[None] * count, *range(count))) if mirrored else q


def another_wins(net: Layers, winner: int, lead: Fraction) -> Question:
    """A point of [-1, 1]^n at which some output is at least all others, and `lead` above the `winner`."""
    build = Build()
    inputs = box(build, len(net[0][0][0]))
    y = output(build, net, inputs)

    def wins(k: int) -> Form:
        ahead = [build.subtract(y[k], y[j]) for j in range(len(y)) if j not in (k, winner)]
        most = build.subtract(build.subtract(y[k], y[winner]), build.constant(lead))
        return build.both(*map(build.at_least_zero, [most, *ahead]))

    return asked(build, inputs, [build.either(*(wins(k) for k in range(len(y)) if k != winner))])
