"""The networks of a user's own space and training function: with the weights that the search kept, or trained once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from optiproxy.errors import OptiProxyError, UsageError
from optiproxy.metrics import Goal, Metrics
from optiproxy.spaces import Architecture, Space
from optiproxy.task.function import Evaluate, FunctionTask
from optiproxy.task.task import Source
from optiproxy.task.values import WrongValueError, as_number
from optiproxy.training.tasks.network_task import Trained, TrainingTask

if TYPE_CHECKING:
    from torch import nn

    from optiproxy.spaces.building.dry_run import Inputs


class OwnNetwork(TrainingTask):
    """What a search of one's own has searched, for `optiproxy.training.export.network_files.export`.

    The training runs in this process, as the function sees fit: it repeats that of the search as far as it seeds its random
    numbers with `TrainingTrial.seed`.

    Args:
        space: Builds networks, as `Space.from_model` does.
        evaluate: The training function of the search; it trains the network that it is given in place. None where all that is
            asked for is kept.
        goal: Of the search.
        example: One input of every network, ``(1, ...)``; several as a tuple.
        name: Name of the task, as in the study.
        source: Of the values, as in the study.
        kept: Architectures that need no training, because the search has kept their weights: each with a function that
            loads the network, and what was measured.
    """

    metrics = ()

    def __init__(
        self,
        space: Space,
        evaluate: Evaluate | None,
        *,
        goal: Goal,
        example: Inputs,
        name: str,
        source: Source,
        kept: Mapping[Architecture, tuple[Callable[[], object], Metrics]] = MappingProxyType({}),
    ) -> None:
        self.space = space
        self.goal = goal
        self.name = name
        self.source = source
        self._evaluate = evaluate
        self._example = example
        self._kept = kept

    def train(self, architecture: Architecture, *, seed: int = 0, epochs: int | None = None) -> Trained:
        """Build a network from the seed and train it; or give it the weights that were kept.

        Raises:
            UsageError: If epochs are given, which only the function itself knows; if the space builds something else than a
                network; or if the training fails.
        """
        if epochs is not None:
            raise UsageError(
                f"A training function of your own decides how long it trains, got {epochs} epochs. Leave them out."
            )
        if architecture in self._kept:
            load, metrics = self._kept[architecture]
            network = _network(load(), self.space)
            return Trained(network=network.eval(), arguments=None, example=self._example, metrics=dict(metrics))
        kept: list[nn.Module] = []
        if self._evaluate is None:
            raise UsageError(
                "The weights of this network were not kept. Name the training function, --evaluate MODULE:NAME."
            )
        evaluate = self._evaluate

        # Its signature stays that of the function, which says whether it takes a trial.
        @wraps(evaluate)
        def keeping(network: Any, *trial: Any) -> Any:  # noqa: ANN401 - as in `Evaluate`
            kept.append(_network(network, self.space))
            return evaluate(network, *trial)

        task = FunctionTask(self.space, keeping, goal=self.goal, isolated=False)
        try:
            returned = task.evaluate(architecture, seed=seed)
        except OptiProxyError:
            raise
        # A training function may raise anything, and one that is a script may exit.
        except (Exception, SystemExit) as error:
            text = " ".join(str(error).split()).rstrip(".")
            raise UsageError(
                f"Training the network again failed with {type(error).__name__}: {text}. Mend the training function, or see "
                "where it failed with --debug."
            ) from error
        (network,) = kept
        return Trained(network=network.eval(), arguments=None, example=self._example, metrics=_numbers(returned))


def _network(built: object, space: Space) -> nn.Module:
    from torch.nn import Module

    if not isinstance(built, Module):
        raise UsageError(
            f"Expected the space {space.name!r} to build a torch.nn.Module, as Space.from_model does, got {type(built).__name__}. "
            "There are no weights to export; export the architecture as JSON."
        )
    return built


def _numbers(returned: dict[str, Any]) -> dict[str, float]:
    """The metrics among what a function has returned."""
    metrics: dict[str, float] = {}
    for name, value in returned.items():
        try:
            metrics[name] = as_number(name, value)
        except WrongValueError:
            continue
    return metrics
