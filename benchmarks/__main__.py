"""`python -m benchmarks SUITE`: a table of the verifier and its peers on one suite. See README.md."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from benchmarks import ours, peers, table
from benchmarks.contest import Instance, Judged, Run, contradictions, judge
from benchmarks.peers import nnenum
from benchmarks.suites import Missing, Options, Suite, acasxu, fairness, linear, small, startup, twins

SUITES: dict[str, Suite] = {
    "fairness": fairness.instances,
    "acasxu": acasxu.instances,
    "twins": twins.instances,
    "linear": linear.instances,
    "small": small.instances,
}

Ask = Callable[[Instance, float], Run]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suite", choices=[*SUITES, "startup"])
    parser.add_argument("--models", type=Path, metavar="DIR", help="the models of the suites fairness and acasxu")
    parser.add_argument("--partitions", action="store_true", help="fairness: of every part of the domain besides")
    parser.add_argument("--peers", default="", metavar="A,B", help=f"some of {', '.join(peers.PEERS)}")
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="S", help="seconds an instance and contender (60)"
    )
    parser.add_argument("--nnenum", type=Path, metavar="PYTHON", help="acasxu: the Python that has nnenum, as a peer")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="runs of each; the median counts (1)")
    parser.add_argument("--only", default="*", metavar="NAME", help="instances of this name, or pattern (AC-*)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw them")
    parsed = parser.parse_args()
    parsed.peers = [p for p in parsed.peers.split(",") if p]
    if unknown := [p for p in parsed.peers if p not in peers.PEERS]:
        parser.error(f"there is no peer `{unknown[0]}`: choose from {', '.join(peers.PEERS)}")
    if parsed.nnenum and parsed.suite != "acasxu":
        parser.error("--nnenum answers the suite acasxu only")
    if parsed.timeout <= 0 or parsed.repeat < 1:
        parser.error("--timeout and --repeat are positive")
    return parsed


def contenders(names: Sequence[str], nnenum_python: Path | None) -> dict[str, Ask]:
    """Everybody who is asked, the verifier first."""
    found: dict[str, Ask] = {table.OURS: ours.ask}
    for name in names:
        found[name] = partial(peers.ask, name)
    if nnenum_python is not None:
        found["nnenum"] = partial(nnenum.ask, nnenum_python)
    return found


def compete(instance: Instance, all_: Mapping[str, Ask], seconds: float, repeat: int) -> dict[str, Judged]:
    """Everybody in turn, then everybody again: what disturbs one run disturbs them alike."""
    runs: dict[str, list[Run]] = {name: [] for name in all_}
    for _ in range(repeat):
        for name, ask in all_.items():
            runs[name].append(ask(instance, seconds))
    return {name: judge(instance, taken) for name, taken in runs.items()}


def main() -> int:
    wanted = arguments()
    if wanted.suite == "startup":
        found = startup.starts(wanted.repeat if wanted.repeat > 1 else 5, wanted.timeout)
        print(*found, sep="\n")
        if wanted.json:
            wanted.json.write_text(json.dumps([vars(s) for s in found], indent=1) + "\n")
        return 0
    present = [p for p in wanted.peers if peers.installed(p)]
    for peer in set(wanted.peers) - set(present):
        print(f"{peer} is left out: `pip install {table.PACKAGES[peer]}`.", file=sys.stderr)
    everybody = contenders(present, wanted.nnenum)
    present = [name for name in everybody if name != table.OURS]
    results: list[table.Result] = []
    rows = [table.head(present)]
    wrong = 0
    try:
        for instance in SUITES[wanted.suite](Options(wanted.models, wanted.partitions)):
            if not fnmatchcase(instance.name, wanted.only):
                continue
            judged = compete(instance, everybody, wanted.timeout, wanted.repeat)
            results.append((instance, judged))
            rows.append(table.cells(instance.name, judged))
            print(table.aligned(rows)[-1], file=sys.stderr)  # as it comes; the table follows
            for name, j in judged.items():
                if j.note:
                    print(f"   {name}: {j.note}", file=sys.stderr)
            for contradiction in contradictions(judged):
                wrong += 1
                print(f"   WRONG: {contradiction}", file=sys.stderr)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted: what follows is not all.", file=sys.stderr)
    if not results:
        print("No instance of that name.", file=sys.stderr)
        return 2
    print(*table.aligned(rows), "", *table.summary(results, present), sep="\n")
    if wanted.json:
        wanted.json.write_text(json.dumps(table.document(wanted.suite, wanted.timeout, results), indent=1) + "\n")
    if wanted.plot:
        from benchmarks.plot import draw

        draw(results, present, wanted.timeout, wanted.plot)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
