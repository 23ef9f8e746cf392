"""Search with a training function of your own: an MLP on scikit-learn's breast-cancer data.

Run ``python examples/own_function.py [BUDGET]``; 20 queries take about 20 seconds.
"""

from __future__ import annotations

import sys
import warnings

from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import optiproxy

SPACE = {
    "layers": [1, 2, 3],
    "width": [4, 8, 16, 32, 64],
    "activation": ["relu", "tanh", "logistic"],
    "batch": [16, 32, 64],
}


def evaluate(architecture: dict[str, int | str]) -> dict[str, float]:
    """Train one network; called once per query."""
    width, layers = int(architecture["width"]), int(architecture["layers"])
    network = MLPClassifier(
        hidden_layer_sizes=[width] * layers,
        activation=str(architecture["activation"]),
        batch_size=int(architecture["batch"]),
        max_iter=12,
        random_state=0,
    )
    data, labels = load_breast_cancer(return_X_y=True)
    scores = cross_val_score(make_pipeline(StandardScaler(), network), data, labels, cv=3)
    return {"accuracy": 100 * float(scores.mean()), "units": float(width * layers)}


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=ConvergenceWarning)  # 12 epochs, on purpose
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    result = optiproxy.search(SPACE, evaluate, budget=budget, limits=["units<=64"])
    print(result.best_architecture, dict(result.best.metrics))
