"""The benchmarks measure what they say: questions can be made again, peers encode the claim, wrong pairs are seen."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks import ours, peers, table
from benchmarks.claim import Claim, Layer, Net, Side, chain, clauses, row
from benchmarks.contest import Instance, Run, Said, contradictions, judge, replayed
from benchmarks.peers import PEERS, answer_of, installed, nnenum
from benchmarks.plot import draw
from benchmarks.run import PYTHON, run
from benchmarks.suites import Missing, Options, acasxu, fairness, linear, small, twins
from verifier.model.network import Dense, Network, Relu
from verifier.model.violation import All, Some, holds

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)
# y = relu(x0 - x1) - relu(x1 - 1)
NET = Net((Layer(((ONE, -ONE), (ZERO, ONE)), (ZERO, -ONE)), Layer(((ONE, -ONE),), (ZERO,))))


def grid_net(generator: np.random.Generator, inputs: int) -> Net:
    def layer(rows: int, columns: int) -> Layer:
        numbers = generator.integers(-2, 3, (rows, columns + 1)).tolist()
        return Layer(tuple(tuple(map(Fraction, r[:-1])) for r in numbers), tuple(Fraction(r[-1], 2) for r in numbers))

    return Net((layer(4, inputs), layer(1, 4)))


def whole_pairs(claim: Claim) -> list[tuple[Fraction, ...]]:
    """All pairs of a claim about integers."""
    values = [[Fraction(v) for v in range(int(s.low), int(s.high) + 1)] for s in claim.box]
    return [(*a, *b) for a in product(*values) for b in product(*values)]


def test_the_network_is_evaluated_by_hand() -> None:
    assert NET.at((Fraction(3), Fraction(2))) == (ZERO,)  # 1 - 1
    assert NET.at((Fraction(1, 3), Fraction(1, 4))) == (Fraction(1, 12),)


def test_a_chain_is_the_network_it_comes_from() -> None:
    first = Dense((0,), ([[1.0, -1.0], [0.0, 1.0]],), [0.0, -1.0])
    last = Dense((2,), ([[1.0, -1.0]],), [0.0])
    network = Network(2, (first, Relu(1), last), "positive", 2)
    assert chain(network) == NET
    shift = Dense((0,), ([[0.0, 2.0], [1.0, 0.0]],), [0.0, -1.0])
    moved = Dense((1,), first.weights, first.bias)
    both = chain(Network(2, (shift, moved, Relu(2), Dense((3,), last.weights, last.bias)), "positive", 3))
    assert both.at((Fraction(3), Fraction(2))) == NET.at((Fraction(4), Fraction(2))) and len(both.layers) == 2
    for steps in ((first, Relu(1)), (first, last), (first, Relu(1), Relu(2), last), (Relu(0), last)):
        with pytest.raises(ValueError):
            chain(Network(2, steps, "positive", 0))


def test_clauses_are_the_formula() -> None:
    a, b, c = (row({i: 1}) for i in range(3))
    formula = All((Some((a, All((b, c)))), Some((b, c))))
    for numbers in product((ZERO, -ONE), repeat=3):
        assert any(all(holds(r, numbers) for r in clause) for clause in clauses(formula)) == holds(formula, numbers)


@pytest.mark.parametrize("peer", [p for p in PEERS if installed(p) and p != "marabou"])
def test_a_peer_s_encoding_of_integer_pairs_agrees_with_all_pairs(peer: str) -> None:
    generator = np.random.default_rng(3)
    seen = set()
    for _ in range(8):
        sides = (Side(ZERO, Fraction(2), True, ZERO), Side(-ONE, ONE, True, ONE), Side(ZERO, ONE, True))
        formula = All((row({6: 1}, -HALF), row({7: -1}, -HALF)))
        claim = Claim(grid_net(generator, 3), sides, formula)
        said = answer_of(peer)(claim, 20.0)
        expected = any(claim.solved_by(p) for p in whole_pairs(claim))
        assert said.word == ("refuted" if expected else "proved")
        assert replayed(claim, said)[0] == said.word
        seen.add(said.word)
    assert seen == {"proved", "refuted"}


@pytest.mark.parametrize("peer", [p for p in PEERS if installed(p)])
def test_a_peer_s_encoding_of_points_meets_thresholds_that_are_known(peer: str) -> None:
    """max of the network on [0, 1]^2 is 1; with x0 <= 1/4 or x1 >= 1/2 it is 1/2."""
    box = (Side(ZERO, ONE), Side(ZERO, ONE))
    narrow = Some((row({0: -1}, Fraction(1, 4)), row({1: 1}, -HALF)))
    for bound, formula, word in (
        (Fraction(9, 10), All(()), "refuted"),
        (Fraction(11, 10), All(()), "proved"),
        (Fraction(2, 5), narrow, "refuted"),
        (Fraction(3, 5), narrow, "proved"),
    ):
        claim = Claim(NET, box, All((row({2: 1}, -bound), formula)), copies=1)
        said = answer_of(peer)(claim, 20.0)
        assert (said.word, replayed(claim, said)[0]) == (word, word)


@pytest.mark.parametrize("peer", [p for p in PEERS if installed(p)])
def test_a_peer_s_encoding_of_near_pairs_meets_a_threshold_that_is_known(peer: str) -> None:
    """|y - y'| <= 2 |x - x'| where x1 <= 1, and it is attained: with |x - x'| <= 1/8 differences reach 1/4."""
    for bound, word in ((Fraction(6, 25), "refuted"), (Fraction(13, 50), "proved")):
        claim = Claim(NET, (Side(ZERO, ONE, link=Fraction(1, 8)),) * 2, row({4: 1, 5: -1}, -bound))
        said = answer_of(peer)(claim, 20.0)
        assert (said.word, replayed(claim, said)[0]) == (word, word)


