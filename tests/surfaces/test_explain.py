"""`verifier explain` on files whose reasons are known by hand."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from verifier.api import load_text
from verifier.model.network import Dense, Network
from verifier.query.pose import Poser
from verifier.report.explain import where
from verifier.report.reasons import bracket, point
from verifier.surfaces.cli import cli
from verifier.verdict.decide import Decider
from verifier.verdict.verdict import Measurement

HALFSPACE = """
domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }
oracle f2 { features s = size  metric linf  decide if s >= 1/2 then big else small }
model f1 { features s = size, h = hue  decide if s + h/10 >= 1/2 then big else small }
assert A1: contained(f1, f2) expect refuted
assert A3: strongly_robust(f1, f2, radius: 1/10) expect refuted
"""

BOUNDARY = """
domain X { x: real in [0, 1] }
labels { no, yes }
oracle f2 { features x = x  metric linf }
model f1 { features x = x  decide if x >= 1/2 then yes else no }
assert A: strongly_robust(f1, f2, radius: 1/10) expect refuted
"""


def explained(tmp_path: Path, text: str, *names: str) -> str:
    path = tmp_path / "file.vf"
    path.write_text(text)
    result = CliRunner().invoke(cli, ["explain", str(path), *names], standalone_mode=False)
    assert result.return_value == 0, result.output
    return " ".join(result.stdout.split())


def test_an_unnecessary_feature_is_named_and_the_features_are_to_blame(tmp_path: Path) -> None:
    text = explained(tmp_path, HALFSPACE, "A1")
    assert "Case II" in text
    assert "Unnecessary features of f1: h." in text
    assert "The features of f1 are to blame" in text
    assert "A3" not in text


def test_the_least_margin_that_restores_robustness_is_exact(tmp_path: Path) -> None:
    # x' = (2/5, 1) is the first point that f1 calls big and f2 small; within 1/10 of it f1 is 3/10 + hue/10 at least,
    # whose margin is below 1/5 and comes as near as one likes: 1/5 is enough.
    assert "With `where: margin(f1) >= 1/5` it holds" in explained(tmp_path, HALFSPACE, "A3")


def test_a_boundary_inside_an_oracle_class_blames_the_decision(tmp_path: Path) -> None:
    text = explained(tmp_path, BOUNDARY)
    assert "The features of f1 are not to blame: contained is proved" in text
    assert "critical radius 0" in text
    assert "With `where: margin(f1) >= 1/10` it holds" in text


def test_an_unknown_assertion_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "file.vf"
    path.write_text(BOUNDARY)
    command = [sys.executable, "-m", "verifier", "explain", str(path), "AA"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    assert "No assertion is called `AA`. Did you mean `A`?" in result.stderr


@pytest.mark.parametrize("command", [["explain"], ["repair"], ["plot", "--assertion"]])
def test_every_command_says_that_a_compute_is_no_assertion_and_prints_no_control_characters(
    command: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "file.vf"
    path.write_text(HALFSPACE + "compute C: accuracy(f1, f2)\n")
    for name, words in (
        ("C", "`C` is a `compute`, and an assertion is needed here. There are: A1, A3."),
        ("\x1b[2J", "No assertion is called `\\x1b[2J`. There are: A1, A3."),
    ):
        result = CliRunner().invoke(cli, [command[0], str(path), *command[1:], name], standalone_mode=False)
        assert (result.return_value, words in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([0, 1, 0], "{p: [0, 1, 0]}"),
        ([0] * 16, f"{{p: [{', '.join(['0'] * 16)}]}}"),
        ([0] * 17, "{p: all 0}"),
        ([0, Fraction(1, 2), *[0] * 781, 3], "{p: all 0 but [1]: 1/2, [783]: 3}"),
        (list(range(40)), f"{{p: all 0 but {', '.join(f'[{i}]: {i}' for i in range(1, 17))} and 23 more}}"),
    ],
)
def test_a_long_vector_is_written_by_what_is_unusual_in_it(entries: list[int], text: str) -> None:
    assert point({"p": tuple(map(Fraction, entries))}) == text


def test_the_least_margin_over_a_euclidean_ball_is_exact(tmp_path: Path) -> None:
    """With one feature l2 is linf; with the same one twice a step of 1/10 is one of sqrt(1/200)."""
    round_ = BOUNDARY.replace("metric linf", "metric l2")
    assert "With `where: margin(f1) >= 1/10` it holds" in explained(tmp_path, round_)
    text = explained(tmp_path, round_.replace("features x = x  metric l2", "features x = x, y = x  metric l2"))
    assert "The decision of f1 is to blame: it cuts a class of f2, all of X, without a gap" in text
    found = re.search(
        r"Margins of flipped pairs go up to 1/20\*sqrt\(2\) ≈ 0.0707107 \(trusting z3 [^)]*\): with", text
    )
    assert found is not None, text
    assert "with `where: margin(f1) >= 0.0707107` it holds" in text
    assert "with a margin below those it does not." in text
    text = explained(tmp_path, round_.replace("features x = x  metric l2", "features x = 3*x, y = 4*x  metric l2"))
    assert "With `where: margin(f1) >= 1/50` it holds" in text  # sqrt(3^2 + 4^2) = 5


def test_the_least_margin_over_a_ball_of_a_sum_of_roots_is_enclosed(tmp_path: Path) -> None:
    """(1 + sqrt 2) d < 1/10: up to 0.04142."""
    file = BOUNDARY.replace("features x = x  metric linf", "features x = x, y = x  metric l2 + linf")
    text = explained(tmp_path, file)
    assert re.search(
        r"With `where: margin\(f1\) >= 0.0415` it holds.*, with `where: margin\(f1\) >= 0.0414` it does", text
    )


def test_a_margin_of_many_digits_is_rounded_up(tmp_path: Path) -> None:
    """Nobody would write it, and the language would not read it."""
    file = BOUNDARY.replace("x: real in [0, 1]", "x: real in [0, 1e300]").replace(">= 1/2", ">= 1e299")
    text = explained(
        tmp_path, file.replace("features x = x  metric", "features x = 1e-300*x  metric").replace("1/10", "1/7")
    )
    found = re.search(r"go up to ≈ 1.42857e299[^:]*: with `where: margin\(f1\) >= 1.42858e299` it holds", text)
    assert found is not None, text
    assert not re.search(r"\d{40}", text)


@pytest.mark.parametrize("threshold", ["1/3", "7", "1234567", "1/98765", "1", "10"])
def test_a_bracket_is_as_near_as_three_digits(threshold: str) -> None:
    least = Fraction(threshold)
    ends = bracket(lambda margin: margin >= least, lambda: True)
    assert ends is not None and ends[0] is not None
    low, high = ends
    assert low < least <= high <= low * Fraction(102, 100)
    assert bracket(lambda margin: True, lambda: True) is not None  # with every margin that was tried
    assert bracket(lambda margin: False, lambda: True) is None
    assert bracket(lambda margin: None, lambda: True) is None


def test_without_time_no_margin_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.report.reasons.supremum", lambda *_: None)
    monkeypatch.setattr("verifier.report.reasons.bracket", lambda *_: None)
    text = explained(tmp_path, BOUNDARY)
    assert "The least margin that would restore it was not found in time." in text
    assert "With `where:" not in text


def test_a_critical_radius_that_is_a_root_is_written_as_one(tmp_path: Path) -> None:
    corners = """
