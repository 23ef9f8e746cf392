"""Pruners in real searches on learning curves of LCBench: what they save, and what they lose.

    python benchmarks/pruning.py [FILE] [--seeds N] [--budget N] [--task NAME]... [--pruner NAME]...

Each search trains as a user's function does: it reports its curve at every fourth epoch and asks whether to go on, and what
is pruned shapes the queries that follow. Searches that FILE holds are not done again; they are written one per line.

Printed for each pruner are the epochs that it spends, relative to none at all, and the gap between the best complete training and
the best value known, relative to that between the best known and the median of 1,000 random configurations: after all
trainings, and after half of the epochs that a search without pruning takes.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, PercentilePruner, SuccessiveHalvingPruner

import optiproxy
from optiproxy import LeadersPruner, registry

if TYPE_CHECKING:
    from optiproxy import TrainingTrial

EPOCHS = 52
EVERY = 4
PRUNERS: dict[str, BasePruner | None] = {
    "none": None,
    "leaders": LeadersPruner(),
    "leaders-half": LeadersPruner(warm_up=0.5),
    "median": MedianPruner(n_startup_trials=5, n_warmup_steps=EPOCHS // 6),
    "median-early": MedianPruner(n_startup_trials=5, n_warmup_steps=EVERY),
    "best-40-percent": PercentilePruner(40.0, n_startup_trials=5, n_warmup_steps=EPOCHS // 6),
    "best-third": PercentilePruner(33.0, n_startup_trials=5, n_warmup_steps=EPOCHS // 6),
    "asha": SuccessiveHalvingPruner(min_resource=2 * EVERY, reduction_factor=3),
    "asha-halves": SuccessiveHalvingPruner(min_resource=2 * EVERY, reduction_factor=2),
    "asha-halves-early": SuccessiveHalvingPruner(min_resource=EVERY, reduction_factor=2),
    "asha-late": SuccessiveHalvingPruner(min_resource=EPOCHS // 4, reduction_factor=3),
    "asha-usual": SuccessiveHalvingPruner(),
    "hyperband": HyperbandPruner(min_resource=EVERY, max_resource=EPOCHS, reduction_factor=3),
}
TASKS = ("lcbench-34539", "lcbench-167104", "lcbench-168335", "lcbench-189862")


def search(name: str, pruner: str, *, seed: int, budget: int) -> dict[str, Any]:
    """Search once; return the epochs spent and the best complete training so far, after each query."""
    task = registry.task(name)

    def train(values: dict[str, Any], trial: TrainingTrial) -> float:
        architecture = task.space.architecture(values)
        value = 0.0
        for epoch in range(EVERY, EPOCHS + 1, EVERY):
            value = task.evaluate(architecture, fidelity=epoch)["val_accuracy"]
            trial.report(value, epoch)
            if epoch < EPOCHS and trial.should_prune():
                raise optuna.TrialPruned
        return value

    found = optiproxy.search(
        task.space, train, budget=budget, seed=seed, pruner=PRUNERS[pruner], verbose=False, max_failures=None
    )
    spent = np.cumsum([max(record.curve, default=0) for record in found.records])
    values = [
        record.metrics.get("accuracy", -np.inf) if record.state == "complete" else -np.inf for record in found.records
    ]
    return {
        "task": name,
        "pruner": pruner,
        "seed": seed,
        "epochs": spent.tolist(),
        "best": [max(value, -1e9) for value in np.maximum.accumulate(values).tolist()],
    }


def references(lines: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Task -> the best value known, and the median of random configurations."""
    bounds = {}
    for name in {line["task"] for line in lines}:
        task = registry.task(name)
        rng = np.random.default_rng(0)
        drawn = [task.evaluate(architecture)["val_accuracy"] for architecture in task.space.sample(rng, 1000)]
        found = [line["best"][-1] for line in lines if line["task"] == name]
        bounds[name] = (max(*drawn, *found), statistics.median(drawn))
    return bounds


def summary(lines: list[dict[str, Any]], budget: int) -> Iterator[str]:
    """Rows of a table, one for each pruner."""
    bounds, whole = references(lines), budget * EPOCHS
    yield "| pruner | searches | epochs spent | gap after all trainings | gap after half of the epochs |"
    yield "|---|---|---|---|---|"
    for pruner in PRUNERS:
        ours = [line for line in lines if line["pruner"] == pruner]
        if not ours:
            continue
        ends, halves = [], []
        for line in ours:
            best, median = bounds[line["task"]]
            gaps = [(best - value) / (best - median) for value in line["best"]]
            ends.append(gaps[-1])
            halves.append(gaps[max(np.searchsorted(line["epochs"], whole / 2, side="right") - 1, 0)])
        spent = statistics.mean(line["epochs"][-1] for line in ours) / whole
        error = statistics.stdev(ends) / len(ends) ** 0.5 if len(ends) > 1 else 0.0
        yield (
            f"| {pruner} | {len(ours)} | {100 * spent:.0f} % | {statistics.mean(ends):.3f} ± {error:.3f} | "
            f"{statistics.mean(halves):.3f} |"
        )


def main() -> None:
    """Search what is missing, then print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?", type=Path, default=Path("runs/pruning.jsonl"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=30)
    parser.add_argument("--task", action="append")
    parser.add_argument("--pruner", action="append", choices=PRUNERS)
    given = parser.parse_args()
    given.file.parent.mkdir(parents=True, exist_ok=True)
    given.file.touch()
    lines = [json.loads(line) for line in given.file.read_text().splitlines()]
    done = {(line["seed"], line["task"], line["pruner"]) for line in lines}
    for seed, task, pruner in product(range(given.seeds), given.task or TASKS, given.pruner or PRUNERS):
        if (seed, task, pruner) not in done:
            lines.append(search(task, pruner, seed=seed, budget=given.budget))
            with given.file.open("a") as file:
                file.write(json.dumps(lines[-1]) + "\n")
    print("\n".join(summary(lines, given.budget)))


if __name__ == "__main__":
    main()
