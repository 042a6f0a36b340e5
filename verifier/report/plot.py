"""Pictures of exact cells, drawn by matplotlib (the extra `plot`). Rationals become floats only here.

Colours are those of Okabe and Ito, and every region has a hatch and a name of its own, so that a picture can be read in
grey and by colour-blind readers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, cast

from msgspec import Struct

from verifier.report.cells import Border, Polygon, Vertex

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE, GREY = (
    "#000000 #E69F00 #56B4E9 #009E73 #F0E442 #0072B2 #D55E00 #CC79A7 #8A8A8A".split()
)
FILLS = (
    (SKY, ""),
    (ORANGE, "////"),
    (GREEN, "||||"),
    (PURPLE, "\\\\\\\\"),
    (YELLOW, "xxx"),
    (BLUE, "---"),
    (GREY, "+++"),
)
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.linewidth": 0.8,
    "axes.edgecolor": "#444444",
    "axes.labelcolor": "#222222",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "hatch.linewidth": 0.55,
    "svg.hashsalt": "verifier",
    "svg.fonttype": "path",
    "path.simplify": False,
}
PAPER = "#FFFFFF"
DRAWN_BY = "verifier, with Matplotlib"
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
NEAR = 1 / 50
"""Ends of lines that are nearer than this share of a picture have one number together."""
RUNS = 4
"""A list of more stretches of numbers is too long."""


class NoMatplotlib(Exception):
    """The extra is not installed."""


class Region(Struct, frozen=True):
    """All of a plane that gets one label. `index`: of the label, for its colour."""

    label: str
    index: int
    loops: Sequence[Polygon]


class Panel(Struct, frozen=True):
    """The decision regions of one classifier. `own`, `other`: its decision boundary, and the other classifier's;
    `cuts`: the part of its own that runs inside of a class of the oracle; `thin`: the labels that it gives on lines or
    points only, which no colour shows."""

    title: str
    regions: Sequence[Region]
    own: Sequence[Border]
    other: Sequence[Border]
    cuts: Sequence[Border]
    thin: Sequence[str] = ()


class Marked(Struct, frozen=True):
    """Points by name, and what the oracle takes for near or equal to the first one."""

    points: Sequence[tuple[str, Vertex]] = ()
    ball: Sequence[Polygon] = ()
    fibre: Sequence[Polygon] = ()
    said: str = ""


class Regions(Struct, frozen=True):
    title: str
    axes: tuple[str, ...]
    panels: Sequence[Panel]
    marked: Marked
    names: tuple[str, str]
    """The model and the oracle."""

    def draw(self, figure: Figure) -> None:
        draw_regions(figure, self)


class Fibre(Struct, frozen=True):
    """What the oracle takes for one point, and its image in the model's feature space."""

    pieces: Sequence[Polygon]
    images: Sequence[tuple[Vertex, ...]]
    torn: bool


class Fibres(Struct, frozen=True):
    title: str
    axes: tuple[str, ...]
    features: tuple[str, str]
    """The axes of the right picture."""
    regions: Sequence[Region]
    shadows: Sequence[tuple[int, tuple[Vertex, ...]]]
    """The image of every cell, with the index of its label."""
    fibres: Sequence[Fibre]
    marked: Marked
    seen: Sequence[tuple[str, Vertex]]
    """The images of the marked points."""
    names: tuple[str, str]

    def draw(self, figure: Figure) -> None:
        draw_fibres(figure, self)


class Picture(Protocol):
    """What can be drawn. `title`: of the file, and above the picture."""

    @property
    def title(self) -> str: ...

    def draw(self, figure: Figure) -> None: ...


