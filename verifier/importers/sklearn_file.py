"""scikit-learn classifiers: skops files, read without running anything, and live estimators.

The network is the real function with the fitted attributes (`coef_`, `intercept_`, `coefs_`, `scale_`, ...) as weights.
Decision trees compare the real number with the threshold, whereas scikit-learn rounds inputs to float32 first: the two
can differ for inputs within one float32 step of a threshold.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from verifier.importers.assemble import Assembly, finite
from verifier.importers.failure import MOST_BYTES, ImportFailed, contents, missing_extra
from verifier.model.network import Floats, Ints, Network, Rule

Scored = tuple[Ints, Rule]
"""The wires of the scores, and how they decide."""


def read(path: Path) -> Network:
    """The network of a classifier that `skops.io.dump` saved."""
    return network(load(path), str(path))


def from_estimator(estimator: Any) -> Network:
    """The network of a fitted classifier. ImportFailed names what is supported."""
    try:
        return network(estimator, "")
    except ImportFailed:
        raise
    except Exception as error:  # attributes of an estimator may be anything
        raise ImportFailed(f"The estimator is not fitted or unusual ({type(error).__name__}: {error}).") from error


def network(estimator: Any, path: str) -> Network:
    *scalers, last = stages(estimator)
    name = kind(last)
    if name not in CLASSIFIERS:
        raise unsupported(name)
    if not hasattr(last, "classes_"):
        raise ImportFailed(f"{name} is not fitted.", "Call `fit` first.")
    first = [*scalers, last][0]
    net = Assembly(int(first.n_features_in_))
    wires = net.value(0)
    for scaler in scalers:
        if kind(scaler) not in SCALERS:
            raise unsupported(kind(scaler))
        wires = SCALERS[kind(scaler)](scaler, net, wires)
    scores, rule = CLASSIFIERS[name](last, net, wires)
    classes = tuple(str(c) for c in np.asarray(last.classes_).ravel().tolist())
    if len(classes) != (2 if rule == "positive" else len(scores)):
        raise ImportFailed(f"{name} has {len(scores)} scores for {len(classes)} classes: several labels at once.")
    return net.finish(scores, rule, "sklearn", path, classes)


def stages(estimator: Any) -> list[Any]:
    """The estimators that the data pass, in order; pipelines within pipelines are unrolled."""
    if kind(estimator) != "Pipeline":
        return [estimator]
    found = [
        stage for _, step in estimator.steps if step is not None and step != "passthrough" for stage in stages(step)
    ]
    if not found:
        raise ImportFailed("The pipeline is empty.")
    return found


def kind(estimator: Any) -> str:
    """The class of an estimator of scikit-learn; a class from elsewhere keeps its module, and so is not supported."""
    name = type(estimator)
    return name.__name__ if name.__module__.startswith("sklearn.") else f"{name.__module__}.{name.__name__}"


def unsupported(name: str) -> ImportFailed:
    known = ", ".join(sorted(CLASSIFIERS))
    return ImportFailed(
        f"{name} is not supported.", f"Supported: {known}; in a Pipeline also {', '.join(sorted(SCALERS))} before it."
    )


def array(given: Any) -> Floats:
    """An attribute as float64; sparse coefficients become dense."""
    return finite(given.toarray() if hasattr(given, "toarray") else given)


# Scalers


def standard(scaler: Any, net: Assembly, wires: Ints) -> Ints:
    """(x - mean) / scale."""
    if scaler.mean_ is not None and scaler.with_mean:
        wires = net.add(wires, -column(scaler.mean_, wires))
    return wires if scaler.scale_ is None or not scaler.with_std else net.divide(wires, column(scaler.scale_, wires))


def min_max(scaler: Any, net: Assembly, wires: Ints) -> Ints:
    """x * scale + min, within the feature range if `clip`."""
    wires = net.add(net.scale(wires, column(scaler.scale_, wires)), column(scaler.min_, wires))
    return clipped(net, wires, *scaler.feature_range) if scaler.clip else wires


def max_abs(scaler: Any, net: Assembly, wires: Ints) -> Ints:
    """x / scale, within [-1, 1] if `clip`."""
    wires = net.divide(wires, column(scaler.scale_, wires))
    return clipped(net, wires, -1, 1) if getattr(scaler, "clip", False) else wires


def clipped(net: Assembly, wires: Ints, low: float, high: float) -> Ints:
    return net.at_most(net.at_least(wires, np.full(len(wires), low)), np.full(len(wires), high))


def column(given: Any, wires: Ints) -> Floats:
    """One number for each wire."""
    numbers = array(given)
    if numbers.shape != wires.shape:
        raise ImportFailed(f"A scaler has {numbers.size} numbers for {len(wires)} features.")
    return numbers


SCALERS: dict[str, Callable[[Any, Assembly, Ints], Ints]] = {
    "MaxAbsScaler": max_abs,
    "MinMaxScaler": min_max,
    "StandardScaler": standard,
}


# Classifiers


def dense(net: Assembly, wires: Ints, weights: Floats, bias: Any) -> Ints:
    """weights (out, n) @ wires + bias (out,) or one number."""
    if weights.ndim != 2 or weights.shape[1] != len(wires):
        raise ImportFailed(f"Coefficients of shape {list(weights.shape)} for {len(wires)} features.")
    offsets = array(bias).ravel()
    if len(offsets) not in (1, len(weights)):
        raise ImportFailed(f"{len(offsets)} intercepts for {len(weights)} scores.")
    return net.affine([(wires, weights)], np.broadcast_to(offsets, len(weights)).copy())


def linear(model: Any, net: Assembly, wires: Ints) -> Scored:
    """coef_ @ x + intercept_: two classes have one score (class 1 iff > 0), more have one each (argmax)."""
    scores = dense(net, wires, np.atleast_2d(array(model.coef_)), model.intercept_)
    return scores, "positive" if len(scores) == 1 else "argmax"


def support_vectors(model: Any, net: Assembly, wires: Ints) -> Scored:
    """SVC with a linear kernel and two classes, by `coef_`; scikit-learn gives a score of exactly 0 to class 1."""
    if model.kernel != "linear":
        raise ImportFailed(f"SVC with the kernel {model.kernel!r} is not piecewise linear.", 'Use kernel="linear".')
    if len(model.classes_) != 2:
        raise ImportFailed("SVC with more than two classes votes, one class against another.", "Use LinearSVC.")
    vectors = len(model.support_vectors_)
    if model.support_vectors_.shape != (vectors, len(wires)) or model.dual_coef_.shape != (1, vectors):
        raise ImportFailed("The support vectors and their coefficients differ in number.")
    return linear(model, net, wires)


def layers(model: Any, net: Assembly, wires: Ints) -> Scored:
    """MLPClassifier with ReLU (or no) activation; the last logistic or softmax is monotone and dropped."""
    if model.activation not in ("relu", "identity"):
        raise ImportFailed(
            f"MLPClassifier with activation={model.activation!r} is not piecewise linear.", 'Use "relu".'
        )
    if model.out_activation_ not in ("logistic", "softmax") or (model.out_activation_ == "logistic") != (
        model.n_outputs_ == 1
    ):
        raise ImportFailed("MLPClassifier with several labels at once is not supported.")
    depth = len(model.coefs_)
    if not depth or len(model.intercepts_) != depth:
        raise ImportFailed("MLPClassifier is not fitted.", "Call `fit` first.")
    for index, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        wires = dense(net, wires, array(weights).T, bias)
        if model.activation == "relu" and index < depth - 1:
            wires = net.relu(wires)
    return wires, "positive" if model.out_activation_ == "logistic" else "argmax"


def tree(model: Any, net: Assembly, wires: Ints) -> Scored:
    """A leaf's score is 1 for its most frequent class (the first on ties), 0 for the others."""
    inside = model.tree_
    if inside.node_count > inside.capacity or inside.n_outputs != 1 or len(wires) != inside.n_features:
        raise ImportFailed("The tree is damaged, or has several outputs.")
    counts = finite(inside.value)[:, 0, :]
    if not isinstance(model.classes_, np.ndarray) or counts.shape[1] != len(model.classes_):
        raise ImportFailed("The tree is damaged, or has several outputs.")
    leaf = np.eye(counts.shape[1])[counts.argmax(1)]
    left, right = inside.children_left.astype(np.int64), inside.children_right.astype(np.int64)
    return net.tree(wires, inside.feature.astype(np.int64), finite(inside.threshold), left, right, leaf), "argmax"


