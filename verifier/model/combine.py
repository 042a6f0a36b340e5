"""Sums and maxima of metrics, with multiples of one metric put together: `l2 + l2` is `2 * l2`, so that what is exact
for one root stays exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Literal

from msgspec.structs import replace

from verifier.model.program import MetricUse
from verifier.source.text import Span


def combined(span: Span, join: Literal["sum", "max"], parts: Iterable[MetricUse]) -> MetricUse:
    """The sum or the maximum of metrics on the same features."""
    found: list[MetricUse] = []
    for part in flat(join, parts):
        for k, other in enumerate(found):
            if (times := multiple(part, other)) is not None:
                factor = 1 + times if join == "sum" else max(Fraction(1), times)
                found[k] = replace(other, factor=other.factor * factor)
                break
        else:
            found.append(part)
    return replace(found[0], span=span) if len(found) == 1 else MetricUse(span, join=join, parts=tuple(found))


def flat(join: str, parts: Iterable[MetricUse]) -> Iterator[MetricUse]:
    """A sum of sums is a sum, also a multiple of one; a maximum likewise."""
    for part in parts:
        if part.join == join:
            yield from (replace(p, factor=part.factor * p.factor) for p in flat(join, part.parts))
        else:
            yield part


def multiple(part: MetricUse, other: MetricUse) -> Fraction | None:
    """How many times `other` a metric is, if that is seen by its words: norms divide by their scales."""
    alike = replace(part, span=other.span, scales=other.scales, factor=other.factor) == other
    shares = {b / a for a, b in zip(part.scales, other.scales, strict=False)} or {Fraction(1)}
    homogeneous = part.is_quadratic or part.is_norm
    if not alike or part.join or len(shares) > 1 or not (homogeneous or shares == {1}):
        return None
    return part.factor / other.factor * shares.pop()
