"""`digits`: NAS-Bench-201 cells, trained for real within seconds on one core (docs/decisions/digits-recipe.md).

The images come with scikit-learn and are split in three fixed parts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from optiproxy.errors import DataError
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture, NASBench201
from optiproxy.spaces.published.nasbench201 import EDGES
from optiproxy.task.task import Source
from optiproxy.training.tasks.network_task import COSTS, TRAINING_SECONDS, NetworkTask

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import Tensor

    from optiproxy.training.tasks.cell_network import CellNetwork
    from optiproxy.training.tasks.recipes import ImageRecipe

DIGEST = "sha256:87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
"""Digest of all pixels, one byte each, followed by all labels."""

TRAIN, VALIDATION = 300, 748
"""Images of the first two parts; the test part is what remains of 1,797."""


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
        digest=DIGEST,
    )
    fidelities = (5, 15, 50)

    def data(self) -> Digits:
        return load()

    def arguments(self, architecture: Architecture) -> dict[str, Any]:
        operations = self.space.values(architecture).values()
        edges = tuple((*edge, str(name)) for edge, name in zip(EDGES, operations, strict=True))
        # So small that a training takes seconds, and that cells differ: docs/decisions/digits-recipe.md.
        return {"edges": edges, "channels": 6, "cells": (1, 1), "classes": 10}

    def build(self, arguments: dict[str, Any]) -> CellNetwork:
        from optiproxy.training.tasks.cell_network import CellNetwork

        return CellNetwork(**arguments)

    def example(self) -> Tensor:
        import torch

        # Any image will do: what a network costs does not depend on the pixels.
        return torch.zeros(1, 1, 8, 8)

    def recipe(self) -> ImageRecipe:
        """Return how every network is trained."""
        from optiproxy.training.tasks.recipes import ImageRecipe

        # Compared with other recipes in docs/decisions/digits-recipe.md.
        return ImageRecipe(batch=30, rate=0.1, decay=5e-4, shift=2)

    def fit(self, network: CellNetwork, data: Digits, *, epochs: int, seed: int) -> None:
        from optiproxy.training.tasks.recipes import fit_classifier

        fit_classifier(network, data.train.images, data.train.labels, recipe=self.recipe(), epochs=epochs, seed=seed)

    def score(self, network: CellNetwork, data: Digits) -> dict[str, float]:
        from optiproxy.training.tasks.recipes import accuracy

        return {
            "val_accuracy": accuracy(network, data.validation.images, data.validation.labels),
            "test_accuracy": accuracy(network, data.test.images, data.test.labels),
        }


@dataclass(frozen=True, kw_only=True)
class Part:
    """Images ``(k, 1, 8, 8)`` with intensities in [0, 1], and their labels ``(k,)``."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class Digits:
    """The three parts of the images; classes are equally frequent in each."""

    train: Part
    validation: Part
    test: Part


@cache
def load() -> Digits:
    """Read and split the images; the split is the same on every machine.

    Raises:
        DataError: If the installed scikit-learn holds other images.
    """
    import numpy as np
    import torch
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = (np.asarray(column).astype(np.uint8) for column in load_digits(return_X_y=True))
    # Another release could hold other images, and values on these would not compare.
    digest = "sha256:" + hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()
    if digest != DIGEST:
        raise DataError(f"Expected scikit-learn's digits images with {DIGEST}, got {digest}. Reinstall scikit-learn.")
    everything = np.arange(len(labels))
    # Few images to train on, so that cells differ by more than the noise of a training: docs/decisions/digits-recipe.md.
    train, rest = train_test_split(everything, train_size=TRAIN, stratify=labels, random_state=0)
    validation, test = train_test_split(rest, train_size=VALIDATION, stratify=labels[rest], random_state=0)

    def part(rows: ArrayLike) -> Part:
        chosen = np.asarray(rows)
        # Pixels are counts from 0 to 16.
        images = torch.from_numpy(pixels[chosen].astype(np.float32) / 16).reshape(-1, 1, 8, 8)
        return Part(images=images, labels=torch.from_numpy(labels[chosen].astype(np.int64)))

    return Digits(train=part(train), validation=part(validation), test=part(test))
