"""`pytest tests/differential --fuzz N` runs N times as many random programs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.differential.run import warm_worker


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=1, metavar="N", help="N times as many random programs")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`seed` runs from 0 to (what the test's `seeds` mark says) * N."""
    mark = metafunc.definition.get_closest_marker("seeds")
    if "seed" in metafunc.fixturenames and mark is not None:
        metafunc.parametrize("seed", range(mark.args[0] * metafunc.config.getoption("--fuzz", 1)))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "seeds(n): run for the seeds 0 to n - 1 (times --fuzz)")


@pytest.fixture(scope="module")
def worker() -> Iterator[None]:
    """One solver process for all random programs."""
    with warm_worker():
        yield
