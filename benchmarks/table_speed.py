"""How long a task takes to open and how many queries a second it answers, each in a process of its own.

    python benchmarks/table_speed.py [TASK]...

Without names: every table whose data is here. Opening includes importing what
the task needs; of five openings the median counts. Processor time, so that other work on the machine matters little.
"""
# ruff: noqa: S603

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from optiproxy import registry
from optiproxy.errors import DataError
from optiproxy.tables import TableTask

OPENINGS = 5
QUERIES = 200_000

MEASUREMENT = """
import json, sys, time
from optiproxy import registry
start = time.process_time()
task = registry.task(sys.argv[1])
opened = time.process_time() - start
import numpy as np
architectures = task.space.sample(np.random.default_rng(0), 1000)
repeated = architectures * (int(sys.argv[2]) // len(architectures))
start = time.process_time()
for architecture in repeated:
    task.evaluate(architecture)
print(json.dumps([opened, len(repeated) / (time.process_time() - start)]))
"""


def measure(name: str, queries: int) -> tuple[float, float]:
    """Seconds of opening and queries per second, in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", MEASUREMENT, name, str(queries)], capture_output=True, text=True, check=True
    )
    opened, rate = json.loads(done.stdout)
    return opened, rate


def is_table(name: str) -> bool:
    """Whether the task's evaluation is a look-up, and can be had here."""
    try:
        return isinstance(registry.task(name), TableTask)
    except DataError:
        return False


def main() -> None:
    """Print one line per task."""
    names = sys.argv[1:] or [entry.name for entry in registry.tasks() if is_table(entry.name)]
    print(f"{'task':<34}{'opens in s':>12}{'queries/s':>12}")
    for name in names:
        found = [measure(name, QUERIES) for _ in range(OPENINGS)]
        opened, rate = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:<34}{opened:>12.3f}{rate:>12,.0f}")


if __name__ == "__main__":
    main()
