"""A user's own functions by name: the training function, and an input of the networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from optiproxy.registry import targets

if TYPE_CHECKING:
    from optiproxy.spaces.building.dry_run import Inputs
    from optiproxy.task.function import Evaluate


_TRAINING = "a function that trains: of what the space builds, (network), or of that and its trial, (network, trial)"


def training_function(spec: str) -> Evaluate:
    """Import a training function.

    Args:
        spec: ``MODULE:NAME`` of something that is called with a network, and perhaps a trial.

    Raises:
        UsageError: If there is nothing of that name, or it cannot be called so.
    """
    found: object = targets.load(spec, "a training function")
    takes_any = callable(found) and any(targets.takes(found, *[object()] * given) for given in (1, 2))
    if isinstance(found, type) or not callable(found) or not takes_any:
        raise targets.wrong_kind(found, spec, _TRAINING)
    return cast("Evaluate", found)


def example_input(spec: str) -> Inputs:
    """Import one input of the networks.

    Args:
        spec: ``MODULE:NAME`` of a tensor, a tuple of tensors, or a function without required arguments that returns one.

    Raises:
        UsageError: If there is nothing of that name, or it is nothing of the kind.
    """
    from torch import Tensor

    found: Any = targets.load(spec, "an example")
    if callable(found) and not isinstance(found, type) and targets.takes(found):
        found = targets.made(found, (Tensor, tuple), target=spec, wanted="a tensor or a tuple of tensors")
    if isinstance(found, Tensor) or (
        isinstance(found, tuple) and found and all(isinstance(one, Tensor) for one in found)
    ):
        return cast("Inputs", found)
    raise targets.wrong_kind(found, spec, "a tensor, a tuple of tensors, or a function that returns one")
