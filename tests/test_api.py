"""The pipeline from Python: options, interruption, the original runtime's second opinion."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifier.api import Options, load, load_text
from verifier.engines.portfolio import Portfolio
from verifier.verdict.verdict import Checked, Computed, Refuted, Undecided

TEXT = """
param gap = 1/10 in [0, 1]
domain X { s: real in [0, 1], h: real in [0, 1] }
labels { small, big }
oracle f2 { features s = s  metric linf  decide if s >= 1/2 then big else small }
model f1 { features s = s, h = h  decide if s + gap * h >= 1/2 then big else small }
assert A: contained(f1, f2) expect refuted
assert B: forall u in X: u.s >= 0
compute R: critical_radius(f1, f2)
assert C: exists u in X: f1(u) != f2(u)
"""


def test_a_text_is_checked_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "case.vf").write_text(TEXT)
    from_file, from_text = load(tmp_path / "case.vf").check(), load_text(TEXT).check()
    assert from_file.exit_code == from_text.exit_code == 0
    assert [a.word for a in from_file] == [a.word for a in from_text] == ["refuted", "proved", "proved"]
    assert [c.value for c in from_file.computed] == [c.value for c in from_text.computed] == [0]
    assert from_text.path == "text.vf"


def test_files_that_a_text_names_are_beside_its_path(tmp_path: Path) -> None:
    (tmp_path / "base.vf").write_text(TEXT)
    result = load_text('use "base.vf"\nassert A: contained(f2, f2)', str(tmp_path / "not there.vf")).check()
    assert (result.exit_code, [a.name for a in result]) == (0, ["A"])


def test_names_are_in_the_order_of_the_file() -> None:
    loaded = load_text(TEXT)
    loaded.worker.close()
    assert loaded.names == ("A", "B", "R", "C")


@pytest.mark.parametrize("only", [{"A"}, {"R"}, {"B", "C"}, set(), {"nothing"}])
def test_only_what_is_named_is_decided(only: set[str]) -> None:
    seen: list[str] = []
    result = load_text(TEXT).check(Options(only=frozenset(only)), lambda said: seen.append(said.name))
    assert seen == [n for n in ("A", "B", "R", "C") if n in only or not only]
    assert {*(a.name for a in result), *(c.name for c in result.computed)} == set(seen)


def test_settings_change_the_answers() -> None:
    result = load_text(TEXT, options=Options(settings={"gap": "0"})).check()
    assert result["A"].word == "refuted"
    assert [c.value for c in result.computed] == ["infinity"]
    assert result["C"].word == "refuted"
    assert result.exit_code == 1


LIMIT = """
domain X { t: real in [0, 4) }
labels { no, yes }
def up(v) = clamp(v, 0, 1)
oracle f2 { features a = up(t) - up(t - 2), b = up(t - 1) - up(t - 3)  metric linf }
model f1 { features t = t  decide if t >= 2 then yes else no }
assert A: contained(f1, f2) expect refuted
"""


@pytest.mark.parametrize("eps", ["1/10", "0.001", "1/1000000"])
def test_a_limit_is_shown_as_near_as_is_asked(eps: str) -> None:
    from fractions import Fraction

    verdict = load_text(LIMIT).check(Options(eps=eps))["A"].verdict
    assert isinstance(verdict, Refuted)
    assert verdict.pair is not None
    assert verdict.pair.limit is not None
    assert verdict.pair.limit.eps == Fraction(eps)
    near = next(s for s in verdict.pair.seen if s.classifier == "f2").distance
    assert isinstance(near, Fraction)
    assert 0 < near <= Fraction(eps)


def test_what_does_not_end_in_time_is_unknown() -> None:
    result = load_text(TEXT).check(Options(timeout=0.0, only=frozenset("AC")))
    assert [a.verdict for a in result] == [Undecided("out of time")] * 2
    assert result.exit_code == 3


def test_nothing_runs_in_a_file_with_a_mistake() -> None:
    seen: list[str] = []
    result = load_text(TEXT + "let z = nowhere\n").check(done=lambda said: seen.append(said.name))
    assert (seen, result.assertions, result.computed, result.exit_code) == ([], (), (), 2)


# interruption


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupt_leaves_what_was_said_before(after: int) -> None:
    said: list[Checked | Computed] = []

    def done(result: Checked | Computed) -> None:
        said.append(result)
        if len(said) == after:
            raise KeyboardInterrupt

    loaded = load_text(TEXT)
    result = loaded.check(done=done)
    assert result.interrupted
    assert result.exit_code == 3
    assert sorted(r.name for r in (*result.assertions, *result.computed)) == sorted(r.name for r in said)
    assert len(said) == after
    assert loaded.worker._process is None


def test_an_interrupt_while_an_engine_thinks_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Portfolio, "least", interrupted)
    result = load_text(TEXT).check()
    assert result.interrupted
    assert ([a.name for a in result], result.computed, result.exit_code) == (["A", "B"], (), 3)
    assert result.internal_errors == ()


def test_a_contradiction_found_before_the_interrupt_counts() -> None:
    def done(result: Checked | Computed) -> None:
        raise KeyboardInterrupt

    assert load_text(TEXT.replace("expect refuted", "")).check(done=done).exit_code == 1


def test_what_breaks_in_one_assertion_breaks_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(Portfolio, "least", broken)
    result = load_text(TEXT).check()
    assert [a.word for a in result] == ["refuted", "proved", "proved"]
    assert result.internal_errors == ("R: ZeroDivisionError: a bug of ours",)
    assert result.exit_code == 4


# the original runtime


def rounding(folder: Path, shift: float) -> None:
    """The scores (x - shift, 0) as an ONNX file, whose runtime computes in 32 bits."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    np = pytest.importorskip("numpy")
    from onnx import TensorProto, helper, numpy_helper

    weights = {"w": np.array([[1, 0]], dtype=np.float32), "b": np.array([-shift, 0], dtype=np.float32)}
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(file, str(folder / "net.onnx"))


NET = """
domain X { x: real in [1/3, 1/3] }
labels { first, second }
model f1 = onnx("net.onnx")
oracle f2 { features x = x  metric linf  decide first }
assert A: exists u in X: f1(u) != f2(u)
"""


def test_a_label_that_rounding_flips_is_said_beside_the_witness(tmp_path: Path) -> None:
    rounding(tmp_path, 0.3333333432674408)  # the float next to 1/3, above it
    (tmp_path / "case.vf").write_text(NET)
    result = load(tmp_path / "case.vf").check()
    assert result["A"].word == "proved"  # in exact arithmetic x - shift < 0
    (warning,) = result["A"].warnings
    assert warning.startswith("At u the original onnx model answers first in floating point")
    assert warning.endswith("exact arithmetic gives second.")
    assert result.exit_code == 0


def test_a_label_that_rounding_keeps_needs_no_word(tmp_path: Path) -> None:
    rounding(tmp_path, 0.5)
    (tmp_path / "case.vf").write_text(NET)
    result = load(tmp_path / "case.vf").check()
    assert (result["A"].word, result["A"].warnings) == ("proved", ())
