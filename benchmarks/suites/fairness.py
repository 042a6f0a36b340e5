"""Individual fairness of tabular networks: two integer points that agree but in the protected attribute, on different
sides of the decision. A folder of Keras files `GROUP-N.h5` and a `domains.json` (the layout of Fairify's models).

domains.json: group -> `inputs_in_order`, `integer_range` (name -> [low, high]), `protected`, and for the partition
`split_attributes_wider_than`: every attribute with more values is cut into slices of so many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.claim import Claim, Net, Side, chain, row
from benchmarks.contest import Instance
from benchmarks.suites import Options, folder
from verifier.importers import read
from verifier.model.violation import All

ZERO = Fraction(0)
Range = tuple[int, int]


def instances(options: Options) -> Iterator[Instance]:
    place = folder(options, "GROUP-N.h5 files and domains.json")
    domains = json.loads((place / "domains.json").read_text())
    for path in sorted(place.glob("*.h5"), key=numbered):
        group = path.stem.partition("-")[0]
        if group not in domains:
            continue
        net = chain(read("keras", path))
        yield posed(path, domains[group], net, parts=False)
        if options.partitions:
            yield posed(path, domains[group], net, parts=True)


def numbered(path: Path) -> tuple[str, int]:
    group, _, number = path.stem.partition("-")
    return group, int(number) if number.isdigit() else 0


def posed(path: Path, domain: Mapping[str, Any], net: Net, parts: bool) -> Instance:
    """The question about all of the domain, or about each part of it."""
    names = domain["inputs_in_order"]
    ranges = [(low, high) for low, high in (domain["integer_range"][name] for name in names)]
    protected = names.index(domain["protected"])
    size = domain["split_attributes_wider_than"]
    cut = [i for i, (low, high) in enumerate(ranges) if parts and high - low + 1 > size]
    slices = [sliced(r, size) if i in cut else [r] for i, r in enumerate(ranges)]
    claims = tuple(claim(net, box, protected) for box in product(*slices))
    name = path.stem + ("/parts" if parts else "")
    files: dict[str, str | bytes] = {
        "q.vf": text(path.name, names, ranges, protected, cut, size),
        path.name: path.read_bytes(),
    }
    return Instance(name, claims, files, ("check", "q.vf"))


def sliced(whole: Range, size: int) -> list[Range]:
    """`size` values each; the last slice may have less."""
    low, high = whole
    return [(a, min(a + size - 1, high)) for a in range(low, high + 1, size)]


def claim(net: Net, box: tuple[Range, ...], protected: int) -> Claim:
    """One logit: class 1 iff it is > 0. Which of the two points is which does not matter."""
    sides = tuple(
        Side(Fraction(a), Fraction(b), True, None if i == protected else ZERO) for i, (a, b) in enumerate(box)
    )
    n = len(box)
    return Claim(net, sides, All((row({2 * n: 1}, strict=True), row({2 * n + 1: -1}))))


def text(model: str, names: list[str], ranges: list[Range], protected: int, cut: list[int], size: int) -> str:
    """The question in the verifier's language."""
    words = [re.sub(r"\W", "_", name) for name in names]
    sides = ", ".join(f"{w}: int in [{a}, {b}]" for w, (a, b) in zip(words, ranges, strict=True))
    cuts = ", ".join(f"{words[i]} every {size}" for i in cut)
    asked = "factors(f1, f2)"
    return (
        f"domain X {{ {sides} }}\nlabels {{ no, yes }}\n"
        f'model f1 = keras("{model}")\n'
        f"oracle f2 {{ features all except {words[protected]}  metric linf }}\n"
        + (f"partition P of X by {cuts}\nassert F: forall part in P: {asked}\n" if cut else f"assert F: {asked}\n")
    )
