"""nnenum on the files themselves: it reads ONNX and VNN-LIB. It lives in an environment of its own, whose Python is
given by `--nnenum`; its answer with the point is taken from inside, since its result file has no point."""

from __future__ import annotations

import json
import tempfile
from fractions import Fraction
from pathlib import Path

from benchmarks.contest import Instance, Run, Said
from benchmarks.run import run

DRIVER = """
import json, sys, time
import numpy as np
from nnenum import nnenum
from nnenum.enumerate import enumerate_network
from nnenum.onnx_network import load_onnx_network_optimized
from nnenum.settings import Settings

def main():
    end = time.time() + float(sys.argv[3])
    cases, kind = nnenum.make_spec(sys.argv[2], sys.argv[1])
    network = load_onnx_network_optimized(sys.argv[1])
    nnenum.set_control_settings()
    Settings.PRINT_OUTPUT = False
    Settings.NUM_PROCESSES = 2
    for box, spec in cases:
        Settings.TIMEOUT = max(0.1, end - time.time())
        result = enumerate_network(np.array(box, dtype=kind), network, spec)
        point = [float(v) for v in result.cinput] if result.result_str == "unsafe" else None
        print("RESULT" + json.dumps([result.result_str, point]), flush=True)
        if result.result_str != "safe":
            break

if __name__ == "__main__":
    main()
"""


def ask(python: Path, instance: Instance, seconds: float) -> Run:
    """The answer of nnenum, with two workers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in {**instance.files, "driver.py": DRIVER}.items():
            (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        _, network, violation, *_ = instance.arguments
        ran = run([str(python), "driver.py", network, violation, str(seconds)], seconds, folder=folder)
    lines = [line.removeprefix("RESULT") for line in ran.output.splitlines() if line.startswith("RESULT")]
    if not lines:
        last = ran.errors.strip().splitlines()[-1:] or ["no answer"]
        return Run((Said("none"),), ran.cpu, ran.wall, "out of time" if ran.killed else last[0][:200])
    word, point = json.loads(lines[-1])
    if word == "safe":
        return Run((Said("proved"),), ran.cpu, ran.wall)
    if word == "unsafe":
        return Run((Said("refuted", tuple(map(Fraction, point))),), ran.cpu, ran.wall)
    return Run((Said("none"),), ran.cpu, ran.wall, word)