def rendered(picture: Picture, kind: str) -> bytes:
    """The picture as `svg` or `png`; it says who drew it. Raises NoMatplotlib."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise NoMatplotlib from None
    with matplotlib.rc_context(cast(Any, STYLE)):
        figure = Figure(facecolor=PAPER)
        picture.draw(figure)
        author = {"Creator": DRAWN_BY, "Date": None} if kind == "svg" else {"Software": DRAWN_BY}
        metadata = {"Title": picture.title, **author}
        drawn = BytesIO()
        figure.savefig(drawn, format=kind, dpi=160, metadata=metadata, bbox_inches="tight", pad_inches=0.12)
    return slim(drawn.getvalue()) if kind == "svg" else drawn.getvalue()


def slim(svg: bytes) -> bytes:
    """The same drawing with a hundredth of a point as its finest measure, a path a line."""

    def path(match: re.Match[bytes]) -> bytes:
        return re.sub(rb"\d+\.\d{3,}", lambda n: b"%.2f" % float(n[0]), b" " + b" ".join(match[0].split()))

    return re.sub(rb' d="[^"]*"', path, svg)


# regions


def draw_regions(figure: Figure, picture: Regions) -> None:
    box = bounds([loop for panel in picture.panels for r in panel.regions for loop in r.loops])
    axes = laid_out(figure, [box] * len(picture.panels), picture.title, same=True)
    marked = picture.marked
    dots_ = [(v, v) for _, v in marked.points]
    arrows = [(a[1], b[1]) for a, b in pairwise(marked.points)]
    round_ = [side for loop in (*marked.ball, *marked.fibre) for side in sides(loop)]
    for ax, panel in zip(axes, picture.panels, strict=True):
        fill(ax, panel.regions)
        segments(ax, panel.other, color="#444444", linewidth=1.1, linestyle=(0, (4, 3)), zorder=3)
        segments(ax, panel.own, color=BLACK, linewidth=1.5, zorder=4)
        segments(ax, panel.cuts, color=VERMILLION, linewidth=3.2, zorder=5)
        mark(ax, picture.marked, box)
        for region in panel.regions:
            drawn = [(b.start, b.end) for b in (*panel.own, *panel.other)]
            name(ax, region, box, [*dots_, *arrows, *round_, *drawn])
        thin = f"; on lines or points: {shortened(', '.join(panel.thin), 20)}" if panel.thin else ""
        ax.set_title(panel.title + thin, fontsize=11, loc="left", pad=6)
    dress(axes, picture.axes, box)
    key: list[tuple[str, dict[str, Any]]] = []
    model, oracle = picture.names
    if any(p.cuts for p in picture.panels):
        key.append((f"{model} cuts a class of {oracle}", {"color": VERMILLION, "linewidth": 3.2}))
    if any(p.other for p in picture.panels):
        key.append(("boundary of the other one", {"color": "#444444", "linewidth": 1.1, "linestyle": (0, (4, 3))}))
    legend(figure, key, picture.marked)


def fill(ax: Axes, regions: Sequence[Region], faint: bool = False) -> None:
    from matplotlib.patches import PathPatch

    for region in regions:
        color, hatch = FILLS[region.index % len(FILLS)]
        path = path_of(region.loops)
        ax.add_patch(PathPatch(path, facecolor=tint(color, 0.12 if faint else 0.34), edgecolor="none", zorder=1))
        if hatch and not faint:
            hatched = PathPatch(path, facecolor="none", edgecolor=tint(color, 0.75), linewidth=0, hatch=hatch, zorder=2)
            ax.add_patch(hatched)


def mark(ax: Axes, marked: Marked, box: Box) -> None:
    """The ball or fibre around the first point, and the points."""
    from matplotlib.patches import PathPatch

    if marked.ball:
        path = path_of(marked.ball)
        ax.add_patch(PathPatch(path, facecolor=(1, 1, 1, 0.4), edgecolor="none", zorder=2.5))
        ax.add_patch(PathPatch(path, facecolor="none", edgecolor=BLUE, linewidth=1.6, linestyle="--", zorder=6))
    lines(ax, marked.fibre, color=tint(BLUE, 0.6), linewidth=6, zorder=2.6)
    dots(ax, marked.points, box)


def dots(ax: Axes, points: Sequence[tuple[str, Vertex]], box: Box) -> None:
    """Named points: the first round, the second a diamond, an arrow from one to the other."""
    places = [real(v) for _, v in points]
    if len(places) == 2 and places[0] != places[1]:
        arrow = {"arrowstyle": "-|>", "color": BLACK, "linewidth": 1.1, "shrinkA": 4, "shrinkB": 4}
        ax.annotate("", places[1], places[0], arrowprops=arrow, zorder=8)
    for i, ((called, _), (x, y)) in enumerate(zip(points, places, strict=True)):
        ax.plot([x], [y], "oDs^"[i % 4], color=BLACK, markeredgecolor=PAPER, markersize=7, zorder=9, clip_on=False)
        across, up = (x - box[0]) / (box[2] - box[0] or 1), (y - box[1]) / (box[3] - box[1] or 1)
        left = across > 0.88 or (across > 0.12 and any(p[0] > x and abs(p[1] - y) < p[0] - x for p in places))
        offset = (-9 if left else 9, 8 if up < 0.08 else -8 if up > 0.92 else 0)
        text = ax.annotate(
            called.replace("'", "′"),
            (x, y),
            offset,
            textcoords="offset points",
            ha="left" if offset[0] > 0 else "right",
            va="center",
            fontsize=11,
            fontstyle="italic",
            fontweight="bold",
            zorder=10,
        )
        halo(text)


def name(ax: Axes, region: Region, box: Box, obstacles: Sequence[tuple[Vertex, Vertex]]) -> None:
    """The label of a region, where there is most room for it."""
    import numpy as np

    x0, y0, x1, y1 = box
    xs, ys = np.meshgrid(np.linspace(x0, x1, 81)[1:-1], np.linspace(y0, y1, 81)[1:-1])
    grid = np.column_stack([xs.ravel(), ys.ravel()])
    inside = np.zeros(len(grid), dtype=int)
    for loop in region.loops:
        inside += path_of([loop]).contains_points(grid)
    grid = grid[inside % 2 == 1]
    if not len(grid):
        return
    scale = np.array([(x1 - x0) * 1.6, y1 - y0])  # words are wide
    room = np.full(len(grid), np.inf)
    for start, end in (*(side for loop in region.loops for side in sides(loop)), *obstacles):
        a, d = np.array(real(start)) / scale, (np.array(real(end)) - np.array(real(start))) / scale
        s = np.clip(((grid / scale - a) @ d) / (d @ d or 1), 0, 1)
        room = np.minimum(room, np.hypot(*(grid / scale - a - s[:, None] * d).T))
    grid = grid[room >= 0.97 * room.max()]
    x, y = grid[int(np.argmin(np.hypot(*((grid - np.mean(grid, axis=0)) / scale).T)))]
    text = ax.text(x, y, region.label, ha="center", va="center", fontsize=11, zorder=7)
    halo(text)


# fibres


def draw_fibres(figure: Figure, picture: Fibres) -> None:
    left = bounds([loop for r in picture.regions for loop in r.loops])
    right = bounds([v for _, v in picture.shadows] + [v for f in picture.fibres for v in f.images])
    axes = laid_out(figure, [left, right], picture.title, same=False)
    fill(axes[0], picture.regions, faint=True)
    for index, shadow in picture.shadows:
        lines(axes[1], [shadow], color=tint(FILLS[index % len(FILLS)][0], 0.16), linewidth=0.6, zorder=1)
    for fibre in picture.fibres:
        style: dict[str, Any] = (
            {"color": VERMILLION, "linewidth": 2.2, "zorder": 5}
            if fibre.torn
            else {"color": GREEN, "linewidth": 1.6, "linestyle": (0, (5, 2)), "zorder": 4}
        )
        for ax, shown in ((axes[0], fibre.pieces), (axes[1], fibre.images)):
            lines(ax, shown, **style)
    sides_ = (axes[0], left, [f.pieces for f in picture.fibres]), (axes[1], right, [f.images for f in picture.fibres])
    for ax, box, shapes in sides_:
        for place, numbers in numbered(shapes, box):
            torn = {picture.fibres[n - 1].torn for n in numbers}
            number(ax, listed(numbers), place, "#444444" if len(torn) > 1 else VERMILLION if True in torn else GREEN)
    dots(axes[0], picture.marked.points, left)
    dots(axes[1], picture.seen, right)
    model, oracle = picture.names
    axes[0].set_title(f"what is one point for {oracle}", fontsize=11, loc="left", pad=12)
    axes[1].set_title(f"the same lines, seen by {model}", fontsize=11, loc="left", pad=12)
    dress(axes[:1], picture.axes, left)
    dress(axes[1:], picture.features, right)
    key: list[tuple[str, dict[str, Any]]] = []
    if any(f.torn for f in picture.fibres):
        key.append((f"torn apart by {model}", {"color": VERMILLION, "linewidth": 2.2}))
    if not all(f.torn for f in picture.fibres):
        key.append((f"one point for {model}, too", {"color": GREEN, "linewidth": 1.6, "linestyle": (0, (5, 2))}))
    legend(figure, key, Marked())


def numbered(fibres: Sequence[Sequence[Sequence[Vertex]]], box: Box) -> list[tuple[tuple[float, float], list[int]]]:
    """The upper end of every connected part of a fibre, with the numbers of all that end there: so near that it is one
    place on paper."""
    found: list[tuple[tuple[float, float], list[int]]] = []
    for n, shapes in enumerate(fibres, start=1):
        for part in connected(shapes):
            x, y = max(map(real, part), key=lambda v: (round(v[1], 9), v[0]))
            for (u, v), numbers in found:
                if abs(u - x) <= NEAR * (box[2] - box[0]) and abs(v - y) <= NEAR * (box[3] - box[1]):
                    numbers += [n] if n not in numbers else []
                    break
            else:
                found.append(((x, y), [n]))
    return found


def connected(shapes: Sequence[Sequence[Vertex]]) -> list[set[Vertex]]:
    """The vertices of shapes that hang together by them."""
    parts: list[set[Vertex]] = []
    for shape in filter(None, shapes):
        touching = [p for p in parts if not p.isdisjoint(shape)]
        parts = [p for p in parts if p not in touching] + [set(shape).union(*touching)]
    return parts


def listed(numbers: Sequence[int]) -> str:
    """`1, 3–5` of increasing numbers; of a long list how many they are."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    parts = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(parts) if len(parts) <= RUNS else f"{len(numbers)} lines"


