"""How many queries and how long it takes to find the optimum with more and more workers: ``make bench-scaling``.

    python benchmarks/scaling.py OUT [--task TASK] [--workers 1,8,64] [--seeds 10]

The search is simulated: the algorithm is asked whenever a worker is free, told of a result as soon as its training would
end, and answers are looked up. A training takes as long as one of NASBench-101's, drawn from the 20,001 times that were measured
there. ``OUT`` is a file with one line of JSON for each search; what it holds already is not searched again.

    python benchmarks/scaling.py --cost

prints what one proposal costs after 100, 1,000 and 10,000 trials, in seconds of processor time.
"""

from __future__ import annotations

import argparse
import heapq
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from optiproxy import registry
from optiproxy.optimizer import Trial
from optiproxy.task.task import Task

BUDGET = 3000
SECONDS = "training_seconds"


def measured_times() -> np.ndarray:
    """Seconds of 1,000 trainings of NASBench-101, at random."""
    task = registry.task("nasbench101-cifar10")
    drawn = task.space.sample(np.random.default_rng(0), 1000)
    return np.array([task.evaluate(architecture)[SECONDS] for architecture in drawn])


def simulated(task: Task, times: np.ndarray, *, workers: int, seed: int) -> dict[str, Any]:
    """One search, until it has found the optimum; ``queries`` counts what had finished by then."""
    algorithm = registry.algorithm("optiproxy")(task.space, task.goal, seed=seed)
    chance, objective, optimum = np.random.default_rng([1, seed]), task.goal.objectives[0], task.optimum
    assert optimum is not None
    running: list[tuple[float, int, tuple[int, ...]]] = []
    trials: list[Trial] = []
    now, asked = 0.0, 0
    while len(trials) < BUDGET:
        algorithm.observe([*trials])
        pending = [architecture for _, _, architecture in running]
        # All that are free at one moment are served together, as in a search.
        for proposal in algorithm.propose(workers - len(running), pending):
            heapq.heappush(running, (now + float(chance.choice(times)), asked, proposal.architecture))
            asked += 1
        now, _, architecture = heapq.heappop(running)
        trials.append(Trial(architecture, task.evaluate(architecture)))
        if trials[-1].metrics[objective.metric] == optimum:
            break
    return {"task": task.name, "workers": workers, "seed": seed, "queries": len(trials), "asked": asked, "seconds": now}


def table(rows: list[dict[str, Any]]) -> str:
    """Means by number of workers, as Markdown."""
    lines = [
        "| workers | queries to the optimum | of them begun | hours | faster than one | searches |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["workers"]].append(row)

    def mean(workers: int, column: str) -> float:
        return statistics.mean(row[column] for row in groups[workers])

    for workers in sorted(groups):
        faster = mean(min(groups), "seconds") / mean(workers, "seconds")
        lines.append(
            f"| {workers:,} | {mean(workers, 'queries'):.0f} | {mean(workers, 'asked'):.0f} | {mean(workers, 'seconds') / 3600:.1f} "
            f"| {faster:.1f} | {len(groups[workers])} |"
        )
    return "\n".join(lines)


def costs(task: Task) -> str:
    """Processor seconds of one proposal, alone and together with 63 others, as Markdown; the median of three."""
    lines = ["| trials | one proposal | 64 at once |", "|--:|--:|--:|"]
    drawn = dict.fromkeys(map(task.space.canonical, task.space.sample(np.random.default_rng(0), 40_000)))
    trials = [Trial(architecture, task.evaluate(architecture)) for architecture in [*drawn][:10_000]]
    for n in (100, 1_000, 10_000):
        found = []
        for together in (1, 64):
            seconds = []
            for seed in range(3):
                algorithm = registry.algorithm("optiproxy")(task.space, task.goal, seed=seed)
                algorithm.propose(1)  # which is pretrained now
                algorithm.observe(trials[:n])
                start = time.process_time()
                algorithm.propose(together)
                seconds.append(time.process_time() - start)
            found.append(statistics.median(seconds))
        lines.append(f"| {n:,} | " + " | ".join(f"{seconds:.2f} s" for seconds in found) + " |")
    return "\n".join(lines)


def main() -> None:
    """Search what is missing, and print the table."""
    parser = argparse.ArgumentParser(description="Workers against queries and time.")
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--task", default="nasbench201-imagenet16")
    parser.add_argument("--workers", default="1,2,4,8,16,32,64,128,256,512,1024")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--cost", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    task = registry.task(arguments.task)
    if arguments.cost:
        print(costs(registry.task("nasbench101-cifar10")))
    if arguments.out is None:
        return
    known = [json.loads(line) for line in arguments.out.read_text().splitlines()] if arguments.out.exists() else []
    done, times = {(row["workers"], row["seed"]) for row in known}, measured_times()
    for seed in range(arguments.seeds):
        for workers in map(int, arguments.workers.split(",")):
            if (workers, seed) not in done:
                known.append(simulated(task, times, workers=workers, seed=seed))
                with arguments.out.open("a") as file:
                    file.write(json.dumps(known[-1]) + "\n")
    print(table(known))


if __name__ == "__main__":
    main()
