"""Other tools on the same claims, each in a fresh process: `python -m benchmarks.peers NAME SECONDS` reads the claims
from stdin and answers them one by one, with equal shares of the time that is left."""

from __future__ import annotations

import importlib
import importlib.util
import json
import pickle
from collections.abc import Callable
from fractions import Fraction

from benchmarks.claim import Claim
from benchmarks.contest import Instance, Run, Said
from benchmarks.run import PYTHON, run

Answer = Callable[[Claim, float], Said]

PEERS = {
    "z3": ("benchmarks.peers.z3_peer", "z3"),
    "highs": ("benchmarks.peers.highs_peer", "highspy"),
    "scip": ("benchmarks.peers.scip_peer", "pyscipopt"),
    "marabou": ("benchmarks.peers.marabou_peer", "maraboupy"),
}
"""name -> the module with `answer(claim, seconds)`, and the library that it needs."""


def installed(name: str) -> bool:
    return importlib.util.find_spec(PEERS[name][1]) is not None


def answer_of(name: str) -> Answer:
    answer: Answer = importlib.import_module(PEERS[name][0]).answer
    return answer


def ask(name: str, instance: Instance, seconds: float) -> Run:
    """The answers of a peer; what it does not answer in time is `none`."""
    claims = instance.claims
    ran = run([PYTHON, "-m", "benchmarks.peers", name, str(seconds)], seconds, pickle.dumps(claims))
    said: list[Said] = []
    for line in ran.output.splitlines():
        if line.startswith('{"word"'):
            body = json.loads(line)
            point = None if body["point"] is None else tuple(map(Fraction, body["point"]))
            said.append(Said(body["word"], point, body["note"]))
    missing = len(claims) - len(said)
    note = ""
    if missing:
        last = ran.errors.strip().splitlines()[-1:] or ["no answer"]
        note = "out of time" if ran.killed else last[0][:200]
    return Run((*said, *(Said("none") for _ in range(missing))), ran.cpu, ran.wall, note)
