from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from tests.nursery import Nursery, nursed


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture(scope="module", autouse=True)
def quick_solvers(nursery: Nursery) -> Iterator[None]:
    """Solver processes begin quickly. A module about the processes themselves has a fixture of this name that does
    nothing."""
    with nursed(nursery):
        yield


@pytest.fixture
def impatient() -> Iterator[None]:
    """For tests that look at verdicts and not at whom they trust: what z3 has refuted is proved once more within half a
    second or not at all. Some of it never is, and would be tried for three seconds each time."""
    with patch("verifier.engines.portfolio.PATIENCE", 0.5):
        yield
