"""`digits`: NAS-Bench-201 cells, trained for real within seconds on one core (docs/decisions/digits-recipe.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture, NASBench201
from optiproxy.spaces.published.nasbench201 import EDGES
from optiproxy.task.task import Source
from optiproxy.training.tasks.network_task import COSTS, TRAINING_SECONDS, NetworkTask

if TYPE_CHECKING:
    from torch import Tensor

    from optiproxy.training.tasks.cell_network import CellNetwork
    from optiproxy.training.tasks.digits_data import Digits
    from optiproxy.training.tasks.recipe import Recipe


class DigitsTask(NetworkTask["CellNetwork", "Digits"]):
    """Classify 8x8 images of digits with a small network of stacked cells."""

    name = "digits"
    space = NASBench201()
    metrics = (
        Metric(name="val_accuracy", direction="max", unit="%"),
        Metric(name="test_accuracy", direction="max", unit="%", reported_only=True),
        *COSTS,
        TRAINING_SECONDS,
    )
    goal = Goal((Objective("val_accuracy"),))
    source = Source(
        "digits-v1",
        "trained here on the 8x8 digits images of scikit-learn (UCI optdigits, Alpaydin and Kaynak 1998)",
        licence="CC-BY-4.0",
        digest="sha256:87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826",
    )
    fidelities = (5, 15, 50)

    def data(self) -> Digits:
        from optiproxy.training.tasks import digits_data

        return digits_data.load()

    def arguments(self, architecture: Architecture) -> dict[str, Any]:
        operations = self.space.values(architecture).values()
        edges = tuple((*edge, str(name)) for edge, name in zip(EDGES, operations, strict=True))
        return {"edges": edges, "channels": 6, "cells": (1, 1), "classes": 10}

    def build(self, arguments: dict[str, Any]) -> CellNetwork:
        from optiproxy.training.tasks.cell_network import CellNetwork

        return CellNetwork(**arguments)

    def example(self) -> Tensor:
        import torch

        return torch.zeros(1, 1, 8, 8)

    def recipe(self) -> Recipe:
        """How every network is trained."""
        from optiproxy.training.tasks.recipe import Recipe

        return Recipe(batch=30, rate=0.1, decay=5e-4, shift=2)

    def fit(self, network: CellNetwork, data: Digits, *, epochs: int, seed: int) -> None:
        from optiproxy.training.tasks.recipe import fit

        fit(network, data.train.images, data.train.labels, recipe=self.recipe(), epochs=epochs, seed=seed)

    def score(self, network: CellNetwork, data: Digits) -> dict[str, float]:
        from optiproxy.training.tasks.recipe import accuracy

        return {
            "val_accuracy": accuracy(network, data.validation.images, data.validation.labels),
            "test_accuracy": accuracy(network, data.test.images, data.test.labels),
        }