CLASSIFIERS: dict[str, Callable[[Any, Assembly, Ints], Scored]] = {
    "DecisionTreeClassifier": tree,
    "ExtraTreeClassifier": tree,
    "LinearDiscriminantAnalysis": linear,
    "LinearSVC": linear,
    "LogisticRegression": linear,
    "LogisticRegressionCV": linear,
    "MLPClassifier": layers,
    "PassiveAggressiveClassifier": linear,
    "Perceptron": linear,
    "RidgeClassifier": linear,
    "RidgeClassifierCV": linear,
    "SGDClassifier": linear,
    "SVC": support_vectors,
}


# Files

LOADERS = {
    "DictNode",
    "JsonNode",
    "ListNode",
    "LossNode",
    "NdArrayNode",
    "ObjectNode",
    "RandomStateNode",
    "SparseMatrixNode",
    "TreeNode",
    "TupleNode",
    "TypeNode",
}
"""What a skops file may consist of: data, and objects of the classes below; no functions, no methods."""

HELPERS = {"AdamOptimizer", "LabelBinarizer", "Pipeline", "SGDOptimizer"}
TREE = "sklearn.tree._tree.Tree"
TRUSTED = [
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    TREE,
]
"""Beyond what skops trusts by itself. A Tree is safe here: `inspect` and `tree` check every index that it holds."""


