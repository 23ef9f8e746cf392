"""An Optuna study of a tabular network, in which only the sampler has changed. Lines that end in `# <-` have.

Run ``python examples/tabular_mlp.py [BUDGET]``; a training takes about a second on one core.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import optuna
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import optiproxy  # <-

SCALERS = {"standard": StandardScaler, "range": MinMaxScaler}


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """The architecture; some of it is asked for only where it matters."""
    layers = trial.suggest_int("layers", 1, 3)
    return {
        "scaler": trial.suggest_categorical("scaler", sorted(SCALERS)),
        "activation": trial.suggest_categorical("activation", ["relu", "tanh", "logistic"]),
        "widths": [trial.suggest_categorical(f"width{i}", [4, 8, 16, 32]) for i in range(layers)],
    }


def objective(trial: optuna.Trial) -> float:
    """Cross-validated accuracy of one network."""
    chosen = suggest(trial)
    network = MLPClassifier(
        hidden_layer_sizes=chosen["widths"], activation=chosen["activation"], max_iter=100, random_state=0
    )
    data, labels = load_wine(return_X_y=True)
    return float(cross_val_score(make_pipeline(SCALERS[chosen["scaler"]](), network), data, labels, cv=3).mean())


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=ConvergenceWarning)  # 100 epochs, on purpose
    space = optiproxy.Space.from_optuna(suggest)  # <-
    sampler = optiproxy.OptiProxySampler(space, seed=0)  # <- was optuna.samplers.TPESampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    print(study.best_params, study.best_value)
