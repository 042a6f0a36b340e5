"""Nodes of a circuit as affine forms of its inputs, as far as a branch decides the choices on the way."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from msgspec import Struct

from verifier.kernel.circuit import Affine, Input, Select
from verifier.kernel.ranges import Ranges, Scaled

Form = tuple[Fraction, dict[int, Fraction]]
"""(constant, {input: weight})."""


class Forms(Struct):
    """Of the nodes of a branch, and so of all its parts. `zero`: the tests of relus that are 0 as their tests are at
    most 0, whether they are 0 or less."""

    of: dict[int, Form] = {}
    zero: set[int] = set()

    def copy(self) -> Forms:
        return Forms(self.of.copy(), self.zero.copy())

    def renew(self, ranges: Ranges) -> None:
        """Begin anew where such a test was decided: the kernel takes the other branch then."""
        if any(ranges.outcome(test) for test in self.zero):
            self.of, self.zero = {}, set()

    def expand(self, scaled: Scaled, ranges: Ranges, node: int) -> int | None:
        """Find the form of `node`; the test of a choice that has to be decided first, if there is one: it is a form."""
        forms, todo = self.of, [node]
        while todo:
            n = todo[-1]
            if n in forms:
                todo.pop()
                continue
            at = scaled.circuit[n]
            if isinstance(at, Input):
                forms[n] = Fraction(0), {at.index: Fraction(1)}
                continue
            if isinstance(at, Affine):
                missing = [j for j, _ in at.terms if j not in forms]
                if not missing:
                    total: dict[int, Fraction] = {}
                    constant = at.constant
                    for j, w in at.terms:
                        constant += w * forms[j][0]
                        for i, v in forms[j][1].items():
                            total[i] = total.get(i, Fraction(0)) + w * v
                    forms[n] = constant, {i: w for i, w in total.items() if w}
                todo += missing
                continue
            taken, high = ranges.outcome(at.test), ranges.high[at.test]
            if taken is None and n in scaled.relus and high is not None and high <= 0:
                self.zero.add(at.test)
                taken = False
            if taken is None and at.test in forms:
                return at.test
            target = at.test if taken is None else at.then if taken else at.otherwise
            if target in forms:
                forms[n] = forms[target]
            else:
                todo.append(target)
        return None


def undecided(scaled: Scaled, ranges: Ranges, nodes: Iterable[int]) -> set[int]:
    """The tests of the choices that are open and that the nodes depend on."""
    found, todo = set[int](), [*nodes]
    seen = {*todo}
    while todo:
        match scaled.circuit[todo.pop()]:
            case Affine(terms):
                below = [j for j, _ in terms]
            case Select(test, then, otherwise):
                taken = ranges.outcome(test)
                below = [then, otherwise, test] if taken is None else [then if taken else otherwise]
                found |= {test} if taken is None else set()
            case _:
                below = []
        todo += [j for j in below if j not in seen]
        seen.update(below)
    return found
