"""case(f1, f2): which of the paper's four cases it is, and what is true of the file at hand (THEORY section 2)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.engines.engine import Fails, Unknown
from verifier.model.assertion import claim_of
from verifier.model.claim import Computation
from verifier.model.program import Value
from verifier.query.pose import Posed, Poser
from verifier.source.text import NOWHERE
from verifier.syntax import tree
from verifier.verdict.certify import Points
from verifier.verdict.verdict import Measurement, Proved, Refuted, Undecided, Witness

if TYPE_CHECKING:
    from verifier.verdict.decide import Decider

POINTS = ("x", "x'")
SHORT = 12
"""Numbers of more characters are rounded in a note."""

CASES = {
    (False, False): ("I", "What is near for {1} need not be near for {0}, nor the other way round."),
    (False, True): ("II", "What is near for {0} is near for {1}, but not the other way round: {0} sees more."),
    (True, True): ("III", "The same is near for {0} and for {1}."),
    (True, False): ("IV", "What is near for {1} is near for {0}, but not the other way round: {0} sees less."),
}
"""By `contained(f1, f2)` and `contained(f2, f1)`."""


def compute(decider: Decider, computation: Computation) -> Measurement:
    """The case by containment both ways, then two questions about this very f2 and these features."""
    model, oracle = computation.classifier("f1"), computation.classifier("f2")
    holds: list[bool] = []
    trusts: list[str] = []
    pair: Witness | None = None
    for coarse, fine in ((model, oracle), (oracle, model)):
        verdict = decider.decide(claim_of(decider.program, _call("contained", coarse, fine)), decider.left()).verdict
        if isinstance(verdict, Undecided):
            return Measurement(None, why=f"whether {coarse} is contained in {fine} stayed open: {verdict.why}")
        holds.append(isinstance(verdict, Proved))
        trusts += verdict.trusts
        if isinstance(verdict, Refuted):
            pair = pair or verdict.pair
    amount, words = CASES[holds[0], holds[1]]
    notes = [words.format(model, oracle)]
    for fact in (accurate, _some_oracle):
        note, points, believed = fact(decider, model, oracle, pair)
        notes.append(note)
        trusts += believed
        if points is not None and pair is None:
            pair = decider.replay.witness(points, (model, oracle))
    return Measurement(amount, None, pair, trusts=tuple(dict.fromkeys(trusts)), notes=tuple(notes))


Fact = tuple[str, Points | None, tuple[str, ...]]


def accurate(decider: Decider, model: str, oracle: str, pair: Witness | None) -> Fact:
    """Is there a decision on g1 that gives f2 everywhere? Iff g1 x = g1 x' forces f2 x = f2 x'."""
    classifier = decider.program.classifiers[oracle]
    gives = f"decision on the features of {model} gives {oracle} everywhere"
    if classifier.decide is None and classifier.network is None:
        return f"Some {gives}, for {oracle} is constant.", None, ()
    differ = tree.Chain(NOWHERE, (_call(oracle, "x"), _call(oracle, "x'")), ("!=",))
    points, why, trusts = _find(decider, [*_same(decider, model), differ], pair)
    if why:
        return f"Whether some {gives} stayed open: {why}.", None, ()
    if points is None:
        return f"Some {gives}.", None, trusts
    labels = " and ".join(decider.replay.interpreter.label(oracle, p) for p in points.values())
    return f"No {gives}: they are equal at {_where(points, pair)}, labelled {labels}.", points, ()


def _some_oracle(decider: Decider, model: str, oracle: str, pair: Witness | None) -> Fact:
    """Is there a decision on g2 that no decision on g1 can give? Iff g1 x = g1 x' for some g2 x != g2 x'."""
    apart = tree.Unary(NOWHERE, "not", _all(_same(decider, oracle)))
    points, why, trusts = _find(decider, [*_same(decider, model), apart], pair)
    on, other = f"decision on the features of {oracle}", f"decision on those of {model}"
    if why:
        return f"Whether some {on} defeats every {other} stayed open: {why}.", None, ()
    if points is None:
        return f"For every {on} there is a {other} that gives the same labels.", None, trusts
    return f"Some {on} defeats every {other}: only the former differ at {_where(points, pair)}.", points, ()


def _find(decider: Decider, facts: list[tree.Expr], pair: Witness | None) -> tuple[Points | None, str, tuple[str, ...]]:
    """Two points with all facts, those of `pair` if they will do; or why that stayed open; or what is to be believed if
    there are none."""
    if pair is not None and tuple(pair.points) == POINTS:
        env = decider.replay.env(pair.points)
        if all(decider.replay.interpreter.truth(fact, env) for fact in facts):
            return pair.points, "", ()

    def both(poser: Poser) -> Posed:
        return poser.pose(POINTS, [poser.truth(f, POINTS) for f in facts])

    posed = both(decider.poser)
    match decider.ask(posed, both):
        case Fails(_, (vector, *_)):
            points = posed.read(vector)
            decider.replay.demand(points, facts)
            return points, "", ()
        case Unknown(why):
            return None, why, ()
        case answer:
            return None, "", getattr(answer, "trusts", ())


def _same(decider: Decider, name: str) -> list[tree.Expr]:
    """g x = g x', feature by feature."""
    result: list[tree.Expr] = []
    for feature in decider.program.classifiers[name].features:
        reader = tree.Field(NOWHERE, tree.Name(NOWHERE, name), feature.name)
        sides = tuple(tree.Apply(NOWHERE, reader, (tree.Argument(NOWHERE, "", tree.Name(NOWHERE, p)),)) for p in POINTS)
        result.append(tree.Chain(NOWHERE, sides, ("==",)))
    return result


def _all(formulas: list[tree.Expr]) -> tree.Expr:
    first, *rest = formulas
    for formula in rest:
        first = tree.Binary(NOWHERE, "and", first, formula)
    return first


def _call(word: str, *names: str) -> tree.Apply:
    arguments = tuple(tree.Argument(NOWHERE, "", tree.Name(NOWHERE, n)) for n in names)
    return tree.Apply(NOWHERE, tree.Name(NOWHERE, word), arguments)


def _where(points: Points, pair: Witness | None) -> str:
    """The points in words; those of the pair that is shown by their names."""
    if pair is None or points == pair.points:
        return "x and x'"
    return " and ".join(
        "{" + ", ".join(f"{name}: {_short(value)}" for name, value in point.items()) + "}" for point in points.values()
    )


def _short(value: Value) -> str:
    match value:
        case tuple():
            return "[" + ", ".join(_short(v) for v in value) + "]"
        case Fraction() if len(str(value)) > SHORT:
            return f"≈ {float(value):.6g}"
        case _:
            return str(value)
