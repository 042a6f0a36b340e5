"""Pictures of answers: what is drawn is what was computed, and it can be written."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree
from fractions import Fraction as F
from math import isclose
from pathlib import Path

import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure
from msgspec.structs import replace

from verifier.api import Loaded, load, load_text
from verifier.language.root import Root
from verifier.language.surd import surd
from verifier.report.cells import Plane, area
from verifier.report.charts import SMOOTH, Modulus, step
from verifier.report.plot import rendered
from verifier.surfaces.cli import cli
from verifier.surfaces.pictures import distances, modulus, torn
from verifier.surfaces.plot import fixed
from verifier.verdict.figure import Curve, Line

EXAMPLES = Path(__file__).parents[2] / "examples"


def plane_of(loaded: Loaded, slice_: str = "") -> Plane:
    return Plane(loaded.program, fixed([slice_]))


def test_the_region_of_the_example() -> None:
    """The triangle below a + b = 1 has 1/2; of it the triangle below 4b + 3 = 4a is missing: 1/4 * 1/8 / 2."""
    loaded = load(EXAMPLES / "blind.vf")
    with loaded.worker:
        picture = torn(loaded, plane_of(loaded), ("f1", "f2"), 60.0)
    assert sum(area(loop) for loop in picture.region.loops) == F(1, 2) - F(1, 64)
    assert [(e.start, e.end) for e in picture.region.open] == [((F(3, 4), F(0)), (F(7, 8), F(1, 8)))]
    line = ((F(3, 4), F(1, 4)), (F(1), F(1, 4)))
    assert line in [(e.start, e.end) for e in picture.region.closed]
    assert set(picture.region.holes) == {(F(3, 4), F(0)), (F(7, 8), F(1, 8))}


@pytest.mark.parametrize(
    ("model", "dots", "lines", "said"),
    [
        ("a", 0, 0, "nowhere"),
        ("if a == 1/2 and b == 1/2 then 1 else 0", 1, 0, "a == 1/2 and b == 1/2"),
        ("step(a - b)", 0, 1, "a == b"),
    ],
)
def test_a_region_without_area_is_drawn(model: str, dots: int, lines: int, said: str) -> None:
    loaded = load_text(f"""
        domain X {{ a: real in [0, 1], b: real in [0, 1] }}
        labels {{ no, yes }}
        oracle f2 {{ features a = a, b = b  metric linf }}
        model f1 {{ features s = {model}  decide if s >= 1 then yes else no }}
    """)
    with loaded.worker:
        picture = torn(loaded, plane_of(loaded), ("f1", "f2"), 60.0)
    assert (len(picture.region.dots), len(picture.region.closed), picture.words) == (dots, lines, said)
    assert picture.region.loops == picture.region.open == picture.region.holes == ()
    ElementTree.fromstring(rendered(picture, "svg"))


SLICED = """
domain X { a: real in [0, 1], b: real in [0, 1], c: real in [0, 1], n: int in [0, 3], k: {p, q} }
labels { no, yes }
oracle f2 { features a = a, c = c, n = n, k = k  metric linf }
model f1 {
  features s = if k == p and n >= 1 then relu(a + b + c - 1) else 0
  decide   if s >= 1 then yes else no
}
"""


@pytest.mark.parametrize(
    ("slice_", "size"),
    [
        ("c=a,n=2,k=p", F(1)),  # 2a + b > 1 for some b: a > 0
        ("c=1/2-a/2,n=1,k=p", F(1)),  # a/2 + 1/2 + b > 1 for some b
        ("c=0,n=3,k=p", F(1)),
        ("b=1,n=1,k=p", F(1)),  # a + c > 0
        ("c=1,n=0,k=p", F(0)),
        ("c=1,n=2,k=q", F(0)),
    ],
)
def test_a_slice_through_more_coordinates(slice_: str, size: F) -> None:
    loaded = load_text(SLICED)
    with loaded.worker:
        plane = plane_of(loaded, slice_)
        picture = torn(loaded, plane, ("f1", "f2"), 60.0)
    assert sum((area(loop) for loop in picture.region.loops), F(0)) == size


def test_the_curve_and_the_distances() -> None:
    loaded = load(EXAMPLES / "curve.vf")
    with loaded.worker:
        assert [line.attained for line in modulus(loaded, ("f1", "f2"), 60.0).curve.lines] == [True, True, False]
    loaded = load(EXAMPLES / "iris_rows.vf")
    with loaded.worker:
        picture = distances(loaded, "nearest_row", 60.0)
    values = [d for _, d in picture.rows]
    assert picture.total == len(values) == 50
    assert values == sorted(values, key=lambda d: (d is None, d))
    assert picture.least[0].startswith("row 26 (line 27): ")
    assert picture.radius is None


def test_corners_at_sums_of_roots_have_short_names_beside_each_other() -> None:
    """Long numbers are rounded, and of two corners that are close the first one is named."""
    end = surd(Root(F(181))) * F(2, 9) - F(16, 9)
    line = Line(F(0), F(1), (True, True), F(0), F(3), True)
    lines = (
        line,
        replace(line, start=F(1), end=end, closed=(False, True), slope=F(0), bend=(F(4), F(-8), F(13))),
        replace(line, start=end, end=surd(Root(F(2))) + 1, closed=(False, True), slope=F(5, 2)),
        replace(line, start=surd(Root(F(2))) + 1, end=F(4), closed=(False, True), slope=F(0), bend=(F(1), F(1), F(31))),
        replace(line, start=F(4), end=None, closed=(False, False), slope=F(0), constant=surd(Root(F(51)))),
    )
    page = Figure()
    Modulus("w", Curve(lines), ("f1", "f2")).draw(page)
    (ax,) = page.axes
    before, after = "(1 + sqrt(2), ≈ 6.03553)", "(1 + sqrt(2), ≈ 6.26439)"  # w jumps there
    assert [said.get_text() for said in ax.texts] == ["(1, 3)", before, "(4, sqrt(51))", after]
    drawn = [path for path in ax.lines if len(path.get_xdata()) == SMOOTH + 1]
    assert len(drawn) == 2
    for path, (a, b, c) in zip(drawn, (lines[1].bend, lines[3].bend), strict=True):
        for x, y in zip(path.get_xdata(), path.get_ydata(), strict=True):
            assert isclose(float(y) ** 2, (float(a) * x + float(b)) * x + float(c))


@pytest.mark.parametrize("seed", range(20))
def test_a_round_width_makes_a_dozen_bars(seed: int) -> None:
    largest = F(random.Random(seed).randint(1, 10**9), random.Random(-seed).randint(1, 10**6))
    assert 4 <= largest / step(largest) <= 12
    assert step(F(0)) == 1


INFINITE = """domain X { x: real in [0, 1] }
labels { no, yes }
oracle f2 { features x = x  metric linf  decide if x >= 1/2 then yes else no }
model f1 { features x = x  metric linf  decide if x >= 2/5 then yes else no }
data D = csv("rows.csv")
compute N: min_distance(f1, f2, D)
assert A: forall row in D: robust_at(f1, f2, row, radius: 1/8) expect refuted
"""


def plot(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["plot", *arguments], standalone_mode=False, catch_exceptions=False)
    return result.return_value, result.output


@pytest.mark.parametrize("suffix", ["svg", "png"])
@pytest.mark.parametrize("kind", ["uncontained", "modulus", "distances"])
def test_every_kind_is_written_the_same_way_twice(kind: str, suffix: str, tmp_path: Path) -> None:
    example = {"uncontained": "blind", "modulus": "curve", "distances": ""}[kind]
    (tmp_path / "rows.csv").write_text("x\n0.1\n0.9\n0.45\n", encoding="utf-8")
    (tmp_path / "rows.vf").write_text(INFINITE, encoding="utf-8")
    source = str(EXAMPLES / f"{example}.vf") if example else str(tmp_path / "rows.vf")
    targets = [tmp_path / f"{n}.{suffix}" for n in (1, 2)]
    for target in targets:
        assert plot(source, "--kind", kind, "-o", str(target)) == (0, f"Written to {target}.\n")
    first, second = (t.read_bytes() for t in targets)
    assert first == second
    if suffix == "svg":
        assert ElementTree.fromstring(first).tag.endswith("svg")
    else:
        assert first.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--kind", "distances"], 3, "Nothing in this file gives distances"),
        (["--kind", "distances", "--assertion", "fooled"], 2, "`fooled` gives no distances"),
        (["--kind", "modulus"], 2, "`f1` has no metric"),
        (["--kind", "uncontained", "--assertion", "cures"], 2, "Did you mean `cure`"),
    ],
)
def test_what_cannot_be_drawn_is_said(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    found, output = plot(str(EXAMPLES / "paper.vf"), *words, "-o", str(tmp_path / "a.svg"))
    assert (found, said in output) == (code, True), output


def test_what_stays_open_is_not_drawn(tmp_path: Path) -> None:
    found, output = plot(str(EXAMPLES / "blind.vf"), "--kind", "uncontained", "--timeout", "0.001", "-o", "never.svg")
    assert found == 3
    assert "stayed open: out of time" in output
