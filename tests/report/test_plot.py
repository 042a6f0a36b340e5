"""Pictures: the cells are a partition, exact to the last vertex; what is written is an SVG or a PNG."""

from __future__ import annotations

import random
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from verifier.api import load, load_text
from verifier.model.interpret import Interpreter
from verifier.query.piece import Row
from verifier.report.cells import Cell, NoPlane, Plane, area, borders, cells, centre, clip, fibre, maximal, outline
from verifier.report.plot import listed, numbered
from verifier.surfaces.cli import cli
from verifier.surfaces.plot import Subject, fibres, fixed, regions

EXAMPLES = Path(__file__).parents[2] / "examples"
FLAT = [
    ("halfspace", ""),
    ("paper", ""),
    ("equivalent", ""),
    ("relu", ""),
    ("almost", ""),
    ("radius", ""),
    ("decision", ""),
    ("units", ""),
    ("features", "c=3/4"),
    ("four_cases", "c=1-a/2"),
    ("tree", "sepal_length=5,sepal_width=3"),
]
UNIT = ((Fraction(0), Fraction(0)), (Fraction(1), Fraction(0)), (Fraction(1), Fraction(1)), (Fraction(0), Fraction(1)))


def plane_of(example: str, slice_: str) -> Plane:
    loaded = load(EXAMPLES / f"{example}.vf")
    loaded.worker.close()
    return Plane(loaded.program, fixed([slice_]))


def row(a: int, b: int, c: int) -> Row:
    return Row(((0, Fraction(a)), (1, Fraction(b))), Fraction(c))


def within(point: tuple[Fraction, Fraction], cell: Cell) -> bool:
    """In the interior of the convex polygon."""
    sides = zip(cell.polygon, (*cell.polygon[1:], *cell.polygon[:1]), strict=True)
    return all((b[0] - a[0]) * (point[1] - a[1]) > (b[1] - a[1]) * (point[0] - a[0]) for a, b in sides)


@pytest.mark.parametrize(("example", "slice_"), FLAT)
def test_the_cells_are_a_partition_and_the_interpreter_agrees(example: str, slice_: str) -> None:
    plane = plane_of(example, slice_)
    interpreter = Interpreter(plane.program)
    chance = random.Random(20)
    for name in plane.program.classifiers:
        members, cases = plane.labels(name)
        features = plane.features(name)
        question = plane.question(cases, [form for _, form in features])
        found = cells(question, plane.box)
        assert all(area(c.polygon) > 0 for c in found)
        assert sum(area(c.polygon) for c in found) == area(plane.box)
        for cell in found:
            assert sum(cell.truths[1:]) == 1
            label = members[cell.truths[1:].index(True)]
            inner = centre(cell.polygon)
            near = [(v[0] + (inner[0] - v[0]) / 10**6, v[1] + (inner[1] - v[1]) / 10**6) for v in cell.polygon]
            for v in (inner, *near):
                point = plane.lift(v)
                assert plane.drop(point) == v
                assert interpreter.inside(point) is cell.truths[0]
                if cell.truths[0]:
                    assert interpreter.label(name, point) == label
                    flat: list[Fraction] = []
                    for value in interpreter.features(name, point).values():
                        flat += value if isinstance(value, tuple) else [value]  # type: ignore[arg-type]
                    assert flat == [r.at(v) for r in cell.rows]
            for v in cell.polygon:  # at a vertex the circuit of the picture says what the interpreter says
                if plane.domain.where is None:
                    values = question.values(v)
                    said = members[[values[f] >= 0 for f in question.facts[1:]].index(True)]
                    assert interpreter.label(name, plane.lift(v)) == said
        (x0, y0), _, (x1, y1), _ = plane.box
        for _ in range(40):
            s, t = (Fraction(chance.randrange(1, 10**6), 10**6) for _ in range(2))
            here = (x0 + s * (x1 - x0), y0 + t * (y1 - y0))
            holders = [c for c in found if within(here, c)]
            assert len(holders) <= 1
            if holders and holders[0].truths[0]:
                assert interpreter.label(name, plane.lift(here)) == members[holders[0].truths[1:].index(True)]