domain X { x: int in [0, 1], y: int in [0, 1] } where x == y
labels { no, yes }
oracle f2 { features x = x, y = y  metric l2 }
model f1 { features x = x  decide if x >= 1 then yes else no }
assert A: strongly_robust(f1, f2, radius: 3/2) expect refuted
"""
    assert "The critical radius is sqrt(2) ≈ 1.41421" in explained(tmp_path, corners)


UNIFORM = """
domain X { i: int in [0, 1], t: real in (0, 1] }
labels { zero, one }
oracle f2 { features t = t, it = if i == 1 then t else 0  metric linf }
model f1 { features i = i  decide if i == 1 then one else zero }
assert A: contained(f1, f2)
assert B: uniformly_contained(f1, f2) expect refuted
assert C: strongly_robust(f1, f2, radius: 1/10) expect refuted
"""


def test_features_that_are_contained_but_not_uniformly_are_not_acquitted(tmp_path: Path) -> None:
    text = explained(tmp_path, UNIFORM, "B")
    assert "for each point some oracle distance is small enough, but none is for all of them" in text
    assert "not to blame" not in text
    text = explained(tmp_path, UNIFORM, "C")
    # between the two rays d2' -> 0 with t, and d1' = 1
    assert "the sum of both distances is never below 1: no radius works for all points" in text
    assert "the features of f1 are to blame: they are not uniformly contained." in text
    assert "The decision of f1" not in text


def test_the_points_of_the_case_are_written_out(tmp_path: Path) -> None:
    text = explained(tmp_path, UNIFORM, "A")
    assert "only the former differ at {i: " in text
    assert "x and x'," not in text


def test_points_are_written_out_in_the_middle_of_a_sentence_too(tmp_path: Path) -> None:
    """Case IV of a proved assertion: no points are shown that `x and x'` could mean."""
    blind = HALFSPACE.replace("s = size, h = hue  decide if s + h/10", "h = size  decide if h")
    back = blind.replace(
        "s = size  metric linf  decide if s >= 1/2", "s = size, t = hue  metric linf  decide if t >= 1/2"
    )
    text = explained(tmp_path, back + "assert N: contained(f1, f2)\n", "N")
    found = re.search(r"they are equal at \{size: (\S+), hue: (\S+)\} and \{size: (\S+), hue: (\S+)\}, labelled", text)
    assert found is not None, text
    assert found[1] == found[3] and found[2] != found[4]


def test_a_claim_that_holds_blames_nobody(tmp_path: Path) -> None:
    needed = HALFSPACE + "assert N: unnecessary(f1, f2, s) expect refuted\n"
    margin = HALFSPACE + "assert M: strongly_robust(f1, f2, radius: 1/100, where: margin(f1) >= 1/5)\n"
    for text in (explained(tmp_path, needed, "N"), explained(tmp_path, margin, "M")):
        assert "contained is refuted, and the decision of f1 uses what f2 cannot see" in text
        assert "to blame" not in text


def test_a_point_without_a_name_is_written_out(tmp_path: Path) -> None:
    at = HALFSPACE + "assert P: contained_at(f1, f2, { size: 1/2, hue: 0 }) expect refuted\n"
    text = explained(tmp_path, at, "P")
    assert "for x = {size: 1/2, hue: 0} and every eps > 0" in text
    assert "Unnecessary features of f1: h." in text


GAP = """
domain X { x: real in [0, 2] } where x < 1 or x > 1
labels { no, yes }
oracle f2 { features x = x  metric linf }
model f1 { features x = x  decide if x >= 1 then yes else no }
assert A: strongly_robust(f1, f2, radius: 1/10) expect refuted
"""


def test_a_boundary_that_the_domain_leaves_out_is_not_said_to_run_anywhere(tmp_path: Path) -> None:
    """f1 is locally constant on X: it has no boundary there, and no radius either."""
    text = explained(tmp_path, GAP)
    assert "boundary" not in text
    assert "The decision of f1 is to blame: it cuts a class of f2, all of X, without a gap" in text


def test_features_that_are_too_much_do_not_acquit_the_decision(tmp_path: Path) -> None:
    """h tells apart what f2 does not, but what flips are pairs on both sides of 1/2, as near as one likes for both."""
    wasteful = HALFSPACE.replace("s + h/10 >= 1/2", "s >= 1/3")
    text = explained(tmp_path, wasteful, "A3")
    assert "factors is proved" in text
    assert "The decision of f1 is to blame: it cuts a class of f2 without a gap" in text


JUMP = """
domain X { x: real in [0, 1] }
labels { no, yes }
oracle f2 { features x = x  metric linf }
model f1 { features x = x  metric discrete  decide if x >= 1/2 then yes else no }
assert A: contained(f1, f2) expect refuted
assert B: contained(f2, f1)
"""


def test_containment_is_shown_both_ways(tmp_path: Path) -> None:
    """By the factorisation, by a pair, or by a limit; what is above is not repeated."""
    text = explained(tmp_path, HALFSPACE, "A1")
    assert "contained(f1, f2) is refuted: x and x' above have distance 0 for f2 and 1 for f1." in text
    assert "contained(f2, f1) is proved: on X, f2.s = f1.s." in text
    assert "Along {hue: 1} no feature of f2 changes, and f1 changes by {f1.h: 1}." in text
    assert "contained(f1, f2) is refuted by the limit above." in explained(tmp_path, JUMP, "A")
    text = explained(tmp_path, JUMP, "B")
    found = re.search(
        r"from x = \{x: (\S+)\} to x' = y \+ s\*\(z - y\) with y = \{x: (\S+)\} and z = \{x: (\S+)\}", text
    )
    assert found is not None, text
    assert found[1] == found[2] != found[3]
    assert "tends to 0 as s -> 0, and that for f1 tends to 1." in text


IMAGES = """
domain X { a: real in [0, 1], b: real in [0, 1], c: real in [1/2, 1/2], d: real in [0, 2] } where d == a + b + 1/4
labels { no, yes }
oracle f2 { features s = 2*a + 1, v = [b, a - b]  metric linf }
model f1 { features h = a + 3*b - c, w = [5, 2*d]  decide if h >= 1 then yes else no }
assert A: contained(f1, f2)
"""


def test_the_factorisation_holds_on_all_of_the_domain(tmp_path: Path) -> None:
    """With coordinates that are pinned or follow from others, whatever multiples of those are chosen."""
    text = explained(tmp_path, IMAGES)
    found = re.search(r"is proved: on X, f1\.h = (.*?), f1\.w\[0\] = (.*?), f1\.w\[1\] = (.*?)\. ", text)
    assert found is not None, text
    for a, b in ((Fraction(0), Fraction(0)), (Fraction(1, 3), Fraction(1, 5)), (Fraction(1), Fraction(1, 7))):
        values = {"f2.s": 2 * a + 1, "f2.v[0]": b, "f2.v[1]": a - b}
        expected = (a + 3 * b - Fraction(1, 2), Fraction(5), 2 * (a + b + Fraction(1, 4)))
        assert tuple(value(text, values) for text in found.groups()) == expected


def value(text: str, values: dict[str, Fraction]) -> Fraction:
    """`2*f2.s - f2.v[0] + 1/2` at these values."""
    total = Fraction(0)
    for sign, term in re.findall(r"(^-?|[+-] )([^ ]+)", text):
        weight, _, name = term.rpartition("*")
        one = Fraction(weight or 1) * values[name] if name in values else Fraction(term)
        total += -one if sign.startswith("-") else one
    return total


WORDS = (
    BOUNDARY
    + """
