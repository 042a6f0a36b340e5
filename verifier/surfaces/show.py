"""`verifier show`: what a file declares, or the normal forms that are checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import assert_never

from verifier.report.terminal import columns, diagnostic_text
from verifier.report.text import printable
from verifier.source import Diagnostic
from verifier.surfaces.exits import FINE, USAGE
from verifier.surfaces.terminal import Screen
from verifier.syntax import tree
from verifier.syntax.lexer import read
from verifier.syntax.parser import parse


def run(path: str, settings: Mapping[str, str], screen: Screen, *, canonical: bool, latex: bool, as_json: bool) -> int:
    if canonical:
        return normal_forms(path, settings, screen, latex=latex, as_json=as_json)
    source = read(path)
    if isinstance(source, Diagnostic):
        return reject((source,), {}, screen)
    file, diagnostics = parse(source)
    if diagnostics:
        return reject(diagnostics, {path: tuple(source.text.splitlines())}, screen)
    rows = [(kind(d), name(d), d.span.line, source.text[d.span.start : d.span.end]) for d in file.declarations]
    if as_json:
        listed = [{"kind": k, "name": n, "line": line, "text": text} for k, n, line, text in rows]
        screen.result(json.dumps({"schema_version": 1, "path": path, "declarations": listed}, indent=2) + "\n")
    elif rows:
        table = [[str(line), k, n, shortened(text, k, n)] for k, n, line, text in rows]
        screen.result("".join(f"{line}\n" for line in columns(table, 2)))
    return FINE


def normal_forms(path: str, settings: Mapping[str, str], screen: Screen, *, latex: bool, as_json: bool) -> int:
    from verifier import api

    options = api.Options(settings=settings)
    loaded = api.load(path, options)
    if any(d.severity == "error" for d in loaded.diagnostics):
        return reject(loaded.diagnostics, loaded.lines, screen)
    text = api.show(path, options, latex)
    if as_json:
        text = json.dumps({"schema_version": 1, "path": path, "latex" if latex else "canonical": text}, indent=2)
    screen.result(text.rstrip("\n") + "\n")
    return FINE


def reject(diagnostics: tuple[Diagnostic, ...], lines: Mapping[str, tuple[str, ...]], screen: Screen) -> int:
    for diagnostic in diagnostics:
        screen.say(diagnostic_text(diagnostic, lines, screen.paint_err))
    return USAGE


def kind(declaration: tree.Declaration) -> str:
    match declaration:
        case tree.Model(kind=word) | tree.Imported(kind=word):
            return word
        case tree.PointDecl():
            return "point"
        case (
            tree.Domain()
            | tree.Labels()
            | tree.Def()
            | tree.Let()
            | tree.Param()
            | tree.Data()
            | tree.Partition()
            | tree.Assert()
            | tree.Compute()
            | tree.Use()
        ):
            return type(declaration).__name__.lower()
        case _:
            assert_never(declaration)


def name(declaration: tree.Declaration) -> str:
    match declaration:
        case tree.Labels():
            return ""
        case tree.Use(path=path):
            return path.value
        case _:
            return declaration.name.id


def shortened(text: str, kind: str, name: str) -> str:
    """One line of a declaration, without what the columns before it say."""
    uncommented = re.sub(r'("[^"\n]*")|#.*', r"\1", text)
    line = printable(" ".join(uncommented.split()))
    line = line.removeprefix(kind).lstrip().removeprefix(name).lstrip(" :=").strip()
    return line if len(line) <= 100 else line[:97] + "..."