def test_clipping_keeps_what_is_thin() -> None:
    half = clip(UNIT, row(2, 2, -1))
    assert area(half) == Fraction(7, 8)
    segment = clip(clip(UNIT, row(1, 0, 0)), row(-1, 0, 0))
    assert set(segment) == {UNIT[0], UNIT[3]}
    assert clip(segment, row(0, 1, -1)) == (UNIT[3],)
    assert clip(UNIT, row(0, 0, -1)) == ()
    assert maximal([segment, (UNIT[0],), (UNIT[2],)]) == [segment, (UNIT[2],)]


def test_the_outline_of_a_ring_has_a_hole() -> None:
    thirds = [Fraction(k, 3) for k in range(4)]
    boxes = []
    for i in range(3):
        for j in range(3):
            (a, b), (c, d) = thirds[i : i + 2], thirds[j : j + 2]
            boxes.append((((a, c), (b, c), (b, d), (a, d)), "hole" if i == j == 1 else "ring"))
    met = borders(boxes)
    loops = outline(met, lambda key: key == "ring")
    assert sorted(area(loop) for loop in loops) == [Fraction(-1, 9), 1]
    assert all(len(loop) == 4 for loop in loops)
    assert [area(loop) for loop in outline(met, lambda key: key == "hole")] == [Fraction(1, 9)]


def test_borders_see_through_different_subdivisions() -> None:
    # one box to the left, two on top of each other to the right
    whole, low, high = ("0 0 1 2", "1 0 2 1", "1 1 2 2")

    def box(text: str) -> tuple[tuple[Fraction, Fraction], ...]:
        a, b, c, d = (Fraction(t) for t in text.split())
        return ((a, b), (c, b), (c, d), (a, d))

    met = [b for b in borders([(box(whole), 1), (box(low), 2), (box(high), 1)]) if b.left and b.right]
    assert {(b.start, b.end) for b in met} == {
        ((Fraction(1), Fraction(0)), (Fraction(1), Fraction(1))),
        ((Fraction(1), Fraction(1)), (Fraction(2), Fraction(1))),
    }


def test_where_the_model_cuts_a_class_of_the_oracle() -> None:
    plane = plane_of("paper", "")
    panel = regions(plane, Subject("f1", "f2")).panels[0]
    ends = {v for b in panel.cuts for v in (b.start, b.end)}
    # the line x1 + x2 = 2 within [0, 4] x [-4, 4], met by the oracle's x1 = 2
    assert ends == {(Fraction(0), Fraction(2)), (Fraction(2), Fraction(0)), (Fraction(4), Fraction(-2))}
    assert regions(plane, Subject("f0", "f2")).panels[0].cuts == []


def test_the_ball_and_the_fibre_are_exact() -> None:
    plane = plane_of("halfspace", "")
    here = {"size": Fraction(1, 4), "hue": Fraction(0)}
    about = Subject("f1", "f2", points={"x": here}, radius=Fraction(1, 10))
    (ball,) = regions(plane, about).marked.ball
    low, high = Fraction(3, 20), Fraction(7, 20)
    assert set(ball) == {(s, h) for s in (low, high) for h in (Fraction(0), Fraction(1))}
    there = {"size": Fraction(1, 4), "hue": Fraction(1)}
    (line,) = regions(plane, Subject("f1", "f2", points={"x": here, "x'": there})).marked.fibre
    assert set(line) == {(Fraction(1, 4), Fraction(0)), (Fraction(1, 4), Fraction(1))}


def test_a_fibre_is_torn_iff_the_model_tells_it_apart() -> None:
    plane = plane_of("paper", "")
    assert all(f.torn for f in fibres(plane, Subject("f1", "f2")).fibres)
    assert not any(f.torn for f in fibres(plane, Subject("f0", "f2")).fibres)
    halves = plane_of("equivalent", "")
    assert not any(f.torn for f in fibres(halves, Subject("f1", "f2")).fibres)
    assert all(f.torn for f in fibres(halves, Subject("f5", "f2")).fibres)


