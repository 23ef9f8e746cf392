"""HW-GPT-Bench (Sukthanker et al. 2024, arXiv 2405.10299): decoders like GPT-2, their perplexity and memory predicted.

The predictions are those of the benchmark's own networks, evaluated in numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import unknown
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.spaces import Architecture
from optiproxy.spaces.published.gpt import FAMILIES, gpt
from optiproxy.tables.store import datasets
from optiproxy.tables.surrogate import SurrogateTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optiproxy.tables.store.files import Arrays

DATA = "hwgpt_surrogate"

DEPTH = 5
"""Layers of each network that predicts."""

PREDICTED = ("perplexity", "params", "memory")
"""What is predicted, by a network each."""

_PERPLEXITY = Metric(name="perplexity", direction="min")
_PARAMS = Metric(name="params", direction="min", free=True)
_MEMORY = Metric(name="memory_mb", direction="min", unit="MB", free=True)


def hwgpt_task(name: str, family: str, limit: str = "") -> Task:
    """Find the decoder with the lowest predicted perplexity.

    Args:
        name: Of the task.
        family: ``"s"``, ``"m"`` or ``"l"``.
        limit: A bound on a metric like ``"params<=9e7"``; empty for none.

    Raises:
        UsageError: If there is no such family, or it is no limit on one of the metrics.
        DataError: If the surrogates' file is missing; when first evaluated, also if it is damaged.
    """
    if family not in FAMILIES:
        raise unknown("family of HW-GPT-Bench", family, FAMILIES)
    # Read at the first evaluation: published files are converted with torch, which a listing can do without.
    datasets.require(DATA)
    return HWGPTTask(name, family, partial(datasets.load, DATA), (Limit.parse(limit),) if limit else ())


class HWGPTTask(SurrogateTask):
    """Decoders of one family.

    Args:
        name: Of the task.
        family: One of `FAMILIES`.
        arrays: Reads the dataset `DATA`, see `optiproxy.tables.convert.hwgpt`.
        limits: Bounds that are kept.

    Raises:
        UsageError: If a limit is on no metric of the task.
    """

    metrics = (_PERPLEXITY, _PARAMS, _MEMORY)

    def __init__(self, name: str, family: str, arrays: Callable[[], Arrays], limits: tuple[Limit, ...] = ()) -> None:
        dataset = datasets.dataset(DATA)
        self.name = name
        self.space = gpt(family)
        self.goal = Goal((Objective(_PERPLEXITY.name, "min"),), limits)
        self.goal.check(self.metrics)
        self.source = Source(
            name="hwgpt",
            description="HW-GPT-Bench's own surrogates of perplexity, parameters and memory (bfloat16)",
            licence=dataset.licence,
            digest=f"sha256:{dataset.digest}",
        )
        self._family = FAMILIES[family]
        self._letter = family
        self._arrays = arrays

    @cached_property
    def _networks(self) -> dict[str, list[tuple[NDArray[np.floating], NDArray[np.floating]]]]:
        arrays, family = self._arrays(), self._letter
        return {
            what: [(arrays[f"{what}_{family}_{k}_weight"].T, arrays[f"{what}_{family}_{k}_bias"]) for k in range(DEPTH)]
            for what in PREDICTED
        }

    def predict(
        self,
        architectures: Sequence[Architecture],
        fidelity: int | None,  # noqa: ARG002 - there is one
    ) -> Mapping[str, NDArray[np.floating]]:
        rows = self._rows(architectures)
        return {
            _PERPLEXITY.name: self._through("perplexity", self.one_hot(rows)).astype(np.float64),
            **self._sizes(rows),
        }

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        return {name: float(values[0]) for name, values in self._sizes(self._rows([architecture])).items()}

    def _sizes(self, rows: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
        scaled = self.scaled(rows)
        return {
            _PARAMS.name: 1e6 * self._through("params", scaled).astype(np.float64),
            _MEMORY.name: self._through("memory", scaled).astype(np.float64),
        }

    def one_hot(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Write ``(n, d)`` architectures as what the network of the perplexity reads: 0 and 1, all 0 for an absent layer."""
        width, layers, bias, ratios, heads = self._parts(rows)
        ones = np.eye(3, dtype=np.float32)
        there = self._there(layers)[:, :, None]
        parts = (ones[width], ones[layers], ones[ratios] * there, ones[heads] * there, ones[bias][:, :2])
        return np.concatenate([part.reshape(len(rows), -1) for part in parts], axis=1)

    def scaled(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Write ``(n, d)`` architectures as what the networks of the sizes read: from 0 to 1, -1 for an absent layer."""
        width, layers, bias, ratios, heads = self._parts(rows)
        there = self._there(layers)
        known = self._family
        thirds = np.array([0.0, 0.5, 1.0])
        parts = (
            _scaled(known.widths)[width][:, None],
            thirds[layers][:, None],
            np.where(there, thirds[ratios], -1),
            np.where(there, _scaled(known.heads)[heads], -1),
            1.0 - bias[:, None],
        )
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _rows(self, architectures: Sequence[Architecture]) -> NDArray[np.intp]:
        return np.array(architectures, dtype=np.intp).reshape(-1, len(self.space.decisions))

    def _parts(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
        # Width, layers and bias; then, of each layer, ratio and heads.
        return rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3::2], rows[:, 4::2]

    def _there(self, layers: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Say of each layer whether it is there, ``(n, L)``."""
        counts = np.array(self._family.layers)
        return np.arange(counts.max()) < counts[layers][:, None]

    def _through(self, what: str, hidden: NDArray[np.floating]) -> NDArray[np.floating]:
        """Apply dense layers with ReLU between them, and none after the last: ``(n, k)`` -> ``(n,)``."""
        for k, (weight, bias) in enumerate(self._networks[what]):
            hidden = (np.maximum(hidden, 0) if k else hidden) @ weight + bias
        return hidden[:, 0]


def _scaled(values: Sequence[int]) -> NDArray[np.float64]:
    """Return where each of ascending values lies between the first, 0, and the last, 1."""
    return (np.array(values) - values[0]) / (values[-1] - values[0])
