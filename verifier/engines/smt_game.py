"""Alternating quantifiers as a game: block after block one player chooses points of X, "exists" so that the formula
holds in the end, "forall" so that it does not. Runs in a worker process.

Each player keeps, for each of his blocks, what he may still choose: points of X outside of the regions in which he is
known to lose. A choice that wins is made general before it is used: the sides that make it win (an unsatisfiable core)
are those of a polyhedron, in which the chosen coordinates become affine images of the earlier ones, so that it has a
shadow on these, and a rule that wins all over it. A player without a choice loses wherever the sides hold that leave
him none. (Bjørner and Janota, Playing with Quantified Satisfaction, LPAR 2015.) There are finitely many sides and
images, so this ends.

What comes out is a strategy, or a first choice to which there is no answer. Both are guesses: whoever asked checks
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate

import z3
from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.eliminate import Half, half
from verifier.engines.engine import Answer, Fails, Holds, Reply, Strategy, Unknown, Vector
from verifier.engines.images import Images, boxed, put
from verifier.engines.polish import candidates
from verifier.engines.smt import EFFORT, NAME, Bool, Clock, Encoding, Term, new_solver, number, row_term
from verifier.engines.smt_region import OutOfTime, Sides, inside
from verifier.kernel.circuit import Affine, Input, Select
from verifier.query.closure import fixed
from verifier.query.grown import Grown
from verifier.query.piece import Row, choices, piece_of
from verifier.query.question import Question

MOST = 2000
"""More rules than this are no strategy that is checked in any time."""
SOON = 1.0
"""Seconds for z3 to find the last choice, before the case search is asked."""
SHARE = 0.6
"""Of the time that is left, for the case search."""
FEW = 12
"""So many more parts than three a rule, for all rules together, are looked for."""
MANY = 12
"""From so many piecewise choices on, the case search is asked whether a rule holds everywhere."""
TRY = 0.1
"""Of the time that is left, for that."""
MODEST = 40
"""Up to so many choices, z3 is asked for smallest cores."""


def play(question: Question, widths: tuple[int, ...], width: int, seconds: float) -> Answer:
    """A strategy of "exists" for the second block, or a first block to which it has no answer.

    The inputs are those of the blocks, `widths` of them each, block after block; `width` of them make a point. The
    facts are, for each block, that its points lie in X, and at last the formula. "forall" begins."""
    game = Game(question, widths, width, Clock(seconds))
    try:
        return game.first()
    except OutOfTime:
        found = f"{len(game.replies)} rules of a strategy are" if game.replies else "no rule of a strategy is"
        return Unknown(f"out of time; {found} known, and no choice without an answer")


class Won(Struct, frozen=True):
    """Wherever the sides hold, which are about earlier blocks, the player wins by the images of these."""

    region: tuple[Half, ...]
    images: tuple[Row, ...]
    point: Vector


class Lost(Struct, frozen=True):
    """Wherever the sides hold, the player loses."""

    region: tuple[Half, ...]
    point: Vector


class Game:
    def __init__(self, question: Question, widths: tuple[int, ...], width: int, clock: Clock) -> None:
        self.question, self.width, self.clock = question, width, clock
        self.starts = (0, *accumulate(widths))
        self.last = len(widths) - 1
        self.encoding = Encoding(question, "g")
        self.variables = self.encoding.variables
        *_, formula = (self.encoding.truths[f] for f in question.facts)
        wins = formula if self.last % 2 else z3.Not(formula)
        there = [self.there(k) for k in range(len(widths))]
        self.moves = [Sides(self.variables, there[: k + 1], clock) for k in range(len(widths))]
        """What the owner of a block may still choose."""
        self.moves[-1].solver.add(wins)
        self.fails = Sides(self.variables, [*there[:-1], z3.Not(z3.And(there[-1], wins))], clock)
        """What does not win for the owner of the last block."""
        self.within = [Sides(self.variables, there[:k], clock) for k in range(len(widths))]
        for sides in (*self.moves, self.fails):
            sides.solver.set("core.minimize", choices(question) <= MODEST)
        self.known: list[list[tuple[Half, ...]]] = [[] for _ in widths]
        self.replies: list[Reply] = []
        self.tried: set[tuple[Row, ...]] = set()
        self.slow = False

    def there(self, k: int) -> Bool:
        """Block k lies in X."""
        facts = [self.encoding.truths[self.question.facts[k]]]
        for i in range(self.starts[k], self.starts[k + 1]):
            x, v = self.variables[i], self.question.variables[i]
            facts += [] if v.low is None else [x >= (int(v.low) if v.integer else number(v.low))]
            facts += [] if v.high is None else [x <= (int(v.high) if v.integer else number(v.high))]
        return z3.And(facts)

    def first(self) -> Answer:
        """The game of the first two blocks."""
        if self.last == 1:
            return self.only()
        while isinstance(found := self.choice(0, ()), tuple):
            outcome = self.answered(1, found)
            if isinstance(outcome, Lost):
                return Fails(NAME, (self.pleasant(found[: self.starts[1]]),))
            if len(self.replies) == MOST:
                return Unknown(f"a strategy has more than {MOST} rules")
            reply = Reply(outcome.region, outcome.images, outcome.point[: self.starts[1]])
            if self.everywhere(reply.images):
                return Strategy(NAME, (replace(reply, part=()),))
            self.replies.append(reply)
            self.learn(0, reply.part)
        return Strategy(NAME, tuple(self.few(self.replies)))

    def only(self) -> Answer:
        """The same where there are no others: then a rule applies wherever it works, which its formula says."""
        while isinstance(found := self.choice(0, ()), tuple):
            answer = self.choice(1, found)
            if isinstance(answer, Lost):
                return Fails(NAME, (self.pleasant(found[: self.starts[1]]),))
            if len(self.replies) >= MOST:
                return Unknown(f"a strategy has more than {MOST} rules")
            point = self.nearer(answer)
            sides, x = self.core(point), point[: self.starts[1]]
            always = tuple(Row((), a) for a in point[self.starts[1] :])
            for images in dict.fromkeys((self.general(1, sides, point).images, always)):
                self.replies.append(self.rule(sides, images, x))
                self.moves[0].solver.add(z3.Not(self.works(images)))
        try:
            parts = self.parts()
        except OutOfTime:
            parts = None
        return Strategy(NAME, tuple(self.replies if parts is None else parts), joint=parts is None)

    def works(self, images: Sequence[Row]) -> Bool:
        """The images are an answer, in a game of two blocks."""

        def image(x: Term, row: Row) -> Term:
            if x.is_real():
                return row_term(row, self.variables)
            return z3.Sum([z3.IntVal(int(row.constant)), *(int(w) * self.variables[j] for j, w in row.weights)])

        chosen = self.variables[self.starts[1] :]
        fact = z3.And(self.there(1), self.encoding.truths[self.question.facts[-1]])
        return z3.substitute(fact, *((x, image(x, row)) for x, row in zip(chosen, images, strict=True)))

    def parts(self) -> list[Reply] | None:
        """Rules with the same images for polyhedra that cover all choices; None if these are many."""
        found, solver = list(self.replies), new_solver([self.there(0)])
        solver.add(*(z3.Not(inside(reply.part, self.variables)) for reply in found))
        until = Clock(self.clock.left / 2)
        for _ in range(FEW + 3 * len(self.replies)):
            match until.check(solver):
                case "unsat":
                    return self.few(found)
                case "unknown":
                    return None
            x = self.encoding.point(solver.model())[: self.starts[1]]
            known = ((r.images, (*x, *(row.at(x) for row in r.images))) for r in self.replies)
            images, point = next((images, point) for images, point in known if self.answers(point))
            found.append(self.rule(self.core(point), images, x))
            solver.add(z3.Not(inside(found[-1].part, self.variables)))
        return None

    def rule(self, sides: Sequence[Half], images: tuple[Row, ...], x: Vector) -> Reply:
        """The images of x, by which these sides hold, as an answer wherever they do."""
        rows = self.widened(put(sides, self.starts[1], images), images)
        return Reply(tuple(self.needed(1, rows)), images, x)

    def answers(self, point: Vector) -> bool:
        """The second block, as the last one, is an answer to the first."""
        return replace(self.question, facts=self.question.facts[1:]).solved_by(point)

    def nearer(self, point: Vector) -> Vector:
        """An answer that differs in fewer coordinates from the last point of the first block."""
        own = range(self.starts[1], self.starts[2])
        before = {i: own.start - self.width + i % self.width for i in own}
        for changed in (own, *((i,) for i in own)):
            tried = tuple(point[before[i]] if i in changed else a for i, a in enumerate(point))
            if tried != point and self.answers(tried):
                point = tried
        return point

    def everywhere(self, images: tuple[Row, ...]) -> bool:
        """The rule holds on all of X, if the case search shows that soon: of a network that is one question, while the
        regions of its pieces are many."""
        if self.last > 2 or images in self.tried or choices(self.question) < MANY:
            return False
        self.tried.add(images)
        return isinstance(searched(self.without([images]), TRY * self.clock.left), Holds)

    def without(self, rules: Sequence[Sequence[Row]]) -> Question:
        """Where all of these rules for the second block fail, at the third one, if there is one."""
        grown, facts = Grown(()), list[int]()
        inputs = [grown.node(Input(i)) for i in range(len(self.variables))]
        second = range(self.starts[1], self.starts[2])
        for images in rules:
            chosen = {i: grown.row(row, inputs) for i, row in zip(second, images, strict=True)}
            at: list[int] = []
            for node in self.question.circuit:
                match node:
                    case Input(i):
                        at.append(chosen.get(i, inputs[i]))
                    case Affine(terms, constant):
                        at.append(grown.affine(((at[n], w) for n, w in terms), constant))
                    case Select(test, then, otherwise):
                        at.append(grown.node(Select(at[test], at[then], at[otherwise])))
            first, there, *rest = (at[n] for n in self.question.facts)
            wins = grown.both(there, rest.pop())
            for i in second:
                v = self.question.variables[i]
                for bound, sign in ((v.low, 1), (v.high, -1)):
                    if bound is not None:
                        wins = grown.both(grown.affine([(chosen[i], Fraction(sign))], -sign * bound), wins)
            facts += (first, *rest, grown.negation(wins))
        asked = replace(self.question, circuit=tuple(grown.nodes), facts=tuple(dict.fromkeys(facts)))
        return fixed(asked, dict.fromkeys(second, Fraction(0)))

    def few(self, replies: Sequence[Reply]) -> list[Reply]:
        """Without those whose choices others have an answer to. What time does not suffice for stays."""
        kept, solver = list(replies), new_solver([self.there(0)])
        for reply in sorted(replies, key=lambda r: (any(row.weights for row in r.images), -len(r.part))):
            others = [r for r in kept if r is not reply]
            solver.push()
            solver.add(inside(reply.part, self.variables), *(z3.Not(inside(r.part, self.variables)) for r in others))
            kept = others if others and self.clock.check(solver) == "unsat" else kept
            solver.pop()
        return kept

    def learn(self, k: int, region: tuple[Half, ...]) -> None:
        """There the owner of block k loses."""
        self.known[k].append(region)
        self.moves[k].solver.add(z3.Not(inside(region, self.variables)))

    def answered(self, k: int, at: Vector) -> Won | Lost:
        """What becomes of the owner of block k, at these earlier blocks or at others like them."""
        while True:
            found = self.choice(k, at)
            if isinstance(found, Lost):
                return found
            if k == self.last:
                return self.general(k, self.core(found), found)
            outcome = self.answered(k + 1, found)
            if isinstance(outcome, Lost):
                here = [*outcome.region, *self.sides(k, outcome.point)]
                return self.general(k, here, outcome.point)
            self.learn(k, outcome.region)

    def choice(self, k: int, at: Vector) -> Vector | Lost:
        """A choice for block k that is not known to lose, at these earlier blocks if possible."""
        if (found := self.reply(k, at)) is not None:
            return found
        if k < 2:  # the first choice has no answer, or there is none left
            return Lost((), at)
        sides, signs = self.moves[k], list(dict.fromkeys(self.signs(k, at)))
        match self.clock.check(sides.solver, *map(sides.name, signs)):
            case "sat":
                return self.encoding.point(sides.solver.model())
            case "unsat":
                return Lost(tuple(self.fewer(sides, signs)), at)
            case _:
                raise OutOfTime

    def reply(self, k: int, at: Vector) -> Vector | None:
        """A choice for block k at just these earlier blocks; None where there is none. z3 has short numbers, but where
        it takes long the case search has its turn, with what is a plain question."""
        solver, variables, start = self.moves[k].solver, self.variables, self.starts[k]
        solver.push()
        solver.add(*(x == (int(a) if x.is_int() else number(a)) for x, a in zip(variables, at[:start], strict=False)))
        try:
            other = k == self.last or (self.last == 1 and self.replies)
            first = Clock(min(SOON, self.clock.left)) if other else self.clock
            if (result := first.check(solver)) == "unknown" and other:
                self.slow = True
                asked = self.ending(at) if k == self.last else self.without([r.images for r in self.replies])
                match searched(asked, SHARE * self.clock.left):
                    case Fails(_, (point,)):
                        return point
                    case Holds():
                        return None
                result = self.clock.check(solver)
            if result == "unknown":
                raise OutOfTime
            return self.encoding.point(solver.model()) if result == "sat" else None
        finally:
            solver.pop()

    def ending(self, at: Vector) -> Question:
        """The last choice, at these earlier blocks."""
        *_, there, formula = self.question.facts
        grown = Grown(self.question.circuit)
        wins = formula if self.last % 2 else grown.negation(formula)
        asked = replace(self.question, circuit=tuple(grown.nodes), facts=(there, wins))
        return fixed(asked, dict(enumerate(at[: self.starts[self.last]])))

    def signs(self, k: int, at: Vector) -> Iterator[Half]:
        """Sides that hold at these blocks before block k; where they do, everything that is known so far of these
        blocks is as it is here."""
        for j in range(k):
            yield from self.sides(j, at)
            for region in self.known[j]:
                yield from (h if h.holds(at) else opposite(h) for h in region)

    def sides(self, k: int, point: Vector) -> list[Half]:
        """Those that make block k lie in X."""
        asked = replace(self.question, facts=(self.question.facts[k],))
        return [h for h in halves(asked, point) if self.starts[k] <= reach(h.row) < self.starts[k + 1]]

    def core(self, point: Vector) -> list[Half]:
        """Sides that hold at the point and make the owner of the last block win."""
        facts = (self.question.facts[self.last], self.question.facts[-1])
        asked, own = replace(self.question, facts=facts), self.starts[self.last]
        sides = [h for h in halves(asked, point) if reach(h.row) >= own or not boxed(h, self.question.variables)]
        if self.clock.check(self.fails.solver, *map(self.fails.name, sides)) != "unsat":
            raise OutOfTime
        return self.fewer(self.fails, sides)

    def fewer(self, sides: Sides, given: Sequence[Half]) -> list[Half]:
        """Those of them that exclude all that `sides` allow, as they together do: an unsatisfiable core, of which none
        can be left out, as far as that is quickly seen."""
        solver = sides.solver
        core = {str(name) for name in solver.unsat_core()}
        kept = [name for name in map(sides.name, given) if str(name) in core]
        patience, until = 3, Clock(self.clock.left / 10)
        solver.set("rlimit", EFFORT)
        for name in list(kept):
            if patience and until.left and any(n is name for n in kept):
                match self.clock.check(solver, *(n for n in kept if n is not name)):
                    case "unsat":
                        core = {str(n) for n in solver.unsat_core()}
                        kept = [n for n in kept if str(n) in core]
                    case "unknown":
                        patience -= 1
        solver.set("rlimit", 0)
        left = {str(name) for name in kept}
        return [h for h in given if str(sides.name(h)) in left]

    def general(self, k: int, sides: Sequence[Half], point: Vector) -> Won:
        """The choice of block k at this point, as images of the earlier blocks, and where the sides hold of them."""
        own = range(self.starts[k], self.starts[k + 1])
        images, rows = Images(self.question.variables, self.width, own.start).of(own, sides, point)
        rows = self.widened(rows, images) if k == self.last > 1 else rows
        return Won(tuple(self.needed(k, rows)), tuple(images), point)

    def widened(self, sides: Sequence[Half], images: Sequence[Row]) -> list[Half]:
        """Sides enough to make these images win as the last block."""
        solver, chosen = self.fails.solver, self.variables[self.starts[self.last] :]
        names = list(map(self.fails.name, sides))
        solver.push()
        solver.add(*(x == row_term(row, self.variables) for x, row in zip(chosen, images, strict=True)))
        solver.set("rlimit", EFFORT)
        enough = self.clock.check(solver, *names) == "unsat"
        found = self.fewer(self.fails, sides) if enough else list(sides)
        solver.set("rlimit", 0)
        solver.pop()
        return found

    def needed(self, k: int, sides: Sequence[Half]) -> list[Half]:
        """Without those that follow from the others in X, as far as that is quickly seen."""
        within, kept = self.within[k], [h for h in sides if not boxed(h, self.question.variables)]
        within.solver.set("rlimit", EFFORT)
        for h in sorted(kept, key=lambda h: -len(h.row.weights)):
            others = [g for g in kept if g is not h]
            kept = others if within.imply(others, h) == "unsat" else kept
        within.solver.set("rlimit", 0)
        return kept

    def pleasant(self, x: Vector) -> Vector:
        """Another first choice without an answer, of shorter numbers, where there are two blocks and z3 is quick."""
        if self.last > 1 or self.slow:
            return x
        asked = replace(self.question, facts=self.question.facts[:1])
        asked = fixed(asked, dict.fromkeys(range(len(x), len(self.variables)), Fraction(0)))
        rest = tuple(Fraction(0) for _ in range(len(self.variables) - len(x)))
        try:
            for i in range(len(x)):
                for value in candidates(asked, i, (*x, *rest)):
                    tried = (*x[:i], value, *x[i + 1 :])
                    if value == x[i]:
                        break
                    if asked.solved_by((*tried, *rest)) and isinstance(self.choice(1, tried), Lost):
                        x = tried
                        break
        except OutOfTime:
            pass
        return x


def searched(question: Question, seconds: float) -> Answer:
    from verifier.engines.case_search import Searcher  # numpy and HiGHS, which few games need

    return Searcher().case_search(question, seconds)


def halves(question: Question, point: Vector) -> list[Half]:
    """The sides of the piece of the point."""
    piece = piece_of(question, point)
    return [half(r, False) for r in piece.weak] + [half(r, True) for r in piece.strict]


def opposite(given: Half) -> Half:
    return Half(given.row.minus(), not given.strict)


def reach(row: Row) -> int:
    """The last input that it is about."""
    return row.weights[-1][0] if row.weights else -1
