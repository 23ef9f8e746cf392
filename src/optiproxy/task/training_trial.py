"""What a training function may know about its query, and tell while it runs."""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from optiproxy.errors import UsageError
from optiproxy.metrics import Metrics
from optiproxy.task.device import current_device


class Judge(Protocol):
    """Says, from the curves of trainings that have ended, whether one that runs promises too little to be ended.

    It is sent to the process that trains, with what was known when the training began.

    Attributes:
        notes: System attributes of the trial that it wants to be stored.
    """

    notes: dict[str, Any]

    def __call__(self, curve: Mapping[int, float], /) -> bool:
        """Whether to prune a training with this curve, step -> value, so far. Called at most once after each report."""
        ...


@dataclass
class Progress:
    """One query in the process that evaluates it.

    Attributes:
        number: Of the query, as in `Record`.
        known: Metrics that were measured before the training, and need not be measured again.
        folder: Where its files go; None where none are kept.
        judge: Says whether to prune; None where nothing is pruned.
        curve: Step -> value, as far as reported.
    """

    number: int = 0
    known: Metrics = field(default_factory=dict[str, float])
    folder: Path | None = None
    judge: Judge | None = None
    curve: dict[int, float] = field(default_factory=dict[int, float])


WEIGHTS = "weights.pt"
"""The file that `TrainingTrial.save` writes and `Record.load` reads, where no other is named."""

# A context variable, so that evaluations in several threads of one process do not mix.
_PROGRESS: ContextVar[Progress | None] = ContextVar("optiproxy progress", default=None)


@contextmanager
def progress_of(progress: Progress) -> Generator[Progress]:
    """Collect what the evaluation within reports, and let it see what is known already."""
    token = _PROGRESS.set(progress)
    try:
        yield progress
    finally:
        _PROGRESS.reset(token)


def current_progress() -> Progress:
    """Of the query that is evaluated here and now; an empty one outside of a search."""
    return _PROGRESS.get() or Progress()


class TrainingTrial:
    """The second argument of a training function, where it takes two.

    Args:
        architecture: Decision name -> value.
        seed: Of the search.

    Attributes:
        architecture: The same.
        seed: To seed the training with.
        number: Of the query, from 0.
    """

    def __init__(self, architecture: Mapping[str, Any], *, seed: int) -> None:
        self._progress = current_progress()
        self.architecture = architecture
        self.seed = seed
        self.number = self._progress.number

    @property
    def device(self) -> str:
        """What torch calls the device to train on: the worker's own, else the first CUDA device or ``"cpu"``."""
        return current_device()

    def report(self, value: float, step: int) -> None:
        """Keep a point of the learning curve in the record of the query, as `optuna.Trial.report` does.

        It is written when the training ends, and lost where that is killed. A step that is reported again is replaced.

        Args:
            value: For example the validation accuracy so far.
            step: For example the epoch, from 0.

        Raises:
            UsageError: If the value is not finite, or the step no whole number from 0.
        """
        if isinstance(step, bool) or not hasattr(step, "__index__") or not 0 <= step.__index__() < 2**31:
            raise UsageError(
                f"Expected the step of a learning curve to be a whole number from 0 to 2**31, got {step!r}."
            )
        try:
            number = math.nan if isinstance(value, str | bytes | bool) else float(value)
        except (TypeError, ValueError, RuntimeError):
            number = math.nan
        if not math.isfinite(number):
            raise UsageError(
                f"Expected a finite number for step {step} of the learning curve, got {type(value).__name__} {value!r}. "
                "Report nothing where there is nothing to report, or let the training fail."
            )
        self._progress.curve[step.__index__()] = number

    def should_prune(self) -> bool:
        """Return whether what was reported promises too little to go on, as `optuna.Trial.should_prune` does.

        Then raise `optuna.TrialPruned`: the query counts with what it is expected to have reached. Without reports, and in a
        search without a pruner, the answer is False.
        """
        progress = self._progress
        return bool(progress.curve) and progress.judge is not None and progress.judge(progress.curve)

    @property
    def folder(self) -> Path:
        """A folder of this trial's own, for whatever the training leaves behind.

        Of the best trials the files are kept (``search(keep=)``), and are found in `Record.files`. It is made when it is first
        asked for. In a search that keeps no files, and outside of one, it is temporary.
        """
        if self._progress.folder is None:
            self._progress.folder = Path(tempfile.mkdtemp(prefix="optiproxy-"))
        self._progress.folder.mkdir(parents=True, exist_ok=True)
        return self._progress.folder

    def save(self, trained: object, name: str = WEIGHTS) -> Path:
        """Save a network, or what `torch.save` can write, in the `folder`; `Record.load` reads it again.

        Args:
            trained: A network, of which the weights are saved, its ``state_dict()``, or other tensors in dicts and lists.
            name: Of the file. Written again, it is replaced.

        Raises:
            UsageError: If the name is none of a file.
        """
        import torch

        if Path(name).name != name or name in ("", "..") or "\0" in name or len(name) > 200:
            raise UsageError(f"Expected the name of a file without folders, like {WEIGHTS!r}, got {name!r}.")
        if isinstance(trained, torch.nn.Module):
            # Neither a network that is spread over devices nor a compiled one has weights of its own.
            trained = getattr(trained, "_orig_mod", trained)
            spread = isinstance(trained, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel)
            trained = cast("torch.nn.Module", trained.module if spread else trained).state_dict()
        part = path = Path(name)
        try:
            path = self.folder / name
            # Beside, then in its place: whatever happens meanwhile, a file is whole.
            part = path.with_name(f"{name}.part")
            torch.save(trained, part)
            part.replace(path)
        except (OSError, RuntimeError) as error:  # torch turns a full disk into a RuntimeError
            with suppress(OSError):
                part.unlink(missing_ok=True)
            warnings.warn(
                f"{name!r} could not be saved ({error}). The training goes on, and its result counts.", stacklevel=2
            )
        return path