point p = { x: 1/4 }
assert B: strongly_robust(f1, f2, radius: 1/10, eta: 1/2)
assert C: strongly_robust(f1, f2, radius: 1/10, closed: true, where: x <= 1/4, almost: true)
assert D: robust_at(f1, f2, p, radius: 1/10)
assert E: contained(f1, f2, of: decision)
assert F: exists u in X: f1(u) == yes
assert G: not contained(f1, f2) expect refuted
"""
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("A", "Any two points x, x' less than 1/10 apart for f2 and labelled alike by it get one label from f1."),
        ("B", "get one label from f1 with a probability of more than 1 - 1/2."),
        ("C", "at most 1/10 apart for f2 and labelled alike by it get one label from f1, if x <= 1/4 at x, except on"),
        ("D", "Every point x' less than 1/10 away from p for f2 and labelled like p by it gets the label of p from f1"),
        ("E", "Off its own boundary, f1 keeps its label at all points that are near enough for f2 and labelled alike"),
        ("B", "Formula probability(f1, f2, radius: 0.1) > 1/2 Here probability is the probability that f1 agrees"),
        ("F", "Formula there is u in X such that f1(u) == yes"),
        ("G", "Formula there are x in X and eps > 0 such that for every delta > 0 there is x' in X with distance(f2,"),
    ],
)
def test_the_words_are_those_of_the_assertion(name: str, words: str, tmp_path: Path) -> None:
    """Its classifiers, points and options: not those of the definition."""
    assert words in explained(tmp_path, WORDS, name)


def test_an_inaccurate_model_is_told_which_part_is_to_blame(tmp_path: Path) -> None:
    late = HALFSPACE + "assert L: accurate(f1, f2) expect refuted\n"
    text = explained(tmp_path, late, "L")
    assert "The decision of f1 is to blame. Some decision on the features of f1 gives f2 everywhere." in text
    blind = late.replace("features s = size, h = hue  decide if s + h/10", "features h = hue  decide if h")
    text = explained(tmp_path, blind, "L")
    assert "The features of f1 are to blame. No decision on the features of f1 gives f2 everywhere" in text
    assert "they are equal at {size: " in text
    assert "x and x'" not in text[text.index("No decision") :]


def test_the_largest_radius_at_a_point_is_said(tmp_path: Path) -> None:
    """From 1/4 the labels change at 1/2; f3 calls 1/2 no, so that it changes beyond."""
    at = BOUNDARY + "point p = { x: 1/4 }\nassert P: robust_at(f1, f2, p, radius: 1/10)\n"
    text = explained(tmp_path, at, "P")
    assert "At p every open ball up to the radius 1/4 works, no larger one does (a point that f2 labels" in text
    beyond = at.replace(">= 1/2", "> 1/2").replace("p, radius: 1/10", "p, radius: 1/10, agree: false")
    assert "(no point at this distance flips)" in explained(tmp_path, beyond, "P")
    wall = at.replace("metric linf }", "metric linf  decide if x >= 1/2 then yes else no }")
    assert "At p every radius works: no point that f2 labels alike flips." in explained(tmp_path, wall, "P")


def test_at_a_point_on_the_boundary_no_radius_works(tmp_path: Path) -> None:
    """An open ball of radius 0 is empty: nobody wants to hear of it. Beside it is a point at distance 0."""
    at = BOUNDARY + "point p = { x: 1/2 }\nassert P: robust_at(f1, f2, p, radius: 1/10) expect refuted\n"
    text = explained(tmp_path, at, "P")
    assert "At p no radius works: points that f2 labels alike flip as near as one likes." in text
    blind = at.replace("oracle f2 { features x = x", "oracle f2 { features x = relu(x - 3/4)")
    assert "At p no radius works: points that f2 labels alike flip even at distance 0." in explained(
        tmp_path, blind, "P"
    )
    free = at.replace("p, radius: 1/10)", "p, radius: 1/10, agree: false)")
    assert "At p no radius works: points flip as near as one likes." in explained(tmp_path, free, "P")


CIRCLE = """
domain X { hour: real in [0, 24) }
labels { day, night }
oracle sun { features h = hour  metric d(u, v) = min(abs(u.h - v.h), 24 - abs(u.h - v.h)) }
model f1 { features h = hour  METRIC  decide if 6 <= h and h < 18 then day else night }
assert A: contained(f1, sun)
"""


def test_a_feature_that_is_torn_where_the_metric_of_the_model_mends_it_is_said_to_be_so(tmp_path: Path) -> None:
    """h jumps at midnight; the model's own distance does not."""
    own = CIRCLE.replace("METRIC", "metric d(u, v) = min(abs(u.h - v.h), 24 - abs(u.h - v.h))")
    text = explained(tmp_path, own)
    assert "Unnecessary features of f1, each taken as a plain number (the metric of f1 makes up for that): h." in text
    torn = explained(tmp_path, CIRCLE.replace("METRIC", "").replace("sun)\n", "sun) expect refuted\n"))
    assert "Unnecessary features of f1: h." in torn