def test_images_that_coincide_have_all_their_numbers_and_every_part_has_one() -> None:
    """Sixteen points go to the four corners; of blind.vf the parts of the torn ones end where h does (by hand)."""
    loaded = load_text(
        "domain X { a: real in [0, 1], b: real in [0, 1] }\nlabels { n, y }\n"
        "oracle f2 { features a = a, b = b  metric linf }\n"
        "model f1 { features s = step(a - 1/2), t = step(b - 1/2)  decide if s + t >= 1 then y else n }\n"
    )
    loaded.worker.close()
    unit = (0.0, 0.0, 1.0, 1.0)
    corners = fibres(Plane(loaded.program, {}), Subject("f1", "f2")).fibres
    assert dict(numbered([f.images for f in corners], unit)) == {
        (0.0, 0.0): [1, 2, 5, 6],
        (1.0, 0.0): [3, 4, 7, 8],
        (0.0, 1.0): [9, 10, 13, 14],
        (1.0, 1.0): [11, 12, 15, 16],
    }
    assert [len(numbers) for _, numbers in numbered([f.pieces for f in corners], unit)] == [1] * 16
    blind = fibres(plane_of("blind", ""), Subject("f1", "f2")).fibres
    found = dict(numbered([f.images for f in blind], unit))
    # along a - b = 1/4 with a + b <= 1, h falls from 1/2 to 0 below b = 1/4, and t is 1 from there on, h = 0
    assert found[0.5, 0.0] == [2] and found[0.0, 1.0] == [2, 3, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([4], "4"),
        ([1, 2], "1, 2"),
        ([1, 2, 3, 5], "1–3, 5"),
        ([1, 3, 5, 7], "1, 3, 5, 7"),
        ([1, 3, 5, 7, 9], "5 lines"),
    ],
)
def test_a_list_of_numbers_is_short(numbers: list[int], text: str) -> None:
    assert listed(numbers) == text


def test_a_jump_belongs_to_one_side() -> None:
    text = "domain X { a: real in [0, 1], b: real in [0, 1] }\nlabels { n, y }\n"
    text += "oracle f2 { features j = step(a - 1/2) metric linf }\n"
    text += "model f1 { features a = a decide if a >= 1/2 then y else n }\n"
    loaded = load_text(text)
    loaded.worker.close()
    plane = Plane(loaded.program, {})
    question = plane.question([], [f for _, f in plane.features("f2")])
    found = plane.cells(question)
    zero = [p for c in found if (p := fibre(question, c, {0: Fraction(0)}))]
    assert [area(p) for p in zero] == [Fraction(1, 2)]


# the command


def plot(tmp_path: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["plot", *words], standalone_mode=False)
    assert result.exception is None, result.output
    return result.return_value, " ".join(result.output.split())


