"""Two pictures in one file: how many instances each contender decides within how many seconds, and peers against us."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import OURS, Result


def draw(results: Sequence[Result], peers: Sequence[str], seconds: float, path: Path) -> None:
    """Writes the picture; what is not decided stands at the limit of time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (cactus, scatter) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for name in (OURS, *peers):
        times = sorted(j[name].cpu for _, j in results if j[name].decided)
        cactus.step([0, *range(1, len(times) + 1)], [times[0] if times else seconds, *times], where="pre", label=name)
    cactus.set(yscale="log", xlabel="instances decided", ylabel="CPU seconds of each", title="decided within")
    cactus.legend()
    for peer in peers:
        mine = [j[OURS].cpu if j[OURS].decided else seconds for _, j in results]
        theirs = [j[peer].cpu if j[peer].decided else seconds for _, j in results]
        scatter.plot(mine, theirs, "o", alpha=0.7, label=peer)
    ends = (0.01, seconds * 1.5)
    scatter.plot(ends, ends, color="grey", linewidth=0.8)
    scatter.set(
        xscale="log",
        yscale="log",
        xlabel=f"{OURS}: CPU seconds",
        ylabel="peer: CPU seconds",
        title="above the line: slower than us",
    )
    if peers:
        scatter.legend()
    figure.savefig(path)
    pyplot.close(figure)
