"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate a mistyped `name` most likely stands for, whatever its case; None when nothing is near."""
    from difflib import get_close_matches

    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    near = get_close_matches(name[:100].casefold(), by_folded, n=1, cutoff=0.65)
    return by_folded[near[0]] if near else None


def suggestion(name: str, known: Iterable[str], intro: str, shown: Iterable[str] | None = None) -> str:
    """A fix for an unknown name: the closest known one, or the first few that exist (of `shown`, if given)."""
    names = list(dict.fromkeys(k for k in known if k))
    near = closest(name, names)
    if near:
        return f"Did you mean `{near}`?"
    listed = names if shown is None else list(dict.fromkeys(shown))
    rest = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return f"{intro} {', '.join(listed[:8])}{rest}." if listed else "Declare it first."
