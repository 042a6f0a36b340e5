"""One random program through the whole tool, every verdict compared with the truth, every witness evaluated again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.differential.programs import Claim, Env, Program
from tests.differential.truth import Skip, World, conditions, flips, formula_env, premise, roles
from verifier.api import Options, load
from verifier.engines.worker import Worker
from verifier.verdict.verdict import Checked, Computed, FileResult, Limit, Root, Undecided, Witness

EPS = Fraction(1, 1000)


class Warm(Worker):
    """A worker that files share: closing it is left to `stop`."""

    def close(self) -> None:
        if self._late or self._process is None or self._process.poll() is not None:
            super().close()

    def stop(self) -> None:
        super().close()


@contextmanager
def warm_worker() -> Iterator[None]:
    worker = Warm()
    try:
        with patch("verifier.api.Worker", lambda: worker):
            yield
    finally:
        worker.stop()


def check(text: str, folder: Path, seconds: float = 5.0) -> FileResult:
    path = folder / "program.vf"
    path.write_text(text, encoding="utf-8")
    return load(path, Options(timeout=seconds, eps=str(EPS))).check(Options(timeout=seconds, eps=str(EPS)))


@dataclass
class Problem:
    claim: str
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.claim}: {self.what}\n{self.text}"


@dataclass
class Tally:
    compared: int = 0
    undecided: int = 0
    skipped: int = 0
    witnesses: int = 0
    limits: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)


def words(result: FileResult) -> dict[str, str]:
    """Every verdict and value of a file."""
    found = {a.name: a.word + (" vacuously" if a.vacuous else "") for a in result.assertions}
    return found | {c.name: f"{c.value} {c.attained}" for c in result.computed}


def examine(p: Program, folder: Path, tally: Tally, seconds: float = 3.0) -> list[Problem]:
    """Everything wrong with what the tool says about a program."""
    text = p.vf()
    result = check(text, folder)
    if result.diagnostics and any(d.severity == "error" for d in result.diagnostics):
        if all(d.code in ("V308",) for d in result.diagnostics):
            return []
        return [Problem("file", f"rejected: {[d.message for d in result.diagnostics]}", text)]
    problems = [Problem("file", f"internal error: {e}", text) for e in result.internal_errors]
    world = World(p, seconds)
    by_name: dict[str, Checked | Computed] = {a.name: a for a in result.assertions} | {
        c.name: c for c in result.computed
    }
    for i, claim in enumerate(p.asserts):
        got = by_name[f"A{i}"]
        try:
            for what in differences(p, world, claim, got, tally):
                problems.append(Problem(claim.vf(), what, text))
        except Skip:
            tally.skipped += 1
    return problems


def differences(p: Program, world: World, claim: Claim, got: Checked | Computed, tally: Tally) -> Iterator[str]:
    said = got.word if isinstance(got, Checked) else "value" if got.value is not None else "unknown"
    by = "" if not isinstance(got, Checked) or isinstance(got.verdict, Undecided) else got.verdict.by.split(",")[0]
    if said == "unknown":
        by = got.reason if isinstance(got, Computed) else got.verdict.why if isinstance(got.verdict, Undecided) else ""
        by = by.split(" is not a pseudo")[0]
    tally.kinds[claim.kind, f"{said} {by}{' vacuous' if isinstance(got, Checked) and got.vacuous else ''}"] += 1
    pair = got.pair
    if pair is not None:
        tally.witnesses += 1
        tally.limits += pair.limit is not None
        yield from replay(p, claim, got, pair)
    if isinstance(got, Computed):
        if got.value is None:
            tally.undecided += 1
        assert not isinstance(got.value, Root)
        if claim.kind in ("modulus", "lipschitz_constant", "case", "unnecessary_features"):
            tally.compared += 1
            yield from computed(p, world, claim, got)
            return
        wrong = world.infimum_is(claim, got.value, got.attained)
        tally.compared += 1
        if wrong:
            yield f"{wrong}: {got.value} {got.attained}"
        return
    if isinstance(got.verdict, Undecided) and "pseudometric" not in got.verdict.why:
        tally.undecided += 1
        return
    expected = world.verdict(claim)
    tally.compared += 1
    if got.word != expected:
        yield f"the tool says {got.word}, the truth is {expected}"
    elif expected == "proved" and claim.kind in ("factors", "robust", "robust_at", "forall"):
        vacuous = world.vacuous(claim)
        if bool(got.vacuous) != vacuous:
            yield f"vacuous: the tool says {bool(got.vacuous)}, the truth is {vacuous}"


def computed(p: Program, world: World, claim: Claim, got: Computed) -> Iterator[str]:
    """What is wrong with a supremum or a word."""
    assert not isinstance(got.value, Root)
    f1, f2 = roles(p, claim)
    if claim.kind in ("case", "unnecessary_features"):
        if got.value is not None and not world.metrics(f1, f2):
            yield "the metric is no pseudometric"
        elif got.value is not None and got.value != (expected := world.words(claim)):
            yield f"the tool says {got.value}, the truth is {expected}"
        return
    if wrong := world.supremum_is(claim, got.value, got.attained):
        yield f"{wrong}: {got.value} {got.attained}"
    for note in got.result.notes:
        if note.startswith("As delta tends to 0 it tends to"):
            vanishes = note.split(":")[0].endswith("to 0")
            if vanishes != world.contained(f1, f2, True):
                yield f"the note is wrong: {note}"


# witnesses


def env_of(p: Program, point: Mapping[str, Any]) -> dict[str, Fraction]:
    env: dict[str, Fraction] = {}
    for c in p.coords:
        value = point[c.name]
        if c.kind == "finite":
            env[c.name] = Fraction(c.members.index(value))
        elif c.size:
            env |= dict(zip(c.accessors(), value, strict=True))
        else:
            env[c.name] = value
    return {k: env[k] for c in p.coords for k in c.accessors()}


def inside(p: Program, env: Env) -> bool:
    whole = all(env[c.name].denominator == 1 for c in p.coords if c.kind == "int")
    return whole and bool(p.inside(env))


def replay(p: Program, claim: Claim, got: Checked | Computed, pair: Witness) -> Iterator[str]:
    points = {n: env_of(p, v) for n, v in pair.points.items()}
    for n, x in points.items():
        if not inside(p, x):
            yield f"the witness {n} = {x} lies outside of X"
    yield from report(p, pair, points)
    xs = list(points.values())
    f1, f2 = roles(p, claim)
    says = got.word if isinstance(got, Checked) else ""
    if pair.limit is not None:
        yield from family(p, claim, pair.limit, xs)
        return
    match claim.kind:
        case "contained" | "uniformly_contained" | "unnecessary":
            x, y = xs
            if not (f2.distance(x, y) <= 0 < f1.distance(x, y, claim.feature)):
                yield "the pair is not torn"
        case "contained_at":
            x, y = xs
            if x != p.point or not f2.distance(x, y) <= 0 < f1.distance(x, y):
                yield "the pair is not torn at p"
        case "lipschitz":
            x, y = xs
            if not f1.distance(x, y) > claim.radius * f2.distance(x, y):
                yield "the pair is not steeper"
        case "modulus" | "lipschitz_constant":
            assert isinstance(got, Computed)
            x, y = xs
            far, near = f1.distance(x, y), f2.distance(x, y)
            if claim.kind == "modulus" and near > claim.radius:
                yield "the pair is too far apart"
            bound = Fraction(1) if claim.kind == "modulus" else near
            if got.value == "infinity":
                if not far * EPS >= bound:
                    yield f"the pair is not far: {far} {near}"
            elif isinstance(got.value, Fraction):
                least = got.value if got.attained else got.value - EPS
                if not least * bound <= far <= got.value * bound or (claim.kind != "modulus" and near <= 0):
                    yield f"the pair does not show {got.value}: {far} {near}"
        case "equivalent":
            x, y = xs
            d1, d2 = f1.distance(x, y), f2.distance(x, y)
            if not (d1 <= 0 < d2 or d2 <= 0 < d1):
                yield "the pair is torn by neither"
        case "decision":
            x, y = xs
            if not (f2.distance(x, y) <= 0 and flips(p, x, y) and f2.label(x) == f2.label(y)):
                yield "the pair is not adversarial at distance zero"
        case "factors":
            x, y = xs
            if not (f2.distance(x, y) <= 0 and flips(p, x, y) and f2.label(x) == f2.label(y)):
                yield "the pair is not a counterexample"
        case "robust":
            x, y = xs
            if not (premise(p, claim, x, y) and flips(p, x, y)):
                yield "the pair is not a counterexample"
        case "robust_at":
            x, y = xs
            if x != p.point or not (premise(p, claim, x, y) and flips(p, x, y)):
                yield "the pair is not a counterexample"
        case "accurate":
            if f1.label(xs[0]) == f2.label(xs[0]):
                yield "the point is no counterexample"
        case "forall" | "exists":
            assert claim.formula is not None
            named = {**points, "p": p.point or {}}
            if tuple(points) == claim.names and bool(claim.formula.ev(formula_env(p, named))) != (
                claim.kind == "exists"
            ):
                yield f"the formula is {says} by this witness, but its value there is another"
        case "critical_radius" | "min_distance":
            assert isinstance(got, Computed) and isinstance(got.value, Fraction)
            x, y = xs
            d = f2.distance(x, y)
            if not (flips(p, x, y) and all(conditions(p, claim, x, y))):
                yield "the pair is not adversarial"
            if not (d == got.value if got.attained else got.value < d <= got.value + EPS):
                yield f"the pair is at {d}, the infimum is {got.value}"
        case "is_pseudometric":
            f = p.f1 if claim.which == "f1" else p.f2
            d = f.distance
            first, *rest = xs
            axioms = [d(first, first) == 0]
            axioms += [d(first, y) >= 0 and d(first, y) == d(y, first) for y in rest[:1]]
            if len(rest) == 2:
                y, z = rest
                axioms.append(d(first, z) <= d(first, y) + d(y, z))
            if all(axioms):
                yield "the points break no axiom"


def report(p: Program, pair: Witness, points: Mapping[str, Env]) -> Iterator[str]:
    """What is printed of the classifiers."""
    xs = list(points.values())
    for seen in pair.seen:
        f = p.f1 if seen.classifier == "f1" else p.f2
        for x, label, features in zip(xs, seen.labels, seen.features, strict=True):
            if (label == "") != (f.decide is None) or (label and p.labels[int(f.label(x))] != label):
                yield f"the label {label} of {f.name} is wrong"
            g = f.g(x)
            for feature in f.features:
                value = features[feature.name]
                values = value if isinstance(value, tuple) else (value,)
                if not feature.nominal and tuple(g[k] for k in feature.accessors()) != values:
                    yield f"the feature {feature.name} is wrong"
        if seen.distance is not None and f.distance(xs[0], xs[1]) != seen.distance:
            yield f"the distance of {f.name} is wrong"


def family(p: Program, claim: Claim, limit: Limit, shown: Sequence[Env]) -> Iterator[str]:
    """A limit witness: every member lies in X, oracle distances go to zero, the others do not."""
    f1, f2 = roles(p, claim)
    x, y, z = (env_of(p, v) for v in (limit.x, limit.y, limit.z))
    end = x if limit.x_end is None else env_of(p, limit.x_end)

    def member(s: Fraction) -> tuple[Env, Env]:
        return {k: x[k] + s * (end[k] - x[k]) for k in x}, {k: y[k] + s * (z[k] - y[k]) for k in y}

    ways = [(f1, f2, claim.feature)]
    if claim.kind in ("equivalent", "case"):
        ways = [(f1, f2, ""), (f2, f1, "")]
    elif claim.kind == "unnecessary_features":
        ways = [(f1, f2, f.name) for f in f1.features]
    good = [True] * len(ways)
    starts = [b.distance(*member(Fraction(1))) for _, b, _ in ways]
    for s in (Fraction(1), Fraction(1, 3), Fraction(1, 10**2), Fraction(1, 10**6), Fraction(1, 10**12)):
        u, v = member(s)
        if not (inside(p, u) and inside(p, v)):
            yield f"a member of the family lies outside of X (s = {s})"
        for i, (a, b, only) in enumerate(ways):
            if b.distance(u, v) != s * starts[i]:  # it is linear in s
                good[i] = False
            if claim.kind == "decision":
                apart = flips(p, u, v) and f2.label(u) == f2.label(v)
            else:
                apart = limit.start is not None and limit.start > 0
                apart = apart and (s > Fraction(1, 10**6) or a.distance(u, v, only) * 2 >= limit.start)
            good[i] = good[i] and bool(apart)
    if not any(good):
        yield "the family of the limit witness does not do what it should"
    if claim.kind in ("contained", "contained_at", "decision") and limit.x_end is not None:
        yield "x moves in the family"
    (u, v) = shown
    if claim.kind not in ("equivalent", "case") and not f2.distance(u, v) <= EPS:
        yield "the shown member is not as near as asked"
