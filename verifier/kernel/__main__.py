"""`python -m verifier.kernel problem.json proof.json`: 0 accepted, 1 rejected, 2 bad usage or unreadable.

Either file may be a gzip."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from verifier.kernel.problem import Rejected
from verifier.kernel.proof import check
from verifier.kernel.wire import BROKEN, LONGEST_TEXT, opened, read_problem, read_proof


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m verifier.kernel problem.json proof.json", file=sys.stderr)
        return 2
    path = ""
    try:
        path = arguments[0]
        with opened(path) as file:
            problem = read_problem(file.read(LONGEST_TEXT + 1))
        path = arguments[1]
        with opened(path) as file:
            checked = check(problem, read_proof(file, problem))
    except Rejected as why:
        print(f"rejected: {why}")
        return 1
    except BROKEN as why:
        print(f"{path}: {why}", file=sys.stderr)
        return 2
    print("accepted" + (f", trusting {', '.join(checked.trusts)}" if checked.trusts else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
