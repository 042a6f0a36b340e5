"""Random programs against enumeration and quantified formulas: every verdict, value, vacuity and witness.

A failure prints the program; `--fuzz 50` looks further.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.differential.programs import Maker, Taste
from tests.differential.run import Tally, examine

pytestmark = pytest.mark.usefixtures("worker")


def sound(name: str, taste: Taste, seed: int, folder: Path) -> None:
    program = Maker(random.Random(f"{name} {seed}"), taste).program()
    problems = examine(program, folder, Tally())
    assert not problems, "\n\n".join(map(str, problems))


@pytest.mark.seeds(25)
def test_discrete_domains(seed: int, tmp_path: Path) -> None:
    sound("discrete", Taste(reals=(0, 0), discrete=(1, 3), claims=6), seed, tmp_path)


@pytest.mark.seeds(15)
def test_one_real_coordinate_and_jumps(seed: int, tmp_path: Path) -> None:
    sound("jumps", Taste(reals=(1, 1), jumps=0.4, claims=6), seed, tmp_path)


@pytest.mark.seeds(10)
def test_thin_sets(seed: int, tmp_path: Path) -> None:
    sound("thin", Taste(reals=(1, 2), jumps=0.5, thin=0.6, depth=1, claims=6), seed, tmp_path)


@pytest.mark.seeds(10)
def test_continuous_maps(seed: int, tmp_path: Path) -> None:
    sound("continuous", Taste(reals=(1, 2), jumps=0.0, claims=6), seed, tmp_path)


@pytest.mark.seeds(8)
def test_walks_that_meet_themselves(seed: int, tmp_path: Path) -> None:
    kinds = ("contained", "uniformly_contained", "decision", "unnecessary", "equivalent", "critical_radius")
    sound("walks", Taste(reals=(1, 1), curves=True, depth=1, thin=0.2, kinds=kinds), seed, tmp_path)