def number(ax: Axes, text: str, place: tuple[float, float], color: str) -> None:
    said = ax.annotate(
        text, place, (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=8, color=color, zorder=6
    )
    halo(said)


# what both need


def laid_out(figure: Figure, boxes: Sequence[Box], title: str, same: bool) -> list[Axes]:
    """One axes for each box, side by side."""
    wide = 3.3 * max(1.0, *(1 / ratio(b) for b in boxes)) if all(even(b) for b in boxes) else 3.3
    figure.set_size_inches((wide + (0.3 if same else 0.75)) * len(boxes) + 0.6, 4.3)
    axes = list(figure.subplots(1, len(boxes), squeeze=False, sharex=same, sharey=same)[0])
    figure.subplots_adjust(left=0.09, right=0.98, top=0.83, bottom=0.2, wspace=0.1 if same else 0.28)
    if title:
        figure.suptitle(shortened(title), fontsize=11.5, fontweight="bold", x=0.09, y=0.985, ha="left")
    return axes


def ratio(box: Box) -> float:
    """Height by width."""
    return ((box[3] - box[1]) or 1) / ((box[2] - box[0]) or 1)


def even(box: Box) -> bool:
    """Both axes can have one scale."""
    return 0.55 <= ratio(box) <= 1.2


def dress(axes: Sequence[Axes], names: Sequence[str], box: Box) -> None:
    x0, y0, x1, y1 = box
    dx, dy = (x1 - x0) * 0.03 or 0.5, (y1 - y0) * 0.03 or 0.5
    for i, ax in enumerate(axes):
        ax.set_xlim(x0 - dx, x1 + dx)
        ax.set_ylim(y0 - dy, y1 + dy)
        if even(box):
            ax.set_aspect("equal", adjustable="box")
        ax.set_xlabel(names[0])
        if not i:
            ax.set_ylabel(names[1])
        ax.locator_params(nbins=6)
        ax.tick_params(length=3)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)


