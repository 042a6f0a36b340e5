"""The shape of problems and proofs: every index points to an earlier node and every number is exact, so that a circuit
means what `evaluate` says."""

from __future__ import annotations

from fractions import Fraction

from verifier.kernel.circuit import Affine, Circuit, Input, Select
from verifier.kernel.problem import (
    GRAIN,
    Bound,
    Descent,
    Empty,
    Entails,
    Farkas,
    Hole,
    Problem,
    Rejected,
    Row,
    Side,
    Split,
    Tree,
    Zonotope,
)


def well_formed(problem: Problem) -> None:
    """Raises `Rejected` where the problem is none."""
    if type(problem) is Entails:
        _circuit(problem.circuit)
        places(problem.zeros, len(problem.circuit), "zeros")
        places(problem.targets, len(problem.circuit), "targets")
    elif type(problem) is Empty:
        tuple_(problem.box, "the box")
        for side in problem.box:
            if type(side) is not Side or type(side.integer) is not bool:
                raise Rejected("the box: a side is a least and a greatest value, and whether it is whole")
            for bound in (side.low, side.high):
                if bound is not None:
                    rational(bound, "the box")
        _circuit(problem.circuit, len(problem.box))
        places(problem.facts, len(problem.circuit), "facts")
    else:
        raise Rejected("this is no problem")


def _circuit(circuit: Circuit, inputs: int | None = None) -> None:
    tuple_(circuit, "the circuit")
    for place, node in enumerate(circuit):
        match node:
            case Input(index):
                if type(index) is not int or index < 0:
                    raise Rejected(f"node {place}: an input is numbered 0, 1, ...")
                if inputs is not None and index >= inputs:
                    raise Rejected(f"node {place}: the box has only {inputs} sides")
            case Affine():
                _affine(node, place)
            case Select(test, then, otherwise):
                for i in (test, then, otherwise):
                    index_(i, place, f"node {place}")
            case _:
                raise Rejected(f"node {place}: neither an input, an affine form nor a choice")


def _affine(node: Affine, place: int) -> None:
    tuple_(node.terms, f"node {place}: terms")
    for term in node.terms:
        tuple_(term, f"node {place}: a term", 2)
        index_(term[0], place, f"node {place}")
        rational(term[1], f"node {place}")
    rational(node.constant, f"node {place}")


def well_defined(problem: Empty, tree: Tree) -> None:
    """The definitions, gaps and twins of a tree; its steps are looked at one by one."""
    tuple_(tree.definitions, "the definitions")
    for k, node in enumerate(tree.definitions):
        if type(node) is not Affine:
            raise Rejected("a definition is an affine form")
        _affine(node, len(problem.circuit) + k)
    nodes = len(problem.circuit) + len(tree.definitions)
    for what, length, several in (("gap", 2, tree.gaps), ("twin", 3, tree.twins)):
        tuple_(several, f"the {what}s")
        for each in several:
            tuple_(each, f"a {what}", length)
            places(each, nodes, f"a {what}")


def step_formed(step: object, nodes: int, gaps: int) -> None:
    """One step of a tree over so many nodes and gaps."""
    match step:
        case Split(node, value):
            index_(node, nodes, "a cut")
            rational(value, "a cut")
        case Bound(node, value, above, end):
            index_(node, nodes, "a bound")
            rational(value, "a bound")
            if type(above) is not bool or type(end) is not Farkas:
                raise Rejected("a bound has a side, and rows that close the other side")
            step_formed(end, nodes, gaps)
        case Farkas(rows, slopes):
            tuple_(rows, "the rows")
            for row in rows:
                if type(row) is not Row or row.kind not in ("low", "high", "rise", "fall"):
                    raise Rejected("a row is low, high, rise or fall")
                index_(row.place, nodes if row.kind in ("low", "high") else gaps, "a row")
                if type(row.times) is not int or row.times <= 0:
                    raise Rejected("a row is taken a whole, positive number of times")
            tuple_(slopes, "the slopes")
            for slope in slopes:
                tuple_(slope, "a slope")
                if len(slope) not in (2, 3):
                    raise Rejected("a slope has a node, and one number or two")
                node, *shares = slope
                index_(node, nodes, "a slope")
                if any(type(k) is not int or k < 0 for k in shares) or sum(shares) > 1 << GRAIN:
                    raise Rejected(f"a slope is a whole number from 0 to 2^{GRAIN}, two together are no more")
        case Zonotope():
            pass
        case Descent(first, second, pairs):
            places((first, second), nodes, "a descent")
            tuple_(pairs, "the pairs of inputs")
            for pair in pairs:
                tuple_(pair, "a pair of inputs", 2)
        case Hole(name):
            named(name)
        case _:
            raise Rejected("this is no step of a proof")


def named(name: object) -> None:
    if type(name) is not str or len(name) == 0 or len(name) > 200 or not name.isprintable():
        raise Rejected("a hole needs a printable name of at most 200 characters")


def places(nodes: object, bound: int, what: str) -> None:
    """A tuple of nodes."""
    tuple_(nodes, what)
    assert isinstance(nodes, tuple)
    for i in nodes:
        index_(i, bound, what)


def tuple_(value: object, what: str, length: int | None = None) -> None:
    if type(value) is not tuple:
        raise Rejected(f"{what}: not a tuple")
    if length is not None and len(value) != length:
        raise Rejected(f"{what}: {len(value)} instead of {length}")


def index_(value: object, bound: int, what: str) -> None:
    if type(value) is not int or value < 0 or value >= bound:
        raise Rejected(f"{what}: does not point to one of the {bound} nodes before it")


def rational(value: object, what: str) -> None:
    if type(value) is not Fraction:
        raise Rejected(f"{what}: a number that is not rational")
