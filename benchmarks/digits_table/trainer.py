"""Trains cells of `digits` by the program beside this file, many times quicker than torch (network.cpp says why).

Everything that makes a training what it is comes from the task: its data, its recipe, the initial weights of its
networks, the order and shifts of its images.
"""
# ruff: noqa: S603

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from optiproxy.training.tasks import recipes
from optiproxy.training.tasks.digits import DigitsTask
from optiproxy.training.tasks.network_task import reproducible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from optiproxy.spaces import Architecture

LANES = 32
"""Images side by side; `lanes.hpp` has the same number."""

SOURCE = Path(__file__).with_name("network.cpp")
SOURCES = sorted(SOURCE.parent.glob("*.[ch]pp"))
"""All that is compiled with it: a change in any of them is another program."""
COMPILER = ("c++", "-std=c++17", "-O3", "-march=native", "-shared", "-fPIC", "-Wall", "-Wextra")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One training.

    Attributes:
        losses: ``(steps,)``, each before its step.
        validation: ``(measured,)`` right answers after each epoch that was measured.
        test: Likewise.
    """

    losses: NDArray[np.floating]
    validation: NDArray[np.uint16]
    test: NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True)
class Program:
    """`network.cpp`, compiled for this machine.

    Attributes:
        library: Its function ``train``.
        real: What it computes in.
    """

    library: ctypes.CDLL
    real: type[np.floating]


def build(folder: Path, *, real: type[np.floating] = np.float32) -> Program:
    """Compile the program, once for each version of its source.

    Args:
        folder: Where it is kept.
        real: ``np.float32``, as the task trains, or ``np.float64``, to compare with torch without its rounding.

    Raises:
        subprocess.CalledProcessError: If the compiler refuses it.
        FileNotFoundError: If there is no compiler.
    """
    kind = np.ctypeslib.as_ctypes_type(real).__name__.removeprefix("c_")
    version = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()[:16]
    library = folder / f"network-{version}-{kind}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = library.with_suffix(f".{os.getpid()}")
        subprocess.run([*COMPILER, f"-DREAL={kind}", "-o", str(unfinished), str(SOURCE)], check=True)
        unfinished.replace(library)
    return Program(library=ctypes.CDLL(str(library)), real=real)


class Trainer:
    """All trainings of one seed: what they share is made once.

    Args:
        program: See `build`.
        seed: Of initial weights, order and shifts.
        measured: Epochs after which right answers are counted, rising.
        epochs: Of each training.
    """

    def __init__(
        self,
        program: Program,
        *,
        seed: int,
        measured: Sequence[int],
        epochs: int = DigitsTask.fidelities[-1],
    ) -> None:
        self._program, self._seed, self._epochs = program, seed, epochs
        self._measured = np.isin(np.arange(1, epochs + 1), measured).astype(np.int32)
        self._task = DigitsTask()
        self._recipe = self._task.recipe()
        data = self._task.data()
        batches = recipes.batches(data.train.images, data.train.labels, recipe=self._recipe, epochs=epochs, seed=seed)
        self._images, self._labels = _blocks(batches, program.real)
        self._rates = _rates(self._recipe, len(self._labels)).astype(program.real)
        parts = [
            zip(part.images.split(LANES), part.labels.split(LANES), strict=True)
            for part in (data.validation, data.test)
        ]
        blocks = [_blocks(part, program.real) for part in parts]
        self._held_out, self._answers = (np.concatenate(column) for column in zip(*blocks, strict=True))
        self._validation_blocks = len(blocks[0][1])

    def train(self, architecture: Architecture) -> Curve:
        """Train the canonical cell, as ``DigitsTask.train`` does with this seed.

        Raises:
            ValueError: If the program builds another network than the task.
        """
        form = self._task.space.canonical(architecture)
        with reproducible(self._seed):
            network = self._task.build(self._task.arguments(form))
        real = self._program.real
        initial = torch.nn.utils.parameters_to_vector(network.parameters()).detach().numpy().astype(real)
        steps, blocks = len(self._rates), len(self._answers)
        losses, right = np.empty(steps, real), np.empty((self._measured.sum(), blocks), np.int32)
        failed = self._program.library.train(
            _pointer(np.array(form, np.int32)),
            _pointer(initial),
            len(initial),
            _pointer(self._images),
            _pointer(self._labels),
            _pointer(self._rates),
            np.ctypeslib.as_ctypes_type(real)(self._recipe.decay),
            self._recipe.batch,
            self._epochs,
            steps // self._epochs,
            _pointer(self._measured),
            _pointer(self._held_out),
            _pointer(self._answers),
            blocks,
            _pointer(losses),
            _pointer(right),
        )
        if failed:
            raise ValueError(f"network.cpp expected another number of parameters than {len(initial)} for {form}.")
        validation, test = (
            part.sum(axis=1).astype(np.uint16) for part in np.split(right, [self._validation_blocks], axis=1)
        )
        return Curve(losses=losses, validation=validation, test=test)


def _pointer(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def _blocks(
    batches: Iterable[tuple[Tensor, Tensor]], real: type[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.int32]]:
    """Images ``(b, 1, h, w)`` and labels ``(b,)`` of each batch, one after the other.

    Returns:
        ``(batches, pixels, LANES)`` and ``(batches, LANES)``; zeros and -1 where a batch has no image.
    """
    blocks: list[NDArray[np.floating]] = []
    numbers: list[NDArray[np.int32]] = []
    for images, labels in batches:
        missing = LANES - len(labels)
        blocks.append(np.pad(images.flatten(1).numpy().T, ((0, 0), (0, missing))))
        numbers.append(np.pad(labels.numpy(), (0, missing), constant_values=-1))
    # The program reads rows: numpy would keep the order of what was transposed.
    return np.stack(blocks).astype(real, order="C"), np.stack(numbers).astype(np.int32, order="C")


def _rates(recipe: recipes.ImageRecipe, steps: int) -> NDArray[np.float64]:
    """The learning rate of each step, read off the task's own schedule."""
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    optimizer, schedule = recipes.descent([weight], recipe=recipe, steps=steps)
    rates: list[float] = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return np.array(rates)
