from __future__ import annotations

from collections.abc import Iterator

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
