from __future__ import annotations

from collections.abc import Generator, Iterator
from unittest.mock import patch

import pytest
from hypothesis import settings

from tests.nursery import Started, nursed

settings.register_profile("any machine", deadline=None)  # a busy one takes longer, and proves nothing
settings.load_profile("any machine")


STARTED = Started()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What modules load while they are collected has its solver processes from the nursery, too."""
    with nursed(STARTED):
        return (yield)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Started]:
    yield STARTED
    STARTED.close()


@pytest.fixture(scope="module", autouse=True)
def quick_solvers(nursery: Started) -> Iterator[None]:
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
