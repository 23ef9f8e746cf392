"""One search of the grid, in a process of its own.

A fresh process for every search: each pays for its own pretraining, none inherits another's memory, and one that is
killed takes nothing else along.
"""

from __future__ import annotations

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
