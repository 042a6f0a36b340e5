"""The verifier as anybody runs it: a fresh `python -m verifier ... --json` in a folder with the files of an
instance."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.claim import Claim, Vector
from benchmarks.contest import Certificate, Instance, Run, Said
from benchmarks.run import PYTHON, run


def ask(instance: Instance, seconds: float) -> Run:
    """The answer of the verifier to an instance."""
    with tempfile.TemporaryDirectory() as name:
        for file, content in instance.files.items():
            Path(name, file).write_bytes(content.encode() if isinstance(content, str) else content)
        command = [PYTHON, "-m", "verifier", *instance.arguments, "--json", "--timeout", str(seconds)]
        ran = run(command, seconds, folder=Path(name))
    try:
        (file,) = json.loads(ran.output)["files"]
    except ValueError:
        last = ran.errors.strip().splitlines()[-1:] or ["no answer"]
        silent = "out of time" if ran.killed else last[0][:200]
        return Run(tuple(Said("none") for _ in instance.claims), ran.cpu, ran.wall, silent)
    wrong = [d["message"] for d in file["diagnostics"] if d["severity"] == "error"] + file["internal_errors"]
    if wrong:
        return Run(tuple(Said("none") for _ in instance.claims), ran.cpu, ran.wall, "; ".join(wrong))
    return Run(answers(instance.claims, file), ran.cpu, ran.wall, certificate=certificate(file))


def answers(claims: Sequence[Claim], file: Mapping[str, Any]) -> tuple[Said, ...]:
    """What one file's part of the JSON document says of the claims."""
    if file["computed"]:
        ((computed,), (claim,)) = file["computed"], claims
        return (least(claim, computed),)
    (assertion,) = file["assertions"]
    if assertion.get("parts"):
        words = [part["verdict"] for part in assertion["parts"]]
        return tuple(Said("none") if w == "unknown" else Said(w, own=w == "refuted") for w in words)
    word = assertion["verdict"]
    if word == "unknown":
        return (Said("none", note=assertion["reason"]),)
    return (Said(word, flat(assertion["pair"]) if word == "refuted" else None),)


def certificate(file: Mapping[str, Any]) -> Certificate | None:
    """What the kernel accepted."""
    for assertion in file["assertions"]:
        if (held := assertion["certificate"]) is not None:
            return Certificate(held["steps"], held["seconds"])
    return None


def least(claim: Claim, computed: Mapping[str, Any]) -> Said:
    """A least distance counts when its pair is as near as it says."""
    if computed["value"] == "infinity":
        return Said("proved")
    if computed["value"] is None or computed["pair"] is None:
        return Said("none", note=computed["reason"] or "no pair")
    point = flat(computed["pair"])
    if claim.apart(point) != Fraction(computed["value"]):
        return Said("none", note=f"the pair is not at {computed['value']}")
    return Said("refuted", point)


def flat(pair: Mapping[str, Any]) -> Vector:
    """The coordinates of x, then of x'; of a VNN-LIB point only the inputs."""
    points = [pair[key] for key in ("x", "x'") if key in pair]
    entries = (v for point in points for name, v in point.items() if not name.startswith("Y_"))
    return tuple(Fraction(e) for value in entries for e in (value if isinstance(value, list) else [value]))
