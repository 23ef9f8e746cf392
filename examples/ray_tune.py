"""Ray Tune runs the trainings, here or on a cluster; what it tries next comes from `OptiProxySampler`.

Run ``python examples/ray_tune.py [BUDGET]`` (needs `ray`, `pyarrow` and `tensorboardX`, which ray[tune] brings).
"""

from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

import ray
from ray import tune
from ray.tune.search.optuna import OptunaSearch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import optiproxy

if TYPE_CHECKING:
    import optuna


def space(trial: optuna.Trial) -> None:
    """What is searched; the width of a layer matters only where there is one."""
    for layer in range(trial.suggest_int("layers", 1, 3)):
        trial.suggest_categorical(f"width{layer}", [8, 16, 32, 64])
    trial.suggest_categorical("activation", ["relu", "tanh"])
    trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)


def train(config: dict[str, int | float | str]) -> None:
    """Report the accuracy after every epoch, on images that were not trained on."""
    widths = [config[f"width{layer}"] for layer in range(config["layers"])]
    network = MLPClassifier(
        widths, activation=config["activation"], learning_rate_init=config["learning_rate"], random_state=0
    )
    x, x_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    for _ in range(5):
        network.partial_fit(x / 16, y, classes=range(10))
        tune.report({"accuracy": network.score(x_test / 16, y_test)})


if __name__ == "__main__":
    ray.init(include_dashboard=False, log_to_driver=False)
    sampler = optiproxy.OptiProxySampler(seed=0)
    search = OptunaSearch(space, sampler=sampler, metric="accuracy", mode="max")
    with tempfile.TemporaryDirectory() as folder:
        budget = int(sys.argv[1]) if len(sys.argv) > 1 else 20
        tuner = tune.Tuner(
            train,
            tune_config=tune.TuneConfig(search_alg=search, num_samples=budget, max_concurrent_trials=2),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        best = tuner.fit().get_best_result("accuracy", "max")
        print(best.config, best.metrics["accuracy"])
