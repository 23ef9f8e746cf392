"""NAS-Bench-NLP (Klyuchnikov et al. 2020, arXiv 2006.07116) on WikiText-2: the recurrent cells that were trained there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces.pool import PoolSpace
from optiproxy.spaces.published.recurrent import RecurrentSpace
from optiproxy.spaces.published.recurrent_cell import from_recipe
from optiproxy.tables.store import datasets
from optiproxy.tables.table import TableTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA = "nasbench_nlp_wikitext2"

VALIDATION = Metric(name="val_loss", direction="min", unit="nats per token")
PARAMETERS = Metric(name="params", direction="min", unit="M", free=True)
_TEST = Metric(name="test_loss", direction="min", unit="nats per token", reported_only=True)
_SECONDS = Metric(name="training_seconds", direction="min", unit="s")

_FINISHED = "OK"
"""Status of a run that was trained to the end; the others broke off."""


@dataclass(frozen=True)
class Trainings:
    """The networks that were trained to the end, isomorphic cells joined; values are means over their runs.

    As the benchmark simulates a search, a training is worth its lowest validation loss so far, and its test loss is that
    of the same epoch: as with early stopping, the test loss has no part in the choice.

    Attributes:
        architectures: ``(n, d)`` canonical forms of `RecurrentSpace`.
        columns: Metric -> ``(n, 50)``, one value after each epoch; parameters ``(n,)``.
    """

    architectures: NDArray[np.integer]
    columns: dict[Metric, NDArray[np.float64]]


def nasbench_nlp_task() -> Task:
    """Find the trained recurrent cell with the lowest validation loss on WikiText-2 after 50 epochs.

    Raises:
        DataError: If the data is missing or damaged.
    """
    trained = trainings()
    epochs = trained.columns[VALIDATION].shape[1]
    return TableTask(
        "nasbench-nlp-wikitext2",
        PoolSpace(RecurrentSpace(), trained.architectures),
        metrics=tuple(trained.columns),
        goal=Goal((Objective(VALIDATION.name, "min"),)),
        source=Source(
            name="nasbench-nlp-wikitext2",
            description="NAS-Bench-NLP on WikiText-2: 341 runs of 263 networks; best epoch by validation, mean over the runs of a network",
            licence="Apache-2.0",
            digest=data_digest(),
        ),
        architectures=trained.architectures,
        columns={metric.name: column for metric, column in trained.columns.items()},
        fidelities=tuple(range(1, 1 + epochs)),
    )


def trainings() -> Trainings:
    """Read the networks that were trained.

    Raises:
        DataError: If the data is missing or damaged.
    """
    table = datasets.load(DATA)
    space = RecurrentSpace()
    # What a run would have reached that broke off is not known.
    finished = np.flatnonzero(table["status"] == _FINISHED)
    # Recipes of one network may differ in names and order; networks are told apart by their canonical form.
    networks = {
        recipe: space.canonical(space.architecture_of(from_recipe(recipe)))
        for recipe in dict.fromkeys(table["recepie_json"][finished].tolist())
    }
    architectures = list(dict.fromkeys(networks.values()))
    numbers = {architecture: n for n, architecture in enumerate(architectures)}
    network = np.array([numbers[networks[recipe]] for recipe in table["recepie_json"][finished].tolist()])

    # Stored in 32 bits and averaged in 64.
    losses = table["val_losses"][finished].astype(np.float64)
    best = np.array([_first_lowest(row) for row in losses])
    each: dict[Metric, NDArray[np.float64]] = {
        VALIDATION: np.take_along_axis(losses, best, axis=1),
        _TEST: np.take_along_axis(table["test_losses"][finished].astype(np.float64), best, axis=1),
        # The logs hold the seconds of each epoch; a query of k epochs costs their sum.
        _SECONDS: table["wall_times"][finished].astype(np.float64).cumsum(axis=1),
        PARAMETERS: table["num_params"][finished] / 1e6,
    }
    return Trainings(np.array(architectures), {metric: _means(values, network) for metric, values in each.items()})


def data_digest() -> str:
    """Return the digest of the arrays that the tasks are made from."""
    return f"sha256:{datasets.DATASETS[DATA].digest}"


def _first_lowest(losses: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each epoch, which one up to it had the lowest loss: ``(epochs,)`` losses -> ``(epochs,)`` positions."""
    lowest = np.minimum.accumulate(losses)
    # Strictly lower: of equal losses the first epoch counts, as in the benchmark's simulation.
    improved = np.concatenate([[True], lowest[1:] < lowest[:-1]])
    return np.maximum.accumulate(np.where(improved, np.arange(len(losses)), 0))


def _means(values: NDArray[np.float64], network: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average over the runs of each network: ``(runs, ...)`` -> ``(n, ...)``."""
    sums = np.zeros((network.max() + 1, *values.shape[1:]))
    np.add.at(sums, network, values)
    counts = np.bincount(network).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(sums / counts)
