"""The three forms of one query.

A `Query` is in flight: it has been asked for and not been answered. A `Record` is what the study keeps of it once it has
finished. A `Trial` (`optiproxy.optimizer`) is all that an algorithm sees of a record. Optuna calls the row in which the
first two are stored a trial as well; `optiproxy.storage.schema` says what is written there.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from optiproxy.errors import UsageError
from optiproxy.metrics import Metrics
from optiproxy.spaces import Architecture, Choice, Space
from optiproxy.task.training_trial import WEIGHTS

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True, kw_only=True)
class Query:
    """An architecture that has been asked for and not been answered yet.

    Attributes:
        stored: Where Optuna keeps it.
        number: Position among the study's queries, as in `Record`.
        architecture: To be evaluated.
        predicted: As in `Record`.
        intervals: As in `Record`.
        ask_seconds: As in `Record`.
        fidelity: Where to evaluate it; None means the full one.
        known: Metrics that an earlier query of the same architecture has settled.
    """

    stored: FrozenTrial
    number: int
    architecture: Architecture
    predicted: Metrics
    ask_seconds: float
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    fidelity: int | None = None
    known: Metrics = field(default_factory=dict[str, float])


@dataclass(frozen=True, kw_only=True)
class Record:
    """One finished query, as stored in the study.

    Attributes:
        number: Position among the study's queries, from 0, in the order of asking.
        architecture: What was evaluated.
        state: ``"complete"``, ``"failed"`` or ``"pruned"``; all count against the budget.
        metrics: What was measured; empty where the training failed or was pruned.
        reason: Why it failed, one line; empty where it did not.
        predicted: What the algorithm expected, metric name -> value; empty where it had no model.
        intervals: Metric name -> the bounds between which it expected the value; empty where it told none.
        ask_seconds: Spent by the algorithm to propose this, with the reading of the study.
        evaluation_seconds: Spent on the evaluation.
        fidelity: Where it was evaluated, below the full one; None means the full one.
        curve: Step -> value, as the training reported it; kept where it failed, too.
        attributes: What the training returned beside metrics: paths, texts, lists.
        traceback: Of the exception that it raised.
        output: The end of what it printed.
        kind: Which failures are of one kind; empty where it did not fail.
        files: Name -> where what the training saved lies, as long as it is kept.
        space: Where the architecture is from; None where nobody said.
    """

    number: int
    architecture: Architecture
    state: Literal["complete", "failed", "pruned"]
    metrics: Metrics = field(default_factory=dict[str, float])
    reason: str = ""
    predicted: Metrics = field(default_factory=dict[str, float])
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    ask_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    fidelity: int | None = None
    curve: Mapping[int, float] = field(default_factory=dict[int, float])
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    traceback: str = field(default="", repr=False)
    output: str = field(default="", repr=False)
    kind: str = field(default="", repr=False)
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    space: Space | None = field(default=None, repr=False, compare=False)

    @property
    def values(self) -> Mapping[str, Choice]:
        """Decision name -> value of the architecture, as people and files read it.

        Raises:
            UsageError: If nobody said where the architecture is from.
        """
        if self.space is None:
            raise UsageError("This record does not know its space. Records of a `SearchResult` do.")
        return self.space.values(self.architecture)

    def load(self, name: str = WEIGHTS) -> Any:  # noqa: ANN401 - whatever was saved
        """Read what the training saved: in a space of networks the network with these weights, elsewhere the saved object.

        Nothing but tensors, numbers, texts, and lists and dicts of them is read; whatever else the file holds is not executed.

        Args:
            name: Of the file, as in `TrainingTrial.save`.

        Raises:
            UsageError: If the query has no such file, or the weights are not those of the network.
        """
        import torch

        if name not in self.files or not self.files[name].is_file():
            kept = ", ".join(self.files) or "none"
            raise UsageError(
                f"Query {self.number} has no file {name!r} (it has: {kept}). A training function saves with trial.save(network), "
                "and search(keep=) says of how many of the best the files are kept."
            )
        try:
            saved = torch.load(self.files[name], weights_only=True, map_location="cpu")
        except pickle.UnpicklingError as error:
            raise UsageError(
                f"The file {name!r} holds more than tensors, numbers and texts, so it is not read. It lies at {self.files[name]}."
            ) from error
        except Exception as error:
            # A damaged file can fail in almost any way.
            raise UsageError(
                f"The file {name!r} at {self.files[name]} is damaged. Train the architecture again."
            ) from error
        built = self.space.build(self.architecture) if self.space is not None and name == WEIGHTS else None
        if not isinstance(built, torch.nn.Module) or not isinstance(saved, Mapping):
            return saved
        try:
            built.load_state_dict(saved)
        # Of other names and shapes, or no tensors at all.
        except (RuntimeError, TypeError, AttributeError) as error:
            raise UsageError(
                f"The weights in {name!r} are not those of the network that the space builds: {str(error)[:200]}."
            ) from error
        return built
