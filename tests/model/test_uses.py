"""`use`: which declarations come from where, and what never comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifier.model.uses import gather, gather_text, inside
from verifier.source import Rejected, Source
from verifier.syntax import tree

WEEK = """
domain X { s: real in [0, 1], h: real in [0, 1] }
labels { no, yes }
let gap = 1/2
def far(v) = v >= gap
oracle f2 { features s = s  metric linf  decide if far(s) then yes else no }
assert NEVER: 1 >= 2
compute ALSO: critical_radius(f1, f2)
"""
SUBMISSION = """
let bias = 1/10
let unused = 3
def tilt(v, w) = v + bias * w
def far(v) = false
labels { yes, no }
oracle f2 { features h = h  metric linf  decide yes }
model f1 { features s = s, h = h  decide if tilt(s, h) >= 1/2 then yes else no }
assert NEVER: 1 >= 2
"""


def names(declarations: list[tree.Declaration]) -> list[str]:
    return ["labels" if isinstance(d, tree.Labels) else d.name.id for d in declarations if not isinstance(d, tree.Use)]


def course(folder: Path) -> None:
    (folder / "week.vf").write_text(WEEK)
    (folder / "submission.vf").write_text(SUBMISSION)


def test_a_file_brings_its_declarations_but_never_its_assertions(tmp_path: Path) -> None:
    course(tmp_path)
    (tmp_path / "case.vf").write_text('use "week.vf"\nassert A: 1 >= 0\n')
    found = gather(tmp_path / "case.vf")
    assert found.diagnostics == []
    assert names(found.declarations) == ["X", "labels", "gap", "far", "f2", "A"]


def test_chosen_names_bring_what_they_need_and_nothing_else(tmp_path: Path) -> None:
    course(tmp_path)
    (tmp_path / "case.vf").write_text('use (f1) from "submission.vf"\n')
    assert names(gather(tmp_path / "case.vf").declarations) == ["bias", "tilt", "f1"]


def test_a_submission_cannot_bring_labels_oracle_or_definitions_that_were_not_asked_for(tmp_path: Path) -> None:
    course(tmp_path)
    (tmp_path / "case.vf").write_text('use "week.vf"\nuse (f1) from "submission.vf"\n')
    found = gather(tmp_path / "case.vf")
    assert names(found.declarations) == ["X", "labels", "gap", "far", "f2", "bias", "tilt", "f1"]
    (oracle,) = [d for d in found.declarations if isinstance(d, tree.Model) and d.name.id == "f2"]
    assert oracle.span.file.endswith("week.vf")


def test_a_file_that_is_used_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "base.vf").write_text("domain X { s: real }\nlabels { no, yes }\nlet gap = 1/2\n")
    (tmp_path / "left.vf").write_text('use "base.vf"\ndef l(v) = v\n')
    (tmp_path / "right.vf").write_text('use "sub/../base.vf"\ndef r(v) = gap\n')
    (tmp_path / "case.vf").write_text('use "left.vf"\nuse (r) from "right.vf"\nuse "base.vf"\n')
    found = gather(tmp_path / "case.vf")
    assert found.diagnostics == []
    assert names(found.declarations) == ["X", "labels", "gap", "l", "r"]


def test_used_files_look_for_theirs_beside_themselves(tmp_path: Path) -> None:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "sub" / "middle.vf").write_text('use "deep/last.vf"\n')
    (tmp_path / "sub" / "deep" / "last.vf").write_text("let found = 1\n")
    (tmp_path / "case.vf").write_text('use "sub/middle.vf"\n')
    found = gather(tmp_path / "case.vf")
    assert (found.diagnostics, names(found.declarations)) == ([], ["found"])
    assert sorted(Path(path).name for path in found.sources) == ["case.vf", "last.vf", "middle.vf"]


def test_a_used_file_cannot_reach_above_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "secret.vf").write_text("let secret = 1\n")
    (tmp_path / "sub" / "middle.vf").write_text('use "../secret.vf"\n')
    (tmp_path / "case.vf").write_text('use "sub/middle.vf"\n')
    found = gather(tmp_path / "case.vf")
    assert [d.code for d in found.diagnostics] == ["V502"]
    assert found.declarations == []


def test_a_text_finds_its_files_beside_the_path_that_it_is_given(tmp_path: Path) -> None:
    course(tmp_path)
    found = gather_text(Source(str(tmp_path / "no such file.vf"), 'use (gap) from "week.vf"\n'))
    assert (found.diagnostics, names(found.declarations)) == ([], ["gap"])


@pytest.mark.parametrize(
    "name",
    [
        "../a.vf",
        "/a.vf",
        "",
        "a/../../b.vf",
        "sub/../../b.vf",
        "up/b.vf",
        "a\x00.vf",
        "a\nb",
        "..\\a.vf",
        "a" * 501,
        "..",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "up").symlink_to(tmp_path)
    span = Source(str(here / "case.vf"), "x").span(0, 1)
    with pytest.raises(Rejected, match="leaves the folder"):
        inside(name, span)


@pytest.mark.parametrize("name", ["a.vf", "sub/a.vf", "sub/../a.vf", "./a.vf", "link.vf", "..a.vf", "a b ě.vf"])
def test_a_path_inside_the_folder_is_taken(name: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.vf").symlink_to(tmp_path / "sub" / "a.vf")
    found = inside(name, Source(str(tmp_path / "case.vf"), "x").span(0, 1))
    assert found.resolve().is_relative_to(tmp_path.resolve())


def test_circles_end(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.vf").write_text(f'use "{(i + 1) % 4}.vf"\nlet a{i} = {i}\n')
    found = gather(tmp_path / "0.vf")
    assert [(d.code, Path(d.span.file).name) for d in found.diagnostics] == [("V503", "3.vf")]
    assert names(found.declarations) == ["a3", "a2", "a1", "a0"]


def test_endless_chains_of_files_end(tmp_path: Path) -> None:
    for i in range(80):
        (tmp_path / f"{i}.vf").write_text(f'use "{i + 1}.vf"\n')
    assert [d.code for d in gather(tmp_path / "0.vf").diagnostics] == ["V503"]


def test_a_fan_of_files_that_use_each_other_twice_ends(tmp_path: Path) -> None:
    for i in range(18):
        (tmp_path / f"{i}.vf").write_text(f'use "{i + 1}.vf"\nuse "./{i + 1}.vf"\n')
    (tmp_path / "18.vf").write_text("let last = 1\n")
    found = gather(tmp_path / "0.vf")
    assert names(found.declarations) == ["last"]


def test_names_that_only_a_broken_declaration_has_are_known_to_be_lost(tmp_path: Path) -> None:
    (tmp_path / "case.vf").write_text("let good = 1\nlet bad = = 2\nmodel f1 { nonsense }\n")
    assert gather(tmp_path / "case.vf").lost == {"bad", "f1"}
    (tmp_path / "fine.vf").write_text("let good = 1\n")
    assert gather(tmp_path / "fine.vf").lost == frozenset()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"let a = \x00", b""])
def test_a_file_that_is_no_text_is_a_mistake_or_empty(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.vf").write_bytes(content)
    (tmp_path / "case.vf").write_text('use "other.vf"\nlet z = 1\n')
    found = gather(tmp_path / "case.vf")
    assert bool(found.diagnostics) == bool(content)
    assert names(found.declarations)[-1:] == ["z"]


@pytest.mark.parametrize("name", ["nowhere.vf", "a\x00b.vf", ".", "a" * 5000])
def test_a_path_that_is_no_file_is_a_mistake(name: str) -> None:
    assert [d.code for d in gather(Path(name)).diagnostics] == ["V101"]
