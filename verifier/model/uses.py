"""`use`: the declarations of other files. Paths stay inside the folder tree of the file that names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from verifier.model.elaborate import names_in
from verifier.source import Diagnostic, Rejected, Source, Span
from verifier.source.closest import suggestion
from verifier.syntax import tree
from verifier.syntax.lexer import read
from verifier.syntax.parser import parse

MOST_FILES = 50
DECLARED = re.compile(
    r"\b(?:domain|model|oracle|def|let|param|point|data|partition)[ \t]+([A-Za-z_][A-Za-z0-9_']{0,99})"
)


class Gathered(Struct):
    """All declarations, in order, and what was wrong on the way; `sources` by path, for the caret of a diagnostic."""

    declarations: list[tree.Declaration] = []
    diagnostics: list[Diagnostic] = []
    sources: dict[str, Source] = {}
    done: dict[Path, list[tree.Declaration]] = {}
    """What each file that was read to its end has, so that no file is read twice."""

    @property
    def lost(self) -> frozenset[str]:
        """Names that a text declares, as far as one can see, but whose declarations could not be read."""
        if not self.diagnostics:
            return frozenset()
        seen = {name for source in self.sources.values() for name in DECLARED.findall(source.text)}
        return frozenset(seen - {d.name.id for d in self.declarations if not isinstance(d, tree.Labels | tree.Use)})


def gather(path: Path) -> Gathered:
    """The declarations of a file and of the files that it uses."""
    out = Gathered()
    out.declarations = _file(path, str(path), out, (), None)
    return out


def gather_text(source: Source) -> Gathered:
    """The same of a text that is not in a file; its path says where the files that it uses are looked for."""
    out = Gathered()
    out.declarations = _source(Path(source.path), source, out, ())
    return out


def inside(name: str, span: Span) -> Path:
    """The file `name` beside the file of `span`. Raises Rejected when it would leave the folder tree."""
    base = Path(span.file).resolve().parent
    escape = Diagnostic(
        "V502", span, "This path leaves the folder of the file.", "Name a file in the same folder or below."
    )
    if not name or any(ord(c) < 32 or c == "\\" for c in name) or Path(name).is_absolute() or len(name) > 500:
        raise Rejected(escape)
    try:
        target = (base / name).resolve()
    except (OSError, ValueError, RuntimeError):
        raise Rejected(escape) from None
    if not target.is_relative_to(base):
        raise Rejected(escape)
    return base / name


def _file(path: Path, shown: str, out: Gathered, above: tuple[Path, ...], at: Span | None) -> list[tree.Declaration]:
    if at is not None and (known := out.done.get(path.resolve())) is not None:
        return known
    source = read(shown)
    if isinstance(source, Diagnostic):
        if at is not None:
            source = Diagnostic(source.code, at, source.message, source.fix)
        out.diagnostics.append(source)
        return []
    return _source(path, source, out, above)


def _source(path: Path, source: Source, out: Gathered, above: tuple[Path, ...]) -> list[tree.Declaration]:
    out.sources[source.path] = source
    file, diagnostics = parse(source)
    out.diagnostics += diagnostics
    result: list[tree.Declaration] = []
    for d in file.declarations:
        if not isinstance(d, tree.Use):
            result.append(d)
            continue
        try:
            result += _use(d, out, (*above, path.resolve()))
        except Rejected as rejected:
            out.diagnostics += rejected.diagnostics
    result = list({id(d): d for d in result}.values())  # once, although several files may use the one that it is in
    out.done[path.resolve()] = result
    return result


def _use(use: tree.Use, out: Gathered, above: tuple[Path, ...]) -> Iterator[tree.Declaration]:
    path = inside(use.path.value, use.path.span)
    if path.resolve() in above:
        raise Rejected(Diagnostic("V503", use.span, "These files use each other in a circle.", "Remove one `use`."))
    if len(above) + len(out.sources) > MOST_FILES:
        raise Rejected(Diagnostic("V503", use.span, f"More than {MOST_FILES} files are used.", "Use fewer."))
    known = [
        d for d in _file(path, str(path), out, above, use.path.span) if not isinstance(d, tree.Assert | tree.Compute)
    ]
    if use.names is None:
        return iter(known)
    return _chosen(use, known)


def _chosen(use: tree.Use, known: Sequence[tree.Declaration]) -> Iterator[tree.Declaration]:
    """The named declarations, and the definitions and constants that they need."""
    assert use.names is not None
    by_name = {d.name.id: d for d in known if not isinstance(d, tree.Labels | tree.Use | tree.Assert | tree.Compute)}
    wanted: list[str] = []
    for name in use.names:
        if name.id not in by_name:
            raise Rejected(
                Diagnostic(
                    "V201",
                    name.span,
                    f"`{use.path.value}` does not declare `{name.id}`.",
                    suggestion(name.id, by_name, "It declares"),
                )
            )
        wanted.append(name.id)
    for name_ in wanted:  # grows while it is read
        for needed in _needs(by_name[name_]):
            if needed not in wanted and isinstance(by_name.get(needed), tree.Def | tree.Let | tree.Param):
                wanted.append(needed)
    return (d for d in known if not isinstance(d, tree.Labels | tree.Use) and d.name.id in wanted)


def _needs(d: tree.Declaration) -> Iterable[str]:
    found: set[str] = set()
    match d:
        case tree.Model(_, _, _, features, metric, decide):
            if isinstance(features, tree.NamedFeatures):
                for f in features.entries:
                    found |= names_in(f.value)
            found |= names_in(metric.value) if metric is not None else set()
            found |= names_in(decide) if decide is not None else set()
        case (
            tree.Imported(_, _, _, value)
            | tree.Def(_, _, _, value)
            | tree.Let(_, _, value)
            | tree.PointDecl(_, _, value)
        ):
            found |= names_in(value)
        case tree.Param(_, _, value, _) | tree.Data(_, _, value):
            found |= names_in(value)
        case tree.Partition(_, _, _, cuts):
            for cut in cuts:
                for e in (cut.entry, cut.value):
                    found |= names_in(e) if e is not None else set()
        case _:
            pass
    return sorted(found)
