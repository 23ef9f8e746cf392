"""An ordinary Optuna objective; only the sampler is ours. The space is inferred from what the objective suggests.

Run ``python examples/optuna_sampler.py [BUDGET]``.
"""

from __future__ import annotations

import sys

import optuna
from sklearn.datasets import load_wine
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import cross_val_score

import optiproxy


def objective(trial: optuna.Trial) -> float:
    """Cross-validated accuracy of one model."""
    model = GradientBoostingClassifier(
        n_estimators=trial.suggest_categorical("trees", [10, 20, 40, 80]),
        max_depth=trial.suggest_int("depth", 1, 5),
        subsample=trial.suggest_categorical("subsample", [0.5, 0.75, 1.0]),
        random_state=0,
    )
    data, labels = load_wine(return_X_y=True)
    return float(cross_val_score(model, data, labels, cv=3).mean())


if __name__ == "__main__":
    study = optuna.create_study(direction="maximize", sampler=optiproxy.OptiProxySampler(seed=0))
    study.optimize(objective, n_trials=int(sys.argv[1]) if len(sys.argv) > 1 else 15)
    print(study.best_params, study.best_value)
