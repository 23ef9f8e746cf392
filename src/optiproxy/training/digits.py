"""`digits`: NAS-Bench-201 cells, trained for real within seconds on one core (docs/decisions/digits-recipe.md)."""

from __future__ import annotations

import time
from typing import Any

from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture, NASBench201
from optiproxy.spaces.nasbench201 import EDGES
from optiproxy.task import Source
from optiproxy.training.task import Trained, TrainingTask


class DigitsTask(TrainingTask):
    """Classify 8x8 images of digits with a small network of stacked cells.

    Isomorphic cells are one network: the canonical one is trained and measured. Latency is measured once per canonical
    cell and kept, also in a copy of the task that is sent to another process.
    """

    name = "digits"
    space = NASBench201()
    metrics = (
        Metric(name="val_accuracy", direction="max", unit="%"),
        Metric(name="test_accuracy", direction="max", unit="%", reported_only=True),
        Metric(name="params", direction="min", free=True),
        Metric(name="flops", direction="min", free=True),
        Metric(name="latency_ms", direction="min", unit="ms", free=True),
        Metric(name="latency_iqr_ms", direction="min", unit="ms", free=True),
        Metric(name="training_seconds", direction="min", unit="s"),
    )
    goal = Goal((Objective("val_accuracy"),))
    source = Source(
        "digits-v1",
        "trained here on the 8x8 digits images of scikit-learn (UCI optdigits, Alpaydin and Kaynak 1998)",
        licence="CC-BY-4.0",
        digest="sha256:87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826",
    )
    fidelities = (5, 15, 50)

    def __init__(self) -> None:
        self._costs: dict[Architecture, dict[str, float]] = {}

    def train(self, architecture: Architecture, *, seed: int = 0, epochs: int | None = None) -> Trained:
        from optiproxy.training import digits_data
        from optiproxy.training.cell_network import CellNetwork
        from optiproxy.training.determinism import reproducible
        from optiproxy.training.recipe import Recipe, accuracy, fit

        epochs = self.full_or(epochs)
        data = digits_data.load()
        arguments = self._arguments(architecture)
        recipe = Recipe(batch=30, rate=0.1, decay=5e-4, shift=2)
        with reproducible(seed):
            network = CellNetwork(**arguments)
            # Processor time of this thread, which does all the work: other trainings on the machine do not count.
            start = time.thread_time()
            fit(network, data.train.images, data.train.labels, recipe=recipe, epochs=epochs, seed=seed)
            seconds = time.thread_time() - start
            metrics = {
                "val_accuracy": accuracy(network, data.validation.images, data.validation.labels),
                "test_accuracy": accuracy(network, data.test.images, data.test.labels),
                **self.free_metrics(architecture),
                "training_seconds": seconds,
            }
        return Trained(network=network, arguments=arguments, example=data.test.images[:1], metrics=metrics)

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        cell = self.space.canonical(architecture)
        if cell not in self._costs:
            self._costs[cell] = self._measure(cell)
        return dict(self._costs[cell])

    def _measure(self, cell: Architecture) -> dict[str, float]:
        import torch

        from optiproxy.training import costs
        from optiproxy.training.cell_network import CellNetwork
        from optiproxy.training.determinism import reproducible

        example = torch.zeros(1, 1, 8, 8)
        with reproducible(0):
            network = CellNetwork(**self._arguments(cell)).eval()
        latency = costs.latency(network, example)
        return {
            "params": float(costs.parameters(network)),
            "flops": float(costs.flops(network, example)),
            "latency_ms": latency.median_ms,
            "latency_iqr_ms": latency.iqr_ms,
        }

    def _arguments(self, architecture: Architecture) -> dict[str, Any]:
        """Of the `CellNetwork` that an architecture stands for."""
        operations = self.space.values(self.space.canonical(architecture)).values()
        edges = tuple((*edge, str(name)) for edge, name in zip(EDGES, operations, strict=True))
        return {"edges": edges, "channels": 6, "cells": (1, 1), "classes": 10}