def legend(figure: Figure, key: Sequence[tuple[str, dict[str, Any]]], marked: Marked, columns: int = 3) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=text, **style) for text, style in key]
    if marked.said:
        style = {"linewidth": 1.7, "linestyle": "--"} if marked.ball else {"linewidth": 6, "alpha": 0.6}
        handles.append(Line2D([], [], label=marked.said, color=BLUE, **style))
    if handles:
        figure.legend(
            handles=handles, loc="upper center", bbox_to_anchor=(0.53, 0.085), ncol=columns, frameon=False, fontsize=9.5
        )


def segments(ax: Axes, found: Sequence[Border], **style: Any) -> None:
    from matplotlib.collections import LineCollection

    if found:
        ax.add_collection(LineCollection([[real(b.start), real(b.end)] for b in found], capstyle="round", **style))


def lines(ax: Axes, shapes: Sequence[Sequence[Vertex]], color: Any, zorder: float, **style: Any) -> None:
    """Points, segments and polygons alike."""
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Polygon as Patch

    straight_ = []
    for shape in shapes:
        vertices = [real(v) for v in shape]
        if len(vertices) == 1:
            ax.plot(*vertices[0], "o", color=color, markersize=4.5, zorder=zorder, clip_on=False)
        elif len(vertices) == 2:
            straight_.append(vertices)
        elif vertices:
            ax.add_patch(Patch(vertices, closed=True, facecolor=color, edgecolor=color, zorder=zorder, linewidth=0.6))
    if straight_:
        ax.add_collection(LineCollection(straight_, colors=[color], capstyle="round", zorder=zorder, **style))


def sides(loop: Polygon) -> list[tuple[Vertex, Vertex]]:
    return list(zip(loop, (*loop[1:], *loop[:1]), strict=True))


def path_of(loops: Sequence[Polygon]) -> Any:
    from matplotlib.path import Path as Outline

    vertices: list[tuple[float, float]] = []
    codes: list[Any] = []
    for loop in loops:
        corners = [real(v) for v in loop]
        vertices += [*corners, corners[0]]
        codes += [Outline.MOVETO, *[Outline.LINETO] * (len(corners) - 1), Outline.CLOSEPOLY]
    return Outline(vertices, codes)


def bounds(shapes: Sequence[Sequence[Vertex]]) -> Box:
    points = [real(v) for shape in shapes for v in shape]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def real(vertex: tuple[Fraction, ...]) -> tuple[float, float]:
    return float(vertex[0]), float(vertex[1])


def tint(color: str, strength: float) -> tuple[float, float, float]:
    """The colour on white paper."""
    r, g, b = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 1 - strength * (1 - r), 1 - strength * (1 - g), 1 - strength * (1 - b)


def halo(text: Any) -> None:
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=2.6, foreground=PAPER)])


def shortened(title: str, most: int = 88) -> str:
    return title if len(title) <= most else title[: most - 1].rstrip() + "…"