def load(path: Path) -> Any:
    """The estimator in a skops file. Pickle and joblib files are refused: reading one runs whatever code it holds."""
    data = contents(path)
    try:
        from skops import io as skops
        from skops.io.exceptions import UntrustedTypesFoundException
    except ImportError:
        raise missing_extra("sklearn", "skops") from None
    if not data.startswith(b"PK"):
        raise ImportFailed(
            f"{path.name} is no skops file. Pickle and joblib files are refused: reading one runs its code.",
            "Save the model with `skops.io.dump(model, path)`.",
        )
    inspect(data, path.name)
    try:
        return skops.loads(data, trusted=TRUSTED)
    except UntrustedTypesFoundException as error:
        raise ImportFailed(f"{path.name} holds types that are not trusted: {error}") from None
    except Exception as error:  # skops raises many types on damaged files
        raise ImportFailed(f"{path.name} is damaged: {error}.", "Save the model again.") from None


def inspect(data: bytes, name: str) -> None:
    """ImportFailed unless the archive is small, and consists of LOADERS and of the classes that this module reads."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ImportFailed(f"{name} unpacks to more than {MOST_BYTES // 10**6} MB.", "Use a smaller model.")
            schema = json.loads(archive.read("schema.json"))
    except KeyError:
        raise ImportFailed(f"{name} is not a skops file: it has no schema.json.", "Use `skops.io.dump`.") from None
    except (
        zipfile.BadZipFile,
        ValueError,
        RecursionError,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
    ) as error:
        raise ImportFailed(f"{name} is damaged: {error}.", "Save the model again.") from None
    known: dict[Any, Any] = {}
    for node in nodes(schema):
        loader, class_name, module = (node.get(key) for key in ("__loader__", "__class__", "__module__"))
        full = f"{module}.{class_name}"
        if loader not in LOADERS:
            raise ImportFailed(f"{name} holds a {full} (as {loader}), which is not plain data.")
        if loader == "ObjectNode" and not (
            str(module).startswith("sklearn.") and class_name in {*CLASSIFIERS, *SCALERS, *HELPERS}
        ):
            raise unsupported(str(class_name) if str(module).startswith("sklearn.") else full)
        if "__id__" in node and known.setdefault(str(node["__id__"]), node) != node:
            raise ImportFailed(f"{name} is damaged: two different objects have one identity.")
        if (loader == "TreeNode" and not single(node)) or (full == TREE and loader not in ("TreeNode", "TypeNode")):
            raise ImportFailed(f"{name} holds a tree with several outputs, or a damaged one.")


def single(tree: dict[str, Any]) -> bool:
    """Whether a tree has one output: with more, scikit-learn would read past the end of a damaged list."""
    match tree:
        case {"__reduce__": {"args": {"content": [_, _, {"__loader__": "JsonNode", "content": "1"}]}}}:
            return True
        case _:
            return False


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object of the schema."""
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if "__loader__" in item:
                yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def original(path: Path) -> Callable[[Floats], list[int]]:
    """scikit-learn's class for each row."""
    estimator = load(path)
    network(estimator, str(path))  # an estimator with damaged indices never predicts
    names = np.asarray(estimator.classes_).tolist()

    def classes(points: Floats) -> list[int]:
        return [names.index(label) for label in estimator.predict(points).tolist()]

    return classes
