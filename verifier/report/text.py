"""Numbers, values and names as plain text that is safe to show."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction

from verifier.language.root import Root
from verifier.language.surd import Nested, Surd
from verifier.model.program import PointValue, Value

ABOUT = "≈"
SHORT = 13
"""A rational of at most so many characters is shown as it is."""


def printable(text: str) -> str:
    """`text` with control, invisible and unpaired characters spelled out."""
    return "".join(c if c.isprintable() else spelled(c) for c in text)


def spelled(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in printable(text)
    )


def pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def exact(value: Fraction) -> str:
    """`p` or `p/q`, all digits, however many."""
    # Decimal, because int -> str stops at 4300 digits
    top = format(Decimal(value.numerator), "f")
    return top if value.denominator == 1 else f"{top}/{format(Decimal(value.denominator), 'f')}"


def decimal(value: Fraction, digits: int) -> str:
    """The decimal nearest to `value` with so many significant digits, trailing zeros dropped."""
    context = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN)
    near = context.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize(context)
    return format(near, "f") if -5 <= near.adjusted() < 15 else format(near, "e").replace("e+", "e")


def number(value: Fraction, digits: int = 6, short: int = SHORT) -> str:
    """Exact when that is short, otherwise rounded and marked with `≈`."""
    size = value.numerator.bit_length() + value.denominator.bit_length()
    if size <= 4 * short and len(text := exact(value)) <= short:
        return text
    return f"{ABOUT} {decimal(value, digits)}"


def distance_text(value: Fraction | Root | Surd) -> str:
    """A number; a root as it is written where that is short, and about how much it is."""
    if isinstance(value, Fraction):
        return number(value)
    near = f"{ABOUT} {decimal(value.near, 6)}"
    if isinstance(value, Surd):
        return near if len(str(value)) > 2 * SHORT else f"{value} {near}"
    text = number(value.square)
    return near if ABOUT in text else f"sqrt({text}) {near}"


def irrational(value: Fraction | Root | Surd | Nested) -> str:
    """A number exactly where that is short; a nested root is rounded."""
    if isinstance(value, Fraction):
        return number(value)
    text = str(value)
    return text if len(text) <= 2 * SHORT and not isinstance(value, Nested) else f"{ABOUT} {decimal(value.near, 6)}"


def value_text(value: Value, digits: int = 6) -> str:
    match value:
        case Fraction():
            return number(value, digits)
        case str():
            return printable(value)
        case _:
            return "[" + ", ".join(value_text(v, digits) for v in value) + "]"


def told_apart(values: Sequence[Value]) -> list[str]:
    """The values as text, with enough digits that different ones look different."""
    for digits in (6, 10, 17, 34, 60):
        texts = [value_text(v, digits) for v in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


WIDE = 4
"""A longer vector is shown entry by entry."""


def entries(point: PointValue) -> dict[str, Value]:
    """A point row by row: `size`, a short vector as it is, a long one as `x[0]`, `x[1]`, ..."""
    rows: dict[str, Value] = {}
    for name, value in point.items():
        if isinstance(value, tuple) and len(value) > WIDE:
            rows.update({f"{name}[{i}]": v for i, v in enumerate(value)})
        else:
            rows[name] = value
    return rows


def point_text(point: Mapping[str, Value], limit: int = 12) -> str:
    """`size = 1/2, hue = 0`, at most `limit` of them."""
    rows = list(entries(point).items())
    shown = ", ".join(f"{printable(name)} = {value_text(value)}" for name, value in rows[:limit])
    return shown if len(rows) <= limit else f"{shown}, and {len(rows) - limit} more"


def counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
