"""`verifier plot`: the decision regions of a model and an oracle, or the oracle's fibres, exactly; or an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

from msgspec import Struct

from verifier.api import Loaded, Options, load
from verifier.model.claim import Computation, Infimum
from verifier.model.elaborate import names_in
from verifier.model.interpret import Interpreter
from verifier.model.meaning import NotYet, numbers
from verifier.model.program import PointValue
from verifier.query.question import Question
from verifier.report.cells import Cell, NoPlane, Plane, Vertex, borders, fibre, image, maximal, outline
from verifier.report.plot import (
    DRAWN_BY,
    Fibre,
    Fibres,
    Marked,
    NoMatplotlib,
    Panel,
    Picture,
    Region,
    Regions,
    rendered,
)
from verifier.report.terminal import diagnostic_text
from verifier.source import Rejected, Source
from verifier.source.closest import suggestion
from verifier.surfaces.exits import FINE, UNDECIDED, USAGE
from verifier.surfaces.naming import no_assertion
from verifier.surfaces.pictures import NoAnswer, distances, modulus, torn
from verifier.surfaces.place import CannotWrite, Place
from verifier.surfaces.terminal import Screen
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.syntax.parser import parse
from verifier.verdict.verdict import Undecided, Witness, word

SPOTS = 4000
"""At so many places labels are looked for that have no area."""
LEVELS = 7
"""So many fibres are drawn (of an oracle with several features: at most so many squared)."""
CURE = "Pictures need matplotlib: pip install 'strong-robust[plot]'."


class Subject(Struct, frozen=True):
    """What is drawn: a model, an oracle, and what became of an assertion about them."""

    model: str
    oracle: str
    title: str = ""
    points: Mapping[str, PointValue] | None = None
    radius: Fraction | None = None
    closed: bool = False


def run(
    path: str,
    slices: Sequence[str],
    assertion: str,
    output: str | None,
    kind: str,
    settings: Mapping[str, str],
    timeout: float,
    force: bool,
    screen: Screen,
) -> int:
    place = Place(output if output is not None else str(Path(path).with_suffix(".svg")), path, force, DRAWN_BY.encode())
    suffix = Path(place.path).suffix
    try:
        if suffix not in (".svg", ".png"):
            raise CannotWrite(f"`{place.said}` is neither an .svg nor a .png file.")
        place.check()
    except CannotWrite as why:
        screen.say(f"{why}")
        return USAGE
    loaded = load(path, Options(settings=settings, timeout=timeout))
    try:
        for diagnostic in loaded.diagnostics:
            screen.say(diagnostic_text(diagnostic, loaded.lines, screen.paint_err))
        if any(d.severity == "error" for d in loaded.diagnostics):
            return USAGE
        place.write(rendered(picture(loaded, slices, assertion, kind, timeout, screen), suffix[1:]))
    except NoPlane as why:
        screen.say(f"{path}: {why}")
        return USAGE if why.usage else UNDECIDED
    except Rejected as rejected:
        for d in rejected.diagnostics:
            screen.say(f"{d.message} {d.fix}")
        return USAGE
    except NotYet as later:
        screen.say(f"{path}: {later} is not available yet.")
        return UNDECIDED
    except NoAnswer as open_:
        screen.say(f"{path}: {open_}.")
        return UNDECIDED
    except NoMatplotlib:
        screen.say(CURE)
        return USAGE
    except CannotWrite as why:
        screen.say(f"{why}")
        return USAGE
    finally:
        loaded.worker.close()
    screen.result(f"Written to {place.said}.\n")
    return FINE


def picture(
    loaded: Loaded, slices: Sequence[str], assertion: str, kind: str, timeout: float, screen: Screen
) -> Picture:
    """What is to be drawn, before anything is drawn."""
    match kind:
        case "modulus":
            return modulus(loaded, pair_of(loaded, assertion, "modulus_curve"), timeout)
        case "distances":
            return distances(loaded, assertion, timeout)
        case "uncontained":
            plane = Plane(loaded.program, fixed(slices))
            return torn(loaded, plane, pair_of(loaded, assertion, "uncontained_region"), timeout)
    plane = Plane(loaded.program, fixed(slices))
    about = subject(loaded, assertion, timeout)
    for name, point in (about.points or {}).items():
        if plane.drop(point) is None:
            screen.say(f"{name} lies off the slice and is not drawn.")
    return regions(plane, about) if kind == "regions" else fibres(plane, about)


def pair_of(loaded: Loaded, name: str, word: str) -> tuple[str, str]:
    """The two classifiers of the assertion or compute of this name; else of the first `compute` with this word, else of
    the first assertion about a model and an oracle."""
    bodies = {d.name.id: d.body for d, _ in loaded.items}
    if name:
        if name not in bodies:
            known = suggestion(name, list(bodies), "There are:")
            raise NoPlane(f"No assertion or compute is called `{name}`. {known}", usage=True)
        return classifiers_of(loaded, bodies[name]) or any_pair(loaded)
    for body in bodies.values():
        if isinstance(body, tree.Apply) and isinstance(body.function, tree.Name) and body.function.id == word:
            return classifiers_of(loaded, body) or any_pair(loaded)
    return first_pair(loaded)


def fixed(slices: Sequence[str]) -> dict[str, tree.Expr]:
    """`a=1/2,b=0` -> the expressions of a and b."""
    found: dict[str, tree.Expr] = {}
    for part in (p for text in slices for p in text.split(",") if p.strip()):
        name, equals, text = (p.strip() for p in part.partition("="))
        file, diagnostics = parse(Source("--slice", f"let value = {text}"))
        sound = not diagnostics and len(file.declarations) == 1 and isinstance(file.declarations[0], tree.Let)
        if not (name and equals and sound):
            raise NoPlane(f'`{part.strip()}` fixes no coordinate. Write for example `--slice "a=1/2,b=0"`.', usage=True)
        declaration = file.declarations[0]
        assert isinstance(declaration, tree.Let)
        found[name] = declaration.value
    return found


# what is drawn


def subject(loaded: Loaded, assertion: str, timeout: float) -> Subject:
    """The classifiers of an assertion and its witness; without one, the first model that is asserted about."""
    items = [(d, claim) for d, claim in loaded.items if isinstance(d, tree.Assert)]
    if not assertion:
        return Subject(*first_pair(loaded))
    known = [d.name.id for d, _ in items]
    if assertion not in known:
        raise NoPlane(no_assertion(loaded, assertion), usage=True)
    declaration, claim = items[known.index(assertion)]
    model, oracle = classifiers_of(loaded, declaration.body) or any_pair(loaded)
    said = f"{assertion}: {' '.join(unparse(declaration.body).split())}"
    assert not isinstance(claim, Infimum | Computation)
    decider = loaded.decider()
    verdict = decider.decide(claim, timeout).verdict
    witness: Witness | None = None if isinstance(verdict, Undecided) else verdict.pair
    points = dict(witness.points) if witness is not None else None
    if points is None:
        named = [n for n in loaded.program.points if n in names_in(declaration.body)]
        points = {n: loaded.program.points[n] for n in named}
    radius, closed = None, False
    if isinstance(declaration.body, tree.Apply):
        for argument in declaration.body.arguments:
            if argument.label == "radius":
                value = decider.poser.symbolic.exact(argument.value)
                radius = value if isinstance(value, Fraction) else None
            if argument.label == "closed":
                closed = unparse(argument.value) == "true"
    return Subject(model, oracle, f"{said} — {word(verdict)}", points, radius, closed)


def classifiers_of(loaded: Loaded, body: tree.Expr) -> tuple[str, str] | None:
    """The two classifiers that an assertion is about, in its order."""
    known = loaded.program.classifiers
    if isinstance(body, tree.Apply):
        names = [a.value.id for a in body.arguments if isinstance(a.value, tree.Name) and not a.label]
    else:
        mentioned = names_in(body)
        names = sorted((n for n in known if n in mentioned), key=lambda n: known[n].kind != "model")
    names = [n for n in names if n in known]
    return (names[0], names[1]) if len(names) >= 2 else None


def first_pair(loaded: Loaded) -> tuple[str, str]:
    """The first model that is asserted about, and the oracle."""
    asked = [classifiers_of(loaded, d.body) for d, _ in loaded.items]
    declared = loaded.program.classifiers
    sound = [names for names in asked if names is not None and declared[names[0]].kind == "model"]
    return sound[0] if sound else any_pair(loaded)


def any_pair(loaded: Loaded) -> tuple[str, str]:
    known = loaded.program.classifiers
    models = [n for n, c in known.items() if c.kind == "model"]
    oracles = [n for n, c in known.items() if c.kind == "oracle"]
    if not models or not oracles:
        raise NoPlane("A picture needs a model and an oracle.")
    return models[0], oracles[0]


# decision regions


def regions(plane: Plane, about: Subject) -> Regions:
    names = (about.model, about.oracle)
    labels = [plane.labels(n) for n in names]
    cases = [case for _, found in labels for case in found]
    split = len(labels[0][1])
    cells = plane.cells(plane.question(cases))

    def key(cell: Cell) -> tuple[str, str]:
        first, second = cell.truths[1 : 1 + split], cell.truths[1 + split :]
        return labels[0][0][first.index(True)], labels[1][0][second.index(True)]

    met = borders([(c.polygon, key(c)) for c in cells])
    inner = [b for b in met if b.left is not None and b.right is not None]
    panels = []
    for i, name in enumerate(names):
        members = labels[i][0]
        if members == ("",):
            continue
        own = [b for b in inner if side(b.left, i) != side(b.right, i)]
        other = [b for b in inner if b not in own]
        cuts = [b for b in own if side(b.left, 1) == side(b.right, 1)] if i == 0 else []
        shown = [
            Region(m, j, loops)
            for j, m in enumerate(members)
            if (loops := outline(met, lambda k, i=i, m=m: side(k, i) == m))  # type: ignore[misc]
        ]
        kind = plane.program.classifiers[name].kind
        rare = thin(plane, cells, name, {*members} - {r.label for r in shown})
        panels.append(Panel(f"{name} ({kind})", shown, own, other, cuts, rare))
    if not panels:
        raise NoPlane(f"Neither `{about.model}` nor `{about.oracle}` gives labels.")
    return Regions(about.title, plane.axes, panels, marked(plane, about), names)


def thin(plane: Plane, cells: Sequence[Cell], name: str, labels: set[str]) -> list[str]:
    """Those of the labels that are given at some side or corner of a cell: on all of a side, or only there."""
    if not labels:
        return []
    interpreter = Interpreter(plane.program)
    sides = {(a, b) for c in cells for a, b in zip(c.polygon, (*c.polygon[1:], *c.polygon[:1]), strict=True)}
    spots = {((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in sides} | {a for a, _ in sides}
    points = [p for v in islice(spots, SPOTS) if interpreter.inside(p := plane.lift(v))]
    return sorted(labels & {interpreter.label(name, p) for p in points})


def side(key: object, index: int) -> str:
    assert isinstance(key, tuple)
    return str(key[index])


def marked(plane: Plane, about: Subject) -> Marked:
    """The points of the assertion that lie in the plane, and the oracle's ball (or fibre) around the first."""
    if not about.points:
        return Marked()
    places = {n: plane.drop(p) for n, p in about.points.items()}
    points = [(n, v) for n, v in places.items() if v is not None]
    first, *rest = about.points.values()
    if not points or plane.program.classifiers[about.oracle].kind != "oracle":
        return Marked(points)
    radius, closed = about.radius, about.closed
    called = next(iter(about.points)).replace("'", "′")
    if radius is None and rest:
        distance = Interpreter(plane.program).distance(about.oracle, first, rest[0])
        radius, closed = distance if isinstance(distance, Fraction) else None, True
    if radius is None:
        return Marked(points)
    if radius == 0:
        return Marked(points, fibre=equal(plane, about.oracle, first), said=f"one point for {about.oracle}")
    form = plane.ball(about.oracle, first, radius, closed)
    if form is None:
        return Marked(points)
    question = plane.question([form])
    met = borders([(c.polygon, c.truths[1]) for c in plane.cells(question)])
    ball = outline(met, lambda inside: inside is True)
    sign = "≤" if closed else "<"
    return Marked(points, ball, said=f"{about.oracle}: distance from {called} {sign} {radius}")


