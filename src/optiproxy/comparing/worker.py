"""One search of the grid, in a process of its own.

A fresh process for every search: each pays for its own pretraining, none inherits another's memory, and one that is
killed takes nothing else along.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path

from optiproxy.comparing.grid import Cell
from optiproxy.comparing.memory import PeakMemory
from optiproxy.comparing.outcome import Outcome


def search_cell(cell: Cell, budget: int, path: Path) -> None:
    """Search with one torch thread and save the outcome at ``path``.

    Raises:
        OptiProxyError: As `optiproxy.running.search.run`.
    """
    import torch

    from optiproxy.running import registry
    from optiproxy.running.executors import InlineExecutor
    from optiproxy.running.search import run

    torch.set_num_threads(1)
    task = registry.task(cell.task)
    # This process is the isolation: the evaluations run right here.
    executor = InlineExecutor()
    with PeakMemory() as memory:
        result = run(task, algorithm=cell.algorithm, budget=budget, seed=cell.seed, executor=executor)
    Outcome.of(cell, result, overhead_mb=memory.mb).save(path)


def end_with_parent() -> None:
    """Called first in each process: a comparison that is killed leaves no search behind."""
    threading.Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
