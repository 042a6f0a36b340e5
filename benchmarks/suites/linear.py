"""Linear classifiers and norms, where a theorem decides: containment (Theorem 2), and the critical radius of confident
classifications."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from benchmarks.claim import Claim, Layer, Net, Side, row
from benchmarks.contest import Instance
from benchmarks.suites import Options
from verifier.model.violation import All, Compare, Some

Matrix = tuple[tuple[Fraction, ...], ...]
GRAIN = 16
MARGIN = Fraction(1, 2)


def instances(options: Options) -> Iterator[Instance]:
    for n, rows in ((10, 4), (50, 10), (200, 20)):
        for kind in ("proved", "refuted"):
            yield containment(n, rows, kind == "proved", seed=0)
    for n, classes in ((5, 2), (10, 3), (50, 3), (50, 5)):
        yield radius(n, classes, seed=0)


def random(generator: np.random.Generator, rows: int, columns: int) -> Matrix:
    """Multiples of 1/16 between -2 and 2."""
    numbers = generator.integers(-2 * GRAIN, 2 * GRAIN + 1, (rows, columns)).tolist()
    return tuple(tuple(Fraction(v, GRAIN) for v in r) for r in numbers)


def containment(n: int, rows: int, holds: bool, seed: int) -> Instance:
    """g1 = A1 x, g2 = A2 x on [-1, 1]^n; A1 = M A2 where it holds, else its first row is another one."""
    generator = np.random.default_rng([seed, n, rows])
    a2, m = random(generator, rows, n), random(generator, 3, rows)
    a1 = tuple(tuple(sum((f * a2[k][j] for k, f in enumerate(r)), Fraction(0)) for j in range(n)) for r in m)
    if not holds:
        a1 = (random(generator, 1, n)[0], *a1[1:])
    net = Net((Layer((*a1, *a2), (Fraction(0),) * (len(a1) + rows)),))
    first, second = 2 * n, 2 * n + len(a1) + rows
    differ = tuple(row({first + i: s, second + i: -s}, strict=True) for i in range(len(a1)) for s in (1, -1))
    alike = tuple(row({first + i: s, second + i: -s}) for i in range(len(a1), len(a1) + rows) for s in (1, -1))
    claim = Claim(net, (Side(Fraction(-1), Fraction(1)),) * n, All((*alike, Some(differ))))
    text = (
        f"domain X {{ x: real^{n} in [-1, 1] }}\nlabels {{ a, b }}\n"
        'let A = matrix("a1.csv")\nlet B = matrix("a2.csv")\n'
        "model f1 { features s = A * x  decide if s[0] >= 0 then a else b }\n"
        "oracle f2 { features t = B * x  metric linf }\nassert C: contained(f1, f2)\n"
    )
    files: dict[str, str | bytes] = {"q.vf": text, "a1.csv": csv(a1), "a2.csv": csv(a2)}
    name = f"contained {n}->{rows} {'yes' if holds else 'no'}"
    return Instance(name, (claim,), files, ("check", "q.vf"), about={"seed": str(seed)})


def radius(n: int, classes: int, seed: int) -> Instance:
    """The least distance of two points of different classes, both with a margin of 1/2."""
    generator = np.random.default_rng([seed, n, classes])
    weights = random(generator, classes, n)
    net = Net((Layer(weights, (Fraction(0),) * classes),))

    def wins(start: int, label: int) -> tuple[Compare, ...]:
        others = (k for k in range(classes) if k != label)
        return tuple(row({start + label: 1, start + k: -1}, -MARGIN) for k in others)

    pairs = [(i, j) for i in range(classes) for j in range(classes) if i != j]
    formula = Some(tuple(All((*wins(2 * n, i), *wins(2 * n + classes, j))) for i, j in pairs))
    claim = Claim(net, (Side(Fraction(-1), Fraction(1)),) * n, formula, least=True)
    labels = [f"c{k}" for k in range(classes)]
    text = (
        f"domain X {{ x: real^{n} in [-1, 1] }}\nlabels {{ {', '.join(labels)} }}\n"
        'let W = matrix("w.csv")\n'
        f"model f1 {{ features s = W * x  decide argmax({', '.join(f'{c}: s[{k}]' for k, c in enumerate(labels))}) }}\n"
        "oracle f2 { features x = x  metric linf }\n"
        f"compute R: critical_radius(f1, f2, where_both: margin(f1) >= {MARGIN})\n"
    )
    files: dict[str, str | bytes] = {"q.vf": text, "w.csv": csv(weights)}
    return Instance(f"radius {n}->{classes}", (claim,), files, ("check", "q.vf"), about={"seed": str(seed)})


def csv(matrix: Matrix) -> str:
    return "".join(",".join(map(str, r)) + "\n" for r in matrix)
