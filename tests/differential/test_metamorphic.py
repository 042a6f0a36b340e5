"""Changes that mean nothing change no verdict: other names, orders, units and cuts of the same program."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from tests.differential.metamorphic import changes
from tests.differential.programs import Maker, Taste
from tests.differential.run import check
from verifier.verdict.verdict import FileResult

pytestmark = pytest.mark.usefixtures("worker")

TASTES = (
    Taste(reals=(1, 3), claims=8),
    Taste(reals=(1, 2), discrete=(1, 2), thin=0.4, claims=8),
    Taste(reals=(1, 2), jumps=0.0, claims=8),
)

Said = tuple[object, bool | None]


def said(result: FileResult, factor: Fraction = Fraction(1)) -> dict[str, Said]:
    """Verdict and vacuity of every assertion; every value, in the units of before."""
    assert not result.internal_errors, result.internal_errors
    verdicts: dict[str, Said] = {a.name: (a.word, bool(a.vacuous)) for a in result.assertions}
    for c in result.computed:
        if isinstance(c.value, str) and c.value != "infinity":
            continue  # names of features: they may have changed
        verdicts[c.name] = (c.value / factor if isinstance(c.value, Fraction) else c.value, c.attained)
    return {name: what for name, what in verdicts.items() if what[0] not in (None, "unknown")}


@pytest.mark.seeds(4)
def test_nothing_depends_on_how_it_is_written(seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"metamorphic {seed}")
    program = Maker(rng, rng.choice(TASTES)).program()
    before = check(program.vf(), tmp_path)
    assert not any(d.severity == "error" for d in before.diagnostics), (before.diagnostics, program.vf())
    expected = said(before)
    for change, text, factor in changes(program, rng):
        after = check(text, tmp_path)
        assert not any(d.severity == "error" for d in after.diagnostics), (change, after.diagnostics, text)
        found = said(after, factor)
        both = expected.keys() & found.keys()
        assert {k: found[k] for k in both} == {k: expected[k] for k in both}, f"{change}\n{program.vf()}\n{text}"
