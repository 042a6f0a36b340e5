"""Who is asked next where one engine cannot answer."""

from __future__ import annotations

from tests.engines.questions import question
from verifier.engines.engine import Fails, Unknown
from verifier.engines.portfolio import MANY_CHOICES, Portfolio
from verifier.engines.worker import Worker
from verifier.query.piece import choices

SPACE = "domain X { x: real^3 in [-1e300, 1e300] }"


def test_numbers_that_no_float_holds_are_left_to_z3() -> None:
    sums = " + ".join(f"relu({k + 2} * u.x[0] - 1e390 * u.x[{1 + k % 2}])" for k in range(MANY_CHOICES))
    q = question(SPACE, ["u"], [f"{sums} > 1e350"])
    assert choices(q) >= MANY_CHOICES
    with Worker() as worker:
        for engine in ("case_search", "box_search"):
            answer = worker.ask(engine, q, seconds=20)
            assert isinstance(answer, Unknown) and answer.why.endswith("too large for floats")
        found = Portfolio(worker).find(q, 60)
    assert isinstance(found, Fails) and q.solved_by(found.points[0])
