"""Properties in VNN-LIB of ONNX networks: every `.onnx` file of a folder (and below) with every `.vnnlib` file that
fits it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from benchmarks.claim import Claim, Net, Side, chain, clauses
from benchmarks.contest import Instance
from benchmarks.suites import Missing, Options, folder
from verifier.importers import read
from verifier.importers.vnnlib_file import read as read_property
from verifier.model.violation import Violation


def instances(options: Options) -> Iterator[Instance]:
    place = folder(options, ".onnx and .vnnlib files")
    properties = sorted(place.rglob("*.vnnlib"))
    for path in sorted(place.rglob("*.onnx")):
        network = read("onnx", path)
        net = chain(network)
        short = re.sub(r"^ACASXU_run2a_(\d_\d)_batch_2000$", r"\1", path.stem)
        for file in properties:
            violation = read_property(file, net.inputs, net.outputs).violation
            if violation is None:
                continue  # a property of another network
            files = {"net.onnx": path.read_bytes(), "p.vnnlib": file.read_bytes()}
            arguments = ("vnnlib", "net.onnx", "p.vnnlib")
            yield Instance(f"{short}/{file.stem}", (claim(net, violation),), files, arguments)


def claim(net: Net, violation: Violation) -> Claim:
    """The violation over the smallest box that holds all of its cases."""
    lows: list[list[Fraction]] = [[] for _ in range(net.inputs)]
    highs: list[list[Fraction]] = [[] for _ in range(net.inputs)]
    count = 0
    for clause in clauses(violation.formula):
        count += 1
        bounds: dict[tuple[int, bool], Fraction] = {}
        for compare in clause:
            if len(compare.terms) == 1 and (i := compare.terms[0][0]) < net.inputs:
                weight = compare.terms[0][1]
                bound, below = -compare.constant / weight, weight > 0
                known = bounds.get((i, below), bound)
                bounds[i, below] = max(known, bound) if below else min(known, bound)
        for (i, below), bound in bounds.items():
            (lows if below else highs)[i].append(bound)
    if any(len(of) < max(count, 1) for of in (*lows, *highs)):
        raise Missing("Peers need bounds of all inputs, and a property leaves some out.")
    return Claim(
        net, tuple(Side(min(a), max(b)) for a, b in zip(lows, highs, strict=True)), violation.formula, copies=1
    )