@pytest.mark.parametrize("peer", [p for p in PEERS if installed(p) and p != "marabou"])
def test_a_peer_finds_the_least_distance(peer: str) -> None:
    """s = x0 - x1 on [0, 1]^2: from s >= 1/2 to s <= -1/4 both coordinates move by 3/8."""
    net = Net((Layer(((ONE, -ONE),), (ZERO,)),))
    formula = All((row({4: 1}, -HALF), row({5: -1}, -Fraction(1, 4))))
    claim = Claim(net, (Side(ZERO, ONE), Side(ZERO, ONE)), formula, least=True)
    word, value = replayed(claim, answer_of(peer)(claim, 20.0))
    assert word == "refuted" and value is not None and abs(value - Fraction(3, 8)) < Fraction(1, 10**5)


# the replay


CLAIM = Claim(NET, (Side(ZERO, Fraction(4), True, ZERO), Side(ZERO, ONE)), All((row({4: 1}, -ONE), row({5: -1}))))


@pytest.mark.parametrize(
    ("point", "word"),
    [
        ((1, 0, 1, 1), "refuted"),  # y = 1 and 0
        ((1, 1, 1, 0), "refuted"),  # the same pair, the other way round
        ((1, 0.25, 1, 1), "bad"),  # y = 3/4
        ((1, 1e-9, 1, 1), "bad"),  # nearly is not enough
        ((1, 0, 2, 1), "refuted"),  # the linked coordinate is mended: (1, 0), (1, 1)
        ((1.0000001, -1e-9, 1, 1.0000001), "refuted"),  # rounding errors of a solver
        ((0, 0, 0, 1), "bad"),
        ((9, 0, 9, 0), "bad"),
        ((1, 0), "bad"),
    ],
)
def test_only_a_pair_that_replays_counts(point: tuple[float, ...], word: str) -> None:
    assert replayed(CLAIM, Said("refuted", tuple(map(Fraction, point))))[0] == word
    assert replayed(CLAIM, Said("refuted"))[0] == "bad"


def test_a_wrong_proof_and_a_wrong_distance_are_reported() -> None:
    instance = Instance("i", (CLAIM,))
    good = judge(instance, [Run((Said("refuted", (ONE, ZERO, ONE, ONE)),), 1.0, 1.0)])
    wrong = judge(instance, [Run((Said("proved"),), 1.0, 1.0)])
    assert contradictions({"a": good, "b": wrong}) == ["b says proved, and there is a pair that replays"]
    assert contradictions({"a": good, "b": judge(instance, [Run((Said("none"),), 1.0, 1.0)])}) == []
    near = replace(good, values=(Fraction(1, 4),))
    assert contradictions({"a": near, "b": replace(good, values=(Fraction(1, 3),))})
    assert not contradictions({"a": near, "b": replace(good, values=(Fraction(1, 4) + Fraction(1, 10**9),))})


def test_the_median_of_the_runs_counts_and_the_table_has_every_contender() -> None:
    instance = Instance("i", (CLAIM,))
    mine = judge(instance, [Run((Said("proved"),), cpu, cpu) for cpu in (5.0, 1.0, 2.0)])
    theirs = judge(instance, [Run((Said("proved"),), 8.0, 8.0)])
    assert mine.cpu == 2.0
    results = [(instance, {"verifier": mine, "z3": theirs})]
    assert table.cells("i", results[0][1]) == ["i", "proved", "2.00", "", "", "proved", "8.00", "4.00"]
    assert "geometric mean 4.00, median 4.00" in table.summary(results, ["z3"])[1]
    json.dumps(table.document("s", 1.0, results))


