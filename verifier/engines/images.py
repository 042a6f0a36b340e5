"""A choice of some coordinates as affine images of the others, such that it stays in a polyhedron: where an equation or
a bound says what a coordinate is, that is put in (Loos and Weispfenning, Applying Linear Quantifier Elimination, 1993).

The image need hold at one point; wherever the sides hold with the images in them, the images are a choice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

from verifier.engines.eliminate import Half, half, plus, scaled, substituted, tidy, weight
from verifier.engines.engine import Vector
from verifier.language.build import Variable
from verifier.query.piece import Row

ONE, HALF = Fraction(1), Fraction(1, 2)


class Images:
    """Of coordinates in a block that begins at `start`; `width` coordinates make a point."""

    def __init__(self, variables: Sequence[Variable], width: int, start: int) -> None:
        self.variables, self.width, self.start = variables, width, start

    def of(self, block: Sequence[int], sides: Sequence[Half], point: Vector) -> tuple[list[Row], list[Half]]:
        """Images of the block, in order, over the coordinates before it, and the sides with them put in; as the sides
        do, these hold at the point."""
        images: dict[int, Row] = {}
        at, rows = list(point), tidy(sides)
        for i in sorted(block, key=lambda i: self.variables[i].integer):
            mine = [h for h in rows if weight(h.row, i)]
            for image in self.candidates(i, mine, rows, at):
                there = [half(substituted(h.row, i, image), h.strict) for h in mine]
                at[i] = image.at(tuple(at))
                if all(h.holds(at) for h in there):
                    break
                at[i] = point[i]
            else:
                raise AssertionError("no image of a coordinate holds at the point")
            images = {j: substituted(row, i, image) for j, row in images.items()} | {i: image}
            if mine:
                rows = [h for h in rows if not weight(h.row, i)] + [h for h in there if h.row.weights]
        return [images[i] for i in block], tidy(rows)

    def candidates(self, i: int, mine: Sequence[Half], rows: Sequence[Half], at: Sequence[Fraction]) -> Iterator[Row]:
        """What input i may be, which `mine` of the rows are about: what an equation says, the same coordinate of an
        earlier point, a bound, a number between or beyond bounds. Images of whole inputs are whole."""
        integer = self.variables[i].integer

        def fits(row: Row) -> bool:
            whole = all(w.denominator == 1 and self.variables[j].integer for j, w in row.weights)
            return (whole and row.constant.denominator == 1) or not integer

        weak = {h.row for h in mine if not h.strict}
        solutions = [(h, solved(h.row, i)) for h in mine]
        equal = [image for h, image in solutions if h.row in weak and h.row.minus() in weak and fits(image)]
        earlier = [j for j in range(i - self.width, -1, -self.width) if j < self.start]
        if any(not row.weights for row in equal):
            known = {h.row for h in rows if not h.strict}
            yield from (coordinate(j) for j in earlier if self.pinned(j, at[j], known))
        yield from equal
        yield from map(coordinate, earlier)
        lows = [(image.at(tuple(at)), h.strict, image) for h, image in solutions if weight(h.row, i) > 0]
        highs = [(image.at(tuple(at)), not h.strict, image) for h, image in solutions if weight(h.row, i) < 0]
        low = max(lows, key=lambda b: b[:2], default=None)
        high = min(highs, key=lambda b: b[:2], default=None)
        ends = [b for b in (low, high) if b is not None]
        yield from (b[2] for b in sorted(ends, key=lambda b: len(b[2].weights)) if fits(b[2]))
        beyond = (moved(b[2], ONE if b is low else -ONE) for b in ends if fits(b[2]))
        if integer:
            yield from beyond
            yield Row((), at[i])
        elif low is not None and high is not None:
            yield scaled(plus(low[2], high[2]), HALF)
        else:
            yield from beyond
            yield Row((), Fraction(0))

    def pinned(self, j: int, value: Fraction, weak: Collection[Row]) -> bool:
        """Sides, or those of the box, leave input j nothing but this value."""
        v, above = self.variables[j], moved(coordinate(j), -value)
        return (v.low == value or above in weak) and (v.high == value or above.minus() in weak)


def boxed(given: Half, variables: Sequence[Variable]) -> bool:
    """It holds all over the box of the inputs."""
    least = given.row.constant
    for i, w in given.row.weights:
        bound = variables[i].low if w > 0 else variables[i].high
        if bound is None:
            return False
        least += w * bound
    return least > 0 or (least == 0 and not given.strict)


def put(sides: Sequence[Half], start: int, images: Sequence[Row]) -> list[Half]:
    """The sides, with images in the place of the inputs from `start` on."""

    def image(row: Row) -> Row:
        total: dict[int, Fraction] = {}
        constant = row.constant
        for i, w in row.weights:
            there = coordinate(i) if i < start else images[i - start]
            constant += w * there.constant
            for j, v in there.weights:
                total[j] = total.get(j, Fraction(0)) + w * v
        return Row(tuple(sorted((j, v) for j, v in total.items() if v)), constant)

    return tidy(half(image(h.row), h.strict) for h in sides)


def coordinate(i: int) -> Row:
    return Row(((i, ONE),), Fraction(0))


def solved(row: Row, i: int) -> Row:
    """What input i is where the row is 0."""
    rest = Row(tuple((j, w) for j, w in row.weights if j != i), row.constant)
    return scaled(rest, -1 / weight(row, i))


def moved(row: Row, by: Fraction) -> Row:
    return Row(row.weights, row.constant + by)
