"""Random programs against enumeration and quantified formulas: every verdict, value, vacuity and witness.

A failure prints the program; `--fuzz 50` looks further.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.differential.programs import MEASURES, Maker, Taste
from tests.differential.run import Tally, examine

pytestmark = pytest.mark.usefixtures("worker")


def sound(name: str, taste: Taste, seed: int, folder: Path) -> None:
    program = Maker(random.Random(f"{name} {seed}"), taste).program()
    problems = examine(program, folder, Tally())
    assert not problems, "\n\n".join(map(str, problems))


CONTAINMENT = ("contained", "contained", "uniformly_contained", "decision", "unnecessary", "equivalent")


@pytest.mark.seeds(13)
def test_discrete_domains(seed: int, tmp_path: Path) -> None:
    sound("discrete", Taste(reals=(0, 0), discrete=(1, 3), claims=6), seed, tmp_path)


@pytest.mark.seeds(10)
def test_one_real_coordinate_and_jumps(seed: int, tmp_path: Path) -> None:
    sound("jumps", Taste(reals=(1, 1), jumps=0.4, claims=6), seed, tmp_path)


@pytest.mark.seeds(5)
def test_integers_beside_reals(seed: int, tmp_path: Path) -> None:
    sound("mixed", Taste(reals=(1, 1), discrete=(1, 1), jumps=0.5, thin=0, kinds=CONTAINMENT), seed, tmp_path)


@pytest.mark.seeds(5)
def test_thin_sets(seed: int, tmp_path: Path) -> None:
    sound("thin", Taste(reals=(1, 2), jumps=0.5, thin=0.6, depth=1, claims=6), seed, tmp_path)


@pytest.mark.seeds(4)
def test_measure(seed: int, tmp_path: Path) -> None:
    kinds = ("robust", "robust", "robust_at", "accurate")
    sound("measure", Taste(reals=(1, 2), thin=0.5, depth=1, almost=0.8, kinds=kinds, claims=6), seed, tmp_path)


@pytest.mark.seeds(4)
def test_continuous_maps(seed: int, tmp_path: Path) -> None:
    sound("continuous", Taste(reals=(1, 2), jumps=0.0, claims=6), seed, tmp_path)


@pytest.mark.seeds(6)
def test_walks_that_meet_themselves(seed: int, tmp_path: Path) -> None:
    kinds = (*CONTAINMENT, "critical_radius")
    sound("walks", Taste(reals=(1, 1), curves=True, depth=1, thin=0.2, kinds=kinds), seed, tmp_path)


@pytest.mark.seeds(6)
def test_copies_that_run_together(seed: int, tmp_path: Path) -> None:
    sound("shrinking", Taste(shrinking=True, depth=1, user_metric=0, kinds=CONTAINMENT), seed, tmp_path)


@pytest.mark.seeds(5)
def test_measures(seed: int, tmp_path: Path) -> None:
    taste = Taste(reals=(1, 1), discrete=(0, 1), depth=1, user_metric=0.05, curves=seed % 2 == 0, kinds=MEASURES)
    sound("measures", taste, seed, tmp_path)


@pytest.mark.seeds(5)
def test_sums_and_maxima_of_metrics(seed: int, tmp_path: Path) -> None:
    taste = Taste(reals=(1, 1), discrete=(0, 1), jumps=0.4, depth=1, combined=0.9, user_metric=0, claims=6)
    sound("combined", taste, seed, tmp_path)
