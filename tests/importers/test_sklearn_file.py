"""Each estimator decides as scikit-learn does; skops files give the same network; nothing in a file is run."""

from __future__ import annotations

import io
import json
import pickle
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.importers import ImportFailed, from_estimator, original, read

pytest.importorskip("sklearn")
skops = pytest.importorskip("skops.io")
from sklearn.datasets import load_breast_cancer, load_iris  # noqa: E402
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.linear_model import (  # noqa: E402
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import Pipeline, make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, StandardScaler  # noqa: E402
from sklearn.svm import SVC, LinearSVC  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

MAKERS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: LogisticRegression(max_iter=50),
    "logistic without intercept": lambda: LogisticRegression(fit_intercept=False, max_iter=50),
    "linear svc": lambda: LinearSVC(),
    "linear svc without intercept": lambda: LinearSVC(fit_intercept=False),
    "perceptron": lambda: Perceptron(),
    "sgd": lambda: SGDClassifier(random_state=0),
    "ridge": lambda: RidgeClassifier(),
    "ridge without intercept": lambda: RidgeClassifier(fit_intercept=False),
    "ridge cv": lambda: RidgeClassifierCV(),
    "lda": lambda: LinearDiscriminantAnalysis(),
    "mlp": lambda: MLPClassifier((8, 5), max_iter=30, random_state=0),
    "mlp identity": lambda: MLPClassifier((4,), activation="identity", solver="sgd", max_iter=30, random_state=0),
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "stump": lambda: DecisionTreeClassifier(max_depth=1),
    "scaled": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "scaled only": lambda: make_pipeline(StandardScaler(with_mean=False), "passthrough", LinearSVC()),
    "centred only": lambda: Pipeline([("a", StandardScaler(with_std=False)), ("b", RidgeClassifier())]),
    "min max": lambda: make_pipeline(MinMaxScaler((-1, 3)), MLPClassifier((6,), max_iter=30, random_state=0)),
    "clipped": lambda: make_pipeline(MinMaxScaler(clip=True), MaxAbsScaler(), Perceptron()),
    "nested": lambda: make_pipeline(make_pipeline(StandardScaler(), MaxAbsScaler()), DecisionTreeClassifier()),
}
BINARY = {"svc": lambda: SVC(kernel="linear"), **MAKERS}


@cache
def data(binary: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = (load_breast_cancer if binary else load_iris)(return_X_y=True)
    x = x[:, :6].astype(np.float32).astype(np.float64)  # as scikit-learn's trees see them
    return x[:300], np.array(["n", "o", "p"])[y][:300], np.concatenate([x, x * 1.7 - 2])


def fitted(name: str, binary: bool) -> Any:
    x, y, _ = data(binary)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BINARY[name]().fit(x, y)


CASES = [(name, True) for name in BINARY] + [(name, False) for name in MAKERS]


@pytest.mark.parametrize(("name", "binary"), CASES)
def test_labels_and_scores_are_those_of_scikit_learn(name: str, binary: bool) -> None:
    model = fitted(name, binary)
    network = from_estimator(model)
    _, _, points = data(binary)
    points = points.astype(np.float32).astype(np.float64)
    exact = [network.values(tuple(map(Fraction, p.tolist())))[-1] for p in points[::7]]
    labels = [network.classes[network.decide(scores)] for scores in exact]
    assert labels == model.predict(points[::7]).tolist()
    scores = network.floats(points[::7])
    np.testing.assert_allclose(scores, [[float(s) for s in row] for row in exact], rtol=1e-9, atol=1e-9)
    if hasattr(model, "decision_function"):
        expected = model.decision_function(points[::7])
        if expected.ndim == 2 or network.rule == "positive":
            np.testing.assert_allclose(scores.reshape(expected.shape), expected, rtol=1e-9, atol=1e-7)
    assert network.labels == len(network.classes) == (2 if binary else 3)


@pytest.mark.parametrize(("name", "binary"), CASES)
def test_a_skops_file_gives_the_same_network(name: str, binary: bool, tmp_path: Path) -> None:
    model = fitted(name, binary)
    path = tmp_path / "model.skops"
    skops.dump(model, path)
    network, live = read("sklearn", path), from_estimator(model)
    points = data(binary)[2][::7]
    np.testing.assert_array_equal(network.floats(points), live.floats(points))
    assert (network.format, network.path, network.classes) == ("sklearn", str(path), live.classes)
    assert original(live) is None
    answer = original(network)
    assert answer is not None
    assert [network.classes[i] for i in answer(points)] == model.predict(points).tolist()


def test_a_scaler_and_a_linear_model_are_two_steps() -> None:
    network = from_estimator(fitted("scaled", True))
    assert [network.width(i) for i in range(3)] == [6, 6, 1]
    assert network.last_hidden == 1


def test_what_is_not_supported_is_named() -> None:
    x, y, _ = data(False)
    for model, message in [
        (RandomForestClassifier(2).fit(x, y), "RandomForestClassifier is not supported"),
        (SVC(kernel="linear").fit(x, y), "votes"),
        (SVC().fit(x, y == "n"), "kernel 'rbf'"),
        (MLPClassifier(activation="tanh", solver="lbfgs", max_iter=1).fit(x, y), "tanh"),
        (MLPClassifier(solver="lbfgs", max_iter=1).fit(x, np.eye(3)[[0, 1, 2] * 50].astype(int)), "several labels"),
        (make_pipeline(FunctionTransformer(), LogisticRegression()).fit(x, y), "FunctionTransformer is not supported"),
        (DecisionTreeClassifier().fit(x, np.stack([y, y], 1)), "several outputs"),
        (LogisticRegression(), "not fitted"),
        (type("LogisticRegression", (LogisticRegression,), {})().fit(x, y), "not supported"),
        (object(), "builtins.object is not supported"),
        ("text", "not supported"),
    ]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ImportFailed, match=message):
                from_estimator(model)