def test_a_file_without_assertions_is_said_to_have_none(tmp_path: Path) -> None:
    path = tmp_path / "file.vf"
    for text in ("", BOUNDARY[: BOUNDARY.index("assert")] + "compute R: critical_radius(f1, f2)\n"):
        path.write_text(text)
        result = CliRunner().invoke(cli, ["explain", str(path)], standalone_mode=False)
        assert (result.return_value, result.stdout) == (3, "")
        assert "No assertion to explain" in result.stderr


def test_what_stayed_open_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Decider, "compute", lambda *_: Measurement(None, why="out of time"))
    text = explained(tmp_path, HALFSPACE, "A1")
    assert "Which case it is stayed open: out of time." in text
    assert "Which features of f1 are unnecessary stayed open: out of time." in text
    assert "Case" not in text and "Unnecessary features" not in text


def test_what_was_decided_for_one_assertion_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The points are the same all through an explanation."""
    asked: list[object] = []
    compute = Decider.compute
    monkeypatch.setattr(Decider, "compute", lambda self, m, s: (asked.append(m), compute(self, m, s))[1])
    explained(tmp_path, HALFSPACE)
    assert len(asked) == len({repr(m) for m in asked}) == 2  # the case and the unnecessary features, of two assertions


def test_equivalence_has_the_case_and_both_containments_and_blames_nobody(tmp_path: Path) -> None:
    text = explained(tmp_path, HALFSPACE + "assert Q: equivalent(f1, f2) expect refuted\n", "Q")
    assert "Case II" in text
    assert re.search(r"contained\(f1, f2\) is refuted: .* have distance 0 for f2 and 1 for f1\.", text)
    assert "contained(f2, f1) is proved: on X, f2.s = f1.s." in text
    assert "to blame" not in text


IGNORED = """
domain X { a: real in [0, 1], b: real in [0, 1] }
labels { no, yes }
oracle f2 { features a = a, b = b  metric d(u, v) = abs(u.a - v.a)  decide if b >= 1/2 then yes else no }
model f1 { features b = b  decide if b >= 1/2 then yes else no }
assert A: contained(f1, f2) expect refuted
"""


def test_an_oracle_that_decides_by_what_its_distance_ignores_is_named(tmp_path: Path) -> None:
    text = explained(tmp_path, IGNORED)
    found = re.search(r"ignores: \{a: (\S+), b: (\S+)\} and \{a: (\S+), b: (\S+)\} have distance 0 for it, and", text)
    assert found is not None, text
    assert found[1] == found[3]
    assert sorted(Fraction(b) >= Fraction(1, 2) for b in (found[2], found[4])) == [False, True]
    assert "So no classifier that keeps its label at oracle distance zero is accurate." in text
    assert "what its distance ignores" not in explained(tmp_path, IGNORED.replace("abs(u.a - v.a)", "abs(u.b - v.b)"))
    assert "what its distance ignores" not in explained(tmp_path, HALFSPACE, "A1")


def test_a_decision_that_uses_what_its_own_distance_ignores_is_to_blame(tmp_path: Path) -> None:
    """d1 and d2 see a, the decision of f1 reads b: contained, and two points at distance 0 for both flip."""
    seen = "metric d(u, v) = abs(u.a - v.a)"
    file = IGNORED.replace(f"{seen}  decide if b >= 1/2 then yes else no", seen)
    file = file.replace("features b = b  decide", f"features a = a, b = b  {seen}  decide")
    file = file[: file.index("assert")] + "assert A: factors(f1, f2) expect refuted\nassert B: contained(f1, f2)\n"
    text = explained(tmp_path, file, "A")
    assert (
        "The decision of f1 is to blame: it uses what its own distance ignores: x and x' above, at distance zero"
        in text
    )
    assert "The decision of f1 uses what its own distance ignores: {a: " in explained(tmp_path, file, "B")


EXAMPLES = Path(__file__).parents[2] / "examples"
FED = "inputs: [(radius - 14)/4, (texture - 19)/4, (smoothness - 0.1)/0.02, (concave - 0.05)/0.05]"
NET = "model net sees last_hidden, the 4 numbers that its last layer reads (last_hidden[0] to last_hidden[3]); its"


def trained(tmp_path: Path, example: str, old: str, new: str, *names: str) -> str:
    pytest.importorskip("onnx")
    pytest.importorskip("skops")
    for file in EXAMPLES.glob(f"{example}.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (EXAMPLES / f"{example}.vf").read_text().replace("assert R8: unnecessary(f1, petals, scores)\n", "")
    assert old in text
    return explained(tmp_path, text.replace(old, new), *names)


@pytest.mark.parametrize(
    ("example", "old", "new", "name", "words"),
    [
        ("breast_cancer", FED, FED, "N10", NET),
        (
            "breast_cancer",
            FED,
            f"{FED}, features: input",
            "N10",
            "sees input, what it is fed (input[0] = (radius - 14)/4, input[1] = (texture - 19)/4, input[2] = "
            "(smoothness - 0.1)/0.02, input[3] = (concave - 0.05)/0.05); its",
        ),
        (
            "breast_cancer",
            FED,
            f"{FED}, features: scores",
            "N10",
            "sees scores[0], its one score: malignant where that is > 0, else benign; its",
        ),
        (
            "iris",
            "features: scores",
            "features: scores",
            "R6",
            "sees scores, a score for each label (scores[0] of setosa, scores[1] of versicolor, scores[2] of virginica",
        ),
        (
            "iris",
            "features: scores",
            "features: last_hidden",
            "R6",
            "sees last_hidden, the 4 numbers that its last layer reads (last_hidden[0] to last_hidden[3]); its",
        ),
    ],
)
def test_the_vector_that_a_network_sees_is_said_in_the_words_of_the_file(
    example: str, old: str, new: str, name: str, words: str, tmp_path: Path
) -> None:
    assert words in trained(tmp_path, example, old, new, name)


def test_a_factorisation_with_numbers_that_nobody_reads_is_rounded(tmp_path: Path) -> None:
    """(x - mean)/scale times the weights of the file, as scikit-learn says them to six digits."""
    text = trained(tmp_path, "iris", "features: scores", "features: scores", "R6")
    assert "on X, f1.scores[0] ≈ -2.08375*ruler.sepal_length + 4.3572*ruler.sepal_width - 2.03251*ruler.petal" in text
    assert not re.search(r"\d{20}", text)
    exact = trained(tmp_path, "iris", "features: scores", "features: input", "R6")
    assert "on X, f1.input[0] = ruler.sepal_length, f1.input[1] = ruler.sepal_width, f1.input[2] = " in exact


def test_the_neurons_that_change_at_oracle_distance_zero_are_named(tmp_path: Path) -> None:
    text = trained(tmp_path, "breast_cancer", FED, FED, "N11")
    found = re.search(r"last_hidden = \[(.*?)\] \| \[(.*?)\]", text)
    assert found is not None, text
    left, right = (side.split(", ") for side in found.groups())
    differ = [f"last_hidden[{i}]" for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    said = " and ".join([*([", ".join(differ[:-1])] if len(differ) > 1 else []), differ[-1]])
    assert (f"for net, whose {said} change" in text) is (len(differ) < 4)


def test_a_network_without_a_hidden_layer_sees_what_it_is_fed() -> None:
    nets = {f"{n}.onnx": Network(n, (Dense((0,), ([[1.0] * n] * 2,), [0.0] * 2),), "argmax", 0) for n in (4, 5)}
    loaded = load_text(
        "domain X { a: real in [0, 1], v: real^2 in [0, 1], k: {p, q} }\nlabels { no, yes }\n"
        'model f1 = onnx("5.onnx", inputs: [2*a, v, onehot(k)])\nmodel f3 = onnx("4.onnx")\n',
        live=nets,
    )
    loaded.worker.close()
    assert not loaded.diagnostics
    poser = Poser(loaded.program)
    first, second = (where(loaded.program.classifiers[n], poser) for n in ("f1", "f3"))
    assert first.startswith(
        "model f1 sees last_hidden, what it is fed, as it has no hidden layer (last_hidden[0] = 2*a, last_hidden[1] = "
        "v[0], last_hidden[2] = v[1], last_hidden[3] = onehot(k)[0], last_hidden[4] = onehot(k)[1]); its distance is"
    )
    assert "last_hidden[0] = a, last_hidden[1] = v[0], last_hidden[2] = v[1], last_hidden[3] = code(k)); its" in second
