"""Trains examples/diabetes.onnx and diabetes_blind.onnx on the data set that scikit-learn ships: does the disease
progress fast? One network is told the patient's sex, the other is not; 4 ReLU neurons each.

Run: python examples/train/diabetes.py   (needs pip install "strong-robust[onnx,sklearn]")
"""

from pathlib import Path

import numpy as np
from export import export, quantise
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

NAMES = ["age", "bmi", "bp", "s5", "sex"]
CENTRE, UNIT = np.array([50, 26, 95, 4.6, 1]), np.array([10, 5, 15, 0.5, 1])  # diabetes.vf has the same numbers

data = load_diabetes(scaled=False)
rows = data.data[:, [data.feature_names.index(name) for name in NAMES]]
fast = (data.target >= 140).astype(int)
x, x_test, y, y_test = train_test_split((rows - CENTRE) / UNIT, fast, random_state=0, stratify=fast)
for name, columns in (("diabetes", 5), ("diabetes_blind", 4)):
    model = MLPClassifier((4,), alpha=0.3, max_iter=5000, random_state=3).fit(x[:, :columns], y)
    quantise(model, 64)
    seen, unseen = model.score(x[:, :columns], y), model.score(x_test[:, :columns], y_test)
    print(f"{name}: accuracy {seen:.3f}, on unseen rows {unseen:.3f}")
    export(model, Path(__file__).parents[1] / f"{name}.onnx", "patient")
