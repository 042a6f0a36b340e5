"""Pictures of answers: the region where containment fails, the modulus as a curve, the distances of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor, isclose, isnan, log10
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from verifier.language.surd import Nested, Surd, near
from verifier.report.arrangement import Drawn, Edge
from verifier.report.cells import Border, Polygon
from verifier.report.plot import (
    BLACK,
    BLUE,
    GREY,
    PAPER,
    SKY,
    VERMILLION,
    Marked,
    bounds,
    dots,
    dress,
    halo,
    laid_out,
    legend,
    path_of,
    real,
    segments,
    shortened,
    tint,
)
from verifier.report.text import ABOUT, irrational, number
from verifier.verdict.figure import Band, Curve, Line, Place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DARK = "#444444"
DASHES = (0, (2.2, 2.2))


# where containment fails


class Torn(Struct, frozen=True):
    """`words`: the region as a formula; `domain`: the outline of X."""

    title: str
    words: str
    axes: tuple[str, ...]
    domain: Sequence[Polygon]
    region: Drawn
    marked: Marked
    names: tuple[str, str]

    def draw(self, figure: Figure) -> None:
        from matplotlib.patches import PathPatch

        box = bounds(self.domain)
        (ax,) = laid_out(figure, [box], self.title, same=False)
        area = path_of(self.domain)
        ax.add_patch(PathPatch(area, facecolor=tint(GREY, 0.1), edgecolor=DARK, linewidth=0.7, zorder=1))
        if self.region.loops:
            inside = path_of(self.region.loops)
            ax.add_patch(PathPatch(inside, facecolor=tint(VERMILLION, 0.3), edgecolor="none", zorder=2))
            style: dict[str, Any] = {"edgecolor": tint(VERMILLION, 0.7), "linewidth": 0, "hatch": "////"}
            ax.add_patch(PathPatch(inside, facecolor="none", zorder=2, **style))
        segments(ax, plain(self.region.open), color=PAPER, linewidth=2.4, zorder=3)
        segments(ax, plain(self.region.open), color=BLACK, linewidth=1.3, linestyle=DASHES, zorder=4)
        segments(ax, plain(self.region.closed), color=VERMILLION, linewidth=2.6, zorder=5)
        for spots, face in ((self.region.dots, VERMILLION), (self.region.holes, PAPER)):
            for x, y in map(real, spots):
                ax.plot([x], [y], zorder=6, clip_on=False, **marker(face, VERMILLION))
        dots(ax, self.marked.points, box)
        ax.set_title(shortened(self.words, 52), fontsize=10.5, loc="left", pad=6)
        dress([ax], self.axes, box)
        model, oracle = self.names
        key: list[tuple[str, dict[str, Any]]] = []
        if self.region.loops:
            patch = {"color": tint(VERMILLION, 0.45), "linewidth": 8}
            key.append((f"here {model} tells apart what {oracle} does not", patch))
        only = f"only here {model} tells more apart"
        if self.region.closed:
            text = "rim or line that belongs to it" if self.region.loops else only
            key.append((text, {"color": VERMILLION, "linewidth": 2.6}))
        if self.region.dots:
            text = "point that belongs to it" if self.region.loops or self.region.closed else only
            key.append((text, {"linestyle": "", **marker(VERMILLION, VERMILLION)}))
        if self.region.open:
            key.append(("rim or cut that does not", {"color": BLACK, "linewidth": 1.3, "linestyle": DASHES}))
        if self.region.holes:
            key.append(("point that does not", {"linestyle": "", **marker(PAPER, VERMILLION)}))
        legend(figure, key, Marked(), columns=1)


def plain(found: Sequence[Edge]) -> list[Border]:
    return [Border(e.start, e.end, None, None) for e in found]


# the modulus

LABELLED = 6
"""Of a curve with more corners, none is named."""
ROOM = 0.08
"""Of the width of the picture: corners nearer to each other have one name."""
AXIS = 0.3
"""So far from the axis names are to the right of their corners."""
WIDE = 12
"""Letters of a number at a corner."""
SMOOTH = 100
"""So many straight lines draw a bent one."""
CLOSE = 1e-9
"""Of the height of the picture: no jump."""


class Modulus(Struct, frozen=True):
    title: str
    curve: Curve | Band
    names: tuple[str, str]

    def draw(self, figure: Figure) -> None:
        figure.set_size_inches(6.4, 4.3)
        ax = figure.subplots()
        figure.subplots_adjust(left=0.12, right=0.97, top=0.89, bottom=0.2)
        figure.suptitle(shortened(self.title, 70), fontsize=11.5, fontweight="bold", x=0.12, y=0.96, ha="left")
        lines = self.curve.upper.lines if isinstance(self.curve, Band) else self.curve.lines
        end, top = extent(lines)
        unit = top or 1.0
        if isinstance(self.curve, Band):
            between(ax, self.curve, end)
        else:
            for line in lines:
                self.line(ax, line, self.curve.lines, end, unit)
        ax.set_xlim(-0.02 * end, end)
        ax.set_ylim(-0.06 * unit, 1.14 * unit)
        model, oracle = self.names
        ax.set_xlabel(f"δ: how far apart two points may be for {oracle}")
        ax.set_ylabel(f"w(δ): how far apart they can be for {model}")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        ax.tick_params(length=3)
        key: list[tuple[str, dict[str, Any]]] = []
        finite = [line for line in lines if line.constant is not None]
        if isinstance(self.curve, Band):
            legend(figure, [("w(δ) is certainly between these", {"color": BLUE, "linewidth": 2.2})], Marked())
            return
        if any(line.attained for line in finite):
            key.append(("some pair is that far apart", solid(True)))
        if any(not line.attained and line.start != line.end for line in finite):
            key.append(("approached, not attained", solid(False)))
        if any(not line.attained and line.start == line.end for line in finite):
            key.append(("approached at this δ", {"linestyle": "", **marker(tint(BLUE, 0.4))}))
        if len(finite) < len(lines):
            key.append(("infinite", {"color": tint(GREY, 0.4), "linewidth": 8}))
        legend(figure, key, Marked())

    def line(self, ax: Axes, line: Line, lines: Sequence[Line], end: float, unit: float) -> None:
        """One line, its ends, and how it joins the one before."""
        start = float(near(line.start))
        stop = end if line.end is None else float(near(line.end))
        if line.constant is None:
            ax.axvspan(start, end, facecolor=tint(GREY, 0.16), edgecolor=tint(GREY, 0.6), hatch="////", linewidth=0)
            said = ax.text((start + end) / 2, unit * 0.54, "∞", ha="center", va="center", fontsize=22)
            halo(said)
            return
        left, right = line.near(line.start), None if line.end is None else line.near(line.end)
        steps = 1 if line.bend is None else SMOOTH
        places = [start + (stop - start) * k / steps for k in range(steps + 1)]
        heights = [line.near(Fraction(x)) for x in places]
        ax.plot(places, heights, **solid(line.attained), zorder=3, solid_capstyle="round")
        i = lines.index(line)
        before = lines[i - 1].near(line.start) if i else None
        jumps = i > 0 and before is not None and not isclose(before, left, abs_tol=CLOSE * unit)
        if jumps and before is not None and not isnan(before):
            ax.plot([start, start], [before, left], color=GREY, linewidth=0.9, linestyle=":", zorder=2)
        if jumps or line.start == line.end or i == 0:
            alone = line.start == line.end and not line.attained
            dot(ax, start, left, tint(BLUE, 0.4) if alone else BLUE if line.closed[0] else PAPER)
        following = lines[i + 1] if i + 1 < len(lines) else None
        if line.end is None or right is None:
            return
        if following is not None and not isclose(following.near(line.end), right, abs_tol=CLOSE * unit):
            dot(ax, stop, right, BLUE if line.closed[1] else PAPER)
        if len(lines) <= LABELLED and stop - start > ROOM * end:
            corner(ax, line, line.end, begins=stop < AXIS * end)
        if len(lines) <= LABELLED and (jumps or (i == 0 and left > 0)):
            corner(ax, line, line.start, begins=True)


def between(ax: Axes, band: Band, end: float) -> None:
    """Two curves, and what is between them."""
    places = [end * k / (2 * SMOOTH) for k in range(2 * SMOOTH + 1)]
    low, high = ([curve.at(Fraction(x)).near(Fraction(x)) for x in places] for curve in (band.lower, band.upper))
    ax.fill_between(places, low, high, color=tint(SKY, 0.5), linewidth=0, zorder=2)
    for heights in (low, high):
        ax.plot(places, heights, color=BLUE, linewidth=1.1, zorder=3)


def solid(attained: bool) -> dict[str, Any]:
    return {"color": BLUE, "linewidth": 2.2, "linestyle": "-" if attained else (0, (3, 1.6))}


def dot(ax: Axes, x: float, y: float, face: Any) -> None:
    """A full dot belongs to the curve, a hollow one does not."""
    ax.plot([x], [y], zorder=5, **marker(face))


def marker(face: Any, rim: str = BLUE) -> dict[str, Any]:
    return {"marker": "o", "color": face, "markeredgecolor": rim, "markeredgewidth": 1.5, "markersize": 6.5}


def corner(ax: Axes, line: Line, end: Place, begins: bool) -> None:
    """The exact place of a corner: below the line that begins there, above the one that ends there."""
    across, up = float(near(end)), line.near(end)
    bent = isinstance(end, Surd) and line.bend is not None
    height = None if isinstance(end, Nested) or bent else line.at(end)
    said = ax.annotate(
        f"({brief(irrational(end), across)}, {brief('' if height is None else irrational(height), up)})",
        (across, up),
        (9, -4) if begins else (-5, 6),
        textcoords="offset points",
        ha="left" if begins else "right",
        va="top" if begins else "bottom",
        fontsize=9,
        zorder=6,
    )
    halo(said)


def brief(exact: str, about: float) -> str:
    """An exact number, if there is one that is short."""
    return exact if 0 < len(exact) <= WIDE else f"{ABOUT} {about:.6g}"


def extent(lines: Sequence[Line]) -> tuple[float, float]:
    """How far to the right, and how high."""
    last = max((near(x) for line in lines for x in (line.start, line.end) if x is not None), default=Fraction(0))
    end = Fraction(4, 3) * last if last else Fraction(1)
    tops = [line.near(end if line.end is None else line.end) for line in lines if line.constant is not None]
    return float(end), max(tops, default=0.0)


# the distances of a data set

BARS = 12


class Distances(Struct, frozen=True):
    """`rows`: the number of each row of the data and its distance (None: infinite), the least first; `lines`: where the
    least ones stand in the file, with their distance in words; `radius`: the one that was asked about."""

    title: str
    what: str
    rows: Sequence[tuple[int, Fraction | None]]
    least: Sequence[str]
    total: int
    radius: Fraction | None

    def draw(self, figure: Figure) -> None:
        figure.set_size_inches(7.6, 4.3)
        ax = figure.subplots()
        figure.subplots_adjust(left=0.09, right=0.68, top=0.89, bottom=0.2)
        figure.suptitle(shortened(self.title), fontsize=11.5, fontweight="bold", x=0.09, y=0.96, ha="left")
        finite = [d for _, d in self.rows if d is not None]
        infinite = len(self.rows) - len(finite)
        width = step(max(finite, default=Fraction(0)))
        counts: dict[int, list[Fraction]] = {}
        for d in finite:
            counts.setdefault(floor(d / width), []).append(d)
        last = max(counts, default=0)
        for k, found in counts.items():
            below = [d for d in found if self.radius is not None and d < self.radius]
            base = 0
            for part, color, hatch in ((below, VERMILLION, "////"), (found, SKY, "")):
                height = len(part) - base
                if height:
                    bar(ax, float(k * width), height, float(width), base, color, hatch)
                base = len(part)
        if infinite:
            at = float((last + 2) * width)
            bar(ax, at, infinite, float(width), 0, GREY, "xxx")
            ax.text(at + float(width) / 2, infinite, "∞", ha="center", va="bottom", fontsize=13)
        middle = self.rows[(len(self.rows) - 1) // 2][1]
        key: list[tuple[str, dict[str, Any]]] = []
        if middle is not None:
            style: dict[str, Any] = {"color": BLACK, "linewidth": 1.2, "linestyle": DASHES}
            ax.axvline(float(middle), **style)
            key.append((f"median {number(middle)}", style))
        if self.radius is not None:
            style = {"color": VERMILLION, "linewidth": 2.0}
            ax.axvline(float(self.radius), **style)
            key.append((f"radius {number(self.radius)}: nearer rows hatched", style))
        right = (last + (3 if infinite else 1)) * width
        ax.set_xlim(0, 1.02 * float(max(right, self.radius or right)))
        ax.set_xticks([t for t in ax.get_xticks() if t <= float((last + 1) * width)])
        ax.locator_params(axis="y", integer=True)
        ax.set_xlabel(self.what)
        ax.set_ylabel(f"rows (of {self.total})")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        ax.tick_params(length=3)
        ax.text(1.06, 1.0, "Least robust", transform=ax.transAxes, va="top", fontsize=10, fontweight="bold")
        ax.text(1.06, 0.93, "\n".join(self.least), transform=ax.transAxes, va="top", fontsize=9, linespacing=1.6)
        legend(figure, key, Marked())


def bar(ax: Axes, left: float, height: int, width: float, base: int, color: str, hatch: str) -> None:
    ax.bar(
        left, height, width, base, align="edge", facecolor=tint(color, 0.5), edgecolor=DARK, linewidth=0.8, hatch=hatch
    )


def step(largest: Fraction) -> Fraction:
    """A round width of which about a dozen make up the largest distance."""
    if not largest:
        return Fraction(1)
    power = Fraction(10) ** floor(log10(float(largest) / BARS))
    return next(m * power for m in (1, 2, 5, 10, 20) if m * power * BARS >= largest)
