"""`verifier show --canonical` of whole files."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from verifier import load_text
from verifier.model.network import Dense, Network, Relu
from verifier.report.canonical import canonical

TEXT = """
domain X { x: real^2 in [0, 1] }
labels { cat, dog }
def hidden(v) = relu([[2, -2], [1, 1]] * v + [0, -1])
oracle f2 { features x = x  metric linf }
model f1 { features h = hidden(x)  decide argmax(cat: h[0], dog: 1/2) }
"""


def test_features_share_primitive_relus_and_labels_are_formulas() -> None:
    loaded = load_text(TEXT)
    loaded.worker.close()
    assert canonical(loaded.program).splitlines() == [
        "# oracle f2",
        "x[0] = x[0]",
        "x[1] = x[1]",
        "A = [[1, 0], [0, 1]]",
        "b = [0, 0]",
        "",
        "# model f1",
        "r1 = relu(x[0] - x[1])",
        "r2 = relu(x[0] + x[1] - 1)",
        "h[0] = 2*r1",
        "h[1] = r2",
        "cat if 4*r1 >= 1",
        "dog if 4*r1 < 1",
    ]


def test_latex_says_when_a_label_is_given() -> None:
    loaded = load_text(TEXT)
    loaded.worker.close()
    assert r"\mathrm{dog} &\text{ if } 4 r_{1} < 1" in canonical(loaded.program, latex=True)


NET = (
    Dense((0,), ([[1, -1], [2, 1]],), [0, -1]),
    Relu(1),
    Dense((2,), ([[1, -1], [-1, 2]],), [-0.5, 0]),
    Relu(3),
    Dense((4,), ([[1, 1]],), [-1]),
)


FIRST, SECOND = ["hidden1[0] = r1", "hidden1[1] = r2"], ["hidden2[0] = 1/2*r4", "hidden2[1] = -r1 + 2*r2 + r3"]
SKIP = Dense((4, 2), ([[1, 1]], [[0, 1]]), [0])


@pytest.mark.parametrize(
    ("features", "cut", "steps", "expected"),
    [
        ("last_hidden", 4, NET, FIRST),  # which is the second layer
        ("scores", 5, NET, FIRST + SECOND),
        ("input", 0, NET, FIRST + SECOND),
        ("last_hidden", 2, (*NET[:2], replace(NET[4], sources=(2,))), []),
        ("scores", 5, (*NET[:4], SKIP), []),  # no layers one after the other
    ],
)
def test_neurons_are_named_by_layer(
    features: str, cut: int, steps: tuple[Dense | Relu, ...], expected: list[str]
) -> None:
    loaded = load_text(
        "domain X { a: real in [0, 1], b: real in [0, 1] }\nlabels { no, yes }\n"
        f'model f1 = onnx("net.onnx", features: {features})\n',
        live={"net.onnx": Network(2, steps, "positive", len(steps) - 1)},
    )
    loaded.worker.close()
    assert not loaded.diagnostics and loaded.program.classifiers["f1"].cut == cut
    shown = canonical(loaded.program).splitlines()
    assert [line for line in shown if line.startswith("hidden")] == expected
