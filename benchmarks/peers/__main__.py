from __future__ import annotations

import json
import pickle
import sys
import time

from benchmarks.peers import answer_of


def main() -> None:
    answer, end = answer_of(sys.argv[1]), time.monotonic() + float(sys.argv[2])
    claims = pickle.load(sys.stdin.buffer)
    for k, claim in enumerate(claims):
        said = answer(claim, max(0.0, (end - time.monotonic()) / (len(claims) - k)))
        point = None if said.point is None else [str(v) for v in said.point]
        print(json.dumps({"word": said.word, "point": point, "note": said.note}), flush=True)


main()