@pytest.mark.parametrize(("example", "slice_"), FLAT)
def test_every_flat_example_can_be_drawn(example: str, slice_: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for ending in ("svg", "png"):
        target = tmp_path / f"picture.{ending}"
        code, said = plot(tmp_path, str(EXAMPLES / f"{example}.vf"), "--slice", slice_, "-o", str(target))
        assert code == 0, said
        if ending == "svg":
            root = ElementTree.parse(target).getroot()
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert len(target.read_bytes()) < 150_000
        else:
            assert target.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(("example", "name"), [("halfspace", "A1"), ("paper", "contained"), ("equivalent", "E9")])
@pytest.mark.parametrize("kind", ["regions", "fibres"])
def test_an_assertion_is_drawn_the_same_way_every_time(example: str, name: str, kind: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    texts = []
    for k in range(2):
        target = tmp_path / f"{k}.svg"
        words = [str(EXAMPLES / f"{example}.vf"), "--assertion", name, "--kind", kind, "-o", str(target)]
        assert plot(tmp_path, *words)[0] == 0
        ElementTree.parse(target)
        texts.append(target.read_text())
    assert len(texts[0]) == len(texts[1])  # a witness may differ, its picture not by much


@pytest.mark.parametrize(
    ("example", "words", "code", "said"),
    [
        ("boundaries", [], 3, "needs two free real coordinates; here there is one (x)"),
        ("features", [], 3, 'fix 1 of them, for example --slice "c=0"'),
        ("integers", [], 3, "Only real coordinates can be drawn"),
        ("features", ["--slice", "c=2"], 2, "The slice does not meet X"),
        ("features", ["--slice", "d=2"], 2, "There is no coordinate `d`"),
        ("features", ["--slice", "c"], 2, "fixes no coordinate"),
        ("features", ["--slice", "c=max(a,b)"], 2, "fixes no coordinate"),
        ("features", ["--slice", "c=abs(a)-abs(b-1/2)"], 2, "has a bend"),
        ("features", ["--slice", "c=b", "--slice", "b=c"], 2, "in a circle"),
        ("halfspace", ["--assertion", "A9"], 2, "No assertion is called `A9`"),
        ("halfspace", ["-o", "picture.pdf"], 2, "neither an .svg nor a .png"),
        ("features", ["--slice", "c=0", "--kind", "fibres"], 3, "the space of one or two can be drawn"),
    ],
)
def test_what_cannot_be_drawn_is_said(example: str, words: list[str], code: int, said: str, tmp_path: Path) -> None:
    target = [] if "-o" in words else ["-o", str(tmp_path / "picture.svg")]
    got, printed = plot(tmp_path, str(EXAMPLES / f"{example}.vf"), *words, *target)
    assert (got, said in printed) == (code, True), printed
    assert not (tmp_path / "picture.svg").exists()


@pytest.mark.parametrize(
    ("decide", "thin"),
    [
        ("if x == y then tie else if x < y then left else right", ["tie"]),
        ("if x == 1/2 then tie else left", ["tie"]),  # both sides are left
        ("if x == 1/2 and y == 1/2 then tie else left", ["tie"]),
        ("if x < y then left else if x > 1 then tie else right", []),  # no point of X at all
        ("if x >= 1/2 then tie else left", []),  # a region
        ("if x == 1 and y < 1/3 then tie else left", []),  # a side that X has not got
    ],
)
def test_a_label_without_an_area_is_said(decide: str, thin: list[str]) -> None:
    loaded = load_text(
        "domain X { x: real in [0, 1), y: real in [0, 1] }\nlabels { left, right, tie }\n"
        f"oracle f2 {{ features x = x  metric linf }}\nmodel f1 {{ features x = x, y = y  decide {decide} }}\n"
    )
    loaded.worker.close()
    (panel,) = regions(Plane(loaded.program, {}), Subject("f1", "f2")).panels
    assert panel.thin == thin


@pytest.mark.parametrize("kind", ["regions", "fibres", "uncontained", "modulus", "distances"])
def test_a_file_without_a_domain_is_answered(kind: str, tmp_path: Path) -> None:
    (tmp_path / "empty.vf").write_text("")
    target = ["-o", str(tmp_path / "picture.svg")]
    code, printed = plot(tmp_path, str(tmp_path / "empty.vf"), "--kind", kind, *target)
    assert code == 3
    assert "A picture needs a" in printed or "Nothing in this file gives distances" in printed


def test_a_picture_takes_the_place_of_pictures_only(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = Path(shutil.copy(EXAMPLES / "halfspace.vf", tmp_path))
    for suffix in ("svg", "png"):
        target = tmp_path / f"halfspace.{suffix}"
        words = [] if suffix == "svg" else ["-o", str(target)]
        target.write_bytes(b"drawn by hand, with Matplotlib")
        code, printed = plot(tmp_path, str(file), *words)
        assert (code, target.read_bytes()) == (2, b"drawn by hand, with Matplotlib")
        assert "is there already, and stays as it is." in printed
        assert plot(tmp_path, str(file), *words, "--force")[0] == 0
        before = target.read_bytes()
        assert plot(tmp_path, str(file), *words) == (0, f"Written to {target}.")  # its own
        assert target.read_bytes() == before
    assert plot(tmp_path, str(file), "-o", str(tmp_path / "none" / "a.svg"))[0] == 2
    (tmp_path / "folder.svg").mkdir()
    code, printed = plot(tmp_path, str(file), "-o", str(tmp_path / "folder.svg"))
    assert (code, "is a folder. Name a file" in printed) == (2, True)


def test_without_matplotlib_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, printed = plot(tmp_path, str(EXAMPLES / "halfspace.vf"), "-o", str(tmp_path / "picture.svg"))
    assert code == 2
    assert "pip install 'strong-robust[plot]'" in printed


def test_too_many_pieces_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.report.cells.MOST", 1)
    plane = plane_of("equivalent", "")
    with pytest.raises(NoPlane, match="too many to draw"):
        plane.cells(plane.question(plane.labels("f1")[1]))
