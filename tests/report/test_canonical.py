"""`verifier show --canonical` of whole files."""

from __future__ import annotations

from verifier import load_text
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