# processes


def test_the_time_of_children_counts_too() -> None:
    burn = "import time\nwhile time.process_time() < 0.6: pass"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    assert run([PYTHON, "-c", program], 30).cpu >= 0.6


def test_the_time_of_children_that_nobody_waited_for_counts_too() -> None:
    burn = "import os, time\nwhile time.process_time() < 0.6: pass\nos.write(1, b'x')\ntime.sleep(60)"
    start = f"child = subprocess.Popen([sys.executable, '-c', {burn!r}], stdout=subprocess.PIPE)"
    ran = run([PYTHON, "-c", f"import os, subprocess, sys\n{start}\nchild.stdout.read(1)\nos._exit(0)"], 30)
    assert ran.cpu >= 0.6 and ran.wall < 30


def test_a_process_that_overstays_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.run.GRACE", 0.0)
    ran = run([sys.executable, "-c", "import time; time.sleep(60)"], 0.5)
    assert ran.killed and ran.wall < 30


def test_a_peer_in_its_process_answers_claims_one_by_one() -> None:
    never = replace(CLAIM, formula=Some(()))
    asked = peers.ask("z3", Instance("i", (CLAIM, never)), 20.0)
    assert [s.word for s in asked.said] == ["refuted", "proved"] and asked.cpu > 0


# suites


def test_the_same_seed_gives_the_same_twins_and_another_seed_others() -> None:
    first, again, other = (twins.pair(2, 4, seed=s) for s in (0, 0, 1))
    assert first == again
    assert first[0].claims != other[0].claims
    assert {i.name for i in first} == {"2-4-4-2u", "2-4-4-2s"}


def test_twins_are_refuted_above_their_scale_and_proved_below_in_both_languages() -> None:
    for instance, word in zip(twins.pair(2, 4, seed=0), ("proved", "refuted"), strict=True):
        assert judge(instance, [ours.ask(instance, 30)]).words == (word,)
        assert replayed(instance.claims[0], answer_of("z3")(instance.claims[0], 30))[0] == word


DOMAINS = {
    "T": {
        "inputs_in_order": ["age", "emp.rate", "sex"],
        "integer_range": {"age": [0, 24], "emp.rate": [-3, 1], "sex": [0, 1]},
        "protected": "sex",
        "split_attributes_wider_than": 10,
        "partitions": 3,
    }
}


def keras_file(path: Path, weights: list[list[float]], bias: float) -> None:
    """A logistic regression."""
    import h5py

    layer = {
        "class_name": "Dense",
        "config": {"name": "d", "units": 1, "activation": "sigmoid", "use_bias": True, "batch_input_shape": [None, 3]},
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": {"name": "m", "layers": [layer]}}
        )
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"d"]
        inner = group.create_group("d")
        inner.attrs["weight_names"] = [b"d/kernel:0", b"d/bias:0"]
        inner.create_dataset("d/kernel:0", data=np.array(weights, dtype=np.float32))
        inner.create_dataset("d/bias:0", data=np.array([bias], dtype=np.float32))


def test_fairness_of_all_and_of_every_part(tmp_path: Path) -> None:
    """Class 1 iff age + 2 sex > 12: only where age is 11 or 12 does sex decide, in the second of three parts."""
    keras_file(tmp_path / "T-1.h5", [[1.0], [0.0], [2.0]], -12.0)
    (tmp_path / "U-1.h5").write_bytes(b"of no domain")
    (tmp_path / "domains.json").write_text(json.dumps(DOMAINS))
    whole, parts = fairness.instances(Options(tmp_path, partitions=True))
    assert [(c.box[0].low, c.box[0].high) for c in parts.claims] == [(0, 9), (10, 19), (20, 24)]
    assert judge(whole, [ours.ask(whole, 30)]).text == "refuted"
    assert judge(parts, [ours.ask(parts, 30)]).words == ("proved", "refuted", "proved")
    assert judge(parts, [peers.ask("z3", parts, 30)]).words == ("proved", "refuted", "proved")


