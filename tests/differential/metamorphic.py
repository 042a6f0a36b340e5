"""Changes of a program that leave every verdict as it was."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

from tests.differential.programs import Chain, Const, Feature, Lin, Logic, Program, Var

Words = Mapping[str, str]
Change = Callable[[Program, random.Random], tuple[str, Fraction] | None]
"""The text of the changed program, and the factor by which its radii grew; None where it does not apply."""


def mapped(node: Any, of: Callable[[Var], Any]) -> Any:
    """The tree with every variable replaced."""
    if isinstance(node, Var):
        return of(node)
    if isinstance(node, tuple):
        return tuple(mapped(n, of) for n in node)
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{f.name: mapped(getattr(node, f.name), of) for f in fields(node) if f.init})
    return node


def vector_free(p: Program) -> bool:
    return not any(c.size for c in p.coords)


def stretched(p: Program, rng: random.Random) -> tuple[str, Fraction] | None:
    """Each real coordinate c becomes a*c' + b."""
    if not vector_free(p) or p.point is None:
        return None
    images: dict[str, tuple[Fraction, Fraction]] = {}
    coords, point = [], dict(p.point)
    for c in p.coords:
        if c.kind != "real":
            coords.append(c)
            continue
        a = rng.choice([Fraction(v) for v in ("1", "-1", "2", "-1/2", "1/3")])
        b = rng.choice([Fraction(v) for v in ("0", "1", "-1/2", "5/3")])
        images[c.name] = (a, b)
        low = None if c.low is None else (c.low - b) / a
        high = None if c.high is None else (c.high - b) / a
        opens = c.low_open, c.high_open
        if a < 0:
            low, high, opens = high, low, (opens[1], opens[0])
        coords.append(replace(c, low=low, high=high, low_open=opens[0], high_open=opens[1]))
        point[c.name] = (point[c.name] - b) / a

    def of(v: Var) -> Any:
        name = v.name.split(".")[-1]
        if v.name in images or (v.name.count(".") == 1 and v.name.split(".")[0] in ("u", "v", "p") and name in images):
            a, b = images[name]
            return Lin(((a, v),), b)
        return v

    def outer(f: Feature) -> Feature:
        return replace(f, entries=mapped(f.entries, of), whole="")

    f1, f2 = (replace(f, features=tuple(map(outer, f.features))) for f in (p.f1, p.f2))
    changed = replace(p, coords=tuple(coords), where=mapped(p.where, of), f1=f1, f2=f2, point=point)
    claims = tuple(
        replace(c, where=mapped(c.where, of), where_both=mapped(c.where_both, of), formula=mapped(c.formula, of))
        for c in p.asserts
    )
    return replace(changed, asserts=claims).vf(), Fraction(1)


def shuffled(p: Program, rng: random.Random) -> tuple[str, Fraction] | None:
    """Coordinates, features and members in another order (but a vector of features is read by position: not those)."""
    coords = [replace(c, members=tuple(rng.sample(c.members, len(c.members)))) for c in p.coords]
    point = dict(p.point or {})
    for old, new in zip(p.coords, coords, strict=True):
        if old.kind == "finite":
            point[old.name] = Fraction(new.members.index(old.members[int(point[old.name])]))
    rng.shuffle(coords)
    f1, f2 = (replace(f, features=tuple(rng.sample(f.features, len(f.features)))) for f in (p.f1, p.f2))
    return replace(p, coords=tuple(coords), f1=f1, f2=f2, point=point).vf(), Fraction(1)


def split(p: Program, rng: random.Random) -> tuple[str, Fraction] | None:
    """The domain as the union of two overlapping or touching parts."""
    names = [k for c in p.coords if c.kind != "finite" for k in c.accessors()]
    if not names:
        return None
    name, edge = Var(rng.choice(names)), Const(rng.choice([Fraction(0), Fraction(1, 2), Fraction(1)]))
    left, right = Chain((name, edge), ("<=",)), Chain((name, edge), (rng.choice([">", ">="]),))
    if p.where is None:
        where = Logic("or", left, right)
    else:
        where = Logic("or", Logic("and", p.where, left), Logic("and", right, p.where))
    return replace(p, where=where).vf(), Fraction(1)


def doubled(p: Program, rng: random.Random) -> tuple[str, Fraction] | None:
    """A feature is seen twice (the largest difference does not change)."""
    done = []
    for f in (p.f1, p.f2):
        metric = f.metric
        if metric is not None and (metric.body is not None or metric.name not in ("linf", "discrete")):
            return None
        if metric is not None and metric.scales:
            return None
        done.append(replace(f, features=(*f.features, replace(rng.choice(f.features), name="again"))))
    return replace(p, f1=done[0], f2=done[1]).vf(), Fraction(1)


def rescaled(p: Program, rng: random.Random) -> tuple[str, Fraction] | None:
    """Every oracle distance grows by a factor, and every radius."""
    metric = p.f2.metric
    if metric is None or metric.body is not None or metric.name not in ("linf", "l1"):
        return None
    if any(c.kind in ("forall", "exists") for c in p.asserts):
        return None
    factor = rng.choice([Fraction(3), Fraction(1, 7)])
    old = dict(metric.scales)
    scales = tuple((f.name, old.get(f.name, Fraction(1)) / factor) for f in p.f2.features)
    claims = tuple(replace(c, radius=c.radius * factor) for c in p.asserts)
    f2 = replace(p.f2, metric=replace(metric, scales=scales))
    return replace(p, f2=f2, asserts=claims).vf(), factor


NASTY = ["x", "p", "h", "radius", "f1", "f2", "u", "v", "t", "n", "r", "distance_", "f", "where_at", "d", "q"]


def renamed(p: Program, rng: random.Random) -> tuple[str, Fraction] | None:
    """Other names for everything: the names that definitions of properties use, and the same name in several roles."""
    taken = {line.split()[1] for line in p.extras if line.startswith("let")}
    coords = [c.name for c in p.coords]
    features = sorted({f.name for c in (p.f1, p.f2) for f in c.features})
    members = sorted({m for c in p.coords for m in c.members})
    words: dict[str, str] = {}
    pool = [n for n in NASTY if n not in taken]
    rng.shuffle(pool)
    words |= dict(zip(coords, rng.sample(pool, len(coords)), strict=True))
    words |= dict(zip(features, rng.sample(pool, len(features)), strict=True))
    words |= dict(zip(p.labels, rng.sample(pool, len(p.labels)), strict=True))
    top = rng.sample(["f2", "f1", "g", "h", "p", "x_", "w", "radius", "only"], 3)
    words |= dict(zip(["f1", "f2", "p"], top, strict=True))
    rest = [n for n in ("x", "y", "x'", "h'", "f", "p'", "u'") if n not in top]
    words |= dict(zip(["u", "v"], rng.sample(rest, 2), strict=True))
    free = [n for n in pool if n not in words.values()]
    if len(free) < len(members):
        return None
    words |= dict(zip(members, free, strict=False))
    words = {old: new for old, new in words.items() if old not in taken}
    text = replace(p, extras=()).vf()
    text = re.sub(r"[A-Za-z_][A-Za-z0-9_]*'*", lambda m: words.get(m[0], m[0]), text)
    return "\n".join([*p.extras, text]), Fraction(1)


CHANGES: tuple[Change, ...] = (stretched, shuffled, split, doubled, rescaled, renamed)


def changes(p: Program, rng: random.Random) -> Iterator[tuple[str, str, Fraction]]:
    for change in CHANGES:
        made = change(p, rng)
        if made is not None:
            yield change.__name__, *made
