"""Hypervolume of searches with several objectives, on tables whose whole front is known.

    python benchmarks/hypervolume.py [--seeds N] [--budget N] [--algorithm NAME]... [SETTING]...

A setting is ``TASK,OBJECTIVE,OBJECTIVE...``. The box is that of all feasible architectures of the table; what is printed is
how much of what the table's own front dominates is still missed, in percent: mean and standard deviation over the seeds,
half way and at the end.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

from optiproxy.cli.goal import wanted_goal

from optiproxy import registry
from optiproxy.metrics import Goal, Metrics
from optiproxy.results.hypervolume import Box
from optiproxy.searching.run import run
from optiproxy.searching.settings import SearchSettings
from optiproxy.task.task import Task

SETTINGS = (
    "nasbench201-cifar10,val_accuracy,flops",
    "nasbench201-imagenet16,val_accuracy,params,latency_ms",
    "hwnasbench-edgegpu-6ms,val_accuracy,latency_ms",
    "hwnasbench-eyeriss-1ms,val_accuracy,latency_ms",
)
ALGORITHMS = ("optiproxy", "random", "optuna-nsga2", "optuna-tpe")


def whole(task: Task, goal: Goal) -> list[Metrics]:
    """All feasible entries of a table; only the printed figures see them."""
    found = [
        task.evaluate(architecture) for architecture in task.space.everything() if task.space.is_valid(architecture)
    ]
    return [metrics for metrics in found if goal.feasible(metrics)]


def missed(task: Task, goal: Goal, *, algorithm: str, seed: int, budget: int, box: Box, total: float) -> list[float]:
    """Percent of the table's hypervolume that is missed after each query."""
    result = run(task, SearchSettings(algorithm=algorithm, seed=seed, budget=budget), goal=goal)
    return [100 * (1 - share / total) for share in box.curve([record.metrics for record in result.full])]


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values) if len(values) > 1 else 0.0:.2f}"


def main() -> None:
    """Print one line per setting and algorithm."""
    parser = argparse.ArgumentParser()
    parser.add_argument("settings", nargs="*", default=SETTINGS)
    parser.add_argument("--algorithm", action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=60)
    given = parser.parse_args()
    print(f"{'setting':<56}{'algorithm':<16}{f'after {given.budget // 2}':>16}{f'after {given.budget}':>16}")
    for setting in given.settings:
        name, *objectives = setting.split(",")
        task = registry.task(name)
        goal = wanted_goal(task, objectives=objectives, limits=[])
        table = whole(task, goal)
        box = Box.around(goal, table)
        if box is None:
            continue
        for algorithm in given.algorithm or ALGORITHMS:
            curves = [
                missed(task, goal, algorithm=algorithm, seed=seed, budget=given.budget, box=box, total=box.share(table))
                for seed in range(given.seeds)
            ]
            half, end = (spread([curve[n - 1] for curve in curves]) for n in (given.budget // 2, given.budget))
            print(f"{setting:<56}{algorithm:<16}{half:>16}{end:>16}", flush=True)


if __name__ == "__main__":
    main()