def test_vnnlib_files_meet_the_networks_they_fit(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(twins.onnx_file(NET))
    text = """
        (declare-const X_0 Real) (declare-const X_1 Real) (declare-const Y_0 Real)
        (assert (or (and (<= X_0 1) (>= X_0 0)) (and (<= X_0 3) (>= X_0 2))))
        (assert (<= X_1 1)) (assert (>= X_1 0)) (assert (>= Y_0 2.5))"""
    (tmp_path / "a.vnnlib").write_text(textwrap.dedent(text))
    (tmp_path / "b.vnnlib").write_text(text.replace("(assert (<= X_1 1))", "(declare-const X_2 Real)"))
    (instance,) = acasxu.instances(Options(tmp_path))
    assert instance.claims[0].box == (Side(ZERO, Fraction(3)), Side(ZERO, ONE))
    assert judge(instance, [ours.ask(instance, 30)]).text == "refuted"
    (tmp_path / "a.vnnlib").write_text(text.replace("(<= X_1 1)", "(<= Y_0 9)"))
    with pytest.raises(Missing):
        list(acasxu.instances(Options(tmp_path)))
    with pytest.raises(Missing):
        list(fairness.instances(Options(tmp_path / "nothing")))


def test_linear_questions_have_the_answers_they_are_made_for() -> None:
    for holds_, word in ((True, "proved"), (False, "refuted")):
        instance = linear.containment(6, 2, holds_, seed=1)
        assert judge(instance, [ours.ask(instance, 30)]).words == (word,)
        assert judge(instance, [peers.ask("z3", instance, 30)]).words == (word,)
    instance = linear.radius(3, 3, seed=1)
    mine, theirs = (judge(instance, [r]) for r in (ours.ask(instance, 30), peers.ask("z3", instance, 30)))
    assert mine.values == theirs.values != (None,)


def test_small_questions_are_the_same_each_time_and_in_both_languages() -> None:
    first, again = (list(small.instances(Options())) for _ in range(2))
    assert first == again and len({i.name for i in first}) == len(first) == small.EACH * len(small.KINDS)
    words = set()
    for name in (
        "near 11",
        "around 1",
        "contained 5",
        "factors 3",
        "exported 0",
        "switched 2",
        "rewritten 6",
        "least 8",
    ):
        instance = next(i for i in first if i.name == name)
        mine, theirs = (judge(instance, [r]) for r in (ours.ask(instance, 30), peers.ask("z3", instance, 30)))
        assert mine.decided and (mine.words, mine.values) == (theirs.words, theirs.values)
        words |= {*mine.words}
    assert words == {"proved", "refuted"}


def test_networks_that_are_rewritten_stay_the_same_function() -> None:
    generator = np.random.default_rng(4)
    net = small.random_net(generator, 3, 2)
    deaf, twice = small.deaf(net, generator), small.split(net, generator)
    for point in product((-ONE, ZERO, HALF), repeat=3):
        assert twice.at(point) == net.at(point)
        assert deaf.at(point) == deaf.at((*point[:-1], ONE)) == net.at((*point[:-1], ZERO))
        assert small.beside(net, twice).at(point) == 2 * net.at(point)


def test_the_thresholds_that_are_kept_are_those_of_the_networks() -> None:
    """A pair at the threshold exists, and the best one that a search knows is not better."""
    for shape in ((2, 4), (8, 4)):
        found = twins.search(twins.network(*shape, twins.SEED), seed=5)
        assert abs(found / twins.T[shape] - 1) < 1e-3


def test_nnenum_s_answer_is_taken_from_its_process(tmp_path: Path) -> None:
    instance = Instance("i", (replace(CLAIM, copies=1),), {"n": b"", "p": ""}, ("vnnlib", "n", "p"))
    for printed, word in (
        ('noise\\nRESULT["unsafe", [1.5, 0.25]]', "refuted"),
        ('RESULT["safe", null]\\nRESULT["safe", null]', "proved"),
        ('RESULT["safe", null]\\nRESULT["timeout", null]', "none"),
        ("Traceback", "none"),
    ):
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\ntest -f driver.py -a -f n -a -f p && printf '{printed}\\n'\n")
        python.chmod(0o755)
        (said,) = nnenum.ask(python, instance, 5.0).said
        assert said.word == word
        assert said.point == ((Fraction(3, 2), Fraction(1, 4)) if word == "refuted" else None)


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    instance = Instance("i", (CLAIM,))
    one, two = (judge(instance, [Run((Said(w),), cpu, cpu)]) for w, cpu in (("proved", 2.0), ("none", 9.0)))
    draw([(instance, {"verifier": one, "z3": two})] * 3, ["z3"], 10.0, tmp_path / "p.svg")
    assert "</svg>" in (tmp_path / "p.svg").read_text()
