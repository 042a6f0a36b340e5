"""What a case search makes of a circuit and its facts, whatever the box: kept from one question to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

from verifier.engines.slopes import descents
from verifier.engines.twins import twins
from verifier.kernel.circuit import Affine, Input, Select
from verifier.kernel.problem import Descent
from verifier.kernel.ranges import Scaled, grain
from verifier.query.piece import senses
from verifier.query.question import Question

DEEP = 4
"""Of so many layers, a network has new bounds on every branch: what intervals lose grows from layer to layer. A trial
of a cut tells there only whether it closes a side."""
LATER = 0.25
"""There a cut counts so much less from layer to layer: after one of the first layers, all others have new ranges."""
SEVERAL = 2
"""So many layers of jumps are several."""
MANIFOLD = 2
"""More formulas a relu are many."""

if TYPE_CHECKING:
    from verifier.engines.falsify import Landscape
    from verifier.engines.relaxation import Floats
    from verifier.engines.sweep import Sweep


class Plan:
    """A circuit and its facts, read once."""

    def __init__(self, question: Question) -> None:
        self.question = question
        true, self.real = senses(question.circuit, question.facts, ())
        self.formulas = {n for n in true if isinstance(question.circuit[n], Affine)}
        self.twins = twins(question, self.real, self.formulas)
        self.scaled = Scaled((*question.circuit, *self.twins.definitions), question.empty.box, self.twins.gaps)
        self.logic = sorted((n for n in true if n in self.scaled.select), reverse=True)
        self.inputs = {
            node.index: n for n, node in reversed(list(enumerate(question.circuit))) if isinstance(node, Input)
        }

    @cached_property
    def tests(self) -> list[tuple[int, int, int]]:
        """For every gap what its two relus are the relus of, and their difference."""
        ends = [(self.scaled.circuit[rise], run) for rise, run in self.twins.gaps]
        select = self.scaled.select
        return [
            (select[rise.terms[0][0]][0], select[rise.terms[1][0]][0], run)
            for rise, run in ends
            if isinstance(rise, Affine)
        ]

    @cached_property
    def layers(self) -> list[list[int]]:
        """Inputs, and the tests of relus layer by layer."""
        scaled = self.scaled
        tests = {scaled.select[n][0] for n in scaled.relus & self.real}
        inputs = set(self.inputs.values())
        levels = sorted({scaled.level[n] for n in tests})
        return [sorted(inputs), *([n for n in sorted(tests - inputs) if scaled.level[n] == level] for level in levels)]

    @cached_property
    def bounded(self) -> list[list[int]]:
        """What linear programs find ranges for: inputs, and the tests of relus layer by layer. Where jumps make up
        several layers, their tests and sides as well."""
        scaled, depth, ends = self.scaled, list[int](), set[int]()
        for n, node in enumerate(scaled.circuit):
            if isinstance(node, Affine):
                depth.append(max((depth[j] for j, _ in node.terms), default=0))
            elif isinstance(node, Select):
                below = (node.test, node.then, node.otherwise)
                depth.append(max(depth[j] for j in below) + (n in self.real))
                if n in self.real - scaled.relus and node.test not in scaled.select:
                    ends |= {j for j in below if depth[j] and j in scaled.affine}
            else:
                depth.append(0)
        inputs, *layers = self.layers
        if max((depth[n] for n in ends), default=0) < SEVERAL:
            return [inputs, *layers]
        wanted = {n for layer in layers for n in layer} | ends
        return [inputs, *(sorted(n for n in wanted if depth[n] == k) for k in sorted({depth[n] for n in wanted}))]

    @cached_property
    def hubs(self) -> list[int]:
        """The tests of relus, the most frequent first, where formulas mention them time and again: to know them tells
        most about the formulas. (Of a point that lies in none of many cells, say.)"""
        select, circuit = self.scaled.select, self.scaled.circuit
        times = {select[n][0]: 0 for n in self.scaled.relus & self.real}
        for part in (p for n in self.logic for p in {*select[n][:2], select[n][3]} & self.formulas):
            node = circuit[part]
            assert isinstance(node, Affine)
            test = node.terms[0][0] if len(node.terms) == 1 and not node.constant else part  # or of the other sign
            if test in times:
                times[test] += 1
        often = sum(times.values()) > MANIFOLD * len(times)
        return sorted(times, key=lambda test: -times[test]) if often else []

    @cached_property
    def descents(self) -> list[Descent]:
        """What has to fall from the first point to the second where two formulas hold."""
        return descents(self.scaled, self.formulas, self.question.mirror)

    @cached_property
    def corners(self) -> list[int]:
        """Whole inputs that weigh what choices of numbers lie between, and that no test of one looks at: in a question
        of slopes they tell the direction."""
        select = {n: self.scaled.select[n] for n in self.real if n in self.scaled.select}
        tests = self.made_of(test for test, *_ in select.values())
        sides = self.made_of(j for n, at in select.items() if n not in self.scaled.relus for j in (at[1], at[3]))
        return [n for i, n in self.inputs.items() if self.scaled.box[i].integer and n in sides - tests]

    def made_of(self, nodes: Iterable[int]) -> set[int]:
        """The nodes, and what they are made of."""
        todo, seen = [*nodes], set[int]()
        while todo:
            if (n := todo.pop()) not in seen:
                seen.add(n)
                test, then, _, otherwise, _ = self.scaled.select.get(n, (n, n, 1, n, 1))
                todo += (test, then, otherwise, *(j for j, _ in self.scaled.affine.get(n, ((), 0))[0]))
        return seen

    @cached_property
    def deep(self) -> bool:
        """The relus lie in so many layers."""
        _, *layers = self.layers
        return len(layers) >= DEEP

    @cached_property
    def preference(self) -> dict[int, float]:
        """What a cut of the test of a relu counts."""
        later = LATER if self.deep else 1.0
        return {test: later**k for k, layer in enumerate(self.layers) for test in layer}

    def point(self, column: Mapping[int, int], values: Floats) -> Floats:
        """The inputs, from the columns of a linear relaxation."""
        import numpy as np

        found = [float(v.low or v.high or 0) for v in self.question.variables]
        for i, n in self.inputs.items():
            found[i] = values[column[n]]
        return np.array(found)

    @cached_property
    def sweeps(self) -> list[tuple[Sweep, list[int]]]:
        """The tests, and the runs of gaps, layer by layer from the second: in the first, intervals are exact."""
        from verifier.engines.sweep import Sweep

        scaled, apart = self.scaled, [node for _, _, node in self.twins.inputs]
        tests = {n for layer in self.layers[1:] for n in layer} & scaled.affine.keys()
        layers = []
        for nodes, differences in ((tests, False), ({*scaled.spans.values()}, True)):
            sweep = Sweep(scaled, nodes, differences, apart)
            for level in {scaled.level[n] for n in nodes} - {0}:
                layers.append((level, differences, sweep, sorted(n for n in nodes if scaled.level[n] == level)))
        return [(sweep, nodes) for _, _, sweep, nodes in sorted(layers, key=lambda layer: layer[:2])]

    @cached_property
    def landscape(self) -> Landscape:
        from verifier.engines.falsify import Landscape

        return Landscape(self.question)

    def fits(self, question: Question) -> bool:
        """It is a plan for this question, but for the box; and that has sides of the same grain."""
        if question.circuit is not self.question.circuit or question.facts != self.question.facts:
            return False
        sides = question.empty.box
        return all(grain(sides[i]) == self.scaled.unit[n] for i, n in self.inputs.items())

    def within(self, question: Question) -> Scaled:
        """The circuit over the box of the question."""
        scaled = copy(self.scaled)
        scaled.box = question.empty.box
        return scaled
