"""`python -m benchmarks.calibrate SECONDS`: the thresholds of the twins, as far as HiGHS finds them in that time.

max t with g(x) >= t, -g(x') >= t is one mixed-integer program. It prints, for each shape, the largest t of a pair that
it found (evaluated exactly), and the bound above which there is none; `twins.py` keeps them.
"""

from __future__ import annotations

import sys
from fractions import Fraction

from benchmarks.claim import Claim, Side
from benchmarks.peers import highs_peer, milp
from benchmarks.suites import twins
from verifier.model.violation import All


def bounds(inputs: int, hidden: int, seconds: float) -> tuple[Fraction, float]:
    """The t of a pair, and a bound of all of them in floats."""
    net = twins.network(inputs, hidden, twins.SEED)
    box = tuple(Side(Fraction(-1), Fraction(1), link=twins.RADIUS) for _ in range(inputs))
    claim = Claim(net, box, All(()))
    program, numbers = milp.base(claim)
    program.least = program.column(-1e3, 1e3)  # -t
    far: milp.Linear = ({program.least: 1.0}, 0.0)
    first, second = numbers[2 * inputs : 2 * inputs + 2], numbers[2 * inputs + 2 :]
    program.at_least(milp.plus((1.0, far), (1.0, first[0]), (-1.0, first[1])), 0.0)
    program.at_least(milp.plus((1.0, far), (1.0, second[1]), (-1.0, second[0])), 0.0)
    columns, bound = highs_peer.best(program, seconds)
    found = claim.numbers(claim.mended([Fraction(columns[c]) for c in program.points]))
    y = found[2 * inputs :]
    return min(y[0] - y[1], y[3] - y[2]), -bound


def main() -> None:
    for inputs, hidden in twins.SHAPES:
        t, bound = bounds(inputs, hidden, float(sys.argv[1]))
        print(f"    ({inputs}, {hidden}): ({float(t):.6g}, {bound:.6g}),", flush=True)


if __name__ == "__main__":
    main()
