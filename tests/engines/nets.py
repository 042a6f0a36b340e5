"""Questions about small random relu nets, built without the language."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from random import Random

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


def twins(net: Layers, near: Fraction, margin: Fraction) -> Question:
    """Two points of [-1, 1]^n that differ by at most `near` in each coordinate, each with the net's first output ahead
    of the second, or behind it, by `margin`."""
    build = Build()
    count = len(net[0][0][0])
    both = box(build, 2 * count)
    x, y = both[:count], both[count:]
    (a, b), (c, d) = output(build, net, x), output(build, net, y)
    shift = build.constant(near)
    facts = [
        build.at_least_zero(build.subtract(shift, form))
        for u, v in zip(x, y, strict=True)
        for form in (build.subtract(u, v), build.subtract(v, u))
    ]
    ahead = build.at_least_zero(build.add(a, build.scale(-1, b), build.constant(-margin)))
    behind = build.at_least_zero(build.add(d, build.scale(-1, c), build.constant(-margin)))
    return asked(build, both, [*facts, ahead, behind])


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
