"""How busy workers are kept by trainings that sleep: ``python benchmarks/utilisation.py [ALGORITHM]...``.

The share of the time between the first and the last result that the workers spend in trainings: eight worker processes with 0.2 s
each, in memory and in an SQLite file, and 64 threads with a mean of 2 s and a heavy tail. The first quarter of the queries is left
out: the workers start, and the proxy is pretrained. On a machine that does other things, compare with random search.
"""

from __future__ import annotations

import math
import random
import sys
import tempfile
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from optiproxy import search

CHOICES = {f"layer{n}": [1, 2, 3, 4, 5] for n in range(8)}


def score(values: dict[str, int]) -> float:
    """Smooth in the choices."""
    return -float(sum((value - 1 - n % 5) ** 2 for n, value in enumerate(values.values())))


def short(values: dict[str, int]) -> float:
    """A training of 0.2 s."""
    time.sleep(0.2)
    return score(values)


def heavy(values: dict[str, int]) -> float:
    """A training of 2 s on average, and ten times that once in a while: log-normal."""
    sigma = 0.8
    chance = random.Random(str(values))  # noqa: S311 - a time
    time.sleep(2.0 * math.exp(sigma * chance.gauss(0, 1) - sigma**2 / 2))
    return score(values)


def utilisation(evaluate: Any, *, executor: Executor | None, **arguments: Any) -> float:  # noqa: ANN401 - those of `search`
    """Of the workers, after the first quarter."""
    ends: list[tuple[float, float]] = []

    def finished(_: object, record: Any) -> None:  # noqa: ANN401 - a callback's
        ends.append((time.monotonic(), record.evaluation_seconds))

    search(CHOICES, evaluate, executor=executor, callbacks=finished, verbose=False, **arguments)
    first = len(ends) // 4
    span = ends[-1][0] - ends[first][0]
    return sum(seconds for _, seconds in ends[first + 1 :]) / (arguments["workers"] * span)


def main(algorithms: list[str]) -> None:
    """Print one line per case."""
    with tempfile.TemporaryDirectory() as folder:
        cases: list[tuple[str, Any, int, dict[str, Any]]] = [
            ("8 workers, 0.2 s, in memory", short, 8, {"budget": 400}),
            ("8 workers, 0.2 s, SQLite", short, 8, {"budget": 400, "storage": Path(folder) / "study.db"}),
            ("64 threads, 2 s, heavy tail", heavy, 64, {"budget": 1500}),
        ]
        for name, evaluate, workers, more in cases:
            for algorithm in algorithms:
                with ThreadPoolExecutor(workers) if evaluate is heavy else nullcontext() as executor:
                    share = utilisation(evaluate, executor=executor, workers=workers, algorithm=algorithm, **more)
                print(f"{name:<30} {algorithm:<12} {share:.0%}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["random", "optiproxy"])
