"""Numbers from text, exactly: what matrices and data sets are made of."""

from __future__ import annotations

import re
from fractions import Fraction

from verifier.importers.failure import ImportFailed

MOST_CELLS = 1_000_000
MOST_DIGITS = 200
MOST_EXPONENT = 400

NUMBER = re.compile(r"[+-]?(?:([0-9]+)/([0-9]+)|([0-9]*)(?:\.([0-9]*))?(?:[eE][+-]?([0-9]+))?)")


def number(text: str, place: str) -> Fraction:
    """The rational that `text` writes: `1/3`, `0.25`, `-1e-3`. ImportFailed begins with `place`."""
    match = NUMBER.fullmatch(text)
    if match is None or not any(match.group(1, 3, 4)):
        raise ImportFailed(f"{place}: `{shown(text)}` is not a number.", "Write for example `1/3`, `0.25` or `1e-3`.")
    if sum(len(digits or "") for digits in match.groups()[:4]) > MOST_DIGITS:
        raise ImportFailed(f"{place}: the number has more than {MOST_DIGITS} digits.")
    exponent = (match[5] or "").lstrip("0")
    if len(exponent) > 3 or int(exponent or 0) > MOST_EXPONENT:
        raise ImportFailed(f"{place}: the exponent is larger than {MOST_EXPONENT}.")
    if match[2] is not None and not match[2].strip("0"):
        raise ImportFailed(f"{place}: the denominator is 0.")
    return Fraction(text)


def shown(text: str) -> str:
    """The beginning of a cell."""
    return text if len(text) <= 40 else text[:40] + "..."
