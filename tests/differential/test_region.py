"""The region where containment fails, against `contained_at` by the tool and by its definition, at points on edges."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.differential.programs import Env, Maker, Program
from tests.differential.programs import Taste as T
from tests.differential.run import check, inside
from tests.differential.test_suprema import Truth
from tests.differential.truth import Skip
from verifier.verdict.figure import Region
from verifier.verdict.verdict import Proved, Undecided

pytestmark = pytest.mark.usefixtures("worker")

POINTS = 4


def places(p: Program) -> list[str]:
    """The names of the coordinates, entry by entry."""
    return [k for c in p.coords for k in c.accessors()]


def edges(p: Program, region: Region, at: Env) -> Iterator[Env]:
    """The point, with one coordinate moved to where a side of the region ends."""
    names = places(p)
    for half in {h for part in (*region.parts, *region.pieces) for h in part}:
        (i, w), *_ = half.row.weights
        there = {k: at[k] for k in names}
        there[names[i]] = Fraction(0)
        there[names[i]] = -half.row.at(tuple(there[k] for k in names)) / w
        coordinate = next(c for c in p.coords if names[i] in c.accessors())
        if (coordinate.kind == "real" or there[names[i]].denominator == 1) and inside(p, there):
            yield there


def examine(seed: str, taste: T, folder: Path) -> tuple[list[str], str]:
    rng = random.Random(seed)
    maker = Maker(rng, taste)
    p = replace(maker.program(), asserts=())
    text = p.vf() + "compute R: uncontained_region(f1, f2)\nassert C: contained(f1, f2)\n"
    result = check(text, folder)
    if [d for d in result.diagnostics if d.severity == "error"]:
        return [d.message for d in result.diagnostics if d.code != "V308"], text
    problems = [*result.internal_errors]
    (said,) = result.computed
    region = said.result.figure
    if not isinstance(region, Region):
        late = any(w in said.reason for w in ("out of time", "stayed open", "not a pseudometric"))
        return problems + ([] if late else [f"unknown: {said.reason}"]), text
    verdict = result["C"].verdict
    if not isinstance(verdict, Undecided) and isinstance(verdict, Proved) != (said.value == "nowhere"):
        problems.append(f"{said.value}, though contained is {result['C'].word}")
    points = [found for _ in range(POINTS) if (found := maker.inhabitant(p)) is not None]
    more = [there for at in points[:2] for there in edges(p, region, at)]
    points += rng.sample(more, min(POINTS, len(more)))
    lines, asked = [], []
    for i, point in enumerate(points):
        shown = replace(p, point=point)
        lines.append(f"point q{i} = {{ {', '.join(shown.shown(c) for c in p.coords)} }}")
        lines.append(f"assert Q{i}: contained_at(f1, f2, q{i})")
        asked.append(shown)
    result = check(p.vf() + "\n".join(lines) + "\n", folder)
    problems += result.internal_errors
    text += "\n".join(lines)
    for i, shown in enumerate(asked):
        assert shown.point is not None
        here = region.has([shown.point[k] for k in places(p)])
        verdict = result[f"Q{i}"].verdict
        if not isinstance(verdict, Undecided) and isinstance(verdict, Proved) is here:
            problems.append(f"q{i} is {'inside' if here else 'outside'} of {region.formulas}: {result[f'Q{i}'].word}")
        with suppress(Skip):
            if Truth(shown).contained_at() is here:
                problems.append(f"q{i} is {'inside' if here else 'outside'} of {region.formulas} by definition")
    return problems, text


def sound(name: str, taste: T, seed: int, folder: Path) -> None:
    problems, text = examine(f"region {name} {seed}", taste, folder)
    assert not problems, "\n".join([*problems, text])


@pytest.mark.seeds(4)
def test_discrete_domains(seed: int, tmp_path: Path) -> None:
    sound("discrete", T(reals=(0, 0), discrete=(1, 3)), seed, tmp_path)


@pytest.mark.seeds(4)
def test_one_real_coordinate_and_jumps(seed: int, tmp_path: Path) -> None:
    sound("jumps", T(reals=(1, 1), jumps=0.4), seed, tmp_path)


@pytest.mark.seeds(4)
def test_integers_beside_reals(seed: int, tmp_path: Path) -> None:
    sound("mixed", T(reals=(1, 1), discrete=(1, 1), jumps=0.5, thin=0), seed, tmp_path)


@pytest.mark.seeds(4)
def test_two_real_coordinates(seed: int, tmp_path: Path) -> None:
    sound("plane", T(reals=(2, 2), jumps=0.3), seed, tmp_path)


@pytest.mark.seeds(4)
def test_walks_that_meet_themselves(seed: int, tmp_path: Path) -> None:
    sound("walks", T(reals=(1, 1), curves=True, depth=1, thin=0.2), seed, tmp_path)
