"""One search of the grid, in a process of its own.

A fresh process for every search: each pays for its own pretraining, none inherits another's memory, and one that is
killed takes nothing else along.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from optiproxy.comparison.runs.grid import Cell, Contest
from optiproxy.comparison.runs.memory import PeakMemory
from optiproxy.comparison.runs.outcome import Outcome
from optiproxy.errors import StudyError
from optiproxy.execution.executors import end_with_parent


def search_cell(cell: Cell, contest: Contest, *, budget: int, path: Path) -> bool:
    """Search with one torch thread and save the outcome at ``path``.

    Returns:
        Whether it came to its end. Of a search that was interrupted nothing is kept: it is no search of this budget.

    Raises:
        StudyError: If the task is not what the comparison has announced: its data was replaced meanwhile.
        OptiProxyError: As `optiproxy.searching.search.run`.
    """
    import torch

    from optiproxy import registry
    from optiproxy.execution.executors import InlineExecutor
    from optiproxy.searching.search import run
    from optiproxy.searching.settings import SearchSettings

    torch.set_num_threads(1)
    task = registry.task(cell.task)
    protocol = contest.protocol
    free, fidelity, promote = protocol.free, protocol.epochs(protocol.fidelity), protocol.promote
    if Contest.of(task, free=free, fidelity=fidelity, promote=promote) != contest:
        raise StudyError(
            f"The data of {cell.task} has changed since the comparison began. Start anew with another --out."
        )
    _first_calls()
    # This process is the isolation: the evaluations run right here.
    executor = InlineExecutor()
    with PeakMemory() as memory:
        settings = SearchSettings(
            algorithm=cell.algorithm, budget=budget, seed=cell.seed, free=free, fidelity=fidelity, promote=promote
        )
        result = run(task, settings, executor=executor)
    finished = result.stopped != "interrupted"
    if finished:
        Outcome.of(cell, result, overhead_mb=memory.mb).save(path)
    return finished


def _first_calls() -> None:
    """Have torch set up, once per process, what belongs to the library: its gradient engine and its linear algebra (8 MB)."""
    import torch

    matrix = torch.eye(64, requires_grad=True)
    torch.autograd.grad((matrix @ matrix).sum(), matrix)
    torch.linalg.cholesky(torch.eye(3, dtype=torch.double))


def prepare(environment: Mapping[str, str]) -> None:
    """Called first in each process: see the caller's environment, and end with the caller.

    Processes are forked from a server that has kept the environment of its own start. A comparison that is killed
    leaves no search behind.
    """
    os.environ.clear()
    os.environ.update(environment)
    end_with_parent()
