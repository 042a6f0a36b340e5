"""The circuit under construction: affine forms over shared, normalised choice nodes.

Smart constructors keep the piecewise-linear normal form as they go: constants fold, guards that the bounds of the
inputs decide vanish,
a continuous choice becomes a multiple of `relu(u)` with a primitive integer `u` whose first coefficient is positive
(`relu(2x - 2y)` is `2 relu(x - y)`, `relu(-u) = relu(u) - u`), and equal nodes are one node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

from msgspec import Struct

from verifier.kernel.circuit import FALSE, TRUE, Affine, Circuit, Input, Node, Select


class Form(Struct, frozen=True, cache_hash=True):
    """constant + sum of weight * atom; atoms are inputs and choices, in ascending order, weights never 0."""

    constant: Fraction
    terms: tuple[tuple[int, Fraction], ...] = ()

    @property
    def is_constant(self) -> bool:
        return not self.terms


class Variable(Struct, frozen=True):
    """An input. `low`/`high` None: unbounded. They bound the closure: open sides are facts of the domain besides."""

    name: str
    low: Fraction | None = None
    high: Fraction | None = None
    integer: bool = False


class Choice(Struct, frozen=True, cache_hash=True):
    """The atom behind `Select`: `then` where `test` >= 0, else `otherwise`. A `logic` choice is a formula: only its
    sign matters."""

    test: Form
    then: Form
    otherwise: Form
    logic: bool = False

    @property
    def is_relu(self) -> bool:
        return not self.logic and self.then == self.test and self.otherwise == ZERO

    @property
    def is_not(self) -> bool:
        return self.logic and (self.then, self.otherwise) == (NO, YES)


Bound = Fraction | None
BITS = 100_000
ZERO, ONE = Form(Fraction(0)), Form(Fraction(1))
YES, NO = Form(TRUE), Form(FALSE)


class TooLarge(Exception):
    """The graph passed its cap on nodes; elaboration turns this into a diagnostic."""


class Build:
    """A growing circuit. Forms are values of this builder and mean nothing in another one.

    Without `folding`, bounds of the inputs settle no test: what they say is left to a proof."""

    def __init__(self, cap: int = 60_000, folding: bool = True) -> None:
        self.folding = folding
        self.atoms: list[Variable | Choice] = []
        self.lows: list[Bound] = []
        self.highs: list[Bound] = []
        self._index: dict[Choice, int] = {}
        self._bounds: dict[Form, tuple[Bound, Bound]] = {}
        self._weight, self._cap = 0, cap * 20

    # affine forms

    def constant(self, value: Fraction | int) -> Form:
        return Form(Fraction(value))

    def input(self, variable: Variable) -> Form:
        """A fresh input coordinate."""
        return self._atom(variable, variable.low, variable.high)

    def add(self, *forms: Form) -> Form:
        return self.combine((Fraction(1), f) for f in forms)

    def subtract(self, left: Form, right: Form) -> Form:
        return self.combine(((Fraction(1), left), (Fraction(-1), right)))

    def scale(self, factor: Fraction | int, form: Form) -> Form:
        factor = Fraction(factor)
        if factor == 1:
            return form
        if not factor:
            return ZERO
        self._short(factor)
        return Form(factor * form.constant, tuple((i, factor * w) for i, w in form.terms))

    def combine(self, pairs: Iterable[tuple[Fraction, Form]], constant: Fraction = Fraction(0)) -> Form:
        """constant + sum of factor * form."""
        total: dict[int, Fraction] = {}
        for factor, form in pairs:
            if factor:
                if form.constant:
                    constant += factor * form.constant
                for i, w in form.terms:
                    more = factor if w == 1 else factor * w
                    total[i] = total[i] + more if i in total else more
        terms = tuple(sorted((i, w) for i, w in total.items() if w))
        self._grow(len(terms) + 1)
        self._short(constant)
        return Form(constant, terms)

    def dense(self, rows: Iterable[Sequence[int]], below: int, forms: Sequence[Form]) -> list[Form]:
        """Of each row (weights, and last a constant), over `below`: the sum of weight * form; in whole numbers."""
        unit = lcm(*(n.denominator for f in forms for n in (f.constant, *(w for _, w in f.terms))))
        whole = [
            (int(f.constant * unit), [(i, w.numerator * (unit // w.denominator)) for i, w in f.terms]) for f in forms
        ]
        found, size = [], unit * below
        for *weights, constant in rows:
            total: dict[int, int] = {}
            shift = constant * unit
            for weight, (shifted, terms) in zip(weights, whole, strict=True):
                if weight:
                    shift += weight * shifted
                    for i, w in terms:
                        total[i] = total.get(i, 0) + weight * w
            self._grow(len(total) + 1)
            found.append(
                Form(Fraction(shift, size), tuple((i, Fraction(w, size)) for i, w in sorted(total.items()) if w))
            )
            self._short(found[-1].constant)
        return found

    def _grow(self, weight: int) -> None:
        self._weight += weight
        if self._weight > self._cap:
            raise TooLarge

    def _short(self, number: Fraction) -> None:
        """Numbers have a cap, too: repeated squaring would fill any memory."""
        if number.numerator.bit_length() + number.denominator.bit_length() > BITS:
            raise TooLarge

    # choices

    def relu(self, form: Form, scaled: bool = True) -> Form:
        """max(form, 0), as a multiple of a primitive one if `scaled` (not for trained weights: their integers are
        huge)."""
        if self.folding or form.is_constant:
            low, high = self.bounds(form)
            if low is not None and low >= 0:
                return form
            if high is not None and high <= 0:
                return ZERO
        scale, unit = primitive(form) if scaled else (Fraction(1), form)
        if scaled and unit.terms[0][1] < 0:  # relu(-u) = relu(u) - u
            mirrored = self.scale(-1, unit)
            return self.scale(scale, self.subtract(self._choice(mirrored, mirrored, ZERO), mirrored))
        return self.scale(scale, self._choice(unit, unit, ZERO))

    def select(self, test: Form, then: Form, otherwise: Form) -> Form:
        """The number `then` where `test` >= 0, else `otherwise`; continuous choices become relus."""
        decided = self.decide(test)
        if decided is not None:
            return then if decided else otherwise
        if then == otherwise:
            return then
        inner = self._behind(test)
        if inner is not None and inner.is_not:  # so `if x > 0 then x else 0` is a relu too
            return self.select(inner.test, otherwise, then)
        jump = self.subtract(then, otherwise)
        if jump.terms and not self._is_truth(test):
            ratio = jump.terms[0][1] / test.terms[0][1]
            if jump == self.scale(ratio, test):
                return self.add(otherwise, self.scale(ratio, self.relu(test)))
        return self._choice(primitive(test)[1], then, otherwise)

    # formulas: true iff >= 0

    def at_least_zero(self, form: Form) -> Form:
        """form >= 0, as a primitive form."""
        decided = self.decide(form)
        return primitive(form)[1] if decided is None else (YES if decided else NO)

    def above_zero(self, form: Form) -> Form:
        return self.negate(self.at_least_zero(self.scale(-1, form)))

    def is_zero(self, form: Form) -> Form:
        return self.both(self.at_least_zero(form), self.at_least_zero(self.scale(-1, form)))

    def negate(self, truth: Form) -> Form:
        decided = self.decide(truth)
        if decided is not None:
            return NO if decided else YES
        inner = self._behind(truth)
        if inner is not None and inner.is_not:
            return inner.test
        return self._choice(truth, NO, YES, logic=True)

    def both(self, *truths: Form) -> Form:
        """The conjunction; true when there is nothing to join."""
        return reduce(self._and, reversed(truths), YES)

    def either(self, *truths: Form) -> Form:
        """The disjunction; false when there is nothing to join."""
        return reduce(self._or, reversed(truths), NO)

    def implies(self, premise: Form, conclusion: Form) -> Form:
        return self.either(self.negate(premise), conclusion)

    def same(self, left: Form, right: Form) -> Form:
        """left <=> right."""
        return self.both(self.implies(left, right), self.implies(right, left))

    def when(self, test: Form, then: Form, otherwise: Form) -> Form:
        """The formula `then` where `test` holds, else the formula `otherwise`."""
        return self.both(self.implies(test, then), self.either(test, otherwise))

    def decide(self, truth: Form) -> bool | None:
        """What the bounds of the inputs already say about `truth`."""
        if not self.folding and truth.terms:
            return None
        low, high = self.bounds(truth)
        if low is not None and low >= 0:
            return True
        return False if high is not None and high < 0 else None

    def bounds(self, form: Form) -> tuple[Bound, Bound]:
        """Interval arithmetic: a lower and an upper bound, None where there is none."""
        if form not in self._bounds:
            sides = self.lows, self.highs
            self._bounds[form] = (
                dot(form.constant, ((w, sides[w < 0][i]) for i, w in form.terms)),
                dot(form.constant, ((w, sides[w > 0][i]) for i, w in form.terms)),
            )
        return self._bounds[form]

    # out of the builder

    def circuit(self, roots: Sequence[Form], inputs: Sequence[Form]) -> tuple[Circuit, tuple[int, ...]]:
        """The kernel circuit of `roots` over `inputs` (forms made by `input`), and the node of each root."""
        nodes: list[Node] = []
        places: dict[int, int] = {}
        affine: dict[Form, int] = {}
        order = {form.terms[0][0]: k for k, form in enumerate(inputs)}
        for k, atom in enumerate(order):
            places[atom] = len(nodes)
            nodes.append(Input(k))

        known: dict[tuple[int, int, Fraction], list[Form]] = {}  # by their first two atoms, and the ratio there

        def alike(form: Form) -> tuple[Fraction, Form] | None:
            """An earlier form, and how many times that this one is but for a constant."""
            (i, w), (j, v), *_ = form.terms
            ratio = v / w
            for other in known.setdefault((i, j, ratio), []):
                times = w / other.terms[0][1]
                if len(other.terms) == len(form.terms) and all(
                    a == b and x == times * y for (a, x), (b, y) in zip(form.terms, other.terms, strict=True)
                ):
                    return times, other
            known[i, j, ratio].append(form)
            return None

        def put(form: Form) -> int:
            if form.constant == 0 and len(form.terms) == 1 and form.terms[0][1] == 1:
                return places[form.terms[0][0]]
            if form not in affine:
                found = alike(form) if len(form.terms) > 1 else None
                if found is None:
                    node = Affine(tuple((places[i], w) for i, w in form.terms), form.constant)
                else:  # what decides the one tells of the other
                    times, other = found
                    node = Affine(((affine[other], times),), form.constant - times * other.constant)
                nodes.append(node)
                affine[form] = len(nodes) - 1
            return affine[form]

        for i in sorted(self.reach(roots)):
            match self.atoms[i]:
                case Choice(test, then, otherwise):
                    select = Select(put(test), put(then), put(otherwise))
                    places[i] = len(nodes)
                    nodes.append(select)
                case Variable(name=name):
                    assert i in places, f"a root depends on {name}, which is not among the inputs"
        places_of_roots = tuple(put(root) for root in roots)
        return tuple(nodes), places_of_roots

    def reach(self, roots: Iterable[Form]) -> set[int]:
        """Every atom that some root depends on."""
        seen: set[int] = set()
        todo = [i for root in roots for i, _ in root.terms]
        while todo:
            i = todo.pop()
            if i not in seen:
                seen.add(i)
                atom = self.atoms[i]
                if isinstance(atom, Choice):
                    todo += [j for f in (atom.test, atom.then, atom.otherwise) for j, _ in f.terms]
        return seen

    def substitute(self, roots: Sequence[Form], images: Mapping[int, Form]) -> list[Form]:
        """The same forms with every atom in `images` (inputs) replaced by a form."""
        done: dict[int, Form] = dict(images)

        def image(form: Form) -> Form:
            return self.combine(((w, done[i]) for i, w in form.terms), form.constant)

        for i in sorted(self.reach(roots)):
            if i in done:
                continue
            match self.atoms[i]:
                case Choice(test, then, otherwise) as choice:
                    if choice.is_relu:
                        done[i] = self.relu(image(test), scaled=primitive(test)[1] == test)
                    elif choice.logic:
                        done[i] = self._logic(image(test), image(then), image(otherwise))
                    else:
                        done[i] = self.select(image(test), image(then), image(otherwise))
                case Variable():
                    done[i] = Form(Fraction(0), ((i, Fraction(1)),))
        return [image(root) for root in roots]

    # inside

    def _atom(self, atom: Variable | Choice, low: Bound, high: Bound) -> Form:
        self.atoms.append(atom)
        self.lows.append(low)
        self.highs.append(high)
        self._grow(1)
        return Form(Fraction(0), ((len(self.atoms) - 1, Fraction(1)),))

    def _choice(self, test: Form, then: Form, otherwise: Form, logic: bool = False) -> Form:
        choice = Choice(test, then, otherwise, logic)
        if choice in self._index:
            return Form(Fraction(0), ((self._index[choice], Fraction(1)),))
        (l1, h1), (l2, h2) = self.bounds(then), self.bounds(otherwise)
        low = None if l1 is None or l2 is None else min(l1, l2)
        high = None if h1 is None or h2 is None else max(h1, h2)
        if choice.is_relu:
            low = Fraction(0)
        self._index[choice] = len(self.atoms)
        return self._atom(choice, low, high)

    def _behind(self, form: Form) -> Choice | None:
        if form.constant == 0 and len(form.terms) == 1 and form.terms[0][1] == 1:
            atom = self.atoms[form.terms[0][0]]
            return atom if isinstance(atom, Choice) else None
        return None

    def _is_truth(self, form: Form) -> bool:
        """A formula made by the connectives (not a bare comparison)."""
        inner = self._behind(form)
        return inner is not None and inner.logic

    def _logic(self, test: Form, then: Form, otherwise: Form) -> Form:
        if otherwise == NO:
            return self._and(test, then)
        if then == YES:
            return self._or(test, otherwise)
        return self.negate(test)

    def _and(self, left: Form, right: Form) -> Form:
        match self.decide(left), self.decide(right):
            case (False, _) | (_, False):
                return NO
            case (True, _):
                return right
            case (_, True):
                return left
        return left if left == right else self._choice(left, right, NO, logic=True)

    def _or(self, left: Form, right: Form) -> Form:
        match self.decide(left), self.decide(right):
            case (True, _) | (_, True):
                return YES
            case (False, _):
                return right
            case (_, False):
                return left
        return left if left == right else self._choice(left, YES, right, logic=True)


def dot(constant: Fraction, pairs: Iterable[tuple[Fraction, Bound]]) -> Bound:
    """constant + sum of left * right, on whole numbers until the end; None where some `right` is."""
    products = [(constant.numerator, constant.denominator)]
    for left, right in pairs:
        if right is None:
            return None
        if right:
            products.append((left.numerator * right.numerator, left.denominator * right.denominator))
    common = lcm(*(bottom for _, bottom in products))
    return Fraction(sum(top * (common // bottom) for top, bottom in products), common)


def primitive(form: Form) -> tuple[Fraction, Form]:
    """(s, u) with form = s * u, s > 0 and u with coprime integer coefficients; the form is not zero."""
    numbers = [form.constant, *(w for _, w in form.terms)]
    divisor = Fraction(gcd(*(n.numerator for n in numbers)), lcm(*(n.denominator for n in numbers)))
    if divisor == 1 or not divisor:
        return Fraction(1), form
    return divisor, Form(form.constant / divisor, tuple((i, w / divisor) for i, w in form.terms))
