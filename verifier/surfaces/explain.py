"""`verifier explain`: the assertions of a file, each with its definition, its decision and its reasons."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from verifier.api import Loaded, Options, checked, load
from verifier.model.claim import Computation, Infimum
from verifier.report.explain import explain
from verifier.report.reasons import Known
from verifier.report.terminal import block, diagnostic_text
from verifier.report.text import cells
from verifier.surfaces.exits import FINE, UNDECIDED, USAGE
from verifier.surfaces.naming import no_assertion
from verifier.surfaces.terminal import Screen
from verifier.syntax import tree

WIDTH, INDENT = 88, 12


def run(path: str, names: tuple[str, ...], settings: Mapping[str, str], timeout: float, screen: Screen) -> int:
    """Print the explanations; the exit code says whether there was anything to explain, not the verdicts."""
    loaded = load(path, Options(settings=settings, timeout=timeout))
    for diagnostic in loaded.diagnostics:
        screen.say(diagnostic_text(diagnostic, loaded.lines, screen.paint_err))
    if any(d.severity == "error" for d in loaded.diagnostics):
        return USAGE
    known = [d.name.id for d, _ in loaded.items if isinstance(d, tree.Assert)]
    if not known:
        loaded.worker.close()
        screen.say(f"{path}: No assertion to explain. Add for example `assert A: contained(f1, f2)`.")
        return UNDECIDED
    for name in names:
        if name not in known:
            loaded.worker.close()
            screen.say(no_assertion(loaded, name))
            return USAGE
    try:
        print_all(loaded, names, timeout, screen)
    finally:
        loaded.worker.close()
    return FINE


def print_all(loaded: Loaded, names: tuple[str, ...], timeout: float, screen: Screen) -> None:
    decider = loaded.decider(certifying=True)
    first, known = True, Known()
    for declaration, claim in loaded.items:
        if not isinstance(declaration, tree.Assert) or isinstance(claim, Infimum | Computation):
            continue
        if names and declaration.name.id not in names:
            continue
        result = checked(declaration, decider.decide(claim, timeout), 0.0)
        head = f"{result.name} {result.text}"
        lines = block(result, head, cells(head) + 4, screen.paint)
        lines[0] = lines[0].replace("0.00 s", "").rstrip()
        for title, sentences in explain(decider, declaration, claim, result, timeout, known):
            lines.append("")
            for i, sentence in enumerate(sentences):
                label = (
                    screen.paint(title, "strong") + " " * (INDENT - 3 - len(title)) if i == 0 else " " * (INDENT - 3)
                )
                wrapped = textwrap.wrap(sentence, WIDTH - INDENT, break_long_words=False) or [""]
                lines.append(f"   {label}{wrapped[0]}")
                lines += [" " * INDENT + line for line in wrapped[1:]]
        screen.result(("" if first else "\n") + "".join(f"{line.rstrip()}\n" for line in lines))
        first = False
