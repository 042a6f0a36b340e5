"""`verifier fmt`: the usual layout, written in one step or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path

from verifier.report.terminal import Paint, diagnostic_text
from verifier.report.text import printable
from verifier.source import Diagnostic
from verifier.surfaces.exits import CONTRADICTED, FINE, USAGE, overall
from verifier.surfaces.place import replaced
from verifier.surfaces.terminal import Screen
from verifier.syntax.format import format_source
from verifier.syntax.lexer import decode, read

STDIN = "<stdin>"


def run(paths: Sequence[str], screen: Screen, *, check_only: bool, diff: bool, to_stdout: bool) -> int:
    """Format `paths` (none: stdin to stdout); the exit code."""
    if not paths:
        return one(STDIN, sys.stdin.buffer.read(), screen, check_only=check_only, diff=diff, to_stdout=not check_only)
    codes = []
    for path in paths:
        try:
            before = Path(path).read_bytes()
        except OSError:
            before = b""  # `one` reads again and says why not
        codes.append(one(path, before, screen, check_only=check_only, diff=diff, to_stdout=to_stdout))
    return overall(codes)


def one(path: str, before: bytes, screen: Screen, *, check_only: bool, diff: bool, to_stdout: bool) -> int:
    source = decode(path, before) if path == STDIN else read(path)
    after = (source,) if isinstance(source, Diagnostic) else format_source(source)
    if not isinstance(after, str):
        lines = {} if isinstance(source, Diagnostic) else {source.path: source.text.splitlines()}
        for diagnostic in after:
            screen.say(diagnostic_text(diagnostic, lines, screen.paint_err))
        return USAGE
    changed = after.encode() != before
    if diff and changed:
        screen.result(difference(path, before.decode("utf-8-sig"), after, screen.paint))
    elif to_stdout and not diff:
        screen.result(after)
    elif changed and not check_only and not diff:
        replaced(path, after.encode())
        screen.say(f"formatted {printable(path)}")
    if changed and check_only:
        screen.say(f"would format {printable(path)}")
        return CONTRADICTED
    return FINE


def difference(path: str, before: str, after: str, paint: Paint) -> str:
    def coloured() -> Iterator[str]:
        name = printable(path)
        for line in unified_diff(before.splitlines(), after.splitlines(), name, f"{name} (formatted)", lineterm=""):
            style = {"+": "good", "-": "bad", "@": "quiet"}.get(line[:1], "")
            yield (paint(printable(line), style) if style else printable(line)) + "\n"

    return "".join(coloured())
