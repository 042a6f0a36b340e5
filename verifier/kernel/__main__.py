"""`python -m verifier.kernel problem.json proof.json`: 0 accepted, 1 rejected, 2 bad usage or unreadable."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from verifier.kernel.problem import Rejected
from verifier.kernel.proof import check
from verifier.kernel.wire import LONGEST_TEXT, Unreadable, read_problem, read_proof


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m verifier.kernel problem.json proof.json", file=sys.stderr)
        return 2
    path = ""
    try:
        path = arguments[0]
        problem = read_problem(_text(path))
        path = arguments[1]
        checked = check(problem, read_proof(_text(path)))
    except Rejected as why:
        print(f"rejected: {why}")
        return 1
    except (OSError, UnicodeDecodeError, Unreadable) as why:
        print(f"{path}: {why}", file=sys.stderr)
        return 2
    print("accepted" + (f", trusting {', '.join(checked.trusts)}" if checked.trusts else ""))
    return 0


def _text(path: str) -> str:
    """At most one character more than a reader takes."""
    with Path(path).open(encoding="utf-8") as file:
        return file.read(LONGEST_TEXT + 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