def equal(plane: Plane, oracle: str, point: PointValue) -> list[tuple[Vertex, ...]]:
    """All of the plane that the oracle cannot tell from a point."""
    question = plane.question([], [f for _, f in plane.features(oracle)])
    here = flat(plane, oracle, point)
    pieces = (fibre(question, c, dict(enumerate(here))) for c in plane.cells(question))
    return maximal([p for p in pieces if p])


def flat(plane: Plane, name: str, point: PointValue) -> list[Fraction]:
    """The features of a classifier at a point, as numbers."""
    poser = plane.poser
    there = poser.symbolic.concrete(plane.domain, point)
    values = poser.symbolic.features(plane.program.classifiers[name], there)
    return [n.constant for v in values.values() for n in numbers(v)]


# fibres


def fibres(plane: Plane, about: Subject) -> Fibres:
    seen, sees = plane.features(about.model), plane.features(about.oracle)
    if len(seen) > 2 or not seen:
        raise NoPlane(f"`{about.model}` has {len(seen)} features; the space of one or two can be drawn.")
    members, cases = plane.labels(about.model)
    n = len(sees)
    question = plane.question(cases, [form for _, form in (*sees, *seen)])
    cells = plane.cells(question)
    inside = [i for i, case in enumerate(cases) if case]
    index = {id(c): next(i for i in inside if c.truths[1 + i]) for c in cells}
    met = borders([(c.polygon, members[index[id(c)]]) for c in cells])
    shown = [
        Region(m, j, loops)
        for j, m in enumerate(members)
        if (loops := outline(met, lambda k, m=m: k == m))  # type: ignore[misc]
    ]
    points = {k: v for k, v in (about.points or {}).items() if plane.drop(v) is not None}
    bases = chosen(plane, question, cells, n, list(points.values())[:1], about.oracle)
    single = len(seen) == 1
    found: list[Fibre] = []
    for number, base in enumerate(bases, start=1):
        where = [(c, p) for c in cells if (p := fibre(question, c, dict(enumerate(base))))]
        images = [spot(image(p, c.rows[n:]), base, number, single, n) for c, p in where]
        unique = {v for shape in images for v in shape}
        kept = maximal([p for _, p in where]), maximal(images)
        found.append(Fibre(*kept, len(unique) > 1))
    shadows = [
        (
            index[id(c)],
            tuple((v[0], v[1]) for v in image(c.polygon, c.rows[n:] if not single else (c.rows[0], c.rows[1]))),
        )
        for c in cells
        if not single or n == 1
    ]
    spots = []
    for name, value in points.items():
        features = tuple(flat(plane, about.model, value))
        seen_by = tuple(flat(plane, about.oracle, value))
        at = next((k for k, b in enumerate(bases, start=1) if b == seen_by), 0)
        if not single or n == 1 or at:
            spots.append((name, spot((features,), seen_by, at, single, n)[0]))
    across = (f"{about.oracle}: {sees[0][0]}" if n == 1 else f"fibre of {about.oracle}") if single else ""
    up = f"{about.model}: {seen[-1][0]}"
    axes = (across, up) if single else (f"{about.model}: {seen[0][0]}", up)
    mark = Marked([(k, v) for k, p in points.items() if (v := plane.drop(p)) is not None])
    return Fibres(about.title, plane.axes, axes, shown, shadows, found, mark, spots, (about.model, about.oracle))


