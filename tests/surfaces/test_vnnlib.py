"""`verifier vnnlib`: small networks whose answers are worked out by hand, and what must not become an answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner

from verifier.engines.engine import Answer, Fails, Unknown
from verifier.engines.portfolio import Portfolio
from verifier.kernel.__main__ import main
from verifier.surfaces.cli import cli

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "result.schema.json"
BOX = "".join(f"(assert (>= X_{i} -1)) (assert (<= X_{i} 1))\n" for i in range(2))
DECLARED = "".join(f"(declare-const {n} Real)\n" for n in ("X_0", "X_1", "Y_0", "Y_1"))
Ask = Callable[..., tuple[int, str]]


def network(path: Path, last: str = "") -> Path:
    """y = (|x0| - |x1|, relu(x0 + x1 - 1)), with the weights as numbers of the graph."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["a"]),
        helper.make_node("Relu", ["a"], ["h"]),
        helper.make_node("MatMul", ["h", "v"], ["y" if not last else "s"]),
        *([helper.make_node(last, ["s"], ["y"])] if last else []),
    ]
    weights = {
        "w": np.array([[1, -1, 0, 0, 1], [0, 0, 1, -1, 1]], np.float32),
        "b": np.array([0, 0, 0, 0, -1], np.float32),
        "v": np.array([[1, 0], [1, 0], [-1, 0], [-1, 0], [0, 1]], np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def outputs(x: tuple[Fraction, ...]) -> tuple[Fraction, Fraction]:
    return abs(x[0]) - abs(x[1]), max(x[0] + x[1] - 1, Fraction(0))


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Asks about a property of the network above."""
    net = network(tmp_path / "net.onnx")

    def run(text: str, *options: str, onnx_file: Path = net, box: str = BOX) -> tuple[int, str]:
        (tmp_path / "p.vnnlib").write_text(DECLARED + box + text)
        result = CliRunner(env={"NO_COLOR": "1"}).invoke(
            cli, ["vnnlib", str(onnx_file), str(tmp_path / "p.vnnlib"), *options], standalone_mode=False
        )
        assert result.exception is None, result.output
        return result.return_value, result.output

    return run


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("(assert (>= Y_0 1))", "refuted"),  # at (1, 0) only, and at (-1, 0)
        ("(assert (> Y_0 1))", "proved"),
        ("(assert (>= Y_1 1.0000001))", "proved"),
        ("(assert (>= Y_1 1))", "refuted"),
        # x0 + x1 >= 3/2 and |x0| >= |x1| + 1/2 leave x0 = 1, x1 = 1/2, on the edge of both
        ("(assert (>= Y_1 0.5)) (assert (>= Y_0 0.5))", "refuted"),
        ("(assert (> Y_1 0.5)) (assert (>= Y_0 0.5))", "proved"),
        ("(assert (>= Y_1 0.5)) (assert (> Y_0 0.5))", "proved"),
        ("(assert (>= Y_1 0.5)) (assert (>= (+ Y_0 0) 0.49999))", "refuted"),
        ("(assert (or (> Y_0 1) (> Y_1 1)))", "proved"),
        ("(assert (or (> Y_0 1) (>= (* 2 Y_1) 2)))", "refuted"),
        ("(assert (<= Y_1 -0.0001))", "proved"),
        ("(assert (>= Y_0 X_0)) (assert (> X_1 0)) (assert (>= X_0 0))", "proved"),
    ],
)
def test_answers_worked_out_by_hand(ask: Ask, text: str, word: str) -> None:
    code, said = ask(text, "--expect", word)
    assert (code, f"has no violation    {word}" in said) == (0, True), said
    other = "refuted" if word == "proved" else "proved"
    assert ask(text, "--expect", other)[0] == 1


BOTH = """(vnnlib-version <2.0>)
(declare-network f (declare-input A Real [1,2]) (declare-output B Real [1,2]))
(declare-network g (equal-to f) (declare-input C Real [1,2]) (declare-output D Real [2]))
""" + "".join(f"(assert (>= {x} -1)) (assert (<= {x} 1))\n" for x in ("A[0,0]", "A[0,1]", "C[0,0]", "C[0,1]"))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (
            "(assert (>= C[0,0] A[0,0])) (assert (>= C[0,1] A[0,1])) (assert (< D[1] B[0,1]))",
            "proved",
        ),  # it is monotone
        ("(assert (>= C[0,0] A[0,0])) (assert (>= C[0,1] A[0,1])) (assert (< D[0] B[0,0]))", "refuted"),
        ("(assert (== C[0,0] A[0,1])) (assert (== C[0,1] A[0,0])) (assert (!= D[0] (- B[0,0])))", "proved"),
        ("(assert (== C[0,0] A[0,1])) (assert (== C[0,1] A[0,0])) (assert (!= D[0] B[0,0]))", "refuted"),
        ("(assert (<= (- C[0,0] A[0,0]) 0.5)) (assert (== C[0,1] A[0,1])) (assert (> (- D[1] B[0,1]) 0.5))", "proved"),
    ],
)
def test_one_network_at_two_points(tmp_path: Path, text: str, word: str) -> None:
    net = network(tmp_path / "net.onnx")
    (tmp_path / "p.vnnlib").write_text(BOTH + text)
    told = tmp_path / "told"
    command = ["vnnlib", str(net), str(tmp_path / "p.vnnlib"), "--expect", word, "--json", "--vnncomp", str(told)]
    result = CliRunner().invoke(cli, command, standalone_mode=False)
    assert (result.return_value, result.exception) == (0, None), result.output
    if word == "refuted":
        (assertion,) = json.loads(result.stdout)["files"][0]["assertions"]
        point = {name: Fraction(v) for name, v in assertion["pair"]["x"].items() if not name.endswith("_float")}
        for first, second, images in (
            ("A[0,0]", "A[0,1]", ("B[0,0]", "B[0,1]")),
            ("C[0,0]", "C[0,1]", ("D[0]", "D[1]")),
        ):
            assert outputs((point[first], point[second])) == tuple(point[y] for y in images)
        assert told.read_text().startswith("sat\n((A[0,0] ")
        said = CliRunner().invoke(cli, command[:3], standalone_mode=False).output
        assert all(f"   {name} " in said for name in point)


def test_packed_networks_and_properties_are_read(tmp_path: Path) -> None:
    net, packed = network(tmp_path / "net.onnx"), tmp_path / "net.onnx.gz"
    packed.write_bytes(gzip.compress(net.read_bytes()))
    property_ = tmp_path / "p.vnnlib.gz"
    property_.write_bytes(gzip.compress((DECLARED + BOX + "(assert (> Y_0 1))").encode()))
    command = ["vnnlib", str(packed), str(property_)]
    result = CliRunner(env={"NO_COLOR": "1"}).invoke(cli, command, standalone_mode=False)
    assert (result.return_value, result.exception) == (0, None) and result.output.startswith("p net.onnx.gz has no")
    packed.write_bytes(gzip.compress(net.read_bytes())[:-20])
    result = CliRunner().invoke(cli, command, standalone_mode=False)
    assert result.return_value == 2 and "net.onnx.gz is no sound gzip file: it ends too early." in result.output


def test_boxes_of_their_own_are_asked_one_by_one(ask: Ask) -> None:
    text = """(assert (or
      (and (>= X_0 0) (<= X_0 0.25) (>= X_1 0) (<= X_1 0.25) (>= Y_0 {0}))
      (and (>= X_0 -1) (<= X_0 -0.5) (>= X_1 0.5) (<= X_1 1) (>= Y_0 {1}))))"""
    assert ask(text.format("0.26", "0.51"), box="")[0] == 0
    assert ask(text.format("0.25", "0.51"), "--expect", "refuted", box="")[0] == 0
    code, said = ask(text.format("0.26", "0.5"), "--expect", "refuted", box="")
    assert code == 0 and "X_0   -1" in said and "X_1   1/2   0.5" in said


def test_the_point_is_shown_exactly_and_rounded(ask: Ask) -> None:
    code, said = ask("(assert (= (* 3 X_0) 1)) (assert (= X_1 0))")
    assert code == 1
    assert [line.split() for line in said.splitlines()[1:5]] == [
        ["X_0", "1/3", "≈", "0.333333333333"],
        ["X_1", "0", "0"],
        ["Y_0", "1/3", "≈", "0.333333333333"],
        ["Y_1", "0", "0"],
    ]


def test_json_follows_the_published_schema(ask: Ask) -> None:
    for text in ("(assert (>= Y_1 1))", "(assert (> Y_1 1))", "(assert (> Y_9 1))"):
        code, said = ask(text, "--json")
        document = json.loads(said)
        jsonschema.validate(document, json.loads(SCHEMA.read_text()))
        assert document["exit_code"] == code
        if text == "(assert (>= Y_1 1))":
            x = document["files"][0]["assertions"][0]["pair"]["x"]
            assert x == {"X_0": "1", "X_1": "1", "Y_0": "0", "Y_1": "1"}


def test_the_competition_s_words(ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    ask("(assert (>= Y_1 1))", "--vnncomp", str(out))
    assert out.read_text() == "sat\n((X_0 1)\n (X_1 1)\n (Y_0 0)\n (Y_1 1))\n"
    ask("(assert (> Y_1 1))", "--vnncomp", str(out))
    assert out.read_text() == "unsat\n"
    assert ask("(assert (> Y_1", "--vnncomp", str(out))[0] == 2
    assert out.read_text() == "error\n"


def test_a_point_is_written_with_as_many_digits_as_it_takes(ask: Ask, tmp_path: Path) -> None:
    narrow = "(assert (>= X_0 0.33333333333333333331)) (assert (<= X_0 0.33333333333333333332)) (assert (= X_1 0))"
    ask(narrow, "--vnncomp", str(tmp_path / "out.txt"))
    assert "(X_0 0.3333333333333333333" in (tmp_path / "out.txt").read_text()


@pytest.mark.parametrize("last", ["Softmax", "Sigmoid"])
def test_a_last_operator_that_the_importer_drops_would_change_the_outputs(ask: Ask, tmp_path: Path, last: str) -> None:
    code, said = ask("(assert (> Y_1 1))", onnx_file=network(tmp_path / "soft.onnx", last))
    assert code == 2 and f"ends with {last}" in said


def test_bounds_that_nothing_satisfies_make_it_vacuous(ask: Ask) -> None:
    code, said = ask("(assert (>= X_0 2)) (assert (> Y_0 0))")
    assert code == 1 and "(vacuous" in said and "no input satisfies the bounds" in said


def test_forgotten_bounds_are_named_and_decided_all_the_same(ask: Ask) -> None:
    code, said = ask("(assert (>= X_0 -5)) (assert (>= Y_0 1000))", box="")
    assert code == 1 and "Warning: X_0 has no upper bound." in said and "Warning: X_1 has no lower bound." in said
    assert ask("(assert (< Y_1 0))", box="")[0] == 0


def forged(answer: Answer) -> Callable[..., Answer]:
    return lambda self, question, seconds: answer


def test_a_point_that_is_no_violation_is_an_internal_error(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an engine says counts only after the replay."""
    monkeypatch.setattr(Portfolio, "find", forged(Fails("liar", ((Fraction(0), Fraction(0)),))))
    code, said = ask("(assert (>= Y_1 0.5))", "--vnncomp", str(tmp_path / "out.txt"))
    assert code == 4 and "no violation" in said and (tmp_path / "out.txt").read_text() == "error\n"


def test_no_answer_is_unknown(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for why, word in (("out of time", "timeout"), ("z3 gave up", "unknown")):
        monkeypatch.setattr(Portfolio, "find", forged(Unknown(why)))
        code, said = ask("(assert (>= Y_1 0.5))", "--vnncomp", str(tmp_path / "out.txt"))
        assert code == 3 and f"Unknown: {why}" in said and (tmp_path / "out.txt").read_text() == f"{word}\n"


def test_files_that_are_not_there_or_not_what_they_seem(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "junk.onnx").write_bytes(b"\x00junk")
    assert ask("", onnx_file=tmp_path / "junk.onnx")[0] == 2
    result = CliRunner().invoke(cli, ["vnnlib", str(tmp_path / "net.onx"), str(tmp_path / "p.vnnlib")])
    assert result.exit_code == 2 and "net.onnx" in result.output


def test_random_properties_agree_with_the_network(ask: Ask) -> None:
    """A proved property has no counterexample on a grid; a refuted one has its point."""
    generator = np.random.default_rng(1)
    grid: list[Any] = [(Fraction(a, 8), Fraction(b, 8)) for a in range(-8, 9) for b in range(-8, 9)]
    words = set()
    for _ in range(12):
        p, q, r, s, t = (int(n) for n in generator.integers(-3, 4, 5))
        code, said = ask(
            f"(assert (> (+ (* {p} X_0) (* {q} X_1) (* {r} Y_0) (* {s} Y_1)) (/ {3 * t + 7} 2)))", "--json"
        )
        found = json.loads(said)["files"][0]["assertions"][0]

        def value(x: tuple[Fraction, ...], p: int = p, q: int = q, r: int = r, s: int = s, t: int = t) -> Fraction:
            y = outputs(x)
            return p * x[0] + q * x[1] + r * y[0] + s * y[1] - Fraction(3 * t + 7, 2)

        words.add(found["verdict"])
        if found["verdict"] == "proved":
            assert code == 0 and all(value(x) <= 0 for x in grid)
        else:
            point = tuple(Fraction(found["pair"]["x"][f"X_{i}"]) for i in range(2))
            assert code == 1 and value(point) > 0 and all(abs(c) <= 1 for c in point)
    assert words == {"proved", "refuted"}


def test_a_certificate_is_written_and_the_kernel_accepts_it(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "proofs"
    code, out = ask("(assert (>= Y_0 2))", "--certificate", str(folder))
    assert (code, "trusting" in out) == (0, False)
    (problem,), (proof,) = folder.glob("*.problem.json"), folder.glob("*.proof.json.gz")
    assert main([str(problem), str(proof)]) == 0
    code, out = ask("(assert (>= Y_0 2))", "--certificate", str(folder), "--json")
    assert json.loads(out)["exit_code"] == code == 0
