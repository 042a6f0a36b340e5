"""Lipschitz constants by directional derivatives: known ones, against pairs, and where they do not apply."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from benchmarks.suites.twins import network, onnx_file
from verifier.api import Options, load, load_text
from verifier.query.pose import Poser
from verifier.verdict.measures import directional
from verifier.verdict.verdict import Computed, FileResult, Proved, Refuted

F = Fraction
PLANE = "domain X { x: real in [-1, 1], y: real in [-1, 1] }"
OPTIONS = Options(timeout=30)


def text(features: str, metric: str, oracle: str, domain: str, of: str) -> str:
    return f"""{domain}
labels {{ a, b }}
model f1 {{ features s = {features}  metric {metric}  decide a }}
oracle f2 {{ features {of}  metric {oracle} }}
compute K: lipschitz_constant(f1, f2)"""


def computed(
    features: str, metric: str = "linf", oracle: str = "linf", domain: str = PLANE, of: str = "all"
) -> Computed:
    result = load_text(text(features, metric, oracle, domain, of)).check(OPTIONS)
    assert not result.diagnostics and not result.internal_errors
    (found,) = result.computed
    return found


@pytest.mark.parametrize(
    ("features", "metric", "oracle", "value"),
    [
        ("relu(x) - relu(-x)", "linf", "linf", F(1)),  # at 0 both choices would say 2
        ("relu(x) + relu(-x)", "linf", "linf", F(1)),
        ("relu(relu(x) - 2) + y", "linf", "linf", F(1)),  # dead in X
        ("relu(relu(x - 1/2) - relu(x - 1/2)) + y / 3", "linf", "linf", F(1, 3)),
        ("[x + y, x - 2 * y]", "linf", "linf", F(3)),
        ("[x + y, x - 2 * y]", "l1", "linf", F(3)),
        ("[x + y, x - 2 * y]", "l1", "l1", F(3)),
        ("2 * relu(x + relu(y)) - relu(y - x)", "linf", "linf", F(4)),
        ("relu(x - 1) + relu(-1 - x) + y", "linf", "linf", F(1)),
        ("relu(3 * x - 2)", "linf", "linf(scale: [1/2, 4])", F(3, 2)),
    ],
)
def test_a_constant_that_is_known(features: str, metric: str, oracle: str, value: Fraction) -> None:
    found = computed(features, metric, oracle)
    assert (found.result.amount, found.result.attained, found.trusts) == (value, True, ())
    assert found.result.certificates


@pytest.mark.parametrize("seed", range(6))
def test_it_is_that_of_all_pairs(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)

    def row(terms: list[str]) -> str:
        return " + ".join(f"({random.randint(-4, 4)}/2) * {term}" for term in [*terms, "1"])

    hidden = [f"relu({row(['x', 'y'])})" for _ in range(2)]
    features = f"[{row(hidden)}, relu({row([*hidden, 'x'])})]"
    metrics = random.choice(["linf", "l1"]), random.choice(["linf", "l1", "linf(scale: [1, 3])"])
    found = computed(features, *metrics)
    monkeypatch.setattr(directional, "constant", lambda *_: None)
    other = computed(features, *metrics)
    assert found.result.amount == other.result.amount is not None
    assert found.result.attained or not other.result.attained


@pytest.mark.parametrize(
    ("features", "domain", "oracle", "of"),
    [
        ("step(x) + y", PLANE, "linf", "all"),
        ("relu(x) + y", "domain X { x: real in [-1, 1], y: int in [-1, 1] }", "linf", "all"),
        ("relu(x) + y", "domain X { x: real in [-1, 1], y: real in [-1, 1] where x != y }", "linf", "all"),
        ("relu(x)", PLANE, "linf", "all except y"),
        ("relu(x) + y", PLANE, "linf", "h = [x + y, x - y]"),
        ("relu(x) + y", PLANE, "l0", "all"),
    ],
)
def test_where_it_does_not_apply_pairs_are_asked(features: str, domain: str, oracle: str, of: str) -> None:
    program = load_text(text(features, "linf", oracle, domain, of)).program
    assert program is not None
    change = directional.Change(Poser(program))
    assert change.questions(program.classifiers["f1"], program.classifiers["f2"]) == []
    assert computed(features, "linf", oracle, domain, of).result.amount is not None


def test_a_pair_lies_within_an_open_box() -> None:
    found = computed("relu(x) + relu(y - 9/10)", domain="domain X { x: real in (-1, 1), y: real in (-1, 1) }")
    assert (found.result.amount, found.result.attained, found.trusts) == (2, True, ())


def test_a_lipschitz_condition_of_a_network_is_decided_by_its_constant(tmp_path: Path) -> None:
    """Eight relus: pairs take ten seconds."""
    (tmp_path / "net.onnx").write_bytes(onnx_file(network(2, 4, 1)))
    lines = [
        "domain X { x: real^2 in [-1, 1] }",
        "labels { a, b }",
        'model net = onnx("net.onnx", features: scores, metric: linf)',
        "oracle near { features all  metric linf }",
    ]

    def result(last: str) -> FileResult:
        (tmp_path / "q.vf").write_text("\n".join([*lines, last]))
        return load(tmp_path / "q.vf").check(OPTIONS)

    (found,) = result("compute K: lipschitz_constant(net, near)").computed
    constant = found.result.amount
    assert isinstance(constant, Fraction) and found.trusts == ()
    for bound, kind in (constant, Proved), (constant * F(999, 1000), Refuted):
        (checked,) = result(f"assert A: lipschitz(net, near, {bound})").assertions
        assert isinstance(checked.verdict, kind) and not checked.verdict.trusts