def spot(
    shape: Sequence[tuple[Fraction, ...]], base: Sequence[Fraction], number: int, single: bool, width: int
) -> tuple[Vertex, ...]:
    """The place of an image in the right picture: above its fibre when the model has one feature."""
    if not single:
        return tuple((v[0], v[1]) for v in shape)
    return tuple((base[0] if width == 1 else Fraction(number), v[0]) for v in shape)


def chosen(
    plane: Plane, question: Question, cells: Sequence[Cell], width: int, first: Sequence[PointValue], oracle: str
) -> list[tuple[Fraction, ...]]:
    """The values of g2 whose fibres are drawn; that of the witness is one of them."""
    wanted = [tuple(flat(plane, oracle, p)) for p in first]
    if width == 1:
        values = [c.rows[0].at(v) for c in cells for v in c.polygon]
        low, high = min(values), max(values)
        levels = [low + (high - low) * Fraction(2 * k + 1, 2 * LEVELS) for k in range(LEVELS)] if low < high else [low]
        for (value,) in wanted:
            levels = [value, *sorted(levels, key=lambda t: abs(t - value))[1:]] if levels else [value]
        return [(t,) for t in sorted(set(levels))]
    (x0, y0), _, (x1, y1), _ = plane.box
    share = [Fraction(2 * k + 1, 8) for k in range(4)]
    found = dict.fromkeys(wanted)
    for s in share:
        for t in share:
            here = (x0 + t * (x1 - x0), y0 + s * (y1 - y0))
            values_ = question.values(here)
            if values_[question.facts[0]] >= 0:
                found[tuple(values_[i] for i in question.numbers[:width])] = None
    return list(found)
