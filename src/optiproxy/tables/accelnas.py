"""Accel-NASBench (Ahmad et al. 2024): networks trained shortly on ImageNet, measured on accelerators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.spaces.pool import PoolSpace
from optiproxy.spaces.published.mnasnet import mnasnet
from optiproxy.tables.store import datasets
from optiproxy.tables.table import TableTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA = "accelnas"

_TOP1 = Metric(name="val_top1", direction="max", unit="%")

METRICS = {
    "val_top1": _TOP1,
    "val_top5": Metric(name="val_top5", direction="max", unit="%"),
    "train_time": Metric(name="training_seconds", direction="min", unit="s"),
    "macs": Metric(name="macs", direction="min", unit="M", free=True),
    "params": Metric(name="params", direction="min", unit="M", free=True),
    **{
        f"latency_{device}": Metric(name=f"{device}_latency_ms", direction="min", unit="ms", free=True)
        for device in ("zcu102", "vck190")
    },
    **{
        f"throughput_{device}": Metric(name=f"{device}_throughput", direction="max", unit="images/s", free=True)
        for device in ("a100", "3090", "tpuv2", "tpuv3", "zcu102", "vck190")
    },
}
"""Column of the data -> metric."""

_OF_DEVICES = tuple(metric.name for column, metric in METRICS.items() if column.startswith(("latency", "throughput")))


def accelnas_task(name: str = "imagenet-mnasnet", limit: str = "") -> Task:
    """Find the network with the best top-1 accuracy on ImageNet, of those that were measured.

    What was measured on devices is free; but where there is a limit, it is known only after a query unless the search asks
    otherwise, as in the tasks of HW-NAS-Bench. A network without a measurement keeps no limit on it.

    Args:
        name: Of the task.
        limit: A bound on a metric like ``"zcu102_latency_ms<=4"``; empty for none.

    Raises:
        UsageError: If it is no limit on one of the metrics.
        DataError: If the file is missing or damaged.
    """
    limits = (Limit.parse(limit),) if limit else ()
    table, dataset, space = datasets.load(DATA), datasets.dataset(DATA), mnasnet()
    positions = [
        np.searchsorted(np.array(decision.choices), column)  # in ascending order, all of them
        for decision, column in zip(space.decisions, table["arch"].T, strict=True)
    ]
    architectures, measured = joined(np.stack(positions, axis=1), table["metrics"])
    return TableTask(
        name,
        PoolSpace(space, architectures),
        metrics=tuple(METRICS.values()),
        goal=Goal((Objective(_TOP1.name),), limits),
        source=Source(
            name="accelnas",
            description="Accel-NASBench: 5,125 networks under a short training recipe, most trained once; measured on six accelerators",
            licence=dataset.licence,
            digest=f"sha256:{dataset.digest}",
        ),
        architectures=architectures,
        columns={
            METRICS[column].name: values for column, values in zip(table["names"].tolist(), measured.T, strict=True)
        },
        queried=_OF_DEVICES if limits else (),
    )


def joined(
    architectures: NDArray[np.integer], values: NDArray[np.float64]
) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
    """Join the rows of equal networks: their values are the means over those that are there.

    Args:
        architectures: ``(n, d)`` positions.
        values: ``(n, m)``, NaN where one is missing.

    Returns:
        ``(k, d)`` distinct architectures in lexicographic order, and their ``(k, m)`` values.
    """
    distinct, network = np.unique(architectures, axis=0, return_inverse=True)
    there = ~np.isnan(values)
    sums, counts = np.zeros((len(distinct), values.shape[1])), np.zeros((len(distinct), values.shape[1]))
    np.add.at(sums, network.ravel(), np.where(there, values, 0.0))
    np.add.at(counts, network.ravel(), there)
    return distinct, np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
