"""Changes of one operator, comparison, constant or call in the checker, and whether any certificate notices."""

from __future__ import annotations

import ast
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from random import Random
from typing import Any

from tests.kernel import chance
from tests.kernel.cases import FORGED, read, written
from tests.kernel.copies import kernel
from tests.kernel.laws import LAWS
from verifier.kernel.problem import Rejected, Tree
from verifier.kernel.wire import Unreadable

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.FloorDiv: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}
TWINS = {"min": "max", "max": "min", "ceil": "floor", "floor": "ceil", "any": "all", "lcm": "gcd", "gcd": "lcm"}
SECONDS = 4.0
"""A change that makes the checker compute so long is noticed; all it is asked takes less than one."""


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    match node:
        case ast.Compare(left, [op], right):
            for other in COMPARISONS[type(op)]:
                yield ast.Compare(left, [other()], right)
        case ast.BinOp(left, operator, right):
            for instead in OPERATORS.get(type(operator), ()):
                yield ast.BinOp(left, instead(), right)
        case ast.AugAssign(target, operator, value):
            for instead in OPERATORS.get(type(operator), ()):
                yield ast.AugAssign(target, instead(), value)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Name(name) if name in TWINS:
            yield ast.Name(TWINS[name], ast.Load())
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Expr(ast.Call()):
            yield ast.Pass()


def mutants(source: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """(what is changed into what, the program): the program is written when it is asked for, and few of them are."""
    tree = ast.parse(source)
    lines = source.splitlines()
    place = dict(_places(tree))
    seen: Counter[str] = Counter()
    for old in ast.walk(tree):
        line = lines[old.lineno - 1].partition("  #")[0].strip() if hasattr(old, "lineno") else ""
        if "raise " in line:
            continue  # the words of a message
        for new in changes(old):
            name = f"{line} | {ast.unparse(old)} -> {ast.unparse(new)}"
            seen[name] += 1
            again = f" ({seen[name]})" if seen[name] > 1 else ""
            yield name + again, partial(_changed, tree, place[old], old, new)


Put = Callable[[ast.AST], None]


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, Put]]:
    """Every node of the tree, and what puts another one in its place."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                yield value, partial(setattr, parent, name)
            elif isinstance(value, list):
                yield from ((item, partial(value.__setitem__, i)) for i, item in enumerate(value))


def _changed(tree: ast.AST, put: Put, old: ast.AST, new: ast.AST) -> str:
    put(new)
    try:
        return ast.unparse(tree)
    finally:
        put(old)


@cache
def cases() -> tuple[tuple[Any, Any, str], ...]:
    """Problems and proofs with what the checker makes of them: forgeries, files, random ones, and those bent."""
    careless = kernel()
    careless.wire.well_formed = lambda problem: None
    found = [(claim, forged) for _, claim, forged in FORGED if not isinstance(forged, Tree) or len(forged.steps) < 99]
    for case in [*written("accepted"), *written("rejected")]:
        try:
            found.append(read(case, careless.wire))
        except (Rejected, Unreadable):
            continue
    for seed, (posed, tree) in enumerate((*chance.examples(60), *chance.pairs(20), *chance.descents(30))):
        rng = Random(seed)
        found.append((posed, tree))
        found += [(chance.loosened(rng, posed, by), tree) for by in (chance.Q(1, 50), chance.Q(1, 3))]
        found.append((posed, chance.bent(rng, posed, tree)))
    return tuple((claim, proof, fate(kernel().proof.check, claim, proof)) for claim, proof in found)


def fate(check: Callable[..., Any], claim: Any, proof: Any) -> str:
    try:
        return f"accepted {check(claim, proof).trusts}"
    except Rejected:
        return "rejected"
    except Exception as error:
        return type(error).__name__


class Late(BaseException): ...


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """CPU seconds: a busy machine makes no change look noticed."""

    def ring(*_: object) -> None:
        raise Late

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


Test = Callable[[Any], object]


@cache
def tests(module: str, briefly: bool) -> list[Test]:
    """What a checker with another `module` has to pass; those that noticed a change come first, the last one in front.
    `briefly`: the cases only."""

    def by_case(claim: Any, proof: Any, expected: str) -> Test:
        def same(changed: Any) -> None:
            assert fate(changed.proof.check, claim, proof) == expected

        return same

    return [*(by_case(*case) for case in cases()), *(() if briefly else LAWS)]


def noticed(module: str, program: str, briefly: bool = False) -> bool:
    """Some case comes out otherwise, or some law is broken. `briefly`: only the cases are looked at."""
    asked = tests(module, briefly)
    place = 0
    try:
        with limit(SECONDS):
            mutant = kernel(**{module: program})
            for place, test in enumerate(asked):  # noqa: B007
                test(mutant)
            return False
    except (Late, Exception):
        asked.insert(0, asked.pop(place))
        return True
