"""How long a cold start takes: the help, and a file of nine lines."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.run import PYTHON, run

NINE = """domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }
oracle f2 { features s = size  metric linf  decide if s >= 1/2 then big else small }
model f1 { features s = size, h = hue  decide if s + h/10 >= 1/2 then big else small }
assert A1: contained(f1, f2) expect refuted
assert A2: unnecessary(f1, f2, h)
assert A3: strongly_robust(f1, f2, radius: 1/10) expect refuted
assert A4: factors(f1, f2) expect refuted
compute R: critical_radius(f1, f2)
"""

COMMANDS = {
    "python": ["-c", "pass"],
    "import z3": ["-c", "import z3"],
    "verifier --help": ["-m", "verifier", "--help"],
    "verifier check (nine lines)": ["-m", "verifier", "check", "nine.vf"],
}


@dataclass(frozen=True)
class Start:
    """Seconds of every run of one command."""

    name: str
    cpu: tuple[float, ...]
    wall: tuple[float, ...]

    def __str__(self) -> str:
        low, high = min(self.cpu), max(self.cpu)
        return f"{self.name:<30} cpu {median(self.cpu):6.2f} ({low:.2f} to {high:.2f})   wall {median(self.wall):6.2f}"


def starts(repeat: int, seconds: float) -> list[Start]:
    """Each command once, then each again, so that noise hits all alike."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as name:
        Path(name, "nine.vf").write_text(NINE)
        for _ in range(repeat):
            for command, arguments in COMMANDS.items():
                ran = run([PYTHON, *arguments], seconds, folder=Path(name))
                if ran.code:
                    raise RuntimeError(f"{command} failed: {ran.errors[-300:]}")
                taken[command].append((ran.cpu, ran.wall))
    return [Start(n, tuple(c for c, _ in t), tuple(w for _, w in t)) for n, t in taken.items()]
