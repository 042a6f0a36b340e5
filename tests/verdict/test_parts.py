"""Claims about parts: the same answers as brute force, the right shares, and nothing lost when time runs out."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations

import pytest

from verifier.api import Options, load_text
from verifier.verdict.many import Progress
from verifier.verdict.verdict import Checked, FileResult, Refuted, Undecided

Q = Fraction


def check(text: str, timeout: float = 120.0) -> FileResult:
    loaded = load_text(text)
    assert not loaded.diagnostics, loaded.diagnostics
    return loaded.check(Options(timeout=timeout))


def words(checked: Checked) -> str:
    assert checked.pieces is not None
    return "".join(p.word[0] for p in checked.pieces.parts)


def share(checked: Checked, word: str) -> Fraction | None:
    assert checked.pieces is not None
    return checked.pieces.share(word)


@pytest.mark.parametrize("seed", range(8))
def test_parts_have_the_answers_of_enumeration(seed: int) -> None:
    draw = random.Random(seed)
    a, b, c, d = (draw.randint(-3, 3) for _ in range(4))
    cut = draw.choice(["n every 3", "k", "n at [2, 7], k", "n every 4, m at [1]"])
    text = f"""domain X {{ n: int in [0, 8], m: int in [0, 2], k: {{p, q}} }}
    labels {{ lo, hi }}
    oracle f2 {{ features n = n, k = k  metric l0 }}
    model f1 {{ features s = {a}*n + {b}*m + {c}*code(k) decide if s >= {d} then hi else lo }}
    partition P of X by {cut}
    assert A: forall part in P: factors(f1, f2)
    """
    result = check(text)["A"]
    assert result.pieces is not None
    points = [(n, m, k) for n in range(9) for m in range(3) for k in range(2)]

    def part(point: tuple[int, int, int]) -> tuple[int, ...]:
        n, m, k = point
        return {
            "n every 3": (n // 3,),
            "k": (k,),
            "n at [2, 7], k": ((n >= 2) + (n >= 7), k),
            "n every 4, m at [1]": (n // 4, m >= 1),
        }[cut]

    def label(point: tuple[int, int, int]) -> bool:
        return a * point[0] + b * point[1] + c * point[2] >= d

    alike = [(x, y) for x, y in combinations(points, 2) if part(x) == part(y) and (x[0], x[2]) == (y[0], y[2])]
    bad = {part(x) for x, y in alike if label(x) != label(y)}
    every = sorted({part(x) for x in points})
    assert words(result) == "".join("r" if p in bad else "p" for p in every)
    proved = [x for x in points if part(x) not in bad]
    assert share(result, "proved") == Q(len(proved), len(points))
    if isinstance(result.verdict, Refuted):
        assert result.pair is not None
        assert f"This is part {words(result).index('r') + 1}:" in result.verdict.notes[0]


def test_shares_of_an_x_with_a_where_are_its_volumes() -> None:
    domain = (
        "domain X { a: real in [0, 1], b: real in [0, 1], n: int in [0, 1], where a <= b and (n == 0 or b >= 1/2) }\n"
    )
    text = (
        domain
        + "partition P of X by a every 1/2, b every 1/2\nassert A: forall part in P: forall x in part: x.a >= 1/2\n"
    )
    result = check(text)["A"]
    assert words(result) == "rrpp"
    assert result.pieces is not None
    # n = 0: triangles 1/8, 0, 1/8 and the square 1/4; n = 1: the same without the lower triangle
    assert [p.share for p in result.pieces.parts] == [Q(1, 7), Q(4, 7), Q(0), Q(2, 7)]


def test_a_thin_x_has_shares_only_where_the_parts_are_as_thin() -> None:
    domain = "domain X { a: real in [0, 1], b: real in [0, 1], where a == b }\n"
    claim = "assert A: forall part in P: forall x in part: x.a >= 0\n"
    both = check(f"{domain}partition P of X by a every 1/2, b every 1/2\n{claim}")["A"]
    assert share(both, "proved") in (Q(1), None)
    assert share(check(f"{domain}partition P of X by a every 1/2\n{claim}")["A"], "proved") is None


def test_what_a_proof_on_all_parts_says_of_x() -> None:
    text = """domain X { a: real in [0, 1], s: {f, m} }
    labels { lo, hi }
    oracle f2 { features a = a  metric linf }
    oracle f3 { features s = s  metric linf }
    model f1 { features a = a  decide if a >= 1/2 then hi else lo }
    partition P of X by a every 1/2
    assert A: forall part in P: forall x in part: x.a <= 1
    assert B: forall part in P: factors(f1, f2)
    assert C: forall part in P: factors(f1, f3)
    assert D: factors(f1, f3) expect refuted
    """
    result = check(text)
    assert result.exit_code == 0
    notes = {n: getattr(result[n].verdict, "notes", ()) for n in "ABC"}
    assert notes["A"] == ("Hence it holds on X.",)
    assert notes["B"][0].startswith("Hence it holds on X: two points that f2 cannot tell apart")
    assert notes["C"][0].startswith("This is about points of the same part")


def test_when_the_time_is_over_the_parts_so_far_are_told() -> None:
    text = """domain X { a: real in [0, 1], n: int in [0, 4000] }
    partition P of X by n
    assert A: forall part in P: exists x in part: x.a >= 1/2
    """
    result = check(text, timeout=0.5)["A"]
    assert isinstance(result.verdict, Undecided) and "parts stayed open, the first is part" in result.verdict.why
    assert result.pieces is not None and len(result.pieces.parts) == 4001
    assert words(result)[0] == "p" and words(result)[-1] == "u"
    assert result.pieces.parts[-1].why == "out of time"


NET = """domain X { n: int in [0, 8], x: real^2 in [-1, 1] }
labels { lo, hi }
oracle f2 { features n = n  metric linf }
model f1 { features h = relu([[1, 1], [1, -2]] * x), n = n  decide if h[0] + h[1] + n >= 7/2 then hi else lo }
partition P of X by n every 3
assert A: forall part in P: factors(f1, f2) expect refuted
assert B: forall part in P: accurate(f1, f1)
"""


def test_progress_counts_the_branches_of_all_searches_so_far() -> None:
    heard: dict[str, list[Progress]] = {}
    result = load_text(NET).check(
        Options(stats=True), watch=lambda name, progress: heard.setdefault(name, []).append(progress)
    )
    for name in ("A", "B"):
        asked, told = result[name].asked, heard[name]
        assert asked is not None and told[-1].count == 3
        total = sum(n for a in asked for t in a.turns for what, n in t.work if what in ("branches", "boxes"))
        assert 0 < told[-1].nodes <= total  # each assertion begins anew
        assert [p.nodes for p in told] == sorted(p.nodes for p in told)
        assert list(dict.fromkeys(p.done for p in told if p.done)) == [1, 2, 3]
    assert heard["B"][-1].certified == 1
