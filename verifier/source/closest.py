"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate a mistyped `name` most likely stands for, whatever its case; None when nothing is near."""
    from difflib import get_close_matches

    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    near = get_close_matches(name[:100].casefold(), by_folded, n=1, cutoff=0.65)
    return by_folded[near[0]] if near else None


def suggestion(name: str, known: Iterable[str], intro: str) -> str:
    """A fix for an unknown name: the closest known one, or the first few that exist."""
    names = list(dict.fromkeys(k for k in known if k))
    near = closest(name, names)
    if near:
        return f"Did you mean `{near}`?"
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"{intro} {shown}." if names else "Declare it first."
