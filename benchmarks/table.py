"""Results as a table, as JSON, and in a few numbers."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from math import exp, log
from statistics import median
from typing import Any

from benchmarks.contest import Instance, Judged, contradictions

OURS = "verifier"
Result = tuple[Instance, dict[str, Judged]]
PACKAGES = {"z3": "z3-solver", "highs": "highspy", "scip": "pyscipopt", "marabou": "maraboupy"}


def cells(name: str, judged: dict[str, Judged]) -> list[str]:
    """One line: the instance, our answer, and of each peer its answer, its time, and how many times ours that is."""
    mine = judged[OURS]
    certificate = mine.certificate
    proof = ["", ""] if certificate is None else [f"{certificate.steps:,}", f"{certificate.seconds:.2f}"]
    line = [name, mine.text, f"{mine.cpu:.2f}", *proof]
    for peer, theirs in judged.items():
        if peer != OURS:
            line += [theirs.text, f"{theirs.cpu:.2f}", f"{theirs.cpu / mine.cpu:.2f}" if both(mine, theirs) else ""]
    return line


def head(peers: Sequence[str]) -> list[str]:
    return ["instance", OURS, "cpu s", "steps", "check s", *(c for p in peers for c in (p, "cpu s", "ratio"))]


def both(mine: Judged, theirs: Judged) -> bool:
    return mine.decided and theirs.decided


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = [
        [cell.ljust(w) if k < 2 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))]
        for row in rows
    ]
    return ["  ".join(row).rstrip() for row in texts]


def summary(results: Sequence[Result], peers: Sequence[str]) -> list[str]:
    """Who decided how many, and the ratios of CPU time where both did."""
    lines = [f"{OURS}: {decided(results, OURS)} of {len(results)} decided"]
    for peer in peers:
        ratios = [j[peer].cpu / j[OURS].cpu for _, j in results if both(j[OURS], j[peer])]
        bad = sum(w == "bad" for _, j in results for w in j[peer].words)
        line = f"{peer}: {decided(results, peer)} of {len(results)} decided"
        if bad:
            line += f", {bad} pairs do not replay"
        if ratios:
            line += (
                f"; {peer} / {OURS} where both did ({len(ratios)}): "
                f"geometric mean {exp(sum(map(log, ratios)) / len(ratios)):.2f}, median {median(ratios):.2f}"
            )
        lines.append(line)
    return lines


def decided(results: Sequence[Result], name: str) -> int:
    return sum(j[name].decided for _, j in results)


def document(suite: str, seconds: float, results: Sequence[Result]) -> dict[str, Any]:
    """Everything, for a later run to compare with."""
    return {
        "suite": suite,
        "timeout": seconds,
        "machine": {"platform": platform.platform(), "python": platform.python_version()},
        "versions": versions(),
        "instances": [
            {
                "name": instance.name,
                "about": dict(instance.about),
                "contradictions": contradictions(judged),
                "contenders": {name: judged_json(j) for name, j in judged.items()},
            }
            for instance, judged in results
        ],
    }


def versions() -> Mapping[str, str]:
    found = {}
    for name, package in {OURS: "strong-robust", **PACKAGES}.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue
    return found


def judged_json(judged: Judged) -> dict[str, Any]:
    certificate = judged.certificate
    return {
        "text": judged.text,
        "words": list(judged.words),
        "values": [None if v is None else str(v) for v in judged.values],
        "cpu": round(judged.cpu, 4),
        "runs": [round(r, 4) for r in judged.runs],
        "note": judged.note,
        "certificate": None if certificate is None else {"steps": certificate.steps, "seconds": certificate.seconds},
    }
