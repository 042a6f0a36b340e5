"""What the engines were asked: what a page and a document say of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import wrap

from verifier.engines.asked import Asked, Turn
from verifier.report.rows import Json
from verifier.report.text import counted, printable
from verifier.verdict.verdict import Certificate

LISTED = 6
"""Of more questions those that took the same way become one line, and only so many lines are shown."""
ONE = {"branches": "branch", "linear_programs": "linear program", "boxes": "box", "pairs": "pair"}


def asked_lines(asked: Sequence[Asked], certificates: Sequence[Certificate], width: int, margin: str) -> list[str]:
    """One paragraph a question, and what the kernel checked."""
    groups = alike(asked) if len(asked) > LISTED else [(a, 1) for a in asked]
    said = [f"asked  {in_words(a, n)}" for a, n in groups[:LISTED]]
    if rest := sum(n for _, n in groups[LISTED:]):
        said.append(f"asked  {rest} more: --json has all of them")
    if certificates:
        steps, seconds = sum(c.steps for c in certificates), sum(c.seconds for c in certificates)
        said.append(f"kernel  {counted(len(certificates), 'proof')}, {counted(steps, 'step')}, {seconds:.2f} s")
    elif not asked:
        said.append("asked  nothing")
    return [line for text in said for line in paragraph(text, width, margin)]


def paragraph(text: str, width: int, margin: str) -> list[str]:
    """Lines in which a number stays beside what it counts."""
    glued = re.sub(r"(\d) (?=\w)", "\\1\0", printable(text))
    lines = wrap(
        glued,
        width,
        initial_indent=margin,
        subsequent_indent=2 * margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in lines]


def alike(asked: Sequence[Asked]) -> list[tuple[Asked, int]]:
    """Questions of one size whose engines came to the same ends: their sum, and how many; most first."""
    groups: dict[object, list[Asked]] = {}
    for a in asked:
        way = tuple((t.engine, t.outcome, t.wanted, t.reason) for t in a.turns)
        groups.setdefault((a.inputs, a.choices, a.order, way), []).append(a)
    summed = [(Asked(g[0].inputs, g[0].choices, g[0].order, added(g)), len(g)) for g in groups.values()]
    return sorted(summed, key=lambda pair: -pair[1])


def added(group: Sequence[Asked]) -> list[Turn]:
    """Turn by turn, what they took together."""
    turns = []
    for column in zip(*(a.turns for a in group), strict=True):
        work: dict[str, int] = {}
        for what, n in (pair for t in column for pair in t.work):
            work[what] = work.get(what, 0) + n
        first = column[0]
        seconds = sum(t.seconds for t in column)
        turns.append(
            Turn(first.engine, first.outcome, seconds, first.by, tuple(work.items()), first.wanted, first.reason)
        )
    return turns


def in_words(asked: Asked, count: int) -> str:
    times = "" if count == 1 else f"{count} times  "
    order = f" ({asked.order})" if asked.order else ""
    size = f"{counted(asked.inputs, 'input')}, {counted(asked.choices, 'choice')}{order}"
    return f"{times}{size}: {' · '.join(map(turn_in_words, asked.turns))}"


def turn_in_words(turn: Turn) -> str:
    wanted = f" for {turn.wanted}" if turn.wanted else ""
    why = f" ({turn.reason})" if turn.reason else ""
    took = "".join(f", {n} {ONE[what] if n == 1 else what.replace('_', ' ')}" for what, n in turn.work)
    return f"{turn.engine}{wanted} {turn.seconds:.2f} s {turn.outcome}{why}{took}"


def asked_json(asked: Sequence[Asked] | None) -> Mapping[str, Json]:
    """The key `asked`, where it is wanted."""
    if asked is None:
        return {}
    return {
        "asked": [
            {
                "inputs": a.inputs,
                "choices": a.choices,
                "order": a.order or None,
                "turns": [turn_json(t) for t in a.turns],
            }
            for a in asked
        ]
    }


def turn_json(turn: Turn) -> Mapping[str, Json]:
    return {
        "engine": turn.engine,
        "wanted": turn.wanted or None,
        "outcome": turn.outcome,
        "reason": turn.reason or None,
        "seconds": round(turn.seconds, 6),
        "work": dict(turn.work),
    }
