"""The digits images that come with scikit-learn, in three fixed parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from optiproxy.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CLASSES = 10
DIGEST = "sha256:87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
"""Of all pixels, one byte each, followed by all labels."""

TRAIN, VALIDATION = 300, 748
"""Images of the first two parts; the test part is what remains of 1,797."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Images ``(n, 1, 8, 8)`` with intensities in [0, 1], and their labels ``(n,)``."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class Digits:
    """The three parts; classes are equally frequent in each."""

    train: Part
    validation: Part
    test: Part


@cache
def load() -> Digits:
    """Read and split the images; the split is the same on every machine.

    Raises:
        DataError: If the installed scikit-learn holds other images.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = (np.asarray(column).astype(np.uint8) for column in load_digits(return_X_y=True))
    digest = "sha256:" + hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()
    if digest != DIGEST:
        raise DataError(f"Expected scikit-learn's digits images with {DIGEST}, got {digest}. Reinstall scikit-learn.")
    everything = np.arange(len(labels))
    train, rest = train_test_split(everything, train_size=TRAIN, stratify=labels, random_state=0)
    validation, test = train_test_split(rest, train_size=VALIDATION, stratify=labels[rest], random_state=0)

    def part(rows: ArrayLike) -> Part:
        chosen = np.asarray(rows)
        images = torch.from_numpy(pixels[chosen].astype(np.float32) / 16).reshape(-1, 1, 8, 8)
        return Part(images=images, labels=torch.from_numpy(labels[chosen].astype(np.int64)))

    return Digits(train=part(train), validation=part(validation), test=part(test))
