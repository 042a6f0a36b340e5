"""Trains examples/breast_cancer.onnx on the Wisconsin data of scikit-learn: 4 of its 30 features, 4 ReLU neurons.

Run: python examples/train/breast_cancer.py   (needs pip install "strong-robust[onnx,sklearn]")
"""

from pathlib import Path

import numpy as np
from export import export, quantise
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

NAMES = ["mean radius", "mean texture", "mean smoothness", "mean concave points"]
CENTRE, UNIT = np.array([14, 19, 0.1, 0.05]), np.array([4, 4, 0.02, 0.05])  # breast_cancer.vf has the same numbers

data = load_breast_cancer()
rows = data.data[:, [list(data.feature_names).index(name) for name in NAMES]]
malignant = (data.target == 0).astype(int)
x, x_test, y, y_test = train_test_split((rows - CENTRE) / UNIT, malignant, random_state=0, stratify=malignant)
model = MLPClassifier((4,), alpha=0.1, max_iter=5000, random_state=1).fit(x, y)
quantise(model, 64)
print(f"accuracy {model.score(x, y):.3f}, on unseen rows {model.score(x_test, y_test):.3f}")
export(model, Path(__file__).parents[1] / "breast_cancer.onnx", "measured")
