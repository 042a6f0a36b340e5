"""Writes examples/iris.csv: the iris data that scikit-learn ships, every third row, in cm.

Run: python examples/train/iris_rows.py   (needs pip install "strong-robust[sklearn]")
"""

import csv
from pathlib import Path

from sklearn.datasets import load_iris

data = load_iris()
with (Path(__file__).parents[1] / "iris.csv").open("w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*data.feature_names, "species"])
    for row, target in list(zip(data.data, data.target, strict=True))[2::3]:
        writer.writerow([*(f"{x:.1f}" for x in row), data.target_names[target]])
