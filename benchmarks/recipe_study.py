"""How a task with real trainings measures: spread of random architectures, noise between seeds, what random search finds.

    python benchmarks/recipe_study.py pydoc-chars --cells 40 --seeds 2 --out runs/recipe-study.jsonl

Each training is a line of the file. The same command again goes on where it was ended; several processes may share a file
with ``--part 1/2`` and ``--part 2/2``. The figures go into docs/decisions/ by hand.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from optiproxy import registry
from optiproxy.training.tasks.network_task import TrainingTask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optiproxy.spaces import Architecture

QUERIES = 40
"""Of the random search that is resampled from the trainings."""


def main() -> None:
    """Train what is missing, then print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("task")
    options.add_argument("--cells", type=int, default=40)
    options.add_argument("--seeds", type=int, default=2)
    options.add_argument("--part", default="1/1")
    options.add_argument("--out", type=Path, required=True)
    given = options.parse_args()
    task = registry.task(given.task)
    if not isinstance(task, TrainingTask):
        options.error(f"{given.task} trains no networks.")
    architectures = distinct(task, given.cells)
    part, parts = map(int, given.part.split("/"))
    train(task, architectures[part - 1 :: parts], given.seeds, given.out)
    tell(task, architectures, given.seeds, given.out)


def distinct(task: TrainingTask, n: int) -> list[Architecture]:
    """Random architectures, no two isomorphic."""
    rng = np.random.default_rng(7)
    found: dict[Architecture, None] = {}
    while len(found) < n:
        found.setdefault(task.space.canonical(task.space.sample(rng, 1)[0]))
    return list(found)


def train(task: TrainingTask, architectures: list[Architecture], seeds: int, path: Path) -> None:
    """Append what is missing. A training that fails is a line without metrics."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = read(path)
    for architecture in architectures:
        for seed in range(seeds):
            if (architecture, seed) in done:
                continue
            try:
                metrics = task.train(architecture, seed=seed).metrics
            except FloatingPointError:
                metrics = {}
            with path.open("a") as lines:
                lines.write(json.dumps({"architecture": architecture, "seed": seed, "metrics": metrics}) + "\n")


def read(path: Path) -> dict[tuple[Architecture, int], dict[str, float]]:
    """Architecture and seed -> metrics, empty where the training failed."""
    rows = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
    return {(tuple(row["architecture"]), row["seed"]): row["metrics"] for row in rows}


def tell(task: TrainingTask, architectures: list[Architecture], seeds: int, path: Path) -> None:
    """Print the figures of the architectures that have been trained with every seed."""
    done = read(path)
    runs = [[done.get((architecture, seed)) for seed in range(seeds)] for architecture in architectures]
    whole = [metrics for metrics in runs if all(each is not None for each in metrics)]
    trained = [metrics for metrics in whole if all(metrics)]
    print(
        f"{len(whole)} architectures with {seeds} seeds each, {len(whole) - len(trained)} of them failed with some seed"
    )
    if len(trained) < 4:
        return
    (objective,) = task.goal.objectives
    sign = -1.0 if objective.direction == "max" else 1.0
    reported = [metric.name for metric in task.metrics if metric.reported_only]
    names = [objective.metric, *reported]
    values = {
        name: np.array([[run[name] for run in runs] for runs in trained]) for name in (*names, "training_seconds")
    }
    order = np.argsort(sign * values[objective.metric].mean(1))
    for name in names:
        percentiles = np.percentile(np.sort(sign * values[name].ravel()), [0, 10, 25, 50, 75, 100]) * sign
        print(f"{name}: best to worst, percentiles 0 10 25 50 75 100:", *np.round(percentiles, 3))
        for share in (1.0, 0.5, 0.25):
            best = values[name][order[: max(3, round(share * len(order)))]]
            print(
                f"  best {len(best)}: between cells {best.mean(1).std(ddof=1):.3f}, "
                f"between seeds {math.sqrt(best.var(1, ddof=1).mean()):.3f}, rank correlation of seeds "
                f"{spearmanr(best[:, 0], best[:, 1]).statistic:.2f}"
            )
    if reported:
        pairs = [values[name][:, 0] for name in names[:2]]
        print(f"rank correlation of {names[0]} and {names[1]}: {spearmanr(*pairs).statistic:.3f}")
    print("seconds, percentiles 0 50 100:", *np.round(np.percentile(values["training_seconds"], [0, 50, 100]), 1))
    print(
        f"random search, {QUERIES} queries:", *(random_search(sign, values[name], values[names[0]]) for name in names)
    )


def random_search(sign: float, values: NDArray[np.float64], chosen_by: NDArray[np.float64]) -> str:
    """Mean and standard deviation of the selected architecture's value, drawn with replacement."""
    rng = np.random.default_rng(0)
    cells = rng.integers(len(values), size=(2000, QUERIES))
    seeds = rng.integers(values.shape[1], size=(2000, QUERIES))
    best = (sign * chosen_by[cells, seeds]).argmin(1)
    rows = np.arange(2000)
    found = values[cells[rows, best], seeds[rows, best]]
    return f"{found.mean():.3f} ± {found.std():.3f}"


if __name__ == "__main__":
    main()
