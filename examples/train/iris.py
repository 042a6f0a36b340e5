"""Trains examples/iris.skops: standardisation and logistic regression on the iris data that scikit-learn ships.

Run: python examples/train/iris.py   (needs pip install "strong-robust[sklearn]")
"""

from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skops import io

data = load_iris()
model = make_pipeline(StandardScaler(), LogisticRegression(C=10)).fit(data.data, data.target)
print(f"accuracy {model.score(data.data, data.target):.3f}")
io.dump(model, Path(__file__).parents[1] / "iris.skops")