def test_damaged_weights_are_refused() -> None:
    for attribute, value in [
        ("coef_", np.full((1, 6), np.nan)),
        ("coef_", np.ones((1, 5))),
        ("coef_", np.ones((3, 6))),
        ("coef_", np.array([["a"] * 6])),
        ("coef_", None),
        ("intercept_", np.ones(4)),
        ("n_features_in_", 10**12),
        ("n_features_in_", -1),
        ("classes_", np.array(["a"])),
    ]:
        model = fitted("logistic", True)
        setattr(model, attribute, value)
        with pytest.raises(ImportFailed):
            from_estimator(model)


def run_me(*_: object) -> None:
    raise AssertionError("code from the file was run")


class Bomb:
    def __reduce__(self) -> Any:
        return (run_me, ())


def refused(path: Path, match: str | None = None) -> None:
    with pytest.raises(ImportFailed, match=match):
        read("sklearn", path)


def test_pickles_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps(Bomb(), protocol))
        refused(path, "Pickle and joblib files are refused")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(Bomb()))
    refused(path, "no schema.json")


def changed(model: Any, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A skops file whose schema was tampered with."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(skops.dumps(model))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name != "schema.json":
                new.writestr(name, old.read(name))
        schema = json.loads(old.read("schema.json"))
        new.writestr("schema.json", json.dumps(change(schema) or schema))
    return out.getvalue()


def attribute(schema: dict[str, Any], name: str, value: Any) -> None:
    schema["content"]["content"][name] = value


def test_code_in_a_skops_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.skops"
    system = {"__class__": "system", "__module__": "os", "content": {"module_path": "os", "function": "system"}}
    for loader in (
        "FunctionNode",
        "TypeNode",
        "PartialNode",
        "OperatorFuncNode",
        "ObjectNode",
        "MethodNode",
        "Nothing",
    ):
        node = {**system, "__loader__": loader}
        path.write_bytes(changed(fitted("logistic", True), lambda s, node=node: attribute(s, "coef_", node)))  # type: ignore[misc]
        refused(path)
    for class_name, module in [("RandomForestClassifier", "sklearn.ensemble._forest"), ("LogisticRegression", "evil")]:
        change = {"__class__": class_name, "__module__": module}
        path.write_bytes(changed(fitted("logistic", True), lambda s, change=change: s.update(change)))  # type: ignore[misc]
        refused(path, "not supported")
    skops.dump(make_pipeline(FunctionTransformer(run_me), LogisticRegression()), path)
    refused(path, "not plain data|not supported")


def test_forged_trees_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tree.skops"

    def tree(schema: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = schema["content"]["content"]["tree_"]
        return found

    def outputs(schema: dict[str, Any]) -> None:
        tree(schema)["__reduce__"]["args"]["content"][2]["content"] = "1000000000"

    def aliased(schema: dict[str, Any]) -> None:
        schema["content"]["content"]["criterion"] = {
            **tree(schema)["__reduce__"]["args"]["content"][2],
            "content": "1000000000",
        }

    def other_loader(schema: dict[str, Any]) -> None:
        tree(schema).update(__loader__="LossNode")

    for change in (outputs, aliased, other_loader):
        path.write_bytes(changed(fitted("tree", True), change))
        refused(path)


def test_forged_children_never_predict(tmp_path: Path) -> None:
    model = fitted("tree", True)
    state = model.tree_.__getstate__()
    valid = state["nodes"].copy()
    for name, index, value in [
        ("left_child", 0, 10**6),
        ("left_child", 0, 0),
        ("left_child", 0, -2),
        ("right_child", 0, -1),
        ("feature", 0, 99),
        ("threshold", 0, np.inf),
    ]:
        nodes = valid.copy()
        nodes[name][index] = value
        model.tree_.__setstate__({**state, "nodes": nodes})
        path = tmp_path / "tree.skops"
        skops.dump(model, path)
        refused(path)


WHOLE = {name: skops.dumps(fitted(name, True)) for name in ("scaled", "tree", "mlp identity")}


@given(st.data())
@settings(deadline=None, max_examples=80)
def test_damaged_bytes_give_a_network_or_a_failure(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE[data.draw(st.sampled_from(sorted(WHOLE)))])
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.skops"
        path.write_bytes(bytes(damaged[:end]))
        try:
            network = read("sklearn", path)
        except ImportFailed:
            return
        network.floats(np.zeros((2, network.inputs)))
